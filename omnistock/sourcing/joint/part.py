"""Some orders of a batch as a batch of their own, while the plan for the others stands."""

from __future__ import annotations

import numpy as np

from omnistock.sourcing.joint.problem import SourcingProblem, offsets_of

__all__ = ["part_of", "taken_by"]


def taken_by(problem: SourcingProblem, assigned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Units that a plan takes, (n_stockpoints,) int64, and that nodes send, (n_nodes,)."""
    line = np.repeat(np.arange(problem.n_lines), np.diff(problem.part_offsets))
    part = np.flatnonzero(assigned[line] >= 0)
    sku = np.repeat(np.arange(problem.n_skus), np.diff(problem.stock_offsets))
    keys = sku * problem.n_nodes + problem.stock_node
    point = np.searchsorted(keys, problem.part_sku[part] * problem.n_nodes + assigned[line[part]])
    taken = np.zeros(len(keys), np.int64)
    np.add.at(taken, point, problem.part_units[part])
    load = np.zeros(problem.n_nodes, np.int64)
    sent = np.flatnonzero(assigned >= 0)
    np.add.at(load, assigned[sent], problem.line_units[sent])
    return taken, load


def part_of(
    problem: SourcingProblem,
    orders: np.ndarray,
    units_left: np.ndarray,
    capacity_left: np.ndarray,
) -> tuple[SourcingProblem, np.ndarray]:
    """Batch of some orders, and the lines of the whole that its lines are.

    Parameters
    ----------
    orders : (n_part,) int64
        Different orders.
    units_left : (n_stockpoints,) int64
        What these orders may take.
    capacity_left : (n_nodes,) int64

    Returns
    -------
    SourcingProblem, (n_lines of the part,) int64
    """
    lines = _ranges(problem.order_offsets, orders)
    parts = _ranges(problem.part_offsets, lines)
    skus, sku = np.unique(problem.part_sku[parts], return_inverse=True)
    points = _ranges(problem.stock_offsets, skus)
    points = points[units_left[points] > 0]
    point_sku = np.searchsorted(problem.stock_offsets, points, side="right") - 1
    size = np.diff(problem.order_offsets)[orders]
    n_parts = np.diff(problem.part_offsets)[lines]
    part = SourcingProblem(
        package_cost=problem.package_cost,
        unit_cost=problem.unit_cost,
        node_capacity=capacity_left,
        stock_offsets=offsets_of(np.searchsorted(skus, point_sku), len(skus)),
        stock_node=problem.stock_node[points],
        stock_units=units_left[points],
        stock_value=problem.stock_value[points],
        order_offsets=np.concatenate([[0], np.cumsum(size)]),
        order_region=problem.order_region[orders],
        order_group=problem.order_group[orders],
        max_packages=problem.max_packages[orders],
        all_or_nothing=problem.all_or_nothing[orders],
        must_ship=problem.must_ship[orders],
        allowed=problem.allowed,
        line_units=problem.line_units[lines],
        line_weight=problem.line_weight[lines],
        line_penalty=problem.line_penalty[lines],
        line_node=problem.line_node[lines],
        part_offsets=np.concatenate([[0], np.cumsum(n_parts)]),
        part_sku=sku.reshape(-1),
        part_units=problem.part_units[parts],
    )
    return part, lines


def _ranges(offsets: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """All numbers of the given groups, one group after the other."""
    size = offsets[groups + 1] - offsets[groups]
    before = np.cumsum(size) - size
    return np.repeat(offsets[groups] - before, size) + np.arange(int(size.sum()))
