"""Expectations against answers: exact numbers, dates in any notation, lists in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .amounts import exact, is_number
from .timeline import Timeline

__all__ = ["MISSING", "Mismatch", "compare"]

DATES = {
    *("bucket", "date", "dates", "ship", "deliver", "pickup_day", "eta"),
    *("earliest_bucket", "earliest_date", "next_bucket_ok", "next_date"),
    *("nearest_bucket_ok", "nearest_date_ok", "latest_bucket_ok"),
}
# Lists of which only some rows may be expected; every other list is expected whole.
_SOME_ROWS = {"rows", "stock_rows", "promises"}
_IN_ORDER = {"events", "order", "deliveries"}
_STOCK = {"stock", "on_hand", "on hand"}


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


@dataclass(frozen=True)
class Mismatch:
    """One field that is not as expected."""

    field: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.field}: expected {shown(self.expected)}, got {shown(self.got)}"


def shown(value: Any) -> str:
    """Return a value as one short line of text."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {shown(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(shown(one) for one in value) + "]"
    return str(value)


def compare(timeline: Timeline, field: str, expected: Any, got: Any) -> list[Mismatch]:
    """Return where an answer is not as expected; only what is expected is looked at.

    Parameters
    ----------
    timeline : Timeline
        Knows whether two notations name one day.
    field : str
        Name of the field, which says how it is to be compared.
    expected, got : any
        As the scenario has it, and as the engine answered.
    """
    name = field.rpartition(".")[2].partition("[")[0]
    if got is MISSING:
        return [Mismatch(field, expected, got)]
    if name == "max_per_node":
        return _at_most(field, expected, got)
    if name in DATES and not isinstance(expected, dict | list):
        return _unless(_same_day(timeline, expected, got), field, expected, got)
    if isinstance(expected, dict):
        return _compare_dict(timeline, field, expected, got)
    if isinstance(expected, list):
        return _compare_list(timeline, field, expected, got)
    return _unless(_same(name, expected, got), field, expected, got)


def _unless(same: bool, field: str, expected: Any, got: Any) -> list[Mismatch]:
    return [] if same else [Mismatch(field, expected, got)]


def _same_day(timeline: Timeline, expected: Any, got: Any) -> bool:
    try:
        return timeline.same(expected, got)
    except Exception:
        return False


def _same(name: str, expected: Any, got: Any) -> bool:
    if expected is None or isinstance(expected, bool):
        return expected is got
    if name == "from" and expected in _STOCK:
        return got in _STOCK
    if is_number(got) and is_number(expected):
        return exact(expected) == exact(got)
    return bool(expected == got)


def _at_most(field: str, expected: dict[str, Any], got: Any) -> list[Mismatch]:
    over = [
        Mismatch(f"{field}.{node}", f"at most {most}", got[node])
        for node, most in expected.items()
        if node in got and exact(got[node]) > exact(most)
    ]
    return over + [
        Mismatch(f"{field}.{node}", 0, got[node]) for node in got if node not in expected
    ]


def _compare_dict(timeline: Timeline, field: str, expected: Any, got: Any) -> list[Mismatch]:
    if not isinstance(got, dict):
        return [Mismatch(field, expected, got)]
    named = "dates" if field.rpartition(".")[2] == "dates" else None
    found = []
    for key, value in expected.items():
        if named:
            same = _same_day(timeline, value, got.get(key))
            found += _unless(same, f"{field}.{key}", value, got.get(key, MISSING))
        else:
            found += compare(timeline, f"{field}.{key}", value, got.get(key, MISSING))
    return found


def _compare_list(timeline: Timeline, field: str, expected: Any, got: Any) -> list[Mismatch]:
    name = field.rpartition(".")[2]
    if not isinstance(got, list | tuple):
        return [Mismatch(field, expected, got)]
    left = list(got)
    if name not in _SOME_ROWS and len(expected) != len(left):
        return [Mismatch(field, expected, left)]
    if name in _IN_ORDER:
        pairs = zip(expected, left, range(1, len(left) + 1), strict=True)
        return [
            wrong for one, two, n in pairs for wrong in compare(timeline, f"{field}[{n}]", one, two)
        ]
    found = []
    for one in expected:
        found += _take_match(field, one, left, lambda a, b: compare(timeline, field + "[]", a, b))
    return found


def _take_match(
    field: str, expected: Any, left: list[Any], differ: Callable[[Any, Any], list[Mismatch]]
) -> list[Mismatch]:
    """Take the answer's element that fits out of ``left``, or say how the nearest differs."""
    best: tuple[int, int, list[Mismatch]] | None = None
    for position, candidate in enumerate(left):
        wrong = differ(expected, candidate)
        if not wrong:
            del left[position]
            return []
        if best is None or _distance(wrong) < best[0]:
            best = (_distance(wrong), position, wrong)
    if best is None or not isinstance(expected, dict):
        return [Mismatch(field, expected, left or MISSING)]
    _, position, wrong = best
    del left[position]
    key = next(iter(expected.values()))
    return [Mismatch(w.field.replace("[]", f"[{shown(key)}]"), w.expected, w.got) for w in wrong]


def _distance(wrong: list[Mismatch]) -> int:
    """How far an element is from the expected one; another name weighs more than a number."""
    names = ("bucket", "date", "ref", "sku", "node", "lot", "from")
    return sum(100 if one.field.rpartition(".")[2] in names else 1 for one in wrong)
