"""The command that puts an allocation into force: quotas, protections, ring-fences, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from omnistock.availability import layout
from omnistock.availability.arena import rows
from omnistock.engine.askers import Compartment
from omnistock.engine.commands import NO_REQUEST, Command, Moment, Translator
from omnistock.errors import InputError, OutOfStock, Shortage

__all__ = ["ApplyAllocation", "Fence"]

# Words of a limit after its key: no share, no segment, no period, no window, no stockpoint.
_PLAIN_LIMIT = (-1, 0, -1, 0, 0, 0, 0, -1)
# SKU, channel, node ("" for all of them) and the units that its ring-fence is to hold.
Fence = tuple[str, str, str, int]
Limit = tuple[str, str, int]
# SKU, node, segments from and to, units.
Move = tuple[int, int, str, str, int]


@dataclass(frozen=True)
class ApplyAllocation(Command):
    """Set quotas, protections and ring-fences of many SKUs in one step, all or none.

    ``quotas`` and ``protections`` are rows of SKU, channel, units. ``fences`` are rows of
    SKU, group, node and the free units that the group is to have ring-fenced afterwards,
    whether it has more or fewer now.
    """

    quotas: tuple[Limit, ...] = ()
    protections: tuple[Limit, ...] = ()
    fences: tuple[Fence, ...] = ()
    until: Moment | None = None
    alone: ClassVar[bool] = True

    def put(self, to: Translator) -> int:
        """Translate into limits and moves; a refusal comes before anything is opened."""
        if len(to.offsets) > 1 and self.fences:
            raise InputError(
                "an allocation with ring-fences cannot follow other commands in one batch; "
                "apply it by itself"
            )
        until = 0 if self.until is None else to.seconds(self.until)
        self._check(to)
        moves = _Fencing(to).moves(self.fences)
        bodies = [
            (layout.SET_LIMIT, body)
            for kind, limits in (
                (layout.QUOTA, self.quotas),
                (layout.PROTECTION, self.protections),
            )
            for body in _limits(to, kind, limits, until)
        ]
        bodies += [(layout.MOVE, _move(to, *move)) for move in moves]
        if not bodies:
            return to.put(layout.TICK, self.request(), ())
        for kind, body in bodies[:-1]:
            to.put(kind, NO_REQUEST, body)
        return to.put(bodies[-1][0], self.request(), bodies[-1][1])

    def _check(self, to: Translator) -> None:
        """Raise if a name is unknown or a number is none of units."""
        registry = to.registry
        for rows_of in (self.quotas, self.protections, self.fences):
            for sku, channel, *node, units in rows_of:
                registry.stocked_sku(sku)
                if not isinstance(units, int) or not 0 <= units <= layout.MOST_UNITS:
                    raise InputError(
                        f"allocation of {sku!r} to {channel!r}: units must be whole and lie in "
                        f"0..{layout.MOST_UNITS}, got {units!r}"
                    )
                if node and node[0]:
                    registry.node(node[0])
        for _, channel, _ in (*self.quotas, *self.protections):
            registry.channel(channel)


def _limits(
    to: Translator, kind: int, limits: Sequence[Limit], until: int
) -> Iterator[tuple[int, ...]]:
    """Words of limits; a protection of nothing is written only if it lifts one."""
    registry = to.registry
    conditions = {
        channel: registry.match({"channel": channel})
        for channel in dict.fromkeys(channel for _, channel, _ in limits)
    }
    for sku, channel, units in limits:
        code = registry.stocked_sku(sku)
        condition = conditions[channel]
        key = (code, kind, condition, 0, -1, -1)
        if kind == layout.PROTECTION and not units and key not in registry.limits:
            continue
        yield to.limit(key), code, kind, condition, units, 0, until, *_PLAIN_LIMIT


def _move(
    to: Translator, sku: int, node: int, source: str, target: str, units: int
) -> tuple[int, ...]:
    """Words of a move between segments; the target's stockpoint is opened if it is new."""

    def point(segment: str) -> int:
        compartment = to.registry.compartment(Compartment(segment=segment)) if segment else 0
        return to.point_of(sku, node, compartment)

    return point(source), point(target), units, 0


class _Fencing:
    """Free units by SKU, node and segment, and the moves that bring them to their targets."""

    def __init__(self, to: Translator) -> None:
        self.to = to
        # Units by node that moves planned so far have put into or taken out of a SKU's segment.
        self.planned: dict[tuple[int, str], dict[int, int]] = {}

    def moves(self, fences: Sequence[Fence]) -> list[Move]:
        """Moves between compartments of a node: first what is given back, then what is taken.

        Raises
        ------
        OutOfStock
            With every SKU and node that has too few free units.
        """
        moves: list[Move] = []
        wanted: list[tuple[Fence, int]] = []
        for fence in fences:
            sku, group, node, units = fence
            have = self._free(sku, group, node)
            missing = units - sum(free for _, free in have)
            if missing > 0:
                wanted.append((fence, missing))
            elif missing < 0:
                moves += self._moved(sku, have, group, "", -missing)
        short = []
        for (sku, group, node, _), missing in wanted:
            have = self._free(sku, "", node)
            free = sum(units for _, units in have)
            if free < missing:
                short.append(Shortage(sku, missing, free, "stock", node or None))
            else:
                moves += self._moved(sku, have, "", group, missing)
        if short:
            raise OutOfStock("allocation", tuple(short))
        return moves

    def _moved(
        self, sku: str, have: list[tuple[int, int]], source: str, target: str, units: int
    ) -> Iterator[Move]:
        """Moves that together make ``units``, in the order of the nodes."""
        code = self.to.registry.stocked_sku(sku)
        for node, free in have:
            part = min(free, units)
            if part:
                for segment, change in ((source, -part), (target, part)):
                    changes = self.planned.setdefault((code, segment), {})
                    changes[node] = changes.get(node, 0) + change
                yield code, node, source, target, part
                units -= part

    def _free(self, sku: str, group: str, node: str) -> list[tuple[int, int]]:
        """Node and units of a segment that may leave it, as moves decide it."""
        registry, book = self.to.registry, self.to.book
        code = registry.stocked_sku(sku)
        points = rows(book.state, "points")
        free: dict[int, int] = {}
        mine = book.points_of(code)
        for s, units in zip(mine, book.may_leave(mine), strict=True):
            tag, place = points[s, layout.POINT_TAG], int(points[s, layout.POINT_NODE])
            if registry.compartment_list[tag] == Compartment(segment=group):
                free[place] = units
        for place, change in self.planned.get((code, group), {}).items():
            free[place] = free.get(place, 0) + change
        only = registry.node(node) if node else -1
        return [(place, units) for place, units in free.items() if only in (-1, place)]
