"""Promising waiting orders anew when supply or priorities have changed.

Axes: i = order line waiting for the same SKU, t = time bucket, 0 the current one.

The strategies are those of SAP S/4HANA's backorder processing (A. Krause, "Confirmation
Strategies in Backorder Processing", 2023). Supply goes to them in this order:

1. *gain*: what it had, whatever else happens;
2. *win*: all it asks for, in time;
3. *gain*: more, up to what it asks for;
4. *improve*: what it had, if the above leave it;
5. *improve*: more;
6. *redistribute*: anything up to what it asks for;
7. *fill*: at most what it had.

*Lose* gives all up, and *skip* keeps what it has without taking part. Within a strategy the
smaller priority comes first, then the earlier due bucket, then the earlier row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omnistock.allocation.inputs import LARGEST, check_range, integers
from omnistock.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["STRATEGIES", "Repromised", "repromise"]

STRATEGIES = ("win", "gain", "improve", "redistribute", "fill", "lose", "skip")

# In which order strategies are served, and whether only up to what they had.
_LEVELS = (
    ("gain", True),
    ("win", False),
    ("gain", False),
    ("improve", True),
    ("improve", False),
    ("redistribute", False),
    ("fill", True),
)


@dataclass(frozen=True, slots=True)
class Repromised:
    """What a run gives each line.

    Attributes
    ----------
    confirmed : (n_lines,) int64
        Units promised after the run.
    lost : (n_lines,) int64
        Units promised before and not after.
    exceptions : (n_exceptions,) int64
        Rows, ascending, of *win* lines that cannot have all they ask for and of *gain* lines
        that cannot keep what they had.
    stopped : bool
        The run met exceptions and was told to stop: nothing has changed.
    free : (n_buckets,) int64
        What one more order due in each bucket could take after the run.
    """

    confirmed: np.ndarray
    lost: np.ndarray
    exceptions: np.ndarray
    stopped: bool
    free: np.ndarray


def repromise(
    requested: ArrayLike,
    confirmed: ArrayLike,
    strategy: Sequence[str],
    balances: ArrayLike,
    *,
    priority: ArrayLike = 0,
    due: ArrayLike = 0,
    on_exception: str = "continue",
) -> Repromised:
    """Promise the waiting lines of one SKU anew, by strategy and priority.

    A unit for bucket t is gone from t on, so a line gets no more than the least balance from
    its due bucket on. Level by level no other way of promising gives a strategy more units in
    total than this one.

    Parameters
    ----------
    requested : (n_lines,) int64
        Units asked for.
    confirmed : (n_lines,) int64
        Units promised so far. More than was asked for counts as what was asked for.
    strategy : (n_lines,) text
        One of ``STRATEGIES`` for each line.
    balances : (n_buckets,) int64
        On hand and receipts so far, less commitments of all that has no row here, less
        buffers. May be below zero.
    priority : (n_lines,) int64 or int
        The smaller is served first, within a strategy.
    due : (n_lines,) int64 or int
        Bucket in which each line is wanted: 0 for what is overdue, the last for what is due
        beyond the horizon.
    on_exception : {"continue", "stop"}
        With exceptions go on, so that lines named there get what there is, or change nothing.

    Returns
    -------
    Repromised

    Raises
    ------
    InputError
        If shapes disagree, an array does not hold integers, units are negative, a bucket lies
        outside the horizon, or a strategy is unknown.

    Examples
    --------
    >>> run = repromise(
    ...     requested=[50, 40, 30, 30, 30],
    ...     confirmed=[0, 20, 30, 20, 30],
    ...     strategy=["win", "gain", "redistribute", "fill", "lose"],
    ...     balances=[100],
    ... )
    >>> run.confirmed, run.lost
    (array([50, 40, 10,  0,  0]), array([ 0,  0, 20, 20, 30]))
    """
    if on_exception not in ("continue", "stop"):
        raise InputError(f"on_exception must be 'continue' or 'stop', got {on_exception!r}")
    asked, had, left, rank, bucket = _checked(requested, confirmed, balances, priority, due)
    codes = _codes(strategy, len(asked))
    kept = np.minimum(had, asked)
    skipped = codes == STRATEGIES.index("skip")
    for i in np.flatnonzero(skipped):
        left[bucket[i] :] -= had[i]
    before = left.copy()

    granted = np.where(skipped, had, 0)
    order = np.lexsort((np.arange(len(asked)), bucket, rank))
    for name, only_kept in _LEVELS:
        target = kept if only_kept else asked
        for i in order[codes[order] == STRATEGIES.index(name)].tolist():
            t = bucket[i]
            more = min(int(target[i] - granted[i]), int(left[t:].min()))
            if more > 0:
                granted[i] += more
                left[t:] -= more

    unmet = (codes == STRATEGIES.index("win")) & (granted < asked)
    unmet |= (codes == STRATEGIES.index("gain")) & (granted < kept)
    exceptions = np.flatnonzero(unmet).astype(np.int64)
    stopped = on_exception == "stop" and len(exceptions) > 0
    if stopped:
        granted, left = had.copy(), before
        for i in np.flatnonzero(~skipped):
            left[bucket[i] :] -= had[i]
    free = np.maximum(np.minimum.accumulate(left[::-1])[::-1], 0)
    return Repromised(granted, np.maximum(had - granted, 0), exceptions, stopped, free)


def _codes(strategy: Sequence[str], n_lines: int) -> np.ndarray:
    names = [str(one) for one in strategy]
    if len(names) != n_lines:
        raise InputError(f"strategy has {len(names)} rows, requested {n_lines}")
    unknown = sorted(set(names) - set(STRATEGIES))
    if unknown:
        raise InputError(f"unknown strategy {unknown[0]!r}; use one of {', '.join(STRATEGIES)}")
    return np.array([STRATEGIES.index(one) for one in names], dtype=np.int64)


def _checked(
    requested: ArrayLike,
    confirmed: ArrayLike,
    balances: ArrayLike,
    priority: ArrayLike,
    due: ArrayLike,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    asked = integers("requested", requested)
    left = integers("balances", balances).copy()
    if asked.ndim != 1:
        raise InputError(f"requested must have shape (n_lines,), got {asked.shape}")
    if left.ndim != 1 or not left.size:
        raise InputError(f"balances must have shape (n_buckets,), got {left.shape}")
    rows = []
    for name, values, scalar in (
        ("confirmed", confirmed, False),
        ("priority", priority, True),
        ("due", due, True),
    ):
        array = integers(name, values)
        if array.shape != asked.shape and not (scalar and array.ndim == 0):
            raise InputError(f"{name} has shape {array.shape}, requested {asked.shape}")
        rows.append(np.broadcast_to(array, asked.shape))
    check_range("requested", asked, 0)
    check_range("confirmed", rows[0], 0)
    check_range("due", rows[2], 0, len(left) - 1)
    check_range("balances", left, -LARGEST)
    return asked, rows[0], left, rows[1], rows[2]
