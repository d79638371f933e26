"""Reading a queue: payloads to jobs and back, and the jobs that are stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from saq.job import Job, Status
from saq.queue.redis import RedisQueue

from quarterdeck.broker import codec
from quarterdeck.broker.caller import Caller
from quarterdeck.keys import keys_of


class LookingQueue(RedisQueue):
    """The reading half of `Queue`: what it takes and raises stands there."""

    def __init__(
        self,
        redis: Any,
        name: str,
        dump: Callable[[Mapping[Any, Any]], bytes | str] | None,
        load: Callable[[bytes | str], Any] | None,
        max_concurrent_ops: int,
        swept_error_message: str | None,
    ) -> None:
        super().__init__(redis, name, dump, load, max_concurrent_ops, swept_error_message)
        self.keys = keys_of(name)
        self.foreign_codec = dump is not None or load is not None
        """Whether payloads are written by the user's own `dump` or read by their `load`."""
        self.caller = Caller(redis, self.keys.queued)
        self._prefix = self.keys.job("")

    def job_id(self, job_key: str) -> str:
        """SAQ's id of a job key: the name of the Redis key that holds its payload."""
        return f"{self._prefix}{job_key}"  # SAQ's callers have keys that are numbers

    def serialize(self, job: Job) -> bytes | str:
        """The payload of a job. Raises ResultError for what JSON can't hold."""
        if self.foreign_codec:
            return self._dump(job.to_dict())
        return codec.dump(codec.document(job))

    def deserialize(
        self, payload: dict[str, Any] | str | bytes | None, status: Status | str | None = None
    ) -> Job | None:
        """The job in a payload, None when there is none. Raises PayloadError (a ValueError) when it is no job."""
        if not payload:
            return None
        if isinstance(payload, dict):
            fields = codec.convert(payload)
        elif self.foreign_codec:
            fields = codec.convert(self._load(payload))
        else:
            fields = codec.load(payload)
        if status:
            fields["status"] = status.value if isinstance(status, Status) else status
        return codec.job_of(fields, self)

    def copy(self, job: Job) -> Job:
        """A copy of a job."""
        copied = Job.__new__(Job)
        copied.__dict__ = dict(job.__dict__)
        return copied

    async def job(self, job_key: str) -> Job | None:
        """The stored job of a key, or None. Raises PayloadError when it can't be read."""
        return self.deserialize(await self.caller.call("GET", self.job_id(job_key)))

    async def jobs(self, job_keys: Iterable[str]) -> list[Job | None]:
        """The stored jobs of keys, in order; None for what is missing or can't be read."""
        ids = [self.job_id(key) for key in job_keys]
        if not ids:
            return []
        return [self._readable(raw) for raw in await self.caller.call("MGET", *ids)]

    def _readable(self, raw: bytes | None) -> Job | None:
        try:
            return self.deserialize(raw)
        except (ValueError, TypeError):
            return None

    async def iter_jobs(
        self,
        statuses: list[Status] = list(Status),  # noqa: B006 - SAQ's signature
        batch_size: int = 100,
    ) -> AsyncIterator[Job]:
        """All stored jobs of this queue with one of `statuses`; what can't be read is left out."""
        wanted = set(statuses)
        pattern = _escaped(self._prefix) + "*"
        async for batch in _batches(self.redis.scan_iter(match=pattern, count=max(batch_size, 100)), batch_size):
            for job in await self.jobs(job_id.decode("utf-8", "replace")[len(self._prefix) :] for job_id in batch):
                if job is not None and job.status in wanted:
                    yield job

    async def info(self, jobs: bool = False, offset: int = 0, limit: int = 10) -> Any:
        """SAQ's summary of the queue; with `jobs` those at work and next, as dicts."""
        info = await super().info(jobs=False)
        if jobs:
            last = offset + limit - 1
            ids = await self.caller.call("LRANGE", self.keys.active, offset, last)
            ids += await self.caller.call("ZRANGE", self.keys.incomplete, offset, last)
            raws = await self.caller.call("MGET", *dict.fromkeys(ids)) if ids else []
            info["jobs"] = [job.to_dict() for raw in raws if (job := self._readable(raw)) is not None]
        return info


def _escaped(text: str) -> str:
    """Text as a literal in a glob pattern of SCAN."""
    return "".join(f"\\{char}" if char in "*?[]\\^" else char for char in text)


async def _batches(items: AsyncIterator[bytes], size: int) -> AsyncIterator[list[bytes]]:
    batch: list[bytes] = []
    async for item in items:
        batch.append(item)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch
