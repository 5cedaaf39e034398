"""What a retailer has: SKUs, nodes, channels, lanes, and the network they form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from omnistock.errors import InputError, UnknownError
from omnistock.model.calendar import Calendar
from omnistock.model.kits import check_kits, chosen_units, resolved
from omnistock.model.names import check_name
from omnistock.model.schedule import Schedule
from omnistock.model.sku import Sku

__all__ = ["Channel", "Lane", "Network", "Node"]

PICKUPS = ("none", "local", "any")
NODE_KINDS = ("warehouse", "store", "supplier", "virtual")


@dataclass(frozen=True, slots=True)
class Node:
    """A place that holds stock: a warehouse or a store.

    ``priority`` orders nodes when nothing else decides: smaller comes first. A node of kind
    "virtual" stands for stock that lies nowhere of our own, such as goods a supplier ships.
    ``attributes`` are what else is known of it, for rules that choose nodes: its market, its
    region, whether it is the default. ``schedule`` is when it works and ships. ``pickup``
    says whether customers collect there: "none", what lies there ("local"), or also what is
    sent there from other nodes ("any").
    """

    node: str
    kind: str = "warehouse"
    latitude: float | None = None
    longitude: float | None = None
    priority: int = 0
    active: bool = True
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    schedule: Schedule | None = None
    pickup: str = "none"

    def __post_init__(self) -> None:
        check_name("node", self.node)
        if self.pickup not in PICKUPS:
            raise InputError(f"node {self.node!r}: pickup must be one of {PICKUPS}")
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
    owners : tuple of str
        Whose stock it may sell; "" is our own, other names are consignors.
    """

    channel: str
    nodes: tuple[str, ...] = ()
    tier: int = 1
    weight: float = 1.0
    sync_latency_seconds: float = 0.0
    owners: tuple[str, ...] = ("",)

    def __post_init__(self) -> None:
        check_name("channel", self.channel)
        owners = self.owners
        if isinstance(owners, str) or not owners or not all(isinstance(o, str) for o in owners):
            raise InputError(
                f"channel {self.channel!r}: owners must be a tuple of texts, got {owners!r}"
            )
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
        check_name("lane source", self.source)
        check_name("lane destination", self.destination)
        if not (self.lead_time_days >= 0 and self.lead_time_std_days >= 0):
            raise InputError(f"lane {self.source}->{self.destination}: lead times must be >= 0")
        if self.review_period_days < 1:
            raise InputError(
                f"lane {self.source}->{self.destination}: review_period_days must be >= 1"
            )


@dataclass(frozen=True)
class Network:
    """All SKUs, nodes, channels and lanes, keyed by name, checked against each other.

    Components and choices that were given as texts are smallest units here.
    """

    skus: Mapping[str, Sku] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    lanes: tuple[Lane, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)

    def __post_init__(self) -> None:
        counted = resolved(self.skus)
        if counted:
            object.__setattr__(self, "skus", MappingProxyType({**self.skus, **counted}))
        check_kits(self.skus)
        for channel in self.channels.values():
            for node in channel.nodes:
                if node not in self.nodes:
                    raise InputError(f"channel {channel.channel!r} names unknown node {node!r}")

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

    def explode(
        self,
        sku: str,
        quantity: int = 1,
        selections: Sequence[tuple[str, int | str]] | None = None,
    ) -> dict[str, int]:
        """Return the smallest units of every stocked SKU in ``quantity`` units of ``sku``.

        Kits may hold kits; a component reached on several ways is summed.

        Parameters
        ----------
        sku : str
        quantity : int
            Smallest units.
        selections : sequence of (str, int or str), optional
            For a bundle: what was chosen, and how much of it goes into one bundle.

        Returns
        -------
        dict of str to int

        Raises
        ------
        UnknownError
            If a name is not in the network.
        InputError
            If the selections do not answer the bundle's options.
        """
        if sku not in self.skus:
            raise UnknownError("SKU", sku)
        for name, _ in selections or ():
            if name not in self.skus:
                raise UnknownError("SKU", name)
        if not self.skus[sku].is_kit and not selections:
            return {sku: quantity}
        units: dict[str, int] = {}
        for part, per in chosen_units(self.skus[sku], selections, self.skus):
            self._explode_into(units, part, quantity * per)
        return units

    def _explode_into(self, units: dict[str, int], sku: str, quantity: int) -> None:
        components = self.skus[sku].components
        if not components:
            units[sku] = units.get(sku, 0) + quantity
        for part, per in components:
            self._explode_into(units, part, quantity * int(per))


def _by_name(kind: str, objects: list, attribute: str) -> dict:  # type: ignore[type-arg]
    named: dict = {}  # type: ignore[type-arg]
    for one in objects:
        name = getattr(one, attribute)
        if name in named:
            raise InputError(f"{kind} {name!r} is defined twice")
        named[name] = one
    return named
