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

from numba import njit, types

__all__ = [
    "apart_kernel",
    "free_kernel",
    "hot_kernel",
    "inner_kernel",
    "kernel",
    "lean_kernel",
]

# A kernel takes arrays and numbers of the dtypes its module names; numba checks them.
Compiled = Callable[..., Any]
_Function = TypeVar("_Function", bound=Compiled)
# Options that numba itself uses for such functions, without a name in its stubs. Kernels
# never divide by zero, so they need no branch that raises for it.
_LEAN: dict[str, Any] = {"_nrt": False, "error_model": "numpy"}
_INNER: dict[str, Any] = {**_LEAN, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
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


def free_kernel(function: _Function) -> _Function:
    """Compile like :func:`kernel`, for long work on arrays that no other thread writes.

    Other threads run meanwhile: two halves of a batch can be worked on side by side.
    """
    return cast(_Function, _stamped(njit(cache=True, nogil=True)(function), function))


def lean_kernel(function: Compiled) -> Compiled:
    """Compile like :func:`kernel`, for functions that neither make nor return arrays.

    Without reference counts for its arrays, a kernel that passes many of them on
    compiles in half the time.
    """
    return _stamped(njit(cache=True, **_LEAN)(function), function)


def apart_kernel(function: Compiled) -> Compiled:
    """Compile like :func:`lean_kernel`, for arrays that only the caller has.

    Other threads of Python run meanwhile.
    """
    return _stamped(njit(cache=True, nogil=True, **_LEAN)(function), function)


def inner_kernel(function: Compiled) -> Compiled:
    """Compile like :func:`lean_kernel`, for functions that only other kernels call."""
    return _inner(function)


def _inner(function: Compiled, **also: Any) -> Compiled:
    compiled: Any = _stamped(njit(cache=True, **_INNER, **also)(function), function)
    if hasattr(compiled, "_insert"):
        # Without a wrapper there is nothing that Python could call.
        compiled._insert = _nothing
        compiled._compile_for_args = functools.partial(_refuse, function.__name__)
    return cast(Compiled, compiled)


def hot_kernel(function: Compiled) -> Compiled:
    """Compile like :func:`inner_kernel`, and always put into the caller's code.

    A call passes every field of every array; on the shortest path of the engine these
    cost more than the work.
    """
    return _inner(function, forceinline=True)


def _nothing(*_: Any) -> None:
    """Take no entry point."""


def _refuse(name: str, *_: Any, **__: Any) -> None:
    raise TypeError(f"{name} is an inner kernel: only other kernels can call it")


def _stamped(compiled: Any, function: Compiled) -> Compiled:
    cache_file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if cache_file is not None and hasattr(cache_file, "_source_stamp"):
        cache_file._source_stamp = _stamp(Path(function.__code__.co_filename).parent)
    if hasattr(compiled, "get_call_template"):
        compiled.get_call_template = _without_literals(compiled.get_call_template)
    return cast(Compiled, compiled)


def _without_literals(template: Callable[..., Any]) -> Callable[..., Any]:
    """Let calls with a constant share the machine code of calls with a variable.

    Numba compiles a function anew for each constant that another kernel passes to it.
    """

    def get_call_template(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        return template(
            tuple(types.unliteral(one) for one in args),
            {name: types.unliteral(one) for name, one in kws.items()},
        )

    return get_call_template
