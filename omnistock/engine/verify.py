"""The running engine against the auditor's books."""

from __future__ import annotations

from omnistock.availability import layout
from omnistock.availability.arena import State, rows
from omnistock.engine.results import Verification
from omnistock.engine.writer import Writer
from omnistock.ledger.audit import Books, audit

__all__ = ["verify"]


def verify(writer: Writer) -> Verification:
    """Add up the ledger anew and name every number in which the engine differs."""
    with writer.paused() as state:
        books = audit(writer.store.frames())
        books.pass_time(int(state.stock[layout.NOW]), int(state.stock[layout.BUCKET]))
        differences = [
            *_stockpoints(state, books),
            *_free(state, books),
            *_holds(state, books),
            *_limits(state, books),
            *_rest(state, books),
        ]
    return Verification(
        frames=books.frames,
        events=books.words,
        stockpoints=len(books.points),
        holds=len(books.holds),
        differences=tuple(differences),
    )


def _differs(what: str, engine: int, ledger: int) -> list[str]:
    return [] if engine == ledger else [f"{what}: engine {engine}, ledger {ledger}"]


def _stockpoints(state: State, books: Books) -> list[str]:
    found = _differs("stockpoints", int(state.stock[layout.N_POINTS]), len(books.points))
    open_units = books.open_units()
    n_buckets = int(state.stock[layout.N_BUCKETS])
    table = rows(state, "points").tolist()
    for s, minima in books.minima(n_buckets).items():
        record = state.records[s].tolist()
        point = table[s]
        name = f"stockpoint {s}"
        held = open_units.get((s, layout.HELD), 0)
        committed = open_units.get((s, layout.CONFIRMED), 0)
        found += _differs(f"{name} on hand", point[layout.ON_HAND], books.on_hand[s])
        found += _differs(f"{name} reserved", point[layout.RESERVED], held)
        found += _differs(f"{name} committed", point[layout.COMMITTED], committed)
        found += _differs(f"{name} buffer", record[layout.BUFFER], books.kept(s))
        off = int(books.switched_off.get(s, False))
        found += _differs(f"{name} off", point[layout.SWITCHED_OFF], off)
        for t in range(n_buckets):
            promised = record[layout.BASE] + record[layout.MINIMA + t]
            expected = minima[t]
            if record[layout.MINIMA + t] == layout.PLENTY:
                promised = expected = 0 if expected >= layout.PLENTY // 2 else -1
            found += _differs(f"{name} available from bucket +{t}", promised, expected)
    return found


def _free(state: State, books: Books) -> list[str]:
    """Compare the column of free units, and the order in which SKUs list their stockpoints."""
    found = _differs("words of free units", len(rows(state, "free")), len(books.points))
    n_buckets = int(state.stock[layout.N_BUCKETS])
    words = rows(state, "free").reshape(-1).tolist()
    table = rows(state, "points").tolist()
    for s, minima in books.minima(n_buckets).items():
        units = min(max(minima[0] - books.kept(s), 0), layout.PLENTY)
        flagged = int(state.records[s, layout.FLAGS] != 0)
        word = units << layout.FREE_UNITS | (layout.LARGEST_POINT - s) << 1 | flagged
        found += _differs(f"stockpoint {s} word of free units", words[s], word)
    runs = rows(state, "runs").reshape(-1).tolist()
    for code, sku in enumerate(rows(state, "skus").tolist()):
        count, run = sku[layout.POINTS_OF_SKU], sku[layout.FIRST_RUN]
        first = sku[layout.FIRST_POINT]
        listed = list(range(first, first + count)) if run < 0 else runs[run : run + count]
        chain = []
        while first >= 0:
            chain.append(first)
            first = table[first][layout.NEXT_POINT]
        found += [] if chain == listed else [f"SKU {code}: listed {listed}, linked {chain}"]
    return found


def _holds(state: State, books: Books) -> list[str]:
    found = _differs("holds", int(state.stock[layout.N_HOLDS]), len(books.holds))
    holds = rows(state, "holds").tolist()
    lines = rows(state, "lines").tolist()
    for number, hold in enumerate(books.holds[: len(holds)]):
        row = holds[number]
        found += _differs(f"hold {number} status", row[layout.STATUS], hold.status)
        found += _differs(f"hold {number} lines", row[layout.LINES_OF_HOLD], len(hold.lines))
        for k, (point, _, units, shipped, returned) in enumerate(hold.lines):
            line = lines[row[layout.FIRST_LINE] + k]
            name = f"hold {number} line {k}"
            found += _differs(f"{name} stockpoint", line[layout.LINE_POINT], point)
            found += _differs(f"{name} open", line[layout.OPEN], units)
            found += _differs(f"{name} shipped", line[layout.LINE_SHIPPED], shipped)
            found += _differs(f"{name} returned", line[layout.RETURNED], returned)
    return found


def _limits(state: State, books: Books) -> list[str]:
    found = _differs("limits", int(state.stock[layout.N_LIMITS]), len(books.limits))
    table = rows(state, "limits").tolist()
    for number, limit in books.limits.items():
        row = table[number]
        name = f"limit {number} of SKU {limit.sku}"
        found += _differs(name, row[layout.LIMIT_UNITS], limit.units)
        found += _differs(f"{name} used", row[layout.LIMIT_USED], limit.used)
    return found


def _rest(state: State, books: Books) -> list[str]:
    found = _differs("requests", int(state.stock[layout.N_REQUESTS]), books.requests)
    found += _differs("order lines", int(state.stock[layout.N_ORDERS]), books.orders)
    last = max(books.inbound, default=-1)
    found += _differs("inbound rows", int(state.stock[layout.N_INBOUND]), last + 1)
    inbound = rows(state, "inbound")
    for row, (_, _, remaining) in books.inbound.items():
        held = int(inbound[row, layout.REMAINING])
        found += _differs(f"inbound row {row}", held, remaining)
    nodes = rows(state, "nodes")
    for node, off in books.nodes_off.items():
        held = int(nodes[node, layout.NODE_ACTIVE])
        found += _differs(f"node {node} on", held, int(not off))
    found += _capacities(state, books)
    deltas = rows(state, "deltas")
    points = rows(state, "points")
    for (point, source), known in books.deltas.items():
        chain = set()
        at = int(points[point, layout.FIRST_DELTA])
        while at >= 0:
            if deltas[at, layout.DELTA_SOURCE] == source:
                chain.add(int(deltas[at, layout.DELTA_SEQUENCE]))
            at = int(deltas[at, layout.NEXT_DELTA])
        found += [] if chain == set(known) else [f"deltas at stockpoint {point} differ"]
    return found


def _capacities(state: State, books: Books) -> list[str]:
    """What nodes can handle and have to do in each bucket of the horizon."""
    current, n_buckets = int(state.stock[layout.BUCKET]), int(state.stock[layout.N_BUCKETS])
    found = _differs("limited nodes", int(state.stock[layout.N_CAPACITIES]), len(books.capacities))
    nodes, flows = rows(state, "nodes"), rows(state, "flows")
    for node, units in books.capacities.items():
        row = nodes[node].tolist()
        found += _differs(f"capacity of node {node}", row[layout.NODE_CAPACITY], units[-1])
        work = flows[row[layout.NODE_WORK] - 1].tolist()
        for bucket in range(current, current + n_buckets):
            slot, name = bucket % n_buckets, f"node {node} in bucket {bucket}"
            found += _differs(f"work of {name}", work[slot], books.work.get((node, bucket), 0))
            own = work[n_buckets + slot] - 1
            found += _differs(f"capacity of {name}", own, units.get(bucket, -1))
    return found
