"""Specs check themselves, and the reference page says what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from omnistock.errors import InputError
from omnistock.frames import TABLES, Column, TableSpec
from omnistock.frames.page import columns_page

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_page_equals_the_specs():
    page = (ROOT / "docs" / "reference" / "columns.md").read_text()

    assert page == columns_page(), "write docs/reference/columns.md again from columns_page()"


def test_the_page_names_every_column_of_every_table():
    page = columns_page()

    for spec in TABLES.values():
        section = page.split(f"### {spec.name}\n")[1].split("\n##")[0]
        for column in spec.columns:
            assert f"| `{column.name}` |" in section
            assert column.help.endswith(".")


def test_wrong_specs_are_refused():
    with pytest.raises(InputError, match="kind must be one of"):
        Column("a", "string")
    with pytest.raises(InputError, match="needs a default"):
        Column("a", "units", required=False)
    with pytest.raises(InputError, match="defines a column twice"):
        TableSpec("t", (Column("a", "text"), Column("a", "text")))
    with pytest.raises(InputError, match="column 'b' is not defined"):
        TableSpec("t", (Column("a", "text"),), key=("b",))
    with pytest.raises(InputError, match="has no column 'b'"):
        TableSpec("t", (Column("a", "text"),)).column("b")
