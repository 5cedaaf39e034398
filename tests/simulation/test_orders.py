"""The events after the plan: in order, consistent with one another, drawn from true demand."""

from __future__ import annotations

import numpy as np
import pytest

from omnistock.errors import InputError
from omnistock.simulation import Retailer
from omnistock.simulation.orders import CART_TTL_S, EVENT_KINDS, order_stream

DAY = 86_400


@pytest.fixture(scope="module")
def events(counted_retailer: Retailer):
    return order_stream(counted_retailer, seed=1, days=3)


def test_events_are_in_order_of_time_within_their_days(counted_retailer: Retailer, events):
    times = [event.time for event in events]
    start = int(np.datetime64(counted_retailer.plan_date, "s").astype(int)) + DAY

    assert times == sorted(times)
    assert start <= times[0]
    assert times[-1] < start + 3 * DAY
    assert {event.kind for event in events} == set(EVENT_KINDS)


def test_the_same_seeds_give_the_same_events(counted_retailer: Retailer, events):
    assert order_stream(counted_retailer, seed=1, days=3) == events
    assert order_stream(counted_retailer, seed=2, days=3) != events


def test_every_follow_up_belongs_to_an_order_placed_before(events):
    placed: dict[str, int] = {}

    for event in events:
        if event.kind == "order":
            assert event.reference not in placed
            placed[event.reference] = event.time
        elif event.kind not in ("receipt", "walk_in"):
            assert placed[event.reference] < event.time


def test_an_order_is_cancelled_or_shipped_never_both(events):
    ends: dict[str, set[str]] = {}
    for event in events:
        if event.kind in ("cancel", "ship"):
            ends.setdefault(event.reference, set()).add(event.kind)

    assert all(len(kinds) == 1 for kinds in ends.values())
    assert sum("cancel" in kinds for kinds in ends.values()) > 0


def test_only_carts_of_web_and_app_expire(events):
    confirmed = {event.reference: event.time for event in events if event.kind == "confirm"}
    touched = {event.reference for event in events if event.kind in ("confirm", "cancel", "ship")}
    orders = [event for event in events if event.kind == "order"]

    for order in orders:
        assert order.ttl_s == (CART_TTL_S if order.channel in ("web", "app") else 0)
        if not order.ttl_s:
            assert order.reference not in confirmed
    late = [
        one.reference
        for one in orders
        if one.ttl_s and confirmed.get(one.reference, 0) >= one.time + one.ttl_s
    ]
    forgotten = [one for one in orders if one.ttl_s and one.reference not in touched]
    assert late
    assert forgotten


def test_goods_leave_with_the_picking_waves_after_the_morning_receipts(events):
    ships = [event.time % DAY // 3600 for event in events if event.kind == "ship"]
    receipts = [event.time % DAY // 3600 for event in events if event.kind == "receipt"]
    walk_ins = [event.time % DAY / 3600 for event in events if event.kind == "walk_in"]

    assert set(ships) <= {10, 13, 16, 19}
    assert max(receipts) < 9 <= min(walk_ins)


def test_returned_lines_are_whole_lines_of_the_order_and_never_kits(counted_retailer, events):
    goods = counted_retailer.model.catalogue
    kits = set(goods.sku[goods.kit])
    lines = {event.reference: event.lines for event in events if event.kind == "order"}

    returns = [event for event in events if event.kind == "return"]

    assert returns
    for event in returns:
        assert len(event.lines) == 1
        assert event.lines[0] in lines[event.reference]
        assert event.lines[0][0] not in kits
        assert event.node


def test_receipts_are_the_inbound_of_those_days(counted_retailer: Retailer, events):
    coming = counted_retailer.history.inbound
    due = coming["day"] < counted_retailer.days + 3

    received = sum(units for event in events if event.kind == "receipt" for _, units in event.lines)

    assert received == coming["units"][due].sum() > 0


def test_the_number_of_lines_is_what_true_demand_expects(counted_retailer: Retailer):
    model, days = counted_retailer.model, counted_retailer.days
    expected = sum(model.rates(days + day).sum() for day in range(10))

    events = order_stream(counted_retailer, seed=5, days=10)

    lines = sum(len(event.lines) for event in events if event.kind in ("order", "walk_in"))
    assert lines == pytest.approx(expected, rel=0.2)


def test_carts_have_several_lines_kits_weights_and_stores_to_collect_at(counted_retailer, events):
    goods = counted_retailer.model.catalogue
    orders = [event for event in events if event.kind == "order"]
    asked = {sku for event in orders for sku, _ in event.lines}

    assert max(len(event.lines) for event in orders) >= 4
    assert asked & set(goods.sku[goods.kit])
    assert asked & set(goods.sku[goods.unit_scale > 1])
    assert any(event.node.startswith("ST-") for event in orders)
    assert {event.channel for event in orders} == {"web", "app", "marketplace", "subscription"}


def test_a_stream_needs_a_day(counted_retailer: Retailer):
    with pytest.raises(InputError, match="days"):
        order_stream(counted_retailer, days=0)
