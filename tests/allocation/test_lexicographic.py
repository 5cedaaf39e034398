"""What "equals the lexicographic LP" means for whole units, over all rules."""

from fractions import Fraction
from itertools import product

import numpy as np
import oracles_allocation as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.allocation import RULES, Group, water_fill


def random_case(rng, n_claims=5):
    requested = rng.integers(0, 60, n_claims)
    nested = [([0, 1], int(rng.integers(0, 70))), ([0, 1, 2], int(rng.integers(0, 110)))]
    apart = ([3, 4], int(rng.integers(0, 60)))
    return {
        "supply": int(requested.sum() * rng.uniform(0.3, 1.0)),
        "requested": requested.tolist(),
        "guarantee": (rng.integers(0, 25, n_claims) * (rng.random(n_claims) < 0.3)).tolist(),
        "weight": rng.integers(1, 6, n_claims).tolist(),
        "tier": rng.integers(1, 3, n_claims).tolist(),
        "groups": [one for one in [*nested, apart] if rng.random() < 0.7],
    }


def granted(case, rule, **more):
    return water_fill(
        [case["supply"]],
        [case["requested"]],
        guarantee=case["guarantee"],
        weight=case["weight"],
        tier=case["tier"],
        groups=[Group(members, floor) for members, floor in case["groups"]],
        rule=rule,
        **more,
    ).granted[0]


@pytest.mark.parametrize("rule", RULES)
def test_four_hundred_nested_cases_agree_with_the_lp_of_the_constraints_alone(rule):
    rng = np.random.default_rng(11)
    compared = 0
    while compared < 400:
        case = random_case(rng)
        exact = oracle.lexicographic_lp(**case, rule=rule)
        if exact is None:
            continue
        compared += 1
        got = granted(case, rule)

        # Each stage rounds once: guarantees are whole, two levels of floors, the rest.
        assert np.abs(np.array(exact) - got).max() < 2
        for members, floor in case["groups"]:
            most = sum(case["requested"][c] for c in members)
            assert got[members].sum() >= min(floor, most)
        for current in (1, 2):
            here = np.array(case["tier"]) == current
            assert got[here].sum() == pytest.approx(np.array(exact)[here].sum(), abs=1e-3)


@pytest.mark.parametrize("rule", ["max_min", "fill_rate"])
def test_two_hundred_cases_with_consumed_units_agree_with_the_lp(rule):
    rng = np.random.default_rng(12)
    compared = 0
    while compared < 200:
        case = random_case(rng)
        consumed = [int(rng.integers(0, units // 3 + 1)) for units in case["requested"]]
        exact = oracle.lexicographic_lp(**case, rule=rule, consumed=consumed)
        if exact is None:
            continue
        compared += 1

        got = granted(case, rule, consumed=[consumed])

        assert np.abs(np.array(exact) - got).max() < 2
        assert (got >= consumed).all()


def whole_divisions(total, uppers):
    for one in product(*(range(upper + 1) for upper in uppers)):
        if sum(one) == total:
            yield one


small = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 4), st.integers(0, 3)), min_size=2, max_size=4
)


@given(small, st.integers(0, 14), st.sampled_from(list(RULES)))
def test_no_whole_division_is_nearer_to_the_exact_shares(claims, supply, rule):
    requested, weight, guarantee = (list(values) for values in zip(*claims, strict=True))
    floor = [min(g, r) for g, r in zip(guarantee, requested, strict=True)]
    if sum(floor) > supply or sum(requested) <= supply:
        return

    got = water_fill([supply], [requested], weight=weight, guarantee=guarantee, rule=rule).granted

    on_top = floor if rule == "proportional" else [0] * len(floor)
    basis = requested if rule == "fill_rate" else [1] * len(floor)
    asking = [c for c, units in enumerate(requested) if units]
    exact = [Fraction(0)] * len(requested)
    shares = oracle.exact_shares(
        supply - sum(on_top),
        [floor[c] - on_top[c] for c in asking],
        [requested[c] - on_top[c] for c in asking],
        [weight[c] * basis[c] for c in asking],
    )
    for c, share in zip(asking, shares, strict=True):
        exact[c] = share + on_top[c]

    def distances(division):
        gaps = [abs(a - b) for a, b in zip(exact, division, strict=True)]
        return max(gaps), sum(gaps), sum(gap * gap for gap in gaps)

    nearest = [distances(one) for one in whole_divisions(supply, requested)]
    for k, distance in enumerate(distances(got[0].tolist())):
        assert distance == min(one[k] for one in nearest)


@given(small, st.integers(0, 14))
def test_with_equal_weights_sorted_grants_are_max_min_among_all_whole_divisions(claims, supply):
    requested = [one for one, _, _ in claims]
    got = water_fill([supply], [requested]).granted[0].tolist()

    total = min(supply, sum(requested))
    best = max(tuple(sorted(one)) for one in whole_divisions(total, requested))
    assert tuple(sorted(got)) == best


@given(small, st.integers(4, 20))
def test_with_equal_weights_grants_are_proportionally_fair_among_all_whole_divisions(
    claims, supply
):
    requested = [one + 1 for one, _, _ in claims]
    got = water_fill([supply], [requested]).granted[0]

    total = min(supply, sum(requested))
    welfare = [int(np.prod(one)) for one in whole_divisions(total, requested)]
    assert np.prod(got) == max(welfare)


@given(small, st.integers(1, 14))
def test_equal_fill_rates_are_within_one_unit_of_each_other(claims, supply):
    requested = [one for one, _, _ in claims]
    got = water_fill([supply], [requested], rule="fill_rate").granted[0]

    share = min(Fraction(supply, max(sum(requested), 1)), Fraction(1))
    for units, asked in zip(got.tolist(), requested, strict=True):
        assert abs(units - share * asked) < 1
