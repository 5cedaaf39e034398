"""Many orders that compete for stock: one model in cents, as arrays.

Axes: r = region, n = node, s = stocked SKU, a = stockpoint (one SKU at one node, sorted by
SKU, then node), o = order, l = line, c = component of a line.

    min  sum x[l, n] * line_weight[l] * unit_cost[r, n]     what its units cost to send
       + sum x[l, n] * sum_c part_units[c] * stock_value[a]  what they would earn elsewhere
       + sum y[o, n] * package_cost[r, n]                    a package from each node used
       + sum line_penalty[l] * (1 - sum_n x[l, n])           what is left unfilled
    x[l, n] <= y[o, n];  sum_n x[l, n] <= 1, whole lines;  sum_n y[o, n] <= max_packages[o]
    all or nothing: every line of the order, or none;  must ship: every line
    sum x * part_units <= stock_units[a];  sum x * line_units <= node_capacity[n]
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from omnistock.errors import InputError

__all__ = ["SourcingProblem", "offsets_of"]

# Sums of this many cents over millions of lines stay exact, in integers and in floats.
_MOST_CENTS = 2**36
_MOST_UNITS = 2**40

_FLAGS = ("all_or_nothing", "must_ship", "allowed")


@dataclass(frozen=True)
class SourcingProblem:
    """Orders, stock and costs of one batch; see the module for the model.

    All arrays are int64 and C-contiguous, flags are bool. Use :meth:`build`, which fills
    what is left out and checks everything.

    Attributes
    ----------
    package_cost, unit_cost : (n_regions, n_nodes) int64
        Cents for a package, and for one unit of weight.
    node_capacity : (n_nodes,) int64
        Most units that each node may send.
    stock_offsets : (n_skus + 1,) int64
        Stockpoints of SKU ``s`` are ``stock_offsets[s]:stock_offsets[s + 1]``.
    stock_node, stock_units, stock_value : (n_stockpoints,) int64
        Node (ascending within a SKU), units, and cents that taking a unit costs elsewhere.
    order_offsets : (n_orders + 1,) int64
        Lines of order ``o`` are ``order_offsets[o]:order_offsets[o + 1]``.
    order_region, order_group, max_packages : (n_orders,) int64
    all_or_nothing, must_ship : (n_orders,) bool
    allowed : (n_groups, n_nodes) bool
        Whether a node may serve orders of a group.
    line_units, line_weight, line_penalty : (n_lines,) int64
        Units that count against a node's capacity; weight that ``unit_cost`` multiplies;
        cents if the line is left unfilled.
    line_node : (n_lines,) int64
        The only node that may send the line, -1 for any.
    part_offsets : (n_lines + 1,) int64
        Components of line ``l`` are ``part_offsets[l]:part_offsets[l + 1]``.
    part_sku, part_units : (n_parts,) int64
        What the whole line takes from stock; SKUs ascending within a line.
    """

    package_cost: np.ndarray
    unit_cost: np.ndarray
    node_capacity: np.ndarray
    stock_offsets: np.ndarray
    stock_node: np.ndarray
    stock_units: np.ndarray
    stock_value: np.ndarray
    order_offsets: np.ndarray
    order_region: np.ndarray
    order_group: np.ndarray
    max_packages: np.ndarray
    all_or_nothing: np.ndarray
    must_ship: np.ndarray
    allowed: np.ndarray
    line_units: np.ndarray
    line_weight: np.ndarray
    line_penalty: np.ndarray
    line_node: np.ndarray
    part_offsets: np.ndarray
    part_sku: np.ndarray
    part_units: np.ndarray

    def __post_init__(self) -> None:
        for field in fields(self):
            value = np.asarray(getattr(self, field.name))
            dtype = np.dtype(np.bool_) if field.name in _FLAGS else np.dtype(np.int64)
            if value.size and value.dtype != dtype and not _fits(value, dtype):
                raise InputError(f"{field.name} must hold {dtype}, got {value.dtype}")
            object.__setattr__(self, field.name, np.require(value, dtype, ["C", "W"]))
        _check_shapes(self)
        _check_values(self)

    @property
    def n_regions(self) -> int:
        return int(self.package_cost.shape[0])

    @property
    def n_nodes(self) -> int:
        return int(self.package_cost.shape[1])

    @property
    def n_skus(self) -> int:
        return len(self.stock_offsets) - 1

    @property
    def n_orders(self) -> int:
        return len(self.order_region)

    @property
    def n_lines(self) -> int:
        return len(self.line_units)

    @property
    def line_order(self) -> np.ndarray:
        """Order of every line, (n_lines,) int64."""
        return np.repeat(np.arange(self.n_orders), np.diff(self.order_offsets))

    @classmethod
    def build(
        cls,
        *,
        package_cost: Any,
        unit_cost: Any,
        stock: tuple[Any, Any, Any],
        n_skus: int,
        order_region: Any,
        order_offsets: Any,
        line_units: Any,
        line_penalty: Any,
        part_offsets: Any,
        part_sku: Any,
        part_units: Any,
        **optional: Any,
    ) -> SourcingProblem:
        """Build a problem, with defaults for what is left out.

        Parameters
        ----------
        stock : (node, sku, units)
            Three equally long arrays, in any order; pairs may repeat and are summed up.
        n_skus : int
        optional
            ``node_capacity`` (none), ``stock_value`` (0; one number per row of ``stock``),
            ``max_packages`` (any), ``all_or_nothing``, ``must_ship`` (no), ``order_group``
            and ``allowed`` (all nodes), ``line_weight`` (``line_units``), ``line_node`` (any).

        Raises
        ------
        InputError
            If a shape, index or amount is wrong, naming the field.

        Examples
        --------
        >>> problem = SourcingProblem.build(
        ...     package_cost=[[500, 900]], unit_cost=[[10, 10]], n_skus=1,
        ...     stock=([0, 1], [0, 0], [1, 5]), order_region=[0, 0], order_offsets=[0, 1, 2],
        ...     line_units=[1, 1], line_penalty=[2000, 2000],
        ...     part_offsets=[0, 1, 2], part_sku=[0, 0], part_units=[1, 1])
        >>> problem.n_orders, problem.stock_node.tolist()
        (2, [0, 1])
        """
        costs = np.atleast_2d(np.asarray(package_cost))
        n_nodes = costs.shape[1]
        region = np.atleast_1d(np.asarray(order_region))
        n_orders, n_lines = len(region), len(np.atleast_1d(line_units))
        value = optional.pop("stock_value", 0)
        stock_offsets, node, units, values = _stockpoints(*stock, value, n_skus, n_nodes)
        given: dict[str, Any] = {
            "node_capacity": np.full(n_nodes, _MOST_UNITS),
            "max_packages": np.full(n_orders, n_nodes),
            "all_or_nothing": np.zeros(n_orders, np.bool_),
            "must_ship": np.zeros(n_orders, np.bool_),
            "order_group": np.zeros(n_orders, np.int64),
            "allowed": np.ones((1, n_nodes), np.bool_),
            "line_weight": line_units,
            "line_node": np.full(n_lines, -1),
        }
        unknown = sorted(set(optional) - set(given))
        if unknown:
            raise InputError(f"unknown fields {unknown}; optional are {sorted(given)}")
        given.update(optional)
        return cls(
            package_cost=costs,
            unit_cost=np.atleast_2d(np.asarray(unit_cost)),
            stock_offsets=stock_offsets,
            stock_node=node,
            stock_units=units,
            stock_value=values,
            order_region=region,
            order_offsets=order_offsets,
            line_units=line_units,
            line_penalty=line_penalty,
            part_offsets=part_offsets,
            part_sku=part_sku,
            part_units=part_units,
            **given,
        )


def offsets_of(sorted_groups: np.ndarray, n_groups: int) -> np.ndarray:
    """Where each of ``n_groups`` starts in their sorted list, (n_groups + 1,) int64."""
    return np.searchsorted(sorted_groups, np.arange(n_groups + 1)).astype(np.int64)


def _fits(value: np.ndarray, dtype: np.dtype[Any]) -> bool:
    return value.dtype.kind == "b" if dtype.kind == "b" else value.dtype.kind in "iu"


def _stockpoints(
    node: Any, sku: Any, units: Any, value: Any, n_skus: int, n_nodes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sort stock by SKU and node, summing up equal pairs; the first row's value counts."""
    at_node, at_sku, count = (np.atleast_1d(np.asarray(one)) for one in (node, sku, units))
    if not len(at_node) == len(at_sku) == len(count):
        raise InputError(
            f"stock must be three equally long arrays, got {len(at_node)}, {len(at_sku)} "
            f"and {len(count)}"
        )
    for name, index, most in (("node", at_node, n_nodes), ("sku", at_sku, n_skus)):
        if index.size and (index.dtype.kind not in "iu" or index.min() < 0 or index.max() >= most):
            raise InputError(f"{name} of stock must be integers in 0..{most - 1}")
    if count.size and (count.dtype.kind not in "iu" or count.min() < 0):
        raise InputError("units of stock must be integers >= 0")
    values = np.broadcast_to(np.asarray(value), at_node.shape)
    key = at_sku.astype(np.int64) * n_nodes + at_node
    keys, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    total = np.zeros(len(keys), np.int64)
    np.add.at(total, inverse.reshape(-1), count.astype(np.int64))
    offsets = offsets_of(keys // n_nodes if n_nodes else keys, n_skus)
    return offsets, keys % max(n_nodes, 1), total, values[first]


def _check_shapes(problem: SourcingProblem) -> None:
    n_regions, n_nodes = problem.package_cost.shape
    n_orders, n_lines = problem.n_orders, problem.n_lines
    shapes: dict[str, tuple[int, ...]] = {
        "unit_cost": (n_regions, n_nodes),
        "node_capacity": (n_nodes,),
        "stock_units": problem.stock_node.shape,
        "stock_value": problem.stock_node.shape,
        "order_offsets": (n_orders + 1,),
        "order_group": (n_orders,),
        "max_packages": (n_orders,),
        "all_or_nothing": (n_orders,),
        "must_ship": (n_orders,),
        "allowed": (problem.allowed.shape[0], n_nodes),
        "line_weight": (n_lines,),
        "line_penalty": (n_lines,),
        "line_node": (n_lines,),
        "part_offsets": (n_lines + 1,),
        "part_units": problem.part_sku.shape,
    }
    for name, shape in shapes.items():
        if getattr(problem, name).shape != shape:
            raise InputError(f"{name} must be {shape}, got {getattr(problem, name).shape}")
    for name, total in (
        ("stock_offsets", len(problem.stock_node)),
        ("order_offsets", n_lines),
        ("part_offsets", len(problem.part_sku)),
    ):
        offsets = getattr(problem, name)
        if offsets[0] != 0 or offsets[-1] != total or np.any(np.diff(offsets) < 0):
            raise InputError(f"{name} must rise from 0 to {total}")


def _check_values(problem: SourcingProblem) -> None:
    n_nodes = problem.n_nodes
    ranges = {
        "package_cost": (0, _MOST_CENTS),
        "unit_cost": (0, _MOST_CENTS),
        "node_capacity": (0, _MOST_UNITS),
        "stock_node": (0, n_nodes - 1),
        "stock_units": (0, _MOST_UNITS),
        "stock_value": (0, _MOST_CENTS),
        "order_region": (0, problem.n_regions - 1),
        "order_group": (0, problem.allowed.shape[0] - 1),
        "max_packages": (1, _MOST_UNITS),
        "line_units": (0, _MOST_UNITS),
        "line_weight": (0, _MOST_UNITS),
        "line_penalty": (0, _MOST_CENTS),
        "line_node": (-1, n_nodes),
        "part_sku": (0, problem.n_skus - 1),
        "part_units": (1, _MOST_UNITS),
    }
    for name, (least, most) in ranges.items():
        values = getattr(problem, name)
        wrong = np.argwhere((values < least) | (values > most))
        if wrong.size:
            at = tuple(wrong[0].tolist())
            raise InputError(f"{name}{list(at)} must lie in {least}..{most}, got {int(values[at])}")
    if np.any(np.diff(problem.part_offsets) == 0):
        line = int(np.flatnonzero(np.diff(problem.part_offsets) == 0)[0])
        raise InputError(f"line {line} takes nothing from stock; give it at least one component")
    weight = int(problem.line_weight.max(initial=0))
    if weight * int(problem.unit_cost.max(initial=0)) > _MOST_CENTS:
        raise InputError(
            f"line_weight up to {weight} times unit_cost is above {_MOST_CENTS} cents; "
            "give one of them in larger units"
        )
    units = int(problem.part_units.max(initial=0))
    if units * int(problem.stock_value.max(initial=0)) > _MOST_CENTS:
        raise InputError(
            f"part_units up to {units} times stock_value is above {_MOST_CENTS} cents; "
            "give one of them in larger units"
        )
    for name in ("line_units", "part_units"):
        if float(getattr(problem, name).sum(dtype=np.float64)) > 2**60:
            raise InputError(f"{name} add up to more than 2**60; give them in larger units")
