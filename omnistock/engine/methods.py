"""What the groups of engine methods share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

if TYPE_CHECKING:
    from omnistock.engine.askers import AskerDetail
    from omnistock.engine.commands import Command, Moment, Quantity
    from omnistock.engine.quick import Quick
    from omnistock.engine.results import Hold, Outcome, Promise, Value
    from omnistock.engine.watching import Watch
    from omnistock.engine.writer import Writer

__all__ = ["Methods"]


class Methods:
    """The writer behind an engine, and the ways to carry out commands."""

    _writer: Writer
    _watch: Watch | None
    _quick: Quick

    if TYPE_CHECKING:

        def execute(
            self, commands: Sequence[Command], *, now: Moment | None = None
        ) -> list[Outcome]: ...
        def _do(self, command: Command, now: Moment | None) -> Value: ...
        def _do_hold(self, command: Command, now: Moment | None) -> Hold: ...
        def _execute_all(self, commands: Any, now: Moment | None) -> None: ...
        def _seconds(self, moment: Moment | None) -> int | None: ...
        def promise(
            self,
            sku: str,
            quantity: Quantity,
            *,
            order: str | None = None,
            now: Moment | None = None,
            **asker: Unpack[AskerDetail],
        ) -> Promise: ...
