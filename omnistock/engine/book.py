"""What the state says of holds and stockpoints, for commands and answers that name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omnistock.availability.arena import Int64, State, rows
from omnistock.availability.facts import leaving_into
from omnistock.availability.layout import (
    FIRST_LINE,
    FIRST_POINT,
    HOLD_FLAGS,
    LINE_BUCKET,
    LINE_PER,
    LINE_POINT,
    LINE_SHIPPED,
    LINE_SKU,
    LINES_OF_HOLD,
    N_HOLDS,
    NEXT_POINT,
    OPEN,
    ORDER,
    POINT_NODE,
    POINT_SKU,
    POINT_TAG,
    REQUEST_LINE,
    RETURNED,
    STATUS,
    SWITCHED_OFF,
)
from omnistock.errors import UnknownError

if TYPE_CHECKING:
    from omnistock.engine.writer import Writer

__all__ = ["Book", "LineFacts"]


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A hold line in codes and units; ``left`` is shipped less returned."""

    point: int
    sku: int
    node: int
    compartment: int
    bucket: int
    open_units: int
    shipped: int
    returned: int
    asked: int
    per: int
    request_line: int

    @property
    def left(self) -> int:
        """Units shipped and not taken back."""
        return self.shipped - self.returned


class Book:
    """Holds by number and by order, and the stockpoints of a SKU, as they stand."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._orders: dict[int, list[int]] = {}
        self._orders_known = 0

    @property
    def state(self) -> State:
        """The state as it stands, for a command that is translated at its turn."""
        return self._writer.state

    def _hold(self, hold_id: int) -> Int64:
        """Row of a hold."""
        if not 0 <= hold_id < self._writer.state.stock[N_HOLDS]:
            raise UnknownError("hold", str(hold_id))
        row: Int64 = rows(self._writer.state, "holds")[hold_id]
        return row

    def status(self, hold_id: int) -> int:
        """Return the status of a hold."""
        return int(self._hold(hold_id)[STATUS])

    def order(self, hold_id: int) -> int:
        """Return the code of a hold's order."""
        return int(self._hold(hold_id)[ORDER])

    def flags(self, hold_id: int) -> int:
        """Return the switches with which a hold was made."""
        return int(self._hold(hold_id)[HOLD_FLAGS])

    def is_off(self, point: int) -> bool:
        """Return whether a stockpoint is switched off."""
        return bool(rows(self._writer.state, "points")[point, SWITCHED_OFF])

    def nodes_of(self, sku: int) -> set[int]:
        """Return the nodes at which a SKU is kept."""
        points = rows(self._writer.state, "points")
        return {int(points[s, POINT_NODE]) for s in self.points_of(sku)}

    def lines(self, hold_id: int) -> list[LineFacts]:
        """Return the facts of each line of a hold."""
        hold = self._hold(hold_id)
        first = int(hold[FIRST_LINE])
        lines = rows(self._writer.state, "lines")[first : first + int(hold[LINES_OF_HOLD])]
        points = rows(self._writer.state, "points")[lines[:, LINE_POINT]]
        facts = []
        for line, point in zip(lines.tolist(), points.tolist(), strict=True):
            facts.append(
                LineFacts(
                    point=line[LINE_POINT],
                    sku=point[POINT_SKU],
                    node=point[POINT_NODE],
                    compartment=point[POINT_TAG],
                    bucket=line[LINE_BUCKET],
                    open_units=line[OPEN],
                    shipped=line[LINE_SHIPPED],
                    returned=line[RETURNED],
                    asked=line[LINE_SKU],
                    per=line[LINE_PER],
                    request_line=line[REQUEST_LINE],
                )
            )
        return facts

    def points_of(self, sku: int) -> list[int]:
        """Return the stockpoints of a SKU, in the order in which they are drawn from."""
        table = rows(self._writer.state, "points")
        found = []
        point = int(rows(self._writer.state, "skus")[sku, FIRST_POINT])
        while point >= 0:
            found.append(point)
            point = int(table[point, NEXT_POINT])
        return found

    def may_leave(self, points: list[int]) -> list[int]:
        """Return the units that may leave stockpoints without a promise broken."""
        units = np.zeros(len(points), np.int64)
        leaving_into(units, self._writer.state, np.array(points, np.int64))
        found: list[int] = units.tolist()
        return found

    def of_order(self, order: str) -> list[int]:
        """Return the numbers of an order's holds, oldest first."""
        code = self._writer.registry.order_code(order)
        if code is None:
            return []
        holds = rows(self._writer.state, "holds")
        for hold, reference in enumerate(
            holds[self._orders_known :, ORDER].tolist(), self._orders_known
        ):
            self._orders.setdefault(reference, []).append(hold)
        self._orders_known = len(holds)
        return list(self._orders.get(code, ()))
