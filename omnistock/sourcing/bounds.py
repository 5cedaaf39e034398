"""What no set of nodes can go below. Axes: n = node, l = line, i = rank of a node.

Prices of units, what nodes are worth by them, and which nodes others can replace.
:mod:`omnistock.sourcing.search` says what they prove.
"""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import kernel, lean_kernel

__all__ = [
    "DOMINATING",
    "find_dominators",
    "find_prices",
    "price_rest",
    "rank_nodes",
    "suffix_bounds",
]

_ASCENTS = 60
DOMINATING = 62


@lean_kernel
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
    """Fill ``best_price`` by subgradient ascent of the bound towards ``target``.

    The step is that of Polyak (1969).
    """
    n_nodes, n_lines = usable.shape
    price = np.zeros(n_lines)
    reduced = np.empty(n_nodes)
    marked = np.zeros(n_nodes, np.bool_)
    slope = np.empty(n_lines)
    best_bound = -np.inf
    for line in range(n_lines):
        best_price[line] = 0
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


@lean_kernel
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


@lean_kernel
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


@lean_kernel
def priced_cost(
    left: np.ndarray,
    dearest: np.ndarray,
    trial: np.ndarray,
    depth: int,
    price: np.ndarray,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
) -> int:
    """Cost of ``trial[:depth]`` if every unit they lack can be had for its line's price.

    Fills by line the units ``left`` to that price, and the ``dearest`` unit they send.
    """
    cost = 0
    for k in range(depth):
        cost += node_cost[trial[k]]
    for line in range(need.size):
        rest = need[line]
        before = -1
        dearest[line] = 0
        while rest > 0:
            # Nodes of one unit cost are taken together, in rising order of it.
            cheapest = price[line]
            for k in range(depth):
                cents = unit_cost[trial[k], line]
                if before < cents < cheapest and usable[trial[k], line] > 0:
                    cheapest = cents
            if cheapest == price[line]:
                break
            for k in range(depth):
                if unit_cost[trial[k], line] == cheapest:
                    part = min(rest, usable[trial[k], line])
                    cost += part * cheapest
                    rest -= part
            before = cheapest
            dearest[line] = cheapest
        left[line] = rest
        cost += rest * price[line]
    return cost


@lean_kernel
def price_rest(
    worth: np.ndarray,
    rest: np.ndarray,
    left: np.ndarray,
    dearest: np.ndarray,
    first: int,
    trial: np.ndarray,
    depth: int,
    room: int,
    ranked: np.ndarray,
    price: np.ndarray,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
) -> int:
    """Fill what nodes from rank ``first`` on could change at most, negative where they save.

    ``worth[i]`` is about one node, ``rest[i]`` about ``room`` nodes from rank i on. What a set
    saves on a line is the sum of its best ``need`` units, which is submodular in the nodes:
    together they save no more than each by itself beside the nodes chosen. A node's units
    fill what is left at its price, or stand in for dearer ones. Fills ``left`` and ``dearest``
    as :func:`priced_cost` does, and returns its cost.
    """
    n_ranked = worth.size
    base: int = priced_cost(left, dearest, trial, depth, price, need, usable, node_cost, unit_cost)
    lowest = 0
    rest[n_ranked] = 0
    total = 0
    for i in range(n_ranked - 1, first - 1, -1):
        n = ranked[i]
        change = node_cost[n]
        for line in range(need.size):
            units = usable[n, line]
            cents = unit_cost[n, line]
            if units == 0 or cents >= price[line]:
                continue
            filling = min(units, left[line])
            change -= filling * (price[line] - cents)
            if cents < dearest[line]:
                change -= (units - filling) * (dearest[line] - cents)
        worth[i] = change
        lowest = min(lowest, change)
        total += min(0, change)
        rest[i] = max(total, room * lowest)
    return base


@lean_kernel
def find_dominators(
    masks: np.ndarray,
    ranked: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    by_cost: bool,
) -> None:
    """Fill for each rank, as bits, the earlier ranks whose nodes can do all that its node can.

    With ``by_cost`` and for no more money. In some best set they are all beside it: else one of
    them could take its place. Ranks beyond the bits of a word dominate nobody.
    """
    for i in range(masks.size):
        masks[i] = 0
        for j in range(min(i, DOMINATING)):
            a, b = ranked[i], ranked[j]
            dominates = not by_cost or node_cost[b] <= node_cost[a]
            for line in range(usable.shape[1]):
                if not dominates:
                    break
                units = usable[a, line]
                dominates = usable[b, line] >= units and (
                    not by_cost or units == 0 or unit_cost[b, line] <= unit_cost[a, line]
                )
            if dominates:
                masks[i] |= 1 << j
