"""The worker's mailbox: commands are heard as they are left, by one blocking call for all of its queues."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Final

from redis import exceptions

from quarterdeck.broker.queue import Queue
from quarterdeck.broker.wire import Wire

BLOCK_S: Final = 10
"""How long one call waits."""
REFUSED_S: Final = 2.0
"""How often to look when the server refuses to block; commands come with the beats then."""
TOGETHER: Final = 200
"""Commands taken at a time, after the first."""


async def hear(queues: Sequence[Queue], worker: str, obey: Callable[[bytes], None]) -> None:
    """Give each command for `worker` to `obey`; runs until cancelled."""
    wire: Wire | None = None
    keys = [queue.keys.control(worker) for queue in queues]
    endpoint = queues[0].caller.endpoint
    pause_s = 0.05
    try:
        while True:
            try:
                if wire is None or wire.closed:
                    wire = await Wire.open(endpoint)
                taken = await wire.call("BLPOP", *keys, BLOCK_S, patience_s=BLOCK_S + endpoint.timeout_s)
                pause_s = 0.05
                if taken is not None:
                    obey(taken[1])
                    for record in await wire.call("LPOP", taken[0], TOGETHER) or ():
                        obey(record)
            except exceptions.ResponseError:
                await asyncio.sleep(REFUSED_S)
            except (exceptions.RedisError, OSError, TimeoutError):
                await asyncio.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311 - jitter
                pause_s = min(pause_s * 2, 2.0)
    finally:
        if wire is not None:
            wire.close()
