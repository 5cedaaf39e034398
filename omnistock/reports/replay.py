"""The section on a replay: orders played through the engine that was opened on the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from omnistock.reports.markup import Column, cards, table, whole
from omnistock.reports.numbers import number, share

__all__ = ["replay_section"]

# What a planner asks first; the other figures stand in a table that opens.
_HEADLINE = (
    "orders",
    "walk_ins",
    "fill_rate",
    "refused",
    "shipments",
    "returns",
    "expired",
    "oversold_units",
    "verify_differences",
    "orders_per_second",
)
# Figures that are zero on an engine that keeps its word.
_MUST_BE_ZERO = ("oversold", "differences")
_SHARES = ("rate", "share")


def replay_section(replay: Any) -> str:
    """Show a replay's figures: numbers as cards, counts by name as tables.

    Parameters
    ----------
    replay : dataclass or mapping
        Name to number, or name to a mapping of names to numbers or to rows of numbers.
    """
    values = _values(replay)
    numbers = {name: value for name, value in values.items() if _is_number(value)}
    first = [name for name in _HEADLINE if name in numbers] or list(numbers)
    rest = [name for name in numbers if name not in first]
    parts = [
        '<section id="replay"><h2>Orders replayed through the engine</h2>'
        "<p>Reservations, confirmations, shipments and returns, against the opened plan.</p>",
        cards((_words(name), _text(name, numbers[name]), "", _is_bad(name, numbers[name]))
              for name in first),
    ]  # fmt: skip
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            parts.append(_table_of(name, value))
    if rest:
        rows = [{"name": name, "value": numbers[name]} for name in rest]
        columns: list[Column] = [
            ("Figure", False, lambda row: whole(_words(row["name"]))),
            ("Value", True, lambda row: _text(row["name"], row["value"])),
        ]
        parts.append(
            f"<details><summary>All figures</summary>{table('', '', columns, rows)}</details>"
        )
    return "".join(parts) + "</section>"


def _values(thing: Any) -> dict[str, Any]:
    """Return the figures of a mapping or of a dataclass, a fill rate among its properties."""
    if not is_dataclass(thing):
        return dict(thing)
    found = {one.name: getattr(thing, one.name) for one in fields(thing)}
    if hasattr(thing, "fill_rate"):
        found.setdefault("fill_rate", thing.fill_rate)
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_bad(name: str, value: float) -> bool:
    return bool(value) and any(word in name for word in _MUST_BE_ZERO)


def _words(name: str) -> str:
    return name.replace("_us", " (µs)").replace("_", " ").capitalize()


def _text(name: str, value: float) -> str:
    if name.endswith(_SHARES):
        return share(value)
    return number(value, 0 if float(value).is_integer() or abs(value) >= 1000 else 1)


def _table_of(name: str, counts: Mapping[str, Any]) -> str:
    """Counts by name as a table, the largest first; rows of several figures as columns."""
    if all(_is_number(value) for value in counts.values()):
        ordered = sorted(counts.items(), key=lambda pair: -pair[1])
        rows = [{"name": key, "count": value} for key, value in ordered]
    else:
        rows = [{"name": key, **_values(value)} for key, value in counts.items()]
    columns: list[Column] = [("Name", False, lambda row: f"<b>{whole(row['name'])}</b>")]
    columns += [_figure_column(figure) for figure in rows[0] if figure != "name"]
    return table(_words(name), "", columns, rows)


def _figure_column(figure: str) -> Column:
    return (_words(figure), True, lambda row: _text(figure, row[figure]))
