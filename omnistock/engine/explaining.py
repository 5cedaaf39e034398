"""The waterfall from on hand to available, step by step, and what binds."""

from __future__ import annotations

import numpy as np

from omnistock.availability import facts, layout
from omnistock.availability.arena import State, rows
from omnistock.availability.binds import what_binds
from omnistock.availability.layout import BASE, FLOW_ROW, N_BUCKETS, ON_HAND, POINT_NODE
from omnistock.engine.askers import AskerDetail
from omnistock.engine.late import with_movable
from omnistock.engine.reads import Question, ahead_of, ask, question
from omnistock.engine.results import Explanation
from omnistock.engine.writer import Writer

__all__ = ["explain"]

Steps = list[tuple[str, int]]


def explain(
    writer: Writer, state: State, sku: str, detail: AskerDetail, *, part: bool = False
) -> Explanation:
    """Return the waterfall of one question; for a kit's ``part`` no hold gives way."""
    asked = question(writer, sku, detail)
    state = writer.state
    code = writer.registry.sku(sku)
    channel, node = detail.get("channel"), detail.get("node")
    item = writer.registry.sku_list[code]
    if item.is_kit:
        return _explain_kit(writer, state, sku, asked, detail)
    if not item.tracked:
        units = ask(state, asked)
        step = ("not tracked: always available", units)
        return Explanation(sku, channel, node, (step,), units, "nothing")
    t = ahead_of(state, int(asked.words[2]))
    steps = _stock_steps(writer, state, asked, code, t)
    left = sum(units for _, units in steps)
    for label, units in _limit_steps(state, asked, code, t):
        steps.append((label, units))
        left += units
    units = ask(state, asked)
    if units != left:
        # Supply beyond the fence, or the room that a segment's protection leaves.
        beyond = "from supply beyond the fence"
        steps.append((beyond if units > left else _what_else(state), units - left))
    with_late = units if part else with_movable(writer, state, asked, units)
    steps.append(("late holds that would give way", with_late - units))
    units = with_late
    shown = tuple((label, step) for k, (label, step) in enumerate(steps) if step or not k)
    bound = layout.BINDING_NAMES[int(what_binds(state, asked.words, 0, asked.asker))]
    return Explanation(sku, channel, node, shown, units, _binding(shown, bound))


def _what_else(state: State) -> str:
    return "beyond what nodes can handle" if state.stock[layout.N_CAPACITIES] else "segment"


def _binding(steps: tuple[tuple[str, int], ...], bound: str) -> str:
    """The last constraint that took something; else what the kernels name."""
    taken = [label for label, units in steps[1:] if units < 0]
    return taken[-1] if taken else bound


def _explain_kit(
    writer: Writer, state: State, sku: str, asked: Question, detail: AskerDetail
) -> Explanation:
    """Explain a kit by its components; the scarcest one binds."""
    registry = writer.registry
    parts = []
    counts = []
    pairs = zip(asked.words[8::2].tolist(), asked.words[9::2].tolist(), strict=True)
    for component, per in pairs:
        name = registry.sku_list[component].sku
        part = explain(writer, state, name, detail, part=True)
        parts.append(part)
        counts.append((part.available // per, name, per, part.available))
    units, name, per, of_component = min(counts)
    step = (f"kits from {of_component} of {name}, {per} each", units)
    channel, node = detail.get("channel"), detail.get("node")
    return Explanation(sku, channel, node, (step,), units, f"component {name}", tuple(parts))


def _stock_steps(writer: Writer, state: State, asked: Question, sku: int, t: int) -> Steps:
    """Steps from on hand down to the free units of the asker's nodes."""
    points = np.array(writer.book.points_of(sku), np.int64)
    table = rows(state, "points")
    node = int(asked.words[1])
    if node >= 0:
        points = points[table[points, POINT_NODE] == node]
    found = np.zeros((len(points), facts.POINT_FACTS), np.int64)
    facts.point_facts_into(found, state, points, asked.asker, t, asked.words)
    serving = found[:, facts.SERVES] != 0
    on_hand = table[points, ON_HAND]
    here = points[serving]
    records = state.records[here].astype(np.int64)
    balance, receipts = _balances(state, records, t)
    raw = found[serving, facts.RAW]
    kept = found[serving, facts.KEPT]
    due = on_hand[serving] + receipts - balance
    soft = np.minimum(table[here, layout.RESERVED], np.maximum(0, due))
    net = raw - kept
    nodes = table[here, POINT_NODE]
    short = 0
    for one in np.unique(nodes):
        mine = net[nodes == one].sum()
        short += int(max(0, -mine))
    return [
        ("on hand", int(on_hand.sum())),
        ("at nodes or in lots that do not serve", -int(on_hand[~serving].sum())),
        ("due by then", int(receipts.sum())),
        ("held in carts", -int(soft.sum())),
        ("committed to orders", -int((due - soft).sum())),
        ("promised for later", -int(np.maximum(0, balance - raw).sum())),
        ("planned supply", int(np.maximum(0, raw - balance).sum())),
        ("safety buffer", -int(np.maximum(0, kept).sum())),
        ("may be backordered", int(np.maximum(0, -kept).sum())),
        ("short at other nodes", short),
    ]


def _balances(state: State, records: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Balance at the end of bucket ``t``, and receipts up to it, for rows of records."""
    n_buckets = int(state.stock[N_BUCKETS])
    current = int(state.stock[layout.BUCKET])
    balance = records[:, BASE].copy()
    receipts = np.zeros(len(records), np.int64)
    dated = np.flatnonzero(records[:, FLOW_ROW] >= 0)
    flows = rows(state, "flows")[records[dated, FLOW_ROW]]
    for ahead in range(t + 1):
        slot = (current + ahead) % n_buckets
        receipts[dated] += flows[:, slot]
        if ahead:
            balance[dated] += flows[:, slot] - flows[:, n_buckets + slot]
    return balance, receipts


def _limit_steps(state: State, asked: Question, sku: int, t: int) -> Steps:
    """What the asker's buffer, the others' protections and its quotas take from the pool."""
    if rows(state, "skus")[sku, layout.FIRST_LIMIT] < 0:
        return []
    found = np.zeros(facts.LIMIT_FACTS, np.int64)
    node = int(asked.words[1])
    facts.limit_facts_into(found, state, sku, node, asked.asker, t, asked.words)
    left = int(found[facts.POOL])
    if left == 0:
        return []
    steps: Steps = []
    for label, ceiling in (
        ("channel buffer", found[facts.EVERYWHERE] - found[facts.CHANNEL_BUFFER]),
        ("protected for others", found[facts.EVERYTHING] - found[facts.PROTECTED]),
        ("above the quota", found[facts.QUOTA_LEFT]),
    ):
        if label == "channel buffer" and not found[facts.CHANNEL_BUFFER]:
            continue
        if label == "protected for others" and not found[facts.PROTECTED]:
            continue
        most = max(0, int(ceiling))
        steps.append((label, min(0, most - left)))
        left = min(left, most)
    return steps
