"""From sales rows to one daily series per stockpoint, kits counted as their components.

Axes: i = stockpoint (a SKU at a node), sorted by SKU, then node; series i of
``values + offsets`` ends on the last day of history.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnistock.planning.inputs import Inputs, Rows

__all__ = ["History", "Stockpoints", "build_history", "explode"]

# A SKU promoted longer than this share of its life has no other demand to learn from.
_LARGEST_PROMOTED_SHARE = 0.5


@dataclass(frozen=True)
class Stockpoints:
    """Which SKU at which node; arrays of shape (n_stockpoints,).

    Attributes
    ----------
    sku, node : int64
        Indices into the inputs.
    source : int64
        The stockpoint that supplies this one, or -1.
    lookup : (n_skus * n_nodes,) int32
        Stockpoint of ``sku * n_nodes + node``, -1 where there is none.
    """

    sku: np.ndarray
    node: np.ndarray
    source: np.ndarray
    lookup: np.ndarray
    n_nodes: int

    def __len__(self) -> int:
        return len(self.sku)

    def of(self, sku: np.ndarray, node: np.ndarray) -> np.ndarray:
        """Return the stockpoint of each row, -1 where there is none."""
        found: np.ndarray = self.lookup[sku * self.n_nodes + node].astype(np.int64)
        return found

    def total(self, rows: Rows) -> np.ndarray:
        """(n_stockpoints,) int64: the sum of ``rows["units"]`` at each."""
        return sum_units(self.of(rows["sku"], rows["node"]), rows["units"], len(self))


@dataclass(frozen=True)
class History:
    """Daily demand history of every stockpoint.

    Attributes
    ----------
    stockpoints : Stockpoints
    sales : day, sku, node, channel, units
        Sales rows with kits exploded.
    values : (n_values,) float64
        Units sold per day, whole numbers.
    offsets : (n_stockpoints + 1,) int64
    first_day : (n_stockpoints,) int64
        Day of each series' first value: the first on which both its SKU and its node
        had sold anything anywhere.
    stockout_share : (n_values,) float64
        Share of each day without stock: sales then understate demand.
    masked_share : (n_values,) float64
        The same, and 1 on promotion days, which say nothing about normal demand.
    """

    stockpoints: Stockpoints
    sales: Rows
    values: np.ndarray
    offsets: np.ndarray
    first_day: np.ndarray
    stockout_share: np.ndarray
    masked_share: np.ndarray


@dataclass(frozen=True)
class Grid:
    """Where each stockpoint and day lies in one run of values."""

    offsets: np.ndarray
    first_day: np.ndarray

    @property
    def size(self) -> int:
        """Values in all."""
        return int(self.offsets[-1])

    def index(self, stockpoint: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Return the place of each (stockpoint, day), -1 before its first day."""
        late = day - self.first_day[stockpoint]
        return np.where(late >= 0, self.offsets[stockpoint] + late, -1)


def sum_units(group: np.ndarray, units: np.ndarray, n_groups: int) -> np.ndarray:
    """Sum whole units by group, exactly; group -1 is left out.

    ``bincount`` adds in float64, which is exact up to 2**53 units.
    """
    inside = group >= 0
    if not inside.all():
        group, units = group[inside], units[inside]
    sums = np.bincount(group, weights=units, minlength=n_groups)
    return np.asarray(np.rint(sums), np.int64)


def explode(rows: Rows, offsets: np.ndarray, part: np.ndarray, part_units: np.ndarray) -> Rows:
    """Replace every kit row by one row per component; other rows stay.

    Parameters
    ----------
    rows : dict of (n_rows,) arrays
        With ``sku`` and ``units`` among them.
    offsets, part, part_units : arrays
        As in :class:`~omnistock.planning.inputs.Inputs`.

    Returns
    -------
    dict of arrays
        Units of each component: the kit's units times its units per kit.

    Examples
    --------
    >>> rows = {"sku": np.array([1, 0]), "units": np.array([3, 5])}
    >>> explode(rows, np.array([0, 1, 3]), np.array([0, 0, 2]), np.array([1, 2, 4]))
    {'sku': array([0, 2, 0]), 'units': array([ 6, 12,  5])}
    """
    n_parts = np.diff(offsets)
    plain = (n_parts == 1) & (part[offsets[:-1]] == np.arange(len(n_parts)))
    sku = rows["sku"]
    if plain[sku].all():
        return rows
    repeats = n_parts[sku]
    row = np.repeat(np.arange(len(sku)), repeats)
    within = np.arange(len(row)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    place = offsets[sku[row]] + within
    exploded = {name: column[row] for name, column in rows.items()}
    exploded["sku"] = part[place]
    exploded["units"] = exploded["units"] * part_units[place]
    return exploded


def build_history(inputs: Inputs) -> History:
    """Aggregate sales to daily series per stockpoint, with shares of stockout.

    A stockpoint exists where a SKU was sold, lies, is coming or is promised, and at
    every node upstream of such a one.
    """
    sales = explode(inputs.sales, inputs.part_offsets, inputs.part, inputs.part_units)
    stockpoints = _stockpoints(inputs, sales)
    first_day = _first_days(inputs, stockpoints, sales)
    grid = Grid(np.concatenate([[0], np.cumsum(inputs.n_days - first_day)]), first_day)
    at = grid.index(stockpoints.of(sales["sku"], sales["node"]), sales["day"])
    stockout_share = _stockout_shares(grid, stockpoints, inputs.stockouts)
    return History(
        stockpoints=stockpoints,
        sales=sales,
        values=np.bincount(at, weights=sales["units"], minlength=grid.size),
        offsets=grid.offsets,
        first_day=first_day,
        stockout_share=stockout_share,
        masked_share=_masked(grid, stockpoints, stockout_share, inputs),
    )


def _stockpoints(inputs: Inputs, sales: Rows) -> Stockpoints:
    n_nodes = len(inputs.nodes)
    present = np.zeros(len(inputs.skus) * n_nodes, bool)
    for rows in (sales, inputs.stock, inputs.inbound, inputs.orders):
        placed = rows["node"] >= 0
        present[rows["sku"][placed] * n_nodes + rows["node"][placed]] = True
    is_kit = np.array([bool(sku.components) for sku in inputs.network.skus.values()])
    grid = present.reshape(-1, n_nodes)
    grid[is_kit] = False
    source = inputs.lanes.source
    for node in np.argsort(-inputs.lanes.level, kind="stable"):  # leaves first
        if source[node] >= 0:
            grid[:, source[node]] |= grid[:, node]
    key = np.flatnonzero(present)
    lookup = np.full(len(present), -1, np.int32)
    lookup[key] = np.arange(len(key), dtype=np.int32)
    sku, node = key // n_nodes, key % n_nodes
    upstream = source[node]
    of_source = np.where(upstream >= 0, lookup[sku * n_nodes + np.maximum(upstream, 0)], -1)
    return Stockpoints(sku, node, of_source.astype(np.int64), lookup, n_nodes)


def _first_days(inputs: Inputs, stockpoints: Stockpoints, sales: Rows) -> np.ndarray:
    """The later of the SKU's and the node's first sale; at least one day is left."""
    last = inputs.n_days - 1
    first_of_sku = np.full(len(inputs.skus), last, np.int64)
    np.minimum.at(first_of_sku, sales["sku"], sales["day"])
    first_of_node = np.full(len(inputs.nodes), last, np.int64)
    np.minimum.at(first_of_node, sales["node"], sales["day"])
    first = np.maximum(first_of_sku[stockpoints.sku], first_of_node[stockpoints.node])
    return np.asarray(first)


def _stockout_shares(grid: Grid, stockpoints: Stockpoints, stockouts: Rows) -> np.ndarray:
    """Lay out the shares; a row at no stockpoint, or before its history, says nothing."""
    shares = np.zeros(grid.size)
    at = stockpoints.of(stockouts["sku"], stockouts["node"])
    known = at >= 0
    place = grid.index(at[known], stockouts["day"][known])
    shares[place[place >= 0]] = stockouts["share"][known][place >= 0]
    return shares


def _masked(
    grid: Grid, stockpoints: Stockpoints, stockout_share: np.ndarray, inputs: Inputs
) -> np.ndarray:
    """Stockout shares, with promotion days masked where enough other days remain."""
    masked = stockout_share.copy()
    promoted = promoted_days(inputs)
    promoted[always_promoted(promoted)] = False
    ever = np.asarray(promoted.any(axis=1))
    touched = np.flatnonzero(ever[stockpoints.sku])
    lengths = np.diff(grid.offsets)[touched]
    row = np.repeat(touched, lengths)
    late = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    on = promoted[stockpoints.sku[row], grid.first_day[row] + late]
    masked[(grid.offsets[row] + late)[on]] = 1.0
    return masked


def promoted_days(inputs: Inputs) -> np.ndarray:
    """(n_skus, n_days) bool: days of history on which a SKU was on promotion anywhere."""
    promoted = np.zeros((len(inputs.skus), inputs.n_days), bool)
    rows = inputs.promotions
    for sku, first, last in zip(rows["sku"], rows["first"], rows["last"], strict=True):
        promoted[sku, max(first, 0) : max(last + 1, 0)] = True
    return promoted


def always_promoted(promoted: np.ndarray) -> np.ndarray:
    """(n_skus,) bool: promoted so often that promotion is the SKU's normal demand."""
    return np.asarray(promoted.mean(axis=1) > _LARGEST_PROMOTED_SHARE)
