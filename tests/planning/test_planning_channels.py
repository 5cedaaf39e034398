"""Channels: shares, oversell buffers, and the division of scarce units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from small_tables import small_tables

from omnistock.planning import channels
from omnistock.planning.demand import forecast_demand
from omnistock.planning.history import build_history
from omnistock.planning.inputs import read_inputs
from omnistock.planning.result import PlanSettings
from omnistock.planning.supply import Position, read_position


@pytest.fixture(scope="module")
def planned():
    inputs = read_inputs(small_tables())
    history = build_history(inputs)
    demand = forecast_demand(inputs, history, 28)
    shares = channels.channel_shares(inputs, history, 28.0)
    return inputs, history, demand, shares


def at(inputs, history, sku, node):
    return history.stockpoints.of(
        np.array([inputs.skus.index(sku)]), np.array([inputs.nodes.index(node)])
    )[0]


def test_shares_add_up_and_stay_within_what_a_node_serves(planned):
    inputs, history, _, shares = planned

    assert shares.sum(axis=1) == pytest.approx(np.ones(len(shares)))
    serves = inputs.serves.T[history.stockpoints.node]
    assert (shares[~serves] == 0).all()
    dc = at(inputs, history, "TEE", "DC")
    web, market = inputs.channels.index("web"), inputs.channels.index("market")
    assert 2 < shares[dc, web] / shares[dc, market] < 4.5  # sold at rates 6 and 2


def test_recent_sales_weigh_more():
    tables = small_tables()
    sales = tables["sales"]
    latest = sorted(set(sales["date"]))[-10:]
    sales["channel"] = [
        "market" if date in latest and node == "DC" and sku == "TEA" else channel
        for date, sku, node, channel in zip(
            sales["date"], sales["sku"], sales["node"], sales["channel"], strict=True
        )
    ]
    inputs = read_inputs(tables)
    history = build_history(inputs)
    tea, market = at(inputs, history, "TEA", "DC"), inputs.channels.index("market")

    quick = channels.channel_shares(inputs, history, 5.0)[tea, market]
    slow = channels.channel_shares(inputs, history, 500.0)[tea, market]

    assert slow < 0.3 < 0.6 < quick


@given(
    arrays.arrays(
        np.float64, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=st.floats(0, 1e6)
    )
)
def test_whole_requests_add_up_to_the_rounded_total(expected):
    whole = channels.split_whole(expected)

    assert (np.abs(whole - expected) < 1 + 1e-6).all()
    assert (np.abs(whole.sum(axis=1) - expected.sum(axis=1)) <= 0.5 + 1e-6).all()


def test_only_channels_that_hear_late_get_an_oversell_buffer(planned):
    inputs, _, demand, shares = planned

    buffer, others = channels.oversell_buffers(inputs, demand, shares, PlanSettings())

    tee, market = inputs.skus.index("TEE"), inputs.channels.index("market")
    assert buffer[tee, market] >= 1
    assert (np.delete(buffer, market, axis=1) == 0).all()
    # The market sells from the warehouse, where the web takes about six a day.
    assert 4 < others[tee, market] < 9


def test_a_longer_latency_needs_a_larger_buffer():
    sizes = []
    for latency in (900.0, 86_400.0):
        tables = small_tables()
        tables["channels"]["sync_latency_seconds"][2] = latency
        inputs = read_inputs(tables)
        history = build_history(inputs)
        demand = forecast_demand(inputs, history, 28)
        shares = channels.channel_shares(inputs, history, 28.0)
        buffer, _ = channels.oversell_buffers(inputs, demand, shares, PlanSettings())
        sizes.append(buffer[inputs.skus.index("TEE"), inputs.channels.index("market")])

    assert sizes[1] > sizes[0] > 0


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.0, 30.0])
def test_grants_keep_to_supply_requests_and_reach(planned, factor):
    inputs, history, demand, shares = planned
    position = read_position(inputs, history.stockpoints)
    stock = Position((position.on_hand * factor).astype(int), position.on_order, position.committed)

    found = channels.allocate_channels(inputs, demand, shares, stock)

    assert (found.granted <= found.requested).all()
    assert (found.granted.sum(axis=1) <= found.supply).all()
    free = np.bincount(
        history.stockpoints.sku, weights=stock.free, minlength=len(inputs.skus)
    ).astype(int)
    assert (found.protection.sum(axis=1) <= free).all()
    assert (found.protection <= found.granted).all()
    if factor == 30.0:
        tee = inputs.skus.index("TEE")
        assert (found.granted[tee] == found.requested[tee]).all()


def test_a_lower_tier_is_served_before_a_higher_one_gets_any(planned):
    inputs, history, demand, shares = planned

    found = channels.allocate_channels(
        inputs, demand, shares, read_position(inputs, history.stockpoints)
    )

    tee = inputs.skus.index("TEE")
    web, market = inputs.channels.index("web"), inputs.channels.index("market")
    assert found.scarce[tee]
    assert found.granted[tee, web] > 0
    assert found.granted[tee, market] == 0 or found.granted[tee, web] == found.requested[tee, web]


def test_stock_that_cannot_reach_a_channel_is_not_granted_to_it(planned):
    inputs, history, demand, shares = planned
    n = len(history.stockpoints)
    position = Position(np.zeros(n, int), np.zeros(n, int), np.zeros(n, int))
    position.on_hand[at(inputs, history, "TEE", "YORK")] = 1_000
    nothing = {name: column[:0] for name, column in inputs.inbound.items()}
    inputs = replace(inputs, inbound=nothing)

    found = channels.allocate_channels(inputs, demand, shares, position)

    tee = inputs.skus.index("TEE")
    of = dict(zip(inputs.channels, found.granted[tee], strict=True))
    asked = dict(zip(inputs.channels, found.requested[tee], strict=True))
    assert of["store"] == asked["store"] > 0
    assert of["web"] == asked["web"] > 0  # the web may ship from stores
    assert of["market"] == 0 < asked["market"]  # the market only from the warehouse
