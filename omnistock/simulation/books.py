"""Independent books of what physically lies where and what was promised.

They repeat none of the engine's rules: units come in, go out and are promised, and
whatever is promised beyond what is there, or taken where nothing is left, was oversold.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

__all__ = ["Books"]

Stockpoint = tuple[str, str]
_DAY = 86_400


class Books:
    """Physical stock and promises per stockpoint (SKU, node), in smallest units.

    A promise is covered by units on hand and by receipts of the same day that are still
    to come. ``oversold_units`` counts, for ever, every unit by which a promise, a sale
    or a shipment went beyond that.

    Parameters
    ----------
    on_hand : mapping of (sku, node) to units
        What was counted at the start.
    due : iterable of (time, sku, node, units)
        Receipts that are known to come, with the second of their arrival.

    Examples
    --------
    >>> books = Books({("TEE-M", "DC1"): 1})
    >>> books.promise("ORD-1", {("TEE-M", "DC1"): 2})
    >>> books.oversold_units
    1
    """

    def __init__(
        self,
        on_hand: Mapping[Stockpoint, int],
        due: Iterable[tuple[int, str, str, int]] = (),
    ) -> None:
        self.on_hand: dict[Stockpoint, int] = dict(on_hand)
        self.promised: dict[Stockpoint, int] = {}
        self.oversold_units = 0
        self._due: dict[tuple[int, Stockpoint], int] = {}
        self._open: dict[str, dict[Stockpoint, int]] = {}
        self._expiries: list[tuple[int, str]] = []
        self._expires: dict[str, int] = {}
        self._day = 0
        for time, sku, node, units in due:
            key = (time // _DAY, (sku, node))
            self._due[key] = self._due.get(key, 0) + units

    def advance(self, now: int) -> list[str]:
        """Let time pass; return the orders whose hold has run out."""
        self._day = now // _DAY
        expired = []
        while self._expiries and self._expiries[0][0] <= now:
            time, order = heapq.heappop(self._expiries)
            if self._expires.get(order) == time:
                expired.append(order)
                self.release(order)
        return expired

    def promise(
        self, order: str, lines: Mapping[Stockpoint, int], expires_at: int | None = None
    ) -> None:
        """Note that ``order`` was promised ``lines``, until ``expires_at`` if given."""
        self._open[order] = dict(lines)
        for point, units in lines.items():
            before = self._beyond(point)
            self.promised[point] = self.promised.get(point, 0) + units
            self.oversold_units += self._beyond(point) - before
        if expires_at is not None:
            self._expires[order] = expires_at
            heapq.heappush(self._expiries, (expires_at, order))

    def confirm(self, order: str) -> bool:
        """Note that the promise to ``order`` no longer runs out; False if it already has."""
        self._expires.pop(order, None)
        return order in self._open

    def release(self, order: str) -> None:
        """Note that nothing more is promised to ``order``."""
        self._expires.pop(order, None)
        for point, units in self._open.pop(order, {}).items():
            self.promised[point] -= units

    def ship(self, order: str, lines: Mapping[Stockpoint, int]) -> None:
        """Note that ``lines`` of ``order`` left the house."""
        still_open = self._open.setdefault(order, {})
        for point, units in lines.items():
            # Units that were never promised to the order are oversold even if some are there.
            self.oversold_units += max(0, units - still_open.get(point, 0))
            kept = min(units, still_open.get(point, 0))
            still_open[point] = still_open.get(point, 0) - kept
            self.promised[point] = self.promised.get(point, 0) - kept
            self._take(point, units)

    def sell(self, point: Stockpoint, units: int) -> None:
        """Note a sale over the counter."""
        before = self._beyond(point)
        self._take(point, units)
        self.oversold_units += max(0, self._beyond(point) - before)

    def receive(self, point: Stockpoint, units: int) -> None:
        """Note that units arrived."""
        self.on_hand[point] = self.on_hand.get(point, 0) + units
        key = (self._day, point)
        if key in self._due:
            self._due[key] = max(0, self._due[key] - units)

    def put_back(self, point: Stockpoint, units: int) -> None:
        """Note that a customer brought units back."""
        self.on_hand[point] = self.on_hand.get(point, 0) + units

    def promised_units(self) -> dict[Stockpoint, int]:
        """Return what is promised and not yet shipped, where it is not zero."""
        return {point: units for point, units in self.promised.items() if units}

    def _take(self, point: Stockpoint, units: int) -> None:
        left = self.on_hand.get(point, 0) - units
        if left < 0:
            self.oversold_units += min(units, -left)
        self.on_hand[point] = left

    def _beyond(self, point: Stockpoint) -> int:
        covered = max(0, self.on_hand.get(point, 0)) + self._due.get((self._day, point), 0)
        return max(0, self.promised.get(point, 0) - covered)
