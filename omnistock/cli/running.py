"""How a command runs: progress on stderr, one clear message for an error, exit codes.

Exit codes: 0 all is well; 1 the answer is "no" (differences found, something broken);
2 the input or the request was refused; 70 a fault of omnistock; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import functools
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import typer

from omnistock.errors import OmnistockError

__all__ = ["Progress", "answers", "patience", "settings", "tell", "watched"]

REFUSED, FAULT, STOPPED = 2, 70, 130

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

# done, total, phase
Progress = Callable[[int, int, str], None]


class _Settings:
    """What the user set for the whole command line."""

    debug = False
    # Ctrl-C was pressed: a library may swallow the exception, so progress asks again.
    interrupted = False


settings = _Settings()


def tell(message: str) -> None:
    """Print a message for people on stderr."""
    print(message, file=sys.stderr, flush=True)


def answers(command: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Let ``command`` end in one message and an exit code instead of a traceback."""

    @functools.wraps(command)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return command(*args, **kwargs)
        except (typer.Exit, BrokenPipeError):
            raise
        except (OmnistockError, OSError) as error:
            raise _ended(REFUSED, f"error: {error}") from error
        except KeyboardInterrupt as error:
            raise _ended(STOPPED, "stopped; nothing was left half-written") from error
        except Exception as error:
            if settings.interrupted:
                raise _ended(STOPPED, "stopped; nothing was left half-written") from error
            message = f"this is a fault of omnistock, not yours: {type(error).__name__}: {error}"
            hint = "" if settings.debug else "; run it again with --debug and report what it shows"
            raise _ended(FAULT, message + hint) from error

    return run


def _show_warning(message: Warning | str, *_where: Any, **_more: Any) -> None:
    tell(f"warning: {message}")


def _ended(code: int, message: str) -> typer.Exit:
    if settings.debug:
        traceback.print_exc()
    tell(message)
    return typer.Exit(code)


@contextmanager
def patience(seconds: float = 3.0) -> Iterator[None]:
    """Say why, once, if a short command takes longer than that."""
    message = "still working: kernels are compiled once, which can take a minute"
    timer = threading.Timer(seconds, tell, [message])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def watched() -> Iterator[Progress]:
    """Give a progress function: bars on a terminal, one line per phase elsewhere.

    It also stops the work at its next step if Ctrl-C was lost on the way: an exception
    that a signal raises inside a library's callback or import may never come out.
    """
    with _listening(), _bars() if sys.stderr.isatty() else _lines() as progress:

        def checked(done: int, total: int, phase: str) -> None:
            if settings.interrupted:
                raise KeyboardInterrupt
            progress(done, total, phase)

        yield checked


@contextmanager
def _listening() -> Iterator[None]:
    """Note Ctrl-C before it becomes an exception."""

    def note(_signal: int, _frame: object) -> None:
        settings.interrupted = True
        raise KeyboardInterrupt

    settings.interrupted = False
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield
        if settings.interrupted:
            # It was lost on the way, and no further step would tell.
            raise KeyboardInterrupt
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<32}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("starting", total=None)

        def progress(done: int, total: int, phase: str) -> None:
            bars.update(bar, description=phase, completed=done, total=total)

        yield progress


@contextmanager
def _lines() -> Iterator[Progress]:
    started = time.perf_counter()
    current = ""

    def progress(_done: int, _total: int, phase: str) -> None:
        nonlocal current
        if phase != current:
            current = phase
            tell(f"{time.perf_counter() - started:6.1f} s  {phase}")

    yield progress
