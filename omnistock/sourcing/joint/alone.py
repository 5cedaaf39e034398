"""Every line as an order of its own: a first plan in no time, and a bound.

If each line pays a whole package, what is best for the lines alone is a plan for the orders
that costs at most as much. If each of the ``k`` lines of an order pays a ``k``-th, no plan for
the orders costs less, since no package has more than ``k`` of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from omnistock.sourcing.joint.evaluate import evaluate
from omnistock.sourcing.joint.exact import ExactPlan
from omnistock.sourcing.joint.flow import is_flow, solve_flow
from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["flow_of_lines"]


def flow_of_lines(problem: SourcingProblem) -> ExactPlan | None:
    """First plan and bound from two flows of lines; None if they are no flow.

    Orders that the first flow splits against their rules stay unfilled; there is no plan in
    the answer if one of them must ship.
    """
    alone = _lines_alone(problem)
    if not is_flow(alone):
        return None
    cheap = solve_flow(_shared_packages(problem, alone))
    if cheap.proven and cheap.assigned is None:
        return ExactPlan(None, None, None, True)
    bound = cheap.bound or 0
    dear = solve_flow(alone)
    if dear.assigned is None:
        return ExactPlan(None, None, bound, False)
    assigned = _within_rules(problem, dear.assigned)
    plan = evaluate(problem, assigned)
    if not plan.feasible:
        return ExactPlan(None, None, bound, False)
    return ExactPlan(assigned, plan.cost, bound, plan.cost == bound)


def _lines_alone(problem: SourcingProblem) -> SourcingProblem:
    order = problem.line_order
    return replace(
        problem,
        order_offsets=np.arange(problem.n_lines + 1),
        order_region=problem.order_region[order],
        order_group=problem.order_group[order],
        max_packages=problem.max_packages[order],
        all_or_nothing=problem.all_or_nothing[order],
        must_ship=problem.must_ship[order],
    )


def _shared_packages(problem: SourcingProblem, alone: SourcingProblem) -> SourcingProblem:
    """A region for every size of order, where a line pays its part of the package."""
    size = np.diff(problem.order_offsets)[problem.line_order]
    pairs, region = np.unique(
        alone.order_region * (int(size.max(initial=0)) + 1) + size, return_inverse=True
    )
    there, lines = np.divmod(pairs, int(size.max(initial=0)) + 1)
    return replace(
        alone,
        package_cost=problem.package_cost[there] // lines[:, None],
        unit_cost=problem.unit_cost[there],
        order_region=region.reshape(-1),
    )


def _within_rules(problem: SourcingProblem, assigned: np.ndarray) -> np.ndarray:
    broken = evaluate(problem, assigned).violations
    orders = [broken[name] for name in ("all_or_nothing", "max_packages") if name in broken]
    if not orders:
        return assigned
    return np.where(np.isin(problem.line_order, np.concatenate(orders)), -1, assigned)
