"""Names and codes: SKUs, nodes, channels, references and stockpoints, and how they persist.

The kernels know numbers only. A name gets its number when it is first defined or
used, and the frame of that batch says so, so that replay gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np

from omnistock.availability.layout import (
    FIRST_POINT,
    INBOUND_POINT,
    INBOUND_REFERENCE,
    N_CHANNELS,
    N_INBOUND,
    N_NODES,
    N_POINTS,
    N_SKUS,
    NEXT_POINT,
    NODE_ACTIVE,
    NODE_PRIORITY,
    POINT_NODE,
    POINT_SKU,
    State,
    with_room,
)
from omnistock.errors import InputError, UnknownError
from omnistock.model import Calendar, Channel, Network, Node, Sku

__all__ = ["Definitions", "Registry"]


class Definitions(msgspec.Struct, omit_defaults=True):
    """What one frame defines anew or changes."""

    calendar: Calendar | None = None
    skus: list[Sku] = []
    nodes: list[Node] = []
    channels: list[Channel] = []
    references: list[str] = []


class Registry:
    """All names of one engine.

    ``points`` maps (sku code, node code) to a stockpoint; ``inbound`` maps
    (reference code, stockpoint) to a row of expected receipts.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.skus: dict[str, int] = {}
        self.nodes: dict[str, int] = {}
        self.channels: dict[str, int] = {"": 0}
        self.references: dict[str, int] = {}
        self.sku_list: list[Sku] = []
        self.node_list: list[Node] = []
        self.channel_list: list[Channel | None] = [None]
        self.reference_list: list[str] = []
        self.points: dict[tuple[int, int], int] = {}
        self.inbound: dict[tuple[int, int], int] = {}
        self.pending = Definitions()
        self._components: dict[int, tuple[tuple[int, int], ...]] = {}

    # --- looking up ------------------------------------------------------

    def sku(self, name: str) -> int:
        """Code of a SKU."""
        code = self.skus.get(name)
        if code is None:
            raise UnknownError("SKU", name, list(self.skus)[:8])
        return code

    def stocked_sku(self, name: str) -> int:
        """Code of a SKU that has stock of its own."""
        code = self.sku(name)
        if self.sku_list[code].components:
            raise InputError(f"{name!r} is a kit: it has no stock of its own; name its components")
        return code

    def node(self, name: str) -> int:
        """Code of a node."""
        code = self.nodes.get(name)
        if code is None:
            raise UnknownError("node", name, list(self.nodes)[:8])
        return code

    def channel(self, name: str | None) -> int:
        """Code of a channel; None is no channel."""
        code = self.channels.get(name or "")
        if code is None:
            raise UnknownError("channel", str(name), [one for one in self.channels if one][:8])
        return code

    def components(self, code: int) -> tuple[tuple[int, int], ...]:
        """Stocked SKUs, with smallest units of each, in one smallest unit of a SKU or kit."""
        known = self._components.get(code)
        if known is None:
            known = ((code, 1),)
            if self.sku_list[code].components:
                exploded = self.network().explode(self.sku_list[code].sku)
                known = tuple((self.skus[name], units) for name, units in exploded.items())
            self._components[code] = known
        return known

    def reference(self, text: str) -> int:
        """Code of an order or receipt reference; a new one is given to a new text."""
        code = self.references.get(text)
        if code is None:
            if not isinstance(text, str) or not text:
                raise InputError(f"a reference must be a text, got {text!r}")
            code = self._add_reference(text)
            self.pending.references.append(text)
        return code

    def _add_reference(self, text: str) -> int:
        code = self.references[text] = len(self.reference_list)
        self.reference_list.append(text)
        return code

    def network(self) -> Network:
        """All that is defined, as a network."""
        return Network(
            skus=MappingProxyType({one.sku: one for one in self.sku_list}),
            nodes=MappingProxyType({one.node: one for one in self.node_list}),
            channels=MappingProxyType({one.channel: one for one in self.channel_list if one}),
            calendar=self.calendar,
        )

    # --- defining --------------------------------------------------------

    def changes(self, network: Network) -> Definitions:
        """Return what of ``network`` is new here or other than here.

        Raises
        ------
        InputError
            If it changes what stock already depends on: the calendar, a SKU's unit
            scale, or whether a SKU is a kit.
        """
        if network.calendar != self.calendar:
            raise InputError(f"the store has {self.calendar}, the network {network.calendar}")
        for sku in network.skus.values():
            if sku.sku in self.skus:
                old = self.sku_list[self.skus[sku.sku]]
                if old.unit_scale != sku.unit_scale or bool(old.components) != bool(sku.components):
                    raise InputError(
                        f"SKU {sku.sku!r} is in the store with unit_scale {old.unit_scale} and "
                        f"{len(old.components)} components; neither can change: use a new SKU"
                    )
        return Definitions(
            skus=_new_or_changed(network.skus, self.skus, self.sku_list),
            nodes=_new_or_changed(network.nodes, self.nodes, self.node_list),
            channels=_new_or_changed(network.channels, self.channels, self.channel_list),
        )

    def define(self, state: State, definitions: Definitions) -> State:
        """Enter definitions, live or in replay; returns the state with room for them."""
        for sku in definitions.skus:
            _enter(self.skus, self.sku_list, sku.sku, sku)
        for node in definitions.nodes:
            _enter(self.nodes, self.node_list, node.node, node)
        for channel in definitions.channels:
            _enter(self.channels, self.channel_list, channel.channel, channel)
        for text in definitions.references:
            self._add_reference(text)
        if definitions.skus:
            self._components.clear()
        counts = state.counts
        state = with_room(
            state,
            skus=len(self.sku_list) - int(counts[N_SKUS]),
            nodes=len(self.node_list) - int(counts[N_NODES]),
            channels=len(self.channel_list) - int(counts[N_CHANNELS]),
        )
        state.counts[N_SKUS] = len(self.sku_list)
        state.counts[N_NODES] = len(self.node_list)
        state.counts[N_CHANNELS] = len(self.channel_list)
        if definitions.nodes:
            self._set_nodes(state, definitions.nodes)
        if definitions.nodes or definitions.channels:
            self._set_channel_nodes(state)
        return state

    def _set_nodes(self, state: State, nodes: Sequence[Node]) -> None:
        moved = False
        for node in nodes:
            code = self.nodes[node.node]
            moved = moved or state.nodes[code, NODE_PRIORITY] != node.priority
            state.nodes[code, NODE_ACTIVE] = node.active
            state.nodes[code, NODE_PRIORITY] = node.priority
        if moved:
            _relink(state)

    def _set_channel_nodes(self, state: State) -> None:
        for code, channel in enumerate(self.channel_list):
            if channel is not None and channel.nodes:
                state.channel_nodes[code, :] = 0
                state.channel_nodes[code, [self.nodes[one] for one in channel.nodes]] = 1
            else:
                state.channel_nodes[code, :] = 1

    def take_pending(self) -> Definitions:
        """Return what this batch has defined so far, and begin anew."""
        pending, self.pending = self.pending, Definitions()
        return pending

    def relearn(self, state: State) -> None:
        """Read the stockpoints and inbound rows off a replayed state."""
        count = int(state.counts[N_POINTS])
        skus = state.points[:count, POINT_SKU].tolist()
        nodes = state.points[:count, POINT_NODE].tolist()
        self.points = {pair: s for s, pair in enumerate(zip(skus, nodes, strict=True))}
        inbound = state.inbound[: int(state.counts[N_INBOUND])]
        references = inbound[:, INBOUND_REFERENCE].tolist()
        points = inbound[:, INBOUND_POINT].tolist()
        pairs = enumerate(zip(references, points, strict=True))
        # A row without a time was asked for by a command that was then refused.
        self.inbound = {pair: i for i, pair in pairs if state.eta[i]}


def _new_or_changed(given: Mapping[str, Any], codes: dict[str, int], known: list[Any]) -> list[Any]:
    return [one for name, one in given.items() if name not in codes or known[codes[name]] != one]


def _enter(codes: dict[str, int], objects: list[Any], name: str, one: Any) -> None:
    if name in codes:
        objects[codes[name]] = one
    else:
        codes[name] = len(objects)
        objects.append(one)


def _relink(state: State) -> None:
    """Thread each SKU's stockpoints anew by node priority, older ones first among equals."""
    count = int(state.counts[N_POINTS])
    points = state.points[:count]
    priority = state.nodes[points[:, POINT_NODE], NODE_PRIORITY]
    order = np.lexsort((np.arange(count), priority, points[:, POINT_SKU]))
    skus = points[order, POINT_SKU]
    same = skus[1:] == skus[:-1]
    points[order, NEXT_POINT] = np.append(np.where(same, order[1:], -1), -1)[:count]
    first = np.append(True, ~same)[:count]
    state.skus[skus[first], FIRST_POINT] = order[first]


def encode(definitions: Definitions) -> bytes:
    """Definitions as JSON; nothing defined is no bytes."""
    if definitions == Definitions():
        return b""
    return msgspec.json.encode(definitions)


def decode(text: bytes) -> Definitions:
    """Definitions from JSON."""
    return msgspec.json.decode(text, type=Definitions) if text else Definitions()
