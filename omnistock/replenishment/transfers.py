"""Transfers from a distribution centre to stores when it cannot fill every request.

Axes: i = SKU, c = store (or any other receiver).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omnistock.errors import InputError
from omnistock.numerics.compiled import kernel
from omnistock.replenishment.checks import whole_numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Transfers", "dc_to_stores"]

# Units per day below which there is no demand: a unit would last longer than a billion years.
_LEAST_RATE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Transfers:
    """Units to send from one distribution centre to each store.

    Attributes
    ----------
    quantity : (n, c) int64
        Units to send, in whole packs.
    requested : (n, c) int64
        Units asked for.
    left : (n,) int64
        Units that stay at the distribution centre.
    cover_days : (n, c) float64
        Days of mean demand that each store's position covers afterwards; infinite where there
        is no demand.
    """

    quantity: np.ndarray
    requested: np.ndarray
    left: np.ndarray
    cover_days: np.ndarray


@kernel
def _packs_below(cover: float, wanted: int, position: int, rate: float, pack: int) -> int:
    """Return how many packs a store takes whose cover before each of them is below ``cover``."""
    estimate = (cover * rate - position) / pack
    packs = int(min(max(estimate, 0.0), float(wanted)))
    # The estimate rounds; covers decide, and they must be compared as the last step does.
    while packs > 0 and (position + (packs - 1) * pack) / rate >= cover:
        packs -= 1
    while packs < wanted and (position + packs * pack) / rate < cover:
        packs += 1
    return packs


@kernel
def _raise_covers(
    packs: np.ndarray,
    left: int,
    wanted: np.ndarray,
    position: np.ndarray,
    rate: np.ndarray,
    pack: int,
) -> int:
    """Give ``left`` packs to stores with demand, least cover first; return what is left.

    Instead of pack by pack, halve an interval of covers until raising all stores to its lower
    end leaves fewer packs than there are stores; those then go pack by pack.
    """
    n_stores = len(wanted)
    low = math.inf
    high = -math.inf
    for c in range(n_stores):
        if rate[c] > 0.0 and wanted[c] > 0:
            low = min(low, position[c] / rate[c])
            high = max(high, (position[c] + wanted[c] * pack) / rate[c])
    for _ in range(200):
        middle = 0.5 * low + 0.5 * high
        if not low < middle < high:
            break
        used = 0
        for c in range(n_stores):
            if rate[c] > 0.0:
                used += _packs_below(middle, wanted[c], position[c], rate[c], pack)
        if used <= left:
            low = middle
            if left - used < n_stores:
                break
        else:
            high = middle
    for c in range(n_stores):
        if rate[c] > 0.0 and low < math.inf:
            packs[c] = _packs_below(low, wanted[c], position[c], rate[c], pack)
            left -= packs[c]
    while left > 0:
        neediest = -1
        least = math.inf
        for c in range(n_stores):
            if rate[c] > 0.0 and packs[c] < wanted[c]:
                cover = (position[c] + packs[c] * pack) / rate[c]
                if cover < least:
                    least = cover
                    neediest = c
        if neediest < 0:
            break
        packs[neediest] += 1
        left -= 1
    return left


@kernel
def share_by_cover_into(
    packs: np.ndarray,
    supply: np.ndarray,
    wanted: np.ndarray,
    position: np.ndarray,
    rate: np.ndarray,
    pack_size: np.ndarray,
) -> None:
    """Fill ``packs[i, c]`` from ``supply[i]`` packs; ``wanted`` is in packs too."""
    n_skus, n_stores = wanted.shape
    for i in range(n_skus):
        left = int(supply[i])
        pack = int(pack_size[i])
        for c in range(n_stores):
            packs[i, c] = 0
            if rate[i, c] <= 0.0 and position[i, c] < 0:
                owed = (-int(position[i, c]) + pack - 1) // pack
                packs[i, c] = min(owed, int(wanted[i, c]), left)
                left -= packs[i, c]
        left = _raise_covers(packs[i], left, wanted[i], position[i], rate[i], pack)
        for c in range(n_stores):
            more = min(int(wanted[i, c]) - int(packs[i, c]), left)
            packs[i, c] += more
            left -= more


def dc_to_stores(
    supply: ArrayLike,
    requested: ArrayLike,
    *,
    position: ArrayLike,
    rate_per_day: ArrayLike,
    pack_size: ArrayLike = 1,
) -> Transfers:
    """Share scarce stock of a distribution centre among stores by days of cover.

    Every pack goes to the store whose position covers the fewest days of its demand at that
    moment, until the packs or the requests run out: no store is raised above another that
    still wants units. Units owed where there is no demand come first, other requests without
    demand last; equal covers go to the lower store number.

    Parameters
    ----------
    supply : (n,) int64
        Units that each SKU's distribution centre may send.
    requested : (n, c) int64
        Units that each store asks for; rounded up to whole packs.
    position : (n, c) int64
        Inventory position of each store before the transfer.
    rate_per_day : (n, c) float64
        Mean demand of each store in units per day.
    pack_size : (n,) int64 or scalar
        Units per pack; packs are not broken.

    Returns
    -------
    Transfers
        Units per store; min(whole packs in supply, packs requested) are sent in all.

    Raises
    ------
    InputError
        If shapes disagree or a number is out of range.

    Examples
    --------
    >>> sent = dc_to_stores([10], [[8, 8]], position=[[0, 4]], rate_per_day=[[2.0, 1.0]])
    >>> sent.quantity, sent.cover_days
    (array([[8, 2]]), array([[4., 6.]]))
    """
    units = np.atleast_1d(whole_numbers("supply", supply, least=0))
    asked = np.atleast_2d(whole_numbers("requested", requested, least=0))
    held = np.atleast_2d(whole_numbers("position", position))
    pack = whole_numbers("pack_size", pack_size, least=1)
    rate = np.ascontiguousarray(np.atleast_2d(rate_per_day), dtype=np.float64)
    n, c = asked.shape
    for name, array, shape in (
        ("supply", units, (n,)),
        ("position", held, (n, c)),
        ("rate_per_day", rate, (n, c)),
        ("pack_size", pack, (n,) if pack.ndim else ()),
    ):
        if array.shape != shape:
            raise InputError(f"{name} must have shape {shape}, got {array.shape}")
    if not np.all(np.isfinite(rate) & (rate >= 0.0)):
        raise InputError("rate_per_day must be >= 0 and finite")
    rate = np.where(rate < _LEAST_RATE, 0.0, rate)
    pack = np.ascontiguousarray(np.broadcast_to(pack, (n,)))
    wanted = -(-asked // pack[:, None])
    packs = np.zeros((n, c), dtype=np.int64)
    share_by_cover_into(packs, units // pack, wanted, held, rate, pack)
    quantity = packs * pack[:, None]
    left = units - quantity.sum(axis=1)
    return Transfers(quantity, asked, left, _cover_days(held + quantity, rate))


def _cover_days(position: np.ndarray, rate: np.ndarray) -> np.ndarray:
    cover = np.where(position < 0, -np.inf, np.inf)
    np.divide(position, rate, out=cover, where=rate > 0.0)
    return cover
