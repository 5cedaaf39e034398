"""Steps about which node sends what."""

from __future__ import annotations

from typing import Any

from omnistock.errors import OutOfStock

from .amounts import Unsupported, selling_units
from .stage import Answer, Stage, operation
from .strategies import distances, place, strategy_of

__all__: list[str] = []

_WHERE = {"to", "customer", "lat", "lon", "market"}
_SOURCE_FIELDS = {
    *("channel", "nodes", "lines", "sku", "qty", "delivery", "pickup_node", "date", "due", "by"),
    *("single_node_per_line", "requested_node", "commit", "ref", "max_split", "partial", "ship"),
    *("ship_complete", "capacity_policy", "segment", "attrs", "attributes", "exclude_nodes"),
    *("routing", "strategy", "sort", "ttl_s", "facts"),
    *_WHERE,
}
# Reasons of a rejection after which the units are still where they were.
_STILL_THERE = {"busy", "closed", "capacity", "no_capacity", "declined", "no_staff", "timeout"}


def _keywords(stage: Stage, step: dict[str, Any]) -> dict[str, Any]:
    """What an order says of itself, in the engine's keywords."""
    facts = {name: str(step[name]) for name in ("market", "delivery") if step.get(name) is not None}
    requested = step.get("pickup_node", step.get("requested_node"))
    keywords: dict[str, Any] = {
        **stage.asker({k: v for k, v in step.items() if k not in ("node", "due_time")}),
        **place(step),
        "facts": {**facts, **step.get("facts", {})},
        "distances": distances(stage),
        "exclude": [str(one) for one in step.get("exclude_nodes", [])],
    }
    if requested is not None:
        keywords["requested_node"] = str(requested)
    return keywords


def _said(stage: Stage, lines: Any) -> list[dict[str, Any]]:
    return [
        {"node": one.node, "sku": one.sku, "qty": stage.said(one.sku, one.quantity)}
        for one in lines
    ]


@operation("source", _SOURCE_FIELDS)
def source(stage: Stage, step: dict[str, Any]) -> Answer:
    lines = stage.lines(step)
    keywords = _keywords(stage, step)
    if stage.together(step):
        keywords["together"] = True
    if step.get("commit"):
        keywords["order"] = str(step.get("ref") or stage.fresh("order"))
        keywords["ttl_s"] = None if step.get("ttl_s") is None else int(step["ttl_s"])
    try:
        found = stage.engine.source(lines, strategy_of(stage, step), **keywords)
    except OutOfStock:
        # Nothing to reserve: the plan alone says why.
        keywords = {k: v for k, v in keywords.items() if k not in ("order", "ttl_s")}
        found = stage.engine.source(lines, strategy_of(stage, step), **keywords)
    if found.hold is not None:
        stage.keep(keywords["order"], found.hold)
    choice = found.choice
    sent = _said(stage, choice.lines)
    total = sum(one["qty"] for one in sent)

    def purchase_blocked() -> bool:
        if "new_purchase_blocked_while" not in stage.rules:
            raise Unsupported("no rule says when a purchase is blocked")
        return all(stage.engine.purchase_blocked(sku) for sku in choice.skus)

    fields = {
        "lines": sent,
        "fillable": choice.complete,
        "unfilled": [
            {"sku": sku, "qty": stage.said(sku, units)} for sku, units in choice.unfilled.items()
        ],
        "shipments": choice.packages,
        "total": total,
        "filled": total,
        "backordered": _said(stage, choice.backordered),
        "purchase_blocked": purchase_blocked,
        "total_cost": selling_units(choice.cost_cents, 100),
        "second_best_cost": lambda: _second_best(choice),
        "reason": choice.reason,
    }
    return Answer(fields=fields)


def _second_best(choice: Any) -> Any:
    costs = choice.runner_up_costs()
    return None if costs is None else selling_units(sum(costs.values()), 100)


@operation("rank_nodes", _SOURCE_FIELDS)
def rank_nodes(stage: Stage, step: dict[str, Any]) -> Answer:
    lines = stage.lines(step) if step.get("lines") or step.get("qty") is not None else []
    ranked = stage.engine.rank_nodes(strategy_of(stage, step), lines, **_keywords(stage, step))
    return Answer(fields={"order": ranked, "nodes": ranked})


@operation("reject", {"ref", "node", "sku", "qty", "uom", "exclude_nodes", *_WHERE})
def reject(stage: Stage, step: dict[str, Any]) -> Answer:
    sku = stage.sku(step)
    (hold,) = stage.holds(step)
    found = stage.engine.reject(
        hold,
        sku,
        stage.amount(step),
        node=stage.node(step),
        rules=strategy_of(stage, {}),
        missing=str(step.get("reason", "not_found")) not in _STILL_THERE,
        distances=distances(stage),
        exclude=[str(one) for one in step.get("exclude_nodes", [])],
        **place(step),
    )
    if found.later is not None:
        stage.keep(str(step["ref"]), found.later)
    by_node: dict[tuple[str, str], int] = {}
    for hold in stage.engine.holds(order=found.hold.order):
        for line in hold.lines:
            if line.quantity:
                key = (line.node, line.sku)
                by_node[key] = by_node.get(key, 0) + line.quantity
    fields = {
        "lines": [
            {"node": node, "sku": name, "qty": stage.said(name, units)}
            for (node, name), units in by_node.items()
        ],
        "moved": _said(stage, found.moved),
        "fillable": not found.short,
        "unfilled": [{"sku": sku, "qty": stage.said(sku, found.short)}] if found.short else [],
        "date": found.later_date,
    }
    return Answer(ok=not found.short, fields=fields)
