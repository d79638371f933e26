"""Running attempts: one task each, a timer for the time-out, and a settlement at every end."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from saq.job import Job, Status
from saq.queue.base import logger as saq_logger

from quarterdeck.broker import ending
from quarterdeck.broker.codec import ResultError
from quarterdeck.broker.ending import Settlement, Step
from quarterdeck.record import signature_of, signature_of_text
from quarterdeck.worker import threads
from quarterdeck.worker.attempt import Attempt
from quarterdeck.worker.clock import ServerClock
from quarterdeck.worker.threads import Threads

logger = logging.getLogger("quarterdeck.worker")

Function = Callable[..., Any]
Hooks = Sequence[Callable[[Any], Any]]
YOUNG_S: Final = 0.05
"""How old an attempt gets before its timer is set; a shorter time-out is seen to at its own time."""
Follow = Callable[[Job, Status, Any, int], Sequence[Step]]


_OWN_FILES: Final = {__file__, threads.__file__}


class Tally:
    """How many attempts ended how, since the worker started."""

    def __init__(self) -> None:
        self.complete = 0
        self.failed = 0
        self.retried = 0
        self.aborted = 0
        self.late = 0


class Runner:
    """Runs attempts of a worker and says what became of them to `settle`; `freed` is called when a slot is free."""

    def __init__(
        self,
        worker: str,
        functions: Mapping[str, Function],
        clock: ServerClock,
        settle: Callable[[Settlement], None],
        freed: Callable[[Attempt], None],
        *,
        hard_deadline_s: float = 1.0,
        version: str = "",
    ) -> None:
        self.worker = worker
        self.functions = functions
        self.threads = Threads()
        self.tally = Tally()
        self.running: dict[str, Attempt] = {}
        """Attempts that hold a slot, by the job's ID."""
        self.overdue: dict[str, Attempt] = {}
        """Attempts settled although their function goes on, by holder and ID."""
        self.before: Hooks = ()
        self.after: Hooks = ()
        self.context: dict[str, Any] = {}
        self.follow: Follow | None = None
        self.settled: Callable[[], Any] | None = None
        """Awaited before after-hooks: they may read what is stored."""
        self._clock = clock
        self._settle = settle
        self._freed = freed
        self._deadline_s = hard_deadline_s
        self._version = version
        self._is_async = {name: asyncio.iscoroutinefunction(function) for name, function in functions.items()}
        self._loop = asyncio.get_running_loop()
        self._young: list[Attempt] = []
        self._arming: asyncio.TimerHandle | None = None

    # -- starting --

    def start(self, attempt: Attempt) -> None:
        """Run an attempt that is marked active."""
        job = attempt.job
        self.running[attempt.id] = attempt
        attempt.task = self._loop.create_task(self._run(attempt))
        if job.timeout:
            attempt.deadline_s = self._loop.time() + job.timeout
            self._young.append(attempt)
            if self._arming is None:
                self._arming = self._loop.call_later(min(job.timeout, YOUNG_S), self._arm)

    def _arm(self) -> None:
        """Set the timers of attempts that are not done after a moment: most end before it and need none."""
        self._arming = None
        young, self._young = self._young, []
        for attempt in young:
            if not attempt.settled and attempt.timer is None:
                attempt.timer = self._loop.call_at(attempt.deadline_s, self.cancel, attempt, "timeout")

    async def _run(self, attempt: Attempt) -> None:
        job = attempt.job
        context = {**self.context, "job": job}
        if saq_logger.isEnabledFor(logging.INFO):
            saq_logger.info("Processing %s", job.info(saq_logger.isEnabledFor(logging.DEBUG)))
        attempt.start_s = time.perf_counter()
        error: BaseException | None = None
        result: Any = None
        try:
            for hook in self.before:
                await hook(context)
            attempt.start_s = time.perf_counter()
            if self._is_async[job.function]:
                result = await self.functions[job.function](context, **(job.kwargs or {}))
            else:
                result = await self._in_thread(attempt, context)
        except (Exception, asyncio.CancelledError) as raised:  # noqa: BLE001 - whatever a job raises is its end
            error = raised
        if attempt.timer is not None:
            attempt.timer.cancel()
        if not attempt.settled:
            self.end(attempt, result, error)
        if self.after:
            await self._after(context, error)
        self._release(attempt)

    async def _in_thread(self, attempt: Attempt, context: dict[str, Any]) -> Any:
        job = attempt.job
        function, arguments = self.functions[job.function], job.kwargs or {}
        attempt.thread = True

        def call() -> Any:
            attempt.thread_id = threading.get_ident()
            return function(context, **arguments)

        future = self.threads.run(call)
        try:
            result = await asyncio.shield(future)
        except asyncio.CancelledError:
            if not future.done():
                self._leave_thread(attempt, future)
            raise
        attempt.thread = False
        return result

    def _leave_thread(self, attempt: Attempt, future: asyncio.Future[Any]) -> None:
        """A thread can't be stopped: its slot is free, its end is waited for by nobody, and the operator sees it."""
        name = f"{attempt.holder}{attempt.id}"
        attempt.overdue = True
        self.overdue[name] = attempt

        def done(ended: asyncio.Future[Any]) -> None:
            self.overdue.pop(name, None)
            if not ended.cancelled():
                ended.exception()  # looked at, so that nobody warns

        future.add_done_callback(done)
        logger.warning("%s goes on in its thread and can't be stopped", attempt.id)

    # -- cancelling --

    def cancel(self, attempt: Attempt, cause: str) -> None:
        """Cancel an attempt; what does not end within the hard deadline loses its slot all the same."""
        if attempt.settled or attempt.cause or attempt.task is None:
            return
        attempt.cause = cause
        attempt.task.cancel()
        self._loop.call_later(self._deadline_s, self._abandon, attempt)

    def _abandon(self, attempt: Attempt) -> None:
        if attempt.settled:
            return
        attempt.detached = attempt.overdue = True
        name = f"{attempt.holder}{attempt.id}"
        self.overdue[name] = attempt
        assert attempt.task is not None
        attempt.task.add_done_callback(lambda _: self.overdue.pop(name, None))
        logger.warning("%s did not end when it was cancelled, and goes on", attempt.id)
        self.end(attempt, None, asyncio.CancelledError())
        self._free(attempt)

    # -- ending --

    def end(self, attempt: Attempt, result: Any, error: BaseException | None) -> None:
        """Settle an attempt."""
        attempt.settled = True
        us = int((time.perf_counter() - attempt.start_s) * 1_000_000)
        cause = attempt.cause
        if cause == "lost":
            return
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
        now_ms = self._clock.now_ms()
        job.status = Status.COMPLETE
        job.result = result
        job.error = None
        job.completed = now_ms
        job.progress = 1.0
        try:
            payload: Any = attempt.queue.serialize(job)
            steps = self._steps(job, Status.COMPLETE, result, now_ms)
        except (ResultError, TypeError, ValueError, msgspec.MsgspecError) as refused:
            job.result = None
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

    def _steps(self, job: Job, status: Status, result: Any, now_ms: int) -> Sequence[Step]:
        return self.follow(job, status, result, now_ms) if self.follow is not None and job.meta else ()

    def _steps_of_failure(self, job: Job, status: Status, now_ms: int) -> Sequence[Step]:
        try:
            return self._steps(job, status, None, now_ms)
        except (TypeError, ValueError, msgspec.MsgspecError) as refused:
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
        delay_s = job.next_retry_delay()
        job.status = Status.QUEUED
        job.error = text
        job.completed = job.started = 0
        job.progress = 0.0
        job.result = None
        signature = signature_of(error, job.function) if error is not None else signature_of_text(text, job.function)
        self.tally.retried += 1
        attempt.queue.retried += 1
        self._settle(
            ending.retried(
                job,
                self._payload(attempt),
                number=attempt.number,
                holder=attempt.holder,
                due=(now_ms / 1000 + delay_s) if delay_s else 0.0,
                us=us,
                worker=self.worker,
                at_ms=now_ms,
                started=started,
                signature=signature.id,
            )
        )

    def fail(self, attempt: Attempt, status: Status, text: str, error: BaseException | None, us: int) -> None:
        """End a job as failed or aborted."""
        job = attempt.job
        now_ms = self._clock.now_ms()
        job.status = status
        job.error = text
        job.result = None
        job.completed = now_ms
        payload = self._payload(attempt)
        signature = signature_of(error, job.function) if error is not None else signature_of_text(text, job.function)
        if status is Status.FAILED:
            self.tally.failed += 1
            attempt.queue.failed += 1
        else:
            self.tally.aborted += 1
            attempt.queue.aborted += 1
        self._settle(
            ending.failed(
                job,
                payload,
                signature,
                number=attempt.number,
                holder=attempt.holder,
                us=us,
                worker=self.worker,
                version=self._version,
                steps=self._steps_of_failure(job, status, now_ms),
            )
        )

    def _back(self, attempt: Attempt) -> None:
        """Hand a job back to the front of its queue, its attempt not counted."""
        job = attempt.job
        job.status = Status.QUEUED
        job.attempts = max(0, job.attempts - 1)
        job.started = job.touched = 0
        job.worker_id = None
        self._settle(ending.back(attempt.id, self._payload(attempt), number=attempt.number, holder=attempt.holder))

    def _payload(self, attempt: Attempt) -> Any:
        """The job as it is stored; a meta that can't be written (a task may have put anything into it) is let go."""
        try:
            return attempt.queue.serialize(attempt.job)
        except (TypeError, ValueError):
            attempt.job.meta = {}
            return attempt.queue.serialize(attempt.job)

    async def _after(self, context: dict[str, Any], error: BaseException | None) -> None:
        if error is not None:
            context["exception"] = error
        if self.settled is not None:
            await self.settled()
        try:
            for hook in self.after:
                await hook(context)
        except (Exception, asyncio.CancelledError):  # noqa: BLE001 - as SAQ: a hook's trouble is logged only
            saq_logger.exception("Failed to run after process hook")

    def _release(self, attempt: Attempt) -> None:
        if not attempt.detached:
            self._free(attempt)

    def _free(self, attempt: Attempt) -> None:
        if self.running.get(attempt.id) is attempt:
            del self.running[attempt.id]
        self._freed(attempt)


def _text(error: BaseException) -> str:
    """The traceback as SAQ stores it, without our own frames before the function's; else the error's last line."""
    shown = error.__traceback__
    while shown is not None and shown.tb_next is not None and shown.tb_frame.f_code.co_filename in _OWN_FILES:
        shown = shown.tb_next
    return "".join(traceback.format_exception(type(error), error, shown))
