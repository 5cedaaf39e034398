"""Seasonal indices: each series' own, shrunk towards those of all series.

Axes: i = series, t = period, k = position in the season. Indices are factors with mean 1.
"""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import kernel

__all__ = ["own_indices_into", "pooled_indices"]

# Prior weight of the pooled spread, in positions of the season.
_POOL_WEIGHT = 4.0
# A series' own spread counts as far as it exceeds noise by so many standard deviations.
_DOUBT = 1.5
# The centred mean takes part of the noise with it; the fewer cycles the more.
_FEW_CYCLES = 2.0


@kernel
def centred_mean_into(centre, values, weight, n_season):
    """Fill the mean over one season around each period, -1 where too little was observed."""
    n_periods = values.size
    half = n_season // 2
    sums = np.zeros(n_periods + 1)
    weights = np.zeros(n_periods + 1)
    for t in range(n_periods):
        sums[t + 1] = sums[t] + weight[t] * values[t]
        weights[t + 1] = weights[t] + weight[t]
    for t in range(n_periods):
        low = t - half
        high = t + half + 1
        centre[t] = -1.0
        if low < 0 or high > n_periods:
            continue
        total = sums[high] - sums[low]
        observed = weights[high] - weights[low]
        if n_season % 2 == 0:
            # An even season has no middle: its ends count half.
            total -= 0.5 * (weight[low] * values[low] + weight[high - 1] * values[high - 1])
            observed -= 0.5 * (weight[low] + weight[high - 1])
        if observed > 0.25 * n_season:
            centre[t] = total / observed


@kernel
def own_indices(index, values, weight, phase):
    """Fill the ratio-to-centred-mean indices of one series; return their mean sampling variance.

    ``values`` are demand per fully observed period. Returns -1 if two full seasons were not
    seen or nothing was sold.
    """
    n_season = index.size
    n_periods = values.size
    index[:] = 1.0
    if n_periods < 2 * n_season:
        return -1.0
    centre = np.empty(n_periods)
    centred_mean_into(centre, values, weight, n_season)
    sold = np.zeros(n_season)
    expected = np.zeros(n_season)
    observed = np.zeros(n_season)
    for t in range(n_periods):
        if centre[t] >= 0.0:
            k = (phase + t) % n_season
            sold[k] += weight[t] * values[t]
            expected[k] += weight[t] * centre[t]
            observed[k] += weight[t]
    for k in range(n_season):
        if expected[k] <= 0.0:
            return -1.0
        index[k] = sold[k] / expected[k]
    residual = 0.0
    selling = 0.0
    for t in range(n_periods):
        if centre[t] >= 0.0:
            selling += weight[t] * (values[t] > 0.0)
            residual += weight[t] * (values[t] - centre[t] * index[(phase + t) % n_season]) ** 2
    total = index.sum()
    if total <= 0.0:
        index[:] = 1.0
        return -1.0
    freedom = max(observed.sum() - n_season, 1.0)
    noise = residual / freedom * (1.0 + _FEW_CYCLES * n_season / freedom)
    variance = 0.0
    for k in range(n_season):
        variance += noise * observed[k] / (expected[k] * expected[k])
        index[k] *= n_season / total
    variance *= n_season / (total * total)
    # When a slow mover sells is a draw of its own, which few sales fit too well to show.
    share = selling / observed.sum()
    return max(variance, (1.0 - share) * n_season / selling)


@kernel
def own_indices_into(index, variance, values, weight, offsets, phases):
    """Fill ``index[i, k]`` and the sampling variance ``variance[i]`` (-1: none)."""
    for i in range(variance.size):
        low = offsets[i]
        high = offsets[i + 1]
        variance[i] = own_indices(index[i], values[low:high], weight[low:high], phases[i])


def pooled_indices(
    values: np.ndarray,
    weight: np.ndarray,
    offsets: np.ndarray,
    *,
    season_length: int,
    phases: np.ndarray,
) -> np.ndarray:
    """Seasonal indices by empirical Bayes: noisy ones lean on those of all series.

    A series' own index is kept by the share tau^2 / (tau^2 + v), with v its sampling variance
    and tau^2 the true spread around the pool, estimated from the series itself and from all
    of them (DerSimonian & Laird 1986). A series with less than two seasons takes the pool's.

    Parameters
    ----------
    values, weight : (total,) float64
        Demand per fully observed period, and how much of the period was observed.
    offsets : (n + 1,) int64
    season_length : int
        Periods per season; 1 for none.
    phases : (n,) int64
        Position in the season of each series' first period.

    Returns
    -------
    (n, season_length) float64
        Factors with mean 1, never negative.

    Examples
    --------
    >>> week = np.array([0.5, 0.5, 0.5, 0.5, 1.0, 2.0, 2.0])
    >>> index = pooled_indices(np.tile(7 * week, 8), np.ones(56), np.array([0, 56]),
    ...                        season_length=7, phases=np.array([0]))
    >>> index.round(2)
    array([[0.5, 0.5, 0.5, 0.5, 1. , 2. , 2. ]])
    """
    n_series = len(offsets) - 1
    index = np.ones((n_series, season_length))
    variance = np.full(n_series, -1.0)
    if season_length > 1:
        own_indices_into(index, variance, values, weight, offsets, phases)
    own = variance >= 0.0
    if not own.any():
        return np.ones((n_series, season_length))
    pool, shrunk = _shrink(index[own], np.maximum(variance[own], 1e-9))
    index[:] = pool
    index[own] = shrunk
    np.maximum(index, 0.0, out=index)
    shrunken: np.ndarray = index * (season_length / index.sum(axis=1, keepdims=True))
    return shrunken


def _shrink(own: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pooled indices and each series' own, shrunk towards them."""
    n_season = own.shape[1]
    spread = float(np.median(variance))
    for _ in range(12):
        precision = 1.0 / (variance + spread)
        pool = precision @ own / precision.sum()
        distance = ((own - pool) ** 2).sum(axis=1) / (n_season - 1)
        spread = float((precision**2 @ (distance - variance)) / (precision**2).sum())
        spread = max(spread, 0.0)
    strength = ((pool - 1.0) ** 2).mean()
    noise = 1.0 / precision.sum()
    pool = 1.0 + max(0.0, 1.0 - noise / max(strength, 1e-300)) * (pool - 1.0)
    doubt = 1.0 + _DOUBT * np.sqrt(2.0 / (n_season - 1))
    raw = np.maximum(distance - doubt * variance, 0.0)
    true = (_POOL_WEIGHT * spread + (n_season - 1) * raw) / (_POOL_WEIGHT + n_season - 1)
    keep = true / (true + variance)
    return pool, pool + keep[:, None] * (own - pool)
