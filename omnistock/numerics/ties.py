"""Exact decisions for whole quantiles that floating point cannot tell from their neighbours.

A distribution function in floats is off by some 1e-13. Where it comes so close to the
probability asked for, the answer would hang on rounding; there it is decided in decimals
with dozens of digits, from the exact values of the moments. Such rows are rare.
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

from omnistock.numerics.families import POISSON

__all__ = ["attains", "exact_count_quantile"]

_GUARD_DIGITS = 15


def attains(family: int, mean: float, variance: float, k: int, lower: float, upper: float) -> bool:
    """Tell whether P(D <= k) >= lower (where that is the smaller tail) or P(D > k) <= upper.

    The floats count as the exact binary numbers they are; numbers that agree to all but the
    guard digits are equal, and equality attains.
    """
    if k < 0:
        return False
    target = Decimal(min(lower, upper))
    digits = 50 + max(0, -target.adjusted())
    context = Context(prec=digits, Emin=MIN_EMIN, Emax=MAX_EMAX)
    below = _distribution_function(family, Decimal(mean), Decimal(variance), k, context)
    slack = target * Decimal(10) ** (_GUARD_DIGITS - 50)
    if lower <= upper:
        return below >= context.subtract(target, slack)
    return context.subtract(Decimal(1), below) <= context.add(target, slack)


def _distribution_function(
    family: int, mean: Decimal, variance: Decimal, k: int, context: Context
) -> Decimal:
    """Return P(D <= k) as the sum of masses from 0 up, all of one sign."""
    if family == POISSON:
        mass = context.exp(-mean)
        factor, size = mean, None
    else:
        excess = context.subtract(variance, mean)
        size = context.divide(context.multiply(mean, mean), excess)
        factor = context.divide(excess, variance)
        log_p = context.ln(context.divide(mean, variance))
        mass = context.exp(context.multiply(size, log_p))
    total = mass
    for j in range(1, k + 1):
        mass = context.multiply(mass, factor)
        if size is not None:
            mass = context.multiply(mass, context.add(size, Decimal(j - 1)))
        mass = context.divide(mass, Decimal(j))
        total = context.add(total, mass)
    return total


def exact_count_quantile(
    family: int, mean: float, variance: float, guess: int, lower: float, upper: float
) -> int:
    """Return the smallest k that attains the target, from a guess that is off by few units."""
    k = guess
    while not attains(family, mean, variance, k, lower, upper):
        k += 1
    while attains(family, mean, variance, k - 1, lower, upper):
        k -= 1
    return k
