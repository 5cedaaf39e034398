"""A long run of everything at once, with what must hold looked at after every frame.

Run ``python -m benchmarks.soak --operations 10_000_000 --seed 1``; ``--quick`` does 200,000.
An operation is an order of one to three lines, or one other command. Orders come in
arrays, thousands a frame; receipts, shipments, counts, returns, changes of holds, limits
and feeds lie between them, and time passes.

After each frame (:mod:`benchmarks.soak_checks`): reserved and committed are what the holds
have open, each balance is on hand plus receipts less promises, units are conserved, no
quota has given more than it has, no stockpoint is oversold unless its supply was cut, and
for some questions exactly what is available can be reserved. A few SKUs are kept beside
in plain Python (:mod:`benchmarks.soak_plain`). Every ``--store-operations`` the ledger is
audited in full and opened anew, which must give the same state, and a new store begins.

The last line counts violations; with any the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import omnistock as om
from benchmarks import soak_checks as checks
from benchmarks.soak_plain import PlainWorld
from benchmarks.soak_world import FIRST_SECOND, HORIZON, Size, World, network_of
from omnistock.availability import layout

QUESTIONS_PER_FRAME = 3
SHOWN = 20


@dataclass
class Soak:
    """What a run is to do, and what it has found so far."""

    operations: int
    seed: int = 1
    store_operations: int = 250_000
    size: Size = field(default_factory=Size)
    done: int = 0
    held: int = 0
    frames: int = 0
    violations: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)

    def run(self, path: Path) -> None:
        """Fill one store after another at ``path`` until all operations are done."""
        number = 0
        started = time.perf_counter()
        while self.done < self.operations:
            for ending in ("", "-wal", "-shm", ".lock"):
                Path(f"{path}{ending}").unlink(missing_ok=True)
            number += 1
            self._run_store(path, np.random.default_rng([self.seed, number]), started)

    def _run_store(self, path: Path, rng: np.random.Generator, started: float) -> None:
        """One store from its first frame to its audit."""
        engine = om.open(path, network_of(self.size), clock=lambda: world.now)
        world = World(engine, self.size, rng, FIRST_SECOND)
        plain = PlainWorld(engine, HORIZON, rng)
        self.violations += world.stock_up()
        last = min(self.operations, self.done + self.store_operations)
        try:
            while self.done < last:
                self._frame(world, plain)
                show(self, time.perf_counter() - started)
            self.violations += [f"audit: {one}" for one in engine.verify().differences]
            before = checks.contents(engine)
        finally:
            engine.close()
        with om.open(path, clock=lambda: world.now) as again:
            found = checks.check_replay(before, checks.contents(again))
        self.violations += [f"replay: {one}" for one in found]
        for code, count in world.refused.items():
            self.refused[code] = self.refused.get(code, 0) + count

    def _frame(self, world: World, plain: PlainWorld) -> None:
        """A frame of orders, one of other commands, some time, and a look at everything."""
        engine = world.engine
        world.pass_time()
        orders: dict[str, Any] = world.orders()
        repeated = self.frames % 10 == 0
        if repeated:
            shape = (self.size.orders_per_frame, 2)
            orders["request_ids"] = world.rng.integers(1, 1 << 48, shape)
        answer = engine.reserve_arrays(**orders, now=world.now)
        self.held += int(answer.ok.sum())
        if repeated:
            self._again(world, orders, answer.hold)
        commands = world.commands()
        outcomes = engine.execute(commands, now=world.now)
        self.violations += world.settle(commands, outcomes)
        self.done += self.size.orders_per_frame + len(commands)
        self.frames += 1
        if self.frames % 50 == 1:
            plain.limit(world.now)
        self.violations += plain.step(world.now)
        self._look(world, plain)

    def _again(self, world: World, orders: dict[str, Any], holds: Any) -> None:
        """The same requests once more: the same answers, and nothing changes."""
        count = int(world.engine._writer.state.stock[layout.N_HOLDS])
        again = world.engine.reserve_arrays(**orders, now=world.now)
        after = int(world.engine._writer.state.stock[layout.N_HOLDS])
        if after != count or (again.hold != holds).any():
            self.violations.append(f"repeated requests made {after - count} holds")

    def _look(self, world: World, plain: PlainWorld) -> None:
        """What holds after every frame."""
        engine = world.engine
        state = engine._writer.at_time(world.now)
        entered = world.entered.copy()
        for sku, units in plain.entered.items():
            entered[engine._writer.registry.skus[sku]] += units
        self.violations += checks.check_promises(state)
        self.violations += checks.check_units(state, entered)
        self.violations += checks.check_oversold(state, world.cut)
        self.violations += checks.check_quotas(state)
        questions = [self._question(world) for _ in range(QUESTIONS_PER_FRAME)]
        self.violations += checks.check_answers(engine, questions)

    @staticmethod
    def _question(world: World) -> dict[str, object]:
        rng = world.rng
        kit = rng.random() < 0.2
        return {
            "sku": f"KIT{rng.integers(world.size.kits):02d}" if kit else world._sku(),
            "channel": (None, "web", "store")[rng.integers(3)],
            "segment": ("", "vip")[rng.integers(2)],
            "node": world._node() if rng.random() < 0.3 else None,
            "by": world.now + int(rng.integers(0, 6)) * 86_400,
            "now": world.now,
        }


def show(soak: Soak, seconds: float) -> None:
    """Say how far the run is, where somebody is watching."""
    if sys.stderr.isatty():
        rate = soak.done / max(seconds, 1e-9)
        text = f"{soak.done:>14,} of {soak.operations:,} operations, {rate:,.0f}/s"
        print(f"\r{text}, {len(soak.violations)} violations ", end="", file=sys.stderr, flush=True)


def summary(soak: Soak, seconds: float) -> str:
    """One line: operations, seconds, violations."""
    return (
        f"{soak.done:,} operations ({soak.held:,} orders held, {soak.frames:,} frames) "
        f"in {seconds:.1f} s: {len(soak.violations)} violations"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak; 0 if nothing was violated."""
    parser = argparse.ArgumentParser(description="A long run with invariants after every frame.")
    parser.add_argument("--operations", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="200,000 operations")
    parser.add_argument("--store", type=Path, help="file of the store; the last one stays there")
    parser.add_argument("--store-operations", type=int, default=Soak.store_operations)
    parser.add_argument("--orders-per-frame", type=int, default=Size.orders_per_frame)
    given = parser.parse_args(arguments)
    if given.store is not None and given.store.exists():
        parser.error(f"{given.store} is there already; name a new file")
    operations = 200_000 if given.quick else given.operations
    size = Size(orders_per_frame=given.orders_per_frame)
    soak = Soak(operations, given.seed, given.store_operations, size)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        soak.run(given.store or Path(folder) / "soak.db")
    if sys.stderr.isatty():
        print(file=sys.stderr)
    for one in soak.violations[:SHOWN]:
        print(one)
    refused = ", ".join(f"{code} {count:,}" for code, count in sorted(soak.refused.items()))
    print(f"refused beside orders: {refused or 'none'}")
    print(summary(soak, time.perf_counter() - started))
    return 1 if soak.violations else 0


if __name__ == "__main__":
    sys.exit(main())
