"""What a set of nodes costs, and good sets found at once. Axes: n = node, l = line."""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import lean_kernel

__all__ = ["first_set", "set_cost"]


@lean_kernel
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


@lean_kernel
def greedy_set(
    chosen: np.ndarray,
    left: np.ndarray,
    spent: np.ndarray,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    unfilled_cost: int,
    max_nodes: int,
    by_unit: bool,
) -> int:
    """Choose, again and again, the node that saves most, or whose units cost least.

    Returns how many were chosen. ``left`` by line and ``spent`` by node are for its own use.
    """
    for line in range(need.size):
        left[line] = need[line]
    for n in range(node_cost.size):
        spent[n] = 0
    n_chosen = 0
    while n_chosen < max_nodes:
        best = -1
        best_change = 0
        best_units = 0
        for n in range(node_cost.size):
            if spent[n] != 0:
                continue
            change = node_cost[n]
            units = 0
            for line in range(need.size):
                part = min(left[line], usable[n, line])
                change += part * unit_cost[n, line]
                units += part
            saved = change - units * unfilled_cost
            if saved >= 0:
                continue
            if by_unit:
                # The cheaper unit, by cross multiplication of two fractions.
                better = best < 0 or float(change) * best_units < float(best_change) * units
            else:
                better = best < 0 or saved < best_change
                change = saved
            if better:
                best = n
                best_change = change
                best_units = units
        if best < 0:
            break
        spent[best] = 1
        chosen[n_chosen] = best
        n_chosen += 1
        for line in range(need.size):
            left[line] -= min(left[line], usable[best, line])
    return n_chosen


@lean_kernel
def spare_nodes(
    chosen: np.ndarray,
    n_chosen: int,
    trial: np.ndarray,
    taken: np.ndarray,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    unfilled_cost: int,
    whole_lines: bool,
) -> tuple[int, int]:
    """Leave out, again and again, the node without which a set costs least; number and cost."""
    cost = set_cost(
        taken, chosen, n_chosen, need, usable, node_cost, unit_cost, unfilled_cost, whole_lines
    )
    spared = True
    while spared and n_chosen > 1:
        spared = False
        worst = -1
        for out in range(n_chosen):
            k = 0
            for i in range(n_chosen):
                if i != out:
                    trial[k] = chosen[i]
                    k += 1
            without = set_cost(
                taken, trial, k, need, usable, node_cost, unit_cost, unfilled_cost, whole_lines
            )
            if without < cost:
                cost, worst, spared = without, out, True
        if spared:
            for i in range(worst, n_chosen - 1):
                chosen[i] = chosen[i + 1]
            n_chosen -= 1
    return n_chosen, cost


@lean_kernel
def first_set(
    chosen: np.ndarray,
    other: np.ndarray,
    trial: np.ndarray,
    left: np.ndarray,
    spent: np.ndarray,
    taken: np.ndarray,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    unfilled_cost: int,
    max_nodes: int,
    whole_lines: bool,
    cutoff: int,
) -> tuple[int, int]:
    """Return number and cost of the better of two greedy sets, nodes not needed left out.

    If the first costs no less than ``cutoff``, it is returned as it is. ``other`` and ``trial``
    by node, ``left`` by line and ``spent`` by node are for its own use.
    """
    n_best = greedy_set(
        chosen, left, spent, need, usable, node_cost, unit_cost, unfilled_cost, max_nodes, False
    )
    best_cost = set_cost(
        taken, chosen, n_best, need, usable, node_cost, unit_cost, unfilled_cost, whole_lines
    )
    if best_cost >= cutoff:
        return n_best, best_cost
    n_best, best_cost = spare_nodes(
        chosen, n_best, trial, taken, need, usable, node_cost, unit_cost, unfilled_cost, whole_lines
    )
    n_other = greedy_set(
        other, left, spent, need, usable, node_cost, unit_cost, unfilled_cost, max_nodes, True
    )
    n_other, cost = spare_nodes(
        other, n_other, trial, taken, need, usable, node_cost, unit_cost, unfilled_cost, whole_lines
    )
    if cost < best_cost:
        n_best, best_cost = n_other, cost
        for i in range(n_other):
            chosen[i] = other[i]
    return n_best, best_cost
