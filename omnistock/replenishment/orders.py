"""Orders by an (s, S) or order-up-to policy, in packs and with minimum orders.

(s, S): order when the inventory position (on hand + on order - backorders) is at or below the
reorder point s, up to S. Order-up-to at every review is s = S - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.errors import InputError
from omnistock.replenishment.checks import refuse_rows, whole_numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["REASONS", "Replenishment", "replenish"]

ABOVE_REORDER_POINT, UP_TO_LEVEL, WHOLE_PACKS, MINIMUM_ORDER = 0, 1, 2, 3
REASONS = (
    "position above the reorder point",
    "ordered up to the level",
    "rounded up to whole packs",
    "raised to the minimum order",
)


@dataclass(frozen=True, slots=True, eq=False)
class Replenishment:
    """What to order, and why.

    Attributes
    ----------
    order_quantity : (n,) int64
        Units to order now.
    reason : (n,) int8
        What settled the quantity; an index into ``REASONS``.
    inventory_position : (n,) int64
        On hand + on order - backorders.
    need : (n,) int64
        Units missing to the order-up-to level where an order is due, else 0.
    reorder_point, order_up_to, pack_size, minimum_order : (n,) int64
        The policy, as given.
    """

    order_quantity: np.ndarray
    reason: np.ndarray
    inventory_position: np.ndarray
    need: np.ndarray
    reorder_point: np.ndarray
    order_up_to: np.ndarray
    pack_size: np.ndarray
    minimum_order: np.ndarray

    def __len__(self) -> int:
        return len(self.order_quantity)

    @property
    def reason_names(self) -> tuple[str, ...]:
        """The reason of each line, in words."""
        return tuple(REASONS[code] for code in self.reason)

    def columns(self) -> dict[str, np.ndarray]:
        """Return the result as named columns."""
        return {
            "inventory_position": self.inventory_position,
            "reorder_point": self.reorder_point,
            "order_up_to": self.order_up_to,
            "need": self.need,
            "pack_size": self.pack_size,
            "minimum_order": self.minimum_order,
            "order_quantity": self.order_quantity,
            "reason": np.array(self.reason_names, dtype=object),
        }

    def to_table(self, like: Any = None) -> Any:
        """Return one row per line: a pyarrow table, or the same kind of frame as ``like``."""
        from omnistock.frames import to_arrow, to_native

        return to_arrow(self.columns()) if like is None else to_native(self.columns(), like)

    def explain(self, i: int) -> str:
        """Tell why line ``i`` orders what it orders."""
        if not -len(self) <= i < len(self):
            raise InputError(f"row {i} is outside 0..{len(self) - 1}")
        position, point = self.inventory_position[i], self.reorder_point[i]
        if not self.order_quantity[i]:
            if position > point:
                return f"position {position} > reorder point {point}: nothing to order"
            return f"position {position} is at the level {self.order_up_to[i]}: nothing to order"
        text = (
            f"position {position} <= reorder point {point}: "
            f"{self.order_up_to[i]} - {position} = {self.need[i]} needed"
        )
        if self.reason[i] == MINIMUM_ORDER:
            text += f", raised to the minimum order of {self.minimum_order[i]}"
        if self.order_quantity[i] != max(self.need[i], self.minimum_order[i]):
            text += f", in whole packs of {self.pack_size[i]}"
        return f"{text}: order {self.order_quantity[i]}"


def replenish(
    *,
    on_hand: ArrayLike,
    on_order: ArrayLike,
    backorders: ArrayLike,
    reorder_point: ArrayLike,
    order_up_to: ArrayLike,
    pack_size: ArrayLike = 1,
    minimum_order: ArrayLike = 0,
) -> Replenishment:
    """Propose orders by an (s, S) policy.

    At or below the reorder point, order the fewest whole packs that bring the position to the
    order-up-to level or above and are no less than the minimum order.

    Parameters
    ----------
    on_hand : (n,) int64 or scalar
        Units physically present; negative if the records say so.
    on_order, backorders : (n,) int64 or scalar, >= 0
        Units ordered and not yet received; units owed to customers.
    reorder_point, order_up_to : (n,) int64 or scalar
        s and S, with S >= s. A reorder point below 0 orders only what is owed.
    pack_size, minimum_order : (n,) int64 or scalar
        Units per supplier pack (>= 1), and the least that may be ordered (>= 0).

    Returns
    -------
    Replenishment
        Units, with a reason per line.

    Raises
    ------
    InputError
        If shapes disagree, a number is out of range, or S < s.

    Examples
    --------
    >>> orders = replenish(on_hand=[3, 30], on_order=0, backorders=0, reorder_point=10,
    ...                    order_up_to=40, pack_size=6, minimum_order=24)
    >>> orders.explain(0)
    'position 3 <= reorder point 10: 40 - 3 = 37 needed, in whole packs of 6: order 42'
    """
    held, coming, owed, point, level, pack, minimum = _rows(
        whole_numbers("on_hand", on_hand),
        whole_numbers("on_order", on_order, least=0),
        whole_numbers("backorders", backorders, least=0),
        whole_numbers("reorder_point", reorder_point),
        whole_numbers("order_up_to", order_up_to),
        whole_numbers("pack_size", pack_size, least=1),
        whole_numbers("minimum_order", minimum_order, least=0),
    )
    refuse_rows(level < point, "order_up_to must be >= reorder_point", level)
    position = held + coming - owed
    need = np.where(position <= point, level - position, 0)
    wanted = np.where(need > 0, np.maximum(need, minimum), 0)
    quantity = -(-wanted // pack) * pack
    causes = [need == 0, wanted > need, quantity > wanted]
    codes = [ABOVE_REORDER_POINT, MINIMUM_ORDER, WHOLE_PACKS]
    return Replenishment(
        order_quantity=quantity,
        reason=np.select(causes, codes, UP_TO_LEVEL).astype(np.int8),
        inventory_position=position,
        need=need,
        reorder_point=point,
        order_up_to=level,
        pack_size=pack,
        minimum_order=minimum,
    )


def _rows(*given: np.ndarray) -> tuple[np.ndarray, ...]:
    """Give all arguments one shape (n,)."""
    try:
        rows = tuple(np.atleast_1d(array).copy() for array in np.broadcast_arrays(*given))
    except ValueError as error:
        raise InputError(f"shapes disagree: {error}") from error
    if rows[0].ndim != 1:
        raise InputError(f"arguments must be numbers or have one shape (n,), got {rows[0].shape}")
    return rows
