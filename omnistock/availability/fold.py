"""Events into state: every change of the engine's state is made here, live and in replay."""

from __future__ import annotations

import numpy as np

from omnistock.availability.hashing import find_request, joined, point_key, put_point
from omnistock.availability.layout import (
    ANSWER_AT,
    ANSWER_WORDS,
    BASE,
    BUCKET,
    BUFFER,
    COMMITTED,
    E_BUFFER,
    E_HOLD,
    E_INBOUND,
    E_LIMIT,
    E_NODE,
    E_ON_HAND,
    E_POINT,
    E_RELEASE,
    E_REQUEST,
    E_RETURN,
    E_SHIP,
    E_STATUS,
    E_USE,
    EXPECTED,
    EXPIRED,
    FINGERPRINT,
    FIRST_LINE,
    FIRST_POINT,
    FLOW_ROW,
    HELD,
    HOLD_CHANNEL,
    HOLD_HEAD_WORDS,
    HOLD_LINE_WORDS,
    ID_HIGH,
    ID_LOW,
    INBOUND_BUCKET,
    INBOUND_POINT,
    INBOUND_REFERENCE,
    LIMIT_FIELDS,
    LIMIT_ROW,
    LINE_BUCKET,
    LINE_HOLD,
    LINE_POINT,
    LINE_SHIPPED,
    LINE_SKU,
    N_ANSWERS,
    N_BUCKETS,
    N_FLOWS,
    N_HEAP,
    N_HOLD_LINES,
    N_HOLDS,
    N_INBOUND,
    N_LIMITS,
    N_LINES,
    N_POINTS,
    N_REQUESTS,
    NEXT_POINT,
    NODE_ACTIVE,
    NODE_PRIORITY,
    ON_HAND,
    OPEN,
    ORDER,
    POINT_NODE,
    POINT_SKU,
    POINTS_OF_SKU,
    PROTECTION,
    PROTECTION_SINCE,
    PROTECTION_UNTIL,
    PROTECTION_USED,
    QUOTA,
    QUOTA_SINCE,
    QUOTA_UNTIL,
    QUOTA_USED,
    RELEASED,
    REMAINING,
    REQUEST_HEAD_WORDS,
    REQUEST_LINE,
    RESERVED,
    RETURNED,
    SHIPPED,
    STATUS,
)
from omnistock.availability.stock import (
    heap_push,
    promise,
    refresh_minima,
    schedule_receipt,
    use_limits,
)
from omnistock.numerics.compiled import lean_kernel

# Words beyond those of the longest fixed event.
_FIXED_WORDS = 16


@lean_kernel
def add_point(state, s, sku, node):
    """Open a stockpoint and enter it into its SKU's list, by node priority."""
    state.counts[N_POINTS] = max(state.counts[N_POINTS], s + 1)
    state.records[s, :] = 0
    state.records[s, FLOW_ROW] = -1
    state.points[s, :] = 0
    state.points[s, POINT_SKU] = sku
    state.points[s, POINT_NODE] = node
    put_point(state.places, point_key(sku, node), s)
    if state.skus[sku, POINTS_OF_SKU] < 0:
        state.skus[sku, POINTS_OF_SKU] = 0
    state.skus[sku, POINTS_OF_SKU] += 1
    priority = state.nodes[node, NODE_PRIORITY]
    before = -1
    after = state.skus[sku, FIRST_POINT]
    while after >= 0 and state.nodes[state.points[after, POINT_NODE], NODE_PRIORITY] <= priority:
        before = after
        after = state.points[after, NEXT_POINT]
    state.points[s, NEXT_POINT] = after
    if before < 0:
        state.skus[sku, FIRST_POINT] = s
    else:
        state.points[before, NEXT_POINT] = s


@lean_kernel
def register_hold(state, events, at, take):
    """Enter a hold; ``take`` also takes its units, which a live decision has done already."""
    hold = np.int64(events[at + 2])
    channel = np.int64(events[at + 4])
    status = np.int64(events[at + 5])
    expires = joined(events[at + 6], events[at + 7])
    first = state.counts[N_HOLD_LINES]
    n_lines = (np.int64(events[at + 1]) - HOLD_HEAD_WORDS) // HOLD_LINE_WORDS
    state.counts[N_HOLDS] = hold + 1
    state.holds[hold, STATUS] = status
    state.holds[hold, HOLD_CHANNEL] = channel
    state.holds[hold, FIRST_LINE] = first
    state.holds[hold, N_LINES] = n_lines
    state.holds[hold, ORDER] = events[at + 3]
    state.expires[hold] = expires
    if status == HELD:
        heap_push(state.heap, state.counts[N_HEAP], expires, hold)
        state.counts[N_HEAP] += 1
    column = RESERVED if status == HELD else COMMITTED
    for k in range(n_lines):
        word = at + HOLD_HEAD_WORDS + HOLD_LINE_WORDS * k
        q = first + k
        s = np.int64(events[word])
        units = np.int64(events[word + 2])
        state.lines[q, LINE_POINT] = s
        state.lines[q, LINE_BUCKET] = events[word + 1]
        state.lines[q, OPEN] = units
        state.lines[q, LINE_SHIPPED] = 0
        state.lines[q, RETURNED] = 0
        state.lines[q, REQUEST_LINE] = events[word + 3]
        state.lines[q, LINE_SKU] = events[word + 4]
        state.lines[q, LINE_HOLD] = hold
        state.points[s, column] += units
        if take:
            promise(state, s, np.int64(events[word + 1]), units)
            use_limits(state, s, channel, hold, units)
    state.counts[N_HOLD_LINES] = first + n_lines


@lean_kernel
def set_status(state, hold, status):
    """Make a soft hold hard; an expired one takes its units again first."""
    was = state.holds[hold, STATUS]
    first = state.holds[hold, FIRST_LINE]
    channel = state.holds[hold, HOLD_CHANNEL]
    for q in range(first, first + state.holds[hold, N_LINES]):
        units = state.lines[q, OPEN]
        s = state.lines[q, LINE_POINT]
        if was == EXPIRED:
            promise(state, s, state.lines[q, LINE_BUCKET], units)
            use_limits(state, s, channel, hold, units)
        else:
            state.points[s, RESERVED] -= units
        state.points[s, COMMITTED] += units
    state.holds[hold, STATUS] = status
    state.expires[hold] = 0


@lean_kernel
def close_if_done(state, hold):
    """Mark a hold shipped or released once none of its lines is open."""
    first = state.holds[hold, FIRST_LINE]
    shipped = 0
    for q in range(first, first + state.holds[hold, N_LINES]):
        if state.lines[q, OPEN] > 0:
            return
        shipped += state.lines[q, LINE_SHIPPED]
    state.holds[hold, STATUS] = SHIPPED if shipped > 0 else RELEASED


@lean_kernel
def release_line(state, q, units):
    """Give open units of a line back to whom they came from."""
    hold = state.lines[q, LINE_HOLD]
    s = state.lines[q, LINE_POINT]
    promise(state, s, state.lines[q, LINE_BUCKET], -units)
    use_limits(state, s, state.holds[hold, HOLD_CHANNEL], hold, -units)
    column = RESERVED if state.holds[hold, STATUS] == HELD else COMMITTED
    state.points[s, column] -= units
    state.lines[q, OPEN] -= units
    close_if_done(state, hold)


@lean_kernel
def ship_line(state, q, units):
    """Turn committed units into gone ones; a unit due later leaves the earlier buckets now."""
    s = state.lines[q, LINE_POINT]
    bucket = state.lines[q, LINE_BUCKET]
    state.points[s, ON_HAND] -= units
    state.points[s, COMMITTED] -= units
    state.lines[q, OPEN] -= units
    state.lines[q, LINE_SHIPPED] += units
    if bucket > state.counts[BUCKET]:
        n_buckets = state.counts[N_BUCKETS]
        state.records[s, BASE] -= units
        state.flows[state.records[s, FLOW_ROW], n_buckets + bucket % n_buckets] -= units
        refresh_minima(state, s)
    close_if_done(state, state.lines[q, LINE_HOLD])


@lean_kernel
def set_inbound(state, events, at):
    """Enter an inbound line, or set what remains of one and when it is due."""
    i = np.int64(events[at + 2])
    if i < state.counts[N_INBOUND]:
        old = state.inbound[i, REMAINING]
        state.points[state.inbound[i, INBOUND_POINT], EXPECTED] -= old
        if old > 0:
            s = state.inbound[i, INBOUND_POINT]
            schedule_receipt(state, s, state.inbound[i, INBOUND_BUCKET], -old)
    else:
        state.counts[N_INBOUND] = i + 1
    state.inbound[i, INBOUND_POINT] = events[at + 3]
    state.inbound[i, INBOUND_BUCKET] = events[at + 4]
    state.inbound[i, REMAINING] = events[at + 5]
    state.inbound[i, INBOUND_REFERENCE] = events[at + 6]
    state.eta[i] = joined(events[at + 7], events[at + 8])
    state.points[np.int64(events[at + 3]), EXPECTED] += np.int64(events[at + 5])
    if events[at + 5] > 0:
        schedule_receipt(
            state, np.int64(events[at + 3]), np.int64(events[at + 4]), np.int64(events[at + 5])
        )


@lean_kernel
def set_limit(state, sku, channel, field, units, until):
    """Set a quota, protection or channel buffer; the first two begin to count anew."""
    row = state.skus[sku, LIMIT_ROW]
    if row < 0:
        row = state.counts[N_LIMITS]
        state.counts[N_LIMITS] = row + 1
        state.skus[sku, LIMIT_ROW] = row
        for other in range(state.limits.shape[1]):
            for k in range(LIMIT_FIELDS):
                state.limits[row, other, k] = -1 if k == QUOTA else 0
            state.limits_until[row, other, :] = 0
            # Holds of before have counted against nothing, so they give nothing back.
            state.limits[row, other, QUOTA_SINCE] = state.counts[N_HOLDS]
            state.limits[row, other, PROTECTION_SINCE] = state.counts[N_HOLDS]
    state.limits[row, channel, field] = units
    if field == QUOTA:
        state.limits[row, channel, QUOTA_USED] = 0
        state.limits[row, channel, QUOTA_SINCE] = state.counts[N_HOLDS]
        state.limits_until[row, channel, QUOTA_UNTIL] = until
    elif field == PROTECTION:
        state.limits[row, channel, PROTECTION_USED] = 0
        state.limits[row, channel, PROTECTION_SINCE] = state.counts[N_HOLDS]
        state.limits_until[row, channel, PROTECTION_UNTIL] = until


@lean_kernel
def use_without_hold(state, sku, channel, units):
    """Count a sale without a hold against the channel's quota and protection."""
    row = state.skus[sku, LIMIT_ROW]
    if row >= 0:
        state.limits[row, channel, QUOTA_USED] += units
        state.limits[row, channel, PROTECTION_USED] += units


@lean_kernel
def remember_request(state, events, at):
    """Keep a request's content hash and answer, to give the same answer again."""
    high = joined(events[at + 2], events[at + 3])
    low = joined(events[at + 4], events[at + 5])
    slot = find_request(state.requests, high, low)
    n_words = np.int64(events[at + 1]) - REQUEST_HEAD_WORDS
    offset = state.counts[N_ANSWERS]
    state.requests[slot, ID_HIGH] = high
    state.requests[slot, ID_LOW] = low
    state.requests[slot, FINGERPRINT] = joined(events[at + 6], events[at + 7])
    state.requests[slot, ANSWER_AT] = offset
    state.requests[slot, ANSWER_WORDS] = n_words
    for k in range(n_words):
        state.answers[offset + k] = events[at + REQUEST_HEAD_WORDS + k]
    state.counts[N_ANSWERS] = offset + n_words
    state.counts[N_REQUESTS] += 1


@lean_kernel
def fold_one(state, events, at, take):
    """Apply the event at word ``at``; returns the word after it."""
    kind = np.int64(events[at])
    if kind == E_HOLD:
        register_hold(state, events, at, take)
    elif kind == E_REQUEST:
        remember_request(state, events, at)
    elif kind == E_SHIP:
        ship_line(state, np.int64(events[at + 2]), np.int64(events[at + 3]))
    elif kind == E_STATUS:
        set_status(state, np.int64(events[at + 2]), np.int64(events[at + 3]))
    elif kind == E_RELEASE:
        release_line(state, np.int64(events[at + 2]), np.int64(events[at + 3]))
    elif kind == E_ON_HAND:
        state.points[events[at + 2], ON_HAND] += np.int64(events[at + 3])
        state.records[events[at + 2], BASE] += events[at + 3]
    elif kind == E_INBOUND:
        set_inbound(state, events, at)
    elif kind == E_BUFFER:
        state.records[events[at + 2], BUFFER] = events[at + 3]
    elif kind == E_LIMIT:
        until = joined(events[at + 6], events[at + 7])
        set_limit(
            state, events[at + 2], events[at + 3], np.int64(events[at + 4]), events[at + 5], until
        )
    elif kind == E_NODE:
        state.nodes[events[at + 2], NODE_ACTIVE] = events[at + 3]
    elif kind == E_RETURN:
        state.lines[events[at + 2], RETURNED] += events[at + 3]
        state.points[events[at + 4], ON_HAND] += events[at + 3]
        state.records[events[at + 4], BASE] += events[at + 3]
    elif kind == E_USE:
        use_without_hold(
            state, np.int64(events[at + 2]), np.int64(events[at + 3]), np.int64(events[at + 4])
        )
    elif kind == E_POINT:
        add_point(
            state, np.int64(events[at + 2]), np.int64(events[at + 3]), np.int64(events[at + 4])
        )
    return at + np.int64(events[at + 1])


@lean_kernel
def has_room(state, n_words):
    """True if the arrays can take any one event of ``n_words`` words."""
    counts = state.counts
    n_lines = n_words // HOLD_LINE_WORDS + 1
    return (
        counts[N_POINTS] + 1 <= state.points.shape[0]
        and 2 * (counts[N_POINTS] + 1) < state.places.shape[0]
        and counts[N_LIMITS] + 1 <= state.limits.shape[0]
        and counts[N_HOLDS] + 1 <= state.holds.shape[0]
        and counts[N_HEAP] + 1 <= state.heap.shape[0]
        and counts[N_HOLD_LINES] + n_lines <= state.lines.shape[0]
        and min(counts[N_POINTS], counts[N_FLOWS] + n_lines + counts[N_INBOUND]) + 1
        <= state.flows.shape[0]
        and counts[N_INBOUND] + 1 <= state.inbound.shape[0]
        and 2 * (counts[N_REQUESTS] + 1) < state.requests.shape[0]
        and counts[N_ANSWERS] + n_words + _FIXED_WORDS <= state.answers.shape[0]
    )


@lean_kernel
def fold(state, events, start):
    """Apply events from word ``start`` on; returns the word where the arrays grew too small."""
    at = start
    while at < events.shape[0]:
        if not has_room(state, np.int64(events[at + 1])):
            return at
        at = fold_one(state, events, at, True)
    return at
