"""An auditor that shares no code with the engine: it adds up the ledger in plain Python.

It reads the frames byte by byte as they lie in the store, keeps its own books in
dictionaries, and knows the meaning of each event only from the ledger's
documentation. What it arrives at is what the engine must have in memory.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from omnistock.ledger.frame import FIRST_DIGEST, Frame, digest_of, unpack_frame

__all__ = ["AuditedHold", "Books", "audit"]

# Event kinds and statuses as the ledger's documentation numbers them.
_POINT, _HOLD, _STATUS, _RELEASE, _SHIP, _ON_HAND, _INBOUND = 1, 2, 3, 4, 5, 6, 7
_BUFFER, _LIMIT, _NODE, _RETURN, _USE, _REQUEST = 8, 9, 10, 11, 12, 13
_HELD, _CONFIRMED, _SHIPPED, _RELEASED, _EXPIRED = 1, 2, 3, 4, 5
_QUOTA, _PROTECTION, _CHANNEL_BUFFER = 0, 2, 4


@dataclass
class AuditedHold:
    """A hold in the books; ``lines`` are rows of [point, bucket, open, shipped, returned]."""

    number: int
    status: int
    channel: int
    expires: int
    lines: list[list[int]]


@dataclass
class Books:
    """What the ledger adds up to.

    Units by stockpoint; promises by (stockpoint, bucket); receipts by row of
    (stockpoint, bucket, remaining); limits by (sku, channel, field).
    """

    now: int = 0
    bucket: int = 0
    frames: int = 0
    words: int = 0
    points: dict[int, tuple[int, int]] = field(default_factory=dict)
    on_hand: dict[int, int] = field(default_factory=dict)
    buffers: dict[int, int] = field(default_factory=dict)
    holds: list[AuditedHold] = field(default_factory=list)
    lines: list[tuple[AuditedHold, list[int]]] = field(default_factory=list)
    inbound: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    limits: dict[tuple[int, int, int], int] = field(default_factory=dict)
    used: dict[tuple[int, int, int], int] = field(default_factory=dict)
    since: dict[tuple[int, int, int], int] = field(default_factory=dict)
    nodes_off: dict[int, bool] = field(default_factory=dict)
    requests: int = 0
    _due: list[tuple[int, int]] = field(default_factory=list)

    def post(self, frame: Frame) -> None:
        """Post one frame."""
        self.frames += 1
        self.words += len(frame.events)
        self.pass_time(frame.now, frame.bucket)
        words = frame.events.tolist()
        at = 0
        while at < len(words):
            size = words[at + 1]
            self._post_event(words[at], words[at + 2 : at + size])
            at += size

    def pass_time(self, now: int, bucket: int) -> None:
        """End every soft hold whose second has come."""
        self.now = max(self.now, now)
        self.bucket = max(self.bucket, bucket)
        while self._due and self._due[0][0] <= self.now:
            second, number = heapq.heappop(self._due)
            hold = self.holds[number]
            if hold.status == _HELD and hold.expires == second:
                hold.status = _EXPIRED
                for line in hold.lines:
                    self._use(number, line, -line[2])

    def _post_event(self, kind: int, words: list[int]) -> None:
        if kind == _POINT:
            self.points[words[0]] = (words[1], words[2])
            self.on_hand.setdefault(words[0], 0)
        elif kind == _HOLD:
            self._post_hold(words)
        elif kind == _STATUS:
            self._post_status(words[0], words[1])
        elif kind in (_RELEASE, _SHIP):
            self._post_line(kind, words[0], words[1])
        elif kind == _ON_HAND:
            self.on_hand[words[0]] += words[1]
        elif kind == _INBOUND:
            self.inbound[words[0]] = (words[1], words[2], words[3])
        elif kind == _BUFFER:
            self.buffers[words[0]] = words[1]
        elif kind == _LIMIT:
            self._post_limit(words[0], words[1], words[2], words[3])
        elif kind == _NODE:
            self.nodes_off[words[0]] = not words[1]
        elif kind == _RETURN:
            self.lines[words[0]][1][4] += words[1]
            self.on_hand[words[2]] += words[1]
        elif kind == _USE:
            for what in (_QUOTA, _PROTECTION):
                self._add_use((words[0], words[1], what), words[2])
        else:
            assert kind == _REQUEST, f"event kind {kind} has no meaning"
            self.requests += 1

    def _post_hold(self, words: list[int]) -> None:
        number, _, channel, status, high, low, *rest = words
        assert number == len(self.holds), f"hold {number} follows hold {len(self.holds) - 1}"
        expires = (high << 32) | (low & 0xFFFFFFFF)
        rows = [[rest[k], rest[k + 1], rest[k + 2], 0, 0] for k in range(0, len(rest), 5)]
        hold = AuditedHold(number, status, channel, expires, rows)
        self.holds.append(hold)
        self.lines += [(hold, row) for row in rows]
        if status == _HELD:
            heapq.heappush(self._due, (expires, number))
        for row in rows:
            self._use(number, row, row[2])

    def _post_status(self, number: int, status: int) -> None:
        hold = self.holds[number]
        if hold.status == _EXPIRED:
            for line in hold.lines:
                self._use(number, line, line[2])
        hold.status = status
        hold.expires = 0

    def _post_line(self, kind: int, line_row: int, units: int) -> None:
        hold, line = self.lines[line_row]
        line[2] -= units
        if kind == _SHIP:
            line[3] += units
            self.on_hand[line[0]] -= units
        else:
            self._use(hold.number, line, -units)
        if not any(one[2] for one in hold.lines):
            shipped = any(one[3] for one in hold.lines)
            hold.status = _SHIPPED if shipped else _RELEASED

    def _post_limit(self, sku: int, channel: int, what: int, units: int) -> None:
        key = (sku, channel, what)
        self.limits[key] = units
        if what != _CHANNEL_BUFFER:
            self.used[key] = 0
            self.since[key] = len(self.holds)

    def _use(self, number: int, line: list[int], units: int) -> None:
        sku = self.points[line[0]][0]
        channel = self.holds[number].channel
        for what in (_QUOTA, _PROTECTION):
            key = (sku, channel, what)
            if number >= self.since.get(key, 0):
                self._add_use(key, units)

    def _add_use(self, key: tuple[int, int, int], units: int) -> None:
        self.used[key] = self.used.get(key, 0) + units

    def open_units(self) -> dict[tuple[int, int], int]:
        """Open units of live holds by (stockpoint, status)."""
        units: dict[tuple[int, int], int] = {}
        for hold in self.holds:
            if hold.status in (_HELD, _CONFIRMED):
                for point, _, open_units, *_ in hold.lines:
                    key = (point, hold.status)
                    units[key] = units.get(key, 0) + open_units
        return units

    def minima(self, n_buckets: int) -> dict[int, list[int]]:
        """What may be promised for each bucket of the horizon, from the definition.

        The balance of a bucket is on hand, plus receipts due from the current bucket
        up to it, less promises up to it; a promise must leave none of the later
        balances short, so bucket t may offer the lowest from t on.
        """
        balances = {point: [units] * n_buckets for point, units in self.on_hand.items()}
        dated = [
            (point, bucket, units)
            for point, bucket, units in self.inbound.values()
            if bucket >= self.bucket
        ]
        for hold in self.holds:
            if hold.status in (_HELD, _CONFIRMED):
                dated += [(point, bucket, -units) for point, bucket, units, *_ in hold.lines]
        for point, bucket, units in dated:
            balance = balances[point]
            for t in range(max(0, bucket - self.bucket), n_buckets):
                balance[t] += units
        return {
            point: list(itertools.accumulate(reversed(balance), min))[::-1]
            for point, balance in balances.items()
        }


def audit(blobs: Iterable[bytes]) -> Books:
    """Add up a ledger.

    Parameters
    ----------
    blobs : iterable of bytes
        All frames, in order.

    Returns
    -------
    Books

    Raises
    ------
    LedgerError
        If a frame is damaged, missing or replaced.
    """
    books = Books()
    previous = FIRST_DIGEST
    for number, blob in enumerate(blobs, 1):
        books.post(unpack_frame(blob, previous, number))
        previous = digest_of(blob)
    return books
