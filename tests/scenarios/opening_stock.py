"""What is given at the start of a scenario, entered into its engine."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from omnistock.errors import OmnistockError, OutOfStock

from .amounts import Unsupported, as_list, exact, text_of
from .naming import lead_times
from .stage import DETAIL_FIELDS, DUE_FIELDS, Stage

__all__ = ["check_fields", "enter_given", "expect_row", "set_buffer_row", "set_quota_row"]

_TABLES = {
    *("today", "now", "nodes", "channels", "rules", "uom", "kits", "skus", "items", "products"),
    *("on_hand", "inbound", "overdue_inbound", "committed_demand", "reservations", "orders"),
    *("buffers", "quotas", "protections", "allocations_in"),
}
# Rules in words that say what the engine does anyway.
_DESCRIBED = {"row", "pegging", "ledger", "reserve_at", "concurrency", "borrow_back"}
_DESCRIBED |= {"minimise_shipments", "promise_order"}
# Rules that a step's translation looks up when it needs them.
_LOOKED_UP = {
    *("atp_method", "also", "horizon_days", "horizon_buckets", "backward_supply_fence_days"),
    *("backward_demand_fence_days", "delayed_supply_offset_days", "delayed_demand_offset_days"),
    *("lead_time_days", "unlimited_supply_after_lead_time", "infinite_supply_from_day", "base"),
    *("late_allowed", "partial_allowed", "multi_line", "on_shortage", "removal", "scale_down"),
    *("untracked", "strategy", "node_order", "rank_by", "backorder_node", "objective", "sort"),
    *("distance_bands", "new_purchase_blocked_while", "routing", "on_reject", "transit_days"),
    "transfer_days",
}


_STOCK_ROW = {"node", "sku", "qty", "uom", "note", *DETAIL_FIELDS}
_RECEIPT_ROW = {*_STOCK_ROW, "ref", "eta", "from", "kind", *DUE_FIELDS}
_HOLD_ROW = {*_STOCK_ROW, "ref", "kind", "channel", "expires_at", "ttl_s", "group", "class"}
_LIMIT_ROW = {"sku", "match", "channel", "group", "class", "qty", "priority", "until", "note"}
ROW_FIELDS = {
    "on_hand": {*_STOCK_ROW, "reserved"},
    "inbound": _RECEIPT_ROW,
    "overdue_inbound": _RECEIPT_ROW,
    "committed_demand": {*_HOLD_ROW, *DUE_FIELDS},
    "reservations": {*_HOLD_ROW, *DUE_FIELDS},
    "orders": {"ref", "sku", "qty", "lines", "channel", "strategy", "priority", "confirmed"}
    | {"note", *DUE_FIELDS},
    "buffers": {"node", "sku", "channel", "type", "from", "value", "demand_per_day", "note"},
    "quotas": {*_LIMIT_ROW, "percent", "base", "period", "window"},
    "protections": {*_LIMIT_ROW, "segment"},
    "allocations_in": {"group", "sku", "qty", "weight", "priority", "tier"},
    "uom": {"sku", "base"},
    "kits": {"sku", "components", "ship", "options"},
    "channels": {"id", "nodes", "owners", "name"},
}


def check_fields(row: Any, known: Container[str], where: str) -> None:
    """Raise if a row has a field that nothing here translates."""
    unknown = sorted(name for name in row if name not in known) if isinstance(row, dict) else []
    if unknown:
        raise Unsupported(f"unknown field {', '.join(unknown)} of {where}")


def enter_given(stage: Stage) -> None:
    """Enter stock, receipts, limits, demand and reservations, in this order."""
    given = stage.given
    unknown = sorted(set(given) - _TABLES)
    if unknown:
        raise Unsupported(f"unknown given {', '.join(unknown)}")
    for table, known in ROW_FIELDS.items():
        for row in given.get(table, []):
            check_fields(row, known, table)
    _enter_stock(stage)
    for row in [*given.get("inbound", []), *given.get("overdue_inbound", [])]:
        expect_row(stage, row)
    for row in given.get("buffers", []):
        set_buffer_row(stage, row)
    _enter_rules(stage)
    for row in given.get("quotas", []):
        set_quota_row(stage, row)
    for row in given.get("protections", []):
        _set_protection_row(stage, row)
    _enter_orders(stage)
    _enter_demand(stage, given.get("committed_demand", []), "demand")
    _enter_demand(stage, given.get("reservations", []), "reservation")
    _watch(stage)


def _enter_stock(stage: Stage) -> None:
    """Enter what lies at the nodes, and what is reserved of it."""
    for row in stage.given.get("on_hand", []):
        sku, node, detail = stage.sku(row), stage.node(row), stage.detail(row)
        quantity = exact(row.get("qty", 0))
        if quantity < 0:
            stage.engine.adjust(sku, node, stage.amount(row), allow_negative=True, **detail)
        elif quantity > 0:
            stage.engine.receive(sku, node, stage.amount(row), **detail)
        else:
            stage.engine.count(sku, node, 0, **detail)
    for sku in lead_times(stage.rules, stage.names.stocked):
        # What can be bought can be sold at every node, whether any lies there or not.
        held = {
            str(row.get("node"))
            for row in stage.given.get("on_hand", [])
            if row.get("sku") is not None and str(row["sku"]) == sku
        }
        for node in stage.names.nodes:
            if node not in held:
                stage.engine.count(sku, node, 0)
    for row in stage.given.get("on_hand", []):
        if row.get("reserved") and exact(row["reserved"]) > 0:
            taken = {**row, "qty": row["reserved"], "ref": stage.fresh("reserved")}
            _hold_unconditionally(stage, taken["ref"], [taken])


def expect_row(stage: Stage, row: dict[str, Any]) -> None:
    """Announce a receipt; one without a date is expected, but nobody knows when."""
    sku, node = stage.sku(row), stage.node(row)
    reference = str(row.get("ref") or stage.fresh("receipt"))
    stage.receipts[reference] = (sku, node)
    detail = stage.detail({k: v for k, v in row.items() if k != "state"})
    eta = next((stage.moment(row[f]) for f in (*DUE_FIELDS, "eta") if row.get(f) is not None), None)
    stage.engine.expect(sku, node, stage.amount(row), eta, reference, **detail)


def set_buffer_row(stage: Stage, row: dict[str, Any]) -> None:
    """Set one buffer; without a node or channel it holds at every node."""
    kind = str(row.get("type", "fixed"))
    keywords: dict[str, Any] = {}
    for name in ("node", "channel"):
        if row.get(name) is not None:
            keywords[name] = str(row[name])
    if row.get("from") is not None:
        keywords["since"] = stage.moment(row["from"])
    value = row.get("value", row.get("qty"))
    for sku in stage.skus(row):
        if kind in ("fixed", "out_of_stock_threshold", "threshold", "safety_stock"):
            stage.engine.set_buffer(sku, text_of(value), **keywords)
        elif kind in ("percent", "percentage"):
            stage.engine.set_buffer(sku, percent=text_of(value), **keywords)
        elif kind == "days_of_cover":
            cover, demand = text_of(value), text_of(row["demand_per_day"])
            stage.engine.set_buffer(sku, days_of_cover=cover, demand_per_day=demand, **keywords)
        else:
            raise Unsupported(f"unknown type of buffer {kind!r}")


def set_quota_row(stage: Stage, row: dict[str, Any]) -> None:
    """Set one quota, on its SKU or on all."""
    keywords = _match(row)
    if row.get("percent") is not None:
        keywords["percent"] = text_of(row["percent"])
    if row.get("priority") is not None:
        keywords["priority"] = int(row["priority"])
    if row.get("base") is not None:
        keywords["base"] = base_of(row["base"])
    if row.get("until") is not None:
        keywords["until"] = stage.moment(row["until"])
    if row.get("period") is not None:
        keywords["period"] = tuple(stage.moment(one) for one in row["period"])
    if row.get("window") is not None:
        keywords["window"] = tuple(int(one) for one in row["window"])
    if row.get("qty") is not None:
        keywords["quantity"] = stage.amount(row)
    for sku in stage.skus(row):
        stage.engine.set_quota(sku, **keywords)


def _match(row: dict[str, Any]) -> dict[str, Any]:
    """Return for whom a quota or protection is: a channel, or attributes that match."""
    match = {str(name): str(value) for name, value in row.get("match", {}).items()}
    for name in ("group", "class"):
        if row.get(name) is not None:
            match[name] = "/".join(str(one) for one in as_list(row[name]))
    keywords: dict[str, Any] = {"match": match} if match else {}
    if row.get("channel") is not None:
        keywords["channel"] = str(row["channel"])
    return keywords


def base_of(text: Any) -> str:
    """Return the base of a percentage that a scenario names in words."""
    words = str(text)
    if any(word in words for word in ("left", "remain", "rest")):
        return "remaining"
    if any(word in words for word in ("total", "original", "all", "whole")):
        return "total"
    raise Unsupported(f"unknown base of a percentage {words!r}")


def _set_protection_row(stage: Stage, row: dict[str, Any]) -> None:
    keywords = _match(row)
    keywords["quantity"] = stage.amount(row)
    if row.get("priority") is not None:
        keywords["priority"] = int(row["priority"])
    if row.get("segment") is not None:
        keywords["segment"] = str(row["segment"])
    if row.get("until") is not None:
        keywords["until"] = stage.moment(row["until"])
    for sku in stage.skus(row):
        stage.engine.set_protection(sku, **keywords)


def _set_capacity(stage: Stage, row: dict[str, Any]) -> None:
    units = row.get("capacity_units_per_day", row.get("capacity"))
    if units is None:
        return
    stage.engine.set_capacity(str(row["id"]), int(units))
    used = row.get("used_today", row.get("used"))
    if used:
        today = stage.timeline.start
        stage.engine.set_capacity(str(row["id"]), int(units), on=today, busy=int(used))


def _enter_rules(stage: Stage) -> None:
    for row in stage.given.get("nodes", []):
        if isinstance(row, dict):
            _set_capacity(stage, row)
    for row in stage.given.get("nodes", []):
        if isinstance(row, dict) and row.get("backorder"):
            for sku in stage.names.stocked:
                stage.engine.set_backorder(sku, None, node=str(row["id"]))
    for name, value in stage.rules.items():
        if name in _DESCRIBED or name in _LOOKED_UP or name in ("levels", "low_at"):
            continue
        if name == "preorder_limit":
            for row in as_list(value):
                _set_preorder(stage, row, stage_channel=row.get("channel"))
        elif name == "preorder_limit_global":
            for row in as_list(value):
                _set_preorder(stage, row, stage_channel=None)
        elif name in ("backorders", "backorders_unlimited", "backorder_limit"):
            _set_backorders(stage, value)
        elif name == "allocation_percent":
            _set_percentages(stage, value)
        elif name == "network_availability":
            if not str(value).startswith("sum of max(0"):
                raise Unsupported(f"not supported yet: network_availability {value!r}")
        else:
            raise Unsupported(f"unknown rule {name!r}")


def _set_preorder(stage: Stage, row: dict[str, Any], stage_channel: Any) -> None:
    keywords: dict[str, Any] = {}
    if stage_channel is not None:
        keywords["channel"] = str(stage_channel)
    until = row.get("until", row.get("end_date"))
    if until is not None:
        keywords["until"] = stage.moment(until)
    stage.engine.set_preorder(stage.sku(row), stage.amount(row), **keywords)


def _set_backorders(stage: Stage, value: Any) -> None:
    """Allow backorders: for all SKUs, for those listed, or up to a number of units each."""
    if value is False or value is None:
        return
    if value is True:
        limits: Iterable[tuple[str, Any]] = [(sku, None) for sku in stage.names.stocked]
    elif isinstance(value, dict) and "sku" in value:
        limits = [(stage.sku(value), value.get("qty"))]
    elif isinstance(value, dict):
        limits = [(str(sku), limit) for sku, limit in value.items()]
    else:
        limits = [
            (stage.sku(one), one.get("qty")) if isinstance(one, dict) else (str(one), None)
            for one in as_list(value)
        ]
    for sku, limit in limits:
        unlimited = limit is None or limit is True
        stage.engine.set_backorder(sku, None if unlimited else text_of(limit))


def _set_percentages(stage: Stage, shares: dict[str, Any]) -> None:
    """Give classes of askers their shares, the class named first before the next."""
    base = base_of(stage.rules.get("base", "total"))
    for rank, (name, percent) in enumerate(shares.items(), start=1):
        for sku in stage.names.stocked:
            stage.engine.set_quota(
                sku, match={"class": str(name)}, percent=text_of(percent), base=base, priority=rank
            )


def _enter_orders(stage: Stage) -> None:
    """Declare orders, and reserve for them what is already confirmed."""
    for row in stage.given.get("orders", []):
        keywords: dict[str, Any] = {}
        if row.get("channel") is not None:
            keywords["channel"] = str(row["channel"])
        if row.get("strategy") is not None:
            keywords["strategy"] = str(row["strategy"])
        if row.get("priority") is not None:
            keywords["priority"] = int(row["priority"])
        due = stage.due(row)
        if due is not None:
            keywords["by"] = due
        reference = str(row["ref"])
        lines = [(stage.sku(one), stage.amount(one)) for one in row.get("lines") or [row]]
        stage.engine.enter_order(reference, lines, **keywords)
        if row.get("confirmed") and exact(row["confirmed"]) > 0:
            held = {**row, "qty": row["confirmed"]}
            _hold_unconditionally(stage, reference, [held])


def _enter_demand(stage: Stage, rows: list[dict[str, Any]], prefix: str) -> None:
    """Hold what was promised before; rows of one reference and kind make one hold."""
    together: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    shared = ("kind", "channel", "expires_at", "ttl_s", "segment", "group", "class", *DUE_FIELDS)
    for row in rows:
        reference = str(row.get("ref") or stage.fresh(prefix))
        key = (reference, *(str(row.get(name)) for name in shared))
        together.setdefault(key, []).append(row)
    for (reference, *_), same in together.items():
        _hold_unconditionally(stage, reference, same)


def _hold_unconditionally(stage: Stage, reference: str, rows: list[dict[str, Any]]) -> None:
    """Reserve what is said to be reserved, out of stock or beyond it."""
    first = rows[0]
    lines = stage.lines({"lines": rows})
    keywords = stage.asker({k: v for k, v in first.items() if k not in ("node", "nodes")})
    keywords["ttl_s"] = stage.seconds_to_live(first)
    try:
        hold = stage.engine.reserve(reference, lines, **keywords)
    except OutOfStock:
        hold = stage.engine.reserve(reference, lines, backorder=True, **keywords)
    stage.keep(reference, hold, None)


def _watch(stage: Stage) -> None:
    """Let the engine report when what is available crosses a limit."""
    levels: list[tuple[str, Any]] = []
    if stage.rules.get("levels") is not None:
        for row in stage.rules["levels"]:
            end = row.get("end")
            levels.append((str(row.get("code", row.get("name"))), end))
    elif stage.rules.get("low_at") is not None:
        levels = [("LOW", stage.rules["low_at"]), ("OK", None)]
    if not levels:
        return
    keywords: dict[str, Any] = {}
    if stage.asks_by_channel:
        keywords["channels"] = tuple(stage.names.channels)
    try:
        stage.engine.watch(_in_units(stage, levels), **keywords)
    except OmnistockError as error:
        raise Unsupported(f"levels cannot be watched: {error}") from error


def _in_units(stage: Stage, levels: list[tuple[str, Any]]) -> tuple[tuple[str, int | None], ...]:
    scales = {stage.names.scales[sku] for sku in stage.names.stocked}
    if len(scales) != 1:
        raise Unsupported("levels for SKUs of different units")
    scale = scales.pop()
    return tuple((code, None if end is None else int(exact(end) * scale)) for code, end in levels)
