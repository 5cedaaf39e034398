"""Scarce units where they earn the most: the optimum, its floors, its reasons."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

import omnistock as om
from omnistock.allocation import allocate_by_value
from omnistock.numerics.demand import DemandDistribution


def best_by_program(supply, pack, claims):
    """Most that any division earns: every pack a switch, its worth from survival probabilities."""
    model = cp_model.CpModel()
    switches, worth = [], []
    for most, least, margin, mean, variance in claims:
        demand = DemandDistribution.from_moments([mean], [variance])
        own = [model.new_bool_var("") for _ in range(most // pack)]
        for earlier, later in pairwise(own):
            model.add_implication(later, earlier)
        floor = min(-(-least // pack), most // pack)
        model.add(sum(own) >= floor)
        survival = demand.sf([list(range(most + 1))])[0] if most else []
        for k in range(len(own)):
            units = sum(survival[k * pack : (k + 1) * pack])
            worth.append(round(margin * float(units) * 1e6))
        switches += own
    model.add(sum(switches) * pack <= supply)
    model.maximize(sum(w * one for w, one in zip(worth, switches, strict=True)))
    solver = cp_model.CpSolver()
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return None
    assert status == cp_model.OPTIMAL
    return solver.objective_value / 1e6


def shared(supply, pack, claims, **more):
    n = len(claims)
    most, least, margin, mean, variance = (list(part) for part in zip(*claims, strict=True))
    return allocate_by_value(
        {"sku": ["TEE"], "quantity": [supply], "pack_size": [pack]},
        {
            "sku": ["TEE"] * n,
            "channel": [f"c{k}" for k in range(n)],
            "quantity": most,
            "guarantee": least,
            "margin_cents": margin,
            "mean": mean,
            "variance": variance,
        },
        **more,
    )


def random_claims(rng):
    n = int(rng.integers(1, 5))
    mean = rng.choice([0.0, 0.6, 2.0, 7.0], n)
    return list(
        zip(
            rng.integers(0, 15, n).tolist(),
            (rng.integers(0, 6, n) * (rng.random(n) < 0.4)).tolist(),
            rng.choice([0, 150, 400, 900], n).tolist(),
            mean.tolist(),
            (mean * rng.choice([1.0, 2.0], n)).tolist(),
            strict=True,
        )
    )


def test_two_hundred_random_cases_earn_what_the_program_proves_to_be_the_most():
    rng = np.random.default_rng(8)
    compared = 0
    while compared < 200:
        supply, pack = int(rng.integers(0, 40)), int(rng.choice([1, 1, 3]))
        claims = random_claims(rng)
        best = best_by_program(supply, pack, claims)
        if best is None:
            continue
        compared += 1

        got = shared(supply, pack, claims)

        assert got.value_cents.sum() == pytest.approx(best, abs=0.01)
        assert got.granted.sum() <= supply
        assert (got.granted % pack == 0).all()
        assert (got.granted >= got.floor).all()
        assert (got.granted <= [one[0] for one in claims]).all()


claim = st.tuples(
    st.integers(0, 20),
    st.integers(0, 20),
    st.sampled_from([0, 100, 300]),
    st.sampled_from([0.0, 1.0, 5.0]),
    st.just(5.0),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(claim, min_size=1, max_size=5))
def test_a_unit_more_earns_no_less_and_each_further_unit_no_more(claims):
    claims = [(most, 0, *rest) for most, _, *rest in claims]
    values = [shared(units, 1, claims).value_cents.sum() for units in range(0, 32, 3)]

    steps = np.diff(values)
    assert (steps >= -1e-9).all()
    assert (np.diff(steps) <= 1e-6).all()


@given(st.lists(claim, min_size=1, max_size=5), st.integers(0, 30))
def test_floors_that_do_not_fit_are_the_most_that_anybody_gets(claims, supply):
    got = shared(supply, 1, claims)

    if got.floor.sum() > supply:
        assert (got.granted <= got.floor).all()
    else:
        assert (got.granted >= got.floor).all()
    assert got.granted.sum() <= supply


def test_units_go_where_survival_times_margin_is_highest():
    # Poisson(1): P(D >= 1, 2, 3) = .632, .264, .080; at half the margin .316, .132.
    got = shared(3, 1, [(9, 0, 1000, 1.0, 1.0), (9, 0, 500, 1.0, 1.0)])

    assert got.granted.tolist() == [2, 1]
    assert got.value_cents == pytest.approx([896.4, 316.1], abs=0.1)
    assert got.explain(1) == (
        "c1 got 1 of 9, worth 3.16; the next pack of 1 would earn 1.32, but supply 3 is used up "
        "and the least worthy pack of the others earns 2.64"
    )
    assert got.quota.tolist() == [2, 1]


def test_without_a_demand_every_unit_earns_the_margin():
    got = allocate_by_value(
        {"sku": ["TEE"], "quantity": [10]},
        {
            "sku": ["TEE"] * 3,
            "channel": ["web", "app", "b2b"],
            "quantity": [4, 8, 8],
            "margin_cents": [300, 200, 100],
            "guarantee": [0, 0, 1],
        },
    )

    assert got.granted.tolist() == [4, 5, 1]
    assert got.explain(0).endswith("no further pack of 1 fits the request")
    assert "as the least of 1 demands" in got.explain(2)
    assert got.protection.tolist() == [0, 0, 1]


def test_a_least_fill_keeps_everybody_in_business():
    claims = [(10, 0, 900, 8.0, 8.0), (10, 0, 100, 8.0, 8.0)]

    assert shared(10, 1, claims).granted.tolist() == [10, 0]
    assert shared(10, 1, claims, least_fill=0.3).granted.tolist() == [7, 3]


def test_the_order_of_rows_does_not_matter():
    claims = {
        "sku": ["A", "B", "A", "B"],
        "channel": ["web", "web", "app", "app"],
        "quantity": [9, 9, 9, 9],
        "margin_cents": [100, 100, 100, 100],
    }
    supply = {"sku": ["B", "A"], "quantity": [7, 3]}
    straight = allocate_by_value(supply, claims).granted
    back = {name: values[::-1] for name, values in claims.items()}

    assert straight.tolist() == allocate_by_value(supply, back).granted[::-1].tolist()
    assert straight.tolist() == [1, 3, 2, 4]


def test_what_earns_the_most_is_put_into_force_like_any_allocation():
    network = om.Network.build(skus=["TEE"], nodes=["DC"], channels=["c0", "c1"])
    engine = om.open(":memory:", network)
    engine.receive("TEE", "DC", 3)

    engine.apply_allocation(shared(3, 1, [(9, 0, 1000, 1.0, 1.0), (9, 0, 500, 1.0, 1.0)]))

    assert engine.available("TEE", channel="c0") == 2
    assert engine.available("TEE", channel="c1") == 1


@pytest.mark.parametrize(
    ("change", "more", "message"),
    [
        ({"sku": ["CAP"]}, {}, "claims, row 1, column 'sku'"),
        ({"margin_cents": [-1]}, {}, "column 'margin_cents'"),
        ({"mean": [float("nan")]}, {}, "column 'mean'"),
        ({"variance": [1.0]}, {}, "a column 'variance' and no 'mean'"),
        ({}, {"least_fill": 1.5}, r"least_fill must lie in 0..1, got 1.5"),
    ],
)
def test_bad_claims_are_named(change, more, message):
    claims = {"sku": ["TEE"], "channel": ["web"], "quantity": [3], "margin_cents": [5]} | change
    with pytest.raises(om.OmnistockError, match=message):
        allocate_by_value({"sku": ["TEE"], "quantity": [3]}, claims, **more)
