"""Templates: rows that pass every check and fit together."""

from __future__ import annotations

from omnistock.cli.templates import example_tables, write_templates
from omnistock.frames import TABLES, check_references, read_folder, smallest_units


def test_templates_hold_every_table_with_every_column(tmp_path):
    write_templates(tmp_path)

    tables = read_folder(tmp_path)

    assert set(tables) == set(TABLES)
    for name, table in tables.items():
        assert table.given == set(TABLES[name].names)
        assert len(table) > 0


def test_every_name_in_the_templates_is_defined(tmp_path):
    write_templates(tmp_path)
    tables = read_folder(tmp_path)
    known = {
        "sku": tables["skus"].codes("sku").labels,
        "node": tables["nodes"].codes("node").labels,
        "channel": tables["channels"].codes("channel").labels,
    }
    places = [
        (name, column, known.get(column, known["sku"] if name == "kits" else known["node"]))
        for name, table in tables.items()
        for column in ("sku", "node", "channel", "kit", "component", "source", "destination")
        if column in table
    ]

    problems = [
        problem
        for name, column, names in places
        for problem in check_references(tables[name], column, names, column)
    ]

    assert problems == []


def test_quantities_are_whole_numbers_of_smallest_units(tmp_path):
    write_templates(tmp_path)
    tables = read_folder(tmp_path)
    scale = dict(zip(tables["skus"]["sku"], tables["skus"]["unit_scale"], strict=True))

    for name, column in (("sales", "quantity"), ("stock", "on_hand"), ("orders", "quantity")):
        table = tables[name]
        scales = [scale[sku] for sku in table["sku"]]
        assert (smallest_units(table[column], scales) >= 0).all()


def test_sales_span_some_weeks_and_respect_stockouts():
    tables = example_tables()
    sales, stockouts = tables["sales"], tables["stockouts"]

    assert len(set(sales["date"])) >= 28
    for date, sku, node, share in zip(*stockouts.values(), strict=True):
        rows = [
            quantity
            for day, what, where, quantity in zip(
                sales["date"], sales["sku"], sales["node"], sales["quantity"], strict=True
            )
            if (day, what, where) == (date, sku, node)
        ]
        assert rows == [] or share < 1


def test_templates_are_the_same_every_time(tmp_path):
    first = {path.name: path.read_bytes() for path in write_templates(tmp_path / "one")}
    second = {path.name: path.read_bytes() for path in write_templates(tmp_path / "two")}

    assert first == second
