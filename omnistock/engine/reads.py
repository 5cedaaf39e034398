"""What can be asked of an engine: available, why, when, and what there is."""

from __future__ import annotations

import dataclasses

import numpy as np

from omnistock.availability.layout import (
    BASE,
    BUCKET,
    BUFFER,
    CHANNEL_BUFFER,
    COMMITTED,
    FLOW_ROW,
    LIMIT_ROW,
    MINIMA,
    N_BUCKETS,
    N_CHANNELS,
    N_HOLDS,
    N_POINTS,
    NODE_ACTIVE,
    NOW,
    ON_HAND,
    POINT_NODE,
    POINT_SKU,
    PROTECTION,
    PROTECTION_UNTIL,
    PROTECTION_USED,
    QUOTA,
    QUOTA_UNTIL,
    QUOTA_USED,
    RESERVED,
    STATUS,
    STATUS_NAMES,
    State,
)
from omnistock.availability.machine import available_units, line_units
from omnistock.engine.answers import read_hold
from omnistock.engine.results import AtpRow, Explanation, Hold
from omnistock.engine.writer import Writer
from omnistock.errors import InputError, Shortage

__all__ = ["atp_rows", "available", "explain", "holds", "stock_columns"]


def _ahead(writer: Writer, state: State, by: int | None) -> int:
    """Buckets from the current one to the moment ``by``; beyond the horizon is its last."""
    if by is None:
        return 0
    ahead = writer.registry.calendar.bucket_of(by) - int(state.counts[BUCKET])
    return min(max(ahead, 0), int(state.counts[N_BUCKETS]) - 1)


def available(
    writer: Writer, state: State, sku: str, channel: str | None, node: str | None, by: int | None
) -> int:
    """Return the units that ``reserve`` would hold for this asker."""
    registry = writer.registry
    code = registry.sku(sku)
    where = -1 if node is None else registry.node(node)
    components = registry.components(code)
    bucket = int(state.counts[BUCKET]) + _ahead(writer, state, by)
    words = [code, where, bucket, 0, len(components)]
    for component, per in components:
        words += (component, per)
    return int(line_units(state, np.array(words, np.int64), registry.channel(channel)))


def available_many(
    state: State, skus: np.ndarray, channels: np.ndarray, nodes: np.ndarray
) -> np.ndarray:
    """Available units for arrays of stocked-SKU, channel and node codes (node -1: any)."""
    return available_units(
        state, skus=skus, nodes=nodes, channels=channels, ahead=np.zeros(len(skus), np.int64)
    )


def atp_rows(writer: Writer, state: State, sku: str, node: str) -> tuple[AtpRow, ...]:
    """Return the time-phased rows of one stockpoint."""
    registry = writer.registry
    pair = (registry.stocked_sku(sku), registry.node(node))
    n_buckets = int(state.counts[N_BUCKETS])
    current = int(state.counts[BUCKET])
    s = registry.points.get(pair)
    receipts, promises, minima, base, buffer = _flows(state, s)
    rows = []
    projected = base
    for t in range(n_buckets):
        slot = (current + t) % n_buckets
        if t:
            projected += int(receipts[slot]) - int(promises[slot])
        due = int(promises[slot]) if t else _due_now(state, s, promises)
        rows.append(
            AtpRow(
                bucket=registry.calendar.label(current + t),
                receipts=int(receipts[slot]),
                commitments=due,
                projected=projected,
                atp=max(0, base + int(minima[t]) - buffer),
            )
        )
    return tuple(rows)


def _flows(state: State, s: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, int]:
    """Receipts and promises by slot, look-ahead minima, base and buffer of a stockpoint."""
    n_buckets = int(state.counts[N_BUCKETS])
    none = np.zeros(n_buckets, np.int64)
    if s is None:
        return none, none, none, 0, 0
    record = state.records[s].astype(np.int64)
    row = int(record[FLOW_ROW])
    if row < 0:
        return none, none, record[MINIMA:], int(record[BASE]), int(record[BUFFER])
    flows = state.flows[row].astype(np.int64)
    return (
        flows[:n_buckets],
        flows[n_buckets:],
        record[MINIMA:],
        int(record[BASE]),
        int(record[BUFFER]),
    )


def _due_now(state: State, s: int | None, promises: np.ndarray) -> int:
    """Units promised up to the current bucket: all open ones but those dated later."""
    if s is None:
        return 0
    open_units = int(state.points[s, RESERVED] + state.points[s, COMMITTED])
    return open_units - int(promises.sum())


def holds(writer: Writer, state: State, status: str | None, order: str | None) -> list[Hold]:
    """Return holds, oldest first, of one status or order if named."""
    if status is not None and status not in STATUS_NAMES[1:]:
        raise InputError(f"status must be one of {STATUS_NAMES[1:]}, got {status!r}")
    if order is not None:
        numbers = writer.of_order(order)
    else:
        numbers = list(range(int(state.counts[N_HOLDS])))
    if status is not None:
        wanted = STATUS_NAMES.index(status)
        numbers = [hold for hold in numbers if state.holds[hold, STATUS] == wanted]
    return [read_hold(writer, hold) for hold in numbers]


def stock_columns(writer: Writer, state: State) -> dict[str, np.ndarray]:
    """Return one row per stockpoint: what it has, has promised, expects and could promise now."""
    count = int(state.counts[N_POINTS])
    points = state.points[:count]
    records = state.records[:count].astype(np.int64)
    n_buckets = int(state.counts[N_BUCKETS])
    inbound = np.zeros(count, np.int64)
    dated = records[:, FLOW_ROW] >= 0
    if dated.any():
        rows = records[dated, FLOW_ROW]
        inbound[dated] = state.flows[rows, :n_buckets].sum(axis=1)
    active = state.nodes[points[:, POINT_NODE], NODE_ACTIVE] != 0
    free = np.maximum(0, records[:, BASE] + records[:, MINIMA] - records[:, BUFFER])
    registry = writer.registry
    skus = np.array([one.sku for one in registry.sku_list], object)
    nodes = np.array([one.node for one in registry.node_list], object)
    return {
        "sku": skus[points[:, POINT_SKU]] if count else np.zeros(0, object),
        "node": nodes[points[:, POINT_NODE]] if count else np.zeros(0, object),
        "on_hand": points[:, ON_HAND].copy(),
        "reserved": points[:, RESERVED].copy(),
        "committed": points[:, COMMITTED].copy(),
        "inbound": inbound,
        "buffer": records[:, BUFFER],
        "available": np.where(active, free, 0),
    }


def with_next_date(writer: Writer, state: State, short: Shortage, channel: str | None) -> Shortage:
    """Add to a shortage the first bucket in which the whole quantity could be promised."""
    calendar = writer.registry.calendar
    current = int(state.counts[BUCKET])
    for bucket in range(current + 1, current + int(state.counts[N_BUCKETS])):
        by = calendar.start_of(bucket)
        if available(writer, state, short.sku, channel, short.node, by) >= short.requested:
            return dataclasses.replace(short, next_date=calendar.label(bucket))
    return short


# --- the waterfall ----------------------------------------------------------


def explain(
    writer: Writer, state: State, sku: str, channel: str | None, node: str | None, by: int | None
) -> Explanation:
    """Return the waterfall from on hand to available, and what binds."""
    registry = writer.registry
    code = registry.sku(sku)
    components = registry.components(code)
    if registry.sku_list[code].components:
        return _explain_kit(writer, state, sku, components, channel, node, by)
    asker = registry.channel(channel)
    where = -1 if node is None else registry.node(node)
    t = _ahead(writer, state, by)
    steps, pool, everything = _stock_steps(state, code, asker, where, t)
    left = pool
    for label, units in _limit_steps(state, code, asker, t, pool, everything, where):
        steps.append((label, units))
        left += units
    units = available(writer, state, sku, channel, node, by)
    assert left == units, f"the waterfall of {sku!r} ends at {left}, available is {units}"
    shown = tuple((label, step) for k, (label, step) in enumerate(steps) if step or not k)
    return Explanation(sku, channel, node, shown, units, _binding(shown))


def _explain_kit(
    writer: Writer,
    state: State,
    sku: str,
    components: tuple[tuple[int, int], ...],
    channel: str | None,
    node: str | None,
    by: int | None,
) -> Explanation:
    """Explain a kit by its components; the scarcest one binds."""
    parts = []
    counts = []
    for component, per in components:
        name = writer.registry.sku_list[component].sku
        part = explain(writer, state, name, channel, node, by)
        parts.append(part)
        counts.append((part.available // per, name, per, part.available))
    units, name, per, of_component = min(counts)
    step = (f"kits from {of_component} of {name}, {per} each", units)
    binding = f"component {name}"
    return Explanation(sku, channel, node, (step,), units, binding, tuple(parts))


def _binding(steps: tuple[tuple[str, int], ...]) -> str:
    """The last constraint that took something; plain stock if none did."""
    taken = [label for label, units in steps[1:] if units < 0]
    return taken[-1] if taken else "stock"


def _stock_steps(
    state: State, sku: int, channel: int, node: int, t: int
) -> tuple[list[tuple[str, int]], int, int]:
    """Steps down to the free units of the asker's nodes; with the free units of all nodes."""
    count = int(state.counts[N_POINTS])
    points = state.points[:count]
    mine = points[:, POINT_SKU] == sku
    nodes = points[mine, POINT_NODE]
    records = state.records[:count][mine].astype(np.int64)
    on_hand = points[mine, ON_HAND]
    promised = points[mine, RESERVED], points[mine, COMMITTED]
    active = state.nodes[nodes, NODE_ACTIVE] != 0
    raw = records[:, BASE] + records[:, MINIMA + t]
    free = np.maximum(0, raw - records[:, BUFFER])
    everything = int(free[active].sum())
    asked = np.full(len(nodes), True) if node < 0 else nodes == node
    serving = asked & active & (state.channel_nodes[channel, nodes] != 0)
    balance_t, receipts = _balances(state, records, t)
    soft_and_hard = promised[0] + promised[1]
    due = on_hand + receipts - balance_t
    soft = np.where(soft_and_hard > 0, np.minimum(promised[0], due), 0)
    here = serving
    steps = [
        ("on hand", int(on_hand[asked].sum())),
        ("at nodes off or not serving", -int(on_hand[asked & ~serving].sum())),
        ("due by then", int(receipts[here].sum())),
        ("held in carts", -int(soft[here].sum())),
        ("committed to orders", -int((due - soft)[here].sum())),
        ("promised for later", -int((balance_t - raw)[here].sum())),
        ("short at other nodes", int((np.maximum(raw, 0) - raw)[here].sum())),
        ("safety buffer", -int((np.maximum(raw, 0) - free)[here].sum())),
    ]
    return steps, int(free[here].sum()), everything


def _balances(state: State, records: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Balance at the end of bucket ``t``, and receipts up to it, for rows of records."""
    n_buckets = int(state.counts[N_BUCKETS])
    current = int(state.counts[BUCKET])
    balance = records[:, BASE].copy()
    receipts = np.zeros(len(records), np.int64)
    dated = np.flatnonzero(records[:, FLOW_ROW] >= 0)
    flows = state.flows[records[dated, FLOW_ROW]].astype(np.int64)
    for ahead in range(t + 1):
        slot = (current + ahead) % n_buckets
        receipts[dated] += flows[:, slot]
        if ahead:
            balance[dated] += flows[:, slot] - flows[:, n_buckets + slot]
    return balance, receipts


def _limit_steps(
    state: State, sku: int, channel: int, t: int, pool: int, everything: int, node: int
) -> list[tuple[str, int]]:
    """What the channel's buffer, the others' protections and its quota take from the pool."""
    row = int(state.skus[sku, LIMIT_ROW])
    if row < 0 or pool == 0:
        return []
    now = int(state.counts[NOW])
    network_pool = pool if node < 0 else _stock_steps(state, sku, channel, -1, t)[1]
    left = pool
    steps = []
    limits = state.limits[row]
    until = state.limits_until[row]
    kept = int(limits[channel, CHANNEL_BUFFER])
    if kept:
        ceiling = max(0, network_pool - kept)
        steps.append(("channel buffer", min(0, ceiling - left)))
        left = min(left, ceiling)
    others = 0
    for other in range(int(state.counts[N_CHANNELS])):
        ended = 0 < until[other, PROTECTION_UNTIL] <= now
        if other != channel and not ended:
            others += max(0, int(limits[other, PROTECTION] - limits[other, PROTECTION_USED]))
    if others:
        ceiling = max(0, everything - others)
        steps.append(("protected for other channels", min(0, ceiling - left)))
        left = min(left, ceiling)
    ended = 0 < until[channel, QUOTA_UNTIL] <= now
    if limits[channel, QUOTA] >= 0 and not ended:
        ceiling = max(0, int(limits[channel, QUOTA] - limits[channel, QUOTA_USED]))
        steps.append(("above the channel's quota", min(0, ceiling - left)))
    return steps
