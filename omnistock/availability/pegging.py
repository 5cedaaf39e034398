"""Pegging: which supply serves which demand, so that every promise can name its source.

Axes: s = supply, d = demand, p = peg. All supplies are of one SKU and may serve all demands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omnistock.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["MODES", "NO_SUPPLY", "ON_HAND", "UNDATED", "Pegs", "peg"]

MODES = ("first_eta", "closest_eta")

# Bucket of supply that is there already, and of supply or demand that nobody has dated.
ON_HAND = -1
UNDATED = 2**31 - 1

NO_SUPPLY = -1


@dataclass(frozen=True, slots=True)
class Pegs:
    """Which supply gives how much to which demand; in the order of the demands.

    Attributes
    ----------
    demand : (n_pegs,) int64
        Row of the demand.
    supply : (n_pegs,) int64
        Row of the supply, or ``NO_SUPPLY`` for what no supply covers in time.
    units : (n_pegs,) int64
        At least 1. A demand's pegs add up to its units.
    """

    demand: np.ndarray
    supply: np.ndarray
    units: np.ndarray


def peg(
    supply_bucket: ArrayLike,
    supply_units: ArrayLike,
    demand_bucket: ArrayLike,
    demand_units: ArrayLike,
    *,
    mode: str = "first_eta",
) -> Pegs:
    """Peg demands to supplies that are there in time.

    Demands are served by due bucket and, where equal, by row. Both modes fill as many units
    as any way of pegging can.

    ``first_eta``
        Stock on hand first, then the supply that comes earliest.
    ``closest_eta``
        The latest supply that is still in time. A demand of next month then waits for next
        month's receipt, and stock on hand stays free for sale today: no way of pegging that
        fills as much uses less of it. (IBM Sterling Order Management 10.0, "Matching supply
        to demand", has both modes.)

    Parameters
    ----------
    supply_bucket : (n_supplies,) int64
        When each is there: a bucket from 0 on, ``ON_HAND``, or ``UNDATED``. Supplies of one
        bucket serve in the order of their rows.
    supply_units : (n_supplies,) int64
    demand_bucket : (n_demands,) int64
        When each is due. What is overdue is due in the current bucket. An ``UNDATED`` demand
        takes undated supply too.
    demand_units : (n_demands,) int64
    mode : {"first_eta", "closest_eta"}

    Returns
    -------
    Pegs

    Raises
    ------
    InputError
        If arrays do not hold integers of matching shapes, units are negative, a bucket lies
        before the first, or the mode is unknown.

    Examples
    --------
    Ten on hand and ten due in bucket 3; ten are wanted in bucket 5:

    >>> peg([ON_HAND, 3], [10, 10], [5], [10], mode="closest_eta").supply
    array([1])
    >>> peg([ON_HAND, 3], [10, 10], [5], [10], mode="first_eta").supply
    array([0])
    """
    if mode not in MODES:
        raise InputError(f"mode must be one of {MODES}, got {mode!r}")
    ready, left = _amounts("supply", supply_bucket, supply_units, ON_HAND)
    due, wanted = _amounts("demand", demand_bucket, demand_units, 0)
    # The next supply to serve is taken off the end of a list. For closest_eta it grows as
    # demands become due later; for first_eta everything stands there from the beginning.
    closest = mode == "closest_eta"
    rows = np.arange(len(ready))
    coming = np.lexsort((rows, -ready if closest else ready))[::-1].tolist()
    open_supplies = [] if closest else coming
    found: list[tuple[int, int, int]] = []
    for d in np.lexsort((np.arange(len(due)), due)).tolist():
        while closest and coming and ready[coming[0]] <= due[d]:
            open_supplies.append(coming.pop(0))
        needed = int(wanted[d])
        while needed and open_supplies and ready[open_supplies[-1]] <= due[d]:
            s = open_supplies[-1]
            taken = min(needed, int(left[s]))
            if taken:
                found.append((d, s, taken))
            left[s] -= taken
            needed -= taken
            if not left[s]:
                open_supplies.pop()
        if needed:
            found.append((d, NO_SUPPLY, needed))
    found.sort(key=lambda one: one[0])
    demand, supply, units = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return Pegs(demand, supply, units)


def _amounts(
    name: str, bucket: ArrayLike, units: ArrayLike, least_bucket: int
) -> tuple[np.ndarray, np.ndarray]:
    arrays = []
    for what, values, least in (("bucket", bucket, least_bucket), ("units", units, 0)):
        array = np.asarray(values)
        if array.size == 0:
            array = array.astype(np.int64)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise InputError(f"{name}_{what} must be a row of integers, got {array.dtype}")
        if array.size and array.min() < least:
            raise InputError(f"{name}_{what} must be >= {least}, got {array.min()}")
        arrays.append(array.astype(np.int64))
    if arrays[0].shape != arrays[1].shape:
        raise InputError(f"{name}_bucket has {arrays[0].size} rows, {name}_units {arrays[1].size}")
    return arrays[0], arrays[1]
