"""Failure groups that are remembered say what groups read anew say, and cost little."""

from __future__ import annotations

import json
import random
import time
from collections.abc import AsyncIterator

import msgspec
import pytest
from redis.asyncio import Redis

from quarterdeck.inspect import RedisSource
from quarterdeck.inspect.failures import ASIDE, WHOLE
from quarterdeck.inspect.grouping import ANEW
from quarterdeck.keys import QueueKeys, keys_of
from quarterdeck.model import FailureGroup, JobDetail, LogRow, Screen, View
from quarterdeck.record import FailedJob, HistoryEntry, encode_failed, encode_history, signature_of_text, signature_row

MINUTE = 60_000
FAILURES = View(screen=Screen.FAILURES)


class Groups:
    """Failed jobs in groups, as the engine keeps them."""

    def __init__(self, client: Redis, queue: str) -> None:
        self.client, self.keys = client, keys_of(queue)
        self.now = time.time_ns() // 1_000_000
        self._number = 0

    async def fail(self, error: str, ago_ms: int = 0) -> str:
        self._number += 1
        key, at, signature = f"f{self._number}", self.at(ago_ms), signature_of_text(error, "send")
        await self.client.zadd(self.keys.failed, {key: at})
        await self.client.zadd(self.keys.failed_of_signature(signature.id), {key: at})
        await self.client.zadd(self.keys.signatures, {signature.id: at}, gt=True)
        await self.client.hsetnx(self.keys.signature_rows, signature.id, signature_row(signature, "send", at))
        return key

    def at(self, ago_ms: int = 0) -> int:
        """No two jobs fail in the same moment."""
        return self.now - 1_000 + self._number - ago_ms

    async def leave(self, error: str, key: str) -> None:
        await self.client.zrem(self.keys.failed, key)
        await self.client.zrem(self.keys.failed_of_signature(signature_of_text(error, "send").id), key)


@pytest.fixture
def failed(redis_client: Redis, queue_name: str) -> Groups:
    return Groups(redis_client, queue_name)


@pytest.fixture
async def source(redis_client: Redis, queue_name: str) -> AsyncIterator[RedisSource]:
    async with RedisSource(redis_client, [queue_name], owner=object()) as found:
        yield found


async def _anew(client: Redis, queue: str) -> tuple[FailureGroup, ...]:
    async with RedisSource(client, [queue], owner=object()) as found:
        return (await found.snapshot(FAILURES)).groups


async def test_what_is_remembered_is_what_is_there(
    source: RedisSource, failed: Groups, redis_client: Redis, queue_name: str
) -> None:
    chance = random.Random(7)
    errors = [f"Error{chr(65 + number)}: no" for number in range(6)]
    there: dict[str, list[str]] = {error: [] for error in errors}
    for turn in range(60):
        late = chance.random() < 0.2  # recorded late, into steps that are over
        for _ in range(chance.choice((0, 1, 1, 4))):
            error = chance.choice(errors)
            ago = chance.randrange(80 * MINUTE) if late else 0
            there[error].append(await failed.fail(error, ago_ms=ago))
        error = chance.choice(errors)
        for _ in range(0 if late else min(len(there[error]), chance.choice((0, 0, 1, 3)))):
            await failed.leave(error, there[error].pop(chance.randrange(len(there[error]))))
        remembered = (await source.snapshot(FAILURES)).groups
        anew = await _anew(redis_client, queue_name)
        if remembered and anew and sum(remembered[0].trend) != sum(anew[0].trend):
            remembered = (await source.snapshot(FAILURES)).groups  # a step began between the two
        assert remembered == anew, turn


async def test_what_the_numbers_hide_is_found_in_time(source: RedisSource, failed: Groups) -> None:
    newest = await failed.fail("ErrorA: no")
    await source.snapshot(FAILURES)
    await failed.leave("ErrorA: no", newest)
    await failed.fail("ErrorA: no", ago_ms=30 * MINUTE)  # as many as before, and its last time is still the one before
    for _ in range(2 * ANEW):
        groups = (await source.snapshot(FAILURES)).groups
    assert sum(groups[0].trend[-3:]) == 0
    assert groups[0].first_ms == failed.at(30 * MINUTE)


async def test_a_group_at_rest_costs_one_command(source: RedisSource, failed: Groups, redis_client: Redis) -> None:
    for number in range(20):
        await failed.fail(f"Error{chr(65 + number)}: no", ago_ms=30 * MINUTE)
    for _ in range(0, 20, ASIDE):
        assert len((await source.snapshot(View())).groups) == 20
    await redis_client.config_resetstat()
    await source.snapshot(View())
    await failed.fail("ErrorA: no")
    await source.snapshot(View())
    stats = await redis_client.info("commandstats")
    calls = {name: stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("zcount", "zrange", "hget")}
    assert calls["zrange"] <= 1
    assert calls["zcount"] <= 2 + 4 * 2  # what is due and the schedules of two snapshots, and the one group that grew


async def test_very_many_groups_are_read_some_at_a_time(source: RedisSource, failed: Groups) -> None:
    for number in range(WHOLE + 10):
        await failed.fail(f"Error{chr(0x4E00 + number)}: no")
    first = (await source.snapshot(FAILURES)).groups
    assert len(first) == WHOLE + 10
    assert sum(sum(group.trend) for group in first) == WHOLE
    assert all(group.count == 1 and group.first_ms for group in first)
    second = (await source.snapshot(FAILURES)).groups
    assert sum(sum(group.trend) for group in second) == WHOLE + 10


async def test_where_failures_are_a_part_of_the_screen_fewer_are_read_at_once(
    source: RedisSource, failed: Groups
) -> None:
    for number in range(2 * ASIDE):
        await failed.fail(f"Error{chr(0x4E00 + number)}: no", ago_ms=number)
    groups = (await source.snapshot(View())).groups
    assert [sum(group.trend) for group in groups] == [1] * ASIDE + [0] * ASIDE
    assert all(group.exception and group.count == 1 for group in groups)
    assert [sum(group.trend) for group in (await source.snapshot(View())).groups] == [1] * 2 * ASIDE


async def test_a_row_that_is_another_type_hides_no_group(source: RedisSource, failed: Groups) -> None:
    await failed.fail("ErrorA: no")
    await failed.client.delete(failed.keys.signature_rows)
    await failed.client.set(failed.keys.signature_rows, "no hash")
    (group,) = (await source.snapshot(FAILURES)).groups
    assert (group.count, group.message) == (1, "the signature's row can't be read")


async def _history(keys: QueueKeys, client: Redis, key: str, at: int, number: int, status: str = "failed") -> None:
    entry = HistoryEntry(
        key=key, function="send", status=status, attempt=1, queued_ms=at, started_ms=at, finished_ms=at,
        duration_us=1, worker="w1", signature="",
    )  # fmt: skip
    await client.xadd(keys.history, {"r": encode_history(entry)}, id=f"{at}-{number}")


async def test_an_attempt_is_found_at_full_speed(source: RedisSource, failed: Groups, redis_client: Redis) -> None:
    """Thousands of entries follow within a second of a job's own."""
    key = await failed.fail("ErrorA: no")
    payload = {"function": "send", "queue": failed.keys.queue, "key": key, "status": "failed", "completed": failed.at()}
    await redis_client.hset(failed.keys.failed_jobs, key, msgspec.json.encode(payload))
    await _history(failed.keys, redis_client, key, failed.at() - 100, 0, "lost")
    for number in range(400):
        await _history(failed.keys, redis_client, key if number == 20 else f"o{number}", failed.at(), number)
    for _ in range(2):  # the second time they are known
        detail = (await source.snapshot(View(screen=Screen.JOB, queue=failed.keys.queue, subject=key))).detail
        assert isinstance(detail, JobDetail)
        assert [attempt.status for attempt in detail.attempts] == ["lost", "failed"]


async def test_attempts_are_looked_for_once(source: RedisSource, failed: Groups, redis_client: Redis) -> None:
    key = await failed.fail("ErrorA: no")
    await _history(failed.keys, redis_client, key, failed.at(), 0)
    view = View(screen=Screen.JOB, queue=failed.keys.queue, subject=key)
    await source.snapshot(view)
    await redis_client.config_resetstat()
    await source.snapshot(view)
    stats = await redis_client.info("commandstats")
    assert "cmdstat_xrange" not in stats
    await redis_client.zadd(failed.keys.failed, {key: failed.at() + 5})  # it failed again
    await _history(failed.keys, redis_client, key, failed.at() + 5, 0)
    detail = (await source.snapshot(view)).detail
    assert isinstance(detail, JobDetail)
    assert len(detail.attempts) == 2


async def _end(failed: Groups, key: str, status: str, error: str) -> None:
    row = FailedJob(function="send", signature="", status=status, at_ms=failed.at(), attempts=1, error=error)
    await failed.client.hset(failed.keys.failed_rows, key, encode_failed(row))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("aborted by ann: wrong tenant", "aborted by ann: wrong tenant"),
        ("wrong tenant", "aborted: wrong tenant"),
        ("", "aborted"),
    ],
)
async def test_what_was_aborted_is_no_failure(source: RedisSource, failed: Groups, words: str, says: str) -> None:
    await _end(failed, await failed.fail(words), "aborted", words)
    await _end(failed, await failed.fail("swept"), "failed", "swept")
    for _ in range(2):
        groups = {group.message: group for group in (await source.snapshot(FAILURES)).groups}
        assert set(groups) == {says, "swept"}
        assert (groups[says].aborted, groups["swept"].aborted) == (True, False)
        assert groups[says].exception == ""


async def test_the_lines_of_a_job_s_log_say_whose_they_are(
    source: RedisSource, failed: Groups, redis_client: Redis
) -> None:
    """By its payload, its failed row, or the history when nothing else is left of it."""
    keys, at = failed.keys, failed.at()
    await redis_client.set(keys.job("waits"), '{"function":"waiting","key":"waits"}')
    await _end(failed, "broke", "failed", "no")
    await _history(keys, redis_client, "gone", at, 1)
    for number in range(50):
        await _history(keys, redis_client, f"o{number}", at + 5_000, number)
    for key, function in (("waits", "waiting"), ("broke", "send"), ("gone", "send"), ("unknown", "")):
        await redis_client.rpush(keys.log(key), json.dumps({"at_ms": at, "level": "INFO", "text": "a line"}))
        page = (await source.snapshot(View(screen=Screen.LOGS, queue=keys.queue, subject=key))).page
        assert page is not None
        (line,) = page.rows
        assert isinstance(line, LogRow)
        assert (line.key, line.function, line.text) == (key, function, "a line")
