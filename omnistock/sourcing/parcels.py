"""From what a node sends of an order to the parcels it needs.

Units of different categories may have to lie apart, and a parcel has a largest weight and a
largest number of units. The fewest parcels are a bin packing problem; first fit by falling
weight (Johnson, 1973) is tried first, and where it is not at its lower bound, a search.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from omnistock.errors import InputError

__all__ = ["Parcel", "ParcelRules", "pack"]

_MOST_STEPS = 20_000


@dataclass(frozen=True)
class ParcelRules:
    """What may lie in one parcel.

    Attributes
    ----------
    max_weight_grams, max_units : int, optional
    weight_grams : mapping of SKU to int
        Of one smallest unit; what is not named weighs nothing.
    category : mapping of SKU to str
        SKUs of different categories never share a parcel; those not named are of one.
    cents_per_parcel : int
        What each parcel costs.
    """

    max_weight_grams: int | None = None
    max_units: int | None = None
    weight_grams: Mapping[str, int] = field(default_factory=dict)
    category: Mapping[str, str] = field(default_factory=dict)
    cents_per_parcel: int = 0

    def __post_init__(self) -> None:
        for name in ("max_weight_grams", "max_units"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be >= 1, got {value}")
        if self.cents_per_parcel < 0 or any(one < 0 for one in self.weight_grams.values()):
            raise InputError("cents_per_parcel and weight_grams must be >= 0")


@dataclass(frozen=True, slots=True)
class Parcel:
    """Units that travel together from a node.

    ``overweight``: a single unit that is heavier than a parcel may be.
    """

    node: str
    category: str
    units: tuple[tuple[str, int], ...]
    weight_grams: int
    overweight: bool = False


def pack(sent: Iterable[tuple[str, str, int]], rules: ParcelRules) -> tuple[Parcel, ...]:
    """Put what nodes send into as few parcels as the rules allow.

    Parameters
    ----------
    sent : iterable of (sku, node, units)
    rules : ParcelRules

    Returns
    -------
    tuple of Parcel
        By node and category as they come. The fewest there are for orders of usual size;
        where twenty thousand steps of search do not settle it, those of first fit.

    Examples
    --------
    >>> rules = ParcelRules(max_weight_grams=1000, weight_grams={"TEE": 400, "MUG": 600})
    >>> parcels = pack([("TEE", "DC1", 2), ("MUG", "DC1", 2)], rules)
    >>> [(one.units, one.weight_grams) for one in parcels]
    [((('MUG', 1), ('TEE', 1)), 1000), ((('MUG', 1), ('TEE', 1)), 1000)]
    """
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for sku, node, units in sent:
        weight = rules.weight_grams.get(sku, 0)
        key = node, rules.category.get(sku, "")
        groups.setdefault(key, []).extend([(weight, sku)] * units)
    parcels: list[Parcel] = []
    for (node, category), items in groups.items():
        for one in _pack_group(items, rules):
            counts: dict[str, int] = {}
            for _, sku in one:
                counts[sku] = counts.get(sku, 0) + 1
            weight = sum(grams for grams, _ in one)
            heavy = rules.max_weight_grams is not None and weight > rules.max_weight_grams
            parcels.append(Parcel(node, category, tuple(counts.items()), weight, heavy))
    return tuple(parcels)


def _pack_group(items: list[tuple[int, str]], rules: ParcelRules) -> list[list[tuple[int, str]]]:
    total = sum(weight for weight, _ in items)
    limit = total if rules.max_weight_grams is None else rules.max_weight_grams
    room = len(items) if rules.max_units is None else rules.max_units
    ordered = sorted(items, key=lambda one: (-one[0], one[1]))
    # What is too heavy for any parcel travels alone.
    alone = [[one] for one in ordered if one[0] > limit]
    rest = [one for one in ordered if one[0] <= limit]
    found = _first_fit(rest, limit, room)
    weight = sum(one for one, _ in rest)
    bound = max(-(-weight // limit) if limit else 0, -(-len(rest) // room) if room else 0)
    while len(found) > bound:
        better = _search(rest, len(found) - 1, limit, room)
        if better is None:
            break
        found = better
    return [*alone, *found]


def _first_fit(items: list[tuple[int, str]], limit: int, room: int) -> list[list[tuple[int, str]]]:
    bins: list[list[tuple[int, str]]] = []
    left: list[int] = []
    for item in items:
        for k, free in enumerate(left):
            if item[0] <= free and len(bins[k]) < room:
                bins[k].append(item)
                left[k] -= item[0]
                break
        else:
            bins.append([item])
            left.append(limit - item[0])
    return bins


def _search(
    items: list[tuple[int, str]], n_bins: int, limit: int, room: int
) -> list[list[tuple[int, str]]] | None:
    """Put all items into ``n_bins`` bins, depth first; None if that is impossible or too long."""
    left = [limit] * n_bins
    counts = [0] * n_bins
    where = [-1] * len(items)
    steps = 0
    k = 0
    while 0 <= k < len(items):
        steps += 1
        if steps > _MOST_STEPS:
            return None
        weight = items[k][0]
        if where[k] >= 0:
            left[where[k]] += weight
            counts[where[k]] -= 1
        bin_ = where[k] + 1
        tried = {(left[b], counts[b]) for b in range(bin_)}
        # A bin like one that was tried before leads nowhere else.
        while bin_ < n_bins and (
            left[bin_] < weight or counts[bin_] >= room or (left[bin_], counts[bin_]) in tried
        ):
            bin_ += 1
        if bin_ == n_bins:
            where[k] = -1
            k -= 1
            continue
        where[k] = bin_
        left[bin_] -= weight
        counts[bin_] += 1
        k += 1
    if k < 0:
        return None
    bins: list[list[tuple[int, str]]] = [[] for _ in range(n_bins)]
    for item, bin_ in zip(items, where, strict=True):
        bins[bin_].append(item)
    return [one for one in bins if one]
