"""The tables of a retailer: what users hand in, column by column.

Identifiers are texts kept verbatim. Quantities are in selling units; decimals are
allowed for SKUs whose ``unit_scale`` is above 1 and convert exactly or are refused.
"""

from __future__ import annotations

from omnistock.frames.specs import Column, TableSpec

__all__ = ["OPTIONAL", "REQUIRED", "TABLES"]

# What a plan cannot do without, and what it can.
REQUIRED = ("skus", "nodes", "channels", "lanes", "sales", "stock")
OPTIONAL = ("kits", "stockouts", "inbound", "orders", "promotions")

_SKUS = TableSpec(
    "skus",
    (
        Column("sku", "text", help="Identifier, kept verbatim."),
        Column("name", "text", required=False, help="What people call it."),
        Column("category", "text", required=False, help="Group for reports and pooled profiles."),
        Column(
            "unit_scale",
            "units",
            required=False,
            minimum=1,
            maximum=1_000_000,
            default=1,
            help="Smallest units in one selling unit; 1000 for kilograms kept in grams.",
        ),
        Column(
            "unit_cost",
            "number",
            required=False,
            minimum=0,
            default=0.0,
            help="Purchase cost of one selling unit, in money.",
        ),
        Column(
            "unit_price",
            "number",
            required=False,
            minimum=0,
            default=0.0,
            help="Selling price of one selling unit, in money.",
        ),
        Column(
            "pack_size",
            "number",
            required=False,
            above=0,
            default=1.0,
            help="Selling units per supplier pack; orders are whole packs.",
        ),
        Column(
            "minimum_order",
            "number",
            required=False,
            minimum=0,
            default=0.0,
            help="The least a supplier delivers, in selling units.",
        ),
    ),
    key=("sku",),
    help="Every article: stocked ones and kits.",
)

_KITS = TableSpec(
    "kits",
    (
        Column("kit", "text", help="SKU of the kit, also listed in skus."),
        Column("component", "text", help="SKU inside the kit."),
        Column(
            "quantity",
            "number",
            above=0,
            help="Selling units of the component in one selling unit of the kit.",
        ),
    ),
    key=("kit", "component"),
    help="What kits (bundles) are made of. A kit sells under its own SKU and has no stock.",
)

_NODES = TableSpec(
    "nodes",
    (
        Column("node", "text", help="Identifier of the place."),
        Column(
            "kind",
            "text",
            required=False,
            default="warehouse",
            choices=("warehouse", "store", "supplier"),
            help="What the place is.",
        ),
        Column(
            "latitude",
            "number",
            required=False,
            minimum=-90,
            maximum=90,
            help="Degrees north.",
        ),
        Column(
            "longitude",
            "number",
            required=False,
            minimum=-180,
            maximum=180,
            help="Degrees east.",
        ),
        Column(
            "priority",
            "units",
            required=False,
            default=0,
            help="Order among nodes when nothing else decides; smaller comes first.",
        ),
    ),
    key=("node",),
    help="Places that hold stock, and suppliers.",
)

_CHANNELS = TableSpec(
    "channels",
    (
        Column("channel", "text", help="Identifier of the way of selling."),
        Column(
            "tier",
            "units",
            required=False,
            minimum=1,
            default=1,
            help="Scarce stock goes to tier 1 before tier 2.",
        ),
        Column(
            "weight",
            "number",
            required=False,
            minimum=0,
            default=1.0,
            help="Share among channels of one tier.",
        ),
        Column(
            "nodes",
            "text",
            required=False,
            help="Nodes that may serve the channel, joined by |; empty means all.",
        ),
        Column(
            "sync_latency_seconds",
            "number",
            required=False,
            minimum=0,
            default=0.0,
            help="How long the channel may go on selling after stock has gone elsewhere.",
        ),
        Column(
            "service_level",
            "share",
            required=False,
            help="Wanted share of cycles without stockout; empty takes the plan's.",
        ),
    ),
    key=("channel",),
    help="Ways of selling: stores, web, app, marketplaces.",
)

_LANES = TableSpec(
    "lanes",
    (
        Column("source", "text", help="Where goods come from: a supplier or a node."),
        Column("destination", "text", help="The node that receives them."),
        Column(
            "lead_time_days",
            "number",
            minimum=0,
            maximum=730,
            help="Days from order to receipt.",
        ),
        Column(
            "lead_time_std_days",
            "number",
            required=False,
            minimum=0,
            maximum=365,
            default=0.0,
            help="Standard deviation of the lead time, in days.",
        ),
        Column(
            "review_period_days",
            "units",
            required=False,
            minimum=1,
            maximum=365,
            default=1,
            help="Days between two looks at whether to order.",
        ),
    ),
    key=("source", "destination"),
    help="Who supplies whom, and how long it takes.",
)

_SALES = TableSpec(
    "sales",
    (
        Column("date", "date", help="Day of the sale."),
        Column("sku", "text", help="What was sold; kits under their own SKU."),
        Column("node", "text", help="Where it was taken from."),
        Column("channel", "text", help="How it was sold."),
        Column(
            "quantity",
            "number",
            minimum=0,
            help="Selling units sold that day, returns not subtracted.",
        ),
        Column(
            "promotion",
            "flag",
            required=False,
            default=False,
            help="Whether the SKU was promoted that day.",
        ),
    ),
    key=("date", "sku", "node", "channel"),
    help=(
        "Sales by day, SKU, node and channel. A missing row means that nothing was sold; "
        "days without stock belong in stockouts."
    ),
)

_STOCKOUTS = TableSpec(
    "stockouts",
    (
        Column("date", "date", help="Day."),
        Column("sku", "text", help="What was missing."),
        Column("node", "text", help="Where."),
        Column(
            "share",
            "share",
            required=False,
            default=1.0,
            help="Share of the day without stock; 1 for the whole day.",
        ),
    ),
    key=("date", "sku", "node"),
    help="Days on which sales understate demand because stock was out.",
)

_STOCK = TableSpec(
    "stock",
    (
        Column("sku", "text", help="What."),
        Column("node", "text", help="Where."),
        Column("on_hand", "number", minimum=0, help="Selling units physically present."),
    ),
    key=("sku", "node"),
    help="Units on hand now. A SKU and node without a row have none.",
)

_INBOUND = TableSpec(
    "inbound",
    (
        Column("reference", "text", help="Purchase order or transfer."),
        Column("sku", "text", help="What comes."),
        Column("node", "text", help="Where it comes to."),
        Column("quantity", "number", above=0, help="Selling units."),
        Column("eta", "date", help="Day it is expected."),
    ),
    key=("reference", "sku", "node", "eta"),
    help="Receipts to come.",
)

_ORDERS = TableSpec(
    "orders",
    (
        Column("order", "text", help="Order number; several rows may share one."),
        Column("sku", "text", help="What was ordered."),
        Column("channel", "text", help="How it was ordered."),
        Column("quantity", "number", above=0, help="Selling units."),
        Column("node", "text", required=False, help="Node it must come from; empty means any."),
        Column("due", "date", required=False, help="Day it is wanted; empty means now."),
    ),
    help="Open orders: accepted, not yet shipped.",
)

_PROMOTIONS = TableSpec(
    "promotions",
    (
        Column("sku", "text", help="What is promoted."),
        Column("start", "date", help="First day."),
        Column("end", "date", help="Last day, itself included."),
        Column(
            "uplift",
            "number",
            required=False,
            above=0,
            help="Demand as a multiple of normal demand; empty lets it be learnt from sales.",
        ),
        Column("channel", "text", required=False, help="Empty means all channels."),
    ),
    key=("sku", "start", "channel"),
    help="Promotions past and planned.",
    ordered=(("start", "end"),),
)

TABLES: dict[str, TableSpec] = {
    spec.name: spec
    for spec in (
        _SKUS,
        _KITS,
        _NODES,
        _CHANNELS,
        _LANES,
        _SALES,
        _STOCKOUTS,
        _STOCK,
        _INBOUND,
        _ORDERS,
        _PROMOTIONS,
    )
}
