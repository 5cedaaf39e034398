"""Late choice of node: units promised over the network give way to a request for their node.

A hold made with ``late=True`` has nodes like any other, but only provisionally. When
somebody asks for units at a node that such a hold has there, it moves to other nodes that
may serve it: directly, or by letting another such hold move on (an augmenting path; Ford
and Fulkerson, 1956). Only holds due no later than the request move for it; it is refused only
if no way of moving those helps.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from omnistock.availability import facts, layout
from omnistock.availability.arena import State, rows
from omnistock.engine.change_commands import Relocate
from omnistock.engine.reads import Question, ahead_of
from omnistock.engine.writer import Writer

__all__ = ["Move", "plan_moves", "relocations", "sources_of", "with_movable"]

_LIVE = (layout.HELD, layout.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Move:
    """Units of a hold's SKU that go from one node to another."""

    hold: int
    sku: int
    units: int
    source: int
    target: int


@dataclass(slots=True)
class _LateLine:
    hold: int
    asker: int
    bucket: int
    node: int
    units: int


def _late_lines(state: State, points: np.ndarray) -> list[_LateLine]:
    """Open lines at plain stockpoints whose holds may still change their nodes."""
    holds = rows(state, "holds")
    late = (holds[:, layout.HOLD_FLAGS] & (layout.LATE | layout.AT_NODE)) == layout.LATE
    late &= np.isin(holds[:, layout.STATUS], _LIVE)
    if not late.any():
        return []
    lines = rows(state, "lines")
    mine = late[lines[:, layout.LINE_HOLD]] & (lines[:, layout.OPEN] > 0)
    mine &= np.isin(lines[:, layout.LINE_POINT], points)
    table = rows(state, "points")
    return [
        _LateLine(
            hold=row[layout.LINE_HOLD],
            asker=int(holds[row[layout.LINE_HOLD], layout.HOLD_ASKER]),
            bucket=row[layout.LINE_BUCKET],
            node=int(table[row[layout.LINE_POINT], layout.POINT_NODE]),
            units=row[layout.OPEN],
        )
        for row in lines[mine].tolist()
    ]


class _Moving:
    """Free units by node and line while moves are planned; nothing is changed in the state."""

    def __init__(self, writer: Writer, state: State, sku: int) -> None:
        table = rows(state, "points")
        plain = [s for s in writer.book.points_of(sku) if not table[s, layout.POINT_TAG]]
        self.points = np.array(plain, np.int64)
        self.nodes = table[self.points, layout.POINT_NODE].tolist() if plain else []
        self.lines = _late_lines(state, self.points)
        self.moves: list[Move] = []
        self._state = state
        self._sku = sku
        self._change = dict.fromkeys(self.nodes, 0)

    def free(self, line: _LateLine, node: int) -> int:
        """Units that a line could take at a node, 0 if the node does not serve it."""
        k = self.nodes.index(node)
        ahead = ahead_of(self._state, line.bucket)
        words = np.array([self._sku, -1, line.bucket, 0, -1, 0, 0, 0], np.int64)
        found = np.zeros((1, facts.POINT_FACTS), np.int64)
        facts.point_facts_into(found, self._state, self.points[k : k + 1], line.asker, ahead, words)
        if not found[0, facts.SERVES]:
            return 0
        return max(0, int(found[0, facts.RAW] - found[0, facts.KEPT]) + self._change[node])

    def allowed(self, line: _LateLine, node: int) -> bool:
        """True if a node may serve a line at all."""
        node_set = rows(self._state, "askers")[line.asker, layout.ASKER_SET]
        on = rows(self._state, "nodes")[node, layout.NODE_ACTIVE]
        return bool(rows(self._state, "sets")[node_set, node]) and bool(on)

    def augment(self, sources: set[int], bucket: int, most: int) -> int:
        """Move some units out of the source nodes, along one path; returns how many.

        A line makes room only for what is due no earlier than itself.
        """
        came: dict[int, tuple[int, _LateLine]] = {}
        needed = dict.fromkeys(sources, bucket)
        waiting = deque(sorted(sources))
        while waiting:
            here = waiting.popleft()
            for line in self.lines:
                if line.node != here or line.units == 0 or line.bucket > needed[here]:
                    continue
                for node in self.nodes:
                    if node in sources or node in came or not self.allowed(line, node):
                        continue
                    came[node] = (here, line)
                    needed[node] = line.bucket
                    free = self.free(line, node)
                    if free > 0:
                        return self._follow(came, sources, node, min(free, most))
                    waiting.append(node)
        return 0

    def _follow(
        self, came: dict[int, tuple[int, _LateLine]], sources: set[int], node: int, most: int
    ) -> int:
        """Carry out the path that ends at ``node``, last step first."""
        steps = []
        while node not in sources:
            here, line = came[node]
            steps.append((here, line, node))
            most = min(most, line.units)
            node = here
        for here, line, target in steps:
            self.moves.append(Move(line.hold, self._sku, most, here, target))
            self._change[here] += most
            self._change[target] -= most
            line.units -= most
            self.lines.append(_LateLine(line.hold, line.asker, line.bucket, target, most))
        return most


def plan_moves(
    writer: Writer, state: State, asked: Question, sources: set[int], most: int
) -> list[Move]:
    """Plan moves that free up to ``most`` units of a question's SKU at the source nodes."""
    sku = int(asked.words[0])
    bucket = int(state.stock[layout.BUCKET]) + ahead_of(state, int(asked.words[2]))
    moving = _Moving(writer, state, sku)
    left = most
    while left > 0 and moving.lines:
        moved = moving.augment(sources, bucket, left)
        if moved == 0:
            break
        left -= moved
    return moving.moves


def sources_of(writer: Writer, state: State, asked: Question) -> dict[int, int]:
    """Nodes that may serve a question, with what each can promise; below zero if it is short."""
    points = np.array(writer.book.points_of(int(asked.words[0])), np.int64)
    found = np.zeros((len(points), facts.POINT_FACTS), np.int64)
    ahead = ahead_of(state, int(asked.words[2]))
    facts.point_facts_into(found, state, points, asked.asker, ahead, asked.words)
    nodes = rows(state, "points")[points, layout.POINT_NODE]
    net = found[:, facts.RAW] - found[:, facts.KEPT]
    balance: dict[int, int] = {}
    for node, serves, units in zip(nodes.tolist(), found[:, facts.SERVES], net, strict=True):
        if serves and asked.words[1] in (-1, node):
            balance[node] = balance.get(node, 0) + int(units)
    return balance


def with_movable(writer: Writer, state: State, asked: Question, units: int) -> int:
    """Add to available units of a plain SKU what late holds could leave to the asker."""
    plain = len(asked.words) == 10 and asked.words[8] == asked.words[0]
    if not plain or not writer.registry.has_late or asked.words[4] >= 0:
        return units
    if state.stock[layout.N_CAPACITIES]:
        # Whoever gives way must be handled elsewhere; that is not looked for.
        return units
    if units >= layout.MOST_UNITS:
        # Unlimited supply needs nobody to give way.
        return units
    return units + movable(writer, state, asked)


def movable(writer: Writer, state: State, asked: Question) -> int:
    """Units of a plain SKU that late holds could leave to the asker, within its limits."""
    sku = int(asked.words[0])
    balance = sources_of(writer, state, asked)
    moves = plan_moves(writer, state, asked, set(balance), layout.MOST_UNITS)
    freed = dict.fromkeys(balance, 0)
    for move in moves:
        if move.source in freed:
            freed[move.source] += move.units
    # Where more is promised than there is, what leaves makes that good first.
    gain = sum(max(0, units + freed[node]) - max(0, units) for node, units in balance.items())
    if gain == 0 or rows(state, "skus")[sku, layout.FIRST_LIMIT] < 0:
        return gain
    found = np.zeros(facts.LIMIT_FACTS, np.int64)
    ahead = ahead_of(state, int(asked.words[2]))
    node = int(asked.words[1])
    facts.limit_facts_into(found, state, sku, node, asked.asker, ahead, asked.words)
    room = int(found[facts.QUOTA_LEFT])
    if found[facts.PROTECTED]:
        room = min(room, int(found[facts.EVERYTHING] - found[facts.PROTECTED]))
    if found[facts.CHANNEL_BUFFER]:
        room = min(room, int(found[facts.EVERYWHERE] - found[facts.CHANNEL_BUFFER]) + gain)
    return max(0, min(gain, room - int(found[facts.POOL])))


def relocations(writer: Writer, moves: list[Move]) -> list[Relocate]:
    """Moves as commands; each leaves both nodes' promises right."""
    registry = writer.registry
    return [
        Relocate(
            one.hold,
            registry.sku_list[one.sku].sku,
            one.units,
            registry.node_list[one.source].node,
            registry.node_list[one.target].node,
        )
        for one in moves
    ]
