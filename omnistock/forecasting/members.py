"""The exponential-smoothing members whose forecasts are averaged.

Every member is one setting of the same recursion (z demand without its season, l level,
b trend)::

    f = l + phi b        e = z - f        l' = f + alpha e        b' = phi b + alpha beta e

Simple smoothing has no trend. Theta is smoothing with a fixed drift of half the regression
slope (Hyndman & Billah 2003). Damped trend starts from the first slope and lets it fade
(Gardner & McKenzie 1985). A grid instead of an optimiser: averaging over the parameters
costs the same, has no local optimum, and forecasts better than the single best setting.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "DAMPED",
    "DAMPING",
    "DRIFT",
    "FAMILY",
    "FAMILY_NAMES",
    "LEVEL_GAIN",
    "SIMPLE",
    "THETA",
    "TREND_GAIN",
    "member_table",
]

SIMPLE, THETA, DAMPED = 0, 1, 2
FAMILY_NAMES = ("simple smoothing", "theta", "damped trend")

# Columns of the member table.
LEVEL_GAIN, TREND_GAIN, DAMPING, DRIFT, FAMILY = 0, 1, 2, 3, 4

_SIMPLE_GAINS = (0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0)
_THETA_GAINS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
_DAMPED_GAINS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
_TREND_GAINS = (0.05, 0.2, 0.4)
_DAMPINGS = (0.8, 0.9, 0.98)


def member_table() -> np.ndarray:
    """Return the members as rows: alpha, beta, phi, share of the slope as drift, family.

    Returns
    -------
    (n_members, 5) float64
        Simple members first, as slow movers use only them.

    Examples
    --------
    >>> member_table().shape
    (72, 5)
    """
    rows = [(alpha, 0.0, 1.0, 0.0, SIMPLE) for alpha in _SIMPLE_GAINS]
    rows += [(alpha, 0.0, 1.0, 0.5, THETA) for alpha in _THETA_GAINS]
    rows += [
        (alpha, beta, phi, 1.0, DAMPED)
        for alpha in _DAMPED_GAINS
        for beta in _TREND_GAINS
        for phi in _DAMPINGS
    ]
    return np.array(rows, dtype=np.float64)
