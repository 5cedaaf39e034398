"""Joint sourcing of orders that compete for stock, by size, beside a greedy order system.

Run ``python -m benchmarks.sourcing_scale [--size N ...] [--ratio R ...] [--quick]
[--time-limit S] [--online] [--out FILE.json|FILE.parquet]``. With ``--online``, orders are
served one by one under prices learnt on the orders of other days. The network has 20
distribution centres and 500 stores; see :func:`generate`. Each row runs in a process of its
own, with kernels already compiled; memory is the peak of that process, processor time that of
all its threads.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sourcing_greedy import source_greedily
from omnistock.sourcing.joint.evaluate import evaluate
from omnistock.sourcing.joint.online import learn_prices, serve_in_turn
from omnistock.sourcing.joint.problem import SourcingProblem
from omnistock.sourcing.joint.solve import solve

# Lines, stock over demand, single lines of one unit only.
ROWS = (
    (3_000, 2.0, False),
    (3_000, 0.95, False),
    (10_000, 2.0, False),
    (10_000, 0.95, False),
    (100_000, 0.95, False),
    (1_000_000, 0.95, False),
    (100_000, 0.95, True),
)
COLUMNS = (
    "lines",
    "ratio",
    "single",
    "status",
    "cost",
    "bound",
    "gap",
    "seconds",
    "cpu_seconds",
    "peak_mb",
    "greedy_cost",
    "greedy_seconds",
    "saved",
)

N_CENTRES, N_STORES, N_REGIONS = 20, 500, 200
# Cents for a unit of weight by distance zone; a store picks at higher cost.
ZONE_CENTS = np.array([60, 72, 85, 105, 130, 155, 180, 210])
STORE_CENTS = 70


def generate(
    lines: int,
    ratio: float,
    seed: int,
    *,
    single: bool = False,
    most_units: int = 3,
    orders_seed: int | None = None,
) -> SourcingProblem:
    """Return a batch of about ``lines`` order lines for stock of ``ratio`` times the demand.

    40 % of the orders have 2 to 6 lines, none if ``single``; most lines ask for one unit and
    none for more than ``most_units``. SKUs sell by Zipf's law with exponent 0.9. With
    ``orders_seed``, other orders meet the same network, popularity and stock.
    """
    rng = np.random.default_rng(seed)
    home, package_cost, unit_cost = _network(rng)
    n_skus = max(50, lines // 20)
    share = np.arange(1, n_skus + 1) ** -0.9
    share = rng.permutation(share / share.sum())
    order_lines, sku, units = _orders(lines, single, most_units, share, rng)
    weight = rng.choice([1, 2, 4], n_skus, p=[0.6, 0.3, 0.1])
    price = np.exp(rng.normal(8.2, 0.35, n_skus)).astype(np.int64)
    demand = units.mean() * lines
    node_capacity = _capacity(demand, rng)
    stock = _stock(ratio * demand * share, rng)
    if orders_seed is not None:
        rng = np.random.default_rng([seed, orders_seed])
        order_lines, sku, units = _orders(lines, single, most_units, share, rng)
    return SourcingProblem.build(
        package_cost=package_cost,
        unit_cost=unit_cost,
        node_capacity=node_capacity,
        stock=stock,
        n_skus=n_skus,
        order_region=rng.choice(N_REGIONS, len(order_lines), p=home),
        order_offsets=np.concatenate([[0], np.cumsum(order_lines)]),
        line_units=units,
        line_weight=units * weight[sku],
        line_penalty=units * price[sku] + 1_000,
        part_offsets=np.arange(lines + 1),
        part_sku=sku,
        part_units=units,
    )


def _network(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of orders of each region, cost of a package and of a unit of weight."""
    region = rng.random((N_REGIONS, 2))
    home = np.arange(1, N_REGIONS + 1) ** -0.5
    home /= home.sum()
    centre = rng.random((N_CENTRES, 2))
    town = rng.choice(N_REGIONS, N_STORES, p=home)
    store = region[town] + rng.normal(0, 0.03, (N_STORES, 2))
    node = np.concatenate([centre, store])
    distance = np.linalg.norm(region[:, None] - node, axis=2)
    zone = np.minimum((distance * 9).astype(np.int64), len(ZONE_CENTS) - 1)
    is_store = np.arange(len(node)) >= N_CENTRES
    handling = np.where(is_store, rng.integers(500, 701, len(node)), rng.integers(480, 601))
    return home, handling + 90 * zone, ZONE_CENTS[zone] + STORE_CENTS * is_store


def _orders(
    lines: int, single: bool, most_units: int, share: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lines of every order; SKU and units of every line."""
    order_lines = _order_sizes(lines, single, rng)
    sku = _wanted(share, np.repeat(np.arange(len(order_lines)), order_lines), rng)
    chance = np.array([0.85, *([0.15 / max(most_units - 1, 1)] * (most_units - 1))])
    return order_lines, sku, rng.choice(most_units, lines, p=chance / chance.sum()) + 1


def _order_sizes(lines: int, single: bool, rng: np.random.Generator) -> np.ndarray:
    if single:
        return np.ones(lines, np.int64)
    size = rng.choice([1, 2, 3, 4, 5, 6], lines, p=[0.6, 0.2, 0.1, 0.05, 0.03, 0.02])
    total = np.cumsum(size)
    size = size[: np.searchsorted(total, lines) + 1]
    size[-1] -= total[len(size) - 1] - lines
    return size


def _wanted(share: np.ndarray, order: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """SKU of every line; a few draws make those of one order differ."""
    most = np.cumsum(share)
    sku = np.minimum(np.searchsorted(most, rng.random(len(order))), len(share) - 1)
    for _ in range(20):
        key = order * len(share) + sku
        by_key = np.argsort(key, kind="stable")
        again = by_key[1:][np.diff(key[by_key]) == 0]
        if not again.size:
            break
        sku[again] = rng.integers(0, len(share), again.size)
    return sku


def _stock(wanted: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Half at up to four centres a SKU, the rest at random stores; node, SKU, units."""
    n_skus = len(wanted)
    at_centres = np.floor(wanted / 2 + rng.random(n_skus)).astype(np.int64)
    at_stores = np.floor(wanted / 2 + rng.random(n_skus)).astype(np.int64)
    centres = rng.integers(0, N_CENTRES, (n_skus, 4))
    sku = np.repeat(np.arange(n_skus), at_centres)
    centre = centres[sku, rng.integers(0, 4, len(sku))]
    store_sku = np.repeat(np.arange(n_skus), at_stores)
    store = rng.integers(N_CENTRES, N_CENTRES + N_STORES, len(store_sku))
    node = np.concatenate([centre, store])
    return node, np.concatenate([sku, store_sku]), np.ones(len(node), np.int64)


def _capacity(demand: float, rng: np.random.Generator) -> np.ndarray:
    """Units a node may send: 1.3 times the demand in all, 60 % of it at centres."""
    size = rng.uniform(0.5, 1.5, N_CENTRES + N_STORES)
    size[:N_CENTRES] *= 0.6 / size[:N_CENTRES].sum()
    size[N_CENTRES:] *= 0.4 / size[N_CENTRES:].sum()
    return np.ceil(1.3 * demand * size).astype(np.int64)


def measure(lines: int, ratio: float, single: bool, time_limit_s: float) -> dict[str, Any]:
    """Solve one world; a row of the table."""
    small = generate(60, ratio, 1, single=single, most_units=1 if single else 3)
    solve(small, time_limit_s=5)
    source_greedily(small)
    problem = generate(lines, ratio, 1, single=single, most_units=1 if single else 3)
    started, cpu = time.perf_counter(), time.process_time()
    plan = solve(problem, time_limit_s=time_limit_s)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    started = time.perf_counter()
    greedy = evaluate(problem, source_greedily(problem))
    greedy_seconds = time.perf_counter() - started
    if plan.assigned is not None:
        checked = evaluate(problem, plan.assigned)
        assert checked.feasible, checked.violations
        assert checked.cost == plan.cost, (checked.cost, plan.cost)
    assert greedy.feasible, greedy.violations
    values = (
        lines,
        ratio,
        single,
        plan.status,
        plan.cost,
        plan.bound,
        plan.gap,
        round(seconds, 2),
        round(cpu, 2),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        greedy.cost,
        round(greedy_seconds, 2),
        1 - plan.cost / greedy.cost if plan.cost is not None else None,
    )
    return dict(zip(COLUMNS, values, strict=True))


def measure_online(
    lines: int, ratio: float, samples: int, renewals: int, days: int = 3
) -> dict[str, Any]:
    """Serve orders in turn, without prices and with prices learnt on other orders.

    Costs are sums over ``days`` days that no price has seen; microseconds per order the
    least of them.
    """
    seen = [generate(lines, ratio, 1, orders_seed=day) for day in range(samples)]
    serve_in_turn(generate(60, ratio, 1))
    started = time.perf_counter()
    prices = learn_prices(seen)
    learnt = time.perf_counter() - started
    cost = np.zeros(4, np.int64)
    microseconds, renewed = [], 0.0
    for day in range(days):
        problem = generate(lines, ratio, 1, orders_seed=1_000 + day)
        alone, priced = serve_in_turn(problem), serve_in_turn(problem, prices)
        started = time.perf_counter()
        anew = serve_in_turn(problem, prices, samples=seen, renewals=renewals)
        renewed += (time.perf_counter() - started) / max(renewals * days, 1)
        greedy = evaluate(problem, source_greedily(problem)).cost
        cost += [greedy, alone.cost, priced.cost, anew.cost]
        microseconds.append(priced.seconds / problem.n_orders * 1e6)
    return {
        "lines": lines,
        "ratio": ratio,
        "samples": samples,
        "renewals": renewals,
        "greedy_cost": int(cost[0]),
        "alone_cost": int(cost[1]),
        "priced_cost": int(cost[2]),
        "renewed_cost": int(cost[3]),
        "priced_saved": 1 - cost[2] / cost[1],
        "renewed_saved": 1 - cost[3] / cost[1],
        "microseconds": round(min(microseconds), 2),
        "learn_seconds": round(learnt, 1),
        "renew_seconds": round(renewed, 1),
    }


def show_online(row: dict[str, Any]) -> None:
    """Print a row of orders served in turn."""
    print(
        f"online {row['lines']:,} lines, stock {row['ratio']}, {row['samples']} samples: "
        f"alone {row['alone_cost']:,}; prices learnt once save {row['priced_saved']:.2%}, "
        f"{row['renewals']} times anew {row['renewed_saved']:.2%}; "
        f"{row['microseconds']} us an order; {row['learn_seconds']} s to learn, "
        f"{row['renew_seconds']} s anew",
        flush=True,
    )


def show(row: dict[str, Any]) -> None:
    """Print a row."""
    cost, bound = ("-" if one is None else f"{one:,}" for one in (row["cost"], row["bound"]))
    saved = "" if row["saved"] is None else f"{row['saved']:.2%}"
    print(
        f"{row['lines']:>9,} {row['ratio']:>5} {'single' if row['single'] else 'mixed':6} "
        f"{cost:>15} {bound:>15} {row['gap']:>8.3%} {row['seconds']:>7.1f} "
        f"{row['cpu_seconds']:>7.1f} {row['peak_mb']:>6,} {row['greedy_cost']:>15,} {saved:>7} "
        f" {row['status']}",
        flush=True,
    )


def write(rows: list[dict[str, Any]], path: Path) -> None:
    """Write the rows as JSON or Parquet, by the file's suffix."""
    if path.suffix == ".parquet":
        import pandas as pd

        pd.DataFrame(rows).to_parquet(path, index=False)
    else:
        path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    """Read the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--size", type=int, nargs="*", help="lines; default: all rows")
    parser.add_argument("--ratio", type=float, nargs="*", help="stock over demand")
    parser.add_argument("--single", action="store_true", help="only orders of one line")
    parser.add_argument("--quick", action="store_true", help="nothing above 10,000 lines, 10 s")
    parser.add_argument("--time-limit", type=float, default=60.0, metavar="S")
    parser.add_argument("--online", action="store_true", help="orders served one by one")
    parser.add_argument("--samples", type=int, default=8, help="days from which to learn prices")
    parser.add_argument("--renewals", type=int, default=10, help="times that they are learnt anew")
    parser.add_argument("--out", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    if chosen.online:
        online = [
            measure_online(size, ratio, chosen.samples, chosen.renewals)
            for size in chosen.size or [10_000]
            for ratio in chosen.ratio or [0.95]
        ]
        for row in online:
            show_online(row)
        if chosen.out is not None:
            write(online, chosen.out)
        return 0
    rows = [row for row in ROWS if not chosen.quick or row[0] <= 10_000]
    if chosen.size or chosen.ratio or chosen.single:
        sizes = chosen.size or sorted({row[0] for row in rows})
        ratios = chosen.ratio or [0.95]
        rows = [(size, ratio, chosen.single) for size in sizes for ratio in ratios]
    limit = min(chosen.time_limit, 10.0) if chosen.quick else chosen.time_limit
    print(
        f"{'lines':>9} {'stock':>5} {'orders':6} {'cost':>15} {'bound':>15} {'gap':>8} "
        f"{'s':>7} {'cpu s':>7} {'MB':>6} {'greedy cost':>15} {'saved':>7}  status"
    )
    done = []
    context = multiprocessing.get_context("spawn")
    for row in rows:
        with context.Pool(1) as pool:
            done.append(pool.apply(measure, (*row, limit)))
        show(done[-1])
    if chosen.out is not None:
        write(done, chosen.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
