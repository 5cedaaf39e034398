"""Buffers and moves: what stands, what is covered, what is ordered and shared."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from small_tables import small_tables
from test_planning_demand import make_demand

from omnistock.numerics.demand import DemandDistribution
from omnistock.planning.history import build_history
from omnistock.planning.inputs import read_inputs
from omnistock.planning.network import FROM_SUPPLIER, Lanes
from omnistock.planning.orders import plan_moves
from omnistock.planning.result import PlanSettings
from omnistock.planning.supply import (
    BufferPlan,
    Position,
    inbound_within,
    plan_buffers,
    read_position,
)


def tree_inputs(n_stores, *, scale=1, pack=1, minimum=0):
    """A warehouse at node 0 that supplies stores, one SKU."""
    n = 1 + n_stores
    lanes = Lanes(
        source=np.array([FROM_SUPPLIER] + [0] * n_stores),
        source_name=("MILL", *["DC"] * n_stores),
        lead_time_days=np.array([5.0] + [1.0] * n_stores),
        lead_time_std_days=np.zeros(n),
        review_period_days=np.ones(n),
        level=np.array([0] + [1] * n_stores),
    )
    return SimpleNamespace(
        lanes=lanes,
        nodes=tuple(f"N{i}" for i in range(n)),
        unit_scale=np.array([scale]),
        pack_size=np.array([pack]),
        minimum_order=np.array([minimum]),
        unit_price=np.array([10.0]),
        service_level=np.array([np.nan]),
    )


def levels(reorder_point, order_up_to):
    """A buffer plan of which only the levels matter."""
    n = len(reorder_point)
    nothing = DemandDistribution.from_moments(np.zeros(n), np.zeros(n))
    point, level = np.asarray(reorder_point), np.asarray(order_up_to)
    return BufferPlan(
        nothing, nothing, np.ones(n), np.ones(n), np.ones(n), np.zeros(n, int), point, level
    )


def test_a_warehouse_alone_gets_the_poisson_quantile_of_lead_time_and_review():
    inputs = tree_inputs(0)
    demand = make_demand([4.0], source=[-1])

    buffers = plan_buffers(inputs, demand, np.ones((1, 1)), PlanSettings(service_level=0.95))

    quantile = int(stats.poisson.ppf(0.95, 6 * 4.0))
    assert buffers.order_up_to[0] == quantile
    assert buffers.safety_stock[0] == quantile - 24
    assert buffers.service_level[0] == 0.95


def test_a_channels_own_service_level_weighs_by_what_it_sells():
    inputs = tree_inputs(0)
    inputs.service_level = np.array([np.nan, 0.99])
    demand = make_demand([4.0], source=[-1])

    buffers = plan_buffers(
        inputs, demand, np.array([[0.25, 0.75]]), PlanSettings(service_level=0.9)
    )

    assert buffers.service_level[0] == pytest.approx(0.25 * 0.9 + 0.75 * 0.99)


def test_a_fill_rate_target_is_attained():
    inputs = tree_inputs(1)
    demand = make_demand([4.0, 2.0], source=[-1, 0])

    buffers = plan_buffers(inputs, demand, np.ones((2, 1)), PlanSettings(fill_rate=0.98))

    assert (buffers.fill_rate >= 0.98).all()
    assert (buffers.order_up_to > 0).all()


def test_open_orders_are_committed_at_their_node_or_where_most_is_free():
    inputs = read_inputs(small_tables())
    stockpoints = build_history(inputs).stockpoints

    position = read_position(inputs, stockpoints)

    def at(sku, node):
        i = stockpoints.of(
            np.array([inputs.skus.index(sku)]), np.array([inputs.nodes.index(node)])
        )[0]
        return position.on_hand[i], position.on_order[i], position.committed[i]

    assert at("TEE", "DC") == (20, 12, 5)  # 2 fixed there, 3 for the channel it alone serves
    assert at("MUG", "DC") == (60, 0, 2)  # the kit's two mugs
    assert at("TEA", "DC") == (31_500, 5_250, 250)
    assert position.committed.sum() == 5 + 2 + 250


def test_only_receipts_due_in_time_count():
    inputs = read_inputs(small_tables())
    stockpoints = build_history(inputs).stockpoints
    inputs.inbound["day"][1] = -2  # overdue

    soon = inbound_within(inputs, stockpoints, np.full(len(stockpoints), 3.0))
    later = inbound_within(inputs, stockpoints, np.full(len(stockpoints), 4.0))

    assert soon.sum() == 0
    assert later.sum() == 12


def test_what_stores_ask_for_is_ordered_for_by_the_warehouse():
    inputs = tree_inputs(2, pack=6)
    demand = make_demand([0.0, 2.0, 2.0], source=[-1, 0, 0])
    position = Position(np.array([10, 1, 2]), np.zeros(3, int), np.zeros(3, int))

    moves = plan_moves(inputs, demand, levels([11, 4, 4], [12, 5, 5]), position)

    sent = dict(zip(moves.stockpoint.tolist(), moves.quantity.tolist(), strict=True))
    assert sent == {1: 4, 2: 3, 0: 12}  # 12 - (10 - 7) = 9, in packs of 6


def test_a_short_warehouse_evens_out_cover():
    inputs = tree_inputs(2)
    demand = make_demand([0.0, 4.0, 1.0], source=[-1, 0, 0])
    position = Position(np.array([5, 0, 1]), np.zeros(3, int), np.zeros(3, int))

    moves = plan_moves(inputs, demand, levels([0, 9, 9], [1, 10, 10]), position)

    sent = dict(zip(moves.stockpoint.tolist(), moves.quantity.tolist(), strict=True))
    assert sent[1] == 4 or sent[1] == 5
    assert sent[1] + sent.get(2, 0) == 5


@given(
    stock=st.lists(st.integers(0, 30), min_size=4, max_size=4),
    promised=st.lists(st.integers(0, 10), min_size=4, max_size=4),
    rates=st.lists(st.floats(0, 5), min_size=4, max_size=4),
    level=st.lists(st.integers(1, 40), min_size=4, max_size=4),
    scale=st.sampled_from([1, 4]),
    pack=st.sampled_from([1, 6]),
    minimum=st.sampled_from([0, 20]),
)
def test_moves_keep_to_stock_packs_and_levels(stock, promised, rates, level, scale, pack, minimum):
    inputs = tree_inputs(3, scale=scale, pack=pack, minimum=minimum)
    demand = make_demand(rates, source=[-1, 0, 0, 0])
    position = Position(np.array(stock), np.zeros(4, int), np.array(promised))
    levels_up = np.array(level)

    moves = plan_moves(inputs, demand, levels(levels_up - 1, levels_up), position)

    quantity = np.zeros(4, int)
    quantity[moves.stockpoint] = moves.quantity
    wanted = np.zeros(4, int)
    wanted[moves.stockpoint] = moves.wanted
    assert quantity[1:].sum() <= max(stock[0] - promised[0], 0)
    assert (quantity <= wanted).all()
    assert (quantity[1:] % scale == 0).all()
    if quantity[0]:
        assert quantity[0] % pack == 0
        assert quantity[0] >= minimum
        asked = moves.requested[moves.stockpoint == 0][0]
        assert stock[0] - promised[0] - asked + quantity[0] >= level[0]
    for i in range(1, 4):
        assert stock[i] - promised[i] + wanted[i] >= level[i] or not quantity[i]


def test_the_most_urgent_line_comes_first():
    inputs = tree_inputs(2)
    demand = make_demand([0.0, 1.0, 4.0], source=[-1, 0, 0])
    position = Position(np.array([99, 3, 2]), np.zeros(3, int), np.zeros(3, int))

    moves = plan_moves(inputs, demand, levels([0, 19, 19], [1, 20, 20]), position)

    assert moves.stockpoint.tolist()[:2] == [2, 1]
    assert (np.diff(moves.days_of_cover) >= 0).all()
