"""Workers at work in this process, and waiting for what they do."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from saq import Worker as StockWorker
from saq.queue.redis import RedisQueue

from quarterdeck.keys import keys_of
from quarterdeck.worker import Worker
from quarterdeck.worker.service import Service, ServiceOptions


@asynccontextmanager
async def working(queue, functions, **options):
    """A worker on `queue`, leased, beating and connected for its turns, until the block ends."""
    defaults = {"concurrency": 5, "cancellation_hard_deadline_s": 0.2, "lease_s": 1.0, "beat_s": 0.1}
    worker = Worker(queue, functions, **(defaults | options))
    task = asyncio.create_task(worker.start())
    try:
        await until(lambda: worker._engine is not None and worker.beats.fresh and worker.turns.connected.is_set())
        yield worker
    finally:
        await worker.stop()
        await task


@asynccontextmanager
async def serving(app, **options):
    """`quarterdeck worker` for an app; it must end in order with the block."""
    service = Service(app, ServiceOptions(**({"grace_s": 5} | options)))
    task = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        if service.worker is not None:
            service.worker.event.set()
        assert await asyncio.wait_for(task, 60) == 0


@asynccontextmanager
async def stock_working(url, name, functions, **options):
    """A stock SAQ worker with connections of its own; gives its queue."""
    # redis-py gives up a blocked pop after 5 s: what arrives in that moment is popped for nobody.
    queue = RedisQueue(Redis.from_url(url, socket_timeout=None), name=name)
    await queue.redis.set(keys_of(name).sweep_lock, 1, ex=600)  # its sweep aborts jobs that have just been taken
    worker = StockWorker(queue, functions=functions, **options)
    worker.SIGNALS = []
    task = asyncio.create_task(worker.start())
    try:
        yield queue
    finally:
        await worker.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await queue.disconnect()


async def until(condition, within_s=60.0):
    """What `condition()` (or what it awaits) gives, once that is true. Raises TimeoutError.

    The bound says that something never comes, not how fast it should: on a busy machine seconds pass for nothing.
    """
    async with asyncio.timeout(within_s):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)


async def beaten(worker, count):
    """Returns when `worker` has beaten so many times more: whatever it wanted to do meanwhile, it could."""
    for _ in range(count):
        last_s = worker.beats.good_s
        await until(lambda last_s=last_s: worker.beats.good_s > last_s)


async def has_status(queue, key, status):
    """Whether the job is there and in that state."""
    job = await queue.job(key)
    return job is not None and job.status is status
