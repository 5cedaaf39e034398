"""Whole numbers as replenishment takes them: checked, of one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from omnistock.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["refuse_rows", "whole_numbers"]

# Sums of a few such numbers stay far inside int64.
_LARGEST = 2**60


def whole_numbers(name: str, values: ArrayLike, *, least: int | None = None) -> np.ndarray:
    """Return ``values`` as int64, refusing fractions, NaN and what lies below ``least``."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        wrong = ~((array == np.floor(array)) & (np.abs(array) < _LARGEST))
        refuse_rows(wrong, f"{name} must be whole units", array)
    elif array.dtype.kind not in "iu":
        raise InputError(f"{name} must be integers, got {array.dtype}")
    elif array.dtype.kind == "u":
        refuse_rows(array > np.uint64(_LARGEST), f"{name} must be at most {_LARGEST}", array)
    array = array.astype(np.int64)
    refuse_rows(np.abs(array) > _LARGEST, f"{name} must be at most {_LARGEST}", array)
    if least is not None:
        refuse_rows(array < least, f"{name} must be >= {least}", array)
    return array


def refuse_rows(wrong: np.ndarray, expected: str, values: np.ndarray) -> None:
    """Raise with the first row that is wrong, if there is one."""
    if not np.any(wrong):
        return
    if values.ndim == 0:
        raise InputError(f"{expected}, got {values[()]}")
    where = tuple(int(index[0]) for index in np.nonzero(wrong))
    place = where[0] if len(where) == 1 else where
    raise InputError(f"{expected}; row {place} (from 0) has {values[where]}")
