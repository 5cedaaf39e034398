"""Channels: their shares of demand, their oversell buffers, and who gets scarce units.

Axes: s = SKU, c = channel, i = stockpoint, k = pool (nodes that reach the same channels).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnistock.planning.demand import DemandAhead, sum_upstream
from omnistock.planning.history import History
from omnistock.planning.inputs import Inputs
from omnistock.planning.network import FROM_SUPPLIER
from omnistock.planning.result import PlanSettings
from omnistock.planning.supply import Position, inbound_within

__all__ = [
    "ChannelAllocation",
    "allocate_channels",
    "channel_shares",
    "echelon_shares",
    "oversell_buffers",
]

# The weight of a sale of the last day.
_WHOLE = 2.0**20


def channel_shares(inputs: Inputs, history: History, half_life_days: float) -> np.ndarray:
    """Return each channel's share of each stockpoint's own demand, recent sales weighing more.

    Returns
    -------
    (n_stockpoints, n_channels) float64
        Rows sum to 1, or to 0 where the node serves no channel. A stockpoint that sold
        nothing takes the shares of its SKU at all nodes, else those of all SKUs.
    """
    n_channels = len(inputs.channels)
    stockpoints, sales = history.stockpoints, history.sales
    age = inputs.n_days - 1 - np.arange(inputs.n_days)
    # Whole weights add up exactly, so that the order of the rows cannot matter.
    of_day = np.rint(_WHOLE * 0.5 ** (age / half_life_days))
    weight = of_day[sales["day"]] * sales["units"]
    at = stockpoints.of(sales["sku"], sales["node"])
    sold = np.bincount(
        at * n_channels + sales["channel"], weights=weight, minlength=len(stockpoints) * n_channels
    ).reshape(-1, n_channels)
    of_sku = np.zeros((len(inputs.skus), n_channels))
    np.add.at(of_sku, stockpoints.sku, sold)

    serves = inputs.serves.T[stockpoints.node]
    ever = sales["units"].sum() > 0
    overall = sold.sum(axis=0) if ever else np.ones(n_channels)
    for fallback in (of_sku[stockpoints.sku] * serves, overall * serves, 1.0 * serves):
        empty = sold.sum(axis=1) <= 0
        sold[empty] = fallback[empty]
    shares: np.ndarray = sold / np.maximum(sold.sum(axis=1, keepdims=True), 1e-300)
    return shares


def echelon_shares(demand: DemandAhead, shares: np.ndarray) -> np.ndarray:
    """(n_stockpoints, n_channels) float64: shares of the demand there and at all supplied."""
    rate = demand.per_day[:, None] * shares
    source = demand.stockpoints.source
    summed = np.stack([sum_upstream(column, source) for column in rate.T], axis=1)
    total = summed.sum(axis=1, keepdims=True)
    return np.where(total > 0, summed / np.maximum(total, 1e-300), shares)


def oversell_buffers(
    inputs: Inputs, demand: DemandAhead, shares: np.ndarray, settings: PlanSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Return units to hold back from each channel because it hears late of other sales.

    Returns
    -------
    buffer : (n_skus, n_channels) int64
        Smallest units; 0 for channels without latency.
    others_per_day : (n_skus, n_channels) float64
        What other channels sell per day from nodes that serve the channel.
    """
    from omnistock.buffers import oversell_buffer

    stockpoints = demand.stockpoints
    n_skus, n_channels = len(inputs.skus), len(inputs.channels)
    buffer = np.zeros((n_skus, n_channels), np.int64)
    others = np.zeros((n_skus, n_channels))
    for c in np.flatnonzero(inputs.latency_seconds > 0):
        elsewhere = demand.per_day * (1.0 - shares[:, c]) * inputs.serves[c, stockpoints.node]
        rate = np.bincount(stockpoints.sku, weights=elsewhere, minlength=n_skus)
        others[:, c] = rate
        # Weighed goods sell in portions, so the blind window counts selling units.
        found = oversell_buffer(
            rate / inputs.unit_scale,
            latency_seconds=float(inputs.latency_seconds[c]),
            risk=settings.oversell_risk,
        )
        buffer[:, c] = np.asarray(found, np.int64) * inputs.unit_scale
    return buffer, others


@dataclass(frozen=True)
class ChannelAllocation:
    """Who gets the units of each SKU until new goods can arrive.

    Attributes
    ----------
    horizon_days : (n_skus,) int64
        Days until goods ordered now are there.
    supply : (n_skus,) int64
        Free stock and receipts due within those days.
    requested, granted, protection : (n_skus, n_channels) int64
        Expected demand, what the channel gets of supply, and what of free stock is kept
        for it. ``protection`` is 0 for channels that get less than they asked for.
    """

    horizon_days: np.ndarray
    supply: np.ndarray
    requested: np.ndarray
    granted: np.ndarray
    protection: np.ndarray

    @property
    def scarce(self) -> np.ndarray:
        """(n_skus,) bool: whether any channel gets less than it asks for."""
        return np.asarray((self.granted < self.requested).any(axis=1))


def allocate_channels(
    inputs: Inputs, demand: DemandAhead, shares: np.ndarray, position: Position
) -> ChannelAllocation:
    """Share supply among channels by tier and weight, each within the nodes that reach it.

    A node's stock reaches the channels that it serves and those served by nodes it
    supplies. Pools that reach fewest channels are shared out first, so that stock which
    only one channel can use is not left over while another channel's is taken.
    """
    stockpoints = demand.stockpoints
    days = _horizon_days(inputs, demand)
    due = inbound_within(inputs, stockpoints, days[stockpoints.sku].astype(np.float64))
    pool, reach = _pools(inputs)
    n_pools = len(reach)
    place = stockpoints.sku * n_pools + pool[stockpoints.node]
    n_places = len(inputs.skus) * n_pools

    def by_pool(units: np.ndarray) -> np.ndarray:
        sums = np.bincount(place, weights=units, minlength=n_places)
        return np.rint(sums).astype(np.int64).reshape(-1, n_pools)

    now, later = by_pool(position.free), by_pool(position.free + due)
    requested = _requests(inputs, demand, shares, days)
    granted = _fill_pools(inputs, later, requested, reach)
    kept = _fill_pools(inputs, now, granted, reach)
    return ChannelAllocation(
        horizon_days=days,
        supply=later.sum(axis=1),
        requested=requested,
        granted=granted,
        protection=np.where(granted >= requested, kept, 0),
    )


def _horizon_days(inputs: Inputs, demand: DemandAhead) -> np.ndarray:
    """(n_skus,) int64: days until an order placed now arrives, by demand over supplier lanes."""
    stockpoints = demand.stockpoints
    n_skus, horizon = len(inputs.skus), demand.horizon_days
    outer = inputs.lanes.source[stockpoints.node] == FROM_SUPPLIER
    weight = np.maximum(demand.echelon_per_day(), 1e-9) * outer
    days = inputs.lanes.protection_days[stockpoints.node]
    total = np.bincount(stockpoints.sku, weights=weight, minlength=n_skus)
    mean = np.bincount(stockpoints.sku, weights=weight * days, minlength=n_skus)
    average = np.where(total > 0, mean / np.maximum(total, 1e-300), horizon)
    # A mean of equal lanes must not be rounded up for its last binary digit.
    return np.clip(np.ceil(average - 1e-9), 1, horizon).astype(np.int64)


def _pools(inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    """Return each node's pool, and which channels each pool reaches, fewest channels first."""
    reach = inputs.serves.T.copy()
    source = inputs.lanes.source
    for node in np.argsort(-inputs.lanes.level, kind="stable"):
        if source[node] >= 0:
            reach[source[node]] |= reach[node]
    kinds, pool = np.unique(reach, axis=0, return_inverse=True)
    order = np.argsort(kinds.sum(axis=1), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank[pool.reshape(-1)], kinds[order]


def _requests(
    inputs: Inputs, demand: DemandAhead, shares: np.ndarray, days: np.ndarray
) -> np.ndarray:
    """(n_skus, n_channels) int64: expected demand until supply, whole units that add up.

    The SKU's total is rounded, then split by largest remainder.
    """
    stockpoints = demand.stockpoints
    running = np.cumsum(demand.mean, axis=1)
    until = running[np.arange(len(stockpoints)), days[stockpoints.sku] - 1]
    expected = np.zeros((len(inputs.skus), len(inputs.channels)))
    np.add.at(expected, stockpoints.sku, until[:, None] * shares)
    return split_whole(expected)


def split_whole(expected: np.ndarray) -> np.ndarray:
    """Round rows to whole numbers that sum to the rounded row sum, by largest remainder.

    Examples
    --------
    >>> split_whole(np.array([[0.4, 0.4, 0.3], [2.6, 1.4, 0.0]]))
    array([[1, 0, 0],
           [3, 1, 0]])
    """
    base = np.floor(expected).astype(np.int64)
    total = np.rint(expected.sum(axis=1)).astype(np.int64)
    remainder = expected - base
    rank = np.argsort(np.argsort(-remainder, axis=1, kind="stable"), axis=1, kind="stable")
    left = np.maximum(total - base.sum(axis=1), 0)
    split: np.ndarray = base + (rank < left[:, None])
    return split


def _fill_pools(
    inputs: Inputs, supply: np.ndarray, requested: np.ndarray, reach: np.ndarray
) -> np.ndarray:
    """Share out each pool in turn among the channels that it reaches and that still ask.

    Within a tier every channel gets the same share of what it asks, times its weight.
    """
    from omnistock.allocation import water_fill

    granted = np.zeros_like(requested)
    for k in range(len(reach)):
        open_claims = np.where(reach[k], requested - granted, 0)
        rows = np.flatnonzero((supply[:, k] > 0) & (open_claims.sum(axis=1) > 0))
        if len(rows):
            filled = water_fill(
                supply[rows, k],
                open_claims[rows],
                weight=inputs.weight,
                tier=inputs.tier,
                rule="fill_rate",
            )
            granted[rows] += filled.granted
    return granted
