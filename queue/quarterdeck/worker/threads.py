"""Threads for plain functions: as many as jobs run, replaced when a function does not come back."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

_Work = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", contextvars.Context, Callable[[], Any]]


class Threads:
    """A pool without a bound of its own: the worker's slots are the bound.

    The threads are daemons, so that a function that never ends does not keep the process from ending (the standard
    library's executor joins its threads at exit).
    """

    def __init__(self, name: str = "quarterdeck-job") -> None:
        self._name = name
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._idle = 0
        self._lock = threading.Lock()
        self.alive = 0

    def run(self, call: Callable[[], Any]) -> asyncio.Future[Any]:
        """Run `call` in a thread, with this task's context variables; a future of its result."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        with self._lock:
            spawn = self._idle <= 0
            self._idle -= 1
        self._work.put((loop, future, contextvars.copy_context(), call))
        if spawn:
            with self._lock:
                self._idle += 1
                self.alive += 1
                number = self.alive
            threading.Thread(target=self._serve, name=f"{self._name}-{number}", daemon=True).start()
        return future

    def close(self) -> None:
        """End idle threads; those at work end after it."""
        with self._lock:
            alive = self.alive
        for _ in range(alive):
            self._work.put(None)

    def _serve(self) -> None:
        while True:
            work = self._work.get()
            if work is None:
                break
            loop, future, context, call = work
            try:
                result, error = context.run(call), None
            except BaseException as raised:  # noqa: BLE001 - it belongs to whoever waits for the future
                result, error = None, raised
            with self._lock:
                self._idle += 1
            try:
                loop.call_soon_threadsafe(_deliver, future, result, error)
            except RuntimeError:  # the loop is closed: nobody waits any more
                break
            del work, future, context, call, result, error
        with self._lock:
            self.alive -= 1


def _deliver(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    elif isinstance(error, StopIteration):
        future.set_exception(RuntimeError(f"the function raised StopIteration: {error}"))
    else:
        future.set_exception(error)
