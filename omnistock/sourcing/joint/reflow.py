"""All lines of a plan moved at once, packages staying open.

If the other lines of its order stay, a line pays a package only where its order has none.
At these costs the lines of one unit are a flow (:mod:`.flow`), and its optimum is a plan that
costs no more than before: two lines that open one package both paid for it.
"""

from __future__ import annotations

import numpy as np

from omnistock.sourcing.joint.evaluate import evaluate
from omnistock.sourcing.joint.flow import is_flow, solve_flow
from omnistock.sourcing.joint.part import taken_by
from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["reflow"]

_MOST_PAIRS = 1_500_000


def reflow(problem: SourcingProblem, assigned: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return a plan that costs no more, some SKUs' lines at a time.

    Parameters
    ----------
    problem : SourcingProblem
    assigned : (n_lines,) int64
        A feasible plan; not changed.
    seed : int
        Which SKUs move together, where there are too many for one flow.

    Returns
    -------
    (n_lines,) int64
    """
    movable = _movable(problem, assigned)
    if not len(movable):
        return assigned
    sku = problem.part_sku[problem.part_offsets[movable]]
    pairs = np.bincount(sku, minlength=problem.n_skus) * np.diff(problem.stock_offsets)
    some = np.random.default_rng(seed).permutation(np.flatnonzero(pairs))
    group = np.zeros(problem.n_skus, np.int64)
    group[some] = np.cumsum(pairs[some]) // _MOST_PAIRS
    for number in range(int(group.max(initial=0)) + 1):
        assigned = _moved(problem, assigned, movable[group[sku] == number])
    return assigned


def _movable(problem: SourcingProblem, assigned: np.ndarray) -> np.ndarray:
    """Lines of one unit that may go anywhere without breaking a rule of their order."""
    order = problem.line_order
    size = np.diff(problem.order_offsets)
    first = problem.part_offsets[:-1]
    alone = np.diff(problem.part_offsets) == 1
    plain = alone & (problem.line_units == 1) & (problem.part_units[first] == 1)
    plain &= (problem.max_packages >= size)[order]
    # A whole order stays whole: its lines move, none comes in or drops out.
    whole = (problem.all_or_nothing | problem.must_ship)[order]
    return np.flatnonzero(plain & (~whole | (assigned >= 0)))


def _moved(problem: SourcingProblem, assigned: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Solve the flow of some lines; the others stay."""
    still = assigned.copy()
    still[lines] = -1
    taken, load = taken_by(problem, still)
    order = problem.line_order[lines]
    row, package_cost, unit_cost = _open_packages(problem, assigned, order, lines)
    whole = (problem.all_or_nothing | problem.must_ship)[order]
    size = np.arange(len(lines) + 1)
    flow = SourcingProblem(
        package_cost=package_cost,
        unit_cost=unit_cost,
        node_capacity=problem.node_capacity - load,
        stock_offsets=problem.stock_offsets,
        stock_node=problem.stock_node,
        stock_units=problem.stock_units - taken,
        stock_value=problem.stock_value,
        order_offsets=size,
        order_region=row,
        order_group=problem.order_group[order],
        max_packages=np.ones(len(lines), np.int64),
        all_or_nothing=np.zeros(len(lines), np.bool_),
        must_ship=whole,
        allowed=problem.allowed,
        line_units=problem.line_units[lines],
        line_weight=problem.line_weight[lines],
        line_penalty=problem.line_penalty[lines],
        line_node=problem.line_node[lines],
        part_offsets=size,
        part_sku=problem.part_sku[problem.part_offsets[lines]],
        part_units=problem.part_units[problem.part_offsets[lines]],
    )
    if not is_flow(flow):
        return assigned
    found = solve_flow(flow)
    if found.assigned is None:
        return assigned
    moved = still
    moved[lines] = found.assigned
    before, after = evaluate(problem, assigned), evaluate(problem, moved)
    return moved if after.feasible and after.cost < before.cost else assigned


def _open_packages(
    problem: SourcingProblem, assigned: np.ndarray, order: np.ndarray, lines: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row of every line in tables of package and unit cost; a row for each order of several."""
    several = np.diff(problem.order_offsets) > 1
    number = np.where(several, problem.n_regions + np.cumsum(several) - 1, problem.order_region)
    used, row = np.unique(number[order], return_inverse=True)
    owner = np.zeros(len(used), np.int64)
    owner[row.reshape(-1)] = order
    package_cost = problem.package_cost[problem.order_region[owner]]
    # A node is open for a line if another line of its order is sent from there.
    sent = np.flatnonzero(assigned >= 0)
    key, count = np.unique(
        problem.line_order[sent] * problem.n_nodes + assigned[sent], return_counts=True
    )
    here, node = np.divmod(key, problem.n_nodes)
    moving = np.zeros(problem.n_lines, np.bool_)
    moving[lines] = True
    at = problem.line_order[sent] * problem.n_nodes + assigned[sent]
    leaving = np.bincount(np.searchsorted(key, at), moving[sent], len(key))
    # Where all lines of a package move, it may close: each of them pays for it.
    stays = (count > leaving) | (count > 1)
    place = np.full(problem.n_orders, -1, np.int64)
    place[owner] = np.arange(len(used))
    open_here = stays & several[here] & (place[here] >= 0)
    package_cost[place[here[open_here]], node[open_here]] = 0
    return row.reshape(-1), package_cost, problem.unit_cost[problem.order_region[owner]]
