"""Moves of packs between nodes as a min-cost flow, one network for all SKUs.

Axes: p = stockpoint (one SKU at one node), q = a stockpoint as receiver, a = arc (a lane
for one SKU), r = run (packs of one value at one stockpoint), i = SKU, l = lane.

Each stockpoint has a supply side, with the packs that it has, and a use side, where a pack
is worth what the place expects to sell of it. A pack stays (a free arc to the same place's
use side) or travels (an arc of the price of the lane); the use side leads to the SKU's sink
through one arc per value. Values fall from pack to pack, so a cheapest flow fills them in
order, and flows of whole packs are whole: the flow is the exact optimum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from omnistock.errors import InputError
from omnistock.numerics.marginal import MONEY_STEPS, Curves
from omnistock.replenishment.lanes import TransferLanes

__all__ = ["Arcs", "Places", "arcs_between", "best_flow", "value_runs"]

# Costs times nodes stay inside what the flow solver can scale.
_LARGEST = 2**61
# Lanes times stockpoints that are looked at in one go.
_BLOCK = 2_000_000
_ARCS_AT_ONCE = 100_000


class Places(NamedTuple):
    """Stockpoints and what packs are worth there; int64, money in steps."""

    sku: np.ndarray  # (n,)
    node: np.ndarray  # (n,)
    packs: np.ndarray  # (n,) that may leave
    pack_units: np.ndarray  # (n,)
    pack_volume: np.ndarray  # (n,)
    curves: Curves


class Arcs(NamedTuple):
    """Lanes for single SKUs; int64."""

    source: np.ndarray  # stockpoint
    destination: np.ndarray  # stockpoint
    lane: np.ndarray
    freight: np.ndarray  # steps per pack
    volume: np.ndarray  # per pack


def arcs_between(places: Places, lanes: TransferLanes) -> Arcs:
    """Return all lanes between stockpoints of one SKU on which a pack may be worth its freight."""
    n_nodes = 1 + int(
        max(part.max(initial=-1) for part in (places.node, lanes.source, lanes.destination))
    )
    order = np.argsort(lanes.source, kind="stable")
    first = np.searchsorted(lanes.source[order], np.arange(n_nodes + 1))
    donors = np.flatnonzero(places.packs > 0)
    n_lanes = (first[1:] - first[:-1])[places.node[donors]]
    keys = places.sku * n_nodes + places.node
    by_key = np.argsort(keys, kind="stable")
    sorted_keys = keys[by_key]
    found = [Arcs(*(np.empty(0, dtype=np.int64) for _ in Arcs._fields))]
    running = np.cumsum(n_lanes)
    # Blocks bound the memory; what is kept of one block is small.
    cuts = np.searchsorted(running, np.arange(0, running[-1:].sum() + _BLOCK, _BLOCK))
    for begin, end in zip(cuts[:-1], np.maximum(cuts[1:], cuts[:-1]), strict=True):
        count = n_lanes[begin:end]
        source = np.repeat(donors[begin:end], count)
        within = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
        lane = order[first[places.node[source]] + within]
        wanted = places.sku[source] * n_nodes + lanes.destination[lane]
        at = np.minimum(np.searchsorted(sorted_keys, wanted), len(keys) - 1)
        destination = by_key[at]
        known = keys[destination] == wanted
        found.append(_priced(places, lanes, source[known], destination[known], lane[known]))
    arcs = Arcs(*(np.concatenate(part) for part in zip(*found, strict=True)))
    return _useful(places, arcs)


def _priced(
    places: Places,
    lanes: TransferLanes,
    source: np.ndarray,
    destination: np.ndarray,
    lane: np.ndarray,
) -> Arcs:
    """Arcs whose first pack is worth more at its destination than its freight."""
    cents = lanes.freight_cents[lane] * places.pack_units[source]
    freight = np.rint(cents * MONEY_STEPS).astype(np.int64)
    best = places.curves.at(np.zeros_like(places.packs))[destination]
    rows = np.flatnonzero(best > freight)
    source = source[rows]
    return Arcs(source, destination[rows], lane[rows], freight[rows], places.pack_volume[source])


def _useful(places: Places, arcs: Arcs) -> Arcs:
    """Leave out arcs that no plan needs.

    A pack on its way is taken from the source's own, and the source loses at least what its
    last one is worth; or it is made up for by another that comes in, which costs at least
    the cheapest freight to the source. If a pack is worth no more than that and its own
    freight, the plan without it is as good.
    """
    cheapest = np.full(len(places.packs), np.iinfo(np.int64).max)
    np.minimum.at(cheapest, arcs.destination, arcs.freight)
    lost = np.minimum(places.curves.at(places.packs - 1), cheapest)[arcs.source]
    best = places.curves.at(np.zeros_like(places.packs))[arcs.destination]
    useful = best - arcs.freight > lost
    return Arcs(*(part[useful] for part in arcs))


def value_runs(curves: Curves) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return stockpoint, value and length of each run of packs that are worth the same."""
    owner = np.repeat(np.arange(len(curves.offsets) - 1), np.diff(curves.offsets))
    begins = np.ones(len(owner), dtype=bool)
    begins[1:] = (np.diff(curves.values) != 0) | (np.diff(owner) != 0)
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, len(owner)))
    return owner[starts], curves.values[starts], lengths


def best_flow(places: Places, arcs: Arcs, cost: np.ndarray) -> np.ndarray:
    """Return the packs that travel on each arc at ``cost`` steps a pack, exactly optimal."""
    packs = np.zeros(len(arcs.source), dtype=np.int64)
    if not len(packs):
        return packs
    runs = value_runs(places.curves)
    sku = places.sku[arcs.source]
    order = np.argsort(sku, kind="stable")
    # SKUs do not meet: some at a time stay in the processor's caches.
    heads = np.flatnonzero(np.append(True, np.diff(sku[order]) != 0))
    cuts = np.unique(heads // _ARCS_AT_ONCE, return_index=True)[1]
    for begin, end in zip(heads[cuts], np.append(heads[cuts[1:]], len(order)), strict=True):
        rows = order[begin:end]
        some = Arcs(*(part[rows] for part in arcs))
        packs[rows] = _flow(places, some, cost[rows], runs)
    return packs


def _flow(places: Places, arcs: Arcs, cost: np.ndarray, runs: tuple[np.ndarray, ...]) -> np.ndarray:
    """Solve the network of some SKUs."""
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    # Only stockpoints that some arc touches can change anything.
    rank = np.full(len(places.sku), -1, dtype=np.int64)
    rank[arcs.source] = rank[arcs.destination] = 0
    touched = np.flatnonzero(rank == 0)
    rank[touched] = np.arange(len(touched))
    skus, sink = np.unique(places.sku[touched], return_inverse=True)
    n = len(touched)
    own = places.packs[touched]
    total = np.bincount(sink, weights=own, minlength=len(skus)).astype(np.int64)

    here = rank[runs[0]] >= 0
    owner, value, length = rank[runs[0][here]], runs[1][here], runs[2][here]
    everyone = np.arange(n)
    tails = np.concatenate((everyone, rank[arcs.source], n + owner, n + everyone))
    heads = np.concatenate(
        (n + everyone, n + rank[arcs.destination], 2 * n + sink[owner], 2 * n + sink)
    )
    capacities = np.concatenate((own, places.packs[arcs.source], length, total[sink]))
    costs = np.concatenate((np.zeros(n, np.int64), cost, -value, np.zeros(n, np.int64)))
    if int(np.abs(costs).max()) * (2 * n + len(skus) + 1) > _LARGEST:
        raise InputError("margins or freight are too large to be weighed exactly; use cents")

    solver = SimpleMinCostFlow()
    numbers = solver.add_arcs_with_capacity_and_unit_cost(tails, heads, capacities, costs)
    solver.set_nodes_supplies(
        np.arange(2 * n + len(skus)), np.concatenate((own, np.zeros(n, np.int64), -total))
    )
    status = solver.solve()
    assert status == solver.OPTIMAL, f"a flow that always exists was not found: {status}"
    flows = solver.flows(numbers)
    return np.asarray(flows[n : n + len(arcs.source)], dtype=np.int64)
