"""The scripts behind make say what is missing, on machines that lack it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASICS = ("sh", "rm", "touch", "id")


@pytest.fixture
def bare_path(tmp_path):
    """A PATH with a shell and little else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in BASICS:
        found = next(path for one in ("/bin", "/usr/bin") if (path := Path(one) / name).exists())
        (folder / name).symlink_to(found)
    return folder


def put(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


def run(tool: str, *arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools" / tool), *arguments],
        env={"PATH": str(path), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_machine_without_python_is_told_what_to_install(bare_path, tmp_path):
    done = run("venv.sh", str(tmp_path / "venv"), path=bare_path)

    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_python_that_is_too_old_is_named(bare_path, tmp_path):
    put(bare_path, "python3", "exit 1")

    done = run("venv.sh", str(tmp_path / "venv"), "python3", path=bare_path)

    assert done.returncode == 1
    assert "tried: python3." in done.stderr


def test_a_newer_python_is_found_beside_an_old_default(bare_path, tmp_path):
    put(bare_path, "python3", "exit 1")
    (bare_path / "python3.12").symlink_to(sys.executable)

    done = run("venv.sh", str(tmp_path / "venv"), path=bare_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "venv" / ".made").exists()


def test_half_an_environment_is_made_anew_and_a_whole_one_stays(bare_path, tmp_path):
    (bare_path / "python3").symlink_to(sys.executable)
    folder = tmp_path / "venv"
    (folder / "bin").mkdir(parents=True)
    put(folder / "bin", "python", "exit 1")

    first = run("venv.sh", str(folder), path=bare_path)
    second = run("venv.sh", str(folder), path=bare_path)

    assert first.stdout.startswith("making ")
    assert (second.returncode, second.stdout) == (0, "")


def test_a_python_without_venv_is_told_the_package(bare_path, tmp_path):
    put(bare_path, "python3", 'case "$*" in *ensurepip*) exit 1;; *) exit 0;; esac')

    done = run("venv.sh", str(tmp_path / "venv"), path=bare_path)

    assert done.returncode == 1
    assert "python3-venv" in done.stderr


def test_a_browser_that_is_there_is_left_alone(bare_path):
    put(bare_path, "chromium", "exit 0")
    put(bare_path, "apt-get", "exit 7")

    assert run("chromium.sh", path=bare_path).returncode == 0


def test_root_on_debian_gets_a_browser(bare_path):
    (bare_path / "id").unlink()
    put(bare_path, "id", "echo 0")
    put(bare_path, "apt-get", 'echo "apt-get $*"')

    done = run("chromium.sh", path=bare_path)

    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[1].startswith("apt-get update")
    assert lines[2].startswith("apt-get install")
    assert lines[2].endswith("chromium")


def test_others_are_told_that_browser_tests_are_skipped(bare_path):
    (bare_path / "id").unlink()
    put(bare_path, "id", "echo 1000")

    done = run("chromium.sh", path=bare_path)

    assert done.returncode == 0
    assert "no Chromium found" in done.stderr
