"""Strategies: criteria in order, limits of a plan, and what to do if it cannot be whole."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from omnistock.errors import InputError
from omnistock.sourcing.cart import CartPlan, SourcingRules, check_magnitude, source_cart
from omnistock.sourcing.conditions import Condition
from omnistock.sourcing.costs import CostTerm
from omnistock.sourcing.criteria import (
    Candidates,
    Criterion,
    Request,
    figures,
    kilometres,
    node_fact,
    places,
)
from omnistock.sourcing.parcels import ParcelRules
from omnistock.sourcing.shared_capacity import rank_of, source_within_capacity

__all__ = ["Objective", "Strategy", "objective_of", "plan_by", "rank_nodes"]

_PER_UNIT = ("priority", "requested", "most_stock", "distance", "same", "attribute", "load")
CAPACITY = ("partial", "whole_line")


@dataclass(frozen=True, slots=True)
class Strategy:
    """How to choose the nodes of an order.

    As many units as possible always come first. Of the plans that send as many, the first
    criterion decides, of those equal by it the second, and so on; in the end earlier nodes.

    Attributes
    ----------
    criteria : tuple of Criterion or str
        Before ``packages`` a criterion counts the units: those that stand next to each
        other rank the nodes, and each unit counts its node's place. Behind ``packages`` it
        counts the packages instead, each by its node's figure.
    name : str
    costs : tuple of CostTerm
        Of the criterion ``cost``; shown in explanations in any case.
    max_packages : int, optional
        Most packages: one more than the number of splits.
    ship_complete, single_node_per_line : bool
        See :class:`SourcingRules`.
    within_km : float, optional
        Nodes farther away send nothing.
    nodes : tuple of Condition
        What a node must be: its kind, an attribute.
    backorder_node : str, optional
        The node that takes what is missing as a backorder.
    capacity : {"partial", "whole_line"}
        A node that cannot handle all it has of a line sends a part of it, or none.
    parcels : ParcelRules, optional
        How what a node sends is put into parcels. With the criterion ``cost``, the plan and
        the best plans without one of its nodes are compared again with their parcels' cost.
    otherwise : Strategy, optional
        Taken if this one leaves a unit unfilled; the last one stands however it comes out.

    Examples
    --------
    >>> Strategy(("packages", Criterion("same", attribute="market"), "distance")).label
    'packages, same market, distance'
    """

    criteria: tuple[Criterion | str, ...] = ("packages", "priority")
    name: str = ""
    costs: tuple[CostTerm, ...] = ()
    max_packages: int | None = None
    ship_complete: bool = False
    single_node_per_line: bool = False
    within_km: float | None = None
    nodes: tuple[Condition, ...] = ()
    backorder_node: str | None = None
    capacity: str = "partial"
    parcels: ParcelRules | None = None
    otherwise: Strategy | None = None

    def __post_init__(self) -> None:
        SourcingRules("packages", self.max_packages, self.ship_complete, self.single_node_per_line)
        if isinstance(self.criteria, str):
            raise InputError(f"criteria must be a tuple, got {self.criteria!r}")
        given = tuple(Criterion(one) if isinstance(one, str) else one for one in self.criteria)
        object.__setattr__(self, "criteria", given)
        for once in ("packages", "cost"):
            if sum(one.by == once for one in given) > 1:
                raise InputError(f"criterion {once!r} can be given once")
        if any(one.by == "cost" for one in given) and not self.costs:
            raise InputError("the criterion cost needs costs=")
        if self.capacity not in CAPACITY:
            raise InputError(f"capacity must be one of {CAPACITY}, got {self.capacity!r}")
        if self.within_km is not None and not self.within_km >= 0:
            raise InputError(f"within_km must be >= 0, got {self.within_km}")

    @property
    def parts(self) -> tuple[Criterion, ...]:
        """The criteria, each as an object."""
        return tuple(one for one in self.criteria if isinstance(one, Criterion))

    @property
    def label(self) -> str:
        """Its name, or its criteria in words."""
        return self.name or ", ".join(one.label for one in self.parts) or "as it comes"

    @property
    def chain(self) -> tuple[Strategy, ...]:
        """This strategy and those that stand in for it, in turn."""
        return (self, *(self.otherwise.chain if self.otherwise is not None else ()))


@dataclass(frozen=True)
class Objective:
    """Criteria as figures: for every package of a node, and for every unit of a line.

    Attributes
    ----------
    labels : list of str
        One for each level, first that which decides first.
    per_package : list of (n_nodes,) int64
    per_unit : list of (n_nodes, n_lines) int64
    """

    labels: list[str] = field(default_factory=list)
    per_package: list[np.ndarray] = field(default_factory=list)
    per_unit: list[np.ndarray] = field(default_factory=list)

    def add(self, label: str, package: np.ndarray, unit: np.ndarray) -> None:
        """Append a level."""
        self.labels.append(label)
        self.per_package.append(package)
        self.per_unit.append(unit)

    def totals(self, quantity: np.ndarray) -> list[int]:
        """What a plan counts on each level."""
        used = quantity.any(axis=1)
        return [
            int(package[used].sum()) + int((quantity * unit).sum())
            for package, unit in zip(self.per_package, self.per_unit, strict=True)
        ]

    def weighed(self, units: int, most_packages: int) -> tuple[np.ndarray, np.ndarray]:
        """Return one figure a package and one a unit whose sum compares as the levels do.

        Each level weighs more than all that the levels behind it can come to.
        """
        n_nodes, n_lines = self.per_unit[0].shape
        package, unit = np.zeros(n_nodes, np.int64), np.zeros((n_nodes, n_lines), np.int64)
        weight = 1
        for k in range(len(self.labels) - 1, -1, -1):
            top = weight * max(
                int(self.per_package[k].max(initial=0)), int(self.per_unit[k].max(initial=0))
            )
            if top >= 2**40:
                raise InputError(
                    f"criteria {', '.join(self.labels)} have too large figures to be compared "
                    "exactly one after another; use bands for distances or fewer criteria"
                )
            package += weight * self.per_package[k]
            unit += weight * self.per_unit[k]
            most = int(self.per_package[k].max(initial=0)) * most_packages
            most += int(self.per_unit[k].max(initial=0)) * units
            weight *= most + 1
        return package, unit


def objective_of(strategy: Strategy, candidates: Candidates, request: Request) -> Objective:
    """Turn a strategy's criteria into levels of figures."""
    n_nodes, n_lines = candidates.stock.shape
    nothing, none = np.zeros(n_nodes, np.int64), np.zeros((n_nodes, n_lines), np.int64)
    levels = Objective()
    ranking: list[np.ndarray] = []
    words: list[str] = []
    by_package = False

    def close_ranking() -> None:
        if ranking:
            if words[-1] == "priority":
                # Nothing behind it: nodes of one priority are taken as they stand.
                ranking.append(np.arange(n_nodes, dtype=np.int64))
            levels.add("place by " + ", ".join(words), nothing, _ranked(ranking, n_lines))
            ranking.clear()
            words.clear()

    for criterion in strategy.parts:
        if criterion.by == "cost":
            close_ranking()
            package, unit = cost_figures(strategy.costs, candidates, request)
            levels.add("cost", package, np.repeat(unit[:, None], n_lines, axis=1))
            continue
        figure = figures(criterion, candidates, request)
        if criterion.by == "packages":
            close_ranking()
            by_package = True
            levels.add("packages", figure, none)
        elif by_package:
            levels.add(criterion.label, figure if figure.ndim == 1 else _over_lines(figure), none)
        else:
            ranking.append(figure)
            words.append(criterion.label)
    close_ranking()
    if not levels.labels:
        levels.add("as it comes", nothing, none)
    return levels


def _over_lines(figure: np.ndarray) -> np.ndarray:
    """One place for each node from places by line."""
    return places(figure.sum(axis=1))


def _ranked(ranking: list[np.ndarray], n_lines: int) -> np.ndarray:
    """Places of the nodes by several figures one after another, line by line."""
    n_nodes = len(ranking[0])
    found = np.zeros((n_nodes, n_lines), np.int64)
    for line in range(n_lines):
        columns = [one if one.ndim == 1 else one[:, line] for one in ranking]
        rows = np.column_stack(columns)
        found[:, line] = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
    return found


def cost_figures(
    terms: tuple[CostTerm, ...], candidates: Candidates, request: Request
) -> tuple[np.ndarray, np.ndarray]:
    """Cents of a package and of a unit of every node, over all terms."""
    n_nodes = len(candidates.nodes)
    package, unit = np.zeros(n_nodes, np.int64), np.zeros(n_nodes, np.int64)
    far = kilometres(candidates, request) if any(one.cents_per_km for one in terms) else None
    for one in terms:
        package += one.per_package(candidates.names, far)
        unit += one.per_unit(candidates.names)
    return package, unit


def eligible(strategy: Strategy, candidates: Candidates, request: Request) -> np.ndarray:
    """Whether each node may send under the strategy, (n_nodes,) bool."""
    may = np.array(
        [
            all(one.holds(node_fact(node, one.fact)) for one in strategy.nodes)
            for node in candidates.nodes
        ],
        np.bool_,
    )
    if strategy.within_km is not None:
        may &= kilometres(candidates, request) <= strategy.within_km
    return may


def plan_by(
    strategy: Strategy, need: np.ndarray, candidates: Candidates, request: Request
) -> tuple[CartPlan, Objective]:
    """Choose the nodes of one cart by one strategy, without those that stand in for it.

    Returns
    -------
    CartPlan
        With the weighed figures as costs.
    Objective
        The levels behind them.
    """
    levels = objective_of(strategy, candidates, request)
    may = eligible(strategy, candidates, request)
    stock = np.where(may[:, None], candidates.stock, 0).astype(np.int64)
    packages_first = levels.labels[0] == "packages"
    weighed = dataclasses.replace(levels)
    if packages_first:
        weighed = Objective(levels.labels[1:], levels.per_package[1:], levels.per_unit[1:])
    units = int(need.sum())
    most = min(len(stock), units, strategy.max_packages or units)
    if weighed.labels:
        package, unit = weighed.weighed(units, most)
    else:
        package = np.zeros(len(stock), np.int64)
        unit = np.zeros(stock.shape, np.int64)
    check_magnitude(int(package.max(initial=0)), int(unit.max(initial=0)), units, len(stock))
    solve = partial(
        source_cart,
        need,
        package_cost=package,
        unit_cost=unit,
        objective="packages" if packages_first else "cost",
        max_packages=strategy.max_packages,
        ship_complete=strategy.ship_complete,
        single_node_per_line=strategy.single_node_per_line,
    )
    if candidates.capacity is None or not (candidates.capacity >= 0).any():
        return solve(stock), levels
    plan = source_within_capacity(
        solve, need, stock, candidates.capacity, whole_lines=strategy.capacity == "whole_line"
    )
    # The search narrows the stock as it goes; the question was about all of it.
    return dataclasses.replace(plan, stock=stock), levels


def runner_up(
    strategy: Strategy, plan: CartPlan, candidates: Candidates
) -> tuple[CartPlan, str] | None:
    """Return the best plan that does without one of the nodes used, and that node's name."""
    others = alternatives(strategy, plan, candidates)
    return min(others, key=lambda one: rank_of(one[0])) if others else None


def alternatives(
    strategy: Strategy, plan: CartPlan, candidates: Candidates
) -> list[tuple[CartPlan, str]]:
    """Return for each node used the best plan without it, and the node's name."""
    others = []
    for node in plan.nodes.tolist():
        stock = candidates.stock.copy()
        stock[node] = 0
        without = dataclasses.replace(candidates, stock=stock)
        # Figures that depend on stock stay what they were when the choice was made.
        other = _same_question(strategy, plan, without)
        others.append((other, candidates.nodes[node].node))
    return others


def _same_question(strategy: Strategy, plan: CartPlan, candidates: Candidates) -> CartPlan:
    stock = np.minimum(plan.stock, candidates.stock)
    rules = plan.rules
    solve = partial(
        source_cart,
        plan.need,
        package_cost=plan.package_cost,
        unit_cost=plan.unit_cost,
        objective=rules.objective,
        max_packages=rules.max_packages,
        ship_complete=rules.ship_complete,
        single_node_per_line=rules.single_node_per_line,
    )
    if candidates.capacity is None or not (candidates.capacity >= 0).any():
        return solve(stock)
    return source_within_capacity(
        solve, plan.need, stock, candidates.capacity,
        whole_lines=strategy.capacity == "whole_line",
    )  # fmt: skip


def rank_nodes(strategy: Strategy, candidates: Candidates, request: Request) -> list[str]:
    """Return the names of the nodes that may send, best first by the strategy.

    Criteria by line, such as ``most_stock``, are added up over the lines.
    """
    columns = []
    for criterion in strategy.parts:
        if criterion.by == "packages":
            continue
        if criterion.by == "cost":
            package, unit = cost_figures(strategy.costs, candidates, request)
            columns.append(package + unit)
            continue
        if criterion.by == "most_stock":
            have = candidates.stock
            if criterion.stock == "uncommitted" and candidates.uncommitted is not None:
                have = candidates.uncommitted
            columns.append(-have.sum(axis=1))
            continue
        columns.append(figures(criterion, candidates, request))
    may = eligible(strategy, candidates, request)
    order = np.lexsort(columns[::-1]) if columns else np.arange(len(candidates.nodes))
    return [candidates.nodes[node].node for node in order.tolist() if may[node]]
