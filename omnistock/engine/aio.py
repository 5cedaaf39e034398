"""An engine for coroutines: what they ask for in one turn of the loop becomes one frame."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from omnistock.engine.commands import Command, Moment, RequestId, request_words
from omnistock.engine.engine import Engine
from omnistock.engine.hold_commands import Confirm, Line, Release, Reserve, Ship
from omnistock.engine.results import Hold, Outcome
from omnistock.errors import ConflictError, InputError, LedgerError

__all__ = ["AsyncEngine"]

_Waiting = tuple[asyncio.Future[Any], Any]


class AsyncEngine:
    """Commands of an engine as coroutines; questions are asked of the engine itself.

    Coroutines share frames: while one frame goes to the disk, those who come meanwhile
    are gathered for the next. A cancelled coroutine's command may still be carried out;
    a request id tells when it is asked for again.

    Parameters
    ----------
    engine : Engine
        Threads may go on using it beside the coroutines.

    Examples
    --------
    >>> import asyncio
    >>> import omnistock as om
    >>> async def two_buyers():
    ...     engine = om.open(":memory:", om.Network.build(skus=["TEE"], nodes=["DC"]))
    ...     engine.receive("TEE", "DC", 1)
    ...     shop = om.AsyncEngine(engine)
    ...     return await asyncio.gather(shop.take("TEE"), shop.take("TEE"))
    >>> asyncio.run(two_buyers())
    [0, -1]
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # One thread: frames are written one after another anyhow.
        self._thread = concurrent.futures.ThreadPoolExecutor(1, "omnistock")
        self._commands: list[_Waiting] = []
        self._takes: list[_Waiting] = []
        self._busy = False

    async def execute(self, command: Command) -> Outcome:
        """Carry out one command; its outcome carries the error of a refused one."""
        outcome: Outcome = await self._wait(self._commands, command)
        return outcome

    async def reserve(
        self,
        order: str,
        lines: Sequence[Line],
        *,
        channel: str | None = None,
        node: str | None = None,
        by: Moment | None = None,
        ttl_s: int | None = None,
        partial: bool = False,
        request_id: RequestId | None = None,
    ) -> Hold:
        """Reserve as :meth:`Engine.reserve` does."""
        command = Reserve(order, lines, channel, node, by, ttl_s, partial, request_id=request_id)
        return (await self.execute(command)).hold

    async def confirm(self, hold: Hold | int | str, *, request_id: RequestId | None = None) -> Hold:
        """Confirm as :meth:`Engine.confirm` does."""
        return (await self.execute(Confirm(hold, request_id=request_id))).hold

    async def release(self, hold: Hold | int | str, *, request_id: RequestId | None = None) -> Hold:
        """Release all that a hold has open, as :meth:`Engine.release` does."""
        return (await self.execute(Release(hold, request_id=request_id))).hold

    async def ship(self, hold: Hold | int | str, *, request_id: RequestId | None = None) -> Hold:
        """Ship all that a hold has open, as :meth:`Engine.ship` does."""
        return (await self.execute(Ship(hold, request_id=request_id))).hold

    async def take(
        self, sku: str, quantity: int = 1, *, request_id: RequestId | None = None
    ) -> int:
        """Reserve units of one SKU, hard, in the least time: for flash sales.

        Parameters
        ----------
        quantity : int
            Smallest units.

        Returns
        -------
        int
            Number of the hold, -1 if there are not so many.

        Raises
        ------
        ConflictError
            If the request id was used with another content.
        """
        code = self.engine._writer.registry.sku(sku)
        ids = (0, 0) if request_id is None else request_words(request_id)
        if quantity < 1:
            raise InputError(f"SKU {sku!r}: quantity must be >= 1, got {quantity}")
        hold: int = await self._wait(self._takes, (code, quantity, *ids))
        return hold

    def _wait(self, waiting: list[_Waiting], what: Any) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        waiting.append((future, what))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._start, loop)
        return future

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send everything that waits to the engine's thread."""
        commands, self._commands = self._commands, []
        takes, self._takes = self._takes, []

        def work() -> list[Any]:
            outcomes: list[Any] = []
            for frame in _frames([what for _, what in commands]):
                outcomes += self.engine.execute(frame)
            return [*outcomes, *self._take([what for _, what in takes])]

        done = loop.run_in_executor(self._thread, work)
        done.add_done_callback(lambda found: self._finish(loop, [*commands, *takes], found))

    def _take(self, takes: list[tuple[int, int, int, int]]) -> list[int | Exception]:
        if not takes:
            return []
        rows = np.array(takes, np.int64)
        found = self.engine.reserve_arrays(
            np.arange(len(rows) + 1), rows[:, 0], rows[:, 1], request_ids=rows[:, 2:].copy()
        )
        holds: list[int | Exception] = found.hold.tolist()
        for k in np.flatnonzero(found.outcome == 2).tolist():
            holds[k] = _conflict()
        return holds

    def _finish(
        self, loop: asyncio.AbstractEventLoop, waited: list[_Waiting],
        found: asyncio.Future[list[Any]],
    ) -> None:  # fmt: skip
        """Answer those who waited, and begin with those who came meanwhile."""
        error = found.exception()
        answers = [error] * len(waited) if error is not None else found.result()
        for (future, _), answer in zip(waited, answers, strict=True):
            if future.cancelled():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            elif isinstance(answer, BaseException):
                future.set_exception(LedgerError(f"the engine has stopped: {answer!r}"))
            else:
                future.set_result(answer)
        self._busy = bool(self._commands or self._takes)
        if self._busy:
            self._start(loop)

    async def close(self) -> None:
        """Wait for what is under way and close the engine."""
        while self._busy:
            await asyncio.sleep(0)
        self._thread.shutdown()
        self.engine.close()


def _frames(commands: list[Command]) -> Iterator[list[Command]]:
    """Yield the commands that share a frame; one that is to be alone has its own."""
    together: list[Command] = []
    for command in commands:
        if command.alone:
            yield from (together, [command])
            together = []
        else:
            together.append(command)
    yield together


def _conflict() -> Exception:
    return ConflictError("the request id was used with another content", code="request_id_conflict")
