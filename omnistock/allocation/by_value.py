"""Scarce supply to claims so that it earns the most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.allocation.inputs import LARGEST
from omnistock.allocation.tables import SUPPLY
from omnistock.errors import FrameError, InputError, Problem
from omnistock.frames import Column, TableSpec, check_references, read_table
from omnistock.numerics.demand import DemandDistribution
from omnistock.numerics.marginal import MONEY_STEPS, Curves, sales_curves, take_best_into

if TYPE_CHECKING:
    from omnistock.frames import Table

__all__ = ["VALUED_CLAIMS", "ValuedAllocation", "allocate_by_value"]

# A curve of constant value per unit is as long as its request; more packs than this are no table.
_MOST_PACKS = 50_000_000

VALUED_CLAIMS = TableSpec(
    "claims",
    (
        Column("sku", "text", help="What is wanted."),
        Column("channel", "text", required=False, help="Who wants it: a channel,"),
        Column("node", "text", required=False, help="a node, or a channel at a node."),
        Column("quantity", "units", minimum=0, maximum=LARGEST, help="Most units to be granted."),
        Column("margin_cents", "number", minimum=0, help="Cents that a unit sold earns."),
        Column(
            "guarantee",
            "units",
            required=False,
            minimum=0,
            maximum=LARGEST,
            default=0,
            help="Least units to be granted.",
        ),
        Column("mean", "number", required=False, minimum=0, help="Expected demand in units."),
        Column("variance", "number", required=False, minimum=0, help="Its variance."),
    ),
    key=("sku", "channel", "node"),
    help="Who wants how much of which SKU, and what a unit earns there.",
)


@dataclass(frozen=True, eq=False)
class ValuedAllocation:
    """What every claim gets, in the order of the claims table, and what that is worth.

    Attributes
    ----------
    claims : Table
        The claims as read.
    supply, pack_size : (n_claims,) int64
        Of the claim's SKU.
    granted, floor : (n_claims,) int64
        Units, and the least that was to be granted, in whole packs.
    quota, protection : (n_claims,) int64
        For the engine: the grant and what nobody gets; the part of the grant that was to be
        granted at least.
    value_cents : (n_claims,) float64
        Expected earnings of the grant.
    last_cents, next_cents : (n_claims,) float64
        What the last pack of the grant earns (0 without any), and what one more would.
    """

    claims: Table
    supply: np.ndarray
    pack_size: np.ndarray
    granted: np.ndarray
    floor: np.ndarray
    quota: np.ndarray
    protection: np.ndarray
    value_cents: np.ndarray
    last_cents: np.ndarray
    next_cents: np.ndarray

    def __len__(self) -> int:
        return self.claims.n_rows

    @property
    def consumed(self) -> np.ndarray:
        """(n_claims,) int64: nothing; grants are made of what is there now."""
        return np.zeros(len(self), dtype=np.int64)

    def to_table(self) -> Any:
        """Return sku, who, requested, granted, quota, protection, value, reason."""
        who = [name for name in ("channel", "node") if name in self.claims.given]
        columns: dict[str, Any] = {name: self.claims[name] for name in ("sku", *who)}
        columns |= {
            "supply": self.supply,
            "requested": self.claims["quantity"],
            "granted": self.granted,
            "quota": self.quota,
            "protection": self.protection,
            "value_cents": self.value_cents,
            "reason": np.array([self.explain(row) for row in range(len(self))], object),
        }
        return self.claims.native(columns)

    def explain(self, row: int) -> str:
        """Say in one line what the claim in ``row`` (from 0) got, what it earns, and why no more.

        Raises
        ------
        InputError
            If there is no such row.
        """
        if not 0 <= row < len(self):
            raise InputError(f"row must lie in 0..{len(self) - 1}, got {row}")
        claims = self.claims
        name = " at ".join(
            str(claims[part][row]) for part in ("channel", "node") if claims[part][row]
        )
        got, asked, pack = int(self.granted[row]), claims["quantity"][row], self.pack_size[row]
        text = f"{name} got {got} of {asked}, worth {self.value_cents[row] / 100:.2f}"
        if self.floor[row] and got <= self.floor[row]:
            text += f", as the least of {self.floor[row]} demands"
        if got + pack > asked:
            return f"{text}; no further pack of {pack} fits the request"
        following = self.next_cents[row] / 100
        text += f"; the next pack of {pack} would earn {following:.2f}"
        if following <= 0:
            return text
        rivals = np.flatnonzero((claims["sku"] == claims["sku"][row]) & (self.granted > self.floor))
        rivals = rivals[rivals != row]
        if not len(rivals):
            return f"{text}, but supply {self.supply[row]} is used up"
        return (
            f"{text}, but supply {self.supply[row]} is used up and the least worthy pack of the "
            f"others earns {self.last_cents[rivals].min() / 100:.2f}"
        )


def allocate_by_value(supply: Any, claims: Any, *, least_fill: float = 0.0) -> ValuedAllocation:
    """Divide scarce units so that they earn the most, exactly.

    Parameters
    ----------
    supply : table
        ``sku``, ``quantity`` (smallest units) and optionally ``pack_size``.
    claims : table
        ``sku``, ``channel`` or ``node`` or both, ``quantity`` (the most to grant: a request
        or a quota), ``margin_cents``, and optionally ``guarantee`` (the least), ``mean`` and
        ``variance`` of the demand in units. With a mean a claim's x-th unit earns ``margin *
        P(demand >= x)``, so the grant earns margin times expected sales; without one every
        unit earns the margin.
    least_fill : float
        For fairness: the share of its quantity that every claim gets at least.

    Returns
    -------
    ValuedAllocation
        In the order of ``claims``. No division of whole packs within least and most
        quantities earns more. Where the least quantities together exceed the supply, no
        claim gets more than its own, and the most valuable packs of them are granted.

    Raises
    ------
    FrameError
        Naming table, row and column of everything that is wrong.

    Notes
    -----
    Greedy is optimal: let the packs beyond the floors be sorted by what they earn, and let
    T be those that greedy takes. As values fall along each claim, T takes each claim's packs
    from the first on, so it is a division. Any other division with as many packs takes some
    pack outside of T for one inside, which earns no less; with fewer packs it leaves out
    packs that earn something. Values are compared in ten-thousandths of a cent, as whole
    numbers; to that precision the optimum is exact.

    References
    ----------
    Fox, B. (1966), Discrete optimization via marginal analysis, Management Science 13(3),
    210-216. Federgruen, A. and Groenevelt, H. (1986), The greedy procedure for resource
    allocation problems, Operations Research 34(6), for why it is exact with bounds.

    Examples
    --------
    >>> shared = allocate_by_value(
    ...     {"sku": ["TEE"], "quantity": [6]},
    ...     {
    ...         "sku": ["TEE", "TEE"], "channel": ["web", "store"], "quantity": [9, 9],
    ...         "margin_cents": [1000, 800], "mean": [3.0, 6.0], "variance": [3.0, 6.0],
    ...     },
    ... )
    >>> shared.granted
    array([2, 4])
    >>> print(shared.explain(0))
    web got 2 of 9, worth 17.51; the next pack of 1 would earn 5.77, but supply 6 is used up \
    and the least worthy pack of the others earns 6.79
    """
    given = read_table(supply, SUPPLY, name="supply")
    asked = read_table(claims, VALUED_CLAIMS, name="claims")
    _check(asked, given, least_fill)
    skus = asked.codes("sku")
    row_of = {label: row for row, label in enumerate(given["sku"])}
    rows = np.array([row_of[label] for label in skus.labels], dtype=np.int64)
    units, packs = given["quantity"][rows], given["pack_size"][rows]
    group = skus.codes.astype(np.int64)
    each = packs[group]
    most = np.minimum(asked["quantity"], units[group]) // each
    wanted = np.ceil(asked["quantity"] * least_fill - 1e-9).astype(np.int64)
    least = np.minimum(
        -(-np.maximum(asked["guarantee"], wanted) // each), asked["quantity"] // each
    )

    order = np.lexsort((asked.codes("node").codes, asked.codes("channel").codes, group))
    curves = _curves(asked, each, most + 1, order)
    counts = np.bincount(group, minlength=len(units))
    needed = np.zeros(len(units), dtype=np.int64)
    np.add.at(needed, group, least)
    fits = (needed <= units // packs)[group]
    # Packs that are worth nothing are granted only as far as they are the least.
    length = np.empty(len(group), dtype=np.int64)
    length[order] = np.diff(curves.offsets)
    floor = np.where(fits, least, 0)
    ceiling = np.where(fits, np.maximum(np.minimum(most, length), least), np.minimum(least, length))
    in_order = np.zeros(len(group), dtype=np.int64)
    take_best_into(
        in_order,
        units // packs,
        np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        floor[order],
        np.minimum(ceiling, np.maximum(length, floor))[order],
        curves.values,
        curves.offsets,
    )
    taken, value, last, following = (np.empty(len(group), dtype=np.int64) for _ in range(4))
    taken[order] = in_order
    value[order], last[order] = curves.upto(in_order), curves.at(in_order - 1)
    following[order] = curves.at(in_order)
    granted = taken * each
    free = units.copy()
    np.subtract.at(free, group, granted)
    return ValuedAllocation(
        claims=asked,
        supply=units[group],
        pack_size=each,
        granted=granted,
        floor=least * each,
        quota=granted + free[group],
        protection=np.minimum(granted, least * each),
        value_cents=value / MONEY_STEPS,
        last_cents=last / MONEY_STEPS,
        next_cents=following / MONEY_STEPS,
    )


def _curves(asked: Table, pack: np.ndarray, most: np.ndarray, order: np.ndarray) -> Curves:
    """What further packs are worth to the claims in ``order``."""
    margin = asked["margin_cents"]
    if int(most.sum()) > _MOST_PACKS and "mean" not in asked.given:
        raise InputError(
            f"claims ask for {int(most.sum())} packs in all; at most {_MOST_PACKS} can be "
            "compared one by one: give larger packs, or a mean"
        )
    if "mean" in asked.given:
        mean = asked["mean"][order]
        variance = asked["variance"][order] if "variance" in asked.given else mean
        return sales_curves(
            DemandDistribution.from_moments(mean, variance),
            start=np.zeros(len(order), dtype=np.int64),
            pack_size=pack[order],
            margin_cents=margin[order],
            most=most[order],
        )
    worth = np.rint(margin * pack * MONEY_STEPS).astype(np.int64)[order]
    length = np.where(worth > 0, most[order], 0)
    offsets = np.concatenate(([0], np.cumsum(length))).astype(np.int64)
    return Curves(np.repeat(worth, length), offsets)


def _check(asked: Table, given: Table, least_fill: float) -> None:
    """Raise where claims name no claimant, an unknown SKU, or only half of a demand."""
    problems = check_references(asked, "sku", given.codes("sku").labels)
    if "mean" in asked.given:
        names = ["mean", "variance"] if "variance" in asked.given else ["mean"]
        problems += [
            Problem("claims", int(row) + 1, name, "needs a number where others have one")
            for name in names
            for row in np.flatnonzero(np.isnan(asked[name]))
        ]
    if problems:
        raise FrameError(problems)
    if not asked.given & {"channel", "node"}:
        raise InputError("claims needs a column 'channel' or 'node' that says who claims")
    if "variance" in asked.given and "mean" not in asked.given:
        raise InputError("claims has a column 'variance' and no 'mean'; give both or neither")
    if not 0.0 <= least_fill <= 1.0:
        raise InputError(f"least_fill must lie in 0..1, got {least_fill}")
