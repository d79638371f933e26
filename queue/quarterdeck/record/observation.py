"""What a stock worker's job says of the attempt that has just ended, as far as it can be known from outside."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from quarterdeck.record.entry import (
    FailedJob,
    HistoryEntry,
    arguments_text,
    encode_failed,
    encode_history,
    error_line,
    signature_row,
)
from quarterdeck.record.histogram import bucket_of
from quarterdeck.record.signature import signature_of_text

ENDINGS: Final = {"complete": "complete", "failed": "failed", "aborted": "aborted", "queued": "retried"}
"""SAQ's status in a notification → how the attempt ended. SAQ tells of `queued` only when a job is tried again."""

_UNKNOWN: Final = -1


class StockJob(msgspec.Struct, frozen=True):
    """The fields of SAQ's payload that the record needs (saq.job.Job), read tolerantly."""

    function: str = ""
    queue: str = ""
    key: str = ""
    status: str = ""
    retries: int = 1
    attempts: int = 0
    queued: float = 0
    started: float = 0
    completed: float = 0
    touched: float = 0
    error: str | None = None
    worker_id: str | None = None
    kwargs: Any = None


_DECODER: Final = msgspec.json.Decoder(StockJob, strict=False)


def read_job(payload: bytes) -> StockJob | None:
    """The job in a payload, or None when it is none."""
    try:
        return _DECODER.decode(payload)
    except (ValueError, RecursionError):
        return None


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that ended. `taken_ms` is when it was seen to begin, 0 when it was not seen."""

    job: StockJob
    status: str
    payload: bytes
    seen_ms: int
    taken_ms: int = 0
    found_late: bool = False
    """Found among what SAQ still keeps, not heard of when it happened."""

    @property
    def started_ms(self) -> int:
        """When it began: SAQ forgets that when a job is tried again."""
        return int(self.job.started) or self.taken_ms

    @property
    def finished_ms(self) -> int:
        """When it ended by the worker's clock, or when it was heard of."""
        return int(self.job.completed or (self.job.touched if self.status == "retried" else 0)) or self.seen_ms

    @property
    def duration_us(self) -> int:
        """How long it took in µs, -1 when that can't be known."""
        if not self.started_ms:
            return _UNKNOWN
        return max(0, self.finished_ms - self.started_ms) * 1000

    def arguments(self) -> list[str | bytes | int]:
        """The observation as `observe.lua` takes it."""
        job = self.job
        failed = self.status in {"failed", "aborted"}
        signature = signature_of_text(job.error or "", job.function) if failed or self.status == "retried" else None
        entry = HistoryEntry(
            key=job.key,
            function=job.function,
            status=self.status,
            attempt=job.attempts,
            queued_ms=int(job.queued),
            started_ms=self.started_ms,
            finished_ms=self.finished_ms,
            duration_us=max(0, self.duration_us),
            worker=job.worker_id or "",
            signature=signature.id if signature else "",
        )
        what = f"{job.key}/{job.attempts}/{self.status}/{self.finished_ms if job.completed or job.touched else 0}"
        return [
            what,
            job.worker_id or "",
            job.key,
            job.function,
            self.status,
            self.duration_us,
            bucket_of(self.duration_us),
            encode_history(entry),
            signature.id if signature else "",
            signature_row(signature, job.function, self.finished_ms) if signature else b"",
            encode_failed(self._row(signature.id if signature else "")) if failed else b"",
            self.payload if failed else b"",
            str(self.finished_ms) if self.found_late else "",
        ]

    def _row(self, signature: str) -> FailedJob:
        job = self.job
        return FailedJob(
            function=job.function,
            signature=signature,
            status=self.status,
            at_ms=self.finished_ms,
            started_ms=self.started_ms,
            queued_ms=int(job.queued),
            attempts=job.attempts,
            retries=job.retries,
            worker=job.worker_id or "",
            error=error_line(job.error),
            arguments=arguments_text(job.kwargs),
            bytes=len(self.payload),
        )
