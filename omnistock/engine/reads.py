"""What can be asked of an engine: available, why, when, and what there is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnistock.availability import layout
from omnistock.availability.arena import State, rows
from omnistock.availability.holds import lend
from omnistock.availability.layout import (
    BASE,
    BUCKET,
    BUFFER,
    FLOW_ROW,
    MINIMA,
    N_BUCKETS,
    NODE_ACTIVE,
    ON_HAND,
    POINT_NODE,
    POINT_SKU,
    POINT_TAG,
)
from omnistock.availability.machine import available_units, line_units
from omnistock.engine.answers import read_hold
from omnistock.engine.askers import Asker, AskerDetail
from omnistock.engine.commands import life_seconds, only
from omnistock.engine.results import Hold
from omnistock.engine.writer import Writer
from omnistock.errors import InputError, Shortage
from omnistock.model.calendar import to_seconds

__all__ = ["Question", "available_many", "holds", "question", "stock_columns", "with_next_date"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question in codes: the line's words, who asks, and whether kits must be whole."""

    words: np.ndarray
    asker: int
    together: bool

    def at_bucket(self, bucket: int, start: int) -> Question:
        """The same question for a bucket that begins at the second ``start``."""
        words = self.words.copy()
        words[2] = bucket
        words[5] = start
        return Question(words, self.asker, self.together)


def question(writer: Writer, sku: str, detail: AskerDetail, *, together: bool = False) -> Question:
    """Turn the keywords of a question into codes.

    Somebody who asks for the first time is entered into the state, which may then lie in other
    arrays: take ``writer.state`` after this, not a state from before.
    """
    only(detail, AskerDetail)
    registry = writer.registry
    asker = writer.asker(
        Asker.of(
            detail.get("channel"),
            detail.get("segment", ""),
            detail.get("attributes"),
            detail.get("nodes", ()),
        )
    )
    code = registry.sku(sku)
    node = detail.get("node")
    lot = detail.get("lot")
    by = detail.get("by")
    due = 0 if by is None else to_seconds(by, registry.calendar.time_zone)
    components = registry.components(code)
    words = [
        code,
        -1 if node is None else registry.node(node),
        0 if by is None else registry.calendar.bucket_of(due),
        0,
        -1 if lot is None else registry.lots.get(lot, 1 << 30),
        due,
        life_seconds(detail.get("min_remaining_days", 0)),
        len(components),
    ]
    for component, per in components:
        words += (component, per)
    return Question(np.array(words, np.int64), asker, together)


def ask(state: State, asked: Question) -> int:
    """Return the units that ``reserve`` would hold for this asker."""
    return int(line_units(state, asked.words, asked.asker, asked.together))


def ask_without(writer: Writer, asked: Question, orders: tuple[str, ...]) -> int:
    """As :func:`ask`, as if the holds of some orders had never been."""
    numbers = [hold for order in orders for hold in writer.book.of_order(order)]
    with writer.paused() as state:
        for hold in numbers:
            lend(state, hold, -1)
        try:
            return ask(state, asked)
        finally:
            for hold in numbers:
                lend(state, hold, 1)


def available_many(
    state: State, skus: np.ndarray, askers: np.ndarray, nodes: np.ndarray
) -> np.ndarray:
    """Available units for arrays of stocked-SKU, asker and node codes (node -1: any)."""
    return available_units(
        state, skus=skus, nodes=nodes, askers=askers, ahead=np.zeros(len(skus), np.int64)
    )


def raw_available(state: State, asked: Question) -> int:
    """Balance less buffer over the stockpoints asked about, negative where stock is short."""
    total = 0
    t = ahead_of(state, int(asked.words[2]))
    points = rows(state, "points")
    for component in asked.words[8::2]:
        mine = points[:, POINT_SKU] == component
        if asked.words[1] >= 0:
            mine &= points[:, POINT_NODE] == asked.words[1]
        records = state.records[: len(points)][mine].astype(np.int64)
        total += int((records[:, BASE] + records[:, MINIMA + t] - records[:, BUFFER]).sum())
    return total


def at_level(state: State, asked: Question, level: str) -> int:
    """Units on hand less those bound by orders scheduled, or released to the floor."""
    points = rows(state, "points")
    nodes = rows(state, "nodes")
    tags = rows(state, "tags")
    bound = {"schedule": layout.COMMITTED, "ship": layout.PICKING}[level]
    most = []
    for component, per in zip(asked.words[8::2], asked.words[9::2], strict=True):
        mine = points[:, POINT_SKU] == component
        mine &= nodes[points[:, POINT_NODE], NODE_ACTIVE] != 0
        mine &= tags[points[:, POINT_TAG], layout.TAG_SELLABLE] != 0
        if asked.words[1] >= 0:
            mine &= points[:, POINT_NODE] == asked.words[1]
        free = np.maximum(0, points[mine, ON_HAND] - points[mine, bound])
        most.append(int(free.sum()) // int(per))
    return min(most)


def ahead_of(state: State, bucket: int) -> int:
    """Return buckets from the current one to ``bucket``, held within the horizon."""
    ahead = bucket - int(state.stock[BUCKET])
    return min(max(ahead, 0), int(state.stock[N_BUCKETS]) - 1)


def holds(writer: Writer, state: State, status: str | None, order: str | None) -> list[Hold]:
    """Return holds, oldest first, of one status or order if named."""
    if status is not None and status not in layout.STATUS_NAMES[1:]:
        raise InputError(f"status must be one of {layout.STATUS_NAMES[1:]}, got {status!r}")
    table = rows(state, "holds")
    numbers = list(range(len(table))) if order is None else writer.book.of_order(order)
    if status is not None:
        wanted = layout.STATUS_NAMES.index(status)
        numbers = [hold for hold in numbers if table[hold, layout.STATUS] == wanted]
    return [read_hold(writer, hold) for hold in numbers]


def stock_columns(writer: Writer, state: State) -> dict[str, Any]:
    """Return one row per stockpoint: what it has, has promised, expects and could promise now."""
    points = rows(state, "points")
    count = len(points)
    records = state.records[:count].astype(np.int64)
    n_buckets = int(state.stock[N_BUCKETS])
    inbound = np.zeros(count, np.int64)
    dated = records[:, FLOW_ROW] >= 0
    if dated.any():
        inbound[dated] = rows(state, "flows")[records[dated, FLOW_ROW], :n_buckets].sum(axis=1)
    registry = writer.registry
    tags = rows(state, "tags")[points[:, POINT_TAG]]
    expires = tags[:, layout.TAG_EXPIRES]
    good = (expires == 0) | (expires > state.stock[layout.NOW])
    on = (rows(state, "nodes")[points[:, POINT_NODE], NODE_ACTIVE] != 0) & (
        points[:, layout.SWITCHED_OFF] == 0
    )
    on &= (tags[:, layout.TAG_SELLABLE] != 0) & good
    raw = records[:, BASE] + records[:, MINIMA]
    free = np.maximum(0, raw - records[:, BUFFER])
    skus = np.array([one.sku for one in registry.sku_list], object)
    nodes = np.array([one.node for one in registry.node_list], object)
    parts = registry.compartment_list
    kinds = points[:, POINT_TAG]
    return {
        "sku": skus[points[:, POINT_SKU]] if count else np.zeros(0, object),
        "node": nodes[points[:, POINT_NODE]] if count else np.zeros(0, object),
        "on_hand": points[:, ON_HAND].copy(),
        "reserved": points[:, layout.RESERVED].copy(),
        "committed": points[:, layout.COMMITTED].copy(),
        "inbound": inbound,
        "buffer": np.maximum(0, records[:, BUFFER] + points[:, layout.BACKORDER]),
        "available": np.where(on, free, 0),
        "backordered": np.maximum(0, -records[:, BASE]),
        "state": np.array([one.state for one in parts], object)[kinds],
        "segment": np.array([one.segment for one in parts], object)[kinds],
        "lot": np.array([one.lot for one in parts], object)[kinds],
        "owner": np.array([one.owner for one in parts], object)[kinds],
    }


def with_next_date(writer: Writer, state: State, asked: Question, short: Shortage) -> Shortage:
    """Add to a shortage the first bucket in which the whole quantity could be promised."""
    found = next_bucket(writer, state, asked, short.requested)
    if found is None:
        return short
    return dataclasses.replace(short, next_date=writer.registry.calendar.label(found))


def next_bucket(writer: Writer, state: State, asked: Question, units: int) -> int | None:
    """First bucket after the one asked about for which ``units`` are available."""
    calendar = writer.registry.calendar
    current = int(state.stock[BUCKET])
    first = max(current, int(asked.words[2])) + 1
    for bucket in range(first, current + int(state.stock[N_BUCKETS])):
        if ask(state, asked.at_bucket(bucket, calendar.start_of(bucket))) >= units:
            return bucket
    return None
