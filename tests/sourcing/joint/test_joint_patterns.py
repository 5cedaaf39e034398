"""One order under prices, hard and soft, and the bound of all; against enumeration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import oracles_joint as oracle
import oracles_prices as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnistock.sourcing.joint.arcs import batch_of, line_arcs, line_cost, point_of
from omnistock.sourcing.joint.exact import solve_exactly
from omnistock.sourcing.joint.patterns import best_pattern, desk_for
from omnistock.sourcing.joint.prices import price_orders
from omnistock.sourcing.joint.problem import SourcingProblem
from omnistock.sourcing.joint.shortlist import list_orders, shortlist_for, worth_alone
from omnistock.sourcing.joint.soft import MOST_CANDIDATES, shares_for, soft_orders

seeds = st.integers(0, 2**32 - 1)


def batch_for(seed, **terms):
    """Every other batch is dense."""
    return oracle.tiny(seed, dense=seed % 2 == 0, **terms)


def pieces_of(problem, order):
    first, stop = problem.order_offsets[order], problem.order_offsets[order + 1]
    return [(first, stop)] if stop - first <= 5 else [(first, first + 4), (first + 4, stop)]


def fresh(desk):
    """Whether a desk is as clean as between two orders."""
    return not desk.saving.any() and bool(np.all(desk.place == -1))


@given(seeds)
def test_an_arc_costs_what_plain_words_say_at_every_node(seed):
    problem, rng = batch_for(seed), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)
    batch, held = batch_of(problem), plain.points(problem)
    left, room = problem.stock_units, problem.node_capacity
    node, point, cost = np.empty(9, np.int64), np.empty(9, np.int64), np.empty(9)

    for line in range(problem.n_lines):
        order = problem.line_order[line]
        limit = float(problem.line_penalty[line])
        end = line_arcs(node, point, cost, 2, batch, line, order, left, room, price, toll, limit)

        true = [
            plain.sending_cost(problem, held, line, n, left, room, price, toll)
            for n in range(problem.n_nodes)
        ]
        said = [
            line_cost(batch, line, order, n, left, room, price, toll)
            for n in range(problem.n_nodes)
        ]
        assert said == pytest.approx(true, abs=1e-9)
        cheap = [n for n in range(problem.n_nodes) if true[n] < limit]
        assert node[2:end].tolist() == cheap
        assert cost[2:end] == pytest.approx([true[n] for n in cheap], abs=1e-9)
        sku = int(problem.part_sku[problem.part_offsets[line]])
        assert point[2:end].tolist() == [held[sku, n] for n in cheap]


@given(seeds)
def test_a_stockpoint_is_found_where_there_is_one_and_nowhere_else(seed):
    problem = batch_for(seed)
    held, batch = plain.points(problem), batch_of(problem)

    for sku in range(problem.n_skus):
        for node in range(problem.n_nodes):
            assert point_of(batch, sku, node) == held.get((sku, node), -1)


@given(seeds)
@settings(max_examples=400)
def test_the_best_pattern_is_the_cheapest_of_all_assignments(seed):
    problem, rng = batch_for(seed, most_lines=7), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)
    left = np.minimum(problem.stock_units, rng.integers(0, 5, len(problem.stock_units)))
    room = np.minimum(problem.node_capacity, rng.integers(0, 8, problem.n_nodes))
    desk, chosen = desk_for(problem.n_nodes), np.full(problem.n_lines, -7)

    for order in range(problem.n_orders):
        package = problem.package_cost[problem.order_region[order]] * rng.choice([1.0, 0.4])
        for first, last in pieces_of(problem, order):
            if first == last:
                continue
            terms = (package, left, room, price, toll)
            cost = best_pattern(chosen, desk, batch_of(problem), order, first, last, *terms)

            lines = list(range(first, last))
            assert cost == pytest.approx(
                plain.least_pattern(problem, order, lines, *terms), abs=1e-9
            )
            nodes = chosen[first:last].tolist()
            if cost < np.inf:
                assert cost == pytest.approx(
                    plain.pattern_cost(problem, order, lines, nodes, *terms), abs=1e-9
                )
            else:
                assert nodes == [-1] * len(lines)
            assert fresh(desk)


def priced_all(problem, price, toll):
    chosen, cost = np.full(problem.n_lines, -1), np.zeros(problem.n_orders)
    orders = np.arange(problem.n_orders)
    left, room = problem.stock_units, problem.node_capacity
    desk = desk_for(problem.n_nodes)
    total = price_orders(chosen, cost, desk, batch_of(problem), orders, left, room, price, toll)
    return total - price @ left - toll @ room, cost, chosen


@given(seeds)
def test_whatever_the_prices_no_plan_costs_less_than_the_bound(seed):
    problem, rng = batch_for(seed), np.random.default_rng(seed)

    bound, cost, _ = priced_all(problem, *plain.prices_for(problem, rng, most=rng.choice([1, 9])))

    best = oracle.cheapest(problem)
    assert best is None or bound <= best + 1e-9
    assert not np.isnan(cost).any()


@given(seeds)
def test_costs_times_four_make_bounds_times_four_and_the_same_patterns(seed):
    problem, rng = batch_for(seed, most_lines=9), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)
    names = ("package_cost", "unit_cost", "stock_value", "line_penalty")
    dear = replace(problem, **{name: 4 * getattr(problem, name) for name in names})

    bound, cost, chosen = priced_all(problem, price, toll)
    dear_bound, dear_cost, dear_chosen = priced_all(dear, 4 * price, 4 * toll)

    assert dear_bound == 4 * bound
    assert dear_cost.tolist() == (4 * cost).tolist()
    assert dear_chosen.tolist() == chosen.tolist()


@given(seeds)
def test_more_stock_and_capacity_never_raise_the_bound_of_the_same_prices(seed):
    problem, rng = batch_for(seed, most_lines=9), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)
    more = replace(
        problem,
        stock_units=problem.stock_units + rng.integers(0, 3, len(problem.stock_units)),
        node_capacity=problem.node_capacity + rng.integers(0, 3, problem.n_nodes),
    )

    bound, cost, _ = priced_all(problem, price, toll)
    lower, cheaper, _ = priced_all(more, price, toll)

    assert np.all(cheaper <= cost + 1e-9)
    assert lower <= bound + 1e-9


@given(seeds, st.lists(st.integers(9, 20), min_size=1, max_size=2))
def test_pieces_of_long_orders_never_cost_more_than_the_whole(seed, sizes):
    problem, rng = batch_for(seed, sizes=sizes), np.random.default_rng(seed)

    bound, _, _ = priced_all(problem, *plain.prices_for(problem, rng))

    best = solve_exactly(problem, time_limit_s=20)
    assert best.proven
    assert best.cost is None or bound <= best.cost + 1e-6


@given(seeds)
def test_the_order_of_orders_does_not_change_what_each_costs(seed):
    problem, rng = batch_for(seed, most_lines=9), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)
    _, cost, chosen = priced_all(problem, price, toll)
    again, nodes = np.zeros(problem.n_orders), np.full(problem.n_lines, -1)

    price_orders(
        nodes,
        again,
        desk_for(problem.n_nodes),
        batch_of(problem),
        rng.permutation(problem.n_orders),
        problem.stock_units,
        problem.node_capacity,
        price,
        toll,
    )

    assert again.tolist() == cost.tolist()
    assert nodes.tolist() == chosen.tolist()


def asked(problem, price, toll, temperature, reach=1e9, orders=None):
    """Use, load and doubt of all orders at a temperature."""
    desk, shares = desk_for(problem.n_nodes), shares_for()
    short = shortlist_for(problem.n_lines, 1000)
    orders = np.arange(problem.n_orders) if orders is None else orders
    use, load = np.zeros(len(problem.stock_node)), np.zeros(problem.n_nodes)
    doubt = np.ones(problem.n_orders)
    batch = batch_of(problem)
    left, room = problem.stock_units, problem.node_capacity
    list_orders(short, desk, batch, orders, left, room, price, toll, reach)
    terms = (price, toll, temperature, MOST_CANDIDATES)
    soft_orders(use, load, doubt, desk, shares, short, batch, orders, *terms)
    assert fresh(desk)
    return use, load, doubt


@given(seeds, st.sampled_from([0.3, 1.0, 4.0, 30.0]))
def test_shares_are_the_softmin_of_all_patterns(seed, temperature):
    problem, rng = batch_for(seed, most_lines=4), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)

    use, load, doubt = asked(problem, price, toll, temperature)

    expected = [
        plain.soft_takes(problem, order, price, toll, temperature)
        for order in range(problem.n_orders)
    ]
    for order, (_, _, mass) in enumerate(expected):
        assert doubt[order] == pytest.approx(mass, rel=1e-3)
    assert use == pytest.approx(sum((one[0] for one in expected), 0 * use), rel=1e-3, abs=1e-4)
    assert load == pytest.approx(sum((one[1] for one in expected), 0 * load), rel=1e-3, abs=1e-4)


@given(seeds)
def test_a_cold_order_takes_what_its_best_pattern_takes(seed):
    problem, rng = batch_for(seed, most_lines=9), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)
    price += rng.random(len(price)) * 0.5
    toll += rng.random(len(toll)) * 0.5
    free = np.diff(problem.order_offsets) <= problem.max_packages
    orders = np.flatnonzero(free)

    use, load, doubt = asked(problem, price, toll, 1e-6, orders=orders)

    _, _, chosen = priced_all(problem, price, toll)
    taken, sent = 0 * use, 0 * load
    held = plain.points(problem)
    for line in np.flatnonzero(free[problem.line_order] & (chosen >= 0)):
        sent[chosen[line]] += problem.line_units[line]
        for c in range(problem.part_offsets[line], problem.part_offsets[line + 1]):
            taken[held[int(problem.part_sku[c]), int(chosen[line])]] += problem.part_units[c]
    sure = doubt[orders] < 1 + 1e-6
    if sure.all():
        assert use == pytest.approx(taken, abs=1e-5)
        assert load == pytest.approx(sent, abs=1e-5)


@given(seeds)
def test_long_orders_ask_for_no_more_than_all_of_their_lines(seed):
    rng = np.random.default_rng(seed)
    problem = batch_for(seed, sizes=rng.integers(9, 21, 2).tolist())
    price, toll = plain.prices_for(problem, rng)

    use, load, doubt = asked(problem, price, toll, 3.0)

    assert np.all(use >= 0)
    assert use.sum() <= problem.part_units.sum() * (1 + 1e-9)
    assert load.sum() <= problem.line_units.sum() * (1 + 1e-9)
    assert np.all(doubt >= 1 - 1e-9)


@given(seeds)
def test_a_short_list_without_room_for_all_arcs_says_so_and_stays_inside(seed):
    problem, rng = batch_for(seed, most_lines=9), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)
    room = int(rng.integers(1, 6))
    short = shortlist_for(problem.n_lines, room)
    batch, orders = batch_of(problem), np.arange(problem.n_orders)
    left, capacity = problem.stock_units, problem.node_capacity
    desk = desk_for(problem.n_nodes)

    count = list_orders(short, desk, batch, orders, left, capacity, price, toll, 1e9)

    wide = shortlist_for(problem.n_lines, 1000)
    all_arcs = list_orders(wide, desk, batch, orders, left, capacity, price, toll, 1e9)
    assert count == min(all_arcs, room)
    assert np.all(short.start <= short.stop)
    assert np.all(short.stop <= room)


@given(seeds)
def test_a_unit_is_worth_its_penalty_less_the_cheapest_way_with_a_shared_package(seed):
    problem, rng = batch_for(seed), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)
    worth, held = np.full(problem.n_lines, np.nan), plain.points(problem)

    worth_alone(worth, desk_for(problem.n_nodes), batch_of(problem), price, toll)

    size = np.diff(problem.order_offsets)[problem.line_order]
    for line in range(problem.n_lines):
        package = problem.package_cost[problem.order_region[problem.line_order[line]]]
        ways = [
            package[n] / size[line]
            + plain.sending_cost(
                problem, held, line, n, problem.stock_units, problem.node_capacity, price, toll
            )
            for n in range(problem.n_nodes)
        ]
        penalty = float(problem.line_penalty[line])
        taken = problem.part_units[problem.part_offsets[line]]
        assert worth[line] == pytest.approx((penalty - min([penalty, *ways])) / taken, abs=1e-9)


def test_the_dual_prices_of_the_p_and_t_company_prove_its_plan():
    """Hillier and Lieberman, Introduction to Operations Research, section 9.1: Z = 152,535."""
    cost = np.array([[464, 513, 654, 867], [352, 416, 690, 791], [995, 682, 388, 685]])
    loads = [80, 65, 70, 85]
    n_loads = sum(loads)
    problem = SourcingProblem.build(
        package_cost=cost.T,
        unit_cost=np.zeros((4, 3), np.int64),
        stock=([0, 1, 2], [0, 0, 0], [75, 125, 100]),
        n_skus=1,
        order_region=np.repeat(np.arange(4), loads),
        order_offsets=np.arange(n_loads + 1),
        must_ship=np.ones(n_loads, np.bool_),
        line_units=np.ones(n_loads, np.int64),
        line_penalty=np.zeros(n_loads, np.int64),
        part_offsets=np.arange(n_loads + 1),
        part_sku=np.zeros(n_loads, np.int64),
        part_units=np.ones(n_loads, np.int64),
    )

    bound, cost_of, _ = priced_all(problem, np.array([0.0, 97.0, 182.0]), np.zeros(3))

    assert bound == 152_535
    assert sorted(set(cost_of.tolist())) == [449.0, 513.0, 570.0, 867.0]
