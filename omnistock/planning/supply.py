"""Buffers of every stockpoint, and the orders and transfers that follow from them.

Axes: i = stockpoint. Event order of a day: receipts arrive, demand comes, then stock is
reviewed; an order placed tonight arrives ``lead_time_days`` later. A node at review period
R with lead time L must therefore cover L + R days with what is there and on its way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnistock.numerics.demand import DemandDistribution
from omnistock.planning.demand import DemandAhead
from omnistock.planning.history import Stockpoints, explode, sum_units
from omnistock.planning.inputs import Inputs, Rows
from omnistock.planning.network import NO_LANE
from omnistock.planning.result import PlanSettings

__all__ = ["BufferPlan", "Position", "plan_buffers", "read_position"]


@dataclass(frozen=True)
class Position:
    """Where stock stands on the plan's morning; arrays of shape (n_stockpoints,) int64.

    ``committed`` are units of open orders, which still lie on the shelf as ``on_hand``.
    Orders that name no node are laid where most free stock of the SKU lies among the
    nodes of their channel.
    """

    on_hand: np.ndarray
    on_order: np.ndarray
    committed: np.ndarray

    @property
    def free(self) -> np.ndarray:
        """(n_stockpoints,) int64: units on hand that no order claims; never negative."""
        return np.asarray(np.maximum(self.on_hand - self.committed, 0))


def read_position(inputs: Inputs, stockpoints: Stockpoints) -> Position:
    """Sum stock, inbound and open orders by stockpoint, kits of orders exploded."""
    on_hand = stockpoints.total(inputs.stock)
    orders = explode(inputs.orders, inputs.part_offsets, inputs.part, inputs.part_units)
    fixed = orders["node"] >= 0
    committed = stockpoints.total({name: column[fixed] for name, column in orders.items()})
    _place_open(inputs, stockpoints, on_hand, committed, orders, np.flatnonzero(~fixed))
    return Position(on_hand, stockpoints.total(inputs.inbound), committed)


def _place_open(
    inputs: Inputs,
    stockpoints: Stockpoints,
    on_hand: np.ndarray,
    committed: np.ndarray,
    orders: Rows,
    rows: np.ndarray,
) -> None:
    """Lay each open line where the most free stock lies, several nodes if one has too little."""
    for row in rows:
        sku, left = int(orders["sku"][row]), int(orders["units"][row])
        nodes = np.flatnonzero(inputs.serves[orders["channel"][row]])
        at = stockpoints.of(np.full(len(nodes), sku), nodes)
        at = at[at >= 0]
        while left > 0 and len(at):
            free = on_hand[at] - committed[at]
            best = int(np.argmax(free))
            taken = min(left, int(free[best])) if free[best] > 0 else left
            committed[at[best]] += taken
            left -= taken


@dataclass(frozen=True)
class BufferPlan:
    """Buffers of every stockpoint; arrays of shape (n_stockpoints,).

    Attributes
    ----------
    demand : DemandDistribution
        Over lead time plus review period, own demand and that of all nodes supplied.
    own : DemandDistribution
        The same without the nodes supplied: what customers ask for there.
    own_days : float64
        Days that ``own`` covers.
    service_level : float64
        Target used.
    fill_rate : float64
        Attained in the long run when ordering by these levels.
    safety_stock, reorder_point, order_up_to : int64
    """

    demand: DemandDistribution
    own: DemandDistribution
    own_days: np.ndarray
    service_level: np.ndarray
    fill_rate: np.ndarray
    safety_stock: np.ndarray
    reorder_point: np.ndarray
    order_up_to: np.ndarray


def plan_buffers(
    inputs: Inputs, demand: DemandAhead, channel_share: np.ndarray, settings: PlanSettings
) -> BufferPlan:
    """Compute safety stock, reorder points and order-up-to levels.

    Parameters
    ----------
    channel_share : (n_stockpoints, n_channels) float64
        Share of each channel in the demand served by the stockpoint and those it supplies.
    """
    from omnistock.buffers import safety_stock

    node = demand.stockpoints.node
    lanes = inputs.lanes
    lead, std = lanes.lead_time_days[node], lanes.lead_time_std_days[node]
    review = lanes.review_period_days[node]
    over_both = demand.echelon(lead, std, review)
    over_lead = demand.echelon(lead, std, np.zeros(len(node)))
    service = _service_level(inputs, channel_share, settings)
    target = (
        {"service_level": service}
        if settings.fill_rate is None
        else {"fill_rate": np.full(len(node), settings.fill_rate)}
    )
    buffers = safety_stock(
        over_both, review_period_days=review, during_lead_time=over_lead, **target
    )
    own_mean, own_variance = demand.over(lead + review)
    own_variance = own_variance + (demand.per_day * std) ** 2
    return BufferPlan(
        demand=over_both,
        own=DemandDistribution.from_moments(own_mean, own_variance, counts=demand.counts),
        own_days=lead + review,
        service_level=service,
        fill_rate=buffers.fill_rate,
        safety_stock=buffers.safety_stock,
        reorder_point=buffers.reorder_point,
        order_up_to=buffers.order_up_to,
    )


def _service_level(inputs: Inputs, share: np.ndarray, settings: PlanSettings) -> np.ndarray:
    """Mean of the channels' service levels, weighted by what each sells from the stockpoint."""
    of_channel = np.where(
        np.isnan(inputs.service_level), settings.service_level, inputs.service_level
    )
    of_channel = np.clip(of_channel, 0.5, 0.9999)
    total = share.sum(axis=1)
    mixed = share @ of_channel / np.maximum(total, 1e-12)
    return np.where(total > 0, mixed, settings.service_level)


def inbound_within(inputs: Inputs, stockpoints: Stockpoints, days: np.ndarray) -> np.ndarray:
    """(n_stockpoints,) int64: units due from today to before ``days`` days; overdue ones not.

    Parameters
    ----------
    days : (n_stockpoints,) float64
    """
    rows = inputs.inbound
    at = stockpoints.of(rows["sku"], rows["node"])
    due = (rows["day"] >= 0) & (rows["day"] < days[at])
    return sum_units(np.where(due, at, -1), rows["units"], len(stockpoints))


def has_lane(inputs: Inputs, stockpoints: Stockpoints) -> np.ndarray:
    """(n_stockpoints,) bool: whether any lane leads to the node."""
    known: np.ndarray = inputs.lanes.source[stockpoints.node] != NO_LANE
    return known
