"""Orders to nodes, in tables of the caller's own kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnistock.errors import InputError
from omnistock.frames import TABLES, Table, read_table
from omnistock.model import Network
from omnistock.sourcing.batch import Answers, Questions, source_orders_into
from omnistock.sourcing.cart import SourcingRules, check_magnitude, money
from omnistock.sourcing.costs import ShippingCost
from omnistock.sourcing.kernels import MAX_STEPS
from omnistock.sourcing.questions import (
    ORDERS,
    check_tables,
    node_names,
    questions,
    stock_matrix,
)

__all__ = ["Sourced", "source"]

_CHUNK = 2_000


@dataclass(frozen=True)
class Sourced:
    """Which node sends what.

    Attributes
    ----------
    order, sku, node : (n_sent,) object arrays of str
        Units sent, in the sequence in which orders were served; kits as their components.
    quantity : (n_sent,) int64
        Smallest units.
    orders : (n_orders,) object array of str
        In the sequence in which they were served.
    packages : (n_orders,) int64
    cost : (n_orders,) int64
        Cents.
    proven : (n_orders,) bool
        Whether no better plan existed for the order on the stock it met.
    unfilled : (n_rows,) int64
        Smallest units of each row of the orders table that nobody sends.
    requests : Table
        The orders as read.
    """

    order: np.ndarray
    sku: np.ndarray
    node: np.ndarray
    quantity: np.ndarray
    orders: np.ndarray
    packages: np.ndarray
    cost: np.ndarray
    proven: np.ndarray
    unfilled: np.ndarray
    requests: Table

    def __len__(self) -> int:
        return len(self.quantity)

    def to_table(self) -> Any:
        """Return order, sku, node, quantity as the kind of frame that the orders are."""
        return self.requests.native(
            {"order": self.order, "sku": self.sku, "node": self.node, "quantity": self.quantity}
        )

    def unfilled_table(self) -> Any:
        """Return order, sku, unfilled for the rows that nobody fills whole."""
        short = np.flatnonzero(self.unfilled)
        return self.requests.native(
            {
                "order": self.requests["order"][short],
                "sku": self.requests["sku"][short],
                "unfilled": self.unfilled[short],
            }
        )

    def orders_table(self) -> Any:
        """Return order, packages, cost_cents, proven, one row per order."""
        return self.requests.native(
            {
                "order": self.orders,
                "packages": self.packages,
                "cost_cents": self.cost,
                "proven": self.proven,
            }
        )

    def explain(self, order: str) -> str:
        """Say from where an order comes, what that costs and what is missing.

        Raises
        ------
        InputError
            If there was no such order.
        """
        at = np.flatnonzero(self.orders == order)
        if not at.size:
            raise InputError(f"no order {order!r} was sourced")
        packages = int(self.packages[at[0]])
        text = f"{order}: {packages} package{'' if packages == 1 else 's'}"
        lines = [f"{text} for {money(int(self.cost[at[0]]))}"]
        for i in np.flatnonzero(self.order == order):
            lines.append(f"  {self.node[i]}: {self.quantity[i]} x {self.sku[i]}")
        for row in np.flatnonzero((self.requests["order"] == order) & (self.unfilled > 0)):
            lines.append(f"  nobody: {self.unfilled[row]} x {self.requests['sku'][row]}")
        return "\n".join(lines)


def source(
    orders: Any,
    stock: Any,
    network: Network,
    *,
    cost: ShippingCost | None = None,
    rules: SourcingRules | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Sourced:
    """Decide for every order which nodes send it, each order exactly, one after the other.

    Parameters
    ----------
    orders : table
        ``order``, ``sku``, ``channel``, ``quantity`` (selling units), and optionally
        ``node`` (the only one that may send the row), ``priority`` (smaller is served
        first; then the sequence of first rows decides), ``latitude`` and ``longitude``
        of the customer.
    stock : table
        ``sku``, ``node``, ``on_hand`` (selling units). Not changed.
    network : Network
        Knows kits, nodes and which nodes serve a channel. Nodes that are not active
        send nothing; where nothing else decides, nodes of smaller ``priority`` come first.
    cost : ShippingCost, optional
        Default: 5.00 for a package, nothing for distance and units.
    rules : SourcingRules, optional
        Default: most units, then fewest packages, then least cost; orders may be partly
        filled and split over any number of nodes.
    progress : callable(done, total, phase), optional

    Returns
    -------
    Sourced
        An order sees the stock that those before it left: exact for each, not for all
        together. A row that no node can fill is reported in ``unfilled``. Kits are sent
        whole, their components possibly from several nodes: an order with a kit is first
        cut to what stock allows, then sent as cut or, if the rules forbid that, not at all.

    Raises
    ------
    FrameError
        Naming table, row and column of everything wrong, e.g. unknown SKUs.
    InputError
        If costs are given for distances but a node has no coordinates.

    Examples
    --------
    >>> network = Network.build(skus=["TEE", "MUG"], nodes=["DC1", "S1"])
    >>> orders = {"order": ["A", "A"], "sku": ["TEE", "MUG"], "channel": ["web", "web"],
    ...           "quantity": [2, 1]}
    >>> stock = {"sku": ["TEE", "TEE", "MUG"], "node": ["DC1", "S1", "S1"], "on_hand": [9, 2, 1]}
    >>> print(source(orders, stock, network).explain("A"))
    A: 1 package for 5.00
      S1: 1 x MUG
      S1: 2 x TEE
    """
    requests = read_table(orders, ORDERS, name="orders")
    on_hand = read_table(stock, TABLES["stock"], name="stock")
    check_tables(requests, on_hand, network)
    nodes = node_names(network)
    asked, rows, skus = questions(requests, network, nodes, cost or ShippingCost())
    units = stock_matrix(on_hand, network, skus, nodes)
    answers, n_sent = _answer(asked, units, rules or SourcingRules(), progress)

    filled = np.empty_like(answers.row_filled)
    filled[rows] = answers.row_filled
    quantity = np.empty_like(filled)
    quantity[rows] = asked.row_quantity
    served = requests["order"][rows[asked.row_offsets[:-1]]]
    line = answers.sent_line[:n_sent]
    order_of_line = np.repeat(np.arange(len(served)), np.diff(asked.line_offsets))
    return Sourced(
        order=served[order_of_line[line]],
        sku=np.array(skus, dtype=object)[asked.line_sku[line]],
        node=np.array(nodes, dtype=object)[answers.sent_node[:n_sent]],
        quantity=answers.sent_quantity[:n_sent].copy(),
        orders=served,
        packages=answers.packages,
        cost=answers.cost,
        proven=answers.proven,
        unfilled=quantity - filled,
        requests=requests,
    )


def _answer(
    asked: Questions,
    stock: np.ndarray,
    rules: SourcingRules,
    progress: Callable[[int, int, str], None] | None,
) -> tuple[Answers, int]:
    """Run the kernel over all orders, in portions if somebody watches; ``stock`` is used up."""
    n_orders, n_nodes = len(asked.channel), stock.shape[1]
    line_units = np.zeros(len(asked.line_sku), dtype=np.int64)
    row_of_part = np.repeat(np.arange(len(asked.row_quantity)), np.diff(asked.part_offsets))
    np.add.at(line_units, asked.part_line, asked.row_quantity[row_of_part] * asked.part_units)
    line_order = np.repeat(np.arange(n_orders), np.diff(asked.line_offsets))
    largest = np.bincount(line_order, line_units, minlength=1).max()
    check_magnitude(
        int(asked.package_cost.max(initial=0)),
        int(asked.unit_cost.max(initial=0)),
        int(largest),
        n_nodes,
    )
    # A line has at most one entry per node, and per unit.
    room = int(np.minimum(line_units, n_nodes).sum())
    answers = Answers(
        row_filled=np.zeros(len(asked.row_quantity), dtype=np.int64),
        packages=np.zeros(n_orders, dtype=np.int64),
        cost=np.zeros(n_orders, dtype=np.int64),
        proven=np.ones(n_orders, dtype=np.bool_),
        sent_line=np.empty(room, dtype=np.int64),
        sent_node=np.empty(room, dtype=np.int64),
        sent_quantity=np.empty(room, dtype=np.int64),
    )
    n_sent = 0
    for start in range(0, n_orders, _CHUNK):
        stop = min(start + _CHUNK, n_orders)
        n_sent = source_orders_into(
            answers,
            stock,
            asked,
            start,
            stop,
            n_sent,
            n_nodes if rules.max_packages is None else rules.max_packages,
            rules.packages_first,
            rules.single_node_per_line,
            rules.ship_complete,
            MAX_STEPS,
        )
        if progress is not None:
            progress(stop, n_orders, "sourcing orders")
    return answers, n_sent
