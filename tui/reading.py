"""The one loop that reads. Never a timer that cancels the read in flight: slow reads must still arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from textual.message import Message

from quarterdeck.errors import QuarterdeckError, UnreachableError
from quarterdeck.model import Snapshot, Source, View
from tui.messages import ReadFailed, SnapshotReady

BACK_OFF_S: Final = (0.25, 0.5, 1.0, 2.0, 5.0)
"""Pauses after the first, second, ... failure in a row; the last one repeats."""

READ_LIMIT_S: Final = 10.0
"""A read that takes longer than this has failed: a half-open connection must not look like a calm screen."""


class ReadingLoop:
    """Reads what is on screen, one read in flight at a time, and posts what came of it.

    `open_source` connects (called again after a failure to connect), `view` says what is on screen at that moment,
    `post` takes the messages `SnapshotReady` and `ReadFailed`, `interval_s` says how long to rest between reads.
    Wakes that arrive during a read are served by one more read right after it. `first_look` may know something
    before anything is connected.
    """

    def __init__(
        self,
        open_source: Callable[[], Awaitable[Source]],
        view: Callable[[], View],
        post: Callable[[Message], object],
        interval_s: Callable[[], float],
        first_look: Callable[[], Awaitable[Snapshot | None]] | None = None,
    ) -> None:
        self._open_source = open_source
        self._view = view
        self._post = post
        self._interval_s = interval_s
        self._first_look = first_look
        self._looking: asyncio.Task[None] | None = None
        self._awake = asyncio.Event()
        self._reading = asyncio.Lock()
        self._source: Source | None = None
        self._failures = 0
        self.holding = False
        """While true only wakes cause reads: the screen is frozen."""

    def wake(self) -> None:
        """Read now, or as soon as the read in flight is through."""
        self._awake.set()

    def look(self) -> asyncio.Task[None]:
        """Post the first look when it comes; `run` waits for it. May be called before that, in the running loop."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        return self._looking

    async def _look(self) -> None:
        if self._first_look is None:
            return
        try:
            seen = await self._first_look()
        except QuarterdeckError as error:
            self._failed(error)
        else:
            if seen is not None:
                self._post(SnapshotReady(seen))

    async def run(self) -> None:
        """Read until cancelled; closes the source on the way out."""
        try:
            await self.look()
            while True:
                self._awake.clear()
                await self._read()
                await self._rest()
        finally:
            await self.close()

    async def close(self) -> None:
        """Release the connection. Legal at any time, any number of times."""
        source, self._source = self._source, None
        if source is not None:
            await source.close()

    async def read(self, view: View) -> Snapshot:
        """Read `view` beside the loop, after the read in flight. Raises QuarterdeckError."""
        async with self._reading:
            if self._source is None:
                self._source = await self._open_source()
            try:
                async with asyncio.timeout(READ_LIMIT_S):
                    return await self._source.snapshot(view)
            except TimeoutError:
                raise UnreachableError(f"The server has not answered for {READ_LIMIT_S:.0f} seconds.") from None

    async def _read(self) -> None:
        """One read and its outcome: rows, no rows, or a failure that leaves the old ones where they are."""
        try:
            snapshot = await self.read(self._view())
        except QuarterdeckError as error:
            self._failed(error)
        else:
            self._failures = 0
            self._post(SnapshotReady(snapshot))

    def _failed(self, error: QuarterdeckError) -> None:
        self._failures += 1
        self._post(ReadFailed(error, self._back_off_s()))

    def _back_off_s(self) -> float:
        return BACK_OFF_S[min(self._failures, len(BACK_OFF_S)) - 1]

    async def _rest(self) -> None:
        """Wait for a wake, or for the interval to pass; after a failure the back-off is waited out whatever wakes."""
        if self._failures:
            await asyncio.sleep(self._back_off_s())
            return
        # Not `wait_for`, which comes back some turns of the loop later: a key waits for what is read now.
        with suppress(TimeoutError):
            async with asyncio.timeout(None if self.holding else self._interval_s()):
                await self._awake.wait()
