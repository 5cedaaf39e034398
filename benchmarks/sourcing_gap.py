"""How near to the best joint sourcing comes on given instances, checked from outside.

Run ``python -m benchmarks.sourcing_gap DIR [--time-limit S] [--json FILE]``. Every
``NAME.json`` of the folder is an instance, in cents, minimised:

- ``n_nodes``; ``package_cost[r][n]`` and ``unit_cost[r][n]`` per region and node;
  ``weight[sku]``, kits after the plain SKUs; ``node_capacity[n]``; ``stock``, a list of
  ``[node, sku, units]``; ``kits``, a list of ``[kit_sku, [[component_sku, units], ...]]``;
- ``orders``: ``{region, lines: [{sku, qty, penalty}], all_or_nothing, must_ship}``.

``expected.json``, where present, holds ``{NAME: {status, objective, bound}}`` to compare
with. Each plan is priced and checked by code that shares nothing with the library. Exits
with 1 if an answer is infeasible, mispriced, or proven against what is expected.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.sourcing_instances import price, problem_of, read_instance
from omnistock.errors import InputError
from omnistock.sourcing.joint.solve import solve


def answer(instance: dict[str, Any], time_limit_s: float) -> tuple[dict[str, Any], list[str]]:
    """Solve an instance; what is said of it, and what is wrong with that."""
    started = time.perf_counter()
    plan = solve(problem_of(instance), time_limit_s=time_limit_s)
    said: dict[str, Any] = {
        "status": plan.status,
        "objective": plan.cost,
        "bound": plan.bound,
        "seconds": round(time.perf_counter() - started, 3),
    }
    if plan.assigned is None:
        wrong = [] if plan.status in ("Infeasible", "Unknown") else ["no plan is given"]
        return said, wrong
    cost, wrong = price(instance, plan.assigned.tolist())
    if cost != plan.cost:
        wrong.append(f"says {plan.cost}, costs {cost}")
    if plan.bound is None or plan.bound > cost:
        wrong.append(f"bound {plan.bound} is above the cost {cost}")
    if (plan.status == "Optimal") != (plan.bound == cost):
        wrong.append(f"says {plan.status} with cost {cost} and bound {plan.bound}")
    return said, wrong


def contradictions(said: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What is proven wrong by what is expected."""
    wrong = []
    best, least = expected.get("objective"), expected.get("bound")
    if expected.get("status") == "Infeasible":
        if said["objective"] is not None:
            wrong.append("a plan, though the instance is expected to be infeasible")
        return wrong
    if said["status"] == "Infeasible" and best is not None:
        wrong.append(f"Infeasible, though a plan of {best} is known")
    if said["bound"] is not None and best is not None and said["bound"] > best:
        wrong.append(f"bound {said['bound']} is above a known plan of {best}")
    if said["objective"] is not None and least is not None and said["objective"] < least - 0.5:
        wrong.append(f"cost {said['objective']} is below the known bound {least}")
    return wrong


def run(folder: Path, time_limit_s: float) -> tuple[dict[str, Any], int]:
    """Solve all instances of a folder, printing a row for each; answers, number of faults."""
    expected = {}
    if (folder / "expected.json").is_file():
        expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    heads = ("instance", "lines", "cost", "bound", "own gap", "over known", "s", "status")
    row = "{:24s}{:>7s}{:>13s}{:>13s}{:>9s}{:>12s}{:>8s}  {}"
    print(row.format(*heads))
    answers, faults = {}, 0
    for path in sorted(folder.glob("*.json")):
        if path.name == "expected.json":
            continue
        instance = read_instance(path)
        said, wrong = answer(instance, time_limit_s)
        answers[path.stem] = said
        known = expected.get(path.stem, {})
        wrong += contradictions(said, known)
        print(row.format(path.stem, *_cells(instance, said, known)), flush=True)
        for one in wrong:
            print(f"  WRONG: {one}", flush=True)
        faults += len(wrong)
    return answers, faults


def _cells(instance: dict[str, Any], said: dict[str, Any], known: dict[str, Any]) -> list[str]:
    cost, bound, best = said["objective"], said["bound"], known.get("objective")
    n_lines = sum(len(order["lines"]) for order in instance["orders"])
    gap = "" if cost is None or bound is None else f"{(cost - bound) / max(cost, 1):.3%}"
    over = "" if cost is None or best is None else f"{(cost - best) / max(best, 1):.3%}"
    counts = ["" if one is None else f"{one:,}" for one in (n_lines, cost, bound)]
    return [*counts, gap, over, f"{said['seconds']:.2f}", said["status"]]


def main() -> int:
    """Read the command line, solve, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--time-limit", type=float, default=60.0, metavar="S")
    parser.add_argument("--json", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    if not chosen.folder.is_dir():
        parser.error(f"{chosen.folder} is not a folder")
    try:
        answers, faults = run(chosen.folder, chosen.time_limit)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(answers, indent=2) + "\n", encoding="utf-8")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
