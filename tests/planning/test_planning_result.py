"""Writing a plan: all tables or none, and never over other people's files."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from small_tables import small_tables

import omnistock as om
from omnistock.errors import InputError
from omnistock.planning.result import TABLE_NAMES


@pytest.fixture(scope="module")
def small_plan():
    return om.plan(small_tables(), horizon_days=7)


def test_all_tables_are_written_and_read_back(small_plan, tmp_path):
    folder = small_plan.write(tmp_path / "deep" / "plan")

    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.parquet" for name in TABLE_NAMES
    )
    for name, table in small_plan.tables.items():
        assert pq.read_table(folder / f"{name}.parquet").equals(table)


def test_a_new_plan_takes_the_place_of_the_old(small_plan, tmp_path):
    folder = small_plan.write(tmp_path / "plan")
    (folder / "kpis.parquet").write_bytes(b"old")

    small_plan.write(folder)

    assert pq.read_table(folder / "kpis.parquet").equals(small_plan.kpis)
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("existing", [False, True])
def test_a_write_broken_off_changes_nothing(small_plan, tmp_path, monkeypatch, error, existing):
    folder = tmp_path / "plan"
    if existing:
        folder.mkdir()
        (folder / "kpis.parquet").write_bytes(b"old")
    written = []

    def break_off(table, file, **options):
        if len(written) == 3:
            raise error
        written.append(table)

    monkeypatch.setattr(pq, "write_table", break_off)

    with pytest.raises(error):
        small_plan.write(folder)

    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == (["plan", "plan/kpis.parquet"] if existing else [])
    if existing:
        assert (folder / "kpis.parquet").read_bytes() == b"old"


def test_a_folder_with_other_files_is_not_replaced(small_plan, tmp_path):
    (tmp_path / "sales.csv").write_text("precious")

    with pytest.raises(InputError, match=r"sales\.csv"):
        small_plan.write(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["sales.csv"]


def test_a_file_is_not_taken_for_a_folder(small_plan, tmp_path):
    (tmp_path / "plan").write_text("a file")

    with pytest.raises(InputError, match="is a file"):
        small_plan.write(tmp_path / "plan")
