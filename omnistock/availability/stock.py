"""Balances of a stockpoint: promised, given back, received, rolled on in time.

Axes: s = stockpoint, t = bucket from the current one on, slot = bucket modulo T.
Invariant after every kernel here, for each s and t:

    base + minimum[t] = min over u >= t of the balance at the end of bucket u
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.layout import (
    BASE,
    BUCKET,
    BUFFER,
    EXPIRED,
    FIRST_LINE,
    FLOW_ROW,
    HELD,
    HOLD_CHANNEL,
    INBOUND_BUCKET,
    INBOUND_POINT,
    LIMIT_ROW,
    LINE_BUCKET,
    LINE_POINT,
    MINIMA,
    N_BUCKETS,
    N_FLOWS,
    N_HEAP,
    N_INBOUND,
    N_LINES,
    N_POINTS,
    NOW,
    OPEN,
    POINT_SKU,
    PROTECTION_SINCE,
    PROTECTION_USED,
    QUOTA_SINCE,
    QUOTA_USED,
    REMAINING,
    RESERVED,
    STATUS,
)
from omnistock.numerics.compiled import lean_kernel


@lean_kernel
def refresh_minima(state, s):
    """Recompute the look-ahead minima of one stockpoint from its dated flows."""
    row = state.records[s, FLOW_ROW]
    n_buckets = state.counts[N_BUCKETS]
    current = state.counts[BUCKET]
    balance = np.int64(0)
    for t in range(1, n_buckets):
        slot = (current + t) % n_buckets
        balance += np.int64(state.flows[row, slot]) - np.int64(state.flows[row, n_buckets + slot])
        state.records[s, MINIMA + t] = balance
    for t in range(n_buckets - 2, 0, -1):
        later = state.records[s, MINIMA + t + 1]
        state.records[s, MINIMA + t] = min(state.records[s, MINIMA + t], later)
    # The current bucket itself has balance 0 against the base.
    state.records[s, MINIMA] = min(0, np.int64(state.records[s, MINIMA + 1]))


@lean_kernel
def flow_row(state, s):
    """Row of the stockpoint's dated flows; one is given to it if it has none."""
    row = np.int64(state.records[s, FLOW_ROW])
    if row < 0:
        row = state.counts[N_FLOWS]
        state.counts[N_FLOWS] = row + 1
        state.flows[row, :] = 0
        state.records[s, FLOW_ROW] = row
    return row


@lean_kernel
def promise(state, s, bucket, units):
    """Take ``units`` out of the balance from ``bucket`` on; negative units give back."""
    current = state.counts[BUCKET]
    if bucket <= current:
        state.records[s, BASE] -= units
        return
    n_buckets = state.counts[N_BUCKETS]
    row = flow_row(state, s)
    state.flows[row, n_buckets + bucket % n_buckets] += units
    refresh_minima(state, s)


@lean_kernel
def schedule_receipt(state, s, bucket, units):
    """Count ``units`` of inbound into the balance from ``bucket`` on, if within the horizon."""
    current = state.counts[BUCKET]
    n_buckets = state.counts[N_BUCKETS]
    if bucket < current or bucket >= current + n_buckets:
        return
    row = flow_row(state, s)
    state.flows[row, bucket % n_buckets] += units
    if bucket == current:
        state.records[s, BASE] += units
    else:
        refresh_minima(state, s)


@lean_kernel
def use_limits(state, s, channel, hold, units):
    """Count ``units`` against the channel's quota and protection; negative units give back.

    What was held before a limit was set does not count against it, so it does
    not come back to it either.
    """
    row = state.skus[state.points[s, POINT_SKU], LIMIT_ROW]
    if row < 0:
        return
    if hold >= state.limits[row, channel, QUOTA_SINCE]:
        state.limits[row, channel, QUOTA_USED] += units
    if hold >= state.limits[row, channel, PROTECTION_SINCE]:
        state.limits[row, channel, PROTECTION_USED] += units


@lean_kernel
def lowest_before(state, s, bucket):
    """Lowest balance over the buckets before ``bucket``, the current one first."""
    base = np.int64(state.records[s, BASE])
    row = state.records[s, FLOW_ROW]
    if row < 0:
        return base
    n_buckets = state.counts[N_BUCKETS]
    current = state.counts[BUCKET]
    balance = base
    lowest = base
    for t in range(1, min(bucket - current, n_buckets)):
        slot = (current + t) % n_buckets
        balance += np.int64(state.flows[row, slot]) - np.int64(state.flows[row, n_buckets + slot])
        lowest = min(lowest, balance)
    return lowest


@lean_kernel
def heap_push(heap, size, second, hold):
    """Enter (second, hold) into the binary heap of ``size`` entries."""
    at = size
    while at > 0:
        parent = (at - 1) // 2
        if heap[parent, 0] <= second:
            break
        heap[at, 0] = heap[parent, 0]
        heap[at, 1] = heap[parent, 1]
        at = parent
    heap[at, 0] = second
    heap[at, 1] = hold


@lean_kernel
def heap_pop(heap, size):
    """Remove the earliest entry of the binary heap of ``size`` entries."""
    second = heap[size - 1, 0]
    hold = heap[size - 1, 1]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size - 1:
            break
        if child + 1 < size - 1 and heap[child + 1, 0] < heap[child, 0]:
            child += 1
        if heap[child, 0] >= second:
            break
        heap[at, 0] = heap[child, 0]
        heap[at, 1] = heap[child, 1]
        at = child
    heap[at, 0] = second
    heap[at, 1] = hold


@lean_kernel
def expire(state, hold):
    """End a soft hold; its lines keep their open units, so that a late confirm can ask again."""
    first = state.holds[hold, FIRST_LINE]
    channel = state.holds[hold, HOLD_CHANNEL]
    for q in range(first, first + state.holds[hold, N_LINES]):
        units = state.lines[q, OPEN]
        s = state.lines[q, LINE_POINT]
        promise(state, s, state.lines[q, LINE_BUCKET], -units)
        use_limits(state, s, channel, hold, -units)
        state.points[s, RESERVED] -= units
    state.holds[hold, STATUS] = EXPIRED


@lean_kernel
def roll(state, bucket):
    """Move the horizon on to ``bucket``.

    Promises of past buckets stay due now; receipts that did not come in time no
    longer count until they are received or dated anew.
    """
    n_buckets = state.counts[N_BUCKETS]
    old = state.counts[BUCKET]
    state.counts[BUCKET] = bucket
    n_flows = state.counts[N_FLOWS]
    if n_flows == 0 and state.counts[N_INBOUND] == 0:
        return
    for s in range(state.counts[N_POINTS]):
        row = state.records[s, FLOW_ROW]
        if row < 0:
            continue
        base = np.int64(state.records[s, BASE]) - np.int64(state.flows[row, old % n_buckets])
        for passed in range(old + 1, min(bucket, old + n_buckets - 1) + 1):
            slot = n_buckets + passed % n_buckets
            base -= np.int64(state.flows[row, slot])
            state.flows[row, slot] = 0
        state.records[s, BASE] = base
        state.flows[row, :n_buckets] = 0
        refresh_minima(state, s)
    for i in range(state.counts[N_INBOUND]):
        remaining = state.inbound[i, REMAINING]
        if remaining > 0:
            s = state.inbound[i, INBOUND_POINT]
            schedule_receipt(state, s, state.inbound[i, INBOUND_BUCKET], remaining)


@lean_kernel
def advance(state, now, bucket):
    """Bring the state to the second ``now``, which lies in ``bucket``; never backwards."""
    if now > state.counts[NOW]:
        state.counts[NOW] = now
    size = state.counts[N_HEAP]
    while size > 0 and state.heap[0, 0] <= state.counts[NOW]:
        second = state.heap[0, 0]
        hold = state.heap[0, 1]
        heap_pop(state.heap, size)
        size -= 1
        if state.holds[hold, STATUS] == HELD and state.expires[hold] == second:
            expire(state, hold)
    state.counts[N_HEAP] = size
    if bucket > state.counts[BUCKET]:
        roll(state, bucket)


@lean_kernel
def raw_balance(state, s, t):
    """What may be promised for bucket ``t`` before any buffer; may be negative."""
    return np.int64(state.records[s, BASE]) + np.int64(state.records[s, MINIMA + t])


@lean_kernel
def free_units(state, s, t):
    """What may be promised for bucket ``t`` after the stockpoint's buffer, at least 0."""
    return max(0, raw_balance(state, s, t) - np.int64(state.records[s, BUFFER]))
