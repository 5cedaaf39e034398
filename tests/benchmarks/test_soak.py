"""The soak, small: it finds nothing on a right engine, and something on a wrong one."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--operations", "2500", "--store-operations", "1500", "--orders-per-frame", "200"]


@pytest.fixture
def soak(monkeypatch):
    """The module of the soak."""
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.soak as module

    return module


def test_a_short_run_over_two_stores_violates_nothing(soak, capsys):
    code = soak.main([*SMALL, "--seed", "3"])

    printed = capsys.readouterr().out.splitlines()
    assert code == 0
    assert printed[-1].endswith(": 0 violations")
    assert len(printed) == 2


def test_a_store_that_is_named_stays(soak, tmp_path):
    soak.main(["--operations", "300", "--orders-per-frame", "100", "--store", str(tmp_path / "a")])

    assert (tmp_path / "a").stat().st_size > 0
    with pytest.raises(SystemExit):
        soak.main(["--operations", "300", "--store", str(tmp_path / "a")])


def test_an_engine_that_forgets_a_unit_is_found_out(soak, monkeypatch, capsys):
    whole = soak.World.orders

    def forgetful(self):
        state = self.engine._writer.state
        state.records[3, 0] += 1
        return whole(self)

    monkeypatch.setattr(soak.World, "orders", forgetful)

    code = soak.main(["--operations", "300", "--orders-per-frame", "100"])

    printed = capsys.readouterr().out
    assert code == 1
    assert "balance of stockpoint 3" in printed
    assert "audit: stockpoint 3" in printed


def test_sums_name_the_first_row_that_differs(soak):
    checks = sys.modules["benchmarks.soak_checks"]

    found = checks.first_differences("row", np.array([1, 2, 9]), np.array([1, 3, 4]))

    assert found == ["row 1: 2, not 3 (2 rows differ)"]
