from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.numerics.demand import (
    GAMMA,
    NEGATIVE_BINOMIAL,
    NORMAL,
    POISSON,
    DemandDistribution,
)


@pytest.fixture
def mixed():
    return DemandDistribution(
        mean=[100.0, 12.0, 6.0, 2.5], variance=[1600.0, 81.0, 6.0, 7.5], family=[0, 1, 2, 3]
    )


def test_the_family_follows_from_moments_and_what_demand_counts():
    demand = DemandDistribution.from_moments(
        [3.0, 3.0, 3.0, 0.0, 3.0], [2.0, 3.0, 8.0, 5.0, 8.0], counts=[True, True, True, True, False]
    )

    assert demand.family.tolist() == [POISSON, POISSON, NEGATIVE_BINOMIAL, POISSON, GAMMA]
    assert demand.variance.tolist() == [3.0, 3.0, 8.0, 0.0, 8.0]
    assert demand.counts.tolist() == [True, True, True, True, False]
    assert demand.family_names[2] == "negative_binomial"


def test_scalars_broadcast_to_the_longer_moment():
    demand = DemandDistribution.from_moments(4.0, [4.0, 9.0, 20.0])

    assert len(demand) == 3
    assert demand.mean.tolist() == [4.0, 4.0, 4.0]


def test_answers_take_the_shape_of_the_question(mixed):
    one = mixed.quantile(0.9)
    each = mixed.quantile([0.9, 0.9, 0.9, 0.9])
    table = mixed.quantile([[0.5, 0.9]])
    own = mixed.quantile(np.tile([0.5, 0.9], (4, 1)))

    assert one.shape == (4,)
    assert np.array_equal(one, each)
    assert table.shape == (4, 2)
    assert np.array_equal(table, own)
    assert np.array_equal(table[:, 1], one)
    assert mixed.loss([[0.0, 5.0, 9.0]]).shape == (4, 3)
    assert mixed.cdf(3.0).shape == mixed.sf(3.0).shape == mixed.surplus(3.0).shape == (4,)


def test_a_single_demand_may_be_asked_for_many_levels():
    one = DemandDistribution.from_moments(6.0, 6.0)

    assert one.loss([[5, 6]]).shape == (1, 2)
    assert one.loss([5]).shape == (1,)


def test_no_demands_give_no_answers():
    none = DemandDistribution.from_moments(np.empty(0), np.empty(0))

    assert none.quantile(0.9).shape == (0,)
    assert none.loss(np.empty((0, 3))).shape == (0, 3)


def test_some_of_the_demands_answer_as_they_did_among_all(mixed):
    some = mixed[[3, 0]]

    assert some.quantile(0.95).tolist() == mixed.quantile(0.95)[[3, 0]].tolist()
    assert len(mixed[2]) == 1
    assert len(mixed[mixed.counts]) == 2


def test_sums_of_independent_demands_add_their_moments(mixed):
    doubled = mixed + mixed

    assert doubled.mean.tolist() == (2 * mixed.mean).tolist()
    assert doubled.variance.tolist() == (2 * mixed.variance).tolist()
    assert doubled.family.tolist() == [NORMAL, GAMMA, POISSON, NEGATIVE_BINOMIAL]
    with pytest.raises(InputError, match="cannot add 1 demands to 4"):
        mixed + mixed[0]


def test_a_poisson_and_a_gamma_demand_sum_to_a_gamma(mixed):
    total = mixed[1] + mixed[2]

    assert total.family.tolist() == [GAMMA]
    assert total.variance.tolist() == [87.0]


@given(st.floats(0.0, 1e4), st.floats(0.0, 1e6), st.booleans(), st.floats(0.001, 0.999))
def test_any_moments_give_finite_ordered_numbers(mean, variance, counts, p):
    demand = DemandDistribution.from_moments(mean, variance, counts=counts)

    low, high = demand.quantile([[p / 2, p]])[0]
    losses = demand.loss([[0.0, low, high + 1.0]])[0]

    assert 0.0 <= low <= high < np.inf
    assert losses[0] == pytest.approx(mean)
    assert losses[0] >= losses[1] >= losses[2] >= 0.0


def test_quantiles_rise_with_the_probability(mixed):
    levels = mixed.quantile(np.linspace(0.02, 0.98, 25)[None, :])

    assert np.all(np.diff(levels, axis=1) >= 0.0)


def test_upper_quantiles_agree_with_quantiles_where_both_can_be_asked(mixed):
    assert mixed.upper_quantile(0.25).tolist() == mixed.quantile(0.75).tolist()


def test_the_sum_of_simulated_days_has_the_quantiles_of_the_distribution():
    # A law: gamma-mixed Poisson draws are negative binomial with these moments.
    generator = np.random.default_rng(20260701)
    draws = generator.poisson(generator.gamma(1.25, 2.0, size=40_000))
    demand = DemandDistribution.from_moments(2.5, 7.5)

    for level in (0, 2, 8, 14):
        share = demand.cdf(level)[0]
        error = np.sqrt(share * (1 - share) / len(draws))
        assert abs((draws <= level).mean() - share) < 4 * error


@pytest.mark.parametrize(
    ("mean", "variance", "message"),
    [
        ([1.0, -2.0], 1.0, "mean must be >= 0 and finite; row 1"),
        ([1.0, np.nan], 1.0, "mean must be >= 0 and finite; row 1"),
        ([1.0], [-1.0], "variance must be >= 0"),
        ([1.0], [np.inf], "variance must be >= 0"),
    ],
)
def test_bad_moments_are_refused_by_row(mean, variance, message):
    with pytest.raises(InputError, match=message):
        DemandDistribution.from_moments(mean, variance)


@pytest.mark.parametrize(
    ("mean", "variance", "family", "message"),
    [
        ([1.0], [1.0], [4], "family"),
        ([1.0], [0.5], [NEGATIVE_BINOMIAL], "variance > mean"),
        ([-1.0], [1.0], [GAMMA], "mean must be >= 0"),
        ([1e13], [1e13], [POISSON], "at most 1e\\+12"),
        ([1.0, 2.0], [1.0], [POISSON, POISSON], "shape"),
        ([[1.0]], [[1.0]], [[POISSON]], "shape"),
    ],
)
def test_bad_distributions_are_refused(mean, variance, family, message):
    with pytest.raises(InputError, match=message):
        DemandDistribution(mean, variance, family)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 95, np.nan])
def test_probabilities_outside_the_open_interval_are_refused(mixed, p):
    with pytest.raises(InputError, match="p must"):
        mixed.quantile(p)
    with pytest.raises(InputError, match="q must"):
        mixed.upper_quantile(p)


def test_questions_of_a_wrong_shape_are_refused(mixed):
    with pytest.raises(InputError, match=r"x must be a number or have shape \(4,\)"):
        mixed.loss([1.0, 2.0])
    with pytest.raises(InputError, match="NaN"):
        mixed.cdf(np.nan)
