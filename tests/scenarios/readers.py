"""Figures that a scenario expects after a step and that the engine is asked for then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .amounts import Unsupported, exact
from .stage import Answer, Stage

__all__ = ["READERS", "fingerprint", "invariant_holds", "read_state"]

Reader = Callable[[Stage, dict[str, Any], Answer, Any], Any]
STATE_FIELDS = ("on_hand", "reserved", "available", "backordered", "raw", "inbound")


def stock_rows(stage: Stage, sku: str | None = None, **wanted: Any) -> list[dict[str, Any]]:
    """Return the rows of the engine's stock table that have the wanted values."""
    rows: list[dict[str, Any]] = stage.engine.stock().to_pylist()
    if sku is not None:
        rows = [row for row in rows if row["sku"] == sku]
    return [
        row
        for row in rows
        if all(value is None or row.get(name) == value for name, value in wanted.items())
    ]


def fingerprint(stage: Stage) -> Any:
    """Return all stock and all holds, to see afterwards whether anything changed."""
    stock = sorted(map(repr, stage.engine.stock().to_pylist()))
    return stock, [repr(hold) for hold in stage.engine.holds()]


def _where(row: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords of an availability that a state or step speaks of."""
    keywords: dict[str, Any] = {}
    for name in ("node", "channel", "segment", "lot"):
        if row.get(name) is not None:
            keywords[name] = str(row[name])
    return keywords


def read_state(stage: Stage, row: dict[str, Any], name: str, expected: Any) -> Any:
    """Return one figure of the stock that a row of expected state names."""
    sku = stage.sku(row)
    where = _where(row)
    if name == "raw" or (name == "available" and exact(expected) < 0):
        return stage.said(sku, stage.engine.raw_available(sku, **where))
    if name == "available":
        return stage.said(sku, stage.engine.available(sku, **where))
    known = {k: v for k, v in where.items() if k != "channel"}
    rows = stock_rows(stage, sku, **known)
    if name == "reserved":
        return stage.said(sku, sum(one["reserved"] + one["committed"] for one in rows))
    return stage.said(sku, sum(one[name] for one in rows))


def invariant_holds(stage: Stage, words: str) -> bool:
    """Whether what always holds holds now, recomputed from the ledger and from the holds."""
    checked = stage.engine.verify()
    if not checked.ok:
        return False
    if "reserved" in words and "sum of live reservations" in words:
        reserved = sum(one["reserved"] + one["committed"] for one in stock_rows(stage))
        held = sum(line.quantity for hold in stage.engine.holds() for line in hold.lines)
        return bool(reserved == held)
    raise Unsupported(f"unknown invariant {words!r}")


def _stock_figure(name: str) -> Reader:
    def read(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
        if isinstance(expected, dict):
            return {
                sku: read_state(stage, {**_node_of(step), "sku": sku}, name, units)
                for sku, units in expected.items()
            }
        return read_state(stage, {**_node_of(step), "sku": _sku(stage, step)}, name, expected)

    return read


def _node_of(step: dict[str, Any]) -> dict[str, Any]:
    return {name: step[name] for name in ("node", "lot", "segment") if step.get(name) is not None}


def _sku(stage: Stage, step: dict[str, Any]) -> str:
    """Return the SKU that a step is about: its own, its only line's, or the only one."""
    named = {str(row["sku"]) for row in step.get("lines", []) if row.get("sku") is not None}
    if step.get("sku") is None and len(named) == 1:
        return named.pop()
    return stage.sku(step)


def _asked(stage: Stage, step: dict[str, Any]) -> dict[str, Any]:
    """Return who asks, for figures after the step: nobody's holds are left out."""
    return {k: v for k, v in stage.question(step).items() if k != "exclude"}


def _available(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
    if isinstance(expected, dict):
        return _stock_figure("available")(stage, step, answer, expected)
    sku = _sku(stage, step)
    asked = _asked(stage, step)
    name = "raw_available" if exact(expected) < 0 else "available"
    return stage.said(sku, getattr(stage.engine, name)(sku, **asked))


def _raw(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
    sku = _sku(stage, step)
    return stage.said(sku, stage.engine.raw_available(sku, **_asked(stage, step)))


def _unrestricted(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
    """All that the asker may have when no segment of the stock is named."""
    sku = _sku(stage, step)
    asked = {**stage.question(step), "segment": "*"}
    return stage.said(sku, stage.engine.available(sku, **asked))


def _in_stock(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
    """Whether the least that can be sold could be sold."""
    keywords = stage.asker({k: v for k, v in step.items() if k in ("node", "nodes", "channel")})
    return stage.engine.check(_sku(stage, step), 1, **keywords).ok


def _order(stage: Stage, step: dict[str, Any]) -> Any:
    reference = step.get("ref")
    if reference is None and step.get("entry") is not None:
        held = stage.entries.get(str(step["entry"]))
        if held is not None:
            reference = stage.engine.hold(held).order
    if reference is None:
        raise Unsupported("no ref says which order is meant")
    return stage.engine.order(str(reference))


def _order_figure(name: str) -> Reader:
    def read(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
        figures = getattr(_order(stage, step), name)
        said = {sku: stage.said(sku, units) for sku, units in figures.items()}
        if isinstance(expected, dict):
            return said
        return sum(said.values()) if said else 0

    return read


def _status(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
    return _order(stage, step).status


def _kits_delivered(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
    shipped = _order(stage, step).shipped
    kits = {sku: units for sku, units in shipped.items() if sku in stage.names.kits}
    if isinstance(expected, dict):
        return {sku: stage.said(sku, units) for sku, units in kits.items()}
    return stage.said(next(iter(kits), ""), sum(kits.values()))


def _ledger_entries(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
    return stage.engine.verify().frames - stage.frames_before


def _to_allocate(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
    sku = _sku(stage, step)
    return stage.said(sku, stage.engine.available_to_allocate(sku))


def _allocated(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
    """Units left in the ring-fence of the step, or in each that is named by its last word."""
    sku = _sku(stage, step)

    def fenced(group: tuple[str, ...]) -> Any:
        return stage.said(sku, stage.engine.ring_fenced(sku, group))

    if not isinstance(expected, dict):
        named = step.get("group", step.get("to", step.get("from", [])))
        return fenced(tuple(map(str, named)) if isinstance(named, list) else (str(named),))
    groups = stage.names.groups
    return {
        name: fenced(next((g for g in groups if g[-1] == name or "/".join(g) == name), (name,)))
        for name in expected
    }


def _level(field: str) -> Reader:
    def read(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
        sku = _sku(stage, step)
        channel = step.get("channel")
        keywords = {} if channel is None else {"channel": str(channel)}
        found = stage.engine.level(sku, **keywords)
        return found.name if field == "level" else stage.said(sku, found.available)

    return read


def _protection(stage: Stage, step: dict[str, Any], answer: Answer, expected: Any) -> Any:
    sku = _sku(stage, step)
    return {
        name: stage.said(sku, stage.engine.protected(sku, match={"group": name}))
        for name in expected
    }


READERS: dict[str, Reader] = {
    "available": _available,
    "available_after": _available,
    "raw": _raw,
    "unrestricted_total": _unrestricted,
    "in_stock": _in_stock,
    "on_hand": _stock_figure("on_hand"),
    "reserved": _stock_figure("reserved"),
    "order_reserved": _order_figure("reserved"),
    "order_reserved_open": _order_figure("reserved"),
    "order_requested": _order_figure("requested"),
    "delivered": _order_figure("shipped"),
    "status": _status,
    "kits_delivered": _kits_delivered,
    "ledger_entries": _ledger_entries,
    "available_to_allocate": _to_allocate,
    "allocated": _allocated,
    "level": _level("level"),
    "estimated": _level("available"),
    "remaining_protection": _protection,
}
