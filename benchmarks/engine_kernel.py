"""The reserve kernel alone: no ledger, no disk, commands already packed."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.engine_c import Baseline, Kept
from benchmarks.engine_measuring import Row, Times, compare, not_measured
from omnistock.availability.arena import with_room
from omnistock.availability.layout import BUCKET, NOW
from omnistock.availability.machine import run
from omnistock.simulation.stocked import CHANNEL, Stocked

BATCH = 8192
_TARGET = 0.7


class _Caught(Exception):
    """Not an error: stops a call where the commands are packed."""


def packed(stocked: Stocked, orders: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the commands that ``reserve_arrays`` hands to the writer, and carry out none."""
    writer = stocked.engine._writer
    caught: list[tuple[np.ndarray, np.ndarray]] = []

    def keep(words: np.ndarray, offsets: np.ndarray, _now: int | None) -> None:
        caught.append((words, offsets))
        raise _Caught

    writer.submit_words = keep  # type: ignore[method-assign, assignment]
    try:
        stocked.engine.reserve_arrays(**orders, channel=CHANNEL)
    except _Caught:
        pass
    finally:
        del writer.submit_words
    return caught[0]


def reserve_kernel(stocked: Stocked, baseline: Baseline | None, repeats: int) -> list[Row]:
    """Race the kernel with C on batches of 8,192 fresh orders of 1 to 4 lines."""
    rng = np.random.default_rng(5)
    rounds = [stocked.orders(rng, BATCH) for _ in range(repeats + 2)]
    # Asking once makes the asker known, so that settling it is not part of what is timed.
    stocked.engine.reserve_arrays(**stocked.orders(rng, 1), channel=CHANNEL)
    bare = [packed(stocked, {**orders, "request_ids": None}) for orders in rounds]
    with_ids = [packed(stocked, orders) for orders in rounds]
    times = {
        "engine": _engine_times(stocked, bare),
        "engine, ids": _engine_times(stocked, with_ids),
    }
    what, what_ids = "reserve kernel", "reserve kernel with request ids"
    if baseline is None:
        return [not_measured(one, "no C compiler", _TARGET) for one in (what, what_ids)]
    times |= _c_times(stocked, baseline, rounds)
    hand, kept = "C, on hand only", "C, keeping as much"
    return [
        compare(what, times["engine"], hand, times["C"], BATCH),
        compare(what, times["engine"], kept, times["C, kept"], BATCH, _TARGET),
        compare(what_ids, times["engine, ids"], hand, times["C"], BATCH),
        compare(what_ids, times["engine, ids"], kept, times["C, kept"], BATCH, _TARGET),
    ]


def _engine_times(stocked: Stocked, batches: list[tuple[np.ndarray, np.ndarray]]) -> Times:
    # The engine's own state, and nothing goes to its ledger: it is not asked again.
    state = stocked.engine._writer.state
    total, lines = BATCH * len(batches), BATCH * len(batches) * 4
    state = with_room(state, holds=total, lines=2 * lines, requests=total, answers=16 * total)
    now, bucket = int(state.stock[NOW]), int(state.stock[BUCKET])
    seconds = []
    for words, offsets in batches:
        started = time.thread_time()
        outcome = run(state, words, offsets, now=now, bucket=bucket)
        seconds.append(time.thread_time() - started)
        state = outcome.state
        assert (outcome.results[outcome.result_offsets[:-1]] == 0).all()
    stocked.engine._writer.state = state
    return Times(np.array(seconds[2:]))


def _c_times(
    stocked: Stocked, baseline: Baseline, rounds: list[dict[str, Any]]
) -> dict[str, Times]:
    records = stocked.engine._writer.state.records.copy()
    n_lines = sum(len(orders["skus"]) for orders in rounds)
    kept = Kept(BATCH * len(rounds), n_lines, stocked.n_stockpoints)
    accepted = np.zeros(BATCH, np.uint8)
    seconds: dict[str, list[float]] = {"C": [], "C, kept": []}
    for orders in rounds:
        handles = orders["skus"] * stocked.n_nodes + orders["nodes"]
        terms = (accepted, records, orders["line_offsets"], handles, orders["quantities"])
        started = time.thread_time()
        n = baseline.reserve(*terms)
        seconds["C"].append(time.thread_time() - started)
        assert n == BATCH
    for orders in rounds:
        handles = orders["skus"] * stocked.n_nodes + orders["nodes"]
        terms = (accepted, records, orders["line_offsets"], handles, orders["quantities"])
        kept.forget_events()
        started = time.thread_time()
        n = baseline.reserve_kept(*terms, orders["request_ids"], kept)
        seconds["C, kept"].append(time.thread_time() - started)
        assert n == BATCH
    return {name: Times(np.array(taken[2:])) for name, taken in seconds.items()}
