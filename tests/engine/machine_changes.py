"""Rules that give a hold other lines: update, split, move to another node, ship from there."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule
from machine_base import DAY, nodes, things
from machine_holds import ANY_REFUSAL, some_hold
from plain_engine import Question
from plain_stock import LIVE, PlainHold, PlainLine

import omnistock as om


class ChangeRules:
    """Each rule does the same to both."""

    @some_hold(*LIVE)
    @rule(
        data=st.data(),
        thing=things,
        change=st.integers(-4, 4),
        other=st.integers(-3, 3),
        absolute=st.booleans(),
    )
    def update(self, data, thing, change, other, absolute):
        hold = data.draw(st.sampled_from(self.holds_with(*LIVE)))
        sku = data.draw(st.sampled_from(self.names_of(hold)))
        changes = {sku: change} if thing == sku or absolute else {sku: change, thing: other}
        keywords = {"delta": changes}
        if absolute:
            keywords = {"lines": {sku: max(0, change)}}
            changes = {sku: max(0, change) - self._open_sets(hold, sku)}
        day = max(line.day for line in hold.lines)
        more = [
            (Question(one, self._node_of(hold, one), by=day * DAY), units)
            for one, units in changes.items()
            if units > 0
        ]
        less = [
            self.plain.spread(hold, one, -units)
            if any(one in (line.asked, line.place.sku) for line in hold.lines)
            else None
            for one, units in changes.items()
            if units < 0
        ]
        if None in less:
            self.do("update", hold.number, allowed=False, refusal=om.InputError, **keywords)
            return
        given_up: dict = {}
        for line, part in (pair for pairs in less for pair in pairs):
            given_up[id(line)] = given_up.get(id(line), 0) + part
        if any(given_up.get(id(line), 0) > line.open for line in hold.lines):
            self.do("update", hold.number, allowed=False, refusal=om.ConflictError, **keywords)
            return
        fits = not more or self.plain.can_hold(more, hold.asker)
        if self.held("update", hold.number, allowed=fits, **keywords) is None:
            return
        for line in hold.lines:
            line.open -= given_up.get(id(line), 0)
        self._enter_more(hold, more, day)
        hold.close()

    def _enter_more(self, hold, more, day):
        """Take over the lines that were added."""
        drawn: dict = {}
        for _, line in self.lines_of(hold.number)[len(hold.lines) :]:
            line.day = day
            hold.lines.append(line)
            drawn[line.asked, line.place.sku] = (
                drawn.get((line.asked, line.place.sku), 0) + line.open
            )
            asked = next(one for one, _ in more if one.sku == line.asked)
            assert self.plain.serves(line.place, hold.asker, asked)
            assert self.plain.net(line.place, hold.asker, line.day) >= 0
        assert drawn == {
            (asked.sku, part): units * per
            for asked, units in more
            for part, per in self.plain.components(asked.sku).items()
            if part not in self.plain.untracked
        }

    def _node_of(self, hold, sku):
        """The node at which a hold grows: one that was made at a named node stays there."""
        mine = [line for line in hold.lines if line.asked == sku] or hold.lines
        return mine[0].place.node if hold.at_node else None

    def _open_sets(self, hold, sku):
        """Open units of a SKU that was asked for; of a kit, whole ones."""
        mine = [line for line in hold.lines if line.asked == sku]
        if not mine:
            return 0
        first = [line for line in mine if line.place.sku == mine[0].place.sku]
        return sum(line.open for line in first) // max(line.per for line in first)

    @some_hold("held", "confirmed", "picking")
    @rule(data=st.data(), units=st.integers(1, 6), other_order=st.booleans())
    def split(self, data, units, other_order):
        hold = data.draw(st.sampled_from(self.holds_with(*LIVE)))
        sku = data.draw(st.sampled_from(self.names_of(hold)))
        pairs = self.plain.spread(hold, sku, units)
        order = f"S-{len(self.plain.holds)}" if other_order else None
        allowed = pairs is not None and hold.status != "picking"
        answer = self.do(
            "split", hold.number, [(sku, units)], order=order,
            allowed=allowed, refusal=om.ConflictError,
        )  # fmt: skip
        if not allowed:
            return
        assert answer.hold_id == len(self.plain.holds)
        rows = [PlainLine(one.place, one.day, part, one.asked, one.per) for one, part in pairs]
        part = PlainHold(
            answer.hold_id, order or hold.order, hold.status, hold.asker, hold.expires, rows
        )
        part.at_node, part.counts_as = hold.at_node, hold.counts_as
        self.plain.holds.append(part)
        for line, part in pairs:
            line.open -= part
        hold.close()

    @some_hold(*LIVE)
    @rule(data=st.data(), destination=nodes, units=st.integers(1, 5))
    def relocate(self, data, destination, units):
        hold = data.draw(st.sampled_from(self.holds_with(*LIVE)))
        having = [line for line in hold.lines if line.open] or hold.lines
        line = data.draw(st.sampled_from(having))
        sku, source, _ = line.place
        pairs = self.plain.spread(hold, sku, units, node=source)
        if source == destination:
            return
        for one, _ in pairs or ():
            self.plain.point(one.place._replace(node=destination))
        moved = pairs and self.plain.moved(hold, pairs, destination, ship=False)
        self.do(
            "relocate", hold.number, sku, units, source=source, destination=destination,
            allowed=bool(moved), refusal=ANY_REFUSAL,
        )  # fmt: skip
        hold.lines += moved or ()

    @some_hold("confirmed", "picking")
    @rule(data=st.data(), node=nodes, units=st.integers(1, 5))
    def ship_from(self, data, node, units):
        """Ship from a node, whether or not it is promised there."""
        hold = data.draw(st.sampled_from(self.holds_with("confirmed", "picking")))
        sku = data.draw(st.sampled_from([line.place.sku for line in hold.lines]))
        pairs = self.plain.spread(hold, sku, units, node=node)
        here = pairs is not None
        pairs = pairs if here else self.plain.spread(hold, sku, units)
        moved = []
        if here:
            done = self._ship_one_by_one(pairs)
            allowed = len(done) == len(pairs)
            for line, part in () if allowed else done:
                self.plain.ship(line, -part)
        else:
            for line, _ in pairs or ():
                self.plain.point(line.place._replace(node=node))
            moved = pairs and self.plain.moved(hold, pairs, node, ship=True)
            allowed = bool(moved)
        self.do(
            "ship", hold.number, [(sku, units)], node=node, allowed=allowed, refusal=ANY_REFUSAL
        )
        for line in moved or ():
            self.plain.ship(line, line.open)
            hold.lines.append(line)
        if allowed:
            hold.close()
