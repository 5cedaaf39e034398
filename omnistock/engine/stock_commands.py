"""Commands on stock: received, expected, counted, issued, moved, fed from other systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from omnistock.availability import layout
from omnistock.engine.askers import Asker, StockDetail
from omnistock.engine.commands import NEVER_BUCKET, Command, Moment, Quantity, Translator
from omnistock.errors import ConflictError, InputError, UnknownError

__all__ = [
    "Adjust",
    "Count",
    "Delta",
    "Expect",
    "Issue",
    "Move",
    "Receive",
    "Snapshot",
    "Transfer",
]

ON_SHORTAGE = ("keep", "reduce")


def _reduces(on_shortage: str) -> int:
    if on_shortage not in ON_SHORTAGE:
        raise InputError(f"on_shortage must be one of {ON_SHORTAGE}, got {on_shortage!r}")
    return int(on_shortage == "reduce")


@dataclass(frozen=True)
class Receive(Command):
    """Take units into stock, against the expected receipt ``reference`` if one is named."""

    sku: str
    node: str
    quantity: Quantity
    reference: str | None = None
    detail: StockDetail = field(default_factory=StockDetail)
    kind: ClassVar[int] = layout.RECEIVE

    def body(self, to: Translator) -> Sequence[int]:
        """Return stockpoint, units and inbound row."""
        point = to.point(self.sku, self.node, self.detail)
        row = -1
        if self.reference is not None:
            key = (to.registry.references.get(self.reference, -1), point)
            row = to.registry.inbound.get(key, -1)
            if row < 0:
                raise UnknownError(f"receipt of {self.sku} at {self.node}", self.reference)
        return point, to.units(self.sku, self.quantity), row


@dataclass(frozen=True)
class Expect(Command):
    """Announce a receipt, or with a known reference set anew what remains and when it comes.

    Without ``eta`` it counts for no date until it is received.
    """

    sku: str
    node: str
    quantity: Quantity
    eta: Moment | None
    reference: str
    detail: StockDetail = field(default_factory=StockDetail)
    kind: ClassVar[int] = layout.EXPECT

    def body(self, to: Translator) -> Sequence[int]:
        """Return inbound row, stockpoint, bucket, units, reference and time."""
        point = to.point(self.sku, self.node, self.detail)
        units = to.units(self.sku, self.quantity, least=0)
        eta, bucket = 0, NEVER_BUCKET
        if self.eta is not None:
            eta = to.seconds(self.eta)
            bucket = to.registry.calendar.bucket_of(eta)
        row = to.inbound(self.reference, point)
        return row, point, bucket, units, to.registry.reference(self.reference), eta


@dataclass(frozen=True)
class Adjust(Command):
    """Change on hand by a signed quantity; promises stay."""

    sku: str
    node: str
    delta: Quantity
    allow_negative: bool = False
    detail: StockDetail = field(default_factory=StockDetail)
    kind: ClassVar[int] = layout.ADJUST

    def body(self, to: Translator) -> Sequence[int]:
        """Return stockpoint, units and whether on hand may become negative."""
        units = to.units(self.sku, self.delta, least=-(1 << 40))
        return to.point(self.sku, self.node, self.detail), units, int(self.allow_negative)


@dataclass(frozen=True)
class Count(Command):
    """Set on hand to what was counted; promises stay, or with "reduce" yield where they must."""

    sku: str
    node: str
    on_hand: Quantity
    on_shortage: str = "keep"
    detail: StockDetail = field(default_factory=StockDetail)
    kind: ClassVar[int] = layout.COUNT

    def body(self, to: Translator) -> Sequence[int]:
        """Return stockpoint, units and whether promises yield."""
        point = to.point(self.sku, self.node, self.detail)
        return point, to.units(self.sku, self.on_hand, least=0), _reduces(self.on_shortage)


@dataclass(frozen=True)
class Issue(Command):
    """Sell or use units on the spot; promised units stay unless ``force``."""

    sku: str
    node: str
    quantity: Quantity
    channel: str | None = None
    force: bool = False
    on_shortage: str = "keep"
    detail: StockDetail = field(default_factory=StockDetail)
    dry_run: bool = False
    kind: ClassVar[int] = layout.ISSUE

    def body(self, to: Translator) -> Sequence[int]:
        """Return stockpoint, units, asker, force, dry run and whether promises yield."""
        point = to.point(self.sku, self.node, self.detail)
        segment = self.detail.get("segment", "")
        asker = to.asker(Asker.of(self.channel, segment))
        units = to.units(self.sku, self.quantity)
        flags = int(self.force), int(self.dry_run), _reduces(self.on_shortage)
        return point, units, asker, *flags


@dataclass(frozen=True)
class Move(Command):
    """Move units of a node from one compartment to another; the total stays."""

    sku: str
    node: str
    quantity: Quantity
    to: StockDetail
    detail: StockDetail = field(default_factory=StockDetail)
    force: bool = False
    kind: ClassVar[int] = layout.MOVE

    def body(self, to: Translator) -> Sequence[int]:
        """Return both stockpoints, units and force."""
        source = to.point(self.sku, self.node, self.detail)
        target = to.point(self.sku, self.node, self.to)
        if source == target:
            raise InputError(f"move of {self.sku!r} at {self.node!r} goes to where it is")
        return source, target, to.units(self.sku, self.quantity), int(self.force)


@dataclass(frozen=True)
class Transfer(Command):
    """Send units to another node, where they are due at ``eta`` under ``reference``."""

    sku: str
    source: str
    destination: str
    quantity: Quantity
    eta: Moment
    reference: str
    force: bool = False
    detail: StockDetail = field(default_factory=StockDetail)
    kind: ClassVar[int] = layout.TRANSFER

    def body(self, to: Translator) -> Sequence[int]:
        """Return both stockpoints, units, inbound row, bucket, reference, time and force."""
        if self.source == self.destination:
            raise InputError(f"transfer {self.reference!r} goes from {self.source!r} to itself")
        source = to.point(self.sku, self.source, self.detail)
        destination = to.point(self.sku, self.destination, self.detail)
        units = to.units(self.sku, self.quantity)
        eta = to.seconds(self.eta)
        bucket = to.registry.calendar.bucket_of(eta)
        reference = to.registry.reference(self.reference)
        if (reference, destination) in to.registry.inbound:
            raise ConflictError(f"transfer reference {self.reference!r} is used already")
        row = to.inbound(self.reference, destination)
        return source, destination, units, row, bucket, reference, eta, int(self.force)


@dataclass(frozen=True)
class Delta(Command):
    """Change on hand by what another system reports, each sequence number once."""

    sku: str
    node: str
    delta: Quantity
    source: str
    sequence: int
    detail: StockDetail = field(default_factory=StockDetail)
    kind: ClassVar[int] = layout.DELTA

    def body(self, to: Translator) -> Sequence[int]:
        """Return stockpoint, source, sequence number and units."""
        point = to.point(self.sku, self.node, self.detail)
        source = to.registry.reference(self.source)
        units = to.units(self.sku, self.delta, least=-(1 << 40))
        return point, source, _sequence(self.sequence), units


@dataclass(frozen=True)
class Snapshot(Command):
    """Take over another system's on hand as of a sequence number.

    ``netted`` are orders open here that it has deducted already.
    """

    sku: str
    node: str
    on_hand: Quantity
    source: str
    sequence: int | None = None
    netted: Sequence[str] = ()
    detail: StockDetail = field(default_factory=StockDetail)
    kind: ClassVar[int] = layout.SNAPSHOT

    def body(self, to: Translator) -> Sequence[int]:
        """Return stockpoint, on hand, source, sequence number and the holds netted."""
        point = to.point(self.sku, self.node, self.detail)
        on_hand = to.units(self.sku, self.on_hand, least=-(1 << 40))
        sequence = -1 if self.sequence is None else _sequence(self.sequence)
        holds = [hold for order in self.netted for hold in to.book.of_order(order)]
        source = to.registry.reference(self.source)
        return point, on_hand, source, sequence, len(holds), *holds


def _sequence(number: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 1 << 62:
        raise InputError(f"a sequence number must be an int >= 0, got {number!r}")
    return number
