"""Plan from nine months of real order lines, then sell the next three through the engine.

Run with ``python benchmarks/replay_online_retail.py [--json] [--days N]``. The data is
year one of "Online Retail II" (UCI): order lines of a UK wholesaler of gifts, read from
``../shared/data`` or from the folder that ``OMNISTOCK_SHARED`` names.

What is assumed, because the data does not say it:

* One warehouse, one supplier, lead time 14 days (normal, standard deviation 3 days, drawn
  with a seed), a review every week, packs of one, no minimum order. The plan of that
  morning, made from sales and stockouts up to then, says what to order.
* On the first morning the warehouse holds the order-up-to level of the first plan.
* An order takes what there is of each line and ships the same evening; what is missing is
  lost, nobody comes back for it. The plan afterwards sees sales, never the lost units.
* Only numbered articles with a price count; postage, fees and adjustments are left out.
  So are articles that the first nine months do not know: their first stock would be a
  buyer's decision, not a plan's. The figures say how many units that leaves out.
* Returned goods go back on the shelf if this replay shipped them to that customer before.
* The first nine months hold no autumn: no plan can know from them that sales rise by half
  before Christmas, nor do they say on which days articles were out of stock.
* Unit cost is taken as half the median price; stock turns do not depend on the half.

Oversold units are counted by books that know nothing of the engine's rules
(:class:`omnistock.simulation.books.Books`).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import omnistock as om
from omnistock.engine import Expect, Receive, Ship
from omnistock.model import Channel, Network, Node, Sku
from omnistock.simulation.books import Books
from omnistock.simulation.summary import percentile_us

FIRST_DAY = dt.date(2009, 12, 1)
CUT = dt.date(2010, 9, 1)
LAST_DAY = dt.date(2010, 11, 30)
NODE, SUPPLIER, CHANNEL = "DC-UK", "SUPPLIER", "shop"
LEAD_DAYS, LEAD_STD_DAYS, REVIEW_DAYS = 14, 3, 7
OPENS, CLOSES = 7 * 3600, 20 * 3600
DAY = 86_400


def data_file() -> Path:
    """Return where the order lines should lie."""
    root = Path(__file__).resolve().parent.parent
    shared = Path(os.environ.get("OMNISTOCK_SHARED") or root.parent / "shared")
    return shared / "data" / "online_retail_lines.parquet"


@dataclass(frozen=True)
class Lines:
    """Order lines as columns, in order of time; negative units are returns."""

    second: np.ndarray
    invoice: np.ndarray
    customer: np.ndarray
    sku: np.ndarray  # index into names
    units: np.ndarray
    names: tuple[str, ...]
    price: np.ndarray  # per SKU
    left_out_units: int

    def between(self, first: dt.date, end: dt.date) -> Lines:
        """Return the lines of the days from ``first`` to before ``end``."""
        low, high = (seconds_of(day) for day in (first, end))
        kept = slice(*np.searchsorted(self.second, [low, high]))
        return replace(
            self,
            second=self.second[kept],
            invoice=self.invoice[kept],
            customer=self.customer[kept],
            sku=self.sku[kept],
            units=self.units[kept],
        )


def seconds_of(day: dt.date) -> int:
    """Return the first second of ``day``."""
    return (day - dt.date(1970, 1, 1)).days * DAY


def read_lines(path: Path) -> Lines:
    """Read the order lines of numbered articles that the first nine months sold."""
    import pandas as pd

    frame = pd.read_parquet(path)
    sku = frame["sku"].astype(str)
    frame = frame[sku.str.match(r"^\d{5}") & (frame["price"] > 0) & (frame["qty"] != 0)]
    frame = frame.sort_values("ts", kind="stable")
    second = frame["ts"].to_numpy().astype("datetime64[s]").astype(np.int64)
    text = frame["sku"].astype(str).to_numpy(dtype=object)
    units = frame["qty"].to_numpy(dtype=np.int64)
    early = (second < seconds_of(CUT)) & (units > 0)
    names = tuple(sorted(set(text[early])))
    index = {name: i for i, name in enumerate(names)}
    code = np.array([index.get(name, -1) for name in text], dtype=np.int64)
    known = code >= 0
    prices = pd.Series(frame["price"].to_numpy(dtype=float)[known & early])
    price = prices.groupby(code[known & early]).median().reindex(range(len(names)))
    return Lines(
        second=second[known],
        invoice=frame["invoice"].astype(str).to_numpy(dtype=object)[known],
        customer=frame["customer"].to_numpy(dtype=np.int64)[known],
        sku=code[known],
        units=units[known],
        names=names,
        price=price.to_numpy(),
        left_out_units=int(units[~known & (units > 0)].sum()),
    )


@dataclass
class Ledger:
    """What the planner knows: sales and stockouts by day and SKU, orders on their way."""

    n_skus: int
    sold: np.ndarray  # (day, sku) int64
    out: np.ndarray  # (day, sku) share of the day without stock
    coming: list[tuple[int, str, int, int]] = field(default_factory=list)  # day, ref, sku, units


def new_ledger(lines: Lines, n_days: int) -> Ledger:
    """Begin with the units sold before the cut."""
    n_skus = len(lines.names)
    sold = np.zeros((n_days, n_skus), dtype=np.int64)
    before = lines.between(FIRST_DAY, CUT)
    buying = before.units > 0
    day = (before.second[buying] - seconds_of(FIRST_DAY)) // DAY
    np.add.at(sold, (day, before.sku[buying]), before.units[buying])
    return Ledger(n_skus, sold, np.zeros((n_days, n_skus)))


def planning_tables(lines: Lines, ledger: Ledger, day: int, on_hand: np.ndarray) -> dict[str, Any]:
    """Return the tables for a plan on the morning of ``day`` of the history."""
    names = np.array(lines.names, dtype=object)
    start = np.datetime64(FIRST_DAY, "D")
    d, s = np.nonzero(ledger.sold[:day])
    out_day, out_sku = np.nonzero(ledger.out[:day])
    arrival, reference, sku, units = (
        zip(*ledger.coming, strict=True) if ledger.coming else ((), (), (), ())
    )
    return {
        "skus": {
            "sku": names,
            "unit_price": lines.price,
            "unit_cost": np.round(lines.price / 2, 4),
        },
        "nodes": {"node": [NODE, SUPPLIER], "kind": ["warehouse", "supplier"]},
        "channels": {"channel": [CHANNEL]},
        "lanes": {
            "source": [SUPPLIER],
            "destination": [NODE],
            "lead_time_days": [float(LEAD_DAYS)],
            "lead_time_std_days": [float(LEAD_STD_DAYS)],
            "review_period_days": [REVIEW_DAYS],
        },
        "sales": {
            "date": start + d,
            "sku": names[s],
            "node": np.full(len(s), NODE, dtype=object),
            "channel": np.full(len(s), CHANNEL, dtype=object),
            "quantity": ledger.sold[d, s],
        },
        "stockouts": {
            "date": start + out_day,
            "sku": names[out_sku],
            "node": np.full(len(out_sku), NODE, dtype=object),
            "share": ledger.out[out_day, out_sku],
        },
        "stock": {
            "sku": names,
            "node": np.full(len(names), NODE, dtype=object),
            "on_hand": on_hand,
        },
        "inbound": {
            "reference": np.array(reference, dtype=object),
            "sku": names[np.array(sku, dtype=np.int64)],
            "node": np.full(len(sku), NODE, dtype=object),
            "quantity": np.array(units, dtype=np.int64),
            "eta": start + np.array(arrival, dtype=np.int64),
        },
    }


class Shop:
    """The warehouse while the days pass: the engine, the books beside it, and the counts."""

    def __init__(self, lines: Lines, ledger: Ledger, opening: np.ndarray, store: Path, seed: int):
        self.names, self.price = lines.names, lines.price
        self.index = {name: i for i, name in enumerate(lines.names)}
        self.ledger = ledger
        self.rng = np.random.default_rng(seed)
        self.on_hand = opening.copy()
        self.books = Books(
            {(n, NODE): u for n, u in zip(lines.names, opening.tolist(), strict=True)}
        )
        self.shipped_to: dict[tuple[int, int], list[list[Any]]] = defaultdict(list)
        self.counts: dict[str, int] = defaultdict(int)
        self.order_ns: list[int] = []
        self.engine_seconds = 0.0
        self.cost_sold = 0.0
        self.stock_cost: list[float] = []
        network = Network.build(
            skus=[Sku(name) for name in lines.names],
            nodes=[Node(NODE)],
            channels=[Channel(CHANNEL)],
        )
        self.engine = om.open(str(store), network)
        stocked = np.flatnonzero(opening)
        self.engine.receive_many(
            {
                "sku": np.array(lines.names, dtype=object)[stocked],
                "node": np.full(len(stocked), NODE, dtype=object),
                "quantity": opening[stocked],
            },
            now=seconds_of(CUT),
        )

    def receive(self, day: int, now: int) -> None:
        """Take in what arrives on ``day`` of the history."""
        arriving = [one for one in self.ledger.coming if one[0] == day]
        self.ledger.coming = [one for one in self.ledger.coming if one[0] != day]
        commands = [
            Receive(self.names[sku], NODE, units, reference)
            for _, reference, sku, units in arriving
        ]
        for outcome in self.engine.execute(commands, now=now):
            outcome.result()
        for _, _, sku, units in arriving:
            self.books.receive((self.names[sku], NODE), units)
            self.on_hand[sku] += units

    def sell(self, day: int, lines: Lines) -> None:
        """Serve the orders of a day; ship them in the evening."""
        midnight = seconds_of(FIRST_DAY) + day * DAY
        self.ledger.out[day, self.on_hand == 0] = 1.0
        holds = []
        buying = np.flatnonzero(lines.units > 0)
        invoices, first = np.unique(lines.invoice[buying], return_index=True)
        rows_of: dict[str, list[int]] = {name: [] for name in invoices}
        for row in buying.tolist():
            rows_of[lines.invoice[row]].append(row)
        for name in invoices[np.argsort(first)]:
            rows = np.array(rows_of[name])
            hold = self._order(name, lines, rows, int(lines.second[rows[0]]) - midnight, day)
            if hold is not None:
                holds.append((hold, int(lines.customer[rows[0]])))
        self._ship(holds, day, midnight + CLOSES)
        self._take_back(lines, midnight + CLOSES + 60)
        value = (self.on_hand * self.price / 2).sum()
        self.stock_cost.append(float(value))

    def _order(self, name: str, lines: Lines, rows: np.ndarray, second: int, day: int) -> Any:
        wanted: dict[int, int] = defaultdict(int)
        for row in rows:
            wanted[int(lines.sku[row])] += int(lines.units[row])
        now = seconds_of(FIRST_DAY) + day * DAY + second
        request = [(self.names[sku], units) for sku, units in wanted.items()]
        started = time.perf_counter_ns()
        try:
            hold = self.engine.reserve(
                f"{name}/{day}", request, channel=CHANNEL, partial=True, now=now
            )
        except om.OutOfStock:
            hold = None
        took = time.perf_counter_ns() - started
        self.order_ns.append(took)
        self.engine_seconds += took / 1e9
        got: dict[int, int] = defaultdict(int)
        if hold is not None:
            for line in hold.lines:
                got[self.index[line.sku]] += line.quantity
            self.books.promise(
                f"{name}/{day}", {(self.names[sku], NODE): units for sku, units in got.items()}
            )
        self._count(wanted, got, second, day)
        return hold

    def _count(self, wanted: dict[int, int], got: dict[int, int], second: int, day: int) -> None:
        rest_of_day = float(np.clip((CLOSES - second) / (CLOSES - OPENS), 0.01, 1.0))
        self.counts["orders"] += 1
        self.counts["orders_in_full"] += all(got[sku] == units for sku, units in wanted.items())
        for sku, units in wanted.items():
            self.counts["lines"] += 1
            self.counts["lines_in_full"] += got[sku] == units
            self.counts["units"] += units
            self.counts["units_filled"] += got[sku]
            if got[sku] < units:
                known = self.ledger.out[day, sku]
                self.ledger.out[day, sku] = max(known, rest_of_day)

    def _ship(self, holds: list[tuple[Any, int]], day: int, now: int) -> None:
        """Ship the day's orders as one wave."""
        started = time.perf_counter()
        outcomes = self.engine.execute([Ship(hold) for hold, _ in holds], now=now)
        self.engine_seconds += time.perf_counter() - started
        for (hold, customer), outcome in zip(holds, outcomes, strict=True):
            after = outcome.hold
            self.books.ship(
                hold.order, {(line.sku, line.node): line.shipped for line in after.lines}
            )
            for line in after.lines:
                sku = self.index[line.sku]
                self.on_hand[sku] -= line.shipped
                self.ledger.sold[day, sku] += line.shipped
                self.cost_sold += line.shipped * self.price[sku] / 2
                self.shipped_to[customer, sku].append([after, line.shipped])

    def _take_back(self, lines: Lines, now: int) -> None:
        for row in np.flatnonzero(lines.units < 0):
            customer, sku, left = (
                int(lines.customer[row]),
                int(lines.sku[row]),
                -int(lines.units[row]),
            )
            for shipment in reversed(self.shipped_to[customer, sku] if customer else []):
                units = min(left, shipment[1])
                if units == 0:
                    continue
                self.engine.take_back(shipment[0], [(self.names[sku], units)], node=NODE, now=now)
                self.books.put_back((self.names[sku], NODE), units)
                self.on_hand[sku] += units
                self.counts["units_returned"] += units
                shipment[1] -= units
                left -= units
            self.counts["units_returned_unknown"] += left

    def order(self, plan: Any, day: int, now: int) -> None:
        """Order from the supplier what the plan of the morning of ``day`` proposes."""
        proposed, commands = plan.replenishment, []
        for name, quantity in zip(
            proposed["sku"].to_pylist(), proposed["quantity"].to_pylist(), strict=True
        ):
            lead = max(1, round(self.rng.normal(LEAD_DAYS, LEAD_STD_DAYS)))
            arrival, sku, units = day + lead, self.index[name], int(quantity)
            reference = f"PO-{day}-{sku}"
            self.ledger.coming.append((arrival, reference, sku, units))
            eta = seconds_of(FIRST_DAY) + arrival * DAY
            commands.append(Expect(name, NODE, units, eta, reference))
            self.counts["units_ordered"] += units
        for outcome in self.engine.execute(commands, now=now):
            outcome.result()


def replay(lines: Lines, n_days: int, seed: int, store: Path, say: Any) -> dict[str, Any]:
    """Run the benchmark; return its figures."""
    first = (CUT - FIRST_DAY).days
    ledger = new_ledger(lines, first + n_days)
    started = time.perf_counter()
    plan = om.plan(
        planning_tables(lines, ledger, first, np.zeros(len(lines.names), np.int64)), as_of=CUT
    )
    plan_seconds, plans = time.perf_counter() - started, 1
    opening = np.zeros(len(lines.names), dtype=np.int64)
    index = {name: i for i, name in enumerate(lines.names)}
    for name, level in zip(
        plan.buffers["sku"].to_pylist(), plan.buffers["order_up_to"].to_pylist(), strict=True
    ):
        opening[index[name]] = int(level)
    shop = Shop(lines, ledger, opening, store, seed)
    for day in range(first, first + n_days):
        date = FIRST_DAY + dt.timedelta(days=day)
        now = seconds_of(date)
        shop.books.advance(now)
        shop.receive(day, now)
        if (day - first) % REVIEW_DAYS == 0:
            started = time.perf_counter()
            plan = om.plan(planning_tables(lines, ledger, day, shop.on_hand), as_of=date)
            plan_seconds, plans = plan_seconds + time.perf_counter() - started, plans + 1
            shop.order(plan, day, now + 3600)
        shop.sell(day, lines.between(date, date + dt.timedelta(days=1)))
        say(f"{date}: {shop.counts['lines']:,} lines, fill {fill_of(shop.counts):.1%}")
    return figures(shop, n_days, plan_seconds / plans, lines, opening)


def fill_of(counts: dict[str, int]) -> float:
    """Return the share of order lines filled so far."""
    return counts["lines_in_full"] / max(1, counts["lines"])


def figures(
    shop: Shop, n_days: int, plan_seconds: float, lines: Lines, opening: np.ndarray
) -> dict[str, Any]:
    """Return everything that is printed."""
    counts = shop.counts
    verification = shop.engine.verify()
    table = shop.engine.stock()
    on_hand = dict(zip(table["sku"].to_pylist(), table["on_hand"].to_pylist(), strict=True))
    apart = sum(
        not on_hand.get(name, 0) == shop.books.on_hand[name, NODE] == shop.on_hand[sku]
        for sku, name in enumerate(shop.names)
    )
    average = float(np.mean(shop.stock_cost))
    return {
        "days": n_days,
        "skus": len(shop.names),
        "orders": counts["orders"],
        "orders_in_full_share": counts["orders_in_full"] / max(1, counts["orders"]),
        "lines": counts["lines"],
        "line_fill_rate": fill_of(counts),
        "units": counts["units"],
        "unit_fill_rate": counts["units_filled"] / max(1, counts["units"]),
        "lost_units": counts["units"] - counts["units_filled"],
        "units_returned": counts["units_returned"],
        "units_returned_unmatched": counts["units_returned_unknown"],
        "units_ordered": counts["units_ordered"],
        "opening_units": int(opening.sum()),
        "closing_units": int(shop.on_hand.sum()),
        "stock_turns_per_year": shop.cost_sold / average * 365 / n_days if average else 0.0,
        "orders_per_second": counts["orders"] / shop.engine_seconds if shop.engine_seconds else 0.0,
        "reserve_p50_us": percentile_us(shop.order_ns, 0.5),
        "reserve_p99_us": percentile_us(shop.order_ns, 0.99),
        "plan_seconds": plan_seconds,
        "oversold_units": shop.books.oversold_units,
        "stock_differences": apart,
        "verify_differences": len(verification.differences),
        "units_of_new_articles_left_out": lines.left_out_units,
    }


def text_of(found: dict[str, Any]) -> str:
    """Return the figures for people."""
    rows = []
    for name, value in found.items():
        if isinstance(value, float):
            shown = f"{value:.1%}" if name.endswith(("rate", "share")) else f"{value:,.1f}"
        else:
            shown = f"{value:,}"
        rows.append(f"{name.replace('_', ' '):<34}{shown:>14}")
    return "\n".join(rows)


def main() -> int:
    """Run from the command line; return 1 if anything was oversold or differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--days", type=int, default=(LAST_DAY - CUT).days + 1)
    parser.add_argument("--seed", type=int, default=1, help="draws the supplier's lead times")
    arguments = parser.parse_args()
    path = data_file()
    if not path.exists():
        print(f"skipped: {path} is not there; set OMNISTOCK_SHARED to the folder of real data")
        return 0

    def say(message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        found = replay(
            read_lines(path), arguments.days, arguments.seed, Path(folder) / "shop.db", say
        )
    if arguments.json:
        print(
            json.dumps(
                {**found, "machine": platform.platform(), "python": platform.python_version()}
            )
        )
    else:
        print(__doc__)
        print(text_of(found))
    wrong = found["oversold_units"] or found["stock_differences"] or found["verify_differences"]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
