"""Commands whose nodes the engine has chosen: reservations, and moves after a rejection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omnistock.availability import layout
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
        # Released first: a relocation rewrites the lines and so their numbers.
        if self.given_up:
            pairs = _take(open_units, self.given_up)
            words = [word for pair in pairs for word in pair]
            last = NO_REQUEST if self.moves else request
            number = to.put(layout.RELEASE, last, (hold, len(pairs), *words))
        if self.moves:
            moved: list[tuple[int, int]] = []
            targets: list[int] = []
            for node, units in self.moves:
                there = to.registry.node(node)
                for line, part in _take(open_units, units):
                    moved.append((line, part))
                    targets.append(to.point_of(code, there, book[line].compartment))
                    targets += due_line(to, book[line])
            words = [word for pair in moved for word in pair]
            number = to.put(layout.RELOCATE, request, (hold, len(moved), *words, 0, *targets))
        if self.missing:
            lines = {book[k].compartment: 0 for k in range(len(book)) if book[k].sku == code}
            units = self.given_up + sum(one for _, one in self.moves)
            point = to.point_of(code, place, min(lines))
            to.put(layout.ADJUST, NO_REQUEST, (point, -units, 1))
        return number


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
