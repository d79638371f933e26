"""The archive copies the record into a file, once each, in bounds, and goes on where it stopped."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from quarterdeck.errors import UsageError
from quarterdeck.keys import keys_of
from quarterdeck.record import FailedJob, HistoryEntry, encode_failed, encode_history
from quarterdeck.record.archive import Archive


async def _runs(client: Redis, queue: str, first: int, last: int) -> None:
    pipe = client.pipeline(transaction=False)
    for number in range(first, last):
        entry = HistoryEntry(key=f"k{number}", function="f", status="complete", attempt=1, finished_ms=number)
        pipe.xadd(keys_of(queue).history, {"r": encode_history(entry)})
    await pipe.execute()


async def _failures(client: Redis, queue: str, *pairs: tuple[str, int]) -> None:
    keys = keys_of(queue)
    pipe = client.pipeline(transaction=False)
    for key, at_ms in pairs:
        pipe.zadd(keys.failed, {key: at_ms})
        pipe.hset(keys.failed_rows, key, encode_failed(FailedJob(function="f", signature="s", at_ms=at_ms, error="E")))
        pipe.hset(keys.failed_jobs, key, '{"key":"x"}')
    await pipe.execute()


def _rows(path: Path, sql: str) -> list[Any]:
    with sqlite3.connect(path) as db:
        return db.execute(sql).fetchall()


async def test_it_copies_everything_once(redis_client: Redis, queue_name: str, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    await _runs(redis_client, queue_name, 0, 2_345)
    await _failures(redis_client, queue_name, ("a", 10), ("b", 20))
    with Archive(path) as archive:
        found = await archive.copy(redis_client, [queue_name])
        assert (found.runs, found.failures, found.gap) == (2_345, 2, False)
        again = await archive.copy(redis_client, [queue_name])
        assert (again.runs, again.failures) == (0, 0)
    rows = _rows(path, "SELECT key, function, status, attempt, finished_ms FROM runs ORDER BY finished_ms LIMIT 2")
    assert rows == [("k0", "f", "complete", 1, 0), ("k1", "f", "complete", 1, 1)]
    failed = _rows(path, "SELECT key, failed_ms, function, signature, error, payload FROM failures ORDER BY key")
    assert failed[0] == ("a", 10, "f", "s", "E", b'{"key":"x"}')


async def test_it_goes_on_where_it_stopped(redis_client: Redis, queue_name: str, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    await _runs(redis_client, queue_name, 0, 10)
    with Archive(path) as archive:
        await archive.copy(redis_client, [queue_name])
    await _runs(redis_client, queue_name, 10, 15)
    await _failures(redis_client, queue_name, ("a", 10))
    with Archive(path) as archive:
        found = await archive.copy(redis_client, [queue_name])
        assert (found.runs, found.failures) == (5, 1)
        assert archive.count("runs") == 15


async def test_failures_at_one_moment_are_all_copied(redis_client: Redis, queue_name: str, tmp_path: Path) -> None:
    await _failures(redis_client, queue_name, *((f"k{number}", 7) for number in range(2_500)))
    with Archive(tmp_path / "archive.db") as archive:
        assert (await archive.copy(redis_client, [queue_name])).failures == 2_500
        await _failures(redis_client, queue_name, ("late", 7))
        assert (await archive.copy(redis_client, [queue_name])).failures == 1


async def test_a_gap_is_told(redis_client: Redis, queue_name: str, tmp_path: Path) -> None:
    await _runs(redis_client, queue_name, 0, 10)
    with Archive(tmp_path / "archive.db") as archive:
        await archive.copy(redis_client, [queue_name])
        await _runs(redis_client, queue_name, 10, 30)
        await redis_client.xtrim(keys_of(queue_name).history, maxlen=5, approximate=False)
        found = await archive.copy(redis_client, [queue_name])
    assert (found.runs, found.gap) == (5, True)


async def test_its_bounds_are_kept(redis_client: Redis, queue_name: str, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    await _runs(redis_client, queue_name, 0, 50)
    await _failures(redis_client, queue_name, *((f"k{number}", number) for number in range(9)))
    with Archive(path, runs=20, failures=3) as archive:
        await archive.copy(redis_client, [queue_name])
        assert (archive.count("runs"), archive.count("failures")) == (20, 3)
    assert _rows(path, "SELECT min(finished_ms) FROM runs") == [(30,)]


async def test_damaged_entries_are_passed_over(redis_client: Redis, queue_name: str, tmp_path: Path) -> None:
    keys = keys_of(queue_name)
    await redis_client.xadd(keys.history, {"r": "nonsense"})
    await redis_client.xadd(keys.history, {"other": "x"})
    await redis_client.zadd(keys.failed, {"no-row": 5})
    await _runs(redis_client, queue_name, 0, 1)
    with Archive(tmp_path / "archive.db") as archive:
        found = await archive.copy(redis_client, [queue_name])
    assert (found.runs, found.failures) == (1, 0)


async def test_all_queues_when_none_is_named(redis_client: Redis, queue_name: str, tmp_path: Path) -> None:
    await redis_client.sadd("qd:queues", queue_name)
    await _runs(redis_client, queue_name, 0, 2)
    path = tmp_path / "archive.db"
    with Archive(path) as archive:
        await archive.copy(redis_client)
    assert _rows(path, f"SELECT count(*) FROM runs WHERE queue = '{queue_name}'") == [(2,)]


@pytest.mark.parametrize("spoilt", ["history", "failed", "failed_rows"])
async def test_a_queue_whose_record_is_of_another_type_keeps_no_other_out(
    redis_client: Redis, queue_name: str, tmp_path: Path, spoilt: str
) -> None:
    first, second = f"{queue_name}-1", f"{queue_name}-2"
    for name in (first, second):
        await _runs(redis_client, name, 0, 2)
        await _failures(redis_client, name, ("k", 5))
    key = getattr(keys_of(first), spoilt)
    await redis_client.delete(key)
    await redis_client.set(key, "no list of anything")
    with Archive(tmp_path / "archive.db") as archive:
        found = await archive.copy(redis_client, [first, second])
        assert found.unreadable == (first,)
        assert found.failures == 1
        await redis_client.delete(key)
        assert (await archive.copy(redis_client, [first, second])).unreadable == ()


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes and no database at all\n" * 50)
    with pytest.raises(UsageError, match=r"notes\.txt can't be opened"):
        Archive(path)
    with pytest.raises(UsageError, match="can't be opened"):
        Archive(tmp_path / "no" / "such" / "folder.db")
    assert "notes" in path.read_text()


def test_only_its_own_tables_can_be_counted(tmp_path: Path) -> None:
    with Archive(tmp_path / "a.db") as archive, pytest.raises(ValueError, match="users"):
        archive.count("users")
