from itertools import combinations, product

import numpy as np
import oracles_sourcing as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.sourcing import SourcingRules, source_cart
from omnistock.sourcing.bounds import find_dominators, price_rest
from omnistock.sourcing.greedy import set_cost
from omnistock.sourcing.kernels import plan_cart_into


@st.composite
def carts(draw, n_nodes=4, n_lines=3, most=4):
    nodes, lines = draw(st.integers(1, n_nodes)), draw(st.integers(1, n_lines))

    def matrix(low, high):
        row = st.lists(st.integers(low, high), min_size=lines, max_size=lines)
        return draw(st.lists(row, min_size=nodes, max_size=nodes))

    return {
        "need": draw(st.lists(st.integers(0, most), min_size=lines, max_size=lines)),
        "stock": matrix(0, most),
        "package_cost": draw(st.lists(st.integers(0, 9), min_size=nodes, max_size=nodes)),
        "unit_cost": matrix(0, 4),
    }


some_rules = st.builds(
    SourcingRules,
    objective=st.sampled_from(["packages", "cost"]),
    max_packages=st.sampled_from([None, None, 1, 2]),
    ship_complete=st.booleans(),
    single_node_per_line=st.booleans(),
)


def plan_of(cart, rules):
    terms = {name: value for name, value in cart.items() if name not in ("need", "stock")}
    return source_cart(
        cart["need"],
        cart["stock"],
        objective=rules.objective,
        max_packages=rules.max_packages,
        ship_complete=rules.ship_complete,
        single_node_per_line=rules.single_node_per_line,
        **terms,
    )


def worth(plan):
    packages = plan.packages if plan.rules.packages_first else 0
    return int(plan.unfilled.sum()), packages, plan.cost


@given(carts(), some_rules)
def test_a_plan_is_the_best_of_all_splits_over_all_sets_of_nodes(cart, rules):
    plan = plan_of(cart, rules)

    assert plan.proven
    assert worth(plan) == oracle.best_by_enumeration(**cart, rules=rules)


@pytest.mark.parametrize("objective", ["packages", "cost"])
@pytest.mark.parametrize("max_packages", [None, 3])
def test_of_equal_plans_the_one_on_the_earliest_nodes_is_found(objective, max_packages):
    rng = np.random.default_rng(13)
    rules = SourcingRules(objective, max_packages)
    for _ in range(40):
        n_nodes, n_lines = 8, 3
        cart = {
            "need": rng.integers(3, 11, n_lines).tolist(),
            "stock": rng.integers(0, 5, (n_nodes, n_lines)).tolist(),
            "package_cost": rng.integers(0, 12, n_nodes).tolist(),
            "unit_cost": rng.integers(0, 4, (n_nodes, n_lines)).tolist(),
        }

        plan = plan_of(cart, rules)

        positions = int(plan.nodes.sum()) + plan.packages
        assert (*worth(plan), positions) == oracle.best_set_of_nodes(**cart, rules=rules)


@pytest.mark.parametrize("objective", ["packages", "cost"])
@pytest.mark.parametrize("single", [False, True])
def test_larger_carts_agree_with_an_integer_program(objective, single):
    rng = np.random.default_rng(11)
    for case in range(12):
        n_nodes, n_lines = 9, 4
        stocked = rng.random((n_nodes, n_lines)) < 0.6
        cart = {
            "need": rng.integers(1, 9, n_lines).tolist(),
            "stock": (rng.integers(0, 6, (n_nodes, n_lines)) * stocked).tolist(),
            "package_cost": rng.integers(100, 900, n_nodes).tolist(),
            "unit_cost": rng.integers(0, 99, (n_nodes, n_lines)).tolist(),
        }
        rules = SourcingRules(objective, [None, None, 3][case % 3], False, single)

        assert worth(plan_of(cart, rules)) == oracle.best_by_cp_sat(**cart, rules=rules)


def test_long_searches_find_the_best_plan_too():
    rng = np.random.default_rng(11)
    for case in range(6):
        thin = case % 2 == 0
        stock = (rng.random((22, 5)) < 0.35) * rng.integers(1, 2 if thin else 4, (22, 5))
        cart = {
            "need": rng.integers(2, 5, 5).tolist(),
            "stock": stock.tolist(),
            "package_cost": rng.integers(300, 900, 22).tolist(),
            "unit_cost": (rng.integers(0, 200, (22, 5)) * (case % 3)).tolist(),
        }
        rules = SourcingRules("packages" if case < 4 else "cost")

        assert worth(plan_of(cart, rules)) == oracle.best_by_cp_sat(**cart, rules=rules)


@given(carts(n_nodes=5, n_lines=3, most=4), st.lists(st.integers(0, 9), min_size=3, max_size=3),
       st.integers(0, 2), st.integers(1, 3))  # fmt: skip
def test_no_set_costs_less_than_its_nodes_priced_beside_those_chosen(cart, prices, depth, room):
    need = np.array(cart["need"], np.int64)
    usable = np.minimum(np.array(cart["stock"], np.int64), need)
    node_cost, unit_cost = np.array(cart["package_cost"]), np.array(cart["unit_cost"])
    n_nodes, n_lines = usable.shape
    depth = min(depth, n_nodes)
    price = np.array(prices[:n_lines], np.int64)
    ranked, trial = np.arange(n_nodes), np.arange(max(depth, 1))
    worth_of, rest = np.zeros(n_nodes, np.int64), np.zeros(n_nodes + 1, np.int64)

    base = price_rest(
        worth_of, rest, *np.zeros((2, n_lines), np.int64), depth, trial, depth, room, ranked, price,
        need, usable, node_cost, unit_cost,
    )  # fmt: skip

    for more in range(room + 1):
        for others in combinations(range(depth, n_nodes), more):
            chosen = np.array([*range(depth), *others], np.int64)
            taken = np.zeros((max(chosen.size, 1), n_lines), np.int64)
            cost = set_cost(
                taken, chosen, chosen.size, need, usable, node_cost, unit_cost, 10, False
            )
            assert cost >= base + sum(int(worth_of[n]) for n in others)
            first = min(others, default=n_nodes)
            assert cost >= base + min(0, int(rest[first]))


@given(carts(n_nodes=6, n_lines=3, most=3), st.booleans())
def test_a_node_dominates_another_if_it_can_stand_in_for_it_in_every_set(cart, by_cost):
    usable = np.array(cart["stock"], np.int64)
    node_cost, unit_cost = np.array(cart["package_cost"]), np.array(cart["unit_cost"])
    masks = np.zeros(len(usable), np.int64)

    find_dominators(masks, np.arange(len(usable)), usable, node_cost, unit_cost, by_cost)

    for a, b in product(range(len(usable)), repeat=2):
        has = usable[a] > 0
        expected = b < a and (usable[b] >= usable[a]).all()
        if by_cost:
            expected &= node_cost[b] <= node_cost[a]
            expected &= (unit_cost[b][has] <= unit_cost[a][has]).all()
        assert bool(masks[a] >> b & 1) == bool(expected)


def test_of_nodes_that_cost_the_same_the_earlier_gives_first():
    assert source_cart([5], [[2], [4], [4]], max_packages=2).quantity.tolist() == [[2], [3], [0]]


@given(carts(n_nodes=6, n_lines=4, most=9), some_rules)
def test_no_plan_sends_what_is_not_there_or_not_wanted(cart, rules):
    plan = plan_of(cart, rules)

    assert (plan.quantity >= 0).all()
    assert (plan.quantity <= np.array(cart["stock"])).all()
    assert (plan.unfilled >= 0).all()
    assert plan.packages <= (rules.max_packages or len(cart["stock"]))
    if rules.single_node_per_line:
        assert ((plan.quantity > 0).sum(axis=0) <= 1).all()
    if rules.ship_complete:
        assert plan.filled in (0, sum(cart["need"]))
    elif rules.max_packages is None and not rules.single_node_per_line:
        there = np.minimum(np.array(cart["stock"]).sum(axis=0), cart["need"])
        assert plan.quantity.sum(axis=0).tolist() == there.tolist()


@given(carts(), some_rules, st.randoms(use_true_random=False))
def test_the_worth_of_a_plan_does_not_depend_on_the_order_of_nodes(cart, rules, random):
    order = list(range(len(cart["stock"])))
    random.shuffle(order)
    names = ("stock", "package_cost", "unit_cost")
    shuffled = cart | {name: [cart[name][n] for n in order] for name in names}

    assert worth(plan_of(shuffled, rules)) == worth(plan_of(cart, rules))


@given(carts(), some_rules)
def test_the_runner_up_is_no_better_and_leaves_out_a_node(cart, rules):
    plan = plan_of(cart, rules)
    other = plan.runner_up()

    if not plan.packages:
        assert other is None
    else:
        assert worth(other) >= worth(plan)
        assert set(plan.nodes) - set(other.nodes)


def test_the_input_is_not_changed():
    need, stock = np.array([2, 1]), np.array([[1, 1], [3, 0]])

    source_cart(need, stock).runner_up()

    assert need.tolist() == [2, 1]
    assert stock.tolist() == [[1, 1], [3, 0]]


def test_equal_plans_go_to_the_earliest_nodes():
    assert source_cart([1, 1], [[0, 1], [1, 1], [1, 1]]).nodes.tolist() == [1]
    assert source_cart([2], [[1], [1], [1]]).nodes.tolist() == [0, 1]


def test_a_search_cut_short_says_so_and_still_gives_a_plan():
    rng = np.random.default_rng(2)
    need, stock = np.full(8, 30), rng.integers(0, 5, (40, 8))
    costs = rng.integers(300, 1500, 40), rng.integers(0, 300, (40, 8))
    quantity = np.zeros((40, 8), dtype=np.int64)

    proven = plan_cart_into(quantity, need, stock, *costs, 40, True, False, False, 3)

    assert not proven
    assert quantity.sum(axis=0).tolist() == need.tolist()


def test_large_quantities_of_goods_by_weight_are_exact():
    plan = source_cart([2_500_000], [[1_000_000], [2_499_999], [2_500_001]], package_cost=390)

    assert plan.nodes.tolist() == [2]
    assert plan.cost == 390


def test_empty_carts_and_empty_networks_are_plans_too():
    assert source_cart([], np.zeros((3, 0), dtype=int)).cost == 0
    assert source_cart([2], np.zeros((0, 1), dtype=int)).unfilled.tolist() == [2]
    assert source_cart([2], [[0]]).explain() == "0 of 2 units in 0 packages for 0.00"


# Published and derived sourcing rules, in the words of source_cart.


def test_fewest_shipments_take_the_second_location_alone():
    # Solidus simple_coordinator_spec: 2 in the first location, 5 in the second, 5 wanted.
    assert source_cart([5], [[2], [5]]).quantity.tolist() == [[0], [5]]


def test_distance_bands_fill_from_near_stores_unless_a_line_must_stay_whole():
    # IBM node/270049: stores at 200, 200, 600 miles; bands of 500 and 1000 miles.
    stock, band = [[10], [10], [20]], [[0], [0], [1]]

    split = source_cart([20], stock, unit_cost=band, objective="cost")
    whole = source_cart([20], stock, unit_cost=band, objective="cost", single_node_per_line=True)

    assert split.quantity.tolist() == [[10], [10], [0]]
    assert whole.quantity.tolist() == [[0], [0], [20]]


def test_fewest_packages_then_same_market_then_closest():
    # Shopify order routing: A US 50 km, B US 900, C CA 40, D US 1200.
    stock = [[5, 0], [5, 5], [5, 5], [5, 5]]
    cost = [50, 900, 100_000 + 40, 1200]

    assert source_cart([1, 1], stock, package_cost=cost).nodes.tolist() == [1]
    assert source_cart([1, 0], stock, package_cost=cost).nodes.tolist() == [0]


def test_least_total_cost_and_its_runner_up():
    # IBM cost-based promising: order + ship cost per node, cost per unit; B 18.50, then C 22.50.
    plan = source_cart(
        [3, 2],
        [[2, 0], [3, 2], [9, 9]],
        package_cost=[900, 1100, 2000],
        unit_cost=[[100, 100], [150, 150], [50, 50]],
        objective="cost",
    )

    assert plan.quantity.tolist() == [[0, 0], [3, 2], [0, 0]]
    assert plan.cost == 1850
    assert plan.runner_up().cost == 2250
    assert plan.explain(["A", "B", "C"]).splitlines() == [
        "5 of 5 units in 1 package for 18.50",
        "  B: 5 units; package 11.00, units 7.50",
        "without B: 5 of 5 units in 1 package for 22.50",
    ]


def test_a_fixed_order_of_nodes_empties_the_first_first():
    # Magento SourceSelectionServiceTest, in tenths: 8 of SKU-1 and 4 of SKU-4 by priority.
    plan = source_cart(
        [80, 40], [[55, 0], [30, 60], [0, 0]], unit_cost=[[0], [1], [2]], objective="cost"
    )

    assert plan.quantity.tolist() == [[55, 0], [25, 40], [0, 0]]


def test_the_number_of_splits_is_limited():
    # Fluent maxSplit = packages - 1: three nodes with two units each, six wanted.
    stock = [[2], [2], [2]]

    assert source_cart([6], stock, max_packages=2, ship_complete=True).filled == 0
    assert source_cart([6], stock, max_packages=3, ship_complete=True).packages == 3
    partial = source_cart([6], stock, max_packages=2)
    assert (partial.packages, partial.filled, partial.unfilled.tolist()) == (2, 4, [2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"need": [1.5]}, "need must hold integers"),
        ({"need": [-1]}, "need must lie in 0"),
        ({"stock": [[1, 2]]}, r"got \(1,\) and \(1, 2\)"),
        ({"package_cost": [1, 2]}, r"package_cost of shape \(2,\) does not fit"),
        ({"unit_cost": 0.5}, "unit_cost must hold integers"),
        ({"objective": "profit"}, "objective must be one of"),
        ({"max_packages": 0}, "max_packages must be >= 1"),
        ({"need": [2**40], "unit_cost": 2**30}, "too large to be compared exactly"),
    ],
)
def test_bad_carts_are_refused(change, message):
    terms = {"need": [1], "stock": [[1]]} | change

    with pytest.raises(InputError, match=message):
        source_cart(terms.pop("need"), terms.pop("stock"), **terms)
