"""Commands that change a hold, take goods back, or declare what was ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from omnistock.availability import layout
from omnistock.engine.askers import Asker, StockDetail
from omnistock.engine.commands import NO_REQUEST, Command, Moment, Quantity, Translator
from omnistock.engine.hold_commands import NamedUnits, OnHold, line_words, relocation, spread
from omnistock.errors import InputError
from omnistock.model import OrderLine

__all__ = ["STRATEGIES", "EnterOrder", "Relocate", "Split", "TakeBack", "Update"]

STRATEGIES = ("win", "gain", "improve", "redistribute", "fill", "lose", "skip")


@dataclass(frozen=True)
class Relocate(OnHold):
    """Move promised units of a SKU from one node to another, both in one step."""

    sku: str
    quantity: Quantity
    source: str
    destination: str
    kind: ClassVar[int] = layout.RELOCATE

    def put(self, to: Translator) -> int:
        """Translate into one relocation of every line that the units lie in."""
        hold = self.hold_id(to)
        pairs = spread(to, hold, (self.sku, self.quantity), "open_units", node=self.source)
        place = to.registry.node(self.destination)
        return to.put(self.kind, self.request(), relocation(to, hold, pairs, place, ship=False))


@dataclass(frozen=True)
class Update(OnHold):
    """Set or change the open units of a hold; only what is more is looked for."""

    lines: Mapping[str, Quantity] | None = None
    delta: Mapping[str, Quantity] | None = None
    kind: ClassVar[int] = layout.UPDATE

    def changes(self, to: Translator, hold: int) -> dict[str, int]:
        """Smallest units more (or less) of each SKU or kit."""
        if (self.lines is None) == (self.delta is None):
            raise InputError("update: give either lines (new open units) or delta (the change)")
        if self.delta is not None:
            return {
                sku: to.units(sku, units, least=-(1 << 40)) for sku, units in self.delta.items()
            }
        changes = {}
        for sku, quantity in (self.lines or {}).items():
            code = to.registry.sku(sku)
            mine = [line for line in to.book.lines(hold) if line.asked == code]
            first = mine[0].sku if mine else code
            have = sum(line.open_units for line in mine if line.sku == first)
            per = max((line.per for line in mine if line.sku == first), default=1)
            changes[sku] = to.units(sku, quantity, least=0) - have // per
        return changes

    def _node(self, to: Translator, hold: int, sku: str) -> str | None:
        """The node at which a hold grows, if it was made at a named one."""
        if not to.book.flags(hold) & layout.AT_NODE:
            return None
        code = to.registry.sku(sku)
        book = to.book.lines(hold)
        mine = [line for line in book if line.asked == code] or book
        return to.registry.node_list[mine[0].node].node

    def body(self, to: Translator) -> Sequence[int]:
        """Return hold, what becomes less, and lines for what becomes more."""
        hold = self.hold_id(to)
        book = to.book.lines(hold)
        bucket = max((line.bucket for line in book), default=0)
        current = to.registry.calendar.bucket_of(to.now)
        due = to.registry.calendar.start_of(bucket) if bucket > current else None
        less: list[int] = []
        more: list[int] = []
        count = 0
        for sku, change in self.changes(to, hold).items():
            if change < 0:
                for pair in spread(to, hold, (sku, -change), "open_units"):
                    less += pair
            elif change > 0:
                node = self._node(to, hold, sku)
                words = line_words(to, OrderLine(sku, change), node, due, units=change)
                words[2] = bucket
                more += words
                count += 1
        return (hold, len(less) // 2, *less, count, *more)


@dataclass(frozen=True)
class Split(OnHold):
    """Move units of a hold into a new one, of the same order or another."""

    lines: NamedUnits
    order: str | None = None
    kind: ClassVar[int] = layout.SPLIT

    def body(self, to: Translator) -> Sequence[int]:
        """Return hold, order and the lines that leave it."""
        hold = self.hold_id(to)
        pairs = [pair for one in self.lines for pair in spread(to, hold, one, "open_units")]
        if not pairs:
            raise InputError("split: name at least one line")
        code = to.book.order(hold) if self.order is None else to.registry.reference(self.order)
        return (hold, code, len(pairs), *(word for pair in pairs for word in pair))


@dataclass(frozen=True)
class TakeBack(OnHold):
    """Take shipped units back into stock, at ``node`` or where they came from."""

    sku: str
    quantity: Quantity
    node: str | None = None
    detail: StockDetail = field(default_factory=StockDetail)
    kind: ClassVar[int] = layout.TAKE_BACK

    def put(self, to: Translator) -> int:
        """Translate into one command per line that the units came from."""
        hold = self.hold_id(to)
        pairs = spread(to, hold, (self.sku, self.quantity), "left")
        number = 0
        for k, (line, units) in enumerate(pairs):
            facts = to.book.lines(hold)[line]
            node = facts.node if self.node is None else to.registry.node(self.node)
            into = to.compartment(self.detail) if self.detail else facts.compartment
            point = to.point_of(facts.sku, node, into)
            # All parts lie in one frame; the last one stands for the whole request.
            request = self.request() if k == len(pairs) - 1 else NO_REQUEST
            number = to.put(self.kind, request, (hold, line, units, point))
        return number


@dataclass(frozen=True)
class EnterOrder(Command):
    """Declare what was ordered, whether or not it can be held."""

    order: str
    lines: Sequence[tuple[str, Quantity]]
    channel: str | None = None
    by: Moment | None = None
    priority: int = 0
    strategy: str = "redistribute"
    segment: str = ""
    attributes: Mapping[str, str] | None = None
    kind: ClassVar[int] = layout.ENTER_ORDER

    def body(self, to: Translator) -> Sequence[int]:
        """Return order, asker, bucket, priority, strategy and the SKUs with their units."""
        if self.strategy not in STRATEGIES:
            raise InputError(f"strategy must be one of {STRATEGIES}, got {self.strategy!r}")
        if not -(1 << 30) < self.priority < 1 << 30:
            raise InputError(f"priority must be a small number, got {self.priority}")
        total: dict[int, int] = {}
        for sku, quantity in self.lines:
            code = to.registry.sku(sku)
            total[code] = total.get(code, 0) + to.units(sku, quantity)
        bucket = 0 if self.by is None else to.bucket(self.by)
        asker = Asker.of(self.channel, self.segment, self.attributes)
        return (
            to.registry.reference(self.order),
            to.asker(asker),
            bucket,
            self.priority,
            STRATEGIES.index(self.strategy),
            len(total),
            *(word for pair in total.items() for word in pair),
        )
