"""The short way of a reservation: plain stockpoints, due now, all lines at their nodes or at one.

It comes to what :mod:`omnistock.availability.holds` would decide and
:mod:`omnistock.availability.fold` would enter, in one go: the lines' events and rows are written
while their units are taken. Whatever is not plain, or cannot be had in this way, it leaves
to the long way untouched.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.answers import EVENT_WORDS, NEXT_COMMAND, RESULT_WORDS
from omnistock.availability.flat import note_free
from omnistock.availability.hashing import (
    MOVED_AT_ONCE,
    find_place,
    find_point,
    find_request,
    high_word,
    low_word,
    move_slots,
    next_request,
    point_key,
    slot_of,
    tag_of,
)
from omnistock.availability.layout import (
    ANSWER_AT,
    ANSWER_WORDS,
    ASKER_FIELDS,
    ASKER_OWNERS,
    ASKER_SET,
    AT_ANSWERS,
    AT_ASKERS,
    AT_FREE,
    AT_HEAP,
    AT_HOLDS,
    AT_LINES,
    AT_NODE,
    AT_NODES,
    AT_PLACES,
    AT_POINTS,
    AT_REQUESTS,
    AT_SETS,
    AT_SKUS,
    AT_SLOTS,
    BASE,
    BUCKET,
    COMMAND_WORDS,
    COMMITTED,
    CONFIRMED,
    COUNTS_AS,
    E_HOLD,
    E_REQUEST,
    EXPIRES,
    FINGERPRINT,
    FIRST_LINE,
    FIRST_POINT,
    FIRST_RUN,
    FREE_UNITS,
    HELD,
    HOLD_ASKER,
    HOLD_FIELDS,
    HOLD_FLAGS,
    HOLD_HEAD_WORDS,
    HOLD_LINE_WORDS,
    LATE,
    LINE_BUCKET,
    LINE_FIELDS,
    LINE_HOLD,
    LINE_PER,
    LINE_POINT,
    LINE_SHIPPED,
    LINE_SKU,
    LINES_OF_HOLD,
    N_ANSWERS,
    N_HEAP,
    N_HOLDS,
    N_LINES,
    N_REQUESTS,
    NEXT_POINT,
    NODE_ACTIVE,
    NODE_FIELDS,
    NOW,
    OK,
    OLD_SLOTS,
    OLD_SLOTS_AT,
    OPEN,
    ORDER,
    PARTIAL,
    POINT_FIELDS,
    POINT_NODE,
    POINTS_OF_SKU,
    REQUEST_HEAD_WORDS,
    REQUEST_LINE,
    RESERVE,
    RESERVED,
    RETURNED,
    ROOM_ANSWERS,
    ROOM_HEAP,
    ROOM_HOLDS,
    ROOM_LINES,
    ROOM_NODES,
    ROOM_PLACES,
    ROOM_REQUESTS,
    ROOM_SLOTS,
    SKU_FIELDS,
    STATUS,
)
from omnistock.availability.promise import (
    LINE_DUE_BUCKET,
    LINE_LOT,
    LINE_NODE,
    LINE_WORDS,
    N_COMPONENTS,
    QUANTITY,
)
from omnistock.availability.stock import heap_push
from omnistock.numerics.compiled import hot_kernel, inner_kernel
from omnistock.numerics.prefetch import prefetch

TAKEN = 0
LACKING = 1
NOT_PLAIN = 2
# A plain line has one component, itself.
PLAIN_LINE = LINE_WORDS + 2
# Outcome, hold, units beyond stock, short lines.
_ANSWER = 4
_BODY = 6


@hot_kernel
def node_serves(stock, node, asker):
    """True if a node is on and may serve the asker, who may have our own stock."""
    who = stock[AT_ASKERS] + asker * ASKER_FIELDS
    allowed = stock[AT_SETS] + stock[who + ASKER_SET] * stock[ROOM_NODES] + node
    return (
        stock[stock[AT_NODES] + node * NODE_FIELDS + NODE_ACTIVE] != 0
        and stock[allowed] != 0
        and stock[who + ASKER_OWNERS] & 1 != 0
    )


@hot_kernel
def likely_point(stock, sku, node):
    """Stockpoint of a SKU that is kept at all nodes from the first on, or -1; to be checked."""
    row = stock[AT_SKUS] + sku * SKU_FIELDS
    if stock[row + FIRST_RUN] >= 0 or node >= stock[row + POINTS_OF_SKU]:
        return np.int64(-1)
    return stock[row + FIRST_POINT] + node


@hot_kernel
def plain_point(stock, sku, node):
    """First stockpoint of a SKU at a node, or -1."""
    s = likely_point(stock, sku, node)
    if s >= 0 and stock[stock[AT_POINTS] + s * POINT_FIELDS + POINT_NODE] == node:
        return s
    key = point_key(sku, node)
    place = find_place(stock, stock[AT_PLACES], stock[ROOM_PLACES], key, np.int64(-1))
    return stock[place + 2] if stock[place] != 0 else np.int64(-1)


@inner_kernel
def give_back(records, stock, events, word, n_lines, column):
    """Undo the lines of an order that fails, from their events."""
    for k in range(n_lines):
        s = np.int64(events[word + HOLD_LINE_WORDS * k])
        units = np.int64(events[word + HOLD_LINE_WORDS * k + 2])
        records[s, BASE] += units
        note_free(records, stock, s)
        stock[stock[AT_POINTS] + s * POINT_FIELDS + column] -= units


@inner_kernel
def take_lines(records, stock, book, events, words, lines, n_lines, asker, column, word, elsewhere):
    """Take every line at its own node or else at ``elsewhere``: TAKEN, or nothing is.

    LACKING is a line that has not enough there, NOT_PLAIN one that the long way must weigh.
    Lines become events from ``word`` on, and rows behind those in use.
    """
    at = lines
    hold = stock[N_HOLDS]
    line = stock[AT_LINES] + stock[N_LINES] * LINE_FIELDS
    for k in range(n_lines):
        sku = words[at]
        units = words[at + QUANTITY]
        due = words[at + LINE_DUE_BUCKET]
        node = words[at + LINE_NODE] if words[at + LINE_NODE] >= 0 else elsewhere
        s = np.int64(-1)
        free = np.int64(0)
        if (
            words[at + N_COMPONENTS] != 1
            or words[at + LINE_WORDS] != sku
            or words[at + LINE_LOT] >= 0
            or due > stock[BUCKET]
        ):
            free = np.int64(1)
        elif node_serves(stock, node, asker):
            s = plain_point(stock, sku, node)
        if s >= 0:
            free = stock[stock[AT_FREE] + s]
        if s < 0 or free & 1 != 0 or free >> FREE_UNITS < units:
            give_back(records, stock, events, word - HOLD_LINE_WORDS * k, k, column)
            return NOT_PLAIN if free & 1 != 0 else LACKING
        records[s, BASE] -= units
        note_free(records, stock, s)
        stock[stock[AT_POINTS] + s * POINT_FIELDS + column] += units
        bucket = due if due > 0 else stock[BUCKET]
        events[word] = s
        events[word + 1] = bucket
        events[word + 2] = units
        events[word + 3] = k
        events[word + 4] = sku
        events[word + 5] = 1
        book[line + LINE_POINT] = s
        book[line + LINE_BUCKET] = bucket
        book[line + OPEN] = units
        book[line + LINE_SHIPPED] = 0
        book[line + RETURNED] = 0
        book[line + REQUEST_LINE] = k
        book[line + LINE_SKU] = sku
        book[line + LINE_PER] = 1
        book[line + LINE_HOLD] = hold
        word += HOLD_LINE_WORDS
        line += LINE_FIELDS
        at += PLAIN_LINE
    return TAKEN


@inner_kernel
def take_anywhere(records, stock, book, events, words, lines, n_lines, asker, column, word):
    """Take every line at its own node, the others all at the first node that has them all."""
    at = lines
    for _ in range(n_lines):
        if words[at + N_COMPONENTS] != 1:
            return NOT_PLAIN
        if words[at + LINE_NODE] < 0:
            break
        at += PLAIN_LINE
    s = stock[stock[AT_SKUS] + words[at] * SKU_FIELDS + FIRST_POINT]
    while s >= 0:
        free = stock[stock[AT_FREE] + s]
        if free & 1 != 0:
            return NOT_PLAIN
        p = stock[AT_POINTS] + s * POINT_FIELDS
        if free >> FREE_UNITS >= words[at + QUANTITY]:
            outcome = take_lines(
                records, stock, book, events, words, lines, n_lines, asker, column, word,
                stock[p + POINT_NODE],
            )  # fmt: skip
            if outcome != LACKING:
                return outcome
        s = stock[p + NEXT_POINT]
    return LACKING


@hot_kernel
def all_named(words, lines, n_lines):
    """True if every line names its node."""
    at = lines
    for _ in range(n_lines):
        if words[at + LINE_NODE] < 0:
            return False
        at += LINE_WORDS + 2 * words[at + N_COMPONENTS]
    return True


@hot_kernel
def enter_hold(stock, book, events, words, body, event):
    """Write the hold whose lines are taken: event and row. Returns the word after its event."""
    hold = stock[N_HOLDS]
    ttl = words[body + 2]
    flags = words[body + 3] & (LATE | AT_NODE)
    n_lines = words[body + 5]
    status = HELD if ttl > 0 else CONFIRMED
    expires = stock[NOW] + ttl if ttl > 0 else np.int64(0)
    size = HOLD_HEAD_WORDS + HOLD_LINE_WORDS * n_lines
    events[event] = E_HOLD
    events[event + 1] = size
    events[event + 2] = hold
    events[event + 3] = words[body]
    events[event + 4] = words[body + 1]
    events[event + 5] = status
    events[event + 6] = high_word(expires)
    events[event + 7] = low_word(expires)
    events[event + 8] = flags
    events[event + 9] = hold
    h = stock[AT_HOLDS] + hold * HOLD_FIELDS
    book[h + STATUS] = status
    book[h + HOLD_ASKER] = words[body + 1]
    book[h + FIRST_LINE] = stock[N_LINES]
    book[h + LINES_OF_HOLD] = n_lines
    book[h + ORDER] = words[body]
    book[h + EXPIRES] = expires
    book[h + HOLD_FLAGS] = flags
    book[h + COUNTS_AS] = hold
    stock[N_HOLDS] = hold + 1
    stock[N_LINES] += n_lines
    if ttl > 0:
        heap_push(book, stock[AT_HEAP], stock[N_HEAP], expires, hold)
        stock[N_HEAP] += 1
    return event + size


@hot_kernel
def enter_answer(stock, book, events, words, at, event, hold):
    """Write the answer of a new request: event and row. Returns the word after its event."""
    high = words[at + 1]
    low = words[at + 2]
    events[event] = E_REQUEST
    events[event + 1] = REQUEST_HEAD_WORDS + _ANSWER
    events[event + 2] = high_word(high)
    events[event + 3] = low_word(high)
    events[event + 4] = high_word(low)
    events[event + 5] = low_word(low)
    events[event + 6] = high_word(words[at + 3])
    events[event + 7] = low_word(words[at + 3])
    row = next_request(stock, book, high, low)
    offset = stock[N_ANSWERS]
    book[row + FINGERPRINT] = words[at + 3]
    book[row + ANSWER_AT] = offset
    book[row + ANSWER_WORDS] = _ANSWER
    kept = stock[AT_ANSWERS] + offset
    for k in range(_ANSWER):
        word = hold if k == 1 else np.int64(0)
        book[kept + k] = word
        events[event + REQUEST_HEAD_WORDS + k] = word
    stock[N_ANSWERS] = offset + _ANSWER
    return event + REQUEST_HEAD_WORDS + _ANSWER


@inner_kernel
def hint_at_skus(state, words, offsets, first, last):
    """Have the rows of SKUs and the slots of request ids fetched that commands will read."""
    stock = state.stock
    for c in range(first, last):
        at = offsets[c]
        if words[at] == RESERVE and words[at + COMMAND_WORDS + 4] == 0:
            tag = tag_of(words[at + 1], words[at + 2])
            prefetch(state.ids, stock[AT_SLOTS] + (tag & (stock[ROOM_SLOTS] - 1)))
            if stock[OLD_SLOTS] != 0:
                prefetch(state.ids, stock[OLD_SLOTS_AT] + (tag & (stock[OLD_SLOTS] - 1)))
            line = at + COMMAND_WORDS + _BODY
            for _ in range(words[line - 1]):
                prefetch(stock, stock[AT_SKUS] + words[line] * SKU_FIELDS)
                line += LINE_WORDS + 2 * words[line + N_COMPONENTS]
    return last


@inner_kernel
def hint_at_points(state, words, offsets, first, last):
    """Have the stockpoints fetched from which plain reservations will likely take."""
    stock = state.stock
    width = state.records.shape[1]
    for c in range(first, last):
        at = offsets[c]
        if words[at] == RESERVE and words[at + COMMAND_WORDS + 4] == 0:
            line = at + COMMAND_WORDS + _BODY
            for _ in range(words[line - 1]):
                sku = words[line]
                node = words[line + LINE_NODE]
                s = stock[stock[AT_SKUS] + sku * SKU_FIELDS + FIRST_POINT]
                if node >= 0:
                    s = likely_point(stock, sku, node)
                    if s < 0:
                        s = find_point(state, sku, node, -1)
                if s >= 0:
                    prefetch(state.records, s * width)
                    prefetch(stock, stock[AT_POINTS] + s * POINT_FIELDS)
                    prefetch(stock, stock[AT_FREE] + s)
                line += LINE_WORDS + 2 * words[line + N_COMPONENTS]
    return last


@inner_kernel
def has_plain_room(stock, cursor, events, results, n_commands, n_words):
    """True if the arrays can take so many plain reservations in so many words."""
    n_lines = n_words // PLAIN_LINE
    fixed = HOLD_HEAD_WORDS + REQUEST_HEAD_WORDS + _ANSWER
    return (
        stock[N_HOLDS] + n_commands <= stock[ROOM_HOLDS]
        and stock[N_HEAP] + n_commands <= stock[ROOM_HEAP]
        and stock[N_LINES] + n_lines <= stock[ROOM_LINES]
        and stock[N_REQUESTS] + n_commands <= stock[ROOM_REQUESTS]
        and 2 * (stock[N_REQUESTS] + n_commands) < stock[ROOM_SLOTS]
        and stock[N_ANSWERS] + _ANSWER * n_commands <= stock[ROOM_ANSWERS]
        and cursor[EVENT_WORDS] + fixed * n_commands + HOLD_LINE_WORDS * n_lines <= events.shape[0]
        and cursor[RESULT_WORDS] + _ANSWER * n_commands <= results.shape[0]
    )


@inner_kernel
def reserve_swiftly(state, events, results, result_offsets, cursor, words, offsets, last):
    """Carry out plain reservations up to command ``last``, or the first that is not plain.

    There must be room for them all.
    """
    records = state.records
    stock = state.stock
    book = state.book
    ids = state.ids
    moving = stock[OLD_SLOTS] != 0
    c = cursor[NEXT_COMMAND]
    while c < last:
        at = offsets[c]
        body = at + COMMAND_WORDS
        if words[at] != RESERVE or words[body + 4] != 0:
            break
        if words[body + 3] & ~(PARTIAL | LATE | AT_NODE) != 0:
            break
        has_id = words[at + 1] != 0 or words[at + 2] != 0
        tag = tag_of(words[at + 1], words[at + 2])
        slot = stock[AT_SLOTS]
        if has_id:
            slot = slot_of(
                ids, book, stock[AT_REQUESTS], slot, stock[ROOM_SLOTS], tag, words[at + 1],
                words[at + 2],
            )  # fmt: skip
            if ids[slot] != 0 or (
                moving and find_request(state, words[at + 1], words[at + 2]) >= 0
            ):
                break
        event = cursor[EVENT_WORDS]
        lines = body + _BODY
        n_lines = words[body + 5]
        asker = words[body + 1]
        column = RESERVED if words[body + 2] > 0 else COMMITTED
        word = event + HOLD_HEAD_WORDS
        if all_named(words, lines, n_lines):
            outcome = take_lines(
                records, stock, book, events, words, lines, n_lines, asker, column, word,
                np.int64(-1),
            )  # fmt: skip
        else:
            outcome = take_anywhere(
                records, stock, book, events, words, lines, n_lines, asker, column, word
            )
        if outcome != TAKEN:
            break
        hold = stock[N_HOLDS]
        event = enter_hold(stock, book, events, words, body, event)
        if has_id:
            ids[slot] = (tag << 32) | (stock[N_REQUESTS] + 1)
            if moving:
                move_slots(state, MOVED_AT_ONCE)
            event = enter_answer(stock, book, events, words, at, event, hold)
        cursor[EVENT_WORDS] = event
        answer = cursor[RESULT_WORDS]
        result_offsets[c] = answer
        results[answer] = OK
        results[answer + 1] = hold
        results[answer + 2] = 0
        results[answer + 3] = 0
        cursor[RESULT_WORDS] = answer + _ANSWER
        c += 1
        result_offsets[c] = answer + _ANSWER
    cursor[NEXT_COMMAND] = c
