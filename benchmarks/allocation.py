"""How fast scarce stock is divided: 100,000 SKUs x 8 channels, one thread.

Run ``python -m benchmarks.allocation`` for a table, or
``pytest benchmarks/allocation.py`` for pytest-benchmark's statistics.

Every SKU is scarce (supply 20 to 90 % of what is asked), which is the slow case: a SKU
with enough for all costs a fifth. Guarantees stand on 30 % of the claims.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from omnistock.allocation import RULES, water_fill

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


@pytest.mark.parametrize("tiers", TIERS)
@pytest.mark.parametrize("rule", RULES)
def test_water_fill(benchmark: Any, rule: str, tiers: str) -> None:
    terms = claims() | {"tier": TIERS[tiers], "rule": rule}
    supply, requested = terms.pop("supply"), terms.pop("requested")

    allocation = benchmark(water_fill, supply, requested, **terms)

    assert (allocation.granted.sum(axis=1) == np.minimum(supply, requested.sum(axis=1))).all()


def main() -> None:
    """Print milliseconds per call: best and median of 15."""
    print(f"water_fill, {N_SKUS:,} SKUs x {N_CHANNELS} channels, all scarce, one thread")
    for rule in RULES:
        for name, tier in TIERS.items():
            terms = claims() | {"tier": tier, "rule": rule}
            supply, requested = terms.pop("supply"), terms.pop("requested")
            seconds = []
            for _ in range(16):
                start = time.perf_counter()
                water_fill(supply, requested, **terms)
                seconds.append(time.perf_counter() - start)
            best, median = np.min(seconds[1:]) * 1e3, np.median(seconds[1:]) * 1e3
            print(f"{rule:13s} {name:12s} best {best:6.1f} ms, median {median:6.1f} ms")


if __name__ == "__main__":
    main()
