"""Transfers from a distribution centre that cannot fill every request, by what packs are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omnistock.errors import InputError
from omnistock.numerics.marginal import MONEY_STEPS, sales_curves, take_best_into
from omnistock.replenishment.checks import refuse_rows, whole_numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from omnistock.numerics.demand import DemandDistribution

__all__ = ["ValuedTransfers", "dc_to_stores_by_value"]


@dataclass(frozen=True, slots=True, eq=False)
class ValuedTransfers:
    """Units to send from one distribution centre to each store, and what they earn.

    Attributes
    ----------
    quantity, requested : (n, c) int64
        Units to send, in whole packs, and units asked for.
    left : (n,) int64
        Units that stay at the distribution centre.
    gained_cents : (n, c) float64
        Margin of the expected sales that the units add, freight deducted.
    next_cents : (n, c) float64
        What one pack more would earn, freight deducted.
    pack_size : (n,) int64
        Units per pack.
    """

    quantity: np.ndarray
    requested: np.ndarray
    left: np.ndarray
    gained_cents: np.ndarray
    next_cents: np.ndarray
    pack_size: np.ndarray

    def explain(self, sku: int, store: int) -> str:
        """Tell what a store gets of a SKU, what that earns, and why it does not get more."""
        sent, asked = int(self.quantity[sku, store]), int(self.requested[sku, store])
        gained, following = self.gained_cents[sku, store] / 100, self.next_cents[sku, store] / 100
        pack = int(self.pack_size[sku])
        text = f"store {store} gets {sent} of {asked}, which earns {gained:.2f}"
        if sent >= asked:
            return f"{text}; all that it asked for"
        if following <= 0:
            return f"{text}; a further pack of {pack} would not earn its freight ({following:.2f})"
        others = np.delete(self.quantity[sku], store)
        rest = f"{int(others.sum())} went to other stores"
        if self.left[sku] >= pack:
            return f"{text}; a further pack of {pack} would exceed its request; {rest}"
        return (
            f"{text}; the centre is empty, a further pack of {pack} would earn {following:.2f}, "
            f"no more than those elsewhere; {rest}"
        )


def dc_to_stores_by_value(
    supply: ArrayLike,
    requested: ArrayLike,
    *,
    position: ArrayLike,
    demand: DemandDistribution,
    margin_cents: ArrayLike,
    freight_cents: ArrayLike = 0.0,
    pack_size: ArrayLike = 1,
) -> ValuedTransfers:
    """Share scarce stock of a distribution centre among stores so that it earns the most.

    Every pack goes where it adds most expected sales times margin, less freight, until
    packs run out, requests are filled, or no pack earns its freight. Values fall from pack
    to pack, so taking the best packs one by one is exactly optimal (Fox, 1966). Lanes with
    capacities or trucks, and moves between stores, need :func:`rebalance`.

    Parameters
    ----------
    supply : (n,) int64
        Units that each SKU's distribution centre may send.
    requested : (n, c) int64
        Most units for each store, in whole packs that fit into it.
    position : (n, c) int64
        Units of each store before the transfer, less what it owes.
    demand : DemandDistribution of length n * c
        What each store will be asked for, stores of one SKU together.
    margin_cents : broadcast to (n, c)
        Cents that a unit sold at the store earns.
    freight_cents : broadcast to (n, c)
        Cents per unit sent to the store.
    pack_size : (n,) int64 or scalar
        Units per pack; packs are not broken.

    Returns
    -------
    ValuedTransfers

    Raises
    ------
    InputError
        If shapes disagree or a number is out of range.

    References
    ----------
    Fox, B. (1966), Discrete optimization via marginal analysis, Management Science 13(3).

    Examples
    --------
    >>> from omnistock.numerics.demand import DemandDistribution
    >>> sent = dc_to_stores_by_value(
    ...     [10], [[8, 8]], position=[[0, 4]],
    ...     demand=DemandDistribution.from_moments([8.0, 4.0], [8.0, 4.0]), margin_cents=1000,
    ... )
    >>> sent.quantity
    array([[8, 2]])
    >>> print(sent.explain(0, 1))
    store 1 gets 2 of 8, which earns 5.86; the centre is empty, a further pack of 1 would earn \
    1.11, no more than those elsewhere; 8 went to other stores
    """
    units = np.atleast_1d(whole_numbers("supply", supply, least=0))
    asked = np.atleast_2d(whole_numbers("requested", requested, least=0))
    held = np.atleast_2d(whole_numbers("position", position))
    pack = whole_numbers("pack_size", pack_size, least=1)
    n, c = asked.shape
    for name, shape, expected in (
        ("supply", units.shape, (n,)),
        ("position", held.shape, (n, c)),
        ("pack_size", pack.shape, (n,) if pack.ndim else ()),
        ("demand", (len(demand),), (n * c,)),
    ):
        if shape != expected:
            raise InputError(f"{name} must have shape {expected}, got {shape}")
    margin = _cents("margin_cents", margin_cents, (n, c))
    freight = _cents("freight_cents", freight_cents, (n, c))
    packs = np.broadcast_to(pack, (n,))
    each = np.repeat(packs, c)
    available = units // packs
    most = np.minimum(asked // packs[:, None], available[:, None]).reshape(-1)
    curves = sales_curves(
        demand,
        start=held.reshape(-1),
        pack_size=each,
        margin_cents=margin.reshape(-1),
        most=most + 1,
    )
    per_pack = np.rint(freight.reshape(-1) * each * MONEY_STEPS).astype(np.int64)
    net = curves.values - np.repeat(per_pack, np.diff(curves.offsets))
    taken = np.zeros(n * c, dtype=np.int64)
    take_best_into(
        taken,
        np.ascontiguousarray(available),
        np.arange(n + 1, dtype=np.int64) * c,
        np.zeros(n * c, dtype=np.int64),
        np.minimum(most, np.diff(curves.offsets)),
        net,
        curves.offsets,
    )
    quantity = (taken * each).reshape(n, c)
    gained = (curves.upto(taken) - taken * per_pack) / MONEY_STEPS
    following = (curves.at(taken) - per_pack) / MONEY_STEPS
    return ValuedTransfers(
        quantity=quantity,
        requested=asked,
        left=units - quantity.sum(axis=1),
        gained_cents=gained.reshape(n, c),
        next_cents=following.reshape(n, c),
        pack_size=packs,
    )


def _cents(name: str, values: ArrayLike, shape: tuple[int, int]) -> np.ndarray:
    """Return money in the shape of the requests."""
    array = np.asarray(values, dtype=np.float64)
    try:
        cents = np.broadcast_to(array, shape)
    except ValueError as error:
        raise InputError(f"{name} of shape {array.shape} does not fit {shape}") from error
    refuse_rows(~(np.isfinite(cents) & (cents >= 0)), f"{name} must be >= 0", cents)
    return cents
