import numpy as np
import oracles_allocation as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.allocation import RULES, kernels, water_fill
from omnistock.errors import InputError


@st.composite
def cases(draw):
    n_claims = draw(st.integers(1, 6))
    row = lambda values: draw(st.lists(values, min_size=n_claims, max_size=n_claims))  # noqa: E731
    return {
        "requested": row(st.integers(0, 40)),
        "guarantee": row(st.sampled_from([0, 0, 3, 11, 60])),
        "weight": row(st.sampled_from([0, 1, 1, 2, 7])),
        "tier": row(st.integers(1, 3)),
        "supply": draw(st.integers(0, 130)),
        "pack": draw(st.sampled_from([1, 1, 1, 4])),
        "rule": draw(st.sampled_from(list(RULES))),
    }


def fill(case, columns=slice(None)):
    allocation = water_fill(
        [case["supply"]],
        [case["requested"][columns]],
        guarantee=case["guarantee"][columns],
        weight=case["weight"][columns],
        tier=case["tier"][columns],
        pack_size=case["pack"],
        rule=case["rule"],
    )
    return allocation.granted[0].tolist()


@given(cases())
def test_grants_are_those_of_exact_fractions_handed_out_unit_by_unit(case):
    assert fill(case) == oracle.grants(**case)


@pytest.mark.parametrize("rule", RULES)
def test_a_thousand_random_cases_agree_with_the_lexicographic_lp(rule):
    rng = np.random.default_rng(7)
    n_skus, n_claims = 1000, 4
    requested = rng.integers(0, 60, (n_skus, n_claims))
    guarantee = rng.integers(0, 40, (n_skus, n_claims)) * (rng.random((n_skus, n_claims)) < 0.3)
    weight = rng.integers(1, 6, (n_skus, n_claims))
    tier = rng.integers(1, 3, (n_skus, n_claims))
    supply = (requested.sum(axis=1) * rng.uniform(0, 1.1, n_skus)).astype(np.int64)

    granted = water_fill(
        supply, requested, guarantee=guarantee, weight=weight, tier=tier, rule=rule
    ).granted

    for s in range(n_skus):
        terms = [part[s].tolist() for part in (requested, guarantee, weight, tier)]
        exact = np.array(
            oracle.grants(int(supply[s]), *terms, 1, rule, divide=oracle.share_tier_by_lp)
        )
        short = exact - granted[s]
        assert granted[s].sum() == pytest.approx(exact.sum(), abs=1e-6)
        assert np.abs(short).max() < 1 - 1e-6
        # Whoever was rounded up had at least the fraction of whoever was rounded down.
        up, down = short < -1e-6, short > 1e-6
        if up.any():
            assert (1 + short[up]).min() >= short[down].max() - 1e-6


@given(cases())
def test_nobody_gets_more_than_requested_and_nothing_is_left_while_someone_wants_it(case):
    granted = fill(case)

    pack = case["pack"]
    whole = sum(one // pack for one in case["requested"])
    assert all(0 <= got <= asked for got, asked in zip(granted, case["requested"], strict=True))
    assert all(got % pack == 0 for got in granted)
    assert sum(granted) == min(case["supply"] // pack, whole) * pack


@given(cases())
def test_asking_again_for_the_grants_gives_the_grants(case):
    granted = fill(case)

    assert fill(case | {"requested": granted}) == granted


@given(cases(), st.randoms(use_true_random=False))
def test_column_order_moves_at_most_the_unit_of_an_equal_remainder(case, random):
    order = list(range(len(case["requested"])))
    random.shuffle(order)
    shuffled = {
        name: [case[name][c] for c in order]
        for name in ("requested", "guarantee", "weight", "tier")
    }

    before = fill(case)
    after = fill(case | shuffled)

    moved = [abs(after[k] - before[c]) for k, c in enumerate(order)]
    assert max(moved) <= case["pack"]


@given(cases())
def test_a_later_tier_gets_beyond_guarantees_only_when_earlier_tiers_are_met(case):
    case["pack"] = 1
    granted = fill(case)

    beyond = [
        got > min(asked, floor)
        for got, asked, floor in zip(granted, case["requested"], case["guarantee"], strict=True)
    ]
    for c, extra in enumerate(beyond):
        if extra:
            earlier = [k for k, one in enumerate(case["tier"]) if one < case["tier"][c]]
            assert all(granted[k] == case["requested"][k] for k in earlier)


@given(cases())
def test_guarantees_that_fit_are_all_kept(case):
    case["pack"] = 1
    promised = [min(one, g) for one, g in zip(case["requested"], case["guarantee"], strict=True)]
    granted = fill(case)

    if sum(promised) <= case["supply"]:
        assert all(got >= floor for got, floor in zip(granted, promised, strict=True))
    else:
        assert all(got <= floor for got, floor in zip(granted, promised, strict=True))


@given(
    st.lists(st.integers(1, 2**40), min_size=2, max_size=5),
    st.integers(1, 2**40),
    st.integers(1, 2**15),
)
def test_quantities_near_the_limit_are_divided_exactly(weights, amount, factor):
    weights[0] *= factor
    total = sum(weights)

    for weight in weights:
        quotient, remainder = kernels.divide_product(weight, amount, total)
        assert (quotient, remainder) == divmod(weight * amount, total)


def test_exact_settling_alone_gives_the_same_as_with_a_guess():
    rng = np.random.default_rng(3)
    for _ in range(60):
        n = int(rng.integers(1, 7))
        guessed = np.zeros((kernels.WORK_ROWS, n), dtype=np.int64)
        guessed[kernels.LOWER] = rng.integers(0, 9, n)
        guessed[kernels.UPPER] = guessed[kernels.LOWER] + rng.integers(0, 30, n)
        guessed[kernels.WEIGHT] = rng.integers(1, 5, n)
        low, high = guessed[kernels.LOWER].sum(), guessed[kernels.UPPER].sum()
        amount = int(rng.integers(low, high + 1))
        settled = guessed.copy()

        kernels.share_into(guessed, 0, n, amount)
        kernels.settle_exactly(settled, 0, n, amount)
        rest = amount - int(settled[kernels.SHARE].sum())
        kernels.hand_out_rest(settled, 0, n, rest)

        assert settled[kernels.SHARE].tolist() == guessed[kernels.SHARE].tolist()


def test_many_claimants_are_rounded_like_few():
    case = {
        "requested": [7 + c % 5 for c in range(40)],
        "guarantee": [c % 3 for c in range(40)],
        "weight": [1 + c % 4 for c in range(40)],
        "tier": [1] * 40,
        "supply": 211,
        "pack": 1,
        "rule": "max_min",
    }

    assert fill(case) == oracle.grants(**case)


def test_oracle_planning_scales_an_imported_plan_of_1000_to_500():
    # Oracle SCM 24C, "Adjust Your Allocation Quantities".
    requested = [100, 50, 50, 200, 300, 100, 200]

    allocation = water_fill([500], [requested], rule="fill_rate")

    assert allocation.granted[0].tolist() == [50, 25, 25, 100, 150, 50, 100]


def test_oracle_planning_splits_1000_three_to_one():
    # Oracle SCM 24B, "Set the Target", ratio 3:1.
    allocation = water_fill([1000], [[1000, 1000]], weight=[3, 1], rule="proportional")

    assert allocation.granted[0].tolist() == [750, 250]


def test_rules_differ_where_a_guarantee_stands():
    terms = {"guarantee": [40, 0], "weight": 1}
    requested = [[80, 80]]

    by_rule = {rule: water_fill([100], requested, rule=rule, **terms).granted for rule in RULES}

    assert by_rule["max_min"].tolist() == [[50, 50]]
    assert by_rule["proportional"].tolist() == [[70, 30]]
    assert water_fill([100], [[120, 30]], rule="fill_rate").granted.tolist() == [[80, 20]]


def test_explanation_names_grant_request_tier_guarantee_and_weight():
    allocation = water_fill([100], [[60, 120]], guarantee=[0, 30], weight=[0.6, 0.4], tier=[1, 2])

    assert allocation.explain(0, 1, "web").startswith(
        "web got 40 of 120: tier 2, guarantee 30, weight .4"
    )


def test_scarce_quotas_are_the_grants_and_plenty_stays_open():
    allocation = water_fill([10, 100], [[8, 8], [8, 8]], tier=[1, 2], guarantee=[0, 3])

    assert allocation.granted.tolist() == [[7, 3], [8, 8]]
    assert allocation.quota.tolist() == [[7, 3], [92, 92]]
    assert allocation.protection.tolist() == [[7, 3], [8, 3]]
    assert allocation.unclaimed.tolist() == [0, 84]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"supply": [1.5]}, "supply must hold integers"),
        ({"supply": [-1]}, r"supply\[0\] must lie in 0"),
        ({"requested": [[3, -2]]}, r"requested\[0, 1\]"),
        ({"supply": [1, 2]}, r"got \(2,\) and \(1, 2\)"),
        ({"weight": [1, -1]}, "weight must be >= 0"),
        ({"weight": [1, 1e-9]}, "less than a millionth"),
        ({"tier": 0}, "tier must lie in 1"),
        ({"guarantee": [1, 2, 3]}, r"guarantee of shape \(3,\) does not fit"),
        ({"pack_size": 0}, r"pack_size\[0\] must lie in 1"),
        ({"rule": "fair"}, "rule must be one of max_min, fill_rate, proportional"),
        ({"weight": [1e12 + 0.5, 1]}, "graded too finely"),
    ],
)
def test_bad_input_is_named(change, message):
    terms = {"supply": [5], "requested": [[3, 4]]} | change

    with pytest.raises(InputError, match=message):
        water_fill(terms.pop("supply"), terms.pop("requested"), **terms)
