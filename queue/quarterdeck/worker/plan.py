"""What a worker process will run, whether an app or SAQ's settings described it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from saq.queue.redis import RedisQueue

from quarterdeck.app import App
from quarterdeck.app.lifecycle import Lifecycle
from quarterdeck.app.signature import Signature
from quarterdeck.broker.queue import Queue
from quarterdeck.errors import TargetError, UsageError
from quarterdeck.model import FunctionSpec
from quarterdeck.schedule.spec import ScheduleSpec, spec_of_task, specs_of_saq
from quarterdeck.worker.logs import LogSink
from quarterdeck.worker.middleware import Surroundings

Hooks = list[Callable[..., Any]]


@dataclass
class Plan:
    """The functions by name, their specification, the hooks, the schedules by queue, and SAQ's other settings."""

    app_name: str
    surroundings: Surroundings
    functions: list[tuple[str, Callable[..., Any]]]
    specs: list[FunctionSpec]
    queues: tuple[str, ...]
    weights: dict[str, int] = field(default_factory=dict)
    schedules: dict[str, list[ScheduleSpec]] = field(default_factory=dict)
    startup: Hooks = field(default_factory=list)
    shutdown: Hooks = field(default_factory=list)
    before: Hooks = field(default_factory=list)
    after: Hooks = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    """What else SAQ's Worker takes."""
    on_lost: dict[str, str] = field(default_factory=dict)
    version: str = ""
    queue: Queue | None = None
    """The queue that SAQ's settings bring along, as ours."""
    lend: Callable[[Mapping[str, Queue]], None] = lambda _queues: None
    """Hands the worker's queues to the app, which sends through them."""


def plan_of_app(app: App, sink: LogSink | None = None) -> Plan:
    """The plan for an app. Raises ScheduleError and its kin for a schedule that can't be."""
    surroundings = Surroundings(app, app.tasks, sink)
    schedules: dict[str, list[ScheduleSpec]] = {name: [] for name in app.queues}
    for timed in app.schedules:
        schedules.setdefault(timed.options.queue or timed.task.queue, []).append(spec_of_task(timed, app=app.name))
    needed = surroundings.needed
    return Plan(
        app_name=app.name,
        surroundings=surroundings,
        functions=[(name, surroundings.function_of(task)) for name, task in app.tasks.items()],
        specs=[task.spec() for task in app.tasks.values()],
        queues=app.queues,
        weights=app.weights,
        schedules=schedules,
        startup=[surroundings.startup],
        shutdown=[surroundings.shutdown],
        before=[surroundings.before] if needed else [],
        after=[surroundings.after] if needed else [],
        on_lost={name: task.defaults.on_lost for name, task in app.tasks.items()},
        version=app.version,
        lend=app.outbox.lend,
    )


def plan_of_settings(settings: Mapping[str, Any], path: str, sink: LogSink | None = None) -> Plan:
    """The plan for SAQ's settings, which stay untouched. Raises TargetError for a queue that is not on Redis."""
    rest = dict(settings)
    surroundings = Surroundings(Lifecycle(), {}, sink)
    queue = our_queue(rest.pop("queue", None), path)
    name = queue.name if queue is not None else "default"
    cron_jobs = rest.pop("cron_jobs", None) or ()
    tz = str(rest.pop("cron_tz", "UTC"))
    functions = dict(_named(function) for function in rest.pop("functions", None) or ())
    functions |= {cron.function.__qualname__: cron.function for cron in cron_jobs}
    return Plan(
        app_name=path,
        surroundings=surroundings,
        functions=[(each, surroundings.saq_function_of(function)) for each, function in functions.items()],
        specs=[spec_of_saq(each, function, name) for each, function in functions.items()],
        queues=(name,),
        schedules={name: specs_of_saq(cron_jobs, tz=tz, app=path)},
        startup=[surroundings.startup, *_many(rest.pop("startup", None))],
        shutdown=_many(rest.pop("shutdown", None)),
        before=_many(rest.pop("before_process", None)),
        after=_many(rest.pop("after_process", None)),
        settings=rest,
        queue=queue,
    )


def our_queue(queue: Any, path: str) -> Queue | None:
    """The queue of SAQ's settings as ours, on the same connection settings; None when there is none."""
    if queue is None or isinstance(queue, Queue):
        return queue
    if not isinstance(queue, RedisQueue):
        raise TargetError(
            f"The queue in {path} is a {type(queue).__name__}, and only queues on Redis or Valkey can be served.",
            "Run it with saq's own worker.",
        )
    return Queue.of(queue)


def spec_of_saq(name: str, function: Callable[..., Any], queue: str) -> FunctionSpec:
    """The specification of a SAQ function; its first parameter is the context."""
    try:
        signature = Signature(name, function, skip=1)
    except (ValueError, UsageError):  # a builtin without a signature
        return FunctionSpec(name=name, queues=(queue,), accepts_any=True)
    return FunctionSpec(
        name=name,
        queues=(queue,),
        parameters=signature.specs(),
        doc=inspect.getdoc(function) or "",
        accepts_any=signature.accepts_any,
    )


def _named(function: Any) -> tuple[str, Callable[..., Any]]:
    return function if isinstance(function, tuple) else (function.__qualname__, function)


def _many(hooks: Callable[..., Any] | Sequence[Callable[..., Any]] | None) -> Hooks:
    if hooks is None:
        return []
    return [hooks] if callable(hooks) else list(hooks)
