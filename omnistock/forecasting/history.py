"""The frame edge: a long table of sales becomes a panel of regular series."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omnistock.errors import FrameError, InputError, Problem
from omnistock.forecasting.panel import Panel
from omnistock.forecasting.periods import Frequency, frequency_named
from omnistock.frames import TABLES, Column, Table, TableSpec, read_table
from omnistock.frames.coding import Coded
from omnistock.frames.files import read_file
from omnistock.frames.findings import Findings

__all__ = ["History", "read_history"]

_KEYS = ("unique_id", "sku", "node", "channel")
_TIMES = ("date", "ds")
_QUANTITIES = ("quantity", "y")
# Below this many possible combinations of keys a table of all of them beats sorting.
_DENSE_COMBINATIONS = 20_000_000


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Regular series with names.

    Attributes
    ----------
    panel : Panel
    keys : dict of str to (n,) object array of str
        What names each series.
    first : (n,) int64
        Number of each series' first period, counted by the frequency.
    frequency : Frequency
    kind : str
        Kind of frame that came in.
    """

    panel: Panel
    keys: dict[str, np.ndarray]
    first: np.ndarray
    frequency: Frequency
    kind: str


def read_history(
    source: Any,
    *,
    frequency: str = "D",
    season_length: int | None = None,
    missing: str = "raise",
    stockouts: Any = None,
) -> History:
    """Read a long table and lay every series out without gaps.

    Raises
    ------
    FrameError
        For bad cells, missing columns, times off the grid, repeated or missing periods.
    InputError
        If ``frequency`` or ``missing`` is unknown.
    """
    if missing not in ("raise", "zero"):
        raise InputError(f"missing must be 'raise' or 'zero', got {missing!r}")
    grid = frequency_named(frequency)
    spec, time, quantity = _spec_for(source, grid)
    table = read_table(source, spec, name="history")
    grid = grid.anchored(table[time])
    period = grid.periods_of(table[time], "history", time)
    series, keys = _series_of(table, spec)
    n_series = len(next(iter(keys.values())))
    first, last = _ends(period, series, n_series)
    if missing == "zero" and len(period):
        last[:] = period.max()
    offsets = np.concatenate(([0], np.cumsum(last - first + 1))).astype(np.int64)
    slot = offsets[series] + period - first[series]
    _refuse_repeats(slot, grid, time)
    if missing == "raise":
        _refuse_gaps(slot, keys, first, offsets, grid, time)
    values = np.zeros(offsets[-1])
    values[slot] = table[quantity]
    share = np.zeros(offsets[-1])
    if "stockout_share" in spec.names:
        share[slot] = table["stockout_share"]
    if stockouts is not None:
        share += _stockout_shares(stockouts, keys, first, offsets, grid)
        np.minimum(share, 1.0, out=share)
    phase = first % (season_length or grid.season_length)
    panel = Panel.build(values, offsets, stockout_share=share, first_phase=phase)
    return History(panel, keys, first, grid, table.kind)


def _names_in(source: Any) -> list[str]:
    if isinstance(source, Table):
        return [name for name in source.spec.names if name in source.given]
    if isinstance(source, (str, os.PathLike)):
        findings = Findings("history")
        arrow = read_file(Path(source), findings)
        findings.raise_if_any()
        return list(arrow.column_names)
    if isinstance(source, Mapping):
        return [str(name) for name in source]
    names = getattr(source, "column_names", None)  # pyarrow
    if names is None:
        names = getattr(source, "columns", None)
    if names is None:
        # The reader says what it expected instead.
        read_table(source, TableSpec("history", (Column("date", "date"),)))
    return [str(name) for name in names] if names is not None else []


def _spec_for(source: Any, grid: Frequency) -> tuple[TableSpec, str, str]:
    """Return what the table must look like, given what its columns are called."""
    names = _names_in(source)
    keys = [name for name in _KEYS if name in names]
    time = next((name for name in _TIMES if name in names), _TIMES[0])
    quantity = next((name for name in _QUANTITIES if name in names), _QUANTITIES[0])
    if not keys:
        raise FrameError(
            [
                Problem(
                    "history",
                    None,
                    None,
                    f"names no series: give sku, node, channel or unique_id; the table has "
                    f"{', '.join(names) or 'no columns'}",
                )
            ]
        )
    columns = [Column(name, "text") for name in keys]
    columns.append(Column(time, grid.kind))
    columns.append(Column(quantity, "number", minimum=0))
    if "stockout_share" in names:
        columns.append(Column("stockout_share", "share", required=False, default=0.0))
    return TableSpec("history", tuple(columns), key=(*keys, time)), time, quantity


def _series_of(table: Table, spec: TableSpec) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the number of each row's series, and the names of the series in sorted order."""
    coded = {name: table.codes(name) for name in spec.key[:-1]}
    combined, n_combinations = _combined(coded)
    if n_combinations <= _DENSE_COMBINATIONS:
        present = np.zeros(n_combinations, dtype=bool)
        present[combined] = True
        found = np.flatnonzero(present)
        number = np.zeros(n_combinations, dtype=np.int64)
        number[found] = np.arange(len(found))
        series = number[combined]
    else:
        found, series = np.unique(combined, return_inverse=True)
    keys = {}
    for name in reversed(coded):
        labels = np.array(coded[name].labels, dtype=object)
        found, code = np.divmod(found, max(len(labels), 1))
        keys[name] = labels[code] if len(labels) else np.empty(0, dtype=object)
    return series, {name: keys[name] for name in coded}


def _combined(coded: dict[str, Coded]) -> tuple[np.ndarray, int]:
    n_combinations = 1
    combined: np.ndarray = np.zeros(1, dtype=np.int64)
    for column in coded.values():
        size = max(len(column.labels), 1)
        combined = combined * size + column.codes
        n_combinations *= size
    return combined, n_combinations


def _ends(period: np.ndarray, series: np.ndarray, n_series: int) -> tuple[np.ndarray, np.ndarray]:
    first = np.full(n_series, np.iinfo(np.int64).max)
    last = np.full(n_series, np.iinfo(np.int64).min)
    np.minimum.at(first, series, period)
    np.maximum.at(last, series, period)
    return first, last


def _refuse_repeats(slot: np.ndarray, grid: Frequency, time: str) -> None:
    """Refuse two rows of one series in one period; days are already known to differ."""
    if grid.name not in ("M", "Q", "Y") or not len(slot):
        return
    order = np.argsort(slot, kind="stable")
    again = np.sort(order[1:][np.diff(slot[order]) == 0])
    if len(again):
        raise FrameError(
            [
                Problem("history", int(row) + 1, time, "is a second row of the same period; add up")
                for row in again[:20]
            ]
        )


def _refuse_gaps(
    slot: np.ndarray,
    keys: dict[str, np.ndarray],
    first: np.ndarray,
    offsets: np.ndarray,
    grid: Frequency,
    time: str,
) -> None:
    if len(slot) == offsets[-1]:
        return
    filled = np.zeros(offsets[-1], dtype=bool)
    filled[slot] = True
    empty = np.flatnonzero(~filled)
    one = int(np.searchsorted(offsets, empty[0], side="right")) - 1
    name = ", ".join(f"{key} {values[one]!r}" for key, values in keys.items())
    when = grid.label(int(first[one] + empty[0] - offsets[one]))
    message = (
        f"{name} has no row for {when}, and {len(empty)} rows are missing in all; add them, or "
        "pass missing='zero' if a missing row means that nothing was sold"
    )
    raise FrameError([Problem("history", None, time, message)])


def _stockout_shares(
    stockouts: Any,
    keys: dict[str, np.ndarray],
    first: np.ndarray,
    offsets: np.ndarray,
    grid: Frequency,
) -> np.ndarray:
    """Return the share without stock of every period, read from a table of days."""
    if grid.kind != "date":
        raise InputError(
            "stockouts are given by day; for this frequency use a column stockout_share"
        )
    table = read_table(stockouts, TABLES["stockouts"])
    shared = [name for name in ("sku", "node") if name in keys]
    if not shared:
        raise InputError("stockouts are by sku and node; the history must have one of them")
    # Rows and series meet in the codes of the stockout table.
    known = [_lookup(table.codes(name), keys[name]) for name in shared]
    row_codes, series_codes = known[0]
    for rows, series in known[1:]:
        size = int(max(rows.max(initial=0), series.max(initial=0))) + 1
        row_codes = row_codes * size + rows
        series_codes = np.where((series < 0) | (series_codes < 0), -1, series_codes * size + series)
    order = np.argsort(series_codes, kind="stable")
    left = np.searchsorted(series_codes[order], row_codes, side="left")
    right = np.searchsorted(series_codes[order], row_codes, side="right")
    count = right - left
    row = np.repeat(np.arange(table.n_rows), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    one = order[np.repeat(left, count) + within]
    period = grid.periods_of(table["date"], "stockouts", "date", strict=False)[row] - first[one]
    inside = (period >= 0) & (period < np.diff(offsets)[one])
    share = np.zeros(offsets[-1])
    weight = table["share"][row[inside]] / grid.days
    np.add.at(share, offsets[one[inside]] + period[inside], weight)
    return share


def _lookup(column: Coded, names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of the rows, and those of ``names`` (-1 for a name without rows)."""
    code = {label: i for i, label in enumerate(column.labels)}
    found = np.array([code.get(name, -1) for name in names], dtype=np.int64)
    return column.codes.astype(np.int64), found
