"""Playing events through the real engine, with independent books beside it.

The clock is the events' own: every command is told the time, so that the same events
give the same answers. Orders that come in the same second go through as one batch.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from omnistock.errors import OutOfStock
from omnistock.simulation.books import Books
from omnistock.simulation.orders import Event
from omnistock.simulation.summary import FillCounter, ReplaySummary, percentile_us

__all__ = ["replay", "stock_differences"]

Progress = Callable[[int, int, str], None]

_PARTIAL_CHANNELS = ("web", "app")
_REPORT_EVERY = 100


def replay(
    engine: Any,
    events: Sequence[Event],
    *,
    stock: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> ReplaySummary:
    """Play ``events`` through ``engine`` and check every promise against independent books.

    A cart of the web shop or the app takes what there is; other orders want all or
    nothing. Before each reservation every line is checked for availability, as a shop
    page would; for orders of one line the two must agree.

    Parameters
    ----------
    engine : Engine
        Opened on the stock that the events begin with.
    events : sequence of Event
        In order of time.
    stock : mapping with columns sku, node, quantity, optional
        What was physically counted at the start, in smallest units; default: what the
        engine says it has.
    progress : callable, optional
        Called with (done, total, phase).

    Returns
    -------
    ReplaySummary

    Raises
    ------
    InputError
        If an event names a SKU, node or channel that the engine does not know.
    """
    run = _Run(engine, events, stock)
    done = 0
    for _, together in groupby(events, key=lambda event: (event.time, event.kind)):
        batch = list(together)
        run.take(batch)
        done += len(batch)
        if progress is not None and (done % _REPORT_EVERY < len(batch) or done == len(events)):
            progress(done, len(events), "replaying orders")
    return run.summary()


class _Run:
    """One replay while it goes on."""

    def __init__(self, engine: Any, events: Sequence[Event], stock: Mapping[str, Any] | None):
        self.engine = engine
        self.network = engine.network  # built anew at each look
        self.skus = self.network.skus
        # Even a question tells the engine the time, so none is asked without.
        self.now = events[0].time if events else None
        self.books = Books(_counted(engine, stock, self.now), _due(events))
        self.holds: dict[str, Any] = {}
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.by_channel, self.by_node = FillCounter(), FillCounter()
        self.check_ns: list[int] = []
        self.reserve_ns: list[int] = []
        self.engine_ns = 0
        if self.now is not None:
            self.books.advance(self.now)
        for order, lines, expires_at in _open_holds(engine, self.now):
            self.books.promise(order, lines, expires_at)
        self._handlers: dict[str, Callable[[Event], None]] = {
            "order": self._order,
            "confirm": self._confirm,
            "cancel": self._cancel,
            "ship": self._ship,
            "return": self._return,
            "walk_in": self._walk_in,
            "receipt": self._receipt,
        }

    def take(self, batch: list[Event]) -> None:
        """Play events of one second and kind."""
        self.now = batch[0].time
        self.counts["expired"] += len(self.books.advance(self.now))
        if batch[0].kind == "order" and len(batch) > 1:
            self._orders_together(batch)
            return
        for event in batch:
            self._handlers[event.kind](event)

    def summary(self) -> ReplaySummary:
        """Compare the engine with the books and count everything up."""
        counts, seconds = self.counts, self.engine_ns / 1e9
        by_channel = self.by_channel.fills()
        lines = sum(fill.lines for fill in by_channel.values())
        filled = sum(fill.lines_filled for fill in by_channel.values())
        served = counts["orders"] + counts["walk_ins"]
        return ReplaySummary(
            orders=counts["orders"],
            accepted=counts["accepted"],
            partly_accepted=counts["partly_accepted"],
            refused=counts["refused"],
            walk_ins=counts["walk_ins"],
            walk_ins_refused=counts["walk_ins_refused"],
            paid=counts["paid"],
            paid_too_late=counts["paid_too_late"],
            cancelled=counts["cancelled"],
            expired=counts["expired"],
            shipments=counts["shipments"],
            returns=counts["returns"],
            receipts=counts["receipts"],
            lines=lines,
            units=sum(fill.units for fill in by_channel.values()),
            units_filled=sum(fill.units_filled for fill in by_channel.values()),
            fill_rate=filled / lines if lines else 1.0,
            oversold_units=self.books.oversold_units,
            stock_differences=len(stock_differences(self.engine, self.books, self.now)),
            check_differences=counts["check_differences"],
            verify_differences=len(self.engine.verify().differences),
            commands=counts["commands"],
            seconds=seconds,
            orders_per_second=served / seconds if seconds else 0.0,
            check_p50_us=percentile_us(self.check_ns, 0.5),
            check_p99_us=percentile_us(self.check_ns, 0.99),
            reserve_p50_us=percentile_us(self.reserve_ns, 0.5),
            reserve_p99_us=percentile_us(self.reserve_ns, 0.99),
            by_channel=by_channel,
            by_node=self.by_node.fills(),
            refusals=dict(self.refusals.most_common()),
        )

    @contextmanager
    def _timed(self, durations: list[int] | None = None, commands: int = 1) -> Iterator[None]:
        """Count the time that the engine takes."""
        started = time.perf_counter_ns()
        try:
            yield
        finally:
            took = time.perf_counter_ns() - started
            self.engine_ns += took
            self.counts["commands"] += commands
            if durations is not None:
                durations.append(took)

    # --- orders -----------------------------------------------------------

    def _order(self, event: Event) -> None:
        free = self._check(event)
        try:
            with self._timed(self.reserve_ns):
                hold = self.engine.reserve(
                    event.reference, list(event.lines), **_terms(event), now=event.time
                )
        except OutOfStock as error:
            self._refused(event, error)
            filled: tuple[int, ...] = (0,) * len(event.lines)
        else:
            filled = self._accepted(event, hold)
        if len(event.lines) == 1:
            (_, asked), most = event.lines[0], free[0]
            expected = min(asked, most) if _terms(event)["partial"] else asked * (most >= asked)
            self.counts["check_differences"] += filled[0] != expected

    def _orders_together(self, batch: list[Event]) -> None:
        from omnistock.engine import Reserve

        commands = [Reserve(one.reference, one.lines, **_terms(one)) for one in batch]
        with self._timed(commands=len(batch)):
            outcomes = self.engine.reserve_many(commands, now=batch[0].time)
        for event, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome.error, OutOfStock):
                self._refused(event, outcome.error)
            else:
                self._accepted(event, outcome.result())

    def _check(self, event: Event) -> list[int]:
        """Ask what is available for each line, as a shop page does."""
        free = []
        for sku, _ in event.lines:
            with self._timed(self.check_ns):
                units = self.engine.available(
                    sku, channel=event.channel, node=event.node or None, now=event.time
                )
            free.append(units)
        return free

    def _refused(self, event: Event, error: OutOfStock) -> None:
        self.counts["orders"] += 1
        self.counts["refused"] += 1
        self.refusals.update(short.binding for short in error.shortages)
        self._fill(event, (0,) * len(event.lines))

    def _accepted(self, event: Event, hold: Any) -> tuple[int, ...]:
        filled = self._units_filled(event, hold)
        whole = all(got == asked for got, (_, asked) in zip(filled, event.lines, strict=True))
        self.counts["orders"] += 1
        self.counts["accepted" if whole else "partly_accepted"] += 1
        self.refusals.update(short.binding for short in hold.short)
        self._fill(event, filled)
        self.holds[event.reference] = hold
        self.books.promise(event.reference, _open_units(hold.lines), hold.expires_at)
        return filled

    def _units_filled(self, event: Event, hold: Any) -> tuple[int, ...]:
        """Return the units that the hold has of each line of the request."""
        held: Counter[tuple[str, str]] = Counter()
        for line in hold.lines:
            held[line.asked or line.sku, line.sku] += line.quantity
        left: dict[str, int] = {}
        for sku in {sku for sku, _ in event.lines}:
            parts = self.network.explode(sku)
            left[sku] = min(held[sku, part] // per_unit for part, per_unit in parts.items())
        filled = []
        for sku, asked in event.lines:  # a SKU may stand in several lines
            filled.append(min(asked, left[sku]))
            left[sku] -= filled[-1]
        return tuple(filled)

    def _fill(self, event: Event, filled: Sequence[int]) -> None:
        for (sku, asked), got in zip(event.lines, filled, strict=True):
            scale = self.skus[sku].unit_scale
            self.by_channel.add(event.channel, asked / scale, got / scale)
            if event.node:
                self.by_node.add(event.node, asked / scale, got / scale)

    # --- what follows an order --------------------------------------------

    def _confirm(self, event: Event) -> None:
        hold = self.holds.get(event.reference)
        if hold is None:
            return
        try:
            with self._timed():
                after = self.engine.confirm(hold, now=event.time)
        except OutOfStock:
            del self.holds[event.reference]  # paid too late, and others have the units
            self.counts["paid_too_late"] += 1
            return
        self.holds[event.reference] = after
        self.counts["paid"] += 1
        if not self.books.confirm(event.reference):
            self.books.promise(event.reference, _open_units(after.lines))

    def _cancel(self, event: Event) -> None:
        hold = self.holds.pop(event.reference, None)
        if hold is None:
            return
        with self._timed():
            self.engine.release(hold, now=event.time)
        self.counts["cancelled"] += 1
        self.books.release(event.reference)

    def _ship(self, event: Event) -> None:
        before = self.holds.get(event.reference)
        if before is None:
            return
        lines = _still_open(before, event.lines) if event.lines else None
        if lines == [] or not any(line.quantity for line in before.lines):
            return  # a partial reservation lacked just these lines
        with self._timed():
            after = self.engine.ship(before, lines, now=event.time)
        self.holds[event.reference] = after
        self.counts["shipments"] += 1
        self.books.ship(event.reference, _shipped_units(before, after))

    def _return(self, event: Event) -> None:
        hold = self.holds.get(event.reference)
        if hold is None:
            return
        shipped = Counter[str]()
        for line in hold.lines:
            shipped[line.sku] += line.shipped - line.returned if line.asked in ("", line.sku) else 0
        lines = [(sku, min(units, shipped[sku])) for sku, units in event.lines if shipped[sku]]
        if not lines:
            return
        with self._timed():
            self.holds[event.reference] = self.engine.take_back(
                hold, lines, node=event.node, now=event.time
            )
        self.counts["returns"] += 1
        for sku, units in lines:
            self.books.put_back((sku, event.node), units)

    # --- stores and receipts ----------------------------------------------

    def _walk_in(self, event: Event) -> None:
        (sku, units) = event.lines[0]
        self.counts["walk_ins"] += 1
        try:
            if self.skus[sku].components:
                self._walk_in_kit(event)
            else:
                with self._timed():
                    self.engine.issue(sku, event.node, units, channel=event.channel, now=event.time)
                self.books.sell((sku, event.node), units)
        except OutOfStock as error:
            self.counts["walk_ins_refused"] += 1
            self.refusals.update(short.binding for short in error.shortages)
            units = 0
        self._fill(event, (units,))

    def _walk_in_kit(self, event: Event) -> None:
        """Sell a kit over the counter: its components leave together or not at all."""
        with self._timed(commands=2):
            hold = self.engine.reserve(
                event.reference,
                list(event.lines),
                channel=event.channel,
                node=event.node,
                now=event.time,
            )
            shipped = self.engine.ship(hold, now=event.time)
        self.books.promise(event.reference, _open_units(hold.lines))
        self.books.ship(event.reference, _shipped_units(hold, shipped))

    def _receipt(self, event: Event) -> None:
        from omnistock.engine import Receive

        commands = [Receive(sku, event.node, units, event.reference) for sku, units in event.lines]
        with self._timed(commands=len(commands)):
            outcomes = self.engine.execute(commands, now=event.time)
        for outcome, (sku, units) in zip(outcomes, event.lines, strict=True):
            outcome.result()
            self.books.receive((sku, event.node), units)
        self.counts["receipts"] += 1


def _terms(event: Event) -> dict[str, Any]:
    """What an order asks for besides its lines."""
    return {
        "channel": event.channel,
        "node": event.node or None,
        "ttl_s": event.ttl_s or None,
        "partial": event.channel in _PARTIAL_CHANNELS,
    }


def _open_units(lines: Iterable[Any]) -> dict[tuple[str, str], int]:
    units: Counter[tuple[str, str]] = Counter()
    for line in lines:
        units[line.sku, line.node] += line.quantity
    return dict(units)


def _still_open(hold: Any, lines: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return ``lines`` cut to what the hold has open of each SKU on its own."""
    left: Counter[str] = Counter()
    for line in hold.lines:
        left[line.sku] += line.quantity if line.asked in ("", line.sku) else 0
    return [(sku, min(units, left[sku])) for sku, units in lines if left[sku]]


def _shipped_units(before: Any, after: Any) -> dict[tuple[str, str], int]:
    """Return what left the house between two states of a hold."""
    units: Counter[tuple[str, str]] = Counter()
    for line in after.lines:
        units[line.sku, line.node] += line.shipped
    for line in before.lines:
        units[line.sku, line.node] -= line.shipped
    return {point: shipped for point, shipped in units.items() if shipped}


def _counted(
    engine: Any, stock: Mapping[str, Any] | None, now: int | None
) -> dict[tuple[str, str], int]:
    """Return the physical stock that the books begin with."""
    if stock is None:
        table = engine.stock(now=now)
        stock = {name: table[name].to_pylist() for name in ("sku", "node")}
        stock["quantity"] = table["on_hand"].to_pylist()
    rows = zip(stock["sku"], stock["node"], stock["quantity"], strict=True)
    return {(str(sku), str(node)): int(units) for sku, node, units in rows}


def _open_holds(
    engine: Any, now: int | None
) -> Iterator[tuple[str, dict[tuple[str, str], int], int | None]]:
    """Yield the promises that stand before the first event."""
    for status in ("held", "confirmed"):
        for hold in engine.holds(status=status, now=now):
            yield f"hold {hold.hold_id}", _open_units(hold.lines), hold.expires_at


def _due(events: Iterable[Event]) -> Iterator[tuple[int, str, str, int]]:
    for event in events:
        if event.kind == "receipt":
            for sku, units in event.lines:
                yield event.time, sku, event.node, units


def stock_differences(engine: Any, books: Books, now: int | None = None) -> list[tuple[str, str]]:
    """Return the stockpoints (SKU, node) whose stock or promises the engine has otherwise."""
    table = engine.stock(now=now)
    columns = [
        table[name].to_pylist() for name in ("sku", "node", "on_hand", "reserved", "committed")
    ]
    seen: dict[tuple[str, str], tuple[int, int]] = {}
    for sku, node, on_hand, reserved, committed in zip(*columns, strict=True):
        seen[sku, node] = (on_hand, reserved + committed)
    promised = books.promised_units()
    points = seen.keys() | books.on_hand.keys() | promised.keys()
    return sorted(
        point
        for point in points
        if seen.get(point, (0, 0)) != (books.on_hand.get(point, 0), promised.get(point, 0))
    )
