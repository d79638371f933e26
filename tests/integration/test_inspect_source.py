"""A snapshot says what is in Redis, in one round trip, whatever lies there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from quarterdeck.errors import UnreachableError, UsageError
from quarterdeck.inspect import FilterError, RedisSource, open_source, search
from quarterdeck.keys import QueueKeys, keys_of
from quarterdeck.model import (
    GroupDetail,
    JobDetail,
    JobRow,
    JobState,
    Level,
    LogRow,
    Page,
    PauseStat,
    QueueDetail,
    Screen,
    Snapshot,
    View,
    WorkerDetail,
)
from quarterdeck.record import FailedJob, HistoryEntry, encode_failed, encode_history, signature_of_text, signature_row

DOCS = Path(__file__).parents[2] / "docs"


class Seed:
    """Writes what the engine would have written."""

    def __init__(self, client: Redis, queue: str) -> None:
        self.client, self.queue, self.keys = client, queue, keys_of(queue)
        self.now = time.time_ns() // 1_000_000

    async def job(self, key: str, *, state: str = "queued", due_s: float = 0, **fields: Any) -> None:
        payload = {"function": "send", "queue": self.queue, "key": key, "queued": self.now - 48_000, "status": state}
        job_id = self.keys.job(key)
        await self.client.set(job_id, json.dumps(payload | fields))
        await self.client.zadd(self.keys.incomplete, {job_id: due_s})
        if state == "active":
            await self.client.rpush(self.keys.active, job_id)
        elif not due_s:
            await self.client.rpush(self.keys.queued, job_id)

    async def failed(self, key: str, *, ago_ms: int = 0, error: str = "ValueError: no", **fields: Any) -> str:
        at = self.now - ago_ms
        signature = signature_of_text(error, "send")
        row = FailedJob(
            function="send", signature=signature.id, at_ms=at, attempts=1, error=error, worker="w1", **fields
        )
        payload = {"function": "send", "queue": self.queue, "key": key, "status": "failed", "error": error}
        await self.client.zadd(self.keys.failed, {key: at})
        await self.client.hset(self.keys.failed_rows, key, encode_failed(row))
        await self.client.hset(
            self.keys.failed_jobs, key, json.dumps(payload | {"queued": at - 5_000, "completed": at})
        )
        await self.client.zadd(self.keys.failed_of_signature(signature.id), {key: at})
        await self.client.zadd(self.keys.failed_of_function("send"), {key: at})
        await self.client.zadd(self.keys.signatures, {signature.id: at}, gt=True)
        await self.client.hsetnx(self.keys.signature_rows, signature.id, signature_row(signature, "send", at))
        await self.ended(key, status="failed", at=at, signature=signature.id)
        return signature.id

    async def ended(self, key: str, *, status: str = "complete", at: int = 0, signature: str = "") -> None:
        at = at or self.now
        entry = HistoryEntry(
            key=key, function="send", status=status, attempt=1, queued_ms=at - 5_000, started_ms=at - 1_000,
            finished_ms=at, duration_us=1_000_000, worker="w1", signature=signature,
        )  # fmt: skip
        await self.client.xadd(self.keys.history, {"r": encode_history(entry)})

    async def worker(self, worker: str = "w1", *, live: bool = True, **fields: Any) -> None:
        beat = {
            "name": f"{worker}:7", "host": worker, "pid": 7, "queues": [self.queue], "slots": 4, "beat_ms": self.now,
            "version": "1", "functions": [{"name": "send"}], "stats": {"complete": 3},
        }  # fmt: skip
        await self.client.hset(self.keys.workers, worker, json.dumps(beat | fields))
        await self.client.zadd(self.keys.lease, {worker: self.now + (600_000 if live else -600_000)})


@pytest.fixture
def seed(redis_client: Redis, queue_name: str) -> Seed:
    return Seed(redis_client, queue_name)


@pytest.fixture
async def source(redis_client: Redis, queue_name: str) -> AsyncIterator[RedisSource]:
    async with RedisSource(redis_client, [queue_name], owner=object()) as found:
        yield found


async def _page(source: RedisSource, **fields: Any) -> list[Any]:
    snapshot = await source.snapshot(View(**({"screen": Screen.JOBS} | fields)))
    assert snapshot.page is not None
    return list(snapshot.page.rows)


# The overview.


async def test_an_empty_deployment_is_calm(source: RedisSource, queue_name: str) -> None:
    snapshot = await source.snapshot(View())
    assert [stat.name for stat in snapshot.queues] == [queue_name]
    assert snapshot.verdict.level in {Level.OK, Level.NOTICE}
    assert (snapshot.workers, snapshot.groups, snapshot.schedules) == ((), (), ())
    assert snapshot.server.version
    assert abs(snapshot.taken_ms - time.time() * 1000) < 60_000


async def test_the_overview_counts(source: RedisSource, seed: Seed) -> None:
    for number in range(3):
        await seed.job(f"q{number}")
    await seed.job("a1", state="active", worker_id="w1", started=seed.now - 100)
    await seed.job("s1", due_s=seed.now / 1000 + 60)
    await seed.failed("f1")
    await seed.worker()
    minute = seed.now // 60_000
    await seed.client.hset(seed.keys.minute(minute), mapping={"send\tcomplete": 90, "send\tfailed": 10, "in": 60})
    snapshot = await source.snapshot(View())
    (stat,) = snapshot.queues
    assert (stat.depth, stat.active, stat.scheduled, stat.failed, stat.history) == (3, 1, 1, 1, 1)
    assert stat.oldest_ms is not None
    assert 48_000 <= stat.oldest_ms < 100_000
    assert (stat.workers, stat.slots, stat.deck, stat.orphans) == (1, 4, True, 0)
    assert stat.failure_rate == pytest.approx(0.1)
    assert stat.in_per_s
    assert stat.out_per_s
    assert 90 <= snapshot.per_minute <= 100  # less when the minute ends just now: it is taken in part
    assert snapshot.groups[0].share == pytest.approx(0.1)
    assert re.search(r"oldest [45]\d s|oldest 1 m", snapshot.verdict.headline)
    assert "10 % failing" in snapshot.verdict.headline
    assert [spec.name for spec in snapshot.functions] == ["send"]


async def test_a_pause_is_shown_with_its_owner(source: RedisSource, seed: Seed) -> None:
    pause = PauseStat(owner="ann", reason="deploy", at_ms=5, until_ms=seed.now + 60_000)
    await seed.client.set(seed.keys.paused, msgspec.json.encode(pause))
    assert (await source.snapshot(View())).queues[0].paused == pause
    await seed.client.set(seed.keys.paused, "{")
    damaged = (await source.snapshot(View())).queues[0].paused
    assert damaged is not None


async def test_orphans_are_counted_where_workers_say_what_they_know(source: RedisSource, seed: Seed) -> None:
    await seed.job("known")
    await seed.job("unknown", function="other")
    await seed.worker()
    assert (await source.snapshot(View())).queues[0].orphans == 1
    detail = (await source.snapshot(View(screen=Screen.QUEUE, queue=seed.queue))).detail
    assert isinstance(detail, QueueDetail)
    assert (detail.functions, detail.orphans) == ((("send", 1),), (("other", 1),))
    assert "no live worker registers" in detail.why
    await seed.job("later", function="third", due_s=seed.now / 1000 + 60)
    await seed.client.hset(seed.keys.orphans, seed.keys.job("later"), f"{seed.now}/2/third")
    detail = (await source.snapshot(View(screen=Screen.QUEUE, queue=seed.queue))).detail
    assert isinstance(detail, QueueDetail)
    assert (detail.row.orphans, detail.orphans) == (2, (("other", 1), ("third", 1)))
    assert "No live worker registers the function 'third'" in (await _job(source, "later")).why


async def test_a_poison_group(source: RedisSource, seed: Seed) -> None:
    await seed.failed("p", error="Lost its worker 3 times, web-1:7 the last: it is taken to be the cause (poison).")
    await seed.failed("f")
    groups = (await source.snapshot(View())).groups
    assert sorted(group.poison for group in groups) == [False, True]


async def test_it_survives_json(source: RedisSource, seed: Seed) -> None:
    await seed.failed("f1")
    await seed.worker()
    snapshot = await source.snapshot(View(screen=Screen.JOBS))
    assert msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot) == snapshot


# One round trip, whatever is asked.


async def test_one_round_trip_and_nothing_forbidden(start_valkey: Any, queue_name: str) -> None:
    server = start_valkey()
    client, other = Redis.from_url(server.url), Redis.from_url(server.url)
    seed = Seed(client, queue_name)
    await seed.job("q1", kwargs={"text": "x" * 100_000})
    await seed.failed("f1")
    await seed.worker()
    await client.sadd("qd:queues", queue_name)
    async with RedisSource(client) as source:
        for screen in Screen:
            await source.snapshot(View(screen=screen, queue=queue_name, subject="f1"))
        await other.config_resetstat()
        for screen in Screen:
            await source.snapshot(View(screen=screen, queue=queue_name, subject="f1"))
            assert source.round_trips == 1
        stats = await other.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == len(Screen)
    names = {name.removeprefix("cmdstat_") for name in stats}
    assert not names & {"scan", "keys", "hscan", "sscan", "mget", "eval", "script|load"}
    writes = {"set", "hset", "zadd", "sadd", "del", "expire", "rpush", "lpush", "xadd", "hincrby"}
    assert not names & writes
    await other.aclose()


async def test_a_forgotten_script_is_sent_again(source: RedisSource, redis_client: Redis) -> None:
    await source.snapshot(View())
    await redis_client.script_flush()
    assert (await source.snapshot(View())).queues


async def test_the_first_snapshot_finds_the_queues_by_itself(redis_client: Redis, queue_name: str) -> None:
    await redis_client.sadd("qd:queues", queue_name)
    async with RedisSource(redis_client, owner=object()) as source:
        assert queue_name in {stat.name for stat in (await source.snapshot(View())).queues}
        await redis_client.sadd("qd:queues", f"{queue_name}-new")
        await source.snapshot(View())
        assert source.round_trips == 1
        assert f"{queue_name}-new" in {stat.name for stat in (await source.snapshot(View())).queues}


# Lists of jobs.


async def test_pages_fit_together_whatever_their_size(source: RedisSource, seed: Seed) -> None:
    for number in range(7):
        await seed.job(f"q{number}")
    for number in range(5):
        await seed.job(f"s{number}", due_s=seed.now / 1000 + 60 + number)
    for number in range(4):
        await seed.job(f"a{number}", state="active")
    for number in range(6):
        await seed.failed(f"f{number}", ago_ms=number * 1_000)
    whole = await _page(source)
    assert [row.key for row in whole] == [
        *(f"a{n}" for n in range(4)), *(f"q{n}" for n in range(7)), *(f"s{n}" for n in range(5)),
        *(f"f{n}" for n in range(6)),
    ]  # fmt: skip
    for limit in (1, 3, 5, 50):
        parts: list[Any] = []
        while len(parts) < len(whole):
            more = await _page(source, offset=len(parts), limit=limit)
            assert more
            parts += more
        assert parts == whole
    assert await _page(source, offset=1_000) == []


@pytest.mark.parametrize(
    "state", [JobState.QUEUED, JobState.SCHEDULED, JobState.FAILED, JobState.ACTIVE, JobState.COMPLETE]
)
async def test_each_list_can_be_turned_round(source: RedisSource, seed: Seed, state: JobState) -> None:
    for number in range(6):
        await seed.job(f"q{number}")
        await seed.job(f"a{number}", state="active")
        await seed.job(f"s{number}", due_s=seed.now / 1000 + 60 + number)
        await seed.failed(f"f{number}", ago_ms=number * 1_000)
    forth = await _page(source, state=state)
    ways = [await _page(source, state=state, sort="when", descending=turned) for turned in (True, False)]
    assert len(forth) == 6
    assert forth in ways
    assert ways[0] == ways[1][::-1]
    for turned, way in zip((True, False), ways, strict=True):
        for offset in range(6):
            assert (
                await _page(source, state=state, sort="when", descending=turned, offset=offset, limit=2)
                == way[offset : offset + 2]
            )


async def test_a_failed_row_says_what_broke(source: RedisSource, seed: Seed) -> None:
    signature = await seed.failed("f1", arguments='{"to":"ann"}', poison=True)
    (row,) = await _page(source, state=JobState.FAILED)
    assert (row.function, row.error, row.signature, row.poison) == ("send", "ValueError: no", signature, True)
    assert (row.finished_ms, row.arguments, row.worker) == (seed.now, '{"to":"ann"}', "w1")


async def test_aborted_jobs_are_found_among_the_failed(source: RedisSource, seed: Seed) -> None:
    await seed.failed("f1")
    await seed.failed("f2", status="aborted")
    assert [row.key for row in await _page(source, state=JobState.ABORTED)] == ["f2"]
    assert await _page(source, state=JobState.ABORTED, filter="err:other OR fn:nope") == []


async def test_the_history_from_either_end_and_between(source: RedisSource, seed: Seed) -> None:
    pipe = seed.client.pipeline(transaction=False)
    for number in range(10_000):
        entry = HistoryEntry(key=f"h{number}", function="send", status="complete", finished_ms=number)
        pipe.xadd(seed.keys.history, {"r": encode_history(entry)}, id=f"{1_000 + number * 10}-0")
    await pipe.execute()
    view = {"state": JobState.COMPLETE, "limit": 3}
    assert [row.key for row in await _page(source, **view)] == ["h9999", "h9998", "h9997"]
    assert [row.key for row in await _page(source, **view, offset=9_997)] == ["h2", "h1", "h0"]
    assert [row.key for row in await _page(source, **view, offset=1_500)] == ["h8499", "h8498", "h8497"]
    between = await _page(source, **view, offset=5_000)
    assert len(between) == 3
    assert abs(int(between[0].key[1:]) - 4_999) <= 2
    oldest_first = await _page(source, **view, sort="when", descending=False, offset=2)
    assert [row.key for row in oldest_first] == ["h2", "h3", "h4"]


async def test_what_an_attempt_came_to(source: RedisSource, seed: Seed) -> None:
    for status in ("complete", "failed", "aborted", "retried", "lost"):
        await seed.ended(status, status=status)
    rows = {row.key: (row.state, row.error) for row in await _page(source, state=JobState.COMPLETE)}
    assert rows["complete"] == (JobState.COMPLETE, "")
    assert rows["retried"] == (JobState.FAILED, "retried")
    assert rows["aborted"] == (JobState.ABORTED, "aborted")
    assert rows["lost"] == (JobState.FAILED, "lost")


async def test_without_a_state_each_job_is_there_once(source: RedisSource, seed: Seed) -> None:
    await seed.job("q1")
    await seed.failed("f1")
    await seed.failed("f2", status="aborted")
    await seed.ended("f1", status="retried")
    await seed.ended("done")
    page = (await source.snapshot(View(screen=Screen.JOBS))).page
    assert page is not None
    assert sorted(row.key for row in page.rows if isinstance(row, JobRow)) == ["f1", "f2", "q1"]
    assert page.total == page.total_unfiltered == 3
    found = [(row.key, row.state) for row in await _page(source, filter="fn:send")]
    assert sorted(found) == [
        ("done", JobState.COMPLETE), ("f1", JobState.FAILED), ("f2", JobState.ABORTED), ("q1", JobState.QUEUED),
    ]  # fmt: skip
    assert [row.key for row in await _page(source, filter="state:complete")] == ["done"]
    assert [row.key for row in await _page(source, filter="state:aborted")] == ["f2"]


async def test_many_queues_are_one_list(redis_client: Redis, queue_name: str) -> None:
    names = [f"{queue_name}-{letter}" for letter in "ba"]
    for name in names:
        await Seed(redis_client, name).job("k")
    async with RedisSource(redis_client, names, owner=object()) as source:
        rows = await _page(source, state=JobState.QUEUED)
        assert [row.queue for row in rows] == sorted(names)
        assert len({row.id for row in rows}) == 2
        assert [row.queue for row in await _page(source, queue=names[0])] == [names[0]]


# Filters.


async def test_a_filter_searches_in_steps_and_goes_on(
    source: RedisSource, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MOST_S", 60.0)  # here the budget ends a call, not the time
    pipe = seed.client.pipeline(transaction=False)
    for number in range(5_000):
        row = FailedJob(function="send", at_ms=number, error=f"E: {number}", arguments=f'{{"n":{number}}}')
        pipe.zadd(seed.keys.failed, {f"k{number}": number})
        pipe.hset(seed.keys.failed_rows, f"k{number}", encode_failed(row))
    await pipe.execute()
    view = View(screen=Screen.JOBS, state=JobState.FAILED, filter=r"err:~\b\d*00$", budget=2_000, limit=5)
    page = (await source.snapshot(view)).page
    assert page is not None
    assert (page.searched, page.total_unfiltered, page.total) == (2_000, 5_000, 20)
    assert [row.key for row in page.rows if isinstance(row, JobRow)] == ["k4900", "k4800", "k4700", "k4600", "k4500"]
    assert source.round_trips == 3
    again = (await source.snapshot(view)).page
    assert again == page
    assert source.round_trips == 1
    more = (await source.snapshot(msgspec.structs.replace(view, budget=100_000, offset=47))).page
    assert more is not None
    assert (more.searched, more.total) == (5_000, 49)
    assert [row.key for row in more.rows if isinstance(row, JobRow)] == ["k200", "k100"]


async def test_a_search_that_takes_long_goes_on_in_the_next_call(
    source: RedisSource, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MOST_S", 1e-4)  # less than a step takes
    rows = {f"k{number}": encode_failed(FailedJob(function="send", at_ms=number)) for number in range(2_500)}
    await seed.client.zadd(seed.keys.failed, {key: number for number, key in enumerate(rows)})
    await seed.client.hset(seed.keys.failed_rows, mapping=rows)
    view = View(screen=Screen.JOBS, state=JobState.FAILED, filter="fn:send")
    told: list[tuple[int, int]] = []
    async with asyncio.timeout(60):
        while not told or told[-1][0] < len(rows):
            page = (await source.snapshot(view)).page
            assert page is not None
            told.append((page.searched, page.total))
    assert sorted({*told, (0, 0)}) == [(0, 0), (1_000, 1_000), (2_000, 2_000), (2_500, 2_500)]


async def test_a_filter_on_arguments_of_waiting_jobs(source: RedisSource, seed: Seed) -> None:
    for number in range(5):
        await seed.job(f"q{number}", kwargs={"tenant": number})
    assert [row.key for row in await _page(source, state=JobState.QUEUED, filter="arg:tenant=3")] == ["q3"]


async def test_a_function_asked_for_whole_uses_its_index(source: RedisSource, seed: Seed) -> None:
    await seed.failed("f1")
    await seed.client.zadd(seed.keys.failed, {"other": 5})
    rows = await _page(source, state=JobState.FAILED, filter="fn:=send")
    assert [row.key for row in rows] == ["f1"]


async def test_a_filter_over_the_history_misses_nothing(source: RedisSource, seed: Seed) -> None:
    pipe = seed.client.pipeline(transaction=False)
    for number in range(9_000):
        status = "lost" if number % 900 == 450 else "complete"
        entry = HistoryEntry(key=f"h{number}", function="send", status=status, finished_ms=number)
        pipe.xadd(seed.keys.history, {"r": encode_history(entry)}, id=f"{1_000 + number * number}-0")
    await pipe.execute()
    for turned in (True, False):
        view: dict[str, Any] = {"state": JobState.COMPLETE, "sort": "when", "descending": turned}
        page = None
        while page is None or page.searched < page.total_unfiltered:  # a slow machine needs several turns
            page = (await source.snapshot(View(screen=Screen.JOBS, filter="err:lost", **view))).page
            assert page is not None
        assert [int(row.key[1:]) for row in page.rows if isinstance(row, JobRow)] == sorted(
            range(450, 9_000, 900), reverse=turned
        )


async def test_a_filter_that_can_not_be_read(source: RedisSource) -> None:
    with pytest.raises(FilterError, match="Did you mean"):
        await source.snapshot(View(screen=Screen.JOBS, filter="fnn:x"))


async def test_a_search_lets_others_have_their_turns(source: RedisSource, seed: Seed) -> None:
    pipe = seed.client.pipeline(transaction=False)
    for number in range(2_000):
        row = FailedJob(function="send", signature="s", at_ms=number, error="x" * 60)
        pipe.zadd(seed.keys.failed, {f"k{number}": number})
        pipe.hset(seed.keys.failed_rows, f"k{number}", encode_failed(row))
    await pipe.execute()
    held = [0.0]

    async def beat() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            held[0] = max(held[0], time.thread_time() - before)

    beating = asyncio.create_task(beat())
    with contextlib.suppress(UsageError):
        await _page(source, state=JobState.FAILED, filter="~(x+x+)+y")
    await asyncio.sleep(0)
    beating.cancel()
    assert held[0] < 0.2  # seconds on the CPU: an expression may use up 0.25, a turn takes about 0.03


async def test_small_lists_are_filtered_too(source: RedisSource, seed: Seed) -> None:
    await seed.failed("f1", error="KeyError: 'a'")
    await seed.failed("f2", error="ValueError: no")
    await seed.worker("w1")
    await seed.worker("w2")
    assert len(await _page(source, screen=Screen.FAILURES, filter="err:KeyError")) == 1
    assert len(await _page(source, screen=Screen.WORKERS, filter="w2")) == 1


# Failures.


async def test_groups_by_signature(source: RedisSource, seed: Seed) -> None:
    for number in range(3):
        await seed.failed(f"a{number}", ago_ms=number * 600_000, error=f"ValueError: user {number}")
    await seed.failed("b", ago_ms=7_200_000, error="KeyError: 'tenant_id'")
    groups = (await source.snapshot(View(screen=Screen.FAILURES))).groups
    assert [(group.exception, group.message, group.count) for group in groups] == [
        ("ValueError", "user <number>", 3),
        ("KeyError", "'tenant_id'", 1),
    ]
    assert sum(groups[0].trend) == 3
    assert len(groups[0].trend) == 12
    assert sum(groups[1].trend) == 0
    assert (groups[0].first_ms, groups[0].last_ms) == (seed.now - 1_200_000, seed.now)
    by_count = await _page(source, screen=Screen.FAILURES, sort="count", descending=False)
    assert [row.count for row in by_count] == [1, 3]


async def test_a_group_opened(source: RedisSource, seed: Seed) -> None:
    for number in range(5):
        signature = await seed.failed(f"k{number}", ago_ms=number, version="v2" if number else "v1")
    for subject, queue in ((signature, seed.queue), (f"{seed.queue}/{signature}", None)):
        snapshot = await source.snapshot(View(screen=Screen.GROUP, queue=queue, subject=subject, limit=3))
        detail = snapshot.detail
        assert isinstance(detail, GroupDetail)
        assert (detail.row.count, detail.versions, detail.workers) == (5, (("v2", 4), ("v1", 1)), (("w1", 5),))
        assert detail.sample is not None
        assert (detail.sample.row.key, detail.sample.traceback) == ("k0", "ValueError: no")
        assert snapshot.page is not None
        assert [row.key for row in snapshot.page.rows if isinstance(row, JobRow)] == ["k0", "k1", "k2"]
        assert snapshot.page.total == 5


async def test_a_group_that_has_come_to_nothing(source: RedisSource, seed: Seed) -> None:
    snapshot = await source.snapshot(View(screen=Screen.GROUP, queue=seed.queue, subject="0123456789ab"))
    assert isinstance(snapshot.detail, GroupDetail)
    assert snapshot.detail.row.count == 0
    assert snapshot.detail.sample is None


# One job.


async def _job(source: RedisSource, subject: str, queue: str | None = None) -> JobDetail:
    detail = (await source.snapshot(View(screen=Screen.JOB, queue=queue, subject=subject))).detail
    assert isinstance(detail, JobDetail)
    return detail


async def test_a_failed_job_opened(source: RedisSource, seed: Seed) -> None:
    await seed.ended("other")
    await seed.ended("f1", status="retried", at=seed.now - 2_000)
    await seed.failed("f1")
    await seed.client.hset(seed.keys.crashes, seed.keys.job("f1"), 2)
    line = {"at_ms": 5, "level": "ERROR", "text": "it broke", "attempt": 1}
    await seed.client.rpush(seed.keys.log("f1"), json.dumps(line), "not json")
    detail = await _job(source, "f1")
    assert (detail.row.state, detail.row.key, detail.traceback) == (JobState.FAILED, "f1", "ValueError: no")
    assert [attempt.status for attempt in detail.attempts] == ["retried", "failed"]
    assert [entry.text for entry in detail.log] == ["it broke", "not json"]
    assert detail.crashes == 2
    assert detail.why.startswith("It failed")
    assert await _job(source, f"{seed.queue}/f1") == await _job(source, "f1", seed.queue)


async def test_a_waiting_job_opened(source: RedisSource, seed: Seed) -> None:
    for number in range(3):
        await seed.job(f"q{number}", kwargs={"token": "t0ps3cret", "n": number})
    await seed.worker()
    detail = await _job(source, "q2")
    assert detail.why == "It is number 3 in line."
    assert detail.document["kwargs"] == {"token": "***", "n": 2}
    assert "t0ps3cret" not in detail.raw
    await seed.client.hset(seed.keys.workers, "w1", json.dumps({"functions": [{"name": "other"}]}))
    assert (await _job(source, "q2")).why == "No live worker registers the function 'send'."


async def test_a_running_job_opened(source: RedisSource, seed: Seed) -> None:
    await seed.job("a1", state="active", started=seed.now - 3_000)
    await seed.client.hset(seed.keys.owner, seed.keys.job("a1"), f"w1/7/{seed.now}")
    await seed.worker()
    detail = await _job(source, "a1")
    assert (detail.row.state, detail.row.worker) == (JobState.ACTIVE, "w1")
    assert detail.why.startswith("It is running on w1:7 for")
    await seed.worker(live=False)
    assert "lost its heartbeat" in (await _job(source, "a1")).why


async def test_a_scheduled_and_a_complete_job_opened(source: RedisSource, seed: Seed) -> None:
    await seed.job("s1", due_s=seed.now / 1000 + 3_600)
    assert (await _job(source, "s1")).row.state is JobState.SCHEDULED
    done = {"function": "send", "queue": seed.queue, "key": "c1", "status": "complete", "result": {"password": "x"}}
    await seed.client.set(seed.keys.job("c1"), json.dumps(done))
    detail = await _job(source, "c1")
    assert (detail.row.state, detail.result) == (JobState.COMPLETE, '{"password":"***"}')


async def test_a_job_of_which_only_the_history_is_left(source: RedisSource, seed: Seed) -> None:
    await seed.ended("h1")
    detail = await _job(source, "h1")
    assert (detail.row.state, detail.row.function, detail.row.duration_ms) == (JobState.COMPLETE, "send", 1_000)
    assert detail.why.startswith("It is complete")


async def test_a_job_that_is_not_there(source: RedisSource) -> None:
    assert (await source.snapshot(View(screen=Screen.JOB, subject="nope"))).detail is None


async def test_a_huge_payload_is_cut(source: RedisSource, seed: Seed) -> None:
    await seed.job("big", kwargs={"text": "x" * 3_000_000})
    detail = await _job(source, "big")
    assert detail.cut_bytes > 2_000_000
    assert len(detail.raw) < 200_000
    assert (detail.row.function, detail.row.payload_bytes > 3_000_000) == ("send", True)


# Workers and logs.


async def test_a_worker_opened(source: RedisSource, seed: Seed) -> None:
    await seed.worker(stack="File x", stack_key="k")
    detail = (await source.snapshot(View(screen=Screen.WORKER, subject="w1"))).detail
    assert isinstance(detail, WorkerDetail)
    assert (detail.row.name, detail.stack, detail.functions[0].name) == ("w1:7", "File x", "send")


async def _log(seed: Seed, text: str, key: str = "k", level: str = "INFO", at: str = "*") -> None:
    line = {"k": key, "f": "send", "l": level, "t": text, "w": "w1", "n": 1}
    await seed.client.xadd(seed.keys.logs, {**line, "d": 2} if text == "after a gap" else line, id=at)  # type: ignore[arg-type]


async def test_logs_are_followed_by_a_cursor(source: RedisSource, seed: Seed) -> None:
    for number in range(5):
        await _log(seed, f"line {number}")
    view = View(screen=Screen.LOGS, limit=3)
    page = (await source.snapshot(view)).page
    assert page is not None
    assert [row.text for row in page.rows if isinstance(row, LogRow)] == ["line 2", "line 3", "line 4"]
    assert page.total == 5
    follow = msgspec.structs.replace(view, after=page.cursor)
    again = (await source.snapshot(follow)).page
    assert again is not None
    assert (again.rows, again.cursor) == ((), page.cursor)
    await _log(seed, "after a gap", level="ERROR")
    more = (await source.snapshot(follow)).page
    assert more is not None
    assert [row.text for row in more.rows if isinstance(row, LogRow)] == ["after a gap"]
    assert (more.dropped, more.cursor != page.cursor) == (2, True)


def _texts(page: Page | None) -> list[str]:
    return [row.text for row in page.rows if isinstance(row, LogRow)] if page is not None else []


async def test_of_a_flood_the_newest_lines_are_read_and_the_others_counted(source: RedisSource, seed: Seed) -> None:
    await _log(seed, "first")
    view = View(screen=Screen.LOGS, limit=3, newest=True)
    page = (await source.snapshot(view)).page
    assert page is not None
    for number in range(10):
        await _log(seed, f"line {number}")
    flood = (await source.snapshot(msgspec.structs.replace(view, after=page.cursor))).page
    assert flood is not None
    assert _texts(flood) == ["line 7", "line 8", "line 9"]
    assert (flood.dropped, flood.total) == (7, 11)
    await _log(seed, "after")
    calm = (await source.snapshot(msgspec.structs.replace(view, after=flood.cursor))).page
    assert calm is not None
    assert (_texts(calm), calm.dropped) == (["after"], 0)


async def test_lines_that_were_trimmed_away_meanwhile_are_counted_too(source: RedisSource, seed: Seed) -> None:
    await _log(seed, "first")
    view = View(screen=Screen.LOGS, limit=3, newest=True)
    page = (await source.snapshot(view)).page
    assert page is not None
    for number in range(10):
        await _log(seed, f"line {number}")
    await seed.client.xtrim(seed.keys.logs, maxlen=2, approximate=False)
    flood = (await source.snapshot(msgspec.structs.replace(view, after=page.cursor))).page
    assert flood is not None
    assert (_texts(flood), flood.dropped) == (["line 8", "line 9"], 8)


async def test_a_flood_that_began_after_one_looked_is_counted_from_its_start(source: RedisSource, seed: Seed) -> None:
    view = View(screen=Screen.LOGS, queue=seed.queue, limit=2, newest=True)
    page = (await source.snapshot(view)).page
    assert page is not None
    for number in range(5):
        await _log(seed, f"line {number}")
    flood = (await source.snapshot(msgspec.structs.replace(view, after=page.cursor))).page
    assert flood is not None
    assert (_texts(flood), flood.dropped) == (["line 3", "line 4"], 3)


async def test_a_filtered_flood_keeps_the_newest_matches_and_counts_the_others(source: RedisSource, seed: Seed) -> None:
    await _log(seed, "first")
    view = View(screen=Screen.LOGS, limit=2, newest=True, filter="state:error")
    page = (await source.snapshot(view)).page
    assert page is not None
    for number in range(8):
        await _log(seed, f"line {number}", level="ERROR" if number % 2 else "INFO")
    flood = (await source.snapshot(msgspec.structs.replace(view, after=page.cursor))).page
    assert flood is not None
    assert (_texts(flood), flood.dropped) == (["line 5", "line 7"], 2)


async def test_a_place_without_a_count_goes_on_with_the_oldest_lines(source: RedisSource, seed: Seed) -> None:
    await _log(seed, "first", at="5-1")
    for number in range(5):
        await _log(seed, f"line {number}")
    view = View(screen=Screen.LOGS, limit=2, newest=True, after="5-1")  # as a server before Redis 7 leaves it
    page = (await source.snapshot(view)).page
    assert page is not None
    assert (_texts(page), page.dropped) == (["line 0", "line 1"], 0)


async def test_a_line_written_in_another_order_of_fields_is_a_line(source: RedisSource, seed: Seed) -> None:
    await seed.client.xadd(seed.keys.logs, {"t": "hello", "k": "k1", "l": "INFO", "d": 4})
    page = (await source.snapshot(View(screen=Screen.LOGS))).page
    assert page is not None
    (row,) = (row for row in page.rows if isinstance(row, LogRow))
    assert (row.text, row.key, row.level, row.function, row.attempt) == ("hello", "k1", "INFO", "", 0)
    assert page.dropped == 4


async def test_logs_are_filtered(source: RedisSource, seed: Seed) -> None:
    for number in range(20):
        await _log(seed, f"line {number}", key=f"k{number % 2}", level="ERROR" if number % 5 == 0 else "INFO")
    rows = await _page(source, screen=Screen.LOGS, filter="state:error key:k1")
    assert [row.text for row in rows] == ["line 5", "line 15"]


async def test_logs_of_one_job(source: RedisSource, seed: Seed) -> None:
    for number in range(4):
        await seed.client.rpush(
            seed.keys.log("k1"), json.dumps({"at_ms": number, "level": "INFO", "text": str(number)})
        )
    rows = await _page(source, screen=Screen.LOGS, subject="k1", limit=2)
    assert [(row.id, row.text) for row in rows] == [("2", "2"), ("3", "3")]


async def test_logs_of_several_queues_in_order_of_time(redis_client: Redis, queue_name: str) -> None:
    names = [f"{queue_name}-a", f"{queue_name}-b"]
    async with RedisSource(redis_client, names, owner=object()) as source:
        for number in range(6):
            seed = Seed(redis_client, names[number % 2])
            await _log(seed, f"line {number}", at=f"{seed.now + number - 1000}-0")  # one a ms: ids are all the order
        page = (await source.snapshot(View(screen=Screen.LOGS))).page
        assert page is not None
        told = [row for row in page.rows if isinstance(row, LogRow)]
        # Lines of one millisecond in different queues have no order of their own.
        assert sorted(row.text for row in told) == [f"line {n}" for n in range(6)]
        assert [row.at_ms for row in told] == sorted(row.at_ms for row in told)
        await _log(Seed(redis_client, names[0]), "new")
        more = (await source.snapshot(View(screen=Screen.LOGS, after=page.cursor))).page
        assert more is not None
        assert [row.text for row in more.rows if isinstance(row, LogRow)] == ["new"]


# Bad days.


def _owned(keys: QueueKeys) -> list[str]:
    return [name for name in vars(keys) if name != "queue"]


@pytest.mark.parametrize("attribute", _owned(keys_of("x")))
async def test_a_key_of_the_wrong_type_hides_nothing_else(source: RedisSource, seed: Seed, attribute: str) -> None:
    await seed.job("q1")
    await seed.failed("f1")
    await seed.worker()
    key = getattr(seed.keys, attribute)
    await seed.client.delete(key)
    await seed.client.pfadd(key, "x")  # a string to all but its own commands
    if attribute == "paused":
        await seed.client.delete(key)
        await seed.client.lpush(key, "x")
    try:
        for screen in Screen:
            snapshot = await source.snapshot(View(screen=screen, queue=seed.queue, subject="q1"))
            assert len(snapshot.queues) == 1
    finally:
        await seed.client.delete(key)  # other tests look at all queues of this server
    core = {"queued", "active", "incomplete", "failed", "history", "paused", "quarantine"}
    if attribute in core:
        assert f"{key} is of a wrong type" in snapshot.queues[0].error
        assert snapshot.verdict.level is Level.BAD


CORRUPT = [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000, b"9" * 10_000, b'{"function":1}', b"{}" * 5_000]


@pytest.mark.parametrize("raw", CORRUPT, ids=range(len(CORRUPT)))
async def test_corrupt_payloads_are_rows(source: RedisSource, seed: Seed, raw: bytes) -> None:
    for key in (seed.keys.queued, seed.keys.active):
        await seed.client.rpush(key, seed.keys.job("bad"), "not-an-id", b"\xff\xfe")
    await seed.client.zadd(seed.keys.incomplete, {seed.keys.job("bad"): 5e9, b"\xff": 6e9})
    await seed.client.set(seed.keys.job("bad"), raw)
    await seed.client.zadd(seed.keys.failed, {"bad": 5, b"\xff": 6})
    await seed.client.hset(seed.keys.failed_rows, "bad", raw)
    await seed.client.hset(seed.keys.failed_jobs, "bad", raw)
    await seed.client.xadd(seed.keys.history, {"r": raw})
    await seed.client.xadd(seed.keys.history, {"x": b""})
    await seed.client.xadd(seed.keys.logs, {"k": raw, "n": raw[:50], "d": "3"})
    rows = [*await _page(source), *await _page(source, state=JobState.COMPLETE)]
    assert len(rows) == 12
    assert all(row.broken for row in rows)
    assert isinstance(await _job(source, "bad"), JobDetail)
    for screen in Screen:
        await source.snapshot(View(screen=screen, subject="bad"))
    assert len(await _page(source, filter="NOT fn:x")) == 12


@pytest.mark.parametrize("suffix", [":a:b", "[x]*?", "\n\t", "{tag}:x", "ü", "%s", "\x01"])
async def test_odd_queue_names(redis_client: Redis, queue_name: str, suffix: str) -> None:
    seed = Seed(redis_client, queue_name + suffix)
    await seed.job("k:1")
    await seed.failed("f/1")
    async with RedisSource(redis_client, [seed.queue], owner=object()) as source:
        rows = await _page(source)
        assert [row.key for row in rows][:2] == ["k:1", "f/1"]
        assert (await _job(source, "f/1")).row.state is JobState.FAILED


async def test_a_full_server_can_still_be_looked_at(start_valkey: Any, queue_name: str) -> None:
    server = start_valkey(maxmemory="6mb")
    client = Redis.from_url(server.url)
    seed = Seed(client, queue_name)
    await seed.job("q1")
    with pytest.raises(Exception, match="maxmemory"):
        for number in range(10_000):
            await client.set(f"x{number}", "x" * 10_000)
    async with RedisSource(client, [queue_name]) as source:
        snapshot = await source.snapshot(View())
        assert snapshot.queues[0].depth == 1
        assert any("memory is" in finding.text for finding in snapshot.verdict.findings)


async def test_a_server_that_is_away(start_valkey: Any, queue_name: str) -> None:
    server = start_valkey()
    async with await open_source(server.url, queues=[queue_name]) as source:
        await source.snapshot(View())
        server.kill()
        with pytest.raises(UnreachableError):
            await source.snapshot(View())
        server.start()
        assert (await source.snapshot(View())).queues


async def test_closing_twice_is_fine(valkey: Any) -> None:
    source = await open_source(valkey.url)
    await source.snapshot(View())
    await source.close()
    await source.close()


# The past.


async def test_a_moment_that_was_seen(source: RedisSource, seed: Seed) -> None:
    await seed.job("q1")
    first = await source.snapshot(View())
    await seed.job("q2")
    second = await source.snapshot(View())
    assert second.queues[0].depth == 2
    then = await source.snapshot(View(at_ms=first.taken_ms))
    assert (then.queues, then.taken_ms) == (first.queues, first.taken_ms)


async def test_a_moment_that_only_the_counts_remember(source: RedisSource, seed: Seed) -> None:
    at = seed.now - 3 * 3_600_000
    counts = {"send\tcomplete": 50, "send\tfailed": 50, "depth": 77}
    await seed.client.hset(seed.keys.minute(at // 60_000), mapping=counts)
    await seed.failed("then", ago_ms=3 * 3_600_000 + 1_000, error="ValueError: then")
    await seed.failed("now", error="KeyError: 'now'")
    snapshot = await source.snapshot(View(at_ms=at))
    assert (snapshot.taken_ms, snapshot.queues[0].depth, snapshot.queues[0].failure_rate) == (at, 77, 0.5)
    assert [group.exception for group in snapshot.groups] == ["ValueError"]
    assert snapshot.groups[0].trend[-1] == 1
    assert "50 % failing" in snapshot.verdict.headline
    assert "no live worker" not in snapshot.verdict.headline


async def test_a_user_who_may_only_look_sees_all_and_one_who_may_not_look_is_told_so(
    valkey: Any, queue_name: str, redis_client: Redis
) -> None:
    """The rights are those that `docs/connecting.md` names for a user of a read-only dashboard."""
    rights = re.search(r"ACL SETUSER watch on >PASSWORD (.+)`", (DOCS / "connecting.md").read_text())
    assert rights is not None
    await Seed(redis_client, queue_name).job("k1")
    await redis_client.acl_setuser("watch", enabled=True, reset=True)
    await redis_client.execute_command("ACL", "SETUSER", "watch", "on", ">pw", *rights[1].split())
    await redis_client.execute_command("ACL", "SETUSER", "blind", "on", ">pw", "~*", "+@read", "+@connection")
    try:
        async with Redis.from_url(valkey.url, username="watch", password="pw") as client, RedisSource(client) as source:
            seen = await source.snapshot(View(screen=Screen.JOBS, queue=queue_name))
        assert seen.page is not None
        assert [row.key for row in seen.page.rows if isinstance(row, JobRow)] == ["k1"]
        async with Redis.from_url(valkey.url, username="blind", password="pw") as client, RedisSource(client) as source:
            with pytest.raises(UnreachableError, match=r"does not allow this: .*evalsha.* ACL"):
                await source.snapshot(View(screen=Screen.JOBS, queue=queue_name))
    finally:
        await redis_client.acl_deluser("watch", "blind")
