"""The nightly chain: forecast, buffers, replenishment, allocation to channels."""

from omnistock.planning.nightly import plan
from omnistock.planning.opening import LoadedEngine, load_engine
from omnistock.planning.result import OpeningState, OpenOrder, Plan, PlanSettings

__all__ = [
    "LoadedEngine",
    "OpenOrder",
    "OpeningState",
    "Plan",
    "PlanSettings",
    "load_engine",
    "plan",
]
