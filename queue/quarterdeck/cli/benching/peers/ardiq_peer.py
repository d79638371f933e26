"""ArdiQ: loop and connection in Rust, tasks on uvloop; results kept."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import uvloop
from ardiq import Ardiq

from quarterdeck.cli.benching.load import Load, play

CHUNK = 1000


def _app(load: Load) -> Ardiq:
    app = Ardiq(redis_url=load.url, queue_name=load.queue, concurrency=load.concurrency, prefetch=load.concurrency)
    app.task(name="noop")(noop)
    return app


async def noop() -> None:
    """Do nothing."""
    from quarterdeck.cli.benching.meter import tick

    tick()


async def _bulk(app: Any, jobs: int) -> None:
    task = app.ref("noop")
    for start in range(0, jobs, CHUNK):
        await app.enqueue_many([task.prepare() for _ in range(min(CHUNK, jobs - start))])


async def fill(load: Load) -> None:
    """Enqueue in bulk."""
    await _bulk(_app(load), load.jobs)


def work(load: Load) -> None:
    """Run a worker."""
    uvloop.run(_app(load).run())


async def enqueue(load: Load) -> float:
    """Enqueue; jobs/s."""
    app = _app(load)
    task = app.ref("noop")
    await _bulk(app, 200)
    began_s = time.perf_counter()
    if load.mode == "bulk":
        await _bulk(app, load.jobs)
    elif load.mode == "one":
        for _ in range(load.jobs):
            await task.enqueue()
    else:
        for _ in range(0, load.jobs, 100):
            await asyncio.gather(*(task.enqueue() for _ in range(100)))
    return load.jobs / (time.perf_counter() - began_s)


async def roundtrip(load: Load) -> list[float]:
    """Enqueue and wait; ms each."""
    task = _app(load).ref("noop")
    times = []
    for number in range(load.jobs + 1):
        began_s = time.perf_counter()
        job = await task.enqueue()
        await job.result(timeout=10)
        if number:
            times.append(1000 * (time.perf_counter() - began_s))
    return times


if __name__ == "__main__":
    play(fill, work, enqueue, roundtrip)
