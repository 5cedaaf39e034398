"""Opening an engine on a plan: stock, receipts, open orders, buffers, quotas, protections."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omnistock.errors import InputError
from omnistock.frames import smallest_units
from omnistock.model.calendar import to_seconds
from omnistock.planning.result import Plan

__all__ = ["LoadedEngine", "load_engine"]

# The files that a ledger keeps beside its database.
_SIDE_FILES = ("", "-wal", "-shm", "-journal", ".lock")


@dataclass(frozen=True)
class LoadedEngine:
    """An engine opened on a plan.

    Attributes
    ----------
    engine : Engine
    placed : int
        Open orders that became hard reservations.
    refused : tuple of (order, reason)
        Open orders that stock could not meet; nothing of them is reserved.
    """

    engine: Any
    placed: int
    refused: tuple[tuple[str, str], ...]


def load_engine(plan: Plan, path: str | Path = ":memory:") -> LoadedEngine:
    """Open a new engine and load the plan into it.

    Open orders are reserved before buffers, quotas and protections are set: those were
    planned for the demand still to come.

    Parameters
    ----------
    plan : Plan
    path : str or Path
        A file that does not exist yet, or ``":memory:"``. If loading fails, no file is left.

    Returns
    -------
    LoadedEngine

    Raises
    ------
    InputError
        If ``path`` exists: loading twice would double the stock.
    """
    from omnistock.engine import open as open_engine

    in_memory = str(path) == ":memory:"
    if not in_memory and Path(path).exists():
        raise InputError(
            f"{path} exists; open it with omnistock.open, or give a new path to start from the plan"
        )
    engine = open_engine(str(path), plan.network)
    try:
        placed, refused = _load(engine, plan)
    except BaseException:
        engine.close()
        if not in_memory:
            for ending in _SIDE_FILES:
                Path(f"{path}{ending}").unlink(missing_ok=True)
        raise
    return LoadedEngine(engine, placed, refused)


def _load(engine: Any, plan: Plan) -> tuple[int, tuple[tuple[str, str], ...]]:
    from omnistock.engine import Reserve

    now = to_seconds(plan.as_of, plan.network.calendar.time_zone)
    stock = plan.opening.stock
    here = stock["quantity"] > 0
    engine.receive_many({name: column[here] for name, column in stock.items()}, now=now)
    if len(plan.opening.inbound["quantity"]):
        engine.expect_many(_receipts(plan.opening.inbound), now=now)
    commands = [
        Reserve(order.order, order.lines, channel=order.channel) for order in plan.opening.orders
    ]
    outcomes = engine.reserve_many(commands, now=now) if commands else []
    refused = tuple(
        (command.order, outcome.reason)
        for command, outcome in zip(commands, outcomes, strict=True)
        if outcome.status == "rejected"
    )
    for setter, table in (
        (engine.set_buffers, _in_units(plan, plan.channel_buffers, "buffer")),
        (engine.set_quotas, _limits(plan, "quota")),
        (engine.set_protections, _limits(plan, "protection")),
    ):
        if len(table["quantity"]):
            setter(table, now=now)
    return len(commands) - len(refused), refused


def _receipts(inbound: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return inbound with one row per reference, SKU and node.

    The engine moves a receipt that is expected again, so a delivery in parts must be
    told apart: its rows get their day added to the reference.
    """
    columns = ("reference", "sku", "node")
    keys = list(zip(*(inbound[name].tolist() for name in columns), strict=True))
    times = Counter(keys)
    days = inbound["eta"].astype("datetime64[s]").astype("datetime64[D]")
    named = [
        key[0] if times[key] == 1 else f"{key[0]} of {day}"
        for key, day in zip(keys, days, strict=True)
    ]
    return {**inbound, "reference": np.array(named, object)}


def _in_units(plan: Plan, table: Any, column: str) -> dict[str, np.ndarray]:
    """Return sku, channel and a column of selling units as smallest units."""
    skus = np.array(table["sku"].to_pylist(), object)
    scale = np.array([plan.network.skus[sku].unit_scale for sku in skus], np.int64)
    return {
        "sku": skus,
        "channel": np.array(table["channel"].to_pylist(), object),
        "quantity": smallest_units(table[column].to_numpy(), scale),
    }


def _limits(plan: Plan, column: str) -> dict[str, np.ndarray]:
    """Return the quotas or protections that are set, with the second they end."""
    import pyarrow.compute as pc

    table = plan.allocation
    known = pc.is_valid(table[column])
    if column == "protection":  # nothing to protect is no protection; a quota of 0 is one
        known = pc.and_(known, pc.greater(table[column], 0))
    table = table.filter(known)
    zone = plan.network.calendar.time_zone
    until = [to_seconds(day, zone) for day in table["until"].to_pylist()]
    return {**_in_units(plan, table, column), "until": np.array(until, np.int64)}
