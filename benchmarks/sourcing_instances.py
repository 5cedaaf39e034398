"""Instances of joint sourcing as JSON files: read, checked, made arrays, answers priced.

:func:`price` is written from the file's own words and shares no code with the library.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from omnistock.errors import InputError
from omnistock.sourcing.joint.problem import SourcingProblem

__all__ = ["price", "problem_of", "read_instance"]


def read_instance(path: Path) -> dict[str, Any]:
    """Read an instance; an :class:`InputError` names the file and the field that is wrong."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: not readable as JSON: {error}") from error
    try:
        return _checked(raw)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _checked(raw: Any) -> dict[str, Any]:
    _expect(isinstance(raw, dict), "the file", "an object", raw)
    for name in ("package_cost", "unit_cost", "weight", "node_capacity", "stock", "orders"):
        _expect(name in raw, name, "present", "nothing")
    instance = {"kits": [], **raw}
    if instance["kits"] is None:
        instance["kits"] = []
    n_nodes = _count(instance.get("n_nodes", len(instance["node_capacity"])), "n_nodes", 1)
    _row(instance["node_capacity"], "node_capacity", n_nodes)
    for name in ("package_cost", "unit_cost"):
        _expect(isinstance(instance[name], list), name, "a list of rows", instance[name])
        for r, row in enumerate(instance[name]):
            _row(row, f"{name}[{r}]", n_nodes)
    n_regions = len(instance["package_cost"])
    _expect(len(instance["unit_cost"]) == n_regions, "unit_cost", f"{n_regions} rows", "others")
    _row(instance["weight"], "weight", None)
    for name in ("kits", "stock", "orders"):
        _expect(isinstance(instance[name], list), name, "a list", instance[name])
    plain = len(instance["weight"]) - len(instance["kits"])
    n_skus = _count(instance.get("n_skus", plain), "n_skus", 0)
    _expect(n_skus <= len(instance["weight"]), "weight", "one for each SKU", instance["weight"])
    for i, entry in enumerate(instance["stock"]):
        node, sku, _ = _row(entry, f"stock[{i}]", 3)
        _index(node, f"stock[{i}][0] (node)", 0, n_nodes)
        _index(sku, f"stock[{i}][1] (sku)", 0, n_skus)
    _check_kits(instance, n_skus)
    for o, order in enumerate(instance["orders"]):
        _check_order(order, f"orders[{o}]", instance, n_regions)
    return {**instance, "n_nodes": n_nodes, "n_skus": n_skus}


def _check_kits(instance: dict[str, Any], n_skus: int) -> None:
    seen = set()
    for i, kit in enumerate(instance["kits"]):
        name = f"kits[{i}]"
        _expect(isinstance(kit, list) and len(kit) == 2, name, "[kit_sku, components]", kit)
        _index(kit[0], f"{name}[0] (kit_sku)", n_skus, len(instance["weight"]))
        _expect(kit[0] not in seen, f"{name}[0]", "another kit_sku than before", kit[0])
        seen.add(kit[0])
        _expect(isinstance(kit[1], list) and len(kit[1]) > 0, f"{name}[1]", "components", kit[1])
        for j, part in enumerate(kit[1]):
            sku, units = _row(part, f"{name}[1][{j}]", 2)
            _index(sku, f"{name}[1][{j}][0] (component_sku)", 0, n_skus)
            _count(units, f"{name}[1][{j}][1] (units_per_kit)", 1)


def _check_order(order: Any, name: str, instance: dict[str, Any], n_regions: int) -> None:
    _expect(isinstance(order, dict), name, "an object", order)
    _index(order.get("region"), f"{name}.region", 0, n_regions)
    for flag in ("all_or_nothing", "must_ship"):
        value = order.get(flag, False)
        _expect(isinstance(value, bool), f"{name}.{flag}", "true or false", value)
    lines = order.get("lines")
    _expect(isinstance(lines, list), f"{name}.lines", "a list", lines)
    kits = {kit[0] for kit in instance["kits"]}
    plain = len(instance["weight"]) - len(instance["kits"])
    for i, line in enumerate(lines):
        where = f"{name}.lines[{i}]"
        _expect(isinstance(line, dict), where, "an object", line)
        sku = _index(line.get("sku"), f"{where}.sku", 0, len(instance["weight"]))
        known = sku < instance.get("n_skus", plain) or sku in kits
        _expect(known, f"{where}.sku", "a plain SKU or a kit of kits", sku)
        _count(line.get("qty"), f"{where}.qty", 1)
        _count(line.get("penalty"), f"{where}.penalty", 0)


def _expect(holds: bool, field: str, what: str, got: Any) -> None:
    if not holds:
        shown = repr(got)
        raise InputError(
            f"{field}: expected {what}, got {shown if len(shown) < 80 else shown[:77] + '...'}"
        )


def _count(value: Any, field: str, least: int) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    _expect(whole and value >= least, field, f"an integer >= {least}", value)
    return int(value)


def _index(value: Any, field: str, least: int, end: int) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    _expect(whole and least <= value < end, field, f"an integer in {least}..{end - 1}", value)
    return int(value)


def _row(row: Any, field: str, length: int | None) -> list[int]:
    what = "a list of integers" if length is None else f"a list of {length} integers"
    _expect(isinstance(row, list) and length in (None, len(row)), field, what, row)
    for i, value in enumerate(row):
        _count(value, f"{field}[{i}]", 0)
    return list(row)


def problem_of(instance: dict[str, Any]) -> SourcingProblem:
    """Make arrays of an instance, kits taken apart."""
    weight = np.array(instance["weight"], np.int64)
    kits = dict(instance["kits"])
    orders = instance["orders"]
    lines = [line for order in orders for line in order["lines"]]
    parts = [_parts(line, kits) for line in lines]
    flat = [part for some in parts for part in some]
    units = np.array([line["qty"] for line in lines], np.int64)
    stock = np.array(instance["stock"], np.int64).reshape(-1, 3)
    return SourcingProblem.build(
        package_cost=np.array(instance["package_cost"], np.int64).reshape(-1, instance["n_nodes"]),
        unit_cost=np.array(instance["unit_cost"], np.int64).reshape(-1, instance["n_nodes"]),
        node_capacity=np.array(instance["node_capacity"], np.int64),
        stock=(stock[:, 0], stock[:, 1], stock[:, 2]),
        n_skus=instance["n_skus"],
        order_region=np.array([order["region"] for order in orders], np.int64),
        order_offsets=np.cumsum([0, *(len(order["lines"]) for order in orders)]),
        all_or_nothing=np.array([order.get("all_or_nothing", False) for order in orders], bool),
        must_ship=np.array([order.get("must_ship", False) for order in orders], bool),
        line_units=units,
        line_weight=units * weight[np.array([line["sku"] for line in lines], np.int64)],
        line_penalty=np.array([line["penalty"] for line in lines], np.int64),
        part_offsets=np.cumsum([0, *(len(some) for some in parts)]),
        part_sku=np.array([sku for sku, _ in flat], np.int64),
        part_units=np.array([taken for _, taken in flat], np.int64),
    )


def _parts(line: dict[str, int], kits: dict[int, list[list[int]]]) -> list[tuple[int, int]]:
    needed: Counter[int] = Counter()
    for sku, units in kits.get(line["sku"], [[line["sku"], 1]]):
        needed[sku] += units * line["qty"]
    return sorted(needed.items())


def price(instance: dict[str, Any], nodes: list[int]) -> tuple[int, list[str]]:
    """Cost in cents of sending each line from its node (-1: unfilled), and what that breaks."""
    kits = dict(instance["kits"])
    stock: Counter[tuple[int, int]] = Counter()
    for node, sku, units in instance["stock"]:
        stock[node, sku] += units
    sent_units: Counter[int] = Counter()
    cost, wrong, at = 0, [], 0
    for o, order in enumerate(instance["orders"]):
        packages = set()
        filled = 0
        for line in order["lines"]:
            node, at = nodes[at], at + 1
            if node < 0:
                cost += line["penalty"]
                continue
            filled += 1
            packages.add(node)
            weight = instance["weight"][line["sku"]]
            cost += line["qty"] * weight * instance["unit_cost"][order["region"]][node]
            sent_units[node] += line["qty"]
            for sku, units in kits.get(line["sku"], [[line["sku"], 1]]):
                stock[node, sku] -= units * line["qty"]
        cost += sum(instance["package_cost"][order["region"]][node] for node in packages)
        whole = filled == len(order["lines"])
        if order.get("must_ship") and not whole:
            wrong.append(f"orders[{o}] must ship")
        if order.get("all_or_nothing") and filled and not whole:
            wrong.append(f"orders[{o}] is sent in part")
    if at != len(nodes):
        wrong.append(f"{len(nodes)} lines instead of {at}")
    wrong += [
        f"node {n} gives {-left} of SKU {s} too many" for (n, s), left in stock.items() if left < 0
    ]
    wrong += [
        f"node {n} sends {units} units, more than it can"
        for n, units in sent_units.items()
        if units > instance["node_capacity"][n]
    ]
    return cost, wrong
