"""Scarce supply to claims, in arrays.

The order of things, for each SKU on its own:

1. What is consumed already, and then what was granted before, if they are given.
2. Guarantees, tier by tier. Where they exceed the supply, the tier in which it runs
   out divides what is left by the same rule, each guarantee standing as a request;
   later tiers get nothing.
3. Floors of groups, inner groups before those around them, each as far as its members
   ask for it: the group's tiers and the rule decide which members get what is missing.
   Groups apart from each other whose floors do not fit share in proportion to what they miss.
4. What is left, tier by tier: a tier gets something only when all requests of the
   tiers before it are met.
5. Inside a tier the rule decides, and fractions are rounded by largest remainder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from omnistock.allocation.groups import Group, group_rows
from omnistock.allocation.inputs import (
    check_consumed,
    check_range,
    check_weights,
    integers,
    whole_weights,
)
from omnistock.allocation.pouring import (
    FILL_RATE,
    GROUP_STAGE,
    MAX_MIN,
    PROPORTIONAL,
    Claims,
    Division,
)
from omnistock.errors import InputError

__all__ = ["RULES", "Allocation", "explain_claim", "protections", "rule_code", "water_fill"]

RULES = {"max_min": MAX_MIN, "fill_rate": FILL_RATE, "proportional": PROPORTIONAL}


@dataclass(frozen=True)
class Allocation:
    """What every claimant gets of every SKU.

    Attributes
    ----------
    granted : (n_skus, n_claimants) int64
        Units; never above the request, and per SKU never above the supply.
    supply, requested, guarantee, weight, tier, pack_size : arrays
        What was asked, broadcast to full shape.
    consumed : (n_skus, n_claimants) int64
        Units of the grant that were taken before this allocation.
    division : Division
        The question as the kernel has it.
    """

    granted: np.ndarray
    supply: np.ndarray
    requested: np.ndarray
    guarantee: np.ndarray
    weight: np.ndarray
    tier: np.ndarray
    pack_size: np.ndarray
    consumed: np.ndarray
    division: Division = field(repr=False)

    @property
    def for_groups(self) -> np.ndarray:
        """What members of groups had once the groups' floors were met, (n_skus, n_claimants)."""
        if not self.division.groups.floor.size:
            return np.zeros_like(self.granted)
        members = np.isin(np.arange(self.granted.shape[1]), self.division.groups.members)
        return self.division.granted(GROUP_STAGE).reshape(self.granted.shape) * members

    @property
    def unclaimed(self) -> np.ndarray:
        """Supply that was not granted, (n_skus,): nobody asked, or it is less than a pack."""
        return np.asarray(self.supply - self.granted.sum(axis=1))

    @property
    def quota(self) -> np.ndarray:
        """Suggested ceilings, (n_skus, n_claimants): the grant plus what nobody claimed.

        For a scarce SKU this is the grant less what is consumed of it, so that quotas
        alone keep every grant; where stock is plentiful the free pool stays open to all.
        """
        return np.asarray(self.granted - self.consumed + self.unclaimed[:, None])

    @property
    def protection(self) -> np.ndarray:
        """Suggested floors, (n_skus, n_claimants), to keep from others where no quota does.

        The whole grant if a claimant of the SKU stands in a later tier, else the part
        of the grant that was guaranteed; for members of groups at least what they had
        when the floors were met. The rest goes to whoever asks first.
        """
        last = self.tier.max(axis=1, initial=0, keepdims=True)
        return protections(
            self.granted, self.guarantee, self.consumed, self.for_groups, self.tier < last
        )

    def explain(self, sku: int, claimant: int, name: str | None = None) -> str:
        """Say in one line what a claimant got, under which terms, and who got the rest.

        Examples
        --------
        >>> print(water_fill([90], [[80, 50]], tier=[1, 2]).explain(0, 1, "web"))
        web got 10 of 50: tier 2, guarantee 0, weight 1, supply exhausted at fill .20; \
        supply 90, 80 to earlier tiers
        """
        return explain_claim(
            name or f"claimant {claimant}",
            claimant,
            supply=int(self.supply[sku]),
            pack_size=int(self.pack_size[sku]),
            granted=self.granted[sku],
            requested=self.requested[sku],
            guarantee=self.guarantee[sku],
            weight=self.weight[sku],
            tier=self.tier[sku],
        )


def water_fill(
    supply: Any,
    requested: Any,
    *,
    guarantee: Any = 0,
    weight: Any = 1,
    tier: Any = 1,
    pack_size: Any = 1,
    consumed: Any = None,
    granted_before: Any = None,
    groups: Sequence[Group] = (),
    rule: str = "max_min",
) -> Allocation:
    """Divide the supply of each SKU among claimants, exactly.

    Parameters
    ----------
    supply : (n_skus,) int
        Units to divide.
    requested : (n_skus, n_claimants) int
        Units wanted; nobody gets more.
    guarantee : int, broadcast to (n_skus, n_claimants)
        Units granted before anything else, as far as requested and rounded up to packs.
    weight : float, broadcast to (n_skus, n_claimants)
        Share among claimants of one tier, to six decimals. Weight 0 means: only what
        the others of the tier leave, in equal parts.
    tier : int >= 1, broadcast to (n_skus, n_claimants)
        Tier 1 is served before tier 2.
    pack_size : int, broadcast to (n_skus,)
        Grants are whole packs; a request counts as the whole packs that fit in it.
    consumed : int, broadcast to (n_skus, n_claimants), optional
        Units taken since an allocation before this one. They stay with who took them, and
        ``supply``, ``requested``, ``guarantee`` and the grants all include them.
    granted_before : int, broadcast to (n_skus, n_claimants), optional
        Grants to keep. As long as the supply covers them nobody loses any of it; where it
        does not, nobody gains, and the same rule says who loses how much.
    groups : sequence of Group
        Least units for several claimants together, which may lie inside one another.
        Units of an inner group count for the groups around it.
    rule : {"max_min", "fill_rate", "proportional"}
        How one tier divides what it gets, ``level`` being one number per SKU and tier:

        - ``max_min``: ``clip(level * weight, guarantee, requested)``. It makes the worst
          weighted grant as large as possible, then the next worst, and so on, and for a
          single SKU is also the proportionally fair division.
        - ``fill_rate``: ``clip(level * weight * requested, guarantee, requested)``. With
          equal weights everyone gets the same share of the request.
        - ``proportional``: ``min(guarantee + level * weight, requested)``. What the
          guarantees leave is split by weight on top of them.

    Returns
    -------
    Allocation
        Grants sum to ``min(supply, sum of requests)`` per SKU, or with packs to the
        largest number of whole packs in both. Without groups a grant differs from its
        exact share, which the lexicographic LP finds, by less than one pack, and no
        division into whole packs is nearer to the exact shares. Equal remainders go to
        the first column. Equal input gives equal output always; more supply may move a
        single unit (largest remainder keeps to the exact shares, and no such rule can
        also be monotone in supply), unless ``granted_before`` keeps it where it is.

    Raises
    ------
    InputError
        If shapes disagree, quantities are no integers >= 0, or the rule is unknown.

    References
    ----------
    Bitran, G. R. and Hax, A. C. (1981), Disaggregation and resource allocation using
    convex knapsack problems with bounded variables, Management Science 27(4).
    Balinski, M. L. and Young, H. P. (1982), Fair Representation, for largest remainder.

    Examples
    --------
    >>> water_fill([100], [[80, 50, 40]], guarantee=[0, 30, 0], weight=[2, 1, 1]).granted
    array([[47, 30, 23]])
    """
    code = rule_code(rule)
    units = integers("supply", supply)
    wanted = integers("requested", requested)
    if units.ndim != 1 or wanted.ndim != 2 or wanted.shape[0] != units.shape[0]:
        raise InputError(
            f"supply must be (n_skus,) and requested (n_skus, n_claimants), "
            f"got {units.shape} and {wanted.shape}"
        )
    n_skus, n_claims = wanted.shape
    floors = _broadcast("guarantee", integers("guarantee", guarantee), wanted.shape)
    packs = _broadcast("pack_size", integers("pack_size", pack_size), units.shape)
    tiers, weights = integers("tier", tier), whole_weights(weight)
    all_tiers = _broadcast("tier", tiers, wanted.shape)
    all_weights = _broadcast("weight", np.asarray(weight), wanted.shape)
    used = _optional("consumed", consumed, wanted)
    kept = _optional("granted_before", granted_before, wanted)
    for name, values in (("supply", units), ("requested", wanted), ("guarantee", floors)):
        check_range(name, values, 0)
    check_range("tier", tiers, 1)
    check_range("pack_size", packs, 1)
    check_consumed(used, wanted, units, packs)
    most = int(wanted.max(initial=0)) if code == FILL_RATE else 1
    check_weights(weights, most, n_claims)

    flat_weights, one_weight = _rows(weights, wanted.shape)
    flat_tiers, one_tier = _rows(tiers, wanted.shape)
    claims = Claims(
        offsets=np.arange(n_skus + 1, dtype=np.int64) * n_claims,
        requested=_flat(wanted),
        guarantee=_flat(floors),
        weight=flat_weights,
        tier=flat_tiers,
        consumed=_flat(used),
        kept=_flat(kept),
        shared_weight=one_weight,
        shared_tier=one_tier,
    )
    division = Division(
        _flat(units), _flat(packs), claims, group_rows(groups, n_skus, n_claims), code
    )
    return Allocation(
        granted=division.granted().reshape(wanted.shape),
        supply=units,
        requested=wanted,
        guarantee=floors,
        weight=all_weights,
        tier=all_tiers,
        pack_size=packs,
        consumed=used if used.size else np.broadcast_to(np.int64(0), wanted.shape),
        division=division,
    )


def rule_code(rule: str) -> int:
    """Return the kernel's code of a rule's name."""
    if rule not in RULES:
        raise InputError(f"rule must be one of {', '.join(RULES)}, got {rule!r}")
    return RULES[rule]


def protections(
    granted: np.ndarray,
    guarantee: np.ndarray,
    consumed: np.ndarray,
    for_groups: np.ndarray,
    has_later: np.ndarray,
) -> np.ndarray:
    """Return the suggested floor of each claim; see :attr:`Allocation.protection`."""
    kept = np.where(has_later, granted, np.minimum(granted, guarantee))
    return np.asarray(np.maximum(np.maximum(kept, for_groups) - consumed, 0))


def explain_claim(
    name: str,
    claim: int,
    *,
    supply: int,
    pack_size: int,
    granted: np.ndarray,
    requested: np.ndarray,
    guarantee: np.ndarray,
    weight: np.ndarray,
    tier: np.ndarray,
) -> str:
    """Explain one of the claims on a SKU; the arrays stand over all of them."""
    own = int(tier[claim])
    got, asked = int(granted[claim]), int(requested[claim])
    text = f"{name} got {got} of {asked}: tier {own}, guarantee {guarantee[claim]}, "
    text += f"weight {_short(f'{float(weight[claim]):g}')}"
    if got >= asked:
        return text + ", met in full"
    unclaimed = supply - int(granted.sum())
    if unclaimed >= pack_size:
        return f"{text}, all the whole packs of {pack_size} in it"
    text += f", supply exhausted at fill {_short(f'{min(got / asked, 0.99):.2f}')}"
    parts = [f"supply {supply}"]
    for units, whom in (
        (int(granted[tier < own].sum()), "to earlier tiers"),
        (int(granted[tier == own].sum()) - got, f"to others of tier {own}"),
        (int(granted[tier > own].sum()), "to later tiers"),
        (unclaimed, f"less than a pack of {pack_size}"),
    ):
        if units:
            parts.append(f"{units} {whom}")
    return f"{text}; {', '.join(parts)}"


def _short(number: str) -> str:
    """Write a share as planners do: .4 rather than 0.4."""
    return number.removeprefix("0") or "0" if number != "0.00" else "0"


def _broadcast(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.broadcast_to(values, shape)
    except ValueError as error:
        raise InputError(f"{name} of shape {values.shape} does not fit {shape}") from error


def _optional(name: str, values: Any, wanted: np.ndarray) -> np.ndarray:
    """Return units in the shape of ``wanted``, or an empty array if there are none."""
    if values is None:
        return np.empty((0, 0), dtype=np.int64)
    array = integers(name, values)
    check_range(name, array, 0)
    return _broadcast(name, array, wanted.shape)


def _rows(values: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, bool]:
    """Return values flat, and whether one row of them stands for all SKUs."""
    shared = values.ndim < 2 or values.shape[0] == 1
    full = np.broadcast_to(values, (1, shape[1]) if shared else shape)
    return _flat(full), shared


def _flat(values: np.ndarray) -> np.ndarray:
    # Contiguous and writeable always: another kind of array would compile the kernel again.
    return np.require(values, requirements=["C", "W"]).reshape(-1)
