"""Number columns: parsed, checked against their bounds, every bad row named."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from omnistock.frames.coding import (
    WORDS,
    bad_cells,
    encode,
    is_text,
    missing_cells,
    null_mask,
    wrong_type,
)
from omnistock.frames.findings import Findings
from omnistock.frames.specs import Column

__all__ = ["numbers_of"]

# Whole numbers beyond this are not exact as float64.
_MAX_WHOLE = 2.0**53
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3},\d{3}", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)


def numbers_of(values: Any, column: Column, findings: Findings) -> np.ndarray:
    kind = values.type
    if is_text(kind):
        numbers, missing, bad = _parsed_numbers(values, column, findings)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        missing = null_mask(values)
        numbers = np.asarray(pc.cast(values, pa.float64(), safe=False), dtype=np.float64)
        bad = np.zeros(len(numbers), dtype=bool)
    elif pa.types.is_null(kind):
        numbers = np.full(len(values), np.nan)
        missing, bad = np.isnan(numbers), np.zeros(len(numbers), dtype=bool)
    else:
        wrong_type(values, column, findings, f"give a {WORDS[column.kind]} in every row")
        return np.zeros(len(values), np.int64 if column.kind == "units" else np.float64)
    missing = missing | (np.isnan(numbers) & ~bad)
    missing_cells(missing, column, findings)
    _check_bounds(numbers, column, findings, ~(missing | bad))

    default = np.nan if column.default is None else float(column.default)
    numbers = np.where(missing | bad, default, numbers) if (missing | bad).any() else numbers
    if column.kind == "units":
        whole = np.isfinite(numbers) & (np.abs(numbers) <= _MAX_WHOLE)
        numbers = np.where(whole, numbers, 0.0).astype(np.int64)
    return numbers


def _parsed_numbers(
    values: Any, column: Column, findings: Findings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parse texts; return numbers, where cells are empty, where they are no numbers."""
    codes, labels = encode(values)
    cells = pc.utf8_trim_whitespace(pa.array([*labels, ""], pa.string()))
    blank = np.asarray(pc.equal(cells, ""), dtype=bool)
    wrong = np.zeros(len(cells), dtype=bool)
    try:
        filled = pc.if_else(pa.array(blank), "nan", cells)
        parsed = np.array(pc.cast(filled, pa.float64()), dtype=np.float64)
    except pa.ArrowInvalid:
        parsed, wrong = _parse_slowly(cells.to_pylist(), blank)
    bad_cells(codes, [*labels, ""], wrong, _not_a_number, column, findings)
    return parsed[codes], blank[codes], wrong[codes]


def _parse_slowly(cells: list[str], blank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parsed = np.full(len(cells), np.nan)
    wrong = np.zeros(len(cells), dtype=bool)
    for i, cell in enumerate(cells):
        if _NUMBER.fullmatch(cell) or cell.casefold() in ("nan", "inf", "-inf"):
            parsed[i] = float(cell)
        else:
            wrong[i] = not blank[i]
    return parsed, wrong


def _not_a_number(cell: str) -> str:
    if _THOUSANDS.fullmatch(cell.strip()):
        plain, point = cell.replace(",", ""), cell.replace(",", ".", 1)
        return f"{cell!r} is not a number; write {plain}, or {point} if the comma was a point"
    if _DECIMAL_COMMA.fullmatch(cell.strip()):
        return f"{cell!r} is not a number; write decimals with a point: {cell.replace(',', '.')}"
    return f"{cell!r} is not a number; give a plain number like 12 or 0.5"


def _check_bounds(
    numbers: np.ndarray, column: Column, findings: Findings, filled: np.ndarray
) -> None:
    def refuse(wrong: np.ndarray, message: Callable[[float], str]) -> None:
        if wrong.any():
            findings.rows(
                column.name,
                np.flatnonzero(wrong),
                lambda row: message(numbers[row]),
                "such a value",
            )

    infinite = np.isinf(numbers)
    refuse(infinite & filled, lambda _: "is infinite; give a finite number")
    filled = filled & ~infinite
    if column.kind == "units":
        whole = (np.rint(numbers) == numbers) & (np.abs(numbers) <= _MAX_WHOLE)
        refuse(~whole & filled, lambda x: f"{x:.12g} is not a whole number; give whole units")
        filled = filled & whole
    low, high = column.minimum, column.maximum
    if column.kind == "share":
        low, high = 0.0, 1.0
    with np.errstate(invalid="ignore"):
        if low == 0.0 and column.kind != "share":
            refuse((numbers < 0) & filled, lambda x: f"{x:.12g} is negative; it must be >= 0")
        elif low is not None:
            refuse(
                (numbers < low) & filled, lambda x: f"{x:.12g} is too small; {_range(low, high)}"
            )
        if column.above is not None:
            refuse(
                (numbers <= column.above) & filled,
                lambda x: f"{x:.12g} is too small; it must be > {column.above:g}",
            )
        if high is not None:
            refuse(
                (numbers > high) & filled, lambda x: f"{x:.12g} is too large; {_range(low, high)}"
            )


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"it must lie in {low:g}..{high:g}"
    return f"it must be >= {low:g}" if low is not None else f"it must be <= {high:g}"
