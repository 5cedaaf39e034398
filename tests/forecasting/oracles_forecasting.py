"""Forecasting by the definitions, in plain Python."""

import numpy as np


def smoothed_level(demand, weight, alpha):
    """Simple smoothing whose level begins as the running mean, one observation at a time."""
    level, seen = 0.0, 0.0
    for units, share in zip(demand, weight, strict=True):
        if share == 0:
            continue
        gain = max(alpha, 1.0 / (seen + share)) * share
        level = (1 - gain) * level + gain * units
        seen += share
    return level


def response_to_a_shock(alpha, beta, phi, horizon):
    """What one unit of surprise adds to the steps after it, found by running the recursion."""
    level, trend = 0.0, 0.0
    added = [1.0]
    forecast = level + phi * trend
    surprise = 1.0 - forecast
    level, trend = forecast + alpha * surprise, phi * trend + alpha * beta * surprise
    for _ in range(horizon - 1):
        level, trend = level + phi * trend, phi * trend
        added.append(level)
    return np.array(added)


def variance_of_sums(alpha, beta, phi, horizon, noise):
    """Variance of the sum of the first h steps: every shock with all that it adds later."""
    added = response_to_a_shock(alpha, beta, phi, horizon)
    return [
        noise * sum(added[: h - start].sum() ** 2 for start in range(h))
        for h in range(1, horizon + 1)
    ]


def ratio_to_centred_mean(values, season):
    """Seasonal indices as a textbook has them: sums of sales over sums of centred means."""
    values = np.asarray(values, dtype=float)
    half = season // 2
    kernel = np.ones(season + 1 - season % 2)
    if season % 2 == 0:
        kernel[0] = kernel[-1] = 0.5
    centre = np.convolve(values, kernel / season, mode="valid")
    position = np.arange(half, half + len(centre)) % season
    index = np.array(
        [values[half:][: len(centre)][position == k].sum() / centre[position == k].sum()
         for k in range(season)]
    )  # fmt: skip
    return index / index.mean()
