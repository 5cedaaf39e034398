"""The short way of a reservation comes to what the long way would, to the last word."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

import omnistock as om
from omnistock.availability import layout
from omnistock.availability.arena import rows
from omnistock.availability.packing import pack_orders_into, packed_size
from omnistock.engine.askers import Asker

NOW = 20_000 * 86_400
SKUS = ("a", "b", "c", "gift")
NODES = ("N0", "N1", "N2", "N3")

skus = st.integers(0, 2)
nodes = st.integers(0, 3)
stock = st.lists(st.tuples(skus, nodes, st.integers(1, 6)), min_size=3, max_size=14)
settings_of = st.lists(
    st.one_of(
        st.tuples(st.just("buffer"), skus, nodes, st.integers(0, 3)),
        st.tuples(st.just("quota"), skus, nodes, st.integers(0, 6)),
        st.tuples(st.just("lot"), skus, nodes, st.integers(1, 3)),
        st.tuples(st.just("off"), skus, nodes, st.integers(0, 1)),
        st.tuples(st.just("due"), skus, nodes, st.integers(1, 4)),
    ),
    max_size=4,
)
lines = st.tuples(st.integers(0, 3), st.integers(-1, 3), st.integers(1, 4))
orders = st.lists(
    st.tuples(st.lists(lines, min_size=1, max_size=3), st.integers(0, 4)), min_size=1, max_size=12
)


def shop(receipts, changes):
    """An engine with stock in the order given, and settings that make some of it less plain."""
    network = om.Network.build(
        skus=["a", "b", "c", om.Sku("gift", tracked=False)],
        nodes=[om.Node(node, priority=p) for node, p in zip(NODES, (1, 0, 1, 0), strict=True)],
        channels=[om.Channel("web", nodes=NODES[:3])],
    )
    engine = om.open(":memory:", network, clock=lambda: NOW)
    for sku, node, units in receipts:
        engine.receive(SKUS[sku], NODES[node], units)
    for what, sku, node, units in changes:
        if what == "buffer":
            engine.set_buffer(SKUS[sku], units, node=NODES[node])
        elif what == "quota":
            engine.set_quota(SKUS[sku], "web", units)
        elif what == "lot":
            engine.receive(SKUS[sku], NODES[node], units, lot="L", expiry=NOW + 86_400)
        elif what == "off":
            engine.set_node(NODES[node], active=bool(units))
        else:
            engine.expect(SKUS[sku], NODES[node], units, NOW + 86_400, f"PO-{sku}-{node}")
    return engine


def packed(engine, given_orders, ttl, flags):
    """Orders as commands; orders of the same number share a request id, 0 has none."""
    writer = engine._writer
    kits = writer.kit_table()
    flat = np.array([line for lines_of, _ in given_orders for line in lines_of], np.int64)
    offsets = np.cumsum([0, *(len(lines_of) for lines_of, _ in given_orders)])
    ids = np.array([(number, 3 * number) for _, number in given_orders], np.int64)
    head = np.array([writer.asker(Asker.of("web")), ttl, flags, 0, 0], np.int64)
    places, wanted, units = (np.ascontiguousarray(flat[:, k]) for k in (1, 0, 2))
    words = np.empty(packed_size(offsets, wanted, kits.is_kit, kits.offsets), np.int64)
    at = np.empty(len(given_orders) + 1, np.int64)
    numbers = np.arange(len(given_orders))
    pack_orders_into(
        words, at, offsets, wanted, places, units, -2 - numbers, ids, head, kits.is_kit,
        kits.offsets, kits.parts,
    )  # fmt: skip
    return words, at


@settings(max_examples=60, deadline=None)
@given(
    receipts=stock, changes=settings_of, given_orders=orders,
    ttl=st.sampled_from([0, 60]), partial=st.booleans(),
)  # fmt: skip
# The first node has both, one of them in two lots: only the long way can tell.
@example(
    receipts=[(0, 1, 3), (0, 2, 3), (1, 1, 3), (1, 2, 3)], changes=[("lot", 1, 1, 2)],
    given_orders=[([(0, -1, 1), (1, -1, 1)], 1)], ttl=0, partial=False,
)  # fmt: skip
def test_both_ways_decide_and_write_the_same(receipts, changes, given_orders, ttl, partial):
    short, long = shop(receipts, changes), shop(receipts, changes)
    flags = layout.PARTIAL if partial else 0
    words, at = packed(short, given_orders, ttl, flags)
    same_words, _ = packed(long, given_orders, ttl, flags)
    # To take a kit's parts from one node says nothing of plain SKUs, but is not the short way.
    for start in at[:-1]:
        same_words[start + layout.COMMAND_WORDS + 3] |= layout.TOGETHER

    answers, ends = short._writer.submit_words(words, at, NOW)
    expected, expected_ends = long._writer.submit_words(same_words, at, NOW)

    assert answers.tolist() == expected.tolist()
    assert ends.tolist() == expected_ends.tolist()
    for section in layout.SECTIONS:
        if section not in ("places", "slots"):
            one, other = (rows(engine._writer.state, section) for engine in (short, long))
            assert np.array_equal(one, other), section
    count = len(rows(short._writer.state, "points"))
    records = [engine._writer.state.records[:count] for engine in (short, long)]
    assert np.array_equal(*records)
    frames = [list(engine._writer.store.frames()) for engine in (short, long)]
    assert frames[0] == frames[1]
    assert short.verify().ok
    short.close()
    long.close()
