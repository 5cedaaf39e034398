"""Answers of the kernels, turned into holds, numbers and errors."""

from __future__ import annotations

from omnistock.availability import layout
from omnistock.engine.commands import Command, Reserve
from omnistock.engine.results import Hold, HoldLine, Outcome
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


def read_hold(writer: Writer, hold_id: int, short: tuple[Shortage, ...] = ()) -> Hold:
    """Return a hold as it stands now."""
    state = writer.state
    lines = writer.lines(hold_id)
    status = int(state.holds[hold_id, layout.STATUS])
    first = int(state.holds[hold_id, layout.FIRST_LINE])
    channel = writer.registry.channel_list[int(state.holds[hold_id, layout.HOLD_CHANNEL])]
    expires = int(state.expires[hold_id])
    return Hold(
        hold_id=hold_id,
        order=writer.registry.reference_list[int(state.holds[hold_id, layout.ORDER])],
        status=layout.STATUS_NAMES[status],
        channel="" if channel is None else channel.channel,
        lines=tuple(
            HoldLine(
                sku,
                node,
                0 if status == layout.EXPIRED else units,
                shipped=int(state.lines[first + k, layout.LINE_SHIPPED]),
                returned=int(state.lines[first + k, layout.RETURNED]),
                asked=asked,
            )
            for k, (sku, node, units, _, asked) in enumerate(lines)
        ),
        expires_at=expires if status == layout.HELD else None,
        short=short,
    )


def outcome_of(writer: Writer, command: Command, answer: Answer) -> Outcome:
    """Turn one answer into a value or the error that a single call raises."""
    if isinstance(answer, OmnistockError):
        return Outcome(error=answer)
    code, *rest = answer
    if isinstance(command, Reserve):
        return _reserved(writer, command, code, rest)
    if code == layout.OK:
        hold = getattr(command, "hold", None)
        if hold is not None:
            return Outcome(read_hold(writer, _hold_id(writer, hold)))
        return Outcome(rest[0] if rest else None)
    return Outcome(error=_refusal(writer, command, code, rest))


def _hold_id(writer: Writer, hold: Hold | int | str) -> int:
    if isinstance(hold, Hold):
        return hold.hold_id
    return hold if isinstance(hold, int) else writer.of_order(hold)[0]


def _reserved(writer: Writer, command: Reserve, code: int, rest: list[int]) -> Outcome:
    if code == layout.CONFLICT:
        return Outcome(error=_refusal(writer, command, code, rest))
    hold_id, n_short, *triples = rest
    short = tuple(_shortage(writer, command, *triples[3 * k : 3 * k + 3]) for k in range(n_short))
    if code == layout.SHORT:
        return Outcome(error=OutOfStock(command.order, short))
    return Outcome(read_hold(writer, hold_id, short))


def _shortage(
    writer: Writer, command: Reserve, line: int, available: int, binding: int
) -> Shortage:
    sku, quantity, *rest = command.lines[line]
    registry = writer.registry
    scale = registry.sku_list[registry.sku(sku)].unit_scale
    requested = quantity if isinstance(quantity, int) else int(float(quantity) * scale)
    return Shortage(
        sku=sku,
        requested=requested,
        available=available,
        binding=layout.BINDING_NAMES[binding],
        node=rest[0] if rest else command.node,
    )


def _refusal(writer: Writer, command: Command, code: int, rest: list[int]) -> OmnistockError:
    what = type(command).__name__.lower()
    if code == layout.CONFLICT:
        return ConflictError(
            f"request id {command.request_id!r} was used before with another content; "
            "a new command needs a new id"
        )
    if code == layout.UNKNOWN_HOLD:
        return UnknownError("hold", str(getattr(command, "hold", "")))
    if code == layout.WRONG_STATUS:
        status = layout.STATUS_NAMES[rest[0]]
        return ConflictError(f"{what}: the hold is {status}")
    if code == layout.TOO_MANY:
        return ConflictError(f"{what}: line {rest[0] + 1} of the hold has at most {rest[1]} units")
    if code == layout.SHORT:
        hold = writer.lines(_hold_id(writer, command.hold))  # type: ignore[attr-defined]
        sku, node, units, *_ = hold[rest[1]]
        short = Shortage(sku, units, rest[2], layout.BINDING_NAMES[rest[3]], node)
        return OutOfStock(str(getattr(command, "hold", "")), (short,))
    sku = str(getattr(command, "sku", ""))
    node = str(getattr(command, "node", None) or getattr(command, "source", ""))
    if code == layout.NOT_ON_HAND:
        return OutOfStock(what, (Shortage(sku, _asked(command), rest[0], "stock", node),))
    if code == layout.PROMISED:
        return OutOfStock(what, (Shortage(sku, _asked(command), rest[0], "promises", node),))
    assert code == layout.OVERFLOW, f"answer {code} has no meaning"
    return InputError(f"{what}: {sku!r} at {node!r} would hold more than {layout.MOST_UNITS} units")


def _asked(command: Command) -> int:
    for name in ("quantity", "delta", "on_hand"):
        value = getattr(command, name, None)
        if isinstance(value, int):
            return abs(value)
    return 0
