"""Where the simulated retailer stands: warehouses, stores, channels and lanes.

Axes: n = node (warehouses first, then stores), c = cell (a channel selling from
a node). Every cell belongs to one channel group, whose cells lie together, so that
the stock of a group's nodes is a slice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = [
    "CHANNELS",
    "WAREHOUSES",
    "Cells",
    "ChannelSpec",
    "NodeSpec",
    "build_cells",
    "node_specs",
]


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A warehouse or store: where it is, who supplies it, how large it is.

    ``lead_time_days`` is the time from its supplier or warehouse; ``range_share`` is
    the part of the catalogue that it carries; ``weight`` its part of demand.
    """

    name: str
    kind: str
    latitude: float
    longitude: float
    source: str
    lead_time_days: int
    lead_time_std_days: float
    weight: float
    range_share: float
    review_weekday: int = -1
    flagship: bool = False


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """A way of selling: its part of demand, its week, and how it is treated.

    ``week`` holds demand factors from Monday to Sunday with mean one; ``peak_hours``
    the hours of the day around which orders come.
    """

    name: str
    share: float
    tier: int
    weight: float
    sync_latency_seconds: int
    service_level: float
    n_warehouses: int
    week: tuple[float, ...]
    peak_hours: tuple[float, ...]
    growth_per_year: float


WAREHOUSES = (
    NodeSpec("DC-LEIPZIG", "warehouse", 51.40, 12.39, "SUP-GDANSK", 14, 2.0, 0.40, 1.0, 0),
    NodeSpec("DC-VENLO", "warehouse", 51.37, 6.17, "SUP-ROTTERDAM", 7, 1.0, 0.33, 1.0, 1),
    NodeSpec("DC-LYON", "warehouse", 45.70, 4.95, "SUP-GENOVA", 21, 3.0, 0.27, 1.0, 2),
)

_STORES = (
    NodeSpec("ST-BERLIN", "store", 52.520, 13.405, "DC-LEIPZIG", 1, 0, 1.5, 0.90, flagship=True),
    NodeSpec("ST-HAMBURG", "store", 53.551, 9.994, "DC-LEIPZIG", 1, 0, 1.2, 0.75),
    NodeSpec("ST-MUNICH", "store", 48.137, 11.575, "DC-LEIPZIG", 2, 0, 1.2, 0.75),
    NodeSpec("ST-PRAGUE", "store", 50.075, 14.437, "DC-LEIPZIG", 1, 0, 0.7, 0.50),
    NodeSpec("ST-VIENNA", "store", 48.208, 16.373, "DC-LEIPZIG", 2, 0, 0.9, 0.60),
    NodeSpec("ST-AMSTERDAM", "store", 52.370, 4.895, "DC-VENLO", 1, 0, 1.3, 0.85, flagship=True),
    NodeSpec("ST-BRUSSELS", "store", 50.850, 4.352, "DC-VENLO", 1, 0, 0.8, 0.55),
    NodeSpec("ST-COLOGNE", "store", 50.938, 6.960, "DC-VENLO", 1, 0, 0.9, 0.60),
    NodeSpec("ST-PARIS", "store", 48.857, 2.352, "DC-LYON", 2, 0, 1.6, 0.90, flagship=True),
    NodeSpec("ST-LYON", "store", 45.764, 4.836, "DC-LYON", 1, 0, 0.8, 0.50),
    NodeSpec("ST-MARSEILLE", "store", 43.296, 5.370, "DC-LYON", 2, 0, 0.6, 0.40),
    NodeSpec("ST-ZURICH", "store", 47.377, 8.541, "DC-LYON", 3, 0, 0.7, 0.50),
)

# share, tier, weight, latency, service level, warehouses served from, week, peaks, growth
CHANNELS = (
    ChannelSpec("store", 0.45, 1, 3.0, 0, 0.95, 0,
                (0.85, 0.85, 0.90, 0.95, 1.20, 1.50, 0.75), (11.5, 16.5), 0.02),
    ChannelSpec("web", 0.25, 1, 2.0, 0, 0.95, 3,
                (1.15, 1.05, 1.00, 0.95, 0.90, 0.90, 1.05), (12.5, 20.0), 0.08),
    ChannelSpec("app", 0.12, 1, 2.0, 30, 0.95, 3,
                (0.95, 0.95, 0.95, 1.00, 1.05, 1.05, 1.05), (8.0, 20.5), 0.25),
    ChannelSpec("marketplace", 0.13, 3, 1.0, 900, 0.90, 3,
                (1.10, 1.05, 1.00, 1.00, 0.95, 0.90, 1.00), (14.0, 21.0), 0.12),
    ChannelSpec("subscription", 0.05, 2, 1.0, 3600, 0.98, 2,
                (2.50, 1.50, 1.00, 0.80, 0.60, 0.30, 0.30), (3.0,), 0.15),
)  # fmt: skip


@dataclass(frozen=True)
class Cells:
    """The cells (channel at node) in the order in which arrays hold them.

    Attributes
    ----------
    channel, node : (n_cells,) int64
        Which channel sells, and from which node.
    groups : tuple of (channel, first cell, last cell + 1, first node, last node + 1)
        One entry per channel: its cells as a slice, and the slice of its nodes.
    flagship : (n_warehouses,) int64
        The store that helps out when a warehouse cannot serve an online order.
    region : (n_nodes,) int64
        The warehouse that supplies each node (a warehouse: itself).
    """

    channel: np.ndarray
    node: np.ndarray
    groups: tuple[tuple[int, int, int, int, int], ...]
    flagship: np.ndarray
    region: np.ndarray

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.node)


def node_specs() -> tuple[NodeSpec, ...]:
    """Return all nodes, the warehouses first.

    Examples
    --------
    >>> len(node_specs())
    15
    """
    return WAREHOUSES + _STORES


def build_cells() -> Cells:
    """Lay out the cells of every channel.

    Examples
    --------
    >>> build_cells().n_cells
    23
    """
    nodes = node_specs()
    n_warehouses = len(WAREHOUSES)
    names = [node.name for node in nodes]
    channel: list[int] = []
    node: list[int] = []
    groups = []
    for number, spec in enumerate(CHANNELS):
        first = len(node)
        low, high = (0, spec.n_warehouses) if spec.n_warehouses else (n_warehouses, len(nodes))
        node.extend(range(low, high))
        channel.extend([number] * (high - low))
        groups.append((number, first, len(node), low, high))
    region = [n if n < n_warehouses else names.index(one.source) for n, one in enumerate(nodes)]
    flagship = [
        next(n for n, one in enumerate(nodes) if one.flagship and region[n] == warehouse)
        for warehouse in range(n_warehouses)
    ]
    return Cells(
        channel=np.array(channel, dtype=np.int64),
        node=np.array(node, dtype=np.int64),
        groups=tuple(groups),
        flagship=np.array(flagship, dtype=np.int64),
        region=np.array(region, dtype=np.int64),
    )
