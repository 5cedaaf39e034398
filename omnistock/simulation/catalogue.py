"""What the simulated retailer sells: SKUs, kits, their popularity and life.

Axes: s = SKU (kits last), k = kit, j = component slot of a kit, n = node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnistock.errors import InputError
from omnistock.simulation.geography import WAREHOUSES, node_specs

__all__ = ["CATEGORIES", "Catalogue", "Category", "build_catalogue"]

_SLOTS = 4


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of goods: its words, price, season and how many units a customer takes.

    ``season`` is the amplitude of a yearly wave that peaks on day ``peak_day`` of the
    year; ``gift`` the height of the rush before Christmas; ``basket`` the mean units
    per order line (kilograms for goods sold by weight); ``subscription`` how much more
    or less than average the category sells by subscription.
    """

    name: str
    prefix: str
    words: tuple[str, ...]
    price: float
    season: float
    peak_day: int
    gift: float
    basket: float
    subscription: float
    by_weight: bool = False


CATEGORIES = (
    Category("coffee", "COF", ("House Blend", "Espresso", "Single Origin", "Decaf", "Filter Roast"),
             11.0, 0.10, 350, 0.4, 1.4, 4.0),
    Category("tea", "TEA", ("Earl Grey", "Green Sencha", "Rooibos", "Chai", "Mint Leaves"),
             8.0, 0.30, 15, 0.5, 1.5, 3.0),
    Category("kitchen", "KTC", ("Moka Pot", "Grinder", "Kettle", "French Press", "Scale"),
             38.0, 0.10, 340, 0.8, 1.1, 0.2),
    Category("tableware", "TAB", ("Mug 300 ml", "Espresso Cup", "Bowl", "Plate 27 cm", "Glass"),
             14.0, 0.10, 330, 0.9, 2.2, 0.1),
    Category("textiles", "TEX", ("Tea Towel", "Apron", "Table Runner", "Napkin Set", "Throw"),
             22.0, 0.15, 345, 0.7, 1.3, 0.1),
    Category("candles", "CAN", ("Pillar Candle", "Scented Candle", "Tealights", "Lantern"),
             12.0, 0.55, 340, 1.2, 1.8, 0.3),
    Category("garden", "GAR", ("Plant Pot", "Watering Can", "Seed Box", "Picnic Basket"),
             19.0, 0.70, 150, 0.1, 1.4, 0.1),
    Category("gifts", "SET", ("Gift Set",), 45.0, 0.10, 345, 1.5, 1.1, 0.1),
    Category("bulk", "BLK", ("Coffee Beans", "Almonds", "Loose Tea", "Dried Mango"),
             19.0, 0.15, 340, 0.4, 0.35, 2.0, by_weight=True),
)  # fmt: skip
_GIFTS, _BULK = len(CATEGORIES) - 2, len(CATEGORIES) - 1
_STYLES = ("Classic", "Nordic", "Amber", "Slate", "Ivory", "Terra", "Linen", "Cobalt", "Sage",
           "Rose", "Walnut", "Copper", "Indigo", "Pearl", "Moss", "Ember")  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """All SKUs as columns; quantities in smallest units.

    Attributes
    ----------
    sku, name : (n_skus,) object
        Identifier and text for people.
    category : (n_skus,) int64
        Index into ``CATEGORIES``.
    unit_scale, pack_size, minimum_order : (n_skus,) int64
        Smallest units per selling unit; supplier pack and least order in smallest units.
    unit_cost, unit_price, basket : (n_skus,) float64
        Money per selling unit; mean smallest units per order line.
    popularity : (n_skus,) float64
        Part of all order lines, from Zipf's law; sums to one.
    carried : (n_skus, n_nodes) bool
        Whether the node sells the SKU.
    launch_day, last_day : (n_skus,) int64
        First and last day on sale, counted from the first day of the history.
    kit : (n_kits,) int64
        The SKUs that are kits.
    component, component_units : (n_kits, 4) int64
        SKU and smallest units of each component; units 0 mark an empty slot.
    """

    sku: np.ndarray
    name: np.ndarray
    category: np.ndarray
    unit_scale: np.ndarray
    unit_cost: np.ndarray
    unit_price: np.ndarray
    pack_size: np.ndarray
    minimum_order: np.ndarray
    basket: np.ndarray
    popularity: np.ndarray
    carried: np.ndarray
    launch_day: np.ndarray
    last_day: np.ndarray
    kit: np.ndarray
    component: np.ndarray
    component_units: np.ndarray

    @property
    def n_skus(self) -> int:
        """Number of SKUs, kits included."""
        return len(self.sku)


def zipf_popularity(n_skus: int, exponent: float = 0.9) -> np.ndarray:
    """Return the share of the r-th most popular of ``n_skus`` SKUs: r^-exponent, normed.

    Examples
    --------
    >>> zipf_popularity(2, 1.0)
    array([0.66666667, 0.33333333])
    """
    weight = np.arange(1, n_skus + 1, dtype=np.float64) ** -exponent
    return np.asarray(weight / weight.sum())


def build_catalogue(rng: np.random.Generator, n_skus: int, days: int) -> Catalogue:
    """Draw a catalogue of ``n_skus`` SKUs for a history of ``days`` days.

    About 2 % are kits, 2 % are sold by weight, 8 % are launched on the way and 3 % are
    discontinued. Stores carry the popular part of the range, with exceptions.

    Raises
    ------
    InputError
        If there are fewer than 10 SKUs, too few for kits and goods by weight.
    """
    if n_skus < 10:
        raise InputError(f"a retailer needs n_skus >= 10, got {n_skus}")
    n_kits = max(2, round(0.02 * n_skus))
    n_plain = n_skus - n_kits
    n_weighed = max(2, round(0.02 * n_skus))

    popularity = zipf_popularity(n_skus)[_draw_ranks(rng, n_plain, n_kits)]
    category = rng.integers(0, _GIFTS, n_skus)
    category[rng.choice(n_plain, n_weighed, replace=False)] = _BULK
    category[n_plain:] = _GIFTS
    weighed = category == _BULK
    unit_scale = np.where(weighed, 1000, 1).astype(np.int64)

    base_price = np.array([one.price for one in CATEGORIES])[category]
    unit_price = np.round(base_price * rng.lognormal(0.0, 0.45, n_skus), 2) + 0.99
    kit = np.arange(n_plain, n_skus, dtype=np.int64)
    component, component_units = _draw_kits(rng, n_kits, n_plain, unit_scale)
    parts = (unit_price[component] * component_units / unit_scale[component]).sum(axis=1)
    unit_price[kit] = np.round(0.9 * parts, 2)
    unit_cost = np.round(unit_price * rng.uniform(0.35, 0.6, n_skus), 2)

    pack = rng.choice([1, 2, 4, 6, 10, 12], n_skus, p=[0.35, 0.15, 0.15, 0.15, 0.1, 0.1])
    pack_size = np.where(weighed, 1000, pack).astype(np.int64)
    minimum_order = pack_size * rng.choice([0, 1, 2], n_skus, p=[0.6, 0.2, 0.2])
    launch_day, last_day = _draw_lives(rng, n_plain, n_skus, days, component, component_units)
    sku, name = _name_skus(rng, category)
    return Catalogue(
        sku=sku,
        name=name,
        category=category.astype(np.int64),
        unit_scale=unit_scale,
        unit_cost=unit_cost,
        unit_price=unit_price,
        pack_size=pack_size,
        minimum_order=minimum_order.astype(np.int64),
        basket=np.array([one.basket for one in CATEGORIES])[category] * unit_scale,
        popularity=popularity,
        carried=_draw_range(rng, popularity, kit, component, component_units),
        launch_day=launch_day,
        last_day=last_day,
        kit=kit,
        component=component,
        component_units=component_units,
    )


def _draw_ranks(rng: np.random.Generator, n_plain: int, n_kits: int) -> np.ndarray:
    """Draw every SKU's popularity rank; kits are neither best sellers nor the slowest."""
    n_skus = n_plain + n_kits
    of_kits = rng.choice(np.arange(n_skus // 5, n_skus * 4 // 5), n_kits, replace=False)
    of_plain = rng.permutation(np.setdiff1d(np.arange(n_skus), of_kits))
    return np.concatenate([of_plain, of_kits])


def _draw_kits(
    rng: np.random.Generator, n_kits: int, n_plain: int, unit_scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    # Kits of even number share no component with each other, nor do those of odd number,
    # so that a whole half can be sold in one vector step; the two halves do share some.
    component = np.zeros((n_kits, _SLOTS), dtype=np.int64)
    units = np.zeros((n_kits, _SLOTS), dtype=np.int64)
    for half in range(2):
        own = np.arange(half, n_kits, 2)
        used = rng.integers(2, _SLOTS + 1, len(own))
        pool = rng.permutation(n_plain)
        slot = np.arange(_SLOTS)[None, :] < used[:, None]
        drawn = np.zeros((len(own), _SLOTS), dtype=np.int64)
        drawn[slot] = pool[: int(slot.sum())]
        pieces = rng.choice([1, 1, 1, 2, 3], drawn.shape)
        grams = rng.choice([250, 500], drawn.shape)
        component[own] = drawn
        units[own] = np.where(slot, np.where(unit_scale[drawn] > 1, grams, pieces), 0)
    return component, units


def _draw_lives(
    rng: np.random.Generator,
    n_plain: int,
    n_skus: int,
    days: int,
    component: np.ndarray,
    component_units: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    launch_day = np.zeros(n_skus, dtype=np.int64)
    last_day = np.full(n_skus, days + 365, dtype=np.int64)
    n_new, n_gone = max(1, round(0.08 * n_skus)), max(1, round(0.03 * n_skus))
    drawn = rng.permutation(n_plain)[: n_new + n_gone]
    launch_day[drawn[:n_new]] = rng.integers(days * 3 // 10, days * 9 // 10, n_new)
    last_day[drawn[n_new:]] = rng.integers(days // 2, days * 4 // 5, n_gone)
    # A kit is on sale as long as all its components are.
    filled = component_units > 0
    launch_day[n_plain:] = np.where(filled, launch_day[component], 0).max(axis=1)
    last_day[n_plain:] = np.where(filled, last_day[component], days + 365).min(axis=1)
    return launch_day, last_day


def _draw_range(
    rng: np.random.Generator,
    popularity: np.ndarray,
    kit: np.ndarray,
    component: np.ndarray,
    component_units: np.ndarray,
) -> np.ndarray:
    n_skus = len(popularity)
    rank = np.empty(n_skus)
    rank[np.argsort(-popularity)] = np.arange(n_skus) / n_skus
    range_share = np.array([node.range_share for node in node_specs()])
    carried = rank[:, None] + rng.normal(0.0, 0.15, (n_skus, len(range_share))) < range_share
    carried[:, : len(WAREHOUSES)] = True
    parts = carried[component] | (component_units == 0)[:, :, None]
    carried[kit] &= parts.all(axis=1)
    return np.asarray(carried)


def _name_skus(rng: np.random.Generator, category: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n_skus = len(category)
    style = rng.integers(0, len(_STYLES), n_skus)
    word = rng.integers(0, 1000, n_skus)
    sku = np.empty(n_skus, dtype=object)
    name = np.empty(n_skus, dtype=object)
    for s in range(n_skus):
        one = CATEGORIES[category[s]]
        sku[s] = f"{one.prefix}-{s:04d}"
        name[s] = f"{_STYLES[style[s]]} {one.words[word[s] % len(one.words)]}"
    return sku, name
