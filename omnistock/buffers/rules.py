"""Buffers by rule: one number per stockpoint and channel from rules with priority and validity.

Axes: s = SKU with stock of its own, k = key of a scope: a node, or the whole of a channel.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from omnistock.errors import FrameError, InputError, UnknownError
from omnistock.frames import Column, Table, TableSpec, check_references, read_table, to_arrow
from omnistock.model import Network, Node, Sku
from omnistock.model.calendar import to_seconds
from omnistock.model.network import NODE_KINDS
from omnistock.model.quantity import MAX_UNITS

__all__ = ["DEMAND", "STOCK", "BufferRule", "buffer_table"]

Moment = int | dt.datetime | dt.date | str

STOCK = TableSpec(
    "on_hand",
    (
        Column("sku", "text"),
        Column("node", "text"),
        Column("on_hand", "units", help="Smallest units; rows of one stockpoint add up."),
    ),
    help="Stock on hand; a stockpoint without a row has none.",
)
DEMAND = TableSpec(
    "demand_per_day",
    (
        Column("sku", "text"),
        Column("node", "text"),
        Column("channel", "text", required=False),
        Column("demand_per_day", "number", minimum=0, help="Smallest units a day."),
    ),
    help="Demand rates; a stockpoint without a row has none.",
)

# A product of two floats that is a whole number but for rounding is that number.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class BufferRule:
    """One rule: how much to keep back, where, and from when to when.

    Exactly one of ``quantity``, ``percent`` and ``days_of_cover`` says how much. The rule
    applies to whatever meets all the conditions that it names.

    Attributes
    ----------
    quantity : int or str
        An int counts smallest units; a text is in selling units or a unit of measure.
    percent : int, float, str or Decimal
        Percent of what is on hand, from 0 to 100, rounded up to whole units.
    days_of_cover : float
        Days that the buffer lasts at the rate of demand, rounded up to whole units.
    sku, category : str, optional
        Only this SKU, or SKUs of this category.
    node, node_kind : str, optional
        Only this node, or nodes of this kind.
    channel : str, optional
        Keep it back from this channel only: at each node that the rule names, or, if it
        names none, once from all the stock that the channel may sell.
    priority : int
        Of all rules that apply, the one with the smallest priority counts; among equals the
        first.
    since, until : seconds, datetime, date or ISO text, optional
        In force from ``since`` on, and before ``until``.
    """

    quantity: int | str | None = None
    percent: int | float | str | Decimal | None = None
    days_of_cover: float | None = None
    sku: str | None = None
    category: str | None = None
    node: str | None = None
    node_kind: str | None = None
    channel: str | None = None
    priority: int = 0
    since: Moment | None = None
    until: Moment | None = None

    def __post_init__(self) -> None:
        amounts = (self.quantity, self.percent, self.days_of_cover)
        if sum(one is not None for one in amounts) != 1:
            raise InputError("a rule needs one of quantity, percent and days_of_cover")
        if isinstance(self.quantity, int) and self.quantity < 0:
            raise InputError(f"quantity must be >= 0, got {self.quantity}")
        if self.percent is not None and not 0 <= self.share <= 1:
            raise InputError(f"percent must lie in 0..100, got {self.percent}")
        if self.days_of_cover is not None and not 0 <= self.days_of_cover < MAX_UNITS:
            raise InputError(f"days_of_cover must be >= 0 and finite, got {self.days_of_cover}")
        if self.node_kind is not None and self.node_kind not in NODE_KINDS:
            raise InputError(f"node_kind must be one of {NODE_KINDS}, got {self.node_kind!r}")

    @property
    def share(self) -> Fraction:
        """The percentage as an exact share of 1."""
        try:
            return Fraction(str(self.percent)) / 100
        except (ValueError, ZeroDivisionError) as error:
            raise InputError(f"percent must be a number, got {self.percent!r}") from error

    @property
    def of_channel(self) -> bool:
        """Whether it keeps back from a channel as a whole, not node by node."""
        return self.channel is not None and self.node is None and self.node_kind is None


@dataclass(frozen=True, slots=True)
class _Scope:
    """Keys for which buffers are set together: nodes for all or one channel, or a channel."""

    channel: str
    nodes: list[Node]
    whole: bool

    @property
    def labels(self) -> list[str]:
        return [""] if self.whole else [one.node for one in self.nodes]

    def keys_of(self, rule: BufferRule) -> np.ndarray:
        """(n_keys,) bool: the keys to which the rule applies."""
        if self.whole:
            return np.ones(1, dtype=bool)
        kept = [
            rule.node in (None, one.node) and rule.node_kind in (None, one.kind)
            for one in self.nodes
        ]
        return np.array(kept, dtype=bool)


def buffer_table(
    rules: Iterable[BufferRule],
    network: Network,
    *,
    today: Moment,
    on_hand: Any = None,
    demand_per_day: Any = None,
) -> Any:
    """Turn rules into buffers, to be given to the engine's ``set_buffers``.

    A rule without a channel keeps back at each node for everyone. A rule with a channel and
    a node (or kind of node) keeps back there for that channel; with a channel alone, from all
    that the channel may sell. For each of these scopes and each SKU the rule that comes first
    by priority counts, alone.

    Parameters
    ----------
    rules : iterable of BufferRule
    network : Network
        Its SKUs with stock of their own (no kits, none untracked) and its nodes that hold
        stock (no suppliers) get buffers.
    today : seconds, datetime, date or ISO text
        The moment for which the rules count. Where rules apply but none is in force, the
        buffer is 0, so that the buffer of a rule that has ended goes away.
    on_hand : table, optional
        ``sku``, ``node``, ``on_hand`` in smallest units; for rules with a percentage. Below
        zero counts as nothing.
    demand_per_day : table, optional
        ``sku``, ``node``, ``demand_per_day`` in smallest units, and ``channel`` for rules that
        name one; for rules with days of cover.

    Returns
    -------
    table
        ``sku``, ``node`` ("" for a channel as a whole), ``channel`` ("" for all), ``quantity``
        in smallest units. The kind of frame that was given, else pyarrow.

    Raises
    ------
    UnknownError
        If a rule names what is not in the network.
    InputError
        If a rule needs a table that is not there, or asks for a buffer of a kit, of an
        untracked SKU or at a supplier.
    FrameError
        With all faults of a table.

    Examples
    --------
    >>> network = Network.build(skus=["TEE"], nodes=["DC1", Node("SHOP", kind="store")])
    >>> table = buffer_table(
    ...     [BufferRule(quantity=2), BufferRule(percent=10, node_kind="store", priority=-1)],
    ...     network,
    ...     today="2026-03-01",
    ...     on_hand={"sku": ["TEE"], "node": ["SHOP"], "on_hand": [25]},
    ... )
    >>> table.to_pydict()["node"], table.to_pydict()["quantity"]
    (['DC1', 'SHOP'], [2, 3])
    """
    now = to_seconds(today, network.calendar.time_zone)
    ordered = sorted(rules, key=lambda rule: rule.priority)
    for rule in ordered:
        _check_names(rule, network)
    skus = [one for one in network.skus.values() if one.tracked and not one.is_kit]
    stock = None if on_hand is None else read_table(on_hand, STOCK)
    demand = None if demand_per_day is None else read_table(demand_per_day, DEMAND)
    names: list[list[Any]] = [[], [], []]
    units = [np.zeros(0, dtype=np.int64)]
    for scope in _scopes(network):
        channel = scope.channel or None
        fitting = [r for r in ordered if r.channel == channel and r.of_channel == scope.whole]
        if not fitting:
            continue
        basis = _Basis(skus, scope, network, stock, demand)
        quantity, touched = _first_match(fitting, basis, now, network.calendar.time_zone)
        s, k = np.nonzero(touched)
        names[0].append(np.array([one.sku for one in skus], dtype=object)[s])
        names[1].append(np.array(scope.labels, dtype=object)[k])
        names[2].append(np.full(len(s), scope.channel, dtype=object))
        units.append(quantity[s, k])
    empty = [np.zeros(0, dtype=object)]
    columns: dict[str, np.ndarray] = {
        name: np.concatenate(empty + parts)
        for name, parts in zip(("sku", "node", "channel"), names, strict=True)
    }
    columns["quantity"] = np.concatenate(units)
    like = stock if stock is not None else demand
    return to_arrow(columns) if like is None else like.native(columns)


def _scopes(network: Network) -> list[_Scope]:
    nodes = [one for one in network.nodes.values() if one.kind != "supplier"]
    scopes = [_Scope("", nodes, whole=False)]
    for channel in network.channels.values():
        serving = [one for one in nodes if not channel.nodes or one.node in channel.nodes]
        scopes.append(_Scope(channel.channel, serving, whole=True))
        scopes.append(_Scope(channel.channel, serving, whole=False))
    return scopes


class _Basis:
    """What percentages and days of cover refer to in one scope; tables are read when needed."""

    def __init__(
        self,
        skus: Sequence[Sku],
        scope: _Scope,
        network: Network,
        stock: Table | None,
        demand: Table | None,
    ):
        self.skus = skus
        self.scope = scope
        self.network = network
        self.stock = stock
        self.demand = demand
        self._known: dict[str, np.ndarray] = {}

    def on_hand(self) -> np.ndarray:
        """(n_skus, n_keys) int64: smallest units on hand, nowhere counted below zero."""
        if self.stock is None:
            raise InputError("a rule with a percentage needs on_hand=, the stock on hand")
        if "stock" not in self._known:
            summed = self._summed(self.stock, "on_hand", np.ones(len(self.stock), dtype=bool))
            self._known["stock"] = self._by_key(np.maximum(summed, 0))
        return self._known["stock"]

    def per_day(self) -> np.ndarray:
        """(n_skus, n_keys) float64: smallest units a day."""
        if self.demand is None:
            raise InputError("a rule with days of cover needs demand_per_day=, the rates")
        if "demand" not in self._known:
            rows = np.ones(len(self.demand), dtype=bool)
            if self.scope.channel:
                if "channel" not in self.demand.given:
                    raise InputError(
                        f"days of cover for channel {self.scope.channel!r} need a column "
                        "'channel' in demand_per_day"
                    )
                rows = self.demand["channel"] == self.scope.channel
            summed = self._summed(self.demand, "demand_per_day", rows)
            self._known["demand"] = self._by_key(summed)
        return self._known["demand"]

    def _by_key(self, at_nodes: np.ndarray) -> np.ndarray:
        return at_nodes.sum(axis=1, keepdims=True) if self.scope.whole else at_nodes

    def _summed(self, table: Table, column: str, rows: np.ndarray) -> np.ndarray:
        """Add up a column by SKU and node of the scope; other SKUs and nodes are left out."""
        problems = check_references(table, "sku", self.network.skus, "SKU")
        problems += check_references(table, "node", self.network.nodes, "node")
        if problems:
            raise FrameError(problems)
        values = table[column]
        summed = np.zeros((len(self.skus), len(self.scope.nodes)), dtype=values.dtype)
        s = _places(table, "sku", [one.sku for one in self.skus])
        n = _places(table, "node", [one.node for one in self.scope.nodes])
        here = rows & (s >= 0) & (n >= 0)
        np.add.at(summed, (s[here], n[here]), values[here])
        return summed


def _places(table: Table, column: str, names: list[str]) -> np.ndarray:
    """(n_rows,) int64: place of each row's text in ``names``, -1 if it is not there."""
    coded = table.codes(column)
    place = {name: k for k, name in enumerate(names)}
    known = np.array([place.get(label, -1) for label in coded.labels], dtype=np.int64)
    return np.asarray(known[coded.codes]) if len(known) else np.zeros(0, dtype=np.int64)


def _first_match(
    rules: Sequence[BufferRule], basis: _Basis, now: int, time_zone: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return (n_skus, n_keys) units, and which keys any of the rules is about."""
    shape = (len(basis.skus), len(basis.scope.labels))
    quantity = np.zeros(shape, dtype=np.int64)
    touched = np.zeros(shape, dtype=bool)
    decided = np.zeros(shape, dtype=bool)
    for rule in rules:
        of_skus = np.array(
            [
                rule.sku in (None, one.sku) and rule.category in (None, one.category)
                for one in basis.skus
            ],
            dtype=bool,
        )
        applies = of_skus[:, None] & basis.scope.keys_of(rule)[None, :]
        touched |= applies
        starts = rule.since is None or to_seconds(rule.since, time_zone) <= now
        if starts and (rule.until is None or now < to_seconds(rule.until, time_zone)):
            new = applies & ~decided
            quantity[new] = np.broadcast_to(_units(rule, basis, of_skus), shape)[new]
            decided |= new
    return quantity, touched


def _units(rule: BufferRule, basis: _Basis, of_skus: np.ndarray) -> np.ndarray:
    """Units that the rule keeps back; the shape broadcasts to (n_skus, n_keys)."""
    if rule.quantity is not None:
        units = np.zeros((len(basis.skus), 1), dtype=np.int64)
        for s in np.flatnonzero(of_skus).tolist():
            units[s] = basis.skus[s].smallest_units(rule.quantity)
    elif rule.percent is not None:
        share = rule.share
        scaled = basis.on_hand().astype(object) * share.numerator
        units = np.array(-(-scaled // share.denominator), dtype=np.int64)
    else:
        units = np.ceil(np.round(basis.per_day() * rule.days_of_cover, _DIGITS))
        units = np.minimum(units, MAX_UNITS + 1.0).astype(np.int64)
    if units.size and not 0 <= units.min() <= units.max() <= MAX_UNITS:
        raise InputError(f"{rule} asks for buffers outside 0..{MAX_UNITS} units")
    return units


def _check_names(rule: BufferRule, network: Network) -> None:
    for kind, name, known in (
        ("SKU", rule.sku, network.skus),
        ("node", rule.node, network.nodes),
        ("channel", rule.channel, network.channels),
    ):
        if name is not None and name not in known:
            raise UnknownError(kind, name, list(known))
    if rule.category is not None:
        categories = sorted({one.category for one in network.skus.values()})
        if rule.category not in categories:
            raise UnknownError("category", rule.category, categories)
    if rule.sku is not None and (
        network.skus[rule.sku].is_kit or not network.skus[rule.sku].tracked
    ):
        raise InputError(f"{rule.sku!r} has no stock of its own, so it can have no buffer")
    at = rule.node_kind if rule.node is None else network.nodes[rule.node].kind
    if at == "supplier":
        raise InputError("suppliers hold no stock of ours; a rule cannot name one")
