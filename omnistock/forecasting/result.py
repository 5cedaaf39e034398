"""The forecast as users hold it: quantiles, lead-time demand, tables, reasons, a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.errors import InputError, UnknownError
from omnistock.forecasting.arrays import ForecastArrays
from omnistock.forecasting.calibration import Calibration
from omnistock.forecasting.explain import ForecastExplanation, explain_series
from omnistock.forecasting.history import History
from omnistock.forecasting.quantiles import moment_quantiles
from omnistock.frames import to_native
from omnistock.numerics.demand import DemandDistribution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Forecast"]


@dataclass(frozen=True, eq=False)
class Forecast:
    """Demand of n series over the next h periods, as distributions.

    Attributes
    ----------
    keys : dict of str to (n,) object array of str
        What names each series: unique_id, or sku, node, channel.
    mean, variance : (n, h) float64
        Units per period, and their variance.
    counts : (n,) bool
        Whether demand is modelled as a count (Poisson or negative binomial) or as gamma.
    reason : (n,) int8
        Why the series was forecast as it was; codes of ``forecasting.REASONS``.
    levels : tuple of float
        Quantile levels of tables and pictures.
    """

    history: History
    arrays: ForecastArrays
    calibration: Calibration
    levels: tuple[float, ...]

    @property
    def keys(self) -> dict[str, np.ndarray]:
        return self.history.keys

    @property
    def mean(self) -> np.ndarray:
        return self.arrays.mean

    @property
    def variance(self) -> np.ndarray:
        return self.arrays.variance

    @property
    def counts(self) -> np.ndarray:
        return self.arrays.counts

    @property
    def reason(self) -> np.ndarray:
        return self.arrays.reason

    @property
    def horizon(self) -> int:
        """Periods forecast."""
        return int(self.mean.shape[1])

    def __len__(self) -> int:
        return len(self.mean)

    def __repr__(self) -> str:
        grid = self.history.frequency.name
        return f"Forecast(n_series={len(self)}, horizon={self.horizon}, frequency={grid!r})"

    @cached_property
    def dates(self) -> np.ndarray:
        """(n, h) datetime64[D]: first day of each period.

        Hours are datetime64[s], numbered steps int64. Where all series end together the rows
        are one and the same row.
        """
        start = self.history.first + self.history.panel.lengths
        steps = np.arange(self.horizon)
        if len(start) and (start == start[0]).all():
            row = self.history.frequency.starts(start[0] + steps)
            return np.broadcast_to(row, self.mean.shape)
        return self.history.frequency.starts(start[:, None] + steps)

    def find(self, **keys: str) -> int:
        """Return the number of the one series with these keys.

        Raises
        ------
        UnknownError
            If there is none.
        InputError
            If a key is not one of the history's, or several series have them.
        """
        found = np.ones(len(self), dtype=bool)
        for name, value in keys.items():
            if name not in self.keys:
                raise InputError(f"series are named by {', '.join(self.keys)}, not by {name!r}")
            found &= self.keys[name] == value
        rows = np.flatnonzero(found)
        label = ", ".join(f"{name} {value}" for name, value in keys.items())
        if not len(rows):
            raise UnknownError("series", label)
        if len(rows) > 1:
            raise InputError(
                f"{len(rows)} series have {label}; give more of {', '.join(self.keys)}"
            )
        return int(rows[0])

    def quantiles(self, levels: Sequence[float] | None = None) -> np.ndarray:
        """Return the quantiles of demand per period.

        Parameters
        ----------
        levels : sequence of float, optional
            Probabilities in (0, 1); default :attr:`levels`.

        Returns
        -------
        (n, h, k) float64
            Smallest units with at least that probability of demand staying within; whole for
            counts, never negative, rising with the level.
        """
        asked = np.asarray(self.levels if levels is None else levels, dtype=np.float64)
        if asked.ndim != 1 or not ((asked > 0.0) & (asked < 1.0)).all():
            raise InputError(f"levels must lie strictly between 0 and 1, got {levels}")
        counts = np.repeat(self.counts, self.horizon)
        flat = moment_quantiles(self.mean.ravel(), self.variance.ravel(), counts, asked)
        return flat.reshape(*self.mean.shape, len(asked))

    def lead_time_demand(
        self,
        lead_time_days: ArrayLike,
        *,
        review_period_days: ArrayLike = 0,
        lead_time_std_days: ArrayLike = 0,
    ) -> DemandDistribution:
        """Return the distribution of demand over lead time and review period.

        The variance is that of the sum: all periods share one uncertain level, so it is more
        than the sum of the periods' variances. A random lead time adds its variance times the
        squared demand per day.

        Parameters
        ----------
        lead_time_days : float or (n,) float64
            Days from order to receipt, counted from the first period forecast. Numbered steps
            count as days.
        review_period_days : float or (n,) float64
            Days between reviews: an order must last until the next one has come.
        lead_time_std_days : float or (n,) float64
            Standard deviation of the lead time.

        Returns
        -------
        DemandDistribution
            n demands in units.

        Raises
        ------
        InputError
            If a number is negative or the interval is longer than the horizon.
        """
        days = []
        for name, value in (
            ("lead_time_days", lead_time_days),
            ("review_period_days", review_period_days),
            ("lead_time_std_days", lead_time_std_days),
        ):
            array = np.asarray(value, dtype=np.float64)
            if array.shape not in ((), (len(self),)):
                raise InputError(f"{name} must be a number or have shape ({len(self)},)")
            if not (np.isfinite(array) & (array >= 0)).all():
                raise InputError(f"{name} must be >= 0 and finite")
            days.append(np.broadcast_to(array, len(self)))
        per_period = self.history.frequency.days
        periods = (days[0] + days[1]) / per_period
        longest = float(periods.max(initial=0.0))
        if longest > self.horizon * (1.0 + 1e-12):
            needed = int(np.ceil(longest))
            raise InputError(
                f"lead time and review period take {longest:g} periods but the horizon is "
                f"{self.horizon}; forecast with horizon={needed}"
            )
        mean = _at(np.cumsum(self.mean, axis=1), periods)
        variance = _at(self.arrays.cumulative, periods)
        rate = np.divide(mean, periods, out=self.mean[:, 0].copy(), where=periods > 0.0)
        variance = variance + (rate * days[2] / per_period) ** 2
        return DemandDistribution.from_moments(mean, variance, counts=self.counts)

    def to_table(self, levels: Sequence[float] | None = None) -> Any:
        """Return one row per series and period, as the kind of frame that came in.

        Columns: the keys, ``date``, ``mean``, ``variance``, one ``q...`` per level in percent
        (``q95``), and ``reason``.
        """
        from omnistock.forecasting.reasons import REASONS

        asked = self.levels if levels is None else tuple(levels)
        columns: dict[str, Any] = {
            name: np.repeat(values, self.horizon) for name, values in self.keys.items()
        }
        columns["date"] = self.dates.ravel()
        columns["mean"] = self.mean.ravel()
        columns["variance"] = self.variance.ravel()
        quantiles = self.quantiles(asked)
        for k, level in enumerate(asked):
            columns[f"q{round(100 * level, 6):g}"] = quantiles[:, :, k].ravel()
        names = np.array(REASONS, dtype=object)
        columns["reason"] = np.repeat(names[self.reason], self.horizon)
        return to_native(columns, self.history.kind)

    def explain(self, i: int = 0, **keys: str) -> ForecastExplanation:
        """Say how series ``i`` (or the one with these keys) was forecast, and why."""
        return explain_series(
            self.history, self.arrays, self.calibration, self.find(**keys) if keys else i
        )

    def plot(self, i: int = 0, *, n_periods: int | None = None, **keys: str) -> Any:
        """Return an altair chart of a series' history, forecast and intervals.

        Parameters
        ----------
        i : int
            Number of the series; or name it by its keys.
        n_periods : int, optional
            Periods of history shown; default four horizons, at least 60.
        """
        from omnistock.forecasting.figures import forecast_chart

        return forecast_chart(self, self.find(**keys) if keys else i, n_periods)


def _at(running: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Return the running sum at a number of periods that need not be whole."""
    padded = np.concatenate((np.zeros((len(running), 1)), running), axis=1)
    whole = np.minimum(periods.astype(np.int64), running.shape[1])
    after = np.minimum(whole + 1, running.shape[1])
    rows = np.arange(len(running))
    below = padded[rows, whole]
    part: np.ndarray = below + (periods - whole) * (padded[rows, after] - below)
    return part
