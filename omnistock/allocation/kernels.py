"""Kernels that divide one amount among the members of one tier.

Axis: k = member. Everything is ``int64``; no float decides anything, so equal inputs
give equal units everywhere.

The workspace ``work`` has :data:`WORK_ROWS` rows, as wide as the most claims of one
SKU. It is passed whole, with row numbers, since views of rows cost more than the sums.
"""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import lean_kernel

__all__ = [
    "BASIS",
    "CLAIM_ROWS",
    "ID",
    "LOWER",
    "SHARE",
    "TIER_GROUP",
    "UPPER",
    "WEIGHT",
    "WORK_ROWS",
    "fill_tier_into",
    "share_into",
]

# Below this an int64 product cannot overflow, whatever the rounding of the float estimate.
_SAFE_PRODUCT = 4.0e18
# Marks in the row of remainders; a real remainder is never negative.
_AT_LOWER, _AT_UPPER, _TAKEN = -1, -2, -3
_SEARCH_FROM = 32
_GUESSES = 8

# Rows that the caller keeps for itself.
CLAIM_ROWS = 6
# Work rows of a group that divides an amount, counted from the group's first row.
ID, LOWER, UPPER, WEIGHT, BASIS, SHARE, REMAINDER = 0, 1, 2, 3, 4, 5, 6
TIER_GROUP, SUBGROUP = CLAIM_ROWS, CLAIM_ROWS + 7
WORK_ROWS = CLAIM_ROWS + 14


@lean_kernel
def divide_product(factor: int, amount: int, total: int) -> tuple[int, int]:
    """Quotient and remainder of ``factor * amount / total``, exact for any int64 product.

    Needs ``0 <= factor <= total < 2**61`` and ``0 <= amount < 2**48``.
    """
    if float(factor) * float(amount) < _SAFE_PRODUCT:
        product = factor * amount
        # A float division is several times faster than an integer one, and off by one at most.
        quotient = int(float(product) / float(total))
        remainder = product - quotient * total
        if remainder < 0:
            return quotient - 1, remainder + total
        if remainder >= total:
            return quotient + 1, remainder - total
        return quotient, remainder

    quotient = 0
    remainder = 0
    for bit in range(48, -1, -1):
        quotient *= 2
        remainder *= 2
        if remainder >= total:
            quotient += 1
            remainder -= total
        if (amount >> bit) & 1:
            remainder += factor
            if remainder >= total:
                quotient += 1
                remainder -= total
    return quotient, remainder


@lean_kernel
def hand_out_rest(work: np.ndarray, group: int, n_members: int, rest: int) -> None:
    """Give one more unit to each of the ``rest`` largest remainders, ties to the first."""
    share, remainder = group + SHARE, group + REMAINDER
    if n_members < _SEARCH_FROM:
        for _ in range(rest):
            best = 0
            for k in range(1, n_members):
                if work[remainder, k] > work[remainder, best]:
                    best = k
            work[share, best] += 1
            work[remainder, best] = _TAKEN
        return

    # The largest threshold that at least ``rest`` remainders reach, by bisection.
    reached, missed = 0, 2**61
    while missed - reached > 1:
        middle = (reached + missed) // 2
        count = 0
        for k in range(n_members):
            count += work[remainder, k] >= middle
        if count >= rest:
            reached = middle
        else:
            missed = middle
    left = rest
    for k in range(n_members):
        if work[remainder, k] > reached:
            work[share, k] += 1
            left -= 1
    for k in range(n_members):
        if left > 0 and work[remainder, k] == reached:
            work[share, k] += 1
            left -= 1


@lean_kernel
def guess_level(work: np.ndarray, group: int, n_members: int, amount: int) -> float:
    """Newton's guess of the level at which clipped shares sum to ``amount``; not exact."""
    lower, upper, weight = group + LOWER, group + UPPER, group + WEIGHT
    total = 0.0
    for k in range(n_members):
        total += work[weight, k]
    level = amount / total
    before = -1.0
    for _ in range(_GUESSES):
        clipped = 0.0
        active = 0.0
        for k in range(n_members):
            factor = float(work[weight, k])
            one = factor * level
            low, high = float(work[lower, k]), float(work[upper, k])
            clipped += min(max(one, low), high)
            active += factor if (one > low) & (one < high) else 0.0
        if active == 0.0:
            break
        level += (amount - clipped) / active
        # The same members between their bounds as before: the step was the last.
        if active == before:
            break
        before = active
    return level


@lean_kernel
def settle_at(work: np.ndarray, group: int, n_members: int, amount: int, level: float) -> bool:
    """Fill shares as if ``level`` told who is at a bound; return whether exact sums agree.

    Those whom it puts at a bound must be at or past it at the exact level of the
    others, and the others within theirs. Remainders are set as for the rounding.
    """
    lower, upper, weight = group + LOWER, group + UPPER, group + WEIGHT
    share, remainder = group + SHARE, group + REMAINDER
    left = amount
    total = 0
    for k in range(n_members):
        one = work[weight, k] * level
        if one <= work[lower, k]:
            left -= work[lower, k]
            work[remainder, k] = _AT_LOWER
        elif one >= work[upper, k]:
            left -= work[upper, k]
            work[remainder, k] = _AT_UPPER
        else:
            total += work[weight, k]
            work[remainder, k] = 0
    if total == 0 or left < 0:
        return False

    agrees = True
    for k in range(n_members):
        place = work[remainder, k]
        quotient, fraction = divide_product(work[weight, k], left, total)
        if place == _AT_LOWER:
            agrees &= quotient < work[lower, k] or (quotient == work[lower, k] and fraction == 0)
            work[share, k] = work[lower, k]
        elif place == _AT_UPPER:
            agrees &= quotient >= work[upper, k]
            work[share, k] = work[upper, k]
        else:
            agrees &= quotient >= work[lower, k]
            agrees &= quotient < work[upper, k] or (quotient == work[upper, k] and fraction == 0)
            work[share, k] = quotient
            work[remainder, k] = fraction
    return agrees


@lean_kernel
def settle_exactly(work: np.ndarray, group: int, n_members: int, amount: int) -> None:
    """Fill shares and remainders in integers alone, settling at least one member a pass.

    Bitran and Hax (1981): at the level that would share ``left`` without bounds,
    compare the clipped sum with ``left``. Too much means the level falls, so members
    under their lower bound stay there; too little means it rises, so full members
    stay full.
    """
    lower, upper, weight = group + LOWER, group + UPPER, group + WEIGHT
    share, remainder = group + SHARE, group + REMAINDER
    left = amount
    total = 0
    for k in range(n_members):
        total += work[weight, k]
        work[remainder, k] = 0

    while total > 0:
        # The clipped sum exceeds what is left by excess - fractions / total.
        excess = 0
        fractions = 0
        for k in range(n_members):
            if work[remainder, k] < 0:
                continue
            quotient, fraction = divide_product(work[weight, k], left, total)
            work[share, k] = quotient
            work[remainder, k] = fraction
            if quotient < work[lower, k]:
                excess += work[lower, k] - quotient
                fractions += fraction
            elif quotient >= work[upper, k]:
                excess += work[upper, k] - quotient
                fractions += fraction
        # fractions < n_members * total, and that product fits.
        falls = excess >= n_members or (excess > 0 and excess * total > fractions)
        exact = 0 <= excess < n_members and excess * total == fractions
        settled_weight = 0
        for k in range(n_members):
            if work[remainder, k] < 0:
                continue
            bound = lower if (falls or exact) and work[share, k] < work[lower, k] else -1
            if not falls and work[share, k] >= work[upper, k]:
                bound = upper
            if bound >= 0:
                work[share, k] = work[bound, k]
                work[remainder, k] = _AT_LOWER if bound == lower else _AT_UPPER
                left -= work[bound, k]
                settled_weight += work[weight, k]
        total -= settled_weight
        if exact or settled_weight == 0:
            break


@lean_kernel
def share_into(work: np.ndarray, group: int, n_members: int, amount: int) -> None:
    """Fill the group's shares with ``clip(level * weight, lower, upper)``, summing to ``amount``.

    Needs ``sum(lower) <= amount <= sum(upper)`` and every weight > 0. A float guess
    mostly finds who is at a bound at once, but only exact sums may confirm it.
    Fractions are rounded by largest remainder.
    """
    level = guess_level(work, group, n_members, amount)
    if not settle_at(work, group, n_members, amount, level):
        settle_exactly(work, group, n_members, amount)
    rest = amount
    for k in range(n_members):
        rest -= work[group + SHARE, k]
    if rest > 0:
        hand_out_rest(work, group, n_members, rest)


@lean_kernel
def set_aside(work: np.ndarray, n_members: int, amount: int, needed: int) -> tuple[int, int]:
    """Settle part of a tier that has members of weight 0, and make a group of the rest.

    Either the weighted members all get full and the idle ones divide what is left,
    or the idle ones stay at their lower bounds and the weighted ones divide.
    Returns the size of the group and what it has to divide.
    """
    lower, upper = TIER_GROUP + LOWER, TIER_GROUP + UPPER
    weight, share = TIER_GROUP + WEIGHT, TIER_GROUP + SHARE
    weighted_full = needed <= amount
    n_group = 0
    left = amount
    for k in range(n_members):
        if (work[weight, k] > 0) == weighted_full:
            work[share, k] = work[upper, k] if weighted_full else work[lower, k]
            left -= work[share, k]
        else:
            factor = work[TIER_GROUP + BASIS, k] if weighted_full else work[weight, k]
            work[SUBGROUP + ID, n_group] = k
            work[SUBGROUP + LOWER, n_group] = work[lower, k]
            work[SUBGROUP + UPPER, n_group] = work[upper, k]
            work[SUBGROUP + WEIGHT, n_group] = factor
            n_group += 1
    return n_group, left


@lean_kernel
def fill_tier_into(work: np.ndarray, n_members: int, amount: int) -> None:
    """Share ``amount`` in one tier: weighted members first, those of weight 0 from the rest."""
    needed = 0
    n_weighted = 0
    for k in range(n_members):
        if work[TIER_GROUP + WEIGHT, k] > 0:
            needed += work[TIER_GROUP + UPPER, k]
            n_weighted += 1
        else:
            needed += work[TIER_GROUP + LOWER, k]
    group, n_group, left = TIER_GROUP, n_members, amount
    if n_weighted < n_members:
        group = SUBGROUP
        n_group, left = set_aside(work, n_members, amount, needed)
    share_into(work, group, n_group, left)
    if n_weighted < n_members:
        for n in range(n_group):
            member = work[SUBGROUP + ID, n]
            work[TIER_GROUP + SHARE, member] = work[SUBGROUP + SHARE, n]
