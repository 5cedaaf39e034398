"""Open-addressing tables kept in arrays: (SKU, node) -> stockpoint, request id -> answer.

A table has an odd number of rows, at most half of them used; a row of zeros is free.
"""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import lean_kernel

_POSITIVE = 0x7FFFFFFFFFFFFFFF


@lean_kernel
def point_key(sku, node):
    """Key of a (SKU, node) pair: positive, and unlike for unlike pairs."""
    return ((sku + 1) << 31) | (node + 1)


@lean_kernel
def find_point(index, sku, node):
    """Stockpoint of a SKU at a node, -1 if there is none."""
    size = index.shape[0]
    key = point_key(sku, node)
    slot = key % size
    while index[slot, 0] != 0:
        if index[slot, 0] == key:
            return np.int64(index[slot, 1])
        slot = (slot + 1) % size
    return -1


@lean_kernel
def put_point(index, key, point):
    """Enter a stockpoint under its key."""
    size = index.shape[0]
    slot = key % size
    while index[slot, 0] != 0:
        slot = (slot + 1) % size
    index[slot, 0] = key
    index[slot, 1] = point


@lean_kernel
def find_request(requests, high, low):
    """Row of a request id, or the free row where it belongs."""
    size = requests.shape[0]
    slot = ((high ^ low) & _POSITIVE) % size
    while requests[slot, 0] != 0 or requests[slot, 1] != 0:
        if requests[slot, 0] == high and requests[slot, 1] == low:
            return slot
        slot = (slot + 1) % size
    return slot


@lean_kernel
def rehash_points_into(wider, index):
    """Enter every stockpoint of ``index`` into the empty table ``wider``."""
    for slot in range(index.shape[0]):
        if index[slot, 0] != 0:
            put_point(wider, index[slot, 0], index[slot, 1])


@lean_kernel
def rehash_requests_into(wider, requests):
    """Enter every request of ``requests`` into the empty table ``wider``."""
    for slot in range(requests.shape[0]):
        high = requests[slot, 0]
        low = requests[slot, 1]
        if high != 0 or low != 0:
            free = find_request(wider, high, low)
            # Field by field: assigning a row would need reference counts.
            for field in range(requests.shape[1]):
                wider[free, field] = requests[slot, field]


@lean_kernel
def high_word(value):
    """Upper half of a 64-bit number, as a signed 32-bit one."""
    return value >> 32


@lean_kernel
def low_word(value):
    """Lower half of a 64-bit number, as a signed 32-bit one."""
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


@lean_kernel
def joined(high, low):
    """The 64-bit number of two signed 32-bit halves."""
    return (np.int64(high) << 32) | (np.int64(low) & 0xFFFFFFFF)
