"""What a joint plan costs, and what it breaks: the model of :mod:`problem`, recomputed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnistock.errors import InputError
from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """Cost of a plan in cents, by term, and every constraint that it breaks.

    Attributes
    ----------
    unit_cost, stock_value, package_cost, unfilled_cost : int
        The four terms of the objective.
    packages, unfilled_lines : int
    violations : dict of str to (n,) int64
        Indices of what is broken, by name; names without a violation are absent.
        ``stock``: stockpoints that give more than they have; ``capacity``: nodes that send
        more than they can; ``eligibility``: lines at a node that may not send them;
        ``max_packages``, ``all_or_nothing``, ``must_ship``: orders.
    """

    unit_cost: int
    stock_value: int
    package_cost: int
    unfilled_cost: int
    packages: int
    unfilled_lines: int
    violations: dict[str, np.ndarray]

    @property
    def cost(self) -> int:
        """All four terms together, cents."""
        return self.unit_cost + self.stock_value + self.package_cost + self.unfilled_cost

    @property
    def feasible(self) -> bool:
        """Whether no constraint is broken."""
        return not self.violations


def evaluate(problem: SourcingProblem, assigned: np.ndarray) -> Evaluation:
    """Price a plan and check it against every constraint.

    Parameters
    ----------
    problem : SourcingProblem
    assigned : (n_lines,) int64
        Node that sends each line, -1 for unfilled.

    Returns
    -------
    Evaluation
        Exact in integers, for feasible plans and others.

    Raises
    ------
    InputError
        If ``assigned`` has another shape, or names a node that does not exist.

    Examples
    --------
    >>> problem = SourcingProblem.build(
    ...     package_cost=[[500, 900]], unit_cost=[[10, 10]], n_skus=1,
    ...     stock=([0, 1], [0, 0], [1, 5]), order_region=[0, 0], order_offsets=[0, 1, 2],
    ...     line_units=[1, 1], line_penalty=[2000, 2000],
    ...     part_offsets=[0, 1, 2], part_sku=[0, 0], part_units=[1, 1])
    >>> evaluate(problem, [0, 1]).cost
    1420
    >>> evaluate(problem, [0, 0]).violations
    {'stock': array([0])}
    """
    node = np.asarray(assigned)
    if node.shape != (problem.n_lines,) or (node.size and node.dtype.kind not in "iu"):
        raise InputError(
            f"assigned must be ({problem.n_lines},) integers, got {node.shape} {node.dtype}"
        )
    if node.size and (node.min() < -1 or node.max() >= problem.n_nodes):
        raise InputError(f"assigned must lie in -1..{problem.n_nodes - 1}")
    sent = np.flatnonzero(node >= 0)
    order, node = problem.line_order, node.astype(np.int64)
    region = problem.order_region[order[sent]]
    point, taken = _taken(problem, node)
    package = np.unique(order[sent] * problem.n_nodes + node[sent])
    package_order, package_node = np.divmod(package, max(problem.n_nodes, 1))
    stocked = point >= 0
    value = problem.stock_value[point[stocked]] * taken[stocked]
    return Evaluation(
        unit_cost=int((problem.line_weight[sent] * problem.unit_cost[region, node[sent]]).sum()),
        stock_value=int(value.sum()),
        package_cost=int(
            problem.package_cost[problem.order_region[package_order], package_node].sum()
        ),
        unfilled_cost=int(problem.line_penalty[node < 0].sum()),
        packages=len(package),
        unfilled_lines=problem.n_lines - len(sent),
        violations=_violations(problem, node, point, taken, package_order),
    )


def _taken(problem: SourcingProblem, node: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stockpoint (-1: the node does not stock it) and units of every part that is sent."""
    line = np.repeat(np.arange(problem.n_lines), np.diff(problem.part_offsets))
    part = np.flatnonzero(node[line] >= 0)
    sku = np.repeat(np.arange(problem.n_skus), np.diff(problem.stock_offsets))
    keys = sku * problem.n_nodes + problem.stock_node
    wanted = problem.part_sku[part] * problem.n_nodes + node[line[part]]
    at = np.searchsorted(keys, wanted)
    found = np.append(keys, -1)[at] == wanted
    return np.where(found, at, -1), problem.part_units[part]


def _violations(
    problem: SourcingProblem,
    node: np.ndarray,
    point: np.ndarray,
    taken: np.ndarray,
    package_order: np.ndarray,
) -> dict[str, np.ndarray]:
    sent = node >= 0
    order = problem.line_order
    given = np.zeros(len(problem.stock_units), np.int64)
    np.add.at(given, point[point >= 0], taken[point >= 0])
    load = np.zeros(problem.n_nodes, np.int64)
    np.add.at(load, node[sent], problem.line_units[sent])
    filled = np.bincount(order[sent], minlength=problem.n_orders)
    asked = np.diff(problem.order_offsets)
    parts = np.repeat(np.arange(problem.n_lines), np.diff(problem.part_offsets))
    unstocked = np.zeros(problem.n_lines, np.bool_)
    unstocked[parts[sent[parts]][point < 0]] = True
    elsewhere = (problem.line_node >= 0) & (problem.line_node != node)
    barred = ~problem.allowed[problem.order_group[order], node] | elsewhere | unstocked
    packages = np.bincount(package_order, minlength=problem.n_orders)
    partly = (filled > 0) & (filled < asked)
    broken = {
        "stock": given > problem.stock_units,
        "capacity": load > problem.node_capacity,
        "eligibility": sent & barred,
        "max_packages": packages > problem.max_packages,
        "all_or_nothing": partly & problem.all_or_nothing,
        "must_ship": problem.must_ship & (filled < asked),
    }
    return {name: np.flatnonzero(where) for name, where in broken.items() if where.any()}
