"""Schedules: cut-off, processing, the next carrier, transit, days of delivery."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.model import Schedule, Transit

# Carrier pickups as in IBM Sterling's documentation: Tuesday 12:00, Friday 12:00 and 16:30.
IBM = ((1, "12:00"), (4, "12:00"), (4, "16:30"))


@pytest.mark.parametrize(
    ("ordered", "shipped"),
    [
        ("2026-11-17T07:00", "2026-11-17T12:00"),
        ("2026-11-17T08:00", "2026-11-17T12:00"),  # ready at the minute at which it calls
        ("2026-11-17T08:01", "2026-11-20T12:00"),
        ("2026-11-20T12:00", "2026-11-20T16:30"),
        ("2026-11-20T13:00", "2026-11-24T12:00"),
    ],
)
def test_an_order_leaves_with_the_next_carrier_after_it_is_ready(ordered, shipped):
    schedule = Schedule(processing_minutes=240, pickups=IBM)

    assert schedule.ship_time(ordered) == dt.datetime.fromisoformat(shipped + "+00:00")


def test_a_node_without_carrier_pickups_ships_nothing():
    assert Schedule().ship_time("2026-11-17T07:00") is None


def test_no_carrier_calls_on_a_day_on_which_the_node_is_closed_by_date():
    schedule = Schedule(pickups=IBM, closed_on=("2026-11-20",))

    assert schedule.ship_time("2026-11-18T07:00").date() == dt.date(2026, 11, 24)


def test_an_order_after_the_cutoff_is_taken_up_on_the_next_open_day():
    schedule = Schedule(
        open_days=(0, 1, 2, 3, 4), order_cutoff="14:00", processing_minutes=60,
        pickups=tuple((day, "18:00") for day in range(7)),
    )  # fmt: skip

    def shipped(ordered):
        return schedule.ship_time(ordered).isoformat()[:16]

    assert shipped("2026-11-20T14:00") == "2026-11-20T18:00"
    assert shipped("2026-11-20T14:01") == "2026-11-23T18:00"
    assert shipped("2026-11-21T09:00") == "2026-11-23T18:00"


def test_times_are_the_nodes_own():
    schedule = Schedule(time_zone="America/New_York", pickups=((0, "19:00"),))

    shipped = schedule.ship_time("2026-11-16T23:30+00:00")

    assert shipped.isoformat() == "2026-11-16T19:00:00-05:00"


def test_processing_takes_its_time_when_the_clocks_change():
    # On 29 March 2026 Berlin's clocks jump from 02:00 to 03:00.
    schedule = Schedule(time_zone="Europe/Berlin", processing_minutes=120)

    assert schedule.ready_time("2026-03-29T01:30").isoformat() == "2026-03-29T04:30:00+02:00"


def test_what_cannot_be_collected_today_can_be_on_the_next_open_day():
    schedule = Schedule(open_days=(0, 1, 2, 3, 4, 5), collection_cutoff="17:00")

    assert schedule.collection_day("2026-11-20T16:59") == dt.date(2026, 11, 20)
    assert schedule.collection_day("2026-11-21T17:01") == dt.date(2026, 11, 23)


def test_packages_arrive_on_days_of_delivery_only():
    transit = Transit(2, delivery_days=(0, 1, 2, 3, 4), closed_on=("2026-11-23",))

    assert transit.arrival(dt.date(2026, 11, 18)) == dt.date(2026, 11, 20)
    assert transit.arrival(dt.date(2026, 11, 19)) == dt.date(2026, 11, 24)


@given(
    ordered=st.integers(0, 14 * 1440),
    minutes=st.integers(0, 3000),
    pickups=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1439)), min_size=1, max_size=4),
)
def test_the_carrier_is_the_first_of_all_that_call_after_the_order_is_ready(
    ordered, minutes, pickups
):
    times = tuple((day, f"{at // 60:02d}:{at % 60:02d}") for day, at in pickups)
    schedule = Schedule(processing_minutes=minutes, pickups=times)
    monday = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)

    shipped = schedule.ship_time(monday + dt.timedelta(minutes=ordered))

    ready = ordered + minutes
    calls = [1440 * (7 * week + day) + at for week in range(9) for day, at in pickups]
    expected = min(call for call in calls if call >= ready)
    assert shipped == monday + dt.timedelta(minutes=expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"order_cutoff": "25:00"},
        {"order_cutoff": "9"},
        {"pickups": ((7, "10:00"),)},
        {"open_days": ()},
        {"closed_on": ("christmas",)},
        {"processing_minutes": -1},
        {"time_zone": "Mars/Olympus"},
    ],
)
def test_a_wrong_schedule_is_refused(wrong):
    with pytest.raises(InputError):
        Schedule(**wrong)
    with pytest.raises(InputError):
        Transit(-1)
