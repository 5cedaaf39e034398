"""What many stockpoints may promise for now, straight from their records."""

from __future__ import annotations

import numpy as np

from omnistock.availability.layout import BASE, BUFFER, FLAGS, MINIMA, PLENTY
from omnistock.numerics.compiled import lean_kernel


@lean_kernel
def free_into(units, flat, width, handles):
    """Fill ``units[k]`` with what stockpoint ``handles[k]`` may promise anybody for now.

    ``flat`` are the records in one row each of ``width`` words, read only: the compiler
    then knows that writing the answers changes none of them. Returns the flags of all
    stockpoints together; with any set, some of the answers need the long way.
    """
    flags = np.int32(0)
    for k in range(units.shape[0]):
        # Without a sign there is no wrapping around of negative numbers to look out for.
        at = np.uint64(handles[k] * width)
        flags |= flat[at + np.uint64(FLAGS)]
        free = np.int64(flat[at + np.uint64(BASE)]) + np.int64(flat[at + np.uint64(MINIMA)])
        free -= np.int64(flat[at + np.uint64(BUFFER)])
        units[k] = min(max(free, 0), PLENTY)
    return flags
