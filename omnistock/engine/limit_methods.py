"""The engine's methods on what stands between stock and a promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnistock.availability import layout
from omnistock.availability.arena import rows
from omnistock.engine.askers import PREORDER_NODE
from omnistock.engine.commands import Command, Moment, Quantity, RequestId
from omnistock.engine.hold_commands import Reserve
from omnistock.engine.limit_commands import (
    SetBackorder,
    SetBuffer,
    SetCapacity,
    SetLimit,
    SetNode,
)
from omnistock.engine.methods import Methods
from omnistock.engine.stock_commands import Issue, Move
from omnistock.errors import InputError, OutOfStock, Shortage

__all__ = ["LimitMethods"]

Percent = float | str | Decimal | int
Group = str | Sequence[str]


def group_name(group: Group) -> str:
    """A group's path as the name of its segment."""
    return group if isinstance(group, str) else "/".join(group)


class LimitMethods(Methods):
    """Buffers, backorders, preorders, quotas, protections, ring-fences, switches."""

    def set_buffer(
        self,
        sku: str,
        quantity: Quantity | None = None,
        *,
        node: str | None = None,
        channel: str | None = None,
        percent: Percent | None = None,
        days_of_cover: Percent | None = None,
        demand_per_day: Percent | None = None,
        since: Moment | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Keep units back.

        At a ``node`` from everyone; from a ``channel`` over all its nodes; from a channel
        at a node (the larger of this and the node's buffer counts, never both); or, with
        neither, at every node that has the SKU or will.

        Parameters
        ----------
        quantity, percent, days_of_cover : one of them
            Units; a share of on hand, rounded up; or so many days of ``demand_per_day``.
        since : optional
            From when on it is in force, at a node.
        """
        command = SetBuffer(
            sku, quantity, node, channel, percent, days_of_cover, demand_per_day, since,
            request_id=request_id,
        )  # fmt: skip
        self._do(command, now)

    def set_backorder(
        self,
        sku: str,
        quantity: Quantity | None,
        *,
        node: str | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Allow units to be promised beyond stock, at a node or everywhere; None: any number."""
        self._do(SetBackorder(sku, quantity, node, request_id=request_id), now)

    def set_preorder(
        self,
        sku: str,
        quantity: Quantity,
        *,
        channel: str | None = None,
        until: Moment | None = None,
        now: Moment | None = None,
    ) -> None:
        """Sell what is not there yet, up to a limit of a channel or of all together.

        Preorders are promised at a node of their own and can be relocated to where stock
        comes in. ``until`` ends a channel's limit; what is left of all limits may still be sold
        before it is there, until they are set to 0.
        """
        from omnistock.model import Network, Node

        writer = self._writer
        registry = writer.registry
        code = registry.stocked_sku(sku)
        units = registry.sku_list[code].smallest_units(quantity)
        if units < 0:
            raise InputError(f"SKU {sku!r}: quantity must be >= 0, got {quantity}")
        if channel is not None:
            registry.channel(channel)
        known = writer.registry.network()
        nodes = dict(known.nodes)
        nodes.setdefault(PREORDER_NODE, Node(PREORDER_NODE, kind="virtual", priority=1 << 20))
        writer.define(
            Network(known.skus, nodes, known.channels, calendar=known.calendar),
            preorder=(code, "preorder" if channel is None else f"preorder:{channel}", units),
        )
        commands: list[Command] = []
        if channel is None:
            commands.append(SetBackorder(sku, quantity, PREORDER_NODE))
        else:
            if (code, "preorder") not in registry.defaults:
                # All channels' limits together: none can sell more than was set for all.
                limits = (
                    given[0]
                    for (one, what), given in registry.defaults.items()
                    if one == code and what.startswith("preorder:")
                )
                commands.append(SetBackorder(sku, sum(limits), PREORDER_NODE))
            commands.append(SetLimit("quota", sku, channel, quantity, until))
        for outcome in self.execute(commands, now=now):
            outcome.result()

    def set_quota(
        self,
        sku: str,
        channel: str | None = None,
        quantity: Quantity | None = None,
        *,
        match: Mapping[str, str] | None = None,
        percent: Percent | None = None,
        base: str = "total",
        priority: int = 0,
        until: Moment | None = None,
        period: tuple[Moment, Moment] | None = None,
        window: tuple[int, int] = (0, 0),
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Set the most that a channel, or whoever fits ``match``, may take; None lifts it.

        A quota is a ceiling: it keeps nothing for those it is about, and does not
        restrict those it does not fit. Several quotas hold together.

        Parameters
        ----------
        match : mapping, optional
            Attributes of the asker with the value each must have, or "*".
        percent, base : optional
            A share instead of a quantity: of all supply ("total"), or of what the shares
            of higher ``priority`` (smaller numbers) have not taken ("remaining").
        period, window : optional
            The quota is about what is due in [from, until); with a window, the rest of so
            many periods before and after may be used as well.
        """
        command = SetLimit(
            "quota", sku, channel, quantity, until, match, percent, base, priority, None, period,
            window, request_id=request_id,
        )  # fmt: skip
        self._do(command, now)

    def set_protection(
        self,
        sku: str,
        channel: str | None = None,
        quantity: Quantity = 0,
        *,
        match: Mapping[str, str] | None = None,
        priority: int = 0,
        segment: str | None = None,
        until: Moment | None = None,
        period: tuple[Moment, Moment] | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Protect units for a channel, or for whoever fits ``match``.

        A protection is a floor: others see stock less what it has not yet taken. An asker
        who has a protection of its own respects those of equal or higher ``priority``
        (smaller numbers) only. With ``segment`` it is about that segment's stock alone.
        """
        command = SetLimit(
            "protection", sku, channel, quantity, until, match, None, "total", priority, segment,
            period, request_id=request_id,
        )  # fmt: skip
        self._do(command, now)

    def protected(
        self, sku: str, channel: str | None = None, *, match: Mapping[str, str] | None = None
    ) -> int:
        """Return the units still protected for a channel, or for whoever fits ``match``."""
        registry = self._writer.registry
        code = registry.stocked_sku(sku)
        wanted = {str(key): str(value) for key, value in (match or {}).items()}
        if channel is not None:
            wanted["channel"] = channel
        condition = registry.matches.get(tuple(sorted(wanted.items())))
        table = rows(self._writer.at_time(None), "limits")
        total = 0
        for key, row in registry.limits.items():
            if key[:3] == (code, layout.PROTECTION, condition):
                left = table[row, layout.LIMIT_UNITS] - table[row, layout.LIMIT_USED]
                total += max(0, int(left))
        return total

    def set_node(
        self,
        node: str,
        active: bool,
        *,
        sku: str | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Switch a node, or one SKU at it, off or on for promising, at once; quantities stay."""
        self._do(SetNode(node, active, sku, request_id=request_id), now)

    def set_capacity(
        self,
        node: str,
        units: int | None,
        *,
        on: Moment | None = None,
        busy: int = 0,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> None:
        """Set how many units a node can handle in a bucket, all SKUs together; None: any number.

        Whatever is promised from the node counts for the bucket it is due in, in the same
        step in which the stock is taken, and comes back when it is released; what has been
        shipped stays counted. A capacity below what is promised takes nothing back.

        Parameters
        ----------
        units : int, optional
            Smallest units in every bucket, or in the one that ``on`` lies in.
        on : optional
            The bucket, within the horizon; None for ``units`` then means as in all others.
        busy : int
            With ``on``: units that work outside of this engine takes.
        """
        self._do(SetCapacity(node, units, on, busy, request_id=request_id), now)

    def capacity_left(
        self, node: str, *, on: Moment | None = None, now: Moment | None = None
    ) -> int | None:
        """Return the units that a node can still handle in a bucket; None without a limit."""
        from omnistock.engine.candidates import capacities
        from omnistock.engine.promises import first_bucket

        writer = self._writer
        state = writer.at_time(self._seconds(now))
        left, _ = capacities(state, [writer.registry.node(node)], first_bucket(writer, state, on))
        return None if left[0] < 0 else int(left[0])

    # --- ring-fences -----------------------------------------------------

    def allocate(
        self,
        sku: str,
        group: Group,
        quantity: Quantity,
        *,
        node: str | None = None,
        now: Moment | None = None,
    ) -> int:
        """Ring-fence free units for a group; returns the units left to allocate.

        ``group`` is a name or a path of names. What is ring-fenced can be had by askers of
        that ``segment`` alone.
        """
        units = self._smallest(sku, quantity)
        self._fence(sku, units, node, "", group_name(group), now)
        return self.available_to_allocate(sku, node=node)

    def unallocate(
        self,
        sku: str,
        group: Group,
        quantity: Quantity,
        *,
        node: str | None = None,
        now: Moment | None = None,
    ) -> int:
        """Give ring-fenced units back to everybody; returns the units left to allocate."""
        self._fence(sku, self._smallest(sku, quantity), node, group_name(group), "", now)
        return self.available_to_allocate(sku, node=node)

    def reallocate(
        self,
        sku: str,
        source_group: Group,
        target_group: Group,
        quantity: Quantity,
        *,
        node: str | None = None,
        now: Moment | None = None,
    ) -> None:
        """Move ring-fenced units from one group to another, in one step."""
        units = self._smallest(sku, quantity)
        self._fence(sku, units, node, group_name(source_group), group_name(target_group), now)

    def consume(
        self,
        sku: str,
        group: Group,
        quantity: Quantity,
        *,
        node: str | None = None,
        hold_order: str | None = None,
        now: Moment | None = None,
    ) -> None:
        """Take ring-fenced units out of stock; or, with ``hold_order``, hold them for an order."""
        segment = group_name(group)
        units = self._smallest(sku, quantity)
        parts = self._fenced_parts(sku, segment, node, units)
        if hold_order is not None:
            lines = [(sku, part, place) for place, part in parts]
            self._do_hold(Reserve(hold_order, lines, segment=segment), now)
            return
        commands = [Issue(sku, place, part, detail={"segment": segment}) for place, part in parts]
        for outcome in self.execute(commands, now=now):
            outcome.result()

    def ring_fenced(self, sku: str, group: Group = ()) -> int:
        """Return the free units ring-fenced for a group and all groups below it."""
        prefix = group_name(group)
        total = 0
        for segment, _, units in self._segments(sku):
            inside = segment == prefix or segment.startswith(prefix + "/") or not prefix
            total += units if segment and inside else 0
        return total

    def available_to_allocate(self, sku: str, *, node: str | None = None) -> int:
        """Return the units that are nobody's yet."""
        return sum(
            units
            for segment, place, units in self._segments(sku)
            if not segment and node in (None, place)
        )

    def _smallest(self, sku: str, quantity: Quantity) -> int:
        registry = self._writer.registry
        units = registry.sku_list[registry.stocked_sku(sku)].smallest_units(quantity)
        if units < 1:
            raise InputError(f"SKU {sku!r}: quantity must be >= 1, got {quantity}")
        return units

    def _segments(self, sku: str) -> list[tuple[str, str, int]]:
        """(segment, node, free units) of each sellable stockpoint without lot or owner."""
        writer = self._writer
        registry = writer.registry
        points = rows(writer.at_time(None), "points")
        found = []
        mine = writer.book.points_of(registry.stocked_sku(sku))
        for s, free in zip(mine, writer.book.may_leave(mine), strict=True):
            one = registry.compartment_list[points[s, layout.POINT_TAG]]
            if one.state == "available" and not one.lot and not one.owner:
                node = registry.node_list[points[s, layout.POINT_NODE]].node
                found.append((one.segment, node, free))
        return found

    def _fenced_parts(
        self, sku: str, segment: str, node: str | None, units: int
    ) -> list[tuple[str, int]]:
        """Nodes and units to take ``units`` of a segment from, in the order of the nodes."""
        parts = []
        left = units
        have = 0
        for name, place, free in self._segments(sku):
            if name == segment and node in (None, place):
                have += free
                part = min(free, left)
                if part:
                    parts.append((place, part))
                    left -= part
        if left:
            short = Shortage(sku, units, have, "segment" if segment else "stock", node)
            raise OutOfStock(segment or "allocation", (short,))
        return parts

    def _fence(
        self, sku: str, units: int, node: str | None, source: str, target: str,
        now: Moment | None,
    ) -> None:  # fmt: skip
        """Move units between segments, at a node or over nodes, all in one frame."""
        commands = [
            Move(
                sku, place, part, {"segment": target} if target else {},
                {"segment": source} if source else {},
            )
            for place, part in self._fenced_parts(sku, source, node, units)
        ]  # fmt: skip
        for outcome in self.execute(commands, now=now):
            outcome.result()

    # --- many rows at once -----------------------------------------------

    def set_buffers(self, table: Any, *, now: Moment | None = None) -> None:
        """Set buffers from a table (sku, node or channel or both, quantity), all rows or none."""
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
