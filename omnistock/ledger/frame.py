"""One batch of events as bytes: the same bytes in every store.

Layout, little-endian: magic, version, length of the definitions, number of event
words, epoch, sequence number, second, bucket, digest of the frame before; then
the definitions (JSON), the events (int32 words, packed as :mod:`omnistock.numerics.words`
says; four bytes each in version 1), and a digest over all of it.
The digests chain the frames: none can be changed, dropped or put in between
without the next one noticing.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from omnistock.errors import LedgerError
from omnistock.numerics.words import packed_words, unpacked_words

__all__ = ["FIRST_DIGEST", "Frame", "digest_of", "pack_frame", "unpack_frame"]

_HEAD = struct.Struct("<4sIIIqqqq16s")
_MAGIC = b"OMNF"
_VERSION = 2
_UNPACKED = 1
_DIGEST_BYTES = 16
FIRST_DIGEST = bytes(_DIGEST_BYTES)


class Frame(NamedTuple):
    """What one batch did.

    ``definitions`` is JSON: names that are new with this batch, empty if none.
    ``events`` is (n_words,) int32. ``epoch`` counts the openings for writing.
    """

    sequence: int
    epoch: int
    now: int
    bucket: int
    definitions: bytes
    events: npt.NDArray[np.int32]


def digest_of(blob: bytes) -> bytes:
    """Return the digest that ends a packed frame."""
    return blob[-_DIGEST_BYTES:]


def pack_frame(frame: Frame, previous: bytes) -> bytes:
    """Pack a frame; ``previous`` is the digest of the frame before it.

    Examples
    --------
    >>> import numpy as np
    >>> frame = Frame(1, 1, 0, 0, b"", np.zeros(3, np.int32))
    >>> unpack_frame(pack_frame(frame, FIRST_DIGEST), FIRST_DIGEST, 1).events
    array([0, 0, 0], dtype=int32)
    """
    words = np.ascontiguousarray(frame.events, dtype=np.int32)
    head = _HEAD.pack(
        _MAGIC,
        _VERSION,
        len(frame.definitions),
        len(words),
        frame.epoch,
        frame.sequence,
        frame.now,
        frame.bucket,
        previous,
    )
    digest = hashlib.blake2b(head, digest_size=_DIGEST_BYTES)
    digest.update(frame.definitions)
    packed = packed_words(words)
    digest.update(packed)
    return b"".join((head, frame.definitions, packed, digest.digest()))


def unpack_frame(blob: bytes, previous: bytes, sequence: int) -> Frame:
    """Unpack frame number ``sequence`` and check it against the frame before.

    Raises
    ------
    LedgerError
        If a byte of it has changed, it is cut short, or it does not follow.
    """
    where = f"ledger frame {sequence}"
    if len(blob) < _HEAD.size + _DIGEST_BYTES:
        raise LedgerError(f"{where} is cut short: {len(blob)} bytes")
    body = blob[:-_DIGEST_BYTES]
    if hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest() != digest_of(blob):
        raise LedgerError(f"{where} is damaged: its checksum does not fit its content")
    magic, version, n_text, n_words, epoch, number, now, bucket, before = _HEAD.unpack_from(body)
    if magic != _MAGIC or version not in (_VERSION, _UNPACKED):
        raise LedgerError(f"{where} is of format {magic!r} {version}, not {_MAGIC!r} {_VERSION}")
    if number != sequence:
        raise LedgerError(f"{where} is missing: frame {number} stands in its place")
    if before != previous:
        raise LedgerError(f"{where} does not follow the frame before it: one of them was replaced")
    text_end = _HEAD.size + n_text
    words = body[text_end:]
    events: npt.NDArray[np.int32] | None = None
    if version == _VERSION:
        events = unpacked_words(words, n_words)
    elif len(words) == 4 * n_words:
        events = np.frombuffer(words, dtype="<i4").astype(np.int32)
    if events is None:
        raise LedgerError(f"{where} has the wrong length")
    return Frame(number, epoch, now, bucket, body[_HEAD.size : text_end], events)
