"""Selling units become smallest units exactly as one quantity after the other does."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omnistock.errors import FrameError, InputError
from omnistock.frames import smallest_units
from omnistock.model import to_units

scales = st.sampled_from([1, 2, 3, 8, 10, 12, 100, 1000, 1024, 1_000_000])
floats = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-(10**9), 10**9).map(float),
    st.builds(lambda units, scale: units / scale, st.integers(-(10**7), 10**7), scales),
    st.sampled_from([0.1 + 0.2, 1 / 3, 2.675, 1e9, 1e9 + 1, 5e-324, -0.0, 2**53 + 2.0]),
)


def one_by_one(quantities, unit_scales):
    units, bad_rows = [], []
    for row, (quantity, scale) in enumerate(zip(quantities, unit_scales, strict=True), start=1):
        try:
            units.append(to_units(quantity, scale))
        except InputError:
            bad_rows.append(row)
    return units, bad_rows


@given(rows=st.lists(st.tuples(floats, scales), min_size=1, max_size=12))
@example(rows=[(1 / 3, 3), (0.5, 1024)])
def test_arrays_convert_as_single_quantities_do(rows):
    quantities = [quantity for quantity, _ in rows]
    unit_scales = np.array([scale for _, scale in rows])
    expected, bad_rows = one_by_one(quantities, unit_scales.tolist())

    if bad_rows:
        with pytest.raises(FrameError) as caught:
            smallest_units(np.array(quantities), unit_scales)
        assert [problem.row for problem in caught.value.problems] == bad_rows
    else:
        assert smallest_units(np.array(quantities), unit_scales).tolist() == expected


@given(units=st.lists(st.integers(0, 10**9), min_size=1, max_size=10), scale=scales)
def test_smallest_units_survive_the_way_through_decimals(units, scale):
    exact = [Decimal(one) / Decimal(scale) for one in units if scale not in (3, 12)]

    assert smallest_units(exact, scale).tolist() == units[: len(exact)]


def test_texts_and_integers_convert_too():
    assert smallest_units(["1.5", "2"], [10, 1]).tolist() == [15, 2]
    assert smallest_units(np.array([7, 8]), 1).tolist() == [7, 8]
    assert smallest_units([], 1).tolist() == []


def test_a_fraction_of_a_piece_is_refused_with_its_row():
    with pytest.raises(FrameError) as caught:
        smallest_units([1.0, 0.5], 1, table="stock", column="on_hand")

    assert str(caught.value).startswith("stock, row 2, column 'on_hand': 0.5 is not a whole")
