"""The engine's methods on choosing nodes: source, rank, reject and source again."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from omnistock.availability.arena import rows
from omnistock.availability.layout import (
    BACKORDER,
    BUFFER,
    COMMITTED,
    LIVE,
    ON_HAND,
    POINT_NODE,
    RESERVED,
)
from omnistock.engine.askers import AskerDetail
from omnistock.engine.chosen_commands import Reject, ReserveChosen
from omnistock.engine.commands import Moment, Quantity, RequestId
from omnistock.engine.hold_commands import Line
from omnistock.engine.methods import Methods
from omnistock.engine.results import Hold
from omnistock.errors import ConflictError, InputError, OutOfStock

if TYPE_CHECKING:
    from omnistock.engine.results import Promise
    from omnistock.engine.sourcing import OpenUnits, Rejection, Sourcing
    from omnistock.sourcing.routing import RoutingBook
    from omnistock.sourcing.strategies import Strategy

__all__ = ["SourcingMethods"]

# How often a plan is made anew because others took its units before it was reserved.
_MOST_TRIES = 5


class SourcingMethods(Methods):
    """Nodes for an order: by strategy, by rules, and anew after a rejection."""

    def source(
        self,
        lines: Sequence[Line],
        rules: Strategy | RoutingBook | None = None,
        *,
        order: str | None = None,
        ttl_s: int | None = None,
        requested_node: str | None = None,
        facts: Mapping[str, Any] | None = None,
        latitude: float | None = None,
        longitude: float | None = None,
        distances: Mapping[str, float] | None = None,
        exclude: Collection[str] = (),
        together: bool = False,
        request_id: RequestId | None = None,
        now: Moment | None = None,
        **asker: Unpack[AskerDetail],
    ) -> Sourcing:
        """Choose the nodes of an order; with ``order`` reserve it there.

        Parameters
        ----------
        lines : sequence of (sku, quantity), (sku, quantity, node) or OrderLine
            Equal SKUs are added up; a line with a node comes from there or not at all;
            kits become their components, or with ``together`` leave whole from one node each.
        rules : Strategy or RoutingBook, optional
            Default: fewest packages, then nodes by priority.
        order, ttl_s : optional
            Reserve what is planned under this name, all in one step. If others take units
            in between, the plan is made anew.
        requested_node : str, optional
            For the criterion ``requested``.
        facts : mapping, optional
            What conditions and the criterion ``same`` ask for: market, delivery, ...;
            channel, segment and attributes are known already.
        latitude, longitude, distances : optional
            Where to; or kilometres by node.
        exclude : collection of str
            Nodes that may not send.
        request_id : optional
            Of the reservation: the same id again gives the same hold, wherever its nodes are.

        Returns
        -------
        Sourcing
            The choice, which explains itself, and the hold if one was made.

        Raises
        ------
        OutOfStock
            With ``order``, if nothing at all can be sent.
        """
        from omnistock.engine import sourcing
        from omnistock.sourcing.strategies import Strategy

        writer = self._writer
        request = sourcing.as_request(
            writer, asker, facts, requested_node, latitude, longitude, distances
        )
        asked = repr((order, list(lines), requested_node, facts, sorted(exclude), asker, ttl_s))
        if order is not None and not together:
            sourcing.check_no_kits(writer, lines)
        if request_id is not None and order is None:
            raise InputError("a request id belongs to a reservation; give order=")
        if request_id is not None and writer.knows(request_id):
            again = ReserveChosen(order or "", [], asked=asked, request_id=request_id)
            return sourcing.Sourcing(None, self._do_hold(again, now))
        for attempt in range(_MOST_TRIES):
            state = writer.at_time(self._seconds(now))
            choice = sourcing.choose(
                writer, state, lines, rules or Strategy(), request, asker,
                exclude=exclude, together=together,
            )  # fmt: skip
            if order is None:
                break
            command = sourcing.reserve_command(
                order, choice, asker, ttl_s=ttl_s, together=together, asked=asked,
                request_id=request_id,
            )  # fmt: skip
            try:
                if request_id is not None:
                    # A refusal would be remembered under the request id: look before asking.
                    probe = dataclasses.replace(command, dry_run=True, request_id=None)
                    self._do_hold(probe, now)
                return sourcing.Sourcing(choice, self._do_hold(command, now))
            except OutOfStock:
                if attempt == _MOST_TRIES - 1:
                    raise
        return sourcing.Sourcing(choice)

    def rank_nodes(
        self,
        strategy: Strategy,
        lines: Sequence[Line] = (),
        *,
        requested_node: str | None = None,
        facts: Mapping[str, Any] | None = None,
        latitude: float | None = None,
        longitude: float | None = None,
        distances: Mapping[str, float] | None = None,
        exclude: Collection[str] = (),
        together: bool = False,
        now: Moment | None = None,
        **asker: Unpack[AskerDetail],
    ) -> list[str]:
        """Return the nodes that may serve an asker, best first by a strategy's criteria.

        Without ``lines`` stock does not count; with them it does, added up over the lines.
        """
        from omnistock.engine import sourcing
        from omnistock.engine.candidates import gather
        from omnistock.sourcing import strategies

        writer = self._writer
        request = sourcing.as_request(
            writer, asker, facts, requested_node, latitude, longitude, distances
        )
        state = writer.at_time(self._seconds(now))
        wanted = sourcing.wanted_of(writer, lines, together).units if lines else {}
        offer = gather(writer, state, wanted, asker, together=together, exclude=exclude)
        return strategies.rank_nodes(strategy, offer.candidates, request)

    def reject(
        self,
        hold: Hold | int | str,
        sku: str,
        quantity: Quantity,
        *,
        node: str,
        rules: Strategy | RoutingBook | None = None,
        missing: bool = True,
        facts: Mapping[str, Any] | None = None,
        latitude: float | None = None,
        longitude: float | None = None,
        distances: Mapping[str, float] | None = None,
        exclude: Collection[str] = (),
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> Rejection:
        """Say that a node will not send units of a hold, and source them again elsewhere.

        The units move to other nodes for the same date, all in one frame. What no other
        node has for that date is promised for the first later one that has it; the rest
        of it is given up. The node itself is left out, now as later.

        Parameters
        ----------
        quantity
            Units of a stocked SKU that the hold has open at ``node``.
        rules : Strategy or RoutingBook, optional
            As for :meth:`source`; nodes that send other units of the hold come first where
            all else is equal.
        missing : bool
            Whether the units were not found: on hand at the node becomes so much less, and
            nobody is promised them again. False: they are there, and the node is only busy.
        exclude : collection of str
            Other nodes that have rejected the line before.

        Returns
        -------
        Rejection

        Raises
        ------
        ConflictError
            If the hold has fewer open units there.
        """
        from omnistock.engine import sourcing
        from omnistock.sourcing.strategies import Strategy

        writer = self._writer
        away = {node, *exclude}
        number = self._hold_number(hold)
        asked = repr((number, sku, str(quantity), node, missing))
        if request_id is not None and writer.knows(request_id):
            again = Reject(number, sku, node, asked=asked, request_id=request_id)
            return sourcing.Rejection(self._do_hold(again, now), None, ())
        given_up = 0
        for attempt in range(_MOST_TRIES):
            state = writer.at_time(self._seconds(now))
            held = sourcing.open_units(writer, state, number, sku, node)
            # A try whose moves come too late has given up its rest nevertheless.
            units = sourcing.checked_units(writer, held, sku, node, quantity, given_up)
            request = sourcing.as_request(
                writer, held.asker, facts, None, latitude, longitude, distances
            )
            choice = sourcing.choose(
                writer, state, [(sku, units)], rules or Strategy(), request, held.asker,
                exclude=away, first=held.other_nodes,
            )  # fmt: skip
            # On hand is lowered with the first try; later ones only look for other nodes. A
            # refusal is remembered under the request id, so only the first one has it.
            command = sourcing.reject_command(
                held, sku, node, choice, missing=missing and attempt == 0, asked=asked,
                request_id=request_id if attempt == 0 else None,
            )  # fmt: skip
            given_up += command.given_up
            try:
                rejected = self._do_hold(command, now)
                break
            except OutOfStock:
                if attempt == _MOST_TRIES - 1:
                    raise
        later = None
        short = given_up
        if short:
            later = self._later(held, sku, short, away, now)
        return sourcing.Rejection(
            hold=rejected,
            choice=choice,
            moved=(*choice.lines, *choice.backordered),
            later=None if later is None else later.hold,
            later_date=None if later is None else later.deliveries[-1].date,
            short=short if later is None else 0,
        )

    def purchase_blocked(
        self, sku: str, *, nodes: Collection[str] = (), now: Moment | None = None
    ) -> bool:
        """Whether the network has enough of a SKU, so that nothing need be bought.

        True while what is on hand over all nodes (or those named) and not promised exceeds
        the sum of their safety stocks: a node that is short can be supplied by the others.
        """
        writer = self._writer
        state = writer.at_time(self._seconds(now))
        code = writer.registry.stocked_sku(sku)
        wanted = {writer.registry.node(one) for one in nodes}
        table = rows(state, "points")
        free = kept = 0
        for s in writer.book.points_of(code):
            point = table[s]
            if wanted and int(point[POINT_NODE]) not in wanted:
                continue
            free += int(point[ON_HAND] - point[RESERVED] - point[COMMITTED])
            kept += int(state.records[s, BUFFER] + point[BACKORDER])
        return free > kept

    def _later(
        self, held: OpenUnits, sku: str, units: int, away: Collection[str], now: Moment | None
    ) -> Promise | None:
        """Promise what no other node has in time for the first date that has it, if any."""
        from omnistock.engine.candidates import serving_nodes

        writer = self._writer
        codes = serving_nodes(writer, held.asker, away)
        if not codes:
            return None
        nodes = tuple(writer.registry.node_list[code].node for code in codes)
        asker: AskerDetail = {**held.asker, "nodes": nodes}
        found = self.promise(sku, units, now=now, **asker)
        if found.short:
            return None
        return self.promise(sku, units, order=held.order, now=now, **asker)

    def _hold_number(self, hold: Hold | int | str) -> int:
        """Number of a hold: a :class:`Hold`, its number, or the order of a single live one."""
        if isinstance(hold, Hold):
            return hold.hold_id
        if isinstance(hold, int):
            return hold
        book = self._writer.book
        found = book.of_order(hold)
        if len(found) == 1:
            return found[0]
        live = [one for one in found if book.status(one) in LIVE]
        if len(live) != 1:
            raise ConflictError(f"order {hold!r} has open holds {live}; name one of them")
        return live[0]
