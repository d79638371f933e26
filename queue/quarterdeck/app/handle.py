"""What enqueuing gives back: the job's key, its state, its result, and a way to call it off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from quarterdeck.errors import JobFailedError, JobGoneError, ResultTimeoutError
from quarterdeck.model import JobState

if TYPE_CHECKING:
    from saq.job import Job
    from saq.queue.redis import RedisQueue

T = TypeVar("T")
_ENDED = {"complete", "failed", "aborted"}
_FIRST_SILENCE_S = 0.1
_LONGEST_SILENCE_S = 5.0
"""After how long without a word one looks whether the job is still there."""


class Handle(Generic[T]):
    """A job that was sent. `new` is False when a job with the same key was waiting or running already.

    Whatever is asked of it raises UnreachableError while the server is away.
    """

    def __init__(
        self,
        queue: RedisQueue,
        key: str,
        function: str,
        *,
        new: bool = True,
        decode: Callable[[Any], Any] | None = None,
    ) -> None:
        self._queue = queue
        self._decode = decode
        self.key = key
        self.function = function
        self.new = new

    def __repr__(self) -> str:
        return f"<Handle {self.function} {self.key} on {self.queue}>"

    @property
    def queue(self) -> str:
        """The queue it was sent to."""
        return self._queue.name

    def of(self, decode: Callable[[Any], Any]) -> Handle[Any]:
        """This handle for results that `decode` turns from JSON into what they were."""
        return Handle(self._queue, self.key, self.function, new=self.new, decode=decode)

    async def job(self) -> Job:
        """SAQ's job as the server has it now. Raises JobGoneError when the server has it no more."""
        with _door():
            job = await self._queue.job(self.key)
        if job is None:
            raise JobGoneError(
                f"The server knows no job {self.key} ({self.function}) on the queue {self.queue}.",
                "Results are kept for the task's ttl_s.",
            )
        return job

    async def status(self) -> JobState:
        """Where the job is. Raises JobGoneError."""
        job = await self.job()
        status = job.status.value
        if status in ("new", "queued"):
            return JobState.SCHEDULED if await self._waits_for_its_time() else JobState.QUEUED
        return JobState.ACTIVE if status == "aborting" else JobState(status)

    async def result(self, timeout_s: float | None = None) -> T:
        """Wait until the job has ended and return what it returned; None waits as long as it takes.

        Raises JobFailedError with the worker's traceback, ResultTimeoutError, or JobGoneError.
        """
        job = await self.job()
        if job.status.value not in _ENDED:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._ended()
            except TimeoutError:
                raise ResultTimeoutError(
                    f"The job {self.key} ({self.function}) did not end within {timeout_s} s.", "It goes on."
                ) from None
            job = await self.job()
        status = job.status.value
        if status != "complete":
            raise JobFailedError(self.function, self.key, status, job.error or "")
        value: T = self._decode(job.result) if self._decode else job.result
        return value

    async def _ended(self) -> None:
        """Wait for the job's end. Raises JobGoneError: what is not kept may be gone before anybody listens."""
        silence_s = _FIRST_SILENCE_S
        while True:
            with _door(), suppress(TimeoutError):
                await self._queue.listen([self.key], lambda _, status: status.value in _ENDED, silence_s)
                return
            await self.job()
            silence_s = min(silence_s * 2, _LONGEST_SILENCE_S)

    async def abort(self, reason: str = "aborted") -> None:
        """Call it off: a waiting job ends at once, a running one is cancelled by its worker within a second or so."""
        job = await self.job()
        if job.status.value not in _ENDED:
            with _door():
                await job.abort(reason)

    async def _waits_for_its_time(self) -> bool:
        """Whether SAQ's `incomplete` set holds a time for it: 0 means that it is in the queue already."""
        incomplete = self._queue.namespace("incomplete")
        with _door():
            return bool(await self._queue.redis.zscore(incomplete, self._queue.job_id(self.key)))


def _door() -> AbstractContextManager[None]:
    """What goes wrong with the server leaves a handle as an UnreachableError; redis-py is not imported before."""
    from quarterdeck.broker.door import door

    return door()
