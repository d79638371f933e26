"""A task: a function that can also be sent to a worker."""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from string import Formatter
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, overload

import msgspec

from quarterdeck.app.handle import Handle
from quarterdeck.app.options import TaskOptions
from quarterdeck.app.signature import Signature, convert
from quarterdeck.errors import ArgumentError, UsageError
from quarterdeck.flow.step import Step
from quarterdeck.model import FunctionSpec

if TYPE_CHECKING:
    from quarterdeck.app.application import App

P = ParamSpec("P")
R = TypeVar("R")
"""What calling the function gives: a coroutine for async ones."""
T = TypeVar("T")
"""What the job's result is."""


class Task(Generic[P, R, T]):
    """A function with a name, options and an app. Calling it is calling the function, without any server."""

    def __init__(self, app: App, function: Callable[P, R], name: str, defaults: TaskOptions) -> None:
        functools.update_wrapper(self, function)
        self.app = app
        self.function = function
        self.name = name
        self.defaults = defaults
        self.signature = Signature(name, function)
        self.is_async = inspect.iscoroutinefunction(function)
        if defaults.executor == "process" and (self.is_async or self.signature.dependencies):
            raise UsageError(
                f"The task {name} can't run in a process: it is async or has dependencies.", "Make it a plain function."
            )
        self._check_key(defaults.unique)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function here and now."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Task {self.name} of {self.app.name}>"

    def _check_key(self, unique: Any) -> None:
        """Refuse a template that asks for what no call can have, before the first call does."""
        if not isinstance(unique, str) or self.signature.accepts_any:
            return
        try:
            missing = _fields_of(unique) - {each.name for each in self.signature.named}
        except ValueError as error:
            raise UsageError(f"The unique key of {self.name}, {unique!r}, can't be read: {error}.") from None
        if missing:
            raise UsageError(
                f"The unique key of {self.name}, {unique!r}, asks for {', '.join(map(repr, sorted(missing)))}, which is"
                " not among its arguments.",
                f"It takes {self.signature.text()}.",
            )

    @property
    def queue(self) -> str:
        """The queue that its jobs go to."""
        return self.defaults.queue or self.app.default_queue

    async def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
        """Send a job to a worker, once its arguments fit the signature (else ArgumentError, and nothing is sent)."""
        return await Sending(self, self.defaults).enqueue(*args, **kwargs)

    async def enqueue_many(self, calls: Iterable[Sequence[Any] | Mapping[str, Any]]) -> list[Handle[T]]:
        """Send many jobs in few round trips: each call is a tuple of positional or a dict of named arguments."""
        return await Sending(self, self.defaults).enqueue_many(calls)

    def options(self, *, key: str = "", **changes: Any) -> Sending[P, R, T]:
        """This task with other options for what is sent through the answer: `task.options(delay_s=60).enqueue(1)`.

        `key` is the job's key as it is; the rest is TaskOptions'. Raises UsageError for an option that is not known.
        """
        return Sending(self, replaced(self.defaults, changes, self.name), key=key)

    def step(self, *args: Any, **kwargs: Any) -> Step:
        """This call as a step of a flow; required arguments may stay open for the previous step's result."""
        return Sending(self, self.defaults).step(*args, **kwargs)

    def spec(self) -> FunctionSpec:
        """What workers register of it."""
        return FunctionSpec(
            name=self.name,
            queues=(self.queue,),
            parameters=self.signature.specs(),
            doc=inspect.getdoc(self.function) or "",
            accepts_any=self.signature.accepts_any,
            timeout_s=self.defaults.timeout_s or 0.0,
            retries=self.defaults.retries,
            expected_s=self.defaults.expected_s,
        )


class Sending(Generic[P, R, T]):
    """A task with the options of one sending."""

    def __init__(self, task: Task[P, R, T], options: TaskOptions, *, key: str = "") -> None:
        self._task = task
        self._options = options
        self._key = key

    async def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
        """Send a job, as `Task.enqueue` does."""
        (handle,) = await self._task.app.send([self._whole(args, kwargs)])
        return handle.of(self._task.signature.result)

    async def enqueue_many(self, calls: Iterable[Sequence[Any] | Mapping[str, Any]]) -> list[Handle[T]]:
        """Send many jobs, as `Task.enqueue_many` does."""
        steps = [self._whole((), call) if isinstance(call, Mapping) else self._whole(call, {}) for call in calls]
        return [handle.of(self._task.signature.result) for handle in await self._task.app.send(steps)]

    def step(self, *args: Any, **kwargs: Any) -> Step:
        """A step of a flow, as `Task.step` makes it."""
        arguments = self._task.signature.bind(args, kwargs, partial=True)
        return self._step(arguments, takes=self._task.signature.free(arguments) or "")

    def _whole(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Step:
        if isinstance(args, str | bytes):
            raise ArgumentError(f"{self._task.name}: a call is a tuple or a dict of arguments, not the text {args!r}.")
        return self._step(self._task.signature.bind(args, kwargs))

    def _step(self, arguments: dict[str, Any], takes: str = "") -> Step:
        return Step(
            function=self._task.name,
            queue=self._options.queue or self._task.queue,
            kwargs=arguments,
            job=self._options.job_fields(),
            key=self._key or self._unique_key(arguments),
            delay_s=self._options.delay_s,
            takes=takes,
        )

    def _unique_key(self, arguments: dict[str, Any]) -> str:
        unique = self._options.unique
        if unique is None:
            return ""
        signature = self._task.signature
        values = {each.name: each.default for each in signature.named if each.default is not each.empty}
        values |= {name: convert(value, signature.hints.get(name, Any)) for name, value in arguments.items()}
        try:
            return unique.format(**values) if isinstance(unique, str) else unique(**values)
        except (KeyError, IndexError) as error:
            raise UsageError(
                f"The unique key of {self._task.name}, {unique!r}, asks for {error}, which is not among its arguments."
            ) from None


class TaskDecorator(Protocol):
    """What `App.task(...)` and `App.schedule(...)` return. A task is taken too: it is callable, and comes back."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, T]]) -> Task[P, Coroutine[Any, Any, T], T]: ...
    @overload
    def __call__(self, function: Callable[P, T]) -> Task[P, T, T]: ...


def replaced(defaults: TaskOptions, changes: Mapping[str, Any], name: str) -> TaskOptions:
    """`defaults` with `changes`, for what `name` says. Raises UsageError for one that is not known or not right."""
    known = TaskOptions.__struct_fields__
    unknown = sorted(set(changes) - set(known))
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        cure = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(f"{name} has no option {', '.join(unknown)}.", f"{cure}Options are: {', '.join(known)}.")
    try:
        return msgspec.structs.replace(defaults, **changes)
    except UsageError as error:
        raise UsageError(f"{name}: {error.message}", error.cure) from None


def _fields_of(template: str) -> set[str]:
    """The names that a key's template asks for. Raises ValueError for a template that can't be read."""
    return {re.split(r"[.\[]", field)[0] for _, field, _, _ in Formatter().parse(template) if field is not None}
