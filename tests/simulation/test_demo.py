"""The demonstration writes everything it says, again and again, and never touches other files."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import omnistock as om
from omnistock.errors import InputError
from omnistock.frames import TABLES, read_folder
from omnistock.simulation.demo import DemoResult, run_demo


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "shop"


@pytest.fixture(scope="module")
def phases() -> list[str]:
    return []


@pytest.fixture(scope="module")
def result(folder: Path, phases: list[str]) -> DemoResult:
    run_demo(folder, seed=2, n_skus=12, days=60)
    return run_demo(
        folder,
        seed=3,
        n_skus=12,
        days=60,
        progress=lambda done, total, phase: phases.append(phase),
    )


def test_the_folder_holds_tables_plan_store_and_report(result: DemoResult, folder: Path):
    tables = read_folder(folder / "tables", required=tuple(TABLES))

    assert tables["skus"].n_rows == 12
    for name, table in result.plan.tables.items():
        assert pq.read_table(folder / "plan" / f"{name}.parquet").num_rows == table.num_rows
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")[:200].lower()


def test_nothing_is_oversold_and_all_books_agree(result: DemoResult):
    assert result.summary.clean
    assert result.summary.orders > 0
    assert result.summary.accepted > 0


def test_the_store_opens_again_and_verifies(result: DemoResult, folder: Path):
    with om.open(folder / "shop.db") as engine:
        verification = engine.verify()
        on_hand = sum(engine.stock(now="2026-07-03")["on_hand"].to_pylist())

    assert verification.ok
    assert on_hand > 0


def test_the_text_names_every_channel_and_the_checks(result: DemoResult):
    text = result.text(width=100)

    for channel in result.summary.by_channel:
        assert channel in text
    assert "Oversold units 0" in text
    assert "verify differences 0" in text
    assert all(len(line) <= 100 for line in text.splitlines() if "│" in line)


def test_progress_names_every_phase_in_turn(result: DemoResult, phases: list[str]):
    order = list(dict.fromkeys(phases))

    assert order[0] == "simulating the history"
    assert order[-1] == "writing the report"
    assert order.index("opening the engine on the plan") < order.index("replaying orders")


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path):
    precious = tmp_path / "thesis.txt"
    precious.write_text("years of work")

    with pytest.raises(InputError, match=r"thesis\.txt"):
        run_demo(tmp_path, n_skus=12, days=60)
    with pytest.raises(InputError, match="is a file"):
        run_demo(precious, n_skus=12, days=60)

    assert [one.name for one in tmp_path.iterdir()] == ["thesis.txt"]
