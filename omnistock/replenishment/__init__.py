"""From inventory positions and policies to orders and transfers."""

from omnistock.replenishment.orders import Replenishment, replenish
from omnistock.replenishment.transfers import Transfers, dc_to_stores

__all__ = ["Replenishment", "Transfers", "dc_to_stores", "replenish"]
