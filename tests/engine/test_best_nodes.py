"""The node that can give most: the same as asking each node, however stockpoints were opened."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import omnistock as om
from omnistock.availability import layout
from omnistock.availability.arena import rows

DAY = 86_400
NOW = 20_000 * DAY
SKUS = ("a", "b", "c")
NODES = tuple(f"N{k}" for k in range(6))


def shop(priorities=(0,) * 6, skus=SKUS):
    """An engine with six nodes, of which the channel web knows the first four."""
    network = om.Network.build(
        skus=skus,
        nodes=[om.Node(node, priority=p) for node, p in zip(NODES, priorities, strict=True)],
        channels=[om.Channel("web", nodes=NODES[:4]), "store"],
    )
    return om.open(":memory:", network, clock=lambda: NOW)


def by_asking_each(engine, sku, priorities=(0,) * 6, **asker):
    """Node and units by asking every node in the order of priority."""
    best, most = None, 0
    for _, node in sorted(zip(priorities, NODES, strict=True), key=lambda pair: pair[0]):
        units = engine.available(sku, node=node, **asker)
        if units > most:
            best, most = node, units
    return best, most


def best(engine, skus=SKUS, **asker):
    found = engine.best_nodes(engine.sku_codes(skus), **asker)
    names = [None if node < 0 else NODES[node] for node in found.nodes.tolist()]
    return list(zip(names, found.units.tolist(), strict=True))


@given(
    receipts=st.lists(
        st.tuples(st.sampled_from(SKUS), st.sampled_from(NODES), st.integers(1, 3)), max_size=25
    ),
    priorities=st.lists(st.integers(0, 2), min_size=6, max_size=6),
    later=st.lists(st.integers(0, 2), min_size=6, max_size=6),
)
def test_the_best_node_is_the_first_with_most_in_whatever_order_nodes_are_opened(
    receipts, priorities, later
):
    with shop(priorities) as engine:
        for sku, node, units in receipts:
            engine.receive(sku, node, units)

        for channel in (None, "web"):
            expected = [by_asking_each(engine, s, priorities, channel=channel) for s in SKUS]
            assert best(engine, channel=channel) == expected
        assert engine.verify().ok

        # Other priorities thread the lists anew.
        engine._writer.define(
            om.Network.build(
                skus=SKUS,
                nodes=[om.Node(n, priority=p) for n, p in zip(NODES, later, strict=True)],
                channels=[om.Channel("web", nodes=NODES[:4]), "store"],
            )
        )
        assert best(engine) == [by_asking_each(engine, sku, later) for sku in SKUS]
        assert engine.verify().ok


def test_equal_nodes_go_by_priority():
    with shop((3, 1, 1, 2, 0, 0)) as engine:
        for node in NODES[:4]:
            engine.receive("a", node, 7)

        assert best(engine, ["a"]) == [("N1", 7)]


def test_nobody_can_give_what_is_not_there():
    with shop() as engine:
        engine.receive("b", "N2", 4)
        engine.reserve("O", [("b", 4)])

        assert best(engine) == [(None, 0)] * 3


def test_nodes_that_are_off_or_closed_to_the_asker_are_passed_over():
    with shop() as engine:
        for units, node in enumerate(NODES, 1):
            engine.receive("a", node, units)

        assert best(engine, ["a"], channel="web") == [("N3", 4)]
        engine.set_node("N3", active=False)
        assert best(engine, ["a"], channel="web") == [("N2", 3)]
        assert best(engine, ["a"], channel="store") == [("N5", 6)]


def test_limits_buffers_lots_and_dates_count():
    with shop() as engine:
        for units, node in enumerate(NODES, 1):
            engine.receive("a", node, 2 * units)
        engine.receive("a", "N0", 20, lot="L", expiry=NOW + DAY)
        engine.set_buffer("a", 11, node="N5")
        engine.expect("a", "N1", 30, NOW, "PO")

        assert best(engine, ["a"]) == [("N1", 34)]
        engine.reserve("O", [("a", 20, "N1")])
        assert best(engine, ["a"]) == [("N0", 22)]
        engine.set_quota("a", "web", 9)
        assert best(engine, ["a"], channel="web") == [by_asking_each(engine, "a", channel="web")]
        assert best(engine, ["a"], channel="web")[0][1] == 9
        assert best(engine, ["a"], now=NOW + 2 * DAY) == [("N4", 10)]
        assert engine.verify().ok


def test_late_holds_make_room_at_the_node_that_is_asked_for():
    with shop() as engine:
        engine.receive("a", "N0", 5)
        engine.receive("a", "N1", 4)
        engine.reserve("LATE", [("a", 4)], late=True)

        expected = by_asking_each(engine, "a")
        assert best(engine, ["a"]) == [expected]
        assert expected == ("N0", 5)


def test_the_answer_survives_growth_and_reopening(tmp_path):
    rng = np.random.default_rng(3)
    skus = [f"S{k}" for k in range(40)]
    nodes = [f"P{k}" for k in range(70)]
    network = om.Network.build(skus=skus, nodes=nodes)
    with om.open(tmp_path / "shop.db", network, clock=lambda: NOW) as engine:
        # Node by node, as stores send their stock: a SKU's stockpoints lie far apart.
        units = rng.integers(1, 1000, (len(nodes), len(skus)))
        for node, row in zip(nodes, units, strict=True):
            engine.receive_many({"sku": skus, "node": [node] * 40, "quantity": row.tolist()})
        codes = engine.sku_codes(skus)
        before = engine.best_nodes(codes)

        assert before.units.tolist() == units.max(axis=0).tolist()
        assert before.nodes.tolist() == units.argmax(axis=0).tolist()
        assert engine.verify().ok
    with om.open(tmp_path / "shop.db", clock=lambda: NOW) as again:
        assert again.best_nodes(codes).nodes.tolist() == before.nodes.tolist()


def test_what_cannot_be_asked_is_refused():
    network = om.Network.build(
        skus=["a", om.Sku("kit", components=(("a", 2),)), om.Sku("gift", tracked=False)],
        nodes=["N0"],
    )
    with om.open(":memory:", network, clock=lambda: NOW) as engine:
        for name in ("kit", "gift"):
            with pytest.raises(om.InputError, match=f"SKU '{name}' is a kit or not tracked"):
                engine.best_nodes(engine.sku_codes([name]))
        with pytest.raises(om.InputError, match=r"skus must be codes in 0\.\.2"):
            engine.best_nodes([3])


def test_the_auditor_notices_a_word_of_free_units_that_has_drifted():
    with shop() as engine:
        engine.receive("a", "N0", 5)
        rows(engine._writer.state, "free")[0] += 1 << layout.FREE_UNITS

        assert "stockpoint 0 word of free units" in engine.verify().differences[0]


def test_a_table_says_of_unlimited_supply_what_a_single_question_says():
    network = om.Network.build(skus=[om.Sku("a", replenishment_buckets=0)], nodes=["N0", "N1"])
    with om.open(":memory:", network, clock=lambda: NOW) as engine:
        engine.receive("a", "N1", 3)
        asked = {"sku": ["a", "a", "a"], "node": ["N0", "N1", ""]}

        answers = engine.availability(asked)["available"].to_pylist()

        assert answers == [engine.available("a", node=node or None) for node in asked["node"]]
        assert best(engine, ["a"]) == [("N1", answers[1])]
