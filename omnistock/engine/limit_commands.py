"""Commands on what stands between stock and a promise: buffers, backorders, quotas, protections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import ClassVar

from omnistock.availability import layout
from omnistock.availability.limits import WHOLE
from omnistock.engine.askers import Compartment
from omnistock.engine.commands import NO_REQUEST, Command, Moment, Quantity, Translator
from omnistock.errors import InputError

__all__ = ["SetBackorder", "SetBuffer", "SetCapacity", "SetLimit", "SetNode"]


def ten_thousandths(percent: float | str | Decimal | int) -> int:
    """A percentage as ten-thousandths; it must be one of whole hundredths of a percent."""
    exact = Decimal(str(percent)) * 100
    share = int(exact)
    if exact != share or not 0 <= share <= WHOLE:
        raise InputError(f"percent must lie in 0..100 with at most two decimals, got {percent}")
    return share


@dataclass(frozen=True)
class SetBuffer(Command):
    """Keep units back: at a ``node``, from a ``channel``, from a channel at a node, or everywhere.

    ``percent`` keeps back a share of on hand, rounded up; ``days_of_cover`` keeps back
    so many days of ``demand_per_day``. A negative quantity allows backorders.
    """

    sku: str
    quantity: Quantity | None = None
    node: str | None = None
    channel: str | None = None
    percent: float | str | Decimal | None = None
    days_of_cover: float | str | Decimal | None = None
    demand_per_day: float | str | Decimal | None = None
    since: Moment | None = None
    match: Mapping[str, str] | None = None

    def amount(self, to: Translator) -> tuple[int, int]:
        """Units and share of the buffer."""
        given = [self.quantity, self.percent, self.days_of_cover]
        if sum(one is not None for one in given) != 1:
            raise InputError(
                f"buffer of {self.sku!r}: give one of quantity, percent and days_of_cover"
            )
        if self.percent is not None:
            return 0, ten_thousandths(self.percent)
        if self.quantity is not None:
            return to.units(self.sku, self.quantity, least=-(1 << 40)), 0
        if self.demand_per_day is None:
            raise InputError(f"buffer of {self.sku!r}: days_of_cover needs demand_per_day")
        scale = to.registry.sku_list[to.registry.sku(self.sku)].unit_scale
        cover = Decimal(str(self.days_of_cover)) * Decimal(str(self.demand_per_day)) * scale
        if cover < 0:
            raise InputError(f"buffer of {self.sku!r}: days and demand must be >= 0")
        return int(cover.to_integral_value(ROUND_CEILING)), 0

    def put(self, to: Translator) -> int:
        """Translate into a stockpoint's buffer, an asker's, or that of every stockpoint."""
        units, share = self.amount(to)
        code = to.registry.stocked_sku(self.sku)
        since = -1
        if self.since is not None:
            if self.node is None or self.channel is not None or share:
                raise InputError(f"buffer of {self.sku!r}: since= needs a node and a quantity")
            since = to.bucket(self.since)
            if since <= to.registry.calendar.bucket_of(to.now):
                since = -1
        if self.channel is not None or self.match is not None:
            if units < 0:
                raise InputError(f"buffer of {self.sku!r} for a channel must be >= 0")
            match = dict(self.match or {})
            if self.channel is not None:
                to.registry.channel(self.channel)
                match["channel"] = self.channel
            point = -1 if self.node is None else to.point(self.sku, self.node)
            return _put_limit(
                to, self.request(), code, layout.ASKER_BUFFER, match, units, share=share,
                point=point,
            )  # fmt: skip
        if self.node is not None:
            point = to.point(self.sku, self.node)
            return to.put(layout.SET_BUFFER, self.request(), (point, units, share, since))
        to.registry.set_default(code, "buffer", units, share)
        for point in to.plain_points(code):
            to.put(layout.SET_BUFFER, NO_REQUEST, (point, units, share, -1))
        return to.put(layout.TICK, self.request(), ())


@dataclass(frozen=True)
class SetBackorder(Command):
    """Allow units beyond stock to be promised, at a ``node`` or everywhere; None: without limit."""

    sku: str
    quantity: Quantity | None
    node: str | None = None

    def put(self, to: Translator) -> int:
        """Translate into an allowance of one or of every stockpoint."""
        code = to.registry.stocked_sku(self.sku)
        units = layout.MOST_UNITS
        if self.quantity is not None:
            units = to.units(self.sku, self.quantity, least=0)
        if self.node is not None:
            point = to.point(self.sku, self.node)
            return to.put(layout.SET_BACKORDER, self.request(), (point, units))
        to.registry.set_default(code, "backorder", units, 0)
        for point in to.plain_points(code):
            to.put(layout.SET_BACKORDER, NO_REQUEST, (point, units))
        return to.put(layout.TICK, self.request(), ())


def _put_limit(
    to: Translator, request: tuple[int, int, int], sku: int, kind: int, match: Mapping[str, str],
    units: int, *, priority: int = 0, until: int = 0, share: int = -1, remaining: int = 0,
    segment: int = -1, period: tuple[int, int] = (0, 0), window: tuple[int, int] = (0, 0),
    point: int = -1,
) -> int:  # fmt: skip
    """Append the command that sets a limit, opening its row if it is new."""
    condition = to.registry.match(match)
    row = to.limit((sku, kind, condition, period[0], segment, point))
    body = (
        row, sku, kind, condition, units, priority, until, share, remaining, segment, *period,
        *window, point,
    )  # fmt: skip
    return to.put(layout.SET_LIMIT, request, body)


@dataclass(frozen=True)
class SetLimit(Command):
    """Set a quota (ceiling; None lifts it) or protection (floor) of a SKU for who fits."""

    what: str
    sku: str
    channel: str | None = None
    quantity: Quantity | None = None
    until: Moment | None = None
    match: Mapping[str, str] | None = None
    percent: float | str | Decimal | None = None
    base: str = "total"
    priority: int = 0
    segment: str | None = None
    period: tuple[Moment, Moment] | None = None
    window: Sequence[int] = (0, 0)

    def put(self, to: Translator) -> int:
        """Translate into the limit's row."""
        code = to.registry.stocked_sku(self.sku)
        kind = layout.QUOTA if self.what == "quota" else layout.PROTECTION
        if kind == layout.PROTECTION and self.quantity is None:
            raise InputError("a protection needs a quantity; 0 lifts it")
        match = {str(key): str(value) for key, value in (self.match or {}).items()}
        if self.channel is not None:
            to.registry.channel(self.channel)
            match["channel"] = self.channel
        if not match:
            raise InputError(f"{self.what} of {self.sku!r}: name a channel or a match")
        if not -(1 << 30) < self.priority < 1 << 30:
            raise InputError(f"priority must be a small number, got {self.priority}")
        units = -1 if self.quantity is None else to.units(self.sku, self.quantity, least=0)
        share = -1 if self.percent is None else ten_thousandths(self.percent)
        if share >= 0 and units >= 0:
            raise InputError(f"{self.what} of {self.sku!r}: give quantity or percent, not both")
        if self.base not in ("total", "remaining"):
            raise InputError(f"base must be 'total' or 'remaining', got {self.base!r}")
        segment = -1
        if self.segment is not None:
            to.registry.compartment(Compartment(segment=self.segment))
            segment = to.registry.segments[self.segment]
        return _put_limit(
            to, self.request(), code, kind, match, units,
            priority=self.priority,
            until=0 if self.until is None else to.seconds(self.until),
            share=share,
            remaining=int(self.base == "remaining"),
            segment=segment,
            period=self._period(to),
            window=self._window(),
        )  # fmt: skip

    def _period(self, to: Translator) -> tuple[int, int]:
        if self.period is None:
            return 0, 0
        first, last = to.bucket(self.period[0]), to.bucket(self.period[1])
        if not 0 < first < last:
            raise InputError(f"{self.what} of {self.sku!r}: period {self.period} is empty")
        return first, last

    def _window(self) -> tuple[int, int]:
        back, forward = self.window
        if back < 0 or forward < 0 or back + forward > 1000:
            raise InputError(f"window must be two counts of periods, got {self.window!r}")
        return back, forward


@dataclass(frozen=True)
class SetNode(Command):
    """Switch a node, or one SKU at it, on or off for promising; quantities stay."""

    node: str
    active: bool
    sku: str | None = None
    kind: ClassVar[int] = layout.SET_NODE

    def put(self, to: Translator) -> int:
        """Translate into the node's switch or that of its stockpoints."""
        node = to.registry.node(self.node)
        if self.sku is None:
            return to.put(self.kind, self.request(), (node, int(self.active)))
        sku = to.registry.stocked_sku(self.sku)
        to.point(self.sku, self.node)
        points = [
            point for key, point in to.registry.points.items() if key[0] == sku and key[1] == node
        ]
        for point in points[:-1]:
            to.put(layout.SWITCH_POINT, NO_REQUEST, (point, int(not self.active)))
        return to.put(layout.SWITCH_POINT, self.request(), (points[-1], int(not self.active)))


@dataclass(frozen=True)
class SetCapacity(Command):
    """Set how many units a node can handle in every bucket, or in one; None lifts that.

    ``busy`` are units of that one bucket that other work takes.
    """

    node: str
    units: int | None
    on: Moment | None = None
    busy: int = 0
    kind: ClassVar[int] = layout.SET_CAPACITY

    def body(self, to: Translator) -> Sequence[int]:
        """Return node, bucket and units."""
        for name, units in (("units", self.units or 0), ("busy", self.busy)):
            if isinstance(units, bool) or not 0 <= units <= layout.MOST_UNITS:
                raise InputError(
                    f"capacity of {self.node!r}: {name} must lie in 0..{layout.MOST_UNITS}, "
                    f"got {units!r}"
                )
        bucket = -1
        if self.on is not None:
            calendar = to.registry.calendar
            bucket = to.bucket(self.on)
            current = calendar.bucket_of(to.now)
            if not current <= bucket < current + calendar.n_buckets:
                raise InputError(
                    f"capacity of {self.node!r}: {self.on!r} lies outside the horizon of "
                    f"{calendar.n_buckets} buckets from now"
                )
        elif self.busy:
            raise InputError(f"capacity of {self.node!r}: busy= is about one bucket; give on=")
        units = -1 if self.units is None else max(0, self.units - self.busy)
        return to.registry.node(self.node), bucket, units
