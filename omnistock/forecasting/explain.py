"""Why a series was forecast as it was, in words and numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnistock.errors import InputError
from omnistock.forecasting.arrays import ForecastArrays
from omnistock.forecasting.batch import (
    FACT_GAIN,
    FACT_LEVEL,
    FACT_NOISE,
    FACT_SELLING,
)
from omnistock.forecasting.calibration import Calibration
from omnistock.forecasting.history import History
from omnistock.forecasting.members import FAMILY_NAMES
from omnistock.forecasting.reasons import REASON_TEXTS, REASONS

__all__ = ["ForecastExplanation", "explain_series"]


@dataclass(frozen=True, slots=True)
class ForecastExplanation:
    """How one series was forecast.

    Attributes
    ----------
    series : str
        Its keys.
    reason, why : str
        Code and sentence.
    family_weights : dict of str to float
        Weight of each family of models; empty where none was fitted.
    level : float
        Units per period now, without season.
    gain : float
        Mean weight of the newest observation in the level, 0..1.
    noise : float
        Variance of a period around the level, before calibration.
    n_periods : int
    stocked_share, selling_share : float
        Share of the history with stock; share of the stocked periods with sales.
    step_factor, sum_factor : float
        Calibration of the variance of a period, and of the sum over the horizon.
    season : tuple of float
        Seasonal factors.
    """

    series: str
    reason: str
    why: str
    family_weights: dict[str, float]
    level: float
    gain: float
    noise: float
    n_periods: int
    stocked_share: float
    selling_share: float
    step_factor: float
    sum_factor: float
    season: tuple[float, ...]

    def text(self) -> str:
        """Return the explanation as lines."""
        lines = [
            f"{self.series}: {self.reason}",
            f"  {self.why}",
            f"  history: {self.n_periods} periods, {self.stocked_share:.0%} of the time in stock, "
            f"sales in {self.selling_share:.0%} of the stocked periods",
            f"  level {self.level:.4g} units per period, noise variance {self.noise:.4g}",
        ]
        if self.family_weights:
            parts = [f"{name} {weight:.0%}" for name, weight in self.family_weights.items()]
            lines.append(f"  models: {', '.join(parts)}; mean gain {self.gain:.2f}")
        if len(self.season) > 1:
            low, high = min(self.season), max(self.season)
            lines.append(f"  season of {len(self.season)}: factors {low:.2f} to {high:.2f}")
        lines.append(
            f"  calibration over all series: variance x {self.step_factor:.2f} per period, "
            f"x {self.sum_factor:.2f} for sums"
        )
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()


def explain_series(
    history: History, arrays: ForecastArrays, calibration: Calibration, i: int
) -> ForecastExplanation:
    """Gather what is known of series ``i``."""
    n_series = len(arrays.mean)
    if not -n_series <= i < n_series:
        raise InputError(f"series {i} does not exist; there are {n_series}")
    facts = arrays.facts[i]
    code = int(arrays.reason[i])
    panel = history.panel
    stocked = panel.stocked[panel.offsets[i % n_series] : panel.offsets[i % n_series + 1]]
    step, total = calibration.factors_of(arrays.reason[[i]])
    return ForecastExplanation(
        series=", ".join(f"{name} {values[i]}" for name, values in history.keys.items()),
        reason=REASONS[code],
        why=REASON_TEXTS[code],
        family_weights={
            name: float(weight)
            for name, weight in zip(FAMILY_NAMES, facts[:3], strict=True)
            if weight > 0.005
        },
        level=float(facts[FACT_LEVEL]),
        gain=float(facts[FACT_GAIN]),
        noise=float(facts[FACT_NOISE]),
        n_periods=len(stocked),
        stocked_share=float(stocked.mean()) if len(stocked) else 0.0,
        selling_share=float(facts[FACT_SELLING]),
        step_factor=float(step[0]),
        sum_factor=float(total[0]),
        season=tuple(np.round(arrays.season[i], 6).tolist()),
    )
