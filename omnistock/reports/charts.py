"""The report's charts as Vega-Lite specifications without their data.

Data come under names (``total_rows``, ``sku_rows``, ...), which the page fills.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

__all__ = ["bundle", "specifications"]

# Blue and orange tell apart for every common kind of colour blindness; the rest is grey.
INK, MUTED, GRID = "#1c2733", "#5a6675", "#e6e9ed"
BLUE, ORANGE, PALE = "#0b5cad", "#c2500a", "#c9d1da"
CHANNELS = ("#0b5cad", "#e69f00", "#009e73", "#9a4f96", "#56b4e9", "#7a5c2e", "#d55e00", "#4d4d4d")
VALIDATE = False
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def _config(chart: Any) -> dict[str, Any]:
    """Give a chart the house look and return its specification, ready to embed.

    Checking it against the schema takes longer than drawing it, so tests do that.
    """
    import altair as alt

    styled = (
        chart.properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
        .configure(font=FONT, background="white")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            titleColor=MUTED,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor=GRID,
            domainColor=PALE,
            tickColor=PALE,
            labelLimit=200,
            titlePadding=8,
        )
        .configure_legend(
            labelColor=INK, titleColor=MUTED, labelFontSize=12, orient="top", title=None, columns=3
        )
    )
    specification: dict[str, Any] = styled.to_dict(validate=VALIDATE)
    specification.pop("$schema", None)  # the page says what it is; nothing to look up
    return specification


def _demand(rows: str, sold_title: str, *, one_sku: bool) -> dict[str, Any]:
    """Sales and forecast per day: a line for the total, bars and stockout marks for one SKU."""
    import altair as alt

    colours = {
        sold_title: "#93a0ae",
        "7-day mean": INK,
        "forecast": BLUE,
        "80 % interval": "#8fb6de",
        "95 % interval": "#d3e3f4",
    }
    if one_sku:
        colours["stock ran out"] = ORANGE
    series = alt.Color(
        "series:N", scale=alt.Scale(domain=list(colours), range=list(colours.values()))
    )
    base = alt.Chart(alt.NamedData(name=rows)).encode(
        x=alt.X("date:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=6, grid=False))
    )
    past = base.transform_filter("datum.part == 'past'")
    ahead = base.transform_filter("datum.part == 'ahead'")

    def drawn(part: alt.Chart, name: str, field: str) -> alt.Chart:
        y = alt.Y(field, title="units per day", axis=alt.Axis(tickCount=5))
        return part.transform_calculate(series=f"'{name}'").encode(y=y, color=series)

    bands = [
        drawn(ahead, f"{level} % interval", f"lower_{level}:Q")
        .mark_area(opacity=1)
        .encode(y2=f"upper_{level}:Q")
        for level in (95, 80)
    ]
    sold = drawn(past, sold_title, "sold:Q")
    layers = [
        *bands,
        sold.mark_bar(size=3, opacity=1) if one_sku else sold.mark_line(strokeWidth=1),
        drawn(past, "7-day mean", "trailing:Q").mark_line(strokeWidth=2),
        drawn(ahead, "forecast", "mean:Q").mark_line(strokeWidth=2.5),
    ]
    if one_sku:
        # A transparent mark, not a filter: a SKU that never ran out must not leave a layer empty.
        ran_out = alt.condition("datum.censored > 0.001", series, alt.value("transparent"))
        marks = past.transform_calculate(series="'stock ran out'").mark_square(size=16, opacity=1)
        layers.append(marks.encode(y=alt.value(3), color=ran_out))
    hover = base.mark_rule(opacity=0, strokeWidth=6).encode(tooltip=_demand_tooltip())
    return _config(alt.layer(*layers, hover).properties(width="container", height=270))


def _demand_tooltip() -> list[alt.Tooltip]:
    import altair as alt

    return [
        alt.Tooltip("date:T", format="%a %-d %b %Y"),
        alt.Tooltip("sold:Q", format=",.3~f", title="sold"),
        alt.Tooltip("censored:Q", format=".0%", title="day without stock"),
        alt.Tooltip("mean:Q", format=",.2f", title="forecast"),
        alt.Tooltip("lower_80:Q", format=",.3~f", title="80 % from"),
        alt.Tooltip("upper_80:Q", format=",.3~f", title="80 % to"),
        alt.Tooltip("lower_95:Q", format=",.3~f", title="95 % from"),
        alt.Tooltip("upper_95:Q", format=",.3~f", title="95 % to"),
    ]


def _service(rows: str) -> dict[str, Any]:
    """Bars for the expected fill rate of each node or channel."""
    import altair as alt

    base = alt.Chart(alt.NamedData(name=rows)).encode(
        x=alt.X(
            "fill_rate:Q",
            title="expected share of demand met from stock",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1]),
        ),
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False)),
    )
    bars = base.mark_bar(color=BLUE, height={"band": 0.7}).encode(
        tooltip=["name:N", alt.Tooltip("fill_rate:Q", format=".1%", title="expected fill rate")]
    )
    text = base.mark_text(dx=-6, align="right", color="white", fontSize=12).encode(
        text=alt.Text("fill_rate:Q", format=".1%")
    )
    return _config(alt.layer(bars, text).properties(width="container", height=alt.Step(24)))


def _cover() -> dict[str, Any]:
    import altair as alt

    base = alt.Chart(alt.NamedData(name="cover_rows"))
    names = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False))
    bars = base.mark_bar(color=BLUE, height={"band": 0.6}).encode(
        x=alt.X("days:Q", title="days that stock on hand covers", axis=alt.Axis(tickCount=4)),
        y=names,
        tooltip=["name:N", alt.Tooltip("days:Q", format=",.1f", title="days of cover")],
    )
    text = base.mark_text(dx=5, align="left", color=INK, fontSize=12).encode(
        x="days:Q", y=names, text=alt.Text("days:Q", format=",.0f")
    )
    return _config(alt.layer(bars, text).properties(width="container", height=alt.Step(24)))


def _granted() -> dict[str, Any]:
    """A bar in a bar for each channel: granted in requested."""
    import altair as alt

    base = alt.Chart(alt.NamedData(name="granted_rows"))
    names = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False))
    colour = alt.Color(
        "what:N", scale=alt.Scale(domain=["requested", "granted"], range=[PALE, BLUE])
    )
    requested = (
        base.transform_calculate(what="'requested'")
        .mark_bar(height={"band": 0.75})
        .encode(
            x=alt.X("requested:Q", title="units of scarce SKUs", axis=alt.Axis(tickCount=4)),
            y=names,
            color=colour,
        )
    )
    granted = (
        base.transform_calculate(what="'granted'")
        .mark_bar(height={"band": 0.4})
        .encode(x="granted:Q", y=names, color=colour)
    )
    text = base.mark_text(dx=6, align="left", color=INK, fontSize=12).encode(
        x="requested:Q", y=names, text="text:N"
    )
    return _config(
        alt.layer(requested, granted, text).properties(width="container", height=alt.Step(34))
    )


def _shortage(channels: list[str]) -> dict[str, Any]:
    """Each scarce SKU's demand: what each channel is granted, and what nobody gets."""
    import altair as alt

    palette = [CHANNELS[index % len(CHANNELS)] for index in range(len(channels))]
    chart = (
        alt.Chart(alt.NamedData(name="shortage_rows"))
        .mark_bar(height={"band": 0.7})
        .encode(
            x=alt.X("units:Q", title="units asked for", stack="zero", axis=alt.Axis(tickCount=4)),
            y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False)),
            color=alt.Color(
                "channel:N",
                sort=None,
                scale=alt.Scale(domain=[*channels, "not met"], range=[*palette, PALE]),
            ),
            order="rank:Q",
            tooltip=["name:N", "channel:N", alt.Tooltip("units:Q", format=",")],
        )
        .properties(width="container", height=alt.Step(26))
    )
    return _config(chart)


def _waterfall() -> dict[str, Any]:
    import altair as alt

    base = alt.Chart(alt.NamedData(name="waterfall_rows")).transform_calculate(
        left="min(datum.start, datum.end)", right="max(datum.start, datum.end)"
    )
    names = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False))
    bars = base.mark_bar(height={"band": 0.65}).encode(
        x=alt.X("left:Q", title="units", axis=alt.Axis(tickCount=5)),
        x2="right:Q",
        y=names,
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(
                domain=["stock", "held back", "available"], range=["#7a8795", ORANGE, BLUE]
            ),
        ),
        tooltip=["name:N", alt.Tooltip("text:N", title="units")],
    )
    text = base.mark_text(dx=6, align="left", color=INK, fontSize=12).encode(
        x="right:Q", y=names, text="text:N"
    )
    return _config(alt.layer(bars, text).properties(width="container", height=alt.Step(34)))


def specifications(channels: list[str]) -> dict[str, dict[str, Any]]:
    """Return the specification of every chart, by the id of its place in the page."""
    return {
        "total": _demand("total_rows", "sold", one_sku=False),
        "sku": _demand("sku_rows", "sold", one_sku=True),
        "service": _service("service_rows"),
        "reach": _service("reach_rows"),
        "cover": _cover(),
        "granted": _granted(),
        "shortage": _shortage(channels),
        "waterfall": _waterfall(),
    }


def bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that needs no network."""
    import altair as alt
    import vl_convert

    wanted = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    known = vl_convert.get_vegalite_versions()
    version = wanted if wanted in known else None
    # The stub has the first argument as required; the function itself has not.
    script: str = vl_convert.javascript_bundle(vl_version=version)  # type: ignore[call-arg]
    return script
