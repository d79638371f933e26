"""rq: its worker that does not fork, one job at a time; results kept."""

from __future__ import annotations

import logging

import redis
from rq import Queue, SimpleWorker

from quarterdeck.cli.benching.load import Load, play


def noop() -> None:
    """Do nothing."""
    from quarterdeck.cli.benching.meter import tick

    tick()


def fill(load: Load) -> None:
    """Enqueue in bulk."""
    queue = Queue(load.queue, connection=redis.Redis.from_url(load.url))
    for start in range(0, load.jobs, 500):
        count = min(500, load.jobs - start)
        queue.enqueue_many([Queue.prepare_data("quarterdeck.cli.benching.peers.rq_peer.noop")] * count)


def work(load: Load) -> None:
    """Run a worker."""
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    connection = redis.Redis.from_url(load.url)
    SimpleWorker([Queue(load.queue, connection=connection)], connection=connection).work(logging_level="WARNING")


if __name__ == "__main__":
    play(fill, work)
