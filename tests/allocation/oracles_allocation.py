"""Division of scarce units from its definition: in fractions, and as a lexicographic LP."""

from __future__ import annotations

from fractions import Fraction

from ortools.linear_solver import pywraplp


def clipped(level, lower, upper, weight):
    return [
        min(max(level * w, Fraction(low)), Fraction(high))
        for low, high, w in zip(lower, upper, weight, strict=True)
    ]


def exact_shares(amount, lower, upper, weight):
    """Walk up the levels at which somebody starts or stops to rise until the sum is reached."""
    steps = sorted(
        {Fraction(0)}
        | {Fraction(bound, w) for bound, w in zip(lower, weight, strict=True)}
        | {Fraction(bound, w) for bound, w in zip(upper, weight, strict=True)}
    )
    for below, above in zip(steps, [*steps[1:], steps[-1] + 1], strict=True):
        start = sum(clipped(below, lower, upper, weight))
        end = sum(clipped(above, lower, upper, weight))
        if start <= amount <= end:
            share = Fraction(0) if end == start else (amount - start) / (end - start)
            return clipped(below + share * (above - below), lower, upper, weight)
    raise AssertionError("the amount lies outside the bounds")


def whole_shares(amount, lower, upper, weight):
    """Round exact shares: unit by unit to the largest remainder, the first of equals."""
    exact = exact_shares(amount, lower, upper, weight)
    shares = [int(one) for one in exact]
    behind = [one - int(one) for one in exact]
    while sum(shares) < amount:
        lucky = behind.index(max(behind))
        shares[lucky] += 1
        behind[lucky] = Fraction(-1)
    return shares


def share_tier(amount, lower, upper, weight, basis, proportional):
    """Divide among weighted members, then among those of weight 0."""
    base = list(lower)
    if proportional:
        upper = [high - low for high, low in zip(upper, lower, strict=True)]
        lower = [0] * len(upper)
    else:
        amount += sum(lower)
    shares = list(lower)
    members = [c for c, w in enumerate(weight) if w > 0]
    idle = [c for c, w in enumerate(weight) if w == 0]
    for_members = min(amount - sum(lower[c] for c in idle), sum(upper[c] for c in members))
    for group, units, factor in (
        (members, for_members, [weight[c] * basis[c] for c in members]),
        (idle, amount - for_members, [basis[c] for c in idle]),
    ):
        if group:
            part = whole_shares(units, [lower[c] for c in group], [upper[c] for c in group], factor)
            for c, share in zip(group, part, strict=True):
                shares[c] = share
    return (
        [share + low for share, low in zip(shares, base, strict=True)] if proportional else shares
    )


def pour(left, floor, ceiling, basis, weight, tier, proportional, divide=share_tier):
    granted = list(floor)
    for current in sorted(set(tier)):
        members = [c for c, one in enumerate(tier) if one == current and ceiling[c] > 0]
        room = sum(ceiling[c] - floor[c] for c in members)
        if room <= left:
            for c in members:
                granted[c] = ceiling[c]
            left -= room
            continue
        shares = divide(
            left,
            [floor[c] for c in members],
            [ceiling[c] for c in members],
            [weight[c] for c in members],
            [basis[c] for c in members],
            proportional,
        )
        for c, share in zip(members, shares, strict=True):
            granted[c] = share
        break
    return granted


def grants(supply, requested, guarantee, weight, tier, pack, rule, divide=share_tier):
    """Grants of one SKU in packs times pack; ``divide`` shares one tier."""
    packs = supply // pack
    ceiling = [one // pack for one in requested]
    floor = [min(-(-g // pack), c) for g, c in zip(guarantee, ceiling, strict=True)]
    basis = list(requested) if rule == "fill_rate" else [1] * len(requested)
    if sum(ceiling) <= packs:
        return [one * pack for one in ceiling]
    if sum(floor) > packs:
        ceiling, floor = floor, [0] * len(floor)
        basis = list(ceiling) if rule == "fill_rate" else basis
    poured = pour(
        packs - sum(floor), floor, ceiling, basis, weight, tier, rule == "proportional", divide
    )
    return [one * pack for one in poured]


def max_min_by_lp(amount, lower, upper, weight):
    """Lexicographic max-min of ``x / weight``: solve, fix those who block, solve again."""
    n = len(weight)
    fixed = {}
    while len(fixed) < n:
        solver = pywraplp.Solver.CreateSolver("GLOP")
        level = solver.NumVar(-solver.infinity(), solver.infinity(), "level")
        x = [
            solver.NumVar(fixed.get(c, lower[c]), fixed.get(c, upper[c]), f"x{c}") for c in range(n)
        ]
        solver.Add(sum(x) <= amount + 1e-9)
        rows = {c: solver.Add(x[c] - weight[c] * level >= 0) for c in range(n) if c not in fixed}
        solver.Maximize(level)
        assert solver.Solve() == pywraplp.Solver.OPTIMAL
        # A price on a row means that its claim cannot rise in any solution of this level.
        blocking = [c for c, row in rows.items() if abs(row.dual_value()) > 1e-9]
        assert blocking
        for c in blocking:
            fixed[c] = x[c].solution_value()
    return [fixed[c] for c in range(n)]


def share_tier_by_lp(amount, lower, upper, weight, basis, proportional):
    """As ``share_tier`` for positive weights, without rounding."""
    factor = [w * b for w, b in zip(weight, basis, strict=True)]
    if proportional:
        room = [high - low for high, low in zip(upper, lower, strict=True)]
        shares = max_min_by_lp(amount, [0] * len(room), room, factor)
        return [share + low for share, low in zip(shares, lower, strict=True)]
    return max_min_by_lp(amount + sum(lower), lower, upper, factor)


def lexicographic_lp(supply, requested, guarantee, weight, tier, rule, groups, consumed=None):
    """Solve the whole division at once, from its constraints and without stages.

    Among all divisions that keep what is consumed, every guarantee and every group's floor,
    tier after tier has its worst level as high as it goes, then its next worst, and so on.
    ``None`` if the guarantees and floors do not fit the supply.
    """
    n = len(requested)
    least = [min(g, r) for g, r in zip(guarantee, requested, strict=True)]
    least = [max(a, b) for a, b in zip(least, consumed or [0] * n, strict=True)]
    basis = requested if rule == "fill_rate" else [1] * n
    factor = [w * b for w, b in zip(weight, basis, strict=True)]
    base = least if rule == "proportional" else [0] * n
    fixed = {}
    for current in sorted(set(tier)):
        while any(tier[c] == current and c not in fixed for c in range(n)):
            solver = pywraplp.Solver.CreateSolver("GLOP")
            level = solver.NumVar(-1, solver.infinity(), "level")
            x = [
                solver.NumVar(fixed[c] - 1e-6, fixed[c] + 1e-6, f"x{c}")
                if c in fixed
                else solver.NumVar(least[c], requested[c], f"x{c}")
                for c in range(n)
            ]
            solver.Add(sum(x) <= supply + 1e-5)
            for members, floor in groups:
                most = sum(requested[c] for c in members)
                solver.Add(sum(x[c] for c in members) >= min(floor, most) - 1e-5)
            rows = {
                c: solver.Add(x[c] - factor[c] * level >= base[c])
                for c in range(n)
                if c not in fixed and tier[c] == current and requested[c] > 0
            }
            if not rows:
                fixed |= {c: 0.0 for c in range(n) if tier[c] == current and c not in fixed}
                break
            solver.Maximize(level)
            status = solver.Solve()
            if status == pywraplp.Solver.INFEASIBLE and not any(fixed.values()):
                return None
            assert status == pywraplp.Solver.OPTIMAL
            blocking = [c for c, row in rows.items() if abs(row.dual_value()) > 1e-9]
            assert blocking
            for c in blocking:
                fixed[c] = x[c].solution_value()
    return [fixed[c] for c in range(n)]
