"""The engine that order systems hold: queries, commands, durability, concurrency."""

from omnistock.engine.commands import (
    Adjust,
    Confirm,
    Count,
    Expect,
    Issue,
    Receive,
    Release,
    Reserve,
    SetBuffer,
    SetLimit,
    SetNode,
    Ship,
    TakeBack,
    Transfer,
)
from omnistock.engine.engine import Engine
from omnistock.engine.opening import open, warmup
from omnistock.engine.results import (
    AtpRow,
    Explanation,
    Hold,
    HoldLine,
    Outcome,
    Verification,
)

__all__ = [
    "Adjust",
    "AtpRow",
    "Confirm",
    "Count",
    "Engine",
    "Expect",
    "Explanation",
    "Hold",
    "HoldLine",
    "Issue",
    "Outcome",
    "Receive",
    "Release",
    "Reserve",
    "SetBuffer",
    "SetLimit",
    "SetNode",
    "Ship",
    "TakeBack",
    "Transfer",
    "Verification",
    "open",
    "warmup",
]
