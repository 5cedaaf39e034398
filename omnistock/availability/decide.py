"""Commands into events: every decision of the engine is made here, one command after another.

A decision looks at the state and writes events, which are folded before the
next command is looked at. The answer of each command goes to ``results``; a
command with a request id leaves its answer in the state as well and is answered
from there when it comes again.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.answers import (
    EVENT_WORDS,
    NEXT_COMMAND,
    RESULT_WORDS,
    WORDS_NEEDED,
    answer,
    begin,
    happened,
)
from omnistock.availability.cells import hold_row, point
from omnistock.availability.changes import relocate, split, update
from omnistock.availability.feeds import feed_delta, feed_snapshot
from omnistock.availability.fold import fold_one, has_room
from omnistock.availability.hashing import find_request, high_word, low_word
from omnistock.availability.holds import (
    confirm,
    draft_needed,
    pick,
    release_or_ship,
    reserve,
    take_back,
)
from omnistock.availability.layout import (
    ADD_POINT,
    ADJUST,
    ANSWER_AT,
    ANSWER_WORDS,
    AT_ANSWERS,
    CAUSE_ADJUST,
    CAUSE_COUNT,
    COMMAND_WORDS,
    CONFIRM,
    CONFLICT,
    COUNT,
    DELTA,
    E_BACKORDER,
    E_BUFFER,
    E_CAPACITY,
    E_NODE,
    E_ORDER,
    E_POINT,
    E_REQUEST,
    E_STEP,
    E_SWITCH,
    ENTER_ORDER,
    EXPECT,
    FINGERPRINT,
    HOLD_LINE_WORDS,
    ISSUE,
    LINES_LINE_WORDS,
    LINES_OF_HOLD,
    MOVE,
    N_HOLDS,
    N_LINES,
    OK,
    ON_HAND,
    ORDER_FIELDS,
    PICK,
    RECEIVE,
    RELEASE,
    RELOCATE,
    REQUEST_HEAD_WORDS,
    RESERVE,
    SET_BACKORDER,
    SET_BUFFER,
    SET_CAPACITY,
    SET_LIMIT,
    SET_NODE,
    SHIP,
    SNAPSHOT,
    SPLIT,
    SWITCH_POINT,
    TAKE_BACK,
    TRANSFER,
    UPDATE,
)
from omnistock.availability.movements import (
    correct,
    expect,
    issue,
    move,
    receive,
    set_limit,
    transfer,
)
from omnistock.availability.swift import (
    has_plain_room,
    hint_at_points,
    hint_at_skus,
    reserve_swiftly,
)
from omnistock.numerics.compiled import inner_kernel, lean_kernel

# Commands between one look ahead and the next.
_AT_ONCE = 16


@inner_kernel
def set_buffer(events, cursor, words, at):
    """Write a buffer that holds from now on, or from a later bucket on."""
    if words[at + 3] >= 0:
        happened(events, cursor, E_STEP, words[at], words[at + 3], words[at + 1])
    else:
        happened(events, cursor, E_BUFFER, words[at], words[at + 1], words[at + 2])


@inner_kernel
def enter_order(events, cursor, words, at):
    """Write what was ordered, an event for each SKU."""
    for k in range(words[at + 5]):
        place = begin(events, cursor, E_ORDER, 2 + ORDER_FIELDS)
        events[place + 2] = words[at]
        events[place + 3] = words[at + 6 + 2 * k]
        events[place + 4] = words[at + 7 + 2 * k]
        for field in range(4):
            events[place + 5 + field] = words[at + 1 + field]


@inner_kernel
def decide_rest(events, results, cursor, words, at):
    """Carry out a command that cannot be refused."""
    kind = words[at]
    body = at + COMMAND_WORDS
    if kind == SET_BUFFER:
        set_buffer(events, cursor, words, body)
    elif kind == SET_LIMIT:
        set_limit(events, cursor, words, body)
    elif kind == SET_NODE:
        happened(events, cursor, E_NODE, words[body], words[body + 1], 0)
    elif kind == ADD_POINT:
        place = begin(events, cursor, E_POINT, 6)
        for field in range(4):
            events[place + 2 + field] = words[body + field]
    elif kind == SET_BACKORDER:
        happened(events, cursor, E_BACKORDER, words[body], words[body + 1], 0)
    elif kind == SWITCH_POINT:
        happened(events, cursor, E_SWITCH, words[body], words[body + 1], 0)
    elif kind == SET_CAPACITY:
        happened(events, cursor, E_CAPACITY, words[body], words[body + 1], words[body + 2])
    elif kind == ENTER_ORDER:
        enter_order(events, cursor, words, body)
    answer(results, cursor, OK)


@inner_kernel
def decide_stock(state, events, results, cursor, words, at):
    """Carry out a command on stock."""
    kind = words[at]
    body = at + COMMAND_WORDS
    if kind == RECEIVE:
        receive(state, events, results, cursor, words, body)
    elif kind == EXPECT:
        expect(state, events, results, cursor, words, body)
    elif kind == ISSUE:
        issue(state, events, results, cursor, words, body)
    elif kind == TRANSFER:
        transfer(state, events, results, cursor, words, body)
    elif kind == MOVE:
        move(state, events, results, cursor, words, body)
    elif kind == DELTA:
        feed_delta(state, events, results, cursor, words, body)
    elif kind == SNAPSHOT:
        feed_snapshot(state, events, results, cursor, words, body)
    elif kind in (ADJUST, COUNT):
        s = words[body]
        delta = words[body + 1]
        may_be_negative = kind == ADJUST and words[body + 2] != 0
        reduce = kind == COUNT and words[body + 2] != 0
        if kind == COUNT:
            delta -= state.stock[point(state, s) + ON_HAND]
        cause = CAUSE_COUNT if kind == COUNT else CAUSE_ADJUST
        correct(state, events, results, cursor, s, delta, cause, may_be_negative, reduce)
    else:
        decide_rest(events, results, cursor, words, at)


@inner_kernel
def decide_hold(state, events, results, cursor, draft, words, at):
    """Carry out a command on holds, or any other."""
    kind = words[at]
    body = at + COMMAND_WORDS
    if kind == RESERVE:
        reserve(state, events, results, cursor, draft, words, body)
    elif kind == CONFIRM:
        confirm(state, events, results, cursor, words, body)
    elif kind in (RELEASE, SHIP):
        release_or_ship(state, events, results, cursor, words, body, kind)
    elif kind == TAKE_BACK:
        take_back(state, events, results, cursor, words, body)
    elif kind == PICK:
        pick(state, events, results, cursor, words[body])
    elif kind == UPDATE:
        update(state, events, results, cursor, draft, words, body)
    elif kind == SPLIT:
        split(state, events, results, cursor, draft, words, body)
    elif kind == RELOCATE:
        relocate(state, events, results, cursor, draft, words, body)
    else:
        decide_stock(state, events, results, cursor, words, at)


@inner_kernel
def write_request(events, results, cursor, high, low, content, first):
    """Leave a request's answer in the state, so that its repetition gets the same."""
    n_words = cursor[RESULT_WORDS] - first
    at = begin(events, cursor, E_REQUEST, REQUEST_HEAD_WORDS + n_words)
    events[at + 2] = high_word(high)
    events[at + 3] = low_word(high)
    events[at + 4] = high_word(low)
    events[at + 5] = low_word(low)
    events[at + 6] = high_word(content)
    events[at + 7] = low_word(content)
    for k in range(n_words):
        events[at + REQUEST_HEAD_WORDS + k] = results[first + k]


@inner_kernel
def decide_one(state, events, results, cursor, draft, words, at):
    """Carry out one command, or answer its repetition."""
    high = words[at + 1]
    low = words[at + 2]
    first = cursor[RESULT_WORDS]
    at_event = cursor[EVENT_WORDS]
    content = words[at + 3]
    if high != 0 or low != 0:
        book = state.book
        row = find_request(state, high, low)
        if row >= 0:
            if book[row + FINGERPRINT] != content:
                answer(results, cursor, CONFLICT)
                return
            offset = state.stock[AT_ANSWERS] + book[row + ANSWER_AT]
            for k in range(book[row + ANSWER_WORDS]):
                answer(results, cursor, state.book[offset + k])
            return
    decide_hold(state, events, results, cursor, draft, words, at)
    if high != 0 or low != 0:
        write_request(events, results, cursor, high, low, content, first)
    while at_event < cursor[EVENT_WORDS]:
        at_event = fold_one(state, events, at_event, False)


@inner_kernel
def words_needed(state, words, at, n_words):
    """Most words of events or results, and thereby rows, that a command can come to."""
    kind = words[at]
    body = at + COMMAND_WORDS
    lines = n_words
    if kind == RESERVE:
        lines_at = body + 5 + words[body + 4]
        lines += draft_needed(state, words, lines_at + 1, words[lines_at])
        for k in range(words[body + 4]):
            lines += lines_of(state, words[body + 5 + k])
    elif kind == UPDATE:
        lines_at = body + 2 + 2 * words[body + 1]
        lines += draft_needed(state, words, lines_at + 1, words[lines_at])
    elif kind in (COUNT, ISSUE):
        # Reducing promises may release every line there is.
        lines += state.stock[N_LINES] if words[at + n_words - 1] != 0 else 0
    if kind in (RELEASE, SHIP, UPDATE, SPLIT, RELOCATE):
        lines += 2 * lines_of(state, words[body])
    return 64 + max(HOLD_LINE_WORDS, LINES_LINE_WORDS) * lines


@inner_kernel
def lines_of(state, hold):
    """Lines of a hold, 0 if there is no such hold."""
    if hold < 0 or hold >= state.stock[N_HOLDS]:
        return 0
    return state.book[hold_row(state, hold) + LINES_OF_HOLD]


@lean_kernel
def decide(state, events, results, result_offsets, draft, cursor, words, offsets):
    """Carry out commands from ``cursor[0]`` on until done or until an array is too small.

    ``words[offsets[c]:offsets[c + 1]]`` is command c; its answer becomes
    ``results[result_offsets[c]:result_offsets[c + 1]]``.
    """
    n_commands = offsets.shape[0] - 1
    touched = np.int64(cursor[NEXT_COMMAND])
    near = touched
    far = touched
    while cursor[NEXT_COMMAND] < n_commands:
        c = cursor[NEXT_COMMAND]
        if c >= touched:
            touched = min(c + _AT_ONCE, n_commands)
            # What is hinted at should have come when its turn comes: SKUs first, then, by them,
            # their stockpoints.
            far = hint_at_skus(state, words, offsets, far, min(c + 3 * _AT_ONCE, n_commands))
            near = hint_at_points(state, words, offsets, near, min(c + 2 * _AT_ONCE, n_commands))
        n_words = offsets[touched] - offsets[c]
        if has_plain_room(state.stock, cursor, events, results, touched - c, n_words):
            reserve_swiftly(state, events, results, result_offsets, cursor, words, offsets, touched)
            c = cursor[NEXT_COMMAND]
            if c == touched:
                continue
        at = offsets[c]
        most_words = words_needed(state, words, at, offsets[c + 1] - at)
        if (
            not has_room(state, most_words)
            or cursor[EVENT_WORDS] + 2 * most_words > events.shape[0]
            or cursor[RESULT_WORDS] + most_words > results.shape[0]
            or most_words > draft.shape[0]
        ):
            cursor[WORDS_NEEDED] = most_words
            return
        result_offsets[c] = cursor[RESULT_WORDS]
        decide_one(state, events, results, cursor, draft, words, at)
        cursor[NEXT_COMMAND] = c + 1
        result_offsets[c + 1] = cursor[RESULT_WORDS]
