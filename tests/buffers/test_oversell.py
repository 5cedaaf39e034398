from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.buffers import oversell_buffer, oversell_risk
from omnistock.errors import InputError

HOUR = 3_600.0
rates = st.floats(0.0, 400.0)
latencies = st.floats(0.0, 12 * HOUR)
intervals = st.floats(0.0, 24 * HOUR)
dispersions = st.sampled_from([1.0, 1.0, 1.7, 4.0])
risks = st.floats(1e-6, 0.4)


@given(rates, latencies, intervals, dispersions, risks, st.sampled_from(["worst", "average"]))
def test_the_buffer_is_the_smallest_of_accepted_risk(
    rate, latency, interval, dispersion, risk, phase
):
    settings = {"interval_seconds": interval, "dispersion": dispersion, "phase": phase}

    units = oversell_buffer(rate, latency, risk, **settings)

    assert oversell_risk(units, rate, latency, **settings).probability[0] <= risk * (1 + 1e-12)
    if units:
        assert oversell_risk(units - 1, rate, latency, **settings).probability[0] > risk


@given(rates, latencies, intervals, dispersions, risks)
def test_the_average_phase_never_needs_more_than_the_worst(
    rate, latency, interval, dispersion, risk
):
    settings = {"interval_seconds": interval, "dispersion": dispersion}
    worst = oversell_buffer(rate, latency, risk, **settings)

    assert oversell_buffer(rate, latency, risk, phase="average", **settings) <= worst
    average = oversell_risk(worst, rate, latency, phase="average", **settings)
    most = oversell_risk(worst, rate, latency, **settings)
    assert average.probability[0] <= most.probability[0] * (1 + 1e-9) + 1e-300
    assert average.expected_units[0] <= most.expected_units[0] * (1 + 1e-9) + 1e-300


def test_a_channel_told_of_every_change_has_one_phase():
    for phase in ("worst", "average"):
        assert oversell_buffer(300.0, 900.0, 0.01, phase=phase) == 8


def test_no_other_sales_need_no_buffer():
    assert oversell_buffer(0.0, 900.0, 0.01) == 0
    assert oversell_buffer(50.0, 0.0, 0.01) == 0


@pytest.mark.parametrize("phase", ["worst", "average"])
def test_simulated_blind_windows_meet_the_stated_risk(phase):
    # Others sell a Poisson stream; figures are sent every 6 h and arrive 30 min later.
    generator = np.random.default_rng(20260704)
    rate, latency, interval, units, n = 12.0, 0.5 * HOUR, 6 * HOUR, 5, 20_000
    events = np.cumsum(generator.exponential(24 * HOUR / rate, size=int(n * 3.5)))
    horizon = events[-1] - interval
    if phase == "average":
        orders = generator.uniform(2 * interval, horizon, size=n)
    else:
        # The moment before the next figure arrives.
        orders = latency + interval * generator.integers(2, int(horizon / interval), size=n) - 1e-6
    known_at = np.floor((orders - latency) / interval) * interval

    sold = np.searchsorted(events, orders) - np.searchsorted(events, known_at)

    risk = oversell_risk(units, rate, latency, interval_seconds=interval, phase=phase)
    # Orders of one cycle share their events, so the error is judged by cycles.
    share, cycles = (sold > units).mean(), horizon / interval
    assert abs(share - risk.probability[0]) < 4 * np.sqrt(share * (1 - share) / min(n, cycles))
    excess = np.maximum(sold - units, 0)
    assert abs(excess.mean() - risk.expected_units[0]) < 4 * excess.std() / np.sqrt(min(n, cycles))


@pytest.mark.parametrize("dispersion", [1.0, 3.0])
def test_the_average_phase_is_the_mean_over_a_fine_grid_of_phases(dispersion):
    rate, latency, interval = 40.0, HOUR, 5 * HOUR
    ages = latency + interval * (np.arange(4000) + 0.5) / 4000

    for units in (0, 4, 15):
        grid = oversell_risk(units, rate, ages, dispersion=dispersion)
        average = oversell_risk(
            units, rate, latency, interval_seconds=interval, dispersion=dispersion, phase="average"
        )
        assert average.probability[0] == pytest.approx(grid.probability.mean(), rel=1e-5)
        assert average.expected_units[0] == pytest.approx(grid.expected_units.mean(), rel=1e-5)


def test_a_short_interval_is_averaged_without_cancelling():
    wide = oversell_risk(6, 90.0, HOUR, interval_seconds=2.0, phase="average")
    narrow = oversell_risk(6, 90.0, HOUR + 1.0)

    assert wide.probability[0] == pytest.approx(narrow.probability[0], rel=1e-6)


def test_numbers_give_an_int_and_arrays_an_array():
    one = oversell_buffer(300.0, 900.0, 0.01)
    many = oversell_buffer([300.0, 0.0], 900.0, [0.01, 0.01], phase="average")

    assert type(one) is int
    assert many.dtype == np.int64
    assert many.tolist() == [8, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate_per_day": -1.0}, "rate_per_day"),
        ({"latency_seconds": np.nan}, "latency_seconds"),
        ({"interval_seconds": -1.0}, "interval_seconds"),
        ({"dispersion": 0.5}, "dispersion"),
        ({"risk": 0.0}, "risk"),
        ({"risk": 1.0}, "risk"),
        ({"phase": "best"}, "phase"),
        ({"rate_per_day": [1.0, 2.0], "risk": [0.1, 0.1, 0.1]}, "shapes disagree"),
        ({"rate_per_day": [[1.0]]}, "one shape"),
    ],
)
def test_wrong_arguments_are_refused(change, message):
    arguments = {"rate_per_day": 1.0, "latency_seconds": 1.0, "risk": 0.1, **change}

    with pytest.raises(InputError, match=message):
        oversell_buffer(**arguments)


@pytest.mark.parametrize("units", [-1, 2.5, np.nan])
def test_broken_buffers_are_refused(units):
    with pytest.raises(InputError, match="buffer must be whole units"):
        oversell_risk(units, 1.0, 1.0)
