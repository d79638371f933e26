"""A TCP proxy that can swallow everything without closing: half-open connections."""

from __future__ import annotations

import asyncio
from typing import Self


class BlackHole:
    """Forwards to a Unix socket until `swallow`; connections made before it hear nothing ever after."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._gate = {}
        self._generation = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def swallow(self) -> None:
        """From now on the connections there are forward nothing; new ones work."""
        self._generation += 1

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = self._generation
        far_reader, far_writer = await asyncio.open_unix_connection(self._path)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pump(source, sink, mine))
            self._tasks.add(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, mine: int) -> None:
        try:
            while data := await source.read(65536):
                if mine == self._generation:
                    sink.write(data)
                    await sink.drain()
            if mine == self._generation:
                sink.close()
        except (ConnectionError, OSError):
            sink.close()
