"""From what a scenario names to the network that it plays in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import omnistock as om
from omnistock.model import KitOption
from omnistock.model.schedule import WEEKDAYS

from .amounts import Unsupported, as_list, dicts, exact, text_of, unit_ratios, unit_scales
from .timeline import Timeline

__all__ = ["Names", "build_network", "lead_times", "read_names"]

# Steps that may bring stock to a node nobody has heard of; others only ask for it.
_STOCKING = ("receive", "receive_many", "adjust", "count", "snapshot", "delta", "add_inbound")
_SKU_TABLES = ("skus", "items", "products")
_NODE_KINDS = {"store": "store", "supplier": "supplier", "virtual": "virtual"}
NOWHERE = "anywhere"
_SCHEDULE_FIELDS = {
    *("carrier_pickups", "processing_hours", "processing_minutes", "pickup_cutoff", "open"),
    *("cutoff", "order_cutoff", "holidays", "closed_on"),
}
_NODE_FIELDS = {"id", "pickup", "node", "type", "priority", "enabled", "active", "lat", "lon"}


@dataclass(frozen=True)
class Names:
    """What a scenario speaks of, in the order in which it does.

    Attributes
    ----------
    skus, kits, stocked : list of str
        All articles; those made of others; those that are not.
    nodes, channels : list of str
    scales : dict
        Smallest units in one selling unit, by SKU.
    groups : list of tuple of str
        Ring-fences that steps name.
    """

    skus: list[str]
    kits: list[str]
    stocked: list[str]
    nodes: list[str]
    channels: list[str]
    scales: dict[str, int]
    groups: list[tuple[str, ...]]


def read_names(scenario: dict[str, Any]) -> Names:
    """Collect the names that the network of a scenario needs."""
    given, steps = scenario.get("given", {}), scenario.get("steps", [])
    kits = [str(kit["sku"]) for kit in given.get("kits", [])]
    bundles = [str(row["bundle"]) for row in dicts(steps) if row.get("bundle") is not None]
    skus = _unique(
        [*kits, *(str(row["sku"]) for row in dicts([given, steps]) if _names(row, "sku"))]
        + bundles
        + _in_rules(given.get("rules", {}))
        + [_id_of(row, "sku") for table in _SKU_TABLES for row in given.get(table, [])]
    )
    made = _unique(kits + bundles)
    bases = {str(row["sku"]): row.get("base", "unit") for row in given.get("uom", [])}
    return Names(
        skus=skus or ["SKU"],
        kits=made,
        stocked=[sku for sku in skus or ["SKU"] if sku not in made],
        nodes=_nodes(given, steps),
        channels=_channels(given, steps),
        scales=unit_scales([given, steps], skus or ["SKU"], bases, set(made)),
        groups=_groups([given, steps]),
    )


def _names(row: dict[str, Any], field: str) -> bool:
    return isinstance(row.get(field), str | int)


def _id_of(row: Any, field: str) -> str:
    return str(row.get("id", row.get(field))) if isinstance(row, dict) else str(row)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _in_rules(rules: dict[str, Any]) -> list[str]:
    """Return SKUs that only rules name, as keys of lead times or in lists of backorders."""
    found: list[str] = []
    for field in ("lead_time_days", "infinite_supply_from_day", "backorders", "untracked"):
        value = rules.get(field)
        if isinstance(value, dict | list):
            found += [str(one) for one in value if isinstance(one, str)]
    return found + [
        str(one) for one in as_list(rules.get("backorders_unlimited")) if one is not True
    ]


def _nodes(given: dict[str, Any], steps: list[dict[str, Any]]) -> list[str]:
    found = [_id_of(row, "node") for row in given.get("nodes", [])]
    for row in dicts({name: rows for name, rows in given.items() if name != "nodes"}):
        found += [str(row["node"])] if _names(row, "node") else []
        found += [str(one) for one in as_list(row.get("nodes"))]
    for step in steps:
        if step.get("op") in _STOCKING and _names(step, "node"):
            found.append(str(step["node"]))
        if step.get("op") == "transfer":
            found += [str(step[end]) for end in ("to", "destination") if _names(step, end)]
        for row in step.get("on_hand", []) if step.get("op") == "set_and_check" else []:
            found.append(str(row["node"]))
    return _unique(found) or [NOWHERE]


def _channels(given: dict[str, Any], steps: list[dict[str, Any]]) -> list[str]:
    found = [_id_of(row, "channel") for row in given.get("channels", [])]
    for row in dicts([given, steps]):
        found += [str(one) for one in as_list(row.get("channel"))]
    return [one for one in _unique(found) if one != "*"]


def _groups(played: Any) -> list[tuple[str, ...]]:
    groups = []
    for row in dicts(played):
        for field in ("group", "from", "to"):
            if isinstance(row.get(field), list):
                groups.append(tuple(str(one) for one in row[field]))
            elif field == "group" and isinstance(row.get(field), str):
                groups.append((row[field],))
    return list(dict.fromkeys(groups))


def lead_times(rules: dict[str, Any], skus: list[str]) -> dict[str, int]:
    """Return the day from which on each SKU can be had without limit, where there is one."""
    fence = rules.get("infinite_supply_from_day")
    if fence is None and rules.get("unlimited_supply_after_lead_time", True):
        fence = rules.get("lead_time_days")
    if fence is None:
        return {}
    days = fence if isinstance(fence, dict) else dict.fromkeys(skus, fence)
    return {str(sku): int(day) for sku, day in days.items()}


def build_network(scenario: dict[str, Any], names: Names, timeline: Timeline) -> om.Network:
    """Return the network in which a scenario plays."""
    given = scenario.get("given", {})
    rows = {_id_of(row, "node"): row for row in given.get("nodes", [])}
    channels = {_id_of(row, "channel"): row for row in given.get("channels", [])}
    return om.Network.build(
        skus=_skus(scenario, names),
        nodes=[_node(name, rows.get(name, {})) for name in names.nodes],
        channels=[_channel(name, channels.get(name, {})) for name in names.channels],
        calendar=timeline.calendar,
    )


def _node(name: str, row: Any) -> om.Node:
    if name == NOWHERE:
        return om.Node(name, kind="virtual")
    if not isinstance(row, dict):
        return om.Node(name)
    coordinates = {
        field: float(row[short])
        for field, short in (("latitude", "lat"), ("longitude", "lon"))
        if row.get(short) is not None
    }
    return om.Node(
        name,
        kind=_NODE_KINDS.get(str(row.get("type", "")), "warehouse"),
        priority=int(row.get("priority", 0)),
        active=bool(row.get("enabled", row.get("active", True))),
        attributes=_attributes(row),
        schedule=schedule_of(row),
        pickup=_pickup(row.get("pickup")),
        **coordinates,
    )


def _pickup(value: Any) -> str:
    """How a node's row says that orders can be collected there."""
    if value in (None, False):
        return "none"
    known = {"none": "none", "any_stock": "any", "any": "any", "all": "any", "True": "any"}
    known |= {"local_stock": "local", "local": "local"}
    if str(value) not in known:
        raise Unsupported(f"unknown pickup {value!r}")
    return known[str(value)]


def _days(text: Any) -> tuple[int, ...]:
    """Weekdays from a list of names, or from names and spans in a text: "mon-fri, sun"."""
    parts = [str(one) for one in text] if isinstance(text, list) else re.split(r"[,\s]+", str(text))
    days: set[int] = set()
    for part in filter(None, (one.strip().lower()[:7] for one in parts)):
        first, _, last = part.partition("-")
        begin, end = WEEKDAYS.index(first[:3]), WEEKDAYS.index((last or first)[:3])
        days |= {(begin + k) % 7 for k in range((end - begin) % 7 + 1)}
    return tuple(sorted(days))


def schedule_of(row: dict[str, Any]) -> om.Schedule | None:
    """When a node works and carriers call, if its row says so."""
    if not _SCHEDULE_FIELDS & row.keys():
        return None
    pickups = tuple(
        (WEEKDAYS.index(day.lower()[:3]), str(time))
        for day, times in row.get("carrier_pickups", {}).items()
        for time in as_list(times)
    )
    minutes = exact(row.get("processing_hours", 0)) * 60 + exact(row.get("processing_minutes", 0))
    cutoffs = {
        name: str(row[field])
        for name, field in (("order_cutoff", "cutoff"), ("collection_cutoff", "pickup_cutoff"))
        if row.get(field) is not None
    }
    if row.get("order_cutoff") is not None:
        cutoffs["order_cutoff"] = str(row["order_cutoff"])
    return om.Schedule(
        time_zone=str(row.get("tz", row.get("time_zone", "UTC"))),
        open_days=_days(row["open"]) if row.get("open") is not None else tuple(range(7)),
        closed_on=tuple(str(one) for one in row.get("closed_on", row.get("holidays", ()))),
        processing_minutes=int(minutes),
        pickups=pickups,
        **cutoffs,
    )


def _attributes(row: dict[str, Any]) -> dict[str, str | int | float | bool]:
    """What else a node's row says in a word or number, for rules that choose nodes."""
    found: dict[str, str | int | float | bool] = {}
    for name, value in row.items():
        if name in _NODE_FIELDS:
            continue
        if isinstance(value, str | bool | int):
            found[name] = value
        elif isinstance(value, Decimal):
            found[name] = float(value)
    return found


def _channel(name: str, row: Any) -> om.Channel:
    if not isinstance(row, dict):
        return om.Channel(name)
    nodes = tuple(str(one) for one in row.get("nodes", ()))
    owners = tuple(str(one) for one in row.get("owners", ("",)))
    return om.Channel(name, nodes=nodes, owners=owners)


def _skus(scenario: dict[str, Any], names: Names) -> list[om.Sku]:
    given, steps = scenario.get("given", {}), scenario.get("steps", [])
    rules = given.get("rules", {})
    kits = {str(kit["sku"]): kit for kit in given.get("kits", [])}
    bases = {str(row["sku"]): str(row.get("base", "unit")) for row in given.get("uom", [])}
    used = {str(row["uom"]) for row in dicts([given, steps]) if isinstance(row.get("uom"), str)}
    fences = lead_times(rules, names.stocked)
    untracked = {str(one) for one in as_list(rules.get("untracked"))}
    rows = {_id_of(row, "sku"): row for table in _SKU_TABLES for row in given.get(table, [])}
    built = []
    for name in names.skus:
        row = rows.get(name, {}) if isinstance(rows.get(name), dict) else {}
        kit = kits.get(name, {})
        built.append(
            om.Sku(
                name,
                unit_scale=names.scales[name],
                components=_parts(kit.get("components", [])),
                tracked=bool(row.get("tracked", name not in untracked)),
                units=unit_ratios(bases.get(name, "unit"), used) if used or bases else (),
                replenishment_buckets=fences.get(name),
                options=_options(kit) or _chosen(name, kit, steps),
            )
        )
    return built


def _parts(rows: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(row["sku"]), text_of(row.get("per", 1), row.get("uom"))) for row in rows)


def _options(kit: dict[str, Any]) -> tuple[KitOption, ...]:
    return tuple(
        KitOption(
            choices=_parts(option["one_of"]),
            required=bool(option.get("required", True)),
            changeable=any(one.get("customer_may_change_qty") for one in option["one_of"]),
        )
        for option in kit.get("options", [])
    )


def _chosen(name: str, kit: dict[str, Any], steps: list[dict[str, Any]]) -> tuple[KitOption, ...]:
    """Return options for a bundle whose content only its order lines name."""
    if kit:
        return ()
    parts: list[tuple[str, str]] = []
    for row in dicts(steps):
        if str(row.get("bundle")) == name:
            parts += _parts(row.get("selections", []))
    return tuple(KitOption(choices=(part,), required=False) for part in dict.fromkeys(parts))
