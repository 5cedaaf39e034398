"""The integer program of a batch, row by row as arrays, and the solver that it is given to.

Axes: e = arc, l = line, o = order. Columns are an ``x`` for each arc, a ``y`` for each
package that more than one line could share (a package for one line alone is part of the
cost of its ``x``), and a ``z`` for each order that goes whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from omnistock.sourcing.joint.choices import Arcs, scarce
from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["Program", "program_of"]


@dataclass(frozen=True)
class Program:
    """Minimise ``cost @ v + constant`` over ``low <= matrix @ v <= high``, ``v`` 0 or 1.

    ``package`` is the column of every arc's shared package, -1 if it has none; ``whole`` is
    the column of every order's ``z``, -1 if it has none.
    """

    cost: np.ndarray
    constant: int
    matrix: sp.csr_array
    low: np.ndarray
    high: np.ndarray
    package: np.ndarray
    whole: np.ndarray


class _Rows:
    """Rows under construction."""

    def __init__(self) -> None:
        self.count = 0
        self.entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.low: list[np.ndarray] = []
        self.high: list[np.ndarray] = []

    def add(self, low: np.ndarray, high: np.ndarray, *entries: tuple[np.ndarray, ...]) -> None:
        """Add ``len(high)`` rows; entries are (row, column, value) with rows from zero."""
        for row, column, value in entries:
            self.entries.append((row + self.count, column, value.astype(np.float64)))
        self.low.append(low.astype(np.float64))
        self.high.append(high.astype(np.float64))
        self.count += len(high)

    def at_most(self, high: np.ndarray, *entries: tuple[np.ndarray, ...]) -> None:
        self.add(np.full(len(high), -np.inf), high, *entries)


def program_of(problem: SourcingProblem, arcs: Arcs) -> Program:
    """Return the integer program over these arcs; needs at least one."""
    order = problem.line_order
    at = order[arcs.line]
    n_arcs = len(arcs.line)
    key, package, count = np.unique(
        at * problem.n_nodes + arcs.node, return_inverse=True, return_counts=True
    )
    shared = count > 1
    y_order, y_node = np.divmod(key[shared], problem.n_nodes)
    column = np.where(shared, n_arcs + np.cumsum(shared) - 1, -1)[package]
    size = np.diff(problem.order_offsets)
    joint = problem.all_or_nothing & ~problem.must_ship & (size > 1)
    whole = np.where(joint, n_arcs + len(y_order) + np.cumsum(joint) - 1, -1)
    alone = problem.package_cost[problem.order_region[at], arcs.node]
    x_cost = arcs.cost + np.where(column < 0, alone, 0)
    x_cost -= np.where(joint[at], 0, problem.line_penalty[arcs.line])
    penalty = np.bincount(order, problem.line_penalty, problem.n_orders)
    y_cost = problem.package_cost[problem.order_region[y_order], y_node]
    cost = np.concatenate([x_cost, y_cost, -penalty[joint]]).astype(np.float64)
    rows = _Rows()
    _assignment_rows(rows, problem, arcs, whole)
    _package_rows(rows, problem, arcs, column, y_order)
    _supply_rows(rows, problem, arcs)
    row, col, value = (np.concatenate(some) for some in zip(*rows.entries, strict=True))
    matrix = sp.csr_array((value, (row, col)), shape=(rows.count, len(cost)))
    low, high = np.concatenate(rows.low), np.concatenate(rows.high)
    return Program(cost, int(problem.line_penalty.sum()), matrix, low, high, column, whole)


def _assignment_rows(rows: _Rows, problem: SourcingProblem, arcs: Arcs, whole: np.ndarray) -> None:
    """One node a line; exactly one for what must ship, as many as ``z`` for whole orders."""
    order = problem.line_order
    joint = np.flatnonzero(whole[order] >= 0)
    low = np.where(problem.must_ship[order], 1.0, np.where(whole[order] >= 0, 0.0, -np.inf))
    rows.add(
        low,
        np.where(whole[order] >= 0, 0.0, 1.0),
        (arcs.line, np.arange(len(arcs.line)), np.ones(len(arcs.line))),
        (joint, whole[order[joint]], -np.ones(len(joint))),
    )


def _package_rows(
    rows: _Rows, problem: SourcingProblem, arcs: Arcs, column: np.ndarray, y_order: np.ndarray
) -> None:
    """``x <= y``, and no more packages than the order may have."""
    arc = np.flatnonzero(column >= 0)
    row = np.arange(len(arc))
    ones = np.ones(len(arc))
    rows.at_most(np.zeros(len(arc)), (row, arc, ones), (row, column[arc], -ones))
    few = problem.max_packages < np.diff(problem.order_offsets)
    number = np.cumsum(few) - 1
    order = problem.line_order[arcs.line]
    alone = np.flatnonzero((column < 0) & few[order])
    y = np.flatnonzero(few[y_order])
    rows.at_most(
        problem.max_packages[few],
        (number[order[alone]], alone, np.ones(len(alone))),
        (number[y_order[y]], len(arcs.line) + y, np.ones(len(y))),
    )


def _supply_rows(rows: _Rows, problem: SourcingProblem, arcs: Arcs) -> None:
    """Stock and capacity, where they could be too little."""
    points, nodes = scarce(problem, arcs)
    take = np.flatnonzero(points[arcs.take_point])
    number = np.cumsum(points) - 1
    rows.at_most(
        problem.stock_units[points],
        (number[arcs.take_point[take]], arcs.take_arc[take], arcs.take_units[take]),
    )
    arc = np.flatnonzero(nodes[arcs.node])
    number = np.cumsum(nodes) - 1
    rows.at_most(
        problem.node_capacity[nodes],
        (number[arcs.node[arc]], arc, problem.line_units[arcs.line[arc]]),
    )
