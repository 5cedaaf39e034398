"""The simulated retailer's tables: clean, consistent with the truth, and repeatable."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from omnistock.errors import InputError
from omnistock.frames import TABLES, check_references, read_folder, read_table, smallest_units
from omnistock.simulation import Retailer, make_retailer


def index_of(labels, wanted) -> np.ndarray:
    position = {label: i for i, label in enumerate(labels)}
    return np.array([position[one] for one in wanted], dtype=np.int64)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_passes_the_checks_of_the_reader(tiny_retailer: Retailer, name: str):
    table = read_table(tiny_retailer.tables[name], TABLES[name])

    assert table.n_rows > 0


def test_tables_name_only_skus_nodes_and_channels_that_exist(counted_retailer: Retailer):
    tables = {
        name: read_table(columns, TABLES[name]) for name, columns in counted_retailer.tables.items()
    }
    known = {
        "sku": set(tables["skus"]["sku"]),
        "node": {*tables["nodes"]["node"], ""},
        "channel": {*tables["channels"]["channel"], ""},
    }

    for table in tables.values():
        for column in ("sku", "node", "channel"):
            if column in table:
                assert check_references(table, column, known[column]) == []
    assert check_references(tables["kits"], "kit", known["sku"]) == []
    assert check_references(tables["kits"], "component", known["sku"]) == []
    assert check_references(tables["lanes"], "source", known["node"]) == []
    assert check_references(tables["lanes"], "destination", known["node"]) == []


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_a_written_folder_reads_back_the_same(tiny_retailer: Retailer, tmp_path, format: str):
    folder = tiny_retailer.write(tmp_path / "shop", format=format)

    tables = read_folder(folder, required=tuple(TABLES))

    for name, columns in tiny_retailer.tables.items():
        direct = read_table(columns, TABLES[name])
        for column in TABLES[name].names:
            np.testing.assert_array_equal(tables[name][column], direct[column])


def test_an_unknown_format_is_refused_before_anything_is_written(tiny_retailer, tmp_path):
    with pytest.raises(InputError, match="parquet"):
        tiny_retailer.write(tmp_path / "shop", format="xlsx")

    assert not (tmp_path / "shop").exists()


def test_the_same_seed_gives_the_same_tables_and_another_seed_others(tiny_retailer: Retailer):
    again = make_retailer(seed=7, n_skus=20, days=60)
    other = make_retailer(seed=8, n_skus=20, days=60)

    for name, columns in tiny_retailer.tables.items():
        first, second = (read_table(one, TABLES[name]) for one in (columns, again.tables[name]))
        for column in TABLES[name].names:
            np.testing.assert_array_equal(first[column], second[column])
    assert not np.array_equal(tiny_retailer.history.closing, other.history.closing), (
        "the seed has no effect"
    )


def test_the_stock_table_is_the_closing_stock_to_the_gram(counted_retailer: Retailer):
    goods = counted_retailer.model.catalogue
    stock = read_table(counted_retailer.tables["stock"], TABLES["stock"])
    s = index_of(goods.sku, stock["sku"])
    n = index_of(counted_retailer.tables["nodes"]["node"].to_pylist(), stock["node"])

    units = smallest_units(stock["on_hand"], goods.unit_scale[s])

    np.testing.assert_array_equal(units, counted_retailer.history.closing[s, n])
    assert units.sum() == counted_retailer.history.closing.sum()


def test_the_sales_table_holds_exactly_what_was_sold(counted_retailer: Retailer):
    goods, sold = counted_retailer.model.catalogue, counted_retailer.history.sales
    sales = read_table(counted_retailer.tables["sales"], TABLES["sales"])
    s = index_of(goods.sku, sales["sku"])

    np.testing.assert_array_equal(s, sold["sku"])
    np.testing.assert_array_equal(
        smallest_units(sales["quantity"], goods.unit_scale[s]), sold["units"]
    )
    assert sales["date"].max() == np.datetime64(counted_retailer.plan_date)
    assert (np.diff(sales["date"]) >= np.timedelta64(0, "D")).all()


def test_a_sale_is_flagged_exactly_if_a_promotion_in_the_table_covers_it(tiny_retailer: Retailer):
    sales = read_table(tiny_retailer.tables["sales"], TABLES["sales"])
    promotions = read_table(tiny_retailer.tables["promotions"], TABLES["promotions"])
    rows = list(
        zip(
            promotions["sku"],
            promotions["start"],
            promotions["end"],
            promotions["channel"],
            strict=True,
        )
    )

    expected = [
        any(
            of_sku == sku and start <= date <= end and of_channel in ("", channel)
            for of_sku, start, end, of_channel in rows
        )
        for date, sku, channel in zip(sales["date"], sales["sku"], sales["channel"], strict=True)
    ]

    assert sales["promotion"].tolist() == expected
    assert any(expected)


def test_kits_and_goods_by_weight_are_there_and_kits_have_no_stock(counted_retailer: Retailer):
    skus = read_table(counted_retailer.tables["skus"], TABLES["skus"])
    kits = set(read_table(counted_retailer.tables["kits"], TABLES["kits"])["kit"])
    stock = read_table(counted_retailer.tables["stock"], TABLES["stock"])

    assert len(kits) == round(0.02 * 240)
    assert (skus["unit_scale"] == 1000).sum() == round(0.02 * 240)
    assert kits.isdisjoint(stock["sku"])


def test_open_orders_never_ask_for_more_than_the_stock_they_use(counted_retailer: Retailer):
    tables = counted_retailer.tables
    orders = read_table(tables["orders"], TABLES["orders"])
    stock = read_table(tables["stock"], TABLES["stock"])
    on_hand: dict[str, float] = {}
    for sku, units in zip(stock["sku"], stock["on_hand"], strict=True):
        on_hand[sku] = on_hand.get(sku, 0.0) + units

    asked: dict[str, float] = {}
    channels: dict[str, set[str]] = {}
    for order, sku, channel, units in zip(
        orders["order"], orders["sku"], orders["channel"], orders["quantity"], strict=True
    ):
        asked[sku] = asked.get(sku, 0.0) + units
        channels.setdefault(order, set()).add(channel)

    assert all(units <= on_hand[sku] for sku, units in asked.items())
    most: dict[str, float] = {}
    for sku, units in zip(stock["sku"], stock["on_hand"], strict=True):
        most[sku] = max(most.get(sku, 0.0), units)
    skus = read_table(tables["skus"], TABLES["skus"])
    smallest = dict(zip(skus["sku"], 1 / skus["unit_scale"], strict=True))
    # Five channels may draw on one stockpoint, and together take a third of it at most.
    for sku, units in zip(orders["sku"], orders["quantity"], strict=True):
        assert units <= max(smallest[sku], most[sku] / 15)
    assert all(len(one) == 1 for one in channels.values()), "an order came through two channels"


def test_inbound_is_due_after_the_plan_date(counted_retailer: Retailer):
    inbound = read_table(counted_retailer.tables["inbound"], TABLES["inbound"])

    assert inbound["eta"].min() > np.datetime64(counted_retailer.plan_date)


def test_too_small_a_retailer_is_refused():
    with pytest.raises(InputError, match="n_skus"):
        make_retailer(n_skus=9)
    with pytest.raises(InputError, match="days"):
        make_retailer(n_skus=20, days=59)
    with pytest.raises(InputError, match="ISO date"):
        make_retailer(n_skus=20, days=60, end="30.6.2026")


def test_the_history_ends_on_the_day_that_was_asked_for():
    retailer = make_retailer(seed=1, n_skus=20, days=60, end=dt.date(2025, 3, 1))

    assert retailer.plan_date == dt.date(2025, 3, 1)
    assert retailer.model.first_date == dt.date(2025, 1, 1)
    assert retailer.days == 60


def test_progress_ends_at_the_last_day():
    calls: list[tuple[int, int, str]] = []

    make_retailer(seed=1, n_skus=20, days=60, progress=lambda *call: calls.append(call))

    assert calls[-1][:2] == (60, 60)
    assert [done for done, _, _ in calls] == sorted(done for done, _, _ in calls)
