"""The baseline in C, compiled into a folder that is gone afterwards, and called by ctypes."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).with_name("engine_baseline.c")
FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")


class Baseline:
    """The loops of ``engine_baseline.c``; ``None`` where there is no C compiler."""

    def __init__(self) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        assert compiler is not None
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "baseline.so"
            subprocess.run([compiler, *FLAGS, "-o", made, SOURCE], check=True)
            self._loops = ctypes.CDLL(str(made))
        self._loops.reserve.restype = self._loops.reserve_kept.restype = ctypes.c_int64

    @staticmethod
    def found() -> bool:
        return any(shutil.which(name) for name in ("cc", "gcc", "clang"))

    def check(
        self, units: np.ndarray, records: np.ndarray, handles: np.ndarray, ahead: np.ndarray
    ) -> int:
        return self._loops.check(
            _at(units), _at(records), _int(records.shape[1]), _at(handles), _at(ahead),
            _int(len(handles)),
        )  # fmt: skip

    def check_column(self, units: np.ndarray, free: np.ndarray, handles: np.ndarray) -> None:
        self._loops.check_column(_at(units), _at(free), _at(handles), _int(len(handles)))

    def best(self, best: np.ndarray, records: np.ndarray, first: np.ndarray, n_nodes: int) -> None:
        self._loops.best(
            _at(best), _at(records), _int(records.shape[1]), _at(first), _int(n_nodes),
            _int(len(first)),
        )  # fmt: skip

    def reserve(
        self, accepted: np.ndarray, records: np.ndarray, offsets: np.ndarray,
        handles: np.ndarray, quantities: np.ndarray,
    ) -> int:  # fmt: skip
        return self._loops.reserve(
            _at(accepted), _at(records), _int(records.shape[1]), _at(offsets), _at(handles),
            _at(quantities), _int(len(accepted)),
        )  # fmt: skip

    def reserve_kept(
        self, accepted: np.ndarray, records: np.ndarray, offsets: np.ndarray,
        handles: np.ndarray, quantities: np.ndarray, ids: np.ndarray, kept: Kept,
    ) -> int:  # fmt: skip
        return self._loops.reserve_kept(
            _at(accepted), _at(records), _int(records.shape[1]), _at(offsets), _at(handles),
            _at(quantities), _int(len(accepted)), _at(ids), _at(kept.requests),
            _int(len(kept.requests)), _at(kept.holds), _at(kept.lines), _at(kept.reserved),
            _at(kept.events), _at(kept.cursor),
        )  # fmt: skip


class Kept:
    """What accepted orders leave behind in the C baseline, with room for so many orders."""

    def __init__(self, n_orders: int, n_lines: int, n_stockpoints: int) -> None:
        size = 1 << (2 * n_orders).bit_length()
        self.requests = np.zeros((size, 3), np.int64)
        self.holds = np.zeros((n_orders, 4), np.int64)
        self.lines = np.zeros((n_lines, 4), np.int64)
        self.reserved = np.zeros(n_stockpoints, np.int64)
        self.events = np.zeros(6 * n_orders + 2 * n_lines, np.int32)
        self.cursor = np.zeros(3, np.int64)

    def forget_events(self) -> None:
        """Begin the next batch's events."""
        self.cursor[2] = 0


def _at(array: np.ndarray) -> ctypes.c_void_p:
    assert array.flags.c_contiguous
    return ctypes.c_void_p(array.ctypes.data)


def _int(number: int) -> ctypes.c_int64:
    return ctypes.c_int64(number)
