"""An auditor that shares no code with the engine: it adds up the ledger in plain Python.

It reads the frames byte by byte as they lie in the store, keeps its own books in
dictionaries, and knows the meaning of each event only from the ledger's
documentation. What it arrives at is what the engine must have in memory.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from omnistock.ledger.frame import FIRST_DIGEST, Frame, digest_of, unpack_frame

__all__ = ["AuditedHold", "Books", "audit"]

# Event kinds and statuses as the ledger's documentation numbers them.
_POINT, _HOLD, _STATUS, _RELEASE, _SHIP, _ON_HAND, _INBOUND = 1, 2, 3, 4, 5, 6, 7
_BUFFER, _LIMIT, _NODE, _RETURN, _USE, _REQUEST = 8, 9, 10, 11, 12, 13
_LINES, _BACKORDER, _SWITCH, _STEP, _DELTA, _ORDER = 14, 15, 16, 17, 18, 19
_CAPACITY = 20
_HELD, _CONFIRMED, _SHIPPED, _RELEASED, _EXPIRED, _PICKED = 1, 2, 3, 4, 5, 6
_LIVE = (_HELD, _CONFIRMED, _PICKED)
_ASKER_BUFFER = 3
# A balance that nothing can bring down: supply beyond a SKU's fence.
_PLENTY = 2_000_000_000


@dataclass
class AuditedHold:
    """A hold in the books; ``lines`` are rows of [point, bucket, open, shipped, returned]."""

    number: int
    counts_as: int
    status: int
    asker: int
    expires: int
    lines: list[list[int]]


@dataclass
class AuditedLimit:
    """A quota, protection or asker's buffer in the books; ``since`` is the first hold counted."""

    sku: int
    kind: int
    match: int
    units: int
    segment: int
    period: tuple[int, int]
    since: int
    used: int = 0


@dataclass
class Books:
    """What the ledger adds up to.

    Units by stockpoint; promises by (stockpoint, bucket); receipts by row of
    (stockpoint, bucket, remaining); limits by row. What a node can handle by bucket, -1 for
    all others; its work by (node, bucket), counted since that was first limited.
    """

    now: int = 0
    bucket: int = 0
    frames: int = 0
    words: int = 0
    points: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    on_hand: dict[int, int] = field(default_factory=dict)
    buffers: dict[int, tuple[int, int]] = field(default_factory=dict)
    backorders: dict[int, int] = field(default_factory=dict)
    steps: dict[int, dict[int, int]] = field(default_factory=dict)
    switched_off: dict[int, bool] = field(default_factory=dict)
    holds: list[AuditedHold] = field(default_factory=list)
    lines: list[tuple[AuditedHold, list[int]]] = field(default_factory=list)
    inbound: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    limits: dict[int, AuditedLimit] = field(default_factory=dict)
    limits_of: dict[int, list[int]] = field(default_factory=dict)
    nodes_off: dict[int, bool] = field(default_factory=dict)
    capacities: dict[int, dict[int, int]] = field(default_factory=dict)
    work: dict[tuple[int, int], int] = field(default_factory=dict)
    deltas: dict[tuple[int, int], dict[int, int]] = field(default_factory=dict)
    orders: int = 0
    requests: int = 0
    names: Names = field(default_factory=lambda: Names())
    _due: list[tuple[int, int]] = field(default_factory=list)

    def post(self, frame: Frame) -> None:
        """Post one frame."""
        self.frames += 1
        self.words += len(frame.events)
        if frame.definitions:
            self.names.learn(json.loads(frame.definitions))
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
                    self._use(hold, line, -line[2])
        for point, steps in self.steps.items():
            for bucket in sorted(steps):
                if bucket <= self.bucket:
                    self.buffers[point] = (steps.pop(bucket), 0)

    def _post_event(self, kind: int, words: list[int]) -> None:
        if kind == _POINT:
            self.points[words[0]] = (words[1], words[2], words[3])
            self.on_hand.setdefault(words[0], 0)
        elif kind == _HOLD:
            self._post_hold(words)
        elif kind == _LINES:
            self._post_lines(words)
        elif kind == _STATUS:
            self._post_status(words[0], words[1])
        elif kind in (_RELEASE, _SHIP):
            self._post_line(kind, words[0], words[1])
        elif kind == _ON_HAND:
            self.on_hand[words[0]] += words[1]
        elif kind == _INBOUND:
            self.inbound[words[0]] = (words[1], words[2], words[3])
        elif kind == _RETURN:
            self.lines[words[0]][1][4] += words[1]
            self.on_hand[words[2]] += words[1]
        elif kind == _USE:
            self._use_limits(words[1], words[0], self.bucket, len(self.holds), words[2])
        elif kind == _REQUEST:
            self.requests += 1
        else:
            self._post_setting(kind, words)

    def _post_setting(self, kind: int, words: list[int]) -> None:
        if kind == _BUFFER:
            self.buffers[words[0]] = (words[1], words[2])
        elif kind == _BACKORDER:
            self.backorders[words[0]] = words[1]
        elif kind == _STEP:
            self.steps.setdefault(words[0], {})[words[1]] = words[2]
        elif kind == _LIMIT:
            row, sku, limit_kind, match, units, *rest = words
            if row not in self.limits:
                self.limits_of.setdefault(sku, []).append(row)
            self.limits[row] = AuditedLimit(
                sku, limit_kind, match, units, rest[5], (rest[6], rest[7]), len(self.holds)
            )
        elif kind == _NODE:
            self.nodes_off[words[0]] = not words[1]
        elif kind == _CAPACITY:
            self._post_capacity(*words)
        elif kind == _SWITCH:
            self.switched_off[words[0]] = bool(words[1])
        elif kind == _DELTA:
            known = self.deltas.setdefault((words[0], words[1]), {})
            sequence = (words[2] << 32) | (words[3] & 0xFFFFFFFF)
            if words[5]:
                for old in [one for one in known if one <= sequence]:
                    del known[old]
            known[sequence] = words[4]
        else:
            assert kind == _ORDER, f"event kind {kind} has no meaning"
            self.orders += 1

    def _post_capacity(self, node: int, bucket: int, units: int) -> None:
        if node not in self.capacities:
            self.capacities[node] = {-1: -1}
            for hold in self.holds:
                for point, due, open_units, *_ in hold.lines if hold.status in _LIVE else ():
                    if self.points[point][1] == node and due >= self.bucket:
                        self.work[node, due] = self.work.get((node, due), 0) + open_units
        self.capacities[node][bucket] = units

    def _post_hold(self, words: list[int]) -> None:
        number, _, asker, status, high, low, _, counts_as, *rest = words
        assert number == len(self.holds), f"hold {number} follows hold {len(self.holds) - 1}"
        expires = (high << 32) | (low & 0xFFFFFFFF)
        rows = [[rest[k], rest[k + 1], rest[k + 2], 0, 0] for k in range(0, len(rest), 6)]
        hold = AuditedHold(number, counts_as, status, asker, expires, rows)
        self.holds.append(hold)
        self.lines += [(hold, row) for row in rows]
        if status == _HELD:
            heapq.heappush(self._due, (expires, number))
        for row in rows:
            self._use(hold, row, row[2])

    def _post_lines(self, words: list[int]) -> None:
        number, *rest = words
        hold = self.holds[number]
        for line in hold.lines:
            self._use(hold, line, -line[2])
        hold.lines = [rest[k : k + 5] for k in range(0, len(rest), 8)]
        self.lines += [(hold, line) for line in hold.lines]
        for line in hold.lines:
            self._use(hold, line, line[2])
        self._close(hold)

    def _post_status(self, number: int, status: int) -> None:
        hold = self.holds[number]
        if hold.status == _EXPIRED:
            for line in hold.lines:
                self._use(hold, line, line[2])
        hold.status = status
        hold.expires = 0

    def _post_line(self, kind: int, line_row: int, units: int) -> None:
        hold, line = self.lines[line_row]
        line[2] -= units
        if kind == _SHIP:
            line[3] += units
            self.on_hand[line[0]] -= units
        else:
            self._use(hold, line, -units)
        self._close(hold)

    @staticmethod
    def _close(hold: AuditedHold) -> None:
        if not any(one[2] for one in hold.lines):
            shipped = any(one[3] for one in hold.lines)
            hold.status = _SHIPPED if shipped else _RELEASED

    def _use(self, hold: AuditedHold, line: list[int], units: int) -> None:
        node = self.points[line[0]][1]
        if node in self.capacities and line[1] >= self.bucket:
            self.work[node, line[1]] = self.work.get((node, line[1]), 0) + units
        self._use_limits(hold.asker, line[0], line[1], hold.counts_as, units)

    def _use_limits(self, asker: int, point: int, bucket: int, number: int, units: int) -> None:
        """Count units against every limit of the SKU that fits the asker and the bucket."""
        sku, _, tag = self.points[point]
        for row in self.limits_of.get(sku, ()):
            limit = self.limits[row]
            first, last = limit.period
            if (
                limit.kind != _ASKER_BUFFER
                and number >= limit.since
                and (last == 0 or first <= bucket < last)
                and self.names.fits(limit.match, asker)
                and self.names.in_segment(limit.segment, tag)
            ):
                limit.used += units

    def kept(self, point: int) -> int:
        """What is kept back at a stockpoint, less what may be backordered."""
        units, share = self.buffers.get(point, (0, 0))
        of_share = -(-max(0, self.on_hand[point]) * share // 10_000)
        return units + of_share - self.backorders.get(point, 0)

    def open_units(self) -> dict[tuple[int, int], int]:
        """Open units of live holds by (stockpoint, status)."""
        units: dict[tuple[int, int], int] = {}
        for hold in self.holds:
            if hold.status in _LIVE:
                for point, _, open_units, *_ in hold.lines:
                    key = (point, _HELD if hold.status == _HELD else _CONFIRMED)
                    units[key] = units.get(key, 0) + open_units
        return units

    def minima(self, n_buckets: int) -> dict[int, list[int]]:
        """What may be promised for each bucket of the horizon, from the definition.

        The balance of a bucket is on hand, plus receipts due from the current bucket
        up to it, less promises up to it, less what its buffer exceeds the current one by; a
        promise must leave none of the later balances short, so bucket t may offer the lowest
        from t on. From a SKU's fence on nothing is short.
        """
        balances = {point: [units] * n_buckets for point, units in self.on_hand.items()}
        dated = []
        for point, bucket, units in self.inbound.values():
            if self.bucket - self.names.overdue[0] <= bucket < self.bucket:
                bucket = self.bucket + self.names.overdue[1]
            if bucket >= self.bucket:
                dated.append((point, bucket, units))
        for hold in self.holds:
            if hold.status in _LIVE:
                dated += [(point, bucket, -units) for point, bucket, units, *_ in hold.lines]
        for point, steps in self.steps.items():
            before = self.kept(point) + self.backorders.get(point, 0)
            for bucket in sorted(steps):
                dated.append((point, bucket, before - steps[bucket]))
                before = steps[bucket]
        for point, bucket, units in dated:
            balance = balances[point]
            for t in range(max(0, bucket - self.bucket), n_buckets):
                balance[t] += units
        found = {}
        for point, balance in balances.items():
            fence = self.names.fences.get(self.points[point][0])
            last = n_buckets if fence is None else min(n_buckets, fence)
            least = list(itertools.accumulate(reversed(balance[:last]), min))[::-1]
            found[point] = least + [balance[0] + _PLENTY] * (n_buckets - last)
        return found


class Names:
    """What the frames' definitions say of SKUs, askers, conditions and compartments."""

    def __init__(self) -> None:
        self.fences: dict[int, int] = {}
        self.overdue = (0, 0)
        self._skus: dict[str, int] = {}
        self._askers: list[dict[str, str]] = [{"channel": ""}]
        self._matches: list[list[list[str]]] = []
        self._segments: list[str] = [""]
        self._segment_of: list[str] = [""]
        self._known: dict[tuple[int, int], bool] = {}

    def learn(self, definitions: dict[str, Any]) -> None:
        """Take in one frame's definitions."""
        calendar = definitions.get("calendar") or {}
        if calendar:
            self.overdue = (
                calendar.get("overdue_supply_buckets", 0), calendar.get("overdue_supply_delay", 0),
            )  # fmt: skip
        for sku in definitions.get("skus", ()):
            code = self._skus.setdefault(sku["sku"], len(self._skus))
            self.fences.pop(code, None)
            if sku.get("replenishment_buckets") is not None:
                self.fences[code] = sku["replenishment_buckets"]
        for asker in definitions.get("askers", ()):
            one = dict(asker.get("attributes", ()))
            one.setdefault("channel", asker.get("channel", ""))
            self._askers.append(one)
            self._segment(asker.get("segment", "").replace("*", ""))
        for compartment in definitions.get("compartments", ()):
            self._segment_of.append(compartment.get("segment", ""))
            self._segment(compartment.get("segment", ""))
        self._matches += definitions.get("matches", ())

    def _segment(self, name: str) -> None:
        if name not in self._segments:
            self._segments.append(name)

    def fits(self, match: int, asker: int) -> bool:
        """Whether a limit's condition fits an asker."""
        key = (match, asker)
        if key not in self._known:
            mine = self._askers[asker]
            self._known[key] = all(
                value in ("*", mine.get(name)) for name, value in self._matches[match]
            )
        return self._known[key]

    def in_segment(self, segment: int, tag: int) -> bool:
        """Whether a compartment belongs to a segment; -1 is any."""
        return segment < 0 or self._segments[segment] == self._segment_of[tag]


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
