"""Pegs name the source of every promise: examples of the sources, definition, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles_rows import pegs_unit_by_unit
from ortools.graph.python import min_cost_flow

from omnistock.availability.pegging import MODES, NO_SUPPLY, ON_HAND, UNDATED, peg
from omnistock.errors import InputError

buckets = st.integers(0, 5) | st.just(UNDATED)
units = st.integers(0, 6)
supply_lists = st.lists(st.tuples(buckets | st.just(ON_HAND), units), max_size=6)
demand_lists = st.lists(st.tuples(buckets, units), max_size=6)


def pegged(supplies, demands, mode):
    """{(demand, supply): units} of the pegs."""
    pegs = peg(*columns(supplies), *columns(demands), mode=mode)
    found = {}
    for d, s, n in zip(
        pegs.demand.tolist(), pegs.supply.tolist(), pegs.units.tolist(), strict=True
    ):
        assert n >= 1
        assert (d, s) not in found
        found[d, s] = n
    return found


def columns(pairs):
    return [one for one, _ in pairs], [two for _, two in pairs]


def used(found, supplies, which):
    return sum(n for (_, s), n in found.items() if s != NO_SUPPLY and supplies[s][0] == which)


def filled(found):
    return sum(n for (_, s), n in found.items() if s != NO_SUPPLY)


# --- worked examples ---


def test_an_order_is_pegged_to_stock_then_to_the_earliest_receipt():
    # Odoo 17, stock, test_report_forecast_1: an order for 5 while receipts come in.
    def order(*supplies):
        return pegged(supplies, [(UNDATED, 5)], "first_eta")

    assert order() == {(0, NO_SUPPLY): 5}
    assert order((UNDATED, 2)) == {(0, 0): 2, (0, NO_SUPPLY): 3}
    assert order((ON_HAND, 2), (UNDATED, 3)) == {(0, 0): 2, (0, 1): 3}


def test_an_order_due_later_leaves_stock_free_for_today():
    # IBM Sterling, "Matching supply to demand": 10 on hand, 10 due on 30 May (bucket 12) and
    # 10 on 30 July (73); an order for 10 on 1 June (14).
    supplies = [(ON_HAND, 10), (12, 10), (73, 10)]

    assert pegged(supplies, [(14, 10)], "closest_eta") == {(0, 1): 10}
    assert pegged(supplies, [(14, 10)], "first_eta") == {(0, 0): 10}


def test_pegs_stand_in_the_order_of_the_demands():
    pegs = peg([ON_HAND], [3], [7, 2], [2, 2])

    assert pegs.demand.tolist() == [0, 0, 1]
    assert pegs.supply.tolist() == [0, NO_SUPPLY, 0]
    assert pegs.units.tolist() == [1, 1, 2]


# --- definition ---


@given(supply_lists, demand_lists, st.sampled_from(MODES))
def test_pegs_follow_their_definition_unit_by_unit(supplies, demands, mode):
    expected = pegs_unit_by_unit(supplies, demands, latest=mode == "closest_eta")

    assert pegged(supplies, demands, mode) == expected


# --- laws ---


@given(supply_lists, demand_lists, st.sampled_from(MODES))
def test_demands_are_pegged_in_full_and_no_supply_is_used_twice(supplies, demands, mode):
    found = pegged(supplies, demands, mode)

    for d, (_, wanted) in enumerate(demands):
        assert sum(n for (one, _), n in found.items() if one == d) == wanted
    for s, (_, there) in enumerate(supplies):
        assert sum(n for (_, one), n in found.items() if one == s) <= there
    for d, s in found:
        assert s == NO_SUPPLY or supplies[s][0] <= demands[d][0]


def best_flow(supplies, demands):
    """Most units that any pegging fills, and the least stock on hand that this takes."""
    flow = min_cost_flow.SimpleMinCostFlow()
    n_supplies, n_demands = len(supplies), len(demands)
    source, sink = n_supplies + n_demands, n_supplies + n_demands + 1
    total = sum(n for _, n in demands)
    on_hand_arcs = []
    for s, (ready, there) in enumerate(supplies):
        # A unit of stock on hand costs 1, an unfilled unit more than all stock together.
        arc = flow.add_arc_with_capacity_and_unit_cost(source, s, there, int(ready == ON_HAND))
        if ready == ON_HAND:
            on_hand_arcs.append(arc)
        for d, (due, wanted) in enumerate(demands):
            if ready <= due:
                flow.add_arc_with_capacity_and_unit_cost(s, n_supplies + d, wanted, 0)
    for d, (_, wanted) in enumerate(demands):
        flow.add_arc_with_capacity_and_unit_cost(n_supplies + d, sink, wanted, 0)
    unfilled = flow.add_arc_with_capacity_and_unit_cost(source, sink, total, 1000)
    flow.set_node_supply(source, total)
    flow.set_node_supply(sink, -total)
    assert flow.solve() == flow.OPTIMAL
    return total - flow.flow(unfilled), sum(flow.flow(arc) for arc in on_hand_arcs)


@given(supply_lists, demand_lists)
def test_both_modes_fill_the_most_and_closest_eta_takes_the_least_stock(supplies, demands):
    most, least_on_hand = best_flow(supplies, demands)
    first = pegged(supplies, demands, "first_eta")
    closest = pegged(supplies, demands, "closest_eta")

    assert filled(first) == filled(closest) == most
    assert used(closest, supplies, ON_HAND) == least_on_hand
    assert used(closest, supplies, ON_HAND) <= used(first, supplies, ON_HAND)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: peg([0], [1], [0], [1], mode="last_eta"),
        lambda: peg([-2], [1], [0], [1]),
        lambda: peg([0], [1], [-1], [1]),
        lambda: peg([0], [-1], [0], [1]),
        lambda: peg([0], [1], [0], [-1]),
        lambda: peg([0], [1.0], [0], [1]),
        lambda: peg([0, 1], [1], [0], [1]),
        lambda: peg(np.zeros((1, 1), np.int64), [1], [0], [1]),
    ],
)
def test_what_cannot_be_pegged_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
