"""Steps that change stock, receipts, buffers and quotas, and feeds of other systems."""

from __future__ import annotations

from typing import Any

import omnistock as om

from .amounts import Unsupported, as_list, exact, text_of
from .opening_stock import expect_row, set_buffer_row, set_quota_row
from .stage import DETAIL_FIELDS, DUE_FIELDS, Answer, Stage, operation
from .steps_orders import reserve_answer

_STOCK_FIELDS = {"sku", "node", "qty", "uom", "event_id", "request_id", *DETAIL_FIELDS}


def _request(step: dict[str, Any]) -> dict[str, Any]:
    request = step.get("request_id", step.get("event_id"))
    return {} if request is None else {"request_id": str(request)}


@operation("receive", {*_STOCK_FIELDS, "ref"})
def receive(stage: Stage, step: dict[str, Any]) -> Answer:
    keywords = {**stage.detail(step), **_request(step)}
    reference = step.get("ref")
    expected = stage.receipts.get(str(reference)) if reference is not None else None
    sku, node = expected or (stage.sku(step), stage.node(step))
    if reference is not None:
        keywords["reference"] = str(reference)
    stage.engine.receive(sku, node, stage.amount(step), **keywords)
    return Answer()


@operation("receive_many", {"node", "lines"})
def receive_many(stage: Stage, step: dict[str, Any]) -> Answer:
    for row in step["lines"]:
        receive(stage, {**{k: v for k, v in step.items() if k != "lines"}, **row})
    return Answer()


@operation("add_inbound", {*_STOCK_FIELDS, "ref", "eta", *DUE_FIELDS})
def add_inbound(stage: Stage, step: dict[str, Any]) -> Answer:
    expect_row(stage, step)
    return Answer()


@operation("add_demand", {"sku", "qty", "uom", "ref", "node", "channel", "segment", *DUE_FIELDS})
def add_demand(stage: Stage, step: dict[str, Any]) -> Answer:
    """Demand exists, whatever there is to meet it."""
    node = stage.node_or_none(step)
    placed = {**step, "node": node} if node is not None else step
    return reserve_answer(stage, {**placed, "allow_backorder": True})


def _on_shortage(stage: Stage, step: dict[str, Any]) -> dict[str, Any]:
    words = str(step.get("on_shortage", stage.rules.get("on_shortage", "keep")))
    if words.startswith(("reduce", "keep")):
        return {"on_shortage": words.split()[0]}
    raise Unsupported(f"unknown on_shortage {words!r}")


@operation("adjust", {*_STOCK_FIELDS, "delta", "set", "allow_negative", "on_shortage"})
def adjust(stage: Stage, step: dict[str, Any]) -> Answer:
    sku, node = stage.sku(step), stage.node(step)
    detail = {**stage.detail(step), **_request(step)}
    if step.get("set") is None:
        negative = {"allow_negative": True} if step.get("allow_negative") else {}
        stage.engine.adjust(sku, node, stage.amount(step, "delta"), **negative, **detail)
        return Answer()
    change = stage.engine.count(
        sku, node, stage.amount(step, "set"), **_on_shortage(stage, step), **detail
    )
    return _changed(stage, change)


def _changed(stage: Stage, change: Any) -> Answer:
    """Return what a change of stock took from whom."""
    lost: dict[str, Any] = {}
    for one in change.reduced:
        lost[one.order] = lost.get(one.order, 0) + (stage.said(one.sku, one.units) or 0)
    return Answer(
        fields={
            "shortage": [{"ref": order, "qty": units} for order, units in lost.items()],
            "stolen_total": sum(lost.values()),
            "stolen_from": list(lost),
        }
    )


@operation("issue", {*_STOCK_FIELDS, "dry_run", "force_steal", "force", "channel"})
def issue(stage: Stage, step: dict[str, Any]) -> Answer:
    sku, node = stage.sku(step), stage.node(step)
    keywords = {**stage.detail(step), **_request(step)}
    if step.get("channel") is not None:
        keywords["channel"] = str(step["channel"])
    if step.get("force_steal") or step.get("force"):
        keywords |= {"force": True, "on_shortage": "reduce"}
    if step.get("dry_run"):
        keywords["dry_run"] = True
    return _changed(stage, stage.engine.issue(sku, node, stage.amount(step), **keywords))


@operation("transfer", {*_STOCK_FIELDS, "from", "to", "source", "destination", "ref", *DUE_FIELDS})
def transfer(stage: Stage, step: dict[str, Any]) -> Answer:
    source = step.get("from", step.get("source", step.get("node")))
    destination = step.get("to", step.get("destination"))
    if source is None or destination is None:
        raise Unsupported("a transfer needs the nodes it goes from and to")
    reference = str(step.get("ref") or stage.fresh("transfer"))
    sku, due = stage.sku(step), stage.due(step)
    stage.receipts[reference] = (sku, str(destination))
    eta = stage.now if due is None else due
    stage.engine.transfer(
        sku, str(source), str(destination), stage.amount(step), eta, reference, **_request(step)
    )
    return Answer()


@operation("set_buffer", {"sku", "node", "channel", "type", "value", "from", "demand_per_day"})
def set_buffer(stage: Stage, step: dict[str, Any]) -> Answer:
    set_buffer_row(stage, step)
    return Answer()


@operation(
    "set_quota",
    {"sku", "match", "channel", "group", "class", "qty", "percent", "base", "priority"}
    | {"until", "period", "window"},
)
def set_quota(stage: Stage, step: dict[str, Any]) -> Answer:
    set_quota_row(stage, step)
    return Answer()


@operation("quota", {"type", "class", "sku", "target", "targets", "base"})
def quota(stage: Stage, step: dict[str, Any]) -> Answer:
    """Set quotas from a number, a percentage or a ratio, and read back what they allow."""
    sku, kind = stage.sku(step), step.get("type")
    if kind == "ratio":
        shares = _divided(stage, sku, {str(k): v for k, v in step["targets"].items()})
        for name, units in shares.items():
            stage.engine.set_quota(sku, match={"class": name}, quantity=units)
        said = {name: _allowed(stage, sku, name) for name in shares}
        return Answer(fields={"quotas": said})
    name = str(step["class"])
    target = {kind: step.get("target")}
    row = {"sku": sku, "class": name, "qty": target.get("number"), "base": step.get("base")}
    if kind not in ("number", "percent"):
        raise Unsupported(f"unknown type of quota {kind!r}")
    set_quota_row(stage, {**row, "percent": target.get("percent")})
    return Answer(fields={"quota": lambda: _allowed(stage, sku, name)})


def _allowed(stage: Stage, sku: str, name: str) -> Any:
    return stage.said(sku, stage.engine.available(sku, attributes={"class": name}))


def _divided(stage: Stage, sku: str, weights: dict[str, Any]) -> dict[str, int]:
    """Let the allocator divide what there is in a ratio."""
    units = stage.engine.available(sku)
    names = list(weights)
    claims = {
        "sku": [sku] * len(names),
        "channel": names,
        "quantity": [units] * len(names),
        "weight": [float(exact(weights[name])) for name in names],
    }
    shared = om.allocate({"sku": [sku], "quantity": [units]}, claims)
    return {name: int(units) for name, units in zip(names, shared.granted, strict=True)}


@operation("allocate_batch", {"sku", "node"})
def allocate_batch(stage: Stage, step: dict[str, Any]) -> Answer:
    """Scale planned ring-fences down to what there is, and set them up."""
    sku = stage.sku(step)
    rows = [
        row
        for row in stage.given.get("allocations_in", [])
        if row.get("sku") is None or str(row["sku"]) == sku
    ]
    words = str(stage.rules.get("scale_down", "proportional"))
    # In proportion to what was planned: everyone gets the same share of it.
    rule = "fill_rate" if words.startswith("proportional") else words
    names = ["/".join(str(one) for one in as_list(row["group"])) for row in rows]
    scale = stage.names.scales[sku]
    claims: dict[str, Any] = {
        "sku": [sku] * len(rows),
        "channel": names,
        "quantity": [int(exact(row["qty"]) * scale) for row in rows],
    }
    if any("weight" in row for row in rows):
        claims["weight"] = [float(exact(row.get("weight", 1))) for row in rows]
    if any("priority" in row or "tier" in row for row in rows):
        claims["tier"] = [int(row.get("tier", row.get("priority", 1))) for row in rows]
    units = stage.engine.available_to_allocate(sku)
    shared = om.allocate({"sku": [sku], "quantity": [units]}, claims, rule=rule)
    node = stage.node_or_none(step)
    for row, granted in zip(rows, shared.granted, strict=True):
        group = tuple(str(one) for one in as_list(row["group"]))
        if granted:
            stage.engine.allocate(sku, group, int(granted), node=node)
        stage.names.groups.append(group)
    fenced = {
        name: stage.said(sku, stage.engine.ring_fenced(sku, tuple(map(str, as_list(row["group"])))))
        for name, row in zip(names, rows, strict=True)
    }
    total = stage.said(sku, stage.engine.ring_fenced(sku, ()))
    return Answer(fields={"allocations": fenced, "total": total})


def _group(step: dict[str, Any], name: str = "group") -> tuple[str, ...]:
    if step.get(name) is None:
        raise Unsupported(f"no {name} given")
    return tuple(str(one) for one in as_list(step[name]))


def _at(stage: Stage, step: dict[str, Any]) -> dict[str, Any]:
    return {"node": str(step["node"])} if step.get("node") is not None else {}


@operation("allocate", {"group", "sku", "qty", "node", "event_id", "request_id"})
def allocate(stage: Stage, step: dict[str, Any]) -> Answer:
    sku = stage.sku(step)
    stage.engine.allocate(
        sku, _group(step), stage.amount(step), **_at(stage, step), **_request(step)
    )
    return Answer()


@operation("unallocate", {"group", "sku", "qty", "node", "event_id", "request_id"})
def unallocate(stage: Stage, step: dict[str, Any]) -> Answer:
    stage.engine.unallocate(
        stage.sku(step), _group(step), stage.amount(step), **_at(stage, step), **_request(step)
    )
    return Answer()


@operation("consume", {"group", "sku", "qty", "node", "ref", "event_id", "request_id"})
def consume(stage: Stage, step: dict[str, Any]) -> Answer:
    keywords = {**_at(stage, step), **_request(step)}
    if step.get("ref") is not None:
        keywords["hold_order"] = str(step["ref"])
    stage.engine.consume(stage.sku(step), _group(step), stage.amount(step), **keywords)
    return Answer()


@operation("reallocate", {"from", "to", "sku", "qty", "event_id", "request_id"})
def reallocate(stage: Stage, step: dict[str, Any]) -> Answer:
    stage.engine.reallocate(
        stage.sku(step),
        _group(step, "from"),
        _group(step, "to"),
        stage.amount(step),
        **_request(step),
    )
    return Answer()


def _fed(stage: Stage, sku: str, fed: Any) -> Answer:
    return Answer(
        fields={
            "on_hand": stage.said(sku, fed.on_hand),
            "duplicate": fed.duplicate,
            "drift_found": stage.said(sku, fed.drift),
            "drift": stage.said(sku, fed.drift),
        }
    )


@operation("delta", {"seq", "node", "sku", "delta", "source", "event_id", "request_id"})
def delta(stage: Stage, step: dict[str, Any]) -> Answer:
    sku = stage.sku(step)
    fed = stage.engine.delta(
        sku,
        stage.node(step),
        text_of(step["delta"]),
        source=str(step.get("source", "feed")),
        sequence=int(step["seq"]),
        **_request(step),
    )
    return _fed(stage, sku, fed)


@operation(
    "snapshot",
    {"node", "sku", "qty", "as_of_seq", "already_deducted_refs", "source"}
    | {"event_id", "request_id"},
)
def snapshot(stage: Stage, step: dict[str, Any]) -> Answer:
    sku = stage.sku(step)
    sequence = step.get("as_of_seq")
    fed = stage.engine.snapshot(
        sku,
        stage.node(step),
        stage.amount(step),
        source=str(step.get("source", "feed")),
        sequence=None if sequence is None else int(sequence),
        netted=tuple(str(one) for one in step.get("already_deducted_refs", ())),
        **_request(step),
    )
    return _fed(stage, sku, fed)
