"""Jobs that took down workers run alone, and hold up a worker that is busy with long ones only for a while."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from at_work import has_status, until, working
from saq.job import Status

from quarterdeck.broker.queue import Queue
from quarterdeck.worker import suspects


@pytest.fixture
async def queue(valkey, queue_name):
    queue = Queue.from_url(valkey.url, name=queue_name)
    yield queue
    await queue.disconnect()


@pytest.fixture
def hasty(monkeypatch):
    """A worker that waits for no suspect, and a suspect that is soon back."""
    monkeypatch.setattr(suspects, "PATIENCE_S", 0.05)
    monkeypatch.setattr(suspects, "PASSED_ON_S", 0.3)
    monkeypatch.setattr(suspects, "PASSES", 1_000)


class Functions:
    """What the workers run: `held` until the gate opens, `quick` notes what runs beside it."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.running: set[str] = set()
        self.beside: dict[str, set[str]] = {}

    async def held(self, ctx):
        self.running.add(ctx["job"].key)
        await self.gate.wait()
        self.running.discard(ctx["job"].key)

    async def quick(self, ctx):
        self.beside[ctx["job"].key] = set(self.running)

    @property
    def all(self):
        return [("held", self.held), ("quick", self.quick)]


async def suspect(queue, key="suspect"):
    """A job that took down two workers before."""
    await queue.redis.hset(queue.keys.crashes, queue.job_id(key), 2)
    return await queue.enqueue("quick", key=key)


@asynccontextmanager
async def busy(queue, functions):
    """A worker in the midst of a job that lasts until the gate opens; both."""
    async with working(queue, functions.all) as worker:
        held = await queue.enqueue("held")
        await until(lambda: held.key in functions.running)
        yield worker, held


def passes(worker, job):
    """How often a worker has passed the suspect on."""
    return worker.intake._suspects._passed.get(job.id, 0)


async def test_an_idle_worker_runs_it_at_once(queue):
    async with working(queue, Functions().all):
        job = await suspect(queue)
        await until(lambda: has_status(queue, job.key, Status.COMPLETE))
    assert not await queue.redis.exists(queue.keys.crashes)


async def test_it_waits_for_short_jobs_and_runs_alone(queue):
    functions = Functions()
    async with busy(queue, functions) as (worker, _):
        job = await suspect(queue)
        await until(lambda: worker.intake.alone)
        assert worker.intake.slots() == 0
        functions.gate.set()
        await until(lambda: has_status(queue, job.key, Status.COMPLETE))
    assert functions.beside[job.key] == set()


@pytest.mark.usefixtures("hasty")
async def test_a_worker_busy_with_long_jobs_fills_its_slots_again(queue):
    functions = Functions()
    async with busy(queue, functions) as (worker, held):
        job = await suspect(queue)
        await until(lambda: passes(worker, job))
        assert (await queue.job(job.key)).attempts == 0
        other = await queue.enqueue("quick")
        await until(lambda: has_status(queue, other.key, Status.COMPLETE))
        assert functions.beside[other.key] == {held.key}
        functions.gate.set()
        await until(lambda: has_status(queue, job.key, Status.COMPLETE))
    assert functions.beside[job.key] == set()
    assert (await queue.job(job.key)).attempts == 1


@pytest.mark.usefixtures("hasty")
async def test_where_all_are_busy_it_is_waited_for_in_the_end(queue, monkeypatch):
    monkeypatch.setattr(suspects, "PASSES", 1)
    functions = Functions()
    async with busy(queue, functions) as (worker, _):
        job = await suspect(queue)
        await until(lambda: passes(worker, job))
        await until(lambda: worker.intake.alone)
        other = await queue.enqueue("quick")
        assert worker.intake.slots() == 0
        functions.gate.set()
        await until(lambda: has_status(queue, other.key, Status.COMPLETE))
        await until(lambda: has_status(queue, job.key, Status.COMPLETE))
    assert functions.beside[job.key] == functions.beside[other.key] == set()


@pytest.mark.usefixtures("hasty")
async def test_a_worker_with_nothing_to_do_takes_it_over(queue):
    functions, idle = Functions(), Functions()
    async with busy(queue, functions) as (worker, held):
        job = await suspect(queue)
        await until(lambda: passes(worker, job))
        worker.paused = True  # both would race for it
        async with working(queue, idle.all):
            await until(lambda: has_status(queue, job.key, Status.COMPLETE))
        assert job.key in idle.beside
        assert held.key in functions.running
        functions.gate.set()
        await until(lambda: has_status(queue, held.key, Status.COMPLETE))


@pytest.mark.usefixtures("hasty")
async def test_a_worker_that_is_told_to_stop_hands_it_back(queue):
    functions = Functions()
    async with busy(queue, functions) as (worker, _):
        job = await suspect(queue)
        await until(lambda: worker.intake.alone or worker.intake._suspects._passed)
    assert await queue.redis.hlen(queue.keys.owner) == 0
    assert (await queue.job(job.key)).status is Status.QUEUED
    assert await queue.redis.hget(queue.keys.crashes, job.id) == b"2"
