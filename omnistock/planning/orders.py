"""Orders to suppliers and transfers between nodes, from the leaves of the network upwards.

Axes: i = stockpoint, m = move (an order or a transfer into one stockpoint).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnistock.planning.demand import DemandAhead
from omnistock.planning.history import Stockpoints
from omnistock.planning.inputs import Inputs
from omnistock.planning.supply import BufferPlan, Position, has_lane

__all__ = ["Moves", "plan_moves"]


@dataclass(frozen=True)
class Moves:
    """Proposed orders and transfers, the most urgent first; arrays of shape (n_moves,).

    Attributes
    ----------
    stockpoint : int64
        Where the goods go; they come from where its lane comes from.
    quantity, wanted : int64
        Smallest units: what is moved, and what was wanted before the source ran short.
    requested : int64
        Units that the nodes supplied by this stockpoint ask of it tonight.
    days_of_cover : float64
        Days that free stock there lasts, for itself and the nodes it supplies.
    """

    stockpoint: np.ndarray
    quantity: np.ndarray
    wanted: np.ndarray
    requested: np.ndarray
    days_of_cover: np.ndarray

    def __len__(self) -> int:
        return len(self.stockpoint)


def plan_moves(
    inputs: Inputs, demand: DemandAhead, buffers: BufferPlan, position: Position
) -> Moves:
    """Raise every stockpoint to its order-up-to level, and share what a source has too little of.

    What a node asks of its source tonight counts there as promised, so the source orders
    for it too. A source with too little shares by days of cover among the nodes that ask
    and what its own customers will ask for in the same days.
    """
    stockpoints = demand.stockpoints
    wanted, requested = _wanted(inputs, stockpoints, buffers, position)
    granted = np.where(stockpoints.source >= 0, 0, wanted)
    _grant(inputs, demand, position, wanted, requested, granted)
    rate = demand.echelon_per_day()
    cover = np.where(rate > 0, position.free / np.maximum(rate, 1e-12), np.inf)
    chosen = np.flatnonzero(granted > 0)
    worth = rate * inputs.unit_price[stockpoints.sku] / inputs.unit_scale[stockpoints.sku]
    order = np.lexsort((-worth[chosen], np.round(cover[chosen], 1)))
    chosen = chosen[order]
    return Moves(chosen, granted[chosen], wanted[chosen], requested[chosen], cover[chosen])


def _wanted(
    inputs: Inputs, stockpoints: Stockpoints, buffers: BufferPlan, position: Position
) -> tuple[np.ndarray, np.ndarray]:
    """Return what each stockpoint wants of its source, and what is asked of it itself."""
    from omnistock.replenishment import replenish

    n = len(stockpoints)
    wanted, requested = np.zeros(n, np.int64), np.zeros(n, np.int64)
    from_supplier = stockpoints.source < 0
    # A supplier packs; between our own nodes the smallest move is one selling unit.
    scale = inputs.unit_scale[stockpoints.sku]
    pack = np.where(from_supplier, inputs.pack_size[stockpoints.sku], scale)
    minimum = np.where(from_supplier, inputs.minimum_order[stockpoints.sku], 0)
    level = inputs.lanes.level[stockpoints.node]
    orderable = has_lane(inputs, stockpoints)
    for deep in range(int(level.max(initial=0)), -1, -1):
        rows = np.flatnonzero((level == deep) & orderable)
        proposed = replenish(
            on_hand=position.on_hand[rows],
            on_order=position.on_order[rows],
            backorders=position.committed[rows] + requested[rows],
            reorder_point=buffers.reorder_point[rows],
            order_up_to=buffers.order_up_to[rows],
            pack_size=pack[rows],
            minimum_order=minimum[rows],
        )
        wanted[rows] = proposed.order_quantity
        inner = rows[stockpoints.source[rows] >= 0]
        np.add.at(requested, stockpoints.source[inner], wanted[inner])
    return wanted, requested


def _grant(
    inputs: Inputs,
    demand: DemandAhead,
    position: Position,
    wanted: np.ndarray,
    requested: np.ndarray,
    granted: np.ndarray,
) -> None:
    """Fill ``granted`` for transfers: all that is wanted, or a share that evens out cover."""
    stockpoints = demand.stockpoints
    inner = np.flatnonzero(stockpoints.source >= 0)
    source = stockpoints.source[inner]
    own = _own_need(inputs, demand)
    enough = position.free >= requested + own
    plenty = inner[enough[source]]
    granted[plenty] = wanted[plenty]

    short = np.flatnonzero(~enough & (requested > 0))
    if not len(short):
        return
    from omnistock.replenishment import dc_to_stores

    row_of = np.full(len(stockpoints), -1, np.int64)
    row_of[short] = np.arange(len(short))
    claiming = inner[(row_of[source] >= 0) & (wanted[inner] > 0)]
    at = row_of[stockpoints.source[claiming]], stockpoints.node[claiming]
    shape = len(short), len(inputs.nodes) + 1  # the last column is the source's own need
    asked, held = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    rate = np.zeros(shape)
    asked[at] = wanted[claiming]
    held[at] = (position.on_hand + position.on_order - position.committed)[claiming]
    rate[at] = demand.echelon_per_day()[claiming]
    asked[:, -1], rate[:, -1] = own[short], demand.per_day[short]
    shared = dc_to_stores(
        position.free[short],
        asked,
        position=held,
        rate_per_day=rate,
        pack_size=inputs.unit_scale[stockpoints.sku[short]],
    )
    granted[claiming] = shared.quantity[at]


def _own_need(inputs: Inputs, demand: DemandAhead) -> np.ndarray:
    """(n_stockpoints,) int64: own demand over the days that the longest served lane covers."""
    stockpoints = demand.stockpoints
    days = np.zeros(len(stockpoints))
    inner = stockpoints.source >= 0
    np.maximum.at(
        days, stockpoints.source[inner], inputs.lanes.protection_days[stockpoints.node[inner]]
    )
    need: np.ndarray = np.ceil(demand.per_day * days).astype(np.int64)
    return need
