"""The table that benchmarks print says what was met, what was missed and what was not measured."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def measuring():
    path = ROOT / "benchmarks" / "engine_measuring.py"
    spec = importlib.util.spec_from_file_location("engine_measuring", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules["engine_measuring"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["engine_measuring"]


@pytest.mark.parametrize(
    ("figure", "at_most", "verdict"),
    [(2.0, False, "met"), (1.9, False, "missed"), (2.0, True, "met"), (2.1, True, "missed")],
)
def test_a_figure_counts_against_its_target(measuring, figure, at_most, verdict):
    row = measuring.Row("what", "1", figure=figure, target=2.0, at_most=at_most)

    assert row.verdict == verdict


def test_what_was_not_measured_is_neither_met_nor_missed(measuring, capsys):
    row = measuring.not_measured("beside a server", "there is none", 50.0)

    measuring.print_table([measuring.Row("a", "1 k/s", "b", "2 k/s", 0.5, target=1.0), row])

    assert row.verdict == "not measured"
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("missed")
    assert lines[2] == "beside a server  not measured: there is none  wanted  >= 50x"


def test_a_ratio_is_of_the_best_runs_and_beside_it_that_of_the_medians(measuring):
    ours = measuring.Times(np.array([1.0, 2.0, 4.0]))
    theirs = measuring.Times(np.array([3.0, 8.0, 9.0]))

    row = measuring.compare("work", ours, "other", theirs, 2000, target=3.0)

    assert row.figure == 3.0
    assert row.medians == 4.0
    assert (row.ours, row.theirs) == ("2.0 k/s", "0.7 k/s")


def test_racers_take_turns(measuring):
    ran = []

    times = measuring.race({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, 2)

    assert ran == ["a", "b"] * 3
    assert len(times["a"].seconds) == 2
