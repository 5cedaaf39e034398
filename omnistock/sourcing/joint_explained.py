"""What an order of a joint plan costs, and what else there was."""

from __future__ import annotations

import numpy as np

from omnistock.sourcing.cart import money
from omnistock.sourcing.joint.evaluate import Evaluation, evaluate
from omnistock.sourcing.joint.part import part_of, taken_by
from omnistock.sourcing.joint.problem import SourcingProblem
from omnistock.sourcing.joint.solve import solve
from omnistock.sourcing.joint_tables import Batch

__all__ = ["explained"]

# One order is planned in milliseconds; the limit is for what nobody has thought of.
_SECONDS = 10.0


def explained(batch: Batch, assigned: np.ndarray, order: int, name: str) -> str:
    """Return the lines of an explanation; ``order`` is its number in the problem."""
    problem = batch.problem
    start, stop = problem.order_offsets[order], problem.order_offsets[order + 1]
    others = assigned.copy()
    others[start:stop] = -1
    taken, load = taken_by(problem, others)
    part, _ = part_of(
        problem, np.array([order]), problem.stock_units - taken, problem.node_capacity - load
    )
    here = evaluate(part, assigned[start:stop])
    lines = [f"{name}: {_headline(here)}"]
    for node in np.unique(assigned[start:stop][assigned[start:stop] >= 0]).tolist():
        lines.append(f"  {batch.nodes[node]}: {_contents(batch, assigned, start, stop, node)}")
    if here.unfilled_lines:
        lines.append(f"  nobody: {_contents(batch, assigned, start, stop, -1)}")
    lines.append(f"  {_terms(here)}")
    lines += _runner_up(batch, part, assigned[start:stop], here.cost)
    lines += _alone(batch, order, here.cost)
    return "\n".join(lines)


def _headline(plan: Evaluation) -> str:
    packages = f"{plan.packages} package{'' if plan.packages == 1 else 's'}"
    unfilled = f", {plan.unfilled_lines} unfilled" if plan.unfilled_lines else ""
    return f"{packages}{unfilled} for {money(plan.cost)}"


def _contents(batch: Batch, assigned: np.ndarray, start: int, stop: int, node: int) -> str:
    rows = batch.rows[start:stop][assigned[start:stop] == node]
    quantity = batch.quantity[start:stop][assigned[start:stop] == node]
    skus = batch.requests["sku"][rows]
    return ", ".join(f"{units} x {sku}" for units, sku in zip(quantity, skus, strict=True))


def _terms(plan: Evaluation) -> str:
    terms = (
        ("packages", plan.package_cost),
        ("units", plan.unit_cost),
        ("stock value", plan.stock_value),
        ("unfilled", plan.unfilled_cost),
    )
    return ", ".join(f"{name} {money(cents)}" for name, cents in terms if cents) or "at no cost"


def _runner_up(batch: Batch, part: SourcingProblem, chosen: np.ndarray, cost: int) -> list[str]:
    """The cheapest way without one of the order's nodes, from what the others leave."""
    best: tuple[int, int, Evaluation] | None = None
    used = np.unique(chosen[chosen >= 0]).tolist()
    for node in used:
        units = np.where(part.stock_node == node, 0, part.stock_units)
        other, _ = part_of(part, np.array([0]), units, part.node_capacity)
        plan = solve(other, time_limit_s=_SECONDS, threads=1)
        if plan.assigned is None:
            continue
        found = evaluate(part, plan.assigned)
        if best is None or (found.cost, node) < best[:2]:
            best = (found.cost, node, found)
    if best is None:
        return ["it must ship, and no other nodes can send it"] if used else []
    more = money(abs(best[0] - cost))
    side = "more" if best[0] >= cost else "less"
    return [f"without {batch.nodes[best[1]]}: {_headline(best[2])}, {more} {side}"]


def _alone(batch: Batch, order: int, cost: int) -> list[str]:
    """What the order would cost if no other wanted anything, if that is less."""
    problem = batch.problem
    part = part_of(problem, np.array([order]), problem.stock_units, problem.node_capacity)[0]
    plan = solve(part, time_limit_s=_SECONDS, threads=1)
    if plan.assigned is None or plan.cost is None or plan.cost >= cost:
        return []
    nodes = ", ".join(batch.nodes[node] for node in np.unique(plan.assigned) if node >= 0)
    return [f"alone {money(plan.cost)}, from {nodes}; others have what that takes"]
