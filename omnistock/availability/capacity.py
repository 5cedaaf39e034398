"""What nodes can handle in a bucket, and how much of it is taken.

A node whose capacity was ever limited has a row of flows: by slot the units promised from
it, and behind them what single buckets can handle other than all. Work is counted for
the bucket it is due in; demand that was overdue when it came is not.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.cells import flow, hold_row, line_row, node_row, point
from omnistock.availability.flat import note_free
from omnistock.availability.layout import (
    BUCKET,
    CONFIRMED,
    FIRST_LINE,
    FLAGS,
    HAS_LIMITS,
    HELD,
    LINE_BUCKET,
    LINE_POINT,
    LINES_OF_HOLD,
    N_BUCKETS,
    N_CAPACITIES,
    N_FLOWS,
    N_HOLDS,
    N_NODES,
    N_POINTS,
    NODE_CAPACITY,
    NODE_WORK,
    OPEN,
    PICKED,
    POINT_NODE,
    STATUS,
    UNBOUNDED,
)
from omnistock.numerics.compiled import inner_kernel


@inner_kernel
def capacity_left(state, node, bucket):
    """Units that a node can still handle in a bucket, :data:`UNBOUNDED` without a limit."""
    stock = state.stock
    row = node_row(state, node)
    if stock[row + NODE_WORK] == 0 or bucket < stock[BUCKET]:
        return np.int64(UNBOUNDED)
    n_buckets = stock[N_BUCKETS]
    at = flow(state, stock[row + NODE_WORK] - 1)
    slot = bucket % n_buckets
    own = stock[at + n_buckets + slot]
    units = own - 1 if own > 0 else stock[row + NODE_CAPACITY]
    if units < 0:
        return np.int64(UNBOUNDED)
    left = units - stock[at + slot]
    return left if left > 0 else np.int64(0)


@inner_kernel
def use_capacity(state, s, bucket, units):
    """Count ``units`` as work of a stockpoint's node; negative units give back."""
    stock = state.stock
    row = node_row(state, stock[point(state, s) + POINT_NODE])
    work = stock[row + NODE_WORK]
    if work == 0 or bucket < stock[BUCKET]:
        return
    stock[flow(state, work - 1) + bucket % stock[N_BUCKETS]] += units


@inner_kernel
def _begin_work(state, node):
    """Give a node a row of work, with what live holds have open there."""
    stock = state.stock
    book = state.book
    flow_row = stock[N_FLOWS]
    stock[N_FLOWS] = flow_row + 1
    at = flow(state, flow_row)
    for k in range(2 * stock[N_BUCKETS]):
        stock[at + k] = 0
    stock[node_row(state, node) + NODE_WORK] = flow_row + 1
    stock[N_CAPACITIES] += 1
    for s in range(stock[N_POINTS]):
        if stock[point(state, s) + POINT_NODE] == node:
            state.records[s, FLAGS] |= HAS_LIMITS
            note_free(state.records, stock, s)
    for hold in range(stock[N_HOLDS]):
        h = hold_row(state, hold)
        if book[h + STATUS] not in (HELD, CONFIRMED, PICKED):
            continue
        for q in range(book[h + FIRST_LINE], book[h + FIRST_LINE] + book[h + LINES_OF_HOLD]):
            line = line_row(state, q)
            s = book[line + LINE_POINT]
            if stock[point(state, s) + POINT_NODE] == node:
                use_capacity(state, s, book[line + LINE_BUCKET], book[line + OPEN])


@inner_kernel
def set_capacity(state, node, bucket, units):
    """Set what a node can handle in every bucket, or in one; -1 lifts that."""
    stock = state.stock
    row = node_row(state, node)
    if stock[row + NODE_WORK] == 0:
        stock[row + NODE_CAPACITY] = -1
        _begin_work(state, node)
    if bucket < 0:
        stock[row + NODE_CAPACITY] = units
    elif bucket >= stock[BUCKET]:
        n_buckets = stock[N_BUCKETS]
        at = flow(state, stock[row + NODE_WORK] - 1) + n_buckets
        stock[at + bucket % n_buckets] = units + 1


@inner_kernel
def roll_capacity(state, old, bucket):
    """Forget the work of buckets that have passed, before ``stock[BUCKET]`` is their follower."""
    stock = state.stock
    if stock[N_CAPACITIES] == 0:
        return
    n_buckets = stock[N_BUCKETS]
    for node in range(stock[N_NODES]):
        work = stock[node_row(state, node) + NODE_WORK]
        if work == 0:
            continue
        at = flow(state, work - 1)
        for passed in range(old, min(bucket, old + n_buckets)):
            stock[at + passed % n_buckets] = 0
            stock[at + n_buckets + passed % n_buckets] = 0
