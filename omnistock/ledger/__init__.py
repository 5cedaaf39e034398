"""The append-only ledger: packed frames, where they are kept, and their audit."""

from omnistock.ledger.frame import Frame, pack_frame, unpack_frame
from omnistock.ledger.store import LedgerStore, MemoryLedger, SqliteLedger, open_ledger

__all__ = [
    "Frame",
    "LedgerStore",
    "MemoryLedger",
    "SqliteLedger",
    "open_ledger",
    "pack_frame",
    "unpack_frame",
]
