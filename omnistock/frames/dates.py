"""Date and time columns: ISO or refused, every bad row named."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from omnistock.errors import InputError
from omnistock.frames.coding import bad_cells, encode, is_text, missing_cells, null_mask, wrong_type
from omnistock.frames.findings import Findings
from omnistock.frames.specs import Column
from omnistock.model.calendar import to_seconds

__all__ = ["dates_of", "times_of"]

# Outside lie typing errors: a year 1026 would make a series a thousand years long.
_FIRST_DAY = np.datetime64("1970-01-01", "D")
_LAST_DAY = np.datetime64("2199-12-31", "D")


def dates_of(values: Any, column: Column, findings: Findings) -> np.ndarray:
    kind = values.type
    n_rows = len(values)
    if is_text(kind):
        days, missing = _parsed_dates(values, column, findings)
    elif pa.types.is_date(kind):
        missing = null_mask(values)
        days = np.asarray(pc.cast(values, pa.date32())).astype("datetime64[D]")
    elif pa.types.is_timestamp(kind):
        missing = null_mask(values)
        local = pc.local_timestamp(values) if kind.tz else values
        moments = np.asarray(local)
        days = moments.astype("datetime64[D]")
        findings.rows(
            column.name,
            np.flatnonzero((days != moments) & ~missing),
            lambda row: f"{moments[row]} has a time of day; give the day alone",
            "a time of day",
        )
    elif pa.types.is_null(kind):
        missing = np.ones(n_rows, dtype=bool)
        days = np.full(n_rows, "NaT", dtype="datetime64[D]")
    else:
        wrong_type(values, column, findings, "give dates, or texts like 2026-03-01")
        return np.full(n_rows, _FIRST_DAY)
    missing_cells(missing, column, findings)
    outside = ((days < _FIRST_DAY) | (days > _LAST_DAY)) & ~missing
    findings.rows(
        column.name,
        np.flatnonzero(outside),
        lambda row: f"{days[row]} is outside {_FIRST_DAY}..{_LAST_DAY}; mend the year",
        "such a date",
    )
    return days


def _parsed_dates(values: Any, column: Column, findings: Findings) -> tuple[np.ndarray, np.ndarray]:
    codes, labels = encode(values)
    cells = [*(label.strip() for label in labels), ""]
    days = np.full(len(cells), "NaT", dtype="datetime64[D]")
    wrong = np.zeros(len(cells), dtype=bool)
    blank = np.array([not cell for cell in cells])
    for i, cell in enumerate(cells):
        if cell:
            day = _iso_day(cell)
            wrong[i] = day is None
            days[i] = np.datetime64("NaT") if day is None else np.datetime64(day, "D")
    bad_cells(codes, [*labels, ""], wrong, _not_a_date, column, findings)
    return days[codes], blank[codes]


def _iso_day(cell: str) -> dt.date | None:
    try:
        moment = dt.datetime.fromisoformat(cell)
    except ValueError:
        return None
    # Half an hour into a day is another thing than the day: refuse rather than cut.
    return moment.date() if moment.time() == dt.time() else None


def _not_a_date(cell: str) -> str:
    return f"{cell!r} is not a date; write year-month-day like 2026-03-01"


def times_of(values: Any, column: Column, findings: Findings) -> np.ndarray:
    kind = values.type
    n_rows = len(values)
    missing = null_mask(values)
    if is_text(kind):
        seconds, missing = _parsed_times(values, column, findings)
    elif pa.types.is_integer(kind):
        seconds = np.asarray(pc.fill_null(pc.cast(values, pa.int64()), 0), dtype=np.int64)
    elif pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        # The instant does not depend on the zone it is shown in.
        naive = pc.cast(values, pa.timestamp("us", getattr(kind, "tz", None)))
        micros = pc.fill_null(pc.cast(naive, pa.int64()), 0)
        seconds = np.asarray(micros, dtype=np.int64) // 1_000_000
    elif pa.types.is_null(kind):
        seconds = np.zeros(n_rows, dtype=np.int64)
    else:
        wrong_type(values, column, findings, "give times, or texts like 2026-03-01T12:00")
        return np.zeros(n_rows, dtype=np.int64)
    missing_cells(missing, column, findings)
    default = 0 if column.default is None else int(column.default)
    return np.where(missing, default, seconds)


def _parsed_times(values: Any, column: Column, findings: Findings) -> tuple[np.ndarray, np.ndarray]:
    codes, labels = encode(values)
    cells = [*(label.strip() for label in labels), ""]
    seconds = np.zeros(len(cells), dtype=np.int64)
    wrong = np.zeros(len(cells), dtype=bool)
    blank = np.array([not cell for cell in cells])
    for i, cell in enumerate(cells):
        if cell:
            try:
                seconds[i] = int(cell) if cell.lstrip("-").isdecimal() else to_seconds(cell)
            except (InputError, OverflowError, ValueError):
                wrong[i] = True
    bad_cells(
        codes,
        [*labels, ""],
        wrong,
        lambda cell: f"{cell!r} is not a time; write it like 2026-03-01T12:00 (UTC unless it says)",
        column,
        findings,
    )
    return seconds[codes], blank[codes]
