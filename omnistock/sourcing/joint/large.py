"""Batches beyond an integer program: prices, a dive, chains of moves, flows, and parts."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable

import numpy as np

from omnistock.sourcing.joint.dive import Pace, Works, dive, works_for
from omnistock.sourcing.joint.evaluate import evaluate
from omnistock.sourcing.joint.exact import ExactPlan
from omnistock.sourcing.joint.improve import improve
from omnistock.sourcing.joint.market import Market
from omnistock.sourcing.joint.plans import plan_cost
from omnistock.sourcing.joint.problem import SourcingProblem
from omnistock.sourcing.joint.reflow import reflow
from omnistock.sourcing.joint.reopt import replan_parts

__all__ = ["compile_kernels", "solve_by_prices"]

_HOT, _COLD = 1000.0, 3.0
# With fewer moves than this the market starts cooler and stays warmer.
_MANY_MOVES, _MILD, _WARM = 140, 400.0, 10.0
_DEPTH = 8
_SWEEPS = 6
# From the quickest to the best; each needs about this many moves of all orders' prices.
_PACES = (
    (0, Pace(share=0.6, rounds=4, steps=8)),
    (30, Pace(share=0.4, rounds=7, steps=25)),
    (110, Pace(share=0.2, rounds=14, steps=50)),
    (260, Pace(share=0.1, rounds=28, steps=60)),
)

Tell = Callable[[str, int | None, int], None]


@functools.cache
def compile_kernels() -> None:
    """Plan three orders, so that no time limit pays for compiling."""
    few = SourcingProblem.build(
        package_cost=[[500, 900]],
        unit_cost=[[10, 10]],
        n_skus=2,
        stock=([0, 1, 0], [0, 0, 1], [1, 5, 1]),
        order_region=[0, 0, 0],
        order_offsets=[0, 2, 3, 4],
        line_units=[1, 1, 1, 1],
        line_penalty=[2000, 2000, 2000, 2000],
        part_offsets=[0, 1, 2, 3, 4],
        part_sku=[0, 1, 0, 1],
        part_units=[1, 1, 1, 1],
    )
    solve_by_prices(
        few, end=time.monotonic() + 60, gap=0.0, seed=0, threads=1, tell=_nobody, polish=False
    )


def _nobody(stage: str, cost: int | None, bound: int) -> None:
    """Tell nobody."""


def solve_by_prices(
    problem: SourcingProblem,
    *,
    end: float,
    gap: float,
    seed: int,
    threads: int,
    tell: Tell,
    polish: bool = True,
) -> ExactPlan:
    """Plan a batch by prices until ``end`` of the monotonic clock.

    Parameters
    ----------
    problem : SourcingProblem
    end : float
        Reading of ``time.monotonic`` by which to be done, as well as it goes.
    gap : float
        Stop as soon as the cost is within this share of the bound.
    seed, threads : int
    tell : callable
    polish : bool
        Whether to plan parts anew until the end.

    Returns
    -------
    ExactPlan
        Without a plan if something that must ship found no node.
    """
    began = time.monotonic()
    market = Market(problem, threads)
    try:
        market.start()
        each = _find_prices(market, began, end, tell)
        proof = market.bound()
        if proof == math.inf:
            return ExactPlan(None, None, None, True)
        bound = max(math.ceil(proof - 1e-6), 0)
        tell("prices", None, bound)
        price, toll = market.price.copy(), market.toll.copy()
        works = works_for(market)
        pace = _pace(end - time.monotonic(), each)
        total = max(len(market.orders), 1)
        dive(
            market,
            works,
            pace,
            stop=lambda: end - time.monotonic() < 0.25 * (end - began),
            tell=lambda left: tell(f"orders {1 - left / total:.0%}", None, bound),
        )
    finally:
        market.close()
    assigned, cost = _chains(market, works, price, toll, end, seed, bound, tell)
    if cost is None:
        return ExactPlan(None, None, bound, False)
    return _refined(problem, assigned, cost, bound, end, gap, seed, tell, polish)


def _find_prices(market: Market, began: float, end: float, tell: Tell) -> float:
    """Cool the market down in about a third of the time; return seconds for a cool move."""
    tell("prices", None, 0)
    market.move(_MILD)
    first = time.monotonic()
    market.move(_MILD)
    market.move(_MILD)
    hot = (time.monotonic() - first) / 2
    budget = 0.35 * (end - began)
    steps = int(np.clip(budget / max(0.55 * hot, 1e-6), 40, 220))
    limit = began + 0.5 * (end - began)
    many = steps >= _MANY_MOVES
    warm, cold = (_HOT, _COLD) if many else (_MILD, _WARM)
    market.cool(warm, cold, steps, stop=lambda: time.monotonic() > limit)
    last = time.monotonic()
    market.move(cold)
    return time.monotonic() - last


def _pace(seconds: float, each: float) -> Pace:
    """The slowest dive that takes about half of the seconds left."""
    moves = 0.5 * seconds / max(each, 1e-6)
    return [pace for least, pace in _PACES if moves >= least][-1] if moves > 0 else _PACES[0][1]


def _chains(
    market: Market,
    works: Works,
    price: np.ndarray,
    toll: np.ndarray,
    end: float,
    seed: int,
    bound: int,
    tell: Tell,
) -> tuple[np.ndarray, int | None]:
    """Improve the plan order by order until nothing is gained; ``None`` without a plan."""
    problem, batch = market.problem, market.batch
    rng = np.random.default_rng(seed)
    number = 0
    for _ in range(_SWEEPS):
        saved = 0
        for some in np.array_split(rng.permutation(problem.n_orders), 1 + problem.n_orders // 1000):
            if time.monotonic() > end:
                break
            saved += int(
                improve(
                    works.plan, works.chain, works.desk, batch, some, number, _DEPTH, price, toll
                )
            )
            number += 2 * len(some)
        cost = int(plan_cost(works.plan, batch))
        tell("chains", None if cost < 0 else cost, bound)
        if saved <= 1e-4 * cost or saved == 0 or time.monotonic() > end:
            break
    return works.plan.assigned.copy(), None if cost < 0 else cost


def _refined(
    problem: SourcingProblem,
    assigned: np.ndarray,
    cost: int,
    bound: int,
    end: float,
    gap: float,
    seed: int,
    tell: Tell,
    polish: bool,
) -> ExactPlan:
    """Move all lines at once, then plan parts anew until the end."""

    def enough() -> bool:
        return cost - bound <= gap * cost or time.monotonic() > end

    for round_ in range(4):
        if enough():
            break
        moved = reflow(problem, assigned, seed=seed + round_)
        after = evaluate(problem, moved).cost
        tell("flow", after, bound)
        if after >= cost:
            break
        assigned, cost = moved, after
    if polish and not enough():
        assigned = replan_parts(
            problem, assigned, stop=lambda: time.monotonic() > end - 1.0, seed=seed
        )
        cost = evaluate(problem, assigned).cost
        tell("parts", cost, bound)
    assert cost == evaluate(problem, assigned).cost
    return ExactPlan(assigned, cost, min(bound, cost), cost <= bound)
