"""Tables of commands and questions: checked whole before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from omnistock.availability.arena import State
from omnistock.engine import reads
from omnistock.engine.askers import Asker
from omnistock.engine.commands import Command
from omnistock.engine.limit_commands import SetBuffer, SetLimit
from omnistock.engine.registry import Registry
from omnistock.engine.stock_commands import Expect, Receive
from omnistock.engine.writer import Writer
from omnistock.errors import FrameError, Problem
from omnistock.frames import Column, Table, TableSpec, check_references, read_table

__all__ = ["availability", "buffers", "check_names", "expectations", "limits", "receipts"]

_SKU = Column("sku", "text")
_NODE = Column("node", "text")
_UNITS = Column("quantity", "units", minimum=0, help="Smallest units.")
_RECEIPTS = TableSpec("receipts", (_SKU, _NODE, _UNITS))
_EXPECTED = TableSpec(
    "expected receipts",
    (Column("reference", "text"), _SKU, _NODE, _UNITS, Column("eta", "time")),
    key=("reference", "sku", "node"),
)
_BUFFERS = TableSpec(
    "buffers",
    (
        _SKU,
        Column("node", "text", required=False),
        Column("channel", "text", required=False),
        _UNITS,
    ),
)
_LIMITS = TableSpec(
    "limits",
    (_SKU, Column("channel", "text"), _UNITS, Column("until", "time", required=False, default=0)),
    key=("sku", "channel"),
)
_QUESTIONS = TableSpec(
    "questions",
    (
        _SKU,
        Column("channel", "text", required=False),
        Column("node", "text", required=False),
    ),
)

Commands = tuple[Table, list[Command]]


def receipts(source: Any) -> Commands:
    """Read a table of receipts; rows of 0 units do nothing."""
    table = read_table(source, _RECEIPTS)
    rows = zip(*(table[name].tolist() for name in ("sku", "node", "quantity")), strict=True)
    return table, [Receive(sku, node, units) for sku, node, units in rows if units]


def expectations(source: Any) -> Commands:
    """Read a table of expected receipts."""
    table = read_table(source, _EXPECTED)
    names = ("sku", "node", "quantity", "eta", "reference")
    rows = zip(*(table[name].tolist() for name in names), strict=True)
    return table, [Expect(*row) for row in rows]


def buffers(source: Any) -> Commands:
    """Read a table of buffers, each of a node, of a channel, or of a channel at a node."""
    table = read_table(source, _BUFFERS)
    names = ("sku", "quantity", "node", "channel")
    rows = list(zip(*(table[name].tolist() for name in names), strict=True))
    problems = [
        Problem("buffers", k + 1, None, "name a node, a channel or both")
        for k, (_, _, node, channel) in enumerate(rows)
        if not (node or channel)
    ]
    if problems:
        raise FrameError(problems)
    return table, [
        SetBuffer(sku, units, node or None, channel or None) for sku, units, node, channel in rows
    ]


def limits(what: str, source: Any) -> Commands:
    """Read a table of quotas or protections."""
    table = read_table(source, _LIMITS, name=f"{what}s" if what == "protection" else "quotas")
    names = ("sku", "channel", "quantity", "until")
    rows = zip(*(table[name].tolist() for name in names), strict=True)
    return table, [SetLimit(what, sku, ch, units, until or None) for sku, ch, units, until in rows]


def check_names(table: Table, registry: Registry, *, kits: bool = False) -> None:
    """Check that every SKU (a kit only with ``kits``), node and channel of a table is known.

    Raises
    ------
    FrameError
        With every row that names another.
    """
    skus = {one.sku for one in registry.sku_list if kits or (not one.is_kit and one.tracked)}
    problems: list[Problem] = []
    problems += check_references(table, "sku", skus, "SKU")
    for column, known in (("node", registry.nodes), ("channel", registry.channels)):
        if column in table:
            problems += check_references(table, column, {*known, ""}, column)
    if problems:
        raise FrameError(problems)


def availability(writer: Writer, state: State, source: Any) -> Any:
    """Answer a table of questions in the caller's own kind of table."""
    table = read_table(source, _QUESTIONS)
    registry = writer.registry
    check_names(table, registry, kits=True)
    skus, channels, nodes = (
        _codes(table, "sku", registry.sku),
        _codes(table, "channel", lambda name: writer.asker(Asker.of(name or None))),
        _codes(table, "node", lambda name: registry.node(name) if name else -1),
    )
    state = writer.state
    kits = np.array([one.is_kit for one in registry.sku_list])[skus]
    units = np.zeros(len(table), np.int64)
    units[~kits] = reads.available_many(state, skus[~kits], channels[~kits], nodes[~kits])
    names = {name: table[name] for name in ("sku", "channel", "node")}
    for k in np.flatnonzero(kits).tolist():
        asker, place = names["channel"][k] or None, names["node"][k] or None
        asked = reads.question(writer, names["sku"][k], {"channel": asker, "node": place})
        units[k] = reads.ask(state, asked)
    return table.native({**_given(names), "available": units})


def _given(columns: dict[str, Any]) -> dict[str, Any]:
    """Columns that the caller gave: those with any text in them."""
    return {name: column for name, column in columns.items() if name == "sku" or any(column)}


def _codes(table: Table, column: str, code: Any) -> npt.NDArray[np.int64]:
    coded = table.codes(column)
    labels: Sequence[str] = coded.labels
    by_label = np.array([code(label) for label in labels], np.int64)
    return np.take(by_label, np.asarray(coded.codes))
