"""What each node could send of an order: the engine's state as arrays for the sourcing room."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from omnistock.availability import facts, layout
from omnistock.availability.arena import State, rows
from omnistock.availability.binds import what_binds
from omnistock.engine.askers import PREORDER_NODE, Asker, AskerDetail
from omnistock.engine.late import with_movable
from omnistock.engine.reads import Question, ahead_of, ask, question
from omnistock.engine.writer import Writer
from omnistock.sourcing.criteria import Candidates

__all__ = ["Offer", "capacities", "gather", "serving_nodes"]


@dataclass(frozen=True)
class Offer:
    """What nodes can send of an order's SKUs.

    Attributes
    ----------
    candidates : Candidates
    allowance : (n_nodes, n_lines) int64
        Units that may be promised beyond stock.
    most : (n_lines,) int64
        Units of each SKU over all nodes together: limits may leave less than the sum.
    binding : dict of str to str
        By SKU what keeps it at that.
    """

    candidates: Candidates
    allowance: np.ndarray
    most: np.ndarray
    binding: dict[str, str]


def serving_nodes(writer: Writer, detail: AskerDetail, exclude: Collection[str] = ()) -> list[int]:
    """Codes of the nodes that are on and may serve an asker, by priority, then as defined."""
    registry = writer.registry
    asker = Asker.of(
        detail.get("channel"), detail.get("segment", ""), detail.get("attributes"),
        detail.get("nodes", ()),
    )  # fmt: skip
    allowed = registry.nodes_of(asker)
    on = rows(writer.state, "nodes")[:, layout.NODE_ACTIVE]
    found = [
        code
        for code, one in enumerate(registry.node_list)
        if on[code]
        and (not allowed or one.node in allowed)
        and detail.get("node") in (None, one.node)
        and one.node not in exclude
        and one.node != PREORDER_NODE
    ]
    return sorted(found, key=lambda code: registry.node_list[code].priority)


def gather(
    writer: Writer, state: State, wanted: dict[str, int], detail: AskerDetail,
    *, together: bool = False, exclude: Collection[str] = (), first: Collection[str] = (),
) -> Offer:  # fmt: skip
    """Ask every serving node for every SKU; nodes in ``first`` stand before the others."""
    codes = serving_nodes(writer, detail, exclude)
    codes.sort(key=lambda code: writer.registry.node_list[code].node not in first)
    shape = (len(codes), len(wanted))
    stock, allowance, uncommitted = (np.zeros(shape, np.int64) for _ in range(3))
    most = np.zeros(len(wanted), np.int64)
    binding: dict[str, str] = {}
    left, daily = capacities(state, codes, detail_bucket(writer, state, detail))
    for line, sku in enumerate(wanted):
        asked = question(writer, sku, detail, together=together)
        own = _own_stock(writer, state, asked)
        for row, code in enumerate(codes):
            units = _at(state, asked, code)
            free, beyond, bare = own.get(code, (0, 0, 0))
            if len(asked.words) > 10 or asked.words[8] != asked.words[0]:
                # A kit has no stock of its own, so nothing of it lies beyond stock.
                free, beyond = units, 0
            if left[row] >= 0 and free > units >= left[row]:
                # What the node has, although it cannot handle all of it.
                units = free
            stock[row, line] = min(units, max(0, free))
            allowance[row, line] = min(beyond, units - stock[row, line])
            uncommitted[row, line] = max(0, bare)
        whole = with_movable(writer, state, asked, ask(state, asked))
        limited = np.where(left >= 0, np.minimum(stock[:, line], left), stock[:, line])
        most[line] = wanted[sku]
        if whole < int((limited + allowance[:, line]).sum()):
            most[line] = min(wanted[sku], whole)
        if whole < wanted[sku]:
            name = layout.BINDING_NAMES[int(what_binds(state, asked.words, 0, asked.asker))]
            binding[sku] = name
    candidates = Candidates(
        tuple(writer.registry.node_list[code] for code in codes), stock, uncommitted, left, daily
    )
    return Offer(candidates, allowance, most, binding)


def detail_bucket(writer: Writer, state: State, detail: AskerDetail) -> int:
    """Bucket that an order is due in, not before the current one."""
    from omnistock.engine.promises import first_bucket

    return first_bucket(writer, state, detail.get("by"))


def capacities(state: State, codes: list[int], bucket: int) -> tuple[np.ndarray, np.ndarray]:
    """Units that nodes can still handle in a bucket, and in all of it; -1 without limit."""
    left = np.full(len(codes), -1, np.int64)
    whole = left.copy()
    n_buckets = int(state.stock[layout.N_BUCKETS])
    slot = bucket % n_buckets
    nodes, flows = rows(state, "nodes"), rows(state, "flows")
    for k, code in enumerate(codes):
        work = int(nodes[code, layout.NODE_WORK])
        if not work:
            continue
        own = int(flows[work - 1, n_buckets + slot])
        units = own - 1 if own else int(nodes[code, layout.NODE_CAPACITY])
        if units >= 0:
            left[k] = max(0, units - int(flows[work - 1, slot]))
            whole[k] = units
    return left, whole


def _at(state: State, asked: Question, node: int) -> int:
    """Units of a question at one node."""
    words = asked.words.copy()
    words[1] = node
    return ask(state, Question(words, asked.asker, asked.together))


def _own_stock(writer: Writer, state: State, asked: Question) -> dict[int, tuple[int, int, int]]:
    """By node: units free in stock, units that may go beyond it, on hand less committed."""
    sku = int(asked.words[8])
    points = np.array(writer.book.points_of(sku), np.int64)
    found = np.zeros((len(points), facts.POINT_FACTS), np.int64)
    ahead = ahead_of(state, int(asked.words[2]))
    facts.point_facts_into(found, state, points, asked.asker, ahead, asked.words)
    table = rows(state, "points")
    by_node: dict[int, tuple[int, int, int]] = {}
    for s, (serves, raw, kept) in zip(points.tolist(), found.tolist(), strict=True):
        if not serves:
            continue
        row = table[s]
        node, beyond = int(row[layout.POINT_NODE]), int(row[layout.BACKORDER])
        free, allowed, bare = by_node.get(node, (0, 0, 0))
        by_node[node] = (
            free + raw - kept - beyond,
            allowed + beyond,
            bare + int(row[layout.ON_HAND] - row[layout.COMMITTED]),
        )
    return by_node
