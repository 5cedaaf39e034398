"""Transfers between nodes by what a unit is worth at each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.errors import InputError
from omnistock.numerics.marginal import MONEY_STEPS, sales_curves
from omnistock.replenishment.checks import refuse_rows, whole_numbers
from omnistock.replenishment.flow import Arcs, Places, arcs_between, best_flow
from omnistock.replenishment.lanes import TransferLanes
from omnistock.replenishment.trucks import (
    best_limited,
    final_packs,
    line_gains,
    linear_cost,
    net_steps,
    trucks_for,
    true_net,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from omnistock.numerics.demand import DemandDistribution

__all__ = ["TRANSFER_REASONS", "Rebalanced", "rebalance_arrays"]

SOURCE_EMPTY, LANE_FULL, PAYS_NO_MORE, BEST_FOUND = 0, 1, 2, 3
TRANSFER_REASONS = (
    "the source has no more packs that may leave",
    "the lane or its trucks carry no further pack",
    "a further pack would not earn its freight",
    "part of the best plan found",
)


@dataclass(frozen=True, slots=True, eq=False)
class Rebalanced:
    """Units to move, what that earns, and how good it is proven to be.

    Attributes
    ----------
    sku, source, destination, lane, quantity : (n_lines,) int64
        SKU, nodes, row of the lanes, and units.
    gained_cents, given_up_cents, freight_cents : (n_lines,) float64
        Expected sales that the line adds where it arrives and takes where it leaves, in
        margin; and its freight. Each is what would change without this line alone.
    next_cents : (n_lines,) float64
        What one pack more would earn on the line, freight deducted, trucks not.
    reason : (n_lines,) int8
        What keeps the line from being larger, an index into ``TRANSFER_REASONS``.
    trucks, volume : (n_lanes,) int64
        Trucks that go, and what is carried.
    net_cents, bound_cents : float
        What all lines earn together, freight and trucks deducted, and the most that any
        plan could. A bound that comes from the mixed-integer program holds to the solver's
        tolerance of a millionth.
    sku_names, node_names : tuple of str
        What the numbers stand for, if they stand for names.
    """

    sku: np.ndarray
    source: np.ndarray
    destination: np.ndarray
    lane: np.ndarray
    quantity: np.ndarray
    gained_cents: np.ndarray
    given_up_cents: np.ndarray
    freight_cents: np.ndarray
    next_cents: np.ndarray
    reason: np.ndarray
    trucks: np.ndarray
    volume: np.ndarray
    net_cents: float
    bound_cents: float
    sku_names: tuple[str, ...] = ()
    node_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sku)

    @property
    def gap(self) -> float:
        """Share of the bound (of a cent at least) that may be missing; 0: proven optimal."""
        if self.bound_cents <= self.net_cents:
            return 0.0
        return (self.bound_cents - self.net_cents) / max(self.bound_cents, 1.0)

    def columns(self) -> dict[str, np.ndarray]:
        """Return the lines as named columns, the reason in words."""
        columns = {
            "sku": _named(self.sku, self.sku_names),
            "source": _named(self.source, self.node_names),
            "destination": _named(self.destination, self.node_names),
        }
        for name in ("lane", "quantity", "gained_cents"):
            columns[name] = getattr(self, name)
        columns["given_up_cents"] = self.given_up_cents
        columns["freight_cents"] = self.freight_cents
        columns["reason"] = np.array([TRANSFER_REASONS[code] for code in self.reason], object)
        return columns

    def to_table(self, like: Any = None) -> Any:
        """Return one row per line: a pyarrow table, or the same kind of frame as ``like``."""
        from omnistock.frames import to_arrow, to_native

        return to_arrow(self.columns()) if like is None else to_native(self.columns(), like)

    def explain(self, i: int) -> str:
        """Tell why line ``i`` goes, and why it is not larger.

        Raises
        ------
        InputError
            If there is no such line.
        """
        if not 0 <= i < len(self):
            raise InputError(f"row {i} is outside 0..{len(self) - 1}")
        gained, given_up = self.gained_cents[i] / 100, self.given_up_cents[i] / 100
        freight = self.freight_cents[i] / 100
        sku = _named(self.sku, self.sku_names)[i]
        source = _named(self.source, self.node_names)[i]
        destination = _named(self.destination, self.node_names)[i]
        return (
            f"{self.quantity[i]} units of SKU {sku} from node {source} to {destination}: worth "
            f"{gained:.2f} there and {given_up:.2f} here, freight {freight:.2f}, net "
            f"{gained - given_up - freight:.2f}; {TRANSFER_REASONS[self.reason[i]]} "
            f"({self.next_cents[i] / 100:+.2f})"
        )


def _named(numbers: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    return np.array(names, dtype=object)[numbers] if names else numbers


def rebalance_arrays(
    sku: ArrayLike,
    node: ArrayLike,
    on_hand: ArrayLike,
    *,
    demand: DemandDistribution,
    margin_cents: ArrayLike,
    lanes: TransferLanes,
    movable: ArrayLike | None = None,
    pack_size: ArrayLike = 1,
    volume: ArrayLike = 1,
    time_limit_s: float = 10.0,
) -> Rebalanced:
    """Move units to where they are expected to sell, if that earns more than it costs.

    Maximizes expected sales times margin over all nodes, less freight and trucks. Units
    travel once, from where they are; a distribution centre is a node without demand.

    Parameters
    ----------
    sku, node : (n,) int64
        Numbers of the SKU and the node of each stockpoint, each pair once.
    on_hand : (n,) int64
        Units there, less what is promised; negative if units are owed.
    demand : DemandDistribution of length n
        What is asked for at each stockpoint until it can be supplied anew.
    margin_cents : (n,) or scalar
        Cents that a unit sold at the stockpoint earns.
    lanes : TransferLanes
        Ways between nodes.
    movable : (n,) int64, optional
        Units that may leave; by default all that are there.
    pack_size : (n_skus,) int64 or scalar
        Units that travel together; packs are not broken.
    volume : (n_skus,) int64 or scalar
        Volume of one unit, in the measure of the lanes' capacities.
    time_limit_s : float
        Time to look for better plans and bounds where lanes are limited; 0: the first plan.

    Returns
    -------
    Rebalanced
        Without capacities and trucks the exact optimum, by min-cost flow over packs. With
        them the best plan that prices and a mixed-integer program found in time, with an
        upper bound; the gap says how much may be missing. A search that time has cut short
        may end elsewhere on another machine; everything else is the same every time.

    Raises
    ------
    InputError
        If shapes disagree, a stockpoint stands twice, or a number is out of range.

    References
    ----------
    Ahuja, R. K., Magnanti, T. L. and Orlin, J. B. (1993), Network Flows, section 14.4, for
    concave gains as parallel arcs.

    Examples
    --------
    >>> from omnistock.numerics.demand import DemandDistribution
    >>> moved = rebalance_arrays(
    ...     [0, 0, 0], [0, 1, 2], [10, 0, 6],
    ...     demand=DemandDistribution.from_moments([0.0, 4.0, 1.0], [0.0, 4.0, 1.0]),
    ...     margin_cents=1000,
    ...     lanes=TransferLanes([0, 2], [1, 1], freight_cents=[50, 20]),
    ... )
    >>> moved.source.tolist(), moved.quantity.tolist(), moved.gap
    ([0, 2], [5, 3], 0.0)
    """
    places = _places(sku, node, on_hand, demand, margin_cents, movable, pack_size, volume)
    _check_nodes(places, lanes)
    arcs = arcs_between(places, lanes)
    cost = linear_cost(arcs, lanes)
    relaxed = best_flow(places, arcs, cost)
    bound = net_steps(places, arcs, relaxed, cost)
    packs = relaxed
    if lanes.is_limited.any():
        packs, bound = best_limited(places, arcs, lanes, relaxed, bound, time_limit_s)
    return _lines(places, arcs, packs, lanes, bound)


def _places(
    sku: ArrayLike,
    node: ArrayLike,
    on_hand: ArrayLike,
    demand: DemandDistribution,
    margin_cents: ArrayLike,
    movable: ArrayLike | None,
    pack_size: ArrayLike,
    volume: ArrayLike,
) -> Places:
    """Check the stockpoints and find what each pack is worth at each."""
    skus = whole_numbers("sku", sku, least=0)
    nodes, held = whole_numbers("node", node, least=0), whole_numbers("on_hand", on_hand)
    n = len(skus) if skus.ndim else 0
    margin = np.asarray(margin_cents, dtype=np.float64)
    free = held if movable is None else whole_numbers("movable", movable, least=0)
    for name, shape in (
        ("sku", skus.shape),
        ("node", nodes.shape),
        ("on_hand", held.shape),
        ("movable", free.shape),
        ("demand", (len(demand),)),
    ):
        if shape != (n,):
            raise InputError(f"{name} must have shape ({n},), got {shape}")
    if margin.shape not in ((), (n,)):
        raise InputError(f"margin_cents must be one number or {n}, got {margin.shape}")
    margin = np.broadcast_to(margin, (n,))
    refuse_rows(~(np.isfinite(margin) & (margin >= 0)), "margin_cents must be >= 0", margin)
    if movable is not None:
        refuse_rows(free > np.maximum(held, 0), "movable must be at most on_hand", free)
    n_skus = int(skus.max(initial=-1)) + 1
    pairs = skus * (int(nodes.max(initial=0)) + 1) + nodes
    _, first = np.unique(pairs, return_index=True)
    refuse_rows(~np.isin(np.arange(n), first), "a stockpoint may stand once", skus)
    pack, size = (
        _per_sku("pack_size", pack_size, n_skus, 1)[skus],
        _per_sku("volume", volume, n_skus, 0)[skus],
    )
    packs = np.maximum(free, 0) // pack
    there = np.bincount(skus, weights=packs, minlength=n_skus).astype(np.int64)
    curves = sales_curves(
        demand,
        start=held - packs * pack,
        pack_size=pack,
        margin_cents=margin,
        # One more than there are tells what a further pack would be worth.
        most=there[skus] + 1,
    )
    return Places(skus, nodes, packs, pack, pack * size, curves)


def _per_sku(name: str, values: ArrayLike, n_skus: int, least: int) -> np.ndarray:
    array = whole_numbers(name, values, least=least)
    if array.shape not in ((), (n_skus,)):
        raise InputError(f"{name} must be one number or {n_skus}, one per SKU; got {array.shape}")
    return np.broadcast_to(array, (n_skus,))


def _check_nodes(places: Places, lanes: TransferLanes) -> None:
    known = np.unique(places.node)
    for name, nodes in (("source", lanes.source), ("destination", lanes.destination)):
        refuse_rows(~np.isin(nodes, known), f"lanes: {name} must be a node with stock rows", nodes)


def _lines(
    places: Places, arcs: Arcs, packs: np.ndarray, lanes: TransferLanes, bound: float
) -> Rebalanced:
    """Name what travels, with the reason why not more of it does."""
    gained, lost = line_gains(places, arcs, packs)
    final = final_packs(places, arcs, packs)
    left = places.packs - np.bincount(
        arcs.source, weights=packs, minlength=len(places.packs)
    ).astype(np.int64)
    trucks = trucks_for(arcs, packs, lanes)
    volume = np.bincount(arcs.lane, weights=packs * arcs.volume, minlength=len(lanes))
    carried = volume.astype(np.int64)
    most = lanes.most_volume
    loaded = np.where(lanes.truck_volume > 0, trucks * lanes.truck_volume, np.int64(2**62))
    room = np.minimum(np.where(most >= 0, most, np.int64(2**62)), loaded) - carried

    after = places.curves.at(final)[arcs.destination]
    more = after - places.curves.at(final - 1)[arcs.source] - arcs.freight
    full = (room[arcs.lane] < arcs.volume) & (more > 0)
    causes = [full, more <= 0, left[arcs.source] == 0]
    reason = np.select(causes, [LANE_FULL, PAYS_NO_MORE, SOURCE_EMPTY], BEST_FOUND)
    rows = np.flatnonzero(packs > 0)
    rows = rows[np.lexsort((arcs.lane[rows], places.sku[arcs.source[rows]]))]
    source, destination = arcs.source[rows], arcs.destination[rows]
    net = true_net(places, arcs, packs, lanes)
    return Rebalanced(
        sku=places.sku[source],
        source=places.node[source],
        destination=places.node[destination],
        lane=arcs.lane[rows],
        quantity=packs[rows] * places.pack_units[source],
        gained_cents=gained[rows] / MONEY_STEPS,
        given_up_cents=lost[rows] / MONEY_STEPS,
        freight_cents=packs[rows] * arcs.freight[rows] / MONEY_STEPS,
        next_cents=more[rows] / MONEY_STEPS,
        reason=reason[rows].astype(np.int8),
        trucks=trucks,
        volume=carried,
        net_cents=net / MONEY_STEPS,
        bound_cents=max(bound, net) / MONEY_STEPS,
    )
