"""Joint sourcing by integer programs, against enumeration and the shared instances."""

from __future__ import annotations

import numpy as np
import oracles_joint as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.sourcing.joint.evaluate import evaluate
from omnistock.sourcing.joint.exact import solve_exactly
from omnistock.sourcing.joint.part import part_of, taken_by
from omnistock.sourcing.joint.problem import SourcingProblem
from omnistock.sourcing.joint.reopt import plan_by_parts, replan_parts
from omnistock.sourcing.joint.solve import solve

seeds = st.integers(0, 2**32 - 1)


def some_plan(problem, rng):
    return rng.integers(-1, problem.n_nodes, problem.n_lines)


@given(seeds)
def test_a_plan_costs_and_breaks_what_plain_words_say(seed):
    problem = oracle.tiny(seed)
    assigned = some_plan(problem, np.random.default_rng(seed))

    said = evaluate(problem, assigned)

    cost, kept = oracle.priced(problem, assigned)
    assert (said.feasible, said.cost) == (kept, cost) if kept else not said.feasible


@given(seeds)
def test_an_integer_program_finds_the_cheapest_of_all_plans(seed):
    problem = oracle.tiny(seed)

    plan = solve_exactly(problem, time_limit_s=20)

    assert plan.proven
    assert plan.cost == oracle.cheapest(problem)
    if plan.assigned is not None:
        assert oracle.priced(problem, plan.assigned) == (plan.cost, True)
        assert plan.bound == plan.cost


@given(seeds)
def test_a_batch_that_cannot_ship_what_it_must_is_infeasible_and_no_other(seed):
    problem = oracle.tiny(seed)

    plan = solve(problem, time_limit_s=20)

    best = oracle.cheapest(problem)
    assert plan.status == ("Infeasible" if best is None else "Optimal")
    assert plan.cost == plan.bound == best


@given(seeds)
def test_parts_planned_anew_never_cost_more_and_keep_every_rule(seed):
    problem = oracle.tiny(seed, most_lines=12)
    first = plan_by_parts(problem, stop=lambda: False)
    if first is None or problem.n_lines == 0:
        return
    turns = iter(range(4))

    plan = replan_parts(problem, first, stop=lambda: next(turns, None) is None, seed=seed)

    before, after = oracle.priced(problem, first), oracle.priced(problem, plan)
    assert before[1]
    assert after[1]
    assert after[0] <= before[0]


@given(seeds)
def test_a_part_may_take_just_what_the_others_leave(seed):
    problem = oracle.tiny(seed)
    rng = np.random.default_rng(seed)
    orders = np.flatnonzero(rng.random(problem.n_orders) < 0.5)
    assigned = np.full(problem.n_lines, -1)

    taken, load = taken_by(problem, assigned)
    part, lines = part_of(problem, orders, problem.stock_units, problem.node_capacity)
    chosen = some_plan(part, rng)
    assigned[lines] = chosen
    others = ~np.isin(problem.line_order, orders)

    assert not taken.any()
    assert not load.any()
    rest = int(problem.line_penalty[others].sum())
    without = evaluate(problem, assigned)
    inside = evaluate(part, chosen)
    if inside.feasible:
        assert inside.cost + rest == without.cost
    # A stockpoint without a unit is left out: what takes from it is "eligibility" then.
    broken = set(without.violations) - {"must_ship"}
    assert bool(set(inside.violations) - {"must_ship"}) == bool(broken)


def two_nodes(**changes):
    """Orders for SKUs 0 and 1; node 0 has plenty of 0, node 1 of both, at double the cost."""
    terms = {
        "package_cost": [[100, 200]],
        "unit_cost": [[10, 20]],
        "stock": ([0, 1, 1], [0, 0, 1], [9, 9, 9]),
        "n_skus": 2,
        "order_region": [0],
        "order_offsets": [0, 2],
        "line_units": [1, 1],
        "line_penalty": [500, 500],
        "part_offsets": [0, 1, 2],
        "part_sku": [0, 1],
        "part_units": [1, 1],
        **changes,
    }
    return SourcingProblem.build(**terms)


def test_an_order_in_one_package_goes_to_the_node_that_has_all_of_it():
    dear = {"package_cost": [[10, 200]], "unit_cost": [[10, 90]]}

    free = solve_exactly(two_nodes(**dear), time_limit_s=20)
    bound = solve_exactly(two_nodes(**dear, max_packages=[1]), time_limit_s=20)

    assert (free.assigned.tolist(), free.cost) == ([0, 1], 10 + 10 + 200 + 90)
    assert (bound.assigned.tolist(), bound.cost) == ([1, 1], 200 + 2 * 90)


def test_ample_stock_at_a_node_without_capacity_for_all_dominates_nothing():
    orders = {
        "order_region": [0, 0],
        "order_offsets": [0, 1, 2],
        "part_sku": [0, 0],
        "node_capacity": [1, 9],
    }

    plan = solve_exactly(two_nodes(**orders), time_limit_s=20)

    assert sorted(plan.assigned.tolist()) == [0, 1]
    assert plan.cost == 100 + 10 + 200 + 20


def test_a_plan_of_another_length_or_node_is_refused():
    problem = oracle.tiny(3)

    with pytest.raises(InputError, match="assigned must"):
        evaluate(problem, np.zeros(problem.n_lines + 1, np.int64))
    with pytest.raises(InputError, match=r"lie in -1\.\."):
        evaluate(problem, np.full(problem.n_lines, problem.n_nodes))


def test_a_time_limit_must_be_positive():
    with pytest.raises(InputError, match="time_limit_s"):
        solve(oracle.tiny(3), time_limit_s=0)
