"""What choosing nodes well earns: four weeks of a retailer, beside perfect hindsight.

Run ``python -m benchmarks.outcome [--seeds N] [--quick] [--json FILE]``. Six centres and 24
stores hold 60 SKUs, each at three centres and ten stores. Stock comes once a week, 92 % of
what was forecast. Walk-ins buy in stores what they find; some 150 online orders a day of one to
five lines may be sent from everywhere, at 3.5 to 10 units of money a package. Promotions run for
a week. Forecasts miss by a quarter (SKU), by a fifth (store), by what promotions do and by
what no forecast knows: days differ by 30 %.

Profit is the margin of what is sold, less shipments, less 3 for every order line that is not
sent. All policies see the same walk-ins and orders, a quarter of a day at a time, and never
the future. Policies:

* nearest node, fixed priority: each line from the first node of a list that has it
* most lines first: the node that has most of an order, then the next for the rest
* exact per order: the cheapest shipment of each order, stock being free
* priced, order by order: the same, a unit of stock costing what it is expected to earn elsewhere
* priced, joint windows: the orders of a quarter of a day together, by
  :func:`omnistock.sourcing.joint.solve.solve`, stock costing the same

Prices come from forecasts, corrected by what was seen so far. Their settings were chosen on
seeds 1000 to 1002, which are not among those reported.

The bound is a linear program that knows all demand, and may send parts of packages; no policy
earns more, which is checked for each seed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from benchmarks.outcome_bound import base_cents, clairvoyant_cents
from benchmarks.outcome_policies import POLICIES, Policy
from benchmarks.outcome_world import DAYS, TICKS, Size, World, places_of, world_of
from omnistock.sourcing.joint.evaluate import evaluate


def play(world: World, policy: Policy, window: int = 1) -> dict[str, int]:
    """Play four weeks; profit in cents and what was sold, lost and sent.

    In every tick walk-ins take what they find, then the orders of the tick are sourced.
    """
    problem, shape = world.problem, world.node.shape
    stock = np.zeros(world.node.size, np.int64)
    place = places_of(world)
    assigned = np.full(problem.n_lines, -1)
    starts = np.searchsorted(world.order_tick, np.arange(DAYS * TICKS + 1))
    walk_ins = 0
    earned = 0
    for tick in range(DAYS * TICKS):
        if tick % (7 * TICKS) == 0:
            stock += world.receipts[tick // (7 * TICKS)].ravel()
        sold = np.minimum(stock, world.walk_ins[tick].ravel())
        stock -= sold
        walk_ins += int(sold.sum())
        earned += int(sold.reshape(shape).sum(axis=1) @ world.walk_in_margin)
        if (tick + 1) % window:
            continue
        orders = np.arange(starts[tick + 1 - window], starts[tick + 1])
        if not len(orders):
            continue
        lines = slice(problem.order_offsets[orders[0]], problem.order_offsets[orders[-1] + 1])
        chosen = policy(tick, orders, stock.copy())
        assigned[lines] = chosen
        sent = chosen >= 0
        np.subtract.at(stock, place[problem.part_sku[lines][sent], chosen[sent]], 1)
        assert stock.min() >= 0, "a policy sent what is not there"
    plan = evaluate(problem, assigned)
    assert plan.feasible
    online = int((assigned >= 0).sum())
    assert stock.sum() + online + walk_ins == world.receipts.sum(), "units are conserved"
    return {
        "profit_cents": base_cents(world) - plan.cost + earned,
        "packages": plan.packages,
        "online_lines": online,
        "online_lost": plan.unfilled_lines,
        "walk_in_units": walk_ins,
        "walk_in_lost": int(world.walk_ins.sum()) - walk_ins,
        "units_left": int(stock.sum()),
    }


def run_seed(job: tuple[int, Size]) -> dict[str, Any]:
    """Play one seed with every policy; check that none beats the bound."""
    seed, size = job
    world = world_of(seed, size)
    bound = clairvoyant_cents(world)
    found: dict[str, Any] = {"seed": seed, "clairvoyant_cents": bound, "policies": {}}
    for name, make in POLICIES.items():
        row = play(world, make(world))
        assert row["profit_cents"] <= bound * (1 + 1e-6), f"seed {seed}: {name} beats the bound"
        found["policies"][name] = row
    return found


def summary(seeds: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Means over seeds, and half the width of 95 % intervals of Student's t.

    ``share`` is profit over the bound; ``gain`` that share less exact per order's, seed by seed;
    ``packages_vs_nearest`` and ``packages_vs_most_lines`` compare packages per line sent.
    """
    shown: dict[str, dict[str, float]] = {}

    def each(name: str, key: str) -> np.ndarray:
        return np.array([float(one["policies"][name][key]) for one in seeds])

    bound = np.array([one["clairvoyant_cents"] for one in seeds])
    t = float(student.ppf(0.975, len(seeds) - 1)) if len(seeds) > 1 else float("nan")

    def interval(values: np.ndarray) -> float:
        return t * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else t

    for name in POLICIES:
        share = each(name, "profit_cents") / bound
        gain = share - each("exact per order", "profit_cents") / bound
        per_line = each(name, "packages") / each(name, "online_lines")
        row = {"share": float(share.mean()), "share_pm": interval(share)}
        row |= {"least_share": float(share.min())}
        row |= {"gain": float(gain.mean()), "gain_pm": interval(gain)}
        row |= {"packages": float(each(name, "packages").mean())}
        for base, label in (("nearest node", "nearest"), ("most lines first", "most_lines")):
            saved = per_line / (each(base, "packages") / each(base, "online_lines")) - 1
            total = each(name, "packages") / each(base, "packages") - 1
            row[f"packages_per_line_vs_{label}"] = float(saved.mean())
            row[f"packages_vs_{label}"] = float(total.mean())
            row[f"packages_vs_{label}_pm"] = interval(total)
        lost, sent = each(name, "online_lost"), each(name, "online_lines")
        row["online_lost_share"] = float((lost / (lost + sent)).mean())
        lost, sent = each(name, "walk_in_lost"), each(name, "walk_in_units")
        row["walk_in_lost_share"] = float((lost / (lost + sent)).mean())
        shown[name] = row
    return shown


def text_of(shown: dict[str, dict[str, float]], n_seeds: int) -> str:
    """Return the figures for people."""
    rows = [
        f"{n_seeds} seeds; +-: 95 % interval of the mean; gain: over exact per order, paired",
        f"{'policy':<24}{'of clairvoyant':>17}{'least':>8}{'gain':>16}{'packages':>10}"
        f"{'vs nearest':>12}{'vs most':>9}{'lost online':>13}{'walk-in':>9}",
    ]
    for name, row in shown.items():
        rows.append(
            f"{name:<24}{row['share']:>9.2%} +-{row['share_pm']:>6.2%}{row['least_share']:>8.1%}"
            f"{row['gain']:>8.2%} +-{row['gain_pm']:>6.2%}{row['packages']:>9,.0f}"
            f"{row['packages_vs_nearest']:>12.1%}{row['packages_vs_most_lines']:>9.1%}"
            f"{row['online_lost_share']:>13.1%}{row['walk_in_lost_share']:>9.1%}"
        )
    rows.append("packages per line that was sent:")
    for name, row in shown.items():
        nearest, most = (row[f"packages_per_line_vs_{one}"] for one in ("nearest", "most_lines"))
        rows.append(f"{name:<24}{nearest:>+8.1%} vs nearest node{most:>+8.1%} vs most lines first")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=30, metavar="N", help="seeds 0 to N - 1")
    parser.add_argument("--quick", action="store_true", help="three seeds")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write every figure, seed by seed"
    )
    chosen = parser.parse_args(arguments)
    if chosen.seeds < 1:
        parser.error(f"--seeds must be at least 1, got {chosen.seeds}")
    n_seeds = 3 if chosen.quick else chosen.seeds
    started = time.monotonic()
    seeds = []
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for one in pool.imap(run_seed, [(seed, Size()) for seed in range(n_seeds)]):
            seeds.append(one)
            text = f"{len(seeds)}/{n_seeds} seeds, {time.monotonic() - started:.0f} s"
            print(text, file=sys.stderr, flush=True)
            if chosen.json is not None:
                known = {"summary": summary(seeds), "seeds": seeds}
                chosen.json.write_text(json.dumps(known, indent=2) + "\n")
    print(__doc__)
    print(text_of(summary(seeds), n_seeds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
