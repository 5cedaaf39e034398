"""Arrays that grow: request ids are found while their table moves, and the book stays in place."""

import resource

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnistock.availability import arena, layout
from omnistock.availability.ahead import Ahead
from omnistock.availability.arena import new_state, rows, with_room
from omnistock.availability.hashing import find_request
from omnistock.availability.machine import run
from omnistock.availability.memory import can_reserve, is_reserved, make_ready, zeros

SECOND = 1000
BIG = 2**62


def ticks(state, ids):
    """Carry out commands that do nothing, under these request ids."""
    words = np.zeros((len(ids), 4), np.int64)
    words[:, 0] = layout.TICK
    words[:, 1:3] = ids
    return run(state, words.reshape(-1), np.arange(0, words.size + 1, 4), now=SECOND, bucket=1)


def known(state, ids):
    """Rows of request ids in the order they came, -1 where one is unknown."""
    first = int(state.stock[layout.AT_REQUESTS])
    found = [int(find_request(state, high, low)) for high, low in ids]
    return [-1 if at < 0 else (at - first) // layout.REQUEST_FIELDS for at in found]


@settings(max_examples=20)
@given(
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=6),
    seed=st.integers(0, 100),
    small=st.booleans(),
)
def test_every_request_is_found_at_every_moment_of_growing(sizes, seed, small):
    rng = np.random.default_rng(seed)
    most = 40 if small else BIG
    every = np.unique(rng.integers(-most, most, (sum(sizes), 2)), axis=0)
    every = rng.permutation(every[(every != 0).any(axis=1)])
    state = new_state(3)
    done = 0
    for size in sizes:
        state = ticks(state, every[done : done + size]).state
        done = min(done + size, len(every))
        assert known(state, every[:done]) == list(range(done))
        assert known(state, every[done:]) == [-1] * (len(every) - done)
    assert state.stock[layout.N_REQUESTS] == len(every)
    again = ticks(state, every)
    assert again.state.stock[layout.N_REQUESTS] == len(every)
    assert not len(again.events)


def test_a_table_that_is_full_before_the_old_one_is_empty_takes_the_rest_at_once():
    state = new_state(3)
    ids = np.stack([np.arange(1, 2001), np.full(2000, 7)], axis=1)
    state = ticks(ticks(state, ids[:120]).state, ids[120:132]).state
    assert state.stock[layout.OLD_SLOTS] > 0

    state = with_room(state, requests=5000)

    assert state.stock[layout.MOVED] == 0
    assert known(state, ids[:132]) == list(range(132))
    state = ticks(state, ids).state
    assert known(state, ids) == list(range(2000))


@pytest.mark.parametrize("address_space", [True, False])
def test_the_book_stays_in_place_once_it_has_room_for_good(monkeypatch, address_space):
    monkeypatch.setattr(arena, "_MANY", 300)
    monkeypatch.setattr(arena, "can_reserve", lambda size: address_space and can_reserve(size))
    state = new_state(3)
    rng = np.random.default_rng(1)
    ids = rng.integers(1, BIG, (6000, 2))
    state = ticks(state, ids[:400]).state
    book, table = state.book, state.ids

    for first in range(400, 6000, 700):
        state = ticks(state, ids[first : first + 700]).state

    # Without it they grow by copying, and nothing is lost either.
    assert (state.ids is table) == address_space
    assert state.book is book or not address_space
    assert known(state, ids) == list(range(6000))
    assert rows(state, "requests")[:, :2].tolist() == ids.tolist()


def test_more_address_space_than_there_is_is_refused():
    assert not can_reserve(1 << 62)
    assert can_reserve(1 << 24)


def test_large_arrays_are_zeros_that_can_be_written_to():
    for dtype in (np.int32, np.int64):
        array = zeros(3_000_000, dtype)
        assert array.dtype == dtype
        assert not array.any()
        array[-1] = 5
        assert array.sum() == 5


def test_pages_for_orders_to_come_are_handed_out_beforehand():
    first = zeros(1 << 21, np.int64)
    if not make_ready(first, 0, 10):
        pytest.skip("this system hands out pages only when they are written to")
    state = with_room(new_state(3), holds=arena._MANY)
    assert is_reserved(state.book)
    ahead = Ahead()

    ahead.look(state)
    ahead.thread.join()

    begin = int(state.stock[layout.AT_LINES])
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    state.book[begin : begin + (1 << 16)] = 1
    assert resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before <= 1
    assert state.book[begin : begin + (1 << 16)].sum() == 1 << 16
    asked = ahead.thread
    ahead.look(state)
    assert ahead.thread is asked
    state.stock[layout.N_LINES] += 1 << 15
    ahead.look(state)
    assert ahead.thread is not asked
    ahead.thread.join()
    assert state.book[begin : begin + (1 << 16)].sum() == 1 << 16
