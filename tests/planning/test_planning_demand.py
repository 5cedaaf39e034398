"""Demand ahead: promotions, sums up the network, co-movement of nodes."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tables import DAYS, END, FIRST, small_tables

from omnistock.planning.demand import (
    DemandAhead,
    comovement,
    promotion_factors,
    sum_upstream,
)
from omnistock.planning.history import History, Stockpoints, build_history
from omnistock.planning.inputs import read_inputs


def make_demand(mean, *, source, sku=None, variance=None, counts=True, comoving=1.0):
    """A forecast of the same mean every day, stockpoint i at node i."""
    mean = np.asarray(mean, np.float64)
    n, days = len(mean), 40
    source = np.asarray(source)
    skus = np.zeros(n, np.int64) if sku is None else np.asarray(sku)
    variance = mean if variance is None else np.asarray(variance, np.float64)
    stockpoints = Stockpoints(skus, np.arange(n), source, np.arange(n, dtype=np.int32), n)
    daily = np.repeat(variance[:, None], days, axis=1)
    return DemandAhead(
        stockpoints=stockpoints,
        horizon_days=28,
        mean=np.repeat(mean[:, None], days, axis=1),
        variance=daily,
        cumulative=np.cumsum(daily, axis=1),
        counts=np.full(n, counts),
        reasons=np.full(n, "constant", object),
        comovement=np.full(n, comoving),
    )


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_what_flows_through_a_node_is_its_own_and_all_below(values, random):
    source = [random.randint(-1, i - 1) for i in range(len(values))]

    def below(i):
        return values[i] + sum(below(j) for j in range(len(values)) if source[j] == i)

    found = sum_upstream(np.array(values), np.array(source))

    assert found == pytest.approx([below(i) for i in range(len(values))])


def test_a_supplying_node_covers_all_demand_below_over_its_own_lead_time():
    demand = make_demand([2.0, 3.0, 5.0], source=[-1, 0, 0])

    echelon = demand.echelon(np.array([6.0, 1.0, 2.0]), np.zeros(3), np.array([4.0, 1.0, 1.0]))

    assert echelon.mean.tolist() == pytest.approx([10 * (2 + 3 + 5), 2 * 3, 3 * 5])
    assert echelon.variance.tolist() == pytest.approx([100, 6, 15])


def test_a_late_supplier_hits_all_demand_below_at_once():
    demand = make_demand([2.0, 3.0], source=[-1, 0])

    echelon = demand.echelon(np.array([5.0, 1.0]), np.array([2.0, 0.0]), np.zeros(2))

    assert echelon.variance[0] == pytest.approx(5 * 5 + (5 * 2) ** 2)


def test_demand_over_part_of_a_day_is_interpolated():
    demand = make_demand([4.0], source=[-1])

    mean, variance = demand.over(np.array([2.5]))

    assert (mean[0], variance[0]) == pytest.approx((10.0, 10.0))


def histories(series, source):
    n = len(series)
    lengths = [len(one) for one in series]
    stockpoints = Stockpoints(
        np.zeros(n, np.int64), np.arange(n), np.array(source), np.arange(n, dtype=np.int32), n
    )
    total = sum(lengths)
    return History(
        stockpoints,
        {},
        np.concatenate(series).astype(float),
        np.concatenate([[0], np.cumsum(lengths)]),
        np.zeros(n, np.int64),
        np.zeros(total),
        np.zeros(total),
    )


def test_nodes_that_move_together_add_their_deviations():
    rng = np.random.default_rng(4)
    shared = rng.poisson(20, 200)

    together = comovement(histories([0 * shared, shared, shared], [-1, 0, 0]))
    apart = comovement(
        histories([0 * shared, rng.poisson(20, 200), rng.poisson(20, 200)], [-1, 0, 0])
    )

    assert together[0] == pytest.approx(1 + 182 / (182 + 28), rel=1e-6)  # (2s)**2 / 2s**2, shrunk
    assert apart[0] < 1.25
    assert together[1:].tolist() == [1.0, 1.0]


def promoted(**columns):
    tables = small_tables()
    tables["promotions"] = columns
    inputs = read_inputs(tables)
    history = build_history(inputs)
    return inputs, history, promotion_factors(inputs, history, 14)


def test_a_planned_promotion_lifts_its_days_only():
    start, end = (END + dt.timedelta(days=day) for day in (2, 4))

    inputs, _, factor = promoted(
        sku=["TEE"], start=[start.isoformat()], end=[end.isoformat()], uplift=[1.8]
    )

    tee = inputs.skus.index("TEE")
    assert factor[tee].tolist() == [1, 1, 1.8, 1.8, 1.8] + [1] * 9
    assert (np.delete(factor, tee, axis=0) == 1).all()


def test_a_promotion_of_one_channel_moves_its_share_of_demand():
    inputs, history, factor = promoted(
        sku=["TEE"],
        start=[END.isoformat()],
        end=[END.isoformat()],
        uplift=[3.0],
        channel=["market"],
    )

    tee, market = inputs.skus.index("TEE"), inputs.channels.index("market")
    sales = history.sales
    units = sales["units"] * (sales["sku"] == tee)
    share = units[sales["channel"] == market].sum() / units.sum()
    assert factor[tee, 0] == pytest.approx(1 + 2 * share)
    assert 0.05 < share < 0.5


def test_an_open_uplift_is_learnt_from_past_promotions():
    tables = small_tables()
    days = range(10, DAYS, 5)
    dates = {(FIRST + dt.timedelta(days=day)).isoformat() for day in days}
    sales = tables["sales"]
    sales["quantity"] = [
        quantity * 3 if date in dates and sku == "TEE" else quantity
        for date, sku, quantity in zip(sales["date"], sales["sku"], sales["quantity"], strict=True)
    ]
    past = sorted(dates)
    ahead = (END + dt.timedelta(days=1)).isoformat()
    tables["promotions"] = {
        "sku": ["TEE"] * (len(past) + 1),
        "start": [*past, ahead],
        "end": [*past, ahead],
    }
    inputs = read_inputs(tables)

    factor = promotion_factors(inputs, build_history(inputs), 7)

    assert factor[inputs.skus.index("TEE"), 1] == pytest.approx(3.0, rel=0.15)
