"""What planning starts from: the user's tables, checked against each other, as coded arrays.

Axes: s = SKU, n = node that holds stock (suppliers are left out), c = channel.
Quantities are in smallest units; days count from the first day of history.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnistock.errors import FrameError, Problem
from omnistock.frames import TABLES, Table, read_folder, read_table, smallest_units
from omnistock.model import Network
from omnistock.planning.checking import check_tables
from omnistock.planning.network import Lanes, build_network, chosen_lanes

__all__ = ["Inputs", "read_inputs"]

REQUIRED = ("skus", "nodes", "channels", "lanes", "sales", "stock")
# Older sales say little about the coming weeks, and one mistyped year must not cost gigabytes.
HISTORY_DAYS = 1096
_LONGEST_GAP_DAYS = 31

Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Inputs:
    """The tables as arrays. Dicts of columns hold one entry per row, all of one length.

    Attributes
    ----------
    as_of : date
        The morning planned for; ``n_days`` of history end the day before.
    skus, nodes, channels : tuple of str
        Names by index.
    unit_scale, pack_size, minimum_order : (n_skus,) int64
        Smallest units per selling unit, per supplier pack, least order.
    unit_cost, unit_price : (n_skus,) float64
        Money per selling unit.
    serves : (n_channels, n_nodes) bool
        Which node may serve which channel.
    tier : (n_channels,) int64
    weight, latency_seconds, service_level : (n_channels,) float64
        ``service_level`` is NaN where the channel names none.
    lanes : Lanes
        For each node, where it is supplied from and how fast.
    part_offsets, part, part_units : arrays
        SKU ``s`` consumes ``part_units[j]`` of SKU ``part[j]`` for each of its units, j from
        ``part_offsets[s]``; a SKU that is no kit consumes itself.
    sales : day, sku, node, channel, units
        Kits under their own SKU.
    stockouts : day, sku, node, share
    stock : sku, node, units
    inbound : reference, sku, node, units, day
        ``day`` counts from ``as_of``; negative is overdue.
    orders : order, sku, node (-1: any), channel, units
    promotions : sku, first, last, uplift (NaN: unknown), channel (-1: all)
    """

    network: Network
    as_of: dt.date
    n_days: int
    skus: tuple[str, ...]
    nodes: tuple[str, ...]
    channels: tuple[str, ...]
    unit_scale: np.ndarray
    pack_size: np.ndarray
    minimum_order: np.ndarray
    unit_cost: np.ndarray
    unit_price: np.ndarray
    serves: np.ndarray
    tier: np.ndarray
    weight: np.ndarray
    latency_seconds: np.ndarray
    service_level: np.ndarray
    lanes: Lanes
    part_offsets: np.ndarray
    part: np.ndarray
    part_units: np.ndarray
    sales: Rows
    stockouts: Rows
    stock: Rows
    inbound: Rows
    orders: Rows
    promotions: Rows

    @property
    def first_day(self) -> np.datetime64:
        """Day 0 of the history."""
        return np.datetime64(self.as_of, "D") - self.n_days


def read_inputs(source: Any, as_of: dt.date | None = None) -> Inputs:
    """Read a folder or a mapping of tables, check everything, and code it as arrays.

    Raises
    ------
    FrameError
        With all faults of all tables: bad cells, unknown names, quantities that are no
        whole number of smallest units.
    """
    tables = _read_tables(source)
    check_tables(tables)
    network, parts = build_network(tables)
    end = as_of or _morning_after(tables)
    first = max(_first_date(tables, end), np.datetime64(end, "D") - HISTORY_DAYS)
    n_days = int((np.datetime64(end, "D") - first).astype(np.int64))
    return _coded(tables, network, parts, end, n_days)


def _read_tables(source: Any) -> dict[str, Table]:
    if isinstance(source, (str, os.PathLike)):
        return read_folder(source)
    if not isinstance(source, Mapping):
        problem = "give a folder, or a dict of table names to frames or paths"
        raise FrameError([Problem(type(source).__name__, None, None, problem)])
    problems = [
        Problem(str(name), None, None, f"is no table of omnistock; those are {', '.join(TABLES)}")
        for name in source
        if name not in TABLES
    ]
    problems += [
        Problem(name, None, None, "is missing, and planning needs it")
        for name in REQUIRED
        if name not in source
    ]
    tables: dict[str, Table] = {}
    for name, spec in TABLES.items():
        if name in source:
            try:
                tables[name] = read_table(source[name], spec)
            except FrameError as error:
                problems += error.problems
    if problems:
        raise FrameError(problems)
    return tables


def _morning_after(tables: dict[str, Table]) -> dt.date:
    """Return the day after the last sale or stockout; a date far off the rest is a mistake."""
    name, dates = "sales", tables["sales"]["date"]
    if "stockouts" in tables and len(tables["stockouts"]):
        others = tables["stockouts"]["date"]
        if not len(dates) or others.max() > dates.max():
            name, dates = "stockouts", others
    if not len(dates):
        raise FrameError([Problem("sales", None, None, "has no row; planning needs a history")])
    last = dates.max()
    earlier = dates[dates < last]
    if len(earlier) and int((last - earlier.max()).astype(int)) > _LONGEST_GAP_DAYS:
        row = int(np.argmax(dates)) + 1
        message = f"{last} lies long after {earlier.max()}; mend it, or say as_of="
        raise FrameError([Problem(name, row, "date", message)])
    day: dt.date = (last + 1).astype(object)
    return day


def _first_date(tables: dict[str, Table], end: dt.date) -> np.datetime64:
    dates = tables["sales"]["date"]
    past = dates[dates < np.datetime64(end, "D")]
    if not len(past):
        message = f"holds no sale before {end.isoformat()}; planning needs a history"
        raise FrameError([Problem("sales", None, "date", message)])
    first: np.datetime64 = past.min()
    return first


@dataclass(frozen=True)
class _Coder:
    """Turns text columns into indices of SKUs, nodes and channels."""

    position: dict[str, dict[str, int]]
    unit_scale: np.ndarray
    end: np.datetime64
    n_days: int

    def day(self, table: Table, column: str) -> np.ndarray:
        """Return dates as days since the first day of history."""
        days: np.ndarray = (table[column] - (self.end - self.n_days)).astype(np.int64)
        return days

    def in_history(self, day: np.ndarray) -> np.ndarray:
        """Tell which days lie in the history."""
        return (day >= 0) & (day < self.n_days)

    def index(self, table: Table, column: str, what: str) -> np.ndarray:
        """Return the index of each row's name, -1 for an empty one."""
        coded = table.codes(column)
        lookup = np.array([self.position[what].get(label, -1) for label in coded.labels], np.int64)
        return lookup[coded.codes] if len(lookup) else np.empty(0, np.int64)

    def units(self, table: Table, column: str, sku: np.ndarray) -> np.ndarray:
        """Return a column of selling units in smallest units."""
        return smallest_units(table[column], self.unit_scale[sku], table=table.name, column=column)


def _coded(
    tables: dict[str, Table],
    network: Network,
    parts: tuple[np.ndarray, np.ndarray, np.ndarray],
    end: dt.date,
    n_days: int,
) -> Inputs:
    skus = tuple(network.skus)
    nodes = tuple(name for name, node in network.nodes.items() if node.kind != "supplier")
    channels = tuple(network.channels)
    goods = list(network.skus.values())
    ways = list(network.channels.values())
    unit_scale = np.array([one.unit_scale for one in goods], np.int64)
    names = {"sku": skus, "node": nodes, "channel": channels}
    coder = _Coder(
        {what: {name: i for i, name in enumerate(of)} for what, of in names.items()},
        unit_scale,
        np.datetime64(end, "D"),
        n_days,
    )
    serves = np.array([[not w.nodes or node in w.nodes for node in nodes] for w in ways], bool)
    return Inputs(
        network=network,
        as_of=end,
        n_days=n_days,
        skus=skus,
        nodes=nodes,
        channels=channels,
        unit_scale=unit_scale,
        pack_size=np.array([one.pack_size for one in goods], np.int64),
        minimum_order=np.array([one.minimum_order for one in goods], np.int64),
        unit_cost=np.array([one.unit_cost for one in goods], np.float64),
        unit_price=np.array([one.unit_price for one in goods], np.float64),
        serves=serves.reshape(len(channels), len(nodes)),
        tier=np.array([way.tier for way in ways], np.int64),
        weight=np.array([way.weight for way in ways], np.float64),
        latency_seconds=np.array([way.sync_latency_seconds for way in ways], np.float64),
        service_level=tables["channels"]["service_level"].astype(np.float64),
        lanes=chosen_lanes(network, nodes),
        part_offsets=parts[0],
        part=parts[1],
        part_units=parts[2],
        **_movements(tables, coder),
    )


def _movements(tables: dict[str, Table], coder: _Coder) -> dict[str, Rows]:
    """Code sales, stockouts, position and promotions, all faults in one error."""
    problems: list[Problem] = []
    found: dict[str, Rows] = {}
    for name, code in (
        ("sales", _sales),
        ("stockouts", _stockouts),
        ("stock", _stock),
        ("inbound", _inbound),
        ("orders", _orders),
        ("promotions", _promotions),
    ):
        table = tables.get(name) or read_table(_nothing(name), TABLES[name])
        try:
            found[name] = code(table, coder)
        except FrameError as error:
            problems += error.problems
    if problems:
        raise FrameError(problems)
    return found


def _nothing(name: str) -> dict[str, np.ndarray]:
    """Columns of an absent optional table."""
    kinds = {"text": object, "number": np.float64, "share": np.float64, "units": np.int64}
    return {
        column.name: np.empty(0, kinds.get(column.kind, "datetime64[D]"))
        for column in TABLES[name].columns
        if column.required
    }


def _kept(rows: Rows, keep: np.ndarray) -> Rows:
    return rows if keep.all() else {name: column[keep] for name, column in rows.items()}


def _sales(table: Table, coder: _Coder) -> Rows:
    sku = coder.index(table, "sku", "sku")
    day = coder.day(table, "date")
    rows = {
        "day": day,
        "sku": sku,
        "node": coder.index(table, "node", "node"),
        "channel": coder.index(table, "channel", "channel"),
        "units": coder.units(table, "quantity", sku),
    }
    return _kept(rows, coder.in_history(day))


def _stockouts(table: Table, coder: _Coder) -> Rows:
    day = coder.day(table, "date")
    rows = {
        "day": day,
        "sku": coder.index(table, "sku", "sku"),
        "node": coder.index(table, "node", "node"),
        "share": table["share"],
    }
    return _kept(rows, coder.in_history(day))


def _stock(table: Table, coder: _Coder) -> Rows:
    sku = coder.index(table, "sku", "sku")
    return {
        "sku": sku,
        "node": coder.index(table, "node", "node"),
        "units": coder.units(table, "on_hand", sku),
    }


def _inbound(table: Table, coder: _Coder) -> Rows:
    sku = coder.index(table, "sku", "sku")
    return {
        "reference": table["reference"],
        "sku": sku,
        "node": coder.index(table, "node", "node"),
        "units": coder.units(table, "quantity", sku),
        "day": coder.day(table, "eta") - coder.n_days,
    }


def _orders(table: Table, coder: _Coder) -> Rows:
    sku = coder.index(table, "sku", "sku")
    return {
        "order": table["order"],
        "sku": sku,
        "node": coder.index(table, "node", "node"),
        "channel": coder.index(table, "channel", "channel"),
        "units": coder.units(table, "quantity", sku),
    }


def _promotions(table: Table, coder: _Coder) -> Rows:
    return {
        "sku": coder.index(table, "sku", "sku"),
        "first": coder.day(table, "start"),
        "last": coder.day(table, "end"),
        "uplift": table["uplift"],
        "channel": coder.index(table, "channel", "channel"),
    }
