"""The worker's sign of life, from a thread with its own event loop and connection: a blocked loop is not a death.

The same thread rescues the jobs of dead workers. After a start or an outage it does so only when its own beats have
been good for a whole lease, or it would take away the jobs of workers that could not beat either.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from redis import exceptions

from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import all_scripts, script
from quarterdeck.broker.wire import Wire

logger = logging.getLogger("quarterdeck.worker")

INFO_TTL_S: Final = 16
"""How long SAQ's own record of a worker lives."""
FOLD_EVERY_S: Final = 30.0


class Beat:
    """What the server answered to a beat."""

    __slots__ = ("commands", "history_counts", "lost", "now_ms", "rules")

    def __init__(self, answer: list[Any]) -> None:
        self.now_ms = int(answer[0])
        self.lost = bool(answer[1])
        self.history_counts: list[bytes | None] = answer[3]
        self.rules = [tuple(answer[4][at : at + 3]) for at in range(0, len(answer[4]), 3)]
        self.commands: list[bytes] = answer[5]


class Beats:
    """Beats each `beat_s` until stopped. `record(now_s)` gives the two records to write, called in the thread.

    `told(beat)` is called on the worker's loop after each good beat, `rescue(wire)` awaited in the thread when this
    worker may rescue. `good_s` is when the last good beat was sent (monotonic).
    """

    def __init__(
        self,
        queues: Sequence[Queue],
        worker: str,
        saq_id: str,
        record: Callable[[], tuple[bytes, bytes]],
        told: Callable[[Beat], None],
        rescue: Callable[[Wire], Any],
        fold: Callable[[Wire], Any],
        *,
        lease_s: float,
        beat_s: float,
    ) -> None:
        self.good_s = -1e9
        self.lease_s = lease_s
        self._queues = list(queues)
        self._worker = worker
        self._saq_id = saq_id
        self._record = record
        self._told = told
        self._rescue = rescue
        self._fold = fold
        self._beat_s = beat_s
        self._stop = threading.Event()
        self._hurry: Callable[[], None] = lambda: None
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._main, name="quarterdeck-beats", daemon=True)
        self._since_s: float | None = None
        self._folded_s = 0.0

    @property
    def fresh(self) -> bool:
        """Whether the lease is safely ours: no jobs are taken on the last 30 % of one that is not renewed."""
        return time.monotonic() - self.good_s < 0.7 * self.lease_s

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def soon(self) -> None:
        """Beat at once; callable from any thread."""
        self._hurry()

    async def stop(self) -> None:
        """End the thread; safe to call twice and before `start`."""
        self._stop.set()
        self._hurry()
        if self._thread.is_alive():
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _main(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        wake = asyncio.Event()
        self._hurry = lambda: None if loop.is_closed() else _safely(loop, wake)
        wire: Wire | None = None
        pause_s = 0.05
        try:
            while not self._stop.is_set():
                wait_s = self._beat_s
                try:
                    if wire is None or wire.closed:
                        endpoint = self._queues[0].caller.endpoint
                        wire = await Wire.open(endpoint, scripts=all_scripts())
                    await self._beat(wire)
                    pause_s = 0.05
                except exceptions.NoScriptError:
                    wire.close() if wire is not None else None
                    continue
                except (exceptions.RedisError, OSError, TimeoutError) as error:
                    logger.debug("no beat: %s", error)
                    self._since_s = None
                    wait_s = random.uniform(pause_s / 2, pause_s)  # noqa: S311 - jitter
                    pause_s = min(pause_s * 2, 2.0, self._beat_s)
                try:
                    async with asyncio.timeout(wait_s):
                        await wake.wait()
                except TimeoutError:
                    pass
                wake.clear()
        finally:
            if wire is not None:
                wire.close()

    async def _beat(self, wire: Wire) -> None:
        record, info = self._record()
        sent_s = time.monotonic()
        keys = [queue.keys.queued for queue in self._queues]
        names = [queue.name for queue in self._queues]
        args = [self._worker, int(self.lease_s * 1000), record, info, INFO_TTL_S, int(time.time() * 1000), self._saq_id]
        beat = Beat(await wire.call("EVALSHA", script("beat").sha, len(keys), *keys, *args, len(names), *names))
        gap_s = sent_s - self.good_s
        self.good_s = sent_s
        if self._since_s is None or beat.lost or gap_s > self.lease_s:
            self._since_s = sent_s
        if not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._told, beat)
            except RuntimeError:  # the worker's loop has ended
                return
        if sent_s - self._since_s >= self.lease_s and not self._stop.is_set():
            await self._rescue(wire)
        if sent_s - self._folded_s >= FOLD_EVERY_S:
            self._folded_s = sent_s
            await self._fold(wire)


def _safely(loop: asyncio.AbstractEventLoop, wake: asyncio.Event) -> None:
    try:
        loop.call_soon_threadsafe(wake.set)
    except RuntimeError:  # it has just ended
        return
