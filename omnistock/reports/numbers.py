"""How numbers stand in a report: thousands apart, no false decimals, a dash for nothing."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

__all__ = ["NOTHING", "compact", "date_text", "days", "number", "share", "units"]

NOTHING = "–"


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def number(value: float | None, decimals: int = 0) -> str:
    """Write a number with thousands apart.

    Examples
    --------
    >>> number(1234567.8)
    '1,234,568'
    """
    if value is None or _missing(value):
        return NOTHING
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def units(value: float | None) -> str:
    """Write a quantity: whole units without decimals, weights with up to three.

    Examples
    --------
    >>> units(12.0), units(1.25)
    ('12', '1.25')
    """
    if value is None or _missing(value):
        return NOTHING
    if float(value).is_integer():
        return number(value)
    if abs(value) >= 100:
        return number(value, 0)
    return number(value, 3).rstrip("0").rstrip(".")


def compact(value: float | None) -> str:
    """Write a large number short, with three figures.

    Examples
    --------
    >>> compact(1234567), compact(980.4)
    ('1.23 M', '980')
    """
    if value is None or _missing(value):
        return NOTHING
    for limit, letter in ((1e9, "bn"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit * 0.9995:
            scaled = value / (1e3 if letter == "k" else limit)
            decimals = max(0, 2 - int(math.log10(abs(scaled))))
            return f"{scaled:,.{decimals}f} {letter}"
    return number(value)


def share(value: float | None, decimals: int = 1) -> str:
    """Write a share of 0..1 as per cent; what is below one never rounds up to 100 %.

    Examples
    --------
    >>> share(0.9543), share(0.99999), share(1.0)
    ('95.4 %', '99.9 %', '100 %')
    """
    if value is None or _missing(value):
        return NOTHING
    if value == 1:
        return "100 %"
    step = 10**decimals
    percent = value * 100
    if 99.9 < percent < 100:
        percent = math.floor(percent * step) / step
    return f"{percent:.{decimals}f} %"


def days(value: float | None) -> str:
    """Write days of cover; years of cover are only said to be that.

    Examples
    --------
    >>> days(12.34), days(5000.0)
    ('12', '> 1 year')
    """
    if value is None or _missing(value):
        return NOTHING
    if value > 365:
        return "> 1 year"
    return number(value, 0 if value >= 10 else 1)


def date_text(day: dt.date) -> str:
    """Write a date in words.

    Examples
    --------
    >>> date_text(dt.date(2026, 7, 1))
    'Wednesday 1 July 2026'
    """
    return f"{day:%A} {day.day} {day:%B %Y}"
