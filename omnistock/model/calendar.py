"""Time buckets: which bucket an instant lies in, and when a bucket starts."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from omnistock.errors import InputError

__all__ = ["Calendar", "Moment", "to_seconds"]

Moment = int | str | dt.datetime | dt.date

_DAY = 86_400
# A year is left at both ends for time zones and horizons.
_FIRST_SECOND = -62_104_060_800
_LAST_SECOND = 253_370_764_800
_EPOCH = dt.date(1970, 1, 1)


def to_seconds(moment: int | dt.datetime | dt.date | str, time_zone: str = "UTC") -> int:
    """Turn an instant into whole seconds since 1970-01-01T00:00Z.

    A naive datetime, a date and an ISO text without offset are read in
    ``time_zone``; a date means its first second.

    Raises
    ------
    InputError
        If the text is no ISO date or time, or the type is another.

    Examples
    --------
    >>> to_seconds("1970-01-02")
    86400
    """
    if isinstance(moment, bool):
        raise InputError(f"{moment!r} is not a time")
    if isinstance(moment, int):
        if not _FIRST_SECOND <= moment <= _LAST_SECOND:
            raise InputError(f"{moment} is no second of the years 1 to 9998")
        return moment
    if isinstance(moment, str):
        try:
            moment = dt.datetime.fromisoformat(moment)
        except ValueError as error:
            raise InputError(f"{moment!r} is not an ISO date or time like 2026-03-01") from error
    if isinstance(moment, dt.datetime):
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=_zone(time_zone))
        return int(moment.timestamp() // 1)
    if isinstance(moment, dt.date):
        midnight = dt.datetime(moment.year, moment.month, moment.day, tzinfo=_zone(time_zone))
        return int(midnight.timestamp() // 1)
    raise InputError(f"{moment!r} is not a time; give seconds, a datetime, a date or ISO text")


@functools.cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(f"unknown time zone {name!r}; give an IANA name like Europe/Berlin") from (
            error
        )


@dataclass(frozen=True, slots=True)
class Calendar:
    """The time buckets of available-to-promise.

    Buckets are numbered from the start of 1970-01-01 in ``time_zone``. A bucket
    of whole days follows the local calendar, so that it begins at local midnight
    on both sides of a clock change, and a bucket of months begins at the midnight of a
    month's first day; shorter buckets divide the absolute time line.

    Attributes
    ----------
    bucket_seconds : int
        Length of a bucket: a divisor or a multiple of a day.
    n_buckets : int
        Horizon, the current bucket included.
    time_zone : str
        IANA name of the zone whose midnight begins a day.
    bucket_months : int
        Calendar months in a bucket; 0: buckets are as long as ``bucket_seconds`` says.
    overdue_supply_buckets : int
        A receipt that is overdue by at most so many buckets is still expected; one that is
        overdue by more counts as nothing until it is received.
    overdue_supply_delay : int
        In how many buckets from now such an overdue receipt is expected.
    """

    bucket_seconds: int = _DAY
    n_buckets: int = 28
    time_zone: str = "UTC"
    bucket_months: int = 0
    overdue_supply_buckets: int = 0
    overdue_supply_delay: int = 0

    def __post_init__(self) -> None:
        if self.bucket_seconds < 60:
            raise InputError(f"bucket_seconds must be >= 60, got {self.bucket_seconds}")
        if _DAY % self.bucket_seconds and self.bucket_seconds % _DAY:
            raise InputError(
                f"bucket_seconds must divide a day or be whole days, got {self.bucket_seconds}"
            )
        if not 2 <= self.n_buckets <= 400:
            raise InputError(f"n_buckets must lie in 2..400, got {self.n_buckets}")
        if self.bucket_months < 0:
            raise InputError(f"bucket_months must be >= 0, got {self.bucket_months}")
        if self.bucket_months and self.bucket_seconds != _DAY:
            raise InputError("give bucket_months or bucket_seconds, not both")
        if self.overdue_supply_buckets < 0:
            raise InputError(
                f"overdue_supply_buckets must be >= 0, got {self.overdue_supply_buckets}"
            )
        if not 0 <= self.overdue_supply_delay < self.n_buckets:
            raise InputError(
                f"overdue_supply_delay must lie in 0..{self.n_buckets - 1}, "
                f"got {self.overdue_supply_delay}"
            )
        _zone(self.time_zone)

    @property
    def bucket_days(self) -> int:
        """Days per bucket; 0 for buckets shorter than a day, and for months."""
        return 0 if self.bucket_months else self.bucket_seconds // _DAY

    def bucket_of(self, seconds: int) -> int:
        """Return the number of the bucket that holds the instant ``seconds``."""
        if not (self.bucket_days or self.bucket_months):
            return seconds // self.bucket_seconds
        local = dt.datetime.fromtimestamp(seconds, _zone(self.time_zone)).date()
        if self.bucket_months:
            months = (local.year - _EPOCH.year) * 12 + local.month - 1
            return months // self.bucket_months
        return (local - _EPOCH).days // self.bucket_days

    def start_of(self, bucket: int) -> int:
        """Return the first second of ``bucket``."""
        if not (self.bucket_days or self.bucket_months):
            return bucket * self.bucket_seconds
        return to_seconds(self._first_date(bucket), self.time_zone)

    def label(self, bucket: int) -> str:
        """Return the start of ``bucket`` as ISO text.

        A date; a year and month (``2009-01``) for buckets of months; a time for buckets
        shorter than a day.
        """
        if self.bucket_months:
            return self._first_date(bucket).isoformat()[:7]
        if self.bucket_days:
            return self._first_date(bucket).isoformat()
        moment = dt.datetime.fromtimestamp(self.start_of(bucket), _zone(self.time_zone))
        return moment.isoformat(timespec="minutes")

    def _first_date(self, bucket: int) -> dt.date:
        if self.bucket_months:
            years, months = divmod(bucket * self.bucket_months, 12)
            return dt.date(_EPOCH.year + years, months + 1, 1)
        return _EPOCH + dt.timedelta(days=bucket * self.bucket_days)
