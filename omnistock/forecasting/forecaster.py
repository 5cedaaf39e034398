"""From ragged arrays to calibrated forecasts: learn from all series, then forecast each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np

from omnistock.errors import InputError
from omnistock.forecasting.arrays import ForecastArrays, fill_unknown_levels, run_batch
from omnistock.forecasting.calibration import Calibration, calibrate
from omnistock.forecasting.panel import Panel
from omnistock.forecasting.seasonality import pooled_indices

__all__ = ["forecast_panel", "forecast_series"]

_CHUNK = 2_000


def forecast_series(
    values: np.ndarray,
    offsets: np.ndarray,
    *,
    horizon: int,
    season_length: int = 1,
    stockout_share: np.ndarray | None = None,
    first_phase: np.ndarray | int | None = None,
    whole: np.ndarray | bool | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> ForecastArrays:
    """Forecast many series held as arrays.

    Parameters
    ----------
    values : (total,) float64
        Units sold per period, >= 0.
    offsets : (n + 1,) int64
        Series i is ``values[offsets[i]:offsets[i + 1]]``; series may be empty.
    horizon : int
        Steps to forecast.
    season_length : int
        Periods per season; 1 for none.
    stockout_share : (total,) float64, optional
        Share 0..1 of each period without stock. Sales of a period wholly without stock are
        left out; those of a part say what was asked for in the rest.
    first_phase : (n,) int64 or int, optional
        Position in the season of each series' first period; default 0.
    whole : (n,) bool or bool, optional
        Whether demand comes in whole units; default: where all values are whole.
    progress : callable, optional
        Called with (done, total, phase).

    Returns
    -------
    ForecastArrays
        Moments per step and of running sums; never NaN, whatever the series.

    Raises
    ------
    InputError
        If an array is malformed, or a value is negative, not finite or above 1e9.

    Examples
    --------
    >>> arrays = forecast_series(np.array([4.0, 6, 5, 5, 4, 6, 5, 5, 4, 6]), np.array([0, 10]),
    ...                          horizon=2)
    >>> arrays.mean.round(1)
    array([[5.1, 5.1]])
    """
    panel = Panel.build(values, offsets, stockout_share=stockout_share, first_phase=first_phase)
    arrays, _ = forecast_panel(
        panel, horizon=horizon, season_length=season_length, whole=whole, progress=progress
    )
    return arrays


def forecast_panel(
    panel: Panel,
    *,
    horizon: int,
    season_length: int,
    whole: np.ndarray | bool | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[ForecastArrays, Calibration]:
    """Forecast a checked panel; also return what was learnt over all series."""
    if horizon < 1 or season_length < 1:
        raise InputError(
            f"horizon and season_length must be >= 1, got {horizon} and {season_length}"
        )
    n_series = len(panel)
    is_whole = panel.whole() if whole is None else np.broadcast_to(whole, n_series).astype(bool)
    if progress:
        progress(0, n_series, "learn")
    learnt = calibrate(panel, horizon, season_length, whole=is_whole)
    season = pooled_indices(
        panel.demand(),
        panel.stocked,
        panel.offsets,
        season_length=season_length,
        phases=panel.phases,
    )
    parts = []
    for start in range(0, max(n_series, 1), _CHUNK):
        rows = slice(start, min(start + _CHUNK, n_series))
        parts.append(
            run_batch(
                panel.slice(rows),
                horizon,
                season_length,
                whole=is_whole[rows],
                family_weight=learnt.family_weight,
                dispersion=learnt.dispersion,
                season=season[rows],
            )
        )
        if progress:
            progress(rows.stop, n_series, "forecast")
    arrays = ForecastArrays(
        *(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(parts[0]))
    )
    arrays = learnt.apply(arrays)
    next_phases = panel.phases + panel.lengths
    return fill_unknown_levels(arrays, learnt.dispersion, next_phases), learnt
