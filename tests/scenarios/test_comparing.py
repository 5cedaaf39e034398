from decimal import Decimal

from .comparing import MISSING, compare
from .timeline import Timeline

TIMELINE = Timeline({"given": {"today": "2024-01-01", "inbound": [{"bucket": 1}]}})


def differs(field, expected, got):
    return [str(one) for one in compare(TIMELINE, field, expected, got)]


def test_numbers_are_compared_exactly_whatever_their_form():
    assert differs("available", "0.24", Decimal("0.24")) == []
    assert differs("available", Decimal("5.0"), 5) == []
    assert differs("available", 5, 6) == ["available: expected 5, got 6"]


def test_true_is_not_one():
    assert differs("ok", True, 1) == ["ok: expected True, got 1"]


def test_what_the_engine_does_not_say_is_a_difference():
    assert differs("mode", "backorder", MISSING) == ["mode: expected backorder, got nothing"]


def test_only_named_buckets_and_fields_are_looked_at():
    rows = [{"bucket": "2024-01-01", "atp": 2, "projected": 9}, {"bucket": "2024-01-02", "atp": 3}]

    assert differs("rows", [{"bucket": 2, "atp": 3}], rows) == []


def test_a_wrong_figure_is_named_by_its_bucket():
    rows = [{"bucket": "2024-01-01", "atp": 2}, {"bucket": "2024-01-02", "atp": 3}]

    assert differs("rows", [{"bucket": 2, "atp": 4}], rows) == ["rows[2].atp: expected 4, got 3"]


def test_no_answer_in_a_bucket_is_an_answer_too():
    rows = [{"bucket": "2024-01-01", "atp": None}]

    assert differs("rows", [{"bucket": 1, "atp": None}], rows) == []
    assert differs("rows", [{"bucket": 1, "atp": 0}], rows) == ["rows[1].atp: expected 0, got None"]


def test_lines_may_come_in_any_order_but_all_of_them():
    got = [{"lot": "late", "qty": 2}, {"lot": "soon", "qty": 3}]

    assert differs("lots", [{"lot": "soon", "qty": 3}, {"lot": "late", "qty": 2}], got) == []
    assert differs("lots", [{"lot": "soon", "qty": 3}], got) != []


def test_deliveries_and_events_come_in_order():
    got = [{"date": "2024-01-05", "qty": 2}, {"date": "2024-01-09", "qty": 1}]

    assert differs("deliveries", list(reversed(got)), got) != []
    assert differs("events", ["OK->LOW", "LOW->OK"], ["LOW->OK", "OK->LOW"]) != []


def test_both_words_for_stock_on_hand_mean_the_same_peg():
    assert differs("pegs", [{"from": "on_hand", "qty": 1}], [{"from": "stock", "qty": 1}]) == []
    assert differs("pegs", [{"from": None, "qty": 1}], [{"from": "stock", "qty": 1}]) != []


def test_dates_of_skus_are_compared_as_days():
    assert differs("dates", {"X": "2024-01-02"}, {"X": "2024-01-02"}) == []
    assert differs("dates", {"X": "2024-01-02"}, {"X": None}) != []


def test_units_per_node_are_limits():
    assert differs("max_per_node", {"L1": 1, "L2": 5}, {"L1": 1, "L2": 3}) == []
    assert differs("max_per_node", {"L1": 1, "L2": 5}, {"L1": 2, "L2": 2}) != []
    assert differs("max_per_node", {"L1": 1}, {"L1": 1, "L3": 1}) != []
