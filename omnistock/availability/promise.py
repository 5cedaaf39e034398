"""What one asker may be promised.

One question, one kernel: ``available`` and ``reserve`` both go through
:func:`line_available` on the same state, so they cannot disagree.

A line lies in ``words`` from ``at`` on as: sku, node or -1, bucket, quantity, lot
or -1, second when it is due, seconds of life that the lot must then have left,
n_components, then (component sku, units per unit) for each component. A plain SKU
is its own single component. Components of one line are different SKUs.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.capacity import capacity_left
from omnistock.availability.cells import asker_row, in_set, node_row, point, sku_row, tag_row
from omnistock.availability.hashing import find_point
from omnistock.availability.layout import (
    ANY_SEGMENT,
    ASKER_OWNERS,
    ASKER_SEGMENT,
    ASKER_SET,
    BACKORDER,
    BASE,
    BUCKET,
    BUFFER,
    FENCE,
    FIRST_LIMIT,
    FIRST_POINT,
    FLAGS,
    HAS_OWN_BUFFERS,
    MINIMA,
    N_BUCKETS,
    N_CAPACITIES,
    N_NODES,
    NEXT_POINT,
    NOBODY,
    NODE_ACTIVE,
    NODE_PRIORITY,
    NOW,
    ON_HAND,
    POINT_NODE,
    POINT_SKU,
    POINT_TAG,
    SWITCHED_OFF,
    TAG_EXPIRES,
    TAG_LOT,
    TAG_OWNER,
    TAG_SEGMENT,
    TAG_SELLABLE,
    UNBOUNDED,
    UNTRACKED,
)
from omnistock.availability.limits import (
    asker_buffer,
    at_least_zero,
    protected_for_others,
    quota_left,
)
from omnistock.numerics.compiled import hot_kernel, inner_kernel

LINE_WORDS = 8
LINE_NODE = 1
LINE_DUE_BUCKET = 2
QUANTITY = 3
LINE_LOT = 4
LINE_DUE = 5
LINE_LIFE = 6
N_COMPONENTS = 7


@hot_kernel
def next_line(words, at):
    """Word of the line after the one at ``at``."""
    return at + LINE_WORDS + 2 * words[at + N_COMPONENTS]


@inner_kernel
def bucket_ahead(state, bucket):
    """Buckets from the current one to ``bucket``, held within the horizon."""
    ahead = bucket - state.stock[BUCKET]
    return min(max(ahead, 0), state.stock[N_BUCKETS] - 1)


@inner_kernel
def lives(state, tag, words, at):
    """True if a compartment's stock may be sold and will be good when the line is due."""
    row = tag_row(state, tag)
    expires = state.stock[row + TAG_EXPIRES]
    when = max(state.stock[NOW], words[at + LINE_DUE])
    return state.stock[row + TAG_SELLABLE] != 0 and (
        expires == 0 or (expires > when and expires - when >= words[at + LINE_LIFE])
    )


@inner_kernel
def tag_serves(state, tag, asker, words, at):
    """True if stock of a compartment may be had by the asker for the line."""
    stock = state.stock
    who = asker_row(state, asker)
    row = tag_row(state, tag)
    segment = stock[row + TAG_SEGMENT]
    mine = stock[who + ASKER_SEGMENT]
    if segment != 0 and segment != mine and mine != ANY_SEGMENT:
        return False
    if (stock[who + ASKER_OWNERS] >> stock[row + TAG_OWNER]) & 1 == 0:
        return False
    if words[at + LINE_LOT] >= 0 and words[at + LINE_LOT] != stock[row + TAG_LOT]:
        return False
    return lives(state, tag, words, at)


@inner_kernel
def open_for_all(state, s):
    """True if the stockpoint and its node are switched on."""
    p = point(state, s)
    node = state.stock[p + POINT_NODE]
    active = state.stock[node_row(state, node) + NODE_ACTIVE] != 0
    return active and state.stock[p + SWITCHED_OFF] == 0


@inner_kernel
def node_may_serve(state, node, asker):
    """True if a node is on and among those that serve the asker."""
    active = state.stock[node_row(state, node) + NODE_ACTIVE] != 0
    return active and in_set(state, state.stock[asker_row(state, asker) + ASKER_SET], node)


@inner_kernel
def serves(state, s, asker, words, at):
    """True if the stockpoint may serve the asker's line."""
    stock = state.stock
    p = point(state, s)
    if not open_for_all(state, s):
        return False
    if not in_set(state, stock[asker_row(state, asker) + ASKER_SET], stock[p + POINT_NODE]):
        return False
    return tag_serves(state, stock[p + POINT_TAG], asker, words, at)


@inner_kernel
def has_point(state, sku, node, asker, words, at):
    """True if a SKU has a stockpoint that serves, at a node or (-1) anywhere."""
    s = first_point(state, sku, node)
    while s >= 0:
        if serves(state, s, asker, words, at):
            return True
        s = next_point(state, s, node)
    return False


@inner_kernel
def raw_units(state, s, t):
    """What may be promised for bucket ``t`` before the buffer; may be negative."""
    return np.int64(state.records[s, BASE]) + np.int64(state.records[s, MINIMA + t])


@inner_kernel
def kept_back(state, s, asker):
    """Units kept back from the asker at a stockpoint, less what may be backordered."""
    kept = np.int64(state.records[s, BUFFER])
    if (state.records[s, FLAGS] & HAS_OWN_BUFFERS) != 0:
        p = point(state, s)
        on_hand = state.stock[p + ON_HAND]
        own = asker_buffer(state, state.stock[p + POINT_SKU], asker, s, on_hand)
        kept = max(kept, own - state.stock[p + BACKORDER])
    return kept


@inner_kernel
def net_units(state, s, t, asker):
    """What a stockpoint adds to what its node may promise for bucket ``t``; may be negative."""
    return raw_units(state, s, t) - kept_back(state, s, asker)


@inner_kernel
def free_units(state, s, t, asker):
    """What the asker may be promised for bucket ``t`` at one stockpoint, at least 0."""
    return max(0, net_units(state, s, t, asker))


@inner_kernel
def first_point(state, sku, node):
    """First stockpoint of a SKU, at a node or (-1) anywhere; -1 if there is none."""
    if node >= 0:
        return find_point(state, sku, node, -1)
    return state.stock[sku_row(state, sku) + FIRST_POINT]


@inner_kernel
def next_point(state, s, node):
    """Next stockpoint of the SKU, at the same node if one is named; -1 ends."""
    following = state.stock[point(state, s) + NEXT_POINT]
    if node >= 0 and following >= 0 and state.stock[point(state, following) + POINT_NODE] != node:
        return np.int64(-1)
    return following


@inner_kernel
def segment_of(state, s):
    """Segment of a stockpoint's compartment, 0 for stock that is everybody's."""
    return state.stock[tag_row(state, state.stock[point(state, s) + POINT_TAG]) + TAG_SEGMENT]


@inner_kernel
def everything_free(state, sku, asker, t, segment, words, at):
    """Free units of the asker's owners over all nodes that are on, in one segment or (-1) all."""
    total = np.int64(0)
    here = np.int64(0)
    before = np.int64(-1)
    owners = state.stock[asker_row(state, asker) + ASKER_OWNERS]
    s = first_point(state, sku, -1)
    while s >= 0:
        p = point(state, s)
        if state.stock[p + POINT_NODE] != before:
            total += at_least_zero(here)
            here = np.int64(0)
            before = state.stock[p + POINT_NODE]
        tag = state.stock[p + POINT_TAG]
        row = tag_row(state, tag)
        if (
            open_for_all(state, s)
            and (owners >> state.stock[row + TAG_OWNER]) & 1 != 0
            and lives(state, tag, words, at)
            and (segment < 0 or segment == state.stock[row + TAG_SEGMENT])
        ):
            here += net_units(state, s, t, NOBODY)
        s = next_point(state, s, -1)
    return total + at_least_zero(here)


@inner_kernel
def segment_room(state, sku, asker, t, words, at):
    """Units of its own segment that the asker may take beside what is protected there."""
    segment = state.stock[asker_row(state, asker) + ASKER_SEGMENT]
    if segment <= 0 or state.stock[sku_row(state, sku) + FIRST_LIMIT] < 0:
        return UNBOUNDED
    bucket = limit_bucket(state, t, words, at)
    others = protected_for_others(state, sku, asker, bucket, segment)
    if others == 0:
        return UNBOUNDED
    return max(0, everything_free(state, sku, asker, t, segment, words, at) - others)


@inner_kernel
def units_of_node(state, s, t, asker, own_only, words, at):
    """Free units of the asker at the node that the SKU's list reaches with ``s``.

    The compartments of one node stand in for each other: what one lacks, another
    makes good. ``own_only`` counts the asker's own segment alone. No more than the node
    can handle.
    """
    node = state.stock[point(state, s) + POINT_NODE]
    own = np.int64(0)
    common = np.int64(0)
    while s >= 0:
        if serves(state, s, asker, words, at):
            units = net_units(state, s, t, asker)
            if segment_of(state, s) == 0:
                common += units
            else:
                own += units
        s = next_point(state, s, node)
    total = max(0, own + common)
    if state.stock[N_CAPACITIES] > 0:
        total = min(total, capacity_left(state, node, limit_bucket(state, t, words, at)))
    return min(max(0, own), total) if own_only else total


@inner_kernel
def pool_units(state, sku, node, asker, t, words, at):
    """Free units of a SKU for the asker, at a node or over all that serve it."""
    total = np.int64(0)
    own = np.int64(0)
    segmented = state.stock[asker_row(state, asker) + ASKER_SEGMENT] != 0
    before = np.int64(-1)
    s = first_point(state, sku, node)
    while s >= 0:
        here = state.stock[point(state, s) + POINT_NODE]
        if here != before:
            total += units_of_node(state, s, t, asker, False, words, at)
            if segmented:
                own += units_of_node(state, s, t, asker, True, words, at)
        before = here
        s = next_point(state, s, node)
    if own > 0:
        total -= own - min(own, segment_room(state, sku, asker, t, words, at))
    return total


@inner_kernel
def limit_bucket(state, t, words, at):
    """Bucket that limits by period look at: overdue demand keeps its own."""
    bucket = words[at + LINE_DUE_BUCKET]
    if 0 < bucket < state.stock[BUCKET]:
        return bucket
    return state.stock[BUCKET] + t


@inner_kernel
def on_hand_of(state, sku, asker, words, at):
    """Units on hand over all stockpoints that serve the asker, for buffers given as a share."""
    total = np.int64(0)
    s = first_point(state, sku, -1)
    while s >= 0:
        if serves(state, s, asker, words, at):
            total += at_least_zero(state.stock[point(state, s) + ON_HAND])
        s = next_point(state, s, -1)
    return total


@inner_kernel
def headroom(state, sku, asker, t, words, at):
    """Units the asker may take of a SKU by quotas, protections and buffers over all nodes."""
    bucket = limit_bucket(state, t, words, at)
    pool = pool_units(state, sku, -1, asker, t, words, at)
    room = quota_left(state, sku, asker, bucket, pool)
    kept = asker_buffer(state, sku, asker, -1, on_hand_of(state, sku, asker, words, at))
    if kept > 0:
        room = min(room, pool - kept)
    others = protected_for_others(state, sku, asker, bucket, -1)
    if others > 0:
        room = min(room, everything_free(state, sku, asker, t, -1, words, at) - others)
    return max(0, room)


@inner_kernel
def planned_node(state, sku, asker):
    """First node by priority that may serve the asker and does not keep the SKU yet, or -1."""
    best = np.int64(-1)
    for node in range(state.stock[N_NODES]):
        first = best < 0 or (
            state.stock[node_row(state, node) + NODE_PRIORITY]
            < state.stock[node_row(state, best) + NODE_PRIORITY]
        )
        if first and node_may_serve(state, node, asker) and find_point(state, sku, node, 0) < 0:
            best = np.int64(node)
    return best


@inner_kernel
def planned_units(state, sku, node, asker, bucket):
    """Units without end that a stockpoint not yet opened will have, within the asker's limits."""
    if state.stock[asker_row(state, asker) + ASKER_OWNERS] & 1 == 0:
        return np.int64(0)
    if node < 0:
        node = planned_node(state, sku, asker)
        if node < 0:
            return np.int64(0)
    elif not node_may_serve(state, node, asker) or find_point(state, sku, node, 0) >= 0:
        return np.int64(0)
    units = np.int64(UNBOUNDED)
    if state.stock[N_CAPACITIES] > 0:
        units = min(units, capacity_left(state, node, bucket))
    return min(units, quota_left(state, sku, asker, bucket, np.int64(UNBOUNDED)))


@inner_kernel
def sku_available(state, sku, node, asker, t, words, at):
    """Units of one stocked SKU that the asker may be promised, at ``node`` or (-1) anywhere."""
    row = sku_row(state, sku)
    if state.stock[row + UNTRACKED] != 0:
        return UNBOUNDED
    fence = state.stock[row + FENCE]
    unlotted = words[at + LINE_LOT] < 0
    if fence >= 0 and t >= fence and unlotted and not has_point(state, sku, node, asker, words, at):
        # Supply beyond the fence needs no stock: a stockpoint is opened when it is promised,
        # at the node that the line names or at the asker's first.
        if node != words[at + LINE_NODE]:
            return np.int64(0)
        return planned_units(state, sku, node, asker, limit_bucket(state, t, words, at))
    units = pool_units(state, sku, node, asker, t, words, at)
    if units == 0 or state.stock[row + FIRST_LIMIT] < 0:
        return units
    return min(units, headroom(state, sku, asker, t, words, at))


@inner_kernel
def line_at_node(state, words, at, node, asker):
    """Whole units of a line, kit or not, that may be promised at a node or (-1) over all."""
    t = bucket_ahead(state, words[at + LINE_DUE_BUCKET])
    most = np.int64(UNBOUNDED)
    parts = np.int64(0)
    for k in range(words[at + N_COMPONENTS]):
        component = words[at + LINE_WORDS + 2 * k]
        per = words[at + LINE_WORDS + 2 * k + 1]
        if state.stock[sku_row(state, component) + UNTRACKED] == 0:
            parts += per
        most = min(most, sku_available(state, component, node, asker, t, words, at) // per)
    if node >= 0 and state.stock[N_CAPACITIES] > 0 and parts > 1:
        # The parts of a kit share what their node can handle.
        most = min(most, capacity_left(state, node, limit_bucket(state, t, words, at)) // parts)
    return most


@inner_kernel
def lead_component(state, words, at):
    """The component whose nodes a line is looked for at: the first that has stockpoints."""
    for k in range(words[at + N_COMPONENTS]):
        row = sku_row(state, words[at + LINE_WORDS + 2 * k])
        if state.stock[row + FIRST_POINT] >= 0 and state.stock[row + UNTRACKED] == 0:
            return words[at + LINE_WORDS + 2 * k]
    return words[at + LINE_WORDS]


@inner_kernel
def nothing_tracked(state, words, at):
    """True if no stock is kept of any component of a line."""
    for k in range(words[at + N_COMPONENTS]):
        if state.stock[sku_row(state, words[at + LINE_WORDS + 2 * k]) + UNTRACKED] == 0:
            return False
    return True


@inner_kernel
def line_available(state, words, at, asker, together):
    """Units of a line's SKU that may be promised; shared stock is counted once.

    ``together``: the components of one kit must come from one node. So they must where
    nodes have a capacity: how components could share several nodes' is not looked at.
    """
    together = together or state.stock[N_CAPACITIES] > 0
    node = np.int64(words[at + LINE_NODE])
    most = line_at_node(state, words, at, node, asker)
    if not together or node >= 0 or words[at + N_COMPONENTS] < 2 or most == 0:
        return most
    kits = np.int64(0)
    lead = lead_component(state, words, at)
    s = first_point(state, lead, -1)
    if s < 0 or state.stock[sku_row(state, lead) + UNTRACKED] != 0:
        return most if nothing_tracked(state, words, at) else np.int64(0)
    before = np.int64(-1)
    while s >= 0:
        here = state.stock[point(state, s) + POINT_NODE]
        if here != before:
            kits += line_at_node(state, words, at, here, asker)
        before = here
        s = next_point(state, s, -1)
    return min(most, kits)
