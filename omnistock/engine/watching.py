"""Ranges of availability, and an event for each crossing from one into another."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from omnistock.availability.arena import State
from omnistock.engine.askers import Asker
from omnistock.engine.reads import available_many
from omnistock.engine.results import Level, LevelChange
from omnistock.engine.writer import Writer
from omnistock.errors import InputError

__all__ = ["Levels", "Watch"]

Levels = tuple[tuple[str, int | None], ...]


def checked_levels(levels: Sequence[tuple[str, int | None]]) -> Levels:
    """Check that ranges ascend and that the last one has no end."""
    ends = [end for _, end in levels]
    if len(ends) < 2 or ends[-1] is not None or any(end is None for end in ends[:-1]):
        raise InputError(f"levels need an end each, and the last one None, got {levels!r}")
    finite = [end for end in ends if end is not None]
    if finite != sorted(set(finite)):
        raise InputError(f"the ends of levels must ascend, got {finite}")
    if len({name for name, _ in levels}) < len(levels):
        raise InputError("levels need different names")
    return tuple((str(name), end) for name, end in levels)


class Watch:
    """Watches availability after each frame; a range is (end of the one before, end].

    Parameters
    ----------
    writer : Writer
    levels : sequence of (name, end)
        Ascending; the last end is None.
    skus, channels : sequence of str or None
        What is watched; None: all stocked SKUs; None among channels: no channel.
    """

    def __init__(self, writer: Writer, levels: Sequence[tuple[str, int | None]],
                 skus: Sequence[str], channels: Sequence[str | None]) -> None:  # fmt: skip
        self.levels = checked_levels(levels)
        self._writer = writer
        self._ends = np.array([end for _, end in self.levels[:-1]], np.int64)
        pairs = [(sku, channel) for sku in skus for channel in channels]
        self._names = [(sku, channel or "") for sku, channel in pairs]
        registry = writer.registry
        self._skus = np.array([registry.stocked_sku(sku) for sku, _ in pairs], np.int64)
        askers = {channel: writer.asker(Asker.of(channel)) for channel in channels}
        self._askers = np.array([askers[channel] for _, channel in pairs], np.int64)
        self._nodes = np.full(len(pairs), -1, np.int64)
        self._changes: deque[LevelChange] = deque()
        self._now = self._measure(writer.state)[0]
        writer.after_commit.append(self._look)

    def _measure(self, state: State) -> tuple[np.ndarray, np.ndarray]:
        units = available_many(state, self._skus, self._askers, self._nodes)
        return np.searchsorted(self._ends, units, side="left"), units

    def _look(self, state: State) -> None:
        after, units = self._measure(state)
        for k in np.flatnonzero(after != self._now).tolist():
            sku, channel = self._names[k]
            self._changes.append(
                LevelChange(
                    sku=sku,
                    channel=channel,
                    old=self.levels[self._now[k]][0],
                    new=self.levels[after[k]][0],
                    available=int(units[k]),
                    sequence=self._writer.sequence,
                )
            )
        self._now = after

    def level(self, available: int) -> Level:
        """Return the range that an availability lies in."""
        k = int(np.searchsorted(self._ends, available, side="left"))
        return Level(self.levels[k][0], available)

    def look(self) -> None:
        """Look at the state as it is now: time alone may have changed it."""
        self._look(self._writer.state)

    def changes(self) -> list[LevelChange]:
        """Return the crossings since the last call, oldest first."""
        found = []
        while self._changes:
            found.append(self._changes.popleft())
        return found
