"""Keeping what stock workers would let go: SAQ's own notifications are listened to, and what they tell is recorded.

Nothing is installed on the other side. What can't be seen is counted: jobs that SAQ deletes at their end (`ttl=-1`),
notifications that came while nobody listened, payloads above the bound.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from redis.exceptions import RedisError

from quarterdeck.keys import JOB_PREFIX, keys_of
from quarterdeck.record.halting import halted
from quarterdeck.record.observation import ENDINGS, Observation, read_job
from quarterdeck.record.retention import HISTORY_COUNT, usual_bounds
from quarterdeck.script import Argument, load

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a payload that are read; jobs above it are only counted."""
PING_S: Final = 10.0
SILENCE_S: Final = 20.0
"""After so long without a sign of life, pings included, the connection is taken for dead."""
REMEMBER_MS: Final = 120_000
UPKEEP_S: Final = 5.0
BATCH: Final = 200
WAITING: Final = 20_000
"""Notifications that may wait to be recorded; more are counted as not seen."""
TAKEN: Final = 20_000
"""Jobs whose beginning is remembered."""
DROP_AT_MOST: Final = 1_000
_BACK_OFF_S: Final = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)
_GLOB: Final = re.compile(r"([*?\[\]\\^])")
_LOST: Final = (RedisError, OSError, TimeoutError)
_LOG: Final = logging.getLogger(__name__)


class Coverage(msgspec.Struct, kw_only=True):
    """What a recorder saw, and what it could not see."""

    recorded: int = 0
    known: int = 0
    """Recorded by another recorder already."""
    deck: int = 0
    """Jobs of workers of ours, which record their own."""
    caught_up: int = 0
    """Failed jobs found among what SAQ still kept."""
    gone: int = 0
    """Ended jobs whose payload was gone at once: SAQ's `ttl=-1`."""
    unreadable: int = 0
    overflowed: int = 0
    """Notifications dropped because recording could not keep up."""
    large: int = 0
    """Ended jobs whose payload is above `LARGEST`."""
    away_s: float = 0.0
    """Seconds in which nobody listened because the server was away."""

    def unseen(self) -> str:
        """What could not be seen, in words; empty when nothing was missed."""
        parts = {
            f"{self.gone} jobs that SAQ deleted at their end (ttl=-1)": self.gone,
            f"{self.unreadable} unreadable payloads": self.unreadable,
            f"{self.overflowed} notifications that came too fast": self.overflowed,
            f"{self.large} jobs above {LARGEST // 1024 // 1024} MB": self.large,
            f"what happened in {self.away_s:.0f} s without a connection": self.away_s >= 1,
        }
        return ", ".join(text for text, some in parts.items() if some)


class Recorder:
    """Records what stock workers end. `client` is a redis-py asyncio client that answers in bytes.

    With `queues` only these, else all of the deployment. Several recorders on one deployment record each thing once.
    Jobs of workers of ours are passed over.
    """

    def __init__(self, client: Any, queues: Sequence[str] = ()) -> None:
        self._client = client
        self._only = frozenset(queues)
        self.queues: set[str] = set(queues)
        """Queues that were met."""
        self.coverage = Coverage()
        self.listening = asyncio.Event()
        """Set while notifications come in: for whoever must not miss the first one."""
        self._waiting: asyncio.Queue[tuple[str, str, int]] = asyncio.Queue(WAITING)
        self._taken: OrderedDict[str, int] = OrderedDict()
        self._pause = 0

    async def run(self) -> None:
        """Listen and record until cancelled; a server that is away is waited for, with back-off."""
        tasks = [
            asyncio.create_task(self._listen(), name="record-listen"),
            asyncio.create_task(self._write(), name="record-write"),
            asyncio.create_task(self._keep_up(), name="record-upkeep"),
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            await halted(*tasks)

    async def drain(self) -> None:
        """Wait until all that was heard is recorded."""
        await self._waiting.join()

    # Hearing.

    def _patterns(self) -> list[str]:
        ids = [keys_of(queue).job("") for queue in sorted(self._only)] or [JOB_PREFIX]
        return [_GLOB.sub(r"\\\1", each) + "*" for each in ids]

    async def _listen(self) -> None:
        while True:
            pubsub = self._client.pubsub(ignore_subscribe_messages=False)
            lost_at = time.monotonic()
            try:
                await pubsub.psubscribe(*self._patterns())
                await self._hear(pubsub)
            except _LOST as error:
                await self._lost(error, lost_at)
            finally:
                with suppress(*_LOST):
                    await pubsub.aclose()

    async def _hear(self, pubsub: Any) -> None:
        heard_at = pinged_at = time.monotonic()
        while True:
            message = await pubsub.get_message(timeout=PING_S / 4)
            at = time.monotonic()
            if message is None:
                if at - heard_at > SILENCE_S:
                    raise ConnectionError("the server went silent")
                if at - max(heard_at, pinged_at) > PING_S:
                    await pubsub.ping()
                    pinged_at = at
                continue
            heard_at = at
            if message["type"] == "psubscribe":
                if self._pause:
                    _LOG.info("Listening to SAQ's notifications again.")
                self._pause = 0
                self.listening.set()
            elif message["type"] == "pmessage":
                self._heard(message["channel"].decode("utf-8", "replace"), message["data"])

    async def _lost(self, error: BaseException, since: float) -> None:
        """Wait before the next try; say so once."""
        if self.listening.is_set():
            _LOG.warning("Not listening: %s. What happens now can't be seen.", error)
        self.listening.clear()
        await asyncio.sleep(_BACK_OFF_S[min(self._pause, len(_BACK_OFF_S) - 1)] * random.uniform(0.8, 1.2))  # noqa: S311
        self._pause += 1
        self.coverage.away_s += time.monotonic() - since

    def _heard(self, job_id: str, data: bytes) -> None:
        """Take one notification: SAQ publishes a job's status on its id."""
        status = data.decode("utf-8", "replace").rpartition(".")[2].lower()
        now_ms = time.time_ns() // 1_000_000
        if status == "active":
            if job_id not in self._taken:
                self._taken[job_id] = now_ms
                if len(self._taken) > TAKEN:
                    self._taken.popitem(last=False)
        elif status in ENDINGS:
            try:
                self._waiting.put_nowait((job_id, ENDINGS[status], now_ms))
            except asyncio.QueueFull:
                self.coverage.overflowed += 1

    # Recording.

    async def _write(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                await self._record_when_possible(batch)
            finally:
                for _ in batch:
                    self._waiting.task_done()

    async def _record_when_possible(self, batch: list[tuple[str, str, int]]) -> None:
        tries = 0
        while True:
            try:
                await self._record(await self._observations(batch))
            except _LOST as error:
                _LOG.debug("recording waits: %s", error)
                await asyncio.sleep(_BACK_OFF_S[min(tries, len(_BACK_OFF_S) - 1)])
                tries += 1
            else:
                return

    async def _observations(self, batch: list[tuple[str, str, int]]) -> list[Observation]:
        payloads = await self._payloads([job_id for job_id, _, _ in batch])
        found = []
        for (job_id, status, seen_ms), payload in zip(batch, payloads, strict=True):
            observation = self._observation(job_id, status, seen_ms, payload)
            if observation is not None:
                found.append(observation)
        return found

    async def _payloads(self, ids: Sequence[str]) -> list[bytes]:
        pipe = self._client.pipeline(transaction=False)
        for job_id in ids:
            pipe.getrange(job_id, 0, LARGEST)
        return [value if isinstance(value, bytes) else b"" for value in await pipe.execute(raise_on_error=False)]

    def _observation(self, job_id: str, status: str, seen_ms: int, payload: bytes) -> Observation | None:
        taken_ms = self._taken.pop(job_id, 0)
        if not payload:
            self.coverage.gone += 1
            return None
        if len(payload) > LARGEST:
            self.coverage.large += 1
            return None
        job = read_job(payload)
        if job is None or not job.function or job_id != keys_of(job.queue).job(job.key):
            self.coverage.unreadable += 1
            return None
        if self._only and job.queue not in self._only:
            return None  # a queue whose name begins as that of one of ours
        if status == "retried" and not job.attempts:
            return None
        return Observation(job=job, status=status, payload=payload, seen_ms=seen_ms, taken_ms=taken_ms)

    async def _record(self, observations: Sequence[Observation]) -> None:
        by_queue: dict[str, list[Observation]] = {}
        for observation in observations:
            by_queue.setdefault(observation.job.queue, []).append(observation)
        for queue, found in by_queue.items():
            self.queues.add(queue)
            flat: list[Argument] = [argument for observation in found for argument in observation.arguments()]
            script = load("quarterdeck.record", "observe", "names", "failed")
            bounds: list[Argument] = [queue, HISTORY_COUNT, REMEMBER_MS]
            answers = await script(self._client, [keys_of(queue).queued], bounds + flat)
            for answer, observation in zip(answers, found, strict=True):
                self._count(answer.decode(), observation)

    def _count(self, answer: str, observation: Observation) -> None:
        if answer == "recorded" and observation.found_late:
            self.coverage.caught_up += 1
        else:
            setattr(self.coverage, answer, getattr(self.coverage, answer) + 1)

    # Upkeep.

    async def _keep_up(self) -> None:
        while True:
            with suppress(*_LOST):
                await self.upkeep()
            await asyncio.sleep(UPKEEP_S)

    async def upkeep(self) -> None:
        """Sample depths, fold minutes into hours, keep the bounds: once, for all queues that were met."""
        script = load("quarterdeck.record", "upkeep", "names", "failed", "keeping")
        for queue in sorted(self.queues):
            args: list[Argument] = [queue, DROP_AT_MOST, *usual_bounds()]
            await script(self._client, [keys_of(queue).queued], args)

    async def catch_up(self, *, steps: int = 5_000, step: int = 1_000) -> int:
        """Look once through what SAQ still keeps for failed jobs that nobody recorded; returns how many it found.

        A walk in bounded steps (SCAN), at most `steps` of them: for the start of a recording, not for each minute.
        """
        before = self.coverage.caught_up
        for pattern in self._patterns():
            cursor = 0
            for _ in range(steps):
                cursor, ids = await self._client.scan(cursor, match=pattern, count=step, _type="string")
                await self._record(await self._failed_among([job_id.decode("utf-8", "replace") for job_id in ids]))
                if int(cursor) == 0:
                    break
        return self.coverage.caught_up - before

    async def _failed_among(self, ids: Sequence[str]) -> list[Observation]:
        found = []
        now_ms = time.time_ns() // 1_000_000
        for start in range(0, len(ids), BATCH):
            chunk = ids[start : start + BATCH]
            for job_id, payload in zip(chunk, await self._payloads(chunk), strict=True):
                job = read_job(payload) if 0 < len(payload) <= LARGEST else None
                if job is None or job.status not in {"failed", "aborted"} or job_id != keys_of(job.queue).job(job.key):
                    continue
                if not self._only or job.queue in self._only:
                    found.append(
                        Observation(job=job, status=job.status, payload=payload, seen_ms=now_ms, found_late=True)
                    )
        return found
