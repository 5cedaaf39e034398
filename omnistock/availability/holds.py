"""Decisions on holds: reserve, confirm, release, ship, take back."""

from __future__ import annotations

import numpy as np

from omnistock.availability.answers import EVENT_WORDS, RESULT_WORDS, answer, begin, happened
from omnistock.availability.binds import what_binds
from omnistock.availability.cells import hold_row, line_row, point, sku_row
from omnistock.availability.draw import (
    DRAFT_FIELDS,
    NEWEST,
    draw_beyond,
    draw_line,
    draw_whole_order,
    undo,
)
from omnistock.availability.fold_holds import ship_line
from omnistock.availability.hashing import high_word, low_word
from omnistock.availability.layout import (
    AT_NODE,
    BUCKET,
    BY_NODE,
    CONFIRMED,
    COUNTS_AS,
    DRY_RUN,
    E_HOLD,
    E_RELEASE,
    E_RETURN,
    E_SHIP,
    E_STATUS,
    EXPIRED,
    FIRST_LINE,
    HELD,
    HOLD_ASKER,
    HOLD_HEAD_WORDS,
    HOLD_LINE_WORDS,
    LATE,
    LINE_BUCKET,
    LINE_HOLD,
    LINE_POINT,
    LINE_SHIPPED,
    LINES_OF_HOLD,
    MOST_UNITS,
    N_HOLDS,
    N_TAGS,
    NOW,
    OK,
    ON_HAND,
    OPEN,
    OVERFLOW,
    PARTIAL,
    PICKED,
    POINT_NODE,
    POINT_SKU,
    POINTS_OF_SKU,
    RELEASE,
    RETURNED,
    SHIP,
    SHORT,
    STATUS,
    TOGETHER,
    TOO_MANY,
    UNKNOWN_HOLD,
    WITH_BACKORDER,
    WRONG_STATUS,
)
from omnistock.availability.limits import use_limits
from omnistock.availability.promise import (
    LINE_LIFE,
    LINE_LOT,
    LINE_NODE,
    LINE_WORDS,
    N_COMPONENTS,
    QUANTITY,
    first_point,
    free_units,
    headroom,
    line_available,
    next_line,
    serves,
    units_of_node,
)
from omnistock.availability.stock import lowest_before, promise
from omnistock.numerics.compiled import inner_kernel, lean_kernel


@inner_kernel
def draw_lines(state, draft, results, cursor, words, start, n_lines, asker, flags):
    """Draw an order line by line; short lines are answered.

    Lines that name a lot or a remaining life go first, then those that name a node: the
    others may take from any. Returns (draft length, short lines, units beyond stock).
    """
    n_draft = np.int64(0)
    n_short = 0
    beyond = np.int64(0)
    at = start
    together = (flags & TOGETHER) != 0
    for step in range(3 * n_lines):
        line = step % n_lines
        if line == 0:
            at = start
        rank = 2 if words[at + LINE_NODE] < 0 else 1
        if words[at + LINE_LOT] >= 0 or words[at + LINE_LIFE] > 0:
            rank = 0
        if rank == step // n_lines:
            quantity = words[at + QUANTITY]
            most = line_available(state, words, at, asker, together)
            forced = np.int64(-1)
            if most < quantity and (flags & WITH_BACKORDER) != 0:
                forced, more = draw_beyond(
                    state, draft, n_draft, words, at, line, quantity, flags, asker
                )
                if forced >= 0:
                    n_draft = forced
                    beyond += more
            if most < quantity and forced < 0:
                n_short += 1
                answer(results, cursor, line)
                answer(results, cursor, most)
                answer(results, cursor, what_binds(state, words, at, asker))
                # Drawn even if the order is refused: the lines to come must not see it as free.
                quantity = most
            if quantity > 0 and forced < 0:
                drawn = draw_line(
                    state, draft, n_draft, words, at, line, quantity, flags, asker, together
                )
                if drawn >= 0:
                    n_draft = drawn
                elif most >= words[at + QUANTITY]:
                    # Unlimited supply, and no node that is on to promise it at.
                    n_short += 1
                    answer(results, cursor, line)
                    answer(results, cursor, 0)
                    answer(results, cursor, BY_NODE)
        at = next_line(words, at)
    return n_draft, n_short, beyond


@inner_kernel
def write_hold(state, events, cursor, draft, n_draft, order, asker, ttl, flags, parent):
    """Write the hold of a draft, whose units are drawn already.

    Limits count it as they count its ``parent``, -1 if it has none.
    """
    hold = state.stock[N_HOLDS]
    expires = state.stock[NOW] + ttl if ttl > 0 else 0
    at = begin(events, cursor, E_HOLD, HOLD_HEAD_WORDS + HOLD_LINE_WORDS * n_draft)
    events[at + 2] = hold
    events[at + 3] = order
    events[at + 4] = asker
    events[at + 5] = HELD if ttl > 0 else CONFIRMED
    events[at + 6] = high_word(expires)
    events[at + 7] = low_word(expires)
    events[at + 8] = flags
    events[at + 9] = hold if parent < 0 else parent
    for k in range(n_draft):
        for field in range(HOLD_LINE_WORDS):
            word = at + HOLD_HEAD_WORDS + HOLD_LINE_WORDS * k + field
            events[word] = draft[k, field]
    return hold


@lean_kernel
def lend(state, hold, sign):
    """Count what a live hold has open as free (``sign`` -1), or take it again (1)."""
    h = hold_row(state, hold)
    status = state.book[h + STATUS]
    if status not in (HELD, CONFIRMED, PICKED):
        return
    first = state.book[h + FIRST_LINE]
    for q in range(first, first + state.book[h + LINES_OF_HOLD]):
        line = line_row(state, q)
        units = state.book[line + OPEN]
        if units > 0:
            s = state.book[line + LINE_POINT]
            bucket = state.book[line + LINE_BUCKET]
            promise(state, s, bucket, sign * units)
            counted = state.book[h + COUNTS_AS]
            use_limits(state, s, state.book[h + HOLD_ASKER], counted, bucket, sign * units)


@inner_kernel
def release_replaced(state, events, cursor, hold):
    """Write the release of all that a replaced hold has open."""
    h = hold_row(state, hold)
    if state.book[h + STATUS] not in (HELD, CONFIRMED, PICKED):
        return
    first = state.book[h + FIRST_LINE]
    for q in range(first, first + state.book[h + LINES_OF_HOLD]):
        units = state.book[line_row(state, q) + OPEN]
        if units > 0:
            happened(events, cursor, E_RELEASE, q, units, 0)


@inner_kernel
def reserve(state, events, results, cursor, draft, words, at):
    """Hold an order's lines: all, or with PARTIAL as much as there is, or none.

    Holds that the command replaces count as free while it is decided.

    Answer: outcome, hold or -1, units beyond stock, n short lines, then line,
    available, binding of each; a dry run adds the draft.
    """
    order = words[at]
    asker = words[at + 1]
    ttl = words[at + 2]
    flags = words[at + 3]
    n_replaced = words[at + 4]
    replaced = at + 5
    at = replaced + n_replaced
    n_lines = words[at]
    first = cursor[RESULT_WORDS]
    answer(results, cursor, OK)
    answer(results, cursor, -1)
    answer(results, cursor, 0)
    answer(results, cursor, 0)
    for k in range(n_replaced):
        lend(state, words[replaced + k], -1)
    # The limits count a hold from its number on: drawing poses as the newest.
    n_draft = draw_whole_order(state, draft, words, at + 1, n_lines, flags, asker)
    if n_draft < 0:
        n_draft, n_short, beyond = draw_lines(
            state, draft, results, cursor, words, at + 1, n_lines, asker, flags
        )
        results[first + 2] = beyond
        results[first + 3] = n_short
        if n_short > 0 and ((flags & PARTIAL) == 0 or n_draft == 0):
            undo(state, draft, n_draft, 0, asker)
            for k in range(n_replaced):
                lend(state, words[replaced + k], 1)
            results[first] = SHORT
            return
    if (flags & DRY_RUN) != 0:
        for k in range(n_draft):
            for field in range(DRAFT_FIELDS):
                answer(results, cursor, draft[k, field])
        undo(state, draft, n_draft, 0, asker)
        for k in range(n_replaced):
            lend(state, words[replaced + k], 1)
        return
    for k in range(n_replaced):
        lend(state, words[replaced + k], 1)
        release_replaced(state, events, cursor, words[replaced + k])
    results[first + 1] = write_hold(
        state, events, cursor, draft, n_draft, order, asker, ttl, flags & (LATE | AT_NODE), -1
    )


@inner_kernel
def draft_needed(state, words, at, n_lines):
    """Most draft rows that so many lines from word ``at`` on can come to."""
    total = np.int64(0)
    for _ in range(n_lines):
        if words[at + LINE_NODE] >= 0:
            total += words[at + N_COMPONENTS] * (2 + state.stock[N_TAGS])
        else:
            for k in range(words[at + N_COMPONENTS]):
                row = sku_row(state, words[at + LINE_WORDS + 2 * k])
                total += 2 + max(0, state.stock[row + POINTS_OF_SKU])
        at = next_line(words, at)
    return total


@inner_kernel
def hold_is(state, results, cursor, hold, first_status, second_status, third_status):
    """True if the hold exists in one of three statuses; else the refusal is answered."""
    if hold < 0 or hold >= state.stock[N_HOLDS]:
        answer(results, cursor, UNKNOWN_HOLD)
        return False
    status = state.book[hold_row(state, hold) + STATUS]
    if status != first_status and status != second_status and status != third_status:
        answer(results, cursor, WRONG_STATUS)
        answer(results, cursor, status)
        return False
    return True


@inner_kernel
def confirm(state, events, results, cursor, words, at):
    """Make a soft hold hard; one that has expired must find its units again.

    The hold's number is followed by a line for each of its own, which says when it is due.

    Answer: outcome, then for a shortage n, line, available, binding.
    """
    hold = words[at]
    if not hold_is(state, results, cursor, hold, HELD, EXPIRED, CONFIRMED):
        return
    status = state.book[hold_row(state, hold) + STATUS]
    if status == CONFIRMED:
        answer(results, cursor, OK)
        return
    if status == EXPIRED and not still_there(state, results, cursor, hold, words, at + 1):
        return
    happened(events, cursor, E_STATUS, hold, CONFIRMED, 0)
    answer(results, cursor, OK)


@inner_kernel
def pick(state, events, results, cursor, hold):
    """Release a hard hold to the floor. Answer: outcome."""
    if not hold_is(state, results, cursor, hold, CONFIRMED, PICKED, CONFIRMED):
        return
    if state.book[hold_row(state, hold) + STATUS] == CONFIRMED:
        happened(events, cursor, E_STATUS, hold, PICKED, 0)
    answer(results, cursor, OK)


@inner_kernel
def still_there(state, results, cursor, hold, words, at):
    """True if an expired hold's units are all free once more; else the shortage is answered.

    The hold takes its units where it had them, compartment for compartment. Each line is
    looked at with those before it taken; all are given back in the end.
    """
    h = hold_row(state, hold)
    asker = state.book[h + HOLD_ASKER]
    first = state.book[h + FIRST_LINE]
    last = first + state.book[h + LINES_OF_HOLD]
    current = state.stock[BUCKET]
    short_at = np.int64(-1)
    least = np.int64(0)
    for q in range(first, last):
        line = line_row(state, q)
        units = state.book[line + OPEN]
        if short_at < 0 and units > 0:
            s = state.book[line + LINE_POINT]
            ahead = max(0, state.book[line + LINE_BUCKET] - current)
            least = units_at(state, s, ahead, asker, words, at + (q - first) * LINE_WORDS)
            if least < units:
                short_at = np.int64(q)
            else:
                lend_line(state, q, asker, 1)
    taken = last if short_at < 0 else short_at
    for q in range(first, taken):
        if state.book[line_row(state, q) + OPEN] > 0:
            lend_line(state, q, asker, -1)
    if short_at < 0:
        return True
    answer(results, cursor, SHORT)
    answer(results, cursor, 1)
    answer(results, cursor, short_at - first)
    answer(results, cursor, least)
    answer(results, cursor, 1)
    return False


@inner_kernel
def units_at(state, s, ahead, asker, words, at):
    """Units that the asker may be promised at one stockpoint, by stock and by limits."""
    if not serves(state, s, asker, words, at):
        return np.int64(0)
    p = point(state, s)
    sku = state.stock[p + POINT_SKU]
    start = first_point(state, sku, state.stock[p + POINT_NODE])
    units = units_of_node(state, start, ahead, asker, False, words, at)
    units = min(units, free_units(state, s, ahead, asker))
    return min(units, headroom(state, sku, asker, ahead, words, at))


@inner_kernel
def lend_line(state, q, asker, sign):
    """Take (``sign`` 1) or give back a line's open units, as the newest hold would."""
    line = line_row(state, q)
    s = state.book[line + LINE_POINT]
    bucket = state.book[line + LINE_BUCKET]
    units = sign * state.book[line + OPEN]
    promise(state, s, bucket, units)
    use_limits(state, s, asker, NEWEST, bucket, units)


@inner_kernel
def most_of_line(state, q, kind):
    """Units of a hold line that may be released (all open) or shipped (on hand, unpromised)."""
    line = line_row(state, q)
    units = state.book[line + OPEN]
    if kind == RELEASE:
        return units
    s = state.book[line + LINE_POINT]
    units = min(units, max(0, state.stock[point(state, s) + ON_HAND]))
    bucket = state.book[line + LINE_BUCKET]
    if bucket > state.stock[BUCKET]:
        units = min(units, max(0, lowest_before(state, s, bucket)))
    return units


@inner_kernel
def named_units(words, at, line):
    """Units that a command names for a line, summed over repetitions."""
    total = np.int64(0)
    for k in range(words[at + 1]):
        if words[at + 2 + 2 * k] == line:
            total += words[at + 3 + 2 * k]
    return total


@inner_kernel
def unship(state, events, cursor, begun, status):
    """Undo the shipments tried since word ``begun``; their events stay."""
    at = cursor[EVENT_WORDS]
    while at > begun:
        at -= 5
        q = np.int64(events[at + 2])
        h = hold_row(state, state.book[line_row(state, q) + LINE_HOLD])
        state.book[h + STATUS] = status
        ship_line(state, q, -np.int64(events[at + 3]))
        state.book[h + STATUS] = status


@inner_kernel
def release_or_ship(state, events, results, cursor, words, at, kind):
    """Release or ship lines of a hold, wholly or in part; all that was named, or nothing.

    Shipments are tried one after another, since lines may share stock, and undone:
    they happen when the command's events are folded.

    Answer: outcome, units released or shipped; or TOO_MANY, line, most.
    """
    hold = words[at]
    n_named = words[at + 1]
    soft = HELD if kind == RELEASE else CONFIRMED
    if not hold_is(state, results, cursor, hold, CONFIRMED, PICKED, soft):
        return
    h = hold_row(state, hold)
    first = state.book[h + FIRST_LINE]
    n_lines = state.book[h + LINES_OF_HOLD]
    status = state.book[h + STATUS]
    total = np.int64(0)
    failed = False
    begun = cursor[EVENT_WORDS]
    for k in range(n_lines if n_named == 0 else n_named):
        line = k if n_named == 0 else words[at + 2 + 2 * k]
        known = 0 <= line < n_lines
        most = most_of_line(state, first + line, kind) if known else np.int64(0)
        units = state.book[line_row(state, first + line) + OPEN] if known else np.int64(0)
        if n_named > 0:
            units = words[at + 3 + 2 * k]
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
        unship(state, events, cursor, begun, status)
    if failed:
        cursor[EVENT_WORDS] = begun
        return
    answer(results, cursor, OK)
    answer(results, cursor, total)


@inner_kernel
def take_back(state, events, results, cursor, words, at):
    """Take shipped units back into stock. Answer: outcome; or TOO_MANY, line, most."""
    hold = words[at]
    line = words[at + 1]
    units = words[at + 2]
    if hold < 0 or hold >= state.stock[N_HOLDS]:
        answer(results, cursor, UNKNOWN_HOLD)
        return
    h = hold_row(state, hold)
    q = state.book[h + FIRST_LINE] + line
    most = np.int64(0)
    if 0 <= line < state.book[h + LINES_OF_HOLD]:
        row = line_row(state, q)
        most = state.book[row + LINE_SHIPPED] - state.book[row + RETURNED]
    if units > most:
        answer(results, cursor, TOO_MANY)
        answer(results, cursor, line)
        answer(results, cursor, most)
        return
    if state.stock[point(state, words[at + 3]) + ON_HAND] + units > MOST_UNITS:
        answer(results, cursor, OVERFLOW)
        return
    happened(events, cursor, E_RETURN, q, units, words[at + 3])
    answer(results, cursor, OK)
