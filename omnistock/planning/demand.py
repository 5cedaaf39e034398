"""Demand ahead: the forecast of every stockpoint, promotions applied, summed up the network.

Axes: i = stockpoint, h = day ahead (0 = the morning planned for), s = SKU.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from omnistock.numerics.demand import DemandDistribution
from omnistock.planning.history import History, Stockpoints, always_promoted, promoted_days
from omnistock.planning.inputs import Inputs

__all__ = ["DemandAhead", "forecast_demand", "promotion_factors"]

Progress = Callable[[int, int, str], None] | None

WEEK = 7
# Days over which co-movement of nodes is measured; enough for a stable ratio.
_COMOVEMENT_DAYS = 182
# A learnt uplift counts as much as this many days of the average uplift.
_PRIOR_PROMOTION_DAYS = 14.0


@dataclass(frozen=True)
class DemandAhead:
    """The forecast with promotions applied, in smallest units.

    Attributes
    ----------
    stockpoints : Stockpoints
    horizon_days : int
        Days that the plan reports; the forecast reaches further where a lead time does.
    mean, variance : (n_stockpoints, n_days) float64
        Units per day at each stockpoint itself.
    cumulative : (n_stockpoints, n_days) float64
        Variance of the sum of the first 1, 2, ... days: more than the sum of the variances,
        because all days share one uncertain level.
    counts : (n_stockpoints,) bool
        Whether demand comes in whole units and varies as such.
    reasons : (n_stockpoints,) object
        What the forecast rests on.
    comovement : (n_stockpoints,) float64
        Variance of the summed demand of the nodes supplied over the sum of their variances.
    """

    stockpoints: Stockpoints
    horizon_days: int
    mean: np.ndarray
    variance: np.ndarray
    cumulative: np.ndarray
    counts: np.ndarray
    reasons: np.ndarray
    comovement: np.ndarray

    @property
    def per_day(self) -> np.ndarray:
        """(n_stockpoints,) float64: mean units per day over the horizon, without supplied nodes."""
        average: np.ndarray = self.mean[:, : self.horizon_days].mean(axis=1)
        return average

    def over(self, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of each stockpoint's own demand over its first ``days`` days.

        Parameters
        ----------
        days : (n_stockpoints,) float64
            Need not be whole.
        """
        return _at(np.cumsum(self.mean, axis=1), days), _at(self.cumulative, days)

    def echelon(
        self, lead_time_days: np.ndarray, std_days: np.ndarray, review_period_days: np.ndarray
    ) -> DemandDistribution:
        """Return demand at each stockpoint and all that it supplies, over *its own* lead time.

        Means add up. Variances add up times the co-movement measured in history, and an
        uncertain lead time of the supplying node hits all of its demand at once.

        Parameters
        ----------
        lead_time_days, std_days, review_period_days : (n_stockpoints,) float64
        """
        n = len(self.stockpoints)
        mean, variance = np.zeros(n), np.zeros(n)
        ancestor = np.arange(n)
        while (ancestor >= 0).any():
            has = ancestor >= 0
            lead = np.where(has, lead_time_days[ancestor], 0.0)
            review = np.where(has, review_period_days[ancestor], 0.0)
            own_mean, own_variance = self.over(lead + review)
            mean += np.bincount(ancestor[has], weights=own_mean[has], minlength=n)
            variance += np.bincount(ancestor[has], weights=own_variance[has], minlength=n)
            ancestor = np.where(has, self.stockpoints.source[ancestor], -1)
        days = np.maximum(lead_time_days + review_period_days, 1e-9)
        variance = variance * self.comovement + (mean / days * std_days) ** 2
        return DemandDistribution.from_moments(mean, variance, counts=self.counts)

    def echelon_per_day(self) -> np.ndarray:
        """(n_stockpoints,) float64: mean units per day there and at all that it supplies."""
        return sum_upstream(self.per_day, self.stockpoints.source)


def sum_upstream(values: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Add each stockpoint's value to itself and to every stockpoint upstream of it."""
    total = np.zeros(len(values))
    ancestor = np.arange(len(values))
    while (ancestor >= 0).any():
        has = ancestor >= 0
        total += np.bincount(ancestor[has], weights=values[has], minlength=len(values))
        ancestor = np.where(has, source[ancestor], -1)
    return total


def _at(running: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return running sums at a number of days that need not be whole."""
    padded = np.concatenate([np.zeros((len(running), 1)), running], axis=1)
    whole = np.minimum(days.astype(np.int64), running.shape[1])
    after = np.minimum(whole + 1, running.shape[1])
    rows = np.arange(len(running))
    below = padded[rows, whole]
    part: np.ndarray = below + (days - whole) * (padded[rows, after] - below)
    return part


def forecast_demand(
    inputs: Inputs, history: History, horizon_days: int, progress: Progress = None
) -> DemandAhead:
    """Forecast every stockpoint's own demand and apply planned promotions.

    Days without stock and promotion days do not count as normal demand; promotions to
    come multiply it by their uplift.
    """
    from omnistock.forecasting import forecast_series
    from omnistock.forecasting.reasons import REASON_TEXTS

    stockpoints = history.stockpoints
    n_days = max(horizon_days, math.ceil(inputs.lanes.protection_days.max(initial=0.0)))
    scale = inputs.unit_scale[stockpoints.sku].astype(np.float64)
    weekday = (inputs.first_day.astype(np.int64) + 3) % WEEK  # 1970-01-01 was a Thursday
    # In selling units, since the forecaster learns from all series what noise a level has.
    result = forecast_series(
        history.values / np.repeat(scale, np.diff(history.offsets)),
        history.offsets,
        horizon=n_days,
        season_length=WEEK,
        stockout_share=history.masked_share,
        first_phase=(weekday + history.first_day) % WEEK,
        whole=scale == 1,
        progress=progress,
    )
    factor = promotion_factors(inputs, history, n_days)[stockpoints.sku]
    plain = np.cumsum(result.mean, axis=1)
    lift = np.cumsum(result.mean * factor, axis=1) / np.maximum(plain, 1e-300)
    units = scale[:, None]
    texts = np.array([text.split(":")[0] for text in REASON_TEXTS], object)
    return DemandAhead(
        stockpoints=stockpoints,
        horizon_days=horizon_days,
        mean=result.mean * factor * units,
        variance=result.variance * (factor * units) ** 2,
        cumulative=result.cumulative * (np.where(plain > 0, lift, 1.0) * units) ** 2,
        counts=result.counts & (scale == 1),
        reasons=texts[result.reason],
        comovement=comovement(history),
    )


def promotion_factors(inputs: Inputs, history: History, horizon_days: int) -> np.ndarray:
    """(n_skus, horizon) float64: what planned promotions multiply each SKU's demand by.

    A promotion of one channel moves only that channel's share of the SKU, and one of a kit
    none of its components, which sell mostly by themselves. An uplift that
    the table leaves open is learnt: the SKU's sales on promotion days over those on other
    days, shrunk towards the same ratio over all SKUs.
    """
    rows = inputs.promotions
    factor = np.ones((len(inputs.skus), horizon_days))
    first, last = rows["first"] - inputs.n_days, rows["last"] - inputs.n_days
    ahead = np.flatnonzero((last >= 0) & (first < horizon_days))
    if not len(ahead):
        return factor
    learnt = _learnt_uplift(inputs, history)
    n_channels = len(inputs.channels)
    sold = np.bincount(
        history.sales["sku"] * n_channels + history.sales["channel"],
        weights=history.sales["units"],
        minlength=len(inputs.skus) * n_channels,
    ).reshape(-1, n_channels)
    share = sold / np.maximum(sold.sum(axis=1, keepdims=True), 1.0)
    for row in ahead:
        sku, channel = rows["sku"][row], rows["channel"][row]
        uplift = rows["uplift"][row]
        uplift = learnt[sku] if np.isnan(uplift) else uplift
        reach = share[sku, channel] if channel >= 0 else 1.0
        factor[sku, max(first[row], 0) : last[row] + 1] *= 1.0 + reach * (uplift - 1.0)
    factor[always_promoted(promoted_days(inputs))] = 1.0
    return factor


def _learnt_uplift(inputs: Inputs, history: History) -> np.ndarray:
    """(n_skus,) float64: sales per promotion day over sales per other day, shrunk."""
    promoted = promoted_days(inputs)
    n_days = inputs.n_days
    daily = np.bincount(
        history.sales["sku"] * n_days + history.sales["day"],
        weights=history.sales["units"],
        minlength=len(inputs.skus) * n_days,
    ).reshape(-1, n_days)
    on_days = promoted.sum(axis=1)
    on = (daily * promoted).sum(axis=1)
    usual = (daily * ~promoted).sum(axis=1) / np.maximum(n_days - on_days, 1)
    known = (on_days > 0) & (usual > 0)
    expected = (usual * on_days)[known].sum()
    overall = max(on[known].sum() / expected, 1.0) if expected > 0 else 1.0
    prior = _PRIOR_PROMOTION_DAYS * usual
    learnt = (on + overall * prior) / np.maximum(usual * on_days + prior, 1e-12)
    return np.where(usual > 0, np.maximum(learnt, 1.0), overall)


def comovement(history: History) -> np.ndarray:
    """(n_stockpoints,) float64: variance of the summed demand over the sum of variances.

    Measured on differences over a week, so that level and weekday do not count; 1 for
    stockpoints that supply no other, never below 1, shrunk towards 1 on short histories.
    """
    stockpoints = history.stockpoints
    n = len(stockpoints)
    ratio = np.ones(n)
    supplies = np.unique(stockpoints.source[stockpoints.source >= 0])
    if not len(supplies):
        return ratio
    change, n_known = weekly_changes(history)
    summed = change.copy()
    level = depth(stockpoints.source)
    for deep in range(int(level.max()), 0, -1):
        rows = np.flatnonzero(level == deep)
        np.add.at(summed, stockpoints.source[rows], summed[rows])
    separate = sum_upstream((change**2).mean(axis=1), stockpoints.source)
    together = (summed**2).mean(axis=1)
    known = supplies[separate[supplies] > 0]
    excess = np.maximum(together[known] / separate[known] - 1.0, 0.0)
    ratio[known] = 1.0 + excess * n_known / (n_known + 4.0 * WEEK)
    return ratio


def depth(source: np.ndarray) -> np.ndarray:
    """(n_stockpoints,) int64: how many stockpoints lie upstream."""
    steps = np.zeros(len(source), np.int64)
    ancestor = source.copy()
    while (ancestor >= 0).any():
        steps += ancestor >= 0
        ancestor = np.where(ancestor >= 0, source[ancestor], -1)
    return steps


def weekly_changes(history: History) -> tuple[np.ndarray, int]:
    """Return each series' change on the same weekday before, over the last days."""
    lengths = np.diff(history.offsets)
    n_days = int(min(_COMOVEMENT_DAYS, max(lengths.max() - WEEK, 1)))
    day = np.arange(n_days)
    change = np.zeros((len(lengths), n_days))
    back = history.offsets[1:, None] - 1 - day[None, :]
    known = back - WEEK >= history.offsets[:-1, None]
    now, before = back[known], back[known] - WEEK
    change[known] = history.values[now] - history.values[before]
    return change, n_days
