"""New jobs on their way: those that meet a call in flight travel together in the next; a lone one waits for nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from redis import exceptions

from quarterdeck.broker.caller import Caller
from quarterdeck.broker.scripts import script
from quarterdeck.keys import keys_of

CHUNK: Final = 250
"""New jobs a call: about 2 ms of the server's time."""

NewJob = tuple[bytes, bytes, str]
"""KEY, payload, epoch s when it is due (0: now)."""


def due_text(scheduled: float) -> str:
    """When a job is due, as the script takes it: 0 for now, or for what SAQ never runs: before the epoch."""
    return str(scheduled) if scheduled > 0 else "0"


class Enqueuer:
    """Sends the new jobs of one queue."""

    def __init__(self, caller: Caller, queue: str) -> None:
        self._caller = caller
        self._queue = queue
        self._keys = (keys_of(queue).queued,)
        self._script = script("enqueue")
        self._waiting: deque[tuple[NewJob, asyncio.Future[bool]]] = deque()
        self._in_flight = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def add(self, job: NewJob) -> bool:
        """Enqueue one job; False when its key waits, runs or is being aborted. Raises redis-py's exceptions."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, future))
        if not self._in_flight:
            self._send()
        return await future

    async def add_many(self, jobs: Sequence[NewJob]) -> list[bool]:
        """Enqueue jobs in chunks of one call each, atomic a chunk; for each whether it is new."""
        accepted: list[bool] = []
        for start in range(0, len(jobs), CHUNK):
            part = jobs[start : start + CHUNK]
            refused = await self._run(part)
            answers = [True] * len(part)
            for number in refused:
                answers[number - 1] = False
            accepted += answers
        return accepted

    def _send(self) -> None:
        """Send what waits, one call at a time."""
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), CHUNK))]
        self._in_flight = True
        wire = self._caller.wire
        if wire is None:
            self._later(batch, again=False)
            return
        args: list[Any] = ["EVALSHA", self._script.sha, 1, self._keys[0], self._queue, 0]
        for job, _ in batch:
            args += job
        wire.send(tuple(args), lambda answer: self._answered(batch, answer))

    def _answered(self, batch: list[tuple[NewJob, asyncio.Future[bool]]], answer: Any) -> None:
        if isinstance(answer, exceptions.NoScriptError):
            self._later(batch, again=False)
        elif isinstance(answer, (exceptions.ConnectionError, exceptions.TimeoutError)):
            self._later(batch, again=True)
        else:
            self._resolve(batch, answer)

    def _resolve(self, batch: list[tuple[NewJob, asyncio.Future[bool]]], answer: Any) -> None:
        refused = set() if isinstance(answer, BaseException) else set(answer)
        for number, (_, future) in enumerate(batch, 1):
            if future.done():
                continue
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(number not in refused)
        self._in_flight = False
        if self._waiting:
            self._send()

    def _later(self, batch: list[tuple[NewJob, asyncio.Future[bool]]], *, again: bool) -> None:
        """Send a batch by the way that connects, loads the script and tries again."""
        task = asyncio.get_running_loop().create_task(self._send_slowly(batch, again=again))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_slowly(self, batch: list[tuple[NewJob, asyncio.Future[bool]]], *, again: bool) -> None:
        try:
            answer = await self._run([job for job, _ in batch], again=again)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is those who wait that must hear it
            answer = error
        except asyncio.CancelledError:
            self._resolve(batch, exceptions.ConnectionError("the queue was closed"))
            raise
        self._resolve(batch, answer)

    async def _run(self, jobs: Sequence[NewJob], *, again: bool = False) -> Any:
        flat = [part for job in jobs for part in job]
        return await self._caller.run(
            self._script, self._keys, [self._queue, int(again), *flat], again=[self._queue, 1, *flat]
        )

    def forget(self) -> None:
        """Drop what belongs to an event loop that is gone."""
        self._waiting.clear()
        self._in_flight = False
