"""Which node sends what: exact for a cart, in order of priority for many orders."""

from omnistock.sourcing.cart import CartPlan, SourcingRules, source_cart
from omnistock.sourcing.costs import ShippingCost
from omnistock.sourcing.distances import distance_cost, haversine
from omnistock.sourcing.tables import Sourced, source

__all__ = [
    "CartPlan",
    "ShippingCost",
    "Sourced",
    "SourcingRules",
    "distance_cost",
    "haversine",
    "source",
    "source_cart",
]
