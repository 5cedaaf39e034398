"""A few SKUs of a soak's world once more, in plain Python from the definitions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

import omnistock as om
from omnistock.availability.layout import N_HOLDS
from omnistock.engine import Engine

DAY = 86_400
SKUS = ("plain-0", "plain-1", "plain-2")
NODES = ("P000", "P001")


@dataclass
class PlainHold:
    """Units of one SKU, by node, due on a day; soft until the second ``expires``."""

    number: int
    sku: str
    due: int
    expires: int | None
    open: dict[str, int]


@dataclass
class PlainShelf:
    """Lists of receipts and holds; every answer is added up anew from them."""

    horizon: int
    on_hand: dict[tuple[str, str], int] = field(default_factory=dict)
    receipts: list[list[object]] = field(default_factory=list)
    holds: list[PlainHold] = field(default_factory=list)
    quota: tuple[int, int] = (10**9, 0)

    def balance(self, sku: str, node: str, today: int, day: int, now: int) -> int:
        """On hand, plus receipts from today up to a day, less promises up to it."""
        units = self.on_hand.get((sku, node), 0)
        for of_sku, at, due, remaining in self.receipts:
            if (of_sku, at) == (sku, node) and today <= int(str(due)) <= day:
                units += int(str(remaining))
        for hold in self.live(now):
            if hold.sku == sku and hold.due <= day:
                units -= hold.open.get(node, 0)
        return units

    def live(self, now: int) -> list[PlainHold]:
        """Holds that count."""
        return [hold for hold in self.holds if hold.expires is None or hold.expires > now]

    def available(self, sku: str, node: str | None, day: int, now: int, channel: str) -> int:
        """The most that leaves no later day short at any node; for the web within its quota."""
        today = now // DAY
        day = min(max(day, today), today + self.horizon - 1)
        total = 0
        for place in NODES if node is None else (node,):
            days = range(day, today + self.horizon)
            total += max(0, min(self.balance(sku, place, today, d, now) for d in days))
        if channel == "web" and sku == SKUS[0]:
            first, units = self.quota[1], self.quota[0]
            used = sum(
                sum(hold.open.values())
                for hold in self.live(now)
                if hold.sku == sku and hold.number >= first
            )
            total = min(total, max(0, units - used))
        return total


class PlainWorld:
    """The plain shelf and the engine, driven alike."""

    def __init__(self, engine: Engine, horizon: int, rng: np.random.Generator) -> None:
        self.engine = engine
        self.shelf = PlainShelf(horizon)
        self.rng = rng
        self.count = 0
        self.entered: dict[str, int] = {}

    def step(self, now: int) -> list[str]:
        """Do a few things to both and compare; return what differs."""
        found: list[str] = []
        rng, shelf, engine = self.rng, self.shelf, self.engine
        shelf.holds = shelf.live(now)
        for _ in range(4):
            sku, node = SKUS[rng.integers(3)], NODES[rng.integers(2)]
            units, ahead = int(rng.integers(1, 9)), int(rng.integers(0, 5))
            way = rng.integers(5)
            if way == 0:
                engine.receive(sku, node, units, now=now)
                self._add(sku, node, units)
            elif way == 1:
                self.count += 1
                engine.expect(sku, node, units, now + ahead * DAY, f"plain-{self.count}", now=now)
                shelf.receipts.append([sku, node, now // DAY + ahead, units])
            elif way == 2 and shelf.holds:
                gone = shelf.holds.pop(int(rng.integers(len(shelf.holds))))
                engine.release(gone.number, now=now)
            else:
                found += self._reserve(sku, node if rng.random() < 0.4 else None, units, ahead, now)
        return found + self._compare(now)

    def limit(self, now: int) -> None:
        """Give the web a quota of one SKU: it begins to count anew."""
        units = int(self.rng.integers(1, 30))
        self.engine.set_quota(SKUS[0], "web", units, now=now)
        self.shelf.quota = units, int(self.engine._writer.state.stock[N_HOLDS])

    def _add(self, sku: str, node: str, units: int) -> None:
        key = sku, node
        self.shelf.on_hand[key] = self.shelf.on_hand.get(key, 0) + units
        self.entered[sku] = self.entered.get(sku, 0) + units

    def _reserve(self, sku: str, node: str | None, units: int, ahead: int, now: int) -> list[str]:
        due = now + ahead * DAY
        expected = self.shelf.available(sku, node, due // DAY, now, "web") >= units
        ttl = None if self.rng.random() < 0.3 else int(self.rng.integers(60, 2 * DAY))
        try:
            hold = self.engine.reserve(
                "plain", [(sku, units)], channel="web", node=node, by=due, ttl_s=ttl, now=now
            )
        except om.OutOfStock:
            return [f"{sku} x {units}: refused, though plainly there"] if expected else []
        drawn: dict[str, int] = {}
        for line in hold.lines:
            drawn[line.node] = drawn.get(line.node, 0) + line.quantity
        expires = None if ttl is None else now + ttl
        self.shelf.holds.append(PlainHold(hold.hold_id, sku, due // DAY, expires, drawn))
        return [] if expected else [f"{sku} x {units}: held, though plainly not there"]

    def _compare(self, now: int) -> list[str]:
        found = []
        for sku in SKUS:
            for node in (None, *NODES):
                for ahead in (0, 3):
                    due = now + ahead * DAY
                    plain = self.shelf.available(sku, node, due // DAY, now, "web")
                    got = self.engine.available(sku, channel="web", node=node, by=due, now=now)
                    if got != plain:
                        found.append(f"{sku} at {node} in {ahead} days: {got}, plainly {plain}")
        return found
