"""What stockpoints may promise for now, as one word for each: written here, read in bulk.

The word is units << 32, below them 2 * (LARGEST_POINT - s), so that of equal units the first
stockpoint has the largest word, and 1 if the stockpoint has flags. It follows from the record,
and whoever changes a record's first words calls :func:`note_free`.
"""

from __future__ import annotations

import numpy as np

from omnistock.availability.layout import (
    AT_FREE,
    BASE,
    BUFFER,
    FLAGS,
    FREE_UNITS,
    LARGEST_POINT,
    MINIMA,
    PLENTY,
)
from omnistock.numerics.compiled import inner_kernel, lean_kernel


@inner_kernel
def note_free(records, stock, s):
    """Write what a stockpoint may promise anybody for now, as its record has it."""
    units = np.int64(records[s, BASE]) + np.int64(records[s, MINIMA]) - np.int64(records[s, BUFFER])
    units = min(max(units, np.int64(0)), np.int64(PLENTY))
    flagged = 1 if records[s, FLAGS] != 0 else 0
    stock[stock[AT_FREE] + s] = (units << FREE_UNITS) | ((LARGEST_POINT - s) << 1) | flagged


@lean_kernel
def free_into(units, free, handles):
    """Fill ``units[k]`` with what stockpoint ``handles[k]`` may promise anybody for now.

    ``free`` is the column, read only: the compiler then knows that writing the answers
    changes none of it. Returns the number of answers, which is less than asked if a handle is
    not the number of a stockpoint.
    """
    count = np.uint64(free.shape[0])
    for k in range(units.shape[0]):
        # Without a sign a negative number is a large one, and nothing wraps around.
        handle = np.uint64(handles[k])
        if handle >= count:
            return k
        units[k] = free[handle] >> FREE_UNITS
    return units.shape[0]
