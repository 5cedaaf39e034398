"""A realistic retailer, seeded: the tables that a user would bring, and the truth behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.errors import InputError
from omnistock.frames import TABLES, Coded, to_arrow, write_table
from omnistock.simulation.catalogue import CATEGORIES, Catalogue, build_catalogue
from omnistock.simulation.demand import DemandModel, build_demand
from omnistock.simulation.geography import CHANNELS, WAREHOUSES, build_cells, node_specs
from omnistock.simulation.supply import History, run_history

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Retailer", "make_retailer"]

Columns = dict[str, Any]


@dataclass(frozen=True)
class Retailer:
    """A simulated retailer at the close of its last day.

    Attributes
    ----------
    seed : int
        What everything was drawn from.
    plan_date : date
        The last day of the history; stock, inbound and open orders are as of its close.
    tables : dict of str to pyarrow.Table
        The retailer's tables, as ``omnistock.frames.TABLES`` describes them.
    model : DemandModel
        The true demand process, which no planner would know.
    history : History
        What happened, in smallest units, lost demand included.
    """

    seed: int
    plan_date: dt.date
    tables: dict[str, pa.Table]
    model: DemandModel
    history: History

    @property
    def days(self) -> int:
        """Days of history."""
        return (self.plan_date - self.model.first_date).days + 1

    def write(self, folder: str | Path, *, format: str = "parquet") -> Path:
        """Write every table as ``folder/NAME.parquet`` or ``.csv``; return the folder.

        Raises
        ------
        InputError
            If the format is another.
        """
        if format not in ("parquet", "csv"):
            raise InputError(f"format must be 'parquet' or 'csv', got {format!r}")
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            write_table(table, folder / f"{name}.{format}")
        return folder


def make_retailer(
    seed: int = 1,
    *,
    n_skus: int = 1000,
    days: int = 548,
    end: dt.date | str = "2026-06-30",
    progress: Callable[[int, int, str], None] | None = None,
) -> Retailer:
    """Simulate a retailer of coffee, tea and what belongs to them.

    Three warehouses, twelve stores, five channels. Popularity follows Zipf's law, so that
    most SKUs move slowly; some are kits, some are sold by weight, some are new. Demand
    has weekly and yearly seasons, promotions and live shows. Stock is replenished by an
    imperfect planner, so that stockouts cut sales short; a few SKUs are scarce at the end.

    Parameters
    ----------
    seed : int
        The same seed and sizes give the same retailer.
    n_skus : int
        SKUs, kits included; at least 10.
    days : int
        Days of history; at least 60.
    end : date or ISO text
        Last day of the history.
    progress : callable, optional
        Called with (done, total, phase).

    Returns
    -------
    Retailer

    Raises
    ------
    InputError
        If there are too few SKUs or days, or ``end`` is no date.

    Examples
    --------
    >>> retailer = make_retailer(seed=1, n_skus=20, days=60)
    >>> retailer.tables["nodes"].num_rows
    18
    """
    if days < 60:
        raise InputError(f"a retailer needs days >= 60, got {days}")
    if isinstance(end, str):
        try:
            end = dt.date.fromisoformat(end)
        except ValueError as error:
            raise InputError(f"end must be an ISO date like 2026-06-30, got {end!r}") from error
    of_goods, of_demand, of_history, of_orders = (
        np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(4)
    )
    catalogue = build_catalogue(of_goods, n_skus, days)
    first_date = end - dt.timedelta(days=days - 1)
    model = build_demand(of_demand, catalogue, build_cells(), days, first_date)
    history = run_history(model, days, of_history, progress)
    tables = _goods_tables(catalogue) | _network_tables()
    tables |= _history_tables(model, history)
    tables |= _position_tables(model, history, end, of_orders)
    arrow = {name: to_arrow(tables[name]) for name in TABLES}
    return Retailer(seed, end, arrow, model, history)


def _texts(values: Sequence[str]) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    column[:] = list(values)
    return column


def _coded(index: np.ndarray, labels: Sequence[str]) -> Coded:
    """Code the texts ``labels[index]``; labels must be unique."""
    order = sorted(np.unique(index).tolist(), key=labels.__getitem__)
    rank = np.zeros(len(labels), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return Coded(rank[index], tuple(labels[i] for i in order))


def _node_names() -> list[str]:
    return [node.name for node in node_specs()]


def _dates(first_date: dt.date, day: np.ndarray) -> np.ndarray:
    return np.datetime64(first_date, "D") + day.astype("timedelta64[D]")


def _goods_tables(goods: Catalogue) -> dict[str, Columns]:
    category = [CATEGORIES[c].name for c in goods.category]
    k, j = np.nonzero(goods.component_units)
    component = goods.component[k, j]
    return {
        "skus": {
            "sku": goods.sku,
            "name": goods.name,
            "category": _texts(category),
            "unit_scale": goods.unit_scale,
            "unit_cost": goods.unit_cost,
            "unit_price": goods.unit_price,
            "pack_size": goods.pack_size / goods.unit_scale,
            "minimum_order": goods.minimum_order / goods.unit_scale,
        },
        "kits": {
            "kit": goods.sku[goods.kit[k]],
            "component": goods.sku[component],
            "quantity": goods.component_units[k, j] / goods.unit_scale[component],
        },
    }


def _network_tables() -> dict[str, Columns]:
    nodes = node_specs()
    suppliers = [warehouse.source for warehouse in WAREHOUSES]
    unknown = [np.nan] * len(suppliers)
    warehouses = [warehouse.name for warehouse in WAREHOUSES]
    flagships = [node.name for node in nodes if node.flagship]
    serving = {
        "store": [node.name for node in nodes if node.kind == "store"],
        "web": warehouses + flagships,
        "app": [],
        "marketplace": warehouses,
        "subscription": warehouses[:2],
    }
    return {
        "nodes": {
            "node": _texts([node.name for node in nodes] + suppliers),
            "kind": _texts([node.kind for node in nodes] + ["supplier"] * len(suppliers)),
            "latitude": np.array([node.latitude for node in nodes] + unknown),
            "longitude": np.array([node.longitude for node in nodes] + unknown),
            "priority": np.array([1 if n >= len(WAREHOUSES) else 0 for n in range(len(nodes))]
                                 + [9] * len(suppliers)),
        },
        "channels": {
            "channel": _texts([channel.name for channel in CHANNELS]),
            "tier": np.array([channel.tier for channel in CHANNELS]),
            "weight": np.array([channel.weight for channel in CHANNELS]),
            "nodes": _texts(["|".join(serving[channel.name]) for channel in CHANNELS]),
            "sync_latency_seconds": np.array(
                [float(channel.sync_latency_seconds) for channel in CHANNELS]
            ),
            "service_level": np.array([channel.service_level for channel in CHANNELS]),
        },
        "lanes": {
            "source": _texts([node.source for node in nodes]),
            "destination": _texts([node.name for node in nodes]),
            "lead_time_days": np.array([float(node.lead_time_days) for node in nodes]),
            "lead_time_std_days": np.array([float(node.lead_time_std_days) for node in nodes]),
            "review_period_days": np.array(
                [7 if node.review_weekday >= 0 else 1 for node in nodes]
            ),
        },
    }  # fmt: skip


def _history_tables(model: DemandModel, history: History) -> dict[str, Columns]:
    goods, nodes = model.catalogue, _node_names()
    sold, out, promotions = history.sales, history.stockouts, model.promotions
    sku = goods.sku.tolist()
    channel = [one.name for one in CHANNELS]
    # The same SKU, first day and channel may be drawn twice: the table holds one of them.
    key = (promotions.sku * 100_000 + promotions.first_day) * 10 + promotions.channel + 1
    kept = np.unique(key, return_index=True)[1]
    kept = kept[np.argsort(promotions.first_day[kept], kind="stable")]
    of_channel = promotions.channel[kept]
    return {
        "sales": {
            "date": _dates(model.first_date, sold["day"]),
            "sku": _coded(sold["sku"], sku),
            "node": _coded(sold["node"], nodes),
            "channel": _coded(sold["channel"], channel),
            "quantity": sold["units"] / goods.unit_scale[sold["sku"]],
            "promotion": _promoted(model, sold),
        },
        "stockouts": {
            "date": _dates(model.first_date, out["day"]),
            "sku": _coded(out["sku"], sku),
            "node": _coded(out["node"], nodes),
            "share": out["share"],
        },
        "promotions": {
            "sku": goods.sku[promotions.sku[kept]],
            "start": _dates(model.first_date, promotions.first_day[kept]),
            "end": _dates(model.first_date, promotions.last_day[kept]),
            "uplift": promotions.uplift[kept],
            "channel": _texts(["" if c < 0 else channel[c] for c in of_channel]),
        },
    }


def _promoted(model: DemandModel, sold: dict[str, np.ndarray]) -> np.ndarray:
    """Return for each sale whether its SKU was promoted in its channel that day."""
    promotions, n_channels = model.promotions, len(CHANNELS)
    n_skus = model.catalogue.n_skus
    n_days = int(max(promotions.last_day.max(), sold["day"].max())) + 2
    steps = np.zeros((n_days, n_skus, n_channels + 1), dtype=np.int16)
    column = np.where(promotions.channel < 0, n_channels, promotions.channel)
    np.add.at(steps, (promotions.first_day, promotions.sku, column), 1)
    np.subtract.at(steps, (promotions.last_day + 1, promotions.sku, column), 1)
    running = np.cumsum(steps, axis=0, dtype=np.int16) > 0
    day, sku = sold["day"], sold["sku"]
    return np.asarray(running[day, sku, sold["channel"]] | running[day, sku, n_channels])


def _position_tables(
    model: DemandModel, history: History, end: dt.date, rng: np.random.Generator
) -> dict[str, Columns]:
    """Return stock, inbound and open orders as of the close of ``end``."""
    goods, nodes = model.catalogue, _node_names()
    stocked = goods.carried.copy()
    stocked[goods.kit] = False
    s, n = np.nonzero(stocked)
    sku = goods.sku.tolist()
    coming = history.inbound
    eta = _dates(model.first_date, coming["day"])
    kind = np.where(coming["node"] < len(WAREHOUSES), "PO", "TR")
    reference = [
        f"{what}-{nodes[node]}-{day}"
        for what, node, day in zip(kind, coming["node"], eta.astype(str), strict=True)
    ]
    return {
        "stock": {
            "sku": _coded(s, sku),
            "node": _coded(n, nodes),
            "on_hand": history.closing[s, n] / goods.unit_scale[s],
        },
        "inbound": {
            "reference": _texts(reference),
            "sku": _coded(coming["sku"], sku),
            "node": _coded(coming["node"], nodes),
            "quantity": coming["units"] / goods.unit_scale[coming["sku"]],
            "eta": eta,
        },
        "orders": _open_orders(model, history, end, rng),
    }


def _open_orders(
    model: DemandModel, history: History, end: dt.date, rng: np.random.Generator
) -> Columns:
    """Draw orders accepted but not yet shipped: never more than a third of the stock they use."""
    goods, cells = model.catalogue, model.cells
    n_lines = max(6, round(0.3 * goods.n_skus))
    online = cells.channel != 0
    rate = model.base[:, online] * (history.closing[:, cells.node[online]] >= 6)
    rate[goods.kit] = 0.0
    drawn = rng.choice(rate.size, n_lines, replace=True, p=rate.ravel() / rate.sum())
    s, c = np.divmod(np.unique(drawn), rate.shape[1])
    node, channel = cells.node[online][c], cells.channel[online][c]
    # All channels at a warehouse share its stock: a third, divided by their number.
    most = history.closing[s, node] // (3 * len(CHANNELS))
    units = np.clip(np.rint(goods.basket[s]).astype(np.int64), 1, np.maximum(most, 1))
    shuffled = rng.permutation(len(s))
    s, node, channel, units = s[shuffled], node[shuffled], channel[shuffled], units[shuffled]
    due = rng.integers(0, 3, len(s))
    order = np.cumsum(rng.random(len(s)) < 0.75)
    # Lines of one order go through one channel.
    first = np.flatnonzero(np.concatenate([[True], order[1:] != order[:-1]]))
    of_order = np.searchsorted(first, np.arange(len(s)), side="right") - 1
    same = channel == channel[first][of_order]
    s, node, channel, units, of_order = (one[same] for one in (s, node, channel, units, of_order))
    names = _node_names()
    fixed = rng.random(len(s)) < 0.8
    return {
        "order": _texts([f"OPEN-{number:05d}" for number in of_order]),
        "sku": goods.sku[s],
        "channel": _texts([CHANNELS[number].name for number in channel]),
        "quantity": units / goods.unit_scale[s],
        "node": _texts([names[n] if f else "" for n, f in zip(node, fixed, strict=True)]),
        "due": np.datetime64(end, "D") + due[of_order].astype("timedelta64[D]"),
    }
