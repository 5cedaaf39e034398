"""Where a row of a section begins: ``state.stock[point(state, s) + ON_HAND]``."""

from __future__ import annotations

from omnistock.availability.layout import (
    ASKER_FIELDS,
    AT_ASKERS,
    AT_DELTAS,
    AT_FLOWS,
    AT_HOLDS,
    AT_INBOUND,
    AT_LIMITS,
    AT_LINES,
    AT_MATCHES,
    AT_NODES,
    AT_POINTS,
    AT_SETS,
    AT_SKUS,
    AT_STEPS,
    AT_TAGS,
    DELTA_FIELDS,
    HOLD_FIELDS,
    INBOUND_FIELDS,
    LIMIT_FIELDS,
    LINE_FIELDS,
    N_BUCKETS,
    NODE_FIELDS,
    POINT_FIELDS,
    ROOM_ASKERS,
    ROOM_NODES,
    SKU_FIELDS,
    STEP_FIELDS,
    TAG_FIELDS,
)
from omnistock.numerics.compiled import hot_kernel, inner_kernel


@hot_kernel
def point(state, s):
    """Stockpoint row in stock."""
    return state.stock[AT_POINTS] + s * POINT_FIELDS


@inner_kernel
def flow(state, row):
    """Receipts by slot; promises by slot lie N_BUCKETS further on, both in stock."""
    return state.stock[AT_FLOWS] + row * 2 * state.stock[N_BUCKETS]


@hot_kernel
def sku_row(state, sku):
    """SKU row in stock."""
    return state.stock[AT_SKUS] + sku * SKU_FIELDS


@hot_kernel
def node_row(state, node):
    """Node row in stock."""
    return state.stock[AT_NODES] + node * NODE_FIELDS


@inner_kernel
def tag_row(state, tag):
    """Tag row in stock."""
    return state.stock[AT_TAGS] + tag * TAG_FIELDS


@hot_kernel
def asker_row(state, asker):
    """Asker row in stock."""
    return state.stock[AT_ASKERS] + asker * ASKER_FIELDS


@inner_kernel
def in_set(state, node_set, node):
    """True if a set of nodes has the node."""
    stock = state.stock
    return stock[stock[AT_SETS] + node_set * stock[ROOM_NODES] + node] != 0


@inner_kernel
def matched(state, match, asker):
    """True if a limit's condition fits the asker."""
    stock = state.stock
    return stock[stock[AT_MATCHES] + match * stock[ROOM_ASKERS] + asker] != 0


@inner_kernel
def limit_row(state, row):
    """Limit row in stock."""
    return state.stock[AT_LIMITS] + row * LIMIT_FIELDS


@inner_kernel
def step_row(state, row):
    """Dated buffer's row in stock."""
    return state.stock[AT_STEPS] + row * STEP_FIELDS


@hot_kernel
def hold_row(state, hold):
    """Hold row in book."""
    return state.stock[AT_HOLDS] + hold * HOLD_FIELDS


@hot_kernel
def line_row(state, q):
    """Hold line's row in book."""
    return state.stock[AT_LINES] + q * LINE_FIELDS


@inner_kernel
def inbound_row(state, i):
    """Inbound line's row in book."""
    return state.stock[AT_INBOUND] + i * INBOUND_FIELDS


@inner_kernel
def delta_row(state, row):
    """Delta's row in book."""
    return state.stock[AT_DELTAS] + row * DELTA_FIELDS
