"""The moments between two steps, in which a job could be lost, doubled or wrongly ended."""

from __future__ import annotations

import asyncio
import time

import at_work
import pytest
from at_work import has_status, until
from saq.job import Job, Status
from saq.queue.redis import RedisQueue

from quarterdeck.broker import ending
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import all_scripts
from quarterdeck.broker.sweeping import _verdict
from quarterdeck.broker.wire import Wire
from quarterdeck.record import decode_history
from quarterdeck.worker.rescuer import Rescuer

STARTS: list[str] = []


async def slow(ctx, sleep=30):
    STARTS.append(ctx["job"].key)
    await asyncio.sleep(sleep)
    return "slept"


async def held(ctx):
    STARTS.append(ctx["job"].key)
    await ctx["go_on"].wait()


async def fails(ctx):
    STARTS.append(ctx["job"].key)
    raise ValueError("no")


@pytest.fixture(autouse=True)
def _no_starts():
    STARTS.clear()


@pytest.fixture
async def queue(valkey, queue_name):
    queue = Queue.from_url(valkey.url, name=queue_name)
    yield queue
    await queue.disconnect()


def working(queue, **options):
    return at_work.working(queue, [slow, held, fails], **options)


async def recorded(queue):
    return [decode_history(entry[b"r"]).status for _, entry in await queue.redis.xrange(queue.keys.history)]


async def nobodys(queue, **fields):
    """A job that was active when the worker that ran it, a stock one, was gone."""
    job = await queue.enqueue("slow", **fields)
    job.status, job.attempts, job.started, job.worker_id = Status.ACTIVE, 1, 5, "gone"
    await queue.redis.set(job.id, queue.serialize(job))
    await queue.redis.lpop(queue.keys.queued)
    await queue.redis.rpush(queue.keys.active, job.id)
    await queue.redis.hset(queue.keys.ownerless, job.id, 5)
    return job


class TestAnEndSentTwice:
    """A client's call is sent again when its answer was lost, and may have been carried out."""

    def completed(self, job):
        job.status, job.completed, job.result = Status.COMPLETE, 7, "r"
        payload = job.queue.serialize(job)
        return ending.complete(job, payload, number=1, holder=ending.ANYONE, us=5, worker="w")

    async def test_is_recorded_and_counted_once(self, queue):
        job = await queue.enqueue("slow")
        item = self.completed(job)
        assert await queue.settle([item]) == []
        assert await queue.settle([item]) == [1]
        assert await recorded(queue) == ["complete"]
        minute = int((await queue.redis.time())[0]) // 60
        counts = [await queue.redis.hget(queue.keys.minute(each), "slow\tcomplete") for each in (minute - 1, minute)]
        assert [each for each in counts if each] == [b"1"]

    async def test_does_not_end_a_job_enqueued_meanwhile_under_its_key(self, queue):
        job = await queue.enqueue("slow", key="same", queued=5)
        item = self.completed(job)
        assert await queue.settle([item]) == []
        again = await queue.enqueue("slow", key="same", sleep=0)
        assert again is not None
        assert await queue.settle([item]) == [1]
        assert await has_status(queue, "same", Status.QUEUED)
        async with working(queue):
            await until(lambda: has_status(queue, "same", Status.COMPLETE))
        assert STARTS == ["same"]


class TestManyRescuers:
    async def rescue_at_once(self, queue, count):
        wires = [await Wire.open(queue.caller.endpoint, scripts=all_scripts()) for _ in range(count)]
        rescuers = [Rescuer([queue], f"w{n}", lambda *_: None, crash_budget=3, no_rerun=()) for n in range(count)]
        await asyncio.gather(*(each.rescue(wire) for each, wire in zip(rescuers, wires, strict=True)))
        for wire in wires:
            wire.close()

    async def test_count_one_loss_of_a_worker_once(self, queue):
        job = await nobodys(queue)
        await self.rescue_at_once(queue, 6)
        assert await queue.redis.hget(queue.keys.crashes, job.id) == b"1"
        assert await queue.redis.lrange(queue.keys.queued, 0, -1) == [job.id.encode()]
        assert await queue.count("active") == 0
        stored = await queue.job(job.key)
        assert (stored.status, stored.attempts) == (Status.QUEUED, 0)

    async def test_end_a_poison_job_once(self, queue):
        job = await nobodys(queue)
        await queue.redis.hset(queue.keys.crashes, job.id, 2)
        await self.rescue_at_once(queue, 6)
        assert await has_status(queue, job.key, Status.FAILED)
        assert (await recorded(queue)).count("poison") == 1
        assert not await queue.redis.exists(queue.keys.crashes)

    async def test_set_garbage_aside_once(self, queue):
        await queue.redis.set(queue.keys.job("bad"), "no job")
        await queue.redis.rpush(queue.keys.active, queue.keys.job("bad"))
        await queue.redis.hset(queue.keys.ownerless, queue.keys.job("bad"), 5)
        await self.rescue_at_once(queue, 4)
        assert await queue.redis.hlen(queue.keys.quarantine) == 1
        assert await queue.count("active") == 0

    async def test_a_job_that_was_taken_meanwhile_is_left_to_its_taker(self, queue):
        job = await nobodys(queue)
        item = ending.back(job.id, b"{}", number=1, holder=ending.NOBODY, crashed=True)
        await queue.redis.hset(queue.keys.owner, job.id, "another/1/5")
        assert await queue.settle([item]) == [1]
        await queue.redis.hdel(queue.keys.owner, job.id)
        await queue.redis.lrem(queue.keys.active, 0, job.id)  # ended meanwhile
        assert await queue.settle([item]) == [1]
        assert await queue.count("queued") == 0

    async def test_a_sweep_ends_nothing_that_was_taken_meanwhile(self, queue):
        job = await nobodys(queue, timeout=1)
        verdict = _verdict(queue, await queue.job(job.key))
        await queue.redis.hset(queue.keys.owner, job.id, "another/1/5")
        assert await queue.settle([verdict]) == [1]
        assert await has_status(queue, job.key, Status.ACTIVE)


class TestAborts:
    async def test_an_abort_that_meets_a_hand_back_is_kept(self, queue):
        async with working(queue) as worker:
            job = await queue.enqueue("slow", retries=3)
            await until(lambda: worker.runner.running)
            for task in list(worker.tasks):
                task.cancel()  # as when it stops: it hears and looks no more
            await (await queue.job(job.key)).abort("not wanted")
        assert await queue.count("queued") == 1
        async with working(queue):
            await until(lambda: has_status(queue, job.key, Status.ABORTED))
        assert [job.key] == STARTS
        assert (await queue.job(job.key)).error == "not wanted"

    async def test_an_abort_that_meets_a_retry_is_kept(self, queue):
        held = await queue.enqueue("slow")
        await queue.redis.lrem(queue.keys.queued, 0, held.id)
        await queue.redis.hset(queue.keys.owner, held.id, "w/1/5")
        await queue.abort(await queue.job(held.key), "not wanted")
        item = ending.back(held.id, b'{"retry":1}', number=1, holder="w/1/", due=99999999999.0)
        assert await queue.settle([item]) == []
        async with working(queue):
            await until(lambda: has_status(queue, held.key, Status.ABORTED))

    async def test_the_key_is_free_once_a_running_job_was_aborted(self, queue):
        async with working(queue) as worker:
            job = await queue.enqueue("slow", key="one-at-a-time")
            await until(lambda: worker.runner.running)
            await queue.abort(await queue.job(job.key), "not wanted", ttl=60)
            await until(lambda: has_status(queue, job.key, Status.ABORTED))
            assert await queue.enqueue("slow", key="one-at-a-time", sleep=0)
            await until(lambda: has_status(queue, job.key, Status.COMPLETE))

    async def test_a_stock_clients_marker_for_the_key_of_another_queue_aborts_nothing(self, queue, valkey):
        other = RedisQueue.from_url(valkey.url, name=f"{queue.name}-other")
        async with working(queue, timers={"abort": 0.05}) as worker:
            await queue.enqueue("slow", key="same-elsewhere", sleep=0.4)
            await until(lambda: worker.runner.running)
            foreign = await other.enqueue("slow", key="same-elsewhere")
            with pytest.warns(DeprecationWarning, match="setex"):  # stock's own call
                await other.abort(foreign, "the other one")
            await until(lambda: has_status(queue, "same-elsewhere", Status.COMPLETE))
        await other.disconnect()


class TestLostAnswers:
    def lose_the_next(self, worker):
        """The next answer never comes: the connection ends when the server has carried out what was asked."""
        wire = worker.turns.wire
        wire.data_received = lambda _data: wire.close()
        return wire

    async def test_of_a_finish(self, queue):
        go_on = asyncio.Event()
        async with working(queue, startup=[lambda ctx: ctx.update(go_on=go_on)]) as worker:
            job = await queue.enqueue("held")
            await until(lambda: worker.runner.running)
            wire = self.lose_the_next(worker)
            go_on.set()
            await until(lambda: wire.closed)
            await until(lambda: has_status(queue, job.key, Status.COMPLETE))
            await worker.turns.quiet.wait()
        assert [job.key] == STARTS
        assert await recorded(queue) == ["complete"]
        assert worker.runner.tally.late == 0

    async def test_of_a_failure_and_its_index(self, queue):
        async with working(queue) as worker:
            await queue.enqueue("slow", sleep=0.2)
            await until(lambda: worker.runner.running)
            job = await queue.enqueue("fails")
            self.lose_the_next(worker)
            await until(lambda: has_status(queue, job.key, Status.FAILED))
            await until(lambda: not worker.runner.running)
            await worker.turns.quiet.wait()
        assert sorted(await recorded(queue)) == ["complete", "failed"]
        assert await queue.redis.zcard(queue.keys.failed) == 1

    async def test_of_a_take(self, queue):
        async with working(queue) as worker:
            await until(lambda: worker.turns.wire is not None)
            wire = self.lose_the_next(worker)
            job = await queue.enqueue("slow", sleep=0)
            await until(lambda: has_status(queue, job.key, Status.COMPLETE))
            assert wire.closed
        assert [job.key] == STARTS
        assert (await queue.job(job.key)).attempts == 1
        assert await recorded(queue) == ["complete"]

    async def test_of_marking_what_could_not_be_edited_in_place(self, queue):
        job = Job("slow", queue=queue, key="odd", kwargs={"started": 1, "sleep": 0})
        job.status, job.queued = Status.QUEUED, 5
        async with working(queue) as worker:
            taken = worker.intake.taken

            def losing(*what):
                taken(*what)
                self.lose_the_next(worker)

            worker.turns._taken = losing
            odd = b'{"started":0,' + queue.serialize(job).replace(b'"started":1,', b"")[1:]
            await queue.redis.set(job.id, odd)
            await queue.redis.zadd(queue.keys.incomplete, {job.id: 0})
            await queue.redis.rpush(queue.keys.queued, job.id)
            await until(lambda: worker.intake.marking or STARTS)
            worker.turns._taken = taken
            await until(lambda: has_status(queue, "odd", Status.COMPLETE))
        assert STARTS == ["odd"]
        assert await recorded(queue) == ["complete"]


class TestStopping:
    @pytest.mark.parametrize("away", ["frozen", "gone"])
    async def test_while_the_server_is_away_hands_back_when_it_is_there_again(self, start_valkey, queue_name, away):
        server = start_valkey(appendonly="yes", appendfsync="always")
        queue = Queue.from_url(server.url, name=queue_name)
        async with working(queue, shutdown_grace_period_s=0) as worker:
            job = await queue.enqueue("slow", retries=1)
            await until(lambda: worker.runner.running)
            server.freeze() if away == "frozen" else server.kill()
            stopping = asyncio.create_task(worker.stop())
            await asyncio.sleep(0.5)  # long enough for one that does not wait
            assert not stopping.done()
            server.thaw() if away == "frozen" else server.start()
            await asyncio.wait_for(stopping, 60)
        stored = await queue.job(job.key)
        assert (stored.status, stored.attempts) == (Status.QUEUED, 0)
        assert await queue.redis.lrange(queue.keys.queued, 0, -1) == [job.id.encode()]
        assert await queue.redis.hlen(queue.keys.owner) == 0
        assert await recorded(queue) == []
        await queue.disconnect()

    async def test_a_result_in_hand_is_written_when_the_server_is_there_again(self, start_valkey, queue_name):
        server = start_valkey(appendonly="yes", appendfsync="always")
        queue = Queue.from_url(server.url, name=queue_name)
        async with working(queue, shutdown_grace_period_s=5) as worker:
            job = await queue.enqueue("slow", sleep=0.3)
            await until(lambda: worker.runner.running)
            server.kill()
            stopping = asyncio.create_task(worker.stop())
            await until(lambda: worker.runner.tally.complete)
            server.start()
            await asyncio.wait_for(stopping, 60)
        assert await has_status(queue, job.key, Status.COMPLETE)
        assert await recorded(queue) == ["complete"]
        await queue.disconnect()

    async def test_what_a_turn_under_way_takes_is_handed_back(self, queue):
        async with working(queue, concurrency=50) as worker:
            jobs = await queue.enqueue_many([("slow", {})] * 200)
            stopping = asyncio.create_task(worker.stop())
            await stopping
        ids = [each.decode() for each in await queue.redis.lrange(queue.keys.queued, 0, -1)]
        assert sorted(ids) == sorted(job.id for job in jobs)
        assert await queue.count("active") == 0
        assert {job.attempts for job in await queue.jobs(job.key for job in jobs)} == {0}

    async def test_a_job_of_an_unknown_function_is_handed_back_too(self, queue):
        async with working(queue) as worker:
            job = await queue.enqueue("unheard_of")
            await until(lambda: worker.intake._orphans or queue.redis.hlen(queue.keys.orphans))
            await worker.stop()
        stored = await queue.job(job.key)
        assert (stored.status, stored.attempts) == (Status.QUEUED, 0)
        assert await queue.redis.hlen(queue.keys.owner) == 0
        assert await queue.count("incomplete") == 1


class TestWeights:
    async def test_a_light_queue_does_not_starve_beside_a_heavy_one(self, queue):
        light = queue.sibling(f"{queue.name}-light")
        await queue.enqueue_many([("slow", {"sleep": 0})] * 3000)
        await light.enqueue_many([("slow", {"sleep": 0})] * 20)
        async with working(queue, queues=[light], order={queue.name: 20, light.name: 1}) as worker:
            begun = time.monotonic()
            await until(lambda: nothing_waits(light))
            assert await queue.count("queued") > 0, f"served last, after {time.monotonic() - begun:.1f} s"
            assert worker.runner.tally.late == 0
        await light.disconnect()


async def nothing_waits(queue):
    return await queue.count("incomplete") == 0
