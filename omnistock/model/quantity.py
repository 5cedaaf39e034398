"""Quantities: exact integers in the SKU's smallest unit, never floats."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from types import MappingProxyType

from omnistock.errors import InputError

__all__ = ["MAX_UNITS", "QuantityRule", "from_units", "to_units", "unit_ratios"]

# A stockpoint's record is int32, and sums of a few such numbers must fit too.
MAX_UNITS = 1_000_000_000


def to_units(
    quantity: int | str | Decimal | Fraction | float,
    unit_scale: int = 1,
    units: Mapping[str, Fraction] | None = None,
) -> int:
    """Convert a quantity to whole smallest units, exactly or not at all.

    Parameters
    ----------
    quantity : int, str, Decimal, Fraction or float
        In the SKU's selling unit (pieces, kilograms). A float counts as the
        decimal it prints as, so ``0.12`` is exactly twelve hundredths. A text may
        name one of ``units`` after the number: ``"2 dozen"``.
    unit_scale : int
        Smallest units in one selling unit (1000 for kilograms kept in grams).
    units : mapping of str to Fraction, optional
        Units of measure: how many selling units each one is, as
        :func:`unit_ratios` gives them.

    Returns
    -------
    int
        The quantity in smallest units.

    Raises
    ------
    InputError
        If it is no number, names an unknown unit of measure, is not a whole number of
        smallest units, or is too large.

    Examples
    --------
    >>> to_units("0.12", 1000)
    120
    >>> to_units("2 dozen", 1, unit_ratios((("dozen", "12"),)))
    24
    """
    if isinstance(quantity, int) and not isinstance(quantity, bool) and unit_scale == 1:
        count = quantity
    else:
        count = _exact_units(quantity, unit_scale, units or {})
    if abs(count) > MAX_UNITS:
        raise InputError(f"quantity {quantity} is {count} units; at most {MAX_UNITS} are allowed")
    return count


def _exact_units(quantity: object, unit_scale: int, units: Mapping[str, Fraction]) -> int:
    amount, ratio = quantity, Fraction(1)
    if isinstance(quantity, str) and len(parts := quantity.split(maxsplit=1)) == 2:
        amount, unit = parts[0], parts[1].rstrip()
        if unit not in units:
            known = ", ".join(units) or "none"
            raise InputError(f"{quantity!r} names no unit of measure of the SKU; known: {known}")
        ratio = units[unit]
    try:
        if isinstance(amount, bool):
            raise TypeError("a truth value is no quantity")
        if isinstance(amount, (Fraction, int)):
            exact = Fraction(amount)
        else:
            exact = Fraction(Decimal(str(amount)))
    except (InvalidOperation, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{quantity!r} is not a quantity; give an integer or a decimal") from error
    count = exact * ratio * unit_scale
    if count.denominator != 1:
        raise InputError(
            f"{quantity} is not a whole number of smallest units "
            f"(1 selling unit = {unit_scale} smallest units)"
        )
    return int(count)


@functools.cache
def unit_ratios(units: tuple[tuple[str, str], ...]) -> Mapping[str, Fraction]:
    """Read units of measure, each with its ratio to the selling unit, as exact fractions.

    Parameters
    ----------
    units : tuple of (str, str)
        Name of each unit of measure, and how many selling units it is: ``"12"``,
        ``"0.001"`` or ``"1/1000"``.

    Returns
    -------
    mapping of str to Fraction

    Raises
    ------
    InputError
        If a name is empty, begins like a number or comes twice, or a ratio is not above 0.

    Examples
    --------
    >>> unit_ratios((("dozen", "12"), ("g", "1/1000")))["g"]
    Fraction(1, 1000)
    """
    ratios: dict[str, Fraction] = {}
    for pair in units:
        if len(pair) != 2:
            raise InputError(f"a unit of measure is a name and a ratio, got {pair!r}")
        name, text = pair
        if not isinstance(name, str) or not name or name != " ".join(name.split()):
            raise InputError(f"a unit of measure needs a name, got {name!r}")
        if name in ratios:
            raise InputError(f"unit of measure {name!r} is defined twice")
        try:
            if not isinstance(text, str):
                raise TypeError("a ratio is exact only as a text")
            ratios[name] = Fraction(text)
        except (TypeError, ValueError, ZeroDivisionError) as error:
            raise InputError(
                f"unit of measure {name!r}: {text!r} is no ratio; give a text like '12' or '1/1000'"
            ) from error
        if ratios[name] <= 0:
            raise InputError(f"unit of measure {name!r}: the ratio must be > 0, got {text!r}")
    return MappingProxyType(ratios)


def from_units(units: int, unit_scale: int = 1) -> int | Decimal:
    """Give smallest units back in the selling unit: an int, or an exact Decimal if scaled.

    Examples
    --------
    >>> from_units(120, 1000)
    Decimal('0.12')
    """
    if unit_scale == 1:
        return units
    exact = Fraction(units, unit_scale)
    if exact.denominator == 1:
        return Decimal(int(exact))
    return Decimal(units) / Decimal(unit_scale)


@dataclass(frozen=True, slots=True)
class QuantityRule:
    """Which quantities may be asked for, whatever is in stock.

    An ``int`` counts smallest units; a text is in selling units and may name a unit of
    measure, like every quantity.

    Attributes
    ----------
    minimum : int or str
        The least that may be asked for.
    maximum : int, str or None
        The most; None sets no limit.
    increment : int or str
        Only multiples of it may be asked for.
    integer_only : bool
        Only whole selling units.
    """

    minimum: int | str = 0
    maximum: int | str | None = None
    increment: int | str = 1
    integer_only: bool = False

    def __post_init__(self) -> None:
        minimum, maximum, increment = self.minimum, self.maximum, self.increment
        for name, value in (("minimum", minimum), ("maximum", maximum), ("increment", increment)):
            if isinstance(value, bool) or not isinstance(value, (int, str, type(None))):
                raise InputError(f"{name} must be an int (smallest units) or a text, got {value!r}")
        if isinstance(minimum, int) and minimum < 0:
            raise InputError(f"minimum must be >= 0, got {minimum}")
        if isinstance(increment, int) and increment < 1:
            raise InputError(f"increment must be >= 1, got {increment}")
        if isinstance(minimum, int) and isinstance(maximum, int) and maximum < minimum:
            raise InputError(f"maximum {maximum} is below minimum {minimum}")

    def refusal(
        self, quantity: int, unit_scale: int = 1, units: Mapping[str, Fraction] | None = None
    ) -> str | None:
        """Return why ``quantity`` may not be asked for, or None if it may.

        Parameters
        ----------
        quantity : int
            Smallest units.
        unit_scale, units
            Of the SKU, as for :func:`to_units`.

        Returns
        -------
        {"not_integer", "below_minimum", "above_maximum", "not_increment"} or None

        Raises
        ------
        InputError
            If a text of the rule is no whole number of smallest units of the SKU, or the
            increment is not above 0.

        Examples
        --------
        >>> QuantityRule(minimum=7).refusal(6)
        'below_minimum'
        >>> QuantityRule(increment="0.5").refusal(1_500, unit_scale=1000) is None
        True
        """

        def count(value: int | str) -> int:
            return value if isinstance(value, int) else to_units(value, unit_scale, units)

        increment = count(self.increment)
        if increment < 1:
            raise InputError(f"increment must be > 0, got {self.increment!r}")
        if self.integer_only and quantity % unit_scale:
            return "not_integer"
        if quantity < count(self.minimum):
            return "below_minimum"
        if self.maximum is not None and quantity > count(self.maximum):
            return "above_maximum"
        return "not_increment" if quantity % increment else None
