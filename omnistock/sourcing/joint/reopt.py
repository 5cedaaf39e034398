"""Better plans, part by part: the orders that compete with each other are planned anew.

A part of some dozens of lines is solved exactly while all other orders keep what they have, so
no step makes a plan dearer (large neighbourhood search; Shaw 1998). The first plan comes the
same way, from orders that take what is left by those before them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from omnistock.sourcing.joint.exact import solve_exactly
from omnistock.sourcing.joint.part import part_of, taken_by
from omnistock.sourcing.joint.problem import SourcingProblem, offsets_of

__all__ = ["plan_by_parts", "replan_parts"]

_PART_LINES = 40
_PART_SECONDS = 1.0
# Parts grow or shrink until one takes about this long.
_WANTED_SECONDS = 0.15


def plan_by_parts(problem: SourcingProblem, *, stop: Callable[[], bool]) -> np.ndarray | None:
    """First plan: what must ship first, then orders by penalty per line; None if none is found.

    Once ``stop`` says so, the orders that are left stay unfilled.
    """
    assigned = np.full(problem.n_lines, -1)
    size = np.diff(problem.order_offsets)
    penalty = np.bincount(problem.line_order, problem.line_penalty, problem.n_orders)
    first = np.lexsort((-penalty / np.maximum(size, 1), ~problem.must_ship))
    first = first[size[first] > 0]
    units, capacity = problem.stock_units.copy(), problem.node_capacity.copy()
    edges = np.cumsum(size[first]) // _PART_LINES
    for orders in np.split(first, np.flatnonzero(np.diff(edges)) + 1):
        if stop():
            return None if problem.must_ship[orders].any() else assigned
        part, lines = part_of(problem, orders, units, capacity)
        plan = solve_exactly(part, time_limit_s=_PART_SECONDS, gap=0.01)
        if plan.assigned is None:
            if problem.must_ship[orders].any():
                return None
            continue
        assigned[lines] = plan.assigned
        taken, load = taken_by(problem, assigned)
        units, capacity = problem.stock_units - taken, problem.node_capacity - load
    return assigned


def replan_parts(
    problem: SourcingProblem,
    assigned: np.ndarray,
    *,
    stop: Callable[[], bool],
    seed: int,
) -> np.ndarray:
    """Solve random parts of a feasible plan anew until ``stop`` says so.

    Parameters
    ----------
    problem : SourcingProblem
    assigned : (n_lines,) int64
        A feasible plan; not changed.
    stop : callable
        Asked before each part.
    seed : int

    Returns
    -------
    (n_lines,) int64
        A feasible plan that costs no more.
    """
    rng = np.random.default_rng(seed)
    assigned = assigned.copy()
    order = problem.line_order
    by_sku = _orders_by_sku(problem)
    wanted = float(_PART_LINES)
    while problem.n_lines and not stop():
        began = time.monotonic()
        orders = _related(problem, by_sku, int(wanted), rng)
        taken, load = taken_by(problem, np.where(np.isin(order, orders), -1, assigned))
        part, lines = part_of(
            problem, orders, problem.stock_units - taken, problem.node_capacity - load
        )
        before = assigned[lines]
        plan = solve_exactly(part, time_limit_s=_PART_SECONDS, start=before)
        assert plan.assigned is not None
        assigned[lines] = plan.assigned
        slow = time.monotonic() - began > _WANTED_SECONDS
        wanted = max(wanted * 0.8, 15.0) if slow else min(wanted * 1.05, 200.0)
    return assigned


def _orders_by_sku(problem: SourcingProblem) -> tuple[np.ndarray, np.ndarray]:
    line = np.repeat(np.arange(problem.n_lines), np.diff(problem.part_offsets))
    by_sku = np.argsort(problem.part_sku, kind="stable")
    return offsets_of(problem.part_sku[by_sku], problem.n_skus), problem.line_order[line[by_sku]]


def _related(
    problem: SourcingProblem,
    by_sku: tuple[np.ndarray, np.ndarray],
    wanted: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Orders that share SKUs, from a random one outwards, of about ``wanted`` lines."""
    offsets, wanted_by = by_sku
    filled = np.flatnonzero(np.diff(problem.order_offsets))
    waiting = [int(rng.choice(filled))]
    seen = set(waiting)
    chosen: list[int] = []
    n_lines = 0
    while waiting and n_lines < wanted:
        order = waiting.pop(int(rng.integers(len(waiting))))
        chosen.append(order)
        first, last = problem.order_offsets[order], problem.order_offsets[order + 1]
        n_lines += int(last - first)
        for sku in problem.part_sku[problem.part_offsets[first] : problem.part_offsets[last]]:
            others = wanted_by[offsets[sku] : offsets[sku + 1]]
            for other in rng.choice(others, min(len(others), 8), replace=False).tolist():
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
    return np.array(sorted(chosen))
