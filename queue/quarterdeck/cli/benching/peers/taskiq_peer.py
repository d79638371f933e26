"""taskiq with taskiq-redis: the acknowledging stream broker, its Redis result backend, uvloop."""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop
from taskiq.api import run_receiver_task
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from quarterdeck.cli.benching.load import Load, play


def _broker(load: Load) -> Any:
    results: Any = RedisAsyncResultBackend(redis_url=load.url, result_ex_time=600)
    broker = RedisStreamBroker(url=load.url, queue_name=load.queue, consumer_id="0").with_result_backend(results)
    broker.register_task(noop, task_name="noop")
    return broker


async def noop() -> None:
    """Do nothing."""
    from quarterdeck.cli.benching.meter import tick

    tick()


async def fill(load: Load) -> None:
    """Enqueue 20 at a time: there is no bulk call."""
    broker = _broker(load)
    await broker.startup()
    task = broker.find_task("noop")
    for start in range(0, load.jobs, 20):
        await asyncio.gather(*(task.kiq() for _ in range(min(20, load.jobs - start))))
    await broker.shutdown()


async def work(load: Load) -> None:
    """Run a receiver, as `taskiq worker` does in its process."""
    broker = _broker(load)
    broker.is_worker_process = True
    await broker.startup()
    await run_receiver_task(broker, max_async_tasks=load.concurrency, max_prefetch=load.concurrency)


if __name__ == "__main__":
    uvloop.install()
    play(fill, work)
