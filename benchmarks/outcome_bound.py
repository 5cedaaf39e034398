"""What nobody could have earned more than: all demand known, parts of packages allowed."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from ortools.linear_solver.python.model_builder_helper import (
    ModelBuilderHelper,
    ModelSolverHelper,
)

from benchmarks.outcome_world import DAYS, GOODWILL, TICKS, WEEKS, World
from omnistock.sourcing.joint.arcs import batch_of
from omnistock.sourcing.joint.patterns import desk_for
from omnistock.sourcing.joint.prices import price_orders

__all__ = ["base_cents", "clairvoyant_cents"]

TOLERANCE = 3e-4  # of the linear program; the bound is one with prices of any quality


def clairvoyant_cents(world: World) -> float:
    """Profit of the best plan in hindsight, at least; a linear program by weeks.

    A relaxation of what any policy does: walk-ins and orders of a week may be served in any
    order, orders and packages in parts. Stock that arrives in a week may serve that week and
    all later ones.
    """
    problem, node = world.problem, world.node
    n_places = node.shape[1]
    order, sku = problem.line_order, problem.part_sku
    week = world.order_tick // (TICKS * 7)
    line = np.repeat(np.arange(problem.n_lines), n_places)
    place = np.tile(np.arange(n_places), problem.n_lines)
    at = node[sku[line], place]
    region = problem.order_region[order[line]]
    alone = (np.diff(problem.order_offsets) == 1)[order[line]]
    package_cost = problem.package_cost[region, at]
    cost = problem.line_weight[line] * problem.unit_cost[region, at]
    sent = cost + np.where(alone, package_cost, 0) - problem.line_penalty[line]
    shared = np.flatnonzero(~alone)
    key = order[line[shared]] * problem.n_nodes + at[shared]
    keys, first, package = np.unique(key, return_index=True, return_inverse=True)
    asked = world.walk_ins.reshape(WEEKS, DAYS * TICKS // WEEKS, -1).sum(axis=1)
    point = np.tile(np.arange(node.size), WEEKS)
    n_sent, n_packages, n_walk = len(line), len(keys), asked.size
    stock = _stock_rows(
        sku[line] * n_places + place, week[order[line]], point, node.size, n_packages
    )
    whole = sp.csr_array(
        (np.ones(n_sent), (line, np.arange(n_sent))),
        shape=(problem.n_lines, n_sent + n_packages + n_walk),
    )
    rows = np.arange(len(shared))
    inside = sp.csr_array(
        (
            np.repeat([1.0, -1.0], len(shared)),
            (np.tile(rows, 2), np.concatenate([shared, n_sent + package.reshape(-1)])),
        ),
        shape=(len(shared), n_sent + n_packages + n_walk),
    )
    margin = world.walk_in_margin[point // n_places]
    prices = _stock_prices(
        np.concatenate([sent, package_cost[shared][first], -margin]),
        np.concatenate([np.ones(n_sent + n_packages), asked.ravel()]),
        sp.vstack([stock, whole, inside], format="csr"),
        np.concatenate(
            [
                world.receipts.cumsum(axis=0).ravel(),
                np.ones(problem.n_lines),
                np.zeros(len(shared)),
            ]
        ),
    )[: WEEKS * node.size].reshape(WEEKS, node.size)
    return _most_at(world, np.maximum(prices, 0.0), asked)


def _stock_prices(
    cost: np.ndarray, most: np.ndarray, matrix: sp.csr_array, high: np.ndarray
) -> np.ndarray:
    """What a unit of every row's right side is worth, nearly; (n_rows,) float64."""
    program = ModelBuilderHelper()
    low = np.full(len(high), -np.inf)
    program.fill_model_from_sparse_data(
        np.zeros(len(cost)), most.astype(float), cost.astype(float), low, high.astype(float), matrix
    )
    solver = ModelSolverHelper("PDLP")
    solver.set_solver_specific_parameters(
        "num_threads: 1 termination_criteria { simple_optimality_criteria { "
        f"eps_optimal_relative: {TOLERANCE} eps_optimal_absolute: {TOLERANCE} }} }}"
    )
    solver.solve(program)
    return -np.asarray(solver.dual_values())


def _most_at(world: World, prices: np.ndarray, asked: np.ndarray) -> float:
    """Profit that nobody can exceed, whatever the prices; (WEEKS, n_stockpoints) in.

    Row ``w`` is what a unit is worth that may be used until the end of week ``w``. Everybody
    pays for what they take, each order in its best way, and all stock is paid for
    (weak duality).
    """
    problem, n_points = world.problem, world.node.size
    batch, desk = batch_of(problem), desk_for(problem.n_nodes)
    chosen, cost = np.full(problem.n_lines, -1), np.zeros(problem.n_orders)
    stock = world.receipts.cumsum(axis=0).reshape(WEEKS, n_points)
    week = world.order_tick // (TICKS * 7)
    margin = np.repeat(world.walk_in_margin, world.node.shape[1])
    most = float((prices * stock).sum()) + base_cents(world)
    for now in range(WEEKS):
        price = prices[now:].sum(axis=0)
        most -= price_orders(
            chosen,
            cost,
            desk,
            batch,
            np.flatnonzero(week == now),
            stock[now],
            problem.node_capacity,
            price,
            np.zeros(problem.n_nodes),
        )
        most += float(asked[now] @ np.maximum(margin - price, 0.0))
    return most


def base_cents(world: World) -> int:
    """Margin of all order lines; profit is this less the cost of a plan, plus walk-ins'."""
    return int((world.problem.line_penalty - GOODWILL).sum())


def _stock_rows(
    point: np.ndarray, week: np.ndarray, walk_point: np.ndarray, n_points: int, n_packages: int
) -> sp.csr_array:
    """Use of every stockpoint up to the end of every week; a row each."""
    n_sent, n_walk = len(point), len(walk_point)
    walk_week = np.arange(n_walk) // n_points
    column = np.concatenate([np.arange(n_sent), n_sent + n_packages + np.arange(n_walk)])
    where, when = np.concatenate([point, walk_point]), np.concatenate([week, walk_week])
    rows, columns = [], []
    for until in range(WEEKS):
        used = when <= until
        rows.append(until * n_points + where[used])
        columns.append(column[used])
    row = np.concatenate(rows)
    return sp.csr_array(
        (np.ones(len(row)), (row, np.concatenate(columns))),
        shape=(WEEKS * n_points, n_sent + n_packages + n_walk),
    )
