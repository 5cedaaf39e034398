"""Kits given in units of measure come apart exactly, and bundles hold what was chosen."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError, UnknownError
from omnistock.model import KitOption, Network, Sku

DOZEN = (("dozen", "12"),)


def network(*skus):
    return Network.build(skus=skus, nodes=["DC1"])


def test_a_nested_kit_in_mixed_units_of_measure_is_counted_exactly():
    # Odoo 17, sale_mrp, test_07_kit_availability_mixed_uom: one parent takes 576 pieces,
    # 24 dozen, 0.12 kg and 3000 g.
    built = network(
        Sku("piece", units=DOZEN),
        Sku("by_dozen", units=(("dozen", "1"),)),
        Sku("by_kg", unit_scale=1000, units=(("g", "1/1000"),)),
        Sku("by_gram", units=(("kg", "1000"),)),
        Sku(
            "sub",
            units=DOZEN,
            components=(("piece", "2 dozen"), ("by_dozen", "1 dozen"), ("by_kg", "5 g")),
        ),
        Sku("parent", components=(("by_gram", "3 kg"), ("sub", "2 dozen"))),
    )

    assert built.explode("parent") == {
        "by_gram": 3000,
        "piece": 576,
        "by_dozen": 24,
        "by_kg": 120,
    }


def test_a_decimal_component_is_counted_in_the_components_smallest_units():
    built = network(Sku("ck", unit_scale=1000), Sku("K", components=(("ck", "0.003"),)))

    assert built.explode("K", 10) == {"ck": 30}


def test_a_built_network_holds_units_only():
    built = network(
        Sku("egg", units=DOZEN),
        Sku("box", components=(("egg", "1 dozen"),)),
        Sku("gift", options=(KitOption((("egg", "0.5 dozen"), ("box", "2"))),)),
    )

    assert built.skus["box"].components == (("egg", 12),)
    assert built.skus["gift"].options[0].choices == (("egg", 6), ("box", 2))
    assert Network(skus=built.skus).skus["box"] == built.skus["box"]


@pytest.mark.parametrize("quantity", ["0.5 dozen pairs", "0.01 dozen", "0", "-1", "some"])
def test_a_component_that_is_no_whole_number_of_units_is_refused_by_name(quantity):
    with pytest.raises(InputError, match=r"'box'.*component 'egg'"):
        network(Sku("egg", units=DOZEN), Sku("box", components=(("egg", quantity),)))


def test_a_text_for_an_unknown_component_is_refused():
    with pytest.raises(InputError, match="unknown component 'egg'"):
        network(Sku("box", components=(("egg", "1 dozen"),)))


# --- bundles ---

MENU = Sku(
    "menu",
    components=(("tray", 1),),
    options=(
        KitOption((("soup", 1), ("salad", 2))),
        KitOption((("fish", 3),), changeable=True),
        KitOption((("cake", 1), ("soup", 1)), required=False),
    ),
)
CARD = (*(Sku(one) for one in ("tray", "soup", "salad", "fish", "cake", "wine")), MENU)


def test_a_bundle_holds_its_fixed_parts_and_what_was_chosen():
    parts = network(*CARD).explode("menu", 2, (("soup", 1), ("fish", 2)))

    assert parts == {"tray": 2, "soup": 2, "fish": 4}


def test_one_sku_may_be_chosen_in_two_options():
    parts = network(*CARD).explode("menu", 1, (("soup", 1), ("fish", 3), ("soup", 1)))

    assert parts == {"tray": 1, "soup": 2, "fish": 3}


def test_a_chosen_kit_comes_apart():
    box = Sku("box", components=(("egg", 12),))
    gift = Sku("gift", options=(KitOption((("box", 2),)),))

    assert network(Sku("egg"), box, gift).explode("gift", 3, (("box", 2),)) == {"egg": 72}


@pytest.mark.parametrize(
    ("selections", "said"),
    [
        (None, "needs one of: soup x 1, salad x 2"),
        ((("soup", 1),), "needs one of: fish x 3"),
        ((("soup", 1), ("fish", 4)), "needs one of: fish x 3"),
        ((("salad", 1), ("fish", 1)), "needs one of: soup x 1, salad x 2"),
        ((("soup", 1), ("fish", 1), ("wine", 1)), "does not offer"),
        ((("soup", 1), ("fish", 1), ("fish", 1)), "does not offer"),
    ],
)
def test_selections_that_do_not_answer_the_options_are_refused(selections, said):
    built = network(*CARD)

    with pytest.raises(InputError, match=said):
        built.explode("menu", 1, selections)


def test_selections_may_answer_the_options_in_any_order():
    # Salad answers the first option, so soup must answer the last.
    parts = network(*CARD).explode("menu", 1, (("soup", 1), ("salad", 2), ("fish", 1)))

    assert parts == {"tray": 1, "soup": 1, "salad": 2, "fish": 1}


def test_selections_name_known_skus_and_go_with_bundles_only():
    built = network(*CARD)

    with pytest.raises(UnknownError, match="'stew'"):
        built.explode("menu", 1, (("stew", 1),))
    with pytest.raises(InputError, match="nothing to choose"):
        built.explode("soup", 1, (("fish", 1),))


@given(
    st.lists(
        st.builds(
            KitOption,
            st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True).map(
                lambda names: tuple((name, 2) for name in names)
            ),
            required=st.booleans(),
            changeable=st.booleans(),
        ),
        min_size=1,
        max_size=3,
    ),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 2)), max_size=3),
)
def test_selections_pass_exactly_if_some_way_of_answering_the_options_gives_them(
    options, selections
):
    bundle = Sku("bundle", options=tuple(options))
    ways = itertools.product(
        *(
            [
                (name, n)
                for name, most in one.choices
                for n in range(1 if one.changeable else most, most + 1)
            ]
            + ([] if one.required else [None])
            for one in options
        )
    )
    allowed = any(sorted(filter(None, way)) == sorted(selections) for way in ways)
    built = network("a", "b", "c", bundle)

    if allowed:
        parts = built.explode("bundle", 1, selections)
        assert sum(parts.values()) == sum(n for _, n in selections)
    else:
        with pytest.raises(InputError):
            built.explode("bundle", 1, selections)


def test_a_bundle_inside_a_kit_is_refused():
    with pytest.raises(InputError, match="holds the bundle 'menu'"):
        network(*CARD, Sku("party", components=(("menu", 10),)))


def test_an_option_of_unknown_skus_is_refused():
    with pytest.raises(InputError, match="unknown component 'soup'"):
        network(Sku("menu", options=(KitOption((("soup", 1),)),)))
