"""From a plan to a better one, order by order.

Axes as in :mod:`.problem`. One order at a time is taken out of the plan and put back the
cheapest way, where stock that somebody holds costs its price: the holder is moved on, who
may move another (an ejection chain; Glover 1996, Discrete Applied Mathematics 65). What
counts in the end is the true cost of all orders touched: a chain that does not lower it is
undone.
"""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import free_kernel
from omnistock.sourcing.joint.arcs import Batch, line_cost, point_of
from omnistock.sourcing.joint.patterns import Desk
from omnistock.sourcing.joint.plans import NEVER, Plan, can_place, lift, order_cost, place
from omnistock.sourcing.joint.turns import Chain, choose_pattern

__all__ = ["improve"]

_LOOKED_AT = 32  # holders of a full stockpoint among whom the one to move is chosen


@free_kernel
def line_at(plan: Plan, batch: Batch, line: int, node: int, cost: float) -> float:
    """Add to the cost of a line at a node the package, if its order has none from there."""
    order = plan.order_of[line]
    packages = 0
    for other in range(batch.order_offsets[order], batch.order_offsets[order + 1]):
        if other == line or plan.assigned[other] < 0:
            continue
        if plan.assigned[other] == node:
            return cost
        new = True
        for before in range(batch.order_offsets[order], other):
            new &= before == line or plan.assigned[before] != plan.assigned[other]
        packages += new
    if packages >= batch.max_packages[order]:
        return np.inf
    return float(cost + batch.package_cost[batch.order_region[order], node])


@free_kernel
def best_for_line(
    plan: Plan, chain: Chain, batch: Batch, line: int, but: int, only_free: bool
) -> tuple[int, float]:
    """Cheapest node for one line, all others staying; -1 for unfilled.

    Stock that others hold costs its price, or is out of reach with ``only_free``.
    """
    order = plan.order_of[line]
    best = float(batch.line_penalty[line])
    if batch.must_ship[order] or batch.all_or_nothing[order]:
        best = float(NEVER)
    found = -1
    region = batch.order_region[order]
    first = batch.part_offsets[line]
    kit = batch.part_offsets[line + 1] - first > 1
    sku = batch.part_sku[first]
    taken = batch.part_units[first]
    units = batch.line_units[line]
    for point in range(batch.stock_offsets[sku], batch.stock_offsets[sku + 1]):
        node = batch.stock_node[point]
        cost = float(batch.line_weight[line] * batch.unit_cost[region, node])
        cost += taken * (batch.stock_value[point] + chain.price[point]) + units * chain.toll[node]
        if cost >= best or node == but or batch.stock_units[point] < taken:
            continue
        if only_free and not can_place(plan, batch, line, node):
            continue
        if kit or batch.line_node[line] >= 0 or not batch.allowed[batch.order_group[order], node]:
            cost = line_cost(
                batch,
                line,
                order,
                node,
                batch.stock_units,
                batch.node_capacity,
                chain.price,
                chain.toll,
            )
        elif batch.node_capacity[node] < units:
            continue
        if cost < best:
            cost = line_at(plan, batch, line, node, cost)
            if cost < best:
                best = cost
                found = node
    return found, best


@free_kernel
def renew_prices(
    chain: Chain,
    plan: Plan,
    batch: Batch,
    line: int,
    node: int,
    price: np.ndarray,
    toll: np.ndarray,
) -> None:
    """Let what a line just took or gave back at a node cost its price only if none is left."""
    chain.toll[node] = toll[node] if plan.room[node] <= 0 else 0.0
    for c in range(batch.part_offsets[line], batch.part_offsets[line + 1]):
        point = point_of(batch, batch.part_sku[c], node)
        chain.price[point] = price[point] if plan.left[point] <= 0 else 0.0


@free_kernel
def touch(chain: Chain, plan: Plan, line: int, number: int) -> None:
    """Remember where a line was before this chain."""
    if chain.seen[line] != number:
        chain.seen[line] = number
        chain.line[chain.counts[0]] = line
        chain.node[chain.counts[0]] = plan.assigned[line]
        chain.counts[0] += 1


@free_kernel
def whom_to_move(plan: Plan, chain: Chain, batch: Batch, line: int, node: int, number: int) -> int:
    """Line to move so that another fits at a node: where that costs least; -1 if none may."""
    best = -1
    least = np.inf
    short = -1
    for c in range(batch.part_offsets[line], batch.part_offsets[line + 1]):
        point = point_of(batch, batch.part_sku[c], node)
        if plan.left[point] < batch.part_units[c]:
            short = point
            break
    holder = plan.point_head[short] if short >= 0 else plan.node_head[node]
    looked_at = 0
    while holder >= 0 and looked_at < _LOOKED_AT:
        if chain.seen[holder] != number:
            looked_at += 1
            _, elsewhere = best_for_line(plan, chain, batch, holder, node, False)
            order = plan.order_of[holder]
            here = line_cost(
                batch,
                holder,
                order,
                node,
                batch.stock_units,
                batch.node_capacity,
                chain.price,
                chain.toll,
            )
            loss = elsewhere - line_at(plan, batch, holder, node, here)
            if loss < least:
                least = loss
                best = holder
        holder = plan.point_next[holder] if short >= 0 else plan.node_next[holder]
    return best


@free_kernel
def put(
    plan: Plan,
    chain: Chain,
    batch: Batch,
    line: int,
    node: int,
    number: int,
    price: np.ndarray,
    toll: np.ndarray,
) -> bool:
    """Place a line, moving holders away to wait; return whether that was possible."""
    while not can_place(plan, batch, line, node):
        if chain.counts[0] >= chain.line.size:
            return False
        holder = whom_to_move(plan, chain, batch, line, node, number)
        if holder < 0:
            return False
        touch(chain, plan, holder, number)
        lift(plan, batch, holder)
        renew_prices(chain, plan, batch, holder, node, price, toll)
        chain.waiting[chain.counts[1]] = holder
        chain.counts[1] += 1
    place(plan, batch, line, node)
    renew_prices(chain, plan, batch, line, node, price, toll)
    return True


@free_kernel
def settle(
    plan: Plan,
    chain: Chain,
    batch: Batch,
    number: int,
    depth: int,
    price: np.ndarray,
    toll: np.ndarray,
) -> bool:
    """Find places for the lines that wait, after ``depth`` of them only free ones."""
    steps = 0
    while chain.counts[1] > 0:
        chain.counts[1] -= 1
        line = chain.waiting[chain.counts[1]]
        steps += 1
        node, _ = best_for_line(plan, chain, batch, line, -1, steps > depth)
        if node >= 0 and not put(plan, chain, batch, line, node, number, price, toll):
            return False
    return True


@free_kernel
def saved_by(plan: Plan, chain: Chain, batch: Batch) -> int:
    """Cents that the touched orders cost less than before, noting the new costs; or 0."""
    n_orders = 0
    saved = 0
    for k in range(chain.counts[0]):
        order = plan.order_of[chain.line[k]]
        new = True
        for j in range(n_orders):
            new &= chain.order[j] != order
        if new:
            chain.order[n_orders] = order
            n_orders += 1
            cost = order_cost(plan, batch, order)
            if cost >= NEVER and chain.spent[order] < NEVER:
                # No promise is broken to keep another.
                return 0
            saved += chain.spent[order] - cost
    if saved <= 0:
        return 0
    for j in range(n_orders):
        chain.spent[chain.order[j]] = order_cost(plan, batch, chain.order[j])
    return saved


@free_kernel
def put_back(plan: Plan, chain: Chain, batch: Batch, price: np.ndarray, toll: np.ndarray) -> None:
    """Bring all touched lines to where they were before the chain."""
    for k in range(chain.counts[0]):
        line = chain.line[k]
        node = plan.assigned[line]
        if node >= 0:
            lift(plan, batch, line)
            renew_prices(chain, plan, batch, line, node, price, toll)
    for k in range(chain.counts[0]):
        if chain.node[k] >= 0:
            place(plan, batch, chain.line[k], chain.node[k])
            renew_prices(chain, plan, batch, chain.line[k], chain.node[k], price, toll)


@free_kernel
def try_pattern(
    plan: Plan,
    chain: Chain,
    batch: Batch,
    order: int,
    number: int,
    depth: int,
    price: np.ndarray,
    toll: np.ndarray,
) -> int:
    """Carry out the pattern in ``chosen``; return the cents saved, 0 if it was undone."""
    same = True
    for k in range(batch.order_offsets[order + 1] - batch.order_offsets[order]):
        same &= chain.chosen[chain.line[k]] == chain.node[k]
    if not same:
        for line in range(batch.order_offsets[order], batch.order_offsets[order + 1]):
            node = chain.chosen[line]
            if node >= 0:
                # Of lines of one order that want the same unit, the last ones do without.
                put(plan, chain, batch, line, node, number, price, toll)
        if settle(plan, chain, batch, number, depth, price, toll):
            saved = saved_by(plan, chain, batch)
            if saved > 0:
                return saved
    put_back(plan, chain, batch, price, toll)
    return 0


@free_kernel
def lift_order(
    plan: Plan,
    chain: Chain,
    batch: Batch,
    order: int,
    number: int,
) -> None:
    """Take an order out of the plan, as the start of a chain; prices stay as they are."""
    chain.counts[0] = 0
    chain.counts[1] = 0
    for line in range(batch.order_offsets[order], batch.order_offsets[order + 1]):
        touch(chain, plan, line, number)
        if plan.assigned[line] >= 0:
            lift(plan, batch, line)


@free_kernel
def replan_order(
    plan: Plan,
    chain: Chain,
    desk: Desk,
    batch: Batch,
    order: int,
    number: int,
    depth: int,
    price: np.ndarray,
    toll: np.ndarray,
) -> int:
    """Try to plan an order anew; return the cents saved, 0 if nothing changed.

    First with stock that others hold at its price, then with free stock alone.
    ``number`` and ``number + 1`` must be new.
    """
    lift_order(plan, chain, batch, order, number)
    # What the order held before keeps its price here: others would gladly have it.
    choose_pattern(
        chain, desk, batch, order, batch.stock_units, batch.node_capacity, chain.price, chain.toll
    )
    for k in range(chain.counts[0]):
        if chain.node[k] >= 0:
            renew_prices(chain, plan, batch, chain.line[k], chain.node[k], price, toll)
    saved = try_pattern(plan, chain, batch, order, number, depth, price, toll)
    if saved > 0:
        return saved
    lift_order(plan, chain, batch, order, number + 1)
    for k in range(chain.counts[0]):
        if chain.node[k] >= 0:
            renew_prices(chain, plan, batch, chain.line[k], chain.node[k], price, toll)
    choose_pattern(chain, desk, batch, order, plan.left, plan.room, chain.price, chain.toll)
    return try_pattern(plan, chain, batch, order, number + 1, 0, price, toll)


@free_kernel
def improve(
    plan: Plan,
    chain: Chain,
    desk: Desk,
    batch: Batch,
    sequence: np.ndarray,
    number: int,
    depth: int,
    price: np.ndarray,
    toll: np.ndarray,
) -> int:
    """Try every order of ``sequence`` once; return the cents saved.

    ``number`` must be new for every chain: two for each order, from ``number`` on.
    """
    for order in range(chain.spent.size):
        chain.spent[order] = order_cost(plan, batch, order)
    for point in range(price.size):
        chain.price[point] = price[point] if plan.left[point] <= 0 else 0.0
    for node in range(toll.size):
        chain.toll[node] = toll[node] if plan.room[node] <= 0 else 0.0
    saved = 0
    for at in range(sequence.size):
        saved += replan_order(
            plan,
            chain,
            desk,
            batch,
            sequence[at],
            number + 2 * at,
            depth,
            price,
            toll,
        )
    return saved
