"""What was ordered beside what is held, and promising waiting orders anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from omnistock.allocation.repromise import Repromised
from omnistock.allocation.repromise import repromise as run_anew
from omnistock.availability import layout
from omnistock.availability.arena import State, rows
from omnistock.engine.change_commands import STRATEGIES, Update
from omnistock.engine.commands import Command
from omnistock.engine.hold_commands import Release, Reserve
from omnistock.engine.reads import ahead_of
from omnistock.engine.results import OrderStatus, Repromise
from omnistock.engine.writer import Writer
from omnistock.errors import InputError

__all__ = ["order_status", "plan_repromise"]


def order_status(writer: Writer, state: State, order: str) -> OrderStatus:
    """Return what was ordered of each SKU and what of it is reserved and shipped."""
    registry = writer.registry
    holds = writer.book.of_order(order)
    requested = {sku: row[layout.ORDER_UNITS] for sku, row in _entered(writer, state, order)}
    reserved: dict[str, int] = {}
    shipped: dict[str, int] = {}
    for hold in holds:
        live = writer.book.status(hold) in layout.LIVE
        whole: dict[int, tuple[int, int]] = {}
        for (asked, _), (open_units, gone, per) in _by_component(writer, hold).items():
            # A kit is held, or delivered, as often as all of its components are.
            held, out = whole.get(asked, (1 << 60, 1 << 60))
            whole[asked] = min(held, (open_units + gone) // per), min(out, gone // per)
        for asked, (held, out) in whole.items():
            name = registry.sku_list[asked].sku
            reserved[name] = reserved.get(name, 0) + (held - out if live else 0)
            shipped[name] = shipped.get(name, 0) + out
    if not holds and not requested:
        raise InputError(f"order {order!r} is not known")
    for name in {*reserved, *shipped}:
        requested.setdefault(name, reserved.get(name, 0) + shipped.get(name, 0))
    return OrderStatus(
        order, requested, reserved, shipped, _word(requested, reserved, shipped), tuple(holds)
    )


def _by_component(writer: Writer, hold: int) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Open units, units gone, and units per asked one, by (asked SKU, component)."""
    found: dict[tuple[int, int], tuple[int, int, int]] = {}
    for line in writer.book.lines(hold):
        key = (line.asked, line.sku)
        open_units, gone, _ = found.get(key, (0, 0, 0))
        found[key] = (open_units + line.open_units, gone + line.left, line.per)
    return found


def _word(requested: dict[str, int], reserved: dict[str, int], shipped: dict[str, int]) -> str:
    if all(shipped.get(sku, 0) >= units for sku, units in requested.items()):
        return "delivered"
    if any(shipped.values()):
        return "partially_delivered"
    if not any(reserved.values()):
        return "open"
    if all(reserved.get(sku, 0) >= units for sku, units in requested.items()):
        return "reserved"
    return "partially_reserved"


def _entered(writer: Writer, state: State, order: str) -> list[tuple[str, list[int]]]:
    """Rows of an entered order by SKU; the last entry of a SKU holds."""
    code = writer.registry.order_code(order)
    table = rows(state, "orders")
    found: dict[int, list[int]] = {}
    if code is not None:
        for row in table[table[:, layout.ORDER_CODE] == code].tolist():
            found[row[layout.ORDER_SKU]] = row
    skus = writer.registry.sku_list
    return [(skus[sku].sku, row) for sku, row in found.items()]


def plan_repromise(
    writer: Writer, state: State, orders: Sequence[str] | None,
    strategies: Mapping[str, str], on_exception: str,
) -> tuple[Repromise, list[Command]]:  # fmt: skip
    """Work out what each entered order is to have, and the commands that bring it about."""
    registry = writer.registry
    table = rows(state, "orders")
    if orders is None:
        codes = dict.fromkeys(table[:, layout.ORDER_CODE].tolist())
        orders = [registry.order_text(code) for code in codes]
    by_sku: dict[str, list[tuple[str, list[int]]]] = {}
    for order in orders:
        entered = _entered(writer, state, order)
        if not entered:
            raise InputError(f"order {order!r} was not entered; use enter_order first")
        for sku, row in entered:
            by_sku.setdefault(sku, []).append((order, row))
    confirmed: dict[str, int] = {}
    losses: dict[str, int] = {}
    free: dict[str, int] = {}
    exceptions: list[str] = []
    less: list[Command] = []
    more: list[Command] = []
    for sku, lines in by_sku.items():
        run, had = _run(writer, state, sku, lines, strategies, on_exception)
        free[sku] = int(run.free[0])
        exceptions += [lines[k][0] for k in run.exceptions.tolist()]
        for k, (order, row) in enumerate(lines):
            units = int(run.confirmed[k])
            confirmed[order] = confirmed.get(order, 0) + units
            if run.lost[k]:
                losses[order] = losses.get(order, 0) + int(run.lost[k])
            less_k, more_k = _changes(writer, order, sku, row, units - had[k])
            less += less_k
            more += more_k
    stopped = on_exception == "stop" and bool(exceptions)
    if stopped:
        confirmed = {
            order: sum(_held(writer, order, sku)[0] for sku, _ in _entered(writer, state, order))
            for order in orders
        }
        losses = {}
    result = Repromise(confirmed, tuple(dict.fromkeys(exceptions)), losses, free, stopped)
    return result, [] if stopped else [*less, *more]


def _held(writer: Writer, order: str, sku: str) -> tuple[int, list[tuple[int, int]]]:
    """Units of a SKU that an order holds, and by hold."""
    code = writer.registry.sku(sku)
    found = []
    for hold in writer.book.of_order(order):
        if writer.book.status(hold) not in layout.LIVE:
            continue
        units = sum(line.open_units for line in writer.book.lines(hold) if line.sku == code)
        if units:
            found.append((hold, units))
    return sum(units for _, units in found), found


def _run(
    writer: Writer, state: State, sku: str, lines: list[tuple[str, list[int]]],
    strategies: Mapping[str, str], on_exception: str,
) -> tuple[Repromised, list[int]]:  # fmt: skip
    """Run the strategies over the waiting lines of one SKU."""
    registry = writer.registry
    had = [_held(writer, order, sku)[0] for order, _ in lines]
    balances = _balances(writer, state, registry.stocked_sku(sku))
    due = [ahead_of(state, row[layout.ORDER_BUCKET]) for _, row in lines]
    for order in {order for order, _ in lines}:
        for hold in writer.book.of_order(order):
            if writer.book.status(hold) in layout.LIVE:
                for line in writer.book.lines(hold):
                    if line.sku == registry.sku(sku):
                        balances[ahead_of(state, line.bucket) :] += line.open_units
    names = [strategies.get(order, STRATEGIES[row[layout.ORDER_STRATEGY]]) for order, row in lines]
    run = run_anew(
        [row[layout.ORDER_UNITS] for _, row in lines],
        had,
        names,
        balances,
        priority=[row[layout.ORDER_PRIORITY] for _, row in lines],
        due=due,
        on_exception=on_exception,
    )
    return run, had


def _balances(writer: Writer, state: State, sku: int) -> np.ndarray:
    """Balance less buffer of a SKU at the end of each bucket, over all that can be promised."""
    n_buckets = int(state.stock[layout.N_BUCKETS])
    current = int(state.stock[layout.BUCKET])
    points = rows(state, "points")
    nodes = rows(state, "nodes")
    tags = rows(state, "tags")
    flows = rows(state, "flows")
    total = np.zeros(n_buckets, np.int64)
    slots = (current + np.arange(n_buckets)) % n_buckets
    for s in writer.book.points_of(sku):
        point = points[s]
        off = not nodes[point[layout.POINT_NODE], layout.NODE_ACTIVE]
        if off or point[layout.SWITCHED_OFF]:
            continue
        if not tags[point[layout.POINT_TAG], layout.TAG_SELLABLE]:
            continue
        record = state.records[s].astype(np.int64)
        balance = np.full(n_buckets, record[layout.BASE] - record[layout.BUFFER])
        if record[layout.FLOW_ROW] >= 0:
            row = flows[record[layout.FLOW_ROW]]
            moves = row[slots] - row[n_buckets + slots]
            moves[0] = 0
            balance += np.cumsum(moves)
        total += balance
    return total


def _changes(
    writer: Writer, order: str, sku: str, row: list[int], change: int
) -> tuple[list[Command], list[Command]]:
    """Commands that give an order fewer or more units of a SKU."""
    _, held = _held(writer, order, sku)
    if change > 0:
        if held:
            return [], [Update(held[0][0], delta={sku: change})]
        asker = writer.registry.asker_list[row[layout.ORDER_ASKER]]
        by = writer.registry.calendar.start_of(row[layout.ORDER_BUCKET])
        return [], [
            Reserve(
                order, [(sku, change)], channel=asker.channel or None, segment=asker.segment,
                attributes=dict(asker.attributes) or None,
                by=by if row[layout.ORDER_BUCKET] else None,
            )
        ]  # fmt: skip
    less: list[Command] = []
    for hold, units in reversed(held):
        part = min(units, -change)
        if part > 0:
            less.append(Release(hold, [(sku, part)]))
            change += part
    return less, []
