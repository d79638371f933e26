"""What a turn took, on its way to running: reading, setting aside, marking, waiting for its turn to run alone."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from redis import exceptions
from saq.job import Status

from quarterdeck.broker import ending
from quarterdeck.worker.attempt import Attempt
from quarterdeck.worker.burst import Burst
from quarterdeck.worker.marking import Marking
from quarterdeck.worker.reading import Readings
from quarterdeck.worker.rules import Rules
from quarterdeck.worker.suspects import Suspects

if TYPE_CHECKING:
    from quarterdeck.worker.worker import Worker

logger = logging.getLogger("quarterdeck.worker")

ORPHAN_DELAY_S: Final = 1.0
ORPHAN_LONGEST_S: Final = 30.0
ORPHAN_SHARE: Final = 30
"""An unknown function's job comes back each second for half a minute, then whenever it has waited a thirtieth longer:
one worker may know it among many that don't."""
ORPHAN_APART_S: Final = 0.005
"""So far apart a worker sends such jobs back: thousands of them are not to take it from those that it knows."""
ORPHAN_BOUND_MS: Final = 24 * 3600 * 1000
"""After this long without a worker that knows its function, a job fails."""


def orphan_delay_s(waited_ms: float) -> float:
    """When a job that has waited so long for a worker that knows its function is tried again."""
    return min(max(waited_ms / 1000 / ORPHAN_SHARE, ORPHAN_DELAY_S), ORPHAN_LONGEST_S)


class Intake:
    """Takes in jobs for a worker: says how many it wants, and hands to the runner what may run."""

    def __init__(self, worker: Worker) -> None:
        self.rules = Rules()
        self._marking = Marking(worker, self._admitted, self._dropped)
        self.marking = self._marking.attempts
        self._suspects = Suspects(worker, lambda attempt: self._marking.mark([attempt]), self._hand_back)
        self.alone = self._suspects.waiting
        self._orphans: dict[str, Attempt] = {}
        """Of a function that is not known here, until it is known since when."""
        self._orphaned_s = 0.0
        self._worker = worker
        self.burst = Burst(worker, self.slots)

    def slots(self) -> int:
        """How many more jobs may be taken now."""
        worker = self._worker
        if worker.event.is_set() or worker.paused or self._suspects or not worker.beats.fresh:
            return 0
        if self.burst.over:
            return 0
        free = worker.concurrency - len(worker.runner.running) - len(self.marking)
        if worker.burst and worker.max_burst_jobs is not None:
            free = min(free, worker.max_burst_jobs - self.burst.taken)
        return free

    def taken(self, number: int, holder: str, marked: list[bytes], unmarked: list[bytes], alone: list[bytes]) -> None:
        """A turn has taken jobs from the queue `number`."""
        worker = self._worker
        queue = worker.queues[number - 1]
        readings = Readings(queue, number, holder, worker.clock.now_ms())
        self.burst.taken += (len(marked) + len(unmarked) + len(alone)) // 2
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
                self._suspects.add(attempt)
        if later:
            self._marking.mark(later)
        self._suspects.next()
        self.burst.look()

    def freed(self) -> None:
        """A slot is free."""
        self._suspects.ended()
        self._suspects.next()
        self.burst.look()
        self._worker.turns.kick()

    def idle(self) -> None:
        """A turn found nothing."""
        self.burst.look()

    def hand_back(self) -> None:
        """Give back what is held and does not run."""
        for attempt in [*self.marking.values(), *self.alone, *self._orphans.values()]:
            self._hand_back(attempt)
        self.alone.clear()
        self.marking.clear()
        self._orphans.clear()

    def holders(self) -> dict[str, str]:
        """Who holds what does not run yet: ID → W/TOKEN/."""
        waiting = [*self.marking.values(), *self.alone, *self._orphans.values()]
        return {attempt.id: attempt.holder for attempt in waiting}

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
            self._orphans[attempt.id] = attempt
            worker.spawn(self._orphan(attempt))
            return False
        return True

    def _abort(self, attempt: Attempt) -> None:
        """It was being aborted when it was taken."""
        attempt.cause, attempt.aborted = "abort", attempt.job.error
        attempt.start_s = time.perf_counter()
        self._worker.runner.end(attempt, None, None)

    def _queued(self, attempt: Attempt) -> bytes:
        """The payload of a taken job as it waits again, its attempt not counted."""
        began = attempt.job.status is Status.ACTIVE and not attempt.raw
        return ending.untaken(attempt.queue, attempt.job, began=began)

    def _hand_back(self, attempt: Attempt, in_s: float = 0) -> None:
        payload, due = self._queued(attempt), self._worker.clock.now_ms() / 1000 + in_s if in_s else 0
        self._worker.turns.settle(
            ending.back(attempt.id, payload, number=attempt.number, holder=attempt.holder, due=due)
        )

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
        if self._orphans.pop(attempt.id, None) is not attempt:
            return  # handed back meanwhile
        first, times = (int(part) for part in known.split(b"/")[:2]) if known else (now_ms, 0)
        if now_ms - first > ORPHAN_BOUND_MS:
            attempt.start_s = time.perf_counter()
            text = f"No worker knows the function {attempt.job.function!r}."
            worker.runner.fail(attempt, Status.FAILED, text, None, 0)
            return
        self._orphaned_s = max(now_ms / 1000, self._orphaned_s + ORPHAN_APART_S)
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
                due=self._orphaned_s + orphan_delay_s(now_ms - first),
                orphan=f"{first}/{times + 1}/{attempt.job.function}",
            )
        )

    def _dropped(self, attempt: Attempt) -> None:
        """It was held and will not run here."""
        self._suspects.dropped(attempt)
        self.freed()
