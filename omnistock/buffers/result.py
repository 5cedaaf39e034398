"""What a buffer computation gives back: levels, what they attain, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.errors import InputError

if TYPE_CHECKING:
    from omnistock.numerics.demand import DemandDistribution

__all__ = ["Buffers", "whole_units"]

# A level so close (relatively) to a whole number is that number, not the next one.
_ROUNDING = 1e-9


def whole_units(level: np.ndarray) -> np.ndarray:
    """Return (n,) int64: the levels rounded up to whole units."""
    rounded: np.ndarray = np.ceil(level - _ROUNDING * np.maximum(level, 1.0))
    return rounded.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Buffers:
    """Safety stock, reorder points and what they attain, for n SKU-nodes.

    Attributes
    ----------
    demand : DemandDistribution
        Demand over lead time plus review period.
    periodic : (n,) bool
        Whether stock is reviewed periodically.
    order_quantity : (n,) int64
        Lot size in units, 0 where there is none.
    service_target, fill_target : (n,) float64
        The targets asked for, NaN where there is none.
    level : (n,) float64
        The smallest level that attains the targets, before rounding up to whole units.
    reorder_point : (n,) int64
        Order when the inventory position is at or below this many units. -1 means: stock
        nothing, order only what is already owed.
    order_up_to : (n,) int64
        The least level to order up to: the level itself under periodic review, the reorder
        point plus one lot under continuous review.
    safety_stock : (n,) int64
        The level less mean demand, rounded up, at least 0.
    service_level : (n,) float64
        Probability attained that an interval of risk passes without a shortage, from the
        level on (periodic review with lots starts there at worst, and higher on average).
    fill_rate : (n,) float64
        Share of units attained that is met from the shelf; NaN where periodic review was
        asked for and the demand of the lead time alone is unknown.
    keys : mapping of str to (n,) array
        The identifying columns of the forecast, for :meth:`to_table`.
    kind : object
        The kind of frame that the forecast came from; ``None`` is pyarrow.
    """

    demand: DemandDistribution
    periodic: np.ndarray
    order_quantity: np.ndarray
    service_target: np.ndarray
    fill_target: np.ndarray
    level: np.ndarray
    reorder_point: np.ndarray
    order_up_to: np.ndarray
    safety_stock: np.ndarray
    service_level: np.ndarray
    fill_rate: np.ndarray
    keys: Mapping[str, np.ndarray] = field(default_factory=dict)
    kind: Any = None

    def __len__(self) -> int:
        return len(self.level)

    @property
    def mean(self) -> np.ndarray:
        """(n,) float64: mean demand over lead time plus review period."""
        return self.demand.mean

    @property
    def standard_deviation(self) -> np.ndarray:
        """(n,) float64: standard deviation of demand over lead time plus review period."""
        root: np.ndarray = np.sqrt(self.demand.variance)
        return root

    def columns(self) -> dict[str, np.ndarray]:
        """Return the result as named columns, the keys first."""
        return {
            **self.keys,
            "demand_mean": self.mean,
            "demand_std": self.standard_deviation,
            "family": np.array(self.demand.family_names, dtype=object),
            "safety_stock": self.safety_stock,
            "reorder_point": self.reorder_point,
            "order_up_to": self.order_up_to,
            "service_level": self.service_level,
            "fill_rate": self.fill_rate,
        }

    def to_table(self, like: Any = None) -> Any:
        """Return one row per SKU-node: the forecast's kind of frame, or that of ``like``."""
        from omnistock.frames import to_arrow, to_native

        kind = self.kind if like is None else like
        return to_arrow(self.columns()) if kind is None else to_native(self.columns(), kind)

    def explain(self, i: int) -> str:
        """Tell for SKU-node ``i`` how its numbers came about: the formulas with their numbers."""
        if not -len(self) <= i < len(self):
            raise InputError(f"row {i} is outside 0..{len(self) - 1}")
        i %= len(self)
        periodic = bool(self.periodic[i])
        interval = "lead time + review period" if periodic else "lead time"
        name = ", ".join(str(values[i]) for values in self.keys.values())
        mean, level = float(self.mean[i]), int(whole_units(self.level[i : i + 1])[0])
        lines = [f"{name}:"] if name else []
        lines.append(
            f"demand D over {interval}: {self.demand.family_names[i].replace('_', ' ')}, "
            f"mean {mean:.6g}, standard deviation {self.standard_deviation[i]:.6g}"
        )
        lines += self._explain_targets(i, level)
        lot = int(self.order_quantity[i])
        if periodic:
            lines.append(
                f"at each review: if the inventory position is <= {self.reorder_point[i]}, "
                f"order up to {self.order_up_to[i]}" + (f" or more, in lots of {lot}" * (lot > 1))
            )
        else:
            lines.append(
                f"when the inventory position is <= {self.reorder_point[i]}: "
                f"order {max(lot, 1)} (up to {self.order_up_to[i]})"
            )
        lines.append(
            f"safety stock = level - mean = {level} - {mean:.6g} = {level - mean:.6g}, "
            f"kept as {self.safety_stock[i]}"
        )
        attained = f"attained: cycle service {self.service_level[i]:.4%}"
        if not np.isnan(self.fill_rate[i]):
            attained += f", fill rate {self.fill_rate[i]:.4%}"
        lines.append(attained)
        return "\n".join(lines)

    def _explain_targets(self, i: int, level: int) -> list[str]:
        lines = []
        if not np.isnan(self.service_target[i]):
            lines.append(
                f"cycle service {self.service_target[i]:.6g}: smallest y with P(D <= y) >= "
                f"{self.service_target[i]:.6g}"
            )
        if not np.isnan(self.fill_target[i]):
            lot = max(int(self.order_quantity[i]), 1)
            if self.periodic[i]:
                formula = "1 - (loss(L+R, y) - loss(L, y)) / mean(R)"
                if lot > 1:
                    formula += f", averaged over y .. y + {lot - 1},"
            else:
                formula = f"1 - (loss(y) - loss(y + {lot})) / {lot}"
            lines.append(
                f"fill rate {self.fill_target[i]:.6g}: smallest y with {formula} >= "
                f"{self.fill_target[i]:.6g}"
            )
        lines.append(f"level y = {self.level[i]:.6g}, whole units {level}")
        return lines
