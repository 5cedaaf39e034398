"""Durable orders: in batches beside a bare append, one by one beside fsync, and a hot SKU."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import omnistock as om
from benchmarks.engine_measuring import Row, not_measured, rate
from omnistock.ledger import LedgerStore
from omnistock.simulation.stocked import CHANNEL, Stocked, stocked_engine

WANTED = {1000: 0.5, 8192: 1.0}
_BUYERS = 1000


class _Listening:
    """A store that passes everything on and keeps a copy of the frames of one round."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        self.frames: list[bytes] = []

    def append(self, sequence: int, blob: bytes) -> None:
        self._store.append(sequence, blob)
        self.frames.append(blob)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@dataclass
class Durable:
    """An engine on disk, and an empty file beside it."""

    stocked: Stocked
    store: _Listening
    file: int
    rates: dict[int, float] = field(default_factory=dict)


@contextmanager
def durable_engine(folder: Path, n_stockpoints: int) -> Iterator[Durable]:
    """Open an engine in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".omnistock-bench-", dir=folder) as made:
        stocked = stocked_engine(Path(made) / "bench.db", n_stockpoints)
        writer = stocked.engine._writer
        store = _Listening(writer.store)
        writer.store = store  # type: ignore[assignment]
        file = os.open(Path(made) / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            yield Durable(stocked, store, file)
        finally:
            os.close(file)
            stocked.engine.close()


@dataclass
class _Rounds:
    """Seconds per order of each round: the engine by the clock and in CPU, and the bare file."""

    clock: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    bytes_per_order: float = 0.0


def durable_batches(durable: Durable, seconds: float) -> list[Row]:
    """Time batches of orders of 1 to 4 lines in turns with appending the same bytes."""
    rng = np.random.default_rng(6)
    rows = []
    # The first call prepares tables for all SKUs.
    durable.stocked.engine.reserve_arrays(**durable.stocked.orders(rng, 1))  # type: ignore[arg-type]
    for batch, wanted in WANTED.items():
        for callers in (1, 2):
            rounds = _batches(durable, rng, batch, callers, seconds)
            ours, bare = float(np.median(rounds.clock)), float(np.median(rounds.bare))
            if callers == 1:
                durable.rates[batch] = 1 / ours
            what = f"durable orders, {batch:,} a batch, {callers} caller" + "s" * (callers > 1)
            each = f"append + fdatasync, {rounds.bytes_per_order:.0f} B each"
            rows += [
                Row(
                    what, rate(1, ours), "itself, over all rounds",
                    rate(1, float(np.mean(rounds.clock))), 1e-6 / ours, " M/s", target=wanted,
                ),
                Row(what, rate(1, ours), each, rate(1, bare), bare / ours, target=0.5),
            ]  # fmt: skip
            if callers == 1:
                cpu = float(np.median(rounds.cpu))
                rows.append(Row("the same, per CPU second", rate(1, cpu)))
    return rows


def _batches(
    durable: Durable, rng: np.random.Generator, batch: int, callers: int, seconds: float
) -> _Rounds:
    """Let callers send batches, each the next when its last is answered, in rounds."""
    found = _Rounds()
    n_batches = max(2, 16_000 // (batch * callers))
    ends = time.perf_counter() + 2 * seconds
    while time.perf_counter() < ends or len(found.clock) < 5:
        given = [
            [durable.stocked.orders(rng, batch) for _ in range(n_batches)] for _ in range(callers)
        ]
        n_orders = batch * n_batches * callers
        durable.store.frames.clear()
        busy = time.process_time()
        found.clock.append(_send(durable.stocked, given) / n_orders)
        found.cpu.append((time.process_time() - busy) / n_orders)
        started = time.perf_counter()
        for frame in durable.store.frames:
            os.write(durable.file, frame)
            os.fdatasync(durable.file)
        found.bare.append((time.perf_counter() - started) / n_orders)
        found.bytes_per_order = sum(map(len, durable.store.frames)) / n_orders
    return found


def _send(stocked: Stocked, given: list[list[dict[str, Any]]]) -> float:
    """Return the seconds in which all callers have all their answers."""
    ready = threading.Barrier(len(given) + 1)
    refused: list[int] = []

    def work(batches: list[dict[str, Any]]) -> None:
        ready.wait()
        for orders in batches:
            answer = stocked.engine.reserve_arrays(**orders, channel=CHANNEL)
            refused.append(int((~answer.ok).sum()))

    workers = [threading.Thread(target=work, args=(batches,)) for batches in given]
    for worker in workers:
        worker.start()
    ready.wait()
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    taken = time.perf_counter() - started
    assert len(refused) == sum(map(len, given))
    assert not any(refused)
    return taken


def single_reservations(durable: Durable, seconds: float) -> list[Row]:
    """Time single orders in turns with writing 4,096 bytes and waiting for the disk."""
    rng = np.random.default_rng(7)
    taken, disk = [], []
    page = bytes(4096)
    ends = time.perf_counter() + 2 * seconds
    while time.perf_counter() < ends:
        lines = [
            (
                f"S{rng.integers(durable.stocked.n_skus)}",
                1,
                f"N{rng.integers(durable.stocked.n_nodes)}",
            )
            for _ in range(rng.integers(1, 5))
        ]
        name = f"order-{len(taken)}"
        started = time.perf_counter()
        durable.stocked.engine.reserve(name, lines, channel=CHANNEL, request_id=name)
        taken.append(time.perf_counter() - started)
        started = time.perf_counter()
        os.write(durable.file, page)
        os.fsync(durable.file)
        disk.append(time.perf_counter() - started)
    ours, late = np.quantile(taken, [0.5, 0.99]) * 1e6
    theirs = float(np.median(disk)) * 1e6
    return [
        Row(
            "one durable reserve", f"{ours:.0f} us, p99 {late:.0f}", "fsync of 4,096 B",
            f"{theirs:.0f} us", ours - theirs, " us", target=100.0, at_most=True,
        )
    ]  # fmt: skip


def hot_buyers(folder: Path, seconds: float) -> list[Row]:
    """Let 1,000 coroutines buy one SKU on a durable engine."""
    what = "hot SKU, 1,000 asyncio buyers"
    if not hasattr(om, "AsyncEngine"):
        return [not_measured(what, "this version has no AsyncEngine", 0.1, " M/s")]
    with tempfile.TemporaryDirectory(prefix=".omnistock-bench-", dir=folder) as made:
        network = om.Network.build(skus=["HOT", "FEW"], nodes=["DC"], channels=[CHANNEL])
        with om.open(Path(made) / "bench.db", network) as engine:
            engine.receive("HOT", "DC", 100_000_000)
            engine.receive("FEW", "DC", 5000)
            rates = {}
            for way in ("take", "reserve"):
                asyncio.run(_buy(engine, way, "HOT", 3, None))
                sold, taken = asyncio.run(_buy(engine, way, "HOT", 1 << 40, seconds))
                rates[way] = sold / taken
            few, _ = asyncio.run(_buy(engine, "take", "FEW", 10, None))
            assert few == 5000, f"{few} of 5,000 units were sold"
            assert engine.available("FEW") == 0
    return [
        Row(
            f"{what}, {way}", rate(1, 1 / rates[way]), "orders per second", "",
            rates[way] / 1e6, " M/s", target=target,
        )
        for way, target in (("take", 0.1), ("reserve", None))
    ]  # fmt: skip


async def _buy(
    engine: Any, way: str, sku: str, tries: int, seconds: float | None
) -> tuple[int, float]:
    """Let every buyer try so many times, or until time is over; returns units sold and seconds."""
    shared: Any = om.AsyncEngine(engine)
    ends = time.perf_counter() + (1e9 if seconds is None else seconds)
    run = os.urandom(4).hex()

    async def take(number: int, k: int) -> bool:
        return await shared.take(sku, request_id=f"{run}-{number}-{k}") >= 0

    async def reserve(number: int, k: int) -> bool:
        name = f"{run}-{number}-{k}"
        try:
            await shared.reserve(name, [(sku, 1)], channel=CHANNEL, request_id=name)
        except om.OutOfStock:
            return False
        return True

    once = take if way == "take" else reserve

    async def buyer(number: int) -> int:
        for k in range(tries):
            if time.perf_counter() >= ends or not await once(number, k):
                return k
        return tries

    started = time.perf_counter()
    sold = await asyncio.gather(*(buyer(number) for number in range(_BUYERS)))
    return sum(sold), time.perf_counter() - started
