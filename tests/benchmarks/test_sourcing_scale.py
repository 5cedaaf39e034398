"""Worlds to measure joint sourcing in are as they are described, and greedy orders keep rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from omnistock.sourcing.joint.evaluate import evaluate

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def scale(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.sourcing_scale as module

    return module


def test_a_world_has_the_lines_the_stock_and_the_room_that_are_asked_for(scale):
    world = scale.generate(2_000, 0.95, 3)

    sizes = np.diff(world.order_offsets)
    demand = world.line_units.sum()
    assert world.n_lines == 2_000
    assert 0.35 < np.mean(sizes > 1) < 0.45
    assert 0.9 < world.stock_units.sum() / demand < 1.0
    assert 1.2 < world.node_capacity.sum() / demand < 1.6
    assert 0.45 < world.stock_units[world.stock_node < 20].sum() / world.stock_units.sum() < 0.55


def test_orders_of_another_day_meet_the_same_world(scale):
    world = scale.generate(500, 0.95, 3)

    other = scale.generate(500, 0.95, 3, orders_seed=7)

    for name in ("package_cost", "unit_cost", "node_capacity", "stock_node", "stock_units"):
        assert np.array_equal(getattr(world, name), getattr(other, name))
    assert not np.array_equal(world.part_sku, other.part_sku)
    assert not np.array_equal(world.order_region[:50], other.order_region[:50])
    # What sells is the same: the SKUs that one day asks for most are asked for on the other.
    most = np.argsort(-np.bincount(world.part_sku, minlength=world.n_skus))[:10]
    assert np.isin(other.part_sku, most).mean() > 0.3


def greedily(problem):
    """The same in plain Python: the most lines, then the least cost, then the first node."""
    stock = {}
    for sku in range(problem.n_skus):
        for a in range(problem.stock_offsets[sku], problem.stock_offsets[sku + 1]):
            stock[sku, int(problem.stock_node[a])] = int(problem.stock_units[a])
    room = problem.node_capacity.tolist()
    assigned = [-1] * problem.n_lines
    for o in range(problem.n_orders):
        left = list(range(problem.order_offsets[o], problem.order_offsets[o + 1]))
        while True:
            offers = []
            for n in range(problem.n_nodes):
                lines, space = [], room[n]
                for line in left:
                    units = int(problem.line_units[line])
                    if units <= min(stock.get((int(problem.part_sku[line]), n), 0), space):
                        lines.append(line)
                        space -= units
                region = problem.order_region[o]
                cost = int(problem.package_cost[region, n]) + sum(
                    int(problem.line_weight[line] * problem.unit_cost[region, n]) for line in lines
                )
                if lines and cost < sum(int(problem.line_penalty[line]) for line in lines):
                    offers.append((-len(lines), cost, n, lines))
            if not offers:
                break
            _, _, n, lines = min(offers)
            for line in lines:
                assigned[line] = n
                stock[int(problem.part_sku[line]), n] -= int(problem.line_units[line])
                room[n] -= int(problem.line_units[line])
            left = [line for line in left if line not in lines]
    return assigned


def test_greedy_orders_take_the_node_with_most_of_them_and_keep_every_rule(scale):
    world = scale.generate(120, 0.7, 5)

    assigned = scale.source_greedily(world)

    assert assigned.tolist() == greedily(world)
    assert evaluate(world, assigned).feasible
