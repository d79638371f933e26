"""What callers and functions do that nobody meant them to: it costs their own job at most, never a worker or others."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import signal

import pytest
from at_work import beaten, until, working
from redis.asyncio import Redis
from saq.job import TERMINAL_STATUSES, Job, Status
from saq.queue.redis import RedisQueue
from saq.worker import Worker as StockWorker

from quarterdeck.broker.codec import PayloadError
from quarterdeck.broker.endpoint import Endpoint
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.wire import Wire
from quarterdeck.inspect import open_source
from quarterdeck.model import View
from quarterdeck.worker import Worker
from quarterdeck.worker.supervisor import endings


class OddError(BaseException):
    """No Exception."""


class MuteError(Exception):
    """Its text can't be had."""

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


async def echo(ctx, **kwargs):
    return kwargs


async def ended(queue, key):
    """The job once it has ended."""

    async def look():
        job = await queue.job(key)
        return job if job is not None and job.status in TERMINAL_STATUSES else None

    return await until(look)


@pytest.fixture
async def queue(valkey, queue_name):
    queue = Queue.from_url(valkey.url, name=queue_name)
    yield queue
    await queue.disconnect()


class TestFunctions:
    """One slot: what does not give it back holds up the next job."""

    @pytest.mark.parametrize("plain", [False, True], ids=["async", "plain"])
    @pytest.mark.parametrize(
        "error",
        [
            OddError("odd"),
            SystemExit(3),
            KeyboardInterrupt(),
            GeneratorExit(),
            asyncio.CancelledError("by itself"),
            MuteError(),
            ValueError("half a pair \ud800, an undecodable name \udce9"),
            ExceptionGroup("some", [ValueError("a")]),
        ],
        ids=lambda error: type(error).__name__,
    )
    async def test_whatever_it_raises_fails_its_job_alone(self, queue, error, plain, caplog):
        caplog.set_level(logging.CRITICAL, logger="saq")  # pytest-xdist can't pass on half a surrogate pair

        def call(ctx):
            raise error

        async def run(ctx):
            raise error

        function = call if plain else run
        async with working(queue, [("raises", function), echo], concurrency=1, shutdown_grace_period_s=1):
            await queue.enqueue("raises", key="odd")
            assert await queue.apply("echo", timeout=60, x=1) == {"x": 1}
            job = await ended(queue, "odd")
            assert job.status is Status.FAILED
            assert type(error).__name__ in job.error

    @pytest.mark.parametrize("when", ["complete", "fails", "is aborted", "goes back"])
    async def test_arguments_changed_in_place_are_stored_as_they_came(self, queue, when):
        started = asyncio.Event()

        async def changes(ctx, data):
            data["when"] = object()
            ctx["job"].meta["lock"] = object()
            if when == "fails":
                raise ValueError("no")
            if when != "complete":
                started.set()
                await asyncio.sleep(60)
            return "done"

        async with working(queue, [("changes", changes), echo], concurrency=1):
            await queue.enqueue("changes", key="k", data={"a": 1}, meta={"who": "me"})
            if when == "is aborted":
                await started.wait()
                await (await queue.job("k")).abort("enough")
            if when == "goes back":
                await started.wait()
            else:
                job = await ended(queue, "k")
        if when == "goes back":
            job = await queue.job("k")
        told = {"complete": "complete", "fails": "failed", "is aborted": "aborted", "goes back": "queued"}
        assert (job.status.value, job.kwargs, job.meta) == (told[when], {"data": {"a": 1}}, {"who": "me"})

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("ttl", None),
            ("ttl", 1.5),
            ("ttl", 10**30),
            ("key", 5),
            ("key", "other"),
            ("function", None),
            ("queue", None),
        ],
    )
    async def test_what_it_does_to_its_job_ends_it_all_the_same(self, queue, field, value):
        async def changes(ctx):
            setattr(ctx["job"], field, value)
            return "done"

        async with working(queue, [("changes", changes), echo], concurrency=1):
            await queue.enqueue("changes", key="k")
            job = await ended(queue, "k")
            assert (job.status, job.result) == (Status.COMPLETE, "done")
            assert await queue.apply("echo", timeout=60) == {}
            assert await queue.count("active") == 0

    async def test_a_back_off_beyond_all_numbers_is_as_long_as_it_may_be(self, queue):
        async def fails(ctx):
            raise ValueError("again")

        async with working(queue, [("fails", fails), echo], concurrency=1):
            job = Job("fails", key="k", retries=10**6, attempts=2000, retry_delay=1.0, retry_backoff=600)
            await queue.enqueue(job)
            await until(lambda: queue.redis.zcount(queue.keys.incomplete, 1, "+inf"))
            assert await queue.apply("echo", timeout=60) == {}

    async def test_functions_and_context_that_come_later_are_used(self, queue):
        async def value(ctx):
            return ctx["value"]

        async with working(queue, [echo]) as worker:
            worker.functions["value"] = value
            worker.context["value"] = 7
            assert await queue.apply("value", timeout=60) == 7

    async def test_an_encoding_of_ones_own_may_raise_anything(self, valkey, queue_name):
        def dump(fields):
            if fields.get("result") == "odd":
                raise LookupError("no word for it")
            return json.dumps(fields)

        async def odd(ctx):
            return "odd"

        queue = Queue.from_url(valkey.url, name=queue_name, dump=dump, load=json.loads)
        async with working(queue, [("odd", odd), echo], concurrency=1):
            await queue.enqueue("odd", key="k")
            job = await ended(queue, "k")
            assert (job.status, "no word for it" in job.error) == (Status.FAILED, True)
            assert await queue.apply("echo", timeout=60) == {}
        await queue.disconnect()


class TestEnqueuing:
    @pytest.mark.parametrize("scheduled", ["tomorrow", math.nan, math.inf])
    async def test_one_that_cant_be_scheduled_takes_no_other_along(self, queue, scheduled):
        answers = await asyncio.gather(
            *(queue.enqueue("echo", key=key) for key in "ab"),
            queue.enqueue("echo", key="bad", scheduled=scheduled),
            queue.enqueue("echo", key="c"),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers[:2] + answers[3:]] == [Job, Job, Job]
        assert isinstance(answers[2], (TypeError, ValueError))
        assert await queue.count("queued") == await queue.count("incomplete") == 3
        assert await queue.job("bad") is None

    async def test_a_key_that_no_utf8_can_hold_is_refused_and_harms_no_other(self, queue):
        answers = await asyncio.gather(
            *(queue.enqueue("echo", key=key) for key in ("a", "\ud800", "b")), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [Job, UnicodeEncodeError, Job]
        assert await queue.enqueue("echo", key="c") is not None

    async def test_keys_may_be_numbers_as_with_saq(self, queue, valkey):
        stock = RedisQueue(Redis.from_url(valkey.url), name=queue.name)
        await stock.enqueue("echo", key=7, a=1)
        await queue.enqueue("echo", key=8, a=2)
        assert await queue.enqueue("echo", key=8) is None
        async with working(queue, [echo]):
            assert (await ended(queue, 7)).result == {"a": 1}
            assert (await ended(stock, 8)).result == {"a": 2}
        assert not await queue.redis.hlen(queue.keys.quarantine)
        await stock.disconnect()

    async def test_lifetimes_that_the_server_does_not_take_end_no_worker(self, queue, valkey):
        stock = RedisQueue(Redis.from_url(valkey.url), name=queue.name)
        for number, ttl in enumerate([None, 1.5, "600", 10**30, True]):
            await stock.enqueue("echo", key=f"k{number}", ttl=ttl)
        async with working(queue, [echo], concurrency=1):
            for number in range(5):
                assert await until(lambda number=number: queue.redis.get(queue.job_id(f"k{number}")))
            await until(lambda: queue.complete == 5)
            await until(lambda: _is_zero(queue.count("incomplete")))
        await stock.disconnect()

    async def test_arguments_of_a_given_job_are_replaced_as_saq_does(self, queue):
        assert (await queue.enqueue(Job("echo", kwargs={"a": 1}), kwargs={"c": 1}, b=2)).kwargs == {"c": 1, "b": 2}
        assert (await queue.enqueue(Job("echo", kwargs={"a": 1}), b=2)).kwargs == {"b": 2}
        assert (await queue.enqueue("echo", kwargs={"a": 1}, b=2)).kwargs == {"a": 1, "b": 2}

    async def test_what_is_neither_name_nor_job_is_refused(self, queue):
        with pytest.raises(TypeError, match="name of a function or a Job"):
            await queue.enqueue(echo)

    async def test_a_payload_that_is_no_job_is_still_refused(self, queue):
        with pytest.raises(PayloadError):
            queue.deserialize(json.dumps({"function": "f", "queue": queue.name, "key": "k", "timeout": "soon"}))


async def _is_zero(counting):
    return await counting == 0


async def test_one_job_given_twice_is_accepted_once(queue):
    job = Job("echo", key="once")
    assert await queue.enqueue_many([job, job]) == [job, None]
    assert await queue.count("queued") == 1


class TestBatches:
    @pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
    async def test_a_block_that_fails_calls_off_what_it_enqueued_and_nothing_else(self, queue, error):
        await queue.enqueue("echo", key="before")
        entered = asyncio.Event()

        async def somebody_else():
            await entered.wait()
            await queue.enqueue("echo", key="beside")
            entered.clear()

        beside = asyncio.create_task(somebody_else())
        with pytest.raises(error):
            async with queue.batch():
                await queue.enqueue("echo", key="one")
                await queue.enqueue("echo", key="before")
                await asyncio.gather(*(queue.enqueue("echo", key=f"more-{number}") for number in range(3)))
                await queue.enqueue_many([("echo", {"key": "many"})])
                entered.set()
                await beside
                raise error
        of = {
            key: (await queue.job(key)).status.value for key in ("one", "more-0", "more-2", "many", "before", "beside")
        }
        assert of == {
            **dict.fromkeys(("one", "more-0", "more-2", "many"), "aborted"),
            **dict.fromkeys(("before", "beside"), "queued"),
        }
        assert await queue.count("queued") == 2

    async def test_what_is_on_its_way_when_the_block_fails_is_called_off_too(self, queue):
        with pytest.raises(ValueError, match="now"):
            async with queue.batch():
                tasks = [asyncio.create_task(queue.enqueue("echo", key=f"k{number}")) for number in range(5)]
                await asyncio.sleep(0)  # they have begun
                raise ValueError("now")
        await asyncio.gather(*tasks)
        assert await queue.count("incomplete") == 0

    async def test_a_block_within_a_block_fails_alone(self, queue):
        async with queue.batch():
            await queue.enqueue("echo", key="outer")
            with pytest.raises(ValueError, match="inner"):
                async with queue.batch():
                    await queue.enqueue("echo", key="inner")
                    raise ValueError("inner")
        assert [(await queue.job(key)).status.value for key in ("outer", "inner")] == ["queued", "aborted"]
        with pytest.raises(ValueError, match="outer"):
            async with queue.batch():
                async with queue.batch():
                    await queue.enqueue("echo", key="deep")
                raise ValueError("outer")
        assert (await queue.job("deep")).status is Status.ABORTED


async def _takes(queue):
    """How often the server was asked for a job, by SAQ's way."""
    stats = await queue.redis.info("commandstats")
    return stats.get("cmdstat_blmove", {"calls": 0})["calls"]


class TestStockOnOurs:
    async def test_our_worker_serves_a_queue_of_saqs_own(self, valkey, queue_name):
        stock = RedisQueue(Redis.from_url(valkey.url), name=queue_name, swept_error_message="gone")
        async with working(stock, [echo]) as worker:
            assert isinstance(worker.queue, Queue)
            assert worker.queue.swept_error_message == "gone"
            assert await stock.apply("echo", timeout=60, x=1) == {"x": 1}
        await worker.queue.disconnect()
        await stock.disconnect()

    async def test_no_other_queue_is_taken(self):
        with pytest.raises(TypeError, match="Redis or Valkey"):
            Worker(object(), [echo])

    async def test_a_take_that_waits_longer_than_the_connection_does_finds_what_comes(self, valkey, queue_name):
        """A client that gives up the wait leaves the job that comes then popped for nobody."""
        queue = Queue(Redis.from_url(valkey.url, socket_timeout=2), name=queue_name)
        before = await _takes(queue)
        take = asyncio.create_task(queue.dequeue())
        async with asyncio.timeout(60):
            while await _takes(queue) < before + 3:  # a second each
                assert not take.done()
                await asyncio.sleep(0.1)
        await queue.enqueue("echo", key="k")
        assert (await take).key == "k"
        assert await queue.dequeue(timeout=0.05) is None
        await queue.disconnect()

    async def test_a_stock_worker_serves_our_queue(self, queue, caplog):
        worker = StockWorker(queue, [echo])
        task = asyncio.create_task(worker.start())
        assert await queue.apply("echo", timeout=60, x=1) == {"x": 1}
        await worker.stop()
        await task
        assert "Error processing" not in caplog.text


async def test_a_command_that_cant_be_packed_shifts_no_answer(valkey):
    client = Redis.from_url(valkey.url)
    wire = await Wire.open(Endpoint(client, ""))
    try:
        with pytest.raises(TypeError):
            wire.send(("ECHO", None), lambda answer: None)
        assert await wire.call("ECHO", "after") == b"after"
        assert await wire.call("ECHO", "\udce9") == b"\xe9"
        assert await wire.call("ECHO", "\ud800") == b"?"
    finally:
        wire.close()
        await client.aclose()


async def test_two_workers_that_were_given_one_id_leave_each_other_their_jobs(queue, valkey):
    """They lived off each other: each gave back what it did not know, and stopped what the other had taken."""
    gate, runs = asyncio.Event(), []

    async def waits(ctx):
        runs.append(ctx["job"].key)
        await gate.wait()

    functions = [("waits", waits)]
    async with (
        working(queue, functions, id="pod-1") as one,
        working(queue.sibling(queue.name), functions, id="pod-1") as two,
    ):
        assert one.lease_id != two.lease_id
        assert one.id == two.id == one.name == two.name == "pod-1"
        assert list((await queue.info())["workers"]) == ["pod-1"]
        async with await open_source(valkey.url, queues=[queue.name]) as source:
            rows = (await source.snapshot(View())).workers
        assert {row.id for row in rows} == {one.lease_id, two.lease_id}  # and none of SAQ's beside them
        for number in range(20):
            await queue.enqueue("waits", key=f"k{number}", timeout=0)
        await until(lambda: len(one.runner.running) == len(two.runner.running) == 5)
        for worker in (one, two):
            await beaten(worker, 15)  # what is held and unknown for a second would go back
        assert len(runs) == await queue.count("active") == 10
        gate.set()
        await until(lambda: _is_zero(queue.count("incomplete")))
    assert sorted(runs) == sorted(set(runs))
    await two.queue.disconnect()


class TestSignals:
    @pytest.mark.parametrize(
        "signals", [[signal.SIGHUP], [signal.SIGINT, signal.SIGINT]], ids=["hang-up", "ctrl-c twice"]
    )
    async def test_what_runs_goes_back_without_an_attempt_counted(self, queue, signals):
        """A hang-up killed it, which counts as a crash of its jobs; a second Ctrl-C waited out the grace time."""
        started = asyncio.Event()

        async def waits(ctx):
            started.set()
            await asyncio.sleep(600)

        grace_s = 600 if len(signals) > 1 else 0.05
        worker = Worker(queue, [("waits", waits)], shutdown_grace_period_s=grace_s)
        task = asyncio.create_task(worker.start())
        await queue.enqueue("waits", key="k", timeout=0)
        await asyncio.wait_for(started.wait(), 60)
        for number in signals:
            os.kill(os.getpid(), number)
            await asyncio.wait_for(worker.event.wait(), 60)
        await asyncio.wait_for(task, 60)
        job = await queue.job("k")
        assert (job.status, job.attempts) == (Status.QUEUED, 0)
        assert not await queue.redis.exists(queue.keys.crashes)

    def test_a_hang_up_that_is_ignored_stays_so(self, monkeypatch):
        """Whoever started it with nohup wants it to go on."""
        assert endings([signal.SIGTERM]) == [signal.SIGTERM, signal.SIGHUP]
        monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)
        assert endings([signal.SIGTERM]) == [signal.SIGTERM]
        assert endings([]) == []
