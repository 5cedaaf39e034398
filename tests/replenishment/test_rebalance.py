from __future__ import annotations

import numpy as np
import oracles_transfers as oracle
import pytest

from omnistock.errors import InputError
from omnistock.numerics.demand import DemandDistribution
from omnistock.replenishment import TransferLanes, rebalance_arrays


def random_problem(rng, *, limited=False, trucks=False):
    n_skus, n_nodes = int(rng.integers(1, 4)), int(rng.integers(2, 5))
    sku, node = (part.reshape(-1) for part in np.indices((n_skus, n_nodes)))
    there = rng.random(len(sku)) < 0.9
    sku, node = sku[there], node[there]
    n = len(sku)
    mean = rng.choice([0.0, 0.4, 1.5, 4.0, 9.0], n)
    pairs = [(a, b) for a in set(node.tolist()) for b in set(node.tolist()) if a != b]
    chosen = [pair for pair in pairs if rng.random() < 0.7]
    return {
        "sku": sku.tolist(),
        "node": node.tolist(),
        "on_hand": rng.integers(-2, 14, n).tolist(),
        "mean": mean.tolist(),
        "variance": (mean * rng.choice([1.0, 1.6, 3.0], n)).tolist(),
        "margin": rng.integers(0, 2500, n).tolist(),
        "pack": rng.choice([1, 1, 3], n_skus).tolist(),
        "volume": rng.integers(1, 4, n_skus).tolist(),
        "lanes": [
            {
                "from": a,
                "to": b,
                "freight": int(rng.integers(0, 300)),
                "capacity": int(rng.integers(0, 25)) if limited and rng.random() < 0.6 else -1,
                "truck": int(rng.integers(5, 20)) if trucks and rng.random() < 0.6 else 0,
                "truck_cents": int(rng.integers(0, 3000)),
                "trucks": int(rng.integers(-1, 3)),
            }
            for a, b in chosen
        ],
    }


def lanes_of(problem):
    column = lambda name: [lane[name] for lane in problem["lanes"]]  # noqa: E731
    return TransferLanes(
        np.array(column("from"), int),
        np.array(column("to"), int),
        freight_cents=column("freight"),
        capacity=np.array(column("capacity"), int),
        truck_volume=np.array(column("truck"), int),
        truck_cents=column("truck_cents"),
        trucks=np.array(column("trucks"), int),
    )


def solved(problem, **more):
    n_skus = max(problem["sku"]) + 1
    return rebalance_arrays(
        problem["sku"],
        problem["node"],
        problem["on_hand"],
        demand=DemandDistribution.from_moments(problem["mean"], problem["variance"]),
        margin_cents=problem["margin"],
        lanes=lanes_of(problem),
        pack_size=problem["pack"][:n_skus],
        volume=problem["volume"][:n_skus],
        **more,
    )


def assert_keeps_its_promises(problem, moved):
    """Check stock, packs, capacities and trucks, and the net from the definition."""
    held = dict(
        zip(zip(problem["sku"], problem["node"], strict=True), problem["on_hand"], strict=True)
    )
    final = dict(held)
    cost = 0.0
    volume = np.zeros(len(problem["lanes"]), int)
    for i, a, b, lane, units in zip(
        moved.sku, moved.source, moved.destination, moved.lane, moved.quantity, strict=True
    ):
        one = problem["lanes"][lane]
        assert (one["from"], one["to"]) == (a, b)
        assert units % problem["pack"][i] == 0
        held[i, a] -= units
        assert held[i, a] >= 0
        final[i, a] -= units
        final[i, b] += units
        cost += units * one["freight"]
        volume[lane] += units * problem["volume"][i]
    assert volume.tolist() == moved.volume.tolist()
    for lane, one in enumerate(problem["lanes"]):
        assert one["capacity"] < 0 or volume[lane] <= one["capacity"]
        if one["truck"]:
            assert volume[lane] <= moved.trucks[lane] * one["truck"]
            assert one["trucks"] < 0 or moved.trucks[lane] <= one["trucks"]
            cost += moved.trucks[lane] * one["truck_cents"]
    gain = 0.0
    for p, key in enumerate(zip(problem["sku"], problem["node"], strict=True)):
        sales = [
            oracle.expected_sales(problem["mean"][p], problem["variance"][p], units)
            for units in (final[key], problem["on_hand"][p])
        ]
        gain += problem["margin"][p] * (sales[0] - sales[1])
    assert moved.net_cents == pytest.approx(gain - cost, abs=0.05)


def test_without_capacities_the_flow_is_the_best_of_all_plans():
    rng = np.random.default_rng(4)
    for _ in range(60):
        problem = random_problem(rng)

        moved = solved(problem)

        assert_keeps_its_promises(problem, moved)
        assert moved.gap == 0.0
        assert moved.net_cents == pytest.approx(oracle.best_net(problem), abs=0.05)


@pytest.mark.parametrize("trucks", [False, True])
def test_with_capacities_and_trucks_the_plan_is_the_best_and_the_bound_holds(trucks):
    rng = np.random.default_rng(9)
    for _ in range(40):
        problem = random_problem(rng, limited=True, trucks=trucks)

        moved = solved(problem)

        best = oracle.best_net(problem)
        assert_keeps_its_promises(problem, moved)
        assert moved.bound_cents >= best - 0.05
        assert moved.net_cents == pytest.approx(best, abs=0.05)
        assert moved.gap < 1e-4


def test_without_time_for_a_program_the_trimmed_flow_is_a_plan_within_its_bound():
    rng = np.random.default_rng(5)
    for _ in range(40):
        problem = random_problem(rng, limited=True, trucks=True)

        moved = solved(problem, time_limit_s=0)

        assert_keeps_its_promises(problem, moved)
        assert 0 <= moved.net_cents <= moved.bound_cents
        assert moved.bound_cents >= oracle.best_net(problem) - 0.05


def test_no_line_of_an_optimal_flow_loses_and_none_should_be_larger():
    rng = np.random.default_rng(6)
    for _ in range(40):
        moved = solved(random_problem(rng))

        net = moved.gained_cents - moved.given_up_cents - moved.freight_cents
        assert (net >= -0.01).all()
        assert set(moved.reason.tolist()) <= {0, 2}
        assert (moved.next_cents[moved.reason == 2] <= 0).all()


def golden(**more):
    terms = {
        "demand": DemandDistribution.from_moments([0.0, 3.0, 3.0], [0.0, 3.0, 3.0]),
        "margin_cents": 1000,
        "lanes": TransferLanes([0, 0], [1, 2], freight_cents=[50, 50]),
    }
    return rebalance_arrays([0, 0, 0], [0, 1, 2], [4, 0, 0], **(terms | more))


def test_scarce_units_go_to_equal_stores_in_equal_parts():
    moved = golden()

    assert moved.quantity.tolist() == [2, 2]
    # Poisson(3): P(D > 0) + P(D > 1) = 0.9502 + 0.8009, P(D > 2) = 0.5768.
    assert moved.gained_cents == pytest.approx([1751.1, 1751.1], abs=0.1)
    assert moved.explain(0) == (
        "2 units of SKU 0 from node 0 to 1: worth 17.51 there and 0.00 here, freight 1.00, "
        "net 16.51; the source has no more packs that may leave (+5.27)"
    )


def test_reasons_name_what_keeps_a_line_from_being_larger():
    dear = golden(lanes=TransferLanes([0, 0], [1, 2], freight_cents=[50, 400]))
    assert dear.quantity.tolist() == [3, 1]
    narrow = golden(lanes=TransferLanes([0, 0], [1, 2], freight_cents=50, capacity=[1, -1]))
    assert narrow.quantity.tolist() == [1, 3]
    assert narrow.explain(0).startswith("1 units of SKU 0 from node 0 to 1")
    assert "the lane or its trucks carry no further pack" in narrow.explain(0)
    few = golden(movable=[1, 0, 0])
    assert few.quantity.sum() == 1
    table = few.to_table()
    assert table["reason"].to_pylist() == ["the source has no more packs that may leave"]
    costly = golden(lanes=TransferLanes([0, 0], [1, 2], freight_cents=700))
    assert "a further pack would not earn its freight (-1.23)" in costly.explain(0)


def test_a_truck_goes_only_if_its_load_pays_for_it():
    def with_truck(cents):
        lanes = TransferLanes([0, 0], [1, 2], 50, truck_volume=4, truck_cents=cents)
        return golden(lanes=lanes)

    assert with_truck(500).trucks.tolist() == [1, 1]
    assert sorted(with_truck(1500).trucks.tolist()) == [0, 1]
    assert len(with_truck(4000)) == 0
    assert with_truck(4000).net_cents == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lanes": TransferLanes([0], [3])}, "destination must be a node with stock rows"),
        ({"margin_cents": [1, 2]}, "margin_cents must be one number or 3"),
        ({"margin_cents": -1}, "margin_cents must be >= 0"),
        ({"movable": [5, 0, 0]}, "movable must be at most on_hand"),
        ({"pack_size": [1, 2]}, "pack_size must be one number or 1"),
        ({"demand": DemandDistribution.from_moments([1.0], [1.0])}, r"demand must have shape \(3,"),
    ],
)
def test_wrong_problems_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        golden(**change)
    with pytest.raises(InputError, match="may stand once"):
        rebalance_arrays(
            [0, 0],
            [1, 1],
            [1, 1],
            demand=DemandDistribution.from_moments([1.0, 1.0], [1.0, 1.0]),
            margin_cents=1,
            lanes=TransferLanes([], []),
        )


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (([0], [0]), "must lead elsewhere"),
        (([0], [1, 2]), r"must be \(n_lanes,\)"),
        (([0], [1], -1.0), "freight_cents must be >= 0"),
        (([0], [1], 0.0, [1, 2]), "capacity must be one number or 1"),
    ],
)
def test_wrong_lanes_are_refused(terms, message):
    with pytest.raises(InputError, match=message):
        TransferLanes(*terms)
