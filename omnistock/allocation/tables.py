"""Scarce supply to claims, in tables of the caller's own kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from omnistock.allocation.inputs import LARGEST, check_weights, whole_weights
from omnistock.allocation.kernels import FILL_RATE, WORK_ROWS, water_fill_into
from omnistock.allocation.waterfill import explain_claim, protections, rule_code
from omnistock.errors import FrameError, InputError
from omnistock.frames import Column, Table, TableSpec, check_references, read_table

__all__ = ["CLAIMS", "SUPPLY", "Allocated", "allocate"]

SUPPLY = TableSpec(
    "supply",
    (
        Column("sku", "text", help="What is scarce."),
        Column("quantity", "units", minimum=0, maximum=LARGEST, help="Smallest units to divide."),
        Column(
            "pack_size",
            "units",
            required=False,
            minimum=1,
            maximum=LARGEST,
            default=1,
            help="Smallest units per pack; only whole packs are granted.",
        ),
    ),
    key=("sku",),
    help="Units to divide, by SKU.",
)

CLAIMS = TableSpec(
    "claims",
    (
        Column("sku", "text", help="What is wanted."),
        Column("channel", "text", required=False, help="Who wants it: a channel,"),
        Column("node", "text", required=False, help="a node, or a channel at a node."),
        Column("quantity", "units", minimum=0, maximum=LARGEST, help="Smallest units wanted."),
        Column(
            "tier",
            "units",
            required=False,
            minimum=1,
            maximum=LARGEST,
            default=1,
            help="Tier 1 is served before tier 2.",
        ),
        Column(
            "weight",
            "number",
            required=False,
            minimum=0,
            maximum=LARGEST,
            default=1.0,
            help="Share among claims of one tier.",
        ),
        Column(
            "guarantee",
            "units",
            required=False,
            minimum=0,
            maximum=LARGEST,
            default=0,
            help="Smallest units granted before anything else.",
        ),
    ),
    key=("sku", "channel", "node"),
    help="Who wants how much of which SKU.",
)


@dataclass(frozen=True)
class Allocated:
    """What every claim gets, in the order of the claims table.

    Attributes
    ----------
    claims : Table
        The claims as read.
    sku_of_claim : (n_claims,) int64
        Which group of claims (one per SKU) a claim belongs to.
    supply, pack_size : (n_claims,) int64
        Of the claim's SKU.
    granted, quota, protection : (n_claims,) int64
        As in :class:`~omnistock.allocation.Allocation`.
    """

    claims: Table
    sku_of_claim: np.ndarray
    supply: np.ndarray
    pack_size: np.ndarray
    granted: np.ndarray
    quota: np.ndarray
    protection: np.ndarray

    def __len__(self) -> int:
        return self.claims.n_rows

    def to_table(self) -> Any:
        """Return sku, who, supply, requested, granted, quota, protection as the claims' kind."""
        who = [name for name in ("channel", "node") if name in self.claims.given]
        columns: dict[str, Any] = {name: self.claims[name] for name in ("sku", *who)}
        columns["supply"] = self.supply
        columns["requested"] = self.claims["quantity"]
        columns["granted"] = self.granted
        columns["quota"] = self.quota
        columns["protection"] = self.protection
        return self.claims.native(columns)

    def explain(self, row: int) -> str:
        """Say in one line what the claim in ``row`` (from 0) got, and why not more.

        Raises
        ------
        InputError
            If there is no such row.
        """
        if not 0 <= row < len(self):
            raise InputError(f"row must lie in 0..{len(self) - 1}, got {row}")
        rivals = np.flatnonzero(self.sku_of_claim == self.sku_of_claim[row])
        who = [self.claims[name][row] for name in ("channel", "node") if self.claims[name][row]]
        return explain_claim(
            " at ".join(who),
            int(np.searchsorted(rivals, row)),
            supply=int(self.supply[row]),
            pack_size=int(self.pack_size[row]),
            granted=self.granted[rivals],
            requested=self.claims["quantity"][rivals],
            guarantee=self.claims["guarantee"][rivals],
            weight=self.claims["weight"][rivals],
            tier=self.claims["tier"][rivals],
        )


def allocate(supply: Any, claims: Any, *, rule: str = "max_min") -> Allocated:
    """Divide scarce units among channels, nodes or both.

    Parameters
    ----------
    supply : table
        ``sku``, ``quantity`` (smallest units) and optionally ``pack_size``.
    claims : table
        ``sku``, ``channel`` or ``node`` or both, ``quantity`` (smallest units wanted), and
        optionally ``tier``, ``weight``, ``guarantee``. Any kind of table: pandas, polars,
        pyarrow, a dict of columns, or a path.
    rule : {"max_min", "fill_rate", "proportional"}
        See :func:`~omnistock.allocation.water_fill`, which also states the order in which
        guarantees and tiers are served.

    Returns
    -------
    Allocated
        In the order of ``claims``; ``to_table()`` gives a frame of the same kind. The
        order of rows does not change who gets what: equal remainders go by name.

    Raises
    ------
    FrameError
        Naming table, row and column of everything that is wrong, also claims on a SKU
        that has no row in ``supply`` (give it quantity 0 if there is none).

    Examples
    --------
    >>> quotas = allocate(
    ...     {"sku": ["TEE"], "quantity": [100]},
    ...     {"sku": ["TEE", "TEE"], "channel": ["web", "store"], "quantity": [120, 40]},
    ... )
    >>> quotas.explain(0)
    'web got 60 of 120: tier 1, guarantee 0, weight 1; supply 100, 40 to others of tier 1'
    """
    code = rule_code(rule)
    given = read_table(supply, SUPPLY, name="supply")
    asked = read_table(claims, CLAIMS, name="claims")
    problems = check_references(asked, "sku", given.codes("sku").labels)
    if problems:
        raise FrameError(problems)
    if not asked.given & {"channel", "node"}:
        raise InputError("claims needs a column 'channel' or 'node' that says who claims")

    skus = asked.codes("sku")
    row_of = {label: row for row, label in enumerate(given["sku"])}
    rows = np.array([row_of[label] for label in skus.labels], dtype=np.int64)
    units, packs = given["quantity"][rows], given["pack_size"][rows]
    granted = _grant(asked, units, packs, code)

    group = skus.codes.astype(np.int64)
    unclaimed = units.copy()
    np.subtract.at(unclaimed, group, granted)
    last_tier = np.zeros(len(units), dtype=np.int64)
    np.maximum.at(last_tier, group, asked["tier"])
    has_later = asked["tier"] < last_tier[group]
    return Allocated(
        claims=asked,
        sku_of_claim=group,
        supply=units[group],
        pack_size=packs[group],
        granted=granted,
        quota=granted + unclaimed[group],
        protection=protections(granted, asked["guarantee"], has_later),
    )


def _grant(asked: Table, units: np.ndarray, packs: np.ndarray, code: int) -> np.ndarray:
    """Return the grants of all claims; ``units`` and ``packs`` stand over the claims' SKUs."""
    skus = asked.codes("sku").codes
    # Claims of one SKU together and by name, so that ties do not depend on row order.
    order = np.lexsort((asked.codes("node").codes, asked.codes("channel").codes, skus))
    counts = np.bincount(skus, minlength=len(units))
    widest = int(counts.max(initial=0))
    weights = whole_weights(asked["weight"])
    most = int(asked["quantity"].max(initial=0)) if code == FILL_RATE else 1
    check_weights(weights, most, widest)

    granted = np.empty(asked.n_rows, dtype=np.int64)
    in_order = np.empty_like(granted)
    water_fill_into(
        in_order,
        units,
        np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        asked["quantity"][order],
        asked["guarantee"][order],
        weights[order],
        asked["tier"][order],
        packs,
        False,
        False,
        code,
        np.zeros((WORK_ROWS, max(widest, 1)), dtype=np.int64),
    )
    granted[order] = in_order
    return granted
