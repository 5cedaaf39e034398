"""Quotas (ceilings), protections (floors) and buffers of askers, as rows on a SKU's chain.

A limit has a condition; ``matched`` says whether it fits an asker. A quota
restricts those it fits, a protection those it does not fit.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.capacity import use_capacity
from omnistock.availability.cells import limit_row, matched, point, sku_row, tag_row
from omnistock.availability.layout import (
    ASKER_BUFFER,
    FIRST_LIMIT,
    LIMIT_BACK,
    LIMIT_FORWARD,
    LIMIT_FROM,
    LIMIT_KIND,
    LIMIT_MATCH,
    LIMIT_POINT,
    LIMIT_PRIORITY,
    LIMIT_REMAINING,
    LIMIT_SEGMENT,
    LIMIT_SHARE,
    LIMIT_SINCE,
    LIMIT_TO,
    LIMIT_UNITS,
    LIMIT_UNTIL,
    LIMIT_USED,
    NEXT_LIMIT,
    NOW,
    POINT_SKU,
    POINT_TAG,
    PROTECTION,
    QUOTA,
    TAG_SEGMENT,
    UNBOUNDED,
)
from omnistock.numerics.compiled import inner_kernel

WHOLE = 10_000
_LOWEST = 1 << 40


@inner_kernel
def at_least_zero(units):
    """The units, or 0 if they are negative."""
    return max(0, units)


@inner_kernel
def in_force(state, row):
    """True unless the limit has ended by the clock or been lifted."""
    until = state.stock[row + LIMIT_UNTIL]
    return (until == 0 or until > state.stock[NOW]) and (
        state.stock[row + LIMIT_UNITS] >= 0 or state.stock[row + LIMIT_SHARE] >= 0
    )


@inner_kernel
def covers(state, row, bucket):
    """True if the limit is about demand due in ``bucket``."""
    first = state.stock[row + LIMIT_FROM]
    last = state.stock[row + LIMIT_TO]
    return last == 0 or (first <= bucket and bucket < last)


@inner_kernel
def use_limits(state, s, asker, hold, bucket, units):
    """Count ``units`` against the node's capacity and all limits that fit."""
    use_capacity(state, s, bucket, units)
    use_quotas(state, s, asker, hold, bucket, units)


@inner_kernel
def use_quotas(state, s, asker, hold, bucket, units):
    """Count ``units`` against quotas and protections that fit; negative units give back.

    What was held before a limit was set does not count against it, so it does
    not come back to it either.
    """
    stock = state.stock
    p = point(state, s)
    at = stock[sku_row(state, stock[p + POINT_SKU]) + FIRST_LIMIT]
    while at >= 0:
        row = limit_row(state, at)
        at = stock[row + NEXT_LIMIT]
        if (
            stock[row + LIMIT_KIND] == ASKER_BUFFER
            or hold < stock[row + LIMIT_SINCE]
            or not matched(state, stock[row + LIMIT_MATCH], asker)
            or not covers(state, row, bucket)
        ):
            continue
        scope = stock[row + LIMIT_SEGMENT]
        if scope < 0 or scope == stock[tag_row(state, stock[p + POINT_TAG]) + TAG_SEGMENT]:
            stock[row + LIMIT_USED] += units


@inner_kernel
def same_series(state, row, other):
    """True if two dated quotas are periods of one series."""
    stock = state.stock
    return (
        stock[other + LIMIT_KIND] == QUOTA
        and stock[other + LIMIT_TO] != 0
        and stock[other + LIMIT_MATCH] == stock[row + LIMIT_MATCH]
        and in_force(state, other)
    )


@inner_kernel
def periods_before(state, sku, row, bucket):
    """Periods of the row's series that begin before ``bucket``."""
    stock = state.stock
    count = 0
    at = stock[sku_row(state, sku) + FIRST_LIMIT]
    while at >= 0:
        other = limit_row(state, at)
        at = stock[other + NEXT_LIMIT]
        if same_series(state, row, other) and stock[other + LIMIT_FROM] < bucket:
            count += 1
    return count


@inner_kernel
def window_left(state, sku, row):
    """Units that a dated quota still leaves, with the rest of the periods in its window.

    Demand of a period may use the quota of some periods before and after it. By
    Hall's theorem (1935) for such intervals, one more unit can be placed if and
    only if every run of periods around its own keeps room: the quotas in reach of
    the run, less what is used in it.
    """
    stock = state.stock
    back = stock[row + LIMIT_BACK]
    forward = stock[row + LIMIT_FORWARD]
    if back == 0 and forward == 0:
        return max(0, stock[row + LIMIT_UNITS] - stock[row + LIMIT_USED])
    own = stock[row + LIMIT_FROM]
    least = np.int64(UNBOUNDED)
    begin = stock[sku_row(state, sku) + FIRST_LIMIT]
    a = begin
    while a >= 0:
        first = limit_row(state, a)
        a = stock[first + NEXT_LIMIT]
        if not same_series(state, row, first) or stock[first + LIMIT_FROM] > own:
            continue
        first_rank = periods_before(state, sku, row, stock[first + LIMIT_FROM])
        z = begin
        while z >= 0:
            last = limit_row(state, z)
            z = stock[last + NEXT_LIMIT]
            if not same_series(state, row, last) or stock[last + LIMIT_FROM] < own:
                continue
            last_rank = periods_before(state, sku, row, stock[last + LIMIT_FROM])
            room = np.int64(0)
            k = begin
            while k >= 0:
                one = limit_row(state, k)
                k = stock[one + NEXT_LIMIT]
                if not same_series(state, row, one):
                    continue
                rank = periods_before(state, sku, row, stock[one + LIMIT_FROM])
                if first_rank - back <= rank and rank <= last_rank + forward:
                    room += stock[one + LIMIT_UNITS]
                if first_rank <= rank and rank <= last_rank:
                    room -= stock[one + LIMIT_USED]
            least = min(least, room)
    return least if least > 0 else np.int64(0)


@inner_kernel
def share_left(state, sku, row, free):
    """Units that a quota given as a share still leaves.

    The base is all that is free or taken by the classes; or, where the quota is
    of the remainder, what is left after the higher classes.
    """
    stock = state.stock
    base = free
    at = stock[sku_row(state, sku) + FIRST_LIMIT]
    while at >= 0:
        other = limit_row(state, at)
        at = stock[other + NEXT_LIMIT]
        if stock[other + LIMIT_KIND] == QUOTA and stock[other + LIMIT_SHARE] >= 0:
            higher = stock[other + LIMIT_PRIORITY] < stock[row + LIMIT_PRIORITY]
            if not (higher and stock[row + LIMIT_REMAINING] != 0):
                base += stock[other + LIMIT_USED]
    return max(0, base * stock[row + LIMIT_SHARE] // WHOLE - stock[row + LIMIT_USED])


@inner_kernel
def quota_left(state, sku, asker, bucket, free):
    """Units that all quotas of the asker leave, :data:`UNBOUNDED` without one."""
    stock = state.stock
    room = np.int64(UNBOUNDED)
    at = stock[sku_row(state, sku) + FIRST_LIMIT]
    while at >= 0:
        row = limit_row(state, at)
        at = stock[row + NEXT_LIMIT]
        if (
            stock[row + LIMIT_KIND] == QUOTA
            and in_force(state, row)
            and matched(state, stock[row + LIMIT_MATCH], asker)
            and covers(state, row, bucket)
        ):
            if stock[row + LIMIT_SHARE] >= 0:
                room = min(room, share_left(state, sku, row, free))
            elif stock[row + LIMIT_TO] != 0:
                room = min(room, window_left(state, sku, row))
            else:
                left = stock[row + LIMIT_UNITS] - stock[row + LIMIT_USED]
                room = min(room, at_least_zero(left))
    return room


@inner_kernel
def own_rank(state, sku, asker, segment):
    """Priority of the highest protection that fits the asker; very low without one."""
    stock = state.stock
    rank = np.int64(_LOWEST)
    at = stock[sku_row(state, sku) + FIRST_LIMIT]
    while at >= 0:
        row = limit_row(state, at)
        at = stock[row + NEXT_LIMIT]
        if (
            stock[row + LIMIT_KIND] == PROTECTION
            and stock[row + LIMIT_SEGMENT] == segment
            and in_force(state, row)
            and matched(state, stock[row + LIMIT_MATCH], asker)
        ):
            rank = min(rank, stock[row + LIMIT_PRIORITY])
    return rank


@inner_kernel
def protected_for_others(state, sku, asker, bucket, segment):
    """Units still protected for others of equal or higher priority, in all stock or a segment."""
    stock = state.stock
    rank = own_rank(state, sku, asker, segment)
    total = np.int64(0)
    at = stock[sku_row(state, sku) + FIRST_LIMIT]
    while at >= 0:
        row = limit_row(state, at)
        at = stock[row + NEXT_LIMIT]
        if (
            stock[row + LIMIT_KIND] == PROTECTION
            and stock[row + LIMIT_SEGMENT] == segment
            and stock[row + LIMIT_PRIORITY] <= rank
            and in_force(state, row)
            and covers(state, row, bucket)
            and not matched(state, stock[row + LIMIT_MATCH], asker)
        ):
            total += max(0, stock[row + LIMIT_UNITS] - stock[row + LIMIT_USED])
    return total


@inner_kernel
def asker_buffer(state, sku, asker, s, units):
    """Units of ``units`` kept from the asker, at stockpoint ``s`` or (-1) over all nodes."""
    stock = state.stock
    kept = np.int64(0)
    at = stock[sku_row(state, sku) + FIRST_LIMIT]
    while at >= 0:
        row = limit_row(state, at)
        at = stock[row + NEXT_LIMIT]
        if (
            stock[row + LIMIT_KIND] == ASKER_BUFFER
            and stock[row + LIMIT_POINT] == s
            and in_force(state, row)
            and matched(state, stock[row + LIMIT_MATCH], asker)
        ):
            kept = max(kept, stock[row + LIMIT_UNITS])
            share = stock[row + LIMIT_SHARE]
            if share > 0:
                kept = max(kept, (max(0, units) * share + WHOLE - 1) // WHOLE)
    return kept
