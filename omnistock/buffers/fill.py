"""Fill rates: the share of demand met from the shelf, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.buffers.levels import fill_rate_into
from omnistock.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from omnistock.numerics.demand import DemandDistribution

__all__ = ["attained_fill_rates", "fill_rate", "lot_sizes", "row_values"]

_LARGEST_LOT = 2.0**53


def row_values(name: str, values: ArrayLike, n: int, dtype: Any) -> np.ndarray:
    """Return one value per row from a number or an array of n."""
    array = np.asarray(values)
    if array.ndim and array.shape != (n,):
        raise InputError(f"{name} must be one number or have shape ({n},), got {array.shape}")
    return np.ascontiguousarray(np.broadcast_to(array, (n,)), dtype=dtype)


def lot_sizes(order_quantity: ArrayLike | None, n: int) -> np.ndarray:
    """Return (n,) int64 lot sizes, 0 where there are none."""
    if order_quantity is None:
        return np.zeros(n, dtype=np.int64)
    given = row_values("order_quantity", order_quantity, n, np.float64)
    if not np.all((given >= 1) & (given == np.floor(given)) & (given < _LARGEST_LOT)):
        raise InputError("order_quantity must be whole units >= 1")
    return given.astype(np.int64)


def attained_fill_rates(
    level: np.ndarray,
    periodic: np.ndarray,
    lots: np.ndarray,
    demand: DemandDistribution,
    lead: DemandDistribution | None,
) -> np.ndarray:
    """Return the fill rate from each level, NaN where the demand of the lead time is unknown."""
    out = np.empty(len(level))
    known = demand if lead is None else lead
    fill_rate_into(
        out, periodic, lots, demand.family.astype(np.int64), demand.mean, demand.variance,
        known.family.astype(np.int64), known.mean, known.variance, level,
    )  # fmt: skip
    return out if lead is not None else np.where(periodic, np.nan, out)


def fill_rate(
    level: ArrayLike,
    demand: DemandDistribution,
    *,
    order_quantity: ArrayLike | None = None,
    during_lead_time: DemandDistribution | None = None,
) -> np.ndarray:
    """Return the share of demand that is met from the shelf, exactly.

    Parameters
    ----------
    level : (n,) float64 or scalar
        y: the reorder point s under continuous review; under periodic review the level to
        which the position is raised at least (S, or s + 1 with lots).
    demand : DemandDistribution
        n demands over lead time plus review period.
    order_quantity : (n,) int64 or scalar
        Lot size in units, >= 1; see :func:`safety_stock`.
    during_lead_time : DemandDistribution
        n demands over the lead time alone; given, review is periodic.

    Returns
    -------
    (n,) float64
        1 - (loss(y) - loss(y + Q)) / Q under continuous review (Hadley & Whitin 1963); the
        periodic formula is in :mod:`omnistock.buffers.levels`.

    Raises
    ------
    InputError
        If shapes disagree, or counts under periodic review with lots meet a broken level.

    Examples
    --------
    >>> from omnistock.numerics.demand import DemandDistribution
    >>> demand = DemandDistribution.from_moments(6.0, 6.0)
    >>> fill_rate(5, demand, order_quantity=8).round(6)
    array([0.810967])
    """
    n = len(demand)
    if during_lead_time is not None and len(during_lead_time) != n:
        raise InputError(f"during_lead_time has {len(during_lead_time)} rows, demand {n}")
    levels = row_values("level", level, n, np.float64)
    lots = lot_sizes(order_quantity, n)
    periodic = np.full(n, during_lead_time is not None)
    broken = demand.counts & (lots > 0) & periodic & ((levels != np.floor(levels)) | (levels < 0))
    if np.any(broken) or not np.all(np.isfinite(levels)):
        raise InputError("levels must be finite, and whole and >= 0 for counts in lots")
    return attained_fill_rates(levels, periodic, lots, demand, during_lead_time)
