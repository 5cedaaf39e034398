"""The picture of one series: history, mean forecast, intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.errors import InputError
from omnistock.forecasting.quantiles import moment_quantiles

if TYPE_CHECKING:
    from omnistock.forecasting.result import Forecast

__all__ = ["forecast_chart"]

_SOLD, _EXPECTED = "#4c566a", "#1f6fb4"


def forecast_chart(forecast: Forecast, i: int, n_periods: int | None = None) -> Any:
    """Return an altair chart; periods without full stock are marked."""
    import altair as alt

    if not 0 <= i < len(forecast):
        raise InputError(f"series {i} does not exist; there are {len(forecast)}")
    history = forecast.history
    panel = history.panel
    low, high = panel.offsets[i], panel.offsets[i + 1]
    shown = min(int(high - low), n_periods or max(4 * forecast.horizon, 60))
    numbers = history.first[i] + np.arange(high - low - shown, high - low)
    past = [
        {"date": _text(when), "units": float(units), "stock": "in stock" if share >= 1 else "short"}
        for when, units, share in zip(
            history.frequency.starts(numbers),
            panel.values[high - shown : high],
            panel.stocked[high - shown : high],
            strict=True,
        )
    ]
    bands = [(0.05, 0.95), (0.25, 0.75)]
    quantiles = moment_quantiles(
        forecast.mean[i],
        forecast.variance[i],
        np.full(forecast.horizon, forecast.counts[i]),
        np.array([level for band in bands for level in band]),
    )
    future = [
        {
            "date": _text(forecast.dates[i, j]),
            "mean": float(forecast.mean[i, j]),
            **{f"q{k}": float(quantiles[j, k]) for k in range(4)},
        }
        for j in range(forecast.horizon)
    ]
    kind: Any = "quantitative" if history.frequency.kind == "units" else "temporal"
    x = alt.X("date", type=kind, title=None)
    sold = alt.Chart(alt.Data(values=past))
    ahead = alt.Chart(alt.Data(values=future))
    y = "units per period"
    layers = [
        ahead.mark_area(opacity=0.18, color=_EXPECTED).encode(
            x=x, y=alt.Y("q0:Q", title=y), y2="q1:Q"
        ),
        ahead.mark_area(opacity=0.3, color=_EXPECTED).encode(
            x=x, y=alt.Y("q2:Q", title=y), y2="q3:Q"
        ),
        ahead.mark_line(color=_EXPECTED).encode(x=x, y=alt.Y("mean:Q", title=y)),
        sold.mark_line(color=_SOLD, strokeWidth=1).encode(x=x, y=alt.Y("units:Q", title=y)),
        sold.mark_point(color="#c0392b", size=18, filled=True)
        .encode(x=x, y="units:Q", tooltip=["date:N", "units:Q", "stock:N"])
        .transform_filter("datum.stock == 'short'"),
    ]
    title = ", ".join(f"{name} {values[i]}" for name, values in forecast.keys.items())
    subtitle = "line: mean; bands: 50 % and 90 % of demand; red: not in stock all the time"
    return alt.layer(*layers).properties(
        width=640, height=260, title=alt.TitleParams(title, subtitle=subtitle, anchor="start")
    )


def _text(when: Any) -> Any:
    return int(when) if np.issubdtype(type(when), np.integer) else str(when)
