import numpy as np
import pytest
from numba import config

import omnistock as om
from omnistock.forecasting.calibration import Calibration, _variance_factor, calibrate
from omnistock.forecasting.panel import Panel
from omnistock.numerics.demand import DemandDistribution

compiled = pytest.mark.skipif(
    config.DISABLE_JIT, reason="thousands of series need compiled kernels"
)


def panel_of(values, n_periods):
    offsets = np.arange(len(values) + 1) * n_periods
    return Panel.build(np.concatenate(values), offsets)


def test_a_variance_claimed_too_small_is_found_out():
    rng = np.random.default_rng(1)
    actual = rng.gamma(10.0, 2.0, 600)

    factor = _variance_factor(
        actual, np.full(600, 20.0), np.full(600, 20.0), np.zeros(600, dtype=bool)
    )

    assert factor == pytest.approx(2.0, rel=0.3)


def test_an_honest_variance_is_left_alone():
    rng = np.random.default_rng(2)
    actual = rng.poisson(6.0, 600).astype(float)

    factor = _variance_factor(
        actual, np.full(600, 6.0), np.full(600, 7.0), np.ones(600, dtype=bool)
    )

    assert factor == pytest.approx(1.0, abs=0.3)


def test_few_holdouts_change_little():
    factor = _variance_factor(
        np.array([40.0]), np.array([5.0]), np.array([5.0]), np.ones(1, dtype=bool)
    )

    assert factor < 1.15


def test_holdouts_that_were_met_exactly_change_nothing():
    factor = _variance_factor(np.zeros(9), np.full(9, 1e-3), np.full(9, 1e-3), np.ones(9, bool))

    assert 0.2 < factor <= 1.0


def test_histories_without_a_holdout_teach_nothing():
    learnt = calibrate(panel_of([np.ones(4)] * 3, 4), 7, 7, whole=np.ones(3, dtype=bool))

    assert learnt.n_holdouts == 0
    np.testing.assert_array_equal(learnt.step_factor, 1.0)


def test_the_family_that_fits_earns_weight():
    rng = np.random.default_rng(3)
    trended = [20 + 3.0 * np.arange(30) + rng.normal(0, 1, 30) for _ in range(12)]

    learnt = calibrate(panel_of(trended, 30), 6, 1, whole=np.zeros(12, dtype=bool))

    assert learnt.family_weight.sum() == pytest.approx(1.0)
    assert learnt.family_weight[0] < 0.1


def test_factors_reach_the_series_of_their_kind():
    learnt = Calibration(
        np.ones(3) / 3, np.ones(3), np.array([2.0, 3.0]), np.array([4.0, 5.0]), 7, 100
    )

    step, total = learnt.factors_of(np.array([0, 1, 4]))

    np.testing.assert_array_equal(step, [2.0, 3.0, 1.0])
    np.testing.assert_array_equal(total, [4.0, 5.0, 1.0])


@compiled
def test_sums_over_the_lead_time_are_covered_as_claimed():
    rng = np.random.default_rng(4)
    n, n_days, lead = 600, 120, 10
    level = np.exp(rng.normal(1.0, 0.8, n))[:, None] * np.exp(
        np.cumsum(rng.normal(0, 0.03, (n, n_days + lead)), axis=1)
    )
    units = rng.poisson(level * rng.gamma(4.0, 0.25, level.shape)).astype(float)
    table = {
        "sku": np.repeat([f"S{i:04d}" for i in range(n)], n_days),
        "date": np.tile(np.datetime64("2026-01-01") + np.arange(n_days), n),
        "quantity": units[:, :n_days].ravel(),
    }
    forecast = om.forecast(table, horizon=lead)
    demand = forecast.lead_time_demand(lead)
    came = units[:, n_days:].sum(axis=1)

    for service in (0.9, 0.95):
        assert (came <= demand.quantile(service)).mean() == pytest.approx(service, abs=0.04)
    independent = DemandDistribution.from_moments(demand.mean, forecast.variance.sum(axis=1))
    assert (came <= independent.quantile(0.95)).mean() < (came <= demand.quantile(0.95)).mean()


@compiled
def test_real_intermittent_demand_is_forecast_better_than_by_simple_methods(shared_folder):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(shared_folder / "data" / "carparts.parquet")
    train = table.filter(pc.equal(pc.cast(table["split"], "string"), "train"))
    test = table.filter(pc.equal(pc.cast(table["split"], "string"), "test"))
    forecast = om.forecast(train.select(["unique_id", "ds", "y"]), 12, frequency="M")
    names, steps = np.unique(test["unique_id"].to_numpy().astype(str), return_counts=True)
    assert names.tolist() == forecast.keys["unique_id"].tolist()
    assert (steps == 12).all()
    came = test["y"].to_numpy().reshape(-1, 12)
    past = train["y"].to_numpy().reshape(len(came), -1)

    def root_mean_square(guess):
        return float(np.sqrt(((came - guess) ** 2).mean()))

    ours = root_mean_square(forecast.mean)
    assert ours < root_mean_square(past[:, -12:])
    assert ours < root_mean_square(past.mean(axis=1, keepdims=True))
    assert (came <= forecast.quantiles([0.95])[:, :, 0]).mean() == pytest.approx(0.95, abs=0.03)
