"""Orders served in turn under prices, against every pattern of each order in plain Python."""

from __future__ import annotations

from dataclasses import fields
from itertools import product

import numpy as np
import oracles_joint as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.sourcing.joint.evaluate import evaluate
from omnistock.sourcing.joint.online import Counter, StockPrices, learn_prices, serve_in_turn
from omnistock.sourcing.joint.problem import SourcingProblem

seeds = st.integers(0, 2**32 - 1)


def some_prices(problem, rng):
    return StockPrices(
        rng.integers(0, 9, len(problem.stock_node)), rng.integers(0, 4, problem.n_nodes)
    )


def altered(problem, **values):
    given = {field.name: getattr(problem, field.name) for field in fields(problem)}
    return SourcingProblem(**given | values)


def with_plenty(problem):
    """The same, with enough for all orders wherever there is any stock or capacity."""
    most = int(problem.part_units.sum() + problem.line_units.sum())
    return altered(
        problem,
        stock_units=problem.stock_units * most,
        node_capacity=problem.node_capacity * most,
    )


def under_prices(problem, order, nodes, prices):
    """Cost of one order's pattern with prices, None if it breaks a rule."""
    region, used = problem.order_region[order], {int(node) for node in nodes if node >= 0}
    whole = min(nodes) >= 0
    if (problem.must_ship[order] and not whole) or len(used) > problem.max_packages[order]:
        return None
    if problem.all_or_nothing[order] and used and not whole:
        return None
    cost = sum(problem.package_cost[region, node] for node in used)
    for line, node in enumerate(nodes, problem.order_offsets[order]):
        if node < 0:
            cost += problem.line_penalty[line]
            continue
        if not problem.allowed[problem.order_group[order], node]:
            return None
        if problem.line_node[line] not in (-1, node):
            return None
        if problem.node_capacity[node] < problem.line_units[line]:
            return None
        cost += problem.line_weight[line] * problem.unit_cost[region, node]
        cost += problem.line_units[line] * prices.toll[node]
        for c in range(problem.part_offsets[line], problem.part_offsets[line + 1]):
            points = range(*problem.stock_offsets[problem.part_sku[c] :][:2])
            point = next((a for a in points if problem.stock_node[a] == node), None)
            if point is None or problem.stock_units[point] < problem.part_units[c]:
                return None
            cost += problem.part_units[c] * (problem.stock_value[point] + prices.price[point])
    return cost


@given(seeds)
def test_every_order_gets_its_cheapest_pattern_under_prices_while_there_is_plenty(seed):
    problem = with_plenty(oracle.tiny(seed, most_lines=8))
    prices = some_prices(problem, np.random.default_rng(seed))
    counter = Counter(problem)

    counter.serve(np.arange(problem.n_orders), prices)

    for order in range(problem.n_orders):
        lines = slice(*problem.order_offsets[order : order + 2])
        chosen = counter.assigned[lines]
        if not len(chosen):
            continue
        patterns = product(range(-1, problem.n_nodes), repeat=len(chosen))
        costs = [under_prices(problem, order, nodes, prices) for nodes in patterns]
        least = min((cost for cost in costs if cost is not None), default=None)
        if least is None:
            assert (chosen == -1).all()
        else:
            assert under_prices(problem, order, chosen, prices) == least


@given(seeds)
def test_whatever_is_scarce_nothing_is_given_twice_and_only_what_must_ship_breaks_a_rule(seed):
    problem = oracle.tiny(seed, most_lines=12)

    served = serve_in_turn(problem, some_prices(problem, np.random.default_rng(seed)))

    said = evaluate(problem, served.assigned)
    assert set(said.violations) <= {"must_ship"}
    assert said.violations.get("must_ship", np.empty(0)).tolist() == served.unshipped.tolist()
    assert said.cost == served.cost


@given(seeds)
def test_what_is_left_is_what_the_plan_does_not_take(seed):
    problem = oracle.tiny(seed, most_lines=12)
    counter = Counter(problem)

    counter.serve(np.arange(problem.n_orders), some_prices(problem, np.random.default_rng(seed)))

    taken, load = np.zeros_like(problem.stock_units), np.zeros_like(problem.node_capacity)
    for line, node in enumerate(counter.assigned.tolist()):
        if node < 0:
            continue
        load[node] += problem.line_units[line]
        for c in range(problem.part_offsets[line], problem.part_offsets[line + 1]):
            points = range(*problem.stock_offsets[problem.part_sku[c] :][:2])
            point = next(a for a in points if problem.stock_node[a] == node)
            taken[point] += problem.part_units[c]
    assert counter.units_left.tolist() == (problem.stock_units - taken).tolist()
    assert counter.capacity_left.tolist() == (problem.node_capacity - load).tolist()


def contested(n_near=20):
    """Near and far customers in turn; the near node has units for half of them.

    The first of each pair can as well be served from the other node, the second hardly.
    """
    n_orders = 2 * n_near
    return SourcingProblem.build(
        package_cost=[[500, 520], [500, 1500]],
        unit_cost=np.zeros((2, 2), np.int64),
        n_skus=1,
        stock=([0, 1], [0, 0], [n_near, n_orders]),
        order_region=np.tile([0, 1], n_near),
        order_offsets=np.arange(n_orders + 1),
        line_units=np.ones(n_orders, np.int64),
        line_penalty=np.full(n_orders, 5000),
        part_offsets=np.arange(n_orders + 1),
        part_sku=np.zeros(n_orders, np.int64),
        part_units=np.ones(n_orders, np.int64),
    )


def test_learnt_prices_leave_units_to_those_who_need_them_more():
    problem = contested()

    alone = serve_in_turn(problem)
    priced = serve_in_turn(problem, learn_prices(problem))

    assert alone.cost == 20 * 500 + 10 * 520 + 10 * 1500
    assert priced.cost == 20 * 500 + 20 * 520


def test_prices_learnt_anew_see_what_is_left():
    problem = contested()
    cheap = StockPrices([0, 0], [0, 0])

    anew = serve_in_turn(problem, cheap, samples=[problem], renewals=4, steps=60)

    # The first of five runs is served without prices: 4 of its 8 orders waste a near unit.
    assert anew.cost == 20 * 500 + 16 * 520 + 4 * 1500


def test_prices_of_several_samples_are_their_mean():
    days = [contested(), altered(contested(), line_penalty=np.full(40, 900))]

    both = learn_prices(days)

    ones = [learn_prices(day) for day in days]
    assert ones[0].price[0] != ones[1].price[0]
    assert both.price == pytest.approx((ones[0].price + ones[1].price) / 2)


def test_of_lines_that_want_the_same_last_unit_the_second_goes_elsewhere():
    problem = SourcingProblem.build(
        package_cost=[[500, 900]],
        unit_cost=[[0, 0]],
        n_skus=1,
        stock=([0, 1], [0, 0], [1, 1]),
        order_region=[0],
        order_offsets=[0, 2],
        line_units=[1, 1],
        line_penalty=[2000, 2000],
        part_offsets=[0, 1, 2],
        part_sku=[0, 0],
        part_units=[1, 1],
    )

    assert serve_in_turn(problem).assigned.tolist() == [0, 1]
    whole = altered(problem, all_or_nothing=[True], stock_units=[1, 0])
    assert serve_in_turn(whole).assigned.tolist() == [-1, -1]
    one = altered(problem, max_packages=[1])
    assert serve_in_turn(one).assigned.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: StockPrices([-1.0], [0.0]), "price must be finite numbers >= 0"),
        (lambda: StockPrices([1.0], [np.nan]), "toll must be finite numbers >= 0"),
        (lambda: serve_in_turn(contested(), StockPrices([0], [0])), "prices are for 1 stockpoint"),
        (lambda: serve_in_turn(contested(), renewals=2), "renewals must be >= 0 and need samples"),
        (lambda: learn_prices([]), "give samples"),
        (lambda: learn_prices(contested(), since=1.0), "since in 0..1"),
        (
            lambda: learn_prices([contested(), altered(contested(), stock_node=[1, 0])]),
            "must have the same stockpoints; stock_node differs",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
