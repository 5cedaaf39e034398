"""The one object that order systems hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from omnistock.engine import reads
from omnistock.engine.allocation_methods import AllocationMethods
from omnistock.engine.answers import outcome_of, read_hold
from omnistock.engine.commands import Command, Moment
from omnistock.engine.delivery_methods import DeliveryMethods
from omnistock.engine.hold_methods import HoldMethods
from omnistock.engine.limit_methods import LimitMethods
from omnistock.engine.promise_methods import PromiseMethods
from omnistock.engine.query_methods import QueryMethods
from omnistock.engine.quick import Quick
from omnistock.engine.results import Hold, Outcome, Value, Verification
from omnistock.engine.sourcing_methods import SourcingMethods
from omnistock.engine.stock_methods import StockMethods
from omnistock.engine.verify import verify
from omnistock.engine.watching import Watch
from omnistock.engine.writer import Writer
from omnistock.model import Network
from omnistock.model.calendar import to_seconds

if TYPE_CHECKING:
    from omnistock.frames import Table

__all__ = ["Engine"]


class Engine(
    HoldMethods,
    StockMethods,
    LimitMethods,
    AllocationMethods,
    QueryMethods,
    PromiseMethods,
    SourcingMethods,
    DeliveryMethods,
):
    """Availability, reservations and stock of one retailer; opened by :func:`open`.

    Every command takes ``request_id=`` (the same id again gives the same answer and
    changes nothing) and ``now=`` (seconds, a datetime or ISO text; earlier than the
    engine's last second counts as that second). An int quantity is in smallest units;
    text or Decimal is in selling units and must come out whole.

    Threads may share one engine: their commands are written together.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._watch: Watch | None = None
        self._quick = Quick(writer)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def network(self) -> Network:
        """All SKUs, nodes and channels that the engine knows."""
        return self._writer.registry.network()

    def define(self, network: Network) -> None:
        """Enter SKUs, nodes and channels that are new or have changed.

        Raises
        ------
        InputError
            If it changes what stock depends on: the calendar, a unit scale, or whether a
            SKU is a kit or tracked.
        """
        self._writer.define(network)

    def close(self) -> None:
        """Let go of the store. Nothing is lost: each command was on disk when it was answered."""
        self._writer.close()

    def execute(self, commands: Sequence[Command], *, now: Moment | None = None) -> list[Outcome]:
        """Carry out commands one after another in one frame; each has its own outcome.

        Returns
        -------
        list of Outcome
            One per command, in order. A refused command does not hinder the others.
        """
        if not commands:
            return []
        ticket = self._writer.submit(commands, self._seconds(now))
        return [
            outcome_of(self._writer, command, answer, known=k in ticket.known)
            for k, (command, answer) in enumerate(zip(commands, ticket.answers, strict=True))
        ]

    def _do(self, command: Command, now: Moment | None) -> Value:
        return self.execute([command], now=now)[0].result()

    def _do_hold(self, command: Command, now: Moment | None) -> Hold:
        return self.execute([command], now=now)[0].hold

    def _execute_all(self, commands: tuple[Table, list[Command]], now: Moment | None) -> None:
        """Check the names of all rows, then carry all of them out in one frame."""
        from omnistock.engine import bulk

        table, rows = commands
        bulk.check_names(table, self._writer.registry)
        for outcome in self.execute(rows, now=now):
            outcome.result()

    def stock(self, *, now: Moment | None = None) -> Any:
        """Return a pyarrow table with one row per stockpoint and compartment, in smallest units.

        Columns: sku, node, on_hand, reserved (soft), committed (hard), inbound (due within
        the horizon), buffer, available (now, to anybody, before limits), backordered, and
        the compartment: state, segment, lot, owner.
        """
        import pyarrow as pa

        state = self._writer.at_time(self._seconds(now))
        return pa.table(
            {
                name: pa.array(column.tolist() if column.dtype == object else column)
                for name, column in reads.stock_columns(self._writer, state).items()
            }
        )

    def holds(
        self,
        *,
        status: str | None = None,
        order: str | None = None,
        now: Moment | None = None,
    ) -> list[Hold]:
        """Return holds, oldest first, of one status or order if named."""
        state = self._writer.at_time(self._seconds(now))
        return reads.holds(self._writer, state, status, order)

    def hold(self, hold_id: int, *, now: Moment | None = None) -> Hold:
        """Return one hold as it stands now."""
        self._writer.at_time(self._seconds(now))
        return read_hold(self._writer, hold_id)

    def verify(self) -> Verification:
        """Recompute everything from the ledger, by other code than the engine's, and compare."""
        return verify(self._writer)

    def _seconds(self, moment: Moment | None) -> int | None:
        if moment is None:
            return None
        return to_seconds(moment, self._writer.registry.calendar.time_zone)
