"""Demand over a lead time, from what is known about one day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omnistock.errors import InputError
from omnistock.numerics.demand import DemandDistribution

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["lead_time_demand"]


def lead_time_demand(
    mean_per_day: ArrayLike,
    variance_per_day: ArrayLike,
    *,
    lead_time_days: ArrayLike,
    review_period_days: ArrayLike = 0.0,
    lead_time_std_days: ArrayLike = 0.0,
    counts: ArrayLike = True,
) -> DemandDistribution:
    """Give the distribution of demand over lead time plus review period.

    Days are independent and alike; the lead time is independent of demand. Then
    variance = (L + R) sigma^2 + mu^2 sigma_L^2 (Hadley & Whitin 1963, section 3-10; Chopra &
    Meindl, Supply Chain Management, chapter 12). For Poisson demand and a gamma lead time the
    negative binomial that results is exact.

    Parameters
    ----------
    mean_per_day, variance_per_day : (n,) float64 or scalar
        mu and sigma^2 of one day's demand, in units and units squared.
    lead_time_days, lead_time_std_days : (n,) float64 or scalar
        Mean L and standard deviation sigma_L of the time from order to receipt, in days.
    review_period_days : (n,) float64 or scalar
        R, the days between two reviews; 0 for continuous review.
    counts : (n,) bool or scalar
        Whether demand comes in whole units.

    Returns
    -------
    DemandDistribution
        n demands over L + R days.

    Raises
    ------
    InputError
        If an argument is negative or not finite, or shapes disagree.

    Examples
    --------
    >>> demand = lead_time_demand(2.0, 2.0, lead_time_days=7, lead_time_std_days=3)
    >>> demand.mean, demand.variance, demand.quantile(0.95)
    (array([14.]), array([50.]), array([27.]))
    """
    named = {
        "mean_per_day": mean_per_day,
        "variance_per_day": variance_per_day,
        "lead_time_days": lead_time_days,
        "review_period_days": review_period_days,
        "lead_time_std_days": lead_time_std_days,
    }
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in named.items()}
    for name, array in arrays.items():
        if not np.all(np.isfinite(array) & (array >= 0)):
            raise InputError(f"{name} must be >= 0 and finite")
    days = arrays["lead_time_days"] + arrays["review_period_days"]
    mean = arrays["mean_per_day"]
    variance = days * arrays["variance_per_day"] + (mean * arrays["lead_time_std_days"]) ** 2
    return DemandDistribution.from_moments(days * mean, variance, counts=counts)
