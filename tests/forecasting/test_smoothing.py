import numpy as np
import oracles_forecasting as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.forecasting.members import FAMILY, SIMPLE, member_table
from omnistock.forecasting.smoothing import (
    mean_trend_steps,
    member_weights_into,
    project_into,
    regression_line,
    smooth_into,
    start_into,
)

units = st.lists(st.integers(0, 30), min_size=3, max_size=25)
NEVER = 1e18  # a state that rests on so much has no running mean left


def run(demand, weight, members, level, trend, seen, warmup=0.0, window=3, power=0.0):
    demand, weight = np.asarray(demand, float), np.asarray(weight, float)
    state = [np.array(one, dtype=float) for one in (level, trend, seen)]
    error, window_error = np.zeros(len(members)), np.zeros(len(members))
    scored = smooth_into(
        *state, error, window_error, demand, weight, members, warmup, window, power
    )
    return (*state, error, window_error, *scored)


@given(units, st.floats(0.01, 1.0), st.integers(0, 2**25 - 1))
def test_the_level_is_the_running_mean_and_then_smoothed(demand, alpha, mask):
    weight = [float(mask >> t & 1) for t in range(len(demand))]
    weight[0] = 0.5
    members = np.array([[alpha, 0.0, 1.0, 0.0, SIMPLE]])

    level, *_ = run(demand, weight, members, [0.0], [0.0], [0.0])

    assert level[0] == pytest.approx(oracle.smoothed_level(demand, weight, alpha), abs=1e-9)


@given(units)
def test_without_forgetting_the_level_is_the_mean(demand):
    members = np.array([[0.0, 0.0, 1.0, 0.0, SIMPLE]])

    level, *_ = run(demand, np.ones(len(demand)), members, [0.0], [0.0], [0.0])

    assert level[0] == pytest.approx(np.mean(demand))


@given(units, st.integers(0, 24), st.integers(0, 30))
def test_sales_of_a_period_without_stock_do_not_matter(demand, at, other):
    at %= len(demand)
    weight = np.ones(len(demand))
    weight[at] = 0.0
    weight[(at + 1) % len(demand)] = 0.7
    members = member_table()
    changed = list(demand)
    changed[at] = other
    results = []
    for series in (demand, changed):
        start = [np.empty(len(members)) for _ in range(3)]
        start_into(*start, np.asarray(series, float), weight, members, min(8, len(demand)))
        results.append(run(series, weight, members, *start))

    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


def test_smoothed_states_equal_those_of_statsmodels():
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    demand = np.array([12.0, 15, 11, 18, 20, 17, 22, 25, 21, 28, 26, 31])
    for alpha, beta, phi in ((0.3, 0.0, 1.0), (0.4, 0.2, 0.9), (0.8, 0.4, 0.98)):
        trended = beta > 0
        model = ExponentialSmoothing(
            demand,
            trend="add" if trended else None,
            damped_trend=trended,
            initialization_method="known",
            initial_level=10.0,
            initial_trend=1.5 if trended else None,
        )
        settings = {"smoothing_level": alpha}
        if trended:
            settings |= {"smoothing_trend": beta, "damping_trend": phi}
        fit = model.fit(**settings, optimized=False)
        members = np.array([[alpha, beta, phi, 0.0, 2.0 if trended else 0.0]])

        level, trend, _, error, *_ = run(
            demand, np.ones(12), members, [10.0], [1.5 if trended else 0.0], [NEVER]
        )

        assert level[0] == pytest.approx(fit.level[-1])
        steps = np.cumsum(phi ** np.arange(1, 5))
        np.testing.assert_allclose(level[0] + steps * trend[0], fit.forecast(4))
        # The first period has nothing before it to be forecast from.
        assert error[0] == pytest.approx(fit.sse - fit.resid[0] ** 2)


@given(st.floats(0.0, 1.0), st.floats(0.0, 0.5), st.floats(0.5, 1.0), st.integers(1, 15))
def test_sums_vary_as_every_shock_with_all_that_follows_it(alpha, beta, phi, horizon):
    members = np.array([[alpha, beta, phi, 0.0, 2.0]])
    mean, variance, cumulative = np.empty((3, horizon))

    project_into(
        mean, variance, cumulative, np.array([50.0]), np.zeros(1), np.ones(1), members, 4.0, 1e15
    )

    expected = oracle.variance_of_sums(alpha, beta, phi, horizon, 4.0)
    np.testing.assert_allclose(cumulative, expected, rtol=1e-9)
    added = oracle.response_to_a_shock(alpha, beta, phi, horizon)
    np.testing.assert_allclose(variance, 4.0 * np.cumsum(added**2), rtol=1e-9)


def test_the_variance_of_a_lead_time_sum_is_the_known_closed_form():
    # Simple smoothing: sigma^2 L (1 + alpha (L - 1) + alpha^2 (L - 1)(2 L - 1) / 6),
    # Hyndman, Koehler, Ord & Snyder (2008), section 6.5.2; 4, .2, 6 by hand: 4 * 14.2 = 56.8.
    members = np.array([[0.2, 0.0, 1.0, 0.0, SIMPLE]])
    mean, variance, cumulative = np.empty((3, 6))

    project_into(
        mean, variance, cumulative, np.array([9.0]), np.zeros(1), np.ones(1), members, 4.0, 1e15
    )

    assert cumulative[-1] == pytest.approx(4.0 * 6 * (1 + 0.2 * 5 + 0.04 * 5 * 11 / 6))
    np.testing.assert_array_equal(mean, 9.0)


def test_members_that_disagree_widen_the_forecast():
    members = np.array([[0.2, 0.0, 1.0, 0.0, SIMPLE]] * 2)
    mean, variance, cumulative = np.empty((3, 3))

    share = np.array([0.5, 0.5])
    project_into(
        mean, variance, cumulative, np.array([8.0, 12.0]), np.zeros(2), share, members, 0.0, 1e15
    )

    np.testing.assert_allclose(mean, 10.0)
    np.testing.assert_allclose(variance, 4.0)
    np.testing.assert_allclose(cumulative, [4.0, 16.0, 36.0])


@given(st.sampled_from([0.5, 0.8, 0.9, 0.98, 0.999, 1.0]), st.integers(1, 12))
def test_the_mean_trend_over_a_window_is_the_mean_of_its_steps(phi, n_steps):
    steps = np.cumsum(phi ** np.arange(1, n_steps + 1))

    assert mean_trend_steps(phi, n_steps) == pytest.approx(steps.mean(), rel=1e-6)


@given(units, st.integers(0, 24))
def test_the_regression_line_is_that_of_numpy(demand, hidden):
    weight = np.ones(len(demand))
    if len(demand) > 3:
        weight[hidden % len(demand)] = 0.0
    time = np.arange(len(demand))

    intercept, slope, total = regression_line(np.asarray(demand, float), weight, len(demand))

    seen = weight > 0
    expected = np.polyfit(time[seen], np.asarray(demand, float)[seen], 1)
    assert (slope, intercept) == pytest.approx(tuple(expected), abs=1e-7)
    assert total == seen.sum()


@given(st.lists(st.floats(0.1, 50.0), min_size=72, max_size=72))
def test_weights_sum_to_one_and_the_better_member_of_a_family_weighs_more(errors):
    members = member_table()
    error = np.array(errors)
    share, family = np.empty(72), np.empty(3)

    member_weights_into(
        share, family, error, error / 3, members, 20.0, 5.0, 3.0, np.array([0.2, 0.3, 0.5])
    )

    assert share.sum() == pytest.approx(1.0)
    assert family.sum() == pytest.approx(1.0)
    simple = members[:, FAMILY] == SIMPLE
    order = np.argsort(error[simple], kind="stable")
    assert (np.diff(share[simple][order]) <= 1e-12).all()
