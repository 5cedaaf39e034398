"""The engine of one scenario, and the words in which the scenario speaks to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import omnistock as om
from omnistock.engine.results import Hold

from .amounts import Unsupported, as_list, selling_units, text_of
from .naming import Names, build_network, read_names
from .timeline import Timeline

__all__ = ["ASKER_FIELDS", "OPERATIONS", "Answer", "Stage", "operation"]

# A soft hold without an end outlives every scenario.
NO_END_S = 5 * 366 * 86_400
DUE_FIELDS = ("date", "bucket", "by", "due")
ASKER_FIELDS = {
    *("channel", "node", "nodes", "segment", "attrs", "attributes", "group", "class"),
    *("lot", "min_remaining_days", "ship", "exclude_refs", *DUE_FIELDS),
}
DETAIL_FIELDS = {"state", "sellable", "segment", "lot", "expiry", "received", "owner"}
COMMON_FIELDS = {"op", "at", "now", "today", "note", "comment", "reason"}
UNSELLABLE = "unsellable"

Play = Callable[["Stage", dict[str, Any]], "Answer"]


@dataclass
class Answer:
    """What the engine said to one step, as far as the operation itself knows.

    ``fields`` holds values by the name that expectations give them; everything else is
    asked from the engine when it is expected.
    """

    ok: bool = True
    error: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    refused: Exception | None = None
    hold: Hold | None = None


@dataclass(frozen=True)
class Operation:
    """How one kind of step is played, and which fields it may have."""

    play: Play
    fields: frozenset[str]


OPERATIONS: dict[str, Operation] = {}


def operation(name: str, fields: Iterable[str]) -> Callable[[Play], Play]:
    """Register a function that plays the steps called ``name``."""

    def register(play: Play) -> Play:
        OPERATIONS[name] = Operation(play, frozenset(fields) | COMMON_FIELDS)
        return play

    return register


class Stage:
    """One scenario's engine with its clock, and the holds and receipts that have names.

    Attributes
    ----------
    engine : Engine
    names : Names
    rules : dict
        What the scenario gives as rules.
    orders, entries : dict
        Numbers of the holds of each reference, and of each entry of one.
    receipts : dict
        SKU and node of each expected receipt that has a reference.
    """

    def __init__(self, scenario: dict[str, Any]) -> None:
        self.given: dict[str, Any] = scenario.get("given", {})
        self.rules: dict[str, Any] = self.given.get("rules", {})
        self.steps: list[dict[str, Any]] = scenario.get("steps", [])
        self.timeline = Timeline(scenario)
        self.names: Names = read_names(scenario)
        self.now = self._opening_time()
        self.orders: dict[str, list[int]] = {}
        self.entries: dict[str, int] = {}
        self.receipts: dict[str, tuple[str, str]] = {}
        self.requests: dict[str, list[int | str]] = {}
        self.frames_before = 0
        self._lock = threading.Lock()
        self._unnamed = 0
        network = build_network(scenario, self.names, self.timeline)
        self.network = network
        self.engine = om.open(":memory:", network, clock=lambda: self.now)

    # --- time -----------------------------------------------------------

    @property
    def asks_by_channel(self) -> bool:
        """Whether levels of availability are asked for channel by channel."""
        return any("channel" in one for one in self.steps if one.get("op") in ("level", "events"))

    def _opening_time(self) -> int:
        """Return when what is given is entered: before a given hold ends, even a past one."""
        ends = [
            self.moment(row["expires_at"], clock=True) - 1
            for row in self.given.get("reservations", [])
            if row.get("expires_at") is not None
        ]
        return min([self.timeline.start, *ends])

    def begin(self) -> None:
        """Let the clock stand at the moment at which the first step happens."""
        self.now = max(self.now, self.timeline.start)

    def advance(self, step: dict[str, Any]) -> None:
        """Let time pass until the moment at which a step happens; never back."""
        for name in ("today", "now", "at"):
            if step.get(name) is not None:
                self.now = max(self.now, self.moment(step[name], clock=True))

    def moment(self, value: Any, *, clock: bool = False) -> int:
        """Return a moment in seconds; a plain number on the clock counts from the start."""
        if clock and isinstance(value, int):
            return self.timeline.start + value
        return self.timeline.seconds(value)

    def due(self, row: dict[str, Any]) -> int | None:
        """Return when a row is due, None if it does not say."""
        for name in DUE_FIELDS:
            if row.get(name) is not None:
                return self.moment(row[name])
        return None

    def seconds_to_live(self, row: dict[str, Any]) -> int | None:
        """Return how long a hold lasts; None for a hard one."""
        if row.get("ttl_s") is not None:
            return int(row["ttl_s"])
        if row.get("expires_at") is not None:
            return self.moment(row["expires_at"], clock=True) - self.now
        kind = row.get("kind", "hard")
        if kind not in ("soft", "hard", "pickup"):
            raise Unsupported(f"unknown kind of reservation {kind!r}")
        return NO_END_S if kind == "soft" else None

    # --- names ----------------------------------------------------------

    def sku(self, row: dict[str, Any]) -> str:
        """Return the SKU of a row; the only one there is if the row names none."""
        name = row.get("sku", row.get("bundle"))
        if name is not None:
            return str(name)
        candidates = self.names.skus if len(self.names.skus) == 1 else self.names.stocked
        if len(candidates) == 1:
            return candidates[0]
        raise Unsupported(f"no sku named, and there are {len(self.names.skus)}")

    def skus(self, row: dict[str, Any]) -> list[str]:
        """Return the SKU of a row, or all if the row names none."""
        return [str(row["sku"])] if row.get("sku") is not None else list(self.names.stocked)

    def node(self, row: dict[str, Any]) -> str:
        """Return the node of a row; the only one there is if the row names none."""
        if row.get("node") is not None:
            return str(row["node"])
        if len(self.names.nodes) == 1:
            return self.names.nodes[0]
        raise Unsupported(f"no node named, and there are {len(self.names.nodes)}")

    def node_or_none(self, row: dict[str, Any]) -> str | None:
        """Return the node of a row, the only one there is, or None."""
        if row.get("node") is None and len(self.names.nodes) != 1:
            return None
        return self.node(row)

    def fresh(self, prefix: str) -> str:
        """Return a reference that nobody else has."""
        with self._lock:
            self._unnamed += 1
            return f"{prefix}-{self._unnamed}"

    # --- quantities -----------------------------------------------------

    def amount(self, row: dict[str, Any], name: str = "qty") -> str:
        """Return the quantity of a row as text in selling units."""
        if row.get(name) is None:
            raise Unsupported(f"no {name} given")
        return text_of(row[name], row.get("uom"))

    def said(self, sku: str, units: int | None) -> Decimal | int | None:
        """Return smallest units of a SKU in selling units."""
        return None if units is None else selling_units(int(units), self.names.scales.get(sku, 1))

    # --- who asks, and what stock ---------------------------------------

    def asker(self, step: dict[str, Any]) -> dict[str, Any]:
        """Return the keywords that say who asks, where, and for when."""
        keywords: dict[str, Any] = {}
        attributes = {
            str(name): str(value)
            for name, value in {**step.get("attributes", {}), **step.get("attrs", {})}.items()
        }
        for name in ("group", "class"):
            if step.get(name) is not None:
                attributes[name] = "/".join(str(one) for one in as_list(step[name]))
        channel = step.get("channel", attributes.pop("channel", None))
        if channel is not None:
            keywords["channel"] = str(channel)
        if step.get("segment") is not None:
            keywords["segment"] = str(step["segment"])
        if attributes:
            keywords["attributes"] = attributes
        if step.get("node") is not None:
            keywords["node"] = str(step["node"])
        if step.get("nodes") is not None:
            keywords["nodes"] = tuple(str(one) for one in step["nodes"])
        due = self.due(step)
        if due is not None:
            keywords["by"] = due
        return keywords

    def question(self, step: dict[str, Any]) -> dict[str, Any]:
        """Return the keywords of a question: who asks, and which of the stock counts."""
        keywords = self.asker(step)
        if step.get("lot") is not None:
            keywords["lot"] = str(step["lot"])
        if step.get("min_remaining_days") is not None:
            keywords["min_remaining_days"] = int(step["min_remaining_days"])
        left_out = [str(one) for one in as_list(step.get("exclude_refs"))]
        # A cart is not in its own way.
        if not left_out and step.get("ref") is not None and str(step["ref"]) in self.orders:
            left_out = [str(step["ref"])]
        if left_out:
            keywords["exclude"] = tuple(left_out)
        return keywords

    def together(self, step: dict[str, Any]) -> bool:
        """Whether kits of a step must leave from one node each."""
        wanted = step.get("ship")
        if wanted is None:
            named = {str(row.get("sku")) for row in [step, *step.get("lines", [])]}
            kits = [k for k in self.given.get("kits", []) if str(k["sku"]) in named]
            wanted = next((kit["ship"] for kit in kits if kit.get("ship")), "separately")
        if wanted not in ("together", "separately"):
            raise Unsupported(f"unknown way of shipping {wanted!r}")
        return bool(wanted == "together")

    def detail(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the keywords that name one compartment of a stockpoint."""
        detail: dict[str, Any] = {}
        for name in ("segment", "lot", "owner", "state"):
            if row.get(name) is not None:
                detail[name] = str(row[name])
        if row.get("sellable") is False:
            detail["state"] = UNSELLABLE
        for name in ("expiry", "received"):
            if row.get(name) is not None:
                detail[name] = self.moment(row[name])
        return detail

    def lines(self, step: dict[str, Any]) -> list[Any]:
        """Return the order lines of a step: its ``lines``, or the step itself as one."""
        rows = step.get("lines") or [step]
        built = []
        for row in rows:
            selections = row.get("selections")
            built.append(
                om.OrderLine(
                    self.sku(row),
                    self.amount(row),
                    node=str(row["node"]) if row is not step and row.get("node") else None,
                    lot=str(row.get("lot", step.get("lot"))) if _lot(row, step) else None,
                    min_remaining_days=int(
                        row.get("min_remaining_days", step.get("min_remaining_days", 0))
                    ),
                    selections=tuple((str(s["sku"]), text_of(s["per"])) for s in selections)
                    if selections
                    else None,
                )
            )
        return built

    # --- holds ----------------------------------------------------------

    def keep(self, reference: str, hold: Hold, entry: str | None = None) -> None:
        """Remember the hold under its order's reference, and its entry's name if it has one."""
        if hold.hold_id < 0:
            return
        with self._lock:
            known = self.orders.setdefault(reference, [])
            if hold.hold_id not in known:
                known.append(hold.hold_id)
            if entry is not None:
                self.entries[entry] = hold.hold_id

    def holds(
        self, step: dict[str, Any], request: str | None = None, *, shipped: bool = False
    ) -> list[int | str]:
        """Return the holds that a step is about: its entry's, or the open ones of its order.

        With ``shipped``, those of which something was shipped and not returned. A request
        that comes again is about the same holds as the first time.
        """
        if request is not None and request in self.requests:
            return self.requests[request]
        if step.get("entry") is not None:
            entry = str(step["entry"])
            found: list[int | str] = [self.entries[entry]] if entry in self.entries else [entry]
        elif step.get("ref") is not None:
            reference = str(step["ref"])
            known = self.orders.get(reference, [])
            live = [hold for hold in known if self._has_units(hold, shipped=shipped)]
            found = list(live or known[-1:]) or [reference]
        else:
            raise Unsupported("neither ref nor entry says which reservation is meant")
        if request is not None:
            self.requests[request] = found
        return found

    def _has_units(self, hold: int, *, shipped: bool) -> bool:
        lines = self.engine.hold(hold).lines
        return any(x.shipped > x.returned if shipped else x.quantity > 0 for x in lines)


def _lot(row: dict[str, Any], step: dict[str, Any]) -> bool:
    return row.get("lot", step.get("lot")) is not None
