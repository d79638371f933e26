"""What SAQ's API and ours have in common: the same calls are timed on both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from saq.queue.base import Queue

from quarterdeck.cli.benching.load import Load

TOGETHER = 100
LONGEST_S = 1.0
"""How long a result is waited for: stock SAQ's `refresh` misses a wake-up now and then."""


async def time_of(work: Awaitable[Any]) -> float:
    """How long it takes, s."""
    began_s = time.perf_counter()
    await work
    return time.perf_counter() - began_s


async def enqueue_with(queue: Queue, load: Load, many: Callable[[int], Awaitable[Any]] | None = None) -> float:
    """Enqueue one by one, 100 at a time with gather, or in bulk by `many`; jobs/s. Leaves the queue disconnected."""

    async def one_by_one() -> None:
        for _ in range(load.jobs):
            await queue.enqueue("noop")

    async def together(jobs: int = load.jobs) -> None:
        for _ in range(0, jobs, TOGETHER):
            await asyncio.gather(*(queue.enqueue("noop") for _ in range(TOGETHER)))

    await together(2 * TOGETHER)  # the first ones connect
    if load.mode == "one":
        took_s = await time_of(one_by_one())
    elif load.mode == "bulk" and many is not None:
        took_s = await time_of(many(load.jobs))
    else:
        took_s = await time_of(together())
    await queue.disconnect()
    return load.jobs / took_s


async def roundtrip_with(queue: Queue, load: Load) -> list[float]:
    """Enqueue a job and wait for its result, `load.jobs` times; ms each, those never told of left out. Leaves the queue
    disconnected.

    `one` is what answers fastest on either: `enqueue`, then `Job.refresh(until_complete=...)`.
    """

    async def refreshed() -> None:
        job = await queue.enqueue("noop")
        assert job is not None
        await job.refresh(until_complete=LONGEST_S)

    async def applied() -> None:
        await queue.apply("noop", timeout=10 * LONGEST_S)

    call = applied if load.mode == "apply" else refreshed
    times = []
    for number in range(load.jobs + 1):
        try:
            took_s = await time_of(call())
        except TimeoutError:
            continue
        if number:  # the first connects
            times.append(1000 * took_s)
    await queue.disconnect()
    return times
