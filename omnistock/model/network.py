"""What a retailer has: SKUs, nodes, channels, lanes, and the network they form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from omnistock.errors import InputError, UnknownError
from omnistock.model.calendar import Calendar

__all__ = ["Channel", "Lane", "Network", "Node", "Sku"]

NODE_KINDS = ("warehouse", "store", "supplier")


def _check_name(kind: str, name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"a {kind} needs a name, got {name!r}")


@dataclass(frozen=True, slots=True)
class Sku:
    """One article that can be stocked or, as a kit, is made of such articles.

    Attributes
    ----------
    sku : str
        Identifier, kept verbatim.
    unit_scale : int
        Smallest units in one selling unit; 1000 for kilograms kept in grams.
    components : tuple of (str, int)
        For a kit: each component and its smallest units in one smallest unit of
        the kit. A kit has no stock of its own.
    unit_cost, unit_price : float
        Money per selling unit.
    pack_size, minimum_order : int
        Smallest units per supplier pack, and the least that may be ordered.
    """

    sku: str
    name: str = ""
    category: str = ""
    unit_scale: int = 1
    components: tuple[tuple[str, int], ...] = ()
    unit_cost: float = 0.0
    unit_price: float = 0.0
    pack_size: int = 1
    minimum_order: int = 0

    def __post_init__(self) -> None:
        _check_name("SKU", self.sku)
        if self.unit_scale < 1:
            raise InputError(f"SKU {self.sku!r}: unit_scale must be >= 1, got {self.unit_scale}")
        if self.pack_size < 1:
            raise InputError(f"SKU {self.sku!r}: pack_size must be >= 1, got {self.pack_size}")
        if self.minimum_order < 0:
            raise InputError(f"SKU {self.sku!r}: minimum_order must be >= 0")
        for component, units in self.components:
            if component == self.sku or units < 1:
                raise InputError(f"kit {self.sku!r}: component {component!r} x {units} is wrong")


@dataclass(frozen=True, slots=True)
class Node:
    """A place that holds stock: a warehouse or a store.

    ``priority`` orders nodes when nothing else decides: smaller comes first.
    """

    node: str
    kind: str = "warehouse"
    latitude: float | None = None
    longitude: float | None = None
    priority: int = 0
    active: bool = True

    def __post_init__(self) -> None:
        _check_name("node", self.node)
        if self.kind not in NODE_KINDS:
            raise InputError(f"node {self.node!r}: kind must be one of {NODE_KINDS}")
        for name, value, limit in (
            ("latitude", self.latitude, 90.0),
            ("longitude", self.longitude, 180.0),
        ):
            if value is not None and not -limit <= value <= limit:
                raise InputError(f"node {self.node!r}: {name} {value} is outside ±{limit:g}")


@dataclass(frozen=True, slots=True)
class Channel:
    """A way of selling.

    Attributes
    ----------
    nodes : tuple of str
        The nodes that may serve the channel; empty means all.
    tier : int
        Allocation tier: scarce stock goes to tier 1 before tier 2.
    weight : float
        Share among channels of one tier.
    sync_latency_seconds : float
        How long the channel may go on selling after stock has gone elsewhere.
    """

    channel: str
    nodes: tuple[str, ...] = ()
    tier: int = 1
    weight: float = 1.0
    sync_latency_seconds: float = 0.0

    def __post_init__(self) -> None:
        _check_name("channel", self.channel)
        if self.tier < 1:
            raise InputError(f"channel {self.channel!r}: tier must be >= 1, got {self.tier}")
        if not self.weight >= 0:
            raise InputError(f"channel {self.channel!r}: weight must be >= 0, got {self.weight}")
        if not self.sync_latency_seconds >= 0:
            raise InputError(f"channel {self.channel!r}: sync_latency_seconds must be >= 0")


@dataclass(frozen=True, slots=True)
class Lane:
    """A way that goods take from a supplier or node to a node."""

    source: str
    destination: str
    lead_time_days: float = 1.0
    lead_time_std_days: float = 0.0
    review_period_days: int = 1

    def __post_init__(self) -> None:
        _check_name("lane source", self.source)
        _check_name("lane destination", self.destination)
        if not (self.lead_time_days >= 0 and self.lead_time_std_days >= 0):
            raise InputError(f"lane {self.source}->{self.destination}: lead times must be >= 0")
        if self.review_period_days < 1:
            raise InputError(
                f"lane {self.source}->{self.destination}: review_period_days must be >= 1"
            )


@dataclass(frozen=True)
class Network:
    """All SKUs, nodes, channels and lanes, keyed by name, checked against each other."""

    skus: Mapping[str, Sku] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    lanes: tuple[Lane, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)

    def __post_init__(self) -> None:
        for kit in self.skus.values():
            for component, _ in kit.components:
                if component not in self.skus:
                    raise InputError(f"kit {kit.sku!r} names unknown component {component!r}")
        for channel in self.channels.values():
            for node in channel.nodes:
                if node not in self.nodes:
                    raise InputError(f"channel {channel.channel!r} names unknown node {node!r}")
        for kit in self.skus.values():
            if kit.components:
                self.explode(kit.sku)

    @classmethod
    def build(
        cls,
        *,
        skus: Iterable[Sku | str],
        nodes: Iterable[Node | str],
        channels: Iterable[Channel | str] = (),
        lanes: Iterable[Lane] = (),
        calendar: Calendar | None = None,
    ) -> Network:
        """Build a network from objects or bare names.

        Examples
        --------
        >>> network = Network.build(skus=["TEE-M"], nodes=["DC1"], channels=["web"])
        >>> sorted(network.nodes)
        ['DC1']
        """
        sku_objects = [Sku(one) if isinstance(one, str) else one for one in skus]
        node_objects = [Node(one) if isinstance(one, str) else one for one in nodes]
        channel_objects = [Channel(one) if isinstance(one, str) else one for one in channels]
        return cls(
            skus=MappingProxyType(_by_name("SKU", sku_objects, "sku")),
            nodes=MappingProxyType(_by_name("node", node_objects, "node")),
            channels=MappingProxyType(_by_name("channel", channel_objects, "channel")),
            lanes=tuple(lanes),
            calendar=calendar or Calendar(),
        )

    def explode(self, sku: str, quantity: int = 1) -> dict[str, int]:
        """Return the smallest units of every stocked SKU in ``quantity`` units of ``sku``.

        Kits may hold kits; a component reached on several ways is summed.

        Raises
        ------
        UnknownError
            If a name is not in the network.
        InputError
            If a kit contains itself.
        """
        units: dict[str, int] = {}
        self._explode_into(units, sku, quantity, ())
        return units

    def _explode_into(
        self, units: dict[str, int], sku: str, quantity: int, path: tuple[str, ...]
    ) -> None:
        if sku in path:
            raise InputError(f"kit {sku!r} contains itself: {' > '.join((*path, sku))}")
        if sku not in self.skus:
            raise UnknownError("SKU", sku)
        components = self.skus[sku].components
        if not components:
            units[sku] = units.get(sku, 0) + quantity
        for component, per_kit in components:
            self._explode_into(units, component, quantity * per_kit, (*path, sku))


def _by_name(kind: str, objects: list, attribute: str) -> dict:  # type: ignore[type-arg]
    named: dict = {}  # type: ignore[type-arg]
    for one in objects:
        name = getattr(one, attribute)
        if name in named:
            raise InputError(f"{kind} {name!r} is defined twice")
        named[name] = one
    return named
