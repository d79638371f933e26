"""Batches: jobs that are called off together when the block that enqueued them fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from saq.job import Job
    from saq.queue.base import Queue

_REASON: Final = "cancelled"


class Batch:
    """What was enqueued on one queue within a block: by its task, and by the tasks that it started there.

    SAQ's takes in whatever anybody enqueues on that queue meanwhile, and jobs that waited before under the same key.
    """

    def __init__(self, queue: Queue, outer: Batch | None) -> None:
        self._queue = queue
        self._outer = outer
        self._jobs: list[Job] = []
        self._pending = 0
        self._settled = asyncio.Event()

    async def within(self, queue: Queue, enqueuing: Awaitable[list[Job | None]]) -> list[Job | None]:
        """Await what enqueues jobs on `queue`; the new ones (no None) belong to this batch and those around it."""
        batches = [batch for batch in self._chain() if batch._queue is queue]
        for batch in batches:
            batch._pending += 1
        try:
            jobs = await enqueuing
            for batch in batches:
                batch._jobs += filter(None, jobs)
        finally:
            for batch in batches:
                batch._pending -= 1
                batch._settled.set()
        return jobs

    async def call_off(self) -> None:
        """Abort all, those that are on their way included."""
        while self._pending:
            self._settled.clear()
            await self._settled.wait()
        aborting = (self._queue.abort(job, _REASON) for job in self._jobs)
        await asyncio.gather(*aborting, return_exceptions=True)

    def _chain(self) -> list[Batch]:
        return [self, *(self._outer._chain() if self._outer is not None else ())]


current: Final[ContextVar[Batch | None]] = ContextVar("quarterdeck-batch", default=None)
"""The innermost batch that is open here."""


@asynccontextmanager
async def batch_of(queue: Queue) -> AsyncIterator[None]:
    """A block whose jobs on `queue` are aborted when anything is raised in it, a cancellation included."""
    outer = current.get()
    batch = Batch(queue, outer)
    current.set(batch)
    try:
        yield
    except BaseException:
        await batch.call_off()
        raise
    finally:
        current.set(outer)
