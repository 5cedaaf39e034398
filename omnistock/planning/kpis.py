"""Key figures of the plan: in total, by node and by channel, in selling units and money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.frames import to_arrow
from omnistock.planning.demand import DemandAhead
from omnistock.planning.history import History
from omnistock.planning.inputs import Inputs
from omnistock.planning.orders import Moves
from omnistock.planning.supply import BufferPlan, Position, inbound_within

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["expected_short", "kpi_table"]

_DAYS_PER_YEAR = 365.0


def expected_short(
    inputs: Inputs, demand: DemandAhead, buffers: BufferPlan, position: Position, moves: Moves
) -> np.ndarray:
    """Return expected units short at each stockpoint before replenishment ordered now can help.

    Own customers' demand over lead time and review period, against free stock less what
    is transferred away tonight, and receipts due within those days.

    Returns
    -------
    (n_stockpoints,) float64
    """
    stockpoints = demand.stockpoints
    source = stockpoints.source[moves.stockpoint]
    leaving = np.bincount(
        source[source >= 0], weights=moves.quantity[source >= 0], minlength=len(stockpoints)
    )
    due = inbound_within(inputs, stockpoints, np.maximum(buffers.own_days, 1.0))
    short = buffers.own.loss(np.maximum(position.free - leaving, 0) + due)
    return np.asarray(np.minimum(short, buffers.own.mean))


@dataclass(frozen=True)
class _Figures:
    """What the key figures add up, per stockpoint, in selling units."""

    ahead: np.ndarray  # demand over the horizon
    risk: np.ndarray  # demand over lead time and review
    short: np.ndarray
    rate: np.ndarray  # demand per day, supplied nodes included
    on_hand: np.ndarray
    free: np.ndarray
    on_order: np.ndarray
    value: np.ndarray
    flow_value: np.ndarray  # rate at cost
    censored: np.ndarray  # share of the last days without stock


def kpi_table(
    inputs: Inputs,
    history: History,
    demand: DemandAhead,
    shares: np.ndarray,
    buffers: BufferPlan,
    position: Position,
    short: np.ndarray,
) -> pa.Table:
    """Return one row in total, one per node and one per channel.

    A channel owns no stock: its row holds demand and shortage only, split by the
    channels' shares at each stockpoint.
    """
    n_days = min(demand.horizon_days, inputs.n_days)
    figures = _figures(inputs, history, demand, buffers, position, short, n_days)
    node = demand.stockpoints.node
    sold_at, sold_by = _sold_lately(inputs, history, n_days)
    rows = [_row("total", "all", figures, np.ones(len(node)), sold_at.sum(), own_rate=True,
                 per_day=demand.per_day / inputs.unit_scale[demand.stockpoints.sku])]  # fmt: skip
    for n, name in enumerate(inputs.nodes):
        rows.append(_row("node", name, figures, 1.0 * (node == n), sold_at[n]))
    for c, name in enumerate(inputs.channels):
        row = _row("channel", name, figures, shares[:, c], sold_by[c])
        for owned in ("on_hand", "on_order", "days_of_cover", "stock_value", "turns"):
            row[owned] = None
        rows.append(row)
    return to_arrow({name: _column([row[name] for row in rows]) for name in rows[0]})


def _column(values: list[Any]) -> Any:
    import pyarrow as pa

    is_text = isinstance(values[0], str)
    return pa.array(values, pa.string() if is_text else pa.float64())


def _figures(
    inputs: Inputs,
    history: History,
    demand: DemandAhead,
    buffers: BufferPlan,
    position: Position,
    short: np.ndarray,
    n_days: int,
) -> _Figures:
    sku = demand.stockpoints.sku
    scale, cost = inputs.unit_scale[sku], inputs.unit_cost[sku]
    rate = demand.echelon_per_day() / scale
    return _Figures(
        ahead=demand.mean[:, : demand.horizon_days].sum(axis=1) / scale,
        risk=buffers.own.mean / scale,
        short=short / scale,
        rate=rate,
        on_hand=position.on_hand / scale,
        free=position.free / scale,
        on_order=position.on_order / scale,
        value=position.on_hand / scale * cost,
        flow_value=rate * cost,
        censored=_censored_lately(history, n_days),
    )


def _censored_lately(history: History, n_days: int) -> np.ndarray:
    """(n_stockpoints,) float64: mean stockout share over the last ``n_days`` of each history."""
    running = np.concatenate([[0.0], np.cumsum(history.stockout_share)])
    end = history.offsets[1:]
    start = np.maximum(end - n_days, history.offsets[:-1])
    mean = (running[end] - running[start]) / np.maximum(end - start, 1)
    return np.asarray(np.clip(mean, 0.0, 1.0))


def _sold_lately(inputs: Inputs, history: History, n_days: int) -> tuple[np.ndarray, np.ndarray]:
    """Return selling units sold in the last ``n_days``, by node and by channel."""
    sales = history.sales
    late = sales["day"] >= inputs.n_days - n_days
    units = (sales["units"] / inputs.unit_scale[sales["sku"]])[late]
    at = np.bincount(sales["node"][late], weights=units, minlength=len(inputs.nodes))
    by = np.bincount(sales["channel"][late], weights=units, minlength=len(inputs.channels))
    return at, by


def _row(
    scope: str,
    name: str,
    figures: _Figures,
    weight: np.ndarray,
    sold: float,
    *,
    own_rate: bool = False,
    per_day: np.ndarray | None = None,
) -> dict[str, Any]:
    """Sum the figures with a weight per stockpoint.

    ``own_rate`` counts each node's own demand only, since in a total the demand of the
    nodes supplied must not count twice.
    """

    def total(values: np.ndarray) -> float:
        return float((values * weight).sum())

    if own_rate and per_day is not None:
        rate = total(per_day)
        with np.errstate(invalid="ignore", divide="ignore"):
            cost = np.where(figures.rate > 0, figures.flow_value / figures.rate, 0.0)
        flow_value = total(per_day * cost)
    else:
        rate, flow_value = total(figures.rate), total(figures.flow_value)
    risk, short, value = total(figures.risk), total(figures.short), total(figures.value)
    weights = float(weight.sum())
    return {
        "scope": scope,
        "name": name,
        "forecast_demand": total(figures.ahead),
        "last_demand": float(sold),
        "fill_rate": 1.0 - short / risk if risk > 0 else None,
        "units_short": short,
        "on_hand": total(figures.on_hand),
        "on_order": total(figures.on_order),
        "days_of_cover": total(figures.free) / rate if rate > 0 else None,
        "stock_value": value,
        "turns": flow_value * _DAYS_PER_YEAR / value if value > 0 else None,
        "censored_share": total(figures.censored) / weights if weights > 0 else None,
    }
