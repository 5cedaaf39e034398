"""Who asks, and in which compartment of a stockpoint stock lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import msgspec

from omnistock.errors import InputError
from omnistock.model.calendar import Moment

__all__ = ["PLAIN", "Asker", "AskerDetail", "Compartment", "OtherAskerDetail", "StockDetail"]


class Compartment(msgspec.Struct, frozen=True, omit_defaults=True):
    """Stock of one SKU at one node that is alike in every respect.

    Attributes
    ----------
    state : str
        Only "available" can be promised; any other word is a state of its own.
    segment : str
        Whose it is alone: a customer group, a channel, a ring-fenced group.
    lot, owner : str
        Batch; consignor, "" for our own.
    expires, received : int
        First second at which it no longer counts (0: never), and when it came.
    """

    state: str = "available"
    segment: str = ""
    lot: str = ""
    owner: str = ""
    expires: int = 0
    received: int = 0

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What names the compartment when the dates of its lot are left out."""
        return self.state, self.segment, self.lot, self.owner

    def agrees(self, other: Compartment) -> bool:
        """Whether ``other`` says nothing else of the lot's dates, or nothing at all."""
        return other.expires in (0, self.expires) and other.received in (0, self.received)


PLAIN = Compartment()
# Where what is sold before it is there is promised.
PREORDER_NODE = "(preorder)"


class StockDetail(TypedDict, total=False):
    """Keywords that say which compartment of a stockpoint is meant.

    ``state``, ``segment``, ``lot`` and ``owner`` are texts; ``expiry`` is the moment from
    which the stock no longer counts, ``received`` when it came.
    """

    state: str
    segment: str
    lot: str
    owner: str
    expiry: Moment | None
    received: Moment | None


class Asker(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who asks: decides which nodes, segments and owners serve, and which limits fit."""

    channel: str = ""
    segment: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    nodes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        channel: str | None = None,
        segment: str = "",
        attributes: Mapping[str, str] | None = None,
        nodes: Sequence[str] = (),
    ) -> Asker:
        """Build an asker from the keywords of a question."""
        if isinstance(nodes, str):
            raise InputError(f"nodes must be a sequence of names, got {nodes!r}")
        given = sorted((str(name), str(value)) for name, value in (attributes or {}).items())
        return cls(channel or "", segment, tuple(given), tuple(sorted(nodes)))

    def fits(self, match: tuple[tuple[str, str], ...]) -> bool:
        """Whether a limit's condition fits: every value is the asker's, or is "*"."""
        mine = dict(self.attributes)
        mine.setdefault("channel", self.channel)
        return all(value in ("*", mine.get(name)) for name, value in match)


class OtherAskerDetail(TypedDict, total=False):
    """Keywords of an asker beside ``channel`` and ``node``."""

    segment: str
    attributes: Mapping[str, str] | None
    nodes: Sequence[str]
    lot: str | None
    min_remaining_days: int
    by: Moment | None


class AskerDetail(OtherAskerDetail, total=False):
    """Keywords that say who asks, for when, and for what kind of stock.

    ``channel``, ``segment`` and ``attributes`` are who asks; ``node`` or ``nodes`` where;
    ``lot`` and ``min_remaining_days`` what kind of stock; ``by`` when it is due.
    """

    channel: str | None
    node: str | None
