"""How fast tables are read and checked: 3,000,000 rows of daily sales.

Run ``python -m benchmarks.tables`` for a table, or ``pytest benchmarks/tables.py`` for
pytest-benchmark's statistics (on 300,000 rows).

Reading includes every check: empty cells, ranges, dates, and that date, SKU, node and
channel together stand once. Rows are in random order, which is the slow case for keys.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omnistock.frames import TABLES, read_table, to_native, write_table

N_ROWS = 3_000_000
DAYS, SKUS, NODES, CHANNELS = 548, 1000, 15, 5


def sales(n_rows: int = N_ROWS, seed: int = 1) -> dict[str, Any]:
    """Return columns of ``n_rows`` different date, SKU, node and channel."""
    rng = np.random.default_rng(seed)
    keys = rng.permutation(DAYS * SKUS * NODES * CHANNELS)[:n_rows]
    day, rest = keys % DAYS, keys // DAYS
    labels = {
        "sku": [f"{number:05}" for number in range(SKUS)],
        "node": [f"node-{number}" for number in range(NODES)],
        "channel": [f"channel-{number}" for number in range(CHANNELS)],
    }
    codes = {"sku": rest % SKUS, "node": rest // SKUS % NODES, "channel": rest // SKUS // NODES}
    texts = {name: np.array(labels[name], dtype=object)[codes[name]] for name in labels}
    quantity = rng.integers(1, 6, n_rows).astype(np.float64)
    return {"date": np.datetime64("2025-01-01") + day, **texts, "quantity": quantity}


@pytest.mark.parametrize("source", ["sales.parquet", "sales.csv", "pandas", "polars"])
def test_read_table(benchmark: Any, tmp_path: Path, source: str) -> None:
    columns = sales(300_000)
    table = _as_source(columns, source, tmp_path)

    read = benchmark(read_table, table, TABLES["sales"])

    assert read["quantity"].sum() == columns["quantity"].sum()


def _as_source(columns: dict[str, Any], source: str, folder: Path) -> Any:
    if "." not in source:
        return to_native(columns, source)
    write_table(columns, folder / source)
    return folder / source


def main() -> None:
    """Print the best and median seconds of five readings of each source."""
    columns = sales()
    print(f"read_table, {N_ROWS:,} rows of sales, all checks")
    print(f"{'source':<16}{'best s':>8}{'median s':>10}")
    for source in ("sales.parquet", "sales.csv", "pandas", "polars"):
        with tempfile.TemporaryDirectory() as folder:
            table = _as_source(columns, source, Path(folder))
            seconds = []
            for _ in range(5):
                started = time.perf_counter()
                read_table(table, TABLES["sales"])
                seconds.append(time.perf_counter() - started)
        print(f"{source:<16}{min(seconds):>8.2f}{sorted(seconds)[2]:>10.2f}")


if __name__ == "__main__":
    main()
