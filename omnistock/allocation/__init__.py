"""Who gets the scarce units: exact water-filling over channels, stores or orders."""

from omnistock.allocation.tables import Allocated, allocate
from omnistock.allocation.waterfill import RULES, Allocation, water_fill

__all__ = ["RULES", "Allocated", "Allocation", "allocate", "water_fill"]
