"""Kernels for batches of single lines. Axes: c = class of equal lines, e = arc, a = stockpoint,
n = node. Arcs of class ``c`` are ``arc_offsets[c]:arc_offsets[c + 1]``; every line of it takes
``units[c]``.
"""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import kernel

__all__ = ["class_arcs_into", "place_into"]


@kernel
def class_arcs_into(
    arc_point: np.ndarray,
    arc_cost: np.ndarray,
    arc_offsets: np.ndarray,
    line: np.ndarray,
    package_cost: np.ndarray,
    unit_cost: np.ndarray,
    node_capacity: np.ndarray,
    stock_offsets: np.ndarray,
    stock_node: np.ndarray,
    stock_units: np.ndarray,
    stock_value: np.ndarray,
    region: np.ndarray,
    group: np.ndarray,
    allowed: np.ndarray,
    line_units: np.ndarray,
    line_weight: np.ndarray,
    line_node: np.ndarray,
    sku: np.ndarray,
    limit: np.ndarray,
) -> int:
    """List the stockpoints that can send a class, by its first ``line[c]``; return their number.

    Costs are those of a whole line with its package, less than ``limit[l]``.
    """
    end = 0
    for c in range(line.size):
        one = line[c]
        units = line_units[one]
        for a in range(stock_offsets[sku[one]], stock_offsets[sku[one] + 1]):
            n = stock_node[a]
            if stock_units[a] < units or node_capacity[n] < units:
                continue
            if not allowed[group[one], n] or (line_node[one] >= 0 and line_node[one] != n):
                continue
            cost = line_weight[one] * unit_cost[region[one], n] + package_cost[region[one], n]
            cost += units * stock_value[a]
            if cost < limit[one]:
                arc_point[end] = a
                arc_cost[end] = cost
                end += 1
        arc_offsets[c + 1] = end
    return end


@kernel
def place_into(
    node: np.ndarray,
    line: np.ndarray,
    line_class: np.ndarray,
    penalty: np.ndarray,
    arc_offsets: np.ndarray,
    arc_point: np.ndarray,
    arc_cost: np.ndarray,
    units: np.ndarray,
    stock_node: np.ndarray,
    units_left: np.ndarray,
    capacity_left: np.ndarray,
) -> None:
    """Send each ``line[i]``, one after the other, from the cheapest node that still can.

    ``node[l]`` stays as it is if that costs more than ``penalty[l]``. Takes what is used off
    ``units_left[a]`` and ``capacity_left[n]``.
    """
    for i in range(line.size):
        one = line[i]
        c = line_class[i]
        best = penalty[one]
        at = -1
        for e in range(arc_offsets[c], arc_offsets[c + 1]):
            a = arc_point[e]
            left = min(units_left[a], capacity_left[stock_node[a]])
            if arc_cost[e] < best and left >= units[c]:
                best = arc_cost[e]
                at = a
        if at >= 0:
            node[one] = stock_node[at]
            units_left[at] -= units[c]
            capacity_left[stock_node[at]] -= units[c]
