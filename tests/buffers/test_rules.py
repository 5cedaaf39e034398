"""Buffers by rule: first match by priority, one number per key, exact rounding."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.buffers.rules import BufferRule, buffer_table
from omnistock.errors import FrameError, InputError, UnknownError
from omnistock.model import Channel, Network, Node, Sku

DAY = 86_400
NETWORK = Network.build(
    skus=[
        Sku("TEE", category="apparel"),
        Sku("MUG", category="kitchen", units=(("box", "6"),)),
        Sku("SET", components=(("TEE", 1), ("MUG", 1))),
        Sku("CARD", tracked=False),
    ],
    nodes=[
        Node("DC1"),
        Node("SHOP", kind="store"),
        Node("DROP", kind="virtual"),
        Node("MILL", kind="supplier"),
    ],
    channels=[Channel("web", nodes=("DC1", "SHOP")), "app"],
)
STOCK = {
    "sku": ["TEE", "TEE", "TEE", "MUG", "MUG"],
    "node": ["DC1", "SHOP", "SHOP", "DC1", "SHOP"],
    "on_hand": [100, 11, 14, -5, 7],
}
RATES = {
    "sku": ["TEE", "TEE", "TEE", "MUG"],
    "node": ["DC1", "DC1", "SHOP", "SHOP"],
    "channel": ["web", "app", "web", "app"],
    "demand_per_day": [1.5, 0.1, 0.7, 2.0],
}


def compiled(*rules, today="2026-03-01", **tables):
    """{(sku, node, channel): units}."""
    columns = buffer_table(rules, NETWORK, today=today, **tables).to_pydict()
    keys = list(zip(columns["sku"], columns["node"], columns["channel"], strict=True))
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, columns["quantity"], strict=True))


def test_a_rule_without_conditions_keeps_back_wherever_stock_may_lie():
    assert compiled(BufferRule(quantity=2)) == {
        (sku, node, ""): 2 for sku in ("TEE", "MUG") for node in ("DC1", "SHOP", "DROP")
    }


def test_the_rule_that_comes_first_counts_alone():
    found = compiled(
        BufferRule(quantity=9, priority=2),
        BufferRule(quantity=1, sku="TEE", node="SHOP", priority=1),
        BufferRule(quantity=5, node_kind="store", priority=1),
    )

    assert found["TEE", "SHOP", ""] == 1
    assert found["MUG", "SHOP", ""] == 5
    assert found["MUG", "DC1", ""] == 9


def test_a_category_and_a_kind_of_node_must_both_fit():
    found = compiled(BufferRule(quantity=3, category="apparel", node_kind="store"))

    assert found == {("TEE", "SHOP", ""): 3}


def test_a_percentage_is_rounded_up_and_what_is_below_zero_counts_as_nothing():
    found = compiled(BufferRule(percent=10), on_hand=STOCK)

    assert found["TEE", "DC1", ""] == 10
    assert found["TEE", "SHOP", ""] == 3
    assert found["MUG", "DC1", ""] == 0
    assert found["MUG", "SHOP", ""] == 1
    assert found["TEE", "DROP", ""] == 0


def test_a_tenth_of_a_percent_of_ten_thousand_is_exactly_ten():
    stock = {"sku": ["TEE"], "node": ["DC1"], "on_hand": [10_000]}

    for percent in (0.1, "0.1", Decimal("0.1")):
        found = compiled(BufferRule(percent=percent, node="DC1"), on_hand=stock)
        assert found["TEE", "DC1", ""] == 10


def test_days_of_cover_last_at_the_rate_of_all_channels_or_of_the_one_named():
    found = compiled(
        BufferRule(days_of_cover=10), BufferRule(days_of_cover=3, channel="web", node="SHOP"),
        demand_per_day=RATES,
    )  # fmt: skip

    assert found["TEE", "DC1", ""] == 16
    assert found["MUG", "SHOP", ""] == 20
    assert found["TEE", "SHOP", "web"] == 3
    assert found["MUG", "SHOP", "web"] == 0


def test_thirty_days_at_a_tenth_a_day_are_three_units_and_not_four():
    # 0.1 * 30 is 3.0000000000000004 in floats.
    rates = {"sku": ["TEE"], "node": ["DC1"], "demand_per_day": [0.1]}

    found = compiled(BufferRule(days_of_cover=30, node="DC1"), demand_per_day=rates)

    assert found["TEE", "DC1", ""] == 3


def test_a_rule_for_a_channel_alone_keeps_back_from_all_that_it_may_sell():
    found = compiled(
        BufferRule(percent=10, channel="web"),
        BufferRule(days_of_cover=10, channel="app"),
        BufferRule(quantity=4, channel="app", node="DC1"),
        on_hand=STOCK,
        demand_per_day=RATES,
    )

    assert found == {
        ("TEE", "", "web"): 13,  # 10 % of 100 + 25
        ("MUG", "", "web"): 1,
        ("TEE", "", "app"): 1,
        ("MUG", "", "app"): 20,
        ("TEE", "DC1", "app"): 4,
        ("MUG", "DC1", "app"): 4,
    }


def test_a_rule_for_a_channel_counts_only_at_nodes_that_serve_it():
    found = compiled(BufferRule(quantity=1, channel="web", node_kind="virtual"))

    assert found == {}


def test_a_text_is_counted_in_each_skus_own_units_of_measure():
    found = compiled(BufferRule(quantity="0.5 box", sku="MUG", node="DC1"))

    assert found == {("MUG", "DC1", ""): 3}


def test_dated_rules_take_turns_and_leave_nothing_behind():
    # Targets as in frePPLe's test safety_stock, each from its month on.
    rules = [
        BufferRule(quantity=10, node="DC1", sku="TEE", since="2009-01-01", until="2009-02-01"),
        BufferRule(quantity=20, node="DC1", sku="TEE", since="2009-02-01", until="2009-03-01"),
    ]
    key = ("TEE", "DC1", "")

    assert compiled(*rules, today="2009-01-31T23:59") == {key: 10}
    assert compiled(*rules, today="2009-02-01") == {key: 20}
    assert compiled(*rules, today="2009-03-01") == {key: 0}


def test_the_answer_is_the_kind_of_frame_that_was_given():
    table = buffer_table(
        [BufferRule(percent=50, node="SHOP")],
        NETWORK,
        today="2026-03-01",
        on_hand=pd.DataFrame(STOCK),
    )

    assert isinstance(table, pd.DataFrame)
    assert table["quantity"].tolist() == [13, 4]


def test_no_rules_give_an_empty_table():
    table = buffer_table([], NETWORK, today=0)

    assert table.num_rows == 0
    assert table.column_names == ["sku", "node", "channel", "quantity"]


# --- definition ---

rules = st.builds(
    lambda amount, **rest: BufferRule(**amount, **rest),
    amount=st.one_of(
        st.fixed_dictionaries({"quantity": st.integers(0, 9)}),
        st.fixed_dictionaries({"percent": st.integers(0, 400).map(lambda n: n / 4)}),
        st.fixed_dictionaries({"days_of_cover": st.integers(0, 40).map(lambda n: n / 4)}),
    ),
    sku=st.sampled_from([None, None, "TEE", "MUG"]),
    category=st.sampled_from([None, None, "apparel"]),
    node=st.sampled_from([None, None, "DC1", "SHOP"]),
    node_kind=st.sampled_from([None, None, "store", "virtual"]),
    channel=st.sampled_from([None, "web", "app"]),
    priority=st.integers(0, 3),
    since=st.sampled_from([None, 0, 5 * DAY]),
    until=st.sampled_from([None, 5 * DAY, 9 * DAY]),
)


def buffer_by_definition(all_rules, sku, node, channel, now):
    """Units for one key: the first rule in force by priority, None if no rule is about it."""
    about = []
    for k, rule in enumerate(all_rules):
        whole = rule.channel is not None and rule.node is None and rule.node_kind is None
        fits = rule.sku in (None, sku) and rule.category in (None, NETWORK.skus[sku].category)
        fits = fits and (rule.channel or "") == channel and whole == (node == "")
        if node:
            kind = NETWORK.nodes[node].kind
            fits = fits and rule.node in (None, node) and rule.node_kind in (None, kind)
        if fits:
            about.append((rule.priority, k, rule))
    if not about:
        return None
    serving = NETWORK.channels[channel].nodes if channel else ()
    places = [node] if node else list(serving or ("DC1", "SHOP", "DROP"))
    for _, _, rule in sorted(about, key=lambda one: one[:2]):
        if (rule.since or 0) <= now and (rule.until is None or now < rule.until):
            if rule.quantity is not None:
                return rule.quantity
            total = Fraction(0)
            for place in places:
                if rule.percent is not None:
                    held = sum(
                        n
                        for one, at, n in zip(*STOCK.values(), strict=True)
                        if (one, at) == (sku, place)
                    )
                    total += max(held, 0) * Fraction(rule.percent) / 100
                else:
                    total += sum(
                        Fraction(str(n)) * Fraction(rule.days_of_cover)
                        for one, at, by, n in zip(*RATES.values(), strict=True)
                        if (one, at) == (sku, place) and channel in ("", by)
                    )
            return math.ceil(total)
    return 0


@given(st.lists(rules, max_size=5), st.sampled_from([0, 5 * DAY, 9 * DAY]))
def test_each_key_has_the_buffer_of_its_first_rule_in_force(all_rules, now):
    expected = {}
    for sku in ("TEE", "MUG"):
        for channel, places in (
            ("", ("DC1", "SHOP", "DROP")),
            ("web", ("", "DC1", "SHOP")),
            ("app", ("", "DC1", "SHOP", "DROP")),
        ):
            for node in places:
                units = buffer_by_definition(all_rules, sku, node, channel, now)
                if units is not None:
                    expected[sku, node, channel] = units

    assert compiled(*all_rules, today=now, on_hand=STOCK, demand_per_day=RATES) == expected


# --- refusals ---


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: BufferRule(),
        lambda: BufferRule(quantity=1, percent=1),
        lambda: BufferRule(quantity=-1),
        lambda: BufferRule(percent=101),
        lambda: BufferRule(percent="many"),
        lambda: BufferRule(days_of_cover=-1),
        lambda: BufferRule(days_of_cover=float("nan")),
        lambda: BufferRule(quantity=1, node_kind="shed"),
        lambda: compiled(BufferRule(quantity=1, sku="SET")),
        lambda: compiled(BufferRule(quantity=1, sku="CARD")),
        lambda: compiled(BufferRule(quantity=1, node="MILL")),
        lambda: compiled(BufferRule(quantity=1, node_kind="supplier")),
        lambda: compiled(BufferRule(quantity="0.5", sku="TEE")),
        lambda: compiled(BufferRule(quantity="-1", sku="TEE")),
        lambda: compiled(BufferRule(percent=5)),
        lambda: compiled(BufferRule(days_of_cover=5)),
        lambda: compiled(
            BufferRule(days_of_cover=5, channel="web"),
            demand_per_day={name: RATES[name] for name in ("sku", "node", "demand_per_day")},
        ),
    ],
)
def test_a_rule_that_makes_no_sense_here_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()


@pytest.mark.parametrize("name", ["sku", "node", "channel", "category"])
def test_a_rule_that_names_the_unknown_is_refused(name):
    with pytest.raises(UnknownError, match="'NOWHERE'"):
        compiled(BufferRule(quantity=1, **{name: "NOWHERE"}))


def test_a_table_that_names_the_unknown_is_refused_with_its_rows():
    with pytest.raises(FrameError, match="row 1"):
        compiled(BufferRule(percent=5), on_hand={"sku": ["HAT"], "node": ["DC1"], "on_hand": [1]})
