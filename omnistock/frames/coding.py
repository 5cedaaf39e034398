"""Texts as codes, and naming the cells that are wrong.

Texts are coded first: a column of three million cells has few different ones, so that
parsing, checking and naming all work on the few.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from omnistock.frames.findings import Findings
from omnistock.frames.specs import Column

__all__ = [
    "WORDS",
    "Coded",
    "bad_cells",
    "encode",
    "is_text",
    "missing_cells",
    "null_mask",
    "wrong_type",
]


@dataclass(frozen=True, slots=True)
class Coded:
    """A text column as codes: cell ``i`` holds ``labels[codes[i]]``.

    Attributes
    ----------
    codes : (n_rows,) int32
    labels : tuple of str
        The different texts, sorted; each stands in at least one row.
    """

    codes: np.ndarray
    labels: tuple[str, ...]

    def texts(self) -> np.ndarray:
        """Return the column as an object array of str, shape (n_rows,)."""
        labels = np.empty(len(self.labels), dtype=object)
        labels[:] = self.labels
        return labels[self.codes] if len(labels) else np.empty(0, dtype=object)


def is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def encode(values: Any) -> tuple[np.ndarray, list[str]]:
    """Return codes (-1 where null) and the different texts, in order of appearance."""
    if not pa.types.is_dictionary(values.type):
        values = pc.dictionary_encode(values)
    array = values.unify_dictionaries().combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # no chunk at all
        array = pa.array([], pa.string()).dictionary_encode()
    indices = array.indices
    if indices.null_count:
        indices = pc.fill_null(pc.cast(indices, pa.int32()), -1)
    codes = np.asarray(indices).astype(np.int32, copy=False)
    labels = array.dictionary.to_pylist()
    if None in labels:
        mapping = np.array([-1 if one is None else i for i, one in enumerate(labels)] + [-1])
        codes = mapping[codes].astype(np.int32)
        labels = ["" if one is None else one for one in labels]
    return codes, labels


def wrong_type(values: Any, column: Column, findings: Findings, mend: str) -> None:
    findings.whole(f"holds {values.type}, expected {column.kind}; {mend}", column.name)


def missing_cells(missing: np.ndarray, column: Column, findings: Findings) -> None:
    if column.required and missing.any():
        findings.rows(
            column.name,
            np.flatnonzero(missing),
            f"is empty; give a {WORDS[column.kind]} in every row",
            "an empty cell",
        )


WORDS = {
    "text": "text",
    "units": "whole number",
    "number": "number",
    "share": "share between 0 and 1",
    "date": "date like 2026-03-01",
    "time": "time like 2026-03-01T12:00",
    "flag": "true or false",
}


def null_mask(values: Any) -> np.ndarray:
    if not values.null_count:
        return np.zeros(len(values), dtype=bool)
    return np.asarray(pc.is_null(values), dtype=bool)


def bad_cells(
    codes: np.ndarray,
    labels: Any,
    wrong: np.ndarray,
    message: Callable[[str], str],
    column: Column,
    findings: Findings,
) -> None:
    if wrong.any():
        rows = np.flatnonzero(wrong[codes])
        findings.rows(column.name, rows, lambda row: message(labels[codes[row]]), "such a cell")
