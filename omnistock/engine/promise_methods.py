"""The engine's methods on when a quantity can be had."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Unpack

from omnistock.availability.layout import BUCKET
from omnistock.engine import promises
from omnistock.engine.askers import AskerDetail
from omnistock.engine.commands import Command, Moment, Quantity
from omnistock.engine.hold_commands import Reserve
from omnistock.engine.methods import Methods
from omnistock.engine.results import Demand, GroupPromise, Promise
from omnistock.model import OrderLine

__all__ = ["PromiseMethods"]


class PromiseMethods(Methods):
    """Promise dates: of a line, of lines that belong together, of a batch by priority."""

    def promise(
        self,
        sku: str,
        quantity: Quantity,
        *,
        partial: bool = False,
        minimum_shipment: Quantity = 1,
        latest: Moment | None = None,
        order: str | None = None,
        now: Moment | None = None,
        **asker: Unpack[AskerDetail],
    ) -> Promise:
        """Say when a quantity can be had; with ``order`` it is reserved as promised.

        Parameters
        ----------
        partial : bool
            In parts as supply comes in, each at least ``minimum_shipment``; otherwise all
            at once, on the first date on or after ``by`` that has it.
        latest : optional
            No delivery later than this.

        Returns
        -------
        Promise
            Deliveries by date, what is short within the horizon, and the delay in buckets.
        """
        state = self._writer.at_time(self._seconds(now))
        fields = {"sku": sku, "quantity": quantity}
        (line,) = promises.group_lines(self._writer, state, [fields], asker)
        state = self._writer.state
        item = self._writer.registry.sku_list[self._writer.registry.sku(sku)]
        found = promises.plan_line(
            self._writer, state, line, order=order or "", partial=partial,
            minimum_shipment=item.smallest_units(minimum_shipment), latest=latest,
        )  # fmt: skip
        return self._kept(found, asker, now) if order is not None else found

    def _kept(self, promise: Promise, asker: AskerDetail, now: Moment | None) -> Promise:
        """Reserve every delivery of a promise in one frame."""
        writer = self._writer
        calendar = writer.registry.calendar
        current = calendar.label(int(writer.state.stock[BUCKET]))
        commands: list[Command] = []
        for one in promise.deliveries:
            by = None if one.date == current else _start(one.date)
            commands.append(
                Reserve(
                    promise.order,
                    [
                        OrderLine(
                            promise.sku, one.quantity, lot=asker.get("lot"),
                            min_remaining_days=asker.get("min_remaining_days", 0),
                        )
                    ],
                    channel=asker.get("channel"), segment=asker.get("segment", ""),
                    attributes=asker.get("attributes"), node=asker.get("node"),
                    nodes=asker.get("nodes", ()), by=by,
                )
            )  # fmt: skip
        holds = [outcome.hold for outcome in self.execute(commands, now=now)]
        return dataclasses.replace(promise, hold=holds[0] if len(holds) == 1 else None)

    def promise_group(
        self,
        lines: Sequence[Any],
        *,
        policy: str = "independent",
        order: str | None = None,
        now: Moment | None = None,
        **asker: Unpack[AskerDetail],
    ) -> GroupPromise:
        """Promise lines that belong together.

        Parameters
        ----------
        lines : sequence
            (sku, quantity), :class:`~omnistock.OrderLine`, :class:`Demand`, or mappings
            with sku, quantity and, if they matter, by, node and lot.
        policy : {"independent", "ship_together", "ratio"}
            Each when it can; all on the first date that has all; or in whole sets in the
            ratio of the quantities, as supply comes in.

        Returns
        -------
        GroupPromise
        """
        state = self._writer.at_time(self._seconds(now))
        read = promises.group_lines(self._writer, state, lines, asker)
        found = promises.plan_group(self._writer, self._writer.state, read, policy)
        if order is not None:
            for one, line in zip(found.promises, read, strict=True):
                self._kept(
                    Promise(order, one.sku, one.deliveries, one.short, one.delay_buckets),
                    line.detail,
                    now,
                )
        return found

    def promise_batch(
        self, demands: Sequence[Demand], *, now: Moment | None = None
    ) -> list[Promise]:
        """Promise and reserve a batch of demands, by priority and then by due date.

        Returns
        -------
        list of Promise
            In the order in which the demands were given.
        """
        state = self._writer.at_time(self._seconds(now))

        def rank(k: int) -> tuple[int, int, int]:
            bucket = promises.first_bucket(self._writer, state, demands[k].by)
            return demands[k].priority, bucket, k

        found: dict[int, Promise] = {}
        for k in sorted(range(len(demands)), key=rank):
            one = demands[k]
            detail: AskerDetail = {"channel": one.channel, "node": one.node, "by": one.by}
            found[k] = self.promise(
                one.sku, one.quantity, partial=one.partial,
                minimum_shipment=one.minimum_shipment, latest=one.latest, order=one.order,
                now=now, **detail,
            )  # fmt: skip
        return [found[k] for k in range(len(demands))]


def _start(label: str) -> str:
    """A bucket's label as a moment: a month begins on its first day."""
    return f"{label}-01" if len(label) == 7 else label
