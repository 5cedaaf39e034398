"""What many stockpoints may promise for now, straight from their records."""

from __future__ import annotations

import numpy as np

from omnistock.availability.layout import BASE, BUFFER, MINIMA, PLENTY
from omnistock.numerics.compiled import lean_kernel


@lean_kernel
def free_into(units, flat, width, handles, count):
    """Fill ``units[k]`` with what stockpoint ``handles[k]`` may promise anybody for now.

    ``flat`` are the records in one row each of ``width`` words, read only: the compiler
    then knows that writing the answers changes none of them. Returns the number of answers,
    which is less than asked if a handle is not in 0 .. ``count`` - 1.
    """
    for k in range(units.shape[0]):
        # Without a sign a negative number is a large one, and nothing wraps around.
        handle = np.uint64(handles[k])
        if handle >= np.uint64(count):
            return k
        at = handle * np.uint64(width)
        free = np.int64(flat[at + np.uint64(BASE)]) + np.int64(flat[at + np.uint64(MINIMA)])
        free -= np.int64(flat[at + np.uint64(BUFFER)])
        units[k] = min(max(free, 0), PLENTY)
    return units.shape[0]
