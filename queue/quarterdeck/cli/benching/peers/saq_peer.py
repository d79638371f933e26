"""Stock SAQ, with its defaults, and as many connections as it asks for."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis
from saq import Worker
from saq.queue.redis import RedisQueue

from quarterdeck.cli.benching.load import Load, play
from quarterdeck.cli.benching.peers.saq_calls import TOGETHER, enqueue_with, roundtrip_with


def _queue(load: Load) -> RedisQueue:
    # redis-py's pool ends at 100 connections, and a stock worker takes one a slot.
    return RedisQueue(Redis.from_url(load.url, max_connections=load.concurrency + 100), name=load.queue)


async def fill(load: Load) -> None:
    """Enqueue with gather."""
    queue = _queue(load)
    for start in range(0, load.jobs, TOGETHER):
        await asyncio.gather(*(queue.enqueue(load.function) for _ in range(min(TOGETHER, load.jobs - start))))
    await queue.disconnect()


async def work(load: Load) -> None:
    """Run a worker."""
    from quarterdeck.cli.benching.peers.own_settings import settings

    worker: Worker[Any] = Worker(_queue(load), settings["functions"], concurrency=load.concurrency)
    await worker.start()


async def enqueue(load: Load) -> float:
    """Enqueue; jobs/s. There is no bulk call."""
    return await enqueue_with(_queue(load), load)


async def roundtrip(load: Load) -> list[float]:
    """Enqueue and wait; ms each."""
    return await roundtrip_with(_queue(load), load)


if __name__ == "__main__":
    play(fill, work, enqueue, roundtrip)
