"""Orders, stock and prices on their way to each other; see :mod:`.prices` for the method."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from omnistock.sourcing.joint.arcs import batch_of
from omnistock.sourcing.joint.patterns import desk_for
from omnistock.sourcing.joint.prices import price_orders
from omnistock.sourcing.joint.problem import SourcingProblem
from omnistock.sourcing.joint.shortlist import list_orders, shortlist_for, worth_alone
from omnistock.sourcing.joint.soft import MOST_CANDIDATES, shares_for, soft_orders

__all__ = ["Market"]

_STEP = 0.3  # of a full Newton step of one price alone; prices move together
_FAR = 5.0  # arcs within this many temperatures of the cheapest are on the short list
_NEAR_CENTS = 60.0
_RENEW = 5  # steps after which the short list is made anew
_ARCS_PER_LINE = 120
_MOST_ARCS = 120_000_000


class Market:
    """Prices of stock and capacity for the orders that are still open.

    Attributes
    ----------
    price : (n_stockpoints,) float64
        Cents for a unit of stock.
    toll : (n_nodes,) float64
        Cents for a unit of a node's capacity.
    orders : (n_open,) int64
        Orders that take part.
    units_left, capacity_left : int64 arrays
        What these orders may take.
    doubt : (n_orders,) float64
        Weight of all patterns of an order, its best being 1: the nearer to 1, the surer.
    """

    def __init__(self, problem: SourcingProblem, threads: int = 2) -> None:
        self.problem = problem
        self.batch = batch_of(problem)
        n_points, n_nodes = len(problem.stock_node), problem.n_nodes
        self.price = np.zeros(n_points)
        self.toll = np.zeros(n_nodes)
        self.doubt = np.ones(problem.n_orders)
        self.chosen = np.full(problem.n_lines, -1, np.int64)
        self.cost = np.zeros(problem.n_orders)
        self._desks = [desk_for(n_nodes) for _ in range(threads)]
        self._shares = [shares_for() for _ in range(threads)]
        self._use = [np.zeros(n_points) for _ in range(threads)]
        self._load = [np.zeros(n_nodes) for _ in range(threads)]
        self._shorts = [shortlist_for(problem.n_lines, 1) for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads)
        self._threads = threads
        self.open(
            np.flatnonzero(np.diff(problem.order_offsets)),
            problem.stock_units,
            problem.node_capacity,
        )

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()

    def open(self, orders: np.ndarray, units_left: np.ndarray, capacity_left: np.ndarray) -> None:
        """Go on with these orders and what is left for them; prices stay."""
        # Orders of one region read the same rows of costs.
        region = self.problem.order_region[orders]
        self.orders = orders[np.argsort(region, kind="stable")].astype(np.int64)
        self.units_left, self.capacity_left = units_left.copy(), capacity_left.copy()
        size = np.diff(self.problem.order_offsets)[self.orders]
        ends = np.searchsorted(
            np.cumsum(size), size.sum() * np.arange(1, self._threads) / self._threads
        )
        self._runs = np.split(self.orders, ends)
        self._supply = np.concatenate([units_left, capacity_left]).astype(np.float64)
        self._before = np.concatenate([self.price, self.toll])
        self._pace = 1.0
        self._steps = 0
        room = min(max(_ARCS_PER_LINE * int(size.sum()), 100_000), _MOST_ARCS)
        if len(self._shorts[0].node) * self._threads < room:
            share = room // self._threads + 1
            self._shorts = [shortlist_for(self.problem.n_lines, share) for _ in self._desks]

    def start(self) -> None:
        """Price a SKU's stock at what its last unit would be worth if all were in one place.

        Lines are served by what a unit is worth to them beyond its cheapest shipment.
        """
        problem = self.problem
        worth = np.empty(problem.n_lines)
        worth_alone(worth, self._desks[0], self.batch, self.price, self.toll)
        first = problem.part_offsets[:-1]
        sku, units = problem.part_sku[first], problem.part_units[first]
        by_worth = np.lexsort((-worth, sku))
        wanted = np.cumsum(units[by_worth])
        start = np.searchsorted(sku[by_worth], np.arange(problem.n_skus))
        before = np.concatenate([[0], wanted])[start]
        point_sku = np.repeat(np.arange(problem.n_skus), np.diff(problem.stock_offsets))
        stock = np.bincount(point_sku, problem.stock_units, problem.n_skus)
        at = sku[by_worth]
        left_out = wanted - before[at] > stock[at]
        level = np.zeros(problem.n_skus)
        np.maximum.at(level, at[left_out], worth[by_worth][left_out])
        self.price = level[point_sku]
        self._before = np.concatenate([self.price, self.toll])

    def cool(
        self, hot: float, cold: float, steps: int, stop: Callable[[], bool] | None = None
    ) -> None:
        """Move prices while the temperature falls from ``hot`` to ``cold`` cents."""
        for step in range(steps):
            if stop is not None and stop():
                return
            self.move(hot * (cold / hot) ** (step / max(steps - 1, 1)))

    def move(self, temperature: float) -> None:
        """Move all prices once."""
        if self._steps % _RENEW == 0:
            self._list(_FAR * temperature + _NEAR_CENTS)
        self._steps += 1
        here = np.concatenate([self.price, self.toll])
        pace = (1 + np.sqrt(1 + 4 * self._pace**2)) / 2
        ahead = np.maximum(here + (self._pace - 1) / pace * (here - self._before), 0.0)
        use = self._ask(ahead, temperature)
        with np.errstate(divide="ignore"):
            pressure = np.log((use + 1e-6) / np.maximum(self._supply, 1e-6))
        pressure = np.where(self._supply > 0, np.clip(pressure, -0.5, 3.0), 0.0)
        there = np.maximum(ahead + _STEP * temperature * pressure, 0.0)
        self._pace = pace if (use - self._supply) @ (there - here) >= 0 else 1.0
        self._before = here
        self.price = there[: len(self.price)].copy()
        self.toll = there[len(self.price) :].copy()

    def bound(self) -> float:
        """Return what no plan for the open orders costs less than; renews ``cost``, ``chosen``.

        Infinite if an order must ship and could not, even alone.
        """
        total: float = sum(
            self._each(
                lambda i: price_orders(
                    self.chosen,
                    self.cost,
                    self._desks[i],
                    self.batch,
                    self._runs[i],
                    self.units_left,
                    self.capacity_left,
                    self.price,
                    self.toll,
                )
            )
        )
        if total == np.inf:
            return total
        given_up = float(self.price @ self.units_left + self.toll @ self.capacity_left)
        # Each of the sums may be off by half a unit in the last place for every term.
        terms = 4 * self.problem.n_lines + len(self.price) + len(self.toll)
        return total - given_up - terms * 2.0**-53 * (abs(total) + given_up)

    def _ask(self, prices: np.ndarray, temperature: float) -> np.ndarray:
        """Units that the open orders would take of every stockpoint and node."""
        price = prices[: len(self.price)].copy()
        toll = prices[len(self.price) :].copy()
        most = 4 if temperature > 50 else 8 if temperature > 15 else MOST_CANDIDATES

        def ask(i: int) -> None:
            self._use[i][:] = 0.0
            self._load[i][:] = 0.0
            soft_orders(
                self._use[i],
                self._load[i],
                self.doubt,
                self._desks[i],
                self._shares[i],
                self._shorts[i],
                self.batch,
                self._runs[i],
                price,
                toll,
                temperature,
                most,
            )

        self._each(ask)
        return np.concatenate(
            [sum(self._use[1:], self._use[0]), sum(self._load[1:], self._load[0])]
        )

    def _list(self, reach: float) -> None:
        """Make the short lists anew, with a smaller reach where the room would not do."""

        def make(i: int) -> None:
            near = reach
            while True:
                count = list_orders(
                    self._shorts[i],
                    self._desks[i],
                    self.batch,
                    self._runs[i],
                    self.units_left,
                    self.capacity_left,
                    self.price,
                    self.toll,
                    near,
                )
                if count < len(self._shorts[i].node) or near < 1.0:
                    return
                near /= 2

        self._each(make)

    def _each(self, work: Callable[[int], Any]) -> list[Any]:
        """Do the work of every thread."""
        return list(self._pool.map(work, range(self._threads)))
