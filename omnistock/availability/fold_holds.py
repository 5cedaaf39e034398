"""Events of holds into state: registered, confirmed, released, shipped, rewritten."""

from __future__ import annotations

import numpy as np

from omnistock.availability.cells import flow, hold_row, line_row, point
from omnistock.availability.flat import note_free
from omnistock.availability.hashing import joined
from omnistock.availability.layout import (
    AT_HEAP,
    BASE,
    BUCKET,
    COMMITTED,
    COUNTS_AS,
    EXPIRED,
    EXPIRES,
    FIRST_LINE,
    FLOW_ROW,
    HELD,
    HOLD_ASKER,
    HOLD_FLAGS,
    HOLD_HEAD_WORDS,
    HOLD_LINE_WORDS,
    LINE_BUCKET,
    LINE_FIELDS,
    LINE_HOLD,
    LINE_PER,
    LINE_POINT,
    LINE_SHIPPED,
    LINE_SKU,
    LINES_HEAD_WORDS,
    LINES_LINE_WORDS,
    LINES_OF_HOLD,
    N_BUCKETS,
    N_HEAP,
    N_HOLDS,
    N_LINES,
    OPEN,
    ORDER,
    PICKED,
    PICKING,
    RELEASED,
    REQUEST_LINE,
    RESERVED,
    RETURNED,
    SHIPPED,
    STATUS,
)
from omnistock.availability.limits import use_limits
from omnistock.availability.stock import change_on_hand, heap_push, promise, refresh_minima
from omnistock.numerics.compiled import inner_kernel


@inner_kernel
def register_hold(state, events, at, take):
    """Enter a hold; ``take`` also takes its units, which a live decision has done already."""
    book = state.book
    hold = np.int64(events[at + 2])
    asker = np.int64(events[at + 4])
    status = np.int64(events[at + 5])
    expires = joined(events[at + 6], events[at + 7])
    first = state.stock[N_LINES]
    n_lines = (np.int64(events[at + 1]) - HOLD_HEAD_WORDS) // HOLD_LINE_WORDS
    state.stock[N_HOLDS] = hold + 1
    h = hold_row(state, hold)
    book[h + STATUS] = status
    book[h + HOLD_ASKER] = asker
    book[h + FIRST_LINE] = first
    book[h + LINES_OF_HOLD] = n_lines
    book[h + ORDER] = events[at + 3]
    book[h + EXPIRES] = expires
    book[h + HOLD_FLAGS] = events[at + 8]
    counted = np.int64(events[at + 9])
    book[h + COUNTS_AS] = counted
    if status == HELD:
        heap_push(book, state.stock[AT_HEAP], state.stock[N_HEAP], expires, hold)
        state.stock[N_HEAP] += 1
    column = RESERVED if status == HELD else COMMITTED
    line = line_row(state, first)
    word = at + HOLD_HEAD_WORDS
    for _ in range(n_lines):
        s = np.int64(events[word])
        units = np.int64(events[word + 2])
        book[line + LINE_POINT] = s
        book[line + LINE_BUCKET] = events[word + 1]
        book[line + OPEN] = units
        book[line + LINE_SHIPPED] = 0
        book[line + RETURNED] = 0
        book[line + REQUEST_LINE] = events[word + 3]
        book[line + LINE_SKU] = events[word + 4]
        book[line + LINE_PER] = events[word + 5]
        book[line + LINE_HOLD] = hold
        state.stock[point(state, s) + column] += units
        if take:
            bucket = np.int64(events[word + 1])
            promise(state, s, bucket, units)
            use_limits(state, s, asker, counted, bucket, units)
        line += LINE_FIELDS
        word += HOLD_LINE_WORDS
    state.stock[N_LINES] = first + n_lines


@inner_kernel
def set_status(state, hold, status):
    """Make a hold hard or released to the floor; an expired one takes its units again first."""
    book = state.book
    h = hold_row(state, hold)
    was = book[h + STATUS]
    asker = book[h + HOLD_ASKER]
    first = book[h + FIRST_LINE]
    for q in range(first, first + book[h + LINES_OF_HOLD]):
        line = line_row(state, q)
        units = book[line + OPEN]
        s = book[line + LINE_POINT]
        p = point(state, s)
        if status == PICKED:
            state.stock[p + PICKING] += units
            continue
        if was == EXPIRED:
            promise(state, s, book[line + LINE_BUCKET], units)
            use_limits(state, s, asker, book[h + COUNTS_AS], book[line + LINE_BUCKET], units)
        else:
            state.stock[p + RESERVED] -= units
        state.stock[p + COMMITTED] += units
    book[h + STATUS] = status
    book[h + EXPIRES] = 0


@inner_kernel
def close_if_done(state, hold):
    """Mark a hold shipped or released once none of its lines is open."""
    h = hold_row(state, hold)
    first = state.book[h + FIRST_LINE]
    shipped = np.int64(0)
    for q in range(first, first + state.book[h + LINES_OF_HOLD]):
        line = line_row(state, q)
        if state.book[line + OPEN] > 0:
            return
        shipped += state.book[line + LINE_SHIPPED]
    state.book[h + STATUS] = SHIPPED if shipped > 0 else RELEASED


@inner_kernel
def count_open(state, s, status, units):
    """Add units to what a stockpoint has reserved, committed or on the floor."""
    p = point(state, s)
    state.stock[p + (RESERVED if status == HELD else COMMITTED)] += units
    if status == PICKED:
        state.stock[p + PICKING] += units


@inner_kernel
def release_line(state, q, units):
    """Give open units of a line back to whom they came from."""
    line = line_row(state, q)
    hold = state.book[line + LINE_HOLD]
    h = hold_row(state, hold)
    s = state.book[line + LINE_POINT]
    bucket = state.book[line + LINE_BUCKET]
    promise(state, s, bucket, -units)
    use_limits(state, s, state.book[h + HOLD_ASKER], state.book[h + COUNTS_AS], bucket, -units)
    count_open(state, s, state.book[h + STATUS], -units)
    state.book[line + OPEN] -= units
    close_if_done(state, hold)


@inner_kernel
def ship_line(state, q, units):
    """Turn committed units into gone ones; a unit due later leaves the earlier buckets now."""
    line = line_row(state, q)
    s = state.book[line + LINE_POINT]
    bucket = state.book[line + LINE_BUCKET]
    hold = state.book[line + LINE_HOLD]
    # On hand and the promise fall alike, so the balance stays.
    change_on_hand(state, s, -units)
    state.records[s, BASE] += units
    note_free(state.records, state.stock, s)
    count_open(state, s, state.book[hold_row(state, hold) + STATUS], -units)
    state.book[line + OPEN] -= units
    state.book[line + LINE_SHIPPED] += units
    if bucket > state.stock[BUCKET]:
        n_buckets = state.stock[N_BUCKETS]
        at = flow(state, np.int64(state.records[s, FLOW_ROW]))
        state.records[s, BASE] -= units
        state.stock[at + n_buckets + bucket % n_buckets] -= units
        refresh_minima(state, s)
    close_if_done(state, hold)


@inner_kernel
def take_back_line(state, q, units, s):
    """Put shipped units into stock again."""
    state.book[line_row(state, q) + RETURNED] += units
    change_on_hand(state, s, units)


@inner_kernel
def set_lines(state, events, at):
    """Give a hold new lines in place of all it had: what was open is given back first."""
    book = state.book
    hold = np.int64(events[at + 2])
    h = hold_row(state, hold)
    asker = book[h + HOLD_ASKER]
    status = book[h + STATUS]
    old = book[h + FIRST_LINE]
    for q in range(old, old + book[h + LINES_OF_HOLD]):
        line = line_row(state, q)
        units = book[line + OPEN]
        if units > 0:
            s = book[line + LINE_POINT]
            promise(state, s, book[line + LINE_BUCKET], -units)
            use_limits(state, s, asker, book[h + COUNTS_AS], book[line + LINE_BUCKET], -units)
            count_open(state, s, status, -units)
        book[line + OPEN] = 0
        book[line + LINE_SHIPPED] = 0
        book[line + RETURNED] = 0
    first = state.stock[N_LINES]
    n_lines = (np.int64(events[at + 1]) - LINES_HEAD_WORDS) // LINES_LINE_WORDS
    for k in range(n_lines):
        word = at + LINES_HEAD_WORDS + LINES_LINE_WORDS * k
        line = line_row(state, first + k)
        s = np.int64(events[word])
        bucket = np.int64(events[word + 1])
        units = np.int64(events[word + 2])
        for field in range(LINES_LINE_WORDS):
            book[line + field] = events[word + field]
        book[line + LINE_HOLD] = hold
        if units > 0:
            promise(state, s, bucket, units)
            use_limits(state, s, asker, book[h + COUNTS_AS], bucket, units)
            count_open(state, s, status, units)
    state.stock[N_LINES] = first + n_lines
    book[h + FIRST_LINE] = first
    book[h + LINES_OF_HOLD] = n_lines
    close_if_done(state, hold)
