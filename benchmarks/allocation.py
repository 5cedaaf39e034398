"""How fast scarce stock is divided and moved, beside other ways to do it.

Run ``python -m benchmarks.allocation`` for a table, or ``pytest benchmarks/allocation.py``
for pytest-benchmark's statistics of the plain rules.

Every SKU is scarce (supply 20 to 90 % of what is asked), which is the slow case: a SKU with
enough for all costs a fifth. Times are of the processor, one thread, after a warm-up. The
baselines divide fewer SKUs and are scaled up by SKU: plain Python from the definition in
floats, numpy by 60 bisections of all levels at once (neither rounds nor knows tiers), and
the lexicographic LP in OR-Tools' GLOP.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from omnistock.allocation import RULES, Group, allocate_by_value, water_fill
from omnistock.numerics.demand import DemandDistribution
from omnistock.replenishment import TransferLanes, dc_to_stores_by_value, rebalance_arrays

N_SKUS, N_CHANNELS = 100_000, 8
TIERS = {"one tier": [1] * N_CHANNELS, "three tiers": [1, 1, 2, 2, 2, 3, 3, 3]}


def claims(n_skus: int = N_SKUS, n_channels: int = N_CHANNELS, seed: int = 1) -> dict[str, Any]:
    """Return the arguments of :func:`omnistock.allocation.water_fill`."""
    rng = np.random.default_rng(seed)
    requested = rng.integers(0, 200, (n_skus, n_channels))
    some = rng.random((n_skus, n_channels)) < 0.3
    return {
        "supply": (requested.sum(axis=1) * rng.uniform(0.2, 0.9, n_skus)).astype(np.int64),
        "requested": requested,
        "guarantee": rng.integers(0, 40, (n_skus, n_channels)) * some,
        "weight": rng.integers(1, 10, n_channels),
    }


def settings() -> dict[str, dict[str, Any]]:
    """Return what is asked beside supply and requests, from the plainest to all at once."""
    terms = claims()
    rng = np.random.default_rng(2)
    packs = rng.choice([1, 6, 12], N_SKUS)
    tiers = {"tier": TIERS["three tiers"]}
    terms |= {"tier": [1] * N_CHANNELS}
    plain = {key: terms[key] for key in ("supply", "requested")}
    supply = terms["supply"]
    groups = [Group([0, 1, 2], supply // 3), Group([0, 1], supply // 5)]
    before = water_fill(terms["supply"], terms["requested"]).granted
    return {
        "plain": plain,
        "guarantees, weights": terms,
        "and three tiers": terms | tiers,
        "and packs": terms | tiers | {"pack_size": packs},
        "and nested floors": terms | tiers | {"pack_size": packs, "groups": groups},
        "plain, re-run after sales": plain | {"consumed": before // 2, "granted_before": before},
    }


@pytest.mark.parametrize("tiers", TIERS)
@pytest.mark.parametrize("rule", RULES)
def test_water_fill(benchmark: Any, rule: str, tiers: str) -> None:
    terms = claims() | {"tier": TIERS[tiers], "rule": rule}
    supply, requested = terms.pop("supply"), terms.pop("requested")

    allocation = benchmark(water_fill, supply, requested, **terms)

    assert (allocation.granted.sum(axis=1) == np.minimum(supply, requested.sum(axis=1))).all()


def by_python(supply: np.ndarray, requested: np.ndarray) -> list[list[float]]:
    """Max-min from its definition: raise all, let go of who is full, until nothing is left."""
    filled = []
    for units, wanted in zip(supply.tolist(), requested.tolist(), strict=True):
        grants = [0.0] * len(wanted)
        rising = [c for c, one in enumerate(wanted) if one]
        left = float(units)
        while rising and left > 1e-9:
            step = min(left / len(rising), min(wanted[c] - grants[c] for c in rising))
            for c in rising:
                grants[c] += step
            left -= step * len(rising)
            rising = [c for c in rising if wanted[c] - grants[c] > 1e-9]
        filled.append(grants)
    return filled


def by_numpy(supply: np.ndarray, requested: np.ndarray) -> np.ndarray:
    """Max-min in fractions by bisecting the levels of all SKUs at once."""
    low, high = np.zeros(len(supply)), requested.max(axis=1).astype(float)
    for _ in range(60):
        middle = (low + high) / 2
        over = np.minimum(requested, middle[:, None]).sum(axis=1) > supply
        high, low = np.where(over, middle, high), np.where(over, low, middle)
    return np.minimum(requested, low[:, None])


def by_lp(supply: np.ndarray, requested: np.ndarray) -> list[list[float]]:
    """Lexicographic max-min by linear programs, one after the other for each SKU."""
    from ortools.linear_solver import pywraplp

    filled = []
    for units, wanted in zip(supply.tolist(), requested.tolist(), strict=True):
        fixed = {c: 0.0 for c, one in enumerate(wanted) if not one}
        while len(fixed) < len(wanted):
            solver = pywraplp.Solver.CreateSolver("GLOP")
            level = solver.NumVar(0, solver.infinity(), "")
            x = [
                solver.NumVar(fixed.get(c, 0), fixed.get(c, one), "")
                for c, one in enumerate(wanted)
            ]
            solver.Add(sum(x) <= units + 1e-6)
            rows = {c: solver.Add(x[c] >= level) for c in range(len(x)) if c not in fixed}
            solver.Maximize(level)
            assert solver.Solve() == pywraplp.Solver.OPTIMAL
            for c, row in rows.items():
                if abs(row.dual_value()) > 1e-9:
                    fixed[c] = x[c].solution_value()
        filled.append([fixed[c] for c in range(len(wanted))])
    return filled


def timed(run: Callable[[], object], times: int = 15) -> tuple[float, float]:
    """Return the median and the least milliseconds of this thread, after one more run."""
    seconds = []
    for _ in range(times + 1):
        start = time.thread_time()
        run()
        seconds.append(time.thread_time() - start)
    return float(np.median(seconds[1:])) * 1e3, min(seconds[1:]) * 1e3


def row(what: str, size: str, median: float, least: float, note: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:44s} {size:34s} {median:9.1f} {least:9.1f}  {note}")


def main() -> None:
    """Print the table."""
    print(f"{'what':44s} {'size':34s} {'median ms':>9s} {'min ms':>9s}  beside it")
    size = f"{N_SKUS:,} SKUs x {N_CHANNELS} channels"
    ours = 0.0
    for name, terms in settings().items():
        for rule in RULES:
            more = {key: terms[key] for key in terms if key not in ("supply", "requested")}
            median, least = timed(
                lambda terms=terms, more=more, rule=rule: water_fill(
                    terms["supply"], terms["requested"], rule=rule, **more
                )
            )
            row(f"{rule}: {name}", size, median, least)
            if (name, rule) == ("plain", "max_min"):
                ours = least
    baselines(ours)
    by_value()
    moves()


def baselines(ours: float) -> None:
    """Time the other ways to divide plainly, and print what they take for as many SKUs."""
    terms = claims()
    ways: tuple[tuple[str, Callable[..., object], int], ...] = (
        ("numpy, fractions", by_numpy, 20_000),
        ("Python, fractions", by_python, 2_000),
        ("OR-Tools GLOP, fractions", by_lp, 60),
    )
    for name, divide, n in ways:
        supply, requested = terms["supply"][:n], terms["requested"][:n]
        median, least = timed(lambda: divide(supply, requested), 3)  # noqa: B023
        factor = N_SKUS / n
        note = f"{least * factor / ours:,.0f} times ours, from {n:,} SKUs"
        row(name, f"{N_SKUS:,} SKUs x {N_CHANNELS} channels", median * factor, least * factor, note)


def by_value() -> None:
    """Time the allocation that earns the most, from tables and from arrays."""
    rng = np.random.default_rng(3)
    n = 10_000
    skus = [f"S{k}" for k in range(n)]
    mean = rng.gamma(1.0, 12.0, n * N_CHANNELS)
    table = {
        "sku": np.repeat(skus, N_CHANNELS),
        "channel": [f"c{k}" for k in range(N_CHANNELS)] * n,
        "quantity": np.full(n * N_CHANNELS, 80),
        "margin_cents": rng.integers(200, 3000, n * N_CHANNELS),
        "mean": mean,
        "variance": mean * 1.7,
    }
    supply = {"sku": skus, "quantity": rng.integers(20, 90, n)}
    row("allocate_by_value, tables", f"{n:,} SKUs x {N_CHANNELS} channels",
        *timed(lambda: allocate_by_value(supply, table), 5))  # fmt: skip
    stores = 50
    mean = rng.gamma(0.6, 3.0, 2_000 * stores)
    demand = DemandDistribution.from_moments(mean, mean * 1.7)
    asked = rng.integers(0, 12, (2_000, stores))
    row("dc_to_stores_by_value", f"2,000 SKUs x {stores} stores",
        *timed(lambda: dc_to_stores_by_value(
            asked.sum(axis=1) // 2, asked, position=asked // 3, demand=demand,
            margin_cents=900, freight_cents=40), 5))  # fmt: skip


def network(n_skus: int, n_nodes: int, *, trucks: bool) -> dict[str, Any]:
    """Return the arguments of ``rebalance``: a centre, stores, all lanes between them."""
    rng = np.random.default_rng(1)
    sku, node = (part.reshape(-1) for part in np.indices((n_skus, n_nodes)))
    mean = np.where(node == 0, 0.0, rng.gamma(0.6, 4.0, len(sku)))
    centre = rng.integers(0, n_nodes * 3, len(sku))
    stores = np.arange(1, n_nodes)
    source, destination = (part.reshape(-1) for part in np.meshgrid(stores, stores))
    apart = source != destination
    source = np.concatenate((np.zeros(n_nodes - 1, int), source[apart]))
    destination = np.concatenate((stores, destination[apart]))
    outbound = source == 0
    lanes = TransferLanes(
        source,
        destination,
        freight_cents=np.where(outbound, 30, 120 + rng.integers(0, 200, len(source))),
        truck_volume=np.where(outbound & trucks, max(n_skus // 2, 1), 0),
        truck_cents=8_000,
        trucks=np.where(outbound & trucks, 3, -1),
    )
    return {
        "sku": sku,
        "node": node,
        "on_hand": np.where(node == 0, centre, rng.integers(0, 8, len(sku))),
        "demand": DemandDistribution.from_moments(mean, mean * 1.8),
        "margin_cents": rng.integers(300, 4000, n_skus)[sku],
        "lanes": lanes,
        "pack_size": rng.choice([1, 1, 3, 6], n_skus),
    }


def moves() -> None:
    """Time transfers over all lanes between nodes, without and with trucks."""
    for n_skus, n_nodes, trucks, limit in (
        (1_000, 21, False, 0.0),
        (10_000, 51, False, 0.0),
        (1_000, 21, True, 0.0),
        (1_000, 21, True, 20.0),
    ):
        terms = network(n_skus, n_nodes, trucks=trucks)
        start = time.thread_time()
        moved = rebalance_arrays(**terms, time_limit_s=limit)
        spent = (time.thread_time() - start) * 1e3
        lanes = len(terms["lanes"])
        what = f"rebalance{f', trucks, {limit:g} s' if trucks else ''}"
        size = f"{n_skus:,} SKUs x {n_nodes} nodes, {lanes:,} lanes"
        row(what, size, spent, spent, f"{len(moved):,} lines, gap {moved.gap:.4%}")


if __name__ == "__main__":
    main()
