"""Questions in arrays, and over 500 nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from benchmarks.engine_c import Baseline
from benchmarks.engine_measuring import Row, Times, compare, not_measured, race
from omnistock.availability.layout import BASE, BUFFER, MINIMA
from omnistock.availability.promise import first_point, free_units, net_units, next_point
from omnistock.engine.reads import available_many
from omnistock.simulation.stocked import Stocked, stocked_engine

N_QUESTIONS = 1_000_000


@njit(cache=False)
def _free_into(units, state, handles, ahead):
    """The engine's own check of one stockpoint, for many of them."""
    for k in range(units.shape[0]):
        units[k] = free_units(state, handles[k], ahead[k], 0)


@njit(cache=False)
def _best_into(best, state, skus):
    """The stockpoint with most units of each SKU, walked as a reservation walks them."""
    for k in range(skus.shape[0]):
        most = np.int64(-(1 << 62))
        s = first_point(state, skus[k], -1)
        while s >= 0:
            units = net_units(state, s, 0, 0)
            if units > most:
                most = units
                best[k] = s
            s = next_point(state, s, -1)


def batch_checks(stocked: Stocked, baseline: Baseline | None, repeats: int) -> list[Row]:
    """Race the batch check with C, numpy and a dict, on random stockpoints for now."""
    rng = np.random.default_rng(2)
    state = stocked.engine._writer.state
    n = N_QUESTIONS
    skus = rng.integers(0, stocked.n_skus, n)
    nodes = rng.integers(0, stocked.n_nodes, n)
    handles = skus * stocked.n_nodes + nodes
    ahead = np.zeros(n, np.int64)
    units, hers = np.zeros(n, np.int64), np.zeros(n, np.int64)
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

    handle_check = _handle_check(stocked, units, handles, ahead)
    calls: dict[str, Callable[[], object]] = {
        "handles": handle_check,
        "codes": lambda: available_many(state, skus, ahead, nodes),
        "numpy": with_numpy,
        "columns": with_columns,
        "dict": with_dict,
    }
    if baseline is not None:
        calls["C"] = lambda: baseline.check(hers, state.records, handles, ahead)
    times = race(calls, repeats)
    assert (units == with_numpy()).all()
    assert (units == with_columns()).all()
    assert (units == available_many(state, skus, ahead, nodes)).all()
    assert units[:n_dict].tolist() == with_dict()
    scaled = Times(times["dict"].seconds * (n / n_dict))
    what = "batch check, handles"
    rows = [
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
        rows.append(compare(what, times["codes"], "C, handles known", times["C"], n))
    rows.append(compare(what, times["codes"], "numpy, handles known", times["numpy"], n))
    rows.append(compare(what, times["codes"], "dict of (sku, node)", scaled, n))
    return rows


def _handle_check(
    stocked: Stocked, units: np.ndarray, handles: np.ndarray, ahead: np.ndarray
) -> Callable[[], object]:
    """The engine's check of many handles, or its inner kernel in a loop of our own."""
    free_many: Any = getattr(stocked.engine, "free_many", None)
    if free_many is not None:

        def ask() -> None:
            units[:] = free_many(handles)

        return ask
    state = stocked.engine._writer.state
    return lambda: _free_into(units, state, handles, ahead)


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
    stocked = stocked_engine(":memory:", n_stockpoints // n_nodes * n_nodes, n_nodes=n_nodes)
    state = stocked.engine._writer.state
    rng = np.random.default_rng(3)
    # Only what the race reads; the ledger of this engine is not asked again.
    state.records[: stocked.n_stockpoints, BASE] = rng.integers(0, 1000, stocked.n_stockpoints)
    skus = rng.integers(0, stocked.n_skus, n)
    first = skus * n_nodes
    best, hers = np.zeros(n, np.int64), np.zeros(n, np.int64)
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
        "engine": lambda: _best_into(best, state, skus),
        "numpy, one by one": one_by_one,
        "numpy, all at once": at_once,
    }
    if baseline is not None:
        calls["C"] = lambda: baseline.best(hers, state.records, first, n_nodes)
    times = race(calls, repeats)
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
