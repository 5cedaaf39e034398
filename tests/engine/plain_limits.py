"""Quotas, protections and buffers of askers in plain Python.

What a limit has used is never kept: it is added up anew from the holds made since the
limit was set, and from what was sold without a hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from plain_stock import Asker, PlainStock


@dataclass
class Limit:
    """A ceiling (quota), a floor (protection) or a buffer of those whom ``match`` fits."""

    kind: str
    sku: str
    match: tuple
    units: int | None
    percent: int | None = None
    of_remaining: bool = False
    priority: int = 0
    until: int | None = None
    segment: str | None = None
    period: tuple | None = None
    window: tuple = (0, 0)
    place: object = None
    since: int = 0
    sold: int = 0

    @property
    def key(self) -> tuple:
        start = self.period[0] if self.period else 0
        return self.kind, self.sku, self.match, start, self.segment, self.place

    def covers(self, day: int) -> bool:
        return self.period is None or self.period[0] <= day < self.period[1]


@dataclass
class PlainLimits(PlainStock):
    """Stock with limits on it."""

    limits: dict = field(default_factory=dict)
    # By node: units by day, and under None those of every other day; None is no limit.
    capacities: dict = field(default_factory=dict)
    # Units that a day's holds had shipped already when the node was first limited.
    shipped_before: dict = field(default_factory=dict)

    def set_capacity(self, node: str, day: int | None, units: int | None) -> None:
        """What a node can handle on a day, or on all others."""
        if node not in self.capacities:
            self.capacities[node] = {None: None}
            for line in self._lines_at(node):
                key = node, line[0].day
                self.shipped_before[key] = self.shipped_before.get(key, 0) + line[0].shipped
        if units is None and day is not None:
            self.capacities[node].pop(day, None)
        else:
            self.capacities[node][day] = units

    def _lines_at(self, node: str) -> list:
        return [
            (line, hold) for hold in self.holds for line in hold.lines if line.place.node == node
        ]

    def capacity_left(self, node: str, day: int) -> int | None:
        """Units that a node can still handle on a day; None without a limit."""
        days = self.capacities.get(node, {None: None})
        units = days.get(day, days[None])
        if units is None or day < self.today:
            return None
        work = -self.shipped_before.get((node, day), 0)
        for line, hold in self._lines_at(node):
            if line.day == day:
                work += line.shipped + (line.open if hold.live else 0)
        return max(0, units - work)

    def set_limit(self, limit: Limit) -> None:
        """A limit that is set begins to count anew."""
        limit.since = len(self.holds)
        self.limits[limit.key] = limit

    def of_kind(self, kind: str, sku: str) -> list:
        """Limits of a SKU that are in force."""
        return [
            one
            for one in self.limits.values()
            if (one.kind, one.sku) == (kind, sku)
            and (one.until is None or one.until > self.now)
            and (one.units is not None or one.percent is not None)
        ]

    def used(self, limit: Limit) -> int:
        """Units taken since the limit was set: promised now, shipped, or sold on the spot."""
        units = limit.sold
        for hold in self.holds:
            if hold.counts_as >= limit.since and hold.asker.fits(limit.match):
                for line in hold.lines:
                    if line.place.sku == limit.sku and self._counts(limit, line.place, line.day):
                        units += line.shipped + (line.open if hold.live else 0)
        return units

    @staticmethod
    def _counts(limit: Limit, place, day: int) -> bool:
        segment = place.compartment.segment
        return limit.covers(day) and limit.segment in (None, segment)

    def sold_without_hold(self, place, asker: Asker, units: int) -> None:
        for limit in self.limits.values():
            fits = limit.sku == place.sku and asker.fits(limit.match)
            if fits and limit.kind != "buffer" and self._counts(limit, place, self.today):
                limit.sold += units

    def quota_left(self, sku: str, asker: Asker, day: int, pool: int) -> int | None:
        """What all quotas of the asker leave; None without one."""
        rooms = [
            self._room(limit, pool)
            for limit in self.of_kind("quota", sku)
            if asker.fits(limit.match) and limit.covers(day)
        ]
        return max(0, min(rooms)) if rooms else None

    def _room(self, limit: Limit, pool: int) -> int:
        if limit.percent is not None:
            return self._share(limit, pool) - self.used(limit)
        if limit.period is None or limit.window == (0, 0):
            return limit.units - self.used(limit)
        return self._room_in_window(limit)

    def _share(self, limit: Limit, pool: int) -> int:
        """The limit's part of all that is free or taken by the classes that count for it."""
        classes = [
            one
            for one in self.limits.values()
            if (one.kind, one.sku) == ("quota", limit.sku) and one.percent is not None
        ]
        if limit.of_remaining:
            classes = [one for one in classes if one.priority >= limit.priority]
        supply = pool + sum(self.used(one) for one in classes)
        return supply * limit.percent // 100

    def _room_in_window(self, limit: Limit) -> int:
        """Units more that can be placed in the quotas of the periods around the limit's own."""
        series = sorted(
            (
                one
                for one in self.of_kind("quota", limit.sku)
                if one.period is not None and one.match == limit.match
            ),
            key=lambda one: one.period[0],
        )
        capacity = [one.units for one in series]
        demand = [self.used(one) for one in series]
        own = series.index(limit)
        return room_in_window(capacity, demand, own, limit.window)

    def protected_for_others(self, sku: str, asker: Asker, day: int, segment: str | None) -> int:
        """What others' protections still keep: all of them, or those that outrank the asker's."""
        floors = [one for one in self.of_kind("protection", sku) if one.segment == segment]
        mine = [one.priority for one in floors if asker.fits(one.match)]
        return sum(
            max(0, one.units - self.used(one))
            for one in floors
            if not asker.fits(one.match)
            and one.covers(day)
            and (not mine or one.priority <= min(mine))
        )

    def own_buffer(self, sku: str, asker: Asker, place, units: int) -> int:
        """What is kept from the asker of ``units`` on hand at a place, or (None) over all nodes."""
        kept = [0]
        for one in self.of_kind("buffer", sku):
            if one.place == place and asker.fits(one.match):
                share = -(-max(0, units) * (one.percent or 0) // 100)
                kept += [one.units or 0, share]
        return max(kept)


def room_in_window(capacity: list, demand: list, own: int, window: tuple) -> int:
    """Units more that period ``own`` can take, by placing all demand, earliest first."""
    if not _placed(capacity, demand, window):
        return _least_room(capacity, demand, own, window)
    more = 0
    while more < sum(capacity):
        tried = list(demand)
        tried[own] += more + 1
        if not _placed(capacity, tried, window):
            break
        more += 1
    return more


def _placed(capacity: list, demand: list, window: tuple) -> bool:
    """Whether each period's demand finds room in its window; the earliest room goes first."""
    left = list(capacity)
    for k, units in enumerate(demand):
        for near in range(max(0, k - window[0]), min(len(left), k + window[1] + 1)):
            part = min(units, left[near])
            left[near] -= part
            units -= part
        if units > 0:
            return False
    return True


def _least_room(capacity: list, demand: list, own: int, window: tuple) -> int:
    """Where too much is taken already: the least room of any run of periods about ``own``."""
    rooms = []
    for first in range(own + 1):
        for last in range(own, len(demand)):
            reach = capacity[max(0, first - window[0]) : last + window[1] + 1]
            rooms.append(sum(reach) - sum(demand[first : last + 1]))
    return max(0, min(rooms))
