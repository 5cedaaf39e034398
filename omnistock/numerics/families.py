"""Scalar kernels of the demand families: tails, loss and quantile of one demand.

A demand is given by ``family, mean, variance``. Mean 0 means no demand at all, and
variance 0 (normal, gamma) means exactly ``mean`` units; both are exact, not limits.
The negative binomial needs variance > mean; the Poisson reads only its mean.
"""

from __future__ import annotations

import math

from omnistock.numerics.compiled import kernel
from omnistock.numerics.special import (
    beta_fraction,
    gamma_mass,
    gamma_tails,
    negative_binomial_mass,
    normal_loss,
    normal_quantile,
    normal_second_loss,
    normal_tail,
)

__all__ = [
    "CLOSE",
    "FAMILY_NAMES",
    "GAMMA",
    "NEGATIVE_BINOMIAL",
    "NORMAL",
    "POISSON",
    "TIE",
    "loss_one",
    "quantile_and_margin",
    "quantile_one",
    "second_loss_one",
    "surplus_one",
    "tails_one",
]

NORMAL, GAMMA, POISSON, NEGATIVE_BINOMIAL = 0, 1, 2, 3
FAMILY_NAMES = ("normal", "gamma", "poisson", "negative_binomial")

# A distribution function within this relative distance of a target counts as attaining it:
# about a hundred times its rounding error.
TIE = 1e-13
# Beyond this shape a gamma's deviation is lost in the rounding of its mean.
_LARGEST_SHAPE = 1e28
# A negative binomial with so small a p is 0 but for a share below 1e-11.
_LEAST_P = 1e-14
# Within this relative distance the decision belongs to exact arithmetic.
CLOSE = 1e-10


@kernel
def _is_certain(family: int, mean: float, variance: float) -> bool:
    """Tell whether demand is exactly ``mean``."""
    if family == NORMAL:
        return variance <= 0.0
    if mean <= 0.0 or family != GAMMA:
        return mean <= 0.0
    if variance <= 0.0:
        return True
    # A gamma of so small a shape is 0 for every probability that a float can tell from 1.
    shape = mean * (mean / variance)
    return shape < 1e-290 or shape > _LARGEST_SHAPE


@kernel
def _count_tails(family: int, mean: float, variance: float, k: float) -> tuple[float, float, float]:
    """Return P(D <= k), P(D > k) and c P(D = k) for a whole k >= 0.

    c is mean for the Poisson and (k + size) q / p for the negative binomial, so that
    E[(D - k)+] = (mean - k) P(D > k) + c P(D = k) in both.
    """
    if family == POISSON:
        next_mass = gamma_mass(k + 1.0, mean)
        above, below = gamma_tails(k + 1.0, mean, next_mass)
        return below, above, next_mass * (k + 1.0)
    p = mean / variance
    if p < _LEAST_P:
        # Rare and boundless: what there is of demand lies beyond every level that is asked.
        return 1.0, 0.0, mean
    excess = variance - mean
    q = excess / variance
    size = mean * (mean / excess)
    scaled = negative_binomial_mass(size, p, q, k) * (k + size) * q
    if q < (k + 2.0) / (k + size + 3.0):
        above = min(scaled / (k + 1.0) * beta_fraction(k + 1.0, size, q), 1.0)
        return 1.0 - above, above, scaled / p
    below = min(scaled / size * beta_fraction(size, k + 1.0, p), 1.0)
    if below > 0.999:
        # Much mass at few units and a long tail: one minus it would lose the tail.
        above = scaled / (k + 1.0) * beta_fraction(k + 1.0, size, q)
        return 1.0 - above, above, scaled / p
    return below, 1.0 - below, scaled / p


@kernel
def tails_one(family: int, mean: float, variance: float, x: float) -> tuple[float, float]:
    """Return P(D <= x) and P(D > x)."""
    if _is_certain(family, mean, variance):
        return (1.0, 0.0) if x >= mean else (0.0, 1.0)
    if family == NORMAL:
        z = (x - mean) / math.sqrt(variance)
        return normal_tail(-z), normal_tail(z)
    if x < 0.0:
        return 0.0, 1.0
    if x == math.inf:
        return 1.0, 0.0
    if family == GAMMA:
        if x == 0.0:
            return 0.0, 1.0
        shape = mean * (mean / variance)
        y = x * (mean / variance)
        return gamma_tails(shape, y, gamma_mass(shape, y)) if y > 0.0 else (0.0, 1.0)
    below, above, _ = _count_tails(family, mean, variance, math.floor(x) * 1.0)
    return below, above


@kernel
def loss_one(family: int, mean: float, variance: float, x: float) -> float:
    """Return E[(D - x)+], the expected units short of demand D when x are there."""
    if _is_certain(family, mean, variance):
        return max(mean - x, 0.0)
    if family == NORMAL:
        deviation = math.sqrt(variance)
        return deviation * normal_loss((x - mean) / deviation)
    if x <= 0.0:
        return mean - x
    if x == math.inf:
        return 0.0
    if family == GAMMA:
        shape = mean * (mean / variance)
        y = x * (mean / variance)
        if y <= 0.0:
            return mean - x
        mass = gamma_mass(shape, y)
        _, above = gamma_tails(shape, y, mass)
        return min(max((mean - x) * above + mean * mass, 0.0), mean)
    k = math.floor(x) * 1.0
    _, above, scaled = _count_tails(family, mean, variance, k)
    # The loss is linear between whole numbers, with slope -P(D > k).
    return min(max((mean - x) * above + scaled, 0.0), mean)


@kernel
def surplus_one(family: int, mean: float, variance: float, x: float) -> float:
    """Return E[(x - D)+], the expected units left over when x are there."""
    if _is_certain(family, mean, variance):
        return max(x - mean, 0.0)
    if family == NORMAL:
        deviation = math.sqrt(variance)
        return deviation * normal_loss((mean - x) / deviation)
    if x <= 0.0:
        return 0.0
    if x == math.inf:
        return math.inf
    if family == GAMMA:
        shape = mean * (mean / variance)
        y = x * (mean / variance)
        if y <= 0.0:
            return 0.0
        mass = gamma_mass(shape, y)
        below, _ = gamma_tails(shape, y, mass)
        return max((x - mean) * below + mean * mass, 0.0)
    k = math.floor(x) * 1.0
    below, _, scaled = _count_tails(family, mean, variance, k)
    return max((x - mean) * below + scaled, 0.0)


@kernel
def second_loss_one(family: int, mean: float, variance: float, x: float) -> float:
    """Return the second-order loss: the loss summed over all levels beyond ``x``.

    For normal and gamma demand the integral of the loss from x on, E[((D - x)+)^2] / 2; for
    counts the sum over x + 1, x + 2, ..., E[(D - x)+ (D - x - 1)+] / 2, at a whole x >= -1.
    So the mean loss over ``lot`` levels from y on is the difference between ``y - 1`` and
    ``y - 1 + lot``, divided by ``lot``, for both.
    """
    if _is_certain(family, mean, variance):
        short = max(mean - x, 0.0)
        return 0.5 * short * short
    if family == NORMAL:
        deviation = math.sqrt(variance)
        return variance * normal_second_loss((x - mean) / deviation)
    spread = mean if family == POISSON else variance
    if x <= 0.0 and (family == GAMMA or x < 0.0):
        total = 0.5 * (spread + (mean - x) * (mean - x))
        return total if family == GAMMA else total - 0.5 * (mean - x)
    if family == GAMMA:
        shape = mean * (mean / variance)
        scale = variance / mean
        y = x / scale
        if y <= 0.0:
            return 0.5 * (variance + mean * mean)
        mass = gamma_mass(shape, y)
        _, above = gamma_tails(shape, y, mass)
        short = shape - y
        total = above * (short * short + shape) + mass * shape * (short + 1.0)
        return max(0.5 * scale * scale * total, 0.0)
    _, above, scaled = _count_tails(family, mean, variance, x)
    # The sums of k P(k) and of k (k - 1) P(k) over k > x, from the recurrence of the masses.
    first = mean * above + scaled
    second = mean * first + x * scaled
    if family == NEGATIVE_BINOMIAL:
        second += (variance / mean - 1.0) * first
    return max(0.5 * (second - 2.0 * x * first + x * (x + 1.0) * above), 0.0)


@kernel
def _gamma_quantile(shape: float, lower: float, upper: float) -> float:
    """Return the quantile of a gamma of scale 1: Newton on the logarithm of the smaller tail.

    Both log tails are concave in log x, so Newton's steps stay on one side after the first;
    they are kept inside a bracket all the same.
    """
    smallest = (math.log(lower) + math.lgamma(1.0 + shape)) / shape
    if smallest < -690.0:
        return 0.0
    z = normal_quantile(lower, upper)
    cube = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * math.sqrt(shape))
    guess = math.log(shape) + 3.0 * math.log(cube) if cube > 0.05 else smallest
    if shape < 0.5 and lower < 0.5:
        guess = smallest
    t = min(max(guess, smallest), 700.0)
    low, high = smallest - 1e-9 - 1e-9 * abs(smallest), 709.0
    target = math.log(lower) if lower <= upper else math.log(upper)
    for _ in range(200):
        x = math.exp(t)
        mass = gamma_mass(shape, x)
        below, above = gamma_tails(shape, x, mass)
        if lower <= upper:
            gap = target - math.log(below) if below > 0.0 else math.inf
            slope = shape * mass / below if below > 0.0 else 0.0
        else:
            gap = math.log(above) - target if above > 0.0 else -math.inf
            slope = shape * mass / above if above > 0.0 else 0.0
        if gap > 0.0:
            low = max(low, t)
        else:
            high = min(high, t)
        moved = t + gap / slope if slope > 0.0 and abs(gap) < 1e300 else math.inf
        if not low <= moved <= high:
            moved = 0.5 * (low + high)
        if abs(moved - t) <= 4e-16 * abs(t) + 4e-16:
            return math.exp(moved)
        t = moved
    return math.exp(t)


@kernel
def _margin(
    family: int, mean: float, variance: float, k: float, lower: float, upper: float
) -> float:
    """Return by what share P(D <= k) overshoots its target, looking at the smaller tail.

    Negative where k is too small.
    """
    below, above, _ = _count_tails(family, mean, variance, k)
    if lower <= upper:
        return below / lower - 1.0
    return 1.0 - above / upper


@kernel
def _count_quantile(
    family: int, mean: float, variance: float, lower: float, upper: float
) -> tuple[float, float]:
    """Return the smallest whole k with P(D <= k) >= ``lower``, and how narrow the decision was.

    From a Cornish-Fisher guess, double the step until the quantile is bracketed; then halve.
    The second number is the smallest margin met, that of k and of k - 1 among them.
    """
    if family == NEGATIVE_BINOMIAL and mean / variance < _LEAST_P:
        return 0.0, math.inf
    deviation = math.sqrt(mean if family == POISSON else variance)
    skewness = 1.0 / deviation if family == POISSON else (2.0 * variance / mean - 1.0) / deviation
    z = normal_quantile(lower, upper)
    k = math.floor(max(mean + deviation * (z + skewness * (z * z - 1.0) / 6.0), 0.0)) * 1.0
    step = 1.0
    margin = _margin(family, mean, variance, k, lower, upper)
    closest = abs(margin)
    if margin >= -TIE:
        high = k
        low = k - 1.0
        while low >= 0.0:
            margin = _margin(family, mean, variance, low, lower, upper)
            closest = min(closest, abs(margin))
            if margin < -TIE:
                break
            high = low
            step *= 2.0
            low = max(low - step, -1.0)
    else:
        low = k
        high = k + 1.0
        while True:
            margin = _margin(family, mean, variance, high, lower, upper)
            closest = min(closest, abs(margin))
            if margin >= -TIE:
                break
            low = high
            step *= 2.0
            high += step
    while high - low > 1.5:
        middle = math.floor(0.5 * (low + high)) * 1.0
        margin = _margin(family, mean, variance, middle, lower, upper)
        closest = min(closest, abs(margin))
        if margin >= -TIE:
            high = middle
        else:
            low = middle
    return high, closest


@kernel
def quantile_and_margin(
    family: int, mean: float, variance: float, lower: float, upper: float
) -> tuple[float, float]:
    """Return the quantile as :func:`quantile_one` does, and how narrow the decision was.

    For counts the margin is relative: below ``CLOSE`` another unit might be the right one.
    Elsewhere it is infinite.
    """
    if _is_certain(family, mean, variance):
        return mean * 1.0, math.inf
    if upper <= 0.0:
        return math.inf, math.inf
    if family == NORMAL:
        return mean + math.sqrt(variance) * normal_quantile(lower, upper), math.inf
    if lower <= 0.0:
        return 0.0, math.inf
    if family == GAMMA:
        shape = mean * (mean / variance)
        return _gamma_quantile(shape, lower, upper) * (variance / mean), math.inf
    return _count_quantile(family, mean, variance, lower, upper)


@kernel
def quantile_one(family: int, mean: float, variance: float, lower: float, upper: float) -> float:
    """Return the smallest x with P(D <= x) >= ``lower``, where upper = 1 - lower.

    Whole for counts. ``upper`` is given apart, so that a tail of 1e-30 can be asked for.
    """
    quantile, _ = quantile_and_margin(family, mean, variance, lower, upper)
    return quantile
