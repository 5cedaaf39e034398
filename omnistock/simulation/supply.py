"""How stock flows through the simulated retailer, and so which demand becomes sales.

Order of events within a day: receipts arrive; customers buy, kits before single units
within a channel, the channels taking turns to be first; stores order up to their level
from their warehouse, which ships what it has; a warehouse whose weekday it is orders
from its supplier. Axes: s = SKU, n = node, c = cell, k = kit, j = component slot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from omnistock.simulation.catalogue import Catalogue
from omnistock.simulation.demand import DemandModel
from omnistock.simulation.geography import CHANNELS, WAREHOUSES, node_specs

__all__ = ["History", "run_history"]

Progress = Callable[[int, int, str], None]

_RING_DAYS = 96
_SAFETY_FACTOR = 1.8
_SHORT_SUPPLY_DAYS = 45
_SPLIT_DELIVERY_DAYS = 2
_HELPED_CHANNELS = ("web", "app")
_N_WAREHOUSES = len(WAREHOUSES)


@dataclass(frozen=True)
class History:
    """What happened; quantities in smallest units.

    Attributes
    ----------
    opening, received, sent, sold, closing : (n_skus, n_nodes) int64
        Stock on hand at the start and the end, and the flows between: closing =
        opening + received - sent - sold. Kits count as their components.
    sales : dict of (n_sales,) arrays
        ``day``, ``sku``, ``node``, ``channel``, ``units``: what was sold, kits under
        their own SKU.
    demand : dict of (n_demand,) arrays
        ``day``, ``sku``, ``node``, ``channel``, ``units``, ``lost``: what was asked for
        where, and how much of it nobody could serve.
    stockouts : dict of (n_stockouts,) arrays
        ``day``, ``sku``, ``node``, ``share`` of the day without stock.
    inbound : dict of (n_inbound,) arrays
        ``day`` of arrival (after the last day), ``sku``, ``node``, ``units``.
    scarce : (n_scarce,) int64
        SKUs whose supplier delivers too little at the end.
    """

    opening: np.ndarray
    received: np.ndarray
    sent: np.ndarray
    sold: np.ndarray
    closing: np.ndarray
    sales: dict[str, np.ndarray]
    demand: dict[str, np.ndarray]
    stockouts: dict[str, np.ndarray]
    inbound: dict[str, np.ndarray]
    scarce: np.ndarray


@dataclass
class _Flows:
    """The state of all stock while the days pass."""

    on_hand: np.ndarray
    on_order: np.ndarray
    arriving: np.ndarray  # (ring, s, n), slot of a day = day % ring; each slot column-major
    received: np.ndarray
    sent: np.ndarray
    sold: np.ndarray

    def receive(self, day: int) -> None:
        slot = self.arriving[day % _RING_DAYS]
        self.on_hand += slot
        self.on_order -= slot
        self.received += slot
        slot[:] = 0


def _open_flows(opening: np.ndarray) -> _Flows:
    n_skus, n_nodes = opening.shape
    zeros = [_zeros(opening.shape) for _ in range(4)]
    ring = np.zeros((_RING_DAYS, n_nodes, n_skus), dtype=np.int64).transpose(0, 2, 1)
    return _Flows(opening.copy(order="F"), zeros[0], ring, zeros[1], zeros[2], zeros[3])


@dataclass(frozen=True)
class _DaySales:
    """Units sold in own cells, units served by flagships instead, and wants per stockpoint."""

    sold: np.ndarray  # (s, c)
    helped: np.ndarray  # (s, c): unmet in the cell, served by the region's flagship store
    wanted_at: np.ndarray  # (s, n)
    sold_at: np.ndarray  # (s, n)


@dataclass(frozen=True)
class _KitHalf:
    """Kits that share no component with each other; i = component slot of one of them."""

    kit: np.ndarray  # (k,) SKU
    first: np.ndarray  # (k,) first slot of each kit
    of_kit: np.ndarray  # (i,) index into kit
    component: np.ndarray  # (i,) SKU
    units: np.ndarray  # (i, 1)


def _halve_kits(goods: Catalogue) -> tuple[_KitHalf, ...]:
    halves = []
    for half in (slice(0, None, 2), slice(1, None, 2)):
        of_kit, slot = np.nonzero(goods.component_units[half])
        halves.append(
            _KitHalf(
                kit=goods.kit[half],
                first=np.searchsorted(of_kit, np.arange(len(goods.kit[half]))),
                of_kit=of_kit,
                component=goods.component[half][of_kit, slot],
                units=goods.component_units[half][of_kit, slot][:, None],
            )
        )
    return tuple(halves)


def _zeros(shape: tuple[int, ...]) -> np.ndarray:
    """Column-major, so that the nodes of a channel lie together in memory."""
    return np.zeros(shape, dtype=np.int64, order="F")


def _hits(wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of the true entries of a column-major array, by column."""
    column, row = np.divmod(np.flatnonzero(wanted.ravel(order="K")), wanted.shape[0])
    return row, column


def _sell(
    model: DemandModel,
    flows: _Flows,
    halves: tuple[_KitHalf, ...],
    demand: np.ndarray,
    day: int,
) -> _DaySales:
    """Serve the day's demand from stock on hand, which is written down."""
    cells = model.cells
    sold, helped = _zeros(demand.shape), _zeros(demand.shape)
    wanted_at, sold_at = _zeros(flows.on_hand.shape), _zeros(flows.on_hand.shape)
    for turn in range(len(cells.groups)):
        channel, first, last, low, high = cells.groups[(turn + day) % len(cells.groups)]
        asked = demand[:, first:last]
        stock = flows.on_hand[:, low:high]
        wanted, taken = wanted_at[:, low:high], sold_at[:, low:high]
        for half in halves:
            sold[half.kit, first:last] = _sell_kits(half, asked, stock, wanted, taken)

        given = np.minimum(asked, stock)  # kits have no stock, so none is sold here
        stock -= given
        wanted += asked
        taken += given
        sold[:, first:last] += given
        if CHANNELS[channel].name in _HELPED_CHANNELS:
            helping = cells.flagship[low:high]
            help_given = np.minimum(asked - given, flows.on_hand[:, helping])
            flows.on_hand[:, helping] -= help_given
            sold_at[:, helping] += help_given
            wanted_at[:, helping] += help_given
            helped[:, first:last] = help_given
    wanted_at[model.catalogue.kit] = 0
    flows.sold += sold_at
    return _DaySales(sold, helped, wanted_at, sold_at)


def _sell_kits(
    half: _KitHalf, asked: np.ndarray, stock: np.ndarray, wanted: np.ndarray, taken: np.ndarray
) -> np.ndarray:
    """Sell kits from their components' stock; return the (n_kits, n_nodes) kits sold."""
    asked_kits = asked[half.kit]
    if not asked_kits.any():
        return np.asarray(asked_kits)
    possible = np.minimum.reduceat(stock[half.component] // half.units, half.first, axis=0)
    given = np.minimum(asked_kits, possible)
    parts_given = given[half.of_kit] * half.units
    stock[half.component] -= parts_given
    taken[half.component] += parts_given
    wanted[half.component] += asked_kits[half.of_kit] * half.units
    return np.asarray(given)


@dataclass(frozen=True)
class _Planner:
    """The order-up-to levels of the retailer's own, imperfect planning.

    ``mean`` (s, n) is believed demand per day in smallest units, of a warehouse with all
    it supplies; ``spread`` the variance per unit of mean.
    """

    model: DemandModel
    mean: np.ndarray
    spread: np.ndarray
    protection_days: np.ndarray
    least: np.ndarray

    def levels(self, day: int) -> np.ndarray:
        """Return the (n_skus, n_nodes) order-up-to levels for ``day``."""
        goods = self.model.catalogue
        season = self.model.category_season(day + 10)[goods.category]
        life = self.model.life(day + 10)
        coming = (goods.launch_day > day) & (goods.launch_day - 35 <= day)
        ending = goods.last_day - 25 <= day
        factor = np.where(ending, 0.0, np.where(coming, 0.6, season * life))
        mean = self.mean * factor[:, None]
        days = self.protection_days[None, :]
        spread = np.sqrt(mean * self.spread[:, None] * days + mean**2 * days / 6)
        level = np.ceil(mean * days + _SAFETY_FACTOR * spread).astype(np.int64)
        level = np.where(mean > 0, np.maximum(level, self.least), 0)
        too_early = goods.launch_day - 5 > day
        level[too_early, _N_WAREHOUSES:] = 0
        return level


def _make_planner(model: DemandModel, rng: np.random.Generator) -> _Planner:
    goods, nodes = model.catalogue, node_specs()
    n_nodes = len(nodes)
    of_cell = model.base * goods.basket[:, None]
    mean = np.zeros((goods.n_skus, n_nodes))
    np.add.at(mean.T, model.cells.node, of_cell.T)
    parts = mean[goods.kit][:, None, :] * goods.component_units[:, :, None]
    np.add.at(mean, goods.component, parts)
    mean[goods.kit] = 0.0
    np.add.at(mean.T, model.cells.region[_N_WAREHOUSES:], mean.T[_N_WAREHOUSES:].copy())
    mean = np.where(goods.carried, mean * rng.lognormal(0.05, 0.25, mean.shape), 0.0)

    weighed = goods.unit_scale > 1
    more = np.maximum(goods.basket - 1, 0)
    pieces = (more * (1 + more) + goods.basket**2) / goods.basket
    review = np.array([7 if node.review_weekday >= 0 else 1 for node in nodes])
    lead = np.array([node.lead_time_days + node.lead_time_std_days for node in nodes])
    shelf = np.where(weighed, 3 * goods.basket, np.ceil(goods.basket) + 1)
    least = shelf.astype(np.int64)[:, None]
    return _Planner(
        model=model,
        mean=mean,
        spread=np.where(weighed, 1.25 * goods.basket, pieces),
        protection_days=lead + review,
        least=np.repeat(least, n_nodes, axis=1),
    )


def _supply_stores(model: DemandModel, flows: _Flows, levels: np.ndarray, day: int) -> None:
    """Ship what stores lack from their warehouse; a short warehouse shares in proportion."""
    n_skus = len(levels)
    lead = np.array([node.lead_time_days for node in node_specs()])
    position = flows.on_hand[:, _N_WAREHOUSES:] + flows.on_order[:, _N_WAREHOUSES:]
    lacking = levels[:, _N_WAREHOUSES:] - position
    s, store = _hits(lacking > 0)
    multiple = np.where(model.catalogue.unit_scale[s] > 1, 500, 1)
    asked = -(-lacking[s, store] // multiple) * multiple
    store = store + _N_WAREHOUSES
    warehouse = model.cells.region[store]
    group = warehouse * n_skus + s
    total = np.bincount(group, asked, _N_WAREHOUSES * n_skus).astype(np.int64)[group]
    have = flows.on_hand[s, warehouse]
    shipped = np.where(total <= have, asked, asked * have // total)
    np.subtract.at(flows.on_hand, (s, warehouse), shipped)
    np.add.at(flows.sent, (s, warehouse), shipped)
    flows.on_order[s, store] += shipped
    flows.arriving[(day + lead[store]) % _RING_DAYS, s, store] += shipped


def _order_from_supplier(
    model: DemandModel,
    flows: _Flows,
    levels: np.ndarray,
    day: int,
    rng: np.random.Generator,
    short_until: np.ndarray,
) -> None:
    """Let the warehouses whose weekday it is order up to level in whole packs.

    One line in 25 comes one to three weeks late; a SKU in short supply not before
    ``short_until``.
    """
    goods = model.catalogue
    weekday = (model.first_date.weekday() + day) % 7
    for warehouse, node in enumerate(WAREHOUSES):
        if node.review_weekday != weekday:
            continue
        position = flows.on_hand[:, warehouse] + flows.on_order[:, warehouse]
        lacking = np.maximum(levels[:, warehouse] - position, 0)
        packs = -(-lacking // goods.pack_size) * goods.pack_size
        quantity = np.where(packs > 0, np.maximum(packs, goods.minimum_order), 0)
        usual = node.lead_time_days + rng.normal(0.0, node.lead_time_std_days)
        lead = np.full(goods.n_skus, max(2, round(float(usual))))
        lead += np.where(rng.random(goods.n_skus) < 0.04, rng.integers(7, 22, goods.n_skus), 0)
        lead = np.maximum(lead, short_until - day)
        ordered = np.flatnonzero(quantity)
        slot = (day + lead[ordered]) % _RING_DAYS
        flows.arriving[slot, ordered, warehouse] += quantity[ordered]
        flows.on_order[ordered, warehouse] += quantity[ordered]


def _choose_scarce(model: DemandModel, days: int, rng: np.random.Generator) -> np.ndarray:
    goods = model.catalogue
    settled = (goods.launch_day == 0) & (goods.last_day > days)
    settled[goods.kit] = False
    best = np.argsort(-np.where(settled, goods.popularity, 0.0))
    n_scarce = max(1, round(0.04 * goods.n_skus))
    candidates = best[: max(n_scarce, round(0.4 * settled.sum()))]
    return np.sort(rng.choice(candidates, n_scarce, replace=False))


def run_history(
    model: DemandModel, days: int, rng: np.random.Generator, progress: Progress | None = None
) -> History:
    """Let ``days`` days pass and record sales, lost demand, stockouts and what is on its way.

    Returns
    -------
    History
        Everything in smallest units and day numbers.
    """
    n_skus = model.catalogue.n_skus
    planner = _make_planner(model, rng)
    scarce = _choose_scarce(model, days, rng)
    opening = np.asfortranarray(planner.levels(0))
    flows = _open_flows(opening)
    halves = _halve_kits(model.catalogue)
    short_until = np.zeros(n_skus, dtype=np.int64)
    levels = opening
    sales, demands, stockouts = [], [], []
    for day in range(days):
        if day == max(1, days - _SHORT_SUPPLY_DAYS):
            short_until[scarce] = days + rng.integers(4, 21, len(scarce))
        if day == days - _SPLIT_DELIVERY_DAYS:
            _deliver_part(flows, planner, scarce, day)
        flows.receive(day)
        asked = model.draw_demand(rng, day)
        before = flows.on_hand.copy(order="F")
        done = _sell(model, flows, halves, asked, day)
        sales.append(_sale_rows(model, done, day))
        demands.append(_demand_rows(model, asked, done, day))
        stockouts.append(_stockout_rows(model, before, done, day))
        if day % 7 == 0:
            levels = np.asfortranarray(planner.levels(day))
        _supply_stores(model, flows, levels, day)
        _order_from_supplier(model, flows, levels, day, rng, short_until)
        if progress is not None and (day % 50 == 49 or day == days - 1):
            progress(day + 1, days, "simulating the history")
    return History(
        opening=opening,
        received=flows.received,
        sent=flows.sent,
        sold=flows.sold,
        closing=flows.on_hand,
        sales=_join(sales, ("day", "sku", "node", "channel", "units")),
        demand=_join(demands, ("day", "sku", "node", "channel", "units", "lost")),
        stockouts=_join(stockouts, ("day", "sku", "node", "share")),
        inbound=_inbound(flows, days),
        scarce=scarce,
    )


def _deliver_part(flows: _Flows, planner: _Planner, scarce: np.ndarray, day: int) -> None:
    """Bring a week's worth of the scarce SKUs forward: the supplier splits the delivery."""
    week = np.rint(7 * planner.mean[scarce, :_N_WAREHOUSES]).astype(np.int64)
    slot = flows.arriving[day % _RING_DAYS]
    slot[scarce, :_N_WAREHOUSES] += week
    flows.on_order[scarce, :_N_WAREHOUSES] += week


Rows = tuple[np.ndarray, ...]


def _sale_rows(model: DemandModel, done: _DaySales, day: int) -> Rows:
    cells = model.cells
    s, c = _hits(done.sold > 0)
    t, d = _hits(done.helped > 0)
    sku = np.concatenate([s, t])
    node = np.concatenate([cells.node[c], cells.flagship[cells.node[d]]])
    channel = cells.channel[np.concatenate([c, d])]
    units = np.concatenate([done.sold[s, c], done.helped[t, d]])
    order = np.argsort((sku * 100 + node) * 100 + channel)
    return np.full(len(sku), day), sku[order], node[order], channel[order], units[order]


def _demand_rows(model: DemandModel, asked: np.ndarray, done: _DaySales, day: int) -> Rows:
    cells = model.cells
    s, c = _hits(asked > 0)
    units = asked[s, c]
    lost = units - done.sold[s, c] - done.helped[s, c]
    return np.full(len(s), day), s, cells.node[c], cells.channel[c], units, lost


def _stockout_rows(model: DemandModel, before: np.ndarray, done: _DaySales, day: int) -> Rows:
    """Return stockpoints without stock for a share of the day: units come evenly over it."""
    goods = model.catalogue
    listed = (goods.launch_day <= day) & (day <= goods.last_day - 25)
    listed[goods.kit] = False
    s, n = _hits((before == 0) | (done.wanted_at > done.sold_at))
    seen = listed[s] & goods.carried[s, n]
    s, n = s[seen], n[seen]
    unmet = 1.0 - done.sold_at[s, n] / np.maximum(done.wanted_at[s, n], 1)
    share = np.where(before[s, n] == 0, 1.0, np.clip(np.round(unmet, 2), 0.01, 0.99))
    order = np.argsort(s * 100 + n)
    return np.full(len(s), day), s[order], n[order], share[order]


def _join(rows: list[Rows], names: tuple[str, ...]) -> dict[str, np.ndarray]:
    return {
        name: np.concatenate(part)
        for name, part in zip(names, zip(*rows, strict=True), strict=True)
    }


def _inbound(flows: _Flows, days: int) -> dict[str, np.ndarray]:
    ahead = np.arange(days, days + _RING_DAYS)
    k, s, n = np.nonzero(flows.arriving[ahead % _RING_DAYS])
    units = flows.arriving[ahead[k] % _RING_DAYS, s, n]
    order = np.lexsort((s, n, k))
    return {"day": ahead[k][order], "sku": s[order], "node": n[order], "units": units[order]}
