"""A cart whose lines share what its nodes can still handle. Axes: n = node, l = line.

Without the shared capacity the cart is solved as ever, which bounds what is possible with
it. If a node is then asked for more than it can handle, by ``excess`` units over ``k``
lines, some line must give up at least ``excess / k`` of them: one branch for each line.
Best bound first, so the first plan that fits is the best there is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np

from omnistock.sourcing.cart import CartPlan

__all__ = ["source_within_capacity"]

# Relaxed carts after which the best plan so far is taken, unproven.
_MOST_CARTS = 400

Solve = Callable[[np.ndarray], CartPlan]
Rank = tuple[int, int, int]


def rank_of(plan: CartPlan) -> Rank:
    """Sort key of a plan: most units, then fewest packages if they count first, then cost."""
    return -plan.filled, plan.packages if plan.rules.packages_first else 0, plan.cost


def source_within_capacity(
    solve: Solve, need: np.ndarray, stock: np.ndarray, capacity: np.ndarray, *, whole_lines: bool
) -> CartPlan:
    """Choose the nodes of a cart where each handles at most ``capacity`` units of it.

    Parameters
    ----------
    solve : callable
        From the stock to the best plan without capacity, :func:`source_cart` or like it.
    need : (n_lines,) int64
    stock : (n_nodes, n_lines) int64
    capacity : (n_nodes,) int64
        Units that each node can still handle, all lines together; -1 is no limit.
    whole_lines : bool
        Whether a node whose capacity would cut what it sends of a line sends none of it.

    Returns
    -------
    CartPlan
        Proven best unless the search was cut short.
    """
    limited = capacity >= 0
    most = np.where(limited, capacity, need.sum())[:, None]
    usable = np.minimum(stock, need)
    if whole_lines:
        usable = np.where(usable > most, 0, usable)
    usable = np.minimum(usable, most)
    first = solve(usable)
    waiting = [(rank_of(first), 0, usable, first)]
    seen = {usable.tobytes()}
    best: CartPlan | None = None
    carts = 1
    while waiting:
        rank, _, usable, plan = heapq.heappop(waiting)
        if best is not None and rank >= rank_of(best):
            break
        over = _most_over(plan, capacity)
        if over < 0:
            best = plan
            break
        if carts >= _MOST_CARTS:
            fitted = _cut_to_fit(solve, usable, plan, capacity, whole_lines=whole_lines)
            return _unproven(fitted)
        for child in _branches(usable, plan, int(capacity[over]), over, whole_lines=whole_lines):
            key = child.tobytes()
            if key in seen:
                continue
            seen.add(key)
            relaxed = solve(child)
            carts += 1
            heapq.heappush(waiting, (rank_of(relaxed), carts, child, relaxed))
    assert best is not None, "the branch that sends nothing fits"
    return best


def _most_over(plan: CartPlan, capacity: np.ndarray) -> int:
    """The node that is asked for most more than it can handle, -1 if none is."""
    excess = np.where(capacity >= 0, plan.quantity.sum(axis=1) - capacity, 0)
    node = int(excess.argmax()) if excess.size else -1
    return node if node >= 0 and excess[node] > 0 else -1


def _branches(
    usable: np.ndarray, plan: CartPlan, capacity: int, node: int, *, whole_lines: bool
) -> list[np.ndarray]:
    """One stock matrix for each line that may give up its part of what is too much."""
    sent = plan.quantity[node]
    lines = np.flatnonzero(sent)
    part = -(-(int(sent.sum()) - capacity) // len(lines))
    children = []
    for line in lines.tolist():
        child = usable.copy()
        child[node, line] = 0 if whole_lines else max(0, int(sent[line]) - part)
        children.append(child)
    return children


def _cut_to_fit(
    solve: Solve, usable: np.ndarray, plan: CartPlan, capacity: np.ndarray, *, whole_lines: bool
) -> CartPlan:
    """Cut lines of overloaded nodes, last line first, until every node can handle its share."""
    while True:
        node = _most_over(plan, capacity)
        if node < 0:
            return plan
        usable = usable.copy()
        sent = plan.quantity[node]
        line = int(np.flatnonzero(sent)[-1])
        excess = int(sent.sum()) - int(capacity[node])
        usable[node, line] = 0 if whole_lines else max(0, int(sent[line]) - excess)
        plan = solve(usable)


def _unproven(plan: CartPlan) -> CartPlan:
    import dataclasses

    return dataclasses.replace(plan, proven=False)
