"""Which constraint keeps a line at its available units."""

from __future__ import annotations

import numpy as np

from omnistock.availability.capacity import capacity_left
from omnistock.availability.cells import asker_row, in_set, point, sku_row
from omnistock.availability.layout import (
    ASKER_SET,
    BY_BUFFER,
    BY_CAPACITY,
    BY_CHANNEL_BUFFER,
    BY_LOT,
    BY_NODE,
    BY_NOT_STOCKED,
    BY_PROMISES,
    BY_PROTECTION,
    BY_QUOTA,
    BY_SEGMENT,
    BY_STOCK,
    FIRST_LIMIT,
    ON_HAND,
    POINT_NODE,
    POINT_TAG,
    UNBOUNDED,
)
from omnistock.availability.limits import protected_for_others, quota_left
from omnistock.availability.promise import (
    LINE_DUE_BUCKET,
    LINE_NODE,
    LINE_WORDS,
    N_COMPONENTS,
    bucket_ahead,
    everything_free,
    first_point,
    headroom,
    kept_back,
    limit_bucket,
    lives,
    next_point,
    open_for_all,
    pool_units,
    raw_units,
    serves,
    sku_available,
)
from omnistock.numerics.compiled import inner_kernel, lean_kernel


@lean_kernel
def what_binds(state, words, at, asker):
    """Name the constraint that keeps a line at its available units."""
    node = np.int64(words[at + LINE_NODE])
    t = bucket_ahead(state, words[at + LINE_DUE_BUCKET])
    tightest = np.int64(UNBOUNDED)
    sku = np.int64(0)
    for k in range(words[at + N_COMPONENTS]):
        component = words[at + LINE_WORDS + 2 * k]
        units = sku_available(state, component, node, asker, t, words, at)
        units = units // words[at + LINE_WORDS + 2 * k + 1]
        if units < tightest:
            tightest = units
            sku = component
    if state.stock[sku_row(state, sku) + FIRST_LIMIT] >= 0:
        pool = pool_units(state, sku, node, asker, t, words, at)
        room = headroom(state, sku, asker, t, words, at)
        if room < pool:
            return limit_binds(state, sku, asker, t, room, words, at)
    return stock_binds(state, sku, node, asker, t, words, at)


@inner_kernel
def limit_binds(state, sku, asker, t, room, words, at):
    """Quota, protection or the asker's buffer: whichever leaves no more than ``room``."""
    bucket = limit_bucket(state, t, words, at)
    everywhere = pool_units(state, sku, -1, asker, t, words, at)
    if room == quota_left(state, sku, asker, bucket, everywhere):
        return BY_QUOTA
    others = protected_for_others(state, sku, asker, bucket, -1)
    free = everything_free(state, sku, asker, t, -1, words, at)
    if others > 0 and room == max(0, free - others):
        return BY_PROTECTION
    return BY_CHANNEL_BUFFER


@inner_kernel
def stock_binds(state, sku, node, asker, t, words, at):
    """Capacity, buffer, promises, compartments or nodes that do not serve, stock: in this order."""
    busy = 0
    buffered = 0
    promised = 0
    elsewhere = 0
    spoilt = 0
    segmented = 0
    s = first_point(state, sku, node)
    if s < 0:
        return BY_NOT_STOCKED
    node_set = state.stock[asker_row(state, asker) + ASKER_SET]
    while s >= 0:
        p = point(state, s)
        raw = raw_units(state, s, t)
        some = 1 if raw > 0 else 0
        if serves(state, s, asker, words, at):
            bucket = limit_bucket(state, t, words, at)
            left = capacity_left(state, state.stock[p + POINT_NODE], bucket)
            busy += 1 if left < raw - kept_back(state, s, asker) else 0
            buffered += some if kept_back(state, s, asker) > 0 else 0
            promised += 1 if raw < state.stock[p + ON_HAND] else 0
        elif not open_for_all(state, s) or not in_set(state, node_set, state.stock[p + POINT_NODE]):
            elsewhere += some
        elif lives(state, state.stock[p + POINT_TAG], words, at):
            segmented += some
        else:
            spoilt += some
        s = next_point(state, s, node)
    if busy > 0:
        return BY_CAPACITY
    if buffered > 0:
        return BY_BUFFER
    if promised > 0:
        return BY_PROMISES
    if spoilt > 0:
        return BY_LOT
    if segmented > 0:
        return BY_SEGMENT
    return BY_NODE if elsewhere > 0 else BY_STOCK
