"""The model of joint sourcing in plain Python, and tiny random batches."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np

from omnistock.sourcing.joint.problem import SourcingProblem


def priced(problem, assigned):
    """Cost of a plan, and whether it keeps every rule, order by order."""
    stock, room, cost, kept = Counter(), Counter(), 0, True
    held = {}
    for sku in range(problem.n_skus):
        for a in range(problem.stock_offsets[sku], problem.stock_offsets[sku + 1]):
            held[sku, int(problem.stock_node[a])] = a
    for o in range(problem.n_orders):
        region = problem.order_region[o]
        lines = range(problem.order_offsets[o], problem.order_offsets[o + 1])
        nodes = [int(assigned[line]) for line in lines]
        used = {node for node in nodes if node >= 0}
        cost += sum(int(problem.package_cost[region, node]) for node in used)
        whole = -1 not in nodes
        kept &= len(used) <= problem.max_packages[o]
        kept &= whole or not problem.must_ship[o]
        kept &= whole or not used or not problem.all_or_nothing[o]
        for line, node in zip(lines, nodes, strict=True):
            if node < 0:
                cost += int(problem.line_penalty[line])
                continue
            cost += int(problem.line_weight[line] * problem.unit_cost[region, node])
            kept &= bool(problem.allowed[problem.order_group[o], node])
            kept &= problem.line_node[line] in (-1, node)
            room[node] += int(problem.line_units[line])
            for c in range(problem.part_offsets[line], problem.part_offsets[line + 1]):
                point = held.get((int(problem.part_sku[c]), node))
                if point is None:
                    kept = False
                    continue
                cost += int(problem.part_units[c] * problem.stock_value[point])
                stock[point] += int(problem.part_units[c])
    kept &= all(units <= problem.stock_units[point] for point, units in stock.items())
    kept &= all(units <= problem.node_capacity[node] for node, units in room.items())
    return cost, bool(kept)


def cheapest(problem):
    """Least cost of all plans, None if none keeps the rules."""
    plans = product(range(-1, problem.n_nodes), repeat=problem.n_lines)
    found = (priced(problem, plan) for plan in plans)
    return min((cost for cost, kept in found if kept), default=None)


def tiny(seed, most_lines=5, kits=True, sizes=None, dense=False):
    """A batch of a few lines on up to 3 nodes that may have every feature.

    Dense ones have stock for most lines at most nodes, and packages worth sharing.
    """
    rng = np.random.default_rng(seed)
    n_nodes, n_skus, n_regions = int(rng.integers(1, 4)), int(rng.integers(1, 4)), 2
    drawn = sizes is None
    sizes = [] if drawn else sizes
    while drawn and rng.random() < 0.85 and sum(sizes) < most_lines:
        sizes.append(int(min(rng.integers(0, 4), most_lines - sum(sizes))))
    n_orders, n_lines = len(sizes), sum(sizes)
    skus = [np.flatnonzero(rng.random(n_skus) < 0.5) for _ in range(n_lines)]
    skus = [some if some.size else rng.integers(0, n_skus, 1) for some in skus]
    skus = skus if kits else [some[:1] for some in skus]
    flat = np.concatenate([*skus, np.empty(0, np.int64)]).astype(np.int64)
    rows = 2 * n_nodes * n_skus if dense else int(rng.integers(0, 9))
    stock = [rng.integers(0, most, rows) for most in (n_nodes, n_skus, 4)]

    units = rng.integers(1, 3, len(flat))

    def flags(share):
        return rng.random(n_orders) < share

    return SourcingProblem.build(
        package_cost=rng.integers(0, 20 if dense else 9, (n_regions, n_nodes)),
        unit_cost=rng.integers(0, 5, (n_regions, n_nodes)),
        node_capacity=rng.integers(0, 16 if dense else 7, n_nodes),
        stock=tuple(stock),
        stock_value=rng.integers(0, 3, rows),
        n_skus=n_skus,
        order_region=rng.integers(0, n_regions, n_orders),
        order_offsets=np.cumsum([0, *sizes]),
        order_group=rng.integers(0, 2, n_orders),
        allowed=rng.random((2, n_nodes)) < 0.85,
        max_packages=rng.integers(1, 4, n_orders),
        all_or_nothing=flags(0.3),
        must_ship=flags(0.15),
        line_units=rng.integers(1, 4, n_lines) if kits else units,
        line_weight=rng.integers(0, 5, n_lines),
        line_penalty=rng.integers(0, 30, n_lines),
        line_node=np.where(rng.random(n_lines) < 0.1, rng.integers(0, n_nodes, n_lines), -1),
        part_offsets=np.cumsum([0, *(len(some) for some in skus)]),
        part_sku=flat,
        part_units=units,
    )


def single_lines(seed, most_units=1, most_lines=6):
    """A batch of orders of one line at most, all of them of up to ``most_units`` units."""
    rng = np.random.default_rng(seed)
    n_nodes, n_skus = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    sizes = rng.integers(0, 2, int(rng.integers(0, most_lines + 1)))
    n_orders, n_lines, rows = len(sizes), int(sizes.sum()), int(rng.integers(0, 7))
    units = rng.integers(1, most_units + 1, n_lines)
    if most_units == 1:
        units *= rng.integers(1, 4)
    return SourcingProblem.build(
        package_cost=rng.integers(0, 9, (2, n_nodes)),
        unit_cost=rng.integers(0, 5, (2, n_nodes)),
        node_capacity=rng.integers(0, 9, n_nodes),
        stock=tuple(rng.integers(0, most, rows) for most in (n_nodes, n_skus, 7)),
        stock_value=rng.integers(0, 3, rows),
        n_skus=n_skus,
        order_region=rng.integers(0, 2, n_orders),
        order_offsets=np.concatenate([[0], np.cumsum(sizes)]),
        order_group=rng.integers(0, 2, n_orders),
        allowed=rng.random((2, n_nodes)) < 0.85,
        all_or_nothing=rng.random(n_orders) < 0.3,
        must_ship=rng.random(n_orders) < 0.15,
        line_units=units,
        line_weight=rng.integers(0, 3, n_lines),
        line_penalty=rng.integers(0, 30, n_lines),
        line_node=np.where(rng.random(n_lines) < 0.1, rng.integers(0, n_nodes, n_lines), -1),
        part_offsets=np.arange(n_lines + 1),
        part_sku=rng.integers(0, n_skus, n_lines),
        part_units=units,
    )
