"""One self-contained page for planners: ``write_report``."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from omnistock import __version__
from omnistock.frames import write_whole
from omnistock.planning import Plan
from omnistock.reports import sections
from omnistock.reports.charts import bundle, specifications
from omnistock.reports.numbers import share, units
from omnistock.reports.replay import replay_section
from omnistock.reports.views import (
    chosen_skus,
    kpi_rows,
    largest_shortages,
    sku_label,
    sku_series,
    total_series,
)
from omnistock.reports.waterfall import waterfalls

__all__ = ["report_html", "write_report"]

# The page may run its own scripts and nothing else: a browser would refuse any request.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{css}</style>
</head>
<body>
<header class="top">{header}<nav aria-label="Contents">{nav}</nav></header>
<main>{main}</main>
<footer>{footer}</footer>
<noscript><p>The charts of this page need JavaScript; the tables do not.</p></noscript>
<script type="application/json" id="report-data">{data}</script>
<script>{bundle}</script>
<script>{js}</script>
</body>
</html>
"""


def write_report(path: str | Path, plan: Plan, *, replay: Any = None, engine: Any = None) -> Path:
    """Write the plan as one HTML file that needs no network.

    Parameters
    ----------
    path : str or Path
        Where the page goes; a file there is replaced, at once and whole.
    plan : Plan
        The nightly plan.
    replay : dataclass or mapping, optional
        Figures of a replay: numbers by name, or counts by name within a name.
    engine : Engine, optional
        If given, the availability waterfalls are the engine's own answers.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    InputError
        If the folder of ``path`` does not exist.
    """
    target = Path(path)
    text = report_html(plan, replay=replay, engine=engine)
    write_whole(target, lambda made: _write_text(made, text))
    return target


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def report_html(plan: Plan, *, replay: Any = None, engine: Any = None) -> str:
    """Return the page as text; see :func:`write_report`."""
    parts = [
        ("demand", "Demand", sections.demand_section(plan)),
        ("service", "Service and stock", sections.service_section(plan)),
        ("scarce", "Shortages", sections.allocation_section(plan)),
        ("replenishment", "Orders and transfers", sections.replenishment_section(plan)),
        ("available", "Availability", sections.availability_section(engine is not None)),
    ]
    if replay is not None:
        parts.append(("replay", "Replay", replay_section(replay)))
    folder = resources.files("omnistock.reports")
    return _PAGE.format(
        policy=_POLICY,
        title=f"Inventory plan {plan.as_of.isoformat()}",
        css=(folder / "page.css").read_text("utf-8"),
        header=sections.header(plan),
        nav="".join(f'<a href="#{anchor}">{name}</a>' for anchor, name, _ in parts),
        main="".join(html for _, _, html in parts),
        footer=sections.footer(plan, __version__),
        data=_safe_json(_data(plan, engine)),
        bundle=bundle(),
        js=(folder / "page.js").read_text("utf-8"),
    )


def _safe_json(data: Any) -> str:
    """Write JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _data(plan: Plan, engine: Any) -> dict[str, Any]:
    """Collect what the page's charts draw."""
    skus = chosen_skus(plan)
    channels = sorted(plan.network.channels)
    scarce = largest_shortages(plan)
    short = {one["sku"] for one in scarce}
    return {
        "charts": specifications(channels),
        "channels": channels,
        "total": total_series(plan),
        "skus": sku_series(plan, skus),
        "rows": {
            "service": _service_rows(plan, "node"),
            "reach": _service_rows(plan, "channel"),
            "cover": [
                {"name": row["name"], "days": row["days_of_cover"]}
                for row in kpi_rows(plan, "node")
                if row["days_of_cover"] is not None
            ],
            "granted": _granted_rows(scarce),
            "shortage": _shortage_rows(plan, scarce[:12]),
        },
        # Scarce SKUs first: theirs are the waterfalls with something in between.
        "waterfalls": waterfalls(
            plan, sorted(skus, key=lambda sku: sku not in short), channels, engine
        ),
    }


def _service_rows(plan: Plan, scope: str) -> list[dict[str, Any]]:
    """Fill rates of nodes or channels, the lowest first."""
    listed = [row for row in kpi_rows(plan, scope) if row["fill_rate"] is not None]
    return [
        {"name": row["name"], "fill_rate": round(row["fill_rate"], 4)}
        for row in sorted(listed, key=lambda row: row["fill_rate"])
    ]


def _granted_rows(scarce: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sum requested and granted by channel, the first tier first."""
    sums: dict[tuple[int, str], list[float]] = {}
    for one in scarce:
        for row in one["rows"]:
            pair = sums.setdefault((row["tier"], row["channel"]), [0, 0])
            pair[0] += row["requested"]
            pair[1] += row["granted"]
    return [
        {
            "name": channel,
            "requested": requested,
            "granted": granted,
            "text": f"{share(granted / requested, 0)} of {units(requested)}",
        }
        for (_, channel), (requested, granted) in sorted(sums.items())
        if requested
    ]


def _shortage_rows(plan: Plan, scarce: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for one in scarce:
        label = sku_label(plan, one["sku"])
        parts = [(row["channel"], row["granted"]) for row in one["rows"]]
        for rank, (channel, quantity) in enumerate([*parts, ("not met", one["short"])]):
            if quantity:
                rows.append({"name": label, "channel": channel, "units": quantity, "rank": rank})
    return rows
