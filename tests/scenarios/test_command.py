import json

import pytest

from .command import main, play

STOCK = {"on_hand": [{"node": "N", "sku": "A", "qty": 5}]}


def case(*steps, expect=(), given=STOCK, name="X1", category="reservation"):
    steps, expect = list(steps), list(expect)
    return {"id": name, "category": category, "given": given, "steps": steps, "expect": expect}


def said(scenario):
    return [str(one) for one in play(scenario)]


def check(qty, **more):
    return {"op": "check", "sku": "A", "qty": qty, **more}


def test_what_is_as_expected_says_nothing():
    expect = [{"step": 1, "ok": True}, {"step": 2, "ok": False, "available": 5}]

    assert said(case(check(5), check(6), expect=expect)) == []


def test_a_wrong_figure_is_named_with_its_step_and_field():
    (line,) = said(case(check(5), expect=[{"step": 1, "available": 4}]))

    assert line == "step 1 check, available: expected 4, got 5"


def test_a_figure_that_nobody_answers_is_a_failure():
    (line,) = said(case(check(5), expect=[{"step": 1, "mood": "good"}]))

    assert line == "step 1 check, mood: expected good, got nothing"


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        (case({"op": "fly"}), "unknown op 'fly'"),
        (case(check(1, colour="red")), "unknown field colour of check"),
        (case(given={"weather": "fine"}), "unknown given weather"),
        (case(given={**STOCK, "rules": {"mood": 1}}), "unknown rule 'mood'"),
        (case(check(1), expect=[{"step": 2, "ok": True}]), "step 2 of 1"),
        (case(check("a few")), "not a quantity"),
        (case(expect=[{"smell": "sweet"}]), "unknown expectation 'smell'"),
        (case(expect=[{"invariant": "all is well"}]), "unknown invariant"),
    ],
)
def test_what_is_not_understood_fails_and_is_named(scenario, message):
    lines = said(scenario)

    assert len(lines) == 1
    assert message in lines[0]


def test_a_refusal_that_nobody_expects_is_a_failure():
    order = {"op": "reserve", "ref": "O1", "lines": [{"sku": "A", "qty": 6}]}

    (line,) = said(case(order))

    assert "OutOfStock" in line


def test_a_refusal_leaves_no_trace():
    order = {"op": "reserve", "ref": "O1", "lines": [{"sku": "A", "qty": 6}]}
    state = {"sku": "A", "node": "N", "on_hand": 5, "reserved": 0, "available": 5}
    refused = {"step": 1, "ok": False, "error": "insufficient", "unchanged": True}

    assert said(case(order, expect=[refused, {"state": [state]}])) == []


def test_a_change_is_seen_where_none_is_expected():
    receipt = {"op": "receive", "node": "N", "sku": "A", "qty": 1}

    (line,) = said(case(receipt, expect=[{"step": 1, "unchanged": True}]))

    assert line == "step 1 receive, unchanged: expected True, got False"


def test_many_at_once_each_have_an_order_of_their_own():
    inner = {"op": "reserve", "ref": "one each", "lines": [{"sku": "A", "qty": 2}]}
    step = {"op": "concurrent", "times": 4, "do": inner}
    expect = [
        {"step": 1, "succeeded": 2, "failed": 2},
        {"invariant": "reserved equals the sum of live reservations"},
    ]

    assert said(case(step, expect=expect)) == []


@pytest.fixture
def file(tmp_path):
    good = case(check(5), expect=[{"step": 1, "ok": True}], name="good")
    crash = case({"op": "reserve", "lines": 7}, name="crash", category="kit")
    bad = case(check(6), expect=[{"step": 1, "ok": True}], name="bad")
    path = tmp_path / "scenarios.json"
    path.write_text(json.dumps({"scenarios": [crash, bad, good]}), encoding="utf-8")
    return path


def test_a_crash_stops_no_other_scenario(file, capsys):
    assert main([str(file)]) == 1

    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["crash", "bad", "1 passed, 2 failed"]
    assert "ok: expected True, got False" in lines[1]


def test_scenarios_are_chosen_by_id_and_category(file, capsys):
    assert main([str(file), "--only", "good"]) == 0
    assert main([str(file), "--category", "kit"]) == 1

    last = capsys.readouterr().out.splitlines()
    assert last[0] == "1 passed, 0 failed"
    assert last[-1] == "0 passed, 1 failed"


def test_a_file_that_cannot_be_read_is_named(tmp_path, capsys):
    assert main([str(tmp_path / "none.json")]) == 2

    assert "none.json" in capsys.readouterr().err
