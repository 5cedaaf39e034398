"""Allocating again: what is consumed or granted before stays where it is."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from omnistock.allocation import RULES, Group, allocate, water_fill
from omnistock.errors import FrameError, InputError


@st.composite
def cases(draw):
    n_claims = draw(st.integers(1, 6))
    row = lambda values: draw(st.lists(values, min_size=n_claims, max_size=n_claims))  # noqa: E731
    groups = [Group(list(range(n)), draw(st.integers(0, 60))) for n in range(1, n_claims, 2)]
    return {
        "requested": row(st.integers(0, 40)),
        "guarantee": row(st.sampled_from([0, 0, 3, 11])),
        "weight": row(st.sampled_from([0, 1, 1, 2, 7])),
        "tier": row(st.integers(1, 3)),
        "pack_size": draw(st.sampled_from([1, 1, 4])),
        "rule": draw(st.sampled_from(list(RULES))),
        "groups": groups if draw(st.booleans()) else [],
    }


def fill(supply, case, **more):
    terms = case | more
    return water_fill([supply], [terms.pop("requested")], **terms).granted[0]


@given(cases(), st.integers(0, 130), st.data())
def test_a_run_after_part_was_consumed_gives_the_same_grants(case, supply, data):
    before = fill(supply, case)
    consumed = [data.draw(st.integers(0, int(units))) for units in before]

    again = fill(supply, case, consumed=[consumed], granted_before=[before])

    assert again.tolist() == before.tolist()


@given(cases(), st.integers(0, 130), st.integers(0, 130))
def test_with_more_supply_nobody_loses_and_with_less_nobody_gains(case, first, second):
    before = fill(first, case)

    after = fill(second, case, granted_before=[before])

    assert after.sum() == fill(second, case).sum()
    if second >= first:
        assert (after >= before).all()
    else:
        assert (after <= before).all()


@given(cases(), st.integers(0, 130), st.data())
def test_consumed_units_are_never_taken_back(case, supply, data):
    pack = case["pack_size"]
    consumed = [data.draw(st.integers(0, units // pack)) * pack for units in case["requested"]]
    assume(sum(consumed) <= supply // pack * pack)

    granted = fill(supply, case, consumed=[consumed])

    assert (granted >= consumed).all()
    assert granted.sum() == fill(supply, case).sum()


def test_a_shortage_is_shared_by_the_rule_among_those_who_had_something():
    case = {"requested": [100, 100, 100], "rule": "fill_rate"}
    before = fill(240, case)

    after = fill(200, case, granted_before=[before], consumed=[[80, 0, 0]])

    assert before.tolist() == [80, 80, 80]
    assert after.tolist() == [80, 60, 60]


def test_guaranteed_units_are_the_last_to_be_taken_back():
    case = {"requested": [50, 50], "guarantee": [30, 0]}

    assert fill(40, case, granted_before=[[50, 50]]).tolist() == [30, 10]


def test_quota_and_protection_are_what_is_left_of_the_grant():
    allocation = water_fill(
        [10], [[8, 8]], tier=[1, 2], guarantee=[0, 2], consumed=[[3, 0]], granted_before=[[8, 2]]
    )

    assert allocation.granted.tolist() == [[8, 2]]
    assert allocation.quota.tolist() == [[5, 2]]
    assert allocation.protection.tolist() == [[5, 2]]


def test_consumed_units_must_be_part_of_request_and_supply():
    with pytest.raises(InputError, match=r"consumed\[0, 1\] is 5 of 4"):
        water_fill([9], [[4, 4]], consumed=[[0, 5]])
    with pytest.raises(InputError, match="supply must include"):
        water_fill([9], [[8, 8]], consumed=[[5, 5]])
    claims = {"sku": ["A", "A"], "channel": ["web", "app"], "quantity": [4, 4]}
    with pytest.raises(FrameError, match="claims, row 2, column 'consumed'"):
        allocate({"sku": ["A"], "quantity": [9]}, claims | {"consumed": [0, 5]})
    with pytest.raises(FrameError, match="less than claims have consumed"):
        allocate({"sku": ["A"], "quantity": [5]}, claims | {"consumed": [3, 3]})


def test_floors_of_nested_groups_count_inner_units_for_the_outer_group():
    claims = {
        "sku": ["TEE"] * 4,
        "channel": ["de", "fr", "us", "shop"],
        "group": ["market/eu", "market/eu", "market", ""],
        "quantity": [50, 50, 50, 100],
        "weight": [1, 1, 1, 9],
    }
    supply = {"sku": ["TEE"], "quantity": [100]}
    floors = {"sku": ["TEE", "TEE"], "group": ["market", "market/eu"], "quantity": [60, 40]}

    shared = allocate(supply, claims, floors=floors)

    # Without floors: 8, 8, 8, 75. The inner 40 are part of the outer 60.
    assert shared.granted.tolist() == [20, 20, 20, 40]
    parts = shared.waterfall()
    assert parts["for_group"].tolist() == [20, 20, 20, 0]
    assert parts["shared"].tolist() == [0, 0, 0, 40]
    assert parts["short"].tolist() == [30, 30, 30, 60]
    assert shared.protection.tolist() == [20, 20, 20, 0]
    unknown = {"sku": ["TEE"], "group": ["mars"], "quantity": [1]}
    with pytest.raises(FrameError, match="no claim on 'TEE' is part of group 'mars'"):
        allocate(supply, claims, floors=unknown)


def test_tables_and_arrays_agree_on_groups():
    rng = np.random.default_rng(2)
    skus = np.repeat([f"S{k}" for k in range(30)], 4)
    requested = rng.integers(0, 40, (30, 4))
    supply = rng.integers(0, 90, 30)
    outer, inner = rng.integers(0, 70, 30), rng.integers(0, 40, 30)

    shared = allocate(
        {"sku": [f"S{k}" for k in range(30)], "quantity": supply},
        {
            "sku": skus,
            "channel": ["a", "b", "c", "d"] * 30,
            "group": ["x/y", "x/y", "x", "z"] * 30,
            "quantity": requested.reshape(-1),
        },
        floors={
            "sku": [f"S{k}" for k in range(30)] * 2,
            "group": ["x"] * 30 + ["x/y"] * 30,
            "quantity": [*outer, *inner],
        },
    )

    groups = [Group([0, 1, 2], outer), Group([0, 1], inner)]
    array = water_fill(supply, requested, groups=groups)
    assert shared.granted.tolist() == array.granted.reshape(-1).tolist()
    assert shared.protection.tolist() == array.protection.reshape(-1).tolist()


@given(cases(), st.integers(0, 130), st.data())
def test_the_parts_of_the_waterfall_sum_to_the_grant(case, supply, data):
    n = len(case["requested"])
    before = fill(supply, case)
    consumed = [data.draw(st.integers(0, int(units))) for units in before]
    claims = {
        "sku": ["TEE"] * n,
        "channel": [f"c{k}" for k in range(n)],
        "quantity": case["requested"],
        "guarantee": case["guarantee"],
        "weight": case["weight"],
        "tier": case["tier"],
        "group": ["inner" if k < 2 else "" for k in range(n)],
        "consumed": consumed,
        "granted_before": before,
    }
    units = {"sku": ["TEE"], "quantity": [supply + 5], "pack_size": [case["pack_size"]]}
    floors = {"sku": ["TEE"], "group": ["inner"], "quantity": [9]}

    shared = allocate(units, claims, floors=floors, rule=case["rule"])

    parts = shared.waterfall()
    short = parts.pop("short")
    assert all((part >= 0).all() for part in parts.values())
    assert sum(parts.values()).tolist() == shared.granted.tolist()
    assert (shared.granted + short >= case["requested"]).all()
    assert (parts["consumed"] >= consumed).all()


def test_floors_that_do_not_fit_together_are_cut_in_proportion_to_what_they_miss():
    groups = [Group([0, 1], 60), Group([2], 30), Group([0, 1, 2, 3], 200)]
    short = water_fill([30], [[80, 80, 80, 80]], groups=groups)
    assert short.granted.tolist() == [[10, 10, 10, 0]]
    held = water_fill([40], [[80, 80, 80, 80]], groups=groups, guarantee=[0, 0, 10, 0])
    # 60 and 20 are missing, 30 are left.
    assert held.granted.tolist() == [[12, 11, 17, 0]]

    claims = {
        "sku": ["TEE"] * 4,
        "channel": ["a", "b", "c", "d"],
        "group": ["all/x", "all/x", "all/y", "all"],
        "quantity": [80] * 4,
    }
    floors = {"sku": ["TEE"] * 3, "group": ["all", "all/y", "all/x"], "quantity": [200, 30, 60]}
    shared = allocate({"sku": ["TEE"], "quantity": [30]}, claims, floors=floors)
    assert shared.granted.tolist() == [10, 10, 10, 0]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=5),
    st.integers(0, 120),
)
def test_groups_apart_get_floors_or_shares_of_what_they_miss_within_a_unit(pairs, supply):
    floors = [floor for _, floor in pairs]
    requested = [[asked for asked, _ in pairs for _ in range(2)]]
    groups = [Group([2 * g, 2 * g + 1], floor) for g, floor in enumerate(floors)]

    got = water_fill([supply], requested, groups=groups).granted[0].reshape(-1, 2).sum(axis=1)

    missing = np.array([min(floor, 2 * asked) for asked, floor in pairs])
    if missing.sum() <= supply:
        assert (got >= missing).all()
    else:
        assert (np.abs(got * missing.sum() - missing * supply) < missing.sum()).all()


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([Group([0, 1], 3), Group([1, 2], 3)], "groups 0 and 1 overlap"),
        ([Group([3], 1)], r"groups\[0\].members must be columns 0..2"),
        ([Group([], 1)], r"groups\[0\].members"),
        ([Group([0], [1, 2])], r"groups\[0\].floor must be one number or 1"),
        ([Group([0], -1)], r"groups\[0\].floor must lie in 0"),
    ],
)
def test_wrong_groups_are_named(groups, message):
    with pytest.raises(InputError, match=message):
        water_fill([5], [[3, 4, 5]], groups=groups)


def test_explanations_find_a_claim_by_sku_and_name():
    claims = {
        "sku": ["TEE", "TEE", "TEE"],
        "channel": ["store", "web", "web"],
        "node": ["", "N1", "N2"],
        "quantity": [60, 60, 60],
    }
    shared = allocate({"sku": ["TEE"], "quantity": [100]}, claims)

    assert shared.explain("TEE", "web", node="N2").startswith("web at N2 got 33 of 60")
    with pytest.raises(InputError, match="2 claims on 'TEE' fit channel 'web' and node None"):
        shared.explain("TEE", "web")
    with pytest.raises(InputError, match=r"0 claims on 'MUG' .*nobody claims it"):
        shared.explain("MUG", "web")


def test_the_plot_shows_every_claim_of_the_sku_and_its_parts():
    claims = {
        "sku": ["TEE", "MUG", "TEE"],
        "channel": ["web", "web", "store"],
        "quantity": [120, 5, 60],
        "guarantee": [30, 0, 0],
        "tier": [2, 1, 1],
    }
    shared = allocate({"sku": ["TEE", "MUG"], "quantity": [100, 9]}, claims)

    drawn = shared.plot("TEE").to_dict()
    (rows,) = drawn["datasets"].values()

    bars = {(one["who"], one["part"]): one["units"] for one in rows}
    assert bars == {
        ("web", "guaranteed"): 30,
        ("web", "shared"): 10,
        ("web", "short"): 80,
        ("store", "guaranteed"): 0,
        ("store", "shared"): 60,
        ("store", "short"): 0,
    }
    with pytest.raises(InputError, match="no claim is on SKU 'CAP'"):
        shared.plot("CAP")
    assert shared.to_waterfall().num_rows == 3
