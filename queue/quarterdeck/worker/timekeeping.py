"""The schedules of a worker: what its code defines is brought to the server, then the scheduler runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from redis.exceptions import RedisError

from quarterdeck.schedule.scheduler import Scheduler
from quarterdeck.schedule.spec import ScheduleSpec
from quarterdeck.schedule.store import ScheduleStore

logger = logging.getLogger("quarterdeck.schedule")
LONGEST_PAUSE_S = 2.0


class Timekeeping:
    """Runs beside the jobs. `schedules` are the code's definitions by queue; an empty list takes away what it once
    defined there."""

    def __init__(self, client: Any, schedules: Mapping[str, Sequence[ScheduleSpec]], *, app: str) -> None:
        self._client = client
        self._schedules = schedules
        self._app = app
        self.defined = asyncio.Event()
        """Set once the server has the definitions."""

    async def run(self) -> None:
        """Define and run the schedules until cancelled; a server that is away is waited for."""
        pause_s = 0.1
        while not self.defined.is_set():
            try:
                for queue, specs in self._schedules.items():
                    taken = await ScheduleStore(self._client, queue).define(specs, app=self._app)
                    for name in taken:
                        logger.warning("The schedule %s is an operator's own: the code's one is not used", name)
                self.defined.set()
            except (RedisError, OSError, TimeoutError) as error:
                logger.debug("the schedules wait for the server: %s", error)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            leave_if_cancelled()
        hold_off = {
            queue: [spec.function for spec in specs if spec.takes_over] for queue, specs in self._schedules.items()
        }
        await Scheduler(self._client, list(self._schedules), hold_off=hold_off).run()


def leave_if_cancelled() -> None:
    """Raise CancelledError when this task was cancelled and nobody noticed.

    Python 3.11's `wait_for`, which redis-py sends through, swallows a cancellation that meets the end of its wait
    (python/cpython#86296).
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
