"""What holds for every file of the project."""

from __future__ import annotations

import ast
import os
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = {
    ".git",
    ".venv",
    ".venv-lock",
    ".venv-minimal",
    ".hypothesis",
    ".import_linter_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".benchmarks",
    "__pycache__",
    "build",
    "demo",
    "dist",
    "htmlcov",
    "site",
}
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 70

# Written in pieces, so that this file does not hold what it forbids.
FORBIDDEN = tuple(
    "".join(pieces)
    for pieces in (
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("/ho", "me/"),
        ("/Us", "ers/"),
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("deb.", "debian.org"),
        ("registry.", "npmjs.org"),
    )
)


def project_files() -> list[Path]:
    """Every file that git tracks or would track; a plain walk where there is no repository."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    if listing.returncode == 0:
        names = listing.stdout.split("\0")
        return sorted(ROOT / name for name in names if name and (ROOT / name).is_file())
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [one for one in folders if one not in SKIPPED_FOLDERS]
        found += [Path(folder) / name for name in names]
    return sorted(found)


FILES = project_files()
PYTHON_FILES = [path for path in FILES if path.suffix == ".py"]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_listing_finds_the_project():
    names = {relative(path) for path in FILES}

    assert {"pyproject.toml", "Makefile", "README.md", "omnistock/__init__.py"} <= names
    assert not any(name.startswith((".venv", "site/")) for name in names)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_file_names_a_machine_path_or_a_package_registry(path):
    content = path.read_bytes()

    found = [word for word in FORBIDDEN if word.encode() in content]

    assert found == []


@pytest.mark.parametrize("path", PYTHON_FILES, ids=relative)
def test_files_and_functions_fit_their_limits(path):
    source = path.read_text(encoding="utf-8")
    too_long = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node):
                lines -= node.body[0].end_lineno - node.body[0].lineno + 1
            if lines > MAX_FUNCTION_LINES:
                too_long.append((node.name, lines))

    assert too_long == []
    assert source.count("\n") <= MAX_FILE_LINES


def is_kernel(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(one, ast.Name) and one.id.endswith("kernel") for one in node.decorator_list
    )


def has_types(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if named and named[0].arg in ("self", "cls"):
        named = named[1:]
    return node.returns is not None and all(one.annotation is not None for one in named)


@pytest.mark.parametrize(
    "path", [path for path in PYTHON_FILES if ROOT / "omnistock" in path.parents], ids=relative
)
def test_every_function_but_kernels_has_types(path):
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    untyped = [node.name for node in functions if not (is_kernel(node) or has_types(node))]

    # A constructor's return type is known.
    assert [name for name in untyped if name != "__init__"] == []


@pytest.mark.parametrize("name", ["locked.txt", "minimal.txt"])
def test_pins_are_plain_and_cover_every_dependency(name):
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    declared = {line.split(">=")[0].lower() for line in project["dependencies"]}

    assert declared <= pins.keys()
    assert all(" " not in line and line.count("==") == 1 for line in lines)


def test_the_minimal_pins_are_the_declared_lower_bounds():
    lines = (ROOT / "requirements" / "minimal.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    for dependency in project["dependencies"]:
        name, bound = dependency.split(">=")
        lowest = bound.split(",")[0]
        assert (pins[name.lower()] + ".").startswith(lowest + "."), dependency


def test_every_room_has_a_folder_of_tests():
    rooms = {
        path.parent.name for path in (ROOT / "omnistock").glob("*/__init__.py") if path.is_file()
    }

    tested = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}

    assert rooms <= tested


def test_test_files_have_names_of_their_own():
    names = [
        path.name
        for path in (ROOT / "tests").rglob("*.py")
        if path.name not in ("__init__.py", "conftest.py")
    ]

    assert sorted(names) == sorted(set(names))
