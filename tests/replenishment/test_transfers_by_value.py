from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles_transfers import expected_sales

from omnistock.errors import InputError
from omnistock.numerics.demand import DemandDistribution
from omnistock.replenishment import TransferLanes, dc_to_stores_by_value, rebalance_arrays

store = st.tuples(
    st.integers(0, 20),
    st.integers(-3, 8),
    st.sampled_from([0.0, 0.5, 2.0, 6.0]),
    st.sampled_from([1.0, 1.7]),
    st.integers(0, 900),
    st.sampled_from([0, 40, 300]),
)


def sent(stores, supply, pack):
    requested, position, mean, spread, margin, freight = zip(*stores, strict=True)
    demand = DemandDistribution.from_moments(mean, np.array(mean) * spread)
    return dc_to_stores_by_value(
        [supply],
        [requested],
        position=[position],
        demand=demand,
        margin_cents=[margin],
        freight_cents=[freight],
        pack_size=pack,
    )


def pack_by_pack(stores, supply, pack):
    """What the best packs earn, taken one by one from a heap, each from survival probabilities."""
    heap, earned = [], 0.0

    def offer(number, taken):
        requested, position, mean, spread, margin, freight = stores[number]
        if (taken + 1) * pack <= requested:
            before = position + taken * pack
            more = expected_sales(mean, mean * spread, before + pack)
            more -= expected_sales(mean, mean * spread, before)
            heapq.heappush(heap, (-(margin * more - freight * pack), number, taken))

    for number in range(len(stores)):
        offer(number, 0)
    for _ in range(supply // pack):
        if not heap or heap[0][0] >= 0:
            break
        value, number, taken = heapq.heappop(heap)
        earned -= value
        offer(number, taken + 1)
    return earned


@given(st.lists(store, min_size=1, max_size=5), st.integers(0, 40), st.sampled_from([1, 1, 3]))
def test_no_division_earns_more_than_the_best_packs_one_by_one(stores, supply, pack):
    got = sent(stores, supply, pack)

    assert got.gained_cents.sum() == pytest.approx(pack_by_pack(stores, supply, pack), abs=0.02)
    assert (got.quantity % pack == 0).all()
    assert got.left.tolist() == [supply - got.quantity.sum()]
    assert (got.quantity <= np.array([[one[0] for one in stores]])).all()


@given(st.lists(store, min_size=1, max_size=4), st.integers(0, 20))
def test_the_flow_over_lanes_from_the_centre_earns_the_same(stores, supply):
    stores = [(supply, *one[1:]) for one in stores]
    n = len(stores)
    _, position, mean, spread, margin, freight = zip(*stores, strict=True)
    mean = np.array([0.0, *mean])

    moved = rebalance_arrays(
        np.zeros(n + 1, int),
        np.arange(n + 1),
        [supply, *position],
        demand=DemandDistribution.from_moments(mean, mean * np.array([1.0, *spread])),
        margin_cents=[0, *margin],
        lanes=TransferLanes(np.zeros(n, int), 1 + np.arange(n), freight_cents=freight),
    )

    assert moved.net_cents == pytest.approx(sent(stores, supply, 1).gained_cents.sum(), abs=1e-6)


def test_each_store_is_told_why_it_gets_no_more():
    even = (10, 0, 4.0, 1.0, 1000, 0)
    got = sent([even, even, (2, 0, 9.0, 1.0, 1000, 0), (5, 9, 1.0, 1.0, 100, 50)], 9, 1)

    assert got.quantity.tolist() == [[4, 3, 2, 0]]
    assert got.explain(0, 2).endswith("all that it asked for")
    assert "the centre is empty, a further pack of 1 would earn 3.71" in got.explain(0, 0)
    assert "would not earn its freight (-0.50)" in got.explain(0, 3)
    packs = sent([(7, 0, 9.0, 1.0, 1000, 0)], 30, 3)
    assert packs.quantity.tolist() == [[6]]
    assert "a further pack of 3 would exceed its request" in packs.explain(0, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"supply": [1, 2]}, r"supply must have shape \(1,\)"),
        ({"margin_cents": [1, 2, 3]}, r"margin_cents of shape \(3,\) does not fit"),
        ({"freight_cents": -1}, "freight_cents must be >= 0"),
        ({"demand": DemandDistribution.from_moments([1.0], [1.0])}, r"demand must have shape \(2,"),
    ],
)
def test_wrong_numbers_are_refused(change, message):
    terms = {
        "supply": [5],
        "requested": [[4, 4]],
        "position": [[0, 0]],
        "demand": DemandDistribution.from_moments([1.0, 1.0], [1.0, 1.0]),
        "margin_cents": 5,
    } | change
    with pytest.raises(InputError, match=message):
        dc_to_stores_by_value(terms.pop("supply"), terms.pop("requested"), **terms)
