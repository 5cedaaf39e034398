"""Commands as callers write them, and their translation into words for the kernels."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import ClassVar, Protocol

from omnistock.availability import layout
from omnistock.engine.registry import Registry
from omnistock.engine.results import Hold
from omnistock.errors import ConflictError, InputError, UnknownError
from omnistock.model import to_units
from omnistock.model.calendar import to_seconds

__all__ = ["Command", "Line", "Moment", "Quantity", "RequestId"]

Quantity = int | str | Decimal
Moment = int | str | dt.datetime | dt.date
RequestId = int | str | bytes | uuid.UUID
Line = tuple[str, Quantity] | tuple[str, Quantity, str]
# Request id, high and low half, and the hash of the command's content.
Request = tuple[int, int, int]
NO_REQUEST: Request = (0, 0, 0)

_MAX_LINES = 10_000


class Translator:
    """Turns the commands of one batch into words; stockpoints are opened as they are named.

    ``book`` knows the holds that commands name.
    """

    def __init__(self, registry: Registry, n_points: int, n_inbound: int, book: HoldBook) -> None:
        self.registry = registry
        self.book = book
        self.words: list[int] = []
        self.offsets: list[int] = [0]
        self.opened: list[tuple[tuple[int, int], int]] = []
        self._n_points = n_points
        self._n_inbound = n_inbound

    def put(self, kind: int, request: Request, body: Sequence[int]) -> int:
        """Append a command; returns its number in the batch."""
        self.words += (kind, *request)
        self.words += body
        self.offsets.append(len(self.words))
        return len(self.offsets) - 2

    def point(self, sku: str, node: str) -> int:
        """Stockpoint of a SKU at a node, opened if it is new."""
        registry = self.registry
        pair = (registry.stocked_sku(sku), registry.node(node))
        point = registry.points.get(pair)
        if point is None:
            point = self._n_points
            self._n_points += 1
            registry.points[pair] = point
            self.put(layout.ADD_POINT, NO_REQUEST, (point, *pair))
        return point

    def inbound(self, reference: str, point: int) -> int:
        """Row of an expected receipt, opened if it is new."""
        key = (self.registry.reference(reference), point)
        row = self.registry.inbound.get(key)
        if row is None:
            row = self._n_inbound
            self._n_inbound += 1
            self.registry.inbound[key] = row
            self.opened.append((key, row))
        return row

    def units(self, sku: str, quantity: Quantity, *, least: int = 1) -> int:
        """Whole smallest units: an int is smallest units, text and Decimal are selling units."""
        scale = self.registry.sku_list[self.registry.sku(sku)].unit_scale
        exact = quantity if isinstance(quantity, int) else None
        units = to_units(quantity, 1 if exact is not None else scale)
        if units < least:
            raise InputError(f"SKU {sku!r}: quantity must be >= {least}, got {quantity}")
        return units

    def seconds(self, moment: Moment) -> int:
        """Seconds since 1970; a date begins at midnight of the calendar's time zone."""
        return to_seconds(moment, self.registry.calendar.time_zone)

    def bucket(self, moment: Moment) -> int:
        """Bucket of a moment."""
        return self.registry.calendar.bucket_of(self.seconds(moment))


class HoldBook(Protocol):
    """What commands need to know of existing holds."""

    def lines(self, hold_id: int) -> list[tuple[str, str, int, int, str]]:
        """(sku, node, open, shipped less returned, asked sku) of each line."""

    def of_order(self, order: str) -> list[int]:
        """Numbers of the holds of an order."""


def request_words(request_id: RequestId | None) -> tuple[int, int]:
    """Split a request id into two signed 64-bit halves; (0, 0) is no id."""
    if request_id is None:
        return 0, 0
    if isinstance(request_id, uuid.UUID):
        number = request_id.int
    elif isinstance(request_id, int) and not isinstance(request_id, bool):
        number = request_id
    elif isinstance(request_id, (str, bytes)) and request_id:
        raw = request_id.encode() if isinstance(request_id, str) else request_id
        number = int.from_bytes(hashlib.blake2b(raw, digest_size=16).digest(), "big")
    else:
        raise InputError(f"request_id must be a UUID, a text, bytes or an int, got {request_id!r}")
    if not 0 < number < 1 << 128:
        raise InputError(f"request_id must lie in 1..2**128-1, got {number}")
    return _signed(number >> 64), _signed(number & 0xFFFF_FFFF_FFFF_FFFF)


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word


@dataclass(frozen=True, kw_only=True)
class Command:
    """The base of all commands. The same ``request_id`` again changes nothing."""

    request_id: RequestId | None = None
    kind: ClassVar[int] = layout.TICK

    def body(self, to: Translator) -> Sequence[int]:
        """Return the command's words after its header."""
        del to
        return ()

    def request(self) -> Request:
        """Return the request id and the content's hash, or :data:`NO_REQUEST`."""
        if self.request_id is None:
            return NO_REQUEST
        content = [type(self).__name__]
        for one in fields(self):
            if one.name != "request_id":
                value = getattr(self, one.name)
                content.append(repr(value.hold_id if isinstance(value, Hold) else value))
        digest = hashlib.blake2b("\0".join(content).encode(), digest_size=8).digest()
        return *request_words(self.request_id), int.from_bytes(digest, "big") >> 1

    def put(self, to: Translator) -> int:
        """Translate the command; returns its number in the batch."""
        return to.put(self.kind, self.request(), self.body(to))


@dataclass(frozen=True)
class Reserve(Command):
    """Hold an order's lines, all or (``partial``) as much as there is.

    Without ``ttl_s`` the hold is hard at once. ``by`` is when the order is due.
    """

    order: str
    lines: Sequence[Line]
    channel: str | None = None
    node: str | None = None
    by: Moment | None = None
    ttl_s: int | None = None
    partial: bool = False
    kind: ClassVar[int] = layout.RESERVE

    def body(self, to: Translator) -> Sequence[int]:
        """Return order, channel, time to live, partial and the lines, kits exploded."""
        if not self.lines or len(self.lines) > _MAX_LINES:
            raise InputError(
                f"order {self.order!r}: 1 to {_MAX_LINES} lines, got {len(self.lines)}"
            )
        if self.ttl_s is not None and not 0 < self.ttl_s < 1 << 31:
            raise InputError(f"order {self.order!r}: ttl_s must be >= 1, got {self.ttl_s}")
        registry = to.registry
        bucket = 0 if self.by is None else to.bucket(self.by)
        lines: list[int] = []
        for sku, quantity, *rest in self.lines:
            node = rest[0] if rest else self.node
            code = registry.sku(sku)
            components = registry.components(code)
            units = to.units(sku, quantity)
            if max(per for _, per in components) * units > layout.MOST_UNITS:
                raise InputError(f"order {self.order!r}: {quantity} of {sku!r} is too much")
            lines += (code, -1 if node is None else registry.node(node), bucket, units)
            lines.append(len(components))
            for component, per in components:
                lines += (component, per)
        return (
            registry.reference(self.order),
            registry.channel(self.channel),
            self.ttl_s or 0,
            int(self.partial),
            len(self.lines),
            *lines,
        )


@dataclass(frozen=True)
class _OnHold(Command):
    """A command about a hold: a :class:`Hold`, its number, or the order of a single one."""

    hold: Hold | int | str

    def hold_id(self, to: Translator) -> int:
        """Number of the hold."""
        if isinstance(self.hold, Hold):
            return self.hold.hold_id
        if isinstance(self.hold, int):
            return self.hold
        found = to.book.of_order(self.hold)
        if not found:
            raise UnknownError("order", self.hold)
        if len(found) > 1:
            raise ConflictError(f"order {self.hold!r} has holds {found}; name one of them")
        return found[0]


@dataclass(frozen=True)
class Confirm(_OnHold):
    """Make a soft hold hard; an expired one asks for its units again."""

    kind: ClassVar[int] = layout.CONFIRM

    def body(self, to: Translator) -> Sequence[int]:
        """Return the hold."""
        return (self.hold_id(to),)


@dataclass(frozen=True)
class _Lines(_OnHold):
    """Release or ship: all open units, or those named by SKU (or kit) and quantity."""

    lines: Sequence[tuple[str, Quantity]] | None = None
    _column: ClassVar[int] = 2

    def body(self, to: Translator) -> Sequence[int]:
        """Return the hold and the lines named."""
        hold = self.hold_id(to)
        if self.lines is None:
            return hold, 0
        named = [pair for one in self.lines for pair in _named(to, hold, one, self._column)]
        if not named:
            raise InputError("name at least one line, or leave lines out to mean all")
        return hold, len(named), *(word for pair in named for word in pair)


def _named(
    to: Translator, hold: int, named: tuple[str, Quantity], column: int
) -> list[tuple[int, int]]:
    """Spread the named units over the hold's lines of that SKU, or of that kit's components."""
    sku, quantity = named
    units = to.units(sku, quantity)
    book = to.book.lines(hold)
    code = to.registry.sku(sku)
    pairs: list[tuple[int, int]] = []
    for component, per in to.registry.components(code):
        name = to.registry.sku_list[component].sku
        left = units * per
        is_kit = name != sku
        mine = [
            (number, line)
            for number, line in enumerate(book)
            if line[0] == name and (not is_kit or line[4] == sku)
        ]
        if not mine:
            raise InputError(f"hold {hold} has no line of SKU {name!r}")
        for number, line in mine:
            part = min(left, line[2] if column == 2 else line[3])
            if part > 0:
                pairs.append((number, part))
                left -= part
        if left > 0:
            have = units * per - left
            raise ConflictError(f"hold {hold} has {have} of SKU {name!r}, not {units * per}")
    return pairs


@dataclass(frozen=True)
class Release(_Lines):
    """Give open units back."""

    kind: ClassVar[int] = layout.RELEASE


@dataclass(frozen=True)
class Ship(_Lines):
    """Turn confirmed units into gone ones."""

    kind: ClassVar[int] = layout.SHIP


@dataclass(frozen=True)
class TakeBack(_OnHold):
    """Take shipped units back into stock, at ``node`` or where they came from."""

    sku: str
    quantity: Quantity
    node: str | None = None
    kind: ClassVar[int] = layout.TAKE_BACK

    def put(self, to: Translator) -> int:
        """Translate into one command per line that the units came from."""
        hold = self.hold_id(to)
        pairs = _named(to, hold, (self.sku, self.quantity), 3)
        number = 0
        for k, (line, units) in enumerate(pairs):
            sku, node, *_ = to.book.lines(hold)[line]
            point = to.point(sku, self.node or node)
            # All parts lie in one frame; the last one stands for the whole request.
            request = self.request() if k == len(pairs) - 1 else NO_REQUEST
            number = to.put(self.kind, request, (hold, line, units, point))
        return number


@dataclass(frozen=True)
class Receive(Command):
    """Take units into stock, against the expected receipt ``reference`` if one is named."""

    sku: str
    node: str
    quantity: Quantity
    reference: str | None = None
    kind: ClassVar[int] = layout.RECEIVE

    def body(self, to: Translator) -> Sequence[int]:
        """Return stockpoint, units and inbound row."""
        point = to.point(self.sku, self.node)
        row = -1
        if self.reference is not None:
            key = (to.registry.references.get(self.reference, -1), point)
            row = to.registry.inbound.get(key, -1)
            if row < 0:
                raise UnknownError(f"receipt of {self.sku} at {self.node}", self.reference)
        return point, to.units(self.sku, self.quantity), row


@dataclass(frozen=True)
class Expect(Command):
    """Announce a receipt, or with a known reference set anew what remains and when it comes."""

    sku: str
    node: str
    quantity: Quantity
    eta: Moment
    reference: str
    kind: ClassVar[int] = layout.EXPECT

    def body(self, to: Translator) -> Sequence[int]:
        """Return inbound row, stockpoint, bucket, units, reference and time."""
        point = to.point(self.sku, self.node)
        eta = to.seconds(self.eta)
        units = to.units(self.sku, self.quantity, least=0)
        bucket = to.registry.calendar.bucket_of(eta)
        row = to.inbound(self.reference, point)
        return row, point, bucket, units, to.registry.reference(self.reference), eta


@dataclass(frozen=True)
class Adjust(Command):
    """Change on hand by a signed quantity; promises stay."""

    sku: str
    node: str
    delta: Quantity
    kind: ClassVar[int] = layout.ADJUST

    def body(self, to: Translator) -> Sequence[int]:
        """Return stockpoint and units."""
        return to.point(self.sku, self.node), to.units(self.sku, self.delta, least=-(1 << 40))


@dataclass(frozen=True)
class Count(Command):
    """Set on hand to what was counted; promises stay."""

    sku: str
    node: str
    on_hand: Quantity
    kind: ClassVar[int] = layout.COUNT

    def body(self, to: Translator) -> Sequence[int]:
        """Return stockpoint and units."""
        return to.point(self.sku, self.node), to.units(self.sku, self.on_hand, least=0)


@dataclass(frozen=True)
class Issue(Command):
    """Sell or use units on the spot; promised units stay unless ``force``."""

    sku: str
    node: str
    quantity: Quantity
    channel: str | None = None
    force: bool = False
    kind: ClassVar[int] = layout.ISSUE

    def body(self, to: Translator) -> Sequence[int]:
        """Return stockpoint, units, channel and force."""
        point = to.point(self.sku, self.node)
        channel = to.registry.channel(self.channel)
        return point, to.units(self.sku, self.quantity), channel, int(self.force)


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
    kind: ClassVar[int] = layout.TRANSFER

    def body(self, to: Translator) -> Sequence[int]:
        """Return both stockpoints, units, inbound row, bucket, reference, time and force."""
        if self.source == self.destination:
            raise InputError(f"transfer {self.reference!r} goes from {self.source!r} to itself")
        source = to.point(self.sku, self.source)
        destination = to.point(self.sku, self.destination)
        units = to.units(self.sku, self.quantity)
        eta = to.seconds(self.eta)
        bucket = to.registry.calendar.bucket_of(eta)
        reference = to.registry.reference(self.reference)
        if (reference, destination) in to.registry.inbound:
            raise ConflictError(f"transfer reference {self.reference!r} is used already")
        row = to.inbound(self.reference, destination)
        return source, destination, units, row, bucket, reference, eta, int(self.force)


@dataclass(frozen=True)
class SetBuffer(Command):
    """Keep units back: at a ``node`` from every channel, or from a ``channel`` at all nodes."""

    sku: str
    quantity: Quantity
    node: str | None = None
    channel: str | None = None

    def put(self, to: Translator) -> int:
        """Translate into a stockpoint's buffer or a channel's."""
        if (self.node is None) == (self.channel is None):
            raise InputError(f"buffer of {self.sku!r}: name either a node or a channel")
        request = self.request()
        units = to.units(self.sku, self.quantity, least=0)
        if self.node is not None:
            return to.put(layout.SET_BUFFER, request, (to.point(self.sku, self.node), units))
        code = to.registry.stocked_sku(self.sku)
        channel = to.registry.channel(self.channel)
        body = (code, channel, layout.CHANNEL_BUFFER, units, 0)
        return to.put(layout.SET_LIMIT, request, body)


@dataclass(frozen=True)
class SetLimit(Command):
    """Set a channel's quota (ceiling; None lifts it) or protection (floor) of a SKU."""

    what: str
    sku: str
    channel: str
    quantity: Quantity | None
    until: Moment | None = None
    kind: ClassVar[int] = layout.SET_LIMIT

    def body(self, to: Translator) -> Sequence[int]:
        """Return SKU, channel, field, units and end."""
        fields = {"quota": layout.QUOTA, "protection": layout.PROTECTION}
        code = to.registry.stocked_sku(self.sku)
        if self.quantity is None and self.what == "protection":
            raise InputError("a protection needs a quantity; 0 lifts it")
        units = -1 if self.quantity is None else to.units(self.sku, self.quantity, least=0)
        until = 0 if self.until is None else to.seconds(self.until)
        return code, to.registry.channel(self.channel), fields[self.what], units, until


@dataclass(frozen=True)
class SetNode(Command):
    """Switch a node on or off for promising; its quantities stay."""

    node: str
    active: bool
    kind: ClassVar[int] = layout.SET_NODE

    def body(self, to: Translator) -> Sequence[int]:
        """Return the node and its switch."""
        return to.registry.node(self.node), int(self.active)
