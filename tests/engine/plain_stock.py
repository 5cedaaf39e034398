"""Stock of a retailer in plain Python: what lies where, what is due, and what balance that makes.

No look-ahead minima, no records: every balance is added up anew from lists of receipts
and promises. Days are whole days from 1970 on; a receipt or promise is due on a day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

DAY = 86_400
HORIZON = 6
# What has no end: supply beyond a fence, and SKUs of which no stock is kept.
PLENTY = 10**9
BIG = 10**7
LIVE = ("held", "confirmed", "picking")


class Compartment(NamedTuple):
    """Stock of one SKU at one node that is alike in every respect."""

    state: str = "available"
    segment: str = ""
    lot: str = ""
    owner: str = ""
    expires: int = 0
    received: int = 0

    def detail(self) -> dict:
        """The keywords that name it to the engine."""
        words = {"state": self.state, "segment": self.segment, "lot": self.lot, "owner": self.owner}
        detail = {name: word for name, word in words.items() if word not in ("", "available")}
        if self.expires:
            detail["expiry"] = self.expires
        if self.received:
            detail["received"] = self.received
        return detail


COMMON = Compartment()


class Place(NamedTuple):
    """A compartment of a SKU at a node."""

    sku: str
    node: str
    compartment: Compartment = COMMON


class Asker(NamedTuple):
    """Who asks."""

    channel: str = ""
    segment: str = ""
    attributes: tuple = ()
    nodes: tuple = ()

    def fits(self, match: tuple) -> bool:
        mine = {"channel": self.channel, **dict(self.attributes)}
        return all(value in ("*", mine.get(name)) for name, value in match)

    def keywords(self) -> dict:
        """The keywords that name it to the engine."""
        return {
            "channel": self.channel or None,
            "segment": self.segment,
            "attributes": dict(self.attributes),
            "nodes": self.nodes,
        }


@dataclass
class Point:
    """What a place has, what is kept back there, and what it may promise beyond stock."""

    on_hand: int = 0
    buffer: int = 0
    percent: int = 0
    later_buffers: dict = field(default_factory=dict)
    backorder: int = 0
    off: bool = False


@dataclass
class PlainLine:
    """Units of a hold at a place."""

    place: Place
    day: int
    open: int
    asked: str
    per: int
    shipped: int = 0
    back: int = 0


@dataclass
class PlainHold:
    """A hold; ``lent`` while a question is asked as if it had never been."""

    number: int
    order: str
    status: str
    asker: Asker
    expires: int | None
    lines: list
    counts_as: int = 0
    lent: bool = False
    at_node: bool = False

    @property
    def live(self) -> bool:
        return self.status in LIVE and not self.lent

    def close(self) -> None:
        """A hold without open units is over."""
        if not any(line.open for line in self.lines):
            shipped = any(line.shipped for line in self.lines)
            self.status = "shipped" if shipped else "released"


@dataclass
class PlainStock:
    """Places, receipts and holds; ``nodes`` in the order of their priority."""

    nodes: tuple
    kits: dict
    untracked: frozenset = frozenset()
    fences: dict = field(default_factory=dict)
    overdue: tuple = (0, 0)
    now: int = 0
    points: dict = field(default_factory=dict)
    receipts: dict = field(default_factory=dict)
    holds: list = field(default_factory=list)
    off: set = field(default_factory=set)
    # What every node of a SKU keeps back or may promise beyond stock, once it has the SKU.
    everywhere: dict = field(default_factory=dict)
    # Of each (place, source): the last snapshot's number, and later deltas by number.
    feeds: dict = field(default_factory=dict)

    @property
    def today(self) -> int:
        return self.now // DAY

    def point(self, place: Place) -> Point:
        """The point of a place, opened if it is new."""
        if place not in self.points:
            point = self.points[place] = Point()
            if place.compartment == COMMON:
                point.buffer = self.everywhere.get((place.sku, "buffer"), 0)
                point.backorder = self.everywhere.get((place.sku, "backorder"), 0)
            elif any(sku == place.sku for sku, _ in self.everywhere):
                # What a node keeps back it keeps once, in its common stock.
                self.point(place._replace(compartment=COMMON))
            common = self.points.get(place._replace(compartment=COMMON))
            point.off = common is not None and common.off
        return self.points[place]

    def places(self, sku: str, node: str | None = None) -> list:
        """Places of a SKU in the order in which stock leaves: node, expiry, receipt."""
        found = [one for one in self.points if one.sku == sku and node in (None, one.node)]
        return sorted(
            found,
            key=lambda one: (
                self.nodes.index(one.node),
                one.compartment.expires or PLENTY * 10,
                one.compartment.received,
            ),
        )

    def pass_time(self, now: int) -> None:
        self.now = max(self.now, now)
        for hold in self.holds:
            if hold.status == "held" and hold.expires <= self.now:
                hold.status = "expired"
        for point in self.points.values():
            for day in sorted(point.later_buffers):
                if day <= self.today:
                    point.buffer, point.percent = point.later_buffers.pop(day), 0

    def counts_on(self, due: int | None) -> int:
        """The day on which a receipt counts; beyond every horizon if it does not."""
        if due is None or due < self.today - self.overdue[0]:
            return PLENTY
        return due if due >= self.today else self.today + self.overdue[1]

    def balance(self, place: Place, day: int) -> int:
        """On hand, plus what comes in up to a day, less what is promised up to it."""
        units = self.points[place].on_hand
        for (_, at), (due, remaining) in self.receipts.items():
            if at == place and self.counts_on(due) <= day:
                units += remaining
        for hold in self.holds:
            if hold.live:
                for line in hold.lines:
                    if line.place == place and line.day <= max(day, self.today):
                        units -= line.open
        return units

    def days(self) -> range:
        return range(self.today, self.today + HORIZON)

    def clipped(self, day: int) -> int:
        """A day within the horizon: what is overdue is due now, what is far off at its end."""
        return min(max(day, self.today), self.today + HORIZON - 1)

    def unpromised(self, place: Place) -> int:
        """What may leave without breaking a promise, buffers left out."""
        return min(self.balance(place, day) for day in self.days())

    def buffer_on(self, place: Place, day: int) -> int:
        """Units kept back on a day: those set for a day hold from then on, until others do."""
        point = self.points[place]
        passed = [one for one in point.later_buffers if one <= day]
        if passed:
            return point.later_buffers[max(passed)]
        return point.buffer - (-max(0, point.on_hand) * point.percent // 100)

    def raw(self, place: Place, day: int) -> int:
        """The most that leaves no later day short, against the buffer of today."""
        fence = self.fences.get(place.sku)
        if fence is not None and day >= self.today + fence:
            return PLENTY
        last = self.today + (HORIZON if fence is None else min(HORIZON, fence))
        today = self.buffer_on(place, self.today)
        return min(
            self.balance(place, later) - (self.buffer_on(place, later) - today)
            for later in range(day, last)
        )

    def reserved(self, place: Place, statuses: tuple) -> int:
        """Open units at a place of holds in some statuses."""
        return sum(
            line.open
            for hold in self.holds
            if hold.status in statuses
            for line in hold.lines
            if line.place == place
        )

    def components(self, sku: str) -> dict:
        return self.kits.get(sku, {sku: 1})

    def live_of(self, order: str) -> list:
        return [hold for hold in self.holds if hold.order == order and hold.status in LIVE]
