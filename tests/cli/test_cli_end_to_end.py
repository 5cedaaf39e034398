"""From templates to a plan, a report and a store that answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import omnistock as om
from omnistock.cli import run

START = "from omnistock.cli import main; main()"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return a folder with tables, plan, report and store, as a user makes them."""
    folder = tmp_path_factory.mktemp("shop")
    assert run(["init", str(folder / "tables")]) == 0
    options = ["--out", str(folder / "plan"), "--store", str(folder / "shop.db")]
    assert run(["plan", str(folder / "tables"), *options]) == 0
    return folder


def answer(capsys, *arguments: str) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == 0
    return capsys.readouterr().out.strip()


def test_a_plan_writes_tables_report_and_store_and_nothing_else(shop):
    assert sorted(os.listdir(shop)) == ["plan", "report.html", "shop.db", "tables"]
    assert pq.read_table(shop / "plan" / "forecast.parquet").num_rows > 0
    assert pq.read_table(shop / "plan" / "replenishment.parquet").num_rows > 0
    assert (shop / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_a_plan_can_be_made_again(shop, capsys):
    before = (shop / "shop.db").read_bytes()

    shown = answer(capsys, "plan", str(shop / "tables"), "--out", str(shop / "plan"))

    assert "plan for the morning of   2026-06-29" in shown
    assert (shop / "shop.db").read_bytes() == before


def test_the_command_line_answers_what_the_engine_answers(shop, capsys):
    store = str(shop / "shop.db")
    with om.open(store) as engine:
        units = engine.available("TEE-M", channel="web")
        at_node = engine.available("TEE-M", node="S1")

    assert answer(capsys, "available", "TEE-M", "--channel", "web", "--store", store) == (
        f"{units} of TEE-M available on web"
    )
    assert answer(capsys, "available", "TEE-M", "--node", "S1", "--store", store) == (
        f"{at_node} of TEE-M available at S1"
    )


def test_what_is_sold_by_weight_is_told_in_kilograms(shop, capsys):
    with om.open(str(shop / "shop.db")) as engine:
        grams = engine.available("COFFEE")

    shown = answer(capsys, "available", "COFFEE", "--store", str(shop / "shop.db"))

    assert grams > 1000
    assert float(shown.split(" ")[0]) == grams / 1000


def test_a_later_day_counts_what_is_to_come(shop, capsys, monkeypatch):
    monkeypatch.setenv("OMNISTOCK_STORE", str(shop / "shop.db"))

    now = answer(capsys, "available", "SOCKS", "--node", "DC1")
    later = answer(capsys, "available", "SOCKS", "--node", "DC1", "--by", "2026-07-03")

    assert later.endswith("by 2026-07-03")
    assert int(later.split(" ")[0]) >= int(now.split(" ")[0])


def test_explain_ends_in_what_available_says(shop, capsys):
    store = str(shop / "shop.db")
    with om.open(store) as engine:
        units = engine.available("MUG", channel="marketplace")

    shown = answer(capsys, "explain", "MUG", "--channel", "marketplace", "--store", store)

    assert "on hand" in shown.lower()
    assert str(units) in shown.splitlines()[-1] or f" {units}" in shown


def test_questions_are_answered_beside_a_running_writer(shop, capsys):
    store = str(shop / "shop.db")

    with om.open(store):
        shown = answer(capsys, "available", "TEE-L", "--store", store)

    assert shown.endswith("of TEE-L available")


def test_verify_finds_no_differences(shop, capsys):
    shown = answer(capsys, "verify", "--store", str(shop / "shop.db"))

    assert shown.endswith("shop.db: 0 differences")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["available", "TEE-XXL"], "unknown SKU 'TEE-XXL'"),
        (["available", "TEE-M", "--channel", "fax"], "unknown channel 'fax'"),
        (["explain", "TEE-M", "--node", "MOON"], "unknown node 'MOON'"),
        (["available", "TEE-M", "--by", "soon"], "'soon' is not an ISO date"),
    ],
)
def test_an_unknown_name_is_one_clear_message(shop, arguments, words, capsys):
    capsys.readouterr()

    assert run([*arguments, "--store", str(shop / "shop.db")]) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert words in shown.err


def test_a_file_that_is_no_store_is_refused(tmp_path, capsys):
    (tmp_path / "shop.db").write_bytes(b"this is no database" * 300)

    assert run(["verify", "--store", str(tmp_path / "shop.db")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.once
@pytest.mark.parametrize("phase", ["reading tables", "writing the report", "loading the store"])
def test_ctrl_c_leaves_nothing_half_written(tmp_path, phase):
    assert run(["init", str(tmp_path / "tables")]) == 0
    options = ["--out", "plan", "--store", "shop.db"]
    process = subprocess.Popen(
        [sys.executable, "-c", START, "plan", "tables", *options],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = []
    for line in process.stderr:
        seen.append(line)
        if phase in line:
            process.send_signal(signal.SIGINT)
            break
    rest, code = process.stderr.read(), process.wait(120)

    assert code == 130, [*seen, rest]
    assert rest.endswith("stopped; nothing was left half-written\n")
    assert "Traceback" not in rest
    _only_whole_results(tmp_path)


def _only_whole_results(folder: Path) -> None:
    found = set(os.listdir(folder))
    assert found <= {"tables", "plan", "report.html"}, found
    if "plan" in found:
        for path in (folder / "plan").iterdir():
            assert pq.read_table(path).num_columns > 0
    if "report.html" in found:
        assert (folder / "report.html").read_text().rstrip().endswith("</html>")


@pytest.mark.slow
def test_the_demo_ends_well(tmp_path, capsys):
    shown = answer(capsys, "demo", "--folder", str(tmp_path / "demo"), "--skus", "40")

    assert "Oversold units 0" in shown
    assert (tmp_path / "demo" / "report.html").is_file()
    assert sorted(os.listdir(tmp_path)) == ["demo"]


def test_warmup_compiles_everything_and_says_so(capsys):
    assert answer(capsys, "warmup") == "the kernels of engine and planning are compiled"
