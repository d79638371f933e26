"""Stock SAQ workers: their crons paused from outside, and deck workers beside them on the same settings."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from at_work import stock_working
from redis.asyncio import Redis
from saq import CronJob
from saq.queue.redis import RedisQueue

from quarterdeck.inspect.source import RedisSource
from quarterdeck.keys import keys_of
from quarterdeck.model import PauseStat, ScheduleRow, Screen, View
from quarterdeck.schedule import ScheduleBook, ScheduleStore, pause_of_marker, pause_stock, resume_stock, specs_of_saq
from quarterdeck.schedule.scheduler import QueueScheduler
from quarterdeck.schedule.stock import HELD, is_deck_run

if TYPE_CHECKING:
    from collections.abc import Callable


PATIENCE_S = 60.0
# saq 0.26.4 calls SETEX, which redis-py 8 says is old.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex")


async def until(what: Callable[[], Any]) -> None:
    """Await something that comes about in another process or task."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        found = what()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        await asyncio.sleep(0.05)
    pytest.fail("it did not come about")


async def tick_tock(ctx: dict[str, Any]) -> str:
    """A cron's function."""
    return "done"


async def tock(ctx: dict[str, Any]) -> str:
    """Another one: SAQ's markers do not name the queue, so that tests must not share functions."""
    return "done"


def stock_worker(url: str, queue: str, *crons: CronJob[Any]) -> AbstractAsyncContextManager[RedisQueue]:
    """A stock SAQ worker in this process, stopped at the end."""
    options = {"cron_jobs": list(crons), "timers": {"schedule": 1}, "shutdown_grace_period_s": 1}
    return stock_working(url, queue, [tick_tock, tock], **options)


@pytest.mark.slow
async def test_a_stock_cron_is_paused_and_resumed(redis_client: Redis, valkey: Any, queue_name: str) -> None:
    keys = keys_of(queue_name)
    pending = keys.job("cron:tick_tock")
    # Not due for a long time: only its pending job tells whether the worker goes on scheduling it.
    async with stock_worker(valkey.url, queue_name, CronJob(tick_tock, cron="0 0 1 1 *")):
        await until(lambda: redis_client.zscore(keys.incomplete, pending))
        pause = await pause_stock(redis_client, queue_name, "tick_tock", owner="ann", reason="storm")
        assert pause.until_ms is None
        assert await redis_client.zscore(keys.incomplete, pending) is None
        async with RedisSource(redis_client, [queue_name], owner=object()) as source:
            await source.discover()
            (row,) = (await source.snapshot(View(screen=Screen.SCHEDULES))).page.rows  # type: ignore[union-attr]
            assert isinstance(row, ScheduleRow)
            assert (row.name, row.origin) == ("cron:tick_tock", "stock")
            assert row.paused is not None
            assert (row.paused.owner, row.paused.reason) == ("ann", "storm")
        # The worker has gone round twice and more, and enqueued nothing.
        assert await _rounds(redis_client, keys.schedule_lock, 2) == 2
        assert await redis_client.zscore(keys.incomplete, pending) is None
        assert await resume_stock(redis_client, queue_name, "tick_tock")
        assert not await resume_stock(redis_client, queue_name, "tick_tock")
        await until(lambda: redis_client.zscore(keys.incomplete, pending))


async def _rounds(client: Redis, lock: str, count: int) -> int:
    """Wait until a stock worker has gone round `count` times: each round takes SAQ's lock of a second anew."""
    seen, left = 0, 10_000
    ends = time.monotonic() + PATIENCE_S
    while seen < count and time.monotonic() < ends:
        now = await client.pttl(lock)
        seen += now > left
        left = now
        await asyncio.sleep(0.01)
    return seen


async def test_a_pause_of_a_stock_cron_ends_by_itself(redis_client: Redis, queue_name: str) -> None:
    pause = await pause_stock(redis_client, queue_name, "job", owner="ann", for_ms=3_600_000)
    assert pause.until_ms == pause.at_ms + 3_600_000
    left = await redis_client.pttl(keys_of(queue_name).abort("cron:job"))
    assert 3_500_000 < left <= 3_600_000


async def test_a_running_stock_cron_goes_on_when_it_is_paused(redis_client: Redis, queue_name: str) -> None:
    keys = keys_of(queue_name)
    await redis_client.set(keys.job("cron:job"), "{}")
    await redis_client.zadd(keys.incomplete, {keys.job("cron:job"): 0})
    await pause_stock(redis_client, queue_name, "job", owner="ann")
    assert await redis_client.zscore(keys.incomplete, keys.job("cron:job")) == 0
    assert await redis_client.exists(keys.job("cron:job"))


def test_a_marker_tells_who_paused() -> None:
    pause = PauseStat(owner="ann", reason="why", at_ms=5)
    assert pause_of_marker(msgspec.json.encode(pause)) == pause
    assert pause_of_marker(None) is None
    assert pause_of_marker(HELD.encode()) is None
    other = pause_of_marker(b"aborted by hand")
    assert other is not None
    assert other.reason == "aborted by hand"


def test_a_run_of_ours_is_told_from_a_stock_cron() -> None:
    assert is_deck_run("cron:backup:1795312800000")
    assert is_deck_run("{q}cron:backup:M1795312800000")
    assert not is_deck_run("cron:tick_tock")
    assert not is_deck_run("cron:backup:17")
    assert not is_deck_run("1795312800000")


@pytest.mark.slow
async def test_a_deck_worker_takes_a_cron_over_from_stock_workers(
    redis_client: Redis, valkey: Any, queue_name: str
) -> None:
    """The same settings on a stock and on a deck worker: the deck worker's timetable is the only one."""
    keys = keys_of(queue_name)
    pending = keys.job("cron:tock")
    async with stock_worker(valkey.url, queue_name, CronJob(tock, cron="0 0 1 1 *")):
        await until(lambda: redis_client.zscore(keys.incomplete, pending))
        specs = specs_of_saq([CronJob(tock, cron="0 0 1 1 *")], app="settings")
        await ScheduleStore(redis_client, queue_name).define(specs, app="settings")
        scheduler = QueueScheduler(redis_client, queue_name, hold_off=["tock"])
        await scheduler.look()
        assert await redis_client.zscore(keys.incomplete, pending) is None
        await _rounds(redis_client, keys.schedule_lock, 2)
        assert await redis_client.zscore(keys.incomplete, pending) is None
        # It is no pause: the row is the deck's own, once, and the marker lapses when deck workers are gone.
        async with RedisSource(redis_client, [queue_name], owner=object()) as source:
            await source.discover()
            rows = (await source.snapshot(View(screen=Screen.SCHEDULES))).page.rows  # type: ignore[union-attr]
            assert [(row.name, row.paused) for row in rows if isinstance(row, ScheduleRow)] == [("tock", None)]
        assert 0 < await redis_client.pttl(keys.abort("cron:tock")) <= 120_000


@pytest.mark.slow
async def test_a_stock_worker_runs_what_our_scheduler_enqueues_and_the_ledger_hears_of_it(
    redis_client: Redis, valkey: Any, queue_name: str
) -> None:
    book = ScheduleBook(redis_client, queue_name)
    specs = specs_of_saq([CronJob(tick_tock, cron="* * * * * */1")], app="settings")
    await book.store.define(specs, app="settings")
    at = time.monotonic()
    scheduler = QueueScheduler(redis_client, queue_name, monotonic=lambda: time.monotonic() + later)
    later = 0.0
    async with stock_worker(valkey.url, queue_name):
        await until(lambda: _fired(scheduler))
        await until(lambda: _done(redis_client, queue_name))
        later = 60.0
        await scheduler.look()
        ended = await book.ledger("tick_tock", status="COMPLETED")
    assert ended
    assert ended[0].result == '"done"'
    assert time.monotonic() - at < PATIENCE_S


async def _fired(scheduler: QueueScheduler) -> bool:
    return bool((await scheduler.look()).fired)


async def _done(client: Redis, queue: str) -> bool:
    keys = keys_of(queue)
    return bool(await client.zcard(keys.schedule_open)) and not await client.zcard(keys.incomplete)


def test_saqs_crons_become_schedules_by_themselves() -> None:
    crons = [
        CronJob(tick_tock, cron="0 2 * * * 30", timeout=60, kwargs={"a": 1}),
        CronJob(tick_tock, cron="*/5 * * * *", unique=False),
    ]
    first, second = specs_of_saq(crons, tz="Europe/Berlin", app="my.settings")
    assert (first.name, first.function, first.tz, first.options) == (
        "tick_tock", "tick_tock", "Europe/Berlin", {"timeout": 60},
    )  # fmt: skip
    assert (first.arguments, first.overlap.value, first.takes_over) == ({"a": 1}, "skip", True)
    assert first.read().text == "30 0 2 * * *"
    assert (second.name, second.overlap.value, second.takes_over) == ("tick_tock-2", "allow", False)


def test_importing_the_words_of_an_expression_costs_no_client() -> None:
    import subprocess

    code = "import sys, quarterdeck.schedule as s; s.parse('* * * * *'); print(*({'redis', 'saq'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []
