"""Between the engine's answers and the independent books: holds as units per stockpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from omnistock.simulation.books import Books
from omnistock.simulation.orders import Event

__all__ = [
    "counted",
    "due_receipts",
    "open_holds",
    "open_units",
    "shipped_lines",
    "shipped_units",
    "still_open",
    "stock_differences",
]


def open_units(lines: Iterable[Any]) -> dict[tuple[str, str], int]:
    """Return the open units of hold lines per stockpoint (SKU, node)."""
    units: Counter[tuple[str, str]] = Counter()
    for line in lines:
        units[line.sku, line.node] += line.quantity
    return dict(units)


def still_open(hold: Any, lines: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return ``lines`` cut to what the hold has open of each SKU on its own."""
    left: Counter[str] = Counter()
    for line in hold.lines:
        left[line.sku] += line.quantity if line.asked in ("", line.sku) else 0
    return [(sku, min(units, left[sku])) for sku, units in lines if left[sku]]


def shipped_lines(hold: Any, lines: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return ``lines`` cut to what the hold has shipped of each SKU on its own."""
    left: Counter[str] = Counter()
    for line in hold.lines:
        left[line.sku] += line.shipped - line.returned if line.asked in ("", line.sku) else 0
    return [(sku, min(units, left[sku])) for sku, units in lines if left[sku] > 0]


def shipped_units(before: Any, after: Any) -> dict[tuple[str, str], int]:
    """Return what left the house between two states of a hold."""
    units: Counter[tuple[str, str]] = Counter()
    for line in after.lines:
        units[line.sku, line.node] += line.shipped
    for line in before.lines:
        units[line.sku, line.node] -= line.shipped
    return {point: shipped for point, shipped in units.items() if shipped}


def counted(
    engine: Any, stock: Mapping[str, Any] | None, now: int | None
) -> dict[tuple[str, str], int]:
    """Return the physical stock that the books begin with."""
    if stock is None:
        table = engine.stock(now=now)
        stock = {name: table[name].to_pylist() for name in ("sku", "node")}
        stock["quantity"] = table["on_hand"].to_pylist()
    rows = zip(stock["sku"], stock["node"], stock["quantity"], strict=True)
    return {(str(sku), str(node)): int(units) for sku, node, units in rows}


def open_holds(
    engine: Any, now: int | None
) -> Iterator[tuple[str, dict[tuple[str, str], int], int | None]]:
    """Yield the promises that stand before the first event."""
    for status in ("held", "confirmed"):
        for hold in engine.holds(status=status, now=now):
            yield f"hold {hold.hold_id}", open_units(hold.lines), hold.expires_at


def due_receipts(events: Iterable[Event]) -> Iterator[tuple[int, str, str, int]]:
    """Yield second, SKU, node and units of every receipt among the events."""
    for event in events:
        if event.kind == "receipt":
            for sku, units in event.lines:
                yield event.time, sku, event.node, units


def stock_differences(engine: Any, books: Books, now: int | None = None) -> list[tuple[str, str]]:
    """Return the stockpoints (SKU, node) whose stock or promises the engine has otherwise."""
    table = engine.stock(now=now)
    columns = [
        table[name].to_pylist() for name in ("sku", "node", "on_hand", "reserved", "committed")
    ]
    seen: dict[tuple[str, str], tuple[int, int]] = {}
    for sku, node, on_hand, reserved, committed in zip(*columns, strict=True):
        seen[sku, node] = (on_hand, reserved + committed)
    promised = books.promised_units()
    points = seen.keys() | books.on_hand.keys() | promised.keys()
    return sorted(
        point
        for point in points
        if seen.get(point, (0, 0)) != (books.on_hand.get(point, 0), promised.get(point, 0))
    )
