"""The whole chain on a small retailer."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pyarrow.compute as pc
import pytest
from small_tables import END, FIRST, small_tables

import omnistock as om
from omnistock.errors import FrameError, InputError
from omnistock.frames import write_table


@pytest.fixture(scope="module")
def small_plan():
    return om.plan(small_tables())


def rows(table, **wanted):
    for column, value in wanted.items():
        table = table.filter(pc.equal(table[column], value))
    return table.to_pylist()


def test_every_table_is_there_and_finite(small_plan):
    assert small_plan.as_of == END
    assert small_plan.forecast.num_rows == 28 * small_plan.buffers.num_rows
    for name, table in small_plan.tables.items():
        assert table.num_rows > 0, name
        for column in table.column_names:
            assert (
                column in ("quota", "days_of_cover")
                or not table[column].null_count
                or (name == "kpis")
            ), (name, column)


def test_bounds_are_in_order_and_never_negative(small_plan):
    for table in (small_plan.forecast, small_plan.outlook):
        bounds = [table[c].to_numpy() for c in
                  ("lower_95", "lower_80", "median", "upper_80", "upper_95")]  # fmt: skip
        assert (bounds[0] >= 0).all()
        assert all((high >= low).all() for low, high in pairwise(bounds))


def test_the_outlook_is_the_sum_of_the_forecasts(small_plan):
    of_nodes = pc.sum(small_plan.forecast["mean"]).as_py()
    outlook = small_plan.outlook
    for level in ("sku", "total"):
        of_level = pc.sum(outlook.filter(pc.equal(outlook["level"], level))["mean"]).as_py()
        assert of_level == pytest.approx(of_nodes)


def test_history_holds_all_units_sold_with_kits_exploded(small_plan):
    sales = small_tables()["sales"]
    sold = dict.fromkeys(("TEE", "MUG", "TEA"), 0.0)
    for sku, quantity in zip(sales["sku"], sales["quantity"], strict=True):
        for part, units in ({"MUG": 2, "TEA": 0.25} if sku == "SET" else {sku: 1}).items():
            sold[part] += quantity * units

    for sku, units in sold.items():
        found = sum(row["quantity"] for row in rows(small_plan.history, sku=sku))
        assert found == pytest.approx(units)


def test_key_figures_of_nodes_and_channels_add_up_to_the_total(small_plan):
    total = rows(small_plan.kpis, scope="total")[0]
    for scope in ("node", "channel"):
        of_scope = rows(small_plan.kpis, scope=scope)
        for figure in ("forecast_demand", "last_demand", "units_short"):
            assert sum(row[figure] for row in of_scope) == pytest.approx(total[figure])
    nodes = rows(small_plan.kpis, scope="node")
    assert sum(row["stock_value"] for row in nodes) == pytest.approx(total["stock_value"])
    assert total["stock_value"] == pytest.approx(24 * 4 + 62 * 2 + 31.5 * 12)


def test_weighed_goods_are_planned_in_kilograms(small_plan):
    tea = rows(small_plan.buffers, sku="TEA", node="DC")[0]

    assert tea["on_hand"] == 31.5
    assert tea["on_order"] == 5.25
    assert 1.5 < tea["demand_per_day"] < 4.0  # 2 kg, and a quarter in one or two kits
    order = rows(small_plan.replenishment, sku="TEA")
    assert all(row["quantity"] % 0.5 == 0 for row in order)


def test_every_proposal_gives_a_reason(small_plan):
    for table in (small_plan.buffers, small_plan.channel_buffers, small_plan.replenishment,
                  small_plan.allocation):  # fmt: skip
        assert all(len(reason) > 10 for reason in table["reason"].to_pylist())


def test_scarce_units_go_to_the_first_tier_and_become_quotas(small_plan):
    tee = {row["channel"]: row for row in rows(small_plan.allocation, sku="TEE")}

    assert sum(row["granted"] for row in tee.values()) <= tee["web"]["supply"]
    assert tee["market"]["granted"] < tee["market"]["requested"]
    assert tee["market"]["quota"] == tee["market"]["granted"]
    for row in tee.values():
        assert (row["quota"] is None) == (row["granted"] == row["requested"])


def test_days_without_stock_do_not_lower_the_forecast():
    tables = small_tables()
    days = [(FIRST + dt.timedelta(days=day)).isoformat() for day in range(40, 70)]
    kept = [
        not (date in days and sku == "TEE" and node == "DC")
        for date, sku, node in zip(
            tables["sales"]["date"], tables["sales"]["sku"], tables["sales"]["node"], strict=True
        )
    ]
    tables["sales"] = {
        name: [value for value, keep in zip(column, kept, strict=True) if keep]
        for name, column in tables["sales"].items()
    }
    n = len(days)
    told = tables | {"stockouts": {"date": days, "sku": ["TEE"] * n, "node": ["DC"] * n}}

    def per_day(result):
        return rows(result.buffers, sku="TEE", node="DC")[0]["demand_per_day"]

    assert per_day(om.plan(told)) == pytest.approx(8.0, rel=0.2)
    assert per_day(om.plan(tables, as_of=END)) < 5.0


def test_the_order_of_rows_does_not_matter(small_plan):
    tables = small_tables()
    shuffled = np.random.default_rng(7).permutation(len(tables["sales"]["date"]))
    tables["sales"] = {
        name: [column[i] for i in shuffled] for name, column in tables["sales"].items()
    }

    again = om.plan(tables)

    for name, table in small_plan.tables.items():
        assert again.tables[name].equals(table), name


def test_a_folder_gives_the_same_plan_as_its_tables(small_plan, tmp_path):
    for name, columns in small_tables().items():
        write_table(columns, tmp_path / f"{name}.{'csv' if name == 'sales' else 'parquet'}")

    again = om.plan(tmp_path)

    for name, table in small_plan.tables.items():
        assert again.tables[name].equals(table), name


def test_what_comes_after_the_plan_date_is_not_known():
    early = END - dt.timedelta(days=7)
    tables = small_tables()
    past = [date < early.isoformat() for date in tables["sales"]["date"]]
    cut = {
        name: [value for value, keep in zip(column, past, strict=True) if keep]
        for name, column in tables["sales"].items()
    }

    known = om.plan(tables | {"sales": cut}, as_of=early)
    told = om.plan(tables, as_of=early.isoformat())

    assert told.as_of == early
    for name, table in known.tables.items():
        assert told.tables[name].equals(table), name


def test_a_node_without_a_lane_gets_no_order_and_says_so():
    tables = small_tables()
    for column in tables["lanes"].values():
        del column[2]

    result = om.plan(tables)

    assert not rows(result.replenishment, destination="YORK")
    assert "no lane" in rows(result.buffers, sku="TEE", node="YORK")[0]["reason"]


def test_progress_only_moves_forward():
    seen = []

    om.plan(small_tables(), progress=lambda done, total, phase: seen.append((done, total, phase)))

    done = [one[0] for one in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1][1]
    assert len({phase for _, _, phase in seen}) == 8


@pytest.mark.parametrize(
    "settings",
    [
        {"horizon_days": 0},
        {"service_level": 95},
        {"fill_rate": 0},
        {"oversell_risk": 1},
        {"as_of": "July"},
    ],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(InputError):
        om.plan(small_tables(), **settings)


def test_bad_tables_are_refused_whole():
    tables = small_tables()
    tables["sales"]["quantity"][0] = float("nan")
    tables["stock"]["node"][0] = "HULL"

    with pytest.raises(FrameError):
        om.plan(tables)
