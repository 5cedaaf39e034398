"""What all series teach each one: rolling origins inside the history.

The forecaster is run on shortened histories and its distributions are held against what
came next. Pooled over series this gives the weights of the families, the noise to expect at
a level, and the factors that make the upper quantiles of steps and of sums hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from omnistock.forecasting.arrays import ForecastArrays, run_batch
from omnistock.forecasting.batch import FACT_MEAN, FACT_NOISE, FACT_SCORED
from omnistock.forecasting.panel import Panel
from omnistock.forecasting.quantiles import moment_quantiles
from omnistock.forecasting.reasons import ALL_ZERO, COMBINATION, INTERMITTENT, SHORT
from omnistock.numerics.demand import DemandDistribution

__all__ = ["Calibration", "calibrate"]

_MAX_SERIES = 1500
_MAX_ORIGINS = 4
# Fewer holdouts than this are topped up from earlier origins.
_ENOUGH = 400
# Periods that must be left to forecast from.
_LEAST_HISTORY = 8
# Pairs of series and step that the step factor is read from.
_MAX_STEPS = 3000
_LEVELS = np.array([0.9, 0.95, 0.99])
# Logarithms of the variance factors tried, the smallest change first.
_LOG_FACTORS = np.array(sorted(np.linspace(-1.5, 1.5, 13), key=abs))
_LOSS_LEVELS = np.array([0.5, 0.75, 0.9, 0.95, 0.99])
_MAX_LOSSES = 800
# Losses in standard deviations; holdouts that were met exactly lose nothing.
_LEAST_LOSS = 1e-6
# How much a relative rise of the loss counts beside gaps in coverage.
_LOSS_WEIGHT = 5.0
# Pseudo-holdouts that say "leave the variance as it is".
_PRIOR_HOLDOUTS = 15.0
# Series never resemble each other in noise more than this: the variance of its logarithm.
_LEAST_DIFFERENCE = 0.2
# How sharply the families' weights follow their pooled errors.
_FAMILY_SHARPNESS = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Pooled knowledge.

    Attributes
    ----------
    family_weight : (3,) float64
        Weight that simple smoothing, theta and damped trend earned in holdouts.
    dispersion : (3,) float64
        Noise variance at a level, ``dispersion[0] * level ** dispersion[1]``, and how many
        observations this counts for.
    step_factor, sum_factor : (2,) float64
        Factors on the variance of a step and of the sum over ``n_steps``; fast movers, slow.
    n_steps, n_holdouts : int
    """

    family_weight: np.ndarray
    dispersion: np.ndarray
    step_factor: np.ndarray
    sum_factor: np.ndarray
    n_steps: int
    n_holdouts: int

    @classmethod
    def unknown(cls, *, whole: bool) -> Calibration:
        """Return what is assumed when no holdout can be had."""
        dispersion = np.array([1.5, 1.2, 2.0]) if whole else np.array([0.25, 2.0, 1.0])
        return cls(np.ones(3) / 3.0, dispersion, np.ones(2), np.ones(2), 1, 0)

    def factors_of(self, reason: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the factors on the variance of steps and of sums, by reason code."""
        group = np.full(len(reason), 2)
        group[reason == COMBINATION] = 0
        group[np.isin(reason, (INTERMITTENT, SHORT, ALL_ZERO))] = 1
        return np.append(self.step_factor, 1.0)[group], np.append(self.sum_factor, 1.0)[group]

    def apply(self, moments: ForecastArrays) -> ForecastArrays:
        """Return the moments with calibrated variances; running sums never vary less."""
        step, final = (factor[:, None] for factor in self.factors_of(moments.reason))
        lengths = np.arange(1, moments.mean.shape[1] + 1)
        way = np.minimum(np.log(lengths) / np.log(max(self.n_steps, 2)), 1.0)
        cumulative = moments.cumulative * (step + (final - step) * way)
        return replace(
            moments,
            variance=moments.variance * step,
            cumulative=np.maximum.accumulate(cumulative, axis=1),
        )


def calibrate(panel: Panel, horizon: int, season_length: int, *, whole: np.ndarray) -> Calibration:
    """Forecast shortened histories and learn from what came next.

    Series are taken at even distances, at most 1,500, with up to four origins each where
    series are few. Histories too short for a holdout of the horizon give a shorter one.
    """
    unknown = Calibration.unknown(whole=bool(whole.all()))
    lengths = panel.lengths
    usable = lengths[lengths > _LEAST_HISTORY]
    if not len(usable):
        return unknown
    n_steps = int(min(horizon, max(1, np.median(usable) // 3)))
    long_enough = np.flatnonzero(lengths >= _LEAST_HISTORY + n_steps)
    if not len(long_enough):
        return unknown
    chosen = long_enough[:: -(-len(long_enough) // _MAX_SERIES)]
    n_origins = min(_MAX_ORIGINS, -(-_ENOUGH // len(chosen)))
    series, kept = [], []
    for origin in range(1, n_origins + 1):
        left = lengths[chosen] - origin * n_steps
        series.append(chosen[left >= _LEAST_HISTORY])
        kept.append(left[left >= _LEAST_HISTORY])
    which, left = np.concatenate(series), np.concatenate(kept)
    past = panel.cut(which, left)
    rows = panel.window(which, left, n_steps)
    moments = run_batch(
        past,
        n_steps,
        season_length,
        whole=whole[which],
        family_weight=unknown.family_weight,
        # Almost no pooled noise here: it is what shall be learnt.
        dispersion=np.append(unknown.dispersion[:2], 0.01),
        families=True,
    )
    actual, stocked = panel.values[rows], panel.stocked[rows]
    learnt = Calibration(
        _family_weight(moments, past, actual, stocked),
        _dispersion(moments, unknown),
        np.ones(2),
        np.ones(2),
        n_steps,
        len(which),
    )
    # Once more with what was learnt, as the forecast itself will be made.
    moments = run_batch(
        past,
        n_steps,
        season_length,
        whole=whole[which],
        family_weight=learnt.family_weight,
        dispersion=learnt.dispersion,
        season=moments.season,
    )
    step, total = _factors(moments, actual, stocked)
    return Calibration(learnt.family_weight, learnt.dispersion, step, total, n_steps, len(which))


def _family_weight(
    moments: ForecastArrays, past: Panel, actual: np.ndarray, stocked: np.ndarray
) -> np.ndarray:
    """Weight the families by their pooled error in the holdouts of fast movers."""
    fast = np.flatnonzero(moments.reason == COMBINATION)
    if not len(fast):
        return np.ones(3) / 3.0
    n_steps, n_season = actual.shape[1], moments.season.shape[1]
    position = (past.phases + past.lengths)[fast, None] + np.arange(n_steps)
    factor = moments.season[fast[:, None], position % n_season]
    miss = actual[fast, None, :] - moments.family_mean[fast] * factor[:, None, :]
    seen = stocked[fast, None, :] >= 1.0
    error = np.sqrt((miss**2 * seen).sum(axis=2) / np.maximum(seen.sum(axis=2), 1))
    scale = error.mean(axis=1, keepdims=True)
    told = scale[:, 0] > 0.0
    if not told.any():
        return np.ones(3) / 3.0
    relative = (error[told] / scale[told]).mean(axis=0)
    sharpness = _FAMILY_SHARPNESS * told.sum() / (told.sum() + 2.0 * _PRIOR_HOLDOUTS)
    weight = relative**-sharpness
    shares: np.ndarray = weight / weight.sum()
    return shares


def _dispersion(moments: ForecastArrays, unknown: Calibration) -> np.ndarray:
    """Regress the logarithm of the noise on that of the level, over all series."""
    level, noise = moments.facts[:, FACT_MEAN], moments.facts[:, FACT_NOISE]
    scored = moments.facts[:, FACT_SCORED]
    told = (scored >= 5.0) & (level > 0.0) & (noise > 0.0)
    if told.sum() < 10:
        return unknown.dispersion
    x, y = np.log(level[told]), np.log(noise[told])
    spread = x.var()
    slope = ((x - x.mean()) * (y - y.mean())).mean() / spread if spread > 1e-6 else 1.0
    slope = float(np.clip(slope, 1.0, 2.0))
    rest = y - slope * x
    # The logarithm of a variance from N observations has itself a variance of about 2 / N.
    differ = max(float(rest.var() - (2.0 / scored[told]).mean()), _LEAST_DIFFERENCE)
    scale = float(np.exp(rest.mean() + 0.25 * min(differ, 4.0)))
    return np.array([scale, slope, 2.0 / differ])


def _factors(
    moments: ForecastArrays, actual: np.ndarray, stocked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the variance factors of steps and of sums, each for fast and slow movers."""
    step, total = np.ones(2), np.ones(2)
    for slow in (0, 1):
        rows = np.flatnonzero(moments.reason == (INTERMITTENT if slow else COMBINATION))
        if not len(rows):
            continue
        pick_row, pick_step = np.nonzero(stocked[rows] >= 1.0)
        thin = slice(None, None, -(-len(pick_row) // _MAX_STEPS) or 1)
        pick_row, pick_step = rows[pick_row[thin]], pick_step[thin]
        step[slow] = _variance_factor(
            actual[pick_row, pick_step],
            moments.mean[pick_row, pick_step],
            moments.variance[pick_row, pick_step],
            moments.counts[pick_row],
        )
        whole = rows[(stocked[rows] >= 1.0).all(axis=1)]
        total[slow] = _variance_factor(
            actual[whole].sum(axis=1),
            moments.mean[whole].sum(axis=1),
            moments.cumulative[whole, -1],
            moments.counts[whole],
        )
    return step, total


def _variance_factor(
    actual: np.ndarray, mean: np.ndarray, variance: np.ndarray, counts: np.ndarray
) -> float:
    """Return the factor on the variances at which the upper quantiles cover as they claim.

    Coverage alone would be deceived: it may fall as the variance of a count rises, because
    mass moves to zero. So the pinball loss has a say too. Shrunk towards 1 when holdouts are
    few.
    """
    told = (mean > 0.0) & (variance > 0.0)
    if not told.any():
        return 1.0
    actual, mean, variance, counts = actual[told], mean[told], variance[told], counts[told]
    # A count is within its quantile when all smaller counts together are less likely than p.
    below = actual - counts
    gaps, losses = np.empty(len(_LOG_FACTORS)), np.empty(len(_LOG_FACTORS))
    thin = slice(None, None, -(-len(actual) // _MAX_LOSSES))
    for k, log_factor in enumerate(_LOG_FACTORS):
        demand = DemandDistribution.from_moments(mean, variance * np.exp(log_factor), counts=counts)
        excess = (demand.cdf(below)[:, None] < _LEVELS).mean(axis=0) - _LEVELS
        gaps[k] = (np.abs(excess) / np.sqrt(1.0 - _LEVELS)).sum()
        over = actual[thin, None] - moment_quantiles(
            mean[thin], demand.variance[thin], counts[thin], _LOSS_LEVELS
        )
        pinball = np.maximum(_LOSS_LEVELS * over, (_LOSS_LEVELS - 1.0) * over)
        losses[k] = (pinball.mean(axis=1) / np.sqrt(variance[thin])).mean()
    best = _LOG_FACTORS[
        np.argmin(gaps + _LOSS_WEIGHT * (losses / max(losses.min(), _LEAST_LOSS) - 1.0))
    ]
    trust = told.sum() / (told.sum() + _PRIOR_HOLDOUTS)
    return float(np.exp(trust * best))
