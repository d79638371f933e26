"""The services that the demo talks to: a webhook receiver and a mail sink on 127.0.0.1, one of each a machine.

Whichever worker process gets the lock of a service runs it and writes its port beside the lock. When that process
ends, another one takes its place within seconds.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable
from typing import TextIO

from tasks.application import app, folder

Starter = Callable[[], Awaitable[asyncio.Server]]
HOST = "127.0.0.1"
TEND_S = 3.0
_all: list[Neighbour] = []
_tending: list[asyncio.Task[None]] = []


class Neighbour:
    """A local service by name. `start` opens a listening server on a free port of `HOST`."""

    def __init__(self, name: str, start: Starter) -> None:
        self.name = name
        self._start = start
        self._server: asyncio.Server | None = None
        self._lock: TextIO | None = None
        _all.append(self)

    async def ensure(self) -> bool:
        """Run the service here unless another process does; whether it runs here."""
        if self._server is not None:
            return True
        lock = (folder("run") / f"{self.name}.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        self._lock = lock
        self._server = await self._start()
        port = self._server.sockets[0].getsockname()[1]
        scratch = folder("run") / f".{self.name}.{os.getpid()}"
        scratch.write_text(str(port))
        scratch.replace(folder("run") / f"{self.name}.port")
        return True

    def port(self) -> int:
        """The port it listens on. Raises ConnectionError when it has never run here."""
        try:
            return int((folder("run") / f"{self.name}.port").read_text())
        except (OSError, ValueError):
            raise ConnectionError(f"the {self.name} does not run on this machine") from None

    async def close(self) -> None:
        """Stop it if it runs here; safe to call twice."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            if hasattr(server, "close_clients"):  # Python 3.13
                server.close_clients()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


@app.on_startup
async def open_neighbours() -> None:
    """Run here what no other process runs, and go on looking."""
    for neighbour in _all:
        await neighbour.ensure()
    _tending.append(asyncio.create_task(_tend()))


async def _tend() -> None:
    while True:
        await asyncio.sleep(TEND_S)
        for neighbour in _all:
            await neighbour.ensure()


@app.on_shutdown
async def close_neighbours() -> None:
    """Give the places to other processes."""
    while _tending:
        _tending.pop().cancel()
    for neighbour in _all:
        await neighbour.close()
