"""What kits and bundles are made of: texts turned into units, cycles found, choices checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from omnistock.errors import InputError
from omnistock.model.sku import KitOption, Parts, Sku

__all__ = ["check_kits", "chosen_units", "resolved"]


def resolved(skus: Mapping[str, Sku]) -> dict[str, Sku]:
    """Return the SKUs whose components or choices are given as texts, with units instead.

    Raises
    ------
    InputError
        If a component is unknown, or a text is no whole number of its smallest units.
    """
    found: dict[str, Sku] = {}
    for kit in skus.values():
        parts = [kit.components, *(option.choices for option in kit.options)]
        if any(isinstance(units, str) for part in parts for _, units in part):
            found[kit.sku] = replace(
                kit,
                components=_counted(kit.sku, kit.components, skus),
                options=tuple(
                    replace(one, choices=_counted(kit.sku, one.choices, skus))
                    for one in kit.options
                ),
            )
    return found


def _counted(kit: str, parts: Parts, skus: Mapping[str, Sku]) -> Parts:
    counted = []
    for part, quantity in parts:
        if part not in skus:
            raise InputError(f"kit {kit!r} names unknown component {part!r}")
        try:
            units = skus[part].smallest_units(quantity)
        except InputError as error:
            raise InputError(f"kit {kit!r}, component {part!r}: {error}") from error
        if units < 1:
            raise InputError(f"kit {kit!r}: component {part!r} x {quantity!r} is wrong")
        counted.append((part, units))
    return tuple(counted)


def check_kits(skus: Mapping[str, Sku]) -> None:
    """Raise InputError if a kit names an unknown part, contains itself, or holds a bundle.

    A bundle inside a kit would leave nobody to choose its content.
    """
    finished: set[str] = set()
    for kit in skus.values():
        if kit.is_kit:
            _walk(skus, kit.sku, (), finished)


def _walk(skus: Mapping[str, Sku], name: str, path: tuple[str, ...], finished: set[str]) -> None:
    if name in path:
        raise InputError(f"kit {name!r} contains itself: {' > '.join((*path, name))}")
    if name in finished:
        return
    kit = skus[name]
    for part, _ in [*kit.components, *(one for option in kit.options for one in option.choices)]:
        if part not in skus:
            raise InputError(f"kit {name!r} names unknown component {part!r}")
        if skus[part].options:
            raise InputError(
                f"kit {name!r} holds the bundle {part!r}, whose content is chosen per order; "
                "name its parts instead"
            )
        _walk(skus, part, (*path, name), finished)
    finished.add(name)


def chosen_units(
    bundle: Sku, selections: Sequence[tuple[str, int | str]] | None, skus: Mapping[str, Sku]
) -> list[tuple[str, int]]:
    """Return what one bundle holds with ``selections``, its fixed components first.

    Each selection answers one option and each option takes one selection at most.

    Raises
    ------
    InputError
        If a required option is left open, or a selection is offered by none of the
        options that are still open, in this quantity.
    """
    fixed = [(part, int(units)) for part, units in bundle.components]
    if not bundle.options:
        if selections:
            raise InputError(
                f"{bundle.sku!r} leaves nothing to choose; order it without selections"
            )
        return fixed
    chosen = [(part, skus[part].smallest_units(units)) for part, units in selections or ()]
    for option in bundle.options:
        if option.required and not any(_offers(option, *one) for one in chosen):
            offered = ", ".join(f"{part} x {units}" for part, units in option.choices)
            raise InputError(f"bundle {bundle.sku!r} needs one of: {offered}; add it to selections")
    if not _answers(bundle.options, chosen, frozenset()):
        raise InputError(f"bundle {bundle.sku!r} does not offer the selections {chosen} together")
    return fixed + chosen


def _offers(option: KitOption, part: str, units: int) -> bool:
    for name, offered in option.choices:
        if name == part:
            return 1 <= units <= int(offered) if option.changeable else units == offered
    return False


def _answers(
    options: Sequence[KitOption], chosen: Sequence[tuple[str, int]], taken: frozenset[int]
) -> bool:
    """Whether the selections can each have an option of their own, no required one left."""
    if not chosen:
        return all(k in taken or not option.required for k, option in enumerate(options))
    return any(
        _answers(options, chosen[1:], taken | {k})
        for k, option in enumerate(options)
        if k not in taken and _offers(option, *chosen[0])
    )
