"""Many callers and many orders at once: threads, coroutines, arrays."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import omnistock as om
from omnistock.engine import Reserve

NOW = 1_728_000_000
SKUS = ["tee", "cap", "set"]


def make_engine(path=":memory:"):
    network = om.Network.build(
        skus=["tee", "cap", om.Sku("set", components=(("tee", 2), ("cap", 1)))],
        nodes=["dc", "shop"],
        channels=["web", om.Channel("counter", nodes=("shop",))],
    )
    return om.open(path, network, clock=lambda: NOW)


def stocked(units):
    engine = make_engine()
    for sku in ("tee", "cap"):
        for node in ("dc", "shop"):
            engine.receive(sku, node, units)
    return engine


def test_threads_sell_exactly_what_is_there(tmp_path):
    sold, refused = [], []
    with make_engine(tmp_path / "shop.db") as engine:
        engine.receive("tee", "dc", 100)

        def buy(buyer):
            for k in range(5):
                try:
                    sold.append(engine.reserve(f"O-{buyer}-{k}", [("tee", 1)], channel="web"))
                except om.OutOfStock as error:
                    refused.append(error)

        threads = [threading.Thread(target=buy, args=(buyer,)) for buyer in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert (len(sold), len(refused)) == (100, 100)
        assert len({hold.hold_id for hold in sold}) == 100
        assert engine.available("tee", channel="web") == 0
        assert engine.verify().differences == ()


def test_a_thousand_coroutines_sell_exactly_what_is_there(tmp_path):
    async def flash_sale(engine):
        shop = om.AsyncEngine(engine)
        holds = await asyncio.gather(*(shop.take("tee", request_id=k + 1) for k in range(1000)))
        again = await asyncio.gather(*(shop.take("tee", request_id=k + 1) for k in range(1000)))
        assert again == holds
        with pytest.raises(om.ConflictError):
            await shop.take("tee", 2, request_id=1)
        hold = await shop.reserve("O", [("cap", 1)], channel="web", ttl_s=60, request_id="O")
        assert (await shop.confirm(hold)).status == "confirmed"
        assert (await shop.release(hold)).status == "released"
        with pytest.raises(om.OutOfStock, match="available 3"):
            await shop.reserve("P", [("cap", 9)])
        return holds

    with make_engine(tmp_path / "shop.db") as engine:
        engine.receive("tee", "dc", 300)
        engine.receive("cap", "dc", 3)
        holds = asyncio.run(flash_sale(engine))

        assert sum(hold >= 0 for hold in holds) == 300
        assert engine.available("tee") == 0
        assert engine.verify().differences == ()


orders = st.lists(
    st.lists(
        st.tuples(st.sampled_from(range(3)), st.integers(1, 4), st.sampled_from([-1, 0, 1])),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(orders=orders, channel=st.sampled_from([None, "web", "counter"]), partial=st.booleans())
def test_arrays_reserve_what_single_orders_would(orders, channel, partial):
    one_by_one, at_once = stocked(9), stocked(9)
    names = ["dc", "shop"]
    requests = [
        Reserve(
            str(number),
            [
                (SKUS[sku], units, *([names[node]] if node >= 0 else []))
                for sku, units, node in lines
            ],
            channel=channel,
            partial=partial,
        )
        for number, lines in enumerate(orders)
    ]
    lines = np.array([line for order in orders for line in order], np.int64)

    singles = one_by_one.reserve_many(requests)
    arrays = at_once.reserve_arrays(
        np.cumsum([0, *map(len, orders)]),
        at_once.sku_codes(SKUS)[lines[:, 0]],
        lines[:, 1],
        nodes=np.where(lines[:, 2] < 0, -1, at_once.node_codes(names)[lines[:, 2]]),
        orders=np.arange(len(orders)),
        channel=channel,
        partial=partial,
    )

    assert arrays.ok.tolist() == [one.ok for one in singles]
    assert [at_once.hold(hold) for hold in arrays.hold.tolist() if hold >= 0] == [
        one_by_one.hold(one.hold.hold_id) for one in singles if one.ok
    ]
    assert at_once.verify().differences == ()


def test_arrays_answer_a_repeated_request_as_before():
    engine = stocked(5)
    tee = engine.sku_codes(["tee"])
    ids = np.array([[7, 8], [0, 9]], np.int64)

    first = engine.reserve_arrays([0, 1, 2], np.repeat(tee, 2), [8, 8], request_ids=ids)
    again = engine.reserve_arrays([0, 1, 2], np.repeat(tee, 2), [8, 8], request_ids=ids)
    other = engine.reserve_arrays([0, 1, 2], np.repeat(tee, 2), [8, 7], request_ids=ids)

    assert first.ok.tolist() == again.ok.tolist() == [True, False]
    assert first.hold.tolist() == again.hold.tolist()
    assert other.outcome.tolist() == [0, 2]
    assert engine.available("tee") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 1], [0], [1]), "line_offsets must begin with 0"),
        (([0, 2], [0], [1]), "end with the number of lines 1"),
        (([0, 1], [7], [1]), "skus must be codes"),
        (([0, 1], [0], [0]), "quantities must lie in"),
        (([0, 1], [0.5], [1]), "skus must hold integers"),
    ],
)
def test_arrays_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(om.InputError, match=message):
        stocked(1).reserve_arrays(*(np.array(one) for one in arguments))


def test_the_bare_path_answers_like_the_long_one():
    engine = stocked(6)
    handle = engine.handle("tee", "dc")
    engine.reserve("O", [("tee", 2, "dc")])
    engine.set_buffer("tee", 1, node="dc")
    assert engine.free(handle) == engine.available("tee", node="dc") == 3
    handles = [engine.handle(sku, node) for sku in ("tee", "cap") for node in ("dc", "shop")]
    assert engine.free_many(handles).tolist() == [3, 6, 6, 6]
    with pytest.raises(om.InputError, match="numbers of stockpoints"):
        engine.free_many([4])

    engine.receive("tee", "dc", 4, lot="L1")
    assert engine.free(handle) == 3
    assert engine.available("tee", node="dc") == 7

    with pytest.raises(om.UnknownError) as caught:
        make_engine().handle("tee", "dc")
    assert caught.value.code == "not_stocked"


def test_a_crossing_is_told_once_and_after_its_frame():
    engine = make_engine()
    engine.watch([("out", 0), ("low", 3), ("plenty", None)], skus=["tee"], channels=["web"])

    engine.receive("tee", "dc", 10)
    engine.reserve("A", [("tee", 6)], channel="web", ttl_s=60)
    engine.reserve("B", [("tee", 2)], channel="web")
    engine.reserve("C", [("tee", 2)], channel="web")

    told = [(one.old, one.new, one.available) for one in engine.changes()]
    assert told == [("out", "plenty", 10), ("plenty", "low", 2), ("low", "out", 0)]
    assert engine.changes() == []
    assert [(one.old, one.new) for one in engine.changes(now=NOW + 60)] == [("out", "plenty")]
