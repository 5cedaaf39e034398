"""A large engine opened at once holds what one opened call by call would hold."""

from __future__ import annotations

import numpy as np
import pytest

import omnistock as om
from omnistock.simulation.stocked import CHANNEL, stocked_engine


def test_every_sku_lies_at_every_node_and_the_ledger_knows_it():
    stocked = stocked_engine(":memory:", 12, n_nodes=3, units=7)

    stock = stocked.engine.stock().to_pydict()
    assert stocked.n_skus == 4
    assert stock["sku"] == [f"S{number // 3}" for number in range(12)]
    assert stock["node"] == ["N0", "N1", "N2"] * 4
    assert stock["on_hand"] == [7] * 12
    assert stocked.engine.available("S2", channel=CHANNEL) == 21
    assert stocked.engine.verify().ok


def test_further_receipts_meet_the_stockpoints_that_are_there():
    stocked = stocked_engine(":memory:", 4, n_nodes=2, units=5)

    stocked.engine.receive("S1", "N0", 3)

    assert stocked.engine.available("S1", node="N0") == 8
    assert stocked.engine.stock().num_rows == 4


def test_a_reopened_store_has_the_same_stock(tmp_path):
    stocked_engine(tmp_path / "shop.db", 6, n_nodes=2, units=9).engine.close()

    with om.open(tmp_path / "shop.db") as engine:
        assert engine.available("S2") == 18


def test_orders_are_accepted_and_take_what_they_ask_for():
    stocked = stocked_engine(":memory:", 20, n_nodes=2, units=1000)

    orders = stocked.orders(np.random.default_rng(1), 30, most_lines=3)
    answer = stocked.engine.reserve_arrays(**orders, channel=CHANNEL)

    assert answer.ok.all()
    lines = np.diff(orders["line_offsets"])
    assert set(lines.tolist()) == {1, 2, 3}
    taken = 1000 * 20 - sum(stocked.engine.stock()["available"].to_pylist())
    assert taken == orders["quantities"].sum()


def test_hot_lines_want_the_first_sku():
    stocked = stocked_engine(":memory:", 20, n_nodes=2)
    rng = np.random.default_rng(1)

    assert not stocked.orders(rng, 40, hot_share=1.0)["skus"].any()
    assert stocked.orders(rng, 40, named=False)["nodes"] is None


@pytest.mark.parametrize(("n_stockpoints", "n_nodes"), [(7, 2), (0, 1), (3, 5)])
def test_stockpoints_that_make_no_whole_skus_are_refused(n_stockpoints, n_nodes):
    with pytest.raises(om.InputError, match="multiple of n_nodes"):
        stocked_engine(":memory:", n_stockpoints, n_nodes=n_nodes)
