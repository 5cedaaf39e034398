"""Orders served as they come, each exactly under prices that say what others will want.

An order system cannot wait for a batch. It can ask each order what it costs from each node,
plus a price for every unit of scarce stock and capacity: what an order yet to come is
likely to give for it (bid prices; Talluri and van Ryzin 1998, Management Science 44(11)).
Prices are learnt from sampled orders by the :class:`.Market` and averaged over samples: the
price of a single stockpoint learnt from one sample is mostly the luck of that sample. They
age as stock goes; learning them anew now and then, from what is left, keeps them right
(re-solving; Jasin and Kumar 2012, Mathematics of Operations Research 37(2)).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omnistock.errors import InputError
from omnistock.numerics.compiled import free_kernel
from omnistock.sourcing.joint.arcs import Batch, batch_of, other_parts_cost, point_of
from omnistock.sourcing.joint.evaluate import evaluate
from omnistock.sourcing.joint.market import Market
from omnistock.sourcing.joint.patterns import (
    MOST_LINES,
    Desk,
    best_pattern,
    desk_for,
    find_candidates,
    partition,
    read_back,
)
from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["Counter", "InTurn", "StockPrices", "learn_prices", "serve_in_turn"]

_HOT, _COLD = 1000.0, 3.0
_RENEWED_HOT = 200.0


@dataclass(frozen=True)
class StockPrices:
    """What a unit is worth to orders yet to come.

    Attributes
    ----------
    price : (n_stockpoints,) float64
        Cents for a unit of stock.
    toll : (n_nodes,) float64
        Cents for a unit of a node's capacity.
    """

    price: np.ndarray
    toll: np.ndarray

    def __post_init__(self) -> None:
        for name in ("price", "toll"):
            value = np.require(getattr(self, name), np.float64, ["C", "W"])
            if value.ndim != 1 or not (np.isfinite(value) & (value >= 0)).all():
                raise InputError(f"{name} must be finite numbers >= 0 in one dimension")
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class InTurn:
    """What came of serving orders one after the other.

    Attributes
    ----------
    assigned : (n_lines,) int64
        Node that sends each line, -1 for unfilled.
    cost : int
        Cents, without any price.
    unshipped : (n,) int64
        Orders that must ship and found nothing.
    seconds : float
        For serving alone, without learning prices.
    """

    assigned: np.ndarray
    cost: int
    unshipped: np.ndarray
    seconds: float


class Counter:
    """Serves orders of a batch in any sequence and remembers what is left.

    Attributes
    ----------
    units_left : (n_stockpoints,) int64
    capacity_left : (n_nodes,) int64
    assigned : (n_lines,) int64
        Node of every line so far, -1 for unfilled or not yet served.
    """

    def __init__(self, problem: SourcingProblem) -> None:
        self.problem = problem
        self.units_left = problem.stock_units.copy()
        self.capacity_left = problem.node_capacity.copy()
        self.assigned = np.full(problem.n_lines, -1, np.int64)
        self._batch = batch_of(problem)
        self._desk = desk_for(problem.n_nodes)
        self._package = np.empty(problem.n_nodes)
        self._package_cost = problem.package_cost.astype(np.float64)

    def serve(self, orders: np.ndarray, prices: StockPrices) -> None:
        """Serve orders in this sequence, each by its cheapest pattern under prices."""
        problem = self.problem
        if (len(prices.price), len(prices.toll)) != (len(problem.stock_node), problem.n_nodes):
            raise InputError(
                f"prices are for {len(prices.price)} stockpoints and {len(prices.toll)} nodes, "
                f"the orders meet {len(problem.stock_node)} and {problem.n_nodes}; "
                "learn them on the same stock"
            )
        serve_into(
            self.assigned,
            self.units_left,
            self.capacity_left,
            self._desk,
            self._package,
            self._package_cost,
            self._batch,
            np.require(orders, np.int64, ["C", "W"]),
            prices.price,
            prices.toll,
        )


def learn_prices(
    samples: SourcingProblem | Sequence[SourcingProblem],
    *,
    steps: int = 80,
    threads: int = 2,
    since: float = 0.0,
    left: Counter | None = None,
    before: StockPrices | None = None,
) -> StockPrices:
    """Learn prices from sampled orders: yesterday's, or drawn from a forecast.

    Parameters
    ----------
    samples : SourcingProblem, or several
        Orders in the sequence of their day, all for the same stock and nodes. Prices are
        the mean over samples.
    steps : int
        Moves of all prices for each sample.
    threads : int
    since : float
        Share of the day that is over: earlier orders of the samples do not take part.
    left : Counter, optional
        Whose stock and capacity is left; default: all of the samples' own.
    before : StockPrices, optional
        Prices to start from; fewer steps do then.

    Returns
    -------
    StockPrices

    Raises
    ------
    InputError
        If samples differ in their stockpoints, or a number makes no sense.
    """
    days = [samples] if isinstance(samples, SourcingProblem) else list(samples)
    if not days or steps < 1 or threads < 1 or not 0 <= since < 1:
        raise InputError("give samples, steps and threads >= 1, and since in 0..1 without 1")
    for day in days[1:]:
        for name in ("stock_offsets", "stock_node"):
            if not np.array_equal(getattr(day, name), getattr(days[0], name)):
                raise InputError(f"samples must have the same stockpoints; {name} differs")
    found = [_learnt(day, steps, threads, since, left, before) for day in days]
    return StockPrices(
        np.mean([one.price for one in found], axis=0), np.mean([one.toll for one in found], axis=0)
    )


def _learnt(
    day: SourcingProblem,
    steps: int,
    threads: int,
    since: float,
    left: Counter | None,
    before: StockPrices | None,
) -> StockPrices:
    market = Market(day, threads)
    try:
        orders = np.arange(int(since * day.n_orders), day.n_orders)
        orders = orders[np.diff(day.order_offsets)[orders] > 0]
        units = day.stock_units if left is None else left.units_left
        room = day.node_capacity if left is None else left.capacity_left
        if before is None:
            market.start()
        else:
            market.price, market.toll = before.price.copy(), before.toll.copy()
        market.open(orders, units, room)
        market.cool(_HOT if before is None else _RENEWED_HOT, _COLD, steps)
    finally:
        market.close()
    return StockPrices(market.price, market.toll)


def serve_in_turn(
    problem: SourcingProblem,
    prices: StockPrices | None = None,
    *,
    samples: Sequence[SourcingProblem] = (),
    renewals: int = 0,
    steps: int = 15,
    threads: int = 2,
) -> InTurn:
    """Serve orders in their sequence, each exactly, from what those before it left.

    Parameters
    ----------
    problem : SourcingProblem
    prices : StockPrices, optional
        Default: none. Then every order takes what is best for itself, first come, first
        served.
    samples : sequence of SourcingProblem
        Orders of other days, from which to learn prices anew.
    renewals : int
        How many times that is done, evenly over the orders.
    steps, threads : int
        For each renewal, see :func:`learn_prices`.

    Returns
    -------
    InTurn
        Each order's pattern is the cheapest there is under prices, except that orders of
        more than eight lines are planned in pieces, and that of two lines of one order that
        want the same last units the second takes what is then best.

    Raises
    ------
    InputError
        If prices are for other stock, or there are renewals without samples.

    Examples
    --------
    The second order cannot have the unit that is near, unless it costs the first one more:

    >>> problem = SourcingProblem.build(
    ...     package_cost=[[500, 900], [500, 500]], unit_cost=[[10, 10], [10, 10]], n_skus=1,
    ...     stock=([0, 1], [0, 0], [1, 5]), order_region=[1, 0], order_offsets=[0, 1, 2],
    ...     line_units=[1, 1], line_penalty=[2000, 2000],
    ...     part_offsets=[0, 1, 2], part_sku=[0, 0], part_units=[1, 1])
    >>> serve_in_turn(problem).cost, serve_in_turn(problem, StockPrices([300, 0], [0, 0])).cost
    (1420, 1020)
    """
    if renewals < 0 or (renewals and not samples):
        raise InputError(f"renewals must be >= 0 and need samples; got {renewals}")
    counter = Counter(problem)
    if prices is None:
        prices = StockPrices(np.zeros(len(problem.stock_node)), np.zeros(problem.n_nodes))
    seconds = 0.0
    for turn, orders in enumerate(np.array_split(np.arange(problem.n_orders), renewals + 1)):
        if turn:
            since = turn / (renewals + 1)
            prices = learn_prices(
                samples, steps=steps, threads=threads, since=since, left=counter, before=prices
            )
        started = time.thread_time()
        counter.serve(orders, prices)
        seconds += time.thread_time() - started
    assigned = counter.assigned
    must = problem.must_ship[problem.line_order]
    unshipped = np.unique(problem.line_order[must & (assigned < 0)])
    return InTurn(assigned, evaluate(problem, assigned).cost, unshipped, seconds)


@free_kernel
def lay_out_near(
    desk: Desk,
    batch: Batch,
    order: int,
    first: int,
    last: int,
    package: np.ndarray,
    left: np.ndarray,
    room: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
) -> None:
    """Put on the desk what each line costs alone, and the arcs that may be better shared.

    An arc that costs more without a package than the line alone with one never helps.
    """
    end = 0
    region = batch.order_region[order]
    group = batch.order_group[order]
    for line in range(first, last):
        i = line - first
        part = batch.part_offsets[line]
        kit = batch.part_offsets[line + 1] - part > 1
        sku = batch.part_sku[part]
        taken = batch.part_units[part]
        units = batch.line_units[line]
        weight = batch.line_weight[line]
        only = batch.line_node[line]
        own = float(batch.line_penalty[line])
        own_node = -1
        desk.arc_start[i] = end
        for point in range(batch.stock_offsets[sku], batch.stock_offsets[sku + 1]):
            node = batch.stock_node[point]
            if left[point] < taken:
                continue
            cost = weight * batch.unit_cost[region, node] + units * toll[node]
            cost += taken * (batch.stock_value[point] + price[point])
            if cost >= own or room[node] < units:
                continue
            if (only >= 0 and only != node) or not batch.allowed[group, node]:
                continue
            if kit:
                cost += other_parts_cost(batch, line, node, left, price)
                if cost >= own:
                    continue
            desk.arc_node[end] = node
            desk.arc_point[end] = point
            desk.arc_cost[end] = cost
            end += 1
            alone = package[node] + cost
            if alone < own:
                own = alone
                own_node = node
        desk.own[i] = own
        desk.own_node[i] = own_node
    desk.arc_start[last - first] = end


@free_kernel
def choose_into(
    chosen: np.ndarray,
    desk: Desk,
    batch: Batch,
    order: int,
    first: int,
    last: int,
    package: np.ndarray,
    left: np.ndarray,
    room: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
) -> None:
    """Fill ``chosen[first:last]`` with the cheapest pattern of at most ``MOST_LINES`` lines."""
    whole = batch.all_or_nothing[order] or batch.must_ship[order]
    if whole or batch.max_packages[order] < last - first:
        best_pattern(chosen, desk, batch, order, first, last, package, left, room, price, toll)
        return
    lay_out_near(desk, batch, order, first, last, package, left, room, price, toll)
    count = 0
    if last - first > 1:
        count = find_candidates(desk, last - first, package, 0.0)
    if count == 0:
        for line in range(first, last):
            chosen[line] = desk.own_node[line - first]
        return
    partition(desk, last - first, count, package)
    read_back(chosen, desk, first, last - first, count)


@free_kernel
def take(left: np.ndarray, room: np.ndarray, batch: Batch, line: int, node: int, sign: int) -> bool:
    """Take what a line needs at a node, or give it back with ``sign`` -1; False if it lacks."""
    if room[node] < sign * batch.line_units[line]:
        return False
    for c in range(batch.part_offsets[line], batch.part_offsets[line + 1]):
        if left[point_of(batch, batch.part_sku[c], node)] < sign * batch.part_units[c]:
            return False
    room[node] -= sign * batch.line_units[line]
    for c in range(batch.part_offsets[line], batch.part_offsets[line + 1]):
        left[point_of(batch, batch.part_sku[c], node)] -= sign * batch.part_units[c]
    return True


@free_kernel
def keeps_rules(assigned: np.ndarray, batch: Batch, order: int) -> bool:
    """Whether an order goes whole if it must, in as many packages as it may."""
    start = batch.order_offsets[order]
    packages = 0
    for line in range(start, batch.order_offsets[order + 1]):
        if assigned[line] < 0:
            if batch.all_or_nothing[order] or batch.must_ship[order]:
                return False
            continue
        new = True
        for before in range(start, line):
            new &= assigned[before] != assigned[line]
        packages += new
    return bool(packages <= batch.max_packages[order])


@free_kernel
def serve_into(
    assigned: np.ndarray,
    left: np.ndarray,
    room: np.ndarray,
    desk: Desk,
    package: np.ndarray,
    package_cost: np.ndarray,
    batch: Batch,
    orders: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
) -> None:
    """Fill ``assigned[l]`` for all lines of ``orders``, taking from ``left`` and ``room``.

    ``package`` is room for one number per node, ``package_cost`` the batch's in floats: to
    turn a row of them into floats for every order would take a twentieth of the time.
    """
    for at in range(orders.size):
        order = orders[at]
        region = batch.order_region[order]
        package[:] = package_cost[region]
        start = batch.order_offsets[order]
        stop = batch.order_offsets[order + 1]
        for first in range(start, stop, MOST_LINES):
            last = min(first + MOST_LINES, stop)
            choose_into(assigned, desk, batch, order, first, last, package, left, room, price, toll)
            for line in range(first, last):
                node = assigned[line]
                if node >= 0 and not take(left, room, batch, line, node, 1):
                    # A line before it took the same units; where packages are counted,
                    # going elsewhere might make one too many.
                    assigned[line] = -1
                    if batch.max_packages[order] >= stop - start:
                        choose_into(
                            assigned,
                            desk,
                            batch,
                            order,
                            line,
                            line + 1,
                            package,
                            left,
                            room,
                            price,
                            toll,
                        )
                    node = assigned[line]
                    if node >= 0:
                        take(left, room, batch, line, node, 1)
                if node >= 0:
                    package[node] = 0.0
        if stop - start > 1 and not keeps_rules(assigned, batch, order):
            for line in range(start, stop):
                if assigned[line] >= 0:
                    take(left, room, batch, line, assigned[line], -1)
                assigned[line] = -1
