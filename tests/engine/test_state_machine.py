"""The engine beside a plain-Python one: random commands, time jumps, repetitions, reopening."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from plain_engine import HORIZON, PlainEngine, PlainHold

import omnistock as om
from omnistock.model import Calendar

DAY = 86_400
SKUS = ("tee", "cap")
KITS = {"set": {"tee": 2, "cap": 1}}
NODES = ("dc", "shop", "kiosk")
CHANNELS = {"": (), "web": ("dc", "shop"), "store": ()}

skus = st.sampled_from(SKUS)
things = st.sampled_from((*SKUS, *KITS))
nodes = st.sampled_from(NODES)
maybe_nodes = st.one_of(st.none(), nodes)
channels = st.sampled_from(tuple(CHANNELS))
few = st.integers(1, 12)
days = st.integers(0, HORIZON + 2)


class EngineBesidePlain(RuleBasedStateMachine):
    """Each rule does the same to both; the invariants compare them."""

    @initialize()
    def open_both(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "shop.db"
        network = om.Network.build(
            skus=[*SKUS, om.Sku("set", components=tuple(KITS["set"].items()))],
            nodes=[om.Node(node, priority=k) for k, node in enumerate(NODES)],
            channels=[om.Channel("web", nodes=CHANNELS["web"]), om.Channel("store")],
            calendar=Calendar(n_buckets=HORIZON),
        )
        self.now = 10 * DAY
        self.engine = om.open(self.path, network, clock=lambda: self.now)
        self.plain = PlainEngine(dict.fromkeys(NODES, 0), CHANNELS, KITS, now=self.now)
        self.answered: list = []
        self.references = 0

    def teardown(self):
        if hasattr(self, "engine"):
            self.engine.close()
            self.folder.cleanup()

    # --- stock -----------------------------------------------------------

    @rule(sku=skus, node=nodes, units=few)
    def receive(self, sku, node, units):
        self.engine.receive(sku, node, units)
        self.plain.on_hand[sku, node] = self.plain.on_hand.get((sku, node), 0) + units

    @rule(sku=skus, node=nodes, units=st.integers(0, 12))
    def count(self, sku, node, units):
        before = self.plain.on_hand.get((sku, node), 0)
        assert self.engine.count(sku, node, units) == units - before
        self.plain.on_hand[sku, node] = units

    @rule(sku=skus, node=nodes, units=few, ahead=days)
    def expect(self, sku, node, units, ahead):
        self.references += 1
        reference = f"PO-{self.references}"
        self.engine.expect(sku, node, units, self.now + ahead * DAY, reference)
        self.plain.receipts[reference, sku, node] = [self.plain.today + ahead, units]

    @precondition(lambda self: self.plain.receipts)
    @rule(data=st.data(), units=few)
    def receive_expected(self, data, units):
        key = data.draw(st.sampled_from(sorted(self.plain.receipts)))
        reference, sku, node = key
        self.engine.receive(sku, node, units, reference=reference)
        self.plain.on_hand[sku, node] = self.plain.on_hand.get((sku, node), 0) + units
        self.plain.receipts[key][1] = max(0, self.plain.receipts[key][1] - units)

    @rule(sku=skus, node=nodes, units=few, channel=channels)
    def issue(self, sku, node, units, channel):
        possible = min(
            self.plain.on_hand.get((sku, node), 0),
            self.plain.raw(sku, node, self.plain.today),
        )
        if units > possible:
            with pytest.raises(om.OutOfStock):
                self.engine.issue(sku, node, units, channel=channel)
            return
        self.engine.issue(sku, node, units, channel=channel)
        self.plain.on_hand[sku, node] -= units
        self.plain.sold_without_hold(sku, channel, units)

    @rule(sku=skus, source=nodes, destination=nodes, units=few, ahead=days)
    def transfer(self, sku, source, destination, units, ahead):
        if source == destination:
            return
        self.references += 1
        reference = f"TR-{self.references}"
        eta = self.now + ahead * DAY
        possible = min(
            self.plain.on_hand.get((sku, source), 0),
            self.plain.raw(sku, source, self.plain.today),
        )
        if units > possible:
            with pytest.raises(om.OutOfStock):
                self.engine.transfer(sku, source, destination, units, eta, reference)
            return
        self.engine.transfer(sku, source, destination, units, eta, reference)
        self.plain.on_hand[sku, source] -= units
        self.plain.receipts[reference, sku, destination] = [self.plain.today + ahead, units]

    # --- limits ----------------------------------------------------------

    @rule(sku=skus, node=nodes, units=st.integers(0, 4))
    def set_buffer(self, sku, node, units):
        self.engine.set_buffer(sku, units, node=node)
        self.plain.buffers[sku, node] = units

    @rule(sku=skus, channel=channels, units=st.integers(0, 4))
    def set_channel_buffer(self, sku, channel, units):
        self.engine.set_buffer(sku, units, channel=channel)
        self.plain.channel_buffers[sku, channel] = units

    @rule(sku=skus, channel=channels, units=st.one_of(st.none(), st.integers(0, 9)), ahead=days)
    def set_quota(self, sku, channel, units, ahead):
        until = None if ahead == 0 else self.now + ahead * DAY
        self.engine.set_quota(sku, channel, units, until=until)
        self.plain.quotas[sku, channel] = [units, 0, until, len(self.plain.holds)]

    @rule(sku=skus, channel=channels, units=st.integers(0, 9), ahead=days)
    def set_protection(self, sku, channel, units, ahead):
        until = None if ahead == 0 else self.now + ahead * DAY
        self.engine.set_protection(sku, channel, units, until=until)
        self.plain.protections[sku, channel] = [units, 0, until, len(self.plain.holds)]

    @rule(node=nodes, active=st.booleans())
    def switch_node(self, node, active):
        self.engine.set_node(node, active)
        (self.plain.off.discard if active else self.plain.off.add)(node)

    # --- reservations ----------------------------------------------------

    @rule(
        lines=st.lists(st.tuples(things, st.integers(1, 6), maybe_nodes), min_size=1, max_size=3),
        channel=channels,
        ahead=days,
        ttl=st.one_of(st.none(), st.integers(1, 3 * DAY)),
        partial=st.booleans(),
    )
    def reserve(self, lines, channel, ahead, ttl, partial):
        number = len(self.plain.holds)
        asked = [(sku, units) if node is None else (sku, units, node) for sku, units, node in lines]
        arguments = {
            "channel": channel or None,
            "by": self.now + ahead * DAY,
            "ttl_s": ttl,
            "partial": partial,
            "request_id": f"reserve-{number}-{len(self.answered)}",
        }
        day = self.plain.today + ahead
        fits = self.plain.can_hold(lines, channel, day)
        some = any(self.plain.available(sku, channel, node, day) > 0 for sku, _, node in lines)
        if not fits and not (partial and some):
            with pytest.raises(om.OutOfStock) as caught:
                self.engine.reserve(f"O-{number}", asked, **arguments)
            assert caught.value.shortages
            self.answered.append((f"O-{number}", asked, arguments, None))
            return
        hold = self.engine.reserve(f"O-{number}", asked, **arguments)
        self.answered.append((f"O-{number}", asked, arguments, hold.hold_id))
        self._check_drawn(hold, lines, fits)
        due = min(day, self.plain.today + HORIZON - 1)
        status = "confirmed" if ttl is None else "held"
        rows = [[one.sku, one.node, due, one.quantity, 0, 0] for one in hold.lines]
        expires = None if ttl is None else self.now + ttl
        self.plain.add_hold(PlainHold(status, channel, expires, rows, number))

    def _check_drawn(self, hold, lines, fits):
        """Every unit asked for is drawn once, at the node named if one is."""
        drawn: dict = {}
        for one in hold.lines:
            drawn[one.asked, one.sku] = drawn.get((one.asked, one.sku), 0) + one.quantity
        asked: dict = {}
        for sku, units, _ in lines:
            for part, per in KITS.get(sku, {sku: 1}).items():
                asked[sku, part] = asked.get((sku, part), 0) + units * per
        if fits:
            assert drawn == asked
            assert not hold.short
        else:
            assert all(units <= asked[key] for key, units in drawn.items())
            assert hold.short

    @precondition(lambda self: self.answered)
    @rule(data=st.data())
    def repeat_a_request(self, data):
        order, lines, arguments, hold_id = data.draw(st.sampled_from(self.answered))
        if hold_id is None:
            with pytest.raises(om.OutOfStock):
                self.engine.reserve(order, lines, **arguments)
        else:
            assert self.engine.reserve(order, lines, **arguments).hold_id == hold_id
        with pytest.raises(om.ConflictError):
            self.engine.reserve(order + "!", lines, **arguments)

    @precondition(lambda self: self.plain.holds)
    @rule(data=st.data())
    def confirm(self, data):
        hold = data.draw(st.sampled_from(self.plain.holds))
        if hold.status in ("shipped", "released"):
            with pytest.raises(om.ConflictError):
                self.engine.confirm(hold.number)
        elif not self.plain.confirm_possible(hold):
            with pytest.raises(om.OutOfStock):
                self.engine.confirm(hold.number)
        else:
            assert self.engine.confirm(hold.number).status == "confirmed"
            if hold.status != "confirmed":
                self.plain.confirm(hold)

    @precondition(lambda self: any(h.status in ("held", "confirmed") for h in self.plain.holds))
    @rule(data=st.data())
    def release_some(self, data):
        live = [one for one in self.plain.holds if one.status in ("held", "confirmed")]
        hold = data.draw(st.sampled_from(live))
        k = data.draw(st.sampled_from([k for k, line in enumerate(hold.lines) if line[3]]))
        sku = hold.lines[k][0]
        k = next(k for k, line in enumerate(hold.lines) if line[0] == sku and line[3])
        units = data.draw(st.integers(1, hold.lines[k][3]))
        self.engine.release(hold.number, [(sku, units)])
        self.plain.release(hold, k, units)

    @precondition(lambda self: any(h.status == "confirmed" for h in self.plain.holds))
    @rule(data=st.data())
    def ship_all(self, data):
        live = [one for one in self.plain.holds if one.status == "confirmed"]
        hold = data.draw(st.sampled_from(live))
        on_hand = dict(self.plain.on_hand)
        possible = True
        for sku, node, due, units, *_ in hold.lines:
            on_hand[sku, node] = on_hand.get((sku, node), 0) - units
            possible = possible and (units == 0 or on_hand[sku, node] >= 0)
            if units and due > self.plain.today:
                possible = possible and self._may_go_early(hold, sku, node)
        if possible:
            assert self.engine.ship(hold.number).status == "shipped"
            for k, line in enumerate(hold.lines):
                self.plain.ship(hold, k, line[3])
        else:
            with pytest.raises(om.ConflictError):
                self.engine.ship(hold.number)

    def _may_go_early(self, hold, sku, node):
        """No bucket before a line is due falls below zero when it ships today."""
        early = [line for line in hold.lines if (line[0], line[1]) == (sku, node) and line[3]]
        return all(
            self.plain.balance(sku, node, day) >= sum(line[3] for line in early if line[2] > day)
            for day in range(self.plain.today, max(line[2] for line in early))
        )

    @precondition(lambda self: any(line[4] > line[5] for h in self.plain.holds for line in h.lines))
    @rule(data=st.data(), node=nodes)
    def take_back(self, data, node):
        shipped = [
            (hold, k)
            for hold in self.plain.holds
            for k, line in enumerate(hold.lines)
            if line[4] > line[5]
        ]
        hold, k = data.draw(st.sampled_from(shipped))
        sku = hold.lines[k][0]
        k = next(k for k, li in enumerate(hold.lines) if li[0] == sku and li[4] > li[5])
        units = data.draw(st.integers(1, hold.lines[k][4] - hold.lines[k][5]))
        self.engine.take_back(hold.number, [(sku, units)], node=node)
        hold.lines[k][5] += units
        self.plain.on_hand[sku, node] = self.plain.on_hand.get((sku, node), 0) + units

    # --- time and restart ------------------------------------------------

    @rule(seconds=st.one_of(st.integers(1, 3600), st.integers(DAY // 2, 4 * DAY)))
    def pass_time(self, seconds):
        self.now += seconds
        self.plain.pass_time(self.now)

    @rule()
    def reopen(self):
        before = self.engine.stock()
        self.engine.close()
        self.engine = om.open(self.path, clock=lambda: self.now)
        assert self.engine.stock().equals(before)

    # --- what always holds -----------------------------------------------

    @invariant()
    def promises_what_the_definitions_say(self):
        if not hasattr(self, "engine"):
            return
        for sku in (*SKUS, *KITS):
            for channel in CHANNELS:
                for node in (None, "shop"):
                    for ahead in (0, 2):
                        expected = self.plain.available(
                            sku, channel, node, self.plain.today + ahead
                        )
                        got = self.engine.available(
                            sku, channel=channel or None, node=node, by=self.now + ahead * DAY
                        )
                        assert got == expected, (sku, channel, node, ahead)

    @invariant()
    def explains_to_the_unit(self):
        if not hasattr(self, "engine"):
            return
        for sku in SKUS:
            for channel in CHANNELS:
                explanation = self.engine.explain(sku, channel=channel or None)
                assert sum(units for _, units in explanation.steps) == explanation.available

    @invariant()
    def equals_its_ledger(self):
        if hasattr(self, "engine"):
            assert self.engine.verify().differences == ()


TestEngineBesidePlain = EngineBesidePlain.TestCase
TestEngineBesidePlain.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    # A failing run is short enough to read; shrinking it would take many minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
