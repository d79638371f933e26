"""How attempts end: each end becomes one settlement, with its record, its retry or what follows it."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from saq.job import Job, Status
from saq.queue.base import logger as saq_logger

from quarterdeck.broker import ending
from quarterdeck.broker.codec import ResultError
from quarterdeck.broker.ending import Settlement, Step
from quarterdeck.broker.fields import LONGEST_S
from quarterdeck.record import signature_of, signature_of_text
from quarterdeck.worker.attempt import Attempt
from quarterdeck.worker.clock import ServerClock

logger = logging.getLogger("quarterdeck.worker")

Follow = Callable[[Job, Status, Any, int], Sequence[Step]]

_OWN_FILES: Final = frozenset(str(Path(__file__).with_name(name)) for name in ("runner.py", "threads.py"))
"""Whose frames stand before a function's own in its traceback."""


class Tally:
    """How many attempts ended how, since the worker started."""

    def __init__(self) -> None:
        self.complete = 0
        self.failed = 0
        self.retried = 0
        self.aborted = 0
        self.late = 0


class Outcomes:
    """Says to `settle` what became of attempts, and keeps the tally."""

    def __init__(
        self, worker: str, clock: ServerClock, settle: Callable[[Settlement], None], *, version: str = ""
    ) -> None:
        self.worker = worker
        self.tally = Tally()
        self.follow: Follow | None = None
        self.on_ended: Callable[[Job], None] | None = None
        self._clock = clock
        self._settle = settle
        self._version = version

    def end(self, attempt: Attempt, result: Any, error: BaseException | None) -> None:
        """Settle an attempt."""
        attempt.settled = True
        us = int((time.perf_counter() - attempt.start_s) * 1_000_000)
        if attempt.cause == "lost":
            return
        try:
            self._settle_end(attempt, result, error, us)
        except Exception as refused:  # noqa: BLE001 - its function can have put anything into the Job
            logger.warning("its function made %s into what can't be stored: %s", attempt.id, _message(refused))
            self._restore(attempt)
            self._settle_end(attempt, result, error, us)

    def _settle_end(self, attempt: Attempt, result: Any, error: BaseException | None, us: int) -> None:
        if not attempt.id.endswith(attempt.job.key):
            raise ResultError("its key was changed")
        cause = attempt.cause
        if cause == "abort":
            self.fail(attempt, Status.ABORTED, attempt.aborted or "aborted", None, us)
        elif cause == "stop" and error is not None:
            self._back(attempt)
        elif cause == "stuck":
            self._again_or(attempt, Status.ABORTED, attempt.queue.swept_error_message, None, us)
        elif cause == "timeout":
            late = TimeoutError(f"timed out after {attempt.job.timeout:g} s")
            late.__traceback__ = error.__traceback__ if error is not None else None
            self._again_or(attempt, Status.FAILED, _text(late), late, us)
        elif error is not None:
            self._again_or(attempt, Status.FAILED, _text(error), error, us)
        else:
            self._complete(attempt, result, us)

    def _complete(self, attempt: Attempt, result: Any, us: int) -> None:
        job = attempt.job
        try:
            try:
                payload, steps = self._completed(attempt, result)
            except Exception:  # noqa: BLE001 - not the result, perhaps: arguments that were changed in place
                self._restore(attempt)
                payload, steps = self._completed(attempt, result)
        except Exception as refused:  # noqa: BLE001 - whatever the encoding raises (a user's own may) fails the job
            job.progress = 0.0
            self.fail(attempt, Status.FAILED, _text(refused), refused, us)
            return
        if saq_logger.isEnabledFor(logging.INFO):
            saq_logger.info("Finished %s", job.info(saq_logger.isEnabledFor(logging.DEBUG)))
        self.tally.complete += 1
        attempt.queue.complete += 1
        self._settle(
            ending.complete(
                job, payload, number=attempt.number, holder=attempt.holder, us=us, worker=self.worker, steps=steps
            )
        )
        if self.on_ended is not None:
            self.on_ended(job)

    def _completed(self, attempt: Attempt, result: Any) -> tuple[Any, Sequence[Step]]:
        """The job as it is stored when it is complete, and what follows it."""
        job = attempt.job
        job.status = Status.COMPLETE
        job.result = result
        job.error = None
        job.completed = now_ms = self._clock.now_ms()
        job.progress = 1.0
        return attempt.queue.serialize(job), self._steps(job, Status.COMPLETE, result, now_ms)

    @staticmethod
    def _restore(attempt: Attempt) -> None:
        """Make the attempt's job again what was taken; nothing to be done where that is not known."""
        taken = attempt.queue.deserialize(attempt.payload)
        if taken is not None:
            attempt.job.__dict__ = taken.__dict__

    def _steps(self, job: Job, status: Status, result: Any, now_ms: int) -> Sequence[Step]:
        return self.follow(job, status, result, now_ms) if self.follow is not None and job.meta else ()

    def _steps_of_failure(self, job: Job, status: Status, now_ms: int) -> Sequence[Step]:
        try:
            return self._steps(job, status, None, now_ms)
        except (TypeError, ValueError, LookupError, AttributeError, msgspec.MsgspecError) as refused:
            logger.warning("what follows %s can't be read: %s", job.id, refused)
            return ()

    def _again_or(self, attempt: Attempt, status: Status, text: str, error: BaseException | None, us: int) -> None:
        """Retry a failed attempt if it has one left, else end the job."""
        job = attempt.job
        logged = saq_logger.isEnabledFor(logging.ERROR)
        if logged:
            saq_logger.error("Error processing %s\n%s", job.info(), text)
        if (job.retries or 1) > job.attempts:
            self._retry(attempt, text, error, us)
        else:
            self.fail(attempt, status, text, error, us)

    def _retry(self, attempt: Attempt, text: str, error: BaseException | None, us: int) -> None:
        job = attempt.job
        now_ms, started = self._clock.now_ms(), int(job.started)
        delay_s = _delay_s(job)
        job.status = Status.QUEUED
        job.error = text
        job.completed = job.started = 0
        job.progress = 0.0
        job.result = None
        signature = signature_of(error, job.function) if error is not None else signature_of_text(text, job.function)
        item = ending.retried(
            job,
            ending.stored(attempt.queue, job),
            number=attempt.number,
            holder=attempt.holder,
            due=(now_ms / 1000 + delay_s) if delay_s else 0.0,
            us=us,
            worker=self.worker,
            at_ms=now_ms,
            started=started,
            signature=signature.id,
        )
        self.tally.retried += 1
        attempt.queue.retried += 1
        self._settle(item)

    def fail(self, attempt: Attempt, status: Status, text: str, error: BaseException | None, us: int) -> None:
        """End a job as failed or aborted."""
        job = attempt.job
        now_ms = self._clock.now_ms()
        job.status = status
        job.error = text
        job.result = None
        job.completed = now_ms
        signature = signature_of(error, job.function) if error is not None else signature_of_text(text, job.function)
        item = ending.failed(
            job,
            ending.stored(attempt.queue, job),
            signature,
            number=attempt.number,
            holder=attempt.holder,
            us=us,
            worker=self.worker,
            version=self._version,
            steps=self._steps_of_failure(job, status, now_ms),
        )
        if status is Status.FAILED:
            self.tally.failed += 1
            attempt.queue.failed += 1
        else:
            self.tally.aborted += 1
            attempt.queue.aborted += 1
        self._settle(item)
        if self.on_ended is not None:
            self.on_ended(job)

    def _back(self, attempt: Attempt) -> None:
        """Hand a job back to the front of its queue, its attempt not counted."""
        job = attempt.job
        job.status = Status.QUEUED
        job.attempts = max(0, job.attempts - 1)
        job.started = job.touched = 0
        job.worker_id = None
        payload = ending.stored(attempt.queue, job)
        self._settle(ending.back(attempt.id, payload, number=attempt.number, holder=attempt.holder))


def _delay_s(job: Job) -> float:
    """How long until the next attempt; SAQ's doubling ends in an OverflowError at the 1,025th."""
    try:
        return job.next_retry_delay()
    except OverflowError:
        most = job.retry_backoff
        return 0.0 if not job.retry_delay else float(LONGEST_S if most is True else most)


def _message(error: BaseException) -> str:
    """An exception in one line, whatever its own text raises."""
    return traceback.format_exception_only(error)[-1].strip()


def _text(error: BaseException) -> str:
    """The traceback as SAQ stores it, without our own frames before the function's; else the error's last line."""
    shown = error.__traceback__
    while shown is not None and shown.tb_next is not None and shown.tb_frame.f_code.co_filename in _OWN_FILES:
        shown = shown.tb_next
    return "".join(traceback.format_exception(type(error), error, shown))
