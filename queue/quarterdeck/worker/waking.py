"""Waiting for jobs without asking: one blocking call a queue, whatever the concurrency.

BLMOVE of the queue's head onto itself changes nothing and only waits, so that popping and marking stay one step.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final

from redis import exceptions

from quarterdeck.broker.queue import Queue
from quarterdeck.broker.wire import Wire, is_passing
from quarterdeck.worker.state import QueueState

BLOCK_S: Final = 10
"""How long one call waits."""
REFUSED_S: Final = 0.5
"""How often to look when the server refuses to block (memory full, read-only, loading)."""


async def wake(queue: Queue, state: QueueState, kick: Callable[[], None]) -> None:
    """Mark the queue as filled whenever something is pushed while it is empty; runs until cancelled."""
    wire: Wire | None = None
    key = queue.keys.queued
    endpoint = queue.caller.endpoint
    pause_s = 0.05
    try:
        while True:
            await state.empty.wait()
            if state.rest_s:
                await asyncio.sleep(state.rest_s)
                state.filled()
                kick()
                continue
            try:
                if wire is None or wire.closed:
                    wire = await Wire.open(endpoint)
                moved = await wire.call(
                    "BLMOVE", key, key, "LEFT", "LEFT", BLOCK_S, patience_s=BLOCK_S + endpoint.timeout_s
                )
                pause_s = 0.05
            except exceptions.ResponseError as error:
                # Refused: by a server that can't write now, or by a key of a wrong type. A turn finds out which.
                await asyncio.sleep(REFUSED_S if is_passing(error) else 2 * REFUSED_S)
                moved = b""
            except (exceptions.RedisError, OSError, TimeoutError):
                await asyncio.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311 - jitter
                pause_s = min(pause_s * 2, 2.0)
                continue
            if moved is not None:
                state.filled()
                kick()
    finally:
        if wire is not None:
            wire.close()
