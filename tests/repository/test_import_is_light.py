"""``import omnistock`` must cost next to nothing, and every public name must be there on use."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

import omnistock

HEAVY = (
    "altair",
    "msgspec",
    "narwhals",
    "numba",
    "numpy",
    "ortools",
    "pandas",
    "polars",
    "pyarrow",
    "rich",
    "scipy",
    "sqlite3",
    "statsmodels",
    "typer",
    "vl_convert",
)


def modules_after(statement: str) -> set[str]:
    script = f"import sys; {statement}; print('\\n'.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return set(run.stdout.split())


@pytest.fixture(scope="module")
def modules_after_import() -> set[str]:
    return modules_after("import omnistock")


@pytest.mark.parametrize("heavy", HEAVY)
def test_the_import_loads_no_heavy_library(modules_after_import, heavy):
    assert heavy not in modules_after_import


def test_the_import_loads_no_room(modules_after_import):
    rooms = {name for name in modules_after_import if name.startswith("omnistock.")}

    assert rooms == set()


@pytest.mark.parametrize("light", ["Network", "Calendar", "InputError"])
def test_nouns_and_errors_load_no_heavy_library(light):
    loaded = modules_after(f"import omnistock; omnistock.{light}")

    assert loaded.isdisjoint(HEAVY)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        omnistock.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", sorted(omnistock._PUBLIC))
def test_every_public_name_loads_and_says_what_it_is(name):
    value = getattr(omnistock, name)

    assert inspect.getdoc(value)
    assert name in dir(omnistock)
    home = importlib.import_module(omnistock._PUBLIC[name])
    assert name in home.__all__
