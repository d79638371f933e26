"""What a worker does beside its jobs: look after aborts, stuck jobs and lost ownership; introduce its queues."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final

from redis import exceptions
from saq.job import Status

from quarterdeck.broker import ending
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import script
from quarterdeck.keys import QUEUES
from quarterdeck.worker.attempt import Attempt

if TYPE_CHECKING:
    from quarterdeck.worker.worker import Worker

logger = logging.getLogger("quarterdeck.worker")

CLOSE_LOOK_S: Final = 10.0
"""How often every running job's payload is read, not only where there is an abort marker (those expire)."""
INTRODUCE_S: Final = 300.0
WATCHED: Final = 500
"""Jobs a call."""
YOUNG_S: Final = 0.05
"""Younger jobs are not looked at: most end before it."""
LOOKS_S: Final = (0.0, 0.01, 0.05, 0.1, 0.2, 0.4)
"""When to look for a job that is to be aborted: the answer by which it was taken may be under way still."""


class Upkeep:
    """The worker's steady duties."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._closely_s = 0.0
        self._unknown: dict[tuple[str, str], float] = {}
        self._to_abort: set[str] = set()

    def tasks(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until cancelled."""
        duties = [self._watch(), self._introduce()]
        if self._worker.cron_jobs and self._worker.scheduler is None:
            duties.append(self._saq_crons())
        return duties

    async def _introduce(self) -> None:
        """Put the queues' names where dashboards look for them (a key of all queues: in a cluster, on another node)."""
        first = self._worker.queues[0]
        while True:
            await self._worker.turns.connected.wait()
            try:
                await first.redis.sadd(QUEUES, *(queue.name for queue in self._worker.queues))
            except (exceptions.RedisError, OSError) as error:
                logger.debug("introducing: %s", error)
            await asyncio.sleep(INTRODUCE_S)

    async def _saq_crons(self) -> None:
        """SAQ's own cron jobs, when no scheduler carries them."""
        while True:
            try:
                await self._worker.schedule(1)
            except (exceptions.RedisError, OSError) as error:
                logger.debug("cron jobs: %s", error)
            await asyncio.sleep(self._worker.timers["schedule"])

    # -- running jobs --

    def look_closely(self) -> None:
        """Read all running jobs with the next look: our lease had ended."""
        self._closely_s = 0.0

    async def _watch(self) -> None:
        worker = self._worker
        every_s = float(worker.timers["abort"])
        while True:
            await asyncio.sleep(every_s)
            await self.watch(YOUNG_S)

    def abort(self, key: str) -> None:
        """Somebody says that a job of ours is to be aborted: look at once."""
        self._to_abort.add(key)
        if len(self._to_abort) == 1:
            self._worker.spawn(self._look_for_aborted())

    async def _look_for_aborted(self) -> None:
        running = self._worker.runner.running
        for pause_s in LOOKS_S:
            await asyncio.sleep(pause_s)
            attempts = [each for each in running.values() if each.job.key in self._to_abort]
            await self._look_at(attempts, closely=True)
            self._to_abort -= {each.job.key for each in attempts}
            if not self._to_abort:
                return
        self._to_abort.clear()

    async def watch(self, threshold_s: float) -> None:
        """Look after attempts that have run for `threshold_s`: aborted, held by somebody else, without heartbeat."""
        worker = self._worker
        now_s = time.perf_counter()
        attempts = [each for each in worker.runner.running.values() if now_s - each.start_s >= threshold_s]
        wire = worker.turns.wire
        if not attempts or wire is None:
            return
        closely = time.monotonic() - self._closely_s >= CLOSE_LOOK_S
        if closely:
            self._closely_s = time.monotonic()
        now_ms = worker.clock.now_ms()
        await self._look_at(attempts, closely=closely)
        for attempt in attempts:
            job = attempt.job
            if job.heartbeat and now_ms - max(int(job.touched), int(job.started)) > job.heartbeat * 1000:
                worker.runner.cancel(attempt, "stuck")

    async def _look_at(self, attempts: Sequence[Attempt], *, closely: bool) -> None:
        for number, queue in enumerate(self._worker.queues, 1):
            of_queue = [each for each in attempts if each.number == number]
            for start in range(0, len(of_queue), WATCHED):
                await self._look(queue, of_queue[start : start + WATCHED], closely=closely)

    async def _look(self, queue: Queue, attempts: list[Attempt], *, closely: bool) -> None:
        runner, wire = self._worker.runner, self._worker.turns.wire
        if wire is None:
            return
        pairs = [part for attempt in attempts for part in (attempt.id, attempt.holder)]
        try:
            answers = await wire.call(
                "EVALSHA", script("watch").sha, 1, queue.keys.queued, queue.name, int(closely), *pairs
            )
        except exceptions.RedisError as error:
            logger.debug("watching: %s", error)
            return
        for attempt, answer in zip(attempts, answers, strict=True):
            if attempt.settled:
                continue
            if answer == 1:
                logger.warning("%s is somebody else's now, it is stopped here", attempt.id)
                runner.cancel(attempt, "lost")
            elif answer != 0:
                attempt.aborted = _reason(queue, answer)
                logger.info("Aborting %s", attempt.id)
                runner.cancel(attempt, "abort")

    # -- what the server says we hold --

    def reconcile(self, number: int, pairs: list[tuple[str, str]]) -> None:
        """Give back what the server says we hold and nobody here knows of: an answer was lost, or its disk forgot."""
        worker = self._worker
        if worker.event.is_set():
            return
        known = {attempt.id: attempt.holder for attempt in worker.runner.running.values()}
        known |= worker.intake.holders()
        known |= worker.turns.holders()
        now_s = time.monotonic()
        unknown: dict[tuple[str, str], float] = {}
        for job_id, token in pairs:
            if known.get(job_id) == f"{worker.lease_id}/{token}/" or worker.turns.travelling(int(token)):
                continue
            since_s = unknown[job_id, token] = self._unknown.get((job_id, token), now_s)
            if now_s - since_s >= 1.0:
                worker.spawn(self._give_back(number, job_id, token))
        self._unknown = unknown

    async def _give_back(self, number: int, job_id: str, token: str) -> None:
        worker = self._worker
        queue = worker.queues[number - 1]
        try:
            job = queue.deserialize(await queue.caller.call("GET", job_id))
        except (exceptions.RedisError, OSError, ValueError, TypeError):
            return
        holder = f"{worker.lease_id}/{token}/"
        if job is None:
            worker.turns.settle(ending.dropped(job_id, number=number, holder=holder))
            return
        if job.status is Status.ABORTING:
            attempt = Attempt(job_id, job, queue, number, holder)
            worker.runner.fail(attempt, Status.ABORTED, job.error or "aborted", None, 0)
            return
        logger.warning("%s was held and not run, it goes back", job_id)
        raw = ending.untaken(queue, job, began=job.status is Status.ACTIVE)
        worker.turns.settle(ending.back(job_id, raw, number=number, holder=holder))


def _reason(queue: Queue, payload: bytes) -> str:
    try:
        job = queue.deserialize(payload)
    except (ValueError, TypeError):
        return "aborted"
    return (job.error if job is not None else None) or "aborted"
