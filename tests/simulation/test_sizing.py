"""What a peak takes of a machine, and that measuring one leaves nothing behind."""

from __future__ import annotations

import dataclasses
import math

import pytest

import omnistock as om
from omnistock.simulation import sizing
from omnistock.simulation.sizing import MachineFigures, measure_machine, peak_load

FIGURES = MachineFigures(
    n_stockpoints=1_000_000,
    n_nodes=5,
    lines_per_order=2.5,
    reservations_per_s=400_000.0,
    reservations_per_s_large=800_000.0,
    reservations_per_s_objects=10_000.0,
    longest_wait_ms=85.4,
    checks_per_s=20_000_000.0,
    calls_per_s=500_000.0,
    reserve_p50_ms=0.5,
    reserve_p99_ms=2.0,
    fsync_p50_ms=0.4,
    mb_per_million_stockpoints=700.0,
    mb_per_million_orders=640.0,
    recovery_s_per_million_events=1.5,
    ledger_bytes_per_order=144.0,
)


def test_the_share_is_the_time_for_orders_and_questions():
    load = peak_load(FIGURES, 100_000, checks_per_order=20)

    # 100,000 / 400,000 + 2,000,000 / 20,000,000; and 100,000 / 10,000 + 2,000,000 / 500,000.
    assert load.share == pytest.approx(0.25 + 0.1)
    assert load.share_objects == pytest.approx(10.0 + 4.0)


@pytest.mark.parametrize(
    ("orders_per_s", "machines"),
    [(1, 1), (200_000, 1), (200_001, 2), (400_000, 2), (1_000_000, 5)],
)
def test_no_machine_is_busy_for_more_than_half_of_the_time(orders_per_s, machines):
    load = peak_load(FIGURES, orders_per_s, checks_per_order=0)

    assert load.machines == machines
    assert load.share / load.machines <= 0.5 + 1e-9


@pytest.mark.parametrize("orders_per_s", [0, -1, math.nan, math.inf])
def test_a_peak_that_is_none_is_refused(orders_per_s):
    with pytest.raises(om.InputError, match="orders per second"):
        peak_load(FIGURES, orders_per_s)


def test_negative_questions_are_refused():
    with pytest.raises(om.InputError, match="checks per order"):
        peak_load(FIGURES, 10, checks_per_order=-1)


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(sizing, "_BATCH", 5)
    monkeypatch.setattr(sizing, "_LARGE_BATCH", 8)
    monkeypatch.setattr(sizing, "_FEWEST_SINGLES", 3)


def test_every_figure_is_measured_and_nothing_is_left_in_the_folder(tmp_path, small_batches):
    phases = []

    figures = measure_machine(
        tmp_path,
        n_stockpoints=20,
        lines_per_order=1.5,
        seconds=0.001,
        progress=lambda done, total, phase: phases.append((done, total, phase)),
    )

    measured = dataclasses.asdict(figures)
    # A few stockpoints and orders fit into memory that the process has already.
    measured.pop("mb_per_million_stockpoints")
    measured.pop("mb_per_million_orders")
    assert all(value > 0 for value in measured.values())
    assert figures.reserve_p50_ms <= figures.reserve_p99_ms
    assert [done for done, _, _ in phases] == sorted(done for done, _, _ in phases)
    assert phases[-1] == (8, 8, "measured")
    assert list(tmp_path.iterdir()) == []


def test_a_stop_on_the_way_leaves_nothing_behind(tmp_path, small_batches):
    def stop(done: int, _total: int, _phase: str) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_machine(tmp_path, n_stockpoints=20, seconds=0.001, progress=stop)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lines_per_order": 0.5}, "lines per order"),
        ({"seconds": 0.0}, "seconds"),
        ({"n_stockpoints": 7}, "multiple of n_nodes"),
        ({"folder": "missing"}, "does not exist"),
    ],
)
def test_wrong_sizes_are_refused(tmp_path, wrong, message):
    terms = {"n_stockpoints": 20, "seconds": 0.001} | wrong
    folder = tmp_path / terms.pop("folder", "")

    with pytest.raises(om.InputError, match=message):
        measure_machine(folder, **terms)
