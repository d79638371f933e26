"""Opening what tasks depend on: once a worker or once a job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

from quarterdeck.app.dependency import Dependency

Factory = Callable[[], AbstractAsyncContextManager[Any]]


class Dependencies:
    """The dependencies of scope `worker` that are open, and the way to open those of scope `job`."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._open: dict[Factory, asyncio.Future[Any]] = {}

    async def resolve(self, wanted: Mapping[str, Dependency[Any]], stack: AsyncExitStack) -> dict[str, Any]:
        """The opened things by parameter; those of scope `job` are left with `stack`.

        What raises while it opens raises here, and fails the attempt.
        """
        opened: dict[str, Any] = {}
        for name, dependency in wanted.items():
            if dependency.scope == "worker":
                opened[name] = await self._shared(dependency.factory)
            else:
                opened[name] = await stack.enter_async_context(dependency.factory())
        return opened

    async def _shared(self, factory: Factory) -> Any:
        """The worker's one instance. Jobs that come while it opens wait; if opening fails the next job tries again."""
        while (waiting := self._open.get(factory)) is not None:
            try:
                return await asyncio.shield(waiting)
            except _NotOpenedError:
                continue
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._open[factory] = future
        try:
            value = await self._stack.enter_async_context(factory())
        except BaseException:
            del self._open[factory]
            future.set_exception(_NotOpenedError())
            future.exception()  # it is looked at, so that nobody warns when nobody waits
            raise
        future.set_result(value)
        return value

    async def close(self) -> None:
        """Leave all of scope `worker`, the last one opened first; safe to call twice."""
        self._open.clear()
        await self._stack.aclose()


class _NotOpenedError(Exception):
    """Another job's try to open it failed."""
