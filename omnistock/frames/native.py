"""Frames of the caller's own kind (pandas, polars, pyarrow) <-> pyarrow tables.

narwhals does the translation, so that no dataframe library is imported which the caller
does not use already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from omnistock.errors import InputError
from omnistock.frames.coding import Coded
from omnistock.frames.findings import Findings

__all__ = ["arrow_from", "kind_of", "to_arrow", "to_native"]


def to_arrow(columns: Mapping[str, Any]) -> Any:
    """Return a pyarrow.Table of numpy arrays, lists, Coded columns or arrow arrays.

    Parameters
    ----------
    columns : mapping of str to columns of one length
        Object arrays hold str or None. NaN stays NaN, NaT becomes null.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    InputError
        If lengths differ, or a column holds values of no common type.

    Examples
    --------
    >>> to_arrow({"sku": ["TEE-M"], "on_hand": np.array([40])}).column_names
    ['sku', 'on_hand']
    """
    arrays = {}
    for name, values in columns.items():
        try:
            arrays[str(name)] = _arrow_column(values)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise InputError(f"column {name!r} is no column of one type: {error}") from error
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"columns must have one length, got {lengths}")
    return pa.table(arrays)


def _arrow_column(values: Any) -> Any:
    if isinstance(values, Coded):
        return pa.DictionaryArray.from_arrays(
            pa.array(values.codes, pa.int32()), pa.array(list(values.labels), pa.string())
        )
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if isinstance(values, np.ndarray):
        return pa.array(values.astype(object) if values.dtype.kind == "U" else values)
    if not _is_column(values):
        raise ValueError("give a list or an array of one dimension")
    if hasattr(values, "__arrow_c_stream__") or hasattr(values, "to_numpy"):
        return _arrow_series(values)
    return pa.array(list(values))


def _arrow_series(values: Any) -> Any:
    """Return a pandas or polars series as an arrow array."""
    import narwhals.stable.v2 as nw

    return nw.from_native(values, series_only=True).to_arrow()


def kind_of(source: Any) -> str:
    """Return "pandas", "polars" or another narwhals backend name; "pyarrow" for the rest."""
    if source is None or isinstance(source, (str, Mapping, pa.Table, pa.RecordBatch)):
        return "pyarrow"
    import narwhals.stable.v2 as nw

    try:
        return str(nw.from_native(source, eager_only=True).implementation.value)
    except (TypeError, nw.exceptions.NarwhalsError):  # whoever reads the frame says why
        return "pyarrow"


def to_native(columns: Any, like: Any) -> Any:
    """Return ``columns`` as the same kind of frame as ``like``.

    Parameters
    ----------
    columns : mapping of str to arrays, or pyarrow.Table
    like : frame, or "pandas", "polars", "pyarrow"
        A pandas or polars frame gives its kind; all else (path, dict, None) gives pyarrow.

    Returns
    -------
    pandas.DataFrame, polars.DataFrame or pyarrow.Table
        With the default index, if the kind has one.

    Examples
    --------
    >>> to_native({"on_hand": np.array([40, 2])}, "pyarrow").num_rows
    2
    """
    named = isinstance(like, str) and like in ("pandas", "polars", "pyarrow")
    kind: Any = like if named else kind_of(like)
    table = columns if isinstance(columns, pa.Table) else to_arrow(columns)
    if kind == "pyarrow":
        return table
    if kind == "pandas":
        import pandas as pd

        # Days as datetime64, as pandas users have them, rather than as Python objects.
        return pd.DataFrame(
            {name: _pandas_column(table[name]) for name in table.column_names}, copy=False
        )
    import narwhals.stable.v2 as nw

    return nw.from_arrow(_plain(table), backend=kind).to_native()


def _pandas_column(column: Any) -> Any:
    if pa.types.is_date(column.type):
        return np.asarray(column).astype("datetime64[s]")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.to_pandas()


def _plain(table: Any) -> Any:
    """Decode dictionary columns: a caller who gave texts gets texts."""
    columns = [
        column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def arrow_from(source: Any, findings: Findings) -> Any:
    """Return any frame or mapping as a pyarrow.Table, or None after a fault."""
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    if isinstance(source, Mapping):
        return _from_columns({str(name): values for name, values in source.items()}, findings)
    import narwhals.stable.v2 as nw

    try:
        frame = nw.from_native(source, eager_only=True)
    except TypeError:
        lazy = " (call .collect() first)" if hasattr(source, "collect") else ""
        findings.whole(
            f"got {type(source).__name__}{lazy}; expected a pandas, polars or pyarrow frame, "
            "a dict of columns, or a path to a .csv or .parquet file"
        )
        return None
    except nw.exceptions.NarwhalsError as error:
        findings.whole(f"the frame cannot be read: {' '.join(str(error).split())}")
        return None
    odd = [name for name in frame.columns if not isinstance(name, str)]
    if odd:
        findings.whole(f"column names must be texts, got {odd[0]!r}; rename the columns")
        return None
    return _from_columns({name: frame[name].to_native() for name in frame.columns}, findings)


def _from_columns(columns: Mapping[str, Any], findings: Findings) -> Any:
    arrays = {}
    for name, values in columns.items():
        if not _is_column(values):
            findings.whole("is no column; give a list or an array of one dimension", name)
            continue
        try:
            arrays[name] = _arrow_column(values)
        except (pa.ArrowException, TypeError, ValueError):
            arrays[name] = _mixed_column(values)
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        findings.whole(f"columns have different lengths: {lengths}")
    if findings.problems:
        return None
    return pa.table(arrays)


def _is_column(values: Any) -> bool:
    if isinstance(values, np.ndarray):
        return values.ndim == 1
    return hasattr(values, "__len__") and not isinstance(values, (str, bytes, Mapping))


def _mixed_column(values: Any) -> Any:
    """Texts of a column whose cells have several types; the checks then name the odd ones."""
    missing = [value is None or value != value for value in values]
    texts = [None if empty else str(value) for value, empty in zip(values, missing, strict=True)]
    return pa.array(texts, pa.string())
