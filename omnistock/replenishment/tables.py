"""Transfers between nodes, from tables of the caller's own kind."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.errors import FrameError, Problem
from omnistock.frames import Column, TableSpec, check_references, read_table
from omnistock.numerics.demand import DemandDistribution
from omnistock.replenishment.lanes import TransferLanes
from omnistock.replenishment.rebalance import Rebalanced, rebalance_arrays

if TYPE_CHECKING:
    from omnistock.frames import Table

__all__ = ["LANES", "STOCK", "rebalance"]

_MOST = 2**40

STOCK = TableSpec(
    "stock",
    (
        Column("sku", "text", help="What lies there,"),
        Column("node", "text", help="and where."),
        Column("on_hand", "units", maximum=_MOST, help="Units less promises; < 0: owed."),
        Column("margin_cents", "number", minimum=0, help="Cents that a unit sold earns."),
        Column("mean", "number", minimum=0, help="Expected demand until the next supply."),
        Column("variance", "number", required=False, minimum=0, help="By default the mean."),
        Column(
            "movable",
            "units",
            required=False,
            minimum=-1,
            default=-1,
            help="Units that may leave; -1: all.",
        ),
        Column(
            "pack_size",
            "units",
            required=False,
            minimum=1,
            maximum=_MOST,
            default=1,
            help="Units that travel together, one number per SKU.",
        ),
        Column(
            "volume",
            "units",
            required=False,
            minimum=0,
            maximum=_MOST,
            default=1,
            help="Volume of a unit, one number per SKU.",
        ),
    ),
    key=("sku", "node"),
    help="What each node has of each SKU, and what it expects to sell.",
)

LANES = TableSpec(
    "lanes",
    (
        Column("source", "text", help="Node where units leave,"),
        Column("destination", "text", help="and where they arrive."),
        Column("freight_cents", "number", required=False, minimum=0, default=0.0,
               help="Cents per unit."),
        Column("capacity", "units", required=False, minimum=-1, default=-1,
               help="Most volume; -1: any."),
        Column("truck_volume", "units", required=False, minimum=0, default=0,
               help="Volume of a truck; 0: none needed."),
        Column("truck_cents", "number", required=False, minimum=0, default=0.0,
               help="Cents per truck."),
        Column("trucks", "units", required=False, minimum=-1, default=-1,
               help="Most trucks; -1: any."),
    ),
    help="Ways between nodes; one that runs on several days stands in several rows.",
)  # fmt: skip


def rebalance(stock: Any, lanes: Any, *, time_limit_s: float = 10.0) -> Rebalanced:
    """Move units to where they are expected to sell, if that earns more than it costs.

    Parameters
    ----------
    stock : table
        ``sku``, ``node``, ``on_hand`` (smallest units, less what is promised),
        ``margin_cents`` and the ``mean`` of demand until the next supply; optionally its
        ``variance``, what of the stock is ``movable``, ``pack_size`` and ``volume``. A
        distribution centre is a node with mean 0. Any kind of table: pandas, polars,
        pyarrow, a dict of columns, or a path.
    lanes : table
        ``source``, ``destination``, and optionally ``freight_cents``, ``capacity``,
        ``truck_volume``, ``truck_cents``, ``trucks``.
    time_limit_s : float
        As in :func:`rebalance_arrays`, which also says what is optimal.

    Returns
    -------
    Rebalanced
        With the names of the tables; ``to_table(like=stock)`` gives a frame of their kind.

    Raises
    ------
    FrameError
        Naming table, row and column of everything that is wrong.

    Examples
    --------
    >>> moved = rebalance(
    ...     {
    ...         "sku": ["TEE", "TEE"], "node": ["DC", "SHOP"], "on_hand": [6, 0],
    ...         "margin_cents": [0, 900], "mean": [0.0, 2.0],
    ...     },
    ...     {"source": ["DC"], "destination": ["SHOP"], "freight_cents": [120]},
    ... )
    >>> moved.to_table().to_pylist()[0]["quantity"], moved.gap
    (4, 0.0)
    """
    held = read_table(stock, STOCK, name="stock")
    ways = read_table(lanes, LANES, name="lanes")
    skus, nodes = held.codes("sku"), held.codes("node")
    problems = [
        problem
        for column in ("source", "destination")
        for problem in check_references(ways, column, set(nodes.labels), "node with stock")
    ]
    problems += [
        Problem("lanes", int(row) + 1, "destination", "must be another node than the source")
        for row in np.flatnonzero(ways["source"] == ways["destination"])
    ]
    pack, volume = (_per_sku(held, name, problems) for name in ("pack_size", "volume"))
    there = np.maximum(held["on_hand"], 0)
    movable = np.where(held["movable"] < 0, there, held["movable"])
    problems += [
        Problem("stock", int(row) + 1, "movable", "must be at most on_hand")
        for row in np.flatnonzero(movable > there)
    ]
    if problems:
        raise FrameError(problems)
    code = {label: number for number, label in enumerate(nodes.labels)}
    source, destination = (
        np.array([code[name] for name in ways[column]], dtype=np.int64)
        for column in ("source", "destination")
    )
    mean = held["mean"]
    variance = mean
    if "variance" in held.given:
        variance = np.where(np.isnan(held["variance"]), mean, held["variance"])
    moved = rebalance_arrays(
        skus.codes.astype(np.int64),
        nodes.codes.astype(np.int64),
        held["on_hand"],
        demand=DemandDistribution.from_moments(mean, variance),
        margin_cents=held["margin_cents"],
        lanes=TransferLanes(
            source,
            destination,
            **{
                name: ways[name]
                for name in ("freight_cents", "capacity", "truck_volume", "truck_cents", "trucks")
            },
        ),
        movable=movable,
        pack_size=pack,
        volume=volume,
        time_limit_s=time_limit_s,
    )
    return dataclasses.replace(moved, sku_names=tuple(skus.labels), node_names=tuple(nodes.labels))


def _per_sku(held: Table, name: str, problems: list[Problem]) -> np.ndarray:
    """Return one number per SKU, noting rows that disagree with the first of their SKU."""
    codes = held.codes("sku")
    values = held[name]
    _, first = np.unique(codes.codes, return_index=True)
    of_sku = np.ones(len(codes.labels), dtype=np.int64)
    of_sku[codes.codes[first]] = values[first]
    problems += [
        Problem("stock", int(row) + 1, name, f"is {values[row]}, and {of_sku[codes.codes[row]]} "
                "in another row of the SKU")
        for row in np.flatnonzero(values != of_sku[codes.codes])
    ]  # fmt: skip
    return of_sku
