"""Reading tables: what comes in goes out, and every fault is named once, all together."""

from __future__ import annotations

import cProfile
import datetime as dt
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import FrameError, InputError
from omnistock.frames import (
    TABLES,
    Column,
    TableSpec,
    check_references,
    read_folder,
    read_table,
    write_table,
)

STOCK, SALES = TABLES["stock"], TABLES["sales"]

identifiers = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from(',;"|\n0'),
    min_size=1,
    max_size=6,
).filter(lambda text: bool(text.strip()))
days = st.dates(dt.date(1970, 1, 1), dt.date(2199, 12, 31))
quantities = st.floats(0, 1e9) | st.integers(0, 10**9).map(float)
sales_rows = st.lists(
    st.tuples(days, identifiers, identifiers, identifiers, quantities),
    min_size=1,
    max_size=8,
    unique_by=lambda row: row[:4],
)


def stock(**changes: object) -> dict[str, object]:
    return {"sku": ["TEE-M", "MUG"], "node": ["DC1", "DC1"], "on_hand": [40, 2], **changes}


def messages(source: object, spec: TableSpec = STOCK) -> list[str]:
    with pytest.raises(FrameError) as caught:
        read_table(source, spec)
    return [str(problem) for problem in caught.value.problems]


def as_columns(rows: list[tuple[object, ...]]) -> dict[str, list[object]]:
    names = ("date", "sku", "node", "channel", "quantity")
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pa.table, dict])
@given(rows=sales_rows)
def test_a_frame_of_any_kind_reads_to_the_same_columns(frame, rows):
    columns = as_columns(rows)

    table = read_table(frame(columns), SALES)

    assert table["date"].tolist() == columns["date"]
    assert table["sku"].tolist() == columns["sku"]
    assert table["channel"].tolist() == columns["channel"]
    assert table["quantity"].tolist() == columns["quantity"]
    assert not table["promotion"].any()
    assert len(table) == len(rows)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@given(rows=sales_rows)
def test_a_written_file_reads_to_the_same_columns(tmp_path_factory, suffix, rows):
    path = tmp_path_factory.mktemp("round") / f"sales{suffix}"
    columns = as_columns(rows)

    write_table(columns, path)
    table = read_table(path, SALES)

    assert table["date"].tolist() == columns["date"]
    assert table["sku"].tolist() == columns["sku"]
    assert table["node"].tolist() == columns["node"]
    assert table["quantity"].tolist() == columns["quantity"]


@given(texts=st.lists(identifiers, min_size=1, max_size=12))
def test_codes_are_the_texts_with_sorted_labels_that_all_occur(texts):
    n_rows = len(texts)
    source = {"sku": texts, "node": [str(i) for i in range(n_rows)], "on_hand": [1] * n_rows}

    coded = read_table(source, STOCK).codes("sku")

    assert [coded.labels[code] for code in coded.codes] == texts
    assert list(coded.labels) == sorted(set(texts))
    assert coded.codes.dtype == np.int32
    assert coded.texts().tolist() == texts


@pytest.mark.parametrize(
    ("make", "kind"),
    [(pd.DataFrame, pd.DataFrame), (pl.DataFrame, pl.DataFrame), (pa.table, pa.Table)],
)
def test_answers_come_in_the_kind_of_frame_that_asked(make, kind):
    table = read_table(make(stock()), STOCK)

    answer = table.native({"sku": table["sku"], "available": np.array([38, 2])})

    assert isinstance(answer, kind)
    assert list(answer["available"].to_numpy()) == [38, 2]


def test_optional_columns_hold_their_defaults_where_absent_or_empty():
    source = {"node": ["DC1", "S1"], "kind": [None, "store"], "latitude": [52.5, None]}

    nodes = read_table(source, TABLES["nodes"])

    assert nodes["kind"].tolist() == ["warehouse", "store"]
    assert nodes["latitude"][0] == 52.5
    assert np.isnan(nodes["latitude"][1])
    assert np.isnan(nodes["longitude"]).all()
    assert nodes["priority"].tolist() == [0, 0]
    assert nodes["priority"].dtype == np.int64
    assert nodes.given == {"node", "kind", "latitude"}


def test_an_unknown_date_is_nat():
    source = {"order": ["O1"], "sku": ["A"], "channel": ["web"], "quantity": [1]}

    orders = read_table(source, TABLES["orders"])

    assert np.isnat(orders["due"]).all()
    assert orders["node"].tolist() == [""]


def test_all_faults_of_a_table_come_in_one_error():
    source = {
        "sku": ["A", None, "C", "D"],
        "node": ["DC1", "DC1", " ", "DC1"],
        "on_hand": ["1,5", "abc", "-3", "inf"],
    }

    assert messages(source) == [
        "stock, row 2, column 'sku': is empty; give a text in every row",
        "stock, row 3, column 'node': is empty; give a text in every row",
        "stock, row 1, column 'on_hand': '1,5' is not a number; write decimals with a point: 1.5",
        "stock, row 2, column 'on_hand': 'abc' is not a number; give a plain number like 12 or 0.5",
        "stock, row 3, column 'on_hand': -3 is negative; it must be >= 0",
        "stock, row 4, column 'on_hand': is infinite; give a finite number",
    ]


@pytest.mark.parametrize(
    ("cells", "row"),
    [
        ([1.0, float("nan")], 2),
        ([float("inf"), 1.0], 1),
        ([1, -1], 2),
        ([None, 1], 1),
        (["1", "2x"], 2),
        (["", "2"], 1),
        ([1, "x"], 2),
        ([Decimal("1"), Decimal("-1")], 2),
    ],
)
@pytest.mark.parametrize("frame", [dict, pd.DataFrame])
def test_a_bad_number_names_its_row(frame, cells, row):
    found = messages(frame(stock(on_hand=cells)))

    assert len(found) == 1
    assert found[0].startswith(f"stock, row {row}, column 'on_hand': ")


def test_a_comma_that_may_part_thousands_is_not_guessed():
    assert messages(stock(on_hand=["1,234", "1"])) == [
        "stock, row 1, column 'on_hand': "
        "'1,234' is not a number; write 1234, or 1.234 if the comma was a point"
    ]


def test_whole_number_columns_refuse_decimals():
    found = messages({"sku": ["A", "B"], "unit_scale": [1000, 1.5]}, TABLES["skus"])

    assert found == [
        "skus, row 2, column 'unit_scale': 1.5 is not a whole number; give whole units"
    ]


def test_shares_refuse_percents():
    found = messages({"channel": ["web"], "service_level": [95]}, TABLES["channels"])

    assert found == [
        "channels, row 1, column 'service_level': 95 is too large; it must lie in 0..1"
    ]


@pytest.mark.parametrize(
    "cell",
    ["01/03/2026", "2026-02-30", "1026-03-01", "2026-03-01 10:00", "soon", "", "2026-3-1", None],
)
def test_a_date_that_does_not_parse_names_its_row(cell):
    source = {
        "date": ["2026-03-01", cell],
        "sku": ["A", "B"],
        "node": ["DC1", "DC1"],
        "channel": ["web", "web"],
        "quantity": [1, 1],
    }

    found = messages(source, SALES)

    assert len(found) == 1
    assert found[0].startswith("sales, row 2, column 'date': ")


@pytest.mark.parametrize(
    "date",
    [
        np.array(["2026-03-01"], dtype="datetime64[ns]"),
        [dt.datetime(2026, 3, 1)],
        ["2026-03-01T00:00:00"],
        [" 2026-03-01 "],
        pd.Series(pd.to_datetime(["2026-03-01"])).dt.tz_localize("Europe/Berlin"),
    ],
)
def test_midnight_counts_as_its_day(date):
    source = {"date": date, "sku": ["A"], "node": ["N"], "channel": ["web"], "quantity": [1]}

    assert read_table(source, SALES)["date"].tolist() == [dt.date(2026, 3, 1)]


def test_days_written_as_numbers_are_refused():
    source = {"date": [20260301], "sku": ["A"], "node": ["N"], "channel": ["c"], "quantity": [1]}

    assert "holds int64, expected date" in messages(source, SALES)[0]


def test_flags_read_words_and_numbers():
    flags = {"date": ["2026-03-01"] * 5, "sku": list("ABCDE"), "node": ["N"] * 5}
    flags |= {"channel": ["web"] * 5, "quantity": [1] * 5}

    words = read_table({**flags, "promotion": ["true", "No", "1", "", "FALSE"]}, SALES)
    numbers = read_table({**flags, "promotion": [1, 0, 1, 0, 0]}, SALES)

    assert words["promotion"].tolist() == [True, False, True, False, False]
    assert numbers["promotion"].tolist() == [True, False, True, False, False]
    assert "neither true nor false" in messages({**flags, "promotion": ["maybe"] * 5}, SALES)[0]


def test_times_are_epoch_seconds():
    spec = TableSpec("t", (Column("until", "time"),))

    texts = read_table({"until": ["1970-01-02", "1970-01-01T01:00+01:00", "5"]}, spec)
    moments = read_table(pd.DataFrame({"until": pd.to_datetime(["1970-01-02"], utc=True)}), spec)

    assert texts["until"].tolist() == [86_400, 0, 5]
    assert moments["until"].tolist() == [86_400]
    assert "row 2" in messages({"until": ["1970-01-02", "noon"]}, spec)[0]


def test_missing_columns_are_listed_with_what_is_there():
    found = messages({"SKU": ["A"], "nodes": ["DC1"]})

    assert found == [
        "stock, column 'sku': is missing; the table has SKU, nodes; rename 'SKU'?",
        "stock, column 'node': is missing; the table has SKU, nodes; rename 'nodes'?",
        "stock, column 'on_hand': is missing; the table has SKU, nodes",
    ]


def test_a_misspelt_optional_column_is_not_ignored():
    found = messages({"sku": ["A"], "pack_sise": [6], "supplier": ["X"]}, TABLES["skus"])

    assert len(found) == 1
    assert "rename it to 'pack_size'" in found[0]


def test_a_key_that_stands_twice_names_both_rows():
    found = messages({"sku": ["A", "B", "A", "A"], "node": ["N"] * 4, "on_hand": [1, 2, 3, 4]})

    assert found == [
        "stock, row 3: sku 'A', node 'N' stands in row 1 already; keep one row or add them up",
        "stock, row 4: sku 'A', node 'N' stands in row 1 already; keep one row or add them up",
    ]


@given(
    keys=st.lists(
        st.tuples(st.sampled_from("ABC"), st.sampled_from("XY"), st.integers(0, 3)), max_size=10
    )
)
def test_duplicate_keys_are_those_a_plain_search_finds(keys):
    spec = TableSpec(
        "t",
        (Column("a", "text"), Column("b", "text"), Column("c", "units")),
        key=("a", "b", "c"),
    )
    source = {name: [key[i] for key in keys] for i, name in enumerate("abc")}
    repeated = [i + 1 for i, key in enumerate(keys) if key in keys[:i]]

    try:
        read_table(source, spec)
        found = []
    except FrameError as error:
        found = [problem.row for problem in error.problems]

    assert found == repeated


def test_a_period_that_ends_before_it_starts_is_refused():
    source = {"sku": ["A"], "start": ["2026-03-02"], "end": ["2026-03-01"]}

    found = messages(source, TABLES["promotions"])

    assert found[0].startswith("promotions, row 1, column 'end': 2026-03-01 lies before start")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (pl.DataFrame({"sku": ["A"]}).lazy(), "call .collect() first"),
        ([1, 2], "expected a pandas, polars or pyarrow frame"),
        (None, "expected a pandas, polars or pyarrow frame"),
        (stock(on_hand=[1]), "different lengths"),
        (stock(sku="AB"), "is no column"),
        (stock(on_hand=np.zeros((2, 2))), "is no column"),
        (pd.DataFrame([[1, 2]], columns=["sku", "sku"]), "'sku' 2 times"),
        (pd.DataFrame([[1, 2]], columns=[0, 1]), "column names must be texts"),
        (pa.table([[1], [2]], names=["sku", "sku"]), "columns twice: sku"),
        (stock(sku=[1.5, 2.5]), "expected text"),
        (stock(on_hand=[True, False]), "expected number"),
        (stock(on_hand=[[1], [2]]), "expected number"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(source, words):
    assert words in messages(source)[0]


def test_a_frame_without_rows_reads():
    table = read_table(pd.DataFrame({"sku": [], "node": [], "on_hand": []}), STOCK)

    assert len(table) == 0
    assert table["sku"].tolist() == []
    assert table.codes("sku").labels == ()
    assert table["on_hand"].dtype == np.float64


def test_unused_categories_are_no_labels():
    skus = pd.Categorical(["b", "a"], categories=["z", "b", "a"])

    assert read_table(pd.DataFrame(stock(sku=skus)), STOCK).codes("sku").labels == ("a", "b")


def test_a_thousand_bad_rows_do_not_hide_a_second_column():
    n_rows = 3000
    source = {"sku": [""] * n_rows, "node": ["N"] * (n_rows - 1) + [""], "on_hand": [1] * n_rows}

    with pytest.raises(FrameError) as caught:
        read_table(source, STOCK)

    assert "row 3000, column 'node'" in str(caught.value)
    assert any("and 2000 more rows with an empty cell" in str(p) for p in caught.value.problems)


def test_references_name_the_row_and_a_close_name():
    table = read_table(stock(sku=["TEE-L", "TEE-L"], node=["DC1", "DC2"]), STOCK)

    problems = check_references(table, "sku", {"TEE-M", "MUG"})

    assert [str(one) for one in problems] == [
        "stock, row 1, column 'sku': unknown SKU 'TEE-L' (2 rows); did you mean 'TEE-M'?"
    ]
    assert check_references(table, "node", ["DC1", "DC2"], "node") == []


def test_an_empty_optional_reference_is_known():
    source = {"order": ["O1"], "sku": ["A"], "channel": ["web"], "quantity": [1]}

    assert check_references(read_table(source, TABLES["orders"]), "node", ["DC1"], "node") == []


def test_a_folder_gives_all_faults_of_all_tables_at_once(tmp_path: Path):
    (tmp_path / "skus.csv").write_text("sku\nA\nA\n")
    (tmp_path / "stock.csv").write_text("sku,node,on_hand\nA,DC1,-1\n")
    (tmp_path / "nodes.csv").write_text("node\nDC1\n")
    write_table({"node": ["DC1"]}, tmp_path / "nodes.parquet")
    (tmp_path / "sale.csv").write_text("date\n")
    (tmp_path / "stockout.csv").write_text("date\n")

    with pytest.raises(FrameError) as caught:
        read_folder(tmp_path)

    found = {problem.table: problem.message for problem in caught.value.problems}
    assert "stands in row 1 already" in found["skus"]
    assert "negative" in found["stock"]
    assert "both nodes.csv and nodes.parquet" in found["nodes"]
    assert "rename sale.csv?" in found["sales"]
    assert "holds neither lanes.csv nor lanes.parquet" in found["lanes"]
    assert "stockout.csv is not read" in found["stockouts"]
    assert "channels" in found


def test_a_folder_reads_what_it_holds(tmp_path: Path):
    (tmp_path / "stock.csv").write_text("sku,node,on_hand\n007,DC1,4\n")
    write_table({"sku": ["007"]}, tmp_path / "skus.parquet")

    tables = read_folder(tmp_path, required=("skus", "stock"), optional=("kits",))

    assert set(tables) == {"skus", "stock"}
    assert tables["stock"]["sku"].tolist() == ["007"]


def test_a_folder_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(FrameError, match="is no folder"):
        read_folder(tmp_path / "none")


def test_a_table_reads_again_as_itself():
    table = read_table(pd.DataFrame(stock()), STOCK)
    narrow = TableSpec("few", (Column("sku", "text"),))

    assert read_table(table, STOCK) is table
    assert read_table(table, narrow)["sku"].tolist() == ["TEE-M", "MUG"]
    assert read_table(table, narrow).kind == "pandas"


def test_a_column_that_is_not_there_is_an_input_error():
    table = read_table(stock(), STOCK)

    with pytest.raises(InputError, match="no column 'price'"):
        table["price"]
    with pytest.raises(InputError, match="holds no texts"):
        table.codes("on_hand")


def test_no_row_is_looked_at_in_python(tmp_path: Path):
    """Reading and checking calls as many Python functions for many rows as for few."""

    def calls_for(n_rows: int) -> int:
        numbers = np.arange(n_rows)
        columns = {
            "date": np.datetime64("2025-01-01", "D") + numbers % 500,
            "sku": np.array([f"SKU-{i:04}" for i in range(1000)], dtype=object)[numbers // 500],
            "node": np.full(n_rows, "N1", dtype=object),
            "channel": np.full(n_rows, "web", dtype=object),
            "quantity": numbers % 7 * 1.0,
        }
        path = tmp_path / f"sales-{n_rows}.parquet"
        write_table(columns, path)
        counted = cProfile.Profile()
        table = counted.runcall(read_table, path, SALES)
        assert table["quantity"].sum() == columns["quantity"].sum()
        return sum(entry.callcount for entry in counted.getstats())

    calls_for(1_000)  # the first call of all also imports

    assert calls_for(400_000) < calls_for(1_000) + 20_000
