"""What one pack more is worth, and handing out packs to whoever gains most by the next one.

Axes: s = SKU (one supply), p = claim, k = pack of a claim, from the first. The claims of
SKU ``s`` are ``claim_offsets[s]:claim_offsets[s + 1]``, the packs of claim ``p`` are
``value_offsets[p]:value_offsets[p + 1]`` of ``values``. Values are int64 counts of
:data:`MONEY_STEPS` to a cent, and fall from pack to pack, so no float decides anything.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from omnistock.errors import InputError
from omnistock.numerics.compiled import lean_kernel
from omnistock.numerics.demand import DemandDistribution
from omnistock.numerics.families import NEGATIVE_BINOMIAL, POISSON, loss_one

__all__ = ["MONEY_STEPS", "Curves", "sales_curves", "take_best_into"]

# Steps in which money is counted here, to the cent.
MONEY_STEPS = 10_000
# Beyond these the mass at 0 is too small, or too far away, to start from.
_LARGEST_MEAN = 500.0
_LARGEST_START = 2_000
_MOST_PACKS = 200_000_000


class Curves(NamedTuple):
    """What each further pack of each claim is worth, falling from pack to pack."""

    values: np.ndarray  # (n_packs,) int64, steps
    offsets: np.ndarray  # (n_claims + 1,) int64

    def upto(self, packs: np.ndarray) -> np.ndarray:
        """Return what the first ``packs[p]`` packs of each claim are worth, (n,) int64 steps.

        Packs beyond the end of a curve are worth nothing.
        """
        running = np.concatenate(([0], np.cumsum(self.values)))
        last = np.minimum(self.offsets[:-1] + packs, self.offsets[1:])
        return np.asarray(running[last] - running[self.offsets[:-1]])

    def at(self, pack: np.ndarray) -> np.ndarray:
        """Return what pack ``pack[p]`` (from 0) of each claim is worth; beyond the end 0."""
        place = self.offsets[:-1] + pack
        known = (place < self.offsets[1:]) & (pack >= 0)
        padded = np.append(self.values, 0)
        return np.asarray(np.where(known, padded[np.where(known, place, len(self.values))], 0))


@lean_kernel
def first_mass(family, mean, variance):
    """P(D = 0) of a count, or -1 if its masses cannot be summed up from there."""
    if mean <= 0.0 or mean > _LARGEST_MEAN:
        return -1.0
    if family == POISSON:
        return math.exp(-mean)
    if family == NEGATIVE_BINOMIAL:
        size = mean * (mean / (variance - mean))
        power = size * math.log(mean / variance)
        return math.exp(power) if power > -_LARGEST_MEAN else -1.0
    return -1.0


@lean_kernel
def sales_values_into(values, offsets, begin, family, mean, variance, start, pack, worth, most):
    """Fill ``values`` and ``offsets`` from claim ``begin`` on; return the first that had no room.

    Pack k of claim p raises its stock from ``start + k pack`` to ``start + (k + 1) pack``
    units, and sells E[min(D, .)] more of them, each worth ``worth`` steps. For counts that is
    the sum of P(D > x) over the pack's units, from masses that follow one another: (a, b, 0)
    recursion of Panjer (1981), of which the Poisson and negative binomial are cases.
    """
    at = offsets[begin]
    for p in range(begin, mean.shape[0]):
        first = at
        mass = -1.0
        if start[p] <= _LARGEST_START:
            mass = first_mass(family[p], mean[p], variance[p])
        by_mass = mass >= 0.0
        # Masses follow as mass(x) = mass(x - 1) (slope + rise / x).
        slope, rise = 0.0, mean[p]
        if by_mass and family[p] == NEGATIVE_BINOMIAL:
            slope = (variance[p] - mean[p]) / variance[p]
            rise = slope * (mean[p] * (mean[p] / (variance[p] - mean[p])) - 1.0)
        x = min(start[p], 0)
        above = 1.0 - mass if x >= 0 else 1.0
        before = 0.0 if by_mass else loss_one(family[p], mean[p], variance[p], float(start[p]))
        if by_mass:
            for x in range(1, start[p] + 1):
                mass *= slope + rise / x
                above -= mass
            x = start[p]
        last = 2**62
        for k in range(most[p]):
            sold = 0.0
            if by_mass:
                for _ in range(pack[p]):
                    sold += max(above, 0.0)
                    x += 1
                    if x > 0:
                        mass *= slope + rise / x
                        above -= mass
                    elif x == 0:
                        above = 1.0 - mass
            else:
                after = loss_one(
                    family[p], mean[p], variance[p], float(start[p] + (k + 1) * pack[p])
                )
                sold = before - after
                before = after
            # Rounding keeps the order of values; only the sum may be off by a last digit.
            value = min(int(np.rint(sold * worth[p])), last)
            if value <= 0:
                break
            if at >= values.shape[0]:
                return p
            values[at] = value
            last = value
            at += 1
        offsets[p] = first
        offsets[p + 1] = at
    return mean.shape[0]


def sales_curves(
    demand: DemandDistribution,
    *,
    start: np.ndarray,
    pack_size: np.ndarray,
    margin_cents: np.ndarray,
    most: np.ndarray,
) -> Curves:
    """Return what each further pack at each place is worth in expected sales.

    Parameters
    ----------
    demand : DemandDistribution of length n
        What is asked for at each place until it can be supplied anew.
    start : (n,) int64
        Units there already, less what is owed.
    pack_size : (n,) int64
        Units per pack.
    margin_cents : (n,) float64
        Cents earned by selling a unit, or lost by not selling it.
    most : (n,) int64
        Packs after which a curve ends.

    Returns
    -------
    Curves
        Pack k is worth ``margin * (E[(D - x)+] - E[(D - x - pack)+])`` with ``x = start +
        k * pack``: for a pack of one unit, margin times P(D > x), which falls in x.

    Raises
    ------
    InputError
        If there would be too many packs to look at one by one.

    Examples
    --------
    >>> demand = DemandDistribution.from_moments([2.0], [2.0])
    >>> one = np.array([1])
    >>> sales_curves(
    ...     demand, start=one * 0, pack_size=one, margin_cents=one * 100.0, most=one * 3
    ... ).values
    array([864665, 593994, 323324])
    """
    terms = (
        demand.family.astype(np.int64),
        demand.mean,
        demand.variance,
        np.ascontiguousarray(start, dtype=np.int64),
        np.ascontiguousarray(pack_size, dtype=np.int64),
        np.ascontiguousarray(margin_cents, dtype=np.float64) * MONEY_STEPS,
        np.ascontiguousarray(most, dtype=np.int64),
    )
    # A demand ends for all purposes within so many deviations, so curves are no longer.
    last = demand.mean + 12.0 * np.sqrt(demand.variance) + 50.0
    long = np.minimum(np.maximum(last - start, 0.0) / pack_size, most)
    if float(long.sum()) > _MOST_PACKS:
        raise InputError(
            f"about {long.sum():.0f} packs would be valued one by one, more than {_MOST_PACKS}; "
            "count in larger packs"
        )
    offsets = np.zeros(len(demand) + 1, dtype=np.int64)
    values = np.empty(16 * len(demand) + 1024, dtype=np.int64)
    done = 0
    while True:
        done = sales_values_into(values, offsets, done, *terms)
        if done == len(demand):
            break
        longer = np.empty(2 * len(values), dtype=np.int64)
        longer[: offsets[done]] = values[: offsets[done]]
        values = longer
    return Curves(values[: offsets[-1]].copy(), offsets)


@lean_kernel
def packs_worth(values, first, last, threshold):
    """Return how many of the falling ``values[first:last]`` reach ``threshold``."""
    low = first
    high = last
    while low < high:
        middle = (low + high) // 2
        if values[middle] >= threshold:
            low = middle + 1
        else:
            high = middle
    return low - first


@lean_kernel
def take_best_into(taken, supply, claim_offsets, least, most, values, value_offsets):
    """Fill ``taken[p]`` with packs so that those beyond ``least`` are the most valuable.

    Values fall along each claim, so the best set of packs is every claim's first ones down
    to one threshold: any other set leaves out a pack worth at least as much as one it has,
    and the exchange loses nothing (Fox, 1966). The threshold is found by bisection. Packs
    worth nothing stay. Where packs of the threshold's value are too many, claims take them
    in turns, in their order.

    Needs ``least <= most``, ``most`` within the curves or ``least``, and the sum of
    ``least`` within the supply.
    """
    for s in range(supply.shape[0]):
        first, last = claim_offsets[s], claim_offsets[s + 1]
        left = supply[s]
        worthy = 0
        high = 1
        for p in range(first, last):
            taken[p] = least[p]
            left -= least[p]
            begin, end = value_offsets[p] + least[p], value_offsets[p] + most[p]
            if begin < end:
                worthy += packs_worth(values, begin, end, 1)
                high = max(high, values[begin] + 1)
        low = 1
        # At ``low`` enough packs qualify, at ``high`` too few.
        while worthy > left and high - low > 1:
            middle = (low + high) // 2
            count = 0
            for p in range(first, last):
                begin, end = value_offsets[p] + least[p], value_offsets[p] + most[p]
                count += packs_worth(values, begin, end, middle)
            if count >= left:
                low = middle
            else:
                high = middle
        above = low + 1 if worthy > left else 1
        for p in range(first, last):
            begin, end = value_offsets[p] + least[p], value_offsets[p] + most[p]
            count = packs_worth(values, begin, end, above)
            taken[p] += count
            left -= count
        while worthy > 0 and above > 1 and left > 0:
            before = left
            for p in range(first, last):
                if left > 0 and taken[p] < most[p] and values[value_offsets[p] + taken[p]] == low:
                    taken[p] += 1
                    left -= 1
            if left == before:
                break
