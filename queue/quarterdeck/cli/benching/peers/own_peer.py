"""Quarterdeck: `quarterdeck worker` as it is run in production, and `quarterdeck.Queue`."""

from __future__ import annotations

import sys

from quarterdeck.broker.queue import Queue
from quarterdeck.cli import main
from quarterdeck.cli.benching.load import Load, play
from quarterdeck.cli.benching.peers.saq_calls import enqueue_with, roundtrip_with


def _queue(load: Load) -> Queue:
    return Queue.from_url(load.url, name=load.queue)


async def fill(load: Load) -> None:
    """Enqueue in bulk."""
    queue = _queue(load)
    ttl = {} if load.keep else {"ttl": -1}
    await queue.enqueue_many([load.function] * load.jobs, **ttl)
    await queue.disconnect()


def work(load: Load) -> None:
    """Run the command."""
    words = ["--url", load.url, "worker", "quarterdeck.cli.benching.peers.own_settings.settings"]
    words += ["--queues", load.queue, "--concurrency", str(load.concurrency), "--log-level", "warning"]
    sys.argv[1:] = [*words, "--processes", str(load.processes)]  # each further process is started with them
    main()


async def enqueue(load: Load) -> float:
    """Enqueue; jobs/s."""
    queue = _queue(load)
    return await enqueue_with(queue, load, lambda jobs: queue.enqueue_many(["noop"] * jobs))


async def roundtrip(load: Load) -> list[float]:
    """Enqueue and wait; ms each."""
    return await roundtrip_with(_queue(load), load)


if __name__ == "__main__":
    play(fill, work, enqueue, roundtrip)
