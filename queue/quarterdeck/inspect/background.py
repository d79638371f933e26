"""What goes on beside the snapshots: looking for queues and crons, and keeping what stock workers would let go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from redis.exceptions import RedisError

from quarterdeck.inspect.discovery import Discovery
from quarterdeck.record.halting import halted
from quarterdeck.record.listener import Recorder

_LOG: Final = logging.getLogger(__name__)


class Background:
    """Tasks with one end. `recorder` is there once recording has begun."""

    def __init__(self, client: Any, queues: Sequence[str]) -> None:
        self._client, self._queues = client, queues
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.discovery = Discovery(client)
        self.recorder: Recorder | None = None
        self.may_record = False
        """Whether to record as soon as stock workers are met: it writes to the server."""

    def look_around(self) -> None:
        """Begin to look for queues and crons."""
        self._start("queue-discovery", self.discovery.run())

    def met_stock_workers(self) -> None:
        """Stock workers are there: begin to record what they end, when that is allowed."""
        if self.may_record and self.recorder is None:
            self.recorder = Recorder(self._client, self._queues)
            self._start("stock-recorder", self._record(self.recorder))

    async def close(self) -> None:
        """Stop everything; safe to call twice."""
        tasks, self._tasks = list(self._tasks.values()), {}
        await halted(*tasks)

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        if name in self._tasks:
            work.close()
            return
        self._tasks[name] = asyncio.create_task(work, name=name)

    @staticmethod
    async def _record(recorder: Recorder) -> None:
        """Listen first, then look for the failures that SAQ still keeps: nothing falls between."""
        listening = asyncio.create_task(recorder.run(), name="stock-listener")
        try:
            await recorder.listening.wait()
            try:
                await recorder.catch_up()
            except (RedisError, OSError, TimeoutError) as error:
                _LOG.debug("catching up was cut short: %s", error)
            await listening
        finally:
            await halted(listening)
