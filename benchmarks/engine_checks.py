"""Questions in arrays, and over 500 nodes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.engine_c import Baseline
from benchmarks.engine_measuring import Row, Times, compare, not_measured, race
from omnistock.availability.arena import rows
from omnistock.availability.layout import BASE, BUFFER, MINIMA
from omnistock.engine.reads import available_many
from omnistock.simulation.stocked import CHANNEL, Stocked, stocked_engine

N_QUESTIONS = 1_000_000


def batch_checks(stocked: Stocked, baseline: Baseline | None, repeats: int) -> list[Row]:
    """Race the batch check with C, numpy and a dict, on random stockpoints for now."""
    rng = np.random.default_rng(2)
    state = stocked.engine._writer.state
    n = N_QUESTIONS
    skus = rng.integers(0, stocked.n_skus, n)
    nodes = rng.integers(0, stocked.n_nodes, n)
    handles = skus * stocked.n_nodes + nodes
    ahead = np.zeros(n, np.int64)
    hers, hers_too = np.zeros(n, np.int64), np.zeros(n, np.int32)
    n_dict = n // 5
    names = [(f"S{sku}", f"N{node}") for sku, node in zip(skus[:n_dict], nodes, strict=False)]
    stock = _as_dict(stocked)

    def with_numpy() -> np.ndarray:
        free = state.records[handles, BASE].astype(np.int64)
        free += state.records[handles, MINIMA]
        free -= state.records[handles, BUFFER]
        return np.maximum(free, 0, out=free)

    columns = [state.records[:, column].astype(np.int64) for column in (BASE, MINIMA, BUFFER)]

    def with_columns() -> np.ndarray:
        base, lowest, buffer = columns
        return np.maximum(base[handles] + lowest[handles] - buffer[handles], 0)

    def with_dict() -> list[int]:
        return [max(0, base + lowest - buffer) for base, lowest, buffer in map(stock.get, names)]

    calls: dict[str, Callable[[], object]] = {
        "handles": lambda: stocked.engine.free_many(handles),
        "codes": lambda: available_many(state, skus, ahead, nodes),
        "numpy": with_numpy,
        "columns": with_columns,
        "dict": with_dict,
    }
    if baseline is not None:
        column = rows(state, "free").reshape(-1)
        calls["C, column"] = lambda: baseline.check_column(hers_too, column, handles)
        calls["C"] = lambda: baseline.check(hers, state.records, handles, ahead)
    times = race(calls, repeats)
    units = stocked.engine.free_many(handles)
    assert (units == with_numpy()).all()
    assert (units == with_columns()).all()
    assert (units == available_many(state, skus, ahead, nodes)).all()
    assert units[:n_dict].tolist() == with_dict()
    scaled = Times(times["dict"].seconds * (n / n_dict))
    what = "batch check, handles"
    found = [
        not_measured(what, "no C compiler", 0.9)
        if baseline is None
        else compare(what, times["handles"], "C, the same loop", times["C"], n, 0.9),
        compare(what, times["handles"], "numpy, the same records", times["numpy"], n, 3.0),
        compare(what, times["handles"], "numpy, a column each", times["columns"], n),
        compare(what, times["handles"], "dict of (sku, node)", scaled, n, 40.0),
    ]
    what = "batch check, SKU, node, asker"
    if baseline is not None:
        assert (units == hers).all()
        assert (units == hers_too).all()
        name = "C, the engine's own column"
        found.append(compare("batch check, handles", times["handles"], name, times["C, column"], n))
        found.append(compare(what, times["codes"], "C, handles known", times["C"], n))
    found.append(compare(what, times["codes"], "numpy, handles known", times["numpy"], n))
    found.append(compare(what, times["codes"], "dict of (sku, node)", scaled, n))
    return found


def _as_dict(stocked: Stocked) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Stock as a Python program would keep it: base, lowest later balance, buffer by names."""
    records = stocked.engine._writer.state.records[: stocked.n_stockpoints]
    rows = records[:, [BASE, MINIMA, BUFFER]].tolist()
    skus = [f"S{number}" for number in range(stocked.n_skus)]
    nodes = [f"N{number}" for number in range(stocked.n_nodes)]
    keys = [(sku, node) for sku in skus for node in nodes]
    return dict(zip(keys, map(tuple, rows), strict=True))


def best_of_nodes(n_stockpoints: int, baseline: Baseline | None, repeats: int) -> list[Row]:
    """Race "which of 500 nodes has most" with numpy, in its faster form, and C."""
    n_nodes, n = 500, 1000
    n_stockpoints = n_stockpoints // n_nodes * n_nodes
    rng = np.random.default_rng(3)
    units = rng.integers(1, 1001, n_stockpoints)
    stocked = stocked_engine(":memory:", n_stockpoints, n_nodes=n_nodes, units=units)
    state = stocked.engine._writer.state
    skus = rng.integers(0, stocked.n_skus, n)
    first = skus * n_nodes
    hers = np.zeros(n, np.int64)
    each = np.arange(n_nodes)

    def one_by_one() -> list[int]:
        found = []
        for start in first.tolist():
            block = state.records[start : start + n_nodes]
            found.append(
                start + int((block[:, BASE] + block[:, MINIMA] - block[:, BUFFER]).argmax())
            )
        return found

    def at_once() -> np.ndarray:
        at = first[:, None] + each
        free = state.records[at, BASE] + state.records[at, MINIMA] - state.records[at, BUFFER]
        return first + free.argmax(axis=1)

    calls: dict[str, Callable[[], object]] = {
        "engine": lambda: stocked.engine.best_nodes(skus, channel=CHANNEL),
        "numpy, one by one": one_by_one,
        "numpy, all at once": at_once,
    }
    if baseline is not None:
        calls["C"] = lambda: baseline.best(hers, state.records, first, n_nodes)
    times = race(calls, repeats)
    found = stocked.engine.best_nodes(skus, channel=CHANNEL)
    best = first + found.nodes
    assert best.tolist() == one_by_one() == at_once().tolist()
    rows = [
        compare("best of 500 nodes", times["engine"], name, times[name], n, target)
        for name, target in (("numpy, one by one", 10.0), ("numpy, all at once", 10.0))
    ]
    if baseline is not None:
        assert (best == hers).all()
        rows.append(compare("best of 500 nodes", times["engine"], "C", times["C"], n))
    stocked.engine.close()
    return rows
