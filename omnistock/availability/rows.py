"""Rows of available-to-promise, bucket by bucket, by the methods that planners know.

Axes: s = stockpoint (one SKU at one node), t = time bucket, always the last axis; 0 is the
current bucket. These are reports. What the engine promises is the look-ahead row, and
nothing else: the other methods show the same balances the way other systems do.

``net[t]`` stands for what a bucket adds: its receipts less its commitments, with stock on
hand in bucket 0, and less whatever the buffer in force grows by. Its running sum is
``free[t]``, the projected balance above the buffer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["METHODS", "AtpRows", "DatedRows", "Fences", "apply_fences", "atp_rows"]

METHODS = (
    "lookahead_min",
    "discrete",
    "cumulative",
    "period_net",
    "period_backward",
    "period_backward_accumulate",
)


@dataclass(frozen=True, slots=True)
class Fences:
    """How long what is overdue still counts, and when it is then expected.

    Attributes
    ----------
    supply : int
        A receipt that is overdue by at most so many buckets still counts.
    demand : int or None
        A commitment that is overdue by at most so many buckets still counts; None: all do.
    supply_delay, demand_delay : int
        In how many buckets from now an overdue receipt or commitment is expected.
    """

    supply: int = 0
    demand: int | None = None
    supply_delay: int = 0
    demand_delay: int = 0

    def __post_init__(self) -> None:
        for name in ("supply", "demand", "supply_delay", "demand_delay"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise InputError(f"{name} must be >= 0 buckets, got {value}")


@dataclass(frozen=True, slots=True)
class DatedRows:
    """Receipts and commitments by bucket, both (n_buckets,) int64 in units."""

    receipts: np.ndarray
    commitments: np.ndarray


def apply_fences(
    receipts: Iterable[tuple[int, int]],
    commitments: Iterable[tuple[int, int]],
    *,
    today: int,
    n_buckets: int,
    fences: Fences | None = None,
) -> DatedRows:
    """Sort dated amounts into buckets; overdue ones count as the fences say.

    Without fences an overdue receipt counts as nothing, since nobody knows when it comes,
    and an overdue commitment counts in full now, since it is still owed. Fences are those of
    Oracle Inventory (User's Guide, Release 11, "ATP Time Fence Options").

    Parameters
    ----------
    receipts, commitments : (n, 2) int64, or pairs
        Bucket in which each is due, in the same count as ``today``, and units.
    today : int
        The current bucket.
    n_buckets : int
        Horizon, the current bucket included. What is due later does not count.
    fences : Fences, optional

    Returns
    -------
    DatedRows

    Raises
    ------
    InputError
        If units are negative, or a delay leads beyond the horizon.

    Examples
    --------
    >>> rows = apply_fences(
    ...     [(99, 5), (97, 7), (101, 2)],
    ...     [(99, 4), (96, 6)],
    ...     today=100,
    ...     n_buckets=4,
    ...     fences=Fences(supply=1, demand=1, supply_delay=2),
    ... )
    >>> rows.receipts, rows.commitments
    (array([0, 2, 5, 0]), array([4, 0, 0, 0]))
    """
    fences = fences or Fences()
    return DatedRows(
        _row("receipts", receipts, today, n_buckets, fences.supply, fences.supply_delay),
        _row("commitments", commitments, today, n_buckets, fences.demand, fences.demand_delay),
    )


def _row(name: str, dated: Any, today: int, n_buckets: int, fence: int | None, delay: int) -> Any:
    if delay >= n_buckets:
        raise InputError(f"{name}: a delay of {delay} leads beyond {n_buckets} buckets")
    pairs = _integers(name, dated if isinstance(dated, np.ndarray) else list(dated))
    if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2):
        raise InputError(f"{name} must be pairs of bucket and units, got shape {pairs.shape}")
    ahead, units = pairs.reshape(-1, 2).T
    _at_least_zero(name, units)
    ahead = ahead - today
    counts = ahead < n_buckets
    if fence is not None:
        counts &= ahead >= -fence
    row = np.zeros(n_buckets, dtype=np.int64)
    np.add.at(row, np.where(ahead < 0, delay, ahead)[counts], units[counts])
    return row


@dataclass(frozen=True, slots=True)
class AtpRows:
    """Available-to-promise by bucket; each field has the shape of the receipts.

    Attributes
    ----------
    receipts, commitments : int64
        Units due in each bucket.
    projected : int64
        Balance at the end of each bucket.
    free : int64
        The same above the buffer in force.
    atp : int64
        By the method asked for. Below zero, so many units are promised that are not there.
    has_atp : bool
        Where the method states a figure; elsewhere ``atp`` is 0 and means nothing.
    cumulative_atp : int64
        Running sum of the discrete rows.
    """

    receipts: np.ndarray
    commitments: np.ndarray
    projected: np.ndarray
    free: np.ndarray
    atp: np.ndarray
    has_atp: np.ndarray
    cumulative_atp: np.ndarray


def atp_rows(
    on_hand: ArrayLike,
    receipts: ArrayLike,
    commitments: ArrayLike,
    buffer: ArrayLike = 0,
    *,
    method: str = "lookahead_min",
    accumulation_buckets: int | None = None,
) -> AtpRows:
    """Available-to-promise by bucket, by one of six methods.

    ``lookahead_min``
        The least ``free`` of this and all later buckets: what one more order may take here
        without breaking a later promise ("cumulative with look-ahead"; APICS Dictionary,
        14th ed., 2013; Infor LN, "To compute cumulative ATP").
    ``discrete``
        Only where supply arrives, and in bucket 0: the receipt, in bucket 0 with stock on
        hand, less all commitments until the next receipt (APICS Dictionary, 2013). What is
        short there is taken back from earlier receipts, the nearest first; what none covers
        stays short. A buffer that falls sets units free, so it counts as a receipt.
    ``cumulative``
        The running sum of ``discrete`` (JD Edwards EnterpriseOne, Requirements Planning,
        ch. 3). Where no balance is below zero this is the look-ahead row.
    ``period_net``
        What the bucket adds (Oracle Inventory User's Guide, Release 11, "Period ATP").
    ``period_backward``
        The same, and a shortage uses up the surplus of earlier buckets, the nearest first;
        surplus is not carried forward (ibid., "Backward Consumption").
    ``period_backward_accumulate``
        The same with surplus carried forward, and shortages not (ibid., "Backward
        Consumption and Accumulation").

    Parameters
    ----------
    on_hand : (n_stockpoints,) int64, or int
        Units physically present, below zero where more left than was there.
    receipts, commitments : (n_stockpoints, n_buckets) int64, or (n_buckets,)
        Units due by bucket; overdue ones stand where :func:`apply_fences` puts them.
    buffer : int64 of the same shape, or one number
        Units not to be promised, in force in each bucket.
    method : str
        One of ``METHODS``.
    accumulation_buckets : int, optional
        For the two backward methods: surplus serves at most so many buckets later (Oracle's
        "accumulation window"); by default it serves all.

    Returns
    -------
    AtpRows

    Raises
    ------
    InputError
        If shapes disagree, an array does not hold integers, a receipt or commitment is
        negative, or the method is unknown.

    Examples
    --------
    >>> rows = atp_rows(80, [0, 0, 60, 0], [30, 25, 30, 10], method="discrete")
    >>> rows.atp, rows.has_atp, rows.cumulative_atp
    (array([25,  0, 20,  0]), array([ True, False,  True, False]), array([25, 25, 45, 45]))
    """
    if method not in METHODS:
        raise InputError(f"method must be one of {METHODS}, got {method!r}")
    if accumulation_buckets is not None and accumulation_buckets < 0:
        raise InputError(f"accumulation_buckets must be >= 0, got {accumulation_buckets}")
    start, comes, goes, kept = _checked(on_hand, receipts, commitments, buffer)
    net = comes - goes - np.diff(kept, axis=-1, prepend=0)
    net[..., 0] += start
    free = np.cumsum(net, axis=-1)

    opens = (comes > 0) | (np.diff(kept, axis=-1, prepend=0) < 0)
    opens[..., 0] = True
    discrete = _shortages_taken_back(_until_next_receipt(net, opens))
    cumulative = np.cumsum(discrete, axis=-1)
    has_atp = np.ones_like(opens)
    if method == "discrete":
        atp, has_atp = discrete, opens
    elif method == "cumulative":
        atp = cumulative
    elif method == "period_net":
        atp = net
    elif method == "lookahead_min":
        atp = _least_from_here_on(free)
    else:
        carried = method == "period_backward_accumulate"
        atp = _backward(net, carried=carried, window=accumulation_buckets)
    return AtpRows(comes, goes, free + kept, free, atp, has_atp, cumulative)


def _until_next_receipt(net: np.ndarray, opens: np.ndarray) -> np.ndarray:
    """Add up ``net`` of each bucket that opens and of those after it until the next opens."""
    summed = np.zeros_like(net)
    waiting = np.zeros(net.shape[:-1], dtype=np.int64)
    for t in range(net.shape[-1] - 1, -1, -1):
        waiting = waiting + net[..., t]
        summed[..., t] = np.where(opens[..., t], waiting, 0)
        waiting = np.where(opens[..., t], 0, waiting)
    return summed


def _least_from_here_on(balance: np.ndarray) -> np.ndarray:
    least = np.minimum.accumulate(balance[..., ::-1], axis=-1)[..., ::-1]
    return np.ascontiguousarray(least)


def _uncovered(net: np.ndarray) -> np.ndarray:
    """Units short in each bucket that no surplus of earlier buckets covers."""
    # Whenever the balance falls to a new low below zero, all surplus so far is used up.
    deepest = np.minimum(np.minimum.accumulate(np.cumsum(net, axis=-1), axis=-1), 0)
    return -np.diff(deepest, axis=-1, prepend=0)


def _shortages_taken_back(net: np.ndarray) -> np.ndarray:
    """Pay each bucket's shortage from the surplus of earlier ones, the nearest first."""
    uncovered = _uncovered(net)
    # Without what nothing covers the balance is never below zero, and what a bucket keeps
    # of its surplus is what it adds to the least balance still to come.
    kept = _least_from_here_on(np.cumsum(net + uncovered, axis=-1))
    return np.asarray(np.diff(kept, axis=-1, prepend=0) - uncovered)


def _backward(net: np.ndarray, *, carried: bool, window: int | None) -> np.ndarray:
    """Pay shortages from at most ``window`` buckets back; ``carried`` sums up what is left."""
    n_buckets = net.shape[-1]
    reach = n_buckets if window is None else window
    if reach >= n_buckets - 1:
        left = _shortages_taken_back(net)
    else:
        left = net.copy()
        for t in range(n_buckets):
            for u in range(t - 1, max(t - reach, 0) - 1, -1):
                paid = np.minimum(np.maximum(-left[..., t], 0), np.maximum(left[..., u], 0))
                left[..., t] += paid
                left[..., u] -= paid
    if not carried:
        return left
    surplus = np.maximum(left, 0)
    summed = left.copy()
    for t in range(n_buckets):
        summed[..., t] += surplus[..., max(t - reach, 0) : t].sum(axis=-1)
    return summed


def _checked(
    on_hand: ArrayLike, receipts: ArrayLike, commitments: ArrayLike, buffer: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    comes, goes = _integers("receipts", receipts), _integers("commitments", commitments)
    if comes.ndim not in (1, 2) or not comes.shape[-1]:
        raise InputError(f"receipts must have shape (n_stockpoints, n_buckets), got {comes.shape}")
    if goes.shape != comes.shape:
        raise InputError(f"commitments have shape {goes.shape}, receipts {comes.shape}")
    _at_least_zero("receipts", comes)
    _at_least_zero("commitments", goes)
    start, kept = _integers("on_hand", on_hand), _integers("buffer", buffer)
    if start.shape not in ((), comes.shape[:-1]):
        raise InputError(f"on_hand has shape {start.shape}, receipts {comes.shape}")
    if kept.shape not in ((), comes.shape):
        raise InputError(f"buffer has shape {kept.shape}, receipts {comes.shape}")
    return start, comes, goes, np.broadcast_to(kept, comes.shape)


def _integers(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.size == 0 and array.dtype.kind == "f":
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise InputError(f"{name} must hold integers, got {array.dtype}; count in smallest units")
    return array.astype(np.int64)


def _at_least_zero(name: str, units: np.ndarray) -> None:
    if units.size and units.min() < 0:
        raise InputError(f"{name} must be >= 0 units, got {units.min()}")
