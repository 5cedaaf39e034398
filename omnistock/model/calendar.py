"""Time buckets: which bucket an instant lies in, and when a bucket starts."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from omnistock.errors import InputError

__all__ = ["Calendar", "to_seconds"]

_DAY = 86_400
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
    on both sides of a clock change; shorter buckets divide the absolute time line.

    Attributes
    ----------
    bucket_seconds : int
        Length of a bucket: a divisor or a multiple of a day.
    n_buckets : int
        Horizon, the current bucket included.
    time_zone : str
        IANA name of the zone whose midnight begins a day.
    """

    bucket_seconds: int = _DAY
    n_buckets: int = 28
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.bucket_seconds < 60:
            raise InputError(f"bucket_seconds must be >= 60, got {self.bucket_seconds}")
        if _DAY % self.bucket_seconds and self.bucket_seconds % _DAY:
            raise InputError(
                f"bucket_seconds must divide a day or be whole days, got {self.bucket_seconds}"
            )
        if not 2 <= self.n_buckets <= 400:
            raise InputError(f"n_buckets must lie in 2..400, got {self.n_buckets}")
        _zone(self.time_zone)

    @property
    def bucket_days(self) -> int:
        """Days per bucket, 0 for buckets shorter than a day."""
        return self.bucket_seconds // _DAY

    def bucket_of(self, seconds: int) -> int:
        """Return the number of the bucket that holds the instant ``seconds``."""
        if not self.bucket_days:
            return seconds // self.bucket_seconds
        local = dt.datetime.fromtimestamp(seconds, _zone(self.time_zone)).date()
        return (local - _EPOCH).days // self.bucket_days

    def start_of(self, bucket: int) -> int:
        """Return the first second of ``bucket``."""
        if not self.bucket_days:
            return bucket * self.bucket_seconds
        return to_seconds(_EPOCH + dt.timedelta(days=bucket * self.bucket_days), self.time_zone)

    def label(self, bucket: int) -> str:
        """Return the start of ``bucket`` as ISO text: a date, or a time for short buckets."""
        if self.bucket_days:
            return (_EPOCH + dt.timedelta(days=bucket * self.bucket_days)).isoformat()
        moment = dt.datetime.fromtimestamp(self.start_of(bucket), _zone(self.time_zone))
        return moment.isoformat(timespec="minutes")
