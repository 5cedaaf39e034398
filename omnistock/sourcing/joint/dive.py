"""From prices to whole orders, the sure ones first.

At good prices most orders know what they want, and stock suffices for them. Orders about
which there is little doubt get their cheapest pattern; what is left of stock and orders is
priced anew; and so on, until nobody is left (diving; the doubts of an order are the weight
of all its patterns, see :mod:`.soft`). An order never takes more than its cheapest pattern
while others might still give way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from omnistock.sourcing.joint.market import Market
from omnistock.sourcing.joint.patterns import Desk, desk_for
from omnistock.sourcing.joint.plans import Plan, empty_plan
from omnistock.sourcing.joint.turns import Chain, chain_for, construct

__all__ = ["Pace", "Works", "dive", "works_for"]

# An order takes its turn if it costs this much more than without the others, at most.
_NEAR_CENTS = 2.0
_SURE = 1.02


@dataclass(frozen=True)
class Pace:
    """How slowly a dive goes: better plans take longer.

    Attributes
    ----------
    share : float
        Of the orders that are open, this share goes in a round, the surest.
    rounds : int
        At most; who is left then takes what is left.
    steps : int
        Moves of prices after each round.
    hot, cold : float
        Temperatures of these moves, cents.
    """

    share: float
    rounds: int
    steps: int
    hot: float = 300.0
    cold: float = 3.0


@dataclass(frozen=True)
class Works:
    """A plan and the room to work on it."""

    plan: Plan
    chain: Chain
    desk: Desk


def works_for(market: Market) -> Works:
    """Make an empty plan for all orders of a market."""
    problem = market.problem
    points, nodes = len(problem.stock_node), problem.n_nodes
    chain = chain_for(points, nodes, problem.n_orders, problem.n_lines, max(problem.n_lines, 64))
    return Works(empty_plan(problem), chain, desk_for(nodes))


def dive(
    market: Market,
    works: Works,
    pace: Pace,
    *,
    stop: Callable[[], bool],
    tell: Callable[[int], None],
) -> None:
    """Fill the plan of ``works``; the market is left with nobody in it.

    ``stop`` ends it early: who is left then takes what is left. ``tell`` is called with the
    number of orders that are still open.
    """
    problem, plan = market.problem, works.plan
    done = np.zeros(problem.n_orders, np.bool_)
    limit = np.full(problem.n_orders, np.inf)
    _serve(market, works, _needy(market), limit, done, pace, stop)
    for _ in range(pace.rounds):
        orders = market.orders
        if not len(orders) or stop():
            break
        market.bound()
        doubt = market.doubt[orders]
        sure = max(_SURE, float(np.quantile(doubt, pace.share)))
        turn = orders[np.argsort(doubt, kind="stable")]
        turn = turn[: int(np.searchsorted(np.sort(doubt), sure, side="right"))]
        limit[turn] = market.cost[turn] + _NEAR_CENTS
        _serve(market, works, turn, limit, done, pace, stop)
        tell(len(market.orders))
    orders = market.orders
    market.bound()
    limit[orders] = np.inf
    last = orders[np.argsort(market.doubt[orders], kind="stable")]
    construct(
        plan, works.chain, works.desk, market.batch, last, limit, done, market.price, market.toll
    )


def _needy(market: Market) -> np.ndarray:
    """Orders that few stockpoints can serve: what must ship, and several units of one SKU.

    Once others have taken a unit here and a unit there, no node has enough for these.
    """
    problem = market.problem
    line = np.repeat(np.arange(problem.n_lines), np.diff(problem.part_offsets))
    several = np.zeros(problem.n_orders, np.bool_)
    several[problem.line_order[line[problem.part_units > 1]]] = True
    market.bound()
    penalty = np.bincount(problem.line_order, problem.line_penalty, problem.n_orders)
    worth = penalty - market.cost
    needy = np.flatnonzero((several | problem.must_ship) & (np.diff(problem.order_offsets) > 0))
    return needy[np.lexsort((-worth[needy], ~problem.must_ship[needy]))]


def _serve(
    market: Market,
    works: Works,
    turn: np.ndarray,
    limit: np.ndarray,
    done: np.ndarray,
    pace: Pace,
    stop: Callable[[], bool],
) -> None:
    """Serve orders in turn, then price what is left for the others."""
    plan = works.plan
    construct(
        plan, works.chain, works.desk, market.batch, turn, limit, done, market.price, market.toll
    )
    left = market.orders[~done[market.orders]]
    if len(left) < len(market.orders):
        market.open(left, plan.left, plan.room)
        if len(left):
            market.cool(pace.hot, pace.cold, pace.steps, stop)
