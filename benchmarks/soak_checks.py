"""What must hold after every frame of a soak, worked out from the whole state at once.

Each check is a sum over all holds, lines or receipts by numpy, by another route than the
kernels, which only ever add differences.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

import omnistock as om
from omnistock.availability import layout
from omnistock.availability.arena import State, rows
from omnistock.engine import Engine

Int64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def first_differences(what: str, got: Int64, expected: Int64) -> list[str]:
    """Name the first rows in which two columns differ."""
    wrong = np.flatnonzero(got != expected)
    return [
        f"{what} {row}: {got[row]}, not {expected[row]} ({len(wrong)} rows differ)"
        for row in wrong[:1].tolist()
    ]


def by_point(state: State, lines: Int64, chosen: Bools) -> Int64:
    """Open units of the chosen lines by stockpoint."""
    points = lines[chosen, layout.LINE_POINT]
    units = lines[chosen, layout.OPEN]
    found = np.bincount(points, weights=units, minlength=int(state.stock[layout.N_POINTS]))
    return found.astype(np.int64)


def current_lines(state: State) -> tuple[Int64, Int64]:
    """Lines that belong to a hold, and the status of the hold of each."""
    lines = rows(state, "lines")
    holds = rows(state, "holds")
    owner = holds[lines[:, layout.LINE_HOLD]]
    first = owner[:, layout.FIRST_LINE]
    number = np.arange(len(lines))
    # A hold that was changed has new lines; its old ones are nobody's.
    mine = (number >= first) & (number < first + owner[:, layout.LINES_OF_HOLD])
    return lines[mine], owner[mine, layout.STATUS]


def check_promises(state: State) -> list[str]:
    """Reserved and committed are what holds have open; the balance is what they leave."""
    points = rows(state, "points")
    lines, status = current_lines(state)
    soft = by_point(state, lines, status == layout.HELD)
    is_hard = (status == layout.CONFIRMED) | (status == layout.PICKED)
    hard = by_point(state, lines, is_hard)
    today = int(state.stock[layout.BUCKET])
    due = lines[:, layout.LINE_BUCKET] <= today
    promised = by_point(state, lines, due & (is_hard | (status == layout.HELD)))
    inbound = rows(state, "inbound")
    now = inbound[inbound[:, layout.INBOUND_BUCKET] == today]
    receipts = np.bincount(
        now[:, layout.INBOUND_POINT], weights=now[:, layout.REMAINING], minlength=len(points)
    ).astype(np.int64)
    base = state.records[: len(points), layout.BASE].astype(np.int64)
    return [
        *first_differences("reserved at stockpoint", points[:, layout.RESERVED], soft),
        *first_differences("committed at stockpoint", points[:, layout.COMMITTED], hard),
        *first_differences(
            "balance of stockpoint", base, points[:, layout.ON_HAND] + receipts - promised
        ),
    ]


def check_units(state: State, entered: Int64) -> list[str]:
    """Units are conserved: on hand and shipped for good is what came in, by SKU."""
    points = rows(state, "points")
    lines, _ = current_lines(state)
    gone = lines[:, layout.LINE_SHIPPED] - lines[:, layout.RETURNED]
    sku = points[lines[:, layout.LINE_POINT], layout.POINT_SKU]
    size = len(entered)
    have = np.bincount(points[:, layout.POINT_SKU], points[:, layout.ON_HAND], size)
    have += np.bincount(sku, gone, size)
    return first_differences("units of SKU", have.astype(np.int64), entered)


def check_oversold(state: State, cut: Bools) -> list[str]:
    """No stockpoint is promised below nothing, unless its supply was cut."""
    count = int(state.stock[layout.N_POINTS])
    records = state.records[:count].astype(np.int64)
    left = records[:, layout.BASE] + records[:, layout.MINIMA]
    wrong = np.flatnonzero((left < 0) & ~cut[:count])
    return [f"stockpoint {s} is oversold by {-left[s]}" for s in wrong[:3].tolist()]


def check_quotas(state: State) -> list[str]:
    """No quota in force has given more than it has; one that has ended no longer restricts."""
    limits = rows(state, "limits")
    units = limits[:, layout.LIMIT_UNITS]
    until = limits[:, layout.LIMIT_UNTIL]
    quota = (limits[:, layout.LIMIT_KIND] == layout.QUOTA) & (units >= 0)
    quota &= (until == 0) | (until > state.stock[layout.NOW])
    wrong = np.flatnonzero(quota & (limits[:, layout.LIMIT_USED] > units))
    return [f"limit {row} gave more than its {units[row]} units" for row in wrong[:3].tolist()]


def check_answers(engine: Engine, questions: Iterable[dict[str, object]]) -> list[str]:
    """What is available can be reserved, and one unit more cannot."""
    found = []
    for question in questions:
        sku = str(question["sku"])
        asker = {name: value for name, value in question.items() if name != "sku"}
        units = engine.available(sku, **asker)  # type: ignore[arg-type]
        for quantity, possible in ((units, True), (units + 1, False)):
            if quantity == 0:
                continue
            try:
                engine.reserve("dry", [(sku, quantity)], dry_run=True, **asker)  # type: ignore[arg-type]
                got = True
            except om.OutOfStock:
                got = False
            if got != possible:
                found.append(f"{question}: {units} available, reserving {quantity}: {got}")
    return found


def contents(engine: Engine) -> dict[str, Int64]:
    """All that an engine knows, free of where it lies in memory."""
    state = engine._writer.state
    named = ("points", "holds", "lines", "inbound", "limits", "deltas", "orders")
    found = {name: rows(state, name).copy() for name in named}
    count = int(state.stock[layout.N_POINTS])
    records = state.records[:count].astype(np.int64)
    # The number of a row of dated flows depends on what was tried and refused, too.
    found["records"] = np.delete(records, layout.FLOW_ROW, axis=1)
    return found


def check_replay(before: dict[str, Int64], after: dict[str, Int64]) -> list[str]:
    """An engine that was opened again knows what it knew."""
    return [
        f"section {name} differs after replay"
        for name, table in before.items()
        if not np.array_equal(table, after[name])
    ]
