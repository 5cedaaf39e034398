"""The best plan for a cart from its definition: all sets of nodes, and as an integer program."""

from __future__ import annotations

from itertools import combinations, product

from ortools.sat.python import cp_model


def line_options(need, stock, cost, nodes, whole):
    """All (units, cents, used nodes) of one line from ``nodes``, every split tried."""
    ranges = [range(min(need, stock[n]) + 1) for n in nodes]
    for split in product(*ranges):
        used = [n for n, units in zip(nodes, split, strict=True) if units]
        if sum(split) <= need and not (whole and len(used) > 1):
            cents = sum(units * cost[n] for n, units in zip(nodes, split, strict=True))
            yield sum(split), cents


def best_by_enumeration(need, stock, package_cost, unit_cost, rules):
    """Return units unfilled, packages (0 if they do not count) and cents of the best plan."""
    n_nodes = len(stock)
    most = min(rules.max_packages or n_nodes, n_nodes)
    plans = []
    for size in range(most + 1):
        for nodes in combinations(range(n_nodes), size):
            units = 0
            cents = sum(package_cost[n] for n in nodes)
            for line, wanted in enumerate(need):
                options = line_options(
                    wanted,
                    [row[line] for row in stock],
                    [row[line] for row in unit_cost],
                    nodes,
                    rules.single_node_per_line,
                )
                short, line_cents = min((-filled, spent) for filled, spent in options)
                units -= short
                cents += line_cents
            plans.append((sum(need) - units, size if rules.packages_first else 0, cents))
    best = min(plans)
    if rules.ship_complete and best[0]:
        return sum(need), 0, 0
    return best


def best_set_of_nodes(need, stock, package_cost, unit_cost, rules):
    """Unfilled, packages, cents and sum of node positions of the best set, all sets tried."""
    n_nodes = len(stock)
    most = min(rules.max_packages or n_nodes, n_nodes)
    keys = []
    for size in range(most + 1):
        for nodes in combinations(range(n_nodes), size):
            cents = sum(package_cost[n] for n in nodes)
            left = list(need)
            for line in range(len(need)):
                for n in sorted(nodes, key=lambda n, line=line: unit_cost[n][line]):
                    units = min(left[line], stock[n][line])
                    left[line] -= units
                    cents += units * unit_cost[n][line]
            keys.append((sum(left), size if rules.packages_first else 0, cents, sum(nodes) + size))
    return min(keys)


def best_by_cp_sat(need, stock, package_cost, unit_cost, rules):
    """The same by three integer programs in a row, each fixing what the one before found."""
    model = cp_model.CpModel()
    nodes, lines = range(len(stock)), range(len(need))
    sends = [model.new_bool_var(f"y{n}") for n in nodes]
    units = {}
    for n in nodes:
        for line in lines:
            top = min(stock[n][line], need[line])
            units[n, line] = model.new_int_var(0, top, f"x{n}_{line}")
            model.add(units[n, line] <= top * sends[n])
    for line in lines:
        model.add(sum(units[n, line] for n in nodes) <= need[line])
        if rules.single_node_per_line:
            chosen = [model.new_bool_var(f"z{n}_{line}") for n in nodes]
            model.add_at_most_one(chosen)
            for n in nodes:
                model.add(units[n, line] <= need[line] * chosen[n])
    if rules.max_packages:
        model.add(sum(sends) <= rules.max_packages)

    unfilled = sum(need) - sum(units.values())
    packages = sum(sends)
    cents = sum(package_cost[n] * sends[n] for n in nodes)
    cents += sum(unit_cost[n][line] * units[n, line] for n in nodes for line in lines)
    found = []
    for goal in (unfilled, packages if rules.packages_first else 0, cents):
        model.minimize(goal)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        assert solver.solve(model) == cp_model.OPTIMAL
        found.append(round(solver.objective_value))
        model.add(goal == found[-1])
    if rules.ship_complete and found[0]:
        return sum(need), 0, 0
    return tuple(found)
