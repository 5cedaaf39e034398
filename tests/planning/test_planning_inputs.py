"""Reading and checking what planning starts from."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from small_tables import DAYS, END, small_tables

from omnistock.errors import FrameError
from omnistock.planning.inputs import read_inputs
from omnistock.planning.network import FROM_SUPPLIER


def problems_of(tables, **settings):
    with pytest.raises(FrameError) as caught:
        read_inputs(tables, **settings)
    return [(one.table, one.row, one.column) for one in caught.value.problems], str(caught.value)


def test_quantities_are_coded_in_smallest_units():
    inputs = read_inputs(small_tables())

    tea = inputs.skus.index("TEA")
    assert inputs.unit_scale[tea] == 1000
    assert inputs.pack_size[tea] == 500
    assert inputs.stock["units"][inputs.stock["sku"] == tea].tolist() == [31_500]
    assert inputs.inbound["units"].tolist() == [12, 5_250]
    assert inputs.inbound["day"].tolist() == [3, 0]


def test_a_kit_consumes_its_components_and_others_themselves():
    inputs = read_inputs(small_tables())

    kit = inputs.skus.index("SET")
    own = slice(inputs.part_offsets[kit], inputs.part_offsets[kit + 1])
    parts = {
        inputs.skus[p]: u for p, u in zip(inputs.part[own], inputs.part_units[own], strict=True)
    }
    assert parts == {"MUG": 2, "TEA": 250}
    assert np.diff(inputs.part_offsets).tolist() == [1, 1, 1, 2]


def test_history_ends_the_day_before_the_plan():
    inputs = read_inputs(small_tables())

    assert inputs.as_of == END
    assert inputs.n_days == DAYS
    assert inputs.first_day + DAYS == np.datetime64(END)
    assert inputs.sales["day"].max() == DAYS - 1


def test_sales_from_the_plan_date_on_are_left_out():
    early = END - dt.timedelta(days=10)

    inputs = read_inputs(small_tables(), early)

    assert inputs.n_days == DAYS - 10
    assert inputs.sales["day"].max() == DAYS - 11


def test_each_node_takes_its_fastest_lane_and_a_store_only_in_need():
    tables = small_tables()
    tables["lanes"]["source"] += ["YORK", "MILL"]
    tables["lanes"]["destination"] += ["LEEDS", "LEEDS"]
    tables["lanes"]["lead_time_days"] += [0.5, 9.0]
    tables["lanes"]["lead_time_std_days"] += [0.0, 0.0]
    tables["lanes"]["review_period_days"] += [1, 1]

    lanes = read_inputs(tables).lanes

    assert lanes.source_name == ("MILL", "DC", "DC")
    assert lanes.source.tolist() == [FROM_SUPPLIER, 0, 0]
    assert lanes.level.tolist() == [0, 1, 1]


def test_every_unknown_name_is_reported_at_once_with_its_row():
    tables = small_tables()
    tables["sales"]["sku"][4] = "TEEE"
    tables["sales"]["node"][7] = "HULL"
    tables["stock"]["sku"][1] = "CUP"
    tables["orders"]["channel"][2] = "fax"

    found, text = problems_of(tables)

    assert found == [
        ("sales", 5, "sku"),
        ("sales", 8, "node"),
        ("stock", 2, "sku"),
        ("orders", 3, "channel"),
    ]
    assert "did you mean 'TEE'" in text


@pytest.mark.parametrize(
    ("table", "column", "row", "value", "words"),
    [
        ("stock", "sku", 0, "SET", "has no stock of its own"),
        ("stock", "node", 0, "MILL", "is a supplier"),
        ("lanes", "destination", 0, "MILL", "is a supplier"),
        ("channels", "nodes", 0, "LEEDS|HULL", "unknown node 'HULL'"),
        ("orders", "channel", 1, "market", "different order numbers"),
        ("kits", "quantity", 1, 0.0005, "no whole number of smallest units"),
        ("stock", "on_hand", 5, 0.0005, "not a whole number of smallest units"),
        ("sales", "quantity", 3, float("nan"), "quantity"),
        ("stock", "on_hand", 2, -1, "negative"),
        ("skus", "pack_size", 0, 2.5, "not a whole number of smallest units"),
    ],
)
def test_a_wrong_cell_is_named_by_table_row_and_column(table, column, row, value, words):
    tables = small_tables()
    tables[table][column][row] = value

    found, text = problems_of(tables)

    assert found == [(table, row + 1, column)]
    assert words in text


def test_lanes_that_run_in_a_circle_are_refused():
    tables = small_tables()
    tables["nodes"]["kind"] = ["warehouse"] * 3 + ["supplier"]
    tables["lanes"]["source"] = ["YORK", "DC", "LEEDS"]

    _, text = problems_of(tables)

    assert "DC > YORK > LEEDS > DC" in text


def test_a_kit_that_contains_itself_is_refused():
    tables = small_tables()
    tables["kits"] = {"kit": ["SET", "MUG"], "component": ["MUG", "SET"], "quantity": [1, 1]}
    for name in ("stock", "orders"):
        tables[name]["sku"] = [
            "TEE" if sku in ("MUG", "SET") else sku for sku in tables[name]["sku"]
        ]
    tables["stock"] = {"sku": ["TEE"], "node": ["DC"], "on_hand": [1]}

    found, text = problems_of(tables)

    assert found == [("kits", None, None)]
    assert "contains itself" in text


def test_a_mistyped_year_is_refused_rather_than_planned_for():
    tables = small_tables()
    tables["sales"]["date"][9] = "2062-03-03"

    found, text = problems_of(tables)

    assert found == [("sales", 10, "date")]
    assert "as_of" in text


def test_missing_and_unknown_tables_are_named():
    tables = small_tables()
    del tables["lanes"]
    tables["salse"] = tables.pop("sales")

    found, _ = problems_of(tables)

    assert found == [("salse", None, None), ("lanes", None, None), ("sales", None, None)]


def test_a_history_before_any_sale_is_refused():
    found, _ = problems_of(small_tables(), as_of=dt.date(2020, 1, 1))

    assert found == [("sales", None, "date")]


def test_something_that_holds_no_tables_is_refused():
    found, _ = problems_of(42)

    assert found == [("int", None, None)]
