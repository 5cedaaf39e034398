"""Decisions on holds: reserve, confirm, release, ship, take back."""

from __future__ import annotations

import numpy as np

from omnistock.availability.answers import EVENT_WORDS, RESULT_WORDS, answer, happened
from omnistock.availability.fold import ship_line
from omnistock.availability.hashing import high_word, low_word
from omnistock.availability.layout import (
    BUCKET,
    CONFIRMED,
    E_HOLD,
    E_RELEASE,
    E_RETURN,
    E_SHIP,
    E_STATUS,
    EXPIRED,
    FIRST_LINE,
    HELD,
    HOLD_CHANNEL,
    HOLD_HEAD_WORDS,
    HOLD_LINE_WORDS,
    LINE_BUCKET,
    LINE_HOLD,
    LINE_POINT,
    LINE_SHIPPED,
    MOST_UNITS,
    N_HOLDS,
    N_LINES,
    NOW,
    OK,
    ON_HAND,
    OPEN,
    OVERFLOW,
    POINT_NODE,
    POINT_SKU,
    POINTS_OF_SKU,
    RELEASE,
    RETURNED,
    SHIP,
    SHORT,
    STATUS,
    TOO_MANY,
    UNKNOWN_HOLD,
    WRONG_STATUS,
)
from omnistock.availability.promise import (
    LINE_WORDS,
    draw_line,
    draw_whole_order,
    line_available,
    sku_available,
    undo,
    what_binds,
)
from omnistock.availability.stock import lowest_before
from omnistock.numerics.compiled import lean_kernel


@lean_kernel
def draw_lines(state, draft, results, cursor, words, start, n_lines, channel, partial):
    """Draw an order line by line; short lines are answered. Returns (draft length, short lines).

    Lines that name a node go first: those that do not may then take from any other.
    """
    n_draft = 0
    n_short = 0
    at = start
    for step in range(2 * n_lines):
        line = step % n_lines
        if line == 0:
            at = start
        if (words[at + 1] < 0) == (step >= n_lines):
            quantity = words[at + 3]
            most = line_available(state, words, at, channel)
            if most < quantity:
                n_short += 1
                answer(results, cursor, line)
                answer(results, cursor, most)
                answer(results, cursor, what_binds(state, words, at, channel))
                quantity = most if partial else 0
            if quantity > 0:
                n_draft = draw_line(state, draft, n_draft, words, at, line, quantity, channel)
        at += LINE_WORDS + 2 * words[at + 4]
    return n_draft, n_short


@lean_kernel
def write_hold(state, events, cursor, draft, n_draft, order, channel, ttl):
    """Write the hold of a draft, whose units are drawn already."""
    at = cursor[EVENT_WORDS]
    hold = state.counts[N_HOLDS]
    expires = state.counts[NOW] + ttl if ttl > 0 else 0
    events[at] = E_HOLD
    events[at + 1] = HOLD_HEAD_WORDS + HOLD_LINE_WORDS * n_draft
    events[at + 2] = hold
    events[at + 3] = order
    events[at + 4] = channel
    events[at + 5] = HELD if ttl > 0 else CONFIRMED
    events[at + 6] = high_word(expires)
    events[at + 7] = low_word(expires)
    for k in range(n_draft):
        for field in range(HOLD_LINE_WORDS):
            word = at + HOLD_HEAD_WORDS + HOLD_LINE_WORDS * k + field
            events[word] = draft[k, field]
    cursor[EVENT_WORDS] = at + events[at + 1]
    return hold


@lean_kernel
def reserve(state, events, results, cursor, draft, words, at):
    """Hold an order's lines: all, or with ``partial`` as much as there is, or none.

    Answer: outcome, hold or -1, n short lines, then line, available, binding of each.
    """
    order = words[at]
    channel = words[at + 1]
    ttl = words[at + 2]
    partial = words[at + 3] != 0
    n_lines = words[at + 4]
    first = cursor[RESULT_WORDS]
    answer(results, cursor, OK)
    answer(results, cursor, -1)
    answer(results, cursor, 0)
    # The limits count a hold from its number on: drawing poses as the newest.
    n_draft = draw_whole_order(state, draft, words, at + 5, n_lines, channel)
    if n_draft < 0:
        n_draft, n_short = draw_lines(
            state, draft, results, cursor, words, at + 5, n_lines, channel, partial
        )
        results[first + 2] = n_short
        if n_short > 0 and (not partial or n_draft == 0):
            undo(state, draft, n_draft, 0, channel)
            results[first] = SHORT
            return
    hold = write_hold(state, events, cursor, draft, n_draft, order, channel, ttl)
    results[first + 1] = hold


@lean_kernel
def lines_needed(state, words, at):
    """Most draft rows that a reserve command can come to."""
    total = 0
    n_lines = words[at + 4]
    at += 5
    for _ in range(n_lines):
        for k in range(words[at + 4]):
            total += max(1, state.skus[words[at + LINE_WORDS + 2 * k], POINTS_OF_SKU])
        at += LINE_WORDS + 2 * words[at + 4]
    return total


@lean_kernel
def hold_is(state, results, cursor, hold, first_status, second_status):
    """True if the hold exists in one of two statuses; else the refusal is answered."""
    if hold < 0 or hold >= state.counts[N_HOLDS]:
        answer(results, cursor, UNKNOWN_HOLD)
        return False
    status = state.holds[hold, STATUS]
    if status != first_status and status != second_status:
        answer(results, cursor, WRONG_STATUS)
        answer(results, cursor, status)
        return False
    return True


@lean_kernel
def confirm(state, events, results, cursor, hold):
    """Make a soft hold hard; one that has expired must find its units again.

    Answer: outcome, then for a shortage n, line, available, binding.
    """
    if hold >= 0 and hold < state.counts[N_HOLDS] and state.holds[hold, STATUS] == CONFIRMED:
        answer(results, cursor, OK)
        return
    if not hold_is(state, results, cursor, hold, HELD, EXPIRED):
        return
    if state.holds[hold, STATUS] == EXPIRED and not still_there(state, results, cursor, hold):
        return
    happened(events, cursor, E_STATUS, hold, CONFIRMED, 0)
    answer(results, cursor, OK)


@lean_kernel
def still_there(state, results, cursor, hold):
    """True if an expired hold's units are all free once more; else the shortage is answered."""
    channel = state.holds[hold, HOLD_CHANNEL]
    first = state.holds[hold, FIRST_LINE]
    last = first + state.holds[hold, N_LINES]
    current = state.counts[BUCKET]
    for q in range(first, last):
        s = state.lines[q, LINE_POINT]
        sku = state.points[s, POINT_SKU]
        ahead = max(0, state.lines[q, LINE_BUCKET] - current)
        at_point = 0
        of_sku = 0
        for other in range(first, last):
            point = state.lines[other, LINE_POINT]
            if point == s:
                at_point += state.lines[other, OPEN]
            if state.points[point, POINT_SKU] == sku:
                of_sku += state.lines[other, OPEN]
        short = False
        least = 0
        for anywhere in range(2):
            node = -1 if anywhere else state.points[s, POINT_NODE]
            least = sku_available(state, sku, node, channel, ahead)
            short = least < (of_sku if anywhere else at_point)
            if short:
                break
        if short:
            answer(results, cursor, SHORT)
            answer(results, cursor, 1)
            answer(results, cursor, q - first)
            answer(results, cursor, least)
            answer(results, cursor, 1)
            return False
    return True


@lean_kernel
def most_of_line(state, q, kind):
    """Units of a hold line that may be released (all open) or shipped (on hand, unpromised)."""
    units = state.lines[q, OPEN]
    if kind == RELEASE:
        return units
    s = state.lines[q, LINE_POINT]
    units = min(units, state.points[s, ON_HAND])
    bucket = state.lines[q, LINE_BUCKET]
    if bucket > state.counts[BUCKET]:
        units = min(units, max(0, lowest_before(state, s, bucket)))
    return units


@lean_kernel
def named_units(words, at, line):
    """Units that a command names for a line, summed over repetitions."""
    total = 0
    for k in range(words[at + 1]):
        if words[at + 2 + 2 * k] == line:
            total += words[at + 3 + 2 * k]
    return total


@lean_kernel
def unship(state, events, cursor, begun):
    """Undo the shipments tried since word ``begun``; their events stay."""
    at = cursor[EVENT_WORDS]
    while at > begun:
        at -= 5
        q = np.int64(events[at + 2])
        ship_line(state, q, -np.int64(events[at + 3]))
        state.holds[state.lines[q, LINE_HOLD], STATUS] = CONFIRMED


@lean_kernel
def release_or_ship(state, events, results, cursor, words, at, kind):
    """Release or ship lines of a hold, wholly or in part; all that was named, or nothing.

    Shipments are tried one after another, since lines may share stock, and undone:
    they happen when the command's events are folded.

    Answer: outcome, units released or shipped; or TOO_MANY, line, most.
    """
    hold = words[at]
    n_named = words[at + 1]
    if not hold_is(state, results, cursor, hold, CONFIRMED, HELD if kind == RELEASE else CONFIRMED):
        return
    first = state.holds[hold, FIRST_LINE]
    n_lines = state.holds[hold, N_LINES]
    total = 0
    failed = False
    begun = cursor[EVENT_WORDS]
    for k in range(n_lines if n_named == 0 else n_named):
        line = k if n_named == 0 else words[at + 2 + 2 * k]
        known = 0 <= line < n_lines
        most = most_of_line(state, first + line, kind) if known else 0
        units = words[at + 3 + 2 * k] if n_named > 0 else state.lines[first + line, OPEN]
        asked = named_units(words, at, line) if kind == RELEASE and n_named > 0 else units
        if asked > most or not known:
            failed = True
            answer(results, cursor, TOO_MANY)
            answer(results, cursor, line)
            answer(results, cursor, most)
            break
        if units > 0:
            happened(
                events, cursor, E_RELEASE if kind == RELEASE else E_SHIP, first + line, units, 0
            )
            total += units
            if kind == SHIP:
                ship_line(state, first + line, units)
    if kind == SHIP:
        unship(state, events, cursor, begun)
    if failed:
        cursor[EVENT_WORDS] = begun
        return
    answer(results, cursor, OK)
    answer(results, cursor, total)


@lean_kernel
def take_back(state, events, results, cursor, words, at):
    """Take shipped units back into stock. Answer: outcome; or TOO_MANY, line, most."""
    hold = words[at]
    line = words[at + 1]
    units = words[at + 2]
    if hold < 0 or hold >= state.counts[N_HOLDS]:
        answer(results, cursor, UNKNOWN_HOLD)
        return
    q = state.holds[hold, FIRST_LINE] + line
    most = 0
    if 0 <= line < state.holds[hold, N_LINES]:
        most = state.lines[q, LINE_SHIPPED] - state.lines[q, RETURNED]
    if units > most:
        answer(results, cursor, TOO_MANY)
        answer(results, cursor, line)
        answer(results, cursor, most)
        return
    if state.points[words[at + 3], ON_HAND] + units > MOST_UNITS:
        answer(results, cursor, OVERFLOW)
        return
    happened(events, cursor, E_RETURN, q, units, words[at + 3])
    answer(results, cursor, OK)
