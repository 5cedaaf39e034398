"""What is sold: articles in stock, kits of them, and bundles whose content is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from omnistock.errors import InputError
from omnistock.model.names import check_name
from omnistock.model.quantity import QuantityRule, to_units, unit_ratios

__all__ = ["KitOption", "OrderLine", "Parts", "Sku"]

# Names with a number of smallest units of each, or a text in the part's selling units
# or units of measure. Only numbers are left once a network is built.
Parts = tuple[tuple[str, int | str], ...]


def _check_parts(owner: str, parts: Sequence[tuple[str, int | str]]) -> None:
    for part, units in parts:
        text = isinstance(units, str) and units.strip()
        count = isinstance(units, int) and not isinstance(units, bool) and units >= 1
        if not (text or count):
            raise InputError(f"{owner}: component {part!r} x {units!r} is wrong")


@dataclass(frozen=True, slots=True)
class KitOption:
    """One choice that a bundle leaves to the order.

    Attributes
    ----------
    choices : tuple of (str, int or str)
        The SKUs of which one is chosen, with smallest units of each in one bundle; or a
        text like "5 g", exact in the SKU's units.
    required : bool
        A bundle without a choice here cannot be ordered.
    changeable : bool
        The order may take fewer units than the choice says, at least one.
    """

    choices: Parts
    required: bool = True
    changeable: bool = False

    def __post_init__(self) -> None:
        _check_parts("an option", self.choices)
        names = [name for name, _ in self.choices]
        if not names or len(set(names)) < len(names):
            raise InputError(f"an option needs choices, each SKU once, got {names}")


@dataclass(frozen=True, slots=True)
class Sku:
    """One article that can be stocked or, as a kit, is made of such articles.

    Attributes
    ----------
    sku : str
        Identifier, kept verbatim.
    unit_scale : int
        Smallest units in one selling unit; 1000 for kilograms kept in grams.
    components : tuple of (str, int or str)
        For a kit: each component and its smallest units in one smallest unit of
        the kit, or a text like "2 dozen" in the component's own units. A kit has no
        stock of its own.
    unit_cost, unit_price : float
        Money per selling unit.
    pack_size, minimum_order : int
        Smallest units per supplier pack, and the least that may be ordered.
    tracked : bool
        An article that is not tracked is always available and has no stock.
    minimum_sale, maximum_sale, sale_increment : int
        Smallest units: the least and the most that may be asked for (0: no limit), and the
        step in which it may be asked for.
    units : tuple of (str, str)
        Units of measure, each with the number of selling units it is:
        ``(("dozen", "12"), ("g", "1/1000"))``.
    replenishment_buckets : int or None
        From so many buckets ahead on everything is promised, because it can be bought
        until then; None: only what is in stock or expected.
    options : tuple of KitOption
        For a bundle: what each order chooses, beside the components that are always in it.
    """

    sku: str
    name: str = ""
    category: str = ""
    unit_scale: int = 1
    components: Parts = ()
    unit_cost: float = 0.0
    unit_price: float = 0.0
    pack_size: int = 1
    minimum_order: int = 0
    tracked: bool = True
    minimum_sale: int = 0
    maximum_sale: int = 0
    sale_increment: int = 1
    units: tuple[tuple[str, str], ...] = ()
    replenishment_buckets: int | None = None
    options: tuple[KitOption, ...] = ()

    def __post_init__(self) -> None:
        check_name("SKU", self.sku)
        object.__setattr__(self, "units", tuple(tuple(pair) for pair in self.units))
        for name, value, least in (
            ("unit_scale", self.unit_scale, 1),
            ("pack_size", self.pack_size, 1),
            ("minimum_order", self.minimum_order, 0),
            ("minimum_sale", self.minimum_sale, 0),
            ("maximum_sale", self.maximum_sale, 0),
            ("sale_increment", self.sale_increment, 1),
            ("replenishment_buckets", self.replenishment_buckets, 0),
        ):
            if value is not None and value < least:
                raise InputError(f"SKU {self.sku!r}: {name} must be >= {least}, got {value}")
        if 0 < self.maximum_sale < self.minimum_sale:
            raise InputError(
                f"SKU {self.sku!r}: maximum_sale {self.maximum_sale} is below "
                f"minimum_sale {self.minimum_sale}"
            )
        unit_ratios(self.units)
        _check_parts(f"kit {self.sku!r}", self.components)
        parts = [*self.components, *(one for option in self.options for one in option.choices)]
        if self.sku in (part for part, _ in parts):
            raise InputError(f"kit {self.sku!r} contains itself")
        if self.unit_scale > 1 and any(isinstance(units, str) for _, units in parts):
            raise InputError(
                f"kit {self.sku!r} has unit_scale {self.unit_scale}; give its components in "
                "smallest units, not as texts"
            )
        if self.is_kit and not self.tracked:
            raise InputError(
                f"kit {self.sku!r} has no stock to track; set tracked=False on its components"
            )

    @property
    def is_kit(self) -> bool:
        """Whether it is made of other SKUs, fixed or chosen, and has no stock of its own."""
        return bool(self.components or self.options)

    def smallest_units(self, quantity: int | str | Decimal) -> int:
        """Return a quantity in smallest units.

        Parameters
        ----------
        quantity : int, str or Decimal
            An int counts smallest units; a text or Decimal is in selling units, and a text
            may name a unit of measure.

        Returns
        -------
        int

        Raises
        ------
        InputError
            As :func:`~omnistock.model.to_units`.

        Examples
        --------
        >>> flour = Sku("FLOUR", unit_scale=1000, units=(("g", "1/1000"),))
        >>> flour.smallest_units("0.12"), flour.smallest_units("5 g"), flour.smallest_units(7)
        (120, 5, 7)
        """
        if isinstance(quantity, int):
            return to_units(quantity)
        return to_units(quantity, self.unit_scale, unit_ratios(self.units))

    def refusal(self, quantity: int, rule: QuantityRule | None = None) -> str | None:
        """Return why so many smallest units may not be asked for, or None if they may.

        The SKU's own minimum, maximum and increment hold first, then ``rule``.

        Examples
        --------
        >>> Sku("BEER", sale_increment=6).refusal(9)
        'not_increment'
        """
        ratios = unit_ratios(self.units)
        if self.minimum_sale or self.maximum_sale or self.sale_increment > 1:
            own = QuantityRule(self.minimum_sale, self.maximum_sale or None, self.sale_increment)
            refused = own.refusal(quantity, self.unit_scale)
            if refused is not None:
                return refused
        return rule.refusal(quantity, self.unit_scale, ratios) if rule is not None else None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of an order, where a (sku, quantity) pair does not say enough.

    Attributes
    ----------
    sku : str
    quantity : int, str or Decimal
        An int counts smallest units; a text or Decimal is in selling units.
    node, lot : str, optional
        Take it from this node, this lot, only.
    min_remaining_days : int
        Days that a lot must last beyond the moment it is due.
    selections : tuple of (str, int or str), optional
        For a bundle: what was chosen, and how much of it goes into one bundle.
    """

    sku: str
    quantity: int | str | Decimal
    node: str | None = None
    lot: str | None = None
    min_remaining_days: int = 0
    selections: Parts | None = None

    def __post_init__(self) -> None:
        check_name("SKU", self.sku)
        if self.min_remaining_days < 0:
            raise InputError(
                f"line {self.sku!r}: min_remaining_days must be >= 0, got {self.min_remaining_days}"
            )
        if self.selections is not None:
            _check_parts(f"line {self.sku!r}", self.selections)
