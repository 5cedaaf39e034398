"""Columns of any arrow type -> checked numpy arrays, every bad row named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from omnistock.frames.coding import (
    Coded,
    bad_cells,
    encode,
    is_text,
    missing_cells,
    null_mask,
    wrong_type,
)
from omnistock.frames.dates import dates_of, times_of
from omnistock.frames.findings import Findings
from omnistock.frames.numbers import numbers_of
from omnistock.frames.specs import Column

__all__ = ["convert"]

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def convert(values: Any, column: Column, findings: Findings) -> np.ndarray | Coded:
    """Convert a pyarrow ChunkedArray to what ``column`` says; faults go to ``findings``.

    Returns
    -------
    Coded for texts, else an array of shape (n_rows,)
        int64 for units and times, float64 for numbers and shares, datetime64[D] for
        dates, bool for flags. Where a fault was found the value is arbitrary.
    """
    if column.kind == "text":
        return _texts(values, column, findings)
    if column.kind == "date":
        return dates_of(values, column, findings)
    if column.kind == "time":
        return times_of(values, column, findings)
    if column.kind == "flag":
        return _flags(values, column, findings)
    return numbers_of(values, column, findings)


def _texts(values: Any, column: Column, findings: Findings) -> Coded:
    n_rows = len(values)
    if pa.types.is_null(values.type):
        values = pa.chunked_array([pa.nulls(n_rows, pa.string())])
    elif pa.types.is_integer(values.type):
        values = pc.cast(values, pa.string())
    elif not is_text(values.type):
        mend = "turn it into text first, so that identifiers stay as they are"
        wrong_type(values, column, findings, mend)
        return Coded(np.zeros(n_rows, dtype=np.int32), ("",) if n_rows else ())
    codes, labels = encode(values)

    # One more label stands for the empty cell; code -1 reaches it from the end.
    fallback = "" if column.default is None else str(column.default)
    blank = np.array([not one.strip() for one in labels] + [True])
    missing_cells(blank[codes], column, findings)
    texts = [fallback if empty else one for one, empty in zip([*labels, ""], blank, strict=True)]
    coded = _sorted_codes(codes, texts)
    if column.choices:
        wrong = np.array([one not in column.choices for one in coded.labels], dtype=bool)
        if column.required:
            wrong &= np.array([bool(one.strip()) for one in coded.labels], dtype=bool)
        bad_cells(
            coded.codes,
            coded.labels,
            wrong,
            lambda cell: f"{cell!r} is not allowed; use one of {', '.join(column.choices)}",
            column,
            findings,
        )
    return coded


def _sorted_codes(codes: np.ndarray, texts: list[str]) -> Coded:
    """Sort the labels that occur and merge equal ones; codes may count from the end."""
    codes = np.where(codes < 0, codes + len(texts), codes)
    used = np.bincount(codes, minlength=len(texts)) > 0
    labels = sorted({text for text, use in zip(texts, used, strict=True) if use})
    place = {label: i for i, label in enumerate(labels)}
    remap = np.array([place.get(text, 0) for text in texts], dtype=np.int32)
    return Coded(remap[codes], tuple(labels))


def _flags(values: Any, column: Column, findings: Findings) -> np.ndarray:
    kind = values.type
    default = bool(column.default)
    if pa.types.is_null(kind):
        missing = np.ones(len(values), dtype=bool)
        flags = np.zeros(len(values), dtype=bool)
    elif pa.types.is_boolean(kind):
        missing = null_mask(values)
        flags = np.asarray(pc.fill_null(values, default), dtype=bool)
    elif is_text(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        flags, missing = _parsed_flags(values, column, findings)
    else:
        wrong_type(values, column, findings, "give true or false")
        return np.zeros(len(values), dtype=bool)
    missing_cells(missing, column, findings)
    return np.where(missing, default, flags)


def _parsed_flags(values: Any, column: Column, findings: Findings) -> tuple[np.ndarray, np.ndarray]:
    if not is_text(values.type):
        if pa.types.is_floating(values.type):  # a pandas column of 0, 1 and NaN
            values = pc.if_else(pc.is_nan(values), None, values)
        values = pc.cast(values, pa.string())
    codes, labels = encode(values)
    cells = [*(label.strip().casefold() for label in labels), ""]
    blank = np.array([not cell for cell in cells])
    wrong = np.array([bool(cell) and cell not in _FLAGS for cell in cells])
    bad_cells(
        codes,
        [*labels, ""],
        wrong,
        lambda cell: f"{cell!r} is neither true nor false",
        column,
        findings,
    )
    flags = np.array([_FLAGS.get(cell, False) for cell in cells])
    return flags[codes], blank[codes]
