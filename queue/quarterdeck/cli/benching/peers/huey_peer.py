"""huey: threads, popping by blocking; results kept."""

from __future__ import annotations

import logging
from typing import Any

from huey import RedisHuey

from quarterdeck.cli.benching.load import Load, play


def _huey(load: Load) -> Any:
    logging.getLogger("huey").setLevel(logging.WARNING)
    huey: Any = RedisHuey(load.queue, url=load.url, store_none=True)
    huey.noop = huey.task(name="noop")(noop)
    return huey


def noop() -> None:
    """Do nothing."""
    from quarterdeck.cli.benching.meter import tick

    tick()


def fill(load: Load) -> None:
    """Enqueue one by one: there is no bulk call."""
    huey = _huey(load)
    for _ in range(load.jobs):
        huey.noop()


def work(load: Load) -> None:
    """Run a consumer."""
    consumer = _huey(load).create_consumer(workers=load.concurrency, worker_type="thread", periodic=False)
    consumer.run()


if __name__ == "__main__":
    play(fill, work)
