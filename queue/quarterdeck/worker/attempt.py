"""One attempt of a job in this worker, from its take to its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from saq.job import Job

    from quarterdeck.broker.queue import Queue


class Attempt:
    """A job that this worker holds. `holder` is W/TOKEN/, by which the server knows that it does."""

    __slots__ = (
        "aborted",
        "alone",
        "cause",
        "deadline_s",
        "detached",
        "holder",
        "id",
        "job",
        "number",
        "overdue",
        "payload",
        "queue",
        "raw",
        "settled",
        "start_s",
        "task",
        "thread",
        "thread_id",
        "timer",
    )

    def __init__(self, job_id: str, job: Job, queue: Queue, number: int, holder: str, payload: bytes = b"") -> None:
        self.id = job_id
        self.job = job
        self.queue = queue
        self.number = number
        """Number of its queue among the worker's, from 1."""
        self.holder = holder
        self.payload = payload
        """The job as it was taken: its function may change its Job into something that can't be stored."""
        self.raw = b""
        """The payload as it was read, while it is not yet marked active."""
        self.alone = False
        self.cause = ""
        """Why its task was cancelled by us: timeout, stuck, abort, stop, lost; else empty."""
        self.aborted: str | None = None
        """The reason of an abort."""
        self.task: asyncio.Task[Any] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.deadline_s = 0.0
        self.start_s = 0.0
        """When its function started (perf_counter)."""
        self.settled = False
        self.detached = False
        """Its slot is free again although its function has not ended."""
        self.thread = False
        """Whether it runs in a thread, which can't be stopped."""
        self.thread_id = 0
        self.overdue = False
