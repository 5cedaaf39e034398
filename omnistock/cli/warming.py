"""Compiling all kernels before anyone waits for them: on two cores, side by side."""

from __future__ import annotations

import subprocess
import sys
import time

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
            while other.poll() is None:
                progress(0, 1, _PHASE)
                time.sleep(0.1)
        except BaseException:
            other.kill()
            raise
        assert other.stderr is not None
        said = other.stderr.read().strip()
    if other.returncode:
        raise OmnistockError(f"kernels of the nightly chain could not be compiled: {said}")
    progress(1, 1, "kernels are ready")
