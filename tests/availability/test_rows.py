"""ATP rows: worked examples of the sources, definitions bucket by bucket, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles_rows import (
    balances,
    carried_forward,
    discrete,
    largest_safe_promise,
    nets,
    paid_back,
)

from omnistock.availability.rows import METHODS, Fences, apply_fences, atp_rows
from omnistock.errors import InputError

# Oracle Inventory User's Guide, Release 11, "ATP Computation Options": one item's supply and
# demand over eight periods.
SUPPLY = [6, 4, 2, 4, 8, 4, 4, 4]
DEMAND = [6, 2, 3, 6, 6, 1, 2, 2]

# Infor LN's way to cumulative ATP, on a plant's eight periods with 56 on hand.
PLANT_SUPPLY = [30, 35, 0, 24, 0, 25, 44, 28]
PLANT_DEMAND = [41, 19, 39, 11, 25, 20, 10, 0]


@st.composite
def situations(draw, *, overdrawn=True):
    """On hand, receipts, commitments and buffer of one stockpoint."""
    n = draw(st.integers(1, 7))
    row = st.lists(st.integers(0, 6), min_size=n, max_size=n)
    on_hand = draw(st.integers(-5 if overdrawn else 0, 20))
    return on_hand, draw(row), draw(row), draw(row)


def shown(rows):
    """The figures as lists, None where the method states none."""
    return [int(a) if has else None for a, has in zip(rows.atp, rows.has_atp, strict=True)]


# --- worked examples ---


def test_two_days_later_what_has_not_arrived_does_not_count():
    # Dynamics 365, Inventory Visibility, available to promise: 10 due yesterday never came.
    dated = apply_fences([(-1, 10), (1, 1), (2, 3)], [(0, 15)], today=0, n_buckets=7)

    rows = atp_rows(17, dated.receipts, dated.commitments)

    assert rows.projected.tolist() == [2, 3, 6, 6, 6, 6, 6]
    assert rows.atp.tolist() == [2, 3, 6, 6, 6, 6, 6]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("period_net", [0, 2, -1, -2, 2, 3, 2, 2]),
        ("period_backward", [0, 0, 0, -1, 2, 3, 2, 2]),
        ("period_backward_accumulate", [0, 0, 0, -1, 2, 5, 7, 9]),
    ],
)
def test_oracles_period_rows(method, expected):
    rows = atp_rows(0, SUPPLY, DEMAND, method=method)

    assert rows.atp.tolist() == expected
    assert rows.projected.tolist() == [0, 2, 1, -1, 1, 4, 6, 8]


def test_an_order_in_period_six_takes_only_from_period_six():
    # Oracle Inventory User's Guide, "ATP with Backward Consumption", after an order for 3.
    rows = atp_rows(0, SUPPLY, [6, 2, 3, 6, 6, 4, 2, 2], method="period_backward")

    assert rows.atp.tolist() == [0, 0, 0, -1, 2, 0, 2, 2]


def test_jd_edwards_discrete_and_cumulative_rows():
    # JD Edwards EnterpriseOne Requirements Planning, ch. 3: 80 on hand, 60 due twice.
    receipts = [0, 0, 60, 0, 0, 60, 0, 0]
    orders = [30, 25, 30, 10, 0, 35, 0, 0]

    rows = atp_rows(80, receipts, orders, method="discrete")

    assert shown(rows) == [25, None, 20, None, None, 25, None, None]
    assert rows.cumulative_atp.tolist() == [25, 25, 45, 45, 45, 70, 70, 70]
    assert atp_rows(80, receipts, orders, method="cumulative").atp.tolist() == [
        25, 25, 45, 45, 45, 70, 70, 70,
    ]  # fmt: skip


def test_a_plants_look_ahead_rows_are_the_running_sum_of_its_discrete_rows():
    ahead = atp_rows(56, PLANT_SUPPLY, PLANT_DEMAND)
    by_receipt = atp_rows(56, PLANT_SUPPLY, PLANT_DEMAND, method="discrete")

    assert ahead.projected.tolist() == [45, 61, 22, 35, 10, 15, 49, 77]
    assert ahead.atp.tolist() == [10, 10, 10, 10, 10, 15, 49, 77]
    assert shown(by_receipt) == [10, 0, None, 0, None, 5, 34, 28]
    assert by_receipt.cumulative_atp.tolist() == ahead.atp.tolist()


def test_a_buffer_that_will_be_higher_holds_back_stock_now():
    # Targets as in frePPLe's test safety_stock: 10, then 20, then 5.
    rows = atp_rows(30, [0, 0, 0], [0, 0, 0], [10, 20, 5])

    assert rows.projected.tolist() == [30, 30, 30]
    assert rows.free.tolist() == [20, 10, 25]
    assert rows.atp.tolist() == [10, 10, 25]


def test_a_buffer_that_falls_sets_units_free_like_a_receipt():
    rows = atp_rows(30, [0, 0, 0], [0, 0, 0], [10, 20, 5], method="discrete")

    assert shown(rows) == [10, None, 15]


def test_overdue_amounts_inside_the_fence_are_expected_later_and_others_ignored():
    # Dynamics 365 Supply Chain, order promising: backward fences of a day, supply offset 2.
    fences = Fences(supply=1, demand=1, supply_delay=2, demand_delay=0)

    dated = apply_fences(
        [(-1, 5), (-3, 7)], [(-1, 4), (-4, 6)], today=0, n_buckets=4, fences=fences
    )
    rows = atp_rows(10, dated.receipts, dated.commitments)

    assert rows.projected.tolist() == [6, 6, 11, 11]
    assert rows.atp.tolist() == [6, 6, 11, 11]


def test_without_fences_an_overdue_order_is_still_owed():
    # Odoo 17, stock, test_report_quantity_1: 30 ordered for yesterday count today.
    dated = apply_fences([(1, 10)], [(1, 20), (-1, 30)], today=0, n_buckets=2)

    assert atp_rows(50, dated.receipts, dated.commitments).projected.tolist() == [20, 10]


def test_surplus_serves_only_as_long_as_the_accumulation_window():
    # 5 to spare in bucket 0. With a window of one bucket it neither pays the shortage two
    # buckets later nor counts as available there.
    net = atp_rows(5, [0, 0, 0, 4], [0, 0, 3, 0], method="period_backward", accumulation_buckets=1)
    summed = atp_rows(
        5, [0, 0, 0, 4], [0, 0, 3, 0], method="period_backward_accumulate", accumulation_buckets=1
    )

    assert net.atp.tolist() == [5, 0, -3, 4]
    assert summed.atp.tolist() == [5, 5, -3, 4]


# --- definitions ---


@given(situations())
def test_the_look_ahead_row_is_the_largest_safe_promise(situation):
    rows = atp_rows(*situation)

    expected = [largest_safe_promise(*situation, t) for t in range(len(situation[1]))]
    assert rows.atp.tolist() == expected
    assert rows.free.tolist() == balances(*situation)


@given(situations())
def test_discrete_rows_are_receipts_less_orders_until_the_next_receipt(situation):
    assert shown(atp_rows(*situation, method="discrete")) == discrete(*situation)


@given(situations(), st.none() | st.integers(0, 7))
def test_period_rows_follow_their_definitions(situation, window):
    net = nets(*situation)
    reach = len(net) if window is None else window
    backward = paid_back(net, reach)

    found = {
        method: atp_rows(*situation, method=method, accumulation_buckets=window).atp.tolist()
        for method in ("period_net", "period_backward", "period_backward_accumulate")
    }

    assert found["period_net"] == net
    assert found["period_backward"] == backward
    assert found["period_backward_accumulate"] == carried_forward(backward, reach)


# --- laws ---


@given(situations())
def test_look_ahead_rows_never_fall_over_time(situation):
    atp = atp_rows(*situation).atp

    assert (np.diff(atp) >= 0).all()


@given(situations())
def test_the_three_cumulative_rows_agree_on_what_can_be_promised(situation):
    ahead = atp_rows(*situation).atp
    summed = atp_rows(*situation, method="cumulative").atp
    accumulated = atp_rows(*situation, method="period_backward_accumulate").atp

    assert np.maximum(summed, 0).tolist() == np.maximum(ahead, 0).tolist()
    if min(balances(*situation)) >= 0:
        assert summed.tolist() == ahead.tolist() == accumulated.tolist()


@given(situations())
def test_what_single_buckets_show_adds_up_to_the_last_balance(situation):
    last = balances(*situation)[-1]

    for method in ("discrete", "period_net", "period_backward"):
        assert atp_rows(*situation, method=method).atp.sum() == last


@given(st.lists(situations(), min_size=1, max_size=4), st.sampled_from(METHODS))
def test_many_stockpoints_at_once_are_each_as_alone(given_situations, method):
    n = min(len(one[1]) for one in given_situations)
    cut = [(one[0], one[1][:n], one[2][:n], one[3][:n]) for one in given_situations]
    columns = [np.array(column) for column in zip(*cut, strict=True)]

    together = atp_rows(*columns, method=method)

    for s, one in enumerate(cut):
        alone = atp_rows(*one, method=method)
        assert together.atp[s].tolist() == alone.atp.tolist()
        assert together.has_atp[s].tolist() == alone.has_atp.tolist()
        assert together.cumulative_atp[s].tolist() == alone.cumulative_atp.tolist()


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 9))),
    st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 9))),
    st.builds(
        Fences,
        supply=st.integers(0, 9),
        demand=st.none() | st.integers(0, 9),
        supply_delay=st.integers(0, 4),
        demand_delay=st.integers(0, 4),
    ),
)
def test_every_amount_stands_once_where_it_is_expected_or_nowhere(receipts, commitments, fences):
    dated = apply_fences(receipts, commitments, today=0, n_buckets=5, fences=fences)

    for row, amounts, fence, delay in (
        (dated.receipts, receipts, fences.supply, fences.supply_delay),
        (dated.commitments, commitments, fences.demand, fences.demand_delay),
    ):
        expected = [0] * 5
        for due, units in amounts:
            if 0 <= due < 5:
                expected[due] += units
            elif due < 0 and (fence is None or -due <= fence):
                expected[delay] += units
        assert row.tolist() == expected


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: atp_rows(1, [1], [1], method="guess"),
        lambda: atp_rows(1, [1], [1, 2]),
        lambda: atp_rows(1, [-1], [1]),
        lambda: atp_rows(1, [1], [-1]),
        lambda: atp_rows(1, [1.5], [1]),
        lambda: atp_rows(1.0, [1], [1]),
        lambda: atp_rows([1, 2], [[1]], [[1]]),
        lambda: atp_rows(1, [1], [1], [1, 2]),
        lambda: atp_rows(1, [], []),
        lambda: atp_rows(1, [1], [1], accumulation_buckets=-1),
        lambda: Fences(supply=-1),
        lambda: Fences(demand_delay=-1),
        lambda: apply_fences([(0, -1)], [], today=0, n_buckets=2),
        lambda: apply_fences([(0, 1, 2)], [], today=0, n_buckets=2),
        lambda: apply_fences([], [], today=0, n_buckets=2, fences=Fences(supply_delay=2)),
    ],
)
def test_what_makes_no_rows_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
