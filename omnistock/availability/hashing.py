"""Open-addressing tables in sections: (SKU, node, tag) -> stockpoint, request id -> request.

A table's number of rows is a power of two, at most half of them used; a row of zeros is free.
Under tag -1 stands the first stockpoint of a SKU at a node, whatever its tag. The table of
request ids grows beside the running work: each new id moves some old ones into the wider table,
and until all are there both tables are looked through.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.layout import (
    AT_PLACES,
    AT_REQUESTS,
    AT_SLOTS,
    ID_HIGH,
    ID_LOW,
    MOVED,
    N_REQUESTS,
    OLD_SLOTS,
    OLD_SLOTS_AT,
    PLACE_FIELDS,
    REQUEST_FIELDS,
    ROOM_PLACES,
    ROOM_SLOTS,
)
from omnistock.numerics.compiled import hot_kernel, inner_kernel, lean_kernel
from omnistock.numerics.prefetch import prefetch

# Products of these with SKUs, nodes and tags below 2**30 stay below 2**63.
_SKU_SPREAD = 2654435761
_NODE_SPREAD = 1640531527
_TAG_SPREAD = 40503
_POSITIVE = 0x7FFFFFFFFFFFFFFF
_MULTIPLIER = 0x2545F4914F6CDD1D
# The wider table has four times as many slots: it is far from full when the last entry moves.
MOVED_AT_ONCE = 4
# An entry's new place is fetched so many slots before its turn.
_LOOKED_AHEAD = 64


@inner_kernel
def point_key(sku, node):
    """Key of a (SKU, node) pair: positive, and unlike for unlike pairs."""
    return ((sku + 1) << 31) | (node + 1)


@hot_kernel
def find_place(table, at, size, key, tag):
    """Word of the row of a key and tag, or of the free row where it belongs."""
    spread = (key >> 31) * _SKU_SPREAD + (key & 0x7FFFFFFF) * _NODE_SPREAD + tag * _TAG_SPREAD
    slot = (spread ^ (spread >> 21)) & (size - 1)
    place = at + slot * PLACE_FIELDS
    while table[place] != 0 and (table[place] != key or table[place + 1] != tag):
        slot = (slot + 1) & (size - 1)
        place = at + slot * PLACE_FIELDS
    return place


@inner_kernel
def find_point(state, sku, node, tag):
    """Stockpoint of a SKU at a node in a compartment (tag -1: the first of any), or -1."""
    stock = state.stock
    place = find_place(stock, stock[AT_PLACES], stock[ROOM_PLACES], point_key(sku, node), tag)
    if stock[place] == 0:
        return np.int64(-1)
    return stock[place + 2]


@inner_kernel
def put_point(state, sku, node, tag, s):
    """Enter a stockpoint, or replace it."""
    stock = state.stock
    key = point_key(sku, node)
    place = find_place(stock, stock[AT_PLACES], stock[ROOM_PLACES], key, tag)
    stock[place] = key
    stock[place + 1] = tag
    stock[place + 2] = s


@hot_kernel
def mixed(digest, word):
    """Mix a word into a digest by the multiplier of xorshift64* (Vigna, 2016)."""
    digest = ((int(digest) ^ int(word)) * _MULTIPLIER) & _POSITIVE
    return digest ^ (digest >> 29)


@hot_kernel
def tag_of(high, low):
    """31 bits of a request id, on which all of its bits tell."""
    return mixed(mixed(0, high), low) >> 32


@inner_kernel
def slot_of(ids, book, requests, at, size, tag, high, low):
    """Word of ids with the slot of a request id, or with the free slot where it belongs.

    A slot is tag << 32 and the request's row plus 1: other ids seldom need more than this.
    ``requests`` is where the rows begin in book.
    """
    slot = tag & (size - 1)
    while ids[at + slot] != 0:
        if ids[at + slot] >> 32 == tag:
            number = (ids[at + slot] & 0xFFFFFFFF) - 1
            row = requests + number * REQUEST_FIELDS
            if book[row + ID_HIGH] == high and book[row + ID_LOW] == low:
                return at + slot
        slot = (slot + 1) & (size - 1)
    return at + slot


@lean_kernel
def find_request(state, high, low):
    """Word of a request id's row in book, or -1."""
    stock = state.stock
    ids = state.ids
    tag = tag_of(high, low)
    first = stock[AT_REQUESTS]
    at = slot_of(ids, state.book, first, stock[AT_SLOTS], stock[ROOM_SLOTS], tag, high, low)
    if ids[at] == 0 and stock[OLD_SLOTS] != 0:
        old = stock[OLD_SLOTS_AT]
        at = slot_of(ids, state.book, first, old, stock[OLD_SLOTS], tag, high, low)
    if ids[at] == 0:
        return np.int64(-1)
    return first + ((ids[at] & 0xFFFFFFFF) - 1) * REQUEST_FIELDS


@inner_kernel
def put_slot(ids, at, size, entry):
    """Enter a slot that the table lacks."""
    slot = (entry >> 32) & (size - 1)
    while ids[at + slot] != 0:
        slot = (slot + 1) & (size - 1)
    ids[at + slot] = entry


@lean_kernel
def move_slots(state, count):
    """Move entries out of ``count`` more slots of the old table, if there is one."""
    stock = state.stock
    ids = state.ids
    first = stock[MOVED]
    old = stock[OLD_SLOTS_AT]
    last = min(first + count, stock[OLD_SLOTS])
    for slot in range(first, last):
        coming = ids[old + min(slot + _LOOKED_AHEAD, stock[OLD_SLOTS] - 1)]
        prefetch(ids, stock[AT_SLOTS] + ((coming >> 32) & (stock[ROOM_SLOTS] - 1)))
        entry = ids[old + slot]
        if entry != 0:
            put_slot(ids, stock[AT_SLOTS], stock[ROOM_SLOTS], entry)
    stock[MOVED] = last
    if last == stock[OLD_SLOTS]:
        stock[OLD_SLOTS] = 0


@hot_kernel
def next_request(stock, book, high, low):
    """Begin the next row of requests; returns its word in book."""
    row = stock[AT_REQUESTS] + stock[N_REQUESTS] * REQUEST_FIELDS
    stock[N_REQUESTS] += 1
    book[row + ID_HIGH] = high
    book[row + ID_LOW] = low
    return row


@inner_kernel
def enter_request(state, high, low):
    """Give a request id that is new the next row; returns its word in book."""
    stock = state.stock
    entry = (tag_of(high, low) << 32) | (stock[N_REQUESTS] + 1)
    put_slot(state.ids, stock[AT_SLOTS], stock[ROOM_SLOTS], entry)
    if stock[OLD_SLOTS] != 0:
        move_slots(state, MOVED_AT_ONCE)
    return next_request(stock, state.book, high, low)


@lean_kernel
def rehash_places_into(wider, at, size, table, old_at, old_size):
    """Enter every stockpoint of a table into an empty, wider one."""
    for slot in range(old_size):
        old = old_at + slot * PLACE_FIELDS
        if table[old] != 0:
            place = find_place(wider, at, size, table[old], table[old + 1])
            for field in range(PLACE_FIELDS):
                wider[place + field] = table[old + field]


@inner_kernel
def high_word(value):
    """Upper half of a 64-bit number, as a signed 32-bit one."""
    return value >> 32


@inner_kernel
def low_word(value):
    """Lower half of a 64-bit number, as a signed 32-bit one."""
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


@inner_kernel
def joined(high, low):
    """The 64-bit number of two signed 32-bit halves."""
    return (np.int64(high) << 32) | (np.int64(low) & 0xFFFFFFFF)
