"""Orders served one after the other, each by its cheapest pattern under prices.

Axes as in :mod:`.problem`. What an order takes is gone for the next.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from omnistock.numerics.compiled import free_kernel
from omnistock.sourcing.joint.arcs import Batch
from omnistock.sourcing.joint.patterns import MOST_LINES, Desk, best_pattern
from omnistock.sourcing.joint.plans import NEVER, Plan, can_place, lift, order_cost, place

__all__ = ["Chain", "chain_for", "choose_pattern", "construct"]


class Chain(NamedTuple):
    """Room for one chain of moves."""

    price: np.ndarray  # per stockpoint: its price if full, else 0
    toll: np.ndarray  # per node
    seen: np.ndarray  # per line: number of the chain that touched it last
    line: np.ndarray  # lines touched
    node: np.ndarray  # where they were before
    order: np.ndarray  # orders touched
    waiting: np.ndarray  # lines without a node
    package: np.ndarray  # per node: package cost of the order at hand
    chosen: np.ndarray  # per line
    spent: np.ndarray  # per order: what it costs as planned
    counts: np.ndarray  # lines touched, lines waiting


def chain_for(n_points: int, n_nodes: int, n_orders: int, n_lines: int, most: int) -> Chain:
    """Make room for chains of up to ``most`` lines."""
    return Chain(
        price=np.zeros(n_points),
        toll=np.zeros(n_nodes),
        seen=np.full(n_lines, -1, np.int64),
        line=np.empty(most, np.int64),
        node=np.empty(most, np.int64),
        order=np.empty(most, np.int64),
        waiting=np.empty(most, np.int64),
        package=np.empty(n_nodes),
        chosen=np.full(n_lines, -1, np.int64),
        spent=np.zeros(n_orders, np.int64),
        counts=np.zeros(2, np.int64),
    )


@free_kernel
def leave_open(chain: Chain, batch: Batch, order: int, last: int) -> None:
    """Let packages of lines before ``last`` be free, and others never open if too few are left."""
    start = batch.order_offsets[order]
    packages = 0
    for line in range(start, last):
        new = chain.chosen[line] >= 0
        for other in range(start, line):
            new &= chain.chosen[other] != chain.chosen[line]
        packages += new
    ahead = min(batch.order_offsets[order + 1] - last, MOST_LINES)
    if batch.max_packages[order] - packages < ahead:
        for n in range(chain.package.size):
            chain.package[n] = np.inf
    for line in range(start, last):
        if chain.chosen[line] >= 0:
            chain.package[chain.chosen[line]] = 0.0


@free_kernel
def choose_pattern(
    chain: Chain,
    desk: Desk,
    batch: Batch,
    order: int,
    units_left: np.ndarray,
    capacity_left: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
) -> float:
    """Fill ``chain.chosen`` for an order; return what that costs under prices.

    One of many lines goes in pieces, the packages of the first ones free for the next.
    """
    cost = 0.0
    region = batch.order_region[order]
    for n in range(chain.package.size):
        chain.package[n] = batch.package_cost[region, n]
    start = batch.order_offsets[order]
    stop = batch.order_offsets[order + 1]
    for first in range(start, stop, MOST_LINES):
        last = min(first + MOST_LINES, stop)
        cost += best_pattern(
            chain.chosen,
            desk,
            batch,
            order,
            first,
            last,
            chain.package,
            units_left,
            capacity_left,
            price,
            toll,
        )
        leave_open(chain, batch, order, last)
    if stop - start > MOST_LINES:
        unfilled = 0
        for line in range(start, stop):
            unfilled += chain.chosen[line] < 0
        if unfilled and (batch.all_or_nothing[order] or batch.must_ship[order]):
            for line in range(start, stop):
                chain.chosen[line] = -1
    return cost


@free_kernel
def construct(
    plan: Plan,
    chain: Chain,
    desk: Desk,
    batch: Batch,
    sequence: np.ndarray,
    limit: np.ndarray,
    done: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
) -> None:
    """Serve orders in ``sequence``, each the cheapest way under prices from what is left.

    An order that would cost more than ``limit[o]`` under prices has to wait; ``done[o]``
    says whether it was served (or is best left alone).
    """
    for at in range(sequence.size):
        order = sequence[at]
        cost = choose_pattern(chain, desk, batch, order, plan.left, plan.room, price, toll)
        done[order] = cost <= limit[order]
        if not done[order]:
            continue
        start = batch.order_offsets[order]
        stop = batch.order_offsets[order + 1]
        spoiled = False
        for line in range(start, stop):
            node = chain.chosen[line]
            if node < 0:
                continue
            if can_place(plan, batch, line, node):
                place(plan, batch, line, node)
            else:
                spoiled = True
        # Lines that take the same stock can spoil a pattern that looked possible.
        broken = order_cost(plan, batch, order) >= NEVER and not batch.must_ship[order]
        if broken or (spoiled and limit[order] < np.inf):
            done[order] = limit[order] == np.inf
            for line in range(start, stop):
                if plan.assigned[line] >= 0:
                    lift(plan, batch, line)
