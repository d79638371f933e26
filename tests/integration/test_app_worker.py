"""An app on a real worker: what an author writes is what runs."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from at_work import serving

from quarterdeck import App, current_job, depends
from quarterdeck.errors import JobFailedError, JobGoneError, ResultTimeoutError
from quarterdeck.keys import keys_of
from quarterdeck.model import JobState
from quarterdeck.worker.service import Service, ServiceOptions


@pytest.fixture
async def app(valkey, queue_name):
    app = App("tested", queues=(queue_name, f"{queue_name}-two"), url=valkey.url)
    yield app
    await app.close()


class TestResults:
    async def test_async_and_plain_functions_give_results(self, app):
        @app.task
        async def double(x: int) -> int:
            return 2 * x

        @app.task
        def where() -> str:
            return threading.current_thread().name

        async with serving(app):
            assert await (await double.enqueue(21)).result(60) == 42
            assert (await (await where.enqueue()).result(60)).startswith("quarterdeck-job")

    async def test_rich_arguments_and_results_come_back_as_what_they_were(self, app):
        @app.task
        async def next_year(at: datetime, tags: set[str]) -> tuple[datetime, list[str]]:
            return at.replace(year=at.year + 1), sorted(tags)

        at = datetime(2026, 11, 22, 3, 10, tzinfo=UTC)
        async with serving(app):
            assert await (await next_year.enqueue(at, {"b", "a"})).result(60) == (at.replace(year=2027), ["a", "b"])

    async def test_many_at_once_keep_their_order(self, app):
        @app.task
        async def double(x: int) -> int:
            return 2 * x

        async with serving(app):
            handles = await double.enqueue_many([(1,), {"x": 2}, *((n,) for n in range(3, 300))])
            assert [await handle.result(60) for handle in handles] == [2 * n for n in range(1, 300)]

    async def test_a_failure_carries_the_workers_traceback(self, app):
        @app.task
        async def broken(number: int) -> None:
            raise KeyError(f"tenant {number}")

        async with serving(app):
            handle = await broken.enqueue(7)
            with pytest.raises(JobFailedError, match="'tenant 7'") as caught:
                await handle.result(60)
        assert caught.value.status == "failed"
        assert "in broken" in caught.value.traceback
        assert "in broken" in caught.value.__notes__[0]
        assert await handle.status() is JobState.FAILED

    async def test_waiting_ends_in_time_and_the_job_goes_on(self, app):
        @app.task
        async def never() -> None: ...

        handle = await never.enqueue()
        with pytest.raises(ResultTimeoutError, match=r"within 0\.05 s"):
            await handle.result(0.05)
        assert await handle.status() is JobState.QUEUED

    async def test_a_job_that_is_gone_says_so(self, app):
        @app.task(ttl_s=-1)
        async def forgotten() -> None: ...

        async with serving(app):
            handle = await forgotten.enqueue()
            async with asyncio.timeout(60):
                with pytest.raises(JobGoneError):
                    while True:
                        await handle.status()
        with pytest.raises(JobGoneError, match="knows no job nowhere"):
            await app.handle("nowhere").result(1)

    async def test_a_result_that_json_cant_hold_fails_the_job_with_a_clear_error(self, app):
        @app.task
        async def odd() -> object:
            return object()

        async with serving(app):
            with pytest.raises(JobFailedError, match="a object has no JSON form"):
                await (await odd.enqueue()).result(60)

    async def test_a_payload_that_does_not_fit_fails_with_a_clear_error(self, app):
        @app.task
        async def double(x: int) -> int:
            return 2 * x

        async with serving(app):
            job = await app.queue().enqueue("double", y=1)
            with pytest.raises(JobFailedError, match=r"double\(\): .*(unexpected|missing a required)"):
                await app.handle(job.key, function="double").result(60)


class TestOptions:
    async def test_retries_with_delay_and_attempts_counted(self, app):
        seen = []

        @app.task(retries=3, retry_delay_s=0.01)
        async def flaky() -> int:
            seen.append((current_job().attempt, current_job().last_attempt))
            if len(seen) < 3:
                raise ConnectionError("not yet")
            return len(seen)

        async with serving(app):
            assert await (await flaky.enqueue()).result(60) == 3
        assert seen == [(1, False), (2, False), (3, True)]

    async def test_a_time_out(self, app):
        @app.task(timeout_s=0.05)
        async def slow() -> None:
            await asyncio.sleep(30)

        async with serving(app):
            with pytest.raises(JobFailedError, match="timed out"):
                await (await slow.enqueue()).result(60)

    async def test_a_unique_key_gives_the_handle_of_the_one_that_waits(self, app):
        @app.task(unique="bill:{number}")
        async def bill(number: int) -> int:
            return number

        first, second, other = await bill.enqueue(7), await bill.enqueue(7), await bill.enqueue(8)
        assert (first.new, second.new, other.new) == (True, False, True)
        assert first.key == second.key == "bill:7"
        async with serving(app):
            assert await second.result(60) == 7
            again = await bill.enqueue(7)
            assert again.new, "the first one is over"

    async def test_a_delay(self, app):
        @app.task
        async def later() -> float:
            return time.time()

        handle = await later.options(delay_s=60).enqueue()
        assert await handle.status() is JobState.SCHEDULED
        async with serving(app):
            before = time.time()
            due = await later.options(delay_s=0.5).enqueue()
            assert await due.result(60) - before >= 0.5
            assert await handle.status() is JobState.SCHEDULED

    async def test_another_queue(self, app, queue_name):
        @app.task(queue=f"{queue_name}-two")
        async def where() -> str:
            return current_job().queue

        async with serving(app):
            assert await (await where.enqueue()).result(60) == f"{queue_name}-two"
            assert await (await where.options(queue=queue_name).enqueue()).result(60) == queue_name

    async def test_abort_waiting_and_running(self, app):
        started = asyncio.Event()

        @app.task(timeout_s=60)
        async def endless() -> None:
            started.set()
            await asyncio.Event().wait()

        waiting = await endless.enqueue()
        await waiting.abort("not needed")
        assert await waiting.status() is JobState.ABORTED
        async with serving(app):
            running = await endless.enqueue()
            await asyncio.wait_for(started.wait(), 60)
            await running.abort("enough")
            with pytest.raises(JobFailedError, match="aborted: enough"):
                await running.result(60)
            await running.abort("twice is legal")


class TestCurrentJob:
    async def test_it_names_the_job_in_tasks_and_in_threads(self, app, queue_name):
        @app.task(retries=4)
        async def in_task() -> list:
            job = current_job()
            return [job.key, job.queue, job.function, job.attempt, job.retries, job.detached]

        @app.task(retries=4)
        def in_thread() -> list:
            job = current_job()
            return [job.key, job.queue, job.function, job.attempt, job.retries, job.detached]

        async with serving(app):
            for task in (in_task, in_thread):
                handle = await task.enqueue()
                assert await handle.result(60) == [handle.key, queue_name, task.name, 1, 4, False]

    async def test_progress_is_stored(self, app):
        go, told = threading.Event(), threading.Event()

        @app.task
        def counted() -> None:
            current_job().progress(0.4)
            told.set()
            go.wait(60)

        async with serving(app):
            handle = await counted.enqueue()
            async with asyncio.timeout(60):
                await asyncio.to_thread(told.wait, 60)
                while (await handle.job()).progress != 0.4:
                    await asyncio.sleep(0.01)
            go.set()
            await handle.result(60)
            assert (await handle.job()).progress == 1.0

    async def test_what_a_job_logs_is_in_its_log(self, app, redis_client, queue_name):
        @app.task(retries=2)
        def chatty(name: str) -> None:
            current_job().log.warning("hello %s", name)
            raise ValueError("no")

        async with serving(app):
            handle = await chatty.enqueue("ann")
            with pytest.raises(JobFailedError):
                await handle.result(60)
        raw = await redis_client.lrange(keys_of(queue_name).log(handle.key), 0, -1)
        lines = [(line["attempt"], line["level"], line["text"]) for line in map(json.loads, raw)]
        assert lines == [
            (1, "warning", "hello ann"),
            (1, "error", "attempt 1 of 2 ended: ValueError: no"),
            (2, "warning", "hello ann"),
            (2, "error", "attempt 2 of 2 ended: ValueError: no"),
        ]
        assert await redis_client.ttl(keys_of(queue_name).log(handle.key)) > 13 * 24 * 3600

    async def test_a_task_sends_others_through_its_workers_connection(self, app):
        @app.task
        async def child(x: int) -> int:
            return x + 1

        @app.task
        async def parent() -> int:
            return await (await child.enqueue(1)).result(60)

        async with serving(app):
            assert await (await parent.enqueue()).result(60) == 2


class TestSurroundings:
    async def test_hooks_and_middleware_run_around_each_attempt_in_order(self, app):
        seen = []
        app.on_startup(lambda: seen.append("startup"))
        app.on_shutdown(lambda: seen.append("shutdown"))

        @app.before_job
        async def before(job):
            seen.append(f"before {job.function}")

        @app.after_job
        def after(job, error):
            seen.append(f"after {type(error).__name__}")

        @app.middleware
        async def around(job):
            seen.append("enter")
            try:
                yield
            except LookupError:
                seen.append("saw it")
                raise
            finally:
                seen.append("leave")

        @app.task
        async def good() -> None:
            seen.append("good")

        @app.task
        def bad() -> None:
            raise LookupError("x")

        async with serving(app, concurrency=1):
            await (await good.enqueue()).result(60)
            with pytest.raises(JobFailedError):
                await (await bad.enqueue()).result(60)
        assert seen == [
            "startup",
            *["enter", "before good", "good", "leave", "after NoneType"],
            *["enter", "before bad", "saw it", "leave", "after LookupError"],
            "shutdown",
        ]

    async def test_a_hook_that_raises_fails_the_attempt(self, app):
        @app.before_job
        def before(job):
            raise PermissionError("not today")

        @app.task
        async def work() -> None: ...

        async with serving(app):
            with pytest.raises(JobFailedError, match="not today"):
                await (await work.enqueue()).result(60)

    async def test_dependencies_are_opened_once_a_worker_or_once_a_job(self, app):
        opened, closed = [], []

        @asynccontextmanager
        async def pool():
            opened.append("pool")
            yield "pool"
            closed.append("pool")

        @asynccontextmanager
        async def session():
            opened.append("session")
            try:
                yield len(opened)
            finally:
                closed.append("session")

        @app.task
        async def use(x: int, p: str = depends(pool, scope="worker"), s: int = depends(session)) -> list:
            return [x, p, s]

        @app.task
        def use_in_thread(p: str = depends(pool, scope="worker")) -> str:
            raise LookupError(p)

        assert await use(1, "mine", 2) == [1, "mine", 2], "called directly it takes doubles"
        async with serving(app):
            results = await asyncio.gather(*[(await use.enqueue(n)).result(60) for n in range(5)])
            assert sorted(result[0] for result in results) == list(range(5))
            with pytest.raises(JobFailedError, match="pool"):
                await (await use_in_thread.enqueue()).result(60)
            assert (opened.count("pool"), opened.count("session")) == (1, 5)
        assert (closed.count("pool"), closed.count("session"), closed[-1]) == (1, 5, "pool")

    async def test_a_dependency_that_does_not_open_fails_the_attempt_and_is_tried_again(self, app):
        tries = []

        @asynccontextmanager
        async def pool():
            tries.append(1)
            if len(tries) == 1:
                raise ConnectionError("refused")
            yield "pool"

        @app.task(retries=2)
        async def use(p: str = depends(pool, scope="worker")) -> str:
            return p

        async with serving(app):
            assert await (await use.enqueue()).result(60) == "pool"
        assert len(tries) == 2


class TestRegistration:
    async def test_the_worker_says_what_it_runs(self, app, redis_client, queue_name):
        @app.task(timeout_s=3)
        async def send(to: str, copies: int = 1) -> None:
            """Send a mail."""

        async with serving(app, name="w-1", concurrency=3) as service:
            async with asyncio.timeout(60):
                while not (found := await redis_client.hgetall(keys_of(queue_name).workers)):
                    await asyncio.sleep(0.01)
            (record,) = map(json.loads, found.values())
            assert (record["name"], record["slots"], record["queues"]) == (
                "w-1",
                3,
                [queue_name, f"{queue_name}-two"],
            )
            (spec,) = record["functions"]
            assert (spec["name"], spec["doc"], spec["timeout_s"]) == ("send", "Send a mail.", 3)
            assert [(each["name"], each["type"]) for each in spec["parameters"]] == [("to", "str"), ("copies", "int")]
            assert record["version"] == service.worker.version != ""

    async def test_queues_by_weight_and_by_name(self, app, queue_name):
        async with serving(app, queues=(f"{queue_name}-two",), weights={f"{queue_name}-two": 2}) as service:
            async with asyncio.timeout(60):
                while service.worker is None:
                    await asyncio.sleep(0)
            assert [queue.name for queue in service.worker.queues] == [f"{queue_name}-two"]
            assert service.worker.weights == {f"{queue_name}-two": 2}


class TestSchedules:
    async def test_a_schedule_fires_with_its_arguments(self, app):
        fired = asyncio.Queue()

        @app.schedule("* * * * * *", name="tick", args={"word": "hello"})
        @app.task
        async def say(word: str) -> None:
            await fired.put(word)

        async with serving(app):
            assert await asyncio.wait_for(fired.get(), 60) == "hello"

    async def test_a_worker_without_schedules_defines_none(self, app, redis_client, queue_name):
        @app.schedule("0 2 * * *")
        @app.task
        async def nightly() -> None: ...

        @app.task
        async def work() -> int:
            return 1

        async with serving(app, schedules=False):
            assert await (await work.enqueue()).result(60) == 1
        assert not await redis_client.exists(keys_of(queue_name).schedules)
        async with serving(app), asyncio.timeout(60):
            while not await redis_client.hexists(keys_of(queue_name).schedules, "nightly"):
                await asyncio.sleep(0.01)


async def test_a_burst_ends_when_nothing_is_left(app):
    @app.task
    async def double(x: int) -> int:
        return 2 * x

    handles = await double.enqueue_many([(n,) for n in range(20)])
    service = Service(app, ServiceOptions(burst=True))
    assert await asyncio.wait_for(service.run(), 60) == 0
    assert [await handle.result(60) for handle in handles] == [2 * n for n in range(20)]
