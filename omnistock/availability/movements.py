"""Decisions on stock that moves without a hold, and on buffers and limits."""

from __future__ import annotations

import numpy as np

from omnistock.availability.answers import EVENT_WORDS, answer, happened
from omnistock.availability.hashing import high_word, low_word
from omnistock.availability.layout import (
    BASE,
    CAUSE_ISSUE,
    CAUSE_RECEIPT,
    CAUSE_TRANSFER,
    E_INBOUND,
    E_LIMIT,
    E_ON_HAND,
    E_USE,
    EXPECTED,
    INBOUND_BUCKET,
    INBOUND_REFERENCE,
    MINIMA,
    MOST_UNITS,
    N_INBOUND,
    NOT_ON_HAND,
    OK,
    ON_HAND,
    OVERFLOW,
    POINT_SKU,
    PROMISED,
    REMAINING,
)
from omnistock.numerics.compiled import lean_kernel


@lean_kernel
def on_hand_fits(state, results, cursor, s, delta):
    """True if on hand stays within 0 and the most units; else the refusal is answered."""
    after = state.points[s, ON_HAND] + delta
    if after < 0:
        answer(results, cursor, NOT_ON_HAND)
        answer(results, cursor, state.points[s, ON_HAND])
        return False
    if after > MOST_UNITS:
        answer(results, cursor, OVERFLOW)
        return False
    return True


@lean_kernel
def may_leave(state, results, cursor, s, units, force):
    """True if units may leave a stockpoint without breaking a promise; else it is answered."""
    on_hand = state.points[s, ON_HAND]
    most = on_hand
    if not force:
        unpromised = np.int64(state.records[s, BASE]) + np.int64(state.records[s, MINIMA])
        most = min(on_hand, max(0, unpromised))
    if units > most:
        answer(results, cursor, NOT_ON_HAND if units > on_hand else PROMISED)
        answer(results, cursor, most)
        return False
    return True


@lean_kernel
def receive(state, events, results, cursor, words, at):
    """Take units into stock, against an inbound line if one is named."""
    s = words[at]
    units = words[at + 1]
    i = np.int64(words[at + 2])
    if not on_hand_fits(state, results, cursor, s, units):
        return
    if i >= 0:
        left = max(0, state.inbound[i, REMAINING] - units)
        inbound_event(
            events, cursor, i, s, state.inbound[i, INBOUND_BUCKET], left,
            state.inbound[i, INBOUND_REFERENCE], state.eta[i],
        )  # fmt: skip
    happened(events, cursor, E_ON_HAND, s, units, CAUSE_RECEIPT)
    answer(results, cursor, OK)


@lean_kernel
def inbound_event(events, cursor, i, s, bucket, units, reference, eta):
    """Write what remains of an inbound line."""
    at = cursor[EVENT_WORDS]
    events[at] = E_INBOUND
    events[at + 1] = 9
    events[at + 2] = i
    events[at + 3] = s
    events[at + 4] = bucket
    events[at + 5] = units
    events[at + 6] = reference
    events[at + 7] = high_word(eta)
    events[at + 8] = low_word(eta)
    cursor[EVENT_WORDS] = at + events[at + 1]


@lean_kernel
def expected_fits(state, results, cursor, s, more):
    """True if a stockpoint may expect ``more`` units; else the refusal is answered."""
    if state.points[s, EXPECTED] + more > MOST_UNITS:
        answer(results, cursor, OVERFLOW)
        return False
    return True


@lean_kernel
def expect(state, events, results, cursor, words, at):
    """Announce an inbound line, or set what remains of one and when it is due."""
    i = words[at]
    units = words[at + 3]
    before = state.inbound[i, REMAINING] if i < state.counts[N_INBOUND] else 0
    if not expected_fits(state, results, cursor, words[at + 1], units - before):
        return
    inbound_event(
        events, cursor, i, words[at + 1], words[at + 2], units, words[at + 4], words[at + 5]
    )
    answer(results, cursor, OK)


@lean_kernel
def issue(state, events, results, cursor, words, at):
    """Sell or use units on the spot, without a hold."""
    s = words[at]
    units = words[at + 1]
    if not may_leave(state, results, cursor, s, units, words[at + 3] != 0):
        return
    happened(events, cursor, E_ON_HAND, s, -units, CAUSE_ISSUE)
    happened(events, cursor, E_USE, state.points[s, POINT_SKU], words[at + 2], units)
    answer(results, cursor, OK)


@lean_kernel
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


@lean_kernel
def correct(state, events, results, cursor, s, delta, cause):
    """Change on hand by what was counted or found; promises stay and may then be short."""
    if not on_hand_fits(state, results, cursor, s, delta):
        return
    happened(events, cursor, E_ON_HAND, s, delta, cause)
    answer(results, cursor, OK)
    answer(results, cursor, delta)


@lean_kernel
def set_limit(events, cursor, words, at):
    """Write a quota, protection or channel buffer."""
    place = cursor[EVENT_WORDS]
    events[place] = E_LIMIT
    events[place + 1] = 8
    for k in range(4):
        events[place + 2 + k] = words[at + k]
    events[place + 6] = high_word(words[at + 4])
    events[place + 7] = low_word(words[at + 4])
    cursor[EVENT_WORDS] = place + events[place + 1]
