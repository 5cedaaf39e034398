"""Forecasts as arrays: the batch kernel, checked in and named out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from omnistock.forecasting.batch import (
    FACT_MEAN,
    FACT_NOISE,
    FACTS,
    forecast_into,
)
from omnistock.forecasting.members import member_table
from omnistock.forecasting.panel import MOST_UNITS, Panel
from omnistock.forecasting.reasons import ALL_STOCKED_OUT, EMPTY
from omnistock.forecasting.seasonality import pooled_indices

__all__ = ["ForecastArrays", "fill_unknown_levels", "run_batch"]

# Whole units that vary less than this share of their mean are no Poisson demand: from ten
# units on a continuous distribution says it better. From a thousand on no unit counts.
_STEADY = 0.8
_SOME_UNITS = 10.0
_MANY_UNITS = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class ForecastArrays:
    """The forecast of n series over h steps.

    Attributes
    ----------
    mean, variance : (n, h) float64
        Demand per step.
    cumulative : (n, h) float64
        Variance of the sum of the first 1, 2, ... h steps. It is more than the sum of the
        variances, because all steps share one uncertain level.
    counts : (n,) bool
        Whether demand comes in whole units and varies as such.
    reason : (n,) int8
        Codes of ``REASONS``.
    season : (n, m) float64
        Seasonal factors by position in the season.
    facts : (n, 10) float64
        What the kernel knows of each series, see ``batch``.
    family_mean : (n, 0 or 3, h) float64
        Season-free means of the families alone, where asked for.
    """

    mean: np.ndarray
    variance: np.ndarray
    cumulative: np.ndarray
    counts: np.ndarray
    reason: np.ndarray
    season: np.ndarray
    facts: np.ndarray
    family_mean: np.ndarray


def run_batch(
    panel: Panel,
    horizon: int,
    season_length: int,
    *,
    whole: np.ndarray,
    family_weight: np.ndarray,
    dispersion: np.ndarray,
    families: bool = False,
    season: np.ndarray | None = None,
) -> ForecastArrays:
    """Forecast every series; variances as the model has them, not yet calibrated."""
    n_series = len(panel)
    if season is None:
        season = pooled_indices(
            panel.demand(),
            panel.stocked,
            panel.offsets,
            season_length=season_length,
            phases=panel.phases,
        )
    mean, variance, cumulative = (np.zeros((n_series, horizon)) for _ in range(3))
    facts = np.zeros((n_series, FACTS))
    reason = np.zeros(n_series, dtype=np.int8)
    family_mean = np.zeros((n_series, 3 if families else 0, horizon))
    forecast_into(
        mean,
        variance,
        cumulative,
        family_mean,
        facts,
        reason,
        panel.values,
        panel.stocked,
        panel.offsets,
        panel.phases,
        season,
        member_table(),
        family_weight,
        dispersion,
    )
    # A few minutes of stock or a steep trend must not promise more than can be counted.
    np.minimum(mean, MOST_UNITS, out=mean)
    level = facts[:, FACT_MEAN]
    steady = (facts[:, FACT_NOISE] < _STEADY * level) & (level >= _SOME_UNITS)
    counts = whole & ~steady & (level < _MANY_UNITS)
    return ForecastArrays(mean, variance, cumulative, counts, reason, season, facts, family_mean)


def fill_unknown_levels(
    arrays: ForecastArrays, dispersion: np.ndarray, next_phases: np.ndarray
) -> ForecastArrays:
    """Give series without any observation the median level of the others.

    It is as uncertain as the others differ: their quartiles lie 1.35 standard deviations
    apart. A level below the sales that were seen is raised.
    """
    unknown = np.flatnonzero((arrays.reason == EMPTY) | (arrays.reason == ALL_STOCKED_OUT))
    if not len(unknown):
        return arrays
    known = np.delete(arrays.facts[:, FACT_MEAN], unknown)
    low, median, high = np.quantile(known, [0.25, 0.5, 0.75]) if len(known) else np.zeros(3)
    # The kernel left the largest sale seen as the mean.
    level = np.maximum(arrays.mean[unknown, :1], median)
    horizon, n_season = arrays.mean.shape[1], arrays.season.shape[1]
    factor = arrays.season[
        unknown[:, None], (next_phases[unknown, None] + np.arange(horizon)) % n_season
    ]
    # Twice the level is as unsure as it gets: more says nothing more about a mean.
    spread = np.minimum((high - low) / 1.35, 2.0 * level)
    noise = dispersion[0] * level ** dispersion[1]
    filled = {name: getattr(arrays, name).copy() for name in ("mean", "variance", "cumulative")}
    filled["mean"][unknown] = level * factor
    filled["variance"][unknown] = noise * factor + (spread * factor) ** 2
    filled["cumulative"][unknown] = np.cumsum(noise * factor, axis=1) + (
        np.cumsum(spread * factor, axis=1) ** 2
    )
    return replace(arrays, **filled)
