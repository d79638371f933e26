"""Enqueuing: SAQ's calls for one job and for many, made what the script takes, and sent in as few calls as can be."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from saq.job import Job, Status
from saq.queue.base import logger
from saq.utils import now

from quarterdeck.broker import ending
from quarterdeck.broker.batch import batch_of, current
from quarterdeck.broker.enqueuer import Enqueuer, NewJob, due_text
from quarterdeck.broker.fields import check, checked
from quarterdeck.broker.keymaker import hash_tag, new_key
from quarterdeck.broker.looking import LookingQueue

_JOB_FIELDS = frozenset(Job.__dataclass_fields__)


class EnqueuingQueue(LookingQueue):
    """The part of `quarterdeck.Queue` that brings jobs in."""

    def __init__(
        self,
        redis: Any,
        name: str = "default",
        dump: Callable[[Mapping[Any, Any]], bytes | str] | None = None,
        load: Callable[[bytes | str], Any] | None = None,
        max_concurrent_ops: int = 20,
        swept_error_message: str | None = None,
    ) -> None:
        super().__init__(redis, name, dump, load, max_concurrent_ops, swept_error_message)
        self._enqueuer = Enqueuer(self.caller, name)
        self._tag = hash_tag(name)

    def new_key(self) -> str:
        """A key for a new job; begins with the queue's cluster hash tag when there is one."""
        return new_key(self._tag)

    def _new_job(self, job_or_func: str | Job, kwargs: Mapping[str, Any]) -> Job:
        """The job that `enqueue` was asked for, as it is queued. Raises ValueError for another queue's job, and
        TypeError or ValueError for a field that can't be meant."""
        key = kwargs.get("key")
        if isinstance(job_or_func, str):
            job = Job(job_or_func, key=self.new_key() if key is None or key == "" else str(key))
        elif isinstance(job_or_func, Job):
            job = job_or_func
            check(job)
        else:
            raise TypeError(f"enqueue() takes the name of a function or a Job, not {job_or_func!r}.")
        extra: dict[str, Any] = {}
        for name, value in kwargs.items():
            if name not in _JOB_FIELDS:
                extra[name] = value
            elif name != "key" or job is job_or_func:
                setattr(job, name, checked(name, value))
        if extra:
            job.kwargs = {**(kwargs.get("kwargs") or {}), **extra}
        if job.queue is not None and job.queue.name != self.name:
            raise ValueError(f"Job {job} registered to a different queue")
        job.queue = self
        job.queued = now()
        job.status = Status.QUEUED
        return job

    def _parcel(self, job: Job) -> NewJob:
        return job.key.encode(), ending.stored(self, job), due_text(job.scheduled)

    async def enqueue(self, job_or_func: str | Job, **kwargs: Any) -> Job | None:
        """Enqueue a job by instance or by the function's name; None when its key waits or runs already.

        `kwargs` are the job's properties (SAQ's fields) and the function's arguments.
        """
        job = self._new_job(job_or_func, kwargs)
        if self._before_enqueues:
            await self._before_enqueue(job)
        batch = current.get()
        if batch is None:
            return await self._enqueue(job)
        return (await batch.within(self, self._accepted([job])))[0]

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[None]:
        """A block whose jobs on this queue are aborted when anything is raised in it, a cancellation included."""
        async with batch_of(self):
            yield

    async def _accepted(self, jobs: list[Job]) -> list[Job | None]:
        """Send jobs; for each the job, or None when it is not new."""
        accepted = await self._enqueuer.add_many([self._parcel(job) for job in jobs])
        return [job if new else None for job, new in zip(jobs, accepted, strict=True)]

    async def _enqueue(self, job: Job) -> Job | None:
        if not await self._enqueuer.add(self._parcel(job)):
            return None
        if logger.isEnabledFor(logging.INFO):
            logger.info("Enqueuing %s", job.info(logger.isEnabledFor(logging.DEBUG)))
        return job

    async def enqueue_many(
        self, jobs: Iterable[str | Job | tuple[str | Job, Mapping[str, Any]]], **kwargs: Any
    ) -> list[Job | None]:
        """Enqueue many jobs, a few hundred a round trip, each chunk atomic and in order.

        Each is a function's name, a Job, or either with a mapping of its properties and arguments; `kwargs` are
        everybody's. Returns for each the job, or None when its key waits or runs already.
        """
        made: list[Job] = []
        for each in jobs:
            what, own = each if isinstance(each, tuple) else (each, {})
            what = self.copy(what) if isinstance(what, Job) and own else what
            made.append(self._new_job(what, {**kwargs, **own}))
        if self._before_enqueues:
            for job in made:
                await self._before_enqueue(job)
        batch, accepting = current.get(), self._accepted(made)
        return await (accepting if batch is None else batch.within(self, accepting))
