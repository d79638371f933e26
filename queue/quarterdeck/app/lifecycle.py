"""What an app does around its worker's life and around each job."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from quarterdeck.app.context import JobContext

WorkerContext = dict[str, Any]
WorkerHook = Callable[[], Any] | Callable[[WorkerContext], Any]
BeforeHook = Callable[[JobContext], Any]
AfterHook = Callable[[JobContext, BaseException | None], Any]
Around = Callable[[JobContext], AsyncIterator[None]]

W = TypeVar("W", bound=WorkerHook)
B = TypeVar("B", bound=BeforeHook)
A = TypeVar("A", bound=AfterHook)
M = TypeVar("M", bound=Around)


class Lifecycle:
    """The hooks of an app, in the order they were added; plain and async functions alike."""

    def __init__(self) -> None:
        self.startup_hooks: list[WorkerHook] = []
        self.shutdown_hooks: list[WorkerHook] = []
        self.before_hooks: list[BeforeHook] = []
        self.after_hooks: list[AfterHook] = []
        self.middlewares: list[Callable[[JobContext], AbstractAsyncContextManager[None]]] = []

    def on_startup(self, hook: W) -> W:
        """Run when a worker process starts, before its first job. May take the worker's context, a dict."""
        self.startup_hooks.append(hook)
        return hook

    def on_shutdown(self, hook: W) -> W:
        """Run when a worker process stops, after its last job; the last one added runs first."""
        self.shutdown_hooks.insert(0, hook)
        return hook

    def before_job(self, hook: B) -> B:
        """Run before each attempt. An exception fails the attempt."""
        self.before_hooks.append(hook)
        return hook

    def after_job(self, hook: A) -> A:
        """Run after each attempt, with the exception that ended it or None. An exception here is logged only."""
        self.after_hooks.append(hook)
        return hook

    def middleware(self, around: M) -> M:
        """Put an async generator with one `yield` around each attempt, the first one added outermost.

        What is before the `yield` runs before the attempt, what is after it runs afterwards; the exception that ended
        the attempt is raised at the `yield`.
        """
        self.middlewares.append(asynccontextmanager(around))
        return around


async def call_hook(hook: Callable[..., Any], *args: Any) -> None:
    """Call a hook with as many of `args` as it takes, and wait for it if it is async."""
    takes = [each for each in inspect.signature(hook).parameters.values() if each.kind in (0, 1)]
    any_number = any(each.kind is each.VAR_POSITIONAL for each in inspect.signature(hook).parameters.values())
    answer: Any = hook(*(args if any_number else args[: len(takes)]))
    if isinstance(answer, Awaitable):
        await answer
