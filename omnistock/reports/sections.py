"""The report's words and tables as HTML. Every text from data is escaped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from html import escape
from typing import Any

from omnistock.planning import Plan
from omnistock.reports.markup import Column, Row, cards, figure, table, whole
from omnistock.reports.numbers import compact, date_text, days, number, share, units
from omnistock.reports.views import (
    kpi_rows,
    largest_shortages,
    replenishment_rows,
    sku_label,
)

__all__ = [
    "allocation_section",
    "availability_section",
    "demand_section",
    "footer",
    "header",
    "replenishment_section",
    "service_section",
]


def _sku_cell(plan: Plan, sku: str) -> str:
    known = plan.network.skus.get(sku)
    more = f"<br>{escape(known.name)}" if known and known.name and known.name != sku else ""
    return f"<b>{whole(sku)}</b>{more}"


def _totals(plan: Plan) -> dict[str, Any]:
    rows = kpi_rows(plan, "total")
    return rows[0] if rows else {}


def _sold_before(plan: Plan, total: Row) -> str:
    before = total.get("last_demand")
    return f"{compact(before)} sold in the {plan.settings.horizon_days} days before"


def header(plan: Plan) -> str:
    """Title, what the plan covers, and its headline figures."""
    total = _totals(plan)
    orders = replenishment_rows(plan, "order", plan.replenishment.num_rows)
    transfers = replenishment_rows(plan, "transfer", plan.replenishment.num_rows)
    scarce = largest_shortages(plan)
    target = plan.settings.fill_rate or plan.settings.service_level
    aim = "fill rate" if plan.settings.fill_rate else "cycle service"
    short = total.get("units_short") or 0
    fill_rate = total.get("fill_rate")
    headline = [
        (
            f"Demand, next {plan.settings.horizon_days} days",
            compact(total.get("forecast_demand")),
            _sold_before(plan, total),
            False,
        ),
        (
            "Expected fill rate",
            share(fill_rate),
            f"until replenishment arrives; {number(short)} units short",
            bool(fill_rate is not None and fill_rate < 0.9),
        ),
        (
            "Stock on hand",
            compact(total.get("on_hand")),
            f"{days(total.get('days_of_cover'))} days of cover, "
            f"worth {compact(total.get('stock_value'))}",
            False,
        ),
        (
            "Scarce SKUs",
            number(len(scarce)),
            f"{number(sum(one['short'] for one in scarce))} units that nobody gets",
            bool(scarce),
        ),
        (
            "Orders to suppliers",
            number(len(orders)),
            f"lines, worth {compact(sum(row['value'] for row in orders))}",
            False,
        ),
        (
            "Transfers",
            number(len(transfers)),
            f"lines, {compact(sum(row['quantity'] for row in transfers))} units",
            False,
        ),
    ]
    stocked = [name for name, node in plan.network.nodes.items() if node.kind != "supplier"]
    return (
        f"<h1>Inventory plan for {date_text(plan.as_of)}</h1>"
        f'<p class="lead">{number(len(plan.network.skus))} SKUs at {len(stocked)} nodes, sold '
        f"through {len(plan.network.channels)} channels. Forecast "
        f"{plan.settings.horizon_days} days ahead; buffers aim at {share(target, 0)} {aim}.</p>"
        + cards(headline)
    )


def demand_section(plan: Plan) -> str:
    """Sales and forecast: in total and by SKU."""
    total = _totals(plan)
    censored = total.get("censored_share")
    masked = (
        f" On {share(censored)} of all days a SKU had run out at a node; such days do not count as "
        "low demand, and the forecast shows what would have been asked for."
        if censored
        else ""
    )
    return (
        '<section id="demand"><h2>What will be asked for</h2>'
        "<p>Sales and forecast demand per day, kits counted as their components. The bands hold "
        f"the coming day's demand four times in five and nineteen times in twenty.{masked}</p>"
        + figure(
            "total", "All SKUs, all nodes", "Units per day; weighed goods count in selling units"
        )
        + '<div class="pick"><label>SKU <select id="pick-sku"></select></label></div>'
        + figure(
            "sku",
            "One SKU, all nodes",
            "Orange marks: days on which the SKU had run out somewhere, so sales understate demand",
        )
        + "</section>"
    )


def _kpi_columns(what: str) -> list[Column]:
    columns: list[Column] = [
        (what, False, lambda row: f"<b>{whole(row['name'])}</b>"),
        ("Forecast demand", True, lambda row: number(row["forecast_demand"])),
        ("Expected fill rate", True, lambda row: share(row["fill_rate"])),
        ("Units short", True, lambda row: number(row["units_short"], 0)),
        ("On hand", True, lambda row: number(row["on_hand"])),
        ("On order", True, lambda row: number(row["on_order"])),
        ("Days of cover", True, lambda row: days(row["days_of_cover"])),
        ("Stock value", True, lambda row: compact(row["stock_value"])),
        ("Turns a year", True, lambda row: number(row["turns"], 1)),
        ("Days out of stock", True, lambda row: share(row["censored_share"])),
    ]
    if what == "Channel":  # a channel owns no stock
        return [*columns[:4], columns[9]]
    return columns


def service_section(plan: Plan) -> str:
    """Service and stock by node and by channel."""
    return (
        '<section id="service"><h2>Service and stock</h2>'
        "<p>The expected fill rate is the share of demand that present stock and due receipts will "
        "meet until the next replenishment can arrive. Units short are the rest.</p>"
        '<div class="two">'
        + figure("service", "Expected fill rate by node", "Lowest first")
        + "<div>"
        + figure("reach", "Expected fill rate by channel", "Lowest first")
        + figure("cover", "Days of cover by node", "Stock on hand over forecast demand per day")
        + "</div></div>"
        + table("By node", "", _kpi_columns("Node"), kpi_rows(plan, "node"))
        + table(
            "By channel",
            "A channel is short where the nodes that serve it are.",
            _kpi_columns("Channel"),
            kpi_rows(plan, "channel"),
        )
        + "</section>"
    )


def allocation_section(plan: Plan, shown: int = 20) -> str:
    """Where stock is short and who got it."""
    scarce = largest_shortages(plan)
    title = '<section id="scarce"><h2>Where stock is short, and who gets it</h2>'
    if not scarce:
        return (
            title
            + "<p>Supply covers the expected demand of every SKU. No quota is set.</p></section>"
        )
    channels = sorted({(row["tier"], row["channel"]) for one in scarce for row in one["rows"]})
    columns: list[Column] = [
        ("SKU", False, lambda one: _sku_cell(plan, one["sku"])),
        ("Supply", True, lambda one: units(one["supply"])),
        ("Asked", True, lambda one: units(one["requested"])),
        ("Short", True, lambda one: f'<span class="short">{units(one["short"])}</span>'),
        *[(f"{channel}, tier {tier}", True, _granted_cell(channel)) for tier, channel in channels],
    ]
    listed = scarce[:shown]
    reasons = "".join(
        f"<li><b>{escape(sku_label(plan, one['sku']))}</b>: "
        + "; ".join(escape(f"{row['channel']}: {row['reason']}") for row in one["rows"])
        + "</li>"
        for one in listed
    )
    more = (
        f" The {len(listed)} costliest of {len(scarce)} are listed." if len(scarce) > shown else ""
    )
    return (
        f"{title}<p>For {number(len(scarce))} SKUs, supply until new goods can arrive does not "
        "cover expected demand. Tier 1 is served before tier 2; within a tier channels get the "
        "same share of what they ask for, times their weight. A channel that gets less than it "
        f"asked for may sell no more than that: its grant is its quota.{more}</p>"
        '<div class="two">'
        + figure("granted", "Asked and granted, by channel", "All scarce SKUs")
        + figure(
            "shortage", "The largest shortages", "Who gets the units of each SKU; grey: nobody"
        )
        + "</div>"
        + table("Scarce SKUs", "Granted of asked, by channel", columns, listed)
        + "<details><summary>Why each channel got what it got</summary>"
        + f"<ul>{reasons}</ul></details></section>"
    )


def _granted_cell(channel: str) -> Callable[[Row], str]:
    def show(one: Row) -> str:
        for row in one["rows"]:
            if row["channel"] == channel and row["requested"]:
                text = f"{units(row['granted'])} of {units(row['requested'])}"
                return (
                    f'<span class="short">{text}</span>'
                    if row["granted"] < row["requested"]
                    else text
                )
        return ""

    return show


def replenishment_section(plan: Plan, shown: int = 15) -> str:
    """The most urgent orders and transfers."""
    parts = [
        '<section id="replenishment"><h2>What to order and move</h2>'
        "<p>Most urgent first: fewest days that stock on hand still covers. Quantities are whole "
        "packs where a supplier packs.</p>"
    ]
    for kind, caption in (
        ("order", "Orders to suppliers"),
        ("transfer", "Transfers between nodes"),
    ):
        count = len(replenishment_rows(plan, kind, plan.replenishment.num_rows))
        rows = replenishment_rows(plan, kind, shown)
        if not rows:
            parts.append(f"<h3>{caption}</h3><p>None needed.</p>")
            continue
        columns: list[Column] = [
            ("SKU", False, lambda row: _sku_cell(plan, row["sku"])),
            ("From", False, lambda row: whole(row["source"])),
            ("To", False, lambda row: whole(row["destination"])),
            ("Quantity", True, lambda row: f"<b>{units(row['quantity'])}</b>"),
            ("Days covered", True, lambda row: days(row["days_of_cover"])),
            ("Arrives", True, lambda row: _short_date(row["expected_date"])),
            ("Value", True, lambda row: number(row["value"])),
            ("Reason", False, lambda row: escape(row["reason"])),
        ]
        hint = f"{number(min(shown, count))} of {number(count)} lines"
        parts.append(table(caption, hint, columns, rows))
    return "".join(parts) + "</section>"


def _short_date(day: dt.date | None) -> str:
    return f"{day.day} {day:%b}" if day else ""


def availability_section(live: bool) -> str:
    """The waterfall of one SKU for one channel."""
    source = "as the engine answers now" if live else "on the plan's morning"
    return (
        '<section id="available"><h2>From the shelf to a promise</h2>'
        f"<p>What a channel may be promised, {source}: stock, less everything that stands in "
        "between.</p>"
        '<div class="pick"><label>SKU <select id="pick-waterfall-sku"></select></label>'
        '<label>Channel <select id="pick-waterfall-channel"></select></label></div>'
        + figure("waterfall", "Available to promise", "Units")
        + '<p class="note" id="waterfall-text" aria-live="polite"></p></section>'
    )


def footer(plan: Plan, version: str) -> str:
    """How the figures are meant."""
    return (
        f"<p>Made by omnistock {escape(version)} from sales up to "
        f"{date_text(plan.as_of - dt.timedelta(days=1))}. Money is in the unit of the SKU table; "
        "turns are forecast demand a year at cost over stock value; days of cover are stock on "
        "hand over forecast demand per day. This page is one file and loads nothing from "
        "elsewhere.</p>"
    )
