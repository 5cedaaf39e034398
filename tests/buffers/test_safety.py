from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.buffers import Buffers, LeadTimeForecast, fill_rate, safety_stock
from omnistock.errors import InputError
from omnistock.numerics.demand import GAMMA, NORMAL, DemandDistribution

targets = st.floats(0.05, 0.999)
means = st.floats(0.05, 80.0)
ratios = st.floats(1.0, 12.0)


class DailyForecast:
    """A forecast of independent days, as any that can tell its lead time demand."""

    def __init__(self, mean, variance):
        self.mean = np.asarray(mean, dtype=float)
        self.variance = np.asarray(variance, dtype=float)
        self.keys = {"sku": np.array(["TEE-M", "TEE-L"], dtype=object)}

    def lead_time_demand(self, lead_time_days, *, review_period_days=0, lead_time_std_days=0):
        days = np.asarray(lead_time_days) + np.asarray(review_period_days)
        extra = (self.mean * lead_time_std_days) ** 2
        return DemandDistribution.from_moments(days * self.mean, days * self.variance + extra)


@given(means, ratios, targets)
def test_the_reorder_point_is_the_smallest_that_attains_the_cycle_service(mean, ratio, target):
    demand = DemandDistribution.from_moments(mean, mean * ratio)

    buffers = safety_stock(demand, service_level=target)

    point = buffers.reorder_point[0]
    assert buffers.service_level[0] == demand.cdf(point)[0] >= target * (1 - 1e-12)
    assert demand.cdf(point - 1.0)[0] < target
    assert buffers.safety_stock[0] == max(np.ceil(point - mean), 0)


@given(means, ratios, targets, st.integers(1, 60), st.booleans())
def test_the_reorder_point_is_the_smallest_that_attains_the_fill_rate(
    mean, ratio, target, lot, whole
):
    demand = DemandDistribution.from_moments(mean, mean * ratio, counts=whole)

    buffers = safety_stock(demand, fill_rate=target, order_quantity=lot)

    point = buffers.reorder_point[0]
    assert buffers.fill_rate[0] == fill_rate(point, demand, order_quantity=lot)[0]
    assert buffers.fill_rate[0] >= target - 1e-12
    assert point == 0 or fill_rate(point - 1.0, demand, order_quantity=lot)[0] < target
    assert buffers.order_up_to[0] == point + lot


@given(means, ratios, targets, st.sampled_from([None, 1, 7]), st.sampled_from([0, 3]))
def test_the_level_is_the_smallest_that_attains_the_fill_rate_at_reviews(
    mean, ratio, target, lot, lead_days
):
    both, lead = (
        DemandDistribution.from_moments(mean * days, mean * ratio * days)
        for days in (lead_days + 2, lead_days)
    )
    settings = {"order_quantity": lot, "during_lead_time": lead}

    buffers = safety_stock(both, review_period_days=2, fill_rate=target, **settings)

    level = buffers.reorder_point[0] + 1
    assert buffers.fill_rate[0] == fill_rate(level, both, **settings)[0] >= target - 1e-12
    assert level == 0 or fill_rate(level - 1, both, **settings)[0] < target
    assert buffers.order_up_to[0] == max(level - 1 + (lot or 1), 0)


def test_both_targets_together_take_the_larger_level():
    demand = DemandDistribution.from_moments([6.0, 6.0], 6.0)

    service = safety_stock(demand, service_level=0.95)
    filled = safety_stock(demand, fill_rate=[0.3, 0.99999])
    both = safety_stock(demand, service_level=0.95, fill_rate=[0.3, 0.99999])

    expected = np.maximum(service.reorder_point, filled.reorder_point)
    assert both.reorder_point.tolist() == expected.tolist()
    assert service.reorder_point[0] > filled.reorder_point[0]
    assert service.reorder_point[1] < filled.reorder_point[1]


def test_a_target_may_be_missing_for_some_rows_but_not_both():
    demand = DemandDistribution.from_moments([6.0, 6.0], 6.0)

    mixed = safety_stock(demand, service_level=[0.95, np.nan], fill_rate=[np.nan, 0.95])

    assert mixed.reorder_point[0] == safety_stock(demand, service_level=0.95).reorder_point[0]
    assert mixed.reorder_point[1] == safety_stock(demand, fill_rate=0.95).reorder_point[1]
    with pytest.raises(InputError, match="every row"):
        safety_stock(demand, service_level=[0.95, np.nan])


def test_a_textbook_lot_and_fill_rate():
    # Silver, Pyke & Thomas, ch. 7: Q = 200, N(50, 11.4^2), P2 = .99 gives a reorder point of
    # 56.56 by the formula without the second loss, which is nil here.
    demand = DemandDistribution([50.0], [11.4**2], [NORMAL])

    buffers = safety_stock(demand, fill_rate=0.99, order_quantity=200)

    assert buffers.reorder_point[0] == 57
    assert buffers.safety_stock[0] == 7
    assert fill_rate(56.56287280264117, demand, order_quantity=200)[0] == pytest.approx(0.99)


def simulated_fill_rate(generator, *, level, lot, lead, n_reviews, daily):
    """Play periodic review day by day: order, receive, then sell; return fill and its error."""
    on_hand, pipeline, filled, asked = level, [0] * lead, [], []
    position = level
    for _ in range(n_reviews):
        if position < level:
            units = -(-(level - position) // lot) * lot
            pipeline.append(units)
            position += units
        else:
            pipeline.append(0)
        on_hand += pipeline.pop(0)
        wanted = int(daily(generator))
        met = min(max(on_hand, 0), wanted)
        on_hand -= wanted
        position -= wanted
        filled.append(met)
        asked.append(wanted)
    met, wanted = np.array(filled).reshape(40, -1).sum(1), np.array(asked).reshape(40, -1).sum(1)
    share = met.sum() / wanted.sum()
    error = np.std(met - share * wanted, ddof=1) * np.sqrt(40) / wanted.sum()
    return share, error


@pytest.mark.parametrize(("level", "lot", "lead"), [(9, 1, 3), (8, 6, 3), (4, 10, 0)])
def test_a_long_simulation_attains_the_fill_rate_of_the_formula(level, lot, lead):
    generator = np.random.default_rng(20260702)
    mean, variance = 1.5, 4.5
    both, before = (
        DemandDistribution.from_moments(mean * days, variance * days) for days in (lead + 1, lead)
    )

    share, error = simulated_fill_rate(
        generator,
        level=level,
        lot=lot,
        lead=lead,
        n_reviews=24_000,
        daily=lambda one: one.negative_binomial(0.75, 1.0 / 3.0),
    )

    formula = fill_rate(level, both, order_quantity=lot, during_lead_time=before)[0]
    assert abs(share - formula) < 4 * error
    assert error < 0.01


def test_lots_of_one_are_ordering_up_to_the_level():
    both = DemandDistribution.from_moments([12.0, 3.0], [30.0, 3.0])
    lead = DemandDistribution.from_moments([8.0, 2.0], [20.0, 2.0])

    plain = fill_rate([14, 4], both, during_lead_time=lead)
    ones = fill_rate([14, 4], both, order_quantity=1, during_lead_time=lead)

    assert plain == pytest.approx(ones, rel=1e-12)


def test_the_poisson_fill_rate_in_lots_is_the_mean_chance_to_find_a_unit():
    demand = DemandDistribution.from_moments(6.0, 6.0)

    found = demand.cdf(np.arange(5, 13)[None, :]).mean()

    assert fill_rate(5, demand, order_quantity=8)[0] == pytest.approx(found, rel=1e-13)


def test_without_demand_nothing_is_stocked():
    none = DemandDistribution.from_moments([0.0], [0.0])

    for buffers in (
        safety_stock(none, service_level=0.99),
        safety_stock(none, review_period_days=1, service_level=0.99),
        safety_stock(none, fill_rate=0.99, order_quantity=12),
    ):
        assert buffers.reorder_point[0] == -1
        assert buffers.order_up_to[0] == 0
        assert buffers.safety_stock[0] == 0
        assert buffers.service_level[0] == 1.0


def test_certain_demand_needs_no_safety():
    sure = DemandDistribution([40.0, 40.0], [0.0, 0.0], [GAMMA, NORMAL])

    buffers = safety_stock(sure, service_level=0.999)

    assert buffers.reorder_point.tolist() == [40, 40]
    assert buffers.safety_stock.tolist() == [0, 0]


def test_fill_rates_at_reviews_are_unknown_without_the_demand_of_the_lead_time():
    demand = DemandDistribution.from_moments([6.0, 6.0], 6.0)

    buffers = safety_stock(demand, review_period_days=[0, 7], service_level=0.9)

    assert np.isnan(buffers.fill_rate).tolist() == [False, True]
    with pytest.raises(InputError, match="during_lead_time"):
        safety_stock(demand, review_period_days=7, fill_rate=0.9)


def test_a_forecast_is_asked_for_its_lead_time_demand():
    daily = DailyForecast([2.0, 0.3], [4.0, 0.3])
    both, lead = daily.lead_time_demand(7, review_period_days=1), daily.lead_time_demand(7)

    buffers = safety_stock(daily, lead_time_days=7, review_period_days=1, fill_rate=0.98)
    same = safety_stock(both, review_period_days=1, fill_rate=0.98, during_lead_time=lead)

    assert isinstance(daily, LeadTimeForecast)
    assert buffers.reorder_point.tolist() == same.reorder_point.tolist()
    assert buffers.fill_rate.tolist() == same.fill_rate.tolist()
    table = buffers.to_table()
    assert table.column("sku").to_pylist() == ["TEE-M", "TEE-L"]
    assert table.column("reorder_point").to_pylist() == buffers.reorder_point.tolist()


def test_random_lead_times_need_more():
    daily = DailyForecast([2.0, 0.3], [4.0, 0.3])

    fixed = safety_stock(daily, lead_time_days=7, service_level=0.95)
    random = safety_stock(daily, lead_time_days=7, lead_time_std_days=3, service_level=0.95)

    assert random.safety_stock[0] > fixed.safety_stock[0]
    assert random.safety_stock[1] >= fixed.safety_stock[1]


def test_the_explanation_names_formula_and_numbers():
    demand = DemandDistribution.from_moments([6.0, 2.5], [6.0, 7.5])
    buffers = safety_stock(demand, service_level=0.95, fill_rate=0.9, order_quantity=8)

    text = buffers.explain(0)

    assert "poisson, mean 6, standard deviation 2.44949" in text
    assert "smallest y with P(D <= y) >= 0.95" in text
    assert "1 - (loss(y) - loss(y + 8)) / 8 >= 0.9" in text
    assert "when the inventory position is <= 10: order 8 (up to 18)" in text
    assert "safety stock = level - mean = 10 - 6 = 4, kept as 4" in text
    assert "attained: cycle service 95.7379%" in text
    assert buffers.explain(-1) == buffers.explain(1)
    with pytest.raises(InputError, match="row 2"):
        buffers.explain(2)


def test_the_explanation_of_reviews_names_key_and_level():
    daily = DailyForecast([2.0, 0.3], [4.0, 0.3])

    text = safety_stock(daily, lead_time_days=7, review_period_days=1, fill_rate=0.98).explain(1)

    assert text.startswith("TEE-L:\ndemand D over lead time + review period")
    assert "1 - (loss(L+R, y) - loss(L, y)) / mean(R) >= 0.98" in text
    assert "at each review: if the inventory position is <= 6, order up to 7" in text


def test_the_explanation_of_lots_at_reviews_names_the_average():
    daily = DailyForecast([2.0, 0.3], [4.0, 0.3])

    text = safety_stock(
        daily, lead_time_days=7, review_period_days=1, fill_rate=0.98, order_quantity=6
    ).explain(0)

    assert "mean(R), averaged over y .. y + 5, >= 0.98" in text
    assert "or more, in lots of 6" in text


def test_the_result_reads_as_a_table_of_the_callers_kind():
    pandas = pytest.importorskip("pandas")
    buffers = safety_stock(DemandDistribution.from_moments([6.0], [6.0]), service_level=0.95)

    frame = buffers.to_table(like=pandas.DataFrame({"sku": ["A"]}))

    assert isinstance(buffers, Buffers)
    assert isinstance(frame, pandas.DataFrame)
    assert frame["reorder_point"].tolist() == [10]
    assert frame["family"].tolist() == ["poisson"]


def test_the_table_is_of_the_kind_that_the_forecast_came_from():
    polars = pytest.importorskip("polars")
    daily = DailyForecast([2.0, 0.3], [4.0, 0.3])
    daily.kind = polars.DataFrame({"sku": ["A"]})

    frame = safety_stock(daily, lead_time_days=7, service_level=0.95).to_table()

    assert isinstance(frame, polars.DataFrame)
    assert frame["sku"].to_list() == ["TEE-M", "TEE-L"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "service_level or a fill_rate"),
        ({"service_level": 95}, "a share, not a percentage"),
        ({"service_level": 1.0}, "strictly between"),
        ({"fill_rate": 0.0}, "strictly between"),
        ({"service_level": [0.9, 0.9, 0.9]}, r"shape \(2,\)"),
        ({"fill_rate": 0.9, "order_quantity": 0}, "order_quantity must be whole units >= 1"),
        ({"fill_rate": 0.9, "order_quantity": 2.5}, "order_quantity"),
        ({"service_level": 0.9, "lead_time_days": 7}, "over the lead time already"),
        ({"service_level": 0.9, "review_period_days": -1}, "review_period_days"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    demand = DemandDistribution.from_moments([6.0, 2.5], [6.0, 7.5])

    with pytest.raises(InputError, match=message):
        safety_stock(demand, **arguments)


def test_wrong_demands_are_refused():
    daily = DailyForecast([2.0, 0.3], [4.0, 0.3])
    one = DemandDistribution.from_moments(6.0, 6.0)

    with pytest.raises(InputError, match="method lead_time_demand, got list"):
        safety_stock([6.0], service_level=0.9)
    with pytest.raises(InputError, match="needs lead_time_days"):
        safety_stock(daily, service_level=0.9)
    with pytest.raises(InputError, match="itself"):
        safety_stock(daily, lead_time_days=7, service_level=0.9, during_lead_time=one)
    with pytest.raises(InputError, match="1 rows, demand 2"):
        safety_stock(daily.lead_time_demand(7), service_level=0.9, during_lead_time=one)
