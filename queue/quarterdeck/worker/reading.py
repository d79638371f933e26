"""Taken payloads as attempts; what can't be read, and second copies of what has ended, as settlements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from saq.job import TERMINAL_STATUSES, Status

from quarterdeck.broker import ending
from quarterdeck.broker.codec import PayloadError
from quarterdeck.broker.ending import Settlement
from quarterdeck.broker.queue import Queue
from quarterdeck.worker.attempt import Attempt


class Readings:
    """Reads what a turn took from one queue: `attempts` may run, `settlements` are what must not."""

    def __init__(self, queue: Queue, number: int, holder: str, now_ms: int) -> None:
        self.attempts: list[Attempt] = []
        self.settlements: list[Settlement] = []
        self._queue = queue
        self._number = number
        self._holder = holder
        self._now_ms = now_ms

    def read(self, flat: list[bytes], *, marked: bool) -> list[Attempt]:
        """The attempts in ID, payload, ID, payload, ...; `marked` ones are active already."""
        found = []
        for raw_id, raw in _pairs(flat):
            attempt = self._one(raw_id, raw, marked=marked)
            if attempt is not None:
                found.append(attempt)
        self.attempts += found
        return found

    def _one(self, raw_id: bytes, raw: bytes, *, marked: bool) -> Attempt | None:
        queue = self._queue
        job_id = raw_id.decode("utf-8", "surrogateescape")
        try:
            if not raw:
                raise PayloadError("no payload: it expired, was deleted, or is no string")
            job = queue.deserialize(raw)
            if job is None or queue.job_id(job.key) != job_id:
                raise PayloadError("its key is another job's")
        except (ValueError, TypeError) as error:
            self._quarantine(raw_id, job_id, raw, str(error))
            return None
        attempt = Attempt(job_id, job, queue, self._number, self._holder, raw)
        if marked:
            return attempt
        if job.status in TERMINAL_STATUSES:
            # A second copy in the list of a job that ran already (a stock retry of a delayed job pushes twice).
            self.settlements.append(ending.dropped(job_id, number=self._number, holder=self._holder))
            return None
        attempt.raw = raw
        if job.status is Status.ACTIVE:
            job.attempts = max(0, job.attempts - 1)  # it came back without an end: that attempt does not count
        return attempt

    def _quarantine(self, raw_id: bytes, job_id: str, raw: bytes, reason: str) -> None:
        prefix = self._queue.job_id("")
        key = job_id.removeprefix(prefix)
        item = ending.quarantined(
            job_id,
            raw,
            number=self._number,
            holder=self._holder,
            key=key.encode("utf-8", "replace").decode(),
            reason=reason,
            at_ms=self._now_ms,
        )
        self.settlements.append((*item[:2], raw_id, *item[3:]))  # type: ignore[arg-type] # the very bytes


def _pairs(flat: list[bytes]) -> Iterator[tuple[Any, Any]]:
    each = iter(flat)
    return zip(each, each, strict=True)
