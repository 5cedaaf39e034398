"""A plan with invented but consistent tables, so that reports are tested without the chain."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from omnistock.model import Channel, Lane, Network, Node, Sku
from omnistock.planning import OpeningState, Plan, PlanSettings

AS_OF = dt.date(2026, 7, 1)
HORIZON = 28
CHANNELS = (
    Channel("store", nodes=("Leeds", "York"), tier=1, weight=3),
    Channel("web", tier=1, weight=2),
    Channel("marketplace", tier=2, weight=1, sync_latency_seconds=900),
)
NODES = (
    Node("DC-North"),
    Node("Leeds", "store"),
    Node("York", "store"),
    Node("Acme", "supplier"),
)
STOCKED = ("DC-North", "Leeds", "York")


def _skus(count: int) -> list[Sku]:
    names = ("T-shirt <M>", "Coffee beans", "Lamp & shade", "Notebook", "Scarf", 'Mug "Blue"')
    return [
        Sku(
            f"SKU-{index:03d}",
            name=f"{names[index % len(names)]} {index}",
            unit_scale=1000 if index % 6 == 1 else 1,
            unit_cost=4.0 + index,
            unit_price=9.0 + 2 * index,
        )
        for index in range(count)
    ]


def _daily(level: float, day: int) -> float:
    return level * (1 + 0.35 * np.sin(2 * np.pi * day / 7))


def _outlook(levels: dict[str, float]) -> pa.Table:
    rows = []
    for sku, level in {"": sum(levels.values()), **levels}.items():
        for day in range(HORIZON):
            mean = _daily(level, day)
            spread = np.sqrt(mean) * (1.5 if sku else 6.0)
            rows.append(
                {
                    "level": "sku" if sku else "total",
                    "sku": sku,
                    "date": AS_OF + dt.timedelta(days=day),
                    "mean": mean,
                    "lower_95": max(0.0, mean - 1.96 * spread),
                    "lower_80": max(0.0, mean - 1.28 * spread),
                    "upper_80": mean + 1.28 * spread,
                    "upper_95": mean + 1.96 * spread,
                }
            )
    return pa.Table.from_pylist(rows)


def _history(levels: dict[str, float], rng: np.random.Generator) -> pa.Table:
    rows = []
    for sku, level in levels.items():
        for day in range(-150, 0):
            sold = int(rng.poisson(_daily(level, day)))
            out = -40 < day < -34 and sku.endswith("3")
            if sold or out:
                rows.append(
                    {
                        "sku": sku,
                        "date": AS_OF + dt.timedelta(days=day),
                        "quantity": 0.0 if out else float(sold),
                        "censored_share": 0.66 if out else 0.0,
                    }
                )
    return pa.Table.from_pylist(rows)


def _buffers(levels: dict[str, float], rng: np.random.Generator) -> pa.Table:
    rows = []
    for sku, level in levels.items():
        for node in STOCKED:
            rate = level / len(STOCKED)
            rows.append(
                {
                    "sku": sku,
                    "node": node,
                    "demand_per_day": rate,
                    "on_hand": float(rng.integers(0, 1 + int(14 * rate))),
                    "committed": float(rng.integers(0, 3)),
                    "safety_stock": 5.0,
                    "reason": "14 days of cover",
                }
            )
    return pa.Table.from_pylist(rows)


def _allocation(skus: list[str]) -> pa.Table:
    rows = []
    for index, sku in enumerate(skus):
        supply = 20 + index
        for channel, requested, granted in (
            ("store", 14, 14),
            ("web", 12, min(12, supply - 14)),
            ("marketplace", 9 + index, max(0, supply - 26)),
        ):
            rows.append(
                {
                    "sku": sku,
                    "channel": channel,
                    "tier": 2 if channel == "marketplace" else 1,
                    "horizon_days": 7,
                    "supply": supply,
                    "requested": requested,
                    "granted": granted,
                    "quota": None if granted >= requested else granted,
                    "protection": granted if granted >= requested else 0,
                    "until": AS_OF + dt.timedelta(days=7),
                    "reason": f"{granted} of {requested}: tier rule",
                }
            )
    return pa.Table.from_pylist(rows)


def _replenishment(skus: list[str]) -> pa.Table:
    rows = []
    for index, sku in enumerate(skus):
        order = index % 2 == 0
        rows.append(
            {
                "kind": "order" if order else "transfer",
                "source": "Acme" if order else "DC-North",
                "destination": "DC-North" if order else "Leeds",
                "sku": sku,
                "quantity": 24.0 + index,
                "wanted": 22.0 + index,
                "days_of_cover": index / 3,
                "value": 180.5 * (index + 1),
                "expected_date": AS_OF + dt.timedelta(days=9 if order else 2),
                "reason": "position 3 is below reorder point 20; ordered up to 27 in packs of 12",
            }
        )
    return pa.Table.from_pylist(rows)


def _kpis() -> pa.Table:
    rows = []
    scopes = [("total", "all")] + [("node", node) for node in STOCKED]
    scopes += [("channel", channel.channel) for channel in CHANNELS]
    for index, (scope, name) in enumerate(scopes):
        stocked = scope != "channel"
        rows.append(
            {
                "scope": scope,
                "name": name,
                "forecast_demand": 12_345.6 / (index + 1),
                "last_demand": 11_000.0 / (index + 1),
                "fill_rate": 0.97 - 0.012 * index,
                "units_short": 40.0 + 10 * index,
                "on_hand": 5_200.0 / (index + 1) if stocked else None,
                "on_order": 900.0 if stocked else None,
                "days_of_cover": 12.4 + 2 * index if stocked else None,
                "stock_value": 81_234.0 / (index + 1) if stocked else None,
                "turns": 9.7 if stocked else None,
                "censored_share": 0.021,
            }
        )
    return pa.Table.from_pylist(rows)


def synthetic_plan(n_skus: int = 24, *, scarce: int = 8, seed: int = 3) -> Plan:
    """Return a plan of ``n_skus`` SKUs, ``scarce`` of them short."""
    rng = np.random.default_rng(seed)
    skus = _skus(n_skus)
    names = [sku.sku for sku in skus]
    levels = {name: 40.0 / (1 + index) for index, name in enumerate(names)}
    network = Network.build(
        skus=skus, nodes=NODES, channels=CHANNELS, lanes=[Lane("Acme", "DC-North", 7.0)]
    )
    buffers = _buffers(levels, rng)
    allocation = _allocation(names[:scarce]) if scarce else _allocation(names[:1]).slice(0, 0)
    return Plan(
        as_of=AS_OF,
        settings=PlanSettings(horizon_days=HORIZON),
        network=network,
        opening=OpeningState(),
        forecast=pa.table({"sku": pa.array([], pa.string())}),
        outlook=_outlook(levels),
        history=_history(levels, rng),
        buffers=buffers,
        channel_buffers=pa.table(
            {
                "sku": [names[0]],
                "channel": ["marketplace"],
                "buffer": [2.0],
                "reason": ["hears late"],
            }
        ),
        replenishment=_replenishment(names),
        allocation=allocation,
        kpis=_kpis(),
    )
