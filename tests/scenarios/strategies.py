"""From a scenario's words for choosing nodes to the strategy that the engine is given."""

from __future__ import annotations

import re
from typing import Any

from omnistock.sourcing import Condition, CostTerm, Criterion, Strategy

from .amounts import Unsupported, as_list, exact
from .stage import Stage

__all__ = ["distances", "node_rows", "place", "strategy_of"]

_KM_PER_MILE = 1.609344
_LENGTHS = {"km": 1.0, "distance": 1.0, "miles": _KM_PER_MILE}
_WORDS = {
    "fewest_shipments": "packages",
    "fewest_packages": "packages",
    "min_shipments": "packages",
    "shipments": "packages",
    "packages": "packages",
    "priority": "priority",
    "node_priority": "priority",
    "closest": "distance",
    "nearest": "distance",
    "distance": "distance",
    "requested": "requested",
    "requested_node": "requested",
    "most_stock": "most_stock",
    "highest_stock": "most_stock",
    "highest_available": "most_stock",
    "most_stock_above_safety_stock": "most_stock",
    "cheapest": "cost",
    "cost": "cost",
    "min_cost": "cost",
    "least_loaded": "load",
    "most_capacity_left": "load",
}
_COSTS = {"order_cost": "package", "ship_cost": "package", "unit_cost": "unit"}
_CAPACITY = {
    "partial": "partial",
    "whole_line_or_nothing": "whole_line",
    "whole_line": "whole_line",
}


def node_rows(stage: Stage) -> dict[str, dict[str, Any]]:
    """Rows of the given nodes by name."""
    return {str(row["id"]): row for row in stage.given.get("nodes", []) if isinstance(row, dict)}


def distances(stage: Stage) -> dict[str, float]:
    """Kilometres to the nodes whose rows say how far they are."""
    found = {}
    for name, row in node_rows(stage).items():
        for field, factor in _LENGTHS.items():
            if row.get(field) is not None:
                found[name] = float(exact(row[field])) * factor
    return found


def place(step: dict[str, Any]) -> dict[str, float]:
    """Where an order goes to, as the engine is told."""
    where = step.get("to", step.get("customer", step))
    if not isinstance(where, dict) or where.get("lat") is None:
        return {}
    return {"latitude": float(where["lat"]), "longitude": float(where["lon"])}


def strategy_of(stage: Stage, step: dict[str, Any]) -> Strategy:
    """Return the strategy that a scenario's rules and one of its steps name."""
    rules = {**stage.rules, **{k: step[k] for k in ("routing", "strategy", "sort") if k in step}}
    criteria = [one for word in _words(rules) for one in _criterion(stage, rules, word)]
    if step.get("pickup_node") is not None or (
        step.get("requested_node") is not None and not _has(criteria, "requested")
    ):
        # Whoever names a node wants that one first, whatever the strategy.
        criteria.insert(0, Criterion("requested"))
    policy = str(step.get("capacity_policy", rules.get("capacity_policy", "partial")))
    if policy not in _CAPACITY:
        raise Unsupported(f"not supported yet: source with capacity_policy {policy!r}")
    split = step.get("max_split", rules.get("max_split"))
    partial = step.get("partial", rules.get("partial_allowed"))
    complete = step.get("ship_complete", rules.get("ship_complete", split is not None))
    if partial is not None:
        complete = not partial
    single = step.get("single_node_per_line", rules.get("single_node_per_line"))
    bands = _bands(stage, rules)
    far = rules.get("max_distance", rules.get("max_km"))
    backorder_node = rules.get("backorder_node")
    return Strategy(
        tuple(criteria),
        costs=_costs(stage) if _has(criteria, "cost") else (),
        max_packages=None if split is None else int(split) + 1,
        ship_complete=bool(complete),
        single_node_per_line=bool(single),
        within_km=bands[-1] if bands else None if far is None else _length(stage, far),
        nodes=_node_conditions(rules),
        backorder_node=None if backorder_node is None else str(backorder_node),
        capacity=_CAPACITY[policy],
    )


def _has(criteria: list[Criterion], by: str) -> bool:
    return any(one.by == by for one in criteria)


def _words(rules: dict[str, Any]) -> list[str]:
    """The words for criteria, first that which decides first."""
    if rules.get("distance_bands") is not None:
        return ["bands"]
    named = rules.get("routing", rules.get("sort", rules.get("strategy")))
    if named is None:
        objective = str(rules.get("objective", "fewest shipments"))
        named = "cost" if objective.startswith("min total cost") else objective
    parts = as_list(named)
    if isinstance(named, str):
        parts = re.split(r",|\bthen\b", named)
    return [re.sub(r"[\s-]+", "_", str(one).strip()) for one in parts if str(one).strip()]


def _criterion(stage: Stage, rules: dict[str, Any], word: str) -> list[Criterion]:
    if word == "bands":
        return [Criterion("distance", bands=tuple(_bands(stage, rules)))]
    if word.startswith("same_"):
        return [Criterion("same", attribute=word.removeprefix("same_"))]
    first = re.fullmatch(r"(\w+?)_first", word)
    rows = node_rows(stage).values()
    if first and first[1] not in _WORDS:
        return [Criterion("attribute", attribute=first[1], first=("true",))]
    by = _WORDS.get(first[1] if first else word)
    order = tuple(str(one) for one in rules.get("node_order", ()))
    if by == "priority":
        return [Criterion("priority", first=order)]
    if by == "most_stock":
        hard = "hard" in str(rules.get("rank_by", "")) or "commit" in str(rules.get("rank_by", ""))
        most = Criterion("most_stock", stock="uncommitted" if hard else "available")
        return [most, *([Criterion("priority", first=order)] if order else [])]
    if by is not None:
        return [Criterion(by)]
    if any(word in row for row in rows):
        return [Criterion("attribute", attribute=word)]
    raise Unsupported(f"not supported yet: sourcing by {word!r}")


def _bands(stage: Stage, rules: dict[str, Any]) -> list[float]:
    return [_length(stage, one) for one in rules.get("distance_bands") or []]


def _length(stage: Stage, value: Any) -> float:
    miles = any("miles" in row for row in node_rows(stage).values())
    return float(exact(value)) * (_KM_PER_MILE if miles else 1.0)


def _node_conditions(rules: dict[str, Any]) -> tuple[Condition, ...]:
    kinds = rules.get("node_types", rules.get("node_kinds"))
    return () if kinds is None else (Condition("kind", "in", tuple(map(str, as_list(kinds)))),)


def _costs(stage: Stage) -> tuple[CostTerm, ...]:
    """One term for each kind of cost that the rows of the nodes give."""
    terms = []
    for name, per in _COSTS.items():
        cents = {
            node: _cents(row, name)
            for node, row in node_rows(stage).items()
            if row.get(name) is not None
        }
        if cents and per == "unit" and any(scale != 1 for scale in stage.names.scales.values()):
            raise Unsupported("a cost per unit of what is sold by weight")
        if cents:
            terms.append(CostTerm(name, **{f"{per}_cents": cents}))
    return tuple(terms) or (CostTerm("nothing"),)


def _cents(row: dict[str, Any], name: str) -> int:
    cents = exact(row[name]) * 100
    if cents.denominator != 1:
        raise Unsupported(f"{name} is not whole cents")
    return cents.numerator
