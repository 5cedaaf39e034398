"""Kernels are cached on disk, and an edit anywhere they call reaches them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import omnistock

SOURCE = Path(omnistock.__file__).parent

CALLER = """
from omnistock.numerics.compiled import kernel
from omnistock.room.callee import addend
from omnistock.numerics.factors import factor


@kernel
def total(x):
    return factor(x) + addend(x)
"""
CALLEE = """
from omnistock.numerics.compiled import kernel


@kernel
def {name}(x):
    return {value} * x
"""
ASK = """
from omnistock.room.caller import total
print(total(1), sum(total.stats.cache_hits.values()), sum(total.stats.cache_misses.values()))
"""


class Copy:
    """A small package with the real ``kernel`` decorator, run in its own process."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.numerics = folder / "omnistock" / "numerics"
        self.room = folder / "omnistock" / "room"
        self.cache = folder / "cache"
        for package in (self.numerics, self.room):
            package.mkdir(parents=True)
            (package / "__init__.py").touch()
        (folder / "omnistock" / "__init__.py").touch()
        shutil.copy(SOURCE / "numerics" / "compiled.py", self.numerics)
        self.write(self.room / "caller.py", CALLER)
        self.write(self.room / "callee.py", CALLEE.format(name="addend", value=1))
        self.write(self.numerics / "factors.py", CALLEE.format(name="factor", value=10))

    def write(self, path: Path, source: str) -> None:
        path.write_text(textwrap.dedent(source), encoding="utf-8")

    def ask(self) -> tuple[int, int, int]:
        """Return the kernel's answer, its cache hits and its cache misses."""
        environment = {key: value for key, value in os.environ.items() if "NUMBA" not in key}
        environment |= {
            "PYTHONPATH": str(self.folder),
            "NUMBA_CACHE_DIR": str(self.cache),
            # Python's own bytecode cache looks at whole seconds and must not decide here.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        run = subprocess.run(
            [sys.executable, "-c", ASK],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
        value, hits, misses = run.stdout.split()
        return int(value), int(hits), int(misses)


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def test_a_second_process_takes_the_machine_code_from_disk(copy):
    assert copy.ask() == (11, 0, 1)
    assert copy.ask() == (11, 1, 0)


@pytest.mark.parametrize(
    ("file", "name", "answer"),
    [("room/callee.py", "addend", 12), ("numerics/factors.py", "factor", 3)],
)
def test_an_edit_of_a_called_file_reaches_the_caller(copy, file, name, answer):
    copy.ask()

    copy.write(copy.folder / "omnistock" / file, CALLEE.format(name=name, value=2))

    assert copy.ask() == (answer, 0, 1)


def test_an_edit_of_the_same_length_and_an_old_date_reaches_the_caller(copy):
    copy.ask()
    edited = copy.room / "callee.py"

    copy.write(edited, CALLEE.format(name="addend", value=5))
    os.utime(edited, (1_000_000_000, 1_000_000_000))

    assert copy.ask() == (15, 0, 1)


def test_a_new_date_without_an_edit_keeps_the_machine_code(copy):
    copy.ask()

    os.utime(copy.room / "callee.py")

    assert copy.ask() == (11, 1, 0)
