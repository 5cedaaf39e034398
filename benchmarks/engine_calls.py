"""Questions one by one from Python, beside looking a key up in a dict."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.engine_measuring import Call, Row, not_measured, race
from omnistock.simulation.stocked import CHANNEL, Stocked

N_CALLS, N_NAMED = 100_000, 20_000


def single_calls(stocked: Stocked, repeats: int) -> list[Row]:
    """Time one question; the time of the bare loop is taken off both sides."""
    rng = np.random.default_rng(4)
    engine: Any = stocked.engine
    points = rng.permutation(stocked.n_stockpoints)
    keys = rng.choice(points[: stocked.n_stockpoints // 2], N_CALLS).tolist()
    names = _names(stocked, np.array(keys[:N_NAMED]))
    first_us = _once(engine, _names(stocked, points[stocked.n_stockpoints // 2 :][:N_NAMED]))
    calls = {"empty": lambda: _nothing(keys), "dict": _look_up(stocked, keys)}
    calls["names"] = lambda: _ask(engine, names)
    bare = hasattr(engine, "free") and hasattr(engine, "handle")
    if bare:
        handles = [engine.handle(sku, node) for sku, node in _names(stocked, np.array(keys))]
        calls["handle"] = lambda: _free(engine, handles)
        assert [engine.free(handle) for handle in handles[:100]] == [
            engine.available(sku, node=node, channel=CHANNEL) for sku, node in names[:100]
        ]
    times = race(calls, repeats)

    def each(name: str, count: int = N_CALLS) -> float:
        return times[name].best / count - times["empty"].best / N_CALLS

    dict_ns = each("dict") * 1e9
    beside, theirs = "dict of as many integers", f"{dict_ns:.0f} ns"
    what = "one call from Python, handle"
    rows = [not_measured(what, "the engine has no bare path by handle", 2.5, at_most=True)]
    if bare:
        ns = each("handle") * 1e9
        ratio = ns / dict_ns
        rows = [Row(what, f"{ns:.0f} ns", beside, theirs, ratio, target=2.5, at_most=True)]
    us = each("names", len(names)) * 1e6
    what = "one call from Python, names"
    rows += [
        Row(what, f"{us:.2f} us", beside, theirs, us, " us", target=2.0, at_most=True),
        Row("the same, names new to the engine", f"{first_us:.2f} us", beside, theirs),
    ]
    return rows


def _names(stocked: Stocked, points: np.ndarray) -> list[tuple[str, str]]:
    skus, nodes = np.divmod(points, stocked.n_nodes)
    pairs = zip(skus.tolist(), nodes.tolist(), strict=True)
    return [(f"S{sku}", f"N{node}") for sku, node in pairs]


def _once(engine: Any, names: list[tuple[str, str]]) -> float:
    """Microseconds of a question whose names the engine has not met before."""
    engine.available("S0", channel=CHANNEL)
    started = time.thread_time()
    _ask(engine, names)
    return (time.thread_time() - started) / len(names) * 1e6


def _nothing(keys: list[int]) -> None:
    for _ in keys:
        pass


def _look_up(stocked: Stocked, keys: list[int]) -> Call:
    table = {key: key for key in range(stocked.n_stockpoints)}

    def loop() -> None:
        for key in keys:
            table[key]

    return loop


def _free(engine: Any, handles: list[int]) -> None:
    free = engine.free
    for handle in handles:
        free(handle)


def _ask(engine: Any, names: list[tuple[str, str]]) -> None:
    available = engine.available
    for sku, node in names:
        available(sku, node=node, channel=CHANNEL)
