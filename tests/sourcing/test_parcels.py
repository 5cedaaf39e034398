"""Parcels: the fewest that the rules allow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.model import Node
from omnistock.sourcing import (
    Candidates,
    CostTerm,
    ParcelRules,
    Request,
    Strategy,
    choose_nodes,
    pack,
)


def fewest_bins(weights, limit, room):
    """The least number of parts of a set partition that all fit, every partition tried."""

    def parts(rest):
        if not rest:
            yield []
            return
        first, *others = rest
        for smaller in parts(others):
            yield [[first], *smaller]
            for k, part in enumerate(smaller):
                yield [*smaller[:k], [first, *part], *smaller[k + 1 :]]

    def fits(part):
        alone = len(part) == 1
        return len(part) <= room and (alone or sum(part) <= limit)

    return min(len(one) for one in parts(list(weights)) if all(map(fits, one)))


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=7),
    st.integers(5, 14),
    st.integers(1, 4),
)
def test_units_travel_in_the_fewest_parcels(weights, limit, room):
    names = [f"S{k}" for k in range(len(weights))]
    rules = ParcelRules(limit, room, dict(zip(names, weights, strict=True)))

    parcels = pack([(name, "DC", 1) for name in names], rules)

    assert len(parcels) == fewest_bins(weights, limit, room)
    assert sorted(sku for one in parcels for sku, _ in one.units) == sorted(names)
    for one in parcels:
        units = sum(count for _, count in one.units)
        assert units <= room
        assert one.weight_grams <= limit or (one.overweight and units == 1)


def test_a_search_finds_what_first_fit_misses():
    # First fit: 8 + 5, 5 + 4 + 4, 3. But 8 + 4 + 3 and 5 + 5 + 4 fit into 15 each.
    weights = {f"S{k}": weight for k, weight in enumerate((8, 5, 5, 4, 4, 3))}

    assert len(pack([(name, "DC", 1) for name in weights], ParcelRules(15, None, weights))) == 2


def test_categories_and_nodes_never_share_a_parcel():
    rules = ParcelRules(category={"BLEACH": "chemistry", "BREAD": "food", "JAM": "food"})

    parcels = pack(
        [("BREAD", "DC", 1), ("BLEACH", "DC", 2), ("JAM", "DC", 1), ("JAM", "S", 1)], rules
    )

    assert [(one.node, one.category, one.units) for one in parcels] == [
        ("DC", "food", (("BREAD", 1), ("JAM", 1))),
        ("DC", "chemistry", (("BLEACH", 2),)),
        ("S", "food", (("JAM", 1),)),
    ]


def test_a_unit_too_heavy_for_any_parcel_travels_alone_and_is_marked():
    parcels = pack([("SOFA", "DC", 1), ("MUG", "DC", 1)], ParcelRules(1000, None, {"SOFA": 40_000}))

    assert [(one.units, one.overweight) for one in parcels] == [
        ((("SOFA", 1),), True),
        ((("MUG", 1),), False),
    ]


def test_the_cost_of_parcels_may_change_the_nodes():
    nodes = tuple(Node(name) for name in ("A", "B", "C"))
    # Freight alone: A and B for 2.00, C for 2.30. With 0.50 a parcel 3.00 against 2.80.
    stock = Candidates(nodes, np.array([[1, 0], [0, 1], [1, 1]], np.int64))
    terms = (CostTerm("freight", package_cents={"A": 100, "B": 100, "C": 230}),)
    rules = ParcelRules(cents_per_parcel=50)

    def chosen(parcels):
        strategy = Strategy(("cost",), costs=terms, parcels=parcels)
        return choose_nodes(strategy, ["X", "Y"], np.array([1, 1]), stock, Request())

    assert chosen(None).costs == {"freight": 200}
    assert chosen(rules).costs == {"freight": 230, "parcels": 50}
    assert {one.node for one in chosen(rules).lines} == {"C"}
    assert "in 1 parcel" in chosen(rules).explain()


WRONG = ({"max_units": 0}, {"max_weight_grams": 0}, {"cents_per_parcel": -1})


@pytest.mark.parametrize("wrong", WRONG)
def test_limits_of_parcels_are_checked(wrong):
    with pytest.raises(InputError, match="must be >="):
        ParcelRules(**wrong)
