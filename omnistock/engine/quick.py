"""The shortest way to an availability: one word for each stockpoint, without a kernel call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omnistock.availability import layout
from omnistock.availability.arena import State, rows
from omnistock.availability.layout import AT_FREE, FREE_UNITS, ROOM_FREE
from omnistock.engine.askers import Asker

if TYPE_CHECKING:
    from omnistock.engine.writer import Writer

__all__ = ["Quick"]

Key = tuple[str, str | None, str | None]


class Quick:
    """Answers questions about plain stockpoints from a view of the column of free units.

    Which stockpoints a question is about is worked out once, and again when a node is
    switched, a stockpoint opened or the network changed.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._stock: object = None
        self._version = -1
        self._view: memoryview = memoryview(b"")
        self._places: dict[Key, tuple[int, ...] | None] = {}

    def _renew(self, state: State) -> None:
        self._stock = state.stock
        self._version = self._writer.layout_version
        first = int(state.stock[AT_FREE])
        self._view = state.stock.data[first : first + int(state.stock[ROOM_FREE])]
        self._places.clear()

    def units(self, sku: str, channel: str | None, node: str | None, state: State) -> int | None:
        """Return available units, or None if the question needs the long way."""
        if self._stock is not state.stock or self._version != self._writer.layout_version:
            self._renew(state)
        key = (sku, channel, node)
        try:
            places = self._places[key]
        except KeyError:
            places = self._places[key] = self._find(sku, channel, node)
        if places is None:
            return None
        view = self._view
        total = 0
        for at in places:
            word = view[at]
            if word & 1:
                return None
            total += word >> FREE_UNITS
        return total

    def free(self, handle: int) -> int:
        """Return what a stockpoint may promise anybody now, limits left out."""
        state = self._writer.state
        if self._stock is not state.stock or self._version != self._writer.layout_version:
            self._renew(state)
        units: int = self._view[handle] >> FREE_UNITS
        return units

    def _find(self, sku: str, channel: str | None, node: str | None) -> tuple[int, ...] | None:
        """Words of the column that the question is about; None for the long way."""
        writer = self._writer
        registry = writer.registry
        code = registry.sku(sku)
        item = registry.sku_list[code]
        place = None if node is None else registry.node(node)
        asker = writer.asker(Asker.of(channel))
        if (
            registry.has_late
            or item.is_kit
            or not item.tracked
            or item.replenishment_buckets is not None
        ):
            return None
        state = writer.state
        who = rows(state, "askers")[asker]
        if not who[layout.ASKER_OWNERS] & 1:
            return None
        allowed = rows(state, "sets")[who[layout.ASKER_SET]]
        nodes = rows(state, "nodes")
        points = rows(state, "points")
        found = writer.book.points_of(code)
        if len(found) > _MOST_POINTS:
            return None
        return tuple(
            s
            for s in found
            if place in (None, points[s, layout.POINT_NODE])
            and allowed[points[s, layout.POINT_NODE]]
            and nodes[points[s, layout.POINT_NODE], layout.NODE_ACTIVE]
        )


# Beyond so many nodes the kernel is faster than a loop in Python.
_MOST_POINTS = 16
