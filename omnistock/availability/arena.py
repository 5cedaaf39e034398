"""The four arrays of a state, and how they grow."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from omnistock.availability import layout
from omnistock.availability.hashing import move_slots, rehash_places_into
from omnistock.availability.layout import (
    AT_OF,
    FIRST_BOOK_SECTION,
    HEADER_WORDS,
    IDS_SECTION,
    MINIMA,
    N_BUCKETS,
    N_OF,
    ROOM_OF,
    SECTIONS,
)
from omnistock.availability.memory import can_reserve, zeros

__all__ = ["Int32", "Int64", "State", "new_state", "rows", "with_room"]

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


class State(NamedTuple):
    """All of one engine; :mod:`omnistock.availability.layout` says what lies where."""

    records: Int32
    stock: Int64
    book: Int64
    ids: Int64


_FIRST_ROOM = {
    "points": 64,
    "flows": 16,
    "skus": 64,
    "nodes": 16,
    "tags": 4,
    "askers": 8,
    "sets": 4,
    "matches": 4,
    "limits": 16,
    "steps": 4,
    "places": 256,
    "free": 64,
    "runs": 256,
    "holds": 64,
    "lines": 128,
    "heap": 64,
    "inbound": 64,
    "requests": 256,
    "answers": 256,
    "deltas": 16,
    "orders": 16,
    "slots": 256,
}
_FIELDS = {
    "points": layout.POINT_FIELDS,
    "skus": layout.SKU_FIELDS,
    "nodes": layout.NODE_FIELDS,
    "tags": layout.TAG_FIELDS,
    "askers": layout.ASKER_FIELDS,
    "limits": layout.LIMIT_FIELDS,
    "steps": layout.STEP_FIELDS,
    "places": layout.PLACE_FIELDS,
    "free": 1,
    "runs": 1,
    "holds": layout.HOLD_FIELDS,
    "lines": layout.LINE_FIELDS,
    "heap": layout.HEAP_FIELDS,
    "inbound": layout.INBOUND_FIELDS,
    "requests": layout.REQUEST_FIELDS,
    "answers": 1,
    "deltas": layout.DELTA_FIELDS,
    "orders": layout.ORDER_FIELDS,
    "slots": 1,
}
# A section of the book with so many rows is given room for good: address space, not memory.
_MANY = 1 << 13
_ROOM_FOR_GOOD = {
    "holds": 1 << 28,
    "lines": 1 << 29,
    "heap": 1 << 28,
    "inbound": 1 << 26,
    "requests": 1 << 28,
    "answers": 1 << 30,
    "deltas": 1 << 26,
    "orders": 1 << 26,
}
_SLOTS_FOR_GOOD = 1 << 30


def _width(section: str, n_buckets: int, room: dict[str, int]) -> int:
    """Words in one row of a section."""
    if section == "flows":
        return 2 * n_buckets
    if section == "sets":
        return room["nodes"]
    if section == "matches":
        return room["askers"]
    return _FIELDS[section]


def new_state(n_buckets: int, *, overdue_buckets: int = 0, overdue_delay: int = 0) -> State:
    """Return an empty state with a horizon of ``n_buckets``.

    Tag 0, asker 0 and node set 0 stand for plain stock, anybody and all nodes.
    """
    stock = np.zeros(HEADER_WORDS, np.int64)
    stock[N_BUCKETS] = n_buckets
    stock[layout.OVERDUE_BUCKETS] = overdue_buckets
    stock[layout.OVERDUE_DELAY] = overdue_delay
    stock[layout.ROOM_SLOTS] = _FIRST_ROOM["slots"]
    records = np.zeros((0, MINIMA + n_buckets), np.int32)
    ids = np.zeros(_FIRST_ROOM["slots"], np.int64)
    empty = State(records, stock, np.zeros(0, np.int64), ids)
    state = _laid_out(empty, dict(_FIRST_ROOM))
    for section in ("tags", "askers", "sets"):
        state.stock[N_OF + SECTIONS.index(section)] = 1
    rows(state, "tags")[0, layout.TAG_SELLABLE] = 1
    rows(state, "askers")[0, layout.ASKER_OWNERS] = 1
    rows(state, "sets")[0] = 1
    return state


def rows(state: State, section: str) -> Int64:
    """Return the rows of a section that are in use, as a (n_rows, n_fields) view."""
    k = SECTIONS.index(section)
    stock = state.stock
    room = _rooms(stock)
    width = _width(section, int(stock[N_BUCKETS]), room)
    start = int(stock[AT_OF + k])
    count = int(stock[N_OF + k])
    assert k != IDS_SECTION, "slots have no rows in order"
    arena = stock if k < FIRST_BOOK_SECTION else state.book
    return arena[start : start + count * width].reshape(count, width)


def _rooms(stock: Int64) -> dict[str, int]:
    return {name: int(stock[ROOM_OF + k]) for k, name in enumerate(SECTIONS)}


def _laid_out(state: State, room: dict[str, int]) -> State:
    """Return the state with so much room in each section; an arena that fits is kept."""
    old_room = _rooms(state.stock)
    n_buckets = int(state.stock[N_BUCKETS])
    stock = state.stock
    grown = {name for name in SECTIONS if room[name] != old_room[name]}
    wider = {"nodes": "sets", "askers": "matches"}
    grown |= {wider[name] for name in grown & set(wider)}
    records = state.records
    if room["points"] > len(records):
        width = MINIMA + n_buckets
        size = room["points"] * width
        records = zeros(size, np.int32).reshape(-1, width)
        records[: len(state.records)] = state.records
    arenas: list[Int64] = []
    header = stock[:HEADER_WORDS].copy()
    for members, old, begin in _arenas(state):
        if not grown & {SECTIONS[k] for k in members}:
            arenas.append(old)
            continue
        sizes = [room[SECTIONS[k]] * _width(SECTIONS[k], n_buckets, room) for k in members]
        new = zeros(begin + sum(sizes), np.int64)
        at = begin
        for k, size in zip(members, sizes, strict=True):
            name = SECTIONS[k]
            header[AT_OF + k] = at
            header[ROOM_OF + k] = room[name]
            _copy(name, new, at, room, old, int(stock[AT_OF + k]), old_room, n_buckets,
                  int(stock[N_OF + k]))  # fmt: skip
            at += size
        arenas.append(new)
    new_stock, new_book = arenas
    new_stock[:HEADER_WORDS] = header
    return State(records, new_stock, new_book, state.ids)


def _arenas(state: State) -> tuple[tuple[list[int], Int64, int], ...]:
    """Sections of each array, the array, and the word at which they begin."""
    return (
        (list(range(FIRST_BOOK_SECTION)), state.stock, HEADER_WORDS),
        (list(range(FIRST_BOOK_SECTION, IDS_SECTION)), state.book, 0),
    )


def _copy(
    name: str, new: Int64, at: int, room: dict[str, int],
    old: Int64, old_at: int, old_room: dict[str, int], n_buckets: int, count: int,
) -> None:  # fmt: skip
    """Copy one section to its new place; tables are hashed anew if they grew."""
    old_width = _width(name, n_buckets, old_room)
    width = _width(name, n_buckets, room)
    if name == "places":
        if room[name] == old_room[name]:
            new[at : at + room[name] * width] = old[old_at : old_at + room[name] * width]
        else:
            rehash_places_into(new, at, room[name], old, old_at, old_room[name])
        return
    source = old[old_at : old_at + count * old_width].reshape(count, old_width)
    target = new[at : at + room[name] * width].reshape(room[name], width)
    target[:count, :old_width] = source
    if name == "skus":
        empty = [layout.FIRST_POINT, layout.LAST_POINT, layout.FIRST_LIMIT, layout.FENCE]
        target[count:, [*empty, layout.FIRST_RUN]] = -1
    if name == "sets" and width > old_width:
        # A set of all nodes has those to come, too.
        target[:1] = 1


def _make_much_room(stock: Int64, room: dict[str, int], name: str, need: int) -> None:
    """Give a section of the book room for long, and with it the others that will soon be full.

    Memory that is not written to yet costs nothing; copying the whole book does. From
    ``_MANY`` rows on all sections have room for good, if the system lets us have it.
    """
    room[name] = max(4 * need, min(64 * need, 1 << 20))
    if need >= _MANY:
        for_good = {other: max(room[other], many) for other, many in _ROOM_FOR_GOOD.items()}
        if can_reserve(8 * sum(many * _FIELDS[other] for other, many in for_good.items())):
            room.update(for_good)
            return
    for k in range(FIRST_BOOK_SECTION, IDS_SECTION):
        other = SECTIONS[k]
        have = int(stock[ROOM_OF + k])
        if other != name and 4 * int(stock[N_OF + k]) > have:
            room[other] = max(room[other], 4 * have)


def _with_slots(state: State, n_requests: int) -> State:
    """Begin a wider table of request ids behind the one in use, which moves over bit by bit."""
    stock = state.stock
    # An old table that is still not empty is finished at once.
    move_slots(state, int(stock[layout.OLD_SLOTS]))
    ids = state.ids
    at, size = int(stock[layout.AT_SLOTS]), int(stock[layout.ROOM_SLOTS])
    wider = _power(4 * n_requests)
    if at + size + wider > len(ids):
        room = size + wider
        if wider >= _MANY and can_reserve(8 * max(room, _SLOTS_FOR_GOOD)):
            room = max(room, _SLOTS_FOR_GOOD)
        ids = zeros(room, np.int64)
        ids[:size] = state.ids[at : at + size]
        at = 0
    stock[layout.OLD_SLOTS_AT] = at
    stock[layout.OLD_SLOTS] = size
    stock[layout.MOVED] = 0
    stock[layout.AT_SLOTS] = at + size
    stock[layout.ROOM_SLOTS] = wider
    return State(state.records, stock, state.book, ids)


def _power(need: int) -> int:
    """Smallest power of two that is at least ``need``."""
    return 1 << max(8, int(need - 1).bit_length())


def with_room(state: State, **more: int) -> State:
    """Return ``state`` with room for so many more rows of each section named.

    ``places``, ``free`` and ``runs`` follow the stockpoints by themselves, ``slots`` the
    requests. Arenas that fit are kept; one that does not is copied into a larger one.
    """
    stock = state.stock
    room: dict[str, int] | None = None
    for name, extra in more.items():
        k = SECTIONS.index(name)
        need = int(stock[N_OF + k]) + extra
        have = int(stock[ROOM_OF + k])
        if need > have:
            room = room or _rooms(stock)
            room[name] = max(need, 2 * have)
            if k >= FIRST_BOOK_SECTION:
                _make_much_room(stock, room, name, need)
    requests = int(stock[layout.N_REQUESTS]) + more.get("requests", 0)
    if 2 * requests >= int(stock[layout.ROOM_SLOTS]):
        state = _with_slots(state, requests)
    points = int(stock[layout.N_POINTS]) + more.get("points", 0)
    # A stockpoint has its own place, and the first of a node stands there once more.
    if 4 * points + 1 > int(stock[layout.ROOM_PLACES]):
        room = room or _rooms(stock)
        room["places"] = _power(4 * points + 1)
    if room is None:
        return state
    room["free"] = room["points"]
    # Each run of a SKU that doubles leaves its old one behind, all of them shorter than the new.
    room["runs"] = 4 * room["points"]
    return _laid_out(state, room)
