"""Turns share few slots and still need few round trips: here a server of ours answers in the worst order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import pytest

from quarterdeck.broker.queue import Queue
from quarterdeck.worker.clock import ServerClock
from quarterdeck.worker.turns import MEET_EVERY, Turns


class Line:
    """A connection whose server has jobs without end; it answers one turn at a time, when told to."""

    closed = False

    def __init__(self) -> None:
        self.asked: deque[tuple[int, Any]] = deque()
        self.made = 0

    def send(self, command: tuple[Any, ...], reply: Any) -> None:
        """Take a turn: how many jobs it wants stands seventh after EVALSHA, with one queue."""
        self.asked.append((command[7], reply))

    def answer(self) -> int:
        """Answer the oldest turn; how many jobs it got."""
        want, reply = self.asked.popleft()
        flat = []
        for _ in range(want):
            self.made += 1
            flat += [f"id{self.made}".encode(), b"{}"]
        reply([b"ok", 1_700_000_000_000, [], [], [[b"more", flat, [], []]]])
        return want


class Bench:
    """A worker's turns, whose jobs end at once."""

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.done = 0
        self.running = 0
        self.line = Line()
        queue = Queue.from_url("redis://nowhere:1", name="q")
        self.turns = Turns([queue], "w", ServerClock(), self.slots, self.taken, concurrency=concurrency)
        self.turns._link._wire = self.line  # type: ignore[assignment]
        self.turns.connected.set()
        self.turns.states[0].filled()
        self.turns.kick()

    def slots(self) -> int:
        return self.concurrency - self.running

    def taken(self, number: int, holder: str, marked: list[bytes], *_: list[bytes]) -> None:
        jobs = len(marked) // 2
        self.running += jobs
        assert self.running <= self.concurrency
        self.turns.loop.call_soon(self.end, holder, marked[::2])

    def end(self, holder: str, ids: list[bytes]) -> None:
        for job_id in ids:
            self.running -= 1
            self.done += 1
            self.turns.settle((1, "e", job_id.decode(), holder, b"", 600, "complete", "f", 1, 1, "", b""))

    async def work(self, jobs: int) -> float:
        """Answer turn by turn until so many jobs are done; round trips a job."""
        while self.done < jobs:
            assert self.line.asked, "a worker with free slots asks for nothing"
            self.line.answer()
            for _ in range(3):
                await asyncio.sleep(0)
        return self.turns.calls / self.done


@pytest.mark.parametrize(("concurrency", "most"), [(10, 0.2), (100, 0.02), (2, 1.0)])
async def test_round_trips_a_job_when_the_turns_never_meet_by_themselves(concurrency, most):
    """Half of the slots a turn, and a little less: the turns that meet make up for those of the start."""
    bench = Bench(concurrency)
    await asyncio.sleep(0)
    assert await bench.work(4 * MEET_EVERY * concurrency) < most


async def test_there_is_always_a_turn_under_way():
    bench = Bench(10)
    await asyncio.sleep(0)
    alone = 0
    for _ in range(10 * MEET_EVERY):
        bench.line.answer()
        for _ in range(3):
            await asyncio.sleep(0)
        assert bench.line.asked
        alone += len(bench.line.asked) == 1
    assert alone <= 2 * 10 + 1, "waiting for each other is the exception"


async def test_a_lone_end_waits_for_nothing_when_no_turn_is_under_way():
    bench = Bench(10)
    bench.turns.states[0].drained()
    await asyncio.sleep(0)
    bench.line.asked.clear()
    bench.turns._in_flight.clear()
    bench.turns._apart = MEET_EVERY
    bench.turns.settle((1, "e", "id", "w/1/", b"", 600, "complete", "f", 1, 1, "", b""))
    await asyncio.sleep(0)
    assert len(bench.line.asked) == 1
