"""How a decision answers and writes its events."""

from __future__ import annotations

from omnistock.numerics.compiled import hot_kernel, inner_kernel

# cursor[:]: next command, words of events, words of results, words the stalled command needs
NEXT_COMMAND = 0
EVENT_WORDS = 1
RESULT_WORDS = 2
WORDS_NEEDED = 3
CURSOR_WORDS = 4


@hot_kernel
def answer(results, cursor, word):
    """Append one word to the answer of the running command."""
    results[cursor[RESULT_WORDS]] = word
    cursor[RESULT_WORDS] += 1


@inner_kernel
def happened(events, cursor, kind, a, b, c):
    """Write an event of three fields; it is folded when the command is decided."""
    at = cursor[EVENT_WORDS]
    events[at] = kind
    events[at + 1] = 5
    events[at + 2] = a
    events[at + 3] = b
    events[at + 4] = c
    cursor[EVENT_WORDS] = at + 5


@hot_kernel
def begin(events, cursor, kind, n_words):
    """Begin an event of ``n_words``; returns its first word. The caller fills the fields."""
    at = cursor[EVENT_WORDS]
    events[at] = kind
    events[at + 1] = n_words
    cursor[EVENT_WORDS] = at + n_words
    return at
