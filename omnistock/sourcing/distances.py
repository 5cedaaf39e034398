"""Distances on the sphere, and what a package costs over a distance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from omnistock.errors import InputError
from omnistock.numerics.compiled import kernel

__all__ = ["EARTH_RADIUS_KM", "distance_cost", "haversine"]

# Mean radius of the earth, (2 a + b) / 3 of the WGS 84 ellipsoid.
EARTH_RADIUS_KM = 6371.0088
_FARTHEST_CENTS = 2**40


@kernel
def haversine_into(
    kilometres: np.ndarray,
    latitude: np.ndarray,
    longitude: np.ndarray,
    to_latitude: np.ndarray,
    to_longitude: np.ndarray,
) -> None:
    """Fill ``kilometres[i, j]`` with the distance from place ``i`` to place ``j``; degrees in."""
    for i in range(latitude.size):
        here = math.radians(latitude[i])
        for j in range(to_latitude.size):
            there = math.radians(to_latitude[j])
            up = math.sin((there - here) / 2.0)
            across = math.sin(math.radians(to_longitude[j] - longitude[i]) / 2.0)
            half_chord = up * up + math.cos(here) * math.cos(there) * across * across
            # Rounding may push the square past 1 for places on opposite sides.
            kilometres[i, j] = 2.0 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half_chord)))


def haversine(latitude: Any, longitude: Any, to_latitude: Any, to_longitude: Any) -> np.ndarray:
    """Great-circle distances in kilometres.

    Parameters
    ----------
    latitude, longitude : (m,) float, degrees
        From where; north and east are positive.
    to_latitude, to_longitude : (n,) float, degrees
        To where.

    Returns
    -------
    (m, n) float64
        Kilometres on a sphere of radius 6371.0088 km; within 0.6 % of the ellipsoid. NaN
        where a coordinate is NaN.

    Raises
    ------
    InputError
        If shapes disagree, or degrees lie outside ±90 or ±180.

    References
    ----------
    Sinnott, R. W. (1984), Virtues of the haversine, Sky and Telescope 68(2), 159.

    Examples
    --------
    >>> haversine([52.52], [13.405], [48.1372], [11.5755]).round(1)  # Berlin, Munich
    array([[504.3]])
    """
    places = []
    for name, values, limit in (
        ("latitude", latitude, 90.0),
        ("longitude", longitude, 180.0),
        ("to_latitude", to_latitude, 90.0),
        ("to_longitude", to_longitude, 180.0),
    ):
        degrees = np.require(values, dtype=np.float64, requirements=["C", "W"]).reshape(-1)
        if (np.abs(degrees) > limit).any():
            raise InputError(f"{name} must lie within ±{limit:g} degrees")
        places.append(degrees)
    if places[0].size != places[1].size or places[2].size != places[3].size:
        raise InputError("every latitude needs a longitude")
    kilometres = np.empty((places[0].size, places[2].size))
    haversine_into(kilometres, *places)
    return kilometres


def distance_cost(
    kilometres: Any, *, package_cents: Any = 0, cents_per_km: float = 0
) -> np.ndarray:
    """Return the cost of a package over a distance, in whole cents.

    Parameters
    ----------
    kilometres : array of float
        Distances.
    package_cents : int, broadcast to ``kilometres``
        What a package costs before it moves.
    cents_per_km : float
        What every kilometre adds.

    Returns
    -------
    int64 array of the shape of ``kilometres``
        Half a cent is rounded up.

    Raises
    ------
    InputError
        If a cost or distance is negative, not finite, or beyond 2**40 cents.

    Examples
    --------
    >>> distance_cost([0.0, 504.3], package_cents=390, cents_per_km=0.5)
    array([390, 642])
    """
    distance = np.asarray(kilometres, dtype=np.float64)
    base = np.asarray(package_cents)
    if base.dtype.kind not in "iu":
        raise InputError(f"package_cents must be whole cents, got {base.dtype}")
    cents = np.floor(distance * cents_per_km + 0.5)
    if (
        not (np.isfinite(cents) & (cents >= 0) & (cents < _FARTHEST_CENTS)).all()
        or (base < 0).any()
    ):
        raise InputError("costs and distances must be finite and >= 0, at most 2**40 cents")
    return np.asarray(base.astype(np.int64) + cents.astype(np.int64))
