"""The connection that turns travel on: opened with back-off, given the scripts, and opened anew when it is lost."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from redis import exceptions

from quarterdeck.broker.endpoint import Endpoint
from quarterdeck.broker.scripts import all_scripts
from quarterdeck.broker.wire import Wire
from quarterdeck.worker.complaints import Complaints

logger = logging.getLogger("quarterdeck.worker")

LONGEST_PAUSE_S: Final = 2.0
"""Longest back-off while the server is away."""
POLL_S: Final = 0.5
"""How long to wait for a server that is there and can't work."""


class Ready(Protocol):
    """What is called when calls may be sent: `fresh` over a new connection."""

    def __call__(self, *, fresh: bool) -> None:
        """Go on."""


class Link:
    """A worker's connection. `clear_up(wire)` is awaited before it may be used, whenever it was interrupted: it finds
    out what became of calls without an answer."""

    def __init__(
        self,
        endpoint: Endpoint,
        clear_up: Callable[[Wire], Awaitable[None]],
        ready: Ready,
        complaints: Complaints,
    ) -> None:
        self.connected = asyncio.Event()
        """Set while calls may be sent."""
        self.stopped = False
        self._endpoint = endpoint
        self._clear_up = clear_up
        self._ready = ready
        self._complaints = complaints
        self._wire: Wire | None = None
        self._recovery: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def wire(self) -> Wire | None:
        """The open connection, or None while the server is away."""
        return self._wire if self._wire is not None and not self._wire.closed else None

    def close(self) -> None:
        """End at once; safe to call twice."""
        self.stopped = True
        if self._recovery is not None:
            self._recovery.cancel()
        if self._wire is not None:
            self._wire.close()

    def connect(self) -> None:
        """The connection is gone, or was never there: open one. Safe to call again and again."""
        self.connected.clear()
        if self.stopped or (self._recovering and self._wire is None):
            return
        if self._recovery is not None:
            self._recovery.cancel()
        wire, self._wire = self._wire, None
        self._recovery = self._loop.create_task(self._reconnect())
        if wire is not None:
            wire.close()

    def pause(self, pause_s: float) -> None:
        """The server is there and can't work: load the scripts again and go on after a pause."""
        if not self._recovering:
            self.connected.clear()
            self._recovery = self._loop.create_task(self._resume(pause_s))

    @property
    def _recovering(self) -> bool:
        return self._recovery is not None and not self._recovery.done()

    async def _reconnect(self) -> None:
        pause_s = 0.05
        said = False
        while not self.stopped:
            wire: Wire | None = None
            try:
                wire = await Wire.open(self._endpoint, scripts=all_scripts())
                await self._clear_up(wire)
            except (exceptions.RedisError, OSError, TimeoutError) as error:
                if wire is not None:
                    wire.close()
                if not said:
                    said = True
                    logger.warning("the server is away, waiting for it: %s", error or type(error).__name__)
                await asyncio.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311 - jitter
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                continue
            except asyncio.CancelledError:
                if wire is not None:
                    wire.close()
                raise
            break
        else:
            return
        if said:
            logger.warning("the server is back")
        self._wire = wire
        wire.lost.add_done_callback(lambda _: self.connect() if self._wire is wire else None)
        self.connected.set()
        self._ready(fresh=True)

    async def _resume(self, pause_s: float) -> None:
        while True:
            await asyncio.sleep(random.uniform(pause_s / 2, pause_s))  # noqa: S311 - jitter
            wire = self.wire
            if wire is None:
                return
            try:
                await wire.all([("SCRIPT", "LOAD", each.source) for each in all_scripts()])
                await self._clear_up(wire)
            except exceptions.RedisError as error:
                if self.wire is None:
                    return
                self._complaints.say(f"the server can't work now: {error}")
                pause_s = POLL_S
                continue
            break
        self.connected.set()
        self._ready(fresh=False)
