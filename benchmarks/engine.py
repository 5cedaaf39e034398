"""How fast the engine is, beside C, numpy, a dict, the disk, Redis and PostgreSQL.

    python -m benchmarks.engine [--stockpoints N] [--quick] [--folder PATH]

Every figure is a ratio to a baseline that is measured in the same run, in turns with it.
Memory-bound and processor-bound work is timed in CPU seconds of the thread, best of the
repeats (the column "medians" has the ratio of medians); what waits for the disk is timed by
the clock, median of the rounds. ``--folder`` is where ledgers are written: name one on the
disk that counts.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from benchmarks.engine_c import FLAGS, Baseline
from benchmarks.engine_calls import single_calls
from benchmarks.engine_checks import batch_checks, best_of_nodes
from benchmarks.engine_durable import (
    durable_batches,
    durable_engine,
    hot_buyers,
    single_reservations,
)
from benchmarks.engine_kernel import reserve_kernel
from benchmarks.engine_measuring import Row, machine, print_table
from benchmarks.engine_postgres import postgres_rows
from benchmarks.engine_redis import redis_rows
from omnistock.engine import warmup
from omnistock.simulation.stocked import stocked_engine

CAVEATS = f"""
C is compiled with {" ".join(FLAGS)}. The C check reads the record and knows the handle, and so
do numpy and the search for the best of 500 nodes; the engine has what they add up in a column,
which "C, the engine's own column" reads as well. The engine's check by SKU, node and asker also
finds the stockpoint, whether it serves the asker (node, channel, owner, lot, dates), and the
limits of the SKU.

The C reserve checks and takes on-hand units on the same records, and nothing else. The
engine's figure beside it includes drawing over compartments, limits, holds, their lines,
the ledger's events and the answers, with and without request ids. "C, keeping as much" also
writes an id table, a hold row, a row per line, reserved units and event words.

Durable orders include idempotency, holds and their lines, the ledger's checksum and the
SQLite transaction with its fsync. "append + fdatasync" writes the same frames to a plain
file, nothing computed. Rates are of the medians of rounds of 16,000 orders, by the clock.

Redis and PostgreSQL are reached over a socket by a Python client, which is part of what is
timed; the engine is called in its own process. A service in front of the engine would pay
for its own socket. They keep on-hand units, request ids and the order's lines, no more.
"""


Part = tuple[str, Callable[[], list[Row]]]


def in_memory(n: int, repeats: int) -> Iterator[Part]:
    """Yield what needs no disk."""
    baseline = Baseline() if Baseline.found() else None
    stocked = stocked_engine(":memory:", n)
    yield "batch checks", lambda: batch_checks(stocked, baseline, repeats)
    yield "best of 500 nodes", lambda: best_of_nodes(n, baseline, repeats)
    yield "single calls", lambda: single_calls(stocked, repeats)
    yield "reserve kernel", lambda: reserve_kernel(stocked, baseline, repeats)
    stocked.engine.close()


def on_disk(n: int, folder: Path, seconds: float) -> Iterator[Part]:
    """Yield what waits for the disk."""
    with durable_engine(folder, n) as durable:
        yield "durable batches", lambda: durable_batches(durable, seconds)
        yield "single durable reservations", lambda: single_reservations(durable, seconds)
        rate = durable.rates[1000]
    yield "hot SKU", lambda: hot_buyers(folder, seconds)
    yield "Redis", lambda: redis_rows(rate, n, seconds)
    yield "PostgreSQL", lambda: postgres_rows(rate, n, seconds)


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stockpoints", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="fewer repeats, shorter runs")
    parser.add_argument("--folder", default=".", help="where ledgers are written")
    arguments = parser.parse_args()
    print(machine())
    print(
        f"{arguments.stockpoints:,} stockpoints, 5 nodes per SKU, orders of 1 to 4 lines, "
        "random SKUs at named nodes"
    )
    warmup()
    rows: list[Row] = []
    quick = arguments.quick
    parts = chain(
        in_memory(arguments.stockpoints, 5 if quick else 15),
        on_disk(arguments.stockpoints, Path(arguments.folder), 2.0 if quick else 6.0),
    )
    for name, part in parts:
        started = time.perf_counter()
        rows += part()
        print(f"  {name}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    print()
    print_table(rows)
    print(CAVEATS)


if __name__ == "__main__":
    main()
