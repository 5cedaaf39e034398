"""Answers of the kernels, turned into holds, numbers and errors."""

from __future__ import annotations

import dataclasses

from omnistock.availability import layout
from omnistock.availability.arena import rows
from omnistock.availability.draw import DRAFT_FIELDS
from omnistock.engine.book import LineFacts
from omnistock.engine.change_commands import Relocate, Split, Update
from omnistock.engine.commands import Command
from omnistock.engine.hold_commands import Confirm, OnHold, Release, Reserve, as_line
from omnistock.engine.results import (
    FeedAnswer,
    Hold,
    HoldLine,
    Outcome,
    Reduction,
    StockChange,
)
from omnistock.engine.stock_commands import Adjust, Count, Delta, Issue, Snapshot
from omnistock.engine.writer import Answer, Writer
from omnistock.errors import (
    ConflictError,
    InputError,
    OmnistockError,
    OutOfStock,
    Shortage,
    UnknownError,
)

__all__ = ["outcome_of", "read_hold"]


def read_hold(writer: Writer, hold_id: int) -> Hold:
    """Return a hold as it stands now."""
    registry = writer.registry
    lines = writer.book.lines(hold_id)
    row = rows(writer.state, "holds")[hold_id].tolist()
    status = row[layout.STATUS]
    gone = status == layout.EXPIRED
    return Hold(
        hold_id=hold_id,
        order=registry.order_text(row[layout.ORDER]),
        status=layout.STATUS_NAMES[status],
        channel=registry.asker_list[row[layout.HOLD_ASKER]].channel,
        lines=tuple(_hold_line(writer, line, 0 if gone else line.open_units) for line in lines),
        expires_at=row[layout.EXPIRES] if status == layout.HELD else None,
    )


def _hold_line(writer: Writer, line: LineFacts, units: int) -> HoldLine:
    registry = writer.registry
    compartment = registry.compartment_list[line.compartment]
    return HoldLine(
        sku=registry.sku_list[line.sku].sku,
        node=registry.node_list[line.node].node,
        quantity=units,
        shipped=line.shipped,
        returned=line.returned,
        asked=registry.sku_list[line.asked].sku,
        lot=compartment.lot,
        segment=compartment.segment,
        bucket=registry.calendar.label(line.bucket) if line.bucket > 0 else "",
        per=line.per,
        backordered=max(0, min(units, -int(writer.state.records[line.point, layout.BASE]))),
    )


def outcome_of(writer: Writer, command: Command, answer: Answer, *, known: bool = False) -> Outcome:
    """Turn one answer into a value or the error that a single call raises."""
    if isinstance(answer, OmnistockError):
        return Outcome(error=answer)
    code, *rest = answer
    if isinstance(command, Reserve) and code in (layout.OK, layout.SHORT):
        outcome = _reserved(writer, command, code, rest)
    elif isinstance(command, Update) and code == layout.SHORT:
        outcome = Outcome(error=_update_shortage(writer, command, rest))
    elif code != layout.OK:
        outcome = Outcome(error=_refusal(writer, command, code, rest))
    elif isinstance(command, OnHold):
        outcome = _on_hold(writer, command, rest)
    elif isinstance(command, (Adjust, Count, Issue)):
        outcome = Outcome(StockChange(rest[0], _reductions(writer, rest[1:])))
    elif isinstance(command, (Delta, Snapshot)):
        outcome = Outcome(FeedAnswer(rest[0], bool(rest[1]) or known, rest[2]))
    else:
        outcome = Outcome()
    if known and isinstance(outcome.value, Hold):
        return Outcome(dataclasses.replace(outcome.value, duplicate=True))
    return outcome


def _on_hold(writer: Writer, command: OnHold, rest: list[int]) -> Outcome:
    hold_id = rest[0] if isinstance(command, Split) else _hold_id(writer, command.hold)
    hold = read_hold(writer, hold_id)
    if isinstance(command, Release):
        hold = dataclasses.replace(hold, released=rest[0] if rest else 0)
    return Outcome(hold)


def _reductions(writer: Writer, rest: list[int]) -> tuple[Reduction, ...]:
    table = rows(writer.state, "lines")
    points = rows(writer.state, "points")
    registry = writer.registry
    found = []
    for k in range(rest[0]):
        hold, line, units = rest[1 + 3 * k : 4 + 3 * k]
        sku = registry.sku_list[points[table[line, layout.LINE_POINT], layout.POINT_SKU]].sku
        found.append(Reduction(registry.order_text(writer.book.order(hold)), hold, sku, units))
    return tuple(found)


def _hold_id(writer: Writer, hold: Hold | int | str) -> int:
    if isinstance(hold, Hold):
        return hold.hold_id
    if isinstance(hold, int):
        return hold
    found = writer.book.of_order(hold)
    live = [one for one in found if writer.book.status(one) in layout.LIVE]
    return live[0] if len(live) == 1 else found[0]


def _reserved(writer: Writer, command: Reserve, code: int, rest: list[int]) -> Outcome:
    hold_id, beyond, n_short, *words = rest
    triples = [words[3 * k : 3 * k + 3] for k in range(n_short)]
    short = _shortages(writer, command, {line: (most, by) for line, most, by in triples})
    if code == layout.SHORT:
        stocked = any(one.binding != "not stocked" or one.node is None for one in short)
        return Outcome(
            error=OutOfStock(command.order, short, code=None if stocked else "not_stocked")
        )
    if command.dry_run:
        return Outcome(_drafted(writer, command, words[3 * n_short :], short, beyond))
    hold = read_hold(writer, hold_id)
    return Outcome(dataclasses.replace(hold, short=short, backordered=beyond))


def _drafted(
    writer: Writer, command: Reserve, words: list[int], short: tuple[Shortage, ...], beyond: int
) -> Hold:
    """The hold that a dry run would have made."""
    points = rows(writer.state, "points")
    lines = []
    for k in range(0, len(words), DRAFT_FIELDS):
        point, bucket, units, line, asked, per = words[k : k + DRAFT_FIELDS]
        row = points[point].tolist()
        facts = LineFacts(
            point, row[layout.POINT_SKU], row[layout.POINT_NODE], row[layout.POINT_TAG], bucket,
            units, 0, 0, asked, per, line,
        )  # fmt: skip
        lines.append(_hold_line(writer, facts, units))
    status = "confirmed" if command.ttl_s is None else "held"
    return Hold(-1, command.order, status, command.channel or "", tuple(lines), short=short,
                backordered=beyond)  # fmt: skip


def _shortages(
    writer: Writer, command: Reserve, short: dict[int, tuple[int, int]]
) -> tuple[Shortage, ...]:
    """One shortage for each SKU and node that is short, summed over the order's lines."""
    registry = writer.registry
    asked: dict[tuple[str, str | None], int] = {}
    most: dict[tuple[str, str | None], int] = {}
    binding: dict[tuple[str, str | None], int] = {}
    for number, given in enumerate(command.lines):
        line = as_line(given)
        key = (line.sku, line.node or command.node)
        units = registry.sku_list[registry.sku(line.sku)].smallest_units(line.quantity)
        had, bound = short.get(number, (units, 0))
        asked[key] = asked.get(key, 0) + units
        most[key] = most.get(key, 0) + had
        if number in short:
            binding.setdefault(key, bound)
    return tuple(
        Shortage(key[0], asked[key], most[key], layout.BINDING_NAMES[bound], key[1])
        for key, bound in binding.items()
    )


def _update_shortage(writer: Writer, command: Update, rest: list[int]) -> OmnistockError:
    given = command.delta if command.delta is not None else command.lines
    names = list(given or {})
    short = tuple(
        Shortage(
            sku=names[rest[3 + 3 * k]] if rest[3 + 3 * k] < len(names) else "",
            requested=0,
            available=rest[4 + 3 * k],
            binding=layout.BINDING_NAMES[rest[5 + 3 * k]],
        )
        for k in range(rest[2])
    )
    return OutOfStock(f"update of hold {_hold_id(writer, command.hold)}", short)


def _refusal(writer: Writer, command: Command, code: int, rest: list[int]) -> OmnistockError:
    what = type(command).__name__.lower()
    if code == layout.CONFLICT:
        return ConflictError(
            f"request id {command.request_id!r} was used before with another content; "
            "a new command needs a new id",
            code="request_id_conflict",
        )
    if code == layout.UNKNOWN_HOLD:
        return UnknownError("hold", str(getattr(command, "hold", "")))
    if code == layout.WRONG_STATUS:
        status = layout.STATUS_NAMES[rest[0]]
        word = "release_exceeds_reserved" if isinstance(command, Release) else "wrong_status"
        return ConflictError(f"{what}: the hold is {status}", code=word)
    if code == layout.TOO_MANY:
        return _too_many(writer, command, what, rest)
    if code == layout.SHORT:
        return _short_hold(writer, command, rest)
    sku = str(getattr(command, "sku", ""))
    node = str(getattr(command, "node", None) or getattr(command, "source", ""))
    if code == layout.NOT_ON_HAND:
        short = Shortage(sku, _asked(command), rest[0], "stock", node)
        return OutOfStock(what, (short,), code="insufficient_on_hand")
    if code == layout.PROMISED:
        short = Shortage(sku, _asked(command), rest[0], "promises", node)
        return OutOfStock(what, (short,), code="reserved")
    assert code == layout.OVERFLOW, f"answer {code} has no meaning"
    return InputError(f"{what}: {sku!r} at {node!r} would hold more than {layout.MOST_UNITS} units")


def _too_many(writer: Writer, command: Command, what: str, rest: list[int]) -> OmnistockError:
    line, most = rest
    if what == "ship" and line >= 0:
        facts = writer.book.lines(_hold_id(writer, getattr(command, "hold")))  # noqa: B009
        if line < len(facts) and facts[line].open_units > most:
            registry = writer.registry
            sku = registry.sku_list[facts[line].sku].sku
            node = registry.node_list[facts[line].node].node
            short = Shortage(sku, facts[line].open_units, most, "stock", node)
            return OutOfStock(what, (short,), code="insufficient_on_hand")
    word = "release_exceeds_reserved" if what == "release" else "too_many"
    return ConflictError(f"{what}: line {line + 1} of the hold has at most {most} units", code=word)


def _short_hold(writer: Writer, command: Command, rest: list[int]) -> OmnistockError:
    """A hold that could not take its units again, or not elsewhere."""
    hold = writer.book.lines(_hold_id(writer, getattr(command, "hold")))  # noqa: B009
    facts = hold[rest[1]]
    registry = writer.registry
    node = registry.node_list[facts.node].node
    if isinstance(command, Relocate):
        node = command.destination
    sku = registry.sku_list[facts.sku].sku
    short = Shortage(sku, facts.open_units, rest[2], layout.BINDING_NAMES[rest[3]], node)
    word = "expired" if isinstance(command, Confirm) else None
    return OutOfStock(str(getattr(command, "hold", "")), (short,), code=word)


def _asked(command: Command) -> int:
    for name in ("quantity", "delta", "on_hand"):
        value = getattr(command, name, None)
        if isinstance(value, int):
            return abs(value)
    return 0
