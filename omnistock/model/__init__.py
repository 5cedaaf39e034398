"""The nouns of omnichannel retail: frozen dataclasses that check themselves."""

from omnistock.model.calendar import Calendar
from omnistock.model.network import Channel, Lane, Network, Node, Sku
from omnistock.model.quantity import from_units, to_units

__all__ = ["Calendar", "Channel", "Lane", "Network", "Node", "Sku", "from_units", "to_units"]
