from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles_numerics import count_loss, count_tail, integral_beyond, masses

from omnistock.numerics.families import (
    GAMMA,
    NEGATIVE_BINOMIAL,
    NORMAL,
    POISSON,
    loss_one,
    quantile_and_margin,
    quantile_one,
    second_loss_one,
    surplus_one,
    tails_one,
)

COUNTS = [
    (POISSON, 0.03, 0.03),
    (POISSON, 6.0, 6.0),
    (POISSON, 200.0, 200.0),
    (NEGATIVE_BINOMIAL, 0.4, 1.9),
    (NEGATIVE_BINOMIAL, 2.5, 7.5),
    (NEGATIVE_BINOMIAL, 40.0, 41.0),
    (NEGATIVE_BINOMIAL, 9.0, 85.0),
]
DENSITIES = [(NORMAL, 8.0, 9.0), (GAMMA, 6.0, 18.0), (GAMMA, 4.5, 2.25), (GAMMA, 12.0, 81.0)]


def units_beyond(mean, variance, *, sigmas):
    return max(math.floor(mean + sigmas * math.sqrt(variance)), 0)


@pytest.mark.parametrize(("family", "mean", "variance"), COUNTS)
@pytest.mark.parametrize("sigmas", [-1.0, 0.0, 2.0, 9.0])
def test_count_tails_and_losses_equal_the_sums_of_masses(family, mean, variance, sigmas):
    k = units_beyond(mean, variance, sigmas=sigmas)

    _, above = tails_one(family, mean, variance, float(k))
    loss = loss_one(family, mean, variance, float(k))

    assert above == pytest.approx(float(count_tail(family, mean, variance, k)), rel=1e-11, abs=0)
    assert loss == pytest.approx(float(count_loss(family, mean, variance, k)), rel=1e-11, abs=0)


@pytest.mark.parametrize(("family", "mean", "variance"), DENSITIES)
@pytest.mark.parametrize("sigmas", [-1.0, 0.0, 2.0, 9.0])
def test_density_tails_and_losses_equal_the_integrals(family, mean, variance, sigmas):
    x = mean + sigmas * math.sqrt(variance)
    x = x if family == NORMAL else max(x, 0.1)

    _, above = tails_one(family, mean, variance, x)

    expected = [float(integral_beyond(family, mean, variance, x, power)) for power in (0, 1, 2)]
    assert above == pytest.approx(expected[0], rel=1e-10, abs=0)
    assert loss_one(family, mean, variance, x) == pytest.approx(expected[1], rel=1e-10, abs=0)
    second = second_loss_one(family, mean, variance, x)
    assert second == pytest.approx(expected[2] / 2, rel=1e-9, abs=0)


@pytest.mark.parametrize(("family", "mean", "variance"), COUNTS[1:])
@pytest.mark.parametrize("x", [-1, 0, 3, 25])
def test_the_second_loss_of_counts_is_the_sum_of_the_losses_beyond(family, mean, variance, x):
    beyond = range(x + 1, x + 1 + int(mean + 120 * math.sqrt(variance)))
    expected = sum(loss_one(family, mean, variance, float(k)) for k in beyond)

    assert second_loss_one(family, mean, variance, float(x)) == pytest.approx(expected, rel=1e-9)


def test_second_losses_at_and_below_nothing_follow_from_the_moments():
    assert second_loss_one(GAMMA, 6.0, 18.0, 0.0) == pytest.approx(0.5 * (18 + 36))
    assert second_loss_one(GAMMA, 6.0, 18.0, -2.0) == pytest.approx(0.5 * (18 + 64))
    assert second_loss_one(POISSON, 6.0, 6.0, 0.0) == pytest.approx(0.5 * (6 + 36 - 6))
    assert second_loss_one(NORMAL, 6.0, 0.0, 2.0) == 8.0


@given(
    st.sampled_from([NORMAL, GAMMA, POISSON, NEGATIVE_BINOMIAL]),
    st.floats(0.01, 500.0),
    st.floats(1.001, 30.0),
    st.floats(-3.0, 6.0),
)
def test_short_less_left_over_is_mean_less_level(family, mean, ratio, sigmas):
    variance = mean if family == POISSON else mean * ratio
    x = mean + sigmas * math.sqrt(variance)

    short, left = loss_one(family, mean, variance, x), surplus_one(family, mean, variance, x)

    assert short >= 0.0
    assert left >= 0.0
    assert short - left == pytest.approx(mean - x, rel=1e-9, abs=1e-9 * (abs(x) + mean))


@given(
    st.sampled_from([POISSON, NEGATIVE_BINOMIAL]),
    st.floats(0.01, 60.0),
    st.floats(1.01, 20.0),
    st.floats(1e-6, 1.0 - 1e-6),
)
def test_a_count_quantile_is_the_smallest_level_that_attains(family, mean, ratio, p):
    variance = mean if family == POISSON else mean * ratio

    k, margin = quantile_and_margin(family, mean, variance, p, 1.0 - p)

    assert k == int(k)
    if margin > 1e-9:
        assert tails_one(family, mean, variance, k)[0] >= p
        assert tails_one(family, mean, variance, k - 1.0)[0] < p


@pytest.mark.parametrize(("family", "mean", "variance"), [COUNTS[1], COUNTS[3], COUNTS[6]])
def test_count_quantiles_equal_those_of_the_summed_masses(family, mean, variance):
    total, sums = 0, []
    for one in masses(family, mean, variance, tail=1e-9):
        total += one
        sums.append(total)

    for p in (0.001, 0.1, 0.37, 0.5, 0.9, 0.999, 0.9999999):
        expected = next(k for k, below in enumerate(sums) if below >= p)
        assert quantile_one(family, mean, variance, p, 1.0 - p) == expected


@given(st.floats(0.02, 2000.0), st.floats(0.01, 12.0), st.floats(1e-9, 1 - 1e-9))
def test_gamma_quantiles_invert_the_distribution_function(mean, spread, p):
    variance = (spread * mean) ** 2

    x = quantile_one(GAMMA, mean, variance, p, 1.0 - p)

    if x > 1e-250:
        below, above = tails_one(GAMMA, mean, variance, x)
        assert min(below, above) == pytest.approx(min(p, 1.0 - p), rel=1e-8)
    else:
        assert tails_one(GAMMA, mean, variance, 1e-250)[0] >= p


@pytest.mark.parametrize("tail", [1e-15, 1e-30, 1e-100])
@pytest.mark.parametrize(("family", "mean", "variance"), [*DENSITIES, COUNTS[1], COUNTS[4]])
def test_quantiles_reach_far_tails(family, mean, variance, tail):
    x = quantile_one(family, mean, variance, 1.0, tail)

    above = tails_one(family, mean, variance, x)[1]
    if family in (NORMAL, GAMMA):
        assert above == pytest.approx(tail, rel=1e-10, abs=0)
    else:
        assert above <= tail < tails_one(family, mean, variance, x - 1.0)[1]


@pytest.mark.parametrize(
    ("family", "mean", "variance", "sure"),
    [(NORMAL, 5.5, 0.0, 5.5), (GAMMA, 5.5, 0.0, 5.5), (GAMMA, 0.0, 3.0, 0.0),
     (POISSON, 0.0, 0.0, 0.0), (NEGATIVE_BINOMIAL, 0.0, 4.0, 0.0), (NORMAL, -2.0, 0.0, -2.0)],
)  # fmt: skip
def test_demand_without_spread_is_certain(family, mean, variance, sure):
    assert quantile_one(family, mean, variance, 0.3, 0.7) == sure
    assert tails_one(family, mean, variance, sure) == (1.0, 0.0)
    assert tails_one(family, mean, variance, sure - 0.1) == (0.0, 1.0)
    assert loss_one(family, mean, variance, sure - 2.0) == 2.0
    assert loss_one(family, mean, variance, sure + 2.0) == 0.0
    assert surplus_one(family, mean, variance, sure + 2.0) == 2.0


@pytest.mark.parametrize(("family", "mean", "variance"), [*DENSITIES[1:], *COUNTS])
def test_levels_out_of_the_range_of_demand_are_answered(family, mean, variance):
    assert loss_one(family, mean, variance, -3.0) == mean + 3.0
    assert surplus_one(family, mean, variance, -3.0) == 0.0
    assert tails_one(family, mean, variance, -1e-9) == (0.0, 1.0)
    assert tails_one(family, mean, variance, math.inf) == (1.0, 0.0)
    assert loss_one(family, mean, variance, math.inf) == 0.0
    assert surplus_one(family, mean, variance, math.inf) == math.inf
    assert quantile_one(family, mean, variance, 0.0, 1.0) == 0.0
    assert quantile_one(family, mean, variance, 1.0, 0.0) == math.inf


@pytest.mark.parametrize(
    ("mean", "variance"), [(1e-300, 1.0), (1e-12, 1e6), (1e9, 1e-9), (1e6, 1e18), (3.0, 1e-280)]
)
def test_extreme_gamma_moments_give_numbers(mean, variance):
    x = quantile_one(GAMMA, mean, variance, 0.95, 1.0 - 0.95)

    assert 0.0 <= x < math.inf
    assert 0.0 <= loss_one(GAMMA, mean, variance, x) <= mean
    assert sum(tails_one(GAMMA, mean, variance, x)) == pytest.approx(1.0)
