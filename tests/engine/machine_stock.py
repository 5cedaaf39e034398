"""Rules on stock: received, expected, counted, issued, moved, sent, fed from other systems."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from machine_base import COMPARTMENTS, DAY, NODES, askers, days, few, in_turn, nodes, places
from plain_stock import Asker, Place

import omnistock as om

SOURCES = ("pos", "wms")
# Few places, so that deltas and snapshots meet.
fed = st.sampled_from((Place("tee", "dc"), Place("cap", "dc")))


class StockRules:
    """Each rule does the same to both."""

    @in_turn(1)
    @rule(place=places, units=few)
    def receive(self, place, units):
        where, detail = self.named(place)
        self.do("receive", *where, units, **detail)
        self.plain.points[place].on_hand += units

    @in_turn(1)
    @rule(place=places, units=few, ahead=st.one_of(st.none(), st.integers(-3, 8)))
    def expect(self, place, units, ahead):
        where, detail = self.named(place)
        reference = self.reference("PO")
        eta = None if ahead is None else self.now + ahead * DAY
        self.do("expect", *where, units, eta, reference, **detail)
        due = None if ahead is None else self.plain.today + ahead
        self.plain.receipts[reference, place] = [due, units]

    @precondition(lambda self: self.plain.receipts)
    @in_turn(1)
    @rule(data=st.data(), units=st.integers(0, 12), ahead=days)
    def expect_anew(self, data, units, ahead):
        reference, place = data.draw(st.sampled_from(sorted(self.plain.receipts)))
        where, detail = self.named(place)
        self.do("expect", *where, units, self.now + ahead * DAY, reference, **detail)
        self.plain.receipts[reference, place] = [self.plain.today + ahead, units]

    @precondition(lambda self: self.plain.receipts)
    @in_turn(1)
    @rule(data=st.data(), units=few)
    def receive_expected(self, data, units):
        reference, place = key = data.draw(st.sampled_from(sorted(self.plain.receipts)))
        where, detail = self.named(place)
        self.do("receive", *where, units, reference=reference, **detail)
        self.plain.points[place].on_hand += units
        self.plain.receipts[key][1] = max(0, self.plain.receipts[key][1] - units)

    @in_turn(1)
    @rule(place=places, units=st.integers(-8, 8), below_zero=st.booleans())
    def adjust(self, place, units, below_zero):
        where, detail = self.named(place)
        point = self.plain.points[place]
        allowed = below_zero or point.on_hand + units >= 0
        self.do("adjust", *where, units, allow_negative=below_zero, allowed=allowed, **detail)
        point.on_hand += units if allowed else 0

    @in_turn(1)
    @rule(place=places, units=st.integers(0, 12), reduce=st.booleans())
    def count(self, place, units, reduce):
        where, detail = self.named(place)
        point = self.plain.points[place]
        found = units - point.on_hand
        answer = self.do(
            "count", *where, units, on_shortage="reduce" if reduce else "keep", **detail
        )
        assert answer.found == found
        assert reduce or not answer.reduced
        point.on_hand = units
        self._yield(place, answer.reduced, reduce)

    @in_turn(1)
    @rule(data=st.data(), units=few, asker=askers, force=st.booleans(), reduce=st.booleans())
    def issue(self, data, units, asker, force, reduce):
        place = self.stocked(data)
        where, detail = self.named(place)
        point = self.plain.points[place]
        asker = asker._replace(segment=place.compartment.segment, attributes=(), nodes=())
        answer = self.do(
            "issue",
            *where,
            units,
            channel=asker.channel or None,
            force=force,
            on_shortage="reduce" if reduce else "keep",
            allowed=units <= self._may_leave(place, force),
            **detail,
        )
        if answer is not None:
            point.on_hand -= units
            self._yield(place, answer.reduced, reduce)
            self.plain.sold_without_hold(place, asker, units)

    def _may_leave(self, place, force):
        on_hand = max(0, self.plain.points[place].on_hand)
        return on_hand if force else min(on_hand, max(0, self.plain.unpromised(place)))

    def _yield(self, place, reductions, asked):
        """Take from the newest holds what the place cannot keep from the day on when it is due."""
        expected = []
        for hold in reversed(self.plain.holds) if asked else ():
            for line in hold.lines if hold.live else ():
                short = 0
                if line.place == place:
                    later = range(max(line.day, self.plain.today), self.plain.days().stop)
                    short = -min(self.plain.balance(place, day) for day in later)
                part = min(line.open, max(0, short))
                if part:
                    line.open -= part
                    expected.append((hold.order, hold.number, place.sku, part))
        assert [(one.order, one.hold_id, one.sku, one.units) for one in reductions] == expected
        for _, number, *_ in expected:
            self.plain.holds[number].close()

    @in_turn(1)
    @rule(
        data=st.data(),
        units=few,
        into=st.sampled_from(COMPARTMENTS),
        force=st.booleans(),
    )
    def move(self, data, units, into, force):
        start = self.stocked(data, "tee")
        end = start._replace(compartment=into)
        if start == end:
            return
        where, detail = self.named(start)
        self.named(end)
        allowed = units <= self._may_leave(start, force)
        self.do("move", *where, units, to=into.detail(), force=force, allowed=allowed, **detail)
        if allowed:
            self.plain.points[start].on_hand -= units
            self.plain.points[end].on_hand += units

    @in_turn(1)
    @rule(data=st.data(), destination=nodes, units=few, ahead=days, force=st.booleans())
    def transfer(self, data, destination, units, ahead, force):
        place = self.stocked(data)
        if place.node == destination:
            return
        end = place._replace(node=destination)
        _, detail = self.named(place)
        self.named(end)
        reference = self.reference("TR")
        allowed = units <= self._may_leave(place, force)
        self.do(
            "transfer",
            place.sku,
            place.node,
            destination,
            units,
            self.now + ahead * DAY,
            reference,
            force=force,
            allowed=allowed,
            **detail,
        )
        if allowed:
            self.plain.points[place].on_hand -= units
            self.plain.receipts[reference, end] = [self.plain.today + ahead, units]


class FeedRules:
    """What other systems say: deltas in any order, and snapshots."""

    @in_turn(1)
    @rule(
        place=fed,
        units=st.integers(-6, 6),
        source=st.sampled_from(SOURCES),
        sequence=st.integers(0, 6),
    )
    def delta(self, place, units, source, sequence):
        where, detail = self.named(place)
        feed = self.plain.feeds.setdefault((place, source), [-1, {}])
        known = sequence <= feed[0] or sequence in feed[1]
        answer = self.do("delta", *where, units, source=source, sequence=sequence, **detail)
        assert answer.duplicate == known
        if not known:
            feed[1][sequence] = units
            self.plain.points[place].on_hand += units
        assert answer.on_hand == self.plain.points[place].on_hand

    @in_turn(1)
    @rule(
        data=st.data(),
        place=fed,
        units=st.integers(0, 12),
        source=st.sampled_from(SOURCES),
        sequence=st.one_of(st.none(), st.integers(0, 6)),
    )
    def snapshot(self, data, place, units, source, sequence):
        where, detail = self.named(place)
        orders = sorted({hold.order for hold in self.plain.holds})
        netted = data.draw(st.sets(st.sampled_from(orders), max_size=2)) if orders else set()
        feed = self.plain.feeds.setdefault((place, source), [-1, {}])
        known = sequence is not None and sequence <= feed[0]
        right = units + sum(
            line.open
            for hold in self.plain.holds
            if hold.order in netted and hold.live
            for line in hold.lines
            if line.place == place
        )
        if sequence is not None:
            right += sum(delta for number, delta in feed[1].items() if number > sequence)
        before = self.plain.points[place].on_hand
        answer = self.do(
            "snapshot",
            *where,
            units,
            source=source,
            sequence=sequence,
            netted=sorted(netted),
            **detail,
        )
        assert answer.duplicate == known
        if not known:
            assert (answer.on_hand, answer.drift) == (right, right - before)
            self.plain.points[place].on_hand = right
            if sequence is not None:
                later = {number: delta for number, delta in feed[1].items() if number > sequence}
                self.plain.feeds[place, source] = [sequence, later]


class RingFenceRules:
    """Units set apart for a group, by the names that shops use for it."""

    def _free_parts(self, sku, segment, node):
        """Places of a segment without lot or owner, with what is free there, in order of nodes."""
        found = []
        for place in self.plain.places(sku, node):
            kept = place.compartment
            if kept._replace(segment=segment) == kept and (kept.state, kept.lot, kept.owner) == (
                "available",
                "",
                "",
            ):
                free = min(self.plain.points[place].on_hand, self.plain.unpromised(place))
                found.append((place, max(0, free)))
        return found

    def _taken(self, sku, segment, node, units):
        """Places and units to take so many from, None if there are fewer."""
        taken = []
        for place, free in self._free_parts(sku, segment, node):
            part = min(free, units)
            units -= part
            taken += [(place, part)] if part else []
        return None if units else taken

    @in_turn(1)
    @rule(
        sku=st.sampled_from(("tee", "cap")),
        units=few,
        node=st.one_of(st.none(), nodes),
        way=st.sampled_from(("allocate", "unallocate", "reallocate", "consume")),
        group=st.sampled_from(("vip", "club/gold")),
    )
    def ring_fence(self, sku, units, node, way, group):
        source = "" if way == "allocate" else group
        target = {"allocate": group, "reallocate": "club"}.get(way, "")
        taken = self._taken(sku, source, node, units)
        groups = (group, target) if way == "reallocate" else (group,)
        self.engine.stock()
        try:
            getattr(self.engine, way)(sku, *groups, units, node=node)
        except om.OutOfStock:
            assert taken is None
            return
        assert taken is not None
        for place, part in taken:
            self.plain.points[place].on_hand -= part
            end = place._replace(compartment=place.compartment._replace(segment=target))
            if way != "consume":
                self.plain.point(end).on_hand += part
            else:
                self.plain.sold_without_hold(place, Asker(segment=source), part)
        assert self.engine.ring_fenced(sku, "vip") == sum(
            free for node in NODES for _, free in self._free_parts(sku, "vip", node)
        )
