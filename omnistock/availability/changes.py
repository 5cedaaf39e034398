"""Decisions that give a hold other lines: update, split, move to another node."""

from __future__ import annotations

import numpy as np

from omnistock.availability.answers import RESULT_WORDS, answer, begin, happened
from omnistock.availability.capacity import use_capacity
from omnistock.availability.cells import hold_row, line_row, point
from omnistock.availability.draw import draw_line_at, undo
from omnistock.availability.holds import (
    draw_lines,
    hold_is,
    named_units,
    units_at,
    write_hold,
)
from omnistock.availability.layout import (
    BUCKET,
    BY_STOCK,
    CONFIRMED,
    COUNTS_AS,
    E_LINES,
    E_SHIP,
    EXPIRES,
    FIRST_LINE,
    HELD,
    HOLD_ASKER,
    HOLD_FLAGS,
    LINE_BUCKET,
    LINE_PER,
    LINE_POINT,
    LINE_SKU,
    LINES_HEAD_WORDS,
    LINES_LINE_WORDS,
    LINES_OF_HOLD,
    N_LINES,
    NOT_ON_HAND,
    NOW,
    OK,
    ON_HAND,
    OPEN,
    PICKED,
    POINT_NODE,
    REQUEST_LINE,
    SHORT,
    TOO_MANY,
)
from omnistock.availability.limits import at_least_zero, use_limits
from omnistock.availability.promise import LINE_NODE, LINE_WORDS, QUANTITY, next_line
from omnistock.availability.stock import promise, unpromised
from omnistock.numerics.compiled import inner_kernel

# A stockpoint and a line.
TARGET_WORDS = 1 + LINE_WORDS


@inner_kernel
def write_lines(state, events, cursor, hold, words, at, draft, n_draft):
    """Write the hold's lines anew: less the decreases at word ``at``, and with the draft's rows."""
    h = hold_row(state, hold)
    first = state.book[h + FIRST_LINE]
    n_lines = state.book[h + LINES_OF_HOLD]
    size = LINES_HEAD_WORDS + LINES_LINE_WORDS * (n_lines + n_draft)
    word = begin(events, cursor, E_LINES, size)
    events[word + 2] = hold
    word += LINES_HEAD_WORDS
    for k in range(n_lines):
        line = line_row(state, first + k)
        for field in range(LINES_LINE_WORDS):
            events[word + field] = state.book[line + field]
        events[word + OPEN] -= named_units(words, at, k)
        word += LINES_LINE_WORDS
    for k in range(n_draft):
        events[word + LINE_POINT] = draft[k, 0]
        events[word + LINE_BUCKET] = draft[k, 1]
        events[word + OPEN] = draft[k, 2]
        events[word + OPEN + 1] = 0
        events[word + OPEN + 2] = 0
        events[word + REQUEST_LINE] = draft[k, 3]
        events[word + LINE_SKU] = draft[k, 4]
        events[word + LINE_PER] = draft[k, 5]
        word += LINES_LINE_WORDS


@inner_kernel
def decreases_fit(state, results, cursor, hold, words, at):
    """True if every line named at word ``at + 1`` has so many open units; else it is answered."""
    h = hold_row(state, hold)
    for k in range(words[at + 1]):
        line = words[at + 2 + 2 * k]
        most = np.int64(0)
        if 0 <= line < state.book[h + LINES_OF_HOLD]:
            most = state.book[line_row(state, state.book[h + FIRST_LINE] + line) + OPEN]
        if named_units(words, at, line) > most:
            answer(results, cursor, TOO_MANY)
            answer(results, cursor, line)
            answer(results, cursor, most)
            return False
    return True


@inner_kernel
def draw_beside(state, draft, hold, words, at, n_lines, asker):
    """Draw more lines where the hold has lines of the same SKU already; -1 if they do not fit."""
    h = hold_row(state, hold)
    first = state.book[h + FIRST_LINE]
    n_draft = np.int64(0)
    for line in range(n_lines):
        drawn = np.int64(-1)
        if words[at + LINE_NODE] >= 0:
            node = np.int64(words[at + LINE_NODE])
            drawn = draw_line_at(
                state, draft, n_draft, words, at, line, node, words[at + QUANTITY], 0, asker
            )
        else:
            for q in range(first, first + state.book[h + LINES_OF_HOLD]):
                row = line_row(state, q)
                if drawn < 0 and state.book[row + LINE_SKU] == words[at]:
                    node = state.stock[point(state, state.book[row + LINE_POINT]) + POINT_NODE]
                    drawn = draw_line_at(
                        state, draft, n_draft, words, at, line, node, words[at + QUANTITY], 0, asker
                    )
        if drawn < 0:
            undo(state, draft, n_draft, 0, asker)
            return np.int64(-1)
        n_draft = drawn
        at = next_line(words, at)
    return n_draft


@inner_kernel
def update(state, events, results, cursor, draft, words, at):
    """Give a hold more or fewer units; only what is more is looked for, all of it or nothing.

    Answer: as for reserve; or TOO_MANY, line, most for a decrease.
    """
    hold = words[at]
    if not hold_is(state, results, cursor, hold, HELD, CONFIRMED, PICKED):
        return
    if not decreases_fit(state, results, cursor, hold, words, at):
        return
    asker = state.book[hold_row(state, hold) + HOLD_ASKER]
    more = at + 2 + 2 * words[at + 1]
    n_lines = words[more]
    first = cursor[RESULT_WORDS]
    answer(results, cursor, OK)
    answer(results, cursor, hold)
    answer(results, cursor, 0)
    answer(results, cursor, 0)
    n_draft = draw_beside(state, draft, hold, words, more + 1, n_lines, asker)
    if n_draft < 0:
        n_draft, n_short, _ = draw_lines(
            state, draft, results, cursor, words, more + 1, n_lines, asker, 0
        )
        results[first + 3] = n_short
        if n_short > 0:
            undo(state, draft, n_draft, 0, asker)
            results[first] = SHORT
            return
    # Folding the lines takes them; drawing has only shown that they are there.
    undo(state, draft, n_draft, 0, asker)
    write_lines(state, events, cursor, hold, words, at, draft, n_draft)


@inner_kernel
def split(state, events, results, cursor, draft, words, at):
    """Move units of a hold into a new hold of the same standing. Answer: outcome, new hold."""
    hold = words[at]
    if not hold_is(state, results, cursor, hold, HELD, CONFIRMED, CONFIRMED):
        return
    if not decreases_fit(state, results, cursor, hold, words, at + 1):
        return
    h = hold_row(state, hold)
    asker = state.book[h + HOLD_ASKER]
    for k in range(words[at + 2]):
        line = line_row(state, state.book[h + FIRST_LINE] + words[at + 3 + 2 * k])
        units = words[at + 4 + 2 * k]
        s = state.book[line + LINE_POINT]
        bucket = state.book[line + LINE_BUCKET]
        draft[k, 0] = s
        draft[k, 1] = bucket
        draft[k, 2] = units
        draft[k, 3] = state.book[line + REQUEST_LINE]
        draft[k, 4] = state.book[line + LINE_SKU]
        draft[k, 5] = state.book[line + LINE_PER]
        promise(state, s, bucket, units)
        use_limits(state, s, asker, state.book[h + COUNTS_AS], bucket, units)
    expires = state.book[h + EXPIRES]
    ttl = expires - state.stock[NOW] if expires > 0 else 0
    write_lines(state, events, cursor, hold, words, at + 1, draft, 0)
    new = write_hold(
        state, events, cursor, draft, words[at + 2], words[at + 1], asker, ttl,
        state.book[h + HOLD_FLAGS],
        state.book[h + COUNTS_AS],
    )  # fmt: skip
    answer(results, cursor, OK)
    answer(results, cursor, new)


@inner_kernel
def lend_named(state, hold, words, at, sign):
    """Count the units named at word ``at + 1`` as free (``sign`` -1), or take them again (1)."""
    h = hold_row(state, hold)
    for k in range(words[at + 1]):
        line = line_row(state, state.book[h + FIRST_LINE] + words[at + 2 + 2 * k])
        s = state.book[line + LINE_POINT]
        bucket = state.book[line + LINE_BUCKET]
        units = sign * words[at + 3 + 2 * k]
        promise(state, s, bucket, units)
        use_limits(state, s, state.book[h + HOLD_ASKER], state.book[h + COUNTS_AS], bucket, units)


@inner_kernel
def most_at_target(state, target, bucket, asker, ship, words, at):
    """Units that may be moved to a stockpoint: to ship, on hand and promised to nobody there."""
    if ship:
        most = min(state.stock[point(state, target) + ON_HAND], unpromised(state, target))
        return at_least_zero(most)
    ahead = at_least_zero(bucket - state.stock[BUCKET])
    return units_at(state, target, ahead, asker, words, at)


@inner_kernel
def relocate(state, events, results, cursor, draft, words, at):
    """Move units of a hold's lines to other stockpoints, and ship them from there if asked.

    To ship, the units must be on hand there and promised to nobody; to promise, they must
    be free for the asker, whose limits they use already. All lines, or none.

    Answer: outcome; or TOO_MANY, line, most; NOT_ON_HAND, most; SHORT, n, line, most, binding.
    """
    hold = words[at]
    n_moves = words[at + 1]
    targets = at + 3 + 2 * n_moves
    ship = words[targets - 1] != 0
    if not hold_is(state, results, cursor, hold, CONFIRMED, PICKED, CONFIRMED if ship else HELD):
        return
    if not decreases_fit(state, results, cursor, hold, words, at):
        return
    h = hold_row(state, hold)
    asker = state.book[h + HOLD_ASKER]
    lend_named(state, hold, words, at, -1)
    moved = np.int64(0)
    most = np.int64(0)
    while moved < n_moves:
        line = line_row(state, state.book[h + FIRST_LINE] + words[at + 2 + 2 * moved])
        units = words[at + 3 + 2 * moved]
        target = words[targets + moved * TARGET_WORDS]
        bucket = state.book[line + LINE_BUCKET]
        most = most_at_target(
            state, target, bucket, asker, ship, words, targets + moved * TARGET_WORDS + 1
        )
        if ship:
            for k in range(moved):
                most -= draft[k, 2] if draft[k, 0] == target else 0
        if most < units:
            break
        draft[moved, 0] = target
        draft[moved, 1] = min(bucket, state.stock[BUCKET]) if ship else bucket
        draft[moved, 2] = units
        draft[moved, 3] = state.book[line + REQUEST_LINE]
        draft[moved, 4] = state.book[line + LINE_SKU]
        draft[moved, 5] = state.book[line + LINE_PER]
        if not ship:
            promise(state, target, draft[moved, 1], units)
            use_capacity(state, target, draft[moved, 1], units)
        moved += 1
    for k in range(0 if ship else moved):
        promise(state, draft[k, 0], draft[k, 1], -draft[k, 2])
        use_capacity(state, draft[k, 0], draft[k, 1], -draft[k, 2])
    lend_named(state, hold, words, at, 1)
    if moved < n_moves and ship:
        answer(results, cursor, NOT_ON_HAND)
        answer(results, cursor, most)
        return
    if moved < n_moves:
        answer(results, cursor, SHORT)
        answer(results, cursor, 1)
        answer(results, cursor, words[at + 2 + 2 * moved])
        answer(results, cursor, most)
        answer(results, cursor, BY_STOCK)
        return
    write_lines(state, events, cursor, hold, words, at, draft, n_moves)
    if ship:
        new = state.stock[N_LINES] + state.book[h + LINES_OF_HOLD]
        for k in range(n_moves):
            happened(events, cursor, E_SHIP, new + k, draft[k, 2], 0)
    answer(results, cursor, OK)
