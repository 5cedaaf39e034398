"""Files: read as what they are or refused with a reason; written whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import FrameError, InputError
from omnistock.frames import (
    TABLES,
    Coded,
    Column,
    TableSpec,
    files,
    read_table,
    write_table,
    write_whole,
)
from omnistock.frames.files import read_file
from omnistock.frames.findings import Findings

HEADER = "sku,node,on_hand\n"


def read(path: Path, content: str | bytes):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, TABLES["stock"])


def refusal(path: Path, content: str | bytes) -> list[str]:
    with pytest.raises(FrameError) as caught:
        read(path, content)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"PAR1....PAR1", "is not CSV but a Parquet file; rename it to .parquet"),
        ("a.csv", b"PK\x03\x04....", "Excel workbook"),
        ("a.csv", b"\x1f\x8b....", "gzip"),
        ("a.csv", (HEADER + "A,DC1,1\n").encode("utf-16"), "UTF-16"),
        ("a.csv", b"sku\x00node", "binary"),
        ("a.csv", "", "is empty"),
        ("a.csv", "\ufeff\n \n", "is empty"),
        ("a.csv", "sku;node;on_hand\nA;DC1;1\n", "by semicolons, expected commas"),
        ("a.csv", "sku\tnode\ton_hand\nA\tDC1\t1\n", "by tabs, expected commas"),
        ("a.csv", "sku,sku,node,on_hand\nA,B,DC1,1\n", "columns twice: sku"),
        ("a.csv", "skü,node\n".encode("latin-1"), "the header is not UTF-8"),
        ("a.parquet", HEADER + "A,DC1,1\n", "is not Parquet but a text file"),
        ("a.parquet", b"PK\x03\x04....", "is not Parquet but an Excel workbook"),
        ("a.parquet", b"PAR1" + b"0" * 50, "damaged Parquet file"),
        ("a.parquet", b"", "is empty"),
        ("a.xlsx", b"PK\x03\x04", "neither .csv nor .parquet"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_gets_one_clear_error(tmp_path, name, content, words):
    found = refusal(tmp_path / name, content)

    assert len(found) == 1
    assert found[0].startswith("stock: ")
    assert words in found[0]


def test_a_truncated_parquet_file_is_damaged(tmp_path):
    whole = tmp_path / "whole.parquet"
    write_table({"sku": ["A"], "node": ["DC1"], "on_hand": [1]}, whole)

    found = refusal(tmp_path / "cut.parquet", whole.read_bytes()[:-20])

    assert "damaged Parquet file" in found[0]


def test_a_missing_file_suggests_its_neighbour(tmp_path):
    (tmp_path / "stock.csv").write_text(HEADER)

    with pytest.raises(FrameError, match=r"does not exist; did you mean stock.csv\?"):
        read_table(tmp_path / "stocks.csv", TABLES["stock"])
    with pytest.raises(FrameError, match="there is no folder"):
        read_table(tmp_path / "none" / "stock.csv", TABLES["stock"])
    with pytest.raises(FrameError, match="is a folder"):
        read_table(str(tmp_path), TABLES["stock"])


def test_leading_zeros_of_identifiers_survive(tmp_path):
    assert read(tmp_path / "a.csv", HEADER + "00123,01,4\n")["sku"].tolist() == ["00123"]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + HEADER + "A,DC1,4\n",
        HEADER + "A,DC1,4",
        (HEADER + "A,DC1,4\n").replace("\n", "\r\n"),
        '"sku","node","on_hand"\n"A","DC1","4"\n',
        HEADER + "A,DC1, +4.0 \n\n",
        "extra," + HEADER + "x,A,DC1,4e0\n",
    ],
)
def test_harmless_ways_of_writing_csv_all_read(tmp_path, content):
    table = read(tmp_path / "a.csv", content)

    assert (table["sku"].tolist(), table["on_hand"].tolist()) == (["A"], [4.0])


@pytest.mark.parametrize("content", [HEADER, HEADER.strip()])
def test_a_header_alone_is_a_table_without_rows(tmp_path, content):
    assert len(read(tmp_path / "a.csv", content)) == 0


def test_cells_may_hold_commas_quotes_and_line_breaks(tmp_path):
    table = read(tmp_path / "a.csv", HEADER + '"A\nB",DC1,4\n"C,""x""",DC1,5\n')

    assert table["sku"].tolist() == ["A\nB", 'C,"x"']


def test_rows_with_other_numbers_of_cells_are_all_named(tmp_path):
    found = refusal(tmp_path / "a.csv", HEADER + "A,DC1,1,5\nB,DC1,2\nC,DC1\n")

    assert [line.split(":")[0] for line in found] == ["stock, row 1", "stock, row 3"]
    assert "has 4 cells, the header has 3: 'A,DC1,1,5'" in found[0]


def test_latin_1_bytes_name_their_rows(tmp_path):
    content = HEADER + "A,DC1,4\nMü,DC1,5\nB,DC1,1\nÖ,DC1\n"

    found = refusal(tmp_path / "a.csv", content.encode("latin-1"))

    assert len(found) == 2
    assert found[0].startswith("stock, row 2: 'Mü,DC1,5' is not UTF-8")
    assert found[1].startswith("stock, row 4: 'Ö,DC1' is not UTF-8")


@pytest.mark.parametrize("checksums", [True, False])
def test_a_parquet_file_with_flipped_bits_is_never_misread(tmp_path, checksums):
    table = pa.table({"sku": [f"S{i}" for i in range(200)], "node": ["A"] * 200})
    path = tmp_path / "whole.parquet"
    pq.write_table(table, path, compression="none", write_page_checksum=checksums)
    whole = path.read_bytes()
    spec = TableSpec("t", (Column("sku", "text"), Column("node", "text")))

    damaged = 0
    for place in range(30, len(whole) // 2, 37):
        content = bytearray(whole)
        content[place] ^= 0xFF
        path.write_bytes(bytes(content))
        try:
            assert len(read_table(path, spec)) == 200
        except FrameError as error:
            damaged += "damaged Parquet file" in str(error)

    assert damaged > 5


@given(
    rows=st.lists(
        st.tuples(st.text('ab\n,"', min_size=1, max_size=5), st.text("x\n", max_size=4)),
        min_size=5,
        max_size=30,
    )
)
def test_line_breaks_in_cells_survive_where_blocks_part(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("blocks") / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("sku", "name"), *rows])
    findings = Findings("t")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_BLOCK", 40)
        table = read_file(path, findings)

    assert findings.problems == []
    assert list(zip(table["sku"].to_pylist(), table["name"].to_pylist(), strict=True)) == rows


@pytest.mark.parametrize("word", ["NA", "null", "NaN", "None", "-", "true", "1e5", "#N/A"])
def test_identifiers_that_look_like_something_else_stay_texts(tmp_path, word):
    table = read(tmp_path / "a.csv", HEADER + f"{word},DC1,4\n")

    assert table["sku"].tolist() == [word]


def test_plain_csv_is_written_without_quotes(tmp_path):
    coded = Coded(np.array([1, 0], dtype=np.int32), ("A", "B"))
    path = tmp_path / "a.csv"

    write_table({"sku": coded, "share": [0.5, float("nan")]}, path)

    assert path.read_text() == "sku,share\nB,0.5\nA,\n"


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict])
@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_frames_of_any_kind_can_be_written(tmp_path, make, name):
    write_table(make({"sku": ["A"], "node": ["DC1"], "on_hand": [4]}), tmp_path / name)

    assert read_table(tmp_path / name, TABLES["stock"])["on_hand"].tolist() == [4.0]


def test_who_reads_while_a_file_is_written_sees_the_whole_old_one(tmp_path):
    path = tmp_path / "a.csv"
    write_table({"sku": ["A"]}, path)

    with path.open() as reader:
        write_table({"sku": ["B", "C"]}, path)
        assert reader.read() == "sku\nA\n"

    assert path.read_text() == "sku\nB\nC\n"


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("before")

    def fail(target: Path) -> None:
        target.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, fail)

    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.csv"]


def test_a_name_or_folder_that_cannot_be_written_is_refused(tmp_path):
    columns = {"sku": ["A"]}

    with pytest.raises(InputError, match=r"ending in \.csv or \.parquet"):
        write_table(columns, tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="there is no folder"):
        write_table(columns, tmp_path / "none" / "a.csv")
    with pytest.raises(InputError, match="one length"):
        write_table({"sku": ["A"], "node": []}, tmp_path / "a.csv")
    assert os.listdir(tmp_path) == []


@given(
    noise=st.lists(
        st.tuples(
            st.integers(0, 90),
            st.sampled_from([b"\n", b"\r", b'"', b",", b"\xff", b"\x00", b";", b"", b"9" * 400]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_damaged_csv_reads_or_is_refused_and_never_crashes(tmp_path_factory, noise):
    content = (HEADER + "".join(f"SKU-{i},DC1,{i}\n" for i in range(8))).encode()
    for place, piece in noise:
        content = content[:place] + piece + content[place + 1 :]
    path = tmp_path_factory.mktemp("noise") / "a.csv"
    path.write_bytes(content)

    with contextlib.suppress(FrameError):
        table = read_table(path, TABLES["stock"])
        assert np.isfinite(table["on_hand"]).all()
        assert all(sku.strip() for sku in table["sku"])
