"""Steps that make, change and end reservations."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from omnistock.engine.results import Hold
from omnistock.errors import OmnistockError, OutOfStock

from .amounts import Unsupported, exact
from .stage import ASKER_FIELDS, OPERATIONS, Answer, Stage, operation

__all__ = ["hold_answer", "refusal", "reserve_answer"]

_RESERVE_FIELDS = {
    *(ASKER_FIELDS - {"exclude_refs"}),
    *("sku", "qty", "uom", "lines", "ref", "entry", "kind", "ttl_s", "expires_at", "replace"),
    *("allow_backorder", "backorder", "partial", "removal", "dry_run", "late"),
    *("event_id", "request_id"),
}
_HOLD_FIELDS = {"ref", "entry", "sku", "qty", "uom", "event_id", "request_id"}


def refusal(stage: Stage, error: OmnistockError) -> Answer:
    """Return the answer of a step that the engine refused."""
    fields: dict[str, Any] = {}
    if isinstance(error, OutOfStock) and error.shortages:
        shortages = error.shortages
        first = shortages[0]
        fields["available"] = stage.said(first.sku, first.available)
        fields["required"] = stage.said(first.sku, first.requested)
        fields["short_skus"] = [one.sku for one in shortages]
        fields["shippable"] = fields["available"]
        fields["binding"] = first.binding
        fields["earliest_bucket"] = fields["earliest_date"] = first.next_date
    fields["reserved_qty"] = 0
    code = getattr(error, "code", None) or type(error).__name__
    return Answer(ok=False, error=str(code), fields=fields, refused=error)


def hold_answer(stage: Stage, hold: Hold) -> Answer:
    """Return what a hold says of itself."""
    by_node: dict[str, Any] = {}
    by_lot: dict[tuple[str, str], int] = {}
    by_sku: dict[str, int] = {}
    for line in hold.lines:
        said = stage.said(line.sku, line.quantity) or 0
        by_node[line.node] = by_node.get(line.node, 0) + said
        key = (line.lot or "", line.sku)
        by_lot[key] = by_lot.get(key, 0) + line.quantity
        by_sku[line.sku] = by_sku.get(line.sku, 0) + line.quantity
    total = sum(by_node.values())
    skus = {line.sku for line in hold.lines}
    fields = {
        "duplicate": hold.duplicate,
        "allocated_total": total,
        "reserved_qty": total,
        "backordered": stage.said(skus.pop() if len(skus) == 1 else "", hold.backordered),
        "max_per_node": by_node,
        "allocated_per_node": by_node,
        "lots": [{"lot": lot, "qty": stage.said(sku, n)} for (lot, sku), n in by_lot.items() if n],
        "component_reservations": [
            {"sku": sku, "qty": stage.said(sku, n)} for sku, n in by_sku.items()
        ],
        "short_skus": [short.sku for short in hold.short],
    }
    return Answer(fields=fields, hold=hold)


def request_of(step: dict[str, Any]) -> str | None:
    """Return the id of a step that may come twice."""
    request = step.get("request_id", step.get("event_id"))
    return None if request is None else str(request)


def reserve_answer(stage: Stage, step: dict[str, Any], *, dry_run: bool = False) -> Answer:
    """Reserve, or only ask what reserving would do."""
    reference = str(step.get("ref") or stage.fresh("order"))
    keywords = stage.asker(step)
    if stage.together(step):
        keywords["together"] = True
    partial = stage.rules.get("partial_allowed", stage.rules.get("multi_line") == "partial")
    for name, wanted in (
        ("partial", step.get("partial", partial)),
        ("replace", step.get("replace")),
        ("backorder", step.get("allow_backorder", step.get("backorder"))),
        ("late", step.get("late")),
        ("dry_run", dry_run or step.get("dry_run")),
    ):
        if wanted:
            keywords[name] = True
    removal = step.get("removal", stage.rules.get("removal"))
    if removal is not None:
        keywords["removal"] = str(removal)
    keywords["ttl_s"] = stage.seconds_to_live(step)
    dues = {stage.due(row) for row in step.get("lines", [])} - {None}
    if len(dues) > 1:
        raise Unsupported("lines of one reservation are due at different times")
    if dues:
        keywords["by"] = dues.pop()
    request = request_of(step)
    hold = stage.engine.reserve(reference, stage.lines(step), request_id=request, **keywords)
    entry = step.get("entry")
    stage.keep(reference, hold, None if entry is None else str(entry))
    return hold_answer(stage, hold)


@operation("reserve", _RESERVE_FIELDS)
def reserve(stage: Stage, step: dict[str, Any]) -> Answer:
    return reserve_answer(stage, step)


@operation("concurrent", {"times", "do", "threads"})
def concurrent(stage: Stage, step: dict[str, Any]) -> Answer:
    """Let so many threads do the same at once, each in a thread of its own."""
    inner, times = step["do"], int(step["times"])
    name = inner.get("op")
    if name not in OPERATIONS:
        raise Unsupported(f"unknown op {name!r} inside concurrent")
    outcomes: list[bool] = []
    crashes: list[Exception] = []
    start = threading.Barrier(times)

    def call(number: int) -> None:
        mine = {**inner, "ref": f"call-{number}"} if "ref" in inner else dict(inner)
        start.wait()
        try:
            outcomes.append(OPERATIONS[name].play(stage, mine).ok)
        except OmnistockError:
            outcomes.append(False)
        except Exception as error:
            crashes.append(error)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if crashes:
        raise crashes[0]
    succeeded = sum(outcomes)
    return Answer(fields={"succeeded": succeeded, "failed": len(outcomes) - succeeded})


def _over_holds(
    stage: Stage,
    step: dict[str, Any],
    act: Callable[[int | str, list[tuple[str, str]] | None], Hold],
    *,
    shipped: bool = False,
) -> list[Hold]:
    """Do something to the holds of an order, oldest first, until the quantity is used up.

    An order is usually one hold, and the engine then sees exactly what the step says.
    """
    holds = stage.holds(step, request_of(step), shipped=shipped)
    if step.get("lines"):
        if len(holds) > 1:
            raise Unsupported("lines over several reservations of one order")
        lines = [(stage.sku(row), stage.amount(row)) for row in step["lines"]]
        return [act(holds[0], lines)]
    if step.get("qty") is None:
        if step.get("sku") is None:
            return [act(hold, None) for hold in holds]
        order = stage.engine.order(_order_of(stage, holds[0]))
        units = (order.shipped if shipped else order.reserved).get(str(step["sku"]), 0)
        step = {**step, "qty": stage.said(str(step["sku"]), units)}
    if len(holds) == 1:
        return [act(holds[0], [(_sku_of(stage, step, holds[0]), stage.amount(step))])]
    done, left = [], exact(step["qty"])
    for position, hold in enumerate(holds):
        sku = _sku_of(stage, step, hold)
        scale = stage.names.scales[sku]
        units = sum(
            (line.shipped - line.returned) if shipped else line.quantity
            for line in stage.engine.hold(int(hold)).lines
            if line.sku == sku
        )
        # The last hold gets whatever is left, so that the engine may refuse what is too much.
        part = left if position == len(holds) - 1 else min(left, exact(units) / scale)
        if part > 0:
            done.append(act(hold, [(sku, str(stage.said(sku, int(part * scale))))]))
            left -= part
    return done


def _order_of(stage: Stage, hold: int | str) -> str:
    return stage.engine.hold(hold).order if isinstance(hold, int) else hold


def _sku_of(stage: Stage, step: dict[str, Any], hold: int | str) -> str:
    """Return the SKU that a step means: named, or the only one of the hold or scenario."""
    if step.get("sku") is not None or step.get("bundle") is not None:
        return stage.sku(step)
    if isinstance(hold, int):
        asked = {line.asked or line.sku for line in stage.engine.hold(hold).lines}
        if len(asked) == 1:
            return asked.pop()
    return stage.sku(step)


@operation("release", {*_HOLD_FIELDS, "lines", "clamp", "strict", "node"})
def release(stage: Stage, step: dict[str, Any]) -> Answer:
    request = request_of(step)

    def act(hold: int | str, lines: list[tuple[str, str]] | None) -> Hold:
        clamp = bool(step.get("clamp")) and not step.get("strict")
        return stage.engine.release(hold, lines, clamp=clamp, request_id=request)

    done = _over_holds(stage, step, act)
    answer = hold_answer(stage, done[-1])
    answer.fields["released"] = lambda: _released(stage, step, done)
    return answer


def _released(stage: Stage, step: dict[str, Any], done: list[Hold]) -> Any:
    sku = step.get("sku")
    lines = {line.sku for hold in done for line in hold.lines}
    name = str(sku) if sku is not None else next(iter(lines)) if len(lines) == 1 else None
    total = sum(int(hold.released) for hold in done)
    return stage.said(name, total) if name else total


@operation("confirm", {"ref", "entry", "event_id", "request_id"})
def confirm(stage: Stage, step: dict[str, Any]) -> Answer:
    request = request_of(step)
    done = [stage.engine.confirm(h, request_id=request) for h in stage.holds(step, request)]
    return hold_answer(stage, done[-1])


@operation("ship", {*_HOLD_FIELDS, "node", "lot", "lines"})
def ship(stage: Stage, step: dict[str, Any]) -> Answer:
    if step.get("ref") is None and step.get("entry") is None:
        # Nothing was reserved: the units just leave the node.
        stage.engine.issue(
            stage.sku(step), stage.node(step), stage.amount(step), **stage.detail(step)
        )
        return Answer()
    request = request_of(step)
    keywords = {name: str(step[name]) for name in ("node", "lot") if step.get(name) is not None}

    def act(hold: int | str, lines: list[tuple[str, str]] | None) -> Hold:
        return stage.engine.ship(hold, lines, request_id=request, **keywords)

    return hold_answer(stage, _over_holds(stage, step, act)[-1])


@operation("ship_components", {*_HOLD_FIELDS, "node", "lines", "bundle"})
def ship_components(stage: Stage, step: dict[str, Any]) -> Answer:
    return ship(stage, {k: v for k, v in step.items() if k != "bundle"})


@operation("ship_bundle", {*_HOLD_FIELDS, "node", "bundle"})
def ship_bundle(stage: Stage, step: dict[str, Any]) -> Answer:
    return ship(stage, {**step, "sku": step.get("sku", step.get("bundle"))})


@operation("return", {*_HOLD_FIELDS, "node", "restock", "state", "lines"})
def take_back(stage: Stage, step: dict[str, Any]) -> Answer:
    keywords: dict[str, Any] = {}
    if step.get("node") is not None:
        keywords["node"] = str(step["node"])
    if step.get("state") is not None:
        keywords["state"] = str(step["state"])
    elif step.get("restock") is False:
        keywords["state"] = "returned"
    request = request_of(step)

    def act(hold: int | str, lines: list[tuple[str, str]] | None) -> Hold:
        if lines is None:
            raise Unsupported("a return without a quantity")
        return stage.engine.take_back(hold, lines, request_id=request, **keywords)

    return hold_answer(stage, _over_holds(stage, step, act, shipped=True)[-1])


@operation("update_reservation", {*_HOLD_FIELDS, "delta", "set", "lines"})
def update_reservation(stage: Stage, step: dict[str, Any]) -> Answer:
    request = request_of(step)
    hold = stage.holds(step, request)[-1]
    keywords: dict[str, Any] = {}
    if step.get("lines"):
        keywords["lines"] = {stage.sku(row): stage.amount(row) for row in step["lines"]}
    elif step.get("delta") is not None:
        keywords["delta"] = {_sku_of(stage, step, hold): stage.amount(step, "delta")}
    else:
        name = "set" if step.get("set") is not None else "qty"
        keywords["lines"] = {_sku_of(stage, step, hold): stage.amount(step, name)}
    changed = stage.engine.update(hold, request_id=request, **keywords)
    return hold_answer(stage, changed)
