"""Time-phased rows of a stockpoint and pegs between demand and supply."""

from __future__ import annotations

import numpy as np

from omnistock.availability import layout, pegging
from omnistock.availability.arena import State, rows
from omnistock.availability.rows import Fences, apply_fences, atp_rows
from omnistock.engine.results import AtpRow, Peg
from omnistock.engine.writer import Writer
from omnistock.errors import InputError

__all__ = ["peg_order", "peg_question", "rows_of"]


def _points_at(writer: Writer, state: State, sku: str, node: str | None) -> list[int]:
    """Stockpoints of a SKU that can be promised from, at a node or everywhere."""
    registry = writer.registry
    code = registry.stocked_sku(sku)
    place = None if node is None else registry.node(node)
    points = rows(state, "points")
    tags = rows(state, "tags")
    return [
        s
        for s in writer.book.points_of(code)
        if (place is None or points[s, layout.POINT_NODE] == place)
        and tags[points[s, layout.POINT_TAG], layout.TAG_SELLABLE]
    ]


def _dated(state: State, points: list[int]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Receipts and open promises of stockpoints, each as (bucket, units), overdue ones too."""
    inbound = rows(state, "inbound")
    mine = np.isin(inbound[:, layout.INBOUND_POINT], points) & (inbound[:, layout.REMAINING] > 0)
    receipts = inbound[mine][:, [layout.INBOUND_BUCKET, layout.REMAINING]].tolist()
    lines = rows(state, "lines")
    live = np.isin(rows(state, "holds")[:, layout.STATUS], layout.LIVE)
    mine = np.isin(lines[:, layout.LINE_POINT], points) & (lines[:, layout.OPEN] > 0)
    mine &= live[lines[:, layout.LINE_HOLD]] if len(live) else mine
    current = int(state.stock[layout.BUCKET])
    promises = lines[mine][:, [layout.LINE_BUCKET, layout.OPEN]].tolist()
    # A promise for "now" has no bucket of its own.
    return (
        [(bucket, units) for bucket, units in receipts],
        [(bucket or current, units) for bucket, units in promises],
    )


def _buffers(state: State, points: list[int], n_buckets: int) -> np.ndarray:
    """Buffer in force in each bucket, dated ones included."""
    table = rows(state, "points")
    steps = rows(state, "steps")
    current = int(state.stock[layout.BUCKET])
    total = np.zeros(n_buckets, np.int64)
    for s in points:
        total += max(0, int(state.records[s, layout.BUFFER]) + int(table[s, layout.BACKORDER]))
        row = int(table[s, layout.FIRST_STEP])
        before = int(table[s, layout.BUFFER_UNITS])
        while row >= 0:
            bucket, units, following = steps[row].tolist()
            total[max(0, bucket - current) :] += units - before
            before, row = units, following
    return total


def rows_of(
    writer: Writer, state: State, sku: str, node: str | None, method: str,
    fences: Fences | None, horizon: int | None,
) -> tuple[AtpRow, ...]:  # fmt: skip
    """Return the time-phased rows of a SKU at a node, the current bucket first."""
    n_buckets = int(state.stock[layout.N_BUCKETS]) if horizon is None else horizon
    if not 1 <= n_buckets <= int(state.stock[layout.N_BUCKETS]):
        raise InputError(f"horizon must lie in 1..{int(state.stock[layout.N_BUCKETS])} buckets")
    points = _points_at(writer, state, sku, node)
    current = int(state.stock[layout.BUCKET])
    receipts, promises = _dated(state, points)
    if fences is None:
        fences = Fences(
            supply=int(state.stock[layout.OVERDUE_BUCKETS]),
            supply_delay=int(state.stock[layout.OVERDUE_DELAY]),
        )
    dated = apply_fences(receipts, promises, today=current, n_buckets=n_buckets, fences=fences)
    on_hand = int(rows(state, "points")[points, layout.ON_HAND].sum()) if points else 0
    buffers = _buffers(state, points, n_buckets)
    figures = atp_rows(on_hand, dated.receipts, dated.commitments, buffers, method=method)
    label = writer.registry.calendar.label
    clamp = method == "lookahead_min"
    return tuple(
        AtpRow(
            bucket=label(current + t),
            receipts=int(figures.receipts[t]),
            commitments=int(figures.commitments[t]),
            projected=int(figures.projected[t]),
            free=int(figures.free[t]),
            atp=_figure(int(figures.atp[t]), clamp) if figures.has_atp[t] else None,
            cumulative_atp=int(figures.cumulative_atp[t]),
        )
        for t in range(n_buckets)
    )


def _figure(atp: int, clamp: bool) -> int:
    return max(0, atp) if clamp else atp


def _supplies(
    writer: Writer, state: State, points: list[int]
) -> tuple[list[int], list[int], list[str], list[int]]:
    """Bucket, units and name of each supply: on hand first, then receipts by row."""
    current = int(state.stock[layout.BUCKET])
    on_hand = int(rows(state, "points")[points, layout.ON_HAND].sum()) if points else 0
    buckets, units, names, etas = [pegging.ON_HAND], [max(0, on_hand)], ["stock"], [0]
    overdue = int(state.stock[layout.OVERDUE_BUCKETS])
    for row in rows(state, "inbound").tolist():
        if row[layout.INBOUND_POINT] not in points or row[layout.REMAINING] == 0:
            continue
        bucket = row[layout.INBOUND_BUCKET]
        undated = bucket == 1 << 30
        if not undated and bucket < current:
            if current - bucket > overdue:
                continue
            bucket = current + int(state.stock[layout.OVERDUE_DELAY])
        buckets.append(pegging.UNDATED if undated else bucket - current)
        units.append(row[layout.REMAINING])
        names.append(writer.registry.reference_list[row[layout.INBOUND_REFERENCE]])
        etas.append(bucket)
    return buckets, units, names, etas


def _pegs(
    writer: Writer, state: State, points: list[int], demands: list[tuple[int, int]],
    wanted: list[int], mode: str,
) -> tuple[Peg, ...]:  # fmt: skip
    buckets, units, names, etas = _supplies(writer, state, points)
    current = int(state.stock[layout.BUCKET])
    # What is due now takes what comes first, dated or not.
    due = [pegging.UNDATED if bucket <= current else bucket - current for bucket, _ in demands]
    found = pegging.peg(buckets, units, due, [amount for _, amount in demands], mode=mode)
    label = writer.registry.calendar.label
    merged: dict[int, int] = {}
    for demand, supply, amount in zip(
        found.demand.tolist(), found.supply.tolist(), found.units.tolist(), strict=True
    ):
        if demand in wanted:
            merged[supply] = merged.get(supply, 0) + amount
    pegs = []
    for supply, amount in merged.items():
        if supply == pegging.NO_SUPPLY:
            pegs.append(Peg(None, amount, False))
            continue
        dated = supply > 0 and etas[supply] != 1 << 30
        pegs.append(Peg(names[supply], amount, True, label(etas[supply]) if dated else None))
    return tuple(pegs)


def peg_order(writer: Writer, state: State, order: str, mode: str) -> tuple[Peg, ...]:
    """Peg what an order has open, beside all other open demand of the same SKUs."""
    holds = set(writer.book.of_order(order))
    if not holds:
        raise InputError(f"order {order!r} has no holds to peg")
    lines = rows(state, "lines")
    points = rows(state, "points")
    status = rows(state, "holds")[:, layout.STATUS]
    live = lines[
        (lines[:, layout.OPEN] > 0) & np.isin(status[lines[:, layout.LINE_HOLD]], layout.LIVE)
    ]
    skus = points[live[:, layout.LINE_POINT], layout.POINT_SKU]
    mine = np.isin(live[:, layout.LINE_HOLD], list(holds))
    pegs: tuple[Peg, ...] = ()
    for sku in sorted(set(skus[mine].tolist())):
        of_sku = live[skus == sku]
        demands = of_sku[:, [layout.LINE_BUCKET, layout.OPEN]].tolist()
        wanted = np.flatnonzero(np.isin(of_sku[:, layout.LINE_HOLD], list(holds))).tolist()
        name = writer.registry.sku_list[sku].sku
        at = _points_at(writer, state, name, None)
        pegs += _pegs(writer, state, at, [(b, u) for b, u in demands], wanted, mode)
    return pegs


def peg_question(
    writer: Writer, state: State, sku: str, units: int, by: int | None, node: str | None, mode: str
) -> tuple[Peg, ...]:
    """Peg a demand that nobody has placed yet, after all that have been."""
    points = _points_at(writer, state, sku, node)
    _, promises = _dated(state, points)
    bucket = 0 if by is None else writer.registry.calendar.bucket_of(by)
    demands = [*promises, (bucket, units)]
    return _pegs(writer, state, points, demands, [len(demands) - 1], mode)
