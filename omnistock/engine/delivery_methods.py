"""The engine's methods on when an order leaves, arrives or can be collected."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

from omnistock.availability.arena import State
from omnistock.availability.layout import BUCKET, N_BUCKETS
from omnistock.engine import promises
from omnistock.engine.askers import AskerDetail, OtherAskerDetail
from omnistock.engine.candidates import serving_nodes
from omnistock.engine.commands import Moment, Quantity
from omnistock.engine.hold_commands import Line, Reserve, as_line
from omnistock.engine.methods import Methods
from omnistock.errors import InputError
from omnistock.model import Transit
from omnistock.model.calendar import to_seconds

__all__ = ["CollectionPart", "CollectionPromise", "DeliveryMethods", "DeliveryPromise"]


@dataclass(frozen=True, slots=True)
class DeliveryPromise:
    """From which node an order leaves when, and the day on which it arrives.

    ``ship`` is an ISO time in the node's time zone, ``deliver`` a date. A node without a
    schedule ships on the day itself.
    """

    node: str
    ship: str
    deliver: str


@dataclass(frozen=True, slots=True)
class CollectionPart:
    """Units of a collection: on hand at the node (``source`` is its name), "inbound", or sent."""

    source: str
    quantity: int


@dataclass(frozen=True, slots=True)
class CollectionPromise:
    """The first day on which a quantity can be collected at a node, and what it is made of."""

    node: str
    date: str
    parts: tuple[CollectionPart, ...]


class DeliveryMethods(Methods):
    """Promise dates of deliveries and collections, by schedules, transit and transfers."""

    def promise_delivery(
        self,
        lines: Sequence[Line],
        *,
        transit: Transit | int | Mapping[str, Transit | int] = 0,
        now: Moment | None = None,
        **asker: Unpack[AskerDetail],
    ) -> DeliveryPromise | None:
        """Say when an order that leaves whole from one node would arrive at the earliest.

        Cut-off, processing, the next carrier pickup, transit and the days of delivery, in
        the node's time zone; from the moment from which the node has all the lines.

        Parameters
        ----------
        transit : Transit or int, or mapping of node to one
            Calendar days on the way; nodes that a mapping lacks do not deliver.
        node, nodes, channel, ... : optional
            Which nodes may send. Among equally early ones the node of smallest priority.

        Returns
        -------
        DeliveryPromise or None
            None if no node can send all within the horizon.
        """
        state, moment = self._moment(now)
        best: tuple[dt.date, str] | None = None
        found: DeliveryPromise | None = None
        for code in serving_nodes(self._writer, asker):
            node = self._writer.registry.node_list[code]
            way = transit.get(node.node) if isinstance(transit, Mapping) else transit
            ready = self._from_when(state, lines, {**asker, "node": node.node}, moment)
            if way is None or ready is None:
                continue
            way = Transit(way) if isinstance(way, int) else way
            shipped = self._calendar_time(ready)
            if node.schedule is not None:
                leaves = node.schedule.ship_time(ready)
                if leaves is None:
                    continue
                shipped = leaves
            arrives = way.arrival(shipped.date())
            key = arrives, shipped.astimezone(dt.UTC).isoformat()
            if best is None or key < best:
                best = key
                ship = shipped.isoformat(timespec="minutes")
                found = DeliveryPromise(node.node, ship, arrives.isoformat())
        return found

    def pickup_nodes(
        self, lines: Sequence[Line], *, now: Moment | None = None, **asker: Unpack[AskerDetail]
    ) -> list[str]:
        """Return the nodes at which an order can be collected, by priority.

        A node of pickup "local" must have all lines itself; at one of pickup "any" the lines
        may come from all nodes that serve the asker.
        """
        registry = self._writer.registry
        self._writer.at_time(self._seconds(now))
        anywhere: bool | None = None
        found = []
        for code in serving_nodes(self._writer, asker):
            node = registry.node_list[code]
            if node.pickup == "any":
                if anywhere is None:
                    anywhere = self._could_hold(lines, asker, None, now)
                if anywhere:
                    found.append(node.node)
            elif node.pickup == "local" and self._could_hold(lines, asker, node.node, now):
                found.append(node.node)
        return found

    def pickup_promise(
        self,
        sku: str,
        quantity: Quantity,
        *,
        node: str,
        transfer_days: Mapping[str, int] | None = None,
        channel: str | None = None,
        now: Moment | None = None,
        **asker: Unpack[OtherAskerDetail],
    ) -> CollectionPromise | None:
        """Say on which day a quantity can be collected at a node at the earliest.

        What lies there, then what is due to arrive there, then what other nodes send.

        Parameters
        ----------
        transfer_days : mapping of node to int, optional
            Days that goods take from other nodes; from no others is anything sent.

        Returns
        -------
        CollectionPromise or None
            None if not within the horizon. By days, with a schedule of the node from the
            first day on which an order of this moment can be collected.
        """
        if "by" in asker:
            raise InputError("pickup_promise finds the date itself; leave by= out")
        writer = self._writer
        state, moment = self._moment(now)
        registry = writer.registry
        place = registry.node_list[registry.node(node)]
        units = registry.sku_list[registry.sku(sku)].smallest_units(quantity)
        if units < 1:
            raise InputError(f"SKU {sku!r}: quantity must be >= 1, got {quantity}")
        detail: AskerDetail = {"channel": channel, "node": node, **asker}
        current = int(state.stock[BUCKET])
        first = current
        if place.schedule is not None:
            day = place.schedule.collection_day(moment)
            start = to_seconds(day, place.schedule.time_zone)
            first = max(current, registry.calendar.bucket_of(start))
        sources = sorted((transfer_days or {}).items(), key=lambda one: one[1])
        for source, days in sources:
            registry.node(source)
            if days < 0:
                raise InputError(f"transfer_days of {source!r} must be >= 0, got {days}")
        for bucket in range(first, current + int(state.stock[N_BUCKETS])):
            parts = self._parts(state, sku, units, bucket, node, sources, detail)
            if sum(one.quantity for one in parts) >= units:
                return CollectionPromise(node, registry.calendar.label(bucket), tuple(parts))
        return None

    def _parts(
        self, state: State, sku: str, units: int, bucket: int, node: str,
        sources: Sequence[tuple[str, int]], asker: AskerDetail,
    ) -> list[CollectionPart]:  # fmt: skip
        """What can be at a node in a bucket: on hand, arrived, and sent there in time."""
        current = int(state.stock[BUCKET])
        calendar = self._writer.registry.calendar
        here = self._free(sku, {**asker, "node": node}, current)
        then = self._free(sku, {**asker, "node": node}, bucket)
        offers = [(node, min(here, then)), ("inbound", max(0, then - here))]
        for source, days in sources:
            sent = calendar.bucket_of(calendar.start_of(bucket) - 86_400 * days)
            if source != node and sent >= current:
                offers.append((source, self._free(sku, {**asker, "node": source}, sent)))
        parts = []
        left = units
        for source, have in offers:
            part = min(left, have)
            if part > 0:
                parts.append(CollectionPart(source, part))
                left -= part
        return parts

    def _free(self, sku: str, detail: AskerDetail, bucket: int) -> int:
        from omnistock.engine.reads import question

        asked = question(self._writer, sku, detail)
        return promises.available_at(self._writer, self._writer.state, asked, bucket)

    def _could_hold(
        self, lines: Sequence[Line], asker: AskerDetail, node: str | None, now: Moment | None
    ) -> bool:
        """Whether an order could be reserved whole, at one node or over all."""
        placed = [dataclasses.replace(as_line(one), node=node) for one in lines]
        command = Reserve(
            "(asked)", placed, channel=asker.get("channel"), segment=asker.get("segment", ""),
            attributes=asker.get("attributes"), nodes=asker.get("nodes", ()), by=asker.get("by"),
            dry_run=True,
        )  # fmt: skip
        return self.execute([command], now=now)[0].ok

    def _from_when(
        self, state: State, lines: Sequence[Line], detail: AskerDetail, moment: int
    ) -> int | None:
        """The first second from which a node has all lines of an order, None if never."""
        writer = self._writer
        read = promises.group_lines(writer, state, [as_line(one) for one in lines], detail)
        found = promises.plan_group(writer, writer.state, read, "ship_together")
        dates = [one.deliveries[-1].date for one in found.promises if one.deliveries]
        if any(one.short for one in found.promises) or not dates:
            return None
        calendar = writer.registry.calendar
        label = max(dates)
        if label == calendar.label(int(state.stock[BUCKET])):
            return moment
        return to_seconds(label, calendar.time_zone)

    def _moment(self, now: Moment | None) -> tuple[State, int]:
        """The state at a moment, and that moment."""
        given = self._seconds(now)
        moment = self._writer.clock() if given is None else given
        return self._writer.at_time(given), moment

    def _calendar_time(self, seconds: int) -> dt.datetime:
        from zoneinfo import ZoneInfo

        zone = ZoneInfo(self._writer.registry.calendar.time_zone)
        return dt.datetime.fromtimestamp(seconds, zone)
