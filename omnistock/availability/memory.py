"""Memory that the system hands out page by page, when it is first written to.

What is asked for here may be far more than will ever be used: an array with room to grow into
need not be copied into a larger one.
"""

from __future__ import annotations

import contextlib
import mmap
import sys
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["can_reserve", "zeros"]

_Word = TypeVar("_Word", np.int32, np.int64)
# Below this an ordinary array does as well.
_LARGE_BYTES = 1 << 22
# Linux's own number: Python's mmap does not name it in all versions.
_NORESERVE = 0x4000


def _reserve(size: int) -> mmap.mmap | None:
    """Map so many bytes of zeros that count as used only once they are; None if refused."""
    if sys.platform != "linux":
        return None
    try:
        return mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE)
    except (OSError, ValueError, OverflowError):
        return None


def can_reserve(size: int) -> bool:
    """Whether so many bytes of address space can be had."""
    pages = _reserve(size)
    if pages is None:
        return False
    pages.close()
    return True


def zeros(count: int, dtype: type[_Word], *, large_pages: bool = False) -> npt.NDArray[_Word]:
    """Return ``count`` zeros.

    Random reads of an array of many megabytes spend much of their time on finding pages; a
    large page is found once for 500 small ones. It is handed out whole, though, which on a
    virtual machine can take milliseconds: too long for an array that grows while callers wait.

    Examples
    --------
    >>> zeros(3, np.int64)
    array([0, 0, 0])
    """
    size = count * np.dtype(dtype).itemsize
    pages = _reserve(size) if size >= _LARGE_BYTES else None
    if pages is None:
        return np.zeros(count, dtype)
    if large_pages and hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):
            pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, dtype, count)
