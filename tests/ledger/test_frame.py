"""A frame tells when it was changed, cut, dropped or put in another place."""

from __future__ import annotations

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


@pytest.mark.parametrize("length", [0, 10, 60, 90])
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
