"""Balances of a stockpoint: promised, given back, received, rolled on in time.

Axes: s = stockpoint, t = bucket from the current one on, slot = bucket modulo T.
Invariant after every kernel here, for each s and t:

    base + minimum[t] = min over u >= t of (balance at the end of bucket u
                        - buffer of bucket u + buffer of the current bucket)

where u stays below the bucket from which the SKU's supply is unlimited.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.capacity import roll_capacity
from omnistock.availability.cells import (
    flow,
    hold_row,
    inbound_row,
    line_row,
    point,
    sku_row,
    step_row,
)
from omnistock.availability.flat import note_free
from omnistock.availability.layout import (
    AT_HEAP,
    BACKORDER,
    BASE,
    BUCKET,
    BUFFER,
    BUFFER_SHARE,
    BUFFER_UNITS,
    COUNTS_AS,
    EXPIRED,
    EXPIRES,
    FENCE,
    FIRST_LINE,
    FIRST_STEP,
    FLAGS,
    FLOW_ROW,
    HAS_STEPS,
    HELD,
    HOLD_ASKER,
    INBOUND_BUCKET,
    INBOUND_POINT,
    LINE_BUCKET,
    LINE_POINT,
    LINES_OF_HOLD,
    MINIMA,
    N_BUCKETS,
    N_FLOWS,
    N_HEAP,
    N_INBOUND,
    N_POINTS,
    NEXT_STEP,
    NOW,
    ON_HAND,
    OPEN,
    OVERDUE_BUCKETS,
    OVERDUE_DELAY,
    PLENTY,
    POINT_SKU,
    REMAINING,
    RESERVED,
    STATUS,
    STEP_BUCKET,
    STEP_UNITS,
)
from omnistock.availability.limits import WHOLE, use_limits
from omnistock.numerics.compiled import inner_kernel, lean_kernel


@inner_kernel
def buffer_rise(state, s, bucket):
    """How much higher the buffer of a later bucket is than that of the current one."""
    p = point(state, s)
    now = np.int64(state.records[s, BUFFER]) + state.stock[p + BACKORDER]
    units = now
    row = state.stock[p + FIRST_STEP]
    while row >= 0:
        at = step_row(state, row)
        if state.stock[at + STEP_BUCKET] > bucket:
            break
        units = state.stock[at + STEP_UNITS]
        row = state.stock[at + NEXT_STEP]
    return units - now


@inner_kernel
def refresh_minima(state, s):
    """Recompute the look-ahead minima of one stockpoint from its dated flows."""
    stock = state.stock
    records = state.records
    at = flow(state, np.int64(records[s, FLOW_ROW]))
    n_buckets = stock[N_BUCKETS]
    current = stock[BUCKET]
    steps = (records[s, FLAGS] & HAS_STEPS) != 0
    fence = stock[sku_row(state, stock[point(state, s) + POINT_SKU]) + FENCE]
    last = n_buckets if fence < 0 else min(n_buckets, fence)
    balance = np.int64(0)
    for t in range(1, last):
        slot = (current + t) % n_buckets
        balance += stock[at + slot] - stock[at + n_buckets + slot]
        rise = buffer_rise(state, s, current + t) if steps else 0
        records[s, MINIMA + t] = balance - rise
    for t in range(last, n_buckets):
        records[s, MINIMA + t] = PLENTY
    for t in range(last - 2, 0, -1):
        later = records[s, MINIMA + t + 1]
        records[s, MINIMA + t] = min(records[s, MINIMA + t], later)
    if last > 0:
        # The current bucket itself has balance 0 against the base.
        records[s, MINIMA] = min(0, np.int64(records[s, MINIMA + 1])) if last > 1 else 0
    note_free(records, stock, s)


@inner_kernel
def flow_row(state, s):
    """Row of the stockpoint's dated flows; one is given to it if it has none."""
    row = np.int64(state.records[s, FLOW_ROW])
    if row < 0:
        row = state.stock[N_FLOWS]
        state.stock[N_FLOWS] = row + 1
        at = flow(state, row)
        for k in range(2 * state.stock[N_BUCKETS]):
            state.stock[at + k] = 0
        state.records[s, FLOW_ROW] = row
    return row


@inner_kernel
def promise(state, s, bucket, units):
    """Take ``units`` out of the balance from ``bucket`` on; negative units give back."""
    if bucket <= state.stock[BUCKET]:
        state.records[s, BASE] -= units
        note_free(state.records, state.stock, s)
        return
    n_buckets = state.stock[N_BUCKETS]
    at = flow(state, flow_row(state, s))
    state.stock[at + n_buckets + bucket % n_buckets] += units
    refresh_minima(state, s)


@inner_kernel
def schedule_receipt(state, s, bucket, units):
    """Count ``units`` of inbound into the balance from ``bucket`` on, if within the horizon.

    A receipt that is not too much overdue counts some buckets from now.
    """
    current = state.stock[BUCKET]
    n_buckets = state.stock[N_BUCKETS]
    if bucket < current:
        if current - bucket > state.stock[OVERDUE_BUCKETS]:
            return
        bucket = current + state.stock[OVERDUE_DELAY]
    if bucket >= current + n_buckets:
        return
    at = flow(state, flow_row(state, s))
    state.stock[at + bucket % n_buckets] += units
    if bucket == current:
        state.records[s, BASE] += units
        note_free(state.records, state.stock, s)
    else:
        refresh_minima(state, s)


@inner_kernel
def refresh_buffer(state, s):
    """Recompute what is kept back at a stockpoint: units, a share of on hand, less backorders."""
    p = point(state, s)
    kept = state.stock[p + BUFFER_UNITS]
    share = state.stock[p + BUFFER_SHARE]
    if share > 0:
        kept += (max(0, state.stock[p + ON_HAND]) * share + WHOLE - 1) // WHOLE
    state.records[s, BUFFER] = kept - state.stock[p + BACKORDER]
    note_free(state.records, state.stock, s)


@inner_kernel
def change_on_hand(state, s, delta):
    """Add units to what is on hand and may be promised."""
    p = point(state, s)
    state.stock[p + ON_HAND] += delta
    state.records[s, BASE] += delta
    note_free(state.records, state.stock, s)
    if state.stock[p + BUFFER_SHARE] > 0:
        refresh_buffer(state, s)
        if (state.records[s, FLAGS] & HAS_STEPS) != 0:
            refresh_minima(state, s)


@inner_kernel
def lowest_before(state, s, bucket):
    """Lowest balance of the buckets from the current one up to ``bucket``, without it."""
    stock = state.stock
    n_buckets = stock[N_BUCKETS]
    current = stock[BUCKET]
    at = flow(state, np.int64(state.records[s, FLOW_ROW]))
    balance = np.int64(state.records[s, BASE])
    lowest = balance
    for later in range(current + 1, min(bucket, current + n_buckets)):
        slot = later % n_buckets
        balance += stock[at + slot] - stock[at + n_buckets + slot]
        lowest = min(lowest, balance)
    return lowest


@inner_kernel
def lowest_from(state, s, bucket):
    """Lowest balance of ``bucket`` and all later ones, buffers left out."""
    stock = state.stock
    balance = np.int64(state.records[s, BASE])
    if state.records[s, FLOW_ROW] < 0:
        return balance
    n_buckets = stock[N_BUCKETS]
    current = stock[BUCKET]
    at = flow(state, np.int64(state.records[s, FLOW_ROW]))
    lowest = balance if bucket <= current else np.int64(PLENTY)
    for later in range(current + 1, current + n_buckets):
        slot = later % n_buckets
        balance += stock[at + slot] - stock[at + n_buckets + slot]
        if later >= bucket:
            lowest = min(lowest, balance)
    return lowest


@inner_kernel
def unpromised(state, s):
    """Lowest balance of all buckets, buffers left out: what may leave without a promise broken."""
    return lowest_from(state, s, state.stock[BUCKET])


@lean_kernel
def heap_push(book, at, size, second, hold):
    """Push a soft hold onto the heap of expiries that begins at word ``at``."""
    child = size
    while child > 0:
        parent = (child - 1) // 2
        if book[at + 2 * parent] <= second:
            break
        book[at + 2 * child] = book[at + 2 * parent]
        book[at + 2 * child + 1] = book[at + 2 * parent + 1]
        child = parent
    book[at + 2 * child] = second
    book[at + 2 * child + 1] = hold


@lean_kernel
def heap_pop(book, at, size):
    """Remove the earliest expiry; the heap then has ``size - 1`` entries."""
    last = size - 1
    second = book[at + 2 * last]
    hold = book[at + 2 * last + 1]
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= last:
            break
        if child + 1 < last and book[at + 2 * child + 2] < book[at + 2 * child]:
            child += 1
        if book[at + 2 * child] >= second:
            break
        book[at + 2 * parent] = book[at + 2 * child]
        book[at + 2 * parent + 1] = book[at + 2 * child + 1]
        parent = child
    book[at + 2 * parent] = second
    book[at + 2 * parent + 1] = hold


@inner_kernel
def expire(state, hold):
    """Give back what a soft hold has open; its lines keep the numbers for a later confirm."""
    h = hold_row(state, hold)
    asker = state.book[h + HOLD_ASKER]
    first = state.book[h + FIRST_LINE]
    for q in range(first, first + state.book[h + LINES_OF_HOLD]):
        line = line_row(state, q)
        units = state.book[line + OPEN]
        if units > 0:
            s = state.book[line + LINE_POINT]
            bucket = state.book[line + LINE_BUCKET]
            promise(state, s, bucket, -units)
            use_limits(state, s, asker, state.book[h + COUNTS_AS], bucket, -units)
            state.stock[point(state, s) + RESERVED] -= units
    state.book[h + STATUS] = EXPIRED


@inner_kernel
def _roll_steps(state, s, bucket):
    """Put the buffer in force that was set for a bucket that has come."""
    p = point(state, s)
    row = state.stock[p + FIRST_STEP]
    while row >= 0 and state.stock[step_row(state, row) + STEP_BUCKET] <= bucket:
        state.stock[p + BUFFER_UNITS] = state.stock[step_row(state, row) + STEP_UNITS]
        state.stock[p + BUFFER_SHARE] = 0
        row = state.stock[step_row(state, row) + NEXT_STEP]
    state.stock[p + FIRST_STEP] = row
    if row < 0:
        state.records[s, FLAGS] &= ~HAS_STEPS
    refresh_buffer(state, s)


@inner_kernel
def roll(state, bucket):
    """Move the horizon on to ``bucket``.

    Promises of past buckets stay due now; receipts that did not come in time no
    longer count until they are received or dated anew.
    """
    stock = state.stock
    n_buckets = stock[N_BUCKETS]
    old = stock[BUCKET]
    stock[BUCKET] = bucket
    roll_capacity(state, old, bucket)
    if stock[N_FLOWS] == 0 and stock[N_INBOUND] == 0:
        return
    for s in range(stock[N_POINTS]):
        row = np.int64(state.records[s, FLOW_ROW])
        if row < 0:
            continue
        at = flow(state, row)
        base = np.int64(state.records[s, BASE]) - stock[at + old % n_buckets]
        for passed in range(old + 1, min(bucket, old + n_buckets - 1) + 1):
            slot = at + n_buckets + passed % n_buckets
            base -= stock[slot]
            stock[slot] = 0
        state.records[s, BASE] = base
        for slot in range(n_buckets):
            stock[at + slot] = 0
        if (state.records[s, FLAGS] & HAS_STEPS) != 0:
            _roll_steps(state, s, bucket)
        refresh_minima(state, s)
    for i in range(stock[N_INBOUND]):
        line = inbound_row(state, i)
        remaining = state.book[line + REMAINING]
        if remaining > 0:
            s = state.book[line + INBOUND_POINT]
            schedule_receipt(state, s, state.book[line + INBOUND_BUCKET], remaining)


@lean_kernel
def advance(state, now, bucket):
    """Bring the state to the second ``now``, which lies in ``bucket``; never backwards."""
    stock = state.stock
    book = state.book
    if now > stock[NOW]:
        stock[NOW] = now
    heap = stock[AT_HEAP]
    size = stock[N_HEAP]
    while size > 0 and book[heap] <= stock[NOW]:
        second = book[heap]
        hold = book[heap + 1]
        heap_pop(book, heap, size)
        size -= 1
        h = hold_row(state, hold)
        if book[h + STATUS] == HELD and book[h + EXPIRES] == second:
            expire(state, hold)
    stock[N_HEAP] = size
    if bucket > stock[BUCKET]:
        roll(state, bucket)
