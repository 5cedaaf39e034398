"""Instances of joint sourcing: read strictly, solved as known, wrong answers found out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from omnistock.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import sourcing_gap, sourcing_instances

    return sourcing_instances, sourcing_gap


def instance():
    """Two SKUs and a kit of both on two nodes."""
    line = {"sku": 0, "qty": 1, "penalty": 900}
    kit = {"sku": 2, "qty": 2, "penalty": 5000}
    return {
        "n_nodes": 2,
        "n_skus": 2,
        "package_cost": [[300, 400]],
        "unit_cost": [[10, 20]],
        "weight": [1, 2, 3],
        "node_capacity": [5, 5],
        "stock": [[0, 0, 2], [0, 1, 2], [1, 0, 1]],
        "kits": [[2, [[0, 1], [1, 1]]]],
        "orders": [
            {"region": 0, "lines": [line], "all_or_nothing": False, "must_ship": False},
            {"region": 0, "lines": [kit, line], "all_or_nothing": True, "must_ship": False},
        ],
    }


def written(folder, **changes):
    path = folder / "one.json"
    path.write_text(json.dumps({**instance(), **changes}))
    return path


def test_an_answer_is_priced_and_checked_by_hand(tools, tmp_path):
    instances, _ = tools
    read = instances.read_instance(written(tmp_path))

    assert instances.price(read, [-1, -1, -1]) == (6800, [])
    assert instances.price(read, [-1, 0, 1]) == (900 + 300 + 60 + 400 + 20, [])
    assert instances.price(read, [1, 0, -1])[1] == ["orders[1] is sent in part"]
    assert instances.price(read, [0, 0, 1])[1] == ["node 0 gives 1 of SKU 0 too many"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"orders": [{"region": 7, "lines": []}]}, r"orders\[0\].region"),
        ({"orders": [{"region": 0}]}, r"orders\[0\].lines"),
        ({"orders": [{"region": 0, "lines": [{"sku": 0, "qty": 0, "penalty": 1}]}]}, "qty"),
        ({"orders": [{"region": 0, "lines": [{"sku": 9, "qty": 1, "penalty": 1}]}]}, "sku"),
        ({"stock": [[0, 0]]}, r"stock\[0\]"),
        ({"stock": [[0, 5, 1]]}, r"stock\[0\]\[1\]"),
        ({"package_cost": [[300, "x"]]}, r"package_cost\[0\]\[1\]"),
        ({"node_capacity": [5]}, "node_capacity"),
        ({"kits": [[2, []]]}, r"kits\[0\]\[1\]"),
        ({"weight": None}, "weight"),
    ],
)
def test_a_malformed_instance_is_refused_by_file_and_field(tools, tmp_path, changes, field):
    instances, _ = tools
    path = written(tmp_path, **changes)

    with pytest.raises(InputError, match=f"one.json: .*{field}"):
        instances.read_instance(path)


def test_an_answer_that_contradicts_what_is_proven_is_found_out(tools):
    _, gap = tools
    known = {"status": "Optimal", "objective": 100, "bound": 100.0}

    assert not gap.contradictions({"status": "Optimal", "objective": 100, "bound": 100}, known)
    assert gap.contradictions({"status": "Feasible", "objective": 120, "bound": 101}, known)
    assert gap.contradictions({"status": "Optimal", "objective": 90, "bound": 90}, known)
    assert gap.contradictions({"status": "Infeasible", "objective": None, "bound": None}, known)


def test_the_command_solves_a_folder_and_writes_what_it_found(tmp_path):
    written(tmp_path)
    out = tmp_path / "answers" / "out.json"
    out.parent.mkdir()

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sourcing_gap", str(tmp_path), "--json", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(out.read_text())["one"]
    assert (said["status"], said["objective"], said["bound"]) == ("Optimal", 1680, 1680)


@pytest.mark.parametrize("name", ["s01_small", "s02_aon", "s03_kits", "s06_split_heavy"])
def test_the_shared_instances_cost_what_highs_1_15_proved(tools, name, shared_folder):
    instances, gap = tools
    folder = shared_folder / "cases" / "sourcing"
    expected = json.loads((folder / "expected.json").read_text())[name]

    said, wrong = gap.answer(instances.read_instance(folder / f"{name}.json"), 60.0)

    assert wrong == []
    assert said["status"] == "Optimal"
    assert said["objective"] == expected["objective"]
