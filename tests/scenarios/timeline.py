"""Dates as scenarios write them: days, day numbers, buckets, months, and seconds."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import omnistock as om
from omnistock.model.calendar import to_seconds

from .amounts import Unsupported, dicts, exact, is_number

__all__ = ["Timeline"]

# A Monday; what "D0", "t" and bucket 1 are if a scenario names no date.
DAY_ZERO = dt.date(2026, 1, 5)
DAY_SECONDS = 86_400
MOST_BUCKETS = 400

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"\d{4}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*")
_DAY_NUMBER = re.compile(r"D0(?:[+-]\d+)?|D[+-]\d+")
_OFFSET = re.compile(r"[tT]0?(?:([+-]\d+)\s*(s|sec|m|min|h|d)?)?")
_SECONDS = {None: 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": DAY_SECONDS}
# Fields whose dates lie far from today without being asked about.
_ASIDE = ("received", "expiry", "overdue_inbound")
_LENGTHS = (
    "days",
    "horizon_days",
    "horizon_buckets",
    "infinite_supply_from_day",
    "lead_time_days",
    "backward_supply_fence_days",
    "delayed_supply_offset_days",
    "delayed_demand_offset_days",
    "transit_days",
)


class Timeline:
    """The calendar of one scenario, and its way of naming moments.

    Attributes
    ----------
    start : int
        Second at which the scenario begins.
    calendar : Calendar
    """

    def __init__(self, scenario: dict[str, Any]) -> None:
        given = scenario.get("given", {})
        texts = list(_texts(scenario))
        self.by_month = any(_MONTH.fullmatch(text) for text in texts)
        numbers = [n for row in dicts(scenario) if (n := _bucket_number(row)) is not None]
        self._first_bucket = min([1, *numbers])
        self.today = self._find_today(given, scenario)
        self.start = to_seconds(self.today)
        self.calendar = om.Calendar()
        last = [self.today]
        for text in [*texts, *(number for number in numbers)]:
            try:
                last.append(dt.datetime.fromtimestamp(self.seconds(text), dt.UTC).date())
            except Unsupported:
                continue
        self.calendar = self._calendar(given.get("rules", {}), max(last), scenario)

    def _find_today(self, given: dict[str, Any], scenario: dict[str, Any]) -> dt.date:
        named = given.get("today", given.get("now"))
        if named is not None:
            return self._day_of(str(named))
        steps = scenario.get("steps", [])
        moments = [str(step[k]) for step in steps for k in ("now", "today") if k in step]
        found = [text for text in moments if _TIME.fullmatch(text) or _DAY.fullmatch(text)]
        if not found:
            asked = [{k: v for k, v in given.items() if k not in _ASIDE}, steps]
            found = [text for text in _texts(asked) if _DAY.fullmatch(text)]
            found += [f"{text}-01" for text in _texts(asked) if _MONTH.fullmatch(text)]
        return min((self._day_of(text) for text in found), default=DAY_ZERO)

    def _day_of(self, text: str) -> dt.date:
        if _DAY_NUMBER.fullmatch(text):
            return DAY_ZERO + dt.timedelta(days=_day_number(text))
        try:
            return dt.datetime.fromisoformat(text).date()
        except ValueError as error:
            raise Unsupported(f"{text!r} is no day to begin on") from error

    def _calendar(self, rules: dict[str, Any], last: dt.date, scenario: Any) -> om.Calendar:
        fence = int(rules.get("backward_supply_fence_days", 0))
        delay = int(rules.get("delayed_supply_offset_days", 0))
        if self.by_month:
            months = (last.year - self.today.year) * 12 + last.month - self.today.month
            return om.Calendar(bucket_months=1, n_buckets=max(12, months + 4))
        ahead = (last - self.today).days + sum(_lengths(scenario))
        return om.Calendar(
            n_buckets=min(max(28, ahead + 8), MOST_BUCKETS),
            overdue_supply_buckets=fence,
            overdue_supply_delay=delay,
        )

    def seconds(self, value: Any) -> int:
        """Return the moment that a scenario names.

        A whole number is a bucket, 1 being today; a text is a date, a month, a time, a day
        number like ``D+2`` or an offset in seconds like ``t+300s``.
        """
        if isinstance(value, int) and not isinstance(value, bool):
            return self.calendar.start_of(
                self.calendar.bucket_of(self.start) + value - self._first_bucket
            )
        text = str(value)
        if _DAY_NUMBER.fullmatch(text):
            return to_seconds(DAY_ZERO) + _day_number(text) * DAY_SECONDS
        if match := _OFFSET.fullmatch(text):
            return self.start + int(match[1] or 0) * _SECONDS[match[2]]
        if _MONTH.fullmatch(text):
            return to_seconds(f"{text}-01")
        if _DAY.fullmatch(text) or _TIME.fullmatch(text):
            return to_seconds(text)
        raise Unsupported(f"{value!r} is no date that this runner knows")

    def same(self, expected: Any, got: Any) -> bool:
        """Whether the engine's date or time lies in the bucket or minute that is expected."""
        if expected is None or got is None:
            return expected is got
        if isinstance(expected, str) and _TIME.fullmatch(expected):
            return self.seconds(expected) == self.seconds(got)
        bucket_of = self.calendar.bucket_of
        return bucket_of(self.seconds(expected)) == bucket_of(self.seconds(got))


def _day_number(text: str) -> int:
    offset = text.removeprefix("D0") if text.startswith("D0") else text.removeprefix("D")
    return int(offset or 0)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text that can name a day; names of things look otherwise."""
    if isinstance(value, dict):
        for name, one in value.items():
            if name not in _ASIDE:
                yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str) and any(
        pattern.fullmatch(value) for pattern in (_DAY, _MONTH, _TIME, _DAY_NUMBER)
    ):
        yield value


def _bucket_number(row: dict[str, Any]) -> int | None:
    bucket = row.get("bucket")
    return bucket if isinstance(bucket, int) and not isinstance(bucket, bool) else None


def _lengths(scenario: Any) -> list[int]:
    """Return the longest of each kind of length that a scenario names in days."""
    longest: dict[str, int] = {}
    for row in dicts(scenario):
        for name in _LENGTHS:
            found = row.get(name)
            values = list(found.values()) if isinstance(found, dict) else [found]
            for value in values:
                if is_number(value):
                    longest[name] = max(longest.get(name, 0), int(exact(value)))
    return list(longest.values())
