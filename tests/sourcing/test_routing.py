"""Rules that choose a strategy: first match wins, versions stay, explanations say which fired."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import ConflictError, InputError
from omnistock.model import Node
from omnistock.sourcing import (
    Candidates,
    Condition,
    CostTerm,
    Criterion,
    ParcelRules,
    Request,
    RoutingBook,
    RoutingRule,
    RoutingVersions,
    Strategy,
    choose_nodes,
)

NEAR = Strategy(("distance",), name="near")
CHEAP = Strategy(("packages",), name="few packages")
EXPRESS = RoutingRule(
    "express",
    NEAR,
    (Condition("delivery", "is", "express"), Condition("units", "at_most", 5)),
    priority=1,
)
B2B = RoutingRule("b2b", CHEAP, (Condition("segment", "in", ("b2b", "trade")),), priority=2)
BOOK = RoutingBook((B2B, EXPRESS), fallback=Strategy(("priority",), name="as ranked"))


def test_the_first_rule_by_priority_that_holds_decides():
    both = {"delivery": "express", "units": 5, "segment": "b2b"}

    assert BOOK.choose(both) == ("express", NEAR)
    assert BOOK.choose({**both, "units": 6}) == ("b2b", CHEAP)
    assert BOOK.choose({"units": 6})[0] == "fallback"


def test_the_trace_says_what_fired_and_why_the_others_did_not():
    assert BOOK.trace({"delivery": "express", "units": 6, "segment": "trade"}) == [
        "rule 'express' does not: not units at most 5",
        "rule 'b2b' fires: segment in ('b2b', 'trade')",
    ]
    assert BOOK.trace({})[-1] == "no rule fires: fallback"


def test_a_choice_names_rule_version_and_strategy():
    candidates = Candidates((Node("A"), Node("B")), np.array([[2], [9]], np.int64))
    request = Request({"delivery": "express"}, distances={"A": 9.0, "B": 1.0})

    choice = choose_nodes(BOOK, ["X"], np.array([2]), candidates, request)

    assert (choice.rule, choice.version, choice.strategy) == ("express", 1, NEAR)
    assert [one.node for one in choice.lines] == ["B"]
    assert choice.explain().startswith(
        "rule 'express' fires: delivery is 'express' and units at most 5\nstrategy 'near'"
    )


facts = st.dictionaries(
    st.sampled_from(("a", "b", "c")), st.one_of(st.integers(0, 3), st.sampled_from("xy"))
)
conditions = st.builds(
    Condition,
    st.sampled_from(("a", "b", "c")),
    st.sampled_from(("is", "is_not")),
    st.one_of(st.integers(0, 3), st.sampled_from("xy")),
)


@given(st.lists(st.tuples(st.lists(conditions, max_size=2), st.integers(0, 2)), max_size=5), facts)
def test_choosing_is_the_first_in_a_sorted_list(parts, known):
    rules = [
        RoutingRule(f"rule {k}", Strategy(name=str(k)), tuple(when), priority)
        for k, (when, priority) in enumerate(parts)
    ]

    name, _ = RoutingBook(tuple(rules)).choose(known)

    def fits(rule):
        return all(
            (known.get(one.fact) == one.value) == (one.operator == "is") for one in rule.when
        )

    ranked = sorted(enumerate(rules), key=lambda one: (one[1].priority, one[0]))
    expected = [rule.name for _, rule in ranked if fits(rule)]
    assert name == (expected[0] if expected else "fallback")


def test_a_published_version_stays_as_it_is():
    versions = RoutingVersions()
    first = versions.publish([EXPRESS], fallback=CHEAP)
    again = versions.publish([EXPRESS], fallback=CHEAP)
    second = versions.publish([EXPRESS, B2B], fallback=CHEAP)

    assert again is first
    assert (versions.current, versions.get(1), second.version) == (second, first, 2)
    with pytest.raises(ConflictError, match="version 1 is published as"):
        versions.add(RoutingBook((B2B,), version=1))
    with pytest.raises(InputError, match="no version 7"):
        versions.get(7)


def test_a_book_reads_what_it_has_written():
    whole = Strategy(
        ("requested", Criterion("distance", bands=(100.0, 500.0)), "packages", "cost"),
        costs=(CostTerm("freight", package_cents={"A": 300}, cents_per_km=1.5),),
        max_packages=3,
        nodes=(Condition("kind", "in", ("store", "warehouse")),),
        parcels=ParcelRules(30_000, None, {"X": 400}),
        otherwise=CHEAP,
    )
    book = RoutingBook((RoutingRule("all", whole, (Condition("units", "at_least", 2),)),), NEAR, 4)

    read = RoutingBook.from_json(book.to_json())

    assert read == book
    assert (read.version, read.fingerprint) == (4, book.fingerprint)
    with pytest.raises(InputError, match="no routing book"):
        RoutingBook.from_json('{"rules": 3}')


@pytest.mark.parametrize(
    ("condition", "known", "holds"),
    [
        (Condition("skus", "has", "X"), ("X", "Y"), True),
        (Condition("skus", "has", "X"), "XY", False),
        (Condition("market", "not_in", ("DE",)), None, True),
        (Condition("units", "at_least", 3), 3, True),
        (Condition("units", "at_least", 3), None, False),
        (Condition("vip", "is_not", True), False, True),
    ],
)
def test_a_condition_means_what_it_says(condition, known, holds):
    assert condition.holds(known) is holds


@pytest.mark.parametrize(
    ("words", "make"),
    [
        ("operator must be one of", lambda: Condition("units", "above", 3)),
        ("need a tuple", lambda: Condition("units", "in", 3)),
        ("must be a number", lambda: Condition("units", "at_most", "3")),
        ("not a number", lambda: Condition("units", "at_most", 3).holds("many")),
        ("names of rules must differ", lambda: RoutingBook((B2B, B2B))),
    ],
)
def test_a_wrong_rule_is_refused(words, make):
    with pytest.raises(InputError, match=words):
        make()
