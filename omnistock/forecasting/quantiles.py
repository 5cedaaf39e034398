"""Quantiles of forecasts from their moments."""

from __future__ import annotations

import numpy as np

from omnistock.numerics.demand import DemandDistribution, quantile_into

__all__ = ["moment_quantiles"]


def moment_quantiles(
    mean: np.ndarray, variance: np.ndarray, counts: np.ndarray, levels: np.ndarray
) -> np.ndarray:
    """Return the quantiles of demands given by their moments.

    Unlike ``DemandDistribution.quantile`` a tie in the last digits is not settled in exact
    arithmetic: the moments are estimates, and settling costs seconds at many units.

    Parameters
    ----------
    mean, variance : (n,) float64
    counts : (n,) bool
    levels : (k,) float64
        Probabilities in (0, 1).

    Returns
    -------
    (n, k) float64

    Examples
    --------
    >>> moment_quantiles(np.array([6.0]), np.array([6.0]), np.array([True]), np.array([0.95]))
    array([[10.]])
    """
    demand = DemandDistribution.from_moments(mean, variance, counts=counts)
    found = np.empty((len(demand), len(levels)))
    lower = np.ascontiguousarray(levels, dtype=np.float64)[None, :]
    quantile_into(
        found,
        np.empty_like(found),
        demand.family,
        demand.mean,
        demand.variance,
        lower,
        1.0 - lower,
    )
    return found
