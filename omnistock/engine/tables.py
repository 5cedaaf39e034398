"""Names entered into the state: the rows that kernels read for SKUs, nodes, askers, lots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omnistock.availability import layout
from omnistock.availability.arena import State, rows, with_room
from omnistock.availability.fold_settings import flag_limits
from omnistock.availability.layout import FIRST_LIMIT, NODE_ACTIVE, NODE_PRIORITY
from omnistock.availability.machine import relink

if TYPE_CHECKING:
    from omnistock.engine.registry import Definitions, Registry

__all__ = ["FIRST_LIMIT", "define", "settle"]


def define(registry: Registry, state: State, definitions: Definitions) -> State:
    """Enter the definitions of one frame; the registry knows their names already."""
    counts = state.stock
    state = with_room(
        state,
        skus=len(registry.sku_list) - int(counts[layout.N_SKUS]),
        nodes=len(registry.node_list) - int(counts[layout.N_NODES]),
    )
    state.stock[layout.N_SKUS] = len(registry.sku_list)
    state.stock[layout.N_NODES] = len(registry.node_list)
    if definitions.skus:
        _set_skus(registry, state, definitions)
    if definitions.nodes:
        _set_nodes(registry, state, definitions)
    if definitions.nodes or definitions.channels or definitions.defaults:
        # Who may serve an asker hangs on channels and nodes: all askers are entered anew.
        for asker in registry.asker_list:
            node_set = registry.nodes_of(asker)
            registry.node_sets.setdefault(node_set, len(registry.node_sets))
        state.stock[layout.N_SETS] = 0
        state.stock[layout.N_ASKERS] = 0
    return settle(registry, state)


def _set_skus(registry: Registry, state: State, definitions: Definitions) -> None:
    table = rows(state, "skus")
    for sku in definitions.skus:
        code = registry.skus[sku.sku]
        fence = sku.replenishment_buckets
        table[code, layout.FENCE] = -1 if fence is None else fence
        if fence is not None:
            flag_limits(state, code)
        table[code, layout.UNTRACKED] = int(not sku.tracked)
        table[code, layout.POINTS_OF_SKU] = max(0, table[code, layout.POINTS_OF_SKU])


def _set_nodes(registry: Registry, state: State, definitions: Definitions) -> None:
    table = rows(state, "nodes")
    moved = False
    for node in definitions.nodes:
        code = registry.nodes[node.node]
        moved = moved or table[code, NODE_PRIORITY] != node.priority
        table[code, NODE_ACTIVE] = node.active
        table[code, NODE_PRIORITY] = node.priority
    if moved:
        relink(state)


def settle(registry: Registry, state: State) -> State:
    """Enter the node sets, compartments, askers and conditions that the state lacks."""
    counts = state.stock
    done = {
        "sets": int(counts[layout.N_SETS]),
        "tags": int(counts[layout.N_TAGS]),
        "askers": int(counts[layout.N_ASKERS]),
        "matches": int(counts[layout.N_MATCHES]),
    }
    size = {
        "sets": len(registry.node_sets),
        "tags": len(registry.compartment_list),
        "askers": len(registry.asker_list),
        "matches": len(registry.match_list),
    }
    if done == size:
        return state
    state = with_room(state, **{name: size[name] - done[name] for name in size})
    stock = state.stock
    stock[layout.N_SETS] = size["sets"]
    stock[layout.N_TAGS] = size["tags"]
    stock[layout.N_ASKERS] = size["askers"]
    stock[layout.N_MATCHES] = size["matches"]
    sets = rows(state, "sets")
    for node_set, row in registry.node_sets.items():
        if row >= done["sets"]:
            sets[row] = 0 if node_set else 1
            chosen = [registry.nodes[node] for node in node_set if node in registry.nodes]
            sets[row, chosen] = 1
    _set_compartments(registry, state, done["tags"])
    _set_askers(registry, state)
    _set_matches(registry, state, done["matches"], done["askers"])
    return state


def _set_compartments(registry: Registry, state: State, first: int) -> None:
    table = rows(state, "tags")
    for code in range(first, len(registry.compartment_list)):
        one = registry.compartment_list[code]
        table[code, layout.TAG_SELLABLE] = int(one.state == "available")
        table[code, layout.TAG_SEGMENT] = registry.segments[one.segment]
        table[code, layout.TAG_OWNER] = registry.owners[one.owner]
        table[code, layout.TAG_LOT] = registry.lots[one.lot]
        table[code, layout.TAG_EXPIRES] = one.expires
        table[code, layout.TAG_RECEIVED] = one.received


def _set_askers(registry: Registry, state: State) -> None:
    table = rows(state, "askers")
    # A channel may sell an owner's stock that has only now been named: all are entered.
    for code, asker in enumerate(registry.asker_list):
        channel_code = registry.channels[asker.channel]
        channel = registry.channel_list[channel_code]
        owners = ("",) if channel is None else channel.owners
        bits = sum(1 << registry.owners[one] for one in set(owners) if one in registry.owners)
        segment = -1 if asker.segment == "*" else registry.segments[asker.segment]
        table[code, layout.ASKER_SET] = registry.node_sets[registry.nodes_of(asker)]
        table[code, layout.ASKER_SEGMENT] = segment
        table[code, layout.ASKER_OWNERS] = bits
        table[code, layout.ASKER_CHANNEL] = channel_code


def _set_matches(registry: Registry, state: State, first: int, first_asker: int) -> None:
    table = rows(state, "matches")
    if not len(table):
        return
    for code, match in enumerate(registry.match_list):
        start = 0 if code >= first else first_asker
        for asker_code in range(start, len(registry.asker_list)):
            table[code, asker_code] = int(registry.asker_list[asker_code].fits(match))
