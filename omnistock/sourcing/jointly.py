"""Orders that compete for stock, planned together, in tables of the caller's own kind."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnistock.errors import InputError
from omnistock.frames import Table
from omnistock.model import Network
from omnistock.sourcing.joint.part import part_of, taken_by
from omnistock.sourcing.joint.problem import SourcingProblem
from omnistock.sourcing.joint.solve import JointPlan, Progress, solve
from omnistock.sourcing.joint_costs import JointCost
from omnistock.sourcing.joint_explained import explained
from omnistock.sourcing.joint_tables import Batch, Limits, read_batch

__all__ = ["JointlySourced", "source_jointly"]


@dataclass(frozen=True)
class JointlySourced:
    """Which node sends what, what that costs, and how far from the best it can be.

    Attributes
    ----------
    order, sku, node : (n_sent,) object arrays of str
        Units sent, by priority and then in the sequence of first rows; kits as components.
    quantity : (n_sent,) int64
        Smallest units.
    unfilled : (n_rows,) int64
        Smallest units of each row of the orders table that nobody sends.
    orders : (n_orders,) object array of str
    packages, package_cents, units_cents, stock_value_cents, unfilled_cents : (n_orders,) int64
        The terms of the objective for each order.
    cost, bound : int or None
        Cents: of this plan, and what no plan at all costs less than. With several
        priorities, no plan of a priority, given those before it.
    status : str
        ``Optimal``, ``Feasible``, ``Infeasible`` (what must ship cannot, proven) or
        ``Unknown`` (the time was too short); the last two come without any plan.
    seconds : float
    """

    order: np.ndarray
    sku: np.ndarray
    node: np.ndarray
    quantity: np.ndarray
    unfilled: np.ndarray
    orders: np.ndarray
    packages: np.ndarray
    package_cents: np.ndarray
    units_cents: np.ndarray
    stock_value_cents: np.ndarray
    unfilled_cents: np.ndarray
    cost: int | None
    bound: int | None
    status: str
    seconds: float
    _batch: Batch
    _assigned: np.ndarray

    def __len__(self) -> int:
        return len(self.quantity)

    @property
    def gap(self) -> float:
        """Share of the cost that may be more than needed; infinite without a plan."""
        return JointPlan(None, self.cost, self.bound, self.status, self.seconds).gap

    @property
    def cost_cents(self) -> np.ndarray:
        """All terms of each order together, (n_orders,) int64."""
        terms = self.package_cents + self.units_cents + self.stock_value_cents
        return np.asarray(terms + self.unfilled_cents)

    @property
    def requests(self) -> Table:
        """The orders as read."""
        return self._batch.requests

    def to_table(self) -> Any:
        """Return order, sku, node, quantity as the kind of frame that the orders are."""
        return self.requests.native(
            {"order": self.order, "sku": self.sku, "node": self.node, "quantity": self.quantity}
        )

    def unfilled_table(self) -> Any:
        """Return order, sku, unfilled for the rows that nobody sends."""
        short = np.flatnonzero(self.unfilled)
        return self.requests.native(
            {
                "order": self.requests["order"][short],
                "sku": self.requests["sku"][short],
                "unfilled": self.unfilled[short],
            }
        )

    def orders_table(self) -> Any:
        """Return packages and every cost term, one row per order."""
        return self.requests.native(
            {
                "order": self.orders,
                "packages": self.packages,
                "package_cents": self.package_cents,
                "units_cents": self.units_cents,
                "stock_value_cents": self.stock_value_cents,
                "unfilled_cents": self.unfilled_cents,
                "cost_cents": self.cost_cents,
            }
        )

    def explain(self, order: str) -> str:
        """Say from where an order comes, what each term costs, and what else there was.

        The runner-up is the cheapest way to serve the order without one of its nodes, from
        what the others leave. If the order would be cheaper with all stock to itself, it
        gives way to others, and what it would cost alone is said.

        Raises
        ------
        InputError
            If there was no such order, or no plan was found.
        """
        at = np.flatnonzero(self.orders == order)
        if not at.size:
            raise InputError(f"no order {order!r} was sourced")
        if self.cost is None:
            raise InputError(f"there is no plan to explain: {self.status}")
        return explained(self._batch, self._assigned, int(at[0]), order)


def source_jointly(
    orders: Any,
    stock: Any,
    network: Network,
    *,
    cost: JointCost | None = None,
    unfilled_cents: int | None = None,
    ship_complete: bool = False,
    max_packages: int | None = None,
    weights: Mapping[str, int] | None = None,
    stock_value: Any = None,
    node_capacity: Any = None,
    time_limit_s: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
    threads: int = 2,
    progress: Progress | None = None,
) -> JointlySourced:
    """Decide for all orders together which node sends which row, at the least cost in money.

    Parameters
    ----------
    orders : table
        ``order``, ``sku``, ``channel``, ``quantity`` (selling units), and optionally
        ``node`` (the only one that may send the row), ``latitude`` and ``longitude`` of the
        customer, ``unfilled_cents`` (if the row is left), ``must_ship`` (every row of the
        order goes) and ``priority``: all orders of a smaller one are planned before others.
    stock : table
        ``sku``, ``node``, ``on_hand`` (selling units).
    network : Network
        Knows kits, nodes and which nodes serve a channel. Nodes not active send nothing.
    cost : JointCost, optional
        Default: 5.00 for a package, nothing for distance and units.
    unfilled_cents : int, optional
        For every smallest unit of rows without ``unfilled_cents`` of their own.
    ship_complete : bool
        Whether an order goes whole or not at all.
    max_packages : int, optional
        Most nodes that may share one order.
    weights : mapping of str to int, optional
        Units of weight in a selling unit of each stocked SKU, which unit costs multiply.
        Default: the smallest units themselves.
    stock_value : table, optional
        ``sku``, ``node``, ``cents``: what a smallest unit would earn if it stayed.
    node_capacity : table, optional
        ``node``, ``capacity``: most units that may leave. Kits count their components, a
        broken selling unit of goods by weight counts as one.
    time_limit_s, gap, seed, threads, progress
        As in :func:`omnistock.sourcing.joint.solve.solve`; priorities share the time by rows.

    Returns
    -------
    JointlySourced
        A row leaves whole from one node, kits with all their components, or is unfilled:
        a row that several nodes could only fill together is better given as several rows.

    Raises
    ------
    FrameError
        Naming table, row and column of everything wrong, e.g. unknown SKUs.
    InputError
        If costs depend on distances but a node has no coordinates, or a number is too large.

    Examples
    --------
    The only mug is at S1. B, which needs it, comes second and still gets it:

    >>> network = Network.build(skus=["TEE", "MUG"], nodes=["S1", "DC1"])
    >>> orders = {"order": ["A", "B", "B"], "sku": ["TEE", "TEE", "MUG"],
    ...           "channel": ["web"] * 3, "quantity": [1, 1, 1]}
    >>> stock = {"sku": ["TEE", "TEE", "MUG"], "node": ["DC1", "S1", "S1"], "on_hand": [9, 1, 1]}
    >>> plan = source_jointly(orders, stock, network, unfilled_cents=2000)
    >>> plan.node.tolist(), plan.cost, plan.status
    (['DC1', 'S1', 'S1'], 1000, 'Optimal')
    """
    started = time.monotonic()
    limits = Limits(unfilled_cents, ship_complete, max_packages, weights)
    batch = read_batch(
        orders, stock, network, cost or JointCost(), limits, stock_value, node_capacity
    )
    plan = _solve_by_priority(
        batch,
        {"gap": gap, "seed": seed, "threads": threads, "progress": progress},
        time_limit_s,
    )
    assigned = plan.assigned
    if assigned is None:
        assigned = np.full(batch.problem.n_lines, -1, np.int64)
    return _result(batch, plan, assigned, time.monotonic() - started)


def _solve_by_priority(batch: Batch, settings: dict[str, Any], time_limit_s: float) -> JointPlan:
    """Plan the orders of one priority after the other, from what those before left."""
    problem, priority = batch.problem, batch.priority
    if not len(priority) or priority[0] == priority[-1]:
        return solve(problem, time_limit_s=time_limit_s, **settings)
    assigned = np.full(problem.n_lines, -1, np.int64)
    cost, bound, optimal = 0, 0, True
    for one in np.unique(priority):
        taken, load = taken_by(problem, assigned)
        part, lines = part_of(
            problem,
            np.flatnonzero(priority == one),
            problem.stock_units - taken,
            problem.node_capacity - load,
        )
        share = len(lines) / max(problem.n_lines, 1)
        plan = solve(part, time_limit_s=max(time_limit_s * share, 0.1), **settings)
        if plan.assigned is None or plan.cost is None:
            return JointPlan(None, None, None, plan.status, plan.seconds)
        assigned[lines] = plan.assigned
        cost, bound = cost + plan.cost, bound + (plan.bound or 0)
        optimal &= plan.status == "Optimal"
    return JointPlan(assigned, cost, bound, "Optimal" if optimal else "Feasible", 0.0)


def _result(batch: Batch, plan: JointPlan, assigned: np.ndarray, seconds: float) -> JointlySourced:
    problem, rows, requests = batch.problem, batch.rows, batch.requests
    part_line = np.repeat(np.arange(problem.n_lines), np.diff(problem.part_offsets))
    sent = np.flatnonzero(assigned[part_line] >= 0)
    left = np.flatnonzero(assigned < 0)
    unfilled = np.zeros(len(requests), np.int64)
    unfilled[rows[left]] = batch.quantity[left]
    packages, terms = _terms(problem, assigned)
    return JointlySourced(
        order=requests["order"][rows[part_line[sent]]],
        sku=np.array(batch.skus, dtype=object)[problem.part_sku[sent]],
        node=np.array(batch.nodes, dtype=object)[assigned[part_line[sent]]],
        quantity=problem.part_units[sent],
        unfilled=unfilled,
        orders=requests["order"][rows[problem.order_offsets[:-1]]],
        packages=packages,
        **terms,
        cost=plan.cost,
        bound=plan.bound,
        status=plan.status,
        seconds=seconds,
        _batch=batch,
        _assigned=assigned,
    )


def _terms(
    problem: SourcingProblem, assigned: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Packages of every order, and what each term of the objective adds to it."""
    n_orders, order = problem.n_orders, problem.line_order
    sent = np.flatnonzero(assigned >= 0)
    region, node = problem.order_region[order[sent]], assigned[sent]
    package = np.unique(order[sent] * problem.n_nodes + node)
    package_order, package_node = np.divmod(package, max(problem.n_nodes, 1))
    line = np.repeat(np.arange(problem.n_lines), np.diff(problem.part_offsets))
    part = np.flatnonzero(assigned[line] >= 0)
    sku = np.repeat(np.arange(problem.n_skus), np.diff(problem.stock_offsets))
    point = np.searchsorted(
        sku * problem.n_nodes + problem.stock_node,
        problem.part_sku[part] * problem.n_nodes + assigned[line[part]],
    )

    def add_up(at: np.ndarray, cents: np.ndarray) -> np.ndarray:
        total = np.zeros(n_orders, np.int64)
        np.add.at(total, at, cents)
        return total

    left = np.flatnonzero(assigned < 0)
    return np.bincount(package_order, minlength=n_orders), {
        "package_cents": add_up(
            package_order, problem.package_cost[problem.order_region[package_order], package_node]
        ),
        "units_cents": add_up(
            order[sent], problem.line_weight[sent] * problem.unit_cost[region, node]
        ),
        "stock_value_cents": add_up(
            order[line[part]], problem.part_units[part] * problem.stock_value[point]
        ),
        "unfilled_cents": add_up(order[left], problem.line_penalty[left]),
    }
