"""A burst ends by SAQ's rule: when one slot has asked in vain for so long, whatever still runs and whatever comes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from saq.queue.redis import RedisQueue
from saq.worker import Worker as StockWorker

from quarterdeck.broker.queue import Queue
from quarterdeck.worker import Worker

ENOUGH_S = 60


async def brief(ctx):
    return 1


async def lasting(ctx):
    await asyncio.sleep(0.5)
    return 2


FUNCTIONS = [brief, lasting]


@pytest.fixture
async def queue(valkey, queue_name):
    queue = Queue.from_url(valkey.url, name=queue_name)
    await queue.connect()
    yield queue
    await queue.disconnect()


async def ended(worker):
    """Run a worker to its end by itself. (`wait_for` would not do: a worker that is cancelled ends in order.)"""
    running = asyncio.create_task(worker.start())
    done, _ = await asyncio.wait({running}, timeout=ENOUGH_S)
    if not done:
        running.cancel()
        await running
    assert done, "it goes on for ever"


@asynccontextmanager
async def coming(queue, function: str, every_s: float):
    """A job comes again and again, as from a schedule."""

    async def enqueue():
        while True:
            await queue.enqueue(function)
            await asyncio.sleep(every_s)

    task = asyncio.create_task(enqueue())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("function", "every_s", "timeout_s"),
    [
        ("lasting", 0.1, 0.3),  # some job always runs
        ("brief", 0.1, 0.4),  # no pause is as long as the time that a slot asks
        ("lasting", 0.1, 0.05),
    ],
)
@pytest.mark.parametrize("kind", ["ours", "stock"])
async def test_it_ends_though_a_new_job_always_comes(kind, function, every_s, timeout_s, queue, valkey, queue_name):
    options = {"burst": True, "dequeue_timeout": timeout_s, "concurrency": 10}
    async with coming(queue, function, every_s):
        if kind == "ours":
            worker = Worker(queue, FUNCTIONS, **options)
            await ended(worker)
            assert await queue.count("active") == 0  # those that ran came to their end
        else:
            stock = RedisQueue.from_url(valkey.url, name=queue_name)
            await ended(StockWorker(stock, FUNCTIONS, **options))
            await stock.disconnect()


async def test_what_waits_is_done_before_however_much_it_is(queue):
    for _ in range(300):
        await queue.enqueue("brief")
    for _ in range(4):
        await queue.enqueue("lasting")
    worker = Worker(queue, FUNCTIONS, burst=True, dequeue_timeout=0.05, concurrency=2)
    await ended(worker)
    assert worker.runner.tally.complete == 304
    assert await queue.count("incomplete") == 0


async def test_what_comes_while_a_slot_still_asks_is_done(queue):
    worker = Worker(queue, FUNCTIONS, burst=True, dequeue_timeout=20, concurrency=2, max_burst_jobs=3)
    async with coming(queue, "lasting", 0.05):
        await ended(worker)
    assert worker.runner.tally.complete == 3


async def test_an_empty_queue_ends_it_at_once(queue):
    worker = Worker(queue, FUNCTIONS, burst=True, dequeue_timeout=0.05, concurrency=1_000)
    await ended(worker)
    assert worker.runner.tally.complete == 0
    assert worker.intake.burst.over
