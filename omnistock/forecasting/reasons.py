"""Why a series was forecast the way it was."""

from __future__ import annotations

__all__ = [
    "ALL_STOCKED_OUT",
    "ALL_ZERO",
    "COMBINATION",
    "CONSTANT",
    "EMPTY",
    "INTERMITTENT",
    "ONE_POINT",
    "REASONS",
    "REASON_TEXTS",
    "SHORT",
]

COMBINATION, INTERMITTENT, SHORT, ONE_POINT = 0, 1, 2, 3
CONSTANT, ALL_ZERO, EMPTY, ALL_STOCKED_OUT = 4, 5, 6, 7

REASONS = (
    "combination",
    "intermittent",
    "short",
    "one_point",
    "constant",
    "all_zero",
    "empty",
    "all_stocked_out",
)

REASON_TEXTS = (
    "sells in most periods: simple smoothing, theta and damped trend are averaged, each by its "
    "likelihood in this series and the record of its family over all series",
    "sells in few periods: levels of simple smoothing with slow and fast gains are averaged; "
    "a trend would be noise",
    "history shorter than two horizons: simple smoothing that starts as the running mean; season "
    "and noise lean on the other series",
    "one observed period: its demand is the level; season and noise come from the other series",
    "every observed period sold the same: that level goes on; the noise comes from the other "
    "series",
    "nothing sold in stocked periods: half a unit is assumed over the observed time and one "
    "period more",
    "no history: the median level of the other series, as uncertain as they differ",
    "never in stock: the median level of the other series or the sales seen, whichever is "
    "larger, as uncertain as the series differ",
)
