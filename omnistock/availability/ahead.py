"""Memory for orders to come, asked for before they need it and beside the running work."""

from __future__ import annotations

import threading

from omnistock.availability.arena import Int64, State
from omnistock.availability.layout import (
    AT_ANSWERS,
    AT_HEAP,
    AT_HOLDS,
    AT_LINES,
    AT_REQUESTS,
    HEAP_FIELDS,
    HOLD_FIELDS,
    LINE_FIELDS,
    N_ANSWERS,
    N_HEAP,
    N_HOLDS,
    N_LINES,
    N_REQUESTS,
    REQUEST_FIELDS,
)
from omnistock.availability.memory import is_reserved, make_ready

__all__ = ["Ahead"]

# Where a section of the book begins, its rows, and the words of one.
_GROWING = (
    (AT_HOLDS, N_HOLDS, HOLD_FIELDS),
    (AT_LINES, N_LINES, LINE_FIELDS),
    (AT_HEAP, N_HEAP, HEAP_FIELDS),
    (AT_REQUESTS, N_REQUESTS, REQUEST_FIELDS),
    (AT_ANSWERS, N_ANSWERS, 1),
)
_LEAST_WORDS = 1 << 16
_MOST_WORDS = 1 << 22
_BATCHES = 4


class Ahead:
    """Has pages of the book handed out for some batches more than have come.

    The system takes milliseconds for megabytes, more on a virtual machine. A thread asks for
    them, which ends by itself; what it has not done yet comes when it is written to, as
    without it.
    """

    def __init__(self) -> None:
        self._book: Int64 | None = None
        self._used = [0] * len(_GROWING)
        self._ready = [0] * len(_GROWING)
        self.thread: threading.Thread | None = None

    def look(self, state: State) -> None:
        """Ask for more if what is ready will not do for some batches like the last one."""
        stock, book = state.stock, state.book
        ends = [int(stock[begin]) + int(stock[count]) * fields for begin, count, fields in _GROWING]
        if book is not self._book:
            self._book = book
            self._used = self._ready = ends
        if not is_reserved(book) or (self.thread is not None and self.thread.is_alive()):
            return
        wanted = []
        ready = list(self._ready)
        for k, used in enumerate(ends):
            margin = min(max(_LEAST_WORDS, _BATCHES * (used - self._used[k])), _MOST_WORDS)
            if used + margin > ready[k]:
                wanted.append((max(used, ready[k]), used + 2 * margin))
                ready[k] = used + 2 * margin
        self._used, self._ready = ends, ready
        if wanted:
            self.thread = threading.Thread(target=_ask, args=(book, wanted), daemon=True)
            self.thread.start()


def _ask(book: Int64, wanted: list[tuple[int, int]]) -> None:
    for first, last in wanted:
        make_ready(book, first, min(last, len(book)))
