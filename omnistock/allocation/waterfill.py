"""Scarce supply to claims, in arrays.

The order of things, for each SKU on its own:

1. Guarantees, tier by tier. Where they exceed the supply, the tier in which it runs
   out divides what is left by the same rule, each guarantee standing as a request;
   later tiers get nothing.
2. What is left, tier by tier: a tier gets something only when all requests of the
   tiers before it are met.
3. Inside a tier the rule decides, and fractions are rounded by largest remainder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from omnistock.allocation.inputs import (
    check_range,
    check_weights,
    integers,
    whole_weights,
)
from omnistock.allocation.kernels import (
    FILL_RATE,
    MAX_MIN,
    PROPORTIONAL,
    WORK_ROWS,
    water_fill_into,
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
    """

    granted: np.ndarray
    supply: np.ndarray
    requested: np.ndarray
    guarantee: np.ndarray
    weight: np.ndarray
    tier: np.ndarray
    pack_size: np.ndarray

    @property
    def unclaimed(self) -> np.ndarray:
        """Supply that was not granted, (n_skus,): nobody asked, or it is less than a pack."""
        return np.asarray(self.supply - self.granted.sum(axis=1))

    @property
    def quota(self) -> np.ndarray:
        """Suggested ceilings, (n_skus, n_claimants): the grant plus what nobody claimed.

        For a scarce SKU this is the grant, so that quotas alone keep every grant; where
        stock is plentiful the free pool stays open to all.
        """
        return np.asarray(self.granted + self.unclaimed[:, None])

    @property
    def protection(self) -> np.ndarray:
        """Suggested floors, (n_skus, n_claimants), to keep from others where no quota does.

        The whole grant if a claimant of the SKU stands in a later tier, else the part
        of the grant that was guaranteed. The rest goes to whoever asks first.
        """
        last = self.tier.max(axis=1, initial=0, keepdims=True)
        return protections(self.granted, self.guarantee, self.tier < last)

    def explain(self, sku: int, claimant: int, name: str | None = None) -> str:
        """Say in one line what a claimant got, under which terms, and who got the rest.

        Examples
        --------
        >>> water_fill([100], [[80, 50]], tier=[1, 2]).explain(0, 1, "web")
        'web got 20 of 50: tier 2, guarantee 0, weight 1; supply 100, 80 to earlier tiers'
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
        largest number of whole packs in both. A grant differs from its exact share by
        less than one pack. Equal remainders go to the first column. Equal input gives
        equal output always; more supply may move a single unit (largest remainder
        keeps to the exact shares, and no rule can also be monotone in supply).

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
    for name, values, low in (
        ("supply", units, 0),
        ("requested", wanted, 0),
        ("guarantee", floors, 0),
        ("tier", tiers, 1),
        ("pack_size", packs, 1),
    ):
        check_range(name, values, low)
    most = int(wanted.max(initial=0)) if code == FILL_RATE else 1
    check_weights(weights, most, n_claims)

    granted = np.empty((n_skus, n_claims), dtype=np.int64)
    offsets = np.arange(n_skus + 1, dtype=np.int64) * n_claims
    flat_weights, one_weight = _rows(weights, wanted.shape)
    flat_tiers, one_tier = _rows(tiers, wanted.shape)
    water_fill_into(
        granted.reshape(-1),
        _flat(units),
        offsets,
        _flat(wanted),
        _flat(floors),
        flat_weights,
        flat_tiers,
        _flat(packs),
        one_weight,
        one_tier,
        code,
        np.zeros((WORK_ROWS, max(n_claims, 1)), dtype=np.int64),
    )
    return Allocation(
        granted=granted,
        supply=units,
        requested=wanted,
        guarantee=floors,
        weight=all_weights,
        tier=all_tiers,
        pack_size=packs,
    )


def rule_code(rule: str) -> int:
    """Return the kernel's code of a rule's name."""
    if rule not in RULES:
        raise InputError(f"rule must be one of {', '.join(RULES)}, got {rule!r}")
    return RULES[rule]


def protections(granted: np.ndarray, guarantee: np.ndarray, has_later: np.ndarray) -> np.ndarray:
    """Return the suggested floor of each claim; see :attr:`Allocation.protection`."""
    return np.where(has_later, granted, np.minimum(granted, guarantee))


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
    share = f"{float(weight[claim]):g}"
    text = f"{name} got {granted[claim]} of {requested[claim]}: tier {own}, "
    text += f"guarantee {guarantee[claim]}, weight {share.removeprefix('0') or '0'}"
    if granted[claim] >= requested[claim]:
        return text + "; met in full"
    others = int(granted[tier == own].sum() - granted[claim])
    parts = [f"supply {supply}"]
    for units, whom in (
        (int(granted[tier < own].sum()), "to earlier tiers"),
        (others, f"to others of tier {own}"),
        (int(granted[tier > own].sum()), "to later tiers"),
    ):
        if units:
            parts.append(f"{units} {whom}")
    if pack_size > 1:
        parts.append(f"whole packs of {pack_size}")
    return f"{text}; {', '.join(parts)}"


def _broadcast(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.broadcast_to(values, shape)
    except ValueError as error:
        raise InputError(f"{name} of shape {values.shape} does not fit {shape}") from error


def _rows(values: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, bool]:
    """Return values flat, and whether one row of them stands for all SKUs."""
    shared = values.ndim < 2 or values.shape[0] == 1
    full = np.broadcast_to(values, (1, shape[1]) if shared else shape)
    return _flat(full), shared


def _flat(values: np.ndarray) -> np.ndarray:
    # Contiguous and writeable always: another kind of array would compile the kernel again.
    return np.require(values, requirements=["C", "W"]).reshape(-1)
