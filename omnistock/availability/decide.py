"""Commands into events: every decision of the engine is made here, one command after another.

A decision looks at the state and writes events, which are folded before the
next command is looked at. The answer of each command goes to ``results``; a
command with a request id leaves its answer in the state as well and is answered
from there when it comes again.
"""

from __future__ import annotations

from omnistock.availability.answers import (
    EVENT_WORDS,
    LINES_NEEDED,
    NEXT_COMMAND,
    RESULT_WORDS,
    answer,
    happened,
)
from omnistock.availability.fold import fold_one, has_room
from omnistock.availability.hashing import find_request, high_word, low_word
from omnistock.availability.holds import confirm, lines_needed, release_or_ship, reserve, take_back
from omnistock.availability.layout import (
    ADD_POINT,
    ADJUST,
    ANSWER_AT,
    ANSWER_WORDS,
    CAUSE_ADJUST,
    CAUSE_COUNT,
    CONFIRM,
    CONFLICT,
    COUNT,
    E_BUFFER,
    E_NODE,
    E_POINT,
    E_REQUEST,
    EXPECT,
    FINGERPRINT,
    HEADER_WORDS,
    HOLD_LINE_WORDS,
    ISSUE,
    N_HOLDS,
    N_LINES,
    OK,
    ON_HAND,
    RECEIVE,
    RELEASE,
    REQUEST_HEAD_WORDS,
    RESERVE,
    SET_BUFFER,
    SET_LIMIT,
    SET_NODE,
    SHIP,
    TAKE_BACK,
    TRANSFER,
)
from omnistock.availability.movements import (
    correct,
    expect,
    issue,
    receive,
    set_limit,
    transfer,
)
from omnistock.numerics.compiled import lean_kernel


@lean_kernel
def decide_rest(events, results, cursor, words, at):
    """Carry out a command that cannot be refused."""
    kind = words[at]
    body = at + HEADER_WORDS
    if kind == SET_BUFFER:
        happened(events, cursor, E_BUFFER, words[body], words[body + 1], 0)
    elif kind == SET_LIMIT:
        set_limit(events, cursor, words, body)
    elif kind == SET_NODE:
        happened(events, cursor, E_NODE, words[body], words[body + 1], 0)
    elif kind == ADD_POINT:
        happened(events, cursor, E_POINT, words[body], words[body + 1], words[body + 2])
    answer(results, cursor, OK)


@lean_kernel
def write_request(events, results, cursor, high, low, content, first):
    """Leave a request's answer in the state, so that its repetition gets the same."""
    at = cursor[EVENT_WORDS]
    n_words = cursor[RESULT_WORDS] - first
    events[at] = E_REQUEST
    events[at + 1] = REQUEST_HEAD_WORDS + n_words
    events[at + 2] = high_word(high)
    events[at + 3] = low_word(high)
    events[at + 4] = high_word(low)
    events[at + 5] = low_word(low)
    events[at + 6] = high_word(content)
    events[at + 7] = low_word(content)
    for k in range(n_words):
        events[at + REQUEST_HEAD_WORDS + k] = results[first + k]
    cursor[EVENT_WORDS] = at + events[at + 1]


@lean_kernel
def decide_one(state, events, results, cursor, draft, words, at):
    """Carry out one command, or answer its repetition."""
    kind = words[at]
    high = words[at + 1]
    low = words[at + 2]
    first = cursor[RESULT_WORDS]
    at_event = cursor[EVENT_WORDS]
    content = words[at + 3]
    if high != 0 or low != 0:
        slot = find_request(state.requests, high, low)
        if state.requests[slot, 0] != 0 or state.requests[slot, 1] != 0:
            if state.requests[slot, FINGERPRINT] != content:
                answer(results, cursor, CONFLICT)
                return
            offset = state.requests[slot, ANSWER_AT]
            for k in range(state.requests[slot, ANSWER_WORDS]):
                answer(results, cursor, state.answers[offset + k])
            return
    body = at + HEADER_WORDS
    if kind == RESERVE:
        reserve(state, events, results, cursor, draft, words, body)
    elif kind == CONFIRM:
        confirm(state, events, results, cursor, words[body])
    elif kind in (RELEASE, SHIP):
        release_or_ship(state, events, results, cursor, words, body, kind)
    elif kind == TAKE_BACK:
        take_back(state, events, results, cursor, words, body)
    elif kind == RECEIVE:
        receive(state, events, results, cursor, words, body)
    elif kind == EXPECT:
        expect(state, events, results, cursor, words, body)
    elif kind == ISSUE:
        issue(state, events, results, cursor, words, body)
    elif kind == TRANSFER:
        transfer(state, events, results, cursor, words, body)
    elif kind == ADJUST:
        correct(state, events, results, cursor, words[body], words[body + 1], CAUSE_ADJUST)
    elif kind == COUNT:
        delta = words[body + 1] - state.points[words[body], ON_HAND]
        correct(state, events, results, cursor, words[body], delta, CAUSE_COUNT)
    else:
        decide_rest(events, results, cursor, words, at)
    if high != 0 or low != 0:
        write_request(events, results, cursor, high, low, content, first)
    while at_event < cursor[EVENT_WORDS]:
        at_event = fold_one(state, events, at_event, False)


@lean_kernel
def decide(state, events, results, result_offsets, draft, cursor, words, offsets):
    """Carry out commands from ``cursor[0]`` on until done or until an array is too small.

    ``words[offsets[c]:offsets[c + 1]]`` is command c; its answer becomes
    ``results[result_offsets[c]:result_offsets[c + 1]]``.
    """
    n_commands = offsets.shape[0] - 1
    while cursor[NEXT_COMMAND] < n_commands:
        c = cursor[NEXT_COMMAND]
        at = offsets[c]
        n_words = offsets[c + 1] - at
        n_lines = n_words
        if words[at] == RESERVE:
            n_lines += lines_needed(state, words, at + HEADER_WORDS)
        cursor[LINES_NEEDED] = n_lines
        most_words = 64 + HOLD_LINE_WORDS * n_lines
        # A release or shipment of all lines writes one event for each.
        if n_words > HEADER_WORDS and (words[at] == RELEASE or words[at] == SHIP):
            hold = words[at + HEADER_WORDS]
            if 0 <= hold < state.counts[N_HOLDS]:
                most_words += 5 * state.holds[hold, N_LINES]
        if (
            not has_room(state, most_words)
            or cursor[EVENT_WORDS] + 2 * most_words > events.shape[0]
            or cursor[RESULT_WORDS] + most_words > results.shape[0]
            or n_lines > draft.shape[0]
        ):
            cursor[LINES_NEEDED] = most_words
            return
        result_offsets[c] = cursor[RESULT_WORDS]
        decide_one(state, events, results, cursor, draft, words, at)
        cursor[NEXT_COMMAND] = c + 1
        result_offsets[c + 1] = cursor[RESULT_WORDS]
