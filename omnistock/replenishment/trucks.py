"""Moves where SKUs share the capacity of lanes, or trucks: a bound, a plan, and a better plan.

A price on a lane's volume turns the question into a flow without capacities, which is solved
exactly. Its worth, and the most that the lanes could earn at these prices by carrying, is an
upper bound for every plan (Lagrangian duality; Geoffrion, 1974); trimmed to the capacities
the flow is a plan. Prices rise where too much wants to travel and fall where too little does.
What gap they leave, a mixed-integer program may close where there are few arcs.
Axes as in :mod:`omnistock.replenishment.flow`.
"""

from __future__ import annotations

import time

import numpy as np

from omnistock.numerics.marginal import MONEY_STEPS
from omnistock.replenishment.flow import Arcs, Places, best_flow, value_runs
from omnistock.replenishment.lanes import TransferLanes

__all__ = [
    "best_limited",
    "final_packs",
    "line_gains",
    "linear_cost",
    "net_steps",
    "trucks_for",
    "true_net",
]

# A program with more whole variables than this finds less in seconds than prices do.
_MOST_ARCS = 20_000
_MOST_ROUNDS = 60
_MOST_FILLS = 50


def net_steps(places: Places, arcs: Arcs, packs: np.ndarray, cost: np.ndarray) -> float:
    """Gain over moving nothing at ``cost`` steps a pack."""
    final = final_packs(places, arcs, packs)
    gain = places.curves.upto(final).sum() - places.curves.upto(places.packs).sum()
    return float(gain - (packs * cost).sum())


def true_net(places: Places, arcs: Arcs, packs: np.ndarray, lanes: TransferLanes) -> float:
    """Gain over moving nothing, freight and trucks deducted, in steps."""
    trucks = float((trucks_for(arcs, packs, lanes) * lanes.truck_cents).sum()) * MONEY_STEPS
    return net_steps(places, arcs, packs, arcs.freight) - trucks


def best_limited(
    places: Places,
    arcs: Arcs,
    lanes: TransferLanes,
    relaxed: np.ndarray,
    bound: float,
    time_limit_s: float,
) -> tuple[np.ndarray, float]:
    """Return the best plan found within the lanes' limits and an upper bound, in steps.

    ``relaxed`` is the flow without limits and ``bound`` its worth.
    """
    begun = time.monotonic()
    plan = np.zeros_like(relaxed)
    best = 0.0

    def take(packs: np.ndarray) -> None:
        nonlocal plan, best
        one = filled_up(places, arcs, trimmed(places, arcs, packs, lanes), lanes)
        worth = true_net(places, arcs, one, lanes)
        if worth > best:
            plan, best = one, worth

    take(relaxed)
    prices = _Prices(arcs, lanes)
    scale = 1.0
    for_program = len(arcs.source) <= _MOST_ARCS
    for_prices = time_limit_s / 2 if for_program else time_limit_s
    for _ in range(_MOST_ROUNDS):
        if best >= bound or time.monotonic() - begun > for_prices:
            break
        cost = arcs.freight + prices.per_volume[arcs.lane] * arcs.volume
        packs = best_flow(places, arcs, cost)
        found = net_steps(places, arcs, packs, cost) + prices.earned()
        scale = scale * 0.8 if found >= bound else scale
        bound = min(bound, found)
        take(packs)
        prices.move(packs, scale * max(found - best, 1.0))
    left = time_limit_s - (time.monotonic() - begun)
    if best < bound and left > 0 and for_program:
        packs_found, tighter = better_plan(places, arcs, lanes, left)
        bound = min(bound, tighter)
        if packs_found is not None:
            take(packs_found)
    return plan, max(bound, best)


class _Prices:
    """Whole prices per volume of limited lanes, and the steps by which they move."""

    def __init__(self, arcs: Arcs, lanes: TransferLanes) -> None:
        self.arcs, self.lanes = arcs, lanes
        self.limited = lanes.is_limited
        self.truck = lanes.truck_volume.astype(np.float64)
        self.truck_steps = lanes.truck_cents * MONEY_STEPS
        share = np.full(len(lanes), np.inf)
        np.divide(self.truck_steps, self.truck, out=share, where=self.truck > 0)
        endless = (lanes.most_volume < 0) & self.limited
        # With any number of trucks, a price above their own would let lanes earn without end.
        self.highest = np.where(endless, np.floor(share), np.inf)
        start = np.where((self.truck > 0) & self.limited, np.floor(share), 0.0)
        self.price = np.minimum(start, self.highest)

    @property
    def per_volume(self) -> np.ndarray:
        """(n_lanes,) int64: steps per volume."""
        return np.asarray(np.floor(self.price)).astype(np.int64)

    def _carried(self) -> tuple[np.ndarray, np.ndarray]:
        """Volume that each lane would best carry at its price, and what that earns it."""
        most = self.lanes.most_volume.astype(np.float64)
        price = self.per_volume.astype(np.float64)
        plain = self.limited & (self.truck == 0)
        volume = np.where(plain, np.maximum(most, 0.0), 0.0)
        earned = volume * price
        trucked = self.limited & (self.truck > 0) & (most >= 0)
        per_truck = np.maximum(self.truck, 1.0)
        for trucks in (np.floor(most / per_truck), np.ceil(most / per_truck)):
            carried = np.minimum(trucks * self.truck, most)
            worth = carried * price - trucks * self.truck_steps
            better = trucked & (worth > earned)
            volume, earned = np.where(better, carried, volume), np.where(better, worth, earned)
        return volume, earned

    def earned(self) -> float:
        """Most that all lanes together could earn by carrying at their prices, in steps."""
        return float(self._carried()[1].sum())

    def move(self, packs: np.ndarray, gap: float) -> None:
        """Raise prices of lanes that are asked for more than they carry, lower the others."""
        asked = np.bincount(
            self.arcs.lane, weights=packs * self.arcs.volume, minlength=len(self.lanes)
        )
        over = np.where(self.limited, asked - self._carried()[0], 0.0)
        endless = np.isfinite(self.highest)
        over = np.where(endless & (self.price >= self.highest) & (over > 0), 0.0, over)
        length = float((over**2).sum())
        if length > 0:
            step = gap / length
            self.price = np.clip(self.price + step * over, 0.0, self.highest)


def final_packs(places: Places, arcs: Arcs, packs: np.ndarray) -> np.ndarray:
    """(n,) int64: packs at each stockpoint once ``packs[a]`` have travelled."""
    n = len(places.packs)
    out = np.bincount(arcs.source, weights=packs, minlength=n)
    into = np.bincount(arcs.destination, weights=packs, minlength=n)
    return places.packs + (into - out).astype(np.int64)


def trucks_for(arcs: Arcs, packs: np.ndarray, lanes: TransferLanes) -> np.ndarray:
    """(n_lanes,) int64: trucks that the volume on each lane needs."""
    volume = np.bincount(arcs.lane, weights=packs * arcs.volume, minlength=len(lanes))
    needs = -(-volume.astype(np.int64) // np.maximum(lanes.truck_volume, 1))
    return np.asarray(np.where(lanes.truck_volume > 0, needs, 0))


def linear_cost(arcs: Arcs, lanes: TransferLanes) -> np.ndarray:
    """(n_arcs,) int64: freight and the share of a full truck, steps per pack, never too much."""
    share = np.zeros(len(lanes))
    np.divide(lanes.truck_cents, lanes.truck_volume, out=share, where=lanes.truck_volume > 0)
    carried = np.floor(share[arcs.lane] * arcs.volume * MONEY_STEPS * (1 - 1e-12))
    return np.asarray(arcs.freight + carried.astype(np.int64))


def line_gains(places: Places, arcs: Arcs, packs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each line adds where it arrives and takes where it leaves, in steps.

    Both are what would change if this line alone stayed at home.
    """
    final = final_packs(places, arcs, packs)
    running = np.concatenate(([0], np.cumsum(places.curves.values)))
    first, end = places.curves.offsets[:-1], places.curves.offsets[1:]

    def worth(p: np.ndarray, units: np.ndarray) -> np.ndarray:
        return np.asarray(running[np.minimum(first[p] + units, end[p])])

    at, back = arcs.destination, arcs.source
    gained = worth(at, final[at]) - worth(at, final[at] - packs)
    lost = worth(back, final[back] + packs) - worth(back, final[back])
    return gained, lost


def trimmed(places: Places, arcs: Arcs, packs: np.ndarray, lanes: TransferLanes) -> np.ndarray:
    """Cut a flow down to the capacities and the trucks that pay, the best lines first."""
    gained, lost = line_gains(places, arcs, packs)
    net = (gained - lost).astype(np.float64) - packs * arcs.freight
    kept = packs.copy()
    most = lanes.most_volume
    for lane in np.flatnonzero(lanes.is_limited):
        rows = np.flatnonzero((arcs.lane == lane) & (packs > 0))
        if not len(rows):
            continue
        per_volume = net[rows] / np.maximum(packs[rows] * arcs.volume[rows], 1)
        rows = rows[np.argsort(-per_volume, kind="stable")]
        room = int(most[lane]) if most[lane] >= 0 else int((packs * arcs.volume)[rows].sum())
        kept[rows] = _loaded(arcs, packs, rows, room)
        truck = int(lanes.truck_volume[lane])
        if truck:
            kept[rows] = _loaded(arcs, packs, rows, _paid_room(arcs, packs, rows, net, room, truck,
                                 float(lanes.truck_cents[lane]) * MONEY_STEPS))  # fmt: skip
    return kept


def _paid_room(
    arcs: Arcs, packs: np.ndarray, rows: np.ndarray, net: np.ndarray, room: int, truck: int,
    price: float,
) -> int:  # fmt: skip
    """Volume of the trucks that pay: as many as earn most, loaded with ``rows`` in order."""
    volume = np.append(0, np.cumsum(packs[rows] * arcs.volume[rows]))
    earned = np.append(0.0, np.cumsum(net[rows]))
    trucks = np.arange(-(-min(room, int(volume[-1])) // truck) + 1)
    loads = np.minimum(trucks * truck, room)
    paid = np.interp(loads, volume, earned) - trucks * price
    return int(loads[np.argmax(paid)])


def filled_up(places: Places, arcs: Arcs, packs: np.ndarray, lanes: TransferLanes) -> np.ndarray:
    """Add packs that still earn something, while lanes and the trucks that go have room.

    Each round adds one pack to the best arcs, of which no two share a stockpoint, so that
    what each of them adds is known exactly.
    """
    packs = packs.copy()
    n = len(places.packs)
    endless = np.int64(2**62)
    most = np.where(lanes.most_volume >= 0, lanes.most_volume, endless)
    for _ in range(_MOST_FILLS):
        loaded = trucks_for(arcs, packs, lanes) * lanes.truck_volume
        carried = np.bincount(arcs.lane, weights=packs * arcs.volume, minlength=len(lanes))
        room = np.minimum(most, np.where(lanes.truck_volume > 0, loaded, endless))
        room -= carried.astype(np.int64)
        out = np.bincount(arcs.source, weights=packs, minlength=n).astype(np.int64)
        final = final_packs(places, arcs, packs)
        more = places.curves.at(final)[arcs.destination] - arcs.freight
        more -= places.curves.at(final - 1)[arcs.source]
        fits = (more > 0) & (arcs.volume <= room[arcs.lane])
        rows = np.flatnonzero(fits & (out < places.packs)[arcs.source])
        if not len(rows):
            break
        rows = rows[np.argsort(-more[rows] / np.maximum(arcs.volume[rows], 1), kind="stable")]
        for ends in (arcs.source, arcs.destination):
            rows = rows[np.sort(np.unique(ends[rows], return_index=True)[1])]
        # A stockpoint that gives must not also receive in one round.
        rows = rows[~np.isin(arcs.source[rows], arcs.destination[rows])]
        lane = arcs.lane[rows]
        by_lane = np.argsort(lane, kind="stable")
        running = np.cumsum(arcs.volume[rows[by_lane]])
        first = np.searchsorted(lane[by_lane], lane[by_lane])
        used = running - np.append(0, running)[first]
        chosen = rows[by_lane][used <= room[lane[by_lane]]]
        if not len(chosen):
            break
        packs[chosen] += 1
    return packs


def _loaded(arcs: Arcs, packs: np.ndarray, rows: np.ndarray, room: int) -> np.ndarray:
    """Packs of ``rows`` that fit into ``room``, in their order, the one that is cut in part."""
    volume = packs[rows] * arcs.volume[rows]
    before = np.cumsum(volume) - volume
    left = np.maximum(room - before, 0)
    fits = np.minimum(packs[rows], left // np.maximum(arcs.volume[rows], 1))
    return np.asarray(np.where(arcs.volume[rows] > 0, fits, packs[rows]))


def better_plan(
    places: Places, arcs: Arcs, lanes: TransferLanes, time_limit_s: float
) -> tuple[np.ndarray | None, float]:
    """Solve the whole question as a mixed-integer program, built from arrays.

    Variables are packs per arc (whole), trucks per lane (whole), and packs per run of equal
    value (which come out whole by themselves).

    Returns
    -------
    packs : (n_arcs,) int64 or None
        None if nothing was found in time.
    bound : float
        Upper bound on the gain over moving nothing, freight and trucks deducted, in steps.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    owner, value, length = value_runs(places.curves)
    touched = np.zeros(len(places.packs), dtype=bool)
    touched[arcs.source] = touched[arcs.destination] = True
    here = touched[owner]
    owner, value, length = owner[here], value[here], length[here]
    limited = np.flatnonzero(lanes.is_limited)
    n_arcs, n_lanes, n_runs = len(arcs.source), len(limited), len(owner)
    n_places = len(places.packs)
    of_lane = np.full(len(lanes), -1)
    of_lane[limited] = np.arange(n_lanes)
    on = np.flatnonzero(of_lane[arcs.lane] >= 0)
    a = np.arange(n_arcs)
    one = np.ones(n_arcs)
    cars, runs = n_arcs + np.arange(n_lanes), n_arcs + n_lanes + np.arange(n_runs)
    truck = lanes.truck_volume[limited].astype(np.float64)
    # Rows: what leaves each place; what is used there; volume per lane; volume per truck.
    use, lane_row = n_places, 2 * n_places
    truck_row = lane_row + n_lanes
    entries = (
        (arcs.source, a, one),
        (use + owner, runs, np.ones(n_runs)),
        (use + arcs.source, a, one),
        (use + arcs.destination, a, -one),
        (lane_row + of_lane[arcs.lane[on]], on, arcs.volume[on]),
        (truck_row + of_lane[arcs.lane[on]], on, arcs.volume[on]),
        (truck_row + np.arange(n_lanes), cars, -truck),
    )
    rows, columns, data = (np.concatenate(part) for part in zip(*entries, strict=True))
    # Older solvers take indices of 32 bits only.
    rows, columns = rows.astype(np.int32), columns.astype(np.int32)
    shape = (truck_row + n_lanes, n_arcs + n_lanes + n_runs)
    most = lanes.most_volume[limited]
    upper = np.concatenate(
        (
            places.packs,
            places.packs,
            np.where(most >= 0, most, np.inf),
            np.where(truck > 0, 0.0, np.inf),
        )
    )
    cents = np.concatenate(
        (arcs.freight / MONEY_STEPS, lanes.truck_cents[limited], -value / MONEY_STEPS)
    )
    trucks = lanes.trucks[limited]
    high = np.concatenate(
        (places.packs[arcs.source], np.where(trucks >= 0, trucks, np.inf), length)
    )
    found = milp(
        cents,
        integrality=np.concatenate((one, np.ones(n_lanes), np.zeros(n_runs))),
        bounds=Bounds(0, high),
        constraints=LinearConstraint(
            coo_array((data, (rows, columns)), shape).tocsr(), -np.inf, upper
        ),
        options={"time_limit": time_limit_s, "mip_rel_gap": 0.0},
    )
    at_home = float(places.curves.upto(places.packs)[touched].sum())
    bound = np.inf
    if found.mip_dual_bound is not None:
        bound = -float(found.mip_dual_bound) * MONEY_STEPS - at_home
    if found.x is None:
        return None, bound
    return np.rint(found.x[:n_arcs]).astype(np.int64), bound
