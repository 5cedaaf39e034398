"""Joint sourcing from tables: against all plans in plain Python, and what its answers say."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnistock.errors import FrameError, InputError
from omnistock.model import Channel, Network, Node, Sku
from omnistock.sourcing import JointCost, Zone, source_jointly

NODES = ("DC", "EAST", "WEST")
PARTS = {"TEE": {"TEE": 1}, "MUG": {"MUG": 1}, "SET": {"TEE": 1, "MUG": 2}}
NETWORK = Network.build(
    skus=["TEE", "MUG", Sku("SET", components=(("TEE", 1), ("MUG", 2)))],
    nodes=[
        Node("DC", latitude=50.0, longitude=8.0),
        Node("EAST", latitude=50.0, longitude=13.0, priority=1),
        Node("WEST", latitude=50.0, longitude=3.0, priority=2),
        Node("CLOSED", active=False),
    ],
    channels=[Channel("web"), Channel("east", nodes=("EAST",))],
)


def table(*rows, **more):
    names = ("order", "sku", "quantity")
    return {
        **{name: [row[i] for row in rows] for i, name in enumerate(names)},
        "channel": ["web"] * len(rows),
        **more,
    }


def stock(**units):
    cells = [(*key.split("_"), number) for key, number in units.items()]
    return {name: [cell[i] for cell in cells] for i, name in enumerate(("sku", "node", "on_hand"))}


def cost_of(plan, orders, units, values, capacity, cents, rules):
    """Cents of a plan for the rows of a table, None if it breaks a rule."""
    unfilled_cents, ship_complete, most = rules
    total, nodes, gone, load = 0, {}, Counter(), Counter()
    for row, node in enumerate(plan):
        nodes.setdefault(orders["order"][row], []).append(node)
        if node is None:
            if orders["must_ship"][row]:
                return None
            own = orders["unfilled_cents"][row]
            total += orders["quantity"][row] * unfilled_cents if own is None else own
            continue
        if orders["channel"][row] == "east" and node != "EAST":
            return None
        if orders["node"][row] not in ("", node):
            return None
        for sku, per_kit in PARTS[orders["sku"][row]].items():
            taken = per_kit * orders["quantity"][row]
            gone[sku, node] += taken
            load[node] += taken
            total += taken * (cents["unit"][node] + values.get((sku, node), 0))
    for where in nodes.values():
        used = {node for node in where if node}
        if len(used) > most or (ship_complete and used and None in where):
            return None
        total += sum(cents["package"][node] for node in used)
    if any(taken > units.get(place, 0) for place, taken in gone.items()):
        return None
    if any(sent > capacity.get(node, sent) for node, sent in load.items()):
        return None
    return total


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_plan_costs_what_the_cheapest_of_all_plans_costs(seed):
    rng = np.random.default_rng(seed)
    n_rows = int(rng.integers(1, 6))
    order = sorted(rng.choice(["A", "B", "C"], n_rows).tolist())
    of_order = {
        name: ("east" if rng.random() < 0.15 else "web", bool(rng.random() < 0.15))
        for name in ("A", "B", "C")
    }
    orders = {
        "order": order,
        "sku": rng.choice(list(PARTS), n_rows).tolist(),
        "quantity": rng.integers(1, 3, n_rows).tolist(),
        "channel": [of_order[name][0] for name in order],
        "must_ship": [of_order[name][1] for name in order],
        "node": [str(rng.choice(NODES)) if rng.random() < 0.1 else "" for _ in order],
        "unfilled_cents": [int(rng.integers(0, 20)) if rng.random() < 0.5 else None for _ in order],
    }
    units = {(sku, node): int(rng.integers(0, 5)) for sku in ("TEE", "MUG") for node in NODES}
    values = {place: int(rng.integers(0, 4)) for place in units if rng.random() < 0.5}
    capacity = {node: int(rng.integers(0, 9)) for node in NODES if rng.random() < 0.5}
    cents = {
        kind: {node: int(rng.integers(0, 9)) for node in NODES} for kind in ("package", "unit")
    }
    rules = (int(rng.integers(0, 12)), bool(rng.random() < 0.3), int(rng.integers(1, 4)))

    plan = source_jointly(
        orders,
        stock(**{f"{sku}_{node}": number for (sku, node), number in units.items()}),
        NETWORK,
        cost=JointCost(package_cents=cents["package"], unit_cents=cents["unit"]),
        unfilled_cents=rules[0],
        ship_complete=rules[1],
        max_packages=rules[2],
        stock_value={
            "sku": [sku for sku, _ in values],
            "node": [node for _, node in values],
            "cents": list(values.values()),
        },
        node_capacity={"node": list(capacity), "capacity": list(capacity.values())},
        time_limit_s=20,
    )

    costs = [
        cost_of(one, orders, units, values, capacity, cents, rules)
        for one in product((None, *NODES), repeat=n_rows)
    ]
    best = min((one for one in costs if one is not None), default=None)
    assert (plan.cost, plan.status) == (best, "Infeasible" if best is None else "Optimal")
    if best is not None:
        assert plan.cost_cents.sum() == best
        assert plan.bound == best
        assert plan.gap == 0.0


def test_orders_of_smaller_priority_are_planned_first_whatever_that_costs_others():
    orders = table(("A", "TEE", 1), ("B", "TEE", 1), priority=[2, 1], unfilled_cents=[9000, 600])

    first = source_jointly(orders, stock(TEE_DC=1), NETWORK)
    equal = source_jointly({**orders, "priority": [1, 1]}, stock(TEE_DC=1), NETWORK)

    assert (first.order.tolist(), first.cost, first.status) == (["B"], 9500, "Optimal")
    assert (equal.order.tolist(), equal.cost) == (["A"], 1100)
    assert first.orders.tolist() == ["B", "A"]


def test_what_a_later_priority_must_ship_makes_the_whole_infeasible_if_it_cannot():
    orders = table(("A", "TEE", 1), ("B", "TEE", 1), priority=[2, 1], must_ship=[True, False])

    plan = source_jointly(orders, stock(TEE_DC=1), NETWORK, unfilled_cents=900)

    assert (plan.status, plan.cost, plan.bound, len(plan)) == ("Infeasible", None, None, 0)
    assert plan.unfilled.tolist() == [1, 1]
    assert plan.gap == float("inf")
    with pytest.raises(InputError, match="no plan to explain: Infeasible"):
        plan.explain("A")


def test_a_plan_tells_every_term_and_the_runner_up_of_an_order():
    orders = table(
        ("A", "TEE", 2),
        ("A", "MUG", 1),
        ("B", "TEE", 1),
        ("B", "MUG", 4),
        unfilled_cents=[4000] * 4,
    )
    plan = source_jointly(
        orders,
        stock(TEE_DC=3, TEE_EAST=3, MUG_EAST=1),
        NETWORK,
        cost=JointCost(package_cents={"DC": 400, "EAST": 600, "WEST": 500}, unit_cents=10),
        stock_value={"sku": ["TEE"], "node": ["EAST"], "cents": [25]},
    )

    assert plan.explain("A") == (
        "A: 1 package for 6.80\n"
        "  EAST: 2 x TEE, 1 x MUG\n"
        "  packages 6.00, units 0.30, stock value 0.50\n"
        "without EAST: 1 package, 1 unfilled for 44.20, 37.40 more"
    )
    assert plan.explain("B") == (
        "B: 1 package, 1 unfilled for 44.10\n"
        "  DC: 1 x TEE\n"
        "  nobody: 4 x MUG\n"
        "  packages 4.00, units 0.10, unfilled 40.00\n"
        "without DC: 1 package, 1 unfilled for 46.35, 2.25 more"
    )
    with pytest.raises(InputError, match="no order 'C'"):
        plan.explain("C")


def test_an_order_that_gives_way_is_told_what_it_would_cost_alone():
    orders = table(("A", "TEE", 1), ("B", "TEE", 1), ("B", "MUG", 1), unfilled_cents=[5000] * 3)
    cost = JointCost(package_cents={"DC": 700, "EAST": 500, "WEST": 500})

    plan = source_jointly(orders, stock(TEE_DC=1, TEE_EAST=1, MUG_EAST=1), NETWORK, cost=cost)

    assert plan.explain("A").splitlines()[-1] == (
        "alone 5.00, from EAST; others have what that takes"
    )


def test_tables_come_back_in_the_callers_kind_and_kits_as_their_components():
    orders = pd.DataFrame(table(("A", "SET", 2), ("B", "MUG", 5)))

    plan = source_jointly(orders, stock(TEE_DC=2, MUG_DC=4), NETWORK, unfilled_cents=1000)

    sent = plan.to_table()
    assert isinstance(sent, pd.DataFrame)
    assert sent.to_numpy().tolist() == [["A", "MUG", "DC", 4], ["A", "TEE", "DC", 2]]
    assert plan.unfilled_table().to_numpy().tolist() == [["B", "MUG", 5]]
    assert plan.orders_table().to_numpy().tolist() == [
        ["A", 1, 500, 0, 0, 0, 500],
        ["B", 0, 0, 0, 0, 5000, 5000],
    ]


def test_distance_weight_and_zones_add_up_to_what_the_carrier_asks():
    # A degree of longitude at 50 degrees north: 71.47 km.
    orders = table(("A", "TEE", 3), ("B", "TEE", 1), latitude=[50.0, None], longitude=[9.0, None])
    cost = JointCost(
        package_cents=200,
        cents_per_km=1.0,
        unit_cents=7,
        unit_cents_per_km=0.1,
        zones=(Zone(50, 100, 1), Zone(100, 300, 5), Zone(float("inf"), 900, 9)),
    )

    plan = source_jointly(
        orders, stock(TEE_DC=9), NETWORK, cost=cost, weights={"TEE": 2}, unfilled_cents=9000
    )

    assert plan.package_cents.tolist() == [200 + 71 + 300, 200]
    assert plan.units_cents.tolist() == [6 * (7 + 7 + 5), 2 * 7]


def test_goods_by_weight_count_against_capacity_as_selling_units_rounded_up():
    network = Network.build(skus=[Sku("TEA", unit_scale=1000)], nodes=["DC"])
    orders = table(("A", "TEA", 0.25), ("B", "TEA", 1.5))

    def units(capacity):
        plan = source_jointly(
            orders,
            stock(TEA_DC=9),
            network,
            unfilled_cents=10,
            node_capacity={"node": ["DC"], "capacity": [capacity]},
        )
        return plan.quantity.tolist()

    assert [units(1), units(2), units(3)] == [[250], [1500], [250, 1500]]


def test_a_closed_node_sends_nothing_even_if_a_row_names_it():
    orders = table(("A", "TEE", 1), ("B", "TEE", 1), node=["CLOSED", ""])

    plan = source_jointly(orders, stock(TEE_CLOSED=5, TEE_DC=1), NETWORK, unfilled_cents=900)

    assert list(zip(plan.order, plan.node, strict=True)) == [("B", "DC")]


def test_no_orders_and_no_stock_are_answered():
    none = {name: [] for name in ("order", "sku", "channel", "quantity")}

    empty = source_jointly(none, stock(TEE_DC=1), NETWORK, unfilled_cents=1)
    bare = source_jointly(
        table(("A", "TEE", 2)), {"sku": [], "node": [], "on_hand": []}, NETWORK, unfilled_cents=3
    )

    assert (empty.cost, empty.status, len(empty)) == (0, "Optimal", 0)
    assert (bare.cost, bare.unfilled.tolist()) == (6, [2])


@pytest.mark.parametrize(
    ("more", "given", "message"),
    [
        ({}, {}, "orders, row 1, column 'unfilled_cents': is empty; fill it"),
        ({"unfilled_cents": [3, None]}, {}, "orders, row 2, column 'unfilled_cents': is empty"),
        ({"unfilled_cents": [3, -2]}, {}, "orders, row 2, column 'unfilled_cents': -2"),
        ({"unfilled_cents": [3, 2**40]}, {}, "row 2, column 'unfilled_cents': 1099511627776 is"),
        ({"must_ship": [True, False]}, {}, "row 2, column 'must_ship': order 'A' has must_ship"),
        ({"sku": ["TEE", "CAP"]}, {}, "orders, row 2, column 'sku': unknown SKU 'CAP'"),
        (
            {"quantity": [1, 2_000_000]},
            {"unfilled_cents": 100_000},
            "orders, row 2, column 'quantity': 2000000 units at unfilled_cents=100000",
        ),
        (
            {"quantity": [1, 2_000_000]},
            {"unfilled_cents": 1, "cost": JointCost(unit_cents=2**20)},
            "orders, row 2, column 'quantity': 2000000 units of weight at up to 1048576 cents",
        ),
        (
            {},
            {"stock_value": {"sku": ["TEE"], "node": ["MARS"], "cents": [1]}, "unfilled_cents": 1},
            "stock_value, row 1, column 'node': unknown node 'MARS'",
        ),
        (
            {},
            {
                "stock_value": {"sku": ["TEE"], "node": ["DC"], "cents": [2**40]},
                "unfilled_cents": 1,
            },
            "stock_value, row 1, column 'cents': 1099511627776 is beyond",
        ),
        (
            {},
            {"node_capacity": {"node": ["MARS"], "capacity": [1]}, "unfilled_cents": 1},
            "node_capacity, row 1, column 'node': unknown node 'MARS'",
        ),
    ],
)
def test_a_bad_table_is_refused_by_row_and_column(more, given, message):
    orders = table(("A", "TEE", 1), ("A", "MUG", 1), **more)

    with pytest.raises(FrameError) as error:
        source_jointly(orders, stock(TEE_DC=1), NETWORK, **given)

    assert message in str(error.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_packages": 0}, "max_packages must be >= 1"),
        ({"unfilled_cents": 1.5}, "unfilled_cents must be a whole number"),
        ({"weights": {"TEE": -1}}, "weight of 'TEE' must be a whole number"),
        ({"weights": {"MUG": 1}}, "weights lack TEE"),
        ({"cost": JointCost(zones=(Zone(5),))}, "is 714 km away and the last zone ends at 5 km"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(given, message):
    orders = table(("A", "TEE", 1), latitude=[50.0], longitude=[3.0])

    with pytest.raises(InputError, match=message):
        source_jointly(orders, stock(TEE_DC=1), NETWORK, **{"unfilled_cents": 5, **given})


def test_costs_by_distance_need_to_know_where_nodes_are():
    network = Network.build(skus=["TEE"], nodes=["DC"])
    orders = table(("A", "TEE", 1), latitude=[50.0], longitude=[3.0])

    with pytest.raises(InputError, match="nodes DC have no latitude and longitude"):
        source_jointly(
            orders, stock(TEE_DC=1), network, unfilled_cents=1, cost=JointCost(cents_per_km=1)
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Zone(-1), "up_to_km must be >= 0"),
        (lambda: Zone(5, package_cents=-1), "package_cents must be whole cents"),
        (lambda: JointCost(zones=(Zone(9), Zone(5))), "zones must end farther and farther away"),
        (lambda: JointCost(unit_cents_per_km=float("nan")), "unit_cents_per_km must be >= 0"),
    ],
)
def test_costs_that_make_no_sense_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_progress_is_told_of_every_stage():
    told = []

    source_jointly(
        table(("A", "TEE", 1)),
        stock(TEE_DC=1),
        NETWORK,
        unfilled_cents=900,
        time_limit_s=60,
        progress=lambda done, total, phase: told.append((done, total, phase)),
    )

    assert all(0 <= done <= total == 60_000 for done, total, _ in told)
    assert told[-1][2] == "Optimal: 5.00, gap 0.00%"
