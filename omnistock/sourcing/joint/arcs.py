"""Which node could send which line, and at what price. Axes as in :mod:`.problem`; k = arc.

An *arc* is a node that could send a line whole. Prices come on top of costs: ``price[a]``
for every unit of a stockpoint, ``toll[n]`` for every unit of a node's capacity.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from omnistock.numerics.compiled import free_kernel
from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["Batch", "batch_of", "line_arcs", "line_cost", "point_of"]


class Batch(NamedTuple):
    """The arrays of a :class:`SourcingProblem`, as kernels take them."""

    package_cost: np.ndarray
    unit_cost: np.ndarray
    node_capacity: np.ndarray
    stock_offsets: np.ndarray
    stock_node: np.ndarray
    stock_units: np.ndarray
    stock_value: np.ndarray
    order_offsets: np.ndarray
    order_region: np.ndarray
    order_group: np.ndarray
    max_packages: np.ndarray
    all_or_nothing: np.ndarray
    must_ship: np.ndarray
    allowed: np.ndarray
    line_units: np.ndarray
    line_weight: np.ndarray
    line_penalty: np.ndarray
    line_node: np.ndarray
    part_offsets: np.ndarray
    part_sku: np.ndarray
    part_units: np.ndarray


def batch_of(problem: SourcingProblem) -> Batch:
    """Return the problem's arrays, not copied."""
    return Batch(*(getattr(problem, name) for name in Batch._fields))


@free_kernel
def point_of(batch: Batch, sku: int, node: int) -> int:
    """Return the stockpoint of a SKU at a node, -1 if there is none."""
    low = batch.stock_offsets[sku]
    high = batch.stock_offsets[sku + 1]
    while low < high:
        middle = (low + high) // 2
        if batch.stock_node[middle] < node:
            low = middle + 1
        else:
            high = middle
    if low < batch.stock_offsets[sku + 1] and batch.stock_node[low] == node:
        return int(low)
    return -1


@free_kernel
def other_parts_cost(
    batch: Batch, line: int, node: int, units_left: np.ndarray, price: np.ndarray
) -> float:
    """Cost of all components but the first at a node, infinite if one is short there."""
    cost = 0.0
    for c in range(batch.part_offsets[line] + 1, batch.part_offsets[line + 1]):
        point = point_of(batch, batch.part_sku[c], node)
        if point < 0 or units_left[point] < batch.part_units[c]:
            return np.inf
        cost += batch.part_units[c] * (batch.stock_value[point] + price[point])
    return cost


@free_kernel
def line_cost(
    batch: Batch,
    line: int,
    order: int,
    node: int,
    units_left: np.ndarray,
    capacity_left: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
) -> float:
    """Cost of a line at a node without the package, infinite if the node cannot send it."""
    only = batch.line_node[line]
    if (
        (only >= 0 and only != node)
        or not batch.allowed[batch.order_group[order], node]
        or capacity_left[node] < batch.line_units[line]
    ):
        return np.inf
    first = batch.part_offsets[line]
    point = point_of(batch, batch.part_sku[first], node)
    if point < 0 or units_left[point] < batch.part_units[first]:
        return np.inf
    cost = batch.line_weight[line] * batch.unit_cost[batch.order_region[order], node]
    cost += batch.part_units[first] * (batch.stock_value[point] + price[point])
    cost += batch.line_units[line] * toll[node]
    return float(cost + other_parts_cost(batch, line, node, units_left, price))


@free_kernel
def line_arcs(
    arc_node: np.ndarray,
    arc_point: np.ndarray,
    arc_cost: np.ndarray,
    start: int,
    batch: Batch,
    line: int,
    order: int,
    units_left: np.ndarray,
    capacity_left: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
    limit: float,
) -> int:
    """List from ``start`` on the arcs of a line that cost less than ``limit``; return the end.

    ``arc_point`` is the stockpoint of the line's first component.
    """
    first = batch.part_offsets[line]
    kit = batch.part_offsets[line + 1] - first > 1
    sku = batch.part_sku[first]
    taken = batch.part_units[first]
    units = batch.line_units[line]
    weight = batch.line_weight[line]
    only = batch.line_node[line]
    region = batch.order_region[order]
    group = batch.order_group[order]
    k = start
    for point in range(batch.stock_offsets[sku], batch.stock_offsets[sku + 1]):
        node = batch.stock_node[point]
        if units_left[point] < taken or capacity_left[node] < units:
            continue
        cost = weight * batch.unit_cost[region, node] + units * toll[node]
        cost += taken * (batch.stock_value[point] + price[point])
        if cost >= limit or (only >= 0 and only != node) or not batch.allowed[group, node]:
            continue
        if kit:
            cost += other_parts_cost(batch, line, node, units_left, price)
            if cost >= limit:
                continue
        arc_node[k] = node
        arc_point[k] = point
        arc_cost[k] = cost
        k += 1
    return k
