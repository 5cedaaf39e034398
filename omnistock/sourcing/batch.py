"""Many orders, one after the other, on shared stock.

Axes: o = order, r = requested row, c = component of a row, l = line (one SKU of one
order, all its rows together), s = SKU, n = node. Rows and lines of order ``o`` are
``row_offsets[o]:row_offsets[o + 1]`` and ``line_offsets[o]:line_offsets[o + 1]``; the
components of row ``r`` are ``part_offsets[r]:part_offsets[r + 1]``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from omnistock.numerics.compiled import kernel
from omnistock.sourcing.kernels import plan_cart_into

__all__ = ["Answers", "Questions", "source_orders_into"]


class Questions(NamedTuple):
    """What is asked: all int64 except ``allowed``, offsets one longer than what they count."""

    row_offsets: np.ndarray
    row_quantity: np.ndarray
    part_offsets: np.ndarray
    part_line: np.ndarray
    part_units: np.ndarray
    line_offsets: np.ndarray
    line_sku: np.ndarray
    line_node: np.ndarray  # the only node that may send the line, -1 for any
    channel: np.ndarray  # row of ``allowed`` of each order
    place: np.ndarray  # row of ``package_cost`` of each order
    allowed: np.ndarray  # (channels, n) bool
    package_cost: np.ndarray  # (places, n)
    unit_cost: np.ndarray  # (n,)


class Answers(NamedTuple):
    """What is answered; ``sent_*`` are filled from the front."""

    row_filled: np.ndarray
    packages: np.ndarray
    cost: np.ndarray
    proven: np.ndarray
    sent_line: np.ndarray
    sent_node: np.ndarray
    sent_quantity: np.ndarray


@kernel
def reachable_nodes(
    chosen: np.ndarray, free: np.ndarray, stock: np.ndarray, asked: Questions, order: int
) -> int:
    """List the nodes that have anything for an order, and sum up what they have, line by line."""
    first = asked.line_offsets[order]
    n_chosen = 0
    for n in range(stock.shape[1]):
        if not asked.allowed[asked.channel[order], n]:
            continue
        useful = False
        for line in range(free.size):
            only = asked.line_node[first + line]
            units = stock[asked.line_sku[first + line], n]
            if units > 0 and (only < 0 or only == n):
                free[line] += units
                useful = True
        if useful:
            chosen[n_chosen] = n
            n_chosen += 1
    return n_chosen


@kernel
def fit_rows(
    answers: Answers, need: np.ndarray, free: np.ndarray, asked: Questions, order: int
) -> tuple[bool, bool]:
    """Cut each row of an order to what ``free`` units allow, kits whole; sum up line needs.

    Returns whether a row was cut, and whether there is a kit.
    """
    first = asked.line_offsets[order]
    cut = False
    kits = False
    for r in range(asked.row_offsets[order], asked.row_offsets[order + 1]):
        start, stop = asked.part_offsets[r], asked.part_offsets[r + 1]
        most = asked.row_quantity[r]
        kits |= stop - start > 1
        for c in range(start, stop):
            kits |= asked.part_units[c] > 1
            most = min(most, free[asked.part_line[c] - first] // asked.part_units[c])
        cut |= most < asked.row_quantity[r]
        answers.row_filled[r] = most
        for c in range(start, stop):
            line = asked.part_line[c] - first
            free[line] -= most * asked.part_units[c]
            need[line] += most * asked.part_units[c]
    return cut, kits


@kernel
def plan_order(
    quantity: np.ndarray,
    need: np.ndarray,
    chosen: np.ndarray,
    stock: np.ndarray,
    asked: Questions,
    order: int,
    max_packages: int,
    packages_first: bool,
    whole_lines: bool,
    complete: bool,
    max_steps: int,
) -> bool:
    """Fill ``quantity[i, l]`` with what node ``chosen[i]`` sends; return whether that is proven."""
    n_chosen, n_lines = quantity.shape
    first = asked.line_offsets[order]
    usable = np.zeros((n_chosen, n_lines), np.int64)
    package_cost = np.empty(n_chosen, np.int64)
    unit_cost = np.empty((n_chosen, n_lines), np.int64)
    for i in range(n_chosen):
        n = chosen[i]
        package_cost[i] = asked.package_cost[asked.place[order], n]
        unit_cost[i] = asked.unit_cost[n]
        for line in range(n_lines):
            only = asked.line_node[first + line]
            if only < 0 or only == n:
                usable[i, line] = stock[asked.line_sku[first + line], n]
    return plan_cart_into(
        quantity,
        need,
        usable,
        package_cost,
        unit_cost,
        max_packages,
        packages_first,
        whole_lines,
        complete,
        max_steps,
    )


@kernel
def send(
    answers: Answers,
    stock: np.ndarray,
    quantity: np.ndarray,
    chosen: np.ndarray,
    asked: Questions,
    order: int,
    n_sent: int,
) -> int:
    """Take an order's units off the stock, note them, and say which rows they fill."""
    first = asked.line_offsets[order]
    n_chosen, n_lines = quantity.shape
    filled = np.zeros(n_lines, np.int64)
    for i in range(n_chosen):
        n = chosen[i]
        used = False
        for line in range(n_lines):
            units = quantity[i, line]
            if units == 0:
                continue
            used = True
            filled[line] += units
            stock[asked.line_sku[first + line], n] -= units
            answers.cost[order] += units * asked.unit_cost[n]
            answers.sent_line[n_sent] = first + line
            answers.sent_node[n_sent] = n
            answers.sent_quantity[n_sent] = units
            n_sent += 1
        if used:
            answers.packages[order] += 1
            answers.cost[order] += asked.package_cost[asked.place[order], n]

    # Without kits every row has one part of one unit; with kits all rows are met or none.
    for r in range(asked.row_offsets[order], asked.row_offsets[order + 1]):
        most = answers.row_filled[r]
        for c in range(asked.part_offsets[r], asked.part_offsets[r + 1]):
            most = min(most, filled[asked.part_line[c] - first] // asked.part_units[c])
        answers.row_filled[r] = most
        for c in range(asked.part_offsets[r], asked.part_offsets[r + 1]):
            filled[asked.part_line[c] - first] -= most * asked.part_units[c]
    return n_sent


@kernel
def source_orders_into(
    answers: Answers,
    stock: np.ndarray,
    asked: Questions,
    first_order: int,
    last_order: int,
    n_sent: int,
    max_packages: int,
    packages_first: bool,
    whole_lines: bool,
    complete: bool,
    max_steps: int,
) -> int:
    """Source orders in turn, each on the ``stock[s, n]`` that those before it left.

    ``n_sent`` counts the entries of ``answers.sent_*`` made before; returns their number now.
    """
    for order in range(first_order, last_order):
        n_lines = asked.line_offsets[order + 1] - asked.line_offsets[order]
        chosen = np.empty(stock.shape[1], np.int64)
        free = np.zeros(n_lines, np.int64)
        need = np.zeros(n_lines, np.int64)
        n_chosen = reachable_nodes(chosen, free, stock, asked, order)
        cut, kits = fit_rows(answers, need, free, asked, order)
        quantity = np.zeros((n_chosen, n_lines), np.int64)
        answers.proven[order] = True
        if n_chosen > 0 and not (complete and cut):
            # Some components of a kit without the others are of no use to anybody.
            answers.proven[order] = plan_order(
                quantity,
                need,
                chosen,
                stock,
                asked,
                order,
                max_packages,
                packages_first,
                whole_lines,
                complete or kits,
                max_steps,
            )
        n_sent = send(answers, stock, quantity, chosen, asked, order, n_sent)
    return n_sent
