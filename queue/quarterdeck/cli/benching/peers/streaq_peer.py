"""streaQ with its defaults on uvloop; results kept."""

from __future__ import annotations

import logging
from typing import Any

from streaq import Worker

from quarterdeck.cli.benching.load import Load, play


def _worker(load: Load) -> Any:
    logging.getLogger("streaq").setLevel(logging.WARNING)
    worker: Any = Worker(
        redis_url=load.url,
        concurrency=load.concurrency,
        queue_name=load.queue,
        anyio_kwargs={"use_uvloop": True},
    )
    worker.noop = worker.task(name="noop")(noop)
    return worker


async def noop() -> None:
    """Do nothing."""
    from quarterdeck.cli.benching.meter import tick

    tick()


async def fill(load: Load) -> None:
    """Enqueue in bulk."""
    worker = _worker(load)
    async with worker:
        for start in range(0, load.jobs, 1000):
            await worker.enqueue_many([worker.noop.enqueue() for _ in range(min(1000, load.jobs - start))])


def work(load: Load) -> None:
    """Run a worker."""
    _worker(load).run_sync()


if __name__ == "__main__":
    play(fill, work)
