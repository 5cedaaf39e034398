"""An article checks itself, counts its quantities exactly and refuses what is not sold."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from omnistock.errors import InputError
from omnistock.model import KitOption, OrderLine, QuantityRule, Sku


def test_a_sku_stored_before_units_and_options_reads_as_one_without():
    stored = b'{"sku":"BOX","unit_scale":1,"components":[["TEE",2]],"pack_size":6}'

    assert msgspec.json.decode(stored, type=Sku) == Sku(
        "BOX", components=(("TEE", 2),), pack_size=6
    )


def test_a_sku_with_everything_survives_storing():
    sku = Sku(
        "BOX",
        components=(("TEE", 2), ("RIBBON", "5 cm")),
        units=(("dozen", "12"), ("half", "1/2")),
        minimum_sale=2,
        maximum_sale=20,
        sale_increment=2,
        replenishment_buckets=6,
        options=(KitOption((("RED", 1), ("BLUE", 1)), required=False, changeable=True),),
    )

    assert msgspec.json.decode(msgspec.json.encode(sku), type=Sku) == sku


def test_an_int_counts_smallest_units_and_a_text_selling_units():
    flour = Sku("FLOUR", unit_scale=1000, units=(("g", "1/1000"), ("sack", "25")))

    assert flour.smallest_units(3) == 3
    assert flour.smallest_units("3") == 3000
    assert flour.smallest_units(Decimal("0.5")) == 500
    assert flour.smallest_units("3 g") == 3
    assert flour.smallest_units("2 sack") == 50_000


def test_units_of_measure_may_come_as_lists():
    assert Sku("EGG", units=[["dozen", "12"]]).smallest_units("2 dozen") == 24


def test_the_skus_own_limits_are_refused_before_a_rule_of_the_asker():
    beer = Sku("BEER", minimum_sale=6, maximum_sale=24, sale_increment=6)

    assert beer.refusal(3) == "below_minimum"
    assert beer.refusal(30) == "above_maximum"
    assert beer.refusal(9, QuantityRule(maximum=6)) == "not_increment"
    assert beer.refusal(12, QuantityRule(maximum=6)) == "above_maximum"
    assert beer.refusal(12) is None


def test_a_rule_in_units_of_measure_is_read_in_those_of_the_sku():
    egg = Sku("EGG", units=(("dozen", "12"),))

    assert egg.refusal(18, QuantityRule(increment="1 dozen")) == "not_increment"
    assert egg.refusal(24, QuantityRule(increment="1 dozen")) is None


def test_a_bundle_is_a_kit_also_without_fixed_components():
    assert Sku("MENU", options=(KitOption((("SOUP", 1),)),)).is_kit
    assert Sku("BOX", components=(("TEE", 1),)).is_kit
    assert not Sku("TEE").is_kit


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Sku("A", minimum_sale=-1),
        lambda: Sku("A", maximum_sale=-1),
        lambda: Sku("A", minimum_sale=5, maximum_sale=4),
        lambda: Sku("A", sale_increment=0),
        lambda: Sku("A", replenishment_buckets=-1),
        lambda: Sku("A", units=(("dozen", "0"),)),
        lambda: Sku("A", components=(("B", ""),)),
        lambda: Sku("A", components=(("B", 1.5),)),
        lambda: Sku("A", components=(("B", True),)),
        lambda: Sku("A", components=(("B", "1"),), unit_scale=10),
        lambda: Sku("A", components=(("B", 1),), tracked=False),
        lambda: Sku("A", options=(KitOption((("A", 1),)),)),
        lambda: KitOption(()),
        lambda: KitOption((("B", 0),)),
        lambda: KitOption((("B", 1), ("B", 2))),
        lambda: OrderLine("", 1),
        lambda: OrderLine("A", 1, min_remaining_days=-1),
        lambda: OrderLine("A", 1, selections=(("B", 0),)),
    ],
)
def test_an_article_or_line_with_an_impossible_value_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
