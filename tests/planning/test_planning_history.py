"""Daily histories: kits exploded exactly, nothing lost, stockouts and promotions masked."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from small_tables import END, FIRST, small_tables

from omnistock.model import Network, Sku
from omnistock.planning.history import build_history, explode, sum_units
from omnistock.planning.inputs import read_inputs


@st.composite
def kits_and_rows(draw):
    """SKUs of which later ones may be kits of earlier ones, and sales of them."""
    n_skus = draw(st.integers(1, 6))
    skus = []
    for index in range(n_skus):
        names = [f"S{one}" for one in range(index)]
        chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=3)) if names else []
        components = tuple((name, draw(st.integers(1, 4))) for name in chosen)
        skus.append(Sku(f"S{index}", components=components))
    rows = draw(
        st.lists(st.tuples(st.integers(0, n_skus - 1), st.integers(0, 9)), min_size=1, max_size=8)
    )
    return skus, rows


@given(kits_and_rows())
def test_kits_explode_as_the_network_says(drawn):
    skus, sold = drawn
    network = Network.build(skus=skus, nodes=["DC"])
    names = list(network.skus)
    offsets, part, units = [0], [], []
    for name in names:
        for component, count in network.explode(name).items():
            part.append(names.index(component))
            units.append(count)
        offsets.append(len(part))
    rows = {"sku": np.array([s for s, _ in sold]), "units": np.array([u for _, u in sold])}

    exploded = explode(rows, np.array(offsets), np.array(part), np.array(units))

    expected: Counter[str] = Counter()
    for sku, quantity in sold:
        expected.update(network.explode(names[sku], quantity))
    found: Counter[str] = Counter()
    for sku, quantity in zip(exploded["sku"].tolist(), exploded["units"].tolist(), strict=True):
        found[names[sku]] += quantity
    assert {k: v for k, v in found.items() if v} == {k: v for k, v in expected.items() if v}


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 10**9)), max_size=12),
)
def test_sums_by_group_are_exact_and_leave_out_group_minus_one(rows):
    group = np.array([g for g, _ in rows], np.int64)
    units = np.array([u for _, u in rows], np.int64)

    expected = [sum(u for g, u in rows if g == one) for one in range(4)]
    assert sum_units(group, units, 4).tolist() == expected


def test_series_hold_what_was_sold_at_each_stockpoint_and_day():
    tables = small_tables()
    inputs = read_inputs(tables)

    history = build_history(inputs)

    sold: Counter[tuple[str, str, int]] = Counter()
    sales = tables["sales"]
    for date, sku, node, quantity in zip(
        sales["date"], sales["sku"], sales["node"], sales["quantity"], strict=True
    ):
        day = (dt.date.fromisoformat(date) - FIRST).days
        parts = {"MUG": 2, "TEA": 250} if sku == "SET" else {sku: 1000 if sku == "TEA" else 1}
        for part, units in parts.items():
            sold[part, node, day] += round(quantity * units)
    stockpoints = history.stockpoints
    for i in range(len(stockpoints)):
        sku, node = inputs.skus[stockpoints.sku[i]], inputs.nodes[stockpoints.node[i]]
        series = history.values[history.offsets[i] : history.offsets[i + 1]]
        first = history.first_day[i]
        assert series.tolist() == [sold[sku, node, day] for day in range(first, inputs.n_days)], (
            sku,
            node,
        )
    assert history.values.sum() == sum(sold.values())


def test_a_stockpoint_stands_upstream_of_every_other():
    tables = small_tables()
    tables["stock"] = {"sku": ["MUG"], "node": ["YORK"], "on_hand": [1]}
    inputs = read_inputs(tables)

    stockpoints = build_history(inputs).stockpoints

    mug, dc, york = inputs.skus.index("MUG"), inputs.nodes.index("DC"), inputs.nodes.index("YORK")
    below = stockpoints.of(np.array([mug]), np.array([york]))[0]
    assert stockpoints.node[stockpoints.source[below]] == dc
    assert (stockpoints.sku != inputs.skus.index("SET")).all()  # a kit has no stock


def test_stockout_shares_land_on_their_day():
    tables = small_tables()
    days = [(END - dt.timedelta(days=back)).isoformat() for back in (1, 3)]
    tables["stockouts"] = {
        "date": days,
        "sku": ["TEE"] * 2,
        "node": ["DC"] * 2,
        "share": [1.0, 0.4],
    }
    inputs = read_inputs(tables)

    history = build_history(inputs)

    i = history.stockpoints.of(np.array([inputs.skus.index("TEE")]), np.array([0]))[0]
    shares = history.stockout_share[history.offsets[i] : history.offsets[i + 1]]
    assert shares[-1] == 1.0
    assert shares[-3] == 0.4
    assert history.stockout_share.sum() == 1.4


def test_promotion_days_are_masked_unless_promotion_is_the_rule():
    tables = small_tables()
    tables["promotions"] = {
        "sku": ["TEE", "MUG"],
        "start": [(END - dt.timedelta(days=5)).isoformat(), FIRST.isoformat()],
        "end": [(END - dt.timedelta(days=4)).isoformat(), END.isoformat()],
        "uplift": [2.0, 1.5],
    }
    inputs = read_inputs(tables)

    history = build_history(inputs)

    tee, mug = (inputs.skus.index(name) for name in ("TEE", "MUG"))
    for i in np.flatnonzero(history.stockpoints.sku == tee):
        masked = history.masked_share[history.offsets[i] : history.offsets[i + 1]]
        assert np.flatnonzero(masked).tolist() == [len(masked) - 5, len(masked) - 4]
    for i in np.flatnonzero(history.stockpoints.sku == mug):
        assert not history.masked_share[history.offsets[i] : history.offsets[i + 1]].any()
    assert not history.stockout_share.any()
