"""Templates of all tables: a small shop whose rows fit together, so that a plan works on them."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import Path
from typing import Any

from omnistock.errors import InputError

__all__ = ["example_tables", "write_templates"]

_FIRST_DAY = dt.date(2026, 5, 4)  # a Monday
_DAYS = 56

# sku, name, category, unit_scale, unit_cost, unit_price, pack_size, minimum_order
_SKUS = (
    ("TEE-M", "T-shirt, medium", "clothing", 1, 4.2, 14.9, 6, 12),
    ("TEE-L", "T-shirt, large", "clothing", 1, 4.2, 14.9, 6, 12),
    ("SOCKS", "Socks, pair", "clothing", 1, 0.9, 4.5, 10, 20),
    ("MUG", "Mug", "kitchen", 1, 2.1, 8.9, 4, 0),
    ("COFFEE", "Coffee beans, by the kilogram", "kitchen", 1000, 9.8, 19.5, 5, 10),
    ("BREAKFAST", "Mug with 250 g of coffee", "kitchen", 1, 0, 15.9, 1, 0),
)
_KITS = (("BREAKFAST", "MUG", 1), ("BREAKFAST", "COFFEE", 0.25))
_NODES = (
    ("DC1", "warehouse", 51.34, 12.37, 0),
    ("S1", "store", 52.52, 13.40, 1),
    ("S2", "store", 53.55, 9.99, 1),
    ("SUPPLIER", "supplier", 50.11, 8.68, 0),
)
_CHANNELS = (
    ("store", 1, 1, "S1|S2", 0, 0.95),
    ("web", 1, 2, "DC1|S1", 5, 0.97),
    ("marketplace", 2, 1, "DC1", 900, ""),
)
_LANES = (
    ("SUPPLIER", "DC1", 7, 2, 7),
    ("DC1", "S1", 2, 0.5, 1),
    ("DC1", "S2", 2, 0.5, 1),
)
# Selling units on an ordinary day, by channel and the node it sells from.
_DAILY: dict[str, tuple[float, float, float, float]] = {
    "TEE-M": (2.2, 1.4, 5.0, 2.1),
    "TEE-L": (1.6, 1.1, 3.6, 1.5),
    "SOCKS": (3.1, 2.4, 6.2, 4.0),
    "MUG": (0.6, 0.5, 1.3, 0.7),
    "COFFEE": (1.4, 0.9, 2.6, 0.0),
    "BREAKFAST": (0.2, 0.1, 0.8, 0.0),
}
_WAYS = (("store", "S1"), ("store", "S2"), ("web", "DC1"), ("marketplace", "DC1"))
_WEEKDAY = (0.8, 0.8, 0.9, 1.0, 1.3, 1.5, 0.7)
_STOCKOUTS = ((30, "TEE-M", "S1", 1), (31, "TEE-M", "S1", 0.5), (44, "MUG", "DC1", 1))
_PROMOTION = ("SOCKS", 35, 41, 1.8)


def example_tables() -> dict[str, dict[str, list[Any]]]:
    """Return every table as columns of Python values.

    Examples
    --------
    >>> example_tables()["lanes"]["destination"]
    ['DC1', 'S1', 'S2']
    """
    from omnistock.frames.tables import TABLES

    promoted, start, end, uplift = _PROMOTION
    rows: dict[str, Any] = {
        "skus": _SKUS,
        "kits": _KITS,
        "nodes": _NODES,
        "channels": _CHANNELS,
        "lanes": _LANES,
        "sales": _sales(),
        "stockouts": [(_day(day), *rest) for day, *rest in _STOCKOUTS],
        "stock": _stock(),
        "inbound": [
            ("PO-1001", "TEE-M", "DC1", 60, _day(_DAYS + 3)),
            ("PO-1001", "SOCKS", "DC1", 100, _day(_DAYS + 3)),
            ("TR-2001", "MUG", "S1", 8, _day(_DAYS + 1)),
        ],
        "orders": [
            ("W-5001", "TEE-M", "web", 2, "", ""),
            ("W-5001", "BREAKFAST", "web", 1, "", ""),
            ("W-5002", "COFFEE", "web", 1.5, "DC1", _day(_DAYS + 2)),
        ],
        "promotions": [
            (promoted, _day(start), _day(end), uplift, ""),
            (promoted, _day(_DAYS + 7), _day(_DAYS + 13), "", "web"),
        ],
    }
    return {
        name: dict(zip(TABLES[name].names, map(list, zip(*table, strict=True)), strict=True))
        for name, table in rows.items()
    }


def _day(number: int) -> str:
    return (_FIRST_DAY + dt.timedelta(days=number)).isoformat()


def _sales() -> list[tuple[Any, ...]]:
    """Daily sales with a weekly rhythm; days without a sale have no row."""
    sku_out = {(day, sku, node): share for day, sku, node, share in _STOCKOUTS}
    promoted, start, end, uplift = _PROMOTION
    rows = []
    for day in range(_DAYS):
        for number, (sku, daily) in enumerate(_DAILY.items()):
            promotion = sku == promoted and start <= day <= end
            for way, (channel, node) in enumerate(_WAYS):
                rate = daily[way] * _WEEKDAY[day % 7] * (uplift if promotion else 1)
                rate *= 1 - sku_out.get((day, sku, node), 0)
                # A fixed scatter from half to one and a half, without any randomness.
                scatter = 0.5 + (day * 37 + number * 17 + way * 53 + day * day * 7) % 101 / 100
                quantity = _rounded(sku, rate * scatter)
                if quantity:
                    flag = "true" if promotion else "false"
                    rows.append((_day(day), sku, node, channel, quantity, flag))
    return rows


def _rounded(sku: str, quantity: float) -> float:
    """Round to what can be sold: whole pieces, or kilograms to a tenth."""
    return round(quantity, 1) if sku == "COFFEE" else float(int(quantity + 0.5))


def _stock() -> list[tuple[str, str, float]]:
    on_hand = {
        "TEE-M": (48, 9, 7),
        "TEE-L": (72, 8, 9),
        "SOCKS": (120, 20, 15),
        "MUG": (6, 3, 2),
        "COFFEE": (42.5, 8.2, 6.0),
    }
    return [
        (sku, node, units)
        for sku, amounts in on_hand.items()
        for node, units in zip(("DC1", "S1", "S2"), amounts, strict=True)
    ]


def write_templates(folder: Path) -> list[Path]:
    """Write ``NAME.csv`` for every table; nothing is overwritten, and all appear or none.

    Raises
    ------
    InputError
        If a table is there already, or ``folder`` is a file.
    """
    import csv

    from omnistock.frames.files import SUFFIXES

    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; give a folder for the templates")
    tables = example_tables()
    present = [
        name + end for name in tables for end in SUFFIXES if (folder / (name + end)).exists()
    ]
    if present:
        raise InputError(
            f"{folder} already holds {', '.join(present)}; give another folder, or move them away"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, columns in tables.items():
            with (made / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows(zip(*columns.values(), strict=True))
        made.chmod(0o755)
        if folder.exists():
            for path in sorted(made.iterdir()):
                path.rename(folder / path.name)
        else:
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return [folder / f"{name}.csv" for name in tables]
