"""Stores keep frames in order, for one writer, and refuse what is not theirs."""

from __future__ import annotations

import os
import sqlite3

import pytest

from omnistock.errors import LedgerError
from omnistock.ledger import MemoryLedger, SqliteLedger, open_ledger


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    made = MemoryLedger() if request.param == "memory" else SqliteLedger(tmp_path / "shop.db")
    yield made
    made.close()


def test_frames_come_back_in_order(store):
    store.append(1, b"one")
    store.append(2, b"two")

    assert list(store.frames()) == [b"one", b"two"]


def test_a_frame_number_is_taken_once(store):
    store.append(1, b"one")

    with pytest.raises((LedgerError, sqlite3.IntegrityError)):
        store.append(1, b"other")
    assert list(store.frames()) == [b"one"]


def test_a_second_writer_is_refused_while_the_first_is_open(tmp_path):
    first = SqliteLedger(tmp_path / "shop.db")

    with pytest.raises(LedgerError, match="open for writing in another engine"):
        SqliteLedger(tmp_path / "shop.db")
    first.close()
    SqliteLedger(tmp_path / "shop.db").close()


def test_a_reader_reads_beside_the_writer_and_cannot_write(tmp_path):
    writer = SqliteLedger(tmp_path / "shop.db")
    writer.append(1, b"one")

    reader = SqliteLedger(tmp_path / "shop.db", read_only=True)

    assert list(reader.frames()) == [b"one"]
    with pytest.raises(LedgerError, match="reading only"):
        reader.append(2, b"two")
    reader.close()
    writer.close()


def test_a_writer_whose_epoch_has_passed_cannot_append(tmp_path):
    stale = SqliteLedger(tmp_path / "shop.db")
    with sqlite3.connect(tmp_path / "shop.db") as other:
        other.execute("UPDATE ledger SET epoch = epoch + 1")

    with pytest.raises(LedgerError, match="taken over"):
        stale.append(1, b"late")
    assert list(stale.frames()) == []
    stale.close()


def test_commits_are_synchronous_and_in_write_ahead_mode(tmp_path):
    store = SqliteLedger(tmp_path / "shop.db")

    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_another_sqlite_file_is_refused(tmp_path):
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE customers (name TEXT)")

    with pytest.raises(LedgerError, match="something else"):
        SqliteLedger(tmp_path / "other.db")


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "notes.db").write_text("these are notes, " * 100)

    with pytest.raises(LedgerError, match=r"notes\.db is not an omnistock store"):
        SqliteLedger(tmp_path / "notes.db")


@pytest.mark.parametrize("where", ["nowhere/shop.db", "ftp://shop"])
def test_a_place_that_cannot_be_is_refused(where, tmp_path):
    target = where if "://" in where else os.path.join(tmp_path, where)

    with pytest.raises(LedgerError):
        open_ledger(target)


def test_reading_a_store_that_is_not_there_says_so(tmp_path):
    with pytest.raises(LedgerError, match="there is no store"):
        SqliteLedger(tmp_path / "none.db", read_only=True)
    assert not (tmp_path / "none.db").exists()
