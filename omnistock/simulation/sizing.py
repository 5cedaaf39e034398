"""What this machine can carry: the engine measured here, and the share that a peak takes of it."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omnistock.engine import Engine, warmup
from omnistock.engine import open as open_engine
from omnistock.engine.hold_commands import Reserve
from omnistock.errors import InputError
from omnistock.simulation.stocked import CHANNEL, Stocked, stocked_engine

__all__ = ["MachineFigures", "PeakLoad", "measure_machine", "peak_load"]

Progress = Callable[[int, int, str], None]
# Half of the time stays free: requests come in bursts, and a queue grows without end as the
# share of busy time nears one.
_MOST_BUSY = 0.5
_BATCH, _LARGE_BATCH = 1000, 8192
_FEWEST_SINGLES = 100
_EVENTS_OF_STOCKPOINT = 2
_EVENTS_OF_ORDER = 2


@dataclass(frozen=True, slots=True)
class MachineFigures:
    """What was measured.

    Attributes
    ----------
    n_stockpoints, n_nodes, lines_per_order
        The sizes it was measured at.
    reservations_per_s : float
        Durable orders with request ids by ``reserve_arrays``, 1,000 at a time.
    reservations_per_s_large : float
        The same, 8,192 at a time.
    reservations_per_s_objects : float
        Durable orders by ``reserve_many``, a Python object each, 1,000 at a time.
    longest_wait_ms : float
        The longest of the batches of 1,000: one in which tables had to grow.
    checks_per_s : float
        Questions of a SKU at a node, asked in arrays.
    calls_per_s : float
        Calls of ``available`` from Python, with names, one after another: 10,000 SKUs at
        nodes, again and again.
    reserve_p50_ms, reserve_p99_ms : float
        One durable ``reserve`` that waits for nobody else.
    fsync_p50_ms : float
        Writing 4,096 bytes and waiting for the disk, in the same folder.
    mb_per_million_stockpoints : float
        Memory of this process for stock, names included, without orders.
    mb_per_million_orders : float
        Memory for the holds, lines and request ids of orders that came in arrays.
    recovery_s_per_million_events : float
        Opening the store again.
    ledger_bytes_per_order : float
        Growth of the ledger.
    """

    n_stockpoints: int
    n_nodes: int
    lines_per_order: float
    reservations_per_s: float
    reservations_per_s_large: float
    reservations_per_s_objects: float
    longest_wait_ms: float
    checks_per_s: float
    calls_per_s: float
    reserve_p50_ms: float
    reserve_p99_ms: float
    fsync_p50_ms: float
    mb_per_million_stockpoints: float
    mb_per_million_orders: float
    recovery_s_per_million_events: float
    ledger_bytes_per_order: float


@dataclass(frozen=True, slots=True)
class PeakLoad:
    """What a peak takes.

    Attributes
    ----------
    orders_per_s, checks_per_order : float
        The peak.
    share : float
        Share of the time that one engine on this machine would be busy, orders and
        questions coming in arrays; above 1 it cannot keep up.
    machines : int
        Machines of this kind, stock split between them, so that none is busy for more
        than half of the time.
    share_objects, machines_objects
        The same if each order is a Python object and each question a Python call.
    """

    orders_per_s: float
    checks_per_order: float
    share: float
    machines: int
    share_objects: float
    machines_objects: int


def peak_load(
    figures: MachineFigures, orders_per_s: float, *, checks_per_order: float = 10.0
) -> PeakLoad:
    """Return what a peak takes of the machine that was measured.

    Parameters
    ----------
    figures : MachineFigures
        From :func:`measure_machine`.
    orders_per_s : float
        Orders at the peak, of as many lines as were measured.
    checks_per_order : float
        Questions that are asked for each order that is placed.

    Raises
    ------
    InputError
        If the peak is not above 0 or there are less than 0 questions.
    """
    if not 0 < orders_per_s < math.inf:
        raise InputError(f"the peak must be above 0 orders per second, got {orders_per_s:g}")
    if not 0 <= checks_per_order < math.inf:
        raise InputError(f"checks per order must be at least 0, got {checks_per_order:g}")
    share = orders_per_s * (
        1.0 / figures.reservations_per_s + checks_per_order / figures.checks_per_s
    )
    slow = orders_per_s * (
        1.0 / figures.reservations_per_s_objects + checks_per_order / figures.calls_per_s
    )
    return PeakLoad(orders_per_s, checks_per_order, share, _machines(share), slow, _machines(slow))


def _machines(share: float) -> int:
    return max(1, math.ceil(share / _MOST_BUSY - 1e-9))


def measure_machine(
    folder: str | Path,
    *,
    n_stockpoints: int = 1_000_000,
    n_nodes: int = 5,
    lines_per_order: float = 2.5,
    seconds: float = 6.0,
    progress: Progress | None = None,
) -> MachineFigures:
    """Measure the engine on this machine, with its ledger in ``folder``.

    Parameters
    ----------
    folder : str or Path
        A folder on the disk that will hold the ledger; what is written there is removed.
    n_stockpoints, n_nodes : int
        Size of the engine; every SKU lies at every node.
    lines_per_order : float
        Orders have 1 to ``2 * lines_per_order - 1`` lines, rounded.
    seconds : float
        How long each of the rates is measured.
    progress : callable, optional
        Called with (done, total, phase).

    Raises
    ------
    InputError
        If a size is not positive or the folder does not exist.
    """
    if not 1 <= lines_per_order <= 100:
        raise InputError(f"lines per order must lie in 1..100, got {lines_per_order:g}")
    if seconds <= 0:
        raise InputError(f"seconds must be above 0, got {seconds:g}")
    if not Path(folder).is_dir():
        raise InputError(f"folder {folder} does not exist; name one on the disk of the ledger")
    say = progress or (lambda _done, _total, _phase: None)
    with tempfile.TemporaryDirectory(prefix=".omnistock-bench-", dir=folder) as made:
        store = Path(made) / "bench.db"
        # The kernels' own memory is no stock.
        warmup()
        say(0, 8, "opening stock")
        before = _resident_bytes()
        stocked = stocked_engine(store, n_stockpoints, n_nodes=n_nodes)
        memory = _resident_bytes() - before
        try:
            rates = _Rates(stocked, round(2 * lines_per_order - 1), seconds)
            rates.run(store, say)
        finally:
            stocked.engine.close()
        say(7, 8, "recovery")
        started = time.perf_counter()
        open_engine(store).close()
        recovery = time.perf_counter() - started
    say(8, 8, "measured")
    events = _EVENTS_OF_STOCKPOINT * n_stockpoints + _EVENTS_OF_ORDER * rates.n_orders
    return MachineFigures(
        n_stockpoints=n_stockpoints,
        n_nodes=n_nodes,
        lines_per_order=lines_per_order,
        mb_per_million_stockpoints=memory / n_stockpoints,
        recovery_s_per_million_events=recovery / events * 1e6,
        **rates.found,
    )


class _Rates:
    """The rates of one engine, measured one after the other."""

    def __init__(self, stocked: Stocked, most_lines: int, seconds: float) -> None:
        self.stocked = stocked
        self.most_lines = most_lines
        self.seconds = seconds
        self.rng = np.random.default_rng(1)
        self.n_orders = 0
        self.found: dict[str, float] = {}
        self.longest = 0.0

    def run(self, store: Path, say: Progress) -> None:
        found = self.found
        say(1, 8, "checks in arrays")
        found["checks_per_s"] = self._checks()
        say(2, 8, "checks one by one")
        found["calls_per_s"] = self._calls()
        resident = _resident_bytes()
        say(3, 8, "orders, 1,000 at a time")
        self._reserve(_BATCH)
        before = self._ledger_bytes(store)
        started = self.n_orders
        found["reservations_per_s"] = self._sustained(lambda: self._reserve(_BATCH))
        found["longest_wait_ms"] = self.longest * 1e3
        grown = self._ledger_bytes(store) - before
        found["ledger_bytes_per_order"] = grown / (self.n_orders - started)
        say(4, 8, "orders, 8,192 at a time")
        found["reservations_per_s_large"] = self._sustained(lambda: self._reserve(_LARGE_BATCH))
        found["mb_per_million_orders"] = (_resident_bytes() - resident) / self.n_orders
        say(5, 8, "orders as Python objects")
        self._reserve_objects(_BATCH)
        found["reservations_per_s_objects"] = self._sustained(lambda: self._reserve_objects(_BATCH))
        say(6, 8, "orders one by one")
        self._singles(store.parent)

    def _sustained(self, batch: Callable[[], float]) -> float:
        """Orders a second over all batches, those in which arrays grow included."""
        before, busy = self.n_orders, 0.0
        self.longest = 0.0
        while busy < self.seconds:
            taken = batch()
            busy += taken
            self.longest = max(self.longest, taken)
        return (self.n_orders - before) / busy

    def _reserve(self, n_orders: int) -> float:
        orders = self.stocked.orders(self.rng, n_orders, most_lines=self.most_lines)
        started = time.perf_counter()
        self.stocked.engine.reserve_arrays(**orders, channel=CHANNEL)  # type: ignore[arg-type]
        taken = time.perf_counter() - started
        self.n_orders += n_orders
        return taken

    def _lines(self) -> list[tuple[str, int, str]]:
        n_lines = int(self.rng.integers(1, self.most_lines + 1))
        return [
            (
                f"S{self.rng.integers(self.stocked.n_skus)}",
                1,
                f"N{self.rng.integers(self.stocked.n_nodes)}",
            )
            for _ in range(n_lines)
        ]

    def _reserve_objects(self, n_orders: int) -> float:
        first = self.n_orders
        requests = [
            Reserve(f"order-{first + k}", self._lines(), CHANNEL, request_id=f"request-{first + k}")
            for k in range(n_orders)
        ]
        started = time.perf_counter()
        self.stocked.engine.reserve_many(requests)
        taken = time.perf_counter() - started
        self.n_orders += n_orders
        return taken

    def _singles(self, folder: Path) -> None:
        """Single durable orders, each beside one bare write to the same disk."""
        engine: Engine = self.stocked.engine
        alone: list[float] = []
        disk: list[float] = []
        ends = time.perf_counter() + self.seconds
        with tempfile.TemporaryFile(dir=folder) as file:
            while len(alone) < _FEWEST_SINGLES or time.perf_counter() < ends:
                lines, name = self._lines(), f"order-{self.n_orders}"
                started = time.perf_counter()
                engine.reserve(name, lines, channel=CHANNEL, request_id=name)
                alone.append(time.perf_counter() - started)
                self.n_orders += 1
                started = time.perf_counter()
                os.write(file.fileno(), bytes(4096))
                os.fsync(file.fileno())
                disk.append(time.perf_counter() - started)
        self.found["reserve_p50_ms"] = float(np.quantile(alone, 0.5)) * 1e3
        self.found["reserve_p99_ms"] = float(np.quantile(alone, 0.99)) * 1e3
        self.found["fsync_p50_ms"] = float(np.quantile(disk, 0.5)) * 1e3

    def _checks(self) -> float:
        from omnistock.engine.reads import available_many

        n = min(1_000_000, 20 * self.stocked.n_stockpoints)
        skus = self.rng.integers(0, self.stocked.n_skus, n)
        nodes = self.rng.integers(0, self.stocked.n_nodes, n)
        state = self.stocked.engine._writer.state
        askers = np.zeros(n, np.int64)
        available_many(state, skus, askers, nodes)
        done, busy = 0, 0.0
        while busy < self.seconds / 3:
            started = time.perf_counter()
            available_many(state, skus, askers, nodes)
            busy += time.perf_counter() - started
            done += n
        return done / busy

    def _calls(self) -> float:
        n = min(10_000, 20 * self.stocked.n_stockpoints)
        skus = [f"S{code}" for code in self.rng.integers(0, self.stocked.n_skus, n)]
        nodes = [f"N{code}" for code in self.rng.integers(0, self.stocked.n_nodes, n)]
        available = self.stocked.engine.available
        available(skus[0], node=nodes[0], channel=CHANNEL)
        done, busy = 0, 0.0
        while busy < self.seconds / 3:
            started = time.perf_counter()
            for sku, node in zip(skus, nodes, strict=True):
                available(sku, node=node, channel=CHANNEL)
            busy += time.perf_counter() - started
            done += n
        return done / busy

    @staticmethod
    def _ledger_bytes(store: Path) -> int:
        """Size of the ledger's frames, without what the store keeps around them."""
        import sqlite3

        connection = sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT sum(length(frame)) FROM frames").fetchone()[0])
        finally:
            connection.close()


def _resident_bytes() -> int:
    """Memory that this process has in use; 0 where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
