"""Orders of one line each as a flow, against enumeration."""

from __future__ import annotations

import numpy as np
import oracles_joint as oracle
from hypothesis import given
from hypothesis import strategies as st

from omnistock.sourcing.joint.alone import flow_of_lines
from omnistock.sourcing.joint.choices import list_arcs
from omnistock.sourcing.joint.flow import _classes_of, is_flow, solve_flow
from omnistock.sourcing.joint.flow_kernels import place_into
from omnistock.sourcing.joint.problem import SourcingProblem

seeds = st.integers(0, 2**32 - 1)


@given(seeds)
def test_single_lines_of_one_size_flow_the_cheapest_way_there_is(seed):
    problem = oracle.single_lines(seed)

    plan = solve_flow(problem)

    best = oracle.cheapest(problem)
    assert is_flow(problem)
    assert plan.proven
    assert plan.cost == plan.bound == best
    if best is not None:
        assert oracle.priced(problem, plan.assigned) == (best, True)


@given(seeds)
def test_lines_of_several_sizes_are_sent_whole_and_bounded_from_below(seed):
    problem = oracle.single_lines(seed, most_units=3)

    plan = solve_flow(problem)

    best = oracle.cheapest(problem)
    if best is None:
        assert plan.cost is None
    else:
        assert plan.bound <= best
    if plan.assigned is not None:
        assert oracle.priced(problem, plan.assigned) == (plan.cost, True)
        assert plan.cost >= best


@given(seeds)
def test_classes_have_the_arcs_of_their_lines_that_are_worth_it(seed):
    problem = oracle.single_lines(seed, most_units=3)
    arcs = list_arcs(problem)
    package = problem.package_cost[problem.order_region[problem.line_order[arcs.line]], arcs.node]
    full = arcs.cost + package

    classes = _classes_of(problem)

    assert sorted(classes.lines.tolist()) == list(range(problem.n_lines))
    for c, first in enumerate(classes.lines[classes.offsets[:-1]]):
        must = problem.must_ship[problem.line_order[first]]
        mine = (arcs.line == first) & (must | (full < problem.line_penalty[first]))
        listed = slice(classes.arc_offsets[c], classes.arc_offsets[c + 1])
        assert problem.stock_node[classes.arc_point[listed]].tolist() == arcs.node[mine].tolist()
        assert classes.arc_cost[listed].tolist() == full[mine].tolist()


def test_lines_left_go_one_by_one_to_the_cheapest_node_that_still_can():
    node = np.full(3, -1)
    units_left, capacity_left = np.array([2, 1]), np.array([1, 5])

    place_into(
        node,
        np.array([2, 0, 1]),
        np.zeros(3, np.int64),
        np.array([90, 90, 90]),
        np.array([0, 2]),
        np.array([0, 1]),
        np.array([10, 50]),
        np.ones(1, np.int64),
        np.array([0, 1]),
        units_left,
        capacity_left,
    )

    # Node 0 has stock for two but may send one; node 1 has one; then nothing is left.
    assert node.tolist() == [1, -1, 0]
    assert units_left.tolist() == [1, 0]
    assert capacity_left.tolist() == [0, 4]


def test_a_hundred_lines_of_one_sku_use_stock_and_capacity_to_the_last_unit():
    problem = SourcingProblem.build(
        package_cost=[[100, 200, 300]],
        unit_cost=[[0, 0, 0]],
        node_capacity=[30, 20, 100],
        stock=([0, 1, 2], [0, 0, 0], [25, 40, 10]),
        n_skus=1,
        order_region=np.zeros(100, np.int64),
        order_offsets=np.arange(101),
        line_units=np.ones(100, np.int64),
        line_penalty=np.arange(1_000, 1_100),
        part_offsets=np.arange(101),
        part_sku=np.zeros(100, np.int64),
        part_units=np.ones(100, np.int64),
    )

    plan = solve_flow(problem)

    # 25 at node 0, 20 at node 1, 10 at node 2; the 45 cheapest penalties are paid.
    assert plan.cost == 25 * 100 + 20 * 200 + 10 * 300 + sum(range(1_000, 1_045))
    assert plan.proven
    assert np.all(plan.assigned[:45] == -1)


def test_the_p_and_t_company_ships_its_peas_for_152535():
    """Hillier and Lieberman, Introduction to Operations Research, section 9.1: Z = 152,535."""
    cost = np.array([[464, 513, 654, 867], [352, 416, 690, 791], [995, 682, 388, 685]])
    output, allocation = [75, 125, 100], [80, 65, 70, 85]
    n_loads = sum(allocation)
    problem = SourcingProblem.build(
        package_cost=cost.T,
        unit_cost=np.zeros((4, 3), np.int64),
        stock=([0, 1, 2], [0, 0, 0], output),
        n_skus=1,
        order_region=np.repeat(np.arange(4), allocation),
        order_offsets=np.arange(n_loads + 1),
        must_ship=np.ones(n_loads, np.bool_),
        line_units=np.ones(n_loads, np.int64),
        line_penalty=np.zeros(n_loads, np.int64),
        part_offsets=np.arange(n_loads + 1),
        part_sku=np.zeros(n_loads, np.int64),
        part_units=np.ones(n_loads, np.int64),
    )

    plan = solve_flow(problem)

    assert plan.proven
    assert plan.cost == 152_535


@given(seeds)
def test_lines_alone_make_a_plan_within_the_rules_and_a_bound_below_every_plan(seed):
    problem = oracle.tiny(seed, kits=False)

    plan = flow_of_lines(problem)

    best = oracle.cheapest(problem)
    assert plan is not None
    if best is None:
        assert plan.cost is None
    else:
        assert plan.bound <= best
    if plan.assigned is not None:
        assert oracle.priced(problem, plan.assigned) == (plan.cost, True)
