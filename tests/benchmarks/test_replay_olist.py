"""Real orders are sourced anew from what was really sold, and priced by what was really paid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def olist(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.replay_olist as module

    return module


def lines_of(n_orders=60, seed=1):
    """Orders of one to three lines around three towns, with freight that is known exactly."""
    import pandas as pd

    from omnistock.sourcing.distances import haversine

    rng = np.random.default_rng(seed)
    order = np.repeat(np.arange(n_orders), rng.integers(1, 4, n_orders))
    towns = np.array([[-23.5, -46.6], [-20.0, -44.0], [-25.4, -49.3]])
    node = rng.integers(0, 3, n_orders)[order]
    home = (towns[rng.integers(0, 3, n_orders)] + rng.normal(0, 0.5, (n_orders, 2)))[order]
    kg = rng.integers(1, 30, len(order)) / 10
    km = haversine(home[:, 0], home[:, 1], towns[:, 0], towns[:, 1])[np.arange(len(order)), node]
    share = 1 / np.bincount(order)[order]
    hours = np.sort(rng.integers(0, 28 * 24, n_orders))[order]
    return pd.DataFrame(
        {
            "order": order,
            "ts": np.datetime64("2018-01-01T00", "s") + hours * np.timedelta64(3600, "s"),
            "month": 576,
            "sku": rng.integers(0, 4, len(order)),
            "node": node,
            "kg": kg,
            "freight": share * (8 + 0.01 * km) + kg * (1.5 + 0.002 * km),
            "latitude": home[:, 0],
            "longitude": home[:, 1],
            "from_latitude": towns[node, 0],
            "from_longitude": towns[node, 1],
        }
    )


def test_a_freight_that_follows_the_formula_is_fitted_exactly(olist):
    lines = lines_of()

    fit = olist.fit_freight(lines, olist.places(lines))

    assert [fit.package, fit.km, fit.kg, fit.kg_km] == pytest.approx([8, 0.01, 1.5, 0.002])
    assert fit.r2 == pytest.approx(1.0) == fit.r2_unseen


def test_every_plan_uses_the_stock_that_was_sold_and_foresight_is_cheapest(olist):
    lines = lines_of()
    node_at = olist.places(lines)
    month = olist.month_of(lines, node_at, olist.fit_freight(lines, node_at))

    plans = {name: olist.measured(month, assigned) for name, assigned, *_ in olist.sources(month)}

    best = plans["joint, month at once"]["freight"]
    assert all(best <= plan["freight"] * (1 + olist.GAP) for plan in plans.values())
    assert {plan["lines"] for plan in plans.values()} == {len(lines)}
    assert best < plans["what really happened"]["freight"]


def test_a_plan_that_takes_what_nobody_has_is_noticed(olist):
    lines = lines_of()
    node_at = olist.places(lines)
    month = olist.month_of(lines, node_at, olist.fit_freight(lines, node_at))

    with pytest.raises(AssertionError, match="stock equals demand"):
        olist.measured(month, (month.actual + 1) % 3)


def test_two_runs_find_the_same(olist):
    lines = lines_of()

    first, second = (olist.replay(lines, lambda _: None) for _ in range(2))

    assert first == second


def test_absent_data_says_where_to_put_it(olist, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OMNISTOCK_SHARED", str(tmp_path))

    assert olist.main([]) == 1

    message = capsys.readouterr().err
    assert str(tmp_path / "data" / "olist_order_lines.parquet") in message
    assert "OMNISTOCK_SHARED" in message
