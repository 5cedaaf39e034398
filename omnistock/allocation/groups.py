"""Groups of claimants with floors of their own, nested in one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnistock.allocation.inputs import check_range, integers
from omnistock.allocation.pouring import Groups
from omnistock.errors import InputError

__all__ = ["Group", "check_nested", "group_rows", "no_groups", "ragged"]


@dataclass(frozen=True, slots=True)
class Group:
    """Least units for several claimants together.

    Attributes
    ----------
    members : sequence of int
        Columns of the claimants, from 0.
    floor : int or (n_skus,) int
        Units that they get together, as far as they ask for them and supply reaches.

    Examples
    --------
    >>> from omnistock.allocation import water_fill
    >>> europe = Group([0, 1], floor=60)
    >>> water_fill([100], [[80, 80, 80]], weight=[1, 1, 8], groups=[europe]).granted
    array([[30, 30, 40]])
    """

    members: Sequence[int]
    floor: Any


def no_groups() -> Groups:
    """Return no groups, for any number of SKUs."""
    nothing = np.empty(0, dtype=np.int64)
    return Groups(nothing, nothing, nothing, nothing, nothing, True)


def ragged(lists: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the offsets and the values of lists of whole numbers."""
    lengths = np.array([0, *(len(one) for one in lists)], dtype=np.int64)
    values = np.array([member for one in lists for member in one], dtype=np.int64)
    return np.cumsum(lengths), values


def check_nested(lists: Sequence[frozenset[int]], names: Sequence[str]) -> None:
    """Raise unless any two groups are apart or one lies inside the other."""
    for k, one in enumerate(lists):
        for j, other in enumerate(lists[:k]):
            if one & other and not (one <= other or other <= one):
                raise InputError(
                    f"groups {names[j]} and {names[k]} overlap without one lying inside the "
                    "other; split them, or make one part of the other"
                )


def group_rows(groups: Sequence[Group], n_skus: int, n_claims: int) -> Groups:
    """Check groups that stand over all SKUs and lay them out, inner groups first.

    Raises
    ------
    InputError
        If a member is no column, a group is empty, two groups overlap without one lying
        inside the other, or a floor is no whole number >= 0 per SKU.
    """
    if not groups:
        return no_groups()
    floors = np.empty((n_skus, len(groups)), dtype=np.int64)
    lists: list[frozenset[int]] = []
    for k, group in enumerate(groups):
        members = integers(f"groups[{k}].members", group.members)
        if not members.size or members.min() < 0 or members.max() >= n_claims:
            raise InputError(f"groups[{k}].members must be columns 0..{n_claims - 1}, one or more")
        floor = integers(f"groups[{k}].floor", group.floor)
        if floor.shape not in ((), (n_skus,)):
            raise InputError(f"groups[{k}].floor must be one number or {n_skus}, one per SKU")
        check_range(f"groups[{k}].floor", floor, 0)
        floors[:, k] = floor
        lists.append(frozenset(members.tolist()))
    check_nested(lists, [str(k) for k in range(len(groups))])
    # Fewer members first: a group inside another never has more.
    order = sorted(range(len(lists)), key=lambda k: (len(lists[k]), k))
    level: list[int] = []
    for place, k in enumerate(order):
        inside = [level[j] for j in range(place) if lists[order[j]] & lists[k]]
        level.append(1 + max(inside, default=-1))
    # Sorted by level as well, so that groups of one level stand together.
    by_level = sorted(range(len(order)), key=lambda place: (level[place], order[place]))
    order = [order[place] for place in by_level]
    member_offsets, members = ragged([sorted(lists[k]) for k in order])
    return Groups(
        offsets=np.arange(n_skus + 1, dtype=np.int64) * len(groups),
        floor=np.ascontiguousarray(floors[:, order]).reshape(-1),
        level=np.array(sorted(level), dtype=np.int64),
        member_offsets=member_offsets,
        members=members,
        shared_members=True,
    )
