"""What an engine must promise, in plain Python from the definitions.

No look-ahead minima, no records, no kernels: every answer is worked out anew from
lists of receipts and promises.
"""

from __future__ import annotations

from dataclasses import dataclass, field

HORIZON = 6


@dataclass
class PlainHold:
    """A hold: status, second of expiry and lines of [sku, node, bucket, open, shipped, back]."""

    status: str
    channel: str
    expires: int | None
    lines: list[list]
    number: int


@dataclass
class PlainEngine:
    """Stock and promises by (sku, node); buckets are whole days from 1970 on."""

    nodes: dict[str, int]
    channels: dict[str, tuple[str, ...]]
    kits: dict[str, dict[str, int]]
    now: int = 0
    on_hand: dict = field(default_factory=dict)
    buffers: dict = field(default_factory=dict)
    channel_buffers: dict = field(default_factory=dict)
    receipts: dict = field(default_factory=dict)
    quotas: dict = field(default_factory=dict)
    protections: dict = field(default_factory=dict)
    holds: list[PlainHold] = field(default_factory=list)
    off: set = field(default_factory=set)

    @property
    def today(self) -> int:
        return self.now // 86_400

    def pass_time(self, now: int) -> None:
        self.now = max(self.now, now)
        for hold in self.holds:
            if hold.status == "held" and hold.expires <= self.now:
                hold.status = "expired"
                self._use(hold, -1)

    def balance(self, sku: str, node: str, day: int) -> int:
        """On hand, plus what is due from today up to a day, less what is promised up to it."""
        units = self.on_hand.get((sku, node), 0)
        for (_, of_sku, at), (due, remaining) in self.receipts.items():
            if (of_sku, at) == (sku, node) and self.today <= due <= day:
                units += remaining
        for hold in self.holds:
            if hold.status in ("held", "confirmed"):
                for of_sku, at, due, open_units, *_ in hold.lines:
                    if (of_sku, at) == (sku, node) and due <= max(day, self.today):
                        units -= open_units
        return units

    def raw(self, sku: str, node: str, day: int) -> int:
        last = self.today + HORIZON
        return min(self.balance(sku, node, later) for later in range(day, last))

    def free(self, sku: str, node: str, day: int) -> int:
        return max(0, self.raw(sku, node, day) - self.buffers.get((sku, node), 0))

    def serves(self, node: str, channel: str) -> bool:
        allowed = self.channels.get(channel, ())
        return node not in self.off and (not allowed or node in allowed)

    def pool(self, sku: str, channel: str, day: int) -> int:
        return sum(self.free(sku, node, day) for node in self.nodes if self.serves(node, channel))

    def headroom(self, sku: str, channel: str, day: int) -> int | None:
        """Most that buffers, protections and quota of channels allow; None if they do not care."""
        rooms = []
        kept = self.channel_buffers.get((sku, channel), 0)
        if kept:
            rooms.append(self.pool(sku, channel, day) - kept)
        protected = sum(
            max(0, units - used)
            for (of_sku, other), (units, used, until, _) in self.protections.items()
            if of_sku == sku and other != channel and (until is None or until > self.now)
        )
        if protected:
            everything = sum(
                self.free(sku, node, day) for node in self.nodes if node not in self.off
            )
            rooms.append(everything - protected)
        if (sku, channel) in self.quotas:
            units, used, until, _ = self.quotas[sku, channel]
            if units is not None and (until is None or until > self.now):
                rooms.append(units - used)
        return max(0, min(rooms)) if rooms else None

    def available(self, sku: str, channel: str, node: str | None, day: int) -> int:
        if sku in self.kits:
            return min(
                self.available(part, channel, node, day) // per
                for part, per in self.kits[sku].items()
            )
        day = min(max(day, self.today), self.today + HORIZON - 1)
        if node is None:
            units = self.pool(sku, channel, day)
        else:
            units = self.free(sku, node, day) if self.serves(node, channel) else 0
        room = self.headroom(sku, channel, day)
        return units if room is None else min(units, room)

    def can_hold(self, lines, channel: str, day: int) -> bool:
        """True if all lines can be held together, whatever nodes they are drawn from."""
        total: dict = {}
        named: dict = {}
        for sku, units, node in lines:
            for part, per in self.kits.get(sku, {sku: 1}).items():
                total[part] = total.get(part, 0) + units * per
                if node is not None:
                    named[part, node] = named.get((part, node), 0) + units * per
        return all(
            self.available(part, channel, None, day) >= units for part, units in total.items()
        ) and all(
            self.available(part, channel, node, day) >= units
            for (part, node), units in named.items()
        )

    def add_hold(self, hold: PlainHold) -> None:
        self.holds.append(hold)
        self._use(hold, 1)

    def confirm_possible(self, hold: PlainHold) -> bool:
        if hold.status != "expired":
            return True
        need_at: dict = {}
        need: dict = {}
        for sku, node, day, units, *_ in hold.lines:
            need_at[sku, node, day] = need_at.get((sku, node, day), 0) + units
            need[sku, day] = need.get((sku, day), 0) + units
        return all(
            self.available(sku, hold.channel, node, day) >= units
            for (sku, node, day), units in need_at.items()
        ) and all(
            self.available(sku, hold.channel, None, day) >= units
            for (sku, day), units in need.items()
        )

    def confirm(self, hold: PlainHold) -> None:
        if hold.status == "expired":
            self._use(hold, 1)
        hold.status = "confirmed"
        hold.expires = None

    def release(self, hold: PlainHold, k: int, units: int) -> None:
        line = hold.lines[k]
        line[3] -= units
        self._count(hold, line[0], -units)
        self._close(hold)

    def ship(self, hold: PlainHold, k: int, units: int) -> None:
        line = hold.lines[k]
        line[3] -= units
        line[4] += units
        self.on_hand[line[0], line[1]] -= units
        self._close(hold)

    @staticmethod
    def _close(hold: PlainHold) -> None:
        if not any(line[3] for line in hold.lines):
            hold.status = "shipped" if any(line[4] for line in hold.lines) else "released"

    def _use(self, hold: PlainHold, sign: int) -> None:
        for line in hold.lines:
            self._count(hold, line[0], sign * line[3])

    def _count(self, hold: PlainHold, sku: str, units: int) -> None:
        for limits in (self.quotas, self.protections):
            limit = limits.get((sku, hold.channel))
            if limit is not None and hold.number >= limit[3]:
                limit[1] += units

    def sold_without_hold(self, sku: str, channel: str, units: int) -> None:
        for limits in (self.quotas, self.protections):
            if (sku, channel) in limits:
                limits[sku, channel][1] += units
