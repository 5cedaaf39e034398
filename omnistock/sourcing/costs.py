"""What shipping costs, in cents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from omnistock.errors import InputError
from omnistock.sourcing.distances import distance_cost

__all__ = ["CostTerm", "ShippingCost"]


@dataclass(frozen=True)
class ShippingCost:
    """Cost of a package and of its units.

    Attributes
    ----------
    package_cents : int, or mapping of node to int
        For every package: picking, packing, base freight. Every node, if a mapping.
    cents_per_km : float
        For every kilometre to an order that says where it goes.
    unit_cents : int, or mapping of node to int
        For every smallest unit.

    Examples
    --------
    >>> ShippingCost(package_cents={"DC1": 390, "S1": 520}).per_package(["S1", "DC1"])
    array([520, 390])
    """

    package_cents: int | Mapping[str, int] = 500
    cents_per_km: float = 0.0
    unit_cents: int | Mapping[str, int] = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.cents_per_km) and self.cents_per_km >= 0):
            raise InputError(f"cents_per_km must be >= 0, got {self.cents_per_km}")
        for name, cents in (("package_cents", self.package_cents), ("unit_cents", self.unit_cents)):
            for one in cents.values() if isinstance(cents, Mapping) else [cents]:
                if isinstance(one, bool) or not isinstance(one, int) or not 0 <= one <= 2**40:
                    raise InputError(f"{name} must be whole cents >= 0, got {one!r}")

    def per_package(self, nodes: list[str]) -> np.ndarray:
        """Cents before any kilometre, (n_nodes,) int64."""
        return _by_node("package_cents", self.package_cents, nodes)

    def per_unit(self, nodes: list[str]) -> np.ndarray:
        """Cents per unit, (n_nodes,) int64."""
        return _by_node("unit_cents", self.unit_cents, nodes)


def _by_node(name: str, cents: int | Mapping[str, int], nodes: list[str]) -> np.ndarray:
    if isinstance(cents, Mapping):
        missing = [node for node in nodes if node not in cents]
        if missing:
            raise InputError(f"{name} lacks nodes {', '.join(missing[:8])}; give every node")
        return np.array([cents[node] for node in nodes], dtype=np.int64)
    return np.full(len(nodes), cents, dtype=np.int64)


@dataclass(frozen=True)
class CostTerm:
    """One part of what it costs to serve an order, under a name that explanations show.

    Attributes
    ----------
    name : str
        Freight, handling, picking, markdown, ...
    package_cents, unit_cents : int, or mapping of node to int
        For every package and for every smallest unit; nodes that a mapping lacks cost nothing.
    cents_per_km : float
        For every kilometre of a package.

    Examples
    --------
    >>> CostTerm("handling", package_cents={"S1": 150}).package_cents["S1"]
    150
    """

    name: str
    package_cents: int | Mapping[str, int] = 0
    unit_cents: int | Mapping[str, int] = 0
    cents_per_km: float = 0.0

    def __post_init__(self) -> None:
        if not self.name:
            raise InputError("a cost term needs a name")
        ShippingCost(self.package_cents, self.cents_per_km, self.unit_cents)

    def per_package(self, nodes: list[str], kilometres: np.ndarray | None) -> np.ndarray:
        """Cents for a package of each node, (n_nodes,) int64."""
        cents = _where_given(self.package_cents, nodes)
        if self.cents_per_km:
            assert kilometres is not None, "the distances are asked for where kilometres cost"
            cents = distance_cost(kilometres, package_cents=cents, cents_per_km=self.cents_per_km)
        return cents

    def per_unit(self, nodes: list[str]) -> np.ndarray:
        """Cents for a unit of each node, (n_nodes,) int64."""
        return _where_given(self.unit_cents, nodes)


def _where_given(cents: int | Mapping[str, int], nodes: list[str]) -> np.ndarray:
    if isinstance(cents, Mapping):
        return np.array([cents.get(node, 0) for node in nodes], dtype=np.int64)
    return np.full(len(nodes), cents, dtype=np.int64)
