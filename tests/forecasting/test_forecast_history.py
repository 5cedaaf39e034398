import numpy as np
import pytest

import omnistock as om
from omnistock.errors import FrameError, InputError
from omnistock.forecasting.history import read_history

DAYS = ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]


def sales(**columns):
    return {"sku": ["A"] * 4, "date": DAYS, "quantity": [3, 0, 2, 5], **columns}


def test_rows_in_any_order_become_regular_series():
    table = {
        "node": ["DC1", "DC2", "DC1", "DC1"],
        "sku": ["B", "A", "A", "B"],
        "date": ["2026-03-02", "2026-03-01", "2026-03-04", "2026-03-01"],
        "quantity": [7, 1, 2, 6],
    }

    history = read_history(table, missing="zero")

    names = list(zip(history.keys["sku"], history.keys["node"], strict=True))
    assert names == [("A", "DC1"), ("A", "DC2"), ("B", "DC1")]
    np.testing.assert_array_equal(history.panel.offsets, [0, 1, 5, 9])
    np.testing.assert_array_equal(history.panel.values, [2, 1, 0, 0, 0, 6, 7, 0, 0])


def test_a_missing_row_is_refused_unless_it_means_zero():
    table = {"sku": ["A", "A"], "date": [DAYS[0], DAYS[3]], "quantity": [3, 5]}

    with pytest.raises(FrameError, match=r"sku 'A' has no row for 2026-03-02, and 2 rows"):
        read_history(table)
    np.testing.assert_array_equal(read_history(table, missing="zero").panel.values, [3, 0, 0, 5])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"quantity": [3, np.nan, 2, 5]}, "row 2, column 'quantity'"),
        ({"quantity": [3, 0, -2, 5]}, "row 3, column 'quantity'"),
        ({"date": ["2026-03-01", "soon", "2026-03-03", "2026-03-04"]}, "row 2, column 'date'"),
        ({"date": [DAYS[0], DAYS[0], DAYS[1], DAYS[2]]}, "row 2"),
        ({"stockout_share": [0, 0, 2, 0]}, "row 3, column 'stockout_share'"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(columns, message):
    with pytest.raises(FrameError, match=message):
        read_history(sales(**columns))


def test_missing_columns_are_named():
    with pytest.raises(FrameError, match="'quantity'"):
        read_history({"sku": ["A"], "date": [DAYS[0]]})
    with pytest.raises(FrameError, match="names no series"):
        read_history({"date": [DAYS[0]], "quantity": [1]})
    with pytest.raises(InputError):
        read_history(12)


def test_stockout_days_reach_every_channel_of_the_stockpoint():
    table = {
        "sku": ["A"] * 4 + ["B"] * 2,
        "node": ["DC1"] * 6,
        "channel": ["web", "web", "store", "store", "web", "web"],
        "date": DAYS[:2] * 3,
        "quantity": [1, 2, 3, 4, 5, 6],
    }
    stockouts = {
        "date": [DAYS[1], DAYS[0], "2026-04-01", DAYS[0]],
        "sku": ["A", "B", "A", "C"],
        "node": ["DC1", "DC2", "DC1", "DC1"],
        "share": [0.25, 1.0, 1.0, 1.0],
    }

    panel = read_history(table, stockouts=stockouts).panel

    np.testing.assert_array_equal(panel.stocked, [1, 0.75, 1, 0.75, 1, 1])


def test_stockout_days_of_a_week_add_up():
    weeks = {"sku": ["A"] * 2, "date": ["2026-03-02", "2026-03-09"], "quantity": [9, 4]}
    days = [f"2026-03-{day:02d}" for day in range(9, 16)]
    stockouts = {"date": days, "sku": ["A"] * 7, "node": ["DC1"] * 7}

    panel = read_history(weeks, frequency="W", stockouts=stockouts).panel

    np.testing.assert_allclose(panel.stocked, [1.0, 0.0], atol=1e-12)


def test_a_stockout_column_is_the_share_without_stock():
    panel = read_history(sales(stockout_share=[0.0, 1.0, 0.5, None])).panel

    np.testing.assert_array_equal(panel.stocked, [1, 0, 0.5, 1])


def test_weeks_that_begin_on_different_days_are_refused():
    weeks = {"sku": ["A"] * 2, "date": ["2026-03-02", "2026-03-10"], "quantity": [9, 4]}

    with pytest.raises(FrameError, match=r"row 2.*weekday"):
        read_history(weeks, frequency="W")


def test_two_rows_of_one_month_are_refused():
    months = {"sku": ["A"] * 2, "date": ["2026-03-01", "2026-03-31"], "quantity": [9, 4]}

    with pytest.raises(FrameError, match=r"row 2.*second row"):
        read_history(months, frequency="M")


def test_months_hours_and_steps_are_counted_as_such():
    months = read_history(
        {"unique_id": ["A"] * 2, "ds": ["2026-01-31", "2026-02-28"], "y": [1, 2]}, frequency="M"
    )
    hours = read_history(
        {"unique_id": ["A"] * 2, "ds": ["2026-01-01T23:00", "2026-01-02T00:00"], "y": [1, 2]},
        frequency="H",
    )
    steps = read_history({"unique_id": ["A"] * 2, "ds": [7, 8], "y": [1, 2]}, frequency="step")

    assert months.frequency.label(int(months.first[0])) == "2026-01-01"
    assert hours.frequency.label(int(hours.first[0])) == "2026-01-01T23:00:00"
    assert steps.first[0] == 7


def test_a_file_is_read_by_its_path(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("sku,date,quantity\n007,2026-03-01,2\n007,2026-03-02,3\n")

    forecast = om.forecast(path, horizon=2)

    assert forecast.keys["sku"].tolist() == ["007"]
    assert type(forecast.to_table()).__module__.startswith("pyarrow")


def test_unknown_options_are_refused():
    with pytest.raises(InputError, match="missing"):
        read_history(sales(), missing="nan")
    with pytest.raises(InputError, match="frequency"):
        read_history(sales(), frequency="fortnight")
