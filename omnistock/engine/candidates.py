"""What each node could send of an order: the engine's state as arrays for the sourcing room."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from omnistock.availability import facts, layout
from omnistock.availability.arena import State, rows
from omnistock.availability.binds import what_binds
from omnistock.availability.machine import available_units
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


def asker_of(detail: AskerDetail) -> Asker:
    """Who asks, from the keywords of a question."""
    return Asker.of(
        detail.get("channel"), detail.get("segment", ""), detail.get("attributes"),
        detail.get("nodes", ()),
    )  # fmt: skip


def serving_nodes(writer: Writer, detail: AskerDetail, exclude: Collection[str] = ()) -> list[int]:
    """Codes of the nodes that are on and may serve an asker, by priority, then as defined."""
    registry = writer.registry
    allowed = registry.nodes_of(asker_of(detail))
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
    only: Mapping[str, str] | None = None,
) -> Offer:  # fmt: skip
    """Ask every serving node for every SKU; nodes in ``first`` stand before the others.

    A SKU in ``only`` comes from that node or from none.
    """
    writer.asker(asker_of(detail))
    # Somebody new has perhaps moved the state into larger arrays.
    state = writer.state
    codes = serving_nodes(writer, detail, exclude)
    codes.sort(key=lambda code: writer.registry.node_list[code].node not in first)
    nodes = np.array(codes, np.int64)
    shape = (len(codes), len(wanted))
    stock, allowance, uncommitted = (np.zeros(shape, np.int64) for _ in range(3))
    most = np.zeros(len(wanted), np.int64)
    binding: dict[str, str] = {}
    left, daily = capacities(state, codes, detail_bucket(writer, state, detail))
    for line, sku in enumerate(wanted):
        at = (only or {}).get(sku)
        here: AskerDetail = detail if at is None else {**detail, "node": at}
        asked = question(writer, sku, here, together=together)
        units = _at_nodes(state, asked, nodes)
        free, beyond, uncommitted[:, line] = _own_stock(writer, state, asked, nodes)
        if len(asked.words) > 10 or asked.words[8] != asked.words[0]:
            # A kit has no stock of its own, so nothing of it lies beyond stock.
            free, beyond = units, np.zeros_like(units)
        if at is not None:
            elsewhere = nodes != writer.registry.node(at)
            units, free = np.where(elsewhere, 0, units), np.where(elsewhere, 0, free)
        # What a busy node has, although it cannot handle all of it.
        busy = (left >= 0) & (free > units) & (units >= left)
        units = np.where(busy, free, units)
        stock[:, line] = np.minimum(units, np.maximum(0, free))
        allowance[:, line] = np.minimum(beyond, units - stock[:, line])
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


def _at_nodes(state: State, asked: Question, nodes: np.ndarray) -> np.ndarray:
    """Units of a question at each of some nodes."""
    words = asked.words
    plain = len(words) == 10 and words[8] == words[0] and words[9] == 1
    if plain and words[2] == 0 and words[4] < 0 and words[6] == 0:
        same = np.full(len(nodes), words[0], np.int64)
        askers = np.full(len(nodes), asked.asker, np.int64)
        now = np.zeros(len(nodes), np.int64)
        return available_units(state, skus=same, nodes=nodes, askers=askers, ahead=now)
    found = np.zeros(len(nodes), np.int64)
    for k, node in enumerate(nodes.tolist()):
        here = words.copy()
        here[1] = node
        found[k] = ask(state, Question(here, asked.asker, asked.together))
    return found


def _own_stock(
    writer: Writer, state: State, asked: Question, nodes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By node: units free in stock, units that may go beyond it, on hand less committed."""
    points = np.array(writer.book.points_of(int(asked.words[8])), np.int64)
    found = np.zeros((len(points), facts.POINT_FACTS), np.int64)
    ahead = ahead_of(state, int(asked.words[2]))
    facts.point_facts_into(found, state, points, asked.asker, ahead, asked.words)
    table = rows(state, "points")[points[found[:, facts.SERVES] != 0]]
    serving = found[found[:, facts.SERVES] != 0]
    beyond = table[:, layout.BACKORDER]
    columns = (
        serving[:, facts.RAW] - serving[:, facts.KEPT] - beyond,
        beyond,
        table[:, layout.ON_HAND] - table[:, layout.COMMITTED],
    )
    size = len(rows(state, "nodes"))
    free, allowed, bare = (
        np.bincount(table[:, layout.POINT_NODE], one, minlength=size).astype(np.int64)[nodes]
        for one in columns
    )
    return free, allowed, np.maximum(0, bare)
