import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.forecasting import REASONS, forecast_series
from omnistock.forecasting.quantiles import moment_quantiles

LEVELS = np.array([0.1, 0.5, 0.9, 0.99])
cells = st.one_of(
    st.just(0.0), st.integers(0, 5).map(float), st.floats(0, 1e9), st.floats(0, 1e-200)
)
odd_series = st.lists(st.lists(cells, max_size=14), min_size=1, max_size=5)


def forecast_of(series, shares=None, **options):
    offsets = np.concatenate(([0], np.cumsum([len(one) for one in series]))).astype(np.int64)
    values = np.concatenate([np.asarray(one, float) for one in series])
    share = None if shares is None else np.concatenate([np.asarray(one, float) for one in shares])
    return forecast_series(values, offsets, stockout_share=share, **{"horizon": 4, **options})


def reason(arrays, i=0):
    return REASONS[arrays.reason[i]]


@given(odd_series, st.sampled_from([1, 2, 7]), st.integers(1, 5), st.randoms(use_true_random=False))
def test_no_series_is_too_odd(series, season, horizon, random):
    shares = [[random.choice([0.0, 0.0, 0.3, 1.0, 0.999999]) for _ in one] for one in series]

    arrays = forecast_of(series, shares, horizon=horizon, season_length=season)

    for moments in (arrays.mean, arrays.variance, arrays.cumulative):
        assert np.isfinite(moments).all()
        assert (moments >= 0).all()
    assert (np.diff(arrays.cumulative, axis=1) >= 0).all()
    quantiles = moment_quantiles(
        arrays.mean.ravel(), arrays.variance.ravel(), np.repeat(arrays.counts, horizon), LEVELS
    )
    assert np.isfinite(quantiles).all()
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()


@pytest.mark.parametrize(
    ("series", "share", "expected"),
    [
        ([], [], "empty"),
        ([0, 0, 0, 0], [0, 0, 0, 0], "all_zero"),
        ([0, 3], [1, 1], "all_stocked_out"),
        ([4], [0], "one_point"),
        ([4, 4, 4, 4], [0, 0, 0, 0], "constant"),
        ([4, 2, 5], [0, 0, 0], "short"),
        ([0, 0, 1, 0, 0, 0, 2, 0, 0, 0], np.zeros(10), "intermittent"),
        ([3, 4, 5, 3, 4, 6, 5, 3, 4, 5], np.zeros(10), "combination"),
    ],
)
def test_every_kind_of_series_has_its_reason(series, share, expected):
    arrays = forecast_of([series, [5, 6, 7, 5]], [share, [0, 0, 0, 0]])

    assert reason(arrays) == expected
    assert (arrays.mean[0] > 0).all()


def test_one_point_and_a_constant_go_on():
    arrays = forecast_of([[4], [7, 7, 7, 7, 7]])

    np.testing.assert_allclose(arrays.mean, [[4.0] * 4, [7.0] * 4])


def test_nothing_sold_means_half_a_unit_over_the_time_seen():
    arrays = forecast_of([np.zeros(9)])

    np.testing.assert_allclose(arrays.mean, 0.05)


def test_a_series_never_in_stock_has_at_least_the_sales_seen():
    arrays = forecast_of([[0, 30, 0], [2, 3, 2, 3]], [[1, 1, 1], [0, 0, 0, 0]])

    np.testing.assert_allclose(arrays.mean[0], 30.0)
    assert (arrays.variance[0] > 0).all()


def test_stockouts_do_not_count_as_low_demand():
    rng = np.random.default_rng(3)
    demand = rng.poisson(6.0, 60).astype(float)
    share = (np.arange(60) % 4 == 0).astype(float)
    censored = demand * (1 - share)

    known = forecast_of([censored], [share])
    naive = forecast_of([censored])

    assert known.mean.mean() == pytest.approx(6.0, abs=0.7)
    assert naive.mean.mean() < 5.2


def test_sales_of_half_a_day_stand_for_a_day():
    arrays = forecast_of([np.full(12, 3.0) + np.tile([0.0, 0.5], 6)], [np.full(12, 0.5)])

    np.testing.assert_allclose(arrays.mean, 6.5, atol=0.5)


def test_the_order_of_series_is_irrelevant():
    rng = np.random.default_rng(5)
    series = [rng.poisson(rate, 24).astype(float) for rate in (0.3, 2.0, 9.0, 30.0)]

    there = forecast_of(series, season_length=7)
    back = forecast_of(series[::-1], season_length=7)

    np.testing.assert_allclose(there.mean, back.mean[::-1], rtol=1e-9)
    np.testing.assert_allclose(there.cumulative, back.cumulative[::-1], rtol=1e-9)


@settings(max_examples=8)
@given(st.lists(st.integers(1, 40), min_size=10, max_size=14))
def test_demand_in_other_units_gives_the_same_forecast_in_those_units(values):
    some = np.array(values) + 0.5

    one = forecast_of([some], whole=False)
    thousand = forecast_of([some * 1000], whole=False)

    np.testing.assert_allclose(thousand.mean, one.mean * 1000, rtol=1e-3)


def test_a_steady_trend_is_followed():
    arrays = forecast_of([np.arange(10.0, 50.0)], horizon=6)

    assert (np.diff(arrays.mean[0]) > 0).all()
    assert arrays.mean[0, 0] == pytest.approx(50.0, rel=0.05)


def test_sums_vary_more_than_independent_steps():
    rng = np.random.default_rng(6)
    walk = np.maximum(50 + np.cumsum(rng.normal(0, 3, 60)), 1.0)

    arrays = forecast_of([walk], horizon=8)

    assert arrays.cumulative[0, -1] > 1.5 * arrays.variance[0].sum()


def test_progress_is_reported_to_the_end():
    seen = []

    forecast_of([[1, 2, 3]], progress=lambda done, total, phase: seen.append((done, total, phase)))

    assert seen[-1] == (1, 1, "forecast")


def test_no_series_at_all_is_no_mistake():
    arrays = forecast_series(np.empty(0), np.array([0]), horizon=3)

    assert arrays.mean.shape == (0, 3)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([1.0, -1.0], {}, "value 1 is -1"),
        ([1.0, np.nan], {}, "value 1 is nan"),
        ([1.0, np.inf], {}, "value 1 is inf"),
        ([1.0, 2.0], {"horizon": 0}, "horizon"),
        ([1.0, 2.0], {"season_length": 0}, "season_length"),
        ([1.0, 2.0], {"stockout_share": np.array([0.0, 1.5])}, "stockout_share"),
        ([1.0, 2.0], {"stockout_share": np.array([0.0])}, "shape"),
    ],
)
def test_malformed_arrays_are_refused(values, options, message):
    with pytest.raises(InputError, match=message):
        forecast_series(np.array(values), np.array([0, 2]), **{"horizon": 2, **options})


def test_offsets_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="offsets"):
        forecast_series(np.ones(3), np.array([0, 2]), horizon=2)
