"""A virtual retailer and its customers: seeded demand that drives the real engine."""

from omnistock.simulation.retailer import Retailer, make_retailer

__all__ = ["Retailer", "make_retailer"]
