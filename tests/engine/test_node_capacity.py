"""What nodes can handle: taken with the stock, given back with it, named when it binds."""

from __future__ import annotations

import pytest
from small_retailer import DAY, NOON, held, make_engine

import omnistock as om
from omnistock.sourcing import CostTerm, Strategy


def test_a_refusal_names_the_capacity_and_nothing_is_taken():
    engine = make_engine({("X", "A"): 20})
    engine.set_capacity("A", 6)
    engine.set_capacity("A", 6, on=NOON, busy=2)

    with pytest.raises(om.OutOfStock) as refused:
        engine.reserve("O1", [("X", 5)])

    (short,) = refused.value.shortages
    assert (short.available, short.binding, short.next_date) == (4, "capacity", "2024-10-05")
    assert (engine.capacity_left("A"), engine.available("X")) == (4, 4)
    assert engine.explain("X").binding == "beyond what nodes can handle"


def test_capacity_is_taken_with_the_stock_and_comes_back_with_a_release():
    engine = make_engine({("X", "A"): 20, ("Y", "A"): 20})
    engine.set_capacity("A", 6)
    hold = engine.reserve("O1", [("X", 2), ("Y", 3)])

    assert engine.capacity_left("A") == 1
    with pytest.raises(om.OutOfStock):
        engine.reserve("O2", [("X", 1), ("Y", 1)])
    assert engine.capacity_left("A") == 1
    engine.release(hold, [("Y", 3)])
    assert engine.capacity_left("A") == 4
    engine.ship(hold)
    assert engine.capacity_left("A") == 4
    assert engine.verify().differences == ()


def test_a_soft_hold_that_expires_gives_its_capacity_back():
    engine = make_engine({("X", "A"): 20})
    engine.set_capacity("A", 3)
    engine.reserve("O1", [("X", 3)], ttl_s=60)

    assert engine.available("X") == 0
    assert engine.available("X", now=NOON + 60) == 3


def test_tomorrow_has_its_own_capacity_and_today_ends():
    engine = make_engine({("X", "A"): 20})
    engine.set_capacity("A", 3)
    engine.reserve("O1", [("X", 3)])
    engine.reserve("O2", [("X", 2)], by=NOON + DAY)

    assert engine.promise("X", 3).deliveries[0].date == "2024-10-06"
    assert engine.available("X", by=NOON + DAY) == 1
    assert engine.available("X", now=NOON + DAY) == 1
    assert engine.available("X", now=NOON + 2 * DAY) == 3
    assert engine.verify().differences == ()


def test_what_is_held_already_counts_when_a_capacity_is_set_and_lifting_ends_it():
    engine = make_engine({("X", "A"): 20})
    engine.reserve("O1", [("X", 5)])
    engine.set_capacity("A", 7)

    assert engine.available("X") == 2
    engine.set_capacity("A", None)
    assert (engine.available("X"), engine.capacity_left("A")) == (15, None)
    assert engine.verify().differences == ()


def test_an_order_goes_where_there_is_capacity():
    engine = make_engine({("X", "A"): 20, ("X", "B"): 20})
    engine.set_capacity("A", 3)

    hold = engine.reserve("O1", [("X", 5)])

    assert held(engine, hold) == [("X", "B", 5)]
    assert engine.available("X") == 3 + 15


def test_capacity_outlives_a_restart(tmp_path):
    path = tmp_path / "shop.db"
    network = om.Network.build(skus=["X"], nodes=["A"])
    with om.open(str(path), network, clock=lambda: NOON) as engine:
        engine.receive("X", "A", 20)
        engine.set_capacity("A", 9)
        engine.set_capacity("A", 5, on=NOON, busy=1)
        engine.reserve("O1", [("X", 3)])
    with om.open(str(path), network, clock=lambda: NOON) as engine:
        assert engine.capacity_left("A") == 1
        assert engine.capacity_left("A", on=NOON + DAY) == 9
        assert engine.verify().differences == ()


def test_units_of_several_lines_move_only_as_far_as_the_other_node_can_handle_them():
    engine = make_engine({("X", "A"): 5, ("X", "B"): 5})
    engine.set_capacity("B", 3)
    hold = engine.reserve("O1", [("X", 2), ("X", 2)], node="A")

    with pytest.raises(om.OutOfStock):
        engine.relocate(hold, "X", 4, source="A", destination="B")
    engine.relocate(hold, "X", 3, source="A", destination="B")

    assert (engine.capacity_left("B"), engine.available("X", node="A")) == (0, 4)
    assert engine.verify().differences == ()


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"units": -1}, "units must lie in"),
        ({"units": 5, "busy": 2}, "give on="),
        ({"units": 5, "on": NOON + 99 * DAY}, "outside the horizon"),
    ],
)
def test_a_wrong_capacity_is_refused(keywords, words):
    engine = make_engine({("X", "A"): 1})

    with pytest.raises(om.InputError, match=words):
        engine.set_capacity("A", **keywords)


def test_plans_and_reservations_agree_where_lines_share_a_capacity():
    engine = make_engine({("X", "A"): 9, ("Y", "A"): 9, ("X", "B"): 9, ("Y", "B"): 9})
    engine.set_capacity("A", 5)
    by_cost = Strategy(("cost",), costs=(CostTerm("picking", unit_cents={"A": 10, "B": 30}),))

    found = engine.source([("X", 4), ("Y", 4)], by_cost, order="O1")

    # 5 units for 10 cents, the other 3 for 30.
    assert found.choice.costs == {"picking": 140}
    assert engine.capacity_left("A") == 0
    assert engine.verify().differences == ()
