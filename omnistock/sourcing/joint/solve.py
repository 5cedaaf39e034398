"""The best plan for a batch that the time allows, and how far from the best it can be."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from omnistock.errors import InputError
from omnistock.sourcing.joint.alone import flow_of_lines
from omnistock.sourcing.joint.choices import list_arcs
from omnistock.sourcing.joint.evaluate import evaluate
from omnistock.sourcing.joint.exact import ExactPlan, solve_exactly
from omnistock.sourcing.joint.flow import is_flow, solve_flow
from omnistock.sourcing.joint.problem import SourcingProblem
from omnistock.sourcing.joint.reopt import plan_by_parts, replan_parts

__all__ = ["JointPlan", "Progress", "solve"]

# Lines times stockpoints of their SKUs, beyond which an integer program of all is of no use.
_MOST_WAYS = 40_000
# Below, they prove it at once; above, prices give them a plan to start from.
_FEW_WAYS = 6_000

# Called with (what is done now, best cost so far or None, bound so far).
Progress = Callable[[str, int | None, int], None]


@dataclass(frozen=True)
class JointPlan:
    """A plan for a batch, with what is proven about it.

    Attributes
    ----------
    assigned : (n_lines,) int64 or None
        Node that sends each line, -1 for unfilled; None without a plan.
    cost : int or None
        Cents; None without a plan.
    bound : int or None
        No plan at all costs less, cents; None if there is none.
    status : str
        ``Optimal``: no plan is cheaper. ``Feasible``: ``cost`` and ``bound`` differ.
        ``Infeasible``: there is proven to be no plan that sends what must ship.
        ``Unknown``: the time was too short to find one.
    seconds : float
    """

    assigned: np.ndarray | None
    cost: int | None
    bound: int | None
    status: str
    seconds: float

    @property
    def gap(self) -> float:
        """Share of the cost that may be more than needed; infinite without a plan."""
        if self.cost is None or self.bound is None:
            return float("inf")
        return (self.cost - self.bound) / max(self.cost, 1)


def solve(
    problem: SourcingProblem,
    *,
    time_limit_s: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
    progress: Progress | None = None,
    threads: int = 2,
) -> JointPlan:
    """Plan all orders of a batch together.

    Parameters
    ----------
    problem : SourcingProblem
    time_limit_s : float
        Seconds; it stops earlier when the plan is proven.
    gap : float
        Stop as soon as the cost is within this share of the bound.
    seed : int
    progress : callable, optional
        Called with a word for what is done, the cost so far and the bound so far.
    threads : int
        Most threads at a time.

    Returns
    -------
    JointPlan

    Raises
    ------
    InputError
        If a limit makes no sense.

    Examples
    --------
    Two orders want the only unit that is near: the one for which the other node is no
    dearer leaves it.

    >>> problem = SourcingProblem.build(
    ...     package_cost=[[500, 900], [500, 500]], unit_cost=[[10, 10], [10, 10]], n_skus=1,
    ...     stock=([0, 1], [0, 0], [1, 5]), order_region=[1, 0], order_offsets=[0, 1, 2],
    ...     line_units=[1, 1], line_penalty=[2000, 2000],
    ...     part_offsets=[0, 1, 2], part_sku=[0, 0], part_units=[1, 1])
    >>> plan = solve(problem)
    >>> plan.assigned.tolist(), plan.cost, plan.status
    ([1, 0], 1020, 'Optimal')
    """
    if time_limit_s <= 0 or gap < 0 or threads < 1:
        raise InputError(
            f"time_limit_s must be > 0, gap >= 0 and threads >= 1; "
            f"got {time_limit_s}, {gap} and {threads}"
        )
    started = time.monotonic()
    tell = progress or _silent
    plan = _search(problem, started, time_limit_s, gap, seed, tell, threads)
    status = "Feasible" if plan.cost is not None else "Unknown"
    if plan.proven:
        status = "Optimal" if plan.cost is not None else "Infeasible"
    tell(status, plan.cost, plan.bound or 0)
    return JointPlan(plan.assigned, plan.cost, plan.bound, status, time.monotonic() - started)


def _silent(stage: str, cost: int | None, bound: int) -> None:
    """Tell nobody."""


def _search(
    problem: SourcingProblem,
    started: float,
    time_limit_s: float,
    gap: float,
    seed: int,
    tell: Progress,
    threads: int,
) -> ExactPlan:
    """By structure: a flow for single lines, integer programs for what they can prove.

    Beside the program, in another thread, parts are planned anew; what it has not proven
    in a quarter of the time starts again from the best plan by then.
    """
    end = started + time_limit_s
    plan = ExactPlan(None, None, 0, False)
    ways = int(np.diff(problem.stock_offsets)[problem.part_sku].sum())
    if is_flow(problem):
        tell("flow", None, 0)
        plan = solve_flow(problem)
    elif ways <= _MOST_WAYS:
        tell("flow of lines", None, 0)
        plan = flow_of_lines(problem) or plan
    if _enough(plan, gap):
        return plan
    bound = _bound_of_lines(problem)
    if bound is None:
        return ExactPlan(None, None, None, True)
    plan = ExactPlan(plan.assigned, plan.cost, max(bound, plan.bound or 0), plan.proven)
    if ways > _FEW_WAYS:
        until = end if ways > _MOST_WAYS else started + 0.2 * time_limit_s
        priced = _by_prices(problem, until, gap, seed, threads, tell)
        if priced.proven and priced.cost is None:
            return priced
        plan = _better(plan, priced)
    if ways > _MOST_WAYS or _enough(plan, gap):
        return plan
    for until in (started + 0.4 * time_limit_s, end):
        tell("integer program", plan.cost, plan.bound or 0)
        plan = _step(problem, plan, until, gap, seed, threads)
        if _enough(plan, gap):
            break
    return plan


def _by_prices(
    problem: SourcingProblem, until: float, gap: float, seed: int, threads: int, tell: Progress
) -> ExactPlan:
    from omnistock.sourcing.joint.large import solve_by_prices

    return solve_by_prices(problem, end=until, gap=gap, seed=seed, threads=threads, tell=tell)


def _better(one: ExactPlan, other: ExactPlan) -> ExactPlan:
    """The cheaper of two plans, with the higher of their bounds."""
    bound = max(one.bound or 0, other.bound or 0)
    costs = [plan for plan in (one, other) if plan.cost is not None]
    if not costs:
        return ExactPlan(None, None, bound, False)
    best = min(costs, key=lambda plan: plan.cost or 0)
    assert best.cost is not None
    return ExactPlan(best.assigned, best.cost, min(bound, best.cost), bound >= best.cost)


def _enough(plan: ExactPlan, gap: float) -> bool:
    """Whether a plan is proven to be within the gap that is asked for."""
    if plan.proven or plan.cost is None or plan.bound is None:
        return plan.proven
    return plan.cost - plan.bound <= gap * plan.cost


def _step(
    problem: SourcingProblem,
    plan: ExactPlan,
    until: float,
    gap: float,
    seed: int,
    threads: int,
) -> ExactPlan:
    """Run the integer program until a time, and beside it look for better parts of the plan."""
    with ThreadPoolExecutor(1) as pool:
        exact = pool.submit(
            solve_exactly,
            problem,
            time_limit_s=max(until - time.monotonic(), 0.1),
            start=plan.assigned,
            bound=plan.bound or 0,
            gap=gap,
            seed=seed,
        )
        other = plan.assigned
        if threads > 1:
            other = _plan_while(problem, other, exact.done, until, seed)
        found = exact.result()
    if found.proven or other is None:
        return found
    cost = evaluate(problem, other).cost
    if found.cost is not None and found.cost <= cost:
        return found
    assert found.bound is not None
    return ExactPlan(other, cost, min(found.bound, cost), found.bound >= cost)


def _plan_while(
    problem: SourcingProblem,
    assigned: np.ndarray | None,
    done: Callable[[], bool],
    until: float,
    seed: int,
) -> np.ndarray | None:
    """Plan part by part until the other thread is done."""
    if assigned is None:
        assigned = plan_by_parts(problem, stop=lambda: done() or time.monotonic() > until)
    if assigned is None:
        return None
    return replan_parts(
        problem, assigned, stop=lambda: done() or time.monotonic() > until, seed=seed
    )


def _bound_of_lines(problem: SourcingProblem) -> int | None:
    """Cost with stock and capacity for everybody, packages split evenly; None: infeasible."""
    arcs = list_arcs(problem)
    order = problem.line_order[arcs.line]
    size = np.diff(problem.order_offsets)[order]
    package = problem.package_cost[problem.order_region[order], arcs.node]
    must = problem.must_ship[problem.line_order]
    least = np.where(must, np.iinfo(np.int64).max, problem.line_penalty)
    np.minimum.at(least, arcs.line, arcs.cost + package // np.maximum(size, 1))
    if np.any(least == np.iinfo(np.int64).max):
        return None
    return int(least.sum())
