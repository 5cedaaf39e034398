"""Safety stock and reorder points that attain a service target, and what they attain.

Notation: L = lead time, R = review period (0: continuous review), D = demand over L + R,
y = level: the inventory position from which an interval of risk starts.

Continuous review: order ``order_quantity`` units when the position falls to s = y. Periodic
review: at each review raise the position to at least y, so s = y - 1. Planned backorders
(y < 0) are not used. The timing is told in full in :mod:`omnistock.buffers.levels`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from omnistock.buffers.fill import attained_fill_rates, lot_sizes, row_values
from omnistock.buffers.levels import level_into
from omnistock.buffers.result import Buffers, whole_units
from omnistock.errors import InputError
from omnistock.numerics.demand import DemandDistribution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["LeadTimeForecast", "safety_stock"]

_LARGEST_LEVEL = 2.0**62


@runtime_checkable
class LeadTimeForecast(Protocol):
    """Whatever can tell the distribution of demand over a lead time: a forecast.

    If it has ``keys`` (a mapping of names to columns) or ``kind`` (the kind of frame that it
    came from), the buffers' table carries the first and is of the second.
    """

    def lead_time_demand(
        self,
        lead_time_days: Any,
        *,
        review_period_days: Any = 0,
        lead_time_std_days: Any = 0,
    ) -> DemandDistribution:
        """Return demand over lead time plus review period."""
        ...


def safety_stock(
    demand: DemandDistribution | LeadTimeForecast,
    *,
    lead_time_days: ArrayLike | None = None,
    review_period_days: ArrayLike = 0,
    lead_time_std_days: ArrayLike = 0,
    service_level: ArrayLike | None = None,
    fill_rate: ArrayLike | None = None,
    order_quantity: ArrayLike | None = None,
    during_lead_time: DemandDistribution | None = None,
) -> Buffers:
    """Find the smallest reorder points that attain a cycle service level, a fill rate, or both.

    Cycle service: y is the smallest level with P(D <= y) >= service_level. Fill rate: the
    smallest whole y >= 0 whose exact fill rate attains it (Hadley & Whitin 1963; Silver &
    Bischak 2011). Both: the larger y. The module's text tells what y means.

    Parameters
    ----------
    demand : DemandDistribution or forecast
        n demands over lead time plus review period already, or an object with
        ``lead_time_demand(lead_time_days, review_period_days=, lead_time_std_days=)``.
    lead_time_days, lead_time_std_days : (n,) float64 or scalar
        Mean L and standard deviation of the lead time, for a forecast only.
    review_period_days : (n,) float64 or scalar
        R. With a ready distribution it tells only which rule applies: R > 0 periodic.
    service_level, fill_rate : (n,) float64 or scalar
        Targets strictly between 0 and 1; at least one. NaN sets no target for that row.
    order_quantity : (n,) int64 or scalar
        Lot size in units, >= 1. Without it continuous review orders unit by unit, and
        periodic review orders exactly up to the level.
    during_lead_time : DemandDistribution
        Demand over L alone. Needed for fill rates under periodic review if ``demand`` is a
        ready distribution; a forecast gives it itself.

    Returns
    -------
    Buffers
        Levels, and the service and fill rate that they attain.

    Raises
    ------
    InputError
        If no target is given, one lies outside (0, 1), or shapes disagree.

    Examples
    --------
    >>> demand = DemandDistribution.from_moments([6.0, 2.5], [6.0, 7.5])
    >>> buffers = safety_stock(demand, service_level=0.95)
    >>> buffers.reorder_point, buffers.safety_stock, buffers.service_level.round(4)
    (array([10,  8]), array([4, 6]), array([0.9574, 0.9599]))
    """
    review = _review_periods(review_period_days)
    both, lead = _demands(demand, during_lead_time, lead_time_days, review, lead_time_std_days)
    n = len(both)
    periodic = row_values("review_period_days", review > 0, n, np.bool_)
    lots = lot_sizes(order_quantity, n)
    service = _targets("service_level", service_level, n)
    filled = _targets("fill_rate", fill_rate, n)
    _check_targets(service, filled, periodic, lead)
    level = _service_levels(both, service)
    rows = np.flatnonzero(~np.isnan(filled))
    if len(rows):
        known = (both if lead is None else lead)[rows]
        found = _solve_levels(filled[rows], periodic[rows], lots[rows], both[rows], known)
        level[rows] = np.maximum(level[rows], found)
    buffers = _buffers(both, lead, periodic, lots, service, filled, level)
    return replace(
        buffers, keys=dict(getattr(demand, "keys", {})), kind=getattr(demand, "kind", None)
    )


def _review_periods(review_period_days: ArrayLike) -> np.ndarray:
    review = np.asarray(review_period_days, dtype=np.float64)
    if not np.all(np.isfinite(review) & (review >= 0)):
        raise InputError("review_period_days must be >= 0 and finite")
    return review


def _check_targets(
    service: np.ndarray,
    filled: np.ndarray,
    periodic: np.ndarray,
    lead: DemandDistribution | None,
) -> None:
    if np.any(np.isnan(service) & np.isnan(filled)):
        raise InputError("give a service_level or a fill_rate for every row")
    if lead is None and np.any(periodic & ~np.isnan(filled)):
        raise InputError(
            "a fill rate under periodic review needs during_lead_time=, the demand over the "
            "lead time alone, or a forecast as demand"
        )


def _demands(
    demand: DemandDistribution | LeadTimeForecast,
    during_lead_time: DemandDistribution | None,
    lead_time_days: ArrayLike | None,
    review: np.ndarray,
    lead_time_std_days: ArrayLike,
) -> tuple[DemandDistribution, DemandDistribution | None]:
    """Return demand over lead time plus review period, and over the lead time if known."""
    if isinstance(demand, DemandDistribution):
        if lead_time_days is not None or np.any(np.asarray(lead_time_std_days) != 0):
            raise InputError(
                "this demand is over the lead time already; lead times go with a forecast or "
                "into omnistock.buffers.lead_time_demand"
            )
        if during_lead_time is not None and len(during_lead_time) != len(demand):
            raise InputError(
                f"during_lead_time has {len(during_lead_time)} rows, demand {len(demand)}"
            )
        return demand, during_lead_time
    if not isinstance(demand, LeadTimeForecast):
        raise InputError(
            "demand must be a DemandDistribution or have a method lead_time_demand, "
            f"got {type(demand).__name__}"
        )
    if lead_time_days is None:
        raise InputError("a forecast needs lead_time_days")
    if during_lead_time is not None:
        raise InputError("a forecast gives the demand during the lead time itself")
    over_both = demand.lead_time_demand(
        lead_time_days, review_period_days=review, lead_time_std_days=lead_time_std_days
    )
    if not np.any(review > 0):
        return over_both, None
    over_lead = demand.lead_time_demand(
        lead_time_days, review_period_days=0, lead_time_std_days=lead_time_std_days
    )
    return over_both, over_lead


def _targets(name: str, values: ArrayLike | None, n: int) -> np.ndarray:
    if values is None:
        return np.full(n, np.nan)
    targets = row_values(name, values, n, np.float64)
    if not np.all(np.isnan(targets) | ((targets > 0.0) & (targets < 1.0))):
        raise InputError(f"{name} must lie strictly between 0 and 1 (a share, not a percentage)")
    return targets


def _service_levels(demand: DemandDistribution, service: np.ndarray) -> np.ndarray:
    """Return the level for cycle service, 0 where there is no such target."""
    level = np.zeros(len(demand))
    rows = np.flatnonzero(~np.isnan(service))
    if len(rows):
        level[rows] = np.maximum(demand[rows].quantile(service[rows]), 0.0)
    return level


def _solve_levels(
    target: np.ndarray,
    periodic: np.ndarray,
    lots: np.ndarray,
    demand: DemandDistribution,
    lead: DemandDistribution,
) -> np.ndarray:
    level = np.empty(len(target))
    level_into(
        level, target, periodic, lots, demand.family.astype(np.int64), demand.mean, demand.variance,
        lead.family.astype(np.int64), lead.mean, lead.variance,
    )  # fmt: skip
    return level


def _buffers(
    demand: DemandDistribution,
    lead: DemandDistribution | None,
    periodic: np.ndarray,
    lots: np.ndarray,
    service: np.ndarray,
    filled: np.ndarray,
    level: np.ndarray,
) -> Buffers:
    if np.any(level > _LARGEST_LEVEL):
        row = int(np.argmax(level))
        raise InputError(f"row {row} would need {level[row]:g} units; check its demand")
    whole = whole_units(level)
    # Under periodic review the position is raised to the level from anywhere below it, so
    # the reorder point is one less; nothing is stocked where nothing is asked for.
    none = demand.mean <= 0.0
    reorder_point = np.where(none, -1, np.where(periodic, whole - 1, whole))
    order_up_to = np.where(none, 0, np.maximum(reorder_point + np.maximum(lots, 1), 0))
    attained = attained_fill_rates(whole.astype(np.float64), periodic, lots, demand, lead)
    return Buffers(
        demand=demand,
        periodic=periodic,
        order_quantity=lots,
        service_target=service,
        fill_target=filled,
        level=level,
        reorder_point=reorder_point,
        order_up_to=order_up_to,
        safety_stock=np.maximum(np.ceil(whole - demand.mean), 0.0).astype(np.int64),
        service_level=demand.cdf(whole),
        fill_rate=attained,
    )
