"""The nightly chain: history -> forecast -> buffers -> orders and transfers -> channels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np

from omnistock.errors import InputError
from omnistock.model.calendar import to_seconds
from omnistock.planning import channels, tables
from omnistock.planning.demand import forecast_demand
from omnistock.planning.history import Stockpoints, build_history
from omnistock.planning.inputs import Inputs, read_inputs
from omnistock.planning.kpis import expected_short, kpi_table
from omnistock.planning.orders import plan_moves
from omnistock.planning.result import OpeningState, OpenOrder, Plan, PlanSettings
from omnistock.planning.supply import plan_buffers, read_position

__all__ = ["plan"]

_PHASES = (
    "reading tables",
    "building daily history",
    "forecasting demand",
    "computing buffers",
    "proposing orders and transfers",
    "allocating to channels",
    "writing tables",
)


def plan(
    source: Any,
    *,
    horizon_days: int = 28,
    service_level: float = 0.95,
    fill_rate: float | None = None,
    oversell_risk: float = 0.01,
    as_of: dt.date | str | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Plan:
    """Run the nightly chain on a folder or a dict of tables.

    Parameters
    ----------
    source : path or mapping of str to frame
        Tables ``skus, nodes, channels, lanes, sales, stock`` and optionally ``kits,
        stockouts, inbound, orders, promotions``: CSV or Parquet files in a folder, or
        pandas, polars or pyarrow frames or dicts of columns. Quantities in selling units.
    horizon_days : int
        Days to forecast.
    service_level : float
        Share of replenishment cycles without stockout, for channels that name none.
    fill_rate : float, optional
        Aim buffers at this share of units met from the shelf instead.
    oversell_risk : float
        Accepted probability of overselling a channel that hears late of other sales.
    as_of : date or ISO text, optional
        The morning planned for; sales from then on are left out. Default: the day after
        the last sale or stockout.
    progress : callable, optional
        Called with (done, total, phase).

    Returns
    -------
    Plan
        Forecast, buffers, replenishment, channel allocation and key figures; every
        proposal carries its reason. ``plan.write(folder)`` keeps it,
        ``plan.open_engine(path)`` starts selling on it.

    Raises
    ------
    FrameError
        With all faults of all tables, each by table, row and column.
    InputError
        If a setting lies outside its range.

    Examples
    --------
    >>> days = [f"2026-03-{day:02d}" for day in range(1, 29)]
    >>> tables = {
    ...     "skus": {"sku": ["TEE-M"]},
    ...     "nodes": {"node": ["DC1", "MILL"], "kind": ["warehouse", "supplier"]},
    ...     "channels": {"channel": ["web"]},
    ...     "lanes": {"source": ["MILL"], "destination": ["DC1"], "lead_time_days": [5]},
    ...     "sales": {"date": days, "sku": ["TEE-M"] * 28, "node": ["DC1"] * 28,
    ...               "channel": ["web"] * 28, "quantity": [4] * 28},
    ...     "stock": {"sku": ["TEE-M"], "node": ["DC1"], "on_hand": [9]},
    ... }
    >>> result = plan(tables)
    >>> result.as_of.isoformat(), result.replenishment["source"].to_pylist()
    ('2026-03-29', ['MILL'])
    """
    settings = PlanSettings(
        horizon_days=horizon_days,
        service_level=service_level,
        fill_rate=fill_rate,
        oversell_risk=oversell_risk,
    )
    return _chain(source, _date(as_of), settings, _Reporter(progress))


def _chain(source: Any, as_of: dt.date | None, settings: PlanSettings, report: _Reporter) -> Plan:
    report()
    inputs = read_inputs(source, as_of)
    report()
    history = build_history(inputs)
    report()
    demand = forecast_demand(inputs, history, settings.horizon_days, report.within)
    report()
    shares = channels.channel_shares(inputs, history, settings.share_half_life_days)
    position = read_position(inputs, history.stockpoints)
    buffers = plan_buffers(inputs, demand, channels.echelon_shares(demand, shares), settings)
    report()
    moves = plan_moves(inputs, demand, buffers, position)
    short = expected_short(inputs, demand, buffers, position, moves)
    report()
    allocation = channels.allocate_channels(inputs, demand, shares, position)
    oversell, others = channels.oversell_buffers(inputs, demand, shares, settings)
    report()
    result = Plan(
        as_of=inputs.as_of,
        settings=settings,
        network=inputs.network,
        opening=_opening(inputs, history.stockpoints),
        forecast=tables.forecast_table(inputs, demand),
        outlook=tables.outlook_table(inputs, history, demand),
        history=tables.history_table(inputs, history),
        buffers=tables.buffers_table(inputs, demand, buffers, position, short),
        channel_buffers=tables.channel_buffers_table(inputs, oversell, others),
        replenishment=tables.replenishment_table(inputs, demand, buffers, position, moves),
        allocation=tables.allocation_table(inputs, allocation),
        kpis=kpi_table(inputs, history, demand, shares, buffers, position, short),
    )
    report()
    return result


class _Reporter:
    """Counts phases of a hundred steps each; a call says that the next phase begins."""

    def __init__(self, progress: Callable[[int, int, str], None] | None) -> None:
        self.progress = progress
        self.done = 0

    def __call__(self) -> None:
        if self.progress is not None:
            phase = _PHASES[self.done] if self.done < len(_PHASES) else "planned"
            self.progress(100 * self.done, 100 * len(_PHASES), phase)
        self.done += 1

    def within(self, done: int, total: int, _phase: str) -> None:
        """Report how far the present phase is, as steps between this phase and the next."""
        if self.progress is not None and total:
            begun = 100 * (self.done - 1)
            self.progress(begun + 100 * done // total, 100 * len(_PHASES), _PHASES[self.done - 1])


def _date(as_of: dt.date | str | None) -> dt.date | None:
    if isinstance(as_of, dt.datetime):
        return as_of.date()
    if as_of is None or isinstance(as_of, dt.date):
        return as_of
    try:
        return dt.date.fromisoformat(as_of)
    except (TypeError, ValueError) as error:
        raise InputError(f"as_of must be an ISO date like 2026-03-01, got {as_of!r}") from error


def _opening(inputs: Inputs, stockpoints: Stockpoints) -> OpeningState:
    """What the engine starts from: every stockpoint, those without stock included."""
    on_hand = stockpoints.total(inputs.stock)
    skus, nodes = np.array(inputs.skus, object), np.array(inputs.nodes, object)
    morning = to_seconds(inputs.as_of, inputs.network.calendar.time_zone)
    inbound = inputs.inbound
    return OpeningState(
        stock={
            "sku": skus[stockpoints.sku],
            "node": nodes[stockpoints.node],
            "quantity": on_hand,
        },
        inbound={
            "reference": inbound["reference"],
            "sku": skus[inbound["sku"]],
            "node": nodes[inbound["node"]],
            "quantity": inbound["units"],
            "eta": morning + inbound["day"] * 86_400,
        },
        orders=_open_orders(inputs),
    )


def _open_orders(inputs: Inputs) -> tuple[OpenOrder, ...]:
    rows = inputs.orders
    lines: dict[str, list[tuple[str, int] | tuple[str, int, str]]] = {}
    channel: dict[str, str] = {}
    for order, sku, node, way, units in zip(
        rows["order"],
        rows["sku"].tolist(),
        rows["node"].tolist(),
        rows["channel"].tolist(),
        rows["units"].tolist(),
        strict=True,
    ):
        named = lines.setdefault(order, [])
        if node >= 0:
            named.append((inputs.skus[sku], units, inputs.nodes[node]))
        else:
            named.append((inputs.skus[sku], units))
        channel[order] = inputs.channels[way]
    return tuple(OpenOrder(order, channel[order], tuple(of)) for order, of in lines.items())
