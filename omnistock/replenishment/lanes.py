"""Ways between nodes, with what they cost and carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from omnistock.errors import InputError
from omnistock.replenishment.checks import refuse_rows, whole_numbers

__all__ = ["TransferLanes"]


@dataclass(frozen=True, slots=True, eq=False)
class TransferLanes:
    """Directed ways between nodes on which units may travel; arrays of shape (n_lanes,).

    A lane that runs on several days stands in several rows, each with its own capacity.

    Attributes
    ----------
    source, destination : int64
        Numbers of nodes.
    freight_cents : float64
        Cents per unit carried.
    capacity : int64
        Most volume that the lane carries; -1: any.
    truck_volume : int64
        Volume of a truck; 0: the lane needs none.
    truck_cents : float64
        Cents per truck that goes.
    trucks : int64
        Most trucks; -1: any.

    Examples
    --------
    >>> TransferLanes([0, 0], [1, 2], freight_cents=[20, 35], capacity=[-1, 500])
    TransferLanes(2 lanes)
    """

    source: Any
    destination: Any
    freight_cents: Any = 0.0
    capacity: Any = -1
    truck_volume: Any = 0
    truck_cents: Any = 0.0
    trucks: Any = -1

    def __post_init__(self) -> None:
        wholes = {
            name: whole_numbers(name, getattr(self, name), least=least)
            for name, least in (
                ("source", 0),
                ("destination", 0),
                ("capacity", -1),
                ("truck_volume", 0),
                ("trucks", -1),
            )
        }
        n = wholes["source"].shape
        if len(n) != 1 or wholes["destination"].shape != n:
            raise InputError(
                f"source and destination must be (n_lanes,), got {n} and "
                f"{wholes['destination'].shape}"
            )
        money = {
            name: np.asarray(getattr(self, name), dtype=np.float64)
            for name in ("freight_cents", "truck_cents")
        }
        for name, values in {**wholes, **money}.items():
            if values.shape not in ((), n):
                raise InputError(f"{name} must be one number or {n[0]}, got {values.shape}")
            object.__setattr__(self, name, np.broadcast_to(values, n).copy())
        for name in money:
            values = getattr(self, name)
            refuse_rows(~(np.isfinite(values) & (values >= 0)), f"{name} must be >= 0", values)
        refuse_rows(self.source == self.destination, "a lane must lead elsewhere", self.source)

    def __len__(self) -> int:
        return len(self.source)

    def __repr__(self) -> str:
        return f"TransferLanes({len(self)} lanes)"

    @property
    def most_volume(self) -> np.ndarray:
        """(n_lanes,) int64: the most that capacity and trucks let through; -1: any."""
        by_truck = np.where(
            (self.truck_volume > 0) & (self.trucks >= 0), self.truck_volume * self.trucks, -1
        )
        both = np.minimum(self.capacity, by_truck)
        return np.asarray(np.where(both >= 0, both, np.maximum(self.capacity, by_truck)))

    @property
    def is_limited(self) -> np.ndarray:
        """(n_lanes,) bool: whether SKUs share a capacity or the price of a truck."""
        return np.asarray((self.most_volume >= 0) | (self.truck_volume > 0))
