"""A network is checked when it is built, and kits come apart completely."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError, UnknownError
from omnistock.model import Channel, Lane, Network, Node, Sku


def network(*skus, nodes=("DC1",), channels=()):
    return Network.build(skus=skus, nodes=nodes, channels=channels)


def leaves_one_by_one(skus, name):
    """Take one kit apart piece by piece until nothing but stocked SKUs is left."""
    pieces, leaves = [name], []
    while pieces:
        piece = pieces.pop()
        if skus[piece].components:
            for component, units in skus[piece].components:
                pieces += [component] * units
        else:
            leaves.append(piece)
    return {leaf: leaves.count(leaf) for leaf in leaves}


@st.composite
def nested_kits(draw):
    """SKUs of which each may hold earlier ones."""
    skus = [Sku("S0"), Sku("S1")]
    for k in range(2, draw(st.integers(3, 6))):
        names = st.sampled_from([one.sku for one in skus])
        parts = draw(st.lists(st.tuples(names, st.integers(1, 3)), max_size=3))
        skus.append(Sku(f"S{k}", components=tuple(parts)))
    return skus


@given(nested_kits())
def test_a_kit_comes_apart_into_the_pieces_it_is_made_of(skus):
    built = network(*skus)

    for name in built.skus:
        assert built.explode(name) == leaves_one_by_one(built.skus, name)


@given(nested_kits(), st.integers(1, 1000))
def test_many_kits_need_as_many_times_the_pieces(skus, quantity):
    built = network(*skus)
    name = skus[-1].sku

    one = built.explode(name)

    assert built.explode(name, quantity) == {sku: quantity * n for sku, n in one.items()}


def test_a_kit_that_contains_itself_is_refused_with_the_way_round():
    with pytest.raises(InputError, match="A > B > A"):
        network(Sku("A", components=(("B", 1),)), Sku("B", components=(("A", 1),)))


def test_a_kit_of_unknown_parts_is_refused():
    with pytest.raises(InputError, match="unknown component 'SOCK'"):
        network(Sku("BOX", components=(("SOCK", 2),)))


def test_a_channel_served_from_nowhere_known_is_refused():
    with pytest.raises(InputError, match="unknown node 'DC9'"):
        network("TEE", channels=[Channel("web", nodes=("DC9",))])


def test_a_name_used_twice_is_refused():
    with pytest.raises(InputError, match="'TEE' is defined twice"):
        network("TEE", "TEE")


def test_every_kind_of_node_may_be_in_a_network_also_a_virtual_one():
    built = network("TEE", nodes=[Node("DROPSHIP", kind="virtual")])

    assert built.nodes["DROPSHIP"].kind == "virtual"


def test_a_channel_sells_our_own_stock_unless_told_otherwise():
    assert Channel("web").owners == ("",)
    assert msgspec.json.decode(b'{"channel":"web"}', type=Channel).owners == ("",)


def test_exploding_an_unknown_sku_names_it():
    with pytest.raises(UnknownError) as caught:
        network("TEE").explode("MUG")

    assert (caught.value.kind, caught.value.name) == ("SKU", "MUG")


def test_a_built_network_cannot_be_changed():
    built = network("TEE")

    with pytest.raises(TypeError):
        built.skus["MUG"] = Sku("MUG")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Sku(""),
        lambda: Sku("  "),
        lambda: Sku("A", unit_scale=0),
        lambda: Sku("A", pack_size=0),
        lambda: Sku("A", minimum_order=-1),
        lambda: Sku("A", components=(("A", 1),)),
        lambda: Sku("A", components=(("B", 0),)),
        lambda: Node("N", kind="shed"),
        lambda: Node("N", latitude=91),
        lambda: Node("N", longitude=-181),
        lambda: Channel("C", tier=0),
        lambda: Channel("C", owners=()),
        lambda: Channel("C", owners="ours"),
        lambda: Channel("C", weight=-1),
        lambda: Channel("C", weight=float("nan")),
        lambda: Channel("C", sync_latency_seconds=-1),
        lambda: Lane("A", "B", lead_time_days=-1),
        lambda: Lane("A", "B", lead_time_std_days=float("nan")),
        lambda: Lane("A", "B", review_period_days=0),
    ],
)
def test_a_noun_with_an_impossible_value_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
