"""Compiling all kernels before anyone waits for them: on two cores, side by side."""

from __future__ import annotations

import subprocess
import sys

from omnistock.cli.running import Progress
from omnistock.errors import OmnistockError

__all__ = ["compile_kernels", "plan_example"]

_PHASE = "compiling kernels, once: the nightly chain"


def plan_example() -> None:
    """Plan a small shop, which runs, and so compiles, every kernel of the nightly chain."""
    import omnistock as om
    from omnistock.cli.templates import example_tables

    om.plan(example_tables())


def compile_kernels(progress: Progress) -> None:
    """Compile the engine's kernels here and those of the nightly chain in a second process.

    Raises
    ------
    OmnistockError
        If the second process fails, with what it said.
    """
    import omnistock as om

    code = "from omnistock.cli.warming import plan_example; plan_example()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as other:
        try:
            om.warmup(progress=progress)
            said = _wait(other, progress)
        except BaseException:
            other.kill()
            raise
    if other.returncode:
        raise OmnistockError(f"kernels of the nightly chain could not be compiled: {said}")
    progress(1, 1, "kernels are ready")


def _wait(other: subprocess.Popen[str], progress: Progress) -> str:
    """Show progress until the process ends, reading along: a full pipe would block it."""
    while True:
        progress(0, 1, _PHASE)
        try:
            return other.communicate(timeout=0.1)[1].strip()
        except subprocess.TimeoutExpired:
            continue
