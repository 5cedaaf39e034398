"""Totals of a re-promising run, level by level, as integer programs."""

from __future__ import annotations

from ortools.sat.python import cp_model


def best_totals(requested, confirmed, strategy, balances, due):
    """Most units that each level can have once the levels before it have their most.

    Levels, with what each counts: gain up to what it had, win, gain, improve up to what it
    had, improve, redistribute, fill up to what it had.
    """
    n = len(requested)
    had = [min(confirmed[i], requested[i]) for i in range(n)]
    model = cp_model.CpModel()
    given = []
    secured = []
    for i in range(n):
        most = {"lose": 0, "skip": 0, "fill": had[i]}.get(strategy[i], requested[i])
        given.append(model.new_int_var(0, most, f"given{i}"))
        secured.append(model.new_int_var(0, had[i], f"secured{i}"))
        model.add(secured[i] <= given[i])
    for u, balance in enumerate(balances):
        # Lines that are skipped keep theirs; what is left, if anything, bounds the others.
        fixed = sum(confirmed[i] for i in range(n) if strategy[i] == "skip" and due[i] <= u)
        before = [given[i] for i in range(n) if due[i] <= u and strategy[i] != "skip"]
        if before:
            model.add(sum(before) <= max(balance - fixed, 0))
    totals = []
    for name, what in (
        ("gain", secured),
        ("win", given),
        ("gain", given),
        ("improve", secured),
        ("improve", given),
        ("redistribute", given),
        ("fill", given),
    ):
        level = sum(what[i] for i in range(n) if strategy[i] == name)
        if isinstance(level, int):
            totals.append(0)
            continue
        model.maximize(level)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        assert solver.solve(model) == cp_model.OPTIMAL
        totals.append(int(solver.objective_value))
        model.add(level == totals[-1])
    return totals
