"""Late choice of node: provisional nodes give way, and every promise stays kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import omnistock as om

NODES = ["a", "b", "c"]
CHANNELS = {"any": (), "ab": ("a", "b"), "bc": ("b", "c")}


def make_engine(stock):
    channels = [om.Channel(name, nodes=nodes) for name, nodes in CHANNELS.items()]
    network = om.Network.build(skus=["tee"], nodes=NODES, channels=channels)
    engine = om.open(":memory:", network, clock=lambda: 1_728_000_000)
    for node, units in zip(NODES, stock, strict=True):
        if units:
            engine.receive("tee", node, units)
    return engine


def test_a_late_hold_gives_way_to_a_pick_up_at_its_node():
    engine = make_engine([2, 2, 0])
    web = engine.reserve("WEB", [("tee", 2)], channel="any", late=True)
    assert {line.node for line in web.lines} == {"a"}

    assert engine.available("tee", node="a") == 2
    assert engine.check("tee", 2, node="a").ok
    pick_up = engine.reserve("PICK-UP", [("tee", 2)], node="a", request_id="P")
    assert pick_up.lines[0].node == "a"
    assert engine.reserve("PICK-UP", [("tee", 2)], node="a", request_id="P").duplicate

    assert {line.node for line in engine.hold(web.hold_id).lines if line.quantity} == {"b"}
    assert engine.available("tee") == 0
    assert engine.verify().differences == ()


def test_one_late_hold_moves_on_for_another():
    """The hold at a may go to b only; that at b to c: a is free once both have moved."""
    engine = make_engine([1, 1, 1])
    first = engine.reserve("FIRST", [("tee", 1)], channel="ab", late=True)
    second = engine.reserve("SECOND", [("tee", 1)], channel="bc", late=True)
    assert (first.lines[0].node, second.lines[0].node) == ("a", "b")

    assert engine.available("tee", node="a") == 1
    engine.reserve("PICK-UP", [("tee", 1)], node="a")

    places = [engine.hold(one.hold_id).lines for one in (first, second)]
    assert [[one.node for one in lines if one.quantity] for lines in places] == [["b"], ["c"]]
    assert engine.verify().ok


def test_a_hold_at_a_named_node_stays():
    engine = make_engine([1, 1, 0])
    engine.reserve("FIXED", [("tee", 1)], node="a", late=True)
    engine.reserve("SURE", [("tee", 1)], channel="any")

    assert engine.available("tee", node="a") == 0
    with pytest.raises(om.OutOfStock):
        engine.reserve("PICK-UP", [("tee", 1)], node="a")


orders = st.lists(
    st.tuples(st.sampled_from([*CHANNELS]), st.integers(1, 3), st.sampled_from([None, *NODES])),
    max_size=7,
)


def feasible(stock, demands):
    """Whether demands, each with the nodes that may serve it, fit into the stock: by trying."""
    if not demands:
        return True
    (nodes, units), *rest = demands
    if units == 0:
        return feasible(stock, rest)
    for node in nodes:
        k = NODES.index(node)
        if stock[k] > 0:
            left = [*stock]
            left[k] -= 1
            if feasible(left, [(nodes, units - 1), *rest]):
                return True
    return False


@settings(deadline=None, max_examples=80)
@given(stock=st.tuples(*[st.integers(0, 3)] * 3), orders=orders)
def test_an_order_is_refused_only_if_no_choice_of_nodes_serves_all(stock, orders):
    engine = make_engine(stock)
    kept = []
    for number, (channel, units, node) in enumerate(orders):
        nodes = CHANNELS[channel] or tuple(NODES)
        if node is not None and node not in nodes:
            continue
        mine = ((node,) if node else nodes, units)
        possible = feasible([*stock], [mine, *kept])

        available = engine.available("tee", channel=channel, node=node)
        assert (available >= units) == possible
        try:
            engine.reserve(f"O{number}", [("tee", units)], channel=channel, node=node, late=True)
        except om.OutOfStock:
            assert not possible
        else:
            assert possible
            kept.append(mine)
    assert engine.verify().differences == ()


def test_nothing_gives_way_to_who_may_not_have_the_node():
    engine = make_engine([0, 1, 1])
    engine.reserve("LATE", [("tee", 1)], channel="bc", late=True)

    assert engine.available("tee", channel="any", node="b") == 1
    assert engine.available("tee", channel="ab", node="c") == 0
    explanation = engine.explain("tee", channel="any", node="b")
    assert explanation.available == sum(units for _, units in explanation.steps) == 1


def test_a_hold_that_is_due_later_does_not_make_room_today():
    engine = make_engine([0, 4, 0])
    tomorrow = 1_728_000_000 + 86_400
    engine.expect("tee", "a", 2, tomorrow, "PO")
    engine.reserve("LATE", [("tee", 2, "a")], by=tomorrow)
    engine.reserve("MOVES", [("tee", 2)], nodes=["a", "b"], by=tomorrow, late=True)

    assert engine.available("tee", node="a") == 0
    assert engine.available("tee", node="b", by=tomorrow) == 2
    with pytest.raises(om.OutOfStock):
        engine.reserve("NOW", [("tee", 1)], node="a")


def test_supply_beyond_the_fence_has_no_lot():
    network = om.Network.build(skus=[om.Sku("pen", replenishment_buckets=3)], nodes=["a"])
    with om.open(":memory:", network, clock=lambda: 1_728_000_000) as engine:
        engine.receive("pen", "a", 5, lot="L2")
        due = 1_728_000_000 + 5 * 86_400

        assert engine.available("pen", by=due, lot="L1") == 0
        assert engine.available("pen", by=due) > 10**9
