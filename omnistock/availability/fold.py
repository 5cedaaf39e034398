"""Events into state: every change of the engine's state is made here, live and in replay."""

from __future__ import annotations

import numpy as np

from omnistock.availability.best import enter_run
from omnistock.availability.capacity import set_capacity
from omnistock.availability.cells import (
    inbound_row,
    node_row,
    point,
    sku_row,
    tag_row,
)
from omnistock.availability.flat import note_free
from omnistock.availability.fold_holds import (
    register_hold,
    release_line,
    set_lines,
    set_status,
    ship_line,
    take_back_line,
)
from omnistock.availability.fold_settings import add_delta, set_buffer, set_limit, set_step
from omnistock.availability.hashing import enter_request, find_point, joined, put_point
from omnistock.availability.layout import (
    ANSWER_AT,
    ANSWER_WORDS,
    AT_ANSWERS,
    AT_ORDERS,
    BACKORDER,
    BUCKET,
    E_BACKORDER,
    E_BUFFER,
    E_CAPACITY,
    E_DELTA,
    E_HOLD,
    E_INBOUND,
    E_LIMIT,
    E_LINES,
    E_NODE,
    E_ON_HAND,
    E_ORDER,
    E_POINT,
    E_RELEASE,
    E_REQUEST,
    E_RETURN,
    E_SHIP,
    E_STATUS,
    E_STEP,
    E_SWITCH,
    E_USE,
    ETA,
    EXPECTED,
    FENCE,
    FINGERPRINT,
    FIRST_DELTA,
    FIRST_LIMIT,
    FIRST_POINT,
    FIRST_STEP,
    FLAGS,
    FLOW_ROW,
    HAS_LIMITS,
    HOLD_LINE_WORDS,
    IN_COMPARTMENTS,
    INBOUND_BUCKET,
    INBOUND_POINT,
    INBOUND_REFERENCE,
    IS_OFF,
    LAST_POINT,
    MINIMA,
    N_ANSWERS,
    N_BUCKETS,
    N_CAPACITIES,
    N_DELTAS,
    N_FLOWS,
    N_FREE,
    N_HEAP,
    N_HOLDS,
    N_INBOUND,
    N_LIMITS,
    N_LINES,
    N_ORDERS,
    N_POINTS,
    N_REQUESTS,
    N_STEPS,
    NEXT_POINT,
    NODE_ACTIVE,
    NODE_PRIORITY,
    NODE_WORK,
    ORDER_FIELDS,
    POINT_FIELDS,
    POINT_NODE,
    POINT_SKU,
    POINT_TAG,
    POINTS_OF_SKU,
    REMAINING,
    REQUEST_HEAD_WORDS,
    ROOM_ANSWERS,
    ROOM_DELTAS,
    ROOM_FLOWS,
    ROOM_HEAP,
    ROOM_HOLDS,
    ROOM_INBOUND,
    ROOM_LIMITS,
    ROOM_LINES,
    ROOM_ORDERS,
    ROOM_PLACES,
    ROOM_POINTS,
    ROOM_REQUESTS,
    ROOM_SLOTS,
    ROOM_STEPS,
    SWITCHED_OFF,
    TAG_EXPIRES,
    TAG_RECEIVED,
    UNTRACKED,
)
from omnistock.availability.limits import use_quotas
from omnistock.availability.stock import (
    change_on_hand,
    flow_row,
    refresh_buffer,
    refresh_minima,
    schedule_receipt,
)
from omnistock.numerics.compiled import inner_kernel, lean_kernel

# Words beyond those of the longest fixed event.
_FIXED_WORDS = 24
_FOREVER = 1 << 60


@inner_kernel
def stands_before(state, s, other):
    """True if stockpoint ``s`` of the same SKU comes before ``other`` in the SKU's list.

    By node priority, then node; at one node by expiry (those without last), then
    by receipt, then as opened.
    """
    stock = state.stock
    mine = point(state, s)
    theirs = point(state, other)
    first = stock[mine + POINT_NODE]
    second = stock[theirs + POINT_NODE]
    if first != second:
        a = stock[node_row(state, first) + NODE_PRIORITY]
        b = stock[node_row(state, second) + NODE_PRIORITY]
        return a < b if a != b else first < second
    tag = tag_row(state, stock[mine + POINT_TAG])
    other_tag = tag_row(state, stock[theirs + POINT_TAG])
    a = stock[tag + TAG_EXPIRES]
    b = stock[other_tag + TAG_EXPIRES]
    a = a if a > 0 else _FOREVER
    b = b if b > 0 else _FOREVER
    if a != b:
        return a < b
    if stock[tag + TAG_RECEIVED] != stock[other_tag + TAG_RECEIVED]:
        return stock[tag + TAG_RECEIVED] < stock[other_tag + TAG_RECEIVED]
    return s < other


@inner_kernel
def link_point(state, s):
    """Enter a stockpoint into its SKU's list, and as first of its node if it is that."""
    stock = state.stock
    p = point(state, s)
    sku = stock[p + POINT_SKU]
    node = stock[p + POINT_NODE]
    first = find_point(state, sku, node, -1)
    if first >= 0 and first != s:
        state.records[first, FLAGS] |= IN_COMPARTMENTS
        state.records[s, FLAGS] |= IN_COMPARTMENTS
        note_free(state.records, stock, first)
        note_free(state.records, stock, s)
    if first < 0 or stands_before(state, s, first):
        put_point(state, sku, node, -1, s)
    row = sku_row(state, sku)
    last = stock[row + LAST_POINT]
    before = np.int64(-1)
    after = stock[row + FIRST_POINT]
    place = np.int64(0)
    if last >= 0 and stands_before(state, last, s):
        # Nodes are mostly opened in their order: no need to walk past thousands of stores.
        before = last
        after = np.int64(-1)
        place = stock[row + POINTS_OF_SKU]
    while after >= 0 and stands_before(state, after, s):
        before = after
        after = stock[point(state, after) + NEXT_POINT]
        place += 1
    stock[p + NEXT_POINT] = after
    if before < 0:
        stock[row + FIRST_POINT] = s
    else:
        stock[point(state, before) + NEXT_POINT] = s
    if after < 0:
        stock[row + LAST_POINT] = s
    enter_run(state, row, s, place, before)


@inner_kernel
def add_point(state, s, sku, node, tag):
    """Open a stockpoint."""
    stock = state.stock
    stock[N_POINTS] = max(stock[N_POINTS], s + 1)
    stock[N_FREE] = stock[N_POINTS]
    for k in range(MINIMA + stock[N_BUCKETS]):
        state.records[s, k] = 0
    state.records[s, FLOW_ROW] = -1
    p = point(state, s)
    for field in range(POINT_FIELDS):
        stock[p + field] = 0
    stock[p + POINT_SKU] = sku
    stock[p + POINT_NODE] = node
    stock[p + POINT_TAG] = tag
    stock[p + FIRST_STEP] = -1
    stock[p + FIRST_DELTA] = -1
    put_point(state, sku, node, tag, s)
    row = sku_row(state, sku)
    if tag != 0:
        state.records[s, FLAGS] |= IN_COMPARTMENTS
    if stock[row + FIRST_LIMIT] >= 0 or stock[row + FENCE] >= 0 or stock[row + UNTRACKED] != 0:
        state.records[s, FLAGS] |= HAS_LIMITS
    if stock[node_row(state, node) + NODE_WORK] != 0:
        state.records[s, FLAGS] |= HAS_LIMITS
    note_free(state.records, stock, s)
    link_point(state, s)
    if stock[row + FENCE] >= 0:
        flow_row(state, s)
        refresh_minima(state, s)


@lean_kernel
def relink(state):
    """Thread all stockpoints anew, after priorities of nodes have changed."""
    stock = state.stock
    for s in range(stock[N_POINTS]):
        row = sku_row(state, stock[point(state, s) + POINT_SKU])
        stock[row + FIRST_POINT] = -1
        stock[row + LAST_POINT] = -1
        stock[row + POINTS_OF_SKU] = 0
    for s in range(stock[N_POINTS]):
        link_point(state, s)


@inner_kernel
def set_inbound(state, events, at):
    """Enter an inbound line, or set what remains of one and when it is due."""
    book = state.book
    i = np.int64(events[at + 2])
    line = inbound_row(state, i)
    if i < state.stock[N_INBOUND]:
        old = book[line + REMAINING]
        s = book[line + INBOUND_POINT]
        state.stock[point(state, s) + EXPECTED] -= old
        if old > 0:
            schedule_receipt(state, s, book[line + INBOUND_BUCKET], -old)
    else:
        state.stock[N_INBOUND] = i + 1
    s = np.int64(events[at + 3])
    units = np.int64(events[at + 5])
    book[line + INBOUND_POINT] = s
    book[line + INBOUND_BUCKET] = events[at + 4]
    book[line + REMAINING] = units
    book[line + INBOUND_REFERENCE] = events[at + 6]
    book[line + ETA] = joined(events[at + 7], events[at + 8])
    state.stock[point(state, s) + EXPECTED] += units
    if units > 0:
        schedule_receipt(state, s, np.int64(events[at + 4]), units)


@inner_kernel
def remember_request(state, events, at):
    """Keep a request's content hash and answer, to give the same answer again."""
    book = state.book
    high = joined(events[at + 2], events[at + 3])
    low = joined(events[at + 4], events[at + 5])
    row = enter_request(state, high, low)
    n_words = np.int64(events[at + 1]) - REQUEST_HEAD_WORDS
    offset = state.stock[N_ANSWERS]
    book[row + FINGERPRINT] = joined(events[at + 6], events[at + 7])
    book[row + ANSWER_AT] = offset
    book[row + ANSWER_WORDS] = n_words
    answers = state.stock[AT_ANSWERS] + offset
    for k in range(n_words):
        book[answers + k] = events[at + REQUEST_HEAD_WORDS + k]
    state.stock[N_ANSWERS] = offset + n_words


@inner_kernel
def fold_rare(state, events, at, kind):
    """Apply one of the events that come seldom."""
    a = np.int64(events[at + 2])
    b = np.int64(events[at + 3])
    c = np.int64(events[at + 4])
    if kind == E_INBOUND:
        set_inbound(state, events, at)
    elif kind == E_LINES:
        set_lines(state, events, at)
    elif kind == E_BUFFER:
        set_buffer(state, a, b, c)
    elif kind == E_LIMIT:
        set_limit(state, events, at)
    elif kind == E_NODE:
        state.stock[node_row(state, a) + NODE_ACTIVE] = b
    elif kind == E_RETURN:
        take_back_line(state, a, b, c)
    elif kind == E_USE:
        # What is sold over the counter is no work of the node's.
        use_quotas(state, a, b, state.stock[N_HOLDS], state.stock[BUCKET], c)
    elif kind == E_POINT:
        add_point(state, a, b, c, np.int64(events[at + 5]))
    elif kind == E_BACKORDER:
        state.stock[point(state, a) + BACKORDER] = b
        refresh_buffer(state, a)
    elif kind == E_SWITCH:
        state.stock[point(state, a) + SWITCHED_OFF] = b
        state.records[a, FLAGS] &= ~IS_OFF
        if b != 0:
            state.records[a, FLAGS] |= IS_OFF
        note_free(state.records, state.stock, a)
    elif kind == E_STEP:
        set_step(state, a, b, c)
    elif kind == E_CAPACITY:
        set_capacity(state, a, b, c)
    elif kind == E_DELTA:
        add_delta(state, events, at)
    elif kind == E_ORDER:
        row = state.stock[AT_ORDERS] + state.stock[N_ORDERS] * ORDER_FIELDS
        for field in range(ORDER_FIELDS):
            state.book[row + field] = events[at + 2 + field]
        state.stock[N_ORDERS] += 1


@inner_kernel
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
        change_on_hand(state, np.int64(events[at + 2]), np.int64(events[at + 3]))
    else:
        fold_rare(state, events, at, kind)
    return at + np.int64(events[at + 1])


@inner_kernel
def has_room(state, n_words):
    """True if the arrays can take any one event of ``n_words`` words."""
    stock = state.stock
    n_lines = n_words // HOLD_LINE_WORDS + 1
    rows = stock[N_POINTS] + stock[N_CAPACITIES] + 1
    flows = min(rows, stock[N_FLOWS] + n_lines + stock[N_INBOUND])
    return (
        stock[N_HOLDS] < stock[ROOM_HOLDS]
        and stock[N_HEAP] < stock[ROOM_HEAP]
        and stock[N_LINES] + n_lines <= stock[ROOM_LINES]
        and stock[N_REQUESTS] < stock[ROOM_REQUESTS]
        and 2 * (stock[N_REQUESTS] + 1) < stock[ROOM_SLOTS]
        and stock[N_ANSWERS] + n_words + _FIXED_WORDS <= stock[ROOM_ANSWERS]
        and stock[N_POINTS] < stock[ROOM_POINTS]
        and 4 * (stock[N_POINTS] + 1) < stock[ROOM_PLACES]
        and stock[N_LIMITS] < stock[ROOM_LIMITS]
        and flows < stock[ROOM_FLOWS]
        and stock[N_INBOUND] < stock[ROOM_INBOUND]
        and stock[N_STEPS] < stock[ROOM_STEPS]
        and stock[N_DELTAS] < stock[ROOM_DELTAS]
        and stock[N_ORDERS] + n_words <= stock[ROOM_ORDERS]
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
