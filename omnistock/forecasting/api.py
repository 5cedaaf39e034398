"""``om.forecast``: a table of sales in, distributions of demand out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from omnistock.errors import InputError
from omnistock.forecasting.forecaster import forecast_panel
from omnistock.forecasting.history import read_history
from omnistock.forecasting.result import Forecast

__all__ = ["LEVELS", "forecast"]

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def forecast(
    history: Any,
    horizon: int = 28,
    *,
    frequency: str = "D",
    season_length: int | None = None,
    missing: str = "raise",
    stockouts: Any = None,
    levels: Sequence[float] = LEVELS,
    progress: Callable[[int, int, str], None] | None = None,
) -> Forecast:
    """Forecast the demand of many series from one long table of sales.

    Each series is the average of exponential-smoothing models: simple smoothing, theta and
    damped trend for fast movers, simple smoothing at many gains for slow ones. Seasonal
    factors and noise lean on all series where one says little; variances are calibrated on
    holdouts inside the history. Odd series get a defined fallback and a reason.

    Parameters
    ----------
    history : pandas, polars or pyarrow frame, dict of columns, or path
        One row per series and period: ``unique_id`` or any of ``sku``, ``node``, ``channel``;
        ``date`` (or ``ds``); ``quantity`` (or ``y``) in units >= 0; optional
        ``stockout_share``, the share 0..1 of the period without stock.
    horizon : int
        Periods to forecast.
    frequency : {"D", "W", "M", "Q", "Y", "H", "step"}
        Length of a period. Hours take times, "step" takes whole numbers.
    season_length : int, optional
        Periods per season; default 7 for days, 52 weeks, 12 months, 4 quarters, 24 hours.
    missing : {"raise", "zero"}
        What a missing row means: a mistake, or that nothing was sold. With "zero" a series
        begins with its first row and lasts until the last period of the table.
    stockouts : frame or path, optional
        Days without stock: ``date, sku, node`` and optional ``share`` of the day.
    levels : sequence of float
        Quantile levels of tables and pictures.
    progress : callable, optional
        Called with (done, total, phase).

    Returns
    -------
    Forecast

    Raises
    ------
    FrameError
        If the table has bad cells, or periods are missing and not said to be zero.
    InputError
        If an argument is wrong.

    Examples
    --------
    >>> import omnistock as om
    >>> history = {"sku": ["TEE-M"] * 4, "quantity": [3, 5, 4, 4],
    ...            "date": ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]}
    >>> forecast = om.forecast(history, horizon=7)
    >>> forecast
    Forecast(n_series=1, horizon=7, frequency='D')
    >>> forecast.mean.sum(axis=1).round(1)
    array([28.])
    """
    asked = tuple(float(level) for level in levels)
    if not asked or not all(0.0 < level < 1.0 for level in asked):
        raise InputError(f"levels must lie strictly between 0 and 1, got {asked}")
    if isinstance(horizon, bool) or not isinstance(horizon, (int, np.integer)) or horizon < 1:
        raise InputError(f"horizon must be a whole number >= 1, got {horizon!r}")
    if season_length is not None and season_length < 1:
        raise InputError(f"season_length must be >= 1, got {season_length}")
    if progress:
        progress(0, 1, "read history")
    past = read_history(
        history,
        frequency=frequency,
        season_length=season_length,
        missing=missing,
        stockouts=stockouts,
    )
    arrays, learnt = forecast_panel(
        past.panel,
        horizon=int(horizon),
        season_length=season_length or past.frequency.season_length,
        progress=progress,
    )
    return Forecast(past, arrays, learnt, asked)
