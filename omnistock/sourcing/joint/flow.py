"""Orders of one line each: the cheapest flow of units from stock to customers.

Axes as in :mod:`.flow_kernels`. Lines that no plan can tell apart but by their penalty form a
class. Units flow from classes to stockpoints, from there to nodes and on, or stay unfilled. If
all lines take equally many units, the cheapest flow is a cheapest plan, because the network's
matrix is totally unimodular (Hoffman and Kruskal 1956). If not, a flow may split a line, and
what it costs is a bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnistock.sourcing.joint.evaluate import evaluate
from omnistock.sourcing.joint.exact import ExactPlan
from omnistock.sourcing.joint.flow_kernels import class_arcs_into, place_into
from omnistock.sourcing.joint.part import part_of, taken_by
from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["is_flow", "solve_flow"]

# Beyond, costs per unit would need too many digits, or the network too much memory.
_MOST_SCALE = 60
_MOST_ARCS = 10_000_000


@dataclass(frozen=True)
class _Classes:
    """Classes of equal lines: ``lines`` of class ``c`` are ``offsets[c]:offsets[c + 1]``.

    Within a class what must ship comes first, then the dearest penalty.
    """

    lines: np.ndarray
    offsets: np.ndarray
    units: np.ndarray
    arc_offsets: np.ndarray
    arc_point: np.ndarray
    arc_cost: np.ndarray


@dataclass(frozen=True)
class _Network:
    """Arcs of the flow: those of the classes, of unfilled lines, of stockpoints, of nodes."""

    tail: np.ndarray
    head: np.ndarray
    capacity: np.ndarray
    cost: np.ndarray
    supply: np.ndarray


def is_flow(problem: SourcingProblem) -> bool:
    """Whether all orders have one line of one SKU at most, in units that can share a flow."""
    size = np.diff(problem.order_offsets)
    if size.max(initial=0) > 1 or len(problem.part_sku) != problem.n_lines:
        return False
    asked = np.bincount(problem.part_sku, minlength=problem.n_skus)
    # Classes differ in the region, if not in more.
    pairs = np.minimum(asked, problem.n_regions) @ np.diff(problem.stock_offsets)
    same = np.array_equal(problem.part_units, problem.line_units)
    return bool(same and pairs <= _MOST_ARCS and 0 < _scale(problem) <= _MOST_SCALE)


def _scale(problem: SourcingProblem) -> int:
    """The least number that all units divide."""
    return int(np.lcm.reduce(np.unique(problem.line_units), initial=1))


def solve_flow(problem: SourcingProblem) -> ExactPlan:
    """Plan a batch for which :func:`is_flow` holds.

    Returns
    -------
    ExactPlan
        Proven if all lines take equally many units. If not, the flow is the bound, and the
        lines that it splits are sent whole as well as it goes; no plan is given if that
        leaves something that must ship.

    Examples
    --------
    >>> problem = SourcingProblem.build(
    ...     package_cost=[[500, 900]], unit_cost=[[10, 10]], n_skus=1,
    ...     stock=([0, 1], [0, 0], [1, 5]), order_region=[0, 0], order_offsets=[0, 1, 2],
    ...     line_units=[1, 1], line_penalty=[2000, 900],
    ...     part_offsets=[0, 1, 2], part_sku=[0, 0], part_units=[1, 1])
    >>> plan = solve_flow(problem)
    >>> plan.assigned.tolist(), plan.cost, plan.proven
    ([0, -1], 1410, True)
    """
    from ortools.graph.python import min_cost_flow

    classes = _classes_of(problem)
    sizes = np.unique(problem.line_units)
    # Whole lines flow where all are of one size, units where not.
    chunk = int(sizes[0]) if len(sizes) == 1 else 1
    scale = 1 if len(sizes) <= 1 else _scale(problem)
    network = _network_of(problem, classes, chunk, scale)
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        network.tail, network.head, network.capacity, network.cost
    )
    flow.set_nodes_supplies(np.arange(len(network.supply)), network.supply)
    status = flow.solve()
    if status == flow.INFEASIBLE:
        return ExactPlan(None, None, None, True)
    assert status == flow.OPTIMAL, f"flow of {len(arcs)} arcs ended with {status}"
    units = flow.flows(arcs[: len(classes.arc_point)]) * chunk
    assigned = _whole_lines(problem, classes, units)
    bound = -(-flow.optimal_cost() // scale)
    if len(sizes) > 1 and np.any(_split(classes, units)):
        assigned = _unsplit(problem, classes, units, assigned)
    plan = evaluate(problem, assigned)
    if not plan.feasible:
        assert set(plan.violations) == {"must_ship"}
        return ExactPlan(None, None, bound, False)
    return ExactPlan(assigned, plan.cost, bound, plan.cost == bound)


def _classes_of(problem: SourcingProblem) -> _Classes:
    order = problem.line_order
    must = problem.must_ship[order]
    keys = (
        problem.part_sku,
        problem.order_region[order],
        problem.order_group[order],
        problem.line_node,
        problem.line_weight,
        problem.line_units,
    )
    lines = np.lexsort((-problem.line_penalty, ~must, *keys[::-1]))
    ordered = np.stack([key[lines] for key in keys])
    starts = np.flatnonzero(np.any(np.diff(ordered, axis=1) != 0, axis=0)) + 1
    offsets = np.concatenate([[0], starts, [len(lines)]]) if len(lines) else np.zeros(1, np.int64)
    first = lines[offsets[:-1]]
    most = int(np.diff(problem.stock_offsets)[problem.part_sku[first]].sum())
    limit = np.where(must, np.iinfo(np.int64).max, problem.line_penalty)
    arc_offsets = np.zeros(len(first) + 1, np.int64)
    point, cost = np.empty(most, np.int64), np.empty(most, np.int64)
    end = class_arcs_into(
        point,
        cost,
        arc_offsets,
        first,
        problem.package_cost,
        problem.unit_cost,
        problem.node_capacity,
        problem.stock_offsets,
        problem.stock_node,
        problem.stock_units,
        problem.stock_value,
        problem.order_region[order],
        problem.order_group[order],
        problem.allowed,
        problem.line_units,
        problem.line_weight,
        problem.line_node,
        problem.part_sku,
        limit,
    )
    units = problem.line_units[first]
    return _Classes(lines, offsets, units, arc_offsets, point[:end], cost[:end])


def _network_of(problem: SourcingProblem, classes: _Classes, chunk: int, scale: int) -> _Network:
    """Vertices are classes, then stockpoints, then nodes, then the sink."""
    n_classes, n_points = len(classes.units), len(problem.stock_units)
    sink = n_classes + n_points + problem.n_nodes
    owner = _owner(classes)
    member = np.repeat(np.arange(n_classes), np.diff(classes.offsets))
    step = classes.units // chunk
    supply = np.diff(classes.offsets) * step
    may_stay = ~problem.must_ship[problem.line_order[classes.lines]]
    stays, penalty = member[may_stay], problem.line_penalty[classes.lines[may_stay]]
    points = n_classes + np.arange(n_points)
    nodes = n_classes + n_points + np.arange(problem.n_nodes)
    stock, room = problem.stock_units // chunk, problem.node_capacity // chunk
    room = np.minimum(room, supply.sum())
    most = np.minimum(supply[owner], stock[classes.arc_point] // step[owner] * step[owner])
    none = np.zeros(n_points + problem.n_nodes, np.int64)
    return _Network(
        tail=np.concatenate([owner, stays, points, nodes]),
        head=np.concatenate(
            [
                n_classes + classes.arc_point,
                np.full(len(stays), sink),
                n_classes + n_points + problem.stock_node,
                np.full(len(nodes), sink),
            ]
        ),
        capacity=np.concatenate([most, step[stays], np.minimum(stock, supply.sum()), room]),
        cost=np.concatenate(
            [
                classes.arc_cost * (scale // step[owner]),
                penalty * (scale // step[stays]),
                none,
            ]
        ),
        supply=np.concatenate([supply, none, [-supply.sum()]]),
    )


def _owner(classes: _Classes) -> np.ndarray:
    """Class of every arc."""
    return np.repeat(np.arange(len(classes.units)), np.diff(classes.arc_offsets))


def _whole_lines(problem: SourcingProblem, classes: _Classes, flow: np.ndarray) -> np.ndarray:
    """Give every class's lines, dearest first, to its arcs, as far as they carry whole ones."""
    owner = _owner(classes)
    whole = flow // classes.units[owner]
    sent = np.bincount(owner, whole, len(classes.units)).astype(np.int64)
    # The n-th line sent of a class takes the n-th place that its arcs offer.
    place = np.repeat(problem.stock_node[classes.arc_point], whole)
    within = np.arange(len(place)) - np.repeat(np.cumsum(sent) - sent, sent)
    assigned = np.full(problem.n_lines, -1)
    assigned[classes.lines[np.repeat(classes.offsets[:-1], sent) + within]] = place
    return assigned


def _split(classes: _Classes, flow: np.ndarray) -> np.ndarray:
    """Whether an arc carries a part of a line, (n_arcs,) bool."""
    return np.asarray(flow % classes.units[_owner(classes)] > 0)


def _unsplit(
    problem: SourcingProblem, classes: _Classes, flow: np.ndarray, assigned: np.ndarray
) -> np.ndarray:
    """Plan without split lines: those of more units first, then a flow of all the smallest.

    A split line goes to one of the nodes that it flows from, which are those that prices
    make the cheapest for it, before the smallest lines can take what it needs.
    """
    smallest = problem.line_units.min()
    assigned = np.where(problem.line_units == smallest, -1, assigned)
    carries = classes.arc_cost.copy()
    carries[flow == 0] = np.iinfo(np.int64).max
    big = problem.line_units > smallest
    assigned = _placed(problem, classes, assigned, big, carries)
    taken, load = taken_by(problem, assigned)
    orders = problem.line_order[~big]
    part, lines = part_of(
        problem, orders, problem.stock_units - taken, problem.node_capacity - load
    )
    plan = solve_flow(part)
    if plan.assigned is not None:
        assigned[lines] = plan.assigned
    return _placed(problem, classes, assigned, np.ones(problem.n_lines, np.bool_), classes.arc_cost)


def _placed(
    problem: SourcingProblem,
    classes: _Classes,
    assigned: np.ndarray,
    wanted: np.ndarray,
    arc_cost: np.ndarray,
) -> np.ndarray:
    """Send unfilled lines that are wanted from what is left, dearest first."""
    member = np.repeat(np.arange(len(classes.units)), np.diff(classes.offsets))
    left = np.flatnonzero(wanted[classes.lines] & (assigned[classes.lines] < 0))
    must = problem.must_ship[problem.line_order]
    limit = np.where(must, np.iinfo(np.int64).max, problem.line_penalty)
    first = left[np.argsort(-limit[classes.lines[left]], kind="stable")]
    taken, load = taken_by(problem, assigned)
    assigned = assigned.copy()
    place_into(
        assigned,
        classes.lines[first],
        member[first],
        limit,
        classes.arc_offsets,
        classes.arc_point,
        arc_cost,
        classes.units,
        problem.stock_node,
        problem.stock_units - taken,
        problem.node_capacity - load,
    )
    return assigned
