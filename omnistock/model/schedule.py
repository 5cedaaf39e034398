"""When a node works, when carriers call, and when what they take arrives."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from omnistock.errors import InputError
from omnistock.model.calendar import to_seconds

__all__ = ["Schedule", "Transit"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# No carrier that calls at all stays away for longer.
_MOST_DAYS = 800
_ALL = (0, 1, 2, 3, 4, 5, 6)


def _minutes(what: str, text: str) -> int:
    hours, colon, minutes = text.partition(":")
    whole = colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2
    if not whole or int(hours) > 23 or int(minutes) > 59:
        raise InputError(f"{what} must be a time like 16:30, got {text!r}")
    return 60 * int(hours) + int(minutes)


def _check_days(what: str, days: tuple[int, ...]) -> None:
    if any(day not in _ALL for day in days):
        raise InputError(f"{what} must be days 0 (Monday) to 6 (Sunday), got {days}")


def _check_dates(what: str, dates: tuple[str, ...]) -> None:
    for one in dates:
        try:
            dt.date.fromisoformat(one)
        except ValueError as error:
            raise InputError(f"{what}: {one!r} is not a date like 2026-12-25") from error


@dataclass(frozen=True, slots=True)
class Transit:
    """How long a package is on its way, and when it can be delivered.

    Attributes
    ----------
    days : int
        Calendar days from the carrier's pickup to delivery.
    delivery_days : tuple of int
        Weekdays on which packages are delivered, 0 is Monday; one that would arrive on
        another comes on the next of them.
    closed_on : tuple of str
        Dates on which nothing is delivered.
    """

    days: int = 1
    delivery_days: tuple[int, ...] = _ALL
    closed_on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.days < 0:
            raise InputError(f"transit days must be >= 0, got {self.days}")
        _check_days("delivery_days", self.delivery_days)
        _check_dates("closed_on", self.closed_on)
        if not self.delivery_days:
            raise InputError("delivery_days must name a day")

    def arrival(self, shipped: dt.date) -> dt.date:
        """Return the day on which what was shipped on a day is delivered."""
        day = shipped + dt.timedelta(days=self.days)
        while day.weekday() not in self.delivery_days or day.isoformat() in self.closed_on:
            day += dt.timedelta(days=1)
        return day


@dataclass(frozen=True, slots=True)
class Schedule:
    """Working days, cut-offs and carrier pickups of a node, in its own time zone.

    An order that comes on a day on which the node is closed, or after ``order_cutoff``, is
    taken up at the beginning of the next open day. It is ready ``processing_minutes`` later
    and leaves with the next carrier.

    Attributes
    ----------
    time_zone : str
        IANA name.
    open_days : tuple of int
        0 is Monday.
    closed_on : tuple of str
        Dates on which the node is closed though the weekday is open; no carrier calls then.
    order_cutoff : str, optional
        Time of day up to which an order is taken up the same day.
    processing_minutes : int
    pickups : tuple of (int, str)
        Weekday and time of each carrier pickup; without any, nothing can be shipped.
    collection_cutoff : str, optional
        Time of day up to which an order can be collected the same day.

    Examples
    --------
    >>> schedule = Schedule(processing_minutes=240, pickups=((1, "12:00"), (4, "16:30")))
    >>> schedule.ship_time("2026-11-17T07:00").isoformat()
    '2026-11-17T12:00:00+00:00'
    >>> schedule.ship_time("2026-11-17T09:00").isoformat()
    '2026-11-20T16:30:00+00:00'
    """

    time_zone: str = "UTC"
    open_days: tuple[int, ...] = _ALL
    closed_on: tuple[str, ...] = ()
    order_cutoff: str | None = None
    processing_minutes: int = 0
    pickups: tuple[tuple[int, str], ...] = ()
    collection_cutoff: str | None = None

    def __post_init__(self) -> None:
        to_seconds("2026-01-01", self.time_zone)
        _check_days("open_days", self.open_days)
        _check_dates("closed_on", self.closed_on)
        if not self.open_days:
            raise InputError("open_days must name a day")
        if self.processing_minutes < 0:
            raise InputError(f"processing_minutes must be >= 0, got {self.processing_minutes}")
        for name in ("order_cutoff", "collection_cutoff"):
            text = getattr(self, name)
            if text is not None:
                _minutes(name, text)
        for weekday, time in self.pickups:
            _check_days("pickups", (weekday,))
            _minutes("pickups", time)

    def is_open(self, day: dt.date) -> bool:
        """Whether the node works on a day."""
        return day.weekday() in self.open_days and day.isoformat() not in self.closed_on

    def ready_time(self, ordered: int | str | dt.datetime) -> dt.datetime:
        """Return when an order is ready for the carrier, in the node's time zone."""
        local = self._local(ordered)
        start = self._taken_up(local, self.order_cutoff)
        seconds = int(start.timestamp()) + 60 * self.processing_minutes
        return dt.datetime.fromtimestamp(seconds, ZoneInfo(self.time_zone))

    def ship_time(self, ordered: int | str | dt.datetime) -> dt.datetime | None:
        """Return when an order leaves with the carrier; None if no carrier calls."""
        ready = self.ready_time(ordered)
        times = sorted((weekday, _minutes("pickups", time)) for weekday, time in self.pickups)
        for ahead in range(_MOST_DAYS if times else 0):
            day = ready.date() + dt.timedelta(days=ahead)
            if day.isoformat() in self.closed_on:
                continue
            for weekday, minutes in times:
                moment = self._at(day, minutes)
                if weekday == day.weekday() and moment >= ready:
                    return moment
        return None

    def collection_day(self, ordered: int | str | dt.datetime) -> dt.date:
        """Return the first day on which an order can be collected at the node."""
        return self._taken_up(self._local(ordered), self.collection_cutoff).date()

    def _local(self, moment: int | str | dt.datetime) -> dt.datetime:
        seconds = to_seconds(moment, self.time_zone)
        return dt.datetime.fromtimestamp(seconds, ZoneInfo(self.time_zone))

    def _at(self, day: dt.date, minutes: int) -> dt.datetime:
        time = dt.time(minutes // 60, minutes % 60)
        return dt.datetime.combine(day, time, ZoneInfo(self.time_zone))

    def _taken_up(self, local: dt.datetime, cutoff: str | None) -> dt.datetime:
        """The moment itself; if it is too late for its day, the beginning of the next open one."""
        day = local.date()
        late = cutoff is not None and local > self._at(day, _minutes("cutoff", cutoff))
        if self.is_open(day) and not late:
            return local
        for ahead in range(1, _MOST_DAYS):
            other = day + dt.timedelta(days=ahead)
            if self.is_open(other):
                return self._at(other, 0)
        raise InputError(f"the node is closed for {_MOST_DAYS} days after {day}")
