"""The app: what a task author writes against."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, cast, overload

from quarterdeck.app.flow_handle import FlowHandle
from quarterdeck.app.handle import Handle
from quarterdeck.app.lifecycle import Lifecycle
from quarterdeck.app.options import TaskOptions
from quarterdeck.app.outbox import Outbox
from quarterdeck.app.task import Task, TaskDecorator, replaced
from quarterdeck.errors import UsageError
from quarterdeck.flow import Flow
from quarterdeck.flow.compose import certain, compiled

if TYPE_CHECKING:
    from quarterdeck.app.timetable import Timed
    from quarterdeck.broker.queue import Queue
    from quarterdeck.flow.step import Step

P = ParamSpec("P")
T = TypeVar("T")


class App(Lifecycle):
    """Tasks, schedules and hooks under one name, and the way to the queues they are sent to.

    `queues` are the queues its workers serve: names in strict order, or names with weights; the first is the default.
    `url` is where the server is; without it QUARTERDECK_URL, then quarterdeck.toml, then the embedded server that runs
    on this machine. `version` is shown with its workers. Further keywords are defaults for all tasks (TaskOptions).
    """

    def __init__(
        self,
        name: str,
        *,
        queues: Sequence[str] | Mapping[str, int] = ("default",),
        url: str | None = None,
        version: str = "",
        **defaults: Any,
    ) -> None:
        super().__init__()
        self.name = name
        self.queues = _names(name, queues)
        self.weights = dict(queues) if isinstance(queues, Mapping) else {}
        self.version = version
        self.defaults = replaced(TaskOptions(), defaults, name)
        self.tasks: dict[str, Task[Any, Any, Any]] = {}
        self.schedules: list[Timed] = []
        self.outbox = Outbox(url)

    def __repr__(self) -> str:
        return f"<App {self.name}: {len(self.tasks)} tasks on {', '.join(self.queues)}>"

    @property
    def default_queue(self) -> str:
        """The queue of tasks that name none."""
        return self.queues[0]

    @overload
    def task(self, function: Callable[P, Coroutine[Any, Any, T]], /) -> Task[P, Coroutine[Any, Any, T], T]: ...
    @overload
    def task(self, function: Callable[P, T], /) -> Task[P, T, T]: ...
    @overload
    def task(self, /, *, name: str = "", **options: Any) -> TaskDecorator: ...
    def task(self, function: Callable[..., Any] | None = None, /, *, name: str = "", **options: Any) -> Any:
        """Make a function a task of this app: `@app.task` or `@app.task(retries=3, ...)`.

        `name` is what the job's function is called, the function's own name unless told; `options` are TaskOptions'.
        Raises UsageError for an option that is unknown or wrong, a name taken, and for what is no function.
        """

        def decorate(function: Callable[..., Any]) -> Task[Any, Any, Any]:
            _refuse_what_is_no_function(function)
            task_name = name or function.__name__
            if task_name in self.tasks:
                raise UsageError(f"The app {self.name} has a task {task_name} already.", "Give one of them a name=.")
            task: Task[Any, Any, Any] = Task(self, function, task_name, replaced(self.defaults, options, task_name))
            self.tasks[task_name] = task
            return task

        return decorate if function is None else decorate(function)

    def schedule(
        self,
        expression: str,
        *,
        name: str = "",
        tz: str = "UTC",
        args: Mapping[str, Any] | None = None,
        overlap: str = "skip",
        catch_up: str = "latest",
        jitter_s: float = 0,
        expected_s: float | None = None,
        description: str = "",
        **options: Any,
    ) -> TaskDecorator:
        """Run a function by the clock: above `@app.task(...)`, or alone; several above one function are several.

        `expression` is cron's (5 fields, 6 with the seconds first, or @daily and its kin), read in the IANA zone `tz`.
        `name` is the schedule's identity (the task's name, numbered, unless told); `args` are the function's
        arguments. Policies and their meaning are `schedule.ScheduleSpec`'s; `options` are TaskOptions', and hold for
        the task when the function is not one yet.
        Raises UsageError for an expression that is not cron or can never fire, an unknown zone, a name taken, and
        arguments that do not fit.
        """
        # Apps without schedules don't pay for croniter.
        from quarterdeck.app.timetable import Timed
        from quarterdeck.schedule.spec import spec_of_task

        if args is not None and not isinstance(args, Mapping):
            raise UsageError(f"The schedule '{name or expression}': args is a dict of its arguments, not {args!r}.")
        if callable(expression):
            raise UsageError(
                f"@app.schedule stands above {getattr(expression, '__name__', expression)} without an expression.",
                'Write @app.schedule("0 2 * * *").',
            )

        def decorate(function: Any) -> Task[Any, Any, Any]:
            task = function if isinstance(function, Task) else self.task(**options)(function)
            taken = {each.name for each in self.schedules}
            timed = Timed(
                name=name or _free_name(task.name, taken),
                expression=expression,
                tz=tz,
                task=task,
                arguments=task.signature.bind((), args or {}),
                overlap=overlap,
                catch_up=catch_up,
                jitter_s=jitter_s,
                expected_s=task.defaults.expected_s if expected_s is None else expected_s,
                description=description or _first_line(task.function),
                options=replaced(task.defaults, options, task.name),
            )
            if timed.name in taken:
                raise UsageError(f"The app {self.name} has a schedule {timed.name} already.", "Names are identities.")
            spec_of_task(timed, app=self.name)  # an expression that is not cron is found here, not on a worker
            self.schedules.append(timed)
            return task

        return cast("TaskDecorator", decorate)

    async def send(self, steps: Iterable[Step]) -> list[Handle[Any]]:
        """Enqueue described calls, few round trips for many; what `enqueue` and flows stand on."""
        return await self.outbox.send(steps)

    async def enqueue(self, flow: Flow) -> FlowHandle:
        """Enqueue a flow (`chain`, `group`, `chord`, `branch`, `saga` over `task.step(...)`): its first jobs now, the
        others each in the same step on the server that ends the job they follow."""
        first = compiled(flow)
        opened = await self.send(first)
        others = [self.handle(step.key, queue=step.queue, function=step.function) for step in certain(first)]
        keys = {handle.key for handle in opened}
        return FlowHandle([*opened, *(handle for handle in others if handle.key not in keys)], len(opened))

    def handle(self, key: str, *, queue: str = "", function: str = "") -> Handle[Any]:
        """A handle for a job whose key is known, as from another process."""
        task = self.tasks.get(function)
        decode = task.signature.result if task else None
        return Handle(self.queue(queue), key, function, decode=decode)

    def queue(self, name: str = "") -> Queue:
        """The queue `name` on this app's server; it connects when first used. Raises UnreachableError."""
        return self.outbox.queue(name or self.default_queue)

    async def close(self) -> None:
        """Close the connections that sending opened; safe to call twice, and sending opens them again."""
        await self.outbox.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def _names(app: str, queues: Any) -> tuple[str, ...]:
    """The queues' names. Raises UsageError for what is no list of names, or no names with weights."""
    names = () if isinstance(queues, str) else tuple(queues)
    if not names or len(set(names)) < len(names) or not all(isinstance(name, str) and name for name in names):
        raise UsageError(
            f"The app {app} needs a list of queue names, not {queues!r}.", 'Write queues=("default", "emails").'
        )
    weights = list(queues.values()) if isinstance(queues, Mapping) else []
    if not all(isinstance(weight, int) and weight > 0 for weight in weights):
        raise UsageError(f"The app {app} has queues with weights {queues!r}.", 'Write {"a": 3, "b": 1}.')
    return names


def _refuse_what_is_no_function(function: Any) -> None:
    if isinstance(function, Task):
        raise UsageError(
            f"{function.name} is a task already, and would become one again.",
            "Write @app.schedule(...) above @app.task(...), and @app.task once.",
        )
    if not callable(function) or not hasattr(function, "__name__"):
        raise UsageError(f"@app.task needs a function, not {function!r}.")
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise UsageError(f"{function.__name__} yields: a generator has no result.", "Return a list.")


def _free_name(wanted: str, taken: set[str]) -> str:
    """`wanted`, or `wanted-2` and so on when that is taken."""
    names = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]
