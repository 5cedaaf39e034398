"""The batch kernel: one forecast per series. Axes: i = series, t = period, j = step, k = season.

Series ``i`` is ``values[offsets[i]:offsets[i + 1]]``; ``stocked`` is the share of each period
with stock. What was sold in a share w of a period is an observation of demand / w with weight
w, so that a stockout never counts as low demand.
"""

from __future__ import annotations

import numpy as np

from omnistock.forecasting.members import FAMILY, LEVEL_GAIN, SIMPLE
from omnistock.forecasting.reasons import (
    ALL_STOCKED_OUT,
    ALL_ZERO,
    COMBINATION,
    CONSTANT,
    EMPTY,
    INTERMITTENT,
    ONE_POINT,
    SHORT,
)
from omnistock.forecasting.smoothing import (
    member_weights_into,
    project_into,
    smooth_into,
    start_into,
)
from omnistock.numerics.compiled import kernel

__all__ = [
    "FACTS",
    "FACT_GAIN",
    "FACT_LEVEL",
    "FACT_MEAN",
    "FACT_NOISE",
    "FACT_OBSERVED",
    "FACT_SCORED",
    "FACT_SELLING",
    "forecast_into",
]

# Columns of the facts about a series; the first three are the weights of the families.
FACT_GAIN, FACT_LEVEL, FACT_MEAN, FACT_NOISE = 3, 4, 5, 6
FACT_SCORED, FACT_OBSERVED, FACT_SELLING = 7, 8, 9
FACTS = 10

# Below this share of periods with sales a series is a slow mover.
_SLOW = 0.6
# The level of a slow mover rests on more than its last few sales.
_SLOW_GAIN = 0.4
# With fewer observed periods than this no trend is looked for.
_SHORT = 8.0
# Observations before the first score.
_WARMUP = 6.0
# A season factor below this says the place is closed; such periods tell nothing of the level.
_CLOSED = 0.02
# Variance grows with the level and the season to this power: slow movers, fast movers.
_SLOW_POWER = 1.0
_FAST_POWER = 1.0


@kernel
def deseasonalise_into(demand, weight, values, stocked, season, phase):
    """Fill demand free of season, and its weight; return the facts that choose the method.

    They are the observed weight, the mean, the number of selling periods, whether all
    observations are equal, and the largest sale of all.
    """
    observed = 0.0
    total = 0.0
    n_selling = 0
    n_seen = 0
    first = -1.0
    equal = True
    largest = 0.0
    for t in range(values.size):
        factor = season[(phase + t) % season.size]
        largest = max(largest, values[t])
        demand[t] = 0.0
        weight[t] = 0.0
        if stocked[t] > 0.0 and factor > _CLOSED:
            demand[t] = values[t] / (factor * stocked[t])
            weight[t] = stocked[t] * min(factor, 1.0)
            observed += weight[t]
            total += weight[t] * demand[t]
            n_seen += 1
            if values[t] > 0.0:
                n_selling += 1
            if first < 0.0:
                first = values[t]
            elif values[t] != first:
                equal = False
    mean = total / observed if observed > 0.0 else 0.0
    return observed, mean, n_selling, n_seen, equal, largest


@kernel
def reason_of(n_periods, observed, n_selling, n_seen, equal, horizon):
    """Return the code of the method that the series gets."""
    if n_periods == 0:
        return EMPTY
    if n_seen == 0:
        return ALL_STOCKED_OUT
    if n_selling == 0:
        return ALL_ZERO
    if n_seen == 1:
        return ONE_POINT
    if equal and n_seen > 2:
        return CONSTANT
    if observed < _SHORT:
        return SHORT
    if n_selling < _SLOW * n_seen:
        return INTERMITTENT
    # A trend seen for less than two horizons is not drawn out over another.
    if n_seen < 2 * horizon:
        return SHORT
    return COMBINATION


@kernel
def level_only_into(mean, variance, cumulative, level, noise, observed):
    """Fill the moments of a constant level that rests on ``observed`` periods."""
    for j in range(mean.size):
        mean[j] = level
        variance[j] = noise * (1.0 + 1.0 / observed)
        cumulative[j] = noise * ((j + 1.0) + (j + 1.0) ** 2 / observed)


@kernel
def combine_into(mean, variance, cumulative, family_mean, facts, demand, weight, members, prior,
                 n_season, pooled_noise, noise_weight, power):  # fmt: skip
    """Fill the season-free moments of the averaged members, and the facts about the average."""
    n_members = members.shape[0]
    level = np.empty(n_members)
    trend = np.empty(n_members)
    seen = np.empty(n_members)
    error = np.empty(n_members)
    window_error = np.empty(n_members)
    share = np.empty(n_members)
    n_start = min(demand.size, max(8, n_season))
    start_into(level, trend, seen, demand, weight, members, n_start)
    warmup = min(_WARMUP, facts[FACT_OBSERVED] / 3.0)
    window = min(mean.size, max(1, demand.size // 3))
    scored, n_windows = smooth_into(
        level, trend, seen, error, window_error, demand, weight, members, warmup, window, power
    )
    average = facts[FACT_MEAN]
    member_weights_into(
        share, facts[:3], error, window_error, members, scored, n_windows, average, prior
    )
    noise = 0.0
    now = 0.0
    for q in range(n_members):
        noise += share[q] * error[q]
        now += share[q] * max(level[q], 0.0)
        facts[FACT_GAIN] += share[q] * members[q, LEVEL_GAIN]
    noise = (noise + noise_weight * pooled_noise) / (scored + noise_weight)
    facts[FACT_NOISE] = noise
    facts[FACT_SCORED] = scored
    facts[FACT_LEVEL] = now
    # However long ago the last sale was: half a unit over the observed time may still come.
    floor = min(0.5 / (facts[FACT_OBSERVED] + 1.0), average)
    noise *= (max(now, floor) / average) ** power
    project_into(
        mean, variance, cumulative, level, trend, share, members, noise, facts[FACT_OBSERVED]
    )
    for j in range(mean.size):
        mean[j] = max(mean[j], floor)
    for family in range(family_mean.shape[0]):
        _family_mean_into(family_mean[family], family, level, trend, share, members)


@kernel
def _family_mean_into(mean, family, level, trend, share, members):
    """Fill the mean forecast of one family alone."""
    total = 0.0
    mean[:] = 0.0
    for q in range(level.size):
        if members[q, FAMILY] == family:
            total += share[q]
            damping = 1.0
            steps = 0.0
            for j in range(mean.size):
                damping *= members[q, 2]
                steps += damping
                mean[j] += share[q] * max(level[q] + steps * trend[q], 0.0)
    if total > 0.0:
        mean /= total


@kernel
def forecast_into(mean, variance, cumulative, family_mean, facts, reason, values, stocked, offsets,
                  phases, season, members, prior, dispersion):  # fmt: skip
    """Fill mean, variance and variance of running sums of each series' demand.

    ``family_mean[i, f, j]`` is filled for as many families as it has room for.
    ``dispersion`` (scale, exponent, weight) is the pooled noise at a level, scale * level **
    exponent, and how many observations it counts for in each series' own.
    """
    n_simple = 0
    n_slow = 0
    for q in range(members.shape[0]):
        if members[q, FAMILY] == SIMPLE:
            n_simple += 1
            if members[q, LEVEL_GAIN] <= _SLOW_GAIN:
                n_slow += 1
    for i in range(offsets.size - 1):
        low = offsets[i]
        high = offsets[i + 1]
        demand = np.empty(high - low)
        weight = np.empty(high - low)
        observed, level, n_selling, n_seen, equal, largest = deseasonalise_into(
            demand, weight, values[low:high], stocked[low:high], season[i], phases[i]
        )
        code = reason_of(high - low, observed, n_selling, n_seen, equal, mean.shape[1])
        reason[i] = code
        facts[i] = 0.0
        facts[i, FACT_MEAN] = level
        facts[i, FACT_OBSERVED] = observed
        facts[i, FACT_SELLING] = n_selling / n_seen if n_seen > 0 else 0.0
        power = _FAST_POWER
        if code in (EMPTY, ALL_STOCKED_OUT):
            # The caller fills these from the other series.
            facts[i, FACT_LEVEL] = largest
            level_only_into(mean[i], variance[i], cumulative[i], largest, 0.0, 1.0)
        elif code in (ALL_ZERO, ONE_POINT, CONSTANT):
            level = 0.5 / (observed + 1.0) if code == ALL_ZERO else level
            noise = dispersion[0] * level ** dispersion[1]
            if code == CONSTANT:
                noise *= dispersion[2] / (dispersion[2] + observed)
            facts[i, 0] = 1.0
            facts[i, FACT_LEVEL] = level
            facts[i, FACT_NOISE] = noise
            level_only_into(mean[i], variance[i], cumulative[i], level, noise, observed)
        else:
            n_members = members.shape[0] if code == COMBINATION else n_simple
            if code == INTERMITTENT:
                power = _SLOW_POWER
                n_members = n_slow
            combine_into(
                mean[i], variance[i], cumulative[i], family_mean[i], facts[i], demand, weight,
                members[:n_members], prior, season.shape[1],
                dispersion[0] * level ** dispersion[1], dispersion[2], power,
            )  # fmt: skip
        apply_season(mean[i], variance[i], cumulative[i], season[i], phases[i] + high - low, power)


@kernel
def apply_season(mean, variance, cumulative, season, phase, power):
    """Bring season-free moments back into season, in place.

    The running sums keep the ratio of their variance to the sum of the steps' variances.
    """
    plain = 0.0
    seasonal = 0.0
    for j in range(mean.size):
        factor = season[(phase + j) % season.size]
        plain += variance[j]
        mean[j] *= factor
        variance[j] *= factor**power
        seasonal += variance[j]
        if plain > 0.0:
            cumulative[j] *= seasonal / plain
