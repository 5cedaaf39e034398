"""Strategies: the plan is the best of all plans, criterion by criterion."""

from __future__ import annotations

import numpy as np
import oracles_strategies as oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.model import Node
from omnistock.sourcing import (
    Candidates,
    Condition,
    CostTerm,
    Criterion,
    Request,
    Strategy,
    choose_nodes,
    rank_nodes,
)

BY = ("priority", "requested", "distance", "same", "attribute", "most_stock")
CRITERION = {
    "same": Criterion("same", attribute="market"),
    "attribute": Criterion("attribute", attribute="rank"),
}


@st.composite
def orders(draw, n_nodes=3, n_lines=2, most=3):
    nodes, lines = draw(st.integers(1, n_nodes)), draw(st.integers(1, n_lines))

    def numbers(low, high, count):
        return draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    return {
        "need": numbers(1, most, lines),
        "stock": [numbers(0, most, lines) for _ in range(nodes)],
        "priority": sorted(numbers(0, 2, nodes)),
        "km": numbers(0, 3, nodes),
        "market": [draw(st.sampled_from(("DE", "AT"))) for _ in range(nodes)],
        "rank": numbers(0, 2, nodes),
        "package_cents": numbers(0, 9, nodes),
        "unit_cents": numbers(0, 3, nodes),
        "capacity": [draw(st.sampled_from((-1, -1, 0, 1, 2, 4))) for _ in range(nodes)],
    }


@st.composite
def criteria(draw):
    names = draw(st.permutations(("packages", "cost", *BY)))
    return tuple(names[: draw(st.integers(1, 4))])


def question(order, names):
    """Candidates and request of an order, and the figures of its nodes from the definitions."""
    nodes = tuple(
        Node(f"N{k}", priority=order["priority"][k],
             attributes={"market": order["market"][k], "rank": order["rank"][k]})
        for k in range(len(order["stock"]))
    )  # fmt: skip
    stock = np.array(order["stock"], np.int64)
    candidates = Candidates(nodes, stock, capacity=np.array(order["capacity"], np.int64))
    request = Request(
        {"market": "DE"}, "N1", distances={f"N{k}": km for k, km in enumerate(order["km"])}
    )
    by_line = [
        [sorted({row[line] for row in order["stock"]}, reverse=True).index(one[line])
         for line in range(len(order["need"]))]
        for one in order["stock"]
    ]  # fmt: skip
    figures = {
        "priority": order["priority"],
        "requested": [int(k != 1) for k in range(len(nodes))],
        "distance": [1000 * km for km in order["km"]],
        "same": [int(one != "DE") for one in order["market"]],
        "attribute": oracle.place_by(order["rank"]),
        "most_stock": by_line,
        "cost": (order["package_cents"], order["unit_cents"]),
    }
    figures["priority"] = oracle.place_by(order["priority"])
    if "packages" in names and "most_stock" in names[names.index("packages") :]:
        figures["most_stock"] = oracle.place_by([sum(row) for row in by_line])
    return candidates, request, figures


def strategy_for(order, names, **limits):
    cents = {
        name: {f"N{k}": one for k, one in enumerate(order[name])}
        for name in ("package_cents", "unit_cents")
    }
    return Strategy(
        tuple(CRITERION.get(name, name) for name in names),
        costs=(CostTerm("all", **cents),),
        **limits,
    )


@settings(max_examples=150)
@given(
    orders(), criteria(), st.sampled_from((None, None, 1, 2)), st.booleans(), st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_a_plan_is_the_best_of_all_plans_criterion_by_criterion(
    order, names, max_packages, complete, single, limited
):
    if not limited:
        order = {**order, "capacity": [-1] * len(order["stock"])}
    candidates, request, figures = question(order, names)
    limits = {"max_packages": max_packages, "ship_complete": complete}
    strategy = strategy_for(order, names, single_node_per_line=single, **limits)
    need = np.array(order["need"], np.int64)
    skus = [f"S{k}" for k in range(len(need))]

    choice = choose_nodes(strategy, skus, need, candidates, request)

    expected = oracle.best_key(
        names, figures, order["need"], order["stock"], max_packages=max_packages,
        complete=complete, single=single, capacity=order["capacity"],
    )  # fmt: skip
    sent = sum(one.quantity for one in choice.lines)
    assert choice.proven
    assert (-sent, *choice.levels.values()) == expected
    assert sent + sum(choice.unfilled.values()) == sum(order["need"])


@settings(max_examples=200)
@given(orders(n_nodes=2, most=5), st.lists(st.integers(0, 7), min_size=2, max_size=2))
def test_lines_that_share_what_nodes_can_handle_are_split_at_least_cost(order, capacity):
    order = {**order, "capacity": capacity[: len(order["stock"])]}
    candidates, request, figures = question(order, ("cost",))
    need = np.array(order["need"], np.int64)

    skus = [f"S{k}" for k in range(len(need))]
    choice = choose_nodes(strategy_for(order, ("cost",)), skus, need, candidates, request)

    expected = oracle.best_key(
        ("cost",), figures, order["need"], order["stock"], max_packages=None, complete=False,
        single=False, capacity=order["capacity"],
    )  # fmt: skip
    sent = sum(one.quantity for one in choice.lines)
    assert (-sent, *choice.levels.values()) == expected


def test_a_level_outweighs_the_most_that_those_behind_it_can_come_to():
    nodes = (Node("A", attributes={"market": "AT", "rank": 0}),
             Node("B", attributes={"market": "DE", "rank": 1}))  # fmt: skip
    candidates = Candidates(nodes, np.array([[1], [1]], np.int64))
    strategy = Strategy(("packages", CRITERION["same"], CRITERION["attribute"]))

    choice = choose_nodes(strategy, ["X"], np.array([1]), candidates, Request({"market": "DE"}))

    assert [one.node for one in choice.lines] == ["B"]


@given(orders(), criteria())
def test_every_short_sku_has_a_reason_and_nothing_else_has(order, names):
    candidates, request, _ = question(order, names)
    skus = [f"S{k}" for k in range(len(order["need"]))]
    need = np.array(order["need"], np.int64)

    choice = choose_nodes(strategy_for(order, names), skus, need, candidates, request)

    assert choice.reasons.keys() == choice.unfilled.keys()
    for sku, reason in choice.reasons.items():
        line = skus.index(sku)
        have = sum(row[line] for row in order["stock"])
        assert reason == ("capacity" if have >= order["need"][line] else reason)
        assert reason in ("stock", "capacity")


def two_nodes(stock):
    nodes = (Node("DC"), Node("S", kind="store"))
    return Candidates(nodes, np.array(stock, np.int64))


def test_a_strategy_that_leaves_something_unfilled_gives_way_to_the_next():
    near = Strategy(("distance",), name="near", within_km=50)
    anywhere = Strategy(("packages",), name="anywhere")
    chain = Strategy(("distance",), name="near", within_km=50, otherwise=anywhere)
    request = Request(distances={"DC": 400.0, "S": 3.0})
    stock = two_nodes([[9], [2]])

    alone = choose_nodes(near, ["A"], np.array([3]), stock, request)
    both = choose_nodes(chain, ["A"], np.array([3]), stock, request)

    assert (alone.unfilled, alone.reasons) == ({"A": 1}, {"A": "node conditions"})
    assert [(one.node, one.quantity) for one in both.lines] == [("DC", 3)]
    assert both.tried == (("near", 1), ("anywhere", 0))
    assert "strategy 'near' leaves 1 unfilled; the next one stands in" in both.explain()


def test_nodes_that_do_not_meet_the_conditions_send_nothing():
    stores = Strategy(("packages",), nodes=(Condition("kind", "is", "store"),))
    choice = choose_nodes(stores, ["A"], np.array([3]), two_nodes([[9], [2]]), Request())

    assert [(one.node, one.quantity) for one in choice.lines] == [("S", 2)]


def test_an_order_that_must_be_complete_may_be_completed_by_backorders():
    strategy = Strategy(("priority",), ship_complete=True, backorder_node="S")
    stock = two_nodes([[2], [0]])
    allowance = np.array([[0], [5]])

    choice = choose_nodes(strategy, ["A"], np.array([4]), stock, Request(), allowance=allowance)
    too_much = choose_nodes(strategy, ["A"], np.array([8]), stock, Request(), allowance=allowance)

    assert [(one.node, one.quantity) for one in choice.lines] == [("DC", 2)]
    assert [(one.node, one.quantity) for one in choice.backordered] == [("S", 2)]
    assert (too_much.lines, too_much.backordered, too_much.unfilled) == ((), (), {"A": 8})


def test_costs_are_shown_term_by_term_with_those_of_the_runner_up():
    strategy = Strategy(
        ("cost",),
        costs=(
            CostTerm("freight", package_cents=300, cents_per_km=2.0),
            CostTerm("picking", unit_cents={"S": 40}),
        ),
    )
    request = Request(distances={"DC": 100.0, "S": 10.0})
    choice = choose_nodes(strategy, ["A"], np.array([2]), two_nodes([[9], [9]]), request)

    assert choice.costs == {"freight": 320, "picking": 80}
    assert choice.runner_up_costs() == {"freight": 500, "picking": 0}
    assert choice.explain() == (
        "strategy 'cost': 2 units; cost 4.00\n"
        "  S: 2 x A; freight 3.20, picking 0.80\n"
        "without S: 2 units; cost 5.00"
    )


def test_ranking_goes_through_the_criteria_in_turn():
    nodes = tuple(
        Node(name, priority=priority, attributes={"default": default, "position": position})
        for name, priority, default, position in (
            ("first", 1, False, 2), ("second", 1, True, 3), ("third", 0, False, 1),
        )
    )  # fmt: skip
    candidates = Candidates(nodes, np.zeros((3, 0), np.int64))
    default = Criterion("attribute", attribute="default", first=("true",))
    position = Criterion("attribute", attribute="position")

    assert rank_nodes(Strategy((default, position)), candidates, Request()) == [
        "second", "third", "first",
    ]  # fmt: skip
    assert rank_nodes(Strategy(("priority", position)), candidates, Request()) == [
        "third", "first", "second",
    ]  # fmt: skip


def test_the_load_of_a_node_is_what_of_its_capacity_is_taken():
    nodes = (Node("A"), Node("B"), Node("C"))
    stock = np.full((3, 1), 9, np.int64)
    candidates = Candidates(
        nodes, stock, capacity=np.array([2, 5, -1]), daily_capacity=np.array([10, 10, -1])
    )

    choice = choose_nodes(Strategy(("load",)), ["X"], np.array([12]), candidates, Request())

    # C has no limit and so no load, B is half busy, A four fifths.
    assert [(one.node, one.quantity) for one in choice.lines] == [("C", 9), ("B", 3)]


@pytest.mark.parametrize(
    ("words", "make"),
    [
        ("a criterion is by one of", lambda: Criterion("weather")),
        ("attribute belongs to", lambda: Criterion("same")),
        ("bands must rise", lambda: Criterion("distance", bands=(5.0, 5.0))),
        ("criterion cost needs costs", lambda: Strategy(("cost",))),
        ("can be given once", lambda: Strategy(("packages", "packages"))),
        ("capacity must be one of", lambda: Strategy(capacity="all")),
        ("no distance to nodes DC, S", lambda: rank_nodes(
            Strategy(("distance",)), two_nodes([[1], [1]]), Request())),
        ("have no attribute 'rank'", lambda: rank_nodes(
            Strategy((CRITERION["attribute"],)), two_nodes([[1], [1]]), Request())),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_said(words, make):
    with pytest.raises(InputError, match=words):
        make()
