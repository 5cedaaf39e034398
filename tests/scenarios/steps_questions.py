"""Steps that ask: checks, rows, promises, pegs, levels."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import omnistock as om

from .amounts import Unsupported, exact, text_of
from .stage import ASKER_FIELDS, DUE_FIELDS, Answer, Stage, operation
from .steps_deliveries import promise_delivery
from .steps_orders import reserve_answer

__all__ = ["TERM_FIELDS"]

_METHODS = (
    "period_backward_accumulate",
    "period_backward",
    "period_net",
    "lookahead_min",
    "discrete",
    "cumulative",
)
_RULE_FIELDS = {"min_sale_qty", "max_sale_qty", "qty_increment", "integer_only"}


def _method(stage: Stage, step: dict[str, Any]) -> str:
    """Return the way of counting that a step or the rules name, perhaps in more words."""
    words = str(step.get("method", stage.rules.get("atp_method", "lookahead_min")))
    for method in _METHODS:
        if words.startswith(method):
            return method
    raise Unsupported(f"unknown atp_method {words!r}")


def _quantity_rule(row: dict[str, Any]) -> Any:
    unknown = sorted(set(row) - _RULE_FIELDS)
    if unknown:
        raise Unsupported(f"unknown rule of quantity {', '.join(unknown)}")
    keywords: dict[str, Any] = {"integer_only": bool(row.get("integer_only"))}
    for name, field in (
        ("minimum", "min_sale_qty"),
        ("maximum", "max_sale_qty"),
        ("increment", "qty_increment"),
    ):
        if row.get(field) is not None:
            keywords[name] = text_of(row[field])
    return om.QuantityRule(**keywords)


@operation(
    "check", {*ASKER_FIELDS, "sku", "qty", "uom", "rule", "ref", "method", "level", "lines", "kind"}
)
def check(stage: Stage, step: dict[str, Any]) -> Answer:
    if step.get("lines"):
        return reserve_answer(stage, step, dry_run=True)
    sku, quantity = stage.sku(step), stage.amount(step)
    keywords = stage.question(step)
    if step.get("rule") is not None:
        keywords["rule"] = _quantity_rule(step["rule"])
    if step.get("level") is not None:
        keywords["level"] = str(step["level"])
    if stage.together(step):
        keywords["together"] = True
    method = _method(stage, step)
    # Discrete rows add up to what the engine promises; the others are another promise.
    if method.startswith("period"):
        keywords["method"] = method
    said = stage.engine.check(sku, quantity, **keywords)
    available = stage.said(sku, said.available)
    asked = exact(step["qty"])
    fields = {
        "available": available,
        "confirmed": lambda: _smaller(available, asked, step["qty"]),
        "mode": said.mode,
        "backorder": stage.said(sku, said.backorder),
        "backordered": stage.said(sku, said.backorder),
        "binding": said.binding,
        "required": step["qty"],
    }
    for name in ("earliest_bucket", "earliest_date", "next_bucket_ok", "next_date"):
        fields[name] = said.next_date
    for name in ("nearest_bucket_ok", "nearest_date_ok", "latest_bucket_ok"):
        fields[name] = said.latest_date
    return Answer(ok=said.ok, error=None if said.ok else said.code, fields=fields)


def _smaller(available: Any, asked: Fraction, quantity: Any) -> Any:
    return available if available is not None and exact(available) < asked else quantity


@operation("set_and_check", {*ASKER_FIELDS, "sku", "qty", "on_hand", "rule"})
def set_and_check(stage: Stage, step: dict[str, Any]) -> Answer:
    for row in step["on_hand"]:
        stage.engine.count(stage.sku(row), stage.node(row), stage.amount(row), **stage.detail(row))
    return check(stage, {k: v for k, v in step.items() if k != "on_hand"})


@operation("node_available", {*ASKER_FIELDS, "sku"})
def node_available(stage: Stage, step: dict[str, Any]) -> Answer:
    sku = stage.sku(step)
    found = stage.engine.available(sku, **stage.question(step))
    return Answer(fields={"available": stage.said(sku, found)})


def _fences(stage: Stage) -> dict[str, Any]:
    names = {
        "supply": "backward_supply_fence_days",
        "demand": "backward_demand_fence_days",
        "supply_delay": "delayed_supply_offset_days",
        "demand_delay": "delayed_demand_offset_days",
    }
    given = {k: int(stage.rules[rule]) for k, rule in names.items() if rule in stage.rules}
    return {"fences": om.Fences(**given)} if given else {}


def _rows(stage: Stage, step: dict[str, Any], sku: str, node: str) -> list[dict[str, Any]]:
    keywords = _fences(stage)
    horizon = step.get("horizon", step.get("days"))
    for name in ("horizon_days", "horizon_buckets"):
        horizon = horizon if isinstance(horizon, int) else stage.rules.get(name)
    if isinstance(horizon, int):
        ahead = 0
        if step.get("from") is not None:
            ahead = (stage.moment(step["from"]) - stage.now) // 86_400
        keywords["horizon"] = max(0, ahead) + horizon
    rows = []
    for row in stage.engine.atp(sku, node, method=_method(stage, step), **keywords):
        said = {
            name: stage.said(sku, getattr(row, name))
            for name in ("receipts", "commitments", "projected", "free", "atp", "cumulative_atp")
        }
        aliases = {"supply": said["receipts"], "demand": said["commitments"]}
        rows.append({"bucket": row.bucket, **said, **aliases, "after": said["projected"]})
    return rows


@operation("atp", {"sku", "node", "from", "days", "buckets", "method", "horizon"})
def atp(stage: Stage, step: dict[str, Any]) -> Answer:
    return Answer(fields={"rows": _rows(stage, step, stage.sku(step), stage.node(step))})


@operation("forecast_rows", {"sku", "node", "days"})
def forecast_rows(stage: Stage, step: dict[str, Any]) -> Answer:
    asked = {k: v for k, v in step.items() if k != "days"}
    return Answer(fields={"rows": _rows(stage, asked, stage.sku(step), stage.node(step))})


def _deliveries(stage: Stage, sku: str, promise: Any) -> list[dict[str, Any]]:
    return [{"date": one.date, "qty": stage.said(sku, one.quantity)} for one in promise.deliveries]


def _terms(stage: Stage, row: dict[str, Any]) -> dict[str, Any]:
    """Return how a promise may be met: in parts, how small they may be, how late."""
    terms: dict[str, Any] = {}
    partial = row.get("partial", row.get("partial_allowed", stage.rules.get("partial_allowed")))
    if partial is not None:
        terms["partial"] = bool(partial)
    smallest = row.get("min_shipment", row.get("minimum_shipment"))
    if smallest is not None:
        scale = stage.names.scales[stage.sku(row)]
        terms["minimum_shipment"] = int(exact(smallest) * scale)
    due = stage.due(row)
    late = row.get("late_allowed", stage.rules.get("late_allowed"))
    most = row.get("max_lateness_days", row.get("max_late_days"))
    if row.get("latest") is not None:
        terms["latest"] = stage.moment(row["latest"])
    elif most is not None and due is not None:
        terms["latest"] = due + int(most) * 86_400
    elif late is False and due is not None:
        terms["latest"] = due
    return terms


TERM_FIELDS = {
    *("partial", "partial_allowed", "min_shipment", "minimum_shipment", "late_allowed"),
    *("max_lateness_days", "max_late_days", "latest"),
}


@operation(
    "promise",
    {*(ASKER_FIELDS - {"exclude_refs"}), *TERM_FIELDS, "sku", "qty", "uom", "ref", "lines"}
    | {"capacity_policy", "delivery"},
)
def promise(stage: Stage, step: dict[str, Any]) -> Answer:
    if step.get("delivery") is not None:
        return promise_delivery(stage, step)
    if step.get("capacity_policy", "next_day") not in ("next_day", "partial"):
        raise Unsupported(f"not supported yet: promise with {step['capacity_policy']}")
    rows = step.get("lines") or [step]
    if len(rows) > 1:
        return promise_group(stage, {**step, "policy": "independent"})
    row = {**step, **rows[0]}
    sku = stage.sku(row)
    keywords = {**stage.asker(row), **_terms(stage, row)}
    if step.get("ref") is not None:
        keywords["order"] = str(step["ref"])
    said = stage.engine.promise(sku, stage.amount(row), **keywords)
    fields: dict[str, Any] = {
        "deliveries": _deliveries(stage, sku, said),
        "short": stage.said(sku, said.short),
        "delay_days": said.delay_buckets,
        "delay": said.delay_buckets,
        "date": said.deliveries[-1].date if said.deliveries else None,
    }
    return Answer(ok=not said.short, fields=fields)


@operation("promise_group", {*(ASKER_FIELDS - {"exclude_refs"}), "policy", "lines", "ref"})
def promise_group(stage: Stage, step: dict[str, Any]) -> Answer:
    lines = []
    for row in step["lines"]:
        sku = stage.sku(row)
        line: dict[str, Any] = {"sku": sku, "quantity": stage.amount(row)}
        if row.get("node") is not None:
            line["node"] = str(row["node"])
        due = stage.due(row)
        if due is not None:
            line["by"] = due
        lines.append(line)
    keywords = stage.asker(step)
    if step.get("ref") is not None:
        keywords["order"] = str(step["ref"])
    said = stage.engine.promise_group(lines, policy=str(step["policy"]), **keywords)
    promises = []
    for line, one in zip(lines, said.promises, strict=True):
        sku = line["sku"]
        deliveries = _deliveries(stage, sku, one)
        promises.append({"sku": sku, "deliveries": deliveries, "short": stage.said(sku, one.short)})
    fields = {"dates": dict(said.dates), "shipments": said.shipments, "promises": promises}
    return Answer(ok=all(date is not None for date in said.dates.values()), fields=fields)


@operation("batch_promise", {"demands"})
def batch_promise(stage: Stage, step: dict[str, Any]) -> Answer:
    rows = step["demands"]
    order = str(stage.rules.get("promise_order", "priority then due date"))
    if not order.startswith("priority"):
        raise Unsupported(f"unknown promise_order {order!r}")
    demands = []
    for row in rows:
        keywords = _terms(stage, row)
        if row.get("priority") is not None:
            keywords["priority"] = int(row["priority"])
        due = stage.due(row)
        if due is not None:
            keywords["by"] = due
        demands.append(om.Demand(str(row["ref"]), stage.sku(row), stage.amount(row), **keywords))
    answers = stage.engine.promise_batch(demands)
    promises = []
    for row, said in zip(rows, answers, strict=True):
        sku = stage.sku(row)
        deliveries = _deliveries(stage, sku, said)
        short = stage.said(sku, said.short)
        promises.append({"ref": row["ref"], "deliveries": deliveries, "short": short})

    def stock_rows() -> list[dict[str, Any]]:
        skus = {stage.sku(row) for row in rows}
        if len(skus) > 1:
            raise Unsupported("stock_rows of several SKUs")
        return _rows(stage, {}, skus.pop(), stage.node({}))

    return Answer(fields={"promises": promises, "stock_rows": stock_rows})


@operation("peg", {"ref", "sku", "qty", "uom", "mode", *DUE_FIELDS})
def peg(stage: Stage, step: dict[str, Any]) -> Answer:
    keywords: dict[str, Any] = {}
    if step.get("mode") is not None:
        keywords["mode"] = str(step["mode"])
    due = stage.due(step)
    if step.get("qty") is not None:
        # Not an order that exists, but one that might come.
        keywords |= {"sku": stage.sku(step), "quantity": stage.amount(step)}
        if due is not None:
            keywords["by"] = due
        found = stage.engine.peg(**keywords)
    else:
        found = stage.engine.peg(str(step["ref"]), **keywords)
    sku = stage.sku(step)
    pegs = []
    for one in found:
        said = {"from": one.source, "qty": stage.said(sku, one.quantity)}
        pegs.append({**said, "filled": one.filled, "date": one.date})

    def remaining_now() -> Any:
        taken = sum(one.quantity for one in found if one.source == "stock")
        return stage.said(sku, stage.engine.available(sku) - taken)

    return Answer(fields={"pegs": pegs, "remaining_now": remaining_now})


@operation("backorder_run", {"on_exception", "strategies", "orders"})
def backorder_run(stage: Stage, step: dict[str, Any]) -> Answer:
    keywords: dict[str, Any] = {}
    if step.get("on_exception") is not None:
        keywords["on_exception"] = str(step["on_exception"])
    if step.get("strategies") is not None:
        keywords["strategies"] = {str(k): str(v) for k, v in step["strategies"].items()}
    if step.get("orders") is not None:
        keywords["orders"] = [str(one) for one in step["orders"]]
    said = stage.engine.repromise(**keywords)
    sku = stage.names.stocked[0]
    fields = {
        "confirmed": {order: stage.said(sku, units) for order, units in said.confirmed.items()},
        "exceptions": list(said.exceptions),
        "losses": said.losses,
        "free": _total(stage, sku, said.free),
    }
    return Answer(ok=not said.exceptions, fields=fields)


def _total(stage: Stage, sku: str, free: Any) -> Any:
    if isinstance(free, dict):
        said = {name: stage.said(name, units) for name, units in free.items()}
        return said if len(said) != 1 else next(iter(said.values()))
    return stage.said(sku, free)


@operation("level", {"sku", "channel"})
def level(stage: Stage, step: dict[str, Any]) -> Answer:
    return Answer()


@operation("events", {"sku", "channel"})
def events(stage: Stage, step: dict[str, Any]) -> Answer:
    found = [
        one
        for one in stage.engine.changes()
        if (step.get("sku") is None or one.sku == str(step["sku"]))
        and (step.get("channel") is None or one.channel == str(step["channel"]))
    ]
    return Answer(fields={"events": [f"{one.old}->{one.new}" for one in found]})
