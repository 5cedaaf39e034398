import numpy as np
import oracles_forecasting as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.forecasting.seasonality import own_indices_into, pooled_indices

WEEK = np.array([0.6, 0.7, 0.9, 1.0, 1.2, 1.6, 1.0])


def indices(series, season, weight=None):
    offsets = np.concatenate(([0], np.cumsum([len(one) for one in series])))
    values = np.concatenate(series).astype(float)
    weight = np.ones(len(values)) if weight is None else weight
    return pooled_indices(
        values, weight, offsets, season_length=season, phases=np.zeros(len(series), dtype=np.int64)
    )


@given(st.lists(st.integers(1, 40), min_size=12, max_size=40), st.sampled_from([3, 4, 5]))
def test_own_indices_are_ratios_to_the_centred_mean(values, season):
    values = np.array(values, dtype=float)
    index, variance = np.empty((1, season)), np.empty(1)

    own_indices_into(
        index, variance, values, np.ones(len(values)), np.array([0, len(values)]), np.zeros(1, int)
    )

    np.testing.assert_allclose(index[0], oracle.ratio_to_centred_mean(values, season))
    assert variance[0] >= 0.0


def test_a_clear_season_is_found_whatever_the_phase():
    values = np.tile(WEEK, 12) * 50
    offsets = np.array([0, 84, 168])

    index = pooled_indices(
        np.concatenate([values, np.roll(values, -3)]),
        np.ones(168),
        offsets,
        season_length=7,
        phases=np.array([0, 3]),
    )

    np.testing.assert_allclose(index, np.tile(WEEK, (2, 1)), rtol=1e-6)


def test_a_noisy_series_takes_the_season_of_the_others():
    rng = np.random.default_rng(7)
    busy = [rng.poisson(np.tile(WEEK, 20) * 200) for _ in range(30)]
    slow = rng.poisson(np.tile(WEEK, 20) * 0.15)

    index = indices([*busy, slow], 7)

    np.testing.assert_allclose(index[-1], WEEK, atol=0.08)


def test_a_series_of_its_own_keeps_its_season():
    rng = np.random.default_rng(8)
    busy = [rng.poisson(np.tile(WEEK, 20) * 200) for _ in range(30)]
    other = rng.poisson(np.tile(WEEK[::-1], 20) * 200)

    index = indices([*busy, other], 7)

    np.testing.assert_allclose(index[-1], WEEK[::-1], atol=0.08)


def test_a_new_item_takes_the_pooled_season():
    index = indices([np.tile(WEEK, 12) * 50, np.array([3, 4, 1])], 7)

    np.testing.assert_allclose(index[1], WEEK, rtol=1e-6)


def test_noise_alone_gives_hardly_any_season():
    rng = np.random.default_rng(9)

    index = indices([rng.poisson(3.0, 140) for _ in range(40)], 7)

    assert np.abs(index - 1.0).max() < 0.12


@given(st.lists(st.lists(st.integers(0, 9), max_size=30), min_size=1, max_size=6))
def test_indices_are_shares_of_a_mean_of_one(series):
    index = indices([np.array(one, dtype=float) for one in series], 4)

    assert (index >= 0).all()
    np.testing.assert_allclose(index.mean(axis=1), 1.0)


def test_periods_without_stock_do_not_bend_the_season():
    values = np.tile(WEEK, 12) * 50
    weight = np.ones(84)
    weight[[5, 19, 40, 41]] = 0.0
    censored = values * weight

    index = indices([censored], 7, weight)

    assert index[0] == pytest.approx(WEEK, abs=0.04)
    assert indices([censored], 7)[0] != pytest.approx(WEEK, abs=0.08)
