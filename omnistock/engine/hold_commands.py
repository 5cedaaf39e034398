"""Commands on holds: reserve, confirm, pick, ship, release, update, split, relocate, take back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from omnistock.availability import layout
from omnistock.availability.arena import rows
from omnistock.engine.askers import Asker
from omnistock.engine.book import LineFacts
from omnistock.engine.commands import Command, Moment, Quantity, Translator, life_seconds
from omnistock.engine.results import Hold
from omnistock.errors import ConflictError, InputError, UnknownError
from omnistock.model import Node, OrderLine

__all__ = [
    "Confirm",
    "Line",
    "OnHold",
    "Pick",
    "Release",
    "Reserve",
    "Ship",
    "line_words",
    "spread",
]

Line = tuple[str, Quantity] | tuple[str, Quantity, str] | OrderLine

_MAX_LINES = 10_000
_REMOVAL = {"fefo": 0, "lifo": layout.LIFO, "fifo": layout.FIFO}


def as_line(line: Line) -> OrderLine:
    """Return an order line from a tuple."""
    return line if isinstance(line, OrderLine) else OrderLine(*line)


def line_words(
    to: Translator, line: OrderLine, node: str | None, due: int | None, *, units: int | None = None
) -> list[int]:
    """Words of one line, kits exploded; a line's own node goes before ``node``."""
    registry = to.registry
    code = registry.sku(line.sku)
    components = registry.components(code, line.selections)
    if units is None:
        units = to.units(line.sku, line.quantity)
    if max(per for _, per in components) * units > layout.MOST_UNITS:
        raise InputError(f"{line.quantity} of {line.sku!r} is too much")
    where = line.node or node
    if where is not None and where not in registry.nodes:
        raise UnknownError("node", where, list(registry.nodes)[:8], code="not_stocked")
    lot = -1
    if line.lot is not None:
        # A lot that nobody has named has no stock; its code matches nothing.
        lot = registry.lots.get(line.lot, 1 << 30)
    words = [
        code,
        -1 if where is None else registry.nodes[where],
        0 if due is None else registry.calendar.bucket_of(due),
        units,
        lot,
        0 if due is None else due,
        life_seconds(line.min_remaining_days),
        len(components),
    ]
    for component, per in components:
        words += (component, per)
    return words


@dataclass(frozen=True)
class Reserve(Command):
    """Hold an order's lines, all or (``partial``) as much as there is.

    Without ``ttl_s`` the hold is hard at once. ``by`` is when the order is due.
    """

    order: str
    lines: Sequence[Line]
    channel: str | None = None
    node: str | None = None
    by: Moment | None = None
    ttl_s: int | None = None
    partial: bool = False
    segment: str = ""
    attributes: Mapping[str, str] | None = None
    nodes: Sequence[str] = ()
    replace: bool = False
    backorder: bool = False
    removal: str = "fefo"
    together: bool = False
    late: bool = False
    dry_run: bool = False
    kind: ClassVar[int] = layout.RESERVE

    @property
    def asker(self) -> Asker:
        """Who asks."""
        return Asker.of(self.channel, self.segment, self.attributes, self.nodes)

    def flags(self) -> int:
        """The command's switches as bits."""
        if self.removal not in _REMOVAL:
            raise InputError(f"removal must be one of {sorted(_REMOVAL)}, got {self.removal!r}")
        bits = _REMOVAL[self.removal]
        for on, bit in (
            (self.partial, layout.PARTIAL),
            (self.backorder, layout.WITH_BACKORDER),
            (self.together, layout.TOGETHER),
            (self.late, layout.LATE),
            (self.dry_run, layout.DRY_RUN),
        ):
            bits |= bit if on else 0
        if self.node is not None or all(as_line(one).node is not None for one in self.lines):
            bits |= layout.AT_NODE
        return bits

    def body(self, to: Translator) -> Sequence[int]:
        """Return order, asker, time to live, switches, replaced holds and the lines."""
        if not self.lines or len(self.lines) > _MAX_LINES:
            raise InputError(
                f"order {self.order!r}: 1 to {_MAX_LINES} lines, got {len(self.lines)}"
            )
        if self.ttl_s is not None and not 0 < self.ttl_s < 1 << 31:
            raise InputError(f"order {self.order!r}: ttl_s must be >= 1, got {self.ttl_s}")
        due = None if self.by is None else to.seconds(self.by)
        words: list[int] = []
        for one in self.lines:
            line = as_line(one)
            part = line_words(to, line, self.node, due)
            _check_rule(to, line, part[3])
            self._open_points(to, part)
            words += part
        if self.late and not to.registry.has_late:
            to.registry.has_late = True
            to.changes_layout = True
        replaced: list[int] = []
        if self.replace:
            replaced = [hold for hold in to.book.of_order(self.order) if is_live(to, hold)]
        return (
            to.registry.reference(self.order),
            to.asker(self.asker),
            self.ttl_s or 0,
            self.flags(),
            len(replaced),
            *replaced,
            len(self.lines),
            *words,
        )

    def _open_points(self, to: Translator, words: list[int]) -> None:
        """Open a stockpoint where a line may be promised without any stock having been there."""
        for component in words[8::2]:
            sku = to.registry.sku_list[component]
            ahead = words[2] - to.registry.calendar.bucket_of(to.now)
            fence = sku.replenishment_buckets
            planned = fence is not None and ahead >= fence
            if not (self.backorder or planned) or not sku.tracked:
                continue
            together = self.together or to.book.state.stock[layout.N_CAPACITIES] > 0
            if together and words[7] > 1 and words[1] < 0 and not self.backorder:
                # Which node the kit comes from is open: only those with all parts count.
                continue
            if words[1] >= 0:
                to.point_of(component, words[1], 0)
                continue
            allowed = to.registry.nodes_of(self.asker) or set(to.registry.nodes)
            nodes = [one for one in to.registry.node_list if one.node in allowed]
            if planned:
                _open_planned(to, component, nodes)
                continue
            codes = [to.registry.nodes[one.node] for one in nodes]
            if nodes and not any((component, code, 0) in to.registry.points for code in codes):
                first = min(nodes, key=lambda one: one.priority)
                to.point_of(component, to.registry.nodes[first.node], 0)


def _open_planned(to: Translator, sku: int, nodes: Sequence[Node]) -> None:
    """Open a stockpoint at the first node that is on, unless one there can take the promise."""
    on = rows(to.book.state, "nodes")[:, layout.NODE_ACTIVE]
    codes = [to.registry.nodes[one.node] for one in sorted(nodes, key=lambda one: one.priority)]
    codes = [code for code in codes if on[code]]
    kept = [code for code in codes if (sku, code, 0) in to.registry.points]
    new = [code for code in codes if code not in kept]
    if new and all(to.is_off(sku, code) for code in kept):
        to.point_of(sku, new[0], 0)


def _check_rule(to: Translator, line: OrderLine, units: int) -> None:
    """Refuse a quantity that the SKU's own rule does not allow."""
    sku = to.registry.sku_list[to.registry.sku(line.sku)]
    code = sku.refusal(units)
    if code is not None:
        raise InputError(f"SKU {line.sku!r}: {line.quantity} is refused: {code}", code=code)


def due_line(to: Translator, facts: LineFacts) -> tuple[int, ...]:
    """Words of a line that names nothing but when a hold's line is due."""
    current = to.registry.calendar.bucket_of(to.now)
    due = to.registry.calendar.start_of(facts.bucket) if facts.bucket > current else 0
    return (facts.sku, -1, facts.bucket, 0, -1, due, 0, 0)


def is_live(to: Translator, hold: int) -> bool:
    """True if a hold has units that it could give back."""
    return to.book.status(hold) in layout.LIVE


@dataclass(frozen=True)
class OnHold(Command):
    """A command about a hold: a :class:`Hold`, its number, or the order of a single one."""

    hold: Hold | int | str

    def hold_id(self, to: Translator) -> int:
        """Number of the hold."""
        if isinstance(self.hold, Hold):
            return self.hold.hold_id
        if isinstance(self.hold, int):
            if not 0 <= self.hold < 1 << 62:
                raise UnknownError("hold", str(self.hold))
            return self.hold
        found = to.book.of_order(self.hold)
        if not found and self.hold in to.registry.references:
            raise ConflictError(
                f"order {self.hold!r} has nothing reserved", code="release_exceeds_reserved"
            )
        if not found:
            raise UnknownError("order", self.hold)
        live = [one for one in found if is_live(to, one)]
        if len(found) > 1 and len(live) != 1:
            raise ConflictError(f"order {self.hold!r} has holds {found}; name one of them")
        return live[0] if live else found[0]


@dataclass(frozen=True)
class Confirm(OnHold):
    """Make a soft hold hard; an expired one asks for its units again."""

    kind: ClassVar[int] = layout.CONFIRM

    def body(self, to: Translator) -> Sequence[int]:
        """Return the hold, and a line for each of its own that says when it is due."""
        hold = self.hold_id(to)
        try:
            lines = to.book.lines(hold)
        except UnknownError:
            # Held in this very batch perhaps: hard or soft, but not expired yet.
            lines = []
        return (hold, *(word for facts in lines for word in due_line(to, facts)))


@dataclass(frozen=True)
class Pick(OnHold):
    """Release a hard hold to the floor."""

    kind: ClassVar[int] = layout.PICK

    def body(self, to: Translator) -> Sequence[int]:
        """Return the hold."""
        return (self.hold_id(to),)


NamedUnits = Sequence[tuple[str, Quantity]]


def spread(
    to: Translator, hold: int, named: tuple[str, Quantity], column: str, *,
    clamp: bool = False, lot: str | None = None, node: str | None = None,
) -> list[tuple[int, int]]:  # fmt: skip
    """Spread the named units over the hold's lines of that SKU, or of that kit's components."""
    sku, quantity = named
    units = to.units(sku, quantity)
    book = to.book.lines(hold)
    code = to.registry.sku(sku)
    pairs: list[tuple[int, int]] = []
    for component, per in _parts(to, code, book):
        mine = [
            (number, line)
            for number, line in enumerate(book)
            if line.sku == component
            and (component == code or line.asked == code)
            and _is_at(to, line, lot, node)
        ]
        name = to.registry.sku_list[component].sku
        if not mine:
            raise InputError(f"hold {hold} has no line of SKU {name!r}")
        left = units * per
        for number, line in mine:
            part = min(left, getattr(line, column))
            if part > 0:
                pairs.append((number, part))
                left -= part
        if left > 0 and not clamp:
            have = units * per - left
            code_of = "release_exceeds_reserved" if column == "open_units" else "too_many"
            raise ConflictError(
                f"hold {hold} has {have} of SKU {name!r}, not {units * per}", code=code_of
            )
    return pairs


def _parts(to: Translator, code: int, book: list[LineFacts]) -> list[tuple[int, int]]:
    """Stocked SKUs of what was asked, with units of each: as the hold has them, if it has them."""
    asked = {line.sku: line.per for line in book if line.asked == code and line.sku != code}
    if asked:
        return list(asked.items())
    return list(to.registry.components(code))


def _is_at(to: Translator, line: LineFacts, lot: str | None, node: str | None) -> bool:
    registry = to.registry
    if node is not None and registry.node_list[line.node].node != node:
        return False
    return lot is None or registry.compartment_list[line.compartment].lot == lot


@dataclass(frozen=True)
class _Lines(OnHold):
    """Release or ship: all open units, or those named by SKU (or kit) and quantity."""

    lines: NamedUnits | None = None

    def pairs(self, to: Translator, hold: int) -> list[tuple[int, int]]:
        """Lines and units named."""
        return [pair for one in self.lines or () for pair in spread(to, hold, one, "open_units")]

    def body(self, to: Translator) -> Sequence[int]:
        """Return the hold and the lines named."""
        hold = self.hold_id(to)
        if self.lines is None:
            return hold, 0
        named = self.pairs(to, hold)
        if not self.lines:
            raise InputError("name at least one line, or leave lines out to mean all")
        if not named:
            # Nothing of what was named is open: no line has the number -1 and 0 units.
            return hold, 1, 0, 0
        return hold, len(named), *(word for pair in named for word in pair)


@dataclass(frozen=True)
class Release(_Lines):
    """Give open units back; ``clamp`` gives back what there is of what was named."""

    clamp: bool = False
    kind: ClassVar[int] = layout.RELEASE

    def put(self, to: Translator) -> int:
        """Translate; with ``clamp`` nothing is released of a hold that has nothing open."""
        if self.clamp and not is_live(to, self.hold_id(to)):
            return to.put(layout.TICK, self.request(), ())
        return super().put(to)

    def pairs(self, to: Translator, hold: int) -> list[tuple[int, int]]:
        """Lines and units named."""
        named = self.lines or ()
        return [
            pair for one in named for pair in spread(to, hold, one, "open_units", clamp=self.clamp)
        ]


@dataclass(frozen=True)
class Ship(_Lines):
    """Turn confirmed units into gone ones: where they were promised, or from ``node``."""

    node: str | None = None
    lot: str | None = None
    kind: ClassVar[int] = layout.SHIP

    def pairs(self, to: Translator, hold: int) -> list[tuple[int, int]]:
        """Lines and units named."""
        return [
            pair
            for one in self.lines or ()
            for pair in spread(to, hold, one, "open_units", lot=self.lot)
        ]

    def put(self, to: Translator) -> int:
        """Translate into one shipment, or one relocation for each line from elsewhere."""
        if self.node is None:
            return super().put(to)
        hold = self.hold_id(to)
        book = to.book.lines(hold)
        place = to.registry.node(self.node)
        if self.lines is None:
            pairs = [(k, line.open_units) for k, line in enumerate(book) if line.open_units]
        else:
            pairs = [
                pair for one in self.lines for pair in _nearest(to, hold, one, self.node, self.lot)
            ]
        if all(book[line].node == place for line, _ in pairs):
            words = [word for pair in pairs for word in pair]
            return to.put(self.kind, self.request(), (hold, len(pairs), *words))
        body = relocation(to, hold, pairs, place, ship=True)
        return to.put(layout.RELOCATE, self.request(), body)


def relocation(
    to: Translator, hold: int, pairs: Sequence[tuple[int, int]], node: int, *, ship: bool
) -> list[int]:
    """Words that move units of a hold's lines to a node, each into its own compartment there."""
    book = to.book.lines(hold)
    targets: list[int] = []
    for line, _ in pairs:
        facts = book[line]
        point = to.point_of(facts.sku, node, facts.compartment)
        targets += (point, *due_line(to, facts))
    return [hold, len(pairs), *(word for pair in pairs for word in pair), int(ship), *targets]


def _nearest(
    to: Translator, hold: int, named: tuple[str, Quantity], node: str, lot: str | None
) -> list[tuple[int, int]]:
    """Spread units over lines at the node if they are all there, else over any lines."""
    try:
        return spread(to, hold, named, "open_units", lot=lot, node=node)
    except InputError:
        return spread(to, hold, named, "open_units", lot=lot)
