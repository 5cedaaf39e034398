"""What stands between stock and a promise, one figure each: for explanations."""

from __future__ import annotations

from omnistock.availability.cells import point
from omnistock.availability.layout import ON_HAND
from omnistock.availability.limits import asker_buffer, protected_for_others, quota_left
from omnistock.availability.promise import (
    everything_free,
    kept_back,
    limit_bucket,
    on_hand_of,
    pool_units,
    raw_units,
    serves,
)
from omnistock.availability.stock import unpromised
from omnistock.numerics.compiled import lean_kernel

SERVES = 0
RAW = 1
KEPT = 2
POINT_FACTS = 3

POOL = 0
EVERYWHERE = 1
QUOTA_LEFT = 2
CHANNEL_BUFFER = 3
PROTECTED = 4
EVERYTHING = 5
LIMIT_FACTS = 6


@lean_kernel
def point_facts_into(facts, state, points, asker, t, words):
    """Fill for each stockpoint whether it serves, its balance for bucket ``t``, what is kept."""
    for k in range(points.shape[0]):
        facts[k, SERVES] = 1 if serves(state, points[k], asker, words, 0) else 0
        facts[k, RAW] = raw_units(state, points[k], t)
        facts[k, KEPT] = kept_back(state, points[k], asker)


@lean_kernel
def leaving_into(units, state, points):
    """Fill how many units may leave each stockpoint: what is on hand and promised to nobody."""
    for k in range(points.shape[0]):
        on_hand = state.stock[point(state, points[k]) + ON_HAND]
        units[k] = max(0, min(on_hand, unpromised(state, points[k])))


@lean_kernel
def limit_facts_into(facts, state, sku, node, asker, t, words):
    """Fill what the asker's nodes have free, and what limits leave of it."""
    bucket = limit_bucket(state, t, words, 0)
    everywhere = pool_units(state, sku, -1, asker, t, words, 0)
    facts[POOL] = pool_units(state, sku, node, asker, t, words, 0)
    facts[EVERYWHERE] = everywhere
    facts[QUOTA_LEFT] = quota_left(state, sku, asker, bucket, everywhere)
    on_hand = on_hand_of(state, sku, asker, words, 0)
    facts[CHANNEL_BUFFER] = asker_buffer(state, sku, asker, -1, on_hand)
    facts[PROTECTED] = protected_for_others(state, sku, asker, bucket, -1)
    facts[EVERYTHING] = everything_free(state, sku, asker, t, -1, words, 0)
