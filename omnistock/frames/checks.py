"""Checks of rows as a whole: keys that stand once, columns in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omnistock.frames.coding import Coded
from omnistock.frames.findings import Findings
from omnistock.frames.specs import TableSpec

__all__ = ["check_key", "check_ordered"]


def check_ordered(
    columns: Mapping[str, np.ndarray | Coded], spec: TableSpec, findings: Findings
) -> None:
    for low, high in spec.ordered:
        first, second = columns[low], columns[high]
        assert isinstance(first, np.ndarray)
        assert isinstance(second, np.ndarray)
        rows = np.flatnonzero(first > second)
        _name_order(findings, rows, (low, first), (high, second))


def _name_order(
    findings: Findings, rows: np.ndarray, low: tuple[str, Any], high: tuple[str, Any]
) -> None:
    findings.rows(
        high[0],
        rows,
        lambda row: f"{high[1][row]} lies before {low[0]} {low[1][row]}; exchange them?",
    )


def check_key(
    columns: Mapping[str, np.ndarray | Coded], spec: TableSpec, findings: Findings
) -> None:
    """Name every row whose key an earlier row had, together with that row."""
    if not spec.key or findings.problems:  # cells that are wrong make keys that are wrong
        return
    keys = _combined(columns, spec.key)
    if not len(keys) or (np.diff(keys) > 0).all():
        return
    in_order = np.sort(keys)
    if (in_order[1:] != in_order[:-1]).all():
        return
    order = np.argsort(keys, kind="stable")
    starts = np.append(True, keys[order][1:] != keys[order][:-1])
    first = np.empty(len(keys), dtype=np.int64)
    first[order] = order[np.maximum.accumulate(np.where(starts, np.arange(len(keys)), 0))]

    def message(row: int) -> str:
        cells = ", ".join(f"{name} {_cell(columns[name], row)}" for name in spec.key)
        return f"{cells} stands in row {first[row] + 1} already; keep one row or add them up"

    findings.rows(None, np.sort(order[~starts]), message, "a key that an earlier row has")


def _cell(values: np.ndarray | Coded, row: int) -> str:
    if isinstance(values, Coded):
        return repr(values.labels[values.codes[row]])
    return str(values[row])


def _combined(columns: Mapping[str, np.ndarray | Coded], key: Sequence[str]) -> np.ndarray:
    """Return one int64 per row, equal exactly where all key columns are."""
    combined = np.zeros(0, dtype=np.int64)
    size = 1
    for i, name in enumerate(key):
        values = columns[name]
        if isinstance(values, Coded):
            codes, n_labels = values.codes.astype(np.int64), len(values.labels)
        elif values.dtype.kind == "M":
            days = values.astype(np.int64)
            low = int(days.min()) if len(days) else 0
            codes, n_labels = days - low, int(days.max()) - low + 1 if len(days) else 1
        else:
            labels, codes = np.unique(values, return_inverse=True)
            n_labels = len(labels)
        if i and size * max(n_labels, 1) > 2**62:
            labels, combined = np.unique(combined, return_inverse=True)
            size = len(labels)
        combined = codes if i == 0 else combined * n_labels + codes
        size *= max(n_labels, 1)
    return combined
