"""From inventory positions and policies to orders and transfers."""

from omnistock.replenishment.by_value import ValuedTransfers, dc_to_stores_by_value
from omnistock.replenishment.lanes import TransferLanes
from omnistock.replenishment.orders import Replenishment, replenish
from omnistock.replenishment.rebalance import Rebalanced, rebalance_arrays
from omnistock.replenishment.tables import rebalance
from omnistock.replenishment.transfers import Transfers, dc_to_stores

__all__ = [
    "Rebalanced",
    "Replenishment",
    "TransferLanes",
    "Transfers",
    "ValuedTransfers",
    "dc_to_stores",
    "dc_to_stores_by_value",
    "rebalance",
    "rebalance_arrays",
    "replenish",
]
