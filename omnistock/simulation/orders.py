"""The days after the plan: orders, walk-in sales, receipts, returns, as events in time.

What a customer will do is drawn beforehand and does not depend on the engine's answers:
a payment for an order that was refused simply finds no order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from omnistock.errors import InputError
from omnistock.model.calendar import to_seconds
from omnistock.simulation.demand import DemandModel, draw_units
from omnistock.simulation.geography import CHANNELS, WAREHOUSES, node_specs
from omnistock.simulation.retailer import Retailer

__all__ = ["EVENT_KINDS", "Event", "order_stream"]

EVENT_KINDS = ("receipt", "return", "confirm", "cancel", "ship", "order", "walk_in")
CART_TTL_S = 900

_DAY = 86_400
_HOUR = 3_600
_PICKING_WAVES = (10, 13, 16, 19)
# Tills send their sales, and the marketplace its orders, only every so often.
_TILL_FEED_S = 300
_MARKET_FEED_S = 900
_RECEIPT_HOURS = {"warehouse": 5, "store": 7}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to the retailer.

    Attributes
    ----------
    time : int
        Seconds since 1970.
    kind : str
        ``order`` (reserve), ``confirm`` (paid), ``cancel``, ``ship``, ``return``,
        ``walk_in`` (a sale over the counter) or ``receipt``.
    reference : str
        The order, the sale, or the purchase order.
    channel, node : str
        Who asks and where; an empty node means any.
    lines : tuple of (str, int)
        SKU and smallest units. A ``ship`` without lines ships all that is open.
    ttl_s : int
        How long an ``order`` is held; 0 makes it hard at once.
    """

    time: int
    kind: str
    reference: str
    channel: str = ""
    node: str = ""
    lines: tuple[tuple[str, int], ...] = ()
    ttl_s: int = 0


@dataclass(frozen=True, slots=True)
class _Lines:
    """Order lines of one day as columns."""

    sku: np.ndarray
    cell: np.ndarray
    units: np.ndarray

    def at(self, index: np.ndarray) -> _Lines:
        return _Lines(self.sku[index], self.cell[index], self.units[index])


def order_stream(retailer: Retailer, seed: int = 1, *, days: int = 2) -> tuple[Event, ...]:
    """Draw what happens on the ``days`` days after the plan date.

    Orders come from the retailer's true demand. Web and app customers hold a cart for a
    quarter of an hour; most pay, some change their mind, some let it expire, some pay too
    late. Marketplace and subscription orders are paid when they come: the marketplace
    sends its orders every quarter of an hour, subscriptions come all at once at night, and
    tills send their sales every five minutes. Goods leave with the picking waves; some
    come back. Receipts are those on their way when the history ended, all on time.

    Returns
    -------
    tuple of Event
        In order of time; at the same second as ``EVENT_KINDS`` lists the kinds.

    Raises
    ------
    InputError
        If ``days`` is below 1.

    Examples
    --------
    >>> from omnistock.simulation import make_retailer
    >>> events = order_stream(make_retailer(seed=1, n_skus=20, days=60), seed=1, days=1)
    >>> sorted({event.kind for event in events} - {"cancel", "return"})
    ['confirm', 'order', 'receipt', 'ship', 'walk_in']
    """
    if days < 1:
        raise InputError(f"days must be >= 1, got {days}")
    rng = np.random.default_rng(np.random.SeedSequence([retailer.seed, seed]))
    start = to_seconds(retailer.plan_date + dt.timedelta(days=1))
    events = list(_receipts(retailer, start, days))
    for day in range(days):
        midnight = start + day * _DAY
        lines = _draw_lines(rng, retailer.model, retailer.days + day)
        walk_in = retailer.model.cells.channel[lines.cell] == 0
        events += _walk_ins(rng, retailer.model, lines.at(walk_in), midnight)
        for number in range(1, len(CHANNELS)):
            own = lines.at(retailer.model.cells.channel[lines.cell] == number)
            events += _online_orders(rng, retailer.model, own, number, midnight)
    end = start + days * _DAY
    rank = {kind: position for position, kind in enumerate(EVENT_KINDS)}
    events = [event for event in events if event.time < end]
    return tuple(sorted(events, key=lambda one: (one.time, rank[one.kind], one.reference)))


def _draw_lines(rng: np.random.Generator, model: DemandModel, day: int) -> _Lines:
    sku, cell, count = model.draw_lines(rng, day)
    sku, cell = np.repeat(sku, count), np.repeat(cell, count)
    units = draw_units(rng, model.catalogue, sku, np.ones(len(sku), dtype=np.int64))
    return _Lines(sku, cell, units)


def _receipts(retailer: Retailer, start: int, days: int) -> Iterator[Event]:
    """Yield one event per delivery: what one node receives under one reference."""
    nodes, sku = node_specs(), retailer.model.catalogue.sku
    coming = retailer.history.inbound
    reference = np.array(retailer.tables["inbound"]["reference"].to_pylist(), dtype=object)
    for name in sorted(set(reference[coming["day"] < retailer.days + days])):
        rows = np.flatnonzero(reference == name)
        node = nodes[coming["node"][rows[0]]]
        day = int(coming["day"][rows[0]]) - retailer.days
        yield Event(
            time=start + day * _DAY + _RECEIPT_HOURS[node.kind] * _HOUR,
            kind="receipt",
            reference=name,
            node=node.name,
            lines=tuple(zip(sku[coming["sku"][rows]], coming["units"][rows].tolist(), strict=True)),
        )


def _times(rng: np.random.Generator, channel: int, count: int, opening: bool) -> np.ndarray:
    """Draw seconds of the day around the channel's peak hours."""
    peaks = np.array(CHANNELS[channel].peak_hours)
    hour = rng.choice(peaks, count) + rng.normal(0.0, 1.8 if opening else 2.5, count)
    hour = np.clip(hour, 9.0, 19.99) if opening else hour % 24.0
    return np.asarray((hour * _HOUR).astype(np.int64))


def _fed(times: np.ndarray, every: int) -> np.ndarray:
    """Return when times become known, if news come every so many seconds of the day."""
    return np.asarray(np.minimum(-(-times // every) * every, _DAY - 1))


def _walk_ins(
    rng: np.random.Generator, model: DemandModel, lines: _Lines, midnight: int
) -> list[Event]:
    nodes, sku = node_specs(), model.catalogue.sku
    times = midnight + _fed(_times(rng, 0, len(lines.sku), opening=True), _TILL_FEED_S)
    return [
        Event(
            time=int(times[i]),
            kind="walk_in",
            reference=f"SALE-{midnight // _DAY}-{i:06d}",
            channel=CHANNELS[0].name,
            node=nodes[model.cells.node[lines.cell[i]]].name,
            lines=((sku[lines.sku[i]], int(lines.units[i])),),
        )
        for i in range(len(times))
    ]


def _online_orders(
    rng: np.random.Generator, model: DemandModel, lines: _Lines, channel: int, midnight: int
) -> list[Event]:
    """Put the day's lines of a channel into carts, and let each cart take its course."""
    name = CHANNELS[channel].name
    shuffled = lines.at(np.lexsort((rng.random(len(lines.sku)), lines.cell)))
    starts_cart = rng.random(len(lines.sku)) < 0.55
    new_cell = np.diff(shuffled.cell, prepend=-1) != 0
    first = np.flatnonzero(starts_cart | new_cell)
    times = _times(rng, channel, len(first), opening=False)
    if name == "subscription":
        times[:] = 3 * _HOUR
    if name == "marketplace":
        times = _fed(times, _MARKET_FEED_S)
    events: list[Event] = []
    for number, rows in enumerate(np.split(np.arange(len(lines.sku)), first[1:])):
        if len(rows) == 0:
            continue
        skus = shuffled.sku[rows]
        order = Event(
            time=midnight + int(times[number]),
            kind="order",
            reference=f"{name.upper()}-{midnight // _DAY}-{number:05d}",
            channel=name,
            node=_collected_at(rng, model, skus, int(shuffled.cell[rows[0]])),
            lines=tuple(zip(model.catalogue.sku[skus], shuffled.units[rows].tolist(), strict=True)),
            ttl_s=CART_TTL_S if name in ("web", "app") else 0,
        )
        events += _course(rng, model, order)
    return events


def _collected_at(rng: np.random.Generator, model: DemandModel, skus: np.ndarray, cell: int) -> str:
    """Return the store where an app customer collects the order, or "" if it is sent."""
    if CHANNELS[model.cells.channel[cell]].name != "app" or rng.random() > 0.25:
        return ""
    stores = np.flatnonzero(model.cells.region == model.cells.node[cell])
    stores = stores[stores >= len(WAREHOUSES)]
    stores = stores[model.catalogue.carried[np.ix_(skus, stores)].all(axis=0)]
    return node_specs()[rng.choice(stores)].name if len(stores) else ""


def _course(rng: np.random.Generator, model: DemandModel, order: Event) -> list[Event]:
    """Return the order and what follows from it."""

    def follow(kind: str, time: int, lines: tuple[tuple[str, int], ...] = ()) -> Event:
        return Event(time, kind, order.reference, order.channel, order.node, lines)

    events, paid = [order], order.time
    if order.ttl_s:
        fate = rng.random()
        paid = order.time + int(rng.integers(45, 600))
        if fate < 0.10:
            return events  # forgotten: the hold expires
        if fate < 0.15:
            return [*events, follow("cancel", paid)]
        if fate < 0.18:
            paid = order.time + order.ttl_s + int(rng.integers(1, 300))  # pays too late
        events.append(follow("confirm", paid))
    if rng.random() < 0.04:
        return [*events, follow("cancel", paid + int(rng.integers(60, 2 * _HOUR)))]

    shipped = _next_wave(paid + _HOUR)
    kits = set(model.catalogue.sku[model.catalogue.kit])
    whole = [line for line in order.lines if line[0] not in kits]
    if len(order.lines) > 1 and whole and rng.random() < 0.25:
        events.append(follow("ship", shipped, (whole[0],)))
        shipped = _next_wave(shipped + _HOUR)
    events.append(follow("ship", shipped))
    if whole and rng.random() < 0.08:
        back = whole[int(rng.integers(len(whole)))]
        node = order.node or WAREHOUSES[int(rng.integers(len(WAREHOUSES)))].name
        time = shipped + int(rng.integers(12 * _HOUR, 30 * _HOUR))
        events.append(Event(time, "return", order.reference, order.channel, node, (back,)))
    return events


def _next_wave(time: int) -> int:
    """Return the first picking wave at or after ``time``."""
    midnight = time - time % _DAY
    for hour in _PICKING_WAVES:
        if midnight + hour * _HOUR >= time:
            return midnight + hour * _HOUR
    return midnight + _DAY + _PICKING_WAVES[0] * _HOUR
