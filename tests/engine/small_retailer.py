"""A few nodes in order of their priority, two SKUs and a kit: for tests of choosing nodes."""

from __future__ import annotations

import omnistock as om

NOON = 1_728_000_000
DAY = 86_400


def make_engine(stock, **nodes):
    names = dict.fromkeys(node for _, node in stock)
    kits = [om.Sku("SET", components=(("X", 2), ("Y", 1)))]
    network = om.Network.build(
        skus=["X", "Y", *kits],
        nodes=[om.Node(name, priority=k, **nodes.get(name, {})) for k, name in enumerate(names)],
        channels=["web", om.Channel("app", nodes=("A",))],
    )
    engine = om.open(":memory:", network, clock=lambda: NOON)
    for (sku, node), units in stock.items():
        if units:
            engine.receive(sku, node, units)
    return engine


def lines_of(result):
    return [(one.sku, one.node, one.quantity) for one in result.lines]


def held(engine, hold):
    return sorted(
        (line.sku, line.node, line.quantity)
        for line in engine.hold(hold.hold_id).lines
        if line.quantity
    )
