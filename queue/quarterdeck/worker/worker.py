"""The worker: SAQ's Worker, with taking, running, settling and rescue of our own."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from saq.queue.redis import RedisQueue
from saq.worker import Worker as SaqWorker
from saq.worker import ensure_coroutine_function_many

from quarterdeck.broker.ending import Settlement
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import script
from quarterdeck.model.rows import FunctionSpec
from quarterdeck.record.halting import halted
from quarterdeck.record.retention import history_count
from quarterdeck.worker.aftermath import aftermath
from quarterdeck.worker.attempt import Attempt
from quarterdeck.worker.beats import Beat, Beats
from quarterdeck.worker.clock import ServerClock
from quarterdeck.worker.control import Control
from quarterdeck.worker.intake import Intake
from quarterdeck.worker.mailbox import hear
from quarterdeck.worker.outcomes import Follow
from quarterdeck.worker.portrait import Portrait
from quarterdeck.worker.promotion import Promotion
from quarterdeck.worker.reminders import Reminders
from quarterdeck.worker.rescuer import Rescuer
from quarterdeck.worker.runner import Runner
from quarterdeck.worker.supervisor import endings
from quarterdeck.worker.turns import Turns
from quarterdeck.worker.upkeep import Upkeep
from quarterdeck.worker.waking import wake

logger = logging.getLogger("quarterdeck.worker")

SETTLE_AT_STOP_S = 30.0
"""How long a stopping worker waits for a server that is away, with results in hand."""


class Runnable(Protocol):
    """What the worker runs beside its jobs: a scheduler."""

    async def run(self) -> None:
        """Run until cancelled."""


class Worker(SaqWorker[Any]):
    """SAQ's worker on our engine. SAQ's arguments mean what they mean there; beside them:

    `queues` further queues (or names) served after `queue`; `order` is "strict" or a mapping of names to weights;
    `lease_s` how long a worker counts as alive after a beat, `beat_s` how often it beats; `crash_budget` how many
    workers a job may lose before it is poison; `name`, `version`, `specs` what the dashboard shows; `on_lost` maps
    functions to "fail"; `scheduler` runs beside the jobs; `follow` says what is enqueued with a job's end.
    `id` is what SAQ's tools show; jobs and leases are held under `lease_id`, new for each worker: two of one id,
    or one that is started again, would take each other's jobs for their own. `poll_interval` is SAQ's for Postgres and
    does nothing here. `queue` may be SAQ's own RedisQueue. Raises TypeError for another.
    """

    def __init__(
        self,
        queue: RedisQueue,
        functions: Any,
        *,
        queues: Sequence[Queue | str] = (),
        order: str | Mapping[str, int] = "strict",
        lease_s: float = 10.0,
        beat_s: float = 2.0,
        crash_budget: int = 3,
        name: str = "",
        version: str = "",
        specs: Sequence[FunctionSpec] = (),
        on_lost: Mapping[str, str] | None = None,
        scheduler: Runnable | None = None,
        follow: Follow | None = None,
        id: str | None = None,  # noqa: A002 - SAQ's name
        **kwargs: Any,
    ) -> None:
        queue = Queue.of(queue)
        base = f"{socket.gethostname()}-{os.getpid()}" if id is None else str(id)
        self.lease_id = f"{base}-{uuid.uuid4().hex[:8]}"
        super().__init__(queue, functions, id=self.lease_id if id is None else base, **kwargs)
        more = [each if isinstance(each, Queue) else queue.sibling(each) for each in queues]
        self.queue: Queue = queue
        self.queues: list[Queue] = [queue, *(each for each in more if each.name != queue.name)]
        self.name = name or (f"{socket.gethostname()}:{os.getpid()}" if id is None else str(id))
        self.version = version
        self.specs = tuple(specs) or tuple(
            FunctionSpec(name=each, accepts_any=True, queues=tuple(q.name for q in self.queues))
            for each in self.functions
        )
        self.weights = dict(order) if isinstance(order, Mapping) else None
        self.lease_s = lease_s
        self.beat_s = beat_s
        self.crash_budget = crash_budget
        self.on_lost = dict(on_lost or {})
        self.scheduler = scheduler
        self.follow = follow or aftermath
        self.paused = False
        """Whether it was told to be quiet: it takes nothing new."""
        self.clock = ServerClock()
        self.stack = ("", "")
        """The stack that was asked for last, and the job's key."""
        self._engine: Turns | None = None
        self._interrupted = False
        self._hurried = asyncio.Event()
        """Set when what runs is not to be waited for."""
        self.state = "running"
        """running, or stopping."""

    # -- life --

    async def start(self) -> None:
        """Run jobs until told to stop (SIGTERM, SIGINT, `stop()`, a command, the end of a burst)."""
        logger.info("worker %s starts on %s", self.name, ", ".join(each.name for each in self.queues))
        loop = asyncio.get_running_loop()
        self.event = asyncio.Event()
        self._stopped = self._interrupted = False
        self._hurried = asyncio.Event()
        signals = endings(self.SIGNALS)
        for number in signals:
            loop.add_signal_handler(number, self._signalled, number)
        try:
            for each in self.queues:
                await each.connect()
            for hook in self.startup or ():
                await hook(self.context)
            self._begin()
            await self.event.wait()
        except asyncio.CancelledError:
            pass
        finally:
            logger.info("worker %s stops", self.name)
            await self.stop()
            for number in signals:
                loop.remove_signal_handler(number)

    def _signalled(self, number: int) -> None:
        """Stop; a second Ctrl-C does not wait for what runs. (SIGTERM may come twice: from a supervisor, too.)"""
        if number == signal.SIGINT:
            if self._interrupted:
                self._hurried.set()
            self._interrupted = True
        self.event.set()

    def _begin(self) -> None:
        """Start everything; the server need not be there yet."""
        self.runner = Runner(
            self.lease_id,
            self.functions,
            self.clock,
            self._settle,
            self._freed,
            hard_deadline_s=self._cancellation_hard_deadline_s,
            version=self.version,
        )
        self.runner.context = self.context  # itself: what is put there later is for later jobs
        self.runner.before = self.before_process or ()
        self.runner.after = self.after_process or ()
        self.runner.follow = self.follow
        self.runner.on_ended = Reminders(self).note
        self.intake = Intake(self)
        self._engine = turns = Turns(
            self.queues,
            self.lease_id,
            self.clock,
            self.intake.slots,
            self.intake.taken,
            concurrency=self.concurrency,
            weights=self.weights,
        )
        turns.on_refused = self._refused
        turns.on_idle = self.intake.idle
        self.runner.settled = turns.quiet.wait if self.after_process else None
        rescuer = Rescuer(
            self.queues,
            self.lease_id,
            self._held,
            crash_budget=self.crash_budget,
            no_rerun=[each for each, what in self.on_lost.items() if what == "fail"],
            version=self.version,
        )
        self._rescuer = rescuer
        self.beats = Beats(
            self.queues,
            self.lease_id,
            self.id,
            Portrait(self).records,
            self._told,
            rescuer.rescue,
            rescuer.fold,
            lease_s=self.lease_s,
            beat_s=self.beat_s,
        )
        self.control = Control(self)
        self.upkeeping = Upkeep(self)
        self.promotions = {each.name: Promotion(each, turns, float(self.timers["schedule"])) for each in self.queues}
        turns.on_delayed = self._delayed
        self.beats.start()
        turns.start()
        for each, state in zip(self.queues, turns.states, strict=True):
            self.spawn(wake(each, state, turns.kick))
        self.spawn(hear(self.queues, self.lease_id, self.control.obey))
        for duty in (*(each.run() for each in self.promotions.values()), *self.upkeeping.tasks()):
            self.spawn(duty)
        if self.scheduler is not None:
            self.spawn(self.scheduler.run())

    def spawn(self, duty: Coroutine[Any, Any, None]) -> None:
        """Run something beside the jobs, until it ends or the worker does. What ends by a bug is told at once."""
        task = asyncio.get_running_loop().create_task(duty)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("%s ended, and nothing does its work any more", task.get_coro(), exc_info=error)

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What SAQ's `metadata` argument attached to this worker."""
        return self._metadata

    @property
    def turns(self) -> Turns:
        """The way to the server of a started worker."""
        assert self._engine is not None, "the worker has not been started"
        return self._engine

    async def stop(self) -> None:
        """Stop in order: take nothing, let jobs end within the grace time, hand the rest back. Safe to call twice."""
        self.event.set()
        async with self._stop_lock:
            if self._stopped:
                return
            self._stopped = True
            if self._engine is not None:
                await self._end_jobs()
                await self._leave()
            await self._run_shutdown()

    async def _end_jobs(self) -> None:
        self.state = "stopping"
        self.beats.soon()
        for task in self.tasks:
            task.cancel()
        running = self.runner.running
        grace_s = self._shutdown_grace_period_s or 0
        if running and grace_s:
            hurried = asyncio.ensure_future(self._hurried.wait())
            ended = asyncio.ensure_future(asyncio.wait(self._tasks_of(running)))
            await asyncio.wait({hurried, ended}, timeout=grace_s, return_when=asyncio.FIRST_COMPLETED)
            await halted(hurried, ended)
        self.intake.hand_back()
        if running:
            logger.warning("%d jobs did not end within the grace time and go back to their queue", len(running))
            waiting = self._tasks_of(running)
            for attempt in reversed(list(running.values())):  # each goes to the very front: the oldest last
                self.runner.cancel(attempt, "stop")
            await asyncio.wait(waiting, timeout=self._cancellation_hard_deadline_s + 0.5)
        try:
            await asyncio.wait_for(self.turns.quiet.wait(), SETTLE_AT_STOP_S)
        except TimeoutError:
            logger.warning("the server is away: %d results are lost, their jobs run again", self.turns.unsettled)
        await halted(*self.tasks)
        self.tasks.clear()

    @staticmethod
    def _tasks_of(running: Mapping[str, Attempt]) -> list[asyncio.Task[Any]]:
        return [attempt.task for attempt in running.values() if attempt.task is not None]

    async def _leave(self) -> None:
        """Stop beating, then say goodbye."""
        await self.beats.stop()
        wire = self.turns.wire
        if wire is not None:
            keys = [each.keys.queued for each in self.queues]
            names = [each.name for each in self.queues]
            leaving = wire.call(
                "EVALSHA", script("leave").sha, len(keys), *keys, self.lease_id, self.id, len(names), *names
            )
            await asyncio.wait([leaving], timeout=1.0)
            if leaving.done() and not leaving.cancelled():
                leaving.exception()
        self.turns.close()
        self.runner.threads.close()

    async def _run_shutdown(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
        if self.shutdown:
            with ThreadPoolExecutor() as pool:
                for hook in ensure_coroutine_function_many(self.shutdown, pool):
                    await hook(self.context)

    # -- what the parts ask --

    def _settle(self, item: Settlement) -> None:
        self.turns.settle(item)

    def _freed(self, attempt: Attempt) -> None:
        self.job_task_contexts.pop(attempt.job, None)
        self.intake.freed()

    def _delayed(self, number: int, due_s: float) -> None:
        self.promotions[self.queues[number - 1].name].expect(due_s - self.clock.now_ms() / 1000)

    def _refused(self, item: Settlement) -> None:
        self.runner.tally.late += 1
        logger.warning("late: somebody else holds %s now, its result is not stored", item[2])

    def _held(self, number: int, pairs: list[tuple[str, str]]) -> None:
        """From the thread of the beats: what the server says we hold."""
        self.turns.loop.call_soon_threadsafe(self.upkeeping.reconcile, number, pairs)

    def _told(self, beat: Beat) -> None:
        """On the loop, after each good beat."""
        self.clock.learn(beat.now_ms)
        # The longest that one of its queues keeps: what is above their own bounds, folding trims.
        self.turns.history_count = max(map(history_count, beat.history_counts))
        self.intake.rules.learn(beat.rules)
        if beat.lost:
            self.upkeeping.look_closely()
            for state in self.turns.states:
                state.filled()
        self.turns.kick()  # while beats failed nothing was taken
        for command in beat.commands:
            self.control.obey(command)
