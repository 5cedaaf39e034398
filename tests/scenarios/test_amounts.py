from decimal import Decimal

import pytest

from .amounts import Unsupported, exact, text_of, unit_ratios, unit_scales


def test_a_decimal_anywhere_makes_the_unit_of_its_sku_finer_and_no_other():
    played = [{"sku": "A", "qty": Decimal("5.5")}, {"sku": "A", "qty": 3}, {"sku": "B", "qty": 2}]

    assert unit_scales(played, ["A", "B"], {}, set()) == {"A": 10, "B": 1}


def test_components_in_another_unit_of_measure_make_the_unit_finer():
    played = [{"sku": "flour", "qty": "0.12"}, {"sku": "flour", "per": 5, "uom": "g"}]

    assert unit_scales(played, ["flour"], {"flour": "kg"}, set()) == {"flour": 1000}


def test_a_sale_rule_counts_like_a_quantity():
    played = [{"sku": "A", "qty": 1, "rule": {"qty_increment": "0.25"}}]

    assert unit_scales(played, ["A"], {}, set()) == {"A": 100}


def test_a_percentage_is_no_quantity():
    played = [{"sku": "A", "type": "percent", "value": Decimal("12.5")}]

    assert unit_scales(played, ["A"], {}, set()) == {"A": 1}


def test_a_decimal_without_a_sku_may_mean_any():
    played = [{"op": "release", "ref": "O1", "qty": "0.5"}]

    assert unit_scales(played, ["A", "B"], {}, set()) == {"A": 10, "B": 10}


def test_kits_come_whole():
    played = [{"sku": "K", "qty": "1.5"}]

    assert unit_scales(played, ["K"], {}, {"K"}) == {"K": 1}


def test_quantities_become_texts_without_trailing_zeros():
    assert text_of(Decimal("1.0")) == "1"
    assert text_of("0.120") == "0.12"
    assert text_of(1000) == "1000"
    assert text_of(-15) == "-15"


def test_what_is_no_number_is_no_quantity():
    with pytest.raises(Unsupported, match="not a quantity"):
        exact("a few")
    with pytest.raises(Unsupported):
        exact(True)


def test_units_of_measure_are_ratios_to_the_unit_of_sale():
    assert dict(unit_ratios("dozen", {"dozen", "unit", "g"})) == {"dozen": "1", "unit": "1/12"}


def test_an_unknown_unit_of_measure_is_named():
    with pytest.raises(Unsupported, match="'firkin'"):
        unit_ratios("unit", {"firkin"})
