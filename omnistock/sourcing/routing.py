"""Rules that choose a strategy: IF conditions THEN strategy, in versions that never change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from omnistock.errors import ConflictError, InputError
from omnistock.sourcing.conditions import Condition
from omnistock.sourcing.strategies import Strategy

__all__ = ["RoutingBook", "RoutingRule", "RoutingVersions"]


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """IF all conditions hold THEN this strategy.

    Attributes
    ----------
    name : str
    then : Strategy
    when : tuple of Condition
        On what the order says of itself; without any the rule always holds.
    priority : int
        Smaller is looked at first; rules of one priority as they were given.
    """

    name: str
    then: Strategy
    when: tuple[Condition, ...] = ()
    priority: int = 0

    def __post_init__(self) -> None:
        if not self.name:
            raise InputError("a routing rule needs a name")

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether every condition holds."""
        return all(one.holds(facts.get(one.fact)) for one in self.when)


@dataclass(frozen=True)
class RoutingBook:
    """The rules of one version, and the strategy for orders that none of them fits.

    Examples
    --------
    >>> near = RoutingRule("small", Strategy(("distance",)), (Condition("units", "at_most", 2),))
    >>> book = RoutingBook((near,), fallback=Strategy(("packages",)))
    >>> book.choose({"units": 1})[0], book.choose({"units": 3})[0]
    ('small', 'fallback')
    """

    rules: tuple[RoutingRule, ...] = ()
    fallback: Strategy = field(default_factory=Strategy)
    version: int = 1

    def __post_init__(self) -> None:
        if self.version < 1:
            raise InputError(f"version must be >= 1, got {self.version}")
        names = [one.name for one in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1 or name == "fallback"})
        if twice:
            raise InputError(f"names of rules must differ, and not be 'fallback': {twice}")

    @property
    def in_turn(self) -> list[RoutingRule]:
        """The rules in the sequence in which they are looked at."""
        return sorted(self.rules, key=lambda one: one.priority)

    def choose(self, facts: Mapping[str, Any]) -> tuple[str, Strategy]:
        """Return the name and the strategy of the first rule that holds, else the fallback."""
        for one in self.in_turn:
            if one.holds(facts):
                return one.name, one.then
        return "fallback", self.fallback

    def trace(self, facts: Mapping[str, Any]) -> list[str]:
        """Say of each rule up to the first that holds whether it holds, and why not."""
        lines: list[str] = []
        for one in self.in_turn:
            failed = [c.text for c in one.when if not c.holds(facts.get(c.fact))]
            if not failed:
                words = " and ".join(c.text for c in one.when) or "always"
                return [*lines, f"rule {one.name!r} fires: {words}"]
            lines.append(f"rule {one.name!r} does not: not {failed[0]}")
        return [*lines, "no rule fires: fallback"]

    def to_json(self) -> bytes:
        """The book as JSON, to be kept in a file or table."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, text: bytes | str) -> RoutingBook:
        """Read a book that :meth:`to_json` wrote.

        Raises
        ------
        InputError
            If the text is no such book.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise InputError(f"this is no routing book: {error}") from error

    @property
    def fingerprint(self) -> str:
        """Sixteen letters that differ if anything but the version differs."""
        same = msgspec.json.encode((self.rules, self.fallback))
        return hashlib.blake2b(same, digest_size=8).hexdigest()


class RoutingVersions:
    """All versions of a book: a version that was published stays as it is.

    Examples
    --------
    >>> versions = RoutingVersions()
    >>> first = versions.publish(fallback=Strategy(("priority",)))
    >>> second = versions.publish(fallback=Strategy(("distance",)))
    >>> versions.current.version, versions.get(1) is first
    (2, True)
    """

    def __init__(self, books: Iterable[RoutingBook] = ()) -> None:
        self._books: dict[int, RoutingBook] = {}
        for one in books:
            self.add(one)

    @property
    def current(self) -> RoutingBook:
        """The newest version.

        Raises
        ------
        InputError
            If nothing was published.
        """
        return self.get(max(self._books, default=0))

    def get(self, version: int) -> RoutingBook:
        """Return a version.

        Raises
        ------
        InputError
            If it was not published.
        """
        if version not in self._books:
            raise InputError(f"no version {version}; there are {sorted(self._books)}")
        return self._books[version]

    def publish(
        self, rules: Iterable[RoutingRule] = (), *, fallback: Strategy | None = None
    ) -> RoutingBook:
        """Publish the next version; the same content as the current one is no new version."""
        number = max(self._books, default=0) + 1
        book = RoutingBook(tuple(rules), fallback or Strategy(), number)
        if self._books and self.current.fingerprint == book.fingerprint:
            return self.current
        self._books[number] = book
        return book

    def add(self, book: RoutingBook) -> None:
        """Enter a version that was published elsewhere.

        Raises
        ------
        ConflictError
            If the version is known with another content.
        """
        known = self._books.get(book.version)
        if known is not None and known.fingerprint != book.fingerprint:
            raise ConflictError(
                f"version {book.version} is published as {known.fingerprint}, "
                f"not {book.fingerprint}; publish a new version"
            )
        self._books.setdefault(book.version, book)
