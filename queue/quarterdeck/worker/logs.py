"""Every log record made inside a job goes to that job's log on the server, and to the queue's stream of all lines.

Records are gathered in memory, written in one pipeline at most every 100 ms, and bounded everywhere: what can't be
written in time is dropped and counted, never waited for. See `docs/redis-keys.md` for `qd:log` and `qd:logs`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from redis.exceptions import RedisError

from quarterdeck.app.context import JobContext
from quarterdeck.keys import keys_of
from quarterdeck.record.retention import LOG_LINES

if TYPE_CHECKING:
    from redis.asyncio import Redis

FLUSH_S = 0.1
LINE_BYTES = 4096
MESSAGE_LINES = 200
JOB_LINES = 1000
JOB_BYTES = 256 * 1024
JOB_TTL_S = 24 * 3600
FAILED_TTL_S = 14 * 24 * 3600
STREAM_AGE_MS = 7 * 24 * 3600 * 1000
PENDING_LINES = 10_000
BATCH_LINES = 2_000
_RETENTION_EVERY_S = 30.0
_REMEMBERED_JOBS = 2_000
_encode = msgspec.json.Encoder().encode


class Line(msgspec.Struct, kw_only=True):
    """One line on its way."""

    queue: str
    key: str
    function: str
    worker: str
    attempt: int
    level: str
    text: str
    at_ms: int
    dropped: int = 0
    ttl_s: int = JOB_TTL_S


class LogSink:
    """Takes lines from any thread without waiting and writes them in batches.

    `clients` gives the client of each queue by name (`serve` may set them later). Start it with `start` on the worker's
    loop; `stop` writes what is left. `dropped` counts the lines that were lost because the server could not keep up.
    """

    def __init__(self, clients: Mapping[str, Redis], *, worker: str = "") -> None:
        self.worker = worker
        self.dropped = 0
        self._clients = clients
        self._pending: deque[Line] = deque()
        self._unsaid = 0
        self._lock = threading.Lock()
        self._sizes: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()
        self._stream_lines = dict.fromkeys(clients, LOG_LINES)
        self._checked_at: dict[str, float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._stopping = False

    def put(self, job: JobContext, level: str, text: str, *, at_ms: int = 0, ttl_s: int = JOB_TTL_S) -> None:
        """Take a message of `job`'s log, a line for each of its lines. Never waits; callable from any thread."""
        lines = [
            Line(
                queue=job.queue,
                key=job.key,
                function=job.function,
                worker=job.worker or self.worker,
                attempt=job.attempt,
                level=level,
                text=_bounded(part),
                at_ms=at_ms or int(time.time() * 1000),
                ttl_s=ttl_s,
            )
            for part in text.split("\n", MESSAGE_LINES)[:MESSAGE_LINES]
        ]
        with self._lock:
            first = not self._pending
            self._pending.extend(lines)
            while len(self._pending) > PENDING_LINES:
                self._pending.popleft()
                self.dropped += 1
                self._unsaid += 1
        if first and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    def serve(self, clients: Mapping[str, Redis]) -> None:
        """Write the lines of these queues' jobs, each through its client."""
        self._clients = clients
        self._stream_lines = dict.fromkeys(clients, LOG_LINES)

    async def start(self) -> None:
        """Begin to write; lines that came before are kept until now."""
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._task = asyncio.create_task(self._run(), name="quarterdeck-logs")
        if self._pending:
            self._wake.set()

    async def stop(self, timeout_s: float = 2.0) -> None:
        """Write what is left, for at most `timeout_s`, and stop; safe to call twice and before `start`."""
        task, self._task = self._task, None
        if task is None:
            return
        self._stopping = True
        self._wake.set()
        await asyncio.wait({task}, timeout=timeout_s)
        while not task.done():  # Python 3.11's wait_for, in redis-py, may swallow a cancellation
            task.cancel()
            await asyncio.wait({task}, timeout=0.1)
        with self._lock:
            self.dropped += len(self._pending)
            self._pending.clear()

    async def _run(self) -> None:
        delay_s = FLUSH_S
        while True:
            await self._wake.wait()
            if not self._stopping:
                await asyncio.sleep(delay_s)
            self._wake.clear()
            delay_s = FLUSH_S if await self._flush() else min(delay_s * 2, 5.0)
            if self._pending:
                self._wake.set()
            elif self._stopping:
                return

    async def _flush(self) -> bool:
        """Write one batch; whether it could be written. What could not be written waits its turn again."""
        with self._lock:
            batch = [self._pending.popleft() for _ in range(min(BATCH_LINES, len(self._pending)))]
            unsaid, self._unsaid = self._unsaid, 0
        if not batch:
            return True
        batch[0].dropped += unsaid
        by_queue: dict[str, list[Line]] = {}
        for line in batch:
            by_queue.setdefault(line.queue, []).append(line)
        written = True
        for queue, lines in by_queue.items():
            try:
                await self._write(queue, lines)
            except (RedisError, OSError, TimeoutError):
                written = False
                self._put_back(lines)
            except asyncio.CancelledError:
                self._put_back(lines)  # so that they are counted
                raise
        return written

    def _put_back(self, lines: list[Line]) -> None:
        with self._lock:
            room = max(0, PENDING_LINES - len(self._pending))
            lost = len(lines) - room
            if lost > 0:
                self.dropped += lost
                self._unsaid += lost
                lines = lines[lost:]
            self._pending.extendleft(reversed(lines))

    async def _write(self, queue: str, lines: list[Line]) -> None:
        client = self._clients.get(queue)
        if client is None:  # a queue that this worker does not serve
            return
        keys = keys_of(queue)
        await self._read_retention(client, queue)
        pipe = client.pipeline(transaction=False)
        for line in lines:
            pipe.xadd(keys.logs, _fields(line), maxlen=self._stream_lines[queue], approximate=True)
        for key, own in _by_key(lines).items():
            records = [_encode(_record(line)) for line in own]
            log = keys.log(key)
            pipe.rpush(log, *records)
            pipe.ltrim(log, -self._kept(queue, key, records), -1)
            pipe.expire(log, max(line.ttl_s for line in own))
        await pipe.execute()

    def _kept(self, queue: str, key: str, records: Iterable[bytes]) -> int:
        """How many of a job's newest lines stay within the bounds of lines and bytes."""
        sizes = self._sizes.setdefault((queue, key), deque(maxlen=JOB_LINES))
        self._sizes.move_to_end((queue, key))
        sizes.extend(len(record) for record in records)
        total = sum(sizes)
        while total > JOB_BYTES and len(sizes) > 1:
            total -= sizes.popleft()
        if len(self._sizes) > _REMEMBERED_JOBS:
            self._sizes.popitem(last=False)
        return len(sizes) if total > JOB_BYTES // 2 or len(sizes) == JOB_LINES else JOB_LINES

    async def _read_retention(self, client: Redis, queue: str) -> None:
        """Take over the settable bound of the stream, and drop what is too old, now and then."""
        now = time.monotonic()
        if now - self._checked_at.get(queue, -_RETENTION_EVERY_S) < _RETENTION_EVERY_S:
            return
        self._checked_at[queue] = now
        keys = keys_of(queue)
        bound: Any = await client.hget(keys.retention, "log_lines")
        known = bound is not None and bound.isdigit() and int(bound) > 0
        self._stream_lines[queue] = int(bound) if known else LOG_LINES
        oldest = int(time.time() * 1000) - STREAM_AGE_MS
        await client.xtrim(keys.logs, minid=max(oldest, 0), approximate=True)


def _bounded(text: str) -> str:
    if len(text) <= LINE_BYTES // 4:  # no character takes more than four bytes
        return text
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= LINE_BYTES:
        return text
    return encoded[:LINE_BYTES].decode("utf-8", "ignore") + f"… ({len(encoded) - LINE_BYTES} bytes more)"


def _by_key(lines: Iterable[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.key, []).append(line)
    return found


def _fields(line: Line) -> dict[Any, Any]:
    fields: dict[Any, Any] = {
        "k": line.key,
        "f": line.function,
        "l": line.level,
        "t": line.text.encode("utf-8", "replace"),
        "w": line.worker,
        "n": line.attempt,
    }
    if line.dropped:
        fields["d"] = line.dropped
    return fields


def _record(line: Line) -> dict[str, Any]:
    text = line.text.encode("utf-8", "replace").decode()
    return {"at_ms": line.at_ms, "level": line.level, "text": text, "attempt": line.attempt}
