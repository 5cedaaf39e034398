"""Collecting everything that is wrong in a table before saying so once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from omnistock.errors import FrameError, Problem

__all__ = ["Findings", "close_name", "spread"]

# A file of the wrong kind can be wrong in millions of rows; nobody reads on after these.
MAX_ROWS_NAMED = 1000
# How many problems of one column come first, so that no column hides another.
_FIRST = 3


class Findings:
    """The problems of one table, in the order found."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.problems: list[Problem] = []

    def whole(self, message: str, column: str | None = None) -> None:
        """Add a problem of the whole table or of a whole column."""
        self.problems.append(Problem(self.table, None, column, message))

    def rows(
        self, column: str | None, rows: Any, message: str | Callable[[int], str], fault: str = ""
    ) -> None:
        """Add one problem per row; ``rows`` count from 0, problems from 1.

        Beyond ``MAX_ROWS_NAMED`` rows of one fault the rest is counted, not listed.
        """
        numbers = np.asarray(rows, dtype=np.int64)
        for row in numbers[:MAX_ROWS_NAMED].tolist():
            text = message if isinstance(message, str) else message(row)
            self.problems.append(Problem(self.table, row + 1, column, text))
        rest = len(numbers) - MAX_ROWS_NAMED
        if rest > 0:
            what = fault or "the same fault"
            self.whole(
                f"and {rest} more rows with {what}, the last in row {numbers[-1] + 1}", column
            )

    def raise_if_any(self) -> None:
        """Raise one FrameError with every problem, if there is one."""
        if self.problems:
            raise FrameError(spread(self.problems))


def spread(problems: Iterable[Problem]) -> list[Problem]:
    """Order problems by place and row, the first few of every column of every table first.

    An error shows its first lines only; a column with a thousand bad cells must not
    hide that another one is missing.
    """
    places: dict[tuple[str, str | None], list[Problem]] = {}
    for problem in problems:
        places.setdefault((problem.table, problem.column), []).append(problem)
    for group in places.values():
        group.sort(key=lambda one: float("inf") if one.row is None else one.row)
    first = [one for group in places.values() for one in group[:_FIRST]]
    return first + [one for group in places.values() for one in group[_FIRST:]]


def close_name(name: str, known: Sequence[str], cutoff: float = 0.8) -> str | None:
    """Return the name of ``known`` that ``name`` most probably meant."""
    folded = {one.strip().casefold(): one for one in known}
    match = difflib.get_close_matches(name.strip().casefold(), list(folded), n=1, cutoff=cutoff)
    return folded[match[0]] if match else None
