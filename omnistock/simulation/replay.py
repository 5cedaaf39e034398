"""Playing events through the real engine, with independent books beside it.

The clock is the events' own: every command is told the time, so that the same events
give the same answers. Orders that come in the same second go through as one batch.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

from omnistock.engine import Issue, Receive, Reserve, Ship
from omnistock.errors import OutOfStock
from omnistock.simulation.books import Books
from omnistock.simulation.orders import Event
from omnistock.simulation.reconcile import (
    counted,
    due_receipts,
    open_holds,
    open_units,
    shipped_lines,
    shipped_units,
    still_open,
    stock_differences,
)
from omnistock.simulation.summary import FillCounter, ReplaySummary, percentile_us

__all__ = ["replay"]

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
        self.books = Books(counted(engine, stock, self.now), due_receipts(events))
        self.holds: dict[str, Any] = {}
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.by_channel, self.by_node = FillCounter(), FillCounter()
        self.check_ns: list[int] = []
        self.reserve_ns: list[int] = []
        self.engine_ns = 0
        if self.now is not None:
            self.books.advance(self.now)
        for order, lines, expires_at in open_holds(engine, self.now):
            self.books.promise(order, lines, expires_at)
        self._handlers: dict[str, Callable[[list[Event]], None]] = {
            "order": self._orders,
            "confirm": self._confirm,
            "cancel": self._cancel,
            "ship": self._ship,
            "return": self._return,
            "walk_in": self._walk_in,
            "receipt": self._receive,
        }

    def take(self, batch: list[Event]) -> None:
        """Play events of one second and kind."""
        self.now = batch[0].time
        self.counts["expired"] += len(self.books.advance(self.now))
        self._handlers[batch[0].kind](batch)

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
            walk_ins_partly=counts["walk_ins_partly"],
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

    def _orders(self, batch: list[Event]) -> None:
        if len(batch) == 1:
            self._order(batch[0])
            return
        commands = [Reserve(one.reference, one.lines, **_terms(one)) for one in batch]
        with self._timed(commands=len(batch)):
            outcomes = self.engine.reserve_many(commands, now=self.now)
        for event, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome.error, OutOfStock):
                self._refused(event, outcome.error)
            else:
                self._accepted(event, outcome.hold)

    def _order(self, event: Event) -> None:
        """Check and reserve, as a customer of the shop does; the two must agree."""
        free, terms = self._check(event), _terms(event)
        try:
            with self._timed(self.reserve_ns):
                hold = self.engine.reserve(
                    event.reference, list(event.lines), **terms, now=self.now
                )
        except OutOfStock as error:
            self._refused(event, error)
            filled: tuple[int, ...] = (0,) * len(event.lines)
        else:
            filled = self._accepted(event, hold)
        if len(event.lines) == 1:
            (_, asked), most = event.lines[0], free[0]
            expected = min(asked, most) if terms["partial"] else asked * (most >= asked)
            self.counts["check_differences"] += filled[0] != expected

    def _check(self, event: Event) -> list[int]:
        """Ask what is available for each line, as a shop page does."""
        free = []
        for sku, _ in event.lines:
            with self._timed(self.check_ns):
                units = self.engine.available(
                    sku, channel=event.channel, node=event.node or None, now=self.now
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
        self.books.promise(event.reference, open_units(hold.lines), hold.expires_at)
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

    def _confirm(self, batch: list[Event]) -> None:
        for event in batch:
            hold = self.holds.get(event.reference)
            if hold is None:
                continue
            try:
                with self._timed():
                    after = self.engine.confirm(hold, now=self.now)
            except OutOfStock:
                del self.holds[event.reference]  # paid too late, and others have the units
                self.counts["paid_too_late"] += 1
                continue
            self.holds[event.reference] = after
            self.counts["paid"] += 1
            if not self.books.confirm(event.reference):
                self.books.promise(event.reference, open_units(after.lines))

    def _cancel(self, batch: list[Event]) -> None:
        for event in batch:
            hold = self.holds.pop(event.reference, None)
            if hold is None:
                continue
            with self._timed():
                self.engine.release(hold, now=self.now)
            self.counts["cancelled"] += 1
            self.books.release(event.reference)

    def _ship(self, batch: list[Event]) -> None:
        """Ship a picking wave in one frame."""
        leaving: list[tuple[str, Any, Ship]] = []
        for event in batch:
            hold = self.holds.get(event.reference)
            if hold is None or not any(line.quantity for line in hold.lines):
                continue
            lines = still_open(hold, event.lines) if event.lines else None
            if lines != []:  # else a partial reservation lacks just these lines
                leaving.append((event.reference, hold, Ship(hold, lines)))
        with self._timed(commands=len(leaving)):
            outcomes = self.engine.execute([ship for _, _, ship in leaving], now=self.now)
        for (order, before, _), outcome in zip(leaving, outcomes, strict=True):
            self.holds[order] = outcome.hold
            self.counts["shipments"] += 1
            self.books.ship(order, shipped_units(before, outcome.hold))

    def _return(self, batch: list[Event]) -> None:
        for event in batch:
            hold = self.holds.get(event.reference)
            lines = [] if hold is None else shipped_lines(hold, event.lines)
            if not lines:
                continue
            with self._timed():
                self.holds[event.reference] = self.engine.take_back(
                    hold, lines, node=event.node, now=self.now
                )
            self.counts["returns"] += 1
            for sku, units in lines:
                self.books.put_back((sku, event.node), units)

    # --- stores and receipts ----------------------------------------------

    def _walk_in(self, batch: list[Event]) -> None:
        """Enter what the tills sold; who finds fewer than wanted takes those."""
        sold = {event.reference: 0 for event in batch}
        wanted = []
        for event in batch:
            sku, units = event.lines[0]
            if self.skus[sku].components:
                sold[event.reference] = self._walk_in_kit(event)
            else:
                wanted.append((event, units))
        while wanted:
            wanted = self._issue(wanted, sold)
        for event in batch:
            asked, got = event.lines[0][1], sold[event.reference]
            self.counts["walk_ins"] += 1
            self.counts["walk_ins_refused"] += got == 0
            self.counts["walk_ins_partly"] += 0 < got < asked
            self._fill(event, (got,))

    def _issue(
        self, wanted: list[tuple[Event, int]], sold: dict[str, int]
    ) -> list[tuple[Event, int]]:
        """Sell units over the counter; return who may try again, with fewer units."""
        commands = [
            Issue(event.lines[0][0], event.node, units, event.channel) for event, units in wanted
        ]
        with self._timed(commands=len(commands)):
            outcomes = self.engine.execute(commands, now=self.now)
        again = []
        for (event, units), outcome in zip(wanted, outcomes, strict=True):
            if isinstance(outcome.error, OutOfStock):
                (short,) = outcome.error.shortages
                if units == event.lines[0][1]:
                    self.refusals[short.binding] += 1
                if 0 < short.available < units:
                    again.append((event, short.available))
            else:
                outcome.result()
                sold[event.reference] = units
                self.books.sell((event.lines[0][0], event.node), units)
        return again

    def _walk_in_kit(self, event: Event) -> int:
        """Sell a kit over the counter: its components leave together or not at all."""
        try:
            with self._timed(commands=2):
                hold = self.engine.reserve(
                    event.reference,
                    list(event.lines),
                    channel=event.channel,
                    node=event.node,
                    now=self.now,
                )
                shipped = self.engine.ship(hold, now=self.now)
        except OutOfStock as error:
            self.refusals.update(short.binding for short in error.shortages)
            return 0
        self.books.promise(event.reference, open_units(hold.lines))
        self.books.ship(event.reference, shipped_units(hold, shipped))
        return event.lines[0][1]

    def _receive(self, batch: list[Event]) -> None:
        rows = [(event, sku, units) for event in batch for sku, units in event.lines]
        commands = [Receive(sku, event.node, units, event.reference) for event, sku, units in rows]
        with self._timed(commands=len(commands)):
            outcomes = self.engine.execute(commands, now=self.now)
        for outcome, (event, sku, units) in zip(outcomes, rows, strict=True):
            outcome.result()
            self.books.receive((sku, event.node), units)
        self.counts["receipts"] += len(batch)


def _terms(event: Event) -> dict[str, Any]:
    """What an order asks for besides its lines."""
    return {
        "channel": event.channel,
        "node": event.node or None,
        "ttl_s": event.ttl_s or None,
        "partial": event.channel in _PARTIAL_CHANNELS,
    }
