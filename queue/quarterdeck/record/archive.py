"""The record in a SQLite file: what the server's bounds will drop is kept, in bounds of the file's own.

An archive can be stopped and begun again at any time: it goes on after the last entry that it holds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
from redis.exceptions import ResponseError

from quarterdeck.errors import UsageError
from quarterdeck.keys import QUEUES, keys_of
from quarterdeck.record.entry import decode_failed, decode_history

STEP: Final = 1_000
RUNS: Final = 5_000_000
FAILURES: Final = 200_000
"""Rows kept of each kind; the oldest go first."""
PAYLOAD_LIMIT: Final = 256 * 1024
"""Bytes kept of a failed job's payload."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS runs (
  queue TEXT NOT NULL, id TEXT NOT NULL, key TEXT, function TEXT, status TEXT, attempt INTEGER, queued_ms INTEGER,
  started_ms INTEGER, finished_ms INTEGER, duration_us INTEGER, worker TEXT, signature TEXT,
  PRIMARY KEY (queue, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS runs_by_time ON runs (finished_ms);
CREATE INDEX IF NOT EXISTS runs_by_function ON runs (function, finished_ms);
CREATE TABLE IF NOT EXISTS failures (
  queue TEXT NOT NULL, key TEXT NOT NULL, failed_ms INTEGER NOT NULL, function TEXT, signature TEXT, status TEXT,
  attempts INTEGER, worker TEXT, error TEXT, arguments TEXT, payload BLOB,
  PRIMARY KEY (queue, key, failed_ms)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS failures_by_time ON failures (failed_ms);
CREATE TABLE IF NOT EXISTS cursors (queue TEXT PRIMARY KEY, history TEXT NOT NULL, failed TEXT NOT NULL);
PRAGMA user_version = 1;
"""


class Archived(msgspec.Struct, frozen=True):
    """What a pass added. `gap` says that entries were dropped by the server before they could be copied; `unreadable`
    names the queues that were left out, because a key of their record is of another type."""

    runs: int = 0
    failures: int = 0
    gap: bool = False
    unreadable: tuple[str, ...] = ()


class Archive:
    """A SQLite file of runs and failures. A context manager; raises UsageError for a file that is no archive."""

    def __init__(self, path: Path | str, *, runs: int = RUNS, failures: int = FAILURES) -> None:
        self.path = Path(path)
        self._bounds = {"runs": runs, "failures": failures}
        try:
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=10)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_TABLES)
        except sqlite3.Error as error:
            raise UsageError(f"The archive {self.path} can't be opened: {error}.", "Name another file.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._db.close()

    async def copy(self, client: Any, queues: Sequence[str] = ()) -> Archived:
        """Copy what is new, of the queues named or of all, in bounded steps. Redis' own errors pass through, but for
        keys of a wrong type: one spoilt queue keeps no other out of the archive."""
        names = list(queues) or sorted(name.decode() for name in await client.smembers(QUEUES))
        runs = failures = 0
        gap = False
        unreadable = []
        for queue in names:
            try:
                more, lost = await self._copy_runs(client, queue)
                runs, gap = runs + more, gap or lost
                failures += await self._copy_failures(client, queue)
            except ResponseError as error:
                if "WRONGTYPE" not in str(error):
                    raise
                unreadable.append(queue)
        self._trim()
        return Archived(runs, failures, gap, tuple(unreadable))

    def count(self, table: str) -> int:
        """How many rows `runs` or `failures` holds."""
        if table not in self._bounds:
            raise ValueError(table)
        with closing(self._db.execute(f"SELECT count(*) FROM {table}")) as cursor:  # noqa: S608 - one of two names
            return int(cursor.fetchone()[0])

    async def _copy_runs(self, client: Any, queue: str) -> tuple[int, bool]:
        key = keys_of(queue).history
        after = self._cursor(queue)[0]
        oldest = await client.xrange(key, count=1)
        gap = bool(after != "0" and oldest and _number(oldest[0][0]) > _number(after.encode()))
        copied = 0
        while found := await client.xrange(key, min=f"({after}", count=STEP):
            after = found[-1][0].decode()
            copied += self._save(queue, "history", after, "runs", 12, _run_rows(queue, found))
        return copied, gap

    async def _copy_failures(self, client: Any, queue: str) -> int:
        keys = keys_of(queue)
        after = float(self._cursor(queue)[1])
        copied, start = 0, 0
        while True:
            # Scores may repeat: the step begins at the last one again, and what is there already is passed over.
            found = await client.zrangebyscore(keys.failed, after, "+inf", start=start, num=STEP, withscores=True)
            if not found:
                return copied
            names = [name for name, _ in found]
            pipe = client.pipeline(transaction=False)
            pipe.hmget(keys.failed_rows, names)
            pipe.hmget(keys.failed_jobs, names)
            rows, payloads = await pipe.execute()
            last = float(found[-1][1])
            start = start + len(found) if last == after else sum(1 for _, score in found if score == last)
            after = last
            saved = _failure_rows(queue, found, rows, payloads)
            copied += self._save(queue, "failed", repr(after), "failures", 11, saved)
            if len(found) < STEP:
                return copied

    def _save(
        self, queue: str, column: str, cursor: str, table: str, width: int, rows: Iterable[tuple[Any, ...]]
    ) -> int:
        """Insert rows and move the cursor in one transaction; returns how many were new."""
        places = ",".join("?" * width)
        other = {"history": "failed", "failed": "history"}[column]
        before = self._db.total_changes
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({places})", rows)  # noqa: S608 - our own names
            added = self._db.total_changes - before
            self._db.execute(
                f"INSERT INTO cursors (queue, {column}, {other}) VALUES (?, ?, '0') "  # noqa: S608 - our own names
                f"ON CONFLICT (queue) DO UPDATE SET {column} = excluded.{column}",
                (queue, cursor),
            )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return added

    def _cursor(self, queue: str) -> tuple[str, str]:
        with closing(self._db.execute("SELECT history, failed FROM cursors WHERE queue = ?", (queue,))) as cursor:
            found = cursor.fetchone()
        return (str(found[0]), str(found[1])) if found else ("0", "0")

    def _trim(self) -> None:
        """Keep the bounds: the oldest rows go."""
        for table, column in (("runs", "finished_ms"), ("failures", "failed_ms")):
            over = self.count(table) - self._bounds[table]
            if over > 0:
                self._db.execute(
                    f"DELETE FROM {table} WHERE {column} <= (SELECT {column} FROM {table} "  # noqa: S608 - our own names
                    f"ORDER BY {column} LIMIT 1 OFFSET ?)",
                    (over - 1,),
                )


def _run_rows(queue: str, found: Sequence[Any]) -> Iterable[tuple[Any, ...]]:
    for entry_id, fields in found:
        entry = decode_history(fields.get(b"r", b""))
        if entry is not None:
            yield (queue, entry_id.decode(), *msgspec.structs.astuple(entry))


def _failure_rows(
    queue: str, found: Sequence[Any], rows: Sequence[bytes | None], payloads: Sequence[bytes | None]
) -> Iterable[tuple[Any, ...]]:
    for (name, score), raw, payload in zip(found, rows, payloads, strict=True):
        row = decode_failed(raw)
        if row is None:
            continue
        kept = (payload or b"")[:PAYLOAD_LIMIT]
        key = name.decode("utf-8", "replace")
        what = (row.function, row.signature, row.status, row.attempts, row.worker, row.error, row.arguments)
        yield (queue, key, int(score), *what, kept)


def _number(entry_id: bytes) -> tuple[int, int]:
    """A stream id as two numbers."""
    milliseconds, _, sequence = entry_id.partition(b"-")
    return int(milliseconds or 0), int(sequence or 0)
