"""Ragged histories as arrays: values and what was stocked, cut into series by offsets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnistock.errors import InputError

__all__ = ["LEAST_STOCKED", "LEAST_UNITS", "MOST_UNITS", "Panel"]

# More units per period than anybody sells; their squares still add up.
MOST_UNITS = 1e9
LEAST_UNITS = 1e-9
# Periods stocked for less than this share are not observed at all.
LEAST_STOCKED = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """n series of any length: series i is ``values[offsets[i]:offsets[i + 1]]``.

    Attributes
    ----------
    values : (total,) float64
        Units sold per period, >= 0.
    stocked : (total,) float64
        Share of the period with stock, 0..1.
    offsets : (n + 1,) int64
    phases : (n,) int64
        Position in the season of each series' first period.
    """

    values: np.ndarray
    stocked: np.ndarray
    offsets: np.ndarray
    phases: np.ndarray

    @classmethod
    def build(
        cls,
        values: np.ndarray,
        offsets: np.ndarray,
        *,
        stockout_share: np.ndarray | None = None,
        first_phase: np.ndarray | int | None = None,
    ) -> Panel:
        """Check the arrays and give them the dtypes that the kernels take.

        Raises
        ------
        InputError
            If values do not lie in 0..1e9, a share is outside 0..1, or shapes disagree.
        """
        units = np.ascontiguousarray(values, dtype=np.float64)
        bounds = np.ascontiguousarray(offsets, dtype=np.int64)
        if units.ndim != 1 or bounds.ndim != 1 or len(bounds) < 1:
            raise InputError("values and offsets must be arrays of one dimension")
        if bounds[0] != 0 or bounds[-1] != len(units) or (np.diff(bounds) < 0).any():
            raise InputError(f"offsets must rise from 0 to {len(units)}, the number of values")
        wrong = ~((units >= 0.0) & (units <= MOST_UNITS))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(f"values must lie in 0..{MOST_UNITS:g}; value {row} is {units[row]}")
        # Less than a billionth of a unit is nothing, and its square would vanish.
        units = np.where(units < LEAST_UNITS, 0.0, units)
        stocked = np.ones(len(units))
        if stockout_share is not None:
            share = np.asarray(stockout_share, dtype=np.float64)
            if share.shape != units.shape:
                raise InputError(f"stockout_share must have shape {units.shape}, got {share.shape}")
            if not ((share >= 0.0) & (share <= 1.0)).all():
                raise InputError("stockout_share must lie in 0..1")
            stocked -= share
            # So short a time on the shelf says nothing of a whole period.
            stocked[stocked < LEAST_STOCKED] = 0.0
        phases = np.zeros(len(bounds) - 1, dtype=np.int64)
        if first_phase is not None:
            phases += np.asarray(first_phase, dtype=np.int64)
        return cls(units, stocked, bounds, phases)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """(n,) int64: periods per series."""
        return np.diff(self.offsets)

    def demand(self) -> np.ndarray:
        """(total,) float64: units per fully stocked period, 0 where nothing was observed."""
        units = np.zeros(len(self.values))
        np.divide(self.values, self.stocked, out=units, where=self.stocked > 0.0)
        return units

    def whole(self) -> np.ndarray:
        """(n,) bool: whether every value of the series is a whole number."""
        broken = np.concatenate(([0], np.cumsum(self.values != np.rint(self.values))))
        return np.asarray(broken[self.offsets[1:]] == broken[self.offsets[:-1]])

    def slice(self, rows: slice) -> Panel:
        """Return some neighbouring series; arrays are views."""
        first, last = self.offsets[rows.start], self.offsets[rows.stop]
        return Panel(
            self.values[first:last],
            self.stocked[first:last],
            self.offsets[rows.start : rows.stop + 1] - first,
            self.phases[rows],
        )

    def cut(self, series: np.ndarray, lengths: np.ndarray) -> Panel:
        """Return the first ``lengths`` periods of the named series."""
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        rows = np.repeat(self.offsets[series] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Panel(self.values[rows], self.stocked[rows], offsets, self.phases[series])

    def window(self, series: np.ndarray, starts: np.ndarray, n_periods: int) -> np.ndarray:
        """(len(series), n_periods) int64: rows of the periods from ``starts`` on."""
        rows: np.ndarray = (self.offsets[series] + starts)[:, None] + np.arange(n_periods)
        return rows
