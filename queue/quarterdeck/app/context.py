"""What a task can know and say about the job it runs in."""

from __future__ import annotations

import asyncio
import logging
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saq.job import Job

_PROGRESS_EVERY_S = 0.25
_current: ContextVar[JobContext | None] = ContextVar("quarterdeck_job", default=None)
_unsent: set[asyncio.Task[None]] = set()


class JobContext:
    """The running attempt of a job.

    `key`, `queue` and `function` name it; `attempt` counts from 1 and is at most `retries`; `log` writes to the job's
    own log; `meta` is the job's free dict. Outside a job (`detached`) the names are empty and progress goes nowhere.
    """

    def __init__(self, job: Job | None = None, *, worker: str = "", loop: asyncio.AbstractEventLoop | None = None):
        self.job = job
        self.worker = worker
        self.function = job.function if job else ""
        self.key = job.key if job else ""
        self.queue = job.queue.name if job and job.queue else ""
        self.attempt = job.attempts if job else 1
        self.retries = job.retries if job else 1
        self.meta: dict[Any, Any] = job.meta if job else {}
        self._loop = loop
        self._sent_at = 0.0

    @property
    def log(self) -> logging.Logger:
        """The logger of this function; its records are in the job's log, as those of all other loggers are."""
        return logging.getLogger(f"quarterdeck.job.{self.function}" if self.job else "quarterdeck.job")

    @property
    def detached(self) -> bool:
        """Whether no worker runs this: the task was called directly, as in a test."""
        return self.job is None

    @property
    def last_attempt(self) -> bool:
        """Whether a failure now would be final."""
        return self.attempt >= self.retries

    def progress(self, share: float) -> None:
        """Say how far the job is, 0..1. Never waits; callable from threads; sent at most four times a second."""
        if self.job is None or self._loop is None:
            return
        self.job.progress = min(max(share, 0.0), 1.0)
        now = time.monotonic()
        if share < 1 and now - self._sent_at < _PROGRESS_EVERY_S:
            return
        self._sent_at = now
        self._loop.call_soon_threadsafe(self._send)

    def _send(self) -> None:
        task = asyncio.ensure_future(self._update())
        _unsent.add(task)  # the loop keeps weak references only
        task.add_done_callback(_unsent.discard)

    async def _update(self) -> None:
        if self.job is not None and self.job.completed == 0:
            await self.job.update(progress=self.job.progress)


def current_job() -> JobContext:
    """The job that this code runs in, in async tasks and in plain functions alike.

    Outside a job, as when a test calls a task directly, it is a detached stand-in with an ordinary logger.
    """
    return _current.get() or JobContext()


def running_job() -> JobContext | None:
    """The job that this code runs in, or None outside a job."""
    return _current.get()


def enter(context: JobContext) -> None:
    """Make `context` the current job of this asyncio task or thread; workers call it."""
    _current.set(context)
