"""The engine's questions: how many, why, by when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from omnistock.availability.arena import State, rows
from omnistock.availability.flat import free_into
from omnistock.availability.layout import BUCKET, POINT_NODE
from omnistock.availability.rows import Fences
from omnistock.engine import checking, explaining, late, planned, reads
from omnistock.engine.askers import Asker, AskerDetail, OtherAskerDetail
from omnistock.engine.commands import Moment, Quantity
from omnistock.engine.fast import BestNodes, best_nodes
from omnistock.engine.methods import Methods
from omnistock.engine.results import AtpRow, Check, Explanation, Level, LevelChange, Peg
from omnistock.engine.watching import Watch
from omnistock.errors import InputError, UnknownError
from omnistock.model import QuantityRule

__all__ = ["QueryMethods"]

LEVELS = ("sell", "schedule", "ship")


class QueryMethods(Methods):
    """Available, check, explain, time-phased rows, pegs, ranges.

    All take the keywords of an asker: ``channel``, ``segment``, ``attributes``, ``node``
    or ``nodes``, ``lot``, ``min_remaining_days`` and ``by``.
    """

    def available(
        self,
        sku: str,
        *,
        channel: str | None = None,
        node: str | None = None,
        together: bool = False,
        exclude: str | Sequence[str] = (),
        level: str = "sell",
        now: Moment | None = None,
        **asker: Unpack[OtherAskerDetail],
    ) -> int:
        """Return the units that :meth:`reserve` would hold for this asker, by the same kernel.

        Parameters
        ----------
        sku : str
            A SKU or a kit.
        channel, segment, attributes, node, nodes, lot, min_remaining_days : optional
            Who asks, and for what stock; all nodes that serve, if no node is named.
        by : optional
            When it is due: stock expected until then counts.
        exclude : str or sequence of str
            Orders whose holds do not count: an order is not in its own way.
        level : {"sell", "schedule", "ship"}
            What counts against stock: every hold; what is confirmed; or only what is
            released to the floor. The last two look at on hand now, without limits.

        Returns
        -------
        int
            Smallest units, at least 0; an untracked SKU has 2**40.
        """
        state = self._writer.at_time(None if now is None else self._seconds(now))
        if not (asker or together or exclude) and level == "sell":
            units = self._quick.units(sku, channel, node, state)
            if units is not None:
                return units
        if level not in LEVELS:
            raise InputError(f"level must be one of {LEVELS}, got {level!r}")
        detail: AskerDetail = {"channel": channel, "node": node, **asker}
        asked = reads.question(self._writer, sku, detail, together=together)
        if level != "sell":
            return reads.at_level(self._writer.state, asked, level)
        if exclude:
            orders = (exclude,) if isinstance(exclude, str) else tuple(exclude)
            return reads.ask_without(self._writer, asked, orders)
        state = self._writer.state
        return late.with_movable(self._writer, state, asked, reads.ask(state, asked))

    def handle(self, sku: str, node: str) -> int:
        """Return the engine's number of a stockpoint, for :meth:`free`."""
        registry = self._writer.registry
        key = (registry.stocked_sku(sku), registry.node(node), 0)
        if key not in registry.points:
            raise UnknownError("stockpoint", f"{sku} at {node}", code="not_stocked")
        return registry.points[key]

    def free(self, handle: int) -> int:
        """Return what a stockpoint may promise anybody for now, by its number.

        The bare path: as of the last command or question that moved the time, before limits
        of channels and whether its node is on. What has expired since only adds to it.
        """
        return self._quick.free(handle)

    def free_many(self, handles: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """Return what many stockpoints may promise anybody for now, by their numbers.

        Parameters
        ----------
        handles : (n,) int64
            Numbers from :meth:`handle`.

        Returns
        -------
        (n,) int32
            As :meth:`free` answers each of them.
        """
        chosen = np.ascontiguousarray(handles, np.int64)
        free = rows(self._writer.state, "free").reshape(-1)
        if chosen.ndim != 1:
            raise InputError(f"handles must have one dimension, got {chosen.ndim}")
        free.flags.writeable = False
        chosen = chosen.view()
        chosen.flags.writeable = False
        units = np.empty(len(chosen), np.int32)
        done = free_into(units, free, chosen)
        if done < len(chosen):
            raise InputError(
                f"handles must be numbers of stockpoints in 0..{len(free) - 1}, got {chosen[done]} "
                f"at {done}"
            )
        return units

    def best_nodes(
        self,
        skus: npt.ArrayLike,
        *,
        channel: str | None = None,
        segment: str = "",
        attributes: Mapping[str, str] | None = None,
        nodes: Sequence[str] = (),
        now: Moment | None = None,
    ) -> BestNodes:
        """Return for each SKU the node that can give most of it now, and how much.

        Equals the largest of ``available(sku, node=...)`` over the nodes that keep the SKU; of
        equal nodes the first by priority.

        Parameters
        ----------
        skus : (n_skus,) int64
            Numbers from :meth:`sku_codes`; no kits.
        channel, segment, attributes, nodes : optional
            Who asks.

        Returns
        -------
        BestNodes
        """
        self._writer.at_time(self._seconds(now))
        asker = self._writer.asker(Asker.of(channel, segment, attributes, nodes))
        state = self._writer.state
        found = best_nodes(self._writer, state, skus, asker)
        if self._writer.registry.has_late:
            # Late holds give way to a request for their node, which the kernel does not weigh.
            detail: AskerDetail = {"channel": channel, "segment": segment}
            detail |= {"attributes": attributes, "nodes": nodes}
            for k, sku in enumerate(np.asarray(skus).tolist()):
                found.nodes[k], found.units[k] = self._best_with_movable(state, sku, detail)
        return found

    def _best_with_movable(self, state: State, sku: int, detail: AskerDetail) -> tuple[int, int]:
        """Node that can give most of a SKU, and how much, if late holds make room for it."""
        registry = self._writer.registry
        best, most = -1, 0
        points = rows(state, "points")
        for s in self._writer.book.points_of(sku):
            node = int(points[s, POINT_NODE])
            place = registry.node_list[node].node
            name = registry.sku_list[sku].sku
            asked = reads.question(self._writer, name, {**detail, "node": place})
            units = late.with_movable(self._writer, state, asked, reads.ask(state, asked))
            if units > most:
                best, most = node, units
        return best, most

    def raw_available(
        self, sku: str, *, now: Moment | None = None, **asker: Unpack[AskerDetail]
    ) -> int:
        """Return balance less buffer over the nodes asked about: negative where stock is short."""
        self._writer.at_time(self._seconds(now))
        asked = reads.question(self._writer, sku, asker)
        return reads.raw_available(self._writer.state, asked)

    def check(
        self,
        sku: str,
        quantity: Quantity,
        *,
        rule: QuantityRule | None = None,
        together: bool = False,
        exclude: str | Sequence[str] = (),
        method: str | None = None,
        now: Moment | None = None,
        **asker: Unpack[AskerDetail],
    ) -> Check:
        """Say whether a quantity may be promised, and if not why, how many and when.

        Parameters
        ----------
        rule : QuantityRule, optional
            Holds beside the SKU's own minimum, maximum and increment.
        together : bool
            Components of one kit must come from one node.
        method : str, optional
            Look at the rows of this method (see :meth:`atp`) instead of what the engine
            would promise; needs a node.

        Returns
        -------
        Check
        """
        state = self._writer.at_time(self._seconds(now))
        registry = self._writer.registry
        units = registry.sku_list[registry.sku(sku)].smallest_units(quantity)
        if units < 1:
            raise InputError(f"SKU {sku!r}: quantity must be >= 1, got {quantity}")
        orders = (exclude,) if isinstance(exclude, str) else tuple(exclude)
        if method is not None and method != "lookahead_min":
            rows = planned.rows_of(self._writer, state, sku, asker.get("node"), method, None, None)
            by = self._seconds(asker.get("by"))
            bucket = int(state.stock[BUCKET]) if by is None else registry.calendar.bucket_of(by)
            return checking.check_rows(rows, registry.calendar.label(bucket), units)
        return checking.check(
            self._writer, state, sku, units, asker, rule=rule, together=together, exclude=orders
        )

    def availability(self, lines: Any, *, now: Moment | None = None) -> Any:
        """Answer a table of questions (sku, and channel or node if they matter).

        Returns
        -------
        table
            The caller's own kind, with the column ``available`` added (smallest units).
        """
        from omnistock.engine import bulk

        state = self._writer.at_time(self._seconds(now))
        return bulk.availability(self._writer, state, lines)

    def explain(
        self, sku: str, *, now: Moment | None = None, **asker: Unpack[AskerDetail]
    ) -> Explanation:
        """Return the waterfall from on hand to available, and what binds."""
        state = self._writer.at_time(self._seconds(now))
        return explaining.explain(self._writer, state, sku, asker)

    def atp(
        self,
        sku: str,
        node: str | None = None,
        *,
        method: str = "lookahead_min",
        fences: Fences | None = None,
        horizon: int | None = None,
        now: Moment | None = None,
    ) -> tuple[AtpRow, ...]:
        """Return the time-phased rows of a SKU at a node (or all), the current bucket first.

        Parameters
        ----------
        method : str
            lookahead_min, which is what the engine promises before limits; or discrete,
            cumulative, period_net, period_backward, period_backward_accumulate, as
            reports over the same data.
        fences : Fences, optional
            How long overdue receipts and commitments still count, in place of the calendar's.
        horizon : int, optional
            Number of buckets, all by default.
        """
        state = self._writer.at_time(self._seconds(now))
        return planned.rows_of(self._writer, state, sku, node, method, fences, horizon)

    def peg(
        self,
        order: str | None = None,
        *,
        sku: str | None = None,
        quantity: Quantity | None = None,
        by: Moment | None = None,
        node: str | None = None,
        mode: str = "first_eta",
        now: Moment | None = None,
    ) -> tuple[Peg, ...]:
        """Say which supply serves an order, or would serve a quantity that nobody has ordered.

        ``mode`` "first_eta" takes stock first, then the earliest receipt; "closest_eta"
        the latest supply that is still in time, which leaves stock for today's sales.
        """
        state = self._writer.at_time(self._seconds(now))
        if (order is None) == (sku is None):
            raise InputError("peg: name either an order, or a SKU with a quantity")
        if order is not None:
            return planned.peg_order(self._writer, state, order, mode)
        if quantity is None:
            raise InputError("peg: give the quantity")
        registry = self._writer.registry
        units = registry.sku_list[registry.sku(str(sku))].smallest_units(quantity)
        due = self._seconds(by)
        return planned.peg_question(self._writer, state, str(sku), units, due, node, mode)

    def watch(
        self,
        levels: Sequence[tuple[str, int | None]],
        *,
        skus: Sequence[str] | None = None,
        channels: Sequence[str | None] | None = None,
    ) -> None:
        """Watch availability by ranges: (end of the one before, end], the last one without end.

        Each crossing is one event, after its frame is on disk; :meth:`changes` gives them.
        """
        registry = self._writer.registry
        if skus is None:
            skus = [one.sku for one in registry.sku_list if not one.is_kit and one.tracked]
        if self._watch is not None:
            self._writer.after_commit.remove(self._watch._look)
        self._watch = Watch(self._writer, levels, skus, channels or [None])

    def level(self, sku: str, channel: str | None = None, *, now: Moment | None = None) -> Level:
        """Return the range in which a SKU's availability lies."""
        if self._watch is None:
            raise InputError("no levels are watched; call watch first")
        return self._watch.level(self.available(sku, channel=channel, now=now))

    def changes(self, *, now: Moment | None = None) -> list[LevelChange]:
        """Return the crossings since the last call, oldest first."""
        if self._watch is None:
            raise InputError("no levels are watched; call watch first")
        self._writer.at_time(self._seconds(now))
        self._watch.look()
        return self._watch.changes()
