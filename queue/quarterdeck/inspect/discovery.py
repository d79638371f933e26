"""Finding what nobody told of: queues of a stock deployment, and their crons. Step by step, never in a snapshot."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any, Final

from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError, ResponseError

from quarterdeck.inspect.plan import text
from quarterdeck.inspect.schedules import CRON, LOOKED_AT
from quarterdeck.keys import ABORT_PREFIX, JOB_PREFIX, QUEUES, keys_of
from quarterdeck.schedule.stock import is_deck_run

STEP: Final = 1_000
"""Keys that the server looks at in one step."""
STEPS: Final = 5_000
"""Steps of one sweep at most: five million keys."""
EAGER: Final = 100
"""Steps without a pause between, so that a small deployment is known at once."""
PAUSE_S: Final = 0.02
"""Between later steps, so that a sweep takes little from anybody."""
EVERY_S: Final = 60.0
"""Between two sweeps."""
LOOK_S: Final = 2.0
"""How often snapshots look at what is due next for crons that were not met before."""
GLANCE_S: Final = (0.3, 2.7)
"""Shortest and longest time between two glances at what is due. A stock cron that fires each second has something
pending every other second: who looks in step with it, as snapshots do, may always look in between."""
GLANCED_AT: Final = 8
"""Queues at a glance, chosen by chance."""
LATELY_S: Final = 15.0
"""A stock worker enqueues a cron's next job within a second or two after the last one ended: until then nothing is
pending, and the cron is there all the same. On a bad line snapshots are seconds apart: several may fall in between."""

_OF_A_QUEUE: Final = re.compile(r"saq:(?P<queue>.+):(?:incomplete|stats)", re.DOTALL)
_GLOB: Final = re.compile(r"([*?\[\]\\^])")
_LOG: Final = logging.getLogger(__name__)


class Discovery:
    """Knows the names of queues and of stock crons, and goes on looking for more while `run` runs."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.queues: set[str] = set()
        self.crons: dict[str, set[str]] = {}
        """Queue → functions that a cron was met of."""
        self._met: dict[tuple[str, str], float] = {}
        self._looked: dict[str, float] = {}
        self.paused: set[str] = set()
        """Functions whose cron has an abort marker; SAQ's markers don't name the queue."""
        self.sweeps = 0
        self.complete = True
        """Whether the last sweep saw all keys, or ended at its bound."""

    def crons_of(self, queue: str) -> set[str]:
        """Functions of the queue's crons, those that are paused and were never met elsewhere included."""
        met = {function for functions in self.crons.values() for function in functions}
        strays = self.paused - met if len(self.queues) <= 1 else set()
        return self.crons.get(queue, set()) | strays

    def remember(self, queue: str, functions: Iterable[str]) -> None:
        """Keep crons that somebody met: once paused, nothing pending tells of them."""
        names, now = set(functions), time.monotonic()
        self.crons.setdefault(queue, set()).update(names)
        self._met.update({(queue, name): now for name in names})

    def time_to_look(self, queue: str) -> bool:
        """Whether to look again at what is due next in a queue for crons that were not met before: now and then."""
        now = time.monotonic()
        if now - self._looked.get(queue, -LOOK_S) < LOOK_S:
            return False
        self._looked[queue] = now
        return True

    def met_lately(self, queue: str, function: str) -> bool:
        """Whether something was pending for a cron so lately that its worker may be about to enqueue the next."""
        return time.monotonic() - self._met.get((queue, function), -LATELY_S) < LATELY_S

    async def run(self) -> None:
        """Sweep now and then until cancelled. A server that is away is asked again at the next turn."""
        while True:
            try:
                await self.sweep()
            except (RedisError, OSError, TimeoutError) as error:
                _LOG.debug("looking for queues was cut short: %s", error)
            await self._glance_about(time.monotonic() + EVERY_S)

    async def _glance_about(self, until_s: float) -> None:
        """Meet the crons that have something pending, at times without a rhythm."""
        while time.monotonic() < until_s:
            await asyncio.sleep(random.uniform(*GLANCE_S))  # noqa: S311 - nobody is to be kept from guessing it
            for queue in random.sample(sorted(self.queues), min(GLANCED_AT, len(self.queues))):
                with suppress(RedisError, OSError, TimeoutError):  # the next sweep tells of a server that is away
                    await self.glance(queue)

    async def glance(self, queue: str) -> None:
        """Meet those crons of a queue that are among the jobs due next."""
        keys = keys_of(queue)
        prefix = keys.job(CRON)
        due = await self._client.zrange(keys.incomplete, "(0", "+inf", byscore=True, offset=0, num=LOOKED_AT)
        names = [text(member)[len(prefix) :] for member in due if text(member).startswith(prefix)]
        self.remember(queue, (name for name in names if not is_deck_run(CRON + name)))

    async def sweep(self) -> None:
        """Look once at all keys, at most `STEPS * STEP` of them, and at what is due in each queue."""
        self.queues |= await self._members(QUEUES)
        self.complete = True
        async for key in self._scan("saq:*", "zset"):
            found = _OF_A_QUEUE.fullmatch(key)
            if found:
                self.queues.add(found["queue"])
        prefix = ABORT_PREFIX + CRON
        self.paused = {key[len(prefix) :] async for key in self._scan(f"{prefix}*", "string")}
        for queue in sorted(self.queues):
            await self._look_for_crons(queue)
        self.sweeps += 1

    async def _look_for_crons(self, queue: str) -> None:
        """Walk SAQ's incomplete set of a queue for the keys of crons."""
        keys = keys_of(queue)
        prefix = keys.job(CRON)
        cursor, steps = 0, 0
        found = await self._members(keys.stock_crons)
        while True:
            pattern = _GLOB.sub(r"\\\1", prefix) + "*"
            try:
                cursor, pairs = await self._client.zscan(keys.incomplete, cursor, match=pattern, count=STEP)
            except ResponseError as error:  # a key of a wrong type in one queue hides none of the others
                _LOG.debug("the crons of %s can't be read: %s", queue, error)
                break
            found |= {text(member)[len(prefix) :] for member, _ in pairs}
            steps += 1
            if int(cursor) == 0 or steps >= STEPS:
                break
            await self._rest(steps)
        self.crons.setdefault(queue, set()).update(name for name in found if not is_deck_run(CRON + name))

    async def _members(self, key: str) -> set[str]:
        """The members of a set; none of a key of a wrong type, which snapshots name."""
        try:
            return {text(name) for name in await self._client.smembers(key)}
        except ResponseError as error:
            _LOG.debug("%s can't be read: %s", key, error)
            return set()

    async def _scan(self, pattern: str, kind: str) -> AsyncIterator[str]:
        """Keys of one type that match, over all nodes."""
        if isinstance(self._client, RedisCluster):
            async for key in self._client.scan_iter(match=pattern, count=STEP, _type=kind):
                yield text(key)
            return
        cursor, steps = 0, 0
        while True:
            cursor, found = await self._client.scan(cursor, match=pattern, count=STEP, _type=kind)
            for key in found:
                if not text(key).startswith(JOB_PREFIX) or kind != "string":
                    yield text(key)
            steps += 1
            if int(cursor) == 0:
                return
            if steps >= STEPS:
                self.complete = False
                return
            await self._rest(steps)

    async def _rest(self, steps: int) -> None:
        if steps > EAGER:
            await asyncio.sleep(PAUSE_S)
