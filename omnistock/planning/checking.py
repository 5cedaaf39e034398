"""Checks across tables: every name that a table uses is defined in the table it belongs to."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from omnistock.errors import FrameError, Problem
from omnistock.frames import Table, check_references

__all__ = ["check_tables"]

# table -> columns and what they name
_REFERENCES = {
    "kits": (("kit", "SKU"), ("component", "SKU")),
    "lanes": (("source", "node"), ("destination", "node")),
    "sales": (("sku", "SKU"), ("node", "node"), ("channel", "channel")),
    "stockouts": (("sku", "SKU"), ("node", "node")),
    "stock": (("sku", "SKU"), ("node", "node")),
    "inbound": (("sku", "SKU"), ("node", "node")),
    "orders": (("sku", "SKU"), ("node", "node"), ("channel", "channel")),
    "promotions": (("sku", "SKU"), ("channel", "channel")),
}


def check_tables(tables: dict[str, Table]) -> None:
    """Raise one FrameError with every name that is unknown or stands where it cannot.

    A kit has no stock of its own, and a supplier neither sells nor keeps stock for us.
    """
    known = {
        "SKU": set(tables["skus"].codes("sku").labels),
        "node": set(tables["nodes"].codes("node").labels),
        "channel": set(tables["channels"].codes("channel").labels),
    }
    problems = _empty(tables)
    for name, columns in _REFERENCES.items():
        if name in tables:
            for column, what in columns:
                problems += check_references(tables[name], column, known[what], what)
    problems += _channel_nodes(tables["channels"], known["node"])
    kinds = tables["nodes"]["kind"]
    suppliers = set(tables["nodes"]["node"][kinds == "supplier"])
    for name in ("sales", "stockouts", "stock", "inbound", "orders"):
        if name in tables:
            message = "is a supplier; name the node of yours that holds the stock"
            problems += _forbidden(tables[name], "node", suppliers, message)
    problems += _forbidden(
        tables["lanes"], "destination", suppliers, "is a supplier; lanes lead to nodes of yours"
    )
    if "kits" in tables:
        kits = set(tables["kits"].codes("kit").labels)
        message = "is a kit, which has no stock of its own; give the stock of its components"
        for name in ("stock", "inbound"):
            if name in tables:
                problems += _forbidden(tables[name], "sku", kits, message)
    if "orders" in tables:
        problems += _one_channel(tables["orders"])
    if problems:
        raise FrameError(problems)


def _one_channel(orders: Table) -> list[Problem]:
    """Return a problem for each order whose lines name different channels."""
    first: dict[str, tuple[int, str]] = {}
    problems = []
    for row, (order, channel) in enumerate(zip(orders["order"], orders["channel"], strict=True)):
        seen = first.setdefault(order, (row, channel))
        if seen[1] != channel:
            message = (
                f"order {order!r} came through {seen[1]!r} in row {seen[0] + 1} and {channel!r} "
                "here; give them different order numbers"
            )
            problems.append(Problem("orders", row + 1, "channel", message))
    return problems


def _empty(tables: dict[str, Table]) -> list[Problem]:
    return [
        Problem(name, None, None, "has no row; planning needs at least one")
        for name in ("skus", "nodes", "channels", "sales")
        if not len(tables[name])
    ]


def _forbidden(table: Table, column: str, names: Collection[str], message: str) -> list[Problem]:
    """Return a problem for the first row of each name that may not stand in ``column``."""
    coded = table.codes(column)
    problems = []
    for code, label in enumerate(coded.labels):
        if label in names:
            row = int(np.argmax(coded.codes == code)) + 1
            problems.append(Problem(table.name, row, column, f"{label!r} {message}"))
    return problems


def _channel_nodes(channels: Table, known: Collection[str]) -> list[Problem]:
    problems = []
    for row, listed in enumerate(channels["nodes"]):
        for node in listed.split("|") if listed else ():
            if node.strip() not in known:
                message = f"unknown node {node!r}; give names from the table nodes, joined by |"
                problems.append(Problem("channels", row + 1, "nodes", message))
    return problems
