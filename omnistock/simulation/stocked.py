"""Large engines full of stock, and random orders for them: for measuring, not for shops."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from omnistock.availability import layout
from omnistock.engine import Engine
from omnistock.engine import open as open_engine
from omnistock.errors import InputError
from omnistock.model import Network

__all__ = ["CHANNEL", "Stocked", "stocked_engine"]

CHANNEL = "web"
# A second in the past: what is measured must not depend on the day it is measured on.
_NOW = 1_700_000_000
_COMMAND_WORDS = 8
_POINTS_IN_FRAME = 100_000
_FIELDS = layout.COMMAND_WORDS

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stocked:
    """An engine whose every SKU lies at every node.

    The SKU of code s at the node of code n is stockpoint ``s * n_nodes + n``.
    """

    engine: Engine
    n_skus: int
    n_nodes: int

    @property
    def n_stockpoints(self) -> int:
        """Number of stockpoints."""
        return self.n_skus * self.n_nodes

    def orders(
        self,
        rng: np.random.Generator,
        n_orders: int,
        *,
        most_lines: int = 4,
        named: bool = True,
        hot_share: float = 0.0,
    ) -> dict[str, Int64 | None]:
        """Return random orders as arguments of :meth:`omnistock.engine.Engine.reserve_arrays`.

        Parameters
        ----------
        most_lines : int
            Orders have 1 to so many lines, each number as often as another.
        named : bool
            Each line names a node; else the engine chooses.
        hot_share : float
            Share of the lines that want SKU 0, at node 0 if nodes are named.
        """
        offsets = np.zeros(n_orders + 1, np.int64)
        offsets[1:] = rng.integers(1, most_lines + 1, n_orders).cumsum()
        n_lines = int(offsets[-1])
        skus = rng.integers(0, self.n_skus, n_lines)
        nodes = rng.integers(0, self.n_nodes, n_lines)
        hot = rng.random(n_lines) < hot_share
        skus[hot] = nodes[hot] = 0
        return {
            "line_offsets": offsets,
            "skus": skus,
            "quantities": rng.integers(1, 3, n_lines),
            "nodes": nodes if named else None,
            "request_ids": rng.integers(1, 1 << 62, (n_orders, 2)),
        }


def stocked_engine(
    where: str | Path, n_stockpoints: int, *, n_nodes: int = 5, units: int | Int64 = 1_000_000
) -> Stocked:
    """Open a new engine with so many stockpoints, ``units`` on hand at each.

    Parameters
    ----------
    where : str or Path
        A new store, or ``":memory:"``.
    n_stockpoints : int
        A multiple of ``n_nodes``.
    units : int or (n_stockpoints,) int64
        On hand, alike or for each; at least 1.

    Raises
    ------
    InputError
        If the stockpoints do not divide into whole SKUs.
    """
    if n_stockpoints < n_nodes or n_stockpoints % n_nodes:
        raise InputError(
            f"n_stockpoints must be a multiple of n_nodes {n_nodes}, got {n_stockpoints}"
        )
    n_skus = n_stockpoints // n_nodes
    on_hand = np.broadcast_to(np.asarray(units, np.int64), n_stockpoints)
    network = Network.build(
        skus=[f"S{number}" for number in range(n_skus)],
        nodes=[f"N{number}" for number in range(n_nodes)],
        channels=[CHANNEL],
    )
    engine = open_engine(where, network, clock=lambda: _NOW)
    writer = engine._writer
    for first in range(0, n_stockpoints, _POINTS_IN_FRAME):
        last = min(first + _POINTS_IN_FRAME, n_stockpoints)
        words = _opening_words(first, last, n_nodes, on_hand[first:last])
        offsets = np.arange(0, len(words) + 1, _COMMAND_WORDS)
        writer.submit_words(words, offsets, None)
    writer.registry.relearn(writer.state)
    return Stocked(engine, n_skus, n_nodes)


def _opening_words(first: int, last: int, n_nodes: int, units: Int64) -> Int64:
    """Commands that open the stockpoints from ``first`` up to ``last`` and fill them."""
    points = np.arange(first, last)
    words = np.zeros((2 * len(points), _COMMAND_WORDS), np.int64)
    opening, filling = words[0::2], words[1::2]
    opening[:, 0] = layout.ADD_POINT
    opening[:, _FIELDS] = points
    opening[:, _FIELDS + 1] = points // n_nodes
    opening[:, _FIELDS + 2] = points % n_nodes
    filling[:, 0] = layout.RECEIVE
    filling[:, _FIELDS] = points
    filling[:, _FIELDS + 1] = units
    filling[:, _FIELDS + 2] = -1
    return words.reshape(-1)
