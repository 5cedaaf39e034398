"""How the engine's state lies in memory, and what its commands and events look like.

Axes: s = stockpoint (one SKU at one node), t = time bucket counted from the
current one, h = hold, q = hold line, i = inbound line.

The state is a tuple of arrays with spare capacity; ``counts`` says how much of
each is in use. Everything a check needs lies in one ``records`` row:

    base, buffer, flow row, spare, minimum[0], minimum[1], ... minimum[T - 1]

``base`` is the balance at the end of the current bucket: on hand, plus what is
due within the bucket, less what is promised up to it. ``minimum[t]`` is the
lowest balance from bucket ``t`` on, less ``base``: what may be promised for
bucket ``t`` is ``base + minimum[t] - buffer``. A promise for now changes
``base`` alone.

Events are runs of int32 words: kind, number of words, then the fields. A 64-bit
field takes two words, high word first.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from omnistock.availability.hashing import rehash_points_into, rehash_requests_into

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
_Number = TypeVar("_Number", np.int32, np.int64)

# --- records[s, :] ---------------------------------------------------------
BASE = 0
BUFFER = 1
FLOW_ROW = 2  # row in flows, -1 while nothing is dated in the future
MINIMA = 4

# --- points[s, :] ----------------------------------------------------------
POINT_SKU = 0
POINT_NODE = 1
NEXT_POINT = 2  # next stockpoint of the same SKU, by node priority; -1 ends
ON_HAND = 3
RESERVED = 4  # open units of soft holds
COMMITTED = 5  # open units of hard holds
EXPECTED = 6  # remaining units of all inbound, overdue or beyond the horizon too
POINT_FIELDS = 7

# --- skus[k, :] ------------------------------------------------------------
FIRST_POINT = 0
LIMIT_ROW = 1  # row in limits, -1 while no channel has a limit on the SKU
POINTS_OF_SKU = 2
SKU_FIELDS = 3

# --- nodes[n, :] -----------------------------------------------------------
NODE_ACTIVE = 0
NODE_PRIORITY = 1
NODE_FIELDS = 2

# --- limits[row, channel, :] -----------------------------------------------
QUOTA = 0  # -1: no ceiling
QUOTA_USED = 1
PROTECTION = 2
PROTECTION_USED = 3
CHANNEL_BUFFER = 4
QUOTA_SINCE = 5  # first hold that counts against the quota
PROTECTION_SINCE = 6
LIMIT_FIELDS = 7
# --- limits_until[row, channel, :] (0: no end) -----------------------------
QUOTA_UNTIL = 0
PROTECTION_UNTIL = 1

# --- holds[h, :] -----------------------------------------------------------
STATUS = 0
HOLD_CHANNEL = 1
FIRST_LINE = 2
N_LINES = 3
ORDER = 4
HOLD_FIELDS = 5

HELD = 1
CONFIRMED = 2
SHIPPED = 3
RELEASED = 4
EXPIRED = 5
STATUS_NAMES = ("", "held", "confirmed", "shipped", "released", "expired")

# --- lines[q, :] -----------------------------------------------------------
LINE_POINT = 0
LINE_BUCKET = 1
OPEN = 2
LINE_SHIPPED = 3
RETURNED = 4
REQUEST_LINE = 5
LINE_SKU = 6  # the SKU that was asked for: the kit, if the line is a component
LINE_HOLD = 7
LINE_FIELDS = 8

# --- inbound[i, :] ---------------------------------------------------------
INBOUND_POINT = 0
INBOUND_BUCKET = 1
REMAINING = 2
INBOUND_REFERENCE = 3
INBOUND_FIELDS = 4

# --- requests[slot, :] -----------------------------------------------------
ID_HIGH = 0
ID_LOW = 1
FINGERPRINT = 2
ANSWER_AT = 3
ANSWER_WORDS = 4
REQUEST_FIELDS = 5

# --- counts[:] -------------------------------------------------------------
N_POINTS = 0
N_FLOWS = 1
N_LIMITS = 2
N_HOLDS = 3
N_HOLD_LINES = 4
N_HEAP = 5
N_INBOUND = 6
N_REQUESTS = 7
N_ANSWERS = 8
NOW = 9
BUCKET = 10
N_BUCKETS = 11
N_SKUS = 12
N_NODES = 13
N_CHANNELS = 14
COUNT_FIELDS = 15

# --- commands: int64 words, kind, request id (2), content hash, then ------
RESERVE = 1  # order, channel, ttl, partial, n_lines, then per line:
#              sku, node or -1, bucket, quantity, n_components, (sku, units)...
CONFIRM = 2  # hold
RELEASE = 3  # hold, n, (line, quantity)...; n = 0: all that is open
SHIP = 4  # as RELEASE
RECEIVE = 5  # point, quantity, inbound row or -1
EXPECT = 6  # inbound row, point, bucket, quantity, reference, eta
ADJUST = 7  # point, delta
COUNT = 8  # point, on hand
ISSUE = 9  # point, quantity, channel, force
TRANSFER = 10  # from, to, quantity, inbound row, bucket, reference, eta, force
SET_BUFFER = 11  # point, units
SET_LIMIT = 12  # sku, channel, field, units, until
SET_NODE = 13  # node, active
TAKE_BACK = 14  # hold, line, quantity, point
ADD_POINT = 15  # point, sku, node
TICK = 16
HEADER_WORDS = 4

# --- outcomes --------------------------------------------------------------
OK = 0
SHORT = 1  # n, then per short line: line, available, binding
CONFLICT = 2
UNKNOWN_HOLD = 3
WRONG_STATUS = 4  # status
TOO_MANY = 5  # line, most that is possible
NOT_ON_HAND = 6  # most that may leave
PROMISED = 7  # most that is free of promises
OVERFLOW = 8

# --- what binds ------------------------------------------------------------
BY_STOCK = 1
BY_PROMISES = 2
BY_BUFFER = 3
BY_CHANNEL_BUFFER = 4
BY_PROTECTION = 5
BY_QUOTA = 6
BY_NODE = 7
BINDING_NAMES = (
    "",
    "stock",
    "promises",
    "buffer",
    "channel buffer",
    "protection",
    "quota",
    "node",
)

# --- events: int32 words, kind, number of words, then ----------------------
E_POINT = 1  # point, sku, node
E_HOLD = 2  # hold, order, channel, status, expires(2), then per line:
#             point, bucket, quantity, request line, asked sku
E_STATUS = 3  # hold, status
E_RELEASE = 4  # line row, quantity
E_SHIP = 5  # line row, quantity
E_ON_HAND = 6  # point, delta, cause
E_INBOUND = 7  # row, point, bucket, remaining, reference, eta(2)
E_BUFFER = 8  # point, units
E_LIMIT = 9  # sku, channel, field, units, until(2)
E_NODE = 10  # node, active
E_RETURN = 11  # line row, quantity, point
E_USE = 12  # sku, channel, units: sold without a hold
E_REQUEST = 13  # request id(4), fingerprint(2), then the answer
HOLD_HEAD_WORDS = 8
HOLD_LINE_WORDS = 5
REQUEST_HEAD_WORDS = 8

CAUSE_RECEIPT = 1
CAUSE_ADJUST = 2
CAUSE_COUNT = 3
CAUSE_ISSUE = 4
CAUSE_TRANSFER = 5

NO_CHANNEL = 0
# Above any sum of what one stockpoint may hold, below the end of int32.
MOST_UNITS = 1_000_000_000


class State(NamedTuple):
    """All arrays of one engine; see the module docstring for the axes."""

    records: Int32
    points: Int64
    flows: Int32  # [row, 0:T] receipts and [row, T:2T] promises by bucket modulo T
    skus: Int64
    nodes: Int64
    channel_nodes: npt.NDArray[np.uint8]
    limits: Int64
    limits_until: Int64
    holds: Int64
    expires: Int64
    lines: Int64
    heap: Int64  # [k, 0] second of expiry, [k, 1] hold
    inbound: Int64
    eta: Int64
    places: Int64  # open addressing: [slot, 0] key + 1, [slot, 1] stockpoint
    requests: Int64  # open addressing by request id
    answers: Int64
    counts: Int64


_SIZES = {
    "records": 64,
    "points": 64,
    "flows": 16,
    "skus": 64,
    "nodes": 16,
    "limits": 16,
    "limits_until": 16,
    "holds": 64,
    "expires": 64,
    "lines": 128,
    "heap": 64,
    "inbound": 64,
    "eta": 64,
    "answers": 256,
}


def new_state(n_buckets: int) -> State:
    """Return an empty state with a horizon of ``n_buckets``."""
    counts = np.zeros(COUNT_FIELDS, np.int64)
    counts[N_BUCKETS] = n_buckets
    counts[N_CHANNELS] = 1
    channels = 8
    return State(
        records=np.zeros((_SIZES["records"], MINIMA + n_buckets), np.int32),
        points=np.zeros((_SIZES["points"], POINT_FIELDS), np.int64),
        flows=np.zeros((_SIZES["flows"], 2 * n_buckets), np.int32),
        skus=np.full((_SIZES["skus"], SKU_FIELDS), -1, np.int64),
        nodes=np.zeros((_SIZES["nodes"], NODE_FIELDS), np.int64),
        channel_nodes=np.ones((channels, _SIZES["nodes"]), np.uint8),
        limits=np.zeros((_SIZES["limits"], channels, LIMIT_FIELDS), np.int64),
        limits_until=np.zeros((_SIZES["limits"], channels, 2), np.int64),
        holds=np.zeros((_SIZES["holds"], HOLD_FIELDS), np.int64),
        expires=np.zeros(_SIZES["expires"], np.int64),
        lines=np.zeros((_SIZES["lines"], LINE_FIELDS), np.int64),
        heap=np.zeros((_SIZES["heap"], 2), np.int64),
        inbound=np.zeros((_SIZES["inbound"], INBOUND_FIELDS), np.int64),
        eta=np.zeros(_SIZES["eta"], np.int64),
        places=np.zeros((257, 2), np.int64),
        requests=np.zeros((257, REQUEST_FIELDS), np.int64),
        answers=np.zeros(_SIZES["answers"], np.int64),
        counts=counts,
    )


def _longer(array: npt.NDArray[_Number], rows: int, fill: int = 0) -> npt.NDArray[_Number]:
    if rows <= len(array):
        return array
    longer = np.full((max(rows, 2 * len(array)), *array.shape[1:]), fill, array.dtype)
    longer[: len(array)] = array
    return longer


def with_room(
    state: State,
    *,
    points: int = 0,
    flows: int = 0,
    limits: int = 0,
    holds: int = 0,
    lines: int = 0,
    inbound: int = 0,
    requests: int = 0,
    answers: int = 0,
    skus: int = 0,
    nodes: int = 0,
    channels: int = 0,
) -> State:
    """Return ``state`` with room for so many more of each; arrays that fit are kept."""
    counts = state.counts
    n_points = int(counts[N_POINTS]) + points
    n_holds = int(counts[N_HOLDS]) + holds
    n_inbound = int(counts[N_INBOUND]) + inbound
    n_limits = int(counts[N_LIMITS]) + limits
    n_nodes = int(counts[N_NODES]) + nodes
    n_channels = int(counts[N_CHANNELS]) + channels
    state = state._replace(
        records=_longer(state.records, n_points),
        points=_longer(state.points, n_points),
        flows=_longer(state.flows, int(counts[N_FLOWS]) + flows),
        skus=_longer(state.skus, int(counts[N_SKUS]) + skus, -1),
        nodes=_longer(state.nodes, n_nodes),
        limits=_longer(state.limits, n_limits),
        limits_until=_longer(state.limits_until, n_limits),
        holds=_longer(state.holds, n_holds),
        expires=_longer(state.expires, n_holds),
        lines=_longer(state.lines, int(counts[N_HOLD_LINES]) + lines),
        heap=_longer(state.heap, int(counts[N_HEAP]) + holds),
        inbound=_longer(state.inbound, n_inbound),
        eta=_longer(state.eta, n_inbound),
        answers=_longer(state.answers, int(counts[N_ANSWERS]) + answers),
    )
    if n_channels > len(state.channel_nodes) or n_nodes > state.channel_nodes.shape[1]:
        state = _wider(state, n_channels)
    if 2 * n_points >= len(state.places):
        places = np.zeros((4 * n_points + 1, 2), np.int64)
        rehash_points_into(places, state.places)
        state = state._replace(places=places)
    n_requests = int(counts[N_REQUESTS]) + requests
    if 2 * n_requests >= len(state.requests):
        table = np.zeros((4 * n_requests + 1, REQUEST_FIELDS), np.int64)
        rehash_requests_into(table, state.requests)
        state = state._replace(requests=table)
    return state


def _wider(state: State, n_channels: int) -> State:
    """Give the arrays with a channel or node axis room for more of them."""
    wide = max(n_channels, len(state.channel_nodes))
    if n_channels > len(state.channel_nodes):
        wide = max(n_channels, 2 * len(state.channel_nodes))
    allowed = np.ones((wide, len(state.nodes)), np.uint8)
    old = state.channel_nodes
    allowed[: old.shape[0], : old.shape[1]] = old
    limits = np.zeros((len(state.limits), wide, LIMIT_FIELDS), np.int64)
    limits[:, :, QUOTA] = -1
    limits[:, : old.shape[0]] = state.limits
    until = np.zeros((len(state.limits), wide, 2), np.int64)
    until[:, : old.shape[0]] = state.limits_until
    return state._replace(channel_nodes=allowed, limits=limits, limits_until=until)
