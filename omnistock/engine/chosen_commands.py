"""Commands whose nodes the engine has chosen: reservations, and moves after a rejection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omnistock.availability import facts, layout
from omnistock.availability.arena import rows
from omnistock.engine.book import LineFacts
from omnistock.engine.commands import NO_REQUEST, Translator
from omnistock.engine.hold_commands import OnHold, Reserve, due_line

__all__ = ["Reject", "ReserveChosen"]


@dataclass(frozen=True)
class ReserveChosen(Reserve):
    """A reservation at nodes that were chosen for what was ``asked``, as text."""

    asked: str = ""

    def content(self) -> list[str]:
        """Return what was asked: the nodes may be others when it comes again."""
        return [type(self).__name__, self.asked]


@dataclass(frozen=True)
class Reject(OnHold):
    """Move units of a SKU from a node to others, give some up, and lower on hand if missing.

    ``moves`` are (node, units); ``given_up`` go back to nobody. ``asked`` is what the caller
    asked for, as text.
    """

    sku: str
    node: str
    moves: Sequence[tuple[str, int]] = ()
    given_up: int = 0
    missing: bool = True
    asked: str = ""

    def content(self) -> list[str]:
        """Return what was asked: where the units go may be another when it comes again."""
        return [type(self).__name__, self.asked]

    def put(self, to: Translator) -> int:
        """Translate into a release, a relocation and a correction of on hand."""
        hold = self.hold_id(to)
        code, place = to.registry.stocked_sku(self.sku), to.registry.node(self.node)
        book = to.book.lines(hold)
        open_units = {
            k: line.open_units
            for k, line in enumerate(book)
            if line.sku == code and line.node == place and line.open_units
        }
        request = self.request()
        number = -1
        gone: dict[int, int] = {}
        # Released first: a relocation rewrites the lines and so their numbers.
        if self.given_up:
            pairs = _take(open_units, self.given_up)
            _add_up(gone, book, pairs)
            words = [word for pair in pairs for word in pair]
            last = NO_REQUEST if self.moves else request
            number = to.put(layout.RELEASE, last, (hold, len(pairs), *words))
        if self.moves:
            moved: list[tuple[int, int]] = []
            targets: list[int] = []
            room = _Room(to, hold)
            for node, units in self.moves:
                there = to.registry.node(node)
                for line, part in _take(open_units, units):
                    for target, some in room.parts(there, book[line], part):
                        moved.append((line, some))
                        targets += (target, *due_line(to, book[line]))
            _add_up(gone, book, moved)
            words = [word for pair in moved for word in pair]
            number = to.put(layout.RELOCATE, request, (hold, len(moved), *words, 0, *targets))
        for point, units in gone.items() if self.missing else ():
            to.put(layout.ADJUST, NO_REQUEST, (point, -units, 1))
        return number


class _Room:
    """What stockpoints can take over from a hold, less what is planned to go there."""

    def __init__(self, to: Translator, hold: int) -> None:
        self.to = to
        self.asker = int(rows(to.book.state, "holds")[hold, layout.HOLD_ASKER])
        self.planned: dict[int, int] = {}

    def parts(self, node: int, line: LineFacts, units: int) -> list[tuple[int, int]]:
        """Stockpoints of a node and units for each, which together take ``units`` of a line.

        Like goes to like first, then where stock leaves first. What has no end, because it is
        still to be ordered, is promised from common stock.
        """
        state = self.to.book.state
        table = rows(state, "points")
        mine = [s for s in self.to.book.points_of(line.sku) if table[s, layout.POINT_NODE] == node]
        mine.sort(key=lambda s: self._rank(int(table[s, layout.POINT_TAG]), line.compartment))
        ahead = max(0, line.bucket - int(state.stock[layout.BUCKET]))
        words = np.array(due_line(self.to, line), np.int64)
        found = np.zeros((len(mine), facts.POINT_FACTS), np.int64)
        facts.point_facts_into(found, state, np.array(mine, np.int64), self.asker, ahead, words)
        parts = []
        for s, (serves, raw, kept) in zip(mine, found.tolist(), strict=True):
            part = min(units, raw - kept - self.planned.get(s, 0)) if serves else 0
            if part > 0:
                parts.append((s, part))
                self.planned[s] = self.planned.get(s, 0) + part
                units -= part
        if units:
            parts.append((self.to.point_of(line.sku, node, 0), units))
        return parts

    def _rank(self, compartment: int, own: int) -> tuple[bool, bool]:
        """Place among a node's compartments: the hold's own, then those of a segment."""
        common = not self.to.registry.compartment_list[compartment].segment
        return compartment != own, common


def _add_up(gone: dict[int, int], book: Sequence[LineFacts], pairs: list[tuple[int, int]]) -> None:
    """Add units of lines to what leaves their stockpoints."""
    for line, units in pairs:
        point = book[line].point
        gone[point] = gone.get(point, 0) + units


def _take(open_units: dict[int, int], units: int) -> list[tuple[int, int]]:
    """Take units off lines, the first lines first; returns (line, units)."""
    pairs = []
    for line, have in open_units.items():
        part = min(have, units)
        if part:
            pairs.append((line, part))
            open_units[line] = have - part
            units -= part
    return pairs
