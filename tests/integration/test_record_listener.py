"""A recorder keeps what stock SAQ workers end, once, and says what it could not see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from at_work import stock_working
from redis.asyncio import Redis
from saq.job import Status

from quarterdeck.keys import keys_of
from quarterdeck.record import decode_failed, decode_history, decode_signature
from quarterdeck.record.listener import Recorder

WAIT_S = 60.0
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated")  # stock SAQ's own calls of redis-py


async def double(ctx: Any, *, a: int) -> int:
    return a * 2


async def explode(ctx: Any, *, password: str = "") -> None:
    raise ConnectionError("refused by 10.0.0.7:5432")


FUNCTIONS = [double, explode]


@asynccontextmanager
async def recording(recorder: Recorder) -> AsyncIterator[Recorder]:
    task = asyncio.create_task(recorder.run())
    try:
        await asyncio.wait_for(recorder.listening.wait(), WAIT_S)
        yield recorder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _until(condition: Any) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


async def _history(client: Redis, queue: str) -> list[Any]:
    return [decode_history(fields[b"r"]) for _, fields in await client.xrange(keys_of(queue).history)]


async def test_what_stock_workers_end_is_kept(valkey: Any, redis_client: Redis, queue_name: str) -> None:
    keys = keys_of(queue_name)
    async with (
        recording(Recorder(redis_client, [queue_name])) as recorder,
        stock_working(valkey.url, queue_name, FUNCTIONS) as queue,
    ):
        for number in range(5):
            await queue.enqueue("double", a=number)
        await queue.enqueue("explode", key="bad", password="hunter2", retries=2)
        await _until(lambda: recorder.coverage.recorded >= 7)
        await recorder.drain()
        await recorder.upkeep()
    entries = await _history(redis_client, queue_name)
    assert sorted(entry.status for entry in entries) == ["complete"] * 5 + ["failed", "retried"]
    failed = next(entry for entry in entries if entry.status == "failed")
    assert (failed.key, failed.function, failed.attempt) == ("bad", "explode", 2)
    assert failed.worker
    assert failed.finished_ms >= failed.started_ms > 0
    assert next(entry for entry in entries if entry.status == "retried").signature == failed.signature

    row = decode_failed(await redis_client.hget(keys.failed_rows, "bad"))
    assert row is not None
    assert (row.function, row.error, row.attempts) == ("explode", "ConnectionError: refused by 10.0.0.7:5432", 2)
    assert "hunter2" not in row.arguments
    assert json.loads(await redis_client.hget(keys.failed_jobs, "bad"))["key"] == "bad"
    signature = decode_signature(await redis_client.hget(keys.signature_rows, row.signature))
    assert signature is not None
    assert (signature.exception, signature.message) == ("ConnectionError", "refused by <host>:5432")
    assert signature.frame.startswith("test_record_listener.py:")
    assert await redis_client.zcard(keys.failed_of_signature(row.signature)) == 1
    assert await redis_client.zcard(keys.failed_of_function("explode")) == 1

    minutes = [await redis_client.hgetall(key) for key in await redis_client.keys(f"qd:minute:{queue_name}:*")]
    totals: dict[bytes, int] = {}
    for minute in minutes:
        for field, value in minute.items():
            totals[field] = totals.get(field, 0) + int(value)
    assert totals[b"double\tcomplete"] == 5
    assert totals[b"explode\tfailed"] == totals[b"explode\tretried"] == 1
    assert sum(count for field, count in totals.items() if field.startswith(b"double\tb")) == 5
    assert b"depth" in totals
    assert await redis_client.sismember("qd:queues", queue_name)
    assert recorder.coverage.unseen() == ""


async def test_several_recorders_record_each_thing_once(valkey: Any, redis_client: Redis, queue_name: str) -> None:
    first, second = Recorder(redis_client, [queue_name]), Recorder(redis_client)
    async with recording(first), recording(second), stock_working(valkey.url, queue_name, FUNCTIONS) as queue:
        for number in range(20):
            await queue.enqueue("double", a=number)
        mine = [first.coverage, second.coverage]
        await _until(lambda: sum(each.recorded + each.known for each in mine) >= 40)
    assert len(await _history(redis_client, queue_name)) == 20
    assert first.coverage.recorded + second.coverage.recorded >= 20


async def _finished(client: Redis, queue: str, key: str, /, **fields: Any) -> None:
    """Store a job as SAQ leaves it, and tell of it as SAQ does."""
    payload = {"function": "f", "queue": queue, "key": key, "attempts": 1, "started": 1_000, "completed": 3_000}
    job_id = keys_of(queue).job(key)
    payload |= fields
    await client.set(job_id, json.dumps(payload))
    await client.publish(job_id, payload.get("status", "complete"))


async def test_workers_of_ours_record_their_own(redis_client: Redis, queue_name: str) -> None:
    await redis_client.hset(keys_of(queue_name).workers, "deck-1", "{}")
    async with recording(Recorder(redis_client, [queue_name])) as recorder:
        await _finished(redis_client, queue_name, "ours", worker_id="deck-1")
        await _finished(redis_client, queue_name, "theirs", worker_id="stock-1")
        await _until(lambda: recorder.coverage.deck and recorder.coverage.recorded)
    assert [entry.key for entry in await _history(redis_client, queue_name)] == ["theirs"]


async def test_what_can_not_be_seen_is_said(redis_client: Redis, queue_name: str) -> None:
    async with recording(Recorder(redis_client, [queue_name])) as recorder:
        await redis_client.publish(keys_of(queue_name).job("gone"), "complete")
        await redis_client.set(keys_of(queue_name).job("torn"), b"{\xff")
        await redis_client.publish(keys_of(queue_name).job("torn"), "failed")
        await redis_client.lpush(keys_of(queue_name).job("list"), "x")
        await redis_client.publish(keys_of(queue_name).job("list"), "failed")
        await _finished(redis_client, queue_name, "foreign", queue="another")
        await _finished(redis_client, queue_name, "fine")
        await _until(lambda: recorder.coverage.recorded)
    assert recorder.coverage.gone == 2
    assert recorder.coverage.unreadable == 2
    assert "ttl=-1" in recorder.coverage.unseen()
    assert [entry.key for entry in await _history(redis_client, queue_name)] == ["fine"]


async def test_a_queue_whose_name_begins_alike_is_not_ours(redis_client: Redis, queue_name: str) -> None:
    other = f"{queue_name}:b"
    async with recording(Recorder(redis_client, [queue_name])) as recorder:
        await _finished(redis_client, other, "k")
        await _finished(redis_client, queue_name, "k")
        await _until(lambda: recorder.coverage.recorded)
    assert await redis_client.exists(keys_of(other).history) == 0


@pytest.mark.parametrize("name", ["a[b]c", "q*", "w?x", "o^p\\", "ü {tag}:x"])
async def test_glob_characters_in_a_name(redis_client: Redis, queue_name: str, name: str) -> None:
    queue = f"{queue_name}{name}"
    async with recording(Recorder(redis_client, [queue])) as recorder:
        await _finished(redis_client, queue, "k")
        await _until(lambda: recorder.coverage.recorded)
    assert len(await _history(redis_client, queue)) == 1


async def test_failures_that_saq_still_keeps_are_caught_up(redis_client: Redis, queue_name: str) -> None:
    keys = keys_of(queue_name)
    for number in range(3):
        error = "Traceback (most recent call last):\nValueError: no\n"
        payload = {"function": "f", "queue": queue_name, "key": f"k{number}", "status": "failed", "error": error}
        await redis_client.set(keys.job(f"k{number}"), json.dumps(payload | {"completed": 5_000 + number}))
    await redis_client.set(keys.job("fine"), json.dumps({"function": "f", "queue": queue_name, "key": "fine"}))
    recorder = Recorder(redis_client, [queue_name])
    assert await recorder.catch_up() == 3
    assert await recorder.catch_up() == 0
    assert await redis_client.zrange(keys.failed, 0, -1, withscores=True) == [
        (b"k0", 5000.0), (b"k1", 5001.0), (b"k2", 5002.0),
    ]  # fmt: skip
    assert await redis_client.xlen(keys.history) == 0


async def test_a_failed_job_that_completes_later_leaves_the_list(redis_client: Redis, queue_name: str) -> None:
    keys = keys_of(queue_name)
    async with recording(Recorder(redis_client, [queue_name])) as recorder:
        await _finished(redis_client, queue_name, "k", status="failed", error="ValueError: 1", completed=3_000)
        await _until(lambda: recorder.coverage.recorded == 1)
        assert await redis_client.zcard(keys.failed) == 1
        await _finished(redis_client, queue_name, "k", status="complete", completed=4_000)
        await _until(lambda: recorder.coverage.recorded == 2)
    for key in (keys.failed, keys.failed_rows, keys.failed_jobs, keys.signatures, keys.signature_rows):
        assert not await redis_client.exists(key)


async def test_bounds_are_kept_and_minutes_become_hours(redis_client: Redis, queue_name: str) -> None:
    keys = keys_of(queue_name)
    recorder = Recorder(redis_client, [queue_name])
    await redis_client.hset(keys.retention, mapping={"failed_count": 2, "failed_age_ms": 10**15})
    seconds, _ = await redis_client.time()
    minute = seconds // 60 - 3
    await redis_client.hset(keys.minute(minute), mapping={"f\tcomplete": 7, "depth": 3})
    for number in range(5):
        payload = {
            "function": "f",
            "queue": queue_name,
            "key": f"k{number}",
            "status": "failed",
            "completed": number + 1,
        }
        await redis_client.set(keys.job(f"k{number}"), json.dumps(payload))
    await recorder.catch_up()
    await recorder.upkeep()
    await recorder.upkeep()
    assert await redis_client.zrange(keys.failed, 0, -1) == [b"k3", b"k4"]
    assert await redis_client.hlen(keys.failed_rows) == 2
    assert await redis_client.hgetall(keys.hour(minute // 60)) == {b"f\tcomplete": b"7"}


async def test_upkeep_is_left_to_workers_of_ours(redis_client: Redis, queue_name: str) -> None:
    keys = keys_of(queue_name)
    seconds, _ = await redis_client.time()
    await redis_client.zadd(keys.lease, {"deck-1": (seconds + 60) * 1000})
    await Recorder(redis_client, [queue_name]).upkeep()
    assert not await redis_client.exists(keys.minute(seconds // 60))


async def test_it_goes_on_after_the_server_was_away(start_valkey: Any, queue_name: str) -> None:
    server = start_valkey()
    client = Redis.from_url(server.url)
    async with recording(Recorder(client, [queue_name])) as recorder:
        server.restart()
        await _until(lambda: not recorder.listening.is_set())
        await asyncio.wait_for(recorder.listening.wait(), WAIT_S)
        await _finished(client, queue_name, "k")
        await _until(lambda: recorder.coverage.recorded == 1)
    assert recorder.coverage.away_s >= 0
    await client.aclose()


def test_saq_still_publishes_what_is_listened_for() -> None:
    assert {Status.COMPLETE.value, Status.FAILED.value, Status.ABORTED.value, Status.QUEUED.value} == {
        "complete", "failed", "aborted", "queued",
    }  # fmt: skip
