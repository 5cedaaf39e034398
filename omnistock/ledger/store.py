"""Where frames are kept: in memory, or in a SQLite file that one process writes."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from omnistock.errors import LedgerError

__all__ = ["LedgerStore", "MemoryLedger", "SqliteLedger", "open_ledger"]

_FORMAT = 1


class LedgerStore(Protocol):
    """What the engine needs of a store.

    ``append`` returns only after the frame would survive a loss of power.
    """

    epoch: int
    read_only: bool

    def append(self, sequence: int, blob: bytes) -> None:
        """Keep frame number ``sequence`` for good."""

    def frames(self) -> Iterator[bytes]:
        """Give all frames, in order."""

    def close(self) -> None:
        """Let go of the store."""


class MemoryLedger:
    """Frames in memory: for tests, simulations and what-if; gone with the process."""

    def __init__(self) -> None:
        self.epoch = 1
        self.read_only = False
        self._frames: list[bytes] = []

    def append(self, sequence: int, blob: bytes) -> None:
        """Keep a frame."""
        if sequence != len(self._frames) + 1:
            raise LedgerError(f"frame {sequence} does not follow frame {len(self._frames)}")
        self._frames.append(blob)

    def frames(self) -> Iterator[bytes]:
        """Give all frames, in order."""
        return iter(list(self._frames))

    def close(self) -> None:
        """Nothing to let go of."""


class SqliteLedger:
    """Frames in one SQLite file: write-ahead log, ``synchronous=FULL``, one writer.

    Parameters
    ----------
    path : str or Path
        The file; made if it is not there, unless ``read_only``.
    read_only : bool
        Read beside a running writer; ``append`` is refused.

    Raises
    ------
    LedgerError
        If the file is no omnistock store, or another process has it open for writing.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self.read_only = read_only
        self._lock: int | None = None
        if read_only and not self.path.exists():
            raise LedgerError(f"there is no store at {self.path}; make one with omnistock.open")
        if not self.path.parent.is_dir():
            raise LedgerError(f"folder {self.path.parent} does not exist; make it first")
        if not read_only:
            self._take_lock()
        try:
            self._connection = self._connect()
            self.epoch = self._prepare()
        except sqlite3.DatabaseError as error:
            self._drop_lock()
            raise LedgerError(f"{self.path} is not an omnistock store: {error}") from error
        except LedgerError:
            self._drop_lock()
            raise

    def _take_lock(self) -> None:
        self._lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._drop_lock()
            raise LedgerError(
                f"{self.path} is open for writing in another engine; "
                "close that one, or open this one with read_only=True"
            ) from error

    def _drop_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _connect(self) -> sqlite3.Connection:
        mode = "ro" if self.read_only else "rwc"
        uri = f"{self.path.resolve().as_uri()}?mode={mode}"
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

    def _prepare(self) -> int:
        connection = self._connection
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if tables and not {"frames", "ledger"} <= tables:
            raise LedgerError(
                f"{self.path} is a SQLite file of something else; choose another name"
            )
        if self.read_only:
            if not tables:
                raise LedgerError(f"{self.path} is empty: no engine has written to it")
        else:
            # Takes effect in a new file only. A frame of thousands of orders then lies on half
            # as many pages as with SQLite's 4096, and one of a single order is as fast.
            connection.execute("PRAGMA page_size=8192")
            connection.execute("PRAGMA journal_mode=WAL")
            # 32 MB: frames are written to the file itself this much less often.
            connection.execute("PRAGMA wal_autocheckpoint=4000")
            connection.execute("PRAGMA synchronous=FULL")
            if not tables:
                connection.executescript(
                    "BEGIN;"
                    "CREATE TABLE frames (sequence INTEGER PRIMARY KEY, frame BLOB NOT NULL);"
                    "CREATE TABLE ledger (format INTEGER NOT NULL, epoch INTEGER NOT NULL);"
                    f"INSERT INTO ledger VALUES ({_FORMAT}, 0); COMMIT;"
                )
            connection.execute("UPDATE ledger SET epoch = epoch + 1")
        (version, epoch) = connection.execute("SELECT format, epoch FROM ledger").fetchone()
        if version != _FORMAT:
            raise LedgerError(f"{self.path} has ledger format {version}; this is for {_FORMAT}")
        return int(epoch)

    def append(self, sequence: int, blob: bytes) -> None:
        """Keep a frame; on disk when this returns. A writer whose epoch has passed is refused."""
        if self.read_only:
            raise LedgerError(f"{self.path} is open for reading only")
        done = self._connection.execute(
            "INSERT INTO frames SELECT ?, ? FROM ledger WHERE epoch = ?",
            (sequence, blob, self.epoch),
        )
        if done.rowcount != 1:
            raise LedgerError(f"{self.path} has been taken over by a later writer; open it anew")

    def frames(self) -> Iterator[bytes]:
        """Give all frames, in order."""
        for (blob,) in self._connection.execute("SELECT frame FROM frames ORDER BY sequence"):
            yield blob

    def close(self) -> None:
        """Close the file and let another writer in."""
        self._connection.close()
        self._drop_lock()


def open_ledger(where: str | Path, *, read_only: bool = False) -> LedgerStore:
    """Open ``":memory:"`` or a SQLite file as a store of frames."""
    if str(where) == ":memory:":
        return MemoryLedger()
    if "://" in str(where):
        raise LedgerError(f"{where}: stores are ':memory:' or the path of a SQLite file")
    return SqliteLedger(where, read_only=read_only)
