"""The benchmark's worlds, policies and bound are what its page says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def outcome(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.outcome as module

    return module


@pytest.fixture
def small(outcome):
    return outcome.Size(skus=6, orders=6, walk_ins=10)


def test_nobody_beats_the_bound_and_prices_beat_no_prices(outcome, small):
    found = [outcome.run_seed((seed, small)) for seed in (1000, 1001)]

    for one in found:
        profits = {name: row["profit_cents"] for name, row in one["policies"].items()}
        assert max(profits.values()) <= one["clairvoyant_cents"]
        assert profits["priced, joint windows"] > profits["exact per order"]
        assert profits["exact per order"] > profits["nearest node"]


def test_a_world_and_all_that_is_played_in_it_depend_on_the_seed_alone(outcome, small):
    def played(seed):
        world = outcome.world_of(seed, small)
        make = outcome.POLICIES["priced, joint windows"]
        return outcome.play(world, make(world))

    assert played(1000) == played(1000)
    assert played(1000) != played(1001)


def test_units_and_lines_are_conserved(outcome, small):
    world = outcome.world_of(1002, small)

    for make in outcome.POLICIES.values():
        row = outcome.play(world, make(world))

        sold = row["online_lines"] + row["walk_in_units"]
        assert sold + row["units_left"] == world.receipts.sum()
        assert row["online_lines"] + row["online_lost"] == world.problem.n_lines
        assert row["walk_in_units"] + row["walk_in_lost"] == world.walk_ins.sum()


def test_a_policy_that_sends_what_is_not_there_is_noticed(outcome, small):
    world = outcome.world_of(1002, small)

    def reckless(tick, orders, stock):
        sku = world.problem.part_sku
        offsets = world.problem.order_offsets
        return world.node[sku[offsets[orders[0]] : offsets[orders[-1] + 1]], 0]

    with pytest.raises(AssertionError, match="not there"):
        outcome.play(world, reckless)


def test_with_stock_for_everybody_each_order_for_itself_reaches_the_bound(outcome, small):
    from dataclasses import replace

    from benchmarks.outcome_bound import clairvoyant_cents

    world = outcome.world_of(1003, small)
    ample = replace(world, receipts=world.receipts + 10_000)
    rich = replace(world.problem, stock_units=ample.receipts.sum(axis=0).ravel())
    ample = replace(ample, problem=rich)

    row = outcome.play(ample, outcome.POLICIES["exact per order"](ample))

    assert row["walk_in_lost"] == 0
    assert row["profit_cents"] == pytest.approx(clairvoyant_cents(ample), rel=1e-3)
    assert row["profit_cents"] <= clairvoyant_cents(ample)


def test_the_bound_holds_at_any_prices_and_is_near_the_linear_program(outcome, small):
    from benchmarks import outcome_bound as bound

    world = outcome.world_of(1005, small)
    asked = world.walk_ins.reshape(4, 28, -1).sum(axis=1)
    rng = np.random.default_rng(1)
    earned = outcome.play(world, outcome.POLICIES["priced, order by order"](world))

    best = bound.clairvoyant_cents(world)
    others = [
        bound._most_at(world, rng.exponential(200, (4, world.node.size)), asked) for _ in range(20)
    ]

    assert earned["profit_cents"] <= best < min(others)
    assert best == pytest.approx(by_linear_program(world), rel=2e-3)


def by_linear_program(world):
    """Hindsight by scipy, with rows written one by one."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    problem, (n_skus, n_places) = world.problem, world.node.shape
    cost, most, rows, high = [], [], [], []
    stock = [[[[] for _ in range(n_places)] for _ in range(n_skus)] for _ in range(4)]

    def column(cents, limit):
        cost.append(cents)
        most.append(limit)
        return len(cost) - 1

    def row(entries, limit):
        rows.append(entries)
        high.append(limit)

    for o in range(problem.n_orders):
        package = {}
        for line in range(*problem.order_offsets[o : o + 2]):
            sku, region = problem.part_sku[line], problem.order_region[o]
            whole = []
            for p, node in enumerate(world.node[sku]):
                if node not in package:
                    package[node] = column(problem.package_cost[region, node], 1)
                cents = problem.line_weight[line] * problem.unit_cost[region, node]
                x = column(cents - problem.line_penalty[line], 1)
                whole.append((x, 1.0))
                row([(x, 1.0), (package[node], -1.0)], 0)
                stock[world.order_tick[o] // 28][sku][p].append((x, 1.0))
            row(whole, 1)
    asked = world.walk_ins.reshape(4, 28, n_skus, n_places).sum(axis=1)
    for sku in range(n_skus):
        for p in range(n_places):
            used, come = [], 0
            for week in range(4):
                x = column(-world.walk_in_margin[sku], asked[week, sku, p])
                used = [*used, *stock[week][sku][p], (x, 1.0)]
                come += world.receipts[week, sku, p]
                row(used, come)
    entries = [(i, x, v) for i, one in enumerate(rows) for x, v in one]
    at, x, v = (np.array(one) for one in zip(*entries, strict=True))
    matrix = csr_array((v, (at, x)), shape=(len(rows), len(cost)))
    found = linprog(cost, A_ub=matrix, b_ub=high, bounds=[(0, one) for one in most])
    goodwill = 300 * problem.n_lines
    return -found.fun - goodwill


def test_nearest_takes_the_nearest_with_stock_and_priority_the_first(outcome, small):
    world = outcome.world_of(1004, small)
    orders = np.arange(world.problem.n_orders)
    ample = np.full(world.node.size, 10_000)
    sku, order = world.problem.part_sku, world.problem.line_order
    distance = world.distance[world.problem.order_region[order][:, None], world.node[sku]]

    nearest = outcome.POLICIES["nearest node"](world)(0, orders, ample)
    first = outcome.POLICIES["fixed priority"](world)(0, orders, ample)

    lines = np.arange(len(sku))
    assert nearest.tolist() == world.node[sku][lines, distance.argmin(axis=1)].tolist()
    assert first.tolist() == world.node[sku, 0].tolist()


def test_intervals_are_those_of_student(outcome):
    seeds = [
        {
            "clairvoyant_cents": 100.0,
            "policies": {
                name: {
                    "profit_cents": profit,
                    "packages": 10,
                    "online_lines": 20,
                    "online_lost": 5,
                    "walk_in_units": 30,
                    "walk_in_lost": 10,
                }
                for name in outcome.POLICIES
            },
        }
        for profit in (90, 92, 94)
    ]

    row = outcome.summary(seeds)["nearest node"]

    # t(0.975, 2) = 4.30265 (Fisher's table); standard error 0.02 / sqrt(3).
    assert row["share"] == pytest.approx(0.92)
    assert row["share_pm"] == pytest.approx(4.30265 * 0.02 / 3**0.5, rel=1e-4)
    assert row["gain"] == row["packages_vs_nearest"] == 0.0
    assert row["online_lost_share"] == pytest.approx(0.2)
    assert row["walk_in_lost_share"] == pytest.approx(0.25)
