from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.numerics.demand import DemandDistribution
from omnistock.numerics.marginal import MONEY_STEPS, Curves, sales_curves, take_best_into


def curves_of(lists):
    offsets = np.cumsum([0, *(len(one) for one in lists)])
    return Curves(np.array([v for one in lists for v in one], np.int64), offsets)


def taken_from(supply, lists, least):
    curves = curves_of(lists)
    taken = np.zeros(len(lists), np.int64)
    most = np.array([len(one) for one in lists], np.int64)
    ends = np.array([0, len(lists)], np.int64)
    take_best_into(
        taken, np.array([supply]), ends, np.array(least), most, curves.values, curves.offsets
    )
    return taken


falling = st.lists(st.integers(-3, 12), max_size=8).map(lambda values: sorted(values, reverse=True))


@given(st.lists(st.tuples(falling, st.integers(0, 3)), min_size=1, max_size=5), st.integers(0, 25))
def test_the_packs_taken_are_worth_the_most_that_as_many_can_be(claims, supply):
    lists = [values for values, _ in claims]
    least = [min(low, len(values)) for values, low in claims]
    if sum(least) > supply:
        return

    taken = taken_from(supply, lists, least)

    beyond = sorted(
        (value for values, low in zip(lists, least, strict=True) for value in values[low:]),
        reverse=True,
    )
    best = sum(value for value in beyond[: supply - sum(least)] if value > 0)
    got = sum(
        sum(values[low:n]) for values, low, n in zip(lists, least, taken.tolist(), strict=True)
    )
    assert got == best
    assert (taken >= least).all()
    assert taken.sum() <= supply


def test_packs_of_equal_worth_go_in_turns():
    assert taken_from(5, [[7] * 9, [7] * 9, [9, 7]], [0, 0, 0]).tolist() == [2, 1, 2]


@given(
    st.sampled_from([0.0, 0.3, 4.0, 40.0]),
    st.sampled_from([1.0, 2.5]),
    st.integers(-3, 50),
    st.sampled_from([1, 4]),
)
def test_a_pack_is_worth_the_survival_probabilities_of_its_units(mean, spread, start, pack):
    demand = DemandDistribution.from_moments([mean], [mean * spread])
    one = np.array([1])
    curves = sales_curves(
        demand, start=one * start, pack_size=one * pack, margin_cents=one * 250.0, most=one * 6
    )

    for k in range(6):
        levels = start + pack * k + np.arange(pack)
        worth = 250 * sum(float(demand.sf([x])[0]) if x >= 0 else 1.0 for x in levels)
        assert curves.at(one * k)[0] / MONEY_STEPS == pytest.approx(worth, abs=1e-4)
    assert (np.diff(curves.values) <= 0).all()
    assert curves.upto(one * 3)[0] == curves.values[:3].sum()
    assert curves.upto(one * 99)[0] == curves.values.sum()


@pytest.mark.parametrize(
    ("mean", "variance", "counts", "start"),
    [
        (700.0, 700.0, True, 690),  # the mass at 0 is too small to start from
        (400.0, 90_000.0, True, 300),
        (450.0, 451.0, True, 440),
        (30.0, 60.0, True, 2_500),  # too far from 0
        (30.0, 100.0, False, 25),  # no count
    ],
)
def test_large_and_fractional_demands_are_worth_their_loss_function(mean, variance, counts, start):
    demand = DemandDistribution.from_moments([mean], [variance], counts=counts)
    one = np.array([1])
    curves = sales_curves(
        demand, start=one * start, pack_size=one * 5, margin_cents=one * 900.0, most=one * 4
    )

    losses = demand.loss([[start + 5.0 * k for k in range(5)]])[0]
    expected = [900 * float(a - b) for a, b in pairwise(losses)]
    found = [curves.at(one * k)[0] / MONEY_STEPS for k in range(4)]
    assert found == pytest.approx(expected, abs=1e-3)


def test_demands_too_large_to_be_valued_pack_by_pack_are_refused():
    one = np.array([1])
    with pytest.raises(InputError, match="count in larger packs"):
        sales_curves(
            DemandDistribution.from_moments([1e10], [1e10]),
            start=one * 0,
            pack_size=one,
            margin_cents=one * 1.0,
            most=one * 2**40,
        )
