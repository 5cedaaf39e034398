"""Re-promising: worked examples, the best totals level by level, and what no run may do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles_repromise import best_totals

from omnistock.allocation.repromise import STRATEGIES, repromise
from omnistock.errors import InputError

lines = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.integers(0, 8),
        st.sampled_from(STRATEGIES),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=7,
)
balance_rows = st.lists(st.integers(-4, 20), min_size=3, max_size=3)


def run(order_lines, balances, **settings):
    requested, confirmed, strategy, priority, due = zip(*order_lines, strict=True)
    return repromise(
        requested, confirmed, strategy, balances, priority=priority, due=due, **settings
    )


def kept(line):
    return min(line[0], line[1])


# --- worked examples ---


def test_scarce_units_go_to_win_gain_redistribute_and_fill_in_this_order():
    # Strategies as in SAP's backorder processing; 100 units for 180 asked for.
    done = repromise(
        requested=[50, 40, 30, 30, 30],
        confirmed=[0, 20, 30, 20, 30],
        strategy=["win", "gain", "redistribute", "fill", "lose"],
        balances=[100],
    )

    assert done.confirmed.tolist() == [50, 40, 10, 0, 0]
    assert done.lost.tolist() == [0, 0, 20, 20, 30]
    assert done.exceptions.tolist() == []
    assert done.free.tolist() == [0]


def test_a_win_that_cannot_be_met_stops_a_run_that_is_told_to_stop():
    done = repromise([50, 40], [0, 30], ["win", "gain"], [30], on_exception="stop")

    assert done.stopped
    assert done.exceptions.tolist() == [0]
    assert done.confirmed.tolist() == [0, 30]
    assert done.lost.tolist() == [0, 0]
    assert done.free.tolist() == [0]


def test_a_run_that_goes_on_gives_an_unmet_win_what_gain_leaves():
    done = repromise([50, 40], [0, 30], ["win", "gain"], [45])

    assert not done.stopped
    assert done.exceptions.tolist() == [0]
    assert done.confirmed.tolist() == [15, 30]


def test_gain_that_cannot_keep_what_it_had_is_an_exception():
    done = repromise([8, 8], [5, 5], ["gain", "gain"], [7], priority=[2, 1])

    assert done.confirmed.tolist() == [2, 5]
    assert done.exceptions.tolist() == [0]
    assert done.lost.tolist() == [3, 0]


def test_improve_keeps_what_it_had_unless_win_or_gain_need_it_and_is_no_exception():
    done = repromise([10, 6, 9], [0, 6, 9], ["win", "improve", "redistribute"], [14])

    assert done.confirmed.tolist() == [10, 4, 0]
    assert done.exceptions.tolist() == []


def test_all_that_improve_had_comes_before_more_for_anyone_of_improve():
    done = repromise([10, 10], [0, 4], ["improve", "improve"], [11], priority=[1, 2])

    assert done.confirmed.tolist() == [7, 4]


def test_a_late_receipt_serves_late_lines_and_early_stock_keeps_earlier_ones_whole():
    # 5 on hand, 10 more in bucket 2: a line due now can have no more than the 5.
    done = repromise([8, 8], [0, 0], ["redistribute", "redistribute"], [5, 5, 15], due=[0, 2])

    assert done.confirmed.tolist() == [5, 8]
    assert done.free.tolist() == [0, 0, 2]


def test_a_later_commitment_holds_back_what_a_line_may_have_now():
    done = repromise([8], [0], ["win"], [9, 3, 20])

    assert done.confirmed.tolist() == [3]
    assert done.exceptions.tolist() == [0]


def test_a_skipped_line_keeps_what_it_has_and_others_share_the_rest():
    done = repromise([5, 9], [5, 0], ["skip", "win"], [12])

    assert done.confirmed.tolist() == [5, 7]


def test_a_line_that_is_promised_more_than_it_asks_for_comes_down_to_that():
    done = repromise([4], [6], ["gain"], [10])

    assert done.confirmed.tolist() == [4]
    assert done.lost.tolist() == [2]
    assert done.exceptions.tolist() == []


def test_smaller_priority_then_earlier_due_then_earlier_row_is_served_first():
    done = repromise(
        [3, 3, 3, 3],
        [0, 0, 0, 0],
        ["redistribute"] * 4,
        [7, 7],
        priority=[2, 1, 1, 1],
        due=[0, 1, 0, 0],
    )

    assert done.confirmed.tolist() == [0, 1, 3, 3]


# --- definition ---


@given(lines, balance_rows)
def test_each_level_gets_the_most_it_can_after_the_levels_before_it(order_lines, balances):
    requested, confirmed, strategy, _, due = zip(*order_lines, strict=True)

    done = run(order_lines, balances).confirmed.tolist()

    def total(name, only_kept=False):
        return sum(
            min(n, kept(line)) if only_kept else n
            for n, line in zip(done, order_lines, strict=True)
            if line[2] == name
        )

    assert [
        total("gain", only_kept=True),
        total("win"),
        total("gain"),
        total("improve", only_kept=True),
        total("improve"),
        total("redistribute"),
        total("fill"),
    ] == best_totals(requested, confirmed, strategy, balances, due)


# --- laws ---


@given(lines, balance_rows)
def test_what_is_promised_never_exceeds_what_is_there(order_lines, balances):
    done = run(order_lines, balances)

    left = np.array(balances)
    for n, line in zip(done.confirmed.tolist(), order_lines, strict=True):
        if line[2] == "skip":
            left[line[4] :] -= n
    for n, line in zip(done.confirmed.tolist(), order_lines, strict=True):
        assert n == 0 or line[2] == "skip" or n <= left[line[4] :].min()
    for n, line in zip(done.confirmed.tolist(), order_lines, strict=True):
        if line[2] != "skip":
            left[line[4] :] -= n
            assert n == 0 or left[line[4] :].min() >= 0


@given(lines, balance_rows, st.sampled_from(["continue", "stop"]))
def test_strategies_keep_their_word(order_lines, balances, on_exception):
    done = run(order_lines, balances, on_exception=on_exception)
    named = set(done.exceptions.tolist())

    for i, (requested, confirmed, strategy, _, _) in enumerate(order_lines):
        n = done.confirmed[i]
        if done.stopped or strategy == "skip":
            assert n == confirmed
        else:
            assert 0 <= n <= requested
            assert strategy != "lose" or n == 0
            assert strategy != "fill" or n <= confirmed
            unmet = {"win": n < requested, "gain": n < kept(order_lines[i])}
            assert (i in named) == unmet.get(strategy, False)
        assert done.lost[i] == max(confirmed - n, 0)
    assert done.stopped == (on_exception == "stop" and bool(named))


@given(lines, balance_rows)
def test_stop_and_continue_name_the_same_exceptions(order_lines, balances):
    going_on = run(order_lines, balances)
    stopping = run(order_lines, balances, on_exception="stop")

    assert going_on.exceptions.tolist() == stopping.exceptions.tolist()


@given(lines, balance_rows)
def test_a_second_run_on_the_outcome_takes_nothing_away(order_lines, balances):
    first = run(order_lines, balances)
    again = [
        (one[0], int(n), *one[2:])
        for one, n in zip(order_lines, first.confirmed, strict=True)
        if one[2] != "skip"
    ]
    left = np.array(balances)
    for n, one in zip(first.confirmed, order_lines, strict=True):
        if one[2] == "skip":
            left[one[4] :] -= n

    if again:
        assert run(again, left).lost.sum() == 0


@given(lines, balance_rows)
def test_free_is_what_one_more_line_could_have(order_lines, balances):
    done = run(order_lines, balances)

    for t in range(len(balances)):
        more = run([*order_lines, (100, 100, "fill", 9, t)], balances)
        assert more.confirmed[-1] == done.free[t]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: repromise([1], [0], ["draw"], [1]),
        lambda: repromise([1], [0], ["win", "win"], [1]),
        lambda: repromise([1], [0, 0], ["win"], [1]),
        lambda: repromise([-1], [0], ["win"], [1]),
        lambda: repromise([1], [-1], ["win"], [1]),
        lambda: repromise([1.5], [0], ["win"], [1]),
        lambda: repromise([1], [0], ["win"], []),
        lambda: repromise([1], [0], ["win"], [1], due=1),
        lambda: repromise([1], [0], ["win"], [1], due=[-1]),
        lambda: repromise([1], [0], ["win"], [1], on_exception="ask"),
    ],
)
def test_what_cannot_be_promised_anew_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
