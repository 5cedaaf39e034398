"""Every code block of the documentation runs, in the order of its page.

A ``python`` block is executed; one with ``>>>`` prompts is held to the output it
shows. All blocks of a page share one namespace. In a ``console`` block every
``$ omnistock ...`` line is run and held to the lines below it, where ``...``
stands for anything; other commands (installing, cleaning) are for people.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=indent)```", re.M | re.S
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    language: str
    source: str
    line: int


def blocks_of(text: str) -> list[Block]:
    found = []
    for match in FENCE.finditer(text):
        indent = len(match["indent"])
        source = "".join(line[indent:] or "\n" for line in match["body"].splitlines(keepends=True))
        line = text.count("\n", 0, match.start()) + 2
        found.append(Block(match["language"], source, line))
    return found


def blocks_to_run(page: Path) -> list[Block]:
    blocks = blocks_of(page.read_text(encoding="utf-8"))
    return [block for block in blocks if block.language in ("python", "console")]


def run_python(block: Block, page: Path, namespace: dict[str, object]) -> None:
    if ">>>" in block.source:
        test = doctest.DocTestParser().get_doctest(
            block.source, namespace, page.name, str(page), block.line - 1
        )
        report: list[str] = []
        runner = doctest.DocTestRunner(optionflags=FLAGS)
        runner.run(test, out=report.append, clear_globs=False)
        namespace.update(test.globs)
        assert not runner.failures, "".join(report)
        return
    # Leading newlines make a traceback name the line of the page.
    code = compile("\n" * (block.line - 1) + block.source, str(page), "exec")
    exec(code, namespace)


def commands_of(source: str) -> list[tuple[str, str]]:
    """Split a console block into commands and the output shown below each."""
    commands: list[tuple[str, list[str]]] = []
    for line in source.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        elif commands:
            commands[-1][1].append(line)
    return [(command, "\n".join(shown).strip()) for command, shown in commands]


def run_command(command: str, shown: str, folder: Path) -> None:
    program, *arguments = shlex.split(command)
    if program != "omnistock":
        return
    run = subprocess.run(
        [str(Path(sys.executable).with_name("omnistock")), *arguments],
        cwd=folder,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    output = run.stdout + run.stderr
    if shown:
        matches = doctest.OutputChecker().check_output(shown + "\n", output.strip() + "\n", FLAGS)
        assert matches, f"$ {command}\nthe page shows:\n{shown}\n\nit prints:\n{output}"
    else:
        assert run.returncode == 0, f"$ {command}\n{output}"


def pages_with_blocks() -> list[Path]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in pages if blocks_to_run(page)]


@pytest.mark.parametrize("page", pages_with_blocks(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}

    for block in blocks_to_run(page):
        if block.language == "python":
            run_python(block, page, namespace)
        else:
            for command, shown in commands_of(block.source):
                run_command(command, shown, tmp_path)


def test_a_wrong_output_on_a_page_is_found():
    block = Block("python", ">>> 1 + 1\n3\n", line=1)

    with pytest.raises(AssertionError, match="Got"):
        run_python(block, Path("page.md"), {})


def test_names_live_on_to_the_next_block_of_a_page():
    page = (
        "```python\nx = 1\n```\n\n1. In a list:\n\n    ```python\n    >>> x + 1\n    2\n    ```\n"
    )
    namespace: dict[str, object] = {}

    for block in blocks_of(page):
        run_python(block, Path("page.md"), namespace)

    assert namespace["x"] == 1
    assert [block.line for block in blocks_of(page)] == [2, 8]
