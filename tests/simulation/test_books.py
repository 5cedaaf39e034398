"""The independent books notice every way of overselling, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from omnistock.simulation.books import Books

TEE = ("TEE-M", "DC1")
CUP = ("CUP", "DC1")
DAY = 86_400


def test_a_promise_within_stock_is_no_oversell():
    books = Books({TEE: 5})

    books.promise("A", {TEE: 3})
    books.promise("B", {TEE: 2})

    assert books.oversold_units == 0
    assert books.promised_units() == {TEE: 5}


def test_every_unit_promised_beyond_stock_counts_once():
    books = Books({TEE: 5})

    books.promise("A", {TEE: 4})
    books.promise("B", {TEE: 3})
    books.promise("C", {TEE: 1})

    assert books.oversold_units == 3


def test_an_expired_hold_frees_its_units_at_its_second():
    books = Books({TEE: 1})
    books.promise("A", {TEE: 1}, expires_at=900)

    early = books.advance(899)
    late = books.advance(900)

    assert (early, late) == ([], ["A"])
    books.promise("B", {TEE: 1})
    assert books.oversold_units == 0


def test_a_confirmed_hold_does_not_expire():
    books = Books({TEE: 1})
    books.promise("A", {TEE: 1}, expires_at=900)

    books.confirm("A")

    assert books.advance(10_000) == []
    assert books.promised_units() == {TEE: 1}


def test_a_receipt_due_today_covers_a_promise_and_only_once():
    books = Books({TEE: 0}, due=[(DAY + 500, *TEE, 2)])
    books.advance(DAY)

    books.promise("A", {TEE: 2})
    assert books.oversold_units == 0
    books.receive(TEE, 2)
    books.promise("B", {TEE: 1})

    assert books.oversold_units == 1


def test_a_receipt_due_tomorrow_covers_nothing_today():
    books = Books({TEE: 0}, due=[(2 * DAY + 500, *TEE, 2)])
    books.advance(DAY)

    books.promise("A", {TEE: 2})

    assert books.oversold_units == 2


def test_shipping_takes_the_units_and_the_promise():
    books = Books({TEE: 5})
    books.promise("A", {TEE: 3})

    books.ship("A", {TEE: 2})

    assert books.on_hand[TEE] == 3
    assert books.promised_units() == {TEE: 1}
    assert books.oversold_units == 0


def test_shipping_what_was_not_promised_is_an_oversell():
    books = Books({TEE: 5})
    books.promise("A", {TEE: 1})

    books.ship("A", {TEE: 2})

    assert books.oversold_units == 1


def test_shipping_what_is_not_there_is_an_oversell():
    books = Books({TEE: 1}, due=[(10, *TEE, 1)])
    books.promise("A", {TEE: 2})

    books.ship("A", {TEE: 2})

    assert books.oversold_units == 1


def test_a_sale_over_the_counter_of_promised_units_is_an_oversell():
    books = Books({TEE: 2})
    books.promise("A", {TEE: 2})

    books.sell(TEE, 1)

    assert books.oversold_units == 1


def test_returned_units_can_be_promised_again():
    books = Books({TEE: 1})
    books.promise("A", {TEE: 1})
    books.ship("A", {TEE: 1})

    books.put_back(TEE, 1)
    books.promise("B", {TEE: 1})

    assert books.oversold_units == 0


moves = st.lists(
    st.tuples(
        st.sampled_from(["promise", "release", "ship", "sell", "receive"]),
        st.sampled_from([TEE, CUP]),
        st.integers(1, 4),
        st.integers(0, 5),
    ),
    max_size=30,
)


@given(moves)
def test_a_shop_that_never_takes_more_than_is_free_never_oversells(steps):
    """Law: who always looks first is never blamed, and units are conserved."""
    books = Books({TEE: 5, CUP: 3})
    free = {TEE: 5, CUP: 3}
    open_lines: dict[str, tuple[tuple[str, str], int]] = {}
    moved = {TEE: 0, CUP: 0}

    for number, (kind, point, units, pick) in enumerate(steps):
        order = sorted(open_lines)[pick % len(open_lines)] if open_lines else None
        if kind == "promise" and free[point] >= units:
            books.promise(f"{number:03d}", {point: units})
            open_lines[f"{number:03d}"] = (point, units)
            free[point] -= units
        elif kind == "sell" and free[point] >= units:
            books.sell(point, units)
            free[point] -= units
            moved[point] -= units
        elif kind == "receive":
            books.receive(point, units)
            free[point] += units
            moved[point] += units
        elif kind in ("release", "ship") and order is not None:
            of_order, promised = open_lines.pop(order)
            if kind == "release":
                books.release(order)
                free[of_order] += promised
            else:
                books.ship(order, {of_order: promised})
                moved[of_order] -= promised

    assert books.oversold_units == 0
    assert books.on_hand == {TEE: 5 + moved[TEE], CUP: 3 + moved[CUP]}
    expected = {TEE: 0, CUP: 0}
    for point, units in open_lines.values():
        expected[point] += units
    assert books.promised_units() == {point: units for point, units in expected.items() if units}
