"""A page of jobs that has not changed is not read again, and one that has changed is: whatever happens to the list."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from quarterdeck.inspect import RedisSource
from quarterdeck.inspect.pages import ANEW, PageStore
from quarterdeck.keys import keys_of
from quarterdeck.model import JobRow, JobState, Screen, View

NOW = 1_790_000_000_000
STATES = (JobState.QUEUED, JobState.SCHEDULED, JobState.FAILED, JobState.COMPLETE, JobState.ACTIVE)


class Hold:
    """A queue that jobs come to and go from, as the engine and operators let them."""

    def __init__(self, client: Redis, queue: str) -> None:
        self.client: Any = client
        self.queue, self.keys, self.made = queue, keys_of(queue), 0

    async def job(self, **fields: Any) -> str:
        self.made += 1
        key = f"k{self.made}"
        payload = {"function": "send", "queue": self.queue, "key": key, "queued": NOW, "status": "queued", **fields}
        await self.client.set(self.keys.job(key), json.dumps(payload))
        return key

    async def enqueue(self) -> None:
        await self.client.rpush(self.keys.queued, self.keys.job(await self.job()))

    async def hand_back(self) -> None:
        await self.client.lpush(self.keys.queued, self.keys.job(await self.job()))

    async def take(self) -> None:
        await self.client.lmove(self.keys.queued, self.keys.active, "LEFT", "RIGHT")

    async def abort(self) -> None:
        waiting = await self.client.lrange(self.keys.queued, 0, -1)
        if waiting:
            await self.client.lrem(self.keys.queued, 1, random.choice(waiting))

    async def schedule(self) -> None:
        await self.client.zadd(self.keys.incomplete, {self.keys.job(await self.job()): NOW / 1000 + self.made % 7})

    async def put_off(self) -> None:
        found = await self.client.zrange(self.keys.incomplete, 0, -1)
        if found:
            await self.client.zadd(self.keys.incomplete, {random.choice(found): NOW / 1000 + 50 + self.made})

    async def fail(self) -> None:
        key = await self.job()
        row = {"function": "send", "signature": "s", "at_ms": NOW + self.made, "attempts": 1, "error": f"no {key}"}
        await self.client.hset(self.keys.failed_rows, key, json.dumps(row))
        await self.client.zadd(self.keys.failed, {key: NOW + self.made})

    async def fail_again(self) -> None:
        found = await self.client.zrange(self.keys.failed, 0, -1)
        if found:
            self.made += 1
            row = {"function": "send", "signature": "s", "at_ms": NOW + self.made, "attempts": 2, "error": "again"}
            key = random.choice(found)
            await self.client.hset(self.keys.failed_rows, key, json.dumps(row))
            await self.client.zadd(self.keys.failed, {key: NOW + self.made})

    async def retry(self) -> None:
        found = await self.client.zrange(self.keys.failed, 0, -1)
        if found:
            await self.client.zrem(self.keys.failed, random.choice(found))

    async def complete(self) -> None:
        self.made += 1
        record = f"k{self.made}\tsend\tcomplete\t1\t0\t0\t{NOW + self.made}\t9\tw1\t"
        await self.client.xadd(self.keys.history, {"r": record})

    async def trim(self) -> None:
        await self.client.xtrim(self.keys.history, maxlen=6, approximate=False)

    def acts(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            *(self.enqueue, self.enqueue, self.hand_back, self.take, self.abort, self.schedule, self.schedule),
            *(self.put_off, self.fail, self.fail, self.fail_again, self.retry, self.complete, self.complete, self.trim),
        ]


@pytest.fixture
def hold(redis_client: Redis, queue_name: str) -> Hold:
    return Hold(redis_client, queue_name)


@pytest.fixture
async def source(redis_client: Redis, queue_name: str) -> AsyncIterator[RedisSource]:
    async with RedisSource(redis_client, [queue_name], owner=object()) as found:
        yield found


async def _rows(source: RedisSource, view: View) -> tuple[int, tuple[JobRow, ...]]:
    page = (await source.snapshot(view)).page
    assert page is not None
    return page.total, page.rows  # type: ignore[return-value]


async def _calls(client: Redis) -> dict[str, int]:
    """How often the server was given each command so far."""
    return {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in (await client.info("commandstats")).items()}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_the_page_is_what_one_who_knows_nothing_reads(
    hold: Hold, source: RedisSource, redis_client: Redis, seed: int, turned: bool
) -> None:
    random.seed(seed)
    for act in hold.acts() * 2:
        await act()
    sort = "when" if turned else ""
    for _ in range(25):
        await random.choice(hold.acts())()
        for state in (*STATES, None):
            offset = random.choice((0, 2))
            view = View(screen=Screen.JOBS, queue=hold.queue, state=state, sort=sort, offset=offset, limit=3)
            fresh = RedisSource(redis_client, [hold.queue], owner=object())
            assert await _rows(source, view) == await _rows(fresh, view), (state, offset)


@pytest.mark.parametrize("state", STATES[:4])
async def test_a_page_that_has_not_changed_is_not_read_again(
    hold: Hold, source: RedisSource, redis_client: Redis, state: JobState
) -> None:
    for act in (hold.enqueue, hold.schedule, hold.fail, hold.complete):
        for _ in range(10):
            await act()
    view = View(screen=Screen.JOBS, queue=hold.queue, state=state, offset=4, limit=4)
    first = await _rows(source, view)
    assert (first[0], len(first[1])) == (10, 4)
    before = await _calls(redis_client)
    assert await _rows(source, view) == first
    after = await _calls(redis_client)
    read = {name for name, calls in after.items() if calls > before.get(name, 0)}
    assert read.isdisjoint({"hmget", "strlen"})
    # Who waits at the head is looked at by every snapshot; of the history's entries one is looked at.
    assert after["lrange"] - before["lrange"] == 1
    assert after.get("getrange", 0) == before.get("getrange", 0)
    assert after["xrevrange"] - before["xrevrange"] == (2 if state is JobState.COMPLETE else 1)


async def test_jobs_that_run_are_read_each_time(hold: Hold, source: RedisSource, redis_client: Redis) -> None:
    await hold.enqueue()
    await hold.take()
    view = View(screen=Screen.JOBS, queue=hold.queue, state=JobState.ACTIVE)
    await _rows(source, view)
    payload = {"function": "other", "queue": hold.queue, "key": "k1", "queued": NOW, "status": "active"}
    await redis_client.set(hold.keys.job("k1"), json.dumps(payload))
    assert [row.function for row in (await _rows(source, view))[1]] == ["other"]


async def test_a_payload_that_is_edited_while_its_job_waits_is_seen_before_long(
    hold: Hold, source: RedisSource, redis_client: Redis
) -> None:
    await hold.enqueue()
    view = View(screen=Screen.JOBS, queue=hold.queue, state=JobState.QUEUED)
    await _rows(source, view)
    payload = {"function": "other", "queue": hold.queue, "key": "k1", "queued": NOW, "status": "queued"}
    await redis_client.set(hold.keys.job("k1"), json.dumps(payload))
    seen = [(await _rows(source, view))[1][0].function for _ in range(ANEW)]
    assert seen[-1] == "other"


async def test_a_row_that_can_not_be_read_is_read_again(hold: Hold, source: RedisSource, redis_client: Redis) -> None:
    await hold.fail()
    row = await redis_client.hget(hold.keys.failed_rows, "k1")
    await redis_client.hset(hold.keys.failed_rows, "k1", "{")
    view = View(screen=Screen.JOBS, queue=hold.queue, state=JobState.FAILED)
    assert (await _rows(source, view))[1][0].broken
    await redis_client.hset(hold.keys.failed_rows, "k1", row)
    assert (await _rows(source, view))[1][0].error == "no k1"


def _row(key: str, broken: str = "") -> JobRow:
    return JobRow(id=f"q/{key}", queue="q", key=key, function="send", state=JobState.QUEUED, broken=broken)


def test_some_pages_are_kept_the_latest() -> None:
    store = PageStore()
    for number in range(9):
        store.keep((number,), b"words", (_row(f"k{number}"),))
    kept = [found.rows[0].key for number in range(9) if (found := store.find((number,))) is not None]
    assert kept == ["k5", "k6", "k7", "k8"]


def test_what_no_words_tell_of_is_not_kept_and_takes_the_place_of_what_was() -> None:
    store = PageStore()
    for words, rows in ((b"", (_row("a"),)), (b"words", (_row("b", broken="no"),))):
        store.keep(("asked",), b"words", (_row("a"),))
        assert store.find(("asked",)) is not None
        store.keep(("asked",), words, rows)
        assert store.find(("asked",)) is None
