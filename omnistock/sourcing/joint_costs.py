"""What a batch of orders costs from each node to each place, in cents."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omnistock.errors import InputError
from omnistock.sourcing.costs import ShippingCost
from omnistock.sourcing.distances import distance_cost

__all__ = ["JointCost", "Zone"]


@dataclass(frozen=True, slots=True)
class Zone:
    """What a carrier asks for distances up to a limit.

    Attributes
    ----------
    up_to_km : float
        The zone ends here, itself included; may be infinite.
    package_cents, unit_cents : int
        For every package, and for every unit of weight.

    Examples
    --------
    >>> Zone(up_to_km=50, package_cents=390).unit_cents
    0
    """

    up_to_km: float
    package_cents: int = 0
    unit_cents: int = 0

    def __post_init__(self) -> None:
        if not self.up_to_km >= 0:
            raise InputError(f"up_to_km must be >= 0, got {self.up_to_km}")
        ShippingCost(self.package_cents, 0.0, self.unit_cents)


@dataclass(frozen=True)
class JointCost(ShippingCost):
    """Cost of packages and units of a batch; all terms add up.

    Attributes
    ----------
    package_cents : int, or mapping of node to int
        For every package: picking, packing, base freight.
    cents_per_km : float
        For every kilometre of a package.
    unit_cents : int, or mapping of node to int
        For every unit of weight: processing at the node.
    unit_cents_per_km : float
        For every kilometre of a unit of weight.
    zones : tuple of Zone
        A carrier's table by distance, nearest zone first. Nodes beyond the last zone
        cannot be priced: let the last one be infinite.

    Examples
    --------
    >>> cost = JointCost(package_cents=200, zones=(Zone(50, 190), Zone(float("inf"), 350, 10)))
    >>> cost.by_place(np.array([[12.0, 480.0]]), ["S1", "DC1"])
    (array([[390, 550]]), array([[ 0, 10]]))
    """

    unit_cents_per_km: float = 0.0
    zones: tuple[Zone, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.unit_cents_per_km) and self.unit_cents_per_km >= 0):
            raise InputError(f"unit_cents_per_km must be >= 0, got {self.unit_cents_per_km}")
        ends = [zone.up_to_km for zone in self.zones]
        if ends != sorted(set(ends)):
            raise InputError(f"zones must end farther and farther away, got {ends}")

    @property
    def needs_distances(self) -> bool:
        """Whether any term depends on how far a package goes."""
        return bool(self.cents_per_km or self.unit_cents_per_km or self.zones)

    def by_place(self, kilometres: np.ndarray, nodes: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return cents of a package and of a unit of weight, both (n_places, n_nodes) int64.

        Parameters
        ----------
        kilometres : (n_places, n_nodes) float64
        nodes : list of str

        Raises
        ------
        InputError
            If a node lies beyond the last zone.
        """
        package = distance_cost(
            kilometres, package_cents=self.per_package(nodes), cents_per_km=self.cents_per_km
        )
        unit = distance_cost(
            kilometres, package_cents=self.per_unit(nodes), cents_per_km=self.unit_cents_per_km
        )
        if not self.zones:
            return package, unit
        ends = np.array([zone.up_to_km for zone in self.zones])
        zone = np.searchsorted(ends, kilometres)
        if kilometres.size and zone.max() == len(ends):
            raise InputError(
                f"a node is {kilometres.max():.0f} km away and the last zone ends at "
                f"{ends[-1]:g} km; add a zone with up_to_km=float('inf')"
            )
        package += np.array([one.package_cents for one in self.zones], np.int64)[zone]
        unit += np.array([one.unit_cents for one in self.zones], np.int64)[zone]
        return package, unit
