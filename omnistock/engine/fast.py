"""Many orders at once, in arrays: no Python object for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from omnistock.availability import layout
from omnistock.availability.arena import State
from omnistock.availability.best import best_nodes_into
from omnistock.availability.packing import pack_orders_into, packed_size
from omnistock.engine.askers import Asker
from omnistock.errors import InputError, UnknownError

if TYPE_CHECKING:
    from omnistock.engine.registry import Registry
    from omnistock.engine.writer import Writer

__all__ = ["BestNodes", "ReservedArrays", "best_nodes", "codes_of", "reserve_arrays"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ReservedArrays:
    """What became of many orders, in their order.

    Attributes
    ----------
    ok : (n_orders,) bool
        Held in full (or, with partial, in part).
    hold : (n_orders,) int64
        Number of the hold, -1 of a refused order.
    outcome : (n_orders,) int64
        0 held, 1 short, 2 the request id was used with another content.
    n_short : (n_orders,) int64
        Lines that lack something.
    """

    ok: npt.NDArray[np.bool_]
    hold: Int64
    outcome: Int64
    n_short: Int64


@dataclass(frozen=True, slots=True)
class BestNodes:
    """Which node can give most of each SKU, in the order asked.

    Attributes
    ----------
    nodes : (n_skus,) int64
        Numbers of nodes, -1 where no node can give anything.
    units : (n_skus,) int64
        What may be promised there now, in smallest units.
    """

    nodes: Int64
    units: Int64


def codes_of(known: dict[str, int], kind: str, names: Sequence[str]) -> Int64:
    """Codes of names."""
    try:
        return np.array([known[name] for name in names], np.int64)
    except KeyError as error:
        raise UnknownError(kind, str(error.args[0]), list(known)[:8]) from None


class KitTable:
    """Components of every SKU by code: those of SKU k lie in rows offsets[k] to offsets[k + 1]."""

    def __init__(self, registry: Registry) -> None:
        self.size = len(registry.sku_list)
        self.is_kit = np.array([sku.is_kit for sku in registry.sku_list], np.uint8)
        self.unstocked = np.array([sku.is_kit or not sku.tracked for sku in registry.sku_list])
        counts = np.zeros(self.size, np.int64)
        parts: list[tuple[int, int]] = []
        for code in np.flatnonzero(self.is_kit).tolist():
            if any(option.required for option in registry.sku_list[code].options):
                continue
            components = registry.components(code)
            counts[code] = len(components)
            parts += components
        # A SKU that is no kit has no rows; neither has a bundle, which cannot be asked for here.
        self.offsets = np.concatenate([[0], np.cumsum(counts)])
        self.parts = np.array(parts, np.int64).reshape(-1, 2)
        self.is_bundle = (self.is_kit != 0) & (counts == 0)
        self.has_bundles = bool(self.is_bundle.any())


def _column(name: str, values: Any, length: int | None = None) -> Int64:
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise InputError(f"{name} must hold integers, got {array.dtype}")
    if array.ndim != 1 or (length is not None and len(array) != length):
        raise InputError(f"{name} must have shape ({length},), got {array.shape}")
    return np.ascontiguousarray(array, np.int64)


def reserve_arrays(
    writer: Writer, *, line_offsets: Any, skus: Any, quantities: Any, nodes: Any, orders: Any,
    request_ids: Any, asker: Asker, ttl_s: int | None, partial: bool, due: int | None,
    now: int | None,
) -> ReservedArrays:  # fmt: skip
    """Carry out many reservations in one frame; see :meth:`Engine.reserve_arrays`."""
    registry = writer.registry
    offsets = _column("line_offsets", line_offsets)
    n_orders = len(offsets) - 1
    lines = _column("skus", skus)
    n_lines = len(lines)
    if n_orders < 1 or offsets[0] != 0 or offsets[-1] != n_lines or (np.diff(offsets) < 1).any():
        raise InputError(
            f"line_offsets must begin with 0, ascend and end with the number of lines {n_lines}"
        )
    units = _column("quantities", quantities, n_lines)
    places = np.full(n_lines, -1, np.int64) if nodes is None else _column("nodes", nodes, n_lines)
    numbers = np.arange(1, n_orders + 1) if orders is None else _column("orders", orders, n_orders)
    _check_lines(registry, lines, units, places)
    if ((numbers < 0) | (numbers >= 1 << 31)).any():
        raise InputError("orders must lie in 0..2**31-1")
    ids = np.zeros((n_orders, 2), np.int64)
    if request_ids is not None:
        given = np.asarray(request_ids)
        if given.shape != (n_orders, 2) or given.dtype not in (np.int64, np.uint64):
            raise InputError(
                f"request_ids must be ({n_orders}, 2) int64, got {given.shape} {given.dtype}"
            )
        ids = np.ascontiguousarray(given).view(np.int64)
    kits = writer.kit_table()
    if kits.has_bundles and kits.is_bundle[lines].any():
        bundle = registry.sku_list[int(lines[np.argmax(kits.is_bundle[lines])])].sku
        raise InputError(f"bundle {bundle!r} needs its selections: reserve it with reserve")
    flags = layout.PARTIAL if partial else 0
    bucket = 0 if due is None else registry.calendar.bucket_of(due)
    head = np.array([writer.asker(asker), ttl_s or 0, flags, bucket, due or 0], np.int64)
    words = np.empty(packed_size(offsets, lines, kits.is_kit, kits.offsets), np.int64)
    command_offsets = np.empty(n_orders + 1, np.int64)
    pack_orders_into(
        words, command_offsets, offsets, lines, places, units, -2 - numbers, ids, head,
        kits.is_kit, kits.offsets, kits.parts,
    )  # fmt: skip
    results, at = writer.submit_words(words, command_offsets, now)
    start = at[:-1]
    outcome = results[start]
    refused = outcome == layout.CONFLICT
    # The answer of a conflict is one word long: the next ones belong to the next order.
    last = len(results) - 1
    hold = np.where(refused, -1, results[np.minimum(start + 1, last)])
    short = np.where(refused, 0, results[np.minimum(start + 3, last)])
    return ReservedArrays(outcome == layout.OK, hold, outcome, short)


def _check_lines(registry: Registry, lines: Int64, units: Int64, places: Int64) -> None:
    """Check codes and quantities of all lines at once."""
    if lines.min() < 0 or lines.max() >= len(registry.sku_list):
        raise InputError(f"skus must be codes in 0..{len(registry.sku_list) - 1}")
    if places.min() < -1 or places.max() >= len(registry.node_list):
        raise InputError(f"nodes must be codes in -1..{len(registry.node_list) - 1}")
    if units.min() < 1 or units.max() > layout.MOST_UNITS // 1000:
        raise InputError(f"quantities must lie in 1..{layout.MOST_UNITS // 1000}")


def best_nodes(writer: Writer, state: State, skus: Any, asker: int) -> BestNodes:
    """Find the node that can give most of each SKU; see :meth:`Engine.best_nodes`."""
    registry = writer.registry
    codes = _column("skus", skus)
    if len(codes) and (codes.min() < 0 or codes.max() >= len(registry.sku_list)):
        raise InputError(f"skus must be codes in 0..{len(registry.sku_list) - 1}")
    unstocked = writer.kit_table().unstocked[codes]
    if unstocked.any():
        name = registry.sku_list[int(codes[np.argmax(unstocked)])].sku
        raise InputError(f"SKU {name!r} is a kit or not tracked: ask available for each node")
    nodes = np.empty(len(codes), np.int64)
    units = np.empty(len(codes), np.int64)
    line = np.array([0, -1, 0, 0, -1, 0, 0, 0], np.int64)
    best_nodes_into(nodes, units, state, codes, asker, line)
    return BestNodes(nodes, units)
