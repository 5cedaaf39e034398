from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.replenishment import dc_to_stores


def cover(position, rate):
    if rate:
        return position / rate
    return -math.inf if position < 0 else math.inf


def one_by_one(supply, requested, position, rate, pack):
    """Hand out pack after pack to the store with the least cover."""
    packs = [0] * len(requested)
    for _ in range(supply // pack):
        wanting = [c for c in range(len(packs)) if packs[c] * pack < requested[c]]
        if not wanting:
            break
        neediest = min(wanting, key=lambda c: (cover(position[c] + packs[c] * pack, rate[c]), c))
        packs[neediest] += 1
    return [pack * number for number in packs]


store = st.tuples(
    st.integers(0, 60),
    st.integers(-15, 40),
    st.sampled_from([0.0, 0.01, 0.3, 1.0, 1.0, 2.5, 20.0]),
)


@given(st.lists(store, min_size=1, max_size=6), st.integers(0, 200), st.sampled_from([1, 1, 4, 7]))
def test_every_pack_goes_to_the_store_with_the_least_cover(stores, supply, pack):
    requested, position, rate = (list(values) for values in zip(*stores, strict=True))

    sent = dc_to_stores(
        [supply], [requested], position=[position], rate_per_day=[rate], pack_size=pack
    )

    expected = one_by_one(supply, requested, position, rate, pack)
    assert sent.quantity.tolist() == [expected]
    assert sent.left.tolist() == [supply - sum(expected)]
    after = [cover(p + q, r) for p, q, r in zip(position, expected, rate, strict=True)]
    assert sent.cover_days[0] == pytest.approx(after)


def test_enough_supply_fills_every_request_in_whole_packs():
    sent = dc_to_stores(
        [100, 100],
        [[5, 0, 12], [5, 0, 12]],
        position=np.zeros((2, 3), int),
        rate_per_day=np.ones((2, 3)),
        pack_size=[1, 6],
    )

    assert sent.quantity.tolist() == [[5, 0, 12], [6, 0, 12]]
    assert sent.left.tolist() == [83, 82]
    assert sent.requested.tolist() == [[5, 0, 12], [5, 0, 12]]


def test_large_quantities_are_shared_without_counting_them_one_by_one():
    sent = dc_to_stores(
        [900_000_000],
        [[500_000_000, 500_000_000, 500_000_000]],
        position=[[0, 100_000_000, 0]],
        rate_per_day=[[1_000.0, 1_000.0, 2_000.0]],
    )

    assert sent.quantity.sum() == 900_000_000
    assert sent.quantity.tolist() == [[250_000_000, 150_000_000, 500_000_000]]
    assert sent.cover_days.tolist() == [[250_000.0, 250_000.0, 250_000.0]]


def test_units_owed_come_first_and_stores_without_demand_last():
    needs = {"position": [[0, -3, 0]], "rate_per_day": [[0.0, 0.0, 2.0]]}

    assert dc_to_stores([2], [[4, 4, 4]], **needs).quantity.tolist() == [[0, 2, 0]]
    assert dc_to_stores([5], [[4, 4, 4]], **needs).quantity.tolist() == [[0, 3, 2]]
    assert dc_to_stores([9], [[4, 4, 4]], **needs).quantity.tolist() == [[2, 3, 4]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"supply": [-1]}, "supply must be >= 0"),
        ({"supply": [1, 2]}, r"supply must have shape \(1,\)"),
        ({"requested": [[1, 2.5]]}, "requested must be whole units"),
        ({"position": [[1]]}, r"position must have shape \(1, 2\)"),
        ({"rate_per_day": [[1.0, np.nan]]}, "rate_per_day must be >= 0"),
        ({"rate_per_day": [[1.0]]}, "rate_per_day must have shape"),
        ({"pack_size": 0}, "pack_size must be >= 1"),
    ],
)
def test_wrong_numbers_for_transfers_are_refused(change, message):
    given_ = {"supply": [5], "requested": [[4, 4]], "position": [[0, 0]], "rate_per_day": [[1, 1]]}
    given_.update(change)

    with pytest.raises(InputError, match=message):
        dc_to_stores(given_.pop("supply"), given_.pop("requested"), **given_)
