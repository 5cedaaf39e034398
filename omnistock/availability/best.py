"""The stockpoint that can give most of a SKU: by one look at each word of the free column.

A SKU's stockpoints are listed by node priority, then node. Mostly their numbers ascend by one
in this order, and their words lie together; else the SKU has a run that lists them.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.cells import point, sku_row
from omnistock.availability.layout import (
    AT_FREE,
    AT_RUNS,
    FENCE,
    FIRST_LIMIT,
    FIRST_POINT,
    FIRST_RUN,
    FREE_UNITS,
    LARGEST_POINT,
    N_RUNS,
    NEXT_POINT,
    POINT_NODE,
    POINTS_OF_SKU,
    ROOM_OF_RUN,
    UNTRACKED,
)
from omnistock.availability.promise import (
    LINE_NODE,
    first_point,
    headroom,
    next_point,
    pool_units,
    sku_available,
)
from omnistock.availability.swift import node_serves
from omnistock.numerics.compiled import hot_kernel, inner_kernel, lean_kernel
from omnistock.numerics.prefetch import prefetch

_LEAST_RUN = 4
# Words that come with one that is fetched, and SKUs to look ahead.
_WORDS_AT_ONCE = 8
_AHEAD = 8


@inner_kernel
def list_run(state, row):
    """List a SKU's stockpoints in a new run, with room for as many more."""
    stock = state.stock
    n_points = stock[row + POINTS_OF_SKU]
    room = np.int64(_LEAST_RUN)
    while room < n_points:
        room *= 2
    run = stock[N_RUNS]
    stock[N_RUNS] = run + room
    stock[row + FIRST_RUN] = run
    stock[row + ROOM_OF_RUN] = room
    at = stock[AT_RUNS] + run
    s = stock[row + FIRST_POINT]
    while s >= 0:
        stock[at] = s
        at += 1
        s = stock[point(state, s) + NEXT_POINT]


@inner_kernel
def enter_run(state, row, s, place, before):
    """Count a stockpoint that is now in its SKU's list, ``place`` after the first.

    ``before`` is the stockpoint in front of it, or -1.
    """
    stock = state.stock
    n_points = stock[row + POINTS_OF_SKU]
    stock[row + POINTS_OF_SKU] = n_points + 1
    run = stock[row + FIRST_RUN]
    if run < 0 and place == n_points and (n_points == 0 or s == before + 1):
        return
    if run < 0 or n_points == stock[row + ROOM_OF_RUN]:
        list_run(state, row)
        return
    at = stock[AT_RUNS] + run
    for k in range(n_points, place, -1):
        stock[at + k] = stock[at + k - 1]
    stock[at + place] = s


@inner_kernel
def most_together(stock, first, n_points):
    """Largest word of stockpoints whose numbers ascend by one, and all their bits."""
    at = stock[AT_FREE] + first
    words = stock[at : at + n_points]
    most = np.int64(-1)
    bits = np.int64(0)
    for k in range(words.shape[0]):
        most = max(most, words[k])
        bits |= words[k]
    return most, bits


@inner_kernel
def most_listed(stock, run, n_points):
    """Word of the first stockpoint with most units in a run, and all their bits."""
    free = stock[AT_FREE]
    at = stock[AT_RUNS] + run
    listed = stock[at : at + n_points]
    most = np.int64(-1)
    units = np.int64(-1)
    bits = np.int64(0)
    for k in range(listed.shape[0]):
        word = stock[free + listed[k]]
        bits |= word
        if word >> FREE_UNITS > units:
            units = word >> FREE_UNITS
            most = word
    return most, bits


@inner_kernel
def best_serving(state, row, asker):
    """First stockpoint with most units among plain ones that serve the asker, or -1."""
    stock = state.stock
    run = stock[row + FIRST_RUN]
    best = np.int64(-1)
    units = np.int64(0)
    for k in range(stock[row + POINTS_OF_SKU]):
        s = stock[row + FIRST_POINT] + k if run < 0 else stock[stock[AT_RUNS] + run + k]
        here = stock[stock[AT_FREE] + s] >> FREE_UNITS
        if here > units and node_serves(stock, stock[point(state, s) + POINT_NODE], asker):
            best = s
            units = here
    return best, units


@inner_kernel
def best_by_node(state, sku, asker, words):
    """First stockpoint of the first node that can give most, node by node: the long way."""
    stock = state.stock
    row = sku_row(state, sku)
    words[0] = sku
    best = np.int64(-1)
    most = np.int64(0)
    room = np.int64(-1)
    before = np.int64(-1)
    s = first_point(state, sku, -1)
    while s >= 0:
        node = stock[point(state, s) + POINT_NODE]
        if node != before:
            words[LINE_NODE] = node
            if stock[row + FENCE] >= 0 or stock[row + UNTRACKED] != 0:
                units = sku_available(state, sku, node, asker, 0, words, 0)
            else:
                units = pool_units(state, sku, node, asker, 0, words, 0)
                if units > most and stock[row + FIRST_LIMIT] >= 0:
                    # Limits are over all nodes: what they leave is the same at each.
                    if room < 0:
                        room = headroom(state, sku, asker, 0, words, 0)
                    units = min(units, room)
            if units > most:
                best = s
                most = units
            before = node
        s = next_point(state, s, -1)
    return best, most


@inner_kernel
def hint_at_words(stock, row):
    """Have a SKU's words fetched, if they lie together."""
    if stock[row + FIRST_RUN] < 0:
        first = stock[AT_FREE] + stock[row + FIRST_POINT]
        for at in range(first, first + stock[row + POINTS_OF_SKU], _WORDS_AT_ONCE):
            prefetch(stock, at)


@inner_kernel
def most_into(words, bits, state, skus):
    """Fill for each SKU the word of its stockpoint with most units, and all its words' bits."""
    stock = state.stock
    n_skus = skus.shape[0]
    for k in range(n_skus):
        # Memory is busy with the SKUs to come while this one is looked through.
        if k + _AHEAD < n_skus:
            prefetch(stock, sku_row(state, skus[k + _AHEAD]))
        if k + 1 < n_skus:
            hint_at_words(stock, sku_row(state, skus[k + 1]))
        row = sku_row(state, skus[k])
        n_points = stock[row + POINTS_OF_SKU]
        run = stock[row + FIRST_RUN]
        if run < 0:
            words[k], bits[k] = most_together(stock, stock[row + FIRST_POINT], n_points)
        else:
            words[k], bits[k] = most_listed(stock, run, n_points)
        prefetch(stock, point(state, point_of(words[k])))


@hot_kernel
def point_of(word):
    """Stockpoint of a word of the free column."""
    return LARGEST_POINT - ((word & 0xFFFFFFFF) >> 1)


@lean_kernel
def best_nodes_into(nodes, units, state, skus, asker, words):
    """Fill for each SKU the node that can give most now, and how much.

    A SKU of which no node can give anything has -1 and 0 units. ``words`` is a line without
    bucket and lot, to write in.
    """
    stock = state.stock
    most_into(units, nodes, state, skus)
    for k in range(skus.shape[0]):
        best = point_of(units[k])
        here = units[k] >> FREE_UNITS
        if nodes[k] & 1 != 0:
            best, here = best_by_node(state, skus[k], asker, words)
        elif here <= 0:
            best = np.int64(-1)
            here = np.int64(0)
        elif not node_serves(stock, stock[point(state, best) + POINT_NODE], asker):
            best, here = best_serving(state, sku_row(state, skus[k]), asker)
        nodes[k] = stock[point(state, best) + POINT_NODE] if best >= 0 else -1
        units[k] = here
