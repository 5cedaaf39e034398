"""What an order system without optimisation does: each order takes the best node for itself."""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import kernel
from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["source_greedily"]


def source_greedily(problem: SourcingProblem) -> np.ndarray:
    """Serve orders first come, first served; (n_lines,) int64 node, -1 unfilled.

    An order goes to the node that has most of its lines, of several to the cheapest, and
    what is left of it to the next such node, as long as that costs less than the penalties.
    Lines of one SKU each; orders that must ship or go whole are not treated as such.
    """
    assigned = np.full(problem.n_lines, -1)
    greedy_into(
        assigned,
        problem.stock_units.copy(),
        problem.node_capacity.copy(),
        problem.package_cost,
        problem.unit_cost,
        problem.stock_offsets,
        problem.stock_node,
        problem.order_offsets,
        problem.order_region,
        problem.line_units,
        problem.line_weight,
        problem.line_penalty,
        problem.part_sku,
    )
    return assigned


@kernel
def greedy_into(
    assigned: np.ndarray,
    stock: np.ndarray,
    capacity: np.ndarray,
    package_cost: np.ndarray,
    unit_cost: np.ndarray,
    stock_offsets: np.ndarray,
    stock_node: np.ndarray,
    order_offsets: np.ndarray,
    order_region: np.ndarray,
    line_units: np.ndarray,
    line_weight: np.ndarray,
    line_penalty: np.ndarray,
    sku: np.ndarray,
) -> None:
    """Fill ``assigned[l]``, taking what is used off ``stock[a]`` and ``capacity[n]``."""
    n_nodes = capacity.size
    lines = np.empty(n_nodes, np.int64)
    units = np.empty(n_nodes, np.int64)
    cost = np.empty(n_nodes, np.int64)
    spared = np.empty(n_nodes, np.int64)
    for o in range(order_region.size):
        region = order_region[o]
        while True:
            lines[:] = 0
            units[:] = 0
            spared[:] = 0
            for n in range(n_nodes):
                cost[n] = package_cost[region, n]
            best = -1
            for line in range(order_offsets[o], order_offsets[o + 1]):
                if assigned[line] >= 0:
                    continue
                for a in range(stock_offsets[sku[line]], stock_offsets[sku[line] + 1]):
                    n = stock_node[a]
                    left = min(stock[a], capacity[n] - units[n])
                    if left >= line_units[line]:
                        lines[n] += 1
                        units[n] += line_units[line]
                        cost[n] += line_weight[line] * unit_cost[region, n]
                        spared[n] += line_penalty[line]
            for n in range(n_nodes):
                if lines[n] == 0 or cost[n] >= spared[n]:
                    continue
                if best < 0 or (-lines[n], cost[n]) < (-lines[best], cost[best]):
                    best = n
            if best < 0:
                break
            for line in range(order_offsets[o], order_offsets[o + 1]):
                if assigned[line] >= 0 or capacity[best] < line_units[line]:
                    continue
                for a in range(stock_offsets[sku[line]], stock_offsets[sku[line] + 1]):
                    if stock_node[a] == best and stock[a] >= line_units[line]:
                        stock[a] -= line_units[line]
                        capacity[best] -= line_units[line]
                        assigned[line] = best
                        break
