"""From which stockpoints an order is drawn.

A draft row is: stockpoint, bucket, units, request line, asked SKU, units per asked one.
Drawing changes the balances at once; ``undo`` gives back what a refusal must not keep.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.cells import asker_row, node_row, point, sku_row, tag_row
from omnistock.availability.layout import (
    ASKER_SEGMENT,
    BASE,
    BUCKET,
    FIFO,
    FLAGS,
    LIFO,
    MOST_UNITS,
    N_BUCKETS,
    N_CAPACITIES,
    NODE_PRIORITY,
    POINT_NODE,
    POINT_TAG,
    TAG_RECEIVED,
    UNBOUNDED,
    UNTRACKED,
)
from omnistock.availability.limits import use_limits
from omnistock.availability.promise import (
    LINE_DUE_BUCKET,
    LINE_NODE,
    LINE_WORDS,
    N_COMPONENTS,
    QUANTITY,
    bucket_ahead,
    first_point,
    free_units,
    lead_component,
    line_at_node,
    next_line,
    next_point,
    segment_of,
    segment_room,
    serves,
    sku_available,
    units_of_node,
)
from omnistock.availability.stock import promise
from omnistock.numerics.compiled import inner_kernel

DRAFT_FIELDS = 6
# Tentative use of limits must count whatever was set when, so it poses as the newest hold.
NEWEST = 2_147_483_647


@inner_kernel
def due_bucket(state, words, at):
    """Bucket of a line as it is promised: no date is now, one beyond the horizon is its last.

    A date in the past stays: the demand is overdue, and due now.
    """
    bucket = words[at + LINE_DUE_BUCKET]
    if bucket <= 0:
        return state.stock[BUCKET]
    return min(bucket, state.stock[BUCKET] + state.stock[N_BUCKETS] - 1)


@inner_kernel
def draw(state, draft, n_draft, s, units, line, per, words, at, asker):
    """Take units for a draft row, from the stock and from the asker's limits."""
    bucket = due_bucket(state, words, at)
    promise(state, s, bucket, units)
    use_limits(state, s, asker, NEWEST, bucket, units)
    draft[n_draft, 0] = s
    draft[n_draft, 1] = bucket
    draft[n_draft, 2] = units
    draft[n_draft, 3] = line
    draft[n_draft, 4] = words[at]
    draft[n_draft, 5] = per
    return n_draft + 1


@inner_kernel
def undo(state, draft, n_draft, keep, asker):
    """Give back all draft rows but the first ``keep``."""
    for k in range(n_draft - 1, keep - 1, -1):
        promise(state, draft[k, 0], draft[k, 1], -draft[k, 2])
        if state.records[draft[k, 0], FLAGS] != 0:
            use_limits(state, draft[k, 0], asker, NEWEST, draft[k, 1], -draft[k, 2])
    return keep


@inner_kernel
def received_rank(state, s, order):
    """Place of a stockpoint among those of its node when stock leaves by time of receipt."""
    received = state.stock[tag_row(state, state.stock[point(state, s) + POINT_TAG]) + TAG_RECEIVED]
    return -received if (order & LIFO) != 0 else received


@inner_kernel
def best_by_receipt(state, sku, node, asker, t, order, own, words, at):
    """Stockpoint with free units that leaves first by node priority and time of receipt, or -1.

    A node that has nothing over all its compartments is passed by, whatever one of them has.
    """
    best = np.int64(-1)
    s = first_point(state, sku, node)
    while s >= 0:
        fits = (segment_of(state, s) != 0) == own and serves(state, s, asker, words, at)
        if fits and free_units(state, s, t, asker) > 0:
            start = first_point(state, sku, state.stock[point(state, s) + POINT_NODE])
            fits = units_of_node(state, start, t, asker, False, words, at) > 0
        else:
            fits = False
        if fits:
            if best < 0:
                best = s
            else:
                mine = state.stock[point(state, s) + POINT_NODE]
                theirs = state.stock[point(state, best) + POINT_NODE]
                first = state.stock[node_row(state, mine) + NODE_PRIORITY]
                second = state.stock[node_row(state, theirs) + NODE_PRIORITY]
                if first == second and received_rank(state, s, order) < received_rank(
                    state, best, order
                ):
                    best = s
        s = next_point(state, s, node)
    return best


@inner_kernel
def take(state, draft, n_draft, sku, node, need, line, per, order, words, at, asker):
    """Draw up to ``need`` units of a SKU at a node or (-1) anywhere: own segment first.

    Stock leaves in the order of the SKU's list (node, then earliest expiry), or by
    time of receipt. Returns (draft length, units that were not there).
    """
    t = bucket_ahead(state, words[at + LINE_DUE_BUCKET])
    segmented = state.stock[asker_row(state, asker) + ASKER_SEGMENT] != 0
    for own in range(1 if segmented else 0, -1, -1):
        room = np.int64(UNBOUNDED)
        if own == 1:
            room = segment_room(state, sku, asker, t, words, at)
        by_receipt = (order & (FIFO | LIFO)) != 0
        s = np.int64(-1)
        if by_receipt:
            s = best_by_receipt(state, sku, node, asker, t, order, own == 1, words, at)
        else:
            s = first_point(state, sku, node)
        before = np.int64(-1)
        cap = np.int64(0)
        while s >= 0 and need > 0 and room > 0:
            here = state.stock[point(state, s) + POINT_NODE]
            if by_receipt or here != before:
                start = first_point(state, sku, here)
                cap = units_of_node(state, start, t, asker, False, words, at)
                before = here
            if (segment_of(state, s) != 0) == (own == 1) and serves(state, s, asker, words, at):
                units = min(min(need, room), min(cap, free_units(state, s, t, asker)))
                if units > 0:
                    n_draft = draw(state, draft, n_draft, s, units, line, per, words, at, asker)
                    need -= units
                    room -= units
                    cap -= units
            if not by_receipt:
                s = next_point(state, s, node)
            else:
                s = best_by_receipt(state, sku, node, asker, t, order, own == 1, words, at)
    return n_draft, need


@inner_kernel
def untracked(state, sku):
    """True if no stock is kept of the SKU."""
    return state.stock[sku_row(state, sku) + UNTRACKED] != 0


@inner_kernel
def draw_line_at(state, draft, n_draft, words, at, line, node, quantity, order, asker):
    """Draw a whole line at one node; returns the draft's new length, or -1 with nothing drawn."""
    t = bucket_ahead(state, words[at + LINE_DUE_BUCKET])
    start = n_draft
    for k in range(words[at + N_COMPONENTS]):
        component = words[at + LINE_WORDS + 2 * k]
        per = words[at + LINE_WORDS + 2 * k + 1]
        need = quantity * per
        if untracked(state, component):
            continue
        if sku_available(state, component, node, asker, t, words, at) < need:
            undo(state, draft, n_draft, start, asker)
            return np.int64(-1)
        n_draft, left = take(
            state, draft, n_draft, component, node, need, line, per, order, words, at, asker
        )
        if left > 0:
            undo(state, draft, n_draft, start, asker)
            return np.int64(-1)
    return n_draft


@inner_kernel
def draw_line(state, draft, n_draft, words, at, line, quantity, order, asker, together):
    """Draw a line that is available: from its own node, from one that has all of it, or several.

    Nodes that the order draws from already come first, then nodes by priority.
    """
    own = np.int64(words[at + LINE_NODE])
    if own >= 0:
        return draw_line_at(state, draft, n_draft, words, at, line, own, quantity, order, asker)
    for k in range(n_draft):
        node = state.stock[point(state, draft[k, 0]) + POINT_NODE]
        drawn = draw_line_at(state, draft, n_draft, words, at, line, node, quantity, order, asker)
        if drawn >= 0:
            return drawn
    s = first_point(state, lead_component(state, words, at), -1)
    before = np.int64(-1)
    while s >= 0:
        node = state.stock[point(state, s) + POINT_NODE]
        if node != before and line_at_node(state, words, at, node, asker) >= quantity:
            drawn = draw_line_at(
                state, draft, n_draft, words, at, line, node, quantity, order, asker
            )
            if drawn >= 0:
                return drawn
        before = node
        s = next_point(state, s, -1)
    together = together or state.stock[N_CAPACITIES] > 0
    if together and words[at + N_COMPONENTS] > 1:
        return split_kits(state, draft, n_draft, words, at, line, quantity, order, asker)
    return split_line(state, draft, n_draft, words, at, line, quantity, order, asker)


@inner_kernel
def split_line(state, draft, n_draft, words, at, line, quantity, order, asker):
    """Draw a line's components from several nodes, by priority; -1 with nothing drawn if short."""
    start = n_draft
    for k in range(words[at + N_COMPONENTS]):
        component = words[at + LINE_WORDS + 2 * k]
        per = words[at + LINE_WORDS + 2 * k + 1]
        if untracked(state, component):
            continue
        n_draft, left = take(
            state, draft, n_draft, component, -1, quantity * per, line, per, order, words, at, asker
        )
        if left > 0:
            undo(state, draft, n_draft, start, asker)
            return np.int64(-1)
    return n_draft


@inner_kernel
def split_kits(state, draft, n_draft, words, at, line, quantity, order, asker):
    """Draw whole kits from several nodes, by priority."""
    s = first_point(state, lead_component(state, words, at), -1)
    before = np.int64(-1)
    while s >= 0 and quantity > 0:
        node = state.stock[point(state, s) + POINT_NODE]
        kits = np.int64(0)
        if node != before:
            kits = min(quantity, line_at_node(state, words, at, node, asker))
        if kits > 0:
            n_draft = draw_line_at(state, draft, n_draft, words, at, line, node, kits, order, asker)
            quantity -= kits
        before = node
        s = next_point(state, s, -1)
    return n_draft


@inner_kernel
def draw_beyond(state, draft, n_draft, words, at, line, quantity, order, asker):
    """Draw a line whatever there is: what is free first, the rest at its first stockpoint.

    Returns (draft length, units beyond stock); with nothing drawn -1 as length if a component
    is not stocked, or too much of it would be promised.
    """
    beyond = np.int64(0)
    start = n_draft
    node = np.int64(words[at + LINE_NODE])
    for k in range(words[at + N_COMPONENTS]):
        component = words[at + LINE_WORDS + 2 * k]
        per = words[at + LINE_WORDS + 2 * k + 1]
        if untracked(state, component):
            continue
        n_draft, left = take(
            state, draft, n_draft, component, node, quantity * per, line, per, order, words, at,
            asker,
        )  # fmt: skip
        s = first_point(state, component, node)
        while left > 0 and s >= 0 and not serves(state, s, asker, words, at):
            s = next_point(state, s, node)
        too_much = s >= 0 and np.int64(state.records[s, BASE]) - left < -MOST_UNITS
        if left > 0 and (s < 0 or too_much):
            undo(state, draft, n_draft, start, asker)
            return np.int64(-1), np.int64(0)
        if left > 0:
            n_draft = draw(state, draft, n_draft, s, left, line, per, words, at, asker)
            beyond += left
    return n_draft, beyond


@inner_kernel
def first_free_line(words, at, n_lines):
    """Word of the first line that names no node, -1 if all do."""
    for _ in range(n_lines):
        if words[at + LINE_NODE] < 0:
            return at
        at = next_line(words, at)
    return np.int64(-1)


@inner_kernel
def draw_whole_order(state, draft, words, at, n_lines, order, asker):
    """Draw all lines of an order from one node where they name none; -1 if no node has all."""
    free_line = first_free_line(words, at, n_lines)
    if free_line < 0:
        return draw_order_at(state, draft, words, at, n_lines, np.int64(-1), order, asker)
    s = first_point(state, lead_component(state, words, free_line), -1)
    before = np.int64(-1)
    while s >= 0:
        node = state.stock[point(state, s) + POINT_NODE]
        if node != before:
            most = line_at_node(state, words, free_line, node, asker)
            if most >= words[free_line + QUANTITY]:
                n_draft = draw_order_at(state, draft, words, at, n_lines, node, order, asker)
                if n_draft >= 0:
                    return n_draft
        before = node
        s = next_point(state, s, -1)
    return np.int64(-1)


@inner_kernel
def draw_order_at(state, draft, words, at, n_lines, node, order, asker):
    """Draw every line at its own node or else at ``node``; -1 with nothing drawn if one fails."""
    n_draft = np.int64(0)
    for line in range(n_lines):
        here = words[at + LINE_NODE] if words[at + LINE_NODE] >= 0 else node
        quantity = words[at + QUANTITY]
        drawn = draw_line_at(state, draft, n_draft, words, at, line, here, quantity, order, asker)
        if drawn < 0:
            undo(state, draft, n_draft, 0, asker)
            return np.int64(-1)
        n_draft = drawn
        at = next_line(words, at)
    return n_draft
