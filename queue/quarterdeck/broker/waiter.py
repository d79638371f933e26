"""Waiting for jobs: one subscriber's connection a queue, and a poll now and then so that no wake-up is lost."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final, Self

from redis import exceptions

from quarterdeck.broker.endpoint import Endpoint
from quarterdeck.broker.wire import Wire, WireLostError

CONFIRM_S: Final = 1.0
"""How long the server may take to confirm; after that polling alone must do."""
CHANNELS: Final = 500
"""Channels a command."""


class Watch:
    """What one waiter sees of its jobs: events as (ID, status), in their order."""

    def __init__(self, waiter: Waiter, ids: Iterable[str]) -> None:
        self._waiter = waiter
        self.ids = tuple(dict.fromkeys(ids))
        self.events: list[tuple[str, str]] = []
        self._wake = asyncio.Event()

    def tell(self, job_id: str, status: str) -> None:
        """An event has come."""
        self.events.append((job_id, status))
        self._wake.set()

    def wake(self) -> None:
        """Something may have been missed: look yourself."""
        self._wake.set()

    async def wait(self, timeout_s: float) -> list[tuple[str, str]]:
        """The events since the last call; waits up to `timeout_s` for the first; may be empty."""
        if not self.events:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
        self._wake.clear()
        events, self.events = self.events, []
        return events

    async def __aenter__(self) -> Self:
        await self._waiter.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._waiter.remove(self)


class Waiter:
    """Shares one subscriber's connection among all who wait; it is closed when nobody waits."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._watches: dict[str, set[Watch]] = defaultdict(set)
        self._wire: Wire | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._confirmed: dict[str, asyncio.Event] = {}

    def watch(self, ids: Iterable[str]) -> Watch:
        """An `async with` block that sees the events of these jobs."""
        return Watch(self, ids)

    async def add(self, watch: Watch) -> None:
        """Subscribe for a watch; returns when the server has confirmed, or when it takes too long."""
        fresh = [job_id for job_id in watch.ids if not self._watches.get(job_id)]
        for job_id in watch.ids:
            self._watches[job_id].add(watch)
        events = [self._confirmed.setdefault(job_id, asyncio.Event()) for job_id in watch.ids]
        if self._wire is not None and not self._wire.closed:
            self._subscribe(fresh)
        elif self._keeper is None or self._keeper.done():
            self._keeper = asyncio.get_running_loop().create_task(self._keep())
        try:
            async with asyncio.timeout(CONFIRM_S):
                for event in events:
                    await event.wait()
        except TimeoutError:
            pass

    def remove(self, watch: Watch) -> None:
        """The watch is over."""
        gone = []
        for job_id in watch.ids:
            watches = self._watches.get(job_id, set())
            watches.discard(watch)
            if not watches:
                self._watches.pop(job_id, None)
                self._confirmed.pop(job_id, None)
                gone.append(job_id)
        if gone and self._wire is not None and not self._wire.closed:
            for start in range(0, len(gone), CHANNELS):
                self._wire.subscribe("UNSUBSCRIBE", *gone[start : start + CHANNELS])

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        if self._keeper is not None and not self._keeper.get_loop().is_closed():
            self._keeper.cancel()
        self._keeper = None
        if self._wire is not None and not self._wire.closed:
            self._wire.close()
        self._wire = None

    def _subscribe(self, ids: list[str]) -> None:
        assert self._wire is not None
        for start in range(0, len(ids), CHANNELS):
            self._wire.subscribe("SUBSCRIBE", *ids[start : start + CHANNELS])

    async def _keep(self) -> None:
        """Keep the connection as long as anybody waits, with back-off while the server is away."""
        pause_s = 0.05
        while True:
            try:
                self._wire = await Wire.open(self._endpoint, push=self._pushed)
                self._subscribe(list(self._watches))
                pause_s = 0.05
                await self._wire.lost
            except (exceptions.RedisError, OSError, TimeoutError, WireLostError):
                pause_s = min(pause_s * 2, 2.0)
            for watch in {each for watches in self._watches.values() for each in watches}:
                watch.wake()
            await asyncio.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311 - jitter

    def _pushed(self, message: Any) -> None:
        """A message of the subscriber's connection."""
        if not isinstance(message, list) or len(message) < 3:
            return
        kind, channel = message[0], message[1]
        if not isinstance(channel, bytes):
            return
        job_id = channel.decode("utf-8", "replace")
        if kind == b"subscribe":
            if job_id in self._confirmed:
                self._confirmed[job_id].set()
        elif kind == b"message":
            for watch in self._watches.get(job_id, ()):
                watch.tell(job_id, message[2].decode("utf-8", "replace"))
