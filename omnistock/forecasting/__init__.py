"""Forecasting: sales history in, demand distributions out."""

from omnistock.forecasting.api import forecast
from omnistock.forecasting.arrays import ForecastArrays
from omnistock.forecasting.explain import ForecastExplanation
from omnistock.forecasting.forecaster import forecast_series
from omnistock.forecasting.reasons import REASONS
from omnistock.forecasting.result import Forecast

__all__ = [
    "REASONS",
    "Forecast",
    "ForecastArrays",
    "ForecastExplanation",
    "forecast",
    "forecast_series",
]
