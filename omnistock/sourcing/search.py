"""The cheapest set of nodes for one cart, exactly. Axes: n = node, l = line.

Once the nodes are chosen, every line takes its units from the cheapest of them, so
the only question is which nodes. A set costs ``node_cost`` per node, ``unit_cost`` per
unit and ``unfilled_cost`` per unit that it leaves unfilled.

Lower bounds come from pricing a unit of line ``l`` at ``price[l]``: a node is then worth
``reduced[n] = node_cost[n] + sum_l usable[n, l] * min(0, unit_cost[n, l] - price[l])``,
and no set of at most ``k`` nodes costs less than ``sum_l need[l] * price[l]`` plus the
``k`` smallest of ``reduced``, as far as they are negative (Lagrangian relaxation of the
units' balance; Geoffrion 1974). Prices are floats while they are sought, integers when
they prove something.
"""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import kernel

__all__ = ["cheapest_set"]

_ASCENTS = 60


@kernel
def set_cost(
    taken: np.ndarray,
    chosen: np.ndarray,
    n_chosen: int,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    unfilled_cost: int,
    whole_lines: bool,
) -> int:
    """Cost of the nodes ``chosen[:n_chosen]``; fills ``taken[position, line]``.

    With ``whole_lines`` a line comes from one node alone.
    """
    cost = 0
    for i in range(n_chosen):
        cost += node_cost[chosen[i]]
    for line in range(need.size):
        left = need[line]
        for i in range(n_chosen):
            taken[i, line] = 0
        while left > 0:
            best = -1
            best_price = 0
            for i in range(n_chosen):
                units = usable[chosen[i], line]
                if units == 0 or taken[i, line] > 0:
                    continue
                price = unit_cost[chosen[i], line]
                if whole_lines:
                    price = (price - unfilled_cost) * units
                if best < 0 or price < best_price:
                    best = i
                    best_price = price
            if best < 0:
                break
            units = min(left, usable[chosen[best], line])
            taken[best, line] = units
            cost += units * unit_cost[chosen[best], line]
            left -= units
            if whole_lines:
                break
        cost += left * unfilled_cost
    return cost


@kernel
def greedy_set(
    chosen: np.ndarray,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    unfilled_cost: int,
    max_nodes: int,
) -> int:
    """Choose, again and again, the node that saves most; return how many were chosen."""
    left = np.empty(need.size, np.int64)
    for line in range(need.size):
        left[line] = need[line]
    spent = np.zeros(node_cost.size, np.bool_)
    n_chosen = 0
    while n_chosen < max_nodes:
        best = -1
        best_change = 0
        for n in range(node_cost.size):
            if spent[n]:
                continue
            change = node_cost[n]
            for line in range(need.size):
                units = min(left[line], usable[n, line])
                change += units * (unit_cost[n, line] - unfilled_cost)
            if change < best_change:
                best = n
                best_change = change
        if best < 0:
            break
        spent[best] = True
        chosen[n_chosen] = best
        n_chosen += 1
        for line in range(need.size):
            left[line] -= min(left[line], usable[best, line])
    return n_chosen


@kernel
def smallest_negative(reduced: np.ndarray, marked: np.ndarray, count: int) -> float:
    """Mark the ``count`` smallest negative values and return their sum."""
    for n in range(reduced.size):
        marked[n] = False
    total = 0.0
    for _ in range(count):
        best = -1
        for n in range(reduced.size):
            if not marked[n] and reduced[n] < 0 and (best < 0 or reduced[n] < reduced[best]):
                best = n
        if best < 0:
            break
        marked[best] = True
        total += reduced[best]
    return total


@kernel
def find_prices(
    best_price: np.ndarray,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    unfilled_cost: int,
    max_nodes: int,
    target: int,
) -> None:
    """Fill ``best_price``, zeros at first, by subgradient ascent of the bound towards ``target``.

    The step is that of Polyak (1969).
    """
    n_nodes, n_lines = usable.shape
    price = np.zeros(n_lines)
    reduced = np.empty(n_nodes)
    marked = np.zeros(n_nodes, np.bool_)
    slope = np.empty(n_lines)
    best_bound = -np.inf
    pace = 1.0
    for _ in range(_ASCENTS):
        for n in range(n_nodes):
            reduced[n] = node_cost[n]
            for line in range(n_lines):
                gain = price[line] - unit_cost[n, line]
                if gain > 0:
                    reduced[n] -= gain * usable[n, line]
        bound = smallest_negative(reduced, marked, max_nodes)
        for line in range(n_lines):
            bound += price[line] * need[line]
        if bound > best_bound:
            best_bound = bound
            for line in range(n_lines):
                best_price[line] = int(price[line])
        else:
            pace *= 0.8
        length = 0.0
        for line in range(n_lines):
            slope[line] = need[line]
            for n in range(n_nodes):
                if marked[n] and price[line] > unit_cost[n, line]:
                    slope[line] -= usable[n, line]
            # A price at its limit that wants to go on does not move.
            if (slope[line] < 0 and price[line] <= 0) or (
                slope[line] > 0 and price[line] >= unfilled_cost
            ):
                slope[line] = 0.0
            length += slope[line] * slope[line]
        if length == 0.0 or bound >= target:
            break
        step = pace * (target - bound) / length
        for line in range(n_lines):
            price[line] = min(max(price[line] + step * slope[line], 0.0), float(unfilled_cost))


@kernel
def rank_nodes(
    ranked: np.ndarray,
    reduced: np.ndarray,
    price: np.ndarray,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    max_nodes: int,
    cutoff: int,
) -> tuple[int, int]:
    """Sort the nodes that may be in a set cheaper than ``cutoff`` by reduced cost.

    Returns their number and the value of the prices, ``sum_l need[l] * price[l]``.
    """
    n_nodes, n_lines = usable.shape
    value = 0
    for line in range(n_lines):
        value += price[line] * need[line]
    n_ranked = 0
    for n in range(n_nodes):
        cost = node_cost[n]
        useful = False
        for line in range(n_lines):
            useful |= usable[n, line] > 0
            cost += usable[n, line] * min(0, unit_cost[n, line] - price[line])
        if not useful:
            continue
        i = n_ranked
        while i > 0 and reduced[i - 1] > cost:
            reduced[i] = reduced[i - 1]
            ranked[i] = ranked[i - 1]
            i -= 1
        reduced[i] = cost
        ranked[i] = n
        n_ranked += 1

    # A node far down the ranking must displace the last of the best k to be chosen.
    best = value
    for i in range(min(max_nodes - 1, n_ranked)):
        best += min(0, reduced[i])
    while n_ranked > 0 and best + reduced[n_ranked - 1] >= cutoff:
        n_ranked -= 1
    return n_ranked, value


@kernel
def suffix_bounds(
    saved: np.ndarray,
    most: np.ndarray,
    ranked: np.ndarray,
    reduced: np.ndarray,
    usable: np.ndarray,
) -> None:
    """Fill sums of negative reduced costs before each rank, and the most units from it on."""
    n_ranked = saved.size - 1
    for i in range(n_ranked):
        saved[i + 1] = saved[i] + min(0, reduced[i])
    for i in range(n_ranked - 1, -1, -1):
        for line in range(usable.shape[1]):
            most[i, line] = max(most[i + 1, line], usable[ranked[i], line])


@kernel
def search_sets(
    chosen: np.ndarray,
    n_best: int,
    best_cost: int,
    ranked: np.ndarray,
    reduced: np.ndarray,
    n_ranked: int,
    value: int,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    unfilled_cost: int,
    max_nodes: int,
    whole_lines: bool,
    max_steps: int,
) -> tuple[int, int, int]:
    """Improve on ``best_cost`` by depth-first search over sets of ranked nodes.

    With ``d`` nodes chosen the best that may follow are the next ``max_nodes - d`` of the
    ranking, so that one subtraction of prefix sums bounds all that is left of a branch.
    Returns as :func:`cheapest_set` does.
    """
    n_lines = need.size
    taken = np.empty((max_nodes, n_lines), np.int64)
    trial = np.empty(max_nodes, np.int64)
    saved = np.zeros(n_ranked + 1, np.int64)
    most = np.zeros((n_ranked + 1, n_lines), np.int64)
    suffix_bounds(saved, most, ranked, reduced, usable)
    left = np.empty((max_nodes + 1, n_lines), np.int64)
    for line in range(n_lines):
        left[0, line] = need[line]
    partial = np.zeros(max_nodes + 1, np.int64)
    partial[0] = value
    following = np.zeros(max_nodes + 1, np.int64)
    depth = steps = 0
    while depth >= 0 and steps <= max_steps:
        steps += 1
        i = following[depth]
        room = max_nodes - depth
        closed = room == 0 or i >= n_ranked
        if not closed:
            bound = partial[depth] + reduced[i] + saved[min(i + room, n_ranked)] - saved[i + 1]
            missing = 0
            for line in range(n_lines):
                missing += max(0, left[depth, line] - room * most[i, line])
            # Both bounds only grow with i, so the whole rest of this level is closed.
            closed = bound >= best_cost or missing * unfilled_cost >= best_cost
        if closed:
            depth -= 1
            following[max(depth, 0)] += 1
            continue
        trial[depth] = ranked[i]
        missing = 0
        for line in range(n_lines):
            left[depth + 1, line] = max(0, left[depth, line] - usable[ranked[i], line])
            missing += left[depth + 1, line]
        depth += 1
        partial[depth] = partial[depth - 1] + reduced[i]
        following[depth] = i + 1
        if missing * unfilled_cost >= best_cost:
            continue
        cost = set_cost(
            taken, trial, depth, need, usable, node_cost, unit_cost, unfilled_cost, whole_lines
        )
        if cost < best_cost:
            best_cost, n_best = cost, depth
            for k in range(depth):
                chosen[k] = trial[k]
    return n_best, best_cost, steps


@kernel
def cheapest_set(
    chosen: np.ndarray,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    unfilled_cost: int,
    max_nodes: int,
    whole_lines: bool,
    cutoff: int,
    max_steps: int,
) -> tuple[int, int, int]:
    """Find the cheapest set of at most ``max_nodes`` nodes that costs less than ``cutoff``.

    Returns the number of nodes put into ``chosen`` (-1 if there is no such set), the
    cost, and the steps taken; more than ``max_steps`` means that the search stopped
    early and the answer, if any, is not proven.
    """
    n_nodes, n_lines = usable.shape
    n_best = greedy_set(chosen, need, usable, node_cost, unit_cost, unfilled_cost, max_nodes)
    taken = np.empty((max_nodes, n_lines), np.int64)
    best_cost = set_cost(
        taken, chosen, n_best, need, usable, node_cost, unit_cost, unfilled_cost, whole_lines
    )
    if best_cost >= cutoff:
        best_cost = cutoff
        n_best = -1

    price = np.zeros(n_lines, np.int64)
    find_prices(price, need, usable, node_cost, unit_cost, unfilled_cost, max_nodes, best_cost)
    ranked = np.empty(n_nodes, np.int64)
    reduced = np.empty(n_nodes, np.int64)
    n_ranked, value = rank_nodes(
        ranked, reduced, price, need, usable, node_cost, unit_cost, max_nodes, best_cost
    )
    return search_sets(
        chosen,
        n_best,
        best_cost,
        ranked,
        reduced,
        n_ranked,
        value,
        need,
        usable,
        node_cost,
        unit_cost,
        unfilled_cost,
        max_nodes,
        whole_lines,
        max_steps,
    )
