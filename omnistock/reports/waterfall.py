"""The waterfall of one SKU for one channel: from what lies on the shelf to what may be promised."""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc

from omnistock.planning import Plan
from omnistock.reports.numbers import units

__all__ = ["waterfall_of_engine", "waterfall_of_plan", "waterfalls"]

Steps = list[tuple[str, float]]


def _sum_where(table: Any, column: str, sku: str, nodes: tuple[str, ...]) -> float:
    chosen = pc.equal(table["sku"], sku)
    if nodes:
        chosen = pc.and_(chosen, pc.is_in(table["node"], value_set=_strings(nodes)))
    return pc.sum(table.filter(chosen)[column]).as_py() or 0


def _strings(names: tuple[str, ...]) -> Any:
    import pyarrow as pa

    return pa.array(list(names), pa.string())


def waterfall_of_plan(plan: Plan, sku: str, channel: str) -> Steps:
    """Return the steps as the plan sees them: ``(label, units)``, reductions negative.

    The last step is what the channel may be promised. The engine draws the same
    picture from live stock; the plan's is that of its morning.
    """
    nodes = plan.network.channels[channel].nodes
    on_hand = _sum_where(plan.buffers, "on_hand", sku, nodes)
    committed = _sum_where(plan.buffers, "committed", sku, nodes)
    held = plan.channel_buffers.filter(
        pc.and_(
            pc.equal(plan.channel_buffers["sku"], sku),
            pc.equal(plan.channel_buffers["channel"], channel),
        )
    )
    buffer = pc.sum(held["buffer"]).as_py() or 0
    granted = plan.allocation.filter(pc.equal(plan.allocation["sku"], sku)).to_pylist()
    protected = sum(row["protection"] or 0 for row in granted if row["channel"] != channel)
    quotas = [row["quota"] for row in granted if row["channel"] == channel]

    place = "at the nodes that serve it" if nodes else "at all nodes"
    steps: Steps = [(f"on hand {place}", on_hand)]
    left = on_hand
    for label, quantity in (
        ("open orders", committed),
        ("oversell buffer", buffer),
        ("kept for other channels", protected),
    ):
        taken = min(left, quantity)
        steps.append((label, -taken))
        left -= taken
    if quotas and quotas[0] is not None:
        taken = max(left - quotas[0], 0)
        steps.append(("above its quota", -taken))
        left -= taken
    steps.append(("available", left))
    return steps


def waterfall_of_engine(plan: Plan, engine: Any, sku: str, channel: str) -> tuple[Steps, str]:
    """Return the engine's own steps in selling units, and its word for what binds."""
    # The engine's clock never runs back: it answers for its last command, or the plan's morning.
    explanation = engine.explain(sku, channel=channel, now=plan.as_of)
    scale = plan.network.skus[sku].unit_scale
    steps = [(label, quantity / scale) for label, quantity in explanation.steps]
    steps.append(("available", explanation.available / scale))
    return steps, f"{_promise(steps, channel)} What binds: {explanation.binding}."


def _promise(steps: Steps, channel: str) -> str:
    return f"{units(steps[-1][1])} may be promised to {channel}."


def _drawn(steps: Steps) -> list[dict[str, Any]]:
    """Turn steps into bars that start where the one before ended."""
    rows: list[dict[str, Any]] = []
    level = 0.0
    for index, (label, quantity) in enumerate(steps):
        if index == len(steps) - 1:
            rows.append(_bar(label, 0, quantity, "available"))
        elif quantity >= 0:
            rows.append(_bar(label, level, level + quantity, "stock"))
            level += quantity
        else:
            rows.append(_bar(label, level, level + quantity, "held back"))
            level += quantity
    return rows


def _bar(label: str, start: float, end: float, kind: str) -> dict[str, Any]:
    change = end - start
    text = units(change) if change >= 0 else f"−{units(-change)}"
    return {"name": label, "start": start, "end": end, "kind": kind, "text": text}


def waterfalls(
    plan: Plan, skus: list[str], channels: list[str], engine: Any = None
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return ``{sku: {channel: {rows, text}}}`` for the page to draw."""
    drawn: dict[str, dict[str, dict[str, Any]]] = {}
    for sku in skus:
        drawn[sku] = {}
        for channel in channels:
            if engine is None:
                steps = waterfall_of_plan(plan, sku, channel)
                text = _promise(steps, channel)
            else:
                steps, text = waterfall_of_engine(plan, engine, sku, channel)
            drawn[sku][channel] = {"rows": _drawn(steps), "text": text}
    return drawn
