"""True demand: Zipf over SKUs, a week, a year, promotions, lives of SKUs, few sales a day."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from omnistock.simulation import Retailer
from omnistock.simulation.catalogue import build_catalogue, zipf_popularity
from omnistock.simulation.demand import LINES_PER_SKU_DAY, build_demand, draw_units
from omnistock.simulation.geography import CHANNELS, build_cells, node_specs


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(3)
    return build_demand(
        rng, build_catalogue(rng, 200, 364), build_cells(), 364, dt.date(2025, 1, 1)
    )


def test_zipf_shares_are_powers_of_the_rank():
    share = zipf_popularity(4, 1.0)

    np.testing.assert_allclose(share, np.array([12, 6, 4, 3]) / 25)


def test_rates_add_up_to_the_popularity_of_each_sku(model):
    total = model.base.sum(axis=1)

    np.testing.assert_allclose(total, model.catalogue.popularity * LINES_PER_SKU_DAY * 200)
    assert (model.base[:, :] >= 0).all()


def test_drawn_order_lines_follow_zipf(counted_retailer: Retailer):
    goods = counted_retailer.model.catalogue
    lines = np.bincount(counted_retailer.history.demand["sku"], minlength=goods.n_skus)
    usual = (goods.launch_day == 0) & (goods.last_day > 364) & (lines > 0)

    slope = np.polyfit(np.log(goods.popularity[usual]), np.log(lines[usual]), 1)[0]

    # Rows count a day's lines in one cell once, so that best sellers show a little less.
    assert 0.85 < slope < 1.1


def test_the_mean_of_many_draws_is_the_rate(model):
    rng = np.random.default_rng(0)
    drawn = np.zeros(model.base.shape)
    for _ in range(300):
        sku, cell, lines = model.draw_lines(rng, 100)
        np.add.at(drawn, (sku, cell), lines)

    rates = model.rates(100)
    best = np.argsort(-rates.sum(axis=1))[:20]
    ratio = drawn[best].sum(axis=1) / 300 / rates[best].sum(axis=1)

    # The shock of the day has a coefficient of variation of 0.41: 0.41 / sqrt(300) = 0.024.
    assert np.abs(ratio - 1).max() < 0.1


def test_every_drawn_line_asks_for_at_least_one_unit_and_the_mean_is_the_basket(model):
    goods = model.catalogue
    for sku in (0, int(np.flatnonzero(goods.unit_scale > 1)[0])):
        lines = np.full(4000, 2, dtype=np.int64)

        units = draw_units(np.random.default_rng(1), goods, np.full(4000, sku), lines)

        assert (units >= lines).all()
        assert units.mean() == pytest.approx(2 * goods.basket[sku], rel=0.05)


def test_stores_sell_most_on_saturday_and_as_the_week_profile_says(counted_retailer: Retailer):
    demand, first = counted_retailer.history.demand, counted_retailer.model.first_date
    own = demand["channel"] == 0
    weekday = (demand["day"][own] + first.weekday()) % 7
    rows = np.bincount(weekday, minlength=7)

    expected = np.array(CHANNELS[0].week)
    assert rows.argmax() == 5
    np.testing.assert_allclose(rows / rows.mean(), expected / expected.mean(), atol=0.15)


def test_december_sells_more_than_february(counted_retailer: Retailer):
    demand, first = counted_retailer.history.demand, counted_retailer.model.first_date
    month = (np.datetime64(first) + demand["day"].astype("timedelta64[D]")).astype("datetime64[M]")
    of_year = month.astype(int) % 12 + 1
    per_day = {m: (of_year == m).sum() / d for m, d in ((12, 31), (2, 28))}

    assert per_day[12] > 1.2 * per_day[2]


def test_most_stockpoints_sell_nothing_on_most_days(counted_retailer: Retailer):
    goods, history = counted_retailer.model.catalogue, counted_retailer.history
    sold = np.zeros((*goods.carried.shape, counted_retailer.days), dtype=bool)
    sold[history.sales["sku"], history.sales["node"], history.sales["day"]] = True
    stocked = goods.carried.copy()
    stocked[goods.kit] = False

    zero_share = 1 - sold[stocked].mean()

    assert 0.75 < zero_share < 0.97


def test_a_promotion_multiplies_the_rate_in_its_channel_only(model):
    promotions = model.promotions
    shows = np.flatnonzero(promotions.uplift >= 10)
    show = next(i for i in shows if model.base[promotions.sku[i]].sum() > 0)
    day, sku = int(promotions.first_day[show]), int(promotions.sku[show])

    factor = model.promotion_factor(day)[sku]

    in_app = model.cells.channel == 2
    assert CHANNELS[2].name == "app"
    assert (factor[in_app] >= promotions.uplift[show]).all()
    assert (factor[~in_app] < 10).all()


def test_promoted_skus_sell_more(counted_retailer: Retailer):
    model, demand = counted_retailer.model, counted_retailer.history.demand
    ratio = []
    lines = np.zeros((counted_retailer.days, model.catalogue.n_skus))
    np.add.at(lines, (demand["day"], demand["sku"]), 1)
    promotions = model.promotions
    for i in np.flatnonzero((promotions.channel < 0) & (promotions.last_day < 350)):
        first, last, sku = promotions.first_day[i], promotions.last_day[i], promotions.sku[i]
        span = int(last - first + 1)
        before = lines[max(0, first - span) : first, sku].mean() if first else 0.0
        if first >= span and before > 2:
            ratio.append(lines[first : last + 1, sku].mean() / before)

    assert len(ratio) > 10
    assert np.median(ratio) > 1.2


def test_nothing_is_asked_for_before_launch_or_after_the_end(counted_retailer: Retailer):
    goods, demand = counted_retailer.model.catalogue, counted_retailer.history.demand

    assert (demand["day"] >= goods.launch_day[demand["sku"]]).all()
    assert (demand["day"] <= goods.last_day[demand["sku"]]).all()
    assert (goods.launch_day > 0).sum() >= round(0.08 * 240)
    assert (goods.last_day < 364).sum() >= round(0.03 * 240)


def test_kits_of_one_half_share_no_component():
    goods = build_catalogue(np.random.default_rng(5), 400, 200)

    for start in (0, 1):
        used = goods.component[start::2][goods.component_units[start::2] > 0]
        assert len(np.unique(used)) == len(used)
    assert not np.isin(goods.component[goods.component_units > 0], goods.kit).any()
    assert ((goods.component_units > 0).sum(axis=1) >= 2).all()


def test_a_kit_is_carried_only_where_all_its_components_are():
    goods = build_catalogue(np.random.default_rng(5), 400, 200)

    for kit, components, units in zip(
        goods.kit, goods.component, goods.component_units, strict=True
    ):
        for component in components[units > 0]:
            assert (goods.carried[kit] <= goods.carried[component]).all()


def test_cells_lie_together_by_channel_and_each_warehouse_has_a_flagship():
    cells, nodes = build_cells(), node_specs()

    for channel, first, last, low, high in cells.groups:
        assert (cells.channel[first:last] == channel).all()
        np.testing.assert_array_equal(cells.node[first:last], np.arange(low, high))
    for warehouse, store in enumerate(cells.flagship):
        assert nodes[store].flagship
        assert nodes[store].source == nodes[warehouse].name
