"""Following jobs to their end: what `listen`, `map`, `apply` and `refresh` stand on."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from saq.job import TERMINAL_STATUSES, UNSUCCESSFUL_TERMINAL_STATUSES, Job, Status
from saq.queue.base import JobError

if TYPE_CHECKING:
    from quarterdeck.broker.queue import Queue

_ENDINGS: Final = frozenset(status.value for status in TERMINAL_STATUSES)
_STATUSES: Final = {status.value: status for status in Status}
_JOBS_A_POLL_S: Final = 5000
"""Jobs that a safety poll may read a second."""


class Following:
    """Some jobs of a queue, by their keys. A message tells at once; a poll each `poll_s` makes up for lost ones."""

    def __init__(self, queue: Queue, keys: Sequence[str], poll_s: float) -> None:
        self._queue = queue
        self._ids = {queue.job_id(key): key for key in keys}
        self._keys = list(keys)
        self._poll_s = max(poll_s, 0.01, len(keys) / _JOBS_A_POLL_S)

    async def results(
        self,
        job_or_func: str | Job,
        each: Sequence[Mapping[str, Any]],
        timeout_s: float | None,
        *,
        return_exceptions: bool,
    ) -> list[Any]:
        """Enqueue the jobs and return their results, in order. Raises JobError and TimeoutError."""
        async with asyncio.timeout(timeout_s), self._queue.waiter.watch(self._ids) as watch:
            if len(each) == 1:
                await self._queue.enqueue(job_or_func, **each[0])
            else:
                await self._queue.enqueue_many([(job_or_func, own) for own in each])
            results: dict[str, Any] = {}
            remaining = dict.fromkeys(self._keys)
            looked = time.monotonic()
            while remaining:
                rest_s = looked + self._poll_s - time.monotonic()
                events = await watch.wait(max(rest_s, 0))
                ended = {self._ids[job_id] for job_id, status in events if status in _ENDINGS}
                if time.monotonic() - looked >= self._poll_s:
                    looked = time.monotonic()
                    ended = set(remaining)
                asked = [key for key in remaining if key in ended]
                for key, job in zip(asked, await self._queue.jobs(asked), strict=True):
                    if job is None or job.status in TERMINAL_STATUSES:
                        results[key] = _result(job, return_exceptions=return_exceptions)
                        del remaining[key]
        return [results[key] for key in self._keys]

    async def listen(self, callback: Callable[[str, Status], Any], timeout_s: float | None) -> None:
        """Call `callback(key, status)` for each change until it returns true. TimeoutError after silence."""
        if not self._ids:
            return
        told: dict[str, str] = {}
        async with self._queue.waiter.watch(self._ids) as watch:
            heard = time.monotonic()
            first = True
            while True:
                events = [] if first else await watch.wait(self._pause_s(heard, timeout_s))
                if not events:
                    events = await self._changes(told, only_ends=first)
                first = False
                for job_id, status in events:
                    told[job_id] = status
                    heard = time.monotonic()
                    answer = callback(self._ids[job_id], _STATUSES[status])
                    if await answer if inspect.isawaitable(answer) else answer:
                        return
                if timeout_s and time.monotonic() - heard >= timeout_s:
                    raise TimeoutError

    def _pause_s(self, heard: float, timeout_s: float | None) -> float:
        if not timeout_s:
            return self._poll_s
        return max(0.0, min(self._poll_s, heard + timeout_s - time.monotonic()))

    async def _changes(self, told: Mapping[str, str], *, only_ends: bool) -> list[tuple[str, str]]:
        """What changed without a message: jobs that had ended before we listened, or whose message was lost."""
        found = []
        for (job_id, _), job in zip(self._ids.items(), await self._queue.jobs(self._ids.values()), strict=True):
            status = job.status.value if job is not None else ""
            new = status and status != told.get(job_id)
            if new and status in _ENDINGS and (only_ends or told.get(job_id) is not None or status in _ENDINGS):
                found.append((job_id, status))
        return found


def _result(job: Job | None, *, return_exceptions: bool) -> Any:
    """A finished job's result; a missing job (ttl -1) has none."""
    if job is None:
        return None
    if job.status in UNSUCCESSFUL_TERMINAL_STATUSES:
        error = JobError(job)
        if not return_exceptions:
            raise error
        return error
    return job.result
