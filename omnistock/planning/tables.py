"""From arrays in smallest units to the plan's tables in selling units, with reasons in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.frames import to_arrow
from omnistock.numerics.demand import DemandDistribution
from omnistock.planning.channels import ChannelAllocation
from omnistock.planning.demand import DemandAhead
from omnistock.planning.history import History
from omnistock.planning.inputs import Inputs
from omnistock.planning.orders import Moves
from omnistock.planning.supply import BufferPlan, Position

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Selling", "allocation_table", "buffers_table", "channel_buffers_table",
           "forecast_table", "history_table", "outlook_table", "replenishment_table"]  # fmt: skip

LEVELS = np.array([[0.025, 0.1, 0.5, 0.9, 0.975]])
BOUNDS = ("lower_95", "lower_80", "median", "upper_80", "upper_95")


@dataclass(frozen=True)
class Selling:
    """Turns smallest units into selling units: whole numbers stay whole if no SKU is weighed."""

    unit_scale: np.ndarray

    def units(self, quantity: np.ndarray, sku: np.ndarray) -> np.ndarray:
        """Return whole smallest units in selling units: int64, or float64 if any SKU is weighed."""
        if (self.unit_scale == 1).all():
            return quantity
        return self.rate(quantity, sku)

    def rate(self, quantity: np.ndarray, sku: np.ndarray) -> np.ndarray:
        """Return expected units in selling units, float64."""
        scaled: np.ndarray = quantity / self.unit_scale[sku]
        return scaled

    def text(self, quantity: float, sku: int) -> str:
        """Write a quantity for a reason: as few decimals as it has."""
        return f"{round(quantity / int(self.unit_scale[sku]), 3):,.10g}".replace("-", "−")


def names(labels: tuple[str, ...], index: np.ndarray) -> Any:
    """Return the text column ``labels[index]`` as an arrow array."""
    import pyarrow as pa

    coded = pa.DictionaryArray.from_arrays(
        pa.array(index.astype(np.int32)), pa.array(list(labels), pa.string())
    )
    return coded.dictionary_decode()


def _days_from(as_of: dt.date, count: int) -> np.ndarray:
    return np.datetime64(as_of, "D") + np.arange(count)


def forecast_table(inputs: Inputs, demand: DemandAhead) -> pa.Table:
    """One row per stockpoint and day ahead: mean and quantiles, with the model's reason."""
    n, horizon = len(demand.stockpoints), demand.horizon_days
    stockpoints = demand.stockpoints
    selling = Selling(inputs.unit_scale)
    mean, variance = (one[:, :horizon].ravel() for one in (demand.mean, demand.variance))
    spread = DemandDistribution.from_moments(
        mean, variance, counts=np.repeat(demand.counts, horizon)
    ).quantile(LEVELS)
    row = np.repeat(np.arange(n), horizon)
    sku = stockpoints.sku[row]
    reasons, code = np.unique(demand.reasons.astype(str), return_inverse=True)
    columns = {
        "sku": names(inputs.skus, sku),
        "node": names(inputs.nodes, stockpoints.node[row]),
        "date": np.tile(_days_from(inputs.as_of, horizon), n),
        "mean": selling.rate(mean, sku),
    }
    for j, name in enumerate(BOUNDS):
        columns[name] = selling.rate(spread[:, j], sku)
    columns["reason"] = names(tuple(reasons.tolist()), code[row])
    return to_arrow(columns)


def outlook_table(inputs: Inputs, history: History, demand: DemandAhead) -> pa.Table:
    """Demand of each SKU at all nodes, and of all SKUs together, per day ahead.

    Nodes and SKUs do not move alone: variances add up times the co-movement that week
    differences of past sales show.
    """
    n_skus, horizon = len(inputs.skus), demand.horizon_days
    stockpoints = demand.stockpoints
    mean, variance = np.zeros((n_skus, horizon)), np.zeros((n_skus, horizon))
    np.add.at(mean, stockpoints.sku, demand.mean[:, :horizon])
    np.add.at(variance, stockpoints.sku, demand.variance[:, :horizon])
    of_sku, of_all = _comovements(inputs, history)
    variance *= of_sku[:, None]
    listed = np.unique(stockpoints.sku)
    spread = DemandDistribution.from_moments(
        mean[listed].ravel(),
        variance[listed].ravel(),
        counts=np.repeat(inputs.unit_scale[listed] == 1, horizon),
    ).quantile(LEVELS)
    sku = np.repeat(listed, horizon)
    scale = inputs.unit_scale[:, None]
    total_mean = (mean / scale).sum(axis=0)
    total = DemandDistribution.from_moments(
        total_mean, (variance / scale**2).sum(axis=0) * of_all, counts=False
    ).quantile(LEVELS)
    selling = Selling(inputs.unit_scale)
    days = _days_from(inputs.as_of, horizon)
    columns = {
        "level": names(("total", "sku"), np.repeat([0, 1], [horizon, len(sku)])),
        "sku": names(("", *inputs.skus), np.concatenate([np.zeros(horizon, np.int64), sku + 1])),
        "date": np.concatenate([days, np.tile(days, len(listed))]),
        "mean": np.concatenate([total_mean, selling.rate(mean[listed].ravel(), sku)]),
    }
    for j, name in enumerate(BOUNDS):
        columns[name] = np.concatenate([total[:, j], selling.rate(spread[:, j], sku)])
    return to_arrow(columns)


def _comovements(inputs: Inputs, history: History) -> tuple[np.ndarray, float]:
    """Variance of sums over sum of variances: stockpoints in a SKU, and SKUs in the total."""
    from omnistock.planning.demand import weekly_changes

    change, _ = weekly_changes(history)
    sku, n_skus = history.stockpoints.sku, len(inputs.skus)
    summed = np.zeros((n_skus, change.shape[1]))
    np.add.at(summed, sku, change)
    apart = np.bincount(sku, weights=(change**2).mean(axis=1), minlength=n_skus)
    together = (summed**2).mean(axis=1)
    of_sku = np.where(apart > 0, np.maximum(together / np.maximum(apart, 1e-300), 1.0), 1.0)
    selling = summed / inputs.unit_scale[:, None]
    separate = (selling**2).mean(axis=1).sum()
    of_all = (selling.sum(axis=0) ** 2).mean() / separate if separate > 0 else 1.0
    return of_sku, float(max(of_all, 1.0))


def history_table(inputs: Inputs, history: History) -> pa.Table:
    """Units sold per SKU and day, and the mean stockout share of the SKU's nodes that day."""
    n_days, n_skus = inputs.n_days, len(inputs.skus)
    sku_of = history.stockpoints.sku
    lengths = np.diff(history.offsets)
    row = np.repeat(np.arange(len(lengths)), lengths)
    day = np.arange(len(row)) - history.offsets[row] + history.first_day[row]
    cell = sku_of[row] * n_days + day
    size = n_skus * n_days
    sold = np.bincount(cell, weights=history.values, minlength=size)
    out = np.bincount(cell, weights=history.stockout_share, minlength=size)
    there = np.bincount(cell, minlength=size)
    kept = np.flatnonzero((sold > 0) | (out > 0))
    sku = kept // n_days
    selling = Selling(inputs.unit_scale)
    return to_arrow(
        {
            "sku": names(inputs.skus, sku),
            "date": inputs.first_day + kept % n_days,
            "quantity": selling.units(np.rint(sold[kept]).astype(np.int64), sku),
            "censored_share": out[kept] / np.maximum(there[kept], 1),
        }
    )


def _days_of_cover(free: np.ndarray, per_day: np.ndarray) -> np.ndarray:
    return np.where(per_day > 0, free / np.maximum(per_day, 1e-300), np.nan)


def buffers_table(
    inputs: Inputs,
    demand: DemandAhead,
    buffers: BufferPlan,
    position: Position,
    short: np.ndarray,
) -> pa.Table:
    """One row per stockpoint: levels, position, expected shortage, and why."""
    stockpoints = demand.stockpoints
    sku, node = stockpoints.sku, stockpoints.node
    selling, lanes = Selling(inputs.unit_scale), inputs.lanes
    per_day = demand.echelon_per_day()
    own_mean = buffers.own.mean
    return to_arrow(
        {
            "sku": names(inputs.skus, sku),
            "node": names(inputs.nodes, node),
            "demand_per_day": selling.rate(demand.per_day, sku),
            "supplied_per_day": selling.rate(per_day, sku),
            "lead_time_days": lanes.lead_time_days[node],
            "review_period_days": lanes.review_period_days[node],
            "demand_mean": selling.rate(buffers.demand.mean, sku),
            "demand_std": selling.rate(np.sqrt(buffers.demand.variance), sku),
            "service_level": buffers.service_level,
            "fill_rate": buffers.fill_rate,
            "safety_stock": selling.units(buffers.safety_stock, sku),
            "reorder_point": selling.units(buffers.reorder_point, sku),
            "order_up_to": selling.units(buffers.order_up_to, sku),
            "on_hand": selling.units(position.on_hand, sku),
            "on_order": selling.units(position.on_order, sku),
            "committed": selling.units(position.committed, sku),
            "days_of_cover": _days_of_cover(position.free, per_day),
            "units_short": selling.rate(short, sku),
            "expected_fill_rate": np.where(
                own_mean > 0, 1.0 - short / np.maximum(own_mean, 1e-300), np.nan
            ),
            "reason": _buffer_reasons(inputs, demand, buffers),
        }
    )


def _buffer_reasons(inputs: Inputs, demand: DemandAhead, buffers: BufferPlan) -> list[str]:
    selling, lanes = Selling(inputs.unit_scale), inputs.lanes
    supplies = np.zeros(len(demand.stockpoints), bool)
    supplies[demand.stockpoints.source[demand.stockpoints.source >= 0]] = True
    reasons = []
    for i, (sku, node) in enumerate(
        zip(demand.stockpoints.sku.tolist(), demand.stockpoints.node.tolist(), strict=True)
    ):
        source = lanes.source_name[node]
        if not source:
            reasons.append("no lane leads to this node, so nothing can be ordered for it")
            continue
        days = lanes.lead_time_days[node] + lanes.review_period_days[node]
        mean = selling.text(buffers.demand.mean[i], sku)
        whose = "demand here and at the nodes it supplies" if supplies[i] else "demand"
        reasons.append(
            f"{whose} over {days:.4g} days (lead time {lanes.lead_time_days[node]:.4g} from "
            f"{source} and review {lanes.review_period_days[node]:.4g}) is {mean}, "
            f"safety stock {selling.text(buffers.safety_stock[i], sku)}; "
            f"forecast: {demand.reasons[i]}"
        )
    return reasons


def channel_buffers_table(
    inputs: Inputs, buffer: np.ndarray, others_per_day: np.ndarray
) -> pa.Table:
    """Oversell buffers above zero: a row per SKU and channel that hears late."""
    sku, channel = np.nonzero(buffer)
    selling = Selling(inputs.unit_scale)
    units = selling.units(buffer[sku, channel], sku)
    rate = selling.rate(others_per_day[sku, channel], sku)
    latency = inputs.latency_seconds[channel]
    return to_arrow(
        {
            "sku": names(inputs.skus, sku),
            "channel": names(inputs.channels, channel),
            "buffer": units,
            "others_per_day": rate,
            "sync_latency_seconds": latency,
            "reason": [
                f"hears of sales elsewhere ({per_day:.3g} a day) up to {seconds:.0f} s late"
                for per_day, seconds in zip(rate.tolist(), latency.tolist(), strict=True)
            ],
        }
    )


def replenishment_table(
    inputs: Inputs, demand: DemandAhead, buffers: BufferPlan, position: Position, moves: Moves
) -> pa.Table:
    """One row per order and transfer, the most urgent first."""
    i = moves.stockpoint
    sku, node = demand.stockpoints.sku[i], demand.stockpoints.node[i]
    selling, lanes = Selling(inputs.unit_scale), inputs.lanes
    is_transfer = demand.stockpoints.source[i] >= 0
    arrives = np.datetime64(inputs.as_of, "D") + np.ceil(lanes.lead_time_days[node]).astype(
        np.int64
    )
    standing = position.on_hand[i] + position.on_order[i] - position.committed[i] - moves.requested
    return to_arrow(
        {
            "kind": names(("order", "transfer"), is_transfer.astype(np.int64)),
            "source": [lanes.source_name[n] for n in node.tolist()],
            "destination": names(inputs.nodes, node),
            "sku": names(inputs.skus, sku),
            "quantity": selling.units(moves.quantity, sku),
            "wanted": selling.units(moves.wanted, sku),
            "inventory_position": selling.units(standing, sku),
            "reorder_point": selling.units(buffers.reorder_point[i], sku),
            "order_up_to": selling.units(buffers.order_up_to[i], sku),
            "days_of_cover": np.where(
                np.isfinite(moves.days_of_cover), moves.days_of_cover, np.nan
            ),
            "value": selling.rate(moves.quantity, sku) * inputs.unit_cost[sku],
            "expected_date": arrives,
            "reason": _move_reasons(inputs, demand, buffers, position, moves),
        }
    )


def _move_reasons(
    inputs: Inputs, demand: DemandAhead, buffers: BufferPlan, position: Position, moves: Moves
) -> list[str]:
    selling, reasons = Selling(inputs.unit_scale), []
    for row, i in enumerate(moves.stockpoint.tolist()):
        sku, node = int(demand.stockpoints.sku[i]), int(demand.stockpoints.node[i])

        def say(units: float, of: int = sku) -> str:
            return selling.text(units, of)

        owed = position.committed[i] + moves.requested[row]
        text = f"{say(position.on_hand[i])} on hand"
        text += f" + {say(position.on_order[i])} coming" if position.on_order[i] else ""
        text += f" − {say(owed)} promised" if owed else ""
        standing = position.on_hand[i] + position.on_order[i] - owed
        text += f" = {say(standing)}" if standing != position.on_hand[i] else ""
        text += (
            f", not above reorder point {say(buffers.reorder_point[i])}: "
            f"order up to {say(buffers.order_up_to[i])}"
        )
        quantity, wanted = moves.quantity[row], moves.wanted[row]
        missing = buffers.order_up_to[i] - standing
        if quantity < wanted:
            source = inputs.lanes.source_name[node]
            text += f"; {source} can spare {say(quantity)} of {say(wanted)}"
        elif quantity > missing and demand.stockpoints.source[i] < 0:
            text += f"; {say(missing)} needed, rounded up to packs of {say(inputs.pack_size[sku])}"
            if inputs.minimum_order[sku] > missing:
                text += f" and the minimum order of {say(inputs.minimum_order[sku])}"
        reasons.append(text)
    return reasons


def allocation_table(inputs: Inputs, allocation: ChannelAllocation) -> pa.Table:
    """Scarce SKUs: a row for every channel that asks, its grant, quota and protection."""
    import pyarrow as pa

    asked = allocation.scarce[:, None] & (allocation.requested > 0)
    sku, channel = np.nonzero(asked)
    selling = Selling(inputs.unit_scale)
    requested = allocation.requested[sku, channel]
    granted = allocation.granted[sku, channel]
    is_short = granted < requested
    days = allocation.horizon_days[sku]
    return to_arrow(
        {
            "sku": names(inputs.skus, sku),
            "channel": names(inputs.channels, channel),
            "tier": inputs.tier[channel],
            "horizon_days": days,
            "supply": selling.units(allocation.supply[sku], sku),
            "requested": selling.units(requested, sku),
            "granted": selling.units(granted, sku),
            "quota": pa.array(selling.units(granted, sku), mask=~is_short),
            "protection": selling.units(allocation.protection[sku, channel], sku),
            "until": np.datetime64(inputs.as_of, "D") + days,
            "reason": _allocation_reasons(inputs, allocation, sku, channel),
        }
    )


def _allocation_reasons(
    inputs: Inputs, allocation: ChannelAllocation, sku: np.ndarray, channel: np.ndarray
) -> list[str]:
    selling, reasons = Selling(inputs.unit_scale), []
    asked_in_all = allocation.requested.sum(axis=1)
    for s, c in zip(sku.tolist(), channel.tolist(), strict=True):
        granted, requested = allocation.granted[s, c], allocation.requested[s, c]
        text = (
            f"{selling.text(granted, s)} of {selling.text(requested, s)}: tier {inputs.tier[c]}, "
            f"weight {inputs.weight[c]:g}; {selling.text(allocation.supply[s], s)} units for "
            f"{selling.text(asked_in_all[s], s)} asked in {allocation.horizon_days[s]} days"
        )
        if granted < requested and allocation.supply[s] >= asked_in_all[s]:
            text += "; the rest lies at nodes that cannot serve the channel"
        reasons.append(text)
    return reasons
