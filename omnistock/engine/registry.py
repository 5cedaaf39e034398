"""Names and codes: SKUs, nodes, channels, askers, compartments, references, stockpoints.

The kernels know numbers only. A name gets its number when it is first defined or
used, and the frame of that batch says so, so that replay gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from omnistock.availability.arena import State, rows
from omnistock.availability.layout import (
    ETA,
    HOLD_FLAGS,
    INBOUND_BUCKET,
    INBOUND_POINT,
    INBOUND_REFERENCE,
    LATE,
    LIMIT_FROM,
    LIMIT_KIND,
    LIMIT_MATCH,
    LIMIT_POINT,
    LIMIT_SEGMENT,
    NEXT_LIMIT,
    POINT_NODE,
    POINT_SKU,
    POINT_TAG,
)
from omnistock.engine import tables
from omnistock.engine.askers import PLAIN, PREORDER_NODE, Asker, Compartment
from omnistock.errors import InputError, UnknownError
from omnistock.model import Calendar, Channel, Network, Node, Sku

__all__ = ["Definitions", "Registry"]

Match = tuple[tuple[str, str], ...]
LimitKey = tuple[int, int, int, int, int, int]


class Definitions(msgspec.Struct, omit_defaults=True):
    """What one frame defines anew or changes.

    ``defaults`` are (SKU code, what, units, share): what a stockpoint gets when it is opened.
    """

    calendar: Calendar | None = None
    skus: list[Sku] = []
    nodes: list[Node] = []
    channels: list[Channel] = []
    references: list[str] = []
    compartments: list[Compartment] = []
    askers: list[Asker] = []
    matches: list[Match] = []
    defaults: list[tuple[int, str, int, int]] = []


class Registry:
    """All names of one engine.

    ``points`` maps (SKU, node, compartment) codes to a stockpoint; ``inbound`` maps
    (reference code, stockpoint) to a row of expected receipts; ``limits`` maps (SKU,
    kind, match, first bucket, segment, stockpoint) to a limit.
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
        self.compartments: dict[Compartment, int] = {PLAIN: 0}
        self.compartment_list: list[Compartment] = [PLAIN]
        self.lots_known: dict[tuple[str, str, str, str], int] = {}
        self.segments: dict[str, int] = {"": 0}
        self.owners: dict[str, int] = {"": 0}
        self.lots: dict[str, int] = {"": 0}
        self.askers: dict[Asker, int] = {Asker(): 0}
        self.asker_list: list[Asker] = [Asker()]
        self.matches: dict[Match, int] = {}
        self.match_list: list[Match] = []
        self.node_sets: dict[frozenset[str], int] = {frozenset(): 0}
        self.defaults: dict[tuple[int, str], tuple[int, int]] = {}
        self.points: dict[tuple[int, int, int], int] = {}
        self.inbound: dict[tuple[int, int], int] = {}
        self.limits: dict[LimitKey, int] = {}
        self.pending = Definitions()
        # Some hold's node may still change.
        self.has_late = False
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
        sku = self.sku_list[code]
        if sku.is_kit:
            raise InputError(f"{name!r} is a kit: it has no stock of its own; name its components")
        if not sku.tracked:
            raise InputError(f"{name!r} is not tracked: it has no stock")
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

    def components(
        self, code: int, selections: Sequence[tuple[str, int | str]] | None = None
    ) -> tuple[tuple[int, int], ...]:
        """Stocked SKUs, with smallest units of each, in one smallest unit of a SKU or kit."""
        known = None if selections else self._components.get(code)
        if known is None:
            known = ((code, 1),)
            if self.sku_list[code].is_kit:
                name = self.sku_list[code].sku
                exploded = self.network().explode(name, selections=selections)
                known = tuple((self.skus[part], units) for part, units in exploded.items())
            if not selections:
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

    def order_text(self, code: int) -> str:
        """The caller's name of an order: a text, or a number as text."""
        return self.reference_list[code] if code >= 0 else str(-2 - code)

    def order_code(self, order: str) -> int | None:
        """Code of an order that has been named, None of any other."""
        code = self.references.get(order)
        if code is None and order.isdecimal() and int(order) < 1 << 31:
            return -2 - int(order)
        return code

    def network(self) -> Network:
        """All that is defined, as a network."""
        return Network(
            skus=MappingProxyType({one.sku: one for one in self.sku_list}),
            nodes=MappingProxyType({one.node: one for one in self.node_list}),
            channels=MappingProxyType({one.channel: one for one in self.channel_list if one}),
            calendar=self.calendar,
        )

    # --- askers, compartments, conditions --------------------------------

    def asker(self, asker: Asker) -> int:
        """Code of who asks; a new one is given to a new asker."""
        code = self.askers.get(asker)
        if code is None:
            self.channel(asker.channel)
            for node in asker.nodes:
                self.node(node)
            code = self._add_asker(asker)
            self.pending.askers.append(asker)
        return code

    def _add_asker(self, asker: Asker) -> int:
        code = self.askers[asker] = len(self.asker_list)
        self.asker_list.append(asker)
        self._segment(asker.segment if asker.segment != "*" else "")
        self.node_sets.setdefault(self.nodes_of(asker), len(self.node_sets))
        return code

    def nodes_of(self, asker: Asker) -> frozenset[str]:
        """Nodes that may serve an asker; the empty set stands for all."""
        channel = self.channel_list[self.channels[asker.channel]]
        allowed = frozenset(channel.nodes) if channel is not None else frozenset()
        if PREORDER_NODE in self.nodes:
            allowed = self._with_preorder(allowed, asker.channel)
        if not asker.nodes:
            return allowed
        chosen = frozenset(asker.nodes)
        return (chosen & allowed or frozenset({"\0none"})) if allowed else chosen

    def _with_preorder(self, allowed: frozenset[str], channel: str) -> frozenset[str]:
        """Nodes of a channel, with that of preorders if the channel may sell them."""
        sells = any(what in ("preorder", f"preorder:{channel}") for _, what in self.defaults)
        if sells:
            return allowed | {PREORDER_NODE} if allowed else allowed
        return (allowed or frozenset(self.nodes)) - {PREORDER_NODE}

    def compartment(self, compartment: Compartment) -> int:
        """Code of a compartment; a lot that is known keeps its dates."""
        code = self.compartments.get(compartment)
        if code is None and compartment.lot:
            code = self.lots_known.get(compartment.identity)
            if code is not None and not self.compartment_list[code].agrees(compartment):
                raise InputError(
                    f"lot {compartment.lot!r} is known as {self.compartment_list[code]}, "
                    f"not {compartment}"
                )
        if code is None:
            code = self._add_compartment(compartment)
            self.pending.compartments.append(compartment)
        return code

    def _add_compartment(self, compartment: Compartment) -> int:
        code = self.compartments[compartment] = len(self.compartment_list)
        self.compartment_list.append(compartment)
        self._segment(compartment.segment)
        self.owners.setdefault(compartment.owner, len(self.owners))
        if len(self.owners) > 62:
            raise InputError("at most 61 owners beside our own are possible in one store")
        self.lots.setdefault(compartment.lot, len(self.lots))
        if compartment.lot:
            self.lots_known[compartment.identity] = code
        return code

    def _segment(self, name: str) -> int:
        return self.segments.setdefault(name, len(self.segments))

    def match(self, condition: Mapping[str, str]) -> int:
        """Code of a limit's condition."""
        key = tuple(sorted((str(name), str(value)) for name, value in condition.items()))
        code = self.matches.get(key)
        if code is None:
            code = self._add_match(key)
            self.pending.matches.append(key)
        return code

    def _add_match(self, key: Match) -> int:
        code = self.matches[key] = len(self.match_list)
        self.match_list.append(key)
        return code

    def set_default(self, sku: int, what: str, units: int, share: int) -> None:
        """Remember what stockpoints of a SKU get when they are opened."""
        self.defaults[sku, what] = (units, share)
        self.pending.defaults.append((sku, what, units, share))

    # --- defining --------------------------------------------------------

    def changes(self, network: Network) -> Definitions:
        """Return what of ``network`` is new here or other than here.

        Raises
        ------
        InputError
            If it changes what stock already depends on: the calendar, a SKU's unit
            scale, or whether a SKU is a kit or tracked.
        """
        if network.calendar != self.calendar:
            raise InputError(f"the store has {self.calendar}, the network {network.calendar}")
        for sku in network.skus.values():
            if sku.sku in self.skus:
                old = self.sku_list[self.skus[sku.sku]]
                before = (old.unit_scale, old.is_kit, old.tracked)
                if before != (sku.unit_scale, sku.is_kit, sku.tracked):
                    raise InputError(
                        f"SKU {sku.sku!r} is in the store with unit_scale {old.unit_scale}, "
                        f"kit {old.is_kit}, tracked {old.tracked}; none of these can change: "
                        "use a new SKU"
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
        for compartment in definitions.compartments:
            self._add_compartment(compartment)
        for asker in definitions.askers:
            self._add_asker(asker)
        for match in definitions.matches:
            self._add_match(match)
        for sku_code, what, units, share in definitions.defaults:
            self.defaults[sku_code, what] = (units, share)
        if definitions.skus:
            self._components.clear()
        return tables.define(self, state, definitions)

    def settle(self, state: State) -> State:
        """Give the state the askers, compartments and conditions that are new in this batch."""
        return tables.settle(self, state)

    def take_pending(self) -> Definitions:
        """Return what this batch has defined so far, and begin anew."""
        pending, self.pending = self.pending, Definitions()
        return pending

    def relearn(self, state: State) -> None:
        """Read the stockpoints, inbound rows and limits off a replayed state."""
        self.has_late = bool((rows(state, "holds")[:, HOLD_FLAGS] & LATE).any())
        points = rows(state, "points")[:, [POINT_SKU, POINT_NODE, POINT_TAG]].tolist()
        self.points = {tuple(key): s for s, key in enumerate(points)}
        inbound = rows(state, "inbound").tolist()
        # A row without a bucket was asked for by a command that was then refused.
        self.inbound = {
            (row[INBOUND_REFERENCE], row[INBOUND_POINT]): i
            for i, row in enumerate(inbound)
            if row[ETA] or row[INBOUND_BUCKET]
        }
        limits = rows(state, "limits")
        heads = rows(state, "skus")
        self.limits = {}
        for sku, head in enumerate(heads[:, tables.FIRST_LIMIT].tolist()):
            while head >= 0:
                row = limits[head].tolist()
                self.limits[_limit_key(sku, row)] = head
                head = row[NEXT_LIMIT]


def _limit_key(sku: int, row: list[int]) -> LimitKey:
    kind, match, first = row[LIMIT_KIND], row[LIMIT_MATCH], row[LIMIT_FROM]
    return sku, kind, match, first, row[LIMIT_SEGMENT], row[LIMIT_POINT]


def _new_or_changed(given: Mapping[str, Any], codes: dict[str, int], known: list[Any]) -> list[Any]:
    return [one for name, one in given.items() if name not in codes or known[codes[name]] != one]


def _enter(codes: dict[str, int], objects: list[Any], name: str, one: Any) -> None:
    if name in codes:
        objects[codes[name]] = one
    else:
        codes[name] = len(objects)
        objects.append(one)


def encode(definitions: Definitions) -> bytes:
    """Definitions as JSON; nothing defined is no bytes."""
    if definitions == Definitions():
        return b""
    return msgspec.json.encode(definitions)


def decode(text: bytes) -> Definitions:
    """Definitions from JSON."""
    return msgspec.json.decode(text, type=Definitions) if text else Definitions()
