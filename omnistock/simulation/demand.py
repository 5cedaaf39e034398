"""What customers of the simulated retailer ask for, day by day.

Order lines arrive as a Poisson process whose rate is popularity x channel x place x
weekday x season x life of the SKU x promotion x a shock of the day; each line asks
for a random number of units. So demand of a SKU at a node is over-dispersed, and
mostly zero for slow movers. Axes: s = SKU, c = cell (channel at node), d = day of
the history, counted from 0; days after the history may be asked for too.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from omnistock.simulation.catalogue import CATEGORIES, Catalogue
from omnistock.simulation.geography import CHANNELS, Cells, node_specs

__all__ = ["DemandModel", "Promotions", "build_demand", "draw_units"]

LINES_PER_SKU_DAY = 1.4
_STEP_DAYS = 28
_AHEAD_DAYS = 60


@dataclass(frozen=True)
class Promotions:
    """Promotions as columns: (n_promotions,) arrays.

    ``first_day`` and ``last_day`` are both within; ``uplift`` multiplies the rate of order
    lines; ``channel`` is -1 where every channel takes part.
    """

    sku: np.ndarray
    first_day: np.ndarray
    last_day: np.ndarray
    uplift: np.ndarray
    channel: np.ndarray


@dataclass(frozen=True)
class DemandModel:
    """The rate of order lines for every SKU and cell on any day.

    Attributes
    ----------
    base : (n_skus, n_cells) float64
        Order lines per day, before all factors of the day.
    week : (7, n_cells) float64
        Factor of each weekday, Monday first.
    drift : (n_steps, n_skus) float64
        Slow wandering of a SKU's popularity, one factor per four weeks.
    first_date : date
        Day 0 of the history.
    """

    catalogue: Catalogue
    cells: Cells
    promotions: Promotions
    base: np.ndarray
    week: np.ndarray
    growth: np.ndarray
    drift: np.ndarray
    first_date: dt.date

    def category_season(self, day: int) -> np.ndarray:
        """Return the (n_categories,) factor of the time of year."""
        of_year = (self.first_date + dt.timedelta(days=day)).timetuple().tm_yday
        wave = np.array([one.season for one in CATEGORIES])
        peak = np.array([one.peak_day for one in CATEGORIES])
        gift = np.array([one.gift for one in CATEGORIES])
        rush = np.exp(-0.5 * ((of_year - 346) / 11.0) ** 2)
        return np.asarray(1 + wave * np.cos(2 * np.pi * (of_year - peak) / 365.25) + gift * rush)

    def life(self, day: int) -> np.ndarray:
        """Return the (n_skus,) factor of a SKU's life: launched slowly, fading out, or gone."""
        goods = self.catalogue
        ramp = np.minimum(1.0, 0.3 + 0.7 * (day - goods.launch_day) / 42)
        ramp = np.where(goods.launch_day > 0, ramp, 1.0)
        fade = np.clip((goods.last_day - day) / 60, 0.0, 1.0)
        on_sale = (goods.launch_day <= day) & (day <= goods.last_day)
        return np.asarray(np.where(on_sale, ramp * fade, 0.0))

    def promotion_factor(self, day: int) -> np.ndarray:
        """Return the (n_skus, n_cells) factor of the promotions running on ``day``."""
        all_promotions = self.promotions
        factor = np.ones_like(self.base)
        running = np.flatnonzero(
            (all_promotions.first_day <= day) & (day <= all_promotions.last_day)
        )
        channel = all_promotions.channel[running, None]
        takes_part = (channel < 0) | (channel == self.cells.channel[None, :])
        uplift = np.where(takes_part, all_promotions.uplift[running, None], 1.0)
        np.maximum.at(factor, all_promotions.sku[running], uplift)
        return factor

    def rates(self, day: int) -> np.ndarray:
        """Return the expected order lines on ``day``: (n_skus, n_cells) float64."""
        date = self.first_date + dt.timedelta(days=day)
        of_sku = self.category_season(day)[self.catalogue.category] * self.life(day)
        of_sku = of_sku * self.drift[min(day // _STEP_DAYS, len(self.drift) - 1)]
        of_cell = self.week[date.weekday()] * self.growth ** (day / 365.0)
        if date.month == 11 and date.weekday() == 4 and 23 <= date.day <= 29:
            online = np.array([channel.n_warehouses > 0 for channel in CHANNELS])
            of_cell = np.where(online[self.cells.channel], 2.2, 1.4) * of_cell  # Black Friday
        return np.asarray(
            self.base * of_sku[:, None] * of_cell[None, :] * self.promotion_factor(day)
        )

    def draw_lines(self, rng: np.random.Generator, day: int) -> tuple[np.ndarray, ...]:
        """Draw the order lines of ``day``.

        Returns
        -------
        sku, cell, lines : (n,) int64
            Where at least one line is asked for, sorted by cell, then SKU.
        """
        n_skus = self.catalogue.n_skus
        shock = rng.gamma(6.0, 1 / 6.0, n_skus)
        weather = rng.gamma(40.0, 1 / 40.0, len(node_specs()))[self.cells.node]
        rates = self.rates(day) * shock[:, None] * weather[None, :]
        # Independent Poisson counts are one Poisson total, each line falling on its own.
        steps = np.cumsum(rates.T.ravel())
        total = rng.poisson(steps[-1])
        drawn = np.searchsorted(steps, rng.random(total) * steps[-1], side="right")
        drawn, lines = np.unique(np.minimum(drawn, len(steps) - 1), return_counts=True)
        cell, sku = np.divmod(drawn, n_skus)
        return sku, cell, lines

    def draw_demand(self, rng: np.random.Generator, day: int) -> np.ndarray:
        """Draw the smallest units asked for on ``day``: (n_skus, n_cells) int64, column-major."""
        sku, cell, lines = self.draw_lines(rng, day)
        units = np.zeros(self.base.shape, dtype=np.int64, order="F")
        units[sku, cell] = draw_units(rng, self.catalogue, sku, lines)
        return units


def draw_units(
    rng: np.random.Generator, catalogue: Catalogue, sku: np.ndarray, lines: np.ndarray
) -> np.ndarray:
    """Draw the smallest units of ``lines`` >= 1 order lines of each ``sku``; both (n,).

    Pieces: every line asks for one unit and a geometric number more. Goods by weight: a
    gamma-distributed weight around the usual basket.
    """
    basket = catalogue.basket[sku]
    weighed = catalogue.unit_scale[sku] > 1
    more = np.maximum(basket - 1.0, 0.0)
    pieces = lines + rng.negative_binomial(lines, 1.0 / (1.0 + np.where(weighed, 0.0, more)))
    weight = np.rint(rng.gamma(4.0 * lines, basket / 4.0)).astype(np.int64)
    return np.where(weighed, np.maximum(weight, lines), pieces).astype(np.int64)


def build_demand(
    rng: np.random.Generator, catalogue: Catalogue, cells: Cells, days: int, first_date: dt.date
) -> DemandModel:
    """Draw the demand model of a history of ``days`` days that starts on ``first_date``."""
    share = np.array([channel.share for channel in CHANNELS])[cells.channel]
    weight = np.array([node.weight for node in node_specs()])[cells.node]
    by_channel = np.bincount(cells.channel, weight)[cells.channel]
    liking = np.array([one.subscription for one in CATEGORIES])[catalogue.category]
    subscribed = np.array([channel.name == "subscription" for channel in CHANNELS])[cells.channel]
    base = catalogue.carried[:, cells.node] * (share * weight / by_channel)[None, :]
    base = base * np.where(subscribed[None, :], liking[:, None], 1.0)
    base = base * rng.lognormal(0.0, 0.3, base.shape)
    # Popularity stays exact: what one place does not carry is asked for elsewhere.
    total = LINES_PER_SKU_DAY * catalogue.n_skus * catalogue.popularity
    base = np.asfortranarray(base / base.sum(axis=1, keepdims=True) * total[:, None])
    n_steps = (days + _AHEAD_DAYS) // _STEP_DAYS + 1
    drift = np.exp(np.cumsum(rng.normal(0.0, 0.07, (n_steps, catalogue.n_skus)), axis=0))
    growth = 1.0 + np.array([channel.growth_per_year for channel in CHANNELS])[cells.channel]
    return DemandModel(
        catalogue=catalogue,
        cells=cells,
        promotions=_draw_promotions(rng, catalogue, days),
        base=base,
        week=np.array([channel.week for channel in CHANNELS])[cells.channel].T.copy(),
        growth=growth,
        drift=drift,
        first_date=first_date,
    )


def _draw_promotions(rng: np.random.Generator, catalogue: Catalogue, days: int) -> Promotions:
    """Draw promotions of one or two weeks, some known for after the history, and live shows."""
    n_skus = catalogue.n_skus
    n_usual = max(2, round(1.5 * n_skus * days / 365))
    sku = rng.integers(0, n_skus, n_usual)
    first = rng.integers(0, days + 21, n_usual)
    length = rng.choice([7, 7, 10, 14], n_usual)
    uplift = np.round(rng.uniform(1.3, 2.5, n_usual), 2)
    channel = rng.choice([-1, -1, 0, 1, 2, 3], n_usual)

    # A live show sells three SKUs in the app, ten to thirty times faster, for one day.
    n_shows = max(1, days // 50)
    app = next(number for number, one in enumerate(CHANNELS) if one.name == "app")
    show_day = np.sort(rng.integers(7, days - 1, n_shows)).repeat(3)
    return Promotions(
        sku=np.concatenate([sku, rng.integers(0, n_skus, len(show_day))]),
        first_day=np.concatenate([first, show_day]),
        last_day=np.concatenate([first + length - 1, show_day]),
        uplift=np.concatenate([uplift, np.round(rng.uniform(10, 30, len(show_day)), 1)]),
        channel=np.concatenate([channel, np.full(len(show_day), app)]),
    )
