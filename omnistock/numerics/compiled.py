"""How kernels are compiled: numba, cached on disk, never stale.

Numba's disk cache looks only at the file of the function itself, so an edit in
another file that the kernel calls would go on running the old machine code.
:func:`kernel` widens the stamp to every source file of the function's own room
and of ``numerics/``.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["kernel", "lean_kernel"]

# A kernel takes arrays and numbers of the dtypes its module names; numba checks them.
Compiled = Callable[..., Any]
_Function = TypeVar("_Function", bound=Compiled)
# An option that numba itself uses for such functions, without a name in its stubs.
_LEAN: dict[str, Any] = {"_nrt": False}
_NUMERICS = Path(__file__).parent


@functools.cache
def _stamp(room: Path) -> str:
    """Digest of the sources that a kernel of ``room`` may call.

    Contents rather than dates: a restored file may carry an older date, and a
    fresh copy of the same sources need not compile again.
    """
    digest = hashlib.blake2b(digest_size=16)
    for folder in sorted({room, _NUMERICS}):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def kernel(function: _Function) -> _Function:
    """Compile ``function`` on first use and cache the machine code on disk."""
    return cast(_Function, _stamped(njit(cache=True)(function), function))


def lean_kernel(function: Compiled) -> Compiled:
    """Compile like :func:`kernel`, for functions that neither make nor return arrays.

    Without reference counts for its arrays, a kernel that passes many of them on
    compiles in half the time.
    """
    return _stamped(njit(cache=True, **_LEAN)(function), function)


def _stamped(compiled: Any, function: Compiled) -> Compiled:
    cache_file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if cache_file is not None and hasattr(cache_file, "_source_stamp"):
        cache_file._source_stamp = _stamp(Path(function.__code__.co_filename).parent)
    return cast(Compiled, compiled)
