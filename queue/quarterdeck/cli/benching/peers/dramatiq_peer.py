"""dramatiq: threads, its Redis broker, and results kept by its Redis backend."""

from __future__ import annotations

import logging
import signal
from typing import Any

import redis
from dramatiq import Worker, actor
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from quarterdeck.cli.benching.load import Load, play


def _actor(load: Load) -> Any:
    logging.getLogger("dramatiq").setLevel(logging.WARNING)
    broker = RedisBroker(url=load.url)
    backend = RedisBackend(client=redis.Redis.from_url(load.url))
    broker.add_middleware(Results(backend=backend, store_results=True))
    return actor(noop, broker=broker, queue_name=load.queue)


def noop() -> None:
    """Do nothing."""
    from quarterdeck.cli.benching.meter import tick

    tick()


def fill(load: Load) -> None:
    """Enqueue one by one: there is no bulk call."""
    task = _actor(load)
    for _ in range(load.jobs):
        task.send()


def work(load: Load) -> None:
    """Run the threads of a worker's process."""
    worker = Worker(_actor(load).broker, worker_threads=load.concurrency)
    worker.start()
    signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    play(fill, work)
