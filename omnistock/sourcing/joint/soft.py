"""Which stock one order would take, with indifference: the gradient of smoothed prices.

Every pattern of an order (which node sends which lines) gets the weight
``exp(-cost / temperature)``; what the order takes of a stockpoint is the share of the
patterns that use it. The sum over all patterns follows the recursion of :mod:`.patterns`
with sums in the place of minima; shares come from walking it back.

Each state keeps its least cost ``best`` and the factor ``mass >= 1`` by which all patterns
together weigh more than the best alone, so that nothing over- or underflows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from omnistock.numerics.compiled import free_kernel
from omnistock.sourcing.joint.arcs import Batch, point_of
from omnistock.sourcing.joint.patterns import MOST_LINES, Desk, find_candidates, group_costs
from omnistock.sourcing.joint.shortlist import Shortlist, lay_out_short

__all__ = ["MOST_CANDIDATES", "Shares", "shares_for", "soft_orders"]

# Patterns that weigh less than exp(-14), a millionth, of the best do not count.
_FAR = 14.0
# Nodes that may send several lines of an order together; the most saving ones.
MOST_CANDIDATES = 24


class Shares(NamedTuple):
    """Room to work in, one for each thread, besides the desk."""

    mass: np.ndarray  # (candidates + 1, sets of lines)
    here: np.ndarray  # per set of lines: share of the patterns that are at this state
    there: np.ndarray
    sent: np.ndarray  # (candidates, lines): share of the patterns that send the line there
    single: np.ndarray  # per line: weight of all ways to send it alone
    alone: np.ndarray  # per line: share of the patterns that send it alone


def shares_for() -> Shares:
    """Make room for orders of up to ``MOST_LINES`` lines."""
    sets = 1 << MOST_LINES
    return Shares(
        mass=np.empty((MOST_CANDIDATES + 1, sets), np.float64),
        here=np.empty(sets, np.float64),
        there=np.empty(sets, np.float64),
        sent=np.empty((MOST_CANDIDATES, MOST_LINES), np.float64),
        single=np.empty(MOST_LINES, np.float64),
        alone=np.empty(MOST_LINES, np.float64),
    )


@free_kernel
def weigh_singles(
    shares: Shares,
    desk: Desk,
    batch: Batch,
    first: int,
    n_lines: int,
    package: np.ndarray,
    whole: bool,
    temperature: float,
) -> None:
    """Fill ``single[i]``: weight of all ways to send line ``i`` alone, the best being 1."""
    for i in range(n_lines):
        total = 0.0
        for k in range(desk.arc_start[i], desk.arc_start[i + 1]):
            far = (package[desk.arc_node[k]] + desk.arc_cost[k] - desk.own[i]) / temperature
            if far < _FAR:
                total += np.exp(-far)
        if not whole:
            far = (batch.line_penalty[first + i] - desk.own[i]) / temperature
            if far < _FAR:
                total += np.exp(-far)
        shares.single[i] = total


@free_kernel
def keep_best_candidates(
    desk: Desk, count: int, n_lines: int, package: np.ndarray, most: int
) -> int:
    """Keep the ``most`` nodes that save most; return how many are left."""
    if count <= most:
        return count
    margin = np.empty(count)
    for j in range(count):
        margin[j] = -package[desk.candidate[j]]
        for i in range(n_lines):
            if desk.lines[j] >> i & 1:
                margin[j] += desk.own[i] - desk.cost[j, i]
    least = np.sort(margin)[count - most]
    kept = 0
    for j in range(count):
        if margin[j] >= least and kept < most:
            desk.candidate[kept] = desk.candidate[j]
            desk.lines[kept] = desk.lines[j]
            for i in range(n_lines):
                desk.cost[kept, i] = desk.cost[j, i]
                desk.arc[kept, i] = desk.arc[j, i]
            kept += 1
    return kept


@free_kernel
def weigh_partitions(
    shares: Shares,
    desk: Desk,
    n_lines: int,
    n_candidates: int,
    package: np.ndarray,
    temperature: float,
) -> None:
    """Fill ``best`` and ``mass`` for every candidate and set of lines."""
    sets = 1 << n_lines
    reach = _FAR * temperature
    desk.best[0, 0] = 0.0
    shares.mass[0, 0] = 1.0
    for i in range(n_lines):
        bit = 1 << i
        for smaller in range(bit):
            desk.best[0, smaller | bit] = desk.best[0, smaller] + desk.own[i]
            shares.mass[0, smaller | bit] = shares.mass[0, smaller] * shares.single[i]
    for j in range(n_candidates):
        group_costs(desk, j, package[desk.candidate[j]], n_lines)
        allowed = desk.lines[j]
        for lines in range(sets):
            least = desk.best[j, lines]
            sent = lines & allowed
            while sent:
                if sent & (sent - 1):
                    least = min(least, desk.best[j, lines ^ sent] + desk.group[sent])
                sent = (sent - 1) & lines & allowed
            total = 0.0
            far = desk.best[j, lines] - least
            if far < reach:
                total = shares.mass[j, lines] * np.exp(-far / temperature)
            sent = lines & allowed
            while sent:
                if sent & (sent - 1):
                    far = desk.best[j, lines ^ sent] + desk.group[sent] - least
                    if far < reach:
                        total += shares.mass[j, lines ^ sent] * np.exp(-far / temperature)
                sent = (sent - 1) & lines & allowed
            desk.best[j + 1, lines] = least
            shares.mass[j + 1, lines] = total


@free_kernel
def share_out(
    shares: Shares,
    desk: Desk,
    n_lines: int,
    n_candidates: int,
    package: np.ndarray,
    served: float,
    temperature: float,
) -> None:
    """Walk the recursion back: fill ``sent`` and ``alone`` with shares of ``served``."""
    sets = 1 << n_lines
    reach = _FAR * temperature
    for lines in range(sets):
        shares.here[lines] = 0.0
    shares.here[sets - 1] = served
    for j in range(n_candidates - 1, -1, -1):
        group_costs(desk, j, package[desk.candidate[j]], n_lines)
        allowed = desk.lines[j]
        for i in range(n_lines):
            shares.sent[j, i] = 0.0
        for lines in range(sets):
            shares.there[lines] = 0.0
        for lines in range(sets):
            here = shares.here[lines]
            if here < 1e-7:
                continue
            least = desk.best[j + 1, lines]
            here /= shares.mass[j + 1, lines]
            far = desk.best[j, lines] - least
            if far < reach:
                shares.there[lines] += here * shares.mass[j, lines] * np.exp(-far / temperature)
            sent = lines & allowed
            while sent:
                if sent & (sent - 1):
                    far = desk.best[j, lines ^ sent] + desk.group[sent] - least
                    if far < reach:
                        share = here * shares.mass[j, lines ^ sent] * np.exp(-far / temperature)
                        shares.there[lines ^ sent] += share
                        for i in range(n_lines):
                            if sent >> i & 1:
                                shares.sent[j, i] += share
                sent = (sent - 1) & lines & allowed
        for lines in range(sets):
            shares.here[lines] = shares.there[lines]
    for i in range(n_lines):
        shares.alone[i] = 0.0
        for lines in range(sets):
            if lines >> i & 1:
                shares.alone[i] += shares.here[lines]


@free_kernel
def take_others(use: np.ndarray, batch: Batch, line: int, node: int, share: float) -> None:
    """Add a share of a line to the use of all its components but the first."""
    for c in range(batch.part_offsets[line] + 1, batch.part_offsets[line + 1]):
        use[point_of(batch, batch.part_sku[c], node)] += share * batch.part_units[c]


@free_kernel
def soft_piece(
    use: np.ndarray,
    load: np.ndarray,
    desk: Desk,
    shares: Shares,
    short: Shortlist,
    batch: Batch,
    order: int,
    first: int,
    last: int,
    package: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
    temperature: float,
    most: int,
) -> float:
    """Add to ``use[a]`` and ``load[n]`` what lines ``first:last`` of an order would take.

    Returns how much all patterns weigh together if the best weighs 1; leaving all of a whole
    order unfilled is not among these. ``max_packages`` does not count here.
    """
    n_lines = last - first
    whole = batch.all_or_nothing[order] or batch.must_ship[order]
    lay_out_short(desk, short, batch, first, last, package, price, toll, whole)
    for i in range(n_lines):
        if desk.own[i] == np.inf:
            return 1.0
    weigh_singles(shares, desk, batch, first, n_lines, package, whole, temperature)
    count = 0
    if n_lines > 1:
        slack = min(4.0 * temperature, 100.0)
        count = find_candidates(desk, n_lines, package, slack)
        count = keep_best_candidates(desk, count, n_lines, package, most)
    weigh_partitions(shares, desk, n_lines, count, package, temperature)
    full = (1 << n_lines) - 1
    served = 1.0
    if whole and not batch.must_ship[order]:
        unfilled = 0.0
        for line in range(first, last):
            unfilled += batch.line_penalty[line]
        far = (desk.best[count, full] - unfilled) / temperature
        far = min(max(far - np.log(shares.mass[count, full]), -40.0), 40.0)
        served = 1.0 / (1.0 + np.exp(far))
    share_out(shares, desk, n_lines, count, package, served, temperature)

    for i in range(n_lines):
        line = first + i
        part = batch.part_offsets[line]
        kit = batch.part_offsets[line + 1] - part > 1
        taken = batch.part_units[part]
        units = batch.line_units[line]
        for j in range(count):
            share = shares.sent[j, i]
            if desk.lines[j] >> i & 1 and share > 0:
                node = desk.candidate[j]
                use[desk.arc_point[desk.arc[j, i]]] += share * taken
                load[node] += share * units
                if kit:
                    take_others(use, batch, line, node, share)
        if shares.alone[i] < 1e-7:
            continue
        scale = shares.alone[i] / shares.single[i]
        for k in range(desk.arc_start[i], desk.arc_start[i + 1]):
            node = desk.arc_node[k]
            far = (package[node] + desk.arc_cost[k] - desk.own[i]) / temperature
            if far < _FAR:
                share = scale * np.exp(-far)
                use[desk.arc_point[k]] += share * taken
                load[node] += share * units
                if kit:
                    take_others(use, batch, line, node, share)
    return float(shares.mass[count, full])


@free_kernel
def soft_single(
    use: np.ndarray,
    load: np.ndarray,
    node: np.ndarray,
    point: np.ndarray,
    cost: np.ndarray,
    first: int,
    last: int,
    package: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
    taken: int,
    units: int,
    unfilled: float,
    temperature: float,
) -> float:
    """Do what :func:`soft_piece` does for one line of one component on arcs ``first:last``.

    Most orders are such, and a call with all that an order of several lines needs takes
    longer than the work. ``unfilled`` is infinite for what must ship.
    """
    own = unfilled
    for k in range(first, last):
        alone = package[node[k]] + cost[k] + taken * price[point[k]] + units * toll[node[k]]
        own = min(own, alone)
    if own == np.inf:
        return 1.0
    total = 0.0
    if unfilled - own < _FAR * temperature:
        total = np.exp(-(unfilled - own) / temperature)
    for k in range(first, last):
        far = package[node[k]] + cost[k] + taken * price[point[k]] + units * toll[node[k]] - own
        if far < _FAR * temperature:
            total += np.exp(-far / temperature)
    for k in range(first, last):
        far = package[node[k]] + cost[k] + taken * price[point[k]] + units * toll[node[k]] - own
        if far < _FAR * temperature:
            share = np.exp(-far / temperature) / total
            use[point[k]] += share * taken
            load[node[k]] += share * units
    return total


@free_kernel
def soft_order(
    use: np.ndarray,
    load: np.ndarray,
    part: np.ndarray,
    desk: Desk,
    shares: Shares,
    short: Shortlist,
    batch: Batch,
    order: int,
    package: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
    temperature: float,
    most: int,
) -> float:
    """Do what :func:`soft_piece` does for a whole order, in pieces if it is long."""
    start = batch.order_offsets[order]
    stop = batch.order_offsets[order + 1]
    doubt = 1.0
    pieces = (stop - start + MOST_LINES - 1) // MOST_LINES
    for piece in range(pieces):
        first = start + piece * (stop - start) // pieces
        last = start + (piece + 1) * (stop - start) // pieces
        row = package
        if pieces > 1:
            row = part
            for n in range(package.size):
                part[n] = package[n] * ((last - first) / (stop - start))
        doubt *= soft_piece(
            use,
            load,
            desk,
            shares,
            short,
            batch,
            order,
            first,
            last,
            row,
            price,
            toll,
            temperature,
            most,
        )
    return doubt


@free_kernel
def soft_orders(
    use: np.ndarray,
    load: np.ndarray,
    doubt: np.ndarray,
    desk: Desk,
    shares: Shares,
    short: Shortlist,
    batch: Batch,
    orders: np.ndarray,
    price: np.ndarray,
    toll: np.ndarray,
    temperature: float,
    most: int,
) -> None:
    """Add to ``use[a]`` and ``load[n]`` the units that some orders would take.

    An order of more than ``MOST_LINES`` lines is looked at in pieces, each of which pays
    its part of a package.
    """
    n_nodes = load.size
    package = np.empty(n_nodes)
    part = np.empty(n_nodes)
    region = -1
    for at in range(orders.size):
        order = orders[at]
        if batch.order_region[order] != region:
            region = batch.order_region[order]
            for n in range(n_nodes):
                package[n] = batch.package_cost[region, n]
        start = batch.order_offsets[order]
        stop = batch.order_offsets[order + 1]
        c = batch.part_offsets[start]
        plain = stop - start == 1 and not batch.all_or_nothing[order]
        if plain and batch.part_offsets[stop] - c == 1:
            doubt[order] = soft_single(
                use,
                load,
                short.node,
                short.point,
                short.cost,
                short.start[start],
                short.stop[start],
                package,
                price,
                toll,
                batch.part_units[c],
                batch.line_units[start],
                np.inf if batch.must_ship[order] else float(batch.line_penalty[start]),
                temperature,
            )
            continue
        doubt[order] = soft_order(
            use,
            load,
            part,
            desk,
            shares,
            short,
            batch,
            order,
            package,
            price,
            toll,
            temperature,
            most,
        )
