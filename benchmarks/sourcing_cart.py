"""How fast a cart finds its nodes, proven best, and how fast a day of orders is sourced.

Run ``python -m benchmarks.sourcing_cart`` for a table, or
``pytest benchmarks/sourcing_cart.py`` for pytest-benchmark's statistics.

Carts are random. "common" ones want 1 to 3 units of each SKU and every node stocks half
of the SKUs; in "scarce" ones a node rarely has what even one line wants, so that
several must share the cart. One thread.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from omnistock.model import Network, Node
from omnistock.sourcing import ShippingCost, source, source_cart


def cart(kind: str, n_nodes: int, n_lines: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return the arguments of :func:`omnistock.sourcing.source_cart`."""
    if kind == "common":
        need = rng.integers(1, 4, n_lines)
        stocked = rng.random((n_nodes, n_lines)) < 0.5
        stock = rng.integers(1, 20, (n_nodes, n_lines)) * stocked
    else:
        need = rng.integers(10, 21, n_lines)
        stock = rng.integers(0, 6, (n_nodes, n_lines))
    return {
        "need": need,
        "stock": stock,
        "package_cost": rng.integers(300, 1500, n_nodes),
        "unit_cost": rng.integers(0, 300, (n_nodes, n_lines)),
    }


def by_integer_program(terms: dict[str, Any], time_limit_s: float) -> tuple[int, bool]:
    """Return the least cost of sending all units and whether that is proven, by CP-SAT."""
    from ortools.sat.python import cp_model

    need, stock = terms["need"], terms["stock"]
    model = cp_model.CpModel()
    nodes, lines = range(stock.shape[0]), range(len(need))
    sends = [model.new_bool_var("") for _ in nodes]
    units = {}
    for n in nodes:
        for line in lines:
            top = int(min(stock[n, line], need[line]))
            units[n, line] = model.new_int_var(0, top, "")
            model.add(units[n, line] <= top * sends[n])
    for line in lines:
        model.add(sum(units[n, line] for n in nodes) == int(need[line]))
    cost = sum(int(terms["package_cost"][n]) * sends[n] for n in nodes)
    cost += sum(int(terms["unit_cost"][key]) * units[key] for key in units)
    model.minimize(cost)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = time_limit_s
    status = solver.solve(model)
    return round(solver.objective_value), status == cp_model.OPTIMAL


def day(n_orders: int, n_nodes: int, seed: int = 1) -> tuple[Any, Any, Network]:
    """Return orders, stock and network: 1.7 lines an order, 2,000 SKUs, customers anywhere."""
    rng = np.random.default_rng(seed)
    skus = [f"S{s:04d}" for s in range(2_000)]
    where = rng.uniform([47.5, 6.0], [54.5, 14.5], (n_nodes, 2))
    nodes = [Node(f"N{n:03d}", latitude=at[0], longitude=at[1]) for n, at in enumerate(where)]
    n_lines = rng.choice([1, 2, 3, 5], n_orders, p=[0.6, 0.22, 0.12, 0.06])
    order = np.repeat(np.arange(n_orders), n_lines)
    homes = rng.uniform([47.5, 6.0], [54.5, 14.5], (n_orders, 2))[order]
    sku = (rng.pareto(1.1, len(order)) * 20).astype(np.int64) % len(skus)
    orders = {
        "order": [f"O{one}" for one in order],
        "sku": [skus[one] for one in sku],
        "channel": ["web"] * len(order),
        "quantity": rng.integers(1, 3, len(order)),
        "latitude": homes[:, 0],
        "longitude": homes[:, 1],
    }
    stock = {
        "sku": np.repeat(skus, n_nodes).tolist(),
        "node": [node.node for node in nodes] * len(skus),
        "on_hand": rng.poisson(1.0, len(skus) * n_nodes),
    }
    return orders, stock, Network.build(skus=skus, nodes=nodes, channels=["web"])


@pytest.mark.parametrize("kind", ["common", "scarce"])
def test_source_cart(benchmark: Any, kind: str) -> None:
    terms = cart(kind, 30, 6, np.random.default_rng(1))

    plan = benchmark(source_cart, **terms)

    assert plan.proven
    assert not plan.unfilled.any()


def time_carts(kind: str, n_nodes: int, n_lines: int, objective: str, n_carts: int = 300) -> None:
    """Print microseconds of processor time per cart."""
    rng = np.random.default_rng(7)
    carts = [cart(kind, n_nodes, n_lines, rng) for _ in range(n_carts)]
    source_cart(**carts[0])
    seconds, proven = [], 0
    for terms in carts:
        # Processor time of this thread: a tail of other programs' turns says nothing.
        start = time.thread_time()
        plan = source_cart(objective=objective, **terms)
        seconds.append(time.thread_time() - start)
        proven += plan.proven
    median, late, most = np.quantile(seconds, [0.5, 0.99, 1.0]) * 1e6
    print(
        f"  {kind:6s} {n_lines} lines x {n_nodes:3d} nodes, by {objective:8s}: "
        f"median {median:.0f}, 99 % {late:.0f}, most {most:.0f}; proven {proven} of {n_carts}"
    )


def compare_with_integer_program(kind: str, n_carts: int, time_limit_s: float) -> None:
    """Print what a general solver with one worker makes of the same carts."""
    rng = np.random.default_rng(7)
    carts = [cart(kind, 30, 6, rng) for _ in range(n_carts)]
    start = time.perf_counter()
    answers = [by_integer_program(terms, time_limit_s) for terms in carts]
    each = (time.perf_counter() - start) / n_carts
    ours = [source_cart(objective="cost", **terms).cost for terms in carts]
    same = sum(cost == own for (cost, _), own in zip(answers, ours, strict=True))
    worse = sum(cost < own for (cost, _), own in zip(answers, ours, strict=True))
    proven = sum(is_proven for _, is_proven in answers)
    print(
        f"  {kind:6s} by CP-SAT, at most {time_limit_s:.0f} s: {each * 1e3:.0f} ms each, proven "
        f"{proven} of {n_carts}; equal to ours {same}, cheaper than ours {worse}"
    )


def time_day(n_nodes: int, n_orders: int = 10_000) -> None:
    """Print the seconds of :func:`omnistock.sourcing.source` on one day of orders."""
    orders, stock, network = day(n_orders, n_nodes)
    cost = ShippingCost(package_cents=390, cents_per_km=0.5)
    start = time.perf_counter()
    sourced = source(orders, stock, network, cost=cost)
    elapsed = time.perf_counter() - start
    print(
        f"  {n_orders:,} orders ({len(orders['order']):,} lines) x {n_nodes} nodes: "
        f"{elapsed:.2f} s, {sourced.packages.sum():,} packages, "
        f"{sourced.unfilled.sum()} units unfilled, proven {int(sourced.proven.sum()):,}"
    )


def main() -> None:
    """Print the three tables."""
    print("source_cart, microseconds of processor time a cart, Python call included")
    for objective in ("packages", "cost"):
        time_carts("common", 30, 6, objective)
        time_carts("scarce", 30, 6, objective)
    time_carts("common", 500, 6, "packages")
    print("the same carts, least cost, as an integer program")
    compare_with_integer_program("common", 20, 10.0)
    compare_with_integer_program("scarce", 3, 10.0)
    print("source, tables in and out, one thread")
    time_day(30, 100)
    for n_nodes in (30, 500):
        time_day(n_nodes)


if __name__ == "__main__":
    main()
