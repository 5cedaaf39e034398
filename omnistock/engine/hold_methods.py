"""The engine's methods on reservations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from omnistock.engine import late as choice
from omnistock.engine import reads
from omnistock.engine.askers import Asker, AskerDetail, StockDetail
from omnistock.engine.change_commands import EnterOrder, Relocate, Split, TakeBack, Update
from omnistock.engine.commands import Moment, Quantity, RequestId
from omnistock.engine.fast import ReservedArrays, codes_of, reserve_arrays
from omnistock.engine.hold_commands import Confirm, Line, Pick, Release, Reserve, Ship
from omnistock.engine.methods import Methods
from omnistock.engine.orders import order_status, plan_repromise
from omnistock.engine.results import Hold, OrderStatus, Outcome, Repromise
from omnistock.errors import InputError, OutOfStock, Shortage

__all__ = ["HoldMethods"]

HoldName = Hold | int | str


class HoldMethods(Methods):
    """Reserve, confirm, ship, release, change, and the orders behind the holds."""

    def reserve(
        self,
        order: str,
        lines: Sequence[Line],
        *,
        channel: str | None = None,
        segment: str = "",
        attributes: Mapping[str, str] | None = None,
        node: str | None = None,
        nodes: Sequence[str] = (),
        by: Moment | None = None,
        ttl_s: int | None = None,
        partial: bool = False,
        replace: bool = False,
        backorder: bool = False,
        removal: str = "fefo",
        together: bool = False,
        late: bool = False,
        dry_run: bool = False,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Hold an order's lines, all or none (or with ``partial`` as much as there is).

        Parameters
        ----------
        order : str
            The caller's name for the order, kept verbatim.
        lines : sequence of (sku, quantity), (sku, quantity, node) or OrderLine
            Demand is summed over all lines, kits exploded, before anything is held.
        channel, segment, attributes : optional
            Who asks: decides which nodes, stock and limits count.
        node, nodes : optional
            Where; without them the engine draws from one node if one has all, else from as
            few as its order of priority gives.
        by : optional
            When the order is due; now, if left out.
        ttl_s : int, optional
            Seconds after which the hold ends by itself; without it the hold is hard.
        replace : bool
            Give back the order's open holds and take its units anew, in one step: an order
            is never in its own way.
        backorder : bool
            Take what is not there beyond stock, whatever the limits.
        removal : {"fefo", "fifo", "lifo"}
            Which lots leave first: earliest expiry, or first or last received.
        together : bool
            The components of one kit come from one node.
        late : bool
            The nodes are provisional: when another order asks for units at one of them, the
            hold moves to other nodes that may serve it, and stays guaranteed.
        dry_run : bool
            Answer, and keep nothing.

        Returns
        -------
        Hold

        Raises
        ------
        OutOfStock
            With what is available and what stands in the way, for every short line.
        InputError
            With ``code`` below_minimum, above_maximum or not_increment, if a SKU's rule
            does not allow the quantity.
        ConflictError
            If the request id was used with another content.
        """
        command = Reserve(
            order, lines, channel, node, by, ttl_s, partial, segment, attributes, nodes, replace,
            backorder, removal, together, late, dry_run, request_id=request_id,
        )  # fmt: skip
        if self._writer.registry.has_late:
            # A refusal would be remembered under the request id: look before asking.
            probe = dataclasses.replace(command, dry_run=True, request_id=None)
            refused = self.execute([probe], now=now)[0].error
            if isinstance(refused, OutOfStock):
                self._make_room(command, refused, now)
        try:
            return self._do_hold(command, now)
        except OutOfStock as shortage:
            detail: AskerDetail = {
                "channel": channel, "segment": segment, "attributes": attributes, "nodes": nodes,
                "by": by,
            }  # fmt: skip
            dated = [self._with_date(one, detail) for one in shortage.shortages]
            raise OutOfStock(order, dated, code=shortage.code) from None

    def _make_room(self, command: Reserve, shortage: OutOfStock, now: Moment | None) -> None:
        """Let holds whose node is not final leave what an order lacks, if they can."""
        writer = self._writer
        moves: list[choice.Move] = []
        for short in shortage.shortages:
            detail: AskerDetail = {
                "channel": command.channel, "segment": command.segment,
                "attributes": command.attributes, "nodes": command.nodes, "by": command.by,
                "node": short.node,
            }  # fmt: skip
            asked = reads.question(writer, short.sku, detail)
            lacking = short.requested - short.available
            if choice.with_movable(writer, writer.state, asked, 0) < lacking:
                return
            balance = choice.sources_of(writer, writer.state, asked)
            lacking += sum(max(0, -units) for units in balance.values())
            moves += choice.plan_moves(writer, writer.state, asked, set(balance), lacking)
        for relocation in choice.relocations(writer, moves):
            self.execute([relocation], now=now)[0].result()

    def _with_date(self, short: Shortage, detail: AskerDetail) -> Shortage:
        """Add to a shortage the first bucket in which the whole quantity is possible."""
        sku = self._writer.registry.sku_list[self._writer.registry.sku(short.sku)]
        if sku.options:
            return short
        asked = reads.question(self._writer, short.sku, {**detail, "node": short.node})
        return reads.with_next_date(self._writer, self._writer.state, asked, short)

    def reserve_many(
        self, requests: Sequence[Reserve], *, now: Moment | None = None
    ) -> list[Outcome]:
        """Reserve many orders in one frame, first come first served; raises for none."""
        return self.execute(requests, now=now)

    def sku_codes(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the engine's numbers of SKUs, for :meth:`reserve_arrays`."""
        return codes_of(self._writer.registry.skus, "SKU", names)

    def node_codes(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the engine's numbers of nodes, for :meth:`reserve_arrays`."""
        return codes_of(self._writer.registry.nodes, "node", names)

    def reserve_arrays(
        self,
        line_offsets: npt.ArrayLike,
        skus: npt.ArrayLike,
        quantities: npt.ArrayLike,
        *,
        nodes: npt.ArrayLike | None = None,
        orders: npt.ArrayLike | None = None,
        request_ids: npt.ArrayLike | None = None,
        channel: str | None = None,
        segment: str = "",
        attributes: Mapping[str, str] | None = None,
        ttl_s: int | None = None,
        partial: bool = False,
        by: Moment | None = None,
        now: Moment | None = None,
    ) -> ReservedArrays:
        """Reserve many orders in one frame, first come first served, without an object for each.

        Parameters
        ----------
        line_offsets : (n_orders + 1,) int64
            Order k has the lines from ``line_offsets[k]`` up to ``line_offsets[k + 1]``.
        skus, quantities : (n_lines,) int64
            Numbers from :meth:`sku_codes`, kits included; smallest units.
        nodes : (n_lines,) int64, optional
            Numbers from :meth:`node_codes`, -1 for any node.
        orders : (n_orders,) int64, optional
            The caller's numbers, below 2**31; the order is then named by that number as text.
        request_ids : (n_orders, 2) int64 or uint64, optional
            Halves of 128-bit ids; (0, 0) is no id. Repeat an id in this form as well.

        Returns
        -------
        ReservedArrays

        Raises
        ------
        InputError
            If shapes disagree or a number is unknown; nothing is then reserved. The SKUs'
            rules of minimum, maximum and increment are not looked at here.
        """
        return reserve_arrays(
            self._writer, line_offsets=line_offsets, skus=skus, quantities=quantities,
            nodes=nodes, orders=orders, request_ids=request_ids,
            asker=Asker.of(channel, segment, attributes), ttl_s=ttl_s, partial=partial,
            due=self._seconds(by), now=self._seconds(now),
        )  # fmt: skip

    def confirm(
        self, hold: HoldName, *, request_id: RequestId | None = None, now: Moment | None = None
    ) -> Hold:
        """Make a soft hold hard; one that has expired asks for its units again.

        Raises
        ------
        OutOfStock
            With ``code`` "expired", if it has expired and its units are gone.
        """
        return self._do_hold(Confirm(hold, request_id=request_id), now)

    def pick(
        self, hold: HoldName, *, request_id: RequestId | None = None, now: Moment | None = None
    ) -> Hold:
        """Release a hard hold to the floor: what is asked for the level "ship" lacks it."""
        return self._do_hold(Pick(hold, request_id=request_id), now)

    def ship(
        self,
        hold: HoldName,
        lines: Sequence[tuple[str, Quantity]] | None = None,
        *,
        node: str | None = None,
        lot: str | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Turn confirmed units into gone ones: all, or the named SKUs and quantities.

        From another ``node`` than they are promised at, the promise there is freed in the
        same step.

        Raises
        ------
        OutOfStock
            With ``code`` "insufficient_on_hand", if they are not there.
        """
        return self._do_hold(Ship(hold, lines, node, lot, request_id=request_id), now)

    def release(
        self,
        hold: HoldName,
        lines: Sequence[tuple[str, Quantity]] | None = None,
        *,
        clamp: bool = False,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Give open units back: all, or the named SKUs and quantities.

        With ``clamp`` what there is of them; ``Hold.released`` says how much it was.

        Raises
        ------
        ConflictError
            With ``code`` "release_exceeds_reserved", if the hold has not so many open.
        """
        return self._do_hold(Release(hold, lines, clamp, request_id=request_id), now)

    def update(
        self,
        hold: HoldName,
        lines: Mapping[str, Quantity] | None = None,
        *,
        delta: Mapping[str, Quantity] | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Set the open units of SKUs, or change them by ``delta``; only what is more is checked."""
        return self._do_hold(Update(hold, lines, delta, request_id=request_id), now)

    def split(
        self,
        hold: HoldName,
        lines: Sequence[tuple[str, Quantity]],
        *,
        order: str | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Move units into a new hold, of the same order or another; returns the new one."""
        return self._do_hold(Split(hold, lines, order, request_id=request_id), now)

    def relocate(
        self,
        hold: HoldName,
        sku: str,
        quantity: Quantity,
        *,
        source: str,
        destination: str,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Move promised units to another node: taken there and given back here in one step."""
        command = Relocate(hold, sku, quantity, source, destination, request_id=request_id)
        return self._do_hold(command, now)

    def take_back(
        self,
        hold: HoldName,
        lines: Sequence[tuple[str, Quantity]],
        *,
        node: str | None = None,
        state: str = "",
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Hold:
        """Take shipped units back, at ``node`` or where they came from.

        They can be promised again at once, unless ``state`` says what they are until
        somebody has looked at them ("returned"); :meth:`move` makes them available.
        """
        if request_id is not None and len(lines) != 1:
            raise InputError("take_back with a request_id takes one line at a time")
        detail: StockDetail = {"state": state} if state else {}
        commands = [TakeBack(hold, *line, node, detail, request_id=request_id) for line in lines]
        outcomes = self.execute(commands, now=now)
        for outcome in outcomes:
            outcome.result()
        return outcomes[-1].hold

    def enter_order(
        self,
        order: str,
        lines: Sequence[tuple[str, Quantity]],
        *,
        channel: str | None = None,
        by: Moment | None = None,
        priority: int = 0,
        strategy: str = "redistribute",
        segment: str = "",
        attributes: Mapping[str, str] | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Declare what was ordered, held or not: for :meth:`order` and :meth:`repromise`."""
        command = EnterOrder(
            order, lines, channel, by, priority, strategy, segment, attributes,
            request_id=request_id,
        )  # fmt: skip
        self._do(command, now)

    def order(self, order: str, *, now: Moment | None = None) -> OrderStatus:
        """Return what was ordered, and what of it is reserved and shipped."""
        state = self._writer.at_time(self._seconds(now))
        return order_status(self._writer, state, order)

    def repromise(
        self,
        orders: Sequence[str] | None = None,
        *,
        strategies: Mapping[str, str] | None = None,
        on_exception: str = "continue",
        now: Moment | None = None,
    ) -> Repromise:
        """Promise waiting orders anew, by strategy and priority.

        Parameters
        ----------
        orders : sequence of str, optional
            Orders entered with :meth:`enter_order`; by default all of them.
        strategies : mapping, optional
            Strategy by order, in place of the one it was entered with: win, gain, improve,
            redistribute, fill, lose or skip.
        on_exception : {"continue", "stop"}
            What to do when a win cannot be met in full or a gain would lose.

        Returns
        -------
        Repromise
            What each order has now, who lost, and what is free.
        """
        state = self._writer.at_time(self._seconds(now))
        result, commands = plan_repromise(
            self._writer, state, orders, strategies or {}, on_exception
        )
        for outcome in self.execute(commands, now=now):
            outcome.result()
        return result
