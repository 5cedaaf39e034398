"""The running engine against the auditor's books."""

from __future__ import annotations

from omnistock.availability.layout import (
    BASE,
    BUCKET,
    BUFFER,
    COMMITTED,
    CONFIRMED,
    EXPIRED,
    FIRST_LINE,
    HELD,
    LIMIT_ROW,
    LINE_SHIPPED,
    MINIMA,
    N_BUCKETS,
    N_HOLDS,
    N_INBOUND,
    N_LINES,
    N_POINTS,
    N_REQUESTS,
    NODE_ACTIVE,
    NOW,
    ON_HAND,
    OPEN,
    PROTECTION,
    PROTECTION_USED,
    QUOTA,
    QUOTA_USED,
    REMAINING,
    RESERVED,
    RETURNED,
    STATUS,
    State,
)
from omnistock.engine.results import Verification
from omnistock.engine.writer import Writer
from omnistock.ledger.audit import Books, audit

__all__ = ["verify"]


def verify(writer: Writer) -> Verification:
    """Add up the ledger anew and name every number in which the engine differs."""
    books = audit(writer.store.frames())
    state = writer.state
    books.pass_time(int(state.counts[NOW]), int(state.counts[BUCKET]))
    differences = [
        *_stockpoints(state, books),
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
    found = _differs("stockpoints", int(state.counts[N_POINTS]), len(books.points))
    open_units = books.open_units()
    n_buckets = int(state.counts[N_BUCKETS])
    for s, minima in books.minima(n_buckets).items():
        record = state.records[s].tolist()
        point = state.points[s].tolist()
        name = f"stockpoint {s}"
        found += _differs(f"{name} on hand", point[ON_HAND], books.on_hand[s])
        found += _differs(f"{name} reserved", point[RESERVED], open_units.get((s, HELD), 0))
        found += _differs(f"{name} committed", point[COMMITTED], open_units.get((s, CONFIRMED), 0))
        found += _differs(f"{name} buffer", record[BUFFER], books.buffers.get(s, 0))
        for t in range(n_buckets):
            promised = record[BASE] + record[MINIMA + t]
            found += _differs(f"{name} available from bucket +{t}", promised, minima[t])
    return found


def _holds(state: State, books: Books) -> list[str]:
    found = _differs("holds", int(state.counts[N_HOLDS]), len(books.holds))
    for number, hold in enumerate(books.holds[: int(state.counts[N_HOLDS])]):
        row = state.holds[number].tolist()
        found += _differs(f"hold {number} status", row[STATUS], hold.status)
        found += _differs(f"hold {number} lines", row[N_LINES], len(hold.lines))
        for k, (_, _, units, shipped, returned) in enumerate(hold.lines):
            line = state.lines[row[FIRST_LINE] + k].tolist()
            name = f"hold {number} line {k}"
            if hold.status != EXPIRED:
                found += _differs(f"{name} open", line[OPEN], units)
            found += _differs(f"{name} shipped", line[LINE_SHIPPED], shipped)
            found += _differs(f"{name} returned", line[RETURNED], returned)
    return found


def _limits(state: State, books: Books) -> list[str]:
    found: list[str] = []
    used_field = {QUOTA: QUOTA_USED, PROTECTION: PROTECTION_USED}
    for (sku, channel, what), units in books.limits.items():
        row = int(state.skus[sku, LIMIT_ROW])
        name = f"limit {what} of SKU {sku} for channel {channel}"
        if row < 0:
            found.append(f"{name}: the engine has none")
            continue
        found += _differs(name, int(state.limits[row, channel, what]), units)
        if what in used_field:
            used = int(state.limits[row, channel, used_field[what]])
            found += _differs(f"{name} used", used, books.used.get((sku, channel, what), 0))
    return found


def _rest(state: State, books: Books) -> list[str]:
    found = _differs("requests", int(state.counts[N_REQUESTS]), books.requests)
    last = max(books.inbound, default=-1)
    found += _differs("inbound rows", int(state.counts[N_INBOUND]), last + 1)
    for row, (_, _, remaining) in books.inbound.items():
        found += _differs(f"inbound row {row}", int(state.inbound[row, REMAINING]), remaining)
    for node, off in books.nodes_off.items():
        found += _differs(f"node {node} on", int(state.nodes[node, NODE_ACTIVE]), int(not off))
    return found
