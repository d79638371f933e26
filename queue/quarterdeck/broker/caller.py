"""Calls of a client: over a connection of its own that is opened at need, and again when it was lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Final

from redis import exceptions

from quarterdeck.broker.endpoint import Endpoint
from quarterdeck.broker.scripts import all_scripts
from quarterdeck.broker.wire import Wire, is_passing
from quarterdeck.script import Argument, Script

TRIES: Final = 4
"""How often a client's call is sent at most; about 2 s in all when the server refuses connections."""


class Caller:
    """Sends scripts and commands to where a redis-py client leads, for the queue whose list is `key`."""

    def __init__(self, client: Any, key: str) -> None:
        self.endpoint = Endpoint(client, key)
        self._wire: Wire | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening: asyncio.Task[Wire] | None = None

    @property
    def wire(self) -> Wire | None:
        """The open connection of this event loop, or None."""
        wire = self._wire
        if wire is None or wire.closed or self._loop is not asyncio.get_running_loop():
            return None
        return wire

    async def connected(self) -> Wire:
        """The connection, opened when there is none. Raises what `Wire.open` raises."""
        wire = self.wire
        if wire is not None:
            return wire
        loop = asyncio.get_running_loop()
        if self._opening is None or self._opening.done() or self._loop is not loop:
            self._loop = loop
            self._opening = loop.create_task(Wire.open(self.endpoint))
        self._wire = await asyncio.shield(self._opening)
        return self._wire

    async def run(
        self,
        script: Script,
        keys: Sequence[str],
        args: Sequence[Argument],
        again: Sequence[Argument] | None = None,
    ) -> Any:
        """Run a script; `again` are the arguments when it is sent anew because the answer was lost.

        Raises redis-py's exceptions after `TRIES` tries.
        """
        for attempt in range(TRIES):
            try:
                wire = await self.connected()
                return await self._run_on(wire, script, keys, args if attempt == 0 or again is None else again)
            except (exceptions.ConnectionError, exceptions.TimeoutError, TimeoutError) as error:
                if attempt == TRIES - 1 or isinstance(error, exceptions.AuthenticationError):
                    raise
            except exceptions.ResponseError as error:
                if attempt == TRIES - 1 or not is_passing(error) or isinstance(error, exceptions.OutOfMemoryError):
                    raise
            await asyncio.sleep(random.uniform(0.02, 0.1) * 4**attempt)  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    async def _run_on(self, wire: Wire, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        try:
            return await wire.call("EVALSHA", script.sha, len(keys), *keys, *args)
        except exceptions.NoScriptError:
            return await wire.call("EVAL", script.source, len(keys), *keys, *args)

    async def call(self, *command: Any) -> Any:
        """Send one command that may safely be sent twice. Raises redis-py's exceptions."""
        for attempt in range(TRIES):
            try:
                return await (await self.connected()).call(*command)
            except (exceptions.ConnectionError, exceptions.TimeoutError, TimeoutError) as error:
                if attempt == TRIES - 1 or isinstance(error, exceptions.AuthenticationError):
                    raise
            await asyncio.sleep(random.uniform(0.02, 0.1) * 4**attempt)  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    async def load(self, wire: Wire) -> None:
        """Load the engine's scripts on a connection's server."""
        await wire.all([("SCRIPT", "LOAD", script.source) for script in all_scripts()])

    def close(self) -> None:
        """Close the connection; safe to call twice, and a call opens it again."""
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
        if self._wire is not None and self._loop is not None and not self._loop.is_closed():
            self._wire.close()
        self._wire = None
