"""The plan: what the nightly chain decided, as tables, and how it is kept and opened."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.errors import InputError
from omnistock.model import Network

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["OpenOrder", "OpeningState", "Plan", "PlanSettings"]

TABLE_NAMES = (
    "forecast",
    "outlook",
    "history",
    "buffers",
    "channel_buffers",
    "replenishment",
    "allocation",
    "kpis",
)


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """What the planner may set, once for the whole plan.

    Attributes
    ----------
    horizon_days : int
        Days to forecast; also the longest span that an allocation looks ahead.
    service_level : float
        Share of replenishment cycles without a stockout, where a channel names none.
    fill_rate : float, optional
        If given, buffers aim at this share of units met from the shelf instead.
    oversell_risk : float
        Accepted probability that a channel sells, before it hears of it, more than
        its oversell buffer held back.
    share_half_life_days : float
        A sale this old counts half when the channels' shares of demand are measured.
    """

    horizon_days: int = 28
    service_level: float = 0.95
    fill_rate: float | None = None
    oversell_risk: float = 0.01
    share_half_life_days: float = 28.0

    def __post_init__(self) -> None:
        if not 1 <= self.horizon_days <= 366:
            raise InputError(f"horizon_days must lie in 1..366, got {self.horizon_days}")
        for name in ("service_level", "fill_rate", "oversell_risk"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 1:
                raise InputError(f"{name} must lie between 0 and 1, got {value}")
        if not self.share_half_life_days > 0:
            raise InputError(f"share_half_life_days must be > 0, got {self.share_half_life_days}")


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An accepted order that has not shipped: its lines in smallest units, kits unexploded.

    A line is (sku, units), or (sku, units, node) if it must come from that node.
    """

    order: str
    channel: str
    lines: tuple[tuple[str, int] | tuple[str, int, str], ...]


@dataclass(frozen=True)
class OpeningState:
    """What the engine starts from, in smallest units.

    ``stock`` and ``inbound`` are columns (sku, node, quantity; for inbound also
    reference and eta, seconds since 1970). On hand is what lies on the shelf, the
    units of open orders included: the engine takes those off by reserving them.
    """

    stock: dict[str, np.ndarray] = field(default_factory=dict)
    inbound: dict[str, np.ndarray] = field(default_factory=dict)
    orders: tuple[OpenOrder, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The result of the nightly chain. Quantities in tables are in selling units.

    Attributes
    ----------
    as_of : datetime.date
        The morning the plan is for: history ends the day before.
    forecast : pyarrow.Table
        sku, node, date, mean, lower_95, lower_80, median, upper_80, upper_95, reason:
        demand per day of every stockpoint. Four days in five lie within the bounds
        of 80, nineteen in twenty within those of 95.
    outlook : pyarrow.Table
        level (``total`` or ``sku``), sku, date and the same bounds, for all nodes together.
    history : pyarrow.Table
        sku, date, quantity, censored_share: what was sold, kits as their components.
    buffers : pyarrow.Table
        One row per stockpoint: demand, lead time, safety stock, reorder point,
        order-up-to level, position, expected fill rate, reason.
    channel_buffers : pyarrow.Table
        sku, channel, buffer: units a channel does not see because it hears late of
        what other channels sell.
    replenishment : pyarrow.Table
        Orders to suppliers and transfers between nodes, most urgent first.
    allocation : pyarrow.Table
        Scarce SKUs only: who asked, who gets how much, quota and protection.
    kpis : pyarrow.Table
        scope (total, node, channel), name, demand, stock, cover, fill rate, turns.
    opening : OpeningState
        What :meth:`open_engine` loads, in smallest units.
    """

    as_of: dt.date
    settings: PlanSettings
    network: Network
    opening: OpeningState
    forecast: pa.Table
    outlook: pa.Table
    history: pa.Table
    buffers: pa.Table
    channel_buffers: pa.Table
    replenishment: pa.Table
    allocation: pa.Table
    kpis: pa.Table

    @property
    def tables(self) -> dict[str, pa.Table]:
        """The tables by name, in the order of the chain."""
        return {name: getattr(self, name) for name in TABLE_NAMES}

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {table.num_rows:,}" for name, table in self.tables.items())
        return f"Plan(as_of={self.as_of.isoformat()}, rows: {rows})"

    def write(self, folder: str | Path) -> Path:
        """Write every table as ``folder/NAME.parquet``: all of them, or none.

        The tables are written to a new folder beside it, which then takes its
        place, so that a reader never meets half a plan. An existing folder is
        replaced only if it holds nothing but an earlier plan.

        Raises
        ------
        InputError
            If ``folder`` holds other files, or is a file.
        """
        target = Path(folder)
        _check_replaceable(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            _write_tables(self.tables, made)
            made.chmod(0o755)
            _swap(made, target)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return target

    def open_engine(self, path: str | Path = ":memory:") -> Any:
        """Open a new engine on this plan: network, stock, inbound, orders, buffers, quotas.

        Parameters
        ----------
        path : str or Path
            A file that does not exist yet, or ``":memory:"``.

        Returns
        -------
        Engine
            Its clock stands at the plan's morning. Open orders are hard
            reservations; those that stock could not meet are named in a warning
            (:func:`omnistock.planning.load_engine` returns them).

        Raises
        ------
        InputError
            If ``path`` exists: loading twice would double the stock.
        """
        from omnistock.planning.opening import load_engine

        loaded = load_engine(self, path)
        if loaded.refused:
            names = ", ".join(order for order, _ in loaded.refused[:5])
            more = f" and {len(loaded.refused) - 5} more" if len(loaded.refused) > 5 else ""
            warnings.warn(
                f"{len(loaded.refused)} open orders found no stock and were not reserved: "
                f"{names}{more}",
                stacklevel=2,
            )
        return loaded.engine


def _check_replaceable(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise InputError(f"{target} is a file; give a folder for the plan")
    ours = {f"{name}.parquet" for name in TABLE_NAMES}
    other = sorted(entry.name for entry in target.iterdir() if entry.name not in ours)
    if other:
        raise InputError(
            f"{target} holds other files ({', '.join(other[:5])}); "
            "a plan replaces its whole folder, so give it one of its own"
        )


def _write_tables(tables: dict[str, pa.Table], folder: Path) -> None:
    import pyarrow.parquet as pq

    for name, table in tables.items():
        with open(folder / f"{name}.parquet", "wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())


def _swap(made: Path, target: Path) -> None:
    """Put ``made`` in the place of ``target``; if that fails the old folder comes back."""
    if not target.exists():
        made.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.rename(old)  # a directory may take the place of an empty one
    try:
        made.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
