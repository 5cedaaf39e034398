"""Strategies from their definition: every way to split a small order, compared level by level."""

from __future__ import annotations

from itertools import product


def splits_of(need, stock):
    """All quantity matrices [node][line] within stock and need."""
    n_nodes, n_lines = len(stock), len(need)
    columns = []
    for line in range(n_lines):
        ranges = [range(min(need[line], stock[n][line]) + 1) for n in range(n_nodes)]
        columns.append([one for one in product(*ranges) if sum(one) <= need[line]])
    for chosen in product(*columns):
        yield [[chosen[line][n] for line in range(n_lines)] for n in range(n_nodes)]


def place_by(tuples):
    """Place of every entry among the different ones."""
    order = sorted(set(tuples))
    return [order.index(one) for one in tuples]


def key_of(criteria, node_figures, quantity):
    """Units sent (negative), then one total for each level.

    ``criteria`` are names; ``node_figures[name][n]`` is the figure of a node, or of a node and
    line. ``cost`` has (cents a package, cents a unit).
    """
    n_nodes, n_lines = len(quantity), len(quantity[0])
    used = [n for n in range(n_nodes) if any(quantity[n])]
    levels = [-sum(map(sum, quantity))]
    ranking = []

    def close(last):
        if not ranking:
            return
        total = 0
        for line in range(n_lines):
            rows = []
            for n in range(n_nodes):
                row = [_at(node_figures[name], n, line) for name in ranking]
                rows.append(tuple([*row, n] if last == "priority" else row))
            places = place_by(rows)
            total += sum(places[n] * quantity[n][line] for n in range(n_nodes))
        levels.append(total)
        ranking.clear()

    counted = False
    before = None
    for name in criteria:
        if name in ("packages", "cost") or counted:
            close(before)
        if name == "packages":
            counted = True
            levels.append(len(used))
        elif name == "cost":
            package, unit = node_figures["cost"]
            units = sum(unit[n] * sum(quantity[n]) for n in used)
            levels.append(sum(package[n] for n in used) + units)
        elif counted:
            levels.append(sum(node_figures[name][n] for n in used))
        else:
            ranking.append(name)
        before = name
    close(before)
    return tuple(levels)


def _at(figure, n, line):
    return figure[n][line] if isinstance(figure[n], list) else figure[n]


def best_key(criteria, node_figures, need, stock, *, max_packages, complete, single, capacity):
    """The smallest key of all plans that are allowed."""
    keys = []
    for quantity in splits_of(need, stock):
        used = [row for row in quantity if any(row)]
        filled = [sum(row[line] for row in quantity) for line in range(len(need))]
        senders = [sum(1 for row in quantity if row[line]) for line in range(len(need))]
        if max_packages is not None and len(used) > max_packages:
            continue
        if complete and any(filled) and filled != list(need):
            continue
        if single and max(senders, default=0) > 1:
            continue
        if any(0 <= most < sum(row) for most, row in zip(capacity, quantity, strict=True)):
            continue
        keys.append(key_of(criteria, node_figures, quantity))
    return min(keys)
