"""How the engine's state lies in memory, and what its commands and events look like.

Axes: s = stockpoint (one SKU at one node in one compartment), t = time bucket
counted from the current one, h = hold, q = hold line, i = inbound line.

The state is four arrays. Everything a check needs lies in one ``records`` row:

    base, buffer, flow row, flags, minimum[0], minimum[1], ... minimum[T - 1]

``base`` is the balance at the end of the current bucket: on hand, plus what is
due within the bucket, less what is promised up to it. ``minimum[t]`` is the
lowest balance from bucket ``t`` on, less ``base``: what may be promised for
bucket ``t`` is ``base + minimum[t] - buffer``. A promise for now changes
``base`` alone. A negative buffer is stock that may be promised without being there.

What a stockpoint may promise anybody for now stands once more in the section ``free``, a word
for each: units << 32, below them its number so that the first is the largest of equals, and
1 if it has flags. Questions about many stockpoints read this word alone.

``stock``, ``book`` and ``ids`` are runs of int64 sections. ``stock`` begins with a header:
for each section how many rows are in use, where it begins and how many rows have
room. A stockpoint's number tells its row; ``stock[AT_POINTS] + s * POINT_FIELDS
+ ON_HAND`` is what it has on hand. ``book`` holds what grows with the orders,
``ids`` is the table that finds requests by their ids.

Events are runs of int32 words: kind, number of words, then the fields. A 64-bit
field takes two words, high word first.
"""

from __future__ import annotations

# --- records[s, :] ---------------------------------------------------------
BASE = 0
BUFFER = 1
FLOW_ROW = 2  # row of dated flows, -1 while nothing is dated in the future
FLAGS = 3
MINIMA = 4

HAS_STEPS = 1  # flags: the buffer changes on dates
HAS_OWN_BUFFERS = 2  # flags: some askers have a buffer of their own here
HAS_LIMITS = 4  # flags: the SKU has limits, a fence, or is not tracked
IN_COMPARTMENTS = 8  # flags: a compartment, or one of several at its node
IS_OFF = 16  # flags: switched off
# Without any flag a stockpoint is plain: what it may promise stands in its record.

# --- stock[:], the header --------------------------------------------------
NOW = 0
BUCKET = 1
N_BUCKETS = 2
OVERDUE_BUCKETS = 3  # how late a receipt may be and still count
OVERDUE_DELAY = 4  # buckets from now at which it then counts
# The table of request ids from which entries still move into the one in use.
OLD_SLOTS_AT = 5
OLD_SLOTS = 6  # its slots, 0: there is none
MOVED = 7  # how many of them are done
N_CAPACITIES = 39  # nodes whose capacity was ever limited; 8 to 30 are counts of sections

SECTIONS = (
    "points",
    "flows",
    "skus",
    "nodes",
    "tags",
    "askers",
    "sets",
    "matches",
    "limits",
    "steps",
    "places",
    "free",
    "runs",
    "holds",
    "lines",
    "heap",
    "inbound",
    "requests",
    "answers",
    "deltas",
    "orders",
    "slots",
)
FIRST_BOOK_SECTION = 13
IDS_SECTION = 21
N_OF = 8
AT_OF = 40
ROOM_OF = 72
HEADER_WORDS = 104

N_POINTS, N_FLOWS, N_SKUS, N_NODES, N_TAGS, N_ASKERS, N_SETS, N_MATCHES = range(N_OF, N_OF + 8)
N_LIMITS, N_STEPS, N_PLACES, N_FREE, N_RUNS = range(N_OF + 8, N_OF + 13)
N_HOLDS, N_LINES, N_HEAP, N_INBOUND = range(N_OF + 13, N_OF + 17)
N_REQUESTS, N_ANSWERS, N_DELTAS, N_ORDERS, N_SLOTS = range(N_OF + 17, N_OF + 22)

AT_POINTS, AT_FLOWS, AT_SKUS, AT_NODES, AT_TAGS, AT_ASKERS, AT_SETS = range(AT_OF, AT_OF + 7)
AT_MATCHES, AT_LIMITS, AT_STEPS, AT_PLACES, AT_FREE, AT_RUNS = range(AT_OF + 7, AT_OF + 13)
AT_HOLDS, AT_LINES, AT_HEAP, AT_INBOUND = range(AT_OF + 13, AT_OF + 17)
AT_REQUESTS, AT_ANSWERS, AT_DELTAS, AT_ORDERS, AT_SLOTS = range(AT_OF + 17, AT_OF + 22)

ROOM_POINTS, ROOM_FLOWS, ROOM_SKUS, ROOM_NODES, ROOM_TAGS = range(ROOM_OF, ROOM_OF + 5)
ROOM_ASKERS, ROOM_SETS, ROOM_MATCHES, ROOM_LIMITS, ROOM_STEPS = range(ROOM_OF + 5, ROOM_OF + 10)
ROOM_PLACES, ROOM_FREE, ROOM_RUNS = range(ROOM_OF + 10, ROOM_OF + 13)
ROOM_HOLDS, ROOM_LINES, ROOM_HEAP, ROOM_INBOUND = range(ROOM_OF + 13, ROOM_OF + 17)
ROOM_REQUESTS, ROOM_ANSWERS, ROOM_DELTAS, ROOM_ORDERS = range(ROOM_OF + 17, ROOM_OF + 21)
ROOM_SLOTS = ROOM_OF + 21

# --- points ----------------------------------------------------------------
POINT_SKU = 0
POINT_NODE = 1
POINT_TAG = 2
NEXT_POINT = 3  # next of the SKU: by node priority, node, expiry, receipt; -1 ends
ON_HAND = 4
RESERVED = 5  # open units of soft holds
COMMITTED = 6  # open units of hard holds
EXPECTED = 7  # remaining units of all inbound, overdue or beyond the horizon too
BUFFER_UNITS = 8
BUFFER_SHARE = 9  # ten-thousandths of on hand
BACKORDER = 10  # units that may be promised beyond stock
SWITCHED_OFF = 11
FIRST_STEP = 12  # dated buffers, -1: none
FIRST_DELTA = 13  # deltas of feeds since the last snapshot, -1: none
PICKING = 14  # committed units released to the floor
POINT_FIELDS = 16

# --- skus ------------------------------------------------------------------
FIRST_POINT = 0
FIRST_LIMIT = 1  # -1 while the SKU has no limit
POINTS_OF_SKU = 2
FENCE = 3  # buckets ahead from which supply is unlimited, -1: never
UNTRACKED = 4
LAST_POINT = 5
FIRST_RUN = 6  # where its stockpoints are listed in runs, -1 while their numbers ascend by one
ROOM_OF_RUN = 7
SKU_FIELDS = 8

# --- nodes -----------------------------------------------------------------
NODE_ACTIVE = 0
NODE_PRIORITY = 1
NODE_CAPACITY = 2  # units that the node can handle in a bucket, -1: any number
NODE_WORK = 3  # row of flows + 1 with its work by slot, 0 while it was never limited; in
#                the row's other half the capacity of single buckets + 1, 0: as of all
NODE_FIELDS = 4

# --- tags: compartments; 0 is plain stock ----------------------------------
TAG_SELLABLE = 0
TAG_SEGMENT = 1
TAG_OWNER = 2
TAG_LOT = 3
TAG_EXPIRES = 4  # first second that it no longer counts, 0: never
TAG_RECEIVED = 5
TAG_FIELDS = 6

# --- askers: who asks; 0 is nobody in particular ---------------------------
ASKER_SET = 0  # row of sets: the nodes that may serve it
ASKER_SEGMENT = 1  # -1: all of them
ASKER_OWNERS = 2  # bit per owner whose stock it may have
ASKER_CHANNEL = 3
ASKER_FIELDS = 4

# --- limits ----------------------------------------------------------------
LIMIT_KIND = 0
LIMIT_MATCH = 1
LIMIT_UNITS = 2  # -1: lifted
LIMIT_USED = 3
LIMIT_SINCE = 4  # first hold that counts
LIMIT_PRIORITY = 5
LIMIT_UNTIL = 6  # second from which it is void, 0: never
NEXT_LIMIT = 7
LIMIT_SHARE = 8  # ten-thousandths, -1: units are given
LIMIT_REMAINING = 9  # 1: the share is of what higher classes have left
LIMIT_SEGMENT = 10  # protected within one segment only, -1: in all stock
LIMIT_FROM = 11  # first due bucket, with LIMIT_TO; both 0: every bucket
LIMIT_TO = 12
LIMIT_BACK = 13  # periods whose rest may be used too
LIMIT_FORWARD = 14
LIMIT_POINT = 15  # buffers of an asker at one stockpoint, -1: over all nodes
LIMIT_FIELDS = 16

QUOTA = 1
PROTECTION = 2
ASKER_BUFFER = 3

# --- steps: dated buffers --------------------------------------------------
STEP_BUCKET = 0
STEP_UNITS = 1
NEXT_STEP = 2
STEP_FIELDS = 3

# --- places: open addressing -----------------------------------------------
PLACE_FIELDS = 3  # key of SKU and node, tag, stockpoint

# --- free: what a stockpoint may promise for now, see above ------------------
FREE_UNITS = 32  # bits below the units
LARGEST_POINT = (1 << 31) - 1

# --- holds -----------------------------------------------------------------
STATUS = 0
HOLD_ASKER = 1
FIRST_LINE = 2
LINES_OF_HOLD = 3
ORDER = 4  # reference code; -2 - n is the order of number n
EXPIRES = 5
HOLD_FLAGS = 6
COUNTS_AS = 7  # limits set before this hold's number count it; a split one has its parent's
HOLD_FIELDS = 8

HELD = 1
CONFIRMED = 2
SHIPPED = 3
RELEASED = 4
EXPIRED = 5
PICKED = 6
LIVE = (HELD, CONFIRMED, PICKED)  # what they have open counts against stock
STATUS_NAMES = ("", "held", "confirmed", "shipped", "released", "expired", "picking")

# --- lines -----------------------------------------------------------------
LINE_POINT = 0
LINE_BUCKET = 1
OPEN = 2
LINE_SHIPPED = 3
RETURNED = 4
REQUEST_LINE = 5
LINE_SKU = 6  # the SKU that was asked for: the kit, if the line is a component
LINE_PER = 7  # units in one of what was asked for
LINE_HOLD = 8
LINE_FIELDS = 9

# --- heap, inbound ---------------------------------------------------------
HEAP_FIELDS = 2
INBOUND_POINT = 0
INBOUND_BUCKET = 1
REMAINING = 2
INBOUND_REFERENCE = 3
ETA = 4
INBOUND_FIELDS = 5

# --- requests, in the order in which they came; slots find them by id ----------
ID_HIGH = 0
ID_LOW = 1
FINGERPRINT = 2
ANSWER_AT = 3
ANSWER_WORDS = 4
REQUEST_FIELDS = 5

# --- deltas of feeds -------------------------------------------------------
DELTA_SOURCE = 0
DELTA_SEQUENCE = 1
DELTA_UNITS = 2  # a snapshot's row has the watermark as sequence and no units
NEXT_DELTA = 3
IS_WATERMARK = 4
DELTA_FIELDS = 5

# --- orders: what was ordered, held or not ---------------------------------
ORDER_CODE = 0
ORDER_SKU = 1
ORDER_UNITS = 2
ORDER_ASKER = 3
ORDER_BUCKET = 4
ORDER_PRIORITY = 5
ORDER_STRATEGY = 6
ORDER_FIELDS = 7

# --- commands: int64 words, kind, request id (2), content hash, then ------
RESERVE = 1  # order, asker, ttl, flags, n replaced, holds..., n_lines, then per line:
#              sku, node or -1, bucket, quantity, lot or -1, due second, seconds of life,
#              n_components, (sku, units)...
CONFIRM = 2  # hold, then for each of its lines one that says when it is due
RELEASE = 3  # hold, n, (line, quantity)...; n = 0: all that is open
SHIP = 4  # as RELEASE
RECEIVE = 5  # point, quantity, inbound row or -1
EXPECT = 6  # inbound row, point, bucket, quantity, reference, eta
ADJUST = 7  # point, delta, may become negative
COUNT = 8  # point, on hand, reduce
ISSUE = 9  # point, quantity, asker, force, dry run, reduce
TRANSFER = 10  # from, to, quantity, inbound row, bucket, reference, eta, force
SET_BUFFER = 11  # point, units, share, since bucket or -1
SET_LIMIT = 12  # as E_LIMIT
SET_NODE = 13  # node, active
TAKE_BACK = 14  # hold, line, quantity, point
ADD_POINT = 15  # point, sku, node, tag
TICK = 16
MOVE = 17  # from, to, quantity, force
UPDATE = 18  # hold, n decreases, (line, units)..., n_lines, lines as in RESERVE
SPLIT = 19  # hold, order, n, (line, units)...
RELOCATE = 20  # hold, n, (line, units)..., ship, then for each: stockpoint, and a line
#                that says when it is due
PICK = 21  # hold
SET_BACKORDER = 22  # point, units
SWITCH_POINT = 23  # point, off
DELTA = 24  # point, source, sequence, units
SNAPSHOT = 25  # point, on hand, source, sequence or -1, n, netted holds...
ENTER_ORDER = 26  # order, asker, bucket, priority, strategy, n, (sku, units)...
SET_CAPACITY = 27  # node, bucket or -1, units or -1
COMMAND_WORDS = 4

PARTIAL = 1  # flags of RESERVE
WITH_BACKORDER = 2
LIFO = 4
FIFO = 8
TOGETHER = 16
LATE = 32
DRY_RUN = 64
AT_NODE = 128  # every line names its node

# --- outcomes --------------------------------------------------------------
OK = 0
SHORT = 1  # hold, backordered, n, then per short line: line, available, binding
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
BY_LOT = 8
BY_SEGMENT = 9
BY_NOT_STOCKED = 10
BY_CAPACITY = 11
BINDING_NAMES = (
    "",
    "stock",
    "promises",
    "buffer",
    "channel buffer",
    "protection",
    "quota",
    "node",
    "lot or expiry",
    "segment",
    "not stocked",
    "capacity",
)

# --- events: int32 words, kind, number of words, then ----------------------
E_POINT = 1  # point, sku, node, tag
E_HOLD = 2  # hold, order, asker, status, expires(2), flags, counts as, then per line:
#             point, bucket, quantity, request line, asked sku, per
E_STATUS = 3  # hold, status
E_RELEASE = 4  # line row, quantity
E_SHIP = 5  # line row, quantity
E_ON_HAND = 6  # point, delta, cause
E_INBOUND = 7  # row, point, bucket, remaining, reference, eta(2)
E_BUFFER = 8  # point, units, share
E_LIMIT = 9  # row, sku, kind, match, units, priority, until(2), share, remaining, segment,
#              from, to, back, forward, point
E_NODE = 10  # node, active
E_RETURN = 11  # line row, quantity, point
E_USE = 12  # point, asker, units: sold without a hold
E_REQUEST = 13  # request id(4), fingerprint(2), then the answer
E_LINES = 14  # hold, then per line: point, bucket, open, shipped, returned, request line,
#               asked sku, per; the hold's lines from now on
E_BACKORDER = 15  # point, units
E_SWITCH = 16  # point, off
E_STEP = 17  # point, bucket, units: the buffer from that bucket on
E_DELTA = 18  # point, source, sequence(2), units, is watermark
E_ORDER = 19  # order, sku, units, asker, bucket, priority, strategy
E_CAPACITY = 20  # node, bucket or -1 for all, units or -1: without limit, or as of all
HOLD_HEAD_WORDS = 10
HOLD_LINE_WORDS = 6
LINES_HEAD_WORDS = 3
LINES_LINE_WORDS = 8
REQUEST_HEAD_WORDS = 8
LIMIT_WORDS = 18

CAUSE_RECEIPT = 1
CAUSE_ADJUST = 2
CAUSE_COUNT = 3
CAUSE_ISSUE = 4
CAUSE_TRANSFER = 5
CAUSE_MOVE = 6
CAUSE_DELTA = 7
CAUSE_SNAPSHOT = 8

NOBODY = 0
ANY_SEGMENT = -1
# Above any sum of what one stockpoint may hold, below the end of int32.
MOST_UNITS = 1_000_000_000
# A minimum so high that no promise can bring the balance down to it.
PLENTY = 2_000_000_000
# More than can be promised of anything: what an untracked SKU has.
UNBOUNDED = 1 << 40
