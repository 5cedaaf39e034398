"""The cheapest set of nodes for one cart, exactly. Axes: n = node, l = line.

Once the nodes are chosen, every line takes its units from the cheapest of them, so
the only question is which nodes. A set costs ``node_cost`` per node, ``unit_cost`` per
unit and ``unfilled_cost`` per unit that it leaves unfilled.

Lower bounds come from pricing a unit of line ``l`` at ``price[l]``: a node is then worth
``reduced[n] = node_cost[n] + sum_l usable[n, l] * min(0, unit_cost[n, l] - price[l])``,
and no set of at most ``k`` nodes costs less than ``sum_l need[l] * price[l]`` plus the
``k`` smallest of ``reduced``, as far as they are negative (Lagrangian relaxation of the
units' balance; Geoffrion 1974). Prices are floats while they are sought, integers when
they prove something.
"""

from __future__ import annotations

import numpy as np

from omnistock.numerics.compiled import kernel, lean_kernel
from omnistock.sourcing.bounds import (
    DOMINATING,
    find_dominators,
    find_prices,
    price_rest,
    rank_nodes,
    suffix_bounds,
)
from omnistock.sourcing.greedy import first_set, set_cost

__all__ = ["cheapest_set", "set_cost"]

# Steps after which a search is long enough to look which nodes dominate which.
_LONG = 256


@lean_kernel
def lacking_beyond(lacking: np.ndarray, most: np.ndarray, room: int) -> int:
    """Units still lacking if ``room`` more nodes each gave the ``most`` of every line."""
    missing = 0
    for line in range(lacking.size):
        missing += max(0, lacking[line] - room * most[line])
    return missing


@lean_kernel
def take_from(left: np.ndarray, lacking: np.ndarray, units: np.ndarray) -> int:
    """Fill what is ``left`` lacking once a node's units are there; return its sum."""
    missing = 0
    for line in range(lacking.size):
        left[line] = max(0, lacking[line] - units[line])
        missing += left[line]
    return missing


@kernel
def new_levels(
    max_nodes: int, n_ranked: int, n_lines: int, sharp: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Room for what is lacking, what nodes are worth, and four numbers, each level of a search."""
    lacking = np.empty((max_nodes + 1, n_lines), np.int64)
    n_sharp = max_nodes + 1 if sharp else 1
    worth = np.zeros((n_sharp, n_ranked), np.int64)
    rest = np.zeros((n_sharp, n_ranked + 1), np.int64)
    return lacking, worth, rest, np.zeros((4, max_nodes + 1), np.int64)


@kernel
def search_sets(
    chosen: np.ndarray, n_best: int, best_cost: int, ranked: np.ndarray, reduced: np.ndarray,
    n_ranked: int, value: int, price: np.ndarray, need: np.ndarray, usable: np.ndarray,
    node_cost: np.ndarray, unit_cost: np.ndarray, unfilled_cost: int, max_nodes: int,
    whole_lines: bool, max_steps: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Improve on ``best_cost`` by depth-first search over sets of ranked nodes.

    With ``d`` nodes chosen the best that may follow are the next ``max_nodes - d`` of the
    ranking, so that one subtraction of prefix sums bounds all that is left of a branch.
    Where a set with fewer nodes is known, the others are priced anew beside those chosen, as
    that bound counts units twice. Where none is, any will do: it is returned once it is found.
    Returns as :func:`cheapest_set` does.
    """
    n_lines = need.size
    # Where all nodes allowed are needed the ranking bounds as well, and much faster.
    known, sharp = n_best >= 0, 0 <= n_best < max_nodes
    taken, trial = np.empty((max_nodes, n_lines), np.int64), np.empty(max_nodes, np.int64)
    masks, saved = np.zeros(n_ranked, np.int64), np.zeros(n_ranked + 1, np.int64)
    most = np.zeros((n_ranked + 1, n_lines), np.int64)
    suffix_bounds(saved, most, ranked, reduced, usable)
    lacking, worth, rest, levels = new_levels(max_nodes, n_ranked, n_lines, sharp)
    base, members, partial, following = levels[0], levels[1], levels[2], levels[3]
    lacking[0], partial[0] = need, value
    spare = np.empty((2, n_lines), np.int64)
    depth = steps = 0
    seasoned = False
    if sharp:
        base[0] = price_rest(
            worth[0], rest[0], spare[0], spare[1], 0, trial, 0, max_nodes, ranked, price, need,
            usable, node_cost, unit_cost,
        )  # fmt: skip
    while depth >= 0 and steps <= max_steps:
        steps += 1
        if steps >= _LONG and not seasoned:
            seasoned = True
            find_dominators(masks, ranked[:n_ranked], usable, node_cost, unit_cost, known)
        i = following[depth]
        room = max_nodes - depth
        closed = room == 0 or i >= n_ranked
        if not closed:
            bound = partial[depth] + reduced[i] + saved[min(i + room, n_ranked)] - saved[i + 1]
            if sharp:
                bound = max(bound, base[depth] + rest[depth, i])
            # Both bounds only grow with i, so the whole rest of this level is closed.
            least = lacking_beyond(lacking[depth], most[i], room) * unfilled_cost
            closed = max(bound, least) >= best_cost
        if closed:
            depth -= 1
            following[max(depth, 0)] += 1
            continue
        behind = sharp and base[depth] + worth[depth, i] + rest[depth, i + 1] >= best_cost
        if behind or masks[i] & ~members[depth] != 0:
            following[depth] += 1
            continue
        trial[depth] = ranked[i]
        missing = take_from(lacking[depth + 1], lacking[depth], usable[ranked[i]])
        depth += 1
        members[depth] = members[depth - 1] | (1 << i if i < DOMINATING else 0)
        partial[depth] = partial[depth - 1] + reduced[i]
        following[depth] = i + 1
        if missing * unfilled_cost < best_cost:
            cost = set_cost(
                taken, trial, depth, need, usable, node_cost, unit_cost, unfilled_cost, whole_lines
            )
            if cost < best_cost:
                best_cost, n_best = cost, depth
                chosen[:depth] = trial[:depth]
                if not known:
                    break
        if sharp and depth < max_nodes:
            # It takes as long as so many plain steps.
            steps += 3
            base[depth] = price_rest(
                worth[depth], rest[depth], spare[0], spare[1], i + 1, trial, depth,
                max_nodes - depth, ranked, price, need, usable, node_cost, unit_cost,
            )  # fmt: skip
    return n_best, best_cost, steps


@kernel
def cheapest_set(
    chosen: np.ndarray,
    need: np.ndarray,
    usable: np.ndarray,
    node_cost: np.ndarray,
    unit_cost: np.ndarray,
    unfilled_cost: int,
    max_nodes: int,
    whole_lines: bool,
    cutoff: int,
    max_steps: int,
) -> tuple[int, int, int]:
    """Find the cheapest set of at most ``max_nodes`` nodes that costs less than ``cutoff``.

    Returns the number of nodes put into ``chosen`` (-1 if there is no such set), the
    cost, and the steps taken; more than ``max_steps`` means that the search stopped
    early and the answer, if any, is not proven.
    """
    n_nodes, n_lines = usable.shape
    taken = np.empty((max_nodes, n_lines), np.int64)
    n_best, best_cost = first_set(
        chosen, np.empty(max_nodes, np.int64), np.empty(max_nodes, np.int64),
        np.empty(n_lines, np.int64), np.empty(n_nodes, np.int64), taken, need, usable, node_cost,
        unit_cost, unfilled_cost, max_nodes, whole_lines, cutoff,
    )  # fmt: skip
    if best_cost >= cutoff:
        best_cost = cutoff
        n_best = -1

    price = np.zeros(n_lines, np.int64)
    ranked = np.empty(n_nodes, np.int64)
    reduced = np.empty(n_nodes, np.int64)
    steps = 0
    again = True
    while again:
        # Once for any set at all if greedy ones are none, then for the cheapest.
        again = n_best < 0
        find_prices(price, need, usable, node_cost, unit_cost, unfilled_cost, max_nodes, best_cost)
        n_ranked, value = rank_nodes(
            ranked, reduced, price, need, usable, node_cost, unit_cost, max_nodes, best_cost
        )
        n_best, best_cost, more = search_sets(
            chosen,
            n_best,
            best_cost,
            ranked,
            reduced,
            n_ranked,
            value,
            price,
            need,
            usable,
            node_cost,
            unit_cost,
            unfilled_cost,
            max_nodes,
            whole_lines,
            max_steps - steps,
        )
        steps += more
        again = again and n_best >= 0
    return n_best, best_cost, steps
