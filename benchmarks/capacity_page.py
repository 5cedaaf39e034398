"""The page of benchmarks.capacity: curves drawn into the page itself, and their figures."""

from __future__ import annotations

import html
import math
from typing import Any

import altair as alt
import vl_convert

Row = dict[str, Any]

_INK, _MUTED, _GRID, _BLUE, _ORANGE, _GREEN = (
    "#1c2733", "#5a6675", "#e6e9ed", "#0b5cad", "#c2500a", "#00795a",
)  # fmt: skip
_FONT = "DejaVu Sans, Arial, sans-serif"
# Sweep, heading, axis, whether it is logarithmic, whether checks change with it, what it shows.
_SWEEPS = (
    ("n_stockpoints", "Size", "stockpoints", True, True,
     "Larger arrays leave the processor's caches, and each question costs a trip to memory."),
    ("n_nodes", "Nodes per SKU", "nodes that hold each SKU", True, True,
     "An order that names no node goes to the first node, by priority, that has all of it."),
    ("lines", "Lines per order", "lines per order, on average", True, False,
     "An order is held as a whole; its lines are decided together."),
    ("batch", "Orders at a time", "orders in one batch", True, False,
     "A batch waits for the disk once: the larger, the less of that wait each order bears."),
    ("hot_share", "A hot SKU", "share of lines that want one SKU", False, True,
     "One writer needs no lock, so that orders for the same SKU do not stand in each other's way."),
)  # fmt: skip
_ORDERS = {"orders_per_s_named": "node named", "orders_per_s_any": "any node"}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What the engine carries</title>
<link rel="icon" href="data:,">
<style>
body {{ font-family: system-ui, Arial, sans-serif; color: #1c2733; margin: 0 auto; max-width: 68rem;
  padding: 1.5rem; line-height: 1.5; }}
h1 {{ margin-bottom: 0; }}
.about, .note {{ color: #5a6675; margin-top: 0.3rem; }}
section {{ border-top: 1px solid #e6e9ed; margin-top: 1.5rem; padding-top: 0.5rem; }}
.charts {{ display: flex; flex-wrap: wrap; gap: 1rem 2rem; }}
.charts svg {{ max-width: 100%; height: auto; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; margin-top: 0.5rem; }}
th, td {{ text-align: right; padding: 0.2rem 0.9rem 0.2rem 0; border-bottom: 1px solid #e6e9ed; }}
th {{ color: #5a6675; font-weight: normal; vertical-align: bottom; }}
</style>
</head>
<body>
<h1>What the engine carries</h1>
<p class="about">{about}</p>
<p>Each section changes one thing and leaves the rest as it is: {base}. Orders are durable,
have request ids and were answered after the disk had them; their rate is that of the median
batch, by the clock. Checks are questions of a SKU at a node in arrays, per second of
processor time.</p>
{sections}
</body>
</html>
"""


def page(rows: list[Row], about: str) -> str:
    """Return the page as text; it loads nothing and runs nothing."""
    size = next(row["n_stockpoints"] for row in rows if row["sweep"] != "n_stockpoints")
    base = (
        f"{size:,} stockpoints, 5 nodes per SKU, orders of 1 to 4 lines, "
        "1,000 orders at a time, random SKUs"
    )
    sections = [
        _section([row for row in rows if row["sweep"] == sweep], *terms)
        for sweep, *terms in _SWEEPS
    ]
    return _PAGE.format(about=html.escape(about), base=base, sections="\n".join(sections))


def _section(
    rows: list[Row], heading: str, axis: str, logarithmic: bool, checks: bool, note: str
) -> str:
    rows = sorted(rows, key=lambda row: row["value"])
    charts = [_chart(rows, axis, logarithmic, _ORDERS, "durable orders per second")]
    if checks:
        title = "checks per CPU second"
        charts.append(_chart(rows, axis, logarithmic, {"checks_per_s": "checks"}, title))
    if "recovery_s" in rows[0]:
        for column, title in (("memory_mb", "MB of memory"), ("recovery_s", "s to open again")):
            charts.append(_chart(rows, axis, logarithmic, {column: column}, title, even=True))
    return (
        f"<section><h2>{heading}</h2><p class='note'>{note}</p>"
        f"<div class='charts'>{''.join(charts)}</div>"
        f"<div class='scroll'>{_table(rows, axis)}</div></section>"
    )


def _chart(
    rows: list[Row], axis: str, logarithmic: bool, columns: dict[str, str], title: str,
    *, even: bool = False,
) -> str:  # fmt: skip
    """Draw columns over the sweep; ``even`` axes are logarithmic on both sides."""
    data = [
        {"x": row["value"], "y": row[column], "what": name}
        for row in rows
        for column, name in columns.items()
    ]
    values = sorted({one["x"] for one in data})
    scale = alt.Scale(type="log", nice=False) if logarithmic else alt.Scale()
    x = alt.X(
        "x:Q", title=axis, scale=scale,
        axis=alt.Axis(values=values, format=".2~s" if logarithmic else ".0%", grid=False),
    )  # fmt: skip
    y_axis, y_scale = alt.Axis(tickCount=5, format="~s"), alt.Scale(zero=True)
    if even:
        least, most = (math.log10(pick(one["y"] for one in data)) for pick in (min, max))
        decades = [10.0**power for power in range(math.floor(least), math.ceil(most) + 1)]
        y_axis = alt.Axis(values=decades, format=",~g")
        y_scale = alt.Scale(type="log", domain=[decades[0], decades[-1]])
    y = alt.Y("y:Q", title=title, scale=y_scale, axis=y_axis)
    colour: Any = alt.value(_GREEN)
    if len(columns) > 1:
        colour = alt.Color(
            "what:N", title=None,
            scale=alt.Scale(domain=list(columns.values()), range=[_BLUE, _ORANGE]),
        )  # fmt: skip
    chart = (
        alt.Chart(alt.Data(values=data))
        .mark_line(point=alt.OverlayMarkDef(size=45, filled=True), strokeWidth=2)
        .encode(x=x, y=y, color=colour)
        .properties(width=400, height=220)
        .configure(font=_FONT, background="white")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_INK, titleColor=_MUTED, titleFontWeight="normal", gridColor=_GRID,
            labelFontSize=12, titleFontSize=12,
        )
        .configure_legend(labelColor=_INK, orient="top", labelFontSize=12)
    )  # fmt: skip
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg.replace("<svg ", f'<svg role="img" aria-label="{html.escape(title)}" ', 1)


def _table(rows: list[Row], axis: str) -> str:
    columns = {
        "orders_per_s_named": "orders/s, node named",
        "orders_per_s_any": "orders/s, any node",
        "cpu_us_per_order_named": "CPU us per order, node named",
        "checks_per_s": "checks per CPU second",
        "memory_mb": "memory of stock, MB",
        "recovery_s": "recovery, s",
    }
    shown = {name: text for name, text in columns.items() if rows[0].get(name) is not None}
    heads = "".join(f"<th>{text}</th>" for text in [axis, *shown.values()])
    lines = []
    for row in rows:
        cells = [f"{row['value']:,.10g}", *(_number(row[name]) for name in shown)]
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"
