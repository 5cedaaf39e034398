"""Table files: reading them with clear errors, writing them whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from omnistock.errors import InputError
from omnistock.frames.findings import Findings, close_name

__all__ = ["SUFFIXES", "read_file", "write_arrow", "write_whole"]

SUFFIXES = (".csv", ".parquet")
_MAGIC = (
    (b"PAR1", "a Parquet file", "rename it to .parquet"),
    (b"PK\x03\x04", "an Excel workbook or zip archive", "save the sheet as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV (UTF-8)"),
    (b"\x1f\x8b", "a gzip archive", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it"),
    (b"ARROW1", "an Arrow file", "write it as Parquet"),
    (b"\xff\xfe", "UTF-16 text", "save it as CSV UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "save it as CSV UTF-8"),
)
_BOM = b"\xef\xbb\xbf"
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_MAX_RAGGED = 1000
_HEAD = 1 << 16
_BLOCK = 1 << 22


def read_file(path: Path, findings: Findings) -> Any:
    """Read a .csv or .parquet file; return a pyarrow.Table, or None after a fault.

    Every cell of a CSV file is read as text, so that leading zeros survive.
    """
    if not path.exists():
        findings.whole(f"file {path} does not exist{_neighbour(path)}")
        return None
    if path.is_dir():
        findings.whole(f"{path} is a folder; give a .csv or .parquet file")
        return None
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        findings.whole(f"{path.name} is neither .csv nor .parquet; save it as one of them")
        return None
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if not head.removeprefix(_BOM).strip():
            findings.whole(f"{path.name} is empty; it must at least name the columns")
            return None
        if suffix == ".parquet":
            return _read_parquet(path, head, findings)
        return _read_csv(path, head, findings)
    except OSError as error:
        findings.whole(f"{path} cannot be read: {error.strerror or error}")
        return None


def _neighbour(path: Path) -> str:
    if not path.parent.is_dir():
        return f"; there is no folder {path.parent} either"
    near = close_name(path.name, [one.name for one in path.parent.iterdir()], cutoff=0.6)
    return f"; did you mean {near}?" if near else ""


def _kind_of(head: bytes) -> tuple[str, str] | None:
    for magic, what, mend in _MAGIC:
        if head.startswith(magic):
            return what, mend
    if b"\x00" in head:
        return "a binary file", "save the table as CSV (UTF-8)"
    return None


def _read_parquet(path: Path, head: bytes, findings: Findings) -> Any:
    import pyarrow.parquet as pq

    if not head.startswith(b"PAR1"):
        what, mend = _kind_of(head) or ("a text file", "rename it to .csv if it is one")
        findings.whole(f"{path.name} is not Parquet but {what}; {mend}")
        return None
    try:
        with pq.ParquetFile(path, memory_map=False) as file:
            schema = file.schema_arrow
            texts = [f.name for f in schema if pa.types.is_string(f.type)]
        with pq.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True) as file:
            table = file.read()
        # A flipped bit can leave codes that point nowhere; numpy would read on regardless.
        table.validate(full=True)
        return table
    except (pa.ArrowException, ValueError, OSError) as error:
        if getattr(error, "errno", None):  # the system's refusal, not the file's fault
            raise
        detail = str(error).splitlines()[0]
        findings.whole(f"{path.name} is a damaged Parquet file ({detail}); write it again")
        return None


# --- CSV


def _read_csv(path: Path, head: bytes, findings: Findings) -> Any:
    kind = _kind_of(head)
    if kind:
        findings.whole(f"{path.name} is not CSV but {kind[0]}; {kind[1]}")
        return None
    names = _header(path)
    if any("\udc80" <= letter <= "\udcff" for letter in "".join(names)):
        findings.whole(f"{path.name}: the header {_NOT_UTF8}")
        return None
    if len(names) == 1:
        for separator, word in _OTHER_SEPARATORS.items():
            if separator in names[0]:
                findings.whole(
                    f"{path.name} separates cells by {word}, expected commas; "
                    "save it with commas and with points in decimals"
                )
                return None
    if len(head) < _HEAD and len(head.strip().splitlines()) == 1:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    return _parse_csv(path, names, findings)


_NOT_UTF8 = "is not UTF-8 (Latin-1 or Windows-1252, perhaps); save the file as CSV UTF-8"


def _header(path: Path) -> list[str]:
    # The buffer reaches beyond the header; bad bytes further down are named with their row.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        for cells in csv.reader(file):
            if cells:
                return cells
    return []


def _parse_csv(path: Path, names: list[str], findings: Findings) -> Any:
    try:
        return _read_cells(path, names)
    except pa.ArrowInvalid:
        _name_bad_bytes(path, findings)
    if findings.problems:
        return None
    ragged: dict[int, tuple[int, str]] = {}
    try:
        table = _read_cells(path, names, ragged)
    except pa.ArrowInvalid as error:
        findings.whole(f"{path.name} is not CSV: {str(error).splitlines()[0]}")
        return None
    _name_ragged(names, ragged, findings)
    return None if ragged else table


def _read_cells(
    path: Path,
    names: list[str],
    ragged: dict[int, tuple[int, str]] | None = None,
) -> Any:
    """Read all cells as text; rows of another length go to ``ragged`` or are an error."""
    from pyarrow import csv as arrow_csv

    def note(row: Any) -> str:
        assert ragged is not None
        if len(ragged) < _MAX_RAGGED:
            ragged[row.number] = (row.actual_columns, row.text)
        return "skip"

    return arrow_csv.read_csv(
        path,
        # Row numbers are known only where one thread reads: for files that are refused anyway.
        read_options=arrow_csv.ReadOptions(use_threads=ragged is None, block_size=_BLOCK),
        # Without looking for line breaks within quotes, two blocks can part in such a cell,
        # silently.
        parse_options=arrow_csv.ParseOptions(
            newlines_in_values=True, invalid_row_handler=None if ragged is None else note
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())),
            strings_can_be_null=False,
        ),
    )


def _name_ragged(names: list[str], ragged: dict[int, tuple[int, str]], findings: Findings) -> None:
    def message(row: int) -> str:
        count, text = ragged[row + 2]  # the reader counts the header as row 1
        return (
            f"has {count} cells, the header has {len(names)}: {text[:80]!r}; "
            "quote cells that hold commas, and write decimals with a point"
        )

    findings.rows(None, np.array(sorted(ragged), dtype=np.int64) - 2, message)


def _name_bad_bytes(path: Path, findings: Findings) -> None:
    rows, around = [], {}
    with path.open("rb") as file:
        for row, line in enumerate(file, start=-1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                near = line[max(error.start - 10, 0) : error.end + 10].decode("latin-1")
                around[row] = near.strip()
                rows.append(row)
    findings.rows(None, rows, lambda row: f"{around[row]!r} {_NOT_UTF8}", "such bytes")


# --- writing


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then move it there in one step.

    Whatever goes wrong before, ``path`` keeps what it had.
    """
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_arrow(table: Any, path: Path) -> None:
    """Write a pyarrow.Table to a .csv or .parquet (zstd) file, whole or not at all."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        write_whole(path, lambda target: _write_parquet(table, target))
    elif suffix == ".csv":
        write_whole(path, lambda target: _write_csv(table, target))
    else:
        raise InputError(f"cannot write {path.name}: give a name ending in .csv or .parquet")


def _write_parquet(table: Any, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd", write_page_checksum=True)


def _write_csv(table: Any, path: Path) -> None:
    from pyarrow import csv as arrow_csv

    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(table.column_names)
    plain = pa.table([_for_csv(column) for column in table.columns], names=table.column_names)
    # "needed" quotes every text; only tables that hold commas or quotes should pay for that.
    for quoting in ("none", "needed"):
        options = arrow_csv.WriteOptions(include_header=False, quoting_style=quoting)
        try:
            with path.open("wb") as file:
                file.write(header.getvalue().encode())
                arrow_csv.write_csv(plain, file, options)
            return
        except pa.ArrowInvalid:
            if quoting == "needed":
                raise


def _for_csv(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = pc.cast(column, column.type.value_type)
    if pa.types.is_floating(column.type):  # an empty cell says "unknown" better than "nan"
        column = pc.if_else(pc.is_nan(column), None, column)
    return column
