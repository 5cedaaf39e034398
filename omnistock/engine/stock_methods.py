"""The engine's methods on stock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from omnistock.engine.askers import StockDetail
from omnistock.engine.commands import Moment, Quantity, RequestId
from omnistock.engine.methods import Methods
from omnistock.engine.results import FeedAnswer, StockChange
from omnistock.engine.stock_commands import (
    Adjust,
    Count,
    Delta,
    Expect,
    Issue,
    Move,
    Receive,
    Snapshot,
    Transfer,
)

__all__ = ["StockMethods"]


class StockMethods(Methods):
    """Receive, expect, count, issue, move, transfer, and what other systems report.

    All take the keywords of a compartment: ``state``, ``segment``, ``lot``, ``owner``,
    ``expiry`` (the moment from which the stock no longer counts) and ``received``.
    """

    def receive(
        self,
        sku: str,
        node: str,
        quantity: Quantity,
        *,
        reference: str | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
        **detail: Unpack[StockDetail],
    ) -> None:
        """Take units into stock, against the expected receipt ``reference`` if named."""
        self._do(Receive(sku, node, quantity, reference, detail, request_id=request_id), now)

    def expect(
        self,
        sku: str,
        node: str,
        quantity: Quantity,
        eta: Moment | None,
        reference: str,
        *,
        request_id: RequestId | None = None,
        now: Moment | None = None,
        **detail: Unpack[StockDetail],
    ) -> None:
        """Announce a receipt, or set anew what remains of a known one and when it comes.

        Without ``eta`` it counts for no date until it is received. One that is overdue
        counts as nothing, unless the calendar's overdue_supply_buckets say otherwise.
        """
        self._do(Expect(sku, node, quantity, eta, reference, detail, request_id=request_id), now)

    def adjust(
        self,
        sku: str,
        node: str,
        delta: Quantity,
        *,
        allow_negative: bool = False,
        request_id: RequestId | None = None,
        now: Moment | None = None,
        **detail: Unpack[StockDetail],
    ) -> None:
        """Change on hand by a signed quantity; promises stay and may then be short.

        ``allow_negative`` lets on hand fall below zero, where another system keeps it so.
        """
        self._do(Adjust(sku, node, delta, allow_negative, detail, request_id=request_id), now)

    def count(
        self,
        sku: str,
        node: str,
        on_hand: Quantity,
        *,
        on_shortage: str = "keep",
        request_id: RequestId | None = None,
        now: Moment | None = None,
        **detail: Unpack[StockDetail],
    ) -> StockChange:
        """Set on hand to what was counted.

        Promises that stock can no longer keep stay, or with ``on_shortage="reduce"``
        yield, newest first.

        Returns
        -------
        StockChange
            The difference found, and which promises yielded.
        """
        found = self._do(Count(sku, node, on_hand, on_shortage, detail, request_id=request_id), now)
        assert isinstance(found, StockChange)
        return found

    def issue(
        self,
        sku: str,
        node: str,
        quantity: Quantity,
        *,
        channel: str | None = None,
        force: bool = False,
        on_shortage: str = "keep",
        dry_run: bool = False,
        request_id: RequestId | None = None,
        now: Moment | None = None,
        **detail: Unpack[StockDetail],
    ) -> StockChange:
        """Sell or use units on the spot.

        ``force`` takes promised units, too: the promises stay short, or with
        ``on_shortage="reduce"`` yield, newest first. ``dry_run`` only looks whether it could.

        Raises
        ------
        OutOfStock
            If they are not on hand, or (``code`` "reserved") are promised to others.
        """
        command = Issue(
            sku, node, quantity, channel, force, on_shortage, detail, dry_run,
            request_id=request_id,
        )  # fmt: skip
        found = self._do(command, now)
        assert isinstance(found, StockChange)
        return found

    def move(
        self,
        sku: str,
        node: str,
        quantity: Quantity,
        *,
        to: StockDetail,
        force: bool = False,
        request_id: RequestId | None = None,
        now: Moment | None = None,
        **detail: Unpack[StockDetail],
    ) -> None:
        """Move units of a node from one compartment to another; the total stays.

        Examples
        --------
        >>> import omnistock as om
        >>> engine = om.open(":memory:", om.Network.build(skus=["TEE"], nodes=["DC"]))
        >>> engine.receive("TEE", "DC", 10)
        >>> engine.move("TEE", "DC", 2, to={"state": "damaged"})
        >>> engine.available("TEE")
        8
        """
        self._do(Move(sku, node, quantity, to, detail, force, request_id=request_id), now)

    def transfer(
        self,
        sku: str,
        source: str,
        destination: str,
        quantity: Quantity,
        eta: Moment,
        reference: str,
        *,
        force: bool = False,
        request_id: RequestId | None = None,
        now: Moment | None = None,
        **detail: Unpack[StockDetail],
    ) -> None:
        """Send units to another node; they are expected there until received."""
        command = Transfer(
            sku, source, destination, quantity, eta, reference, force, detail,
            request_id=request_id,
        )  # fmt: skip
        self._do(command, now)

    def delta(
        self,
        sku: str,
        node: str,
        delta: Quantity,
        *,
        source: str,
        sequence: int,
        request_id: RequestId | None = None,
        now: Moment | None = None,
        **detail: Unpack[StockDetail],
    ) -> FeedAnswer:
        """Change on hand by what another system reports; each sequence number counts once.

        Deltas may come in any order, and again.
        """
        command = Delta(sku, node, delta, source, sequence, detail, request_id=request_id)
        answer = self._do(command, now)
        assert isinstance(answer, FeedAnswer)
        return answer

    def snapshot(
        self,
        sku: str,
        node: str,
        on_hand: Quantity,
        *,
        source: str,
        sequence: int | None = None,
        netted: Sequence[str] = (),
        request_id: RequestId | None = None,
        now: Moment | None = None,
        **detail: Unpack[StockDetail],
    ) -> FeedAnswer:
        """Take over what another system has on hand.

        Parameters
        ----------
        sequence : int, optional
            The last of its deltas that is in the snapshot; later ones are put on top.
        netted : sequence of str
            Orders open here whose units it has deducted already: they are not deducted
            a second time.

        Returns
        -------
        FeedAnswer
            With the drift: how far on hand was from what it should have been.
        """
        command = Snapshot(
            sku, node, on_hand, source, sequence, netted, detail, request_id=request_id
        )
        answer = self._do(command, now)
        assert isinstance(answer, FeedAnswer)
        return answer

    def receive_many(self, table: Any, *, now: Moment | None = None) -> None:
        """Take a table (sku, node, quantity) into stock, all rows or none."""
        from omnistock.engine import bulk

        self._execute_all(bulk.receipts(table), now)

    def expect_many(self, table: Any, *, now: Moment | None = None) -> None:
        """Announce a table of receipts (reference, sku, node, quantity, eta), all or none."""
        from omnistock.engine import bulk

        self._execute_all(bulk.expectations(table), now)
