"""A worker at work in this process, and waiting for what it does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from quarterdeck.worker import Worker


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
