"""Scarce supply to claims, in tables of the caller's own kind."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from omnistock.allocation.allocated import Allocated
from omnistock.allocation.groups import no_groups, ragged
from omnistock.allocation.inputs import LARGEST, check_weights, whole_weights
from omnistock.allocation.pouring import FILL_RATE, GROUP_STAGE, STAGES, Claims, Division, Groups
from omnistock.allocation.waterfill import protections, rule_code
from omnistock.errors import FrameError, InputError, Problem
from omnistock.frames import Column, Table, TableSpec, check_references, read_table

__all__ = ["CLAIMS", "FLOORS", "SUPPLY", "allocate"]

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
        Column(
            "group",
            "text",
            required=False,
            help="Groups that the claim is part of, the outermost first: market/eu.",
        ),
        Column(
            "consumed",
            "units",
            required=False,
            minimum=0,
            maximum=LARGEST,
            default=0,
            help="Smallest units taken already; quantity and supply include them.",
        ),
        Column(
            "granted_before",
            "units",
            required=False,
            minimum=0,
            maximum=LARGEST,
            default=0,
            help="Smallest units granted before, to keep as far as supply allows.",
        ),
    ),
    key=("sku", "channel", "node"),
    help="Who wants how much of which SKU.",
)

FLOORS = TableSpec(
    "floors",
    (
        Column("sku", "text", help="What is kept."),
        Column("group", "text", help="For whom: a group and all groups inside it."),
        Column(
            "quantity",
            "units",
            minimum=0,
            maximum=LARGEST,
            help="Smallest units that they get together.",
        ),
    ),
    key=("sku", "group"),
    help="Least units of groups of claims.",
)


class _Ordered(NamedTuple):
    """Claims sorted by SKU and name, so that ties do not depend on the order of rows."""

    order: np.ndarray
    division: Division

    def granted(self, last_stage: int = len(STAGES) - 1) -> np.ndarray:
        """Return the grants in the order of the table, as far as ``last_stage``."""
        granted = np.empty(len(self.order), dtype=np.int64)
        granted[self.order] = self.division.granted(last_stage)
        return granted


def allocate(supply: Any, claims: Any, *, floors: Any = None, rule: str = "max_min") -> Allocated:
    """Divide scarce units among channels, nodes or both.

    Parameters
    ----------
    supply : table
        ``sku``, ``quantity`` (smallest units) and optionally ``pack_size``.
    claims : table
        ``sku``, ``channel`` or ``node`` or both, ``quantity`` (smallest units wanted), and
        optionally ``tier``, ``weight``, ``guarantee``, ``group``, ``consumed`` and
        ``granted_before``. Any kind of table: pandas, polars, pyarrow, a dict of columns,
        or a path.
    floors : table, optional
        ``sku``, ``group``, ``quantity``: least units that the claims of a group get
        together. A group is a path, and what ``market/eu`` gets counts for ``market``.
    rule : {"max_min", "fill_rate", "proportional"}
        See :func:`~omnistock.allocation.water_fill`, which also states the order in which
        guarantees, floors and tiers are served.

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
    >>> quotas.explain("TEE", "store")
    'store got 40 of 40: tier 1, guarantee 0, weight 1, met in full'
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
    _check_consumed(asked, units, packs)
    kept = read_table(floors, FLOORS, name="floors") if floors is not None else None
    ordered, members = _ordered(asked, kept, units, packs, code)
    granted = ordered.granted()
    for_groups = np.zeros_like(granted)
    if members:
        in_groups = np.unique(np.concatenate(members))
        for_groups[in_groups] = ordered.granted(GROUP_STAGE)[in_groups]

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
        quota=granted - asked["consumed"] + unclaimed[group],
        protection=protections(
            granted, asked["guarantee"], asked["consumed"], for_groups, has_later
        ),
        granted_upto=ordered.granted,
    )


def _ordered(
    asked: Table, floors: Table | None, units: np.ndarray, packs: np.ndarray, code: int
) -> tuple[_Ordered, list[np.ndarray]]:
    """Sort the claims; ``units`` and ``packs`` stand over the claims' SKUs.

    Also returns the rows of the claims that each floor is about.
    """
    skus = asked.codes("sku").codes
    order = np.lexsort((asked.codes("node").codes, asked.codes("channel").codes, skus))
    counts = np.bincount(skus, minlength=len(units))
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    weights = whole_weights(asked["weight"])
    most = int(asked["quantity"].max(initial=0)) if code == FILL_RATE else 1
    check_weights(weights, most, int(counts.max(initial=0)))
    nothing = np.empty(0, dtype=np.int64)
    claims = Claims(
        offsets=offsets,
        requested=asked["quantity"][order],
        guarantee=asked["guarantee"][order],
        weight=weights[order],
        tier=asked["tier"][order],
        consumed=asked["consumed"][order] if "consumed" in asked.given else nothing,
        kept=asked["granted_before"][order] if "granted_before" in asked.given else nothing,
        shared_weight=False,
        shared_tier=False,
    )
    groups, members = no_groups(), []
    if floors is not None and len(floors):
        members = _members(asked, floors)
        groups = _group_rows(asked, floors, members, order, offsets)
    return _Ordered(order, Division(units, packs, claims, groups, code)), members


def _members(asked: Table, floors: Table) -> list[np.ndarray]:
    """Return the rows of claims that each floor is about."""
    by_sku: dict[str, list[tuple[int, str]]] = {}
    for row, (sku, path) in enumerate(zip(asked["sku"], asked["group"], strict=True)):
        by_sku.setdefault(sku, []).append((row, path))
    found, problems = [], []
    for k, (sku, group) in enumerate(zip(floors["sku"], floors["group"], strict=True)):
        rows = [
            row
            for row, path in by_sku.get(sku, ())
            if path == group or path.startswith(f"{group}/")
        ]
        if not rows:
            text = f"no claim on {sku!r} is part of group {group!r}"
            problems.append(Problem("floors", k + 1, "group", text))
        found.append(np.array(rows, dtype=np.int64))
    if problems:
        raise FrameError(problems)
    return found


def _group_rows(
    asked: Table, floors: Table, members: list[np.ndarray], order: np.ndarray, offsets: np.ndarray
) -> Groups:
    """Lay the floors out by SKU, groups inside others first, else by name."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    sku_of = asked.codes("sku").codes
    of_floor = np.array([sku_of[rows[0]] for rows in members], dtype=np.int64)
    names = [str(name) for name in floors["group"]]
    level = _levels(of_floor.tolist(), names)
    rank = sorted(range(len(members)), key=lambda k: (of_floor[k], level[k], names[k]))
    lists = [sorted((place[members[k]] - offsets[of_floor[k]]).tolist()) for k in rank]
    member_offsets, flat = ragged(lists)
    counts = np.bincount(of_floor, minlength=len(offsets) - 1)
    return Groups(
        offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        floor=floors["quantity"][rank],
        level=np.array([level[k] for k in rank], dtype=np.int64),
        member_offsets=member_offsets,
        members=flat,
        shared_members=False,
    )


def _levels(skus: list[int], names: list[str]) -> list[int]:
    """How many groups lie inside each group, one in another, of those that have floors."""
    level = dict.fromkeys(zip(skus, names, strict=True), 0)
    for sku, name in sorted(level, key=lambda key: -key[1].count("/")):
        parts = name.split("/")
        for n in range(1, len(parts)):
            outer = (sku, "/".join(parts[:n]))
            if outer in level:
                level[outer] = max(level[outer], level[sku, name] + 1)
    return [level[key] for key in zip(skus, names, strict=True)]


def _check_consumed(asked: Table, units: np.ndarray, packs: np.ndarray) -> None:
    """Raise, naming the rows, where consumed units exceed the request or the supply."""
    used, wanted = asked["consumed"], asked["quantity"]
    problems = [
        Problem(
            "claims",
            row + 1,
            "consumed",
            f"{used[row]} of {wanted[row]}: quantity must include what is consumed",
        )
        for row in np.flatnonzero(used > wanted).tolist()
    ]
    skus = asked.codes("sku")
    in_packs = np.zeros(len(units), dtype=np.int64)
    np.add.at(in_packs, skus.codes, -(-used // packs[skus.codes]))
    for k in np.flatnonzero(in_packs > units // packs).tolist():
        text = f"{units[k]} units of {skus.labels[k]!r} are less than claims have consumed of it"
        row = int(np.flatnonzero(skus.codes == k)[0])
        problems.append(Problem("claims", row + 1, "consumed", text))
    if problems:
        raise FrameError(problems)
