"""A plan in the making: which node sends which line, and what that leaves.

Axes as in :mod:`.problem`. Lines at a stockpoint and at a node form linked lists, so that
whoever holds something can be found and moved.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from omnistock.numerics.compiled import free_kernel
from omnistock.sourcing.joint.arcs import Batch, point_of
from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["NEVER", "Plan", "can_place", "empty_plan", "lift", "order_cost", "place", "plan_cost"]

# Cents for a promise that is broken: more than an order costs, and sums over the orders of a
# chain of moves stay below 2**63.
NEVER = 2**48


class Plan(NamedTuple):
    """Nodes of lines, what is left of stock and capacity, and who is where."""

    assigned: np.ndarray  # per line: its node, -1 if unfilled
    left: np.ndarray  # per stockpoint
    room: np.ndarray  # per node
    point_head: np.ndarray  # per stockpoint: a line there, -1 if none
    point_next: np.ndarray  # per line
    point_prev: np.ndarray
    node_head: np.ndarray  # per node
    node_next: np.ndarray  # per line
    node_prev: np.ndarray
    order_of: np.ndarray  # per line


def empty_plan(problem: SourcingProblem) -> Plan:
    """Return the plan that sends nothing."""
    n_lines, n_points = problem.n_lines, len(problem.stock_node)
    return Plan(
        assigned=np.full(n_lines, -1, np.int64),
        left=problem.stock_units.copy(),
        room=problem.node_capacity.copy(),
        point_head=np.full(n_points, -1, np.int64),
        point_next=np.full(n_lines, -1, np.int64),
        point_prev=np.full(n_lines, -1, np.int64),
        node_head=np.full(problem.n_nodes, -1, np.int64),
        node_next=np.full(n_lines, -1, np.int64),
        node_prev=np.full(n_lines, -1, np.int64),
        order_of=problem.line_order,
    )


@free_kernel
def can_place(plan: Plan, batch: Batch, line: int, node: int) -> bool:
    """Whether a node has all that a line takes, left."""
    if plan.room[node] < batch.line_units[line]:
        return False
    for c in range(batch.part_offsets[line], batch.part_offsets[line + 1]):
        point = point_of(batch, batch.part_sku[c], node)
        if point < 0 or plan.left[point] < batch.part_units[c]:
            return False
    return True


@free_kernel
def place(plan: Plan, batch: Batch, line: int, node: int) -> None:
    """Let a node send a line that is unfilled."""
    plan.assigned[line] = node
    plan.room[node] -= batch.line_units[line]
    first = batch.part_offsets[line]
    for c in range(first, batch.part_offsets[line + 1]):
        point = point_of(batch, batch.part_sku[c], node)
        plan.left[point] -= batch.part_units[c]
        if c == first:
            head = plan.point_head[point]
            plan.point_next[line] = head
            plan.point_prev[line] = -1
            if head >= 0:
                plan.point_prev[head] = line
            plan.point_head[point] = line
    head = plan.node_head[node]
    plan.node_next[line] = head
    plan.node_prev[line] = -1
    if head >= 0:
        plan.node_prev[head] = line
    plan.node_head[node] = line


@free_kernel
def lift(plan: Plan, batch: Batch, line: int) -> None:
    """Take a line that some node sends back from it."""
    node = plan.assigned[line]
    plan.assigned[line] = -1
    plan.room[node] += batch.line_units[line]
    first = batch.part_offsets[line]
    for c in range(first, batch.part_offsets[line + 1]):
        point = point_of(batch, batch.part_sku[c], node)
        plan.left[point] += batch.part_units[c]
        if c == first:
            after = plan.point_next[line]
            before = plan.point_prev[line]
            if before >= 0:
                plan.point_next[before] = after
            else:
                plan.point_head[point] = after
            if after >= 0:
                plan.point_prev[after] = before
    after = plan.node_next[line]
    before = plan.node_prev[line]
    if before >= 0:
        plan.node_next[before] = after
    else:
        plan.node_head[node] = after
    if after >= 0:
        plan.node_prev[after] = before


@free_kernel
def order_cost(plan: Plan, batch: Batch, order: int) -> int:
    """Cents that an order costs as planned; ``NEVER`` for each promise that it breaks."""
    cost = 0
    sent = 0
    packages = 0
    region = batch.order_region[order]
    start = batch.order_offsets[order]
    stop = batch.order_offsets[order + 1]
    for line in range(start, stop):
        node = plan.assigned[line]
        if node < 0:
            cost += NEVER if batch.must_ship[order] else batch.line_penalty[line]
            continue
        sent += 1
        cost += batch.line_weight[line] * batch.unit_cost[region, node]
        for c in range(batch.part_offsets[line], batch.part_offsets[line + 1]):
            point = point_of(batch, batch.part_sku[c], node)
            cost += batch.part_units[c] * batch.stock_value[point]
        new = True
        for other in range(start, line):
            if plan.assigned[other] == node:
                new = False
                break
        if new:
            packages += 1
            cost += batch.package_cost[region, node]
    if packages > batch.max_packages[order]:
        cost += NEVER
    if batch.all_or_nothing[order] and 0 < sent < stop - start:
        cost += NEVER
    return cost


@free_kernel
def plan_cost(plan: Plan, batch: Batch) -> int:
    """Cents of all orders as planned, -1 if a promise is broken."""
    total = 0
    for order in range(batch.order_region.size):
        cost = order_cost(plan, batch, order)
        if cost >= NEVER:
            return -1
        total += cost
    return total
