"""From demand, lead time and a target to safety stock, reorder points and oversell buffers."""

from omnistock.buffers.fill import fill_rate
from omnistock.buffers.lead_time import lead_time_demand
from omnistock.buffers.oversell import OversellRisk, oversell_buffer, oversell_risk
from omnistock.buffers.result import Buffers
from omnistock.buffers.safety import LeadTimeForecast, safety_stock

__all__ = [
    "Buffers",
    "LeadTimeForecast",
    "OversellRisk",
    "fill_rate",
    "lead_time_demand",
    "oversell_buffer",
    "oversell_risk",
    "safety_stock",
]
