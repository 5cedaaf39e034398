"""Smoothing kernels. Axes: t = period, q = member, j = forecast step.

``demand`` is free of season; ``weight`` (0..1) says how much of the period was observed: a
period without stock weighs nothing and moves no level.
"""

from __future__ import annotations

import math

import numpy as np

from omnistock.forecasting.members import (
    DAMPED,
    DAMPING,
    DRIFT,
    FAMILY,
    LEVEL_GAIN,
    TREND_GAIN,
)
from omnistock.numerics.compiled import kernel

__all__ = [
    "member_weights_into",
    "project_into",
    "regression_line",
    "smooth_into",
    "start_into",
]

# Share of the score that looks at the mean error over the horizon, not at one step.
_HORIZON_SHARE = 0.3
# Parameters that a member of each family costs, as in Akaike's criterion.
_FAMILY_COST = (1.0, 2.0, 3.0)
# How strongly a family is charged for having more settings on the grid than another.
_GRID_CHARGE = 0.5
# Share of the weights that comes from the pooled record of the families.
_POOLED_SHARE = 0.5


@kernel
def regression_line(demand, weight, n_periods):
    """Return intercept, slope and weight of the weighted regression on t < ``n_periods``."""
    total = 0.0
    mean_demand = 0.0
    mean_time = 0.0
    for t in range(n_periods):
        total += weight[t]
        mean_demand += weight[t] * demand[t]
        mean_time += weight[t] * t
    if total <= 0.0:
        return 0.0, 0.0, 0.0
    mean_demand /= total
    mean_time /= total
    square = 0.0
    product = 0.0
    for t in range(n_periods):
        square += weight[t] * (t - mean_time) ** 2
        product += weight[t] * (t - mean_time) * (demand[t] - mean_demand)
    slope = product / square if square > 0.0 else 0.0
    return mean_demand - slope * mean_time, slope, total


@kernel
def start_into(level, trend, seen, demand, weight, members, n_start):
    """Fill the state of each member before the first period.

    ``seen`` is the weight of the observations that the state already rests on: a gain is
    never below 1 / seen, so that a level without history begins as the running mean.
    """
    intercept, first_slope, first_weight = regression_line(demand, weight, n_start)
    _, slope, _ = regression_line(demand, weight, demand.size)
    for q in range(level.size):
        if members[q, FAMILY] == DAMPED:
            level[q] = intercept - members[q, DAMPING] * first_slope
            trend[q] = first_slope
            seen[q] = first_weight
        else:
            level[q] = 0.0
            trend[q] = slope * members[q, DRIFT]
            seen[q] = 0.0


@kernel
def smooth_into(level, trend, seen, error, window_error, demand, weight, members, warmup, window,
                power):  # fmt: skip
    """Run every member through the series and score it.

    Fills ``error[q]`` with the sum of weighted squared one-step errors and
    ``window_error[q]`` with the sum of squared errors of the mean over ``window`` steps;
    errors are scaled by level ** power, so that busy times do not drown quiet ones. Returns
    the weight of the one-step scores and the number of windows scored.
    """
    n_periods = demand.size
    sums = np.zeros(n_periods + 1)
    weights = np.zeros(n_periods + 1)
    for t in range(n_periods):
        sums[t + 1] = sums[t] + weight[t] * demand[t]
        weights[t + 1] = weights[t] + weight[t]
    mean = sums[n_periods] / weights[n_periods]
    reference = 0.0
    scored = 0.0
    n_windows = 0.0
    error[:] = 0.0
    window_error[:] = 0.0
    for t in range(n_periods):
        if weight[t] == 0.0:
            for q in range(level.size):
                trend[q] *= members[q, DAMPING]
                level[q] += trend[q]
            continue
        share = 0.0
        if weights[t] > 0.0 and weights[t] >= warmup:
            share = weight[t]
            if power > 0.0:
                share *= (mean / max(reference, 0.2 * mean)) ** power
            scored += weight[t]
        for q in range(level.size):
            forecast = level[q] + members[q, DAMPING] * trend[q]
            surprise = demand[t] - forecast
            error[q] += share * surprise * surprise
            gain = max(members[q, LEVEL_GAIN], 1.0 / (seen[q] + weight[t])) * weight[t]
            level[q] = forecast + gain * surprise
            trend[q] = members[q, DAMPING] * trend[q] + gain * members[q, TREND_GAIN] * surprise
            seen[q] += weight[t]
        reference += max(0.1, 1.0 / weights[t + 1]) * weight[t] * (demand[t] - reference)
        end = t + 1 + window
        if share > 0.0 and end <= n_periods and weights[end] - weights[t + 1] > 0.5 * window:
            ahead = (sums[end] - sums[t + 1]) / (weights[end] - weights[t + 1])
            n_windows += 1.0
            for q in range(level.size):
                miss = ahead - level[q] - trend[q] * mean_trend_steps(members[q, DAMPING], window)
                window_error[q] += miss * miss
    return scored, n_windows


@kernel
def mean_trend_steps(damping, n_steps):
    """Return the mean over j = 1..n of phi + phi^2 + ... + phi^j."""
    if damping == 1.0:
        return 0.5 * (n_steps + 1.0)
    reach = damping / (1.0 - damping)
    return reach * (1.0 - reach * (1.0 - damping**n_steps) / n_steps)


@kernel
def member_weights_into(share, family_share, error, window_error, members, scored, n_windows,
                        mean, prior):  # fmt: skip
    """Fill the weight of each member, and of each family before the pooled record enters.

    The weight is Akaike's, exp(-criterion / 2), where the criterion counts the scores of one
    step and of whole windows. ``prior[f]`` is what the family earned over all series.
    """
    n_members = share.size
    floor = mean * mean * 1e-6 + 1e-12
    n_family = np.zeros(3)
    for q in range(n_members):
        n_family[int(members[q, FAMILY])] += 1.0
    best = math.inf
    for q in range(n_members):
        family = int(members[q, FAMILY])
        fit = 0.0
        if scored > 0.0:
            fit += (1.0 - _HORIZON_SHARE) * math.log(error[q] / scored + floor)
        if n_windows > 0.0:
            fit += _HORIZON_SHARE * math.log(window_error[q] / n_windows + floor)
        charge = _FAMILY_COST[family] + _GRID_CHARGE * math.log(n_family[family])
        share[q] = scored * fit + 2.0 * charge
        best = min(best, share[q])
    family_share[:] = 0.0
    total = 0.0
    for q in range(n_members):
        share[q] = math.exp(-0.5 * (share[q] - best))
        total += share[q]
    present = 0.0
    for q in range(n_members):
        share[q] /= total
        family_share[int(members[q, FAMILY])] += share[q]
    for family in range(3):
        if n_family[family] > 0.0:
            present += prior[family]
    for q in range(n_members):
        family = int(members[q, FAMILY])
        pooled = prior[family] / present
        if family_share[family] > 0.0:
            own = family_share[family]
            share[q] *= ((1.0 - _POOLED_SHARE) * own + _POOLED_SHARE * pooled) / own


@kernel
def project_into(mean, variance, cumulative, level, trend, share, members, noise, level_weight):
    """Fill the moments of demand per step, and the variance of the sum of the first steps.

    Total variance over members: the mean of their variances and the spread of their means.
    Within a member a shock of variance ``noise`` in one step moves every later one: the sum
    over h steps has variance noise * sum_i (1 + psi_1 + ... + psi_i)^2, i < h (Hyndman et al.
    2008, section 6.5), where psi_i = alpha (1 + beta (phi + ... + phi^i)). The level itself
    rests on ``level_weight`` observations.
    """
    n_members = level.size
    total = np.zeros(n_members)
    step = np.ones(n_members)
    reach = np.ones(n_members)
    summed = np.zeros(n_members)
    damping = np.ones(n_members)
    trend_steps = np.zeros(n_members)
    forecast = np.zeros(n_members)
    cumulative_mean = 0.0
    for j in range(mean.size):
        mean[j] = 0.0
        within = 0.0
        within_sum = 0.0
        for q in range(n_members):
            damping[q] *= members[q, DAMPING]
            trend_steps[q] += damping[q]
            forecast[q] = max(level[q] + trend_steps[q] * trend[q], 0.0)
            total[q] += forecast[q]
            mean[j] += share[q] * forecast[q]
            within += share[q] * step[q]
            summed[q] += reach[q] * reach[q]
            within_sum += share[q] * summed[q]
            response = members[q, LEVEL_GAIN] * (1.0 + members[q, TREND_GAIN] * trend_steps[q])
            step[q] += response * response
            reach[q] += response
        cumulative_mean += mean[j]
        between = 0.0
        between_sum = 0.0
        for q in range(n_members):
            between += share[q] * (forecast[q] - mean[j]) ** 2
            between_sum += share[q] * (total[q] - cumulative_mean) ** 2
        variance[j] = noise * (within + 1.0 / level_weight) + between
        cumulative[j] = noise * (within_sum + (j + 1.0) ** 2 / level_weight) + between_sum
