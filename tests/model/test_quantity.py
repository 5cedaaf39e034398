"""Quantities convert exactly or are refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.model import from_units, to_units
from omnistock.model.quantity import MAX_UNITS

scales = st.sampled_from([1, 2, 8, 10, 100, 1000])
units = st.integers(-MAX_UNITS, MAX_UNITS)


@given(units, scales)
def test_units_survive_the_way_to_selling_units_and_back(number, scale):
    assert to_units(from_units(number, scale), scale) == number


@given(units, scales)
def test_a_text_means_the_same_as_the_number(number, scale):
    assert to_units(str(from_units(number, scale)), scale) == number


@given(st.decimals(-1000, 1000, places=3), scales)
def test_the_result_is_exact_or_refused(quantity, scale):
    exact = Fraction(quantity) * scale

    if exact.denominator == 1:
        assert to_units(quantity, scale) == exact
    else:
        with pytest.raises(InputError, match="whole number of smallest units"):
            to_units(quantity, scale)


def test_a_float_counts_as_the_decimal_it_prints():
    assert to_units(0.12, 1000) == 120
    assert to_units(1.1, 10) == 11


@pytest.mark.parametrize("quantity", ["two", "", float("nan"), float("inf"), None, True, b"1", []])
def test_what_is_no_quantity_is_refused(quantity):
    with pytest.raises(InputError):
        to_units(quantity, 10)


@pytest.mark.parametrize("quantity", [MAX_UNITS + 1, -MAX_UNITS - 1, Decimal("1e30"), 10**30])
def test_what_no_stockpoint_can_hold_is_refused(quantity):
    with pytest.raises(InputError, match="at most"):
        to_units(quantity)
