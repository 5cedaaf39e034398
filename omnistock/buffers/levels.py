"""Kernels of fill rates. Axes: i = SKU-node.

Timing. A level ``y`` is the inventory position from which an interval of risk starts.

Continuous review: whenever the position falls to s, ``lot`` units are ordered, which come
after the lead time L. Between orders the position runs evenly through s + 1, ..., s + lot
(Hadley & Whitin 1963), and a unit is met from the shelf if the demand of the lead time before
it leaves one over. Here y = s, and the share not met is (loss_L(y) - loss_L(y + lot)) / lot.

Periodic review: at every review the position is raised, with whole lots, to one of y, ...,
y + lot - 1, evenly; the receipt comes after L, the next one R days later. Units short in
between are those short at its end less those already short at its start, so the share not
met from a position x is (loss_{L+R}(x) - loss_L(x)) / (mean demand of R): without the second
term backorders of the cycle before would count twice (Silver & Bischak 2011). Without a lot
size the position is always raised to y itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from omnistock.numerics.compiled import kernel
from omnistock.numerics.families import loss_one, second_loss_one

if TYPE_CHECKING:
    import numpy as np

__all__ = ["fill_rate_into", "fill_rate_one", "level_into"]

# A fill rate this little below the target attains it: the noise of the loss functions.
_SLACK = 1e-13


@kernel
def fill_rate_one(
    periodic: bool,
    lot: int,
    family: int,
    mean: float,
    variance: float,
    family_l: int,
    mean_l: float,
    variance_l: float,
    level: float,
) -> float:
    """Return the share of demand met from the shelf from position ``level``.

    ``family, mean, variance`` describe demand over lead time plus review period;
    ``..._l`` over the lead time alone, read under periodic review only. ``lot`` 0 is no lot.
    """
    if mean <= 0.0:
        return 1.0
    if not periodic:
        units = max(lot, 1)
        short = loss_one(family, mean, variance, level)
        short -= loss_one(family, mean, variance, level + units)
        return min(max(1.0 - short / units, 0.0), 1.0)
    per_review = mean - mean_l
    if per_review <= 0.0:
        return 1.0
    if lot == 0:
        short = loss_one(family, mean, variance, level)
        short -= loss_one(family_l, mean_l, variance_l, level)
    else:
        first = level - 1.0
        last = first + lot
        short = second_loss_one(family, mean, variance, first)
        short -= second_loss_one(family, mean, variance, last)
        short -= second_loss_one(family_l, mean_l, variance_l, first)
        short += second_loss_one(family_l, mean_l, variance_l, last)
        short /= lot
    return min(max(1.0 - short / per_review, 0.0), 1.0)


@kernel
def fill_rate_into(
    fill_rate: np.ndarray,
    periodic: np.ndarray,
    lot: np.ndarray,
    family: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    family_l: np.ndarray,
    mean_l: np.ndarray,
    variance_l: np.ndarray,
    level: np.ndarray,
) -> None:
    """Fill ``fill_rate[i]`` with the share of demand met from the shelf."""
    for i in range(fill_rate.shape[0]):
        fill_rate[i] = fill_rate_one(
            bool(periodic[i]),
            int(lot[i]),
            int(family[i]),
            float(mean[i]),
            float(variance[i]),
            int(family_l[i]),
            float(mean_l[i]),
            float(variance_l[i]),
            float(level[i]),
        )


@kernel
def _level_one(
    target: float,
    periodic: bool,
    lot: int,
    family: int,
    mean: float,
    variance: float,
    family_l: int,
    mean_l: float,
    variance_l: float,
) -> float:
    """Return the smallest whole level >= 0 whose fill rate attains ``target``.

    The fill rate rises with the level: double a step from the mean until the level is
    bracketed, then halve.
    """
    goal = target - _SLACK
    low = -1.0
    high = float(int(max(mean, 0.0)))
    step = max(float(int(0.5 * variance**0.5)), 1.0)
    while (
        fill_rate_one(periodic, lot, family, mean, variance, family_l, mean_l, variance_l, high)
        < goal
    ):
        low = high
        high += step
        step *= 2.0
    # The mean itself may be too much; then walk down as the search walked up.
    while low < 0.0 and high > 0.0:
        trial = max(high - step, 0.0)
        step *= 2.0
        filled = fill_rate_one(
            periodic, lot, family, mean, variance, family_l, mean_l, variance_l, trial
        )
        if filled < goal:
            low = trial
        else:
            high = trial
    while high - low > 1.5:
        middle = float(int(0.5 * (low + high)))
        filled = fill_rate_one(
            periodic, lot, family, mean, variance, family_l, mean_l, variance_l, middle
        )
        if filled < goal:
            low = middle
        else:
            high = middle
    return high


@kernel
def level_into(
    level: np.ndarray,
    target: np.ndarray,
    periodic: np.ndarray,
    lot: np.ndarray,
    family: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    family_l: np.ndarray,
    mean_l: np.ndarray,
    variance_l: np.ndarray,
) -> None:
    """Fill ``level[i]`` with the smallest whole level that attains fill rate ``target[i]``."""
    for i in range(level.shape[0]):
        level[i] = _level_one(
            float(target[i]),
            bool(periodic[i]),
            int(lot[i]),
            int(family[i]),
            float(mean[i]),
            float(variance[i]),
            int(family_l[i]),
            float(mean_l[i]),
            float(variance_l[i]),
        )
