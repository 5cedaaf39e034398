"""Words in few bytes: as the format says, and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from omnistock.numerics.words import packed_words, unpacked_words

WORDS = st.lists(
    st.one_of(
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-300, 300),
        st.sampled_from([127, 128, -128, -129, 32767, 32768, -32768, -32769, 2**23, -(2**23) - 1]),
    ),
    max_size=40,
)


def by_the_format(words):
    """Stream VByte with zigzag signs, spelled out: lengths in twos of bits, then the bytes."""
    numbers = [2 * word if word >= 0 else -2 * word - 1 for word in words]
    data = [number.to_bytes(max(1, (number.bit_length() + 7) // 8), "little") for number in numbers]
    bits = sum((len(one) - 1) << (2 * k) for k, one in enumerate(data))
    return bits.to_bytes((len(words) + 3) // 4, "little") + b"".join(data)


@given(WORDS)
def test_words_are_packed_as_the_format_says(words):
    assert bytes(packed_words(np.array(words, np.int32))) == by_the_format(words)


@given(WORDS)
def test_words_come_back(words):
    packed = bytes(packed_words(np.array(words, np.int32)))

    assert unpacked_words(packed, len(words)).tolist() == words


@given(WORDS, st.binary(max_size=9), st.integers(0, 60))
def test_bytes_that_are_not_those_of_so_many_words_are_refused(words, more, count):
    packed = bytes(packed_words(np.array(words, np.int32)))

    if more:
        assert unpacked_words(packed + more, len(words)) is None
    if words:
        assert unpacked_words(packed[:-1], len(words)) is None
    back = unpacked_words(more, count)
    assert back is None or bytes(packed_words(back)) == by_the_format(back.tolist())


def test_the_longest_words_keep_their_signs():
    """Zigzag as Protocol Buffers define it (Encoding, "Signed Integers"): 0, -1, 1, ..., -2**31."""
    words = np.array([0, -1, 1, -2, 2**31 - 1, -(2**31)], np.int32)

    assert bytes(packed_words(words)).hex() == "000f" + "00010203" + "feffffff" + "ffffffff"
