"""A stock client that reads a job just before its end, and listens just after it, hears of the end all the same."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from saq.queue.redis import RedisQueue

from quarterdeck import Queue, Worker
from quarterdeck.broker.scripts import script
from quarterdeck.worker.reminders import MOST, YOUNG_MS, Reminders


async def add(ctx, a=1):
    return a + 1


async def fails(ctx):
    raise ValueError("no")


@pytest.fixture
async def stock(valkey, queue_name):
    queue = RedisQueue.from_url(valkey.url, name=queue_name)
    await queue.connect()
    yield queue
    await queue.disconnect()


@asynccontextmanager
async def working(valkey, name):
    queue = Queue.from_url(valkey.url, name=name)
    worker = Worker(queue, [add, fails], concurrency=5)
    task = asyncio.create_task(worker.start())
    try:
        yield worker
    finally:
        await worker.stop()
        await task
        await queue.disconnect()


@pytest.mark.parametrize("function", ["add", "fails"])
async def test_a_stock_client_that_waits_for_quick_jobs_seldom_misses_one(valkey, queue_name, stock, function):
    missed = 0
    async with working(valkey, queue_name):
        for _ in range(60):  # without reminders it misses about 15, beside a stock worker 2
            job = await stock.enqueue(function)
            try:
                await job.refresh(until_complete=5)
            except TimeoutError:
                missed += 1
                assert missed <= 4


async def test_only_what_has_ended_is_told_of_and_only_to_listeners(valkey, queue_name, stock, redis_client):
    waiting = await stock.enqueue("add", scheduled=2_000_000_000)
    words = [queue_name, waiting.id, "complete", f"saq:job:{queue_name}:gone", "complete"]
    quiet = await script("remind")(redis_client, [stock.namespace("queued")], words)
    pubsub = redis_client.pubsub()
    async with pubsub:
        await pubsub.psubscribe(f"saq:job:{queue_name}:*")
        await pubsub.get_message(timeout=60)
        assert await script("remind")(redis_client, [stock.namespace("queued")], words) == 1
        message = await pubsub.get_message(timeout=60)
        assert (message["channel"].decode(), message["data"]) == (f"saq:job:{queue_name}:gone", b"complete")
    assert quiet in {0, 1}, "others may listen on this server"


def test_old_jobs_and_floods_are_let_go():
    class Busy:
        spawned = 0

        def spawn(self, duty):
            self.spawned += 1
            duty.close()

    class Ended:
        queued = 1_000

        def __init__(self, age_ms):
            self.completed = self.queued + age_ms

    busy = Busy()
    reminders = Reminders(busy)
    reminders.note(Ended(YOUNG_MS + 1))
    assert busy.spawned == 0
    for _ in range(2 * MOST):
        reminders.note(Ended(1))
    assert busy.spawned == 1
    assert len(reminders._ended) == MOST
