"""What every act needs: the connection, who acts, what they may do, where it is written down."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from quarterdeck.inspect.discovery import EVERY_S, Discovery
from quarterdeck.model import Outcome, Tally
from quarterdeck.operate.audit import Audit, UndoRecord
from quarterdeck.operate.command import CommandEcho
from quarterdeck.operate.guard import Guard
from quarterdeck.operate.identity import Identity
from quarterdeck.operate.presence import Presence
from quarterdeck.operate.runner import BulkRunner
from quarterdeck.operate.workers import known_queues

if TYPE_CHECKING:
    from quarterdeck.broker.connection import Connection
    from quarterdeck.broker.queue import Queue


class Bridge:
    """The base of the groups of acts in this folder; `RedisOperator` is all of them together."""

    def __init__(
        self,
        connection: Connection,
        *,
        identity: Identity,
        guard: Guard,
        queues: Sequence[str] = (),
        address: str = "",
    ) -> None:
        self._connection = connection
        self._client: Any = connection.client
        self._identity = identity
        self._guard = guard
        self._only_queues = tuple(queues)
        self._echo = CommandEcho(address)
        self._audit = Audit(self._client, identity)
        self._presence = Presence(self._client, identity)
        self._runner = BulkRunner(self._client, runner=identity.id, queues=queues)
        self._running: asyncio.Task[None] | None = None
        self._opened: dict[str, Queue] = {}
        self._found: tuple[float, tuple[str, ...]] = (0.0, ())

    @property
    def client(self) -> Any:
        """The connection's client, for those who only read."""
        return self._client

    @property
    def who(self) -> str:
        """The operator's name, as the audit has it."""
        return self._identity.who

    async def queues(self) -> tuple[str, ...]:
        """The queues that this operator is for: those named, those of ours, or, where there are none, all it finds.

        Of a deployment that only stock workers serve nobody has noted the queues.
        """
        return await known_queues(self._client, self._only_queues) or await self.all_queues()

    async def all_queues(self) -> tuple[str, ...]:
        """The queues that this operator is for, after a look through the server's keys for those nobody noted."""
        if self._only_queues:
            return self._only_queues
        at_s, found = self._found
        if not found or time.monotonic() - at_s > EVERY_S:
            discovery = Discovery(self._client)
            await discovery.sweep()
            self._found = time.monotonic(), tuple(sorted(discovery.queues))
        return self._found[1]

    def start(self) -> None:
        """Carry bulk operations out in the background, this operator's and those that nobody else carries on."""
        if self._running is None and not self._guard.read_only:
            self._running = asyncio.create_task(self._runner.run(), name="bulk-runner")

    async def close(self) -> None:
        """Take leave and release the connection; safe to call twice."""
        task, self._running = self._running, None
        if task is not None:
            self._runner.stop()
            task.cancel()
            await asyncio.wait([task])
        if not self._guard.read_only:
            with suppress(OSError, asyncio.TimeoutError, *_redis_errors()):
                await self._presence.leave()
        for queue in self._opened.values():
            await queue.disconnect()
        self._opened.clear()
        await self._connection.close()

    def _queue(self, name: str) -> Queue:
        """The queue to enqueue on; it stays open as long as the operator."""
        if name not in self._opened:
            from quarterdeck.broker.queue import Queue

            self._opened[name] = Queue(self._client, name=name)
        return self._opened[name]

    async def _done(
        self,
        verb: str,
        subject: str,
        message: str,
        *,
        queue: str = "",
        reason: str = "",
        done: int = 1,
        skips: Counter[str] | None = None,
        command: str = "",
        undo: UndoRecord | None = None,
        act: str = "",
        key: str = "",
        bulk: str = "",
    ) -> Outcome:
        """Write the act into the audit and give its outcome."""
        skipped = sum(skips.values()) if skips else 0
        act = act or self._audit.new_act()
        await self._audit.write(
            verb,
            subject,
            queue=queue,
            reason=reason,
            done=done,
            skipped=skipped,
            command=command,
            undo=act,
            undo_record=undo,
        )
        return Outcome(
            message=message,
            done=done,
            skipped=skipped,
            skips=tuple(Tally(name=name, count=count) for name, count in (skips or Counter()).most_common()),
            command=command,
            undo=act if undo is not None else "",
            key=key,
            bulk=bulk,
            trouble=bool(skipped) or not done,
        )


def _redis_errors() -> tuple[type[Exception], ...]:
    from redis.exceptions import RedisError

    return (RedisError,)
