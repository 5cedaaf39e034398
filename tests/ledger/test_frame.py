"""A frame tells when it was changed, cut, dropped or put in another place."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import LedgerError
from omnistock.ledger import Frame, pack_frame, unpack_frame
from omnistock.ledger.frame import FIRST_DIGEST, digest_of


def frame(number=1, words=(1, 2, 3), text=b"{}"):
    return Frame(number, 4, 1_000, 7, text, np.array(words, np.int32))


@given(
    words=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20),
    text=st.binary(max_size=20),
    now=st.integers(-(2**62), 2**62),
)
def test_a_frame_comes_back_as_it_went(words, text, now):
    given_frame = Frame(3, 1, now, 5, text, np.array(words, np.int32))

    back = unpack_frame(pack_frame(given_frame, b"x" * 16), b"x" * 16, 3)

    assert back.events.tolist() == words
    assert back[:5] == given_frame[:5]


@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_any_changed_byte_is_noticed(place, change):
    blob = bytearray(pack_frame(frame(), FIRST_DIGEST))
    blob[place % len(blob)] ^= change

    with pytest.raises(LedgerError, match="frame 1"):
        unpack_frame(bytes(blob), FIRST_DIGEST, 1)


@pytest.mark.parametrize("length", [0, 10, 60, 80])
def test_a_cut_frame_is_noticed(length):
    blob = pack_frame(frame(), FIRST_DIGEST)

    with pytest.raises(LedgerError, match="frame 1"):
        unpack_frame(blob[:length], FIRST_DIGEST, 1)


def test_a_dropped_frame_is_noticed():
    first = pack_frame(frame(1), FIRST_DIGEST)
    second = pack_frame(frame(2), digest_of(first))
    third = pack_frame(frame(3), digest_of(second))

    with pytest.raises(LedgerError, match="frame 2 is missing"):
        unpack_frame(third, digest_of(first), 2)


def test_a_replaced_frame_is_noticed_by_the_next():
    first = pack_frame(frame(1), FIRST_DIGEST)
    forged = pack_frame(frame(1, words=(9, 9)), FIRST_DIGEST)
    second = pack_frame(frame(2), digest_of(first))

    with pytest.raises(LedgerError, match="does not follow"):
        unpack_frame(second, digest_of(forged), 2)


def as_before(given_frame):
    """The frame as version 1 wrote it: four bytes a word."""
    packed = pack_frame(given_frame._replace(events=np.zeros(0, np.int32)), FIRST_DIGEST)
    head = bytearray(packed[:-16])
    head[4:8] = struct.pack("<I", 1)
    head[12:16] = struct.pack("<I", len(given_frame.events))
    body = bytes(head) + given_frame.events.astype("<i4").tobytes()
    return body + hashlib.blake2b(body, digest_size=16).digest()


def test_frames_of_the_first_version_are_read():
    words = (5, -1, 2**31 - 1, -(2**31), 70_000)

    back = unpack_frame(as_before(frame(1, words)), FIRST_DIGEST, 1)

    assert back.events.tolist() == list(words)
    assert back.definitions == b"{}"


@pytest.mark.parametrize("version", [1, 2])
def test_a_frame_whose_words_are_not_so_many_is_refused(version):
    blob = pack_frame(frame(), FIRST_DIGEST) if version == 2 else as_before(frame())
    for count in (0, 2, 4, 2**32 - 1):
        body = bytearray(blob[:-16])
        body[12:16] = struct.pack("<I", count)
        forged = bytes(body) + hashlib.blake2b(body, digest_size=16).digest()
        with pytest.raises(LedgerError, match="wrong length"):
            unpack_frame(forged, FIRST_DIGEST, 1)
