"""The same orders in PostgreSQL: a stored procedure, committed to disk before it answers."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import numpy as np

from benchmarks.engine_measuring import Row, not_measured, rate

_TARGET = 300.0
_SCHEMA = "omnistock_bench"
_BATCH, _CONNECTIONS = 1000, 8
# Where a PostgreSQL is looked for; PGHOST, PGUSER and the like say otherwise.
_DEFAULTS = {"host": "127.0.0.1", "user": "postgres", "dbname": "postgres"}
_TABLES = """
CREATE SCHEMA omnistock_bench;
CREATE TABLE omnistock_bench.stock (point int PRIMARY KEY, free int NOT NULL)
    WITH (fillfactor = 50);
CREATE TABLE omnistock_bench.orders (id uuid PRIMARY KEY, held boolean NOT NULL);
CREATE TABLE omnistock_bench.lines (id uuid NOT NULL, point int NOT NULL, quantity int NOT NULL);
INSERT INTO omnistock_bench.stock SELECT k, 1000000 FROM generate_series(0, %(n)s - 1) AS k;
-- Orders one after another; order c has the lines first[c] to first[c + 1] - 1, from 1 on. All
-- lines of an order or none; an id that is known gets its answer again.
CREATE FUNCTION omnistock_bench.reserve(ids uuid[], first int[], points int[], quantities int[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    n_held int := 0;
    known boolean;
    n_taken int;
BEGIN
    FOR c IN 1 .. cardinality(ids) LOOP
        SELECT held INTO known FROM omnistock_bench.orders WHERE id = ids[c];
        IF FOUND THEN
            n_held := n_held + known::int;
            CONTINUE;
        END IF;
        n_taken := 0;
        FOR k IN first[c] .. first[c + 1] - 1 LOOP
            UPDATE omnistock_bench.stock SET free = free - quantities[k]
                WHERE point = points[k] AND free >= quantities[k];
            EXIT WHEN NOT FOUND;
            n_taken := n_taken + 1;
        END LOOP;
        IF n_taken < first[c + 1] - first[c] THEN
            FOR k IN first[c] .. first[c] + n_taken - 1 LOOP
                UPDATE omnistock_bench.stock SET free = free + quantities[k]
                    WHERE point = points[k];
            END LOOP;
            INSERT INTO omnistock_bench.orders VALUES (ids[c], false);
        ELSE
            INSERT INTO omnistock_bench.orders VALUES (ids[c], true);
            INSERT INTO omnistock_bench.lines
                SELECT ids[c], points[k], quantities[k]
                FROM generate_series(first[c], first[c + 1] - 1) AS k;
            n_held := n_held + 1;
        END IF;
    END LOOP;
    RETURN n_held;
END $$;
"""
_CALL = f"SELECT {_SCHEMA}.reserve(%s::uuid[], %s::int[], %s::int[], %s::int[])"


def postgres_rows(ours_per_s: float, n_stockpoints: int, seconds: float) -> list[Row]:
    """Measure orders per second in PostgreSQL, one a call and 1,000 a call."""
    what = "durable orders beside PostgreSQL"
    try:
        import psycopg
    except ImportError:
        return [not_measured(what, "install psycopg[binary] for it", _TARGET)]
    try:
        with _connect(psycopg) as connection:
            try:
                connection.execute(_TABLES.replace("%(n)s", str(n_stockpoints)))
                connection.execute(f"ANALYZE {_SCHEMA}.stock")
                in_batches = _in_batches(connection, n_stockpoints, seconds)
                one_by_one = _one_by_one(psycopg, n_stockpoints, seconds)
            finally:
                connection.execute(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE")
    except psycopg.Error as error:
        return [not_measured(what, f"PostgreSQL: {str(error).strip()}", _TARGET)]
    ours = rate(1, 1 / ours_per_s)
    return [
        Row(
            what, ours, f"an order a call, {_CONNECTIONS} connections", rate(1, 1 / one_by_one),
            ours_per_s / one_by_one, target=_TARGET,
        ),
        Row(
            what, ours, f"{_BATCH:,} orders a call, one connection", rate(1, 1 / in_batches),
            ours_per_s / in_batches, target=_TARGET,
        ),
    ]  # fmt: skip


def _connect(psycopg: Any) -> Any:
    given = {"host": "PGHOST", "user": "PGUSER", "dbname": "PGDATABASE"}
    terms = {name: value for name, value in _DEFAULTS.items() if given[name] not in os.environ}
    connection = psycopg.connect(**terms, autocommit=True, connect_timeout=5)
    connection.execute("SET synchronous_commit = on")
    # Orders take locks in the order of their lines here and there; a deadlock would be retried.
    connection.execute("SET client_min_messages = error")
    return connection


def _batch(rng: np.random.Generator, n_orders: int, n_stockpoints: int) -> tuple[list[Any], ...]:
    """Return random orders of 1 to 4 lines; lines of an order ascend, so that none deadlock."""
    ids, first, points, quantities = [], [1], [], []
    for _ in range(n_orders):
        n_lines = int(rng.integers(1, 5))
        ids.append(rng.bytes(16).hex())
        points += sorted(rng.integers(0, n_stockpoints, n_lines).tolist())
        quantities += rng.integers(1, 3, n_lines).tolist()
        first.append(1 + len(points))
    return ids, first, points, quantities


def _in_batches(connection: Any, n_stockpoints: int, seconds: float) -> float:
    """Orders per second if 1,000 share a call and its commit; the median call."""
    rng = np.random.default_rng(9)
    taken: list[float] = []
    while sum(taken) < seconds or len(taken) < 7:
        batch = _batch(rng, _BATCH, n_stockpoints)
        started = time.perf_counter()
        (held,) = connection.execute(_CALL, batch).fetchone()
        taken.append(time.perf_counter() - started)
        assert held == _BATCH
    return _BATCH / float(np.median(taken[2:]))


def _one_by_one(psycopg: Any, n_stockpoints: int, seconds: float) -> float:
    """Orders per second if each is a call and a commit, on several connections at once."""
    done = [0] * _CONNECTIONS
    failed: list[BaseException] = []
    ready = threading.Barrier(_CONNECTIONS + 1)
    ends = [0.0]

    def work(number: int) -> None:
        rng = np.random.default_rng((10, number))
        with _connect(psycopg) as connection:
            orders = [_batch(rng, 1, n_stockpoints) for _ in range(200)]
            ready.wait()
            try:
                while time.perf_counter() < ends[0]:
                    if done[number] % 200 == 199:
                        orders = [_batch(rng, 1, n_stockpoints) for _ in range(200)]
                    connection.execute(_CALL, orders[done[number] % 200])
                    done[number] += 1
            except psycopg.Error as error:
                failed.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(_CONNECTIONS)]
    for worker in workers:
        worker.start()
    started = time.perf_counter()
    ends[0] = started + seconds + 1.0
    ready.wait()
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    taken = time.perf_counter() - started
    if failed:
        raise failed[0]
    return sum(done) / taken
