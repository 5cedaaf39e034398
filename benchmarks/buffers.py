"""How fast buffers are computed: CPU seconds per 100,000 problems, one thread, warm.

    python -m benchmarks.buffers [--rows N]

Each line is one call over all rows, next to vectorised scipy on the same rows in the same
run. Means are spread evenly in their logarithm from 0.05 to 300 units, variance over mean
from 1.05 to 20; levels lie from two deviations below to four above the mean. "worst error"
is the largest relative difference from scipy where both have six digits to compare; "scipy"
is empty where scipy has no vectorised counterpart.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special, stats

from omnistock.buffers import fill_rate, oversell_buffer, safety_stock
from omnistock.numerics.demand import GAMMA, NORMAL, DemandDistribution
from omnistock.replenishment import dc_to_stores, replenish

Call = Callable[[], Any]


class Problems:
    """Seeded problems, and the same in scipy's parameters."""

    def __init__(self, n: int, seed: int = 1):
        draw = np.random.default_rng(seed)
        self.n = n
        self.mean = np.exp(draw.uniform(np.log(0.05), np.log(300.0), n))
        self.variance = self.mean * np.exp(draw.uniform(np.log(1.05), np.log(20.0), n))
        self.deviation = np.sqrt(self.variance)
        sigmas = draw.uniform(-2.0, 4.0, n)
        self.level = np.maximum(np.floor(self.mean + sigmas * self.deviation), 1.0)
        self.lot = draw.integers(1, 60, n)
        self.shape, self.scale = self.mean**2 / self.variance, self.variance / self.mean
        self.size, self.p = self.mean**2 / (self.variance - self.mean), self.mean / self.variance
        whole = np.full(n, NORMAL)
        self.normal = DemandDistribution(self.mean, self.variance, whole)
        self.gamma = DemandDistribution(self.mean, self.variance, np.full(n, GAMMA))
        self.poisson = DemandDistribution.from_moments(self.mean, self.mean)
        self.nbinom = DemandDistribution.from_moments(self.mean, self.variance)

    def scipy_loss(self, name: str) -> np.ndarray:
        x, mean = self.level, self.mean
        if name == "normal":
            z = (x - mean) / self.deviation
            return self.deviation * (stats.norm.pdf(z) - z * special.ndtr(-z))
        if name == "gamma":
            y = x / self.scale
            above = special.gammaincc(self.shape, y)
            return mean * special.gammaincc(self.shape + 1.0, y) - x * above
        if name == "poisson":
            return mean * special.gammainc(x, mean) - x * special.gammainc(x + 1.0, mean)
        q = 1.0 - self.p
        above = special.betainc(x + 1.0, self.size, q)
        return mean * special.betainc(x, self.size + 1.0, q) - x * above

    def scipy_quantile(self, name: str) -> np.ndarray:
        if name == "normal":
            return self.mean + self.deviation * special.ndtri(np.full(self.n, 0.95))
        if name == "gamma":
            return self.scale * special.gammaincinv(self.shape, 0.95)
        if name == "poisson":
            return stats.poisson.ppf(0.95, self.mean)
        return stats.nbinom.ppf(0.95, self.size, self.p)


def seconds(call: Call, repeats: int = 3) -> tuple[float, Any]:
    """Return the least CPU time of a warm call, and its result."""
    result = call()
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        best = min(best, time.process_time() - start)
    return best, result


def worst_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    told = theirs > 1e-6
    return float(np.max(np.abs(ours[told] / theirs[told] - 1.0)))


def calls(problems: Problems) -> list[tuple[str, Call, Call | None]]:
    """Return name, our call and scipy's call of each line, distributions first."""
    found: list[tuple[str, Call, Call | None]] = []
    for name in ("normal", "gamma", "poisson", "nbinom"):
        demand = getattr(problems, name)
        found.append(
            (
                f"loss {name}",
                lambda demand=demand: demand.loss(problems.level),
                lambda name=name: problems.scipy_loss(name),
            )
        )
        found.append(
            (
                f"quantile {name}",
                lambda demand=demand: demand.quantile(0.95),
                lambda name=name: problems.scipy_quantile(name),
            )
        )
    return found + policy_calls(problems)


def policy_calls(problems: Problems) -> list[tuple[str, Call, Call | None]]:
    """Return the calls of buffers and replenishment."""
    found: list[tuple[str, Call, Call | None]] = []
    lead = DemandDistribution.from_moments(problems.mean * 0.75, problems.variance * 0.75)
    for name in ("normal", "gamma", "poisson", "nbinom"):
        demand = getattr(problems, name)
        found.append(
            (
                f"fill-rate reorder point (s,Q) {name}",
                lambda demand=demand: safety_stock(
                    demand, fill_rate=0.95, order_quantity=problems.lot
                ),
                None,
            )
        )
    found += [
        (
            "fill rate (R,s,nQ) nbinom",
            lambda: fill_rate(
                problems.level,
                problems.nbinom,
                order_quantity=problems.lot,
                during_lead_time=lead,
            ),
            None,
        ),
        (
            "fill-rate level (R,s,nQ) nbinom",
            lambda: safety_stock(
                problems.nbinom,
                review_period_days=7,
                fill_rate=0.95,
                order_quantity=problems.lot,
                during_lead_time=lead,
            ),
            None,
        ),
        (
            "cycle service, all results, nbinom",
            lambda: safety_stock(problems.nbinom, service_level=0.95),
            None,
        ),
        (
            "oversell, worst phase",
            lambda: oversell_buffer(problems.mean, 900.0, 0.01, interval_seconds=3600.0),
            lambda: stats.poisson.isf(0.01, problems.mean * 4500.0 / 86_400.0),
        ),
        (
            "oversell, average phase",
            lambda: oversell_buffer(
                problems.mean, 900.0, 0.01, interval_seconds=3600.0, phase="average"
            ),
            None,
        ),
        ("replenish", lambda: orders(problems), None),
        ("dc_to_stores, 8 stores", lambda: transfers(problems), None),
    ]
    return found


def orders(problems: Problems) -> Any:
    point = problems.level.astype(np.int64)
    return replenish(
        on_hand=point // 2,
        on_order=0,
        backorders=0,
        reorder_point=point,
        order_up_to=point + problems.lot,
        pack_size=6,
        minimum_order=12,
    )


def transfers(problems: Problems) -> Any:
    wanted = np.repeat(problems.level.astype(np.int64)[:, None], 8, axis=1)
    rate = problems.mean[:, None] * np.linspace(0.5, 2.0, 8)
    return dc_to_stores(wanted[:, 0] * 4, wanted, position=wanted // 3, rate_per_day=rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    problems = Problems(parser.parse_args().rows)
    print(f"{problems.n:,} rows, CPU seconds, one thread, warm")
    print(f"{'':44}{'omnistock':>10}{'scipy':>10}{'ratio':>8}{'worst error':>13}")
    for name, ours, theirs in calls(problems):
        own, result = seconds(ours)
        line = f"{name:44}{own:10.4f}"
        if theirs is not None:
            other, expected = seconds(theirs, repeats=1)
            line += f"{other:10.4f}{other / own:7.1f}x{worst_error(result, expected):13.1e}"
        print(line)


if __name__ == "__main__":
    main()
