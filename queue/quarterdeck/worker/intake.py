"""What a turn took, on its way to running: reading, setting aside, marking, waiting for its turn to run alone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from redis import exceptions
from saq.job import Job, Status

from quarterdeck.broker import ending
from quarterdeck.broker.scripts import script
from quarterdeck.worker.attempt import Attempt
from quarterdeck.worker.reading import Readings
from quarterdeck.worker.rules import Rules

if TYPE_CHECKING:
    from quarterdeck.worker.worker import Worker

logger = logging.getLogger("quarterdeck.worker")

ORPHAN_DELAY_S: Final = 1.0
ORPHAN_LONGEST_S: Final = 30.0
"""An unknown function's job comes back after 1 s, then 2, 4, … up to this."""
ORPHAN_BOUND_MS: Final = 24 * 3600 * 1000
"""After this long without a worker that knows its function, a job fails."""


class Intake:
    """Takes in jobs for a worker: says how many it wants, and hands to the runner what may run."""

    def __init__(self, worker: Worker) -> None:
        self.rules = Rules()
        self.marking: dict[str, Attempt] = {}
        """Held, and not yet marked active."""
        self.alone: deque[Attempt] = deque()
        """Suspects that wait until nothing else runs here."""
        self._worker = worker
        self._alone_now: Attempt | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._taken = 0
        self._idle_since: float | None = None

    def slots(self) -> int:
        """How many more jobs may be taken now."""
        worker = self._worker
        if worker.event.is_set() or worker.paused or self.alone or self._alone_now or not worker.beats.fresh:
            return 0
        free = worker.concurrency - len(worker.runner.running) - len(self.marking)
        if worker.burst and worker.max_burst_jobs is not None:
            free = min(free, worker.max_burst_jobs - self._taken)
        return free

    def taken(self, number: int, holder: str, marked: list[bytes], unmarked: list[bytes], alone: list[bytes]) -> None:
        """A turn has taken jobs from the queue `number`."""
        worker = self._worker
        queue = worker.queues[number - 1]
        self._idle_since = None
        readings = Readings(queue, number, holder, worker.clock.now_ms())
        self._taken += (len(marked) + len(unmarked) + len(alone)) // 2
        ready = readings.read(marked, marked=True) if marked else []
        later = readings.read(unmarked, marked=False) if unmarked else []
        suspects = readings.read(alone, marked=False) if alone else []
        for item in readings.settlements:
            logger.warning("set aside: %r", item[2])
            worker.turns.settle(item)
        if worker.event.is_set():  # told to stop while the turn was on its way
            for attempt in (*ready, *later, *suspects):
                self._hand_back(attempt)
            return
        functions = worker.runner.functions
        rules = self.rules.of(queue.name)
        for attempt in ready:
            if (attempt.job.function in functions and not rules) or self._admitted(attempt):
                worker.runner.start(attempt)
        later = [attempt for attempt in later if self._admitted(attempt)]
        for attempt in suspects:
            if self._admitted(attempt):
                attempt.alone = True
                self.alone.append(attempt)
        if later:
            self._mark(later)
        self._next_alone()

    def freed(self) -> None:
        """A slot is free."""
        worker = self._worker
        if self._alone_now is not None and not worker.runner.running:
            self._alone_now = None
        self._next_alone()
        self._check_burst()
        worker.turns.kick()

    def idle(self) -> None:
        """A turn found nothing."""
        self._idle_since = self._idle_since or time.monotonic()
        self._check_burst()

    def hand_back(self) -> None:
        """Give back what is held and does not run."""
        for attempt in [*self.marking.values(), *self.alone]:
            self._hand_back(attempt)
        self.alone.clear()
        self.marking.clear()

    # -- what may run --

    def _admitted(self, attempt: Attempt) -> bool:
        """Whether an attempt may run here; what may not is settled."""
        worker = self._worker
        job = attempt.job
        if job.status is Status.ABORTING:
            self._abort(attempt)
            return False
        rule = self.rules.match(job)
        if rule is not None:
            payload = self._queued(attempt)
            worker.turns.settle(
                ending.held(
                    job,
                    payload,
                    number=attempt.number,
                    holder=attempt.holder,
                    rule=rule.id,
                    reason=rule.reason,
                    at_ms=worker.clock.now_ms(),
                )
            )
            return False
        if job.function not in worker.runner.functions:
            self._spawn(self._orphan(attempt))
            return False
        return True

    def _abort(self, attempt: Attempt) -> None:
        """It was being aborted when it was taken."""
        attempt.cause, attempt.aborted = "abort", attempt.job.error
        attempt.start_s = time.perf_counter()
        self._worker.runner.end(attempt, None, None)

    def _queued(self, attempt: Attempt) -> bytes:
        """The payload of a taken job as it waits again, its attempt not counted."""
        job = attempt.job
        if job.status is Status.ACTIVE and not attempt.raw:
            job.attempts = max(0, job.attempts - 1)
        job.status = Status.QUEUED
        job.started = job.touched = 0
        job.worker_id = None
        payload = attempt.queue.serialize(job)
        return payload.encode() if isinstance(payload, str) else payload

    def _hand_back(self, attempt: Attempt) -> None:
        payload = self._queued(attempt)
        self._worker.turns.settle(ending.back(attempt.id, payload, number=attempt.number, holder=attempt.holder))

    async def _orphan(self, attempt: Attempt) -> None:
        """A function that is not known here: back for another worker, after a delay; it fails after a bound."""
        worker = self._worker
        now_ms = worker.clock.now_ms()
        wire = worker.turns.wire
        known = None
        if wire is not None:
            try:
                known = await wire.call("HGET", attempt.queue.keys.orphans, attempt.id)
            except exceptions.RedisError:
                known = None
        first, times = (int(part) for part in known.split(b"/")[:2]) if known else (now_ms, 0)
        if now_ms - first > ORPHAN_BOUND_MS:
            attempt.start_s = time.perf_counter()
            text = f"No worker knows the function {attempt.job.function!r}."
            worker.runner.fail(attempt, Status.FAILED, text, None, 0)
            return
        delay_s = min(ORPHAN_DELAY_S * 2**times, ORPHAN_LONGEST_S)
        if times == 0:
            logger.warning(
                "the function %r is not known here; its jobs wait for a worker that knows it", attempt.job.function
            )
        worker.turns.settle(
            ending.back(
                attempt.id,
                self._queued(attempt),
                number=attempt.number,
                holder=attempt.holder,
                due=now_ms / 1000 + delay_s,
                orphan=f"{first}/{times + 1}/{attempt.job.function}",
            )
        )

    # -- marking --

    def _mark(self, attempts: list[Attempt]) -> None:
        for attempt in attempts:
            self.marking[attempt.id] = attempt
        self._spawn(self._mark_all(attempts))

    async def _mark_all(self, attempts: list[Attempt]) -> None:
        """Mark jobs active whose payload could not be edited in place, then run them."""
        worker = self._worker
        queue = attempts[0].queue
        while attempts:
            await worker.turns.connected.wait()
            wire = worker.turns.wire
            if wire is None:
                await asyncio.sleep(0.01)
                continue
            actives = [self._active(attempt) for attempt in attempts]
            args: list[str | bytes] = []
            for attempt, active in zip(attempts, actives, strict=True):
                args += [attempt.id, attempt.holder, attempt.raw, active]
            try:
                answers = await wire.call("EVALSHA", script("mark").sha, 1, queue.keys.queued, queue.name, *args)
            except exceptions.RedisError as error:
                logger.debug("marking: %s", error)
                await asyncio.sleep(0.1)
                continue
            attempts = self._marked(attempts, actives, answers)

    def _active(self, attempt: Attempt) -> bytes:
        """The payload of an attempt as it runs."""
        job: Job = attempt.job
        copied = attempt.queue.copy(job)
        copied.status = Status.ACTIVE
        copied.attempts = job.attempts + 1
        copied.started = copied.touched = self._worker.clock.now_ms()
        copied.worker_id = self._worker.id
        payload = attempt.queue.serialize(copied)
        return payload.encode() if isinstance(payload, str) else payload

    def _marked(self, attempts: list[Attempt], actives: list[bytes], answers: list[object]) -> list[Attempt]:
        """Start what was marked; returns what must be marked anew."""
        again = []
        for attempt, active, answer in zip(attempts, actives, answers, strict=True):
            if self.marking.get(attempt.id) is not attempt:
                continue  # handed back meanwhile
            if answer in (1, active):
                del self.marking[attempt.id]
                attempt.job.__dict__ = attempt.queue.deserialize(active).__dict__
                attempt.raw = b""
                self._worker.runner.start(attempt)
            elif answer == 0:
                self._drop(attempt)
            else:
                again += self._changed(attempt, answer)
        return again

    def _changed(self, attempt: Attempt, payload: object) -> list[Attempt]:
        """The payload changed between taking and marking: an abort, an edit, or it is gone."""
        try:
            job = attempt.queue.deserialize(payload) if isinstance(payload, bytes) else None
        except (ValueError, TypeError):
            job = None
        if job is None or not isinstance(payload, bytes):
            self._drop(attempt)
            self._worker.turns.settle(ending.dropped(attempt.id, number=attempt.number, holder=attempt.holder))
            return []
        attempt.job.__dict__ = job.__dict__
        attempt.raw = payload
        if self._admitted(attempt):
            return [attempt]
        self._drop(attempt)
        return []

    def _drop(self, attempt: Attempt) -> None:
        self.marking.pop(attempt.id, None)
        if attempt is self._alone_now:
            self._alone_now = None
        self.freed()

    # -- suspects --

    def _next_alone(self) -> None:
        """Start a suspect when nothing else runs here."""
        worker = self._worker
        if self.alone and self._alone_now is None and not worker.runner.running and not self.marking:
            self._alone_now = attempt = self.alone.popleft()
            logger.warning("%s took down its worker before: it runs alone", attempt.id)
            self._mark([attempt])

    # -- burst --

    def _check_burst(self) -> None:
        worker = self._worker
        if not worker.burst or worker.event.is_set() or worker.runner.running or self.marking or self.alone:
            return
        done = worker.max_burst_jobs is not None and self._taken >= worker.max_burst_jobs
        if not done and self._idle_since is not None:
            left_s = self._idle_since + worker.dequeue_timeout - time.monotonic()
            done = left_s <= 0
            if not done:
                self._loop.call_later(left_s, self._check_burst)
        if done:
            worker.event.set()

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
