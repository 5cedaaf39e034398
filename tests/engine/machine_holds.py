"""Rules on holds: reserve, confirm, pick, release, ship, take back."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from machine_base import DAY, UNTRACKED, askers, days, in_turn, maybe_nodes, things
from plain_engine import Question
from plain_stock import LIVE, Compartment, Place, PlainHold, PlainLine

import omnistock as om

lots = st.one_of(st.none(), st.none(), st.none(), st.sampled_from(("L1", "L2", "nobody's")))
lives = st.sampled_from((0, 0, 0, 2, 5))
cart_lines = st.tuples(things, st.integers(1, 6), maybe_nodes, lots, lives)
ANY_REFUSAL = (om.OutOfStock, om.ConflictError)


def some_hold(*statuses):
    """Only in turn, and while some hold with lines has one of the statuses."""
    return precondition(lambda self: self.steps % 4 > 1 and self.holds_with(*statuses))


class HoldRules:
    """Each rule does the same to both; nodes are the engine's choice, checked and taken over."""

    def holds_with(self, *statuses):
        return [one for one in self.plain.holds if one.status in statuses and one.lines]

    def lines_of(self, number):
        """The lines of the engine's hold, as rows that the plain one understands."""
        writer = self.engine._writer
        registry = writer.registry
        found = []
        for facts in writer.book.lines(number):
            kept = registry.compartment_list[facts.compartment]
            place = Place(
                registry.sku_list[facts.sku].sku,
                registry.node_list[facts.node].node,
                Compartment(
                    kept.state, kept.segment, kept.lot, kept.owner, kept.expires, kept.received
                ),
            )
            asked = registry.sku_list[facts.asked].sku
            found.append((facts, PlainLine(place, 0, facts.open_units, asked, facts.per)))
        return found

    # --- reserve ---------------------------------------------------------

    @in_turn(2, 3)
    @rule(
        sku=st.sampled_from(("tee", "cap", "set")),
        units=st.integers(1, 3),
        asker=askers,
        ahead=st.sampled_from((0, 0, 2)),
    )
    def reserve_one_line(self, sku, units, asker, ahead):
        """The most common order of all."""
        by = self.now + ahead * DAY
        lines = [(Question(sku, by=by), units)]
        allowed = self.plain.can_hold(lines, asker)
        order = f"O-{len(self.plain.holds)}"
        keywords = asker.keywords() | {"by": by}
        hold = self.do("reserve", order, [(sku, units)], allowed=allowed, **keywords)
        if hold is not None:
            taken = self._enter_hold(hold, order, lines, asker, None, True)
            self._drawn_as_it_should_be(lines, asker, taken, "fefo")

    @in_turn(2, 3)
    @rule(
        data=st.data(),
        cart=st.lists(cart_lines, min_size=1, max_size=3),
        asker=askers,
        ahead=st.one_of(st.none(), days),
        ttl=st.one_of(st.none(), st.integers(1, 3 * DAY)),
        removal=st.sampled_from(("fefo", "fefo", "fifo", "lifo")),
        partial=st.booleans(),
        backorder=st.sampled_from((False, False, False, True)),
        together=st.booleans(),
        replace=st.booleans(),
    )
    def reserve(
        self, data, cart, asker, ahead, ttl, removal, partial, backorder, together, replace
    ):
        order = f"O-{len(self.plain.holds)}"
        replaced = []
        if replace and self.holds_with(*LIVE):
            order = data.draw(st.sampled_from(self.holds_with(*LIVE))).order
            replaced = self.plain.live_of(order)
        by = None if ahead is None else self.now + ahead * DAY
        lines = [
            (Question(sku, node, lot, life, by, together), units)
            for sku, units, node, lot, life in cart
        ]
        if backorder:
            self._open_places(lines, asker)
        allowed = self._may_reserve(lines, asker, partial, backorder, replaced)
        keywords = asker.keywords() | {
            "by": by, "ttl_s": ttl, "partial": partial, "backorder": backorder,
            "removal": removal, "together": together, "replace": replace,
        }  # fmt: skip
        given = [
            om.OrderLine(one.sku, units, one.node, one.lot, one.life_days) for one, units in lines
        ]
        hold = self.held("reserve", order, given, allowed=allowed, **keywords)
        if hold is None:
            return
        for one in replaced:
            for line in one.lines:
                line.open = 0
            one.close()
        whole = not hold.short
        taken = self._enter_hold(hold, order, lines, asker, ttl, whole)
        if not backorder:
            self._drawn_as_it_should_be(lines, asker, taken, removal)

    def held(self, method, *arguments, allowed, **keywords):
        """The engine's hold, or None where it refuses; either is right if it hangs on choices."""
        if allowed is not None:
            return self.do(method, *arguments, allowed=allowed, **keywords)
        try:
            return self.do(method, *arguments, **keywords)
        except om.OutOfStock:
            return None

    def _open_places(self, lines, asker):
        """What is taken beyond stock lies somewhere: where it is asked for, or would be."""
        channel = self.plain.channels[asker.channel]
        serving = [
            node
            for node in self.plain.nodes
            if (not channel.nodes or node in channel.nodes)
            and (not asker.nodes or node in asker.nodes)
        ]
        for asked, _ in lines:
            for part in self.plain.components(asked.sku):
                if part in self.plain.untracked:
                    continue
                if asked.node is not None:
                    self.plain.point(Place(part, asked.node))
                elif not any(Place(part, node) in self.plain.points for node in serving):
                    # Lots and segments are not for everybody: what nobody has is common stock.
                    self.plain.point(Place(part, serving[0]))

    def _may_reserve(self, lines, asker, partial, backorder, replaced):
        """True or False, or None if it hangs on the choice of stock for other lines."""
        plain = self.plain
        with plain.without(replaced):
            fits = plain.can_hold(lines, asker)
            # Lines without any stocked part draw nothing: alone they are no part of an order.
            stocked = [one for one, _ in lines if set(plain.components(one.sku)) - plain.untracked]
            forced = [self._can_be_forced(one, asker) for one in stocked]
            some = [plain.available(one, asker) > 0 for one in stocked]
        if fits or (backorder and all(forced)):
            return True
        if partial and (any(some) or (backorder and any(forced))):
            return True
        if backorder and any(forced):
            return None if len(lines) > 1 else fits
        return fits

    def _can_be_forced(self, asked, asker):
        """Whether each component has a place that serves, with or without stock."""
        plain = self.plain
        return all(
            any(plain.serves(one, asker, asked) for one in plain.places(part, asked.node))
            for part in plain.components(asked.sku)
            if part not in plain.untracked
        )

    def _enter_hold(self, hold, order, lines, asker, ttl, whole):
        """Take over what was drawn: each unit asked for once, from where it may come."""
        assert hold.hold_id == len(self.plain.holds)
        day = self.plain.day_of(lines[0][0].by)
        drawn: dict = {}
        rows = []
        for facts, line in self.lines_of(hold.hold_id):
            asked, _ = lines[facts.request_line]
            key = facts.request_line, line.place.sku
            drawn[key] = drawn.get(key, 0) + line.open
            assert asked.node in (None, line.place.node)
            assert self.plain.serves(line.place, asker, asked), line
            line.day = day
            rows.append(line)
        wanted = {
            (k, part): units * per
            for k, (asked, units) in enumerate(lines)
            for part, per in self.plain.components(asked.sku).items()
            if part != UNTRACKED
        }
        assert drawn == wanted if whole else all(drawn[key] <= wanted[key] for key in drawn)
        status, expires = ("confirmed", None) if ttl is None else ("held", self.now + ttl)
        taken = PlainHold(hold.hold_id, order, status, asker, expires, rows)
        taken.counts_as = hold.hold_id
        taken.at_node = all(asked.node is not None for asked, _ in lines)
        self.plain.holds.append(taken)
        return taken

    def _drawn_as_it_should_be(self, lines, asker, taken, removal):
        """No place is drawn below nothing; one that should leave first is empty at that node."""
        plain = self.plain
        for line in taken.lines:
            assert plain.net(line.place, asker, line.day) >= 0, line
        asked = lines[0][0]
        if len(lines) > 1 or asked.together:
            return

        def rank(place):
            kept = place.compartment
            order = {"fefo": kept.expires or 1 << 40, "fifo": kept.received}
            return kept.segment == "", order.get(removal, -kept.received)

        for line in taken.lines:
            sku, node, _ = line.place
            if asker.segment in ("", "*") and plain.at_node(sku, node, asker, asked, line.day)[0]:
                for place in plain.places(sku, node):
                    if plain.serves(place, asker, asked) and rank(place) < rank(line.place):
                        assert plain.net(place, asker, line.day) <= 0, (place, line)

    # --- confirm, pick, release, ship, take back -------------------------

    @some_hold("held", "expired", "confirmed", "shipped", "released", "picking")
    @rule(data=st.data())
    def confirm(self, data):
        hold = data.draw(st.sampled_from([one for one in self.plain.holds if one.lines]))
        if hold.status not in ("held", "expired", "confirmed"):
            self.do("confirm", hold.number, allowed=False, refusal=om.ConflictError)
            return
        possible = hold.status != "expired" or self.plain.can_take_again(hold)
        self.do("confirm", hold.number, allowed=possible)
        if possible:
            hold.status, hold.expires = "confirmed", None

    @some_hold("confirmed", "held")
    @rule(data=st.data())
    def pick(self, data):
        hold = data.draw(st.sampled_from(self.holds_with("confirmed", "held")))
        allowed = hold.status == "confirmed"
        self.do("pick", hold.number, allowed=allowed, refusal=om.ConflictError)
        if allowed:
            hold.status = "picking"

    def names_of(self, hold):
        """SKUs and kits that a hold has."""
        return sorted({line.asked for line in hold.lines} | {one.place.sku for one in hold.lines})

    @some_hold(*LIVE)
    @rule(data=st.data(), clamp=st.booleans(), units=st.one_of(st.none(), st.integers(1, 8)))
    def release(self, data, clamp, units):
        hold = data.draw(st.sampled_from(self.holds_with(*LIVE)))
        sku = data.draw(st.sampled_from(self.names_of(hold)))
        if units is None:
            pairs, named = [(line, line.open) for line in hold.lines], None
        else:
            pairs, named = self.plain.spread(hold, sku, units, clamp=clamp), [(sku, units)]
        answer = self.do(
            "release", hold.number, named, clamp=clamp,
            allowed=pairs is not None, refusal=om.ConflictError,
        )  # fmt: skip
        if pairs is None:
            return
        assert answer.released == sum(part for _, part in pairs)
        for line, part in pairs:
            line.open -= part
        if pairs:
            hold.close()

    @some_hold("confirmed", "picking")
    @rule(data=st.data(), units=st.one_of(st.none(), st.integers(1, 4)))
    def ship(self, data, units):
        hold = data.draw(st.sampled_from(self.holds_with("confirmed", "picking")))
        sku = data.draw(st.sampled_from(self.names_of(hold)))
        if units is None:
            pairs, named = [(line, line.open) for line in hold.lines if line.open], None
        else:
            pairs, named = self.plain.spread(hold, sku, units), [(sku, units)]
        done = self._ship_one_by_one(pairs or [])
        allowed = pairs is not None and len(done) == len(pairs)
        if not allowed:
            for line, part in done:
                self.plain.ship(line, -part)
        self.do("ship", hold.number, named, allowed=allowed, refusal=ANY_REFUSAL)
        if allowed:
            hold.close()

    def _ship_one_by_one(self, pairs):
        """The lines that can be shipped one after another, up to the first that cannot."""
        done = []
        for line, part in pairs:
            if not self.plain.may_ship(line, part):
                break
            self.plain.ship(line, part)
            done.append((line, part))
        return done

    @precondition(lambda self: self.steps % 4 > 1 and self._shipped())
    @rule(data=st.data(), node=maybe_nodes, state=st.sampled_from(("", "returned")))
    def take_back(self, data, node, state):
        hold, line = data.draw(st.sampled_from(self._shipped()))
        sku = line.place.sku
        units = data.draw(st.integers(1, line.shipped - line.back + 1))
        pairs = self.plain.spread(hold, sku, units, column="left")
        allowed = pairs is not None
        if not allowed:
            with pytest.raises(om.ConflictError):
                self.engine.take_back(hold.number, [(sku, units)], node=node, state=state)
            return
        self.do("take_back", hold.number, [(sku, units)], node=node, state=state)
        for one, part in pairs:
            one.back += part
            into = Compartment(state=state) if state else one.place.compartment
            self.plain.point(Place(sku, node or one.place.node, into)).on_hand += part

    def _shipped(self):
        return [
            (hold, line)
            for hold in self.plain.holds
            for line in hold.lines
            if line.shipped > line.back
        ]
