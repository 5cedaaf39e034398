"""Plans in the making: placing, construction, chains of moves, flows, and all of it together."""

from __future__ import annotations

import time

import numpy as np
import oracles_joint as oracle
import oracles_prices as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnistock.sourcing.joint.arcs import batch_of
from omnistock.sourcing.joint.dive import Pace, dive, works_for
from omnistock.sourcing.joint.evaluate import evaluate
from omnistock.sourcing.joint.exact import solve_exactly
from omnistock.sourcing.joint.improve import improve
from omnistock.sourcing.joint.large import solve_by_prices
from omnistock.sourcing.joint.market import Market
from omnistock.sourcing.joint.patterns import desk_for
from omnistock.sourcing.joint.plans import (
    NEVER,
    can_place,
    empty_plan,
    lift,
    order_cost,
    place,
    plan_cost,
)
from omnistock.sourcing.joint.problem import SourcingProblem
from omnistock.sourcing.joint.reflow import reflow
from omnistock.sourcing.joint.turns import chain_for, construct

seeds = st.integers(0, 2**32 - 1)


def batch_for(seed, **terms):
    """Every other batch is dense; every fifth has orders of more lines than a desk takes."""
    rng = np.random.default_rng(seed)
    if seed % 5 == 0:
        terms["sizes"] = rng.integers(0, 15, int(rng.integers(1, 4))).tolist()
    return oracle.tiny(seed, dense=seed % 2 == 0, **{"most_lines": 12, **terms})


def chain_along(head, after, before):
    """Lines of a linked list from its head, checking the way back."""
    lines, last = [], -1
    while head >= 0:
        assert before[head] == last
        lines.append(int(head))
        last, head = head, after[head]
        assert len(lines) <= len(after)
    return lines


def check_books(problem, plan):
    """What is left is what nobody took, and whoever is somewhere is found there."""
    taken, load = 0 * problem.stock_units, 0 * problem.node_capacity
    held = plain.points(problem)
    at_point = [[] for _ in taken]
    at_node = [[] for _ in load]
    for line in np.flatnonzero(plan.assigned >= 0).tolist():
        node = int(plan.assigned[line])
        load[node] += problem.line_units[line]
        at_node[node].append(line)
        first = problem.part_offsets[line]
        at_point[held[int(problem.part_sku[first]), node]].append(line)
        for c in range(first, problem.part_offsets[line + 1]):
            taken[held[int(problem.part_sku[c]), node]] += problem.part_units[c]
    assert plan.left.tolist() == (problem.stock_units - taken).tolist()
    assert plan.room.tolist() == (problem.node_capacity - load).tolist()
    for a, lines in enumerate(at_point):
        assert sorted(chain_along(plan.point_head[a], plan.point_next, plan.point_prev)) == lines
    for n, lines in enumerate(at_node):
        assert sorted(chain_along(plan.node_head[n], plan.node_next, plan.node_prev)) == lines


def check_rules(problem, assigned):
    """A plan breaks nothing but, perhaps, rules of orders that must ship."""
    for name, orders in evaluate(problem, assigned).violations.items():
        assert name in {"must_ship", "max_packages", "all_or_nothing"}
        assert problem.must_ship[orders].all()


def cents_of(problem, plan):
    """Cents of all orders and of the promises they break."""
    batch = batch_of(problem)
    return sum(int(order_cost(plan, batch, order)) for order in range(problem.n_orders))


def constructed(problem, rng, price, toll):
    """A plan of all orders in a random sequence, with the room to work on it."""
    plan, desk = empty_plan(problem), desk_for(problem.n_nodes)
    chain = chain_for(
        len(problem.stock_node),
        problem.n_nodes,
        problem.n_orders,
        problem.n_lines,
        max(problem.n_lines, 1),
    )
    limit, done = np.full(problem.n_orders, np.inf), np.zeros(problem.n_orders, np.bool_)
    sequence = rng.permutation(problem.n_orders)
    construct(plan, chain, desk, batch_of(problem), sequence, limit, done, price, toll)
    return plan, chain, desk, done


@given(seeds)
def test_lines_placed_and_lifted_at_random_leave_true_books(seed):
    problem, rng = batch_for(seed), np.random.default_rng(seed)
    plan, batch = empty_plan(problem), batch_of(problem)

    for _ in range(30 if problem.n_lines else 0):
        line, node = int(rng.integers(problem.n_lines)), int(rng.integers(problem.n_nodes))
        if plan.assigned[line] >= 0:
            lift(plan, batch, line)
        elif can_place(plan, batch, line, node):
            place(plan, batch, line, node)
        check_books(problem, plan)

    said = evaluate(problem, plan.assigned)
    broken = {"max_packages", "all_or_nothing", "must_ship"} & set(said.violations)
    assert not set(said.violations) & {"stock", "capacity"}
    assert plan_cost(plan, batch) == (-1 if broken else said.cost)
    assert (cents_of(problem, plan) >= NEVER) == bool(broken)


@given(seeds)
def test_a_line_fits_where_all_its_parts_are_left_and_there_is_room(seed):
    problem, rng = batch_for(seed), np.random.default_rng(seed)
    plan, _, _, _ = constructed(problem, rng, *plain.prices_for(problem, rng))
    free = np.zeros(len(problem.stock_node))
    held, nodes = plain.points(problem), range(problem.n_nodes)

    for line in np.flatnonzero(problem.line_node < 0):
        if not problem.allowed[problem.order_group[problem.line_order[line]]].all():
            continue
        for n in nodes:
            terms = (plan.left, plan.room, free, np.zeros(problem.n_nodes))
            cost = plain.sending_cost(problem, held, line, n, *terms)
            assert can_place(plan, batch_of(problem), line, n) == (cost < np.inf)


@given(seeds)
def test_construction_leaves_a_plan_within_the_rules(seed):
    problem, rng = batch_for(seed), np.random.default_rng(seed)

    plan, _, _, done = constructed(problem, rng, *plain.prices_for(problem, rng))

    check_books(problem, plan)
    check_rules(problem, plan.assigned)
    assert done.all()


@given(seeds)
def test_orders_above_their_limit_wait_and_take_nothing(seed):
    problem, rng = batch_for(seed), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)
    plan, chain, desk, _ = constructed(problem, rng, price, toll)
    plan = empty_plan(problem)
    limit, done = rng.random(problem.n_orders) * 40, np.zeros(problem.n_orders, np.bool_)
    sequence = rng.permutation(problem.n_orders)

    construct(plan, chain, desk, batch_of(problem), sequence, limit, done, price, toll)

    check_books(problem, plan)
    check_rules(problem, plan.assigned)
    assert np.all(plan.assigned[~done[problem.line_order]] == -1)


@given(seeds, st.integers(0, 4))
def test_chains_never_cost_more_and_leave_no_trace_where_nothing_is_saved(seed, depth):
    problem, rng = batch_for(seed), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)
    plan, chain, desk, _ = constructed(problem, rng, price, toll)
    batch = batch_of(problem)

    for number in range(12):
        before = [one.copy() for one in plan[:3]]
        cost = cents_of(problem, plan)
        orders = rng.permutation(problem.n_orders)[: int(rng.integers(1, 4))]
        saved = improve(
            plan, chain, desk, batch, orders, 2 * number * problem.n_orders, depth, price, toll
        )

        assert saved >= 0
        assert cents_of(problem, plan) == cost - saved
        check_books(problem, plan)
        if cost < NEVER:
            check_rules(problem, plan.assigned)
        if not saved:
            assert all(np.array_equal(a, b) for a, b in zip(before, plan[:3], strict=True))
        assert chain.price.tolist() == np.where(plan.left <= 0, price, 0).tolist()
        assert chain.toll.tolist() == np.where(plan.room <= 0, toll, 0).tolist()
        costs = [order_cost(plan, batch, order) for order in range(problem.n_orders)]
        assert chain.spent.tolist() == costs


@given(seeds)
def test_a_chain_without_room_for_another_line_gives_up(seed):
    problem, rng = batch_for(seed), np.random.default_rng(seed)
    price, toll = plain.prices_for(problem, rng)
    plan, _, desk, _ = constructed(problem, rng, price, toll)
    batch = batch_of(problem)
    most = int(np.diff(problem.order_offsets).max(initial=1))
    chain = chain_for(
        len(problem.stock_node), problem.n_nodes, problem.n_orders, problem.n_lines, most
    )
    cost = cents_of(problem, plan)

    saved = improve(plan, chain, desk, batch, np.arange(problem.n_orders), 0, 8, price, toll)

    assert cents_of(problem, plan) == cost - saved
    check_books(problem, plan)
    if cost < NEVER:
        check_rules(problem, plan.assigned)


@given(seeds)
def test_a_flow_of_all_lines_never_costs_more_and_keeps_every_rule(seed):
    problem, rng = batch_for(seed, kits=False), np.random.default_rng(seed)
    plan, _, _, _ = constructed(problem, rng, *plain.prices_for(problem, rng))
    before = evaluate(problem, plan.assigned)
    if not before.feasible:
        return

    moved = reflow(problem, plan.assigned, seed=seed % 3)

    after = evaluate(problem, moved)
    assert after.feasible
    assert after.cost <= before.cost
    assert evaluate(problem, plan.assigned).cost == before.cost


@given(seeds, st.sampled_from([Pace(0.6, 2, 2), Pace(0.3, 5, 3)]))
@settings(max_examples=15)
def test_a_dive_serves_everybody_within_the_rules(seed, pace):
    problem = batch_for(seed)
    market = Market(problem, 2)
    try:
        market.start()
        market.cool(30.0, 3.0, 5)
        works = works_for(market)
        dive(market, works, pace, stop=lambda: False, tell=lambda left: None)
    finally:
        market.close()

    check_books(problem, works.plan)
    check_rules(problem, works.plan.assigned)
    assert np.all(np.isfinite(market.price))
    assert np.all(np.isfinite(market.toll))
    assert market.price.min(initial=0) >= 0


def solved(problem, seconds, **terms):
    end = time.monotonic() + seconds
    told = []
    plan = solve_by_prices(
        problem,
        end=end,
        gap=0.0,
        **{"seed": 0, "threads": 2, "polish": False, **terms},
        tell=lambda *what: told.append(what),
    )
    return plan, told


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """Kernels that are compiled within a time limit would use it up."""
    solved(single_node([3, 9]), 600.0)


@given(seeds)
@settings(max_examples=12)
def test_prices_make_a_plan_that_costs_what_it_says_and_a_bound_below_all_plans(seed):
    problem = batch_for(seed)

    plan, _ = solved(problem, 0.05)

    best = solve_exactly(problem, time_limit_s=20)
    assert best.proven
    if best.cost is None:
        assert plan.cost is None
        return
    assert plan.bound <= best.cost
    if plan.cost is not None:
        said = evaluate(problem, plan.assigned)
        assert said.feasible
        assert said.cost == plan.cost >= best.cost
        assert plan.proven == (plan.cost == plan.bound)


def single_node(sizes, units=9, **changes):
    """Orders of some sizes for one SKU at node 0; a unit costs 1, a package 10."""
    n_orders, n_lines = len(sizes), sum(sizes)
    terms = {
        "package_cost": [[10]],
        "unit_cost": [[1]],
        "stock": ([0], [0], [units]),
        "n_skus": 1,
        "order_region": np.zeros(n_orders, np.int64),
        "order_offsets": np.cumsum([0, *sizes]),
        "line_units": np.ones(n_lines, np.int64),
        "line_penalty": np.full(n_lines, 50),
        "part_offsets": np.arange(n_lines + 1),
        "part_sku": np.zeros(n_lines, np.int64),
        "part_units": np.ones(n_lines, np.int64),
        **changes,
    }
    return SourcingProblem.build(**terms)


def test_a_batch_without_orders_or_lines_costs_nothing():
    for sizes in ([], [0], [0, 0, 0]):
        plan, _ = solved(single_node(sizes), 0.05)

        assert (plan.cost, plan.bound, plan.proven) == (0, 0, True)
        assert plan.assigned.tolist() == []


@pytest.mark.parametrize(
    "none",
    [
        {"units": 0},
        {"node_capacity": [0]},
        {"allowed": [[False]]},
        {"stock": (np.zeros(0, np.int64),) * 3},
    ],
)
def test_orders_that_nobody_may_or_can_send_stay_unfilled(none):
    problem = single_node([1, 2, 0, 9], **none)

    plan, _ = solved(problem, 0.05)

    assert plan.assigned.tolist() == [-1] * 12
    assert plan.cost == plan.bound == 12 * 50


def test_one_order_of_any_length_takes_all_the_stock_there_is():
    for lines in (1, 7, 8, 9, 16, 17, 20):
        plan, _ = solved(single_node([lines]), 1.0)

        sent = min(lines, 9)
        assert plan.cost == 10 + sent + 50 * (lines - sent)


def test_a_long_order_in_one_package_takes_one_node_and_not_one_for_each_piece():
    """Nodes are dear for the second half of the lines where they are cheap for the first."""
    skus = np.repeat([0, 1], 6)
    problem = single_node(
        [12],
        package_cost=[[10, 10]],
        unit_cost=[[1, 1]],
        stock=([0, 0, 1, 1], [0, 1, 0, 1], [20] * 4),
        stock_value=[0, 30, 30, 0],
        n_skus=2,
        part_sku=skus,
        line_penalty=np.full(12, 90),
        max_packages=[1],
    )

    plan, _ = solved(problem, 1.0)

    assert len(set(plan.assigned.tolist())) == 1
    assert plan.cost == 10 + 12 + 6 * 30


def test_orders_that_tie_share_the_stock_out_to_the_last_unit():
    plan, _ = solved(single_node([1] * 14), 2.0)

    assert np.count_nonzero(plan.assigned == 0) == 9
    assert plan.cost == 9 * 11 + 5 * 50
    assert 0.9 * plan.cost <= plan.bound <= plan.cost


def test_an_order_that_must_ship_and_cannot_leaves_no_plan():
    plan, _ = solved(single_node([1, 2], must_ship=[True, False], units=0), 0.05)

    assert (plan.assigned, plan.cost, plan.bound, plan.proven) == (None, None, None, True)


def test_lines_that_cost_nothing_unfilled_stay_unfilled():
    plan, _ = solved(single_node([3, 12], line_penalty=np.zeros(15, np.int64)), 0.05)

    assert (plan.cost, plan.bound) == (0, 0)


def test_the_greatest_costs_are_added_up_to_the_cent():
    most = 2**36
    terms = {"package_cost": [[most]], "unit_cost": [[most - 1]], "line_penalty": [most] * 20}

    plan, _ = solved(single_node([1, 2, 8, 9], **terms), 0.05)

    # Only an order of two lines or more saves anything: a cent for every line, less a package.
    assert plan.cost == 20 * most
    assert plan.bound <= plan.cost
    assert plan.bound >= plan.cost - 1000


def test_a_kit_and_a_plain_line_of_one_order_never_share_a_unit():
    problem = single_node(
        [2],
        n_skus=2,
        stock=([0, 0], [0, 1], [1, 1]),
        part_offsets=[0, 1, 3],
        part_sku=[0, 0, 1],
        part_units=[1, 1, 1],
    )

    plan, _ = solved(problem, 0.05)

    assert sorted(plan.assigned.tolist()) == [-1, 0]
    assert plan.cost == 10 + 1 + 50


def test_feasible_plans_may_cost_more_than_hundreds_of_the_greatest_penalties():
    problem = single_node([1] * 600, units=0, line_penalty=np.full(600, 2**36))

    plan, _ = solved(problem, 1.0)

    assert plan.cost == 600 * 2**36


def test_packages_that_cost_nothing_count_in_orders_of_several_pieces():
    problem = single_node(
        [16],
        package_cost=[[0, 0, 0]],
        unit_cost=[[1, 1, 1]],
        stock=(np.tile(np.arange(3), 2), np.repeat([0, 1], 3), [20] * 6),
        stock_value=[0, 1, 2, 2, 1, 0],
        n_skus=2,
        part_sku=np.repeat([0, 1], 8),
        max_packages=[1],
        must_ship=[True],
    )

    plan, _ = solved(problem, 1.0)

    assert len(set(plan.assigned.tolist())) == 1
    assert plan.cost == 16 + 16


@pytest.mark.parametrize("seed", [2, 5, 10])
def test_the_same_seed_makes_the_same_plan_while_there_is_time(seed):
    problem = batch_for(seed)

    first, second = (solved(problem, 60.0, threads=1, seed=seed)[0] for _ in range(2))

    assert first.assigned is not None
    assert first.assigned.tolist() == second.assigned.tolist()
    assert (first.cost, first.bound) == (second.cost, second.bound)
