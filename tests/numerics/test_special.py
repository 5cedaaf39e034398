from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf

from omnistock.numerics.special import (
    beta_fraction,
    deviance,
    gamma_mass,
    gamma_tails,
    negative_binomial_mass,
    normal_loss,
    normal_quantile,
    normal_second_loss,
    normal_tail,
    stirling_error,
)


def relative_error(got, expected):
    return float(abs(mpf(got) / expected - 1))


@pytest.mark.parametrize("z", [-20.0, -5.0, -1.4, 0.0, 1.0, 2.99, 3.1, 4.99, 5.01, 8.0, 20.0, 30.0])
def test_normal_losses_are_accurate_in_both_tails(z):
    with mp.workdps(60):
        x = mpf(z)
        above, density = mp.erfc(x / mp.sqrt(2)) / 2, mp.npdf(x)
        first = density - x * above
        second = ((x * x + 1) * above - x * density) / 2

    assert relative_error(normal_loss(z), first) < 1e-12
    assert relative_error(normal_second_loss(z), second) < 1e-12
    assert relative_error(normal_tail(z), above) < 1e-13


def test_the_normal_loss_at_eight_sigma_is_positive_and_right():
    assert normal_loss(8.0) == pytest.approx(7.550262411946499e-17, rel=1e-12, abs=0)


@given(st.floats(1e-12, 1 - 1e-12))
def test_normal_quantiles_agree_with_the_standard_library(p):
    expected = statistics.NormalDist().inv_cdf(p)

    assert normal_quantile(p, 1.0 - p) == pytest.approx(expected, rel=1e-11, abs=1e-15)


@pytest.mark.parametrize("tail", [1e-30, 1e-100, 1e-300])
def test_normal_quantiles_reach_tails_that_no_float_below_one_can_name(tail):
    z = normal_quantile(1.0, tail)

    assert normal_tail(z) == pytest.approx(tail, rel=1e-11, abs=0)
    assert normal_quantile(tail, 1.0) == -z


def test_normal_quantiles_of_nothing_and_everything_are_infinite():
    assert normal_quantile(0.0, 1.0) == -math.inf
    assert normal_quantile(1.0, 0.0) == math.inf


@pytest.mark.parametrize("x", [1e-9, 1e-3, 0.02, 0.5, 3.0, 9.99, 10.0, 123.4, 1e6])
def test_the_stirling_error_is_what_the_formula_leaves_over(x):
    exact = mp.loggamma(mpf(x) + 1) - (mpf(x) + 0.5) * mp.log(x) + x - mp.log(2 * mp.pi) / 2

    assert stirling_error(x) == pytest.approx(float(exact), rel=1e-12, abs=2e-14)


@pytest.mark.parametrize(("x", "mean"), [(100.0, 100.000001), (5.0, 5.5), (3.0, 30.0), (30.0, 3.0)])
def test_the_deviance_does_not_cancel_near_the_mean(x, mean):
    exact = mpf(x) * mp.log(mpf(x) / mean) + mpf(mean) - x

    assert relative_error(deviance(x, mean), exact) < 1e-13


@pytest.mark.parametrize("a", [1e-6, 1e-3, 0.3, 1.0, 7.5, 150.0, 3000.0])
@pytest.mark.parametrize("z", [-6.0, -1.0, 0.0, 1.0, 6.0, 12.0])
def test_both_incomplete_gamma_tails_are_relatively_accurate(a, z):
    x = max(a + z * math.sqrt(a), 0.05 * a)

    lower, upper = gamma_tails(a, x, gamma_mass(a, x))

    assert relative_error(lower, mp.gammainc(a, 0, x, regularized=True)) < 1e-11
    assert relative_error(upper, mp.gammainc(a, x, mp.inf, regularized=True)) < 1e-11


@pytest.mark.parametrize("size", [0.05, 1.0, 7.3, 400.0])
@pytest.mark.parametrize("q", [0.001, 0.3, 0.97])
@pytest.mark.parametrize("k", [0, 1, 12, 300])
def test_negative_binomial_masses_are_relatively_accurate(size, q, k):
    exact = mp.exp(mp.loggamma(k + mpf(size)) - mp.loggamma(size) - mp.loggamma(k + 1))
    exact *= (1 - mpf(q)) ** size * mpf(q) ** k

    got = negative_binomial_mass(size, 1.0 - q, q, float(k))

    assert got == pytest.approx(float(exact), rel=1e-11, abs=1e-300)


@pytest.mark.parametrize(
    ("a", "b", "x"),
    [(1.0, 0.05, 0.97), (13.0, 0.05, 0.97), (301.0, 1.0, 0.3), (301.0, 7.3, 0.97),
     (13.0, 400.0, 0.001), (301.0, 400.0, 0.4), (2.0, 1e-4, 0.999), (0.05, 13.0, 0.003)],
)  # fmt: skip
def test_the_beta_fraction_is_the_incomplete_beta_function_over_its_leading_term(a, b, x):
    exact = mp.betainc(a, b, 0, mpf(x)) * a / (mpf(x) ** a * (1 - mpf(x)) ** b)

    assert relative_error(beta_fraction(a, b, x), exact) < 1e-11
