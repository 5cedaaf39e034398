"""What ``omnistock bench`` says."""

from __future__ import annotations

import json

import pytest

from omnistock.cli import benching, run
from omnistock.cli.benching import BenchReport
from omnistock.simulation import sizing
from omnistock.simulation.sizing import MachineFigures, peak_load

FIGURES = MachineFigures(
    n_stockpoints=200_000,
    n_nodes=5,
    lines_per_order=2.5,
    reservations_per_s=348_123.0,
    reservations_per_s_large=912_345.0,
    reservations_per_s_objects=9_876.0,
    longest_wait_ms=85.4,
    checks_per_s=21_456_789.0,
    calls_per_s=480_000.0,
    reserve_p50_ms=0.46,
    reserve_p99_ms=1.29,
    fsync_p50_ms=0.34,
    mb_per_million_stockpoints=712.3,
    mb_per_million_orders=640.0,
    recovery_s_per_million_events=2.68,
    ledger_bytes_per_order=144.2,
)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(sizing, "_BATCH", 5)
    monkeypatch.setattr(sizing, "_LARGE_BATCH", 8)
    monkeypatch.setattr(sizing, "_FEWEST_SINGLES", 3)
    monkeypatch.setattr(benching, "_QUICK_SECONDS", 0.001)
    # Looking for warm kernels would import every room.
    monkeypatch.setattr(benching, "kernels_are_warm", lambda: True)


def test_figures_are_rounded_to_what_they_are_worth():
    text = BenchReport(FIGURES, None, compiled=True).text()

    assert "350,000/s in arrays of 1,000, 910,000/s of 8,192, 9,900/s as Python objects" in text
    assert "21,000,000/s in arrays, 480,000/s as single calls" in text
    assert "0.46 ms, 99 of 100 within 1.29 ms; the disk alone takes 0.34 ms" in text
    assert "85 ms for a batch of 1,000" in text
    assert "712 MB per million stockpoints, 640 MB per million orders" in text
    assert "2.7 s per million events; an order adds 144 bytes" in text
    assert "peak" not in text


@pytest.mark.parametrize(
    ("orders_per_s", "sentence"),
    [
        (
            35_000,
            "in arrays          keeps one engine on this machine busy 11.7% of the time; one is",
        ),
        (250_000, "busy 83.5% of the time; plan 2 such machines, stock split between them"),
        (
            1_000_000,
            "in arrays          is 3.3 times what one engine on this machine can do; plan 7",
        ),
    ],
)
def test_a_peak_becomes_a_share_or_a_number_of_machines(orders_per_s, sentence):
    load = peak_load(FIGURES, orders_per_s, checks_per_order=10)

    text = BenchReport(FIGURES, load, compiled=True).text()

    assert f"A peak of {orders_per_s:,} orders/s with 10 questions per order:" in text
    assert sentence in text


def test_uncompiled_kernels_are_owned_up_to():
    assert "plain Python" in BenchReport(FIGURES, None, compiled=False).text()
    assert "plain Python" not in BenchReport(FIGURES, None, compiled=True).text()


def test_the_command_measures_and_answers_as_json(small, tmp_path, capsys):
    arguments = ["bench", "--quick", "--stockpoints", "50", "--folder", str(tmp_path)]

    assert run([*arguments, "--peak", "10", "--checks-per-order", "2", "--json"]) == 0

    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["machine"]["n_stockpoints"] == 50
    assert found["machine"]["reservations_per_s"] > 0
    assert found["peak"]["orders_per_s"] == 10
    assert found["peak"]["machines"] >= 1
    assert "orders one by one" in printed.err
    assert list(tmp_path.iterdir()) == []


def test_the_command_answers_in_sentences(small, tmp_path, capsys):
    assert run(["bench", "--quick", "--stockpoints", "50", "--folder", str(tmp_path)]) == 0

    assert capsys.readouterr().out.startswith("Measured at 50 stockpoints, 5 nodes per SKU, ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--peak", "0"], "the peak must be above 0"),
        (["--peak", "5", "--checks-per-order", "-1"], "checks per order"),
        (["--lines-per-order", "0"], "lines per order"),
        (["--stockpoints", "51"], "multiple of n_nodes"),
        (["--folder", "nowhere"], "folder nowhere does not exist"),
    ],
)
def test_wrong_options_are_told_before_anything_is_measured(
    small, options, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)

    assert run(["bench", "--quick", *options]) == 2

    printed = capsys.readouterr()
    assert message in printed.err
    assert "checks in arrays" not in printed.err
    assert list(tmp_path.iterdir()) == []
