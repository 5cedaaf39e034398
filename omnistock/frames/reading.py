"""Tables in: from any source to checked columns, with every fault in one error."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from omnistock.errors import FrameError, InputError, Problem
from omnistock.frames.checks import check_key, check_ordered
from omnistock.frames.coding import Coded
from omnistock.frames.convert import convert
from omnistock.frames.files import SUFFIXES, read_file, write_arrow
from omnistock.frames.findings import Findings, close_name, spread
from omnistock.frames.native import arrow_from, kind_of, to_arrow, to_native
from omnistock.frames.specs import TableSpec
from omnistock.frames.tables import OPTIONAL, REQUIRED, TABLES

__all__ = ["Table", "check_references", "read_folder", "read_table", "write_table"]


class Table:
    """A checked table.

    Attributes
    ----------
    name : str
    n_rows : int
    given : frozenset of str
        Columns that the source had; the others hold their defaults.

    Examples
    --------
    >>> table = read_table({"sku": ["007"], "node": ["DC1"], "on_hand": [40]}, TABLES["stock"])
    >>> table["sku"][0], table["on_hand"]
    ('007', array([40.]))
    """

    def __init__(
        self,
        spec: TableSpec,
        name: str,
        columns: Mapping[str, np.ndarray | Coded],
        *,
        given: frozenset[str],
        kind: str = "pyarrow",
    ) -> None:
        self.spec = spec
        self.name = name
        self.given = given
        self.kind = kind
        self._columns = dict(columns)
        self._texts: dict[str, np.ndarray] = {}
        first = next(iter(self._columns.values()))
        self.n_rows = len(first.codes) if isinstance(first, Coded) else len(first)

    def __len__(self) -> int:
        return self.n_rows

    def __contains__(self, column: str) -> bool:
        return column in self._columns

    def __getitem__(self, column: str) -> np.ndarray:
        """Return a column of shape (n_rows,).

        Texts are object arrays of str; units and times (epoch seconds) int64; numbers and
        shares float64; dates datetime64[D]; flags bool.
        """
        values = self._column(column)
        if isinstance(values, Coded):
            if column not in self._texts:
                self._texts[column] = values.texts()
            return self._texts[column]
        return values

    def __repr__(self) -> str:
        return f"Table({self.name!r}, n_rows={self.n_rows}, columns={list(self._columns)})"

    def _column(self, column: str) -> np.ndarray | Coded:
        if column not in self._columns:
            raise InputError(f"table {self.name!r} has no column {column!r}")
        return self._columns[column]

    def codes(self, column: str) -> Coded:
        """Return a text column as codes and sorted labels, without making any text."""
        values = self._column(column)
        if not isinstance(values, Coded):
            raise InputError(f"column {column!r} of table {self.name!r} holds no texts")
        return values

    @property
    def columns(self) -> dict[str, np.ndarray | Coded]:
        """All columns by name; texts as codes."""
        return dict(self._columns)

    def native(self, columns: Mapping[str, Any]) -> Any:
        """Return ``columns`` as the kind of frame that this table was read from."""
        return to_native(columns, self.kind)


def read_table(source: Any, spec: TableSpec, *, name: str | None = None) -> Table:
    """Read and check a table.

    Parameters
    ----------
    source : frame, mapping of columns, path or Table
        A pandas, polars or pyarrow frame, a dict of columns, or a .csv or .parquet file.
    spec : TableSpec
        What the table must look like, e.g. ``TABLES["sales"]``.
    name : str, optional
        What errors call the table; default ``spec.name``.

    Returns
    -------
    Table
        With all columns of ``spec``, and only those.

    Raises
    ------
    FrameError
        With all faults of the table: each names row, column and what to do.

    Examples
    --------
    >>> table = read_table({"sku": ["TEE-M"], "node": ["DC1"], "on_hand": [-1]}, TABLES["stock"])
    Traceback (most recent call last):
    ...
    omnistock.errors.FrameError: stock, row 1, column 'on_hand': -1 is negative; it must be >= 0
    """
    findings = Findings(name or spec.name)
    table = _read(source, spec, findings)
    findings.raise_if_any()
    assert table is not None
    return table


def _read(source: Any, spec: TableSpec, findings: Findings) -> Table | None:
    if isinstance(source, Table):
        if source.spec is spec:
            return source
        source, kind = to_arrow(source.columns), source.kind
    elif isinstance(source, (str, os.PathLike)):
        source, kind = read_file(Path(source), findings), "pyarrow"
        if source is None:
            return None
    else:
        kind = kind_of(source)
    arrow = arrow_from(source, findings)
    if arrow is None:
        return None

    twice = sorted({one for one in arrow.column_names if arrow.column_names.count(one) > 1})
    if twice:
        findings.whole(f"has columns twice: {', '.join(twice)}; keep one of each")
        return None
    _check_names(arrow, spec, findings)
    columns: dict[str, np.ndarray | Coded] = {}
    given = frozenset(spec.names) & frozenset(arrow.column_names)
    for column in spec.columns:
        if column.name in given:
            columns[column.name] = convert(_chunked(arrow[column.name]), column, findings)
        elif not column.required:
            columns[column.name] = convert(_nulls(arrow.num_rows), column, findings)
    if len(columns) < len(spec.columns):
        return None
    check_ordered(columns, spec, findings)
    check_key(columns, spec, findings)
    return Table(spec, findings.table, columns, given=given, kind=kind)


def _chunked(column: Any) -> Any:
    import pyarrow as pa

    if not len(column):  # a frame without rows has any types
        return _nulls(0)
    # Extension types (pandas periods, uuids) are read as what they store.
    if isinstance(column.type, pa.BaseExtensionType):
        return column.cast(column.type.storage_type)
    return column


def _nulls(n_rows: int) -> Any:
    import pyarrow as pa

    return pa.chunked_array([pa.nulls(n_rows)])


def _check_names(arrow: Any, spec: TableSpec, findings: Findings) -> None:
    present = arrow.column_names
    has = ", ".join(present) or "no columns"
    extra = [name for name in present if name not in spec.names]
    for column in spec.columns:
        if column.name in present:
            continue
        near = close_name(column.name, extra)
        if column.required:
            rename = f"; rename {near!r}?" if near else ""
            findings.whole(f"is missing; the table has {has}{rename}", column.name)
        elif near:
            # A misspelt optional column would otherwise silently mean its default.
            findings.whole(
                f"is unknown; rename it to {column.name!r} if it is meant, else give it a "
                "name that cannot be mistaken",
                near,
            )


def check_references(
    table: Table, column: str, known: Collection[str], what: str = "SKU"
) -> list[Problem]:
    """Return one problem for every text of ``column`` that is not in ``known``.

    Examples
    --------
    >>> stock = read_table({"sku": ["TEE-L"], "node": ["DC1"], "on_hand": [4]}, TABLES["stock"])
    >>> print(check_references(stock, "sku", ["TEE-M", "MUG"])[0])
    stock, row 1, column 'sku': unknown SKU 'TEE-L'; did you mean 'TEE-M'?
    """
    coded = table.codes(column)
    names = known if isinstance(known, (set, frozenset, dict)) else set(known)
    optional = not table.spec.column(column).required
    unknown = np.array(
        [label not in names and not (optional and not label) for label in coded.labels], dtype=bool
    )
    if not unknown.any():
        return []
    n_rows = np.bincount(coded.codes, minlength=len(coded.labels))
    first = np.full(len(coded.labels), table.n_rows, dtype=np.int64)
    np.minimum.at(first, coded.codes, np.arange(table.n_rows))
    wrong = np.flatnonzero(unknown)
    problems = []
    for i, label in enumerate(wrong[np.argsort(first[wrong])].tolist()):
        text = coded.labels[label]
        near = close_name(text, sorted(names), cutoff=0.7) if i < 5 else None
        rows = f" ({n_rows[label]} rows)" if n_rows[label] > 1 else ""
        message = f"unknown {what} {text!r}{rows}; "
        message += f"did you mean {near!r}?" if near else f"add it to the {what}s or mend it"
        problems.append(Problem(table.name, int(first[label]) + 1, column, message))
    return problems


def read_folder(
    folder: str | os.PathLike[str],
    required: Sequence[str] = REQUIRED,
    optional: Sequence[str] = OPTIONAL,
) -> dict[str, Table]:
    """Read ``NAME.csv`` or ``NAME.parquet`` for every table named.

    Parameters
    ----------
    folder : path
    required, optional : sequence of str
        Names of ``TABLES``.

    Returns
    -------
    dict of str to Table
        Optional tables without a file are absent.

    Raises
    ------
    FrameError
        With all faults of all tables, missing files among them.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FrameError([Problem(str(folder), None, None, "is no folder; give one with tables")])
    names = sorted(one.name for one in folder.iterdir())
    tables: dict[str, Table] = {}
    problems: list[Problem] = []
    for name in (*required, *optional):
        findings = Findings(name)
        files = [name + suffix for suffix in SUFFIXES if name + suffix in names]
        if len(files) > 1:
            findings.whole(f"there are both {files[0]} and {files[1]} in {folder}; remove one")
        elif files:
            table = _read(folder / files[0], TABLES[name], findings)
            if table is not None and not findings.problems:
                tables[name] = table
        else:
            _missing_file(name, name in required, folder, names, findings)
        problems += findings.problems
    if problems:
        raise FrameError(spread(problems))
    return tables


def _missing_file(
    name: str, required: bool, folder: Path, names: Sequence[str], findings: Findings
) -> None:
    others = [
        one for one in names if Path(one).stem not in TABLES or Path(one).suffix not in SUFFIXES
    ]
    stems = {Path(one).stem: one for one in others if Path(one).suffix}
    near = close_name(name, list(stems), cutoff=0.85)
    if required:
        rename = f"; rename {stems[near]}?" if near else "; 'omnistock init' writes templates"
        findings.whole(f"{folder} holds neither {name}.csv nor {name}.parquet{rename}")
    elif near:
        findings.whole(f"{stems[near]} is not read; save it as {name}.csv or {name}.parquet")


def write_table(table: Any, path: str | os.PathLike[str]) -> None:
    """Write a Table, a mapping of columns or any frame to .csv or .parquet.

    The file appears whole or not at all; what stood there before stays until then.

    Raises
    ------
    InputError
        If the name ends otherwise, the folder is missing, or the columns do not fit together.
    """
    if isinstance(table, Table):
        arrow = to_arrow(table.columns)
    elif isinstance(table, Mapping):
        arrow = to_arrow(table)
    else:
        findings = Findings(Path(path).stem)
        arrow = arrow_from(table, findings)
        findings.raise_if_any()
    write_arrow(arrow, Path(path))
