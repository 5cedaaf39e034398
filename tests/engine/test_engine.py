"""The engine from outside: durability, concurrency, repetition, refusals."""

from __future__ import annotations

import dataclasses
import multiprocessing
import sqlite3
import threading

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import omnistock as om
from omnistock.engine import Reserve
from omnistock.errors import FrameError, LedgerError

NOW = 20_000 * 86_400
DAY = 86_400


def make_network():
    return om.Network.build(
        skus=[
            "tee",
            "cap",
            om.Sku("rice", unit_scale=1000),
            om.Sku("set", components=(("tee", 1), ("cap", 2))),
        ],
        nodes=[om.Node("dc"), om.Node("shop", kind="store", priority=1)],
        channels=["web", "app", om.Channel("store", nodes=("shop",))],
    )


@pytest.fixture
def engine():
    with om.open(":memory:", make_network(), clock=lambda: NOW) as made:
        yield made


def test_an_engine_may_live_in_another_time_than_the_clock(tmp_path):
    path = tmp_path / "shop.db"
    past = NOW - 900 * DAY
    with om.open(path, make_network()) as first:
        first.receive("tee", "dc", 2, now=past)
        first.expect("tee", "dc", 3, past + DAY, "PO", now=past)
        assert first.verify().ok
        assert first.available("tee", by=past + DAY, now=past) == 5

    with om.open(path) as again:
        assert again.available("tee", by=past + DAY, now=past) == 5
        assert again.verify().ok


def test_a_new_store_needs_a_network(tmp_path):
    with pytest.raises(om.InputError, match="give the network"):
        om.open(tmp_path / "new.db")


def test_everything_is_there_again_after_reopening(tmp_path):
    path = tmp_path / "shop.db"
    with om.open(path, make_network(), clock=lambda: NOW) as first:
        first.receive("tee", "dc", 10)
        first.expect("tee", "shop", 5, NOW + 3 * DAY, "PO-1")
        first.set_buffer("tee", 1, node="dc")
        first.set_quota("tee", "web", 6)
        hold = first.reserve("O-1", [("tee", 4)], channel="web", ttl_s=60, request_id="r-1")
        stock = first.stock()

    with om.open(path, clock=lambda: NOW) as again:
        assert again.stock().equals(stock)
        assert again.hold(hold.hold_id) == hold
        assert again.available("tee", channel="web") == 2
        assert again.reserve(
            "O-1", [("tee", 4)], channel="web", ttl_s=60, request_id="r-1"
        ).hold_id == hold.hold_id  # fmt: skip
        again.receive("tee", "shop", 5, reference="PO-1")
        assert again.verify().ok


def test_new_articles_nodes_and_channels_join_an_existing_store(tmp_path):
    path = tmp_path / "shop.db"
    with om.open(path, make_network(), clock=lambda: NOW) as first:
        first.receive("tee", "dc", 3)
    more = om.Network.build(
        skus=[*make_network().skus.values(), "sock"],
        nodes=[*make_network().nodes.values(), om.Node("north", priority=-1)],
        channels=[*make_network().channels.values(), "social"],
    )

    with om.open(path, more, clock=lambda: NOW) as again:
        again.receive("tee", "north", 3)
        again.receive("sock", "north", 2)
        hold = again.reserve("O", [("tee", 3)], channel="social")

    assert [line.node for line in hold.lines] == ["north"]


def test_a_unit_scale_cannot_change_under_existing_stock(tmp_path):
    path = tmp_path / "shop.db"
    om.open(path, make_network(), clock=lambda: NOW).close()
    changed = om.Network.build(
        skus=["tee", "cap", "rice", make_network().skus["set"]],
        nodes=make_network().nodes.values(),
    )

    with pytest.raises(om.InputError, match=r"'rice'.*none of these can change"):
        om.open(path, changed, clock=lambda: NOW)


def test_a_damaged_ledger_is_refused_with_the_frame(tmp_path):
    path = tmp_path / "shop.db"
    with om.open(path, make_network(), clock=lambda: NOW) as first:
        for _ in range(3):
            first.receive("tee", "dc", 1)
    with sqlite3.connect(path) as raw:
        (blob,) = raw.execute("SELECT frame FROM frames WHERE sequence = 3").fetchone()
        broken = bytearray(blob)
        broken[-20] ^= 1
        raw.execute("UPDATE frames SET frame = ? WHERE sequence = 3", (bytes(broken),))
    raw.close()

    with pytest.raises(LedgerError, match="frame 3 is damaged"):
        om.open(path, clock=lambda: NOW)


def test_a_reader_answers_beside_the_writer_and_takes_no_commands(tmp_path):
    path = tmp_path / "shop.db"
    with om.open(path, make_network(), clock=lambda: NOW) as writer:
        writer.receive("tee", "dc", 7)
        with om.open(path, read_only=True, clock=lambda: NOW) as reader:
            with pytest.raises(LedgerError, match="reading only"):
                reader.receive("tee", "dc", 1)
            assert reader.available("tee") == 7
            assert reader.verify().ok
        writer.receive("tee", "dc", 1)
        assert writer.available("tee") == 8


def test_many_buyers_get_exactly_what_there_is():
    with om.open(":memory:", make_network(), clock=lambda: NOW) as engine:
        engine.receive("tee", "dc", 25)
        sold: list[int] = []

        def buy(buyer: int) -> None:
            for k in range(5):
                try:
                    engine.reserve(f"O-{buyer}-{k}", [("tee", 1)], channel="web")
                except om.OutOfStock:
                    continue
                sold.append(buyer)

        threads = [threading.Thread(target=buy, args=(buyer,)) for buyer in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(sold) == 25
        assert engine.available("tee") == 0
        assert engine.verify().ok


def test_a_ledger_that_cannot_be_written_stops_the_engine(engine, monkeypatch):
    engine.receive("tee", "dc", 5)

    def full(sequence, blob):
        raise OSError("no space left on device")

    monkeypatch.setattr(engine._writer.store, "append", full)

    with pytest.raises(LedgerError, match="no space left"):
        engine.receive("tee", "dc", 5)
    monkeypatch.undo()
    with pytest.raises(LedgerError, match="must be opened anew"):
        engine.receive("tee", "dc", 5)


def _use_in_child(engine, queue):
    try:
        engine.receive("tee", "dc", 1)
        queue.put("took it")
    except LedgerError as error:
        queue.put(str(error))


def test_a_forked_child_may_not_use_the_engine(engine):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_use_in_child, args=(engine, queue))
    child.start()

    assert "before a fork" in queue.get(timeout=60)
    child.join()


def test_the_same_request_with_another_content_is_a_conflict(engine):
    engine.receive("tee", "dc", 5, request_id="r")
    engine.receive("tee", "dc", 5, request_id="r")

    assert engine.available("tee") == 5
    with pytest.raises(om.ConflictError, match="used before"):
        engine.receive("tee", "dc", 6, request_id="r")


def test_a_refusal_is_repeated_even_when_stock_has_come_since(engine):
    with pytest.raises(om.OutOfStock):
        engine.reserve("O", [("tee", 1)], request_id="r")
    engine.receive("tee", "dc", 5)

    with pytest.raises(om.OutOfStock):
        engine.reserve("O", [("tee", 1)], request_id="r")
    assert engine.reserve("O", [("tee", 1)], request_id="s").status == "confirmed"


def test_a_release_by_lines_is_answered_again_after_it_has_happened(engine):
    engine.receive("tee", "dc", 5)
    hold = engine.reserve("O", [("tee", 3)])

    first = engine.release(hold, [("tee", 3)], request_id="r")
    again = engine.release(hold, [("tee", 3)], request_id="r")

    assert again.duplicate
    assert first == dataclasses.replace(again, duplicate=False)
    assert engine.available("tee") == 5


def test_a_hold_counts_until_the_second_it_expires(engine):
    engine.receive("tee", "dc", 5)
    hold = engine.reserve("O", [("tee", 5)], ttl_s=60, now=NOW)

    assert engine.available("tee", now=NOW + 59) == 0
    assert engine.available("tee", now=NOW + 60) == 5
    assert engine.hold(hold.hold_id).status == "expired"


def test_confirming_after_expiry_asks_for_the_units_again(engine):
    engine.receive("tee", "dc", 5)
    lost = engine.reserve("O-1", [("tee", 3)], ttl_s=60)
    kept = engine.reserve("O-2", [("tee", 2)], ttl_s=60)
    engine.reserve("O-3", [("tee", 2)], now=NOW + 61)

    assert engine.confirm(kept).status == "confirmed"
    with pytest.raises(om.OutOfStock):
        engine.confirm(lost)


def test_named_nodes_are_served_before_lines_that_may_go_anywhere(engine):
    engine.receive("tee", "dc", 5)
    engine.receive("tee", "shop", 5)

    hold = engine.reserve("O", [("tee", 5), ("tee", 5, "dc")])

    assert sorted((line.node, line.quantity) for line in hold.lines) == [("dc", 5), ("shop", 5)]


def test_an_order_goes_in_one_package_if_one_node_has_all(engine):
    engine.receive("tee", "dc", 5)
    engine.receive("tee", "shop", 5)
    engine.receive("cap", "shop", 5)

    hold = engine.reserve("O", [("tee", 2), ("cap", 1)])

    assert {line.node for line in hold.lines} == {"shop"}


def test_lines_that_share_a_component_are_summed(engine):
    engine.receive("tee", "dc", 5)
    engine.receive("cap", "dc", 5)

    with pytest.raises(om.OutOfStock) as caught:
        engine.reserve("O", [("set", 2), ("cap", 2)])

    assert [(one.sku, one.available) for one in caught.value.shortages] == [("cap", 1)]
    assert engine.available("set") == 2


def test_a_shortage_says_when_the_whole_quantity_is_possible(engine):
    engine.receive("tee", "dc", 2)
    engine.expect("tee", "dc", 5, NOW + 3 * DAY, "PO")

    with pytest.raises(om.OutOfStock) as caught:
        engine.reserve("O", [("tee", 6)])

    (short,) = caught.value.shortages
    assert (short.available, short.next_date) == (2, "2024-10-07")
    assert engine.reserve("O", [("tee", 6)], by="2024-10-07").status == "confirmed"


def test_early_stock_is_held_back_by_a_later_commitment(engine):
    engine.receive("tee", "dc", 5)
    engine.reserve("LATER", [("tee", 4)], by=NOW + 5 * DAY)

    assert engine.available("tee") == 1
    assert [row.atp for row in engine.atp("tee", "dc")[:6]] == [1] * 6


def test_an_overdue_receipt_promises_nothing_until_it_is_dated_anew(engine):
    engine.expect("tee", "dc", 5, NOW + DAY, "PO")

    assert engine.available("tee", by=NOW + DAY) == 5
    assert engine.available("tee", now=NOW + 2 * DAY, by=NOW + 9 * DAY) == 0
    engine.expect("tee", "dc", 5, NOW + 4 * DAY, "PO")
    assert engine.available("tee", by=NOW + 4 * DAY) == 5


def test_a_protection_keeps_units_for_its_channel_alone(engine):
    engine.receive("tee", "dc", 10)
    engine.set_protection("tee", "app", 4)

    assert engine.available("tee", channel="web") == 6
    assert engine.available("tee", channel="app") == 10
    engine.reserve("O", [("tee", 3)], channel="app")
    assert engine.available("tee", channel="web") == 6
    with pytest.raises(om.OutOfStock, match="protection"):
        engine.reserve("P", [("tee", 7)], channel="web")


def test_a_protection_and_a_quota_end_at_their_second(engine):
    engine.receive("tee", "dc", 10)
    engine.set_protection("tee", "app", 4, until=NOW + 60)
    engine.set_quota("tee", "web", 2, until=NOW + 90)

    assert engine.available("tee", channel="store", node="shop") == 0
    assert engine.available("tee", channel="web", now=NOW + 59) == 2
    assert engine.available("tee", now=NOW + 59) == 6
    assert engine.available("tee", now=NOW + 60) == 10
    assert engine.available("tee", channel="web", now=NOW + 89) == 2
    assert engine.available("tee", channel="web", now=NOW + 90) == 10


def test_weights_are_exact_decimals(engine):
    engine.receive("rice", "dc", "0.36")
    for k in range(3):
        engine.reserve(f"O-{k}", [("rice", "0.12")])

    assert engine.available("rice") == 0
    with pytest.raises(om.InputError, match="whole number of smallest units"):
        engine.receive("rice", "dc", "0.0001")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.receive("tea", "dc", 1), "unknown SKU 'tea'"),
        (lambda e: e.receive("tee", "cd", 1), "unknown node 'cd'"),
        (lambda e: e.available("tee", channel="tv"), "unknown channel 'tv'"),
        (lambda e: e.receive("tee", "dc", 0), "quantity must be >= 1"),
        (lambda e: e.receive("tee", "dc", -3), "quantity must be >= 1"),
        (lambda e: e.receive("tee", "dc", "two"), "is not a quantity"),
        (lambda e: e.receive("tee", "dc", 10**12), "at most"),
        (lambda e: e.receive("set", "dc", 1), "is a kit"),
        (lambda e: e.receive("tee", "dc", 1, reference="PO-9"), "unknown receipt"),
        (lambda e: e.reserve("O", []), "1 to"),
        (lambda e: e.reserve("O", [("tee", 1)], ttl_s=0), "ttl_s must be >= 1"),
        (lambda e: e.reserve("O", [("tee", 1)], by="soon"), "is not an ISO date"),
        (lambda e: e.confirm(7), "unknown hold '7'"),
        (lambda e: e.ship("nobody"), "unknown order 'nobody'"),
        (lambda e: e.set_buffer("tee", 1, percent=5), "give one of quantity, percent"),
        (lambda e: e.set_buffer("tee", node="dc"), "give one of quantity, percent"),
        (lambda e: e.receive("tee", "dc", 1, request_id=""), "request_id must be"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(engine, call, message):
    before = engine.stock()

    with pytest.raises(om.InputError, match=message):
        call(engine)
    assert engine.available("tee") == 0
    assert engine.verify().ok
    assert engine.stock().filter(pa.compute.not_equal(engine.stock()["on_hand"], 0)).num_rows == 0
    assert before.num_rows == 0


def test_numbers_that_a_record_cannot_hold_are_refused(engine):
    most = 1_000_000_000
    engine.receive("tee", "dc", most)
    engine.expect("tee", "dc", most, NOW + DAY, "PO-1")

    for call in (
        lambda: engine.receive("tee", "dc", 1),
        lambda: engine.adjust("tee", "dc", 1),
        lambda: engine.expect("tee", "dc", 1, NOW + DAY, "PO-2"),
    ):
        with pytest.raises(om.InputError, match="would hold more than"):
            call()
    engine.expect("tee", "dc", most - 5, NOW + DAY, "PO-1")
    engine.expect("tee", "dc", 5, NOW + DAY, "PO-2")
    assert engine.available("tee", by=NOW + DAY) == 2 * most
    assert engine.verify().ok


def test_shipping_more_than_is_on_hand_is_refused_whole(engine):
    engine.receive("tee", "dc", 5)
    engine.receive("cap", "dc", 5)
    hold = engine.reserve("O", [("cap", 2), ("tee", 4)])
    engine.count("tee", "dc", 3)

    with pytest.raises(om.OutOfStock, match="asked 4, available 3") as caught:
        engine.ship(hold)
    assert caught.value.code == "insufficient_on_hand"
    after = [(one.sku, one.quantity, one.shipped) for one in engine.hold(hold.hold_id).lines]
    assert after == [("cap", 2, 0), ("tee", 4, 0)]
    assert engine.verify().ok


@pytest.mark.parametrize(("asked", "binding"), [(4, "promises"), (9, "stock")])
def test_a_sale_over_the_counter_leaves_promised_units(engine, asked, binding):
    engine.receive("tee", "shop", 5)
    engine.reserve("O", [("tee", 2)])

    with pytest.raises(om.OutOfStock) as caught:
        engine.issue("tee", "shop", asked)

    (short,) = caught.value.shortages
    assert (short.available, short.binding) == (3, binding)
    engine.issue("tee", "shop", 3)
    engine.issue("tee", "shop", 1, force=True)
    assert engine.atp("tee", "shop")[0].projected == -1


def test_a_count_below_what_is_promised_is_taken_and_shows(engine):
    engine.receive("tee", "dc", 5)
    engine.reserve("O", [("tee", 4)])
    engine.count("tee", "dc", 2)

    assert engine.available("tee") == 0
    assert engine.atp("tee", "dc")[0].projected == -2
    engine.receive("tee", "shop", 3)
    assert engine.available("tee") == 3


def test_a_batch_reports_each_row_and_raises_for_none(engine):
    engine.receive("tee", "dc", 5)

    outcomes = engine.reserve_many(
        [
            Reserve("O-1", [("tee", 4)]),
            Reserve("O-2", [("tee", 4)]),
            Reserve("O-3", [("hat", 1)]),
            Reserve("O-4", [("tee", 1)]),
        ]
    )

    assert [one.status for one in outcomes] == ["confirmed", "rejected", "rejected", "confirmed"]
    assert "asked 4, available 1" in outcomes[1].reason
    assert "unknown SKU 'hat'" in outcomes[2].reason


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table, dict])
def test_a_table_of_questions_is_answered_in_its_own_kind(engine, kind):
    engine.receive_many(kind({"sku": ["tee", "cap"], "node": ["dc", "shop"], "quantity": [7, 4]}))

    answers = engine.availability(kind({"sku": ["set", "tee"], "channel": ["web", "store"]}))

    assert isinstance(answers, pa.Table if kind in (dict, pa.table) else kind)
    assert list(answers["available"].to_pylist() if kind in (dict, pa.table) else
                answers["available"]) == [2, 0]  # fmt: skip


def test_a_bad_row_leaves_the_whole_table_undone(engine):
    table = {"sku": ["tee", "hat", "cap"], "node": ["dc", "dc", "north"], "quantity": [1, 2, 3]}

    with pytest.raises(FrameError) as caught:
        engine.receive_many(table)

    assert {(one.row, one.column) for one in caught.value.problems} == {(2, "sku"), (3, "node")}
    assert engine.stock().num_rows == 0


def test_time_never_runs_backwards(engine):
    engine.receive("tee", "dc", 1, now=NOW + 100)
    hold = engine.reserve("O", [("tee", 1)], ttl_s=10, now=NOW + 5)

    assert hold.expires_at == NOW + 110


def test_the_auditor_notices_a_number_changed_behind_the_ledger(engine):
    engine.receive("tee", "dc", 5)
    engine._writer.state.records[0, 0] += 1

    verification = engine.verify()

    assert not verification.ok
    assert "available from bucket +0: engine 6, ledger 5" in verification.differences[0]
