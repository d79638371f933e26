"""Marking taken jobs active whose payload a script could not edit in place, before their function starts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from redis import exceptions
from saq.job import Job, Status

from quarterdeck.broker import ending
from quarterdeck.broker.scripts import script
from quarterdeck.worker.attempt import Attempt

if TYPE_CHECKING:
    from quarterdeck.worker.worker import Worker

logger = logging.getLogger("quarterdeck.worker")


class Marking:
    """What is being marked. `admitted` says whether an attempt may run, once more when its payload has changed;
    `dropped` is called for what will not run here after all."""

    def __init__(self, worker: Worker, admitted: Callable[[Attempt], bool], dropped: Callable[[Attempt], None]) -> None:
        self.attempts: dict[str, Attempt] = {}
        """Held, and not yet marked active, by the job's ID."""
        self._worker = worker
        self._admitted = admitted
        self._dropped = dropped

    def mark(self, attempts: list[Attempt]) -> None:
        """Mark attempts of one queue active; they run as soon as that is done."""
        for attempt in attempts:
            self.attempts[attempt.id] = attempt
        self._worker.spawn(self._mark_all(attempts))

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
        copied.worker_id = self._worker.lease_id
        return ending.stored(attempt.queue, copied)

    def _marked(self, attempts: list[Attempt], actives: list[bytes], answers: list[object]) -> list[Attempt]:
        """Start what was marked; returns what must be marked anew."""
        again = []
        for attempt, active, answer in zip(attempts, actives, answers, strict=True):
            if self.attempts.get(attempt.id) is not attempt:
                continue  # handed back meanwhile
            if answer in (1, active):
                del self.attempts[attempt.id]
                attempt.job.__dict__ = attempt.queue.deserialize(active).__dict__
                attempt.payload, attempt.raw = active, b""
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
        attempt.payload = attempt.raw = payload
        if self._admitted(attempt):
            return [attempt]
        self._drop(attempt)
        return []

    def _drop(self, attempt: Attempt) -> None:
        self.attempts.pop(attempt.id, None)
        self._dropped(attempt)
