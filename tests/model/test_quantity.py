"""Quantities convert exactly or are refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.model import QuantityRule, from_units, to_units
from omnistock.model.quantity import MAX_UNITS, unit_ratios

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


@given(
    st.fractions(0, 1000, max_denominator=1000),
    st.integers(0, 1000),
    st.integers(0, 3),
    scales,
)
def test_a_unit_of_measure_counts_exactly_or_is_refused(ratio, whole, places, scale):
    amount = Decimal(whole).scaleb(-places)
    exact = Fraction(amount) * (ratio + 1) * scale
    measures = unit_ratios((("crate", str(ratio + 1)),))

    if exact.denominator == 1:
        assert to_units(f"{amount:f} crate", scale, measures) == exact
    else:
        with pytest.raises(InputError, match="whole number of smallest units"):
            to_units(f"{amount:f} crate", scale, measures)


def test_ten_times_a_tenth_of_a_third_is_exactly_a_third():
    measures = unit_ratios((("share", "1/30"),))

    assert sum(to_units("1 share", 3000, measures) for _ in range(10)) == 1000
    assert to_units("10 share", 3000, measures) == 1000


def test_a_unit_of_measure_may_have_two_words():
    measures = unit_ratios((("fl oz", "1/128"),))

    assert to_units("64  fl oz ", 2, measures) == 1


@pytest.mark.parametrize("quantity", ["2 gross", "2 Dozen", "dozen 2", "two dozen", "2dozen"])
def test_what_names_no_known_unit_of_measure_is_refused(quantity):
    with pytest.raises(InputError):
        to_units(quantity, 1, unit_ratios((("dozen", "12"),)))


@pytest.mark.parametrize(
    "wrong",
    [
        (("", "12"),),
        ((" dozen", "12"),),
        (("dozen", "12"), ("dozen", "13")),
        (("dozen", "0"),),
        (("dozen", "-12"),),
        (("dozen", "1/0"),),
        (("dozen", "twelve"),),
        (("dozen", 12),),
        (("dozen",),),
    ],
)
def test_a_unit_of_measure_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InputError, match="unit of measure"):
        unit_ratios(wrong)


# Magento Inventory 2024, IsCorrectQtyConditionTest: the rule, what is asked for, the answer.
@pytest.mark.parametrize(
    ("rule", "quantity", "refusal"),
    [
        (QuantityRule(minimum=7), 1, "below_minimum"),
        (QuantityRule(minimum=7), 7, None),
        (QuantityRule(minimum=7), 8, None),
        (QuantityRule(maximum=6), 6, None),
        (QuantityRule(maximum=6), 7, "above_maximum"),
        (QuantityRule(increment=3), 1, "not_increment"),
        (QuantityRule(increment=3), 3, None),
        (QuantityRule(increment=3), 9, None),
    ],
)
def test_a_quantity_rule_names_what_it_refuses(rule, quantity, refusal):
    assert rule.refusal(quantity) == refusal


def test_only_whole_selling_units_pass_where_only_integers_may():
    kilograms = QuantityRule(integer_only=True)

    assert kilograms.refusal(2_500, unit_scale=1000) == "not_integer"
    assert kilograms.refusal(2_000, unit_scale=1000) is None
    assert QuantityRule().refusal(2_500, unit_scale=1000) is None


def test_a_rule_may_be_written_in_selling_units_and_units_of_measure():
    measures = unit_ratios((("dozen", "12"),))
    rule = QuantityRule(minimum="1 dozen", maximum="10.5", increment="0.5")

    assert rule.refusal(23, 2, measures) == "below_minimum"
    assert QuantityRule(increment="1 dozen").refusal(36, 2, measures) == "not_increment"
    assert QuantityRule(increment="0.5").refusal(21, 2) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"minimum": -1},
        {"increment": 0},
        {"minimum": 5, "maximum": 4},
        {"minimum": 1.5},
        {"increment": True},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(settings):
    with pytest.raises(InputError):
        QuantityRule(**settings)


def test_a_rule_whose_text_is_no_increment_is_refused_when_asked():
    with pytest.raises(InputError, match="increment must be > 0"):
        QuantityRule(increment="0").refusal(1)
