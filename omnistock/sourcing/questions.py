"""Order, stock and network tables -> the arrays that the batch kernel asks for."""

from __future__ import annotations

import numpy as np

from omnistock.errors import FrameError, InputError, Problem
from omnistock.frames import TABLES, Column, Table, TableSpec, check_references, smallest_units
from omnistock.model import Network
from omnistock.sourcing.batch import Questions
from omnistock.sourcing.costs import ShippingCost
from omnistock.sourcing.distances import distance_cost, haversine

__all__ = [
    "OF_AN_ORDER",
    "ORDERS",
    "allowed_nodes",
    "check_tables",
    "explode_rows",
    "first_rows",
    "node_names",
    "questions",
    "stock_matrix",
]

ORDERS = TableSpec(
    "orders",
    (
        *TABLES["orders"].columns,
        Column("priority", "units", required=False, default=0, help="Smaller is served first."),
        Column("latitude", "number", required=False, minimum=-90, maximum=90, help="Where to."),
        Column("longitude", "number", required=False, minimum=-180, maximum=180, help="Where to."),
    ),
    help="Orders to source: as open orders, and how urgent and where to.",
)

# What an order has once, however many rows it has.
OF_AN_ORDER = ("channel", "priority", "latitude", "longitude")


def node_names(network: Network) -> list[str]:
    """Names of the nodes that may send, best first: by priority, then by name."""
    active = [node for node in network.nodes.values() if node.active]
    return [node.node for node in sorted(active, key=lambda node: (node.priority, node.node))]


def check_tables(
    orders: Table, stock: Table, network: Network, of_an_order: tuple[str, ...] = OF_AN_ORDER
) -> None:
    """Raise one error with every unknown name and every order that contradicts itself."""
    problems = check_references(orders, "sku", network.skus)
    if network.channels:
        problems += check_references(orders, "channel", network.channels, "channel")
    problems += check_references(orders, "node", network.nodes, "node")
    problems += check_references(stock, "sku", network.skus)
    problems += check_references(stock, "node", network.nodes, "node")
    order = orders.codes("order").codes
    first = first_rows(order)
    for name in of_an_order:
        values = orders[name]
        other = values != values[first[order]]
        if values.dtype.kind == "f":
            other &= ~(np.isnan(values) & np.isnan(values[first[order]]))
        for row in np.flatnonzero(other).tolist()[:100]:
            message = f"order {orders['order'][row]!r} has {name} {values[first[order[row]]]} "
            message += f"in row {first[order[row]] + 1}; give all its rows one {name}"
            problems.append(Problem(orders.name, row + 1, name, message))
    half = np.isnan(orders["latitude"]) != np.isnan(orders["longitude"])
    for row in np.flatnonzero(half).tolist()[:100]:
        problems.append(
            Problem(orders.name, row + 1, "longitude", "give latitude and longitude, or none")
        )
    if problems:
        raise FrameError(problems)


def stock_matrix(stock: Table, network: Network, skus: list[str], nodes: list[str]) -> np.ndarray:
    """Return units on hand, (n_skus, n_nodes) int64; inactive nodes have no column."""
    scale = np.array([network.skus[one].unit_scale for one in stock.codes("sku").labels], np.int64)
    units = smallest_units(
        stock["on_hand"], scale[stock.codes("sku").codes], table=stock.name, column="on_hand"
    )
    row_of = {sku: row for row, sku in enumerate(skus)}
    column_of = {node: column for column, node in enumerate(nodes)}
    rows = np.array([row_of.get(one, -1) for one in stock.codes("sku").labels], np.int64)
    columns = np.array([column_of.get(one, -1) for one in stock.codes("node").labels], np.int64)
    at_row, at_column = rows[stock.codes("sku").codes], columns[stock.codes("node").codes]
    wanted = (at_row >= 0) & (at_column >= 0)
    matrix = np.zeros((len(skus), len(nodes)), dtype=np.int64)
    matrix[at_row[wanted], at_column[wanted]] = units[wanted]
    return matrix


def questions(
    orders: Table, network: Network, nodes: list[str], cost: ShippingCost
) -> tuple[Questions, np.ndarray, list[str]]:
    """Return the arrays, which table row each of their rows is, and the stocked SKUs."""
    order = orders.codes("order").codes
    first = first_rows(order)
    # Orders by priority, then by their first row; rows of an order as given.
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.lexsort((first, orders["priority"][first]))] = np.arange(len(first))
    rows = np.argsort(rank[order], kind="stable")
    order_of_row = rank[order][rows]
    row_offsets = _offsets(order_of_row, len(first))
    leader = rows[row_offsets[:-1]]

    skus, part_offsets, part_sku, part_units = explode_rows(orders, rows, network)
    row_of_part = np.repeat(np.arange(len(rows)), np.diff(part_offsets))
    key = order_of_row[row_of_part] * len(skus) + part_sku
    lines, part_line = np.unique(key, return_inverse=True)
    scale = np.array([network.skus[one].unit_scale for one in orders.codes("sku").labels], np.int64)
    quantity = smallest_units(
        orders["quantity"], scale[orders.codes("sku").codes], table=orders.name
    )
    place, package_cost = _package_costs(orders, leader, network, nodes, cost)
    asked = Questions(
        row_offsets=row_offsets,
        row_quantity=quantity[rows],
        part_offsets=part_offsets,
        part_line=part_line.astype(np.int64),
        part_units=part_units,
        line_offsets=_offsets(lines // max(len(skus), 1), len(first)),
        line_sku=lines % max(len(skus), 1),
        line_node=_line_nodes(orders, rows[row_of_part], part_line, len(lines), nodes),
        channel=orders.codes("channel").codes[leader].astype(np.int64),
        place=place,
        allowed=allowed_nodes(orders.codes("channel").labels, network, nodes),
        package_cost=package_cost,
        unit_cost=cost.per_unit(nodes),
    )
    return asked, rows, skus


def explode_rows(
    orders: Table, rows: np.ndarray, network: Network
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Return the stocked SKUs, and of each row its parts: offsets, SKU, units in one unit."""
    exploded = [network.explode(label) for label in orders.codes("sku").labels]
    skus = sorted({part for parts in exploded for part in parts})
    at = {sku: row for row, sku in enumerate(skus)}
    part_sku = np.array([at[part] for parts in exploded for part in parts], dtype=np.int64)
    units = np.array([one for parts in exploded for one in parts.values()], dtype=np.int64)
    n_parts = np.array([len(parts) for parts in exploded], dtype=np.int64)
    start = np.cumsum(n_parts) - n_parts

    label = orders.codes("sku").codes[rows]
    offsets = np.concatenate(([0], np.cumsum(n_parts[label]))).astype(np.int64)
    row = np.repeat(np.arange(len(rows)), n_parts[label])
    pick = start[label[row]] + np.arange(len(row)) - offsets[row]
    return skus, offsets, part_sku[pick], units[pick]


def _line_nodes(
    orders: Table, rows: np.ndarray, part_line: np.ndarray, n_lines: int, nodes: list[str]
) -> np.ndarray:
    """Return the only node that may send each line, -1 for any; ``rows`` are those of the parts."""
    code_of = {node: code for code, node in enumerate(nodes)}
    # A node that is not active sends nothing; its number is that of no node.
    labels = orders.codes("node").labels
    codes = [code_of.get(one, len(nodes)) if one else -1 for one in labels]
    only = np.array(codes, dtype=np.int64)[orders.codes("node").codes[rows]]
    line_node = np.full(n_lines, -1, dtype=np.int64)
    line_node[part_line] = only
    wrong = np.unique(rows[only != line_node[part_line]])
    if wrong.size:
        message = "order {!r} asks for one SKU at different nodes; make it two orders"
        raise FrameError(
            [
                Problem(orders.name, row + 1, "node", message.format(orders["order"][row]))
                for row in wrong.tolist()[:100]
            ]
        )
    return line_node


def first_rows(codes: np.ndarray) -> np.ndarray:
    """First row of every code."""
    first = np.full(int(codes.max(initial=-1)) + 1, len(codes), dtype=np.int64)
    np.minimum.at(first, codes, np.arange(len(codes)))
    return first


def _offsets(sorted_groups: np.ndarray, n_groups: int) -> np.ndarray:
    return np.searchsorted(sorted_groups, np.arange(n_groups + 1)).astype(np.int64)


def allowed_nodes(channels: tuple[str, ...], network: Network, nodes: list[str]) -> np.ndarray:
    """Whether a node serves a channel, (n_channels, n_nodes) bool."""
    allowed = np.ones((len(channels), len(nodes)), dtype=np.bool_)
    for row, name in enumerate(channels):
        served_by = network.channels[name].nodes if name in network.channels else ()
        if served_by:
            allowed[row] = [node in served_by for node in nodes]
    return allowed


def _package_costs(
    orders: Table, leader: np.ndarray, network: Network, nodes: list[str], cost: ShippingCost
) -> tuple[np.ndarray, np.ndarray]:
    """Return each order's place, and cents per package, (places, n_nodes)."""
    base = cost.per_package(nodes)
    places = np.column_stack([orders["latitude"][leader], orders["longitude"][leader]])
    known = ~np.isnan(places[:, 0])
    if not cost.cents_per_km or not known.any():
        return np.zeros(len(leader), dtype=np.int64), base[None, :].copy()

    where = [(network.nodes[node].latitude, network.nodes[node].longitude) for node in nodes]
    unknown = [node for node, at in zip(nodes, where, strict=True) if None in at]
    if unknown:
        raise InputError(
            f"nodes {', '.join(unknown[:8])} have no latitude and longitude, "
            "but cents_per_km needs distances; give coordinates or cents_per_km=0"
        )
    targets, place_of_known = np.unique(places[known], axis=0, return_inverse=True)
    kilometres = haversine(targets[:, 0], targets[:, 1], *np.array(where, dtype=np.float64).T)
    moved = distance_cost(kilometres, package_cents=base, cents_per_km=cost.cents_per_km)
    # An order to nowhere pays no kilometres: the last row.
    place = np.full(len(leader), len(targets), dtype=np.int64)
    place[known] = place_of_known.reshape(-1)
    return place, np.vstack([moved, base[None, :]])
