"""Which node may send which line, and what that costs, as one list of arcs.

Axes: e = arc (one line at one node, sorted by line, then node), t = take (what one arc
takes from one stockpoint, sorted by arc).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["Arcs", "list_arcs", "prune", "scarce"]


@dataclass(frozen=True)
class Arcs:
    """All ways to send a line; int64 arrays.

    Attributes
    ----------
    line, node : (n_arcs,)
    cost : (n_arcs,)
        Cents of the units and of the stock they take, without the package.
    take_arc, take_point, take_units : (n_takes,)
        Units of a stockpoint that an arc takes.
    """

    line: np.ndarray
    node: np.ndarray
    cost: np.ndarray
    take_arc: np.ndarray
    take_point: np.ndarray
    take_units: np.ndarray

    def keep(self, wanted: np.ndarray) -> Arcs:
        """Only the arcs where ``wanted``, a (n_arcs,) bool, holds."""
        number = np.cumsum(wanted) - 1
        taken = wanted[self.take_arc]
        return Arcs(
            self.line[wanted],
            self.node[wanted],
            self.cost[wanted],
            number[self.take_arc[taken]],
            self.take_point[taken],
            self.take_units[taken],
        )


def prune(problem: SourcingProblem, arcs: Arcs) -> Arcs:
    """Leave out arcs that some cheapest plan does without.

    Three rules, again and again until none applies: an order that goes whole or not at all
    and has a line that nobody can send; a package that costs more than all the penalties
    that it could spare; a line that another node, with stock and capacity for everybody who
    may come, sends for no more even in a package of its own.
    """
    while True:
        kept = arcs.keep(_completable(problem, arcs))
        kept = kept.keep(_worthwhile(problem, kept))
        kept = kept.keep(~_dominated(problem, kept))
        if len(kept.line) == len(arcs.line):
            return kept
        arcs = kept


def scarce(problem: SourcingProblem, arcs: Arcs) -> tuple[np.ndarray, np.ndarray]:
    """Stockpoints and nodes, as masks, that could not serve all arcs together."""
    taken = np.bincount(arcs.take_point, arcs.take_units, len(problem.stock_units))
    load = np.bincount(arcs.node, problem.line_units[arcs.line], problem.n_nodes)
    return taken > problem.stock_units, load > problem.node_capacity


def _completable(problem: SourcingProblem, arcs: Arcs) -> np.ndarray:
    order = problem.line_order
    served = np.bincount(arcs.line, minlength=problem.n_lines) > 0
    lacking = np.bincount(order[~served], minlength=problem.n_orders) > 0
    given_up = problem.all_or_nothing & lacking
    return np.asarray(~given_up[order[arcs.line]])


def _worthwhile(problem: SourcingProblem, arcs: Arcs) -> np.ndarray:
    order = problem.line_order[arcs.line]
    spared = np.maximum(problem.line_penalty[arcs.line] - arcs.cost, 0)
    _, package = np.unique(order * problem.n_nodes + arcs.node, return_inverse=True)
    worth = np.bincount(package, spared)[package]
    price = problem.package_cost[problem.order_region[order], arcs.node]
    bound_together = problem.must_ship | problem.all_or_nothing
    return np.asarray(((spared > 0) & (worth > price)) | bound_together[order])


def _dominated(problem: SourcingProblem, arcs: Arcs) -> np.ndarray:
    order = problem.line_order[arcs.line]
    size = np.diff(problem.order_offsets)[order]
    points, nodes = scarce(problem, arcs)
    ample = ~nodes[arcs.node]
    ample[arcs.take_arc[points[arcs.take_point]]] = False
    alone = arcs.cost + problem.package_cost[problem.order_region[order], arcs.node]
    best = np.full(problem.n_lines, np.iinfo(np.int64).max)
    np.minimum.at(best, arcs.line[ample], alone[ample])
    winner = np.flatnonzero(ample & (alone == best[arcs.line]))
    _, first = np.unique(arcs.line[winner], return_index=True)
    worse = best[arcs.line] <= np.where(size == 1, alone, arcs.cost)
    worse &= problem.max_packages[order] >= size
    worse[winner[first]] = False
    return np.asarray(worse)


def list_arcs(problem: SourcingProblem) -> Arcs:
    """Arcs of all nodes that may send a line and have, and can send, all of its units."""
    first = problem.part_offsets[:-1]
    line, point = _pairs(problem, problem.part_sku[first])
    units = problem.part_units[first][line]
    node = problem.stock_node[point]
    order = problem.line_order[line]
    fits = problem.stock_units[point] >= units
    fits &= problem.line_units[line] <= problem.node_capacity[node]
    fits &= problem.allowed[problem.order_group[order], node]
    only = problem.line_node[line]
    fits &= (only < 0) | (only == node)
    line, node, point, units = line[fits], node[fits], point[fits], units[fits]
    takes = [(np.arange(len(line)), point, units)]
    more, fits = _later_parts(problem, line, node)
    takes += more
    arc, point, units = (np.concatenate(some) for some in zip(*takes, strict=True))
    by_arc = np.argsort(arc, kind="stable")
    arc, point, units = arc[by_arc], point[by_arc], units[by_arc]
    region = problem.order_region[problem.line_order[line]]
    cost = problem.line_weight[line] * problem.unit_cost[region, node]
    np.add.at(cost, arc, units * problem.stock_value[point])
    return Arcs(line, node, cost, arc, point, units).keep(fits)


def _pairs(problem: SourcingProblem, sku: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every line with every stockpoint of its ``sku``."""
    start, stop = problem.stock_offsets[sku], problem.stock_offsets[sku + 1]
    count = stop - start
    line = np.repeat(np.arange(len(sku)), count)
    within = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)
    return line, start[line] + within


def _later_parts(
    problem: SourcingProblem, line: np.ndarray, node: np.ndarray
) -> tuple[list[tuple[np.ndarray, np.ndarray, np.ndarray]], np.ndarray]:
    """What arcs take for the second and later parts of their lines; whether they have it."""
    fits = np.ones(len(line), np.bool_)
    takes = []
    sku = np.repeat(np.arange(problem.n_skus), np.diff(problem.stock_offsets))
    keys = np.append(sku * problem.n_nodes + problem.stock_node, np.iinfo(np.int64).max)
    n_parts = np.diff(problem.part_offsets)
    for part in range(1, int(n_parts.max(initial=1))):
        arc = np.flatnonzero(n_parts[line] > part)
        at = problem.part_offsets[line[arc]] + part
        wanted = problem.part_sku[at] * problem.n_nodes + node[arc]
        point = np.searchsorted(keys, wanted)
        units = problem.part_units[at]
        has = keys[point] == wanted
        has[has] = problem.stock_units[point[has]] >= units[has]
        fits[arc[~has]] = False
        takes.append((arc[has], point[has], units[has]))
    return takes, fits
