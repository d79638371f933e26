"""What must not wait for the next look: aborts, commands, short delays. Here nobody looks for an hour."""

from __future__ import annotations

import asyncio
import time

import at_work
import msgspec
import pytest
from at_work import has_status, until
from saq.job import Status
from saq.queue.redis import RedisQueue

from quarterdeck.broker.queue import Queue
from quarterdeck.model import JobRef
from quarterdeck.operate import jobs as operated

NEVER_S = 3600
"""Much longer than anything here is waited for: what comes about was told, and not found by a look or a beat."""


async def quick(ctx, n=0):
    return n


async def slow(ctx, sleep=30):
    await asyncio.sleep(sleep)


async def fails_once(ctx):
    if ctx["job"].attempts == 1:
        raise ValueError("once")
    return ctx["job"].attempts


@pytest.fixture
async def queue(valkey, queue_name):
    queue = Queue.from_url(valkey.url, name=queue_name)
    yield queue
    await queue.disconnect()


def working(queue, **options):
    patient = {"timers": {"abort": NEVER_S, "schedule": NEVER_S}, "lease_s": 3.0 * NEVER_S, "beat_s": NEVER_S}
    return at_work.working(queue, [quick, slow, fails_once], **(patient | options))


async def running(queue, worker, **kwargs):
    job = await queue.enqueue("slow", timeout=0, **kwargs)
    await until(lambda: job.id in worker.runner.running)
    return job


class TestAborts:
    async def test_a_running_job_is_told_to_its_worker(self, queue):
        async with working(queue) as worker:
            job = await running(queue, worker)
            await (await queue.job(job.key)).abort("not wanted")
            await until(lambda: has_status(queue, job.key, Status.ABORTED))
            assert worker.runner.tally.aborted == 1
        assert (await queue.job(job.key)).error == "not wanted"

    async def test_an_operators_abort_too(self, queue):
        async with working(queue) as worker:
            made = [await running(queue, worker) for _ in range(3)]
            refs = [JobRef(queue=queue.name, key=job.key) for job in made]
            answers = await operated.abort(queue.redis, queue.name, refs, who="ann", act="a1", error="aborted by ann")
            assert answers == ("ok",) * 3
            await until(lambda: worker.runner.tally.aborted == 3)
            for job in made:
                await until(lambda job=job: has_status(queue, job.key, Status.ABORTED))

    async def test_only_the_job_that_is_meant(self, queue):
        async with working(queue) as worker:
            meant, other = await running(queue, worker), await running(queue, worker)
            await (await queue.job(meant.key)).abort("this one")
            await until(lambda: has_status(queue, meant.key, Status.ABORTED))
            assert list(worker.runner.running) == [other.id]

    async def test_a_word_without_a_reason_aborts_nothing(self, queue):
        """Whoever may write the list can't abort by it alone: the payload decides."""
        async with working(queue) as worker:
            job = await running(queue, worker)
            record = msgspec.json.encode({"command": "abort", "value": job.key})
            await queue.redis.rpush(queue.keys.control(worker.lease_id), record)
            await until(lambda: not worker.upkeeping._to_abort and nothing_left(queue, worker))
            assert job.id in worker.runner.running

    async def test_of_the_second_queue_of_a_worker(self, queue):
        second = queue.sibling(f"{queue.name}-two")
        async with working(queue, queues=[second]) as worker:
            job = await running(second, worker)
            await (await second.job(job.key)).abort("there")
            await until(lambda: has_status(second, job.key, Status.ABORTED))
        await second.disconnect()

    async def test_a_stock_clients_abort_of_a_young_job_waits_for_one_look_only(self, queue, valkey):
        stock = RedisQueue.from_url(valkey.url, name=queue.name)
        async with working(queue) as worker:
            job = await running(queue, worker)
            with pytest.warns(DeprecationWarning, match="setex"):  # stock's own call
                await stock.abort(await stock.job(job.key), "by stock")
            await asyncio.sleep(0.06)  # the job is not young any more
            await worker.upkeeping.watch(0.05)
            await until(lambda: has_status(queue, job.key, Status.ABORTED))
        await stock.disconnect()

    async def test_a_waiting_job_ends_in_one_step(self, queue):
        job = await queue.enqueue("slow")
        before = (await queue.redis.info("commandstats")).get("cmdstat_evalsha", {"calls": 0})["calls"]
        await queue.abort(job, "not wanted")
        after = (await queue.redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
        assert after - before <= 2  # the script may have to be loaded first
        assert (job.status, job.error) == (Status.ABORTED, "not wanted")
        stored = await queue.job(job.key)
        assert (stored.status, stored.error) == (Status.ABORTED, "not wanted")
        assert stored.completed
        assert not await queue.redis.exists(job.abort_id)
        assert await queue.redis.zscore(queue.keys.failed, job.key)
        assert await queue.redis.xlen(queue.keys.history) == 1
        await queue.abort(job, "again")  # as when the answer was lost
        assert await queue.redis.xlen(queue.keys.history) == 1


async def nothing_left(queue, worker):
    return not await queue.redis.exists(queue.keys.control(worker.lease_id))


class TestDelays:
    async def test_a_short_retry_delay_is_kept(self, queue):
        async with working(queue) as worker:
            begun = time.monotonic()
            job = await queue.enqueue("fails_once", retries=2, retry_delay=0.2)
            await until(lambda: has_status(queue, job.key, Status.COMPLETE))
            assert time.monotonic() - begun >= 0.2
        assert worker.runner.tally.retried == 1

    async def test_a_job_enqueued_for_soon_is_told_to_a_worker(self, queue):
        async with working(queue):
            job = await queue.enqueue("quick", scheduled=time.time() + 0.3)
            await until(lambda: has_status(queue, job.key, Status.COMPLETE))

    async def test_the_nearest_of_many_sets_the_time(self, queue):
        async with working(queue):
            now_s = time.time()
            made = await queue.enqueue_many([("quick", {"scheduled": now_s + 0.9 - n / 10}) for n in range(8)])
            for job in made:
                await until(lambda job=job: has_status(queue, job.key, Status.COMPLETE))

    async def test_many_short_delays_are_looked_for_together(self, queue):
        async with working(queue, concurrency=50) as worker:
            before = worker.turns.wire.round_trips
            now_s = time.time()
            made = await asyncio.gather(*(queue.enqueue("quick", scheduled=now_s + n / 1000) for n in range(500)))
            await until(lambda: worker.runner.tally.complete == len(made))
            assert worker.turns.wire.round_trips - before < 1000

    async def test_one_for_later_tells_nobody(self, queue):
        async with working(queue) as worker:
            await queue.enqueue("quick", scheduled=time.time() + 3600)
            assert await nothing_left(queue, worker)
            assert await queue.count("incomplete") == 1


class TestMailbox:
    async def tell(self, queue, worker, *commands):
        records = [msgspec.json.encode({"command": each, "who": "ann"}) for each in commands]
        await queue.redis.rpush(queue.keys.control(worker.lease_id), *records)

    async def test_commands_are_heard_between_beats(self, queue):
        async with working(queue) as worker:
            await self.tell(queue, worker, "quiet")
            await until(lambda: worker.paused)
            await self.tell(queue, worker, "resume", "quiet", "resume")
            await until(lambda: not worker.paused)

    async def test_a_lost_connection_is_made_anew(self, queue):
        async with working(queue) as worker:
            await queue.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            await self.tell(queue, worker, "quiet")
            await until(lambda: worker.paused)

    async def test_a_list_of_a_wrong_type_costs_little(self, queue):
        async with working(queue) as worker:
            await queue.redis.set(queue.keys.control(worker.lease_id), "no list")
            assert await queue.apply("quick", n=3, timeout=60) == 3
            await queue.redis.delete(queue.keys.control(worker.lease_id))
            await self.tell(queue, worker, "quiet")
            await until(lambda: worker.paused)
