"""Balances over time: minima, rolling, the heap and the tables behind them."""

from __future__ import annotations

import heapq

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import omnistock as om
from omnistock.availability import hashing, layout
from omnistock.availability.arena import new_state, rows, with_room
from omnistock.availability.layout import BASE, MINIMA, N_NODES, N_SKUS, NODE_ACTIVE
from omnistock.availability.machine import move_time, replay, run
from omnistock.availability.stock import advance, heap_pop, heap_push
from omnistock.model import Calendar

T = 5
START = 100

flows = st.lists(
    st.tuples(st.booleans(), st.integers(0, T + 2), st.integers(1, 9)), min_size=0, max_size=8
)


def small_state():
    """Return a state with one SKU at one node, nothing on hand, in bucket ``START``."""
    state = with_room(new_state(T), skus=1, nodes=1)
    state.stock[N_SKUS] = state.stock[N_NODES] = 1
    rows(state, "nodes")[0, NODE_ACTIVE] = 1
    return do(state, [layout.ADD_POINT, 0, 0, 0, 0, 0, 0, 0])[0]


def do(state, *commands, bucket=START):
    words = np.array([word for command in commands for word in command], np.int64)
    sizes = [0, *(len(command) for command in commands)]
    outcome = run(state, words, np.cumsum(sizes), now=bucket * 10, bucket=bucket)
    return outcome.state, outcome


def commands_of(flows):
    """Receipts as expected inbound, promises as hard holds of what is there."""
    commands = [[layout.RECEIVE, 0, 0, 0, 0, 400, -1]]
    for k, (is_receipt, ahead, units) in enumerate(flows):
        bucket = START + ahead
        if is_receipt:
            commands.append([layout.EXPECT, 0, 0, 0, k, 0, bucket, units, 0, bucket * 10])
        else:
            line = [0, 0, bucket, units, -1, 0, 0, 1, 0, 1]
            commands.append([layout.RESERVE, 0, 0, 0, 0, 0, 0, 0, 0, 1, *line])
    return commands


def assert_equal_states(one, other):
    """Compare what is in use; how much room there is beside it does not matter."""
    for section in layout.SECTIONS:
        if section not in ("places", "slots"):
            assert np.array_equal(rows(one, section), rows(other, section)), section
    count = len(rows(one, "points"))
    assert np.array_equal(one.records[:count], other.records[:count])


def promised(state, t):
    return int(state.records[0, BASE]) + int(state.records[0, MINIMA + t])


def by_definition(flows, today, t):
    """Lowest balance from bucket ``t`` after ``today`` on, from the list of flows."""
    balances = []
    for day in range(today, today + T):
        units = 400
        for is_receipt, ahead, quantity in flows:
            due = START + ahead
            if is_receipt and today <= due <= day:
                units += quantity
            if not is_receipt and min(due, START + T - 1) <= max(day, today):
                units -= quantity
        balances.append(units)
    return min(balances[t:])


@given(flows=flows)
def test_a_minimum_is_the_lowest_balance_still_to_come(flows):
    state, _ = do(small_state(), *commands_of(flows))

    assert [promised(state, t) for t in range(T)] == [
        by_definition(flows, START, t) for t in range(T)
    ]


@given(flows=flows, passed=st.integers(1, T + 3))
def test_rolling_on_drops_late_receipts_and_keeps_every_promise(flows, passed):
    state, _ = do(small_state(), *commands_of(flows))
    today = START + passed

    state = move_time(state, today * 10, today)

    assert [promised(state, t) for t in range(T)] == [
        by_definition(flows, today, t) for t in range(T)
    ]


@given(flows=flows, first=st.integers(0, 4), second=st.integers(0, 4))
def test_time_passes_alike_in_one_step_or_two(flows, first, second):
    once, _ = do(small_state(), *commands_of(flows))
    twice, _ = do(small_state(), *commands_of(flows))
    end = START + first + second

    once = move_time(once, end * 10, end)
    twice = move_time(twice, (START + first) * 10, START + first)
    twice = move_time(twice, end * 10, end)

    assert np.array_equal(once.records[:1, [BASE, *range(MINIMA, MINIMA + T)]],
                          twice.records[:1, [BASE, *range(MINIMA, MINIMA + T)]])  # fmt: skip


@given(flows=flows)
def test_replaying_the_events_gives_the_same_state(flows):
    state, outcome = do(small_state(), *commands_of(flows))

    again = replay(small_state(), outcome.events, now=START * 10, bucket=START)

    assert_equal_states(state, again)


def test_an_earlier_time_changes_nothing():
    state, _ = do(small_state(), *commands_of([(True, 2, 5)]))
    before = [array.copy() for array in state]

    advance(state, 5, START - 3)

    assert all(np.array_equal(was, now) for was, now in zip(before, state, strict=True))


@given(st.lists(st.one_of(st.none(), st.integers(0, 50)), max_size=60), st.integers(0, 9))
def test_the_heap_gives_the_earliest_first(steps, at):
    book = np.zeros(160, np.int64)
    expected: list[int] = []
    size = 0
    for k, second in enumerate(steps):
        if second is not None:
            heap_push(book, at, size, second, k)
            heapq.heappush(expected, second)
            size += 1
        elif size:
            assert book[at] == heapq.heappop(expected)
            heap_pop(book, at, size)
            size -= 1


@given(
    keys=st.sets(
        st.tuples(st.integers(0, 10**6), st.integers(0, 20_000), st.integers(-1, 50)), max_size=50
    )
)
def test_every_stockpoint_is_found_before_and_after_growing(keys):
    table = np.zeros(3 * 128, np.int64)
    wider = np.zeros(7 + 3 * 512, np.int64)
    for point, (sku, node, tag) in enumerate(sorted(keys)):
        put(table, 0, 128, sku, node, tag, point)
    hashing.rehash_places_into(wider, 7, 512, table, 0, 128)

    for point, (sku, node, tag) in enumerate(sorted(keys)):
        assert found(table, 0, 128, sku, node, tag) == point
        assert found(wider, 7, 512, sku, node, tag) == point
    assert found(table, 0, 128, 10**6 + 1, 0, 0) is None


def put(table, at, size, sku, node, tag, point):
    place = place_of(table, at, size, sku, node, tag)
    table[place : place + 3] = ((sku + 1) << 31) | (node + 1), tag, point


def found(table, at, size, sku, node, tag):
    place = place_of(table, at, size, sku, node, tag)
    return None if table[place] == 0 else table[place + 2]


def place_of(table, at, size, sku, node, tag):
    return plain(hashing.find_place)(table, at, size, ((sku + 1) << 31) | (node + 1), tag)


def plain(kernel):
    """The Python function of a kernel that only other kernels may call."""
    return getattr(kernel, "py_func", kernel)


@given(st.integers(-(2**63), 2**63 - 1))
def test_two_words_are_one_number(value):
    high, low = plain(hashing.high_word)(value), plain(hashing.low_word)(value)

    assert -(2**31) <= high < 2**31
    assert -(2**31) <= low < 2**31
    assert plain(hashing.joined)(np.int32(high), np.int32(low)) == value


def test_the_worked_example_of_a_week_of_bicycles():
    """Microsoft's documentation of available-to-promise, the example of 17 bicycles.

    On hand 17, one due tomorrow and three the day after, 15 sold for today and
    ten overdue: projected and promised 2, 3, then 6 to the end of the week.
    """
    today = 20_000 * 86_400
    network = om.Network.build(skus=["BIKE"], nodes=["WH1"], calendar=Calendar(n_buckets=7))
    engine = om.open(":memory:", network, clock=lambda: today)
    engine.expect("BIKE", "WH1", 10, today - 86_400, "late")
    engine.receive("BIKE", "WH1", 17)
    engine.expect("BIKE", "WH1", 1, today + 86_400, "PO-1")
    engine.expect("BIKE", "WH1", 3, today + 2 * 86_400, "PO-2")
    engine.reserve("SALE", [("BIKE", 15)])

    rows = engine.atp("BIKE", "WH1")

    assert [row.projected for row in rows] == [2, 3, 6, 6, 6, 6, 6]
    assert [row.atp for row in rows] == [2, 3, 6, 6, 6, 6, 6]


def test_arrays_grow_without_losing_anything():
    """More of everything than the first arrays hold: SKUs, nodes, channels, holds, requests."""
    skus = [f"S{k}" for k in range(90)]
    nodes = [om.Node(f"N{k}", priority=-k) for k in range(20)]
    channels = [om.Channel(f"C{k}", nodes=(f"N{k}",)) for k in range(12)]
    network = om.Network.build(skus=skus, nodes=nodes, channels=channels)
    with om.open(":memory:", network, clock=lambda: 1) as engine:
        table = [(sku, node.node) for sku in skus for node in nodes]
        engine.receive_many(
            {
                "sku": [sku for sku, _ in table],
                "node": [node for _, node in table],
                "quantity": [2] * len(table),
            }
        )
        for k in range(300):
            engine.set_quota(skus[k % 90], f"C{k % 12}", 50)
            engine.reserve(f"O{k}", [(skus[k % 90], 1)], ttl_s=9, request_id=k + 1)
        spread = engine.reserve("WIDE", [(sku, 20) for sku in skus])

        assert len(spread.lines) >= 90 * 10
        assert engine.available("S1", channel="C3") in (0, 1, 2)
        assert engine.hold(299).order == "O299"
        assert engine.verify().ok
