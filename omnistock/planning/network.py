"""From tables to the network: kits and their parts, and the lane that supplies each node."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from omnistock.errors import FrameError, InputError, Problem
from omnistock.frames import Table, smallest_units
from omnistock.model import Channel, Lane, Network, Node, Sku

__all__ = ["FROM_SUPPLIER", "NO_LANE", "Lanes", "build_network", "chosen_lanes"]

FROM_SUPPLIER, NO_LANE = -1, -2


@dataclass(frozen=True)
class Lanes:
    """How each node is supplied; arrays of shape (n_nodes,).

    Attributes
    ----------
    source : int64
        Index of the supplying node, ``FROM_SUPPLIER`` or ``NO_LANE``.
    source_name : tuple of str
        Its name, or the supplier's; empty where no lane leads to the node.
    lead_time_days, lead_time_std_days, review_period_days : float64
    level : int64
        0 for nodes that suppliers (or nobody) supply, else one more than their source.
    """

    source: np.ndarray
    source_name: tuple[str, ...]
    lead_time_days: np.ndarray
    lead_time_std_days: np.ndarray
    review_period_days: np.ndarray
    level: np.ndarray

    @property
    def protection_days(self) -> np.ndarray:
        """(n_nodes,) float64: lead time and review period together."""
        return np.asarray(self.lead_time_days + self.review_period_days)


Parts = tuple[np.ndarray, np.ndarray, np.ndarray]


def build_network(tables: dict[str, Table]) -> tuple[Network, Parts]:
    """Build the network, and every SKU's parts as offsets, part and units.

    Raises
    ------
    FrameError
        If a pack or a kit's component is no whole number of smallest units, or a kit
        contains itself.
    """
    skus = tables["skus"]
    names = skus["sku"].tolist()
    scale = skus["unit_scale"]
    problems: list[Problem] = []
    packs = _units_or_problems(skus, "pack_size", scale, problems)
    minimums = _units_or_problems(skus, "minimum_order", scale, problems)
    components = _components(
        tables.get("kits"), dict(zip(names, scale.tolist(), strict=True)), problems
    )
    if problems:
        raise FrameError(problems)
    try:
        network = Network.build(
            skus=[
                Sku(
                    name,
                    name=skus["name"][i],
                    category=skus["category"][i],
                    unit_scale=int(scale[i]),
                    components=tuple(components.get(name, ())),
                    unit_cost=float(skus["unit_cost"][i]),
                    unit_price=float(skus["unit_price"][i]),
                    pack_size=int(packs[i]),
                    minimum_order=int(minimums[i]),
                )
                for i, name in enumerate(names)
            ],
            nodes=_nodes(tables["nodes"]),
            channels=_channels(tables["channels"]),
            lanes=_lanes(tables["lanes"]),
        )
    except InputError as error:
        table = "kits" if "kit" in str(error) else "skus"
        raise FrameError([Problem(table, None, None, str(error))]) from error
    return network, _parts(network, names)


def _units_or_problems(
    table: Table, column: str, scale: np.ndarray, problems: list[Problem]
) -> np.ndarray:
    try:
        return smallest_units(table[column], scale, table=table.name, column=column)
    except FrameError as error:
        problems += error.problems
        return np.ones(table.n_rows, np.int64)


def _components(
    kits: Table | None, scale: dict[str, int], problems: list[Problem]
) -> dict[str, list[tuple[str, int]]]:
    """Return each kit's components with their smallest units per smallest unit of the kit."""
    found: dict[str, list[tuple[str, int]]] = {}
    if kits is None:
        return found
    for row, (kit, component, quantity) in enumerate(
        zip(kits["kit"], kits["component"], kits["quantity"].tolist(), strict=True)
    ):
        units = Fraction(repr(quantity)) * scale[component] / scale[kit]
        if units.denominator != 1:
            message = (
                f"{quantity} of {component!r} per {kit!r} is no whole number of smallest units "
                f"(unit_scale {scale[component]} and {scale[kit]})"
            )
            problems.append(Problem("kits", row + 1, "quantity", message))
        else:
            found.setdefault(kit, []).append((component, int(units)))
    return found


def _parts(network: Network, names: list[str]) -> Parts:
    position = {name: i for i, name in enumerate(names)}
    offsets, part, units = [0], [], []
    for name in names:
        for component, count in network.explode(name).items():
            part.append(position[component])
            units.append(count)
        offsets.append(len(part))
    return np.array(offsets, np.int64), np.array(part, np.int64), np.array(units, np.int64)


def _nodes(table: Table) -> list[Node]:
    def known(value: float) -> float | None:
        return None if math.isnan(value) else float(value)

    return [
        Node(node, kind, known(latitude), known(longitude), int(priority))
        for node, kind, latitude, longitude, priority in zip(
            table["node"],
            table["kind"],
            table["latitude"].tolist(),
            table["longitude"].tolist(),
            table["priority"].tolist(),
            strict=True,
        )
    ]


def _channels(table: Table) -> list[Channel]:
    return [
        Channel(
            name,
            nodes=tuple(node.strip() for node in nodes.split("|")) if nodes else (),
            tier=int(tier),
            weight=weight,
            sync_latency_seconds=latency,
        )
        for name, nodes, tier, weight, latency in zip(
            table["channel"],
            table["nodes"],
            table["tier"].tolist(),
            table["weight"].tolist(),
            table["sync_latency_seconds"].tolist(),
            strict=True,
        )
    ]


def _lanes(table: Table) -> list[Lane]:
    return [
        Lane(source, destination, lead, std, int(review))
        for source, destination, lead, std, review in zip(
            table["source"],
            table["destination"],
            table["lead_time_days"].tolist(),
            table["lead_time_std_days"].tolist(),
            table["review_period_days"].tolist(),
            strict=True,
        )
    ]


def chosen_lanes(network: Network, nodes: tuple[str, ...]) -> Lanes:
    """Choose for each node its fastest lane, one from a store only if there is no other.

    Among equals the first source by name is taken.

    Raises
    ------
    FrameError
        If the chosen lanes run in a circle.
    """
    position = {name: i for i, name in enumerate(nodes)}
    best: dict[str, Lane] = {}

    def rank(lane: Lane) -> tuple[bool, float, str]:
        from_store = network.nodes[lane.source].kind == "store"
        return from_store, lane.lead_time_days, lane.source

    for lane in sorted(network.lanes, key=rank):
        best.setdefault(lane.destination, lane)
    source = np.full(len(nodes), NO_LANE, np.int64)
    for i, node in enumerate(nodes):
        if node in best:
            source[i] = position.get(best[node].source, FROM_SUPPLIER)
    of = [best.get(node) for node in nodes]
    return Lanes(
        source=source,
        source_name=tuple(lane.source if lane else "" for lane in of),
        lead_time_days=np.array([lane.lead_time_days if lane else 0.0 for lane in of]),
        lead_time_std_days=np.array([lane.lead_time_std_days if lane else 0.0 for lane in of]),
        review_period_days=np.array(
            [float(lane.review_period_days) if lane else 1.0 for lane in of]
        ),
        level=_levels(source, nodes),
    )


def _levels(source: np.ndarray, nodes: tuple[str, ...]) -> np.ndarray:
    level = np.zeros(len(nodes), np.int64)
    for i in range(len(nodes)):
        path = [i]
        while source[path[-1]] >= 0:
            following = int(source[path[-1]])
            if following in path:
                circle = " > ".join(nodes[j] for j in (*path[path.index(following) :], following))
                message = f"nodes supply each other in a circle ({circle}); remove one lane"
                raise FrameError([Problem("lanes", None, "source", message)])
            path.append(following)
        level[i] = len(path) - 1
    return level
