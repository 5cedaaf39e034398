"""Commands as callers write them, and their translation into words for the kernels."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, ClassVar

from omnistock.availability import layout
from omnistock.engine.askers import PLAIN, Asker, Compartment, StockDetail
from omnistock.engine.book import Book
from omnistock.engine.registry import Registry
from omnistock.engine.results import Hold
from omnistock.errors import InputError
from omnistock.model.calendar import Moment, to_seconds

__all__ = ["Command", "Moment", "Quantity", "RequestId", "Translator"]

Quantity = int | str | Decimal
RequestId = int | str | bytes | uuid.UUID
# Request id, high and low half, and the hash of the command's content.
Request = tuple[int, int, int]
NO_REQUEST: Request = (0, 0, 0)
_DAY = 86_400
_MOST_DAYS = 36_500
_LAYOUT_KINDS = (layout.ADD_POINT, layout.SET_NODE, layout.SWITCH_POINT)
# A receipt without a date counts in no bucket until it is received.
NEVER_BUCKET = 1 << 30


class Translator:
    """Turns the commands of one batch into words; stockpoints are opened as they are named.

    ``book`` knows the holds that commands name.
    """

    def __init__(self, registry: Registry, n_points: int, n_inbound: int, n_limits: int,
                 book: Book, now: int) -> None:  # fmt: skip
        self.registry = registry
        self.book = book
        self.now = now
        self.words: list[int] = []
        self.offsets: list[int] = [0]
        self.opened: list[tuple[tuple[int, int], int]] = []
        self._opened: dict[int, set[int]] = {}
        self._first_new = n_points
        self.changes_layout = False
        self._n_points = n_points
        self._n_inbound = n_inbound
        self._n_limits = n_limits

    def put(self, kind: int, request: Request, body: Sequence[int]) -> int:
        """Append a command; returns its number in the batch."""
        if kind in _LAYOUT_KINDS:
            self.changes_layout = True
        self.words += (kind, *request)
        self.words += body
        self.offsets.append(len(self.words))
        return len(self.offsets) - 2

    def point(self, sku: str, node: str, detail: StockDetail | None = None) -> int:
        """Stockpoint of a SKU at a node in a compartment, opened if it is new."""
        return self.point_of(
            self.registry.stocked_sku(sku), self.registry.node(node), self.compartment(detail)
        )

    def point_of(self, sku: int, node: int, compartment: int) -> int:
        """Stockpoint by codes, opened if it is new."""
        registry = self.registry
        key = (sku, node, compartment)
        point = registry.points.get(key)
        if point is None:
            point = self._n_points
            self._n_points += 1
            registry.points[key] = point
            self._opened.setdefault(sku, set()).add(node)
            self.put(layout.ADD_POINT, NO_REQUEST, (point, *key))
            defaults = {(sku, "buffer"), (sku, "backorder")} & registry.defaults.keys()
            if compartment == 0:
                self._set_defaults(sku, point)
            elif defaults:
                # What is kept back at a node is kept in its plain compartment, once.
                self.point_of(sku, node, 0)
            if self.is_off(sku, node):
                self.put(layout.SWITCH_POINT, NO_REQUEST, (point, 1))
        return point

    def is_off(self, sku: int, node: int) -> bool:
        """True if the SKU is switched off at the node."""
        known = self.registry.points.get((sku, node, 0), -1)
        return 0 <= known < self._first_new and self.book.is_off(known)

    def plain_points(self, sku: int) -> list[int]:
        """The plain stockpoint of the SKU at each node that has it, opened where it is not."""
        return [self.point_of(sku, node, 0) for node in sorted(self.nodes_of_sku(sku))]

    def _set_defaults(self, sku: int, point: int) -> None:
        buffer = self.registry.defaults.get((sku, "buffer"))
        if buffer is not None:
            self.put(layout.SET_BUFFER, NO_REQUEST, (point, *buffer, -1))
        backorder = self.registry.defaults.get((sku, "backorder"))
        if backorder is not None:
            self.put(layout.SET_BACKORDER, NO_REQUEST, (point, backorder[0]))

    def nodes_of_sku(self, sku: int) -> set[int]:
        """Nodes at which the SKU is kept, or is to be from this batch on."""
        return self.book.nodes_of(sku) | self._opened.get(sku, set())

    def compartment(self, detail: StockDetail | None) -> int:
        """Code of the compartment that keywords describe."""
        if not detail:
            return 0
        only(detail, StockDetail)
        expiry, received = detail.get("expiry"), detail.get("received")
        one = Compartment(
            state=detail.get("state", "available"),
            segment=detail.get("segment", ""),
            lot=detail.get("lot", ""),
            owner=detail.get("owner", ""),
            expires=0 if expiry is None else self.seconds(expiry),
            received=0 if received is None else self.seconds(received),
        )
        return 0 if one == PLAIN else self.registry.compartment(one)

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

    def limit(self, key: tuple[int, int, int, int, int, int]) -> int:
        """Row of a limit, opened if it is new."""
        row = self.registry.limits.get(key)
        if row is None:
            row = self._n_limits
            self._n_limits += 1
            self.registry.limits[key] = row
        return row

    def asker(self, asker: Asker) -> int:
        """Code of who asks."""
        return self.registry.asker(asker)

    def units(self, sku: str, quantity: Quantity, *, least: int = 1) -> int:
        """Whole smallest units: an int is smallest units, text and Decimal are selling units."""
        units = self.registry.sku_list[self.registry.sku(sku)].smallest_units(quantity)
        if units < least:
            raise InputError(f"SKU {sku!r}: quantity must be >= {least}, got {quantity}")
        return units

    def seconds(self, moment: Moment) -> int:
        """Seconds since 1970; a date begins at midnight of the calendar's time zone."""
        return to_seconds(moment, self.registry.calendar.time_zone)

    def bucket(self, moment: Moment) -> int:
        """Bucket of a moment."""
        return self.registry.calendar.bucket_of(self.seconds(moment))


def only(given: Mapping[str, Any], known: type) -> None:
    """Refuse keywords that a method does not have: a misspelt one must not be silent."""
    unknown = sorted(set(given) - set(known.__annotations__))
    if unknown:
        have = ", ".join(known.__annotations__)
        raise InputError(f"unknown keyword {', '.join(unknown)}; there are {have}")


def life_seconds(days: int) -> int:
    """Seconds that a lot must last, from days."""
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= _MOST_DAYS:
        raise InputError(f"min_remaining_days must lie in 0..{_MOST_DAYS}, got {days!r}")
    return days * _DAY


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
    """The base of all commands. The same ``request_id`` again changes nothing.

    A command that is ``alone`` shares its frame with no other caller's commands: what it
    reads of the state while it is translated is what it will be carried out on.
    """

    request_id: RequestId | None = None
    kind: ClassVar[int] = layout.TICK
    alone: ClassVar[bool] = False

    def body(self, to: Translator) -> Sequence[int]:
        """Return the command's words after its header."""
        del to
        return ()

    def content(self) -> list[str]:
        """Return what must be the same when the request comes again."""
        content = [type(self).__name__]
        for one in fields(self):
            if one.name != "request_id":
                value = getattr(self, one.name)
                content.append(repr(value.hold_id if isinstance(value, Hold) else value))
        return content

    def request(self) -> Request:
        """Return the request id and the content's hash, or :data:`NO_REQUEST`."""
        if self.request_id is None:
            return NO_REQUEST
        digest = hashlib.blake2b("\0".join(self.content()).encode(), digest_size=8).digest()
        return *request_words(self.request_id), int.from_bytes(digest, "big") >> 1

    def put(self, to: Translator) -> int:
        """Translate the command; returns its number in the batch."""
        return to.put(self.kind, self.request(), self.body(to))
