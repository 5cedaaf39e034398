"""The arcs of each line that may matter at prices near these. Axes as in :mod:`.problem`.

Most nodes that could send a line are far from ever doing so. Prices are sought on a short
list per line, made anew from time to time; bounds and plans look at all arcs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from omnistock.numerics.compiled import free_kernel
from omnistock.sourcing.joint.arcs import Batch, point_of
from omnistock.sourcing.joint.patterns import MOST_LINES, Desk, add_savings, lay_out

__all__ = ["Shortlist", "lay_out_short", "list_orders", "shortlist_for", "worth_alone"]


class Shortlist(NamedTuple):
    """Arcs of line ``l`` are ``start[l]:stop[l]``; one list for each thread."""

    start: np.ndarray
    stop: np.ndarray
    node: np.ndarray
    point: np.ndarray
    cost: np.ndarray  # without prices


def shortlist_for(n_lines: int, room: int) -> Shortlist:
    """Make room for ``room`` arcs."""
    return Shortlist(
        start=np.zeros(n_lines, np.int64),
        stop=np.zeros(n_lines, np.int64),
        node=np.empty(room, np.int32),
        point=np.empty(room, np.int32),
        cost=np.empty(room, np.float64),
    )


@free_kernel
def others_price(batch: Batch, line: int, node: int, price: np.ndarray) -> float:
    """What prices add to the cost of a line at a node for all its components but the first."""
    added = 0.0
    for c in range(batch.part_offsets[line] + 1, batch.part_offsets[line + 1]):
        added += batch.part_units[c] * price[point_of(batch, batch.part_sku[c], node)]
    return added


@free_kernel
def lay_out_short(
    desk: Desk,
    short: Shortlist,
    batch: Batch,
    first: int,
    last: int,
    package: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
    must: bool,
) -> None:
    """Put the shortlisted arcs of lines ``first:last`` on the desk, as ``lay_out`` does."""
    end = 0
    for line in range(first, last):
        i = line - first
        limit = np.inf if must else float(batch.line_penalty[line])
        desk.arc_start[i] = end
        desk.own[i] = limit
        desk.own_node[i] = -1
        part = batch.part_offsets[line]
        kit = batch.part_offsets[line + 1] - part > 1
        taken = batch.part_units[part]
        units = batch.line_units[line]
        for k in range(short.start[line], short.stop[line]):
            node = short.node[k]
            point = short.point[k]
            cost = short.cost[k] + taken * price[point] + units * toll[node]
            if kit:
                cost += others_price(batch, line, node, price)
            if cost >= limit:
                continue
            desk.arc_node[end] = node
            desk.arc_point[end] = point
            desk.arc_cost[end] = cost
            end += 1
            if package[node] + cost < desk.own[i]:
                desk.own[i] = package[node] + cost
                desk.own_node[i] = node
    desk.arc_start[last - first] = end


@free_kernel
def list_piece(
    short: Shortlist,
    end: int,
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
    reach: float,
) -> int:
    """List the arcs of some lines that are within ``reach`` of mattering; return the end."""
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
    add_savings(desk, n_lines)
    for i in range(n_lines):
        line = first + i
        short.start[line] = end
        part = batch.part_offsets[line]
        kit = batch.part_offsets[line + 1] - part > 1
        taken = batch.part_units[part]
        units = batch.line_units[line]
        for k in range(desk.arc_start[i], desk.arc_start[i + 1]):
            node = desk.arc_node[k]
            cost = desk.arc_cost[k]
            alone = package[node] + cost - desk.own[i] < reach
            together = (
                n_lines > 1
                and cost < desk.own[i]
                and desk.saving[node] > package[node] - min(reach, 0.5 * package[node])
            )
            if (alone or together) and end < short.node.size:
                short.node[end] = node
                short.point[end] = desk.arc_point[k]
                added = taken * price[desk.arc_point[k]] + units * toll[node]
                if kit:
                    added += others_price(batch, line, node, price)
                short.cost[end] = cost - added
                end += 1
        short.stop[line] = end
    for i in range(n_lines):
        for k in range(desk.arc_start[i], desk.arc_start[i + 1]):
            desk.saving[desk.arc_node[k]] = 0.0
    return end


@free_kernel
def list_orders(
    short: Shortlist,
    desk: Desk,
    batch: Batch,
    orders: np.ndarray,
    units_left: np.ndarray,
    capacity_left: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
    reach: float,
) -> int:
    """Make the short list of some orders; return the number of arcs.

    If that is all the room there is, some lines may lack arcs: a smaller ``reach`` fits.
    """
    end = 0
    n_nodes = toll.size
    package = np.empty(n_nodes)
    for at in range(orders.size):
        order = orders[at]
        region = batch.order_region[order]
        start = batch.order_offsets[order]
        stop = batch.order_offsets[order + 1]
        pieces = (stop - start + MOST_LINES - 1) // MOST_LINES
        for piece in range(pieces):
            first = start + piece * (stop - start) // pieces
            last = start + (piece + 1) * (stop - start) // pieces
            for n in range(n_nodes):
                package[n] = batch.package_cost[region, n] * ((last - first) / (stop - start))
            end = list_piece(
                short,
                end,
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
                reach,
            )
    return end


@free_kernel
def worth_alone(
    worth: np.ndarray, desk: Desk, batch: Batch, price: np.ndarray, toll: np.ndarray
) -> None:
    """Fill ``worth[l]``: what a unit of a line is worth beyond the cheapest way to send it.

    The lines of an order share one package, as if all came from one node.
    """
    n_nodes = toll.size
    package = np.empty(n_nodes)
    for order in range(batch.order_region.size):
        region = batch.order_region[order]
        start = batch.order_offsets[order]
        stop = batch.order_offsets[order + 1]
        for n in range(n_nodes):
            package[n] = batch.package_cost[region, n] / max(stop - start, 1)
        for line in range(start, stop):
            lay_out(
                desk,
                batch,
                order,
                line,
                line + 1,
                package,
                batch.stock_units,
                batch.node_capacity,
                price,
                toll,
                False,
            )
            taken = batch.part_units[batch.part_offsets[line]]
            worth[line] = (batch.line_penalty[line] - desk.own[0]) / taken
