import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.sourcing import distance_cost, haversine
from omnistock.sourcing.distances import EARTH_RADIUS_KM

degrees = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def by_vectors(here, there):
    """Angle between two unit vectors, from their cross and dot product."""

    def vector(place):
        up, east = math.radians(place[0]), math.radians(place[1])
        return math.cos(up) * math.cos(east), math.cos(up) * math.sin(east), math.sin(up)

    a, b = vector(here), vector(there)
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    dot = sum(one * other for one, other in zip(a, b, strict=True))
    return EARTH_RADIUS_KM * math.atan2(math.hypot(*cross), dot)


@given(degrees, degrees)
def test_distance_is_the_angle_between_places_times_the_radius(here, there):
    kilometres = haversine([here[0]], [here[1]], [there[0]], [there[1]])[0, 0]

    assert kilometres == pytest.approx(by_vectors(here, there), rel=1e-9, abs=1e-4)


@given(degrees, degrees)
def test_distance_is_symmetric_and_at_most_half_the_earth(here, there):
    places = np.array([here, there])
    kilometres = haversine(places[:, 0], places[:, 1], places[:, 0], places[:, 1])

    assert kilometres[0, 1] == pytest.approx(kilometres[1, 0], abs=1e-9)
    assert kilometres[0, 0] == kilometres[1, 1] == 0
    assert kilometres.max() <= math.pi * EARTH_RADIUS_KM + 1e-9


def test_a_quarter_of_the_equator_is_10007_kilometres():
    # Mean radius 6371.0088 km (Moritz 2000, Geodetic Reference System 1980) times pi / 2.
    assert haversine([0], [0], [0], [90])[0, 0] == pytest.approx(10_007.557, abs=1e-3)


def test_costs_round_half_a_cent_up():
    cents = distance_cost([[0, 1, 3]], package_cents=[[10, 10, 20]], cents_per_km=0.5)

    assert cents.tolist() == [[10, 11, 22]]


@pytest.mark.parametrize(
    "call",
    [
        lambda: haversine([91], [0], [0], [0]),
        lambda: haversine([0], [181], [0], [0]),
        lambda: haversine([0, 1], [0], [0], [0]),
        lambda: distance_cost([-1.0], cents_per_km=1),
        lambda: distance_cost([math.nan], cents_per_km=1),
        lambda: distance_cost([1.0], package_cents=1.5),
        lambda: distance_cost([1.0], package_cents=-1),
    ],
)
def test_impossible_places_and_costs_are_refused(call):
    with pytest.raises(InputError):
        call()
