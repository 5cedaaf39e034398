from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.replenishment import replenish
from omnistock.replenishment.orders import REASONS

POLICY = {"on_hand": 3, "on_order": 0, "backorders": 0, "reorder_point": 10, "order_up_to": 40}


def smallest_order(position, reorder_point, order_up_to, pack, minimum):
    """The least whole packs, counted up one by one."""
    if position > reorder_point or position >= order_up_to:
        return 0
    quantity = 0
    while position + quantity < order_up_to or quantity < minimum:
        quantity += pack
    return quantity


units = st.integers(0, 200)


@given(st.integers(-50, 200), units, units, st.integers(-1, 150), units,
       st.integers(1, 40), st.integers(0, 120))  # fmt: skip
def test_an_order_is_the_smallest_that_lifts_the_position_to_the_level(
    on_hand, on_order, backorders, point, above, pack, minimum
):
    orders = replenish(
        on_hand=on_hand,
        on_order=on_order,
        backorders=backorders,
        reorder_point=point,
        order_up_to=point + above,
        pack_size=pack,
        minimum_order=minimum,
    )

    position = on_hand + on_order - backorders
    expected = smallest_order(position, point, point + above, pack, minimum)
    assert orders.inventory_position.tolist() == [position]
    assert orders.order_quantity.tolist() == [expected]
    assert (orders.reason[0] == 0) == (expected == 0)
    assert str(expected) in orders.explain(0) or not expected


def test_each_line_tells_what_settled_it():
    orders = replenish(
        on_hand=[11, 10, 3, 3, 3, 40],
        on_order=0,
        backorders=[0, 0, 0, 0, 0, 0],
        reorder_point=[10, 10, 10, 10, 10, 40],
        order_up_to=40,
        pack_size=[1, 1, 6, 1, 10, 1],
        minimum_order=[0, 0, 0, 48, 48, 0],
    )

    assert orders.order_quantity.tolist() == [0, 30, 42, 48, 50, 0]
    assert orders.reason.tolist() == [0, 1, 2, 3, 3, 0]
    assert orders.reason_names[1] == REASONS[1]
    assert orders.explain(0) == "position 11 > reorder point 10: nothing to order"
    assert orders.explain(1).endswith("40 - 10 = 30 needed: order 30")
    assert orders.explain(2).endswith("37 needed, in whole packs of 6: order 42")
    assert orders.explain(3).endswith("raised to the minimum order of 48: order 48")
    assert orders.explain(4).endswith("minimum order of 48, in whole packs of 10: order 50")
    assert orders.explain(-1) == "position 40 is at the level 40: nothing to order"
    with pytest.raises(InputError, match="row 6"):
        orders.explain(6)


def test_units_on_the_way_count_and_units_owed_are_ordered():
    orders = replenish(
        on_hand=[5, 5], on_order=[20, 0], backorders=[0, 8], reorder_point=10, order_up_to=40
    )

    assert orders.order_quantity.tolist() == [0, 43]


def test_what_is_not_stocked_is_ordered_only_when_owed():
    orders = replenish(
        on_hand=0, on_order=0, backorders=[0, 2], reorder_point=-1, order_up_to=0, minimum_order=12
    )

    assert orders.order_quantity.tolist() == [0, 12]


def test_the_result_reads_as_a_table():
    table = replenish(**POLICY, pack_size=6).to_table()

    assert table.column("order_quantity").to_pylist() == [42]
    assert table.column("reason").to_pylist() == ["rounded up to whole packs"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"on_hand": 2.5}, "on_hand must be whole units, got 2.5"),
        ({"on_hand": [1.0, np.nan]}, "on_hand must be whole units; row 1"),
        ({"on_hand": "3"}, "on_hand must be integers"),
        ({"on_order": -1}, "on_order must be >= 0"),
        ({"backorders": [0, -4]}, "backorders must be >= 0; row 1 .* has -4"),
        ({"pack_size": 0}, "pack_size must be >= 1"),
        ({"minimum_order": -6}, "minimum_order must be >= 0"),
        ({"order_up_to": 9}, "order_up_to must be >= reorder_point"),
        ({"on_hand": [1, 2], "on_order": [1, 2, 3]}, "shapes disagree"),
        ({"on_hand": [[1]]}, "one shape"),
        ({"on_hand": 2**62}, "at most"),
        ({"on_hand": np.uint64(2**63)}, "at most"),
    ],
)
def test_wrong_numbers_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        replenish(**{**POLICY, **change})
