"""Opening an engine on a store, and compiling its kernels before it is needed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from omnistock.engine.engine import Engine
from omnistock.engine.writer import Writer
from omnistock.errors import InputError
from omnistock.ledger.store import open_ledger
from omnistock.model import Network

__all__ = ["open", "warmup"]


def open(
    where: str | Path,
    network: Network | None = None,
    *,
    read_only: bool = False,
    clock: Callable[[], int] | None = None,
) -> Engine:
    """Open an engine on a store; all that was acknowledged before is there again.

    Parameters
    ----------
    where : str or Path
        A SQLite file, made if it is not there, or ``":memory:"``.
    network : Network, optional
        SKUs, nodes and channels. A new store needs one; an old one takes what is new
        or changed in it.
    read_only : bool
        Read beside a running writer: every command is refused.
    clock : callable, optional
        Gives the second for commands without ``now=``; by default the system's clock.

    Returns
    -------
    Engine

    Raises
    ------
    LedgerError
        If the store is damaged, of another format, or open for writing elsewhere.
    InputError
        If a new store gets no network.

    Examples
    --------
    >>> import omnistock as om
    >>> network = om.Network.build(skus=["TEE-M"], nodes=["DC1"], channels=["web"])
    >>> engine = om.open(":memory:", network)
    >>> engine.receive("TEE-M", "DC1", 40)
    >>> engine.available("TEE-M", channel="web")
    40
    """
    store = open_ledger(where, read_only=read_only)
    writer = Writer(store, clock or (lambda: int(time.time())))
    try:
        writer.recover()
        if network is not None and not read_only:
            writer.define(network)
        elif writer.sequence == 0:
            raise InputError(f"{where} is new: give the network of SKUs, nodes and channels")
    except BaseException:
        store.close()
        raise
    return Engine(writer)


def warmup(progress: Callable[[int, int, str], None] | None = None) -> None:
    """Compile the engine's kernels, or load them from the cache of an earlier time.

    Parameters
    ----------
    progress : callable, optional
        Called with (done, total, phase).

    Examples
    --------
    >>> import omnistock as om
    >>> om.warmup()
    """
    steps: list[tuple[str, Callable[[Engine], object]]] = [
        ("compiling kernels, once: decisions", lambda e: e.receive("sku", "node", 2, now=1)),
        ("compiling kernels, once: availability", lambda e: e.available("sku", channel="channel")),
        ("compiling kernels, once: tables", lambda e: e.availability({"sku": ["sku"]})),
        ("compiling kernels, once: replay", lambda e: e.verify()),
    ]
    network = Network.build(skus=["sku"], nodes=["node"], channels=["channel"])
    with open(":memory:", network, clock=lambda: 1) as engine:
        for done, (phase, step) in enumerate(steps):
            if progress is not None:
                progress(done, len(steps), phase)
            step(engine)
        if progress is not None:
            progress(len(steps), len(steps), "kernels are ready")
