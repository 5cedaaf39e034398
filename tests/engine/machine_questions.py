"""Questions to both, and what holds after every step."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from machine_base import (
    ASKERS,
    CHANNELS,
    DAY,
    KITS,
    NODES,
    SKUS,
    askers,
    days,
    few,
    in_turn,
    maybe_nodes,
    skus,
    things,
)
from machine_holds import lives, lots
from plain_engine import BIG, Question

import omnistock as om
from omnistock.availability import layout
from omnistock.availability.arena import rows

EVERY = tuple(itertools.product((*SKUS, *KITS), ASKERS, (None, "shop"), (None, 0, 2)))
# A step looks at some of all questions; the steps of one run come round to all of them.
AT_ONCE = 40
KINDS = {"quota": layout.QUOTA, "protection": layout.PROTECTION, "buffer": layout.ASKER_BUFFER}


def same(got, expected):
    """Equal, or both without end."""
    return got == expected or min(got, expected) >= BIG


class QuestionRules:
    """Available is what can be reserved, and not one unit more."""

    def asked_of_engine(self, asked, asker):
        """What the engine says to a question."""
        return self.engine.available(
            asked.sku, node=asked.node, lot=asked.lot, min_remaining_days=asked.life_days,
            by=asked.by, together=asked.together, **asker.keywords(),
        )  # fmt: skip

    @in_turn(3)
    @rule(
        sku=things, asker=askers, node=maybe_nodes, lot=lots, life=lives,
        ahead=st.one_of(st.none(), days), together=st.booleans(),
    )  # fmt: skip
    def what_is_available_can_be_reserved(self, sku, asker, node, lot, life, ahead, together):
        by = None if ahead is None else self.now + ahead * DAY
        asked = Question(sku, node, lot, life, by, together)
        units = self.asked_of_engine(asked, asker)
        assert same(units, self.plain.available(asked, asker))
        assert units >= 0
        keywords = asker.keywords() | {"by": by, "together": together, "dry_run": True}

        def tried(quantity):
            line = om.OrderLine(sku, quantity, node, lot, life)
            return self.engine.reserve("dry", [line], **keywords)

        if units >= BIG:
            assert not tried(7).short
            return
        if units:
            assert tried(units).hold_id == -1
        with pytest.raises(om.OutOfStock):
            tried(units + 1)
        question = keywords | {"node": node, "lot": lot, "min_remaining_days": life}
        del question["dry_run"]
        assert not units or self.engine.check(sku, units, **question).ok
        more = self.engine.check(sku, units + 1, **question)
        assert not more.ok
        assert more.available == units

    @precondition(lambda self: self.steps % 4 == 2 and self.plain.holds)
    @rule(data=st.data(), sku=things, asker=askers)
    def an_order_is_not_in_its_own_way(self, data, sku, asker):
        order = data.draw(st.sampled_from(self.plain.holds)).order
        holds = [hold for hold in self.plain.holds if hold.order == order]
        got = self.engine.available(sku, exclude=order, **asker.keywords())
        with self.plain.without(holds):
            assert same(got, self.plain.available(Question(sku), asker))

    @in_turn(0)
    @rule(sku=skus, units=few, ahead=days, priority=st.integers(0, 3))
    def enter_order(self, sku, units, ahead, priority):
        order = self.reference("E")
        self.do("enter_order", order, [(sku, units)], by=self.now + ahead * DAY, priority=priority)
        status = self.engine.order(order)
        assert (status.requested, status.status) == ({sku: units}, "open")


class Invariants:
    """What holds after every step."""

    @invariant()
    def counts_steps(self):
        self.steps = getattr(self, "steps", 0) + 1

    @invariant()
    def promises_what_the_definitions_say(self):
        if not hasattr(self, "engine"):
            return
        first = self.requests * AT_ONCE * 7
        for k in range(AT_ONCE):
            sku, asker, node, ahead = EVERY[(first + 7 * k) % len(EVERY)]
            by = None if ahead is None else self.now + ahead * DAY
            asked = Question(sku, node, by=by)
            expected = self.plain.available(asked, asker)
            assert same(self.asked_of_engine(asked, asker), expected), (asked, asker, expected)

    @invariant()
    def names_the_node_that_can_give_most(self):
        if not hasattr(self, "engine"):
            return
        for k in range(2):
            asker = ASKERS[(self.requests + k) % len(ASKERS)]
            best = self.engine.best_nodes(self.engine.sku_codes(SKUS), **asker.keywords())
            for sku, node, units in zip(SKUS, best.nodes, best.units, strict=True):
                expected = [self.plain.available(Question(sku, one), asker) for one in NODES]
                assert units == max(expected), (sku, asker, expected)
                first = expected.index(max(expected)) if max(expected) else -1
                assert node == first, (sku, asker, expected)

    @invariant()
    def has_what_came_less_what_went(self):
        if not hasattr(self, "engine"):
            return
        plain = self.plain
        expected = {}
        for place, point in plain.points.items():
            kept = place.compartment
            key = place.sku, place.node, kept.state, kept.segment, kept.lot, kept.owner
            hard = plain.reserved(place, ("confirmed", "picking"))
            expected[key] = point.on_hand, plain.reserved(place, ("held",)), hard
        columns = ("sku", "node", "state", "segment", "lot", "owner")
        got = {
            tuple(row[name] for name in columns): (
                row["on_hand"], row["reserved"], row["committed"],
            )
            for row in self.engine.stock().to_pylist()
        }  # fmt: skip
        assert got == expected

    @invariant()
    def holds_are_the_same_to_the_line(self):
        if not hasattr(self, "engine"):
            return
        self.engine.stock()
        writer = self.engine._writer
        for hold in self.plain.holds:
            status = layout.STATUS_NAMES[writer.book.status(hold.number)]
            got = [
                (line.place, facts.open_units, facts.shipped, facts.returned)
                for facts, line in self.lines_of(hold.number)
            ]
            expected = [(one.place, one.open, one.shipped, one.back) for one in hold.lines]
            assert (status, got) == (hold.status, expected)

    @invariant()
    def limits_have_used_what_was_taken(self):
        if not hasattr(self, "engine"):
            return
        registry = self.engine._writer.registry
        table = rows(self.engine._writer.state, "limits")
        for limit in self.plain.limits.values():
            place = limit.place
            key = (
                registry.skus[limit.sku],
                KINDS[limit.kind],
                registry.matches[tuple(sorted(limit.match))],
                limit.period[0] if limit.period else 0,
                -1 if limit.segment is None else registry.segments[limit.segment],
                -1 if place is None else registry.points[
                    registry.skus[place.sku], registry.nodes[place.node], 0
                ],
            )  # fmt: skip
            used = int(table[registry.limits[key], layout.LIMIT_USED])
            assert limit.kind == "buffer" or used == self.plain.used(limit), limit

    @invariant()
    def levels_and_waterfalls_add_up(self):
        if not hasattr(self, "engine"):
            return
        sku = SKUS[self.requests % 2]
        for level in ("schedule", "ship"):
            assert self.engine.available(sku, level=level) == self.plain.at_level(sku, level)
        for channel in CHANNELS:
            explanation = self.engine.explain(sku, channel=channel or None)
            assert sum(units for _, units in explanation.steps) == explanation.available

    @invariant()
    def equals_its_ledger(self):
        if hasattr(self, "engine"):
            assert self.engine.verify().differences == ()
