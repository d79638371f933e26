"""Bringing delayed jobs to their queue when they are due."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from redis import exceptions

from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import script
from quarterdeck.worker.turns import Turns

logger = logging.getLogger("quarterdeck.worker")

AT_ONCE: Final = 1000
"""Jobs a call."""
CLOSEST_S: Final = 0.005
"""Time between two looks at least."""


class Promotion:
    """Looks after one queue's delayed jobs: each `most_s`, and when the next one that is known of is due."""

    def __init__(self, queue: Queue, turns: Turns, most_s: float) -> None:
        self._queue = queue
        self._turns = turns
        self._most_s = most_s
        self._loop = asyncio.get_running_loop()
        self._at_s = 0.0
        self._looked_s = 0.0
        self._sooner = asyncio.Event()

    def expect(self, in_s: float) -> None:
        """A job is due in `in_s` seconds: look then at the latest."""
        at_s = max(self._loop.time() + in_s, self._looked_s + CLOSEST_S)
        if at_s < self._at_s:
            self._at_s = at_s
            self._sooner.set()

    async def run(self) -> None:
        """Look when it is time to, until cancelled."""
        while True:
            await self._time_to_look()
            await self._turns.connected.wait()
            self._looked_s = self._loop.time()
            self._at_s = self._looked_s + self._most_s
            wait_s = await self._look()
            self._at_s = min(self._at_s, self._loop.time() + wait_s)

    async def _time_to_look(self) -> None:
        while (wait_s := self._at_s - self._loop.time()) > 0:
            self._sooner.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._sooner.wait()
            except TimeoutError:
                return

    async def _look(self) -> float:
        """Bring what is due; for how long nothing else will be, s."""
        wire = self._turns.wire
        if wire is None:
            return self._most_s
        queue = self._queue
        call = ("EVALSHA", script("promote").sha, 1, queue.keys.queued, queue.name, AT_ONCE, 0)
        try:
            ids, next_ms = await wire.call(*call)
        except exceptions.RedisError as error:
            logger.debug("promoting: %s", error)
            return self._most_s
        if len(ids) >= AT_ONCE:
            return 0.0
        return max(next_ms / 1000, CLOSEST_S) if next_ms >= 0 else self._most_s
