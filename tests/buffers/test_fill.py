from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.buffers import fill_rate, lead_time_demand
from omnistock.errors import InputError
from omnistock.numerics.demand import NORMAL, DemandDistribution


@given(st.floats(0.01, 60.0), st.floats(1.0, 9.0), st.integers(1, 30), st.booleans())
def test_fill_rates_rise_with_the_level_and_lie_within_nothing_and_all(mean, ratio, lot, whole):
    both = DemandDistribution.from_moments(np.full(8, 3 * mean), 3 * mean * ratio, counts=whole)
    lead = DemandDistribution.from_moments(np.full(8, mean), mean * ratio, counts=whole)
    levels = np.floor(np.linspace(0.0, 6.0 * mean * ratio + 20.0, 8))

    for shares in (
        fill_rate(levels, both, order_quantity=lot),
        fill_rate(levels, both, during_lead_time=lead),
        fill_rate(levels, both, order_quantity=lot, during_lead_time=lead),
    ):
        assert np.all(np.diff(shares) >= -1e-12)
        assert np.all((shares >= 0.0) & (shares <= 1.0))


def test_large_lots_reach_the_textbook_formula():
    # Chopra & Meindl, Supply Chain Management, ch. 12: 1 - ESC / Q, with ESC = 25.13.
    demand = DemandDistribution([5000.0], [500_000.0], [NORMAL])

    assert fill_rate(6000, demand, order_quantity=10_000)[0] == pytest.approx(0.99748727, abs=1e-8)


def test_a_continuous_lot_at_reviews_averages_over_its_positions():
    both = DemandDistribution.from_moments(12.0, 30.0, counts=False)
    lead = DemandDistribution.from_moments(8.0, 20.0, counts=False)
    # With positions spread evenly over (level - 1, level - 1 + lot].
    points = 13.0 + 6.0 * (np.arange(2000) + 0.5) / 2000

    exact = fill_rate(14, both, order_quantity=6, during_lead_time=lead)[0]
    short = both.loss(points[None, :]) - lead.loss(points[None, :])

    assert exact == pytest.approx(1.0 - short.mean() / 4.0, rel=1e-7)


def test_a_lead_time_as_long_as_the_whole_interval_leaves_no_demand_unmet():
    demand = DemandDistribution.from_moments(6.0, 6.0)

    assert fill_rate(3, demand, during_lead_time=demand).tolist() == [1.0]


def test_lead_time_demand_adds_days_and_the_spread_of_the_lead_time():
    # Chopra & Meindl, ch. 12, table 12-2: N(2500, 500^2) a day, L = 7 +- 7.
    demand = lead_time_demand(
        2500, 500**2, lead_time_days=[7, 7], lead_time_std_days=[7, 0], counts=False
    )

    assert demand.mean.tolist() == [17500.0, 17500.0]
    assert np.sqrt(demand.variance) == pytest.approx([17549.928774784243, 1322.8756555322952])


def test_poisson_demand_over_a_gamma_lead_time_is_negative_binomial_exactly():
    generator = np.random.default_rng(20260703)
    demand = lead_time_demand(2.0, 2.0, lead_time_days=7, lead_time_std_days=3)
    shape = (7 / 3) ** 2
    draws = generator.poisson(2.0 * generator.gamma(shape, 7 / shape, size=40_000))

    share = demand.cdf(27)[0]

    assert share == pytest.approx(0.9538629391882669, rel=1e-12)
    assert abs((draws <= 27).mean() - share) < 4 * np.sqrt(share * (1 - share) / len(draws))


@pytest.mark.parametrize("name", ["lead_time_days", "review_period_days", "lead_time_std_days"])
def test_negative_times_are_refused_by_name(name):
    times = {"lead_time_days": 7, name: -1}

    with pytest.raises(InputError, match=name):
        lead_time_demand(2.0, 2.0, **times)


def test_impossible_levels_are_refused():
    both = DemandDistribution.from_moments([6.0, 6.0], 6.0)
    lead = DemandDistribution.from_moments([2.0, 2.0], 2.0)

    with pytest.raises(InputError, match="whole and >= 0 for counts in lots"):
        fill_rate(3.5, both, order_quantity=2, during_lead_time=lead)
    with pytest.raises(InputError, match="finite"):
        fill_rate(np.nan, both)
    with pytest.raises(InputError, match=r"shape \(2,\)"):
        fill_rate([1, 2, 3], both)
    with pytest.raises(InputError, match="1 rows, demand 2"):
        fill_rate(1, both, during_lead_time=lead[0])
