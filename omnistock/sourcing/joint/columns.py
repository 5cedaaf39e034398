"""Several good ways to send an order: the columns of a small integer program.

Axes as in :mod:`.problem`; k = pattern. The cheapest pattern under prices comes first; then
each pattern is asked for what it would be without one of its stockpoints, until nothing
cheap is left (branching on what the best solution uses; Lawler 1972).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from omnistock.numerics.compiled import free_kernel
from omnistock.sourcing.joint.arcs import Batch, point_of
from omnistock.sourcing.joint.patterns import MOST_LINES, Desk, best_pattern

__all__ = ["Columns", "columns_for", "list_columns"]

_FORBIDDEN = 1e13


class Columns(NamedTuple):
    """Patterns of some orders, one after the other."""

    order: np.ndarray  # per pattern
    node: np.ndarray  # (patterns, MOST_LINES): node of each line, -1 unfilled
    cost: np.ndarray  # per pattern: cents without prices
    chosen: np.ndarray  # per line of the batch, to work in


def columns_for(n_lines: int, most: int) -> Columns:
    """Make room for ``most`` patterns."""
    return Columns(
        order=np.empty(most, np.int64),
        node=np.empty((most, MOST_LINES), np.int64),
        cost=np.empty(most, np.int64),
        chosen=np.full(n_lines, -1, np.int64),
    )


@free_kernel
def note(columns: Columns, batch: Batch, order: int, start: int, count: int) -> int:
    """Add the pattern in ``chosen`` unless it is there since ``start``; return the count."""
    first = batch.order_offsets[order]
    n_lines = batch.order_offsets[order + 1] - first
    for k in range(start, count):
        same = True
        for i in range(n_lines):
            same &= columns.node[k, i] == columns.chosen[first + i]
        if same:
            return count
    if count >= columns.order.size:
        return count
    region = batch.order_region[order]
    cost = 0
    for i in range(n_lines):
        line = first + i
        node = columns.chosen[line]
        columns.node[count, i] = node
        if node < 0:
            cost += batch.line_penalty[line]
            continue
        cost += batch.line_weight[line] * batch.unit_cost[region, node]
        for c in range(batch.part_offsets[line], batch.part_offsets[line + 1]):
            cost += (
                batch.part_units[c] * batch.stock_value[point_of(batch, batch.part_sku[c], node)]
            )
        new = True
        for before in range(first, line):
            new &= columns.chosen[before] != node
        if new:
            cost += batch.package_cost[region, node]
    columns.order[count] = order
    columns.cost[count] = cost
    return count + 1


@free_kernel
def single_line(
    columns: Columns,
    desk: Desk,
    batch: Batch,
    order: int,
    package: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
    start: int,
    count: int,
    most: int,
    limit: float,
) -> int:
    """Add the cheapest nodes of an order's only line, one after the other."""
    line = batch.order_offsets[order]
    sku = batch.part_sku[batch.part_offsets[line]]
    forbidden = np.empty(most, np.int64)
    before = np.empty(most)
    n_forbidden = 0
    while count < start + most and n_forbidden < most:
        node = columns.chosen[line]
        if node < 0:
            break
        point = point_of(batch, sku, node)
        forbidden[n_forbidden] = point
        before[n_forbidden] = price[point]
        n_forbidden += 1
        price[point] = _FORBIDDEN
        cost = best_pattern(
            columns.chosen,
            desk,
            batch,
            order,
            line,
            line + 1,
            package,
            batch.stock_units,
            batch.node_capacity,
            price,
            toll,
        )
        if cost >= limit:
            break
        count = note(columns, batch, order, start, count)
    for k in range(n_forbidden):
        price[forbidden[k]] = before[k]
    return count


@free_kernel
def list_columns(
    columns: Columns,
    desk: Desk,
    batch: Batch,
    orders: np.ndarray,
    assigned: np.ndarray,
    prices: np.ndarray,
    toll: np.ndarray,
    most: int,
    reach: float,
) -> int:
    """List up to ``most`` patterns of each order that are within ``reach`` of its cheapest.

    The pattern of the plan ``assigned`` always is among them, and the empty one where an
    order may stay unfilled. ``price`` is worked on and left as it was. Returns their number.
    """
    count = 0
    package = np.empty(toll.size)
    for at in range(orders.size):
        order = orders[at]
        first = batch.order_offsets[order]
        last = batch.order_offsets[order + 1]
        for n in range(toll.size):
            package[n] = batch.package_cost[batch.order_region[order], n]
        start = count
        for line in range(first, last):
            columns.chosen[line] = assigned[line]
        count = note(columns, batch, order, start, count)
        if not batch.must_ship[order]:
            for line in range(first, last):
                columns.chosen[line] = -1
            count = note(columns, batch, order, start, count)
        for m in range(prices.shape[0]):
            cost = best_pattern(
                columns.chosen,
                desk,
                batch,
                order,
                first,
                last,
                package,
                batch.stock_units,
                batch.node_capacity,
                prices[m],
                toll,
            )
            count = note(columns, batch, order, start, count)
            if last - first == 1:
                # The cheapest nodes for one line can be told one after the other.
                count = single_line(
                    columns,
                    desk,
                    batch,
                    order,
                    package,
                    prices[0],
                    toll,
                    start,
                    count,
                    most,
                    cost + reach,
                )
                break
    return count
