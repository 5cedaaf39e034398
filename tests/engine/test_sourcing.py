"""Nodes chosen on the engine's state: planned, reserved, rejected, sourced again, limited."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_retailer import DAY, NOON, held, lines_of, make_engine

import omnistock as om
from omnistock.engine import sourcing
from omnistock.sourcing import (
    Condition,
    Criterion,
    RoutingBook,
    RoutingRule,
    Strategy,
)


def test_what_is_planned_is_reserved_and_nothing_is_kept_of_a_question():
    engine = make_engine({("X", "A"): 3, ("X", "B"): 9, ("Y", "B"): 9})

    asked = engine.source([("X", 2), ("Y", 1)])
    kept = engine.source([("X", 2), ("Y", 1)], order="O1", ttl_s=600)

    assert asked.hold is None
    assert lines_of(asked) == lines_of(kept) == [("X", "B", 2), ("Y", "B", 1)]
    assert (kept.hold.status, held(engine, kept.hold)) == ("held", [("X", "B", 2), ("Y", "B", 1)])
    assert engine.verify().differences == ()


def test_limits_of_the_asker_bound_the_plan_over_all_nodes():
    engine = make_engine({("X", "A"): 5, ("X", "B"): 5})
    engine.set_quota("X", "web", 6)

    choice = engine.source([("X", 9)], channel="web").choice

    assert sum(one.quantity for one in choice.lines) == 6
    assert (choice.unfilled, choice.reason) == ({"X": 3}, "quota")
    assert engine.source([("X", 9)], channel="web", order="O1").hold.quantity == 6


def test_only_nodes_of_the_channel_that_are_on_and_not_excluded_send():
    engine = make_engine({("X", "A"): 5, ("X", "B"): 5, ("X", "C"): 5})

    assert lines_of(engine.source([("X", 5)], channel="app")) == [("X", "A", 5)]
    assert lines_of(engine.source([("X", 5)], exclude=["A"])) == [("X", "B", 5)]
    engine.set_node("B", False)
    assert lines_of(engine.source([("X", 5)], exclude=["A"])) == [("X", "C", 5)]


def test_a_line_that_names_its_node_comes_from_there_or_not_at_all():
    engine = make_engine({("X", "A"): 5, ("Y", "A"): 5, ("X", "B"): 2, ("Y", "B"): 5})

    found = engine.source([("X", 3, "B"), ("Y", 1)], Strategy(("packages",)))

    assert lines_of(found) == [("X", "B", 2), ("Y", "B", 1)]
    assert found.choice.unfilled == {"X": 1}
    with pytest.raises(om.InputError, match="at different nodes"):
        engine.source([("X", 3, "B"), ("X", 1)])


@settings(max_examples=80, deadline=None)
@given(
    stock=st.lists(st.integers(0, 6), min_size=6, max_size=6),
    buffers=st.lists(st.integers(0, 2), min_size=3, max_size=3),
    backorder=st.integers(0, 3),
    capacity=st.one_of(st.none(), st.integers(0, 5)),
    quota=st.one_of(st.none(), st.integers(0, 9)),
    held=st.integers(0, 3),
    wanted=st.lists(st.integers(1, 9), min_size=1, max_size=2),
    criterion=st.sampled_from(("packages", "priority", "most_stock")),
    ahead=st.sampled_from((None, 0, 2)),
)
def test_what_is_planned_can_be_reserved_and_one_line_gets_all_there_is(
    stock, buffers, backorder, capacity, quota, held, wanted, criterion, ahead
):
    skus = ("X", "Y")[: len(wanted)]
    engine = make_engine(
        {
            (sku, node): stock[3 * i + k]
            for i, sku in enumerate("XY")
            for k, node in enumerate("ABC")
        }
    )
    for node, units in zip("ABC", buffers, strict=True):
        engine.set_buffer("X", units, node=node)
    engine.set_backorder("X", backorder, node="B")
    if capacity is not None:
        engine.set_capacity("A", capacity)
    if quota is not None:
        engine.set_quota("X", "web", quota)
    if held and engine.available("X") >= held:
        engine.reserve("O0", [("X", held)], ttl_s=60)
    by = None if ahead is None else NOON + ahead * DAY
    most = {sku: engine.available(sku, channel="web", by=by) for sku in skus}
    lines = list(zip(skus, wanted, strict=True))

    choice = engine.source(lines, Strategy((criterion,)), channel="web", by=by).choice

    planned = dict.fromkeys(skus, 0)
    for one in (*choice.lines, *choice.backordered):
        planned[one.sku] += one.quantity
    assert all(planned[sku] + choice.unfilled.get(sku, 0) == units for sku, units in lines)
    assert all(planned[sku] <= most[sku] for sku in skus)
    if len(lines) == 1:
        assert planned["X"] == min(wanted[0], most["X"])
    if any(planned.values()):
        kept = engine.source(lines, Strategy((criterion,)), channel="web", by=by, order="O1")
        assert kept.choice.lines == choice.lines
        assert kept.hold.quantity == sum(planned.values())
        assert engine.verify().differences == ()


def test_kits_are_planned_in_parts_and_reserved_whole():
    engine = make_engine({("X", "A"): 9, ("Y", "B"): 9, ("X", "C"): 4, ("Y", "C"): 2})

    parts = engine.source([("SET", 3)], Strategy(("priority",)))
    whole = engine.source([("SET", 2)], together=True, order="O1")

    assert lines_of(parts) == [("X", "A", 6), ("Y", "B", 3)]
    assert lines_of(whole) == [("SET", "C", 2)]
    assert held(engine, whole.hold) == [("X", "C", 4), ("Y", "C", 2)]
    with pytest.raises(om.InputError, match="is a kit"):
        engine.source([("SET", 1)], order="O2")


def test_half_a_kit_is_never_planned():
    engine = make_engine({("X", "A"): 5, ("Y", "A"): 9})

    choice = engine.source([("SET", 4)]).choice

    assert lines_of(choice) == [("X", "A", 4), ("Y", "A", 2)]
    assert choice.unfilled == {"X": 4, "Y": 2}


def test_an_order_of_which_nothing_is_there_is_refused_with_the_reason():
    engine = make_engine({("X", "A"): 0, ("X", "B"): 2})

    with pytest.raises(om.OutOfStock) as refused:
        engine.source([("X", 4)], Strategy(ship_complete=True), order="O1")

    assert [(one.sku, one.requested, one.binding) for one in refused.value.shortages] == [
        ("X", 4, "stock")
    ]
    assert engine.holds() == []


def test_the_book_decides_by_channel_and_by_what_the_caller_says():
    engine = make_engine(
        {("X", "A"): 5, ("X", "B"): 5}, A={"attributes": {"market": "DE"}},
        B={"attributes": {"market": "AT"}},
    )  # fmt: skip
    home = Strategy((Criterion("same", attribute="market"), "priority"))
    book = RoutingBook((RoutingRule("web at home", home, (Condition("channel", "is", "web"),)),))

    assert lines_of(engine.source([("X", 1)], book, channel="web", facts={"market": "AT"})) == [
        ("X", "B", 1)
    ]
    found = engine.source([("X", 1)], book, channel="app", facts={"market": "AT"})
    assert (found.choice.rule, lines_of(found)) == ("fallback", [("X", "A", 1)])


def test_many_callers_get_each_unit_once_and_plans_are_made_anew():
    engine = make_engine({("X", "A"): 10, ("X", "B"): 10, ("X", "C"): 10})
    sent, refused = [], []

    def call(number):
        try:
            found = engine.source([("X", 2)], Strategy(("priority",)), order=f"O{number}")
        except om.OutOfStock:
            refused.append(number)
        else:
            sent.append(found.hold.quantity)

    threads = [threading.Thread(target=call, args=(k,)) for k in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert engine.available("X") == 30 - sum(sent)
    assert sum(sent) + 2 * len(refused) >= 30
    assert engine.verify().differences == ()


# --- rejection ----------------------------------------------------------------


def test_rejected_units_move_for_the_same_date_and_the_missing_ones_are_gone():
    engine = make_engine({("X", "A"): 5, ("X", "B"): 1, ("X", "C"): 9})
    hold = engine.source([("X", 4)], Strategy(("priority",)), order="O1", by=NOON + DAY).hold

    found = engine.reject(hold, "X", 3, node="A", rules=Strategy(("priority",)))

    assert held(engine, hold) == [("X", "A", 1), ("X", "B", 1), ("X", "C", 2)]
    assert {line.bucket for line in found.hold.lines} == {"2024-10-05"}
    assert engine.available("X", node="A") == 1
    assert (found.short, found.later) == (0, None)
    assert engine.verify().differences == ()


def test_nodes_that_send_the_order_already_go_first_where_all_else_is_equal():
    engine = make_engine(
        {("X", "A"): 5, ("Y", "A"): 0, ("Y", "C"): 5, ("X", "B"): 5, ("X", "C"): 5}
    )
    hold = engine.reserve("O1", [("X", 2, "A"), ("Y", 1, "C")])

    engine.reject(hold, "X", 2, node="A", rules=Strategy(("packages",)))

    assert held(engine, hold) == [("X", "C", 2), ("Y", "C", 1)]


def test_what_nobody_has_in_time_is_promised_for_the_first_later_date():
    engine = make_engine({("X", "A"): 2, ("X", "B"): 0})
    engine.expect("X", "B", 5, NOON + 3 * DAY, reference="PO")
    hold = engine.reserve("O1", [("X", 2)], node="A")

    found = engine.reject(hold, "X", 2, node="A")

    assert (found.later_date, found.later.quantity, found.short) == ("2024-10-07", 2, 0)
    assert found.later.order == "O1"
    assert found.hold.status == "released"
    assert engine.verify().differences == ()


def test_a_busy_node_keeps_its_stock_and_what_cannot_move_is_given_up():
    engine = make_engine({("X", "A"): 5, ("X", "B"): 1})
    hold = engine.reserve("O1", [("X", 3)], node="A")

    found = engine.reject(hold, "X", 3, node="A", missing=False, exclude=["B"])

    assert found.short == 3
    assert engine.available("X", node="A") == 5
    assert found.choice.reasons == {"X": "stock"}


def test_rejected_units_of_a_lot_move_to_whatever_stock_serves_elsewhere():
    engine = make_engine({("X", "A"): 0, ("X", "B"): 2, ("X", "C"): 9})
    engine.receive("X", "A", 5, lot="L1", expiry=NOON + 9 * DAY)
    engine.receive("X", "B", 1, lot="L1", expiry=NOON + 9 * DAY)
    hold = engine.reserve("O1", [("X", 4)], node="A")

    found = engine.reject(hold, "X", 4, node="A", rules=Strategy(("priority",)))

    assert found.short == 0
    open_lines = [one for one in engine.hold(hold.hold_id).lines if one.quantity]
    assert {(one.node, one.lot): one.quantity for one in open_lines} == {
        ("B", "L1"): 1,
        ("B", ""): 2,
        ("C", ""): 1,
    }
    assert engine.verify().differences == ()


def test_missing_units_are_those_of_the_lots_that_they_were_promised_from():
    engine = make_engine({("X", "A"): 0, ("X", "B"): 3})
    engine.receive("X", "A", 5, lot="L1", expiry=NOON + 9 * DAY)
    hold = engine.reserve("O1", [("X", 2, "A"), ("X", 1, "B")])

    engine.reject(hold, "X", 2, node="A")

    rows = [row for row in engine.stock().to_pylist() if row["node"] == "A"]
    assert [(row["lot"], row["on_hand"], row["committed"]) for row in rows] == [("L1", 3, 0)]
    assert held(engine, hold) == [("X", "B", 1), ("X", "B", 2)]


def test_a_plan_that_comes_too_late_has_given_up_its_rest_once(monkeypatch):
    """The first plan finds two units at B, which are gone when it is carried out."""
    engine = make_engine({("X", "A"): 5, ("X", "B"): 2, ("X", "C"): 0})
    hold = engine.reserve("O1", [("X", 3)], node="A")
    choose = sourcing.choose

    def choose_too_early(*arguments, **keywords):
        choice = choose(*arguments, **keywords)
        monkeypatch.setattr(sourcing, "choose", choose)
        engine.issue("X", "B", 1)
        return choice

    monkeypatch.setattr(sourcing, "choose", choose_too_early)

    found = engine.reject(hold, "X", 3, node="A")

    assert held(engine, hold) == [("X", "B", 1)]
    assert found.short == 2
    assert engine.available("X", node="A") == 2
    assert engine.verify().differences == ()


def test_more_than_the_hold_has_there_cannot_be_rejected():
    engine = make_engine({("X", "A"): 5, ("X", "B"): 5})
    hold = engine.reserve("O1", [("X", 3)], node="A")

    with pytest.raises(om.ConflictError, match="has 3 of 'X' open at 'A', not 4"):
        engine.reject(hold, "X", 4, node="A")
    with pytest.raises(om.ConflictError, match="has 0 of 'X' open at 'B'"):
        engine.reject(hold, "X", 1, node="B")


@given(
    stock=st.lists(st.integers(0, 5), min_size=3, max_size=3),
    wanted=st.integers(1, 6),
    gone=st.integers(1, 6),
)
def test_a_rejection_loses_no_unit_but_the_missing_ones(stock, wanted, gone):
    engine = make_engine({("X", name): units for name, units in zip("ABC", stock, strict=True)})
    units = min(wanted, stock[0])
    if not units:
        return
    hold = engine.reserve("O1", [("X", units)], node="A")
    rejected = min(gone, units)

    found = engine.reject(hold, "X", rejected, node="A")

    open_units = sum(line.quantity for line in engine.hold(hold.hold_id).lines)
    assert open_units + found.short == units
    assert found.short == max(0, rejected - stock[1] - stock[2])
    assert engine.available("X") == sum(stock) - rejected - open_units
    assert engine.verify().differences == ()


def test_a_request_that_comes_again_gets_its_hold_wherever_stock_lies_now():
    engine = make_engine({("X", "A"): 5, ("X", "B"): 9})
    first = engine.source([("X", 3)], Strategy(("priority",)), order="O1", request_id="R1")
    engine.reserve("O2", [("X", 2)], node="A")

    again = engine.source([("X", 3)], Strategy(("priority",)), order="O1", request_id="R1")

    assert (again.hold.hold_id, again.hold.duplicate, again.choice) == (0, True, None)
    assert lines_of(again) == lines_of(first) == [("X", "A", 3)]
    with pytest.raises(om.ConflictError, match="used before"):
        engine.source([("X", 4)], Strategy(("priority",)), order="O1", request_id="R1")
    with pytest.raises(om.InputError, match="give order="):
        engine.source([("X", 4)], request_id="R2")


def test_a_shortage_is_not_remembered_under_a_request_id():
    engine = make_engine({("X", "A"): 1})
    whole = Strategy(("priority",), ship_complete=True)
    with pytest.raises(om.OutOfStock):
        engine.source([("X", 3)], whole, order="O1", request_id="R1")

    engine.receive("X", "A", 5)

    assert engine.source([("X", 3)], whole, order="O1", request_id="R1").hold.quantity == 3


def test_a_rejection_that_comes_again_lowers_stock_once():
    engine = make_engine({("X", "A"): 5, ("X", "B"): 9})
    hold = engine.reserve("O1", [("X", 3)], node="A")

    engine.reject("O1", "X", 1, node="A", request_id="R1")
    again = engine.reject("O1", "X", 1, node="A", request_id="R1")

    assert (again.hold.duplicate, again.choice) == (True, None)
    assert held(engine, hold) == [("X", "A", 2), ("X", "B", 1)]
    assert engine.available("X", node="A") == 2
    assert engine.verify().differences == ()
