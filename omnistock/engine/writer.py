"""One writer: callers queue, whoever gets the lock decides for all that wait.

A batch is decided, its frame appended and on disk, and only then is anyone
answered (group commit). While one caller sees its frame to the disk, the next may
decide the next batch; frames are appended in the order in which they were decided.
An error between deciding and the disk leaves memory ahead of the ledger; the engine
then refuses everything until it is opened anew.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from omnistock.availability.ahead import Ahead
from omnistock.availability.arena import Int64, State, new_state, rows
from omnistock.availability.hashing import find_request
from omnistock.availability.layout import (
    AT_HEAP,
    BUCKET,
    ETA,
    INBOUND_BUCKET,
    N_HEAP,
    N_INBOUND,
    N_LIMITS,
    N_POINTS,
    NOW,
    TICK,
)
from omnistock.availability.machine import Outcome, move_time, replay, run
from omnistock.engine.askers import Asker
from omnistock.engine.book import Book
from omnistock.engine.commands import Command, RequestId, Translator, request_words
from omnistock.engine.fast import KitTable
from omnistock.engine.registry import Definitions, Registry, decode, encode
from omnistock.errors import InputError, LedgerError, OmnistockError
from omnistock.ledger.frame import FIRST_DIGEST, Frame, digest_of, pack_frame, unpack_frame
from omnistock.ledger.store import LedgerStore
from omnistock.model import Calendar, Network

__all__ = ["Answer", "Ticket", "Writer"]

Words = tuple[int, ...]
# Beyond this, a longer frame no longer pays and only lets its callers wait.
_MOST_IN_FRAME = 8192


@dataclass(slots=True, eq=False)
class Ticket:
    """Commands of one caller, and in the end their answers; ``known`` are repetitions.

    ``words`` are commands that are translated already, with their offsets; such a ticket
    has a frame of its own, and its answers are in ``outcome``. So has one that is ``alone``.
    """

    commands: Sequence[Command]
    now: int | None
    words: tuple[Int64, Int64] | None = None
    alone: bool = False
    outcome: Outcome | None = None
    answers: list[Words | OmnistockError] = field(default_factory=list)
    known: set[int] = field(default_factory=set)
    error: BaseException | None = None
    done: bool = False


Answer = Words | OmnistockError


class Writer:
    """State, names and ledger of one engine, and the queue before them."""

    def __init__(self, store: LedgerStore, clock: Callable[[], int]) -> None:
        self.store = store
        self.clock = clock
        self.sequence = 0
        self.digest = FIRST_DIGEST
        self.n_events = 0
        self._queue: deque[Ticket] = deque()
        self._lock = threading.Lock()
        # Frames that are decided and not yet on disk, with those who wait for them.
        self._decided: deque[tuple[Frame | None, list[Ticket]]] = deque()
        self._disk = threading.Lock()
        self._poison: str | None = None
        self._process = os.getpid()
        self._kits: KitTable | None = None
        self._ahead = Ahead()
        # Changes whenever a stockpoint is opened or what serves whom changes.
        self.layout_version = 0
        # The bucket that holds seconds from .. until, and the second before which time
        # that passes changes nothing.
        self._bucket_span = (0, 0, 0)
        self._quiet_until = 0
        self.book = Book(self)
        self.registry = Registry(Calendar())
        self.state: State = _empty(self.registry.calendar)
        # Called with the state after each frame is on disk.
        self.after_commit: list[Callable[[State], None]] = []

    # --- opening ---------------------------------------------------------

    def recover(self) -> None:
        """Replay all frames of the store."""
        for blob in self.store.frames():
            frame = unpack_frame(blob, self.digest, self.sequence + 1)
            definitions = decode(frame.definitions)
            if frame.sequence == 1:
                self._begin(definitions.calendar or Calendar())
            self.state = self.registry.define(self.state, definitions)
            self.state = replay(self.state, frame.events, now=frame.now, bucket=frame.bucket)
            self.sequence = frame.sequence
            self.digest = digest_of(blob)
        self.registry.relearn(self.state)

    def _begin(self, calendar: Calendar) -> None:
        self.registry = Registry(calendar)
        self.state = _empty(calendar)

    def define(self, network: Network, *, preorder: tuple[int, str, int] | None = None) -> None:
        """Enter a new network, or what of it is new, as a frame of its own.

        ``preorder`` is a SKU, who may sell it before it is there, and how many units.
        """
        with self._lock:
            self._check_usable()
            if self.sequence == 0:
                self._begin(network.calendar)
            definitions = self.registry.changes(network)
            if preorder is not None:
                definitions.defaults.append((*preorder, 0))
            if self.sequence == 0:
                definitions.calendar = network.calendar
            if definitions != Definitions():
                self.state = self.registry.define(self.state, definitions)
                self._kits = None
                self.layout_version += 1
                # Definitions take no time: the frame has the second of the one before.
                now, bucket = int(self.state.stock[NOW]), int(self.state.stock[BUCKET])
                frame = self._frame(definitions, np.zeros(0, np.int32), now, bucket)
                self._decided.append((frame, []))
                self._flush()
                self._check_usable()

    # --- the queue -------------------------------------------------------

    def submit(self, commands: Sequence[Command], now: int | None) -> Ticket:
        """Carry out commands in one frame; their answers come once it is on disk."""
        ticket = Ticket(commands, now, alone=any(command.alone for command in commands))
        self._wait_for(ticket)
        return ticket

    def submit_words(self, words: Int64, offsets: Int64, now: int | None) -> tuple[Int64, Int64]:
        """Carry out translated commands; returns results and where each answer begins."""
        ticket = Ticket((), now, (words, offsets))
        self._wait_for(ticket)
        assert ticket.outcome is not None
        return ticket.outcome.results, ticket.outcome.result_offsets

    def _wait_for(self, ticket: Ticket) -> None:
        if os.getpid() != self._process:
            raise LedgerError("this engine was opened before a fork; open one in each process")
        if self.store.read_only:
            raise LedgerError("this engine is open for reading only; it takes no commands")
        self._queue.append(ticket)
        while not ticket.done:
            with self._lock:
                if not ticket.done and self._queue:
                    self._decide_next()
            self._flush()
        if ticket.error is not None:
            raise ticket.error

    def _decide_next(self) -> None:
        """Decide the next batch: tickets of one time share a frame."""
        group = [self._queue.popleft()]
        size = len(group[0].commands) if group[0].words is None else _MOST_IN_FRAME
        while (
            size < _MOST_IN_FRAME
            and self._queue
            and self._queue[0].now == group[0].now
            and self._queue[0].words is None
            and not (group[0].alone or self._queue[0].alone)
        ):
            group.append(self._queue.popleft())
            size += len(group[-1].commands)
        try:
            self._check_usable()
            frame = self._run_batch(group)
        except OmnistockError as error:
            _refuse(group, error)
        except BaseException as error:
            self._poison = f"{type(error).__name__}: {error}"
            _refuse(group, LedgerError(f"the engine has stopped: {self._poison}"))
            raise
        else:
            self._decided.append((frame, group))
            if self.after_commit and frame is not None:
                # Whoever watches must see what is on disk, and nothing that is not yet.
                self._flush()
                if self._poison is None:
                    for tell in self.after_commit:
                        tell(self.state)

    def _flush(self) -> None:
        """Append the frames that are decided, in order, and let their callers go."""
        with self._disk:
            while self._decided:
                frame, group = self._decided.popleft()
                try:
                    if frame is not None:
                        self._check_usable()
                        blob = pack_frame(frame, self.digest)
                        self.digest = digest_of(blob)
                        self.store.append(frame.sequence, blob)
                except BaseException as error:
                    if self._poison is None:
                        self._poison = f"the ledger cannot be written: {error}"
                    _refuse(group, LedgerError(f"the engine has stopped: {self._poison}"))
                else:
                    for ticket in group:
                        ticket.done = True

    def _run_batch(self, tickets: list[Ticket]) -> Frame | None:
        """Decide a batch; returns its frame, None if nothing happened."""
        self._quiet_until = 0
        now, bucket = self._time(tickets[0].now)
        if tickets[0].words is not None:
            return self._run_words(tickets[0], now, bucket)
        # What has expired by now has expired for those who name it, too.
        self.state = move_time(self.state, now, bucket)
        translator = Translator(
            self.registry,
            int(self.state.stock[N_POINTS]),
            int(self.state.stock[N_INBOUND]),
            int(self.state.stock[N_LIMITS]),
            self.book,
            now,
        )
        slots = [
            [
                self._translate(translator, command, ticket, k)
                for k, command in enumerate(ticket.commands)
            ]
            for ticket in tickets
        ]
        definitions = self.registry.take_pending()
        self.state = self.registry.settle(self.state)
        outcome = None
        if translator.words:
            try:
                words = np.array(translator.words, np.int64)
            except OverflowError as error:
                raise InputError(f"a number in the batch is too large: {error}") from error
            offsets = np.array(translator.offsets, np.int64)
            outcome = run(self.state, words, offsets, now=now, bucket=bucket)
            self.state = outcome.state
            self._ahead.look(self.state)
        if translator.changes_layout:
            self.layout_version += 1
        events = np.zeros(0, np.int32) if outcome is None else outcome.events
        self._forget_unopened(translator)
        for ticket, numbers in zip(tickets, slots, strict=True):
            for slot in numbers:
                if isinstance(slot, OmnistockError):
                    ticket.answers.append(slot)
                    continue
                assert outcome is not None
                first, last = outcome.result_offsets[slot : slot + 2]
                ticket.answers.append(tuple(outcome.results[first:last].tolist()))
        return self._frame(definitions, events, now, bucket)

    def _run_words(self, ticket: Ticket, now: int, bucket: int) -> Frame | None:
        """Carry out commands that are translated already."""
        assert ticket.words is not None
        definitions = self.registry.take_pending()
        before = int(self.state.stock[N_POINTS])
        outcome = run(self.state, *ticket.words, now=now, bucket=bucket)
        self.state = outcome.state
        self._ahead.look(self.state)
        self.layout_version += int(self.state.stock[N_POINTS]) != before
        ticket.outcome = outcome
        return self._frame(definitions, outcome.events, now, bucket)

    def kit_table(self) -> KitTable:
        """Return the components of all SKUs, as arrays."""
        if self._kits is None or self._kits.size != len(self.registry.sku_list):
            self._kits = KitTable(self.registry)
        return self._kits

    def _forget_unopened(self, translator: Translator) -> None:
        """Drop the rows of expected receipts that a refused command had asked for."""
        table = rows(self.state, "inbound")
        for key, row in translator.opened:
            if row >= len(table) or not (table[row, ETA] or table[row, INBOUND_BUCKET]):
                del self.registry.inbound[key]

    def _translate(
        self, translator: Translator, command: Command, ticket: Ticket, number: int
    ) -> int | OmnistockError:
        """Translate one command; a wrong one leaves no words behind and does not hinder others."""
        try:
            request = command.request()
            if self._is_known(request[0], request[1]):
                ticket.known.add(number)
                return translator.put(TICK, request, ())
            return command.put(translator)
        except OmnistockError as error:
            # Stockpoints opened on the way stay: they hold nothing and do no harm.
            return error
        except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
            what = type(command).__name__.lower()
            return InputError(f"{what}: {type(error).__name__}: {error}")

    def knows(self, request_id: RequestId | None) -> bool:
        """Whether a request id was used before."""
        return self._is_known(*request_words(request_id))

    def _is_known(self, high: int, low: int) -> bool:
        if not high and not low:
            return False
        return bool(find_request(self.state, high, low) >= 0)

    # --- time and ledger -------------------------------------------------

    def _time(self, now: int | None) -> tuple[int, int]:
        """Second and bucket of a batch; time never runs backwards."""
        second = self.clock() if now is None else now
        second = max(second, int(self.state.stock[NOW]))
        first, last, bucket = self._bucket_span
        if not first <= second < last:
            calendar = self.registry.calendar
            bucket = calendar.bucket_of(second)
            self._bucket_span = (calendar.start_of(bucket), calendar.start_of(bucket + 1), bucket)
        return second, max(bucket, int(self.state.stock[BUCKET]))

    def _frame(
        self, definitions: Definitions, events: np.ndarray[tuple[int], np.dtype[np.int32]],
        now: int, bucket: int,
    ) -> Frame | None:  # fmt: skip
        """Return what happened as the next frame; None if nothing did."""
        if not len(events) and definitions == Definitions():
            return None
        self.sequence += 1
        return Frame(self.sequence, self.store.epoch, now, bucket, encode(definitions), events)

    def _check_usable(self) -> None:
        if self._poison is not None:
            raise LedgerError(f"the engine has stopped and must be opened anew: {self._poison}")

    def at_time(self, now: int | None) -> State:
        """Return the state at ``now``, holds expired and buckets rolled up to it."""
        second = self.clock() if now is None else now
        if second < self._quiet_until:
            return self.state
        second, bucket = self._time(now)
        counts = self.state.stock
        # Limits end and lots expire by themselves; without any only expiry and the next
        # bucket change what can be promised.
        timed = counts[N_LIMITS] > 0 or len(self.registry.compartment_list) > 1
        expiry = int(self.state.book[counts[AT_HEAP]]) if counts[N_HEAP] > 0 else second + 1
        if expiry <= second or bucket > counts[BUCKET] or (timed and second > counts[NOW]):
            with self._lock:
                self._check_usable()
                second, bucket = self._time(now)
                self.state = move_time(self.state, second, bucket)
        elif not timed:
            last = self._bucket_span[1]
            self._quiet_until = min(expiry, last) if counts[N_HEAP] > 0 else last
        return self.state

    @contextmanager
    def paused(self) -> Iterator[State]:
        """Hold the writer back, to look at a state that is changed and put back meanwhile."""
        with self._lock:
            self._flush()
            self._check_usable()
            yield self.state

    def close(self) -> None:
        """Refuse further commands and let go of the store."""
        with self._lock:
            self._flush()
            if self._poison is None:
                self._poison = "it was closed"
            self.store.close()

    # --- holds, for commands that name them ------------------------------

    def asker(self, asker: Asker) -> int:
        """Return the code of who asks; a new asker is entered into the state at once."""
        known = self.registry.askers.get(asker)
        if known is None:
            with self._lock:
                known = self.registry.asker(asker)
                self.state = self.registry.settle(self.state)
        return known


def _refuse(group: list[Ticket], error: BaseException) -> None:
    """Let callers go with an error."""
    for ticket in group:
        ticket.error = error
        ticket.done = True


def _empty(calendar: Calendar) -> State:
    """A state without anything in it."""
    return new_state(
        calendar.n_buckets,
        overdue_buckets=calendar.overdue_supply_buckets,
        overdue_delay=calendar.overdue_supply_delay,
    )
