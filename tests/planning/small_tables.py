"""A small retailer with everything that planning must handle, as tables of plain columns."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

FIRST = dt.date(2026, 3, 2)
DAYS = 70
END = FIRST + dt.timedelta(days=DAYS)

Columns = dict[str, list[Any]]


def network_tables() -> dict[str, Columns]:
    """A warehouse, two stores, a supplier; a kit, a weighed SKU; three channels."""
    return {
        "skus": {
            "sku": ["TEE", "MUG", "TEA", "SET"],
            "name": ["Tee", "Mug", "Loose tea", "Gift set"],
            "unit_scale": [1, 1, 1000, 1],
            "unit_cost": [4.0, 2.0, 12.0, 0.0],
            "unit_price": [10.0, 6.0, 30.0, 25.0],
            "pack_size": [6, 1, 0.5, 1],
            "minimum_order": [12, 0, 0, 0],
        },
        "kits": {"kit": ["SET", "SET"], "component": ["MUG", "TEA"], "quantity": [2, 0.25]},
        "nodes": {
            "node": ["DC", "LEEDS", "YORK", "MILL"],
            "kind": ["warehouse", "store", "store", "supplier"],
        },
        "channels": {
            "channel": ["store", "web", "market"],
            "tier": [1, 1, 2],
            "weight": [1.0, 1.0, 1.0],
            "nodes": ["LEEDS|YORK", "", "DC"],
            "sync_latency_seconds": [0.0, 0.0, 3600.0],
        },
        "lanes": {
            "source": ["MILL", "DC", "DC"],
            "destination": ["DC", "LEEDS", "YORK"],
            "lead_time_days": [6.0, 1.0, 2.0],
            "lead_time_std_days": [1.0, 0.0, 0.0],
            "review_period_days": [7, 1, 1],
        },
    }


def sales_rows(seed: int = 1) -> Columns:
    """Daily sales of ten weeks; the kit sells through the web."""
    rng = np.random.default_rng(seed)
    rows: Columns = {"date": [], "sku": [], "node": [], "channel": [], "quantity": []}
    for day in range(DAYS):
        date = (FIRST + dt.timedelta(days=day)).isoformat()
        for sku, node, channel, rate, scale in (
            ("TEE", "DC", "web", 6.0, 1),
            ("TEE", "DC", "market", 2.0, 1),
            ("TEE", "LEEDS", "store", 3.0, 1),
            ("TEE", "YORK", "store", 1.0, 1),
            ("MUG", "LEEDS", "store", 0.3, 1),
            ("TEA", "DC", "web", 8.0, 0.25),
            ("SET", "DC", "web", 1.5, 1),
        ):
            units = int(rng.poisson(rate))
            if units:
                for name, value in zip(
                    rows, (date, sku, node, channel, units * scale), strict=True
                ):
                    rows[name].append(value)
    return rows


def small_tables(seed: int = 1) -> dict[str, Columns]:
    """All tables of the small retailer; TEE is scarce at the warehouse."""
    return {
        **network_tables(),
        "sales": sales_rows(seed),
        "stock": {
            "sku": ["TEE", "TEE", "TEE", "MUG", "MUG", "TEA"],
            "node": ["DC", "LEEDS", "YORK", "DC", "LEEDS", "DC"],
            "on_hand": [20, 4, 0, 60, 2, 31.5],
        },
        "inbound": {
            "reference": ["PO-1", "PO-2"],
            "sku": ["TEE", "TEA"],
            "node": ["DC", "DC"],
            "quantity": [12, 5.25],
            "eta": [(END + dt.timedelta(days=3)).isoformat(), END.isoformat()],
        },
        "orders": {
            "order": ["O-1", "O-1", "O-2"],
            "sku": ["TEE", "SET", "TEE"],
            "channel": ["web", "web", "market"],
            "quantity": [2, 1, 3],
            "node": ["DC", "", ""],
        },
    }
