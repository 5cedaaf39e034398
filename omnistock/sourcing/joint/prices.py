"""Prices of scarce stock and capacity, and the lower bound that they prove.

Axes as in :mod:`.problem`. With a price on every unit of stock and capacity, each order
can be planned by itself; no plan at all costs less than

    sum_o (cheapest pattern of o under prices) - sum_a price[a] * stock[a]
                                               - sum_n toll[n] * capacity[n]

(Lagrangian relaxation of stock and capacity; Geoffrion 1974). The best prices are sought
with indifference: at a temperature every order spreads over its patterns (:mod:`.soft`),
prices rise where more is asked for than there is and fall where less is, in proportion to the
logarithm of the ratio (Sinkhorn 1967), with momentum (Nesterov 1983) that is dropped whenever
it leads away (O'Donoghue and Candes 2015), while the temperature falls.
"""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import free_kernel
from omnistock.sourcing.joint.arcs import Batch
from omnistock.sourcing.joint.patterns import MOST_LINES, Desk, best_pattern

__all__ = ["price_orders"]


@free_kernel
def price_orders(
    chosen: np.ndarray,
    cost: np.ndarray,
    desk: Desk,
    batch: Batch,
    orders: np.ndarray,
    units_left: np.ndarray,
    capacity_left: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
) -> float:
    """Fill ``cost[o]`` with the least each order costs under prices; return their sum.

    ``chosen[l]`` becomes the node of every line in that pattern, whoever else wants it.
    Orders of more than ``MOST_LINES`` lines are looked at in pieces, each of which pays
    its part of a package: less than they truly cost, so the bound stays one.
    """
    n_nodes = toll.size
    package = np.empty(n_nodes)
    part = np.empty(n_nodes)
    region = -1
    total = 0.0
    for at in range(orders.size):
        order = orders[at]
        if batch.order_region[order] != region:
            region = batch.order_region[order]
            for n in range(n_nodes):
                package[n] = batch.package_cost[region, n]
        start = batch.order_offsets[order]
        stop = batch.order_offsets[order + 1]
        pieces = (stop - start + MOST_LINES - 1) // MOST_LINES
        cost[order] = 0.0
        for piece in range(pieces):
            first = start + piece * (stop - start) // pieces
            last = start + (piece + 1) * (stop - start) // pieces
            row = package
            if pieces > 1:
                row = part
                for n in range(n_nodes):
                    part[n] = package[n] * ((last - first) / (stop - start))
            cost[order] += best_pattern(
                chosen,
                desk,
                batch,
                order,
                first,
                last,
                row,
                units_left,
                capacity_left,
                price,
                toll,
            )
        total += cost[order]
    return total
