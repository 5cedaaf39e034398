"""An allocation put into force: quotas, protections and ring-fences in one command."""

import asyncio
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import omnistock as om
from omnistock.allocation import allocate
from omnistock.engine import Receive
from omnistock.engine.allocation_commands import ApplyAllocation

DAY = 86_400
NOW = 20_000 * DAY


def opened(path=":memory:"):
    network = om.Network.build(
        skus=["TEE", "MUG"], nodes=["DC", "SHOP"], channels=["web", "app", "b2b"]
    )
    return om.open(str(path), network, clock=lambda: NOW)


def claims(**more):
    table = {
        "sku": ["TEE", "TEE", "MUG"],
        "channel": ["web", "app", "web"],
        "quantity": [30, 30, 5],
    }
    return table | more


def shared(tee=40, **more):
    return allocate({"sku": ["TEE", "MUG"], "quantity": [tee, 9]}, claims(**more))


@pytest.fixture
def engine():
    with opened() as one:
        one.receive("TEE", "DC", 40)
        one.receive("MUG", "SHOP", 9)
        yield one


def test_quotas_and_protections_of_all_claims_are_set_in_one_frame(engine):
    before = engine._writer.sequence

    applied = engine.apply_allocation(shared(guarantee=[10, 0, 0]))

    assert engine._writer.sequence == before + 1
    assert (applied.quotas, applied.protections, applied.ring_fences) == (3, 3, 0)
    assert engine.available("TEE", channel="web") == 20
    assert engine.available("TEE", channel="app") == 20
    assert engine.protected("TEE", "web") == 10
    assert engine.available("TEE", channel="b2b") == 30
    assert engine.available("MUG", channel="web") == 9
    assert engine.verify().ok


def test_the_same_request_again_changes_nothing_and_other_content_is_refused(engine):
    first = engine.apply_allocation(shared(), request_id="monday")
    engine.reserve("O1", [("TEE", 5)], channel="web")

    again = engine.apply_allocation(shared(), request_id="monday")

    assert again == first
    assert engine.available("TEE", channel="web") == 15
    with pytest.raises(om.ConflictError):
        engine.apply_allocation(shared(30), request_id="monday")
    assert engine.available("TEE", channel="web") == 15


def test_a_run_that_knows_what_was_consumed_gives_each_channel_the_rest(engine):
    engine.apply_allocation(shared())
    engine.reserve("O1", [("TEE", 7)], channel="web")

    again = shared(consumed=[7, 0, 0], granted_before=[20, 20, 5])
    engine.apply_allocation(again)

    assert again.granted.tolist() == [20, 20, 5]
    assert engine.available("TEE", channel="web") == 13
    assert engine.available("TEE", channel="app") == 20


def test_limits_end_when_they_are_told_to(engine):
    engine.apply_allocation(shared(), until=NOW + 60)

    assert engine.available("TEE", channel="web", now=NOW + 59) == 20
    assert engine.available("TEE", channel="web", now=NOW + 60) == 40


def test_a_ring_fence_is_brought_to_the_grant_whether_it_had_more_or_less(engine):
    engine.allocate("TEE", "web", 35)

    engine.apply_allocation(shared(), ways=["ring_fence"])

    assert engine.ring_fenced("TEE", "web") == 20
    assert engine.ring_fenced("TEE", "app") == 20
    assert engine.ring_fenced("MUG", "web") == 5
    assert engine.available_to_allocate("TEE") == 0
    assert engine.available("TEE", segment="app") == 20
    assert engine.verify().ok


@pytest.mark.parametrize("how", ["a buffer that will fall", "supply without end from then on"])
def test_units_promised_for_later_are_never_ring_fenced(how):
    """Later days look free to new orders; the units that are promised for them are still owed."""
    fence = 3 if how.startswith("supply") else None
    tee = om.Sku("TEE", replenishment_buckets=fence)
    network = om.Network.build(skus=[tee, "MUG"], nodes=["DC"], channels=["web", "app"])
    with om.open(":memory:", network, clock=lambda: NOW) as engine:
        engine.receive("TEE", "DC", 10)
        engine.receive("MUG", "DC", 9)
        engine.reserve("O1", [("TEE", 8)], by=NOW + 4 * DAY)
        if fence is None:
            engine.set_buffer("TEE", 10, node="DC")
            engine.set_buffer("TEE", 0, node="DC", since=NOW + DAY)

        assert engine.available_to_allocate("TEE") == 2
        with pytest.raises(om.OutOfStock) as caught:
            engine.apply_allocation(shared(), ways=["ring_fence"])
        assert caught.value.shortages[0].available == 2
        assert engine.ring_fenced("MUG") == 0
        assert engine.allocate("TEE", "web", 2) == 0


def test_a_ring_fence_that_finds_too_little_changes_nothing_at_all(engine):
    engine.reserve("O1", [("TEE", 1)])
    before = engine._writer.sequence

    with pytest.raises(om.OutOfStock) as caught:
        engine.apply_allocation(shared(), ways=["quota", "ring_fence"])

    (short,) = caught.value.shortages
    assert (short.sku, short.requested, short.available) == ("TEE", 20, 19)
    assert engine._writer.sequence == before
    assert engine.ring_fenced("TEE") == engine.ring_fenced("MUG") == 0
    assert engine.available("TEE", channel="web") == 39


def test_claims_of_a_channel_at_nodes_are_fenced_there_and_limited_together(engine):
    engine.receive("TEE", "SHOP", 10)
    supply = {"sku": ["TEE"], "quantity": [50]}
    table = {
        "sku": ["TEE", "TEE"],
        "channel": ["web", "web"],
        "node": ["DC", "SHOP"],
        "quantity": [12, 4],
    }

    applied = engine.apply_allocation(allocate(supply, table), ways=["quota", "ring_fence"])

    assert (applied.quotas, applied.ring_fences) == (1, 2)
    assert engine.available("TEE", segment="web", node="SHOP", channel="b2b") == 10
    assert engine.ring_fenced("TEE", "web") == 16
    assert engine.available("TEE", channel="web") == 34
    assert engine.available("TEE", segment="web", channel="web") == 50


def test_what_is_applied_is_there_again_after_reopening(tmp_path):
    with opened(tmp_path / "shop.db") as engine:
        engine.receive("TEE", "DC", 40)
        engine.apply_allocation(shared(), ways=["quota"], request_id="monday")
    with opened(tmp_path / "shop.db") as engine:
        assert engine.available("TEE", channel="web") == 20
        engine.apply_allocation(shared(), ways=["quota"], request_id="monday")
        assert engine.verify().ok


def test_wrong_claims_are_named_before_anything_is_done(engine):
    supply = {"sku": ["TEE", "CAP"], "quantity": [5, 5]}
    unknown = allocate(supply, {"sku": ["CAP"], "channel": ["web"], "quantity": [5]})
    with pytest.raises(om.FrameError, match=r"claims, row 1, column 'sku'.*CAP"):
        engine.apply_allocation(unknown)
    stores = allocate(supply, {"sku": ["TEE"], "node": ["SHOP"], "quantity": [5]})
    with pytest.raises(om.FrameError, match="needs a channel"):
        engine.apply_allocation(stores)
    both = {"sku": ["TEE"] * 2, "channel": ["web"] * 2, "node": ["", "SHOP"], "quantity": [5, 5]}
    with pytest.raises(om.FrameError, match=r"row 2, column 'node'.*at all nodes too"):
        engine.apply_allocation(allocate(supply, both))
    with pytest.raises(om.InputError, match="ways must be some of quota, protection, ring_fence"):
        engine.apply_allocation(shared(), ways=["floor"])
    with pytest.raises(om.InputError, match="ways must be"):
        engine.apply_allocation(shared(), ways="quota")


def test_ring_fences_are_not_decided_behind_commands_that_may_take_their_units(engine):
    commands = [Receive("TEE", "DC", 1), ApplyAllocation(fences=(("TEE", "web", "", 2),))]

    outcomes = engine.execute(commands)

    assert isinstance(outcomes[1].error, om.InputError)
    assert engine.ring_fenced("TEE", "web") == 0


def test_coroutines_may_apply_an_allocation_beside_other_commands(engine):
    async def together():
        shop = om.AsyncEngine(engine)
        return await asyncio.gather(
            shop.execute(Receive("TEE", "DC", 2)),
            shop.execute(ApplyAllocation(fences=(("TEE", "web", "", 42),))),
            shop.execute(Receive("MUG", "SHOP", 1)),
        )

    outcomes = asyncio.run(together())

    assert [one.error for one in outcomes] == [None, None, None]
    assert engine.ring_fenced("TEE", "web") == 42


def test_buyers_who_come_meanwhile_never_split_an_allocation(tmp_path):
    def buy(engine, name):
        for k in range(25):
            try:
                engine.reserve(f"{name}-{k}", [("TEE", 1)])
            except om.OutOfStock:
                return

    with opened(tmp_path / "shop.db") as engine:
        engine.receive("TEE", "DC", 60)
        engine.receive("MUG", "SHOP", 9)
        buyers = [threading.Thread(target=buy, args=(engine, name)) for name in "AB"]
        for one in buyers:
            one.start()
        try:
            engine.apply_allocation(shared(), ways=["quota", "protection", "ring_fence"])
            applied = True
        except om.OutOfStock:
            applied = False
        for one in buyers:
            one.join()

        fenced = [engine.ring_fenced("TEE", name) for name in ("web", "app")]
        fenced.append(engine.ring_fenced("MUG", "web"))
        assert fenced == ([20, 20, 5] if applied else [0, 0, 0])
        assert engine.verify().ok


steps = st.lists(
    st.tuples(
        st.sampled_from(["receive", "expect", "reserve", "fence", "late", "buffer"]),
        st.sampled_from(["DC", "SHOP"]),
        st.integers(1, 12),
        st.sampled_from(["web", "app"]),
    ),
    max_size=8,
)
targets = st.tuples(st.integers(0, 15), st.integers(0, 15), st.sampled_from(["", "DC", "SHOP"]))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(steps, targets)
def test_ring_fences_come_out_as_asked_or_nothing_changes(steps, targets):
    web, app, node = targets
    with opened() as engine:
        engine.receive("TEE", "DC", 5)
        for what, place, units, group in steps:
            try:
                if what == "receive":
                    engine.receive("TEE", place, units)
                elif what == "expect":
                    engine.expect("TEE", place, units, eta=NOW + 3 * DAY, reference=f"PO{units}")
                elif what == "reserve":
                    engine.reserve("O", [("TEE", units)], node=place)
                elif what == "late":
                    engine.reserve("L", [("TEE", units)], node=place, by=NOW + 4 * DAY)
                elif what == "buffer":
                    engine.set_buffer("TEE", units, node=place)
                else:
                    engine.allocate("TEE", group, units, node=place)
            except om.OutOfStock:
                pass
        before = engine.stock().to_pylist()
        command = ApplyAllocation(fences=(("TEE", "web", node, web), ("TEE", "app", "", app)))

        (outcome,) = engine.execute([command])

        if outcome.error is None:
            fenced = {"web": 0, "app": 0}
            for segment, place, units in engine._segments("TEE"):
                if segment == "app" or (segment == "web" and node in ("", place)):
                    fenced[segment] += units
            assert fenced == {"web": web, "app": app}
        else:
            assert isinstance(outcome.error, om.OutOfStock)
            assert engine.stock().to_pylist() == before
        assert engine.verify().ok
