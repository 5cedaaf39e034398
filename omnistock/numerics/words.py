"""Words of events in as few bytes as they need.

Most words of a frame are small: kinds, lengths, units, numbers of stockpoints. Each is written
with its sign in the lowest bit (0, -1, 1, -2, ... as 0, 1, 2, 3, ...) in 1 to 4 bytes, lowest
first; how many, less 1, stands in two bits before all of them. This is Stream VByte (Lemire,
Kurz and Rupp, "Stream VByte: Faster byte-oriented integer compression", Information Processing
Letters 130, 2018).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from omnistock.numerics.compiled import apart_kernel

__all__ = ["packed_words", "unpacked_words"]

Int32 = npt.NDArray[np.int32]
_MOST_BYTES = 4


@apart_kernel
def pack_words_into(packed, words):
    """Fill ``packed`` and return how many bytes; 4 for each word and 1 for every 4 fit always."""
    n_words = words.shape[0]
    at = np.int64((n_words + 3) // 4)
    lengths = np.int64(0)
    for k in range(n_words):
        word = np.int64(words[k])
        number = (word << 1) ^ (word >> 63)
        more = np.int64(number > 0xFF) + np.int64(number > 0xFFFF) + np.int64(number > 0xFFFFFF)
        # All four bytes, whether they count or not: the next word is written over the rest.
        packed[at] = number & 0xFF
        packed[at + 1] = (number >> 8) & 0xFF
        packed[at + 2] = (number >> 16) & 0xFF
        packed[at + 3] = (number >> 24) & 0xFF
        at += more + 1
        lengths |= more << (2 * (k & 3))
        if k & 3 == 3 or k == n_words - 1:
            packed[k >> 2] = lengths
            lengths = np.int64(0)
    return at


@apart_kernel
def unpack_words_into(words, packed):
    """Fill ``words`` and return how many bytes they took, -1 if there are not so many."""
    n_words = words.shape[0]
    at = np.int64((n_words + 3) // 4)
    if at > packed.shape[0]:
        return np.int64(-1)
    for k in range(n_words):
        n_bytes = ((np.int64(packed[k >> 2]) >> (2 * (k & 3))) & 3) + 1
        if at + n_bytes > packed.shape[0]:
            return np.int64(-1)
        number = np.int64(0)
        for byte in range(n_bytes):
            number |= np.int64(packed[at + byte]) << (8 * byte)
        words[k] = (number >> 1) ^ -(number & 1)
        at += n_bytes
    return at


def packed_words(words: Int32) -> memoryview:
    """Return the bytes of words.

    Examples
    --------
    >>> import numpy as np
    >>> bytes(packed_words(np.array([3, -1, 300], np.int32))).hex()
    '1006015802'
    """
    packed = np.empty((len(words) + 3) // 4 + _MOST_BYTES * len(words), np.uint8)
    return packed[: int(pack_words_into(packed, words))].data


def unpacked_words(packed: bytes | memoryview, count: int) -> Int32 | None:
    """Return the ``count`` words of these bytes, or None if the bytes are not those of so many.

    Examples
    --------
    >>> unpacked_words(bytes.fromhex("1006015802"), 3)
    array([  3,  -1, 300], dtype=int32)
    """
    # Before room is made for them: no word takes less than a byte.
    if count > len(packed):
        return None
    words = np.empty(count, np.int32)
    taken = unpack_words_into(words, np.frombuffer(packed, np.uint8))
    return words if taken == len(packed) else None
