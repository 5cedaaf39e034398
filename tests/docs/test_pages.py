"""Pages lead somewhere: links, decisions and the reference are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

import omnistock
from omnistock.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# Pages outside docs/ are not seen by the documentation build, so their links are held here.
OUTSIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
LINK = re.compile(r"\]\((?!https?:|#)([^)\s#]+)")


@pytest.mark.parametrize("name", OUTSIDE)
def test_links_of_pages_outside_the_documentation_lead_to_files(name):
    targets = LINK.findall((ROOT / name).read_text(encoding="utf-8"))

    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_decision_is_linked_from_the_list():
    listed = LINK.findall((DOCS / "decisions" / "index.md").read_text(encoding="utf-8"))

    pages = {path.name for path in (DOCS / "decisions").glob("*.md")} - {"index.md"}

    assert pages == set(listed)


def test_every_public_name_is_in_the_reference():
    page = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^::: ([\w.]+)$", page, re.M))

    missing = [
        name for name, home in omnistock._PUBLIC.items() if f"{home}.{name}" not in described
    ]

    assert missing == []


def test_the_command_line_page_lists_every_command_and_option():
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)[^\n]*\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    program = typer.main.get_command(app)

    wanted = {
        name: {option for one in command.params for option in one.opts if option.startswith("--")}
        for name, command in program.commands.items()
    }
    described = {
        name: set(re.findall(r"^\| `(--[\w-]+)`", text, re.M)) for name, text in sections.items()
    }

    assert described == wanted
