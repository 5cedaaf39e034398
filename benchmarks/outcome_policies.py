"""Ways to choose nodes for online orders. Axes as in :mod:`benchmarks.outcome_world`.

A policy sees the stock, the orders of the tick and of earlier ones, and the forecasts; never
walk-ins to come nor orders to come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from benchmarks.outcome_world import (
    N_CENTRES,
    SKU_ERROR,
    STORE_ERROR,
    TICKS,
    WEEKS,
    World,
    places_of,
)
from benchmarks.sourcing_greedy import source_greedily
from omnistock.numerics.compiled import kernel
from omnistock.sourcing.joint.arcs import batch_of
from omnistock.sourcing.joint.part import part_of
from omnistock.sourcing.joint.patterns import desk_for
from omnistock.sourcing.joint.prices import price_orders
from omnistock.sourcing.joint.solve import solve

__all__ = ["POLICIES", "Policy", "Prices"]

# Called with tick, orders and stock (n_stockpoints,); answers with a node for each of their lines.
Policy = Callable[[int, np.ndarray, np.ndarray], np.ndarray]

# Cents; how evenly buyers spread over nodes that cost them nearly the same.
TEMPERATURE = 100.0
PACKAGE_SHARE = 0.6  # of a package that a line pays for while prices are sought
QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of a SKU's demand over its forecast; prices are averaged
NOISE = 0.08  # squared coefficient of variation of walk-ins, beside that of chance
# What the last unit earns is the price between having it and not.
HALF = 0.4
TRUST = 0.2  # what a unit seen counts against the forecast; units of a day come together
FIRST_STEPS, STEPS = 120, 12  # to move prices: when stock arrives, and otherwise
WINDOW_SECONDS = 5.0


class Prices:
    """What a unit at every stockpoint would earn for those who have not asked yet.

    For some levels of demand prices are moved until online buyers, who spread over what is
    cheap for them, and units kept for walk-ins use up the stock; prices of the levels are
    averaged. A unit left at the end of the week is worth what it will be worth in the next.
    """

    def __init__(self, world: World) -> None:
        problem = world.problem
        self.world = world
        # Seen so far, and forecast for what was seen: lines of a SKU, walk-ins of a stockpoint.
        self.asked, self.expected = np.zeros(len(world.node)), np.zeros(len(world.node))
        self.came, self.awaited = np.zeros(world.node.shape), np.zeros(world.node.shape)
        self.left, self.tick = np.zeros(world.node.size, np.int64), -1
        self.line_sku, self.order_of = problem.part_sku, problem.order_offsets
        weight = np.zeros(len(world.node))
        worth = np.zeros(len(world.node))
        weight[problem.part_sku] = problem.line_weight
        worth[problem.part_sku] = problem.line_penalty
        cost = PACKAGE_SHARE * problem.package_cost[:, world.node]
        cost = cost + weight[None, :, None] * problem.unit_cost[:, world.node]
        self.gain = worth[:, None, None] - cost.transpose(1, 0, 2)  # s, r, p
        self.margin = world.walk_in_margin.astype(np.float64)
        self.is_store = world.node >= N_CENTRES
        self.online = _still_to_come(world.forecast_online)
        self.walk_ins = _still_to_come(world.forecast_walk_ins)
        shape = (len(QUANTILES), *world.node.shape)
        self.next = np.zeros((WEEKS + 1, *shape))
        for week in range(WEEKS - 1, 0, -1):
            day = 7 * week
            self.next[week] = self._settle(
                self.next[week + 1],
                self.next[week + 1],
                world.receipts[week].astype(np.float64),
                self.online[day],
                self.walk_ins[day],
                FIRST_STEPS,
            )
        self.level = self.next[1].copy()

    def sent(self, orders: np.ndarray, left: np.ndarray) -> None:
        """Take note of orders that have come in, and of the stock that is left after them."""
        first, last = self.order_of[orders[0]], self.order_of[orders[-1] + 1]
        self.asked += np.bincount(self.line_sku[first:last], minlength=len(self.asked))
        self.left = left

    def at(self, tick: int, stock: np.ndarray) -> np.ndarray:
        """Return cents for a unit of every stockpoint; (n_skus, P) float64."""
        day, part = tick // TICKS, tick % TICKS / TICKS
        week = day // 7
        self._watch(tick, stock)
        online, walk_ins = (
            (1 - part) * one[day] + (part * one[day + 1] if (day + 1) % 7 else 0.0)
            for one in (self.online, self.walk_ins)
        )
        sure = 1 / (SKU_ERROR**2 + 0.02)
        asked = self.asked + self.came.sum(axis=1)
        expected = self.expected + self.awaited.sum(axis=1)
        learnt = (sure + TRUST * asked) / (sure + TRUST * expected)
        here = 1 / STORE_ERROR**2
        own = (here + self.came) / (here + self.awaited * learnt[:, None])
        self.level = self._settle(
            self.level,
            self.next[week + 1],
            stock.reshape(self.world.node.shape).astype(np.float64),
            online * learnt[:, None],
            walk_ins * learnt[:, None] * own,
            FIRST_STEPS if tick % (7 * TICKS) == 0 else STEPS,
        )
        return self.level.mean(axis=0)

    def _watch(self, tick: int, stock: np.ndarray) -> None:
        """Learn from walk-ins since the last orders, where stock did not run out."""
        days = np.arange(self.tick + 1, tick + 1) // TICKS
        self.expected += self.world.forecast_online[days].sum(axis=(0, 2)) / TICKS
        if (self.tick + 1) // (7 * TICKS) == tick // (7 * TICKS) and (self.tick + 1) % (7 * TICKS):
            seen = (stock > 0).reshape(self.world.node.shape) & self.is_store
            self.came += np.where(seen, (self.left - stock).reshape(seen.shape), 0)
            self.awaited += (
                np.where(seen, self.world.forecast_walk_ins[days].sum(axis=0), 0) / TICKS
            )
        self.tick = tick

    def _settle(
        self,
        price: np.ndarray,
        floor: np.ndarray,
        stock: np.ndarray,
        online: np.ndarray,
        walk_ins: np.ndarray,
        steps: int,
    ) -> np.ndarray:
        """Move prices of every level of demand until stock is used up, or they are at the floor."""
        total = online.sum(axis=1)
        spread = np.sqrt(SKU_ERROR**2 / 2 + 1 / np.maximum(total, 1.0))
        level = np.exp(np.multiply.outer(ndtri(np.array(QUANTILES)), spread))
        demand = level[:, :, None] * online
        mean = level[:, :, None] * walk_ins
        noise = np.sqrt(mean + NOISE * mean**2)
        for step in range(steps):
            pull = np.clip((self.gain[None] - price[:, :, None, :]) / TEMPERATURE, -30, 30)
            np.exp(pull, out=pull)
            chance = demand / (1.0 + pull.sum(axis=3))
            use = np.einsum("ksr,ksrp->ksp", chance, pull)
            left_out = np.clip(price / self.margin[:, None], 0.001, 0.999)
            kept = np.where(self.is_store, np.maximum(mean - noise * ndtri(left_out), 0.0), 0.0)
            pressure = np.log((use + kept + 1e-3) / np.maximum(stock - HALF, 0.01))
            pace = 120.0 if steps == STEPS else 250.0 / (1 + step / 15)
            price = np.maximum(price + pace * np.clip(pressure, -2, 2), floor)
        return price


def _still_to_come(forecast: np.ndarray) -> np.ndarray:
    """From the morning of every day to the end of its week."""
    weeks = forecast.reshape(WEEKS, 7, *forecast.shape[1:])
    return weeks[:, ::-1].cumsum(axis=1)[:, ::-1].reshape(forecast.shape)


@kernel
def first_in_list_into(
    assigned: np.ndarray,
    stock: np.ndarray,
    order_offsets: np.ndarray,
    order_region: np.ndarray,
    part_sku: np.ndarray,
    place: np.ndarray,
    node: np.ndarray,
) -> None:
    """Give every line of one unit the first of ``place[r, s]`` that has stock, or -1."""
    for o in range(order_region.size):
        for line in range(order_offsets[o], order_offsets[o + 1]):
            sku = part_sku[line]
            for i in range(node.shape[1]):
                p = place[order_region[o], sku, i]
                if stock[sku * node.shape[1] + p] > 0:
                    stock[sku * node.shape[1] + p] -= 1
                    assigned[line] = node[sku, p]
                    break


def _by_list(world: World, rank: np.ndarray) -> Policy:
    """Each line from the node of lowest ``rank[r, n]`` that has it."""
    problem = world.problem
    place = np.argsort(rank[:, world.node], axis=2, kind="stable")

    def choose(_: int, orders: np.ndarray, stock: np.ndarray) -> np.ndarray:
        lines = slice(problem.order_offsets[orders[0]], problem.order_offsets[orders[-1] + 1])
        offsets = problem.order_offsets[orders[0] : orders[-1] + 2]
        assigned = np.full(lines.stop - lines.start, -1)
        first_in_list_into(
            assigned,
            stock.copy(),
            offsets - offsets[0],
            problem.order_region[orders],
            problem.part_sku[lines],
            place,
            world.node,
        )
        return assigned

    return choose


def _nearest(world: World) -> Policy:
    return _by_list(world, world.distance)


def _priority(world: World) -> Policy:
    """Centres before stores, always in the same order."""
    return _by_list(
        world, np.broadcast_to(np.arange(world.distance.shape[1]), world.distance.shape)
    )


def _most_lines(world: World) -> Policy:
    """The node that has most lines of an order, then the node that has most of the rest."""

    def choose(_: int, orders: np.ndarray, stock: np.ndarray) -> np.ndarray:
        part, _ = part_of(world.problem, orders, stock, world.problem.node_capacity)
        return source_greedily(part)

    return choose


class _Alone:
    """Orders one by one, each exactly, with stock at given prices."""

    def __init__(self, world: World) -> None:
        problem = world.problem
        self.problem, self.batch = problem, batch_of(problem)
        self.desk, self.toll = desk_for(problem.n_nodes), np.zeros(problem.n_nodes)
        self.assigned = np.full(problem.n_lines, -1)
        self.cost = np.zeros(problem.n_orders)
        self.place = places_of(world)

    def choose(self, orders: np.ndarray, stock: np.ndarray, price: np.ndarray) -> np.ndarray:
        self.left = left = stock.copy()
        offsets = self.problem.order_offsets
        for order in orders:
            price_orders(
                self.assigned,
                self.cost,
                self.desk,
                self.batch,
                np.array([order]),
                left,
                self.problem.node_capacity,
                price,
                self.toll,
            )
            lines = slice(offsets[order], offsets[order + 1])
            node = self.assigned[lines]
            sent = node >= 0
            left[self.place[self.problem.part_sku[lines][sent], node[sent]]] -= 1
        return self.assigned[offsets[orders[0]] : offsets[orders[-1] + 1]]


def _exact(world: World) -> Policy:
    """The cheapest shipment of each order for itself."""
    alone, free = _Alone(world), np.zeros(world.node.size)
    return lambda _, orders, stock: alone.choose(orders, stock, free)


def _priced(world: World) -> Policy:
    """The cheapest shipment of each order, stock at what it would earn elsewhere."""
    alone, prices = _Alone(world), Prices(world)

    def choose(tick: int, orders: np.ndarray, stock: np.ndarray) -> np.ndarray:
        chosen = alone.choose(orders, stock, prices.at(tick, stock).ravel())
        prices.sent(orders, alone.left)
        return chosen

    return choose


def _joint(world: World) -> Policy:
    """All orders of a tick together, stock at what it would earn elsewhere."""
    prices, place = Prices(world), places_of(world)

    def choose(tick: int, orders: np.ndarray, stock: np.ndarray) -> np.ndarray:
        value = np.rint(prices.at(tick, stock).ravel()).astype(np.int64)
        priced = replace(world.problem, stock_value=value)
        part, _ = part_of(priced, orders, stock, world.problem.node_capacity)
        plan = solve(part, threads=1, time_limit_s=WINDOW_SECONDS)
        assert plan.assigned is not None
        left, sent = stock.copy(), plan.assigned >= 0
        np.subtract.at(left, place[_skus_of(world, orders)[sent], plan.assigned[sent]], 1)
        prices.sent(orders, left)
        return plan.assigned

    return choose


def _skus_of(world: World, orders: np.ndarray) -> np.ndarray:
    """SKU of every line of consecutive orders."""
    offsets = world.problem.order_offsets
    return world.problem.part_sku[offsets[orders[0]] : offsets[orders[-1] + 1]]


POLICIES: dict[str, Callable[[World], Policy]] = {
    "nearest node": _nearest,
    "fixed priority": _priority,
    "most lines first": _most_lines,
    "exact per order": _exact,
    "priced, order by order": _priced,
    "priced, joint windows": _joint,
}
