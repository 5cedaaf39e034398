import datetime as dt

import pytest

from .amounts import Unsupported
from .timeline import DAY_ZERO, Timeline

DAY = 86_400


def test_today_is_what_is_given():
    timeline = Timeline({"given": {"today": "2022-02-04", "inbound": [{"date": "2022-02-01"}]}})

    assert timeline.today == dt.date(2022, 2, 4)


def test_without_today_the_first_date_asked_about_is_today():
    given = {"inbound": [{"date": "2024-01-10"}], "on_hand": [{"expiry": "2023-01-01"}]}

    timeline = Timeline({"given": given, "steps": [{"op": "promise", "date": "2024-01-01"}]})

    assert timeline.today == dt.date(2024, 1, 1)


def test_buckets_count_from_one_which_is_today():
    timeline = Timeline({"given": {"inbound": [{"bucket": 1}, {"bucket": 8}]}})

    assert timeline.seconds(1) == timeline.start
    assert timeline.seconds(8) == timeline.start + 7 * DAY


def test_days_count_from_day_zero():
    timeline = Timeline({"given": {"today": "D0"}, "steps": [{"date": "D+10"}]})

    assert timeline.today == DAY_ZERO
    assert timeline.seconds("D-1") == timeline.start - DAY
    assert timeline.same("D+10", (DAY_ZERO + dt.timedelta(days=10)).isoformat())
    assert not timeline.same("D+9", (DAY_ZERO + dt.timedelta(days=10)).isoformat())


@pytest.mark.parametrize(
    ("text", "offset"),
    [("t", 0), ("t0", 0), ("t+301s", 301), ("t0+299", 299), ("t+5m", 300), ("t0+2h", 7200)],
)
def test_offsets_count_from_the_start(text, offset):
    timeline = Timeline({})

    assert timeline.seconds(text) == timeline.start + offset


def test_months_make_a_calendar_of_months():
    steps = [{"op": "atp", "buckets": ["2009-01", "2009-03"]}]

    timeline = Timeline({"given": {"buffers": [{"from": "2009-02-01"}]}, "steps": steps})

    assert timeline.calendar.bucket_months == 1
    assert timeline.today == dt.date(2009, 1, 1)
    assert timeline.same("2009-02", "2009-02")
    assert not timeline.same("2009-02", "2009-03")


def test_the_horizon_reaches_every_date_and_length_named():
    given = {"today": "2023-05-18", "inbound": [{"date": "2023-07-30"}]}
    given["rules"] = {"lead_time_days": {"X": 30}}

    timeline = Timeline({"given": given})

    assert timeline.calendar.n_buckets > (dt.date(2023, 7, 30) - timeline.today).days + 30


def test_a_time_is_compared_to_the_minute_and_a_day_to_the_day():
    timeline = Timeline({"steps": [{"now": "2026-11-17T07:00"}]})

    assert timeline.same("2026-11-17T12:00", "2026-11-17T12:00")
    assert not timeline.same("2026-11-17T12:00", "2026-11-17T16:30")
    assert timeline.same("2026-11-17", "2026-11-17T16:30")


def test_an_unknown_notation_is_named():
    with pytest.raises(Unsupported, match="'next week'"):
        Timeline({}).seconds("next week")
