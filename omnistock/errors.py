"""Every error omnistock raises on purpose.

Data the caller got wrong raises :class:`InputError`; a valid request that
stock cannot meet raises :class:`OutOfStock`; a broken or refused ledger raises
:class:`LedgerError`. Facts travel as attributes, so that nobody parses a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "ConflictError",
    "FrameError",
    "InputError",
    "LedgerError",
    "OmnistockError",
    "OutOfStock",
    "Problem",
    "Shortage",
    "UnknownError",
]


class OmnistockError(Exception):
    """The base of all errors raised on purpose.

    ``code`` is a short word for programs, stable over versions.
    """

    code = "error"


class InputError(OmnistockError, ValueError):
    """The caller's data is wrong; nothing was changed."""

    code = "invalid"

    def __init__(self, message: str = "", *, code: str | None = None):
        if code is not None:
            self.code = code
        super().__init__(message)


class UnknownError(InputError):
    """A SKU, node, channel or reservation that the engine does not know."""

    code = "unknown"

    def __init__(self, kind: str, name: str, known: Sequence[str] = (), *, code: str | None = None):
        self.kind = kind
        self.name = name
        hint = f"; known: {', '.join(list(known)[:8])}" if known else ""
        super().__init__(f"unknown {kind} {name!r}{hint}", code=code)


class ConflictError(InputError):
    """A request id came again with other content, or a command came in a wrong state."""

    code = "conflict"


class LedgerError(OmnistockError):
    """The ledger cannot be read, or can no longer be written."""

    code = "ledger"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a table: where it is, what it is, how to mend it.

    ``row`` is 1-based and counts data rows, so row 1 of a CSV file stands on line 2;
    ``None`` means the whole column or table.
    """

    table: str
    row: int | None
    column: str | None
    message: str

    def __str__(self) -> str:
        place = self.table
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {self.column!r}"
        return f"{place}: {self.message}"


class FrameError(InputError):
    """A table has missing columns or bad values; ``problems`` lists them all."""

    def __init__(self, problems: Sequence[Problem]):
        self.problems = tuple(problems)
        shown = [str(problem) for problem in self.problems[:20]]
        if len(self.problems) > 20:
            shown.append(f"... and {len(self.problems) - 20} more")
        super().__init__("\n".join(shown))


@dataclass(frozen=True, slots=True)
class Shortage:
    """One line that could not be met.

    ``available`` is what the same asker could have had at that moment, in the
    SKU's smallest unit; ``binding`` names the constraint that stood in the way;
    ``next_date`` is the first bucket start (ISO date or time) at which the whole
    quantity could be promised, ``None`` if not within the horizon.
    """

    sku: str
    requested: int
    available: int
    binding: str
    node: str | None = None
    next_date: str | None = None


class OutOfStock(OmnistockError):
    """A valid request that stock cannot meet; nothing was reserved."""

    code = "insufficient"

    def __init__(self, reference: str, shortages: Sequence[Shortage], *, code: str | None = None):
        if code is not None:
            self.code = code
        self.reference = reference
        self.shortages = tuple(shortages)
        parts = []
        for short in self.shortages:
            text = f"{short.sku}: asked {short.requested}, available {short.available}"
            text += f" (held back by {short.binding})"
            if short.next_date:
                text += f", {short.requested} possible from {short.next_date}"
            parts.append(text)
        super().__init__(f"order {reference!r} cannot be met: " + "; ".join(parts))
