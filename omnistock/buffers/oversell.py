"""Oversell buffers: units held back from a channel that learns late what others have sold.

A channel last heard of the stock some time ago, the *age* of its figure; what the other
channels have sold since is its blind window. It oversells if more units went in that window
than are held back from it. Figures are sent every ``interval_seconds`` and arrive
``latency_seconds`` after they were true, so an order finds a figure of an age between

    latency (just arrived)  and  latency + interval (about to be replaced).

Worst phase: the age is latency + interval. Average phase: the order comes at a uniformly
random moment between two figures. A channel told of every change has interval 0; then the
two agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

from omnistock.errors import InputError
from omnistock.numerics.compiled import kernel
from omnistock.numerics.demand import DemandDistribution
from omnistock.numerics.families import NEGATIVE_BINOMIAL, POISSON, TIE, loss_one, tails_one

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["OversellRisk", "oversell_buffer", "oversell_risk"]

_SECONDS_PER_DAY = 86_400.0
_PHASES = ("worst", "average")
# Nodes and weights of Gauss-Legendre quadrature on (0, 1).
_NODES, _WEIGHTS = (
    tuple(float(number) for number in numbers)
    for numbers in (
        0.5 * (np.polynomial.legendre.leggauss(12)[0] + 1.0),
        0.5 * np.polynomial.legendre.leggauss(12)[1],
    )
)


@kernel
def _window_measure(mean: float, dispersion: float, units: float, want_loss: bool) -> float:
    """Return E[(N - units)+] or P(N > units) for the sales N in a window of mean ``mean``."""
    family = NEGATIVE_BINOMIAL if dispersion > 1.0 else POISSON
    if want_loss:
        return loss_one(family, mean, mean * dispersion, units)
    _, above = tails_one(family, mean, mean * dispersion, units)
    return above


@kernel
def average_phase_one(
    shortest: float, longest: float, dispersion: float, units: float, want_loss: bool
) -> float:
    """Return E[(N - units)+] or P(N > units), averaged over windows of mean shortest..longest.

    For Poisson sales the tail has the integral E[(N - units - 1)+], since its derivative by
    the mean is P(N > units). Otherwise, and where that would cancel, Gauss-Legendre on panels
    no wider than one standard deviation of N.
    """
    width = longest - shortest
    if width <= 0.0:
        return _window_measure(longest, dispersion, units, want_loss)
    if dispersion == 1.0 and not want_loss and width > 1e-3 * longest:
        gained = _window_measure(longest, dispersion, units + 1.0, True)
        gained -= _window_measure(shortest, dispersion, units + 1.0, True)
        return gained / width
    panels = min(int(width / (dispersion * longest) ** 0.5) + 1, 1000)
    total = 0.0
    for i in range(panels):
        for j in range(12):
            mean = shortest + width * (i + _NODES[j]) / panels
            total += _WEIGHTS[j] * _window_measure(mean, dispersion, units, want_loss)
    return total / panels


@kernel
def average_phase_into(
    measure: np.ndarray,
    shortest: np.ndarray,
    longest: np.ndarray,
    dispersion: np.ndarray,
    units: np.ndarray,
    want_loss: bool,
) -> None:
    """Fill ``measure[i]`` with the average of the loss or the tail over the phase."""
    for i in range(measure.shape[0]):
        measure[i] = average_phase_one(
            float(shortest[i]), float(longest[i]), float(dispersion[i]), float(units[i]), want_loss
        )


@kernel
def average_buffer_into(
    units: np.ndarray,
    shortest: np.ndarray,
    longest: np.ndarray,
    dispersion: np.ndarray,
    risk: np.ndarray,
    worst: np.ndarray,
) -> None:
    """Fill ``units[i]`` with the smallest buffer of average risk ``risk[i]``, at most ``worst``."""
    for i in range(units.shape[0]):
        low = -1
        high = int(worst[i])
        while high - low > 1:
            middle = (low + high) // 2
            tail = average_phase_one(
                float(shortest[i]), float(longest[i]), float(dispersion[i]), float(middle), False
            )
            if tail <= float(risk[i]) * (1.0 + TIE):
                high = middle
            else:
                low = middle
        units[i] = high


@dataclass(frozen=True, slots=True, eq=False)
class OversellRisk:
    """What a buffer leaves to chance.

    Attributes
    ----------
    probability : (n,) float64
        Probability that others sell more than the buffer within the blind window.
    expected_units : (n,) float64
        Expected units by which they do: what is oversold if the channel sells all it sees.
    """

    probability: np.ndarray
    expected_units: np.ndarray


@overload
def oversell_buffer(
    rate_per_day: float,
    latency_seconds: float,
    risk: float,
    *,
    interval_seconds: float = 0.0,
    dispersion: float = 1.0,
    phase: str = "worst",
) -> int: ...


@overload
def oversell_buffer(
    rate_per_day: ArrayLike,
    latency_seconds: ArrayLike,
    risk: ArrayLike,
    *,
    interval_seconds: ArrayLike = 0.0,
    dispersion: ArrayLike = 1.0,
    phase: str = "worst",
) -> np.ndarray: ...


def oversell_buffer(
    rate_per_day: ArrayLike,
    latency_seconds: ArrayLike,
    risk: ArrayLike,
    *,
    interval_seconds: ArrayLike = 0.0,
    dispersion: ArrayLike = 1.0,
    phase: str = "worst",
) -> int | np.ndarray:
    """Find the smallest buffer b with P(others sell more than b in the blind window) <= risk.

    A channel that offers (last known stock - b) then sells a unit that is gone with at most
    probability ``risk`` per sell-out. What the channel sells itself it knows at once.

    Parameters
    ----------
    rate_per_day : (n,) float64 or scalar
        Mean units per day that all *other* channels sell from the same stock.
    latency_seconds : (n,) float64 or scalar
        How old a stock figure is when it reaches the channel.
    risk : (n,) float64 or scalar
        Accepted probability, strictly between 0 and 1.
    interval_seconds : (n,) float64 or scalar
        Time between two figures; 0 where every change is sent.
    dispersion : (n,) float64 or scalar
        Variance of units sold divided by their mean, >= 1: 1 for Poisson sales, more where
        baskets hold several units or sales come in bursts (negative binomial).
    phase : {"worst", "average"}
        Whether the window is the longest possible, or averaged over a random moment between
        two figures; see the module's text.

    Returns
    -------
    int or (n,) int64
        Units to hold back: an int for numbers, an array for arrays.

    Raises
    ------
    InputError
        If an argument lies outside its range or shapes disagree.

    Examples
    --------
    >>> oversell_buffer(12.0, 1_728, 0.01, interval_seconds=21_600)
    8
    >>> oversell_buffer(12.0, 1_728, 0.01, interval_seconds=21_600, phase="average")
    6
    """
    shape, shortest, longest, spread, accepted = _checked(
        rate_per_day, latency_seconds, interval_seconds, dispersion, phase, risk
    )
    if not np.all((accepted > 0.0) & (accepted < 1.0)):
        raise InputError("risk must lie strictly between 0 and 1")
    worst = _window(longest, spread).upper_quantile(accepted)
    units = worst.astype(np.int64)
    if phase == "average":
        average_buffer_into(units, shortest, longest, spread, accepted, worst)
    return units.reshape(shape) if shape else int(units[0])


def oversell_risk(
    buffer: ArrayLike,
    rate_per_day: ArrayLike,
    latency_seconds: ArrayLike,
    *,
    interval_seconds: ArrayLike = 0.0,
    dispersion: ArrayLike = 1.0,
    phase: str = "worst",
) -> OversellRisk:
    """Tell what a buffer of so many units leaves to chance.

    Parameters
    ----------
    buffer : (n,) int64 or scalar
        Units held back, >= 0.
    rate_per_day, latency_seconds, interval_seconds, dispersion, phase
        As for :func:`oversell_buffer`.

    Returns
    -------
    OversellRisk
        Probability and expected units, each of shape (n,).

    Raises
    ------
    InputError
        If an argument lies outside its range or shapes disagree.

    Examples
    --------
    >>> oversell_risk(8, 12.0, 1_728, interval_seconds=21_600).probability.round(6)
    array([0.006172])
    """
    _, shortest, longest, spread, units = _checked(
        rate_per_day, latency_seconds, interval_seconds, dispersion, phase, buffer
    )
    if not np.all((units >= 0) & (units == np.floor(units))):
        raise InputError("buffer must be whole units >= 0")
    if phase == "worst":
        window = _window(longest, spread)
        return OversellRisk(probability=window.sf(units), expected_units=window.loss(units))
    probability, expected = np.empty(len(units)), np.empty(len(units))
    average_phase_into(probability, shortest, longest, spread, units, False)
    average_phase_into(expected, shortest, longest, spread, units, True)
    return OversellRisk(probability=probability, expected_units=expected)


def _window(mean: np.ndarray, dispersion: np.ndarray) -> DemandDistribution:
    return DemandDistribution.from_moments(mean, mean * dispersion)


def _checked(
    rate_per_day: ArrayLike,
    latency_seconds: ArrayLike,
    interval_seconds: ArrayLike,
    dispersion: ArrayLike,
    phase: str,
    other: ArrayLike,
) -> tuple[tuple[int, ...], np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the common shape, mean sales of the shortest and longest window, dispersion, other."""
    if phase not in _PHASES:
        raise InputError(f"phase must be one of {_PHASES}, got {phase!r}")
    try:
        rate, latency, interval, spread, last = np.broadcast_arrays(
            *(
                np.asarray(values, dtype=np.float64)
                for values in (rate_per_day, latency_seconds, interval_seconds, dispersion, other)
            )
        )
    except ValueError as error:
        raise InputError(f"shapes disagree: {error}") from error
    for name, values, least in (
        ("rate_per_day", rate, 0.0),
        ("latency_seconds", latency, 0.0),
        ("interval_seconds", interval, 0.0),
        ("dispersion", spread, 1.0),
    ):
        if not np.all(np.isfinite(values) & (values >= least)):
            raise InputError(f"{name} must be >= {least:g} and finite")
    if rate.ndim > 1:
        raise InputError(f"arguments must be numbers or have one shape (n,), got {rate.shape}")
    shortest = np.atleast_1d(rate * latency / _SECONDS_PER_DAY)
    longest = np.atleast_1d(rate * (latency + interval) / _SECONDS_PER_DAY)
    return (
        rate.shape,
        shortest,
        longest,
        np.ascontiguousarray(np.atleast_1d(spread)),
        np.ascontiguousarray(np.atleast_1d(last)),
    )
