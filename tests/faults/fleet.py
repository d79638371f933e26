"""A fleet of worker processes under faults, and the verdict on what they did."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from redis.exceptions import RedisError

from quarterdeck.broker.queue import Queue

WORKER = Path(__file__).with_name("fault_worker.py")
PATIENT_S = 150
"""A bound that says that something never comes: most of what is waited for takes a second, of a quiet machine."""


@dataclass
class Verdict:
    """What became of the jobs. `reruns` are starts beyond one a job."""

    jobs: int
    done: int = 0
    lost: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    reruns: int = 0
    late: int = 0
    seconds: float = 0.0


class Fleet:
    """Starts workers on a queue, feeds them, hurts them, and waits until all is done."""

    def __init__(self, url: str, queue: str, directory: Path, **options: Any) -> None:
        self.url = url
        self.queue = Queue.from_url(url, name=queue)
        self.ledger = directory / "ledger"
        self.log = directory / "workers.log"
        self.options = {"url": url, "queue": queue, "ledger": str(self.ledger), **options}
        self.processes: list[subprocess.Popen[bytes]] = []
        self.ledger.touch()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
        for process in self.processes:
            process.wait()
        await self.queue.disconnect()

    def start(self, **options: Any) -> subprocess.Popen[bytes]:
        """Start one worker process."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(WORKER), json.dumps({**self.options, **options})],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    async def up(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until a worker has begun."""
        await self.until(lambda: f"U - 0 {process.pid}\n" in self.ledger.read_text())

    async def leased(self, count: int) -> None:
        """Wait until so many workers hold a lease."""
        await self.until(lambda: self.redis_call("ZCARD", self.queue.keys.lease), at_least=count)

    async def redis_call(self, *command: Any) -> Any:
        """A command that waits for a server that is away."""
        while True:
            try:
                return await self.queue.redis.execute_command(*command)
            except (RedisError, OSError):
                await asyncio.sleep(0.05)

    async def until(self, what: Any, *, at_least: int | None = None) -> float:
        """Wait for a condition (a function, plain or async); returns the seconds it took."""
        begun = time.monotonic()
        while True:
            answer = what()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if (answer >= at_least) if at_least is not None else answer:
                return time.monotonic() - begun
            assert time.monotonic() - begun < PATIENT_S, self.tail()
            await asyncio.sleep(0.02)

    def tail(self) -> str:
        """The end of the workers' log."""
        return self.log.read_text("utf-8", "replace")[-4000:]

    async def feed(self, count: int, function: str = "step", **kwargs: Any) -> list[str]:
        """Enqueue jobs; their keys."""
        jobs = await self.queue.enqueue_many([(function, kwargs) for _ in range(count)])
        return [job.key for job in jobs if job is not None]

    def lines(self) -> list[list[str]]:
        """The ledger: word, key, attempt, pid."""
        return [line.split() for line in self.ledger.read_text().splitlines() if len(line.split()) == 4]

    def ends(self) -> int:
        """How many ends are in the ledger."""
        return sum(line[0] == "E" for line in self.lines())

    async def drained(self) -> float:
        """Wait until nothing waits or runs; returns the seconds it took."""
        keys = self.queue.keys

        async def empty() -> bool:
            left = await self.redis_call("ZCARD", keys.incomplete)
            left += await self.redis_call("LLEN", keys.queued) + await self.redis_call("LLEN", keys.active)
            return left == 0 and await self.redis_call("HLEN", keys.owner) == 0

        return await self.until(empty)

    async def verdict(self, keys: list[str]) -> Verdict:
        """Judge: every job has run to its end and is recorded complete, nothing is left anywhere."""
        names = self.queue.keys
        verdict = Verdict(len(keys))
        starts = Counter(line[1] for line in self.lines() if line[0] == "S")
        ended = {line[1] for line in self.lines() if line[0] == "E"}
        entries = [entry[b"r"].split(b"\t") for _, entry in await self.queue.redis.xrange(names.history)]
        recorded: dict[str, list[str]] = {}
        for entry in entries:
            recorded.setdefault(entry[0].decode(), []).append(entry[2].decode())
        for key in keys:
            words = recorded.get(key, [])
            if key not in ended or "complete" not in words:
                verdict.lost.append(key)
            if {"failed", "aborted", "poison"} & set(words):
                verdict.wrong.append(key)
            verdict.late += words.count("late")
            verdict.reruns += max(0, starts[key] - 1)
        verdict.done = len(keys) - len(verdict.lost)
        redis = self.queue.redis
        left = await redis.lrange(names.queued, 0, -1) + await redis.lrange(names.active, 0, -1)
        left += await redis.zrange(names.incomplete, 0, -1) + await redis.hkeys(names.owner)
        verdict.stuck = sorted({each.decode("utf-8", "replace") for each in left})
        verdict.wrong += [key.decode() for key in await redis.zrange(names.failed, 0, -1) if key.decode() in set(keys)]
        return verdict

    async def all_well(self, keys: list[str], *, reruns: int = 0) -> Verdict:
        """Assert 0 lost, 0 stuck, 0 wrongly ended, and at most so many reruns."""
        verdict = await self.verdict(keys)
        assert not verdict.lost, (len(verdict.lost), self.tail())
        assert not verdict.stuck, verdict.stuck[:5]
        assert not verdict.wrong, verdict.wrong[:5]
        assert verdict.reruns <= reruns, (verdict.reruns, self.tail())
        return verdict


def kill(process: subprocess.Popen[bytes], number: int = signal.SIGKILL) -> None:
    """Send a signal; for SIGKILL wait for the end."""
    os.kill(process.pid, number)
    if number == signal.SIGKILL:
        process.wait()
