"""Decisions on stock that moves without a hold, and on buffers and limits."""

from __future__ import annotations

import numpy as np

from omnistock.availability.answers import EVENT_WORDS, RESULT_WORDS, answer, begin, happened
from omnistock.availability.cells import hold_row, inbound_row, line_row, point
from omnistock.availability.flat import note_free
from omnistock.availability.hashing import high_word, low_word
from omnistock.availability.layout import (
    BASE,
    CAUSE_ISSUE,
    CAUSE_MOVE,
    CAUSE_RECEIPT,
    CAUSE_TRANSFER,
    CONFIRMED,
    E_INBOUND,
    E_LIMIT,
    E_ON_HAND,
    E_RELEASE,
    E_USE,
    ETA,
    EXPECTED,
    FIRST_LINE,
    HELD,
    INBOUND_BUCKET,
    INBOUND_REFERENCE,
    LIMIT_WORDS,
    LINE_BUCKET,
    LINE_POINT,
    LINES_OF_HOLD,
    MOST_UNITS,
    N_HOLDS,
    N_INBOUND,
    NOT_ON_HAND,
    OK,
    ON_HAND,
    OPEN,
    OVERFLOW,
    PICKED,
    PROMISED,
    REMAINING,
    STATUS,
)
from omnistock.availability.stock import lowest_from, promise, unpromised
from omnistock.numerics.compiled import inner_kernel


@inner_kernel
def on_hand_fits(state, results, cursor, s, delta, may_be_negative):
    """True if on hand stays within its bounds; else the refusal is answered."""
    on_hand = state.stock[point(state, s) + ON_HAND]
    after = on_hand + delta
    if after < (-MOST_UNITS if may_be_negative else 0):
        answer(results, cursor, NOT_ON_HAND)
        answer(results, cursor, max(0, on_hand))
        return False
    if after > MOST_UNITS:
        answer(results, cursor, OVERFLOW)
        return False
    return True


@inner_kernel
def may_leave(state, results, cursor, s, units, force):
    """True if units may leave a stockpoint without breaking a promise; else it is answered."""
    on_hand = max(0, state.stock[point(state, s) + ON_HAND])
    most = on_hand
    if not force:
        most = min(on_hand, max(0, unpromised(state, s)))
    if units > most:
        answer(results, cursor, NOT_ON_HAND if units > on_hand else PROMISED)
        answer(results, cursor, most)
        return False
    return True


@inner_kernel
def reduce_line(state, events, results, cursor, s, hold, q):
    """Release what of a line the stockpoint cannot keep; answered as hold, line row, units."""
    line = line_row(state, q)
    units = state.book[line + OPEN]
    if state.book[line + LINE_POINT] != s or units == 0:
        return np.int64(0)
    bucket = state.book[line + LINE_BUCKET]
    short = -lowest_from(state, s, bucket)
    if short <= 0:
        return np.int64(0)
    units = min(units, short)
    promise(state, s, bucket, -units)
    happened(events, cursor, E_RELEASE, q, units, 0)
    answer(results, cursor, hold)
    answer(results, cursor, q)
    answer(results, cursor, units)
    return np.int64(1)


@inner_kernel
def reduce_promises(state, events, results, cursor, s, delta):
    """Release promises that on hand cannot keep once it has changed by ``delta``.

    Newest hold first; a release helps from the bucket on in which the line is due. Answers
    the number of releases, then hold, line row, units of each. The state is left as it was.
    """
    at = cursor[RESULT_WORDS]
    begun = cursor[EVENT_WORDS]
    answer(results, cursor, 0)
    state.records[s, BASE] += delta
    count = np.int64(0)
    hold = np.int64(state.stock[N_HOLDS] - 1)
    while hold >= 0 and unpromised(state, s) < 0:
        h = hold_row(state, hold)
        if state.book[h + STATUS] in (HELD, CONFIRMED, PICKED):
            first = state.book[h + FIRST_LINE]
            for q in range(first, first + state.book[h + LINES_OF_HOLD]):
                count = count + reduce_line(state, events, results, cursor, s, hold, q)
        hold -= 1
    results[at] = count
    for k in range(count):
        q = events[begun + 5 * k + 2]
        promise(state, s, state.book[line_row(state, q) + LINE_BUCKET], events[begun + 5 * k + 3])
    state.records[s, BASE] -= delta
    note_free(state.records, state.stock, s)


@inner_kernel
def receive(state, events, results, cursor, words, at):
    """Take units into stock, against an inbound line if one is named."""
    s = words[at]
    units = words[at + 1]
    i = np.int64(words[at + 2])
    if not on_hand_fits(state, results, cursor, s, units, True):
        return
    if i >= 0:
        line = inbound_row(state, i)
        left = max(0, state.book[line + REMAINING] - units)
        inbound_event(
            events, cursor, i, s, state.book[line + INBOUND_BUCKET], left,
            state.book[line + INBOUND_REFERENCE], state.book[line + ETA],
        )  # fmt: skip
    happened(events, cursor, E_ON_HAND, s, units, CAUSE_RECEIPT)
    answer(results, cursor, OK)


@inner_kernel
def inbound_event(events, cursor, i, s, bucket, units, reference, eta):
    """Write what remains of an inbound line."""
    at = begin(events, cursor, E_INBOUND, 9)
    events[at + 2] = i
    events[at + 3] = s
    events[at + 4] = bucket
    events[at + 5] = units
    events[at + 6] = reference
    events[at + 7] = high_word(eta)
    events[at + 8] = low_word(eta)


@inner_kernel
def expected_fits(state, results, cursor, s, more):
    """True if a stockpoint may expect ``more`` units; else the refusal is answered."""
    if state.stock[point(state, s) + EXPECTED] + more > MOST_UNITS:
        answer(results, cursor, OVERFLOW)
        return False
    return True


@inner_kernel
def expect(state, events, results, cursor, words, at):
    """Announce an inbound line, or set what remains of one and when it is due."""
    i = words[at]
    units = words[at + 3]
    before = np.int64(0)
    if i < state.stock[N_INBOUND]:
        before = state.book[inbound_row(state, i) + REMAINING]
    if not expected_fits(state, results, cursor, words[at + 1], units - before):
        return
    inbound_event(
        events, cursor, i, words[at + 1], words[at + 2], units, words[at + 4], words[at + 5]
    )
    answer(results, cursor, OK)


@inner_kernel
def issue(state, events, results, cursor, words, at):
    """Sell or use units on the spot, without a hold; a dry run only looks whether it could.

    Answer: outcome, change of on hand, then what had to yield.
    """
    s = words[at]
    units = words[at + 1]
    if not may_leave(state, results, cursor, s, units, words[at + 3] != 0):
        return
    answer(results, cursor, OK)
    if words[at + 4] != 0:
        answer(results, cursor, 0)
        answer(results, cursor, 0)
        return
    answer(results, cursor, -units)
    if words[at + 5] != 0:
        reduce_promises(state, events, results, cursor, s, -units)
    else:
        answer(results, cursor, 0)
    happened(events, cursor, E_ON_HAND, s, -units, CAUSE_ISSUE)
    happened(events, cursor, E_USE, s, words[at + 2], units)


@inner_kernel
def transfer(state, events, results, cursor, words, at):
    """Send units from one stockpoint; they are inbound at the other until received there."""
    source = words[at]
    units = words[at + 2]
    if not may_leave(state, results, cursor, source, units, words[at + 7] != 0):
        return
    if not expected_fits(state, results, cursor, words[at + 1], units):
        return
    happened(events, cursor, E_ON_HAND, source, -units, CAUSE_TRANSFER)
    i = words[at + 3]
    inbound_event(
        events, cursor, i, words[at + 1], words[at + 4], units, words[at + 5], words[at + 6]
    )
    answer(results, cursor, OK)


@inner_kernel
def move(state, events, results, cursor, words, at):
    """Move units from one compartment of a node to another at once."""
    source = words[at]
    target = words[at + 1]
    units = words[at + 2]
    if not may_leave(state, results, cursor, source, units, words[at + 3] != 0):
        return
    if not on_hand_fits(state, results, cursor, target, units, True):
        return
    happened(events, cursor, E_ON_HAND, source, -units, CAUSE_MOVE)
    happened(events, cursor, E_ON_HAND, target, units, CAUSE_MOVE)
    answer(results, cursor, OK)


@inner_kernel
def correct(state, events, results, cursor, s, delta, cause, may_be_negative, reduce):
    """Change on hand by what was counted or found. Answer: outcome, difference, what had to yield.

    Promises stay and may then be short, or yield with ``reduce``.
    """
    if not on_hand_fits(state, results, cursor, s, delta, may_be_negative):
        return
    answer(results, cursor, OK)
    answer(results, cursor, delta)
    if reduce:
        reduce_promises(state, events, results, cursor, s, delta)
    else:
        answer(results, cursor, 0)
    happened(events, cursor, E_ON_HAND, s, delta, cause)


@inner_kernel
def set_limit(events, cursor, words, at):
    """Write a quota, protection or asker's buffer."""
    place = begin(events, cursor, E_LIMIT, LIMIT_WORDS)
    for k in range(6):
        events[place + 2 + k] = words[at + k]
    events[place + 8] = high_word(words[at + 6])
    events[place + 9] = low_word(words[at + 6])
    for k in range(8):
        events[place + 10 + k] = words[at + 7 + k]
