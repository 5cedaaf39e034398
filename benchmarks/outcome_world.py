"""Four weeks of a retailer: centres and stores, walk-ins, online orders, what was forecast.

Axes: s = SKU, p = place of the SKU's stock (its nodes in ascending order), r = region,
n = node, w = week, t = tick (a quarter of a day), o = order, l = line of one unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["DAYS", "GOODWILL", "TICKS", "WEEKS", "Size", "World", "places_of", "world_of"]

DAYS, WEEKS, TICKS = 28, 4, 4  # TICKS a day
GOODWILL = 300  # cents that an unfilled order line costs beside its margin
SUPPLY_SHARE = 0.92  # of what is forecast arrives, every Monday
SKU_ERROR, STORE_ERROR = 0.25, 0.2  # standard deviations of the logarithm of forecasts
DAY_NOISE = 0.3  # the same for a SKU's demand from day to day, which nobody can forecast
UPLIFT = (1.5, 3.0)  # of a promotion; the forecast takes the middle
N_CENTRES, N_STORES, N_REGIONS = 6, 24, 12
CENTRES_PER_SKU, STORES_PER_SKU = 3, 10
ORDER_SIZES = np.array([0.5, 0.25, 0.13, 0.08, 0.04])


@dataclass(frozen=True)
class Size:
    """How many SKUs, and on average orders and walk-in units a day."""

    skus: int = 60
    orders: int = 150
    walk_ins: int = 200


@dataclass(frozen=True)
class World:
    """What happens, and what was known before.

    Attributes
    ----------
    problem : SourcingProblem
        All orders of the four weeks; its stockpoint ``s * P + p`` is ``node[s, p]``, with all
        receipts of the four weeks as stock.
    node : (n_skus, P) int64
    receipts : (WEEKS, n_skus, P) int64
        Units that arrive on the first tick of a week.
    walk_ins : (n_ticks, n_skus, P) int64
        Units that are asked for in stores, 0 at centres.
    order_tick : (n_orders,) int64
        Ascending.
    walk_in_margin : (n_skus,) int64
        Cents.
    forecast_online : (DAYS, n_skus, n_regions) float64
        Lines expected before the first day.
    forecast_walk_ins : (DAYS, n_skus, P) float64
    distance : (n_regions, n_nodes) float64
    """

    problem: SourcingProblem
    node: np.ndarray
    receipts: np.ndarray
    walk_ins: np.ndarray
    order_tick: np.ndarray
    walk_in_margin: np.ndarray
    forecast_online: np.ndarray
    forecast_walk_ins: np.ndarray
    distance: np.ndarray


def world_of(seed: int, size: Size = Size()) -> World:
    """Draw a world; the same seed and size give the same one."""
    rng = np.random.default_rng(seed)
    n_skus = size.skus
    distance, package_cost, unit_cost = _network(rng)
    node = np.sort(
        np.concatenate(
            [
                rng.permuted(np.tile(np.arange(N_CENTRES), (n_skus, 1)), axis=1)[
                    :, :CENTRES_PER_SKU
                ],
                rng.permuted(np.tile(np.arange(N_STORES), (n_skus, 1)), axis=1)[:, :STORES_PER_SKU]
                + N_CENTRES,
            ],
            axis=1,
        ),
        axis=1,
    )
    share = rng.permutation(np.arange(1, n_skus + 1) ** -0.7)
    share /= share.sum()
    region_share = rng.dirichlet(np.full(N_REGIONS, 5.0))
    uplift, uplift_forecast = _promotions(n_skus, rng)
    lines_a_day = size.orders * float(ORDER_SIZES @ np.arange(1, len(ORDER_SIZES) + 1))
    in_store = rng.lognormal(0.0, 0.5, node.shape) * (node >= N_CENTRES)
    in_store *= size.walk_ins * (share / in_store.sum(axis=1))[:, None]
    error = rng.lognormal(-(SKU_ERROR**2) / 2, SKU_ERROR, n_skus)
    store_error = rng.lognormal(-(STORE_ERROR**2) / 2, STORE_ERROR, node.shape)
    forecast_online = (uplift_forecast * share * error * lines_a_day)[:, :, None] * region_share
    forecast_walk_ins = uplift_forecast[:, :, None] * in_store * error[:, None] * store_error
    receipts = _receipts(forecast_online.sum(axis=2), forecast_walk_ins, node, rng)
    noise = rng.lognormal(-(DAY_NOISE**2) / 2, DAY_NOISE, (DAYS, n_skus)) * uplift
    rate = np.repeat(noise, TICKS, axis=0)[:, :, None] * in_store / TICKS
    order_tick, region, offsets, sku = _orders(noise * share, region_share, size.orders, rng)
    price = np.exp(rng.normal(8.1, 0.4, n_skus))
    margin = (0.45 * price).astype(np.int64)
    points = np.broadcast_to(np.arange(n_skus)[:, None], node.shape)
    ones = np.ones(len(sku), np.int64)
    problem = SourcingProblem.build(
        package_cost=package_cost,
        unit_cost=unit_cost,
        stock=(node.ravel(), points.ravel(), receipts.sum(axis=0).ravel()),
        n_skus=n_skus,
        order_region=region,
        order_offsets=offsets,
        line_units=ones,
        line_weight=rng.choice([1, 2, 4], n_skus, p=[0.6, 0.3, 0.1])[sku],
        line_penalty=margin[sku] + GOODWILL,
        part_offsets=np.arange(len(sku) + 1),
        part_sku=sku,
        part_units=ones,
    )
    return World(
        problem=problem,
        node=node,
        receipts=receipts,
        walk_ins=rng.poisson(rate),
        order_tick=order_tick,
        walk_in_margin=margin,
        forecast_online=forecast_online,
        forecast_walk_ins=forecast_walk_ins,
        distance=distance,
    )


def places_of(world: World) -> np.ndarray:
    """Stockpoint of every SKU and node, (n_skus, n_nodes) int64, -1 for none."""
    place = np.full((len(world.node), world.problem.n_nodes), -1)
    numbers = np.arange(world.node.size).reshape(world.node.shape)
    np.put_along_axis(place, world.node, numbers, axis=1)
    return place


def _network(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance, cents for a package and for a unit of weight; (n_regions, n_nodes) each."""
    region = rng.random((N_REGIONS, 2))
    town = np.arange(N_STORES) % N_REGIONS
    store = region[town] + rng.normal(0, 0.05, (N_STORES, 2))
    node = np.concatenate([rng.random((N_CENTRES, 2)), store])
    distance = np.linalg.norm(region[:, None] - node, axis=2)
    is_store = np.arange(len(node)) >= N_CENTRES
    package = 350 + 400 * distance + 100 * is_store
    unit = 50 + 100 * distance + 50 * is_store
    return distance, np.rint(package).astype(np.int64), np.rint(unit).astype(np.int64)


def _promotions(n_skus: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What demand is multiplied by, in truth and in the forecast; (DAYS, n_skus) each."""
    promoted = rng.random((WEEKS, n_skus)) < 0.1
    truth = np.where(promoted, rng.uniform(*UPLIFT, (WEEKS, n_skus)), 1.0)
    forecast = np.where(promoted, np.mean(UPLIFT), 1.0)
    return np.repeat(truth, 7, axis=0), np.repeat(forecast, 7, axis=0)


def _receipts(
    online: np.ndarray, walk_ins: np.ndarray, node: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Stores get their walk-ins' forecast and a fifth more of it, centres the rest."""
    weekly = walk_ins.reshape(WEEKS, 7, *node.shape).sum(axis=1)
    total = SUPPLY_SHARE * (weekly.sum(axis=2) + online.reshape(WEEKS, 7, -1).sum(axis=1))
    stores = 1.2 * SUPPLY_SHARE * weekly
    centres = rng.dirichlet(np.full(CENTRES_PER_SKU, 4.0), node.shape[0])
    wanted = stores
    wanted[:, :, :CENTRES_PER_SKU] = (total - stores.sum(axis=2))[:, :, None] * centres
    return np.floor(np.maximum(wanted, 0) + rng.random(wanted.shape)).astype(np.int64)


def _orders(
    rate: np.ndarray, region_share: np.ndarray, orders: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tick and region of every order, offsets, and the SKU of every line; no SKU twice."""
    per_tick = rng.poisson(np.repeat(orders * rate.sum(axis=1), TICKS) / TICKS)
    tick = np.repeat(np.arange(DAYS * TICKS), per_tick)
    size = rng.choice(len(ORDER_SIZES), len(tick), p=ORDER_SIZES) + 1
    # The first so many of exponential clocks are a draw without replacement.
    clock = rng.exponential(size=(len(tick), rate.shape[1])) / rate[tick // TICKS]
    first = np.argsort(clock, axis=1)[:, : len(ORDER_SIZES)]
    sku = first[np.arange(len(ORDER_SIZES)) < size[:, None]]
    region = rng.choice(N_REGIONS, len(tick), p=region_share)
    return tick, region, np.concatenate([[0], np.cumsum(size)]), sku
