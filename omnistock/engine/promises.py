"""When a quantity can be had: one line, lines that belong together, a batch by priority."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omnistock.availability import layout
from omnistock.availability.arena import State
from omnistock.engine.askers import AskerDetail
from omnistock.engine.reads import Question, ask, question
from omnistock.engine.results import Delivery, Demand, GroupPromise, Promise
from omnistock.engine.writer import Writer
from omnistock.errors import InputError
from omnistock.model import OrderLine
from omnistock.model.calendar import Moment, to_seconds

__all__ = ["GroupLine", "group_lines", "plan_group", "plan_line"]


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A line of a group: its question, its units, and the first bucket it is wanted for."""

    sku: str
    units: int
    detail: AskerDetail
    asked: Question
    bucket: int


def first_bucket(writer: Writer, state: State, by: Moment | None) -> int:
    """Bucket from which on a demand may be met: that of ``by``, but not in the past."""
    current = int(state.stock[layout.BUCKET])
    if by is None:
        return current
    calendar = writer.registry.calendar
    return max(current, calendar.bucket_of(to_seconds(by, calendar.time_zone)))


def available_at(writer: Writer, state: State, asked: Question, bucket: int) -> int:
    """Units available for a bucket."""
    return ask(state, asked.at_bucket(bucket, writer.registry.calendar.start_of(bucket)))


def plan_line(
    writer: Writer, state: State, line: GroupLine, *, order: str = "", partial: bool = False,
    minimum_shipment: int = 1, latest: Moment | None = None,
) -> Promise:  # fmt: skip
    """Find when a line's units can be had: all at once, or in parts as they come.

    A unit delivered is gone from every later bucket too, so what a bucket still
    offers is what it offers without the line, less what was delivered before.
    """
    last = int(state.stock[layout.BUCKET] + state.stock[layout.N_BUCKETS])
    if latest is not None:
        last = min(last, first_bucket(writer, state, latest) + 1)
    label = writer.registry.calendar.label
    deliveries: list[tuple[int, int]] = []
    left = line.units
    for bucket in range(line.bucket, last):
        units = available_at(writer, state, line.asked, bucket) - (line.units - left)
        enough = units >= left or (partial and units >= max(1, minimum_shipment))
        if not enough:
            continue
        part = min(units, left)
        if 0 < left - part < minimum_shipment:
            # What would be left is too little to be sent alone.
            part = left - minimum_shipment
            if part < minimum_shipment:
                continue
        deliveries.append((bucket, part))
        left -= part
        if left == 0:
            break
    delay = deliveries[-1][0] - line.bucket if deliveries else 0
    return Promise(
        order=order,
        sku=line.sku,
        deliveries=tuple(
            Delivery(label(bucket), units, line.detail.get("node")) for bucket, units in deliveries
        ),
        short=left,
        delay_buckets=delay,
    )


def group_lines(
    writer: Writer, state: State, lines: Sequence[Any], detail: AskerDetail
) -> list[GroupLine]:
    """Read the lines of a group: (sku, quantity), OrderLine, Demand, or a mapping of fields."""
    found = []
    for one in lines:
        fields = _fields(one)
        mine: AskerDetail = {**detail, **fields}  # type: ignore[typeddict-item]
        for name in ("sku", "quantity"):
            mine.pop(name, None)  # type: ignore[misc]
        sku = str(fields["sku"])
        item = writer.registry.sku_list[writer.registry.sku(sku)]
        units = item.smallest_units(fields["quantity"])
        if units < 1:
            raise InputError(f"SKU {sku!r}: quantity must be >= 1, got {fields['quantity']}")
        asked = question(writer, sku, mine)
        bucket = first_bucket(writer, state, mine.get("by"))
        found.append(GroupLine(sku, units, mine, asked, bucket))
    if not found:
        raise InputError("a group needs at least one line")
    return found


def _fields(one: Any) -> dict[str, Any]:
    if isinstance(one, Mapping):
        unknown = set(one) - {"sku", "quantity", "by", "node", "lot", "channel"}
        if unknown:
            raise InputError(f"a line has sku, quantity, by, node, lot; not {sorted(unknown)}")
        fields = dict(one)
    elif isinstance(one, OrderLine):
        fields = {"sku": one.sku, "quantity": one.quantity, "node": one.node, "lot": one.lot}
    elif isinstance(one, Demand):
        fields = {"sku": one.sku, "quantity": one.quantity, "node": one.node, "by": one.by}
        fields["channel"] = one.channel
    else:
        sku, quantity, *rest = one
        fields = {"sku": sku, "quantity": quantity, "node": rest[0] if rest else None}
    return {name: value for name, value in fields.items() if value is not None}


def plan_group(
    writer: Writer, state: State, lines: Sequence[GroupLine], policy: str
) -> GroupPromise:
    """Promise lines that belong together.

    Lines of one SKU are met one after another: what the first takes, the next lacks.
    """
    if policy == "independent":
        promises = _one_by_one(writer, state, lines)
    elif policy == "ship_together":
        promises = _together(writer, state, lines)
    elif policy == "ratio":
        promises = _in_ratio(writer, state, lines)
    else:
        raise InputError(
            f"policy must be 'independent', 'ship_together' or 'ratio', got {policy!r}"
        )
    dates: dict[str, str | None] = {}
    for one in promises:
        last = one.deliveries[-1].date if one.deliveries and not one.short else None
        known = dates.get(one.sku, last)
        dates[one.sku] = None if last is None or known is None else max(known, last)
    shipments = {part.date for one in promises for part in one.deliveries}
    return GroupPromise(tuple(promises), dates, len(shipments))


def _taken_before(lines: Sequence[GroupLine], k: int) -> int:
    """Units that the lines before line k want of the same SKU."""
    return sum(one.units for one in lines[:k] if one.sku == lines[k].sku)


def _one_by_one(writer: Writer, state: State, lines: Sequence[GroupLine]) -> list[Promise]:
    last = int(state.stock[layout.BUCKET] + state.stock[layout.N_BUCKETS])
    promises = []
    for k, line in enumerate(lines):
        before = _taken_before(lines, k)
        found = None
        for bucket in range(line.bucket, last):
            if available_at(writer, state, line.asked, bucket) - before >= line.units:
                found = bucket
                break
        promises.append(_whole(writer, line, found))
    return promises


def _whole(writer: Writer, line: GroupLine, bucket: int | None) -> Promise:
    if bucket is None:
        return Promise("", line.sku, (), line.units, 0)
    date = writer.registry.calendar.label(bucket)
    return Promise(
        "",
        line.sku,
        (Delivery(date, line.units, line.detail.get("node")),),
        0,
        bucket - line.bucket,
    )


def _together(writer: Writer, state: State, lines: Sequence[GroupLine]) -> list[Promise]:
    """All lines in the first bucket that has every one of them, none before it is wanted."""
    last = int(state.stock[layout.BUCKET] + state.stock[layout.N_BUCKETS])
    for bucket in range(max(line.bucket for line in lines), last):
        if all(
            available_at(writer, state, line.asked, bucket) - _taken_before(lines, k) >= line.units
            for k, line in enumerate(lines)
        ):
            return [_whole(writer, line, bucket) for line in lines]
    return [_whole(writer, line, None) for line in lines]


def _in_ratio(writer: Writer, state: State, lines: Sequence[GroupLine]) -> list[Promise]:
    """Whole sets in the lines' ratio, as many as each bucket completes."""
    total = math.gcd(*(line.units for line in lines))
    last = int(state.stock[layout.BUCKET] + state.stock[layout.N_BUCKETS])
    per_sku: dict[str, int] = {}
    for line in lines:
        per_sku[line.sku] = per_sku.get(line.sku, 0) + line.units // total
    label = writer.registry.calendar.label
    sets = 0
    parts: list[tuple[int, int]] = []
    for bucket in range(max(line.bucket for line in lines), last):
        most = min(
            available_at(writer, state, line.asked, bucket) // per_sku[line.sku] for line in lines
        )
        more = min(total, most) - sets
        if more > 0:
            parts.append((bucket, more))
            sets += more
        if sets == total:
            break
    return [
        Promise(
            "",
            line.sku,
            tuple(Delivery(label(b), more * line.units // total) for b, more in parts),
            (total - sets) * line.units // total,
            parts[-1][0] - line.bucket if parts else 0,
        )
        for line in lines
    ]
