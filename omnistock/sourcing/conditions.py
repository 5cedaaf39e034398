"""Conditions on what an order or a node says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omnistock.errors import InputError

__all__ = ["Condition"]

_OPERATORS = ("is", "is_not", "in", "not_in", "has", "at_least", "at_most")


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one fact.

    Attributes
    ----------
    fact : str
        Of an order: channel, segment, market, units, lines, skus, or whatever the caller
        says of it. Of a node: node, kind, priority or one of its attributes.
    operator : {"is", "is_not", "in", "not_in", "has", "at_least", "at_most"}
        ``has``: the fact is a collection that has the value. ``in``: the value is a
        collection that has the fact.
    value : str, int, float, bool or tuple of them

    Examples
    --------
    >>> Condition("units", "at_most", 5).holds(3)
    True
    >>> Condition("market", "in", ("DE", "AT")).holds(None)
    False
    """

    fact: str
    operator: str
    value: Any

    def __post_init__(self) -> None:
        if self.operator not in _OPERATORS:
            raise InputError(f"operator must be one of {_OPERATORS}, got {self.operator!r}")
        if isinstance(self.value, list | set | frozenset):
            object.__setattr__(self, "value", tuple(self.value))
        many = isinstance(self.value, tuple)
        if (self.operator in ("in", "not_in")) != many:
            raise InputError(f"{self.text}: in and not_in need a tuple of values, others one value")
        if self.operator in ("at_least", "at_most") and not _is_number(self.value):
            raise InputError(f"{self.text}: the value must be a number")

    @property
    def text(self) -> str:
        """The condition in words."""
        return f"{self.fact} {self.operator.replace('_', ' ')} {self.value!r}"

    def holds(self, fact: Any) -> bool:
        """Whether a fact, None if it is not known, meets the condition."""
        if self.operator == "is":
            return bool(fact == self.value)
        if self.operator == "is_not":
            return bool(fact != self.value)
        if self.operator == "in":
            return fact in self.value
        if self.operator == "not_in":
            return fact not in self.value
        if fact is None:
            return False
        if self.operator == "has":
            return not isinstance(fact, str) and self.value in fact
        if not _is_number(fact):
            raise InputError(f"{self.text}: the fact is {fact!r}, not a number")
        return bool(fact >= self.value if self.operator == "at_least" else fact <= self.value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
