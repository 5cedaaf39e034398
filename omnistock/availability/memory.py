"""Memory that the system hands out page by page, when it is first written to.

What is asked for here may be far more than will ever be used: an array with room to grow into
need not be copied into a larger one.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import sys
from typing import TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["can_reserve", "is_reserved", "make_ready", "zeros"]

_Word = TypeVar("_Word", np.int32, np.int64)
# Below this an ordinary array does as well.
_LARGE_BYTES = 1 << 22
# Linux's own number: Python's mmap does not name it in all versions.
_NORESERVE = 0x4000
_POPULATE_WRITE = 23


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


def zeros(count: int, dtype: type[_Word]) -> npt.NDArray[_Word]:
    """Return ``count`` zeros, in large pages where the system has them.

    Random reads of an array of many megabytes spend much of their time on finding pages; a
    large page is found once for 500 small ones.

    Examples
    --------
    >>> zeros(3, np.int64)
    array([0, 0, 0])
    """
    size = count * np.dtype(dtype).itemsize
    pages = _reserve(size) if size >= _LARGE_BYTES else None
    if pages is None:
        return np.zeros(count, dtype)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):
            pages.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(pages, dtype, count)


def is_reserved(array: npt.NDArray[np.generic]) -> bool:
    """Whether an array's pages are handed out one by one."""
    base = array.base
    return isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap)


def make_ready(array: npt.NDArray[np.generic], first: int, last: int) -> bool:
    """Have the pages of words ``first`` up to ``last`` handed out now; False if refused.

    Nothing is written to them, and other threads of Python run meanwhile.
    """
    start = (array.ctypes.data + first * array.itemsize) // mmap.PAGESIZE * mmap.PAGESIZE
    size = array.ctypes.data + last * array.itemsize - start
    advise = ctypes.CDLL(None).madvise
    return bool(advise(ctypes.c_void_p(start), ctypes.c_size_t(size), _POPULATE_WRITE) == 0)
