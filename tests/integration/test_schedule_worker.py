"""Schedules on a whole deck worker: from `@app.schedule` to the ledger's end, with real time and a real engine."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from at_work import serving

from quarterdeck import App
from quarterdeck.errors import UsageError
from quarterdeck.keys import keys_of
from quarterdeck.schedule import ScheduleBook
from quarterdeck.worker.service import Service, ServiceOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from redis.asyncio import Redis

    from quarterdeck.model import RunRow

PATIENCE_S = 60.0


@pytest.fixture
async def app(valkey: Any, queue_name: str) -> AsyncIterator[App]:
    made = App("timed", queues=(queue_name,), url=valkey.url)
    yield made
    await made.close()


async def seen(read: Callable[[], Awaitable[list[RunRow]]], count: int = 1) -> list[RunRow]:
    """The rows, once there are as many."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        rows = await read()
        if len(rows) >= count:
            return rows
        await asyncio.sleep(0.05)
    pytest.fail("the ledger does not show it")


async def test_a_schedule_of_an_app_runs_and_its_ledger_closes_with_the_job(
    app: App, redis_client: Redis, queue_name: str
) -> None:
    @app.schedule("* * * * * *", name="each second", args={"n": 20})
    @app.task
    async def double(n: int) -> int:
        return 2 * n

    @app.schedule("* * * * * *", name="failing")
    @app.task
    async def broken() -> None:
        raise RuntimeError("no such luck")

    book = ScheduleBook(redis_client, queue_name)
    async with serving(app):
        done = await seen(lambda: book.ledger("each second", status="COMPLETED"), 2)
        failed = await seen(lambda: book.ledger("failing", status="FAILED"))
    assert done[0].result == "40"
    assert done[0].outcome == "ran"
    assert done[0].start_ms >= done[0].tick_ms
    assert done[0].end_ms >= done[0].start_ms
    assert failed[0].error == "RuntimeError: no such luck"
    ticks = [run.tick_ms for run in done]
    assert len(set(ticks)) == len(ticks)
    row = (await book.detail("each second")).row
    assert (row.function, row.origin, row.words) == ("double", "code", "every second UTC")


@pytest.mark.slow
async def test_two_workers_of_one_app_fire_each_tick_once(
    app: App, valkey: Any, redis_client: Redis, queue_name: str
) -> None:
    ran: list[int] = []

    @app.schedule("* * * * * *", overlap="allow")
    @app.task
    async def count() -> None:
        ran.append(1)

    book = ScheduleBook(redis_client, queue_name)
    other = App("timed", queues=(queue_name,), url=valkey.url)
    other.tasks, other.schedules = app.tasks, app.schedules
    async with serving(app), serving(other):
        await seen(lambda: book.ledger("count", status="COMPLETED"), 3)
    runs = await book.ledger("count")
    assert len({run.tick_ms for run in runs}) == len(runs)
    assert len(ran) <= len(runs)


@pytest.mark.slow
async def test_a_pause_is_kept_over_a_redeploy(app: App, redis_client: Redis, queue_name: str) -> None:
    @app.schedule("* * * * * *")
    @app.task
    async def work() -> None:
        """Nothing."""

    book = ScheduleBook(redis_client, queue_name)
    async with serving(app):
        await seen(lambda: book.ledger("work", status="COMPLETED"))
        await book.pause(["work"], who="ann", reason="storm")
        await seen(lambda: book.ledger("work", status="SKIPPED"))
    async with serving(app):
        before = len(await book.ledger("work", status="SKIPPED"))
        await seen(lambda: book.ledger("work", status="SKIPPED"), before + 1)
        row = (await book.detail("work")).row
        assert row.paused is not None
        newest = (await book.ledger("work"))[0]
        assert (newest.outcome, newest.cause) == ("skipped", "paused by ann: storm")
        await book.resume(["work"])
        done = len(await book.ledger("work", status="COMPLETED"))
        await seen(lambda: book.ledger("work", status="COMPLETED"), done + 1)


async def test_an_app_without_schedules_writes_nothing(app: App, redis_client: Redis, queue_name: str) -> None:
    @app.task
    async def work() -> int:
        return 1

    async with serving(app):
        assert await (await work.enqueue()).result(60) == 1
    keys = keys_of(queue_name)
    assert not await redis_client.exists(keys.schedules, keys.schedule_due, keys.schedule_states, keys.ledger)


@pytest.mark.parametrize(
    ("expression", "options", "told"),
    [
        ("0 0 30 2 *", {}, "can never fire"),
        ("nonsense", {}, "five or six fields"),
        ("@daily", {"tz": "Mars"}, "time zone"),
        ("@daily", {"overlap": "later"}, "overlap"),
        ("@daily", {"catch_up": "all:some"}, "all:100"),
        ("@daily", {"args": {"m": 1}}, "m"),
    ],
)
def test_a_wrong_schedule_is_found_where_it_is_written(expression: str, options: dict[str, Any], told: str) -> None:
    app = App("wrong", url="redis://127.0.0.1:1")

    async def work(n: int = 0) -> None:
        """Nothing."""

    with pytest.raises(UsageError, match=told):
        app.schedule(expression, **options)(app.task(work))


def test_a_catch_up_policy_may_say_how_many() -> None:
    from quarterdeck.schedule import spec_of_task

    app = App("right", url="redis://127.0.0.1:1")

    @app.schedule("@daily", catch_up="all:500", jitter_s=30)
    @app.task(timeout_s=90, retries=2)
    async def work() -> None:
        """Keep it small."""

    spec = spec_of_task(app.schedules[0], app=app.name)
    assert (spec.catch_up.value, spec.catch_up_max, spec.jitter_s) == ("all", 500, 30)
    assert spec.options["timeout"] == 90
    assert (spec.options["retries"], spec.description, spec.app) == (2, "Keep it small.", "right")


@pytest.mark.parametrize(
    ("catch_up", "policy", "most", "window_s"),
    [
        ("latest", "latest", 100, 604_800),
        ("latest/2h", "latest", 100, 7_200),
        ("all:7/30m", "all", 7, 1_800),
        ("none", "none", 100, 604_800),
    ],
)
def test_a_catch_up_policy_may_say_how_old(catch_up: str, policy: str, most: int, window_s: float) -> None:
    from quarterdeck.schedule import spec_of_task

    app = App("right", url="redis://127.0.0.1:1")

    @app.schedule("@daily", catch_up=catch_up, overlap="queue one")
    @app.task
    async def work() -> None:
        """Nothing."""

    spec = spec_of_task(app.schedules[0])
    assert (spec.catch_up.value, spec.catch_up_max, spec.catch_up_window_s) == (policy, most, window_s)
    assert spec.overlap.value == "queue"


async def test_what_ends_by_a_bug_beside_the_jobs_is_told_at_once(app: App, caplog: pytest.LogCaptureFixture) -> None:
    service = Service(app, ServiceOptions(grace_s=5))
    task = asyncio.create_task(service.run())
    async with asyncio.timeout(PATIENCE_S):
        while service.worker is None or not service.worker.tasks:
            await asyncio.sleep(0.02)

        async def duty() -> None:
            raise TypeError("a bug")

        service.worker.spawn(duty())
        while not any(record.exc_info for record in caplog.records):
            await asyncio.sleep(0.02)
    assert "duty" in next(record.getMessage() for record in caplog.records if record.exc_info)
    service.worker.event.set()
    assert await asyncio.wait_for(task, PATIENCE_S) == 0
