"""The nouns of omnichannel retail: frozen dataclasses that check themselves."""

from omnistock.model.calendar import Calendar
from omnistock.model.network import Channel, Lane, Network, Node
from omnistock.model.quantity import QuantityRule, from_units, to_units
from omnistock.model.schedule import Schedule, Transit
from omnistock.model.sku import KitOption, OrderLine, Sku

__all__ = [
    "Calendar",
    "Channel",
    "KitOption",
    "Lane",
    "Network",
    "Node",
    "OrderLine",
    "QuantityRule",
    "Schedule",
    "Sku",
    "Transit",
    "from_units",
    "to_units",
]
