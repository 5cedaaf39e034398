"""ATP rows and pegs straight from their definitions, unit by unit and bucket by bucket."""

from __future__ import annotations


def balances(on_hand, receipts, commitments, buffer):
    """Units above the buffer at the end of each bucket."""
    free = []
    for t in range(len(receipts)):
        free.append(on_hand + sum(receipts[: t + 1]) - sum(commitments[: t + 1]) - buffer[t])
    return free


def largest_safe_promise(on_hand, receipts, commitments, buffer, bucket):
    """The most that one more order may take in ``bucket`` without a later balance below zero.

    Below zero: so many units must be given back there.
    """
    quantity = -sum(commitments) - max(buffer) - abs(on_hand) - 1
    while True:
        more = list(commitments)
        more[bucket] += quantity + 1
        if min(balances(on_hand, receipts, more, buffer)[bucket:]) < 0:
            return quantity
        quantity += 1


def paid_back(amounts, reach):
    """Let every shortage, oldest first, use up surplus at most ``reach`` buckets before it."""
    left = list(amounts)
    for t in range(len(left)):
        u = t - 1
        while left[t] < 0 and u >= max(t - reach, 0):
            if left[u] > 0:
                left[u] -= 1
                left[t] += 1
            else:
                u -= 1
    return left


def nets(on_hand, receipts, commitments, buffer):
    """What each bucket adds to the balance."""
    free = balances(on_hand, receipts, commitments, buffer)
    return [now - before for now, before in zip(free, [0, *free], strict=False)]


def discrete(on_hand, receipts, commitments, buffer):
    """(figure or None) per bucket: what arrives, less what goes until more arrives."""
    net = nets(on_hand, receipts, commitments, buffer)
    arrives = [t == 0 or receipts[t] > 0 or buffer[t] < buffer[t - 1] for t in range(len(receipts))]
    opens = [t for t, one in enumerate(arrives) if one]
    ends = [*opens[1:], len(receipts)]
    sums = [sum(net[a:b]) for a, b in zip(opens, ends, strict=True)]
    figures = dict(zip(opens, paid_back(sums, len(sums)), strict=True))
    return [figures.get(t) for t in range(len(receipts))]


def carried_forward(amounts, reach):
    """Each bucket's amount and the surplus of at most ``reach`` buckets before it."""
    return [
        one + sum(max(past, 0) for past in amounts[max(t - reach, 0) : t])
        for t, one in enumerate(amounts)
    ]


def pegs_unit_by_unit(supplies, demands, *, latest):
    """Give each demand, by due bucket, one unit after another of what is there in time.

    ``supplies`` and ``demands`` are (bucket, units); returns {(demand, supply): units}, with
    supply -1 for what nothing in time covers.
    """
    left = [units for _, units in supplies]
    found = {}
    for d in sorted(range(len(demands)), key=lambda d: demands[d][0]):
        due, units = demands[d]
        for _ in range(units):
            ready = [s for s in range(len(supplies)) if left[s] and supplies[s][0] <= due]
            if latest:
                ready.sort(key=lambda s: (-supplies[s][0], s))
            else:
                ready.sort(key=lambda s: (supplies[s][0], s))
            taken = ready[0] if ready else -1
            if ready:
                left[taken] -= 1
            found[d, taken] = found.get((d, taken), 0) + 1
    return found
