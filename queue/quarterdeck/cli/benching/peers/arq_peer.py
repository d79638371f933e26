"""arq: polls each 10 ms instead of 500, keeps results."""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop
from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker

from quarterdeck.cli.benching.load import Load, play


def _settings(load: Load) -> RedisSettings:
    path = load.url.removeprefix("unix://")
    settings = RedisSettings.from_dsn(load.url) if path == load.url else RedisSettings(unix_socket_path=path)
    settings.max_connections = 50
    return settings


async def fill(load: Load) -> None:
    """Enqueue 20 at a time: there is no bulk call."""
    pool = await create_pool(_settings(load))
    for start in range(0, load.jobs, 20):
        await asyncio.gather(*(pool.enqueue_job("noop") for _ in range(min(20, load.jobs - start))))
    await pool.aclose()


async def noop(_: Any) -> None:
    """Do nothing."""
    from quarterdeck.cli.benching.meter import tick

    tick()


async def work(load: Load) -> None:
    """Run a worker."""
    settings = _settings(load)
    settings.max_connections = None
    worker = Worker(
        [noop],
        redis_settings=settings,
        max_jobs=load.concurrency,
        poll_delay=0.01,
        queue_read_limit=load.concurrency * 2,
    )
    await worker.async_run()


if __name__ == "__main__":
    uvloop.install()
    play(fill, work)
