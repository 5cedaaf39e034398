"""Quantities as scenarios write them: exact, in selling units or units of measure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

__all__ = [
    "Unsupported",
    "as_list",
    "dicts",
    "exact",
    "is_number",
    "read_scenarios",
    "selling_units",
    "text_of",
    "unit_ratios",
    "unit_scales",
]

# Units of measure, each as a multiple of the first of its family.
_FAMILIES = (
    {"unit": 1, "units": 1, "piece": 1, "pc": 1, "pcs": 1, "pair": 2, "dozen": 12, "gross": 144},
    {"g": 1, "gm": 1, "gram": 1, "mg": Fraction(1, 1000), "kg": 1000, "t": 1_000_000},
    {"ml": 1, "cl": 10, "dl": 100, "l": 1000},
    {"mm": 1, "cm": 10, "m": 1000, "km": 1_000_000},
    {"s": 1, "min": 60, "h": 3600},
)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
# Fields that hold units of the SKU that stands beside them.
_QUANTITIES = ("qty", "per", "delta", "set", "reserved", "value", "confirmed", "target")
_RULE_QUANTITIES = ("min_sale_qty", "max_sale_qty", "qty_increment")


class Unsupported(Exception):
    """The scenario says something that this runner does not understand or cannot ask for."""


def read_scenarios(path: Path) -> list[dict[str, Any]]:
    """Read a file of scenarios; decimals stay exact."""
    content = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    scenarios = content["scenarios"] if isinstance(content, dict) else content
    if not isinstance(scenarios, list):
        raise ValueError(f"{path.name} holds no list of scenarios")
    return scenarios


def is_number(value: object) -> bool:
    """Whether a value is a number, or a text that is one."""
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def exact(value: Any) -> Fraction:
    """Return the exact value of a number or of a text that is one."""
    if not is_number(value):
        raise Unsupported(f"{value!r} is not a quantity")
    return Fraction(value)


def text_of(value: Any, uom: str | None = None) -> str:
    """Return a quantity as the text of selling units that the engine takes.

    >>> text_of(Decimal("2.50")), text_of(3, "dozen")
    ('2.5', '3 dozen')
    """
    number = exact(value)
    whole = number.numerator if number.denominator == 1 else None
    text = str(whole) if whole is not None else f"{Decimal(str(value)).normalize():f}"
    return f"{text} {uom}" if uom else text


def selling_units(units: int, scale: int) -> Decimal | int:
    """Return smallest units as a number of selling units.

    >>> selling_units(85, 10), selling_units(80, 10)
    (Decimal('8.5'), 8)
    """
    number = Fraction(units, scale)
    if number.denominator == 1:
        return number.numerator
    return Decimal(number.numerator) / Decimal(number.denominator)


def dicts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping inside a scenario, outer ones first."""
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from dicts(one)
    elif isinstance(value, list):
        for one in value:
            yield from dicts(one)


def unit_ratios(base: str, used: set[str]) -> tuple[tuple[str, str], ...]:
    """Return the units of measure of a SKU that is sold by ``base``, as the model takes them.

    >>> unit_ratios("kg", {"g", "kg"})
    (('g', '1/1000'), ('kg', '1'))
    """
    family = _family(base)
    ratios = []
    for unit in sorted(used | {base}):
        if unit in family:
            ratios.append((unit, str(Fraction(family[unit]) / Fraction(family[base]))))
        elif unit not in {name for one in _FAMILIES for name in one}:
            raise Unsupported(f"unknown unit of measure {unit!r}")
    return tuple(ratios)


def _family(base: str) -> Mapping[str, int | Fraction]:
    for family in _FAMILIES:
        if base in family:
            return family
    raise Unsupported(f"unknown unit of measure {base!r}")


def _in_base(row: Mapping[str, Any], value: Any, base: str) -> Fraction:
    number = exact(value)
    uom = row.get("uom")
    if uom is None:
        return number
    family = _family(base)
    if uom not in family:
        raise Unsupported(f"{uom!r} is no unit of measure of a SKU counted by the {base}")
    return number * Fraction(family[uom]) / Fraction(family[base])


def unit_scales(
    played: Any, skus: list[str], bases: Mapping[str, str], counted: set[str]
) -> dict[str, int]:
    """Find smallest units per selling unit, fine enough for every quantity that is written.

    Parameters
    ----------
    played : any
        What is given and the steps of a scenario.
    skus : list of str
    bases : mapping
        Unit of measure by which a SKU is sold; "unit" if none is named.
    counted : set of str
        SKUs that only come whole: kits.
    """
    scales = dict.fromkeys(skus, 1)
    for row in dicts(played):
        if str(row.get("type", "")).startswith(("percent", "days")):
            continue
        fields = [name for name in _QUANTITIES if is_number(row.get(name))]
        numbers = [(name, row[name]) for name in fields]
        rule = row.get("rule")
        if isinstance(rule, dict):
            numbers += [(n, rule[n]) for n in _RULE_QUANTITIES if is_number(rule.get(n))]
        name = row.get("sku")
        concerned = [str(name)] if name is not None else skus
        for _, value in numbers:
            for sku in concerned:
                if sku in counted or (name is None and exact(value).denominator == 1):
                    continue
                step = _in_base(row, value, bases.get(sku, "unit")).denominator
                scales[sku] = math.lcm(scales[sku], _round_scale(step))
    return scales


def _round_scale(denominator: int) -> int:
    """Return the power of ten that makes the number whole, if there is one."""
    scale = 1
    while scale <= 10**6:
        if scale % denominator == 0:
            return scale
        scale *= 10
    return denominator


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, nothing as an empty one, and one value as a list of it."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
