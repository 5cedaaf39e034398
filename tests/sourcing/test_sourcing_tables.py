from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import FrameError, InputError
from omnistock.model import Channel, Network, Node, Sku
from omnistock.sourcing import ShippingCost, SourcingRules, source, source_cart

NETWORK = Network.build(
    skus=[
        "TEE",
        "MUG",
        Sku("SET", components=(("TEE", 1), ("MUG", 2))),
        Sku("TEA", unit_scale=1000),
    ],
    nodes=[
        Node("BERLIN", latitude=52.52, longitude=13.405, priority=2),
        Node("MUNICH", latitude=48.1372, longitude=11.5755, priority=1),
        Node("CLOSED", active=False),
        Node("SHOP", kind="store", latitude=50.11, longitude=8.68, priority=3),
    ],
    channels=[Channel("web"), Channel("shop", nodes=("SHOP",))],
)


def stock(**units):
    cells = [(*key.split("_"), number) for key, number in units.items()]
    return {
        "sku": [cell[0] for cell in cells],
        "node": [cell[1] for cell in cells],
        "on_hand": [cell[2] for cell in cells],
    }


def lines(*rows, **more):
    names = ("order", "sku", "quantity")
    table = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    return table | {"channel": ["web"] * len(rows)} | more


def sent(sourced):
    columns = (sourced.order, sourced.sku, sourced.node, sourced.quantity.tolist())
    return sorted(zip(*columns, strict=True))


def test_orders_are_served_by_priority_then_in_the_order_of_rows():
    orders = lines(("A", "TEE", 1), ("B", "TEE", 1), ("C", "TEE", 1), priority=[5, 5, 1])

    sourced = source(orders, stock(TEE_BERLIN=2), NETWORK)

    assert sourced.orders.tolist() == ["C", "A", "B"]
    assert sent(sourced) == [("A", "TEE", "BERLIN", 1), ("C", "TEE", "BERLIN", 1)]
    assert sourced.unfilled.tolist() == [0, 1, 0]


def test_where_nothing_else_decides_nodes_of_smaller_priority_send():
    sourced = source(lines(("A", "TEE", 1)), stock(TEE_BERLIN=9, TEE_MUNICH=9), NETWORK)

    assert sent(sourced) == [("A", "TEE", "MUNICH", 1)]


def test_the_nearest_node_sends_when_kilometres_cost():
    orders = lines(("A", "TEE", 1), ("B", "TEE", 1), ("C", "TEE", 1))
    orders |= {"latitude": [53.55, 47.99, None], "longitude": [9.99, 7.85, None]}

    sourced = source(
        orders,
        stock(TEE_BERLIN=9, TEE_MUNICH=9),
        NETWORK,
        cost=ShippingCost(package_cents=400, cents_per_km=1.0),
    )

    # Hamburg is 255 km from Berlin, Freiburg 277 km from Munich; C does not say where.
    assert sent(sourced) == [
        ("A", "TEE", "BERLIN", 1),
        ("B", "TEE", "MUNICH", 1),
        ("C", "TEE", "MUNICH", 1),
    ]
    assert sourced.cost.tolist() == [400 + 255, 400 + 277, 400]


def test_a_channel_a_wanted_node_and_a_closed_node_limit_who_sends():
    units = stock(TEE_BERLIN=9, TEE_SHOP=1, TEE_CLOSED=50, MUG_MUNICH=5)
    orders = lines(("A", "TEE", 2), ("B", "TEE", 20), ("C", "MUG", 1), ("D", "MUG", 1))
    orders |= {"channel": ["shop", "web", "web", "web"], "node": ["", "", "BERLIN", "CLOSED"]}

    sourced = source(orders, units, NETWORK)

    assert sent(sourced) == [("A", "TEE", "SHOP", 1), ("B", "TEE", "BERLIN", 9)]
    assert sourced.unfilled.tolist() == [1, 11, 1, 1]


def test_a_kit_is_sent_whole_or_not_at_all():
    units = stock(TEE_BERLIN=5, MUG_MUNICH=3)
    orders = lines(("A", "SET", 2), ("B", "SET", 1), ("B", "TEE", 1))

    sourced = source(orders, units, NETWORK)

    assert sent(sourced) == [
        ("A", "MUG", "MUNICH", 2),
        ("A", "TEE", "BERLIN", 1),
        ("B", "TEE", "BERLIN", 1),
    ]
    assert sourced.unfilled.tolist() == [1, 1, 0]


def test_a_kit_and_its_component_in_one_order_share_the_stock():
    units = stock(TEE_BERLIN=1, MUG_BERLIN=9)

    component_first = source(lines(("A", "TEE", 1), ("A", "SET", 1)), units, NETWORK)
    kit_first = source(lines(("A", "SET", 1), ("A", "TEE", 1)), units, NETWORK)

    assert component_first.unfilled.tolist() == [0, 1]
    assert kit_first.unfilled.tolist() == [0, 1]
    assert sent(kit_first) == [("A", "MUG", "BERLIN", 2), ("A", "TEE", "BERLIN", 1)]


def test_rules_of_splitting_hold_for_every_order():
    units = stock(TEE_BERLIN=1, TEE_MUNICH=1, MUG_SHOP=1)
    orders = lines(("A", "TEE", 2), ("A", "MUG", 1), ("B", "MUG", 1))

    whole = source(orders, units, NETWORK, rules=SourcingRules(max_packages=2, ship_complete=True))
    partly = source(orders, units, NETWORK, rules=SourcingRules(max_packages=2))

    assert sent(whole) == [("B", "MUG", "SHOP", 1)]
    assert whole.unfilled.tolist() == [2, 1, 0]
    assert partly.packages.tolist() == [2, 1]
    assert partly.unfilled.tolist() == [0, 1, 0]


def test_goods_by_weight_are_counted_in_grams():
    sourced = source(lines(("A", "TEA", 0.25)), stock(TEA_BERLIN=1.2), NETWORK)

    assert sourced.quantity.tolist() == [250]


@pytest.mark.parametrize(
    ("make", "kind"),
    [(pd.DataFrame, pd.DataFrame), (pl.DataFrame, pl.DataFrame), (pa.table, pa.Table)],
)
def test_answers_are_the_kind_of_frame_that_the_orders_are(make, kind):
    sourced = source(make(lines(("A", "TEE", 2))), make(stock(TEE_BERLIN=1)), NETWORK)

    for answer in (sourced.to_table(), sourced.unfilled_table(), sourced.orders_table()):
        assert isinstance(answer, kind)
        assert len(answer) == 1


def test_an_order_is_explained_with_what_is_missing():
    sourced = source(lines(("A", "TEE", 2)), stock(TEE_BERLIN=1), NETWORK)

    assert sourced.explain("A") == "A: 1 package for 5.00\n  BERLIN: 1 x TEE\n  nobody: 1 x TEE"
    with pytest.raises(InputError, match="no order 'Z'"):
        sourced.explain("Z")


@st.composite
def days(draw):
    rows = st.tuples(
        st.sampled_from("ABCDE"), st.sampled_from(["TEE", "MUG", "SET"]), st.integers(1, 4)
    )
    orders = draw(st.lists(rows, min_size=1, max_size=10))
    cells = st.dictionaries(
        st.sampled_from([f"{s}_{n}" for s in ("TEE", "MUG") for n in ("BERLIN", "MUNICH", "SHOP")]),
        st.integers(0, 9),
    )
    return lines(*orders), stock(**draw(cells))


@given(days(), st.sampled_from([None, 1, 2]), st.booleans())
def test_no_stock_is_sent_twice_and_every_unit_is_sent_or_reported(day, most, complete):
    orders, units = day

    sourced = source(
        orders, units, NETWORK, rules=SourcingRules(max_packages=most, ship_complete=complete)
    )

    on_hand = Counter(
        dict(zip(zip(units["sku"], units["node"], strict=True), units["on_hand"], strict=True))
    )
    taken = Counter()
    by_order = Counter()
    for order, sku, node, quantity in sent(sourced):
        taken[sku, node] += quantity
        by_order[order, sku] += quantity
    assert all(number <= on_hand[key] for key, number in taken.items())
    expected = Counter()
    for row, order in enumerate(orders["order"]):
        filled = orders["quantity"][row] - int(sourced.unfilled[row])
        assert filled >= 0
        for sku, number in NETWORK.explode(orders["sku"][row], filled).items():
            expected[order, sku] += number
    assert +expected == by_order


def test_each_order_gets_the_plan_that_its_cart_alone_would_get():
    rng = np.random.default_rng(4)
    nodes = [f"N{n}" for n in range(7)]
    skus = [f"S{s}" for s in range(5)]
    network = Network.build(skus=skus, nodes=nodes)
    units = rng.integers(0, 6, (5, 7))
    package_cost = {node: int(c) for node, c in zip(nodes, rng.integers(1, 999, 7), strict=True)}
    rows = [
        (f"O{o:02d}", skus[s], int(rng.integers(1, 6)))
        for o in range(20)
        for s in rng.choice(5, 3, replace=False)
    ]
    table = {
        "sku": [skus[s] for s in range(5) for _ in nodes],
        "node": nodes * 5,
        "on_hand": units.reshape(-1).tolist(),
    }

    sourced = source(lines(*rows), table, network, cost=ShippingCost(package_cost))

    left = units.T.copy()
    for o, order in enumerate(sourced.orders):
        own = [(skus.index(sku), quantity) for name, sku, quantity in rows if name == order]
        columns = [s for s, _ in own]
        plan = source_cart(
            [quantity for _, quantity in own],
            left[:, columns],
            package_cost=list(package_cost.values()),
        )
        left[:, columns] -= plan.quantity
        assert (sourced.packages[o], sourced.cost[o]) == (plan.packages, plan.cost)
    assert sourced.proven.all()


def test_progress_reaches_the_number_of_orders():
    seen = []

    source(
        lines(("A", "TEE", 1)), stock(TEE_BERLIN=1), NETWORK, progress=lambda *it: seen.append(it)
    )

    assert seen == [(1, 1, "sourcing orders")]


def test_no_orders_are_no_error():
    nothing = {"order": [], "sku": [], "channel": [], "quantity": []}

    assert len(source(nothing, stock(TEE_BERLIN=1), NETWORK)) == 0


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        (lines(("A", "TIE", 1)), "orders, row 1, column 'sku': unknown SKU 'TIE'"),
        (lines(("A", "TEE", 1), channel=["wbe"]), "orders, row 1, column 'channel'"),
        (lines(("A", "TEE", 1), node=["ROME"]), "orders, row 1, column 'node'"),
        (lines(("A", "TEE", 0)), "orders, row 1, column 'quantity'"),
        (lines(("A", "TEE", 1), ("A", "MUG", 1), priority=[1, 2]), "row 2, column 'priority'"),
        (lines(("A", "TEE", 1), latitude=[5.0]), "row 1, column 'longitude'"),
        (lines(("A", "TEE", 1), ("A", "TEE", 1), node=["", "SHOP"]), "one SKU at different nodes"),
        (lines(("A", "TEE", 1.5)), "not a whole number of smallest units"),
    ],
)
def test_bad_orders_are_named(orders, message):
    with pytest.raises(FrameError, match=message):
        source(orders, stock(TEE_BERLIN=1), NETWORK)


def test_bad_stock_and_costs_are_named():
    orders = lines(("A", "TEE", 1), latitude=[50.0], longitude=[9.0])
    nowhere = Network.build(skus=["TEE"], nodes=["X"])

    with pytest.raises(FrameError, match="stock, row 1, column 'node'"):
        source(orders, stock(TEE_ROME=1), NETWORK)
    with pytest.raises(InputError, match="nodes X have no latitude"):
        source(orders, stock(TEE_X=1), nowhere, cost=ShippingCost(cents_per_km=1.0))
    with pytest.raises(InputError, match="package_cents lacks nodes X"):
        source(orders, stock(TEE_X=1), nowhere, cost=ShippingCost(package_cents={}))
    with pytest.raises(InputError, match="unit_cents must be whole cents"):
        ShippingCost(unit_cents=-1)
    with pytest.raises(InputError, match="cents_per_km must be >= 0"):
        ShippingCost(cents_per_km=float("nan"))
