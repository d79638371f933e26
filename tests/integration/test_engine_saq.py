"""What SAQ's documentation promises, held on our queue and worker."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import json
import math
import threading
import time

import pytest
from saq.job import CronJob, Job, Status
from saq.queue.base import JobError
from saq.queue.redis import RedisQueue
from saq.worker import Worker as StockWorker

from quarterdeck.broker.queue import Queue
from quarterdeck.worker import Worker

GATE = threading.Event()
"""Set when the threads that are past their time-out may end."""
REQUEST = contextvars.ContextVar("request", default="none")


async def add(ctx, a=0, b=0):
    return a + b


async def echo(ctx, **kwargs):
    return kwargs


async def sleeper(ctx, sleep=0.05):
    await asyncio.sleep(sleep)
    return "slept"


async def fails(ctx, message="no"):
    raise ValueError(message)


async def flaky(ctx, until=2):
    if ctx["job"].attempts < until:
        raise ConnectionError("not yet")
    return ctx["job"].attempts


def plain(ctx, x=1):
    return x * 2, threading.current_thread().name


def stubborn(ctx):
    GATE.wait(60)
    return "too late"


async def progressing(ctx):
    job = ctx["job"]
    await job.update(progress=0.5, meta={"step": 1})
    await ctx["go_on"].wait()
    job.meta["step"] = 2


async def unwritable(ctx):
    return object()


async def deaf(ctx):
    """Swallows its cancellation."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await ctx["go_on"].wait()
    return "never heard"


FUNCTIONS = [add, echo, sleeper, fails, flaky, plain, stubborn, progressing, unwritable, deaf]


@pytest.fixture
async def queue(valkey, queue_name):
    queue = Queue.from_url(valkey.url, name=queue_name)
    yield queue
    await queue.disconnect()


@contextlib.asynccontextmanager
async def working(queue, functions=FUNCTIONS, **options):
    worker = Worker(queue, functions, **{"concurrency": 5, "cancellation_hard_deadline_s": 0.2, **options})
    task = asyncio.create_task(worker.start())
    try:
        yield worker
    finally:
        await worker.stop()
        await task


async def ended(queue, key, within_s=60.0):
    async with asyncio.timeout(within_s):
        while True:
            job = await queue.job(key)
            if job is not None and job.completed:
                return job
            await asyncio.sleep(0.01)


async def until(condition, within_s=60.0):
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


class TestEnqueue:
    async def test_by_name_with_properties_and_arguments(self, queue):
        job = await queue.enqueue("add", a=1, b=2, timeout=3, key="mine", meta={"who": "me"})
        assert (job.key, job.timeout, job.kwargs, job.status) == ("mine", 3, {"a": 1, "b": 2}, Status.QUEUED)
        stored = await queue.job("mine")
        assert stored.kwargs == {"a": 1, "b": 2}
        assert stored.meta == {"who": "me"}
        assert stored.queued > 0

    async def test_the_payload_is_saqs_json_with_its_status_at_the_end(self, queue):
        job = await queue.enqueue("add", a=1)
        raw = await queue.redis.get(job.id)
        assert raw.endswith(b',"status":"queued"}')
        fields = json.loads(raw)
        assert fields["queue"] == queue.name
        assert set(fields) == {"function", "kwargs", "queue", "key", "queued", "status"}

    async def test_a_key_that_waits_is_not_enqueued_again(self, queue):
        assert await queue.enqueue("add", key="one")
        assert await queue.enqueue("add", key="one") is None
        assert await queue.count("queued") == 1

    async def test_a_job_instance_and_its_overrides(self, queue):
        job = Job("add", kwargs={"a": 1}, retries=3)
        assert await queue.enqueue(job, retries=5) is job
        assert (await queue.job(job.key)).retries == 5

    async def test_another_queues_job_is_refused(self, queue):
        other = queue.sibling("other")
        job = await other.enqueue("add")
        with pytest.raises(ValueError, match="different queue"):
            await queue.enqueue(job)
        other.caller.close()

    async def test_job_enqueue_and_refresh(self, queue):
        job = Job("add", key="shared")
        await job.enqueue(queue)
        again = Job("add", key="shared", timeout=99)
        await again.enqueue(queue)
        assert again.timeout == job.timeout

    async def test_many_in_one_go(self, queue):
        jobs = await queue.enqueue_many([("add", {"a": n}) for n in range(700)], timeout=7)
        assert len({job.key for job in jobs}) == 700
        assert await queue.count("queued") == 700
        ids = await queue.redis.lrange(queue.keys.queued, 0, -1)
        assert [queue.job_key_from_id(job_id.decode()) for job_id in ids] == [job.key for job in jobs]
        assert (await queue.job(jobs[5].key)).timeout == 7

    async def test_many_say_which_were_there_already(self, queue):
        # Keys of this test alone: SAQ's abort markers name no queue, and hold back a key for seconds.
        names = [f"{queue.name}-{letter}" for letter in "abc"]
        await queue.enqueue("add", key=names[1])
        jobs = await queue.enqueue_many([("add", {"key": key}) for key in names])
        assert [job is not None for job in jobs] == [True, False, True]

    async def test_scheduled_jobs_wait_for_their_time(self, queue):
        await queue.enqueue("add", scheduled=int(time.time()) + 100)
        assert await queue.count("queued") == 0
        assert await queue.count("incomplete") == 1
        assert (await queue.info())["scheduled"] == 1

    async def test_an_aborted_key_is_held_back_while_its_marker_stands(self, queue):
        await queue.redis.set("saq:abort:held-back", "x", ex=300)
        assert await queue.enqueue("add", key="held-back") is None

    async def test_before_enqueue_callbacks(self, queue):
        seen = []

        async def callback(job):
            seen.append(job.key)

        queue.register_before_enqueue(callback)
        job = await queue.enqueue("add")
        many = await queue.enqueue_many(["add", "add"])
        queue.unregister_before_enqueue(callback)
        await queue.enqueue("add")
        assert seen == [job.key, *(each.key for each in many)]

    async def test_batch_aborts_its_jobs_when_it_breaks(self, queue):
        with pytest.raises(RuntimeError, match="stop"):
            async with queue.batch():
                job = await queue.enqueue("add")
                raise RuntimeError("stop")
        assert (await queue.job(job.key)).status is Status.ABORTED
        assert await queue.count("queued") == 0

    async def test_arguments_that_json_can_not_hold_raise_at_once(self, queue):
        with pytest.raises(TypeError, match="JSON"):
            await queue.enqueue("add", a=object())
        assert await queue.count("queued") == 0

    async def test_what_msgspec_refuses_goes_as_stock_json(self, queue):
        job = await queue.enqueue("echo", text="\ud800", number=1 << 80)
        stored = await queue.job(job.key)
        assert stored.kwargs == {"text": "\ud800", "number": 1 << 80}


class TestResults:
    async def test_apply(self, queue):
        async with working(queue):
            assert await queue.apply("add", a=1, b=2) == 3

    async def test_apply_of_a_failing_job(self, queue):
        async with working(queue):
            with pytest.raises(JobError, match="ValueError: no"):
                await queue.apply("fails")

    async def test_apply_times_out(self, queue):
        with pytest.raises(asyncio.TimeoutError):
            await queue.apply("add", timeout=0.05)

    async def test_map_keeps_the_order(self, queue):
        async with working(queue):
            assert await queue.map("add", [{"a": n, "b": 1} for n in range(60)]) == [n + 1 for n in range(60)]

    async def test_map_with_exceptions(self, queue):
        async with working(queue):
            first, second = await queue.map("flaky", [{"until": 1}, {"until": 9}], return_exceptions=True)
        assert first == 1
        assert isinstance(second, JobError)

    async def test_map_raises_at_the_first_failure(self, queue):
        async with working(queue):
            with pytest.raises(JobError):
                await queue.map("fails", [{}, {}])

    async def test_refresh_until_complete(self, queue):
        async with working(queue):
            for _ in range(50):
                job = await queue.enqueue("add", a=4)
                await job.refresh(until_complete=60)
                assert job.result == 4

    async def test_refresh_until_complete_times_out(self, queue):
        job = await queue.enqueue("add")
        with pytest.raises(asyncio.TimeoutError):
            await job.refresh(until_complete=0.05)

    async def test_listen_hears_updates_and_the_end(self, queue):
        job = await queue.enqueue("progressing")
        heard = []

        def callback(key, status):
            heard.append((key, status))
            return status is Status.COMPLETE

        go_on = asyncio.Event()
        listening = asyncio.create_task(queue.listen([job.key], callback, timeout=60))
        async with asyncio.timeout(60):
            while not dict(await queue.redis.pubsub_numsub(job.id))[job.id.encode()]:
                await asyncio.sleep(0.01)
        async with working(queue, startup=[lambda ctx: ctx.update(go_on=go_on)]):
            await until(lambda: heard)
            go_on.set()
            await listening
        assert heard[-1] == (job.key, Status.COMPLETE)
        assert (job.key, Status.ACTIVE) in heard

    async def test_a_job_without_ttl_leaves_nothing(self, queue):
        async with working(queue):
            job = await queue.enqueue("add", ttl=-1)
            async with asyncio.timeout(60):
                while await queue.job(job.key):
                    await asyncio.sleep(0.01)

    @pytest.mark.parametrize(("ttl", "expected"), [(0, -1), (50, 50)])
    async def test_ttl(self, queue, ttl, expected):
        async with working(queue):
            job = await queue.enqueue("add", ttl=ttl)
            await ended(queue, job.key)
        assert await queue.redis.ttl(job.id) == pytest.approx(expected, abs=20)

    async def test_results_that_json_can_not_hold_fail_the_job_clearly(self, queue):
        async with working(queue):
            job = await queue.enqueue("unwritable", retries=5)
            job = await ended(queue, job.key)
        assert job.status is Status.FAILED
        assert "can't be written as JSON" in job.error
        assert job.attempts == 1


class TestRunning:
    async def test_fields_of_a_finished_job(self, queue):
        async with working(queue) as worker:
            job = await queue.enqueue("add", a=1, b=1)
            job = await ended(queue, job.key)
        assert (job.status, job.result, job.attempts, job.progress) == (Status.COMPLETE, 2, 1, 1.0)
        assert job.queued <= job.completed + 1000
        assert 0 < job.started <= job.completed
        assert job.worker_id == worker.id
        assert job.duration("process") >= 0

    async def test_plain_functions_run_in_threads_with_the_context(self, queue):
        REQUEST.set("mine")
        async with working(queue):
            result, name = await queue.apply("plain", x=4)
        assert result == 8
        assert name != threading.current_thread().name

    async def test_retries_and_attempts(self, queue):
        async with working(queue):
            job = await queue.enqueue("flaky", until=3, retries=3)
            job = await ended(queue, job.key)
        assert (job.result, job.attempts) == (3, 3)

    async def test_the_last_attempt_fails_with_its_traceback(self, queue):
        async with working(queue):
            job = await queue.enqueue("fails", retries=2, message="broken 17")
            job = await ended(queue, job.key)
        assert (job.status, job.attempts) == (Status.FAILED, 2)
        assert "ValueError: broken 17" in job.error
        assert "Traceback" in job.error

    async def test_retry_delay(self, queue):
        async with working(queue):
            begun = time.monotonic()
            job = await queue.enqueue("flaky", until=2, retries=2, retry_delay=0.3)
            await ended(queue, job.key)
            assert time.monotonic() - begun >= 0.3

    async def test_timeout(self, queue):
        async with working(queue):
            job = await queue.enqueue("sleeper", sleep=30, timeout=0.1)
            job = await ended(queue, job.key)
        assert job.status is Status.FAILED
        assert "TimeoutError" in job.error

    async def test_timeout_zero_is_none(self, queue):
        async with working(queue):
            assert await queue.apply("sleeper", sleep=0.1, timeout=0) == "slept"

    async def test_a_function_that_ignores_its_cancellation_loses_its_slot(self, queue):
        go_on = asyncio.Event()
        async with working(queue, concurrency=1, startup=[lambda ctx: ctx.update(go_on=go_on)]) as worker:
            job = await queue.enqueue("deaf", timeout=0.05)
            job = await ended(queue, job.key)
            assert job.status is Status.FAILED
            assert await asyncio.wait_for(queue.apply("add", a=1), 60) == 1
            assert worker.runner.overdue
            go_on.set()
            await until(lambda: not worker.runner.overdue)
        assert (await queue.job(job.key)).status is Status.FAILED

    async def test_a_plain_function_past_its_timeout_is_marked_and_replaced(self, queue):
        GATE.clear()
        async with working(queue, concurrency=2) as worker:
            jobs = [await queue.enqueue("stubborn", timeout=0.05) for _ in range(6)]
            for job in jobs:
                assert (await ended(queue, job.key)).status is Status.FAILED
            assert (await asyncio.wait_for(queue.apply("plain", x=2), 60))[0] == 4
            assert worker.runner.overdue
            GATE.set()
            await until(lambda: not worker.runner.overdue)
        assert worker.runner.tally.failed == 6

    async def test_heartbeat(self, queue):
        async with working(queue, timers={"abort": 0.05}):
            job = await queue.enqueue("sleeper", sleep=30, heartbeat=0.2, timeout=0)
            job = await ended(queue, job.key)
        assert job.status is Status.ABORTED
        assert job.error == "swept"

    async def test_update_from_within(self, queue):
        go_on = asyncio.Event()
        async with working(queue, startup=[lambda ctx: ctx.update(go_on=go_on)]):
            job = await queue.enqueue("progressing")
            async with asyncio.timeout(60):
                while (await queue.job(job.key)).progress != 0.5:
                    await asyncio.sleep(0.01)
            stored = await queue.job(job.key)
            assert (stored.status, stored.meta) == (Status.ACTIVE, {"step": 1})
            go_on.set()
            job = await ended(queue, job.key)
        assert job.meta == {"step": 2}

    async def test_update_after_the_end_leaves_it_alone(self, queue):
        async with working(queue):
            job = await queue.enqueue("add", ttl=50)
            job = await ended(queue, job.key)
            await job.update(meta={"late": True})
            assert 0 < await queue.redis.ttl(job.id) <= 50
            assert (await queue.job(job.key)).status is Status.COMPLETE
            await queue.redis.delete(job.id)
            await job.update(progress=0.3)
            assert await queue.job(job.key) is None

    async def test_delayed_jobs_run_when_due(self, queue):
        async with working(queue):
            begun = time.time()
            job = await queue.enqueue("add", scheduled=int(begun) + 1)
            await ended(queue, job.key)
            assert time.time() >= int(begun) + 1

    async def test_concurrency_is_kept(self, queue):
        go_on, at_once = asyncio.Event(), []

        async def begins(ctx):
            at_once.append(len(worker.runner.running))

        hooks = {"startup": lambda ctx: ctx.update(go_on=go_on), "before_process": begins}
        async with working(queue, concurrency=3, **hooks) as worker:
            await queue.enqueue_many(["progressing"] * 3 + ["sleeper"] * 9)
            await until(lambda: len(worker.runner.running) == 3)
            go_on.set()
            await until(lambda: worker.runner.tally.complete == 12)
        assert max(at_once) == 3


class TestNumbersBeyondJson:
    async def test_a_result_that_json_has_no_word_for_is_read_by_stock_clients(self, queue, valkey):
        stock = RedisQueue.from_url(valkey.url, name=queue.name)
        async with working(queue) as worker:
            job = await queue.enqueue("add", a=math.inf, b=-math.inf)
            job = await ended(queue, job.key)
            assert (job.status, math.isnan(job.result)) == (Status.COMPLETE, True)
            assert worker.runner.tally.complete == 1
            assert math.isnan(await queue.apply("add", a=math.nan, b=1))
        stored = await stock.job(job.key)
        assert math.isnan(stored.result)
        assert (stored.kwargs, stored.status) == ({"a": math.inf, "b": -math.inf}, Status.COMPLETE)
        await stock.disconnect()


class TestAbort:
    async def test_a_waiting_job(self, queue):
        job = await queue.enqueue("add")
        await job.abort("not wanted")
        stored = await queue.job(job.key)
        assert (stored.status, stored.error) == (Status.ABORTED, "not wanted")
        assert await queue.count("incomplete") == 0
        assert await queue.enqueue("add", key=job.key)

    async def test_a_delayed_job(self, queue):
        job = await queue.enqueue("add", scheduled=int(time.time()) + 100)
        await job.abort("not wanted")
        assert (await queue.job(job.key)).status is Status.ABORTED
        assert await queue.count("incomplete") == 0

    async def test_a_running_job(self, queue):
        async with working(queue, timers={"abort": 0.05}) as worker:
            job = await queue.enqueue("sleeper", sleep=30)
            await until(lambda: worker.runner.running)
            await (await queue.job(job.key)).abort("stop it")
            job = await ended(queue, job.key)
            await until(lambda: not worker.runner.running)
        assert (job.status, job.error) == (Status.ABORTED, "stop it")
        assert await queue.count("active") == 0
        assert await queue.redis.hlen(queue.keys.owner) == 0

    async def test_a_job_that_has_ended_stays_as_it_ended(self, queue):
        async with working(queue):
            job = await queue.enqueue("add", a=1, b=1)
            await ended(queue, job.key)
        await job.abort("too late")
        assert (job.status, job.result) == (Status.COMPLETE, 2)
        stored = await queue.job(job.key)
        assert (stored.status, stored.result) == (Status.COMPLETE, 2)
        assert not await queue.redis.exists(job.abort_id)
        assert await queue.redis.ttl(job.id) > 0

    async def test_a_failed_job_that_is_retried_leaves_the_failed_index(self, queue):
        async with working(queue):
            job = await queue.enqueue("fails")
            job = await ended(queue, job.key)
        assert await queue.redis.zcard(queue.keys.failed) == 1
        await job.retry("again")
        await job.retry("and again")
        assert await queue.redis.zcard(queue.keys.failed) == 0
        assert await queue.count("queued") == 1

    async def test_an_aborted_job_is_in_the_failed_index(self, queue):
        job = await queue.enqueue("add")
        await job.abort("not wanted")
        assert await queue.redis.zscore(queue.keys.failed, job.key)


class TestWorker:
    async def test_hooks(self, queue):
        seen = []

        async def startup(ctx):
            seen.append("startup")
            ctx["db"] = "open"

        def shutdown(ctx):
            seen.append("shutdown")

        async def before(ctx):
            seen.append(("before", ctx["job"].function, ctx["db"]))

        async def after(ctx):
            stored = await queue.job(ctx["job"].key)
            seen.append(("after", stored.status, type(ctx.get("exception"))))

        hooks = {"startup": startup, "shutdown": shutdown, "before_process": before, "after_process": after}
        async with working(queue, **hooks):
            await queue.apply("add")
            with pytest.raises(JobError):
                await queue.apply("fails")
            await until(lambda: len(seen) == 5)
        assert seen == [
            "startup",
            ("before", "add", "open"),
            ("after", Status.COMPLETE, type(None)),
            ("before", "fails", "open"),
            ("after", Status.FAILED, ValueError),
            "shutdown",
        ]

    async def test_a_failing_hook_before_fails_the_job(self, queue):
        def before(ctx):
            raise PermissionError("not today")

        async with working(queue, before_process=before):
            with pytest.raises(JobError, match="not today"):
                await queue.apply("add")

    async def test_burst(self, queue):
        for _ in range(30):
            await queue.enqueue("add")
        worker = Worker(queue, FUNCTIONS, burst=True, dequeue_timeout=0.1)
        await asyncio.wait_for(worker.start(), 60)
        assert await queue.count("incomplete") == 0
        assert worker.runner.tally.complete == 30

    async def test_burst_needs_a_timeout(self, queue):
        with pytest.raises(ValueError, match="dequeue_timeout"):
            Worker(queue, FUNCTIONS, burst=True)

    async def test_burst_of_so_many(self, queue):
        for _ in range(30):
            await queue.enqueue("add")
        worker = Worker(queue, FUNCTIONS, burst=True, dequeue_timeout=0.1, max_burst_jobs=7)
        await asyncio.wait_for(worker.start(), 60)
        assert worker.runner.tally.complete == 7
        assert await queue.count("queued") == 23

    async def test_worker_info_for_stock_dashboards(self, queue):
        async with working(queue, metadata={"team": "a"}) as worker:
            await queue.apply("add")
            worker.beats.soon()
            async with asyncio.timeout(60):
                while not (info := (await queue.info())["workers"].get(worker.id)) or not info["stats"]["complete"]:
                    await asyncio.sleep(0.02)
                    worker.beats.soon()
        assert info["queue_key"] == queue.name
        assert info["metadata"] == {"team": "a"}
        assert (await queue.info())["workers"] == {}

    async def test_stop_is_idempotent_and_may_come_first(self, queue):
        worker = Worker(queue, FUNCTIONS)
        await worker.stop()
        await worker.stop()

    async def test_cron_jobs_without_a_scheduler(self, queue):
        async with working(queue, [add], cron_jobs=[CronJob(add, "* * * * * */1")]):
            job = await ended(queue, "cron:add")
        assert job.status is Status.COMPLETE

    async def test_named_functions(self, queue):
        async with working(queue, [("sum", add)]):
            assert await queue.apply("sum", a=2, b=3) == 5

    async def test_several_queues_in_strict_order(self, queue):
        low = queue.sibling(f"{queue.name}-low")
        await low.enqueue_many([("add", {"key": f"low{n}"}) for n in range(10)])
        await queue.enqueue_many([("add", {"key": f"high{n}"}) for n in range(10)])
        order = []

        async def note(ctx):
            order.append(ctx["job"].key[:3])

        async with working(queue, queues=[low], concurrency=1, before_process=note):
            await until(lambda: len(order) == 20)
        assert order == ["hig"] * 10 + ["low"] * 10
        low.caller.close()

    async def test_several_queues_by_weight(self, queue):
        low = queue.sibling(f"{queue.name}-low")
        await low.enqueue_many(["add"] * 200)
        await queue.enqueue_many(["add"] * 200)
        order = []

        async def note(ctx):
            order.append(ctx["job"].queue.name)

        weights = {queue.name: 3, low.name: 1}
        async with working(queue, queues=[low], concurrency=1, order=weights, before_process=note):
            await until(lambda: len(order) >= 120)
        assert 60 <= order[:120].count(queue.name) <= 112
        low.caller.close()


class TestStopping:
    async def test_a_cancellation_that_a_client_swallows_holds_up_nothing(self, queue):
        class Deaf:
            """A scheduler whose client swallows the first cancellation, as redis-py's can on Python 3.11."""

            def __init__(self):
                self.runs = asyncio.Event()
                self.swallowed = False

            async def run(self):
                self.runs.set()
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.swallowed = True
                await asyncio.Event().wait()

        scheduler = Deaf()
        async with asyncio.timeout(60), working(queue, scheduler=scheduler):
            await scheduler.runs.wait()
        assert scheduler.swallowed


class TestStockWorkerOnOurQueue:
    async def test_process_by_hand(self, queue):
        worker = Worker(queue, FUNCTIONS)
        job = await queue.enqueue("add", a=2, b=2)
        assert await worker.process()
        job = await queue.job(job.key)
        assert (job.status, job.result, job.attempts) == (Status.COMPLETE, 4, 1)

    async def test_a_stock_worker_takes_our_queue(self, queue):
        worker = StockWorker(queue, [add, fails, flaky], concurrency=2)
        task = asyncio.create_task(worker.start())
        assert await queue.apply("add", a=1, b=2, timeout=60) == 3
        with pytest.raises(JobError):
            await queue.apply("fails", timeout=60)
        assert await queue.apply("flaky", until=2, retries=2, timeout=60) == 2
        worker.event.set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await queue.redis.zcard(queue.keys.failed) == 1


class TestLooking:
    async def test_jobs_and_iteration(self, queue):
        made = await queue.enqueue_many(["add"] * 120)
        await queue.redis.set(queue.job_id("broken"), "no json")
        found = [job.key async for job in queue.iter_jobs()]
        assert sorted(found) == sorted(job.key for job in made)
        assert [job async for job in queue.iter_jobs(statuses=[Status.COMPLETE])] == []
        some = await queue.jobs([made[3].key, "missing", "broken"])
        assert [job and job.key for job in some] == [made[3].key, None, None]

    async def test_queues_with_a_common_prefix_keep_apart(self, queue):
        longer = queue.sibling(f"{queue.name}:a")
        job = await queue.enqueue("add")
        await longer.enqueue("add")
        assert [each.key async for each in queue.iter_jobs()] == [job.key]
        longer.caller.close()

    async def test_info_with_jobs(self, queue):
        job = await queue.enqueue("add", a=1)
        info = await queue.info(jobs=True)
        assert [each["key"] for each in info["jobs"]] == [job.key]
        assert (info["queued"], info["active"], info["name"]) == (1, 0, queue.name)

    async def test_dequeue_finish_and_retry_by_hand(self, queue):
        made = await queue.enqueue("add", retries=2)
        job = await queue.dequeue(timeout=1)
        assert job.key == made.key
        await job.retry("again")
        assert await queue.count("queued") == 1
        assert await queue.count("active") == 0
        job = await queue.dequeue(timeout=1)
        await job.finish(Status.COMPLETE, result=5)
        job = await queue.job(made.key)
        assert (job.status, job.result) == (Status.COMPLETE, 5)
        assert await queue.count("incomplete") == 0
        assert queue.complete == 1

    async def test_a_delayed_job_that_is_retried_is_pushed_once(self, queue):
        job = await queue.enqueue("add", scheduled=int(time.time()) + 1)
        await job.retry("now")
        await asyncio.sleep(1.1)  # until it would have been due
        await queue.schedule()
        assert await queue.count("queued") == 1

    async def test_schedule_brings_what_is_due(self, queue):
        job = await queue.enqueue("add", scheduled=int(time.time()) - 5)
        assert await queue.schedule(lock=1) == [job.id]
        assert await queue.schedule(lock=1) == []
        assert await queue.count("queued") == 1

    async def test_sweep_retries_or_aborts_what_a_stock_worker_left(self, queue):
        for key, retries in (("once", 1), ("twice", 2)):
            await queue.enqueue("add", key=key, retries=retries, timeout=1)
        for _ in range(2):
            job = await queue.dequeue(timeout=1)
            job.started, job.attempts = 1, 1
            await job.update(status=Status.ACTIVE)
        await queue.redis.rpush(queue.keys.active, queue.job_id("missing"))
        swept = await queue.sweep(lock=1)
        assert sorted(swept) == sorted([queue.job_id("once"), queue.job_id("twice"), queue.job_id("missing")])
        assert (await queue.job("once")).status is Status.ABORTED
        assert (await queue.job("twice")).status is Status.QUEUED
        assert await queue.sweep(lock=1) == []

    async def test_own_dump_and_load(self, valkey, queue_name):
        queue = Queue.from_url(
            valkey.url,
            name=queue_name,
            dump=lambda fields: b"!" + json.dumps(fields).encode(),
            load=lambda raw: json.loads(raw[1:]),
        )
        try:
            async with working(queue):
                assert await queue.apply("add", a=1, b=4) == 5
                with pytest.raises(JobError):
                    await queue.apply("fails", retries=2)
            raw = await queue.redis.get((await queue.redis.keys(f"saq:job:{queue_name}:*"))[0])
            assert raw.startswith(b"!")
        finally:
            await queue.disconnect()
