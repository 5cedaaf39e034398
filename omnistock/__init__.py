"""omnistock: inventory allocation and forecasting for omnichannel retail.

The names below load on first use, so that ``import omnistock`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# name -> module that defines it
_PUBLIC = {
    "Calendar": "omnistock.model",
    "Channel": "omnistock.model",
    "Lane": "omnistock.model",
    "Network": "omnistock.model",
    "Node": "omnistock.model",
    "Schedule": "omnistock.model",
    "Sku": "omnistock.model",
    "Transit": "omnistock.model",
    "KitOption": "omnistock.model",
    "OrderLine": "omnistock.model",
    "QuantityRule": "omnistock.model",
    "ConflictError": "omnistock.errors",
    "FrameError": "omnistock.errors",
    "InputError": "omnistock.errors",
    "LedgerError": "omnistock.errors",
    "OmnistockError": "omnistock.errors",
    "OutOfStock": "omnistock.errors",
    "UnknownError": "omnistock.errors",
    "forecast": "omnistock.forecasting",
    "Forecast": "omnistock.forecasting",
    "safety_stock": "omnistock.buffers",
    "oversell_buffer": "omnistock.buffers",
    "allocate": "omnistock.allocation",
    "allocate_by_value": "omnistock.allocation",
    "source": "omnistock.sourcing",
    "source_jointly": "omnistock.sourcing",
    "replenish": "omnistock.replenishment",
    "rebalance": "omnistock.replenishment",
    "open": "omnistock.engine",
    "Engine": "omnistock.engine",
    "AsyncEngine": "omnistock.engine",
    "Demand": "omnistock.engine",
    "Fences": "omnistock.engine",
    "plan": "omnistock.planning",
    "warmup": "omnistock.engine",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'omnistock' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
