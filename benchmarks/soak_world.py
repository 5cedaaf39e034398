"""A made-up retailer and its traffic: orders in arrays, everything else as commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import omnistock as om
from benchmarks import soak_plain
from omnistock.availability import layout
from omnistock.availability.arena import rows
from omnistock.engine import (
    Adjust,
    Confirm,
    Count,
    Delta,
    Engine,
    Expect,
    FeedAnswer,
    Issue,
    Move,
    Outcome,
    Pick,
    Receive,
    Release,
    Relocate,
    SetBackorder,
    SetBuffer,
    SetLimit,
    SetNode,
    Ship,
    Snapshot,
    Split,
    StockChange,
    TakeBack,
    Transfer,
    Update,
)
from omnistock.engine.commands import Command
from omnistock.model import Calendar, Channel, Network, Node, Sku

DAY = 86_400
FIRST_SECOND = 20_000 * DAY
HORIZON = 14
CHANNELS = (None, "web", "store", "app")
DETAILS = (
    {},
    {},
    {},
    {"lot": "early", "expiry": FIRST_SECOND + 2 * DAY},
    {"lot": "late", "expiry": FIRST_SECOND + 90 * DAY, "received": FIRST_SECOND - DAY},
    {"segment": "vip"},
)

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Size:
    """How large a world is."""

    skus: int = 300
    kits: int = 15
    nodes: int = 8
    orders_per_frame: int = 4000

    @property
    def commands_per_frame(self) -> int:
        """Commands beside each frame of orders."""
        return self.orders_per_frame // 5


def network_of(size: Size) -> Network:
    """SKUs, kits of two of them, nodes of which the web has half, and what is kept plainly."""
    names = [f"S{k:04d}" for k in range(size.skus)]
    kits = [
        Sku(f"KIT{k:02d}", components=((names[2 * k], 2), (names[2 * k + 1], 1)))
        for k in range(size.kits)
    ]
    nodes = [Node(f"N{k:03d}", priority=k % 3) for k in range(size.nodes)]
    web = (*(node.node for node in nodes[: max(2, size.nodes // 2)]), *soak_plain.NODES)
    return Network.build(
        skus=[*names, *kits, *soak_plain.SKUS],
        nodes=[*nodes, *soak_plain.NODES],
        channels=[Channel("web", nodes=web), Channel("store"), Channel("app")],
        calendar=Calendar(n_buckets=HORIZON),
    )


class World:
    """Traffic on an engine, and the books of what came in and went out beside it.

    ``entered`` counts by SKU code what came in less what left without a hold; ``cut`` marks
    the stockpoints whose supply was cut, where promises may stand without stock.
    """

    def __init__(self, engine: Engine, size: Size, rng: np.random.Generator, now: int) -> None:
        self.engine = engine
        self.size = size
        self.rng = rng
        self.now = now
        self.entered = np.zeros(len(engine.network.skus), np.int64)
        self.cut: npt.NDArray[np.bool_] = np.zeros(1 << 16, np.bool_)
        self.expected: list[tuple[str, str, str]] = []
        self.references = 0
        self.nodes = [f"N{k:03d}" for k in range(size.nodes)]
        self.refused: dict[str, int] = {}

    def stock_up(self) -> list[str]:
        """Give every node some of most SKUs."""
        made: list[Command] = [
            Receive(f"S{k:04d}", node, self._units(60))
            for k in range(self.size.skus)
            for node in self.nodes
            if self.rng.random() < 0.8
        ]
        return self.settle(made, self.engine.execute(made, now=self.now))

    # --- orders ----------------------------------------------------------

    def orders(self) -> dict[str, object]:
        """Arguments of :meth:`Engine.reserve_arrays`: mostly small orders of few popular SKUs."""
        rng, size = self.rng, self.size
        n_lines = rng.choice([1, 2, 3], size.orders_per_frame, p=[0.7, 0.2, 0.1])
        offsets = np.concatenate([[0], np.cumsum(n_lines)]).astype(np.int64)
        total = int(offsets[-1])
        n_skus = size.skus + size.kits
        skus = (rng.pareto(1.2, total) * n_skus / 20).astype(np.int64) % n_skus
        nodes = np.where(rng.random(total) < 0.8, -1, rng.integers(0, size.nodes, total))
        return {
            "line_offsets": offsets,
            "skus": skus,
            "quantities": rng.integers(1, 4, total),
            "nodes": nodes,
            "orders": rng.integers(0, 1 << 31, size.orders_per_frame),
            "channel": CHANNELS[rng.integers(len(CHANNELS))],
            "segment": "vip" if rng.random() < 0.1 else "",
            "ttl_s": None if rng.random() < 0.4 else int(rng.integers(60, DAY)),
            "partial": bool(rng.random() < 0.2),
            "by": self.now + int(rng.integers(0, 5)) * DAY if rng.random() < 0.4 else None,
        }

    # --- everything else -------------------------------------------------

    def commands(self) -> list[Command]:
        """What warehouses, shops and planners do between two frames of orders."""
        made: list[Command] = []
        kinds = self.rng.choice(len(_MAKERS), self.size.commands_per_frame, p=_SHARES)
        live = self._holds()
        for kind in kinds.tolist():
            command = _MAKERS[kind](self, live)
            if command is not None:
                made.append(command)
        return made

    def settle(self, commands: list[Command], outcomes: list[Outcome]) -> list[str]:
        """Enter what the commands came to; return refusals that are none of the known ones."""
        found = []
        for command, outcome in zip(commands, outcomes, strict=True):
            if outcome.ok:
                self._enter(command, outcome)
            else:
                code = getattr(outcome.error, "code", "?")
                self.refused[code] = self.refused.get(code, 0) + 1
                if isinstance(outcome.error, om.LedgerError):
                    found.append(f"{command}: {outcome.reason}")
        return found

    def _enter(self, command: Command, outcome: Outcome) -> None:
        value = outcome.value
        change = 0
        if isinstance(command, Receive):
            change = int(command.quantity)
        elif isinstance(command, (Issue, Transfer)):
            change = -int(command.quantity)
        elif isinstance(value, StockChange):
            change = value.found
        elif isinstance(command, Delta) and isinstance(value, FeedAnswer):
            change = 0 if value.duplicate else int(command.delta)
        elif isinstance(value, FeedAnswer):
            change = value.drift
        if not change:
            if isinstance(command, SetBackorder):
                self._cut_at(command.sku, str(command.node))
            return
        registry = self.engine._writer.registry
        sku = str(getattr(command, "sku"))  # noqa: B009
        self.entered[registry.skus[sku]] += change
        if change < 0 and isinstance(command, (Adjust, Count, Delta, Snapshot)):
            self._cut_at(sku, command.node)

    def _cut_at(self, sku: str, node: str) -> None:
        registry = self.engine._writer.registry
        code, place = registry.skus[sku], registry.nodes[node]
        for (of_sku, at, _), point in registry.points.items():
            if of_sku == code and at == place:
                self.cut[point] = True

    def pass_time(self) -> None:
        """Move the clock on; what is overdue then is supply that was cut."""
        self.now += int(self.rng.integers(30, 7200))
        state = self.engine._writer.state
        inbound = rows(state, "inbound")
        late = inbound[:, layout.INBOUND_BUCKET] < self.now // DAY
        open_units = inbound[:, layout.REMAINING] > 0
        self.cut[inbound[late & open_units, layout.INBOUND_POINT]] = True

    # --- making commands -------------------------------------------------

    def _holds(self) -> dict[int, list[int]]:
        """Some of the latest holds by status."""
        table = rows(self.engine._writer.state, "holds")
        first = max(0, len(table) - 4 * self.size.orders_per_frame)
        status = table[first:, layout.STATUS]
        plain = table[first:, layout.ORDER] >= 0
        return {
            one: (first + np.flatnonzero((status == one) & ~plain)).tolist()
            for one in (layout.HELD, layout.CONFIRMED, layout.PICKED, layout.SHIPPED,
                        layout.EXPIRED)
        }  # fmt: skip

    def _one(self, live: dict[int, list[int]], *statuses: int) -> int | None:
        numbers = live[statuses[int(self.rng.integers(len(statuses)))]]
        return numbers[int(self.rng.integers(len(numbers)))] if numbers else None

    def _sku(self) -> str:
        popular = int(self.rng.pareto(1.2) * self.size.skus / 20) % self.size.skus
        return f"S{popular:04d}"

    def _node(self) -> str:
        return self.nodes[int(self.rng.integers(len(self.nodes)))]

    def _units(self, most: int) -> int:
        return int(self.rng.integers(1, most + 1))

    def _detail(self) -> dict[str, object]:
        return dict(DETAILS[int(self.rng.integers(len(DETAILS)))])

    def _line(self, hold: int) -> tuple[str, int, str]:
        """SKU, open units and node of one of a hold's lines."""
        facts = self.engine._writer.book.lines(hold)
        one = facts[int(self.rng.integers(len(facts)))]
        registry = self.engine._writer.registry
        node = registry.node_list[one.node].node
        return registry.sku_list[one.sku].sku, max(one.open_units, one.left), node


Maker = Callable[[World, dict[int, list[int]]], Command | None]


def _on_hold(make: Callable[[int], Command], *statuses: int) -> Maker:
    def maker(world: World, live: dict[int, list[int]]) -> Command | None:
        hold = world._one(live, *statuses)
        return None if hold is None else make(hold)

    return maker


def _on_line(make: Callable[[World, int, str, int, str], Command], *statuses: int) -> Maker:
    def maker(world: World, live: dict[int, list[int]]) -> Command | None:
        hold = world._one(live, *statuses)
        if hold is None or not world.engine._writer.book.lines(hold):
            return None
        return make(world, hold, *world._line(hold))

    return maker


def _receive(world: World, live: dict[int, list[int]]) -> Command:
    del live
    return Receive(world._sku(), world._node(), world._units(150), detail=world._detail())  # type: ignore[arg-type]


def _expect(world: World, live: dict[int, list[int]]) -> Command:
    del live
    world.references += 1
    sku, node, reference = world._sku(), world._node(), f"PO-{world.references}"
    world.expected.append((sku, node, reference))
    eta = world.now + int(world.rng.integers(0, 10)) * DAY
    return Expect(sku, node, world._units(60), eta, reference)


def _receive_expected(world: World, live: dict[int, list[int]]) -> Command | None:
    del live
    if not world.expected:
        return None
    sku, node, reference = world.expected.pop(int(world.rng.integers(len(world.expected))))
    return Receive(sku, node, world._units(60), reference)


def _transfer(world: World, live: dict[int, list[int]]) -> Command | None:
    del live
    source, destination = world._node(), world._node()
    if source == destination:
        return None
    world.references += 1
    sku, reference = world._sku(), f"TR-{world.references}"
    eta = world.now + int(world.rng.integers(0, 4)) * DAY
    return Transfer(sku, source, destination, world._units(5), eta, reference)


def _limit(world: World, live: dict[int, list[int]]) -> Command:
    del live
    what = ("quota", "protection")[int(world.rng.integers(2))]
    channel = CHANNELS[1 + int(world.rng.integers(3))]
    until = world.now + int(world.rng.integers(1, 5)) * DAY
    # Few SKUs: the auditor goes through all limits for every line of every order.
    sku = f"S{int(world.rng.integers(min(8, world.size.skus))):04d}"
    return SetLimit(what, sku, channel, world._units(200), until)


def _buffer(world: World, live: dict[int, list[int]]) -> Command:
    del live
    if world.rng.random() < 0.3:
        percent = int(world.rng.integers(0, 20))
        return SetBuffer(world._sku(), node=world._node(), percent=percent)
    return SetBuffer(world._sku(), world._units(6) - 1, world._node())


def _move(world: World, live: dict[int, list[int]]) -> Command:
    del live
    to = ({"state": "damaged"}, {"segment": "vip"})[int(world.rng.integers(2))]
    return Move(world._sku(), world._node(), world._units(3), to)  # type: ignore[arg-type]


_HELD, _CONFIRMED, _PICKED = layout.HELD, layout.CONFIRMED, layout.PICKED
_TRAFFIC: tuple[tuple[float, Maker], ...] = (
    (40, _on_hold(Ship, _CONFIRMED, _CONFIRMED, _PICKED)),
    (12, _on_hold(Confirm, _HELD, _HELD, layout.EXPIRED)),
    (8, _on_hold(Release, _HELD, _CONFIRMED)),
    (2, _on_hold(Pick, _CONFIRMED)),
    (
        2,
        _on_line(
            lambda w, h, sku, units, _: Update(h, delta={sku: int(w.rng.integers(-units, 3))}),
            _HELD,
            _CONFIRMED,
        ),
    ),
    (2, _on_line(lambda _, h, sku, *__: Split(h, [(sku, 1)]), _HELD, _CONFIRMED)),
    (
        2,
        _on_line(
            lambda w, h, sku, units, node: Relocate(h, sku, max(1, units), node, w._node()),
            _HELD,
            _CONFIRMED,
        ),
    ),
    (1, _on_line(lambda w, h, sku, *_: Ship(h, [(sku, 1)], w._node()), _CONFIRMED)),
    (2, _on_line(lambda _, h, sku, *__: TakeBack(h, sku, 1), layout.SHIPPED)),
    (14, _receive),
    (3, _expect),
    (3, _receive_expected),
    (2, _transfer),
    (1, _limit),
    (1, _buffer),
    (1, _move),
    (0.5, lambda w, _: Adjust(w._sku(), w._node(), -w._units(3))),
    (0.3, lambda w, _: Count(w._sku(), w._node(), w._units(30))),
    (0.2, lambda w, _: Count(w._sku(), w._node(), w._units(30), "reduce")),
    (2, lambda w, _: Issue(w._sku(), w._node(), w._units(4))),
    (0.5, lambda w, _: Delta(w._sku(), w._node(), w._units(9) - 5, "till", w._units(500))),
    (0.2, lambda w, _: Snapshot(w._sku(), w._node(), w._units(40), "till", w._units(500))),
    (0.2, lambda w, _: SetNode(w._node(), bool(w.rng.random() < 0.8))),
    (0.1, lambda w, _: SetBackorder(w._sku(), w._units(5) - 1, node=w._node())),
)
_MAKERS: tuple[Maker, ...] = tuple(maker for _, maker in _TRAFFIC)
_SHARES = np.array([share for share, _ in _TRAFFIC]) / sum(share for share, _ in _TRAFFIC)
