"""Order, stock, value, capacity and network tables -> a :class:`SourcingProblem`.

A row of the orders table is a line: it leaves whole from one node, kits with all their
components. Orders stand by priority, then by their first row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnistock.errors import FrameError, InputError, Problem
from omnistock.frames import (
    TABLES,
    Column,
    Table,
    TableSpec,
    check_references,
    read_table,
    smallest_units,
)
from omnistock.model import Network
from omnistock.sourcing.distances import haversine
from omnistock.sourcing.joint.problem import SourcingProblem, offsets_of
from omnistock.sourcing.joint_costs import JointCost
from omnistock.sourcing.questions import (
    OF_AN_ORDER,
    ORDERS,
    allowed_nodes,
    check_tables,
    explode_rows,
    first_rows,
    node_names,
)

__all__ = ["JOINT_ORDERS", "NODE_CAPACITY", "STOCK_VALUE", "Batch", "Limits", "read_batch"]

JOINT_ORDERS = TableSpec(
    "orders",
    (
        *ORDERS.columns,
        Column(
            "unfilled_cents",
            "units",
            required=False,
            minimum=0,
            default=-1,
            help="Cents if the row is left unfilled; empty takes the call's own default.",
        ),
        Column(
            "must_ship", "flag", required=False, default=False, help="Whether all of it must go."
        ),
    ),
    help="Orders to source together: what it costs to leave them, and what must go.",
)
STOCK_VALUE = TableSpec(
    "stock_value",
    (
        Column("sku", "text", help="What."),
        Column("node", "text", help="Where."),
        Column("cents", "units", minimum=0, help="What a smallest unit would earn later."),
    ),
    key=("sku", "node"),
    help="Future value of stock; a SKU and node without a row have none.",
)
NODE_CAPACITY = TableSpec(
    "node_capacity",
    (
        Column("node", "text", help="Where."),
        Column("capacity", "units", minimum=0, help="Most units that may leave."),
    ),
    key=("node",),
    help="What nodes can send; a node without a row can send any number.",
)

# Larger sums are refused; see the limits of SourcingProblem.
_MOST_CENTS = 2**36
_MOST_UNITS = 2**40
# Places times nodes whose costs are kept: 8 bytes each, twice.
_MOST_ROUTES = 50_000_000


@dataclass(frozen=True)
class Limits:
    """What holds for every order of a batch.

    Attributes
    ----------
    unfilled_cents : int or None
        For a smallest unit of rows that do not say it themselves.
    ship_complete : bool
    max_packages : int or None
    weights : mapping of str to int, or None
        Units of weight in a selling unit, by stocked SKU.
    """

    unfilled_cents: int | None
    ship_complete: bool
    max_packages: int | None
    weights: Mapping[str, int] | None

    def __post_init__(self) -> None:
        if self.max_packages is not None and self.max_packages < 1:
            raise InputError(f"max_packages must be >= 1, got {self.max_packages}")
        _check_cents("unfilled_cents", self.unfilled_cents)
        for sku, weight in (self.weights or {}).items():
            _check_cents(f"weight of {sku!r}", weight)


@dataclass(frozen=True)
class Batch:
    """Tables as a problem, and what its numbers are called.

    Attributes
    ----------
    problem : SourcingProblem
        With orders by priority, then by their first row.
    rows : (n_lines,) int64
        Row of the orders table that each line is.
    quantity : (n_lines,) int64
        Smallest units.
    requests : Table
    priority : (n_orders,) int64
    nodes, skus : list of str
    """

    problem: SourcingProblem
    rows: np.ndarray
    quantity: np.ndarray
    requests: Table
    priority: np.ndarray
    nodes: list[str]
    skus: list[str]


def read_batch(
    orders: Any,
    stock: Any,
    network: Network,
    cost: JointCost,
    limits: Limits,
    stock_value: Any,
    node_capacity: Any,
) -> Batch:
    """Read all tables and put them into arrays; raise :class:`FrameError` on wrong ones."""
    requests = read_table(orders, JOINT_ORDERS, name="orders")
    on_hand = read_table(stock, TABLES["stock"], name="stock")
    check_tables(requests, on_hand, network, (*OF_AN_ORDER, "must_ship"))
    nodes = node_names(network)
    order = requests.codes("order").codes
    first = first_rows(order)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.lexsort((first, requests["priority"][first]))] = np.arange(len(first))
    rows = np.argsort(rank[order], kind="stable")
    order_offsets = offsets_of(rank[order][rows], len(first))
    leader = rows[order_offsets[:-1]]

    skus, part_offsets, part_sku, part_units = explode_rows(requests, rows, network)
    quantity = _units(requests, network, "quantity")[rows]
    line = np.repeat(np.arange(len(rows)), np.diff(part_offsets))
    in_line = np.lexsort((part_sku, line))
    part_sku, part_units = part_sku[in_line], (part_units * quantity[line])[in_line]
    scale = np.array([network.skus[one].unit_scale for one in skus], np.int64)
    pieces = -(-part_units // scale[part_sku]) if len(part_sku) else part_units
    place, package_cost, unit_cost = _costs(requests, leader, network, nodes, cost)
    weight = _weights(limits, skus, scale, part_sku, part_units)
    channel = requests.codes("channel")
    most = len(nodes) if limits.max_packages is None else limits.max_packages
    problem = SourcingProblem.build(
        package_cost=package_cost,
        unit_cost=unit_cost,
        node_capacity=_capacity(node_capacity, network, nodes),
        n_skus=len(skus),
        **_stock(on_hand, stock_value, network, skus, nodes),
        order_region=place,
        order_offsets=order_offsets,
        order_group=channel.codes[leader].astype(np.int64),
        allowed=allowed_nodes(channel.labels, network, nodes),
        max_packages=np.full(len(first), max(most, 1)),
        all_or_nothing=np.full(len(first), limits.ship_complete),
        must_ship=requests["must_ship"][leader],
        line_units=_per_line(pieces, part_offsets),
        line_weight=_checked_weight(requests, rows, _per_line(weight, part_offsets), unit_cost),
        line_penalty=_penalties(requests, rows, quantity, limits.unfilled_cents),
        line_node=_line_nodes(requests, nodes)[rows],
        part_offsets=part_offsets,
        part_sku=part_sku,
        part_units=part_units,
    )
    return Batch(problem, rows, quantity, requests, requests["priority"][leader], nodes, skus)


def _check_cents(name: str, cents: Any) -> None:
    if cents is None:
        return
    if isinstance(cents, bool) or not isinstance(cents, int) or not 0 <= cents <= _MOST_CENTS:
        raise InputError(f"{name} must be a whole number in 0..{_MOST_CENTS}, got {cents!r}")


def _units(table: Table, network: Network, column: str) -> np.ndarray:
    """A column of selling units in smallest units."""
    coded = table.codes("sku")
    scale = np.array([network.skus[one].unit_scale for one in coded.labels], np.int64)
    return smallest_units(table[column], scale[coded.codes], table=table.name, column=column)


def _per_line(part: np.ndarray, part_offsets: np.ndarray) -> np.ndarray:
    """Sums over the components of every line; each has at least one."""
    if not len(part):
        return np.zeros(0, np.int64)
    return np.add.reduceat(part, part_offsets[:-1])


def _weights(
    limits: Limits,
    skus: list[str],
    scale: np.ndarray,
    part_sku: np.ndarray,
    part_units: np.ndarray,
) -> np.ndarray:
    """Units of weight of every component: what it weighs, rounded up, or its units."""
    if limits.weights is None:
        return part_units
    missing = [sku for sku in skus if sku not in limits.weights]
    if missing:
        raise InputError(f"weights lack {', '.join(missing[:8])}; give every stocked SKU")
    weight = np.array([limits.weights[sku] for sku in skus], np.int64)
    return np.asarray(-(-part_units * weight[part_sku] // scale[part_sku]))


def _checked_weight(
    orders: Table, rows: np.ndarray, weight: np.ndarray, unit_cost: np.ndarray
) -> np.ndarray:
    dearest = int(unit_cost.max(initial=0))
    wrong = np.flatnonzero((weight > _MOST_CENTS // max(dearest, 1)) | (weight > _MOST_UNITS))
    message = "{} units of weight at up to {} cents are too much; give larger units"
    _refuse(orders, rows, wrong, "quantity", lambda at: message.format(weight[at], dearest))
    return weight


def _penalties(
    orders: Table, rows: np.ndarray, quantity: np.ndarray, default: int | None
) -> np.ndarray:
    """Cents for every line left unfilled: the row's own, or its units times the default."""
    own = orders["unfilled_cents"][rows]
    if default is None:
        message = "is empty; fill it, or give unfilled_cents= for a smallest unit"
        _refuse(orders, rows, np.flatnonzero(own < 0), "unfilled_cents", lambda _: message)
        default = 0
    wrong = np.flatnonzero((own < 0) & (quantity > _MOST_CENTS // max(default, 1)))
    too_much = f"{{}} units at unfilled_cents={default} are beyond {_MOST_CENTS} cents"
    _refuse(orders, rows, wrong, "quantity", lambda at: too_much.format(quantity[at]))
    above = np.flatnonzero(own > _MOST_CENTS)
    too_large = f"{{}} is beyond {_MOST_CENTS} cents"
    _refuse(orders, rows, above, "unfilled_cents", lambda at: too_large.format(own[at]))
    return np.asarray(np.where(own >= 0, own, np.where(own >= 0, 0, quantity) * default))


def _refuse(
    orders: Table,
    rows: np.ndarray,
    wrong: np.ndarray,
    column: str,
    message: Callable[[int], str],
) -> None:
    """Raise one error that names the rows of all lines in ``wrong``."""
    if wrong.size:
        raise FrameError(
            [
                Problem(orders.name, int(rows[at]) + 1, column, message(at))
                for at in wrong[np.argsort(rows[wrong])].tolist()[:100]
            ]
        )


def _line_nodes(orders: Table, nodes: list[str]) -> np.ndarray:
    """The only node that may send each row, -1 for any; one that is not active is no node."""
    code_of = {node: code for code, node in enumerate(nodes)}
    coded = orders.codes("node")
    codes = [code_of.get(one, len(nodes)) if one else -1 for one in coded.labels]
    return np.asarray(np.array(codes, dtype=np.int64)[coded.codes])


def _stock(
    on_hand: Table,
    stock_value: Any,
    network: Network,
    skus: list[str],
    nodes: list[str],
) -> dict[str, Any]:
    """Stock of ordered SKUs at active nodes, and what its units would earn later."""
    sku, node, known = _places(on_hand, skus, nodes)
    units = _units(on_hand, network, "on_hand")[known]
    cents = np.zeros(len(units), np.int64)
    if stock_value is not None:
        worth = read_table(stock_value, STOCK_VALUE, name="stock_value")
        problems = check_references(worth, "sku", network.skus)
        problems += check_references(worth, "node", network.nodes, "node")
        for row in np.flatnonzero(worth["cents"] > _MOST_CENTS).tolist()[:100]:
            message = f"{worth['cents'][row]} is beyond {_MOST_CENTS} cents"
            problems.append(Problem(worth.name, row + 1, "cents", message))
        if problems:
            raise FrameError(problems)
        at_sku, at_node, here = _places(worth, skus, nodes)
        keys = at_sku * len(nodes) + at_node
        by_key = np.argsort(keys)
        wanted = sku * len(nodes) + node
        at = np.searchsorted(keys[by_key], wanted)
        found = np.append(keys[by_key], -1)[at] == wanted
        cents[found] = worth["cents"][here][by_key][at[found]]
    return {"stock": (node, sku, units), "stock_value": cents}


def _places(
    table: Table, skus: list[str], nodes: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """SKU and node of the rows that matter, and which rows these are."""
    found = []
    for column, names in (("sku", skus), ("node", nodes)):
        code_of = {name: code for code, name in enumerate(names)}
        coded = table.codes(column)
        codes = np.array([code_of.get(one, -1) for one in coded.labels], np.int64)
        found.append(codes[coded.codes])
    known = np.flatnonzero((found[0] >= 0) & (found[1] >= 0))
    return found[0][known], found[1][known], known


def _capacity(node_capacity: Any, network: Network, nodes: list[str]) -> np.ndarray:
    capacity = np.full(len(nodes), _MOST_UNITS)
    if node_capacity is None:
        return capacity
    table = read_table(node_capacity, NODE_CAPACITY, name="node_capacity")
    problems = check_references(table, "node", network.nodes, "node")
    if problems:
        raise FrameError(problems)
    given = dict(zip(table["node"], np.minimum(table["capacity"], _MOST_UNITS), strict=True))
    return np.array([given.get(node, _MOST_UNITS) for node in nodes], np.int64)


def _costs(
    orders: Table, leader: np.ndarray, network: Network, nodes: list[str], cost: JointCost
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each order's place, and cents per package and unit, (places, n_nodes)."""
    package, unit = cost.per_package(nodes)[None, :], cost.per_unit(nodes)[None, :]
    places = np.column_stack([orders["latitude"][leader], orders["longitude"][leader]])
    known = ~np.isnan(places[:, 0])
    if not cost.needs_distances or not known.any():
        return np.zeros(len(leader), dtype=np.int64), package, unit
    where = [(network.nodes[node].latitude, network.nodes[node].longitude) for node in nodes]
    unknown = [node for node, at in zip(nodes, where, strict=True) if None in at]
    if unknown:
        raise InputError(
            f"nodes {', '.join(unknown[:8])} have no latitude and longitude, "
            "but the costs depend on distances; give coordinates, or costs without them"
        )
    targets, place_of_known = np.unique(places[known], axis=0, return_inverse=True)
    if len(targets) * len(nodes) > _MOST_ROUTES:
        raise InputError(
            f"{len(targets)} places times {len(nodes)} nodes are beyond {_MOST_ROUTES} distances; "
            "give orders the coordinates of their postal area"
        )
    kilometres = haversine(targets[:, 0], targets[:, 1], *np.array(where, dtype=np.float64).T)
    far_package, far_unit = cost.by_place(kilometres, nodes)
    # An order to nowhere pays no distance: the last row.
    place = np.full(len(leader), len(targets), dtype=np.int64)
    place[known] = place_of_known.reshape(-1)
    return place, np.vstack([far_package, package]), np.vstack([far_unit, unit])
