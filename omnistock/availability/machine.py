"""The reservation state machine: commands in, events and answers out.

``run`` decides and ``replay`` repeats what was decided. Both change the arrays
of the state in place and return the state, whose arrays are larger ones where
room was short. Given the same state, time and words, both always do the same.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np

from omnistock.availability.answers import (
    CURSOR_WORDS,
    EVENT_WORDS,
    NEXT_COMMAND,
    RESULT_WORDS,
    WORDS_NEEDED,
)
from omnistock.availability.arena import Int32, Int64, State, with_room
from omnistock.availability.decide import decide
from omnistock.availability.draw import DRAFT_FIELDS
from omnistock.availability.fold import fold, relink
from omnistock.availability.layout import BUCKET, N_INBOUND, NOW
from omnistock.availability.promise import LINE_WORDS, line_available, sku_available
from omnistock.availability.stock import advance
from omnistock.numerics.compiled import lean_kernel

__all__ = ["Outcome", "available_units", "line_units", "move_time", "relink", "replay", "run"]

_Words = TypeVar("_Words", Int32, Int64)


class Outcome(NamedTuple):
    """What a batch of commands came to.

    ``events`` is what happened; command c is answered by
    ``results[result_offsets[c]:result_offsets[c + 1]]``.
    """

    state: State
    events: Int32
    results: Int64
    result_offsets: Int64


def move_time(state: State, now: int, bucket: int) -> State:
    """Expire and roll up to the second ``now`` in ``bucket``; an earlier time changes nothing."""
    if now > state.stock[NOW] or bucket > state.stock[BUCKET]:
        if bucket > state.stock[BUCKET]:
            state = with_room(state, flows=int(state.stock[N_INBOUND]))
        advance(state, now, bucket)
    return state


def _roomier(state: State, need: int, left: int) -> State:
    """Give room for a command or event of ``need`` words, and for ``left`` small ones more."""
    return with_room(
        state,
        points=left + 1,
        flows=need // 4 + 4 + int(state.stock[N_INBOUND]),
        limits=left + 1,
        steps=left + 1,
        holds=left + 1,
        heap=left + 1,
        lines=need + 2 * left,
        inbound=left + 1,
        requests=left + 1,
        answers=need + 32 + 16 * left,
        deltas=left + 1,
        orders=need + left,
    )


def _longer(array: _Words, used: int, need: int) -> _Words:
    """Return an array with ``need`` words behind those used: the same one if it has them."""
    if used + need <= len(array):
        return array
    longer = np.empty(2 * (used + need), array.dtype)
    longer[:used] = array[:used]
    return longer


def run(state: State, words: Int64, offsets: Int64, *, now: int, bucket: int) -> Outcome:
    """Carry out a batch of commands at the second ``now``.

    Parameters
    ----------
    state : State
        Changed in place.
    words : (n_words,) int64
        The commands one after another, as :mod:`omnistock.availability.layout` lays them out.
    offsets : (n_commands + 1,) int64
        Where each command begins and the last one ends.
    now, bucket : int
        Seconds since 1970 and the number of the bucket they lie in.

    Returns
    -------
    Outcome
        The state, the events that happened, and an answer for each command.
    """
    state = move_time(state, now, bucket)
    n_commands = len(offsets) - 1
    size = 1024 + 2 * len(words)
    events = np.empty(2 * size, np.int32)
    results = np.empty(size, np.int64)
    result_offsets = np.zeros(n_commands + 1, np.int64)
    draft = np.empty((1024, DRAFT_FIELDS), np.int64)
    cursor = np.zeros(CURSOR_WORDS, np.int64)
    last_stalled = -1
    while True:
        decide(state, events, results, result_offsets, draft, cursor, words, offsets)
        if cursor[NEXT_COMMAND] >= n_commands:
            break
        stalled = int(cursor[NEXT_COMMAND])
        assert stalled > last_stalled, f"the arrays did not grow for command {stalled}"
        last_stalled = stalled
        need = int(cursor[WORDS_NEEDED])
        state = _roomier(state, need, n_commands - int(cursor[NEXT_COMMAND]))
        events = _longer(events, int(cursor[EVENT_WORDS]), 2 * need)
        results = _longer(results, int(cursor[RESULT_WORDS]), need)
        if need > len(draft):
            draft = np.empty((2 * need, DRAFT_FIELDS), np.int64)
    used = int(cursor[RESULT_WORDS])
    return Outcome(state, events[: cursor[EVENT_WORDS]], results[:used], result_offsets)


def replay(state: State, events: Int32, *, now: int, bucket: int) -> State:
    """Repeat what happened in one batch.

    Parameters
    ----------
    events : (n_words,) int32
        The events of the batch, as :func:`run` gave them.
    now, bucket : int
        The time of the batch.
    """
    state = move_time(state, now, bucket)
    at = int(fold(state, events, 0))
    while at < len(events):
        state = _roomier(state, int(events[at + 1]), 1 + (len(events) - at) // 8)
        before, at = at, int(fold(state, events, at))
        assert at > before, f"the arrays did not grow for the event at word {at}"
    return state


@lean_kernel
def available_units_into(units, words, state, skus, nodes, askers, ahead):
    """Fill ``units[k]`` with what question k may be promised; ``words`` is a line to write in."""
    for k in range(units.shape[0]):
        words[0] = skus[k]
        words[1] = nodes[k]
        units[k] = sku_available(state, skus[k], nodes[k], askers[k], ahead[k], words, 0)


def available_units(
    state: State, *, skus: Int64, nodes: Int64, askers: Int64, ahead: Int64
) -> Int64:
    """Available units for many questions at once.

    Parameters
    ----------
    skus, nodes, askers : (n,) int64
        Codes; node -1 asks all nodes together.
    ahead : (n,) int64
        Buckets from the current one.

    Returns
    -------
    (n,) int64
        The largest quantity that ``reserve`` would hold for each question alone.
    """
    units = np.zeros(len(skus), np.int64)
    line = np.array([0, -1, 0, 0, -1, 0, 0, 0], np.int64)
    assert len(line) == LINE_WORDS
    available_units_into(units, line, state, skus, nodes, askers, ahead)
    return units


@lean_kernel
def line_units(state, words, asker, together):
    """Units of one line, laid out as in a reserve command, that may be promised."""
    return line_available(state, words, 0, asker, together)
