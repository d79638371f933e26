"""What goes around each attempt of an app's task: hooks, middleware, dependencies, the current job."""

from __future__ import annotations

import asyncio
import functools
import inspect
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from quarterdeck.app.context import JobContext, enter
from quarterdeck.app.lifecycle import Lifecycle, call_hook
from quarterdeck.app.signature import dump
from quarterdeck.worker.dependencies import Dependencies
from quarterdeck.worker.logs import FAILED_TTL_S, JOB_TTL_S, LogSink
from quarterdeck.worker.processes import Processes, check_importable

if TYPE_CHECKING:
    from quarterdeck.app.task import Task

Context = MutableMapping[str, Any]
CONTEXT = "quarterdeck"
"""Where an attempt's JobContext is in SAQ's context dict."""
_STACK = "quarterdeck_stack"
_OPENED = "quarterdeck_opened"
_NONE: Mapping[str, Any] = {}


class Surroundings:
    """SAQ's hooks (`startup`, `shutdown`, `before_process`, `after_process`) that carry out an app's."""

    def __init__(
        self, lifecycle: Lifecycle, tasks: Mapping[str, Task[Any, Any, Any]], sink: LogSink | None = None
    ) -> None:
        self._sink = sink
        self._lifecycle = lifecycle
        self._tasks = tasks
        self._dependencies = Dependencies()
        self._processes = Processes(self._take_line)
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def needed(self) -> bool:
        """Whether there is anything to do around a job; without it a job pays for nothing."""
        hooks = self._lifecycle
        needy = any(task.signature.dependencies for task in self._tasks.values())
        return bool(hooks.before_hooks or hooks.after_hooks or hooks.middlewares or needy)

    async def startup(self, context: Context) -> None:
        """Run the start-up hooks."""
        self._loop = asyncio.get_running_loop()
        for hook in self._lifecycle.startup_hooks:
            await call_hook(hook, context)

    async def shutdown(self, context: Context) -> None:
        """Run the shut-down hooks, all of them even if one raises, then close the worker's dependencies."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._dependencies.close)
            stack.push_async_callback(self._processes.close)
            for hook in reversed(self._lifecycle.shutdown_hooks):
                stack.push_async_callback(call_hook, hook, context)

    async def before(self, context: Context) -> None:
        """Enter middleware, run the before hooks and open the task's dependencies."""
        job = self.job_context(context)
        enter(job)
        stack = context[_STACK] = AsyncExitStack()
        for middleware in self._lifecycle.middlewares:
            await stack.enter_async_context(middleware(job))
        for hook in self._lifecycle.before_hooks:
            await call_hook(hook, job)
        task = self._tasks.get(job.function)
        if task is not None and task.signature.dependencies:
            context[_OPENED] = await self._dependencies.resolve(task.signature.dependencies, stack)

    async def after(self, context: Context) -> None:
        """Leave what `before` entered, with the exception that ended the attempt, then run the after hooks."""
        job = self.job_context(context)
        enter(job)
        error: BaseException | None = context.get("exception")
        stack: AsyncExitStack | None = context.pop(_STACK, None)
        try:
            if stack is not None:
                await _leave(stack, error)
        finally:
            for hook in self._lifecycle.after_hooks:
                await call_hook(hook, job, error)

    def job_context(self, context: Context) -> JobContext:
        """The attempt's JobContext, made at the first call."""
        found: JobContext | None = context.get(CONTEXT)
        if found is None:
            worker = str(getattr(context.get("worker"), "id", ""))
            found = context[CONTEXT] = JobContext(context["job"], worker=worker, loop=self._loop)
        return found

    def function_of(self, task: Task[Any, Any, Any]) -> Callable[..., Any]:
        """The SAQ function of a task: it takes the context and the job's arguments as JSON, and returns JSON types.

        Async tasks become async functions, plain ones plain functions, which the worker runs in threads. Those with
        `executor="process"` become async ones that wait for their process. Raises UsageError for a function that a new
        process can't import.
        """
        signature, function = task.signature, task.function

        async def run(context: Context, /, **arguments: Any) -> Any:
            job = self._enter(context)
            try:
                positional, named = signature.arrange(arguments)
                return dump(await function(*positional, **named, **context.get(_OPENED, _NONE)))
            except BaseException as error:
                self._tell(job, error)
                raise

        def call(context: Context, /, **arguments: Any) -> Any:
            job = self._enter(context)
            try:
                positional, named = signature.arrange(arguments)
                return dump(function(*positional, **named, **context.get(_OPENED, _NONE)))
            except BaseException as error:
                self._tell(job, error)
                raise

        async def run_elsewhere(context: Context, /, **arguments: Any) -> Any:
            job = self._enter(context)
            try:
                return await self._processes.run(function, arguments, job)
            except BaseException as error:
                self._tell(job, error)
                raise

        if task.defaults.executor == "process":
            check_importable(task.name, function)
            return functools.wraps(function)(run_elsewhere)
        return functools.wraps(function)(run if task.is_async else call)

    def saq_function_of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A SAQ function as it is, but for the current job, by which its log lines are known."""

        async def run(context: Context, /, **arguments: Any) -> Any:
            job = self._enter(context)
            try:
                return await function(context, **arguments)
            except BaseException as error:
                self._tell(job, error)
                raise

        def call(context: Context, /, **arguments: Any) -> Any:
            job = self._enter(context)
            try:
                return function(context, **arguments)
            except BaseException as error:
                self._tell(job, error)
                raise

        return functools.wraps(function)(run if inspect.iscoroutinefunction(function) else call)

    def _enter(self, context: Context) -> JobContext:
        """Make the attempt the current job."""
        job = self.job_context(context)
        enter(job)
        return job

    def _take_line(self, job: JobContext, level: str, text: str, at_ms: int) -> None:
        """A line of a job that runs in a process of its own."""
        if self._sink is not None:
            self._sink.put(job, level, text, at_ms=at_ms)

    def _tell(self, job: JobContext, error: BaseException) -> None:
        """What an attempt raised is the last line of its log."""
        if self._sink is not None:
            text = f"attempt {job.attempt} of {job.retries} ended: {error_line(error)}"
            self._sink.put(job, "error", text, ttl_s=FAILED_TTL_S if job.last_attempt else JOB_TTL_S)


async def _leave(stack: AsyncExitStack, error: BaseException | None) -> None:
    """Close the stack as if `error` had been raised inside it; that it comes out again is expected."""
    try:
        await stack.__aexit__(type(error) if error else None, error, error.__traceback__ if error else None)
    except BaseException as raised:
        if raised is not error:
            raise


def error_line(error: BaseException) -> str:
    """An exception in one line."""
    if isinstance(error, asyncio.CancelledError):
        return "cancelled, by its time-out, an abort or the worker's stop"
    return "".join(traceback.format_exception_only(error)).strip().splitlines()[0]
