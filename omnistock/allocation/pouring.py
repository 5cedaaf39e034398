"""Water-filling kernels: from claims and supplies to grants.

Axes: s = SKU (one scarce supply), p = claim, c = claim within its SKU, g = group of
claims within a SKU. The claims of SKU ``s`` are ``offsets[s]:offsets[s + 1]`` of every
claim array. Everything is ``int64``.

A SKU's supply is poured in stages. Each raises what the claims have towards a ceiling,
tier by tier, and the supply runs out in one of them: consumed, kept up to the guarantee,
kept, guarantees, group floors (innermost first), requests.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from omnistock.allocation.kernels import (
    BASIS,
    ID,
    LOWER,
    SHARE,
    TIER_GROUP,
    UPPER,
    WEIGHT,
    WORK_ROWS,
    fill_tier_into,
    share_into,
)
from omnistock.numerics.compiled import inner_kernel, lean_kernel

__all__ = [
    "FILL_RATE",
    "GROUP_STAGE",
    "MAX_MIN",
    "PROPORTIONAL",
    "STAGES",
    "Claims",
    "Division",
    "Groups",
    "water_fill_into",
]

MAX_MIN, FILL_RATE, PROPORTIONAL = 0, 1, 2
# What each stage grants for, in the order of pouring.
STAGES = ("consumed", "kept", "guaranteed", "for_group", "shared")
_KEPT_STAGE, _GUARANTEE_STAGE, GROUP_STAGE, _SHARE_STAGE = 1, 2, 3, 4

# Work rows over all claims of one SKU, in packs; the request in units.
_HAVE, _CEILING, _REQUEST, _MOST, _GUARANTEE, _KEPT = 0, 1, 2, 3, 4, 5


class Claims(NamedTuple):
    """Who asks for what: int64 arrays over claims, or over one SKU's claims if shared."""

    offsets: np.ndarray  # (n_skus + 1,)
    requested: np.ndarray
    guarantee: np.ndarray
    weight: np.ndarray
    tier: np.ndarray
    consumed: np.ndarray  # empty: nothing
    kept: np.ndarray  # empty: nothing
    shared_weight: bool
    shared_tier: bool


class Groups(NamedTuple):
    """Floors of groups, inner groups first; members are numbers of claims within the SKU.

    Groups of one level have no member in common, and those inside a group have lower levels.
    """

    offsets: np.ndarray  # (n_skus + 1,) into floor
    floor: np.ndarray  # units
    level: np.ndarray  # like member_offsets
    member_offsets: np.ndarray
    members: np.ndarray
    shared_members: bool  # levels and member lists of one SKU stand for all


@inner_kernel
def next_tier(tier: np.ndarray, first: int, n_claims: int, after: int) -> int:
    """Return the smallest tier above ``after``, or ``after`` if there is none."""
    found: int = after
    for p in range(first, first + n_claims):
        if tier[p] > after and (found == after or tier[p] < found):
            found = tier[p]
    return found


@inner_kernel
def pour_into(
    work: np.ndarray,
    claims: Claims,
    start: int,
    n_claims: int,
    amount: int,
    rule: int,
    basis_row: int,
    past_guarantee: bool,
) -> None:
    """Raise what one SKU's claims have towards their ceilings by ``amount``, tier by tier."""
    weight_start = 0 if claims.shared_weight else start
    tier_start = 0 if claims.shared_tier else start
    # Proportional shares come on top of the guarantee, the other rules count it in.
    stacked = rule == PROPORTIONAL and past_guarantee
    left = amount
    current = 0
    while left > 0:
        following = next_tier(claims.tier, tier_start, n_claims, current)
        if following == current:
            break
        current = following
        room = 0
        base = 0
        n_members = 0
        for c in range(n_claims):
            have, ceiling = work[_HAVE, c], work[_CEILING, c]
            if claims.tier[tier_start + c] != current or ceiling == have:
                continue
            on_top = min(work[_GUARANTEE, c], have) if stacked else 0
            basis = work[basis_row, c] if rule == FILL_RATE else 1
            work[TIER_GROUP + ID, n_members] = c
            work[TIER_GROUP + LOWER, n_members] = have - on_top
            work[TIER_GROUP + UPPER, n_members] = ceiling - on_top
            work[TIER_GROUP + BASIS, n_members] = basis
            work[TIER_GROUP + WEIGHT, n_members] = claims.weight[weight_start + c] * basis
            room += ceiling - have
            base += have - on_top
            n_members += 1
        if room > left:
            fill_tier_into(work, n_members, left + base)
        for k in range(n_members):
            c = work[TIER_GROUP + ID, k]
            if room <= left:
                work[_HAVE, c] = work[_CEILING, c]
            else:
                on_top = min(work[_GUARANTEE, c], work[_HAVE, c]) if stacked else 0
                work[_HAVE, c] = work[TIER_GROUP + SHARE, k] + on_top
        left -= min(room, left)


@inner_kernel
def raise_to(
    work: np.ndarray,
    claims: Claims,
    start: int,
    n_claims: int,
    left: int,
    rule: int,
    towards: int,
    is_guarantee: bool,
) -> int:
    """Raise all claims to the row ``towards``, or pour what is ``left``; return what then is."""
    need = 0
    for c in range(n_claims):
        ceiling = max(work[towards, c], work[_HAVE, c])
        work[_CEILING, c] = ceiling
        need += ceiling - work[_HAVE, c]
    if need <= left:
        for c in range(n_claims):
            work[_HAVE, c] = work[_CEILING, c]
        return left - need
    # A guarantee that cannot be kept in full stands as a request of its own.
    basis = _CEILING if is_guarantee else _REQUEST
    pour_into(work, claims, start, n_claims, left, rule, basis, not is_guarantee)
    return 0


@inner_kernel
def share_missing(work: np.ndarray, n_groups: int, left: int) -> None:
    """Cut what groups miss, in the row of kept units, down to ``left`` in proportion."""
    n_members = 0
    for k in range(n_groups):
        if work[_KEPT, k] > 0:
            work[TIER_GROUP + ID, n_members] = k
            work[TIER_GROUP + LOWER, n_members] = 0
            work[TIER_GROUP + UPPER, n_members] = work[_KEPT, k]
            work[TIER_GROUP + WEIGHT, n_members] = work[_KEPT, k]
            n_members += 1
    share_into(work, TIER_GROUP, n_members, left)
    for m in range(n_members):
        work[_KEPT, work[TIER_GROUP + ID, m]] = work[TIER_GROUP + SHARE, m]


@inner_kernel
def raise_groups(
    work: np.ndarray,
    claims: Claims,
    groups: Groups,
    s: int,
    n_claims: int,
    left: int,
    rule: int,
    pack: int,
) -> int:
    """Raise each group of SKU ``s`` to its floor, as far as its members ask for it.

    Inner groups come first, so what they have counts for the groups around them. Groups of
    one level that cannot all be raised share what is left in proportion to what they miss.
    """
    first = groups.offsets[s]
    n_groups = groups.offsets[s + 1] - first
    lists = 0 if groups.shared_members else first
    start = claims.offsets[s]
    begin = 0
    while begin < n_groups and left > 0:
        end = begin
        total = 0
        while end < n_groups and groups.level[lists + end] == groups.level[lists + begin]:
            have = 0
            most = 0
            for m in range(
                groups.member_offsets[lists + end], groups.member_offsets[lists + end + 1]
            ):
                have += work[_HAVE, groups.members[m]]
                most += work[_MOST, groups.members[m]]
            floor = (groups.floor[first + end] + pack - 1) // pack
            missing = max(min(floor, most) - have, 0)
            # Groups of one level are at most as many as claims, so the row has room.
            work[_KEPT, end - begin] = missing
            total += missing
            end += 1
        if total > left:
            share_missing(work, end - begin, left)
        for g in range(begin, end):
            missing = work[_KEPT, g - begin]
            if missing > 0:
                for c in range(n_claims):
                    work[_CEILING, c] = work[_HAVE, c]
                for m in range(
                    groups.member_offsets[lists + g], groups.member_offsets[lists + g + 1]
                ):
                    c = groups.members[m]
                    work[_CEILING, c] = work[_MOST, c]
                pour_into(work, claims, start, n_claims, missing, rule, _REQUEST, True)
                left -= missing
        begin = end
    return left


@inner_kernel
def read_claims(work: np.ndarray, claims: Claims, start: int, n_claims: int, pack: int) -> int:
    """Write one SKU's claims into ``work`` in packs; return the packs asked for in all."""
    asked = 0
    for c in range(n_claims):
        p = start + c
        claim = claims.requested[p]
        most = claim // pack if pack > 1 else claim
        floor = claims.guarantee[p]
        if claims.consumed.size:
            # What is consumed cannot be taken back, not even a part of a pack.
            used = (claims.consumed[p] + pack - 1) // pack
            most = max(most, used)
            work[_HAVE, c] = used
        else:
            work[_HAVE, c] = 0
        if floor > 0:
            # A guarantee is a least quantity, so it is rounded up to packs.
            floor = min((floor + pack - 1) // pack if pack > 1 else floor, most)
        work[_REQUEST, c] = claim
        work[_MOST, c] = most
        work[_GUARANTEE, c] = floor
        asked += most
    return asked


@inner_kernel
def raise_kept(
    work: np.ndarray, claims: Claims, start: int, n_claims: int, left: int, rule: int, pack: int
) -> int:
    """Give claims what they were granted before, guaranteed units first; return what is left."""
    for c in range(n_claims):
        kept = min(claims.kept[start + c] // pack, work[_MOST, c])
        work[_KEPT, c] = min(kept, work[_GUARANTEE, c])
    left = raise_to(work, claims, start, n_claims, left, rule, _KEPT, True)
    if left > 0:
        for c in range(n_claims):
            work[_KEPT, c] = min(claims.kept[start + c] // pack, work[_MOST, c])
        left = raise_to(work, claims, start, n_claims, left, rule, _KEPT, False)
    return left


@lean_kernel
def water_fill_into(
    granted: np.ndarray,
    supply: np.ndarray,
    pack_size: np.ndarray,
    claims: Claims,
    groups: Groups,
    rule: int,
    last_stage: int,
    work: np.ndarray,
) -> None:
    """Fill ``granted[p]`` with the units that claim ``p`` gets of its SKU's supply.

    The supply covers what is consumed, and kept units and requests include it. Stages
    after ``last_stage`` are left out, to tell what each of them grants.
    """
    for s in range(supply.size):
        start = claims.offsets[s]
        n_claims = claims.offsets[s + 1] - start
        pack = pack_size[s]
        left = supply[s] // pack if pack > 1 else supply[s]
        asked = read_claims(work, claims, start, n_claims, pack)
        if asked <= left and last_stage >= _SHARE_STAGE:
            for c in range(n_claims):
                work[_HAVE, c] = work[_MOST, c]
            left = 0
        elif claims.consumed.size:
            for c in range(n_claims):
                left -= work[_HAVE, c]
        if left > 0 and claims.kept.size and last_stage >= _KEPT_STAGE:
            left = raise_kept(work, claims, start, n_claims, left, rule, pack)
        if left > 0 and last_stage >= _GUARANTEE_STAGE:
            left = raise_to(work, claims, start, n_claims, left, rule, _GUARANTEE, True)
        if left > 0 and groups.floor.size and last_stage >= GROUP_STAGE:
            left = raise_groups(work, claims, groups, s, n_claims, left, rule, pack)
        if left > 0 and last_stage >= _SHARE_STAGE:
            raise_to(work, claims, start, n_claims, left, rule, _MOST, False)
        for c in range(n_claims):
            granted[start + c] = work[_HAVE, c] * pack


class Division(NamedTuple):
    """One question: supplies in units, packs, claims and groups, and the rule."""

    supply: np.ndarray
    pack_size: np.ndarray
    claims: Claims
    groups: Groups
    rule: int

    def granted(self, last_stage: int = _SHARE_STAGE) -> np.ndarray:
        """Return the units of each claim, leaving out stages after ``last_stage``."""
        widest = int(np.diff(self.claims.offsets).max(initial=1))
        work = np.zeros((WORK_ROWS, max(widest, 1)), dtype=np.int64)
        granted = np.empty(len(self.claims.requested), dtype=np.int64)
        water_fill_into(granted, *self, last_stage, work)
        return granted
