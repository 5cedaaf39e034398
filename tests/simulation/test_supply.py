"""How stock flows: units are conserved, stockouts censor sales, kits use their components."""

from __future__ import annotations

import numpy as np
import pytest

from omnistock.simulation import Retailer
from omnistock.simulation.geography import CHANNELS, WAREHOUSES
from omnistock.simulation.supply import _halve_kits, _open_flows, _sell

N_WAREHOUSES = len(WAREHOUSES)


def test_units_are_conserved_at_every_stockpoint(counted_retailer: Retailer):
    history = counted_retailer.history

    balance = history.opening + history.received - history.sent - history.sold

    np.testing.assert_array_equal(balance, history.closing)
    assert (history.closing >= 0).all()


def test_what_warehouses_sent_is_in_the_stores_or_on_its_way(counted_retailer: Retailer):
    history = counted_retailer.history
    to_stores = history.inbound["node"] >= N_WAREHOUSES
    under_way = np.bincount(
        history.inbound["sku"][to_stores],
        history.inbound["units"][to_stores],
        minlength=len(history.sent),
    )

    arrived = history.received[:, N_WAREHOUSES:].sum(axis=1)

    np.testing.assert_array_equal(history.sent.sum(axis=1), arrived + under_way)
    assert not history.sent[:, N_WAREHOUSES:].any()


def test_sold_units_are_the_sales_with_kits_taken_apart(counted_retailer: Retailer):
    goods, history = counted_retailer.model.catalogue, counted_retailer.history
    sales = history.sales
    expected = np.zeros_like(history.sold)
    np.add.at(expected, (sales["sku"], sales["node"]), sales["units"])

    for kit, components, units in zip(
        goods.kit, goods.component, goods.component_units, strict=True
    ):
        for component, per_kit in zip(components, units, strict=True):
            expected[component] += expected[kit] * per_kit
    expected[goods.kit] = 0

    np.testing.assert_array_equal(history.sold, expected)
    assert sales["units"][np.isin(sales["sku"], goods.kit)].sum() > 0


def test_demand_is_sold_or_lost(counted_retailer: Retailer):
    demand, sales = counted_retailer.history.demand, counted_retailer.history.sales

    for column, size in (("sku", 240), ("channel", len(CHANNELS)), ("day", 364)):
        served = np.bincount(demand[column], demand["units"] - demand["lost"], size)
        np.testing.assert_array_equal(served, np.bincount(sales[column], sales["units"], size))
    assert (demand["lost"] >= 0).all()
    assert 0.005 < demand["lost"].sum() / demand["units"].sum() < 0.15


def test_every_lost_unit_has_a_stockout_on_record(counted_retailer: Retailer):
    goods, history = counted_retailer.model.catalogue, counted_retailer.history
    recorded = set(
        zip(*(history.stockouts[name].tolist() for name in ("day", "sku", "node")), strict=True)
    )
    components = {
        kit: component[units > 0].tolist()
        for kit, component, units in zip(
            goods.kit.tolist(), goods.component, goods.component_units, strict=True
        )
    }
    # A SKU that is being phased out is no longer reported as out of stock.
    ending = goods.last_day - 25

    lost = history.demand["lost"] > 0
    rows = zip(
        *(history.demand[name][lost].tolist() for name in ("day", "sku", "node")), strict=True
    )
    missing = [
        (day, sku, node)
        for day, sku, node in rows
        if not any((day, part, node) in recorded for part in components.get(sku, [sku]))
        and day <= min(ending[part] for part in components.get(sku, [sku]))
    ]

    assert lost.any()
    assert missing == []


def test_nothing_is_sold_on_a_whole_day_without_stock(counted_retailer: Retailer):
    history = counted_retailer.history
    whole_day = history.stockouts["share"] == 1.0
    empty = set(
        zip(
            *(history.stockouts[name][whole_day].tolist() for name in ("day", "sku", "node")),
            strict=True,
        )
    )

    sold = zip(*(history.sales[name].tolist() for name in ("day", "sku", "node")), strict=True)

    assert empty
    assert empty.isdisjoint(sold)


def test_on_a_partly_sold_out_day_the_share_says_how_much_was_missed(tiny_retailer: Retailer):
    history, goods = tiny_retailer.history, tiny_retailer.model.catalogue
    in_kits = set(goods.component[goods.component_units > 0].tolist())
    asked: dict[tuple[int, int, int], int] = {}
    lost: dict[tuple[int, int, int], int] = {}
    demand = history.demand
    for day, sku, node, units, missed in zip(
        *(demand[name].tolist() for name in ("day", "sku", "node", "units", "lost")), strict=True
    ):
        key = (day, sku, node)
        asked[key] = asked.get(key, 0) + units
        lost[key] = lost.get(key, 0) + missed

    compared = 0
    out = history.stockouts
    for day, sku, node, share in zip(
        *(out[name].tolist() for name in ("day", "sku", "node", "share")), strict=True
    ):
        # Stores serve only themselves; flagships also help their warehouse out.
        helper = node in tiny_retailer.model.cells.flagship
        if share < 1.0 and node >= N_WAREHOUSES and not helper and sku not in in_kits:
            compared += 1
            expected = lost[day, sku, node] / asked[day, sku, node]
            assert share == pytest.approx(min(max(expected, 0.01), 0.99), abs=0.00501)
    assert compared > 5


def test_a_scarce_sku_has_far_less_cover_than_others(counted_retailer: Retailer):
    history, goods = counted_retailer.history, counted_retailer.model.catalogue
    per_day = history.sold.sum(axis=1) / counted_retailer.days
    usual = (goods.launch_day == 0) & (goods.last_day > counted_retailer.days) & (per_day > 0)
    usual[history.scarce] = False

    cover = history.closing.sum(axis=1) / np.maximum(per_day, 1e-9)

    assert np.median(cover[history.scarce]) < 0.75 * np.median(cover[usual])


def sell_one_by_one(model, on_hand, demand, day):
    """Serve the day in plain Python: channel by channel, even kits, odd kits, then units."""
    goods, cells = model.catalogue, model.cells
    stock, sold = on_hand.tolist(), np.zeros_like(demand)
    helped = np.zeros_like(demand)
    n_groups = len(cells.groups)
    for turn in range(n_groups):
        channel, first, last, _, _ = cells.groups[(turn + day) % n_groups]
        for start in (0, 1):
            for k in range(start, len(goods.kit), 2):
                parts = [
                    (int(part), int(units))
                    for part, units in zip(
                        goods.component[k], goods.component_units[k], strict=True
                    )
                    if units
                ]
                for c in range(first, last):
                    while sold[goods.kit[k], c] < demand[goods.kit[k], c] and all(
                        stock[part][cells.node[c]] >= units for part, units in parts
                    ):
                        sold[goods.kit[k], c] += 1
                        for part, units in parts:
                            stock[part][cells.node[c]] -= units
        for c in range(first, last):
            for s in range(goods.n_skus):
                while s not in goods.kit and sold[s, c] < demand[s, c] and stock[s][cells.node[c]]:
                    sold[s, c] += 1
                    stock[s][cells.node[c]] -= 1
                if CHANNELS[channel].name in ("web", "app"):
                    flagship = cells.flagship[cells.node[c]]
                    while sold[s, c] + helped[s, c] < demand[s, c] and stock[s][flagship]:
                        helped[s, c] += 1
                        stock[s][flagship] -= 1
    return sold, helped, np.array(stock)


@pytest.mark.parametrize("day", [0, 1, 2, 3, 4])
def test_a_day_of_sales_agrees_with_serving_one_unit_at_a_time(tiny_retailer: Retailer, day: int):
    model = tiny_retailer.model
    rng = np.random.default_rng(day)
    shape = (model.catalogue.n_skus, len(model.cells.region))
    on_hand = np.asfortranarray(
        rng.integers(0, 8, shape, dtype=np.int64) * (rng.random(shape) < 0.8)
    )
    on_hand[model.catalogue.unit_scale > 1] *= 60
    on_hand[model.catalogue.kit] = 0
    demand = np.asfortranarray(rng.integers(0, 4, model.base.shape))
    demand[model.catalogue.unit_scale > 1] *= 40
    on_hand[model.catalogue.component[0]] += 800  # enough for one kind of kit
    flows = _open_flows(on_hand)

    done = _sell(model, flows, _halve_kits(model.catalogue), demand, day)
    sold, helped, left = sell_one_by_one(model, on_hand, demand, day)

    np.testing.assert_array_equal(done.sold, sold)
    np.testing.assert_array_equal(done.helped, helped)
    np.testing.assert_array_equal(flows.on_hand, left)
    assert sold[model.catalogue.kit].sum() > 0
    assert helped.sum() > 0
