"""Open-addressing tables in sections: (SKU, node, tag) -> stockpoint, request id -> answer.

A table's number of rows is a power of two, at most half of them used; a row of zeros is free.
Under tag -1 stands the first stockpoint of a SKU at a node, whatever its tag.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.layout import (
    AT_PLACES,
    AT_REQUESTS,
    PLACE_FIELDS,
    REQUEST_FIELDS,
    ROOM_PLACES,
    ROOM_REQUESTS,
)
from omnistock.numerics.compiled import hot_kernel, inner_kernel, lean_kernel

# Products of these with SKUs, nodes and tags below 2**30 stay below 2**63.
_SKU_SPREAD = 2654435761
_NODE_SPREAD = 1640531527
_TAG_SPREAD = 40503


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
def first_slot(size, high, low):
    """Where the search for a request id begins: all of its bits count."""
    spread = high ^ low
    spread ^= spread >> 32
    return (spread ^ (spread >> 16)) & (size - 1)


@inner_kernel
def find_in(table, at, size, high, low):
    """Word of the row of a request id, or of the free row where it belongs."""
    slot = first_slot(size, high, low)
    place = at + slot * REQUEST_FIELDS
    while table[place] != 0 or table[place + 1] != 0:
        if table[place] == high and table[place + 1] == low:
            return place
        slot = (slot + 1) & (size - 1)
        place = at + slot * REQUEST_FIELDS
    return place


@lean_kernel
def find_request(state, high, low):
    """Word of a request id's row in ids, or of the free row where it belongs."""
    return find_in(state.ids, state.stock[AT_REQUESTS], state.stock[ROOM_REQUESTS], high, low)


@lean_kernel
def rehash_places_into(wider, at, size, table, old_at, old_size):
    """Enter every stockpoint of a table into an empty, wider one."""
    for slot in range(old_size):
        old = old_at + slot * PLACE_FIELDS
        if table[old] != 0:
            place = find_place(wider, at, size, table[old], table[old + 1])
            for field in range(PLACE_FIELDS):
                wider[place + field] = table[old + field]


@lean_kernel
def rehash_requests_into(wider, at, size, table, old_at, old_size):
    """Enter every request of a table into an empty, wider one."""
    for slot in range(old_size):
        old = old_at + slot * REQUEST_FIELDS
        if table[old] != 0 or table[old + 1] != 0:
            place = find_in(wider, at, size, table[old], table[old + 1])
            for field in range(REQUEST_FIELDS):
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
