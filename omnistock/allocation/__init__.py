"""Who gets the scarce units: exact water-filling over channels, stores or orders."""

from omnistock.allocation.allocated import Allocated
from omnistock.allocation.groups import Group
from omnistock.allocation.tables import allocate
from omnistock.allocation.waterfill import RULES, Allocation, water_fill

__all__ = ["RULES", "Allocated", "Allocation", "Group", "allocate", "water_fill"]
