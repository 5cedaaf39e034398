"""What shipping costs, in cents."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from omnistock.errors import InputError

__all__ = ["ShippingCost"]


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
