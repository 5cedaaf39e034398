"""Transfers from their definition: unit by unit in floats, with a general solver."""

from __future__ import annotations

from ortools.linear_solver import pywraplp

from omnistock.numerics.demand import DemandDistribution


def expected_sales(mean, variance, units):
    """E[min(D, units)] from survival probabilities, summed unit by unit."""
    demand = DemandDistribution.from_moments([mean], [variance])
    if units <= 0:
        return float(units)
    return sum(float(demand.sf([k])[0]) for k in range(units))


def best_net(problem):
    """Most that any plan earns over moving nothing, in cents; trucks and capacities kept."""
    solver = pywraplp.Solver.CreateSolver("SCIP")
    solver.SetSolverSpecificParametersAsString("limits/gap = 0\nnumerics/feastol = 1e-9")
    places = list(zip(problem["sku"], problem["node"], problem["on_hand"], strict=True))
    index = {(i, k): p for p, (i, k, _) in enumerate(places)}
    out = {p: [] for p in range(len(places))}
    into = {p: [] for p in range(len(places))}
    cost, volumes = [], [[] for _ in problem["lanes"]]
    for number, lane in enumerate(problem["lanes"]):
        for i in set(problem["sku"]):
            if (i, lane["from"]) in index and (i, lane["to"]) in index:
                p, q = index[i, lane["from"]], index[i, lane["to"]]
                pack = problem["pack"][i]
                x = solver.IntVar(0, max(problem["on_hand"][p], 0) // pack, "")
                out[p].append(pack * x)
                into[q].append(pack * x)
                cost.append(pack * lane["freight"] * x)
                volumes[number].append(pack * problem["volume"][i] * x)
        if lane["capacity"] >= 0:
            solver.Add(sum(volumes[number]) <= lane["capacity"])
        if lane["truck"]:
            trucks = solver.IntVar(0, 50 if lane["trucks"] < 0 else lane["trucks"], "")
            solver.Add(sum(volumes[number]) <= lane["truck"] * trucks)
            cost.append(lane["truck_cents"] * trucks)
    worth, at_home = [], 0.0
    for p, (i, _, held) in enumerate(places):
        solver.Add(sum(out[p]) <= max(held, 0))
        most = sum(max(units, 0) for one, _, units in places if one == i)
        lowest = min(held, 0)
        used = []
        for level in range(lowest, most):
            gain = expected_sales(problem["mean"][p], problem["variance"][p], level + 1)
            gain -= expected_sales(problem["mean"][p], problem["variance"][p], level)
            unit = solver.NumVar(0, 1, "")
            used.append(unit)
            worth.append(problem["margin"][p] * gain * unit)
            if level < held:
                at_home += problem["margin"][p] * gain
        solver.Add(sum(used) <= held - lowest - sum(out[p]) + sum(into[p]))
    solver.Maximize(sum(worth) - sum(cost))
    assert solver.Solve() == pywraplp.Solver.OPTIMAL
    return solver.Objective().Value() - at_home
