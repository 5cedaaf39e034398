"""Orders to nodes on the engine's state: plan, reserve, reject, and plan again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnistock.availability import layout
from omnistock.availability.arena import State, rows
from omnistock.engine.askers import Asker, AskerDetail
from omnistock.engine.candidates import Offer, gather
from omnistock.engine.chosen_commands import Reject, ReserveChosen
from omnistock.engine.commands import RequestId
from omnistock.engine.hold_commands import Line, as_line
from omnistock.engine.results import Hold
from omnistock.engine.writer import Writer
from omnistock.errors import ConflictError, InputError, OutOfStock, Shortage
from omnistock.model import OrderLine
from omnistock.sourcing.choices import Choice, PlannedLine, choose_nodes
from omnistock.sourcing.criteria import Request
from omnistock.sourcing.routing import RoutingBook
from omnistock.sourcing.strategies import Strategy

__all__ = [
    "OpenUnits",
    "Rejection",
    "Sourcing",
    "Wanted",
    "as_request",
    "check_no_kits",
    "choose",
    "open_units",
    "reject_command",
    "reserve_command",
    "wanted_of",
]

Parts = list[tuple[int, dict[str, int]]]


@dataclass(frozen=True)
class Sourcing:
    """The nodes chosen for an order, and the hold if it was reserved there.

    There is no ``choice`` if the request id had been used before: then ``hold`` is its answer.
    """

    choice: Choice | None
    hold: Hold | None = None

    @property
    def lines(self) -> tuple[PlannedLine, ...]:
        """What leaves from stock; of a request that came again, what its hold has."""
        if self.choice is not None:
            return self.choice.lines
        held = () if self.hold is None else self.hold.lines
        return tuple(PlannedLine(one.sku, one.node, one.quantity) for one in held if one.quantity)

    def explain(self) -> str:
        """Say which rule fired, what each node sends and costs, and what was second best."""
        return "carried out before" if self.choice is None else self.choice.explain()


@dataclass(frozen=True)
class Rejection:
    """What became of units that a node would not send.

    Attributes
    ----------
    hold : Hold
        As it stands now.
    choice : Choice, optional
        The nodes chosen instead, explained; None if the request id had been used before.
    moved : tuple of PlannedLine
        Units that other nodes send, for the same date.
    later : Hold, optional
        What was promised for a later date, ``later_date``.
    short : int
        Units that were given up.
    """

    hold: Hold
    choice: Choice | None
    moved: tuple[PlannedLine, ...]
    later: Hold | None = None
    later_date: str | None = None
    short: int = 0


@dataclass(frozen=True)
class OpenUnits:
    """Units of a SKU that a hold has open at a node, and who asked for them when."""

    hold_id: int
    order: str
    units: int
    asker: AskerDetail
    other_nodes: tuple[str, ...]


def as_request(
    writer: Writer, asker: AskerDetail, facts: Mapping[str, Any] | None,
    requested_node: str | None, latitude: float | None, longitude: float | None,
    distances: Mapping[str, float] | None,
) -> Request:  # fmt: skip
    """What an order says of itself, with who asks."""
    for name in (*([requested_node] if requested_node else []), *(distances or {})):
        writer.registry.node(name)
    known = {name: asker[name] for name in ("channel", "segment") if asker.get(name)}
    said = {**known, **(asker.get("attributes") or {}), **(facts or {})}
    return Request(said, requested_node, latitude, longitude, distances or {})


def check_no_kits(writer: Writer, lines: Sequence[Line]) -> None:
    """Refuse kits that are to be reserved in parts: their hold would not know them as kits."""
    registry = writer.registry
    for one in map(as_line, lines):
        if registry.sku_list[registry.sku(one.sku)].is_kit:
            raise InputError(
                f"{one.sku!r} is a kit: reserve what is planned with together=True, or "
                "its components as lines of their own"
            )


@dataclass(frozen=True)
class Wanted:
    """What the lines of an order come to.

    ``units`` by SKU; of every line its units and ``parts``, if there is a kit among them;
    and by SKU the ``only`` node that may send it.
    """

    units: dict[str, int]
    parts: Parts
    only: dict[str, str]


def wanted_of(writer: Writer, lines: Sequence[Line], together: bool) -> Wanted:
    """Add up the lines of an order."""
    registry = writer.registry
    if not lines:
        raise InputError("an order needs at least one line")
    wanted: dict[str, int] = {}
    only: dict[str, str] = {}
    parts: list[tuple[int, dict[str, int]]] = []
    for one in map(as_line, lines):
        if one.lot is not None or one.min_remaining_days:
            raise InputError(
                f"line of {one.sku!r}: name lot and remaining life for the whole order"
            )
        sku = registry.sku_list[registry.sku(one.sku)]
        units = sku.smallest_units(one.quantity)
        if units < 1:
            raise InputError(f"SKU {one.sku!r}: quantity must be >= 1, got {one.quantity}")
        if together and one.selections:
            raise InputError(f"{one.sku!r}: bundles with choices are sourced in parts only")
        made = {one.sku: 1}
        if not together:
            pairs = registry.components(registry.sku(one.sku), one.selections)
            made = {registry.sku_list[code].sku: per for code, per in pairs}
        parts.append((units, made))
        for name, per in made.items():
            if name in wanted and only.get(name) != one.node:
                raise InputError(
                    f"{name!r} is asked for at different nodes; source it as several orders"
                )
            if one.node is not None:
                only[name] = one.node
            wanted[name] = wanted.get(name, 0) + units * per
    plain = all(list(made.values()) == [1] for _, made in parts)
    return Wanted(wanted, [] if plain else parts, only)


def choose(
    writer: Writer, state: State, lines: Sequence[Line], rules: Strategy | RoutingBook,
    request: Request, asker: AskerDetail, *, exclude: Collection[str] = (),
    together: bool = False, first: Collection[str] = (),
) -> Choice:  # fmt: skip
    """Choose the nodes of an order; those in ``first`` go first where all else is equal."""
    asked = wanted_of(writer, lines, together)
    wanted, kits = asked.units, asked.parts
    offer = gather(writer, state, wanted, asker, together=together, exclude=exclude, first=first,
                   only=asked.only)  # fmt: skip
    need = np.array(list(wanted.values()), np.int64)
    planned = _whole_kits(kits, list(wanted), offer) if kits else np.minimum(need, offer.most)
    return choose_nodes(
        rules, list(wanted), need, offer.candidates, request, planned=planned,
        allowance=offer.allowance, binding=offer.binding, all_or_none=bool(kits),
    )  # fmt: skip


def _whole_kits(kits: Parts, skus: list[str], offer: Offer) -> np.ndarray:
    """Units of every SKU that whole kits can use, the first lines first."""
    have = (offer.candidates.stock + offer.allowance).sum(axis=0)
    free = {
        sku: int(min(most, units)) for sku, most, units in zip(skus, offer.most, have, strict=True)
    }
    need = dict.fromkeys(skus, 0)
    for units, parts in kits:
        most = min(units, *(free[sku] // per for sku, per in parts.items()))
        for sku, per in parts.items():
            free[sku] -= most * per
            need[sku] += most * per
    return np.array(list(need.values()), np.int64)


def reserve_command(
    order: str, choice: Choice, asker: AskerDetail, *, ttl_s: int | None, together: bool,
    asked: str, request_id: RequestId | None,
) -> ReserveChosen:  # fmt: skip
    """Return the command that reserves a choice.

    Raises
    ------
    OutOfStock
        If nothing was chosen.
    """
    planned: dict[tuple[str, str], int] = {}
    for one in (*choice.lines, *choice.backordered):
        planned[one.sku, one.node] = planned.get((one.sku, one.node), 0) + one.quantity
    if not planned:
        short = tuple(
            Shortage(sku, units, 0, choice.reasons.get(sku, ""))
            for sku, units in choice.unfilled.items()
        )
        raise OutOfStock(order, short)
    lines = [
        OrderLine(
            sku, units, node=node, lot=asker.get("lot"),
            min_remaining_days=asker.get("min_remaining_days", 0),
        )
        for (sku, node), units in planned.items()
    ]  # fmt: skip
    return ReserveChosen(
        order, lines, channel=asker.get("channel"), segment=asker.get("segment", ""),
        attributes=asker.get("attributes"), nodes=asker.get("nodes", ()), by=asker.get("by"),
        ttl_s=ttl_s, together=together, asked=asked, request_id=request_id,
    )  # fmt: skip


def open_units(writer: Writer, state: State, hold_id: int, sku: str, node: str) -> OpenUnits:
    """Find what a hold has open of a stocked SKU at a node, and who asked for it."""
    registry = writer.registry
    code, place = registry.stocked_sku(sku), registry.node(node)
    mine = [line for line in writer.book.lines(hold_id) if line.sku == code and line.node == place]
    others = dict.fromkeys(
        registry.node_list[line.node].node
        for line in writer.book.lines(hold_id)
        if line.open_units and line.node != place
    )
    live = writer.book.status(hold_id) in layout.LIVE
    row = rows(state, "holds")[hold_id]
    asker: Asker = registry.asker_list[int(row[layout.HOLD_ASKER])]
    detail: AskerDetail = {
        "channel": asker.channel or None, "segment": asker.segment, "nodes": asker.nodes,
        "attributes": dict(asker.attributes) or None,
    }  # fmt: skip
    bucket = max((line.bucket for line in mine), default=0)
    if bucket > int(state.stock[layout.BUCKET]):
        detail["by"] = registry.calendar.start_of(bucket)
    units = sum(line.open_units for line in mine) if live else 0
    return OpenUnits(
        hold_id, registry.order_text(int(row[layout.ORDER])), units, detail, tuple(others)
    )


def reject_command(
    held: OpenUnits, sku: str, node: str, choice: Choice, *, missing: bool, asked: str,
    request_id: RequestId | None,
) -> Reject:  # fmt: skip
    """Return the command that moves what was chosen and gives up the rest."""
    moves = tuple((one.node, one.quantity) for one in (*choice.lines, *choice.backordered))
    return Reject(
        held.hold_id, sku, node, moves, sum(choice.unfilled.values()), missing, asked,
        request_id=request_id,
    )  # fmt: skip


def checked_units(
    writer: Writer, held: OpenUnits, sku: str, node: str, quantity: Any, given_up: int = 0
) -> int:
    """Smallest units of a rejection still to be moved, which the hold must have open there."""
    units = writer.registry.sku_list[writer.registry.stocked_sku(sku)].smallest_units(quantity)
    units -= given_up
    if not 0 < units <= held.units:
        raise ConflictError(
            f"hold {held.hold_id} has {held.units} of {sku!r} open at {node!r}, not {units}",
            code="release_exceeds_reserved",
        )
    return units
