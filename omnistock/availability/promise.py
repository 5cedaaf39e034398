"""What one asker may be promised, and from which nodes it is drawn.

One question, one kernel: ``available`` and ``reserve`` both go through
:func:`line_available` on the same state, so they cannot disagree.

A command's line lies in ``words`` as: sku, node or -1, bucket, quantity,
n_components, then (component sku, units per unit) for each component. A plain
SKU is its own single component. Components of one line are different SKUs.

A draft row is: stockpoint, bucket, units, request line, asked sku.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.hashing import find_point
from omnistock.availability.layout import (
    BASE,
    BUCKET,
    BUFFER,
    BY_BUFFER,
    BY_CHANNEL_BUFFER,
    BY_NODE,
    BY_PROMISES,
    BY_PROTECTION,
    BY_QUOTA,
    BY_STOCK,
    CHANNEL_BUFFER,
    FIRST_POINT,
    LIMIT_ROW,
    MINIMA,
    N_BUCKETS,
    N_CHANNELS,
    NEXT_POINT,
    NODE_ACTIVE,
    NOW,
    ON_HAND,
    POINT_NODE,
    PROTECTION,
    PROTECTION_UNTIL,
    PROTECTION_USED,
    QUOTA,
    QUOTA_UNTIL,
    QUOTA_USED,
)
from omnistock.availability.stock import free_units, promise, use_limits
from omnistock.numerics.compiled import lean_kernel

LINE_WORDS = 5
# Larger than any real headroom, small enough for sums.
UNBOUNDED = 1 << 40
# Tentative use of limits must count whatever was set when, so it poses as the newest hold.
_NEWEST = 2_147_483_647


@lean_kernel
def bucket_ahead(state, bucket):
    """Buckets from the current one to ``bucket``, held within the horizon."""
    ahead = bucket - state.counts[BUCKET]
    return min(max(ahead, 0), state.counts[N_BUCKETS] - 1)


@lean_kernel
def serves(state, s, channel):
    """True if the stockpoint's node is switched on and may serve the channel."""
    node = state.points[s, POINT_NODE]
    return state.nodes[node, NODE_ACTIVE] != 0 and state.channel_nodes[channel, node] != 0


@lean_kernel
def pool_units(state, sku, channel, t):
    """Free units of a SKU over all nodes that serve the channel."""
    total = 0
    s = state.skus[sku, FIRST_POINT]
    while s >= 0:
        if serves(state, s, channel):
            total += free_units(state, s, t)
        s = state.points[s, NEXT_POINT]
    return total


@lean_kernel
def everything_free(state, sku, t):
    """Free units of a SKU over all nodes that are switched on, whomever they serve."""
    total = 0
    s = state.skus[sku, FIRST_POINT]
    while s >= 0:
        if state.nodes[state.points[s, POINT_NODE], NODE_ACTIVE] != 0:
            total += free_units(state, s, t)
        s = state.points[s, NEXT_POINT]
    return total


@lean_kernel
def protected_for_others(state, row, channel, now):
    """Units still protected for channels other than ``channel``."""
    total = 0
    for other in range(state.counts[N_CHANNELS]):
        if other == channel:
            continue
        until = state.limits_until[row, other, PROTECTION_UNTIL]
        if until != 0 and until <= now:
            continue
        left = state.limits[row, other, PROTECTION] - np.int64(
            state.limits[row, other, PROTECTION_USED]
        )
        total += max(0, left)
    return total


@lean_kernel
def quota_left(state, row, channel, now):
    """Units that the channel's ceiling still leaves, :data:`UNBOUNDED` without one."""
    if state.limits[row, channel, QUOTA] < 0:
        return UNBOUNDED
    until = state.limits_until[row, channel, QUOTA_UNTIL]
    if until != 0 and until <= now:
        return UNBOUNDED
    return max(0, state.limits[row, channel, QUOTA] - state.limits[row, channel, QUOTA_USED])


@lean_kernel
def headroom(state, sku, channel, t):
    """Units the channel may take of a SKU by buffers, protections and quotas of channels."""
    row = state.skus[sku, LIMIT_ROW]
    if row < 0:
        return UNBOUNDED
    now = state.counts[NOW]
    room = quota_left(state, row, channel, now)
    kept = state.limits[row, channel, CHANNEL_BUFFER]
    if kept > 0:
        room = min(room, pool_units(state, sku, channel, t) - kept)
    others = protected_for_others(state, row, channel, now)
    if others > 0:
        room = min(room, everything_free(state, sku, t) - others)
    return max(0, room)


@lean_kernel
def sku_available(state, sku, node, channel, t):
    """Units of one stocked SKU that the channel may be promised, at ``node`` or (-1) anywhere."""
    if node < 0:
        units = pool_units(state, sku, channel, t)
    else:
        s = find_point(state.places, sku, node)
        if s < 0 or not serves(state, s, channel):
            return 0
        units = free_units(state, s, t)
    if units == 0 or state.skus[sku, LIMIT_ROW] < 0:
        return units
    return min(units, headroom(state, sku, channel, t))


@lean_kernel
def line_available(state, words, at, channel):
    """Units of a line's SKU, kit or not, that may be promised; shared stock is counted once."""
    node = np.int64(words[at + 1])
    t = bucket_ahead(state, words[at + 2])
    most = UNBOUNDED
    for k in range(words[at + 4]):
        component = words[at + LINE_WORDS + 2 * k]
        per = words[at + LINE_WORDS + 2 * k + 1]
        most = min(most, sku_available(state, component, node, channel, t) // per)
    return most


@lean_kernel
def what_binds(state, words, at, channel):
    """Name the constraint that keeps a line at its available units."""
    node = np.int64(words[at + 1])
    t = bucket_ahead(state, words[at + 2])
    tightest = UNBOUNDED
    sku = 0
    for k in range(words[at + 4]):
        component = words[at + LINE_WORDS + 2 * k]
        units = sku_available(state, component, node, channel, t)
        units = units // words[at + LINE_WORDS + 2 * k + 1]
        if units < tightest:
            tightest = units
            sku = component
    row = state.skus[sku, LIMIT_ROW]
    if row >= 0:
        now = state.counts[NOW]
        pool = pool_units(state, sku, channel, t)
        if node >= 0:
            s = find_point(state.places, sku, node)
            pool = free_units(state, s, t) if s >= 0 and serves(state, s, channel) else 0
        room = headroom(state, sku, channel, t)
        if room < pool:
            if room == quota_left(state, row, channel, now):
                return BY_QUOTA
            others = protected_for_others(state, row, channel, now)
            if others > 0 and room == max(0, everything_free(state, sku, t) - others):
                return BY_PROTECTION
            return BY_CHANNEL_BUFFER
    return _what_binds_stock(state, sku, node, channel, t)


@lean_kernel
def _what_binds_stock(state, sku, node, channel, t):
    """Buffer, promises, a node that does not serve, or plain stock, in this order."""
    buffered = 0
    promised = 0
    elsewhere = 0
    s = state.skus[sku, FIRST_POINT]
    while s >= 0:
        if node < 0 or state.points[s, POINT_NODE] == node:
            raw = np.int64(state.records[s, BASE]) + np.int64(state.records[s, MINIMA + t])
            if not serves(state, s, channel):
                elsewhere += 1 if raw > 0 else 0
            else:
                buffered += 1 if raw > 0 and state.records[s, BUFFER] > 0 else 0
                promised += 1 if raw < state.points[s, ON_HAND] else 0
        s = state.points[s, NEXT_POINT]
    if buffered > 0:
        return BY_BUFFER
    if promised > 0:
        return BY_PROMISES
    return BY_NODE if elsewhere > 0 else BY_STOCK


@lean_kernel
def draw(state, draft, n_draft, s, bucket, units, line, asked, channel):
    """Take units for a draft row, from the stock and from the channel's limits."""
    promise(state, s, bucket, units)
    use_limits(state, s, channel, _NEWEST, units)
    draft[n_draft, 0] = s
    draft[n_draft, 1] = bucket
    draft[n_draft, 2] = units
    draft[n_draft, 3] = line
    draft[n_draft, 4] = asked
    return n_draft + 1


@lean_kernel
def undo(state, draft, n_draft, keep, channel):
    """Give back all draft rows but the first ``keep``."""
    for k in range(n_draft - 1, keep - 1, -1):
        promise(state, draft[k, 0], np.int64(draft[k, 1]), -np.int64(draft[k, 2]))
        use_limits(state, draft[k, 0], channel, _NEWEST, -np.int64(draft[k, 2]))
    return keep


@lean_kernel
def draw_line_at(state, draft, n_draft, words, at, line, node, quantity, channel):
    """Draw a whole line at one node; returns the draft's new length, or -1 with nothing drawn."""
    bucket = words[at + 2]
    t = bucket_ahead(state, bucket)
    bucket = state.counts[BUCKET] + t
    start = n_draft
    for k in range(words[at + 4]):
        component = words[at + LINE_WORDS + 2 * k]
        need = quantity * words[at + LINE_WORDS + 2 * k + 1]
        if sku_available(state, component, node, channel, t) < need:
            undo(state, draft, n_draft, start, channel)
            return -1
        s = find_point(state.places, component, node)
        n_draft = draw(state, draft, n_draft, s, bucket, need, line, words[at], channel)
    return n_draft


@lean_kernel
def draw_line(state, draft, n_draft, words, at, line, quantity, channel):
    """Draw a line that is available: from its own node, from one that has all of it, or several.

    Nodes that the order draws from already come first, then nodes by priority.
    """
    own = words[at + 1]
    t = bucket_ahead(state, words[at + 2])
    s = state.skus[words[at + LINE_WORDS], FIRST_POINT] if own < 0 else -1
    need = quantity * words[at + LINE_WORDS + 1]
    k = 0 if own < 0 else n_draft - 1
    last = n_draft
    while k < last or s >= 0:
        node = own
        if own >= 0:
            k = last
        elif k < last:
            node = state.points[draft[k, 0], POINT_NODE]
            k += 1
        else:
            node = state.points[s, POINT_NODE] if free_units(state, s, t) >= need else -1
            s = state.points[s, NEXT_POINT]
        if node >= 0:
            drawn = draw_line_at(state, draft, n_draft, words, at, line, node, quantity, channel)
            if drawn >= 0:
                return drawn
    return split_line(state, draft, n_draft, words, at, line, quantity, channel)


@lean_kernel
def split_line(state, draft, n_draft, words, at, line, quantity, channel):
    """Draw a line's components from several nodes, by priority."""
    t = bucket_ahead(state, words[at + 2])
    bucket = state.counts[BUCKET] + t
    for k in range(words[at + 4]):
        left = quantity * words[at + LINE_WORDS + 2 * k + 1]
        s = state.skus[words[at + LINE_WORDS + 2 * k], FIRST_POINT]
        while s >= 0 and left > 0:
            if serves(state, s, channel):
                units = min(left, free_units(state, s, t))
                if units > 0:
                    n_draft = draw(
                        state, draft, n_draft, s, bucket, units, line, words[at], channel
                    )
                    left -= units
            s = state.points[s, NEXT_POINT]
    return n_draft


@lean_kernel
def first_free_line(words, at, n_lines):
    """Word of the first line that names no node, -1 if all do."""
    for _ in range(n_lines):
        if words[at + 1] < 0:
            return at
        at += LINE_WORDS + 2 * words[at + 4]
    return -1


@lean_kernel
def draw_whole_order(state, draft, words, at, n_lines, channel):
    """Draw all lines of an order from one node where they name none; -1 if no node has all."""
    free_line = first_free_line(words, at, n_lines)
    s = -1
    need = 0
    t = 0
    if free_line >= 0:
        t = bucket_ahead(state, words[free_line + 2])
        need = words[free_line + 3] * words[free_line + LINE_WORDS + 1]
        s = state.skus[words[free_line + LINE_WORDS], FIRST_POINT]
        if s < 0:
            return -1
    while True:
        node = state.points[s, POINT_NODE] if s >= 0 else -1
        if s < 0 or (free_units(state, s, t) >= need and serves(state, s, channel)):
            n_draft = draw_order_at(state, draft, words, at, n_lines, node, channel)
            if n_draft >= 0:
                return n_draft
        if s >= 0:
            s = state.points[s, NEXT_POINT]
        if s < 0:
            return -1


@lean_kernel
def draw_order_at(state, draft, words, at, n_lines, node, channel):
    """Draw every line at its own node or else at ``node``; -1 with nothing drawn if one fails."""
    n_draft = 0
    for line in range(n_lines):
        here = words[at + 1] if words[at + 1] >= 0 else node
        drawn = draw_line_at(state, draft, n_draft, words, at, line, here, words[at + 3], channel)
        if drawn < 0:
            undo(state, draft, n_draft, 0, channel)
            return -1
        n_draft = drawn
        at += LINE_WORDS + 2 * words[at + 4]
    return n_draft
