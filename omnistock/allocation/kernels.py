"""Water-filling kernels.

Axes: s = SKU (one scarce supply), p = claim, c = claim within its SKU. The claims
of SKU ``s`` are ``offsets[s]:offsets[s + 1]`` of every claim array. Everything is
``int64``; no float decides anything, so equal inputs give equal units everywhere.

The workspace ``work`` has :data:`WORK_ROWS` rows, as wide as the most claims of one
SKU. It is passed whole, with row numbers, since views of rows cost more than the sums.
"""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import kernel

__all__ = ["FILL_RATE", "MAX_MIN", "PROPORTIONAL", "WORK_ROWS", "water_fill_into"]

MAX_MIN, FILL_RATE, PROPORTIONAL = 0, 1, 2

# Below this an int64 product cannot overflow, whatever the rounding of the float estimate.
_SAFE_PRODUCT = 4.0e18
# Marks in the row of remainders; a real remainder is never negative.
_AT_LOWER, _AT_UPPER, _TAKEN = -1, -2, -3
_SEARCH_FROM = 32
_GUESSES = 8

# Work rows over all claims of one SKU, in packs.
_FLOOR, _CEILING, _REQUEST = 0, 1, 2
# Work rows of a group that divides an amount, counted from the group's first row.
_ID, _LOWER, _UPPER, _WEIGHT, _BASIS, _SHARE, _REMAINDER = 0, 1, 2, 3, 4, 5, 6
_TIER_GROUP, _SUBGROUP = 3, 10
WORK_ROWS = 17


@kernel
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


@kernel
def hand_out_rest(work: np.ndarray, group: int, n_members: int, rest: int) -> None:
    """Give one more unit to each of the ``rest`` largest remainders, ties to the first."""
    share, remainder = group + _SHARE, group + _REMAINDER
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


@kernel
def guess_level(work: np.ndarray, group: int, n_members: int, amount: int) -> float:
    """Newton's guess of the level at which clipped shares sum to ``amount``; not exact."""
    lower, upper, weight = group + _LOWER, group + _UPPER, group + _WEIGHT
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


@kernel
def settle_at(work: np.ndarray, group: int, n_members: int, amount: int, level: float) -> bool:
    """Fill shares as if ``level`` told who is at a bound; return whether exact sums agree.

    Those whom it puts at a bound must be at or past it at the exact level of the
    others, and the others within theirs. Remainders are set as for the rounding.
    """
    lower, upper, weight = group + _LOWER, group + _UPPER, group + _WEIGHT
    share, remainder = group + _SHARE, group + _REMAINDER
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


@kernel
def settle_exactly(work: np.ndarray, group: int, n_members: int, amount: int) -> None:
    """Fill shares and remainders in integers alone, settling at least one member a pass.

    Bitran and Hax (1981): at the level that would share ``left`` without bounds,
    compare the clipped sum with ``left``. Too much means the level falls, so members
    under their lower bound stay there; too little means it rises, so full members
    stay full.
    """
    lower, upper, weight = group + _LOWER, group + _UPPER, group + _WEIGHT
    share, remainder = group + _SHARE, group + _REMAINDER
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


@kernel
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
        rest -= work[group + _SHARE, k]
    if rest > 0:
        hand_out_rest(work, group, n_members, rest)


@kernel
def set_aside(work: np.ndarray, n_members: int, amount: int, needed: int) -> tuple[int, int]:
    """Settle part of a tier that has members of weight 0, and make a group of the rest.

    Either the weighted members all get full and the idle ones divide what is left,
    or the idle ones stay at their lower bounds and the weighted ones divide.
    Returns the size of the group and what it has to divide.
    """
    lower, upper = _TIER_GROUP + _LOWER, _TIER_GROUP + _UPPER
    weight, share = _TIER_GROUP + _WEIGHT, _TIER_GROUP + _SHARE
    weighted_full = needed <= amount
    n_group = 0
    left = amount
    for k in range(n_members):
        if (work[weight, k] > 0) == weighted_full:
            work[share, k] = work[upper, k] if weighted_full else work[lower, k]
            left -= work[share, k]
        else:
            factor = work[_TIER_GROUP + _BASIS, k] if weighted_full else work[weight, k]
            work[_SUBGROUP + _ID, n_group] = k
            work[_SUBGROUP + _LOWER, n_group] = work[lower, k]
            work[_SUBGROUP + _UPPER, n_group] = work[upper, k]
            work[_SUBGROUP + _WEIGHT, n_group] = factor
            n_group += 1
    return n_group, left


@kernel
def fill_tier_into(work: np.ndarray, n_members: int, amount: int) -> None:
    """Share ``amount`` in one tier: weighted members first, those of weight 0 from the rest."""
    needed = 0
    n_weighted = 0
    for k in range(n_members):
        if work[_TIER_GROUP + _WEIGHT, k] > 0:
            needed += work[_TIER_GROUP + _UPPER, k]
            n_weighted += 1
        else:
            needed += work[_TIER_GROUP + _LOWER, k]
    group, n_group, left = _TIER_GROUP, n_members, amount
    if n_weighted < n_members:
        group = _SUBGROUP
        n_group, left = set_aside(work, n_members, amount, needed)
    share_into(work, group, n_group, left)
    if n_weighted < n_members:
        for n in range(n_group):
            member = work[_SUBGROUP + _ID, n]
            work[_TIER_GROUP + _SHARE, member] = work[_SUBGROUP + _SHARE, n]


@kernel
def next_tier(tier: np.ndarray, first: int, n_claims: int, after: int) -> int:
    """Return the smallest tier above ``after``, or ``after`` if there is none."""
    found: int = after
    for p in range(first, first + n_claims):
        if tier[p] > after and (found == after or tier[p] < found):
            found = tier[p]
    return found


@kernel
def pour_into(
    granted: np.ndarray,
    weight: np.ndarray,
    tier: np.ndarray,
    start: int,
    weight_start: int,
    tier_start: int,
    n_claims: int,
    amount: int,
    rule: int,
    work: np.ndarray,
) -> None:
    """Raise one SKU's ``granted`` from the floors towards the ceilings, tier by tier.

    ``amount`` is what may be added to the floors; all in packs.
    """
    left = amount
    current = 0
    while left > 0:
        following = next_tier(tier, tier_start, n_claims, current)
        if following == current:
            break
        current = following
        room = 0
        base = 0
        n_members = 0
        for c in range(n_claims):
            if tier[tier_start + c] != current or work[_CEILING, c] == 0:
                continue
            # Proportional shares come on top of the floor, the other rules count it in.
            on_top = work[_FLOOR, c] if rule == PROPORTIONAL else 0
            lower = work[_FLOOR, c] - on_top
            upper = work[_CEILING, c] - on_top
            basis = work[_REQUEST, c] if rule == FILL_RATE else 1
            work[_TIER_GROUP + _ID, n_members] = c
            work[_TIER_GROUP + _LOWER, n_members] = lower
            work[_TIER_GROUP + _UPPER, n_members] = upper
            work[_TIER_GROUP + _BASIS, n_members] = basis
            work[_TIER_GROUP + _WEIGHT, n_members] = weight[weight_start + c] * basis
            room += upper - lower
            base += lower
            n_members += 1
        if room > left:
            fill_tier_into(work, n_members, left + base)
        for k in range(n_members):
            c = work[_TIER_GROUP + _ID, k]
            if room <= left:
                granted[start + c] = work[_CEILING, c]
            else:
                on_top = work[_FLOOR, c] if rule == PROPORTIONAL else 0
                granted[start + c] = work[_TIER_GROUP + _SHARE, k] + on_top
        left -= min(room, left)


@kernel
def water_fill_into(
    granted: np.ndarray,
    supply: np.ndarray,
    offsets: np.ndarray,
    requested: np.ndarray,
    guarantee: np.ndarray,
    weight: np.ndarray,
    tier: np.ndarray,
    pack_size: np.ndarray,
    shared_weight: bool,
    shared_tier: bool,
    rule: int,
    work: np.ndarray,
) -> None:
    """Fill ``granted[p]`` with the units that claim ``p`` gets of its SKU's supply.

    Guarantees come first, tier by tier, then the rest, tier by tier. With
    ``shared_weight`` (``shared_tier``) the array holds one SKU's claims and
    stands for all SKUs.
    """
    for s in range(supply.size):
        start = offsets[s]
        n_claims = offsets[s + 1] - start
        pack = pack_size[s]
        packs = supply[s] // pack
        asked = 0
        promised = 0
        for c in range(n_claims):
            claim = requested[start + c]
            ceiling = claim // pack if pack > 1 else claim
            floor = guarantee[start + c]
            if floor > 0:
                # A guarantee is a least quantity, so it is rounded up to packs.
                floor = min((floor + pack - 1) // pack if pack > 1 else floor, ceiling)
            work[_REQUEST, c] = claim
            work[_CEILING, c] = ceiling
            work[_FLOOR, c] = floor
            asked += ceiling
            promised += floor
        if promised > packs:
            # Guarantees alone exceed the supply: each stands as a request of its own.
            promised = 0
            for c in range(n_claims):
                work[_REQUEST, c] = work[_FLOOR, c]
                work[_CEILING, c] = work[_FLOOR, c]
                work[_FLOOR, c] = 0
        filled = _CEILING if asked <= packs else _FLOOR
        for c in range(n_claims):
            granted[start + c] = work[filled, c]
        if asked > packs:
            weight_start = 0 if shared_weight else start
            tier_start = 0 if shared_tier else start
            left = packs - promised
            pour_into(
                granted, weight, tier, start, weight_start, tier_start, n_claims, left, rule, work
            )
        if pack > 1:
            for c in range(n_claims):
                granted[start + c] *= pack
