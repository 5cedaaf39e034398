"""The short way of a reservation: plain stockpoints, due now, all lines at their nodes or at one.

It decides what :mod:`omnistock.availability.holds` decides, from fewer cells; whatever
is not plain, or cannot be had in this way, it leaves to the long way untouched.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.flat import note_free
from omnistock.availability.hashing import find_place, point_key
from omnistock.availability.layout import (
    ASKER_FIELDS,
    ASKER_OWNERS,
    ASKER_SET,
    AT_ASKERS,
    AT_NODES,
    AT_PLACES,
    AT_POINTS,
    AT_SETS,
    AT_SKUS,
    BASE,
    BUCKET,
    BUFFER,
    FIRST_POINT,
    FLAGS,
    MINIMA,
    NEXT_POINT,
    NODE_ACTIVE,
    NODE_FIELDS,
    POINT_FIELDS,
    POINT_NODE,
    ROOM_NODES,
    ROOM_PLACES,
    SKU_FIELDS,
)
from omnistock.availability.promise import (
    LINE_DUE_BUCKET,
    LINE_LOT,
    LINE_NODE,
    LINE_WORDS,
    N_COMPONENTS,
    QUANTITY,
)
from omnistock.numerics.compiled import hot_kernel, inner_kernel

NOT_PLAIN = -2
LACKING = -1
# A plain line has one component, itself.
PLAIN_LINE = LINE_WORDS + 2


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


@inner_kernel
def draw_at(records, stock, draft, words, lines, n_lines, asker, candidate):
    """Take every line at its own node or else at ``candidate``.

    Returns the number of draft rows; LACKING if a line has not enough there, or
    NOT_PLAIN, with nothing taken.
    """
    at = lines
    outcome = np.int64(n_lines)
    k = 0
    while k < n_lines:
        sku = words[at]
        node = words[at + LINE_NODE] if words[at + LINE_NODE] >= 0 else candidate
        place = find_place(
            stock, stock[AT_PLACES], stock[ROOM_PLACES], point_key(sku, node), np.int64(-1)
        )
        if stock[place] == 0:
            outcome = np.int64(LACKING)
            break
        s = stock[place + 2]
        units = words[at + QUANTITY]
        if records[s, FLAGS] != 0:
            outcome = np.int64(NOT_PLAIN)
            break
        free = np.int64(records[s, BASE]) + np.int64(records[s, MINIMA])
        if free - np.int64(records[s, BUFFER]) < units or not node_serves(stock, node, asker):
            outcome = np.int64(LACKING)
            break
        records[s, BASE] -= units
        note_free(records, stock, s)
        draft[k, 0] = s
        bucket = words[at + LINE_DUE_BUCKET]
        draft[k, 1] = bucket if bucket > 0 else stock[BUCKET]
        draft[k, 2] = units
        draft[k, 3] = k
        draft[k, 4] = sku
        draft[k, 5] = 1
        k += 1
        at += PLAIN_LINE
    if outcome < 0:
        for row in range(k):
            records[draft[row, 0], BASE] += draft[row, 2]
            note_free(records, stock, draft[row, 0])
    return outcome


@inner_kernel
def plain_lines(stock, words, lines, n_lines):
    """Word of the first line without a node, or ``lines`` if all have one; -1 if not plain."""
    at = lines
    free_line = np.int64(-1)
    current = stock[BUCKET]
    for _ in range(n_lines):
        if (
            words[at + N_COMPONENTS] != 1
            or words[at] != words[at + LINE_WORDS]
            or words[at + LINE_LOT] >= 0
            or words[at + LINE_DUE_BUCKET] > current
        ):
            return np.int64(-1)
        if free_line < 0 and words[at + LINE_NODE] < 0:
            free_line = np.int64(at)
        at += PLAIN_LINE
    return free_line if free_line >= 0 else np.int64(lines)


@inner_kernel
def draw_swiftly(state, draft, words, lines, n_lines, asker):
    """Draw an order that is plain from its nodes, or from the first node that has all of it.

    Returns the number of draft rows, or a negative number with nothing drawn.
    """
    records = state.records
    stock = state.stock
    line = plain_lines(stock, words, lines, n_lines)
    if line < 0 or n_lines > draft.shape[0]:
        return np.int64(NOT_PLAIN)
    if words[line + LINE_NODE] >= 0:
        return draw_at(records, stock, draft, words, lines, n_lines, asker, np.int64(-1))
    units = words[line + QUANTITY]
    s = stock[stock[AT_SKUS] + words[line] * SKU_FIELDS + FIRST_POINT]
    while s >= 0:
        p = stock[AT_POINTS] + s * POINT_FIELDS
        if records[s, FLAGS] != 0:
            return np.int64(NOT_PLAIN)
        free = np.int64(records[s, BASE]) + np.int64(records[s, MINIMA])
        if free - np.int64(records[s, BUFFER]) >= units:
            drawn = draw_at(
                records, stock, draft, words, lines, n_lines, asker, stock[p + POINT_NODE]
            )
            if drawn != LACKING:
                return drawn
        s = stock[p + NEXT_POINT]
    return np.int64(LACKING)
