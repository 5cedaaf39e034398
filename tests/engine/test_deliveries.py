"""When an order arrives or can be collected, and when nothing need be bought for it."""

from __future__ import annotations

from small_retailer import DAY, NOON, make_engine

import omnistock as om


def test_an_order_leaves_from_the_node_from_which_it_arrives_first():
    slow = om.Schedule(pickups=((0, "10:00"),))
    fast = om.Schedule(pickups=tuple((day, "18:00") for day in range(7)))
    engine = make_engine(
        {("X", "A"): 5, ("X", "B"): 5, ("Y", "A"): 5}, A={"schedule": slow}, B={"schedule": fast}
    )

    # 2024-10-04 is a Friday.
    near = engine.promise_delivery([("X", 1)], transit={"A": 1, "B": 3})
    both = engine.promise_delivery([("X", 1), ("Y", 1)], transit=2)

    assert (near.node, near.ship, near.deliver) == ("B", "2024-10-04T18:00+00:00", "2024-10-07")
    assert (both.node, both.deliver) == ("A", "2024-10-09")
    assert engine.promise_delivery([("X", 99)], transit=1) is None


def test_stock_that_is_still_to_come_is_promised_from_its_day_on():
    engine = make_engine({("X", "A"): 0}, A={"schedule": om.Schedule(pickups=((0, "10:00"),))})
    engine.expect("X", "A", 5, NOON + 5 * DAY, reference="PO")

    found = engine.promise_delivery([("X", 2)], transit=1)

    assert (found.ship, found.deliver) == ("2024-10-14T10:00+00:00", "2024-10-15")


def test_orders_are_collected_where_all_lies_or_can_be_sent():
    engine = make_engine(
        {("X", "A"): 5, ("Y", "B"): 5, ("X", "C"): 1, ("Y", "C"): 1},
        A={"pickup": "none"}, B={"pickup": "any"}, C={"pickup": "local"},
    )  # fmt: skip

    assert engine.pickup_nodes([("X", 1), ("Y", 1)]) == ["B", "C"]
    assert engine.pickup_nodes([("X", 2), ("Y", 1)]) == ["B"]
    assert engine.pickup_nodes([("X", 7)]) == []


def test_enough_in_the_network_blocks_a_purchase():
    engine = make_engine({("X", "A"): 100, ("X", "B"): 0})
    for node in "AB":
        engine.set_buffer("X", 10, node=node)

    assert engine.purchase_blocked("X")
    engine.reserve("O1", [("X", 79)])
    assert engine.purchase_blocked("X")
    engine.reserve("O2", [("X", 1)])
    assert not engine.purchase_blocked("X")
    assert not engine.purchase_blocked("X", nodes=["B"])
