"""From one cart to a plan, and from many orders to plans on shared stock.

Axes: n = node, l = line of a cart, o = order, s = SKU. The lines of order ``o`` are
``offsets[o]:offsets[o + 1]``.
"""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import kernel
from omnistock.sourcing.search import cheapest_set, set_cost

__all__ = ["MAX_STEPS", "plan_cart_into"]


# Search steps after which a cart's plan is taken as it is, unproven: about half a second.
MAX_STEPS = 10_000_000


@kernel
def fewest_nodes(usable: np.ndarray, need: np.ndarray) -> int:
    """Return a number of nodes below which some line cannot be filled."""
    n_nodes, n_lines = usable.shape
    spent = np.zeros(n_nodes, np.bool_)
    most = 1
    for line in range(n_lines):
        for n in range(n_nodes):
            spent[n] = False
        left = need[line]
        count = 0
        while left > 0:
            best = -1
            for n in range(n_nodes):
                if not spent[n] and (best < 0 or usable[n, line] > usable[best, line]):
                    best = n
            spent[best] = True
            left -= usable[best, line]
            count += 1
        most = max(most, count)
    return most


@kernel
def choose_nodes(
    chosen: np.ndarray,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    unfilled_cost: int,
    packages_first: bool,
    whole_lines: bool,
    max_steps: int,
) -> tuple[int, bool]:
    """Choose at most ``chosen.size`` nodes for a cart whose lines can each be filled.

    Most units filled come first, then, if wanted, fewest nodes, then least cost.
    Returns how many were chosen, and whether that is proven.
    """
    count = min(chosen.size, fewest_nodes(usable, need)) if packages_first else chosen.size
    units = 0
    for line in range(need.size):
        units += need[line]
    proven = True
    n_chosen = -1
    while n_chosen < 0:
        # All units with ever more nodes. If all nodes allowed are too few, most units: then
        # none of them can be spared, since one more node always fills one more unit.
        n_chosen, _, steps = cheapest_set(
            chosen,
            need,
            usable,
            node_cost,
            unit_cost,
            unfilled_cost,
            min(count, chosen.size),
            whole_lines,
            unfilled_cost if count <= chosen.size else (units + 1) * unfilled_cost,
            max_steps,
        )
        proven &= steps <= max_steps
        count += 1
    return n_chosen, proven


@kernel
def plan_cart_into(
    quantity: np.ndarray,
    need: np.ndarray,
    stock: np.ndarray,
    package_cost: np.ndarray,
    unit_cost: np.ndarray,
    max_packages: int,
    packages_first: bool,
    whole_lines: bool,
    complete: bool,
    max_steps: int,
) -> bool:
    """Fill ``quantity[n, l]``; return whether no better plan exists for certain.

    Among plans of equal cost the one on earlier nodes wins: costs are scaled up and
    every used node adds its position, so that no sum of positions is worth a cent.
    With ``complete`` a plan that leaves a unit unfilled becomes no plan at all.
    """
    n_nodes, n_lines = stock.shape
    usable = np.empty((n_nodes, n_lines), np.int64)
    # Units that no plan can fill are the same for all plans, so they are left out.
    reach = np.zeros(n_lines, np.int64)
    units = 0
    missing = 0
    for line in range(n_lines):
        for n in range(n_nodes):
            quantity[n, line] = 0
            usable[n, line] = min(stock[n, line], need[line])
            if whole_lines:
                reach[line] = max(reach[line], usable[n, line])
            else:
                reach[line] = min(reach[line] + usable[n, line], need[line])
        units += reach[line]
        missing += need[line] - reach[line]
    limit = min(max_packages, n_nodes, units)
    if limit == 0 or (complete and missing > 0):
        return True

    scale = limit * n_nodes + 1
    node_cost = np.empty(n_nodes, np.int64)
    scaled_cost = np.empty((n_nodes, n_lines), np.int64)
    dearest = 0
    for n in range(n_nodes):
        node_cost[n] = package_cost[n] * scale + n + 1
        dearest = max(dearest, node_cost[n])
    # A unit left unfilled outweighs all that a plan can cost.
    unfilled_cost = 1 + limit * dearest
    for line in range(n_lines):
        dearest = 0
        for n in range(n_nodes):
            scaled_cost[n, line] = unit_cost[n, line] * scale
            dearest = max(dearest, scaled_cost[n, line])
        unfilled_cost += dearest * reach[line]

    chosen = np.empty(limit, np.int64)
    n_chosen, proven = choose_nodes(
        chosen, reach, usable, node_cost, scaled_cost, unfilled_cost, packages_first, whole_lines,
        max_steps,
    )  # fmt: skip
    # However they were found: of nodes with equal costs the earlier gives first.
    chosen[:n_chosen].sort()
    taken = np.empty((limit, n_lines), np.int64)
    cost = set_cost(
        taken, chosen, n_chosen, reach, usable, node_cost, scaled_cost, unfilled_cost, whole_lines
    )
    if complete and cost >= unfilled_cost:
        return proven
    for i in range(n_chosen):
        for line in range(n_lines):
            quantity[chosen[i], line] = taken[i, line]
    return proven
