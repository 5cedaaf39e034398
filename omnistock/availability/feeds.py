"""Decisions on what other systems say of stock: deltas in any order, snapshots with a watermark."""

from __future__ import annotations

import numpy as np

from omnistock.availability.answers import answer, begin, happened
from omnistock.availability.cells import delta_row, hold_row, line_row, point
from omnistock.availability.hashing import high_word, low_word
from omnistock.availability.layout import (
    CAUSE_DELTA,
    CAUSE_SNAPSHOT,
    CONFIRMED,
    DELTA_SEQUENCE,
    DELTA_SOURCE,
    DELTA_UNITS,
    E_DELTA,
    E_ON_HAND,
    FIRST_DELTA,
    FIRST_LINE,
    HELD,
    IS_WATERMARK,
    LINE_POINT,
    LINES_OF_HOLD,
    N_HOLDS,
    NEXT_DELTA,
    OK,
    ON_HAND,
    OPEN,
    PICKED,
    STATUS,
)
from omnistock.availability.movements import on_hand_fits
from omnistock.numerics.compiled import inner_kernel


@inner_kernel
def is_known(state, s, source, sequence):
    """True if a delta came before, or is in a snapshot that came before."""
    at = state.stock[point(state, s) + FIRST_DELTA]
    while at >= 0:
        row = delta_row(state, at)
        at = state.book[row + NEXT_DELTA]
        if state.book[row + DELTA_SOURCE] == source:
            known = state.book[row + DELTA_SEQUENCE]
            if known == sequence or (state.book[row + IS_WATERMARK] != 0 and sequence < known):
                return True
    return False


@inner_kernel
def deltas_after(state, s, source, sequence):
    """Units of a source's deltas later than ``sequence``."""
    units = np.int64(0)
    at = state.stock[point(state, s) + FIRST_DELTA]
    while at >= 0:
        row = delta_row(state, at)
        at = state.book[row + NEXT_DELTA]
        if state.book[row + DELTA_SOURCE] == source and state.book[row + DELTA_SEQUENCE] > sequence:
            units += state.book[row + DELTA_UNITS]
    return units


@inner_kernel
def delta_event(events, cursor, s, source, sequence, units, is_watermark):
    """Write a delta or a watermark."""
    at = begin(events, cursor, E_DELTA, 8)
    events[at + 2] = s
    events[at + 3] = source
    events[at + 4] = high_word(sequence)
    events[at + 5] = low_word(sequence)
    events[at + 6] = units
    events[at + 7] = is_watermark


@inner_kernel
def fed(results, cursor, on_hand, duplicate, drift):
    """Answer a feed: outcome, on hand, whether it came before, difference found."""
    answer(results, cursor, OK)
    answer(results, cursor, on_hand)
    answer(results, cursor, duplicate)
    answer(results, cursor, drift)


@inner_kernel
def feed_delta(state, events, results, cursor, words, at):
    """Apply a delta once, whatever the order in which deltas come."""
    s = words[at]
    units = words[at + 3]
    on_hand = state.stock[point(state, s) + ON_HAND]
    if is_known(state, s, words[at + 1], words[at + 2]):
        fed(results, cursor, on_hand, 1, 0)
        return
    if not on_hand_fits(state, results, cursor, s, units, True):
        return
    delta_event(events, cursor, s, words[at + 1], words[at + 2], units, 0)
    happened(events, cursor, E_ON_HAND, s, units, CAUSE_DELTA)
    fed(results, cursor, on_hand + units, 0, 0)


@inner_kernel
def open_at(state, hold, s):
    """Units that a live hold has open at a stockpoint."""
    units = np.int64(0)
    if hold < 0 or hold >= state.stock[N_HOLDS]:
        return units
    h = hold_row(state, hold)
    status = state.book[h + STATUS]
    if status not in (HELD, CONFIRMED, PICKED):
        return units
    first = state.book[h + FIRST_LINE]
    for q in range(first, first + state.book[h + LINES_OF_HOLD]):
        line = line_row(state, q)
        if state.book[line + LINE_POINT] == s:
            units += state.book[line + OPEN]
    return units


@inner_kernel
def feed_snapshot(state, events, results, cursor, words, at):
    """Take over what another system has on hand as of a sequence number.

    What it has deducted already for orders still open here, and the deltas that
    came after its sequence number, are put on top; the rest is drift.
    """
    s = words[at]
    sequence = words[at + 3]
    on_hand = state.stock[point(state, s) + ON_HAND]
    if sequence >= 0 and has_watermark(state, s, words[at + 2], sequence):
        fed(results, cursor, on_hand, 1, 0)
        return
    right = words[at + 1]
    for k in range(words[at + 4]):
        right += open_at(state, words[at + 5 + k], s)
    if sequence >= 0:
        right += deltas_after(state, s, words[at + 2], sequence)
    drift = right - on_hand
    if not on_hand_fits(state, results, cursor, s, drift, True):
        return
    if sequence >= 0:
        delta_event(events, cursor, s, words[at + 2], sequence, 0, 1)
    if drift != 0:
        happened(events, cursor, E_ON_HAND, s, drift, CAUSE_SNAPSHOT)
    fed(results, cursor, right, 0, drift)


@inner_kernel
def has_watermark(state, s, source, sequence):
    """True if a snapshot of this sequence number or a later one came before."""
    at = state.stock[point(state, s) + FIRST_DELTA]
    while at >= 0:
        row = delta_row(state, at)
        at = state.book[row + NEXT_DELTA]
        if (
            state.book[row + DELTA_SOURCE] == source
            and state.book[row + IS_WATERMARK] != 0
            and state.book[row + DELTA_SEQUENCE] >= sequence
        ):
            return True
    return False
