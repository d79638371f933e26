"""What runs inside a contender's worker: the jobs' bodies, and a meter that says when how many were done."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from typing import Final

import msgspec

from quarterdeck.cli.benching.load import load
from quarterdeck.cli.benching.mark import Mark

BURN_S: Final = 0.002
NAP_S: Final = 1.0


class Meter:
    """Counts this process' jobs; marks the first and then each `every`-th. Its methods are safe in threads."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._count = itertools.count(1)  # next() is one step, += is not
        self._begun = False

    def tick(self) -> None:
        """A job is done."""
        done = next(self._count)
        if done == 1 or done % self._every == 0:
            self.mark(done)

    def begin(self) -> None:
        """A job begins: the first one is marked, with nothing done."""
        if not self._begun:
            self._begun = True
            self.mark(0)

    def mark(self, done: int) -> None:
        """Write a mark, in one piece."""
        mark = Mark(time.monotonic(), os.getpid(), done, time.process_time())
        os.write(1, msgspec.json.encode(mark) + b"\n")


def _meter() -> Meter:
    told = load()
    return Meter(told.every or told.jobs)


meter: Final = _meter()
tick = meter.tick


def burn() -> None:
    """Two milliseconds of CPU, whatever else runs on the machine."""
    end_s = time.thread_time() + BURN_S
    while time.thread_time() < end_s:
        pass
    tick()


async def nap() -> None:
    """Sleep a second."""
    meter.begin()
    await asyncio.sleep(NAP_S)
    tick()
