"""What every claim of a table gets, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.allocation.pouring import STAGES
from omnistock.allocation.waterfill import explain_claim
from omnistock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from omnistock.frames import Table

__all__ = ["Allocated"]


@dataclass(frozen=True, eq=False)
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
    granted : (n_claims,) int64
        Units of the SKU's supply that are the claim's, what it has consumed included.
    quota, protection : (n_claims,) int64
        As in :class:`~omnistock.allocation.Allocation`: what the engine should set now.
    """

    claims: Table
    sku_of_claim: np.ndarray
    supply: np.ndarray
    pack_size: np.ndarray
    granted: np.ndarray
    quota: np.ndarray
    protection: np.ndarray
    granted_upto: Callable[[int], np.ndarray]

    def __len__(self) -> int:
        return self.claims.n_rows

    @property
    def consumed(self) -> np.ndarray:
        """(n_claims,) int64: units of each grant that were taken before the allocation."""
        return self.claims["consumed"]

    @property
    def _who(self) -> list[str]:
        return [name for name in ("channel", "node") if name in self.claims.given]

    def to_table(self) -> Any:
        """Return sku, who, supply, requested, granted, quota, protection as the claims' kind."""
        columns: dict[str, Any] = {name: self.claims[name] for name in ("sku", *self._who)}
        columns["supply"] = self.supply
        columns["requested"] = self.claims["quantity"]
        columns["granted"] = self.granted
        columns["quota"] = self.quota
        columns["protection"] = self.protection
        return self.claims.native(columns)

    def waterfall(self) -> dict[str, np.ndarray]:
        """Return what each stage of the division gave to each claim, in smallest units.

        Returns
        -------
        dict of (n_claims,) int64
            ``consumed``, ``kept``, ``guaranteed``, ``for_group`` and ``shared`` sum to the
            grant, and with ``short`` to the request (a grant in packs may then exceed it).
        """
        columns: dict[str, np.ndarray] = {}
        before = np.zeros_like(self.granted)
        for stage, name in enumerate(STAGES):
            after = self.granted_upto(stage)
            columns[name] = after - before
            before = after
        columns["short"] = np.maximum(self.claims["quantity"] - self.granted, 0)
        return columns

    def to_waterfall(self) -> Any:
        """Return sku, who, requested, the columns of :meth:`waterfall`, granted and the reason."""
        columns: dict[str, Any] = {name: self.claims[name] for name in ("sku", *self._who)}
        columns["requested"] = self.claims["quantity"]
        columns |= self.waterfall()
        columns["granted"] = self.granted
        columns["reason"] = np.array([self.explain(row) for row in range(len(self))], object)
        return self.claims.native(columns)

    def plot(self, sku: str) -> Any:
        """Draw who got what of a SKU and why, one bar per claim; returns an altair chart.

        Raises
        ------
        InputError
            If nobody claims the SKU.
        """
        import altair as alt
        import pyarrow as pa

        rows = np.flatnonzero(self.claims["sku"] == sku)
        if not len(rows):
            raise InputError(f"no claim is on SKU {sku!r}")
        parts = self.waterfall()
        given = [name for name in parts if parts[name][rows].any()]
        # Blue and orange tell apart for every common kind of colour blindness.
        colours = {
            "consumed": "#4d4d4d",
            "kept": "#93a0ae",
            "guaranteed": "#0b5cad",
            "for_group": "#009e73",
            "shared": "#56b4e9",
            "short": "#f3d3bd",
        }
        bars = [
            {
                "who": self._name(row),
                "part": name.replace("_", " "),
                "units": int(parts[name][row]),
                "order": place,
                "why": self.explain(row),
            }
            for row in rows.tolist()
            for place, name in enumerate(given)
        ]
        scale = alt.Scale(
            domain=[name.replace("_", " ") for name in given],
            range=[colours[name] for name in given],
        )
        title = f"{sku}: {int(self.supply[rows[0]])} units"
        return (
            alt.Chart(pa.Table.from_pylist(bars), title=title)
            .mark_bar()
            .encode(
                x=alt.X("units:Q", stack="zero", title="units asked for"),
                y=alt.Y("who:N", sort=None, title=None),
                color=alt.Color("part:N", scale=scale, title=None),
                order=alt.Order("order:Q"),
                tooltip=["who:N", "part:N", "units:Q", "why:N"],
            )
        )

    def explain(
        self, claim: int | str, channel: str | None = None, *, node: str | None = None
    ) -> str:
        """Say in one line what a claim got, and why not more.

        Parameters
        ----------
        claim : int or str
            A row of the claims table from 0; or a SKU, with the channel, the node or both
            of the claim.

        Raises
        ------
        InputError
            If there is no such claim, or if several fit.
        """
        row = claim if isinstance(claim, (int, np.integer)) else self._row(claim, channel, node)
        if not 0 <= row < len(self):
            raise InputError(f"row must lie in 0..{len(self) - 1}, got {row}")
        rivals = np.flatnonzero(self.sku_of_claim == self.sku_of_claim[row])
        return explain_claim(
            self._name(int(row)),
            int(np.searchsorted(rivals, row)),
            supply=int(self.supply[row]),
            pack_size=int(self.pack_size[row]),
            granted=self.granted[rivals],
            requested=self.claims["quantity"][rivals],
            guarantee=self.claims["guarantee"][rivals],
            weight=self.claims["weight"][rivals],
            tier=self.claims["tier"][rivals],
        )

    def _name(self, row: int) -> str:
        return " at ".join(
            str(self.claims[name][row]) for name in self._who if self.claims[name][row]
        )

    def _row(self, sku: str, channel: str | None, node: str | None) -> int:
        found = self.claims["sku"] == sku
        for column, value in (("channel", channel), ("node", node)):
            if value is not None:
                found = found & (self.claims[column] == value)
        rows = np.flatnonzero(found)
        if len(rows) != 1:
            names = [self._name(row) for row in np.flatnonzero(self.claims["sku"] == sku).tolist()]
            have = f"it has {', '.join(names[:10])}" if names else "nobody claims it"
            raise InputError(
                f"{len(rows)} claims on {sku!r} fit channel {channel!r} and node {node!r}; {have}"
            )
        return int(rows[0])
