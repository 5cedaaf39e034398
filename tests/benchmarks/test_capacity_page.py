"""The page of curves stands by itself and shows every figure."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    path = ROOT / "benchmarks" / "capacity_page.py"
    spec = importlib.util.spec_from_file_location("capacity_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.page(rows(), "a machine <with> 2 cores")


def rows() -> list[dict[str, object]]:
    found = []
    for sweep, values in {
        "n_stockpoints": (10_000.0, 1_000_000.0),
        "n_nodes": (1.0, 500.0),
        "lines": (1.0, 16.0),
        "batch": (1.0, 8192.0),
        "hot_share": (0.0, 1.0),
    }.items():
        for number, value in enumerate(values):
            row = {
                "sweep": sweep,
                "value": value,
                "n_stockpoints": 77_000,
                "orders_per_s_named": 123_456.0 + number,
                "orders_per_s_any": 100_000.0,
                "cpu_us_per_order_named": 2.5,
                "checks_per_s": 20e6,
                "memory_mb": 7.0 + number,
            }
            found.append(row | ({"recovery_s": 0.5} if sweep == "n_stockpoints" else {}))
    return found


def test_nothing_is_loaded_and_nothing_runs(page):
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page) == []


def test_every_sweep_has_its_curves_and_its_table(page):
    sections = page.split("<section>")[1:]

    assert [section.count("<svg") for section in sections] == [4, 2, 1, 1, 2]
    assert all(section.count("<tr>") == 3 for section in sections)
    assert all("123,456" in section and "123,457" in section for section in sections)
    assert "<td>1,000,000</td>" in sections[0]


def test_the_page_says_on_what_it_was_measured(page):
    assert "a machine &lt;with&gt; 2 cores" in page
    assert "77,000 stockpoints" in page
