"""One order to nodes by rules: which rule fired, what it chose, what it costs, what is short."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from omnistock.sourcing.cart import CartPlan, money
from omnistock.sourcing.criteria import Candidates, Request, kilometres
from omnistock.sourcing.parcels import Parcel, ParcelRules, pack
from omnistock.sourcing.routing import RoutingBook
from omnistock.sourcing.strategies import (
    Objective,
    Strategy,
    alternatives,
    plan_by,
    runner_up,
)

__all__ = ["Choice", "PlannedLine", "choose_nodes"]


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """Units of a SKU from a node, in smallest units."""

    sku: str
    node: str
    quantity: int


@dataclass(frozen=True)
class Choice:
    """Where an order comes from, and why.

    Attributes
    ----------
    lines : tuple of PlannedLine
        What leaves from stock, best node first as the strategy has it.
    backordered : tuple of PlannedLine
        What is promised beyond stock.
    unfilled : dict of str to int
        Units by SKU that nobody sends.
    reasons : dict of str to str
        Why, by SKU: "stock", "capacity", "split limit", "one node per line", "ship
        complete", "node conditions", or what binds in the engine.
    rule, version : str, int
        Which rule fired, of which version of the book; "" and 0 without a book.
    strategy : Strategy
        The one that stands, after those that were tried and left something unfilled.
    tried : tuple of (str, int)
        Label of each strategy tried in turn, and the units that it left unfilled.
    costs : dict of str to int
        Cents by term.
    levels : dict of str to int
        What the plan counts by each criterion, first that which decided first.
    packages : int
    proven : bool
        Whether no better plan exists for certain.
    parcels : tuple of Parcel
        If the strategy has rules for them.
    """

    lines: tuple[PlannedLine, ...]
    backordered: tuple[PlannedLine, ...]
    unfilled: dict[str, int]
    reasons: dict[str, str]
    rule: str
    version: int
    strategy: Strategy
    tried: tuple[tuple[str, int], ...]
    costs: dict[str, int]
    levels: dict[str, int]
    packages: int
    proven: bool
    parcels: tuple[Parcel, ...] = ()
    skus: tuple[str, ...] = ()
    trace: tuple[str, ...] = ()
    cart: CartPlan | None = field(default=None, repr=False)
    candidates: Candidates | None = field(default=None, repr=False)
    request: Request = field(default_factory=Request, repr=False)
    objective: Objective | None = field(default=None, repr=False)

    @property
    def cost_cents(self) -> int:
        """Cents of all terms."""
        return sum(self.costs.values())

    @property
    def complete(self) -> bool:
        """Whether every unit is sent or backordered."""
        return not self.unfilled

    @property
    def reason(self) -> str:
        """Why the first short SKU is short, "" if none is."""
        return next(iter(self.reasons.values()), "")

    def runner_up(self) -> tuple[CartPlan, str] | None:
        """Return the best plan without one of the nodes used, and that node; None if none is."""
        if self.cart is None or self.candidates is None:
            return None
        return runner_up(self.strategy, self.cart, self.candidates)

    def runner_up_costs(self) -> dict[str, int] | None:
        """Cents by term of the runner-up; None if there is none."""
        other = self.runner_up()
        if other is None or self.candidates is None:
            return None
        return cents_by_term(self.strategy, other[0].quantity, self.candidates, self.request)

    def explain(self) -> str:
        """Say which rule fired, what each node sends and costs, and what was second best."""
        lines = [*self.trace]
        for label, short in self.tried[:-1]:
            lines.append(f"strategy {label!r} leaves {short} unfilled; the next one stands in")
        lines.append(f"strategy {self.strategy.label!r}: {self._headline()}")
        for node in dict.fromkeys(one.node for one in self.lines):
            sent = [f"{one.quantity} x {one.sku}" for one in self.lines if one.node == node]
            lines.append(f"  {node}: {', '.join(sent)}{self._node_costs(node)}")
        if self.strategy.parcels is not None:
            lines.append(f"  in {len(self.parcels)} parcel{'' if len(self.parcels) == 1 else 's'}")
        for one in self.backordered:
            lines.append(f"  {one.node}: {one.quantity} x {one.sku} as a backorder")
        for sku, units in self.unfilled.items():
            lines.append(f"  nobody: {units} x {sku} ({self.reasons.get(sku, '')})")
        other = self.runner_up()
        if other is not None and self.objective is not None:
            plan, name = other
            totals = self.objective.totals(plan.quantity)
            words = self._levels_text(dict(zip(self.objective.labels, totals, strict=True)))
            lines.append(f"without {name}: {plan.filled} units; {words}")
        if not self.proven:
            lines.append("the search was cut short; a better plan may exist")
        return "\n".join(lines)

    def _headline(self) -> str:
        units = sum(one.quantity for one in self.lines)
        return f"{units} units; {self._levels_text(self.levels)}"

    def _levels_text(self, levels: dict[str, int]) -> str:
        shown = []
        for label, total in levels.items():
            if label == "cost":
                shown.append(f"cost {money(total)}")
            elif label == "distance":
                # Packages count metres.
                shown.append(f"distance {total / 1000:.0f} km")
            else:
                shown.append(f"{label} {total}")
        return ", ".join(shown)

    def _node_costs(self, node: str) -> str:
        if self.cart is None or self.candidates is None or not self.strategy.costs:
            return ""
        only = self.cart.quantity.copy()
        only[[one != node for one in self.candidates.names]] = 0
        found = cents_by_term(self.strategy, only, self.candidates, self.request)
        return "; " + ", ".join(f"{name} {money(cents)}" for name, cents in found.items())


def choose_nodes(
    rules: Strategy | RoutingBook,
    skus: list[str],
    need: np.ndarray,
    candidates: Candidates,
    request: Request,
    *,
    planned: np.ndarray | None = None,
    allowance: np.ndarray | None = None,
    binding: dict[str, str] | None = None,
    all_or_none: bool = False,
) -> Choice:
    """Choose the nodes of one order.

    Parameters
    ----------
    rules : Strategy or RoutingBook
        A book chooses the strategy by what the order says of itself: ``request.facts``, and
        units, lines, skus and requested_node.
    skus : list of str
        The SKU of each line; different ones.
    need : (n_lines,) int64
    candidates : Candidates
    request : Request
    planned : (n_lines,) int64, optional
        Units that may be sent over all nodes together, at most ``need``: limits of the asker
        or whole kits may leave less. Default: ``need``.
    allowance : (n_nodes, n_lines) int64, optional
        Units that may be promised at each node beyond stock.
    binding : dict, optional
        By SKU why there is not more of it, for the reasons.
    all_or_none : bool
        Whether a part of what is planned is of no use, as of kits.

    Returns
    -------
    Choice
    """
    facts = {
        "units": int(need.sum()), "lines": len(skus), "skus": tuple(skus),
        "requested_node": request.requested_node, **request.facts,
    }  # fmt: skip
    rule, version = "", 0
    trace: tuple[str, ...] = ()
    strategy = rules if isinstance(rules, Strategy) else rules.fallback
    if isinstance(rules, RoutingBook):
        rule, strategy = rules.choose(facts)
        version, trace = rules.version, tuple(rules.trace(facts))
    most = need if planned is None else planned
    tried: list[tuple[str, int]] = []
    for one in strategy.chain:
        strategy = one
        plan, objective = _plan(one, need, most, candidates, request, all_or_none)
        plan = _with_parcels(one, skus, plan, objective, candidates)
        beyond = np.zeros_like(plan.quantity)
        if allowance is not None and allowance.any() and plan.unfilled.any():
            plan, beyond = _with_backorders(one, plan, candidates, request, allowance)
        missing = need - plan.quantity.sum(axis=0) - beyond.sum(axis=0)
        tried.append((one.label, int(missing.sum())))
        if not missing.any():
            break
    names = candidates.names
    costs = cents_by_term(strategy, plan.quantity, candidates, request)
    parcels: tuple[Parcel, ...] = ()
    if strategy.parcels is not None:
        parcels = parcels_of(strategy.parcels, skus, plan, candidates)
        if strategy.parcels.cents_per_parcel:
            costs["parcels"] = strategy.parcels.cents_per_parcel * len(parcels)
    short = {sku: int(units) for sku, units in zip(skus, missing, strict=True) if units}
    reasons = _reasons(
        strategy, skus, most, missing, need - most, candidates, request, binding or {}
    )
    return Choice(
        lines=_planned(skus, names, plan.quantity, _best_first(plan, objective)),
        backordered=_planned(skus, names, beyond, list(range(len(names)))),
        unfilled=short,
        reasons=reasons,
        rule=rule,
        version=version,
        strategy=strategy,
        tried=tuple(tried),
        costs=costs,
        levels=dict(zip(objective.labels, objective.totals(plan.quantity), strict=True)),
        packages=plan.packages,
        proven=plan.proven,
        parcels=parcels,
        skus=tuple(skus),
        trace=trace,
        cart=plan,
        candidates=candidates,
        request=request,
        objective=objective,
    )


def cents_by_term(
    strategy: Strategy, quantity: np.ndarray, candidates: Candidates, request: Request
) -> dict[str, int]:
    """Cents of every cost term of a plan."""
    terms = strategy.costs
    far = kilometres(candidates, request) if any(one.cents_per_km for one in terms) else None
    used = quantity.any(axis=1)
    units = quantity.sum(axis=1)
    found: dict[str, int] = {}
    for one in terms:
        cents = int(one.per_package(candidates.names, far)[used].sum())
        cents += int((one.per_unit(candidates.names) * units).sum())
        found[one.name] = found.get(one.name, 0) + cents
    return found


def _best_first(plan: CartPlan, objective: Objective) -> list[int]:
    """Nodes used, in the order of their own figures level by level, then as they stand."""

    def rank(node: int) -> tuple[Any, ...]:
        sent = plan.quantity[node] > 0
        figures = [
            (int(package[node]), int(unit[node][sent].min(initial=2**62)))
            for package, unit in zip(objective.per_package, objective.per_unit, strict=True)
        ]
        return (*figures, node)

    return sorted(plan.nodes.tolist(), key=rank)


def _planned(
    skus: list[str], names: list[str], quantity: np.ndarray, nodes: list[int]
) -> tuple[PlannedLine, ...]:
    return tuple(
        PlannedLine(sku, names[node], int(quantity[node, line]))
        for line, sku in enumerate(skus)
        for node in nodes
        if quantity[node, line]
    )


def _plan(
    strategy: Strategy, need: np.ndarray, most: np.ndarray, candidates: Candidates,
    request: Request, all_or_none: bool,
) -> tuple[CartPlan, Objective]:  # fmt: skip
    """Plan what may be sent; nothing if that is less than an order that must be complete."""
    if strategy.ship_complete and (most < need).any():
        candidates = dataclasses.replace(candidates, stock=np.zeros_like(candidates.stock))
    if all_or_none:
        strategy = dataclasses.replace(strategy, ship_complete=True)
    return plan_by(strategy, most, candidates, request)


def _with_parcels(
    strategy: Strategy, skus: list[str], plan: CartPlan, objective: Objective,
    candidates: Candidates,
) -> CartPlan:  # fmt: skip
    """The plan, or one without one of its nodes that is better with the cost of its parcels."""
    rules = strategy.parcels
    if rules is None or not rules.cents_per_parcel or "cost" not in objective.labels:
        return plan

    def key(one: CartPlan) -> tuple[int, ...]:
        totals = objective.totals(one.quantity)
        totals[objective.labels.index("cost")] += rules.cents_per_parcel * len(
            parcels_of(rules, skus, one, candidates)
        )
        return (-one.filled, *totals)

    others = [other for other, _ in alternatives(strategy, plan, candidates)]
    best = min([plan, *others], key=key)
    # Its question stays that of all nodes.
    return dataclasses.replace(plan, quantity=best.quantity, proven=plan.proven and best is plan)


def parcels_of(
    rules: ParcelRules, skus: list[str], plan: CartPlan, candidates: Candidates
) -> tuple[Parcel, ...]:
    """Return the parcels of a plan."""
    names = candidates.names
    return pack(
        (
            (skus[line], names[node], int(plan.quantity[node, line]))
            for node in plan.nodes.tolist()
            for line in np.flatnonzero(plan.quantity[node]).tolist()
        ),
        rules,
    )


def _with_backorders(
    strategy: Strategy, plan: CartPlan, candidates: Candidates, request: Request,
    allowance: np.ndarray,
) -> tuple[CartPlan, np.ndarray]:  # fmt: skip
    """Return the plan and the units promised beyond stock.

    They lie at the strategy's node for them, else at the first nodes that allow it. An order
    that must be complete may be completed by them.
    """
    loose = plan
    if plan.rules.ship_complete:
        eased = dataclasses.replace(strategy, ship_complete=False)
        loose, _ = plan_by(eased, plan.need, candidates, request)
    beyond = np.zeros_like(loose.quantity)
    for line, left in enumerate(loose.unfilled.tolist()):
        for node, name in enumerate(candidates.names):
            if strategy.backorder_node in (None, name):
                beyond[node, line] = min(left, int(allowance[node, line]))
                left -= int(beyond[node, line])
    if plan.rules.ship_complete and (loose.unfilled - beyond.sum(axis=0)).any():
        return plan, np.zeros_like(beyond)
    return loose, beyond


def _reasons(
    strategy: Strategy, skus: list[str], most: np.ndarray, missing: np.ndarray,
    cut: np.ndarray, candidates: Candidates, request: Request, binding: dict[str, str],
) -> dict[str, str]:  # fmt: skip
    """Why each short SKU is short: the first limit without which it would be less so.

    What the asker's limits ``cut`` is named by them. Then limits are lifted one after another:
    that the order be complete, what nodes can handle, and what else the strategy says.
    """
    if not missing.any():
        return {}
    found = {
        skus[line]: binding.get(skus[line], "stock") for line in np.flatnonzero(cut > 0).tolist()
    }
    left = missing - cut
    eased = candidates
    loose = dataclasses.replace(strategy, otherwise=None)
    for word, applies, without in (
        ("ship complete", strategy.ship_complete, {"ship_complete": False}),
        ("capacity", candidates.capacity is not None, {}),
        ("one node per line", strategy.single_node_per_line, {"single_node_per_line": False}),
        ("split limit", strategy.max_packages is not None, {"max_packages": None}),
        (
            "node conditions",
            bool(strategy.nodes) or strategy.within_km is not None,
            {"nodes": (), "within_km": None},
        ),
    ):
        if not applies:
            continue
        if word == "capacity":
            eased = dataclasses.replace(candidates, capacity=None)
        loose = dataclasses.replace(loose, **without)
        plan, _ = plan_by(loose, most, eased, request)
        better = plan.unfilled < left
        if word == "ship complete":
            # Only a line that could be whole is held up by the others.
            better &= plan.unfilled == 0
        for line in np.flatnonzero(better).tolist():
            found.setdefault(skus[line], word)
        left = np.minimum(left, plan.unfilled)
    short = [skus[line] for line in np.flatnonzero(missing).tolist()]
    return {sku: found.get(sku) or binding.get(sku, "stock") for sku in short}
