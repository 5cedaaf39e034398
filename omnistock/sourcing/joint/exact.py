"""Batches of up to about a thousand lines, solved as one integer program."""

from __future__ import annotations

import datetime
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from omnistock.sourcing.joint.choices import Arcs, list_arcs, prune
from omnistock.sourcing.joint.evaluate import evaluate
from omnistock.sourcing.joint.problem import SourcingProblem
from omnistock.sourcing.joint.program import Program, program_of

__all__ = ["ExactPlan", "solve_exactly"]

# Bounds of the solver are floats: so much of them may be rounding.
_TOLERANCE = 1e-7


@dataclass(frozen=True)
class ExactPlan:
    """What an integer program says of a batch.

    Attributes
    ----------
    assigned : (n_lines,) int64 or None
        Node of every line, -1 unfilled; None if no plan was found.
    cost : int or None
        Cents, recomputed from ``assigned``.
    bound : int or None
        No plan costs less, in cents; None if there is no plan at all.
    proven : bool
        Whether ``assigned`` is a cheapest plan, or it is proven that there is none.
    """

    assigned: np.ndarray | None
    cost: int | None
    bound: int | None
    proven: bool


def solve_exactly(
    problem: SourcingProblem,
    *,
    time_limit_s: float,
    start: np.ndarray | None = None,
    bound: int = 0,
    gap: float = 0.0,
    seed: int = 0,
) -> ExactPlan:
    """Solve a batch as one integer program.

    Parameters
    ----------
    problem : SourcingProblem
    time_limit_s : float
        Seconds, with those that it takes to set up the program.
    start : (n_lines,) int64, optional
        A feasible plan to start from; good ones save most of the work.
    bound : int
        What no plan costs less than, if known, cents.
    gap : float
        Stop when cost is within this share of the bound.
    seed : int

    Returns
    -------
    ExactPlan
        Never worse than ``start``.
    """
    end = time.monotonic() + time_limit_s
    known = None if start is None else evaluate(problem, start).cost
    arcs = prune(problem, list_arcs(problem))
    served = np.bincount(arcs.line, minlength=problem.n_lines) > 0
    if np.any(problem.must_ship[problem.line_order] & ~served):
        return ExactPlan(None, None, None, True)
    if not len(arcs.line):
        none = np.full(problem.n_lines, -1)
        cost = evaluate(problem, none).cost
        return ExactPlan(none, cost, cost, True)
    program = program_of(problem, arcs)
    hint = None if start is None else _values(problem, arcs, program, start)
    result = _run(program, hint, end=end, gap=gap, seed=seed)
    return _plan(problem, arcs, result, start, known, bound)


def _values(
    problem: SourcingProblem, arcs: Arcs, program: Program, start: np.ndarray
) -> np.ndarray:
    """Columns of a plan; lines on arcs that were left out stay unfilled."""
    values = np.zeros(len(program.cost))
    chosen = np.asarray(start)[arcs.line] == arcs.node
    values[: len(arcs.line)] = chosen
    values[program.package[chosen & (program.package >= 0)]] = 1
    whole = program.whole[problem.line_order[arcs.line[chosen]]]
    values[whole[whole >= 0]] = 1
    return values


def _run(
    program: Program,
    hint: np.ndarray | None,
    *,
    end: float,
    gap: float,
    seed: int,
) -> tuple[Any, np.ndarray | None]:
    """What the solver says, and the columns that it found."""
    from ortools.math_opt import model_pb2
    from ortools.math_opt.python import mathopt

    columns = np.arange(len(program.cost))
    proto = model_pb2.ModelProto()
    proto.variables.ids.extend(columns)
    proto.variables.lower_bounds.extend(np.zeros(len(columns)))
    proto.variables.upper_bounds.extend(np.ones(len(columns)))
    proto.variables.integers.extend(np.ones(len(columns), np.bool_))
    proto.objective.offset = program.constant
    proto.objective.linear_coefficients.ids.extend(columns)
    proto.objective.linear_coefficients.values.extend(program.cost)
    proto.linear_constraints.ids.extend(np.arange(len(program.low)))
    proto.linear_constraints.lower_bounds.extend(program.low)
    proto.linear_constraints.upper_bounds.extend(program.high)
    matrix = program.matrix
    matrix.sort_indices()
    entries = proto.linear_constraint_matrix
    entries.row_ids.extend(np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)))
    entries.column_ids.extend(matrix.indices)
    entries.coefficients.extend(matrix.data)
    model = mathopt.Model.from_model_proto(proto)
    wanted = mathopt.ModelSolveParameters()
    if hint is not None:
        values = dict(zip(model.variables(), hint.tolist(), strict=True))
        wanted.solution_hints.append(mathopt.SolutionHint(variable_values=values))
    left = max(end - time.monotonic(), 0.05)
    parameters = mathopt.SolveParameters(
        time_limit=datetime.timedelta(seconds=left),
        relative_gap_tolerance=gap,
        # All costs are integers, so less than one cent is nothing.
        absolute_gap_tolerance=0.5,
        # Parts planned anew find better plans than the solver's own heuristics, which take
        # most of its time.
        heuristics=mathopt.Emphasis.LOW,
        random_seed=seed,
    )
    result = mathopt.solve(model, mathopt.SolverType.GSCIP, params=parameters, model_params=wanted)
    found = None
    if result.has_primal_feasible_solution():
        found = np.array(result.variable_values(list(model.variables()))) > 0.5
    return result, found


def _plan(
    problem: SourcingProblem,
    arcs: Arcs,
    result: tuple[Any, np.ndarray | None],
    start: np.ndarray | None,
    known: int | None,
    bound: int,
) -> ExactPlan:
    from ortools.math_opt.python import mathopt

    outcome, values = result
    reason = outcome.termination.reason
    if reason in (
        mathopt.TerminationReason.INFEASIBLE,
        mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED,
    ):
        assert start is None, "a plan was known, so the program cannot be infeasible"
        return ExactPlan(None, None, None, True)
    best, cost = (None, None) if start is None else (np.asarray(start), known)
    if values is not None:
        assigned = np.full(problem.n_lines, -1)
        chosen = values[: len(arcs.line)]
        assigned[arcs.line[chosen]] = arcs.node[chosen]
        checked = evaluate(problem, assigned)
        if checked.feasible and (cost is None or checked.cost < cost):
            best, cost = assigned, checked.cost
    least = outcome.best_objective_bound()
    if math.isfinite(least):
        bound = max(bound, math.ceil(least - _TOLERANCE * max(1.0, abs(least))))
    if cost is not None:
        bound = min(bound, cost)
    return ExactPlan(best, cost, bound, cost is not None and bound == cost)
