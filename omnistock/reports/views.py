"""What a report shows, taken from the plan's tables: plain lists and dicts, ready for JSON."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from omnistock.planning import Plan

__all__ = [
    "chosen_skus",
    "kpi_rows",
    "largest_shortages",
    "replenishment_rows",
    "sku_label",
    "sku_series",
    "total_series",
]

HISTORY_DAYS = 126
BOUNDS = ("mean", "lower_95", "lower_80", "upper_80", "upper_95")


def sku_label(plan: Plan, sku: str) -> str:
    """Return the SKU with its name, if it has one."""
    known = plan.network.skus.get(sku)
    return f"{sku} · {known.name}" if known and known.name and known.name != sku else sku


def kpi_rows(plan: Plan, scope: str) -> list[dict[str, Any]]:
    """Return the KPI rows of ``scope``: total, node or channel."""
    rows: list[dict[str, Any]] = plan.kpis.filter(pc.equal(plan.kpis["scope"], scope)).to_pylist()
    return rows


def _sorted_by(table: pa.Table, column: str, count: int) -> list[dict[str, Any]]:
    order = pc.sort_indices(table, sort_keys=[(column, "descending")])
    rows: list[dict[str, Any]] = table.take(order[:count]).to_pylist()
    return rows


def largest_shortages(plan: Plan) -> list[dict[str, Any]]:
    """Return scarce SKUs, the largest shortage by value first, with a row per channel.

    Each is ``{sku, supply, requested, granted, short, value, rows}``.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in plan.allocation.to_pylist():
        entry = found.setdefault(
            row["sku"],
            {"sku": row["sku"], "supply": row["supply"], "rows": [], "requested": 0, "granted": 0},
        )
        entry["rows"].append(row)
        entry["requested"] += row["requested"]
        entry["granted"] += row["granted"]
    for entry in found.values():
        known = plan.network.skus.get(entry["sku"])
        entry["short"] = entry["requested"] - entry["granted"]
        entry["value"] = entry["short"] * (known.unit_price if known else 0.0)
        entry["rows"].sort(key=lambda row: (row["tier"], row["channel"]))
    return sorted(found.values(), key=lambda one: (-one["value"], -one["short"], one["sku"]))


def replenishment_rows(plan: Plan, kind: str, count: int = 15) -> list[dict[str, Any]]:
    """Return the first ``count`` orders or transfers; the plan has the most urgent first."""
    table = plan.replenishment
    rows: list[dict[str, Any]] = (
        table.filter(pc.equal(table["kind"], kind)).slice(0, count).to_pylist()
    )
    return rows


def chosen_skus(plan: Plan, count: int = 40) -> list[str]:
    """Choose the SKUs worth a look: best sellers, the scarcest, weighed goods, slow movers."""
    outlook = plan.outlook.filter(pc.equal(plan.outlook["level"], "sku"))
    demand = outlook.group_by("sku").aggregate([("mean", "sum")])
    ranked = [row["sku"] for row in _sorted_by(demand, "mean_sum", demand.num_rows)]
    value = {
        row["sku"]: row["mean_sum"] * plan.network.skus[row["sku"]].unit_price
        for row in demand.to_pylist()
    }
    sellers = sorted(ranked, key=lambda sku: -value[sku]) if any(value.values()) else ranked
    scarce = [entry["sku"] for entry in largest_shortages(plan)]
    weighed = [sku for sku in ranked if plan.network.skus[sku].unit_scale > 1]
    slow = ranked[len(ranked) // 2 :: max(1, len(ranked) // 8)]
    chosen: dict[str, None] = {}
    for group, share in ((sellers, 0.4), (scarce, 0.75), (weighed, 0.85), (slow, 1.0)):
        for sku in group:
            if len(chosen) >= share * count:
                break
            chosen.setdefault(sku)
    for sku in sellers[: max(0, count - len(chosen))]:
        chosen.setdefault(sku)
    return list(chosen)


def _daily(plan: Plan, dates: Any, values: Any) -> list[float]:
    """Sum values by day over the last ``HISTORY_DAYS`` days; a day without a row is zero."""
    start = np.datetime64(plan.as_of, "D") - HISTORY_DAYS
    index = (np.asarray(dates).astype("datetime64[D]") - start).astype(np.int64)
    inside = (index >= 0) & (index < HISTORY_DAYS)
    values = np.asarray(values, dtype=np.float64)
    daily = np.bincount(index[inside], weights=values[inside], minlength=HISTORY_DAYS)
    return [round(float(value), 3) for value in daily]


def _begins(plan: Plan, dates: Any) -> int:
    """Days of the shown history before the first row there is."""
    if len(dates) == 0:
        return HISTORY_DAYS - 1
    start = np.datetime64(plan.as_of, "D") - HISTORY_DAYS
    first = int((np.asarray(dates).astype("datetime64[D]").min() - start).astype(np.int64))
    return min(max(first, 0), HISTORY_DAYS - 1)


def _ahead(outlook: pa.Table) -> dict[str, Any]:
    ordered = outlook.sort_by("date")
    rounded = {
        name: [round(float(value), 3) for value in ordered[name].to_pylist()] for name in BOUNDS
    }
    return {"ahead_from": str(ordered["date"][0]) if ordered.num_rows else None, **rounded}


def total_series(plan: Plan) -> dict[str, Any]:
    """Return sold units by day over all SKUs and nodes, and the outlook."""
    dates = plan.history["date"].to_numpy()
    sold = _daily(plan, dates, plan.history["quantity"].to_numpy())
    skip = _begins(plan, dates)
    outlook = plan.outlook.filter(pc.equal(plan.outlook["level"], "total"))
    start = plan.as_of - dt.timedelta(days=HISTORY_DAYS - skip)
    return {
        "from": start.isoformat(),
        "sold": sold[skip:],
        **_ahead(outlook),
    }


def sku_series(plan: Plan, skus: list[str]) -> dict[str, dict[str, Any]]:
    """Return the same for each of ``skus``, with the censored share of each day."""
    wanted = pa.array(skus)
    history = plan.history.filter(pc.is_in(plan.history["sku"], wanted))
    outlook = plan.outlook.filter(
        pc.and_(pc.equal(plan.outlook["level"], "sku"), pc.is_in(plan.outlook["sku"], wanted))
    )
    series: dict[str, dict[str, Any]] = {}
    for sku in skus:
        own = history.filter(pc.equal(history["sku"], sku))
        dates = own["date"].to_numpy()
        skip = _begins(plan, dates)
        start = plan.as_of - dt.timedelta(days=HISTORY_DAYS - skip)
        series[sku] = {
            "label": sku_label(plan, sku),
            "from": start.isoformat(),
            "sold": _daily(plan, dates, own["quantity"].to_numpy())[skip:],
            "censored": _daily(plan, dates, own["censored_share"].to_numpy())[skip:],
            **_ahead(outlook.filter(pc.equal(outlook["sku"], sku))),
        }
    return series
