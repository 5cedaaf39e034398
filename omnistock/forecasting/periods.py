"""Periods: days, weeks, months, ... as consecutive numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from omnistock.errors import FrameError, InputError, Problem

__all__ = ["FREQUENCIES", "Frequency", "frequency_named"]


@dataclass(frozen=True, slots=True)
class Frequency:
    """A grid of periods.

    Attributes
    ----------
    name : str
    kind : str
        Kind of the time column: ``date``, ``time`` (hours) or ``units`` (numbered steps).
    unit : str
        numpy unit in which a time is counted.
    n_units : int
        Units per period.
    days : float
        Mean length of a period; 1 for numbered steps, whose lead times count in steps.
    season_length : int
        Periods per season unless told otherwise.
    weekday : int
        Days since a Thursday on which weeks begin.
    """

    name: str
    kind: str
    unit: str
    n_units: int
    days: float
    season_length: int
    weekday: int = 0

    def anchored(self, times: np.ndarray) -> Frequency:
        """Return the grid whose weeks begin on the weekday of the first time."""
        if self.name != "W" or not len(times):
            return self
        return replace(self, weekday=int(times[0].astype("datetime64[D]").astype(np.int64)) % 7)

    def periods_of(
        self, times: np.ndarray, table: str, column: str, *, strict: bool = True
    ) -> np.ndarray:
        """Return the number of each time's period.

        Raises
        ------
        FrameError
            If ``strict`` and a time does not lie on the grid: hours with minutes, or weeks
            that begin on different days.
        """
        if self.kind == "units":
            return times.astype(np.int64)
        if self.kind == "time":
            self._refuse(times % 3600 != 0, strict, table, column, "is not a full hour")
            return times // 3600
        numbers = times.astype(f"datetime64[{self.unit}]").astype(np.int64)
        if self.name == "W":
            numbers = numbers - self.weekday
            wrong = numbers % 7 != 0
            self._refuse(wrong, strict, table, column, "begins on another weekday than row 1")
        return numbers // self.n_units

    @staticmethod
    def _refuse(wrong: np.ndarray, strict: bool, table: str, column: str, what: str) -> None:
        if strict and wrong.any():
            rows = np.flatnonzero(wrong)[:20]
            raise FrameError([Problem(table, int(row) + 1, column, what) for row in rows])

    def starts(self, numbers: np.ndarray) -> np.ndarray:
        """Return the first instant of numbered periods: datetime64[D], hours, or the numbers."""
        if self.kind == "units":
            return numbers
        if self.kind == "time":
            return numbers.astype("datetime64[h]").astype("datetime64[s]")
        units = numbers * self.n_units + self.weekday
        return units.astype(f"datetime64[{self.unit}]").astype("datetime64[D]")

    def label(self, number: int) -> str:
        """Return a period as text."""
        return str(self.starts(np.array([number]))[0])


FREQUENCIES = {
    one.name: one
    for one in (
        Frequency("H", "time", "h", 1, 1.0 / 24.0, 24),
        Frequency("D", "date", "D", 1, 1.0, 7),
        Frequency("W", "date", "D", 7, 7.0, 52),
        Frequency("M", "date", "M", 1, 365.25 / 12.0, 12),
        Frequency("Q", "date", "M", 3, 365.25 / 4.0, 4),
        Frequency("Y", "date", "Y", 1, 365.25, 1),
        Frequency("step", "units", "", 1, 1.0, 1),
    )
}


def frequency_named(name: str) -> Frequency:
    """Return a frequency by its name.

    Examples
    --------
    >>> frequency_named("W").season_length
    52
    """
    if name not in FREQUENCIES:
        raise InputError(f"frequency must be one of {', '.join(FREQUENCIES)}, got {name!r}")
    return FREQUENCIES[name]
