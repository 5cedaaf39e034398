"""Steps about when an order leaves, arrives or can be collected."""

from __future__ import annotations

from typing import Any

import omnistock as om

from .amounts import Unsupported, as_list, exact
from .naming import schedule_of
from .stage import ASKER_FIELDS, Answer, Stage, operation

__all__ = ["promise_delivery"]

_WAYS = {"ship": "ship", "delivery": "ship", "pickup": "pickup", "collect": "pickup"}


def _transit(stage: Stage) -> Any:
    """Days on the way: one number, or one by node; with the days of delivery if given."""
    days = stage.rules.get("transit_days", 0)
    closed = tuple(str(one) for one in as_list(stage.rules.get("no_delivery_on")))
    names = {"open": stage.rules["delivery_days"]} if "delivery_days" in stage.rules else {}
    schedule = schedule_of(names)
    weekdays = tuple(range(7)) if schedule is None else schedule.open_days
    if isinstance(days, dict):
        return {node: om.Transit(int(n), weekdays, closed) for node, n in days.items()}
    return om.Transit(int(exact(days)), weekdays, closed)


def promise_delivery(stage: Stage, step: dict[str, Any]) -> Answer:
    """Say when an order is shipped and delivered, or can be collected."""
    way = _WAYS.get(str(step["delivery"]))
    lines = stage.lines(step)
    if way == "ship":
        asker = {k: v for k, v in stage.asker(step).items() if k != "by"}
        found = stage.engine.promise_delivery(lines, transit=_transit(stage), **asker)
        if found is None:
            return Answer(ok=False, fields={"ship": None, "deliver": None})
        fields = {"ship": found.ship[:16], "deliver": found.deliver, "node": found.node}
        return Answer(fields={**fields, "date": found.deliver})
    if way == "pickup" and len(lines) == 1:
        return pickup_promise(stage, {**step, **(step.get("lines") or [{}])[0]})
    raise Unsupported(f"not supported yet: promise with delivery {step['delivery']!r}")


@operation("pickup_nodes", {*(ASKER_FIELDS - {"exclude_refs"}), "lines", "sku", "qty", "uom"})
def pickup_nodes(stage: Stage, step: dict[str, Any]) -> Answer:
    found = stage.engine.pickup_nodes(stage.lines(step), **stage.asker(step))
    return Answer(fields={"nodes": found})


@operation("pickup_promise", {"node", "sku", "qty", "uom", "date", "lines", "channel"})
def pickup_promise(stage: Stage, step: dict[str, Any]) -> Answer:
    row = {**step, **(step.get("lines") or [{}])[0]}
    node = str(step.get("pickup_node") or stage.node(step))
    sku = stage.sku(row)
    transfers = {}
    for way, days in stage.rules.get("transfer_days", {}).items():
        source, _, target = str(way).partition("->")
        if target.strip() == node:
            transfers[source.strip()] = int(days)
    channel = {} if step.get("channel") is None else {"channel": str(step["channel"])}
    found = stage.engine.pickup_promise(
        sku, stage.amount(row), node=node, transfer_days=transfers, **channel
    )
    if found is None:
        return Answer(ok=False, fields={"date": None, "pickup_day": None})
    lines = [
        {
            "from": "in_transit" if one.source == "inbound" else one.source,
            "qty": stage.said(sku, one.quantity),
        }
        for one in found.parts
    ]
    return Answer(fields={"date": found.date, "pickup_day": found.date, "lines": lines})
