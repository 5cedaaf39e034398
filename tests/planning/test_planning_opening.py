"""Opening an engine on a plan: it stands where the tables say, and nothing is lost."""

from __future__ import annotations

import pytest
from small_tables import END, small_tables

import omnistock as om
from omnistock.errors import InputError
from omnistock.planning import load_engine


@pytest.fixture(scope="module")
def small_plan():
    return om.plan(small_tables(), horizon_days=14)


def test_the_engine_holds_the_tables_stock(small_plan):
    with small_plan.open_engine() as engine:
        stock = {(row["sku"], row["node"]): row for row in engine.stock(now=END).to_pylist()}

        assert stock["TEE", "DC"]["on_hand"] == 20
        assert stock["TEA", "DC"]["on_hand"] == 31_500  # grams
        assert stock["TEE", "DC"]["inbound"] == 12
        assert stock["TEA", "DC"]["inbound"] == 5_250
        assert engine.verify().ok


def test_open_orders_are_hard_reservations(small_plan):
    loaded = load_engine(small_plan)

    assert (loaded.placed, loaded.refused) == (2, ())
    holds = {hold.order: hold for hold in loaded.engine.holds(now=END)}
    assert {hold.status for hold in holds.values()} == {"confirmed"}
    lines = {(line.sku, line.node): line.quantity for line in holds["O-1"].lines}
    assert lines["TEE", "DC"] == 2
    assert sum(units for (sku, _), units in lines.items() if sku == "MUG") == 2
    assert sum(units for (sku, _), units in lines.items() if sku == "TEA") == 250
    loaded.engine.close()


def test_quotas_and_buffers_stand_between_stock_and_a_promise(small_plan):
    allocation = {(row["sku"], row["channel"]): row for row in small_plan.allocation.to_pylist()}
    market = allocation["TEE", "market"]

    with small_plan.open_engine() as engine:
        assert market["quota"] is not None
        assert engine.available("TEE", channel="market", now=END) <= market["quota"]
        for channel in ("store", "web", "market"):
            others = sum(
                row["protection"]
                for (sku, name), row in allocation.items()
                if sku == "TEE" and name != channel
            )
            assert engine.available("TEE", channel=channel, now=END) <= max(24 - 5 - others, 0)
        buffer = small_plan.channel_buffers.to_pylist()
        assert {row["channel"] for row in buffer} == {"market"}


def test_an_order_that_stock_cannot_meet_is_reported_and_the_rest_kept():
    tables = small_tables()
    tables["orders"]["quantity"][2] = 500
    plan = om.plan(tables, horizon_days=7)

    with pytest.warns(UserWarning, match="O-2"):
        engine = plan.open_engine()

    assert [hold.order for hold in engine.holds(status="confirmed", now=END)] == ["O-1"]
    engine.close()


def test_an_engine_on_disk_opens_again_as_it_was(small_plan, tmp_path):
    path = tmp_path / "shop.db"
    engine = small_plan.open_engine(path)
    before = engine.stock(now=END).to_pylist()
    engine.close()

    with om.open(path) as again:
        assert again.stock(now=END).to_pylist() == before
        assert again.verify().ok


def test_an_existing_file_is_never_loaded_into(small_plan, tmp_path):
    path = tmp_path / "shop.db"
    path.write_bytes(b"precious")

    with pytest.raises(InputError, match="exists"):
        small_plan.open_engine(path)

    assert path.read_bytes() == b"precious"


def test_a_loading_broken_off_leaves_no_file(small_plan, tmp_path, monkeypatch):
    from omnistock.engine import Engine

    def break_off(self, *args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "reserve_many", break_off)

    with pytest.raises(KeyboardInterrupt):
        small_plan.open_engine(tmp_path / "shop.db")

    assert list(tmp_path.iterdir()) == []


def test_the_engine_begins_on_the_plans_morning(small_plan):
    assert small_plan.as_of == END
    with small_plan.open_engine() as engine:
        rows = engine.atp("TEE", "DC", now=END)
        assert rows[0].bucket == END.isoformat()


def test_a_delivery_in_parts_is_expected_in_parts():
    tables = small_tables()
    tables["inbound"]["reference"][1] = "PO-1"
    tables["inbound"]["sku"][1] = "TEE"
    tables["inbound"]["quantity"][1] = 7
    plan = om.plan(tables, horizon_days=7)

    with plan.open_engine() as engine:
        rows = engine.atp("TEE", "DC", now=END)

    assert [row.receipts for row in rows[:5]] == [7, 0, 0, 12, 0]
