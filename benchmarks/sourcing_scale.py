"""Orders that compete for stock in a network of 20 distribution centres and 500 stores."""

from __future__ import annotations

import numpy as np

from omnistock.sourcing.joint.problem import SourcingProblem

N_CENTRES, N_STORES, N_REGIONS = 20, 500, 200
# Cents for a unit of weight by distance zone; a store picks at higher cost.
ZONE_CENTS = np.array([60, 72, 85, 105, 130, 155, 180, 210])
STORE_CENTS = 70


def generate(
    lines: int, ratio: float, seed: int, *, single: bool = False, most_units: int = 3
) -> SourcingProblem:
    """Return a batch of about ``lines`` order lines for stock of ``ratio`` times the demand.

    40 % of the orders have 2 to 6 lines, none if ``single``; most lines ask for one unit and
    none for more than ``most_units``. SKUs sell by Zipf's law with exponent 0.9.
    """
    rng = np.random.default_rng(seed)
    home, package_cost, unit_cost = _network(rng)
    n_skus = max(50, lines // 20)
    share = np.arange(1, n_skus + 1) ** -0.9
    share = rng.permutation(share / share.sum())
    order_lines = _order_sizes(lines, single, rng)
    order_offsets = np.concatenate([[0], np.cumsum(order_lines)])
    sku = _wanted(share, np.repeat(np.arange(len(order_lines)), order_lines), rng)
    chance = np.array([0.85, *([0.15 / max(most_units - 1, 1)] * (most_units - 1))])
    units = rng.choice(most_units, lines, p=chance / chance.sum()) + 1
    weight = rng.choice([1, 2, 4], n_skus, p=[0.6, 0.3, 0.1])
    price = np.exp(rng.normal(8.2, 0.35, n_skus)).astype(np.int64)
    demand = units.mean() * lines
    return SourcingProblem.build(
        package_cost=package_cost,
        unit_cost=unit_cost,
        node_capacity=_capacity(demand, rng),
        stock=_stock(ratio * demand * share, rng),
        n_skus=n_skus,
        order_region=rng.choice(N_REGIONS, len(order_lines), p=home),
        order_offsets=order_offsets,
        line_units=units,
        line_weight=units * weight[sku],
        line_penalty=units * price[sku] + 1_000,
        part_offsets=np.arange(lines + 1),
        part_sku=sku,
        part_units=units,
    )


def _network(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of orders of each region, cost of a package and of a unit of weight."""
    region = rng.random((N_REGIONS, 2))
    home = np.arange(1, N_REGIONS + 1) ** -0.5
    home /= home.sum()
    centre = rng.random((N_CENTRES, 2))
    town = rng.choice(N_REGIONS, N_STORES, p=home)
    store = region[town] + rng.normal(0, 0.03, (N_STORES, 2))
    node = np.concatenate([centre, store])
    distance = np.linalg.norm(region[:, None] - node, axis=2)
    zone = np.minimum((distance * 9).astype(np.int64), len(ZONE_CENTS) - 1)
    is_store = np.arange(len(node)) >= N_CENTRES
    handling = np.where(is_store, rng.integers(500, 701, len(node)), rng.integers(480, 601))
    return home, handling + 90 * zone, ZONE_CENTS[zone] + STORE_CENTS * is_store


def _order_sizes(lines: int, single: bool, rng: np.random.Generator) -> np.ndarray:
    if single:
        return np.ones(lines, np.int64)
    size = rng.choice([1, 2, 3, 4, 5, 6], lines, p=[0.6, 0.2, 0.1, 0.05, 0.03, 0.02])
    total = np.cumsum(size)
    size = size[: np.searchsorted(total, lines) + 1]
    size[-1] -= total[len(size) - 1] - lines
    return size


def _wanted(share: np.ndarray, order: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """SKU of every line; a few draws make those of one order differ."""
    most = np.cumsum(share)
    sku = np.minimum(np.searchsorted(most, rng.random(len(order))), len(share) - 1)
    for _ in range(20):
        key = order * len(share) + sku
        by_key = np.argsort(key, kind="stable")
        again = by_key[1:][np.diff(key[by_key]) == 0]
        if not again.size:
            break
        sku[again] = rng.integers(0, len(share), again.size)
    return sku


def _stock(wanted: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Half at up to four centres a SKU, the rest at random stores; node, SKU, units."""
    n_skus = len(wanted)
    at_centres = np.floor(wanted / 2 + rng.random(n_skus)).astype(np.int64)
    at_stores = np.floor(wanted / 2 + rng.random(n_skus)).astype(np.int64)
    centres = rng.integers(0, N_CENTRES, (n_skus, 4))
    sku = np.repeat(np.arange(n_skus), at_centres)
    centre = centres[sku, rng.integers(0, 4, len(sku))]
    store_sku = np.repeat(np.arange(n_skus), at_stores)
    store = rng.integers(N_CENTRES, N_CENTRES + N_STORES, len(store_sku))
    node = np.concatenate([centre, store])
    return node, np.concatenate([sku, store_sku]), np.ones(len(node), np.int64)


def _capacity(demand: float, rng: np.random.Generator) -> np.ndarray:
    """Units a node may send: 1.3 times the demand in all, 60 % of it at centres."""
    size = rng.uniform(0.5, 1.5, N_CENTRES + N_STORES)
    size[:N_CENTRES] *= 0.6 / size[:N_CENTRES].sum()
    size[N_CENTRES:] *= 0.4 / size[N_CENTRES:].sum()
    return np.ceil(1.3 * demand * size).astype(np.int64)
