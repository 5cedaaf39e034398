"""By what nodes are compared: criteria, and the figures that they give every node.

Axes: n = node, l = line. A figure is a whole number >= 0, and smaller is better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from omnistock.errors import InputError
from omnistock.model import Node
from omnistock.sourcing.distances import haversine

__all__ = ["Candidates", "Criterion", "Request", "figures", "kilometres", "node_fact", "places"]

KINDS = (
    *("packages", "cost", "priority", "requested", "most_stock", "distance", "same"),
    *("attribute", "load"),
)
STOCK = ("available", "uncommitted")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing by which plans are compared.

    Attributes
    ----------
    by : str
        - ``packages``: fewer packages.
        - ``cost``: fewer cents, by the strategy's cost terms.
        - ``priority``: nodes of smaller priority; or those named in ``first``, in this
          sequence, before all others. As the last of a ranking it leaves no ties: of nodes
          of one priority the one that was defined first is better.
        - ``requested``: the node that the order asks for.
        - ``most_stock``: nodes that have more of the line, by ``stock``.
        - ``distance``: nearer nodes; or, with ``bands``, nodes in a nearer band.
        - ``same``: nodes whose ``attribute`` is that of the order, such as the market.
        - ``attribute``: nodes with a smaller ``attribute``; or those with one of the values in
          ``first``, in this sequence, before all others.
        - ``load``: nodes that have more of their capacity left, in per cent.
    attribute : str
        Of ``same`` and ``attribute``.
    first : tuple of str
        Of ``priority`` and ``attribute``.
    bands : tuple of float
        Ends of the bands in kilometres, each still inside; nodes beyond the last are one
        band more.
    stock : {"available", "uncommitted"}
        Of ``most_stock``: what the asker may have; or what is on hand and not committed,
        soft holds left out.
    """

    by: str
    attribute: str = ""
    first: tuple[str, ...] = ()
    bands: tuple[float, ...] = ()
    stock: str = "available"

    def __post_init__(self) -> None:
        if self.by not in KINDS:
            raise InputError(f"a criterion is by one of {KINDS}, got {self.by!r}")
        if (self.by in ("same", "attribute")) != bool(self.attribute):
            raise InputError(f"criterion {self.by!r}: attribute belongs to same and attribute only")
        if self.first and self.by not in ("priority", "attribute"):
            raise InputError(f"criterion {self.by!r}: first belongs to priority and attribute only")
        if self.bands and self.by != "distance":
            raise InputError(f"criterion {self.by!r}: bands belong to distance only")
        if list(self.bands) != sorted(set(self.bands)) or any(one < 0 for one in self.bands):
            raise InputError(f"bands must rise and be >= 0, got {self.bands}")
        if self.stock not in STOCK:
            raise InputError(f"stock must be one of {STOCK}, got {self.stock!r}")

    @property
    def label(self) -> str:
        """The criterion in a few words."""
        if self.by in ("same", "attribute"):
            return f"{'same ' if self.by == 'same' else ''}{self.attribute}"
        if self.bands:
            return "distance band"
        return {"most_stock": "most stock", "requested": "requested node"}.get(self.by, self.by)


@dataclass(frozen=True, slots=True)
class Request:
    """What an order says of itself beside its lines.

    Attributes
    ----------
    facts : mapping
        Whatever conditions and ``same`` ask for: channel, market, delivery, ...
    requested_node : str, optional
    latitude, longitude : float, optional
        Where to.
    distances : mapping of node to float
        Kilometres to nodes, instead of those as the crow flies.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    requested_node: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    distances: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.latitude is None) != (self.longitude is None):
            raise InputError("give latitude and longitude, or none")


@dataclass(frozen=True)
class Candidates:
    """The nodes that could send, best first when all else is equal, and what they have.

    Attributes
    ----------
    nodes : tuple of Node
    stock : (n_nodes, n_lines) int64
        Units that each node may give.
    uncommitted : (n_nodes, n_lines) int64, optional
        On hand less what is committed; ``stock`` if left out.
    capacity : (n_nodes,) int64, optional
        Units, of all lines together, that each node can still handle; -1 is no limit.
    daily_capacity : (n_nodes,) int64, optional
        Units a day, for the load; ``capacity`` if left out.
    """

    nodes: tuple[Node, ...]
    stock: np.ndarray
    uncommitted: np.ndarray | None = None
    capacity: np.ndarray | None = None
    daily_capacity: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.stock.ndim != 2 or len(self.stock) != len(self.nodes):
            raise InputError(f"stock must be ({len(self.nodes)}, n_lines), got {self.stock.shape}")

    @property
    def names(self) -> list[str]:
        """Names of the nodes."""
        return [one.node for one in self.nodes]


def places(values: np.ndarray) -> np.ndarray:
    """Return the place of each value among the different ones, from 0; equal ones share it."""
    return np.unique(values, return_inverse=True)[1].reshape(values.shape).astype(np.int64)


def kilometres(candidates: Candidates, request: Request) -> np.ndarray:
    """Kilometres from every node to the order, (n_nodes,) float64.

    Raises
    ------
    InputError
        If nothing says how far a node is.
    """
    found = np.full(len(candidates.nodes), np.nan)
    if request.latitude is not None and request.longitude is not None:
        known = [k for k, one in enumerate(candidates.nodes) if one.latitude is not None]
        rows = [candidates.nodes[k] for k in known]
        if rows:
            there = haversine(
                [request.latitude], [request.longitude],
                [one.latitude for one in rows], [one.longitude for one in rows],
            )  # fmt: skip
            found[known] = there[0]
    for k, one in enumerate(candidates.nodes):
        if one.node in request.distances:
            found[k] = float(request.distances[one.node])
    unknown = [one.node for one, far in zip(candidates.nodes, found, strict=True) if np.isnan(far)]
    if unknown:
        raise InputError(
            f"no distance to nodes {', '.join(unknown[:8])}: give them coordinates and the order "
            "latitude and longitude, or give distances"
        )
    if (found < 0).any() or not np.isfinite(found).all() or (found > 50_000).any():
        raise InputError("distances must lie in 0..50000 km")
    return found


def node_fact(node: Node, name: str) -> Any:
    """Return what a node says of itself under a name: a field or an attribute; None if nothing."""
    if name in node.attributes:
        return node.attributes[name]
    return getattr(node, name) if name in ("node", "kind", "priority") else None


def figures(criterion: Criterion, candidates: Candidates, request: Request) -> np.ndarray:
    """Return a criterion's figure of every node, or of every node and line.

    Returns
    -------
    (n_nodes,) or (n_nodes, n_lines) int64
        Places 0, 1, ... for everything that is ranked; metres for ``distance`` without
        bands; 1 for ``packages``. ``cost`` has cents of packages and units apart and is
        not answered here.
    """
    nodes = candidates.nodes
    if criterion.by == "packages":
        return np.ones(len(nodes), np.int64)
    if criterion.by == "priority":
        if criterion.first:
            return _listed([one.node for one in nodes], criterion.first)
        return places(np.array([one.priority for one in nodes], np.int64))
    if criterion.by == "requested":
        return np.array([int(one.node != request.requested_node) for one in nodes], np.int64)
    if criterion.by == "most_stock":
        have = candidates.stock
        if criterion.stock == "uncommitted" and candidates.uncommitted is not None:
            have = candidates.uncommitted
        columns = [places(-have[:, line]) for line in range(have.shape[1])]
        return np.array(columns, np.int64).reshape(have.shape[1], len(nodes)).T.copy()
    if criterion.by == "distance":
        far = kilometres(candidates, request)
        if criterion.bands:
            return np.searchsorted(np.array(criterion.bands), far, side="left").astype(np.int64)
        return np.floor(far * 1000 + 0.5).astype(np.int64)
    if criterion.by == "load":
        return _load(candidates)
    values = [node_fact(one, criterion.attribute) for one in nodes]
    if criterion.by == "same":
        mine = request.facts.get(criterion.attribute)
        return np.array([int(mine is None or one != mine) for one in values], np.int64)
    if criterion.first:
        return _listed([_text(one) for one in values], criterion.first)
    return _by_size(criterion.attribute, nodes, values)


def _listed(names: list[str], first: tuple[str, ...]) -> np.ndarray:
    rank = {name: place for place, name in enumerate(first)}
    return np.array([rank.get(one, len(first)) for one in names], np.int64)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _by_size(attribute: str, nodes: tuple[Node, ...], values: list[Any]) -> np.ndarray:
    missing = [one.node for one, value in zip(nodes, values, strict=True) if value is None]
    if missing:
        raise InputError(f"nodes {', '.join(missing[:8])} have no attribute {attribute!r}")
    numbers = all(isinstance(one, int | float) for one in values)
    keys = values if numbers else [_text(one) for one in values]
    rank = {value: place for place, value in enumerate(sorted(set(keys)))}
    return np.array([rank[one] for one in keys], np.int64)


def _load(candidates: Candidates) -> np.ndarray:
    """Per cent of each node's capacity that is taken; nodes without limit have none."""
    n_nodes = len(candidates.nodes)
    if candidates.capacity is None:
        return np.zeros(n_nodes, np.int64)
    left = candidates.capacity
    whole = left if candidates.daily_capacity is None else candidates.daily_capacity
    taken = np.zeros(n_nodes, np.int64)
    limited = (left >= 0) & (whole > 0)
    taken[limited] = 100 - np.minimum(100, 100 * left[limited] // whole[limited])
    taken[left == 0] = 100
    return taken
