"""One worker process, from what it was told to run to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from quarterdeck.app import App
from quarterdeck.broker.client import client_of
from quarterdeck.broker.connection import open_connection
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.whereabouts import server_address
from quarterdeck.errors import TargetError, UnreachableError
from quarterdeck.worker.capture import capturing
from quarterdeck.worker.logs import LogSink
from quarterdeck.worker.plan import Plan, plan_of_app, plan_of_settings
from quarterdeck.worker.supervisor import GRACE_S, watch_parent
from quarterdeck.worker.target import load_target
from quarterdeck.worker.timekeeping import Timekeeping
from quarterdeck.worker.version import code_version
from quarterdeck.worker.worker import Worker

logger = logging.getLogger("quarterdeck.worker")

_CANCEL_S = 0.5
BURST_IDLE_S = 0.5
"""How long a burst waits for one more job."""


@dataclass(frozen=True, kw_only=True)
class ServiceOptions:
    """What the command line said."""

    url: str | None = None
    """The server, whatever the target says."""
    settings_url: str | None = None
    """The server unless the target names one; the embedded one when neither does."""
    data_dir: str | None = None
    queues: tuple[str, ...] = ()
    weights: dict[str, int] = field(default_factory=dict)
    concurrency: int | None = None
    name: str = ""
    burst: bool = False
    grace_s: float | None = None
    """How long jobs may take to finish at a stop; what SAQ's settings say, or `GRACE_S`, when it is not told."""
    schedules: bool = True
    prints: bool = False
    log_level: int = logging.INFO
    """What the jobs' logs take, whatever is told on stderr."""
    worker: dict[str, Any] = field(default_factory=dict)
    """Further arguments of `Worker`: lease_s, beat_s, ..."""


class Service:
    """A worker process: `await Service("tasks:app", ServiceOptions(url=...)).run()`.

    Building it loads the target and raises TargetError and its kin; running it raises UnreachableError when the server
    refuses us. A server that is not there yet is waited for.
    """

    def __init__(self, target: str | App | dict[str, Any], options: ServiceOptions) -> None:
        self.options = options
        self._sink = LogSink({})
        path = target if isinstance(target, str) else "settings"
        loaded = load_target(target) if isinstance(target, str) else target
        self.plan: Plan = (
            plan_of_app(loaded, self._sink) if isinstance(loaded, App) else plan_of_settings(loaded, path, self._sink)
        )
        self._url = options.url or (loaded.outbox.url if isinstance(loaded, App) else None) or options.settings_url
        self._module = _module_of(loaded, path)
        self.worker: Worker | None = None

    async def run(self, beside: Callable[[list[Queue]], Coroutine[Any, Any, None]] | None = None) -> int:
        """Run until told to stop; 0. `beside` is run beside the worker on its queues, and cancelled with it."""
        watch_parent()
        async with AsyncExitStack() as stack:
            queues = await self._queues(stack)
            self._sink.serve({queue.name: queue.redis for queue in queues})
            worker = self.worker = self._build(queues)
            self._sink.worker = worker.lease_id
            stack.enter_context(capturing(self._sink, level=self.options.log_level, prints=self.options.prints))
            await self._sink.start()
            stack.push_async_callback(self._sink.stop)
            self.plan.lend({queue.name: queue for queue in queues})
            stack.callback(self.plan.lend, {})
            if beside is not None:
                stack.push_async_callback(_ended, asyncio.create_task(beside(queues), name="beside-worker"))
            await worker.start()
        return 0

    async def _queues(self, stack: AsyncExitStack) -> list[Queue]:
        """The queues to serve, in their order, on one client."""
        names = self.options.queues or self.plan.queues
        if self.plan.queue is not None and self.options.url is None:
            first = self.plan.queue
            others = [name for name in names if name != first.name]
            queues = [first, *(first.sibling(name) for name in others)] if first.name in names else []
            queues = queues or [first.sibling(name) for name in names]
        else:
            address = server_address(self._url, self.options.data_dir)
            await _look(address)
            first = Queue(client_of(address, client_name="quarterdeck-worker"), name=names[0])
            queues = [first, *(first.sibling(name) for name in names[1:])]
        for queue in queues:
            stack.push_async_callback(queue.disconnect)
        return queues

    def _build(self, queues: list[Queue]) -> Worker:
        plan, options = self.plan, self.options
        served = {queue.name for queue in queues}
        warn_of_gaps(plan, {*served, *plan.queues})
        schedules = {name: specs for name, specs in plan.schedules.items() if name in served}
        given: dict[str, Any] = {
            "shutdown_grace_period_s": GRACE_S,
            **plan.settings,
            "startup": plan.startup or None,
            "shutdown": plan.shutdown or None,
            "before_process": plan.before or None,
            "after_process": plan.after or None,
            "burst": options.burst or bool(plan.settings.get("burst")),
            **options.worker,
        }
        if options.grace_s is not None:
            given["shutdown_grace_period_s"] = options.grace_s
        if options.concurrency is not None:
            given["concurrency"] = options.concurrency
        if options.burst:
            given["dequeue_timeout"] = given.get("dequeue_timeout") or BURST_IDLE_S
        try:
            return Worker(
                queues[0],
                plan.functions,
                queues=queues[1:],
                order=options.weights or (plan.weights if not options.queues else {}) or "strict",
                name=options.name,
                version=code_version(plan.version, self._module),
                specs=plan.specs,
                on_lost=plan.on_lost,
                scheduler=Timekeeping(queues[0].redis, schedules, app=plan.app_name) if options.schedules else None,
                **given,
            )
        except TypeError as error:
            raise TargetError(
                f"The settings {plan.app_name} hold what a worker does not take: {error}.",
                "See SAQ's settings for what there is.",
            ) from error


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task until it has ended: a client that is reading may swallow a cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_CANCEL_S)


def warn_of_gaps(plan: Plan, served: set[str]) -> None:
    """Say what would otherwise only show as jobs that wait for ever."""
    if not plan.functions:
        logger.warning("%s has no tasks: is @app.task missing, or the import of their module?", plan.app_name)
    for spec in plan.specs:
        for name in sorted(set(spec.queues) - served):
            logger.warning(
                "The task %s sends its jobs to the queue %s, which %s does not serve: name it in queues=.",
                *(spec.name, name, plan.app_name),
            )


def _module_of(loaded: App | dict[str, Any], path: str) -> str:
    """The module whose version is the code's: the one that was named, or that of an app's first task."""
    if isinstance(loaded, App) and path == "settings":
        return next((task.function.__module__ for task in loaded.tasks.values()), "")
    module, colon, _ = path.partition(":")
    return module if colon else path.rpartition(".")[0] or path


async def _look(address: Any) -> None:
    """Look at the server once: what refuses us is an error now, one that is not there yet is waited for."""
    try:
        connection = await open_connection(address, client_name="quarterdeck-worker")
    except UnreachableError as error:
        if not _is_away(error):
            raise
        logger.warning("%s The worker waits for it.", error.message)
        return
    for warning in connection.warnings:
        logger.warning("%s", warning)
    await connection.close()


def _is_away(error: BaseException | None) -> bool:
    """Whether nothing listens there at this moment."""
    while error is not None:
        if isinstance(error, ConnectionRefusedError | FileNotFoundError):
            return True
        error = error.__cause__ or error.__context__
    return False
