"""One cart to nodes, exactly, with reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from omnistock.errors import InputError
from omnistock.sourcing.kernels import MAX_STEPS, plan_cart_into

__all__ = ["CartPlan", "SourcingRules", "check_magnitude", "money", "source_cart"]

OBJECTIVES = ("packages", "cost")


@dataclass(frozen=True, slots=True)
class SourcingRules:
    """What counts as a good plan, and what no plan may do.

    Attributes
    ----------
    objective : {"packages", "cost"}
        As many units as possible always come first. Then ``packages`` wants the fewest
        nodes and, among these plans, the least cost; ``cost`` wants the least cost.
    max_packages : int, optional
        Most nodes that may share one order (one more than the number of splits).
    ship_complete : bool
        Whether an order that cannot be filled whole is left alone altogether.
    single_node_per_line : bool
        Whether all units of a line must come from one node.
    """

    objective: str = "packages"
    max_packages: int | None = None
    ship_complete: bool = False
    single_node_per_line: bool = False

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise InputError(f"objective must be one of {OBJECTIVES}, got {self.objective!r}")
        if self.max_packages is not None and self.max_packages < 1:
            raise InputError(f"max_packages must be >= 1, got {self.max_packages}")

    @property
    def packages_first(self) -> bool:
        """Whether fewer packages beat any saving of cost."""
        return self.objective == "packages"


@dataclass(frozen=True)
class CartPlan:
    """Where the units of one cart come from.

    Attributes
    ----------
    quantity : (n_nodes, n_lines) int64
        Units of each line from each node.
    need, stock, package_cost, unit_cost : arrays
        The question, as given to :func:`source_cart`.
    rules : SourcingRules
    proven : bool
        Whether no better plan exists for certain. False only if the search was cut short.
    """

    quantity: np.ndarray
    need: np.ndarray
    stock: np.ndarray
    package_cost: np.ndarray
    unit_cost: np.ndarray
    rules: SourcingRules
    proven: bool

    @property
    def nodes(self) -> np.ndarray:
        """Positions of the nodes used, in order."""
        return np.flatnonzero(self.quantity.any(axis=1))

    @property
    def packages(self) -> int:
        """Nodes used: each sends one package."""
        return int(self.nodes.size)

    @property
    def filled(self) -> int:
        """Units that leave some node."""
        return int(self.quantity.sum())

    @property
    def unfilled(self) -> np.ndarray:
        """Units of each line that no node sends, (n_lines,)."""
        return np.asarray(self.need - self.quantity.sum(axis=0))

    @property
    def cost(self) -> int:
        """Cents for all packages and units."""
        packages = int(self.package_cost[self.nodes].sum())
        return packages + int((self.quantity * self.unit_cost).sum())

    def runner_up(self) -> CartPlan | None:
        """Return the best plan that does without one of the nodes used; None for an empty plan.

        It is what the choice was between: if it is worse, every node used is needed.
        """
        others = []
        for node in self.nodes.tolist():
            stock = self.stock.copy()
            stock[node] = 0
            others.append(_solve(replace(self, stock=stock)))
        return min(others, key=_rank) if others else None

    def explain(self, nodes: list[str] | None = None) -> str:
        """Say what the plan costs node by node, and what the next best would cost.

        Examples
        --------
        >>> plan = source_cart([3, 2], [[2, 0], [3, 2]], package_cost=[900, 1100], unit_cost=150)
        >>> print(plan.explain(["A", "B"]))
        5 of 5 units in 1 package for 18.50
          B: 5 units; package 11.00, units 7.50
        without B: 2 of 5 units in 1 package for 12.00
        """
        names = nodes or [f"node {node}" for node in range(len(self.package_cost))]
        lines = [_headline(self)]
        for node in self.nodes.tolist():
            units = int(self.quantity[node].sum())
            cents = int((self.quantity[node] * self.unit_cost[node]).sum())
            package = int(self.package_cost[node])
            lines.append(
                f"  {names[node]}: {_count(units, 'unit')}; "
                f"package {money(package)}, units {money(cents)}"
            )
        other = self.runner_up()
        if other is not None:
            left_out = [names[node] for node in self.nodes if not other.stock[node].any()]
            lines.append(f"without {left_out[0] if left_out else '?'}: {_headline(other)}")
        if not self.proven:
            lines.append("the search was cut short; a better plan may exist")
        return "\n".join(lines)


def source_cart(
    need: Any,
    stock: Any,
    *,
    package_cost: Any = 0,
    unit_cost: Any = 0,
    objective: str = "packages",
    max_packages: int | None = None,
    ship_complete: bool = False,
    single_node_per_line: bool = False,
) -> CartPlan:
    """Choose the nodes that send one cart, exactly.

    Parameters
    ----------
    need : (n_lines,) int
        Units of each line. Each line is another SKU: add up equal ones first, since the
        lines' stock counts as separate.
    stock : (n_nodes, n_lines) int
        Units that each node can give; 0 where it may not.
    package_cost : int, broadcast to (n_nodes,)
        Cents for using a node at all: handling, distance, what must not happen lightly.
    unit_cost : int, broadcast to (n_nodes, n_lines)
        Cents for each unit.
    objective, max_packages, ship_complete, single_node_per_line
        See :class:`SourcingRules`.

    Returns
    -------
    CartPlan
        Among plans of equal worth, the one on earlier nodes (smallest sum of positions).
        ``proven`` says that no better plan exists. It is False only where ten million
        steps of search (about half a second) did not settle it, which happens when dozens
        of nodes must share an order.

    Raises
    ------
    InputError
        If shapes disagree, or numbers are no integers >= 0, or too large to be exact.

    Notes
    -----
    Strategies are costs. Nearest first: the distance as package cost. Same market first:
    a large package cost elsewhere. Fixed order of nodes or distance bands: the rank as
    unit cost, with ``objective="cost"``.

    References
    ----------
    Geoffrion, A. M. (1974), Lagrangean relaxation for integer programming, Mathematical
    Programming Study 2. Polyak, B. T. (1969) for the step length.

    Examples
    --------
    >>> plan = source_cart([2, 1], [[2, 0], [2, 1], [0, 1]], package_cost=[500, 900, 500])
    >>> plan.quantity.tolist(), plan.packages, plan.cost
    ([[0, 0], [2, 1], [0, 0]], 1, 900)
    """
    rules = SourcingRules(objective, max_packages, ship_complete, single_node_per_line)
    wanted = _whole("need", need)
    units = _whole("stock", stock)
    if wanted.ndim != 1 or units.ndim != 2 or units.shape[1] != wanted.shape[0]:
        raise InputError(
            f"need must be (n_lines,) and stock (n_nodes, n_lines), "
            f"got {wanted.shape} and {units.shape}"
        )
    packages = _spread("package_cost", package_cost, (units.shape[0],))
    per_unit = _spread("unit_cost", unit_cost, units.shape)
    check_magnitude(
        int(packages.max(initial=0)), int(per_unit.max(initial=0)), int(wanted.sum()), len(units)
    )
    empty = np.zeros(units.shape, dtype=np.int64)
    return _solve(CartPlan(empty, wanted, units, packages, per_unit, rules, proven=True))


def check_magnitude(package_cost: int, unit_cost: int, units: int, n_nodes: int) -> None:
    """Raise if the kernel's weighted sum of units, packages and cents could overflow."""
    nodes = min(units, n_nodes)
    scale = nodes * n_nodes + 1
    plan = nodes * (package_cost * scale + n_nodes) + unit_cost * scale * units
    if (plan + 1) * (units + 1) >= 2**62:
        raise InputError(
            f"{units} units at up to {package_cost} cents a package and {unit_cost} cents a unit "
            "are too large to be compared exactly; give costs or quantities in larger units"
        )


def money(cents: int) -> str:
    """Return cents as units of money: 1850 is 18.50."""
    return f"{cents // 100}.{cents % 100:02d}"


def _solve(plan: CartPlan) -> CartPlan:
    """Return ``plan`` with the best quantities for its question."""
    rules = plan.rules
    quantity = np.zeros_like(plan.stock)
    proven = True
    if quantity.size:
        most = len(plan.stock) if rules.max_packages is None else rules.max_packages
        proven = plan_cart_into(
            quantity,
            plan.need,
            plan.stock,
            plan.package_cost,
            plan.unit_cost,
            most,
            rules.packages_first,
            rules.single_node_per_line,
            rules.ship_complete,
            MAX_STEPS,
        )
    return replace(plan, quantity=quantity, proven=bool(proven))


def _rank(plan: CartPlan) -> tuple[int, int, int]:
    return -plan.filled, plan.packages if plan.rules.packages_first else 0, plan.cost


def _headline(plan: CartPlan) -> str:
    units = f"{plan.filled} of {_count(int(plan.need.sum()), 'unit')}"
    return f"{units} in {_count(plan.packages, 'package')} for {money(plan.cost)}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _whole(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise InputError(f"{name} must hold integers, got {array.dtype}")
    whole = np.require(array, dtype=np.int64, requirements=["C", "W"])
    if whole.size and (whole.min() < 0 or whole.max() > 2**40):
        raise InputError(f"{name} must lie in 0..2**40, got {whole.min()}..{whole.max()}")
    return whole


def _spread(name: str, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    whole = _whole(name, values)
    try:
        spread = np.broadcast_to(whole, shape)
    except ValueError as error:
        raise InputError(f"{name} of shape {whole.shape} does not fit {shape}") from error
    return np.require(spread, requirements=["C", "W"])
