from __future__ import annotations

import pandas as pd
import pytest

import omnistock as om
from omnistock.numerics.demand import DemandDistribution
from omnistock.replenishment import TransferLanes, rebalance_arrays

STOCK = {
    "sku": ["MUG", "TEE", "TEE", "MUG", "TEE"],
    "node": ["SHOP", "SHOP", "DC", "DC", "OUTLET"],
    "on_hand": [0, 1, 9, 24, 6],
    "margin_cents": [300, 900, 0, 0, 400],
    "mean": [7.0, 5.0, 0.0, 0.0, 2.0],
    "variance": [9.0, None, 0.0, 0.0, 3.0],
    "pack_size": [6, 1, 1, 6, 1],
}
LANES = {
    "source": ["DC", "OUTLET", "DC"],
    "destination": ["SHOP", "SHOP", "OUTLET"],
    "freight_cents": [20, 15, 25],
    "truck_volume": [12, 0, 0],
    "truck_cents": [500, 0, 0],
}


def test_tables_move_what_arrays_move():
    moved = om.rebalance(STOCK, LANES)

    arrays = rebalance_arrays(
        [0, 1, 1, 0, 1],
        [0, 0, 1, 1, 2],
        STOCK["on_hand"],
        demand=DemandDistribution.from_moments(STOCK["mean"], [9.0, 5.0, 0.0, 0.0, 3.0]),
        margin_cents=STOCK["margin_cents"],
        lanes=TransferLanes(
            [1, 2, 1], [0, 0, 2], [20, 15, 25], truck_volume=[12, 0, 0], truck_cents=[500, 0, 0]
        ),
        pack_size=[6, 1],
    )
    assert moved.quantity.sum() == arrays.quantity.sum() > 0
    assert moved.net_cents == arrays.net_cents
    assert moved.gap == pytest.approx(0, abs=1e-6)


def test_lines_carry_the_names_of_the_tables_and_come_as_the_callers_kind():
    moved = om.rebalance(pd.DataFrame(STOCK), LANES)

    table = moved.to_table(like=pd.DataFrame())

    assert isinstance(table, pd.DataFrame)
    assert set(table["sku"]) <= {"TEE", "MUG"}
    assert set(table["source"]) <= {"DC", "OUTLET"}
    assert "units of SKU TEE from node" in " ".join(moved.explain(i) for i in range(len(moved)))


@pytest.mark.parametrize(
    ("stock", "lanes", "message"),
    [
        ({}, {"source": ["DC", "MARS", "DC"]}, r"lanes, row 2, column 'source'.*MARS"),
        ({}, {"destination": ["DC", "SHOP", "OUTLET"]}, "lanes, row 1.*another node"),
        ({"pack_size": [6, 1, 1, 4, 1]}, {}, r"stock, row 4, column 'pack_size'.*is 4, and 6"),
        ({"movable": [0, 1, 10, 0, 0]}, {}, r"stock, row 3, column 'movable'"),
        ({"node": ["SHOP", "SHOP", "SHOP", "DC", "OUTLET"]}, {}, "stock, row 3"),
        ({"mean": [7.0, -1.0, 0.0, 0.0, 2.0]}, {}, r"stock, row 2, column 'mean'"),
        ({}, {"trucks": [-2, 0, 0]}, r"lanes, row 1, column 'trucks'"),
    ],
)
def test_wrong_rows_are_named(stock, lanes, message):
    with pytest.raises(om.FrameError, match=message):
        om.rebalance(STOCK | stock, LANES | lanes)


def test_nothing_to_move_is_no_error():
    empty = {"sku": [], "node": [], "on_hand": [], "margin_cents": [], "mean": []}
    assert om.rebalance(empty, {"source": [], "destination": []}).to_table().num_rows == 0

    bare = {"sku": ["A", "A"], "node": ["N", "M"], "on_hand": [0, 0], "margin_cents": [5, 5]}
    lanes = {"source": ["N"], "destination": ["M"], "truck_volume": [3], "truck_cents": [10]}
    moved = om.rebalance(bare | {"mean": [2.0, 2.0]}, lanes)
    assert (len(moved), moved.net_cents, moved.gap) == (0, 0.0, 0.0)
