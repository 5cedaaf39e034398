"""The cheapest way to send one order, exactly, under prices.

Axes: i = line of the order, S, T = sets of its lines as bits, j = candidate node, k = arc.

Let ``own[i]`` be the least that line ``i`` costs alone: in a package of its own, or left
unfilled. A node that sends the lines ``T`` in one package can only be part of a better
plan if that saves something: ``sum_T (own[i] - cost[i, n]) > package_cost[n]``. Few nodes
pass this test; over these runs the recursion (set partitioning by dynamic programming)

    f[0, S] = sum_S own[i]
    f[j, S] = min(f[j - 1, S], min over T in S of f[j - 1, S - T] + package[j] + sum_T cost[i, j])
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from omnistock.numerics.compiled import free_kernel
from omnistock.sourcing.joint.arcs import Batch, line_arcs

__all__ = ["MOST_LINES", "Desk", "add_savings", "best_pattern", "desk_for"]

# Orders of more lines than this are looked at in pieces.
MOST_LINES = 8


class Desk(NamedTuple):
    """Room to work in for one order after the other; one for each thread."""

    arc_node: np.ndarray
    arc_point: np.ndarray
    arc_cost: np.ndarray
    arc_start: np.ndarray
    own: np.ndarray  # per line: the least it costs alone
    own_node: np.ndarray  # per line: the node of that, -1 if unfilled
    saving: np.ndarray  # per node, zeros between two orders
    place: np.ndarray  # per node: its number as a candidate, -1 between two orders
    candidate: np.ndarray  # per candidate: its node
    lines: np.ndarray  # per candidate: bits of the lines that it could send
    cost: np.ndarray  # (candidates, lines)
    arc: np.ndarray  # (candidates, lines)
    best: np.ndarray  # (candidates + 1, sets of lines)
    taken: np.ndarray  # (candidates + 1, sets of lines): what the candidate sends
    group: np.ndarray  # per set of lines: cost of one package with them


def desk_for(n_nodes: int, most_candidates: int | None = None) -> Desk:
    """Make room for orders of up to ``MOST_LINES`` lines over ``n_nodes`` nodes."""
    sets = 1 << MOST_LINES
    arcs = MOST_LINES * n_nodes
    width = n_nodes if most_candidates is None else most_candidates
    return Desk(
        arc_node=np.empty(arcs, np.int64),
        arc_point=np.empty(arcs, np.int64),
        arc_cost=np.empty(arcs, np.float64),
        arc_start=np.zeros(MOST_LINES + 1, np.int64),
        own=np.empty(MOST_LINES, np.float64),
        own_node=np.empty(MOST_LINES, np.int64),
        saving=np.zeros(n_nodes, np.float64),
        place=np.full(n_nodes, -1, np.int64),
        candidate=np.empty(n_nodes, np.int64),
        lines=np.empty(n_nodes, np.int64),
        cost=np.empty((n_nodes, MOST_LINES), np.float64),
        arc=np.empty((n_nodes, MOST_LINES), np.int64),
        best=np.empty((width + 1, sets), np.float64),
        taken=np.empty((width + 1, sets), np.int64),
        group=np.empty(sets, np.float64),
    )


@free_kernel
def lay_out(
    desk: Desk,
    batch: Batch,
    order: int,
    first: int,
    last: int,
    package: np.ndarray,
    units_left: np.ndarray,
    capacity_left: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
    must: bool,
) -> None:
    """Put the arcs of lines ``first:last`` on the desk, and what each line costs alone."""
    end = 0
    for line in range(first, last):
        i = line - first
        limit = np.inf if must else float(batch.line_penalty[line])
        desk.arc_start[i] = end
        end = line_arcs(
            desk.arc_node,
            desk.arc_point,
            desk.arc_cost,
            end,
            batch,
            line,
            order,
            units_left,
            capacity_left,
            price,
            toll,
            limit,
        )
        desk.own[i] = limit
        desk.own_node[i] = -1
        for k in range(desk.arc_start[i], end):
            alone = package[desk.arc_node[k]] + desk.arc_cost[k]
            if alone < desk.own[i]:
                desk.own[i] = alone
                desk.own_node[i] = desk.arc_node[k]
    desk.arc_start[last - first] = end


@free_kernel
def add_savings(desk: Desk, n_lines: int) -> None:
    """Add up by node what its arcs cost less than their lines alone, package apart."""
    for i in range(n_lines):
        for k in range(desk.arc_start[i], desk.arc_start[i + 1]):
            gain = desk.own[i] - desk.arc_cost[k]
            if gain > 0:
                desk.saving[desk.arc_node[k]] += gain


@free_kernel
def find_candidates(desk: Desk, n_lines: int, package: np.ndarray, slack: float) -> int:
    """List the nodes where several lines together save more than the package less ``slack``."""
    count = 0
    add_savings(desk, n_lines)
    for i in range(n_lines):
        for k in range(desk.arc_start[i], desk.arc_start[i + 1]):
            node = desk.arc_node[k]
            saved = desk.saving[node]
            desk.saving[node] = 0.0
            if saved > package[node] - slack and saved > 0 and desk.place[node] < 0:
                desk.place[node] = count
                desk.candidate[count] = node
                desk.lines[count] = 0
                count += 1
            if desk.place[node] >= 0 and desk.arc_cost[k] < desk.own[i]:
                j = desk.place[node]
                desk.lines[j] |= 1 << i
                desk.cost[j, i] = desk.arc_cost[k]
                desk.arc[j, i] = k
    for j in range(count):
        desk.place[desk.candidate[j]] = -1
    # A node for one line alone is in ``own`` already.
    kept = 0
    for j in range(count):
        bits = desk.lines[j]
        if bits & (bits - 1):
            desk.candidate[kept] = desk.candidate[j]
            desk.lines[kept] = bits
            for i in range(n_lines):
                desk.cost[kept, i] = desk.cost[j, i]
                desk.arc[kept, i] = desk.arc[j, i]
            kept += 1
    return kept


@free_kernel
def group_costs(desk: Desk, j: int, package: float, n_lines: int) -> None:
    """Fill ``group[T]`` for every set ``T`` of lines that candidate ``j`` could send."""
    desk.group[0] = package
    allowed = desk.lines[j]
    for i in range(n_lines):
        bit = 1 << i
        if allowed & bit:
            for smaller in range(bit):
                if smaller & ~allowed == 0:
                    desk.group[smaller | bit] = desk.group[smaller] + desk.cost[j, i]


@free_kernel
def partition(desk: Desk, n_lines: int, n_candidates: int, package: np.ndarray) -> float:
    """Run the recursion over all candidates; return the cost of all lines."""
    everything = (1 << n_lines) - 1
    desk.best[0, 0] = 0.0
    for i in range(n_lines):
        bit = 1 << i
        for smaller in range(bit):
            desk.best[0, smaller | bit] = desk.best[0, smaller] + desk.own[i]
    for j in range(n_candidates):
        group_costs(desk, j, package[desk.candidate[j]], n_lines)
        allowed = desk.lines[j]
        for lines in range(everything + 1):
            least = desk.best[j, lines]
            chosen = 0
            sent = lines & allowed
            while sent:
                if sent & (sent - 1):
                    total = desk.best[j, lines ^ sent] + desk.group[sent]
                    if total < least:
                        least = total
                        chosen = sent
                sent = (sent - 1) & lines & allowed
            desk.best[j + 1, lines] = least
            desk.taken[j + 1, lines] = chosen
    return float(desk.best[n_candidates, everything])


@free_kernel
def read_back(chosen: np.ndarray, desk: Desk, first: int, n_lines: int, n_candidates: int) -> None:
    """Write the node of every line of the best partition into ``chosen[first + i]``."""
    lines = (1 << n_lines) - 1
    for j in range(n_candidates, 0, -1):
        sent = desk.taken[j, lines]
        for i in range(n_lines):
            if sent >> i & 1:
                chosen[first + i] = desk.candidate[j - 1]
        lines ^= sent
    for i in range(n_lines):
        if lines >> i & 1:
            chosen[first + i] = desk.own_node[i]


@free_kernel
def limited_partition(
    chosen: np.ndarray, desk: Desk, first: int, n_lines: int, package: np.ndarray, most: int
) -> float:
    """Run the recursion with at most ``most`` packages; fill ``chosen`` and return the cost.

    Every node that may send a line is a candidate here, since a package of one line
    counts like any other.
    """
    sets = 1 << n_lines
    count = 0
    for i in range(n_lines):
        for k in range(desk.arc_start[i], desk.arc_start[i + 1]):
            node = desk.arc_node[k]
            if desk.place[node] < 0:
                desk.place[node] = count
                desk.candidate[count] = node
                desk.lines[count] = 0
                count += 1
            desk.lines[desk.place[node]] |= 1 << i
            desk.cost[desk.place[node], i] = desk.arc_cost[k]
    for j in range(count):
        desk.place[desk.candidate[j]] = -1

    best = np.empty((count + 1, most + 1, sets))
    taken = np.zeros((count + 1, most + 1, sets), np.int64)
    for lines in range(sets):
        unfilled = 0.0
        for i in range(n_lines):
            if lines >> i & 1:
                unfilled += desk.own[i]
        for used in range(most + 1):
            best[0, used, lines] = unfilled
    for j in range(count):
        group_costs(desk, j, package[desk.candidate[j]], n_lines)
        allowed = desk.lines[j]
        for used in range(most + 1):
            for lines in range(sets):
                least = best[j, used, lines]
                sent = lines & allowed
                while sent and used:
                    total = best[j, used - 1, lines ^ sent] + desk.group[sent]
                    if total < least:
                        least = total
                        taken[j + 1, used, lines] = sent
                    sent = (sent - 1) & lines & allowed
                best[j + 1, used, lines] = least
    lines = sets - 1
    used = most
    for j in range(count, 0, -1):
        sent = taken[j, used, lines]
        for i in range(n_lines):
            if sent >> i & 1:
                chosen[first + i] = desk.candidate[j - 1]
        lines ^= sent
        used -= 1 if sent else 0
    return float(best[count, most, sets - 1])


@free_kernel
def best_pattern(
    chosen: np.ndarray,
    desk: Desk,
    batch: Batch,
    order: int,
    first: int,
    last: int,
    package: np.ndarray,
    units_left: np.ndarray,
    capacity_left: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
) -> float:
    """Fill ``chosen[first:last]`` with nodes, -1 for unfilled; return what that costs.

    ``last - first`` is at most ``MOST_LINES``. Each line is looked at by itself: whether
    two lines take the same stock together is for the caller to find out. Infinite, with
    all lines unfilled, if an order must ship and cannot.
    """
    n_lines = last - first
    whole = batch.all_or_nothing[order] or batch.must_ship[order]
    lay_out(
        desk,
        batch,
        order,
        first,
        last,
        package,
        units_left,
        capacity_left,
        price,
        toll,
        whole,
    )
    for line in range(first, last):
        chosen[line] = -1
    most = batch.max_packages[order]
    if most < n_lines:
        if not whole:
            for i in range(n_lines):
                desk.own[i] = float(batch.line_penalty[first + i])
        else:
            for i in range(n_lines):
                desk.own[i] = np.inf
        cost = limited_partition(chosen, desk, first, n_lines, package, most)
    elif n_lines == 1:
        cost = desk.own[0]
        chosen[first] = desk.own_node[0]
    else:
        count = find_candidates(desk, n_lines, package, 0.0)
        cost = partition(desk, n_lines, count, package)
        read_back(chosen, desk, first, n_lines, count)

    if whole:
        unfilled = 0.0
        for line in range(first, last):
            unfilled += batch.line_penalty[line]
        if cost == np.inf or (cost >= unfilled and not batch.must_ship[order]):
            for line in range(first, last):
                chosen[line] = -1
            return np.inf if batch.must_ship[order] else unfilled
    return cost
