"""A hint to the processor: this word will be wanted soon.

A read waits until memory has answered, and with it all that comes after; a hint waits for
nothing. Kernels that know what they will read can so have many words on their way at once.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

__all__ = ["prefetch"]

_BYTE = ir.IntType(8).as_pointer()
_NUMBER = ir.IntType(32)
_HINT = ir.FunctionType(ir.VoidType(), [_BYTE, _NUMBER, _NUMBER, _NUMBER])
# To be written, to be kept in all caches, data.
_HOW = (1, 3, 1)


def _prefetch(_typing: Any, array: Any, index: Any) -> Any:
    """Type and machine code of the hint."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, given[0]).data
        hint = builder.module.declare_intrinsic("llvm.prefetch", (_BYTE,), _HINT)
        address = builder.bitcast(builder.gep(data, [given[1]]), _BYTE)
        builder.call(hint, [address, *(_NUMBER(number) for number in _HOW)])
        return context.get_dummy_value()

    return types.void(array, index), code


def _nothing(_array: Any, _index: Any) -> None:
    """In plain Python there is nobody to hint to."""


# prefetch(array, index): word ``index`` of an array as it lies in memory, whatever its shape. A
# wrong index does no harm.
prefetch: Any = _nothing if getattr(config, "DISABLE_JIT", 0) else intrinsic(_prefetch)
