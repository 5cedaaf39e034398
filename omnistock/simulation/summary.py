"""What a replay came to: counts, fill rates, speeds, and the checks that must say zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Fill", "FillCounter", "ReplaySummary", "percentile_us"]


@dataclass(frozen=True, slots=True)
class Fill:
    """How much of what was asked for was accepted, in order lines and selling units."""

    lines: int
    lines_filled: int
    units: float
    units_filled: float

    @property
    def fill_rate(self) -> float:
        """Share of the order lines that were accepted in full; 1 if there were none."""
        return self.lines_filled / self.lines if self.lines else 1.0


class FillCounter:
    """Counts lines and units asked for and accepted, by name of channel or node."""

    def __init__(self) -> None:
        self._counts: dict[str, list[float]] = {}

    def add(self, name: str, asked: float, filled: float) -> None:
        """Count one order line, in selling units."""
        counts = self._counts.setdefault(name, [0, 0, 0.0, 0.0])
        counts[0] += 1
        counts[1] += filled >= asked
        counts[2] += asked
        counts[3] += filled

    def fills(self) -> dict[str, Fill]:
        """Return the counts by name, sorted."""
        return {
            name: Fill(int(counts[0]), int(counts[1]), counts[2], counts[3])
            for name, counts in sorted(self._counts.items())
        }


def percentile_us(nanoseconds: list[int], share: float) -> float:
    """Return the given quantile of durations in microseconds; 0 if there are none."""
    return float(np.quantile(nanoseconds, share)) / 1000 if nanoseconds else 0.0


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """The outcome of a replay.

    Attributes
    ----------
    orders, accepted, partly_accepted, refused : int
        Orders placed online, and how many got all, some or none of their units.
    walk_ins, walk_ins_partly, walk_ins_refused : int
        Sales over the counter, and those that found fewer units than wanted or none,
        because the shelf was empty or promised.
    paid, paid_too_late, cancelled, expired, shipments, returns, receipts : int
        What became of them. Cancelled counts orders given up before or after payment; who
        paid too late is refused only if others have the units by then.
    lines, units, units_filled : int, float, float
        Order lines asked for in all channels; selling units asked for and accepted.
    fill_rate : float
        Share of the lines of all channels that were accepted in full.
    oversold_units : int
        Smallest units promised or taken beyond physical stock, counted by independent
        books; 0 if the engine keeps its word.
    stock_differences, check_differences, verify_differences : int
        Stockpoints whose stock or promises differ from those books; single-line orders
        whose check and reservation disagreed; differences found by ``engine.verify``.
    commands, seconds, orders_per_second : int, float, float
        Commands given to the engine, the time it took for them, and the orders, sales
        over the counter included, that it served per second of that time.
    check_p50_us, check_p99_us, reserve_p50_us, reserve_p99_us : float
        Microseconds of a question and of a reservation.
    by_channel, by_node : dict of str to Fill
        By node: what was asked of that node by name, at its counter or to collect there.
    refusals : dict of str to int
        Lines refused, by the constraint that stood in the way.
    """

    orders: int
    accepted: int
    partly_accepted: int
    refused: int
    walk_ins: int
    walk_ins_partly: int
    walk_ins_refused: int
    paid: int
    paid_too_late: int
    cancelled: int
    expired: int
    shipments: int
    returns: int
    receipts: int
    lines: int
    units: float
    units_filled: float
    fill_rate: float
    oversold_units: int
    stock_differences: int
    check_differences: int
    verify_differences: int
    commands: int
    seconds: float
    orders_per_second: float
    check_p50_us: float
    check_p99_us: float
    reserve_p50_us: float
    reserve_p99_us: float
    by_channel: Mapping[str, Fill] = field(default_factory=dict)
    by_node: Mapping[str, Fill] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing was oversold and all books agree."""
        return not (
            self.oversold_units
            or self.stock_differences
            or self.check_differences
            or self.verify_differences
        )

    def to_table(self) -> Any:
        """Return the fill by channel and node as a pyarrow.Table."""
        import pyarrow as pa

        rows = [("channel", name, one) for name, one in self.by_channel.items()]
        rows += [("node", name, one) for name, one in self.by_node.items()]
        return pa.table(
            {
                "scope": [scope for scope, _, _ in rows],
                "name": [name for _, name, _ in rows],
                "lines": [one.lines for _, _, one in rows],
                "lines_filled": [one.lines_filled for _, _, one in rows],
                "units": [one.units for _, _, one in rows],
                "units_filled": [one.units_filled for _, _, one in rows],
                "fill_rate": [one.fill_rate for _, _, one in rows],
            }
        )
