"""The queue: SAQ's RedisQueue, on scripts that do each thing in one step and on lean connections."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from redis.exceptions import ResponseError
from saq.job import Job, Status
from saq.queue.base import logger
from saq.queue.redis import RedisQueue
from saq.utils import now

from quarterdeck.broker import ending
from quarterdeck.broker.address import parse_address
from quarterdeck.broker.client import client_of, close_client
from quarterdeck.broker.enqueuing import EnqueuingQueue
from quarterdeck.broker.following import Following
from quarterdeck.broker.scripts import script
from quarterdeck.broker.sweeping import sweep_queue
from quarterdeck.broker.waiter import Waiter
from quarterdeck.record import signature_of_text
from quarterdeck.record.retention import HISTORY_COUNT

_PROMOTED = 1000


class Queue(EnqueuingQueue):
    """A queue of SAQ's jobs on Redis or Valkey: everything that `saq.queue.redis.RedisQueue` promises, and more.

    `redis` is a redis-py asyncio client; the engine opens lean connections of its own to where it leads. `dump` and
    `load` replace the JSON encoding, as with SAQ. Errors of the server are redis-py's.
    """

    @classmethod
    def from_url(cls, url: str, **kwargs: Any) -> Queue:
        """A queue on the server at `url` (all forms of `broker.address`). Raises AddressError."""
        return cls(client_of(parse_address(url), client_name="quarterdeck-queue"), **kwargs)

    def __init__(
        self,
        redis: Any,
        name: str = "default",
        dump: Callable[[Mapping[Any, Any]], bytes | str] | None = None,
        load: Callable[[bytes | str], Any] | None = None,
        max_concurrent_ops: int = 20,
        swept_error_message: str | None = None,
    ) -> None:
        super().__init__(redis, name, dump, load, max_concurrent_ops, swept_error_message)
        self.waiter = Waiter(self.caller.endpoint)

    @classmethod
    def of(cls, queue: Any) -> Queue:
        """SAQ's queue as ours, on the same connection settings; one of ours as it is. Raises TypeError for others."""
        if isinstance(queue, cls):
            return queue
        if not isinstance(queue, RedisQueue):
            raise TypeError(f"A {type(queue).__name__} is no queue on Redis or Valkey.")
        own = cls(
            queue.redis,
            queue.name,
            **_codec(queue),
            max_concurrent_ops=queue._op_sem._value,
            swept_error_message=queue.swept_error_message,
        )
        for callback in queue._before_enqueues.values():
            own.register_before_enqueue(callback)
        return own

    def sibling(self, name: str) -> Queue:
        """Another queue on the same server, with the same encoding."""
        own = self.foreign_codec
        return type(self)(
            self.redis, name, self._dump if own else None, self._load if own else None, 20, self._swept_error_message
        )

    async def disconnect(self) -> None:
        """Close all connections; safe to call twice."""
        self.waiter.close()
        self.caller.close()
        await close_client(self.redis)

    async def map(
        self,
        job_or_func: str | Job,
        iter_kwargs: Sequence[dict[str, Any]],
        timeout: float | None = None,  # noqa: ASYNC109 - SAQ's signature
        return_exceptions: bool = False,
        poll_interval: float = 0.5,
        **kwargs: Any,
    ) -> list[Any]:
        """Enqueue a job for each of `iter_kwargs` and collect their results, in order; SAQ's `map`.

        Raises JobError as soon as one fails, unless `return_exceptions`; TimeoutError after `timeout` s.
        """
        shared = kwargs.get("key", "")
        each = [{"timeout": timeout, "key": shared or self.new_key(), **kwargs, **own} for own in iter_kwargs]
        following = Following(self, [own["key"] for own in each], poll_interval)
        return await following.results(job_or_func, each, timeout or None, return_exceptions=return_exceptions)

    async def listen(
        self,
        job_keys: Iterable[str],
        callback: Callable[[str, Status], Any],
        timeout: float | None = 10,  # noqa: ASYNC109 - SAQ's signature
        poll_interval: float = 0.5,
    ) -> None:
        """Call `callback(key, status)` for updates of jobs until it returns a true value.

        Raises TimeoutError when nothing was heard for `timeout` s (None or 0: wait for ever).
        """
        await Following(self, list(job_keys), poll_interval).listen(callback, timeout)

    # -- changing --

    async def _update(self, job: Job, status: Status | None = None, **_: Any) -> None:
        """Store a changed job; a job that has ended meanwhile, or that another worker runs now, stays as it is."""
        raw = await self.caller.call("GET", job.id)
        while raw:
            stored = self._readable(raw)
            if stored is None:
                return
            if job.worker_id and stored.worker_id != job.worker_id and stored.status is not Status.NEW:
                taken = stored.worker_id is not None or stored.status is not Status.QUEUED
                if taken or status is None:
                    return
            job.status = status or stored.status
            answer = await self.caller.run(script("update"), [job.id], [raw, self.serialize(job), job.status.value])
            if answer == 1:
                return
            raw = answer

    async def abort(self, job: Job, error: str, ttl: float = 5) -> None:
        """Abort a job: at once while it waits, by its worker while it runs; one that has ended stays as it is."""
        job.status = Status.ABORTING
        job.error = error
        ended = self.copy(job)
        ended.status, ended.result, ended.completed = Status.ABORTED, None, now()
        signature = signature_of_text(error, job.function)
        item = ending.failed(ended, ending.stored(self, ended), signature, number=1, holder="", us=0, worker="")
        marker_ms = max(1, int(ttl * 1000))
        answer = await self.caller.run(
            script("abort"),
            [self.keys.queued],
            [
                self.name,
                job.key,
                self.serialize(job),
                marker_ms,
                error,
                HISTORY_COUNT,
                *ending.arguments([item]),
            ],
        )
        if answer == b"waiting":
            self.aborted += 1
            job.replace(ended)
        elif answer == b"ended":
            stored = await self.job(job.key)
            if stored is not None:
                job.replace(stored)

    async def _retry(self, job: Job, error: str | None) -> None:  # noqa: ARG002 - SAQ's signature
        delay_s = job.next_retry_delay()
        due = time.time() + delay_s if delay_s else 0.0
        job.scheduled = 0
        item = ending.back(job.id, ending.stored(self, job), number=1, holder="", due=due)
        refused = await self.settle([(*item[:1], "r", *item[2:])])
        if refused:
            logger.warning("Not retried, a worker runs it now: %s", job.id)

    async def _finish(
        self,
        job: Job,
        status: Status,
        *,
        result: Any = None,  # noqa: ARG002 - SAQ's signature; it is in the job
        error: str | None = None,
        **_: Any,
    ) -> None:
        payload = ending.stored(self, job)
        us = max(0, int(job.completed - job.started)) * 1000 if job.started else 0
        worker = job.worker_id or ""
        if status is Status.COMPLETE:
            item = ending.complete(job, payload, number=1, holder=ending.ANYONE, us=us, worker=worker)
        else:
            signature = signature_of_text(error or "", job.function)
            item = ending.failed(job, payload, signature, number=1, holder=ending.ANYONE, us=us, worker=worker)
        await self.settle([item])

    async def settle(self, items: list[ending.Settlement]) -> list[int]:
        """Send settlements; returns the numbers of those refused."""
        args = [HISTORY_COUNT, self.name, *ending.arguments(items)]
        _, refused, errors = await self.caller.run(script("finish"), [self.keys.queued], args)
        if errors:
            raise ResponseError(errors[0].decode("utf-8", "replace"))
        return list(refused)

    async def finish_abort(self, job: Job) -> None:
        """End a job that was being aborted."""
        await self.caller.call("DEL", job.abort_id)
        await job.finish(Status.ABORTED, error=job.error)

    async def dequeue(self, timeout: float = 0.0, poll_interval: float = 0.0) -> Job | None:  # noqa: ARG002, ASYNC109
        """SAQ's take of one job, for stock workers on this queue; `timeout` s, or for ever. Ours take by turns.

        It asks again and again for less than the connection's time-out: who gives up waiting for an answer leaves a
        job that comes at that moment popped for nobody.
        """
        longest_s = min(1.0, self.caller.endpoint.timeout_s / 2)
        end_s = time.monotonic() + timeout if timeout else math.inf
        while True:
            wait_s = min(longest_s, max(end_s - time.monotonic(), 0.001))
            job_id = await self.redis.blmove(self.keys.queued, self.keys.active, wait_s, "LEFT", "RIGHT")  # type: ignore[arg-type] # fractions too
            if job_id is not None:
                return self.deserialize(await self.redis.get(job_id))
            if time.monotonic() >= end_s:
                return None

    async def schedule(self, lock: int = 1) -> list[str]:
        """Bring due jobs to the queue, by the server's clock; their ids. At most once in `lock` s, whoever asks."""
        ids, _ = await self.promote(lock)
        return ids

    async def promote(self, lock_s: int = 0) -> tuple[list[str], int]:
        """As `schedule`, and the ms until the next job is due (-1: none waits)."""
        answer = await self.caller.run(script("promote"), [self.keys.queued], [self.name, _PROMOTED, lock_s])
        return [job_id.decode("utf-8", "replace") for job_id in answer[0]], int(answer[1])

    async def sweep(self, lock: int = 60, abort: float = 5.0) -> list[str]:  # noqa: ARG002 - SAQ's signature
        """SAQ's sweep, for workers that are not ours; jobs that deck workers hold are theirs. The ids swept."""
        return await sweep_queue(self, lock)

    async def write_worker_info(self, worker_id: str, info: Any, ttl: int) -> None:
        """Write SAQ's record of a worker; deck workers do so with their beats."""
        member = self.keys.worker_info(worker_id)
        pipe = self.redis.pipeline(transaction=True)
        pipe.set(member, msgspec.json.encode(info), ex=ttl)
        pipe.zremrangebyscore(self.keys.stats, 0, now())
        pipe.zadd(self.keys.stats, {member: now() + ttl * 1000})
        pipe.expire(self.keys.stats, ttl)
        await pipe.execute()

    async def notify(self, job: Job) -> None:
        """Publish a job's status."""
        await self.caller.call("PUBLISH", job.id, job.status.value)


def _codec(queue: RedisQueue) -> dict[str, Any]:
    """The user's own encoding, if it is not json's, which ours reads and writes faster."""
    dump, load = queue._dump, queue._load
    if (dump.__module__, load.__module__) == ("json", "json"):
        return {}
    return {"dump": dump, "load": load}
