"""The benchmark on real order lines, here on few articles and days: nothing is oversold."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.once  # plans of a year of days, again and again

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def benchmark_module():
    path = ROOT / "benchmarks" / "replay_online_retail.py"
    spec = importlib.util.spec_from_file_location("replay_online_retail", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def made_up_lines(module):
    """Three articles, two orders a day for the year, one return a week."""
    rng = np.random.default_rng(4)
    n_days = (module.LAST_DAY - module.FIRST_DAY).days + 1
    day = np.arange(n_days).repeat(2)
    second = module.seconds_of(module.FIRST_DAY) + day * module.DAY + 9 * 3600
    second[1::2] += 3600
    units = rng.integers(1, 9, len(day))
    units[13::14] = -1
    return module.Lines(
        second=second,
        invoice=np.array([f"I{number:05d}" for number in range(len(day))], dtype=object),
        customer=np.full(len(day), 12345),
        sku=rng.integers(0, 3, len(day)),
        units=units,
        names=("10001", "10002", "10003"),
        price=np.array([1.0, 2.0, 4.0]),
        left_out_units=0,
    )


def check(found: dict) -> None:
    assert found["oversold_units"] == 0
    assert found["stock_differences"] == 0
    assert found["verify_differences"] == 0
    stock_left = found["opening_units"] - (found["units"] - found["lost_units"])
    assert found["closing_units"] >= stock_left + found["units_returned"]
    assert 0 <= found["line_fill_rate"] <= 1


def test_made_up_lines_are_served_from_the_plan(benchmark_module, tmp_path: Path):
    lines = made_up_lines(benchmark_module)
    said: list[str] = []

    found = benchmark_module.replay(lines, 21, 1, tmp_path / "shop.db", said.append)

    start = benchmark_module.CUT
    bought = lines.between(start, start + benchmark_module.dt.timedelta(days=21))
    check(found)
    assert found["units"] == bought.units[bought.units > 0].sum()
    assert found["orders"] == found["lines"] == (bought.units > 0).sum()
    assert found["line_fill_rate"] > 0.8
    assert found["units_returned"] + found["units_returned_unmatched"] == 3
    assert found["stock_turns_per_year"] > 1
    assert len(said) == 21


def test_real_lines_of_the_best_sellers_are_served(
    benchmark_module, shared_folder: Path, tmp_path: Path
):
    lines = benchmark_module.read_lines(shared_folder / "data" / "online_retail_lines.parquet")
    best = np.argsort(-np.bincount(lines.sku, minlength=len(lines.names)))[:12]
    kept = np.isin(lines.sku, best)
    place = np.full(len(lines.names), -1)
    place[best] = np.arange(len(best))
    few = replace(
        lines,
        **{name: getattr(lines, name)[kept] for name in ("second", "invoice", "customer", "units")},
        sku=place[lines.sku[kept]],
        names=tuple(lines.names[i] for i in best),
        price=lines.price[best],
    )

    found = benchmark_module.replay(few, 8, 1, tmp_path / "shop.db", lambda message: None)

    check(found)
    assert found["orders"] > 100
    assert found["line_fill_rate"] > 0.5
