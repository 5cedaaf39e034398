"""Events of settings into state: buffers, dated buffers, limits, deltas of feeds."""

from __future__ import annotations

import numpy as np

from omnistock.availability.cells import delta_row, limit_row, point, sku_row, step_row
from omnistock.availability.flat import note_free
from omnistock.availability.hashing import joined
from omnistock.availability.layout import (
    BUFFER_SHARE,
    BUFFER_UNITS,
    DELTA_SEQUENCE,
    DELTA_SOURCE,
    DELTA_UNITS,
    FIRST_DELTA,
    FIRST_LIMIT,
    FIRST_POINT,
    FIRST_STEP,
    FLAGS,
    HAS_LIMITS,
    HAS_OWN_BUFFERS,
    HAS_STEPS,
    IS_WATERMARK,
    LIMIT_FIELDS,
    LIMIT_KIND,
    LIMIT_POINT,
    LIMIT_PRIORITY,
    LIMIT_SHARE,
    LIMIT_SINCE,
    LIMIT_UNTIL,
    LIMIT_USED,
    N_DELTAS,
    N_HOLDS,
    N_LIMITS,
    N_STEPS,
    NEXT_DELTA,
    NEXT_LIMIT,
    NEXT_POINT,
    NEXT_STEP,
    STEP_BUCKET,
    STEP_UNITS,
)
from omnistock.availability.stock import flow_row, refresh_buffer, refresh_minima
from omnistock.numerics.compiled import inner_kernel, lean_kernel


@lean_kernel
def flag_limits(state, sku):
    """Mark the stockpoints of a SKU as not plain."""
    s = state.stock[sku_row(state, sku) + FIRST_POINT]
    while s >= 0:
        state.records[s, FLAGS] |= HAS_LIMITS
        note_free(state.records, state.stock, s)
        s = state.stock[point(state, s) + NEXT_POINT]


@inner_kernel
def set_limit(state, events, at):
    """Set a quota, protection or asker's buffer; the first two begin to count anew."""
    stock = state.stock
    at_row = np.int64(events[at + 2])
    sku = np.int64(events[at + 3])
    row = limit_row(state, at_row)
    if at_row >= stock[N_LIMITS]:
        stock[N_LIMITS] = at_row + 1
        flag_limits(state, sku)
        stock[row + NEXT_LIMIT] = stock[sku_row(state, sku) + FIRST_LIMIT]
        stock[sku_row(state, sku) + FIRST_LIMIT] = at_row
    # kind, match, units lie side by side in the event and in the row.
    for k in range(3):
        stock[row + LIMIT_KIND + k] = events[at + 4 + k]
    stock[row + LIMIT_PRIORITY] = events[at + 7]
    stock[row + LIMIT_UNTIL] = joined(events[at + 8], events[at + 9])
    for k in range(LIMIT_FIELDS - LIMIT_SHARE):
        stock[row + LIMIT_SHARE + k] = events[at + 10 + k]
    stock[row + LIMIT_USED] = 0
    stock[row + LIMIT_SINCE] = stock[N_HOLDS]
    s = stock[row + LIMIT_POINT]
    if s >= 0:
        state.records[s, FLAGS] |= HAS_OWN_BUFFERS
        note_free(state.records, stock, s)


@inner_kernel
def set_step(state, s, bucket, units):
    """Set a buffer that comes into force with a later bucket."""
    stock = state.stock
    p = point(state, s)
    before = np.int64(-1)
    after = stock[p + FIRST_STEP]
    while after >= 0 and stock[step_row(state, after) + STEP_BUCKET] < bucket:
        before = after
        after = stock[step_row(state, after) + NEXT_STEP]
    if after >= 0 and stock[step_row(state, after) + STEP_BUCKET] == bucket:
        stock[step_row(state, after) + STEP_UNITS] = units
    else:
        new = stock[N_STEPS]
        stock[N_STEPS] = new + 1
        row = step_row(state, new)
        stock[row + STEP_BUCKET] = bucket
        stock[row + STEP_UNITS] = units
        stock[row + NEXT_STEP] = after
        if before < 0:
            stock[p + FIRST_STEP] = new
        else:
            stock[step_row(state, before) + NEXT_STEP] = new
    state.records[s, FLAGS] |= HAS_STEPS
    flow_row(state, s)
    refresh_minima(state, s)


@inner_kernel
def set_buffer(state, s, units, share):
    """Set what is kept back at a stockpoint: units, or ten-thousandths of on hand."""
    p = point(state, s)
    state.stock[p + BUFFER_UNITS] = units
    state.stock[p + BUFFER_SHARE] = share
    refresh_buffer(state, s)
    if state.records[s, FLAGS] & HAS_STEPS != 0:
        refresh_minima(state, s)


@inner_kernel
def forget_deltas(state, p, source, watermark):
    """Drop what a snapshot has in it from the deltas remembered at a stockpoint."""
    book = state.book
    before = np.int64(-1)
    at = state.stock[p + FIRST_DELTA]
    while at >= 0:
        row = delta_row(state, at)
        following = book[row + NEXT_DELTA]
        if book[row + DELTA_SOURCE] != source or book[row + DELTA_SEQUENCE] > watermark:
            before = at
        elif before < 0:
            state.stock[p + FIRST_DELTA] = following
        else:
            book[delta_row(state, before) + NEXT_DELTA] = following
        at = following


@inner_kernel
def add_delta(state, events, at):
    """Remember a delta of a feed, or a snapshot's watermark; both by stockpoint."""
    row = delta_row(state, state.stock[N_DELTAS])
    p = point(state, np.int64(events[at + 2]))
    if events[at + 7] != 0:
        forget_deltas(state, p, np.int64(events[at + 3]), joined(events[at + 4], events[at + 5]))
    state.book[row + DELTA_SOURCE] = events[at + 3]
    state.book[row + DELTA_SEQUENCE] = joined(events[at + 4], events[at + 5])
    state.book[row + DELTA_UNITS] = events[at + 6]
    state.book[row + IS_WATERMARK] = events[at + 7]
    state.book[row + NEXT_DELTA] = state.stock[p + FIRST_DELTA]
    state.stock[p + FIRST_DELTA] = state.stock[N_DELTAS]
    state.stock[N_DELTAS] += 1
