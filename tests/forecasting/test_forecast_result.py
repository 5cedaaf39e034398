import numpy as np
import pytest

import omnistock as om
from omnistock.errors import InputError, UnknownError

LEVELS = [0.1, 0.5, 0.9, 0.95, 0.99]


def history(n_days=42):
    rng = np.random.default_rng(4)
    days = np.datetime64("2026-01-05") + np.arange(n_days)
    return {
        "sku": np.repeat(["A", "B", "C"], n_days),
        "node": np.repeat(["DC1", "DC1", "DC2"], n_days),
        "date": np.tile(days, 3),
        "quantity": np.concatenate(
            [rng.poisson(8.0, n_days), rng.poisson(0.3, n_days), np.full(n_days, 2)]
        ),
    }


@pytest.fixture(scope="module")
def forecast():
    return om.forecast(history(), horizon=14, levels=LEVELS)


def frame_of(kind, columns):
    if kind == "pandas":
        import pandas as pd

        return pd.DataFrame(columns)
    if kind == "polars":
        import polars as pl

        return pl.DataFrame({name: pl.Series(values) for name, values in columns.items()})
    import pyarrow as pa

    return pa.table({name: pa.array(values) for name, values in columns.items()})


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_what_comes_in_goes_out(kind):
    columns = {name: values[:42] for name, values in history().items()}
    columns["sku"] = columns["sku"].astype(object)
    columns["node"] = columns["node"].astype(object)

    table = om.forecast(frame_of(kind, columns), horizon=3, levels=[0.5, 0.975]).to_table()

    assert type(table).__module__.split(".")[0] == kind
    names = list(table.column_names if kind == "pyarrow" else table.columns)
    assert names == ["sku", "node", "date", "mean", "variance", "q50", "q97.5", "reason"]
    assert len(table) == 3


def test_quantiles_rise_with_the_level_and_are_whole_for_counts(forecast):
    quantiles = forecast.quantiles()

    assert quantiles.shape == (3, 14, 5)
    assert (np.diff(quantiles, axis=2) >= 0).all()
    assert forecast.counts.all()
    np.testing.assert_array_equal(quantiles, np.rint(quantiles))


def test_dates_follow_the_last_day(forecast):
    assert forecast.dates.shape == (3, 14)
    assert str(forecast.dates[0, 0]) == "2026-02-16"


def test_series_that_end_apart_have_dates_of_their_own():
    table = {
        "sku": ["A", "A", "B"],
        "date": ["2026-03-01", "2026-03-02", "2026-03-01"],
        "quantity": [1, 2, 3],
    }

    dates = om.forecast(table, horizon=1).dates

    assert dates.astype(str).tolist() == [["2026-03-03"], ["2026-03-02"]]


def test_demand_over_a_lead_time_adds_up_the_periods(forecast):
    demand = forecast.lead_time_demand(5, review_period_days=2)

    np.testing.assert_allclose(demand.mean, forecast.mean[:, :7].sum(axis=1))
    variance = forecast.arrays.cumulative[:, 6]
    np.testing.assert_allclose(demand.variance, np.maximum(variance, demand.mean))


def test_one_day_of_lead_time_is_the_first_period(forecast):
    demand = forecast.lead_time_demand(1)

    np.testing.assert_array_equal(demand.quantile(0.95), forecast.quantiles([0.95])[:, 0, 0])


def test_half_a_day_is_half_a_period(forecast):
    demand = forecast.lead_time_demand(np.array([0.0, 0.5, 2.5]))

    assert demand.mean[0] == 0.0
    assert demand.mean[1] == pytest.approx(0.5 * forecast.mean[1, 0])
    assert demand.mean[2] == pytest.approx(forecast.mean[2, :2].sum() + 0.5 * forecast.mean[2, 2])


def test_an_uncertain_lead_time_adds_its_variance_times_demand_squared(forecast):
    fixed = forecast.lead_time_demand(7)
    random = forecast.lead_time_demand(7, lead_time_std_days=2)

    rate = forecast.mean[0, :7].mean()
    added = random.variance[0] - forecast.arrays.cumulative[0, 6]
    assert added == pytest.approx(4 * rate**2)
    assert random.mean[0] == fixed.mean[0]


def test_lead_times_of_weekly_forecasts_are_in_days():
    weeks = {
        "sku": ["A"] * 6,
        "date": np.datetime64("2026-01-05") + 7 * np.arange(6),
        "quantity": [9, 7, 8, 9, 7, 8],
    }
    forecast = om.forecast(weeks, horizon=4, frequency="W")

    assert forecast.lead_time_demand(14).mean[0] == pytest.approx(forecast.mean[0, :2].sum())
    assert str(forecast.dates[0, 0]) == "2026-02-16"


def test_a_lead_time_beyond_the_horizon_says_which_horizon_it_needs(forecast):
    with pytest.raises(InputError, match="horizon=20"):
        forecast.lead_time_demand(15, review_period_days=5)
    with pytest.raises(InputError, match="lead_time_days"):
        forecast.lead_time_demand(-1)
    with pytest.raises(InputError, match="shape"):
        forecast.lead_time_demand([1, 2])


def test_a_series_is_found_by_its_keys(forecast):
    assert forecast.find(sku="C") == 2
    with pytest.raises(UnknownError, match="sku Z"):
        forecast.find(sku="Z")
    with pytest.raises(InputError, match="2 series"):
        forecast.find(node="DC1")
    with pytest.raises(InputError, match="channel"):
        forecast.find(channel="web")


def test_the_explanation_names_model_reason_and_history(forecast):
    fast, slow, constant = (forecast.explain(i) for i in range(3))

    assert fast.reason == "combination"
    assert sum(fast.family_weights.values()) == pytest.approx(1.0, abs=0.02)
    assert "theta" in fast.text() or "simple smoothing" in fast.text()
    assert slow.reason == "intermittent"
    assert list(slow.family_weights) == ["simple smoothing"]
    assert constant.reason == "constant"
    assert "42 periods" in str(constant)
    assert forecast.explain(sku="B") == slow
    with pytest.raises(InputError, match="does not exist"):
        forecast.explain(3)


def test_the_chart_shows_history_and_bands(forecast):
    chart = forecast.plot(sku="A").to_dict()

    values = [layer["data"]["values"] for layer in chart["layer"]]
    assert {len(one) for one in values} == {14, 42}
    assert chart["title"]["text"] == "sku A, node DC1"
    with pytest.raises(InputError, match="does not exist"):
        forecast.plot(7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "horizon"),
        ({"horizon": 2.5}, "horizon"),
        ({"levels": [0.5, 1.0]}, "levels"),
        ({"levels": []}, "levels"),
        ({"season_length": 0}, "season_length"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        om.forecast(history(), **options)


def test_progress_says_what_is_done():
    phases = []

    om.forecast(history(), horizon=2, progress=lambda done, total, phase: phases.append(phase))

    assert phases[0] == "read history"
    assert phases[-1] == "forecast"
