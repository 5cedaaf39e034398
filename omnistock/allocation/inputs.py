"""Checks of allocation input, shared by the array form and the table form."""

from __future__ import annotations

from typing import Any

import numpy as np

from omnistock.errors import InputError

__all__ = ["LARGEST", "check_consumed", "check_range", "check_weights", "integers", "whole_weights"]

# Largest supply or request, in units. With it no sum inside the kernels overflows.
LARGEST = 2**40
_WEIGHT_STEPS = 1_000_000


def integers(name: str, values: Any) -> np.ndarray:
    """Return ``values`` as int64, or raise if they are not whole numbers already."""
    array = np.asarray(values)
    if array.size == 0 and array.dtype.kind == "f":
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise InputError(f"{name} must hold integers, got {array.dtype}; count in smallest units")
    return array.astype(np.int64, copy=False)


def check_range(name: str, values: np.ndarray, low: int, high: int = LARGEST) -> None:
    """Raise, naming the first offending position, if a value lies outside ``low..high``."""
    if values.size and (values.min() < low or values.max() > high):
        place = np.argwhere((values < low) | (values > high))[0]
        value = values[tuple(place)]
        at = f"[{', '.join(str(i) for i in place)}]" if place.size else ""
        raise InputError(f"{name}{at} must lie in {low}..{high}, got {value}")


def whole_weights(weight: Any) -> np.ndarray:
    """Return weights as integers in the same proportions.

    Whole weights stay as they are; others count to six decimals, so that 0.4 and 0.2
    are exactly two to one although no float is exactly either.
    """
    given = np.asarray(weight)
    if given.dtype.kind not in "iuf":
        raise InputError(f"weight must hold numbers, got {given.dtype}")
    weights = given.astype(np.float64)
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        raise InputError(f"weight must be >= 0 and finite, got {weights[wrong].flat[0]}")
    if weights.size and weights.max() > LARGEST:
        raise InputError(f"weight must be at most {LARGEST}, got {weights.max()}")
    if (weights == np.rint(weights)).all():
        return weights.astype(np.int64)
    steps = np.rint(weights * _WEIGHT_STEPS)
    lost = (steps == 0) & (weights > 0)
    if lost.any():
        raise InputError(
            f"weight {weights[lost].flat[0]} is less than a millionth; "
            "multiply all weights by the same large number, or give 0"
        )
    return steps.astype(np.int64)


def check_weights(weights: np.ndarray, largest_basis: int, n_claims: int) -> None:
    """Raise if ``n_claims`` weights on a basis (1, or the request) could overflow their sums."""
    largest = int(weights.max()) if weights.size else 0
    if largest * max(largest_basis, 1) * max(n_claims, 1) ** 2 >= 2**61:
        raise InputError(
            "weights are graded too finely for these quantities to be divided exactly; "
            "give weights with fewer digits, e.g. whole numbers"
        )


def check_consumed(
    consumed: np.ndarray, requested: np.ndarray, supply: np.ndarray, pack_size: np.ndarray
) -> None:
    """Raise if more is consumed than was asked for, or than the supply of a SKU holds."""
    if not consumed.size:
        return
    wrong = np.argwhere(consumed > requested)
    if len(wrong):
        at = tuple(wrong[0])
        raise InputError(
            f"consumed[{', '.join(str(i) for i in at)}] is {consumed[at]} of {requested[at]} "
            "requested; requests must include what is consumed"
        )
    packs = -(-consumed // pack_size[:, None])
    short = np.flatnonzero(packs.sum(axis=1) > supply // pack_size)
    if len(short):
        s = short[0]
        raise InputError(
            f"supply[{s}] is {supply[s]}, less than the {consumed[s].sum()} consumed of it; "
            "supply must include what is consumed"
        )
