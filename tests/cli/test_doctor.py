"""The doctor finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import os
import sqlite3

import pytest

from omnistock.cli import doctor as doctor_module
from omnistock.cli import run
from omnistock.cli.doctor import BROKEN, OK, WARN, examine


def checks(store):
    return {check.name: check for check in examine(store)}


def test_a_healthy_machine_is_not_broken(tmp_path, capsys):
    assert run(["doctor", "--store", str(tmp_path / "shop.db")]) == 0

    lines = capsys.readouterr().out.splitlines()
    named = {line[7:27].strip() for line in lines}
    assert {"python", "numba", "kernels", "store", "disk sync", "processor", "memory"} <= named
    assert os.listdir(tmp_path) == []


def test_every_check_that_is_not_well_says_what_to_do(tmp_path):
    for check in examine(tmp_path / "shop.db"):
        assert check.state in (OK, WARN, BROKEN)
        assert check.found
        assert check.state == OK or check.mend


def test_a_folder_that_does_not_exist_is_not_made(tmp_path):
    found = checks(tmp_path / "none" / "deeper" / "shop.db")

    assert found["disk sync"].state in (OK, WARN)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif("os.environ.get('NUMBA_DISABLE_JIT', '0') != '0'", reason="nothing compiles")
def test_kernels_are_counted(tmp_path):
    found = checks(tmp_path / "shop.db")["kernels"].found

    compiled, _, all_of_them = found.split(": ")[1].split(" compiled")[0].partition(" of ")
    assert 0 <= int(compiled) <= int(all_of_them)
    assert int(all_of_them) > 20


def test_plain_python_kernels_are_a_warning(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")

    assert checks(tmp_path / "shop.db")["kernels"].state == WARN


def test_a_store_that_is_none_is_broken(tmp_path, capsys):
    store = tmp_path / "shop.db"
    store.write_bytes(b"this is no database" * 100)

    assert run(["doctor", "--store", str(store)]) == 1
    assert "restore the file from a backup" in capsys.readouterr().out


def test_a_sound_store_is_well(tmp_path):
    store = tmp_path / "shop.db"
    connection = sqlite3.connect(store)
    connection.execute("CREATE TABLE frames (x)")
    connection.commit()
    connection.close()

    assert checks(store)["store"].state == OK


def test_a_library_that_is_too_old_or_missing_is_broken(tmp_path, monkeypatch):
    monkeypatch.setattr(
        doctor_module, "_minimum_versions", lambda: {"numpy": "999.0", "rich": "1.0"}
    )
    monkeypatch.setattr(
        doctor_module, "_LIBRARIES", (("numpy", "numpy"), ("rich", "rich"), ("nosuchthing", ""))
    )

    found = checks(tmp_path / "shop.db")

    assert (found["numpy"].state, found["rich"].state) == (BROKEN, OK)
    assert found["numpy"].mend == "pip install 'numpy>=999.0'"
    assert found["nosuchthing"].state == BROKEN


def test_a_slow_disk_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor_module, "_SLOW_FSYNC_MS", -1.0)

    check = checks(tmp_path / "shop.db")["disk sync"]

    assert check.state == WARN
    assert "local SSD" in check.mend


def test_declared_versions_are_understood():
    declared = doctor_module._minimum_versions()

    assert doctor_module._numbers(declared["numpy"]) >= (2, 0)
    assert "polars" not in declared  # an extra, not a need
