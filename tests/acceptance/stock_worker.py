"""A stock SAQ deployment: the plain `saq` package, its own worker and cron job, nothing of ours. Argument: the URL."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from redis.asyncio import Redis
from saq import CronJob, Worker
from saq.queue.redis import RedisQueue

PLACE = Path(os.environ["NIGHT_DIR"])


def note(word: str, number: object) -> None:
    with (PLACE / "ledger").open("a") as file:
        file.write(f"{word} {number}\n")


async def ship(context: dict, *, parcel: int) -> str:
    note("ship", parcel)
    if (PLACE / "outage").exists():
        raise ConnectionError(f"carrier:443 refused parcel {parcel}")
    return f"parcel {parcel} shipped"


async def sweep_floor(context: dict) -> None:
    note("sweep", context["job"].key)


async def main() -> None:
    # redis-py gives up a blocked pop after 5 s: what arrives in that moment is popped for nobody.
    queue = RedisQueue(Redis.from_url(sys.argv[1], socket_timeout=None), name="parcels")
    crons = [CronJob(sweep_floor, cron="* * * * * */1")]  # SAQ's croniter takes seconds last
    worker = Worker(queue, functions=[ship, sweep_floor], cron_jobs=crons, concurrency=4)
    await worker.start()


asyncio.run(main())
