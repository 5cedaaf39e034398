"""A small retailer opened twice: as the engine, and in plain Python."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from plain_engine import DAY, HORIZON, Asker, Channel, PlainEngine
from plain_stock import COMMON, Compartment, Place

import omnistock as om
from omnistock.engine.results import Hold
from omnistock.model import Calendar

FIRST_DAY = 10
SKUS = ("tee", "cap", "pen")
UNTRACKED = "gift"
KITS = {"set": {"tee": 2, "cap": 1}, "pack": {"gift": 1, "tee": 1}}
FENCES = {"pen": 3}
NODES = ("dc", "shop", "kiosk")
CHANNELS = {
    "": Channel(),
    "web": Channel(nodes=("dc", "shop")),
    "store": Channel(),
    "market": Channel(owners=("", "acme")),
}
COMPARTMENTS = (
    COMMON,
    Compartment(lot="L1", expires=(FIRST_DAY + 4) * DAY),
    Compartment(lot="L2", expires=(FIRST_DAY + 8) * DAY + 3600, received=9 * DAY),
    Compartment(state="damaged"),
    Compartment(segment="vip"),
    Compartment(segment="vip", lot="L1", expires=(FIRST_DAY + 5) * DAY),
    Compartment(owner="acme"),
)
ASKERS = (
    Asker(),
    Asker(channel="web"),
    Asker(channel="store", attributes=(("org", "a"),)),
    Asker(channel="market"),
    Asker(channel="web", segment="vip"),
    Asker(segment="vip", attributes=(("org", "b"),)),
    Asker(segment="*"),
    Asker(channel="store", nodes=("shop", "kiosk")),
)

skus = st.sampled_from(SKUS)
things = st.sampled_from((*SKUS, *KITS, UNTRACKED))
nodes = st.sampled_from(NODES)
maybe_nodes = st.one_of(st.none(), nodes)
askers = st.sampled_from(ASKERS)
few = st.integers(1, 12)
days = st.integers(0, HORIZON + 2)
# Lots, owners and segments are those of one SKU, so that their stock comes together.
places = st.one_of(
    st.builds(Place, skus, nodes, st.just(COMMON)),
    st.builds(Place, st.just("tee"), nodes, st.sampled_from(COMPARTMENTS)),
)


def in_turn(*turns):
    """A rule for some steps only: holds come in every second one, settings seldom."""
    return lambda decorated: precondition(lambda self: self.steps % 4 in turns)(decorated)


class Beside:
    """The engine, the plain one beside it, and what has been asked of both."""

    @initialize(
        overdue=st.sampled_from([(0, 0), (2, 0), (1, 2)]),
        stock=st.lists(st.tuples(places, st.integers(1, 20)), min_size=6, max_size=12),
    )
    def open_both(self, overdue, stock):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "shop.db"
        network = om.Network.build(
            skus=[
                "tee",
                "cap",
                om.Sku("pen", replenishment_buckets=FENCES["pen"]),
                om.Sku(UNTRACKED, tracked=False),
                *(om.Sku(kit, components=tuple(parts.items())) for kit, parts in KITS.items()),
            ],
            nodes=[om.Node(node, priority=k) for k, node in enumerate(NODES)],
            channels=[
                om.Channel(name, nodes=one.nodes, owners=one.owners)
                for name, one in CHANNELS.items()
                if name
            ],
            calendar=Calendar(
                n_buckets=HORIZON,
                overdue_supply_buckets=overdue[0],
                overdue_supply_delay=overdue[1],
            ),
        )
        self.now = FIRST_DAY * DAY
        self.engine = om.open(self.path, network, clock=lambda: self.now)
        self.plain = PlainEngine(
            nodes=NODES,
            kits=KITS,
            untracked=frozenset([UNTRACKED]),
            fences=FENCES,
            overdue=overdue,
            now=self.now,
            channels=CHANNELS,
        )
        self.answered: list = []
        self.steps = 0
        self.requests = 0
        self.references = 0
        for node in NODES:
            self.do("count", "pen", node, 0)
            self.plain.point(Place("pen", node))
        for place, units in stock:
            where, detail = self.named(place)
            self.do("receive", *where, units, **detail)
            self.plain.points[place].on_hand += units

    def teardown(self):
        if hasattr(self, "engine"):
            self.engine.close()
            self.folder.cleanup()

    def do(self, method, *arguments, allowed=True, refusal=om.OutOfStock, **keywords):
        """Ask the engine under a new request id; it must answer, or refuse if that is due."""
        self.requests += 1
        keywords["request_id"] = f"request-{self.requests}"
        command = getattr(self.engine, method)
        if not allowed:
            with pytest.raises(refusal):
                command(*arguments, **keywords)
            return None
        answer = command(*arguments, **keywords)
        self.answered.append((method, arguments, keywords, answer))
        return answer

    def stocked(self, data, sku=None):
        """A place that has units, or any if none has."""
        having = [one for one, point in self.plain.points.items() if point.on_hand > 0]
        return data.draw(st.sampled_from([one for one in having if sku in (None, one.sku)] or
                                         [Place(sku or "cap", "dc")]))  # fmt: skip

    def named(self, place):
        """SKU and node of a place, and the keywords of its compartment; opened in the plain one."""
        self.plain.point(place)
        return (place.sku, place.node), place.compartment.detail()

    def reference(self, kind):
        self.references += 1
        return f"{kind}-{self.references}"


class Repeating:
    """Requests that come again, and engines that are opened again."""

    @rule(data=st.data())
    def repeat_a_request(self, data):
        """The same request changes nothing, whatever has happened since; another one is refused."""
        method, arguments, keywords, answer = data.draw(st.sampled_from(self.answered))
        again = getattr(self.engine, method)(*arguments, **keywords)
        if isinstance(answer, Hold):
            assert again.hold_id == answer.hold_id
            assert again.duplicate
        with pytest.raises(om.ConflictError):
            self.engine.receive("tee", "dc", 1_000_003, request_id=keywords["request_id"])

    @rule(seconds=st.one_of(st.integers(1, 3600), st.integers(DAY // 2, 4 * DAY)))
    def pass_time(self, seconds):
        self.now += seconds
        self.plain.pass_time(self.now)

    @rule()
    def reopen(self):
        before = self.engine.stock(), self.engine.holds()
        self.engine.close()
        self.engine = om.open(self.path, clock=lambda: self.now)
        assert self.engine.stock().equals(before[0])
        assert self.engine.holds() == before[1]
