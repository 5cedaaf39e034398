"""Steps about which node sends what.

Strategies are costs for the exact cart: a fixed order of nodes is a cost per unit, a
distance or market a cost per package.
"""

from __future__ import annotations

from typing import Any

from omnistock.sourcing import source_cart

from .amounts import Unsupported, exact, selling_units
from .readers import read_state
from .stage import Answer, Stage, operation

__all__: list[str] = []

# More than any distance in km or miles.
_ELSEWHERE = 10**6
_SOURCE_FIELDS = {
    *("channel", "nodes", "lines", "sku", "qty", "delivery", "pickup_node", "market", "date"),
    *("single_node_per_line", "requested_node", "commit", "ref", "max_split", "partial", "ship"),
    *("ship_complete", "capacity_policy"),
}
_NOT_YET = {
    "rank_nodes": {"lines", "channel"},
    "pickup_nodes": {"lines", "channel"},
    "pickup_promise": {"node", "sku", "qty", "date", "lines"},
    "reject": {"ref", "node", "sku", "qty"},
}


def _play_not_yet(stage: Stage, step: dict[str, Any]) -> Answer:
    raise Unsupported(f"not supported yet: {step['op']}")


for _name, _fields in _NOT_YET.items():
    operation(_name, _fields)(_play_not_yet)


def _rows(stage: Stage) -> dict[str, dict[str, Any]]:
    return {str(row["id"]): row for row in stage.given.get("nodes", []) if isinstance(row, dict)}


def _sending(stage: Stage, step: dict[str, Any]) -> list[str]:
    """Return the nodes that may send, best first by priority."""
    channel = stage.network.channels.get(str(step.get("channel")))
    serving = channel.nodes if channel is not None and channel.nodes else stage.names.nodes
    named = [str(one) for one in step.get("nodes", serving)]
    nodes = [stage.network.nodes[name] for name in stage.names.nodes if name in named]
    return [one.node for one in sorted(nodes, key=lambda one: one.priority) if one.active]


def _distance(row: dict[str, Any]) -> int:
    for name in ("km", "miles", "distance"):
        if row.get(name) is not None:
            return round(exact(row[name]))
    raise Unsupported(f"node {row.get('id')!r} has no distance")


def _cents(row: dict[str, Any], name: str) -> int:
    cents = exact(row.get(name, 0)) * 100
    if cents.denominator != 1:
        raise Unsupported(f"{name} is not whole cents")
    return cents.numerator


def _wanted(stage: Stage, step: dict[str, Any]) -> dict[str, int]:
    """Return smallest units by SKU, equal lines summed up; kits whole only if they ship so."""
    wanted: dict[str, int] = {}
    for row in step.get("lines") or [step]:
        sku = stage.sku(row)
        units = stage.network.skus[sku].smallest_units(stage.amount(row))
        whole = stage.together(step)
        parts = {sku: units} if whole else stage.network.explode(sku, units)
        for part, needed in parts.items():
            wanted[part] = wanted.get(part, 0) + needed
    return wanted


def _by_rank(order: list[str], nodes: list[str]) -> dict[str, Any]:
    rank = {name: place for place, name in enumerate(order)}
    unit_cost = [[rank.get(name, len(order))] for name in nodes]
    return {"unit_cost": unit_cost, "objective": "cost"}


def _most_first(stage: Stage, nodes: list[str], skus: list[str], figure: str) -> list[str]:
    """Order nodes by what they have of the cart, most first; equal ones stay as they are."""

    def units(node: str) -> Any:
        total = 0
        for sku in skus:
            if figure == "available":
                total += exact(read_state(stage, {"node": node, "sku": sku}, "available", 0))
            else:
                rows = stage.engine.stock().to_pylist()
                here = [one for one in rows if one["node"] == node and one["sku"] == sku]
                total += sum(one["on_hand"] - one["committed"] for one in here)
        return -total

    return sorted(nodes, key=units)


def _costs(stage: Stage, step: dict[str, Any], nodes: list[str], skus: list[str]) -> dict[str, Any]:
    """Return the strategy of a scenario as costs and an objective."""
    rules, rows = stage.rules, _rows(stage)
    if step.get("pickup_node") is not None:
        pickup = str(step["pickup_node"])
        return _by_rank([pickup, *(one for one in nodes if one != pickup)], nodes)
    if rules.get("distance_bands") is not None:
        bands = [exact(one) for one in rules["distance_bands"]]
        band = [sum(_distance(rows[name]) > end for end in bands) for name in nodes]
        return {"unit_cost": [[one] for one in band], "objective": "cost", "usable": len(bands)}
    if rules.get("routing") is not None:
        return _routing(step, [rows[name] for name in nodes], rules["routing"])
    sort, strategy = str(rules.get("sort", "")), rules.get("strategy")
    if sort.startswith("requested node, then most stock"):
        order = _most_first(stage, nodes, skus, "available")
        return _by_rank(sorted(order, key=lambda one: one != step.get("requested_node")), nodes)
    if strategy == "priority":
        return _by_rank([str(one) for one in rules.get("node_order", nodes)], nodes)
    if strategy == "distance":
        return {"unit_cost": [[_distance(rows[n])] for n in nodes], "objective": "cost"}
    if strategy == "highest_available":
        order = [str(one) for one in rules.get("node_order", nodes)]
        figure = "committed" if "hard" in str(rules.get("rank_by", "")) else "available"
        return _by_rank(_most_first(stage, order, skus, figure), nodes)
    objective = str(rules.get("objective", "fewest shipments"))
    if objective.startswith("min total cost"):
        return {
            "package_cost": [
                _cents(rows[name], "order_cost") + _cents(rows[name], "ship_cost") for name in nodes
            ],
            "unit_cost": [[_cents(rows[name], "unit_cost")] for name in nodes],
            "objective": "cost",
        }
    if strategy is None and not sort and objective.startswith("fewest"):
        return {}
    raise Unsupported(f"not supported yet: sourcing by {strategy or sort or objective!r}")


def _routing(
    step: dict[str, Any], rows: list[dict[str, Any]], routing: list[str]
) -> dict[str, Any]:
    """Fewest packages, then the market, then the way, in the order in which rules name them."""
    if routing[:1] != ["fewest_shipments"] or routing[1:] not in (
        [],
        ["closest"],
        ["same_market"],
        ["same_market", "closest"],
    ):
        raise Unsupported(f"not supported yet: routing {routing}")
    costs = [0] * len(rows)
    for place, row in enumerate(rows):
        if "same_market" in routing and row.get("market") != step.get("market"):
            costs[place] += _ELSEWHERE
        if "closest" in routing:
            costs[place] += _distance(row)
    return {"package_cost": costs}


@operation("source", _SOURCE_FIELDS)
def source(stage: Stage, step: dict[str, Any]) -> Answer:
    for name in ("capacity_policy",):
        if step.get(name) is not None:
            raise Unsupported(f"not supported yet: source with {name}")
    if stage.rules.get("backorder_node") is not None:
        raise Unsupported("not supported yet: a node that takes backorders")
    nodes, wanted = _sending(stage, step), _wanted(stage, step)
    skus = list(wanted)
    asked = {k: step[k] for k in ("channel", "date", "ship") if step.get(k) is not None}
    stock = [[_free(stage, asked, sku, node) for sku in skus] for node in nodes]
    keywords = _costs(stage, step, nodes, skus)
    usable = keywords.pop("usable", None)
    if usable is not None:
        far = [cost[0] >= usable for cost in keywords["unit_cost"]]
        stock = [[0] * len(skus) if out else row for out, row in zip(far, stock, strict=True)]
    if step.get("max_split") is not None:
        keywords["max_packages"] = int(step["max_split"]) + 1
    complete = step.get("max_split") is not None and not step.get("partial")
    plan = source_cart(
        list(wanted.values()),
        stock,
        ship_complete=bool(step.get("ship_complete", complete)),
        single_node_per_line=bool(step.get("single_node_per_line")),
        **keywords,
    )
    lines = [
        {"node": nodes[n], "sku": sku, "qty": stage.said(sku, int(plan.quantity[n, place]))}
        for n in plan.nodes
        for place, sku in enumerate(skus)
        if plan.quantity[n, place]
    ]
    if step.get("commit"):
        _commit(stage, step, lines)
    unfilled = [
        {"sku": sku, "qty": stage.said(sku, int(units))}
        for sku, units in zip(skus, plan.unfilled, strict=True)
        if units
    ]
    total = sum(one["qty"] for one in lines)
    fields = {
        "lines": lines,
        "fillable": not unfilled,
        "unfilled": unfilled,
        "shipments": plan.packages,
        "total": total,
        "filled": total,
        "backordered": [],
        "purchase_blocked": _purchase_blocked,
        "total_cost": selling_units(plan.cost, 100),
        "second_best_cost": lambda: _second_best(plan),
    }
    return Answer(fields=fields)


def _purchase_blocked() -> None:
    raise Unsupported("not supported yet: purchase_blocked")


def _second_best(plan: Any) -> Any:
    other = plan.runner_up()
    return None if other is None else selling_units(other.cost, 100)


def _free(stage: Stage, asked: dict[str, Any], sku: str, node: str) -> int:
    keywords = stage.asker(asked)
    if asked.get("ship") == "together":
        keywords["together"] = True
    return int(stage.engine.available(sku, **{**keywords, "node": node}))


def _commit(stage: Stage, step: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    """Reserve what was planned, each line at its node."""
    reference = str(step.get("ref") or stage.fresh("order"))
    hold = stage.engine.reserve(
        reference, stage.lines({"lines": lines}), **stage.asker({"channel": step.get("channel")})
    )
    stage.keep(reference, hold)
