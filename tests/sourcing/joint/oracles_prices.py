"""Patterns under prices in plain Python: every assignment of an order, one after the other."""

from __future__ import annotations

from collections import Counter
from itertools import product
from math import exp, inf

import numpy as np


def prices_for(problem, rng, most=6.0):
    """Prices and tolls, some of them zero."""
    price = rng.random(len(problem.stock_node)) * most * (rng.random(len(problem.stock_node)) < 0.6)
    return price, rng.random(problem.n_nodes) * (rng.random(problem.n_nodes) < 0.5)


def points(problem):
    """Stockpoint of every SKU and node that have one."""
    sku = np.repeat(np.arange(problem.n_skus), np.diff(problem.stock_offsets))
    keys = zip(sku.tolist(), problem.stock_node.tolist(), strict=True)
    return {key: a for a, key in enumerate(keys)}


def sending_cost(problem, held, line, node, left, room, price, toll):
    """Cost of a line at a node under prices, infinite where it cannot be sent whole."""
    order = problem.line_order[line]
    if problem.line_node[line] not in (-1, node):
        return inf
    if not problem.allowed[problem.order_group[order], node]:
        return inf
    if room[node] < problem.line_units[line]:
        return inf
    cost = problem.line_weight[line] * problem.unit_cost[problem.order_region[order], node]
    cost += problem.line_units[line] * toll[node]
    for c in range(problem.part_offsets[line], problem.part_offsets[line + 1]):
        a = held.get((int(problem.part_sku[c]), node))
        if a is None or left[a] < problem.part_units[c]:
            return inf
        cost += problem.part_units[c] * (problem.stock_value[a] + price[a])
    return float(cost)


def pattern_cost(problem, order, lines, nodes, package, left, room, price, toll):
    """Cost of a pattern under prices, infinite if it breaks a rule of the order."""
    used = {n for n in nodes if n >= 0}
    unfilled = nodes.count(-1)
    if len(used) > problem.max_packages[order] or (unfilled and problem.must_ship[order]):
        return inf
    if problem.all_or_nothing[order] and 0 < unfilled < len(nodes):
        return inf
    held = points(problem)
    cost = sum(float(package[n]) for n in used)
    for line, node in zip(lines, nodes, strict=True):
        if node < 0:
            cost += float(problem.line_penalty[line])
        else:
            cost += sending_cost(problem, held, line, node, left, room, price, toll)
    return cost


def least_pattern(problem, order, lines, package, left, room, price, toll):
    """Least cost of all patterns of some lines of an order."""
    every = product(range(-1, problem.n_nodes), repeat=len(lines))
    return min(
        pattern_cost(problem, order, lines, list(nodes), package, left, room, price, toll)
        for nodes in every
    )


def soft_takes(problem, order, price, toll, temperature):
    """What an order takes of stockpoints and nodes if it is indifferent, and its weight.

    As the kernel sees patterns: a line goes unfilled, alone in a package, or with others in
    one package from a node where the lines that gain from company gain more, less a
    slack, than the package costs. The same node may send packages beside each other.
    """
    first, stop = int(problem.order_offsets[order]), int(problem.order_offsets[order + 1])
    lines = list(range(first, stop))
    package = problem.package_cost[problem.order_region[order]]
    whole = bool(problem.all_or_nothing[order] or problem.must_ship[order])
    held, nodes = points(problem), range(problem.n_nodes)
    left, room = problem.stock_units, problem.node_capacity
    cost = [
        [sending_cost(problem, held, line, n, left, room, price, toll) for n in nodes]
        for line in lines
    ]
    limit = [inf if whole else float(problem.line_penalty[line]) for line in lines]
    own = [
        min([least, *(package[n] + row[n] for n in nodes if row[n] < least)])
        for row, least in zip(cost, limit, strict=True)
    ]
    slack = min(4 * temperature, 100.0)
    joins = []
    for n in nodes:
        gain = [
            max(o - row[n], 0.0) if row[n] < inf else 0.0 for o, row in zip(own, cost, strict=True)
        ]
        joins.append(
            {i for i, g in enumerate(gain) if g > 0 and 0 < sum(gain) > package[n] - slack}
        )
    ways = [
        [("out", -1)] * (not whole)
        + [("alone", n) for n in nodes if cost[i][n] < limit[i]]
        + [("with", n) for n in nodes if i in joins[n]]
        for i in range(len(lines))
    ]
    found = []
    for pattern in product(*ways):
        together = Counter(n for way, n in pattern if way == "with")
        if 1 in together.values():
            continue
        total = float(sum(package[n] for n in together))
        for i, (way, n) in enumerate(pattern):
            total += limit[i] if way == "out" else cost[i][n] + package[n] * (way == "alone")
        found.append((total, [n for _, n in pattern]))
    return _shared(problem, lines, held, found, temperature, order)


def _shared(problem, lines, held, found, temperature, order):
    use, load = np.zeros(len(problem.stock_node)), np.zeros(problem.n_nodes)
    least = min((total for total, _ in found), default=inf)
    if least == inf or not lines:
        return use, load, 1.0
    weights = [exp(-(total - least) / temperature) for total, _ in found]
    mass = everything = sum(weights)
    if problem.all_or_nothing[order] and not problem.must_ship[order]:
        unfilled = float(sum(problem.line_penalty[line] for line in lines))
        everything += exp(min(-(unfilled - least) / temperature, 600.0))
    for weight, (_, nodes) in zip(weights, found, strict=True):
        share = weight / everything
        for line, node in zip(lines, nodes, strict=True):
            if node >= 0:
                load[node] += share * problem.line_units[line]
                for c in range(problem.part_offsets[line], problem.part_offsets[line + 1]):
                    a = held[int(problem.part_sku[c]), node]
                    use[a] += share * problem.part_units[c]
    return use, load, mass
