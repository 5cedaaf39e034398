"""Time buckets tile the time line and follow local midnight."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.model import Calendar
from omnistock.model.calendar import to_seconds

DAY = 86_400
HOUR = 3_600
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")

calendars = st.one_of(
    st.builds(
        Calendar,
        bucket_seconds=st.sampled_from([60, 900, HOUR, 6 * HOUR, DAY, 7 * DAY]),
        time_zone=st.sampled_from(ZONES),
    ),
    st.builds(
        Calendar,
        bucket_months=st.sampled_from([1, 2, 3, 5, 12]),
        time_zone=st.sampled_from(ZONES),
    ),
)
moments = st.integers(-10 * 366 * DAY, 80 * 366 * DAY)


@given(calendars, moments)
def test_an_instant_lies_between_the_start_of_its_bucket_and_of_the_next(calendar, seconds):
    bucket = calendar.bucket_of(seconds)

    assert calendar.start_of(bucket) <= seconds < calendar.start_of(bucket + 1)


@given(calendars, moments)
def test_a_bucket_starts_in_itself(calendar, seconds):
    bucket = calendar.bucket_of(seconds)

    assert calendar.bucket_of(calendar.start_of(bucket)) == bucket


@given(st.sampled_from(ZONES), st.dates(dt.date(1980, 1, 1), dt.date(2037, 12, 31)))
def test_a_bucket_of_a_day_is_the_local_date(zone, date):
    calendar = Calendar(time_zone=zone)
    noon = dt.datetime(date.year, date.month, date.day, 12, tzinfo=ZoneInfo(zone))

    assert calendar.label(calendar.bucket_of(int(noon.timestamp()))) == date.isoformat()


def test_a_day_has_23_hours_when_clocks_go_forward_and_25_when_they_go_back():
    berlin = Calendar(time_zone="Europe/Berlin")
    spring = berlin.bucket_of(to_seconds("2026-03-29T12:00", "Europe/Berlin"))
    autumn = berlin.bucket_of(to_seconds("2026-10-25T12:00", "Europe/Berlin"))

    assert berlin.start_of(spring + 1) - berlin.start_of(spring) == 23 * HOUR
    assert berlin.start_of(autumn + 1) - berlin.start_of(autumn) == 25 * HOUR


def test_a_short_bucket_is_labelled_with_its_time():
    quarter = Calendar(bucket_seconds=900, time_zone="Europe/Berlin")

    label = quarter.label(quarter.bucket_of(to_seconds("2026-01-05T08:20", "Europe/Berlin")))

    assert label == "2026-01-05T08:15+01:00"


@given(st.sampled_from(ZONES), st.dates(dt.date(1950, 1, 1), dt.date(2037, 12, 31)))
def test_a_bucket_of_a_month_is_the_local_year_and_month(zone, date):
    calendar = Calendar(bucket_months=1, time_zone=zone)
    noon = dt.datetime(date.year, date.month, date.day, 12, tzinfo=ZoneInfo(zone))

    assert calendar.label(calendar.bucket_of(int(noon.timestamp()))) == date.isoformat()[:7]


def test_months_follow_one_another_over_the_turn_of_the_year():
    monthly = Calendar(bucket_months=1)

    last = monthly.bucket_of(to_seconds("2008-12-31T23:59:59"))

    assert [monthly.label(last + k) for k in range(3)] == ["2008-12", "2009-01", "2009-02"]
    assert monthly.start_of(last + 2) - monthly.start_of(last + 1) == 31 * DAY


def test_quarters_begin_in_january_april_july_and_october():
    quarterly = Calendar(bucket_months=3)

    labels = {
        quarterly.label(quarterly.bucket_of(to_seconds(f"2026-{m:02}-15"))) for m in range(1, 13)
    }

    assert labels == {"2026-01", "2026-04", "2026-07", "2026-10"}


def test_a_calendar_stored_before_months_and_fences_reads_as_one_without():
    stored = b'{"bucket_seconds":3600,"n_buckets":14,"time_zone":"Europe/Berlin"}'

    assert msgspec.json.decode(stored, type=Calendar) == Calendar(3600, 14, "Europe/Berlin")


@given(calendars)
def test_a_calendar_survives_storing(calendar):
    assert msgspec.json.decode(msgspec.json.encode(calendar), type=Calendar) == calendar


@pytest.mark.parametrize(
    ("moment", "zone", "seconds"),
    [
        (90_061, "UTC", 90_061),
        ("1970-01-02", "UTC", DAY),
        ("1970-01-02", "Asia/Kolkata", DAY - 5 * HOUR - 1_800),
        ("1970-01-01T01:00+01:00", "America/New_York", 0),
        (dt.date(1970, 1, 3), "UTC", 2 * DAY),
        (dt.datetime(1970, 1, 1, 0, 0, 59, 999_999), "UTC", 59),
        (dt.datetime(1969, 12, 31, 23, 59, 59, 500_000), "UTC", -1),
    ],
)
def test_an_instant_may_be_written_in_several_ways(moment, zone, seconds):
    assert to_seconds(moment, zone) == seconds


@pytest.mark.parametrize("moment", ["yesterday", "2026-02-30", True, 1.5, None])
def test_what_is_no_instant_is_refused(moment):
    with pytest.raises(InputError):
        to_seconds(moment)


@pytest.mark.parametrize(
    "settings",
    [
        {"bucket_seconds": 59},
        {"bucket_seconds": 7 * HOUR},
        {"bucket_seconds": DAY + HOUR},
        {"n_buckets": 1},
        {"n_buckets": 401},
        {"time_zone": "Mars/Olympus"},
        {"bucket_months": -1},
        {"bucket_months": 1, "bucket_seconds": HOUR},
        {"overdue_supply_buckets": -1},
        {"overdue_supply_delay": -1},
        {"n_buckets": 14, "overdue_supply_delay": 14},
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(settings):
    with pytest.raises(InputError):
        Calendar(**settings)
