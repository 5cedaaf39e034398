"""Source two years of real order lines anew: order by order, and in batches.

Run ``python -m benchmarks.replay_olist [--quick] [--json FILE]``. The data is a sample of
Olist's Brazilian marketplace: order lines with the places of customer and seller, weights
and the freight that was paid. It is read from ``../shared/data``, or from the folder that
``OMNISTOCK_SHARED`` names.

What is assumed, because the data does not say it:

* A node is a place with sellers: a square of a quarter of a degree, about 27 km.
* A SKU is a category in a weight class. All sellers of one SKU are taken to be able to
  replace each other. In truth they sell different products, so nobody could have saved
  what is shown here by sourcing alone; it shows the method on real geography.
* Stock of a node is what it really sold of the SKU in the calendar month, there from the
  first day and used up on the last: stock equals demand, and what really happened is one
  of the possible plans.
* Freight of a package is fitted by non-negative least squares from what was paid: a sum for
  each package, for each kilometre, for each kilogram and for each kilogram and kilometre.
  All plans are priced by this fit, what really happened too.

Every order must be filled, in as many packages as it takes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from omnistock.errors import InputError
from omnistock.sourcing.distances import haversine
from omnistock.sourcing.joint.arcs import batch_of
from omnistock.sourcing.joint.part import part_of, taken_by
from omnistock.sourcing.joint.patterns import desk_for
from omnistock.sourcing.joint.prices import price_orders
from omnistock.sourcing.joint.problem import SourcingProblem
from omnistock.sourcing.joint.solve import solve

SQUARE_DEGREES = 0.25
# Grams; a class goes up to the next.
WEIGHT_CLASSES = np.array([0, 300, 700, 1_500, 5_000])
# Money in the model: ten-thousandths of a real, weight: hectograms.
PER_REAL = 10_000
HECTOGRAM = 100.0
PENALTY = 2_000 * PER_REAL
# A batch that takes longer is planned as far as it came; the table says how many.
BATCH_SECONDS = 20.0
GAP = 0.001
QUICK_MONTHS = 3

Say = Callable[[str], None]


def data_file() -> Path:
    """Return where the order lines should lie."""
    root = Path(__file__).resolve().parent.parent
    shared = Path(os.environ.get("OMNISTOCK_SHARED") or root.parent / "shared")
    return shared / "data" / "olist_order_lines.parquet"


def read_lines(path: Path) -> pd.DataFrame:
    """Order lines with ``order, ts, month, sku, node, kg, freight`` and both places.

    Raises
    ------
    InputError
        If the file is not there.
    """
    if not path.exists():
        raise InputError(
            f"{path} is not there; put the Olist order lines there, or set OMNISTOCK_SHARED "
            "to the folder that has data/olist_order_lines.parquet"
        )
    raw = pd.read_parquet(path)
    dropped = raw["order_status"].isin(["canceled", "unavailable"]) | raw["cust_lat"].isna()
    raw = raw[~dropped].sort_values(["ts", "order_id", "order_item_id"], kind="stable")
    square = np.floor(raw[["sell_lat", "sell_lng"]].to_numpy(np.float64) / SQUARE_DEGREES)
    weight = raw["product_weight_g"].to_numpy(np.float64)
    heavy = np.searchsorted(WEIGHT_CLASSES, weight, side="right")
    category = raw["product_category_name"].astype(str).to_numpy(dtype=object)
    lines = pd.DataFrame(
        {
            "order": pd.factorize(raw["order_id"])[0],
            "ts": raw["ts"].to_numpy(),
            "month": raw["ts"].to_numpy().astype("datetime64[M]").astype(np.int64),
            "sku": pd.factorize(pd.Series(category) + "/" + pd.Series(heavy).astype(str))[0],
            "node": np.unique(square, axis=0, return_inverse=True)[1].reshape(-1),
            "kg": weight / 1_000,
            "freight": raw["freight_value"].to_numpy(np.float64),
            "latitude": raw["cust_lat"].to_numpy(np.float64),
            "longitude": raw["cust_lng"].to_numpy(np.float64),
            "from_latitude": raw["sell_lat"].to_numpy(np.float64),
            "from_longitude": raw["sell_lng"].to_numpy(np.float64),
        }
    )
    return lines.sort_values(["month", "order"], kind="stable", ignore_index=True)


@dataclass(frozen=True)
class Freight:
    """Reais for a package, a kilometre, a kilogram, and a kilogram over a kilometre.

    ``r2`` and ``r2_unseen`` are shares of variance explained: of all packages, and of every
    second one by a fit to the others.
    """

    package: float
    km: float
    kg: float
    kg_km: float
    r2: float
    r2_unseen: float


def places(lines: pd.DataFrame) -> np.ndarray:
    """Latitude and longitude of every node: the mean of its sellers' lines; (n_nodes, 2)."""
    return lines.groupby("node")[["from_latitude", "from_longitude"]].mean().to_numpy()


def fit_freight(lines: pd.DataFrame, node_at: np.ndarray) -> Freight:
    """Fit the freight that was paid for every order from every node."""
    package = lines.groupby(["order", "node"], as_index=False).agg(
        {"kg": "sum", "freight": "sum", "latitude": "first", "longitude": "first"}
    )
    km = km_between(package, node_at)[np.arange(len(package)), package["node"]]
    kg = package["kg"].to_numpy()
    terms = np.column_stack([np.ones(len(km)), km, kg, kg * km])
    paid = package["freight"].to_numpy()

    def fitted(seen: np.ndarray, judged: np.ndarray) -> tuple[np.ndarray, float]:
        scale = terms[seen].mean(axis=0)
        found = nnls(terms[seen] / scale, paid[seen])[0] / scale
        left = paid[judged] - terms[judged] @ found
        return found, float(1 - (left @ left) / ((paid[judged] - paid[judged].mean()) ** 2).sum())

    every = np.arange(len(paid))
    found, r2 = fitted(every, every)
    _, unseen = fitted(every[::2], every[1::2])
    return Freight(*(float(one) for one in found), r2=r2, r2_unseen=unseen)


def km_between(orders: pd.DataFrame, node_at: np.ndarray) -> np.ndarray:
    """Kilometres from every row's customer to every node."""
    return haversine(orders["latitude"], orders["longitude"], node_at[:, 0], node_at[:, 1])


@dataclass(frozen=True)
class Month:
    """A month's orders and stock as a problem.

    ``km[o, n]``; ``time[o]`` in seconds since the month began; ``actual[l]`` is the node that
    really sent a line.
    """

    problem: SourcingProblem
    km: np.ndarray
    time: np.ndarray
    actual: np.ndarray


def month_of(lines: pd.DataFrame, node_at: np.ndarray, freight: Freight) -> Month:
    """Build the month whose ``lines`` stand together order by order."""
    number = pd.factorize(lines["order"])[0]
    offsets = np.searchsorted(number, np.arange(number.max() + 2))
    heads = lines.iloc[offsets[:-1]]
    km = km_between(heads, node_at)
    per_package = PER_REAL * (freight.package + freight.km * km)
    per_hectogram = PER_REAL * HECTOGRAM / 1_000 * (freight.kg + freight.kg_km * km)
    skus, sku = np.unique(lines["sku"], return_inverse=True)
    ones = np.ones(len(lines), np.int64)
    problem = SourcingProblem.build(
        package_cost=np.rint(per_package).astype(np.int64),
        unit_cost=np.rint(per_hectogram).astype(np.int64),
        stock=(lines["node"].to_numpy(), sku, ones),
        n_skus=len(skus),
        order_region=np.arange(len(heads)),
        order_offsets=offsets,
        line_units=ones,
        line_weight=np.ceil(lines["kg"].to_numpy() * 1_000 / HECTOGRAM).astype(np.int64),
        line_penalty=PENALTY * ones,
        part_offsets=np.arange(len(lines) + 1),
        part_sku=sku,
        part_units=ones,
    )
    time = (heads["ts"] - heads["ts"].to_numpy().astype("datetime64[M]")).dt.total_seconds()
    return Month(problem, km, time.to_numpy(), lines["node"].to_numpy())


def nearest(month: Month) -> np.ndarray:
    """Node of every line: the nearest that still has it, order by order."""
    problem, assigned = month.problem, np.full(month.problem.n_lines, -1)
    left = problem.stock_units.copy()
    for order in np.argsort(month.time, kind="stable"):
        for line in range(*problem.order_offsets[order : order + 2]):
            points = np.arange(*problem.stock_offsets[problem.part_sku[line] :][:2])
            points = points[left[points] > 0]
            point = points[np.argmin(month.km[order, problem.stock_node[points]])]
            left[point] -= 1
            assigned[line] = problem.stock_node[point]
    return assigned


def one_at_a_time(month: Month) -> np.ndarray:
    """Node of every line: each order takes what is cheapest for itself, exactly."""
    problem = month.problem
    assigned, cost = np.full(problem.n_lines, -1), np.zeros(problem.n_orders)
    desk, batch = desk_for(problem.n_nodes), batch_of(problem)
    price, toll = np.zeros(len(problem.stock_units)), np.zeros(problem.n_nodes)
    left = problem.stock_units.copy()
    for order in np.argsort(month.time, kind="stable"):
        lines = slice(*problem.order_offsets[order : order + 2])
        one = np.array([order])
        sku = problem.part_sku[lines]
        if len(np.unique(sku)) == len(sku) <= 8:
            room = problem.node_capacity
            price_orders(assigned, cost, desk, batch, one, left, room, price, toll)
        else:
            part, _ = part_of(problem, one, left, problem.node_capacity)
            plan = solve(part, threads=1, time_limit_s=BATCH_SECONDS)
            assert plan.assigned is not None
            assigned[lines] = plan.assigned
        left = problem.stock_units - taken_by(problem, assigned)[0]
    return assigned


def jointly(month: Month, days: float) -> tuple[np.ndarray, int, int]:
    """Node of every line, windows of ``days`` planned together; windows, and unproven ones."""
    problem, assigned = month.problem, np.full(month.problem.n_lines, -1)
    window = np.floor(month.time / (days * 86_400)).astype(np.int64)
    unproven, windows = 0, np.unique(window)
    for now in windows:
        orders = np.flatnonzero(window == now)
        left = problem.stock_units - taken_by(problem, assigned)[0]
        part, lines = part_of(problem, orders, left, problem.node_capacity)
        plan = solve(part, gap=GAP, threads=1, time_limit_s=BATCH_SECONDS)
        assert plan.assigned is not None
        unproven += plan.gap > GAP
        assigned[lines] = plan.assigned
    return assigned, len(windows), unproven


def sources(month: Month) -> Iterator[tuple[str, np.ndarray, int, int]]:
    """Plans of a month: name, node of every line, windows, windows not proven best."""
    yield "what really happened", month.actual, 0, 0
    yield "nearest node", nearest(month), 0, 0
    yield "exact, order by order", one_at_a_time(month), 0, 0
    yield "joint, day by day", *jointly(month, 1.0)
    yield "joint, week by week", *jointly(month, 7.0)
    yield "joint, month at once", *jointly(month, 31.0)


def measured(month: Month, assigned: np.ndarray) -> Counter[str]:
    """Lines, packages, kilometres and freight of a plan; stock is counted independently."""
    problem, order = month.problem, month.problem.line_order
    stock = Counter(zip(problem.part_sku.tolist(), month.actual.tolist(), strict=True))
    taken = Counter(zip(problem.part_sku.tolist(), assigned.tolist(), strict=True))
    assert taken == stock, "stock equals demand, so every plan uses exactly what there is"
    package = sorted(set(zip(order.tolist(), assigned.tolist(), strict=True)))
    at, node = np.array(package).T
    freight = int(problem.package_cost[at, node].sum())
    freight += int((problem.line_weight * problem.unit_cost[order, assigned]).sum())
    return Counter(
        orders=problem.n_orders,
        lines=problem.n_lines,
        packages=len(package),
        metres=round(1_000 * float(month.km[at, node].sum())),
        freight=freight,
    )


def replay(lines: pd.DataFrame, say: Say, months: int | None = None) -> dict[str, Any]:
    """Source all months, or the last few, by every policy."""
    node_at = places(lines)
    freight = fit_freight(lines, node_at)
    found: dict[str, Counter[str]] = {}
    shown = np.unique(lines["month"])[-months if months else 0 :]
    for number, which in enumerate(shown):
        month = month_of(lines[lines["month"] == which], node_at, freight)
        say(
            f"{which.astype('datetime64[M]')}: {month.problem.n_orders} orders "
            f"({number + 1}/{len(shown)})"
        )
        for name, assigned, windows, unproven in sources(month):
            total = found.setdefault(name, Counter())
            total.update(measured(month, assigned))
            total.update(windows=windows, unproven=unproven)
    paid = float(lines.loc[np.isin(lines["month"], shown), "freight"].sum())
    return {
        "months": len(shown),
        "nodes": len(node_at),
        "skus": int(lines["sku"].nunique()),
        "freight_fit": freight.__dict__,
        "freight_paid_reais": round(paid, 2),
        "policies": {name: _row(total, found["nearest node"]) for name, total in found.items()},
    }


def _row(total: Counter[str], base: Counter[str]) -> dict[str, Any]:
    return {
        "orders": total["orders"],
        "lines": total["lines"],
        "packages": total["packages"],
        "packages_vs_nearest": total["packages"] / base["packages"] - 1,
        "kilometres": total["metres"] / 1_000,
        "kilometres_vs_nearest": total["metres"] / base["metres"] - 1,
        "freight_reais": total["freight"] / PER_REAL,
        "freight_vs_nearest": total["freight"] / base["freight"] - 1,
        "windows": total["windows"],
        "windows_not_proven": total["unproven"],
    }


def text_of(found: dict[str, Any]) -> str:
    """Return the figures for people."""
    fit = found["freight_fit"]
    rows = [
        f"{found['months']} months, {found['nodes']} nodes, {found['skus']} SKUs",
        f"freight of a package, reais: {fit['package']:.2f} + {fit['km']:.5f} km + "
        f"{fit['kg']:.3f} kg + {fit['kg_km']:.6f} kg km; R2 {fit['r2']:.3f}, of packages "
        f"that the fit has not seen {fit['r2_unseen']:.3f}",
        f"freight really paid: {found['freight_paid_reais']:,.0f} reais",
        "",
        f"{'plan':<25}{'packages':>9}{'':>8}{'km':>11}{'':>8}{'freight':>10}{'':>8}  not proven",
    ]
    for name, row in found["policies"].items():
        rows.append(
            f"{name:<25}{row['packages']:>9,}{row['packages_vs_nearest']:>8.1%}"
            f"{row['kilometres']:>11,.0f}{row['kilometres_vs_nearest']:>8.1%}"
            f"{row['freight_reais']:>10,.0f}{row['freight_vs_nearest']:>8.1%}"
            f"  {row['windows_not_proven']}/{row['windows']}"
        )
    rows.append("percentages: against nearest node; not proven: windows beyond a gap of 0.1 %")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"last {QUICK_MONTHS} months")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    chosen = parser.parse_args(arguments)
    try:
        lines = read_lines(data_file())
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    found = replay(
        lines,
        lambda text: print(text, file=sys.stderr, flush=True),
        QUICK_MONTHS if chosen.quick else None,
    )
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(found, indent=2) + "\n")
    print(__doc__)
    print(text_of(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
