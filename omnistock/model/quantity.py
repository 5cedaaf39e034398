"""Quantities: exact integers in the SKU's smallest unit, never floats."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction

from omnistock.errors import InputError

__all__ = ["MAX_UNITS", "from_units", "to_units"]

# A stockpoint's record is int32, and sums of a few such numbers must fit too.
MAX_UNITS = 1_000_000_000


def to_units(quantity: int | str | Decimal | Fraction | float, unit_scale: int = 1) -> int:
    """Convert a quantity to whole smallest units, exactly or not at all.

    Parameters
    ----------
    quantity : int, str, Decimal, Fraction or float
        In the SKU's selling unit (pieces, kilograms). A float counts as the
        decimal it prints as, so ``0.12`` is exactly twelve hundredths.
    unit_scale : int
        Smallest units in one selling unit (1000 for kilograms kept in grams).

    Returns
    -------
    int
        The quantity in smallest units.

    Raises
    ------
    InputError
        If it is no number, not a whole number of smallest units, or too large.

    Examples
    --------
    >>> to_units("0.12", 1000)
    120
    """
    if isinstance(quantity, int) and not isinstance(quantity, bool) and unit_scale == 1:
        units = quantity
    else:
        units = _exact_units(quantity, unit_scale)
    if abs(units) > MAX_UNITS:
        raise InputError(f"quantity {quantity} is {units} units; at most {MAX_UNITS} are allowed")
    return units


def _exact_units(quantity: object, unit_scale: int) -> int:
    try:
        if isinstance(quantity, bool):
            raise TypeError("a truth value is no quantity")
        if isinstance(quantity, (Fraction, int)):
            exact = Fraction(quantity)
        else:
            exact = Fraction(Decimal(str(quantity)))
    except (InvalidOperation, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{quantity!r} is not a quantity; give an integer or a decimal") from error
    units = exact * unit_scale
    if units.denominator != 1:
        raise InputError(
            f"{quantity} is not a whole number of smallest units "
            f"(1 selling unit = {unit_scale} smallest units)"
        )
    return int(units)


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
