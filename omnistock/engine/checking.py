"""Whether a quantity may be promised; and if not, why, how many, and when."""

from __future__ import annotations

import numpy as np

from omnistock.availability import layout
from omnistock.availability.arena import State, rows
from omnistock.availability.binds import what_binds
from omnistock.engine.askers import PREORDER_NODE, AskerDetail
from omnistock.engine.late import with_movable
from omnistock.engine.reads import Question, ahead_of, ask, ask_without, next_bucket, question
from omnistock.engine.results import AtpRow, Check
from omnistock.engine.writer import Writer
from omnistock.model import QuantityRule, Sku

__all__ = ["check", "check_rows"]


def check(
    writer: Writer, state: State, sku: str, units: int, detail: AskerDetail, *,
    rule: QuantityRule | None = None, together: bool = False, exclude: tuple[str, ...] = (),
) -> Check:  # fmt: skip
    """Check a quantity of a SKU, kit or bundle."""
    registry = writer.registry
    item = registry.sku_list[registry.sku(sku)]
    refused = item.refusal(units, rule)
    if any(option.required for option in item.options):
        return _check_bundle(writer, item, units, detail)
    asked = question(writer, sku, detail, together=together)
    state = writer.state
    if exclude:
        available = ask_without(writer, asked, exclude)
    else:
        available = with_movable(writer, state, asked, ask(state, asked))
    if refused is not None:
        return Check(False, available, code=refused, binding="quantity rule")
    label = registry.calendar.label
    if available >= units:
        mode, beyond = _mode(writer, state, asked, units)
        return Check(True, available, mode=mode, backorder=beyond)
    bound = int(what_binds(state, asked.words, 0, asked.asker))
    found = next_bucket(writer, state, asked, units)
    return Check(
        False,
        available,
        code="insufficient",
        binding=layout.BINDING_NAMES[bound],
        next_date=None if found is None else label(found),
    )


def _mode(writer: Writer, state: State, asked: Question, units: int) -> tuple[str, int]:
    """What a quantity is promised from, and how much of it is beyond stock."""
    registry = writer.registry
    components = asked.words[8::2].tolist()
    skus = [registry.sku_list[code] for code in components]
    if all(not sku.tracked for sku in skus):
        return "untracked", 0
    ahead = int(asked.words[2] - state.stock[layout.BUCKET])
    fences = [sku.replenishment_buckets for sku in skus]
    if any(fence is not None and ahead >= fence for fence in fences):
        return "planned", 0
    t = ahead_of(state, int(asked.words[2]))
    beyond = 0
    for code, per in zip(components, asked.words[9::2].tolist(), strict=True):
        have, allowed = _without_backorder(state, asked, code, t)
        if allowed:
            beyond = max(beyond, units * per - have)
    if beyond <= 0:
        return "stock", 0
    preorder = registry.nodes.get(PREORDER_NODE, -1)
    sold_before = any((code, preorder, 0) in registry.points for code in components)
    return ("preorder" if sold_before else "backorder"), beyond


def _without_backorder(state: State, asked: Question, sku: int, t: int) -> tuple[int, int]:
    """Units of a SKU at hand without any backorder, and how many may be backordered."""
    points = rows(state, "points")
    mine = points[:, layout.POINT_SKU] == sku
    if asked.words[1] >= 0:
        mine &= points[:, layout.POINT_NODE] == asked.words[1]
    node_set = rows(state, "askers")[asked.asker, layout.ASKER_SET]
    mine &= rows(state, "sets")[node_set][points[:, layout.POINT_NODE]] != 0
    records = state.records[: len(points)][mine].astype(np.int64)
    allowed = np.maximum(points[mine, layout.BACKORDER], -records[:, layout.BUFFER])
    raw = records[:, layout.BASE] + records[:, layout.MINIMA + t]
    kept = np.maximum(0, records[:, layout.BUFFER] + points[mine, layout.BACKORDER])
    return int(np.maximum(0, raw - kept).sum()), int(np.maximum(0, allowed).sum())


def _check_bundle(writer: Writer, item: Sku, units: int, detail: AskerDetail) -> Check:
    """Check a bundle: each required option needs one choice that there is enough of."""
    claimed: dict[str, int] = {}

    def room(part: str, per: int) -> int:
        asked = question(writer, part, detail)
        return max(0, ask(writer.state, asked) - claimed.get(part, 0)) // per

    most = layout.UNBOUNDED
    for part, per in item.components:
        most = min(most, room(part, int(per)))
        claimed[part] = claimed.get(part, 0) + int(per) * units
    binding = "stock"
    for number, option in enumerate(item.options):
        if not option.required:
            continue
        choices = [
            (room(part, 1 if option.changeable else int(per)), -k, part, int(per))
            for k, (part, per) in enumerate(option.choices)
        ]
        best, _, part, per = max(choices)
        claimed[part] = claimed.get(part, 0) + units * (1 if option.changeable else per)
        if best < most:
            most, binding = best, f"option {number + 1}"
    ok = most >= units
    return Check(ok, most, code="" if ok else "insufficient", binding="" if ok else binding)


def check_rows(rows_: tuple[AtpRow, ...], bucket: str, units: int) -> Check:
    """Check a quantity against the rows of a planner's method instead of the engine's promise."""
    labels = [row.bucket for row in rows_]
    at = labels.index(bucket)
    figures = [max(0, row.atp or 0) for row in rows_]
    if figures[at] >= units:
        return Check(True, figures[at])
    later = [k for k in range(at + 1, len(labels)) if figures[k] >= units]
    earlier = [k for k in range(at) if figures[k] >= units]
    return Check(
        False,
        figures[at],
        code="insufficient",
        binding="stock",
        next_date=labels[later[0]] if later else None,
        latest_date=labels[earlier[-1]] if earlier else None,
    )
