"""What an engine must promise, in plain Python from the definitions.

Availability and holds over :mod:`plain_stock` and :mod:`plain_limits`. The choice of
nodes is the engine's: the machine takes it from its answer and enters it here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from plain_limits import PlainLimits
from plain_stock import BIG, DAY, HORIZON, PLENTY, Asker, Place, PlainHold, PlainLine

__all__ = ["BIG", "DAY", "HORIZON", "Asker", "Channel", "PlainEngine", "Question"]

NOBODY = Asker()


class Channel(NamedTuple):
    """Nodes that serve a channel (none: all), and whose stock it may sell."""

    nodes: tuple = ()
    owners: tuple = ("",)


class Question(NamedTuple):
    """A SKU or kit, where, of which lot or how long it must last, and when it is due."""

    sku: str
    node: str | None = None
    lot: str | None = None
    life_days: int = 0
    by: int | None = None
    together: bool = False

    @property
    def choosy(self) -> bool:
        """Whether stock of some lots will not do."""
        return self.lot is not None or self.life_days > 0


@dataclass
class PlainEngine(PlainLimits):
    """All of one engine."""

    channels: dict = field(default_factory=lambda: {"": Channel()})

    # --- what serves -----------------------------------------------------

    def day_of(self, by: int | None) -> int:
        return self.today if by is None else self.clipped(by // DAY)

    def is_on(self, place: Place) -> bool:
        return place.node not in self.off and not self.points[place].off

    def is_good(self, place: Place, asked: Question) -> bool:
        """Whether it can be sold, and lasts as long as it must once it is due."""
        kept = place.compartment
        when = max(self.now, asked.by or 0)
        lasts = kept.expires == 0 or (
            kept.expires > when and kept.expires - when >= asked.life_days * DAY
        )
        return kept.state == "available" and lasts

    def serves(self, place: Place, asker: Asker, asked: Question) -> bool:
        channel = self.channels[asker.channel]
        kept = place.compartment
        return (
            self.is_on(place)
            and (not channel.nodes or place.node in channel.nodes)
            and (not asker.nodes or place.node in asker.nodes)
            and (asker.segment == "*" or kept.segment in ("", asker.segment))
            and kept.owner in channel.owners
            and asked.lot in (None, kept.lot)
            and self.is_good(place, asked)
        )

    # --- how many --------------------------------------------------------

    def net(self, place: Place, asker: Asker, day: int) -> int:
        """What may be promised at a place, less what is kept back from the asker there."""
        point = self.points[place]
        own = self.own_buffer(place.sku, asker, place, point.on_hand)
        kept = max(self.buffer_on(place, self.today), own)
        return self.raw(place, day) - (kept - point.backorder)

    def at_node(self, sku: str, node: str, asker: Asker, asked: Question, day: int) -> tuple:
        """(units, those of the asker's own segment); a node's compartments make up for another."""
        own = common = 0
        for place in self.places(sku, node):
            if self.serves(place, asker, asked):
                units = self.net(place, asker, day)
                if place.compartment.segment:
                    own += units
                else:
                    common += units
        total = max(0, own + common)
        left = self.handled(node, asked, day)
        total = total if left is None else min(total, left)
        return total, min(max(0, own), total)

    def handled(self, node: str, asked: Question, day: int) -> int | None:
        """What the node can still handle of what is asked; overdue demand is not limited."""
        overdue = asked.by is not None and 0 < asked.by // DAY < self.today
        return None if overdue else self.capacity_left(node, day)

    def free_of_all(
        self, sku: str, asker: Asker, asked: Question, day: int, segment: str | None
    ) -> int:
        """What nobody in particular could have at all nodes that are on, in a segment or in all."""
        owners = self.channels[asker.channel].owners
        total = 0
        for node in self.nodes:
            units = [
                self.net(place, NOBODY, day)
                for place in self.places(sku, node)
                if self.is_on(place)
                and place.compartment.owner in owners
                and segment in (None, place.compartment.segment)
                and self.is_good(place, asked)
            ]
            total += max(0, sum(units))
        return total

    def pool(self, sku: str, node: str | None, asker: Asker, asked: Question, day: int) -> int:
        """Free units for the asker, less those of its segment that others there have a claim to."""
        at = [
            self.at_node(sku, one, asker, asked, day) for one in self.nodes if node in (None, one)
        ]
        total = sum(units for units, _ in at)
        own = sum(units for _, units in at)
        if asker.segment not in ("", "*"):
            others = self.protected_for_others(sku, asker, day, asker.segment)
            if others:
                free = self.free_of_all(sku, asker, asked, day, asker.segment)
                total -= own - min(own, max(0, free - others))
        return total

    def headroom(self, sku: str, asker: Asker, asked: Question, day: int) -> int | None:
        """The most that quotas, protections and the asker's buffer allow; None without any."""
        pool = self.pool(sku, None, asker, asked, day)
        if asked.by is not None and asked.by // DAY < self.today:
            # Overdue demand is due now, but belongs to the period that it was due in.
            day = asked.by // DAY
        rooms = [self.quota_left(sku, asker, day, pool)]
        places = [one for one in self.places(sku) if self.serves(one, asker, asked)]
        on_hand = sum(max(0, self.points[place].on_hand) for place in places)
        kept = self.own_buffer(sku, asker, None, on_hand)
        if kept:
            rooms.append(pool - kept)
        others = self.protected_for_others(sku, asker, day, None)
        if others:
            rooms.append(self.free_of_all(sku, asker, asked, day, None) - others)
        found = [room for room in rooms if room is not None]
        return max(0, min(found)) if found else None

    def of_sku(self, sku: str, node: str | None, asker: Asker, asked: Question) -> int:
        """Available units of one stocked SKU."""
        if sku in self.untracked:
            return PLENTY
        day = self.day_of(asked.by)
        units = self.pool(sku, node, asker, asked, day)
        room = self.headroom(sku, asker, asked, day)
        return units if room is None else min(units, room)

    def available(self, asked: Question, asker: Asker = NOBODY) -> int:
        """Available units of a SKU or kit."""

        def kits(node: str | None) -> int:
            parts = self.components(asked.sku).items()
            most = min(self.of_sku(part, node, asker, asked) // per for part, per in parts)
            work = sum(per for part, per in parts if part not in self.untracked)
            left = None if node is None else self.handled(node, asked, self.day_of(asked.by))
            return most if left is None or not work else min(most, left // work)

        most = kits(asked.node)
        if (
            (asked.together or self.capacities)
            and asked.node is None
            and len(self.components(asked.sku)) > 1
        ):
            most = min(most, sum(kits(node) for node in self.nodes))
        return most

    def at_level(self, sku: str, level: str) -> int:
        """On hand less what is confirmed ("schedule") or released to the floor ("ship")."""
        statuses = ("confirmed", "picking") if level == "schedule" else ("picking",)
        return sum(
            max(0, self.points[place].on_hand - self.reserved(place, statuses))
            for place in self.places(sku)
            if place.node not in self.off and place.compartment.state == "available"
        )

    # --- whole carts -----------------------------------------------------

    def can_hold(self, lines: list, asker: Asker) -> bool | None:
        """Whether all (question, units) can be held together; None if it hangs on the choices.

        It hangs on them where several lines want the same SKU, and some of its lots do not
        do for one of them.
        """
        total: dict = {}
        named: dict = {}
        asked_of: dict = {}
        shared_work = False
        for asked, units in lines:
            if self.available(asked, asker) < units:
                return False
            if self.capacities and len(lines) > 1:
                # Which lines share what a node can handle hangs on the choice of nodes.
                shared_work = True
            for part, per in self.components(asked.sku).items():
                asked_of.setdefault(part, []).append(asked)
                total[part] = total.get(part, 0) + units * per
                if asked.node is not None:
                    named[part, asked.node] = named.get((part, asked.node), 0) + units * per
        shared = [one for some in asked_of.values() if len(some) > 1 for one in some]
        by = lines[0][0].by
        if not any(one.choosy for one in shared):
            named |= {(part, None): units for part, units in total.items()}
            for (part, node), units in named.items():
                plain = asked_of[part][0] if len(asked_of[part]) == 1 else Question(part, by=by)
                if self.of_sku(part, node, asker, plain._replace(sku=part)) < units:
                    return False
        together = any(one.together and one.sku in self.kits for one in shared)
        return None if together or shared_work or any(one.choosy for one in shared) else True

    @contextmanager
    def without(self, holds: list) -> Iterator[None]:
        """As if some holds had never been."""
        for hold in holds:
            hold.lent = True
        try:
            yield
        finally:
            for hold in holds:
                hold.lent = False

    def can_take_again(self, hold: PlainHold) -> bool:
        """Whether an expired hold's units are all still there, line after line."""
        with self._trying(hold.asker) as tried:
            for line in hold.lines:
                if line.open > self.room_at(line.place, hold.asker, line.day) and line.open:
                    return False
                tried.lines.append(line)
        return True

    @contextmanager
    def _trying(self, asker: Asker) -> Iterator[PlainHold]:
        """A hold that is there for a while."""
        tried = PlainHold(len(self.holds), "", "confirmed", asker, None, [], len(self.holds))
        self.holds.append(tried)
        try:
            yield tried
        finally:
            self.holds.pop()

    def room_at(self, place: Place, asker: Asker, due_day: int) -> int:
        """Units due on a day that the asker may be promised at one place."""
        asked = Question(place.sku, place.node, by=due_day * DAY)
        if not self.serves(place, asker, asked):
            return 0
        day = self.day_of(asked.by)
        at_node = self.at_node(place.sku, place.node, asker, asked, day)[0]
        rooms = [max(0, self.net(place, asker, day)), at_node]
        room = self.headroom(place.sku, asker, asked, day)
        return min(rooms if room is None else [*rooms, room])

    def moved(self, hold: PlainHold, pairs: list, node: str, *, ship: bool) -> list | None:
        """New lines for (line, units) at another node, open or shipped; None if one cannot go.

        All are given back first; to ship, units must be on hand and promised to nobody.
        """
        lines = []
        gone: dict = {}
        for line, part in pairs:
            line.open -= part
        # What is tried takes stock, but no limits: those are used already.
        with self._trying(Asker(channel="nobody's")) as tried:
            for line, part in pairs:
                target = line.place._replace(node=node)
                point = self.point(target)
                room = min(point.on_hand - gone.get(target, 0), self.unpromised(target))
                if not ship:
                    room = self.room_at(target, hold.asker, line.day)
                if part > max(0, room):
                    break
                gone[target] = gone.get(target, 0) + part
                day = min(line.day, self.today) if ship else line.day
                lines.append(PlainLine(target, day, part, line.asked, line.per))
                tried.lines.append(lines[-1])
        if len(lines) == len(pairs):
            return lines
        for line, part in pairs:
            line.open += part
        return None

    # --- holds -----------------------------------------------------------

    def spread(self, hold: PlainHold, sku: str, units: int, *, column: str = "open",
               clamp: bool = False, node: str | None = None) -> list | None:  # fmt: skip
        """(line, units) for so many of a SKU or kit, first line first; None if it has fewer."""
        parts = {one.place.sku: one.per for one in hold.lines if one.asked == sku != one.place.sku}
        found = []
        for part, per in (parts or self.components(sku)).items():
            left = units * per
            for line in hold.lines:
                fits = line.place.sku == part and sku in (part, line.asked)
                if fits and node in (None, line.place.node):
                    have = line.open if column == "open" else line.shipped - line.back
                    taken = min(left, have)
                    left -= taken
                    found += [(line, taken)] if taken else []
            if left and not clamp:
                return None
        return found

    def may_ship(self, line: PlainLine, units: int) -> bool:
        """On hand has it, and a unit due later is not taken from what is due before."""
        if units > max(0, min(line.open, self.points[line.place].on_hand)):
            return False
        between = range(self.today, min(line.day, self.today + HORIZON))
        return all(self.balance(line.place, day) >= units for day in between)

    def ship(self, line: PlainLine, units: int) -> None:
        line.open -= units
        line.shipped += units
        self.points[line.place].on_hand -= units
