"""Telling of an end once more: a stock client that reads a job just before its end and listens just after it would wait
for its whole time-out.

SAQ's `refresh(until_complete=…)` reads the job, then listens. With a stock worker the end seldom falls between the two;
jobs that end within a millisecond fall there often.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from redis import exceptions
from saq.job import Job

from quarterdeck.broker.scripts import script

if TYPE_CHECKING:
    from quarterdeck.worker.worker import Worker

logger = logging.getLogger("quarterdeck.worker")

AGAIN_S: Final = (0.03, 0.17)
"""After how long to tell again, and once more: by then a client that has read the job listens, even a busy one."""
YOUNG_MS: Final = 200
"""Jobs that were enqueued longer ago have been listened to by then."""
MOST: Final = 500
"""Jobs told of again at a time; at such a pace nobody waits for single ones."""


class Reminders:
    """Gathers the jobs that ended soon after they were enqueued, and tells of them again a moment later."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._ended: list[Job] = []

    def note(self, job: Job) -> None:
        """A job has ended."""
        if job.completed - job.queued > YOUNG_MS or len(self._ended) >= MOST:
            return
        self._ended.append(job)
        if len(self._ended) == 1:
            self._worker.spawn(self._remind())

    async def _remind(self) -> None:
        await asyncio.sleep(AGAIN_S[0])
        ended, self._ended = self._ended, []
        await self._tell(ended)
        await asyncio.sleep(AGAIN_S[1])
        await self._tell(ended)

    async def _tell(self, ended: list[Job]) -> None:
        """Tell of these jobs to whoever listens."""
        wire = self._worker.turns.wire
        for queue in self._worker.queues if wire is not None else ():  # without a server nobody listens
            words = [word for job in ended if job.queue is queue for word in (job.id, job.status.value)]
            if words and wire is not None:
                try:
                    await wire.call("EVALSHA", script("remind").sha, 1, queue.keys.queued, queue.name, *words)
                except exceptions.RedisError as error:
                    logger.debug("reminding: %s", error)
