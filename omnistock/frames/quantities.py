"""Quantities in selling units -> whole smallest units, exactly or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from omnistock.errors import InputError
from omnistock.frames.findings import Findings
from omnistock.model.quantity import MAX_UNITS, to_units

__all__ = ["smallest_units"]

_POWERS_OF_TEN = np.array([10**k for k in range(7)])


def smallest_units(
    quantity: Any, unit_scale: Any = 1, *, table: str = "table", column: str = "quantity"
) -> np.ndarray:
    """Convert quantities to whole smallest units, row by row the same as ``to_units``.

    Parameters
    ----------
    quantity : (n,) array or list of int, float, Decimal or str
        In selling units. A float counts as the decimal it prints as.
    unit_scale : int or (n,) int64
        Smallest units in one selling unit.
    table, column : str
        Where the quantities stand, for the error.

    Returns
    -------
    (n,) int64
        Smallest units.

    Raises
    ------
    FrameError
        Naming every row whose quantity is no whole number of smallest units, or larger
        than the engine can count.

    Examples
    --------
    >>> smallest_units([0.12, 3.0], [1000, 1])
    array([120,   3])
    """
    given = np.asarray(quantity)
    if given.ndim == 0:
        given = given.reshape(1)
    scale = np.broadcast_to(np.asarray(unit_scale, dtype=np.int64), given.shape)
    units = np.zeros(given.shape, dtype=np.int64)
    done = np.zeros(given.shape, dtype=bool)
    if given.dtype.kind in "iuf":
        units, done = _fast(given, scale)
    findings = Findings(table)
    for row in np.flatnonzero(~done).tolist():
        try:
            units[row] = to_units(_python(given[row]), int(scale[row]))
        except InputError as error:
            findings.rows(column, [row], str(error))
    findings.raise_if_any()
    return units


def _python(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _fast(given: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Convert rows whose answer floats decide; the others are left to exact fractions.

    A decimal of at most 15 digits is the only one of so few digits that rounds to its
    float. Hence, for a scale of 10**k and at most ``MAX_UNITS`` units, ``units / scale``
    rounds to ``given`` only if ``units`` is exactly ``given * scale``.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        values = given.astype(np.float64)
        rounded = np.rint(values * scale)
        fits = np.abs(rounded) <= MAX_UNITS
        whole = np.rint(values) == values
        decimal = np.isin(scale, _POWERS_OF_TEN) & (rounded / scale == values)
        done = fits & (whole | decimal)
    return np.where(done, rounded, 0.0).astype(np.int64), done
