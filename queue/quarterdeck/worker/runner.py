"""Running attempts: one task each, a timer for the time-out, and a settlement at every end."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from saq.queue.base import logger as saq_logger

from quarterdeck.broker.ending import Settlement
from quarterdeck.broker.fields import LONGEST_S
from quarterdeck.worker.attempt import Attempt
from quarterdeck.worker.clock import ServerClock
from quarterdeck.worker.outcomes import Outcomes
from quarterdeck.worker.threads import Threads

logger = logging.getLogger("quarterdeck.worker")

Function = Callable[..., Any]
Hooks = Sequence[Callable[[Any], Any]]
YOUNG_S: Final = 0.05
"""How old an attempt gets before its timer is set; a shorter time-out is seen to at its own time."""


class Runner(Outcomes):
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
        super().__init__(worker, clock, settle, version=version)
        self.functions = functions
        self.threads = Threads()
        self.running: dict[str, Attempt] = {}
        """Attempts that hold a slot, by the job's ID."""
        self.overdue: dict[str, Attempt] = {}
        """Attempts settled although their function goes on, by holder and ID."""
        self.before: Hooks = ()
        self.after: Hooks = ()
        self.context: dict[str, Any] = {}
        self.settled: Callable[[], Any] | None = None
        """Awaited before after-hooks: they may read what is stored."""
        self._freed = freed
        self._deadline_s = hard_deadline_s
        self._plain: dict[Function, bool] = {}
        self._loop = asyncio.get_running_loop()
        self._young: list[Attempt] = []
        self._arming: asyncio.TimerHandle | None = None

    # -- starting --

    def start(self, attempt: Attempt) -> None:
        """Run an attempt that is marked active."""
        job = attempt.job
        self.running[attempt.id] = attempt
        attempt.task = self._loop.create_task(self._run(attempt))
        if job.timeout and job.timeout < LONGEST_S:
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
            function = self.functions[job.function]
            if self._is_plain(function):
                result = await self._in_thread(attempt, function, context)
            else:
                result = await function(context, **(job.kwargs or {}))
        except BaseException as raised:  # noqa: BLE001 - whatever a job raises is its end, and not its worker's
            error = raised
        if attempt.timer is not None:
            attempt.timer.cancel()
        try:
            if not attempt.settled:
                self.end(attempt, result, error)
            if self.after and not isinstance(error, GeneratorExit):  # the coroutine is closed: it can't wait
                await self._after(context, error)
        finally:
            self._release(attempt)
        if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            raise error  # somebody's Ctrl-C, not the job's

    def _is_plain(self, function: Function) -> bool:
        """Whether a function runs in a thread."""
        plain = self._plain.get(function)
        if plain is None:
            plain = self._plain[function] = not asyncio.iscoroutinefunction(function)
        return plain

    async def _in_thread(self, attempt: Attempt, function: Function, context: dict[str, Any]) -> Any:
        arguments = attempt.job.kwargs or {}
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

    async def _after(self, context: dict[str, Any], error: BaseException | None) -> None:
        if error is not None:
            context["exception"] = error
        if self.settled is not None:
            await self.settled()
        try:
            for hook in self.after:
                await hook(context)
        except BaseException:  # noqa: BLE001 - as SAQ: a hook's trouble is logged only
            saq_logger.exception("Failed to run after process hook")

    def _release(self, attempt: Attempt) -> None:
        if not attempt.detached:
            self._free(attempt)

    def _free(self, attempt: Attempt) -> None:
        if self.running.get(attempt.id) is attempt:
            del self.running[attempt.id]
        self._freed(attempt)
