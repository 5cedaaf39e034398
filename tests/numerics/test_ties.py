from __future__ import annotations

from math import nextafter

import numpy as np
import pytest
from mpmath import mp, mpf
from oracles_numerics import masses

from omnistock.numerics.demand import NEGATIVE_BINOMIAL, POISSON, DemandDistribution
from omnistock.numerics.ties import attains, exact_count_quantile


def test_a_probability_that_is_hit_exactly_is_attained():
    # Mean 1 and variance 2 is geometric: P(D <= k) = 1 - 2^-(k + 1), a float.
    demand = DemandDistribution.from_moments(np.ones(4), 2.0)

    levels = demand.quantile([0.5, 0.75, nextafter(0.75, 1.0), 1.0 - 2.0**-30])

    assert levels.tolist() == [0.0, 1.0, 2.0, 29.0]


def test_the_float_counts_as_the_binary_number_it_is():
    # P(D = 0) is exactly 1/20 here, and the float 0.05 is a little more than that.
    demand = DemandDistribution.from_moments([19.0, 19.0], 380.0)

    assert demand.quantile([0.05, nextafter(0.05, 0.0)]).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(("mean", "variance"), [(6.0, 6.0), (2.5, 7.5), (17.0, 90.0)])
def test_quantiles_of_rounded_distribution_values_match_fifty_digits(mean, variance):
    demand = DemandDistribution.from_moments(mean, variance)
    family = int(demand.family[0])
    sums, total = [], mpf(0)
    for one in masses(family, mean, variance, tail=mpf(10) ** -12):
        total += one
        sums.append(total)

    # Whether the float is above or below the true value decides; floats alone cannot tell.
    for exact in sums[:: max(len(sums) // 12, 1)]:
        p = float(exact)
        for near in (nextafter(p, 0.0), p, nextafter(p, 1.0)):
            if 0.0 < near < float(sums[-1]):
                expected = next(k for k, below in enumerate(sums) if below >= mpf(near))
                assert demand.quantile(near)[0] == expected, (mean, variance, near)


def test_the_exact_search_mends_a_wrong_guess_in_both_directions():
    for guess in (0, 5, 20):
        assert exact_count_quantile(POISSON, 6.0, 6.0, guess, 0.95, 1.0 - 0.95) == 10


def test_attaining_looks_at_the_smaller_tail():
    assert attains(NEGATIVE_BINOMIAL, 1.0, 2.0, 0, 0.5, 0.5)
    assert not attains(NEGATIVE_BINOMIAL, 1.0, 2.0, 98, 1.0, 2.0**-100)
    assert attains(NEGATIVE_BINOMIAL, 1.0, 2.0, 99, 1.0, 2.0**-100)
    assert not attains(POISSON, 6.0, 6.0, -1, 1e-9, 1.0 - 1e-9)


def test_working_precision_of_the_oracle_is_what_the_tests_rely_on():
    assert mp.dps >= 50
