"""The one object that order systems hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from omnistock.engine import reads
from omnistock.engine.answers import outcome_of, read_hold
from omnistock.engine.commands import (
    Adjust,
    Command,
    Confirm,
    Count,
    Expect,
    Issue,
    Line,
    Moment,
    Quantity,
    Receive,
    Release,
    RequestId,
    Reserve,
    SetBuffer,
    SetLimit,
    SetNode,
    Ship,
    TakeBack,
    Transfer,
)
from omnistock.engine.results import AtpRow, Explanation, Hold, Outcome, Verification
from omnistock.engine.verify import verify
from omnistock.engine.writer import Writer
from omnistock.errors import InputError, OutOfStock
from omnistock.model import Network
from omnistock.model.calendar import to_seconds

if TYPE_CHECKING:
    from omnistock.frames import Table

__all__ = ["Engine"]


class Engine:
    """Availability, reservations and stock of one retailer; opened by :func:`open`.

    Every command takes ``request_id=`` (the same id again gives the same answer and
    changes nothing) and ``now=`` (seconds, a datetime or ISO text; earlier than the
    engine's last second counts as that second). An int quantity is in smallest units;
    text or Decimal is in selling units and must come out whole.

    Threads may share one engine: their commands are written together.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def network(self) -> Network:
        """All SKUs, nodes and channels that the engine knows."""
        return self._writer.registry.network()

    def close(self) -> None:
        """Let go of the store. Nothing is lost: each command was on disk when it was answered."""
        self._writer.close()

    # --- commands --------------------------------------------------------

    def execute(self, commands: Sequence[Command], *, now: Moment | None = None) -> list[Outcome]:
        """Carry out commands one after another in one frame; each has its own outcome.

        Returns
        -------
        list of Outcome
            One per command, in order. A refused command does not hinder the others.
        """
        if not commands:
            return []
        answers = self._writer.submit(commands, self._seconds(now))
        return [
            outcome_of(self._writer, command, answer)
            for command, answer in zip(commands, answers, strict=True)
        ]

    def _do(self, command: Command, now: Moment | None) -> Hold | int | None:
        return self.execute([command], now=now)[0].result()

    def _do_hold(self, command: Command, now: Moment | None) -> Hold:
        return self.execute([command], now=now)[0].hold

    def receive(
        self,
        sku: str,
        node: str,
        quantity: Quantity,
        *,
        reference: str | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Take units into stock, against the expected receipt ``reference`` if named."""
        self._do(Receive(sku, node, quantity, reference, request_id=request_id), now)

    def expect(
        self,
        sku: str,
        node: str,
        quantity: Quantity,
        eta: Moment,
        reference: str,
        *,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Announce a receipt, or set anew what remains of a known one and when it comes."""
        self._do(Expect(sku, node, quantity, eta, reference, request_id=request_id), now)

    def adjust(
        self,
        sku: str,
        node: str,
        delta: Quantity,
        *,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Change on hand by a signed quantity; promises stay and may then be short."""
        self._do(Adjust(sku, node, delta, request_id=request_id), now)

    def count(
        self,
        sku: str,
        node: str,
        on_hand: Quantity,
        *,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> int:
        """Set on hand to what was counted; returns the difference found."""
        found = self._do(Count(sku, node, on_hand, request_id=request_id), now)
        assert isinstance(found, int)
        return found

    def issue(
        self,
        sku: str,
        node: str,
        quantity: Quantity,
        *,
        channel: str | None = None,
        force: bool = False,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Sell or use units on the spot.

        Raises
        ------
        OutOfStock
            If they are not on hand, or are promised to others and not ``force``.
        """
        self._do(Issue(sku, node, quantity, channel, force, request_id=request_id), now)

    def transfer(
        self,
        sku: str,
        source: str,
        destination: str,
        quantity: Quantity,
        eta: Moment,
        reference: str,
        *,
        force: bool = False,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Send units to another node; they are expected there until received."""
        self._do(
            Transfer(
                sku, source, destination, quantity, eta, reference, force, request_id=request_id
            ),
            now,
        )

    def set_buffer(
        self,
        sku: str,
        quantity: Quantity,
        *,
        node: str | None = None,
        channel: str | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Keep units back: at a node from everyone, or from a channel over all its nodes."""
        self._do(SetBuffer(sku, quantity, node, channel, request_id=request_id), now)

    def set_quota(
        self,
        sku: str,
        channel: str,
        quantity: Quantity | None,
        *,
        until: Moment | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Set the most a channel may take from now ``until`` a time; None lifts the quota."""
        self._do(SetLimit("quota", sku, channel, quantity, until, request_id=request_id), now)

    def set_protection(
        self,
        sku: str,
        channel: str,
        quantity: Quantity,
        *,
        until: Moment | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Protect units for a channel: others see stock less what it has not yet taken."""
        self._do(SetLimit("protection", sku, channel, quantity, until, request_id=request_id), now)

    def set_node(
        self,
        node: str,
        active: bool,
        *,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Switch a node off or on for promising, at once; its quantities stay."""
        self._do(SetNode(node, active, request_id=request_id), now)

    def reserve(
        self,
        order: str,
        lines: Sequence[Line],
        *,
        channel: str | None = None,
        node: str | None = None,
        by: Moment | None = None,
        ttl_s: int | None = None,
        partial: bool = False,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Hold an order's lines, all or none (or with ``partial`` as much as there is).

        Parameters
        ----------
        order : str
            The caller's name for the order, kept verbatim.
        lines : sequence of (sku, quantity) or (sku, quantity, node)
            Demand is summed over all lines, kits exploded, before anything is held.
        channel, node : str, optional
            Who asks, and where; without a node the engine draws from one node if one
            has all, else from as few as its order of priority gives.
        by : optional
            When the order is due; now, if left out.
        ttl_s : int, optional
            Seconds after which the hold ends by itself; without it the hold is hard.

        Returns
        -------
        Hold

        Raises
        ------
        OutOfStock
            With what is available and what stands in the way, for every short line.
        ConflictError
            If the request id was used with another content.
        """
        command = Reserve(order, lines, channel, node, by, ttl_s, partial, request_id=request_id)
        try:
            return self._do_hold(command, now)
        except OutOfStock as shortage:
            shortages = [self._with_date(one, channel) for one in shortage.shortages]
            raise OutOfStock(order, shortages) from None

    def _with_date(self, short: Any, channel: str | None) -> Any:
        """Add to a shortage the first bucket in which the whole quantity is possible."""
        return reads.with_next_date(self._writer, self._writer.state, short, channel)

    def reserve_many(
        self, requests: Sequence[Reserve], *, now: Moment | None = None
    ) -> list[Outcome]:
        """Reserve many orders in one frame, first come first served; raises for none."""
        return self.execute(requests, now=now)

    def confirm(
        self,
        hold: Hold | int | str,
        *,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Make a soft hold hard; one that has expired asks for its units again."""
        return self._do_hold(Confirm(hold, request_id=request_id), now)

    def ship(
        self,
        hold: Hold | int | str,
        lines: Sequence[tuple[str, Quantity]] | None = None,
        *,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Turn confirmed units into gone ones: all, or the named SKUs and quantities."""
        return self._do_hold(Ship(hold, lines, request_id=request_id), now)

    def release(
        self,
        hold: Hold | int | str,
        lines: Sequence[tuple[str, Quantity]] | None = None,
        *,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Give open units back: all, or the named SKUs and quantities."""
        return self._do_hold(Release(hold, lines, request_id=request_id), now)

    def take_back(
        self,
        hold: Hold | int | str,
        lines: Sequence[tuple[str, Quantity]],
        *,
        node: str | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Take shipped units back into stock, at ``node`` or where they came from."""
        if request_id is not None and len(lines) != 1:
            raise InputError("take_back with a request_id takes one line at a time")
        commands = [TakeBack(hold, *line, node, request_id=request_id) for line in lines]
        outcomes = self.execute(commands, now=now)
        for outcome in outcomes:
            outcome.result()
        return outcomes[-1].hold

    # --- many rows at once -----------------------------------------------

    def receive_many(self, table: Any, *, now: Moment | None = None) -> None:
        """Take a table (sku, node, quantity) into stock, all rows or none."""
        from omnistock.engine import bulk

        self._execute_all(bulk.receipts(table), now)

    def expect_many(self, table: Any, *, now: Moment | None = None) -> None:
        """Announce a table of receipts (reference, sku, node, quantity, eta), all or none."""
        from omnistock.engine import bulk

        self._execute_all(bulk.expectations(table), now)

    def set_buffers(self, table: Any, *, now: Moment | None = None) -> None:
        """Set buffers from a table (sku, node or channel, quantity), all rows or none."""
        from omnistock.engine import bulk

        self._execute_all(bulk.buffers(table), now)

    def set_quotas(self, table: Any, *, now: Moment | None = None) -> None:
        """Set quotas from a table (sku, channel, quantity, until if any), all rows or none."""
        from omnistock.engine import bulk

        self._execute_all(bulk.limits("quota", table), now)

    def set_protections(self, table: Any, *, now: Moment | None = None) -> None:
        """Set protections from a table (sku, channel, quantity, until if any), all or none."""
        from omnistock.engine import bulk

        self._execute_all(bulk.limits("protection", table), now)

    def _execute_all(self, commands: tuple[Table, list[Command]], now: Moment | None) -> None:
        """Check the names of all rows, then carry all of them out in one frame."""
        from omnistock.engine import bulk

        table, rows = commands
        bulk.check_names(table, self._writer.registry)
        for outcome in self.execute(rows, now=now):
            outcome.result()

    # --- queries ---------------------------------------------------------

    def available(
        self,
        sku: str,
        *,
        channel: str | None = None,
        node: str | None = None,
        by: Moment | None = None,
        now: Moment | None = None,
    ) -> int:
        """Return the units that :meth:`reserve` would hold for this asker, by the same kernel.

        Parameters
        ----------
        sku : str
            A SKU or a kit.
        channel, node : str, optional
            Who asks; all nodes that serve the channel if no node is named.
        by : optional
            When it is due: stock expected until then counts.

        Returns
        -------
        int
            Smallest units, at least 0.
        """
        state = self._writer.at_time(self._seconds(now))
        return reads.available(self._writer, state, sku, channel, node, self._seconds(by))

    def availability(self, lines: Any, *, now: Moment | None = None) -> Any:
        """Answer a table of questions (sku, and channel or node if they matter).

        Returns
        -------
        table
            The caller's own kind, with the column ``available`` added (smallest units).
        """
        from omnistock.engine import bulk

        state = self._writer.at_time(self._seconds(now))
        return bulk.availability(self._writer, state, lines)

    def explain(
        self,
        sku: str,
        *,
        channel: str | None = None,
        node: str | None = None,
        by: Moment | None = None,
        now: Moment | None = None,
    ) -> Explanation:
        """Return the waterfall from on hand to available, and what binds."""
        state = self._writer.at_time(self._seconds(now))
        return reads.explain(self._writer, state, sku, channel, node, self._seconds(by))

    def atp(self, sku: str, node: str, *, now: Moment | None = None) -> tuple[AtpRow, ...]:
        """Return the time-phased rows of a SKU at a node, the current bucket first."""
        state = self._writer.at_time(self._seconds(now))
        return reads.atp_rows(self._writer, state, sku, node)

    def stock(self, *, now: Moment | None = None) -> Any:
        """Return a pyarrow table with one row per stockpoint, in smallest units."""
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
