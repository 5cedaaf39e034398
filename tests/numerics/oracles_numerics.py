"""Distributions from their definitions, with fifty digits: masses summed, densities integrated."""

from __future__ import annotations

from mpmath import mp, mpf

from omnistock.numerics.demand import GAMMA, NEGATIVE_BINOMIAL, NORMAL, POISSON

mp.dps = 50


def mass(family, mean, variance, k):
    """P(D = k) of a count."""
    mean, variance = mpf(mean), mpf(variance)
    if family == POISSON:
        return mp.exp(-mean + k * mp.log(mean) - mp.loggamma(k + 1))
    assert family == NEGATIVE_BINOMIAL
    p = mean / variance
    size = mean**2 / (variance - mean)
    return mp.exp(
        mp.loggamma(k + size)
        - mp.loggamma(size)
        - mp.loggamma(k + 1)
        + size * mp.log(p)
        + k * mp.log(1 - p)
    )


def masses(family, mean, variance, tail=1e-45):
    """All masses up to where the rest is negligible, for a modest mean."""
    found = []
    left = mpf(1)
    while left > tail:
        found.append(mass(family, mean, variance, len(found)))
        left -= found[-1]
    return found


def count_tail(family, mean, variance, k):
    """P(D > k), as a sum of masses from the far end; for tails of any smallness."""
    total, term, j = mpf(0), mpf(1), k + 1
    while term > total * mpf(10) ** -20 or j < float(mean):
        term = mass(family, mean, variance, j)
        total += term
        j += 1
    return total


def count_loss(family, mean, variance, k):
    """E[(D - k)+] by its definition."""
    total, term, j = mpf(0), mpf(1), k + 1
    while term > total * mpf(10) ** -20 or j < float(mean):
        term = (j - k) * mass(family, mean, variance, j)
        total += term
        j += 1
    return total


def density(family, mean, variance, x):
    mean, variance, x = mpf(mean), mpf(variance), mpf(x)
    if family == NORMAL:
        return mp.npdf(x, mean, mp.sqrt(variance))
    assert family == GAMMA
    shape, scale = mean**2 / variance, variance / mean
    return mp.exp((shape - 1) * mp.log(x / scale) - x / scale - mp.loggamma(shape)) / scale


def integral_beyond(family, mean, variance, x, power):
    """E[((D - x)+)^power] of a density, by quadrature."""
    width = mp.sqrt(variance)
    points = [mpf(x) + width * step for step in (0, 0.25, 1, 3, 8, 20, 60, 200)]
    return mp.quad(lambda t: (t - x) ** power * density(family, mean, variance, t), points)
