"""Replays through the real engine: every promise kept, every figure explained by the events."""

from __future__ import annotations

import numpy as np
import pytest

import omnistock as om
from omnistock.simulation import Retailer
from omnistock.simulation.books import Books
from omnistock.simulation.orders import Event, order_stream
from omnistock.simulation.reconcile import stock_differences
from omnistock.simulation.replay import replay

T0 = 1_782_864_000  # 2026-07-01T00:00Z
HOUR = 3_600


def small_shop(on_hand: dict[tuple[str, str], int]) -> om.Engine:
    network = om.Network.build(
        skus=["TEE", "CUP", om.Sku("SET", components=(("TEE", 1), ("CUP", 2)))],
        nodes=[om.Node("DC"), om.Node("SHOP", kind="store")],
        channels=["store", "web", "market"],
    )
    engine = om.open(":memory:", network, clock=lambda: T0)
    for (sku, node), units in on_hand.items():
        engine.receive(sku, node, units, now=T0)
    return engine


def order(
    time: int,
    name: str,
    lines: tuple[tuple[str, int], ...],
    channel: str = "web",
    node: str = "",
    ttl_s: int = 900,
) -> Event:
    return Event(T0 + time, "order", name, channel, node, lines, ttl_s)


def follow(time: int, kind: str, name: str, lines=(), node: str = "") -> Event:
    return Event(T0 + time, kind, name, "web", node, tuple(lines))


def test_an_order_is_reserved_paid_shipped_and_returned():
    engine = small_shop({("TEE", "DC"): 5})

    summary = replay(
        engine,
        [
            order(0, "A", (("TEE", 3),)),
            follow(60, "confirm", "A"),
            follow(HOUR, "ship", "A"),
            follow(2 * HOUR, "return", "A", [("TEE", 1)], node="DC"),
        ],
    )

    assert (summary.orders, summary.accepted, summary.paid) == (1, 1, 1)
    assert (summary.shipments, summary.returns) == (1, 1)
    assert engine.stock().to_pylist()[0]["on_hand"] == 3
    assert summary.fill_rate == 1.0
    assert summary.clean


def test_a_forgotten_cart_expires_and_the_next_customer_gets_the_units():
    engine = small_shop({("TEE", "DC"): 1})

    summary = replay(
        engine,
        [
            order(0, "A", (("TEE", 1),)),
            order(899, "B", (("TEE", 1),)),
            order(900, "C", (("TEE", 1),)),
        ],
    )

    assert (summary.accepted, summary.refused, summary.expired) == (2, 1, 1)
    assert [hold.order for hold in engine.holds(status="held", now=T0 + 900)] == ["C"]
    assert summary.clean


def test_who_pays_too_late_is_served_only_if_nobody_else_has_the_units():
    engine = small_shop({("TEE", "DC"): 1, ("CUP", "DC"): 1})

    summary = replay(
        engine,
        [
            order(0, "A", (("TEE", 1),)),
            order(1, "B", (("CUP", 1),)),
            order(950, "C", (("TEE", 1),)),
            follow(1000, "confirm", "A"),
            follow(1001, "confirm", "B"),
        ],
    )

    assert (summary.paid, summary.paid_too_late, summary.expired) == (1, 1, 2)
    assert summary.clean


def test_a_cancelled_order_gives_its_units_back():
    engine = small_shop({("TEE", "DC"): 1})

    summary = replay(
        engine,
        [
            order(0, "A", (("TEE", 1),)),
            follow(10, "cancel", "A"),
            order(20, "B", (("TEE", 1),)),
            follow(30, "ship", "A"),
        ],
    )

    assert (summary.accepted, summary.cancelled, summary.shipments) == (2, 1, 0)
    assert summary.clean


def test_a_web_cart_takes_what_there_is_and_a_market_order_all_or_nothing():
    lines = (("TEE", 2), ("CUP", 2))

    partly = replay(small_shop({("TEE", "DC"): 5, ("CUP", "DC"): 1}), [order(0, "A", lines)])
    refused = replay(
        small_shop({("TEE", "DC"): 5, ("CUP", "DC"): 1}),
        [order(0, "A", lines, channel="market", ttl_s=0)],
    )

    assert (partly.partly_accepted, partly.units_filled) == (1, 3.0)
    assert partly.by_channel["web"].lines_filled == 1
    assert (refused.refused, refused.units_filled) == (1, 0.0)
    assert sum(refused.refusals.values()) == 1
    assert partly.clean
    assert refused.clean


def test_a_cart_with_a_kit_and_its_component_counts_both_lines_right():
    engine = small_shop({("TEE", "DC"): 3, ("CUP", "DC"): 5})

    summary = replay(engine, [order(0, "A", (("SET", 2), ("TEE", 2)))])

    # Two sets need two tees and four cups, which leaves one of the two tees asked for.
    assert summary.units == 4.0
    assert summary.units_filled == 3.0
    assert summary.clean


def test_orders_of_one_second_go_through_as_one_batch_first_come_first_served():
    engine = small_shop({("TEE", "DC"): 3})

    summary = replay(
        engine,
        [order(0, name, (("TEE", 2),), channel="market", ttl_s=0) for name in ("A", "B", "C")],
    )

    assert (summary.accepted, summary.refused) == (1, 2)
    assert [hold.order for hold in engine.holds(now=T0)] == ["A"]
    assert summary.clean


def test_the_till_takes_fewer_units_or_a_kit_but_never_promised_ones():
    engine = small_shop({("TEE", "SHOP"): 3, ("CUP", "SHOP"): 5})
    at_shop = {"channel": "store", "node": "SHOP"}

    summary = replay(
        engine,
        [
            order(0, "A", (("TEE", 1),), node="SHOP", ttl_s=0),
            Event(T0 + 300, "walk_in", "S1", lines=(("SET", 1),), **at_shop),
            Event(T0 + 600, "walk_in", "S2", lines=(("TEE", 4),), **at_shop),
            Event(T0 + 900, "walk_in", "S3", lines=(("TEE", 1),), **at_shop),
            Event(T0 + 1200, "walk_in", "S4", lines=(("SET", 1),), **at_shop),
            follow(HOUR, "ship", "A"),
        ],
    )

    assert (summary.walk_ins, summary.walk_ins_partly, summary.walk_ins_refused) == (4, 1, 2)
    assert summary.by_channel["store"].units_filled == 2.0
    left = {row["sku"]: row["on_hand"] for row in engine.stock().to_pylist()}
    assert left == {"TEE": 0, "CUP": 3}
    assert summary.clean


def test_a_receipt_arrives_under_its_reference():
    engine = small_shop({("CUP", "DC"): 1})
    engine.expect("TEE", "DC", 4, T0 + 5 * HOUR, "PO-1", now=T0)

    summary = replay(
        engine,
        [
            order(0, "A", (("TEE", 3),), ttl_s=0),
            Event(T0 + 5 * HOUR, "receipt", "PO-1", node="DC", lines=(("TEE", 4),)),
            follow(10 * HOUR, "ship", "A"),
        ],
    )

    # The first order is promised what comes the same day, and ships after it came.
    assert (summary.accepted, summary.receipts, summary.shipments) == (1, 1, 1)
    assert {row["sku"]: row["on_hand"] for row in engine.stock().to_pylist()} == {
        "TEE": 1,
        "CUP": 1,
    }
    assert summary.clean


def test_a_partial_shipment_skips_lines_that_the_cart_did_not_get():
    engine = small_shop({("TEE", "DC"): 1})

    summary = replay(
        engine,
        [
            order(0, "A", (("CUP", 1), ("TEE", 1))),
            follow(10, "confirm", "A"),
            follow(HOUR, "ship", "A", [("CUP", 1)]),
            follow(2 * HOUR, "ship", "A"),
            follow(3 * HOUR, "ship", "A"),
            follow(4 * HOUR, "return", "A", [("CUP", 1)], node="DC"),
        ],
    )

    assert (summary.shipments, summary.returns) == (1, 0)
    assert summary.clean


def test_a_wrong_physical_count_is_noticed():
    engine = small_shop({("TEE", "DC"): 2})
    counted = {"sku": ["TEE"], "node": ["DC"], "quantity": [1]}

    summary = replay(engine, [order(0, "A", (("TEE", 2),), ttl_s=0)], stock=counted)

    assert summary.oversold_units == 1
    assert summary.stock_differences == 1
    assert not summary.clean


def test_promises_that_only_one_side_knows_are_differences():
    engine = small_shop({("TEE", "DC"): 2})
    engine.reserve("A", [("TEE", 1)], now=T0)

    assert stock_differences(engine, Books({("TEE", "DC"): 2}), T0) == [("TEE", "DC")]
    assert stock_differences(engine, Books({("TEE", "DC"): 2, ("CUP", "DC"): 1}), T0) == [
        ("CUP", "DC"),
        ("TEE", "DC"),
    ]


def open_retailer(retailer: Retailer) -> om.Engine:
    """Open an engine on the retailer's stock and inbound, without a plan."""
    from omnistock.planning.inputs import read_inputs

    inputs = read_inputs(retailer.tables)
    start = T0 if str(retailer.plan_date) == "2026-06-30" else None
    assert start is not None
    engine = om.open(":memory:", inputs.network, clock=lambda: T0)
    sku, node = np.array(inputs.skus, dtype=object), np.array(inputs.nodes, dtype=object)
    stock, coming = inputs.stock, inputs.inbound
    here = stock["units"] > 0
    engine.receive_many(
        {
            "sku": sku[stock["sku"][here]],
            "node": node[stock["node"][here]],
            "quantity": stock["units"][here],
        },
        now=T0,
    )
    engine.expect_many(
        {
            "reference": coming["reference"],
            "sku": sku[coming["sku"]],
            "node": node[coming["node"]],
            "quantity": coming["units"],
            "eta": T0 + coming["day"] * 24 * HOUR,
        },
        now=T0,
    )
    return engine


def test_days_of_a_retailer_oversell_nothing_and_all_books_agree(tiny_retailer: Retailer):
    engine = open_retailer(tiny_retailer)
    events = order_stream(tiny_retailer, seed=1, days=3)
    seen: list[tuple[int, int, str]] = []

    summary = replay(engine, events, progress=lambda *call: seen.append(call))

    asked = [event for event in events if event.kind in ("order", "walk_in")]
    assert summary.clean
    assert summary.orders + summary.walk_ins == len(asked)
    assert summary.accepted + summary.partly_accepted + summary.refused == summary.orders
    assert summary.lines == sum(len(event.lines) for event in asked)
    assert summary.receipts == sum(event.kind == "receipt" for event in events)
    assert summary.expired > 0
    assert summary.shipments > 0
    assert seen[-1][:2] == (len(events), len(events))


def test_the_same_events_give_the_same_answers(tiny_retailer: Retailer):
    events = order_stream(tiny_retailer, seed=2, days=1)

    first = replay(open_retailer(tiny_retailer), events)
    second = replay(open_retailer(tiny_retailer), events)

    timing = ("seconds", "orders_per_second", "check", "reserve")
    for name in first.__slots__:
        if not name.startswith(timing) or name == "check_differences":
            assert getattr(first, name) == getattr(second, name)


def test_no_events_are_no_orders():
    summary = replay(small_shop({("TEE", "DC"): 1}), [])

    assert summary.orders == summary.lines == summary.commands == 0
    assert summary.fill_rate == 1.0
    assert summary.clean


def test_the_table_has_a_row_per_channel_and_named_node():
    engine = small_shop({("TEE", "SHOP"): 1})
    summary = replay(
        engine,
        [
            order(0, "A", (("TEE", 1),)),
            Event(T0 + 300, "walk_in", "S1", "store", "SHOP", (("TEE", 1),)),
        ],
    )

    rows = {(row["scope"], row["name"]): row["fill_rate"] for row in summary.to_table().to_pylist()}

    assert rows == {("channel", "store"): 0.0, ("channel", "web"): 1.0, ("node", "SHOP"): 0.0}


@pytest.mark.parametrize("kind", ["confirm", "cancel", "ship", "return"])
def test_what_follows_a_refused_order_finds_no_order(kind: str):
    engine = small_shop({("CUP", "DC"): 1})

    summary = replay(
        engine,
        [
            order(0, "A", (("TEE", 1),)),
            follow(10, kind, "A", [("TEE", 1)] if kind == "return" else [], node="DC"),
        ],
    )

    assert summary.refused == 1
    assert summary.paid == summary.cancelled == summary.shipments == summary.returns == 0
    assert summary.clean


class Boaster:
    """An engine that says one unit more than it will give."""

    def __init__(self, engine: om.Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str):
        return getattr(self._engine, name)

    def available(self, *args, **kwargs) -> int:
        return self._engine.available(*args, **kwargs) + 1


def test_a_check_that_promises_more_than_the_reservation_gives_is_noticed():
    events = [order(0, "A", (("TEE", 3),)), order(1, "B", (("TEE", 3),), "market", ttl_s=0)]

    honest = replay(small_shop({("TEE", "DC"): 2}), events)
    boasting = replay(Boaster(small_shop({("TEE", "DC"): 2})), events)

    assert honest.check_differences == 0
    assert boasting.check_differences == 1
    assert not boasting.clean
