"""Who gets the scarce units: by exact water-filling, or where they earn the most."""

from omnistock.allocation.allocated import Allocated
from omnistock.allocation.by_value import ValuedAllocation, allocate_by_value
from omnistock.allocation.groups import Group
from omnistock.allocation.tables import allocate
from omnistock.allocation.waterfill import RULES, Allocation, water_fill

__all__ = [
    "RULES",
    "Allocated",
    "Allocation",
    "Group",
    "ValuedAllocation",
    "allocate",
    "allocate_by_value",
    "water_fill",
]
