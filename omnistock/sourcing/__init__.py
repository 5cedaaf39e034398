"""Which node sends what: exact for a cart, in order of priority for many orders."""

from omnistock.sourcing.cart import CartPlan, SourcingRules, source_cart
from omnistock.sourcing.choices import Choice, PlannedLine, choose_nodes
from omnistock.sourcing.conditions import Condition
from omnistock.sourcing.costs import CostTerm, ShippingCost
from omnistock.sourcing.criteria import Candidates, Criterion, Request
from omnistock.sourcing.distances import distance_cost, haversine
from omnistock.sourcing.joint_costs import JointCost, Zone
from omnistock.sourcing.jointly import JointlySourced, source_jointly
from omnistock.sourcing.parcels import Parcel, ParcelRules, pack
from omnistock.sourcing.routing import RoutingBook, RoutingRule, RoutingVersions
from omnistock.sourcing.strategies import Strategy, rank_nodes
from omnistock.sourcing.tables import Sourced, source

__all__ = [
    "Candidates",
    "CartPlan",
    "Choice",
    "Condition",
    "CostTerm",
    "Criterion",
    "JointCost",
    "JointlySourced",
    "Parcel",
    "ParcelRules",
    "PlannedLine",
    "Request",
    "RoutingBook",
    "RoutingRule",
    "RoutingVersions",
    "ShippingCost",
    "Sourced",
    "SourcingRules",
    "Strategy",
    "Zone",
    "choose_nodes",
    "distance_cost",
    "haversine",
    "pack",
    "rank_nodes",
    "source",
    "source_cart",
    "source_jointly",
]
