"""The same orders in Redis: a Lua script per order, pipelined, on disk before it answers."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine_measuring import Row, not_measured, rate

_TARGET = 50.0
_DATABASE = 15
_PREFIX = "omnistock-bench:"
_PIPELINE = 1000
# KEYS: one per line; ARGV: request id, then quantities. All or none; an id that is known gets
# its answer again. What an accepted order leaves is its lines under its id.
_SCRIPT = """
local request = ARGV[1]
local known = redis.call('GET', request)
if known then return known end
for k = 1, #KEYS do
  if tonumber(redis.call('GET', KEYS[k]) or '0') < tonumber(ARGV[k + 1]) then
    for back = 1, k - 1 do redis.call('INCRBY', KEYS[back], ARGV[back + 1]) end
    redis.call('SET', request, 'short')
    return 'short'
  end
  redis.call('DECRBY', KEYS[k], ARGV[k + 1])
end
local lines = {}
for k = 1, #KEYS do lines[k] = KEYS[k] .. '=' .. ARGV[k + 1] end
redis.call('SET', request, table.concat(lines, ','))
return 'held'
"""


class Redis:
    """As much of the protocol as this benchmark speaks."""

    def __init__(self, host: str = "127.0.0.1", port: int = 6379) -> None:
        self._socket = socket.create_connection((host, port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb", buffering=1 << 20)

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def __call__(self, *parts: str | int) -> Any:
        return self.pipeline([command(*parts)])[0]

    def pipeline(self, commands: list[bytes]) -> list[Any]:
        self._socket.sendall(b"".join(commands))
        return [self._answer() for _ in commands]

    def _answer(self) -> Any:
        line = self._answers.readline()
        kind, text = line[:1], line[1:-2]
        if kind == b"-":
            raise OSError(f"Redis: {text.decode()}")
        if kind == b":":
            return int(text)
        if kind == b"$":
            size = int(text)
            return None if size < 0 else self._answers.read(size + 2)[:-2].decode()
        if kind == b"*":
            return [self._answer() for _ in range(int(text))]
        return text.decode()


def command(*parts: str | int) -> bytes:
    """Return a command as the bytes that Redis reads."""
    texts = [str(part).encode() for part in parts]
    body = b"".join(b"$%d\r\n%s\r\n" % (len(text), text) for text in texts)
    return b"*%d\r\n%s" % (len(texts), body)


def redis_rows(ours_per_s: float, n_stockpoints: int, seconds: float) -> list[Row]:
    """Measure orders per second in Redis, every write on disk before its answer."""
    what = "durable orders beside Redis"
    try:
        redis = Redis()
        redis("SELECT", _DATABASE)
        if redis("DBSIZE"):
            redis.close()
            return [not_measured(what, f"database {_DATABASE} of Redis is not empty", _TARGET)]
    except OSError as error:
        return [not_measured(what, f"no Redis on this machine ({error})", _TARGET)]
    try:
        with _on_disk(redis):
            _fill(redis, n_stockpoints)
            pipelined = _PIPELINE / _median_seconds(redis, n_stockpoints, seconds, _PIPELINE)
            one_by_one = 1 / _median_seconds(redis, n_stockpoints, seconds / 3, 1)
    except OSError as error:
        return [not_measured(what, str(error), _TARGET)]
    finally:
        redis.close()
    ours = rate(1, 1 / ours_per_s)
    return [
        Row(
            what, ours, f"Lua, always fsync, {_PIPELINE:,} in a pipeline",
            rate(1, 1 / pipelined), ours_per_s / pipelined, target=_TARGET,
        ),
        Row(
            what, ours, "Lua, always fsync, an order a call",
            rate(1, 1 / one_by_one), ours_per_s / one_by_one,
        ),
    ]  # fmt: skip


def _setting(redis: Redis, name: str) -> str:
    return str(redis("CONFIG", "GET", name)[1])


@contextmanager
def _on_disk(redis: Redis) -> Iterator[None]:
    """Let Redis wait for the disk with each write; put everything back afterwards."""
    before = {name: _setting(redis, name) for name in ("appendfsync", "appendonly")}
    made = Path(_setting(redis, "dir")) / _setting(redis, "appenddirname")
    was_there = before["appendonly"] == "yes" or made.exists()
    try:
        redis("CONFIG", "SET", "appendfsync", "always")
        redis("CONFIG", "SET", "appendonly", "yes")
        _wait_for_rewrite(redis)
        yield
    finally:
        redis("FLUSHDB")
        _wait_for_rewrite(redis)
        for name, value in before.items():
            redis("CONFIG", "SET", name, value)
        redis("SCRIPT", "FLUSH")
        if not was_there and made.is_dir() and os.access(made, os.W_OK):
            for file in made.iterdir():
                file.unlink()
            made.rmdir()


def _wait_for_rewrite(redis: Redis) -> None:
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        facts = dict(
            line.split(":", 1) for line in redis("INFO", "persistence").split("\r\n") if ":" in line
        )
        if facts["aof_rewrite_in_progress"] == facts["aof_rewrite_scheduled"] == "0":
            if facts["aof_last_bgrewrite_status"] != "ok" or facts["aof_last_write_status"] != "ok":
                raise OSError("Redis cannot write its file here")
            return
        time.sleep(0.05)
    raise OSError("Redis did not finish writing its file")


def _fill(redis: Redis, n_stockpoints: int) -> None:
    for first in range(0, n_stockpoints, 10_000):
        numbers = range(first, min(first + 10_000, n_stockpoints))
        redis("MSET", *(part for number in numbers for part in (f"{_PREFIX}{number}", 1_000_000)))
    _wait_for_rewrite(redis)


def _median_seconds(redis: Redis, n_stockpoints: int, seconds: float, size: int) -> float:
    """Return the median seconds of a pipeline of so many orders of 1 to 4 lines."""
    script = redis("SCRIPT", "LOAD", _SCRIPT)
    rng = np.random.default_rng((8, size))
    taken: list[float] = []
    while sum(taken) < seconds or len(taken) < 7:
        # Client work that could be done before the order comes is not timed.
        commands = []
        for _ in range(size):
            n_lines = int(rng.integers(1, 5))
            keys = [f"{_PREFIX}{point}" for point in rng.integers(0, n_stockpoints, n_lines)]
            request = f"{_PREFIX}id:{rng.bytes(16).hex()}"
            quantities = rng.integers(1, 3, n_lines).tolist()
            commands.append(command("EVALSHA", script, n_lines, *keys, request, *quantities))
        started = time.perf_counter()
        answers = redis.pipeline(commands)
        taken.append(time.perf_counter() - started)
        if answers != ["held"] * size:
            raise OSError(f"Redis answered {sorted(set(answers))}")
    return float(np.median(taken[2:]))
