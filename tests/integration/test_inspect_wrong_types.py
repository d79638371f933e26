"""A key of a wrong type, whichever it is, is named; it takes no screen down and hides no queue beside it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from quarterdeck import keys as names
from quarterdeck.inspect import RedisSource
from quarterdeck.keys import keys_of
from quarterdeck.model import JobRow, JobState, Level, Screen, Snapshot, View
from quarterdeck.record import signature_of_text, signature_row

SIGNATURE = signature_of_text("ValueError: no", "send")
_SETS = {names.QUEUES}


@pytest.fixture
async def queue(redis_client: Redis, queue_name: str) -> str:
    """A queue with something of every kind."""
    keys, now = keys_of(queue_name), time.time_ns() // 1_000_000
    payload = {"function": "send", "queue": queue_name, "queued": now - 9_000}
    for key, state, due in (("q1", "queued", 0.0), ("a1", "active", 0.0), ("s1", "queued", now / 1000 + 60)):
        await redis_client.set(keys.job(key), json.dumps(payload | {"key": key, "status": state}))
        await redis_client.zadd(keys.incomplete, {keys.job(key): due})
    await redis_client.rpush(keys.queued, keys.job("q1"))
    await redis_client.rpush(keys.active, keys.job("a1"))
    for index in (keys.failed, keys.failed_of_signature(SIGNATURE.id), keys.failed_of_function("send")):
        await redis_client.zadd(index, {"f1": now})
    await redis_client.hset(keys.failed_jobs, "f1", json.dumps(payload | {"key": "f1", "status": "failed"}))
    await redis_client.hset(keys.failed_rows, "f1", json.dumps({"function": "send", "signature": SIGNATURE.id}))
    await redis_client.zadd(keys.signatures, {SIGNATURE.id: now})
    await redis_client.hset(keys.signature_rows, SIGNATURE.id, signature_row(SIGNATURE, "send", now))
    await redis_client.zadd(keys.schedule_due, {"nightly": now + 60_000, "broken": "+inf"})
    await redis_client.zadd(keys.schedule_history("nightly"), {"1/nightly": 1})
    await redis_client.zadd(keys.bin, {"a/k1": now})
    await redis_client.zadd(keys.held, {keys.job("h1"): now})
    await redis_client.zadd(keys.stats, {keys.worker_info("w9"): now + 60_000})
    await redis_client.xadd(keys.history, {"r": f"f1\tsend\tfailed\t1\t0\t0\t{now}\t9\tw1\t{SIGNATURE.id}"})
    return queue_name


@pytest.fixture
async def source(redis_client: Redis, queue: str) -> AsyncIterator[RedisSource]:
    async with RedisSource(redis_client, [queue, f"{queue}:beside"], owner=object()) as found:
        yield found


async def _spoil(client: Redis, key: str) -> None:
    """Put something there that nobody expects."""
    await client.delete(key)
    await (client.rpush(key, "x") if key in _SETS or "stock-crons" in key else client.sadd(key, "x"))


def _views(queue: str) -> list[View]:
    subjects = {Screen.GROUP: f"{queue}/{SIGNATURE.id}", Screen.SCHEDULE: "nightly", Screen.WORKER: "w9"}
    views = [View(screen=screen, queue=queue, subject=subjects.get(screen, "f1")) for screen in Screen]
    views += [View(screen=Screen.JOBS, state=state) for state in JobState]
    views += [View(screen=Screen.LOGS), View(screen=Screen.JOBS), View(screen=Screen.JOBS, filter="fn:send")]
    views += [View(screen=Screen.JOBS, state=JobState.FAILED, subject="send")]
    return [*views, View(screen=Screen.SCHEDULES, filter="name:x"), View(at_ms=time.time_ns() // 1_000_000 - 9**9)]


async def _every_screen(source: RedisSource, queue: str) -> list[Snapshot]:
    return [await source.snapshot(view) for view in _views(queue)]


def _told(snapshot: Snapshot, queue: str) -> str:
    """All that a snapshot says is wrong."""
    stat = next((stat for stat in snapshot.queues if stat.name == queue), None)
    return " ".join(((stat.error if stat else ""), *(finding.text for finding in snapshot.verdict.findings)))


QUEUE_KEYS = sorted(name for name, value in vars(keys_of("q")).items() if value != "q" and isinstance(value, str))
READ = {
    "queued", "active", "incomplete", "stats", "owner", "lease", "workers", "crashes", "orphans", "paused",
    "quarantine", "held", "history", "failed", "failed_rows", "failed_jobs", "signatures", "signature_rows", "logs",
    "schedules", "schedule_edits", "schedule_states", "schedule_due", "schedule_runs", "schedule_broken", "bin",
    "bin_jobs", "bulks",
}  # fmt: skip
"""Keys that some screen reads."""
AN_ITEM: dict[str, tuple[Any, ...]] = {"minute": (), "log": ("f1",), "failed_of_signature": (SIGNATURE.id,)}
AN_ITEM |= {"failed_of_function": ("send",), "schedule_history": ("nightly",), "schedule_missed": ("nightly",)}
AN_ITEM |= {"worker_info": ("w9",), "abort": ("f1",)}


@pytest.mark.parametrize("name", [*QUEUE_KEYS, *AN_ITEM])
async def test_a_key_of_a_wrong_type_is_named(name: str, source: RedisSource, redis_client: Redis, queue: str) -> None:
    keys = keys_of(queue)
    words: tuple[Any, ...] = AN_ITEM.get(name, ())
    if name == "minute":
        words = (time.time_ns() // 60_000_000_000,)
    made: str | Callable[..., str] = getattr(keys, name)
    key = made if isinstance(made, str) else made(*words)
    await _spoil(redis_client, key)
    snapshots = await _every_screen(source, queue)
    assert all(stat.error == "" for snapshot in snapshots for stat in snapshot.queues if stat.name.endswith(":beside"))
    if name in READ or name in AN_ITEM:
        assert any(key in _told(snapshot, queue) for snapshot in snapshots), "nobody says so"
    await redis_client.delete(key)


async def test_a_payload_of_a_wrong_type_is_a_broken_row(source: RedisSource, redis_client: Redis, queue: str) -> None:
    await _spoil(redis_client, keys_of(queue).job("q1"))
    await _every_screen(source, queue)
    page = (await source.snapshot(View(screen=Screen.JOBS, queue=queue, state=JobState.QUEUED))).page
    assert page is not None
    (row,) = page.rows
    assert isinstance(row, JobRow)
    assert "of a wrong type (set)" in row.broken


@pytest.mark.parametrize(
    "view",
    [
        View(screen=Screen.JOBS, state=JobState.FAILED, filter="fn:=send"),
        View(screen=Screen.JOBS, state=JobState.FAILED, filter="fn:=send err:x"),
        View(screen=Screen.JOBS, state=JobState.FAILED, subject="send"),
    ],
    ids=["search", "search-for-more", "unfiltered"],
)
async def test_a_list_by_an_index_of_a_wrong_type_says_so(
    view: View, source: RedisSource, redis_client: Redis, queue: str
) -> None:
    key = keys_of(queue).failed_of_function("send")
    await _spoil(redis_client, key)
    page = (await source.snapshot(msgspec.structs.replace(view, queue=queue))).page
    assert page is not None
    assert page.total == 0
    assert page.error == f"{key} is of a wrong type (set)"
    await redis_client.delete(key)


async def test_a_search_with_one_part_that_cannot_be_read_finds_the_rest_and_says_so(
    source: RedisSource, redis_client: Redis, queue: str
) -> None:
    await _spoil(redis_client, keys_of(queue).history)
    page = (await source.snapshot(View(screen=Screen.JOBS, queue=queue, filter="fn:send"))).page
    assert page is not None
    assert page.total == 4
    assert keys_of(queue).history in page.error


async def test_a_search_in_good_order_complains_of_nothing(source: RedisSource, queue: str) -> None:
    for state in (None, *JobState):
        page = (await source.snapshot(View(screen=Screen.JOBS, queue=queue, state=state, filter="fn:send"))).page
        assert page is not None
        assert page.error == ""


@pytest.mark.parametrize("key", [names.AUDIT, names.OPERATORS, names.QUEUES])
async def test_a_deployment_s_key_of_a_wrong_type_is_named(
    key: str, source: RedisSource, redis_client: Redis, queue: str
) -> None:
    await _spoil(redis_client, key)
    for snapshot in await _every_screen(source, queue):
        if snapshot.view.at_ms is None:
            assert key in _told(snapshot, queue)
            assert snapshot.verdict.level is not Level.OK
    await redis_client.delete(key)


async def test_everything_of_a_wrong_type_at_once(source: RedisSource, redis_client: Redis, queue: str) -> None:
    for name in QUEUE_KEYS:
        await _spoil(redis_client, getattr(keys_of(queue), name))
    for snapshot in await _every_screen(source, queue):
        if snapshot.view.at_ms is None:
            stat = next(stat for stat in snapshot.queues if stat.name == queue)
            assert "of a wrong type" in stat.error
            assert "more" in stat.error
            assert len(stat.error) < 300


async def test_looking_for_queues_goes_on(redis_client: Redis, queue: str) -> None:
    await _spoil(redis_client, names.QUEUES)
    await _spoil(redis_client, keys_of(queue).stock_crons)
    await redis_client.zadd(keys_of(f"{queue}:stock").incomplete, {"x": 0})
    async with RedisSource(redis_client, owner=object()) as source:
        await source.discover()
        assert f"{queue}:stock" in source.queues
        assert queue in source.queues
    await redis_client.delete(names.QUEUES)


@pytest.mark.parametrize("score", ["+inf", "-inf", "1e300"])
async def test_a_time_that_is_none_takes_no_screen_down(
    score: str, source: RedisSource, redis_client: Redis, queue: str
) -> None:
    keys = keys_of(queue)
    for zset, member in (
        (keys.failed, "f1"), (keys.signatures, SIGNATURE.id), (keys.incomplete, keys.job("s1")), (keys.bin, "a/k1"),
        (keys.held, keys.job("h1")), (keys.stats, keys.worker_info("w9")), (keys.lease, "w1"),
        (keys.failed_of_signature(SIGNATURE.id), "f1"), (keys.schedule_due, "nightly"),
        (keys.schedule_history("nightly"), "1/nightly"), (keys.incomplete, keys.job("cron:tick")),
    ):  # fmt: skip
        await redis_client.zadd(zset, {member: score})
    await redis_client.hset(keys.workers, "w1", "{}")
    await _every_screen(source, queue)
